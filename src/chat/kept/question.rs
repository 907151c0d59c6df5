//! What is asked of what was kept, and what comes back.
//!
//! Promises: as everything here, plain data that may go to another thread. Deliberately nothing of
//! how it is found.

use super::super::invites::Invite;
use super::{KeptDirect, KeptLine};

/// What the conversation asks for; the answer comes back as an [`Answer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// The last lines of a room.
    Tail {
        /// The room.
        room: u64,
        /// Only lines before this id.
        before: u64,
        /// How many at most.
        most: usize,
    },
    /// A page of a room's lines.
    History {
        /// The room.
        room: u64,
        /// Which.
        span: Span,
        /// How many at most.
        most: usize,
    },
    /// One line, whole.
    Line {
        /// Its id.
        id: u64,
    },
    /// The newest lines with certain words.
    Search(Search),
    /// What the owner of an account has missed.
    Missed {
        /// The account.
        account: u64,
        /// The last line that its owner was told.
        seen: u64,
        /// The rooms, and how many of each one's last lines to show.
        rooms: Vec<(u64, usize)>,
    },
    /// The hash of a new password.
    Hash {
        /// The password.
        password: Secret,
    },
    /// Whether an invitation is open.
    Invite {
        /// Which.
        invite: Invite,
        /// When, in seconds since 1970 UTC.
        unix: i64,
    },
    /// Whether a password is the one behind a hash.
    Verify {
        /// The password.
        password: Secret,
        /// The hash in the PHC string format; `None` takes as long and is never right.
        hash: Option<String>,
    },
}

/// A part of a room's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last ones.
    Last,
    /// The last ones before that id.
    Before(u64),
    /// The first ones from that time on, in seconds since 1970 UTC.
    Since(i64),
    /// The first ones after that id.
    After(u64),
}

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Search {
    /// All of these words, as typed.
    pub words: String,
    /// Only in that room.
    pub room: Option<u64>,
    /// Only what that person said, by the name's key.
    pub nick: Option<String>,
    /// The locked rooms that may be looked into; open ones may be anyway.
    pub locked: Vec<u64>,
    /// How many at most.
    pub most: usize,
}

/// A password on its way: never shown, not even for debugging.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// What a room's owner missed there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// The room.
    pub room: u64,
    /// How many lines were said since.
    pub lines: u64,
    /// The last lines of the room, oldest first; not only those that were missed.
    pub tail: Vec<KeptLine>,
}

/// What comes back for a [`Question`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Lines of one room, oldest first; and whether there are more beyond them.
    Lines {
        /// The lines.
        lines: Vec<KeptLine>,
        /// Whether there are more beyond them.
        has_more: bool,
    },
    /// One line, with its room's serial number; `None` if there is none of that id.
    Line(Option<(u64, KeptLine)>),
    /// What was found, the oldest first, each with its room's serial number.
    Found {
        /// The lines.
        lines: Vec<(u64, KeptLine)>,
        /// Whether there are more, or might be.
        has_more: bool,
        /// How many of the newest lines were not looked at, because they are not in the index yet.
        unsearched: u64,
    },
    /// What the owner of an account has missed.
    Missed {
        /// By room, those that were asked for.
        rooms: Vec<Missed>,
        /// What was said to the owner alone, oldest first.
        directs: Vec<KeptDirect>,
    },
    /// The hash of the password, in the PHC string format.
    Hash(String),
    /// Whether the password is right, or the invitation open.
    Verified(bool),
    /// Nobody can say now; the operator's log says why.
    Unavailable,
}
