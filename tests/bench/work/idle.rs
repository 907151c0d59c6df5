//! Many who say nothing: what one of them costs in memory, and what it costs to come.
//!
//! Promises: memory is what the operating system says is resident, three seconds after the last
//! has joined. As many come as the descriptors of one process allow; when all have left, as many
//! come once more, to a server whose memory has holes by then. Of both waves a connection costs
//! what is resident beyond what was before the first. What is resident at last is read half a
//! minute later.

use std::io;
use std::time::Duration;

use rustix::process::{Resource, getrlimit};

use super::{Case, MEGABYTE, Plan, Settings};
use crate::driver::Driver;
use crate::server::Server;
use crate::subject::Subject;
use crate::table::{Column, Row, compared, most, shown};

/// Descriptors that are left to the processes for other things.
const DESCRIPTORS_KEPT: u64 = 100;
/// However many descriptors there are, no more connections than this.
const CONNS_MAX: u64 = 100_000;
const ROOM_SIZE: usize = 10;
const SETTLING: Duration = Duration::from_secs(3);
/// How long after all have left the next ones come.
const BETWEEN: Duration = Duration::from_secs(2);
/// How long an allocator is given to return what nobody needs.
const RETURNING: Duration = Duration::from_secs(30);

const COLUMNS: &[Column] = &[
    shown("connections", 0),
    shown("bytes/conn", 0),
    compared("µs/login+join", 1),
    shown("MB before", 1),
    shown("MB with all", 1),
    shown("bytes/conn, 2nd wave", 0),
    shown("MB after all left", 1),
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

/// What one wave cost.
struct Wave {
    conns: f64,
    lost: f64,
    /// Nanoseconds for all to come.
    usage: f64,
    with_all: f64,
}

fn run(settings: &Settings, subject: Subject, rooms: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let before = server.resident()?;
    let first = wave(settings, subject, &server, rooms)?;
    std::thread::sleep(settings.at_most(BETWEEN));
    let second = wave(settings, subject, &server, rooms)?;
    std::thread::sleep(settings.at_most(RETURNING));
    let after = server.resident()?;
    Ok(vec![
        first.conns,
        (first.with_all - before) / first.conns,
        first.usage / 1e3 / first.conns,
        before / MEGABYTE,
        first.with_all / MEGABYTE,
        (second.with_all - before) / second.conns,
        after / MEGABYTE,
        first.lost + second.lost,
    ])
}

/// All come, and all leave.
fn wave(settings: &Settings, subject: Subject, server: &Server, rooms: usize) -> io::Result<Wave> {
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    let usage = server.usage()?;
    Plan { rooms, size: ROOM_SIZE, speakers: 0, slow: 0 }.seat(&mut driver, 0)?;
    let usage = (server.usage()? - usage).total;
    driver.rest(settings.at_most(SETTLING))?;
    let with_all = server.resident()?;
    let (conns, lost) = (driver.load.conns.len() as f64, driver.load.lost as f64);
    Ok(Wave { conns, lost, usage, with_all })
}
