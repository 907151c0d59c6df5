//! What operators do to others, as it is told, and why it is refused.
//!
//! Promises: plain data; a reason is as long as [`super::super::moderate::WHY_BYTES_MAX`] allows.
//! Deliberately no words for any of it.

use std::rc::Rc;

use super::super::command::Verb;
use super::super::name::{Nick, RoomName};
use super::super::refusal::Code;
use super::super::sanctions::{Kind, Target};

/// What was done to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Put out; they may come back.
    Kicked,
    /// Put out, and kept out.
    Banned,
    /// Kept out no longer.
    Unbanned,
    /// Made a mere listener.
    Muted,
    /// A mere listener no longer.
    Unmuted,
}

/// To whom something was done, as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Who has that name.
    Nick(Rc<str>),
    /// Who has that name, for where they come from, which is not told.
    AddressOf(Rc<str>),
    /// Who comes from that address or network.
    Address(Rc<str>),
}

impl Subject {
    /// Whom a target means, which is shown so.
    pub fn new(target: &Target, name: &str) -> Subject {
        match target {
            Target::Account(_) | Target::Nick(_) => Subject::Nick(Rc::from(name)),
            Target::Network(_) => Subject::Address(Rc::from(name)),
        }
    }

    /// The name, or the address.
    pub fn text(&self) -> &Rc<str> {
        match self {
            Subject::Nick(text) | Subject::AddressOf(text) | Subject::Address(text) => text,
        }
    }
}

/// Something that was done to somebody, and may still hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub act: Act,
    /// Where; `None` for everywhere.
    pub room: Option<RoomName>,
    /// To whom.
    pub who: Subject,
    /// By whom, as it is shown; `None` where that is not for them to know.
    pub by: Option<Rc<str>>,
    /// When it ends, in seconds since 1970 UTC; `None` for never.
    pub end: Option<i64>,
    /// The reason that was given.
    pub why: Option<Rc<str>>,
}

/// Why something about kicking, banning and muting was refused, or something that is kept from who
/// is banned or muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModerationFault {
    /// You are banned, or muted.
    Sanctioned(Box<Deed>),
    /// Somebody is not banned, or not muted.
    NotSanctioned {
        /// Which of the two.
        kind: Kind,
        /// As typed.
        typed: String,
    },
    /// As many are banned and muted there as may be.
    Full {
        /// The bound.
        most: usize,
    },
    /// An address can be banned everywhere, and not in a room or from speaking.
    AddressInRoom,
    /// That network is all addresses that there are.
    AllAddresses {
        /// As typed.
        typed: String,
    },
    /// This is no address.
    NoAddress {
        /// As given.
        typed: String,
    },
    /// Nobody has that name, but a room has it.
    IsRoom {
        /// The command that was given.
        verb: Verb,
        /// Which room.
        room: RoomName,
    },
    /// Somebody is not in that room, and so cannot be put out.
    NotInRoom {
        /// Who.
        nick: Nick,
        /// Which.
        room: RoomName,
    },
    /// You are no operator there.
    NoOperator {
        /// Where; `None` for everywhere.
        room: Option<RoomName>,
    },
    /// Nor is anybody of that room, which is nobody's.
    NoOperators {
        /// Which.
        room: RoomName,
    },
    /// It is an operator of the server, to whom nobody in the conversation does that.
    Operator {
        /// Who.
        who: Rc<str>,
    },
    /// It is the owner of the room, to whom its operators do not do that.
    Owner {
        /// Who.
        who: Rc<str>,
    },
    /// It is yourself.
    Oneself,
    /// It is your own address.
    OwnAddress,
}

impl ModerationFault {
    /// The stable word that stands after the `!`.
    pub fn code(&self) -> Code {
        match self {
            ModerationFault::Sanctioned(deed) if deed.act == Act::Muted => Code::Muted,
            ModerationFault::Sanctioned(_) => Code::Banned,
            ModerationFault::NotSanctioned { .. } | ModerationFault::NotInRoom { .. } => {
                Code::NoSuchUser
            }
            ModerationFault::Full { .. } => Code::TooManyAccounts,
            ModerationFault::AddressInRoom
            | ModerationFault::AllAddresses { .. }
            | ModerationFault::NoAddress { .. }
            | ModerationFault::IsRoom { .. } => Code::Usage,
            ModerationFault::NoOperator { .. }
            | ModerationFault::NoOperators { .. }
            | ModerationFault::Operator { .. }
            | ModerationFault::Owner { .. }
            | ModerationFault::Oneself
            | ModerationFault::OwnAddress => Code::NotAllowed,
        }
    }
}
