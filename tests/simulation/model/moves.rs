//! Coming and going: rooms entered, left, made, locked, forgotten, pushed out; who is told of it.

use std::net::IpAddr;
use std::time::Duration;

use chatline::chat::pace::Rate;

use super::super::ask::Code;
use super::super::names::{Name, key_of};
use super::intake::Bucket;
use super::login::AccountNo;
use super::{ConnNo, Membership, Model, Room, RoomNo, Timer};

const ARRIVAL_DELAY: Duration = Duration::from_secs(2);
/// From so many people on, the next one is counted instead of told.
const CROWD: usize = 50;
/// Five tries at a password, then one in five seconds.
const TRIES: Rate = Rate { every: Duration::from_secs(5), burst: 5 };

impl Model {
    /// The room of that name, however long, or else whether a room may have it.
    pub(super) fn room_named(&self, typed: &str) -> Result<RoomNo, Code> {
        let key = key_of(typed);
        let found = self.rooms.iter().position(|room| room.is_there && room.name.key == key);
        match Name::parse(typed, self.chars_max()) {
            _ if found.is_some() => found.ok_or("no-such-room"),
            Some(_) => Err("no-such-room"),
            None => Err("name-invalid"),
        }
    }

    pub(super) fn join(
        &mut self,
        no: ConnNo,
        typed: &str,
        password: Option<&str>,
    ) -> Result<(), Code> {
        let Ok(room) = self.room_named(typed) else {
            let name = Name::parse(typed, self.chars_max()).ok_or("name-invalid")?;
            return self.make(no, name, password);
        };
        if password.is_some() && self.rooms[room].password.is_none() {
            return Err("room-is-open");
        }
        let shown = format!("#{}", self.rooms[room].name.shown);
        let conn = &mut self.conns[no];
        if let Some(at) = conn.rooms.iter().position(|it| it.room == room) {
            let membership = conn.rooms.remove(at);
            conn.rooms.push(membership);
            self.note_current(no, room);
            self.words(no, &["you are in", &shown]);
            return Ok(());
        }
        self.may_be_in(no, room)?;
        self.unlock(no, room, password)?;
        self.has_room_for(no, room)?;
        self.enter(no, room);
        let here = self.rooms[room].members.len();
        match self.listed(room, no, ", ", 20) {
            Some(names) if names.is_empty() => {
                self.line(no, &format!("* you joined {shown}: nobody else (1 here)"));
            }
            Some(names) => {
                self.line(no, &format!("* you joined {shown}: {names} ({here} here)"));
            }
            None => self.words(no, &["you joined", &shown, " more (", &format!("{here} here")]),
        }
        if let Some(topic) = &self.rooms[room].topic {
            self.line(no, &format!("* {shown} topic: {topic}"));
        }
        self.tell_slow(no, room);
        Ok(())
    }

    /// Whether somebody may enter as far as others, and their own rooms, are concerned.
    pub(super) fn has_room_for(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        self.may_be_in(no, room)?;
        self.may_enter_another(no)?;
        let most = self.limits.room_members_max.filter(|_| self.lobby() != Some(room));
        let is_full = most.is_some_and(|most| self.rooms[room].members.len() >= most);
        if is_full { Err("room-full") } else { Ok(()) }
    }

    fn unlock(&mut self, no: ConnNo, room: RoomNo, password: Option<&str>) -> Result<(), Code> {
        let (now, origin) = (self.mono, origin(self.conns[no].address));
        let account = self.conns[no].account;
        let room = &mut self.rooms[room];
        let Some(right) = &room.password else { return Ok(()) };
        if account.is_some() && account == room.owner {
            return Ok(());
        }
        let tries = Bucket::of(&mut room.tries, origin);
        if tries.next(TRIES, now) > now {
            return Err("try-later");
        }
        tries.take(TRIES);
        match password {
            None => Err("room-locked"),
            Some(password) if password != right => Err("wrong-password"),
            Some(_) => {
                tries.give_back(TRIES);
                Ok(())
            }
        }
    }

    fn may_enter_another(&self, no: ConnNo) -> Result<(), Code> {
        let most = self.limits.rooms_per_user_max.unwrap_or(usize::MAX);
        if self.conns[no].rooms.len() >= most { Err("too-many-rooms") } else { Ok(()) }
    }

    fn make(&mut self, no: ConnNo, name: Name, password: Option<&str>) -> Result<(), Code> {
        let mut there = self.rooms.iter().filter(|room| room.is_there);
        if there.any(|room| name.resembles(&room.name)) {
            return Err("name-confusable");
        }
        self.may_be_heard(no)?;
        self.may_enter_another(no)?;
        self.may_own_another(no)?;
        if password.is_some() && self.conns[no].account.is_some() {
            self.take_hash(no)?;
        }
        let count = self.rooms.iter().filter(|room| room.is_there).count();
        if self.limits.rooms_max.is_some_and(|most| count >= most) {
            let lobby = self.lobby();
            let rooms = self.rooms.iter().enumerate();
            let silent = rooms
                .filter(|(no, room)| {
                    let is_free = room.password.is_none() && room.owner.is_none();
                    let is_empty = room.members.is_empty() && is_free;
                    room.is_there && is_empty && lobby != Some(*no)
                })
                .min_by_key(|(_, room)| (room.spoken_at, room.slot));
            let (silent, _) = silent.ok_or("too-many-rooms")?;
            self.forget(silent);
        }
        let made = format!("you made #{}", name.shown);
        let room = self.add_room(name, password);
        self.rooms[room].owner = self.conns[no].account;
        self.enter(no, room);
        let lock = if password.is_some() { ", locked" } else { "" };
        self.line(no, &format!("* {made}{lock}"));
        Ok(())
    }

    pub(super) fn add_room(&mut self, name: Name, password: Option<&str>) -> RoomNo {
        let most = self.rooms.iter().filter(|room| room.is_there).count() + self.free_slots.len();
        self.rooms.push(Room {
            name,
            slot: self.free_slots.pop().unwrap_or(most),
            is_there: true,
            kept_as: None,
            owner: None,
            operators: Vec::new(),
            slow: None,
            sanctions: Vec::new(),
            password: password.map(str::to_owned),
            topic: None,
            members: Vec::new(),
            waiting: Vec::new(),
            lines: Vec::new(),
            spoken_at: self.mono,
            tally: None,
            tries: Vec::new(),
        });
        self.rooms.len() - 1
    }

    /// The rooms of an account are nobody's; one that is locked and empty goes.
    pub(super) fn disown_rooms(&mut self, account: AccountNo) {
        let mut order: Vec<RoomNo> = (0..self.rooms.len()).collect();
        order.retain(|room| self.rooms[*room].is_there);
        order.sort_by_key(|room| self.rooms[*room].slot);
        for room in order {
            let it = &mut self.rooms[room];
            it.operators.retain(|operator| *operator != account);
            let was_owned = it.owner.take_if(|owner| *owner == account).is_some();
            if was_owned && it.password.is_some() && it.members.is_empty() {
                self.forget(room);
            }
        }
    }

    fn forget(&mut self, room: RoomNo) {
        self.rooms[room].is_there = false;
        self.free_slots.push(self.rooms[room].slot);
    }

    /// Something is to be kept of a room.
    pub(super) fn keep(&mut self, room: RoomNo) {
        let next = self.kept;
        self.rooms[room].kept_as.get_or_insert(next);
        self.kept += 1;
    }

    /// Makes somebody a member. The lobby is told later.
    pub(super) fn enter(&mut self, no: ConnNo, room: RoomNo) {
        self.enter_as(no, room, false);
        self.note_entered(no, room);
    }

    /// The same, where nobody has to be told if they have been there all the time.
    pub(super) fn enter_as(&mut self, no: ConnNo, room: RoomNo, was_here: bool) {
        let is_lobby = self.lobby() == Some(room);
        if !is_lobby && !was_here {
            self.moved(no, room, true);
        }
        self.rooms[room].members.push(no);
        let (joined_at, is_announced) = (self.mono, !is_lobby);
        let conn = &mut self.conns[no];
        conn.rooms.push(Membership { room, joined_at, is_announced, replay_before: None });
        if is_lobby && !std::mem::replace(&mut conn.arrival_is_timed, true) {
            self.set_timer(ARRIVAL_DELAY, Timer::Arrival(no));
        }
        self.await_replay(no, room);
    }

    /// Two seconds may have passed since somebody came into the lobby.
    pub(super) fn announce(&mut self, no: ConnNo) {
        let (mono, lobby) = (self.mono, self.lobby());
        let conn = &mut self.conns[no];
        conn.arrival_is_timed = false;
        let membership = conn.rooms.iter_mut().find(|it| Some(it.room) == lobby);
        let Some(membership) = membership.filter(|it| !it.is_announced) else { return };
        let at = membership.joined_at + ARRIVAL_DELAY;
        if at > mono {
            conn.arrival_is_timed = true;
            self.timers.push((at, Timer::Arrival(no)));
            return;
        }
        membership.is_announced = true;
        let lobby = membership.room;
        self.moved(no, lobby, true);
    }

    pub(super) fn leave(&mut self, no: ConnNo, typed: Option<&str>) -> Result<(), Code> {
        let room = match typed {
            Some(typed) => self.room_named(typed)?,
            None => self.conns[no].current().ok_or("no-room")?,
        };
        let at = self.conns[no].rooms.iter().position(|it| it.room == room);
        let membership = self.conns[no].rooms.remove(at.ok_or("not-a-member")?);
        self.note_left(no, room);
        self.dismiss(no, room);
        if membership.is_announced {
            self.moved(no, room, false);
        }
        let left = format!("you left #{}", self.rooms[room].name.shown);
        match self.conns[no].current() {
            None => self.words(no, &[&left, "no room"]),
            Some(room) => {
                let current = format!("in #{} now", self.rooms[room].name.shown);
                self.words(no, &[&left, &current]);
            }
        }
        Ok(())
    }

    /// Takes a member out; a locked room goes with its last one.
    pub(super) fn dismiss(&mut self, no: ConnNo, room: RoomNo) {
        let it = &mut self.rooms[room];
        it.members.retain(|member| *member != no);
        it.waiting.retain(|waiting| *waiting != no);
        if it.members.is_empty() && it.password.is_some() && it.owner.is_none() {
            self.forget(room);
        }
    }

    /// Ends somebody's part: all who share a room learn it once, they themselves last.
    pub(super) fn part(&mut self, no: ConnNo) {
        self.log_out(no);
        let nick = self.conns[no].nick.clone();
        let mut rooms = Vec::new();
        for membership in std::mem::take(&mut self.conns[no].rooms) {
            let room = membership.room;
            self.dismiss(no, room);
            match membership.is_announced && self.rooms[room].is_there {
                true if self.is_crowded(room) => self.moved(no, room, false),
                true => rooms.push(room),
                false => {}
            }
        }
        if let Some(nick) = &nick {
            for other in 0..self.conns.len() {
                let shares = rooms.iter().any(|room| self.rooms[*room].members.contains(&other));
                if shares && self.cares(other, no, nick) {
                    self.line(other, &format!("* {} left", nick.shown));
                }
            }
        }
        match nick {
            Some(nick) => self.words(no, &["bye", &nick.shown]),
            None => self.words(no, &["bye"]),
        }
        self.linger(no);
    }

    fn is_crowded(&self, room: RoomNo) -> bool {
        self.rooms[room].members.len() > CROWD || self.rooms[room].tally.is_some()
    }

    /// Whether somebody wants to know of another's coming and going.
    fn cares(&self, no: ConnNo, of: ConnNo, nick: &Name) -> bool {
        no != of && !self.conns[no].is_quiet && !self.conns[no].ignores(of, nick)
    }

    /// Tells a room that somebody came or left; a crowd is told once a second.
    fn moved(&mut self, no: ConnNo, room: RoomNo, is_coming: bool) {
        if !self.rooms[room].is_there {
            return;
        }
        if self.is_crowded(room) {
            if self.rooms[room].tally.is_none() {
                self.set_timer(Duration::from_secs(1), Timer::Tally(room));
            }
            let (came, left) = self.rooms[room].tally.get_or_insert_default();
            *(if is_coming { came } else { left }) += 1;
            return;
        }
        let nick = self.nick(no);
        let did = if is_coming { "came" } else { "left" };
        let line = format!("* #{}: {} {did}", self.rooms[room].name.shown, nick.shown);
        let members = self.rooms[room].members.clone();
        // Who came to the lobby after somebody was shown the name already.
        let before = members.iter().position(|member| *member == no).filter(|_| is_coming);
        for member in &members[..before.unwrap_or(members.len())] {
            if self.cares(*member, no, &nick) {
                self.line(*member, &line);
            }
        }
    }

    /// Tells a crowd who came and left in the last second.
    pub(super) fn tell_tally(&mut self, room: RoomNo) {
        let Some(tally) = self.rooms[room].tally.take().filter(|_| self.rooms[room].is_there)
        else {
            return;
        };
        let what = match tally {
            (came, 0) => format!("{came} came"),
            (0, left) => format!("{left} left"),
            (came, left) => format!("{came} came, {left} left"),
        };
        let line = format!("* #{}: {what}", self.rooms[room].name.shown);
        for member in self.rooms[room].members.clone() {
            if !self.conns[member].is_quiet {
                self.line(member, &line);
            }
        }
    }

    /// A room's other members by name; `None` if there are more than `most`, for then it is not
    /// said which of them are shown.
    pub(super) fn listed(
        &self,
        room: RoomNo,
        no: ConnNo,
        last: &str,
        most: usize,
    ) -> Option<String> {
        let others = self.rooms[room].members.iter().filter(|member| **member != no);
        let others: Vec<ConnNo> = others.copied().collect();
        (others.len() <= most).then(|| self.names_of(&others, last))
    }
}

/// IPv6 addresses count by their first half.
pub(super) fn origin(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)),
        IpAddr::V6(address) => u128::from(address) >> 64 << 64,
    }
}
