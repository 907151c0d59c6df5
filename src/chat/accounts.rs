//! Names that are somebody's: the table of accounts, who is logged in, and what slows down who
//! guesses.
//!
//! Promises: a name has one account at most, an account one connection; serial numbers are never
//! given twice. Deliberately knows no password, only hashes that it neither makes nor verifies, and
//! tells nobody anything: the rules beside this file do.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::time::Duration;

use super::kept::{Bot, KeptAccount, KeptSettings};
use super::keyed::Keyed;
use super::lock::Tries;
use super::name::{NamesInUse, Nick, Verdict};
use super::pace::{Pace, Rate};
use super::{ConnId, Origin};

/// Tries at one account's password, wherever they come from: twenty, then one in 5 seconds. They do
/// not hold up an owner at the address from which the right one came last.
const TRIES_FROM_ANYWHERE: Rate = Rate { every: Duration::from_secs(5), burst: 20 };

/// Tries from one address at all passwords together; those at one of them are fewer ([`Tries`]).
const TRIES_FROM_HERE: Rate = Rate { every: Duration::from_secs(1), burst: 20 };

/// One account.
#[derive(Debug)]
pub struct Account {
    /// Its serial number.
    pub serial: u64,
    /// The name.
    pub nick: Nick,
    /// The password's hash, in the PHC string format.
    pub hash: Box<str>,
    /// The last line that the owner was told before leaving.
    pub seen: u64,
    /// The serial numbers of the rooms that the owner is in, in the order of entering.
    pub rooms: Vec<u64>,
    /// How many direct messages wait.
    pub directs: usize,
    /// The connection that is logged in; none of a token.
    pub conn: Option<ConnId>,
    /// How the owner wants to be served.
    pub settings: KeptSettings,
    /// The settings have changed while nothing could be kept, and are to be given away again.
    pub are_settings_due: bool,
    /// The serial numbers of the tokens that belong to it.
    pub tokens: Vec<u64>,
    /// What it is a token for; `None` where it is a person's.
    pub bot: Option<Box<Bot>>,
    /// How many connections use it as a token.
    pub connections: usize,
    /// Where the right password came from last.
    known: Option<Origin>,
    tries: Pace,
    tries_by_origin: Tries,
}

impl Account {
    /// Whether it is a token.
    pub fn is_bot(&self) -> bool {
        self.bot.is_some()
    }
}

/// All accounts.
#[derive(Debug)]
pub struct Accounts {
    by_serial: BTreeMap<u64, Account>,
    names: NamesInUse<u64>,
    next_serial: u64,
    tries: Tries,
    key: Keyed,
    /// Tries at names that no person owns, where that is not to be told: by name and address, and
    /// by name.
    tries_at_nobody: [Tries; 2],
}

impl Accounts {
    /// The accounts that were kept; names are hashed with that key. A token that is nobody's is
    /// left out.
    pub fn restore(key: Keyed, kept: &[KeptAccount], next_serial: u64) -> Accounts {
        let mut accounts = Accounts {
            by_serial: BTreeMap::new(),
            names: NamesInUse::new(key),
            next_serial: next_serial.max(1),
            tries: Tries::new(),
            key,
            tries_at_nobody: Default::default(),
        };
        // Whoever a token belongs to comes first.
        let (tokens, people): (Vec<_>, Vec<_>) = kept.iter().partition(|it| it.bot.is_some());
        for kept in people.into_iter().chain(tokens) {
            let is_of_person = |bot: &Bot| accounts.find(bot.owner).is_some_and(|it| !it.is_bot());
            if !kept.bot.as_ref().is_none_or(is_of_person) {
                continue;
            }
            let Ok(nick) = Nick::parse(&kept.nick, None) else { continue };
            if accounts.named(nick.key()).is_some() {
                continue;
            }
            let account = accounts.insert(kept.serial, nick, &kept.hash);
            account.seen = kept.seen;
            account.rooms.clone_from(&kept.rooms);
            account.directs = kept.directs;
            account.settings = kept.settings;
            if let Some(bot) = &kept.bot {
                accounts.belong(kept.serial, bot.clone());
            }
        }
        accounts
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.by_serial.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_serial.is_empty()
    }

    /// Makes an account. The name must be nobody's.
    pub fn add(&mut self, nick: Nick, hash: &str) -> &mut Account {
        let serial = self.next_serial;
        self.insert(serial, nick, hash)
    }

    /// Makes a token. The name must be nobody's, and its owner there.
    pub fn add_token(&mut self, nick: Nick, hash: &str, bot: Bot) -> u64 {
        let serial = self.add(nick, hash).serial;
        self.belong(serial, bot);
        serial
    }

    /// An account that was just made is a token.
    fn belong(&mut self, serial: u64, bot: Bot) {
        if let Some(owner) = self.by_serial.get_mut(&bot.owner) {
            owner.tokens.push(serial);
        }
        if let Some(token) = self.by_serial.get_mut(&serial) {
            token.bot = Some(Box::new(bot));
        }
    }

    fn insert(&mut self, serial: u64, nick: Nick, hash: &str) -> &mut Account {
        self.next_serial = self.next_serial.max(serial + 1);
        self.names.insert(nick.name(), serial);
        let account = Account {
            serial,
            nick,
            hash: hash.into(),
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            conn: None,
            settings: KeptSettings::default(),
            are_settings_due: false,
            tokens: Vec::new(),
            bot: None,
            connections: 0,
            known: None,
            tries: Pace::new(),
            tries_by_origin: Tries::new(),
        };
        self.by_serial.entry(serial).or_insert(account)
    }

    /// Takes out an account. It must have no tokens.
    pub fn remove(&mut self, serial: u64) {
        let Some(account) = self.by_serial.remove(&serial) else { return };
        self.names.remove(account.nick.name(), serial);
        let owner = account.bot.and_then(|bot| self.by_serial.get_mut(&bot.owner));
        if let Some(owner) = owner {
            owner.tokens.retain(|token| *token != serial);
        }
    }

    /// An account that may be gone.
    pub fn find(&self, serial: u64) -> Option<&Account> {
        self.by_serial.get(&serial)
    }

    /// An account that may be gone, to change it.
    pub fn find_mut(&mut self, serial: u64) -> Option<&mut Account> {
        self.by_serial.get_mut(&serial)
    }

    /// All of them, to change them.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Account> {
        self.by_serial.values_mut()
    }

    /// The account whose name has this key.
    pub fn named(&self, key: &str) -> Option<u64> {
        self.names.find(key, |serial| self.key(serial))
    }

    /// Whether a name is somebody's, or looks like one that is.
    pub fn verdict(&self, nick: &Nick) -> Verdict<u64> {
        self.names.verdict(nick.name(), None, |serial| self.key(serial))
    }

    fn key(&self, serial: u64) -> &str {
        self.by_serial[&serial].nick.key()
    }

    /// Takes a try at an account's password (or at making one, where there is none), or says how
    /// long to wait for the next one. `now` is the time since the start. A token cannot be guessed,
    /// and jobs of one machine use it together: its tries are counted by where they come from only.
    pub fn take_try(
        &mut self,
        serial: Option<u64>,
        origin: Origin,
        now: Duration,
    ) -> Result<(), Duration> {
        self.tries.take_at(TRIES_FROM_HERE, origin, now)?;
        let account = serial.and_then(|serial| self.by_serial.get_mut(&serial));
        let Some(account) = account.filter(|account| !account.is_bot()) else { return Ok(()) };
        account.tries_by_origin.take(origin, now)?;
        if account.known != Some(origin) {
            let taken = account.tries.take(TRIES_FROM_ANYWHERE, now);
            taken.map_err(|at| at.saturating_sub(now))?;
        }
        Ok(())
    }

    /// Takes a try at the password of a name that nobody owns: as many as if somebody did.
    pub fn take_try_at_nobody(
        &mut self,
        key: &str,
        origin: Origin,
        now: Duration,
    ) -> Result<(), Duration> {
        self.tries.take_at(TRIES_FROM_HERE, origin, now)?;
        let (pair, name) = (self.key.hash_one((key, origin)), self.key.hash_one(key));
        let [by_origin, from_anywhere] = &mut self.tries_at_nobody;
        by_origin.take(Origin(pair), now)?;
        from_anywhere.take_at(TRIES_FROM_ANYWHERE, Origin(name), now)
    }

    /// The password was right, for it is a bot's: the try is given back.
    pub fn forgive_at_nobody(&mut self, key: &str, origin: Origin) {
        let (pair, name) = (self.key.hash_one((key, origin)), self.key.hash_one(key));
        let [by_origin, from_anywhere] = &mut self.tries_at_nobody;
        by_origin.forgive(Origin(pair));
        from_anywhere.forgive_at(TRIES_FROM_ANYWHERE, Origin(name));
    }

    /// The password was right: the try is given back.
    pub fn forgive(&mut self, serial: u64, origin: Origin) {
        self.tries.forgive_at(TRIES_FROM_HERE, origin);
        let account = self.by_serial.get_mut(&serial);
        if let Some(account) = account.filter(|account| !account.is_bot()) {
            account.tries_by_origin.forgive(origin);
            if account.known != Some(origin) {
                account.tries.give_back(TRIES_FROM_ANYWHERE);
            }
            account.known = Some(origin);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn accounts() -> Accounts {
        Accounts::restore(Keyed::new([1; 16]), &[], 0)
    }

    fn nick(text: &str) -> Nick {
        Nick::parse(text, None).unwrap()
    }

    #[test]
    fn a_serial_number_is_never_given_twice() {
        let mut accounts = accounts();
        let first = accounts.add(nick("alice"), "hash").serial;
        accounts.remove(first);
        let second = accounts.add(nick("Alice"), "hash").serial;
        assert!(second > first);
        assert_eq!(accounts.named("alice"), Some(second));
        assert_eq!(accounts.len(), 1);
    }

    #[test]
    fn a_token_belongs_to_a_person() {
        let kept = |serial, nick: &str, owner: Option<u64>| KeptAccount {
            serial,
            nick: nick.to_owned(),
            hash: "hash".to_owned(),
            unix: 0,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            settings: KeptSettings::default(),
            bot: owner.map(|owner| Bot { owner, rooms: Vec::new(), rate: None }),
        };
        let all = [
            kept(1, "deploy", Some(2)),
            kept(2, "alice", None),
            kept(3, "stray", Some(9)),
            kept(4, "nested", Some(1)),
        ];
        let mut accounts = Accounts::restore(Keyed::new([1; 16]), &all, 5);
        assert_eq!(accounts.len(), 2, "what is nobody's token is not there");
        assert_eq!(accounts.find(2).unwrap().tokens, [1]);
        let bot = Bot { owner: 2, rooms: Vec::new(), rate: None };
        assert_eq!(accounts.add_token(nick("ci"), "hash", bot), 5);
        assert_eq!(accounts.find(2).unwrap().tokens, [1, 5]);
        accounts.remove(1);
        assert_eq!(accounts.find(2).unwrap().tokens, [5]);
        assert_eq!(accounts.named("deploy"), None);
    }

    #[test]
    fn jobs_that_use_one_token_do_not_wait_for_each_other() {
        let mut accounts = accounts();
        let owner = accounts.add(nick("alice"), "hash").serial;
        let bot = Bot { owner, rooms: Vec::new(), rate: None };
        let token = accounts.add_token(nick("ci"), "hash", bot);
        for _ in 0..20 {
            assert_eq!(accounts.take_try(Some(token), Origin(1), Duration::ZERO), Ok(()));
        }
        let wait = Err(Duration::from_secs(1));
        assert_eq!(accounts.take_try(Some(token), Origin(1), Duration::ZERO), wait);
        accounts.forgive(token, Origin(1));
        assert_eq!(accounts.take_try(Some(token), Origin(1), Duration::ZERO), Ok(()));
    }

    #[test]
    fn a_name_that_nobody_owns_is_guessed_at_as_slowly() {
        let mut accounts = accounts();
        let serial = accounts.add(nick("alice"), "hash").serial;
        let mut here = Vec::new();
        for (round, now) in [0, 0, 0, 0, 0, 0, 4, 5, 5, 30].into_iter().enumerate() {
            let now = Duration::from_secs(now);
            let owned = accounts.take_try(Some(serial), Origin(1), now);
            assert_eq!(accounts.take_try_at_nobody("bob", Origin(2), now), owned, "{round}");
            here.push(owned.is_ok());
        }
        assert!(here.contains(&true) && here.contains(&false));
        let mut anywhere = Vec::new();
        for guesser in 3..40 {
            let owned = accounts.take_try(Some(serial), Origin(guesser), Duration::from_secs(99));
            let nobodys =
                accounts.take_try_at_nobody("bob", Origin(guesser + 99), Duration::from_secs(99));
            assert_eq!(nobodys, owned, "{guesser}");
            anywhere.push(owned.is_ok());
        }
        assert!(anywhere.contains(&true) && anywhere.contains(&false));
        accounts.forgive_at_nobody("bob", Origin(102));
        let now = Duration::from_secs(99);
        assert_eq!(accounts.take_try_at_nobody("bob", Origin(102), now), Ok(()));
    }

    #[test]
    fn what_looks_like_an_owned_name_is_known() {
        let mut accounts = accounts();
        let serial = accounts.add(nick("coco"), "hash").serial;
        assert_eq!(accounts.verdict(&nick("COCO")), Verdict::Taken(serial));
        assert_eq!(accounts.verdict(&nick("сосо")), Verdict::Confusable(serial), "Cyrillic");
        assert_eq!(accounts.verdict(&nick("bob")), Verdict::Free);
    }

    #[test]
    fn guessers_wait_and_the_owner_does_not() {
        let mut accounts = accounts();
        let serial = accounts.add(nick("alice"), "hash").serial;
        let (home, now) = (Origin(0), Duration::ZERO);
        assert_eq!(accounts.take_try(Some(serial), home, now), Ok(()));
        accounts.forgive(serial, home);
        for guesser in 1..=20 {
            assert_eq!(accounts.take_try(Some(serial), Origin(guesser), now), Ok(()));
        }
        let wait = Duration::from_secs(5);
        assert_eq!(accounts.take_try(Some(serial), Origin(99), now), Err(wait));
        assert_eq!(accounts.take_try(Some(serial), home, now), Ok(()));
        for _ in 0..4 {
            assert_eq!(accounts.take_try(Some(serial), home, now), Ok(()));
        }
        assert_eq!(accounts.take_try(Some(serial), home, now), Err(wait), "guessed from there");
        while accounts.take_try(None, Origin(7), now).is_ok() {}
        assert_eq!(accounts.take_try(None, Origin(7), now), Err(Duration::from_secs(1)));
    }
}
