//! Where somebody's name stands in what others say.
//!
//! Promises: it is found as a word of its own, however it is cased: `bob` in `Bob's` and in
//! `hi,bob.`, not in `bobby`, nor in the names `bob-2` and `bob.b`, nor in the room `#bob`; the
//! work is linear in the text. Deliberately letters that are composed of several characters are
//! compared as they were typed.

use std::borrow::Cow;
use std::iter::once;
use std::ops::Range;

use caseless::Caseless;
use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

use crate::chat::name::key_of;

/// A name that is looked for.
#[derive(Debug)]
pub(super) struct Named<'n> {
    key: Cow<'n, str>,
}

impl<'n> Named<'n> {
    /// To look for that name.
    pub(super) fn new(name: &'n str) -> Named<'n> {
        Named { key: key_of(name) }
    }

    /// Whether another name is the same.
    pub(super) fn is(&self, name: &str) -> bool {
        key_of(name) == self.key
    }

    /// The places where it stands, in order.
    pub(super) fn find_in<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let folded = Folded::new(text);
        let mut from = 0;
        std::iter::from_fn(move || {
            let key: &str = &self.key;
            while !key.is_empty() {
                let start = from + folded.text.get(from..)?.find(key)?;
                from = start + key.len();
                let range = folded.origin(start, from);
                if let Some(range) = range.filter(|range| is_word(text, range)) {
                    return Some(range);
                }
            }
            None
        })
    }
}

/// A text, case folded, and where in the text each of its characters came from.
struct Folded {
    text: String,
    /// By character, in order: where it stands folded, and where it stood. None for ASCII, which
    /// stands where it stood.
    places: Vec<(usize, usize)>,
}

impl Folded {
    fn new(text: &str) -> Folded {
        if text.is_ascii() {
            return Folded { text: text.to_ascii_lowercase(), places: Vec::new() };
        }
        let mut folded = Folded { text: String::with_capacity(text.len()), places: Vec::new() };
        for (at, character) in text.char_indices() {
            folded.places.push((folded.text.len(), at));
            match character.is_ascii() {
                true => folded.text.push(character.to_ascii_lowercase()),
                false => folded.text.extend(once(character).default_case_fold()),
            }
        }
        folded.places.push((folded.text.len(), text.len()));
        folded
    }

    /// Where a part of the folded text came from, if it begins and ends with characters of that.
    fn origin(&self, start: usize, end: usize) -> Option<Range<usize>> {
        if self.places.is_empty() {
            return Some(start..end);
        }
        let place = |folded: usize| {
            let at = self.places.binary_search_by_key(&folded, |(folded, _)| *folded).ok()?;
            Some(self.places[at].1)
        };
        Some(place(start)?..place(end)?)
    }
}

/// Whether the part is a word of its own.
fn is_word(text: &str, part: &Range<usize>) -> bool {
    let (before, behind) = (&text[..part.start], &text[part.end..]);
    let has_start = match before.chars().next_back() {
        None => true,
        Some('#') => false,
        Some('-' | '.') => !joins(before.chars().rev()),
        Some(c) => !is_letter(c) || is_bound(text, part.start),
    };
    has_start
        && match behind.chars().next() {
            None => true,
            Some('-' | '.') => !joins(behind.chars()),
            Some(c) => !is_letter(c) || is_bound(text, part.end),
        }
}

/// Whether the dots and hyphens that come first belong to a longer name: a letter is behind them.
fn joins(characters: impl Iterator<Item = char>) -> bool {
    let mut beyond = characters.skip_while(|c| matches!(c, '-' | '.'));
    beyond.next().is_some_and(is_letter)
}

/// Whether two letters that meet there are of two words (UAX #29): there are scripts without
/// blanks.
fn is_bound(text: &str, at: usize) -> bool {
    // A little of the text on either side decides it.
    let start = text[..at].char_indices().rev().nth(4).map_or(0, |(start, _)| start);
    let end = text[at..].char_indices().nth(4).map_or(text.len(), |(end, _)| at + end);
    text[start..end].split_word_bound_indices().any(|(bound, _)| start + bound == at)
}

/// What names are made of, but for dots and hyphens.
fn is_letter(c: char) -> bool {
    c == '_'
        || match c.is_ascii() {
            true => c.is_ascii_alphanumeric(),
            false => {
                use GeneralCategoryGroup::{Letter, Mark, Number};
                matches!(c.general_category_group(), Letter | Mark | Number)
            }
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
        Named::new(name).find_in(text).map(|range| &text[range]).collect()
    }

    #[test]
    fn a_name_is_found_as_a_word() {
        for (text, expected) in [
            ("bob", &["bob"][..]),
            ("hi, BOB! and bob.", &["BOB", "bob"]),
            ("Bob's, @bob: (bob) \"bob\"", &["Bob", "bob", "bob", "bob"]),
            ("bob-- bob... bob-", &["bob", "bob", "bob"]),
            ("bobby abob bob_ bob2 böb", &[]),
            ("bob-2 bob.b a-bob x.bob", &[]),
            ("#bob", &[]),
            ("日本bob日本", &["bob"]),
            ("ﬁ bob", &["bob"]),
            ("", &[]),
        ] {
            assert_eq!(found("bob", text), expected, "{text:?}");
        }
    }

    #[test]
    fn case_is_folded_and_scripts_without_blanks_have_words() {
        assert_eq!(found("Straße", "STRASSE straße strasse"), ["STRASSE", "straße", "strasse"]);
        assert_eq!(found("ss", "ß ſs"), ["ß", "ſs"]);
        assert_eq!(found("s", "ß"), [""; 0]);
        assert_eq!(found("太郎", "太郎さん"), ["太郎"]);
        assert_eq!(found("ΣΊΣΥΦΟΣ", "ο σίσυφος."), ["σίσυφος"]);
    }
}
