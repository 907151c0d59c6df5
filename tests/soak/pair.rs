//! Two who behave well and talk all the time, in a room of their own, one of them within TLS where
//! that was built: each line is answered, and must come whole, once and in order, whatever else
//! goes on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::chaos::Doors;
#[cfg(feature = "tls")]
use crate::within_tls;
use crate::world::on_tcp::Peer;

/// Between two lines, so that they are people and no load.
const BREATH: Duration = Duration::from_millis(20);

/// Somebody who behaves well.
pub trait Speaker {
    /// Sends a line.
    fn says(&mut self, line: &str);

    /// The next line; `None` at the end.
    fn hears(&mut self) -> Option<String>;
}

impl Speaker for Peer {
    fn says(&mut self, line: &str) {
        self.send_line(line);
    }

    fn hears(&mut self) -> Option<String> {
        self.line()
    }
}

/// The two, while they talk.
pub struct Pair {
    is_over: Arc<AtomicBool>,
    talk: JoinHandle<(u64, Duration)>,
}

impl Pair {
    /// They come, and begin.
    pub fn start(doors: Doors) -> Pair {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let talk = thread::spawn(move || talk(doors, &until));
        Pair { is_over, talk }
    }

    /// Whether they still talk.
    pub fn is_well(&self) -> bool {
        !self.talk.is_finished()
    }

    /// They end; how many lines they have said, and how long the slowest took.
    pub fn stop(self) -> thread::Result<(u64, Duration)> {
        self.is_over.store(true, Ordering::Relaxed);
        self.talk.join()
    }
}

fn talk(doors: Doors, is_over: &AtomicBool) -> (u64, Duration) {
    let mut one = settled(Box::new(Peer::connect(doors.lines)), "pair-one");
    #[cfg(not(feature = "tls"))]
    let other = Box::new(Peer::connect(doors.lines));
    #[cfg(feature = "tls")]
    let other = within_tls::come(doors.tls);
    let mut other = settled(other, "pair-two");
    let (mut said, mut slowest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        pass(&mut *one, "pair-one", &mut *other, said);
        pass(&mut *other, "pair-two", &mut *one, said + 1);
        slowest = slowest.max(began.elapsed() / 2);
        said += 2;
        thread::sleep(BREATH);
    }
    (said, slowest)
}

/// Somebody who has found the room.
fn settled(mut it: Box<dyn Speaker>, nick: &str) -> Box<dyn Speaker> {
    for line in [nick, "/join pair", "/leave lobby"] {
        it.says(line);
    }
    while !heard(&mut *it).starts_with("* you left #lobby") {}
    it
}

fn heard(it: &mut dyn Speaker) -> String {
    it.hears().expect("who behaves well is not sent away")
}

/// One says a line, and the other hears it: the next that is said there, and no other.
fn pass(from: &mut dyn Speaker, nick: &str, to: &mut dyn Speaker, number: u64) {
    from.says(&format!("line {number}"));
    loop {
        let line = heard(to);
        assert!(!line.starts_with("! "), "who behaves well is refused: {line}");
        if line.starts_with("#pair ") {
            assert_eq!(line, format!("#pair {nick}: line {number}"), "a line is missing");
            return;
        }
    }
}
