//! What the hub is bounded by, and how that changes while it runs.
//!
//! Promises: a new limit counts from the next turn on, for who is here too; nobody is cut off
//! because there is more of something than may be now. Deliberately changes nothing about what is
//! kept: that is for as long as the hub lives.

use std::cmp::Reverse;
use std::time::Duration;

use crate::chat::pace::{Pace, Rate};
use crate::chat::{self, Now};

use super::super::conn::Stream;
use super::super::door;
use super::{Hub, Limits, Timer};

/// No read takes more at once.
pub(super) const BUFFER_BYTES_MAX: usize = 64 << 10;

/// What a turn says at most where no queue is bounded.
const PAGE_BYTES_MAX: usize = 1 << 20;

impl Limits {
    pub(super) fn of_door(&self) -> door::Limits {
        door::Limits {
            connections_max: self.connections_max,
            connections_per_address_max: self.connections_per_address_max,
            connects: self.connects,
        }
    }

    /// What a turn says at most: whoever reads at all can take it.
    pub(super) fn page_bytes_max(&self) -> usize {
        self.queue_bytes_max.map_or(PAGE_BYTES_MAX, |bytes| (bytes / 4).max(1))
    }

    /// What all reads go through.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.read_bytes_per_turn.min(BUFFER_BYTES_MAX)
    }
}

impl<S: Stream> Hub<S> {
    /// From now on the conversation and the connections are bounded so; whether lines are kept, and
    /// where everybody starts, stays as it was.
    pub fn set_limits(&mut self, chat: chat::Limits, limits: Limits, now: Now) {
        self.now = now;
        self.chat.set_limits(chat);
        let old = self.limits;
        self.limits = Limits { keep: old.keep, ..limits };
        self.door.set_limits(limits.of_door());
        self.page_bytes_max = limits.page_bytes_max();
        self.buffer = vec![0; limits.buffer_bytes()];
        if old.pace != limits.pace {
            self.change_pace(old.pace);
        }
        if old.stall_timeout != limits.stall_timeout {
            self.change_stall_timeout();
        }
    }

    /// As [`chat::Chat::operators_unknown`].
    pub fn operators_unknown(&self) -> impl Iterator<Item = &str> {
        self.chat.operators_unknown()
    }

    /// Everybody's lines are taken at another pace.
    fn change_pace(&mut self, old: Option<Rate>) {
        let (new, now) = (self.limits.pace, self.now.mono);
        for id in self.conns.ids() {
            let Some(conn) = self.conns.find_mut(id) else { continue };
            let own = conn.view.as_ref().and_then(|view| view.pace);
            if own.is_some_and(|own| new.is_none_or(|new| new.every < own.every)) {
                continue;
            }
            // Nobody is faster than everybody may be.
            if let Some(view) = &mut conn.view {
                view.pace = None;
            }
            conn.was_slowed = false;
            match (own.or(old), new) {
                (Some(old), Some(new)) => conn.pace.adapt(old, new, now),
                _ => conn.pace = Pace::new(),
            }
        }
    }

    /// Who takes nothing is let go after another time: of that since they last took something.
    fn change_stall_timeout(&mut self) {
        self.timers.retain(|Reverse((_, timer))| !matches!(timer, Timer::Stall(_)));
        let timeout = self.limits.stall_timeout;
        for id in self.conns.ids() {
            let Some(conn) = self.conns.find_mut(id).filter(|conn| conn.is_watched) else {
                continue;
            };
            conn.stream.expect_stall(timeout);
            if let Some(timeout) = timeout {
                let at: Duration = conn.queue.taken_at() + timeout;
                self.timers.push(Reverse((at, Timer::Stall(id))));
            }
        }
    }
}
