//! What the conversation is bounded by, and how that changes while people talk.
//!
//! Promises: a new limit counts for what comes; what is there already stays, also where there is
//! more of it than may be. Deliberately changes neither the lobby, where people are, nor what
//! is kept.

use std::rc::Rc;
use std::time::Duration;

use super::Chat;
use super::admission::Admission;
use super::name::RoomName;
use super::ranks::Operators;

/// What the conversation is bounded by.
#[derive(Clone, Debug)]
pub struct Limits {
    /// The room in which everybody starts, permanent and never locked; `None` for none.
    pub lobby: Option<RoomName>,
    /// What everybody is told after the welcome, in lines; `None` for nothing.
    pub motd: Option<Rc<str>>,
    /// Characters of a name.
    pub name_chars_max: Option<usize>,
    /// How long a connection may go without a name.
    pub name_timeout: Option<Duration>,
    /// Rooms in all.
    pub rooms_max: Option<usize>,
    /// Rooms that one user is in.
    pub rooms_per_user_max: Option<usize>,
    /// Members of one room; the lobby takes everybody.
    pub room_members_max: Option<usize>,
    /// Earlier lines that joining a room shows to who has not said otherwise.
    pub replay_lines: usize,
    /// Names that are somebody's.
    pub accounts_max: Option<usize>,
    /// Bytes of a block.
    pub paste_bytes_max: usize,
    /// Lines that wait for the owner of a name who is away.
    pub directs_max: usize,
    /// Who comes in without an account.
    pub admission: Admission,
    /// Who may do everywhere what an owner may in a room.
    pub operators: Operators,
    /// Whether what is kept can be searched.
    pub is_searchable: bool,
    /// Whether what is given away to be kept is kept, and questions are answered.
    pub is_kept: bool,
}

impl Chat {
    /// From now on the conversation is bounded so, apart from its lobby and from what is kept.
    pub fn set_limits(&mut self, limits: Limits) {
        let old = std::mem::replace(&mut self.limits, limits);
        self.limits.lobby = old.lobby;
        self.limits.is_searchable = old.is_searchable;
        self.limits.is_kept = old.is_kept;
        let timeout = self.limits.name_timeout;
        if old.name_timeout != timeout {
            let users = &self.users;
            self.timers.await_names(|conn| {
                let since = users.find(conn)?.since.since_start();
                timeout.map(|timeout| since + timeout)
            });
        }
    }
}

#[cfg(test)]
impl Limits {
    /// Hardly any, and nothing is kept; where a test is about one, it says so.
    pub(super) fn loose() -> Limits {
        Limits {
            lobby: None,
            motd: None,
            name_chars_max: None,
            name_timeout: None,
            rooms_max: None,
            rooms_per_user_max: None,
            room_members_max: None,
            replay_lines: 20,
            accounts_max: None,
            paste_bytes_max: 1 << 16,
            directs_max: 100,
            admission: Admission::Everybody,
            operators: Operators::default(),
            is_searchable: false,
            is_kept: false,
        }
    }
}
