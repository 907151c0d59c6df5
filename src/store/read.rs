//! What is asked of what was kept.
//!
//! Promises: each answer is of one moment, and each statement touches a bounded number of rows. The
//! file may have been edited: control characters are left out of what is read, and rows that are
//! not as they should be. Deliberately does not know who may read what, but for the locked rooms
//! that a search is told of.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Params, Result, Row};

use crate::chat::kept::{Answer, KeptDirect, KeptLine, Missed, Question, Span, fold};

use super::changes::signed;
use super::find;

/// How many missed lines are counted at most.
const MISSED_MAX: i64 = 10_000;

/// After how many steps of SQLite it is looked whether a search takes too long.
const STEPS: i32 = 100;

/// A connection that only reads.
pub struct Reading {
    conn: Connection,
    is_searchable: bool,
}

impl Reading {
    /// Over this connection.
    pub fn new(conn: Connection, is_searchable: bool) -> Reading {
        Reading { conn, is_searchable }
    }

    /// What is kept. A search that takes longer gives what it has found then.
    pub fn answer(&mut self, question: &Question, patience: Duration) -> Result<Answer> {
        let is_search = matches!(question, Question::Search(_));
        if is_search {
            let end = Instant::now() + patience;
            self.conn.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
        }
        let answer = answer(&self.conn, question, self.is_searchable);
        if is_search {
            self.conn.progress_handler(0, None::<fn() -> bool>)?;
        }
        answer
    }
}

/// What is kept, of one moment.
pub fn answer(conn: &Connection, question: &Question, is_searchable: bool) -> Result<Answer> {
    // Dropped without a commit, as there is nothing to commit.
    let _moment = conn.unchecked_transaction()?;
    match question {
        Question::Tail { room, before, most } => {
            Ok(page_of(last_lines(conn, *room, *before, *most)?))
        }
        Question::History { room, span, most } => history(conn, *room, *span, *most),
        Question::Line { id } => whole_line(conn, *id).map(Answer::Line),
        Question::Search(search) if is_searchable => find::find(conn, search),
        Question::Search(_) => Ok(Answer::Unavailable),
        Question::Missed { account, seen, rooms } => missed(conn, *account, *seen, rooms),
        Question::Invite { invite, unix } => {
            let sql = "SELECT 1 FROM invites WHERE hash = ?1 AND ends_at > ?2";
            let is_open = conn.prepare_cached(sql)?.exists((invite.to_string(), unix))?;
            Ok(Answer::Verified(is_open))
        }
        Question::Hash { .. } | Question::Verify { .. } => {
            unreachable!("passwords are not the store's")
        }
    }
}

fn page_of((lines, has_more): (Vec<KeptLine>, bool)) -> Answer {
    Answer::Lines { lines, has_more }
}

fn history(conn: &Connection, room: u64, span: Span, most: usize) -> Result<Answer> {
    let page = match span {
        Span::Last => last_lines(conn, room, u64::MAX, most)?,
        Span::Before(id) => last_lines(conn, room, id, most)?,
        Span::After(id) => first_lines(conn, room, signed(id.saturating_add(1)), most)?,
        Span::Since(unix) => first_lines(conn, room, first_since(conn, unix)?, most)?,
    };
    Ok(page_of(page))
}

/// The last lines of a room before that id, oldest first, and whether there are older ones.
fn last_lines(
    conn: &Connection,
    room: u64,
    before: u64,
    most: usize,
) -> Result<(Vec<KeptLine>, bool)> {
    let sql = "SELECT id, at, nick, is_action, text FROM lines
        WHERE room = ?1 AND id < ?2 ORDER BY id DESC LIMIT ?3";
    let (mut lines, has_more) =
        bounded(conn, sql, (signed(room), signed(before), limit(most)), most)?;
    lines.reverse();
    Ok((lines, has_more))
}

/// One line, whole, with its room.
fn whole_line(conn: &Connection, id: u64) -> Result<Option<(u64, KeptLine)>> {
    let sql = "SELECT id, at, nick, is_action, text, room FROM lines WHERE id = ?1";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([signed(id)])?;
    let row = rows.next()?;
    Ok(row.and_then(|row| Some((number(row, 5)?, whole_line_of(row)?))))
}

/// Lines of a room, whole, from that id on, and whether there are newer ones: at most so many, and
/// no further ones when those have so many bytes.
pub fn whole_lines(
    conn: &Connection,
    room: u64,
    from: i64,
    most: usize,
    bytes: usize,
) -> Result<(Vec<KeptLine>, bool)> {
    let sql = "SELECT id, at, nick, is_action, text FROM lines
        WHERE room = ?1 AND id >= ?2 ORDER BY id LIMIT ?3";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query((signed(room), from, limit(most)))?;
    let (mut lines, mut count, mut taken) = (Vec::new(), 0, 0);
    while let Some(row) = rows.next()? {
        if count == most || taken >= bytes {
            return Ok((lines, true));
        }
        count += 1;
        if let Some(line) = whole_line_of(row) {
            taken += line.text.len();
            lines.push(line);
        }
    }
    Ok((lines, false))
}

/// The first lines of a room from that id on, and whether there are newer ones.
fn first_lines(
    conn: &Connection,
    room: u64,
    from: i64,
    most: usize,
) -> Result<(Vec<KeptLine>, bool)> {
    let sql = "SELECT id, at, nick, is_action, text FROM lines
        WHERE room = ?1 AND id >= ?2 ORDER BY id LIMIT ?3";
    bounded(conn, sql, (signed(room), from, limit(most)), most)
}

/// One more than are wanted, to know whether there are more.
fn limit(most: usize) -> i64 {
    i64::try_from(most).map_or(i64::MAX, |most| most.saturating_add(1))
}

fn bounded(
    conn: &Connection,
    sql: &str,
    values: impl Params,
    most: usize,
) -> Result<(Vec<KeptLine>, bool)> {
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(values)?;
    let (mut lines, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if count == most {
            return Ok((lines, true));
        }
        count += 1;
        lines.extend(line_of(row));
    }
    Ok((lines, false))
}

/// The id of the first line that was said from that time on, in seconds since 1970 UTC. Where the
/// clock was set back, there are several; then it is one of them.
pub fn first_since(conn: &Connection, unix: i64) -> Result<i64> {
    let (mut low, mut high): (i64, i64) = conn.query_row(
        "SELECT coalesce((SELECT min(id) FROM lines), 0), coalesce((SELECT max(id) FROM lines), 0)",
        [],
        |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.saturating_add(1))),
    )?;
    let sql = "SELECT id, at FROM lines WHERE id >= ?1 ORDER BY id LIMIT 1";
    let mut next_line = conn.prepare_cached(sql)?;
    while low < high {
        let middle = low + (high - low) / 2;
        let found =
            next_line.query_row([middle], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
        match found {
            Ok((id, at)) if at < unix => low = id + 1,
            Ok(_) | Err(rusqlite::Error::QueryReturnedNoRows) => high = middle,
            Err(error) => return Err(error),
        }
    }
    Ok(low)
}

fn missed(conn: &Connection, account: u64, seen: u64, rooms: &[(u64, usize)]) -> Result<Answer> {
    let sql = "SELECT count(*) FROM
        (SELECT 1 FROM lines WHERE room = ?1 AND id > ?2 LIMIT ?3)";
    let mut count = conn.prepare_cached(sql)?;
    let mut all = Vec::with_capacity(rooms.len());
    for (room, most) in rooms {
        let lines: i64 =
            count.query_row((signed(*room), signed(seen), MISSED_MAX), |row| row.get(0))?;
        let (tail, _) = last_lines(conn, *room, u64::MAX, *most)?;
        all.push(Missed { room: *room, lines: lines.unsigned_abs(), tail });
    }
    let sql = "SELECT at, nick, text FROM directs WHERE account = ?1 ORDER BY id";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query([signed(account)])?;
    let mut directs = Vec::new();
    while let Some(row) = rows.next()? {
        directs.extend(direct_of(row));
    }
    Ok(Answer::Missed { rooms: all, directs })
}

fn direct_of(row: &Row<'_>) -> Option<KeptDirect> {
    Some(KeptDirect { unix: row.get(0).ok()?, nick: words(row, 1)?, text: words(row, 2)? })
}

/// The line in the row whose columns are id, at, nick, is_action and text; `None` if it makes no
/// sense. Of a block its first line stands for it.
pub fn line_of(row: &Row<'_>) -> Option<KeptLine> {
    line_with(row, |text| {
        let (first, more) = fold(text);
        (cleared(first), more)
    })
}

/// The same with all that was said.
fn whole_line_of(row: &Row<'_>) -> Option<KeptLine> {
    line_with(row, |text| (text.split('\n').map(cleared).collect::<Vec<_>>().join("\n"), 0))
}

fn line_with(row: &Row<'_>, text_and_more: impl Fn(&str) -> (String, usize)) -> Option<KeptLine> {
    let (text, more) = text_and_more(row.get_ref(4).ok()?.as_str().ok()?);
    Some(KeptLine {
        id: number(row, 0)?,
        unix: row.get(1).ok()?,
        nick: words(row, 2)?,
        is_action: row.get::<_, i64>(3).ok()? != 0,
        text,
        more,
    })
}

/// The number in a column, if it is one and not below 0.
pub fn number(row: &Row<'_>, column: usize) -> Option<u64> {
    row.get::<_, i64>(column).ok().and_then(|number| u64::try_from(number).ok())
}

/// The text in a column, if it is one, without what could confuse a terminal.
pub fn words(row: &Row<'_>, column: usize) -> Option<String> {
    Some(cleared(row.get_ref(column).ok()?.as_str().ok()?))
}

fn cleared(text: &str) -> String {
    let is_safe = |c: &char| !c.is_control() && !matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(is_safe).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, House};
    use super::*;

    fn page(engine: &Engine, question: Question) -> (Vec<u64>, bool) {
        let Answer::Lines { lines, has_more } = engine.answer(&question) else { panic!() };
        (lines.iter().map(|line| line.id).collect(), has_more)
    }

    #[test]
    fn pages_of_history_lie_side_by_side() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        engine.commit(&lines(1, (1..=20).step_by(2))).unwrap();
        engine.commit(&lines(2, (22..40).step_by(2))).unwrap();
        let history = |span, most| page(&engine, Question::History { room: 1, span, most });
        assert_eq!(history(Span::Last, 3), (vec![15, 17, 19], true));
        assert_eq!(history(Span::Before(15), 3), (vec![9, 11, 13], true));
        assert_eq!(history(Span::Before(7), 3), (vec![1, 3, 5], false));
        assert_eq!(history(Span::Before(1), 3), (vec![], false));
        assert_eq!(history(Span::Last, 0), (vec![], true));
        assert_eq!(history(Span::Since(NOW + 4), 2), (vec![5, 7], true));
        assert_eq!(history(Span::Since(NOW + 17), 2), (vec![17, 19], false));
        assert_eq!(history(Span::Since(i64::MIN), 1), (vec![1], true));
        assert_eq!(history(Span::Since(i64::MAX), 9), (vec![], false));
        assert_eq!(history(Span::After(3), 2), (vec![5, 7], true));
        assert_eq!(history(Span::After(u64::MAX), 2), (vec![], false));
        let tail = |before, most| page(&engine, Question::Tail { room: 1, before, most });
        assert_eq!(tail(19, 2), (vec![15, 17], true));
        assert_eq!(tail(u64::MAX, 99).0.len(), 10);
    }

    #[test]
    fn a_line_comes_back_as_it_was() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = lines(1, []);
        let said = crate::chat::kept::Line {
            id: 5,
            room: 1,
            unix: -7,
            nick: "Zoë",
            is_action: true,
            text: "waves \u{1f44b}",
        };
        ledger.line(said);
        engine.commit(&ledger).unwrap();
        let question = Question::Tail { room: 1, before: 6, most: 1 };
        let Answer::Lines { lines, has_more } = engine.answer(&question) else { panic!() };
        let line = KeptLine {
            id: 5,
            unix: -7,
            nick: "Zoë".to_owned(),
            is_action: true,
            text: "waves \u{1f44b}".to_owned(),
            more: 0,
        };
        assert_eq!((lines, has_more), (vec![line.clone()], false));
        let whole = |id| engine.answer(&Question::Line { id });
        assert_eq!(whole(5), Answer::Line(Some((1, line))));
        assert_eq!((whole(4), whole(u64::MAX)), (Answer::Line(None), Answer::Line(None)));
    }

    #[test]
    fn a_block_is_one_line_and_comes_back_whole_where_it_is_asked_for() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = lines(1, []);
        ledger.line(line(5, 1, "ann", "one\n\n three\u{7}"));
        ledger.line(line(6, 1, "ann", &"long\n".repeat(100)));
        engine.commit(&ledger).unwrap();
        let Answer::Lines { lines, .. } =
            engine.answer(&Question::History { room: 1, span: Span::Last, most: 9 })
        else {
            panic!()
        };
        let shown: Vec<_> = lines.iter().map(|line| (&*line.text, line.more)).collect();
        assert_eq!(shown, [("one", 2), ("long", 100)]);
        let Answer::Line(Some((1, whole))) = engine.answer(&Question::Line { id: 5 }) else {
            panic!()
        };
        assert_eq!((&*whole.text, whole.more), ("one\n\n three", 0));
        let mut page = |bytes| {
            let (lines, has_more) = whole_lines(engine.conn(), 1, 0, 9, bytes).unwrap();
            (lines.iter().map(|line| line.text.len()).collect::<Vec<_>>(), has_more)
        };
        assert_eq!((page(11), page(12)), ((vec![11], true), (vec![11, 500], false)));
    }

    #[test]
    fn the_first_line_since_a_time_is_found_though_the_clock_jumped() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        assert_eq!(first_since(engine.conn(), NOW), Ok(0));
        let mut ledger = lines(1, []);
        let times = [10, 20, 30, 5, 15, 25, 35];
        for (id, unix) in (1..).zip(times) {
            ledger.line(crate::chat::kept::Line { unix, ..line(id * 3, 1, "ann", "tick") });
        }
        engine.commit(&ledger).unwrap();
        for wanted in 0..40 {
            let found = first_since(engine.conn(), wanted).unwrap();
            let at = |id: i64| times.get(usize::try_from(id / 3 - 1).ok()?).copied();
            let next = (found + 2) / 3 * 3;
            assert!(at(next).is_none_or(|at| at >= wanted), "{wanted}: {found}");
            assert!(at(next - 3).is_none_or(|at| at < wanted), "{wanted}: {found}");
        }
    }

    #[test]
    fn missed_lines_are_counted_within_a_bound() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        engine.commit(&lines(1, 1..12_000)).unwrap();
        let missed = |seen| {
            let question = Question::Missed { account: 1, seen, rooms: vec![(1, 2)] };
            let Answer::Missed { rooms, .. } = engine.answer(&question) else { panic!() };
            (rooms[0].lines, rooms[0].tail.iter().map(|line| line.id).collect::<Vec<_>>())
        };
        assert_eq!(missed(0), (10_000, vec![11_998, 11_999]));
        assert_eq!(missed(11_990), (9, vec![11_998, 11_999]));
        assert_eq!(missed(u64::MAX), (0, vec![11_998, 11_999]));
    }
}
