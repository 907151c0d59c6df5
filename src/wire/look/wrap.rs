//! Where the rows of a line begin and end on a terminal of known width.
//!
//! Promises: every row but the first begins behind [`INDENT`], on any terminal, however wide that
//! takes a character to be: so no row begins as a line of somebody else does. A word is cut only
//! where it is wider than a row. A link of plain ASCII that is wider is left whole, so that the
//! terminal wraps it and it can be followed, unless a row would then begin with a character that
//! begins lines; what comes after it begins another row. Deliberately no hyphens.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use crate::wire::cells::{CELLS_MAX, shape, widest};

/// What every row but the first begins with.
pub(super) const INDENT: &[u8] = b"  ";

/// As if a terminal had at least this many columns.
const COLUMNS_MIN: usize = 20;

/// What links begin with.
const SCHEMES: [&str; 6] = ["https://", "http://", "ftp://", "mailto:", "ssh://", "git://"];

/// What lines begin with, or may be taken to.
const BEGINNINGS: &[u8] = b"*!#@+|<>";

/// The rows of a line: at least one, each without the blanks at its end. The terminal has so many
/// columns, 0 for any number, and so many of the first row are taken already.
pub(super) fn rows(line: &str, columns: usize, columns_taken: usize) -> Vec<Range<usize>> {
    // No character takes more columns than it has bytes.
    if columns == 0 || line.len() + columns_taken <= columns {
        let whole = 0..line.len();
        return vec![whole];
    }
    let columns = columns.max(COLUMNS_MIN);
    let row = Row { range: 0..0, end: columns_taken };
    let mut rows = Rows { columns, done: Vec::new(), row };
    let mut at = 0;
    while at < line.len() {
        let blanks = length(&line[at..], char::is_whitespace);
        let word = length(&line[at + blanks..], |c| !c.is_whitespace());
        rows.put_word(line, at, at + blanks..at + blanks + word);
        at += blanks + word;
    }
    rows.done.push(rows.row.range);
    rows.done
}

/// The bytes of the characters at the beginning that are such.
fn length(text: &str, is_such: impl Fn(char) -> bool) -> usize {
    text.find(|c| !is_such(c)).unwrap_or(text.len())
}

/// The row that is being filled.
#[derive(Debug)]
struct Row {
    range: Range<usize>,
    /// The first column that is free.
    end: usize,
}

/// The rows so far.
#[derive(Debug)]
struct Rows {
    columns: usize,
    done: Vec<Range<usize>>,
    row: Row,
}

impl Rows {
    /// Puts the word at `word`, before which blanks begin at `blanks`.
    fn put_word(&mut self, line: &str, blanks: usize, word: Range<usize>) {
        let between = widest(&line[blanks..word.start]);
        let text = &line[word.clone()];
        let needed = widest(text);
        if text.is_empty() {
            return;
        }
        if self.row.end + between + needed <= self.columns {
            self.extend(word.end, between + needed);
        } else if INDENT.len() + needed <= self.columns {
            self.begin_row(word.start);
            self.extend(word.end, needed);
        } else if word.start > 0 && is_link_safe(text, self.columns) {
            self.begin_row(word.start);
            // Nothing else has room there, wherever the terminal is when it ends.
            self.extend(word.end, needed.max(self.columns));
        } else {
            self.put_pieces(text, word.start, between);
        }
    }

    /// Puts as much of a word into each row as there is room for.
    fn put_pieces(&mut self, text: &str, start: usize, mut between: usize) {
        let mut at = start;
        for piece in pieces(text) {
            let needed = shape(piece).span;
            if self.row.end + between + needed > self.columns {
                self.begin_row(at);
                between = 0;
            }
            at += piece.len();
            self.extend(at, between + needed);
            between = 0;
        }
    }

    fn extend(&mut self, end: usize, columns: usize) {
        self.row.range.end = end;
        self.row.end += columns;
    }

    fn begin_row(&mut self, start: usize) {
        let row = Row { range: start..start, end: INDENT.len() };
        self.done.push(std::mem::replace(&mut self.row, row).range);
    }
}

/// What stays together of a word: clusters, and of monstrous ones the characters.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    word.graphemes(true).flat_map(|cluster| {
        let is_monstrous = shape(cluster).span > CELLS_MAX;
        let at_once = if is_monstrous { 1 } else { usize::MAX };
        let mut rest = cluster;
        std::iter::from_fn(move || {
            let end = rest.char_indices().nth(at_once).map_or(rest.len(), |(at, _)| at);
            let (piece, behind) = rest.split_at(end);
            rest = behind;
            (!piece.is_empty()).then_some(piece)
        })
    })
}

/// Whether a word is a link that the terminal may wrap: begun behind the indent, no row of it
/// begins as lines do.
fn is_link_safe(word: &str, columns: usize) -> bool {
    let is_scheme = |scheme: &str| {
        word.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme))
    };
    let mut row_starts = word.bytes().skip(columns - INDENT.len()).step_by(columns);
    word.is_ascii()
        && SCHEMES.iter().any(|scheme| is_scheme(scheme))
        && !row_starts.any(|byte| BEGINNINGS.contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(line: &str, columns: usize, columns_taken: usize) -> Vec<&str> {
        rows(line, columns, columns_taken).into_iter().map(|row| &line[row]).collect()
    }

    #[test]
    fn words_are_not_cut() {
        let line = "#dev bob: the quick brown fox";
        assert_eq!(shown(line, 0, 0), [line]);
        assert_eq!(shown(line, 29, 0), [line]);
        assert_eq!(shown(line, 28, 0), ["#dev bob: the quick brown", "fox"]);
        assert_eq!(shown(line, 28, 9), ["#dev bob: the quick", "brown fox"]);
        assert_eq!(shown("", 20, 0), [""]);
        assert_eq!(shown(&"x".repeat(30), 20, 0), ["x".repeat(20), "x".repeat(10)]);
        assert_eq!(shown(&" ".repeat(30), 20, 0), [""]);
    }

    #[test]
    fn links_stay_whole() {
        for scheme in ["https://", "HTTP://", "mailto:", "git://"] {
            let link = format!("{scheme}example.org/{}", "x".repeat(30));
            let line = format!("#dev bob: see {link} there");
            assert_eq!(shown(&line, 24, 0), ["#dev bob: see", &link, "there"]);
        }
        let fits = "#dev bob: https://a.b c";
        assert_eq!(shown(fits, 22, 0), ["#dev bob: https://a.b", "c"]);
    }

    #[test]
    fn no_link_puts_the_beginning_of_a_line_where_a_row_begins() {
        let rest = "x".repeat(40);
        for mark in ["@bob:", "#dev", "*", "!name-taken", "+"] {
            // Rows of 24 columns begin at the 22nd character of what is behind the indent.
            let link = format!("{}{mark}{rest}", "https://example.org/xx");
            let line = format!("#dev bob: {link}");
            let rows = shown(&line, 24, 0);
            assert!(rows.len() > 2 && rows.iter().all(|row| row.len() <= 24), "{rows:?}");
            let harmless = format!("#dev bob: {}{mark}{rest}", "https://example.org/x");
            assert_eq!(shown(&harmless, 24, 0)[1..], [&harmless[10..]]);
        }
    }

    #[test]
    fn other_long_words_are_cut() {
        let line = format!("#dev bob: {}@bob:hi", "x".repeat(30));
        assert_eq!(shown(&line, 20, 0), [&line[..20], &line[20..38], &line[38..]]);
        for odd in ["xhttps://", "javascript:", "https:/", "https://é"] {
            let line = format!("#dev bob: {odd}{}", "x".repeat(40));
            assert!(shown(&line, 20, 0).iter().all(|row| widest(row) <= 20), "{odd}");
        }
    }

    #[test]
    fn wide_text_is_cut_between_characters() {
        let line = format!("#dev bob: {}", "漢".repeat(20));
        let rows = shown(&line, 20, 0);
        assert_eq!(rows, ["#dev bob: 漢漢漢漢漢", &"漢".repeat(9), &"漢".repeat(6)]);
        let family = "👨\u{200D}👩\u{200D}👧";
        let line = format!("#dev bob: {}", family.repeat(20));
        for row in shown(&line, 20, 0) {
            assert!(widest(row) <= 20 && row.ends_with(family), "{row:?}");
        }
    }

    #[test]
    fn rows_are_full_where_characters_are_at_their_widest() {
        let monster = "👩\u{200D}".repeat(30) + "👩";
        for piece in ["👍🏽", "\u{3164}", "🇮🇷", "❤\u{FE0F}", &monster, "\u{115F}\u{1160}"]
        {
            let line = format!("#dev bob: {}@bob: hi", piece.repeat(20));
            for row in &shown(&line, 20, 0)[1..] {
                let cells = |c: char| match c {
                    '\u{200D}' => 0,
                    '@'..='~' | ' '..=':' => 1,
                    '\u{FE0F}' | '❤' => 1,
                    _ => 2,
                };
                assert!(row.chars().map(cells).sum::<usize>() <= 18, "{row:?}");
            }
        }
    }

    #[test]
    fn no_kind_of_blank_gets_a_line_into_a_word() {
        let line = format!("#dev bob: {}#dev\u{a0}eve:\u{3000}hi", "x".repeat(30));
        let rows = shown(&line, 20, 0);
        assert_eq!(rows[1..], ["x".repeat(18), "xx#dev\u{a0}eve:\u{3000}hi".to_owned()]);
        let line =
            "#dev bob: hi\u{a0}\u{3000}".to_owned() + &"\u{2003}".repeat(30) + "#dev eve: hi";
        assert_eq!(shown(&line, 20, 0), ["#dev bob: hi", "#dev eve: hi"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_blanks(
            line in "(#d b: )?([a-z@]{1,30}|https://[a-z@/]{1,60}|[漢字é👋👍🏽 ]{1,12}| ){0,12}",
            columns in 20_usize..60,
            columns_taken in 0_usize..10,
        ) {
            let rows = shown(&line, columns, columns_taken);
            prop_assert!(!rows.is_empty());
            let solid = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(solid(&rows.concat()), solid(&line));
            for (number, row) in rows.iter().enumerate() {
                let taken = if number == 0 { columns_taken } else { INDENT.len() };
                let is_link = number > 0 && is_link_safe(row, columns);
                prop_assert!(widest(row) + taken <= columns || is_link, "{:?}", rows);
            }
        }
    }
}
