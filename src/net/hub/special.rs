//! Telling those who are not served plainly: JSON, terminals, colours, times; and those who have
//! not taken yet what earlier turns said.
//!
//! Promises: what many of them hear alike is rendered once for all of them; whoever is told less
//! than all is told so in its place. Deliberately apart from `deliver`, where the many are served.

use std::ops::Range;
use std::time::Duration;

use crate::chat::ConnId;
use crate::chat::event::Event;
use crate::chat::settings::Settings;
use crate::wire::json::{self, RequestId};
use crate::wire::look::{self, Look};
use crate::wire::{self, Clock, Ends};

use super::super::conn::Conn;
use super::super::view::{Face, Sized, Terminal, Unread};
use super::deliver::Writer;

/// How long somebody who has typed something is shown as typing.
pub(super) const TYPING_SHOWN: Duration = Duration::from_secs(6);

/// How many looks of one event are shared, and how many zones; terminals have few widths.
const LOOKS_MAX: usize = 32;

/// What makes lines look alike to readers whom they do not mean.
#[derive(Debug, PartialEq)]
pub(super) struct LookKey {
    settings: Settings,
    is_terminal: bool,
    columns: usize,
    ends: Ends,
    clock: Clock,
}

impl LookKey {
    fn of(look: &Look<'_>, ends: Ends, clock: Clock) -> LookKey {
        let Look { settings, is_terminal, columns, .. } = *look;
        LookKey { settings: *settings, is_terminal, columns, ends, clock }
    }
}

/// Where something stands in the page.
enum Drawn {
    /// Several hear it: before each line belongs the time, for who wants that.
    Shared(Range<usize>),
    /// It is for one reader, as it is.
    Own(Range<usize>),
}

impl Drawn {
    fn range(&self) -> &Range<usize> {
        match self {
            Drawn::Shared(range) | Drawn::Own(range) => range,
        }
    }
}

impl Writer<'_> {
    /// Gives a connection its slice of an event that has not taken yet what earlier turns said, or
    /// is not served plainly.
    #[cold]
    pub(super) fn tell_specially<S>(&mut self, conn: &mut Conn<S>, id: ConnId, event: &Event) {
        if !self.note_event(conn, id, event) {
            return;
        }
        // The last line must get through: it stands in no relation to what was dropped.
        let is_last = event.is_last();
        if conn.queue.dropped() > 0 && (is_last || self.has_drained(conn)) {
            self.tell_dropped(conn, id);
        }
        let start = self.page.bytes.len();
        self.hide(conn, id);
        self.render_new_day(conn);
        let before = start..self.page.bytes.len();
        let drawn = self.draw(conn, id, event);
        let bytes = before.len() + drawn.range().len();
        if is_last || conn.queue.dropped() == 0 && self.fits(conn, bytes) {
            self.push_drawn(conn, Drawn::Own(before));
            self.push_drawn(conn, drawn);
        } else {
            let is_terminal = conn.terminal_mut().is_some();
            let count = |range| lines_of(&self.page.bytes[range], is_terminal);
            conn.queue.drop_lines((count(before) + count(drawn.range().clone())) as u64);
            forget_screen(conn);
        }
    }

    /// Notes what an event changes of how a connection is served; says whether it is to be told.
    fn note_event<S>(&mut self, conn: &mut Conn<S>, id: ConnId, event: &Event) -> bool {
        let Some(view) = conn.view.as_deref_mut() else {
            return !matches!(event, Event::Typing { .. });
        };
        if let (Event::Refused(_), Some(request)) = (event, &mut view.request) {
            request.is_refused = true;
        }
        match &mut view.face {
            Face::Lines => !matches!(event, Event::Typing { .. }),
            Face::Json(_) => true,
            Face::Terminal(terminal) => {
                note_unread(terminal, event);
                let Event::Typing { nick, room } = event else { return true };
                if self.chat.room_of(id) == Some(room) {
                    terminal.note_typing(nick, self.mono + TYPING_SHOWN);
                    self.watched_typing.push(id);
                }
                false
            }
        }
    }

    /// Tells in their place of lines that were dropped.
    pub(super) fn tell_dropped<S>(&mut self, conn: &mut Conn<S>, id: ConnId) {
        let lines = conn.queue.take_dropped();
        let start = self.page.bytes.len();
        if let Some(terminal) = conn.terminal_mut() {
            terminal.editor.forget_screen();
            terminal.editor.hide(&mut self.page.bytes);
        }
        // What is shared is the event that is being told, and this is another one.
        let shared = std::mem::take(&mut self.rendered);
        let mut drawn = self.draw(conn, id, &Event::Dropped { lines });
        self.rendered = shared;
        if let Some(terminal) = conn.terminal_mut() {
            // This may come when the prompts of this turn are back already.
            if !terminal.is_hidden {
                terminal.editor.show(&mut self.page.bytes);
            }
            drawn = Drawn::Own(start..self.page.bytes.len());
        }
        self.push_drawn(conn, drawn);
        conn.queue.note_notice(self.page, lines);
    }

    /// Renders the line that separates days, if who is shown times was last told something on
    /// another day of the same zone.
    fn render_new_day<S>(&mut self, conn: &mut Conn<S>) {
        let (clock, ends) = (self.clock(conn.time()), conn.ends);
        let Some(view) = conn.view.as_deref_mut() else { return };
        let shows_days = match view.face {
            Face::Lines => view.settings.time.is_some(),
            Face::Json(_) => false,
            Face::Terminal(_) => true,
        };
        let today = shows_days.then(|| (clock.zone_secs, look::day_number(clock)));
        let last = std::mem::replace(&mut view.day, today);
        let has_passed = |((zone, day), (zone_now, today))| zone == zone_now && day != today;
        if last.zip(today).is_some_and(has_passed) {
            look::day(clock, &view.look(None), ends, &mut self.page.bytes);
        }
    }

    /// Renders an event as the connection is told it.
    fn draw<S>(&mut self, conn: &mut Conn<S>, id: ConnId, event: &Event) -> Drawn {
        let clock = self.clock(conn.time());
        let Some(view) = conn.view.as_deref() else {
            return Drawn::Shared(self.render(conn, event));
        };
        match &view.face {
            Face::Lines if !view.look(None).is_otherwise() => {
                Drawn::Shared(self.render(conn, event))
            }
            Face::Json(_) => {
                let request = view.request.as_ref().filter(|_| self.answering == Some(id));
                let re = request.and_then(|request| request.id.as_ref());
                Drawn::Own(self.render_json(conn.ends, event, re))
            }
            Face::Lines | Face::Terminal(_) => {
                let nick = self.chat.nick_of(id).filter(|nick| look::means(event, nick));
                let look = view.look(nick);
                let is_last = event.is_last();
                let key = LookKey::of(&look, conn.ends, clock);
                let is_same = |it: &&(LookKey, Range<usize>)| it.0 == key;
                if let Some((_, range)) = self.rendered.looks.iter().find(is_same)
                    && nick.is_none()
                    && !is_last
                {
                    return Drawn::Own(range.clone());
                }
                let start = self.page.bytes.len();
                look::render(event, &look, conn.ends, clock, &mut self.page.bytes);
                if let (true, Face::Terminal(terminal)) = (is_last, &view.face) {
                    self.page.bytes.extend_from_slice(&terminal.end());
                }
                let range = start..self.page.bytes.len();
                if nick.is_none() && !is_last && self.rendered.looks.len() < LOOKS_MAX {
                    self.rendered.looks.push((key, range.clone()));
                }
                Drawn::Own(range)
            }
        }
    }

    /// Where an event with a moment in it stands in the page, as it is in the reader's zone.
    #[cold]
    pub(super) fn render_zoned<S>(&mut self, conn: &Conn<S>, event: &Event) -> Range<usize> {
        let (clock, ends) = (self.clock(conn.time()), conn.ends);
        let mut zoned = self.rendered.zoned.iter();
        if let Some((_, _, range)) = zoned.find(|it| (it.0, it.1) == (clock, ends)) {
            return range.clone();
        }
        let start = self.page.bytes.len();
        wire::render(event, ends, clock, &mut self.page.bytes);
        let range = start..self.page.bytes.len();
        if self.rendered.zoned.len() < LOOKS_MAX {
            self.rendered.zoned.push((clock, ends, range.clone()));
        }
        range
    }

    /// Where the event stands in the page as JSON: once for all who did not ask for it.
    fn render_json(&mut self, ends: Ends, event: &Event, re: Option<&RequestId>) -> Range<usize> {
        let clock = self.clock(None);
        if let (None, Some(range)) = (re, &self.rendered.json[ends as usize]) {
            return range.clone();
        }
        let start = self.page.bytes.len();
        json::render(event, re, ends, clock, &mut self.page.bytes);
        let range = start..self.page.bytes.len();
        if re.is_none() {
            self.rendered.json[ends as usize] = Some(range.clone());
        }
        range
    }

    /// Takes a terminal's prompt off its screen until the end of the turn. What it takes is at the
    /// end of the page, for the caller to push.
    fn hide<S>(&mut self, conn: &mut Conn<S>, id: ConnId) {
        if let Some(terminal) = conn.terminal_mut()
            && !terminal.is_hidden
        {
            terminal.is_hidden = true;
            terminal.editor.hide(&mut self.page.bytes);
            self.hidden.push(id);
        }
    }

    fn push_drawn<S>(&mut self, conn: &mut Conn<S>, drawn: Drawn) {
        match drawn {
            Drawn::Shared(range) => self.push(conn, range),
            Drawn::Own(range) if range.is_empty() => {}
            Drawn::Own(range) => conn.queue.push(self.page, range),
        }
    }
}

/// How many lines that is; on a terminal a row that begins with two blanks belongs to the one
/// above.
fn lines_of(bytes: &[u8], is_terminal: bool) -> usize {
    let rows = bytes.split_inclusive(|byte| *byte == b'\n').filter(|row| row.ends_with(b"\n"));
    rows.filter(|row| !is_terminal || !row.starts_with(b"  ")).count()
}

/// What is on the connection's screen is not known any longer.
pub(super) fn forget_screen<S>(conn: &mut Conn<S>) {
    if let Some(terminal) = conn.terminal_mut() {
        terminal.editor.forget_screen();
    }
}

/// Counts what is said for who edits lines here. What is said in the current room is taken off
/// again before it shows.
fn note_unread(terminal: &mut Terminal, event: &Event) {
    match event {
        Event::Said { room, nick, .. }
        | Event::Acted { room, nick, .. }
        | Event::Block { room, nick, .. } => {
            terminal.note_typed(nick);
            terminal.count_unread(Unread::Room(room.clone()));
        }
        Event::Whispered { nick, .. } => terminal.count_unread(Unread::Direct(nick.clone())),
        Event::YouLeft { room, .. } | Event::Closed { room, .. } => {
            terminal.mark_read(|place| matches!(place, Unread::Room(it) if it == room));
        }
        _ => {}
    }
}

impl<S> Conn<S> {
    /// The block whose bytes are being taken.
    pub(super) fn sized_mut(&mut self) -> Option<&mut Sized> {
        match &mut self.view.as_deref_mut()?.face {
            Face::Json(sized) => sized.as_deref_mut(),
            Face::Lines | Face::Terminal(_) => None,
        }
    }

    /// The same, to look at.
    pub(super) fn sized(&self) -> Option<&Sized> {
        match &self.view.as_deref()?.face {
            Face::Json(sized) => sized.as_deref(),
            Face::Lines | Face::Terminal(_) => None,
        }
    }

    /// What is known of it as a terminal whose lines are edited here.
    pub(super) fn terminal_mut(&mut self) -> Option<&mut Terminal> {
        match &mut self.view.as_deref_mut()?.face {
            Face::Terminal(terminal) => Some(terminal),
            Face::Lines | Face::Json(_) => None,
        }
    }
}
