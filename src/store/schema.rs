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
const STEPS: &[&str] = &[FIRST];

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
