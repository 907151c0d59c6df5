//! Who may do what, and what operators do to rooms: `/op`, `/deop`, `/slow`, `/announce`.

use std::time::Duration;

use super::super::ask::Code;
use super::login::AccountNo;
use super::{ConnNo, Model, RoomNo};

/// What somebody is somewhere; a higher one may do all that a lower one may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // Each is what it says.
pub enum Rank {
    Nobody,
    RoomOperator,
    RoomOwner,
    ServerOperator,
}

/// Who speaks in a slow room: an owner, wherever they are, or else a connection.
type Speaker = Result<AccountNo, ConnNo>;

/// How often each may speak in a room.
#[derive(Clone, Debug)]
pub struct Slow {
    /// Seconds between two lines.
    pub seconds: u32,
    spoken: Vec<(Speaker, Duration)>,
}

impl Slow {
    /// Nobody has spoken yet.
    pub fn new(seconds: u32) -> Slow {
        Slow { seconds, spoken: Vec::new() }
    }
}

fn span(seconds: u32) -> String {
    if seconds == 1 { "1 second".to_owned() } else { format!("{seconds} seconds") }
}

impl Model {
    /// What somebody is in that room, or everywhere; in one that they are banned from no more than
    /// anybody, unless they are that everywhere.
    pub(super) fn rank(&self, no: ConnNo, room: Option<RoomNo>) -> Rank {
        let rank = self.conns[no].account.map_or(Rank::Nobody, |it| self.rank_of(it, room));
        let is_out = room.is_some_and(|room| self.may_be_in(no, room).is_err());
        if is_out && rank != Rank::ServerOperator { Rank::Nobody } else { rank }
    }

    /// Whether somebody has at least that rank in a room, and may use it.
    pub(super) fn may_rule(
        &self,
        no: ConnNo,
        room: RoomNo,
        least: Rank,
        code: Code,
    ) -> Result<(), Code> {
        match self.rank(no, Some(room)) {
            rank if rank < least => self.may_be_in(no, room).and(Err(code)),
            Rank::ServerOperator => Ok(()),
            _ => self.is_not_muted(no, room),
        }
    }

    pub(super) fn rank_of(&self, account: AccountNo, room: Option<RoomNo>) -> Rank {
        let room = room.map(|room| &self.rooms[room]);
        match room {
            _ if self.accounts[account].is_operator => Rank::ServerOperator,
            Some(room) if room.owner == Some(account) => Rank::RoomOwner,
            Some(room) if room.operators.contains(&account) => Rank::RoomOperator,
            _ => Rank::Nobody,
        }
    }

    pub(super) fn list_operators(&mut self, no: ConnNo, typed: Option<&str>) -> Result<(), Code> {
        let room = self.room_or_current(no, typed)?;
        self.may_look(no, room)?;
        let nick_of = |account: &AccountNo| self.accounts[*account].nick.clone();
        let it = &self.rooms[room];
        let mut operators: Vec<_> = it.operators.iter().map(nick_of).collect();
        operators.sort_by(|one, other| one.key.cmp(&other.key));
        let operators: Vec<String> = operators.into_iter().map(|nick| nick.shown).collect();
        let whose = it.owner.as_ref().map_or("nobody".to_owned(), |owner| nick_of(owner).shown);
        let others = match operators.is_empty() {
            true if it.owner.is_none() => "it has no operators".to_owned(),
            true => "it has no other operators".to_owned(),
            false => format!("its operators: {}", operators.join(", ")),
        };
        self.wrapped(no, &format!("#{} is {whose}'s; {others}", self.rooms[room].name.shown));
        Ok(())
    }

    pub(super) fn set_operator(
        &mut self,
        no: ConnNo,
        typed: Option<&str>,
        nick: &str,
        is_operator: bool,
    ) -> Result<(), Code> {
        let room = self.room_or_current(no, typed)?;
        let account = match self.account_named(nick) {
            Some(account) => Ok(account),
            None => self
                .person_named(nick)
                .and_then(|conn| self.conns[conn].account.ok_or("not-registered")),
        };
        let own = self.conns[no].account;
        let is_giving_up = !is_operator && own.is_some() && account.ok() == own;
        if !is_giving_up {
            self.may_rule(no, room, Rank::RoomOwner, "not-yours")?;
        }
        let account = account?;
        let it = &self.rooms[room];
        let is_owner = is_operator && it.owner == Some(account);
        let is_one = is_owner || it.operators.contains(&account);
        match (is_one, is_operator) {
            (true, true) => {
                let name = self.rooms[room].name.shown.clone();
                return self.list_operators(no, Some(&name));
            }
            (false, false) => return Err("no-such-user"),
            (false, true) => self.rooms[room].operators.push(account),
            (true, false) => self.rooms[room].operators.retain(|it| *it != account),
        }
        self.keep(room);
        let (by, who) = (self.nick(no).shown, self.accounts[account].nick.shown.clone());
        let what = match is_operator {
            true => format!("{by} made {who} an operator of the room"),
            false if by == who => format!("{by} is an operator of the room no longer"),
            false => format!("{by} decided that {who} is an operator of the room no longer"),
        };
        self.tell_change(no, room, &what);
        Ok(())
    }

    /// Tells who has changed something in a room, and those in it who do not ignore them.
    fn tell_change(&mut self, no: ConnNo, room: RoomNo, what: &str) {
        let (nick, line) = (self.nick(no), format!("* #{}: {what}", self.rooms[room].name.shown));
        self.line(no, &line);
        for member in self.rooms[room].members.clone() {
            if member != no && !self.conns[member].ignores(no, &nick) {
                self.line(member, &line);
            }
        }
    }

    pub(super) fn set_slow(&mut self, no: ConnNo, typed: &str, seconds: u32) -> Result<(), Code> {
        let room = self.room_named(typed)?;
        self.may_rule(no, room, Rank::RoomOperator, "not-allowed")?;
        self.rooms[room].slow = (seconds > 0).then(|| Slow::new(seconds));
        self.keep(room);
        let nick = self.nick(no).shown;
        let what = match seconds {
            0 => format!("{nick} ended the slow mode; all may speak as often as they like"),
            _ => format!("{nick} slowed the room: each may say one line in {}", span(seconds)),
        };
        self.tell_change(no, room, &what);
        Ok(())
    }

    pub(super) fn tell_slow(&mut self, no: ConnNo, room: RoomNo) {
        let it = &self.rooms[room];
        if let Some(slow) = &it.slow {
            let seconds = span(slow.seconds);
            let line = format!("* #{} is slow: each may say one line in {seconds}", it.name.shown);
            self.line(no, &line);
        }
    }

    /// Whether it is somebody's turn to speak in a room, which they have had then.
    pub(super) fn take_turn(&mut self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        self.is_turn(no, room)?;
        let (now, speaker) = (self.mono, self.conns[no].account.ok_or(no));
        let is_exempt = self.rank(no, Some(room)) >= Rank::RoomOperator;
        if let Some(slow) = self.rooms[room].slow.as_mut().filter(|_| !is_exempt) {
            slow.spoken.push((speaker, now));
        }
        Ok(())
    }

    /// Whether it is somebody's turn to speak in a room.
    pub(super) fn is_turn(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        let (now, speaker) = (self.mono, self.conns[no].account.ok_or(no));
        let is_exempt = self.rank(no, Some(room)) >= Rank::RoomOperator;
        let slow = self.rooms[room].slow.as_ref().filter(|_| !is_exempt);
        let is_too_early = slow.is_some_and(|slow| {
            let time = Duration::from_secs(slow.seconds.into());
            slow.spoken.iter().any(|(who, at)| *who == speaker && *at + time > now)
        });
        if is_too_early { Err("try-later") } else { Ok(()) }
    }

    pub(super) fn announce_to_all(&mut self, no: ConnNo, text: &str) -> Result<(), Code> {
        if self.rank(no, None) < Rank::ServerOperator {
            return Err("not-allowed");
        }
        let line = format!("* announcement by {}: {text}", self.nick(no).shown);
        let people: Vec<ConnNo> = self.people().map(|(no, _)| no).collect();
        people.into_iter().for_each(|other| self.line(other, &line));
        Ok(())
    }
}
