//! What the operator's console sees of the connections, and what it does to all of them.
//!
//! Promises: looking is linear in the connections and copies none that is not shown. Deliberately
//! knows no console: the server asks and tells.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::admin::text::{self, ConnRow, Kind, RoomRow};
use crate::admin::{Fault, Who};
use crate::chat::command::{Moderation, Order, Where, Who as Named};
use crate::chat::event::{Event, Parting, Refusal};
use crate::chat::name::Nick;
use crate::chat::record::{Record, Recorded};
use crate::chat::{ConnId, Input, Now};
use crate::wire::{self, Clock};

use super::super::conn::{Conn, Stage, Stream};
use super::super::figures;
use super::super::view::Face;
use super::Hub;

impl<S: Stream> Hub<S> {
    /// The connections that take part in the conversation, and those that are in their handshake;
    /// or some of them.
    pub fn watched<'h>(
        &'h self,
        who: Option<&'h Who>,
        now: Now,
    ) -> impl Iterator<Item = ConnRow> + 'h {
        let named = match who {
            Some(Who::Named(nick)) => self.chat.conn_of(nick),
            _ => None,
        };
        let is_meant = move |id: ConnId, conn: &Conn<S>| match who {
            None => true,
            Some(Who::Named(_)) => named == Some(id),
            Some(Who::From(network)) => network.contains(&conn.from.ip()),
            Some(Who::Id(wanted)) => {
                self.chat.sight_of(id, now).is_some_and(|sight| sight.id == *wanted)
            }
        };
        let meant = self.conns.iter().filter(move |(id, conn)| is_meant(*id, conn));
        meant.filter_map(move |(id, conn)| self.row(id, conn, now))
    }

    fn row(&self, id: ConnId, conn: &Conn<S>, now: Now) -> Option<ConnRow> {
        if conn.stage == Stage::Handshaking {
            return Some(row_of_handshake(conn, now));
        }
        let sight = self.chat.sight_of(id, now)?;
        let name = |nick: &Nick| nick.as_str().to_owned();
        Some(ConnRow {
            id: Some(sight.id),
            address: SocketAddr::from(conn.from),
            nick: sight.nick.map(name),
            account: sight.account.map(name),
            rooms: sight.rooms,
            span: sight.span,
            idle: sight.idle,
            queued: conn.queue.cost(),
            by: conn.kind.map_or("-", figures::Kind::word),
            kind: kind(conn),
        })
    }

    /// The rooms, those with most members first, and locked ones last.
    pub fn watched_rooms(&self) -> impl Iterator<Item = RoomRow> + '_ {
        let rooms = self.chat.rooms();
        let open = rooms.fullest().map(|(_, id)| id);
        open.chain(rooms.locked()).map(|id| {
            let room = rooms.at(id);
            RoomRow {
                name: room.name.as_str().to_owned(),
                members: room.members().len(),
                owner: self.chat.room_owner(room).map(|nick| nick.as_str().to_owned()),
                is_locked: room.is_locked(),
                lines: room.history().count_after(0),
                topic: room.topic.as_deref().map(str::to_owned),
            }
        })
    }

    /// Kicks, bans or mutes, or takes that back, and says what was done or why not, in whole lines.
    /// To be done before a turn.
    ///
    /// # Errors
    /// [`Fault::Nobody`], since whom a console may mean is said elsewhere than in the conversation.
    pub fn moderate(&mut self, moderation: Moderation<'_>, now: Now) -> Result<String, Fault> {
        self.now = now;
        let done = self.chat.moderate(moderation, now, &mut self.outbox);
        self.deliver();
        let told = match done {
            Ok(event) => event,
            Err(Refusal::NoSuchUser { typed, .. }) => return Err(Fault::Nobody { typed }),
            Err(refusal) => Event::Refused(refusal),
        };
        Ok(wire::text::of(&told, Clock { unix: now.unix, zone_secs: now.zone_secs }))
    }

    /// Ends the connection of that id, and says what was done. To be done before a turn.
    ///
    /// # Errors
    /// [`Fault::Nobody`].
    pub fn kick(&mut self, id: u64, why: Option<&str>, now: Now) -> Result<String, Fault> {
        let is_it = |conn: &ConnId| self.chat.sight_of(*conn, now).is_some_and(|it| it.id == id);
        let conn = self.conns.iter().map(|(conn, _)| conn).find(is_it);
        let conn = conn.ok_or_else(|| Fault::Nobody { typed: format!("#{id:016x}") })?;
        if let Some(nick) = self.chat.nick_of(conn).map(str::to_owned) {
            let order = Order::Kick { who: Named::Name(&nick), why };
            return self.moderate(Moderation { place: Where::Everywhere, order }, now);
        }
        self.now = now;
        let from = self.conns.find(conn).map(|conn| conn.from.ip().to_string());
        let target = from.map(Rc::from);
        self.log_record(&Record { doer: None, what: Recorded::Kick, room: None, target });
        self.chat(Input::Ended { conn, parting: Parting::Kicked });
        Ok(text::kicked(id))
    }

    /// Tells everybody something, by nobody's name. To be done before a turn.
    pub fn announce(&mut self, text: &str, now: Now) {
        self.now = now;
        self.chat.announce_by_console(text, &mut self.outbox);
        self.deliver();
    }

    /// Tells everybody that the server stops in so many seconds, and lets nobody in any more; or
    /// that it does not stop after all. To be done before a turn.
    pub fn announce_stop(&mut self, when: Option<(u64, &str)>, now: Now) {
        self.now = now;
        self.is_shut = when.is_some();
        self.chat(Input::Stopping(when));
    }
}

fn row_of_handshake<S>(conn: &Conn<S>, now: Now) -> ConnRow {
    let opened_at = Duration::from_secs(conn.life.opened_at.into());
    let span = now.mono.saturating_sub(opened_at);
    ConnRow {
        id: None,
        address: SocketAddr::from(conn.from),
        nick: None,
        account: None,
        rooms: 0,
        span,
        idle: span,
        queued: conn.queue.cost(),
        by: conn.kind.map_or("-", figures::Kind::word),
        kind: Kind::Handshake,
    }
}

fn kind<S>(conn: &Conn<S>) -> Kind {
    match conn.view.as_ref().map(|view| &view.face) {
        None | Some(Face::Lines) => Kind::Lines,
        Some(Face::Terminal(_)) => Kind::Terminal,
        Some(Face::Json(_)) => Kind::Json,
    }
}
