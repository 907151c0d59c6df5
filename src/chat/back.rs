//! Being back: who logs in is where they were, and is shown what they missed; and what is said to
//! who is away.
//!
//! Promises: what was missed ends where what is heard begins, with neither gap nor double; a
//! connection that was logged in ends, and to the others its owner has been there all the time.
//! Deliberately decides nothing about passwords: that was in `login`.

use super::asked::Pending;
use super::event::{Event, Parting, Refusal};
use super::kept::{Answer, Change, KeptDirect, Missed, Question};
use super::name::key_of;
use super::outbox::Outbox;
use super::room::RoomId;
use super::{Chat, ConnId, Now, history};

/// How somebody comes back.
#[derive(Debug)]
struct Return {
    /// Another connection had the name until now.
    was_here: bool,
    /// The rooms that this connection was in already.
    rooms: Vec<RoomId>,
}

impl Chat {
    /// The password of a login was looked at: if it is right, what was missed is asked for; if it
    /// is wrong, the next line is taken for it.
    pub(super) fn login_verified(
        &mut self,
        conn: ConnId,
        serial: u64,
        answer: &Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if let Err(refusal) = self.check_verified(conn, serial, answer) {
            let is_new = matches!(answer, Answer::Verified(false))
                && self.users.at(conn).awaited_login() != Some(serial);
            out.refuse(conn, refusal);
            if is_new {
                self.want_password(conn, serial, out);
            }
            return Ok(());
        }
        if let Err(refusal) = self.check_account_not_banned(serial) {
            self.want_no_password(conn, out);
            return Err(refusal);
        }
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        if account.is_bot() {
            return self.begin_token(conn, serial, now, out);
        }
        let (seen, rooms) = (account.seen, account.rooms.iter());
        let rooms = rooms.map(|room| (*room, history::LINES_MAX)).collect();
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
    ) -> Result<(), Refusal> {
        self.check_account_not_banned(serial)?;
        let account = self.accounts.find(serial).ok_or(Refusal::Unavailable)?;
        let (nick, seen) = (account.nick.clone(), account.seen);
        let old = account.conn.filter(|old| *old != conn);
        let was_announced = old.is_some_and(|old| self.take_over(old, conn, serial, now, out));
        let rooms = self.users.at(conn).rooms.iter().map(|it| it.room).collect();
        let way = Return { was_here: old.is_some(), rooms };
        self.log_out(conn, now, out);
        self.want_no_password(conn, out);
        let account = self.accounts.find_mut(serial).expect("it was found just now");
        account.conn = Some(conn);
        out.keep(Change::LoggedIn { account: serial, unix: now.unix });
        self.users.at_mut(conn).set_account(Some(serial));
        self.restore_settings(conn, serial, out);
        match self.nick_if_any(conn) {
            None => self.welcome(conn, nick, false, now, out),
            Some(_) => self.rename(conn, nick, out),
        }
        let lobby = self.lobby();
        if let Some(lobby) = lobby.and_then(|lobby| self.users.at_mut(conn).membership_mut(lobby)) {
            lobby.is_announced |= was_announced;
        }
        let outcome = match answer {
            Answer::Missed { rooms, directs } => {
                for missed in rooms {
                    self.come_back(conn, missed.room, Some((&missed, seen)), &way, now, out);
                }
                self.show_directs(conn, serial, directs, out);
                Ok(())
            }
            _ => {
                let rooms = self.accounts.find(serial).map(|account| account.rooms.clone());
                for room in rooms.unwrap_or_default() {
                    self.come_back(conn, room, None, &way, now, out);
                }
                Err(Refusal::Unavailable)
            }
        };
        self.leave_banned_rooms(conn, out);
        self.keep_memberships(conn, out);
        let current = self.users.at(conn).current_room().filter(|id| lobby != Some(*id));
        if let Some(current) = current {
            out.tell(conn, Event::Current { room: self.rooms.at(current).name.clone() });
        }
        outcome
    }

    /// The connection that was logged in ends, and nobody else hears of it; those who knew it under
    /// another name hear that it has this one. Whether its coming had been told in the lobby.
    fn take_over(
        &mut self,
        old: ConnId,
        new: ConnId,
        serial: u64,
        now: Now,
        out: &mut Outbox,
    ) -> bool {
        let account = self.accounts.find(serial).map(|account| account.nick.clone());
        let own = account.filter(|nick| *nick != self.users.nick(old));
        if let Some(nick) = own.filter(|nick| self.users.named(nick.key()).is_none()) {
            // The rooms are told when the new one is in them already.
            self.rename_for(old, nick, Some(new), out);
        }
        let lobby = self.lobby().and_then(|lobby| self.users.at(old).membership(lobby));
        let was_announced = lobby.is_some_and(|lobby| lobby.is_announced);
        self.part(old, Parting::TakenOver, now, out);
        was_announced
    }

    /// Enters a room again in which the owner of an account was, and shows what was missed there
    /// after that line, if that is known. Who was here until now is shown the last lines instead:
    /// it is not known how much of them had arrived.
    fn come_back(
        &mut self,
        conn: ConnId,
        room: u64,
        missed: Option<(&Missed, u64)>,
        way: &Return,
        now: Now,
        out: &mut Outbox,
    ) {
        let Some(id) = self.rooms.of_serial(room) else { return };
        if let Some((missed, _)) = missed {
            self.rooms.at_mut(id).recall(&missed.tail);
        }
        if way.rooms.contains(&id) {
            return;
        }
        let is_welcomed = self.users.at(conn).is_in(id);
        if !is_welcomed {
            if self.check_room_for(conn, id).is_err() {
                let room = self.rooms.at(id).name.clone();
                return out.tell(conn, Event::StaysOut { room });
            }
            self.enter_again(conn, id, way.was_here, now, out);
        } else {
            // The lobby, in its place among the others: it may have been the current one.
            let rooms = &mut self.users.at_mut(conn).rooms;
            let at = rooms.iter().position(|membership| membership.room == id);
            rooms[at.expect("a member has a membership")..].rotate_left(1);
        }
        let Some((missed, seen)) = missed.filter(|_| !way.was_here) else { return };
        let last = missed.tail.last().map_or(seen, |line| line.id.max(seen));
        let since = self.rooms.at(id).history().count_after(last) as u64;
        if let Some(membership) = self.users.at_mut(conn).membership_mut(id) {
            membership.replay_before = None;
        }
        let missed = missed.lines + since;
        // Whoever has just been welcomed there need not hear of nothing.
        if !is_welcomed || missed > 0 {
            self.tell_missed(conn, id, missed, out);
        }
    }

    /// Says how many lines were missed in a room, and shows the last of them.
    fn tell_missed(&mut self, conn: ConnId, id: RoomId, missed: u64, out: &mut Outbox) {
        let most = self.users.at(conn).replay_lines().unwrap_or(self.limits.replay_lines);
        let room = self.rooms.at(id).name.clone();
        out.tell(conn, Event::Back { room, missed });
        let most = usize::try_from(missed).unwrap_or(usize::MAX).min(most);
        self.show_last(conn, id, self.next_line, most, i64::MIN, out);
    }

    /// Shows what was said to the owner alone, apart from what was shown already; and asks again if
    /// more came in the meantime. It is forgotten when the owner has typed something after it: then
    /// it has arrived.
    fn show_directs(
        &mut self,
        conn: ConnId,
        serial: u64,
        mut directs: Vec<KeptDirect>,
        out: &mut Outbox,
    ) {
        let shown = self.users.at(conn).directs_shown();
        directs.drain(..shown.min(directs.len()));
        let is_none = directs.is_empty();
        if !is_none {
            self.users.at_mut(conn).wishes_mut().directs_shown += directs.len();
            out.tell(conn, Event::Directs { directs: directs.into() });
        }
        let shown = self.users.at(conn).directs_shown();
        if self.accounts.find(serial).is_some_and(|account| account.directs > shown) {
            let question = Question::Missed { account: serial, seen: 0, rooms: Vec::new() };
            self.ask(conn, question, Pending::Directs { account: serial, is_last: is_none }, out);
        }
    }

    /// The owner goes on after having been shown what had waited: it is not kept any longer.
    pub(super) fn note_directs_seen(&mut self, conn: ConnId, out: &mut Outbox) {
        let count = std::mem::take(&mut self.users.at_mut(conn).wishes_mut().directs_shown);
        let Some(serial) = self.users.at(conn).account() else { return };
        let Some(account) = self.accounts.find_mut(serial) else { return };
        account.directs = account.directs.saturating_sub(count);
        out.keep(Change::DirectsShown { to: serial, count });
    }

    /// What came for the owner alone while they logged in has come.
    pub(super) fn directs_came(
        &mut self,
        conn: ConnId,
        serial: u64,
        is_last: bool,
        answer: Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Missed { directs, .. } = answer else { return Err(Refusal::Unavailable) };
        let shown = self.users.at(conn).directs_shown();
        if is_last && directs.len() <= shown {
            // What cannot be read is not waited for.
            if let Some(account) = self.accounts.find_mut(serial) {
                account.directs = shown;
            }
            return Ok(());
        }
        self.show_directs(conn, serial, directs, out);
        Ok(())
    }

    /// The user's rooms are those that the account's owner is in.
    pub(super) fn keep_memberships(&mut self, conn: ConnId, out: &mut Outbox) {
        let rooms: Vec<_> = self.users.at(conn).rooms.iter().map(|it| it.room).collect();
        rooms.into_iter().for_each(|room| self.keep_entered(conn, room, out));
    }

    /// The user is not logged in any longer: the account remembers what was seen.
    pub(super) fn log_out(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        self.leave_token(conn);
        let Some(serial) = self.users.at(conn).account() else { return };
        let user = self.users.at_mut(conn);
        user.set_account(None);
        if user.directs_shown() > 0 {
            user.wishes_mut().directs_shown = 0;
        }
        let Some(account) = self.accounts.find_mut(serial) else { return };
        account.conn = None;
        account.seen = self.next_line - 1;
        out.keep(Change::LoggedOut { account: serial, unix: now.unix, seen: account.seen });
    }

    /// Says something to the owner of an account who is not here: it is kept. `None` when there is
    /// no such account.
    pub(super) fn leave_direct(
        &mut self,
        conn: ConnId,
        to: &str,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Option<Result<(), Refusal>> {
        let serial = self.accounts.named(&key_of(to))?;
        if self.accounts.find(serial)?.is_bot() {
            return None;
        }
        if let Err(refusal) = self.check_may_whisper(conn, Some(serial)) {
            return Some(Err(refusal));
        }
        let is_keeping = self.check_keeping();
        let from = self.users.nick(conn).as_str().to_owned();
        let account = self.accounts.find_mut(serial)?;
        let nick = account.nick.clone();
        if let Err(refusal) = is_keeping {
            return Some(Err(refusal));
        }
        let most = self.limits.directs_max;
        if account.directs >= most {
            return Some(Err(Refusal::DirectsFull { nick, most }));
        }
        account.directs += 1;
        let direct = KeptDirect { unix: now.unix, nick: from, text: text.to_owned() };
        out.keep(Change::Direct { to: serial, direct });
        out.tell(conn, Event::DirectKept { nick });
        Some(Ok(()))
    }
}
