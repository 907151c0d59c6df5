//! What an operator does with a database: back it up, get lines out of it, make it forget, invite
//! people.
//!
//! Promises: a backup is of one moment, is for its owner's eyes, and never takes another file's
//! place; it, an export and an invitation work while a server has the database. Forgetting does
//! not, and leaves nothing behind. Failures are sentences without their ends.

use std::collections::HashSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Result as Sql};

use crate::chat::invites::Invite;
use crate::chat::kept::KeptLine;
use crate::chat::name::key_of;

use super::changes::remove_account;
use super::engine::{connect, transact};
use super::open_error::{Fault, OpenError, cause_of};
use super::read::{first_since, whole_lines};
use super::{Engine, Settings, Sync, index, sanctions, schema};

/// How many lines are read at a time, so that no long reading keeps a server's log from being
/// written back; and no further ones when those have so many bytes.
const PAGE_LINES: usize = 1_000;
const PAGE_BYTES: usize = 8 << 20;

/// How long making an invitation waits for a server that writes.
const INVITE_PATIENCE: Duration = Duration::from_secs(5);

/// What was forgotten.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Lines that were said under the name.
    pub lines: u64,
    /// Direct messages to and from it that waited.
    pub directs: u64,
    /// Whether it was somebody's.
    pub had_account: bool,
    /// Tokens that were theirs.
    pub tokens: u64,
}

/// The most invitations that are open at a time.
const INVITES_MAX: u32 = 10_000;

/// A connection that only reads, to a database of ours.
fn open(path: &Path) -> Result<Connection, String> {
    open_to(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

/// A connection to a database of ours.
fn open_to(path: &Path, mode: OpenFlags) -> Result<Connection, String> {
    let failed = |error| OpenError::of(path, &error).to_string();
    // A path that is whole means nothing else to SQLite.
    let real = fs::canonicalize(path).map_err(|error| OpenError::io(path, &error).to_string())?;
    let conn = connect(&real, mode).map_err(failed)?;
    let number = |name| conn.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let application = number("application_id").map_err(failed)?;
    let version = number("user_version").map_err(failed)?;
    let fault = match application == schema::APPLICATION {
        false => Fault::Foreign,
        true if version > schema::VERSION => Fault::Newer { schema: version },
        true if version < schema::VERSION => {
            Fault::Refused("it is of an older chatline, and no server has opened it since".into())
        }
        true => return Ok(conn),
    };
    Err(OpenError::new(path, fault).to_string())
}

/// Makes invitations that end at that time, in seconds since 1970 UTC as `now`; their codes. A
/// server that has the database goes on.
pub fn invite(path: &Path, count: u32, now: i64, end: i64) -> Result<Vec<String>, String> {
    let conn = open_to(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let failed = |error| format!("cannot change {}: {}", path.display(), cause_of(&error));
    let mut codes = Vec::new();
    for _ in 0..count {
        let mut bits = [0; 16];
        let drawn = getrandom::fill(&mut bits);
        drawn.map_err(|error| format!("cannot draw a random number: {error}"))?;
        codes.push(Invite::code(u128::from_ne_bytes(bits)));
    }
    // The server may be in the middle of a commit, or of housekeeping.
    conn.busy_timeout(INVITE_PATIENCE).map_err(failed)?;
    let open = transact(&conn, |conn| {
        conn.execute("DELETE FROM invites WHERE ends_at <= ?1", [now])?;
        let sql = "SELECT count(*) FROM invites";
        let open: u32 = conn.query_row(sql, [], |row| row.get(0))?;
        let most = INVITES_MAX.saturating_sub(open) as usize;
        for code in codes.iter().filter(|_| codes.len() <= most) {
            let hash = Invite::of(code).map(|invite| invite.to_string());
            conn.execute("INSERT INTO invites VALUES (?1, ?2, ?3)", (hash, now, end))?;
        }
        Ok(open)
    });
    match open.map_err(failed)? {
        open if open + count > INVITES_MAX => Err(format!(
            "{open} invitations are open, and there may be {INVITES_MAX}; make fewer, or wait \
             until some are used or over"
        )),
        _ => Ok(codes),
    }
}

/// Copies the database, as it is now, to a file that does not exist yet.
pub fn backup(path: &Path, to: &Path) -> Result<(), String> {
    let from = open(path)?;
    let failed = |cause: String| format!("cannot write {}: {cause}", to.display());
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            failed("it exists already; name a file that does not".to_owned())
        }
        _ => failed(error.to_string()),
    })?;
    let copied = copy(&from, to);
    if copied.is_err() {
        // The reason is told; that half of it stays would be worse than a second one.
        let _ = fs::remove_file(to);
    }
    copied.map_err(|error| failed(cause_of(&error)))
}

fn copy(from: &Connection, to: &Path) -> Sql<()> {
    let to = fs::canonicalize(to).unwrap_or_else(|_| PathBuf::from(to));
    let mut target = connect(&to, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let backup = Backup::new(from, &mut target)?;
    // All at once is one moment; in parts, each commit of a server would begin it anew.
    match backup.step(-1)? {
        rusqlite::backup::StepResult::Done => Ok(()),
        _ => Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("the database is locked".to_owned()),
        )),
    }
}

/// Gives the lines of a room, oldest first, from `since` on (in seconds since 1970 UTC); how many
/// those were.
pub fn export(
    path: &Path,
    room: &str,
    since: Option<i64>,
    out: &mut dyn FnMut(&KeptLine) -> io::Result<()>,
) -> Result<u64, String> {
    let conn = open(path)?;
    let failed = |error| format!("cannot read {}: {}", path.display(), cause_of(&error));
    let serial = room_named(&conn, room).map_err(failed)?;
    let serial = serial.ok_or_else(|| {
        format!("there is no room {room} in {}; name one that there is", path.display())
    })?;
    let from = since.map_or(Ok(0), |unix| first_since(&conn, unix)).map_err(failed)?;
    let (mut from, mut count) = (from, 0);
    loop {
        let page = whole_lines(&conn, serial, from, PAGE_LINES, PAGE_BYTES);
        let (lines, has_more) = page.map_err(failed)?;
        for line in &lines {
            out(line).map_err(|error| format!("cannot write the lines: {error}"))?;
            count += 1;
        }
        match lines.last() {
            Some(line) if has_more => from = super::changes::signed(line.id) + 1,
            _ => return Ok(count),
        }
    }
}

fn room_named(conn: &Connection, name: &str) -> Sql<Option<u64>> {
    let name = name.strip_prefix('#').unwrap_or(name);
    let sql = "SELECT id FROM rooms WHERE key = ?1";
    let serial = conn.query_row(sql, [&*key_of(name)], |row| row.get::<_, i64>(0)).optional()?;
    Ok(serial.map(i64::unsigned_abs))
}

/// Deletes the account of that name, the direct messages to and from it that wait, and the lines
/// that were said under it, so that nothing of them is left in the file. What was searched for is
/// indexed anew by the next server. No server may have the database.
pub fn forget(path: &Path, nick: &str) -> Result<Forgotten, String> {
    let failed = |error| format!("cannot change {}: {}", path.display(), cause_of(&error));
    if !path.exists() {
        return Err(format!("there is no {}; say where it is with --data PATH", path.display()));
    }
    let settings = Settings {
        path: path.to_owned(),
        sync: Sync::Disk,
        keep: None,
        keep_lines: None,
        is_searchable: false,
    };
    let mut engine = Engine::open(&settings).map_err(|error| error.to_string())?;
    let conn = engine.conn();
    let forgotten = transact(conn, |conn| forget_rows(conn, &key_of(nick))).map_err(failed)?;
    // Pages that were merged may still have parts of what is gone; a file that is written anew has
    // not.
    conn.execute_batch("VACUUM").map_err(failed)?;
    engine.put_in_order(Instant::now()).map_err(failed)?;
    Ok(forgotten)
}

fn forget_rows(conn: &Connection, key: &str) -> Sql<Forgotten> {
    let mut forgotten = Forgotten::default();
    let sql = "SELECT id FROM accounts WHERE key = ?1";
    let account: Option<i64> = conn.query_row(sql, [key], |row| row.get(0)).optional()?;
    if let Some(account) = account {
        forgotten.had_account = true;
        let sql = "DELETE FROM directs WHERE account = ?1";
        forgotten.directs += conn.execute(sql, [account])? as u64;
        let sql = "SELECT count(*) FROM accounts WHERE owner = ?1";
        forgotten.tokens = conn.query_row(sql, [account], |row| row.get::<_, u32>(0))?.into();
        remove_account(conn, account)?;
    }
    // Names are the same beyond what SQLite can compare.
    for nick in nicks(conn, "directs", key)? {
        forgotten.directs += conn.execute("DELETE FROM directs WHERE nick = ?1", [nick])? as u64;
    }
    sanctions::forget(conn, key)?;
    let nicks = nicks(conn, "lines", key)?;
    if !nicks.is_empty() {
        // It would hold their words until it is tidied up.
        index::forget(conn)?;
    }
    for nick in nicks {
        forgotten.lines += conn.execute("DELETE FROM lines WHERE nick = ?1", [nick])? as u64;
    }
    Ok(forgotten)
}

/// The ways in which a name is written in a table.
fn nicks(conn: &Connection, table: &str, key: &str) -> Sql<HashSet<String>> {
    let mut statement = conn.prepare(&format!("SELECT DISTINCT nick FROM {table}"))?;
    let nicks = statement.query_map([], |row| row.get::<_, String>(0))?;
    nicks.filter(|nick| nick.as_ref().map_or(true, |nick| *key_of(nick) == *key)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::*;
    use crate::chat::kept::{Answer, Change, KeptDirect, KeptLock, KeptSanction, Question};
    use crate::chat::sanctions::{Kind, Sanction, Target};
    use std::os::unix::fs::PermissionsExt;

    fn engine(folder: &tempfile::TempDir, ids: std::ops::Range<u64>) -> Engine {
        let mut engine = Engine::open(&settings(folder)).unwrap();
        engine.load(NOW).unwrap();
        let mut ledger = lines(1, ids);
        ledger.change(room_made(1, "Dev", KeptLock::Open));
        engine.commit(&ledger).unwrap();
        engine
    }

    #[test]
    fn a_backup_is_made_while_a_server_has_the_database() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = engine(&folder, 1..500);
        let to = folder.path().join("backup.db");
        backup(&settings(&folder).path, &to).unwrap();
        engine.commit(&lines(1, 500..600)).unwrap();
        let mode = fs::metadata(&to).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let mut copy = Engine::open(&Settings { path: to.clone(), ..settings(&folder) }).unwrap();
        assert_eq!(copy.load(NOW).unwrap().next_line, 500);
        assert_eq!(ids(&copy, 1), (1..500).collect::<Vec<u64>>());
        drop(copy);
        let before = fs::read(&to).unwrap();
        let refusal = backup(&settings(&folder).path, &to).unwrap_err();
        let name = to.display();
        let expected = format!("cannot write {name}: it exists already; name a file that does not");
        assert_eq!(refusal, expected);
        assert_eq!(fs::read(&to).unwrap(), before);
    }

    #[test]
    fn what_is_no_database_of_ours_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = settings(&folder).path;
        let to = folder.path().join("backup.db");
        assert!(backup(&path, &to).unwrap_err().contains("No such file"));
        fs::write(&path, "something else ".repeat(100)).unwrap();
        let damaged = backup(&path, &to).unwrap_err();
        assert!(damaged.contains("file is not a database"), "{damaged}");
        fs::write(&path, "").unwrap();
        assert!(backup(&path, &to).unwrap_err().contains("it is not a database of chatline"));
        assert!(!to.exists());
        let mut engine = engine(&folder, 1..5);
        let newer = schema::VERSION + 1;
        engine.conn().pragma_update(None, "user_version", newer).unwrap();
        let refusal = backup(&path, &to).unwrap_err();
        assert!(refusal.contains(&format!("by a newer chatline (schema {newer}")), "{refusal}");
    }

    #[test]
    fn an_export_gives_all_lines_of_a_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = engine(&folder, 1..3500);
        engine.commit(&lines(2, 3500..3600)).unwrap();
        let path = settings(&folder).path;
        let exported = |room, since| {
            let mut ids = Vec::new();
            let count = export(&path, room, since, &mut |line| {
                ids.push(line.id);
                Ok(())
            });
            assert_eq!(count, Ok(ids.len() as u64));
            ids
        };
        assert_eq!(exported("dev", None), (1..3500).collect::<Vec<u64>>());
        assert_eq!(exported("#DEV", Some(NOW + 3400)), (3400..3500).collect::<Vec<u64>>());
        let none = export(&path, "ops", None, &mut |_| Ok(())).unwrap_err();
        assert!(none.starts_with("there is no room ops in "), "{none}");
        let full = export(&path, "dev", None, &mut |_| Err(io::Error::other("pipe is closed")));
        assert_eq!(full, Err("cannot write the lines: pipe is closed".to_owned()));
    }

    /// A ban of a name from everywhere.
    fn banned(nick: &str, by: &str, why: &str) -> KeptSanction {
        let target = Target::Nick(key_of(nick).into_owned());
        let (name, by, why) = (nick.to_owned(), by.to_owned(), Some(why.to_owned()));
        let kind = Kind::Ban;
        let sanction = Sanction { kind, target, name, end: None, why, by, unix: NOW };
        KeptSanction { room: None, sanction }
    }

    #[test]
    fn an_invitation_is_open_until_it_is_used_or_over() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = engine(&folder, 1..5);
        let path = settings(&folder).path;
        let codes = invite(&path, 2, NOW, NOW + 100).unwrap();
        let is_open = |engine: &Engine, code: &str, unix| {
            let invite = Invite::of(code).unwrap();
            engine.answer(&Question::Invite { invite, unix }) == Answer::Verified(true)
        };
        assert!(is_open(&engine, &codes[0], NOW) && is_open(&engine, &codes[1], NOW + 99));
        assert!(!is_open(&engine, &codes[1], NOW + 100), "it is over");
        assert!(!is_open(&engine, &Invite::code(7), NOW));
        let spent = Change::InviteSpent { invite: Invite::of(&codes[0]).unwrap() };
        engine.commit(&changes([account_made(1, "ann", &[]), spent])).unwrap();
        assert!(!is_open(&engine, &codes[0], NOW) && is_open(&engine, &codes[1], NOW));
        for code in &codes {
            let plain = code.replace('-', "");
            assert!(
                !is_on_disk(&folder, code.as_bytes()) && !is_on_disk(&folder, plain.as_bytes())
            );
        }
        let refusal = invite(&path, INVITES_MAX, NOW, NOW + 100).unwrap_err();
        assert!(refusal.starts_with("1 invitations are open"), "{refusal}");
        assert!(is_open(&engine, &codes[1], NOW), "nothing was changed");
        invite(&path, INVITES_MAX, NOW + 100, NOW + 200).unwrap();
        let none = invite(&folder.path().join("none"), 1, NOW, NOW + 1).unwrap_err();
        assert!(none.contains("No such file"), "{none}");
    }

    #[test]
    fn who_is_forgotten_leaves_no_bytes_behind() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = engine(&folder, 1..1000);
        let direct = |nick: &str, text: &str| KeptDirect {
            unix: NOW,
            nick: nick.to_owned(),
            text: text.to_owned(),
        };
        let mut ledger = changes([
            account_made(1, "Gotthilf", &[1]),
            account_made(2, "bob", &[1]),
            token_made(3, "quibbler", 1, &["jejune"], None),
            token_made(4, "other", 2, &[], Some(3)),
            Change::Sanctioned(banned("GottHilf", "bob", "wyvern")),
            Change::Sanctioned(banned("mallory", "gotthilf", "nymph")),
            Change::Direct { to: 1, direct: direct("bob", "quixotic") },
            Change::Direct { to: 2, direct: direct("GOTTHILF", "zyzzyva") },
            Change::Direct { to: 2, direct: direct("ann", "stays") },
        ]);
        for id in 1000..2000 {
            let (nick, text) = match id % 4 {
                0 => ("Gotthilf", "syzygy ".repeat(id as usize % 50)),
                2 => ("gottHilf", "plain everywhere".to_owned()),
                _ => ("bob", "plain everywhere".to_owned()),
            };
            ledger.line(line(id, 1, nick, &text));
        }
        engine.commit(&ledger).unwrap();
        tend_all(&mut engine, NOW);
        let path = settings(&folder).path;
        let refusal = forget(&path, "gotthilf").unwrap_err();
        assert!(refusal.contains("another chatline has it open"), "{refusal}");
        drop(engine);
        assert!(is_on_disk(&folder, b"syzygy"));
        let forgotten = Forgotten { lines: 500, directs: 2, had_account: true, tokens: 1 };
        assert_eq!(forget(&path, "GottHilf"), Ok(forgotten));
        let words = ["syzygy", "wyvern", "quixotic", "zyzzyva", "Gotthilf", "gottHilf", "gotthilf"];
        for word in words.into_iter().chain(["quibbler", "jejune"]) {
            assert!(!is_on_disk(&folder, word.as_bytes()), "{word}");
        }
        assert_eq!(forget(&path, "GottHilf"), Ok(Forgotten::default()));
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.accounts.len(), kept.accounts[0].directs), (2, 1));
        let left: Vec<_> = kept.sanctions.iter().map(|it| &*it.sanction.name).collect();
        assert_eq!(left, ["mallory"], "what they did to others stays");
        assert_eq!((kept.next_account, kept.next_line), (5, 2000));
        assert_eq!(ids(&engine, 1).len(), 999 + 500);
        tend_all(&mut engine, NOW);
        assert!(forget(&folder.path().join("none"), "x").unwrap_err().starts_with("there is no "));
    }
}
