//! Housekeeping: what is too old or too much goes, and what is new gets into the search index.
//!
//! Promises: one step at a time, of a few milliseconds, each in a transaction of its own; the same
//! database gives the same steps. Deleting comes before indexing. What is deleted is overwritten in
//! the database and in its log. Deliberately never compacts the file: its free pages are used
//! again.

use std::time::Duration;

use rusqlite::{Connection, Params, Result};

use super::changes::signed;
use super::engine::transact;
use super::index::{self, Index};
use super::load::mark_of;
use super::log_thread::{Checkpoint, LOG_PAGES, checkpoint};
use super::read::number;
use super::tally::Tally;

/// How many lines one step deletes.
const DELETED_LINES: usize = 100;

/// How many lines one step looks at to know which are the last ones of their rooms.
const RANKED_LINES: i64 = 2_000;

/// How many bytes of text one step deletes or indexes, but for the line that goes beyond.
const STEP_BYTES: i64 = 16 * 1024;

/// How often it is looked for old lines, in seconds.
const AGE_SECS: u64 = 60;

/// A line may be that much ahead of the clock, in seconds, and still count as said just now.
const AHEAD_SECS: i64 = 60;

/// What housekeeping goes by.
#[derive(Clone, Copy, Debug)]
pub struct House {
    /// For how long lines are kept; `None` for ever.
    pub keep: Option<Duration>,
    /// How many lines of each room are kept; `None` for all.
    pub keep_lines: Option<usize>,
    /// Whether words are indexed.
    pub is_searchable: bool,
}

impl Default for House {
    fn default() -> House {
        House { keep: None, keep_lines: None, is_searchable: true }
    }
}

/// How far the search for old lines is.
#[derive(Clone, Copy, Debug)]
enum Age {
    /// It begins when the clock is further from this than [`AGE_SECS`], in seconds since 1970 UTC.
    Rested(i64),
    /// All lines up to this one have been looked at.
    Seen(i64),
}

/// What is done, and what is to be done next.
#[derive(Debug)]
pub struct Tend {
    /// What it goes by.
    pub house: House,
    /// How many lines each room has.
    pub tally: Tally,
    age: Age,
    index: Index,
    /// The log still has what was deleted.
    has_traces: bool,
}

/// A line that a step is about.
pub struct Row {
    /// Its id.
    pub id: i64,
    at: i64,
    room: u64,
}

impl Tend {
    /// Nothing is done yet.
    pub fn new(house: House) -> Tend {
        let (age, index) = (Age::Rested(i64::MIN), Index::new());
        Tend { house, tally: Tally::default(), age, index, has_traces: false }
    }

    /// One step; true if there is more to do.
    pub fn step(&mut self, conn: &Connection, unix: i64) -> Result<bool> {
        let done = self.any_step(conn, unix);
        match &done {
            // Somebody has edited lines behind the index's back, or it is damaged.
            Err(error) if index::is_damaged(error) => {
                // It is made anew.
                log::warn!("search_index_unfit");
                transact(conn, index::forget).map(|()| true)
            }
            _ => done,
        }
    }

    fn any_step(&mut self, conn: &Connection, unix: i64) -> Result<bool> {
        let pages = checkpoint(conn, Checkpoint::None)?.waiting;
        // If somebody reads old pages for long, this must not keep the rest from being done.
        if pages >= LOG_PAGES && checkpoint(conn, Checkpoint::Passive)?.waiting < pages {
            return Ok(true);
        }
        // While much is said there are always some lines to be ranked; they must not hold up the
        // rest.
        let is_ranked = rank(conn, RANKED_LINES)?;
        if is_ranked || self.doom(conn)? || self.age(conn, unix)? || self.thin_out(conn)? {
            return Ok(true);
        }
        if self.house.is_searchable && self.index.step(conn)? {
            return Ok(true);
        }
        if rank(conn, 1)? {
            return Ok(true);
        }
        self.remove_traces(conn)
    }

    /// Deletes lines of a room that is gone.
    fn doom(&mut self, conn: &Connection) -> Result<bool> {
        let mut statement = conn.prepare_cached("SELECT room FROM doomed LIMIT 1")?;
        let mut rows = statement.query([])?;
        let Some(row) = rows.next()? else { return Ok(false) };
        let room: i64 = row.get(0)?;
        drop(rows);
        let gone = room_lines(conn, room, DELETED_LINES)?;
        self.has_traces |= !gone.is_empty();
        transact(conn, |conn| {
            // Pages that are merged leave parts of neighbouring rows behind, so that all are
            // overwritten in their places before the first one goes.
            let blank = "UPDATE lines SET nick = CAST(zeroblob(octet_length(nick)) AS TEXT),
                text = CAST(zeroblob(octet_length(text)) AS TEXT) WHERE id = ?1";
            for line in &gone {
                conn.prepare_cached(blank)?.execute([line.id])?;
            }
            delete(conn, &gone)?;
            if gone.is_empty() {
                for sql in ["DELETE FROM doomed WHERE room = ?1", UNSEARCHED_GONE] {
                    conn.prepare_cached(sql)?.execute([room])?;
                }
            }
            Ok(())
        })?;
        Ok(true)
    }

    /// Deletes lines that are too old: the oldest ones up to the first that is not. Those that
    /// seem to be of the future, from before the clock was set right, are passed over.
    fn age(&mut self, conn: &Connection, unix: i64) -> Result<bool> {
        let Some(keep) = self.house.keep else { return Ok(false) };
        let seen = match self.age {
            Age::Rested(at) if at.abs_diff(unix) < AGE_SECS => return Ok(false),
            Age::Rested(_) => i64::MIN,
            Age::Seen(id) => id,
        };
        let cutoff = unix.saturating_sub(signed(keep.as_secs()));
        let sql = "SELECT id, at, room, octet_length(text) FROM lines WHERE id > ?1 ORDER BY id";
        let mut lines = batch(conn, sql, [seen], DELETED_LINES)?;
        let last = lines.last().map(|line| line.id);
        let is_young = |line: &Row| line.at >= cutoff && line.at <= unix + AHEAD_SECS;
        let first_young = lines.iter().position(is_young);
        lines.truncate(first_young.unwrap_or(lines.len()));
        lines.retain(|line| line.at < cutoff);
        self.remove(conn, &lines)?;
        self.age = match last {
            Some(id) if first_young.is_none() => Age::Seen(id),
            _ => Age::Rested(unix),
        };
        Ok(true)
    }

    /// Deletes the oldest lines of rooms that have too many.
    fn thin_out(&mut self, conn: &Connection) -> Result<bool> {
        self.tally.check(conn)?;
        let Some((room, lines)) = self.tally.over() else {
            return self.tally.step(conn);
        };
        let most = usize::try_from(lines).map_or(DELETED_LINES, |most| most.min(DELETED_LINES));
        let gone = room_lines(conn, signed(room), most)?;
        self.remove(conn, &gone)?;
        Ok(!gone.is_empty())
    }

    fn remove(&mut self, conn: &Connection, gone: &[Row]) -> Result<()> {
        if gone.is_empty() {
            return Ok(());
        }
        transact(conn, |conn| delete(conn, gone))?;
        self.has_traces = true;
        gone.iter().for_each(|line| self.tally.uncount(line.id, line.room));
        Ok(())
    }

    /// Empties the log if it still has what was deleted, unless somebody reads just now: then it is
    /// tried again after the next step.
    fn remove_traces(&mut self, conn: &Connection) -> Result<bool> {
        if self.has_traces {
            self.has_traces = checkpoint(conn, Checkpoint::Truncate)?.is_busy;
        }
        Ok(false)
    }
}

const UNSEARCHED_GONE: &str = "DELETE FROM unsearched WHERE room = ?1";

/// The oldest lines of a room, as many as one step takes.
fn room_lines(conn: &Connection, room: i64, most: usize) -> Result<Vec<Row>> {
    let sql = "SELECT id, at, room, octet_length(text) FROM lines WHERE room = ?1 ORDER BY id";
    batch(conn, sql, [room], most)
}

/// The first of these lines, `most` at most and within the bounds of a step. The columns are id,
/// at, room and the bytes of the text.
pub fn batch(conn: &Connection, sql: &str, values: impl Params, most: usize) -> Result<Vec<Row>> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let (mut lines, mut bytes) = (Vec::new(), 0);
    while lines.len() < most && bytes < STEP_BYTES {
        let Some(row) = rows.next()? else { break };
        let room = number(row, 2).unwrap_or(u64::MAX);
        lines.push(Row { id: row.get(0)?, at: row.get(1)?, room });
        bytes += row.get::<_, i64>(3)?;
    }
    Ok(lines)
}

/// Deletes lines; triggers take them out of the index.
fn delete(conn: &Connection, gone: &[Row]) -> Result<()> {
    let mut statement = conn.prepare_cached("DELETE FROM lines WHERE id = ?1")?;
    gone.iter().try_for_each(|line| statement.execute([line.id]).map(|_| ()))
}

/// Notes which lines are the last ones of their rooms, if there are so many new ones; else false.
pub fn rank(conn: &Connection, least: i64) -> Result<bool> {
    let ranked = mark_of(conn, "ranked")?;
    let sql = "SELECT coalesce(max(id), 0) FROM lines";
    let newest: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    if newest - ranked < least {
        return Ok(false);
    }
    let sql = "SELECT max(id) FROM (SELECT id FROM lines WHERE id > ?1 ORDER BY id LIMIT ?2)";
    let to: i64 = conn.prepare_cached(sql)?.query_row((ranked, RANKED_LINES), |row| row.get(0))?;
    transact(conn, |conn| {
        let sql = "UPDATE rooms SET last_line = fresh.line FROM (SELECT room, max(id) AS line
            FROM lines WHERE id > ?1 AND id <= ?2 GROUP BY +room) AS fresh
            WHERE rooms.id = fresh.room";
        conn.prepare_cached(sql)?.execute((ranked, to))?;
        let sql = "UPDATE marks SET value = ?1 WHERE name = 'ranked'";
        conn.prepare_cached(sql)?.execute([to])?;
        Ok(true)
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, Settings};
    use super::*;
    use crate::chat::kept::{Change, KeptLock, Line};

    #[test]
    fn old_lines_go_and_no_others() {
        let house = House { keep: Some(Duration::from_secs(1000)), ..House::default() };
        let mut engine = with_room(Engine::in_memory(house).unwrap());
        engine.commit(&lines(1, 1..=500)).unwrap();
        tend_all(&mut engine, NOW + 900);
        assert_eq!(ids(&engine, 1).len(), 500);
        let steps = tend_all(&mut engine, NOW + 1301);
        assert_eq!(ids(&engine, 1), (301..=500).collect::<Vec<u64>>());
        assert!(steps >= 3, "{steps}");
        assert_eq!(found(&engine, "this"), 200);
        assert!(is_sound(&mut engine));
        tend_all(&mut engine, NOW + 100_000);
        assert_eq!(ids(&engine, 1), [0; 0]);
        assert_eq!(engine.load(NOW).unwrap().next_line, 501, "no id is given twice");
    }

    #[test]
    fn a_clock_that_jumped_deletes_nothing_too_early_and_holds_up_nothing() {
        let house = House { keep: Some(Duration::from_secs(1000)), ..House::default() };
        let mut engine = with_room(Engine::in_memory(house).unwrap());
        let mut ledger = lines(1, []);
        let unix = [NOW - 5000, NOW + 9_000_000, NOW - 4000, NOW, 0, NOW + 1];
        for (id, unix) in (1..).zip(unix) {
            ledger.line(Line { unix, ..line(id, 1, "ann", "tick") });
        }
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW + 10);
        assert_eq!(ids(&engine, 1), [2, 4, 5, 6]);
        tend_all(&mut engine, NOW + 1001);
        assert_eq!(ids(&engine, 1), [2, 6]);
    }

    #[test]
    fn no_room_keeps_more_lines_than_it_may() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { keep_lines: Some(30), ..settings(&folder) };
        let mut engine = with_room(Engine::open(&settings).unwrap());
        engine.commit(&lines(1, 1..=20)).unwrap();
        engine.commit(&lines(2, 21..=300)).unwrap();
        let mut ledger = lines(3, 301..=320);
        ledger.change(room_made(2, "ops", KeptLock::Open));
        ledger.change(room_made(3, "new", KeptLock::Open));
        engine.commit(&ledger).unwrap();
        // What lines a room had when it was made is known after a restart at the latest.
        drop(engine);
        let mut engine = Engine::open(&settings).unwrap();
        engine.load(NOW).unwrap();
        tend_all(&mut engine, NOW);
        let lens = |engine: &Engine| [1, 2, 3].map(|room| ids(engine, room).len());
        assert_eq!(lens(&engine), [20, 30, 20]);
        assert_eq!(ids(&engine, 2)[0], 271);
        engine.commit(&lines(1, 321..=340)).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(lens(&engine), [30, 30, 20]);
        assert_eq!(ids(&engine, 1)[..2], [11, 12]);
        assert_eq!(found(&engine, "this"), 80);
        // Somebody deletes some behind our back.
        let other = Connection::open(&settings.path).unwrap();
        other.execute_batch("DELETE FROM lines WHERE room = 1").unwrap();
        drop(other);
        engine.commit(&lines(1, 341..=345)).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(lens(&engine), [5, 30, 20]);
        engine.commit(&lines(1, 346..=400)).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(lens(&engine), [30, 30, 20]);
        assert!(is_sound(&mut engine));
    }

    #[test]
    fn a_closed_room_is_gone_from_the_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = with_room(Engine::open(&settings(&folder)).unwrap());
        let mut ledger = changes([room_made(2, "hideout", KeptLock::Guest)]);
        for id in 1..1000 {
            let (room, nick, text) = match id % 3 {
                0 => (2, "Mata", format!("xyzzy plugh {}", "Hari ".repeat(id as usize % 50))),
                _ => (1, "ann", format!("something else {id}")),
            };
            ledger.line(line(id, room, nick, &text));
        }
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW);
        assert!(is_on_disk(&folder, b"xyzzy"));
        engine.commit(&changes([Change::RoomGone { room: 2 }])).unwrap();
        let steps = tend_all(&mut engine, NOW);
        assert!(steps >= 3, "{steps}");
        for word in [&b"xyzzy"[..], b"plugh", b"Hari", b"Mata", b"hari", b"mata", b"hideout"] {
            assert!(!is_on_disk(&folder, word), "{}", String::from_utf8_lossy(word));
        }
        assert_eq!(ids(&engine, 1).len(), 666);
        assert_eq!(found(&engine, "something"), 666);
        for table in ["doomed", "unsearched"] {
            let sql = format!("SELECT count(*) FROM {table}");
            assert_eq!(engine.conn().query_row(&sql, [], |row| row.get(0)), Ok(0), "{table}");
        }
        assert!(is_sound(&mut engine));
    }
}
