//! The open loop: lines are due at moments of their own, however the server does.
//!
//! Promises: a latency is counted from the moment when the line was due, so that a stall is counted
//! for every line that it delays; everybody's latencies are recorded. The calmest p99 is that of
//! the run in which the machine was in the way least. Lines that have not come a second after the
//! last one was due are missing.

use std::io;
use std::time::Duration;

use super::{Case, Plan, Reading, Settings, TALK, talk, warmed_up};
use crate::driver::Driver;
use crate::subject::Subject;
use crate::table::{Row, least, most};

const LINES_PER_SECOND: f64 = 3000.0;
const TALKING: Plan = Plan { rooms: 100, size: 10, speakers: 2, slow: 0 };
/// How long the machine may take to be done with all who came.
const CALM: Duration = Duration::from_secs(2);
const WARM_UP: Duration = Duration::from_millis(500);
/// How long is waited for what is late.
const STRAGGLERS: Duration = Duration::from_secs(1);
const SEED: u64 = 3;

/// Alone, and beside many who are idle.
pub fn steady(idle: usize) -> Vec<Case> {
    let title = "steady: 3,000 lines/s in all into 100 rooms of 10";
    let beside = format!("{title}, with {idle} idle connections beside it");
    vec![case(title.to_owned(), 0), case(beside, idle)]
}

fn case(title: String, idle: usize) -> Case {
    let run = move |settings: &Settings, subject| run(settings, subject, idle);
    Case::new(title, &[TALK, &[least("calmest p99 µs"), most("missing")]].concat(), run)
}

fn run(settings: &Settings, subject: Subject, idle: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let before = warmed_up(&server, subject)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    TALKING.seat(&mut driver, 0)?;
    driver.load.measure_each(1);
    Plan { rooms: idle / 10, size: 10, speakers: 0, slow: 0 }.seat(&mut driver, TALKING.rooms)?;
    let bytes = (server.resident()? - before) / driver.load.conns.len() as f64;
    driver.rest(settings.at_most(CALM))?;
    driver.keep_schedule(LINES_PER_SECOND, settings.at_most(WARM_UP), SEED)?;
    let start = Reading::now(&server, &driver)?;
    driver.load.latencies.start(driver.load.now());
    driver.keep_schedule(LINES_PER_SECOND, settings.time, SEED)?;
    let end = Reading::now(&server, &driver)?;
    driver.settle(settings.at_most(STRAGGLERS))?;
    let missing: u64 = driver.load.rooms.iter().map(|room| room.missing()).sum();
    let mut row = talk(&start, &end, &driver, bytes);
    row.extend([driver.load.latencies.percentile(99.0), missing as f64]);
    Ok(row)
}
