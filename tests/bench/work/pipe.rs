//! One client sends all it has as fast as it can, while others talk.
//!
//! Promises: a reader in the room of the pipe keeps all that it hears, and each line is compared
//! with what was sent, in order. The others' latencies are counted from when a line was due.

use std::io;
use std::time::Duration;

use super::{Case, Moment, Plan, Settings};
use crate::crowd::Ear;
use crate::driver::{Driver, Pace};
use crate::payload;
use crate::subject::Subject;
use crate::table::{Column, Row, most, shown};

const ROOM: Plan = Plan { rooms: 1, size: 10, speakers: 1, slow: 0 };
const PAIRS: Plan = Plan { rooms: 5, size: 2, speakers: 1, slow: 0 };
const PAIRS_LINES_PER_SECOND: f64 = 500.0;
/// The member of the room who keeps what is heard; the first one speaks.
const READER: usize = 1;
/// How many bytes wait in the client at most.
const UNSENT_BYTES: usize = 256 * 1024;
/// When nothing came for so long, nothing will.
const PATIENCE: Duration = Duration::from_secs(2);
const SEED: u64 = 5;

const COLUMNS: &[Column] = &[
    shown("seconds", 3),
    shown("lines/s", 0),
    shown("deliveries/s", 0),
    shown("µs/delivery", 3),
    shown("whole and in order", 0),
    shown("others' p50 µs", 0),
    shown("p99 µs", 0),
    shown("most µs", 0),
    most("lost"),
];

/// So many lines.
pub fn pipe(lines: usize) -> Case {
    let title = format!("pipe: one client sends {lines} lines into a room of 10");
    let run = move |settings: &Settings, subject| run(settings, subject, lines);
    Case { runs_max: 3, for_peers: false, ..Case::new(title, COLUMNS, run) }
}

fn run(settings: &Settings, subject: Subject, lines: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    PAIRS.seat(&mut driver, 1)?;
    driver.crowd.measure_each(1);
    let reader = driver.crowd.conns.len() + READER;
    ROOM.seat(&mut driver, 0)?;
    driver.crowd.conns[reader].ear = Ear::Keeps(Vec::new());
    let start = Moment::now(&server, &driver)?;
    driver.crowd.latencies.start(start.nanos);
    let heard_at = send(&mut driver, lines)?;
    let end = Moment::now(&server, &driver)?;
    driver.settle(settings.at_most(PATIENCE))?;
    let seconds = (heard_at - start.nanos) as f64 / 1e9;
    let heard = (end.heard - start.heard) as f64;
    let latencies = &driver.crowd.latencies;
    let Ear::Keeps(kept) = &driver.crowd.conns[reader].ear else { unreachable!("it was given") };
    Ok(vec![
        seconds,
        lines as f64 / seconds,
        heard / seconds,
        (end.usage - start.usage).total / 1e3 / heard,
        payload::whole_and_in_order(kept) as f64,
        latencies.percentile(50.0),
        latencies.percentile(99.0),
        latencies.percentile(100.0),
        driver.crowd.lost as f64,
    ])
}

/// Sends the lines and lets the pairs talk, until all have heard all. Returns when the last line
/// was heard.
fn send(driver: &mut Driver, lines: usize) -> io::Result<u64> {
    let rooms = (1..=PAIRS.rooms).collect();
    let mut pace = Pace::within(rooms, driver.crowd.now(), PAIRS_LINES_PER_SECOND, SEED);
    let speaker = driver.crowd.rooms[0].speakers[0];
    let all = lines as u64 * driver.crowd.rooms[0].readers;
    let (mut sent, mut before, mut since) = (0, 0, driver.crowd.now());
    loop {
        let now = driver.crowd.now();
        while sent < lines && driver.crowd.unsent(speaker) < UNSENT_BYTES {
            driver.crowd.say_numbered(0, speaker, now, sent);
            sent += 1;
        }
        driver.crowd.flush(speaker);
        pace.say_due(&mut driver.crowd);
        driver.turn(Some(Duration::ZERO))?;
        if driver.crowd.rooms[0].heard != before {
            (before, since) = (driver.crowd.rooms[0].heard, driver.crowd.now());
        }
        if before >= all || driver.crowd.now() - since > PATIENCE.as_nanos() as u64 {
            return Ok(since);
        }
    }
}
