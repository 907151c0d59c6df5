//! What the database looks like, and how an older one becomes like it.
//!
//! Promises: a database has the newest schema after [`migrate`], or is as it was before; a newer
//! one is left alone. The tables are plain, for people with `sqlite3`; triggers keep the search
//! index in step with lines that anybody deletes or changes. Deliberately no foreign keys: lines
//! come before their room's row and go after it.

use rusqlite::Connection;

use super::open_error::Fault;

/// `chat`, in a field of the header that says whose file it is.
pub const APPLICATION: i64 = 0x6368_6174;

/// The newest schema.
pub const VERSION: i64 = STEPS.len() as i64;

/// Each step leads from the version that is its place to the next one.
const STEPS: &[&str] = &[FIRST, SECOND, THIRD, FOURTH];

/// In `lock`, NULL is an open room and `guest` one whose password nobody kept; else it is the hash
/// of the password. `last_line` is the newest line of the room up to the mark `ranked`: that saves
/// a look at the lines of each room at the start. `marks` holds, too, the highest ids that were
/// ever given, as far as their rows are gone; up to which line the search index goes (`searched`);
/// and how many lines are in it (`indexed`) or were until lately (`buried`). `doomed` are the rooms
/// whose lines are still to be deleted, and `unsearched` those whose lines up to one are not in the
/// index. A line is in it if and only if `searched` has passed it and `unsearched` has not: the
/// triggers hold that, and [`super::index`].
const FIRST: &str = "
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  nick TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  hash TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  seen_at INTEGER NOT NULL,
  seen_line INTEGER NOT NULL,
  is_here INTEGER NOT NULL
) STRICT;
CREATE TABLE rooms (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  key TEXT NOT NULL UNIQUE,
  topic TEXT,
  lock TEXT,
  owner INTEGER,
  last_line INTEGER
) STRICT;
CREATE TABLE members (
  position INTEGER PRIMARY KEY,
  room INTEGER NOT NULL,
  account INTEGER NOT NULL,
  UNIQUE (room, account)
) STRICT;
CREATE TABLE lines (
  id INTEGER PRIMARY KEY,
  room INTEGER NOT NULL,
  at INTEGER NOT NULL,
  nick TEXT NOT NULL,
  is_action INTEGER NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX lines_by_room ON lines (room);
CREATE TABLE directs (
  id INTEGER PRIMARY KEY,
  account INTEGER NOT NULL,
  at INTEGER NOT NULL,
  nick TEXT NOT NULL,
  text TEXT NOT NULL
) STRICT;
CREATE INDEX directs_by_account ON directs (account);
CREATE TABLE doomed (room INTEGER PRIMARY KEY) STRICT;
CREATE TABLE unsearched (room INTEGER PRIMARY KEY, to_line INTEGER NOT NULL) STRICT;
CREATE TABLE marks (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO marks VALUES
  ('line', 0), ('room', 0), ('account', 0), ('ranked', 0),
  ('searched', 0), ('indexed', 0), ('buried', 0);
CREATE VIRTUAL TABLE search USING fts5 (
  nick, text, room,
  content = 'lines', content_rowid = 'id', columnsize = 0,
  tokenize = 'unicode61 remove_diacritics 2'
);
INSERT INTO search (search, rank) VALUES ('automerge', 0);
INSERT INTO search (search, rank) VALUES ('crisismerge', 1999);
CREATE TRIGGER newest_line_deleted AFTER DELETE ON lines
WHEN old.id > (SELECT coalesce(max(id), 0) FROM lines)
BEGIN
  UPDATE marks SET value = old.id WHERE name = 'line' AND value < old.id;
END;
CREATE TRIGGER last_line_deleted AFTER DELETE ON lines
BEGIN
  UPDATE rooms SET last_line = (SELECT max(id) FROM lines WHERE room = old.room)
    WHERE id = old.room AND last_line = old.id;
END;
CREATE TRIGGER line_deleted AFTER DELETE ON lines
WHEN old.id <= (SELECT value FROM marks WHERE name = 'searched')
  AND old.id > coalesce((SELECT to_line FROM unsearched WHERE room = old.room), 0)
BEGIN
  INSERT INTO search (search, rowid, nick, text, room)
    VALUES ('delete', old.id, old.nick, old.text, old.room);
  UPDATE marks SET value = max(value + iif(name = 'buried', 1, -1), 0)
    WHERE name IN ('buried', 'indexed');
END;
CREATE TRIGGER line_changed AFTER UPDATE OF id, room, nick, text ON lines
BEGIN
  INSERT INTO search (search, rowid, nick, text, room)
    SELECT 'delete', old.id, old.nick, old.text, old.room
    WHERE old.id <= (SELECT value FROM marks WHERE name = 'searched')
      AND old.id > coalesce((SELECT to_line FROM unsearched WHERE room = old.room), 0);
  INSERT INTO search (rowid, nick, text, room)
    SELECT new.id, new.nick, new.text, new.room
    WHERE new.id <= (SELECT value FROM marks WHERE name = 'searched')
      AND new.id > coalesce((SELECT to_line FROM unsearched WHERE room = new.room), 0);
END;
";

/// `settings` is what an owner has said of how they want to be served. An account with an `owner`
/// is a token of that one; `only_rooms` are the names, with commas, of the rooms that it is for,
/// NULL for all of them, and `rate` is how many lines a second are taken from it, NULL for as many
/// as from everybody.
const SECOND: &str = "
ALTER TABLE accounts ADD COLUMN settings TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN owner INTEGER;
ALTER TABLE accounts ADD COLUMN only_rooms TEXT;
ALTER TABLE accounts ADD COLUMN rate INTEGER;
CREATE INDEX tokens_by_owner ON accounts (owner) WHERE owner IS NOT NULL;
";

/// Who is banned or muted: in a room, or with 0 everywhere. `target` is by `what` it is the number
/// of an account, the key of a nick, or an address or network; `nick` is that as it is shown.
const THIRD: &str = "
CREATE TABLE sanctions (
  room INTEGER NOT NULL,
  kind TEXT NOT NULL,
  what TEXT NOT NULL,
  target TEXT NOT NULL,
  nick TEXT NOT NULL,
  ends_at INTEGER,
  why TEXT,
  by TEXT NOT NULL,
  made_at INTEGER NOT NULL,
  PRIMARY KEY (room, kind, what, target)
) STRICT, WITHOUT ROWID;
";

/// `operators` are accounts that may do in a room much of what its owner may. In a room that is
/// `slow` each may say one line in so many seconds; 0 for as many as they like. `invites` are codes
/// with which somebody who has no account may make one: of each there is a hash, in hexadecimal,
/// and when it was made and ends.
const FOURTH: &str = "
CREATE TABLE operators (
  room INTEGER NOT NULL,
  account INTEGER NOT NULL,
  PRIMARY KEY (room, account)
) STRICT, WITHOUT ROWID;
ALTER TABLE rooms ADD COLUMN slow INTEGER NOT NULL DEFAULT 0;
CREATE TABLE invites (
  hash TEXT PRIMARY KEY,
  made_at INTEGER NOT NULL,
  ends_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Why it was not brought forward.
pub enum Stop {
    /// That is wrong with the file.
    Fault(Fault),
    /// SQLite refuses.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Stop {
    fn from(error: rusqlite::Error) -> Stop {
        Stop::Sqlite(error)
    }
}

/// Brings the database to the newest schema, in one transaction.
pub fn migrate(conn: &Connection) -> Result<(), Stop> {
    let version: i64 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version > VERSION {
        return Err(Stop::Fault(Fault::Newer { schema: version }));
    }
    let Some(steps) = usize::try_from(version).ok().and_then(|version| STEPS.get(version..)) else {
        return Err(Stop::Fault(Fault::Foreign));
    };
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = conn.unchecked_transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::super::{Engine, Settings};
    use super::*;
    use crate::chat::kept::{KeptLock, KeptSettings};

    /// A database of the first version, with somebody who said something.
    fn of_first_version(settings: &Settings) -> Connection {
        let conn = Connection::open(&settings.path).unwrap();
        conn.execute_batch(FIRST).unwrap();
        conn.execute_batch(
            "INSERT INTO accounts VALUES (3, 'Ann', 'ann', '$argon2id$', 1, 2, 4, 0);
            INSERT INTO rooms VALUES (2, 'dev', 'dev', 'what we build', '$hash', 3, NULL);
            INSERT INTO members (room, account) VALUES (2, 3);
            INSERT INTO directs (account, at, nick, text) VALUES (3, 5, 'bob', 'hello');
            INSERT INTO lines VALUES (7, 2, 6, 'Ann', 0, 'said before');",
        )
        .unwrap();
        conn.pragma_update(None, "application_id", APPLICATION).unwrap();
        conn.pragma_update(None, "user_version", 1).unwrap();
        conn
    }

    fn version_of(conn: &Connection) -> i64 {
        conn.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap()
    }

    #[test]
    fn an_older_database_is_brought_forward_with_all_that_is_in_it() {
        let folder = tempfile::tempdir().unwrap();
        drop(of_first_version(&settings(&folder)));
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        assert_eq!(version_of(engine.conn()), VERSION);
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.next_line, kept.next_room, kept.next_account), (8, 3, 4));
        let room = &kept.rooms[0];
        assert_eq!((room.topic.as_deref(), room.owner), (Some("what we build"), Some(3)));
        assert_eq!(room.lock, KeptLock::Hash("$hash".to_owned()));
        let account = &kept.accounts[0];
        assert_eq!((account.nick.as_str(), account.seen, account.directs), ("Ann", 4, 1));
        assert_eq!((&account.rooms[..], &account.bot), (&[2][..], &None));
        assert_eq!(account.settings, KeptSettings::default());
        assert_eq!(ids(&engine, 2), [7]);
        engine.commit(&changes([token_made(4, "deploy", 3, &["dev"], Some(5))])).unwrap();
        drop(engine);
        let kept = Engine::open(&settings(&folder)).unwrap().load(NOW).unwrap();
        assert_eq!(kept.accounts[1].bot.as_ref().unwrap().owner, 3);
    }

    #[test]
    fn what_cannot_be_brought_forward_whole_stays_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let conn = of_first_version(&settings(&folder));
        // The step fails in its middle.
        conn.execute_batch("ALTER TABLE accounts ADD COLUMN only_rooms TEXT").unwrap();
        let columns = |conn: &Connection| -> i64 {
            let sql = "SELECT count(*) FROM pragma_table_info('accounts')";
            conn.query_row(sql, [], |row| row.get(0)).unwrap()
        };
        assert!(matches!(migrate(&conn), Err(Stop::Sqlite(_))));
        assert_eq!((version_of(&conn), columns(&conn)), (1, 9));
        conn.execute_batch("ALTER TABLE accounts DROP COLUMN only_rooms").unwrap();
        assert!(migrate(&conn).is_ok());
        assert_eq!((version_of(&conn), columns(&conn)), (VERSION, 12));
    }
}
