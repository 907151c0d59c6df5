//! Who may not: the table of the bans and mutes of one place, a room or everywhere.
//!
//! Promises: looking somebody up costs the same however many there are; what has ended is as if it
//! were not there, and goes when room is needed. A table is bounded by whoever adds to it.
//! Deliberately tells nobody anything and forbids nothing: the rules in `moderate` do.

use std::collections::{BTreeMap, BTreeSet};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::{ConnId, Origin};

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

/// The network that somebody typed: an address, or one with the length of its prefix. What is
/// mapped into IPv6 is IPv4; what stands behind the prefix is dropped. An IPv6 address means the
/// /64 that it is in, of which whoever has one has all.
pub fn network(text: &str) -> Option<IpNet> {
    if text.contains('/') {
        return text.parse().ok().map(canonical);
    }
    let single = |length: u8| format!("{text}/{length}").parse().ok().map(canonical);
    match single(128).or_else(|| single(32))? {
        IpNet::V6(it) => Ipv6Net::new(it.addr(), HOUSE_PREFIX).ok().map(|it| it.trunc().into()),
        it => Some(it),
    }
}

/// A network without what stands behind its prefix, and as IPv4 if it is mapped into IPv6.
pub fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(it) = network
        && let (Some(mapped), Some(length)) =
            (it.addr().to_ipv4_mapped(), it.prefix_len().checked_sub(MAPPED_PREFIX))
        && let Ok(mapped) = Ipv4Net::new(mapped, length)
    {
        return mapped.trunc().into();
    }
    network.trunc()
}

impl Origin {
    /// What is known of the address, as it can be banned: an IPv4 address, or the /64
    /// of an IPv6 one.
    pub fn network(self) -> IpNet {
        match u32::try_from(self.0 ^ MAPPED) {
            Ok(address) => Ipv4Net::new_assert(address.into(), 32).into(),
            Err(_) => {
                let address = u128::from(self.0) << 64;
                Ipv6Net::new_assert(address.into(), HOUSE_PREFIX).into()
            }
        }
    }

    /// Whether somebody who comes from there may be in that network. Of an IPv6 address the first
    /// half is known: beyond that, whoever shares it is taken for the same.
    pub fn is_in(self, network: IpNet) -> bool {
        let (first, own) = match network {
            IpNet::V4(it) => (u64::from(u32::from(it.addr())), u32::try_from(self.0 ^ MAPPED)),
            // What is mapped is IPv4, and in no network of IPv6.
            IpNet::V6(_) if self.0 >> 32 == MAPPED >> 32 => return false,
            IpNet::V6(it) => {
                let shift = 64_u32.saturating_sub(u32::from(it.prefix_len()));
                let half = (u128::from(it.addr()) >> 64) as u64;
                return (half ^ self.0).checked_shr(shift).unwrap_or(0) == 0;
            }
        };
        let shift = 32 - u32::from(network.prefix_len());
        own.is_ok_and(|own| (first ^ u64::from(own)).checked_shr(shift).unwrap_or(0) == 0)
    }
}

/// What an IPv4 address has before it in the key of where somebody comes from: the last half of
/// that address, mapped into IPv6.
const MAPPED: u64 = 0xffff << 32;

/// The length of the prefix that somebody who has an IPv6 address shares with nobody.
const HOUSE_PREFIX: u8 = 64;

/// The length of the prefix under which IPv4 is mapped into IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// A network as it is shown, and read again: one of a single IPv4 address as that.
pub fn shown(network: IpNet) -> String {
    match network {
        IpNet::V4(it) if it.prefix_len() == it.max_prefix_len() => it.addr().to_string(),
        _ => network.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::IpAddr;

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
    fn a_network_is_read_as_what_it_is() {
        for (typed, read) in [
            ("10.1.2.3", Some("10.1.2.3")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("010.001.002.003", Some("10.1.2.3")),
            ("010.001.002.003/8", Some("10.0.0.0/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("::ffff:10.1.2.3", Some("10.1.2.3")),
            ("::ffff:10.1.2.3/112", Some("10.1.0.0/16")),
            ("::/0", Some("::/0")),
            ("2001:db8::7", Some("2001:db8::/64")),
            ("2001:db8::7/128", Some("2001:db8::7/128")),
            ("::ffff:10.1.2.3/128", Some("10.1.2.3")),
            ("2001:db8::7/32", Some("2001:db8::/32")),
            ("10.1.2", None),
            ("10.1.2.3/33", None),
            ("alice", None),
            ("", None),
        ] {
            assert_eq!(network(typed).map(shown).as_deref(), read, "{typed}");
        }
    }

    #[test]
    fn where_somebody_comes_from_is_shown_as_it_is_banned() {
        for typed in ["192.0.2.7", "0.0.0.0", "2001:db8::7", "::1"] {
            let network = network(typed).unwrap();
            let address = match network.addr() {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            let bits = u128::from(address);
            let is_v4 = matches!(network, IpNet::V4(_));
            let origin = Origin(if is_v4 { bits as u64 } else { (bits >> 64) as u64 });
            assert_eq!(origin.network(), network, "{typed}");
            assert!(origin.is_in(network), "{typed}");
        }
    }

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
