//! A whole server without sockets: a hub on pipes, and a clock that only the test turns.
//!
//! [`World`] is the poll, the clock and the network at once. Nothing happens by itself: what the
//! far ends did is news to the hub at the next [`World::turn`], and [`World::settle`] turns until
//! neither side has anything left to do. With a generator the pipes are awkward and the poll
//! reports readiness where there is none. The same calls and the same seed give the same run.

use std::net::SocketAddr;
use std::time::Duration;

use chatline::chat::{self, Chat, ConnId, Now};
use chatline::net::hub::{self, Hub, Readable};

use super::pipe::{FarEnd, Pipe, pipe};
use super::rng::Rng;

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
    now: Now,
    peers: Vec<Peer>,
    mischief: Option<Rng>,
    turns: usize,
}

impl World {
    /// A world with nobody in it; with a generator it is an awkward one.
    pub fn new(chat: chat::Limits, hub: hub::Limits, mischief: Option<Rng>) -> World {
        let chat = Chat::new(chat, SECRET, START);
        World { hub: Hub::new(chat, hub), now: START, peers: Vec::new(), mischief, turns: 0 }
    }

    /// The hub, to ask it how it is.
    pub fn hub(&self) -> &Hub<Pipe> {
        &self.hub
    }

    /// What time it is.
    pub fn now(&self) -> Now {
        self.now
    }

    /// A connection comes.
    pub fn connect(&mut self, from: SocketAddr) -> PeerId {
        let (near, far) = pipe(self.mischief.as_mut().map(Rng::split));
        let conn = self.hub.open(near, from, self.now);
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
        self.hub.turn(self.now);
        self.hub.assert_invariants();
    }

    /// Turns until there is nothing left to do at the present time.
    pub fn settle(&mut self) {
        for _ in 0..TURNS_MAX {
            self.turn();
            let has_edge =
                self.peers.iter().any(|peer| !peer.far.is_let_go() && peer.far.has_edge());
            let is_due = self.hub.deadline().is_some_and(|deadline| deadline <= self.now.mono);
            if !has_edge && !is_due {
                return;
            }
        }
        panic!("the hub does not come to rest: deadline {:?}", self.hub.deadline());
    }

    /// Time passes, and everything that is due meanwhile happens when it is due.
    pub fn advance(&mut self, time: Duration) {
        let until = self.now.mono + time;
        while let Some(deadline) = self.hub.deadline().filter(|deadline| *deadline <= until) {
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
