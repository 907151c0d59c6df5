//! What is known at the start.
//!
//! Promises: what is not as it should be (for the file may have been edited) is left out, and never
//! given as it is. Deliberately looks at no lines but the
//! newest ones, which housekeeping has not come to.

use std::collections::{HashMap, HashSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result, Row};

use crate::chat::kept::{Bot, Kept, KeptAccount, KeptLock, KeptRoom, KeptSettings};

use super::changes::{GUEST, signed};
use super::read::{number, words};
use super::sanctions;

/// Forgets guests' rooms, notes who must have left when the process ended, and gives the rest.
/// Inside of a transaction; `unix` is now, in seconds since 1970 UTC.
pub fn load(conn: &Connection, unix: i64) -> Result<Kept> {
    let top = |table| {
        let sql = format!("SELECT coalesce(max(id), 0) FROM {table}");
        conn.query_row(&sql, [], |row| row.get::<_, i64>(0))
    };
    let next = |table, mark| -> Result<u64> {
        let highest = top(table)?.max(mark_of(conn, mark)?).max(0);
        Ok(highest.unsigned_abs() + 1)
    };
    let last_line = top("lines")?;
    let next_line = next("lines", "line")?;
    let next_room = next("rooms", "room")?;
    let next_account = next("accounts", "account")?;
    forget_guests_rooms(conn, next_room)?;
    // Nobody was told more than was kept, and whoever was there was told all of it.
    conn.execute(
        "UPDATE accounts SET is_here = 0, seen_at = ?1, seen_line = ?2 WHERE is_here <> 0",
        (unix, last_line),
    )?;
    let rooms = rooms(conn)?;
    let accounts = accounts(conn, &rooms)?;
    let (operators, slow) = (operators(conn, &accounts)?, slow(conn)?);
    let sanctions = sanctions::load(conn, unix)?;
    Ok(Kept { next_line, next_room, next_account, rooms, accounts, operators, slow, sanctions })
}

/// Which rooms have which people for operators.
fn operators(conn: &Connection, accounts: &[KeptAccount]) -> Result<Vec<(u64, u64)>> {
    let people: HashSet<u64> =
        accounts.iter().filter(|it| it.bot.is_none()).map(|it| it.serial).collect();
    let mut statement = conn.prepare("SELECT room, account FROM operators")?;
    let mut rows = statement.query([])?;
    let mut operators = Vec::new();
    while let Some(row) = rows.next()? {
        let (Some(room), Some(account)) = (number(row, 0), number(row, 1)) else { continue };
        if people.contains(&account) {
            operators.push((room, account));
        }
    }
    Ok(operators)
}

/// In which rooms each may say one line in how many seconds.
fn slow(conn: &Connection) -> Result<Vec<(u64, u32)>> {
    let mut statement = conn.prepare("SELECT id, slow FROM rooms WHERE slow > 0")?;
    let mut rows = statement.query([])?;
    let mut slow = Vec::new();
    while let Some(row) = rows.next()? {
        let seconds = number(row, 1).and_then(|seconds| u32::try_from(seconds).ok());
        slow.extend(number(row, 0).zip(seconds));
    }
    Ok(slow)
}

/// What a mark says; 0 if it is not there.
pub fn mark_of(conn: &Connection, name: &str) -> Result<i64> {
    let sql = "SELECT coalesce((SELECT value FROM marks WHERE name = ?1), 0)";
    conn.prepare_cached(sql)?.query_row([name], |row| row.get(0))
}

/// Nobody is in them any more, and nobody knows their passwords.
fn forget_guests_rooms(conn: &Connection, next_room: u64) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO doomed SELECT id FROM rooms WHERE lock = ?1";
    if conn.execute(sql, [GUEST])? > 0 {
        let sql = "UPDATE marks SET value = ?1 WHERE name = 'room'";
        conn.execute(sql, [signed(next_room - 1)])?;
        conn.execute("DELETE FROM members WHERE room IN (SELECT room FROM doomed)", [])?;
        conn.execute("DELETE FROM rooms WHERE id IN (SELECT room FROM doomed)", [])?;
    }
    Ok(())
}

fn rooms(conn: &Connection) -> Result<Vec<KeptRoom>> {
    let mut statement = conn.prepare(
        "SELECT id, name, topic, lock, owner, coalesce(fresh.line, last_line)
        FROM rooms LEFT JOIN
            (SELECT room, max(id) AS line FROM lines WHERE id > ?1 GROUP BY +room) AS fresh
            ON fresh.room = rooms.id
        ORDER BY id",
    )?;
    let mut rows = statement.query([mark_of(conn, "ranked")?])?;
    let mut rooms: Vec<(u64, KeptRoom)> = Vec::new();
    while let Some(row) = rows.next()? {
        rooms.extend(room_of(row));
    }
    rooms.sort_by_key(|(last, _)| *last);
    Ok(rooms.into_iter().map(|(_, room)| room).collect())
}

/// The room, and its last line; 0 if it has none.
fn room_of(row: &Row<'_>) -> Option<(u64, KeptRoom)> {
    let lock = match row.get_ref(3) {
        Ok(ValueRef::Null) => KeptLock::Open,
        // A lock that cannot be read must not open the room.
        _ => KeptLock::Hash(words(row, 3)?),
    };
    let last = number(row, 5);
    let room = KeptRoom {
        serial: number(row, 0)?,
        name: words(row, 1)?,
        topic: words(row, 2),
        lock,
        owner: number(row, 4),
        has_lines: last.is_some(),
    };
    Some((last.unwrap_or(0), room))
}

fn accounts(conn: &Connection, rooms: &[KeptRoom]) -> Result<Vec<KeptAccount>> {
    let mut statement = conn.prepare(
        "SELECT id, nick, hash, made_at, seen_line, settings, owner, only_rooms, rate
        FROM accounts ORDER BY id",
    )?;
    let mut rows = statement.query([])?;
    let mut accounts = Vec::new();
    while let Some(row) = rows.next()? {
        accounts.extend(account_of(row));
    }
    let places: HashMap<u64, usize> =
        accounts.iter().enumerate().map(|(place, account)| (account.serial, place)).collect();
    let serials: HashSet<u64> = rooms.iter().map(|room| room.serial).collect();
    let mut statement = conn.prepare("SELECT account, room FROM members ORDER BY position")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Some(account), Some(room)) = (number(row, 0), number(row, 1)) else { continue };
        if let Some(place) = places.get(&account).filter(|_| serials.contains(&room)) {
            accounts[*place].rooms.push(room);
        }
    }
    let mut statement = conn.prepare("SELECT account, count(*) FROM directs GROUP BY account")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (Some(account), Some(directs)) = (number(row, 0), number(row, 1)) else { continue };
        if let Some(place) = places.get(&account) {
            accounts[*place].directs = usize::try_from(directs).unwrap_or(usize::MAX);
        }
    }
    Ok(accounts)
}

fn account_of(row: &Row<'_>) -> Option<KeptAccount> {
    Some(KeptAccount {
        serial: number(row, 0)?,
        nick: words(row, 1)?,
        hash: words(row, 2)?,
        unix: row.get(3).ok()?,
        seen: number(row, 4)?,
        rooms: Vec::new(),
        directs: 0,
        settings: KeptSettings::parse(&words(row, 5).unwrap_or_default()),
        bot: match row.get_ref(6) {
            Ok(ValueRef::Null) => None,
            // A token that cannot be read must not become a person, or be for more than it was.
            _ => Some(bot_of(row)?),
        },
    })
}

fn bot_of(row: &Row<'_>) -> Option<Bot> {
    let owner = number(row, 6)?;
    let rooms = match row.get_ref(7) {
        Ok(ValueRef::Null) => Vec::new(),
        _ => {
            let rooms = words(row, 7)?;
            let rooms = rooms.split(',').filter(|room| !room.is_empty()).map(str::to_owned);
            Some(rooms.collect::<Vec<_>>()).filter(|rooms| !rooms.is_empty())?
        }
    };
    let rate = match row.get_ref(8) {
        Ok(ValueRef::Null) => None,
        _ => Some(u32::try_from(number(row, 8)?).ok().filter(|rate| *rate > 0)?),
    };
    Some(Bot { owner, rooms, rate })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, House};
    use super::*;

    #[test]
    fn numbers_go_on_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        let mut engine = Engine::open(&settings).unwrap();
        assert_eq!(engine.load(NOW).unwrap().next_line, 1);
        let mut ledger = lines(1, 1..8);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        engine.commit(&ledger).unwrap();
        drop(engine);
        let mut engine = Engine::open(&settings).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.next_line, kept.next_room, kept.next_account), (8, 2, 1));
        assert_eq!(ids(&engine, 1), (1..8).collect::<Vec<u64>>());
        // Also when somebody has deleted the newest one.
        engine.conn().execute_batch("DELETE FROM lines WHERE id > 3").unwrap();
        drop(engine);
        assert_eq!(Engine::open(&settings).unwrap().load(NOW).unwrap().next_line, 8);
    }

    #[test]
    fn rooms_come_in_the_order_of_their_last_lines() {
        let house = House { keep: Some(std::time::Duration::from_secs(100)), ..House::default() };
        let mut engine = Engine::in_memory(house).unwrap();
        let made = (1..=5).map(|id| room_made(id, &format!("room{id}"), KeptLock::Open));
        engine.commit(&changes(made)).unwrap();
        let order = |engine: &mut Engine| {
            let rooms = engine.load(NOW).unwrap().rooms;
            assert!(rooms.iter().all(|room| room.has_lines != ids(engine, room.serial).is_empty()));
            rooms.iter().map(|room| room.serial).collect::<Vec<_>>()
        };
        engine.commit(&lines(4, 1..=3)).unwrap();
        engine.commit(&lines(2, 4..=5)).unwrap();
        assert_eq!(order(&mut engine), [1, 3, 5, 4, 2]);
        tend_all(&mut engine, NOW);
        assert_eq!(order(&mut engine), [1, 3, 5, 4, 2]);
        engine.commit(&lines(4, 6..=7)).unwrap();
        engine.commit(&lines(1, 900..=901)).unwrap();
        assert_eq!(order(&mut engine), [3, 5, 2, 4, 1]);
        engine.conn().execute_batch("DELETE FROM lines WHERE id IN (7, 901)").unwrap();
        assert_eq!(order(&mut engine), [3, 5, 2, 4, 1]);
        tend_all(&mut engine, NOW + 105);
        assert_eq!(order(&mut engine), [3, 5, 2, 4, 1], "one line is left in 2 and in 4");
        tend_all(&mut engine, NOW + 500);
        assert_eq!(order(&mut engine), [2, 3, 4, 5, 1]);
    }

    #[test]
    fn guests_rooms_do_not_outlive_the_process() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = lines(2, 1..4);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        ledger.change(room_made(2, "hideout", KeptLock::Guest));
        ledger.change(account_made(1, "ann", &[1, 2]));
        engine.commit(&ledger).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!(kept.rooms.iter().map(|room| room.serial).collect::<Vec<_>>(), [1]);
        assert_eq!(kept.accounts[0].rooms, [1]);
        assert_eq!((kept.next_room, kept.next_line), (3, 4));
        tend_all(&mut engine, NOW);
        assert_eq!(ids(&engine, 2), [0; 0]);
        assert_eq!(engine.load(NOW).unwrap().next_line, 4);
    }

    #[test]
    fn what_was_edited_is_read_with_care() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = lines(1, 1..5);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        ledger.change(account_made(1, "ann", &[1]));
        engine.commit(&ledger).unwrap();
        engine
            .conn()
            .execute_batch(
                "UPDATE lines SET text = 'bell' || char(7) || char(0x2028) || '!' WHERE id = 1;
                UPDATE lines SET text = CAST(x'ff' AS TEXT) WHERE id = 2;
                INSERT INTO lines VALUES (-5, 1, 0, 'ann', 0, 'below');
                INSERT INTO members (room, account) VALUES (9, 1), (1, 9);
                UPDATE accounts SET settings = 'replay=x time=on more' WHERE id = 1;
                INSERT INTO accounts (id, nick, key, hash, made_at, seen_at, seen_line, is_here,
                    owner, only_rooms, rate) VALUES
                    (2, 'b1', 'b1', '', 0, 0, 0, 0, -1, NULL, NULL),
                    (3, 'b2', 'b2', '', 0, 0, 0, 0, 1, '', NULL),
                    (4, 'b3', 'b3', '', 0, 0, 0, 0, 1, CAST(x'ff' AS TEXT), NULL),
                    (5, 'b4', 'b4', '', 0, 0, 0, 0, 1, 'dev', 0),
                    (6, 'b5', 'b5', '', 0, 0, 0, 0, 1, 'dev,', 7);
                INSERT INTO rooms (id, name, key) VALUES (-1, 'a', 'a');
                INSERT INTO rooms (id, name, key, lock, owner)
                    VALUES (7, 'b', 'b', CAST(x'ff' AS TEXT), -4);",
            )
            .unwrap();
        let question = crate::chat::kept::Question::Tail { room: 1, before: 9, most: 9 };
        let crate::chat::kept::Answer::Lines { lines, .. } = engine.answer(&question) else {
            panic!("no lines")
        };
        assert_eq!(lines[0].text, "bell!");
        assert_eq!(lines.iter().map(|line| line.id).collect::<Vec<_>>(), [1, 3, 4]);
        let kept = engine.load(NOW).unwrap();
        assert_eq!(kept.rooms.len(), 1, "a lock that cannot be read opens no room");
        assert_eq!(kept.accounts[0].rooms, [1]);
        assert_eq!(kept.accounts[0].settings.to_string(), "time=on");
        let tokens: Vec<_> = kept.accounts[1..].iter().map(|it| it.bot.as_ref().unwrap()).collect();
        let whole = Bot { owner: 1, rooms: vec!["dev".to_owned()], rate: Some(7) };
        assert_eq!(tokens, [&whole], "what cannot be read is for nobody");
    }
}
