//! The rules of the house, held by reading the files: who may use what, how large things are, and
//! that the documents list what the program has.
//!
//! Promises: each failure lists every place that breaks its rule. Deliberately no style that
//! rustfmt and clippy hold already.

#![allow(clippy::unwrap_used)]

#[path = "tidy/documents.rs"]
mod documents;
#[path = "tidy/source.rs"]
mod source;

use std::fs;

use source::{Source, files, root, sources};

const FILE_LINES_MAX: usize = 600;
const FUNCTION_LINES_MAX: usize = 70;
const COLUMNS_MAX: usize = 100;

/// Clocks, in the words of whoever reads one.
const CLOCKS: &[&str] = &["Instant", "SystemTime", "jiff"];
/// The operating system beyond memory.
const SYSTEM: &[&str] =
    &["mio", "std::thread", "std::process", "std::fs", "std::env", "signal_hook"];
/// What sends and receives.
const SOCKETS: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "socket2", "rustix"];

/// What talks to peers.
const SOCKETS_OF_PEERS: &[&str] = &["TcpStream", "TcpListener", "UdpSocket", "socket2"];

/// A rule about some files, by the beginning of their path: what no line of them may have.
struct Never {
    files: &'static [&'static str],
    words: &'static [&'static [&'static str]],
}

const NEVER: &[Never] = &[
    Never {
        files: &["src/chat/"],
        words: &[
            CLOCKS,
            SYSTEM,
            SOCKETS,
            &["wire::", "net::", "crate::wire", "crate::net", "crate::config", "crate::logger"],
            &["std::io", "io::", "thread::", "log", "getrandom", "rand"],
        ],
    },
    Never {
        files: &["src/wire/"],
        words: &[
            CLOCKS,
            SYSTEM,
            SOCKETS,
            &["net::", "crate::net", "crate::config", "crate::logger"],
            &["std::io", "io::", "thread::", "log", "getrandom", "Outbox", "Chat"],
        ],
    },
    Never {
        files: &["src/admin/"],
        words: &[
            CLOCKS,
            SYSTEM,
            SOCKETS,
            &["crate::net", "crate::config", "crate::logger", "crate::chat::Chat"],
            &["std::io", "io::", "thread::", "getrandom", "Outbox"],
        ],
    },
    Never {
        files: &[
            "src/net/slots.rs",
            "src/net/queue.rs",
            "src/net/conn.rs",
            "src/net/door.rs",
            "src/net/tls.rs",
            "src/net/tls/session.rs",
            "src/net/hub",
        ],
        words: &[
            CLOCKS,
            SYSTEM,
            SOCKETS,
            &["crate::config", "crate::logger", "super::server", "super::listen", "super::signal"],
            &["Poll", "thread::", "getrandom"],
        ],
    },
    Never {
        files: &["src/store/", "src/keyring"],
        words: &[
            SOCKETS_OF_PEERS,
            &["mio", "wire::", "net::", "crate::wire", "crate::net", "crate::config"],
            &["crate::logger", "crate::chat::Chat", "Outbox"],
        ],
    },
    Never { files: &["src/net/"], words: &[&["crate::logger", "std::thread", "env_logger"]] },
    Never { files: &["src/config"], words: &[&["mio", "std::thread", "crate::wire", "Instant"]] },
    Never { files: &["src/lib.rs"], words: &[&["fn", "struct", "enum", "use"]] },
];

/// Fails with all of them, if there are any.
fn expect_none(what: &str, mut places: Vec<String>) {
    places.sort();
    assert!(places.is_empty(), "{} {what}:\n{}", places.len(), places.join("\n"));
}

/// The places in the product where one of these words stands.
fn places<'s>(sources: impl IntoIterator<Item = &'s Source>, words: &[&str]) -> Vec<String> {
    let mut places = Vec::new();
    for source in sources {
        for line in source.product() {
            for word in words.iter().filter(|word| line.has(word)) {
                places.push(format!("{}:{}: {word}", source.path, line.number));
            }
        }
    }
    places
}

#[test]
fn the_rings_point_inward() {
    let sources = sources("src");
    let mut found = Vec::new();
    for rule in NEVER {
        let is_meant =
            |source: &&Source| rule.files.iter().any(|file| source.path.starts_with(file));
        let meant: Vec<&Source> = sources.iter().filter(is_meant).collect();
        for file in rule.files {
            assert!(meant.iter().any(|source| source.path.starts_with(file)), "{file} is gone");
        }
        found.extend(places(meant, &rule.words.concat()));
    }
    expect_none("uses of what lies further out", found);
}

#[test]
fn only_main_prints() {
    let sources = sources("src");
    let others = || sources.iter().filter(|source| source.path != "src/main.rs");
    let mut found = places(others(), &["println!", "eprintln!", "print!", "eprint!", "stdout"]);
    let quiet = others().filter(|source| source.path != "src/logger.rs");
    found.extend(places(quiet, &["stderr", "env_logger"]));
    expect_none("prints outside of main.rs", found);
}

#[test]
fn nothing_is_left_behind() {
    let product = sources("src");
    let words = [".unwrap()", "unsafe", "todo!", "unimplemented!", "dbg!", "static mut"];
    let mut found = places(&product, &words);
    let marks = ["TODO", "FIXME", "XXX", "HACK"];
    for source in
        product.into_iter().chain(sources("tests")).filter(|it| it.path != "tests/tidy.rs")
    {
        for (index, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) || line.contains("dbg!(") {
                found.push(format!("{}:{}: {line}", source.path, index + 1));
            }
        }
    }
    expect_none("things left behind", found);
}

#[test]
fn files_and_functions_are_small() {
    let mut found = Vec::new();
    for source in sources("src").into_iter().chain(sources("tests")) {
        let lines = source.text.lines().count();
        if lines > FILE_LINES_MAX {
            found.push(format!("{}: {lines} lines", source.path));
        }
        let long = source.functions().into_iter().filter(|(_, lines)| *lines > FUNCTION_LINES_MAX);
        found.extend(long.map(|(at, lines)| format!("{}:{at}: {lines} lines", source.path)));
    }
    expect_none("things that are too large", found);
    let functions: usize = sources("src").iter().map(|source| source.functions().len()).sum();
    assert!(functions > 300, "only {functions} functions were found");
}

#[test]
fn every_file_says_what_it_is() {
    let all = || sources("src").into_iter().chain(sources("tests"));
    let silent = all().filter(|source| !source.text.starts_with("//! "));
    expect_none("files without a beginning", silent.map(|source| source.path).collect());
    let mut wide = Vec::new();
    for source in all() {
        for (index, line) in source.text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX || line.trim_end() != line {
                wide.push(format!("{}:{}: {line}", source.path, index + 1));
            }
        }
    }
    expect_none("lines that are too long, or end with blanks", wide);
}

#[test]
fn the_project_speaks_of_itself_alone() {
    // In two parts, so that this file does not break its own rule.
    let places = [("/wo", "rk/"), ("/ro", "ot/"), ("architecture", ".md")];
    let places =
        [("product", ".md"), ("house", ".md"), ("numbers", ".md")].into_iter().chain(places);
    let places: Vec<String> = places.map(|(one, other)| [one, other].concat()).collect();
    let mut found = Vec::new();
    for path in files(root()) {
        let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
        for (index, line) in text.lines().enumerate() {
            if places.iter().any(|place| line.contains(place)) || mentions_an_issue(line) {
                found.push(format!("{}:{}: {line}", path.display(), index + 1));
            }
        }
    }
    expect_none("mentions of the place where it was made", found);
}

/// The word, or `PR`, and a number beside it.
fn mentions_an_issue(line: &str) -> bool {
    let words: Vec<String> = line.split_whitespace().map(str::to_lowercase).collect();
    let bare = |word: &String| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let is_number = |word: &String| bare(word).parse::<u32>().is_ok();
    words.windows(2).any(|pair| {
        let names = |word: &String| ["issue", "issues", "pr"].contains(&bare(word).as_str());
        names(&pair[0]) && is_number(&pair[1])
            || pair[0].starts_with('#') && is_number(&pair[0]) && names(&pair[1])
    })
}

#[test]
fn issues_are_recognised() {
    for (before, number, after) in [
        ("see issue ", "2.", ""),
        ("(issue ", "#2)", ""),
        ("as ", "#12", " issue"),
        ("PR ", "#3", ""),
    ] {
        let line = [before, number, after].concat();
        assert!(mentions_an_issue(&line), "{line}");
    }
    for line in ["#ops build 512 is green", "at issue here", "#[test]", "issue them 2"] {
        assert!(!mentions_an_issue(line), "{line}");
    }
}
