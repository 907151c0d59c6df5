//! What outlives the process: what the conversation gives away to be kept, what it asks of what was
//! kept, and what it is told of it at the start.
//!
//! Promises: everything here is plain data that may go to another thread, and what is given away in
//! one [`Ledger`] is kept whole or not at all. Rooms and accounts are named by serial numbers that
//! are never given twice, lines by ids that grow. Deliberately knows no file and no engine: who
//! keeps it is the caller's to choose, and whether anybody does.

mod question;
mod settings;

use std::ops::Range;

use super::invites::Invite;
use super::sanctions::{Kind, Sanction, Target};
pub use question::{Answer, Missed, Question, Search, Secret, Span};
pub use settings::KeptSettings;

/// A line that was said in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number among all lines of all rooms; later ones have higher ones.
    pub id: u64,
    /// The room's serial number.
    pub room: u64,
    /// When it was said, in seconds since 1970 UTC.
    pub unix: i64,
    /// Who said it.
    pub nick: &'a str,
    /// Whether it was a `/me`.
    pub is_action: bool,
    /// What was said; a block has LF between its lines.
    pub text: &'a str,
}

/// A change that is to be kept, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A room was made.
    RoomMade(KeptRoom),
    /// A room has another topic, or none.
    Topic {
        /// The room.
        room: u64,
        /// What it is about.
        topic: Option<String>,
    },
    /// A room has another lock, or none.
    Lock {
        /// The room.
        room: u64,
        /// Who may enter.
        lock: KeptLock,
    },
    /// A room is gone, its lines with it.
    RoomGone {
        /// The room.
        room: u64,
    },
    /// An account is an operator of a room from now on, or no longer.
    Operator {
        /// The room.
        room: u64,
        /// The account.
        account: u64,
        /// Whether from now on.
        is_operator: bool,
    },
    /// Each may say one line in so many seconds from now on in a room.
    Slow {
        /// The room.
        room: u64,
        /// How many; 0 for no such thing.
        seconds: u32,
    },
    /// An account was made.
    AccountMade(KeptAccount),
    /// An invitation was used, and is none any longer.
    InviteSpent {
        /// Which.
        invite: Invite,
    },
    /// An account has another password.
    Password {
        /// The account.
        account: u64,
        /// Its password's hash, in the PHC string format.
        hash: String,
    },
    /// The owner of an account has said how they want to be served.
    Settings {
        /// The account.
        account: u64,
        /// All that they have said of it.
        settings: KeptSettings,
    },
    /// An account is gone, with the direct messages that wait for it, and the tokens that belong to
    /// it.
    AccountGone {
        /// The account.
        account: u64,
    },
    /// Somebody logged in to an account.
    LoggedIn {
        /// The account.
        account: u64,
        /// When, in seconds since 1970 UTC.
        unix: i64,
    },
    /// The owner of an account has left, and was told all lines up to that id.
    LoggedOut {
        /// The account.
        account: u64,
        /// When, in seconds since 1970 UTC.
        unix: i64,
        /// The last line.
        seen: u64,
    },
    /// The owner of an account has entered a room.
    Entered {
        /// The account.
        account: u64,
        /// The room.
        room: u64,
    },
    /// The owner of an account has left a room.
    Left {
        /// The account.
        account: u64,
        /// The room.
        room: u64,
    },
    /// Somebody was banned or muted; it takes the place of the same for the same.
    Sanctioned(KeptSanction),
    /// Somebody is banned or muted no longer.
    Lifted {
        /// The room; `None` for everywhere.
        room: Option<u64>,
        /// Which of the two.
        kind: Kind,
        /// Who.
        target: Target,
    },
    /// Something was said to the owner of an account, who is away.
    Direct {
        /// The account.
        to: u64,
        /// What.
        direct: KeptDirect,
    },
    /// What was said to an owner who was away has been shown: the oldest of it.
    DirectsShown {
        /// The account.
        to: u64,
        /// How many of them.
        count: usize,
    },
}

impl Change {
    /// What its texts take, in bytes.
    fn text_bytes(&self) -> usize {
        match self {
            Change::RoomMade(room) => room.name.len() + room.topic.as_ref().map_or(0, String::len),
            Change::Topic { topic, .. } => topic.as_ref().map_or(0, String::len),
            Change::AccountMade(account) => {
                let rooms = account.bot.iter().flat_map(|bot| &bot.rooms);
                account.nick.len() + account.hash.len() + rooms.map(String::len).sum::<usize>()
            }
            Change::Password { hash, .. } | Change::Lock { lock: KeptLock::Hash(hash), .. } => {
                hash.len()
            }
            Change::Direct { direct, .. } => direct.nick.len() + direct.text.len(),
            Change::Sanctioned(it) => {
                let Sanction { name, by, why, .. } = &it.sanction;
                name.len() + by.len() + why.as_ref().map_or(0, String::len)
            }
            Change::Lifted { target: Target::Nick(nick), .. } => nick.len(),
            Change::Lifted { .. }
            | Change::Lock { .. }
            | Change::RoomGone { .. }
            | Change::Operator { .. }
            | Change::InviteSpent { .. }
            | Change::Slow { .. }
            | Change::Settings { .. }
            | Change::AccountGone { .. }
            | Change::LoggedIn { .. }
            | Change::LoggedOut { .. }
            | Change::Entered { .. }
            | Change::Left { .. }
            | Change::DirectsShown { .. } => 0,
        }
    }
}

/// What keeps a room locked, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptLock {
    /// Nothing: everybody may enter.
    Open,
    /// A guest's password, which is in memory only; such a room does not outlive the process.
    Guest,
    /// An account's password, as a hash in the PHC string format.
    Hash(String),
}

/// A room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRoom {
    /// Its serial number.
    pub serial: u64,
    /// Its name, as it is shown.
    pub name: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Who may enter.
    pub lock: KeptLock,
    /// The account that it belongs to.
    pub owner: Option<u64>,
    /// Whether lines of it are kept.
    pub has_lines: bool,
}

/// An account: a name that is somebody's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAccount {
    /// Its serial number.
    pub serial: u64,
    /// The name, as it is shown.
    pub nick: String,
    /// Its password's hash, in the PHC string format.
    pub hash: String,
    /// When it was made, in seconds since 1970 UTC.
    pub unix: i64,
    /// The last line that its owner was told.
    pub seen: u64,
    /// The rooms that its owner is in, in the order of entering.
    pub rooms: Vec<u64>,
    /// How many direct messages wait for its owner.
    pub directs: usize,
    /// How its owner wants to be served.
    pub settings: KeptSettings,
    /// What it is a token for; `None` where it is a person's.
    pub bot: Option<Bot>,
}

/// What makes an account a token: a name for a bot, whose password was generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bot {
    /// The account that it belongs to, and goes with.
    pub owner: u64,
    /// The only rooms that it is for, by their names; none of them for all rooms.
    pub rooms: Vec<String>,
    /// How many lines a second are taken from each of its connections; `None` for as many as from
    /// everybody.
    pub rate: Option<u32>,
}

/// A ban or a mute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptSanction {
    /// The room; `None` for everywhere.
    pub room: Option<u64>,
    /// What it is.
    pub sanction: Sanction,
}

/// Something that was said to somebody who is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptDirect {
    /// When, in seconds since 1970 UTC.
    pub unix: i64,
    /// Who said it.
    pub nick: String,
    /// What.
    pub text: String,
}

/// A line as it comes back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLine {
    /// Its id.
    pub id: u64,
    /// When it was said, in seconds since 1970 UTC.
    pub unix: i64,
    /// Who said it.
    pub nick: String,
    /// Whether it was a `/me`.
    pub is_action: bool,
    /// What was said; of a block its first line, as [`fold`] gives it, but for
    /// [`Question::Line`].
    pub text: String,
    /// How many further lines a block has that are not in the text.
    pub more: usize,
}

/// How many bytes of a block's first line stand for it at most.
pub const FIRST_LINE_BYTES_MAX: usize = 4096;

/// What stands for a text where lines are remembered: all of it, or of a block, which has LF
/// between its lines, the beginning and how many further lines it has.
pub fn fold(text: &str) -> (&str, usize) {
    match text.split_once('\n') {
        None => (text, 0),
        Some((first, rest)) => {
            let end = first.floor_char_boundary(FIRST_LINE_BYTES_MAX);
            (&first[..end], 1 + rest.bytes().filter(|byte| *byte == b'\n').count())
        }
    }
}

/// All that is known at the start without being asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// No line has this id or a higher one, or ever had.
    pub next_line: u64,
    /// No room has this serial number or a higher one, or ever had.
    pub next_room: u64,
    /// No account has this serial number or a higher one, or ever had.
    pub next_account: u64,
    /// The rooms; those in which something was said last come last.
    pub rooms: Vec<KeptRoom>,
    /// The accounts.
    pub accounts: Vec<KeptAccount>,
    /// Which rooms have which accounts for operators.
    pub operators: Vec<(u64, u64)>,
    /// In which rooms each may say one line in how many seconds.
    pub slow: Vec<(u64, u32)>,
    /// The bans and mutes.
    pub sanctions: Vec<KeptSanction>,
}

/// Where a line stands in a ledger.
#[derive(Clone, Debug)]
struct Head {
    id: u64,
    room: u64,
    unix: i64,
    nick: Range<u32>,
    text_end: u32,
    is_action: bool,
}

/// What is to be kept together: lines, and changes. The lines come first: what happens to their
/// room in the same ledger happens after them.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    heads: Vec<Head>,
    /// Nicks and texts, one behind the other.
    words: String,
    changes: Vec<Change>,
    /// What the texts in the changes take.
    change_bytes: usize,
}

/// What a line or a change costs beside its words, in bytes; part of [`Ledger::bytes`].
const ENTRY_COST: usize = 64;

impl Ledger {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty() && self.changes.is_empty()
    }

    /// What holding it costs, in bytes, about.
    pub fn bytes(&self) -> usize {
        let entries = (self.heads.len() + self.changes.len()) * ENTRY_COST;
        self.words.len() + self.change_bytes + entries
    }

    /// Adds a line.
    pub fn line(&mut self, line: Line<'_>) {
        let at = |words: &String| {
            u32::try_from(words.len()).expect("a ledger is given away long before 4 GiB")
        };
        let start = at(&self.words);
        self.words.push_str(line.nick);
        let nick = start..at(&self.words);
        self.words.push_str(line.text);
        let text_end = at(&self.words);
        let Line { id, room, unix, is_action, .. } = line;
        self.heads.push(Head { id, room, unix, nick, text_end, is_action });
    }

    /// Adds a change.
    pub fn change(&mut self, change: Change) {
        self.change_bytes += change.text_bytes();
        self.changes.push(change);
    }

    /// The lines, in order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> {
        self.heads.iter().map(|head| {
            let nick = head.nick.start as usize..head.nick.end as usize;
            Line {
                id: head.id,
                room: head.room,
                unix: head.unix,
                nick: &self.words[nick.clone()],
                is_action: head.is_action,
                text: &self.words[nick.end..head.text_end as usize],
            }
        })
    }

    /// The changes, in order.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Forgets the lines, and keeps the changes.
    pub fn forget_lines(&mut self) {
        self.heads.clear();
        self.words.clear();
    }

    /// Forgets everything, and keeps its room for the next one.
    pub fn clear(&mut self) {
        self.forget_lines();
        self.changes.clear();
        self.change_bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_gives_back_what_was_put_in() {
        let line = |id, nick, text| Line { id, room: 7, unix: 9, nick, is_action: id == 2, text };
        let mut ledger = Ledger::default();
        assert!(ledger.is_empty());
        for it in [line(1, "ann", "hello"), line(2, "Zoë", ""), line(5, "bob", "ß")] {
            ledger.line(it);
        }
        ledger.change(Change::RoomGone { room: 7 });
        let lines: Vec<Line<'_>> = ledger.lines().collect();
        assert_eq!(lines, [line(1, "ann", "hello"), line(2, "Zoë", ""), line(5, "bob", "ß")]);
        assert_eq!(ledger.bytes(), 4 * ENTRY_COST + 3 + 5 + 4 + 3 + 2);
        ledger.forget_lines();
        assert_eq!((ledger.lines().len(), ledger.changes().len()), (0, 1));
        ledger.clear();
        assert!(ledger.is_empty());
    }

    #[test]
    fn of_a_block_the_first_line_stands_for_it() {
        assert_eq!(fold("one line"), ("one line", 0));
        assert_eq!(fold("first\n\nthird"), ("first", 2));
        assert_eq!(fold("\nsecond"), ("", 1));
        let long = "ß".repeat(FIRST_LINE_BYTES_MAX);
        assert_eq!(fold(&long), (&*long, 0));
        let block = format!("x{long}\n");
        let (first, more) = fold(&block);
        assert_eq!((first.len(), more), (FIRST_LINE_BYTES_MAX - 1, 1));
    }

    #[test]
    fn a_secret_is_not_shown() {
        let secret = Secret("hunter2".into());
        assert_eq!(format!("{secret:?}"), "Secret(..)");
    }
}
