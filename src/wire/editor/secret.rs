//! The passwords in a line that is typed in the open.
//!
//! Promises: where the secret of a line begins depends only on what stands before it, so typing it
//! never uncovers it; each of its characters is seen as one cell. Deliberately no opinion on which
//! commands have one: the table of commands knows.

use crate::chat::command::words_before_password;

/// What is seen of a character.
pub const MASK: &str = "*";

/// Where in a line its secret begins, in bytes; the end of the line if that is what comes next.
pub fn secret_from(line: &str) -> Option<usize> {
    let (name, mut rest) = line.strip_prefix('/')?.split_once(char::is_whitespace)?;
    for _ in 0..words_before_password(name)? {
        rest = rest.trim_start().split_once(char::is_whitespace)?.1;
    }
    Some(line.len() - rest.trim_start().len())
}

/// Whether there is anything secret in a line.
pub fn has_secret(line: &str) -> bool {
    secret_from(line).is_some_and(|from| from < line.len())
}

/// A line as it is seen, from where it is masked on.
#[derive(Debug, Default)]
pub struct Masked {
    /// What is seen.
    pub text: String,
    from: usize,
}

impl Masked {
    /// Masks a line; `false` if there is nothing secret in it.
    pub fn mask(&mut self, line: &str) -> bool {
        self.text.clear();
        let Some(from) = secret_from(line).filter(|from| *from < line.len()) else { return false };
        self.from = from;
        self.text.push_str(&line[..from]);
        self.text.extend(line[from..].chars().map(|_| MASK));
        true
    }

    /// Where a byte of the line is in what is seen of it.
    pub fn place(&self, line: &str, at: usize) -> usize {
        match at.checked_sub(self.from) {
            None | Some(0) => at,
            Some(_) => self.from + line[self.from..at].chars().count() * MASK.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found() {
        for (line, open) in [
            ("/register geheim", "/register "),
            ("/REGISTER  zwei Worte", "/REGISTER  "),
            ("/password alt neu", "/password "),
            ("/unregister geheim", "/unregister "),
            ("/login bob geheim", "/login bob "),
            ("/Login  bob  geheim", "/Login  bob  "),
            ("/join #dev geheim", "/join #dev "),
            ("/lock dev\u{3000}geheim", "/lock dev\u{3000}"),
        ] {
            let from = open.len();
            assert_eq!(secret_from(line), Some(from), "{line}");
            assert_eq!(secret_from(open), Some(from), "{open}");
            assert!(has_secret(line) && !has_secret(open), "{line}");
            let mut masked = Masked::default();
            assert!(masked.mask(line) && !masked.text.contains('e') || from > 9, "{line}");
            assert_eq!(masked.text, format!("{open}{}", "*".repeat(line.len() - from)));
        }
        for line in ["", "/", "/join", "/join dev", "/login bob", "//register x", " /register x"] {
            assert!(secret_from(line).is_none() && !Masked::default().mask(line), "{line:?}");
        }
        assert_eq!(secret_from("/me /register x"), None);
    }

    #[test]
    fn each_character_has_a_place() {
        let mut masked = Masked::default();
        let line = "/register \u{301}é漢a";
        assert!(masked.mask(line));
        assert_eq!(masked.text, "/register ****");
        let places: Vec<usize> =
            [0, 9, 10, 12, 14, 17, 18].map(|at| masked.place(line, at)).to_vec();
        assert_eq!(places, [0, 9, 10, 11, 12, 13, 14]);
    }
}
