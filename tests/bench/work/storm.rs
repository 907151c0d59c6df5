//! Everybody joins one room at once, and then everybody leaves it.
//!
//! Promises: all requests are under way before the first answer is looked at, and what is measured
//! goes on for a second and a half after the last answer, so that notices which come late count.

use std::io;
use std::time::Duration;

use super::{Case, MEGABYTE, Settings};
use crate::driver::Driver;
use crate::load::{Goal, Seat};
use crate::subject::Subject;
use crate::table::{Column, Row, compared, most, shown};

const CALM: Duration = Duration::from_secs(1);
const AFTERMATH: Duration = Duration::from_millis(1500);

const COLUMNS: &[Column] = &[
    compared("µs/join", 1),
    shown("MB growth at most", 1),
    shown("MB growth after", 1),
    shown("s until all know", 2),
    shown("µs/leave", 1),
    shown("MB growth at most, leaving", 1),
    shown("MB growth after all left", 1),
    most("lost"),
];

/// So many people.
pub fn storm(people: usize) -> Case {
    let title = format!("storm: {people} join one room at once, then all leave it");
    let run = move |settings: &Settings, subject| run(settings, subject, people);
    Case { runs_max: 3, ..Case::new(title, COLUMNS, run) }
}

fn run(settings: &Settings, subject: Subject, people: usize) -> io::Result<Row> {
    let server = subject.start(&settings.chatline)?;
    let mut driver = Driver::new(server.address(), subject.dialect())?;
    let seat = Seat { room: 0, joins: true, receive_bytes: None };
    driver.open(std::iter::repeat_n(seat, people), Goal::Named)?;
    driver.rest(settings.at_most(CALM))?;
    let before = server.resident()?;
    let mut row = Vec::new();
    for is_joining in [true, false] {
        server.forget_peak()?;
        let (usage, since) = (server.usage()?, driver.load.now());
        for index in 0..people {
            match is_joining {
                true => driver.load.join(index),
                false => driver.load.leave(index),
            }
        }
        driver.wait_for_answers(0)?;
        let seconds = (driver.load.now() - since) as f64 / 1e9;
        driver.rest(settings.at_most(AFTERMATH))?;
        row.push((server.usage()? - usage).total / 1e3 / people as f64);
        row.push((server.peak()? - before) / MEGABYTE);
        row.push((server.resident()? - before) / MEGABYTE);
        if is_joining {
            row.push(seconds);
        }
    }
    row.push(driver.load.lost as f64);
    Ok(row)
}
