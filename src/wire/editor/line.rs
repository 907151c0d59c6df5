//! The line that is being typed, and the cursor in it.
//!
//! Promises: one grapheme cluster is one step of the cursor and one Backspace; the cursor is on a
//! boundary of characters; no step looks at more than [`STEP_BYTES_MAX`] bytes, and none to the end
//! of a word at more than [`WORD_BYTES_MAX`] besides. Deliberately knows nothing of the screen.
//! What is inserted may join with its neighbours, so while a sequence is being typed the cursor may
//! stand inside of a cluster.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};
use unicode_segmentation::UnicodeSegmentation;

/// A longer cluster is walked through in pieces, in bytes.
const STEP_BYTES_MAX: usize = 128;
/// A longer word, or more of what lies between words, is walked through in pieces, in bytes.
const WORD_BYTES_MAX: usize = 1024;

/// A text and a cursor.
#[derive(Clone, Debug, Default)]
pub struct Line {
    text: String,
    cursor: usize,
}

/// How far a word reaches.
#[derive(Clone, Copy, Debug)]
pub enum Word {
    /// Letters, digits and their marks.
    Letters,
    /// Everything but blanks.
    NoBlanks,
}

impl Word {
    fn has(self, character: char) -> bool {
        match self {
            Word::NoBlanks => !character.is_whitespace(),
            Word::Letters => {
                character.is_alphanumeric()
                    || character.general_category_group() == GeneralCategoryGroup::Mark
                    || matches!(character, '\u{200C}' | '\u{200D}')
            }
        }
    }
}

impl Line {
    /// A line with its cursor at this byte, or on the boundary before it.
    pub fn new(text: String, cursor: usize) -> Line {
        let cursor = text.floor_char_boundary(cursor);
        Line { text, cursor }
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// In bytes.
    pub fn cursor(&self) -> usize {
        self.cursor
    }

    /// Whether the cursor is behind everything.
    pub fn is_at_end(&self) -> bool {
        self.cursor == self.text.len()
    }

    /// Puts `text` at the cursor, and the cursor behind it.
    pub fn insert(&mut self, text: &str) {
        self.text.insert_str(self.cursor, text);
        self.cursor += text.len();
    }

    /// Removes what lies between the cursor and `to`, and returns it; the cursor is left between.
    pub fn cut(&mut self, to: usize) -> String {
        let to = self.text.floor_char_boundary(to);
        let (from, to) = (self.cursor.min(to), self.cursor.max(to));
        self.cursor = from;
        self.text.drain(from..to).collect()
    }

    /// Puts the cursor at this byte; whether it was elsewhere.
    pub fn go(&mut self, to: usize) -> bool {
        let to = self.text.floor_char_boundary(to);
        std::mem::replace(&mut self.cursor, to) != to
    }

    /// Where the cluster before the cursor begins.
    pub fn left(&self) -> usize {
        left_of(&self.text, self.cursor)
    }

    /// Where the cluster behind the cursor ends.
    pub fn right(&self) -> usize {
        right_of(&self.text, self.cursor)
    }

    /// Where the word before the cursor begins.
    pub fn word_left(&self, word: Word) -> usize {
        let from = self.text.floor_char_boundary(self.cursor.saturating_sub(WORD_BYTES_MAX));
        let before = self.text[from..self.cursor].trim_end_matches(|c| !word.has(c));
        let begin = from + before.trim_end_matches(|c| word.has(c)).len();
        match self.text[begin..].chars().next() {
            Some(first) => left_of(&self.text, begin + first.len_utf8()),
            None => begin,
        }
    }

    /// Where the word behind the cursor ends.
    pub fn word_right(&self, word: Word) -> usize {
        let to = self.text.floor_char_boundary(self.cursor + WORD_BYTES_MAX);
        let behind = self.text[self.cursor..to].trim_start_matches(|c| !word.has(c));
        let end = to - behind.trim_start_matches(|c| word.has(c)).len();
        right_of(&self.text, left_of(&self.text, end)).max(end)
    }

    /// Whether `character`, typed behind the last one, begins a cluster of its own.
    pub fn begins_cluster(&self, character: char) -> bool {
        let from = self.text.floor_char_boundary(self.text.len().saturating_sub(STEP_BYTES_MAX));
        let end = &self.text[from..];
        if end.is_empty() || character.is_ascii() && end.as_bytes().last().is_some_and(u8::is_ascii)
        {
            return true;
        }
        let joined = format!("{end}{character}");
        joined.grapheme_indices(true).next_back().is_some_and(|(at, _)| at == end.len())
    }
}

/// Where the cluster that ends here begins.
fn left_of(text: &str, at: usize) -> usize {
    let before = &text[..at];
    let from = before.floor_char_boundary(at.saturating_sub(STEP_BYTES_MAX));
    before[from..].grapheme_indices(true).next_back().map_or(from, |(at, _)| from + at)
}

/// Where the cluster that begins here ends.
fn right_of(text: &str, at: usize) -> usize {
    let behind = &text[at..];
    let behind = &behind[..behind.floor_char_boundary(STEP_BYTES_MAX)];
    behind.graphemes(true).next().map_or(at, |cluster| at + cluster.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(text: &str) -> (Vec<usize>, Vec<usize>) {
        let mut line = Line::new(text.to_owned(), 0);
        let mut right = vec![0];
        while line.go(line.right()) {
            right.push(line.cursor());
        }
        let mut left = vec![line.cursor()];
        while line.go(line.left()) {
            left.push(line.cursor());
        }
        left.reverse();
        (right, left)
    }

    #[test]
    fn a_cluster_is_one_step_in_both_directions() {
        let flags = "🇮🇷🇨🇭";
        for (text, places) in [
            ("", &[0][..]),
            ("aé", &[0, 1, 3]),
            ("e\u{301}x", &[0, 3, 4]),
            ("漢字", &[0, 3, 6]),
            (flags, &[0, 8, 16]),
            ("👨\u{200D}👩\u{200D}👧a", &[0, 18, 19]),
            ("👍🏽❤\u{FE0F}", &[0, 8, 14]),
            ("\u{301}a", &[0, 2, 3]),
        ] {
            assert_eq!(steps(text), (places.to_vec(), places.to_vec()), "{text}");
        }
    }

    #[test]
    fn a_monstrous_cluster_is_walked_in_pieces() {
        let (right, left) = steps(&format!("a{}", "\u{301}".repeat(1000)));
        for places in [right, left] {
            assert!(places.windows(2).all(|pair| pair[1] - pair[0] <= STEP_BYTES_MAX));
            assert!(places.len() < 24);
        }
    }

    #[test]
    fn words_have_letters_or_no_blanks() {
        let text = "say naïve-te\u{301}, 漢字!  ";
        let line = |cursor| Line::new(text.to_owned(), cursor);
        let at = |word: &str| text.find(word).expect("it is in there");
        assert_eq!(line(text.len()).word_left(Word::Letters), at("漢"));
        assert_eq!(line(at(",")).word_left(Word::Letters), at("te"));
        assert_eq!(line(at(",")).word_left(Word::NoBlanks), at("na"));
        assert_eq!(line(0).word_right(Word::Letters), 3);
        assert_eq!(line(3).word_right(Word::Letters), at("-"));
        assert_eq!(line(at("te")).word_right(Word::Letters), at(","));
        assert_eq!(line(at("!")).word_right(Word::Letters), text.len());
        assert_eq!(line(0).word_left(Word::Letters), 0);
        let family = Line::new("a 👨\u{200D}👩".to_owned(), 0);
        assert_eq!(family.word_right(Word::Letters), 1);
        let end = family.text().len();
        assert_eq!(Line::new(family.text().to_owned(), end).word_left(Word::Letters), 2);
        assert_eq!(Line::new(family.text().to_owned(), 1).word_right(Word::Letters), end);
    }

    #[test]
    fn a_monstrous_word_is_walked_in_pieces() {
        for text in ["\u{301}".repeat(5000), " ".repeat(10_000)] {
            let mut line = Line::new(text, 0);
            let mut places = vec![0];
            while line.go(line.word_right(Word::Letters)) {
                places.push(line.cursor());
            }
            assert_eq!(line.cursor(), line.text().len());
            while line.go(line.word_left(Word::Letters)) {
                places.push(line.cursor());
            }
            assert_eq!(line.cursor(), 0);
            let steps = || places.windows(2).map(|pair| pair[0].abs_diff(pair[1]));
            assert!(steps().all(|step| step <= WORD_BYTES_MAX + STEP_BYTES_MAX));
            assert!(places.len() < 30, "{}", places.len());
        }
    }

    #[test]
    fn what_joins_the_last_cluster_is_known() {
        let joins = |text: &str, character| {
            !Line::new(text.to_owned(), text.len()).begins_cluster(character)
        };
        assert!(joins("e", '\u{301}') && joins("❤", '\u{FE0F}') && joins("👍", '🏽'));
        assert!(joins("👨\u{200D}", '👩') && joins("🇨🇭🇮", '🇷'));
        assert!(!joins("a", 'b') && !joins("", '\u{301}') && !joins("🇮🇷", '🇨'));
        assert!(!joins("漢", '字') && !joins("👨", '👩'));
    }

    #[test]
    fn cutting_works_both_ways() {
        let mut line = Line::new("abcdef".to_owned(), 3);
        assert_eq!(line.cut(1), "bc");
        assert_eq!((line.text(), line.cursor()), ("adef", 1));
        assert_eq!(line.cut(3), "de");
        assert_eq!((line.text(), line.cursor()), ("af", 1));
        line.insert("xy");
        assert_eq!((line.text(), line.cursor()), ("axyf", 3));
    }
}
