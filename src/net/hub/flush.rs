//! Settling: each touched queue is written once, what could not be sent is kept, and who is doomed
//! is freed, at the one place where nothing can name them any more.
//!
//! Promises: a write that fails costs the connection its output and nothing else; what waits in all
//! is bounded, and the fullest queues give way first. Deliberately reads nothing.

use std::cmp::Reverse;
use std::time::Duration;

use log::{debug, warn};

use crate::chat::event::Parting;
use crate::chat::{ConnId, Input};

use super::super::conn::{Conn, Intake, Stage, Stream};
use super::super::queue::Page;
use super::{Hub, LISTED_KEPT, Timer};

/// How often it is looked whether what is held back for a connection that ends has gone.
const HELD_PAUSE: Duration = Duration::from_millis(100);

impl<S: Stream> Hub<S> {
    /// Writes, keeps and reaps until nothing is left to do. The page is empty afterwards, unless it
    /// is held back.
    pub(super) fn settle(&mut self) {
        self.answer_unheard();
        self.show_prompts();
        self.hand_over();
        loop {
            if self.is_holding() {
                self.flush_what_is_not_held();
            } else {
                self.flush();
                self.keep_what_waits();
                self.bound_what_waits();
            }
            self.tell_receipts();
            self.show_prompts();
            if self.doomed.is_empty() && (self.touched.is_empty() || self.is_holding()) {
                break;
            }
            for conn in std::mem::take(&mut self.doomed) {
                self.reap(conn);
            }
        }
        // Another turn has another time.
        self.stamps.clear();
        self.replay = None;
    }

    /// Writes each touched queue once; those that hold something of the page stay in the list.
    pub(super) fn flush(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        touched.retain(|conn| self.flush_one(*conn));
        assert!(self.touched.is_empty(), "nobody is told anything while queues are written");
        touched.shrink_to(LISTED_KEPT);
        self.touched = touched;
    }

    /// Looks after those who were touched since the last turn, while the page is held back: whoever
    /// holds something of it waits with it.
    fn flush_what_is_not_held(&mut self) {
        let mut touched = std::mem::take(&mut self.touched);
        let mut later = touched.split_off(self.held_touched.min(touched.len()));
        later.retain(|id| {
            let holds_fresh = self.conns.find(*id).is_some_and(|conn| conn.queue.holds_fresh());
            holds_fresh || self.flush_one(*id)
        });
        touched.append(&mut later);
        self.held_touched = touched.len();
        self.touched = touched;
    }

    /// Returns whether it holds something of the page.
    fn flush_one(&mut self, id: ConnId) -> bool {
        let Some(conn) = self.conns.find_mut(id) else { return false };
        conn.is_touched = false;
        if conn.stage == Stage::Doomed {
            return false;
        }
        let waited = conn.queue.cost();
        let had_backlog = conn.queue.holds_backlog();
        if conn.is_writable && (waited > 0 || conn.tls.is_some()) {
            let mut sent = 0;
            let flushed = conn.flush(&mut self.page, &mut sent);
            conn.life.bytes_out.add(sent);
            self.counts.bytes_out += sent;
            match flushed {
                Ok(is_done) => conn.is_writable = is_done,
                Err(error) => {
                    debug!(peer:% = conn.from, cause:% = error; "cannot_write");
                    // Nobody takes anything any more; what was sent to us still counts.
                    conn.queue.clear();
                }
            }
        }
        if conn.queue.is_empty() && !conn.queue.is_behind() && !conn.is_watched && conn.is_talking()
        {
            return false;
        }
        self.look_after(id, waited, had_backlog)
    }

    /// What follows from a write after which not all is as it mostly is: so much had waited, and
    /// something of earlier turns or not. Returns whether it holds something of the page.
    #[inline(never)]
    fn look_after(&mut self, id: ConnId, waited: usize, had_backlog: bool) -> bool {
        let Some(conn) = self.conns.find_mut(id) else { return false };
        let has_taken_some = conn.tls.as_mut().is_some_and(|session| session.take_has_taken());
        let has_taken = conn.queue.cost() < waited || has_taken_some;
        if !conn.queue.is_empty() && (has_taken || !had_backlog) {
            conn.queue.note_taken(self.now.mono);
        }
        if let Some(ending) = &mut conn.ending
            && has_taken
        {
            ending.extend(self.now.mono + self.limits.drain_timeout);
        }
        if !conn.queue.is_empty() {
            let holds_fresh = conn.queue.holds_fresh();
            self.watch(id);
            return holds_fresh;
        }
        if conn.queue.dropped() > 0 && !conn.is_held {
            return self.tell_dropped(id);
        }
        if conn.is_watched && self.limits.stall_timeout.is_none() {
            // No timer comes to see it.
            conn.is_watched = false;
            conn.stream.expect_no_stall();
        }
        if conn.stage == Stage::Closing && !conn.is_held {
            self.end_output(id);
        }
        false
    }

    /// Everything was sent to a connection that missed lines: it is told so. Returns whether it
    /// holds something of the page then.
    fn tell_dropped(&mut self, id: ConnId) -> bool {
        let (conns, mut writer, _) = self.writer();
        if let Some(conn) = conns.find_mut(id) {
            writer.tell_dropped(conn, id);
        }
        self.flush_one(id)
    }

    /// All was said: the output ends, and what still comes in is drained.
    fn end_output(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        let has_finished = conn.finish_writing();
        if matches!(has_finished, Ok(false)) {
            return;
        }
        conn.stage = Stage::Draining;
        if let Some(ending) = &mut conn.ending {
            ending.heard_at = self.now.mono;
            ending.extend(self.now.mono + self.limits.drain_timeout);
        }
        let is_over = has_finished.is_err() || conn.intake != Intake::Open;
        if is_over {
            self.doom(id);
        }
    }

    /// A queue could not be emptied: from now on the peer has to take something now and then.
    fn watch(&mut self, id: ConnId) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        if conn.is_watched {
            return;
        }
        conn.is_watched = true;
        conn.stream.expect_stall(self.limits.stall_timeout);
        if let Some(timeout) = self.limits.stall_timeout {
            self.timers.push(Reverse((conn.queue.taken_at() + timeout, Timer::Stall(id))));
        }
    }

    /// Has the peer taken anything?
    pub(super) fn check_stall(&mut self, id: ConnId) {
        let Some(timeout) = self.limits.stall_timeout else { return };
        let Some(conn) = self.conns.find_mut(id) else { return };
        if conn.queue.is_empty() {
            conn.is_watched = false;
            return conn.stream.expect_no_stall();
        }
        let at = conn.queue.taken_at() + timeout;
        if at > self.now.mono {
            self.timers.push(Reverse((at, Timer::Stall(id))));
        } else if conn.is_talking() {
            self.chat(Input::Ended { conn: id, parting: Parting::TooSlow });
        }
    }

    /// Is the time over that a connection has for its end? It grows while the peer takes what
    /// waits.
    pub(super) fn check_end(&mut self, id: ConnId) {
        let Some(ending) = self.conns.find(id).and_then(|conn| conn.ending.as_ref()) else {
            return;
        };
        // What is held back cannot be taken yet.
        let is_held = |conn: &Conn<S>| conn.is_held || conn.queue.holds_fresh();
        let is_held = self.conns.find(id).is_some_and(is_held);
        let ends_at = ending.ends_at;
        if is_held || ends_at > self.now.mono {
            let at = ends_at.max(self.now.mono + HELD_PAUSE);
            self.timers.push(Reverse((at, Timer::Drain(id))));
        } else {
            self.doom(id);
        }
    }

    /// Freezes the page if somebody could not be sent all of it, and begins a new one.
    pub(super) fn keep_what_waits(&mut self) {
        if self.page.bytes.is_empty() {
            return;
        }
        if !self.touched.is_empty() {
            let mut bytes = std::mem::take(&mut self.page.bytes);
            bytes.shrink_to_fit();
            let page = Page::freeze(bytes, &self.pinned);
            for id in self.touched.drain(..) {
                if let Some(conn) = self.conns.find_mut(id) {
                    conn.queue.freeze(&self.page, &page);
                }
            }
        }
        self.page.clear(self.page_bytes_max);
        // Receipts and prompts come on the next one, in the same turn.
        self.stamps.clear();
        self.replay = None;
    }

    /// If too much waits in all, the fullest queues are emptied, and their lines counted as
    /// dropped.
    pub(super) fn bound_what_waits(&mut self) {
        let Some(most) = self.limits.queue_total_bytes_max else { return };
        if self.pinned.get() <= most {
            self.is_overfull &= self.pinned.get() > most / 2;
            return;
        }
        // Who is about to go comes last: their last line cannot be said again.
        let waiting = self.conns.iter().filter(|(_, conn)| !conn.queue.is_empty());
        let mut fill: Vec<_> = waiting
            .map(|(id, conn)| (!conn.is_talking(), Reverse(conn.queue.cost()), id))
            .collect();
        fill.sort_unstable();
        if !std::mem::replace(&mut self.is_overfull, true) {
            let (bytes, readers) = (self.pinned.get(), fill.len());
            warn!(bytes, readers; "dropping_lines");
        }
        // A quarter is made free, so that this does not happen in every turn.
        for (_, _, id) in fill {
            if self.pinned.get() <= most - most / 4 {
                break;
            }
            if let Some(conn) = self.conns.find_mut(id) {
                // What is held back of the open page comes after what is dropped here.
                conn.queue.drop_fresh(&self.page);
                conn.queue.discard(conn.sealed());
            }
        }
    }

    fn reap(&mut self, id: ConnId) {
        let Some(mut conn) = self.conns.remove(id) else { return };
        if conn.kind.is_some() && conn.ending.is_none() {
            self.note_unshaken(&mut conn);
        }
        match conn.kind {
            Some(kind) => {
                self.door.leave(conn.from.ip());
                self.counts.note_gone(kind);
            }
            None => self.refused -= 1,
        }
        self.log_end(&conn);
    }
}
