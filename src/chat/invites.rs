//! Invitations: codes with which somebody who has no account makes one.
//!
//! Promises: a code has 100 bits that nobody can guess, in letters and digits that are not taken
//! for each other, and is the same in any case, with its hyphens or without; what is kept of it is
//! a hash. Deliberately draws no random number: whoever makes one gives it.

use std::fmt;

use sha2::{Digest, Sha256};

/// The letters and digits of codes, each for five bits.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// How many of those a code has, and after how many each time a hyphen stands.
const CODE_CHARS: usize = 20;
const GROUP_CHARS: usize = 5;

/// The hash of a code. It needs no slow one: a code cannot be guessed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Invite([u8; 32]);

impl Invite {
    /// The hash of what somebody typed, if that can be a code.
    pub fn of(typed: &str) -> Option<Invite> {
        let plain = typed.chars().filter(|char| *char != '-').map(|char| {
            let char = match char.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                char => char,
            };
            u8::try_from(char).ok().filter(|byte| ALPHABET.contains(byte))
        });
        let code: Vec<u8> = plain.take(CODE_CHARS + 1).collect::<Option<_>>()?;
        (code.len() == CODE_CHARS).then(|| Invite(Sha256::digest(&code).into()))
    }

    /// The code that these bits make, of which the lowest 100 count; in groups.
    pub fn code(bits: u128) -> String {
        let mut code = String::with_capacity(CODE_CHARS + CODE_CHARS / GROUP_CHARS);
        for place in 0..CODE_CHARS {
            if place > 0 && place % GROUP_CHARS == 0 {
                code.push('-');
            }
            code.push(char::from(ALPHABET[(bits >> (5 * place) & 31) as usize]));
        }
        code
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Invite(..)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_typed_as_people_type() {
        let code = Invite::code(u128::MAX / 3);
        assert_eq!(code.len(), 23, "{code}");
        let invite = Invite::of(&code).unwrap();
        assert_eq!(Invite::of(&code.to_lowercase()), Some(invite));
        assert_eq!(Invite::of(&code.replace('-', "")), Some(invite));
        let zeros = Invite::of("0O0o0-11iIl-AAAAA-BBBBB").unwrap();
        assert_eq!(Invite::of("00000-11111-aaaaa-bbbbb"), Some(zeros));
        for wrong in ["", "-", "correct-horse", "U0000-00000-00000-00000", "0000-0000", "é"] {
            assert_eq!(Invite::of(wrong), None, "{wrong}");
        }
        assert_eq!(Invite::of(&format!("{code}0")), None);
    }

    #[test]
    fn each_of_a_hundred_bits_makes_another_code() {
        let mut codes: Vec<String> = (0..100).map(|bit| Invite::code(1 << bit)).collect();
        codes.push(Invite::code(0));
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), 101);
        assert_eq!(Invite::code(1 << 100), Invite::code(0));
    }

    #[test]
    fn a_hash_is_shown_to_the_store_alone() {
        let invite = Invite::of("00000-00000-00000-00000").unwrap();
        assert_eq!(invite.to_string().len(), 64);
        assert_eq!(format!("{invite:?}"), "Invite(..)");
    }
}
