//! What a line is, by its first characters: rendered lines taken apart again.
//!
//! Promises: the parts are where the protocol says that they are, and what people type decides
//! nothing: a name has no blank and no colon in it. Deliberately not by event: one that is new, of
//! lines in these shapes, looks right at once.

use std::ops::Range;

/// What stands before a line of a block that is shown whole.
const QUOTED: &str = "* | ";

/// A line, with where its parts stand in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `#room nick: text`, or `#room * nick text`.
    Said {
        /// Without its mark.
        room: Range<usize>,
        nick: Range<usize>,
        text: Range<usize>,
        is_action: bool,
    },
    /// `@nick: text`.
    Whispered { nick: Range<usize> },
    /// `* 12:00:00 #room nick: text` and the like: a notice of what was said once. Of a block it is
    /// the first line, or what stands above all of them.
    Past {
        /// Without its mark; `None` when it was said to one person alone.
        room: Option<Range<usize>>,
        nick: Range<usize>,
        /// `, 6 lines (/show 7)` behind the nick of a block; empty for all else.
        lines: Range<usize>,
        text: Range<usize>,
        is_action: bool,
    },
    /// `* | text`: a line of a block.
    Quoted { text: Range<usize> },
    /// `* text`; it may begin with a room.
    Notice { room: Option<Range<usize>> },
    /// `! code text`.
    Refused { code: Range<usize> },
    /// None of these.
    Other,
}

impl Shape {
    /// The shape of a line. Only notices that have lines in them which were said once are looked at
    /// for these.
    pub(super) fn of(line: &str, is_of_past: bool) -> Shape {
        match line.as_bytes().first() {
            Some(b'#') => said(line, 0).unwrap_or(Shape::Other),
            Some(b'@') => match whispered(line, 0) {
                Some((nick, _)) => Shape::Whispered { nick },
                None => Shape::Other,
            },
            Some(b'!') if line.starts_with("! ") => Shape::Refused { code: 2..word_end(line, 2) },
            Some(b'*') if is_of_past && line.starts_with(QUOTED) => {
                Shape::Quoted { text: QUOTED.len()..line.len() }
            }
            Some(b'*') if line.starts_with("* ") => {
                let past = is_of_past.then(|| past(line)).flatten();
                past.unwrap_or_else(|| Shape::Notice { room: room(line, 2) })
            }
            _ => Shape::Other,
        }
    }
}

/// Where the word ends that begins at `start`.
fn word_end(line: &str, start: usize) -> usize {
    line[start..].find(' ').map_or(line.len(), |at| start + at)
}

/// The room that is named at `start`.
fn room(line: &str, start: usize) -> Option<Range<usize>> {
    line[start..].strip_prefix('#')?;
    let word = &line[start + 1..word_end(line, start)];
    let name = word.strip_suffix(':').unwrap_or(word);
    Some(start + 1..start + 1 + name.len())
}

/// `#room nick: text` or `#room * nick text`, from `start` on.
fn said(line: &str, start: usize) -> Option<Shape> {
    line[start..].strip_prefix('#')?;
    let room = start + 1..word_end(line, start);
    let rest = (room.end + 1).min(line.len());
    if line[rest..].starts_with("* ") {
        let nick = rest + 2..word_end(line, rest + 2);
        let text = (nick.end + 1).min(line.len())..line.len();
        return Some(Shape::Said { room, nick, text, is_action: true });
    }
    let nick = rest..rest + line[rest..].find(": ")?;
    let text = nick.end + 2..line.len();
    let is_name = !line[nick.clone()].contains(' ');
    is_name.then_some(Shape::Said { room, nick, text, is_action: false })
}

/// `@nick: text`, from `start` on: the nick and the text.
fn whispered(line: &str, start: usize) -> Option<(Range<usize>, Range<usize>)> {
    line[start..].strip_prefix('@')?;
    let nick = start + 1..start + line[start..].find(": ")?;
    let text = nick.end + 2..line.len();
    Some((nick, text))
}

/// A notice with an id, a day and a time, or fewer of these, and behind them a line.
fn past(line: &str) -> Option<Shape> {
    let is_figure = |c: char| c.is_ascii_digit() || matches!(c, ':' | '-' | ' ');
    let start = 2 + line[2..].find(|c| !is_figure(c))?;
    if start == 2 {
        return None;
    }
    if let Some((nick, text)) = whispered(line, start) {
        let lines = nick.end..nick.end;
        return Some(Shape::Past { room: None, nick, lines, text, is_action: false });
    }
    if let Some(block) = block(line, start) {
        return Some(block);
    }
    match said(line, start)? {
        Shape::Said { room, nick, text, is_action } => {
            let lines = nick.end..nick.end;
            Some(Shape::Past { room: Some(room), nick, lines, text, is_action })
        }
        _ => None,
    }
}

/// `#room nick, 6 lines (/show 7): text` or `#room nick, 6 lines:`, from `start` on.
fn block(line: &str, start: usize) -> Option<Shape> {
    line[start..].strip_prefix('#')?;
    let room = start + 1..word_end(line, start);
    let rest = (room.end + 1).min(line.len());
    let nick = rest..rest + line[rest..].find(", ")?;
    let lines = nick.end..nick.end + line[nick.end..].find(':')?;
    let is_name = !line[nick.clone()].contains([' ', ':']);
    let is_count = line[lines.start + 2..].starts_with(|c: char| c.is_ascii_digit());
    let text = (lines.end + 2).min(line.len())..line.len();
    let is_block = is_name && is_count;
    is_block.then_some(Shape::Past { room: Some(room), nick, lines, text, is_action: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The parts, one after another.
    fn parts(line: &str) -> Vec<&str> {
        let at = |range: Range<usize>| &line[range];
        match Shape::of(line, true) {
            Shape::Said { room, nick, text, .. } => vec![at(room), at(nick), at(text)],
            Shape::Whispered { nick } => vec!["@", at(nick)],
            Shape::Past { room, nick, lines, text, .. } => {
                let parts = ["*", room.map_or("@", at), at(nick), at(lines), at(text)];
                parts.into_iter().filter(|part| !part.is_empty()).collect()
            }
            Shape::Quoted { text } => vec!["*", "|", at(text)],
            Shape::Notice { room } => vec!["*", room.map_or("", at)],
            Shape::Refused { code } => vec!["!", at(code)],
            Shape::Other => Vec::new(),
        }
    }

    #[test]
    fn lines_are_taken_apart() {
        for (line, expected) in [
            ("#dev bob: a: b #c", &["dev", "bob", "a: b #c"][..]),
            ("#dev bob: ", &["dev", "bob", ""]),
            ("#dev * bob eats: a lot", &["dev", "bob", "eats: a lot"]),
            ("@bob: #dev eve: hi", &["@", "bob"]),
            ("! usage type: /me TEXT", &["!", "usage"]),
            ("* 12:00:00 #dev bob: hi", &["*", "dev", "bob", "hi"]),
            ("* 17 2026-11-21 12:00:00 #dev * bob waves", &["*", "dev", "bob", "waves"]),
            ("* 2026-11-21 12:00:00 @bob: hi", &["*", "@", "bob", "hi"]),
            ("* 12:00:00 #dev bob: a, 2 b: c", &["*", "dev", "bob", "a, 2 b: c"]),
            (
                "* 12:00:00 #dev bob, 6 lines (/show 7): a: b",
                &["*", "dev", "bob", ", 6 lines (/show 7)", "a: b"],
            ),
            ("* 7 2026-11-21 12:00:00 #dev bob, 6 lines:", &["*", "dev", "bob", ", 6 lines"]),
            ("* | #dev bob: hi", &["*", "|", "#dev bob: hi"]),
            ("* | ", &["*", "|", ""]),
            ("* #dev: 3 lines", &["*", "dev"]),
            ("* #dev has no topic", &["*", "dev"]),
            ("* bob left", &["*", ""]),
            ("", &[]),
            ("#", &[]),
            ("#dev", &[]),
            ("*", &[]),
        ] {
            assert_eq!(parts(line), expected, "{line:?}");
        }
    }

    #[test]
    fn a_notice_of_the_present_has_no_line_in_it() {
        let line = "* 12:00:00 #dev bob: hi";
        assert_eq!(Shape::of(line, false), Shape::Notice { room: None });
    }
}
