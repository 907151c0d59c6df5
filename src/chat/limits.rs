//! Limits that change while people talk.
//!
//! Promises: a new limit counts for what comes; what is there already stays, also where there is
//! more of it than may be. Deliberately changes neither the lobby, where people are, nor what
//! is kept.

use super::{Chat, Limits};

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
            admission: super::Admission::Everybody,
            operators: Default::default(),
            is_searchable: false,
            is_kept: false,
        }
    }
}
