//! The database as anybody sees it who has another SQLite.
//!
//! Promises: what is looked at while a server has it is only read; what a killed server has left is
//! looked at in a copy, so that the next server finds it as it was.

use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::heard::Said;
use crate::world::on_tcp::{ServerProcess, wait_for};

/// The place of a database, which goes with this.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Folder {
        Folder(tempfile::tempdir().expect("there is a place for temporary files"))
    }

    /// Of something in it.
    pub fn path_of(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Of the database.
    pub fn path(&self) -> PathBuf {
        self.path_of("chatline.db")
    }

    /// The flags of a server that keeps what is said here.
    pub fn flags(&self, more: &str) -> Vec<String> {
        let mut flags = vec!["--data".to_owned(), self.path().display().to_string()];
        flags.extend(more.split_whitespace().map(str::to_owned));
        flags
    }

    /// A server that keeps what is said here.
    pub fn server(&self, more: &str) -> ServerProcess {
        ServerProcess::start(&self.flags(more))
    }

    /// What is in it: names and contents, in the order of names.
    pub fn contents(&self) -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(self.0.path()).unwrap().map(|file| {
            let file = file.unwrap();
            (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap_or_default())
        });
        let mut files: Vec<_> = files.collect();
        files.sort();
        files
    }

    /// In which of its files these bytes are.
    pub fn files_with(&self, text: &str) -> Vec<String> {
        let has_it = |bytes: &Vec<u8>| memchr::memmem::find(bytes, text.as_bytes()).is_some();
        let files = self.contents().into_iter().filter(|(_, bytes)| has_it(bytes));
        files.map(|(name, _)| name).collect()
    }

    /// A copy of the database and of its log.
    pub fn copy(&self) -> Folder {
        let copy = Folder::new();
        for name in ["chatline.db", "chatline.db-wal", "chatline.db-journal"] {
            match fs::copy(self.path_of(name), copy.path_of(name)) {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                copied => drop(copied.unwrap()),
            }
        }
        copy
    }
}

/// An open database.
pub struct Database(Connection);

impl Database {
    /// Opens it to look at it; also while a server has it.
    pub fn look(path: &Path) -> Database {
        Database(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap())
    }

    /// Opens it for oneself.
    pub fn own(path: &Path) -> Database {
        Database(Connection::open(path).unwrap())
    }

    /// Runs statements.
    pub fn run(&self, sql: &str) {
        self.0.execute_batch(sql).unwrap();
    }

    /// The one number that a query gives.
    pub fn number(&self, sql: &str) -> i64 {
        self.0.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// The texts of a query with one column.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// Fails unless SQLite finds no fault in it.
    pub fn expect_sound(&self) {
        assert_eq!(self.texts("PRAGMA integrity_check"), ["ok"]);
    }

    /// What is waiting for owners: from whom, and what, in order.
    pub fn directs(&self) -> Vec<(String, String)> {
        let mut statement = self.0.prepare("SELECT nick, text FROM directs ORDER BY id").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The lines after the one with that id, in order. Fails if a line is in no room.
    pub fn lines(&self, after: i64) -> Vec<Said> {
        let sql = "SELECT rooms.name, lines.nick, lines.is_action, lines.text
            FROM lines LEFT JOIN rooms ON rooms.id = lines.room WHERE lines.id > ?1
            ORDER BY lines.id";
        let mut statement = self.0.prepare(sql).unwrap();
        let rows = statement.query_map([after], |row| {
            let (room, nick) = (row.get(0)?, row.get(1)?);
            Ok(Said { room, nick, is_action: row.get(2)?, text: row.get(3)? })
        });
        rows.unwrap().map(|row| row.expect("every line is in a room")).collect()
    }

    /// The id of the last line.
    pub fn last_id(&self) -> i64 {
        self.number("SELECT coalesce(max(id), 0) FROM lines")
    }

    /// How many lines there are.
    pub fn count(&self) -> usize {
        self.number("SELECT count(*) FROM lines").try_into().unwrap()
    }

    /// Waits until all lines can be searched for.
    pub fn wait_for_index(&self) {
        let sql = "SELECT value >= (SELECT max(id) FROM lines) FROM marks WHERE name = 'searched'";
        wait_for(|| (self.number(sql) == 1).then_some(())).expect("all lines get into the index");
    }
}
