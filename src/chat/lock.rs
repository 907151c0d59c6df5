//! A room's password, and what slows down who guesses at it.
//!
//! Promises: a password is never kept, only a salted tag of it, and tags are compared in constant
//! time; guesses cost their origin time, in bounded memory. A tag is not slow on purpose: it lives
//! in this process's memory only and goes with its room, and the loop must not wait. What outlives
//! the process is a slow hash, which is not made and not verified here. Draws no salt itself.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Origin;
use super::pace::{Pace, Rate};

/// A password as a room has it.
pub enum Lock {
    /// In memory: HMAC-SHA-256 (RFC 2104) of it under a salt.
    Tag {
        /// The salt.
        salt: [u8; 16],
        /// What comes out.
        tag: [u8; 32],
    },
    /// For longer than the process lives: a hash in the PHC string format, verified elsewhere.
    Hash(Box<str>),
}

impl Lock {
    /// The lock that `password` opens, in memory; no two locks should have the same salt.
    pub fn new(password: &str, salt: [u8; 16]) -> Lock {
        let tag = salted(password, &salt).finalize().into_bytes().into();
        Lock::Tag { salt, tag }
    }

    /// Whether this is the password, byte for byte; takes the same time for every wrong one of the
    /// same length. `None`: a hash cannot be verified here.
    pub fn opens(&self, password: &str) -> Option<bool> {
        match self {
            Lock::Tag { salt, tag } => Some(salted(password, salt).verify_slice(tag).is_ok()),
            Lock::Hash(_) => None,
        }
    }
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lock(..)")
    }
}

fn salted(password: &str, salt: &[u8; 16]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(salt).expect("HMAC takes a key of any length");
    mac.update(password.as_bytes());
    mac
}

/// Five tries forgive slips of the finger; one in 5 seconds is no hardship for a person, and leaves
/// a guesser 17,280 words a day.
const TRIES: Rate = Rate { every: Duration::from_secs(5), burst: 5 };

/// How many origins are remembered for one lock. A try is rare and a room may be one of thousands,
/// so this bounds a lock to some 64 KiB even when a botnet guesses.
const ORIGINS_MAX: usize = 1_024;

/// The tries at one lock, by origin.
#[derive(Debug, Default)]
pub struct Tries {
    /// At most [`ORIGINS_MAX`]; an origin that is not here has all its tries.
    paces: BTreeMap<Origin, Pace>,
}

impl Tries {
    /// Nobody has tried.
    pub fn new() -> Tries {
        Tries::default()
    }

    /// Takes a try, or says how long to wait for the next one. `now` is the time since the start.
    pub fn take(&mut self, origin: Origin, now: Duration) -> Result<(), Duration> {
        self.take_at(TRIES, origin, now)
    }

    /// The same at another rate, which is always the same for these tries.
    pub fn take_at(&mut self, rate: Rate, origin: Origin, now: Duration) -> Result<(), Duration> {
        if self.paces.len() >= ORIGINS_MAX && !self.paces.contains_key(&origin) {
            self.make_room(now);
        }
        let pace = self.paces.entry(origin).or_default();
        pace.take(rate, now).map_err(|at| at.saturating_sub(now))
    }

    /// Gives back the try that was taken for a right password.
    pub fn forgive(&mut self, origin: Origin) {
        self.forgive_at(TRIES, origin);
    }

    /// The same at another rate.
    pub fn forgive_at(&mut self, rate: Rate, origin: Origin) {
        if let Entry::Occupied(mut pace) = self.paces.entry(origin) {
            pace.get_mut().give_back(rate);
        }
    }

    /// Forgets whom forgetting gives nothing, and failing that whom it gives the least.
    fn make_room(&mut self, now: Duration) {
        self.paces.retain(|_, pace| !pace.is_full(now));
        if self.paces.len() < ORIGINS_MAX {
            return;
        }
        let nearest = self.paces.iter().min_by_key(|(_, pace)| pace.full_at());
        if let Some(origin) = nearest.map(|(origin, _)| *origin) {
            self.paces.remove(&origin);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn tag(lock: &Lock) -> [u8; 32] {
        match lock {
            Lock::Tag { tag, .. } => *tag,
            Lock::Hash(_) => panic!("a hash is no tag"),
        }
    }

    #[test]
    fn only_the_password_opens() {
        let lock = Lock::new("correct horse", [7; 16]);
        assert_eq!(lock.opens("correct horse"), Some(true));
        for wrong in ["", "correct", "correct horse ", "Correct horse"] {
            assert_eq!(lock.opens(wrong), Some(false), "{wrong:?}");
        }
        assert_ne!(tag(&lock), tag(&Lock::new("correct horse", [8; 16])));
        assert_eq!(format!("{lock:?}"), "Lock(..)");
        assert_eq!(Lock::Hash("$argon2id$".into()).opens("correct horse"), None);
    }

    #[test]
    fn the_tag_is_hmac_sha_256() {
        // RFC 4231, test case 2, has a shorter key; HMAC fills keys up with zeros, so this is it.
        let mut salt = [0; 16];
        salt[..4].copy_from_slice(b"Jefe");
        let lock = Lock::new("what do ya want for nothing?", salt);
        assert_eq!(tag(&lock)[..8], [0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e]);
        assert_eq!(tag(&lock)[24..], [0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43]);
    }

    #[test]
    fn guessing_is_slowed_down_by_origin() {
        let (mut tries, mallory, bob) = (Tries::new(), Origin(1), Origin(2));
        for _ in 0..5 {
            assert_eq!(tries.take(mallory, at(0)), Ok(()));
        }
        assert_eq!(tries.take(mallory, at(0)), Err(at(5)));
        assert_eq!(tries.take(mallory, at(3)), Err(at(2)));
        assert_eq!(tries.take(bob, at(3)), Ok(()));
        assert_eq!(tries.take(mallory, at(5)), Ok(()));
        assert_eq!(tries.take(mallory, at(5)), Err(at(5)));
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let (mut tries, bob) = (Tries::new(), Origin(2));
        for _ in 0..20 {
            assert_eq!(tries.take(bob, at(0)), Ok(()));
            tries.forgive(bob);
        }
        tries.forgive(Origin(3));
        assert_eq!(tries.paces.len(), 1);
    }

    #[test]
    fn who_guesses_most_is_remembered_longest() {
        let (mut tries, mallory) = (Tries::new(), Origin(0));
        while tries.take(mallory, at(0)).is_ok() {}
        for other in 1..5_000 {
            assert_eq!(tries.take(Origin(other), at(0)), Ok(()));
            assert!(tries.paces.len() <= ORIGINS_MAX);
        }
        assert!(tries.take(mallory, at(0)).is_err());
        assert_eq!(tries.take(Origin(9_999), at(5)), Ok(()));
        assert_eq!(tries.paces.len(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_lock_opens_to_its_password_alone(
            one in any::<String>(), other in any::<String>(), salt in any::<[u8; 16]>(),
        ) {
            let lock = Lock::new(&one, salt);
            prop_assert_eq!(lock.opens(&one), Some(true));
            prop_assert_eq!(lock.opens(&other), Some(one == other));
        }
    }
}
