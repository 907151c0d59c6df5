//! All that the server can say, as data: what is told ([`Event`]), with why a line was refused
//! ([`Refusal`]), and why a connection ended ([`Parting`]).
//!
//! Promises: every enum here is closed. Deliberately no English: `wire::text` words all of it.

mod moderation;
mod parts;

use std::rc::Rc;

use super::command::Verb;
use super::kept::{KeptDirect, Span};
use super::name::{Nick, RoomName};
pub use super::refusal::{Code, JsonFault, RankFault, Refusal, TokenFault, Whose};
use super::sanctions::Kind;
use super::settings::{Face, Setting};
pub use moderation::{Act, Deed, ModerationFault, Subject};
pub use parts::{
    Edges, PasteNews, Profile, RankNews, Receipt, Remembered, Roll, RoomRow, StopNews, TokenNews,
    TokenRow,
};

/// What can be told to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection is greeted; `people` have a name already.
    Greeting {
        /// How many people are here; `None` where that is for members alone.
        people: Option<usize>,
        /// Whether members alone come in.
        is_for_members: bool,
    },
    /// A connection before its name pressed Enter.
    NameWanted,
    /// The connection has its name now.
    Welcome {
        /// The name.
        nick: Nick,
        /// Whether the server gave a guest name because a line had to be said.
        is_guest: bool,
        /// Where the user starts and with whom; `None` without a lobby.
        lobby: Option<(RoomName, Roll)>,
    },
    /// What the operator of the server tells everybody who has come.
    Motd {
        /// It, LF between its lines; never empty.
        text: Rc<str>,
    },
    /// Said in a room.
    Said {
        /// The line's id.
        id: u64,
        /// Where.
        room: RoomName,
        /// By whom.
        nick: Nick,
        /// What.
        text: Rc<str>,
    },
    /// `/me` in a room.
    Acted {
        /// The line's id.
        id: u64,
        /// Where.
        room: RoomName,
        /// By whom.
        nick: Nick,
        /// What.
        text: Rc<str>,
    },
    /// Said in a room in many lines at once.
    Block {
        /// The line's id: it has one, as any other.
        id: u64,
        /// Where.
        room: RoomName,
        /// By whom.
        nick: Nick,
        /// What: at least two lines, LF between them.
        text: Rc<str>,
    },
    /// Said to one person alone.
    Whispered {
        /// By whom.
        nick: Nick,
        /// What.
        text: Rc<str>,
    },
    /// Who was whispered to is away.
    IsAway {
        /// Who.
        nick: Nick,
        /// What was given to `/away`.
        text: Rc<str>,
    },
    /// Somebody entered a room.
    Came {
        /// Where.
        room: RoomName,
        /// Who.
        nick: Nick,
    },
    /// Somebody left a room.
    Left {
        /// Where.
        room: RoomName,
        /// Who.
        nick: Nick,
    },
    /// Somebody left the server.
    Gone {
        /// Who.
        nick: Nick,
    },
    /// Comings and goings of a second in a large room.
    Tally {
        /// Where.
        room: RoomName,
        /// How many came.
        came: u32,
        /// How many left.
        left: u32,
    },
    /// Somebody changed the name.
    Renamed {
        /// The old name.
        old: Nick,
        /// The new name.
        new: Nick,
    },
    /// Your name was changed.
    YouAre {
        /// The new name.
        nick: Nick,
    },
    /// You made a room.
    Made {
        /// Which.
        room: RoomName,
        /// Whether it has a password.
        is_locked: bool,
    },
    /// You entered a room.
    Joined {
        /// Which.
        room: RoomName,
        /// Who else is there.
        others: Roll,
        /// What it is about.
        topic: Option<Rc<str>>,
    },
    /// A room that you were in already is your current one.
    Current {
        /// Which.
        room: RoomName,
    },
    /// You left a room.
    YouLeft {
        /// Which.
        room: RoomName,
        /// Your current one now.
        current: Option<RoomName>,
    },
    /// What a room is about.
    Topic {
        /// Which.
        room: RoomName,
        /// Its topic.
        topic: Option<Rc<str>>,
    },
    /// Somebody set a room's topic, or removed it.
    TopicSet {
        /// Which.
        room: RoomName,
        /// Who.
        nick: Nick,
        /// The topic.
        topic: Option<Rc<str>>,
    },
    /// Everybody who is here.
    Everybody {
        /// Who.
        roll: Roll,
    },
    /// Who is in a room.
    Members {
        /// Which.
        room: RoomName,
        /// Who.
        roll: Roll,
    },
    /// Who somebody is.
    Profile(Box<Profile>),
    /// The rooms.
    Rooms {
        /// Those shown.
        rows: Vec<RoomRow>,
        /// How many there are, those not shown included.
        total: usize,
    },
    /// The list of commands.
    Help,
    /// One command in a paragraph.
    HelpOn(Verb),
    /// Whom you ignore.
    Ignoring {
        /// Them.
        nicks: Vec<Nick>,
    },
    /// You ignore somebody from now on, or do not.
    Ignored {
        /// Whom.
        nick: Nick,
        /// Whether from now on.
        is_ignored: bool,
    },
    /// You are away, with a text, or back.
    Away {
        /// What was given to `/away`; `None` when back.
        text: Option<Rc<str>>,
    },
    /// Comings and goings are hidden from you, or shown.
    Quiet {
        /// Whether hidden.
        is_on: bool,
    },
    /// Your lines begin with the time, or no longer.
    Time {
        /// Which zone's; `None` for no times.
        zone: Option<Zone>,
    },
    /// What has become of what you said to somebody alone.
    Receipt(Receipt),
    /// Somebody types a line.
    Typing {
        /// For which room.
        room: RoomName,
        /// Who.
        nick: Nick,
    },
    /// Something is otherwise for you from now on.
    Set(Setting),
    /// Your connection is of that kind from now on.
    Face(Face),
    /// Your telnet client goes on editing its lines itself.
    NoTerminal,
    /// Your line was taken; told to who wants to know.
    Taken {
        /// Which of all your lines since then.
        number: u64,
    },
    /// How many earlier lines you are shown on joining.
    ReplayLines {
        /// How many.
        lines: usize,
    },
    /// What was said in a room before you came.
    Replay {
        /// Which.
        room: RoomName,
        /// The lines, oldest first; never empty. Who is shown the same shares them.
        lines: Rc<[Remembered]>,
    },
    /// Lines of a room that you asked for, oldest first.
    History {
        /// Which room's.
        room: RoomName,
        /// The lines, without those of people whom you ignore.
        lines: Rc<[Remembered]>,
        /// The first and the last line with those; `None` when there is none.
        edges: Option<Edges>,
        /// Whether there are more: older ones, or newer ones from a time on.
        has_more: bool,
        /// Which you asked for.
        span: Span,
    },
    /// What you searched for.
    Found {
        /// What that was.
        words: Rc<str>,
        /// The lines with it, newest first, each with its room.
        lines: Rc<[(RoomName, Remembered)]>,
        /// Whether there are more, or may be.
        has_more: bool,
        /// How many of the newest lines were not looked at.
        unsearched: u64,
    },
    /// The whole of a line that you asked for.
    Whole {
        /// Which room's.
        room: RoomName,
        /// The line; if it is a block, with LF between its lines.
        line: Remembered,
    },
    /// What becomes of the block that you type.
    Paste(PasteNews),
    /// You are in a room again in which you were when you left.
    Back {
        /// Which.
        room: RoomName,
        /// How many lines were said there meanwhile.
        missed: u64,
    },
    /// You are not in a room again in which you were when you left: it is full, or you are in as
    /// many as may be.
    StaysOut {
        /// Which.
        room: RoomName,
    },
    /// What was said to you alone while you were away, oldest first; never empty.
    Directs {
        /// What.
        directs: Rc<[KeptDirect]>,
    },
    /// Whom you whispered to is not here: it is kept.
    DirectKept {
        /// Who.
        nick: Nick,
    },
    /// An operator did something to somebody: to you, or to another one.
    Moderated(Box<Deed>),
    /// An operator did something to you that has put you out of a room.
    PutOut {
        /// What.
        deed: Box<Deed>,
        /// Your current room now.
        current: Option<RoomName>,
    },
    /// An operator did something to you that ends your connection; nothing comes after it.
    Expelled {
        /// What.
        deed: Box<Deed>,
        /// Who you were; `None` of who is not let in.
        nick: Option<Nick>,
    },
    /// Who is banned there, or muted.
    Listed {
        /// Which of the two.
        kind: Kind,
        /// Where; `None` for everywhere.
        room: Option<RoomName>,
        /// What was done to them, the last first; at most [`super::moderate::LISTED_MAX`].
        rows: Vec<Deed>,
        /// How many there are, those not shown included.
        total: usize,
    },
    /// Your name is yours now.
    Registered {
        /// The name.
        nick: Nick,
    },
    /// A name is nobody's any longer.
    Unregistered {
        /// The name.
        nick: Nick,
    },
    /// You have another password.
    PasswordChanged,
    /// About your tokens.
    Token(TokenNews),
    /// The name that you gave is somebody's: its password is awaited.
    PasswordWanted {
        /// The name.
        nick: Nick,
        /// Whether it is said that it is somebody's.
        is_somebodys: bool,
    },
    /// What you type next shows on your screen.
    TypingShows,
    /// No password is awaited any longer; you gave none.
    LoginDropped {
        /// Who you are, if you have a name.
        nick: Option<Nick>,
    },
    /// A room was locked, or unlocked, by its owner.
    LockSet {
        /// Which.
        room: RoomName,
        /// Who.
        nick: Nick,
        /// Whether it is locked now.
        is_locked: bool,
    },
    /// A room is closed if you ask for that once more.
    CloseAsked {
        /// Which.
        room: RoomName,
    },
    /// A room was closed by its owner: nobody is in it any longer, and its lines are gone.
    Closed {
        /// Which.
        room: RoomName,
        /// Who.
        nick: Nick,
        /// Your current one now.
        current: Option<RoomName>,
    },
    /// About operators, or by one.
    Rank(RankNews),
    /// You send faster than the pace; told once.
    Slowed {
        /// Lines a second.
        per_second: u32,
    },
    /// Lines for you were dropped at this place.
    Dropped {
        /// How many.
        lines: u64,
    },
    /// From now on lines are not kept, or are again.
    Keeping {
        /// Whether they are.
        is_kept: bool,
    },
    /// The server is about to stop, or no longer.
    Stop(StopNews),
    /// Telnet's interrupt came: the half-typed line is gone.
    Interrupted,
    /// Telnet's "are you there".
    Here,
    /// Your line was refused.
    Refused(Refusal),
    /// Your connection ends; nothing comes after it.
    Bye {
        /// Who you were.
        nick: Option<Nick>,
        /// Why.
        parting: Parting,
    },
}

impl Event {
    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Event::Bye { .. } | Event::Expelled { .. })
    }

    /// Whether many hear it and it says until when something holds, which is otherwise in another
    /// zone.
    pub fn shows_moment(&self) -> bool {
        matches!(self, Event::Moderated(deed) if deed.end.is_some())
    }
}

/// Which times a reader is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The server's own zone.
    Server,
    /// A fixed offset from UTC, in minutes, from -14:00 to +14:00.
    Offset(i16),
}

/// A protocol that is not ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stranger {
    /// A request line of HTTP.
    Http,
    /// A ClientHello of TLS.
    Tls,
    /// A banner of SSH.
    Ssh,
    /// Anything but TLS, where only that is spoken.
    Plain,
}

/// Why a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parting {
    /// The user said `quit`.
    Quit,
    /// The peer ended its input.
    EndOfInput,
    /// The connection broke.
    Lost,
    /// As many connections as may be.
    ServerFull,
    /// As many connections from one address as may be.
    TooManyFromHere,
    /// Connections from one address come more often than they may.
    TooOftenFromHere,
    /// The peer speaks something else.
    WrongProtocol(Stranger),
    /// No name was given in time.
    NoName,
    /// The peer has taken nothing for too long.
    TooSlow,
    /// The same account was logged in to elsewhere.
    TakenOver,
    /// The token that was used is taken back.
    TokenDropped,
    /// An operator of the server has put them out.
    Kicked,
    /// An operator of the server keeps them out.
    Banned,
    /// The server stops.
    Shutdown,
}

impl Parting {
    /// Every parting there is, with one stranger for all of them.
    pub const ALL: &[Parting] = &[
        Parting::Quit,
        Parting::EndOfInput,
        Parting::Lost,
        Parting::ServerFull,
        Parting::TooManyFromHere,
        Parting::TooOftenFromHere,
        Parting::Banned,
        Parting::Kicked,
        Parting::WrongProtocol(Stranger::Http),
        Parting::NoName,
        Parting::TooSlow,
        Parting::TakenOver,
        Parting::TokenDropped,
        Parting::Shutdown,
    ];

    /// The stable word by which operators know it.
    pub fn word(&self) -> &'static str {
        match self {
            Parting::Quit => "quit",
            Parting::EndOfInput => "end-of-input",
            Parting::Lost => "lost",
            Parting::ServerFull => "server-full",
            Parting::TooManyFromHere => "too-many-from-here",
            Parting::TooOftenFromHere => "too-often-from-here",
            Parting::Banned => "banned",
            Parting::Kicked => "kicked",
            Parting::WrongProtocol(_) => "wrong-protocol",
            Parting::NoName => "no-name",
            Parting::TooSlow => "too-slow",
            Parting::TakenOver => "taken-over",
            Parting::TokenDropped => "token-dropped",
            Parting::Shutdown => "shutdown",
        }
    }

    /// The code of the last line, for partings that are a refusal.
    pub fn code(self) -> Option<Code> {
        match self {
            Parting::ServerFull => Some(Code::ServerFull),
            Parting::TooManyFromHere => Some(Code::TooManyFromHere),
            Parting::TooOftenFromHere => Some(Code::TooOftenFromHere),
            Parting::WrongProtocol(_) => Some(Code::WrongProtocol),
            Parting::NoName => Some(Code::NoName),
            Parting::TooSlow => Some(Code::TooSlow),
            Parting::Kicked => Some(Code::Kicked),
            Parting::Banned => Some(Code::Banned),
            Parting::Quit
            | Parting::EndOfInput
            | Parting::Lost
            | Parting::TakenOver
            | Parting::TokenDropped
            | Parting::Shutdown => None,
        }
    }
}
