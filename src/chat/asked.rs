//! What a connection has asked for and waits for, and what happens when the answer comes.
//!
//! Promises: while somebody waits, no further line of theirs is taken, so what they are and where
//! they are is what it was; everything else may have changed, and is looked at again. An answer
//! that does not come is said to them, and nothing has happened. Deliberately asks nothing itself:
//! the rules beside this file do.

use super::event::{Event, Refusal};
use super::invites::Invite;
use super::kept::{Answer, Bot, Change, Question, Secret, Span};
use super::name::{Nick, RoomName};
use super::outbox::{Audience, Outbox};
use super::room::{Room, RoomId};
use super::{Chat, ConnId, Now};

/// What is done when the answer has come.
#[derive(Debug)]
pub enum Pending {
    /// Enter a room whose older lines were asked for.
    Enter {
        /// Which.
        id: RoomId,
        /// Its name at that time.
        room: RoomName,
        /// Whether it was locked then; whoever may enter had the password.
        was_locked: bool,
    },
    /// Enter a locked room, if the password is right.
    Unlock {
        /// Which.
        id: RoomId,
        /// Its name at that time.
        room: RoomName,
    },
    /// Make a locked room with that hash.
    Make {
        /// Its name.
        room: RoomName,
    },
    /// Lock a room with that hash.
    Lock {
        /// Which.
        id: RoomId,
    },
    /// Show a page of a room's lines.
    History {
        /// Which room's.
        id: RoomId,
        /// Which page.
        span: Span,
    },
    /// Show the whole of a line.
    Show {
        /// Its id.
        id: u64,
    },
    /// Show what was found.
    Search {
        /// What was searched for.
        words: String,
    },
    /// Make an account with that hash.
    Register,
    /// Hash the password of a new account, if the invitation is open.
    Invite {
        /// The invitation.
        invite: Invite,
        /// The password.
        password: Secret,
    },
    /// Make an account with that hash, by invitation.
    RegisterInvited {
        /// The invitation.
        invite: Invite,
    },
    /// Log in, if the password is right.
    Login {
        /// To which account.
        account: u64,
    },
    /// Show what was said to the owner alone meanwhile.
    Directs {
        /// The account.
        account: u64,
        /// Nothing new came the last time.
        is_last: bool,
    },
    /// Be where the owner was.
    Return {
        /// The account.
        account: u64,
    },
    /// Hash the new password, if the old one is right.
    Password {
        /// The account.
        account: u64,
        /// The new password.
        new: Secret,
    },
    /// The account has that hash from now on.
    PasswordHash {
        /// The account.
        account: u64,
    },
    /// Give up the account, if the password is right.
    Unregister {
        /// The account.
        account: u64,
    },
    /// Make a token with that hash.
    MakeToken {
        /// Its name.
        nick: Nick,
        /// What it is for.
        bot: Bot,
        /// What was hashed, to be shown.
        secret: Secret,
    },
    /// Start in a room whose older lines were asked for.
    UseToken {
        /// The token.
        account: u64,
        /// The room.
        id: RoomId,
    },
}

impl Chat {
    /// Asks a question for a connection; what is done with the answer is remembered.
    pub(super) fn ask(
        &mut self,
        conn: ConnId,
        question: Question,
        pending: Pending,
        out: &mut Outbox,
    ) {
        self.users.at_mut(conn).pending = Some(Box::new(pending));
        out.ask(conn, question);
    }

    /// What a connection has waited for has come.
    pub(super) fn answered(&mut self, conn: ConnId, answer: Answer, now: Now, out: &mut Outbox) {
        let Some(pending) = self.users.at_mut(conn).pending.take() else { return };
        let done = match *pending {
            Pending::Enter { id, room, was_locked } => match self.rooms.find(id) {
                Some(it) if it.is_locked() && !was_locked => Err(Refusal::RoomLocked { room }),
                _ => self.recalled(conn, id, room, &answer, now, out),
            },
            Pending::Unlock { id, room } => self.unlocked(conn, id, room, &answer, now, out),
            Pending::Make { room } => self.make_hashed(conn, room, answer, now, out),
            Pending::Lock { id } => self.lock_hashed(conn, id, answer, out),
            Pending::History { id, span } => self.history_came(conn, id, span, answer, out),
            Pending::Show { id } => self.whole_came(conn, id, answer, out),
            Pending::Search { words } => self.found(conn, words, answer, out),
            Pending::Register => self.registered(conn, answer, now, out),
            Pending::Invite { invite, password } => {
                self.invite_verified(conn, invite, password, &answer, out)
            }
            Pending::RegisterInvited { invite } => {
                self.registered_invited(conn, invite, answer, now, out)
            }
            Pending::Login { account } => self.login_verified(conn, account, &answer, now, out),
            Pending::Directs { account, is_last } => {
                self.directs_came(conn, account, is_last, answer, out)
            }
            Pending::Return { account } => self.returned(conn, account, answer, now, out),
            Pending::Password { account, new } => {
                self.password_verified(conn, account, new, &answer, out)
            }
            Pending::PasswordHash { account } => self.password_hashed(conn, account, answer, out),
            Pending::Unregister { account } => {
                self.unregister_verified(conn, account, &answer, now, out)
            }
            Pending::MakeToken { nick, bot, secret } => {
                self.token_hashed(conn, nick, bot, secret, answer, now, out)
            }
            Pending::UseToken { account, id } => {
                self.token_recalled(conn, account, id, &answer, now, out)
            }
        };
        if let Err(refusal) = done {
            out.refuse(conn, refusal);
        }
    }

    /// The older lines of a room have come, or nobody has them: whoever waited enters.
    fn recalled(
        &mut self,
        conn: ConnId,
        id: RoomId,
        room: RoomName,
        answer: &Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if self.rooms.find(id).is_none() {
            return Err(Refusal::NoSuchRoom { room, meant: None });
        }
        let lines = match answer {
            Answer::Lines { lines, .. } => &lines[..],
            _ => &[],
        };
        self.rooms.at_mut(id).recall(lines);
        self.admit(conn, id, now, out)
    }

    /// Gives away the topics that were changed while nothing could be kept.
    fn keep_topics(&mut self, out: &mut Outbox) {
        let is_due = |(id, room): (RoomId, &Room)| room.is_topic_due.then_some(id);
        let due: Vec<RoomId> = self.rooms.iter().filter_map(is_due).collect();
        for id in due {
            self.keep_room(id, out);
            let room = self.rooms.at_mut(id);
            room.is_topic_due = false;
            let topic = room.topic.as_deref().map(str::to_owned);
            out.keep(Change::Topic { room: room.serial, topic });
        }
    }

    /// From now on lines are not kept, or are again: everybody is told, once.
    pub(super) fn note_keeping(&mut self, is_kept: bool, out: &mut Outbox) {
        self.is_keeping = is_kept;
        if is_kept {
            self.keep_topics(out);
            self.keep_settings(out);
            self.keep_sanctions(out);
        }
        out.publish(Audience::Everybody, Event::Keeping { is_kept });
    }
}
