//! `/show`: all of one line, also of a block that others saw only the first lines of.
//!
//! Promises: the last blocks of all rooms are in memory, whole and bounded in all, so that they can
//! be shown where nothing is kept; older ones, and lines, are asked for. Who may not look into a
//! room, or ignores who spoke, gets the same answer as for a line that there is not. Deliberately
//! knows no pages: one line is bounded by itself.

use std::collections::VecDeque;
use std::rc::Rc;

use super::asked::Pending;
use super::event::{Event, Refusal, Remembered};
use super::kept::{Answer, Question};
use super::outbox::{Outbox, Source};
use super::room::{Room, RoomId};
use super::{Chat, ConnId};

/// How many bytes of blocks are remembered in all.
const WHOLES_BYTES_MAX: usize = 4 << 20;

/// What remembering one costs beside its text, in bytes.
const WHOLE_COST: usize = 128;

/// A block, whole.
#[derive(Debug)]
struct Whole {
    id: u64,
    room: RoomId,
    unix: i64,
    speaker: Source,
    text: Rc<str>,
}

impl Whole {
    fn cost(&self) -> usize {
        self.text.len() + WHOLE_COST
    }
}

/// The last blocks of all rooms, by id.
#[derive(Debug, Default)]
pub(super) struct Wholes {
    blocks: VecDeque<Whole>,
    bytes: usize,
}

impl Wholes {
    /// Remembers a block, and forgets the oldest beyond the bound. Ids grow.
    pub(super) fn keep(
        &mut self,
        id: u64,
        room: RoomId,
        unix: i64,
        speaker: Source,
        text: Rc<str>,
    ) {
        let whole = Whole { id, room, unix, speaker, text };
        self.bytes += whole.cost();
        self.blocks.push_back(whole);
        while self.bytes > WHOLES_BYTES_MAX {
            let Some(oldest) = self.blocks.pop_front() else { return };
            self.bytes -= oldest.cost();
        }
    }

    /// A room is gone, and nothing is left of it.
    pub(super) fn forget(&mut self, room: RoomId) {
        self.blocks.retain(|block| block.room != room);
        self.bytes = self.blocks.iter().map(Whole::cost).sum();
    }

    fn find(&self, id: u64) -> Option<&Whole> {
        let at = self.blocks.binary_search_by_key(&id, |block| block.id).ok()?;
        self.blocks.get(at)
    }
}

impl Chat {
    /// `/show id`.
    pub(super) fn show(&mut self, conn: ConnId, id: u64, out: &mut Outbox) -> Result<(), Refusal> {
        if let Some((whole, room)) = self.whole_in_memory(conn, id) {
            if self.users.at(conn).ignores(whole.speaker.conn, &whole.speaker.nick) {
                return Err(Refusal::NoSuchLine { id });
            }
            let line = Remembered {
                id,
                unix: whole.unix,
                nick: whole.speaker.nick.clone(),
                is_action: false,
                text: Rc::clone(&whole.text),
                more: 0,
            };
            out.tell(conn, Event::Whole { room: room.name.clone(), line });
        } else if self.limits.is_kept {
            self.ask(conn, Question::Line { id }, Pending::Show { id }, out);
        } else {
            let shown = self.line_in_memory(conn, id).ok_or(Refusal::NoSuchLine { id })?;
            out.tell(conn, shown);
        }
        Ok(())
    }

    /// A block of those that are remembered whole, and its room, if the user may look into that.
    fn whole_in_memory(&self, conn: ConnId, id: u64) -> Option<(&Whole, &Room)> {
        let whole = self.wholes.find(id)?;
        let room = self.rooms.find(whole.room)?;
        self.check_may_look(conn, whole.room, room).ok()?;
        Some((whole, room))
    }

    /// A line of those that a room remembers.
    fn line_in_memory(&self, conn: ConnId, id: u64) -> Option<Event> {
        let user = self.users.at(conn);
        self.rooms.iter().find_map(|(room, it)| {
            self.check_may_look(conn, room, it).ok()?;
            let line = it.history().find(id, |speaker, nick| user.ignores(speaker, nick))?;
            (line.more == 0).then(|| Event::Whole { room: it.name.clone(), line })
        })
    }

    /// The line that was asked for has come.
    pub(super) fn whole_came(
        &mut self,
        conn: ConnId,
        id: u64,
        answer: Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Line(found) = answer else { return Err(Refusal::Unavailable) };
        let shown = found.and_then(|(serial, line)| {
            let id = self.rooms.of_serial(serial)?;
            let room = self.rooms.at(id);
            self.check_may_look(conn, id, room).ok()?;
            Some(Event::Whole { room: room.name.clone(), line: self.shown_to(conn, &line)? })
        });
        out.tell(conn, shown.ok_or(Refusal::NoSuchLine { id })?);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::name::Nick;
    use super::*;

    #[test]
    fn the_oldest_blocks_go_first_and_those_of_a_room_with_it() {
        let mut wholes = Wholes::default();
        let text: Rc<str> = "one\ntwo".repeat(10_000).into();
        let rooms = [RoomId::default(), RoomId::default()];
        for id in 1..=200 {
            let speaker = Source { conn: ConnId::new(1, 1), nick: Nick::guest(1) };
            wholes.keep(id * 3, rooms[id as usize % 2], 0, speaker, Rc::clone(&text));
        }
        let remembered = WHOLES_BYTES_MAX / (text.len() + WHOLE_COST);
        assert_eq!(wholes.blocks.len(), remembered);
        let oldest = (201 - remembered as u64) * 3;
        assert_eq!(wholes.find(oldest).unwrap().id, oldest);
        assert!(wholes.find(oldest - 3).is_none() && wholes.find(599).is_none());
        wholes.forget(rooms[0]);
        assert_eq!((wholes.blocks.len(), wholes.bytes), (0, 0));
    }
}
