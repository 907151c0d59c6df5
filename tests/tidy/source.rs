//! A source file as the rules look at it: its text, its lines of code, and which of them are tests.
//!
//! Promises: comments, and what stands between quotation marks, are no code; an item under
//! `#[cfg(test)]` is a test. Relies on the sources being formatted by rustfmt, and is no parser.

use std::fs;
use std::path::{Path, PathBuf};

/// The project.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// One file of Rust.
pub struct Source {
    /// Where it is below the root, with slashes.
    pub path: String,
    /// All of it.
    pub text: String,
    lines: Vec<Line>,
}

/// One line of a file, without comments and without the contents of strings.
pub struct Line {
    /// Counted from 1.
    pub number: usize,
    pub code: String,
    is_test: bool,
}

impl Source {
    pub fn read(path: &Path) -> Source {
        let text = fs::read_to_string(path).unwrap();
        let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
        let lines = lines(&text);
        Source { path, text, lines }
    }

    /// What the product is made of: the lines that are no test.
    pub fn product(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !line.is_test)
    }

    /// The functions, tests too: the line each begins on, and how many lines it has.
    pub fn functions(&self) -> Vec<(usize, usize)> {
        let mut functions = Vec::new();
        for (index, line) in self.lines.iter().enumerate().filter(|(_, line)| line.is_function()) {
            let length = length_of_item(&self.lines[index..]);
            functions.push((line.number, length));
        }
        functions
    }
}

impl Line {
    /// How far it is indented.
    fn indent(&self) -> usize {
        self.code.len() - self.code.trim_start().len()
    }

    fn is_function(&self) -> bool {
        let mut words = self.code.split_whitespace();
        let is_modifier =
            |word: &&str| word.starts_with("pub") || ["const", "async"].contains(word);
        words.find(|word| !is_modifier(word)) == Some("fn")
    }

    /// Whether this word stands here, on its own.
    pub fn has(&self, word: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        self.code.match_indices(word).any(|(at, _)| {
            let (before, after) = (&self.code[..at], &self.code[at + word.len()..]);
            let is_apart = |here: Option<char>, there: Option<char>| {
                !(here.is_some_and(is_part) && there.is_some_and(is_part))
            };
            is_apart(before.chars().next_back(), word.chars().next())
                && is_apart(word.chars().next_back(), after.chars().next())
        })
    }
}

/// How many lines the item has that begins on the first line: up to the bracket that stands as far
/// left as it does, or the end of its only statement.
fn length_of_item(lines: &[Line]) -> usize {
    let indent = lines[0].indent();
    let is_end = |line: &Line| {
        let code = line.code.trim();
        line.indent() == indent && (code.ends_with('}') || code.ends_with(';'))
    };
    lines.iter().position(is_end).map_or(lines.len(), |at| at + 1)
}

fn lines(text: &str) -> Vec<Line> {
    let code = without_comments_and_strings(text);
    let numbered = code.lines().enumerate();
    let mut lines: Vec<Line> = numbered
        .map(|(index, code)| Line { number: index + 1, code: code.to_owned(), is_test: false })
        .collect();
    let mut at = 0;
    while at < lines.len() {
        let length = match lines[at].code.trim() {
            "#[cfg(test)]" => {
                let is_attribute = |line: &&Line| line.code.trim_start().starts_with("#[");
                let attributes = lines[at..].iter().take_while(is_attribute).count();
                attributes + length_of_item(&lines[at + attributes..])
            }
            _ => 0,
        };
        lines[at..at + length].iter_mut().for_each(|line| line.is_test = true);
        at += length.max(1);
    }
    lines
}

/// The text with as many lines, in which strings are empty and comments are gone.
fn without_comments_and_strings(text: &str) -> String {
    let mut code = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let skipped = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            'r' if rest.starts_with("r#\"") => rest.find("\"#").map_or(rest.len(), |at| at + 2),
            '"' => length_of_string(rest),
            '\'' => length_of_char(rest),
            _ => 0,
        };
        if skipped == 0 {
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        if !rest.starts_with("//") {
            code.push_str("\"\"");
        }
        code.extend(rest[..skipped].chars().filter(|c| *c == '\n'));
        rest = &rest[skipped..];
    }
    code
}

fn length_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    let end = text.char_indices().skip(1).find(|(_, c)| {
        let is_end = *c == '"' && !is_escaped;
        is_escaped = *c == '\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

/// The length of a character in quotation marks; 0 for a lifetime.
fn length_of_char(text: &str) -> usize {
    let inner = &text[1..];
    let length = match inner.strip_prefix('\\') {
        Some(escape) => 1 + escape.char_indices().nth(1).map_or(escape.len(), |(at, _)| at),
        None => inner.chars().next().map_or(0, char::len_utf8),
    };
    match inner[length..].find('\'') {
        Some(0) => length + 2,
        Some(more) if inner.starts_with("\\u{") => 1 + length + more + 1,
        _ => 0,
    }
}

/// All files of Rust in a folder and below it.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut sources: Vec<Source> = files(&root().join(folder))
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source::read(path))
        .collect();
    sources.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(!sources.is_empty(), "{folder} has sources");
    sources
}

/// All files in a folder and below it, but for what is built, fetched or version control's.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .filter(|path| {
            ![".git", "target", "corpus", "artifacts"].iter().any(|name| path.ends_with(name))
        })
        .flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] })
        .collect()
}

#[test]
fn comments_strings_and_tests_are_told_from_code() {
    let text = "fn a() { b('\"', \"c // \\\" d\", 'e', '\\u{1b}', '\\n'); } // f\n\
                #[cfg(test)]\n#[allow(x)]\nmod tests {\n    g();\n}\nfn h<'i>(j: &'i str) {}\n";
    let lines = lines(text);
    assert_eq!(lines[0].code, "fn a() { b(\"\", \"\", \"\", \"\", \"\"); } ");
    let is_test: Vec<bool> = lines.iter().map(|line| line.is_test).collect();
    assert_eq!(is_test, [false, true, true, true, true, true, false]);
    assert_eq!(lines[6].code, "fn h<'i>(j: &'i str) {}");
    assert!(lines[0].has("b(") && lines[6].has("str") && !lines[6].has("st"));
    assert!(lines[0].is_function() && lines[6].is_function() && !lines[4].is_function());
}
