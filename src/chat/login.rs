//! Names that are somebody's: `/register`, `/login`, `/password`, `/unregister`, and the line that
//! is taken for a password because it was asked for.
//!
//! Promises: nobody has an owned name without its password; a line that is taken for a password is
//! never said, and an addressed line, or one of several words, is never taken for one; after a
//! wrong password the next line is still taken for one. Deliberately hashes nothing: it asks. What
//! happens after the right one is in `back`; where members alone come in, see `admission`.

use super::accounts::Account;
use super::admission::Admission;
use super::asked::Pending;
use super::command::{Command, Verb};
use super::event::{Event, Parting, RankFault, Refusal};
use super::invites::Invite;
use super::kept::{Answer, Change, KeptAccount, Question, Secret};
use super::name::{Nick, key_of};
use super::naming::needs_no_name;
use super::outbox::Outbox;
use super::settings::Face;
use super::{Chat, ConnId, Now};

/// Characters of a name's password; a blank is none of them.
pub const PASSWORD_CHARS: std::ops::RangeInclusive<usize> = 6..=128;

impl Chat {
    pub(super) fn register(
        &mut self,
        conn: ConnId,
        code: Option<&str>,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if self.is_outside(conn) {
            return self.register_invited(conn, code, password, now, out);
        }
        self.check_keeping()?;
        let user = self.users.at(conn);
        let nick = self.users.nick(conn);
        if let Some(account) = user.account() {
            return Err(Refusal::AlreadyRegistered { nick: self.account_nick(account, nick) });
        }
        if Nick::parse(nick.as_str(), None).is_err() {
            return Err(Refusal::GuestsCannotRegister { nick });
        }
        // Or whoever is quickest would be an operator.
        if self.limits.operators.has(&nick) {
            return Err(Refusal::Rank(RankFault::OperatorsName { nick }));
        }
        // Where everybody comes in there are no invitations: what cannot be the code of one is the
        // beginning of a password with a blank in it.
        if let Some(code) = code {
            let is_code = Invite::of(code).is_some();
            return Err(if is_code { Refusal::NoInviteNeeded } else { Refusal::PasswordInvalid });
        }
        check_password(password)?;
        self.check_accounts()?;
        self.take_hash(conn, now)?;
        let question = Question::Hash { password: Secret(password.to_owned()) };
        self.ask(conn, question, Pending::Register, out);
        Ok(())
    }

    /// A password is about to be hashed, which costs time; whoever wants that often waits.
    pub(super) fn take_hash(&mut self, conn: ConnId, now: Now) -> Result<(), Refusal> {
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
    ) -> Result<(), Refusal> {
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        // Others may have been quicker, and the disk may be full by now.
        self.check_keeping()?;
        self.check_accounts()?;
        let nick = self.users.nick(conn);
        self.make_account(conn, nick.clone(), hash, now, out);
        self.keep_memberships(conn, out);
        out.tell(conn, Event::Registered { nick });
        Ok(())
    }

    /// Whether there may be one more account.
    pub(super) fn check_accounts(&self) -> Result<(), Refusal> {
        match self.limits.accounts_max {
            Some(most) if self.accounts.len() >= most => Err(Refusal::TooManyAccounts { most }),
            _ => Ok(()),
        }
    }

    /// Makes an account for somebody, who is logged in to it then.
    pub(super) fn make_account(
        &mut self,
        conn: ConnId,
        nick: Nick,
        hash: String,
        now: Now,
        out: &mut Outbox,
    ) {
        let settings = self.settings_of(conn);
        let account = self.accounts.add(nick.clone(), &hash);
        account.conn = Some(conn);
        account.settings = settings;
        let serial = account.serial;
        let origin = self.users.at(conn).origin;
        self.accounts.forgive(serial, origin);
        out.keep(Change::AccountMade(KeptAccount {
            serial,
            nick: nick.as_str().to_owned(),
            hash,
            unix: now.unix,
            seen: 0,
            rooms: Vec::new(),
            directs: 0,
            settings,
            bot: None,
        }));
        self.users.at_mut(conn).set_account(Some(serial));
    }

    /// `/login nick password`; without a password it is asked for.
    pub(super) fn login(
        &mut self,
        conn: ConnId,
        typed: &str,
        password: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_kept()?;
        let serial = match self.is_outside(conn) {
            true => {
                let was = self.users.at(conn).wanted().cloned();
                let serial = self.account_outside(conn, typed)?;
                let wanted = self.users.at(conn).wanted();
                // Another name is asked for from now on, whether it is somebody's or not.
                let is_other = was.as_ref().map(Nick::key) != wanted.map(Nick::key);
                if self.is_hiding(conn) && is_other {
                    self.want_no_password(conn, out);
                }
                serial
            }
            false => {
                let serial = self.accounts.named(&key_of(typed));
                serial.ok_or_else(|| Refusal::NotRegistered { typed: typed.to_owned() })?
            }
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
        let Some(nick) = self.name_awaited(conn, serial) else { return };
        let wishes = self.users.at_mut(conn).wishes_mut();
        wishes.login = Some(serial);
        // A program sends no line that is a password: what it asks next says what it is.
        if wishes.face != Face::Json {
            self.ask_for_password(conn, nick, out);
            out.hide_typing(conn, true);
        }
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
        let Some(nick) = self.name_awaited(conn, serial) else {
            // It was given up meanwhile; what was typed for its password is not looked at.
            self.want_no_password(conn, out);
            return out.tell(conn, Event::LoginDropped { nick: self.nick_if_any(conn) });
        };
        let refusal = self.login_required(conn, nick);
        // A password has no blank in it: whoever types one says something.
        if text.starts_with(['#', '@']) || text.trim().contains(' ') && !text.starts_with('/') {
            return out.refuse(conn, refusal);
        }
        let is_command = text.starts_with('/') || Command::parse(text) == Ok(Command::Quit);
        if is_command {
            return match Command::parse(text) {
                Ok(command) => self.command_for_password(conn, serial, command, now, out),
                Err(refusal) => self.refuse_unread(conn, refusal, out),
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

    /// Does what somebody asks whose password was asked for, if it takes none; another name takes
    /// back the wish for this one.
    pub(super) fn command_for_password(
        &mut self,
        conn: ConnId,
        serial: u64,
        command: Command<'_>,
        now: Now,
        out: &mut Outbox,
    ) {
        let nick = self.name_awaited(conn, serial);
        let is_allowed = match self.is_outside(conn) {
            true => self.check_outside(conn, &command).is_ok(),
            false => needs_no_name(&command),
        };
        if nick.is_none() || matches!(command, Command::Nick(_)) {
            self.want_no_password(conn, out);
        }
        match nick {
            Some(nick) if !is_allowed => {
                let is_paste = matches!(command, Command::Paste(_));
                self.refuse_line(conn, self.login_required(conn, nick), is_paste, out);
            }
            _ => match self.users.at(conn).nick() {
                None => self.obey_before_name(conn, command, now, out),
                Some(_) => self.obey_allowed(conn, command, now, out),
            },
        }
    }

    fn try_login(
        &mut self,
        conn: ConnId,
        serial: u64,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
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
    ) -> Result<(), Refusal> {
        // Nor is it told that a name is a bot's, of which guesses are counted otherwise.
        let is_persons = self.accounts.find(serial).is_some_and(|account| !account.is_bot());
        if self.is_hiding(conn) && !is_persons {
            self.take_try_at_nobody(conn, now)?;
        } else {
            let origin = self.users.at(conn).origin;
            let taken = self.accounts.take_try(Some(serial), origin, now.mono);
            taken.map_err(|wait| Refusal::TryPasswordLater { wait })?;
        }
        let hash = self.accounts.find(serial).map(|account| account.hash.to_string());
        let question = Question::Verify { password: Secret(password.to_owned()), hash };
        self.ask(conn, question, pending, out);
        Ok(())
    }

    /// Whether the password was right; if so the try does not count.
    pub(super) fn check_verified(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: &Answer,
    ) -> Result<(), Refusal> {
        match answer {
            Answer::Verified(true) => {
                let user = self.users.at(conn);
                let origin = user.origin;
                self.accounts.forgive(serial, origin);
                if let Some(nick) = user.wanted().filter(|_| self.is_hiding(conn)) {
                    self.accounts.forgive_at_nobody(nick.key(), origin);
                }
                Ok(())
            }
            Answer::Verified(false) => {
                let is_asked = self.users.at(conn).awaited_login().is_some();
                let nick = self.name_awaited(conn, serial).ok_or(Refusal::Unavailable)?;
                Err(Refusal::WrongPasswordOfName { nick, is_asked })
            }
            _ => Err(Refusal::Unavailable),
        }
    }

    /// `/password old new`.
    pub(super) fn change_password(
        &mut self,
        conn: ConnId,
        old: &str,
        new: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
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
    ) -> Result<(), Refusal> {
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
    ) -> Result<(), Refusal> {
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
    ) -> Result<(), Refusal> {
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
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_verified(conn, serial, answer)?;
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        let nick = account.nick.clone();
        for token in account.tokens.clone() {
            self.end_token(token, now, out);
        }
        self.disown_rooms(serial, out);
        self.accounts.remove(serial);
        self.unname(serial, &nick, Some(conn), out);
        self.users.at_mut(conn).set_account(None);
        out.keep(Change::AccountGone { account: serial });
        out.tell(conn, Event::Unregistered { nick });
        // Whoever is no member any longer would not be let in either.
        if self.limits.admission != Admission::Everybody {
            self.part(conn, Parting::Quit, now, out);
        }
        Ok(())
    }

    /// The account that the user is logged in to.
    pub(super) fn own_account(&self, conn: ConnId, verb: Verb) -> Result<u64, Refusal> {
        self.check_kept()?;
        self.users.at(conn).account().ok_or(Refusal::AccountRequired { verb })
    }

    /// The name of an account, or of its user where it is gone.
    fn account_nick(&self, serial: u64, nick: Nick) -> Nick {
        self.accounts.find(serial).map_or(nick, |account: &Account| account.nick.clone())
    }

    pub(super) fn nick_if_any(&self, conn: ConnId) -> Option<Nick> {
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
}

/// Whether that can be a password of a name.
pub(super) fn check_password(password: &str) -> Result<(), Refusal> {
    // What begins so is never taken for a password where one is asked for.
    let is_taken = !password.starts_with(['#', '@', '/']);
    let has_blank = password.contains(char::is_whitespace);
    match PASSWORD_CHARS.contains(&password.chars().count()) && is_taken && !has_blank {
        true => Ok(()),
        false => Err(Refusal::PasswordInvalid),
    }
}
