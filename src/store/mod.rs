//! What was said is kept: an SQLite database, and the threads that work on it.
//!
//! Promises: the caller never waits for the disk. What it gives away is written by the *writer*,
//! one ledger in one transaction; what it asks is answered by the *reader*, over a connection of
//! its own, so that no search holds up a commit, and neither does writing SQLite's log back. When
//! the disk refuses, the conversation goes on: ledgers wait for better times within a bound, and it
//! is said when they begin to and when it is over. The file is plain SQLite, which `sqlite3` may
//! read while the server runs. Deliberately knows nothing of connections and words beyond what it
//! is given: it wakes the loop through a closure, and speaks to the operator through the log alone.

mod changes;
mod engine;
mod file;
mod find;
mod index;
mod load;
mod log_thread;
mod open_error;
mod read;
mod reader;
mod sanctions;
mod schema;
mod tally;
mod tend;
mod tools;
#[cfg(test)]
mod trial;
mod waiting;
mod writer;

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::chat::ConnId;
use crate::chat::kept::{Answer, Kept, Ledger, Question};

pub use engine::Engine;
pub use open_error::OpenError;
pub use tend::House;
pub use tools::{Forgotten, backup, export, forget, invite};

use reader::Reader;
use writer::{Order, Writer};

/// How many questions may wait for the reader.
const QUESTIONS_MAX: usize = 1024;

/// How long [`Store::finish`] takes at most.
const FINISH_TIMEOUT: Duration = Duration::from_secs(5);

/// What a line must have survived before it counts as kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// A power cut: each commit waits for the disk.
    Disk,
    /// The death of the process.
    Process,
    /// As [`Sync::Process`]; that nobody waits for it is the caller's business.
    Later,
}

/// What is kept, where and for how long.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The database.
    pub path: PathBuf,
    /// What a commit waits for.
    pub sync: Sync,
    /// For how long lines are kept; `None` for ever.
    pub keep: Option<Duration>,
    /// How many lines of each room are kept; `None` for all.
    pub keep_lines: Option<usize>,
    /// Whether words are indexed; if not, nothing can be searched for.
    pub is_searchable: bool,
}

impl Settings {
    /// What housekeeping goes by.
    pub fn house(&self) -> House {
        let Settings { keep, keep_lines, is_searchable, .. } = *self;
        House { keep, keep_lines, is_searchable }
    }
}

/// What has happened in the store.
#[derive(Debug)]
pub enum News {
    /// A ledger was taken care of.
    Committed {
        /// An empty one, to be filled again.
        ledger: Ledger,
        /// Whether it and all before it are committed; else they wait, within a bound.
        is_kept: bool,
    },
    /// All that was not kept is committed now, or given up; the log says how much of it.
    Recovered,
    /// What was asked is answered.
    Answer(ConnId, Answer),
}

/// Called when there is news.
type Wake = Arc<dyn Fn() + Send + std::marker::Sync>;

/// The loop's side of the store.
pub struct Store {
    orders: Sender<Order>,
    questions: SyncSender<(ConnId, Question)>,
    news: Receiver<News>,
    /// For the answers that are given on the loop's side.
    own_news: Sender<News>,
    stage: Stage,
}

/// How far it is.
enum Stage {
    /// It has no threads yet.
    Opened(Box<(Reader, Writer)>),
    /// The threads run.
    Started { reader: JoinHandle<()>, writer: JoinHandle<bool>, wake: Wake },
    /// It is between the two, or could not be started.
    Stopped,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database, which this process has for itself from now on, makes it if there is
    /// none, and loads what is known at the start. `unix` is now, in seconds since 1970 UTC.
    pub fn open(settings: &Settings, unix: i64) -> Result<(Store, Kept), OpenError> {
        let mut engine = Engine::open(settings)?;
        let kept = engine.load(unix).map_err(|error| OpenError::of(&settings.path, &error))?;
        let reader = engine.reading().map_err(|error| OpenError::of(&settings.path, &error))?;
        let (orders, orders_in) = channel();
        let (questions, questions_in) = sync_channel(QUESTIONS_MAX);
        let (own_news, news) = channel();
        let reader = Reader::new(reader, questions_in, own_news.clone(), engine.damage());
        let writer = Writer::new(engine, orders_in, own_news.clone());
        let stage = Stage::Opened(Box::new((reader, writer)));
        Ok((Store { orders, questions, news, own_news, stage }, kept))
    }

    /// Answers a question at once, before the threads are started; not after that.
    pub fn answer_now(&mut self, question: &Question) -> Answer {
        match &mut self.stage {
            Stage::Opened(both) => both.0.answer(question),
            Stage::Started { .. } | Stage::Stopped => Answer::Unavailable,
        }
    }

    /// Starts the threads; what was given and asked before is done now. `wake` is called whenever
    /// there is news. Fails without threads; the store is of no use then.
    pub fn start(
        &mut self,
        wake: impl Fn() + Send + std::marker::Sync + 'static,
    ) -> io::Result<()> {
        let Stage::Opened(both) = std::mem::replace(&mut self.stage, Stage::Stopped) else {
            return Err(io::Error::other("the store was started before"));
        };
        let (reader, writer) = *both;
        let wake: Wake = Arc::new(wake);
        let reader = reader.start(Arc::clone(&wake))?;
        let writer = writer.start(Arc::clone(&wake))?;
        self.stage = Stage::Started { reader, writer, wake };
        Ok(())
    }

    /// Gives one ledger to be committed. At most one is to be under way.
    pub fn commit(&self, ledger: Ledger) {
        // Without a writer there is no news either, and nobody to be told.
        let _ = self.orders.send(Order::Commit(ledger));
    }

    /// Asks for what was kept. The answer is [`Answer::Unavailable`] when too much is asked.
    pub fn ask(&self, conn: ConnId, question: Question) {
        match self.questions.try_send((conn, question)) {
            Ok(()) => {}
            Err(TrySendError::Full((conn, _)) | TrySendError::Disconnected((conn, _))) => {
                let _ = self.own_news.send(News::Answer(conn, Answer::Unavailable));
                if let Stage::Started { wake, .. } = &self.stage {
                    wake();
                }
            }
        }
    }

    /// What has happened next, in order; `None` when nothing has.
    pub fn news(&self) -> Option<News> {
        self.news.try_recv().ok()
    }

    /// Commits what was given, and closes the database; takes 5 s at most. Whether everything is
    /// kept.
    pub fn finish(self) -> bool {
        let Store { orders, questions, stage, news, own_news } = self;
        let Stage::Started { reader, writer, .. } = stage else {
            return true;
        };
        let until = Instant::now() + FINISH_TIMEOUT;
        // The reader ends when nobody can ask any more; the file is put in order after that.
        drop(questions);
        let is_read = wait_for(&reader, until);
        let _ = orders.send(Order::Finish);
        let is_written = wait_for(&writer, until);
        drop((news, own_news));
        if !(is_read && is_written) {
            log::warn!(seconds = FINISH_TIMEOUT.as_secs(); "store_unfinished");
            return false;
        }
        reader.join().is_ok() && writer.join().unwrap_or(false)
    }
}

/// Whether the thread has ended, by then.
fn wait_for<T>(thread: &JoinHandle<T>, until: Instant) -> bool {
    while !thread.is_finished() {
        if Instant::now() >= until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    true
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::trial::*;
    use super::*;
    use crate::chat::kept::{KeptLock, Line, Search};

    /// A store that runs, and what wakes its loop.
    fn start(settings: &Settings) -> (Store, Kept, Receiver<()>) {
        let (mut store, kept) = Store::open(settings, NOW).unwrap();
        let (bell, woken) = channel();
        store.start(move || bell.send(()).unwrap_or_default()).unwrap();
        (store, kept, woken)
    }

    /// The next news.
    fn next(store: &Store, woken: &Receiver<()>) -> News {
        loop {
            if let Some(news) = store.news() {
                return news;
            }
            woken.recv_timeout(Duration::from_secs(60)).expect("there is news some time");
        }
    }

    fn commit(store: &Store, woken: &Receiver<()>, ledger: Ledger) {
        store.commit(ledger);
        let News::Committed { ledger, is_kept } = next(store, woken) else { panic!("not that") };
        assert!(is_kept && ledger.is_empty());
    }

    #[test]
    fn what_is_committed_is_there_for_questions_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        for sync in [Sync::Disk, Sync::Process, Sync::Later] {
            let settings = Settings { sync, ..settings(&folder) };
            let (store, kept, woken) = start(&settings);
            let first = kept.next_line;
            let mut ledger = changes([room_made(1, "dev", KeptLock::Open)]);
            ledger.line(line(first, 1, "ann", "hello"));
            commit(&store, &woken, ledger);
            let conn = ConnId::new(4, 7);
            store.ask(conn, Question::Tail { room: 1, before: u64::MAX, most: 1 });
            let News::Answer(asker, Answer::Lines { lines, .. }) = next(&store, &woken) else {
                panic!("another answer")
            };
            assert_eq!((asker, lines[0].id), (conn, first));
            assert!(store.finish());
            let files = std::fs::read_dir(&folder).unwrap().count();
            assert_eq!(files, 1, "the log is written back");
        }
        let (_, kept, _) = start(&settings(&folder));
        assert_eq!((kept.next_line, kept.rooms.len()), (4, 1));
    }

    #[test]
    fn lines_can_be_found_some_time_after() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, woken) = start(&settings(&folder));
        let mut ledger = changes([room_made(1, "dev", KeptLock::Open)]);
        ledger.line(Line { is_action: true, ..line(1, 1, "ann", "hello there") });
        commit(&store, &woken, ledger);
        for _ in 0..10_000 {
            let (words, locked) = ("there".to_owned(), Vec::new());
            let search = Search { words, room: None, nick: None, locked, most: 9 };
            store.ask(ConnId::default(), Question::Search(search));
            let News::Answer(_, Answer::Found { lines, unsearched, .. }) = next(&store, &woken)
            else {
                panic!("another answer")
            };
            if unsearched == 0 {
                assert_eq!((lines.len(), lines[0].0, lines[0].1.is_action), (1, 1, true));
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("it is never found");
    }

    #[test]
    fn too_many_questions_are_answered_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let (mut store, _) = Store::open(&settings(&folder), NOW).unwrap();
        let question = || Question::Tail { room: 1, before: 9, most: 1 };
        for slot in 0..QUESTIONS_MAX as u32 {
            store.ask(ConnId::new(slot, 0), question());
        }
        assert!(store.news().is_none());
        let late = ConnId::new(9999, 0);
        store.ask(late, question());
        let Some(News::Answer(conn, Answer::Unavailable)) = store.news() else { panic!() };
        assert_eq!(conn, late);
        let (bell, woken) = channel();
        store.start(move || bell.send(()).unwrap_or_default()).unwrap();
        for slot in 0..QUESTIONS_MAX as u32 {
            let News::Answer(conn, answer) = next(&store, &woken) else { panic!() };
            assert_eq!(conn, ConnId::new(slot, 0), "in the order of the questions");
            assert_eq!(answer, Answer::Lines { lines: Vec::new(), has_more: false });
        }
        assert!(store.start(|| ()).is_err());
    }

    #[test]
    fn the_end_waits_for_what_was_given() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _, _woken) = start(&settings(&folder));
        (1..=50).for_each(|id| store.commit(lines(1, [id])));
        assert!(store.finish());
        let mut engine = Engine::open(&settings(&folder)).unwrap();
        assert_eq!(engine.load(NOW).unwrap().next_line, 51);
        assert_eq!(ids(&engine, 1).len(), 50);
        let ranked = "SELECT value FROM marks WHERE name = 'ranked'";
        let ranked: i64 = engine.conn().query_row(ranked, [], |row| row.get(0)).unwrap();
        assert_eq!(ranked, 50, "the next start is fast");
    }
}
