//! One client sends all it has as fast as it can, while others talk; and again after a pause, on
//! the same connection, until the time of a run has passed.
//!
//! Promises: a reader in the room of the pipe keeps all that it hears, and each line is compared
//! with what was sent, in order. The others talk while a pipe is under way and at no other time;
//! their latencies are counted from when a line was due.

use std::io;
use std::time::Duration;

use super::{Case, Plan, Reading, Settings};
use crate::driver::{Driver, Schedule};
use crate::load::Ear;
use crate::payload;
use crate::subject::Subject;
use crate::table::{Column, Row, least, most, shown};

const ROOM: Plan = Plan { rooms: 1, size: 10, speakers: 1, slow: 0 };
const PAIRS: Plan = Plan { rooms: 5, size: 2, speakers: 1, slow: 0 };
const PAIRS_LINES_PER_SECOND: f64 = 500.0;
/// The member of the room who keeps what is heard; the first one speaks.
const READER: usize = 1;
/// How many bytes wait in the client at most.
const UNSENT_BYTES: usize = 256 * 1024;
/// When nothing came for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long everybody is silent behind a pipe.
const PAUSE: Duration = Duration::from_millis(20);
const SEED: u64 = 5;

const COLUMNS: &[Column] = &[
    shown("pipes", 0),
    shown("seconds/pipe", 3),
    shown("lines/s", 0),
    shown("deliveries/s", 0),
    shown("µs/delivery", 3),
    least("whole and in order, fewest"),
    shown("others' latencies", 0),
    shown("p50 µs", 0),
    shown("p99 µs", 0),
    shown("most µs", 0),
    most("lost"),
];

/// So many lines in each pipe.
pub fn pipe(lines: usize) -> Case {
    let title = format!("pipe: one client sends {lines} lines into a room of 10");
    let run = move |settings: &Settings, subject| run(settings, subject, lines);
    Case { runs_max: 3, for_peers: false, ..Case::new(title, COLUMNS, run) }
}

fn run(settings: &Settings, subject: Subject, lines: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    PAIRS.seat(&mut driver, 1)?;
    driver.load.measure_each(1);
    let reader = driver.load.conns.len() + READER;
    ROOM.seat(&mut driver, 0)?;
    let start = Reading::now(&server, &driver)?;
    driver.load.latencies.start(start.nanos);
    let rooms = (1..=PAIRS.rooms).collect();
    let mut schedule = Schedule::within(rooms, start.nanos, PAIRS_LINES_PER_SECOND, SEED);
    let until = start.nanos + settings.time.as_nanos() as u64;
    let (mut pipes, mut nanos, mut whole) = (0.0, 0.0, usize::MAX);
    while pipes == 0.0 || driver.load.now() < until {
        driver.load.conns[reader].ear = Ear::Keeps(Vec::new());
        nanos += send(&mut driver, &mut schedule, lines)? as f64;
        pipes += 1.0;
        driver.settle(settings.at_most(PATIENCE))?;
        driver.rest(PAUSE)?;
        let Ear::Keeps(kept) = &driver.load.conns[reader].ear else { unreachable!("it is given") };
        whole = whole.min(payload::whole_and_in_order(kept));
    }
    let end = Reading::now(&server, &driver)?;
    let seconds = nanos / 1e9;
    let heard = (end.heard - start.heard) as f64;
    let latencies = &driver.load.latencies;
    Ok(vec![
        pipes,
        seconds / pipes,
        lines as f64 * pipes / seconds,
        heard / seconds,
        (end.usage - start.usage).total / 1e3 / heard,
        whole as f64,
        latencies.count() as f64,
        latencies.percentile(50.0),
        latencies.percentile(99.0),
        latencies.percentile(100.0),
        driver.load.lost as f64,
    ])
}

/// Sends the lines and lets the pairs talk, until all have heard all. Returns after how many
/// nanoseconds the last line was heard.
fn send(driver: &mut Driver, schedule: &mut Schedule, lines: usize) -> io::Result<u64> {
    let start = driver.load.now();
    schedule.resume(start);
    let room = &driver.load.rooms[0];
    let speaker = room.speakers[0];
    let all = room.heard + lines as u64 * room.readers;
    let (mut sent, mut before, mut since) = (0, room.heard, start);
    loop {
        let now = driver.load.now();
        while sent < lines && driver.load.unsent(speaker) < UNSENT_BYTES {
            driver.load.say_numbered(0, speaker, now, sent);
            sent += 1;
        }
        driver.load.flush(speaker);
        schedule.say_due(&mut driver.load);
        driver.turn(Some(Duration::ZERO))?;
        if driver.load.rooms[0].heard != before {
            (before, since) = (driver.load.rooms[0].heard, driver.load.now());
        }
        if before >= all || driver.load.now() - since > PATIENCE.as_nanos() as u64 {
            return Ok(since - start);
        }
    }
}
