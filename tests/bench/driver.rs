//! The load: a crowd of connections under one poll, in one thread.
//!
//! Promises: in a closed loop a room gets its next lines as soon as its earlier ones were heard by
//! everybody; in an open loop lines are due when they are due, and a server that is late does not
//! put them off. Deliberately measures nothing of the server: the workloads do.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};

use super::crowd::{Crowd, Goal, Seat};
use super::dialect::Dialect;

const EVENTS_PER_TURN: usize = 4096;
/// How many answers are awaited at once while connections are opened.
const OPENING_AT_ONCE: usize = 200;
/// How long nothing may come while something is awaited.
const PATIENCE: Duration = Duration::from_secs(20);

/// A crowd, its poll, and the server that it talks to.
pub struct Driver {
    poll: Poll,
    events: Events,
    to: SocketAddr,
    /// Everybody.
    pub crowd: Crowd,
}

impl Driver {
    /// Nobody yet.
    pub fn new(to: SocketAddr, dialect: Box<dyn Dialect>) -> io::Result<Driver> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(EVENTS_PER_TURN));
        Ok(Driver { poll, events, to, crowd: Crowd::new(dialect) })
    }

    /// Opens a connection for each seat, as far as that goal, and returns when all are there.
    pub fn open(&mut self, seats: impl IntoIterator<Item = Seat>, goal: Goal) -> io::Result<()> {
        for seat in seats {
            self.crowd.connect(self.to, self.poll.registry(), seat, goal)?;
            self.wait_for_answers(OPENING_AT_ONCE)?;
        }
        self.wait_for_answers(0)
    }

    /// Waits until at most so many answers are awaited.
    pub fn wait_for_answers(&mut self, at_most: usize) -> io::Result<()> {
        let mut before = self.crowd.awaited;
        let mut since = Instant::now();
        while self.crowd.awaited > at_most {
            self.turn(Some(PATIENCE))?;
            if self.crowd.awaited != before {
                (before, since) = (self.crowd.awaited, Instant::now());
            }
            if since.elapsed() > PATIENCE {
                let (awaited, lost) = (self.crowd.awaited, self.crowd.lost);
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
            if event.is_writable() && self.crowd.unsent(index) > 0 {
                self.crowd.writable(index);
            }
            if event.is_readable() || event.is_read_closed() {
                self.crowd.read(index, event.is_read_closed());
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
        while self.crowd.rooms.iter().any(|room| room.in_flight() > 0) {
            let Some(left) = left_until(until) else { break };
            self.turn(Some(left))?;
        }
        Ok(())
    }

    /// Keeps so many lines in flight in each room that has speakers, for that long.
    pub fn keep_in_flight(&mut self, lines: u64, time: Duration) -> io::Result<()> {
        let until = Instant::now() + time;
        for room in 0..self.crowd.rooms.len() {
            self.fill(room, lines);
        }
        while let Some(left) = left_until(until) {
            self.turn(Some(left))?;
            while let Some(room) = self.crowd.untouch() {
                self.fill(room, lines);
            }
        }
        Ok(())
    }

    /// Says what may be said in a room at this moment; each speaker sends it in one write.
    fn fill(&mut self, room: usize, lines: u64) {
        let due = self.crowd.now();
        let it = &mut self.crowd.rooms[room];
        let many = it.speakers.len();
        let free = lines.saturating_sub(it.in_flight()) as usize;
        if many == 0 {
            return;
        }
        for _ in 0..free {
            let speaker = self.crowd.rooms[room].next_speaker();
            self.crowd.say(room, speaker, due);
        }
        for back in 1..=free.min(many) {
            let speaker = self.crowd.rooms[room].speaker_before(back);
            self.crowd.flush(speaker);
        }
    }

    /// Says so many lines a second in all for that long, in all rooms that have speakers by turns,
    /// at moments that do not depend on each other. Polls without sleeping, so as not to be late.
    pub fn keep_pace(&mut self, per_second: f64, time: Duration, seed: u64) -> io::Result<()> {
        let mut pace = Pace::new(&self.crowd, per_second, seed);
        let until = self.crowd.now() + time.as_nanos() as u64;
        while self.crowd.now() < until {
            pace.say_due(&mut self.crowd);
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
pub struct Pace {
    random: fastrand::Rng,
    rooms: Vec<usize>,
    turn: usize,
    gap: f64,
    /// When the next line is due, in nanoseconds since the epoch.
    next: f64,
}

impl Pace {
    /// For all rooms that have speakers; the same seed makes the same moments.
    pub fn new(crowd: &Crowd, per_second: f64, seed: u64) -> Pace {
        let has_speakers = |room: &usize| !crowd.rooms[*room].speakers.is_empty();
        let rooms = (0..crowd.rooms.len()).filter(has_speakers).collect();
        Pace::within(rooms, crowd.now(), per_second, seed)
    }

    /// For these rooms.
    pub fn within(rooms: Vec<usize>, now: u64, per_second: f64, seed: u64) -> Pace {
        let random = fastrand::Rng::with_seed(seed);
        Pace { random, rooms, turn: 0, gap: 1e9 / per_second, next: now as f64 }
    }

    /// Says what is due by now.
    pub fn say_due(&mut self, crowd: &mut Crowd) {
        let now = crowd.now() as f64;
        while self.next <= now {
            let room = self.rooms[self.turn];
            self.turn = (self.turn + 1) % self.rooms.len();
            let speaker = crowd.rooms[room].next_speaker();
            crowd.say(room, speaker, self.next as u64);
            crowd.flush(speaker);
            self.next -= self.gap * (1.0 - self.random.f64()).ln();
        }
    }
}
