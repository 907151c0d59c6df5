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
use super::{Chat, ConnId, Now};

/// How many names the welcome shows.
const WELCOME_NAMES: usize = 10;

/// Whether a command works before a name without giving the connection a guest's name.
fn needs_no_name(command: &Command<'_>) -> bool {
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
            | Command::Help
            | Command::HelpOn(_)
            | Command::Quit
    )
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
            Ok(command) => {
                if !needs_no_name(&command) {
                    self.become_guest(conn, now, out);
                }
                self.obey(conn, command, now, out);
            }
            Err(refusal) => out.refuse(conn, refusal),
        }
    }

    /// Gives the connection the name that was asked for, its first or another one.
    pub(super) fn nick(
        &mut self,
        conn: ConnId,
        typed: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let nick = self.choose(conn, typed)?;
        if self.users.at(conn).nick().is_none() {
            self.welcome(conn, nick, false, now, out);
            return Ok(());
        }
        let old = self.users.rename(conn, nick.clone()).expect("the user has a name");
        out.tell(conn, Event::YouAre { nick: nick.clone() });
        if old.as_str() == nick.as_str() {
            return Ok(());
        }
        let user = self.users.at(conn);
        let rooms = user.rooms.iter().filter(|membership| membership.is_announced);
        let rooms = rooms.map(|membership| membership.room).collect();
        let audience = Audience::Change { rooms, source: Source { conn, nick: old.clone() } };
        out.publish(audience, Event::Renamed { old, new: nick });
        Ok(())
    }

    /// The name as typed, if the connection may have it. `name*` is the first free one like it.
    fn choose(&self, conn: ConnId, typed: &str) -> Result<Nick, Refusal> {
        let chars_max = self.limits.name_chars_max;
        let users = &self.users;
        let is_free = |nick: &Nick| matches!(users.verdict(nick, conn), Verdict::Free);
        let is_used = |key: &str| users.named(key).is_some_and(|other| other != conn);
        let base = typed.strip_suffix('*').unwrap_or(typed);
        let nick = Nick::parse(base, chars_max)
            .map_err(|fault| Refusal::NameInvalid { typed: typed.to_owned(), fault })?;
        let verdict = users.verdict(&nick, conn);
        if matches!(verdict, Verdict::Free) {
            return Ok(nick);
        }
        let free = first_free(nick.as_str(), chars_max, is_used, is_free);
        if base != typed
            && let Some(free) = free
        {
            return Ok(free);
        }
        Err(match verdict {
            Verdict::Confusable(other) => Refusal::NameConfusable {
                typed: typed.to_owned(),
                like: self.users.nick(other).as_str().to_owned(),
            },
            Verdict::Taken(_) | Verdict::Free => Refusal::NameTaken { nick, free },
        })
    }

    /// Gives the connection a guest's name, because a line of it is to be said.
    fn become_guest(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        self.guests += 1;
        let nick = Nick::guest(self.guests);
        self.welcome(conn, nick, true, now, out);
    }

    fn welcome(&mut self, conn: ConnId, nick: Nick, is_guest: bool, now: Now, out: &mut Outbox) {
        self.await_no_name(conn);
        self.users.rename(conn, nick.clone());
        let lobby = self.lobby().map(|room| {
            self.enter(conn, room, now, out);
            (self.rooms.at(room).name.clone(), self.others_in(room, conn, WELCOME_NAMES))
        });
        out.tell(conn, Event::Welcome { nick, is_guest, lobby });
    }
}
