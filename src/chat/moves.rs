//! Coming and going: entering a room, leaving it, leaving the server, and how others learn of it.
//!
//! Promises: whoever was announced is also said to have left, nobody else is; a room of a crowd is
//! told in one line a second at most; a locked room goes with its last member.

use std::time::Duration;

use super::asked::Pending;
use super::event::{Event, Parting, Refusal};
use super::kept::{Answer, Change, KeptLock, KeptRoom, Question, Secret};
use super::lock::{Lock, Tries};
use super::name::{RoomName, Verdict, key_of};
use super::outbox::{Audience, Outbox, Source, Who};
use super::room::{Access, Locked, Member, Room, RoomId, Tally};
use super::timers::Timer;
use super::user::Membership;
use super::{Chat, ConnId, Now};

/// An arrival where somebody starts is told after this long: who only posts a line makes no noise.
const ARRIVAL_DELAY: Duration = Duration::from_secs(2);
/// How often a crowd is told of comings and goings.
const TALLY_EVERY: Duration = Duration::from_secs(1);
/// How many names the answer to `/join` shows.
const JOINED_NAMES: usize = 20;

impl Chat {
    pub(super) fn join(
        &mut self,
        conn: ConnId,
        typed: &str,
        password: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Some(id) = self.rooms.named(&key_of(typed)) else {
            let room = self.room_name(typed)?;
            return self.make(conn, room, password, now, out);
        };
        let is_member = self.users.at(conn).is_in(id);
        let room = self.rooms.at(id);
        if password.is_some() && !room.is_locked() {
            return Err(Refusal::RoomIsOpen { room: room.name.clone(), is_member });
        }
        if is_member {
            let rooms = &mut self.users.at_mut(conn).rooms;
            let at = rooms.iter().position(|membership| membership.room == id);
            rooms[at.expect("a member has a membership")..].rotate_left(1);
            self.keep_current(conn, id, out);
            out.tell(conn, Event::Current { room: self.rooms.at(id).name.clone() });
            return Ok(());
        }
        self.check_not_banned(conn, id)?;
        match self.unlock(conn, id, password, now)? {
            None => self.admit(conn, id, now, out),
            Some(question) => {
                let room = self.rooms.at(id).name.clone();
                self.ask(conn, question, Pending::Unlock { id, room }, out);
                Ok(())
            }
        }
    }

    /// The password of a locked room was looked at: whoever has the right one may come in.
    pub(super) fn unlocked(
        &mut self,
        conn: ConnId,
        id: RoomId,
        room: RoomName,
        answer: &Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let origin = self.users.at(conn).origin;
        match answer {
            Answer::Verified(true) => {}
            Answer::Verified(false) => return Err(Refusal::WrongPassword { room }),
            _ => return Err(Refusal::Unavailable),
        }
        if self.rooms.find(id).is_none() {
            return Err(Refusal::NoSuchRoom { room, meant: None });
        }
        if let Access::Locked(locked) = &mut self.rooms.at_mut(id).access {
            locked.tries.forgive(origin);
        }
        self.admit(conn, id, now, out)
    }

    /// Lets somebody in who may come in, as soon as the older lines are there.
    pub(super) fn admit(
        &mut self,
        conn: ConnId,
        id: RoomId,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_room_for(conn, id)?;
        let room = self.rooms.at(id);
        if room.is_cold {
            let was_locked = room.is_locked();
            let pending = Pending::Enter { id, room: room.name.clone(), was_locked };
            self.ask(conn, room.question_for_tail(self.next_line), pending, out);
            return Ok(());
        }
        self.enter(conn, id, now, out);
        let others = self.others_in(id, conn, JOINED_NAMES);
        let room = self.rooms.at(id);
        let (room, topic) = (room.name.clone(), room.topic.clone());
        out.tell(conn, Event::Joined { room, others, topic });
        self.tell_slow(conn, id, out);
        Ok(())
    }

    /// Makes a room, locked if there is a password, and enters it.
    fn make(
        &mut self,
        conn: ConnId,
        room: RoomName,
        password: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if let Verdict::Confusable(like) = self.rooms.verdict(&room) {
            let like = self.rooms.at(like).name.as_str().to_owned();
            return Err(Refusal::NameConfusable { typed: room.as_str().to_owned(), like });
        }
        self.check_may_be_heard(conn)?;
        self.check_rooms_of(conn)?;
        self.check_own_rooms_of(conn)?;
        let Some(password) = password else {
            return self.make_with(conn, room, Access::Open, now, out);
        };
        if self.users.at(conn).account().is_some() {
            // It outlives the process, so it takes a slow hash.
            self.take_hash(conn, now)?;
            let question = Question::Hash { password: Secret(password.to_owned()) };
            self.ask(conn, question, Pending::Make { room }, out);
            return Ok(());
        }
        let (high, low) = (self.derive(), self.derive());
        let salt = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
        let lock = Lock::new(password, salt);
        let access = Access::Locked(Box::new(Locked { lock, tries: Tries::default() }));
        self.make_with(conn, room, access, now, out)
    }

    /// Makes a room that there is not, and enters it.
    pub(super) fn make_with(
        &mut self,
        conn: ConnId,
        room: RoomName,
        access: Access,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if let Some(most) = self.limits.rooms_max
            && self.rooms.len() >= most
        {
            let silent = self.rooms.longest_silent().ok_or(Refusal::TooManyRooms { most })?;
            self.forget(silent, out);
        }
        let is_locked = matches!(access, Access::Locked(_));
        let id = self.rooms.insert(room.clone(), access, now.mono);
        self.rooms.set_owner(id, self.users.at(conn).account());
        self.enter(conn, id, now, out);
        out.tell(conn, Event::Made { room, is_locked });
        Ok(())
    }

    /// Lets pass who may enter, or says what is to be asked first; every try at a lock counts, also
    /// one without a password. The owner needs none.
    fn unlock(
        &mut self,
        conn: ConnId,
        id: RoomId,
        password: Option<&str>,
        now: Now,
    ) -> Result<Option<Question>, Refusal> {
        let user = self.users.at(conn);
        let origin = user.origin;
        let room = self.rooms.at_mut(id);
        if room.owner.is_some() && room.owner == user.account() {
            return Ok(None);
        }
        let name = &room.name;
        let Access::Locked(locked) = &mut room.access else { return Ok(None) };
        let Locked { lock, tries } = &mut **locked;
        tries
            .take(origin, now.mono)
            .map_err(|wait| Refusal::TryLater { room: name.clone(), wait })?;
        let Some(password) = password else {
            return Err(Refusal::RoomLocked { room: name.clone() });
        };
        match lock {
            Lock::Hash(hash) => Ok(Some(Question::Verify {
                password: Secret(password.to_owned()),
                hash: Some(hash.to_string()),
            })),
            Lock::Tag { .. } if lock.opens(password) == Some(true) => {
                tries.forgive(origin);
                Ok(None)
            }
            Lock::Tag { .. } => Err(Refusal::WrongPassword { room: name.clone() }),
        }
    }

    /// Whether the user may have one more room of their own: as many as they may be in.
    fn check_own_rooms_of(&self, conn: ConnId) -> Result<(), Refusal> {
        let (account, most) = (self.users.at(conn).account(), self.limits.rooms_per_user_max);
        let (Some(account), Some(most)) = (account, most) else { return Ok(()) };
        let owned = self.rooms.iter().filter_map(|(_, room)| room.owner);
        let (all, own) =
            owned.fold((0, 0), |(all, own), owner| (all + 1, own + usize::from(owner == account)));
        if own >= most {
            return Err(Refusal::TooManyRoomsOfYours { most });
        }
        // They are never pushed out; half of all rooms are for everybody.
        match self.limits.rooms_max {
            Some(most) if all >= most.div_ceil(2) => Err(Refusal::TooManyRooms { most }),
            _ => Ok(()),
        }
    }

    /// Whether the user may be in one more room.
    fn check_rooms_of(&self, conn: ConnId) -> Result<(), Refusal> {
        match self.limits.rooms_per_user_max {
            Some(most) if self.users.at(conn).rooms.len() >= most => {
                Err(Refusal::TooManyRoomsOfYours { most })
            }
            _ => Ok(()),
        }
    }

    /// Whether there is room for the user.
    pub(super) fn check_room_for(&self, conn: ConnId, id: RoomId) -> Result<(), Refusal> {
        self.check_not_banned(conn, id)?;
        self.check_rooms_of(conn)?;
        let room = self.rooms.at(id);
        match self.limits.room_members_max {
            Some(most) if room.members().len() >= most && self.lobby() != Some(id) => {
                Err(Refusal::RoomFull { room: room.name.clone(), most })
            }
            _ => Ok(()),
        }
    }

    /// Makes somebody a member, and lets the others know.
    pub(super) fn enter(&mut self, conn: ConnId, id: RoomId, now: Now, out: &mut Outbox) {
        self.enter_again(conn, id, false, now, out);
        self.keep_entered(conn, id, out);
    }

    /// The same for the owner of an account, who was a member; and was here until now, so that
    /// nobody has to be told, or was not.
    pub(super) fn enter_again(
        &mut self,
        conn: ConnId,
        id: RoomId,
        was_here: bool,
        now: Now,
        out: &mut Outbox,
    ) {
        let user = self.users.at(conn);
        // Bots that are for some rooms start in one of those.
        let is_start = self.lobby() == Some(id) || user.token().is_some() && user.rooms.is_empty();
        if !is_start && !was_here {
            self.tell_movement(conn, id, Movement::Came, now, out);
        }
        let user = self.users.at_mut(conn);
        let (is_quiet, is_ignoring) = (user.is_quiet, !user.ignored().is_empty());
        self.entries += 1;
        let member = Member::new(conn, self.entries, is_quiet, is_ignoring);
        let place = self.rooms.admit(id, member);
        user.rooms.push(Membership {
            room: id,
            place,
            is_announced: !is_start,
            replay_before: None,
        });
        if is_start {
            user.arrived_at = now.mono.into();
            if !std::mem::replace(&mut user.arrival_is_timed, true) {
                self.timers.set(now.mono + ARRIVAL_DELAY, Timer::Arrival(conn));
            }
        }
        self.await_replay(conn, id, now);
    }

    /// The time has come to tell of an arrival, if who arrived is still there.
    pub(super) fn announce_arrival(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        let Some(user) = self.users.find_mut(conn) else { return };
        user.arrival_is_timed = false;
        let at = user.arrived_at.since_start() + ARRIVAL_DELAY;
        let is_due = at <= now.mono;
        let mut rooms = user.rooms.iter_mut().filter(|membership| !membership.is_announced);
        let Some(membership) = rooms.next() else { return };
        membership.is_announced = is_due;
        let (id, place) = (membership.room, membership.place);
        if !is_due || rooms.next().is_some() {
            user.arrival_is_timed = true;
            self.timers.set(at, Timer::Arrival(conn));
        }
        if !is_due {
            return;
        }
        let room = self.rooms.at(id);
        if room.is_crowded() {
            return self.count_movement(id, Movement::Came, now);
        }
        let (name, entry) = (room.name.clone(), room.members()[place as usize].entry());
        let nick = self.users.nick(conn);
        let newcomer = Source { conn, nick: nick.clone() };
        let audience = Audience::Witnesses { room: id, newcomer, entry };
        out.publish(audience, Event::Came { room: name, nick });
    }

    pub(super) fn leave(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let user = self.users.at(conn);
        let id = match typed {
            Some(typed) => self.room_named(typed)?,
            None => user.current_room().ok_or(Refusal::NoRoom)?,
        };
        let room = self.rooms.at(id);
        let (name, is_locked) = (room.name.clone(), room.is_locked());
        let at = user.rooms.iter().position(|membership| membership.room == id);
        let at = at.ok_or(Refusal::NotAMember { room: name.clone(), is_locked })?;
        let membership = self.users.at_mut(conn).rooms.remove(at);
        self.keep_left(conn, id, out);
        self.dismiss(&membership, out);
        if membership.is_announced {
            self.tell_movement(conn, id, Movement::Left, now, out);
        }
        let current = self.users.at(conn).current_room();
        let current = current.map(|room| self.rooms.at(room).name.clone());
        out.tell(conn, Event::YouLeft { room: name, current });
        Ok(())
    }

    /// Takes a member out of a room, which may go with it.
    pub(super) fn dismiss(&mut self, membership: &Membership, out: &mut Outbox) {
        let id = membership.room;
        let (moved, gone) = self.rooms.dismiss(id, membership.place);
        if let Some(moved) = moved {
            let moved = self.users.at_mut(moved).membership_mut(id);
            moved.expect("a member has a membership").place = membership.place;
        }
        if let Some(room) = gone {
            self.wholes.forget(id);
            forget_kept(&room, out);
        }
    }

    /// What is said in a room, or about it, is to be kept: the room itself, too.
    pub(super) fn keep_room(&mut self, id: RoomId, out: &mut Outbox) {
        let room = self.rooms.at_mut(id);
        // While nothing can be kept, nothing piles up either; it is made when there is more of it.
        if !self.is_keeping || std::mem::replace(&mut room.is_kept, true) {
            return;
        }
        out.keep(Change::RoomMade(KeptRoom {
            serial: room.serial,
            name: room.name.as_str().to_owned(),
            topic: room.topic.as_deref().map(str::to_owned),
            lock: kept_lock(&room.access),
            owner: room.owner,
            has_lines: false,
        }));
    }

    /// Ends a connection: rooms are told, the connection too, then it is closed.
    pub(super) fn part(&mut self, conn: ConnId, parting: Parting, now: Now, out: &mut Outbox) {
        self.part_with(conn, parting, None, now, out);
    }

    /// The same with a last line that says more; then rooms are told by the caller.
    pub(super) fn part_with(
        &mut self,
        conn: ConnId,
        parting: Parting,
        last: Option<Event>,
        now: Now,
        out: &mut Outbox,
    ) {
        match parting {
            Parting::Quit | Parting::EndOfInput => self.end_paste(conn, now, out),
            _ => _ = self.take_paste(conn),
        }
        let user = self.users.at(conn);
        let account = user.account().or(user.token()).and_then(|it| self.accounts.find(it));
        let account = account.map(|account| account.nick.clone());
        self.log_out(conn, now, out);
        let nick = self.users.at(conn).nick().cloned();
        let memberships = std::mem::take(&mut self.users.at_mut(conn).rooms);
        let mut told = Vec::new();
        for membership in &memberships {
            self.dismiss(membership, out);
            let is_there = self.rooms.find(membership.room).is_some();
            // When the server stops everybody goes, and nobody needs to hear it of each; who is
            // taken over stays.
            let is_silent =
                matches!(parting, Parting::Shutdown | Parting::TakenOver) || last.is_some();
            if !membership.is_announced || !is_there || is_silent {
                continue;
            }
            if self.rooms.at(membership.room).is_crowded() {
                self.tell_movement(conn, membership.room, Movement::Left, now, out);
            } else {
                told.push(membership.room);
            }
        }
        if let Some(nick) = &nick
            && !told.is_empty()
        {
            let source = Some(Source { conn, nick: nick.clone() });
            let audience = Audience::Movement { rooms: told, source };
            out.publish(audience, Event::Gone { nick: nick.clone() });
        }
        if nick.is_none() {
            self.await_no_name(conn);
        }
        self.let_go_of_invite(conn);
        self.users.remove(conn);
        self.forget_receipts(conn);
        out.tell(conn, last.unwrap_or(Event::Bye { nick: nick.clone(), parting }));
        out.close(conn, parting, Who { nick, account });
    }

    /// Tells a room that somebody came or left; in a crowd it is counted for the next second.
    fn tell_movement(
        &mut self,
        conn: ConnId,
        id: RoomId,
        movement: Movement,
        now: Now,
        out: &mut Outbox,
    ) {
        let nick = self.users.nick(conn);
        let Some(room) = self.rooms.find(id) else {
            return;
        };
        let name = room.name.clone();
        if room.is_crowded() {
            return self.count_movement(id, movement, now);
        }
        let source = Some(Source { conn, nick: nick.clone() });
        let audience = Audience::Movement { rooms: vec![id], source };
        out.publish(
            audience,
            match movement {
                Movement::Came => Event::Came { room: name, nick },
                Movement::Left => Event::Left { room: name, nick },
            },
        );
    }

    /// Counts that somebody came or left, for the next second.
    fn count_movement(&mut self, id: RoomId, movement: Movement, now: Now) {
        let room = self.rooms.at_mut(id);
        if room.tally.is_none() {
            self.timers.set(now.mono + TALLY_EVERY, Timer::Tally(id));
        }
        let tally = room.tally.get_or_insert_default();
        match movement {
            Movement::Came => tally.came += 1,
            Movement::Left => tally.left += 1,
        }
    }

    /// Tells a crowd who came and left in the last second.
    pub(super) fn tell_tally(&mut self, id: RoomId, out: &mut Outbox) {
        if self.rooms.find(id).is_none() {
            return;
        }
        let room = self.rooms.at_mut(id);
        let Some(Tally { came, left }) = room.tally.take() else {
            return;
        };
        let room = room.name.clone();
        let audience = Audience::Movement { rooms: vec![id], source: None };
        out.publish(audience, Event::Tally { room, came, left });
    }
}

/// A room that is gone is not kept any longer.
pub(super) fn forget_kept(room: &Room, out: &mut Outbox) {
    if room.is_kept {
        out.keep(Change::RoomGone { room: room.serial });
    }
}

/// What keeps a room locked, as it is kept.
fn kept_lock(access: &Access) -> KeptLock {
    match access {
        Access::Open => KeptLock::Open,
        Access::Locked(locked) => match &locked.lock {
            Lock::Tag { .. } => KeptLock::Guest,
            Lock::Hash(hash) => KeptLock::Hash(hash.to_string()),
        },
    }
}

/// Which way somebody went.
#[derive(Clone, Copy, Debug)]
enum Movement {
    Came,
    Left,
}
