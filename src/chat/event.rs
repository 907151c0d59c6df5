//! All that the server can say, as data: what is told ([`Event`]), why a line was refused
//! ([`Refusal`]) and why a connection ended ([`Parting`]).
//!
//! Promises: every enum here is closed, and [`Code`] is API: codes are added, none changes its
//! meaning. Deliberately no English: `wire::text` words all of it.

use std::rc::Rc;
use std::time::Duration;

use super::command::Verb;
use super::name::{NameFault, Nick, RoomName};

/// Some of the names in a place, and how many there are in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roll {
    /// The names shown, in the order of their keys; `true` for who is away. Bounded by the asker.
    pub shown: Vec<(Nick, bool)>,
    /// How many there are, those not shown included.
    pub total: usize,
}

/// One line of a room as it is remembered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// When it was said, in seconds since 1970 UTC.
    pub unix: i64,
    /// Who said it.
    pub nick: Nick,
    /// Whether it was a `/me`.
    pub is_action: bool,
    /// What was said.
    pub text: Rc<str>,
}

/// A room as `/rooms` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RoomRow {
    /// A room that the asker may look into.
    Open {
        /// Its name.
        room: RoomName,
        /// How many are in it.
        members: usize,
        /// What it is about.
        topic: Option<Rc<str>>,
        /// Whether it has a password (the asker is inside).
        is_locked: bool,
    },
    /// A locked room, seen from outside.
    Locked {
        /// Its name.
        room: RoomName,
    },
}

/// What `/who nick` tells about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Who.
    pub nick: Nick,
    /// The rooms that are open, or that the asker is in too. Bounded.
    pub rooms: Vec<RoomName>,
    /// How many further such rooms there are.
    pub rooms_more: usize,
    /// When the connection came, in seconds since 1970 UTC.
    pub since_unix: i64,
    /// How long ago that is.
    pub span: Duration,
    /// How long nothing was typed.
    pub idle: Duration,
    /// What was given to `/away`; an empty text for none.
    pub away: Option<Rc<str>>,
    /// The connection's unguessable id.
    pub id: u64,
}

/// What can be told to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A connection is greeted; `people` have a name already.
    Greeting {
        /// How many people are here.
        people: usize,
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
    /// Said in a room.
    Said {
        /// Where.
        room: RoomName,
        /// By whom.
        nick: Nick,
        /// What.
        text: Rc<str>,
    },
    /// `/me` in a room.
    Acted {
        /// Where.
        room: RoomName,
        /// By whom.
        nick: Nick,
        /// What.
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
    /// The peer speaks something else.
    WrongProtocol(Stranger),
    /// No name was given in time.
    NoName,
    /// The peer has taken nothing for too long.
    TooSlow,
    /// The server stops.
    Shutdown,
}

impl Parting {
    /// The code of the last line, for partings that are a refusal.
    pub fn code(self) -> Option<Code> {
        match self {
            Parting::ServerFull => Some(Code::ServerFull),
            Parting::TooManyFromHere => Some(Code::TooManyFromHere),
            Parting::WrongProtocol(_) => Some(Code::WrongProtocol),
            Parting::NoName => Some(Code::NoName),
            Parting::TooSlow => Some(Code::TooSlow),
            Parting::Quit | Parting::EndOfInput | Parting::Lost | Parting::Shutdown => None,
        }
    }
}

/// Why a line was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The command lacks something or has too much of it.
    Usage(Verb),
    /// `#room` without a text.
    NothingSaidInRoom {
        /// The room as typed.
        room: String,
    },
    /// `@nick` without a text.
    NothingSaidToUser {
        /// The nick as typed.
        nick: String,
    },
    /// `#` or `@` without a name.
    NoAddress {
        /// Which of the two.
        sigil: char,
    },
    /// As many people are ignored as may be.
    IgnoresFull {
        /// The bound.
        most: usize,
    },
    /// Nobody can ignore themself.
    IgnoresSelf,
    /// There is no such command.
    UnknownCommand {
        /// As typed, without the slash.
        typed: String,
        /// What may have been meant.
        meant: Option<Verb>,
    },
    /// The line is longer than may be.
    LineTooLong {
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// No name at all.
    NameInvalid {
        /// As typed.
        typed: String,
        /// What is wrong with it.
        fault: NameFault,
    },
    /// Somebody has that name.
    NameTaken {
        /// The name.
        nick: Nick,
        /// A free one like it.
        free: Option<Nick>,
    },
    /// The name looks like one in use.
    NameConfusable {
        /// As typed.
        typed: String,
        /// The one it looks like.
        like: String,
    },
    /// There is no such room.
    NoSuchRoom {
        /// The room.
        room: RoomName,
        /// What may have been meant.
        meant: Option<RoomName>,
    },
    /// There is nobody of that name.
    NoSuchUser {
        /// As typed.
        typed: String,
        /// Who may have been meant.
        meant: Option<Nick>,
    },
    /// There is no current room to speak in.
    NoRoom,
    /// You are not in that room.
    NotAMember {
        /// Which.
        room: RoomName,
        /// Whether it has a password.
        is_locked: bool,
    },
    /// The room has a password.
    RoomLocked {
        /// Which.
        room: RoomName,
    },
    /// That is not the password.
    WrongPassword {
        /// Of which room.
        room: RoomName,
    },
    /// The room is open, and a password was given.
    RoomIsOpen {
        /// Which.
        room: RoomName,
        /// Whether you are in it.
        is_member: bool,
    },
    /// Too many tries at a password.
    TryLater {
        /// Of which room.
        room: RoomName,
        /// How long to wait.
        wait: Duration,
    },
    /// You are in as many rooms as may be.
    TooManyRoomsOfYours {
        /// The bound.
        most: usize,
    },
    /// There are as many rooms as may be.
    TooManyRooms {
        /// The bound.
        most: usize,
    },
    /// As many are in the room as may be.
    RoomFull {
        /// Which.
        room: RoomName,
        /// The bound.
        most: usize,
    },
}

impl Refusal {
    /// The stable word that stands after the `!`.
    pub fn code(&self) -> Code {
        match self {
            Refusal::Usage(_)
            | Refusal::NothingSaidInRoom { .. }
            | Refusal::NothingSaidToUser { .. }
            | Refusal::NoAddress { .. }
            | Refusal::IgnoresFull { .. }
            | Refusal::IgnoresSelf => Code::Usage,
            Refusal::UnknownCommand { .. } => Code::UnknownCommand,
            Refusal::LineTooLong { .. } => Code::LineTooLong,
            Refusal::NameInvalid { .. } => Code::NameInvalid,
            Refusal::NameTaken { .. } => Code::NameTaken,
            Refusal::NameConfusable { .. } => Code::NameConfusable,
            Refusal::NoSuchRoom { .. } => Code::NoSuchRoom,
            Refusal::NoSuchUser { .. } => Code::NoSuchUser,
            Refusal::NoRoom => Code::NoRoom,
            Refusal::NotAMember { .. } => Code::NotAMember,
            Refusal::RoomLocked { .. } => Code::RoomLocked,
            Refusal::WrongPassword { .. } => Code::WrongPassword,
            Refusal::RoomIsOpen { .. } => Code::RoomIsOpen,
            Refusal::TryLater { .. } => Code::TryLater,
            Refusal::TooManyRoomsOfYours { .. } | Refusal::TooManyRooms { .. } => {
                Code::TooManyRooms
            }
            Refusal::RoomFull { .. } => Code::RoomFull,
        }
    }
}

/// Declares [`Code`] and its words from one list.
macro_rules! codes {
    ($($variant:ident = $word:literal),* $(,)?) => {
        /// The stable word of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs)] // Each is its own word; `protocol.md` says when it comes.
        pub enum Code { $($variant),* }

        impl Code {
            /// Every code there is.
            pub const ALL: &[Code] = &[$(Code::$variant),*];

            /// The word as it stands on the wire.
            pub fn word(self) -> &'static str {
                match self { $(Code::$variant => $word),* }
            }
        }
    };
}

codes! {
    Usage = "usage",
    UnknownCommand = "unknown-command",
    LineTooLong = "line-too-long",
    NameInvalid = "name-invalid",
    NameTaken = "name-taken",
    NameConfusable = "name-confusable",
    NoSuchRoom = "no-such-room",
    NoSuchUser = "no-such-user",
    NoRoom = "no-room",
    NotAMember = "not-a-member",
    RoomLocked = "room-locked",
    WrongPassword = "wrong-password",
    RoomIsOpen = "room-is-open",
    TryLater = "try-later",
    TooManyRooms = "too-many-rooms",
    RoomFull = "room-full",
    ServerFull = "server-full",
    TooManyFromHere = "too-many-from-here",
    WrongProtocol = "wrong-protocol",
    NoName = "no-name",
    TooSlow = "too-slow",
}
