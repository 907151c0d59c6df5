//! Who comes in without an account, and how: members only, by invitation, or nobody learns who is
//! here.
//!
//! Promises: where members alone come in, whoever has no name yet is shown nobody and nothing until
//! they are logged in; an invitation makes one account, and is spent only when that is made. Where
//! it is private, a name that somebody owns is asked for its password in the same words, as often
//! and in the same time as one that nobody does. Deliberately puts nobody out: who was let in under
//! another rule stays until they leave.

use super::asked::Pending;
use super::command::Command;
use super::event::{Event, ModerationFault, RankFault, Refusal};
use super::invites::Invite;
use super::kept::{Answer, Change, Question, Secret};
use super::login::check_password;
use super::name::{Nick, Verdict};
use super::outbox::Outbox;
use super::{Chat, ConnId, Now};

/// In place of the account of a name that nobody owns, where that is not to be told: no account has
/// this serial number.
pub(super) const NOBODY: u64 = 0;

/// Who comes in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Admission {
    /// Whoever types a name.
    #[default]
    Everybody,
    /// Who has an account, or makes one with an invitation.
    Members,
    /// The same, and nobody else learns who or what is here.
    Private,
}

/// What works before a login where members alone come in.
fn needs_no_login(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::Nothing
            | Command::Nick(_)
            | Command::Login(..)
            | Command::Register(..)
            | Command::Quiet(_)
            | Command::Time(_)
            | Command::Replay(_)
            | Command::Tty(_)
            | Command::Telnet
            | Command::Set(_)
            | Command::Json
            | Command::Help
            | Command::HelpOn(_)
            | Command::Quit
    )
}

impl Chat {
    /// Greets who has just connected.
    pub(super) fn greet(&self, conn: ConnId, out: &mut Outbox) {
        let admission = self.limits.admission;
        let people = (admission != Admission::Private).then(|| self.users.people());
        let is_for_members = admission != Admission::Everybody;
        out.tell(conn, Event::Greeting { people, is_for_members });
    }

    /// Whether somebody has no name, and needs an account to get one.
    pub(super) fn is_outside(&self, conn: ConnId) -> bool {
        let has_no_name = || self.users.find(conn).is_some_and(|user| user.nick().is_none());
        self.limits.admission != Admission::Everybody && has_no_name()
    }

    /// Whether somebody outside is not to learn whose names are owned.
    pub(super) fn is_hiding(&self, conn: ConnId) -> bool {
        self.limits.admission == Admission::Private && self.is_outside(conn)
    }

    /// Whether somebody who has no name may ask that.
    pub(super) fn check_outside(&self, conn: ConnId, asked: &Command<'_>) -> Result<(), Refusal> {
        match self.is_outside(conn) && !needs_no_login(asked) {
            true => Err(Refusal::MembersOnly { nick: None }),
            false => Ok(()),
        }
    }

    /// The account that somebody outside means, whose name they want from now on.
    pub(super) fn account_outside(&mut self, conn: ConnId, typed: &str) -> Result<u64, Refusal> {
        let base = typed.strip_suffix('*').unwrap_or(typed);
        let nick = Nick::parse(base, self.limits.name_chars_max)
            .map_err(|fault| Refusal::NameInvalid { typed: typed.to_owned(), fault })?;
        let account = self.accounts.named(nick.key());
        self.users.at_mut(conn).wishes_mut().wanted = Some(nick.clone());
        match account {
            Some(account) => Ok(account),
            None if self.limits.admission == Admission::Private => Ok(NOBODY),
            // No invitation would make it theirs.
            None if self.limits.operators.has(&nick) => {
                Err(Refusal::Rank(RankFault::OperatorsName { nick }))
            }
            None => Err(Refusal::MembersOnly { nick: Some(nick) }),
        }
    }

    /// The name whose password is awaited, as it is shown to who awaits that; `None` if there is no
    /// such account any longer.
    pub(super) fn name_awaited(&self, conn: ConnId, serial: u64) -> Option<Nick> {
        match self.is_hiding(conn) {
            true => self.users.at(conn).wanted().cloned(),
            false => self.accounts.find(serial).map(|account| account.nick.clone()),
        }
    }

    /// Asks for the password of a name.
    pub(super) fn ask_for_password(&self, conn: ConnId, nick: Nick, out: &mut Outbox) {
        let is_somebodys = !self.is_hiding(conn);
        out.tell(conn, Event::PasswordWanted { nick, is_somebodys });
    }

    /// Why somebody whose password is awaited is refused something else.
    pub(super) fn login_required(&self, conn: ConnId, nick: Nick) -> Refusal {
        Refusal::LoginRequired { nick, is_somebodys: !self.is_hiding(conn) }
    }

    /// Takes a try at the password of the name that somebody outside wants, which no person owns.
    pub(super) fn take_try_at_nobody(&mut self, conn: ConnId, now: Now) -> Result<(), Refusal> {
        let user = self.users.at(conn);
        let key = user.wanted().map_or("", Nick::key).to_owned();
        let taken = self.accounts.take_try_at_nobody(&key, user.origin, now.mono);
        taken.map_err(|wait| Refusal::TryPasswordLater { wait })
    }

    /// `/register code password` of somebody outside: whether the invitation is open is asked.
    pub(super) fn register_invited(
        &mut self,
        conn: ConnId,
        code: Option<&str>,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_keeping()?;
        let wanted = self.users.at(conn).wanted().cloned();
        let Some(code) = code else {
            // What is said of a name that nobody owns is said where it shows, and is true.
            let is_nobodys = |nick: &Nick| self.accounts.named(nick.key()).is_none();
            let nick = wanted.filter(|nick| !self.is_hiding(conn) && is_nobodys(nick));
            return Err(Refusal::MembersOnly { nick });
        };
        if wanted.is_none() {
            return Err(Refusal::MembersOnly { nick: None });
        }
        check_password(password)?;
        self.take_hash(conn, now)?;
        let invite = Invite::of(code).ok_or(Refusal::WrongInvite)?;
        // Of two who use one at the same time the second waits for what becomes of the first.
        if !self.redeeming.insert(invite) {
            return Err(Refusal::Unavailable);
        }
        let password = Secret(password.to_owned());
        let question = Question::Invite { invite, unix: now.unix };
        self.ask(conn, question, Pending::Invite { invite, password }, out);
        Ok(())
    }

    /// Whether the invitation is open has been looked up: if it is, the password is hashed.
    pub(super) fn invite_verified(
        &mut self,
        conn: ConnId,
        invite: Invite,
        password: Secret,
        answer: &Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let checked = match answer {
            Answer::Verified(true) => self.name_for_invited(conn).map(|_| ()),
            Answer::Verified(false) => Err(Refusal::WrongInvite),
            _ => Err(Refusal::Unavailable),
        };
        if let Err(refusal) = checked {
            self.redeeming.remove(&invite);
            return Err(refusal);
        }
        self.ask(conn, Question::Hash { password }, Pending::RegisterInvited { invite }, out);
        Ok(())
    }

    /// The hash has come: the name is theirs, they are in, and the invitation is spent.
    pub(super) fn registered_invited(
        &mut self,
        conn: ConnId,
        invite: Invite,
        answer: Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.redeeming.remove(&invite);
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        self.check_keeping()?;
        let nick = self.name_for_invited(conn)?;
        self.want_no_password(conn, out);
        self.make_account(conn, nick.clone(), hash, now, out);
        out.keep(Change::InviteSpent { invite });
        self.welcome(conn, nick.clone(), false, now, out);
        out.tell(conn, Event::Registered { nick });
        Ok(())
    }

    /// The name that somebody with an invitation wants, if it can be theirs.
    fn name_for_invited(&self, conn: ConnId) -> Result<Nick, Refusal> {
        self.check_accounts()?;
        let nick = self.users.at(conn).wanted().cloned();
        let nick = nick.ok_or(Refusal::MembersOnly { nick: None })?;
        if self.limits.operators.has(&nick) {
            return Err(Refusal::Rank(RankFault::OperatorsName { nick }));
        }
        if let Err(Refusal::Moderation(ModerationFault::Sanctioned(deed))) =
            self.check_nick_not_banned(&nick)
        {
            let deed = Box::new(self.for_outsider(*deed));
            return Err(Refusal::Moderation(ModerationFault::Sanctioned(deed)));
        }
        let is_free = self.accounts.verdict(&nick) == Verdict::Free
            && self.users.verdict(&nick, conn) == Verdict::Free;
        if !is_free {
            let free = self.first_free_name(conn, &nick, None).filter(|free| *free != nick);
            return Err(self.name_refused(conn, nick.clone(), nick.as_str(), free));
        }
        Ok(nick)
    }

    /// A connection ends: the invitation that it was using is nobody's again.
    pub(super) fn let_go_of_invite(&mut self, conn: ConnId) {
        let pending = self.users.at(conn).pending.as_deref();
        if let Some(Pending::Invite { invite, .. } | Pending::RegisterInvited { invite }) = pending
        {
            self.redeeming.remove(invite);
        }
    }
}
