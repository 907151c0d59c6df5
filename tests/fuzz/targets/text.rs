//! What text must be that reaches a terminal, said once more in other words than the filter's.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

/// Whether a character may reach a terminal, wherever it stands.
pub fn is_printable(character: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    let is_joiner = matches!(character, '\u{200C}' | '\u{200D}');
    let code = u32::from(character);
    let is_noncharacter = code & 0xFFFE == 0xFFFE || (0xFDD0..=0xFDEF).contains(&code);
    !is_noncharacter
        && match character.general_category() {
            Control | LineSeparator | ParagraphSeparator => false,
            Format => is_joiner,
            _ => true,
        }
}

/// Panics unless all of it is whole lines of text that the server began.
pub fn assert_lines(heard: &[u8]) {
    let text = std::str::from_utf8(heard).expect("what is told is text");
    for line in text.split_inclusive('\n') {
        let whole = line.strip_suffix('\n');
        let line = whole.unwrap_or_else(|| panic!("{line:?} does not end"));
        assert!(line.starts_with(['*', '!', '#', '@']), "{line:?} begins strangely");
        assert!(line.chars().all(is_printable), "{line:?} is no text");
    }
}

/// Panics if a text holds what may not reach a terminal.
pub fn assert_printable(text: &str) {
    let bad = text.chars().find(|character| !is_printable(*character));
    assert_eq!(bad, None, "it has no place in {text:?}");
}
