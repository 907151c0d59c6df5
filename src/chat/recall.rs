//! What was said before: `/history` and `/search`.
//!
//! Promises: only where the asker may look (a guest's locked room is not indexed at all, so that
//! nothing of it can be left), nothing of whom they ignore, a bounded page at a time.
//! Without anything kept, the last lines in memory are all there is. Deliberately shows nothing to
//! who did not ask: the replay on joining is in `talk`.

use std::rc::Rc;

use super::asked::Pending;
use super::command::HistorySpan;
use super::event::{Edges, Event, Refusal, Remembered};
use super::kept::{Answer, KeptLine, Question, Search, Span};
use super::name::{Nick, key_of};
use super::outbox::Outbox;
use super::room::RoomId;
use super::{Chat, ConnId, Now};

/// How many lines `/history` shows at most, and without a number.
pub const HISTORY_LINES_MAX: usize = 100;
const HISTORY_LINES: usize = 20;

/// How many lines `/search` shows.
pub const FOUND_MAX: usize = 20;

impl Chat {
    pub(super) fn history(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        span: HistorySpan,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = match typed {
            Some(typed) => self.room_named(typed)?,
            None => self.users.at(conn).current_room().ok_or(Refusal::NoRoom)?,
        };
        let room = self.rooms.at(id);
        self.check_may_look(conn, id, room)?;
        let (span, most) = match span {
            HistorySpan::Last(most) => (Span::Last, most.unwrap_or(HISTORY_LINES)),
            HistorySpan::Before(id) => (Span::Before(id), HISTORY_LINES),
            HistorySpan::After(id) => (Span::After(id), HISTORY_LINES_MAX),
            HistorySpan::Since(since) => (Span::Since(since.unix(now)), HISTORY_LINES_MAX),
        };
        let name = room.name.clone();
        if self.limits.is_kept {
            let question = Question::History { room: room.serial, span, most };
            self.ask(conn, question, Pending::History { id, span }, out);
            return Ok(());
        }
        let unix_min = if let Span::Since(unix) = span { unix } else { i64::MIN };
        let before = if let Span::Before(id) = span { id } else { u64::MAX };
        let user = self.users.at(conn);
        let is_hidden = |speaker, nick: &Nick| user.ignores(speaker, nick);
        let mut lines = room.history().before(before, most + 1, unix_min, is_hidden);
        if let Span::After(id) = span {
            lines.retain(|line| line.id > id);
        }
        let has_more = lines.len() > most;
        let lines: Rc<[Remembered]> = lines[usize::from(has_more)..].into();
        let edges = Edges::of(lines.iter().map(|line| (line.id, line.unix)));
        out.tell(conn, Event::History { room: name, lines, edges, has_more, span });
        Ok(())
    }

    /// A page of a room's lines has come.
    pub(super) fn history_came(
        &mut self,
        conn: ConnId,
        id: RoomId,
        span: Span,
        answer: Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        // It may have been locked, or be gone, since this was asked.
        let room = self.rooms.find(id).ok_or(Refusal::Unavailable)?;
        self.check_may_look(conn, id, room)?;
        let room = room.name.clone();
        let Answer::Lines { lines, has_more } = answer else { return Err(Refusal::Unavailable) };
        let edges = Edges::of(lines.iter().map(|line| (line.id, line.unix)));
        let lines = lines.iter().filter_map(|line| self.shown_to(conn, line)).collect();
        out.tell(conn, Event::History { room, lines, edges, has_more, span });
        Ok(())
    }

    /// A line that was kept, unless the user ignores who said it.
    pub(super) fn shown_to(&self, conn: ConnId, line: &KeptLine) -> Option<Remembered> {
        let nick = Nick::known(&line.nick)?;
        if self.users.at(conn).ignores_name(&nick) {
            return None;
        }
        let KeptLine { id, unix, is_action, more, .. } = *line;
        Some(Remembered { id, unix, nick, is_action, text: Rc::from(line.text.as_str()), more })
    }

    pub(super) fn search(
        &mut self,
        conn: ConnId,
        words: &str,
        room: Option<&str>,
        nick: Option<&str>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_kept()?;
        if !self.limits.is_searchable {
            return Err(Refusal::NoSearch);
        }
        let room = match room {
            None => None,
            Some(typed) => {
                let id = self.room_named(typed)?;
                let room = self.rooms.at(id);
                self.check_may_look(conn, id, room)?;
                if room.is_fleeting() {
                    return Err(Refusal::NotSearched { room: room.name.clone() });
                }
                Some(room.serial)
            }
        };
        let own = self.users.at(conn).rooms.iter().map(|it| self.rooms.at(it.room));
        let locked = own.filter(|room| room.is_locked()).map(|room| room.serial).collect();
        let search = Search {
            words: words.to_owned(),
            room,
            nick: nick.map(|nick| key_of(nick).into_owned()),
            locked,
            most: FOUND_MAX,
        };
        let pending = Pending::Search { words: words.to_owned() };
        self.ask(conn, Question::Search(search), pending, out);
        Ok(())
    }

    /// What was searched for has been found, or not.
    pub(super) fn found(
        &mut self,
        conn: ConnId,
        words: String,
        answer: Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Found { lines, has_more, unsearched } = answer else {
            return Err(Refusal::Unavailable);
        };
        let shown = lines.iter().rev().filter_map(|(serial, line)| {
            // A room may have been locked, or have gone, since this was asked.
            let id = self.rooms.of_serial(*serial)?;
            self.check_may_look(conn, id, self.rooms.at(id)).ok()?;
            Some((self.rooms.at(id).name.clone(), self.shown_to(conn, line)?))
        });
        let lines = shown.collect();
        out.tell(conn, Event::Found { words: words.into(), lines, has_more, unsearched });
        Ok(())
    }
}
