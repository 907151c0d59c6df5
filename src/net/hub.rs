//! Who is connected, and the turn: read, expire, settle.
//!
//! The hub owns the conversation and the connections. [`Hub::turn`] reads what is ready and hands
//! it to `chat` line by line (`read`), renders what follows into the turn's one page and gives
//! each connection its slices of it (`deliver`), writes each touched queue once, and frees who is
//! doomed (`flush`). Promises: reading and writing never interleave within a turn; nothing is
//! freed while it can be named; a slow reader costs the others nothing; memory is bounded by
//! [`Limits`]. Generic over the [`Stream`], so that all of it can be replayed from a seed.
//! Deliberately without poll, clock, thread or signal: the server has those.

mod deliver;
mod flush;
mod keep;
mod life;
mod limits;
mod oversee;
mod read;
mod receipts;
mod requests;
mod special;
mod terminal;
mod tls;

use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use log::debug;

use crate::chat::event::{Event, Parting};
use crate::chat::outbox::{Outbox, Who};
use crate::chat::pace::Rate;
use crate::chat::{Chat, ConnId, Input, Now};
use crate::wire::{self, Clock, Ends};

use super::conn::{Conn, Stage};
use super::door::{self, Door};
use super::figures::{Counts, Kind};
use super::logbook::Logbook;
use super::queue::OpenPage;
use super::slots::Slots;
use deliver::Replay;
use keep::Keeping;
use tls::Handshakes;

pub use super::conn::{Readable, Stream};
pub use keep::{Errands, Keep};
pub use oversee::{State, Watched};

/// How many refused connections may linger until they have taken their refusal. More are closed at
/// once; their refusal arrives unless they have sent something already.
const REFUSED_MAX: usize = 16;

/// As much is given away to be kept at once, in bytes, about: a turn says no more.
const LEDGER_BYTES_MAX: usize = 1 << 20;

/// There is room for this many timers, and for this many in each list of a turn, also when there
/// are none.
const TIMERS_KEPT: usize = 64;
const LISTED_KEPT: usize = 1024;

/// What the hub is bounded by.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in all.
    pub connections_max: Option<usize>,
    /// Connections from one address; loopback is exempt.
    pub connections_per_address_max: Option<usize>,
    /// How often connections come from one address; loopback is exempt.
    pub connects: Option<Rate>,
    /// Bytes of a line, its end not counted.
    pub line_bytes_max: Option<usize>,
    /// How fast the lines of one connection are taken.
    pub pace: Option<Rate>,
    /// Bytes that wait to be sent to one connection.
    pub queue_bytes_max: Option<usize>,
    /// Bytes that wait to be sent in all; shared ones count once.
    pub queue_total_bytes_max: Option<usize>,
    /// How long a connection that ends may take to receive what waits, and to stop sending.
    pub drain_timeout: Duration,
    /// How long a peer may take nothing of what waits.
    pub stall_timeout: Option<Duration>,
    /// TLS handshakes that are under way at once, a quarter of them from one origin; more
    /// connections are closed.
    pub handshakes_max: usize,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// Bytes read from one connection in one turn.
    pub read_bytes_per_turn: usize,
    /// Whether lines are kept, and told before or after; `None` when nobody runs errands.
    pub keep: Option<Keep>,
}

/// What is due for a connection at some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    /// The pace allows its next line.
    Pace(ConnId),
    /// It has had its time for its handshake.
    Handshake(ConnId),
    /// It has had its time to drain.
    Drain(ConnId),
    /// Does the peer take anything?
    Stall(ConnId),
    /// The server stops, and the answer it waits for has not come in time.
    Answer(ConnId),
    /// Somebody whom it shows typing may have stopped.
    Typing(ConnId),
}

/// The connections and the conversation.
#[derive(Debug)]
pub struct Hub<S> {
    chat: Chat,
    limits: Limits,
    conns: Slots<Conn<S>>,
    door: Door,
    outbox: Outbox,
    timers: BinaryHeap<Reverse<(Duration, Timer)>>,
    /// Who is to be served in this turn, or in the next one.
    ready: Vec<ConnId>,
    /// The list of the last turn, for its room.
    spare: Vec<ConnId>,
    /// Who is to be flushed at the end of this turn.
    touched: Vec<ConnId>,
    /// How many of them were touched before this turn, and hold something of a page that is held
    /// back.
    held_touched: usize,
    /// Who is to be freed at the end of this turn.
    doomed: Vec<ConnId>,
    /// What was rendered in this turn, and in those before it that are held back with it.
    page: OpenPage,
    /// The times of day that stand in the page, by zone.
    stamps: Vec<(i32, Range<usize>)>,
    /// The last earlier lines that were rendered into the page, and where: a storm of people is
    /// shown the same ones.
    replay: Option<Replay>,
    /// When the page is as large as this, no further line is taken in this turn: whoever reads at
    /// all can take what one turn says.
    page_bytes_max: usize,
    /// What is kept for those who could not be sent everything: frozen pages and slices of them.
    pinned: Rc<Cell<usize>>,
    /// More was kept than may be, and it has not fallen to half of that since.
    is_overfull: bool,
    /// What is given away to be kept, and what waits for it.
    keeping: Keeping,
    /// Whose line is being obeyed, if its sender awaits an answer.
    answering: Option<ConnId>,
    /// Whose prompt left the screen in this turn.
    hidden: Vec<ConnId>,
    /// To whom somebody was shown typing in this turn.
    watched_typing: Vec<ConnId>,
    /// What a terminal is sent; empty in between.
    echo: Vec<u8>,
    /// The bytes of blocks that are being taken.
    sized_bytes: usize,
    /// Who wants to know when whom has taken what they were told: the first of each pair.
    receipts: Vec<(ConnId, ConnId)>,
    /// Who hears what the members of several rooms are told; empty in between.
    hearers: Vec<ConnId>,
    /// Connections that are in their handshake, in the order in which they came.
    handshakes: Handshakes,
    /// Steps of handshakes that may still be taken in this turn.
    handshake_steps: usize,
    /// Refused connections that have not gone yet.
    refused: usize,
    /// What has happened so far.
    counts: Counts,
    /// What is logged of it.
    logbook: Logbook,
    /// What all reads go through.
    buffer: Vec<u8>,
    /// The time of this turn.
    now: Now,
    is_stopping: bool,
    /// Nobody is let in any more; everybody else stays for now.
    is_shut: bool,
}

impl<S: Stream> Hub<S> {
    /// A hub without connections.
    pub fn new(chat: Chat, limits: Limits) -> Hub<S> {
        Hub {
            chat,
            limits,
            conns: Slots::default(),
            door: Door::new(limits.of_door()),
            outbox: Outbox::new(),
            timers: BinaryHeap::new(),
            ready: Vec::new(),
            spare: Vec::new(),
            touched: Vec::new(),
            held_touched: 0,
            doomed: Vec::new(),
            page: OpenPage::default(),
            stamps: Vec::new(),
            replay: None,
            page_bytes_max: limits.page_bytes_max(),
            pinned: Rc::new(Cell::new(0)),
            is_overfull: false,
            keeping: Keeping::default(),
            answering: None,
            hidden: Vec::new(),
            watched_typing: Vec::new(),
            echo: Vec::new(),
            sized_bytes: 0,
            receipts: Vec::new(),
            hearers: Vec::new(),
            handshakes: Handshakes::default(),
            handshake_steps: tls::STEPS_PER_TURN,
            refused: 0,
            counts: Counts::default(),
            logbook: Logbook::default(),
            buffer: vec![0; limits.buffer_bytes()],
            now: Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 },
            is_stopping: false,
            is_shut: false,
        }
    }

    /// Takes in a connection. It is greeted, or told why it is refused, at the end of the turn.
    /// `None` when it was refused and is gone already.
    pub fn open(&mut self, stream: S, from: SocketAddr, now: Now) -> Option<ConnId> {
        self.take_in(stream, from, Kind::Lines, now)
    }

    /// Takes in a connection for a telnet client, which is asked at once to send each key.
    pub fn open_telnet(&mut self, stream: S, from: SocketAddr, now: Now) -> Option<ConnId> {
        self.take_in(stream, from, Kind::Telnet, now)
    }

    fn take_in(&mut self, stream: S, from: SocketAddr, kind: Kind, now: Now) -> Option<ConnId> {
        self.now = now;
        if let Err((parting, last)) = self.let_in(from) {
            return self.refuse(stream, from, parting, &last);
        }
        let conn = self.conns.insert(Conn::new(stream, from, Some(kind), now.mono));
        debug!(peer:% = from, kind = kind.word(); "connected");
        self.counts.note_opened(kind);
        if kind == Kind::Telnet {
            self.negotiate(conn);
        }
        self.chat(Input::Open { conn, origin: door::origin(from.ip()) });
        Some(conn)
    }

    /// Counts somebody as let in, or says why not, and the last line that they are told.
    fn let_in(&mut self, from: SocketAddr) -> Result<(), (Parting, Event)> {
        let address = from.ip().to_canonical();
        self.check_open_to(address)?;
        let entered = self.door.enter(address, self.now.mono);
        entered.map_err(|parting| (parting, Event::Bye { nick: None, parting }))
    }

    /// Says why nobody from there may come in at present, and the last line that they are told.
    fn check_open_to(&self, address: IpAddr) -> Result<(), (Parting, Event)> {
        if let Some(last) = self.chat.barred(address.into(), self.now.unix) {
            return Err((Parting::Banned, last));
        }
        let parting = Parting::Shutdown;
        match self.is_stopping || self.is_shut {
            true => Err((parting, Event::Bye { nick: None, parting })),
            false => Ok(()),
        }
    }

    /// Tells somebody why they cannot come in.
    fn refuse(
        &mut self,
        mut stream: S,
        from: SocketAddr,
        parting: Parting,
        last: &Event,
    ) -> Option<ConnId> {
        self.note_refused(parting);
        self.log_refused(from, parting.word());
        if self.refused >= REFUSED_MAX {
            // Best effort: a peer that gets nothing at least sees the end.
            let _ = stream.write(&last_line(last, self.now));
            let _ = stream.finish_writing();
            return None;
        }
        self.refused += 1;
        let conn = self.conns.insert(Conn::new(stream, from, None, self.now.mono));
        self.tell(conn, last);
        self.close(conn, parting, Who::default());
        Some(conn)
    }

    /// The stream of a connection, to register it with the poll.
    pub fn stream_mut(&mut self, conn: ConnId) -> Option<&mut S> {
        self.conns.find_mut(conn).map(|conn| &mut conn.stream)
    }

    /// The poll says that a connection may have something to read, and how far to read then, or
    /// room for something to write. Connections that are gone are ignored.
    pub fn ready(&mut self, conn: ConnId, readable: Readable, is_writable: bool) {
        let Some(it) = self.conns.find_mut(conn) else { return };
        if is_writable && !it.is_writable {
            it.is_writable = true;
            self.touch(conn);
        }
        if readable != Readable::No
            && let Some(it) = self.conns.find_mut(conn)
        {
            it.readable = it.readable.max(readable);
            self.list(conn);
        }
    }

    /// One turn: reads what is ready, does what is due, tells everybody.
    pub fn turn(&mut self, now: Now) {
        self.now = now;
        self.handshake_steps = tls::STEPS_PER_TURN;
        let mut listed = std::mem::replace(&mut self.ready, std::mem::take(&mut self.spare));
        let mut waiting = listed.drain(..);
        while !self.turn_is_full()
            && let Some(conn) = waiting.next()
        {
            if let Some(it) = self.conns.find_mut(conn) {
                it.is_listed = false;
                self.serve(conn);
            }
        }
        // Who had no place in this turn comes before who had one and wants more.
        self.ready.splice(0..0, waiting);
        listed.shrink_to(LISTED_KEPT);
        self.spare = listed;
        self.expire();
        self.settle();
        self.logbook.catch_up(now.mono);
    }

    /// Whether as much was said as a turn may say. A server that stops takes what has come within
    /// bounds of its own, also while a page is held back.
    fn turn_is_full(&self) -> bool {
        if self.is_stopping && self.is_holding() {
            return false;
        }
        let ledger_bytes = self.outbox.ledger().bytes();
        let is_ledger_full = ledger_bytes >= LEDGER_BYTES_MAX && !self.is_overdue();
        self.page.bytes.len() >= self.page_bytes_max || is_ledger_full
    }

    /// When the next turn is due, since start, even if nothing becomes ready; zero when work is
    /// waiting already.
    pub fn deadline(&self) -> Option<Duration> {
        let is_stuck = self.is_stuck();
        let is_touched = self.touched.len() > self.held_touched || !self.is_holding();
        if !self.ready.is_empty() && !is_stuck || !self.touched.is_empty() && is_touched {
            return Some(Duration::ZERO);
        }
        let own = self.timers.peek().map(|Reverse((at, _))| *at);
        let of_chat = self.chat.deadline().filter(|_| !is_stuck);
        own.into_iter().chain(of_chat).chain(self.keeping_deadline()).min()
    }

    /// Says goodbye to everyone. Lines that wait are said before. Further turns send what is left;
    /// the hub is empty after the drain timeout at the latest.
    pub fn shut_down(&mut self, now: Now) {
        self.now = now;
        self.is_stopping = true;
        self.serve_all();
        self.settle();
        self.conns.ids().into_iter().for_each(|conn| self.dismiss_at_stop(conn));
        self.settle();
    }

    /// Says goodbye to somebody because the server stops; to who waits for an answer, later.
    fn dismiss_at_stop(&mut self, conn: ConnId) {
        let Some(it) = self.conns.find(conn) else { return };
        if it.stage == Stage::Handshaking {
            return self.doom(conn);
        }
        if !it.is_talking() {
            return;
        }
        if it.is_awaiting {
            let at = self.now.mono + self.limits.drain_timeout;
            self.timers.push(Reverse((at, Timer::Answer(conn))));
        } else {
            self.chat(Input::Ended { conn, parting: Parting::Shutdown });
        }
    }

    /// Whether every connection is gone.
    pub fn is_empty(&self) -> bool {
        self.conns.is_empty()
    }

    /// The conversation, for tests and figures.
    pub fn conversation(&self) -> &Chat {
        &self.chat
    }

    /// What is kept for those who could not be sent everything, in bytes; shared pages count once.
    pub fn queued_bytes(&self) -> usize {
        self.pinned.get()
    }

    /// Panics when something does not hold that always must. Linear: for tests.
    pub fn assert_invariants(&self) {
        self.chat.assert_invariants();
        assert!(self.outbox.is_empty(), "the outbox is empty between turns");
        assert!(self.doomed.is_empty(), "who is doomed is reaped within the turn");
        let is_holding = self.is_holding();
        let is_empty = self.page.bytes.is_empty();
        assert!(is_empty || is_holding, "a page lives for a turn, or is frozen, or held back");
        let talking = self.conns.iter().filter(|(_, conn)| conn.is_talking()).count();
        assert_eq!(talking, self.chat.connected(), "the conversation knows who talks");
        let admitted = self.conns.iter().filter(|(_, conn)| conn.kind.is_some()).count();
        assert_eq!(admitted, self.door.inside(), "the door counts who was let in");
        assert_eq!(self.conns.len() - admitted, self.refused, "the others were refused");
        let shaking = self.conns.iter().filter(|(_, conn)| conn.stage == Stage::Handshaking);
        assert_eq!(shaking.count(), self.handshakes.len(), "handshakes are counted");
        for (id, conn) in self.conns.iter() {
            assert!(
                is_holding || !conn.queue.holds_fresh(),
                "{id:?} waits for a page that is gone"
            );
            assert!(is_holding || !conn.is_held, "{id:?} waits for a page that has left");
            let is_idle = conn.is_writable && conn.is_talking() && !is_holding;
            assert!(!is_idle || conn.queue.is_empty(), "{id:?} was not flushed");
            let kept = conn.inbox.as_ref().map_or(0, |inbox| inbox.rest().len());
            assert!(kept <= limits::BUFFER_BYTES_MAX, "{id:?} keeps more than one read");
        }
        self.assert_nothing_is_left();
        let is_waiting = self.conns.iter().any(|(_, conn)| !conn.queue.is_empty());
        assert!(is_waiting || is_holding || self.pinned.get() == 0, "pages are pinned for nobody");
    }

    /// Panics when something is left over of a turn, or of who is gone.
    fn assert_nothing_is_left(&self) {
        assert!(self.answering.is_none(), "a line is obeyed within a turn");
        for conn in self.hidden.iter().filter_map(|id| self.conns.find(*id)) {
            let is_behind = !conn.queue.is_empty() || conn.queue.is_behind() || conn.is_held;
            assert!(!conn.is_talking() || is_behind, "a prompt is back unless there is no room");
        }
        assert!(self.watched_typing.is_empty(), "who types is timed within the turn");
        assert!(self.echo.is_empty() && self.hearers.is_empty(), "lists are empty in between");
        let sized = self.conns.iter().filter_map(|(_, conn)| conn.sized());
        let bytes: usize = sized.map(|sized| sized.bytes.len()).sum();
        assert_eq!(bytes, self.sized_bytes, "the bytes of blocks are counted");
        for (_, to) in &self.receipts {
            let to = self.conns.find(*to).filter(|conn| conn.is_talking());
            let is_due = to.is_none_or(|conn| conn.queue.is_empty() && !conn.is_held);
            assert!(!is_due, "a receipt is told within the turn");
        }
    }

    /// Lets the conversation take an input, and delivers what follows from it at once: so that an
    /// audience is who was there when it was said.
    fn chat(&mut self, input: Input<'_>) {
        self.chat.handle(input, self.now, &mut self.outbox);
        self.deliver();
    }

    /// The connection is to be served in the coming turn.
    fn list(&mut self, conn: ConnId) {
        if let Some(it) = self.conns.find_mut(conn)
            && !it.is_listed
        {
            it.is_listed = true;
            self.ready.push(conn);
        }
    }

    /// The connection is to be flushed at the end of the turn.
    fn touch(&mut self, conn: ConnId) {
        if let Some(it) = self.conns.find_mut(conn)
            && !it.is_touched
        {
            it.is_touched = true;
            self.touched.push(conn);
        }
    }

    /// Does what is due, for connections and for the conversation.
    fn expire(&mut self) {
        self.check_patience();
        while let Some(Reverse((at, timer))) = self.timers.peek().copied() {
            if at > self.now.mono {
                break;
            }
            self.timers.pop();
            if self.timers.len() < self.timers.capacity() / 8 {
                self.timers.shrink_to(self.timers.len() * 2 + TIMERS_KEPT);
            }
            match timer {
                Timer::Pace(conn) => self.serve(conn),
                Timer::Handshake(conn) => self.expire_handshake(conn),
                Timer::Drain(conn) => self.check_end(conn),
                Timer::Stall(conn) => self.check_stall(conn),
                Timer::Answer(conn) => self.give_up_answer(conn),
                Timer::Typing(conn) => self.expire_typists(conn),
            }
        }
        while !self.turn_is_full() && self.chat.deadline().is_some_and(|at| at <= self.now.mono) {
            self.chat(Input::Time);
        }
    }

    /// The server stops, and cannot wait for an answer any longer.
    fn give_up_answer(&mut self, conn: ConnId) {
        if self.conns.find(conn).is_some_and(|it| it.is_awaiting) {
            self.chat(Input::Ended { conn, parting: Parting::Shutdown });
        }
    }

    /// The connection goes at the end of the turn.
    fn doom(&mut self, conn: ConnId) {
        if self.conns.find(conn).is_some_and(|it| it.stage == Stage::Doomed) {
            return;
        }
        self.set_stage(conn, Stage::Doomed);
        if let Some(it) = self.conns.find_mut(conn) {
            it.queue.clear();
            self.doomed.push(conn);
        }
    }
}

/// The whole line that tells a peer why it cannot come in.
pub fn refuse_line(parting: Parting) -> Vec<u8> {
    let now = Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 };
    last_line(&Event::Bye { nick: None, parting }, now)
}

fn last_line(event: &Event, now: Now) -> Vec<u8> {
    let mut line = Vec::new();
    let clock = Clock { unix: now.unix, zone_secs: now.zone_secs };
    wire::render(event, Ends::Lf, clock, &mut line);
    line
}
