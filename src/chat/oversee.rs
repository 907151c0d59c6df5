//! What only the operator of the server sees: who is here and which rooms there are, all of it; and
//! that the server is about to stop.
//!
//! Promises: looking changes nothing. Deliberately shows neither what anybody says nor a password,
//! and no address: the connections have those.

use std::rc::Rc;
use std::time::Duration;

use super::event::{Event, StopNews};
use super::name::{Nick, key_of};
use super::outbox::{Audience, Outbox};
use super::room::Room;
use super::{Chat, ConnId, Now};

/// What is to be seen of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Sight<'c> {
    /// Its unguessable id.
    pub id: u64,
    /// Its name, once it has one.
    pub nick: Option<&'c Nick>,
    /// The account that it is logged in to, or whose token it uses.
    pub account: Option<&'c Nick>,
    /// In how many rooms it is.
    pub rooms: usize,
    /// How long it has been here.
    pub span: Duration,
    /// How long it has sent nothing.
    pub idle: Duration,
}

impl Chat {
    /// What is to be seen of a connection, if it takes part in the conversation.
    pub fn sight_of(&self, conn: ConnId, now: Now) -> Option<Sight<'_>> {
        let user = self.users.find(conn)?;
        let account = user.account().or(user.token());
        let account = account.and_then(|serial| self.accounts.find(serial));
        Some(Sight {
            id: user.id,
            nick: user.nick(),
            account: account.map(|account| &account.nick),
            rooms: user.rooms.len(),
            span: user.since.elapsed(now.mono),
            idle: user.typed_at.elapsed(now.mono),
        })
    }

    /// The name of the account that a connection is logged in to, which somebody has under each
    /// name; or the name that it has without one.
    pub fn own_name_of(&self, conn: ConnId) -> Option<&str> {
        let user = self.users.find(conn)?;
        let account = user.account().and_then(|serial| self.accounts.find(serial));
        account.map(|account| &account.nick).or(user.nick()).map(Nick::as_str)
    }

    /// The connection of somebody whose name is typed so.
    pub fn conn_of(&self, typed: &str) -> Option<ConnId> {
        self.users.named(&key_of(typed))
    }

    /// The name of the account that a room belongs to.
    pub fn room_owner(&self, room: &Room) -> Option<&Nick> {
        let account = self.accounts.find(room.owner?)?;
        Some(&account.nick)
    }

    /// Tells everybody that the server stops in so many seconds, and why, or that it does not.
    pub(super) fn tell_stop(&mut self, when: Option<(u64, &str)>, out: &mut Outbox) {
        let news = match when {
            Some((seconds, why)) => StopNews::In { seconds, why: Rc::from(why) },
            None => StopNews::Off,
        };
        out.publish(Audience::Everybody, Event::Stop(news));
    }
}
