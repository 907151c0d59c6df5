//! What has to happen later: a heap of deadlines, and apart from it the connections that should get
//! a name.
//!
//! Promises: due timers come out in the order of their deadlines, and those of the heap in the
//! order in which they were set where these are equal; the room of a great many is given back. A
//! timer of the heap is due within seconds and is not cancelled: whoever takes it out looks whether
//! it still applies. A name is waited for much longer, and the wait ends when it comes.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::time::Duration;

use super::ConnId;
use super::room::RoomId;

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The connection should have a name by now.
    Name(ConnId),
    /// The arrival in the lobby is to be announced.
    Arrival(ConnId),
    /// The earlier lines are to be shown, if nothing was typed meanwhile.
    Replay(ConnId),
    /// The comings and goings of the last second are to be told.
    Tally(RoomId),
}

/// The deadlines, the next one first.
#[derive(Debug, Default)]
pub struct Timers {
    heap: BinaryHeap<Reverse<(Duration, u64, Timer)>>,
    set_so_far: u64,
    nameless: BTreeSet<(Duration, ConnId)>,
}

/// The heap keeps room for this many timers.
const FEW: usize = 256;

impl Timers {
    /// Sets a timer, due at that time since start.
    pub fn set(&mut self, at: Duration, timer: Timer) {
        self.set_so_far += 1;
        self.heap.push(Reverse((at, self.set_so_far, timer)));
    }

    /// [`Timer::Name`] is due at that time since start, unless a name comes before.
    pub fn await_name(&mut self, at: Duration, conn: ConnId) {
        self.nameless.insert((at, conn));
    }

    /// The connection has a name, or is gone: no longer is a name awaited by that time.
    pub fn name_came(&mut self, at: Duration, conn: ConnId) {
        self.nameless.remove(&(at, conn));
    }

    /// Each name that is awaited is awaited until another time since start, or for ever.
    pub fn await_names(&mut self, until: impl Fn(ConnId) -> Option<Duration>) {
        let awaited = std::mem::take(&mut self.nameless).into_iter();
        self.nameless = awaited.filter_map(|(_, conn)| Some((until(conn)?, conn))).collect();
    }

    /// When the next timer is due.
    pub fn deadline(&self) -> Option<Duration> {
        let heap = self.heap.peek().map(|Reverse((at, _, _))| *at);
        let nameless = self.nameless.first().map(|(at, _)| *at);
        heap.into_iter().chain(nameless).min()
    }

    /// Takes out the next timer that is due by then.
    pub fn take_due(&mut self, now: Duration) -> Option<Timer> {
        let next = self.deadline().filter(|at| *at <= now)?;
        if self.nameless.first().is_some_and(|(at, _)| *at == next) {
            return self.nameless.pop_first().map(|(_, conn)| Timer::Name(conn));
        }
        let Reverse((_, _, timer)) = self.heap.pop()?;
        if self.heap.len() < self.heap.capacity() / 4 {
            self.heap.shrink_to((self.heap.len() * 2).max(FEW));
        }
        Some(timer)
    }
}
