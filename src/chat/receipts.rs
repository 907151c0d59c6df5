//! Receipts of direct messages, and who is typing: for those who want to know.
//!
//! Promises: who has asked for nothing pays nothing and is told nothing. A direct message is
//! reported as delivered when the other side's socket took it, which the caller says, and as seen
//! when they next type after that. Deliberately nothing is kept: receipts end with the connection.

use std::collections::BTreeMap;

use super::event::{Event, Receipt};
use super::outbox::{Audience, Outbox, Source};
use super::room::CROWD;
use super::{Chat, ConnId};

/// How many people wait at once to hear that one connection has seen something.
const WATCHERS_MAX: usize = 100;

/// Direct messages that were delivered, and not seen yet.
#[derive(Debug, Default)]
pub struct Receipts {
    /// By who is to see them: who has sent them.
    unseen: BTreeMap<ConnId, Vec<ConnId>>,
}

impl Receipts {
    /// Who has not seen something yet, for tests.
    pub fn unseen(&self) -> impl Iterator<Item = ConnId> {
        self.unseen.keys().copied()
    }

    /// Whether nobody waits for anything.
    pub fn is_empty(&self) -> bool {
        self.unseen.is_empty()
    }
}

impl Chat {
    /// Asks the caller to say when the direct message that was told last has been taken, if its
    /// sender wants to know.
    pub(super) fn await_receipt(&self, from: ConnId, to: ConnId, out: &mut Outbox) {
        if self.users.at(from).settings().is_some_and(|settings| settings.wants_receipts) {
            out.await_receipt(from, to);
        }
    }

    /// The socket of `to` took what `from` had said to them alone, or it never will.
    pub(super) fn delivered(&mut self, from: ConnId, to: ConnId, is_taken: bool, out: &mut Outbox) {
        let wants = |user: &super::user::User| {
            user.settings().is_some_and(|settings| settings.wants_receipts)
        };
        if !self.users.find(from).is_some_and(wants) {
            return;
        }
        let nick = self.users.find(to).and_then(|user| user.nick()).cloned();
        let (Some(nick), true) = (nick, is_taken) else {
            return out.tell(from, Event::Receipt(Receipt::NotDelivered));
        };
        let watchers = self.receipts.unseen.entry(to).or_default();
        if watchers.len() >= WATCHERS_MAX {
            watchers.retain(|watcher| self.users.find(*watcher).is_some());
        }
        if watchers.len() < WATCHERS_MAX && !watchers.contains(&from) {
            watchers.push(from);
        }
        out.tell(from, Event::Receipt(Receipt::Delivered { nick }));
    }

    /// Somebody has typed something: who waits for that is told.
    pub(super) fn note_seen(&mut self, conn: ConnId, out: &mut Outbox) {
        let Some(watchers) = self.receipts.unseen.remove(&conn) else { return };
        let Some(nick) = self.users.find(conn).and_then(|user| user.nick()).cloned() else {
            return;
        };
        for from in watchers.into_iter().filter(|from| self.users.find(*from).is_some()) {
            out.tell(from, Event::Receipt(Receipt::Seen { nick: nick.clone() }));
        }
    }

    /// A connection is gone: nothing that it was told will be seen.
    pub(super) fn forget_receipts(&mut self, conn: ConnId) {
        if !self.receipts.is_empty() {
            self.receipts.unseen.remove(&conn);
        }
    }

    /// Somebody types a line for their current room: those in it who want to see that are told.
    pub(super) fn typing(&self, conn: ConnId, out: &mut Outbox) {
        let user = self.users.at(conn);
        let (Some(nick), Some(room)) = (user.nick(), user.current_room()) else { return };
        let it = self.rooms.at(room);
        if it.members().len() > CROWD || self.check_not_muted(conn, room).is_err() {
            return;
        }
        let source = Source { conn, nick: nick.clone() };
        let event = Event::Typing { room: it.name.clone(), nick: nick.clone() };
        out.publish(Audience::Typists { room, source }, event);
    }
}
