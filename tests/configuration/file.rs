//! What a file says, and what is refused in it; and what `check-config` says of it.

use std::fs;
use std::time::Duration;

use chatline::config::{Config, Connections, Declined, Wanted};
use log::LevelFilter;

use crate::{config, file_of, wanted};

fn refusal(text: &str, args: &[&str]) -> String {
    match config(text, args) {
        Err(Declined::Refused(sentence)) => {
            assert!(!sentence.contains(char::is_control), "{sentence:?}");
            let file = sentence.find("chatline.toml:").expect("the file is named");
            sentence[file..].to_owned()
        }
        other => panic!("{text:?} was not refused: {other:?}"),
    }
}

fn listen(config: &Config) -> Vec<String> {
    config.listen.iter().map(ToString::to_string).collect()
}

#[test]
fn a_key_is_a_flag_and_takes_what_it_takes() {
    let text = r#"
        listen = ["0.0.0.0:9000", 9001]
        connections = 64
        connections-per-address = "off"
        name-timeout = "2m"
        line-bytes = "8K"
        pace = 0x10
        lobby = ""
        data = "none"
        motd = """
be kind

backups at 4"""
        search = false
        verbose = 2
    "#;
    let config = config(text, &[]).unwrap();
    assert_eq!(listen(&config), ["0.0.0.0:9000", "127.0.0.1:9001"]);
    assert_eq!(config.connections, Connections::AtMost(64));
    assert_eq!(config.hub.connections_per_address_max, None);
    assert_eq!(config.chat.name_timeout, Some(Duration::from_secs(120)));
    assert_eq!(config.hub.line_bytes_max, Some(8192));
    assert_eq!(config.hub.pace.unwrap().every, Duration::from_millis(1000) / 16);
    assert_eq!((config.chat.lobby, config.data), (None, None));
    assert_eq!(config.chat.motd.as_deref(), Some("be kind\n\nbackups at 4"));
    assert_eq!(config.log_level, LevelFilter::Trace);
}

#[test]
fn what_is_given_otherwise_is_stronger() {
    let text = "listen = [9001, 9002]\nname-chars = 7\nquiet = true\nrooms = 7\n";
    let config = config(text, &["--listen", "9003", "-v", "--rooms=8"]).unwrap();
    assert_eq!(listen(&config), ["127.0.0.1:9003"]);
    assert_eq!((config.chat.name_chars_max, config.chat.rooms_max), (Some(7), Some(8)));
    // Both cannot be: what is typed wins.
    assert_eq!(config.log_level, LevelFilter::Debug);
}

#[test]
fn a_value_that_cannot_be_is_told_by_its_line() {
    for (text, expected) in [
        ("\n\npace = 0", "3: pace '0': wanted is a whole number from 1 to 1000000, or off"),
        ("lobby = 'a b'", "1: lobby 'a b' cannot be a room's name"),
        ("listen = [9000, 9000]", "1: listen 127.0.0.1:9000 is given twice; once is enough"),
        ("listen = []", "1: listen: wanted is at least one"),
        ("sync = 'never'", "1: sync 'never': wanted is disk or process or later"),
        ("pace = 1.5", "1: pace: wanted is a whole number or a text in quotes"),
        ("pace = true", "1: pace: wanted is a number or a text in quotes"),
        ("pace = [1, 2]", "1: pace: wanted is one value, not a list"),
        ("pace = 2026-11-21", "1: pace: wanted is a number or a text in quotes"),
        ("search = 'yes'", "1: search 'yes': wanted is on or off"),
        ("quiet = 1", "1: quiet: wanted is true or false"),
        ("verbose = 10", "1: verbose: wanted is a number from 0 to 9"),
        ("motd = \"a\\u001b[2J\"", "1: motd 'a\\u{1b}[2J': wanted is a text without control"),
        ("motd = 'xxx'\nline-bytes = 64", ""),
    ] {
        if !expected.is_empty() {
            let told = refusal(text, &[]);
            assert!(told.starts_with(&format!("chatline.toml:{expected}")), "{told}");
        }
    }
    let long = format!("motd = '{}'", "x".repeat(65));
    assert!(refusal(&long, &["--line-bytes=64"]).starts_with("chatline.toml:1: motd: a line of"));
    let many = format!("motd = \"\"\"{}\"\"\"", "x\n".repeat(21));
    assert!(refusal(&many, &[]).starts_with("chatline.toml:1: motd: it has 21 lines"));
}

#[test]
fn a_key_that_cannot_be_is_told_by_its_line() {
    for (text, expected) in [
        ("# one\npaec = 1", "2: there is no 'paec', but there is pace"),
        ("line_bytes = 1", "1: there is no 'line_bytes', but there is line-bytes"),
        ("frobnicate = 1", "1: there is no 'frobnicate'; the keys are the flags without"),
        ("[limits]\npace = 1", "1: there are no sections, and no 'limits'"),
        ("config = 'x'", "1: 'config' cannot be set here"),
        ("help = true", "1: 'help' cannot be set here"),
        ("export = 'x'", "1: there is no 'export'"),
        ("\"a\\u001b\" = 1", "1: there is no 'a\\u{1b}'"),
        ("pace = 1\npace = 2", "2: "),
        ("pace = \n", "1: "),
        ("pace 1", "1: "),
        ("verbose = 1\nquiet = true", ""),
    ] {
        let told = if expected.is_empty() { String::new() } else { refusal(text, &[]) };
        assert!(
            told.starts_with(&format!("chatline.toml:{expected}")) || expected.is_empty(),
            "{told}"
        );
    }
    assert!(config("verbose = 1\nquiet = true", &[]).is_err(), "both cannot be");
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let told = |path: &str| match wanted(&["--config", path]) {
        Err(Declined::Refused(why)) => why,
        other => panic!("{path} was read: {other:?}"),
    };
    let (folder, path) = file_of("");
    let path = path.to_str().unwrap();
    assert!(told(&format!("{path}x")).starts_with(&format!("cannot read {path}x: ")));
    assert!(told(folder.path().to_str().unwrap()).ends_with("it is no regular file"));
    fs::write(path, [b'#', 0xff]).unwrap();
    assert!(told(path).ends_with("it is not UTF-8"));
    fs::write(path, "#".repeat((1 << 20) + 1)).unwrap();
    assert!(told(path).ends_with("it is larger than 1 MiB"));
    fs::write(path, "#".repeat(1 << 20)).unwrap();
    assert!(wanted(&["--config", path]).is_ok());
}

#[test]
fn a_task_goes_by_the_file() {
    let (_folder, path) = file_of("data = 'kept.db'");
    let path = path.to_str().unwrap();
    for args in [
        ["--config", path, "export", "--room", "dev"],
        ["export", "--config", path, "--room", "dev"],
    ] {
        let Ok(Wanted::Task(_, data)) = wanted(&args) else { panic!("no task") };
        assert_eq!(data.to_str(), Some("kept.db"));
    }
    let args = ["--config", path, "export", "--room", "dev", "--data", "other.db"];
    let Ok(Wanted::Task(_, data)) = wanted(&args) else { panic!("no task") };
    assert_eq!(data.to_str(), Some("other.db"));
}

#[cfg(feature = "store")]
fn checked(text: &str, args: &[&str]) -> Declined {
    let (_folder, path) = file_of(text);
    let path = path.to_str().unwrap();
    let declined = wanted(&[&["check-config", "--config", path], args].concat()).unwrap_err();
    match declined {
        Declined::Shown(text) => Declined::Shown(text.replace(path, "chatline.toml")),
        Declined::Refused(text) => Declined::Refused(text.replace(path, "chatline.toml")),
    }
}

#[test]
#[cfg(feature = "store")]
fn a_check_says_what_is_otherwise_or_what_is_wrong() {
    let none = "the configuration is good: all is as by default\n";
    assert_eq!(checked("", &[]), Declined::Shown(none.into()));
    let text = "motd = \"\"\"one\ntwo\"\"\"\nkeep = \"off\"\nlisten = [9001, 9002]\n";
    assert_eq!(
        checked(text, &["--data", "none"]),
        Declined::Shown(
            "the configuration is good\n  \
             listen = 9001,9002   (chatline.toml:4)\n  \
             motd = \"one\\ntwo\"   (chatline.toml:1)\n  \
             data = none   (--data)\n  \
             keep = off   (chatline.toml:3)\n  \
             all else is as by default\n"
                .into()
        )
    );
    for (text, why) in [
        ("pace = 0", "chatline.toml:1: pace '0': wanted is"),
        ("data = '/nowhere/at/all.db'", "chatline.toml:1: data: there is no folder /nowhere/at"),
        ("data = '/'", "chatline.toml:1: data: / is a folder"),
    ] {
        let Declined::Refused(told) = checked(text, &[]) else { panic!("{text} is good") };
        assert!(told.starts_with(why), "{told}");
    }
}
