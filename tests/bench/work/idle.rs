//! Many who say nothing: what one of them costs in memory, and what it costs to come.
//!
//! Promises: memory is what the operating system says is resident, three seconds after the last
//! has joined. As many come as the descriptors of one process allow.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::{Case, MEGABYTE, Plan, Settings};
use crate::driver::Driver;
use crate::subject::Subject;
use crate::table::{Column, Row, compared, most, shown};

/// Descriptors that are left to the processes for other things.
const DESCRIPTORS_KEPT: u64 = 100;
/// However many descriptors there are, no more connections than this.
const CONNS_MAX: u64 = 100_000;
const ROOM_SIZE: usize = 10;
const SETTLING: Duration = Duration::from_secs(3);
const LEAVING: Duration = Duration::from_secs(2);

const COLUMNS: &[Column] = &[
    shown("connections", 0),
    shown("bytes/conn", 0),
    compared("µs/login+join", 1),
    shown("MB before", 1),
    shown("MB with all", 1),
    shown("MB after they left", 1),
    most("lost"),
];

/// As many as there can be, but at most so many.
pub fn idle(at_most: Option<usize>) -> Case {
    let possible = getrlimit(Resource::Nofile)
        .current
        .map_or(CONNS_MAX, |most| most.saturating_sub(DESCRIPTORS_KEPT).min(CONNS_MAX));
    let conns = at_most.map_or(possible as usize, |most| most.min(possible as usize));
    let rooms = conns / ROOM_SIZE;
    let title = format!("idle: {} connections in rooms of {ROOM_SIZE}", rooms * ROOM_SIZE);
    let run = move |settings: &Settings, subject| run(settings, subject, rooms);
    Case { runs_max: 3, ..Case::new(title, COLUMNS, run) }
}

fn run(settings: &Settings, subject: Subject, rooms: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    let (before, usage) = (server.resident()?, server.usage()?);
    Plan { rooms, size: ROOM_SIZE, speakers: 0, slow: 0 }.seat(&mut driver, 0)?;
    let usage = server.usage()? - usage;
    driver.rest(settings.at_most(SETTLING))?;
    let with_all = server.resident()?;
    let (conns, lost) = (driver.crowd.conns.len() as f64, driver.crowd.lost as f64);
    drop(driver);
    std::thread::sleep(settings.at_most(LEAVING));
    let after = server.resident()?;
    Ok(vec![
        conns,
        (with_all - before) / conns,
        usage.total / 1e3 / conns,
        before / MEGABYTE,
        with_all / MEGABYTE,
        after / MEGABYTE,
        lost,
    ])
}
