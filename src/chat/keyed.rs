//! The hasher for maps whose keys people choose.
//!
//! Promises: equal keys hash alike as long as the secret is the same, so a run can be repeated, and
//! nobody who does not know the secret can aim for collisions. Deliberately draws no secret itself.

use std::fmt;
use std::hash::BuildHasher;

use siphasher::sip::SipHasher13;

/// SipHash-1-3 under a configured secret.
#[derive(Clone, Copy)]
pub struct Keyed([u8; 16]);

impl Keyed {
    /// Hashes under this secret, which whoever chooses the keys must not know.
    pub fn new(secret: [u8; 16]) -> Keyed {
        Keyed(secret)
    }
}

impl BuildHasher for Keyed {
    type Hasher = SipHasher13;

    fn build_hasher(&self) -> SipHasher13 {
        SipHasher13::new_with_key(&self.0)
    }
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keyed(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_secret_decides_the_hash_and_is_not_shown() {
        let (one, other) = (Keyed::new([1; 16]), Keyed::new([2; 16]));
        assert_eq!(one.hash_one("bob"), Keyed::new([1; 16]).hash_one("bob"));
        assert_ne!(one.hash_one("bob"), other.hash_one("bob"));
        assert_eq!(format!("{one:?}"), "Keyed(..)");
    }
}
