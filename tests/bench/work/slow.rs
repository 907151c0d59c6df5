//! Some do not read: what the others notice of it, and what becomes of the lines for those.
//!
//! Promises: each run is one without slow readers and one with them, on servers of the same kind.
//! Nothing but memory is measured before the sockets of the slow ones are full; of memory it is the
//! most that is resident from when all are seated until the slow ones read again. When the talk is
//! over, the slow readers of `chatline` read again, and for each of them what came and what was
//! told to be dropped is compared with what was said.

use std::io;
use std::time::Duration;

use super::{Case, MEGABYTE, Plan, Reading, Settings};
use crate::driver::Driver;
use crate::load::Ear;
use crate::payload::MARK;
use crate::server::Server;
use crate::subject::Subject;
use crate::table::{Column, Row, least, most, shown};

const SLOW: usize = 20;
const LINES: u64 = 32;
const WARM_UP: Duration = Duration::from_millis(500);
/// So many lines are said before it, in so long at most: more than the 4 MB of a socket.
const OVERFILL_LINES: u64 = 100_000;
const OVERFILL_TIME_MAX: Duration = Duration::from_secs(10);
/// How long is waited for the last lines of those who read.
const STRAGGLERS: Duration = Duration::from_secs(1);
/// How long nothing comes any more when all has come.
const SILENCE: Duration = Duration::from_millis(300);

const COLUMNS: &[Column] = &[
    shown("lines/s, none slow", 0),
    shown("lines/s, 20 slow", 0),
    shown("kept", 2),
    shown("deliveries/s kept", 2),
    shown("µs/delivery, none slow", 3),
    shown("µs/delivery, 20 slow", 3),
    shown("MB at most", 1),
    least("exact of 20"),
    shown("dropped", 0),
    most("lost"),
];

/// One room, of whom some never read.
pub fn slow() -> Case {
    let title = format!("slow: burst, and {SLOW} of 200 never read; lines/s to each who reads");
    Case { runs_max: 3, ..Case::new(title, COLUMNS, run) }
}

fn run(settings: &Settings, subject: Subject) -> io::Result<Row> {
    let (_, _, alone) = talk(settings, subject, 0)?;
    let (server, mut driver, beside) = talk(settings, subject, SLOW)?;
    driver.settle(STRAGGLERS)?;
    let peak = server.peak()? / MEGABYTE;
    let (exact, dropped) = match subject {
        Subject::Chatline => reckon(&mut driver)?,
        _ => (f64::NAN, f64::NAN),
    };
    Ok(vec![
        alone.lines,
        beside.lines,
        beside.lines / alone.lines,
        beside.deliveries / alone.deliveries,
        alone.micros,
        beside.micros,
        peak,
        exact,
        dropped,
        driver.load.lost as f64,
    ])
}

/// What came of a talk.
struct Talk {
    /// How many lines each of those who read gets in a second.
    lines: f64,
    /// How many lines all of them get in a second.
    deliveries: f64,
    /// How much of the server's time a delivery to them takes, in microseconds.
    micros: f64,
}

/// Lets them talk.
fn talk(settings: &Settings, subject: Subject, slow: usize) -> io::Result<(Server, Driver, Talk)> {
    let server = subject.start(&settings.chatline)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    Plan { rooms: 1, size: 200, speakers: 10, slow }.seat(&mut driver, 0)?;
    server.forget_peak()?;
    driver.keep_in_flight(LINES, settings.at_most(WARM_UP))?;
    if slow > 0 {
        overfill(settings, &mut driver)?;
    }
    let start = Reading::now(&server, &driver)?;
    driver.keep_in_flight(LINES, settings.time)?;
    let end = Reading::now(&server, &driver)?;
    let heard = (end.heard - start.heard) as f64;
    let deliveries = heard / ((end.nanos - start.nanos) as f64 / 1e9);
    let lines = deliveries / driver.load.rooms[0].readers as f64;
    let micros = (end.usage - start.usage).total / 1e3 / heard;
    Ok((server, driver, Talk { lines, deliveries, micros }))
}

/// Talks until there is more for each of the slow ones than the kernel takes: until then, they are
/// not slow for the server.
fn overfill(settings: &Settings, driver: &mut Driver) -> io::Result<()> {
    let until = driver.load.now() + settings.at_most(OVERFILL_TIME_MAX).as_nanos() as u64;
    while driver.load.rooms[0].said < OVERFILL_LINES && driver.load.now() < until {
        driver.keep_in_flight(LINES, SILENCE)?;
    }
    Ok(())
}

/// Lets the slow ones read, and says for how many of them no line is missing that they were not
/// told of; and how many they were told of in all.
fn reckon(driver: &mut Driver) -> io::Result<(f64, f64)> {
    let said = driver.load.rooms[0].said;
    let is_deaf = |index: &usize| matches!(driver.load.conns[*index].ear, Ear::Deaf);
    let slow: Vec<usize> = (0..driver.load.conns.len()).filter(is_deaf).collect();
    for &index in &slow {
        driver.load.conns[index].ear = Ear::Keeps(Vec::new());
        driver.load.read(index, false);
    }
    let mut before = 0;
    while driver.load.rooms[0].heard != before {
        before = driver.load.rooms[0].heard;
        driver.rest(SILENCE)?;
    }
    let (mut exact, mut all) = (0, 0);
    for index in slow {
        let Ear::Keeps(bytes) = &driver.load.conns[index].ear else { continue };
        let dropped = bytes.split(|&byte| byte == b'\n').filter_map(dropped).sum::<u64>();
        let heard = memchr::memchr_iter(MARK, bytes).count() as u64;
        exact += usize::from(heard + dropped == said);
        all += dropped;
    }
    Ok((exact as f64, all as f64))
}

/// How many lines this one says were dropped, as in `* 312 lines were dropped here: …`.
fn dropped(line: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(line).ok()?.strip_prefix("* ")?;
    let (count, rest) = text.split_once(' ')?;
    let is_told = ["lines were dropped here", "line was dropped here"]
        .iter()
        .any(|notice| rest.starts_with(notice));
    is_told.then(|| count.parse().ok())?
}
