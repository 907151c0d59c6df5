//! The closed loops: a room gets its next line when an earlier one was heard by everybody.
//!
//! Promises: nothing is measured before the warm-up is over, nor while comings are still told in
//! the lobby. Latencies are those of every 16th connection.

use std::io;
use std::time::Duration;

use super::{Case, Plan, Reading, Settings, TALK, talk, warmed_up};
use crate::driver::Driver;
use crate::subject::Subject;
use crate::table::Row;

const WARM_UP: Duration = Duration::from_millis(500);
/// How long after the last has come the lobby is silent about it, and the machine is done with it:
/// the same for every server.
const CALM: Duration = Duration::from_millis(3200);
const MEASURE_EACH: usize = 16;

/// One room, many lines.
pub fn burst() -> Case {
    let title = "burst: one room of 200, 10 speakers, 32 lines in flight";
    let plan = Plan { rooms: 1, size: 200, speakers: 10, slow: 0 };
    Case { has_variants: true, ..case(title.to_owned(), plan, 32) }
}

/// Many rooms, few lines.
pub fn rooms() -> Case {
    let title = "rooms: 100 rooms of 10, 2 speakers and 4 lines in flight in each";
    let plan = Plan { rooms: 100, size: 10, speakers: 2, slow: 0 };
    Case { has_variants: true, ..case(title.to_owned(), plan, 4) }
}

/// One large room.
pub fn wide(size: usize) -> Vec<Case> {
    let plan = Plan { rooms: 1, size, speakers: 10, slow: 0 };
    let title = |lines| format!("wide: one room of {size}, 10 speakers, {lines} in flight");
    [1, 8].map(|lines| case(title(lines), plan, lines)).into()
}

fn case(title: String, plan: Plan, lines: u64) -> Case {
    Case::new(title, TALK, move |settings, subject| run(settings, subject, plan, lines))
}

fn run(settings: &Settings, subject: Subject, plan: Plan, lines: u64) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let before = warmed_up(&server, subject)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    plan.seat(&mut driver, 0)?;
    driver.load.measure_each(MEASURE_EACH);
    let bytes = (server.resident()? - before) / driver.load.conns.len() as f64;
    driver.rest(settings.at_most(CALM))?;
    driver.keep_in_flight(lines, settings.at_most(WARM_UP))?;
    let start = Reading::now(&server, &driver)?;
    driver.load.latencies.start(driver.load.now());
    driver.keep_in_flight(lines, settings.time)?;
    let end = Reading::now(&server, &driver)?;
    Ok(talk(&start, &end, &driver, bytes))
}
