//! Settings that outlive a connection: what the owner of an account has said of how they want to be
//! served is so again after the next login.
//!
//! Promises: what was said while logged in is kept, once for each change, and is in force before
//! the welcome, without a word of its own; what was never said so stays as it is on the connection.
//! Deliberately keeps nothing for guests and bots.

use super::kept::{Change, KeptSettings};
use super::outbox::Outbox;
use super::{Chat, ConnId};

impl Chat {
    /// Who is logged in has said something of how they want to be served.
    pub(super) fn remember(
        &mut self,
        conn: ConnId,
        note: impl FnOnce(&mut KeptSettings),
        out: &mut Outbox,
    ) {
        let serial = self.users.at(conn).account();
        let account = serial.and_then(|serial| self.accounts.find_mut(serial));
        let Some(account) = account else { return };
        let before = account.settings;
        note(&mut account.settings);
        if account.settings == before {
            return;
        }
        if !self.is_keeping {
            account.are_settings_due = true;
            return;
        }
        out.keep(Change::Settings { account: account.serial, settings: account.settings });
    }

    /// Gives away the settings that were changed while nothing could be kept.
    pub(super) fn keep_settings(&mut self, out: &mut Outbox) {
        for account in self.accounts.iter_mut() {
            if std::mem::take(&mut account.are_settings_due) {
                out.keep(Change::Settings { account: account.serial, settings: account.settings });
            }
        }
    }

    /// How somebody is served who makes their name theirs: it is so after the next login too.
    pub(super) fn settings_of(&self, conn: ConnId) -> KeptSettings {
        let user = self.users.at(conn);
        let settings = user.settings().copied().unwrap_or_default();
        KeptSettings::of(&settings, user.is_quiet, user.replay_lines())
    }

    /// The user is the owner of that account now, and is served as its owner wants to be.
    pub(super) fn restore_settings(&mut self, conn: ConnId, serial: u64, out: &mut Outbox) {
        let Some(kept) = self.accounts.find(serial).map(|account| account.settings) else { return };
        let user = self.users.at_mut(conn);
        let before = user.settings().copied().unwrap_or_default();
        let settings = kept.over(before);
        // Who is served plainly costs nothing for it.
        if settings != before {
            user.wishes_mut().settings = settings;
            out.serve(conn, settings);
        }
        if let Some(lines) = kept.replay {
            user.wishes_mut().replay_lines = Some(lines);
        }
        if let Some(is_quiet) = kept.quiet {
            user.is_quiet = is_quiet;
            self.note_in_rooms(conn);
        }
    }
}
