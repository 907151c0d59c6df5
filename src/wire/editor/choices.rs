//! How a word is completed, and how the choices are shown.
//!
//! Promises: of many choices [`CHOICES_SHOWN_MAX`] are shown, in columns that fit the terminal.
//! Deliberately never shortens what is typed, and does not know what a word means.

use crate::wire::text::editing;
use unicode_width::UnicodeWidthStr;

use crate::wire::clean::clean;

/// So many choices are shown.
pub const CHOICES_SHOWN_MAX: usize = 100;

/// Blanks between two columns.
const GAP: usize = 2;

/// The longest beginning that all choices share, in the letters of the first one; upper and lower
/// case are the same.
pub fn shared_beginning(choices: &[String]) -> &str {
    let Some((first, others)) = choices.split_first() else { return "" };
    let mut shared = first.len();
    for other in others {
        let pairs = first.char_indices().zip(other.chars());
        let is_same =
            |((_, one), other): &((usize, char), char)| one.to_lowercase().eq(other.to_lowercase());
        let end = pairs.take_while(is_same).last().map_or(0, |((at, one), _)| at + one.len_utf8());
        shared = shared.min(end);
    }
    &first[..shared]
}

/// The lines that show the choices, in rows of so many cells.
pub fn rows(choices: &[String], columns: usize) -> Vec<String> {
    let shown = &choices[..choices.len().min(CHOICES_SHOWN_MAX)];
    let shown: Vec<_> = shown.iter().map(|choice| clean(choice.trim_end().as_bytes())).collect();
    let widest = shown.iter().map(|choice| choice.width()).max().unwrap_or(0);
    // In the last cell a terminal may wrap.
    let per_row = ((columns - 1 + GAP) / (widest + GAP)).max(1);
    let mut rows = Vec::new();
    for choices in shown.chunks(per_row) {
        let mut row = String::new();
        for choice in choices {
            let blanks = widest + GAP - choice.width();
            row.push_str(choice);
            row.extend(std::iter::repeat_n(' ', blanks));
        }
        row.truncate(row.trim_end().len());
        rows.push(row);
    }
    if choices.len() > shown.len() {
        rows.push(editing::more_choices(choices.len() - shown.len()));
    }
    rows
}

/// The line that shows the choices to whom columns mean nothing.
pub fn sentence(choices: &[String]) -> String {
    let shown = &choices[..choices.len().min(CHOICES_SHOWN_MAX)];
    let shown: Vec<_> = shown.iter().map(|choice| clean(choice.trim_end().as_bytes())).collect();
    let sentence = shown.join(", ");
    match choices.len() - shown.len() {
        0 => sentence,
        more => format!("{sentence}, {}", editing::more_choices(more)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choices(words: &[&str]) -> Vec<String> {
        words.iter().map(|&word| word.to_owned()).collect()
    }

    #[test]
    fn what_is_shared_is_found_whatever_the_case() {
        for (words, shared) in [
            (&["bob ", "Bobby ", "bobcat "][..], "bob"),
            (&["alice "], "alice "),
            (&["Éva", "évi"], "Év"),
            (&["a", "b"], ""),
            (&[], ""),
        ] {
            assert_eq!(shared_beginning(&choices(words)), shared);
        }
    }

    #[test]
    fn choices_stand_in_columns_that_fit() {
        let words = choices(&["alice ", "bob ", "漢字 ", "daniel "]);
        assert_eq!(rows(&words, 20), ["alice   bob", "漢字    daniel"]);
        assert_eq!(rows(&words, 80), ["alice   bob     漢字    daniel"]);
        assert_eq!(sentence(&words), "alice, bob, 漢字, daniel");
    }

    #[test]
    fn of_many_some_are_shown() {
        let words = vec!["x ".to_owned(); CHOICES_SHOWN_MAX + 5];
        let rows = rows(&words, 80);
        assert_eq!(rows.last().map(String::as_str), Some("and 5 more"));
        assert_eq!(rows.concat().matches('x').count(), CHOICES_SHOWN_MAX);
        assert!(sentence(&words).ends_with("x, and 5 more"));
    }
}
