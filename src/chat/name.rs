//! Names of people and rooms: what may be one, which two are the same, which two look the same.
//!
//! Promises: a [`Nick`] or a [`RoomName`] is parsed once and valid ever after; it has no blank, no
//! control and no format character, and compares after case folding (`Straße` is `STRASSE`).
//! Deliberately brings no table of its own: PRECIS (RFC 8265) and the Unicode crates know the
//! characters, UTS #39 which scripts go together and what resembles what.

use std::cmp::Ordering;
use std::fmt;
use std::rc::Rc;

pub use in_use::{NamesInUse, Verdict};
pub use rules::key_of;
pub use suggest::{first_free, nearest};

mod in_use;
mod rules;
mod suggest;

use rules::{is_beyond_names, look_of, shown_of};

/// What a guest's name begins with, and nobody else's.
const GUEST: &str = "guest-";

const RESERVED: [(&str, Reserved); 8] = [
    ("help", Reserved::Help),
    ("who", Reserved::Who),
    ("quit", Reserved::Quit),
    ("exit", Reserved::Quit),
    ("bye", Reserved::Quit),
    ("server", Reserved::Server),
    ("you", Reserved::Server),
    ("nobody", Reserved::Server),
];

/// Why a text is not a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameFault {
    /// It has no character at all.
    Empty,
    /// It has too many characters.
    TooLong {
        /// The bound, in Unicode scalar values after normalisation.
        chars_max: usize,
    },
    /// It does not begin with a letter or a digit.
    Start,
    /// It has a character that names do not have; a blank, for one.
    Char(char),
    /// It mixes scripts that do not go together.
    Scripts,
    /// A right-to-left name begins with a digit or ends with punctuation (RFC 5893, section 2), so
    /// that it would be drawn in another order than it is written.
    Direction,
    /// It heaps up marks.
    Marks,
    /// It means something else.
    Reserved(Reserved),
}

/// What somebody may have meant who typed a reserved name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reserved {
    /// `help`.
    Help,
    /// `who`.
    Who,
    /// `quit`, `exit` or `bye`.
    Quit,
    /// `server`.
    Server,
    /// `guest-` and anything.
    Guest,
}

/// A valid name: as it is shown and as it compares. Cheap to clone.
#[derive(Clone)]
pub struct Name {
    /// As it is shown and, where it compares otherwise, [`key_of`] that behind it.
    text: Rc<str>,
    /// Where the key begins; 0 when it is what is shown.
    key_at: u32,
}

impl Name {
    /// As it is shown: NFC, wide characters narrowed, case as typed.
    pub fn as_str(&self) -> &str {
        match self.key_at {
            0 => &self.text,
            end => &self.text[..end as usize],
        }
    }

    /// As it compares: case folded.
    pub fn key(&self) -> &str {
        &self.text[self.key_at as usize..]
    }

    fn parse(text: &str, chars_max: Option<usize>) -> Result<Name, NameFault> {
        if text.is_empty() {
            return Err(NameFault::Empty);
        }
        if is_beyond_names(text) {
            let chars_max = chars_max.unwrap_or(rules::TYPED_CHARS_MAX);
            return Err(NameFault::TooLong { chars_max });
        }
        let shown = shown_of(text)?;
        if let Some(chars_max) = chars_max.filter(|&most| shown.chars().count() > most) {
            return Err(NameFault::TooLong { chars_max });
        }
        let name = Name::of_valid(&shown);
        match name.reserved() {
            Some(reserved) => Err(NameFault::Reserved(reserved)),
            None => Ok(name),
        }
    }

    fn of_valid(text: &str) -> Name {
        match key_of(text) {
            key if key == text => Name { text: text.into(), key_at: 0 },
            key => {
                let key_at = u32::try_from(text.len()).expect("a name is short");
                Name { text: [text, &key].concat().into(), key_at }
            }
        }
    }

    fn reserved(&self) -> Option<Reserved> {
        let is = |word: &str| self.key() == word;
        if let Some((_, reserved)) = RESERVED.iter().find(|(word, _)| is(word)) {
            return Some(*reserved);
        }
        if self.key().starts_with(GUEST) {
            return Some(Reserved::Guest);
        }
        if self.as_str().is_ascii() {
            return None;
        }
        let looks = self.looks();
        let resembles = |word: &str| looks.contains(&look_of(word));
        if let Some((_, reserved)) = RESERVED.iter().find(|(word, _)| resembles(word)) {
            return Some(*reserved);
        }
        let guest = look_of(GUEST);
        looks.iter().any(|look| look.starts_with(&guest)).then_some(Reserved::Guest)
    }

    /// What the name could be mistaken for, in either case: folding first finds what small letters
    /// resemble (Greek `ν` a `v`), folding last what capitals do (Greek `Ν` an `N`).
    fn looks(&self) -> [String; 2] {
        [look_of(self.key()), look_of(self.as_str())]
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Name) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Name) -> Ordering {
        self.key().cmp(other.key())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

/// The name of a person.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Nick(Name);

impl Nick {
    /// The nick that `text` is, in at most `chars_max` characters.
    pub fn parse(text: &str, chars_max: Option<usize>) -> Result<Nick, NameFault> {
        Name::parse(text, chars_max).map(Nick)
    }

    /// The name of the `n`th guest, which [`Nick::parse`] gives to nobody.
    pub fn guest(n: u64) -> Nick {
        Nick(Name::of_valid(&format!("{GUEST}{n}")))
    }

    /// A name that somebody had once, as it was shown; also a guest's.
    pub fn known(text: &str) -> Option<Nick> {
        match Name::parse(text, None) {
            Ok(name) => Some(Nick(name)),
            Err(NameFault::Reserved(Reserved::Guest)) => Some(Nick(Name::of_valid(text))),
            Err(_) => None,
        }
    }

    /// What it shares with every name.
    pub fn name(&self) -> &Name {
        &self.0
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As it compares.
    pub fn key(&self) -> &str {
        self.0.key()
    }
}

impl fmt::Display for Nick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a room, without its `#`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoomName(Name);

impl RoomName {
    /// The room name that `text` is, in at most `chars_max` characters.
    pub fn parse(text: &str, chars_max: Option<usize>) -> Result<RoomName, NameFault> {
        Name::parse(text, chars_max).map(RoomName)
    }

    /// What it shares with every name.
    pub fn name(&self) -> &Name {
        &self.0
    }

    /// As it is shown.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As it compares.
    pub fn key(&self) -> &str {
        self.0.key()
    }
}

impl fmt::Display for RoomName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn nick(text: &str) -> Nick {
        Nick::parse(text, None).unwrap_or_else(|fault| panic!("{text:?}: {fault:?}"))
    }

    #[test]
    fn names_of_the_world_are_names() {
        let names = "bob R2-D2 4chan a_b.c-d José Łukasz Ærøskøbing Đặng Νίκος Борис \
                     שלום محمد علی۲ अनिल สมชาย தமிழ் 한국어 太郎 Tarō太郎 さくら ナルト Bob한글";
        for name in names.split(' ') {
            assert_eq!(nick(name).as_str(), name);
        }
    }

    #[test]
    fn names_are_shown_composed_and_narrow() {
        assert_eq!(nick("ｂｏｂ").as_str(), "bob");
        assert_eq!(nick("ﾅﾙﾄ").as_str(), "ナルト");
        assert_eq!(nick("Jose\u{301}").as_str(), "José");
        assert_eq!(nick("\u{1112}\u{1161}\u{11ab}").as_str(), "한");
        assert_eq!(nick("Ｂｏｂ"), nick("bob"));
        assert_eq!(nick("ΝΊΚΟΣ"), nick("νίκος"));
        assert_eq!(RoomName::parse("Straße", None), RoomName::parse("STRASSE", None));
        assert_eq!(format!("{:5}|", nick("Bob")), "Bob  |");
    }

    #[test]
    fn what_is_no_name_is_told_why() {
        use NameFault::*;
        let cases = [
            ("", Empty),
            (" ", Char(' ')),
            ("two words", Char(' ')),
            ("#root", Char('#')),
            ("＃root", Char('#')),
            ("a:b", Char(':')),
            ("bob\u{200d}", Char('\u{200d}')),
            ("bob\u{202e}", Char('\u{202e}')),
            ("bob\u{fe0f}", Char('\u{fe0f}')),
            ("\u{3164}", Char('\u{3164}')),
            ("😀", Char('😀')),
            ("ﬁn", Char('ﬁ')),
            ("ᏣᎳᎩ", Char('Ꮳ')),
            ("-bob", Start),
            ("_", Start),
            (".bob", Start),
            ("\u{301}a", Start),
            ("аdam", Scripts),
            ("Νora", Scripts),
            ("bobשלום", Direction),
            ("7שלום", Direction),
            ("שלום-", Direction),
            ("é\u{301}\u{301}\u{301}\u{301}", Marks),
        ];
        for (text, fault) in cases {
            assert_eq!(Nick::parse(text, None), Err(fault), "{text:?}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        assert!(Nick::parse("ééé", Some(3)).is_ok());
        assert!(Nick::parse("e\u{301}ee", Some(3)).is_ok());
        assert_eq!(Nick::parse("éééé", Some(3)), Err(NameFault::TooLong { chars_max: 3 }));
    }

    #[test]
    fn some_names_mean_something_else() {
        use Reserved::*;
        let cases = [
            ("help ｈｅｌｐ", Help),
            ("who WHO", Who),
            ("Quit exit bye ЬУЕ", Quit),
            ("server Nobody YOU", Server),
            ("guest-7 GUEST-x guest-", Guest),
        ];
        for (texts, reserved) in cases {
            for text in texts.split(' ') {
                assert_eq!(Nick::parse(text, None), Err(NameFault::Reserved(reserved)), "{text}");
            }
        }
        for free in ["guest", "guests", "helper", "whom"] {
            nick(free);
        }
        assert_eq!(Nick::guest(7).as_str(), "guest-7");
        assert_eq!(key_of("Guest-7"), Nick::guest(7).key());
    }

    #[test]
    fn equal_forms_are_kept_once() {
        let (small, large) = (nick("bob"), nick("Bob"));
        assert_eq!((small.as_str(), small.key(), small.0.text.len()), ("bob", "bob", 3));
        assert_eq!((large.as_str(), large.key()), ("Bob", "bob"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn a_name_is_a_name_again(
            text in r"[\p{L}\p{M}\p{Nd}_.-]{1,4}|\PC{0,6}|[ａ-ｚΑ-ωñßİςŉ]{1,6}",
        ) {
            if let Ok(nick) = Nick::parse(&text, Some(24)) {
                prop_assert_eq!(Nick::parse(nick.as_str(), Some(24)), Ok(nick.clone()));
                prop_assert!((1..=24).contains(&nick.as_str().chars().count()));
                prop_assert!(nick.as_str().chars().all(rules::is_of_names));
                prop_assert_eq!(key_of(&text), nick.key());
                prop_assert_eq!(key_of(nick.key()), nick.key());
            }
        }

        #[test]
        fn case_is_no_difference(text in r"[\p{L}\p{Nd}]{1,3}") {
            if let Ok(nick) = Nick::parse(&text, None) {
                let lower = text.to_lowercase();
                prop_assert_eq!(key_of(&lower), nick.key());
            }
        }

        #[test]
        fn any_text_is_a_name_or_refused(text in any::<String>()) {
            prop_assert!(RoomName::parse(&text, Some(0)).is_err());
            if let Ok(nick) = Nick::parse(&text, None) {
                prop_assert_eq!(nick.key(), key_of(&text));
            }
        }
    }
}
