//! Receipts: when a socket took what was said to its owner alone, for senders who want to know.
//!
//! Promises: told once for all that was said to somebody since, when nothing waits for them any
//! more. Deliberately nothing when nobody wants to know.

use crate::chat::{ConnId, Input};

use super::super::conn::Stream;
use super::Hub;

/// How many are waited for at once; beyond that nothing is told.
const RECEIPTS_MAX: usize = 4_000;
/// How many of them one sender waits for.
const RECEIPTS_OF_ONE_MAX: usize = 20;

impl<S: Stream> Hub<S> {
    /// `from` wants to know when `to` has taken what they were told so far.
    pub(super) fn await_receipt(&mut self, from: ConnId, to: ConnId) {
        let is_known = self.receipts.contains(&(from, to));
        let own = self.receipts.iter().filter(|(it, _)| *it == from).count();
        if !is_known && own < RECEIPTS_OF_ONE_MAX && self.receipts.len() < RECEIPTS_MAX {
            self.receipts.push((from, to));
        }
    }

    /// Tells who has waited for it what was taken.
    pub(super) fn tell_receipts(&mut self) {
        if self.receipts.is_empty() {
            return;
        }
        let receipts = std::mem::take(&mut self.receipts);
        for (from, to) in receipts {
            let is_taken = match self.conns.find(to).filter(|conn| conn.is_talking()) {
                None => false,
                Some(conn) if conn.queue.is_empty() && !conn.is_held => true,
                Some(_) => {
                    self.receipts.push((from, to));
                    continue;
                }
            };
            self.chat(Input::Receipt { from, to, is_taken });
        }
    }
}
