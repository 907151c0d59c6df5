//! The oracle: a plain model of sets and lists that says what each client must have seen.
//!
//! It restates the rules as simply as they can be said, looks through everything on each question,
//! and shares nothing with the server but its limits. Time stands still within a call; due things
//! happen in the order in which they are due, connections before rooms and people.
//! Deliberately knows no queues: its readers are always quick enough.

mod intake;
mod json;
mod login;
mod look;
mod moves;
mod networks;
mod ranks;
mod sanctions;
mod talk;
mod wants;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use chatline::{chat, net::hub};

use super::names::Name;
use super::told::{Told, What};
use super::typing::Piece;
use intake::Bucket;
use login::{Account, AccountNo, Habits};
use ranks::Slow;
use sanctions::Sanction;

/// A connection, counted from the first one; never reused.
pub type ConnNo = usize;
/// A room, counted from the first one; never reused.
pub type RoomNo = usize;

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It takes part.
    Talking,
    /// It was told its last line, and counts until its peer has ended too.
    Lingering {
        /// When the server has no more patience.
        until: Duration,
        /// When something last came, or else when it began.
        heard_at: Duration,
    },
    /// The server has forgotten it.
    Gone,
}

/// A room that somebody is in.
#[derive(Clone, Debug)]
pub struct Membership {
    room: RoomNo,
    joined_at: Duration,
    is_announced: bool,
    /// Waits for the earlier lines: those before this one.
    replay_before: Option<usize>,
}

/// One connection.
#[derive(Debug)]
pub struct Conn {
    address: IpAddr,
    /// What decides who comes first among equals.
    place: u64,
    stage: Stage,
    is_admitted: bool,
    // What came in.
    inbox: Vec<Piece>,
    is_input_over: bool,
    raw: Vec<u8>,
    text: String,
    is_skipping: bool,
    is_known: bool,
    is_crlf: bool,
    refused_options: BTreeSet<(u8, u8)>,
    bucket: Bucket,
    was_slowed: bool,
    // Who it is.
    nick: Option<Name>,
    rooms: Vec<Membership>,
    ignores: Vec<(ConnNo, Name)>,
    /// The room for which many lines are being typed, and those; no room if they are left out.
    paste: Option<(Option<RoomNo>, Vec<String>)>,
    away: Option<String>,
    is_quiet: bool,
    zone: Option<i64>,
    says_emoji: bool,
    /// What they have said themselves of the like.
    habits: Habits,
    wants_receipts: bool,
    wants_acks: bool,
    is_json: bool,
    /// Its lines while it wanted that, and whether the one that is being obeyed was refused.
    answered: u64,
    is_refused: bool,
    /// Who hears when it next types.
    watchers: Vec<ConnNo>,
    /// The zone of its last line, if that carried the time, and the day there.
    day: Option<(i64, i64)>,
    replay_lines: usize,
    /// Whose connection it is, and how many lines that waited were shown to them just now.
    account: Option<AccountNo>,
    directs_shown: usize,
    typed_at: Duration,
    since: i64,
    came_at: Duration,
    arrival_is_timed: bool,
    replay_is_timed: bool,
    // What it must have seen and has not been asked for.
    told: Vec<Told>,
}

/// A line that a room remembers.
#[derive(Clone, Debug)]
struct Kept {
    /// Its number among all that was said.
    said_as: u64,
    unix: i64,
    speaker: ConnNo,
    nick: Name,
    /// As it follows the room's name where it is remembered.
    said: String,
    /// All that was said, where that is many lines.
    whole: Option<Vec<String>>,
}

/// One room.
#[derive(Debug)]
struct Room {
    name: Name,
    /// Which of those that were made at the same instant is pushed out first.
    slot: usize,
    is_there: bool,
    /// Something was said in it, or about it, that is kept; of these rooms it was the so manyth.
    kept_as: Option<usize>,
    /// Who made it, if they were logged in.
    owner: Option<AccountNo>,
    operators: Vec<AccountNo>,
    slow: Option<Slow>,
    sanctions: Vec<Sanction>,
    password: Option<String>,
    topic: Option<String>,
    /// In the order of entering.
    members: Vec<ConnNo>,
    /// In the order in which they began to wait.
    waiting: Vec<ConnNo>,
    lines: Vec<Kept>,
    spoken_at: Duration,
    tally: Option<(u32, u32)>,
    tries: Vec<(u128, Bucket)>,
}

/// What is due later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timer {
    Name(ConnNo),
    Arrival(ConnNo),
    Replay(ConnNo),
    Tally(RoomNo),
}

/// Everybody and everything.
#[derive(Debug)]
pub struct Model {
    limits: chat::Limits,
    hub: hub::Limits,
    mono: Duration,
    unix: i64,
    conns: Vec<Conn>,
    rooms: Vec<Room>,
    free_slots: Vec<usize>,
    /// In the order in which they were set.
    timers: Vec<(Duration, Timer)>,
    /// When somebody's next line is to be had.
    paced: Vec<(Duration, ConnNo)>,
    guests: u64,
    said: u64,
    /// Who wants to know that whom has what was said to them, in this turn.
    receipts: Vec<(ConnNo, ConnNo)>,
    /// Names that are somebody's.
    accounts: Vec<Account>,
    /// Who may not be anywhere, or speak nowhere.
    everywhere: Vec<Sanction>,
    /// How many rooms were kept so far.
    kept: usize,
    /// How many passwords were hashed for whom, and who came how often.
    hashes: Vec<(u128, Bucket)>,
    arrivals: Vec<(u128, Bucket)>,
    /// Something was typed after which nothing is foretold.
    is_lost: bool,
    /// Whose request is being obeyed, and what stands before its answers.
    answering: Option<(ConnNo, String)>,
}

impl Model {
    /// A world with nobody in it, at that time of the wall clock.
    pub fn new(limits: chat::Limits, hub: hub::Limits, unix: i64) -> Model {
        let (conns, timers, paced) = (Vec::new(), Vec::new(), Vec::new());
        let lobby = limits.lobby.clone();
        let (mono, rooms, free_slots) = (Duration::ZERO, Vec::new(), Vec::new());
        let mut model = Model {
            limits,
            hub,
            mono,
            unix,
            conns,
            rooms,
            free_slots,
            timers,
            paced,
            guests: 0,
            said: 0,
            receipts: Vec::new(),
            accounts: Vec::new(),
            everywhere: Vec::new(),
            kept: 0,
            hashes: Vec::new(),
            arrivals: Vec::new(),
            is_lost: false,
            answering: None,
        };
        if let Some(lobby) = lobby {
            let name = Name { shown: lobby.as_str().into(), key: lobby.key().into() };
            model.add_room(name, None);
        }
        model
    }

    /// A connection comes; `place` decides who is first among those for whom the same is due.
    pub fn connect(&mut self, address: IpAddr, place: u64) -> ConnNo {
        let (no, address) = (self.conns.len(), address.to_canonical());
        let refusal = self.refusal_at_the_door(address);
        self.conns.push(Conn {
            address,
            place,
            stage: Stage::Talking,
            is_admitted: refusal.is_none(),
            inbox: Vec::new(),
            is_input_over: false,
            raw: Vec::new(),
            text: String::new(),
            is_skipping: false,
            is_known: false,
            is_crlf: false,
            refused_options: BTreeSet::new(),
            bucket: Bucket::default(),
            was_slowed: false,
            nick: None,
            rooms: Vec::new(),
            ignores: Vec::new(),
            paste: None,
            away: None,
            is_quiet: false,
            zone: None,
            says_emoji: false,
            habits: Habits::default(),
            wants_receipts: false,
            wants_acks: false,
            is_json: false,
            answered: 0,
            is_refused: false,
            watchers: Vec::new(),
            day: None,
            replay_lines: 20,
            account: None,
            directs_shown: 0,
            typed_at: self.mono,
            since: self.unix,
            came_at: self.mono,
            arrival_is_timed: false,
            replay_is_timed: false,
            told: Vec::new(),
        });
        match refusal {
            Some(last) => {
                self.tell(no, last);
                self.linger(no);
            }
            None => self.greet(no),
        }
        no
    }

    fn refusal_at_the_door(&mut self, address: IpAddr) -> Option<What> {
        if let Some(last) = self.barred(address) {
            return Some(What::Line(last));
        }
        if self.comes_too_often(address) {
            return Some(What::Refused("too-often-from-here"));
        }
        let inside: Vec<&Conn> = self.conns.iter().filter(|conn| conn.is_inside()).collect();
        let is_here = |conn: &&&Conn| moves::origin(conn.address) == moves::origin(address);
        let from_here = inside.iter().filter(is_here).count();
        let is_full = |most: Option<usize>, count| most.is_some_and(|most| count >= most);
        if is_full(self.hub.connections_max, inside.len()) {
            return Some(What::Refused("server-full"));
        }
        let most = self.hub.connections_per_address_max;
        let is_full = is_full(most, from_here) && !address.is_loopback();
        is_full.then_some(What::Refused("too-many-from-here"))
    }

    /// Takes one of the connections that may come from there in a minute, if there is one.
    fn comes_too_often(&mut self, address: IpAddr) -> bool {
        let Some(rate) = self.hub.connects.filter(|_| !address.is_loopback()) else { return false };
        let now = self.mono;
        let bucket = Bucket::of(&mut self.arrivals, moves::origin(address));
        let is_late = bucket.next(rate, now) > now;
        if !is_late {
            bucket.take(rate);
        }
        is_late
    }

    fn greet(&mut self, no: ConnNo) {
        if let Some(timeout) = self.limits.name_timeout {
            self.set_timer(timeout, Timer::Name(no));
        }
        let here = match self.people().count() {
            0 => "nobody is here yet".to_owned(),
            1 => "1 person is here".to_owned(),
            people => format!("{people} people are here"),
        };
        self.words(no, &["chatline", &here]);
    }

    /// Whether something was typed after which nothing is foretold.
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// The time since the start.
    pub fn now(&self) -> Duration {
        self.mono
    }

    /// When something is due next.
    pub fn deadline(&self) -> Option<Duration> {
        let timers = self.timers.iter().map(|(at, _)| *at);
        let lingering = self.conns.iter().filter_map(|conn| match conn.stage {
            Stage::Lingering { until, .. } => Some(until),
            Stage::Talking | Stage::Gone => None,
        });
        timers.chain(self.paced.iter().map(|(at, _)| *at)).chain(lingering).min()
    }

    /// The clocks go on to that time since the start. Nothing happens yet.
    pub fn set_clock(&mut self, mono: Duration) {
        self.unix += mono.as_secs() as i64 - self.mono.as_secs() as i64;
        self.mono = mono;
    }

    /// The wall clock jumps.
    pub fn jump(&mut self, seconds: i64) {
        self.unix += seconds;
    }

    /// Does all that is due by now.
    pub fn expire(&mut self) {
        let now = self.mono;
        while let Some(first) = self.first_paced() {
            let (_, no) = self.paced.remove(first);
            self.obey_inbox(no);
        }
        for conn in &mut self.conns {
            if matches!(conn.stage, Stage::Lingering { until, .. } if until <= now) {
                conn.stage = Stage::Gone;
            }
        }
        // The earliest first, and of equals the one that was set first.
        let due = |timers: &[(Duration, Timer)]| {
            let due = timers.iter().enumerate().filter(|(_, (at, _))| *at <= now);
            due.min_by_key(|(index, (at, _))| (*at, *index)).map(|(index, _)| index)
        };
        while let Some(index) = due(&self.timers) {
            match self.timers.remove(index).1 {
                Timer::Name(no) => self.name_timeout(no),
                Timer::Arrival(no) => self.announce(no),
                Timer::Replay(no) => self.replay_after_pause(no),
                Timer::Tally(room) => self.tell_tally(room),
            }
        }
    }

    fn first_paced(&self) -> Option<usize> {
        let due = self.paced.iter().enumerate().filter(|(_, (at, _))| *at <= self.mono);
        due.min_by_key(|(_, (at, no))| (*at, self.conns[*no].place)).map(|(index, _)| index)
    }

    /// What a connection must have seen since this was last asked.
    pub fn take_told(&mut self, no: ConnNo) -> Vec<Told> {
        std::mem::take(&mut self.conns[no].told)
    }

    /// Whether the connection sees that the server has nothing more to say.
    pub fn is_over(&self, no: ConnNo) -> bool {
        self.conns[no].stage != Stage::Talking
    }

    /// The server stops: lines that wait are said at once, then everybody is sent away, those first
    /// who come first.
    pub fn stop(&mut self) {
        self.hub.pace = None;
        let mut order: Vec<ConnNo> = (0..self.conns.len()).collect();
        order.sort_by_key(|no| self.conns[*no].place);
        order.retain(|no| self.conns[*no].stage == Stage::Talking);
        order.iter().for_each(|no| self.obey_inbox(*no));
        order.retain(|no| self.conns[*no].stage == Stage::Talking);
        // Everybody goes, and nobody is told of each.
        for conn in &mut self.conns {
            conn.rooms.iter_mut().for_each(|membership| membership.is_announced = false);
        }
        order.iter().for_each(|no| self.part(*no));
    }

    /// The server dies, and another one goes on with what was kept: rooms in which something was
    /// said or done, or in which an owner was, but for those that a guest locked; nobody is there.
    pub fn restart(&mut self) {
        for conn in &mut self.conns {
            conn.stage = Stage::Gone;
            conn.inbox.clear();
            conn.told.clear();
        }
        (self.timers, self.paced, self.guests) = (Vec::new(), Vec::new(), 0);
        self.free_slots.clear();
        let lobby = self.lobby();
        let is_kept = |room: &Room| {
            let is_lost = room.password.is_some() && room.owner.is_none();
            room.is_there && room.kept_as.is_some() && !is_lost
        };
        let rooms = self.rooms.iter().enumerate();
        let mut kept: Vec<_> = rooms
            .filter(|(_, room)| is_kept(room))
            .map(|(no, room)| ((room.lines.last().map(|line| line.said_as), room.kept_as), no))
            .collect();
        kept.sort_unstable();
        // A lobby in which nobody ever spoke is made anew, after the others.
        if let Some(lobby) = lobby.filter(|lobby| !is_kept(&self.rooms[*lobby])) {
            kept.push(((None, None), lobby));
        }
        for (no, room) in self.rooms.iter_mut().enumerate() {
            let slot = kept.iter().position(|(_, kept)| *kept == no);
            room.is_there = slot.is_some();
            room.slot = slot.unwrap_or(room.slot);
            room.spoken_at = self.mono;
            (room.members, room.waiting) = (Vec::new(), Vec::new());
            (room.tally, room.tries) = (None, Vec::new());
            room.slow = room.slow.take().map(|slow| Slow::new(slow.seconds));
        }
        self.restart_accounts();
        self.restart_sanctions();
    }

    fn set_timer(&mut self, after: Duration, timer: Timer) {
        self.timers.push((self.mono + after, timer));
    }

    fn linger(&mut self, no: ConnNo) {
        let conn = &mut self.conns[no];
        conn.inbox.clear();
        conn.stage = match conn.is_input_over {
            true => Stage::Gone,
            false => {
                let until = self.mono + self.hub.drain_timeout;
                Stage::Lingering { until, heard_at: self.mono }
            }
        };
    }

    fn name_timeout(&mut self, no: ConnNo) {
        let conn = &self.conns[no];
        if conn.stage == Stage::Talking && conn.nick.is_none() {
            self.tell(no, What::Refused("no-name"));
            self.linger(no);
        }
    }

    /// Everybody who has a name.
    fn people(&self) -> impl Iterator<Item = (ConnNo, &Conn)> {
        let people = self.conns.iter().enumerate();
        people.filter(|(_, conn)| conn.stage == Stage::Talking && conn.nick.is_some())
    }

    fn nick(&self, no: ConnNo) -> Name {
        self.conns[no].nick.clone().expect("who does that has a name")
    }

    fn chars_max(&self) -> usize {
        self.limits.name_chars_max.unwrap_or(usize::MAX)
    }

    /// The lobby is the first room, if there is one at all.
    fn lobby(&self) -> Option<RoomNo> {
        self.limits.lobby.as_ref().map(|_| 0)
    }

    fn tell(&mut self, no: ConnNo, what: What) {
        let (unix, answering) = (self.unix, &self.answering);
        let conn = &mut self.conns[no];
        conn.is_refused |= matches!(what, What::Refused(_));
        if conn.is_json {
            let re = answering.as_ref().filter(|(asker, _)| *asker == no);
            let stamp = re.map(|(_, re)| re.clone()).unwrap_or_default();
            conn.day = None;
            return conn.told.push(Told { stamp, is_crlf: conn.is_crlf, what });
        }
        let stamp = conn.zone.map(|ahead| format!("{} ", time_of_day(unix + ahead)));
        let (stamp, is_crlf) = (stamp.unwrap_or_default(), conn.is_crlf);
        if !matches!(what, What::Bytes(_)) {
            let today = conn.zone.map(|ahead| (ahead, (unix + ahead).div_euclid(86_400)));
            let last = std::mem::replace(&mut conn.day, today);
            if let (Some((zone, last)), Some((ahead, today))) = (last, today)
                && zone == ahead
                && last != today
            {
                let day = What::Line(look::day_line(today));
                conn.told.push(Told { stamp: stamp.clone(), is_crlf, what: day });
            }
        }
        conn.told.push(Told { stamp, is_crlf, what });
    }

    fn line(&mut self, no: ConnNo, line: &str) {
        self.tell(no, What::Line(line.to_owned()));
    }

    fn words(&mut self, no: ConnNo, words: &[&str]) {
        self.tell(no, What::Words(words.iter().map(|word| (*word).to_owned()).collect()));
    }
}

impl Conn {
    fn is_inside(&self) -> bool {
        self.is_admitted && self.stage != Stage::Gone
    }

    fn is_in(&self, room: RoomNo) -> bool {
        self.rooms.iter().any(|membership| membership.room == room)
    }

    fn current(&self) -> Option<RoomNo> {
        self.rooms.last().map(|membership| membership.room)
    }

    /// Seconds ahead of UTC of the times that it is shown; programs are told UTC.
    fn ahead(&self) -> i64 {
        self.zone.filter(|_| !self.is_json).unwrap_or(0)
    }

    /// Whether nothing of that person is shown.
    fn ignores(&self, no: ConnNo, nick: &Name) -> bool {
        self.ignores.iter().any(|(who, name)| *who == no || name.key == nick.key)
    }
}

/// `HH:MM:SS` of a moment.
fn time_of_day(unix: i64) -> String {
    let second = unix.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3_600, second / 60 % 60, second % 60)
}
