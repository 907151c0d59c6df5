//! Lines whose sender awaits an answer to each: JSON, and `/ack on`.
//!
//! Promises: each line that is taken is answered once, after all else that it brought about for its
//! sender: as refused, or as taken. Deliberately nothing for who has not asked for it.

use crate::chat::command::Command;
use crate::chat::event::{Event, Refusal};
use crate::chat::{ConnId, Input};
use crate::wire::clean::clean;
use crate::wire::json::{self, Ask, RequestId};

use super::super::conn::Stream;
use super::super::view::{Face, Request, Sized};
use super::Hub;

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
                let sized = Sized { id: request.id, room, left, bytes: Vec::new(), bytes_max };
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
            Ask::Block { room, text } => {
                self.chat(Input::Block { conn: id, room: room.as_deref(), text });
            }
            ask => {
                if let Some(name) = ask.name()
                    && self.chat.nick_of(id).is_none()
                {
                    self.chat(Input::Command { conn: id, command: Command::Nick(name) });
                }
                self.chat(Input::Command { conn: id, command: ask.command() });
            }
        }
    }

    /// The bytes of a block follow.
    fn await_sized(&mut self, id: ConnId, sized: Sized) {
        let is_over = sized.left == 0;
        if let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) {
            view.face = Face::Json(Some(Box::new(sized)));
        }
        if is_over {
            self.take_sized(id, &mut &[][..]);
        }
    }

    /// Takes bytes of a block from the front of the input; says the block when it is whole. Returns
    /// whether it is one.
    pub(super) fn take_sized(&mut self, id: ConnId, input: &mut &[u8]) -> bool {
        let Some(view) = self.conns.find_mut(id).and_then(|conn| conn.view.as_deref_mut()) else {
            return false;
        };
        let Face::Json(face) = &mut view.face else { return false };
        let Some(sized) = face.as_deref_mut() else { return false };
        let (bytes, rest) = input.split_at(sized.left.min(input.len()));
        *input = rest;
        sized.left -= bytes.len();
        // Of a block that is too long nothing is said, so nothing of its rest is needed.
        let room = (sized.bytes_max + 1).saturating_sub(sized.bytes.len());
        sized.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
        if sized.left > 0 {
            return true;
        }
        let Some(sized) = face.take() else { return false };
        self.begin_request(id, sized.id);
        if sized.bytes.len() > sized.bytes_max {
            let bytes_max = sized.bytes_max;
            self.tell(id, &Event::Refused(Refusal::PasteTooLong { bytes_max }));
        } else {
            let text = sized.bytes.strip_suffix(b"\n").unwrap_or(&sized.bytes);
            let lines = text.split(|byte| *byte == b'\n');
            let lines: Vec<_> =
                lines.map(|line| clean(line.strip_suffix(b"\r").unwrap_or(line))).collect();
            let text = lines.join("\n");
            self.chat(Input::Block { conn: id, room: sized.room.as_deref(), text: &text });
        }
        self.end_request(id);
        true
    }
}
