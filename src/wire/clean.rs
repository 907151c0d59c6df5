//! What may reach a terminal: a line of bytes becomes text that only prints.
//!
//! Promises: the result holds no control character, no escape sequence, no line or paragraph
//! separator, no noncharacter and no format character, except joiners and variation selectors where
//! Unicode gives them a meaning; printable ASCII passes byte for byte, ordinary text whole;
//! cleaning twice is cleaning once; the work is linear in the line. Deliberately no normalisation,
//! no limit on combining marks and no opinion on look-alikes: names have rules of their own.

use std::borrow::Cow;

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::escape;
use super::joiner::{in_context, needs_context};

const BACKSPACE: char = '\u{08}';
const DELETE: char = '\u{7F}';

/// The text of one line as it arrived, without its line end, made fit for any terminal.
///
/// Invalid UTF-8 and noncharacters become U+FFFD; TAB, U+2028 and U+2029 a space; BS and DEL erase
/// the code point before them. Borrowed when every byte is printable ASCII.
pub fn clean(line: &[u8]) -> Cow<'_, str> {
    if is_printable_ascii(line)
        && let Ok(text) = std::str::from_utf8(line)
    {
        return Cow::Borrowed(text);
    }
    let text = String::from_utf8_lossy(line);
    let printable = without_controls(&text);
    if !printable.contains(needs_context) {
        return Cow::Owned(printable);
    }
    Cow::Owned(in_context(&printable))
}

/// Looks at many bytes at once, since most lines are nothing else.
fn is_printable_ascii(line: &[u8]) -> bool {
    let is_printable = |byte: &u8| matches!(byte, 0x20..=0x7E);
    let mut pieces = line.chunks_exact(16);
    pieces.all(|piece| piece.iter().fold(true, |all, byte| all & is_printable(byte)))
        && pieces.remainder().iter().all(is_printable)
}

/// Everything that can be judged without its neighbours, and the erasing.
fn without_controls(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    for character in escape::outside_sequences(text) {
        match character {
            BACKSPACE | DELETE => {
                kept.pop();
            }
            _ => kept.extend(printed(character)),
        }
    }
    kept
}

/// What stands for `character` on a terminal, if anything does.
pub fn printed(character: char) -> Option<char> {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator, Unassigned};
    if needs_context(character) {
        return Some(character);
    }
    match character.general_category() {
        Control if character == '\t' => Some(' '),
        Control | Format => None,
        LineSeparator | ParagraphSeparator => Some(' '),
        Unassigned if is_noncharacter(character) => Some(char::REPLACEMENT_CHARACTER),
        Unassigned if is_reserved_as_invisible(character) => None,
        _ => Some(character),
    }
}

/// The Unicode Standard, section 23.7.
fn is_noncharacter(character: char) -> bool {
    let code = u32::from(character);
    code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code)
}

/// Unassigned, but already promised to be invisible (`Default_Ignorable_Code_Point`, UAX #44).
fn is_reserved_as_invisible(character: char) -> bool {
    matches!(character, '\u{2065}' | '\u{FFF0}'..='\u{FFF8}' | '\u{E0000}'..='\u{E0FFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cleaned(text: &str) -> String {
        clean(text.as_bytes()).into_owned()
    }

    #[test]
    fn printable_ascii_is_borrowed() {
        let all: Vec<u8> = (0x20..=0x7E).collect();
        assert!(matches!(clean(&all), Cow::Borrowed(text) if text.as_bytes() == all));
        assert!(matches!(clean(b""), Cow::Borrowed("")));
    }

    #[test]
    fn ordinary_texts_pass_whole() {
        for text in [
            "می\u{200C}خواهم",
            "क्\u{200D}ष",
            "👨\u{200D}👩\u{200D}👧\u{200D}👦 🇮🇷 ❤\u{FE0F}",
            "Tie\u{302}\u{301}ng Vie\u{323}\u{302}t, Tiếng Việt",
            "ภาษาไทย ที่นี่ น้ำ",
            "שָׁלוֹם",
            "漢字 葛\u{E0100} かな カナ ﾊﾟ 한국어 \u{1112}\u{1161}\u{11AB}",
            "\u{E000}\u{1FAFF}\u{A0}\u{3000}",
        ] {
            assert_eq!(cleaned(text), text);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_dropped_or_shown() {
        for (line, expected) in [
            (&b"a\tb"[..], "a b"),
            (b"a\x00\x07\x0B\rb", "ab"),
            (b"a\x9Bb\xFFc", "a\u{FFFD}b\u{FFFD}c"),
            (b"\xF0\x9F\x98", "\u{FFFD}"),
            (b"a\x1B[2Jb\x1B]0;x\x07c", "abc"),
            (b"a\x1B]0;never ends", "a0;never ends"),
        ] {
            assert_eq!(clean(line), expected, "{line:?}");
        }
    }

    #[test]
    fn characters_that_are_no_text_are_dropped_or_shown() {
        for (text, expected) in [
            ("a\u{85}\u{9C}b", "ab"),
            ("a\u{2028}b\u{2029}c", "a b c"),
            ("\u{FEFF}a\u{AD}b\u{200B}\u{2060}c", "abc"),
            ("a\u{61C}\u{200F}\u{202E}\u{2066}b", "ab"),
            ("a\u{E0041}\u{E0001}\u{FFF9}b", "ab"),
            ("a\u{2065}\u{FFF3}\u{E0FFF}b", "ab"),
            ("\u{FDD0}\u{FFFE}\u{10FFFF}", "\u{FFFD}\u{FFFD}\u{FFFD}"),
        ] {
            assert_eq!(cleaned(text), expected, "{text:?}");
        }
    }

    #[test]
    fn backspace_and_delete_erase_one_code_point() {
        for (text, expected) in [
            ("abc\u{08}d", "abd"),
            ("abc\u{7F}\u{7F}\u{7F}\u{7F}d", "d"),
            ("é\u{08}x", "x"),
            ("e\u{301}\u{08}x", "ex"),
            ("a\u{200B}\u{08}b", "b"),
            ("ab\u{1B}[D\u{08}c", "ac"),
            ("👨\u{200D}👩\u{08}", "👨"),
            ("می\u{200C}خ\u{08}", "می"),
            ("❤\u{08}\u{FE0F}", ""),
        ] {
            assert_eq!(cleaned(text), expected, "{text:?}");
        }
    }

    /// Characters that meet in every way: text, joiners, selectors, erasers, sequences, nonsense.
    const PIECES: &str = "a1 \tمकि漢é😀🏽☠\u{301}\u{200C}\u{200D}\u{FE00}\u{FE0F}\u{94D}\u{E0100}\
        \u{8}\u{7F}\u{1B}[]m\\\u{7}\u{9B}\u{9D}\u{9C}\u{202E}\u{FEFF}\u{FDD0}\u{2028}\r\0\u{E0041}";

    fn line() -> impl Strategy<Value = Vec<u8>> {
        let known = proptest::sample::select(PIECES.chars().collect::<Vec<_>>());
        let piece = prop_oneof![
            8 => known.prop_map(|character| character.to_string().into_bytes()),
            1 => any::<char>().prop_map(|character| character.to_string().into_bytes()),
            1 => any::<u8>().prop_map(|byte| vec![byte]),
        ];
        proptest::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
    }

    fn is_forbidden(character: char) -> bool {
        use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
        match character.general_category() {
            Control | LineSeparator | ParagraphSeparator => true,
            Format => !needs_context(character),
            _ => is_noncharacter(character),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn nothing_forbidden_comes_out_and_twice_is_once(line in line()) {
            let once = clean(&line);
            prop_assert!(!once.contains(is_forbidden), "{:?}", once);
            prop_assert_eq!(clean(once.as_bytes()), once.as_ref());
        }

        #[test]
        fn printable_ascii_passes_byte_for_byte(line in "[ -~]{0,80}") {
            prop_assert_eq!(clean(line.as_bytes()), line.as_str());
        }

        #[test]
        fn ordinary_characters_pass_whole(line in "[\\p{L}\\p{Nd}\\p{P}\\p{S} ]{0,20}") {
            prop_assert_eq!(clean(line.as_bytes()), line.as_str());
        }
    }
}
