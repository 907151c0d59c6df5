//! Escape sequences of terminals (ECMA-48, ECMA-35), taken out of a text.
//!
//! Promises: what comes out holds no introducer of a sequence (ESC, CSI, OSC, DCS, SOS, PM, APC), a
//! sequence that never ends takes no text with it, and the work is linear in the text. Deliberately
//! no judgement of any other character, and no understanding of what a sequence would have done.

use std::ops::RangeInclusive;

const ESC: char = '\u{1B}';
const BEL: char = '\u{07}';
const STRING_TERMINATOR: char = '\u{9C}';

/// The characters of `text` that belong to no escape sequence, in order.
///
/// Of a control string (OSC and the like) without its end, only the introducer is left out; of
/// another malformed sequence, only what had matched.
pub fn outside_sequences(text: &str) -> OutsideSequences<'_> {
    OutsideSequences { rest: text, is_unterminated: false }
}

/// What [`outside_sequences`] returns.
pub struct OutsideSequences<'a> {
    rest: &'a str,
    /// No end of a control string is in `rest`, so nobody need search it again.
    is_unterminated: bool,
}

impl Iterator for OutsideSequences<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        loop {
            let mut chars = self.rest.chars();
            let first = chars.next()?;
            self.rest = chars.as_str();
            match first {
                ESC => self.skip_escape(),
                '\u{9B}' => self.skip_control(),
                '\u{90}' | '\u{98}' | '\u{9D}' | '\u{9E}' | '\u{9F}' => self.skip_string(),
                _ => return Some(first),
            }
        }
    }
}

impl OutsideSequences<'_> {
    /// Goes on behind the sequence whose ESC has just been taken.
    fn skip_escape(&mut self) {
        match self.rest.bytes().next() {
            Some(b'[') => {
                self.skip_one(b'['..=b'[');
                self.skip_control();
            }
            Some(introducer @ (b']' | b'P' | b'X' | b'^' | b'_')) => {
                self.skip_one(introducer..=introducer);
                self.skip_string();
            }
            Some(0x20..=0x2F) => {
                self.skip_all(0x20..=0x2F);
                self.skip_one(0x30..=0x7E);
            }
            _ => self.skip_one(0x30..=0x7E),
        }
    }

    /// Goes on behind a control sequence (CSI): parameters, intermediates, one final byte.
    fn skip_control(&mut self) {
        self.skip_all(0x30..=0x3F);
        self.skip_all(0x20..=0x2F);
        self.skip_one(0x40..=0x7E);
    }

    /// Goes on behind the end of a control string, if it has one.
    fn skip_string(&mut self) {
        if self.is_unterminated {
            return;
        }
        match end_of_string(self.rest) {
            Some(end) => self.rest = &self.rest[end..],
            None => self.is_unterminated = true,
        }
    }

    /// `range` lies within ASCII, so a skipped byte is a whole character.
    fn skip_all(&mut self, range: RangeInclusive<u8>) {
        let count = self.rest.bytes().take_while(|byte| range.contains(byte)).count();
        self.rest = &self.rest[count..];
    }

    fn skip_one(&mut self, range: RangeInclusive<u8>) {
        if self.rest.bytes().next().is_some_and(|byte| range.contains(&byte)) {
            self.rest = &self.rest[1..];
        }
    }
}

/// Where the text behind the first BEL, ST or `ESC \` begins.
fn end_of_string(text: &str) -> Option<usize> {
    text.char_indices().find_map(|(at, character)| match character {
        BEL | STRING_TERMINATOR => Some(at + character.len_utf8()),
        ESC if text[at + 1..].starts_with('\\') => Some(at + 2),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plain(text: &str) -> String {
        outside_sequences(text).collect()
    }

    #[test]
    fn whole_sequences_are_left_out() {
        for (text, expected) in [
            ("a\u{1B}[31mred\u{1B}[0mb", "aredb"),
            ("a\u{1B}[?25;1$pb", "ab"),
            ("a\u{9B}2Jb", "ab"),
            ("a\u{1B}]0;title\u{07}b", "ab"),
            ("a\u{1B}]0;title\u{1B}\\b", "ab"),
            ("a\u{9D}0;title\u{9C}b", "ab"),
            ("a\u{1B}Pq#0\u{1B}\\b", "ab"),
            ("a\u{90}x\u{07}\u{98}x\u{07}\u{9E}x\u{07}\u{9F}x\u{07}b", "ab"),
            ("a\u{1B}Xx\u{07}\u{1B}^x\u{07}\u{1B}_x\u{07}b", "ab"),
            ("a\u{1B}(Bb\u{1B}$)Cc", "abc"),
            ("a\u{1B}cb\u{1B}7", "ab"),
            ("no sequence, żadna", "no sequence, żadna"),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn malformed_sequences_swallow_no_text() {
        for (text, expected) in [
            ("a\u{1B}]0;the rest", "a0;the rest"),
            ("a\u{9D}0;the rest", "a0;the rest"),
            ("a\u{1B}Pone\u{1B}]two\u{1B}[1mthree", "aonetwothree"),
            ("a\u{1B}[31", "a"),
            ("a\u{1B}[31é", "aé"),
            ("a\u{1B}[31\u{07}b", "a\u{07}b"),
            ("a\u{1B}[1\u{1B}[2mb", "ab"),
            ("a\u{1B}", "a"),
            ("a\u{1B}é", "aé"),
            ("a\u{1B}\u{1B}[mb", "ab"),
            ("a\u{1B}(é", "aé"),
            ("a\u{1B}] \u{1B}", "a "),
        ] {
            assert_eq!(plain(text), expected, "{text:?}");
        }
    }

    #[test]
    fn many_unterminated_strings_are_searched_once() {
        let text = "\u{1B}]".repeat(500_000);
        assert_eq!(plain(&text), "");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn no_introducer_comes_out(
            text in "[\u{1B}\u{90}\u{9B}-\u{9D}\u{07}\\[\\]\\\\P0;m é]{0,24}"
        ) {
            let once = plain(&text);
            let has_introducer = once.contains([ESC, '\u{90}', '\u{9B}', '\u{9D}']);
            prop_assert!(!has_introducer);
            prop_assert_eq!(plain(&once), once);
        }

        #[test]
        fn text_without_introducers_is_untouched(text in "[^\u{1B}\u{80}-\u{9F}]{0,40}") {
            prop_assert_eq!(plain(&text), text);
        }
    }
}
