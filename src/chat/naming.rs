//! How a connection gets its name: the first line, a guest name for who just wants to say
//! something, and `/nick`.
//!
//! Promises: a line that is addressed (`#room text`, `@nick text`, or bare text marked as such by a
//! blank or `//`) is said also without a name, and after a refused one; no script's line is lost
//! because a name was taken.

use super::command::Command;
use super::event::{Event, Refusal};
use super::name::{Nick, Verdict, first_free};
use super::outbox::{Audience, Outbox, Source};
use super::room::RoomId;
use super::settings::Face;
use super::{Chat, ConnId, Now};

/// How many names the welcome shows.
const WELCOME_NAMES: usize = 10;

/// Whether a command works before a name without giving the connection a guest's name.
pub(super) fn needs_no_name(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::Nothing
            | Command::Who(_)
            | Command::Rooms
            | Command::Nick(_)
            | Command::Topic(Some(_))
            | Command::Ignores
            | Command::Quiet(_)
            | Command::Time(_)
            | Command::Replay(_)
            | Command::Login(..)
            | Command::Tty(_)
            | Command::Telnet
            | Command::Set(_)
            | Command::Json
            | Command::Help
            | Command::HelpOn(_)
            | Command::Quit
    )
}

/// A name that was asked for.
enum Choice {
    /// The connection may have it.
    Free(Nick),
    /// It is somebody's: this account's.
    Owned(u64),
}

impl Chat {
    /// A line of a connection that has no name: a name, or something that works without one.
    pub(super) fn line_before_name(
        &mut self,
        conn: ConnId,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) {
        let is_name = !text.starts_with([' ', '/', '#', '@']);
        match Command::parse(text) {
            Ok(Command::Nothing) => out.tell(conn, Event::NameWanted),
            Ok(Command::Say(_)) if is_name => {
                if let Err(refusal) = self.nick(conn, text.trim_end(), now, out) {
                    out.refuse(conn, refusal);
                }
            }
            Ok(command) => self.obey_before_name(conn, command, now, out),
            Err(refusal) => self.refuse_unread(conn, refusal, out),
        }
    }

    /// Does what a connection asks that has no name; it becomes a guest if that takes one.
    pub(super) fn obey_before_name(
        &mut self,
        conn: ConnId,
        command: Command<'_>,
        now: Now,
        out: &mut Outbox,
    ) {
        if let Err(refusal) = self.check_outside(conn, &command) {
            let is_paste = matches!(command, Command::Paste(_));
            return self.refuse_line(conn, refusal, is_paste, out);
        }
        if !needs_no_name(&command) && !self.is_outside(conn) {
            self.become_guest(conn, now, out);
        }
        self.obey(conn, command, now, out);
    }

    /// Gives the connection the name that was asked for, its first or another one.
    pub(super) fn nick(
        &mut self,
        conn: ConnId,
        typed: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let choice = match self.is_outside(conn) {
            true => Choice::Owned(self.account_outside(conn, typed)?),
            false => self.choose(conn, typed)?,
        };
        match choice {
            Choice::Owned(account) => {
                self.want_password(conn, account, out);
                let nick = self.name_awaited(conn, account);
                if let (Some(nick), Face::Json) = (nick, self.users.at(conn).face()) {
                    return Err(self.login_required(conn, nick));
                }
            }
            Choice::Free(nick) => match self.users.at(conn).nick() {
                None => self.welcome(conn, nick, false, now, out),
                Some(_) => {
                    self.take_rename(conn, &nick, now)?;
                    self.rename(conn, nick, out);
                    self.leave_banned_rooms(conn, out);
                }
            },
        }
        Ok(())
    }

    /// Whether the rooms that somebody is in may be told another name of theirs now, which reaches
    /// people as a line does: in a slow room it takes their turn.
    fn take_rename(&mut self, conn: ConnId, nick: &Nick, now: Now) -> Result<(), Refusal> {
        self.check_may_be_heard(conn)?;
        let user = self.users.at(conn);
        user.rooms.iter().try_for_each(|it| self.check_not_muted(conn, it.room))?;
        if user.nick().is_some_and(|old| old.as_str() == nick.as_str()) {
            return Ok(());
        }
        let told = user.rooms.iter().filter(|membership| membership.is_announced);
        let told: Vec<RoomId> = told.map(|membership| membership.room).collect();
        self.take_turns(conn, &told, now)
    }

    /// The name as typed, if the connection may have it. `name*` is the first free one like it.
    fn choose(&self, conn: ConnId, typed: &str) -> Result<Choice, Refusal> {
        let chars_max = self.limits.name_chars_max;
        let (users, accounts) = (&self.users, &self.accounts);
        let own = users.at(conn).account();
        let base = typed.strip_suffix('*').unwrap_or(typed);
        let nick = Nick::parse(base, chars_max)
            .map_err(|fault| Refusal::NameInvalid { typed: typed.to_owned(), fault })?;
        self.check_nick_not_banned(&nick)?;
        let free = self.first_free_name(conn, &nick, own);
        if free.as_ref().is_some_and(|free| *free == nick) {
            return Ok(Choice::Free(nick));
        }
        if base == typed
            && let Some(account) = accounts.named(nick.key()).filter(|it| Some(*it) != own)
        {
            return Ok(Choice::Owned(account));
        }
        if base != typed
            && let Some(free) = free
        {
            return Ok(Choice::Free(free));
        }
        Err(self.name_refused(conn, nick, typed, free))
    }

    /// The first free one of `nick`, `nick-2` and so on, for a connection that may have the names
    /// of that account; `None` when there is none.
    pub(super) fn first_free_name(
        &self,
        conn: ConnId,
        nick: &Nick,
        own: Option<u64>,
    ) -> Option<Nick> {
        let (users, accounts) = (&self.users, &self.accounts);
        let is_own = |account| Some(account) == own;
        let is_owned = |nick: &Nick| match accounts.verdict(nick) {
            Verdict::Free => false,
            Verdict::Taken(account) | Verdict::Confusable(account) => !is_own(account),
        };
        let is_free = |nick: &Nick| {
            let is_unused = matches!(users.verdict(nick, conn), Verdict::Free) && !is_owned(nick);
            is_unused && self.check_nick_not_banned(nick).is_ok()
        };
        let is_used = |key: &str| {
            let is_of_another = users.named(key).is_some_and(|other| other != conn);
            is_of_another || accounts.named(key).is_some_and(|account| !is_own(account))
        };
        first_free(nick.as_str(), self.limits.name_chars_max, is_used, is_free)
    }

    /// Why a name that is not free is not: somebody has it, or one that it looks like.
    pub(super) fn name_refused(
        &self,
        conn: ConnId,
        nick: Nick,
        typed: &str,
        free: Option<Nick>,
    ) -> Refusal {
        let typed = typed.to_owned();
        if let Verdict::Confusable(other) = self.accounts.verdict(&nick)
            && let Some(other) = self.accounts.find(other)
        {
            return Refusal::NameConfusable { typed, like: other.nick.as_str().to_owned() };
        }
        match self.users.verdict(&nick, conn) {
            Verdict::Confusable(other) => {
                let like = self.users.nick(other).as_str().to_owned();
                Refusal::NameConfusable { typed, like }
            }
            Verdict::Taken(_) | Verdict::Free => Refusal::NameTaken { nick, free },
        }
    }

    /// Gives the connection a guest's name, because a line of it is to be said.
    pub(super) fn become_guest(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        self.guests += 1;
        let nick = Nick::guest(self.guests);
        self.welcome(conn, nick, true, now, out);
    }

    pub(super) fn welcome(
        &mut self,
        conn: ConnId,
        nick: Nick,
        is_guest: bool,
        now: Now,
        out: &mut Outbox,
    ) {
        self.welcome_in(conn, nick, is_guest, self.lobby(), now, out);
    }

    /// Gives a connection its first name, and lets it start in that room.
    pub(super) fn welcome_in(
        &mut self,
        conn: ConnId,
        nick: Nick,
        is_guest: bool,
        room: Option<RoomId>,
        now: Now,
        out: &mut Outbox,
    ) {
        self.await_no_name(conn);
        self.users.rename(conn, nick.clone());
        let room = room.filter(|room| self.check_not_banned(conn, *room).is_ok());
        let lobby = room.map(|room| {
            self.enter(conn, room, now, out);
            (self.rooms.at(room).name.clone(), self.others_in(room, conn, WELCOME_NAMES))
        });
        out.tell(conn, Event::Welcome { nick, is_guest, lobby });
        // A guest is a script that has a line to say, and a token is for programs.
        let is_person = !is_guest && self.users.at(conn).token().is_none();
        if let Some(text) = self.limits.motd.clone().filter(|_| is_person) {
            out.tell(conn, Event::Motd { text });
        }
    }

    /// Gives somebody who has a name another one, and lets the others know.
    pub(super) fn rename(&mut self, conn: ConnId, nick: Nick, out: &mut Outbox) {
        self.rename_for(conn, nick, None, out);
    }

    /// The same for somebody in whose place another connection comes, which need not hear of it.
    pub(super) fn rename_for(
        &mut self,
        conn: ConnId,
        nick: Nick,
        heir: Option<ConnId>,
        out: &mut Outbox,
    ) {
        let old = self.users.rename(conn, nick.clone()).expect("the user has a name");
        out.tell(conn, Event::YouAre { nick: nick.clone() });
        if old.as_str() == nick.as_str() {
            return;
        }
        let user = self.users.at(conn);
        let rooms = user.rooms.iter().filter(|membership| membership.is_announced);
        let rooms = rooms.map(|membership| membership.room).collect();
        let source = Source { conn, nick: old.clone() };
        let audience = Audience::Change { rooms, source, heir };
        out.publish(audience, Event::Renamed { old, new: nick });
    }
}
