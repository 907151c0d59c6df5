//! What a password becomes, and whether one is right: argon2id in the PHC string format.
//!
//! Promises: no password and no hash is logged; a name without a hash costs what one with a hash
//! does; a damaged hash fits no password, and neither stops the process nor takes its memory.
//! Deliberately takes its time on the thread that it is called on.

use argon2::password_hash::phc::{Output, PasswordHash, Salt};
use argon2::password_hash::{Error, Result};
use argon2::{Algorithm, Argon2, Block, Params, Version};

use crate::chat::kept::{Answer, Question, Secret};

/// What a kept hash may cost, in KiB times passes: 16 times [`Cost::STRONG`]. More than that can
/// only be damage, and would stop the thread for good or take all memory.
const WORK_MAX: u64 = 16 * 19_456 * 2;

/// How much work a new hash is, for argon2id (RFC 9106) with one lane. It stands in the hash, so
/// that old ones can be checked after it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory.
    kib: u32,
    /// How often all of it is gone through.
    passes: u32,
}

impl Cost {
    /// For people: 19 MiB and two passes, as OWASP's Password Storage Cheat Sheet has it.
    pub const STRONG: Cost = Cost { kib: 19_456, passes: 2 };
    /// For simulations: 8 KiB and one pass, the least there is. It protects nobody.
    pub const CHEAP: Cost = Cost { kib: 8, passes: 1 };

    fn params(self) -> Params {
        Params::new(self.kib, self.passes, 1, Some(32)).expect("RFC 9106 allows both costs")
    }
}

/// Answers [`Question::Hash`] and [`Question::Verify`] at once, on this thread. New hashes, and
/// what stands in for missing ones, are of this cost. What is asked about lines is
/// [`Answer::Unavailable`] here.
pub fn answer(question: &Question, cost: Cost) -> Answer {
    Mill::new(cost).answer(question)
}

/// What computes hashes. From the first one on it keeps the memory that hashes of its cost need: if
/// 19 MiB are taken and given back each time, glibc's allocator comes to hold many times that.
#[derive(Debug)]
pub(super) struct Mill {
    cost: Cost,
    /// Empty, or what a hash of this cost needs.
    blocks: Vec<Block>,
}

impl Mill {
    /// Takes no memory yet.
    pub(super) fn new(cost: Cost) -> Mill {
        Mill { cost, blocks: Vec::new() }
    }

    /// See [`answer`].
    pub(super) fn answer(&mut self, question: &Question) -> Answer {
        let answer = match question {
            Question::Hash { password } => self.hash(password),
            Question::Verify { password, hash } => {
                verify(hash.as_deref(), self.cost, |hash| self.compute(password, hash))
            }
            Question::Tail { .. }
            | Question::History { .. }
            | Question::Line { .. }
            | Question::Search(_)
            | Question::Missed { .. }
            | Question::Invite { .. } => Ok(Answer::Unavailable),
        };
        answer.unwrap_or_else(|error| {
            log::error!(cause:% = error; "cannot_hash");
            Answer::Unavailable
        })
    }

    fn hash(&mut self, password: &Secret) -> Result<Answer> {
        let mut salt = [0; 16];
        getrandom::fill(&mut salt)?;
        let hash = Hash { salt: Salt::new(&salt)?, ..Hash::stand_in(self.cost) };
        let (Cost { kib, passes }, salt) = (self.cost, hash.salt);
        let output = self.compute(password, &hash)?;
        Ok(Answer::Hash(format!("$argon2id$v=19$m={kib},t={passes},p=1${salt}${output}")))
    }

    /// What the output would be, were this the password.
    fn compute(&mut self, password: &Secret, hash: &Hash) -> Result<Output> {
        let (password, Hash { argon2, salt, output }) = (password.0.as_bytes(), hash);
        let mut bytes = [0; Output::MAX_LENGTH];
        let bytes = &mut bytes[..output.len()];
        let own = self.cost.params().block_count();
        if argon2.params().block_count() > own {
            argon2.hash_password_into(password, salt, bytes)?;
        } else {
            let missing = own - self.blocks.len();
            self.blocks.try_reserve_exact(missing).map_err(|_| Error::OutOfMemory)?;
            self.blocks.resize(own, Block::new());
            argon2.hash_password_into_with_memory(password, salt, bytes, &mut self.blocks)?;
        }
        Ok(Output::new(bytes)?)
    }
}

/// Leaves it to `compute` what the output would be, and asks once for it, whatever the hash is.
fn verify(
    hash: Option<&str>,
    cost: Cost,
    compute: impl FnOnce(&Hash) -> Result<Output>,
) -> Result<Answer> {
    let real = hash.and_then(|hash| match Hash::parse(hash) {
        Ok(hash) => Some(hash),
        Err(error) => {
            // No password fits it.
            log::warn!(cause:% = error; "hash_damaged");
            None
        }
    });
    let is_real = real.is_some();
    let hash = real.unwrap_or_else(|| Hash::stand_in(cost));
    // Outputs are compared in constant time.
    let is_same = compute(&hash)? == hash.output;
    Ok(Answer::Verified(is_same && is_real))
}

/// A hash, taken apart.
#[derive(Clone, Debug)]
struct Hash {
    argon2: Argon2<'static>,
    salt: Salt,
    output: Output,
}

impl Hash {
    /// Reads the PHC string format; fails unless a password can be checked with this hash.
    fn parse(text: &str) -> Result<Hash> {
        let hash = PasswordHash::new(text)?;
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(Error::EncodingInvalid);
        };
        let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
        let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
        let params = Params::try_from(&hash)?;
        if u64::from(params.m_cost()) * u64::from(params.t_cost()) > WORK_MAX {
            return Err(Error::ParamsInvalid);
        }
        Ok(Hash { argon2: Argon2::new(algorithm, version, params), salt, output })
    }

    /// A hash like new ones, of no known password.
    fn stand_in(cost: Cost) -> Hash {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params());
        let salt = Salt::new(&[0; 16]).expect("16 bytes are the recommended length");
        let output = Output::new(&[0; 32]).expect("32 bytes are the usual length");
        Hash { argon2, salt, output }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// Of "password"; one of the reference implementation's own tests.
    const REFERENCE: &str = concat!(
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    );

    fn secret(text: &str) -> Secret {
        Secret(text.into())
    }

    fn hash_of(password: &str, cost: Cost) -> String {
        match answer(&Question::Hash { password: secret(password) }, cost) {
            Answer::Hash(hash) => hash,
            other => panic!("{other:?}"),
        }
    }

    fn check(password: &str, hash: Option<&str>) -> Answer {
        let hash = hash.map(str::to_owned);
        answer(&Question::Verify { password: secret(password), hash }, Cost::CHEAP)
    }

    #[test]
    fn only_the_password_fits() {
        for password in ["", "correct horse", "Zoë \u{1f511}", &"long ".repeat(200)] {
            let hash = hash_of(password, Cost::CHEAP);
            assert_eq!(check(password, Some(&hash)), Answer::Verified(true), "{password:?}");
            for wrong in [&format!("{password} "), "Correct horse", "\0"] {
                assert_eq!(check(wrong, Some(&hash)), Answer::Verified(false), "{wrong:?}");
            }
            assert_eq!(check(password, None), Answer::Verified(false), "{password:?}");
        }
    }

    #[test]
    fn the_hash_says_what_it_cost() {
        for (cost, start) in [
            (Cost::STRONG, "$argon2id$v=19$m=19456,t=2,p=1$"),
            (Cost::CHEAP, "$argon2id$v=19$m=8,t=1,p=1$"),
        ] {
            let hash = hash_of("hunter2", cost);
            assert!(hash.starts_with(start), "{hash}");
            // Checking goes by what the hash says, whatever new ones cost.
            assert_eq!(check("hunter2", Some(&hash)), Answer::Verified(true));
            let hash = Hash::parse(&hash).unwrap();
            assert_eq!((hash.salt.len(), hash.output.len()), (16, 32));
        }
    }

    #[test]
    fn no_two_salts_are_the_same() {
        let [one, other] = [(); 2].map(|()| Hash::parse(&hash_of("hunter2", Cost::CHEAP)).unwrap());
        assert_ne!(one.salt, other.salt);
        assert_ne!(one.output, other.output);
    }

    #[test]
    fn hashes_of_the_reference_implementation_are_understood() {
        assert_eq!(check("password", Some(REFERENCE)), Answer::Verified(true));
        assert_eq!(check("passwort", Some(REFERENCE)), Answer::Verified(false));
    }

    #[test]
    fn a_name_without_a_hash_takes_the_same_path_and_never_fits() {
        let real = hash_of("hunter2", Cost::STRONG);
        let mut computed = Vec::new();
        for (hash, is_right) in [(Some(&*real), true), (None, false), (Some("damaged"), false)] {
            let verified = verify(hash, Cost::STRONG, |hash| {
                computed.push((format!("{:?}", hash.argon2), hash.salt.len(), hash.output.len()));
                Ok(hash.output)
            });
            assert_eq!(verified, Ok(Answer::Verified(is_right)), "{hash:?}");
        }
        assert_eq!(computed.len(), 3);
        assert!(computed.iter().all(|it| *it == computed[0]), "{computed:?}");
    }

    #[test]
    fn damaged_hashes_fit_no_password() {
        let changed = |old, new| {
            assert!(REFERENCE.contains(old));
            REFERENCE.replace(old, new)
        };
        for hash in [
            String::new(),
            "password".into(),
            REFERENCE[..REFERENCE.rfind('$').unwrap()].into(),
            REFERENCE[..REFERENCE.len() - 1].into(),
            format!("{REFERENCE}$"),
            changed("argon2id", "scrypt"),
            changed("v=19", "v=20"),
            changed("m=256", "m=7"),
            changed("m=256", "m=4294967295"),
            changed("t=2", "t=4294967295"),
            changed("p=1", "p=0"),
        ] {
            assert!(Hash::parse(&hash).is_err(), "{hash}");
            assert_eq!(check("password", Some(&hash)), Answer::Verified(false), "{hash}");
        }
    }

    #[test]
    fn what_cannot_be_computed_is_no_wrong_password() {
        for hash in [None, Some(&*hash_of("hunter2", Cost::CHEAP))] {
            let verified = verify(hash, Cost::CHEAP, |_| Err(Error::OutOfMemory));
            assert_eq!(verified, Err(Error::OutOfMemory));
        }
        let tail = Question::Tail { room: 1, before: 2, most: 3 };
        assert_eq!(answer(&tail, Cost::CHEAP), Answer::Unavailable);
    }

    #[test]
    fn memory_that_is_used_again_changes_nothing() {
        let mut mill = Mill::new(Cost { kib: 64, passes: 2 });
        let costs = [8, 64, 65, 200, 64, 8].map(|kib| Cost { kib, passes: 1 });
        for (cost, password) in costs.into_iter().zip(["a", "b", "c", "d", "e", "f"]) {
            let hash = Some(hash_of(password, cost));
            let question = Question::Verify { password: secret(password), hash };
            assert_eq!(mill.answer(&question), Answer::Verified(true), "{cost:?}");
            assert!(mill.blocks.capacity() < 128, "{}", mill.blocks.capacity());
        }
    }
}
