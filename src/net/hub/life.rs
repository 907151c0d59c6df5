//! What is counted of what happens, and what is logged of connections: one line of the life of
//! each, at its end, and one of each try at what they may not.
//!
//! Promises: every refusal is counted once, by its code, whoever gave it; nothing that anybody said
//! or typed is logged but names that were taken, and what peers bring about is logged within
//! bounds. Deliberately tells nobody anything.

use std::net::{IpAddr, SocketAddr};

use log::{info, warn};

use crate::chat::ConnId;
use crate::chat::event::{Event, Parting, Refusal, Stranger};
use crate::chat::name::Nick;
use crate::chat::outbox::Who;
use crate::chat::ranks::{Place, Rank};
use crate::chat::record::{Record, Recorded};
use crate::wire;

use super::super::conn::{Conn, Ending, Intake, Stream};
use super::super::door;
use super::super::figures::Figures;
use super::super::logbook::Matter;
use super::Hub;

/// So many lines of each kind are logged in one second of what operators of rooms do.
const DEEDS_LOGGED: u32 = 10;
/// The same of connections that end with a name. When the server stops, all are.
const LIVES_LOGGED: u32 = 100;

/// What stands for a name that there is not; no name is that.
const NOBODY: &str = "-";
/// What stands for the address of whoever is at the console.
const CONSOLE: &str = "console";

impl<S: Stream> Hub<S> {
    /// What was counted, and how things stand; what only the loop knows is left out.
    pub fn figures(&self) -> Figures {
        Figures {
            counts: self.counts.clone(),
            people: self.chat.people(),
            rooms: self.chat.rooms().len(),
            queue_bytes: self.pinned.get(),
            lag: self.limits.keep.map(|_| self.lag()),
            is_stopping: self.is_stopping,
            ..Figures::default()
        }
    }

    /// Somebody was not let in.
    pub(super) fn note_refused(&mut self, parting: Parting) {
        if let Some(code) = parting.code() {
            self.counts.note_refused(code);
        }
    }

    /// One connection is told something.
    pub(super) fn note_told(&mut self, id: ConnId, event: &Event) {
        self.counts.lines_out += 1;
        match event {
            Event::Refused(refusal) => {
                self.counts.note_refused(refusal.code());
                self.log_wrong_password(id, refusal);
            }
            Event::Registered { .. } | Event::Unregistered { .. } | Event::PasswordChanged => {
                self.log_account(id, event);
            }
            // Who was not let in was counted already.
            Event::Bye { parting, .. }
                if self.conns.find(id).is_some_and(|conn| conn.kind.is_some()) =>
            {
                self.note_refused(*parting);
            }
            _ => {}
        }
    }

    /// Whether one more line is to be logged of what somebody from there has brought about.
    fn has_room_in_log(&mut self, matter: Matter, from: IpAddr) -> bool {
        self.logbook.has_room_for(matter, door::origin(from), self.now.mono)
    }

    /// Somebody was not let in.
    pub(super) fn log_refused(&mut self, from: SocketAddr, reason: &'static str) {
        if self.has_room_in_log(("refused", reason), from.ip()) {
            warn!(peer:% = from, reason; "refused");
        }
    }

    /// A connection speaks something else.
    pub(super) fn log_stranger(&mut self, id: ConnId, stranger: Stranger) {
        let Some(from) = self.conns.find(id).map(|conn| conn.from) else { return };
        let saw = match stranger {
            Stranger::Http => "http",
            Stranger::Tls => "tls",
            Stranger::Ssh => "ssh",
            Stranger::Plain => "plain",
        };
        if self.has_room_in_log(("wrong_protocol", saw), from.ip()) {
            warn!(peer:% = from, saw; "wrong_protocol");
        }
    }

    /// Keys could not be agreed on with a connection.
    pub(super) fn log_failed_tls(&mut self, id: ConnId, cause: &str) {
        let Some(from) = self.conns.find(id).map(|conn| conn.from) else { return };
        if self.has_room_in_log(("tls_failed", NOBODY), from.ip()) {
            info!(peer:% = from, cause; "tls_failed");
        }
    }

    /// If it was for a password that somebody was refused, that is logged.
    fn log_wrong_password(&mut self, id: ConnId, refusal: &Refusal) {
        let event = match refusal {
            Refusal::WrongPassword { .. } | Refusal::WrongPasswordOfName { .. } => "wrong_password",
            Refusal::WrongInvite => "wrong_invitation",
            Refusal::TryLater { .. } | Refusal::TryPasswordLater { .. } => "too_many_tries",
            _ => return,
        };
        let Some(peer) = self.conns.find(id).map(|conn| conn.from) else { return };
        if !self.has_room_in_log((event, NOBODY), peer.ip()) {
            return;
        }
        let nick = self.chat.nick_of(id).unwrap_or(NOBODY);
        match refusal {
            Refusal::WrongPassword { room } => {
                warn!(peer:%, nick, room = room.as_str(); "wrong_password");
            }
            Refusal::WrongInvite => warn!(peer:%, nick; "wrong_invitation"),
            Refusal::WrongPasswordOfName { nick: name, .. } => {
                warn!(peer:%, nick, name = name.as_str(); "wrong_password");
            }
            Refusal::TryLater { room, .. } => {
                warn!(peer:%, nick, room = room.as_str(); "too_many_tries");
            }
            _ => warn!(peer:%, nick; "too_many_tries"),
        }
    }

    /// Somebody has an account now, or another password, or none any longer.
    fn log_account(&mut self, id: ConnId, event: &Event) {
        let Some(peer) = self.conns.find(id).map(|conn| conn.from) else { return };
        if !self.has_room_in_log(("account", NOBODY), peer.ip()) {
            return;
        }
        match event {
            Event::Registered { nick } => info!(peer:%, nick = nick.as_str(); "registered"),
            Event::Unregistered { nick } => info!(peer:%, nick = nick.as_str(); "unregistered"),
            _ => {
                let nick = self.chat.own_name_of(id).unwrap_or(NOBODY);
                info!(peer:%, nick; "password_changed");
            }
        }
    }

    /// Writes down what an operator did. Whoever made a room can do much in it, so that is bounded;
    /// what the operators of the server do is all there.
    pub(super) fn log_record(&mut self, record: &Record) {
        let Record { doer, what, room, target } = record;
        let act = act_of(*what);
        let rank = doer.map(|doer| self.chat.rank_in(doer, Place::Everywhere));
        let is_bounded = rank.is_some_and(|rank| rank < Rank::ServerOperator);
        let now = self.now.mono;
        if is_bounded && !self.logbook.has_room(("moderated", act), DEEDS_LOGGED, now) {
            return;
        }
        let peer = match doer {
            None => CONSOLE.to_owned(),
            Some(doer) => {
                let conn = self.conns.find(*doer);
                conn.map_or_else(|| NOBODY.to_owned(), |conn| conn.from.to_string())
            }
        };
        let by = doer.and_then(|doer| self.chat.own_name_of(doer)).unwrap_or(NOBODY);
        let room = room.as_ref().map_or_else(|| "*".to_owned(), |room| format!("#{room}"));
        let target = target.as_deref().unwrap_or(NOBODY);
        match *what {
            Recorded::Ban { end } | Recorded::Mute { end } => {
                let end = end.map_or_else(|| "never".to_owned(), wire::rfc3339);
                info!(peer, act, room, target, by, end; "moderated");
            }
            Recorded::Slow { seconds } => {
                info!(peer, act, room, target, by, seconds; "moderated");
            }
            _ => info!(peer, act, room, target, by; "moderated"),
        }
    }

    /// A connection that was let in is gone before its handshake was done; it counts as all do.
    pub(super) fn note_unshaken(&mut self, conn: &mut Conn<S>) {
        let parting = match conn.intake {
            _ if self.is_stopping => Parting::Shutdown,
            Intake::Ended => Parting::EndOfInput,
            _ => Parting::Lost,
        };
        self.counts.note_parted(parting.word());
        let at = self.now.mono;
        let (parting, who) = (parting.word(), Who::default());
        let ending = Ending { parting, who, heard_at: at, ends_at: at, ends_at_most: at };
        conn.ending = Some(Box::new(ending));
    }

    /// A connection that was let in has gone: this was its life.
    pub(super) fn log_end(&mut self, conn: &Conn<S>) {
        let (Some(kind), Some(ending)) = (conn.kind, &conn.ending) else { return };
        let who = &ending.who;
        let has_room = match &who.nick {
            _ if self.is_stopping => true,
            Some(_) => self.logbook.has_room(("connection", "named"), LIVES_LOGGED, self.now.mono),
            None => self.has_room_in_log(("connection", "nameless"), conn.from.ip()),
        };
        if !has_room {
            return;
        }
        let life = conn.life;
        info!(
            peer:% = conn.from,
            kind = kind.word(),
            nick = who.nick.as_ref().map_or(NOBODY, Nick::as_str),
            account = who.account.as_ref().map_or(NOBODY, Nick::as_str),
            seconds = self.now.mono.as_secs().saturating_sub(life.opened_at.into()),
            lines_in = life.lines_in,
            bytes_in = life.bytes_in.bytes(),
            bytes_out = life.bytes_out.bytes(),
            parting = ending.parting;
            "connection"
        );
    }

    /// No turn follows: what was not logged is told.
    pub fn end_log(&mut self) {
        self.logbook.end();
    }
}

/// The word for what an operator did: that of the command.
fn act_of(what: Recorded) -> &'static str {
    match what {
        Recorded::Kick => "kick",
        Recorded::Ban { .. } => "ban",
        Recorded::Unban => "unban",
        Recorded::Mute { .. } => "mute",
        Recorded::Unmute => "unmute",
        Recorded::Op => "op",
        Recorded::Deop => "deop",
        Recorded::Slow { .. } => "slow",
        Recorded::Lock => "lock",
        Recorded::Unlock => "unlock",
        Recorded::Close => "close",
        Recorded::Announce => "announce",
    }
}
