//! Who drives a server: a load of connections under one poll, in one thread.
//!
//! Promises: in a closed loop a room gets its next lines as soon as its earlier ones were heard by
//! everybody; in an open loop lines are due when they are due, and a server that is late does not
//! put them off. Deliberately measures nothing of the server: the workloads do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::dialect::Dialect;
use super::load::{Goal, Load, Seat};

const EVENTS_PER_TURN: usize = 4096;
/// How many answers are awaited at once while connections are opened.
const OPENING_AT_ONCE: usize = 200;
/// How long nothing may come while something is awaited.
const PATIENCE: Duration = Duration::from_secs(20);

/// A load of connections, its poll, and the server that it talks to.
pub struct Driver {
    poll: Poll,
    events: Events,
    to: SocketAddr,
    /// Everybody.
    pub load: Load,
}

impl Driver {
    /// Nobody yet.
    pub fn new(to: SocketAddr, dialect: Box<dyn Dialect>) -> io::Result<Driver> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(EVENTS_PER_TURN));
        Ok(Driver { poll, events, to, load: Load::new(dialect) })
    }

    /// Opens a connection for each seat, as far as that goal, and returns when all are there.
    pub fn open(&mut self, seats: impl IntoIterator<Item = Seat>, goal: Goal) -> io::Result<()> {
        for seat in seats {
            self.load.connect(self.to, self.poll.registry(), seat, goal)?;
            self.wait_for_answers(OPENING_AT_ONCE)?;
        }
        self.wait_for_answers(0)
    }

    /// Waits until at most so many answers are awaited.
    pub fn wait_for_answers(&mut self, at_most: usize) -> io::Result<()> {
        let mut before = self.load.awaited;
        let mut since = Instant::now();
        while self.load.awaited > at_most {
            self.turn(Some(PATIENCE))?;
            if self.load.awaited != before {
                (before, since) = (self.load.awaited, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                let (awaited, lost) = (self.load.awaited, self.load.lost);
                let why = format!("{awaited} answers did not come, {lost} connections were closed");
                return Err(io::Error::new(ErrorKind::TimedOut, why));
            }
        }
        Ok(())
    }

    /// One turn: waits for events, reads and goes on sending.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        match self.poll.poll(&mut self.events, timeout) {
            Err(cause) if cause.kind() == ErrorKind::Interrupted => return Ok(()),
            other => other?,
        }
        for event in &self.events {
            let Token(index) = event.token();
            if event.is_writable() && self.load.unsent(index) > 0 {
                self.load.writable(index);
            }
            if event.is_readable() || event.is_read_closed() {
                self.load.read(index, event.is_read_closed());
            }
        }
        Ok(())
    }

    /// Listens for that long, and says nothing.
    pub fn rest(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        while let Some(left) = left_until(until) {
            self.turn(Some(left))?;
        }
        Ok(())
    }

    /// Listens until every line was heard by everybody who is to hear it; at most for that long.
    pub fn settle(&mut self, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        while self.load.rooms.iter().any(|room| room.in_flight() > 0) {
            let Some(left) = left_until(until) else { break };
            self.turn(Some(left))?;
        }
        Ok(())
    }

    /// Keeps so many lines in flight in each room that has speakers, for that long.
    pub fn keep_in_flight(&mut self, lines: u64, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        for room in 0..self.load.rooms.len() {
            self.fill(room, lines);
        }
        while let Some(left) = left_until(until) {
            self.turn(Some(left))?;
            while let Some(room) = self.load.untouch() {
                self.fill(room, lines);
            }
        }
        Ok(())
    }

    /// Says what may be said in a room at this moment; each speaker sends it in one write.
    fn fill(&mut self, room: usize, lines: u64) {
        let due = self.load.now();
        let it = &mut self.load.rooms[room];
        let many = it.speakers.len();
        let free = lines.saturating_sub(it.in_flight()) as usize;
        if many == 0 {
            return;
        }
        for _ in 0..free {
            let speaker = self.load.rooms[room].next_speaker();
            self.load.say(room, speaker, due);
        }
        for back in 1..=free.min(many) {
            let speaker = self.load.rooms[room].speaker_before(back);
            self.load.flush(speaker);
        }
    }

    /// Says so many lines a second in all for that long, in all rooms that have speakers by turns,
    /// at moments that do not depend on each other. Polls without sleeping, so as not to be late.
    pub fn keep_schedule(&mut self, per_second: f64, time: Duration, seed: u64) -> io::Result<()> {
        let mut schedule = Schedule::new(&self.load, per_second, seed);
        let until = self.load.now() + time.as_nanos() as u64;
        while self.load.now() < until {
            schedule.say_due(&mut self.load);
            self.turn(Some(Duration::ZERO))?;
        }
        Ok(())
    }
}

fn left_until(until: Instant) -> Option<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    (!left.is_zero()).then_some(left)
}

/// Lines that are due at random moments (their gaps are exponential), in some rooms by turns.
pub struct Schedule {
    random: fastrand::Rng,
    rooms: Vec<usize>,
    turn: usize,
    gap: f64,
    /// When the next line is due, in nanoseconds since the epoch.
    next: f64,
}

impl Schedule {
    /// For all rooms that have speakers; the same seed makes the same moments.
    pub fn new(load: &Load, per_second: f64, seed: u64) -> Schedule {
        let has_speakers = |room: &usize| !load.rooms[*room].speakers.is_empty();
        let rooms = (0..load.rooms.len()).filter(has_speakers).collect();
        Schedule::within(rooms, load.now(), per_second, seed)
    }

    /// For these rooms.
    pub fn within(rooms: Vec<usize>, now: u64, per_second: f64, seed: u64) -> Schedule {
        let random = fastrand::Rng::with_seed(seed);
        Schedule { random, rooms, turn: 0, gap: 1e9 / per_second, next: now as f64 }
    }

    /// Goes on at `now` after a pause, in which nothing was due.
    pub fn resume(&mut self, now: u64) {
        self.next = now as f64;
        self.step();
    }

    fn step(&mut self) {
        self.next -= self.gap * (1.0 - self.random.f64()).ln();
    }

    /// Says what is due by now.
    pub fn say_due(&mut self, load: &mut Load) {
        let now = load.now() as f64;
        while self.next <= now {
            let room = self.rooms[self.turn];
            self.turn = (self.turn + 1) % self.rooms.len();
            let speaker = load.rooms[room].next_speaker();
            load.say(room, speaker, self.next as u64);
            load.flush(speaker);
            self.step();
        }
    }
}
