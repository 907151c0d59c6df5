//! Who may do what: operators of a room, its owner, and operators of the server.
//!
//! Promises: a rank is that of the account that somebody is logged in to, never that of a name that
//! they merely have, nor that of a token; whoever may do something in a room as its owner may do it
//! as an operator of the server in every room. Deliberately does nothing itself: the rules beside
//! this file ask it.

use std::collections::BTreeSet;

use super::event::Refusal;
use super::name::{Nick, key_of};
use super::room::RoomId;
use super::{Chat, ConnId};

/// What somebody is at some place; a higher one may do all that a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Nothing out of the ordinary.
    Nobody,
    /// The owner of the room has made them an operator of it.
    RoomOperator,
    /// They have made the room.
    RoomOwner,
    /// The configuration names them.
    ServerOperator,
}

/// Where somebody is something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the whole server.
    Everywhere,
    /// In that room.
    Room(RoomId),
}

/// The operators of the server: the keys of the names of their accounts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Operators(BTreeSet<Box<str>>);

impl Operators {
    /// Those names, as typed.
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Operators {
        Operators(names.into_iter().map(|name| key_of(name).into()).collect())
    }

    /// Whether that name is one of theirs, whoever has it.
    pub fn has(&self, nick: &Nick) -> bool {
        self.0.contains(nick.key())
    }

    /// The keys of their names.
    fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|key| &**key)
    }
}

impl Chat {
    /// The keys of the names that operators of the server should have, and that no person owns.
    pub fn operators_unknown(&self) -> impl Iterator<Item = &str> {
        let accounts = &self.accounts;
        let account = |key: &str| accounts.find(accounts.named(key)?);
        let is_owned = move |key: &str| account(key).is_some_and(|it| !it.is_bot());
        self.limits.operators.keys().filter(move |key| !is_owned(key))
    }

    /// What somebody is at a place. A room that is gone is nobody's; who is banned from one is
    /// nothing there, unless they are an operator of the server.
    pub fn rank_in(&self, conn: ConnId, place: Place) -> Rank {
        let account = self.users.find(conn).and_then(|user| user.account());
        let rank = account.map_or(Rank::Nobody, |account| self.rank_of(account, place));
        match (place, rank) {
            (Place::Room(id), Rank::RoomOperator | Rank::RoomOwner)
                if self.check_not_banned(conn, id).is_err() =>
            {
                Rank::Nobody
            }
            _ => rank,
        }
    }

    /// Whether somebody who has a rank in a room may use it: who is muted there or everywhere does
    /// nothing of which others are told, unless they are an operator of the server.
    pub(super) fn check_may_rule(&self, conn: ConnId, id: RoomId) -> Result<(), Refusal> {
        match self.rank_in(conn, Place::Room(id)) {
            Rank::ServerOperator => Ok(()),
            _ => self.check_not_muted(conn, id),
        }
    }

    /// What the owner of an account is at a place.
    pub(super) fn rank_of(&self, account: u64, place: Place) -> Rank {
        let Some(it) = self.accounts.find(account).filter(|it| !it.is_bot()) else {
            return Rank::Nobody;
        };
        if self.limits.operators.has(&it.nick) {
            return Rank::ServerOperator;
        }
        let room = match place {
            Place::Everywhere => None,
            Place::Room(id) => self.rooms.find(id),
        };
        match room {
            Some(room) if room.owner == Some(account) => Rank::RoomOwner,
            Some(room) if room.operators.contains(&account) => Rank::RoomOperator,
            _ => Rank::Nobody,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::kept::{Kept, KeptAccount, KeptLock, KeptRoom, KeptSettings};
    use super::super::outbox::Outbox;
    use super::super::{Input, Limits, Now, Origin};
    use super::*;

    const NOW: Now = Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 };

    fn account(serial: u64, nick: &str) -> KeptAccount {
        KeptAccount {
            serial,
            nick: nick.to_owned(),
            hash: String::new(),
            unix: 0,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            settings: KeptSettings::default(),
            bot: None,
        }
    }

    /// A room of the first of three accounts.
    fn chat() -> (Chat, RoomId) {
        let limits =
            Limits { operators: Operators::new(["Cat", "dan"]), is_kept: true, ..Limits::loose() };
        let accounts = ["ann", "bob", "cat"].into_iter().zip(1..);
        let dev = KeptRoom {
            serial: 1,
            name: "dev".to_owned(),
            topic: None,
            lock: KeptLock::Open,
            owner: Some(1),
            has_lines: false,
        };
        let kept = Kept {
            accounts: accounts.map(|(nick, serial)| account(serial, nick)).collect(),
            rooms: vec![dev],
            ..Kept::default()
        };
        let chat = Chat::restore(limits, [0; 16], &kept, NOW);
        let room = chat.rooms.named("dev").unwrap();
        (chat, room)
    }

    #[test]
    fn a_rank_is_that_of_an_account() {
        let (mut chat, room) = chat();
        chat.rooms.at_mut(room).operators.push(2);
        let here = Place::Room(room);
        assert_eq!(chat.rank_of(1, here), Rank::RoomOwner);
        assert_eq!(chat.rank_of(2, here), Rank::RoomOperator);
        assert_eq!(chat.rank_of(3, here), Rank::ServerOperator);
        for account in [1, 2] {
            assert_eq!(chat.rank_of(account, Place::Everywhere), Rank::Nobody);
        }
        assert_eq!(chat.rank_of(3, Place::Everywhere), Rank::ServerOperator);
        assert_eq!(chat.operators_unknown().collect::<Vec<_>>(), ["dan"]);
        chat.set_limits(Limits { operators: Operators::new(["bob"]), ..Limits::loose() });
        assert_eq!(chat.operators_unknown().count(), 0);
        assert_eq!(chat.rank_of(3, here), Rank::Nobody);
        assert_eq!(chat.rank_of(2, Place::Everywhere), Rank::ServerOperator);
    }

    #[test]
    fn a_name_alone_is_no_rank() {
        let (mut chat, room) = chat();
        let conn = ConnId::new(0, 0);
        chat.handle(Input::Open { conn, origin: Origin(0) }, NOW, &mut Outbox::new());
        chat.handle(Input::Line { conn, text: "dan" }, NOW, &mut Outbox::new());
        assert_eq!(chat.nick_of(conn), Some("dan"));
        assert_eq!(chat.rank_in(conn, Place::Everywhere), Rank::Nobody);
        let mut out = Outbox::new();
        chat.handle(Input::Line { conn, text: "/register hunter22" }, NOW, &mut out);
        assert!(format!("{:?}", out.effects()).contains("OperatorsName"));
        chat.users.at_mut(conn).set_account(Some(3));
        assert_eq!(chat.rank_in(conn, Place::Room(room)), Rank::ServerOperator);
        assert_eq!(chat.rank_in(ConnId::new(1, 0), Place::Everywhere), Rank::Nobody, "is gone");
    }
}
