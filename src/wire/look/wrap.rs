//! Where the rows of a line begin and end on a terminal of known width.
//!
//! Promises: no word is cut, but one that is wider than a row and no plain ASCII; a link, and
//! whatever else is one long word of ASCII, is left whole, so that the terminal wraps it and it can
//! be followed. Such a word has no blank of any kind in it, and what comes after it begins another
//! row: so that no row, however the terminal wraps, begins as a line of somebody else does.
//! Deliberately no hyphens.

use std::ops::Range;

use textwrap::core::Fragment;
use textwrap::wrap_algorithms::wrap_first_fit;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// What every row but the first begins with.
pub(super) const INDENT: &[u8] = b"  ";

/// As if a terminal had at least this many columns.
const COLUMNS_MIN: usize = 20;

/// What stays together, and the blanks behind it.
#[derive(Debug)]
struct Word {
    range: Range<usize>,
    columns: f64,
    columns_behind: f64,
}

impl Fragment for Word {
    fn width(&self) -> f64 {
        self.columns
    }

    fn whitespace_width(&self) -> f64 {
        self.columns_behind
    }

    fn penalty_width(&self) -> f64 {
        0.0
    }
}

/// The rows of a line: at least one, each without the blanks at its end. The terminal has so many
/// columns, 0 for any number, and so many of the first row are taken already.
pub(super) fn rows(line: &str, columns: usize, columns_taken: usize) -> Vec<Range<usize>> {
    // No character takes more columns than it has bytes.
    if columns == 0 || line.len() + columns_taken <= columns {
        let whole = 0..line.len();
        return vec![whole];
    }
    let columns = columns.max(COLUMNS_MIN);
    let (first, further) = (columns.saturating_sub(columns_taken), columns - INDENT.len());
    let words = words(line, first.min(further));
    let widths = [first as f64, further as f64];
    let rows = wrap_first_fit(&words, &widths);
    let rows = rows.into_iter().filter_map(|words| {
        let (first, last) = (words.first()?, words.last()?);
        Some(first.range.start..last.range.end)
    });
    rows.collect()
}

/// The words of a line, those cut that are to be cut.
fn words(line: &str, columns_max: usize) -> Vec<Word> {
    let mut words = Vec::new();
    let mut start = 0;
    while start < line.len() {
        let rest = &line[start..];
        let end = start + rest.find(char::is_whitespace).unwrap_or(rest.len());
        let rest = &line[end..];
        let next = end + rest.find(|c: char| !c.is_whitespace()).unwrap_or(rest.len());
        let (word, blanks) = (&line[start..end], &line[end..next]);
        let columns = word.width();
        let mut at = start;
        if columns > columns_max && !word.is_ascii() {
            for grapheme in word.graphemes(true) {
                let range = at..at + grapheme.len();
                at = range.end;
                words.push(Word { range, columns: grapheme.width() as f64, columns_behind: 0.0 });
            }
            if let Some(last) = words.last_mut() {
                last.columns_behind = blanks.width() as f64;
            }
        } else {
            let columns_behind = blanks.width() as f64;
            words.push(Word { range: start..end, columns: columns as f64, columns_behind });
        }
        start = next;
    }
    words
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
    }

    #[test]
    fn links_stay_whole() {
        let link = format!("https://example.org/{}", "x".repeat(30));
        let line = format!("#dev bob: see {link} there");
        assert_eq!(shown(&line, 24, 0), ["#dev bob: see", &link, "there"]);
    }

    #[test]
    fn wide_text_is_cut_between_characters() {
        let line = format!("#dev bob: {}", "漢".repeat(20));
        let rows = shown(&line, 20, 0);
        assert_eq!(rows, ["#dev bob: 漢漢漢漢漢", &"漢".repeat(9), &"漢".repeat(6)]);
        let family = "👨\u{200D}👩\u{200D}👧";
        let line = format!("#dev bob: {}", family.repeat(20));
        for row in shown(&line, 20, 0) {
            assert!(row.width() <= 20 && row.ends_with(family), "{row:?}");
        }
    }

    #[test]
    fn no_kind_of_blank_gets_a_line_into_a_word() {
        let line = format!("#dev bob: {}#dev\u{a0}eve:\u{3000}hi", "x".repeat(30));
        let rows = shown(&line, 20, 0);
        assert_eq!(rows[1..], [&format!("{}#dev", "x".repeat(30)), "eve:\u{3000}hi"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_but_blanks(
            line in "(#d b: )?([a-z]{1,30}|[漢字é👋 ]{1,12}| ){0,12}",
            columns in 20_usize..60,
            columns_taken in 0_usize..10,
        ) {
            let rows = shown(&line, columns, columns_taken);
            prop_assert!(!rows.is_empty());
            let solid = |text: &str| text.replace(char::is_whitespace, "");
            prop_assert_eq!(solid(&rows.concat()), solid(&line));
            for (number, row) in rows.iter().enumerate() {
                let taken = if number == 0 { columns_taken } else { INDENT.len() };
                let is_one = !row.contains(char::is_whitespace) && row.is_ascii();
                prop_assert!(row.width() + taken <= columns || is_one, "{:?}", rows);
            }
        }
    }
}
