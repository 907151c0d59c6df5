//! What a terminal pastes between its marks (bracketed paste).
//!
//! Promises: no more than [`PASTE_BYTES_MAX`] bytes are kept; control characters are dropped, tabs
//! are blanks; no line end of a paste sends anything. Deliberately does not ask: the editor does.

use super::keys::Key;
use crate::wire::clean;
use crate::wire::text::editing;

/// What is pasted may have so many bytes.
pub const PASTE_BYTES_MAX: usize = 64 * 1024;
/// What has more lines is asked about.
pub const LINES_UNASKED_MAX: usize = 3;
/// What has more bytes is asked about.
pub const BYTES_UNASKED_MAX: usize = 1000;

const TAB: &str = "    ";

/// A paste under way, or one that is asked about.
#[derive(Debug, Default)]
pub struct Paste {
    text: String,
    is_cut: bool,
}

impl Paste {
    /// Takes the next key, which was not typed but pasted.
    pub fn take(&mut self, key: Key) {
        match key {
            Key::Enter | Key::AltEnter => self.add("\n"),
            Key::Tab => self.add(TAB),
            Key::Char(character) => {
                if let Some(character) = clean::printed(character) {
                    self.add(character.encode_utf8(&mut [0; 4]));
                }
            }
            _ => {}
        }
    }

    fn add(&mut self, piece: &str) {
        if self.is_cut || self.text.len() + piece.len() > PASTE_BYTES_MAX {
            self.is_cut = true;
        } else {
            self.text.push_str(piece);
        }
    }

    /// Whether there was more than is kept.
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Without the line ends behind it.
    pub fn text(&self) -> &str {
        self.text.trim_end_matches('\n')
    }

    /// How many lines it has.
    pub fn lines(&self) -> usize {
        self.text().split('\n').count()
    }

    /// Whether it is so long that it is asked about.
    pub fn is_long(&self) -> bool {
        self.lines() > LINES_UNASKED_MAX || self.text().len() > BYTES_UNASKED_MAX
    }

    /// What is asked, in place of the prompt.
    pub fn question(&self) -> String {
        editing::paste_question(self.lines())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paste(text: &str) -> Paste {
        let mut paste = Paste::default();
        for character in text.chars() {
            paste.take(match character {
                '\n' => Key::Enter,
                '\t' => Key::Tab,
                other => Key::Char(other),
            });
        }
        paste
    }

    #[test]
    fn it_is_text_and_line_ends() {
        let mut pasted = paste("a\tb\u{85}\u{202E}\n\nc\n\n");
        pasted.take(Key::Interrupt);
        pasted.take(Key::Up);
        assert_eq!((pasted.text(), pasted.lines()), ("a    b\n\nc", 3));
        assert_eq!((paste("").text(), paste("").lines()), ("", 1));
        assert_eq!(paste("one\n").lines(), 1);
    }

    #[test]
    fn it_is_long_by_lines_or_bytes() {
        assert!(!paste("a\nb\nc").is_long());
        assert!(paste("a\nb\nc\nd").is_long());
        assert!(paste(&"x".repeat(BYTES_UNASKED_MAX + 1)).is_long());
    }

    #[test]
    fn it_is_bounded_and_keeps_its_beginning() {
        let pasted = paste(&"0123456é".repeat(PASTE_BYTES_MAX / 8));
        assert!(pasted.is_cut());
        assert!(pasted.text().starts_with("0123456é0123"));
        assert!((PASTE_BYTES_MAX - 1..=PASTE_BYTES_MAX).contains(&pasted.text().len()));
    }
}
