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

use chatline::chat::{Chat, ConnId, Now};
use chatline::net::hub::{Hub, Limits, Readable, Stream};

use super::{Figures, Longest, Population, START, later, shuffled, timed};

/// How much later each turn is.
const STEP: Duration = Duration::from_micros(10);
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
struct Tap(Rc<World>);

impl Read for Tap {
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

impl Write for Tap {
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

impl Stream for Tap {
    fn finish_writing(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn expect_stall(&mut self, _timeout: Option<Duration>) {}

    fn expect_no_stall(&mut self) {}
}

/// Everybody, and the world.
struct OnHub {
    hub: Hub<Tap>,
    world: Rc<World>,
    now: Now,
    conns: Vec<ConnId>,
    /// How many come.
    count: usize,
}

/// Measures so many connections, of whom at most `crowd` join the large room. `before` is what
/// memory the process held, if that is to be measured.
pub fn measure(conns: usize, crowd: usize, before: Option<usize>) -> Figures {
    let mut figures = Figures::default();
    let mut all = OnHub::new(conns);
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
    let members = shuffled(conns.min(crowd));
    all.talk_in_crowd(&members, &mut figures);
    all.leave_crowd(&members, &mut figures);
    figures.memory("memory for each after that", before, conns);
    all.leave(&shuffled(conns), &mut figures);
    assert!(all.hub.is_empty(), "everybody has left");
    figures
}

impl OnHub {
    fn new(count: usize) -> OnHub {
        let limits = Limits {
            connections_max: None,
            connections_per_address_max: None,
            connects: None,
            line_bytes_max: Some(4_096),
            pace: None,
            queue_bytes_max: Some(1 << 20),
            queue_total_bytes_max: Some(256 << 20),
            drain_timeout: Duration::from_secs(2),
            stall_timeout: Some(Duration::from_secs(120)),
            handshakes_max: 0,
            handshake_timeout: Duration::ZERO,
            read_bytes_per_turn: 64 << 10,
            keep: None,
        };
        let chat = Chat::new(super::limits(), *b"a million users.", START);
        let hub = Hub::new(chat, limits);
        OnHub { hub, world: Rc::default(), now: START, conns: Vec::with_capacity(count), count }
    }

    /// Each connection has an address of its own.
    fn come(&mut self, n: usize) {
        let host = u32::from(Ipv4Addr::new(10, 0, 0, 0)) + n as u32;
        let from = SocketAddr::from((Ipv4Addr::from(host), 40_000));
        let room = n % self.rooms();
        self.write(format_args!("u{n}\n/join r{room}\n"));
        let tap = Tap(Rc::clone(&self.world));
        let conn = self.hub.open(tap, from, self.now).expect("nobody is refused");
        self.conns.push(conn);
        self.hear(n);
    }

    fn write(&self, text: Arguments<'_>) {
        self.world.typed.borrow_mut().write_fmt(text).expect("a string takes everything");
    }

    /// The connection has something to read.
    fn hear(&mut self, n: usize) {
        self.hub.ready(self.conns[n], Readable::UntilBlocked, false);
        self.pass(STEP);
    }
}

impl Population for OnHub {
    const LINES: usize = 10_000;
    const DELIVERIES: usize = 500_000;

    fn count(&self) -> usize {
        self.count
    }

    fn heard(&self) -> usize {
        self.world.writes.get()
    }

    fn pass(&mut self, time: Duration) {
        self.now = later(self.now, time);
        self.hub.turn(self.now);
        while self.hub.deadline().is_some_and(|at| at <= self.now.mono) {
            self.hub.turn(self.now);
        }
    }

    fn types(&mut self, n: usize, text: &str) {
        self.write(format_args!("{text}\n"));
        self.hear(n);
    }

    fn end(&mut self, n: usize) {
        self.world.is_over.set(true);
        self.hear(n);
    }
}
