//! A whole server without sockets: a hub on pipes, and a clock that only the test turns.
//!
//! [`World`] is the poll, the clock and the network at once. Nothing happens by itself: what the
//! far ends did is news to the hub at the next [`World::turn`], and [`World::settle`] turns until
//! neither side has anything left to do. With a generator the pipes are awkward and the poll
//! reports readiness where there is none. The same calls and the same seed give the same run.

use std::net::SocketAddr;
use std::time::Duration;

use chatline::chat::kept::{Ledger, Question};
use chatline::chat::{self, Chat, ConnId, Now};
use chatline::net::hub::{self, Hub, Readable};

use super::memory::{Memory, Mood};
use super::pipe::{FarEnd, Pipe, pipe};
use super::rng::Rng;
use super::secret;

/// The world's time at its start: noon of a day in March 2026, in a zone that is UTC.
pub const START: Now = Now { mono: Duration::ZERO, unix: 1_772_625_600, zone_secs: 0 };

/// The key of the world's hashes and ids.
pub const SECRET: [u8; 16] = *b"the world's key.";

/// More turns than any step needs: a hub that takes more does not come to rest.
const TURNS_MAX: usize = 200_000;

/// One of the world's connections, counted in the order in which they came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PeerId(usize);

struct Peer {
    far: FarEnd,
    /// `None` for one that the hub did not take in.
    conn: Option<ConnId>,
}

/// A hub, its clock and everything connected to it.
pub struct World {
    hub: Hub<Pipe>,
    limits: (chat::Limits, hub::Limits),
    now: Now,
    peers: Vec<Peer>,
    mischief: Option<Rng>,
    /// Every connection speaks TLS.
    is_secret: bool,
    turns: usize,
    store: Played,
}

/// The store, as the world plays it.
#[derive(Default)]
struct Played {
    memory: Memory,
    /// What is under way to it, and when it will have been done, since start.
    ledger: Option<(Duration, Ledger)>,
    questions: Vec<(Duration, ConnId, Question)>,
    /// What could not be kept, without its lines.
    failed: Vec<Ledger>,
    mood: Mood,
    /// It takes its time.
    delay: Option<Rng>,
}

impl World {
    /// A world with nobody in it; with a generator it is an awkward one.
    pub fn new(chat: chat::Limits, mut hub: hub::Limits, mischief: Option<Rng>) -> World {
        hold_nothing_up(&mut hub);
        let limits = (chat, hub);
        let store = Played::default();
        let hub = Hub::new(Chat::new(limits.0.clone(), SECRET, START), limits.1);
        let (peers, is_secret) = (Vec::new(), false);
        World { hub, limits, now: START, peers, mischief, is_secret, turns: 0, store }
    }

    /// The server is gone, and another one goes on with what was kept. Who was connected is not any
    /// longer.
    pub fn restart(&mut self) {
        let (chat, hub) = self.limits.clone();
        let memory = &mut self.store.memory;
        let mut chat = Chat::restore(chat, SECRET, &memory.restart(), self.now);
        if let Some(question) = chat.first_question() {
            chat.begin_with(&memory.answer(&question));
        }
        self.hub = Hub::new(chat, hub);
        self.store.ledger = None;
        self.store.questions.clear();
        self.peers.iter_mut().for_each(|peer| peer.conn = None);
    }

    /// The next server has these limits.
    pub fn set_next_limits(&mut self, chat: chat::Limits, mut hub: hub::Limits) {
        hold_nothing_up(&mut hub);
        self.limits = (chat, hub);
    }

    /// Those names are somebody's from the start, each with its password; nobody is here yet.
    pub fn begin_with(&mut self, members: &[(&str, &str)]) {
        for (nick, password) in members {
            self.store.memory.register(nick, password);
        }
        self.restart();
    }

    /// Somebody is invited with that code.
    pub fn invite(&mut self, code: &str) {
        self.store.memory.invite(code);
    }

    /// From now on the store takes its time over everything, up to a quarter of a second.
    pub fn delay_store(&mut self, rng: Rng) {
        self.store.delay = Some(rng);
    }

    /// Whether the store has done everything that it was given, and was given everything.
    pub fn is_store_idle(&self) -> bool {
        let is_idle = self.store.ledger.is_none() && self.store.questions.is_empty();
        is_idle && self.hub.has_kept_all()
    }

    /// From now on the server is bounded so.
    pub fn set_limits(&mut self, chat: chat::Limits, hub: hub::Limits) {
        self.hub.set_limits(chat.clone(), hub, self.now);
        self.limits = (chat, hub::Limits { keep: self.limits.1.keep, ..hub });
    }

    /// From now on the store behaves so.
    pub fn store_is(&mut self, mood: Mood) {
        self.store.mood = mood;
    }

    /// The hub, to ask it how it is.
    pub fn hub(&self) -> &Hub<Pipe> {
        &self.hub
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        self.now
    }

    /// From now on every connection speaks TLS.
    pub fn speak_secretly(&mut self) {
        self.is_secret = true;
    }

    /// Whether every connection speaks TLS.
    pub fn is_secret(&self) -> bool {
        self.is_secret
    }

    /// A connection comes.
    #[cfg_attr(not(feature = "tls"), allow(unreachable_code, reason = "nobody speaks TLS then"))]
    pub fn connect(&mut self, from: SocketAddr) -> PeerId {
        let (near, mut far) = pipe(self.mischief.as_mut().map(Rng::split));
        let conn = if self.is_secret {
            let coins = self.mischief.as_mut().map_or(0, |rng| rng.below(4));
            far.speak_secretly(secret::known().client(coins & 1 > 0), coins & 2 > 0);
            self.hub.open_tls(near, from, secret::known().session(), self.now)
        } else {
            self.hub.open(near, from, self.now)
        };
        self.peers.push(Peer { far, conn });
        PeerId(self.peers.len() - 1)
    }

    /// A connection comes in where TLS is spoken; whether it is, is up to who holds the far end.
    #[cfg(feature = "tls")]
    pub fn connect_to_tls(&mut self, from: SocketAddr) -> PeerId {
        let (near, far) = pipe(self.mischief.as_mut().map(Rng::split));
        let conn = self.hub.open_tls(near, from, secret::known().session(), self.now);
        self.peers.push(Peer { far, conn });
        PeerId(self.peers.len() - 1)
    }

    /// A connection comes in where telnet clients do.
    pub fn connect_telnet(&mut self, from: SocketAddr) -> PeerId {
        let (near, far) = pipe(self.mischief.as_mut().map(Rng::split));
        let conn = self.hub.open_telnet(near, from, self.now);
        self.peers.push(Peer { far, conn });
        PeerId(self.peers.len() - 1)
    }

    /// Whether the hub took the connection in.
    pub fn is_taken_in(&self, peer: PeerId) -> bool {
        self.peers[peer.0].conn.is_some()
    }

    /// The far end of a connection: what a peer can do is done there.
    pub fn far(&self, peer: PeerId) -> &FarEnd {
        &self.peers[peer.0].far
    }

    /// Where the hub keeps a connection; `None` for one that it did not take in.
    pub fn conn(&self, peer: PeerId) -> Option<ConnId> {
        self.peers[peer.0].conn
    }

    /// How many turns there were so far.
    pub fn turns(&self) -> usize {
        self.turns
    }

    /// Everything that has arrived at a peer since it was last taken.
    pub fn take(&self, peer: PeerId) -> Vec<u8> {
        self.far(peer).take(usize::MAX)
    }

    /// One turn of the loop at the present time: reports the edges, then lets the hub work.
    pub fn turn(&mut self) {
        for peer in &self.peers {
            peer.far.shake_hands();
            let Some(conn) = peer.conn else { continue };
            if peer.far.is_let_go() {
                continue;
            }
            let (mut readable, mut is_writable) = peer.far.edges();
            if let Some(rng) = &mut self.mischief {
                if rng.one_in(8) {
                    readable = readable.max(Readable::UntilShort);
                }
                is_writable |= rng.one_in(8);
            }
            if readable != Readable::No || is_writable {
                self.hub.ready(conn, readable, is_writable);
            }
        }
        self.turns += 1;
        self.bring_back();
        self.hub.turn(self.now);
        self.send_out();
        self.hub.assert_invariants();
    }

    /// What the store has done by now comes back.
    fn bring_back(&mut self) {
        let (now, store) = (self.now, &mut self.store);
        if store.mood == Mood::Hangs {
            return;
        }
        let is_failing = store.mood == Mood::Fails;
        if let Some((_, ledger)) = store.ledger.take_if(|(at, _)| *at <= now.mono) {
            store.failed.push(ledger.clone());
            if is_failing {
                store.failed.iter_mut().for_each(Ledger::forget_lines);
            } else {
                store.failed.drain(..).for_each(|ledger| store.memory.commit(&ledger));
            }
            self.hub.kept(ledger, !is_failing, now);
        }
        let is_done = |it: &mut (Duration, ConnId, Question)| it.0 <= now.mono;
        for (_, conn, question) in store.questions.extract_if(.., is_done) {
            self.hub.answer(conn, store.memory.answer(&question), now);
        }
    }

    /// What the hub wants done goes to the store.
    fn send_out(&mut self) {
        let (now, store) = (self.now.mono, &mut self.store);
        let delay = &mut store.delay;
        let mut done_at = || {
            let millis = delay.as_mut().map_or(0, |rng| rng.below(2) * rng.below(250));
            now + Duration::from_millis(millis as u64)
        };
        let errands = self.hub.take_errands();
        if let Some(ledger) = errands.ledger {
            assert!(store.ledger.is_none(), "there is one ledger under way at most");
            store.ledger = Some((done_at(), ledger));
        }
        for (conn, question) in errands.questions {
            store.questions.push((done_at(), conn, question));
        }
    }

    /// When the store has done something, since start.
    fn store_deadline(&self) -> Option<Duration> {
        if self.store.mood == Mood::Hangs {
            return None;
        }
        let ledger = self.store.ledger.iter().map(|(at, _)| *at);
        ledger.chain(self.store.questions.iter().map(|(at, _, _)| *at)).min()
    }

    /// When anything happens by itself, since start.
    fn deadline(&self) -> Option<Duration> {
        self.hub.deadline().into_iter().chain(self.store_deadline()).min()
    }

    /// Turns until there is nothing left to do at the present time.
    pub fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            self.turn();
            self.peers.iter().for_each(|peer| peer.far.shake_hands());
            let has_edge =
                self.peers.iter().any(|peer| !peer.far.is_let_go() && peer.far.has_edge());
            let is_due = self.deadline().is_some_and(|deadline| deadline <= self.now.mono);
            if !has_edge && !is_due {
                return;
            }
        }
        panic!("the hub does not come to rest: deadline {:?}", self.hub.deadline());
    }

    /// Time passes, and everything that is due meanwhile happens when it is due.
    pub fn advance(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some(deadline) = self.deadline().filter(|deadline| *deadline <= until) {
            let was = self.now.mono;
            self.set_clock(deadline.max(was));
            self.settle();
        }
        self.set_clock(until);
        self.settle();
    }

    /// Time passes in one leap, as on a machine that slept: the next turn finds all of it over.
    pub fn leap(&mut self, time: Duration) {
        self.set_clock(self.now.mono + time);
    }

    /// The wall clock jumps, and nothing else does.
    pub fn jump_wall_clock(&mut self, seconds: i64) {
        self.now.unix += seconds;
    }

    /// The server is told to stop.
    pub fn stop(&mut self) {
        self.hub.shut_down(self.now);
    }

    /// Whether no connection is left in the hub.
    pub fn is_empty(&self) -> bool {
        self.hub.is_empty()
    }

    fn set_clock(&mut self, mono: Duration) {
        // Whole seconds that begin while the monotonic clock moves on, so that both stay in step.
        let seconds = mono.as_secs() as i64 - self.now.mono.as_secs() as i64;
        self.now.unix += seconds;
        self.now.mono = mono;
    }
}

/// What happens at one instant is seen at that instant, unless the store takes its time.
fn hold_nothing_up(hub: &mut hub::Limits) {
    if let Some(keep) = &mut hub.keep {
        keep.window = Duration::ZERO;
    }
}
