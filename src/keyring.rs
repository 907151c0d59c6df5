//! Passwords: hashed and checked on a thread of their own, since a good hash takes longer than a
//! turn of the loop may.
//!
//! Promises: asking never waits, and at most [`ORDERS_MAX`] questions do; each is answered, if only
//! with [`Answer::Unavailable`], in the order of asking but for those that were refused a place.
//! Deliberately keeps nothing, and slows down no guesser: who may ask, and how often, is to be
//! decided before.

mod password;

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, Sender, SyncSender, TrySendError, channel, sync_channel};
use std::thread::{self, JoinHandle};

use crate::chat::ConnId;
use crate::chat::kept::{Answer, Question};

use password::Mill;
pub use password::{Cost, answer};

/// How many questions may wait: a second or two of work.
pub const ORDERS_MAX: usize = 64;

/// How much nicer than the loop the thread is; see nice(2).
#[cfg(target_os = "linux")]
const NICER: i32 = 10;

/// The thread that knows about passwords, as the loop sees it. Dropping it forgets what waits, and
/// takes at most as long as the hash under way.
#[derive(Debug)]
pub struct Keyring {
    orders: SyncSender<(ConnId, Question)>,
    answers: Receiver<(ConnId, Answer)>,
    /// Who found no place in the queue, and was not told so yet.
    refused: VecDeque<ConnId>,
    /// Questions whose answers were not taken yet, the refused apart.
    under_way: usize,
    /// How many were refused since nothing was under way.
    refusals: u64,
    /// The last field: it is waited for when both channels are closed.
    _thread: Thread,
}

impl Keyring {
    /// Starts the thread. It calls `wake` after each answer. Fails without a thread.
    pub fn start(wake: impl Fn() + Send + 'static) -> io::Result<Keyring> {
        Keyring::start_at(Cost::STRONG, wake)
    }

    fn start_at(cost: Cost, wake: impl Fn() + Send + 'static) -> io::Result<Keyring> {
        let (orders, waiting) = sync_channel(ORDERS_MAX);
        let (sink, answers) = channel();
        let thread = thread::Builder::new().name("keyring".to_owned()).spawn(move || {
            step_back();
            answer_all(&waiting, &sink, cost, wake);
        })?;
        Ok(Keyring {
            orders,
            answers,
            refused: VecDeque::new(),
            under_way: 0,
            refusals: 0,
            _thread: Thread(Some(thread)),
        })
    }

    /// Asks one of the questions that [`answer`] knows. Never waits: when too many do already, the
    /// next answer is [`Answer::Unavailable`], and nobody is woken for that.
    pub fn ask(&mut self, conn: ConnId, question: Question) {
        match self.orders.try_send((conn, question)) {
            Ok(()) => self.under_way += 1,
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                if self.refusals == 0 {
                    log::warn!("passwords_too_fast");
                }
                self.refusals += 1;
                self.refused.push_back(conn);
            }
        }
    }

    /// The next answer, and who asked; `None` when there is none now. Never waits.
    pub fn answers(&mut self) -> Option<(ConnId, Answer)> {
        if let Some(conn) = self.refused.pop_front() {
            return Some((conn, Answer::Unavailable));
        }
        let answer = self.answers.try_recv().ok()?;
        self.under_way -= 1;
        if self.under_way == 0 && self.refusals > 0 {
            log::info!(unchecked = self.refusals; "passwords_in_time");
            self.refusals = 0;
        }
        Some(answer)
    }
}

fn answer_all(
    waiting: &Receiver<(ConnId, Question)>,
    sink: &Sender<(ConnId, Answer)>,
    cost: Cost,
    wake: impl Fn(),
) {
    let mut mill = Mill::new(cost);
    for (conn, question) in waiting {
        // Whoever dropped the other end wants no answers to what still waits either.
        if sink.send((conn, mill.answer(&question))).is_err() {
            return;
        }
        wake();
    }
}

/// Lets the loop go first where both want the same processor.
fn step_back() {
    // Only on Linux a thread has a priority of its own. It is a favour; without it all works, too.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICER);
}

/// A thread that is waited for when it is dropped.
#[derive(Debug)]
struct Thread(Option<JoinHandle<()>>);

impl Drop for Thread {
    fn drop(&mut self) {
        if let Some(thread) = self.0.take() {
            // A panic there has been reported by itself.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::chat::kept::Secret;
    use std::sync::mpsc;

    const RIGHT: &str = concat!(
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$",
        "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
    );

    fn conn(slot: usize) -> ConnId {
        ConnId::new(slot as u32, 7)
    }

    fn new_password() -> Question {
        Question::Hash { password: Secret("hunter2".into()) }
    }

    /// A thread that says when it wakes the loop, and then stands still until it is let go, or
    /// nobody is left to do so.
    fn gated() -> (Keyring, Receiver<()>, Sender<()>) {
        let (woken, has_woken) = mpsc::channel();
        let (key, opened) = mpsc::channel();
        let wake = move || {
            // Nobody may care any more; an error of the other means that the gate stays open.
            let _ = woken.send(());
            let _ = opened.recv();
        };
        (Keyring::start_at(Cost::CHEAP, wake).unwrap(), has_woken, key)
    }

    #[test]
    fn answers_come_to_who_asked_and_wake_the_loop() {
        let (woken, has_woken) = mpsc::channel();
        let name = move || woken.send(thread::current().name().map(str::to_owned)).unwrap();
        let mut keyring = Keyring::start(name).unwrap();
        assert_eq!(keyring.answers(), None);
        let password = Secret("password".into());
        keyring.ask(conn(1), Question::Verify { password, hash: Some(RIGHT.into()) });
        assert_eq!(has_woken.recv().unwrap().as_deref(), Some("keyring"));
        assert_eq!(keyring.answers(), Some((conn(1), Answer::Verified(true))));
        keyring.ask(conn(2), new_password());
        has_woken.recv().unwrap();
        match keyring.answers() {
            Some((who, Answer::Hash(hash))) => {
                assert_eq!(who, conn(2));
                assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(keyring.answers(), None);
        drop(keyring);
        assert!(has_woken.recv().is_err(), "the thread is gone, and woke nobody once more");
    }

    #[test]
    fn who_finds_no_place_is_told_at_once() {
        let (mut keyring, has_woken, key) = gated();
        keyring.ask(conn(0), new_password());
        has_woken.recv().unwrap();
        for slot in 1..=ORDERS_MAX + 2 {
            keyring.ask(conn(slot), new_password());
        }
        for slot in [ORDERS_MAX + 1, ORDERS_MAX + 2] {
            assert_eq!(keyring.answers(), Some((conn(slot), Answer::Unavailable)));
        }
        let is_hash = |answer: Option<(ConnId, Answer)>, slot| match answer {
            Some((who, Answer::Hash(_))) => who == conn(slot),
            _ => false,
        };
        assert!(is_hash(keyring.answers(), 0));
        assert_eq!(keyring.answers(), None);

        drop(key);
        for slot in 1..=ORDERS_MAX {
            has_woken.recv().unwrap();
            assert!(is_hash(keyring.answers(), slot), "{slot}");
        }
        assert_eq!((keyring.answers(), keyring.under_way, keyring.refusals), (None, 0, 0));
    }

    #[test]
    fn what_waits_at_the_end_is_not_worked_off() {
        let (orders, waiting) = sync_channel(ORDERS_MAX);
        for slot in 0..ORDERS_MAX {
            orders.send((conn(slot), new_password())).unwrap();
        }
        let (sink, answers) = channel();
        drop((orders, answers));
        answer_all(&waiting, &sink, Cost::CHEAP, || panic!("there is nobody to wake"));
        assert_eq!(waiting.iter().count(), ORDERS_MAX - 1);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_loop_goes_first() {
        let niceness = || rustix::process::getpriority_process(None).unwrap();
        let (woken, has_woken) = mpsc::channel();
        let wake = move || woken.send(niceness()).unwrap();
        let mut keyring = Keyring::start_at(Cost::CHEAP, wake).unwrap();
        keyring.ask(conn(1), new_password());
        assert_eq!(has_woken.recv().unwrap(), (niceness() + NICER).min(19));
    }
}
