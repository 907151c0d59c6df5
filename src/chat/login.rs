//! Names that are somebody's: `/register`, `/login`, `/password`, `/unregister`, and the line that
//! is taken for a password because it was asked for.
//!
//! Promises: nobody has an owned name without its password; a line that is taken for a password is
//! never said, and an addressed line is never taken for one; who logs in again takes over from the
//! connection that had it, and is where it was. Deliberately hashes nothing: it asks.

use super::accounts::Account;
use super::asked::Pending;
use super::command::{Command, Verb};
use super::event::{Event, Parting, Refusal};
use super::kept::{Answer, Change, KeptAccount, Missed, Question, Secret};
use super::name::{Nick, key_of};
use super::naming::needs_no_name;
use super::outbox::{Audience, Outbox, Source};
use super::{Chat, ConnId, Now};

/// Characters of a name's password; a blank is none of them.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 6..=128;

/// Who may try a password, and whose: part of what is asked.
type Asked = Result<(), Refusal>;

impl Chat {
    pub(super) fn register(
        &mut self,
        conn: ConnId,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        self.check_keeping()?;
        let user = self.users.at(conn);
        let nick = self.users.nick(conn);
        if let Some(account) = user.account() {
            return Err(Refusal::AlreadyRegistered { nick: self.account_nick(account, nick) });
        }
        if Nick::parse(nick.as_str(), None).is_err() {
            return Err(Refusal::GuestsCannotRegister { nick });
        }
        check_password(password)?;
        if let Some(most) = self.limits.accounts_max.filter(|most| self.accounts.len() >= *most) {
            return Err(Refusal::TooManyAccounts { most });
        }
        self.take_hash(conn, now)?;
        let question = Question::Hash { password: Secret(password.to_owned()) };
        self.ask(conn, question, Pending::Register, out);
        Ok(())
    }

    /// A password is about to be hashed, which costs time; whoever wants that often waits.
    pub(super) fn take_hash(&mut self, conn: ConnId, now: Now) -> Asked {
        let origin = self.users.at(conn).origin;
        let taken = self.accounts.take_try(None, origin, now.mono);
        taken.map_err(|wait| Refusal::TryPasswordLater { wait })
    }

    /// The hash has come: the name is the user's.
    pub(super) fn registered(
        &mut self,
        conn: ConnId,
        answer: Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        let nick = self.users.nick(conn);
        let account = self.accounts.add(nick.clone(), &hash);
        account.conn = Some(conn);
        let serial = account.serial;
        out.keep(Change::AccountMade(KeptAccount {
            serial,
            nick: nick.as_str().to_owned(),
            hash,
            unix: now.unix,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
        }));
        self.users.at_mut(conn).set_account(Some(serial));
        self.keep_memberships(conn, out);
        out.tell(conn, Event::Registered { nick });
        Ok(())
    }

    /// `/login nick password`; without a password it is asked for.
    pub(super) fn login(
        &mut self,
        conn: ConnId,
        typed: &str,
        password: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        self.check_kept()?;
        let Some(serial) = self.accounts.named(&key_of(typed)) else {
            return Err(Refusal::NotRegistered { typed: typed.to_owned() });
        };
        if self.users.at(conn).account() == Some(serial) {
            let nick = self.account_nick(serial, self.users.nick(conn));
            return Err(Refusal::AlreadyLoggedIn { nick });
        }
        match password {
            Some(password) => self.try_login(conn, serial, password, now, out),
            None => {
                self.want_password(conn, serial, out);
                Ok(())
            }
        }
    }

    /// Asks for the password of an account: the next line is taken for it.
    pub(super) fn want_password(&mut self, conn: ConnId, serial: u64, out: &mut Outbox) {
        let Some(account) = self.accounts.find(serial) else { return };
        let nick = account.nick.clone();
        self.users.at_mut(conn).wishes_mut().login = Some(serial);
        out.tell(conn, Event::PasswordWanted { nick });
        out.hide_typing(conn, true);
    }

    /// No password is awaited any longer.
    pub(super) fn want_no_password(&mut self, conn: ConnId, out: &mut Outbox) {
        let user = self.users.at_mut(conn);
        if user.awaited_login().is_some() {
            user.wishes_mut().login = None;
            out.hide_typing(conn, false);
        }
    }

    /// A line of somebody whose password was asked for.
    pub(super) fn password_line(
        &mut self,
        conn: ConnId,
        serial: u64,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) {
        let Some(account) = self.accounts.find(serial) else {
            return self.want_no_password(conn, out);
        };
        let refusal = Refusal::LoginRequired { nick: account.nick.clone() };
        if text.starts_with(['#', '@']) {
            return out.refuse(conn, refusal);
        }
        let is_command = text.starts_with('/') || Command::parse(text) == Ok(Command::Quit);
        if is_command {
            return match Command::parse(text) {
                Ok(command @ (Command::Nick(_) | Command::Login(..))) => {
                    self.want_no_password(conn, out);
                    self.obey(conn, command, now, out);
                }
                Ok(command) if needs_no_name(&command) => self.obey(conn, command, now, out),
                Ok(_) => out.refuse(conn, refusal),
                Err(refusal) => out.refuse(conn, refusal),
            };
        }
        let password = text.trim();
        if password.is_empty() {
            self.want_no_password(conn, out);
            return out.tell(conn, Event::LoginDropped { nick: self.nick_if_any(conn) });
        }
        if let Err(refusal) = self.try_login(conn, serial, password, now, out) {
            out.refuse(conn, refusal);
        }
    }

    fn try_login(
        &mut self,
        conn: ConnId,
        serial: u64,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        self.ask_password(conn, serial, password, Pending::Login { account: serial }, now, out)
    }

    /// Asks whether that is an account's password. Every try counts.
    fn ask_password(
        &mut self,
        conn: ConnId,
        serial: u64,
        password: &str,
        pending: Pending,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        let origin = self.users.at(conn).origin;
        let taken = self.accounts.take_try(Some(serial), origin, now.mono);
        taken.map_err(|wait| Refusal::TryPasswordLater { wait })?;
        let hash = self.accounts.find(serial).map(|account| account.hash.to_string());
        let question = Question::Verify { password: Secret(password.to_owned()), hash };
        self.ask(conn, question, pending, out);
        Ok(())
    }

    /// Whether the password was right; if so the try does not count.
    fn check_verified(&mut self, conn: ConnId, serial: u64, answer: &Answer) -> Asked {
        match answer {
            Answer::Verified(true) => {
                let origin = self.users.at(conn).origin;
                self.accounts.forgive(serial, origin);
                Ok(())
            }
            Answer::Verified(false) => {
                let is_asked = self.users.at(conn).awaited_login().is_some();
                let nick = self.accounts.find(serial).map(|account| account.nick.clone());
                match nick {
                    Some(nick) => Err(Refusal::WrongPasswordOfName { nick, is_asked }),
                    None => Err(Refusal::Unavailable),
                }
            }
            _ => Err(Refusal::Unavailable),
        }
    }

    /// The password of a login was looked at: if it is right, what was missed is asked for.
    pub(super) fn login_verified(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: &Answer,
        out: &mut Outbox,
    ) -> Asked {
        self.check_verified(conn, serial, answer)?;
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        // Of one who is here still, nothing was missed so far.
        let seen = if account.conn.is_some() { self.next_line - 1 } else { account.seen };
        let rooms = account.rooms.iter().map(|room| (*room, super::history::LINES_MAX));
        let rooms = rooms.collect();
        let question = Question::Missed { account: serial, seen, rooms };
        self.ask(conn, question, Pending::Return { account: serial }, out);
        Ok(())
    }

    /// What was missed has come, or nobody has it: the user is the owner now, and is where they
    /// were.
    pub(super) fn returned(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        let (nick, old) = (account.nick.clone(), account.conn);
        if let Some(old) = old.filter(|old| *old != conn) {
            self.part(old, Parting::TakenOver, now, out);
        }
        self.log_out(conn, now, out);
        self.want_no_password(conn, out);
        let account = self.accounts.find_mut(serial).expect("it was found just now");
        account.conn = Some(conn);
        out.keep(Change::LoggedIn { account: serial, unix: now.unix });
        self.users.at_mut(conn).set_account(Some(serial));
        match self.nick_if_any(conn) {
            None => self.welcome(conn, nick, false, now, out),
            Some(_) => self.rename(conn, nick, out),
        }
        self.keep_memberships(conn, out);
        let missed = match answer {
            Answer::Missed { rooms, directs } => {
                for missed in rooms {
                    self.come_back(conn, missed.room, Some(&missed), old.is_some(), now, out);
                }
                self.show_directs(conn, serial, directs, out);
                Ok(())
            }
            _ => {
                let rooms = self.accounts.find(serial).map(|account| account.rooms.clone());
                for room in rooms.unwrap_or_default() {
                    self.come_back(conn, room, None, old.is_some(), now, out);
                }
                Err(Refusal::Unavailable)
            }
        };
        let current = self.users.at(conn).current_room().filter(|id| self.lobby() != Some(*id));
        if let Some(current) = current {
            out.tell(conn, Event::Current { room: self.rooms.at(current).name.clone() });
        }
        missed
    }

    /// Enters a room again in which the owner of an account was, and shows what was missed there,
    /// if that is known.
    fn come_back(
        &mut self,
        conn: ConnId,
        room: u64,
        missed: Option<&Missed>,
        was_here: bool,
        now: Now,
        out: &mut Outbox,
    ) {
        let Some(id) = self.rooms.of_serial(room) else { return };
        if let Some(missed) = missed {
            self.rooms.at_mut(id).recall(&missed.tail);
        }
        let is_in = self.users.at(conn).is_in(id);
        if !is_in {
            if let Err(refusal) = self.check_room_for(conn, id) {
                return out.refuse(conn, refusal);
            }
            self.enter_again(conn, id, was_here, now, out);
        } else if let Some(membership) = self.users.at_mut(conn).membership_mut(id) {
            // What was seen before is not shown again.
            membership.replay_before = missed.map_or(membership.replay_before, |_| None);
        }
        // Whoever has just been welcomed there need not hear of nothing.
        if let Some(missed) = missed.filter(|missed| !is_in || missed.lines > 0) {
            self.tell_missed(conn, id, missed.lines, out);
        }
    }

    fn show_directs(
        &mut self,
        conn: ConnId,
        serial: u64,
        directs: Vec<super::kept::KeptDirect>,
        out: &mut Outbox,
    ) {
        if let Some(account) = self.accounts.find_mut(serial) {
            account.directs = account.directs.saturating_sub(directs.len());
        }
        if !directs.is_empty() {
            out.keep(Change::DirectsShown { to: serial, count: directs.len() });
            out.tell(conn, Event::Directs { directs: directs.into() });
        }
    }

    /// The user's rooms are those that the account's owner is in.
    fn keep_memberships(&mut self, conn: ConnId, out: &mut Outbox) {
        let rooms: Vec<_> = self.users.at(conn).rooms.iter().map(|it| it.room).collect();
        rooms.into_iter().for_each(|room| self.keep_entered(conn, room, out));
    }

    /// The user is not logged in any longer: the account remembers what was seen.
    pub(super) fn log_out(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        let Some(serial) = self.users.at(conn).account() else { return };
        self.users.at_mut(conn).set_account(None);
        let Some(account) = self.accounts.find_mut(serial) else { return };
        account.conn = None;
        account.seen = self.next_line - 1;
        out.keep(Change::LoggedOut { account: serial, unix: now.unix, seen: account.seen });
    }

    /// `/password old new`.
    pub(super) fn change_password(
        &mut self,
        conn: ConnId,
        old: &str,
        new: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        let serial = self.own_account(conn, Verb::Password)?;
        self.check_keeping()?;
        check_password(new)?;
        let pending = Pending::Password { account: serial, new: Secret(new.to_owned()) };
        self.ask_password(conn, serial, old, pending, now, out)
    }

    /// The old password was looked at: if it is right, the new one is hashed.
    pub(super) fn password_verified(
        &mut self,
        conn: ConnId,
        serial: u64,
        new: Secret,
        answer: &Answer,
        out: &mut Outbox,
    ) -> Asked {
        self.check_verified(conn, serial, answer)?;
        let question = Question::Hash { password: new };
        self.ask(conn, question, Pending::PasswordHash { account: serial }, out);
        Ok(())
    }

    /// The new password's hash has come.
    pub(super) fn password_hashed(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: Answer,
        out: &mut Outbox,
    ) -> Asked {
        let account = self.accounts.find_mut(serial).ok_or(Refusal::Unavailable)?;
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        account.hash = hash.as_str().into();
        out.keep(Change::Password { account: serial, hash });
        out.tell(conn, Event::PasswordChanged);
        Ok(())
    }

    /// `/unregister password`.
    pub(super) fn unregister(
        &mut self,
        conn: ConnId,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Asked {
        let serial = self.own_account(conn, Verb::Unregister)?;
        self.check_keeping()?;
        self.ask_password(conn, serial, password, Pending::Unregister { account: serial }, now, out)
    }

    /// The password was looked at: if it is right, the account is gone.
    pub(super) fn unregister_verified(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: &Answer,
        out: &mut Outbox,
    ) -> Asked {
        self.check_verified(conn, serial, answer)?;
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        let nick = account.nick.clone();
        self.disown_rooms(serial, out);
        self.accounts.remove(serial);
        self.users.at_mut(conn).set_account(None);
        out.keep(Change::AccountGone { account: serial });
        out.tell(conn, Event::Unregistered { nick });
        Ok(())
    }

    /// The account that the user is logged in to.
    fn own_account(&self, conn: ConnId, verb: Verb) -> Result<u64, Refusal> {
        self.check_kept()?;
        self.users.at(conn).account().ok_or(Refusal::AccountRequired { verb })
    }

    /// The name of an account, or of its user where it is gone.
    fn account_nick(&self, serial: u64, nick: Nick) -> Nick {
        self.accounts.find(serial).map_or(nick, |account: &Account| account.nick.clone())
    }

    fn nick_if_any(&self, conn: ConnId) -> Option<Nick> {
        self.users.at(conn).nick().cloned()
    }

    /// Whether anything is kept here at all.
    pub(super) fn check_kept(&self) -> Result<(), Refusal> {
        if self.limits.is_kept { Ok(()) } else { Err(Refusal::NothingIsKept) }
    }

    /// Whether what is given away now will be kept.
    pub(super) fn check_keeping(&self) -> Result<(), Refusal> {
        self.check_kept()?;
        if self.is_keeping { Ok(()) } else { Err(Refusal::NotKeptNow) }
    }

    /// Gives somebody who has a name another one, and lets the others know.
    pub(super) fn rename(&mut self, conn: ConnId, nick: Nick, out: &mut Outbox) {
        let old = self.users.rename(conn, nick.clone()).expect("the user has a name");
        out.tell(conn, Event::YouAre { nick: nick.clone() });
        if old.as_str() == nick.as_str() {
            return;
        }
        let user = self.users.at(conn);
        let rooms = user.rooms.iter().filter(|membership| membership.is_announced);
        let rooms = rooms.map(|membership| membership.room).collect();
        let audience = Audience::Change { rooms, source: Source { conn, nick: old.clone() } };
        out.publish(audience, Event::Renamed { old, new: nick });
    }
}

fn check_password(password: &str) -> Result<(), Refusal> {
    // What begins so is never taken for a password where one is asked for.
    let is_taken = !password.starts_with(['#', '@', '/']);
    let has_blank = password.contains(char::is_whitespace);
    match PASSWORD_CHARS.contains(&password.chars().count()) && is_taken && !has_blank {
        true => Ok(()),
        false => Err(Refusal::PasswordInvalid),
    }
}
