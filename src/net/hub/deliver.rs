//! Delivering: what the conversation says becomes bytes of the turn's page, and slices of it for
//! everybody it is for.
//!
//! Promises: an event is rendered once for each kind of line end (and each zone, if a time is in
//! it), however many hear it; nobody's queue grows beyond its bound, and what does not fit is
//! counted and told in its place.
//! Deliberately sends nothing yet.

use std::cmp::Reverse;
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use ipnet::IpNet;

use crate::chat::event::{Event, Parting, Remembered, Zone};
use crate::chat::outbox::{Audience, Effect, Who};
use crate::chat::pace::{Pace, Rate};
use crate::chat::{Chat, ConnId, Input};
use crate::wire::{self, Clock, Ends, telnet};

use super::super::conn::{Conn, Ending, Intake, Stage, Stream};
use super::super::queue::OpenPage;
use super::super::slots::Slots;
use super::super::view::Face;
use super::special::LookKey;
use super::{Hub, LISTED_KEPT, Timer};

/// Earlier lines of a room that stand in the page already.
#[derive(Debug)]
pub(super) struct Replay {
    lines: Rc<[Remembered]>,
    ends: Ends,
    clock: Clock,
    range: Range<usize>,
}

impl Replay {
    /// Whether the event is these lines, with the same ends and times.
    fn is(&self, event: &Event, ends: Ends, clock: Clock) -> bool {
        let is_of_lines =
            matches!(event, Event::Replay { lines, .. } if Rc::ptr_eq(lines, &self.lines));
        is_of_lines && (self.ends, self.clock) == (ends, clock)
    }
}

/// Where the event at hand stands in the page, by how its lines end.
#[derive(Debug, Default)]
pub(super) struct Rendered {
    /// As lines.
    lines: [Option<Range<usize>>; 2],
    /// As JSON.
    pub(super) json: [Option<Range<usize>>; 2],
    /// As lines with a moment in them, by the zone in which it is shown.
    pub(super) zoned: Vec<(Clock, Ends, Range<usize>)>,
    /// As some want to see it.
    pub(super) looks: Vec<(LookKey, Range<usize>)>,
}

/// The page of a turn while it is being written, and what is needed to write it.
pub(super) struct Writer<'h> {
    pub(super) page: &'h mut OpenPage,
    stamps: &'h mut Vec<(i32, Range<usize>)>,
    replay: &'h mut Option<Replay>,
    touched: &'h mut Vec<ConnId>,
    queue_bytes_max: Option<usize>,
    unix: i64,
    zone_secs: i32,
    pub(super) mono: Duration,
    pub(super) chat: &'h Chat,
    /// Whose prompt has left the screen in this turn.
    pub(super) hidden: &'h mut Vec<ConnId>,
    /// To whom somebody was shown typing in this turn.
    pub(super) watched_typing: &'h mut Vec<ConnId>,
    /// Whose line is being obeyed, if its sender awaits an answer.
    pub(super) answering: Option<ConnId>,
    pub(super) rendered: Rendered,
}

impl<S: Stream> Hub<S> {
    /// Empties the outbox: everybody is told, and who is to be closed begins to close.
    pub(super) fn deliver(&mut self) {
        let mut outbox = std::mem::take(&mut self.outbox);
        let mut barred = Vec::new();
        for effect in outbox.effects() {
            match effect {
                Effect::Tell(Audience::One(conn), event) => self.tell(*conn, event),
                Effect::Tell(audience, event) => self.publish(audience, event),
                Effect::Serve(conn, settings) => {
                    if let Some(conn) = self.conns.find_mut(*conn) {
                        conn.view.get_or_insert_default().set(*settings);
                        conn.view.take_if(|view| view.is_plain());
                    }
                }
                Effect::Become(conn, face) => self.become_face(*conn, *face),
                Effect::Negotiate(conn) => self.negotiate(*conn),
                Effect::Bar(network) => barred.push(*network),
                Effect::Record(record) => self.log_record(record),
                Effect::AwaitReceipt(from, to) => self.await_receipt(*from, *to),
                Effect::Pace(conn, per_second) => self.slow_down(*conn, *per_second),
                Effect::Close(conn, parting, who) => self.close(*conn, *parting, who.clone()),
                Effect::HideTyping(conn, is_hidden) => self.hide_typing(*conn, *is_hidden),
                Effect::Ask(conn, question) => self.ask(*conn, question),
            }
        }
        outbox.clear();
        self.outbox = outbox;
        barred.into_iter().for_each(|network| self.bar(network));
    }

    /// Ends every connection that comes from a network.
    fn bar(&mut self, network: IpNet) {
        self.bar_handshakes(network);
        let theirs = self.conns.iter().filter_map(|(id, conn)| {
            let address = IpNet::from(conn.from.ip());
            (conn.is_talking() && network.contains(&address)).then_some((id, address))
        });
        for (conn, address) in theirs.collect::<Vec<_>>() {
            self.chat(Input::Barred { conn, address });
        }
    }

    /// Tells one connection.
    pub(super) fn tell(&mut self, conn: ConnId, event: &Event) {
        self.note_told(conn, event);
        let (conns, mut writer, _) = self.writer();
        writer.tell(conns, conn, event);
    }

    /// Sends one connection bytes that are no line. Who asks for such and takes none gets no more.
    pub(super) fn tell_bytes(&mut self, id: ConnId, bytes: &[u8]) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        if self.limits.queue_bytes_max.is_some_and(|most| conn.queue.cost() + bytes.len() > most) {
            return;
        }
        let start = self.page.bytes.len();
        self.page.bytes.extend_from_slice(bytes);
        conn.queue.push(&mut self.page, start..start + bytes.len());
        self.touch(id);
    }

    /// A connection's lines are taken no faster than that; nor than everybody's.
    fn slow_down(&mut self, id: ConnId, per_second: u32) {
        let rate = Rate::per_second(per_second, per_second);
        if self.limits.pace.is_none_or(|pace| pace.every < rate.every)
            && let Some(conn) = self.conns.find_mut(id)
        {
            conn.view.get_or_insert_default().pace = Some(rate);
            conn.pace = Pace::new();
        }
    }

    /// What a connection types next should not show: its telnet client is told to show nothing
    /// (RFC 857), who has none is warned. Or it may show again.
    fn hide_typing(&mut self, id: ConnId, is_hidden: bool) {
        let Some(conn) = self.conns.find_mut(id) else { return };
        match conn.view.as_deref_mut().map(|view| &mut view.face) {
            Some(Face::Terminal(terminal)) => return terminal.hide_typing(is_hidden),
            // A program shows nobody what it sends.
            Some(Face::Json(_)) => return,
            None | Some(Face::Lines) => {}
        }
        match (conn.lines.has_spoken_telnet(), is_hidden) {
            (true, true) => {
                conn.lines.offer_echo();
                self.tell_bytes(id, &telnet::WILL_ECHO);
            }
            (true, false) => self.tell_bytes(id, &telnet::WONT_ECHO),
            (false, true) => self.tell(id, &Event::TypingShows),
            (false, false) => {}
        }
    }

    fn publish(&mut self, audience: &Audience, event: &Event) {
        let mut hearers = std::mem::take(&mut self.hearers);
        let (conns, mut writer, chat) = self.writer();
        let mut told = 0;
        match audience {
            Audience::Movement { rooms, .. }
            | Audience::Change { rooms, .. }
            | Audience::Members { rooms }
                if rooms.len() > 1 =>
            {
                chat.resolve(audience, |id| hearers.push(id));
                hearers.sort_unstable();
                hearers.dedup();
                told = hearers.len();
                hearers.drain(..).for_each(|id| writer.tell(conns, id, event));
            }
            Audience::Listeners { room, speaker } => {
                told = chat.each_listener(*room, speaker, |id| writer.tell(conns, id, event));
            }
            _ => chat.resolve(audience, |id| {
                told += 1;
                writer.tell(conns, id, event);
            }),
        }
        self.counts.lines_out += told as u64;
        hearers.shrink_to(LISTED_KEPT);
        self.hearers = hearers;
    }

    pub(super) fn writer(&mut self) -> (&mut Slots<Conn<S>>, Writer<'_>, &Chat) {
        let writer = Writer {
            page: &mut self.page,
            stamps: &mut self.stamps,
            replay: &mut self.replay,
            touched: &mut self.touched,
            queue_bytes_max: self.limits.queue_bytes_max,
            unix: self.now.unix,
            zone_secs: self.now.zone_secs,
            mono: self.now.mono,
            chat: &self.chat,
            hidden: &mut self.hidden,
            watched_typing: &mut self.watched_typing,
            answering: self.answering,
            rendered: Rendered::default(),
        };
        (&mut self.conns, writer, &self.chat)
    }

    /// A connection begins to close.
    pub(super) fn close(&mut self, id: ConnId, parting: Parting, who: Who) {
        self.drop_sized(id);
        self.set_stage(id, Stage::Closing);
        let Some(conn) = self.conns.find_mut(id) else { return };
        conn.inbox = None;
        conn.is_awaiting = false;
        let parting = parting.word();
        if conn.kind.is_some() {
            self.counts.note_parted(parting);
        }
        let heard_at = self.now.mono;
        let ends_at = heard_at + self.limits.drain_timeout;
        // Who goes on taking what waits may, for as long as a peer may take nothing at all.
        let more = self.limits.stall_timeout.unwrap_or(Duration::MAX);
        let ends_at_most = match self.is_stopping {
            true => ends_at,
            false => ends_at.saturating_add(more),
        };
        let ending = Ending { parting, who, heard_at, ends_at, ends_at_most };
        conn.ending = Some(Box::new(ending));
        if conn.intake == Intake::Lost {
            return self.doom(id);
        }
        self.timers.push(Reverse((ends_at, Timer::Drain(id))));
        self.touch(id);
        // What is unread must be read before the end.
        self.list(id);
    }
}

impl Writer<'_> {
    /// Gives a connection its slice of an event. This is what is done for every delivery, so what
    /// is done for some of them stands apart.
    #[inline]
    fn tell<S>(&mut self, conns: &mut Slots<Conn<S>>, id: ConnId, event: &Event) {
        let Some(conn) = conns.find_mut(id) else { return };
        match &self.rendered.lines[conn.ends as usize] {
            Some(range) if conn.is_touched && conn.takes_plainly() => {
                conn.queue.push(self.page, range.clone());
            }
            _ => self.tell_first(conn, id, event),
        }
    }

    /// The same for who is told something for the first time in this turn, or the event for the
    /// first time to anybody, or otherwise than it is.
    #[inline(never)]
    fn tell_first<S>(&mut self, conn: &mut Conn<S>, id: ConnId, event: &Event) {
        if conn.stage == Stage::Doomed {
            return;
        }
        if !conn.is_touched {
            conn.is_touched = true;
            self.touched.push(id);
        }
        if !conn.takes_plainly() {
            return self.tell_specially(conn, id, event);
        }
        let range = self.render(conn, event);
        conn.queue.push(self.page, range);
    }

    /// Whether so many bytes more are within the queue's bound; whoever has taken all that earlier
    /// turns said is told all that this one says, for it has not been offered to them yet.
    pub(super) fn fits<S>(&self, conn: &Conn<S>, bytes: usize) -> bool {
        let within = |most| conn.queue.cost() + bytes <= most;
        !conn.queue.holds_backlog() || self.queue_bytes_max.is_none_or(within)
    }

    /// Whether a queue that was full has room again: half of it, so that lines are not dropped and
    /// told by turns.
    pub(super) fn has_drained<S>(&self, conn: &Conn<S>) -> bool {
        self.queue_bytes_max.is_none_or(|most| conn.queue.cost() <= most / 2)
    }

    /// Where the event stands in the page, with the connection's line ends.
    #[inline]
    pub(super) fn render<S>(&mut self, conn: &Conn<S>, event: &Event) -> Range<usize> {
        if conn.time().is_some() && event.shows_moment() {
            return self.render_zoned(conn, event);
        }
        match &self.rendered.lines[conn.ends as usize] {
            Some(range) => range.clone(),
            None => self.render_first(conn, event),
        }
    }

    #[cold]
    fn render_first<S>(&mut self, conn: &Conn<S>, event: &Event) -> Range<usize> {
        let clock = self.clock(conn.time());
        let is_same = |it: &&Replay| it.is(event, conn.ends, clock);
        let range = match self.replay.as_ref().filter(is_same) {
            Some(replay) => replay.range.clone(),
            None => {
                let start = self.page.bytes.len();
                wire::render(event, conn.ends, clock, &mut self.page.bytes);
                start..self.page.bytes.len()
            }
        };
        self.rendered.lines[conn.ends as usize] = Some(range.clone());
        if let Event::Replay { lines, .. } = event {
            let (lines, range) = (Rc::clone(lines), range.clone());
            *self.replay = Some(Replay { lines, ends: conn.ends, clock, range });
        }
        range
    }

    /// The time as a reader is shown it.
    pub(super) fn clock(&self, time: Option<Zone>) -> Clock {
        let zone_secs = match time {
            None | Some(Zone::Server) => self.zone_secs,
            Some(Zone::Offset(minutes)) => i32::from(minutes) * 60,
        };
        Clock { unix: self.unix, zone_secs }
    }

    /// Queues whole lines of the page, each with the time before it where that is wished.
    pub(super) fn push<S>(&mut self, conn: &mut Conn<S>, range: Range<usize>) {
        if conn.time().is_none() {
            return conn.queue.push(self.page, range);
        }
        let stamp = self.stamp(self.clock(conn.time()));
        let mut start = range.start;
        while let Some(at) = memchr::memchr(b'\n', &self.page.bytes[start..range.end]) {
            let end = start + at + 1;
            conn.queue.push(self.page, stamp.clone());
            conn.queue.push(self.page, start..end);
            start = end;
        }
    }

    /// Where the time of day stands in the page, for a zone.
    fn stamp(&mut self, clock: Clock) -> Range<usize> {
        let is_there = self.stamps.iter().find(|(zone_secs, _)| *zone_secs == clock.zone_secs);
        if let Some((_, range)) = is_there {
            return range.clone();
        }
        let start = self.page.bytes.len();
        wire::stamp(clock, &mut self.page.bytes);
        let range = start..self.page.bytes.len();
        self.stamps.push((clock.zone_secs, range.clone()));
        range
    }
}
