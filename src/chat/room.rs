//! Rooms: who is in them, what they are about, and the table of them.
//!
//! Promises: entering, leaving and finding cost the same in a room of ten and of a hundred
//! thousand; a [`RoomId`] that is gone finds nothing; an open room that is empty stays until the
//! limit on rooms pushes out the longest silent, a locked one goes with its last member.
//! Deliberately tells nobody anything: the rules beside this file do.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use super::ConnId;
use super::event::Remembered;
use super::history::{self, History};
use super::kept::{Kept, KeptLine, KeptLock, KeptRoom, Question};
use super::keyed::Keyed;
use super::lock::{Lock, Tries};
use super::name::{NamesInUse, RoomName, Verdict};
use super::sanctions::Sanctions;
use super::slow::Slow;

/// Earlier lines are shown on joining when they are no older than this, in seconds.
pub const REPLAY_AGE_SECS_MAX: i64 = 24 * 60 * 60;
/// In a room of more people than this, comings and goings are counted and told once a second.
pub const CROWD: usize = 50;
/// The most operators that a room has beside its owner.
pub const OPERATORS_MAX: usize = 100;

/// A room; never reused for another one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId {
    slot: u32,
    generation: u32,
}

/// A member, with what decides which of the room's lines are delivered.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The connection.
    pub conn: ConnId,
    /// The entry, and in its two lowest bits what the member does not want to hear.
    bits: u64,
}

const QUIET: u64 = 1;
const IGNORING: u64 = 2;

impl Member {
    /// A member whose entry is the `entry`th into any room, one of the first 2^62.
    pub fn new(conn: ConnId, entry: u64, is_quiet: bool, is_ignoring: bool) -> Member {
        let mut member = Member { conn, bits: entry << 2 };
        member.note_wishes(is_quiet, is_ignoring);
        member
    }

    /// Grows with each entry into any room: who was there before has a lower one.
    pub fn entry(self) -> u64 {
        self.bits >> 2
    }

    /// Comings and goings are hidden.
    pub fn is_quiet(self) -> bool {
        self.bits & QUIET != 0
    }

    /// Somebody is ignored: look closer.
    pub fn is_ignoring(self) -> bool {
        self.bits & IGNORING != 0
    }

    /// The member's wishes have changed.
    pub fn note_wishes(&mut self, is_quiet: bool, is_ignoring: bool) {
        let quiet = if is_quiet { QUIET } else { 0 };
        let ignoring = if is_ignoring { IGNORING } else { 0 };
        self.bits = self.bits & !(QUIET | IGNORING) | quiet | ignoring;
    }
}

/// Who may enter.
#[derive(Debug)]
pub enum Access {
    /// Everybody.
    Open,
    /// Who knows the password.
    Locked(Box<Locked>),
}

/// What keeps a room locked.
#[derive(Debug)]
pub struct Locked {
    /// The password, salted and hashed.
    pub lock: Lock,
    /// Who tried it.
    pub tries: Tries,
}

/// Comings and goings in a crowd that are not told yet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many came.
    pub came: u32,
    /// How many left.
    pub left: u32,
}

/// One room.
#[derive(Debug)]
pub struct Room {
    /// Its name.
    pub name: RoomName,
    /// What it is about.
    pub topic: Option<Rc<str>>,
    /// Who may enter.
    pub access: Access,
    /// Its number among all rooms that there ever were.
    pub serial: u64,
    /// The account that it belongs to.
    pub owner: Option<u64>,
    /// The accounts that may do much of what the owner may; at most [`OPERATORS_MAX`].
    pub operators: Vec<u64>,
    /// How often each may speak; `None` for as often as they like.
    pub slow: Option<Box<Slow>>,
    /// Who is banned or muted in it; most rooms have nobody.
    pub sanctions: Option<Box<Sanctions>>,
    /// It was given away to be kept.
    pub is_kept: bool,
    /// Its topic was changed while nothing could be kept, and is to be given away again.
    pub is_topic_due: bool,
    /// Older lines than are remembered were kept, and not asked for yet.
    pub is_cold: bool,
    /// Comings and goings that wait for the next second; `None` when nothing waits.
    pub tally: Option<Tally>,
    /// Those who may be waiting for the earlier lines; their membership says whether they do.
    awaiting_replay: Vec<ConnId>,
    /// The last replay that was made of the lines as they are now: for how many at most, from when
    /// on, and the lines.
    replay: Option<(usize, i64, Rc<[Remembered]>)>,
    members: Vec<Member>,
    history: History,
    /// When something was last said, since start, or else when the room was made.
    spoken_at: Duration,
}

impl Room {
    fn new(name: RoomName, access: Access, serial: u64, now: Duration) -> Room {
        Room {
            name,
            topic: None,
            access,
            serial,
            owner: None,
            operators: Vec::new(),
            slow: None,
            sanctions: None,
            is_kept: false,
            is_topic_due: false,
            is_cold: false,
            tally: None,
            awaiting_replay: Vec::new(),
            replay: None,
            members: Vec::new(),
            history: History::default(),
            spoken_at: now,
        }
    }

    /// Whether it has a password.
    pub fn is_locked(&self) -> bool {
        matches!(self.access, Access::Locked(_))
    }

    /// Whether it goes with its last member, and leaves nothing behind: a guest has locked it.
    pub fn is_fleeting(&self) -> bool {
        let Access::Locked(locked) = &self.access else { return false };
        matches!(locked.lock, Lock::Tag { .. })
    }

    /// Who is in it.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// One member, to change what is delivered to them.
    pub fn member_mut(&mut self, place: u32) -> &mut Member {
        &mut self.members[place as usize]
    }

    /// Takes somebody in; returns the place in the list of members.
    fn admit(&mut self, member: Member) -> u32 {
        self.members.push(member);
        u32::try_from(self.members.len() - 1).expect("there are fewer connections than 2^32")
    }

    /// Lets the one at that place go; returns who stands in that place now.
    fn dismiss(&mut self, place: u32) -> Option<ConnId> {
        let place = place as usize;
        self.members.swap_remove(place);
        if self.members.len() < self.members.capacity() / 4 {
            self.members.shrink_to(self.members.len() * 2);
        }
        if self.members.is_empty() {
            self.awaiting_replay = Vec::new();
            self.replay = None;
        }
        self.members.get(place).map(|moved| moved.conn)
    }

    /// Whether comings and goings are counted here instead of told one by one.
    pub fn is_crowded(&self) -> bool {
        self.members.len() > CROWD || self.tally.is_some()
    }

    /// What was said in it last.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Asks for the older lines, as many as are remembered; no line has that id yet.
    pub fn question_for_tail(&self, next_line: u64) -> Question {
        let before = self.history.oldest().unwrap_or(next_line);
        Question::Tail { room: self.serial, before, most: history::LINES_MAX }
    }

    /// The older lines have come, oldest first.
    pub fn recall(&mut self, lines: &[KeptLine]) {
        if std::mem::take(&mut self.is_cold) {
            self.history.recall(lines);
            self.replay = None;
        }
    }

    /// Somebody waits for the earlier lines, until [`Room::take_awaiting`].
    pub fn await_replay(&mut self, conn: ConnId) {
        // Who has left, or was shown them already, is still in the list; it may not grow by that.
        if self.awaiting_replay.len() > 2 * self.members.len() {
            self.awaiting_replay = self.members.iter().map(|member| member.conn).collect();
        } else {
            self.awaiting_replay.push(conn);
        }
    }

    /// Whether somebody may be waiting for the earlier lines.
    pub fn is_awaited(&self) -> bool {
        !self.awaiting_replay.is_empty()
    }

    /// Takes out those who may be waiting for the earlier lines.
    pub fn take_awaiting(&mut self) -> Vec<ConnId> {
        std::mem::take(&mut self.awaiting_replay)
    }

    /// The last lines before that id, as [`History::before`] with nobody hidden; shared among those
    /// for whom they are the same.
    pub fn replay_before(&mut self, id: u64, most: usize, unix_min: i64) -> Rc<[Remembered]> {
        let is_of_now = self.history.newest().is_none_or(|newest| newest < id);
        if let Some((made_for, made_from, lines)) = &self.replay
            && (is_of_now, *made_for, *made_from) == (true, most, unix_min)
        {
            return Rc::clone(lines);
        }
        let lines: Rc<[Remembered]> = self.history.before(id, most, unix_min, |_, _| false).into();
        if is_of_now {
            self.replay = Some((most, unix_min, Rc::clone(&lines)));
        }
        lines
    }
}

/// All rooms.
#[derive(Debug)]
pub struct Rooms {
    slots: Vec<Option<Box<Room>>>,
    generations: Vec<u32>,
    free: Vec<u32>,
    names: NamesInUse<RoomId>,
    /// Open rooms by how many are in them, the fullest first.
    open: BTreeSet<(Reverse<usize>, RoomId)>,
    /// Locked rooms.
    locked: BTreeSet<RoomId>,
    /// Open rooms that are empty, by when something was last said there.
    empty: BTreeSet<(Duration, RoomId)>,
    /// The room that stays whatever happens.
    permanent: Option<RoomId>,
    /// The serial number of the next room.
    next_serial: u64,
    by_serial: BTreeMap<u64, RoomId>,
}

impl Rooms {
    /// No room yet; names are hashed with that key, serial numbers begin with that one.
    pub fn new(key: Keyed, next_serial: u64) -> Rooms {
        Rooms {
            slots: Vec::new(),
            generations: Vec::new(),
            free: Vec::new(),
            names: NamesInUse::new(key),
            open: BTreeSet::new(),
            locked: BTreeSet::new(),
            empty: BTreeSet::new(),
            permanent: None,
            next_serial: next_serial.max(1),
            by_serial: BTreeMap::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The room whose name has this key.
    pub fn named(&self, key: &str) -> Option<RoomId> {
        self.names.find(key, |id| self.at(id).name.key())
    }

    /// Whether a new room may have that name.
    pub fn verdict(&self, name: &RoomName) -> Verdict<RoomId> {
        self.names.verdict(name.name(), None, |id| self.at(id).name.key())
    }

    /// The room that is permanent: nobody's, never locked, never pushed out.
    pub fn permanent(&self) -> Option<RoomId> {
        self.permanent
    }

    /// Makes a room permanent; it is made if there is none of that name.
    pub fn make_permanent(&mut self, name: RoomName, now: Duration) {
        let id = self.named(name.key()).unwrap_or_else(|| self.insert(name, Access::Open, now));
        self.set_access(id, Access::Open);
        self.at_mut(id).owner = None;
        self.note_occupied(id);
        self.permanent = Some(id);
    }

    /// A room belongs to that account, or to nobody; as long as it is somebody's it is not pushed
    /// out.
    pub fn set_owner(&mut self, id: RoomId, owner: Option<u64>) {
        self.note_occupied(id);
        self.at_mut(id).owner = owner;
        self.note_empty(id);
    }

    /// Locks a room, unlocks it, or changes its lock.
    pub fn set_access(&mut self, id: RoomId, access: Access) {
        self.note_occupied(id);
        let room = self.at_mut(id);
        room.access = access;
        let (members, is_locked) = (room.members.len(), room.is_locked());
        if is_locked {
            self.open.remove(&(Reverse(members), id));
            self.locked.insert(id);
        } else {
            self.locked.remove(&id);
            self.open.insert((Reverse(members), id));
        }
        self.note_empty(id);
    }

    /// Makes a room that was kept, if its name is one and free.
    pub fn restore(&mut self, kept: &KeptRoom, now: Duration) {
        let Ok(name) = RoomName::parse(&kept.name, None) else { return };
        let access = match &kept.lock {
            KeptLock::Open => Access::Open,
            KeptLock::Guest => return,
            KeptLock::Hash(hash) => Access::Locked(Box::new(Locked {
                lock: Lock::Hash(hash.as_str().into()),
                tries: Tries::default(),
            })),
        };
        if self.named(name.key()).is_some() {
            return;
        }
        let next_serial = std::mem::replace(&mut self.next_serial, kept.serial);
        let id = self.insert(name, access, now);
        self.next_serial = next_serial.max(kept.serial + 1);
        let room = self.at_mut(id);
        room.topic = kept.topic.as_deref().map(Rc::from);
        room.is_kept = true;
        room.is_cold = kept.has_lines;
        self.set_owner(id, kept.owner);
    }

    /// Who is an operator of the rooms that were kept, and which of them are slow.
    pub fn restore_ranks(&mut self, kept: &Kept) {
        for (room, account) in &kept.operators {
            let Some(room) = self.of_serial(*room).map(|id| self.at_mut(id)) else { continue };
            if room.operators.len() < OPERATORS_MAX && !room.operators.contains(account) {
                room.operators.push(*account);
            }
        }
        for (room, seconds) in &kept.slow {
            let Some(room) = self.of_serial(*room).map(|id| self.at_mut(id)) else { continue };
            room.slow = (*seconds > 0).then(|| Box::new(Slow::new(*seconds)));
        }
    }

    /// All rooms, to change what no table of them depends on.
    pub fn each_mut(&mut self, change: impl FnMut(&mut Room)) {
        self.slots.iter_mut().filter_map(Option::as_deref_mut).for_each(change);
    }

    /// Makes a room, empty as yet. The name must be free.
    pub fn insert(&mut self, name: RoomName, access: Access, now: Duration) -> RoomId {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(None);
            self.generations.push(0);
            u32::try_from(self.slots.len() - 1).expect("there are fewer rooms than 2^32")
        });
        let id = RoomId { slot, generation: self.generations[slot as usize] };
        self.names.insert(name.name(), id);
        match access {
            Access::Open => self.open.insert((Reverse(0), id)),
            Access::Locked(_) => self.locked.insert(id),
        };
        let room = Room::new(name, access, self.next_serial, now);
        self.by_serial.insert(self.next_serial, id);
        self.next_serial += 1;
        self.slots[slot as usize] = Some(Box::new(room));
        self.note_empty(id);
        id
    }

    /// Takes somebody in; returns the place in the list of members.
    pub fn admit(&mut self, id: RoomId, member: Member) -> u32 {
        self.note_occupied(id);
        let place = self.at_mut(id).admit(member);
        let members = self.at(id).members.len();
        self.rank(id, members - 1, members);
        place
    }

    /// Lets the one at that place go; returns who stands in that place now, for the caller to note,
    /// and the room if it is gone: a locked one that is nobody's goes with its last member.
    pub fn dismiss(&mut self, id: RoomId, place: u32) -> (Option<ConnId>, Option<Box<Room>>) {
        let moved = self.at_mut(id).dismiss(place);
        let room = self.at(id);
        let members = room.members.len();
        let is_over = members == 0 && room.is_locked() && room.owner.is_none();
        self.rank(id, members + 1, members);
        if is_over {
            return (moved, Some(self.remove(id)));
        }
        self.note_empty(id);
        (moved, None)
    }

    /// The number of a room's members has changed.
    fn rank(&mut self, id: RoomId, before: usize, now: usize) {
        if self.open.remove(&(Reverse(before), id)) {
            self.open.insert((Reverse(now), id));
        }
    }

    /// Takes out a room, with its password and its lines. It must be empty.
    pub fn remove(&mut self, id: RoomId) -> Box<Room> {
        self.note_occupied(id);
        let room = self.slots[id.slot as usize].take().expect("a room is removed once");
        assert!(room.members.is_empty(), "a room is removed when nobody is in it");
        self.names.remove(room.name.name(), id);
        self.by_serial.remove(&room.serial);
        match &room.access {
            Access::Open => self.open.remove(&(Reverse(0), id)),
            Access::Locked(_) => self.locked.remove(&id),
        };
        self.generations[id.slot as usize] = id.generation.wrapping_add(1);
        self.free.push(id.slot);
        room
    }

    /// The room with that serial number.
    pub fn of_serial(&self, serial: u64) -> Option<RoomId> {
        self.by_serial.get(&serial).copied()
    }

    /// A room that may be gone.
    pub fn find(&self, id: RoomId) -> Option<&Room> {
        let is_it = *self.generations.get(id.slot as usize)? == id.generation;
        self.slots[id.slot as usize].as_deref().filter(|_| is_it)
    }

    /// A room that the caller knows to be there.
    pub fn at(&self, id: RoomId) -> &Room {
        self.find(id).expect("the room is there")
    }

    /// A room that the caller knows to be there, to change it.
    pub fn at_mut(&mut self, id: RoomId) -> &mut Room {
        assert!(self.find(id).is_some(), "the room is there");
        self.slots[id.slot as usize].as_deref_mut().expect("the room is there")
    }

    /// All rooms, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (RoomId, &Room)> {
        let ids = self.generations.iter().enumerate().map(|(slot, generation)| RoomId {
            slot: slot as u32, // as many as `insert` made
            generation: *generation,
        });
        ids.zip(&self.slots).filter_map(|(id, room)| Some((id, room.as_deref()?)))
    }

    /// Open rooms with how many are in them, the fullest first.
    pub fn fullest(&self) -> impl Iterator<Item = (usize, RoomId)> {
        self.open.iter().map(|(Reverse(members), id)| (*members, *id))
    }

    /// Locked rooms.
    pub fn locked(&self) -> impl Iterator<Item = RoomId> {
        self.locked.iter().copied()
    }

    /// The empty open room in which nothing was said for the longest time.
    pub fn longest_silent(&self) -> Option<RoomId> {
        self.empty.first().map(|(_, id)| *id)
    }

    /// Somebody entered: the room cannot be pushed out now.
    fn note_occupied(&mut self, id: RoomId) {
        let key = (self.at(id).spoken_at, id);
        self.empty.remove(&key);
    }

    /// The room may be empty now, and then can be pushed out.
    fn note_empty(&mut self, id: RoomId) {
        let room = self.at(id);
        let is_nobodys = !room.is_locked() && room.owner.is_none();
        if room.members.is_empty() && is_nobodys && self.permanent != Some(id) {
            self.empty.insert((room.spoken_at, id));
        }
    }

    /// Something was said in a room just now, by a member or a visitor. Returns its history, to
    /// remember that.
    pub fn note_said(&mut self, id: RoomId, now: Duration) -> &mut History {
        let is_empty = self.at(id).members.is_empty();
        if is_empty {
            self.note_occupied(id);
        }
        let room = self.at_mut(id);
        room.spoken_at = now;
        room.replay = None;
        if is_empty {
            self.note_empty(id);
        }
        &mut self.at_mut(id).history
    }
}
