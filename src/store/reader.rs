//! The thread that answers questions.
//!
//! Promises: answers come in the order of the questions; a search takes hardly longer than
//! [`PATIENCE`]. That it cannot read is logged once, and once that it can again. Deliberately
//! never writes: its connection cannot.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::{Error, ErrorCode};

use crate::chat::ConnId;
use crate::chat::kept::{Answer, Question};

use super::open_error::cause_of;
use super::read::Reading;
use super::{News, Wake};

/// How long a search goes on at most; then it gives what it has found.
const PATIENCE: Duration = Duration::from_millis(30);

/// What the thread owns.
pub struct Reader {
    reading: Reading,
    questions: Receiver<(ConnId, Question)>,
    news: Sender<News>,
    is_failing: bool,
    /// Set when the file is found to be damaged.
    damage: Arc<AtomicBool>,
}

impl Reader {
    /// Answers over this connection.
    pub fn new(
        reading: Reading,
        questions: Receiver<(ConnId, Question)>,
        news: Sender<News>,
        damage: Arc<AtomicBool>,
    ) -> Reader {
        Reader { reading, questions, news, is_failing: false, damage }
    }

    /// Runs until nobody can ask any more.
    pub fn start(mut self, wake: Wake) -> io::Result<JoinHandle<()>> {
        thread::Builder::new().name("store-reader".to_owned()).spawn(move || {
            while let Ok((conn, question)) = self.questions.recv() {
                let answer = self.answer(&question);
                // Nobody may want it any more.
                let _ = self.news.send(News::Answer(conn, answer));
                wake();
            }
        })
    }

    /// Answers one question.
    pub fn answer(&mut self, question: &Question) -> Answer {
        let answer = self.reading.answer(question, PATIENCE);
        let code = answer.as_ref().err().and_then(Error::sqlite_error_code);
        if matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)) {
            self.damage.store(true, Ordering::Relaxed);
        }
        match (&answer, self.is_failing) {
            (Err(error), false) => {
                log::warn!(cause:% = cause_of(error); "store_cannot_read");
            }
            (Ok(_), true) => log::info!("store_reads_again"),
            (Ok(_), false) | (Err(_), true) => {}
        }
        self.is_failing = answer.is_err();
        answer.unwrap_or(Answer::Unavailable)
    }
}
