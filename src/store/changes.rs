//! A ledger becomes rows.
//!
//! Promises: a row that is there already is no failure, so that nothing that somebody has edited
//! stops what comes after it. Deliberately looks nothing up that the caller knows, and deletes no
//! line: that takes time, and is left to housekeeping.

use rusqlite::{Connection, Params, Result};

use crate::chat::kept::{Bot, Change, KeptAccount, KeptLock, KeptRoom, Ledger, Line};
use crate::chat::name::key_of;

use super::sanctions;

/// How the lock of a guest is written.
pub const GUEST: &str = "guest";

/// SQLite's numbers have a sign; ours never get as far as that.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Writes a ledger, inside of a transaction.
pub fn write(conn: &Connection, ledger: &Ledger) -> Result<()> {
    if ledger.lines().len() > 0 {
        let mut insert =
            conn.prepare_cached("INSERT INTO lines VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?;
        for line in ledger.lines() {
            let (id, room) = (signed(line.id), signed(line.room));
            let values = (id, room, line.unix, line.nick, line.is_action, line.text);
            match insert.execute(values) {
                // It may have been committed when that could not be told any more.
                Err(_) if is_there(conn, &line)? => {}
                outcome => _ = outcome?,
            }
        }
    }
    ledger.changes().iter().try_for_each(|change| apply(conn, change))
}

/// Whether that very line is kept already.
fn is_there(conn: &Connection, line: &Line<'_>) -> Result<bool> {
    let sql = "SELECT 1 FROM lines WHERE id = ?1 AND room = ?2 AND nick = ?3 AND text = ?4";
    let values = (signed(line.id), signed(line.room), line.nick, line.text);
    conn.prepare_cached(sql)?.exists(values)
}

pub(super) fn run(conn: &Connection, sql: &str, values: impl Params) -> Result<()> {
    conn.prepare_cached(sql)?.execute(values).map(|_| ())
}

fn apply(conn: &Connection, change: &Change) -> Result<()> {
    match change {
        Change::RoomMade(room) => make_room(conn, room),
        Change::Topic { room, topic } => {
            run(conn, "UPDATE rooms SET topic = ?2 WHERE id = ?1", (signed(*room), topic))
        }
        Change::Lock { room, lock } => set_lock(conn, signed(*room), lock),
        Change::RoomGone { room } => remove_room(conn, signed(*room)),
        Change::Operator { room, account, is_operator } => {
            let sql = match is_operator {
                true => "INSERT OR REPLACE INTO operators VALUES (?1, ?2)",
                false => "DELETE FROM operators WHERE room = ?1 AND account = ?2",
            };
            run(conn, sql, (signed(*room), signed(*account)))
        }
        Change::Slow { room, seconds } => {
            run(conn, "UPDATE rooms SET slow = ?2 WHERE id = ?1", (signed(*room), seconds))
        }
        Change::InviteSpent { invite } => {
            run(conn, "DELETE FROM invites WHERE hash = ?1", [invite.to_string()])
        }
        Change::AccountMade(account) => make_account(conn, account),
        Change::Password { account, hash } => {
            run(conn, "UPDATE accounts SET hash = ?2 WHERE id = ?1", (signed(*account), hash))
        }
        Change::Settings { account, settings } => {
            let sql = "UPDATE accounts SET settings = ?2 WHERE id = ?1";
            run(conn, sql, (signed(*account), settings.to_string()))
        }
        Change::AccountGone { account } => remove_account(conn, signed(*account)),
        Change::LoggedIn { account, unix } => {
            let sql = "UPDATE accounts SET is_here = 1, seen_at = ?2 WHERE id = ?1";
            run(conn, sql, (signed(*account), unix))
        }
        Change::LoggedOut { account, unix, seen } => {
            let sql = "UPDATE accounts SET is_here = 0, seen_at = ?2, seen_line = ?3 WHERE id = ?1";
            run(conn, sql, (signed(*account), unix, signed(*seen)))
        }
        Change::Entered { account, room } => enter(conn, *account, *room),
        Change::Left { account, room } => {
            let sql = "DELETE FROM members WHERE room = ?1 AND account = ?2";
            run(conn, sql, (signed(*room), signed(*account)))
        }
        Change::Sanctioned(it) => sanctions::add(conn, it),
        Change::Lifted { room, kind, target } => sanctions::lift(conn, *room, *kind, target),
        Change::Direct { to, direct } => {
            let sql = "INSERT INTO directs (account, at, nick, text) VALUES (?1, ?2, ?3, ?4)";
            run(conn, sql, (signed(*to), direct.unix, &direct.nick, &direct.text))
        }
        Change::DirectsShown { to, count } => {
            let sql = "DELETE FROM directs WHERE id IN
                (SELECT id FROM directs WHERE account = ?1 ORDER BY id LIMIT ?2)";
            run(conn, sql, (signed(*to), signed(*count as u64)))
        }
    }
}

fn enter(conn: &Connection, account: u64, room: u64) -> Result<()> {
    let sql = "INSERT OR REPLACE INTO members (room, account) VALUES (?1, ?2)";
    run(conn, sql, (signed(room), signed(account)))
}

/// As it is written.
fn lock_column(lock: &KeptLock) -> Option<&str> {
    match lock {
        KeptLock::Open => None,
        KeptLock::Guest => Some(GUEST),
        KeptLock::Hash(hash) => Some(hash),
    }
}

fn make_room(conn: &Connection, room: &KeptRoom) -> Result<()> {
    let KeptRoom { serial, name, topic, lock, owner, has_lines: _ } = room;
    let id = signed(*serial);
    let (key, lock_column) = (key_of(name), lock_column(lock));
    let sql = "INSERT OR REPLACE INTO rooms (id, name, key, topic, lock, owner)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
    run(conn, sql, (id, name, &*key, topic, lock_column, owner.map(signed)))?;
    match lock {
        KeptLock::Guest => leave_unsearched(conn, id),
        KeptLock::Open | KeptLock::Hash(_) => Ok(()),
    }
}

/// What a guest's room hears never gets into the index, for it is to be forgotten without a trace;
/// unless it was a room of another kind before, and some of it is there already.
fn leave_unsearched(conn: &Connection, room: i64) -> Result<()> {
    let sql = "INSERT OR IGNORE INTO unsearched (room, to_line)
        SELECT ?1, ?2 WHERE NOT EXISTS (SELECT 1 FROM lines WHERE room = ?1
            AND id <= (SELECT value FROM marks WHERE name = 'searched'))";
    run(conn, sql, (room, i64::MAX))
}

fn set_lock(conn: &Connection, room: i64, lock: &KeptLock) -> Result<()> {
    run(conn, "UPDATE rooms SET lock = ?2 WHERE id = ?1", (room, lock_column(lock)))?;
    if *lock == KeptLock::Guest {
        return leave_unsearched(conn, room);
    }
    // From now on what it hears can be found.
    let sql = "UPDATE unsearched SET to_line = (SELECT coalesce(max(id), 0) FROM lines)
        WHERE room = ?1 AND to_line = ?2";
    run(conn, sql, (room, i64::MAX))
}

fn remove_room(conn: &Connection, room: i64) -> Result<()> {
    run(conn, "UPDATE marks SET value = ?1 WHERE name = 'room' AND value < ?1", [room])?;
    run(conn, "DELETE FROM rooms WHERE id = ?1", [room])?;
    run(conn, "DELETE FROM members WHERE room = ?1", [room])?;
    run(conn, "DELETE FROM operators WHERE room = ?1", [room])?;
    run(conn, "DELETE FROM sanctions WHERE room = ?1", [room])?;
    run(conn, "INSERT OR IGNORE INTO doomed VALUES (?1)", [room])
}

fn make_account(conn: &Connection, account: &KeptAccount) -> Result<()> {
    let KeptAccount { serial, nick, hash, unix, seen, rooms, directs: _, settings, bot } = account;
    let key = key_of(nick);
    // Whoever makes one is there; a bot comes later.
    let is_here = bot.is_none();
    let sql = "INSERT OR REPLACE INTO accounts
        (id, nick, key, hash, made_at, seen_at, seen_line, is_here, settings)
        VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6, ?7, ?8)";
    let (id, settings) = (signed(*serial), settings.to_string());
    run(conn, sql, (id, nick, &*key, hash, unix, signed(*seen), is_here, settings))?;
    if let Some(Bot { owner, rooms, rate }) = bot {
        let only_rooms = (!rooms.is_empty()).then(|| rooms.join(","));
        let sql = "UPDATE accounts SET owner = ?2, only_rooms = ?3, rate = ?4 WHERE id = ?1";
        run(conn, sql, (id, signed(*owner), only_rooms, rate))?;
    }
    rooms.iter().try_for_each(|room| enter(conn, *serial, *room))
}

/// Deletes an account, its tokens, and what is its owner's alone; its rooms are nobody's then.
pub fn remove_account(conn: &Connection, account: i64) -> Result<()> {
    for sql in [
        "UPDATE marks SET value = max(value, ?1,
            (SELECT coalesce(max(id), 0) FROM accounts WHERE owner = ?1)) WHERE name = 'account'",
        "DELETE FROM sanctions WHERE what = 'account' AND target IN
            (SELECT CAST(id AS TEXT) FROM accounts WHERE owner = ?1
            UNION ALL SELECT CAST(?1 AS TEXT))",
        "DELETE FROM accounts WHERE owner = ?1",
        "DELETE FROM accounts WHERE id = ?1",
        "DELETE FROM members WHERE account = ?1",
        "DELETE FROM operators WHERE account = ?1",
        "DELETE FROM directs WHERE account = ?1",
        "UPDATE rooms SET owner = NULL, lock = iif(lock IS NULL, NULL, 'guest') WHERE owner = ?1",
    ] {
        run(conn, sql, [account])?;
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, House};
    use super::*;
    use crate::chat::kept::KeptSettings;

    #[test]
    fn what_happens_to_rooms_is_kept_in_order() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let hash = || KeptLock::Hash("$hash".to_owned());
        let mut ledger = lines(3, 1..4);
        for change in [
            room_made(1, "Straße", KeptLock::Open),
            room_made(2, "ops", KeptLock::Open),
            room_made(3, "dev", hash()),
            Change::Topic { room: 1, topic: Some("one".to_owned()) },
            Change::Topic { room: 1, topic: Some("two".to_owned()) },
            Change::Lock { room: 1, lock: hash() },
            Change::Lock { room: 3, lock: KeptLock::Open },
            Change::RoomGone { room: 2 },
            room_made(4, "ops", KeptLock::Open),
            Change::RoomGone { room: 4 },
        ] {
            ledger.change(change);
        }
        engine.commit(&ledger).unwrap();
        let kept = engine.load(NOW).unwrap();
        let rooms: Vec<_> = kept.rooms.into_iter().map(|it| (it.serial, it.lock)).collect();
        assert_eq!(rooms, [(1, hash()), (3, KeptLock::Open)], "said in last, last");
        assert_eq!(kept.next_room, 5, "no number is given twice");
        let kept = engine.load(NOW).unwrap();
        assert_eq!(kept.rooms[0].topic.as_deref(), Some("two"));
        assert_eq!((kept.rooms[0].has_lines, kept.rooms[1].has_lines), (false, true));
    }

    #[test]
    fn tokens_and_settings_are_kept() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let settings = KeptSettings::parse("time=-03:30 bell=off replay=0");
        let ledger = changes([
            account_made(1, "ann", &[]),
            token_made(2, "deploy", 1, &["ops", "Straße"], Some(5)),
            token_made(3, "watch", 1, &[], None),
            account_made(4, "bob", &[]),
            token_made(5, "ci", 4, &[], None),
            Change::Settings { account: 1, settings },
        ]);
        engine.commit(&ledger).unwrap();
        let accounts = engine.load(NOW).unwrap().accounts;
        let given = ledger.changes().iter().filter_map(|change| match change {
            Change::AccountMade(account) => Some(account.clone()),
            _ => None,
        });
        let mut given: Vec<_> = given.collect();
        given[0].settings = settings;
        assert_eq!(accounts, given);
        // Tokens go with their owner, and their numbers are not given again.
        let gone = changes([4, 1].map(|account| Change::AccountGone { account }));
        engine.commit(&gone).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.accounts, kept.next_account), (Vec::new(), 6));
    }

    #[test]
    fn operators_and_slow_rooms_are_kept() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let operator = |room, account, is_operator| Change::Operator { room, account, is_operator };
        let ledger = changes([
            room_made(1, "dev", KeptLock::Open),
            room_made(2, "ops", KeptLock::Open),
            account_made(1, "ann", &[]),
            account_made(2, "bob", &[]),
            operator(1, 1, true),
            operator(1, 2, true),
            operator(2, 1, true),
            operator(2, 1, false),
            Change::Slow { room: 1, seconds: 30 },
            Change::Slow { room: 2, seconds: 60 },
            Change::Slow { room: 2, seconds: 0 },
        ]);
        engine.commit(&ledger).unwrap();
        engine.commit(&ledger).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.operators, kept.slow), (vec![(1, 1), (1, 2)], vec![(1, 30)]));
        engine.commit(&changes([Change::AccountGone { account: 1 }])).unwrap();
        assert_eq!(engine.load(NOW).unwrap().operators, [(1, 2)]);
        engine.commit(&changes([Change::RoomGone { room: 1 }])).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.operators, kept.slow), (Vec::new(), Vec::new()));
    }

    #[test]
    fn a_ledger_that_is_there_already_stops_nothing() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let mut ledger = lines(1, 1..4);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        ledger.change(account_made(1, "ann", &[1]));
        engine.commit(&ledger).unwrap();
        engine.commit(&ledger).unwrap();
        assert_eq!(ids(&engine, 1), [1, 2, 3]);
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.rooms.len(), kept.accounts[0].rooms.len()), (1, 1));
    }
}
