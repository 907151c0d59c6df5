//! The thread that writes SQLite's log back into the database.
//!
//! Promises: what it does holds up no commit; those go on into the log meanwhile. Deliberately does
//! not say when it fails: the log grows then until the writer does it, and if that fails, too, the
//! writer says so.

use std::io;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::{Connection, Result};

/// From how many pages on it is worth the while.
pub const LOG_PAGES: i64 = 1_000;

/// How long the log gets until a commit writes the rest back, so that it can begin anew: only who
/// writes can do that. The thread is out of the way then.
pub const LOG_PAGES_MAX: i64 = 10_000;

/// The running thread.
pub struct LogThread {
    nudges: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl LogThread {
    /// Starts it, over a connection of its own.
    pub fn start(conn: Connection) -> io::Result<LogThread> {
        let (nudges, nudged) = sync_channel(1);
        let thread = thread::Builder::new()
            .name("store-log".to_owned())
            .spawn(move || write_back(&conn, &nudged))?;
        Ok(LogThread { nudges, thread })
    }

    /// There are so many pages in the log.
    pub fn note(&self, pages: i64) {
        if pages < LOG_PAGES {
            return;
        }
        match self.nudges.try_send(()) {
            // One nudge is as good as two.
            Ok(()) | Err(TrySendError::Full(())) => {}
            Err(TrySendError::Disconnected(())) => log::debug!("wal_thread_gone"),
        }
    }

    /// Ends it, when it has done what it is doing.
    pub fn finish(self) {
        drop(self.nudges);
        if self.thread.join().is_err() {
            log::debug!("wal_thread_failed");
        }
    }
}

fn write_back(conn: &Connection, nudged: &Receiver<()>) {
    while nudged.recv().is_ok() {
        let done = checkpoint(conn, Checkpoint::None).and_then(|log| match log.waiting {
            LOG_PAGES.. if log.all < LOG_PAGES_MAX => checkpoint(conn, Checkpoint::Passive),
            _ => Ok(log),
        });
        if let Err(error) = done {
            log::debug!(cause:% = error; "wal_stays");
        }
    }
}

/// How the log is written back (<https://sqlite.org/pragma.html#pragma_wal_checkpoint>).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// It is not.
    None,
    /// As far as that holds up nobody.
    Passive,
    /// All of it, and then it is emptied.
    Truncate,
}

/// The log after that.
#[derive(Clone, Copy, Debug)]
pub struct Log {
    /// It could not be done as wanted, for somebody reads or writes.
    pub is_busy: bool,
    /// How many pages it has.
    pub all: i64,
    /// How many of them are not in the database yet.
    pub waiting: i64,
}

/// Writes the log back, in that way.
pub fn checkpoint(conn: &Connection, kind: Checkpoint) -> Result<Log> {
    let sql = match kind {
        Checkpoint::None => "PRAGMA wal_checkpoint(NOOP)",
        Checkpoint::Passive => "PRAGMA wal_checkpoint(PASSIVE)",
        Checkpoint::Truncate => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    conn.prepare_cached(sql)?.query_row([], |row| {
        let (is_busy, all, done): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(Log { is_busy: is_busy != 0, all, waiting: all - done })
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Engine;
    use super::super::trial::*;
    use super::*;

    /// Commits lines until so many pages of the log are not in the database.
    fn fill_log(engine: &mut Engine, pages: i64) {
        for from in (1..).step_by(1_000) {
            engine.commit(&lines(1, from..from + 1_000)).unwrap();
            if engine.log_pages().unwrap() >= pages {
                return;
            }
        }
    }

    #[test]
    fn a_long_log_is_written_back_and_a_short_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        let written_back = |engine: &Engine| {
            let thread = LogThread::start(engine.log_connection().unwrap()).unwrap();
            thread.note(engine.log_pages().unwrap());
            thread.finish();
            engine.log_pages().unwrap() == 0
        };
        fill_log(&mut engine, LOG_PAGES / 2);
        assert!(!written_back(&engine));
        fill_log(&mut engine, LOG_PAGES);
        assert!(written_back(&engine));
    }

    #[test]
    fn the_log_begins_anew_without_the_thread_too() {
        let folder = tempfile::tempdir().unwrap();
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        let text = "long ".repeat(200);
        let mut most = 0;
        for from in (1..).step_by(1_000).take(60) {
            let mut ledger = lines(1, []);
            (from..from + 1_000).for_each(|id| ledger.line(line(id, 1, "ann", &text)));
            engine.commit(&ledger).unwrap();
            let log = checkpoint(engine.conn(), Checkpoint::None).unwrap();
            most = most.max(log.all);
        }
        assert!((LOG_PAGES_MAX..LOG_PAGES_MAX + 1_000).contains(&most), "{most}");
    }
}
