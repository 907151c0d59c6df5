//! The oracle's own idea of names: enough for those that the simulation types.
//!
//! Promises to agree with the server on texts made of ASCII, `é`, `ß`, the Cyrillic letters `с о р`
//! (which look like `c o p`), and characters that no name has. Deliberately knows no other script.

/// The look-alikes: what stands for what.
const LOOKS: [(char, char); 3] = [('с', 'c'), ('о', 'o'), ('р', 'p')];

/// A name that may be one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// As it is shown.
    pub shown: String,
    /// As it compares.
    pub key: String,
}

/// How any text compares.
pub fn key_of(text: &str) -> String {
    text.to_lowercase().replace('ß', "ss")
}

impl Name {
    /// The name that a text is, if it is one.
    pub fn parse(text: &str, chars_max: usize) -> Option<Name> {
        let is_cyrillic = |c: char| LOOKS.iter().any(|(like, _)| *like == c);
        let is_latin = |c: char| c.is_ascii_alphabetic() || matches!(c, 'é' | 'ß');
        let begins = |c: char| is_latin(c) || is_cyrillic(c) || c.is_ascii_digit();
        let is_of_names = |c: char| begins(c) || matches!(c, '_' | '-' | '.');
        let is_mixed = text.contains(is_cyrillic) && text.contains(is_latin);
        let is_valid = text.starts_with(begins) && text.chars().all(is_of_names) && !is_mixed;
        if !is_valid || text.chars().count() > chars_max {
            return None;
        }
        let name = Name { shown: text.to_owned(), key: key_of(text) };
        let reserved = ["help", "who", "quit", "exit", "bye", "server", "you", "nobody"];
        let is_reserved = reserved.contains(&name.key.as_str()) || name.key.starts_with("guest-");
        (!is_reserved).then_some(name)
    }

    /// The name of a guest.
    pub fn guest(number: u64) -> Name {
        let shown = format!("guest-{number}");
        Name { key: shown.clone(), shown }
    }

    /// Whether it could be mistaken for the other one; between plain names likeness is no reason.
    pub fn resembles(&self, other: &Name) -> bool {
        !self.shown.is_ascii() && self.look() == other.look()
    }

    fn look(&self) -> String {
        let plain = |c| LOOKS.iter().find(|(like, _)| *like == c).map_or(c, |(_, plain)| *plain);
        self.key.chars().map(plain).collect()
    }
}
