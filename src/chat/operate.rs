//! What operators do: `/op` and `/deop`, `/slow`, `/announce`.
//!
//! Promises: a room is told who may do what in it, and what was done; an operator of a room makes
//! no others, so that who made it knows whom they have trusted. Deliberately punishes nobody.

use std::rc::Rc;

use super::event::{Event, RankFault, RankNews, Refusal};
use super::kept::Change;
use super::name::{Nick, key_of};
use super::outbox::{Audience, Outbox, Source};
use super::ranks::{Place, Rank};
use super::record::{Record, Recorded};
use super::room::{OPERATORS_MAX, RoomId};
use super::slow::{Slow, Speaker};
use super::{Chat, ConnId, Now};

impl Chat {
    /// The room of that name, or the current one.
    fn room_meant(&self, conn: ConnId, typed: Option<&str>) -> Result<RoomId, Refusal> {
        match typed {
            Some(typed) => self.room_named(typed),
            None => self.users.at(conn).current_room().ok_or(Refusal::NoRoom),
        }
    }

    /// Whether there is anybody but the operators of the server who may do something in a room.
    pub(super) fn has_operators(&self, id: RoomId) -> bool {
        let room = self.rooms.at(id);
        room.owner.is_some() || !room.operators.is_empty()
    }

    /// `/op`: who may do what in a room.
    pub(super) fn list_operators(
        &self,
        conn: ConnId,
        typed: Option<&str>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = self.room_meant(conn, typed)?;
        let room = self.rooms.at(id);
        self.check_may_look(conn, id, room)?;
        let nick_of = |account: u64| Some(self.accounts.find(account)?.nick.clone());
        let mut nicks: Vec<Nick> = room.operators.iter().filter_map(|it| nick_of(*it)).collect();
        nicks.sort();
        let owner = room.owner.and_then(nick_of);
        out.tell(conn, Event::Rank(RankNews::Operators { room: room.name.clone(), owner, nicks }));
        Ok(())
    }

    /// `/op nick` and `/deop nick`.
    pub(super) fn set_operator(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        nick: &str,
        is_operator: bool,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_kept()?;
        let id = self.room_meant(conn, typed)?;
        let name = self.rooms.at(id).name.clone();
        let own = self.users.at(conn).account();
        let account = self.account_meant(conn, nick);
        let gives_up = !is_operator && own.is_some() && own == account.as_ref().ok().copied();
        if !gives_up && self.rank_in(conn, Place::Room(id)) < Rank::RoomOwner {
            self.check_not_banned(conn, id)?;
            return Err(self.not_yours(id));
        }
        if !gives_up {
            self.check_may_rule(conn, id)?;
        }
        let account = account?;
        // An owner may do more than any operator.
        if is_operator && self.rooms.at(id).owner == Some(account) {
            return self.list_operators(conn, Some(name.as_str()), out);
        }
        self.check_keeping()?;
        let nick = self.accounts.find(account).ok_or(Refusal::Unavailable)?.nick.clone();
        let operators = &mut self.rooms.at_mut(id).operators;
        match operators.iter().position(|it| *it == account) {
            Some(at) if !is_operator => _ = operators.swap_remove(at),
            None if !is_operator => {
                return Err(Refusal::Rank(RankFault::NoOperator { room: name, nick }));
            }
            Some(_) => return self.list_operators(conn, Some(name.as_str()), out),
            None if operators.len() >= OPERATORS_MAX => {
                return Err(Refusal::Rank(RankFault::TooManyOperators {
                    room: name,
                    most: OPERATORS_MAX,
                }));
            }
            None => operators.push(account),
        }
        self.keep_room(id, out);
        let room = self.rooms.at(id).serial;
        out.keep(Change::Operator { room, account, is_operator });
        let what = if is_operator { Recorded::Op } else { Recorded::Deop };
        let target = Some(Rc::from(nick.as_str()));
        out.record(Record { doer: Some(conn), what, room: Some(name.clone()), target });
        let by = self.users.nick(conn);
        self.tell_room(
            conn,
            id,
            Event::Rank(RankNews::OperatorSet { room: name, by, nick, is_operator }),
            out,
        );
        Ok(())
    }

    /// The account of somebody who is here, or of that name.
    fn account_meant(&self, conn: ConnId, typed: &str) -> Result<u64, Refusal> {
        let is_person = |account: &u64| self.accounts.find(*account).is_some_and(|it| !it.is_bot());
        if let Some(account) = self.accounts.named(&key_of(typed)).filter(is_person) {
            return Ok(account);
        }
        let user = self.users.at(self.user_named(conn, typed)?);
        let nick = user.nick().cloned().ok_or(Refusal::Unavailable)?;
        user.account().ok_or(Refusal::Rank(RankFault::OperatorNeedsAccount { nick }))
    }

    /// Tells who has changed something in a room, and those who are in it.
    fn tell_room(&self, conn: ConnId, id: RoomId, event: Event, out: &mut Outbox) {
        let source = Source { conn, nick: self.users.nick(conn) };
        out.tell(conn, event.clone());
        out.publish(Audience::Change { rooms: vec![id], source, heir: None }, event);
    }

    /// An account is about to go: it is an operator of no room.
    pub(super) fn forget_operator(&mut self, account: u64) {
        self.rooms.each_mut(|room| room.operators.retain(|it| *it != account));
    }

    /// `/slow`: 0 seconds end it.
    pub(super) fn set_slow(
        &mut self,
        conn: ConnId,
        typed: &str,
        seconds: u32,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = self.room_named(typed)?;
        let room = self.rooms.at(id).name.clone();
        if self.rank_in(conn, Place::Room(id)) < Rank::RoomOperator {
            self.check_not_banned(conn, id)?;
            return Err(Refusal::Rank(match self.has_operators(id) {
                true => RankFault::ForOperators { room: Some(room) },
                false => RankFault::ForServerOperators { room },
            }));
        }
        self.check_may_rule(conn, id)?;
        self.check_keeping()?;
        self.rooms.at_mut(id).slow = (seconds > 0).then(|| Box::new(Slow::new(seconds)));
        self.keep_room(id, out);
        out.keep(Change::Slow { room: self.rooms.at(id).serial, seconds });
        let what = Recorded::Slow { seconds };
        out.record(Record { doer: Some(conn), what, room: Some(room.clone()), target: None });
        let nick = self.users.nick(conn);
        self.tell_room(conn, id, Event::Rank(RankNews::SlowSet { room, nick, seconds }), out);
        Ok(())
    }

    /// Somebody is about to say something in a room: in a slow one it must be their turn.
    #[inline]
    pub(super) fn take_turn(&mut self, conn: ConnId, id: RoomId, now: Now) -> Result<(), Refusal> {
        match self.rooms.at(id).slow {
            None => Ok(()),
            Some(_) => self.take_turns(conn, &[id], now),
        }
    }

    /// The same in each of those rooms, or in none of them.
    pub(super) fn take_turns(
        &mut self,
        conn: ConnId,
        rooms: &[RoomId],
        now: Now,
    ) -> Result<(), Refusal> {
        let speaker = match self.users.at(conn).account() {
            Some(account) => Speaker::Account(account),
            None => Speaker::Guest(conn),
        };
        let is_bound = |id: &RoomId| self.rank_in(conn, Place::Room(*id)) < Rank::RoomOperator;
        let is_slow = |id: &RoomId| self.rooms.at(*id).slow.is_some();
        let slow: Vec<RoomId> =
            rooms.iter().copied().filter(|id| is_slow(id) && is_bound(id)).collect();
        for id in &slow {
            let room = self.rooms.at(*id);
            if let Some(wait) = room.slow.as_ref().and_then(|slow| slow.wait(speaker, now.mono)) {
                let room = room.name.clone();
                return Err(Refusal::Rank(RankFault::RoomIsSlow { room, wait }));
            }
        }
        for id in slow {
            if let Some(slow) = &mut self.rooms.at_mut(id).slow {
                let taken = slow.take(speaker, now.mono);
                debug_assert!(taken.is_ok(), "their turn had come in each");
            }
        }
        Ok(())
    }

    /// Says to somebody that a room is slow, if it is.
    pub(super) fn tell_slow(&self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let room = self.rooms.at(id);
        if let Some(slow) = &room.slow {
            out.tell(
                conn,
                Event::Rank(RankNews::IsSlow { room: room.name.clone(), seconds: slow.seconds() }),
            );
        }
    }

    /// `/announce`.
    pub(super) fn announce(
        &mut self,
        conn: ConnId,
        text: &str,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if self.rank_in(conn, Place::Everywhere) < Rank::ServerOperator {
            return Err(Refusal::Rank(RankFault::ForOperators { room: None }));
        }
        let nick = self.users.nick(conn);
        announce(Some(conn), Some(nick), text, out);
        Ok(())
    }

    /// The same for who runs the server and is no connection.
    pub fn announce_by_console(&mut self, text: &str, out: &mut Outbox) {
        announce(None, None, text, out);
    }
}

fn announce(doer: Option<ConnId>, nick: Option<Nick>, text: &str, out: &mut Outbox) {
    out.record(Record { doer, what: Recorded::Announce, room: None, target: None });
    let event = Event::Rank(RankNews::Announced { nick, text: text.into() });
    out.publish(Audience::Everybody, event);
}
