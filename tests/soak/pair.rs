//! Two who behave well and talk all the time, in a room of their own: each line is answered, and
//! must come whole, once and in order, whatever else goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::world::on_tcp::Peer;

/// Between two lines, so that they are people and no load.
const BREATH: Duration = Duration::from_millis(20);

/// The two, while they talk.
pub struct Pair {
    is_over: Arc<AtomicBool>,
    talk: JoinHandle<(u64, Duration)>,
}

impl Pair {
    /// They come, and begin.
    pub fn start(to: SocketAddr) -> Pair {
        let is_over = Arc::new(AtomicBool::new(false));
        let until = Arc::clone(&is_over);
        let talk = thread::spawn(move || talk(to, &until));
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

fn talk(to: SocketAddr, is_over: &AtomicBool) -> (u64, Duration) {
    let [mut one, mut other] = ["pair-one", "pair-two"].map(|nick| come(to, nick));
    let (mut said, mut slowest) = (0, Duration::ZERO);
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        pass(&mut one, "pair-one", &mut other, said);
        pass(&mut other, "pair-two", &mut one, said + 1);
        slowest = slowest.max(began.elapsed() / 2);
        said += 2;
        thread::sleep(BREATH);
    }
    (said, slowest)
}

fn come(to: SocketAddr, nick: &str) -> Peer {
    let mut peer = Peer::connect(to);
    for line in [nick, "/join pair", "/leave lobby"] {
        peer.send_line(line);
    }
    peer.line_that_starts("* you left #lobby");
    peer
}

/// One says a line, and the other hears it: the next that is said there, and no other.
fn pass(from: &mut Peer, nick: &str, to: &mut Peer, number: u64) {
    from.send_line(&format!("line {number}"));
    loop {
        let line = to.line().expect("who behaves well is not sent away");
        assert!(!line.starts_with("! "), "who behaves well is refused: {line}");
        if line.starts_with("#pair ") {
            assert_eq!(line, format!("#pair {nick}: line {number}"), "a line is missing");
            return;
        }
    }
}
