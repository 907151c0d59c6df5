//! Who may not: the table of the bans and mutes of one place, a room or everywhere.
//!
//! Promises: looking somebody up costs the same however many there are; what has ended is as if it
//! were not there, and goes when room is needed. A table is bounded by whoever adds to it.
//! Deliberately tells nobody anything and forbids nothing: the rules in `moderate` do.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::ConnId;

/// The most bans and mutes of one room.
pub const OF_ROOM_MAX: usize = 250;

/// The most bans and mutes of the whole server.
pub const EVERYWHERE_MAX: usize = 100_000;

/// The most connections that one ban or mute of a name holds for, whatever name they take; beyond
/// that any of them goes.
const CONNS_MAX: usize = 32;

/// What somebody may not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Be there.
    Ban,
    /// Speak there.
    Mute,
}

/// Who may not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// The owner of that account under each name, and its tokens.
    Account(u64),
    /// Whoever has the name with that key.
    Nick(String),
    /// Whoever comes from there.
    Network(IpNet),
}

/// One ban or mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sanction {
    /// Which of the two.
    pub kind: Kind,
    /// Who may not.
    pub target: Target,
    /// That, as it is shown.
    pub name: String,
    /// When it ends, in seconds since 1970 UTC; `None` for never.
    pub end: Option<i64>,
    /// The reason that was given; at most [`super::moderate::WHY_BYTES_MAX`] bytes.
    pub why: Option<String>,
    /// Who did it: the name of their account, if they had one.
    pub by: String,
    /// When, in seconds since 1970 UTC.
    pub unix: i64,
}

impl Sanction {
    /// Whether it still holds.
    pub fn holds(&self, unix: i64) -> bool {
        self.end.is_none_or(|end| unix < end)
    }
}

/// Somebody, as a table knows them.
#[derive(Clone, Copy, Debug)]
pub struct Person<'a> {
    /// The connection; none of who is not here.
    pub conn: Option<ConnId>,
    /// The account, and for a bot whose it is.
    pub accounts: [Option<u64>; 2],
    /// The name's key, if there is a name.
    pub nick: Option<&'a str>,
}

/// The bans, or the mutes, of one place.
#[derive(Debug, Default)]
struct List {
    accounts: BTreeMap<u64, Sanction>,
    nicks: BTreeMap<String, Sanction>,
    networks: BTreeMap<IpNet, Sanction>,
    /// The connections of guests, by which they are known under another name too: each with a key
    /// under which it was added.
    conns: BTreeSet<(ConnId, String)>,
    /// How many networks there are of each length of their prefix, IPv6 apart.
    lengths: BTreeMap<(bool, u8), usize>,
}

impl List {
    fn len(&self) -> usize {
        self.accounts.len() + self.nicks.len() + self.networks.len()
    }

    fn of(&self, person: Person<'_>) -> impl Iterator<Item = &Sanction> {
        let accounts = person.accounts.into_iter().flatten();
        let by_account = accounts.filter_map(|account| self.accounts.get(&account));
        let by_nick = person.nick.and_then(|nick| self.nicks.get(nick));
        let by_conn = person.conn.into_iter().flat_map(|conn| self.of_conn(conn));
        by_account.chain(by_nick).chain(by_conn)
    }

    fn covering(&self, address: IpNet) -> impl Iterator<Item = &Sanction> {
        self.lengths.keys().filter_map(move |(is_v6, length)| {
            let network = match address {
                IpNet::V4(it) if !is_v6 => Ipv4Net::new(it.addr(), *length).ok()?.trunc().into(),
                IpNet::V6(it) if *is_v6 => Ipv6Net::new(it.addr(), *length).ok()?.trunc().into(),
                _ => return None,
            };
            self.networks.get(&network)
        })
    }

    /// Those that a connection was added under.
    fn of_conn(&self, conn: ConnId) -> impl Iterator<Item = &Sanction> {
        let keys = self.conns.range((conn, String::new())..).take_while(move |it| it.0 == conn);
        keys.filter_map(|(_, key)| self.nicks.get(key))
    }

    /// Whom it held for already, it holds for still.
    fn insert(&mut self, sanction: Sanction, conn: Option<ConnId>) {
        match sanction.target.clone() {
            Target::Account(account) => _ = self.accounts.insert(account, sanction),
            Target::Nick(nick) => {
                if let Some(conn) = conn {
                    self.hold_for(conn, &nick);
                }
                self.nicks.insert(nick, sanction);
            }
            Target::Network(network) => {
                if self.networks.insert(network, sanction).is_none() {
                    *self.lengths.entry(length_of(network)).or_default() += 1;
                }
            }
        }
    }

    fn hold_for(&mut self, conn: ConnId, nick: &str) {
        let mut others = self.conns.iter().filter(|(_, key)| key == nick);
        if let Some(one) = others.nth(CONNS_MAX - 1).cloned() {
            self.conns.remove(&one);
        }
        self.conns.insert((conn, nick.to_owned()));
    }

    fn find(&self, target: &Target) -> Option<&Sanction> {
        match target {
            Target::Account(account) => self.accounts.get(account),
            Target::Nick(nick) => self.nicks.get(nick),
            Target::Network(network) => self.networks.get(network),
        }
    }

    fn remove(&mut self, target: &Target) -> Option<Sanction> {
        match target {
            Target::Account(account) => self.accounts.remove(account),
            Target::Nick(nick) => {
                let removed = self.nicks.remove(nick)?;
                self.conns.retain(|(_, key)| key != nick);
                Some(removed)
            }
            Target::Network(network) => {
                let removed = self.networks.remove(network)?;
                let length = length_of(*network);
                let count = self.lengths.get_mut(&length).expect("its length was counted");
                *count -= 1;
                if *count == 0 {
                    self.lengths.remove(&length);
                }
                Some(removed)
            }
        }
    }

    fn iter(&self) -> impl Iterator<Item = &Sanction> {
        self.accounts.values().chain(self.nicks.values()).chain(self.networks.values())
    }
}

fn length_of(network: IpNet) -> (bool, u8) {
    (matches!(network, IpNet::V6(_)), network.prefix_len())
}

/// The bans and mutes of one place.
#[derive(Debug, Default)]
pub struct Sanctions {
    bans: List,
    mutes: List,
}

impl Sanctions {
    /// How many there are, those that have ended included.
    pub fn len(&self) -> usize {
        self.bans.len() + self.mutes.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn list(&self, kind: Kind) -> &List {
        match kind {
            Kind::Ban => &self.bans,
            Kind::Mute => &self.mutes,
        }
    }

    fn list_mut(&mut self, kind: Kind) -> &mut List {
        match kind {
            Kind::Ban => &mut self.bans,
            Kind::Mute => &mut self.mutes,
        }
    }

    /// What keeps somebody from that, in the second `unix` since 1970 UTC.
    pub fn of(&self, kind: Kind, person: Person<'_>, unix: i64) -> Option<&Sanction> {
        self.list(kind).of(person).find(|it| it.holds(unix))
    }

    /// What keeps out whoever comes from that address, a network of one, at that time.
    pub fn covering(&self, address: IpNet, unix: i64) -> Option<&Sanction> {
        self.bans.covering(address).find(|it| it.holds(unix))
    }

    /// Adds one, in the place of one that was there for the same target; of a guest's name with the
    /// connection, which it holds for too, as it does for those that it held for before.
    pub fn insert(&mut self, sanction: Sanction, conn: Option<ConnId>) {
        self.list_mut(sanction.kind).insert(sanction, conn);
    }

    /// That very one, if it is there and has not ended.
    pub fn find(&self, kind: Kind, target: &Target, unix: i64) -> Option<&Sanction> {
        self.list(kind).find(target).filter(|it| it.holds(unix))
    }

    /// Takes one out, if it is there.
    pub fn remove(&mut self, kind: Kind, target: &Target) -> Option<Sanction> {
        self.list_mut(kind).remove(target)
    }

    /// An account is gone: what was done to its owner holds for the name with that key from now on,
    /// and for the connection that was logged in. Those that are new.
    pub fn unname(&mut self, account: u64, key: &str, conn: Option<ConnId>) -> Vec<Sanction> {
        let mut added = Vec::new();
        for list in [&mut self.bans, &mut self.mutes] {
            let Some(sanction) = list.accounts.remove(&account) else { continue };
            let sanction = Sanction { target: Target::Nick(key.to_owned()), ..sanction };
            let ends = |it: &Sanction| it.end.unwrap_or(i64::MAX);
            match list.nicks.get(key) {
                // It held for whoever has the name, which nobody could take.
                Some(other) if ends(other) >= ends(&sanction) => {
                    conn.into_iter().for_each(|conn| list.hold_for(conn, key));
                }
                _ => {
                    list.insert(sanction.clone(), conn);
                    added.push(sanction);
                }
            }
        }
        added
    }

    /// Takes out what has ended.
    pub fn expire(&mut self, unix: i64) {
        for list in [&mut self.bans, &mut self.mutes] {
            let over = list.iter().filter(|it| !it.holds(unix)).map(|it| it.target.clone());
            for target in over.collect::<Vec<_>>() {
                list.remove(&target);
            }
        }
    }

    /// All of that kind, those that have ended included.
    pub fn iter(&self, kind: Kind) -> impl Iterator<Item = &Sanction> {
        self.list(kind).iter()
    }

    /// All that name the same as somebody, whatever they are kept under.
    pub fn targets_of(&self, kind: Kind, person: Person<'_>) -> Vec<Target> {
        let mut targets: Vec<_> = self.list(kind).of(person).map(|it| it.target.clone()).collect();
        targets.sort_unstable();
        targets.dedup();
        targets
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::IpAddr;

    use super::super::network::network;
    use super::*;

    fn sanction(kind: Kind, target: Target, end: Option<i64>) -> Sanction {
        let (name, by) = (String::new(), String::new());
        Sanction { kind, target, name, end, why: None, by, unix: 0 }
    }

    fn ban(target: Target) -> Sanction {
        sanction(Kind::Ban, target, None)
    }

    const NOBODY: Person<'_> = Person { conn: None, accounts: [None; 2], nick: None };

    #[test]
    fn an_address_is_covered_by_each_network_that_it_is_in() {
        let mut table = Sanctions::default();
        for typed in ["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"] {
            table.insert(ban(Target::Network(network(typed).unwrap())), None);
        }
        let covers = |table: &Sanctions, address: &str| {
            let address: IpAddr = address.parse().unwrap();
            table.covering(address.to_canonical().into(), 0).is_some()
        };
        for address in ["10.200.0.1", "192.0.2.7", "::ffff:10.0.0.1", "2001:db8:1::1"] {
            assert!(covers(&table, address), "{address}");
        }
        for address in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::a00:1"] {
            assert!(!covers(&table, address), "{address}");
        }
        let target = Target::Network(network("10.0.0.0/8").unwrap());
        assert!(table.remove(Kind::Ban, &target).is_some());
        assert!(!covers(&table, "10.0.0.1") && covers(&table, "192.0.2.7"));
    }

    #[test]
    fn a_guest_is_known_by_name_and_by_connection() {
        let mut table = Sanctions::default();
        let conn = ConnId::new(3, 1);
        table.insert(ban(Target::Nick("bob".into())), Some(conn));
        let is_banned = |table: &Sanctions, person| table.of(Kind::Ban, person, 0).is_some();
        let renamed = Person { conn: Some(conn), nick: Some("rob"), ..NOBODY };
        assert!(is_banned(&table, renamed));
        assert!(is_banned(&table, Person { nick: Some("bob"), ..NOBODY }));
        assert!(!is_banned(&table, Person { conn: Some(ConnId::new(3, 2)), ..renamed }));
        assert_eq!(table.of(Kind::Mute, renamed, 0), None);
        assert_eq!(table.targets_of(Kind::Ban, renamed), [Target::Nick("bob".into())]);
        table.remove(Kind::Ban, &Target::Nick("bob".into()));
        assert!(!is_banned(&table, renamed));
    }

    #[test]
    fn a_connection_is_known_until_what_it_was_added_under_is_gone() {
        let mut table = Sanctions::default();
        let conn = |number| ConnId::new(number, 0);
        let is_banned = |table: &Sanctions, number| {
            let person = Person { conn: Some(conn(number)), nick: Some("other"), ..NOBODY };
            table.of(Kind::Ban, person, 0).is_some()
        };
        for number in [1, 2, 2] {
            table.insert(ban(Target::Nick("bob".into())), Some(conn(number)));
        }
        assert!(is_banned(&table, 1) && is_banned(&table, 2));
        table.insert(ban(Target::Nick("rob".into())), Some(conn(1)));
        table.remove(Kind::Ban, &Target::Nick("rob".into()));
        assert!(is_banned(&table, 1) && is_banned(&table, 2));
        table.remove(Kind::Ban, &Target::Nick("bob".into()));
        assert!(!is_banned(&table, 1) && !is_banned(&table, 2));
        for number in 0..2 * CONNS_MAX as u32 {
            table.insert(ban(Target::Nick("bob".into())), Some(conn(number)));
        }
        let banned = (0..2 * CONNS_MAX as u32).filter(|number| is_banned(&table, *number));
        assert_eq!(banned.count(), CONNS_MAX);
        assert!(is_banned(&table, 2 * CONNS_MAX as u32 - 1), "the last one is known");
    }

    #[test]
    fn what_was_done_to_an_account_holds_for_its_name_when_it_is_gone() {
        let mut table = Sanctions::default();
        let conn = ConnId::new(3, 1);
        table.insert(sanction(Kind::Ban, Target::Account(1), Some(50)), None);
        table.insert(sanction(Kind::Mute, Target::Account(1), None), None);
        table.insert(sanction(Kind::Mute, Target::Account(2), None), None);
        table.insert(sanction(Kind::Ban, Target::Nick("bob".into()), Some(99)), None);
        let added = table.unname(1, "bob", Some(conn));
        assert_eq!(added, [sanction(Kind::Mute, Target::Nick("bob".into()), None)]);
        assert_eq!(table.len(), 3);
        for person in [
            Person { nick: Some("bob"), ..NOBODY },
            Person { conn: Some(conn), nick: Some("rob"), ..NOBODY },
        ] {
            assert_eq!(table.of(Kind::Ban, person, 98).and_then(|it| it.end), Some(99));
            assert!(table.of(Kind::Mute, person, 0).is_some());
        }
    }

    #[test]
    fn a_second_name_does_not_free_from_what_was_done_under_the_first() {
        let mut table = Sanctions::default();
        let conn = ConnId::new(3, 1);
        table.insert(ban(Target::Nick("bob".into())), Some(conn));
        let brief = sanction(Kind::Ban, Target::Nick("rob".into()), Some(5));
        table.insert(brief, Some(conn));
        let person = Person { conn: Some(conn), nick: Some("eve"), ..NOBODY };
        let names = [Target::Nick("bob".into()), Target::Nick("rob".into())];
        assert_eq!(table.targets_of(Kind::Ban, person), names);
        assert!(table.of(Kind::Ban, person, 9).is_some());
        table.expire(9);
        assert!(table.of(Kind::Ban, person, 9).is_some());
        table.remove(Kind::Ban, &names[0]);
        assert_eq!(table.of(Kind::Ban, person, 9), None);
    }

    #[test]
    fn a_bot_is_known_by_whose_it_is() {
        let mut table = Sanctions::default();
        table.insert(sanction(Kind::Mute, Target::Account(1), None), None);
        let is_muted = |accounts| table.of(Kind::Mute, Person { accounts, ..NOBODY }, 0).is_some();
        assert!(is_muted([Some(1), None]) && is_muted([Some(2), Some(1)]));
        assert!(!is_muted([Some(2), Some(3)]) && !is_muted([None, None]));
    }

    #[test]
    fn what_has_ended_is_not_there() {
        let mut table = Sanctions::default();
        let target = Target::Nick("bob".into());
        let person = Person { nick: Some("bob"), ..NOBODY };
        table.insert(sanction(Kind::Ban, target.clone(), Some(100)), None);
        assert!(table.of(Kind::Ban, person, 99).is_some());
        assert_eq!(table.of(Kind::Ban, person, 100), None);
        table.expire(99);
        assert_eq!(table.len(), 1);
        table.expire(100);
        assert!(table.is_empty());
        table.insert(sanction(Kind::Ban, target.clone(), Some(100)), None);
        assert_eq!(table.find(Kind::Ban, &target, 100), None);
        assert!(table.find(Kind::Ban, &target, 99).is_some());
    }

    #[test]
    fn another_one_takes_the_place_of_the_first() {
        let mut table = Sanctions::default();
        let target = Target::Network(network("10.0.0.0/8").unwrap());
        table.insert(ban(target.clone()), None);
        table.insert(sanction(Kind::Ban, target.clone(), Some(5)), None);
        assert_eq!((table.len(), table.iter(Kind::Ban).count()), (1, 1));
        table.expire(5);
        assert_eq!(table.covering(network("10.0.0.1").unwrap(), 0), None);
    }
}
