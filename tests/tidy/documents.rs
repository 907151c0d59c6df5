//! The documents beside the code: that they list what the program has, no less and no more.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use chatline::admin;
use chatline::chat::command::TABLE;
use chatline::chat::event::Code;

use crate::source::{root, sources};

fn document(name: &str) -> String {
    fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// What stands between the backticks at the beginning of each row of a table.
fn rows(text: &str, start: &str) -> BTreeSet<String> {
    let cells = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |"));
    let words = cells.map(|(word, _)| word).filter(|word| word.starts_with(start));
    words.map(str::to_owned).collect()
}

/// The part of a document below a heading that begins so, up to the next of its level.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n{heading}"));
    let start = start.unwrap_or_else(|| panic!("no heading begins with {heading:?}")) + 1;
    let level = heading.split(' ').next().expect("a heading has a level");
    let end = text[start + 1..].find(&format!("\n{level} "));
    end.map_or(&text[start..], |end| &text[start..start + 1 + end])
}

#[test]
fn the_protocol_has_a_heading_for_each_command() {
    let text = document("protocol.md");
    let headings = text.lines().filter_map(|line| line.strip_prefix("### /"));
    let headings: BTreeSet<&str> = headings.collect();
    let commands = TABLE.iter().map(|row| format!("{} {}", row.names[0], row.arguments));
    let commands: Vec<String> = commands.map(|command| command.trim_end().to_owned()).collect();
    assert_eq!(headings, commands.iter().map(String::as_str).collect());
    for row in TABLE {
        let about = section(&text, &format!("### /{}", row.names[0]));
        for alias in &row.names[1..] {
            assert!(about.contains(&format!("/{alias}")), "/{alias} is missing");
        }
        assert!(about.contains("```transcript"), "/{} has no example", row.names[0]);
    }
}

#[test]
fn the_protocol_has_a_row_for_each_order_of_the_console() {
    let text = document("protocol.md");
    let listed = rows(section(&text, "## The operator's socket"), "/");
    let orders = admin::TABLE.iter().map(|row| format!("/{} {}", row.name, row.arguments));
    let orders: BTreeSet<String> = orders.map(|order| order.trim_end().to_owned()).collect();
    assert_eq!(listed, orders);
}

#[test]
fn the_protocol_has_a_row_for_each_code() {
    let text = document("protocol.md");
    let is_code = |word: &String| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '-')
    };
    let listed: BTreeSet<String> = rows(&text, "").into_iter().filter(is_code).collect();
    let codes: BTreeSet<String> = Code::ALL.iter().map(|code| code.word().to_owned()).collect();
    let missing: Vec<_> = codes.difference(&listed).collect();
    assert!(missing.is_empty(), "protocol.md does not list {missing:?}");
    // Some other table may have a plain word in its first column; a code has a hyphen or is known.
    let unknown: Vec<_> = listed.difference(&codes).filter(|word| word.contains('-')).collect();
    assert!(unknown.is_empty(), "these are no codes: {unknown:?}");
}

#[test]
fn the_protocol_has_a_row_for_each_limit() {
    let text = document("protocol.md");
    let mut flags = BTreeSet::new();
    let mut missing = Vec::new();
    for arg in chatline::config::command().get_arguments() {
        let Some(variable) = arg.get_env() else { continue };
        let flag = format!("--{}", arg.get_long().unwrap());
        let start = format!("| `{flag}` |");
        let row = text.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
        let mut wanted = vec![variable.to_string_lossy().into_owned()];
        wanted.extend(arg.get_default_values().iter().map(|value| value.to_string_lossy().into()));
        let lacks = wanted.iter().filter(|word| !row.contains(&format!("`{word}`")));
        missing.extend(lacks.map(|word| format!("{start} … `{word}`")));
        flags.insert(flag);
    }
    assert!(missing.is_empty(), "protocol.md lacks:\n{}", missing.join("\n"));
    let unknown: Vec<String> = rows(&text, "--").difference(&flags).cloned().collect();
    assert!(unknown.is_empty(), "these are no flags: {unknown:?}");
}

/// The records that the source makes: `LEVEL EVENT`, each with its keys.
fn records(text: &str) -> BTreeSet<(String, BTreeSet<String>)> {
    let mut records = BTreeSet::new();
    for level in ["error", "warn", "info", "debug", "trace"] {
        for (at, start) in text.match_indices(&format!("{level}!(")) {
            let rest = &text[at + start.len()..];
            let record = &rest[..end_of_call(rest)];
            let (pairs, message) = record.rsplit_once(';').unwrap_or(("", record));
            let event = message.trim().trim_matches(['"', ',']).to_owned();
            let keys = top_level(pairs).into_iter().filter_map(|pair| {
                let key = pair.split([':', '=']).next()?.trim();
                (!key.is_empty()).then(|| key.to_owned())
            });
            records.insert((format!("{level} {event}"), keys.collect()));
        }
    }
    records
}

/// Where the bracket is that ends a call, behind whose opening one the text begins.
fn end_of_call(text: &str) -> usize {
    let mut depth = 1;
    for (at, char) in text.char_indices() {
        match char {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// What stands between commas that are in no brackets.
fn top_level(text: &str) -> Vec<&str> {
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, char) in text.char_indices() {
        match char {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Each record is an event of one word with its keys, and the protocol has a row for it.
#[test]
fn the_protocol_has_a_row_for_each_event_of_the_log() {
    let text = document("protocol.md");
    let table = section(&text, "## Log");
    let mut made: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for source in sources("src") {
        for (event, keys) in records(&source.text) {
            made.entry(event).or_default().extend(keys);
        }
    }
    // The log says this of itself.
    made.insert("warn log_lines_lost".to_owned(), ["count".to_owned()].into());
    assert!(made.len() > 30, "only {} events were found", made.len());
    let mut listed = BTreeMap::new();
    for row in table.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let words = |cell: &str| -> Vec<String> {
            cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
        };
        for level in cells[2].split(", ") {
            let keys: BTreeSet<String> = words(cells[3]).into_iter().collect();
            listed.insert(format!("{level} {}", words(cells[1])[0]), keys);
        }
    }
    // What a library says.
    listed.remove("any library");
    let unlisted: Vec<_> = made.iter().filter(|(event, _)| !listed.contains_key(*event)).collect();
    assert!(unlisted.is_empty(), "protocol.md does not list {unlisted:?}");
    assert_eq!(listed, made);
}

/// The value of a key in `Cargo.toml`.
fn manifest(key: &str) -> String {
    let text = document("Cargo.toml");
    let values = text.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
    let value = values.map(|value| value.trim_end_matches('"').to_owned()).next();
    value.unwrap_or_else(|| panic!("Cargo.toml has no {key}"))
}

#[test]
fn the_readme_has_the_two_commands_and_what_they_need() {
    let readme = document("README.md");
    let commands: Vec<&str> = readme.lines().map(|line| line.trim_start_matches("$ ")).collect();
    assert!(commands.contains(&"cargo run --release"), "no line is: cargo run --release");
    let check = document("scripts/check");
    let test = check.lines().find(|line| line.starts_with("cargo test")).expect("it tests");
    assert!(commands.contains(&test), "no line is: {test}");
    let version = manifest("rust-version");
    assert!(readme.contains(&version), "Rust {version} is not mentioned");
}

#[test]
fn the_changelog_and_the_license_are_of_this_crate() {
    let heading =
        document("CHANGELOG.md").lines().find(|line| line.starts_with("## ")).map(str::to_owned);
    let heading = heading.expect("the changelog has a heading");
    let version = manifest("version");
    assert!(heading.contains(&version), "{heading} is not of {version}");
    assert!(document("LICENSE").starts_with(&format!("{} License", manifest("license"))));
}

#[test]
fn every_transcript_expects_something() {
    let folder = root().join("tests/transcripts");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let expects = text.lines().any(|line| {
            let (who, what) = line.split_once(' ').unwrap_or_default();
            who.ends_with(['<', '|']) && !who.contains('>') || what == "disconnected"
        });
        assert!(expects, "{} expects nothing", path.display());
        count += 1;
    }
    assert!(count > 0, "there are transcripts");
}
