//! What is counted of what happens, and what is known of a connection when it has gone.
//!
//! Promises: every refusal is counted once, by its code, whoever gave it. Deliberately tells nobody
//! anything.

use crate::chat::ConnId;
use crate::chat::event::{Event, Parting};

use super::super::conn::Stream;
use super::super::figures::Figures;
use super::Hub;

impl<S: Stream> Hub<S> {
    /// What was counted, and how things stand; what only the loop knows is left out.
    pub fn figures(&self) -> Figures {
        Figures {
            counts: self.counts.clone(),
            people: self.chat.people(),
            rooms: self.chat.rooms().len(),
            queue_bytes: self.pinned.get(),
            lag: self.limits.keep.map(|_| self.lag()),
            is_stopping: self.is_stopping,
            ..Figures::default()
        }
    }

    /// Somebody was not let in.
    pub(super) fn note_refused(&mut self, parting: Parting) {
        if let Some(code) = parting.code() {
            self.counts.note_refused(code);
        }
    }

    /// One connection is told something.
    pub(super) fn note_told(&mut self, id: ConnId, event: &Event) {
        self.counts.lines_out += 1;
        match event {
            Event::Refused(refusal) => self.counts.note_refused(refusal.code()),
            // Who was not let in was counted already.
            Event::Bye { parting, .. }
                if self.conns.find(id).is_some_and(|conn| conn.kind.is_some()) =>
            {
                self.note_refused(*parting);
            }
            _ => {}
        }
    }
}
