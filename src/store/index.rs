//! The search index, filled behind the lines, step by step.
//!
//! Promises: a line is in the index if and only if the mark `searched` has passed it, and its room
//! is not left out; see [`super::schema`]. The words of deleted lines stay in the index until those
//! are an eighth of it; then it is written anew. An index that does not fit the lines is, too.
//! Deliberately has no part in commits: FTS5's own merging, which is done when lines are added, is
//! switched off, for it takes as long as it takes.

use rusqlite::{Connection, Result};

use super::engine::transact;
use super::load::mark_of;
use super::tend::batch;

/// How many lines one step puts into the index.
const INDEXED_LINES: usize = 200;

/// After how many steps of indexing the index is tidied up, and how many of its pages one step of
/// that writes.
const FILLS: u8 = 4;
const MERGED_PAGES: i32 = 32;

/// What is done with the index next.
#[derive(Clone, Copy, Debug)]
pub enum Index {
    /// So many times more lines can be added.
    Fill(u8),
    /// It is tidied up.
    Merge,
}

impl Index {
    /// Nothing is done yet.
    pub fn new() -> Index {
        Index::Fill(FILLS)
    }

    /// Adds lines to the index, or tidies it up; false if there is nothing to do.
    pub fn step(&mut self, conn: &Connection) -> Result<bool> {
        *self = match *self {
            Index::Merge if transact(conn, merge)? => Index::Merge,
            Index::Merge => Index::Fill(FILLS),
            Index::Fill(0) => Index::Merge,
            Index::Fill(more) if transact(conn, fill)? => Index::Fill(more - 1),
            Index::Fill(_) if transact(conn, sweep)? => Index::Merge,
            // What is not tidied up yet is so after the next lines.
            Index::Fill(_) => return Ok(false),
        };
        Ok(true)
    }
}

/// Adds lines to the index; false if there are none.
fn fill(conn: &Connection) -> Result<bool> {
    let searched = mark_of(conn, "searched")?;
    let sql = "SELECT id, at, room, octet_length(text) FROM lines WHERE id > ?1 ORDER BY id";
    let Some(to) = batch(conn, sql, [searched], INDEXED_LINES)?.last().map(|line| line.id) else {
        return Ok(false);
    };
    let sql = "INSERT INTO search (rowid, nick, text, room)
        SELECT id, nick, text, room FROM lines WHERE id > ?1 AND id <= ?2
        AND id > coalesce((SELECT to_line FROM unsearched u WHERE u.room = lines.room), 0)
        ORDER BY id";
    let lines = conn.prepare_cached(sql)?.execute((searched, to))?;
    let sql = "UPDATE marks SET value = ?1 WHERE name = 'searched'";
    conn.prepare_cached(sql)?.execute([to])?;
    let sql = "UPDATE marks SET value = value + ?1 WHERE name = 'indexed'";
    conn.prepare_cached(sql)?.execute([i64::try_from(lines).unwrap_or(i64::MAX)])?;
    Ok(true)
}

/// Joins parts of the index; false if they are joined.
fn merge(conn: &Connection) -> Result<bool> {
    command(conn, "merge", MERGED_PAGES)
}

/// Begins to write the index anew, if there is too much in it of lines that are gone.
fn sweep(conn: &Connection) -> Result<bool> {
    let (indexed, buried) = (mark_of(conn, "indexed")?, mark_of(conn, "buried")?);
    if buried == 0 || buried < indexed / 8 {
        return Ok(false);
    }
    conn.execute("UPDATE marks SET value = 0 WHERE name = 'buried'", [])?;
    // Less than none asks for all parts to be joined, not only those of one size.
    command(conn, "merge", -MERGED_PAGES)
}

/// A command to the index; whether it changed anything
/// (<https://sqlite.org/fts5.html>, section 6.8).
fn command(conn: &Connection, name: &str, number: i32) -> Result<bool> {
    let before = conn.total_changes();
    let sql = "INSERT INTO search (search, rank) VALUES (?1, ?2)";
    conn.prepare_cached(sql)?.execute((name, number))?;
    Ok(conn.total_changes() - before >= 2)
}

/// Empties the index; it is filled anew from the first line on.
pub fn forget(conn: &Connection) -> Result<()> {
    conn.execute_batch(
        "INSERT INTO search (search) VALUES ('delete-all');
        UPDATE marks SET value = 0 WHERE name IN ('searched', 'indexed', 'buried');",
    )
}

/// Whether it is the index that is not as it should be.
pub fn is_damaged(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    code == Some(rusqlite::ffi::SQLITE_CORRUPT_VTAB)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::trial::*;
    use super::super::{Engine, House, Settings};
    use super::*;
    use crate::chat::kept::{Answer, Question, Search};

    fn mark(engine: &mut Engine, name: &str) -> i64 {
        mark_of(engine.conn(), name).unwrap()
    }

    #[test]
    fn the_words_of_what_was_deleted_leave_the_index() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings { keep: Some(Duration::from_secs(1000)), ..settings(&folder) };
        let mut engine = with_room(Engine::open(&settings).unwrap());
        for from in (1..=4000).step_by(50) {
            let mut ledger = lines(1, []);
            for id in from..from + 50 {
                let text = if id <= 600 { format!("abracadabra {id}") } else { id.to_string() };
                ledger.line(line(id, 1, "ann", &text));
            }
            engine.commit(&ledger).unwrap();
            tend_all(&mut engine, NOW);
        }
        assert_eq!(mark(&mut engine, "indexed"), 4000);
        assert!(is_on_disk(&folder, b"abracadabra"));
        tend_all(&mut engine, NOW + 1601);
        assert_eq!(ids(&engine, 1).len(), 3400);
        assert_eq!((mark(&mut engine, "indexed"), mark(&mut engine, "buried")), (3400, 0));
        engine.put_in_order(std::time::Instant::now()).unwrap();
        assert!(!is_on_disk(&folder, b"abracadabra"));
        assert!(is_sound(&mut engine));
    }

    #[test]
    fn what_an_operator_changes_is_found_as_it_is_now() {
        let mut engine = with_room(Engine::in_memory(House::default()).unwrap());
        engine.commit(&lines(1, 1..=9)).unwrap();
        tend_all(&mut engine, NOW);
        let edit = "UPDATE lines SET text = 'removed' WHERE id = 3; DELETE FROM lines WHERE id = 4";
        engine.conn().execute_batch(edit).unwrap();
        assert_eq!((found(&engine, "this"), found(&engine, "removed")), (7, 1));
        assert!(is_sound(&mut engine));
    }

    #[test]
    fn an_index_that_does_not_fit_is_made_anew() {
        let house = House { keep: Some(Duration::from_secs(1000)), ..House::default() };
        let mut engine = with_room(Engine::in_memory(house).unwrap());
        engine.commit(&lines(1, 1..=300)).unwrap();
        tend_all(&mut engine, NOW);
        engine.conn().execute_batch("DELETE FROM search_data WHERE id > 10").unwrap();
        tend_all(&mut engine, NOW + 1101);
        tend_all(&mut engine, NOW + 1202);
        assert_eq!(ids(&engine, 1).len(), 99);
        assert_eq!(found(&engine, "this"), 99);
        assert!(is_sound(&mut engine));
    }

    #[test]
    fn without_search_nothing_is_indexed() {
        let house = House { is_searchable: false, ..House::default() };
        let mut engine = with_room(Engine::in_memory(house).unwrap());
        engine.commit(&lines(1, 1..=30)).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(mark(&mut engine, "searched"), 0);
        let (words, locked) = ("this".to_owned(), Vec::new());
        let search = Search { words, room: None, nick: None, locked, most: 9 };
        assert_eq!(engine.answer(&Question::Search(search)), Answer::Unavailable);
    }

    #[test]
    fn a_step_is_small() {
        let mut engine = with_room(Engine::in_memory(House::default()).unwrap());
        let mut ledger = lines(1, []);
        let long = "long ".repeat(2000);
        (1..=20).for_each(|id| ledger.line(line(id, 1, "ann", &long)));
        (21..=900).for_each(|id| ledger.line(line(id, 1, "ann", "short")));
        engine.commit(&ledger).unwrap();
        let mut last = 0;
        while engine.tend(NOW).unwrap() {
            let searched = mark(&mut engine, "searched");
            let most = if searched <= 20 { 2 } else { 200 };
            assert!(searched - last <= most, "from {last} to {searched}");
            last = searched;
        }
        assert_eq!(last, 900);
    }
}
