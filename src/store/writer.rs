//! The thread that commits.
//!
//! Promises: ledgers are committed in their order, each once, and news of each is given at once,
//! committed or not. What cannot be committed waits ([`super::waiting`]), and is tried again with
//! the next ledger and every second. The log says once why, and once that it is over. Housekeeping
//! has the time that is left, and a tenth of it when there is none.

use std::io;
use std::mem;
use std::slice;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use rusqlite::{Error, ErrorCode};

use crate::chat::kept::Ledger;

use super::log_thread::LogThread;
use super::open_error::cause_of;
use super::waiting::Waiting;
use super::{Engine, News, Wake};

/// How long until the next try.
const RETRY: Duration = Duration::from_secs(1);

/// It is quiet when nothing was committed for so long.
const QUIET: Duration = Duration::from_millis(50);

/// When it is not, housekeeping rests that many times as long as it worked, and at least so long.
const REST: u32 = 10;
const REST_MIN: Duration = Duration::from_millis(10);

/// After how many commits it is looked how long the log is: none writes more than some hundred
/// pages.
const LOOK_EVERY: u32 = 8;

/// How long until it is looked whether something has got old, or after housekeeping failed.
const NAP: Duration = Duration::from_secs(60);

/// How long the database is put in order at the end, but for its last step.
const ORDER: Duration = Duration::from_secs(2);

/// What the thread is told.
pub enum Order {
    /// To commit that.
    Commit(Ledger),
    /// To commit all that can be, and to end.
    Finish,
}

/// Whether what is given is being kept.
#[derive(Debug, PartialEq, Eq)]
enum State {
    Keeping,
    /// It is not, since a failure.
    Failing,
}

/// What the thread owns.
pub struct Writer {
    engine: Engine,
    orders: Receiver<Order>,
    news: Sender<News>,
    /// What could not be committed yet; nothing while it is being kept.
    waiting: Waiting,
    state: State,
    /// When to look after the house next.
    tend_at: Instant,
    /// When the last commit and the last step were done, and how long that one took.
    committed_at: Instant,
    tended_at: Instant,
    tended_for: Duration,
    is_tend_failing: bool,
    log_thread: Option<LogThread>,
    /// How many there were.
    commits: u32,
}

impl Writer {
    /// Commits to this database.
    pub fn new(engine: Engine, orders: Receiver<Order>, news: Sender<News>) -> Writer {
        let now = Instant::now();
        Writer {
            engine,
            orders,
            news,
            waiting: Waiting::default(),
            state: State::Keeping,
            tend_at: now,
            committed_at: now,
            tended_at: now,
            tended_for: Duration::ZERO,
            is_tend_failing: false,
            log_thread: None,
            commits: 0,
        }
    }

    /// Runs until it is told to end, or the other side is gone; then it gives whether all is kept.
    pub fn start(mut self, wake: Wake) -> io::Result<JoinHandle<bool>> {
        let conn = self.engine.log_connection().map_err(io::Error::other)?;
        self.log_thread = Some(LogThread::start(conn)?);
        thread::Builder::new().name("store-writer".to_owned()).spawn(move || {
            while self.turn(&*wake) {}
            self.end()
        })
    }

    /// Waits for an order, or for the time to do something else; false when it was the last one.
    fn turn(&mut self, wake: &dyn Fn()) -> bool {
        let due = match self.state {
            State::Keeping => self.tend_at,
            State::Failing => self.committed_at + RETRY,
        };
        match self.orders.recv_timeout(due.saturating_duration_since(Instant::now())) {
            Ok(Order::Commit(ledger)) => {
                self.commit(ledger);
                wake();
                self.look_at_log();
                // Under load there is always an order, and still some of this must be done.
                if self.state == State::Keeping && self.tend_at <= Instant::now() {
                    self.tend();
                }
            }
            Err(RecvTimeoutError::Timeout) if self.state == State::Keeping => self.tend(),
            Err(RecvTimeoutError::Timeout) => {
                self.catch_up();
                if self.state == State::Keeping {
                    wake();
                }
            }
            Ok(Order::Finish) | Err(RecvTimeoutError::Disconnected) => return false,
        }
        true
    }

    /// Has the log written back if it has got long; it is not looked at after every commit.
    fn look_at_log(&mut self) {
        self.commits += 1;
        if !self.commits.is_multiple_of(LOOK_EVERY) || self.engine.is_damaged() {
            return;
        }
        if let (Some(thread), Ok(pages)) = (&self.log_thread, self.engine.log_pages()) {
            thread.note(pages);
        }
    }

    /// Takes care of a ledger: it is committed, after all that waits, or waits, too.
    fn commit(&mut self, mut ledger: Ledger) {
        match self.state {
            State::Keeping => match write(&mut self.engine, slice::from_ref(&ledger)) {
                Ok(()) => ledger.clear(),
                Err(why) => {
                    self.fail(&why);
                    self.waiting.add(mem::take(&mut ledger));
                }
            },
            State::Failing => {
                self.waiting.add(mem::take(&mut ledger));
                self.catch_up();
            }
        }
        self.committed_at = Instant::now();
        self.plan();
        let is_kept = self.state == State::Keeping;
        self.tell(News::Committed { ledger, is_kept });
    }

    fn fail(&mut self, why: &str) {
        log::warn!(cause = why; "store_failing");
        self.state = State::Failing;
        // From now on somebody who writes is not waited for, so that the conversation goes on.
        self.set_patience(false);
    }

    fn set_patience(&self, is_patient: bool) {
        if let Err(error) = self.engine.wait_for_others(is_patient) {
            log::debug!(cause:% = error; "store_patience_stays");
        }
    }

    /// Commits what waits, as far as that goes.
    fn catch_up(&mut self) {
        let given = self.waiting.give(|ledgers| write(&mut self.engine, ledgers));
        self.committed_at = Instant::now();
        if let Err(why) = given {
            return log::debug!(cause = why; "store_still_failing");
        }
        match mem::take(&mut self.waiting).lines() {
            (0, _) => log::info!(lost = 0; "store_recovered"),
            (lost, _) => log::warn!(lost; "store_recovered"),
        }
        self.state = State::Keeping;
        self.set_patience(true);
        self.tell(News::Recovered);
    }

    /// One step of housekeeping.
    fn tend(&mut self) {
        let begun = Instant::now();
        // If the file is gone, that is said when there is something to keep.
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let unix = i64::try_from(unix.as_secs()).unwrap_or(i64::MAX);
        self.set_patience(false);
        let tended = self.engine.tend(unix);
        self.set_patience(true);
        self.tended_at = Instant::now();
        self.tended_for = self.tended_at - begun;
        let is_busy = |error: &Error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy);
        match &tended {
            Ok(true) => self.plan(),
            // Somebody else writes, for a moment.
            Err(error) if is_busy(error) => return self.tend_at = self.tended_at + RETRY,
            Ok(false) | Err(_) => self.tend_at = self.tended_at + NAP,
        }
        self.log_tending(tended.err());
    }

    fn log_tending(&mut self, error: Option<Error>) {
        match (&error, self.is_tend_failing) {
            (Some(error), false) => {
                // Old lines stay, and new ones cannot be found.
                log::warn!(cause:% = cause_of(error); "store_untended");
            }
            (None, true) => log::info!("store_tended"),
            (Some(_), true) | (None, false) => {}
        }
        self.is_tend_failing = error.is_some();
    }

    /// The next step is when it is quiet, or when the last one is long enough ago.
    fn plan(&mut self) {
        let quiet_at = self.committed_at + QUIET;
        let rested_at = self.tended_at + REST_MIN.max(self.tended_for * REST);
        self.tend_at = quiet_at.min(rested_at);
    }

    fn tell(&self, news: News) {
        // Nobody may want it any more.
        let _ = self.news.send(news);
    }

    /// The last try, and order.
    fn end(mut self) -> bool {
        if let Some(thread) = self.log_thread.take() {
            thread.finish();
        }
        if self.state == State::Failing {
            self.catch_up();
        }
        if self.state == State::Failing {
            let (lost, left) = self.waiting.lines();
            log::warn!(lost = lost + left; "store_gave_up");
        } else if let Err(error) = self.engine.put_in_order(Instant::now() + ORDER) {
            log::debug!(cause:% = error; "wal_stays");
        }
        self.state == State::Keeping
    }
}

fn write(engine: &mut Engine, ledgers: &[Ledger]) -> Result<(), String> {
    if engine.is_gone() {
        return Err("it has been deleted, moved or replaced".to_owned());
    }
    if engine.is_damaged() {
        return Err("it is damaged, and left as it is".to_owned());
    }
    engine.commit_all(ledgers).map_err(|error| cause_of(&error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::trial::*;
    use super::*;
    use crate::chat::kept::KeptLock;
    use rusqlite::Connection;
    use std::sync::mpsc::channel;

    /// A writer without its thread, and what it tells.
    fn writer(folder: &tempfile::TempDir) -> (Writer, Sender<Order>, Receiver<News>) {
        let mut engine = Engine::open(&settings(folder)).unwrap();
        engine.load(NOW).unwrap();
        let ((orders, orders_in), (news_out, news)) = (channel(), channel());
        (Writer::new(engine, orders_in, news_out), orders, news)
    }

    /// What was told: for each ledger whether it is kept, and `R` for a recovery.
    fn told(news: &Receiver<News>) -> String {
        let word = |news| match news {
            News::Committed { ledger, is_kept } => {
                assert!(ledger.is_empty());
                if is_kept { '+' } else { '-' }
            }
            News::Recovered => 'R',
            News::Answer(..) => panic!("nobody asked"),
        };
        news.try_iter().map(word).collect()
    }

    fn set_pages(writer: &mut Writer, most: i64) {
        let conn = writer.engine.conn();
        let pages: i64 = conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        conn.pragma_update_and_check(None, "max_page_count", pages + most, |_| Ok(())).unwrap();
    }

    #[test]
    fn what_a_full_disk_refuses_is_committed_later_once_and_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _orders, news) = writer(&folder);
        writer.commit(lines(1, 1..=10));
        set_pages(&mut writer, 0);
        writer.commit(lines(1, 11..=1000));
        writer.commit(lines(1, 1001..=1010));
        let mut ledger = lines(1, 1011..=1020);
        ledger.change(room_made(1, "dev", KeptLock::Open));
        writer.commit(ledger);
        assert_eq!(told(&news), "+---");
        assert_eq!(ids(&writer.engine, 1).len(), 10);
        set_pages(&mut writer, 10_000);
        writer.commit(lines(1, 1021..=1030));
        assert_eq!(told(&news), "R+");
        assert_eq!(ids(&writer.engine, 1), (1..=1030).collect::<Vec<u64>>());
        assert_eq!(writer.engine.load(NOW).unwrap().rooms.len(), 1);
    }

    #[test]
    fn what_waits_is_tried_again_without_a_new_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, orders, news) = writer(&folder);
        set_pages(&mut writer, 0);
        orders.send(Order::Commit(lines(1, 1..=1000))).unwrap();
        let (bell, woken) = channel();
        let wake = move || bell.send(()).unwrap();
        assert!(writer.turn(&wake));
        assert_eq!((told(&news).as_str(), woken.try_iter().count()), ("-", 1));
        // As if a second had passed.
        let try_again = |writer: &mut Writer| {
            writer.committed_at = Instant::now().checked_sub(RETRY).unwrap();
            assert!(writer.turn(&wake));
        };
        try_again(&mut writer);
        assert_eq!((told(&news).as_str(), woken.try_iter().count()), ("", 0));
        set_pages(&mut writer, 10_000);
        try_again(&mut writer);
        assert_eq!((told(&news).as_str(), woken.try_iter().count()), ("R", 1));
        assert_eq!(ids(&writer.engine, 1).len(), 1000);
        orders.send(Order::Finish).unwrap();
        assert!(!writer.turn(&wake));
        assert!(writer.end());
    }

    #[test]
    fn somebody_who_writes_is_waited_for_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _orders, news) = writer(&folder);
        let other = Connection::open(settings(&folder).path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let begun = Instant::now();
        (1..=100).for_each(|id| writer.commit(lines(1, [id])));
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(20), "{waited:?} for a hundred");
        // Housekeeping that has to wait is no failure.
        writer.tend();
        assert!(!writer.is_tend_failing);
        other.execute_batch("ROLLBACK").unwrap();
        writer.commit(lines(1, [101]));
        assert_eq!(told(&news), format!("{}R+", "-".repeat(100)));
        assert_eq!(ids(&writer.engine, 1).len(), 101);
    }

    #[test]
    fn a_file_that_is_gone_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _orders, news) = writer(&folder);
        writer.commit(lines(1, [1]));
        let (path, aside) = (settings(&folder).path, folder.path().join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        writer.commit(lines(1, [2]));
        std::fs::write(&path, "another one").unwrap();
        writer.commit(lines(1, [3]));
        assert_eq!(told(&news), "+--");
        std::fs::rename(&aside, &path).unwrap();
        writer.commit(lines(1, [4]));
        assert_eq!(told(&news), "R+");
        assert_eq!(ids(&writer.engine, 1), [1, 2, 3, 4]);
        std::fs::remove_file(&path).unwrap();
        writer.commit(lines(1, [5]));
        assert_eq!(told(&news), "-");
        assert!(!writer.end(), "what is given up at the end is said");
    }

    #[test]
    fn a_file_that_is_damaged_stops_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _orders, news) = writer(&folder);
        writer.engine.conn().execute_batch("DROP TABLE lines").unwrap();
        writer.commit(lines(1, [1]));
        writer.tend();
        writer.commit(lines(1, [2]));
        assert_eq!(told(&news), "--");
    }

    #[test]
    fn housekeeping_rests_under_load_and_goes_on_when_it_is_quiet() {
        let folder = tempfile::tempdir().unwrap();
        let (mut writer, _orders, _news) = writer(&folder);
        let now = Instant::now();
        writer.committed_at = now;
        (writer.tended_at, writer.tended_for) = (now, Duration::from_millis(6));
        writer.plan();
        assert_eq!(writer.tend_at, now + QUIET);
        writer.tended_for = Duration::from_millis(2);
        writer.plan();
        assert_eq!(writer.tend_at, now + Duration::from_millis(20));
        while writer.tend_at < writer.tended_at + NAP {
            writer.tend();
        }
        writer.commit(lines(1, [2]));
        assert!(writer.tend_at <= writer.committed_at + QUIET);
    }
}
