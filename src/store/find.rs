//! Search: the newest lines with certain words.
//!
//! Promises: what a person typed is looked for as words and can mean nothing else; the newest comes
//! first, so that an answer is found without ranking everything; rooms that are locked are left out
//! but for those that the search lists. Looks at a bounded number of lines, and says when that was
//! not all. Deliberately sees no line that the index has not reached; it says how many those are.

use std::collections::HashMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, Result};

use crate::chat::kept::{Answer, KeptLine, Search};
use crate::chat::name::key_of;

use super::changes::signed;
use super::load::mark_of;
use super::read::{line_of, number};

/// How many lines that have the words are looked at, to find some that may be read.
const LOOKS_MAX: usize = 20_000;

/// How many words are looked for; each costs time, and further ones hardly narrow it down.
const WORDS_MAX: usize = 32;

/// The columns of a line, and its room.
const SQL: &str = "SELECT l.id, l.at, l.nick, l.is_action, l.text, l.room
    FROM search CROSS JOIN lines l ON l.id = search.rowid
    WHERE search MATCH ?1 ORDER BY search.rowid DESC";

/// Answers a search. What was found until it is interrupted is an answer, too.
pub fn find(conn: &Connection, search: &Search) -> Result<Answer> {
    let sql = "SELECT coalesce(max(id), 0) FROM lines";
    let newest: i64 = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    let unsearched = newest.saturating_sub(mark_of(conn, "searched")?).max(0).unsigned_abs();
    let mut found = Found { conn, search, rooms: HashMap::new(), lines: Vec::new() };
    let has_more = match expression(search) {
        Some(expression) => found.collect(&expression).or_else(|error| {
            let is_late = error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted);
            if is_late { Ok(true) } else { Err(error) }
        })?,
        None => false,
    };
    let mut lines = found.lines;
    lines.reverse();
    Ok(Answer::Found { lines, has_more, unsearched })
}

/// What a search has found so far, the newest first.
struct Found<'s> {
    conn: &'s Connection,
    search: &'s Search,
    /// Whether a room may be looked into, for those that came up.
    rooms: HashMap<u64, bool>,
    lines: Vec<(u64, KeptLine)>,
}

impl Found<'_> {
    /// Collects all that is wanted; whether there is more, or might be.
    fn collect(&mut self, expression: &str) -> Result<bool> {
        if let Some(room) = self.search.room {
            let is_open = self.is_open(room)?;
            self.rooms.insert(room, is_open);
            if !is_open {
                return Ok(false);
            }
        }
        let mut statement = self.conn.prepare_cached(SQL)?;
        let mut rows = statement.query([expression])?;
        let mut looks = 0;
        while let Some(row) = rows.next()? {
            if looks == LOOKS_MAX {
                return Ok(true);
            }
            looks += 1;
            let (Some(line), Some(room)) = (line_of(row), number(row, 5)) else { continue };
            if !self.is_meant(&line, room)? {
                continue;
            }
            if self.lines.len() == self.search.most {
                return Ok(true);
            }
            self.lines.push((room, line));
        }
        Ok(false)
    }

    fn is_meant(&mut self, line: &KeptLine, room: u64) -> Result<bool> {
        // The index knows words of names, and not names.
        let said_by = self.search.nick.as_ref().is_none_or(|nick| *key_of(&line.nick) == **nick);
        if !said_by || self.search.room.is_some_and(|only| only != room) {
            return Ok(false);
        }
        if let Some(is_open) = self.rooms.get(&room) {
            return Ok(*is_open);
        }
        let is_open = self.is_open(room)?;
        self.rooms.insert(room, is_open);
        Ok(is_open)
    }

    /// Whether everybody may look into that room, or whoever asks.
    fn is_open(&self, room: u64) -> Result<bool> {
        let mut statement = self.conn.prepare_cached("SELECT lock FROM rooms WHERE id = ?1")?;
        let mut rows = statement.query([signed(room)])?;
        Ok(match rows.next()? {
            None => false,
            Some(row) => row.get_ref(0)? == ValueRef::Null || self.search.locked.contains(&room),
        })
    }
}

/// The search in the language of FTS5 (<https://sqlite.org/fts5.html>, section 3); `None` if it has
/// no word.
fn expression(search: &Search) -> Option<String> {
    let words: Vec<String> = search
        .words
        .split_whitespace()
        .filter(|word| has_words(word))
        .take(WORDS_MAX)
        .map(phrase)
        .collect();
    if words.is_empty() {
        return None;
    }
    let mut expression = format!("text : ({})", words.join(" "));
    if let Some(room) = search.room {
        expression.push_str(&format!(" AND room : \"{room}\""));
    }
    if let Some(nick) = search.nick.as_ref().filter(|nick| has_words(nick)) {
        // The index folds case letter by letter, so `ß` is not there what it is in a key.
        let other = nick.replace("ss", "ß");
        expression.push_str(&format!(" AND nick : ({} OR {})", phrase(nick), phrase(&other)));
    }
    Some(expression)
}

/// Whether the index would see any word in it.
fn has_words(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric)
}

/// These words one after the other, whatever else they could mean.
fn phrase(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_control()).collect();
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, House};
    use super::*;
    use crate::chat::kept::{Change, KeptLock, Question};

    /// Three open rooms, one with a hash, one of a guest; and lines that were said there.
    fn engine(said: &[(u64, &str, &str)]) -> Engine {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = changes([
            room_made(1, "one", KeptLock::Open),
            room_made(2, "two", KeptLock::Open),
            room_made(3, "three", KeptLock::Open),
            room_made(4, "locked", KeptLock::Hash("$hash".to_owned())),
            room_made(5, "guests", KeptLock::Guest),
        ]);
        for (id, (room, nick, text)) in (1..).zip(said) {
            ledger.line(line(id, *room, nick, text));
        }
        engine.commit(&ledger).unwrap();
        engine
    }

    fn search(words: &str) -> Search {
        Search { words: words.to_owned(), room: None, nick: None, locked: Vec::new(), most: 10 }
    }

    fn found(engine: &Engine, search: Search) -> (Vec<u64>, bool, u64) {
        let answer = engine.answer(&Question::Search(search));
        let Answer::Found { lines, has_more, unsearched } = answer else { panic!("{answer:?}") };
        (lines.iter().map(|(_, line)| line.id).collect(), has_more, unsearched)
    }

    #[test]
    fn the_newest_lines_with_all_words_are_found() {
        let mut engine = engine(&[
            (1, "ann", "the build is green"),
            (2, "bob", "The BUILD is red, Zoë"),
            (1, "ann", "what build?"),
            (3, "ann", "nothing"),
        ]);
        assert_eq!(found(&engine, search("build")), (vec![], false, 4));
        tend_all(&mut engine, NOW);
        assert_eq!(found(&engine, search("build")), (vec![1, 2, 3], false, 0));
        assert_eq!(found(&engine, Search { most: 2, ..search("build") }), (vec![2, 3], true, 0));
        assert_eq!(found(&engine, search("is  build\tthe")), (vec![1, 2], false, 0));
        assert_eq!(found(&engine, search("zoe")), (vec![2], false, 0));
        assert_eq!(found(&engine, Search { room: Some(1), ..search("build") }).0, [1, 3]);
        assert_eq!(found(&engine, search("ann")).0, [0; 0], "a name is not what was said");
        assert_eq!(found(&engine, search("1")).0, [0; 0], "a room is not what was said");
        engine.commit(&lines(1, 5..8)).unwrap();
        assert_eq!(found(&engine, search("build")).2, 3);
    }

    #[test]
    fn by_whom_is_compared_as_names_are() {
        let mut engine = engine(&[
            (1, "ann", "hello"),
            (1, "ann-lee", "hello"),
            (1, "Straße", "hello"),
            (1, "STRASSE", "hello"),
            (1, "ΣΊΣΥΦΟΣ", "hello"),
        ]);
        tend_all(&mut engine, NOW);
        let by = |nick: &str| {
            let nick = Some(key_of(nick).into_owned());
            found(&engine, Search { nick, ..search("hello") }).0
        };
        assert_eq!(by("Ann"), [1]);
        assert_eq!(by("ann-lee"), [2]);
        assert_eq!(by("strasse"), [3, 4]);
        assert_eq!(by("σίσυφος"), [5]);
        assert_eq!(by("ann) OR nick : (bob"), [0; 0]);
    }

    #[test]
    fn whatever_is_typed_is_only_words() {
        let mut engine = engine(&[(1, "ann", "one AND two \"three\" (four) five* NEAR six")]);
        tend_all(&mut engine, NOW);
        let hits = [
            "AND",
            "\"three\"",
            "\"three",
            "(four",
            "five*",
            "one* two",
            "near NEAR(",
            "four)",
            "text:one... :-)",
            "'one'",
            "one \0 two",
            "{six}",
            "+ one",
            "^ one",
            "one-",
        ];
        let misses = [
            "",
            ":-)",
            "\"\"",
            "*",
            "one OR seven",
            "one NOT two",
            "text : seven",
            "fiv*",
            "one NEAR seven",
            "\u{301}",
            "room:1",
            "\0",
        ];
        for words in hits {
            let is_hit = words != "text:one... :-)";
            assert_eq!(found(&engine, search(words)).0.len(), usize::from(is_hit), "{words}");
        }
        for words in misses {
            assert_eq!(found(&engine, search(words)).0, [0; 0], "{words}");
        }
        // A word that is none to the index is no reason to find nothing.
        assert_eq!(found(&engine, search("one \u{345} two")).0, [1]);
        let many = "one ".repeat(4000);
        assert_eq!(found(&engine, search(&many)).0, [1]);
    }

    #[test]
    fn locked_rooms_are_only_looked_into_where_that_is_allowed() {
        let mut engine = engine(&[
            (1, "ann", "secret"),
            (4, "ann", "secret"),
            (5, "ann", "secret"),
            (9, "ann", "secret in no room"),
        ]);
        tend_all(&mut engine, NOW);
        assert_eq!(found(&engine, search("secret")).0, [1]);
        assert_eq!(found(&engine, Search { locked: vec![4], ..search("secret") }).0, [1, 2]);
        let in_room = Search { room: Some(4), ..search("secret") };
        assert_eq!(found(&engine, in_room.clone()).0, [0; 0]);
        assert_eq!(found(&engine, Search { locked: vec![4, 5, 9], ..in_room }).0, [2]);
        let lock = |lock| changes([Change::Lock { room: 1, lock }]);
        engine.commit(&lock(KeptLock::Hash("$hash".to_owned()))).unwrap();
        assert_eq!(found(&engine, search("secret")).0, [0; 0]);
        engine.commit(&lock(KeptLock::Open)).unwrap();
        assert_eq!(found(&engine, search("secret")).0, [1]);
    }

    #[test]
    fn a_room_that_was_a_guests_is_searched_from_then_on() {
        let mut engine = engine(&[(5, "ann", "early bird")]);
        let lock = KeptLock::Hash("$hash".to_owned());
        engine.commit(&changes([Change::Lock { room: 5, lock }])).unwrap();
        let mut ledger = lines(5, []);
        ledger.line(line(2, 5, "ann", "late bird"));
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(found(&engine, Search { locked: vec![5], ..search("bird") }).0, [2]);
    }

    #[test]
    fn a_search_that_meets_too_many_lines_says_that_there_may_be_more() {
        let mut engine = engine(&[(1, "ann", "needle")]);
        let mut ledger = lines(4, []);
        for id in 2..LOOKS_MAX as u64 + 10 {
            ledger.line(line(id, 4, "ann", "needle"));
        }
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(found(&engine, search("needle")), (vec![], true, 0));
        assert_eq!(found(&engine, Search { room: Some(1), ..search("needle") }).0, [1]);
    }

    #[test]
    fn a_search_that_is_interrupted_gives_what_it_has() {
        let mut engine = engine(&[(1, "ann", "needle")]);
        let mut ledger = lines(4, []);
        for id in 2..3000 {
            ledger.line(line(id, 4, "ann", "needle"));
        }
        ledger.line(line(3000, 1, "ann", "needle"));
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW);
        assert_eq!(found(&engine, search("needle")), (vec![1, 3000], false, 0));
        let mut calls = 0;
        let is_late = move || {
            calls += 1;
            calls > 10
        };
        engine.conn().progress_handler(100, Some(is_late)).unwrap();
        assert_eq!(found(&engine, search("needle")), (vec![3000], true, 0));
    }
}
