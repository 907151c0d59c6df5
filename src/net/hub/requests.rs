//! Lines whose sender awaits an answer to each: JSON, and `/ack on`.
//!
//! Promises: each line that is taken is answered once, after all else that it brought about for its
//! sender: as refused, or as taken. Deliberately nothing for who has not asked for it.

use crate::chat::command::Command;
use crate::chat::event::{Event, Refusal};
use crate::chat::paste::BLOCK_LINES_MAX;
use crate::chat::{ConnId, Input};
use crate::wire::clean::clean;
use crate::wire::json::{self, Ask, RequestId};

use super::super::conn::Stream;
use super::super::view::{Face, Request, Sized};
use super::Hub;

/// How many bytes all blocks have together at most that are being taken.
const SIZED_BYTES_MAX: usize = 64 << 20;

impl<S: Stream> Hub<S> {
    /// A line of a connection is about to be obeyed.
    pub(super) fn begin_request(&mut self, id: ConnId, request: Option<RequestId>) {
        let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) else {
            return;
        };
        if matches!(view.face, Face::Json(_)) || view.settings.wants_acks {
            view.lines += 1;
            view.request = Some(Request { id: request, is_refused: false });
            self.answering = Some(id);
        }
    }

    /// It was obeyed, unless it waits for something: then it was when that has come.
    pub(super) fn end_request(&mut self, id: ConnId) {
        if self.answering.is_none() {
            return;
        }
        let Some(conn) = self.conns.find_mut(id).filter(|conn| conn.is_talking()) else {
            self.answering = None;
            return;
        };
        if !conn.is_awaiting
            && let Some(view) = conn.view.as_deref_mut()
        {
            let number = view.lines;
            if view.request.as_ref().is_some_and(|request| !request.is_refused) {
                self.tell(id, &Event::Taken { number });
            }
            if let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) {
                view.request = None;
            }
        }
        self.answering = None;
    }

    /// What a line had waited for has come.
    pub(super) fn resume_request(&mut self, id: ConnId) {
        let view = self.conns.find(id).and_then(|conn| conn.view.as_deref());
        if view.is_some_and(|view| view.request.is_some()) {
            self.answering = Some(id);
        }
    }

    /// A line of who speaks JSON. A blank one is nothing.
    pub(super) fn obey_json(&mut self, id: ConnId, bytes: &[u8]) {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        // Whatever a script speaks, it can end like all others.
        if clean(bytes).trim().eq_ignore_ascii_case("quit") {
            return self.chat(Input::Command { conn: id, command: Command::Quit });
        }
        let request = match json::parse(bytes) {
            Ok(request) => request,
            Err(bad) => {
                self.begin_request(id, bad.id.clone());
                self.tell(id, &Event::Refused(bad.refusal()));
                return self.end_request(id);
            }
        };
        match request.ask {
            Ask::Sized { room, bytes: left } => {
                let bytes_max = self.chat.paste_bytes_max();
                let (id_of, bytes) = (request.id, Vec::new());
                let sized = Sized {
                    id: id_of,
                    room,
                    left,
                    bytes,
                    bytes_max,
                    is_crowded_out: false,
                    is_answered: false,
                };
                self.await_sized(id, sized);
            }
            ask => {
                self.begin_request(id, request.id);
                self.ask_json(id, &ask);
                self.end_request(id);
            }
        }
    }

    fn ask_json(&mut self, id: ConnId, ask: &Ask) {
        match ask {
            Ask::Block { room, text } => self.say_block(id, room.as_deref(), text.as_bytes()),
            ask => {
                if let Some(name) = ask.name()
                    && self.chat.nick_of(id).is_none()
                {
                    self.chat(Input::Command { conn: id, command: Command::Nick(name) });
                    // A request that is refused has no effect.
                    if self.chat.nick_of(id).is_none() {
                        return;
                    }
                }
                self.chat(Input::Command { conn: id, command: ask.command() });
            }
        }
    }

    /// The bytes of a block follow.
    fn await_sized(&mut self, id: ConnId, mut sized: Sized) {
        if sized.left > sized.bytes_max {
            self.begin_request(id, sized.id.clone());
            self.tell(id, &Event::Refused(too_long(sized.bytes_max)));
            self.end_request(id);
            (sized.is_answered, sized.bytes_max) = (true, 0);
        }
        if let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) {
            view.face = Face::Json(Some(Box::new(sized)));
        }
    }

    /// Takes bytes of a block from the front of the input; says the block when it is whole.
    pub(super) fn take_sized(&mut self, id: ConnId, input: &mut &[u8]) {
        let room_for_all = SIZED_BYTES_MAX.saturating_sub(self.sized_bytes);
        let Some(sized) = self.conns.find_mut(id).and_then(|conn| conn.sized_mut()) else { return };
        let (bytes, rest) = input.split_at(sized.left.min(input.len()));
        *input = rest;
        sized.left -= bytes.len();
        // Of a block that is refused nothing is said, so nothing of its rest is needed.
        let room = sized.bytes_max.saturating_sub(sized.bytes.len());
        let kept = &bytes[..bytes.len().min(room)];
        sized.is_crowded_out |= kept.len() > room_for_all;
        if !sized.is_crowded_out {
            sized.bytes.extend_from_slice(kept);
            self.sized_bytes += kept.len();
        }
        if sized.left == 0 {
            self.say_sized(id);
        }
    }

    /// Says the block that is whole.
    fn say_sized(&mut self, id: ConnId) {
        let Some(sized) = self.drop_sized(id).filter(|sized| !sized.is_answered) else { return };
        self.begin_request(id, sized.id);
        if sized.is_crowded_out {
            self.tell(id, &Event::Refused(Refusal::PastesFull));
        } else {
            self.say_block(id, sized.room.as_deref(), &sized.bytes);
        }
        self.end_request(id);
    }

    /// Says a block that came at once. No line of it is longer than a line may be.
    pub(super) fn say_block(&mut self, id: ConnId, room: Option<&str>, bytes: &[u8]) {
        let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let lines = text.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| clean(line.strip_suffix(b"\r").unwrap_or(line)));
        let lines: Vec<_> = lines.collect();
        match self.limits.line_bytes_max {
            Some(bytes_max) if lines.iter().any(|line| line.len() > bytes_max) => {
                self.chat(Input::TooLong { conn: id, bytes_max });
            }
            _ => self.chat(Input::Block { conn: id, room, text: &lines.join("\n") }),
        }
    }

    /// No block is being taken any longer.
    pub(super) fn drop_sized(&mut self, id: ConnId) -> Option<Box<Sized>> {
        let view = self.conns.find_mut(id)?.view.as_deref_mut()?;
        let Face::Json(sized) = &mut view.face else { return None };
        let sized = sized.take()?;
        self.sized_bytes -= sized.bytes.len();
        Some(sized)
    }
}

fn too_long(bytes_max: usize) -> Refusal {
    Refusal::PasteTooLong { bytes_max, lines_max: BLOCK_LINES_MAX, is_typed: false }
}
