//! The workloads: what is done to a server, and which figures come of it.
//!
//! Promises: every run has a server of its own, and everybody is in their rooms before anything is
//! measured. Deliberately prints nothing.

mod closed;
mod idle;
mod open;
mod pipe;
mod slow;
mod storm;

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::driver::Driver;
use super::load::{Ear, Goal, Seat};
use super::server::{Server, Usage};
use super::subject::Subject;
use super::table::{Column, Row, compared, most, shown};

/// How everything is measured.
pub struct Settings {
    /// The program that is measured.
    pub chatline: PathBuf,
    /// How long a run is measured.
    pub time: Duration,
    /// Everything small and short, to see that it works.
    pub is_brief: bool,
}

impl Settings {
    /// So long, but a tenth of it where everything is short.
    fn at_most(&self, time: Duration) -> Duration {
        if self.is_brief { time / 10 } else { time }
    }
}

/// A workload, as it is named on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Workload {
    /// One room of 200, of whom 10 speak; 32 lines in flight.
    Burst,
    /// 100 rooms of 10, of whom 2 speak; 4 lines in flight in each.
    Rooms,
    /// One room of 5,000, of whom 10 speak; 1 line in flight, then 8.
    Wide,
    /// 3,000 lines/s into 100 rooms of 10, whatever comes back; then beside 10,000 who are idle.
    Steady,
    /// As many connections as there can be, in rooms of ten, who say nothing.
    Idle,
    /// 5,000 join one room at once, then all leave it.
    Storm,
    /// `burst`, and 20 of the 200 do not read.
    Slow,
    /// One client sends 100,000 lines while others talk.
    Pipe,
    /// A million users without any connection, in this process.
    Million,
}

/// The receive buffer of who does not read.
const SLOW_RECEIVE_BYTES: usize = 4096;
/// How long a server may take to forget somebody who has left.
const PARTING: Duration = Duration::from_millis(100);
const MEGABYTE: f64 = 1e6;

/// One table: a workload of a certain size.
pub struct Case {
    /// What is done.
    pub title: String,
    /// What is measured.
    pub columns: Vec<Column>,
    /// How many runs are enough at most.
    pub runs_max: usize,
    /// Whether it is measured with everybody in the lobby, too, and with longer lines.
    has_variants: bool,
    /// Whether servers of other people take part.
    for_peers: bool,
    run: Box<Run>,
}

type Run = dyn Fn(&Settings, Subject) -> io::Result<Row>;

impl Case {
    fn new(
        title: String,
        columns: &[Column],
        run: impl Fn(&Settings, Subject) -> io::Result<Row> + 'static,
    ) -> Case {
        let (columns, run) = (columns.to_vec(), Box::new(run));
        Case { title, columns, runs_max: usize::MAX, has_variants: false, for_peers: true, run }
    }

    /// Whether that server takes part.
    pub fn is_for(&self, subject: Subject) -> bool {
        match subject {
            Subject::Floor | Subject::Chatline | Subject::Kept => true,
            Subject::LongFloor | Subject::Lobby => self.has_variants,
            Subject::Inspircd | Subject::Redis | Subject::Nats => self.for_peers,
        }
    }

    /// Measures one run with a fresh server.
    pub fn run(&self, settings: &Settings, subject: Subject) -> io::Result<Row> {
        (self.run)(settings, subject)
    }
}

impl Workload {
    /// The tables of a workload; none of what has no server.
    pub fn cases(self, is_brief: bool) -> Vec<Case> {
        match self {
            Workload::Burst => vec![closed::burst()],
            Workload::Rooms => vec![closed::rooms()],
            Workload::Wide => closed::wide(if is_brief { 500 } else { 5000 }),
            Workload::Steady => open::steady(if is_brief { 1000 } else { 10_000 }),
            Workload::Idle => vec![idle::idle(is_brief.then_some(1000))],
            Workload::Storm => vec![storm::storm(if is_brief { 500 } else { 5000 })],
            Workload::Slow => vec![slow::slow()],
            Workload::Pipe => vec![pipe::pipe(if is_brief { 5000 } else { 100_000 })],
            Workload::Million => Vec::new(),
        }
    }
}

/// Rooms with people in them.
#[derive(Clone, Copy)]
struct Plan {
    rooms: usize,
    size: usize,
    /// The first of a room speak.
    speakers: usize,
    /// The last of a room do not read, and their sockets take little.
    slow: usize,
}

impl Plan {
    /// Seats everybody, in rooms from `first` on.
    fn seat(self, driver: &mut Driver, first: usize) -> io::Result<()> {
        let before = driver.load.conns.len();
        let speaks_apart = driver.load.speaks_apart();
        let in_room = self.size + if speaks_apart { self.speakers } else { 0 };
        let slow = self.size - self.slow..self.size;
        let seats = (0..self.rooms * in_room).map(|at| Seat {
            room: first + at / in_room,
            joins: at % in_room < self.size,
            receive_bytes: slow.contains(&(at % in_room)).then_some(SLOW_RECEIVE_BYTES),
        });
        driver.open(seats, Goal::Seated)?;
        for room in 0..self.rooms {
            let start = before + room * in_room;
            let from = if speaks_apart { start + self.size } else { start };
            let it = &mut driver.load.rooms[first + room];
            it.speakers = (from..from + self.speakers).collect();
            it.readers = (self.size - self.slow - usize::from(!speaks_apart)) as u64;
            for conn in &mut driver.load.conns[start + slow.start..start + slow.end] {
                conn.ear = Ear::Deaf;
            }
        }
        Ok(())
    }
}

/// What memory is resident when one connection has come, has been in a room, and has left: what
/// comes on top is for connections, and not for code that runs for the first time.
fn warmed_up(server: &Server, subject: Subject) -> io::Result<f64> {
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    driver.open([Seat { room: 0, joins: true, receive_bytes: None }], Goal::Seated)?;
    driver.load.leave(0);
    driver.wait_for_answers(0)?;
    drop(driver);
    std::thread::sleep(PARTING);
    server.resident()
}

/// A reading of all counters: what was said, heard and used up to a moment.
struct Reading {
    nanos: u64,
    said: u64,
    heard: u64,
    usage: Usage,
}

impl Reading {
    fn now(server: &Server, driver: &Driver) -> io::Result<Reading> {
        let (said, heard) = driver.load.totals();
        Ok(Reading { nanos: driver.load.now(), said, heard, usage: server.usage()? })
    }
}

/// The columns of all workloads where people talk.
const TALK: &[Column] = &[
    shown("lines/s", 0),
    shown("deliveries/s", 0),
    compared("µs/delivery", 3),
    shown("user", 3),
    shown("system", 3),
    shown("user share %", 1),
    shown("p50 µs", 0),
    compared("p99 µs", 0),
    shown("p99.9 µs", 0),
    shown("bytes/conn", 0),
    most("lost"),
];

/// The figures for these columns.
fn talk(start: &Reading, end: &Reading, driver: &Driver, bytes: f64) -> Row {
    let seconds = (end.nanos - start.nanos) as f64 / 1e9;
    let heard = (end.heard - start.heard) as f64;
    let usage = end.usage - start.usage;
    let [total, user, system] =
        [usage.total, usage.user(), usage.system()].map(|nanos| nanos / 1e3 / heard);
    let latencies = &driver.load.latencies;
    vec![
        (end.said - start.said) as f64 / seconds,
        heard / seconds,
        total,
        user,
        system,
        100.0 * user / total,
        latencies.percentile(50.0),
        latencies.percentile(99.0),
        latencies.percentile(99.9),
        bytes,
        driver.load.lost as f64,
    ]
}
