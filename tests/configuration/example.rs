//! The example: every key, with its default.

use std::collections::BTreeSet;
use std::fs;

use crate::{config, file_of, wanted};
use chatline::config::{Config, Reach, Wanted, reach_of};

fn example() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/chatline.toml")).unwrap()
}

/// The key of a line that is one, behind `# ` or not.
fn key_of(line: &str) -> Option<&str> {
    let (key, _) = line.strip_prefix("# ").unwrap_or(line).split_once(" = ")?;
    let is_key = |c: char| c.is_ascii_lowercase() || c == '-';
    key.chars().all(is_key).then_some(key)
}

/// What a configuration is, without where its values stand.
fn whole(config: &Config) -> String {
    format!("{:?}", config.without_places())
}

#[test]
fn the_example_has_every_key_and_says_what_it_is() {
    let text = example();
    let command = chatline::config::command();
    let flags = command.get_arguments().filter_map(|arg| arg.get_long());
    let flags: BTreeSet<&str> =
        flags.filter(|flag| !["config", "help", "version"].contains(flag)).collect();
    let keys: Vec<&str> = text.lines().filter_map(key_of).collect();
    assert_eq!(keys.iter().copied().collect::<BTreeSet<_>>(), flags);
    assert_eq!(keys.len(), flags.len(), "a key stands there once");
    for (before, line) in text.lines().zip(text.lines().skip(1)) {
        let is_told = before.starts_with("# ") && key_of(before).is_none();
        assert!(key_of(line).is_none() || is_told, "nothing is said about: {line}");
    }
    assert!(text.lines().all(|line| line.is_empty() || line.starts_with('#')), "all is commented");
}

#[test]
fn the_example_is_the_default() {
    let text = example();
    let default = config("", &[]).unwrap();
    assert_eq!(whole(&config(&text, &[]).unwrap()), whole(&default));
    let uncommented = text.lines().map(|line| match key_of(line) {
        Some(_) => line.trim_start_matches("# "),
        None => line,
    });
    let uncommented: Vec<&str> = uncommented.collect();
    let all = config(&uncommented.join("\n"), &[]).unwrap();
    assert_eq!(whole(&all), whole(&default));
    let (_folder, path) = file_of(&text.replace("# pace = 100", "pace = 50"));
    let Ok(Wanted::Server(other)) = wanted(&["--config", path.to_str().unwrap()]) else {
        panic!("no server");
    };
    assert_ne!(whole(&other), whole(&default), "what is compared has all in it");
}

#[test]
fn the_example_says_what_a_new_reading_reaches() {
    let text = example();
    let mut about = String::new();
    for line in text.lines() {
        match key_of(line) {
            None if line.is_empty() => about.clear(),
            None => about += line,
            Some(key) => {
                let reach = match reach_of(key) {
                    Reach::Live => "(live)",
                    Reach::Restart => "(restart)",
                };
                assert!(about.ends_with(reach), "{key} is {reach}; the example says: {about}");
            }
        }
    }
}
