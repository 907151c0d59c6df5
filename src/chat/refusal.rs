//! Why a line is refused, and the stable words for it.
//!
//! Promises: both enums are closed, and [`Code`] is API: codes are added, none changes its meaning.
//! Deliberately no English: `wire::text` words all of it.

use std::time::Duration;

use super::command::Verb;
use super::event::ModerationFault;
use super::name::{NameFault, Nick, RoomName};

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
    /// What a program sent is no request.
    BadJson {
        /// Why not.
        fault: JsonFault,
    },
    /// The line is longer than may be.
    LineTooLong {
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// The line is longer than may be, and left out of the block that is being typed.
    LineLeftOut {
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// There is nothing in the block.
    NothingPasted,
    /// The block is longer than may be; nothing of it is said.
    PasteTooLong {
        /// The bound, in bytes.
        bytes_max: usize,
        /// The bound, in lines.
        lines_max: usize,
        /// It is being typed: the rest of it is left out, too.
        is_typed: bool,
    },
    /// So much is being typed in blocks by everybody that there is no room for this one.
    PastesFull,
    /// There is no line of that id, or none that you may read.
    NoSuchLine {
        /// The id.
        id: u64,
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
    /// Nothing is kept on this server: no names, no lines.
    NothingIsKept,
    /// What is kept cannot be searched.
    NoSearch,
    /// What is said in that room is not indexed: it is forgotten with its last member.
    NotSearched {
        /// Which.
        room: RoomName,
    },
    /// What is said now is not kept, so a name cannot be either.
    NotKeptNow,
    /// Nobody can say now.
    Unavailable,
    /// A password is awaited, and this is none.
    LoginRequired {
        /// The name whose password it is.
        nick: Nick,
        /// Whether it is said that it is somebody's.
        is_somebodys: bool,
    },
    /// Members alone come in.
    MembersOnly {
        /// The name that you gave, which is nobody's.
        nick: Option<Nick>,
    },
    /// No invitation has that code, or it is over.
    WrongInvite,
    /// Everybody comes in, and the code of an invitation was given.
    NoInviteNeeded,
    /// That takes a name of your own.
    AccountRequired {
        /// What does.
        verb: Verb,
    },
    /// The name is somebody's: your own.
    AlreadyRegistered {
        /// The name.
        nick: Nick,
    },
    /// You are logged in with that name.
    AlreadyLoggedIn {
        /// The name.
        nick: Nick,
    },
    /// A name that the server gave cannot be somebody's.
    GuestsCannotRegister {
        /// The name.
        nick: Nick,
    },
    /// Nobody owns that name.
    NotRegistered {
        /// As typed.
        typed: String,
    },
    /// That is not the password of that name.
    WrongPasswordOfName {
        /// The name.
        nick: Nick,
        /// Whether it was asked for, and still is.
        is_asked: bool,
    },
    /// Too many tries at passwords of names.
    TryPasswordLater {
        /// How long to wait.
        wait: Duration,
    },
    /// A password is too short, or too long.
    PasswordInvalid,
    /// There are as many accounts as may be.
    TooManyAccounts {
        /// The bound.
        most: usize,
    },
    /// As many direct messages wait for somebody as may.
    DirectsFull {
        /// For whom.
        nick: Nick,
        /// The bound.
        most: usize,
    },
    /// A program has no lines to be edited.
    NotForPrograms,
    /// The room is not yours.
    NotYours {
        /// Which.
        room: RoomName,
        /// Whose it is instead.
        whose: Whose,
    },
    /// It is about tokens, or one is used.
    Token(TokenFault),
    /// It is about operators, or what they have slowed.
    Rank(RankFault),
    /// It is about kicking, banning and muting, or keeps who is banned or muted from something.
    Moderation(ModerationFault),
    /// As many are in the room as may be.
    RoomFull {
        /// Which.
        room: RoomName,
        /// The bound.
        most: usize,
    },
}

/// Whose a room is that is not yours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// An account has made it.
    Somebodys,
    /// No account has.
    Nobodys,
    /// It is the lobby.
    Everybodys,
}

/// Why what a program sent is no request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonFault {
    /// It is not one object of JSON.
    NoObject,
    /// Its id is not what an id may be.
    Id,
    /// It has no action.
    NoAction,
    /// There is no such action.
    UnknownAction {
        /// As typed.
        typed: String,
        /// What may have been meant.
        meant: Option<&'static str>,
    },
    /// A field is missing.
    Missing {
        /// Of which action.
        action: &'static str,
        /// Which.
        field: &'static str,
    },
    /// A field is not what it may be, or stands beside one that it does not go with.
    Unfit {
        /// Of which action.
        action: &'static str,
        /// Which.
        field: &'static str,
    },
    /// The action has no such field.
    UnknownField {
        /// Which action.
        action: &'static str,
        /// As typed.
        typed: String,
    },
}

impl JsonFault {
    fn code(&self) -> Code {
        match self {
            JsonFault::NoObject
            | JsonFault::Id
            | JsonFault::NoAction
            | JsonFault::UnknownAction { .. } => Code::BadJson,
            JsonFault::Missing { .. }
            | JsonFault::Unfit { .. }
            | JsonFault::UnknownField { .. } => Code::Usage,
        }
    }
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
            | Refusal::IgnoresSelf
            | Refusal::NotForPrograms
            | Refusal::NoInviteNeeded
            | Refusal::NothingPasted => Code::Usage,
            Refusal::UnknownCommand { .. } => Code::UnknownCommand,
            Refusal::BadJson { fault } => fault.code(),
            Refusal::LineTooLong { .. } | Refusal::LineLeftOut { .. } => Code::LineTooLong,
            Refusal::PasteTooLong { .. } | Refusal::PastesFull => Code::PasteTooLong,
            Refusal::NoSuchLine { .. } => Code::NoSuchLine,
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
            Refusal::NothingIsKept
            | Refusal::NoSearch
            | Refusal::NotSearched { .. }
            | Refusal::NotKeptNow
            | Refusal::Unavailable => Code::NotKept,
            Refusal::LoginRequired { .. } => Code::LoginRequired,
            Refusal::MembersOnly { .. } => Code::MembersOnly,
            Refusal::WrongInvite => Code::WrongPassword,
            Refusal::AccountRequired { .. }
            | Refusal::NotRegistered { .. }
            | Refusal::GuestsCannotRegister { .. } => Code::NotRegistered,
            Refusal::AlreadyRegistered { .. } | Refusal::AlreadyLoggedIn { .. } => {
                Code::AlreadyRegistered
            }
            Refusal::WrongPasswordOfName { .. } => Code::WrongPassword,
            Refusal::TryPasswordLater { .. } => Code::TryLater,
            Refusal::PasswordInvalid => Code::PasswordInvalid,
            Refusal::TooManyAccounts { .. } => Code::TooManyAccounts,
            Refusal::DirectsFull { .. } => Code::MailboxFull,
            Refusal::NotYours { .. } => Code::NotYours,
            Refusal::Token(fault) => fault.code(),
            Refusal::Rank(fault) => fault.code(),
            Refusal::Moderation(fault) => fault.code(),
        }
    }
}

/// Why something about tokens was refused, or something that a bot asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFault {
    /// No token of that name is yours.
    NotYours {
        /// As typed.
        typed: String,
    },
    /// You have as many tokens as may be.
    TooMany {
        /// The bound.
        most: usize,
    },
    /// A token does not do that.
    ForPeople {
        /// What.
        verb: Verb,
    },
    /// The token is not for that room.
    OtherRoom {
        /// The room, as typed.
        room: String,
    },
    /// The token is for some rooms, and that is about all of them.
    AllRooms {
        /// What was asked.
        verb: Verb,
    },
}

impl TokenFault {
    /// The stable word that stands after the `!`.
    fn code(&self) -> Code {
        match self {
            TokenFault::NotYours { .. } => Code::NotYours,
            TokenFault::TooMany { .. } => Code::TooManyAccounts,
            TokenFault::ForPeople { .. }
            | TokenFault::OtherRoom { .. }
            | TokenFault::AllRooms { .. } => Code::NotAllowed,
        }
    }
}

/// Why something about operators was refused, or something that is for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RankFault {
    /// That is for operators: of that room, or of the server.
    ForOperators {
        /// Which.
        room: Option<RoomName>,
    },
    /// The same of a room that has none, and is nobody's.
    ForServerOperators {
        /// Which.
        room: RoomName,
    },
    /// An operator needs a name of their own.
    OperatorNeedsAccount {
        /// The name.
        nick: Nick,
    },
    /// Somebody is no operator of a room, and so cannot be one no longer.
    NoOperator {
        /// Which.
        room: RoomName,
        /// Who.
        nick: Nick,
    },
    /// A room has as many operators as may be.
    TooManyOperators {
        /// Which.
        room: RoomName,
        /// The bound.
        most: usize,
    },
    /// The room is slow, and it is not your turn.
    RoomIsSlow {
        /// Which.
        room: RoomName,
        /// How long to wait.
        wait: Duration,
    },
    /// The room is nobody's, and takes no lock.
    NobodysRoom {
        /// Which.
        room: RoomName,
    },
    /// The name is one of an operator of the server, and cannot be had by registering it.
    OperatorsName {
        /// The name.
        nick: Nick,
    },
}

impl RankFault {
    /// The stable word that stands after the `!`.
    fn code(&self) -> Code {
        match self {
            RankFault::NobodysRoom { .. } => Code::NotYours,
            RankFault::OperatorsName { .. }
            | RankFault::ForOperators { .. }
            | RankFault::ForServerOperators { .. } => Code::NotAllowed,
            RankFault::OperatorNeedsAccount { .. } => Code::NotRegistered,
            RankFault::NoOperator { .. } => Code::NoSuchUser,
            RankFault::TooManyOperators { .. } => Code::TooManyAccounts,
            RankFault::RoomIsSlow { .. } => Code::TryLater,
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
    BadJson = "bad-json",
    LineTooLong = "line-too-long",
    PasteTooLong = "paste-too-long",
    NoSuchLine = "no-such-line",
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
    NotKept = "not-kept",
    LoginRequired = "login-required",
    MembersOnly = "members-only",
    NotRegistered = "not-registered",
    AlreadyRegistered = "already-registered",
    PasswordInvalid = "password-invalid",
    TooManyAccounts = "too-many-accounts",
    MailboxFull = "mailbox-full",
    NotYours = "not-yours",
    NotAllowed = "not-allowed",
    Muted = "muted",
    ServerFull = "server-full",
    TooManyFromHere = "too-many-from-here",
    TooOftenFromHere = "too-often-from-here",
    WrongProtocol = "wrong-protocol",
    NoName = "no-name",
    TooSlow = "too-slow",
    Kicked = "kicked",
    Banned = "banned",
}
