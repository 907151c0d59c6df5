//! How many lines each room has, so that none has more than it may.
//!
//! Promises: nothing is counted in one go: a room that was there at the start is counted in steps,
//! and from then on its lines are counted as they come and go. Deliberately in memory only: the
//! file need not be written for it. Costs nothing when there is no bound.

use std::collections::HashMap;

use rusqlite::{Connection, Result};

use crate::chat::kept::{Change, Kept, Ledger};

use super::changes::signed;

/// How many lines one step counts.
const STEP_LINES: i64 = 5_000;

/// The lines of each room.
#[derive(Debug, Default)]
pub struct Tally {
    /// How many lines a room may have; `None` for any number, and then nothing is counted.
    most: Option<u64>,
    known: HashMap<u64, u64>,
    /// The rooms that are still to be counted.
    uncounted: Vec<u64>,
    /// The one that is being counted: its number, up to which line, and how many there were.
    counting: Option<(u64, i64, u64)>,
    /// SQLite's number of what other connections have made of the file.
    version: Option<i64>,
    /// The rooms that got more than they may.
    over: Vec<u64>,
}

impl Tally {
    /// Of the rooms that are there at the start.
    pub fn new(keep_lines: Option<usize>, kept: &Kept) -> Tally {
        let most = keep_lines.and_then(|lines| u64::try_from(lines).ok());
        let is_counted = most.is_some();
        let rooms = kept.rooms.iter().filter(|_| is_counted).map(|room| room.serial);
        Tally { most, uncounted: rooms.collect(), ..Tally::default() }
    }

    /// Counts what has been committed.
    pub fn count(&mut self, ledger: &Ledger) {
        if self.most.is_none() {
            return;
        }
        // Lines come first in a ledger, also those of rooms that it makes.
        for change in ledger.changes() {
            if let Change::RoomMade(room) = change {
                self.known.insert(room.serial, 0);
            }
        }
        for line in ledger.lines() {
            if let Some(lines) = self.known.get_mut(&line.room) {
                *lines += 1;
                if Some(*lines) == self.most.map(|most| most + slack(most) + 1) {
                    self.over.push(line.room);
                }
            }
        }
        for change in ledger.changes() {
            if let Change::RoomGone { room } = change {
                self.known.remove(room);
            }
        }
    }

    /// A line of a room was deleted.
    pub fn uncount(&mut self, id: i64, room: u64) {
        if let Some(lines) = self.known.get_mut(&room) {
            *lines = lines.saturating_sub(1);
        }
        if let Some((_, _, lines)) =
            self.counting.as_mut().filter(|(counted, to, _)| *counted == room && id <= *to)
        {
            *lines = lines.saturating_sub(1);
        }
    }

    /// A room that has too many lines, and how many too many.
    pub fn over(&mut self) -> Option<(u64, u64)> {
        let most = self.most?;
        loop {
            let room = *self.over.last()?;
            match self.known.get(&room) {
                Some(lines) if *lines > most => return Some((room, lines - most)),
                _ => self.over.pop(),
            };
        }
    }

    /// Counts all rooms again if another program has changed the file; it may have deleted lines.
    pub fn check(&mut self, conn: &Connection) -> Result<()> {
        if self.most.is_none() {
            return Ok(());
        }
        let mut statement = conn.prepare_cached("PRAGMA data_version")?;
        let version: i64 = statement.query_row([], |row| row.get(0))?;
        if self.version.replace(version).is_some_and(|before| before != version) {
            self.uncounted.extend(self.counting.take().map(|(room, ..)| room));
            self.uncounted.extend(self.known.drain().map(|(room, _)| room));
            self.over.clear();
        }
        Ok(())
    }

    /// Counts a little; false if there is nothing to count.
    pub fn step(&mut self, conn: &Connection) -> Result<bool> {
        let next = self.counting.or_else(|| self.uncounted.pop().map(|room| (room, 0, 0)));
        let Some((room, to, lines)) = next else { return Ok(false) };
        // Until it is done, so that a failure does not lose the room.
        self.counting = Some((room, to, lines));
        let sql = "SELECT count(*), coalesce(max(id), 0) FROM
            (SELECT id FROM lines WHERE room = ?1 AND id > ?2 ORDER BY id LIMIT ?3)";
        let (more, last): (i64, i64) = conn
            .prepare_cached(sql)?
            .query_row((signed(room), to, STEP_LINES), |row| Ok((row.get(0)?, row.get(1)?)))?;
        let lines = lines + more.unsigned_abs();
        if more == STEP_LINES {
            self.counting = Some((room, last, lines));
            return Ok(true);
        }
        self.counting = None;
        self.known.insert(room, lines);
        if self.most.is_some_and(|most| lines > most) {
            self.over.push(room);
        }
        Ok(true)
    }
}

/// How many lines too many are suffered, so that they need not go one by one.
fn slack(most: u64) -> u64 {
    (most / 64).min(256)
}
