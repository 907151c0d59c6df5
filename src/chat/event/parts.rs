//! What events are made of, where that is more than a name or a number.
//!
//! Promises: plain data, bounded by whoever made it. Deliberately no words for any of it.

use std::rc::Rc;
use std::time::Duration;

use ipnet::IpNet;

use super::super::kept::Secret;
use super::super::name::{Nick, RoomName};

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
    /// Its number among all lines of all rooms; later ones have higher ones.
    pub id: u64,
    /// When it was said, in seconds since 1970 UTC.
    pub unix: i64,
    /// Who said it.
    pub nick: Nick,
    /// Whether it was a `/me`.
    pub is_action: bool,
    /// What was said; of a block its first line, or all of it where that was asked for.
    pub text: Rc<str>,
    /// How many further lines a block has that are not in the text.
    pub more: usize,
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

/// Where a page of lines begins and ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edges {
    /// The id of the first line.
    pub first: u64,
    /// The id of the last one.
    pub last: u64,
    /// When that was said, in seconds since 1970 UTC.
    pub last_unix: i64,
}

impl Edges {
    /// Those of lines of which the ids and times are given, oldest first.
    pub fn of(mut lines: impl DoubleEndedIterator<Item = (u64, i64)>) -> Option<Edges> {
        let (first, unix) = lines.next()?;
        let (last, last_unix) = lines.next_back().unwrap_or((first, unix));
        Some(Edges { first, last, last_unix })
    }
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
    /// Whose bot it is, if it is one.
    pub owner: Option<Nick>,
    /// Where the connection comes from, as it can be banned, if the asker may know.
    pub address: Option<IpNet>,
}

/// What an owner is told of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenNews {
    /// One is made.
    Made {
        /// Its name.
        nick: Nick,
        /// What to log in with; nobody is told again.
        secret: Secret,
        /// The only rooms that it is for; none of them for all rooms.
        rooms: Vec<String>,
        /// How many lines a second are taken from each of its connections.
        rate: Option<u32>,
    },
    /// These are all, in the order of their names; at most [`super::super::tokens::TOKENS_MAX`].
    Listed(Vec<TokenRow>),
    /// One is taken back.
    Dropped {
        /// Its name.
        nick: Nick,
        /// How many connections used it, and have ended.
        connections: usize,
    },
}

/// A token as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub nick: Nick,
    /// The only rooms that it is for; none of them for all rooms.
    pub rooms: Vec<String>,
    /// How many lines a second are taken from each of its connections; `None` for as many as from
    /// everybody.
    pub rate: Option<u32>,
    /// How many connections use it.
    pub connections: usize,
}

/// What has become of what was said to somebody alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receipt {
    /// It has reached them.
    Delivered {
        /// Whom.
        nick: Nick,
    },
    /// It has not reached them: they are gone.
    NotDelivered,
    /// They have typed something after it had reached them.
    Seen {
        /// Who.
        nick: Nick,
    },
}

/// What becomes of a block that is being typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PasteNews {
    /// The next lines are taken for it, up to a dot alone.
    Begun {
        /// For which room.
        room: RoomName,
    },
    /// It is refused, and the next lines are left out up to a dot alone.
    LeftOut,
    /// It is gone.
    Dropped,
}

/// What is told of operators, and what they have done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RankNews {
    /// Who may do what in a room.
    Operators {
        /// Which.
        room: RoomName,
        /// Whose it is.
        owner: Option<Nick>,
        /// Its operators.
        nicks: Vec<Nick>,
    },
    /// Somebody is an operator of a room from now on, or no longer.
    OperatorSet {
        /// Which.
        room: RoomName,
        /// Who has made them so.
        by: Nick,
        /// Who.
        nick: Nick,
        /// Whether from now on.
        is_operator: bool,
    },
    /// Each may say one line in so many seconds from now on in a room.
    SlowSet {
        /// Which.
        room: RoomName,
        /// Who has decided that.
        nick: Nick,
        /// How many; 0 for no such thing.
        seconds: u32,
    },
    /// The same, told to who looks into the room or enters it.
    IsSlow {
        /// Which.
        room: RoomName,
        /// How many.
        seconds: u32,
    },
    /// An operator of the server tells everybody something.
    Announced {
        /// Who; `None` for who runs it.
        nick: Option<Nick>,
        /// What.
        text: Rc<str>,
    },
}

/// What is told of a stop of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StopNews {
    /// It comes.
    In {
        /// In so many seconds.
        seconds: u64,
        /// Why; an empty text for no reason.
        why: Rc<str>,
    },
    /// It does not come after all.
    Off,
}
