//! The database itself: one connection that may write, and what is done over it, step by step.
//!
//! Promises: each call is one transaction, done or undone when it returns, so that the database can
//! be played by tests on their own thread. Deliberately has no thread: when to do
//! what, and what to do about a failure, is the writer's.

use std::cell::Cell;
use std::path::Path;
use std::slice;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, Result};

use crate::chat::kept::{Answer, Kept, Ledger, Question};

use super::file::LockedFile;
use super::log_thread::{Checkpoint, LOG_PAGES_MAX, checkpoint};
use super::open_error::{Fault, OpenError};
use super::read::Reading;
use super::schema::{self, Stop};
use super::tally::Tally;
use super::tend::{House, Tend, rank};
use super::{Settings, Sync, changes, load};

/// How long a commit waits for another program that writes.
const BUSY_TIMEOUT: Duration = Duration::from_millis(250);

/// How many statements a connection keeps prepared.
const STATEMENTS_MAX: usize = 64;

/// A forgotten room must not stay readable in pages that are free, so those are overwritten
/// (`ON`, for `FAST` spares just them); lines are only appended, so this costs them nothing. The
/// log is written back by others ([`super::log_thread`], [`super::tend`]).
const PRAGMAS: &str = "
PRAGMA secure_delete = ON;
PRAGMA temp_store = MEMORY;
PRAGMA cache_size = -4096;
PRAGMA journal_size_limit = 67108864;
";

/// The connection that writes.
pub struct Engine {
    conn: Connection,
    /// What a commit waits for.
    sync: Sync,
    /// Whether the connection is set to wait for the disk just now.
    is_synced: Cell<bool>,
    tend: Tend,
    /// Set by whoever finds that the file is damaged: nothing is written to it any more.
    damage: Arc<AtomicBool>,
    /// Last, for it must be closed after the connection.
    file: Option<LockedFile>,
}

impl Engine {
    /// Opens the database, which this process has for itself then, and makes it if there is none.
    pub fn open(settings: &Settings) -> std::result::Result<Engine, OpenError> {
        let named = settings.path.as_path();
        let file = LockedFile::open(named)?;
        let conn = connect(&file.path, OpenFlags::SQLITE_OPEN_READ_WRITE)
            .map_err(|error| OpenError::of(named, &error))?;
        set_up(&conn, named)?;
        let engine = Engine {
            conn,
            sync: settings.sync,
            is_synced: Cell::new(false),
            tend: Tend::new(settings.house()),
            damage: Arc::default(),
            file: Some(file),
        };
        Ok(engine)
    }

    /// A database that nobody else sees and that goes with the engine. Fails without memory.
    pub fn in_memory(house: House) -> Result<Engine> {
        let conn = Connection::open_in_memory()?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        conn.execute_batch(PRAGMAS)?;
        match schema::migrate(&conn) {
            Ok(()) => {}
            Err(Stop::Sqlite(error)) => return Err(error),
            Err(Stop::Fault(_)) => unreachable!("a database that is made now is no other's"),
        }
        let (sync, is_synced) = (Sync::Process, Cell::new(false));
        let (tend, damage) = (Tend::new(house), Arc::default());
        Ok(Engine { conn, sync, is_synced, tend, damage, file: None })
    }

    /// Another connection that only reads. Fails for a database in memory.
    pub fn reading(&self) -> Result<Reading> {
        let path = self.file.as_ref().map_or(Path::new(""), |file| &file.path);
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        Ok(Reading::new(conn, self.tend.house.is_searchable))
    }

    /// Another connection, which writes the log back. Fails for a database in memory.
    pub fn log_connection(&self) -> Result<Connection> {
        let path = self.file.as_ref().map_or(Path::new(""), |file| &file.path);
        connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// How many pages of the log are not written back yet.
    pub fn log_pages(&self) -> Result<i64> {
        checkpoint(&self.conn, Checkpoint::None).map(|log| log.waiting)
    }

    /// Forgets guests' rooms, notes who must have left when the process ended, and loads what is
    /// known at the start. `unix` is now, in seconds since 1970 UTC.
    pub fn load(&mut self, unix: i64) -> Result<Kept> {
        self.wait_for_disk(false)?;
        let kept = transact(&self.conn, |conn| load::load(conn, unix))?;
        self.tend.tally = Tally::new(self.tend.house.keep_lines, &kept);
        Ok(kept)
    }

    /// Keeps a ledger, whole or not at all.
    pub fn commit(&mut self, ledger: &Ledger) -> Result<()> {
        self.commit_all(slice::from_ref(ledger))
    }

    /// Keeps some ledgers together, in order, all or none.
    pub fn commit_all(&mut self, ledgers: &[Ledger]) -> Result<()> {
        self.wait_for_disk(self.sync == Sync::Disk)?;
        transact(&self.conn, |conn| {
            ledgers.iter().try_for_each(|ledger| changes::write(conn, ledger))
        })?;
        ledgers.iter().for_each(|ledger| self.tend.tally.count(ledger));
        Ok(())
    }

    /// What is kept. Passwords are not: those questions go elsewhere.
    pub fn answer(&self, question: &Question) -> Answer {
        let is_searchable = self.tend.house.is_searchable;
        super::read::answer(&self.conn, question, is_searchable).unwrap_or(Answer::Unavailable)
    }

    /// One small step of housekeeping, of a few milliseconds; true if there is more to do. `unix`
    /// is now, in seconds since 1970 UTC.
    pub fn tend(&mut self, unix: i64) -> Result<bool> {
        // What is lost in a power cut is done again.
        self.wait_for_disk(false)?;
        self.tend.step(&self.conn, unix)
    }

    /// What whoever finds that the file is damaged sets.
    pub fn damage(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.damage)
    }

    /// Whether somebody has found that the file is damaged. From then on it stays as it is, also
    /// when the connection is closed.
    pub fn is_damaged(&self) -> bool {
        let is_damaged = self.damage.load(Ordering::Relaxed);
        if is_damaged {
            let option = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
            if let Err(error) = self.conn.set_db_config(option, true) {
                log::debug!(cause:% = error; "wal_not_spared");
            }
        }
        is_damaged
    }

    /// Whether the file has been deleted, moved or replaced, so that what is written is lost.
    pub fn is_gone(&self) -> bool {
        self.file.as_ref().is_some_and(LockedFile::is_gone)
    }

    /// Whether to wait for other programs that write, for a moment, or not at all.
    pub fn wait_for_others(&self, is_patient: bool) -> Result<()> {
        self.conn.busy_timeout(if is_patient { BUSY_TIMEOUT } else { Duration::ZERO })
    }

    /// The connection, for what is done once.
    pub fn conn(&mut self) -> &mut Connection {
        &mut self.conn
    }

    /// Does what makes the next start fast, until then at most: notes which lines are the last
    /// ones of their rooms, and empties the log, if nobody reads it just now.
    pub fn put_in_order(&self, until: Instant) -> Result<()> {
        self.wait_for_disk(false)?;
        while Instant::now() < until && rank(&self.conn, 1)? {}
        checkpoint(&self.conn, Checkpoint::Truncate).map(|_| ())
    }

    fn wait_for_disk(&self, is_synced: bool) -> Result<()> {
        if self.is_synced.get() != is_synced {
            let mode = if is_synced { "FULL" } else { "NORMAL" };
            self.conn.execute_batch(&format!("PRAGMA synchronous = {mode}"))?;
            self.is_synced.set(is_synced);
        }
        Ok(())
    }
}

/// A connection to a file that is there.
pub fn connect(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let conn = Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    conn.busy_timeout(BUSY_TIMEOUT)?;
    conn.execute_batch("PRAGMA temp_store = MEMORY; PRAGMA cache_size = -4096;")?;
    Ok(conn)
}

/// Makes the database what it must be.
fn set_up(conn: &Connection, named: &Path) -> std::result::Result<(), OpenError> {
    let steps = || {
        // A file that is refused is not tidied up either.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        schema::migrate(conn)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
        // After the tables, so that the first page of the file always says whose it is.
        let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        if mode != "wal" {
            let cause = "its file system cannot share memory between programs".to_owned();
            return Err(Stop::Fault(Fault::Refused(cause)));
        }
        conn.pragma_update(None, "wal_autocheckpoint", LOG_PAGES_MAX)?;
        Ok(conn.execute_batch(&format!("{PRAGMAS} PRAGMA synchronous = NORMAL;"))?)
    };
    steps().map_err(|stop| match stop {
        Stop::Fault(fault) => OpenError::new(named, fault),
        Stop::Sqlite(error) => OpenError::of(named, &error),
    })
}

/// Does it all, or nothing of it.
pub fn transact<T>(conn: &Connection, body: impl FnOnce(&Connection) -> Result<T>) -> Result<T> {
    let run = |sql| conn.prepare_cached(sql)?.execute([]);
    run("BEGIN IMMEDIATE")?;
    let done = body(conn).and_then(|value| run("COMMIT").map(|_| value));
    // Some failures end the transaction by themselves; and of two, the first one says why.
    if done.is_err() && !conn.is_autocommit() {
        let _ = run("ROLLBACK");
    }
    done
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::*;
    use crate::chat::kept::{Change, KeptDirect, KeptLock};
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    fn refusal(settings: &Settings) -> String {
        let shown = Engine::open(settings).err().unwrap().to_string();
        shown.replace(&settings.path.display().to_string(), "PATH")
    }

    #[test]
    fn a_database_is_its_owners_and_of_one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        let mut engine = Engine::open(&settings).unwrap();
        engine.load(NOW).unwrap();
        engine.commit(&lines(1, 1..3)).unwrap();
        for file in fs::read_dir(&folder).unwrap() {
            let mode = file.as_ref().unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{file:?}");
        }
        assert_eq!(
            refusal(&settings),
            "cannot open PATH: another chatline has it open; stop that one, or choose another \
             file with --data PATH"
        );
        drop(engine);
        assert!(Engine::open(&settings).is_ok());
    }

    #[test]
    fn an_empty_file_is_as_good_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        fs::write(&settings.path, "").unwrap();
        assert_eq!(Engine::open(&settings).unwrap().load(NOW).unwrap().next_line, 1);
    }

    /// The file is refused with that sentence, and is the same afterwards.
    fn is_left_alone(settings: &Settings, sentence: &str) {
        let before = fs::read(&settings.path).unwrap();
        assert_eq!(refusal(settings), sentence);
        assert_eq!(fs::read(&settings.path).unwrap(), before);
        let files = fs::read_dir(settings.path.parent().unwrap()).unwrap().count();
        assert_eq!(files, 1, "nothing was put beside it");
    }

    #[test]
    fn what_is_not_ours_is_left_alone() {
        let foreign = concat!(
            "cannot open PATH: it is not a database of chatline; ",
            "choose another file with --data PATH"
        );
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        for garbage in [vec![b'x'; 17], vec![0; 5000]] {
            fs::write(&settings.path, garbage).unwrap();
            is_left_alone(&settings, foreign);
        }
        fs::remove_file(&settings.path).unwrap();
        let other = Connection::open(&settings.path).unwrap();
        other.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE mine (x)").unwrap();
        drop(other);
        is_left_alone(&settings, foreign);
    }

    #[test]
    fn what_is_newer_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        let mut engine = Engine::open(&settings).unwrap();
        engine.commit(&lines(1, 1..3)).unwrap();
        engine.conn().execute_batch("PRAGMA user_version = 7").unwrap();
        let newer = format!(
            "cannot open PATH: it was written by a newer chatline (schema 7, this one knows {}); \
             use that one, or another file with --data PATH",
            schema::VERSION
        );
        // As it is found after a power cut: the version is in the log alone.
        let elsewhere = tempfile::tempdir().unwrap();
        let copy = super::super::trial::settings(&elsewhere);
        for end in ["", "-wal"] {
            let with_end = |path: &Path| format!("{}{end}", path.display());
            fs::copy(with_end(&settings.path), with_end(&copy.path)).unwrap();
        }
        let log = fs::read(format!("{}-wal", copy.path.display())).unwrap();
        let before = fs::read(&copy.path).unwrap();
        assert_eq!(refusal(&copy), *newer);
        assert_eq!(fs::read(&copy.path).unwrap(), before);
        assert_eq!(fs::read(format!("{}-wal", copy.path.display())).unwrap(), log);
        drop(engine);
        is_left_alone(&settings, &newer);
    }

    #[test]
    fn what_is_damaged_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let settings = settings(&folder);
        let mut engine = Engine::open(&settings).unwrap();
        for from in [1, 1001] {
            engine.commit(&lines(1, from..from + 1000)).unwrap();
        }
        drop(engine);
        let whole = fs::read(&settings.path).unwrap();
        for bytes in [4096, 3 * 4096 + 1] {
            fs::write(&settings.path, &whole[..bytes]).unwrap();
            let error = match Engine::open(&settings) {
                Err(error) => error,
                Ok(mut engine) => OpenError::of(&settings.path, &engine.load(NOW).unwrap_err()),
            };
            let sentence = error.to_string();
            let expected = "it is damaged (database disk image is malformed); put a backup in";
            assert!(sentence.contains(expected), "{sentence}");
            assert_eq!(fs::read(&settings.path).unwrap(), whole[..bytes]);
        }
    }

    #[test]
    fn a_ledger_is_kept_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        engine.commit(&lines(1, 1..10)).unwrap();
        let pages: i64 =
            engine.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        engine.conn.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let mut ledger = lines(1, 10..2000);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        let error = engine.commit(&ledger).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DiskFull));
        assert_eq!(ids(&engine, 1), (1..10).collect::<Vec<u64>>());
        engine.conn.pragma_update_and_check(None, "max_page_count", 100_000, |_| Ok(())).unwrap();
        engine.commit(&ledger).unwrap();
        assert_eq!(ids(&engine, 1), (1..2000).collect::<Vec<u64>>());
        assert_eq!(engine.load(NOW).unwrap().rooms.len(), 1);
    }

    #[test]
    fn an_account_and_all_that_is_its_owners_come_and_go() {
        let mut engine = Engine::in_memory(House::default()).unwrap();
        let direct = KeptDirect { unix: NOW, nick: "bob".to_owned(), text: "hey".to_owned() };
        let made = [
            room_made(1, "dev", KeptLock::Open),
            room_made(2, "ops", KeptLock::Hash("$hash".to_owned())),
            account_made(1, "Ann", &[1]),
            Change::Entered { account: 1, room: 2 },
            Change::Entered { account: 1, room: 2 },
            Change::Left { account: 1, room: 1 },
            Change::Entered { account: 1, room: 1 },
            Change::Direct { to: 1, direct: direct.clone() },
            Change::Password { account: 1, hash: "$other".to_owned() },
            Change::LoggedOut { account: 1, unix: NOW, seen: 5 },
        ];
        engine.commit(&changes(made)).unwrap();
        let kept = engine.load(NOW).unwrap();
        let account = &kept.accounts[0];
        assert_eq!((account.rooms.as_slice(), account.directs), (&[2, 1][..], 1));
        assert_eq!((account.nick.as_str(), account.hash.as_str()), ("Ann", "$other"));
        assert_eq!((account.seen, kept.next_account), (5, 2));

        engine.commit(&changes([Change::LoggedIn { account: 1, unix: NOW }])).unwrap();
        engine.commit(&lines(1, 6..9)).unwrap();
        let question = Question::Missed { account: 1, seen: 6, rooms: vec![(1, 1), (2, 9)] };
        let Answer::Missed { rooms, directs } = engine.answer(&question) else { panic!() };
        let missed: Vec<(u64, u64, usize)> =
            rooms.iter().map(|it| (it.room, it.lines, it.tail.len())).collect();
        assert_eq!((missed, directs), (vec![(1, 2, 1), (2, 0, 0)], vec![direct]));
        engine.commit(&changes([Change::DirectsShown { to: 1, count: 2 }])).unwrap();
        let account = &engine.load(NOW).unwrap().accounts[0];
        assert_eq!((account.seen, account.directs), (8, 0), "who was there was told everything");

        engine.commit(&changes([Change::AccountGone { account: 1 }])).unwrap();
        let kept = engine.load(NOW).unwrap();
        assert_eq!((kept.accounts.len(), kept.next_account), (0, 2), "no number is given twice");
        let members = "SELECT count(*) FROM members";
        assert_eq!(engine.conn.query_row(members, [], |row| row.get(0)), Ok(0));
    }
}
