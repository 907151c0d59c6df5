//! What the operator's console sees of the connections, and what it does to all of them.
//!
//! Promises: looking is linear in the connections and copies none that is not shown. Deliberately
//! knows no console: the server asks and tells.

use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use crate::chat::command::Moderation;
use crate::chat::event::{Event, Parting, Refusal};
use crate::chat::oversee::Sight;
use crate::chat::record::{Record, Recorded};
use crate::chat::settings;
use crate::chat::{ConnId, Input, Now};

use super::super::conn::{Conn, Stage, Stream};
use super::super::figures::Kind;
use super::super::view::Face;
use super::Hub;

/// What is to be seen of a connection.
#[derive(Clone, Copy, Debug)]
pub struct Watched<'h> {
    /// Which.
    pub conn: ConnId,
    /// The peer.
    pub address: SocketAddr,
    /// Where it came in.
    pub came_by: Option<Kind>,
    /// How many bytes wait to be sent to it.
    pub queued: usize,
    /// How far it is.
    pub state: State<'h>,
}

/// How far a connection is.
#[derive(Clone, Copy, Debug)]
pub enum State<'h> {
    /// In its handshake.
    Handshaking {
        /// For so long.
        span: Duration,
    },
    /// It takes part in the conversation.
    Talking {
        /// As what.
        sight: Sight<'h>,
        /// How it is served.
        face: settings::Face,
    },
}

impl<S: Stream> Hub<S> {
    /// The connections that take part in the conversation, and those that are in their handshake.
    pub fn watched(&self, now: Now) -> impl Iterator<Item = Watched<'_>> {
        self.conns.iter().filter_map(move |(id, conn)| {
            let state = match conn.stage {
                Stage::Handshaking => {
                    let opened_at = Duration::from_secs(conn.life.opened_at.into());
                    State::Handshaking { span: now.mono.saturating_sub(opened_at) }
                }
                _ => State::Talking { sight: self.chat.sight_of(id, now)?, face: face(conn) },
            };
            let (address, queued) = (SocketAddr::from(conn.from), conn.queue.cost());
            Some(Watched { conn: id, address, came_by: conn.kind, queued, state })
        })
    }

    /// Kicks, bans or mutes, or takes that back, and says what was done. To be done before a turn.
    ///
    /// # Errors
    /// Why not.
    pub fn moderate(&mut self, moderation: Moderation<'_>, now: Now) -> Result<Event, Refusal> {
        self.now = now;
        let done = self.chat.moderate(moderation, now, &mut self.outbox);
        self.deliver();
        done
    }

    /// Ends a connection that has no name. To be done before a turn.
    pub fn kick_nameless(&mut self, conn: ConnId, now: Now) {
        self.now = now;
        let from = self.conns.find(conn).map(|conn| conn.from.ip().to_string());
        let target = from.map(Rc::from);
        self.log_record(&Record { doer: None, what: Recorded::Kick, room: None, target });
        self.chat(Input::Ended { conn, parting: Parting::Kicked });
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

fn face<S>(conn: &Conn<S>) -> settings::Face {
    match conn.view.as_ref().map(|view| &view.face) {
        None | Some(Face::Lines) => settings::Face::Lines,
        Some(Face::Terminal(_)) => settings::Face::Terminal,
        Some(Face::Json(_)) => settings::Face::Json,
    }
}
