//! What one input brought about, in order: who is told what, and what happens to connections.
//!
//! Promises: effects leave in the order in which they were put in. The caller owns the outbox and
//! empties it before the next input, so an [`Audience`] is resolved against the very members that
//! the rules saw. Deliberately no bytes: `wire` renders, `net::hub` delivers.

use ipnet::IpNet;

use super::ConnId;
use super::event::{Event, Parting, Refusal};
use super::kept::{Change, Ledger, Line, Question};
use super::name::Nick;
use super::record::Record;
use super::room::RoomId;
use super::settings::{Face, Settings};

/// Who caused what is told: people who ignore them are spared it.
#[derive(Clone, Debug)]
pub struct Source {
    /// The connection.
    pub conn: ConnId,
    /// The name at that moment.
    pub nick: Nick,
}

/// Who a connection was that ends.
#[derive(Clone, Debug, Default)]
pub struct Who {
    /// The name, if there was one.
    pub nick: Option<Nick>,
    /// The name of the account, or of the token, that was logged in to.
    pub account: Option<Nick>,
}

/// Who is told.
#[derive(Clone, Debug)]
pub enum Audience {
    /// One connection.
    One(ConnId),
    /// Everybody who has a name.
    Everybody,
    /// The members of rooms hear of somebody's coming or going, which `/quiet` hides.
    Movement {
        /// Which rooms.
        rooms: Vec<RoomId>,
        /// Who came or went, and is not told; `None` for several.
        source: Option<Source>,
    },
    /// The members of rooms hear what somebody has changed.
    Change {
        /// Which rooms.
        rooms: Vec<RoomId>,
        /// Who has changed it, and is not told.
        source: Source,
        /// Who comes in their place, and is not told either.
        heir: Option<ConnId>,
    },
    /// The members of a room who were there before somebody came are told of the arrival; who came
    /// after was shown the name already.
    Witnesses {
        /// Which room.
        room: RoomId,
        /// Who came.
        newcomer: Source,
        /// The newcomer's [`super::room::Member::entry`].
        entry: u64,
    },
    /// The members of a room who want to see who is typing.
    Typists {
        /// Which room.
        room: RoomId,
        /// Who types, and is not told.
        source: Source,
    },
    /// The members of rooms hear what an operator has done, whatever else they want to hear.
    Members {
        /// Which rooms.
        rooms: Vec<RoomId>,
    },
    /// The members of one room hear what one of them, or a visitor, says.
    Listeners {
        /// Which room.
        room: RoomId,
        /// Who speaks, and is not told.
        speaker: Source,
    },
}

/// One thing that follows.
#[derive(Clone, Debug)]
pub enum Effect {
    /// Tell somebody something.
    Tell(Audience, Event),
    /// From here on the connection is served so.
    Serve(ConnId, Settings),
    /// From here on the connection is of that kind.
    Become(ConnId, Face),
    /// The connection's telnet client is asked to let its lines be edited here.
    Negotiate(ConnId),
    /// What the connection types next is a password, which its terminal should not show if that can
    /// be had; or it is not any longer.
    HideTyping(ConnId, bool),
    /// From here on no more lines a second than that are taken from the connection.
    Pace(ConnId, u32),
    /// The connection ends after what it was told so far. Nothing follows for it.
    Close(ConnId, Parting, Who),
    /// Every connection from that network is to be given back as
    /// [`super::Input::Barred`].
    Bar(IpNet),
    /// An operator did that: it belongs into the log of whoever runs the server.
    Record(Box<Record>),
    /// It is to be said when the second connection has taken all that it was told so far, or never
    /// will: the first one wants to know.
    AwaitReceipt(ConnId, ConnId),
    /// No further line of the connection is taken until the answer has come.
    Ask(ConnId, Question),
}

/// An outbox keeps room for this many effects.
const EFFECTS_KEPT: usize = 64;

/// What one input brought about.
#[derive(Debug, Default)]
pub struct Outbox {
    effects: Vec<Effect>,
    /// What is to be kept before anybody is told; unlike the effects it is not cleared, but taken.
    ledger: Ledger,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Outbox {
        Outbox::default()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.effects.is_empty()
    }

    /// Everything, in order.
    pub fn effects(&self) -> &[Effect] {
        &self.effects
    }

    /// Forgets everything, and gives back the memory that an input with many effects took.
    pub fn clear(&mut self) {
        self.effects.clear();
        if self.effects.capacity() > EFFECTS_KEPT {
            self.effects.shrink_to(EFFECTS_KEPT);
        }
    }

    /// What is to be kept, of all inputs since it was last taken.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Takes what is to be kept, and gives an empty ledger for what comes next.
    pub fn take_ledger(&mut self, empty: Ledger) -> Ledger {
        std::mem::replace(&mut self.ledger, empty)
    }

    /// If what is to be kept takes more than so many bytes, about, its lines are forgotten; how
    /// many those are.
    pub fn bound_ledger(&mut self, bytes_max: usize) -> usize {
        if self.ledger.bytes() <= bytes_max {
            return 0;
        }
        let lines = self.ledger.lines().len();
        self.ledger.forget_lines();
        lines
    }

    /// A line is to be kept.
    pub fn keep_line(&mut self, line: Line<'_>) {
        self.ledger.line(line);
    }

    /// A change is to be kept.
    pub fn keep(&mut self, change: Change) {
        self.ledger.change(change);
    }

    /// Asks a question for a connection.
    pub fn ask(&mut self, conn: ConnId, question: Question) {
        self.effects.push(Effect::Ask(conn, question));
    }

    /// Tells one connection.
    pub fn tell(&mut self, conn: ConnId, event: Event) {
        self.effects.push(Effect::Tell(Audience::One(conn), event));
    }

    /// Tells one connection that its line was refused.
    pub fn refuse(&mut self, conn: ConnId, refusal: Refusal) {
        self.tell(conn, Event::Refused(refusal));
    }

    /// Tells an audience.
    pub fn publish(&mut self, audience: Audience, event: Event) {
        self.effects.push(Effect::Tell(audience, event));
    }

    /// From here on the connection is served so.
    pub fn serve(&mut self, conn: ConnId, settings: Settings) {
        self.effects.push(Effect::Serve(conn, settings));
    }

    /// From here on the connection is of that kind.
    pub fn become_face(&mut self, conn: ConnId, face: Face) {
        self.effects.push(Effect::Become(conn, face));
    }

    /// Asks the connection's telnet client to let its lines be edited here.
    pub fn negotiate(&mut self, conn: ConnId) {
        self.effects.push(Effect::Negotiate(conn));
    }

    /// What the connection types next is a password, or is not any longer.
    pub fn hide_typing(&mut self, conn: ConnId, is_hidden: bool) {
        self.effects.push(Effect::HideTyping(conn, is_hidden));
    }

    /// Asks to be given back every connection from that network.
    pub fn bar(&mut self, network: IpNet) {
        self.effects.push(Effect::Bar(network));
    }

    /// An operator did that.
    pub fn record(&mut self, record: Record) {
        self.effects.push(Effect::Record(Box::new(record)));
    }

    /// Asks to be told when `to` has taken all that it was told so far: `from` wants to know.
    pub fn await_receipt(&mut self, from: ConnId, to: ConnId) {
        self.effects.push(Effect::AwaitReceipt(from, to));
    }

    /// From here on no more lines a second than that are taken from the connection.
    pub fn pace(&mut self, conn: ConnId, per_second: u32) {
        self.effects.push(Effect::Pace(conn, per_second));
    }

    /// Ends a connection.
    pub fn close(&mut self, conn: ConnId, parting: Parting, who: Who) {
        self.effects.push(Effect::Close(conn, parting, who));
    }
}
