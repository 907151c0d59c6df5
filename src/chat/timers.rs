//! What has to happen later: a heap of deadlines.
//!
//! Promises: due timers come out in the order of their deadlines, and in the order in which they
//! were set where those are equal. A timer is not cancelled: whoever takes it out looks whether it
//! still applies, and those that do not are forgotten before they are too many.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
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
    /// With as many timers as this, those that no longer apply are forgotten.
    forget_at: usize,
}

/// Fewer timers than this are not worth a look.
const FEW: usize = 1024;

impl Timers {
    /// Sets a timer, due at that time since start.
    pub fn set(&mut self, at: Duration, timer: Timer) {
        self.set_so_far += 1;
        self.heap.push(Reverse((at, self.set_so_far, timer)));
    }

    /// Forgets timers that no longer apply, when there are twice as many as after the last time: so
    /// that connections that come and go leave nothing behind, at a cost that stays the same.
    pub fn forget_unless(&mut self, applies: impl Fn(Timer) -> bool) {
        if self.heap.len() >= self.forget_at.max(FEW) {
            self.heap.retain(|Reverse((_, _, timer))| applies(*timer));
            self.forget_at = self.heap.len() * 2;
        }
    }

    /// When the next timer is due.
    pub fn deadline(&self) -> Option<Duration> {
        self.heap.peek().map(|Reverse((at, _, _))| *at)
    }

    /// Takes out the next timer that is due by then.
    pub fn take_due(&mut self, now: Duration) -> Option<Timer> {
        if self.deadline()? > now {
            return None;
        }
        let Reverse((_, _, timer)) = self.heap.pop()?;
        Some(timer)
    }
}
