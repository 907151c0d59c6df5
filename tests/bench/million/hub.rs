//! The hub on connections in memory: everybody comes, joins a room of ten and speaks there; as many
//! as may join the large room; all leave.
//!
//! Promises: one turn for each step, with one connection that has something to say, so that the
//! cost of a turn is part of what is measured. A stream here is eight bytes and costs next to
//! nothing to write to; what a kernel needs for a connection comes on top.

use std::cell::{Cell, RefCell};
use std::fmt::{Arguments, Write as _};
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use chatline::chat::{self, Chat, ConnId, Now};
use chatline::net::hub::{Hub, Limits, Readable, Stream};

use super::{Figures, Lines, Longest, ROOM, TEXT, median, shuffled, timed};

/// How much later each turn is.
const STEP: Duration = Duration::from_micros(10);
/// Longer than anything that the conversation has put off.
const REST: Duration = Duration::from_secs(3);
/// How many lines are timed, if there are no more rooms than this.
const LINES: usize = 10_000;
/// How many deliveries are timed in the large room, about.
const DELIVERIES: usize = 500_000;

/// The world beyond all the streams.
#[derive(Debug, Default)]
struct World {
    /// What the next read gives; the one after it would block, or ends if `is_over`.
    typed: RefCell<String>,
    is_over: Cell<bool>,
    /// Counts writes.
    writes: Cell<usize>,
}

/// One stream of many.
#[derive(Debug)]
struct Line(Rc<World>);

impl Read for Line {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut typed = self.0.typed.borrow_mut();
        if typed.is_empty() {
            return if self.0.is_over.get() { Ok(0) } else { Err(ErrorKind::WouldBlock.into()) };
        }
        let count = typed.len();
        buffer[..count].copy_from_slice(typed.as_bytes());
        typed.clear();
        Ok(count)
    }
}

impl Write for Line {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.writes.update(|writes| writes + 1);
        Ok(bytes.len())
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.writes.update(|writes| writes + 1);
        Ok(parts.iter().map(|part| part.len()).sum())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Line {
    fn finish_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn expect_stall(&mut self, _timeout: Option<Duration>) {}

    fn expect_no_stall(&mut self) {}
}

/// Everybody, and the world.
struct Crowd {
    hub: Hub<Line>,
    world: Rc<World>,
    now: Now,
    conns: Vec<ConnId>,
    rooms: usize,
}

/// Measures so many connections, of whom at most `crowd` join the large room. `before` is what
/// memory the process held, if that is to be measured.
pub fn measure(conns: usize, crowd: usize, before: Option<usize>) -> Figures {
    let mut figures = Figures::default();
    let mut all = Crowd::new(conns);
    let mut longest = Longest::new();
    let time = timed(|| {
        for n in 0..conns {
            all.come(n);
            longest.step();
        }
    });
    figures.each("to come, take a name and join a room of ten", time, conns);
    figures.once("    the longest of these", longest.time);
    assert_eq!(all.hub.conversation().people(), conns, "everybody has a name");
    figures.memory("memory for each", before, conns);
    all.talk_in_rooms(&mut figures);
    all.talk_in_crowd(conns.min(crowd), &mut figures);
    figures.memory("memory for each after that", before, conns);
    all.leave(&mut figures);
    figures.memory("memory for each when all have left", before, conns);
    figures
}

impl Crowd {
    fn new(conns: usize) -> Crowd {
        let chat = chat::Limits {
            lobby: None,
            name_chars_max: Some(24),
            name_timeout: None,
            rooms_max: None,
            rooms_per_user_max: None,
            room_members_max: None,
        };
        let limits = Limits {
            connections_max: None,
            connections_per_address_max: None,
            line_bytes_max: Some(4_096),
            pace: None,
            queue_bytes_max: Some(1 << 20),
            queue_total_bytes_max: Some(256 << 20),
            drain_timeout: Duration::from_secs(2),
            stall_timeout: Some(Duration::from_secs(120)),
            read_bytes_per_turn: 64 << 10,
        };
        let now = Now { mono: Duration::ZERO, unix: 1_772_625_600, zone_secs: 0 };
        let hub = Hub::new(Chat::new(chat, *b"a million users.", now), limits);
        let conns_max = conns;
        let conns = Vec::with_capacity(conns_max);
        Crowd { hub, world: Rc::default(), now, conns, rooms: conns_max / ROOM }
    }

    /// A member of a room of ten: they came long after each other.
    fn member(&self, room: usize, place: usize) -> usize {
        room + place % ROOM * self.rooms
    }

    /// A turn after that time, and others until nothing is due.
    fn turn(&mut self, time: Duration) {
        let seconds = self.now.mono.as_secs();
        self.now.mono += time;
        self.now.unix += (self.now.mono.as_secs() - seconds) as i64;
        self.hub.turn(self.now);
        while self.hub.deadline().is_some_and(|at| at <= self.now.mono) {
            self.hub.turn(self.now);
        }
    }

    /// Each connection has an address of its own.
    fn come(&mut self, n: usize) {
        let host = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + n as u32;
        let from = SocketAddr::from((Ipv4Addr::from(host), 40_000));
        let room = n % self.rooms;
        self.write(format_args!("u{n}\n/join r{room}\n"));
        let line = Line(Rc::clone(&self.world));
        let conn = self.hub.open(line, from, self.now).expect("nobody is refused");
        self.conns.push(conn);
        self.hear(n);
    }

    fn write(&self, text: Arguments<'_>) {
        self.world.typed.borrow_mut().write_fmt(text).expect("a string takes everything");
    }

    /// The connection has something to read.
    fn hear(&mut self, n: usize) {
        self.hub.ready(self.conns[n], Readable::UntilBlocked, false);
        self.turn(STEP);
    }

    fn types(&mut self, n: usize, text: &str) {
        self.write(format_args!("{text}\n"));
        self.hear(n);
    }

    fn type_all(&mut self, who: &[usize], text: &str) -> Duration {
        timed(|| who.iter().for_each(|n| self.types(*n, text)))
    }

    /// Everybody of these says a line.
    fn say(&mut self, speakers: &[usize]) -> Lines {
        let writes = self.world.writes.get();
        let time = self.type_all(speakers, TEXT);
        Lines { count: speakers.len(), deliveries: self.world.writes.get() - writes, time }
    }

    fn talk_in_rooms(&mut self, figures: &mut Figures) {
        self.turn(REST);
        let rooms = self.rooms;
        // From then on each room keeps lines.
        self.say(&(0..rooms).collect::<Vec<_>>());
        let order = shuffled(rooms);
        let speakers = (0..LINES.max(rooms)).map(|n| self.member(order[n % rooms], 1 + n / rooms));
        let cold = self.say(&speakers.collect::<Vec<_>>());
        let speakers: Vec<usize> = (0..LINES).map(|n| self.member(0, n)).collect();
        assert_eq!(cold.deliveries, cold.count * (ROOM - 1), "the others hear each line");
        let warm = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line, always in the same room", median(warm));
        figures.lines("a line, in another room each time", cold);
    }

    fn talk_in_crowd(&mut self, members: usize, figures: &mut Figures) {
        let order = shuffled(members);
        let time = self.type_all(&order, "/join crowd");
        figures.each("to join the large room", time, members);
        self.turn(REST);
        let count = (DELIVERIES / members).clamp(1, LINES);
        let speakers: Vec<usize> = (0..count).map(|line| order[line % members]).collect();
        let lines = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line in the large room", median(lines));
        self.turn(REST);
        figures.each("to leave the large room", self.type_all(&order, "/leave"), members);
        self.type_all(&order, "/join crowd");
        let time = timed(|| self.types(order[0], TEXT));
        figures.once("the first line after all came back", time);
        self.turn(REST);
    }

    fn leave(&mut self, figures: &mut Figures) {
        self.world.is_over.set(true);
        let mut longest = Longest::new();
        let order = shuffled(self.conns.len());
        let time = timed(|| {
            for n in &order {
                self.hear(*n);
                longest.step();
            }
        });
        figures.each("to leave altogether", time, order.len());
        figures.once("    the longest of these", longest.time);
        assert!(self.hub.is_empty(), "everybody has left");
    }
}
