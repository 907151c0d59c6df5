//! Rooms that are somebody's: `/lock`, `/unlock`, `/close`, and who owns what.
//!
//! Promises: only the account that made a room, or an operator of the server, locks, unlocks and
//! closes it, and nobody the lobby; a lock that outlives
//! the process is a slow hash; closing takes asking twice, and takes the lines with it.
//! Deliberately decides nothing about guests' rooms: they are nobody's.

use std::time::Duration;

use super::asked::Pending;
use super::event::{Event, RankFault, Refusal, Whose};
use super::kept::{Answer, Change, KeptLock, Question, Secret};
use super::lock::{Lock, Tries};
use super::moves::forget_kept;
use super::name::{Nick, RoomName};
use super::outbox::{Audience, Outbox, Source};
use super::ranks::{Place, Rank};
use super::record::{Record, Recorded};
use super::room::{Access, Locked, RoomId};
use super::{Chat, ConnId, Now};

/// A room is closed when that is asked for twice within this time.
const CLOSE_TWICE_WITHIN: Duration = Duration::from_secs(30);

impl Chat {
    /// The room of that name, if it is the user's own, or the user an operator of the server.
    fn own_room(&self, conn: ConnId, typed: &str) -> Result<RoomId, Refusal> {
        self.check_kept()?;
        let id = self.room_named(typed)?;
        let room = self.rooms.at(id);
        // The lobby is for everybody, whatever an operator thinks.
        let may = self.rank_in(conn, Place::Room(id)) >= Rank::RoomOwner;
        if self.lobby() == Some(id) {
            let (room, whose) = (room.name.clone(), Whose::Everybodys);
            return Err(Refusal::NotYours { room, whose });
        }
        match may {
            true => self.check_may_rule(conn, id).map(|()| id),
            false => {
                self.check_not_banned(conn, id)?;
                Err(self.not_yours(id))
            }
        }
    }

    /// Whose a room is, said to who wants to do what its owner may.
    pub(super) fn not_yours(&self, id: RoomId) -> Refusal {
        let room = self.rooms.at(id);
        let whose = if room.owner.is_some() { Whose::Somebodys } else { Whose::Nobodys };
        Refusal::NotYours { room: room.name.clone(), whose }
    }

    pub(super) fn lock_room(
        &mut self,
        conn: ConnId,
        typed: &str,
        password: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_kept()?;
        let id = self.room_named(typed)?;
        // Nobody would be left who knows its password.
        if self.rooms.at(id).owner.is_none() && self.lobby() != Some(id) {
            return Err(Refusal::Rank(RankFault::NobodysRoom {
                room: self.rooms.at(id).name.clone(),
            }));
        }
        self.own_room(conn, typed)?;
        self.check_keeping()?;
        self.take_hash(conn, now)?;
        let question = Question::Hash { password: Secret(password.to_owned()) };
        self.ask(conn, question, Pending::Lock { id }, out);
        Ok(())
    }

    /// The hash of a room's new password has come.
    pub(super) fn lock_hashed(
        &mut self,
        conn: ConnId,
        id: RoomId,
        answer: Answer,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        if self.rooms.find(id).is_none() {
            return Err(Refusal::Unavailable);
        }
        self.put_out_absent(conn, id, out);
        self.change_lock(conn, id, hashed(&hash), KeptLock::Hash(hash), out);
        Ok(())
    }

    /// A room gets another lock: owners of names who were in it and are away need the password.
    fn put_out_absent(&mut self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let room = self.rooms.at(id).serial;
        let own = self.users.at(conn).account();
        for account in self.accounts.iter_mut() {
            let is_absent = account.conn.is_none() && Some(account.serial) != own;
            if is_absent && account.rooms.contains(&room) {
                account.rooms.retain(|it| *it != room);
                out.keep(Change::Left { account: account.serial, room });
            }
        }
    }

    pub(super) fn unlock_room(
        &mut self,
        conn: ConnId,
        typed: &str,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = self.own_room(conn, typed)?;
        self.check_keeping()?;
        self.change_lock(conn, id, Access::Open, KeptLock::Open, out);
        Ok(())
    }

    fn change_lock(
        &mut self,
        conn: ConnId,
        id: RoomId,
        access: Access,
        kept: KeptLock,
        out: &mut Outbox,
    ) {
        let is_locked = kept != KeptLock::Open;
        self.rooms.set_access(id, access);
        self.keep_room(id, out);
        let room = self.rooms.at(id);
        out.keep(Change::Lock { room: room.serial, lock: kept });
        let nick = self.users.nick(conn);
        let source = Source { conn, nick: nick.clone() };
        let what = if is_locked { Recorded::Lock } else { Recorded::Unlock };
        let name = Some(room.name.clone());
        out.record(Record { doer: Some(conn), what, room: name, target: None });
        let event = Event::LockSet { room: room.name.clone(), nick, is_locked };
        out.tell(conn, event.clone());
        out.publish(Audience::Change { rooms: vec![id], source, heir: None }, event);
    }

    /// `/close room`: asked for once it warns, asked for twice it closes.
    pub(super) fn close_room(
        &mut self,
        conn: ConnId,
        typed: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = self.own_room(conn, typed)?;
        let name = self.rooms.at(id).name.clone();
        let wishes = self.users.at_mut(conn).wishes_mut();
        match wishes.closing.take() {
            Some((room, until)) if room == id && now.mono <= until => {}
            _ => {
                wishes.closing = Some((id, now.mono + CLOSE_TWICE_WITHIN));
                out.tell(conn, Event::CloseAsked { room: name });
                return Ok(());
            }
        }
        let (what, room) = (Recorded::Close, Some(name.clone()));
        out.record(Record { doer: Some(conn), what, room, target: None });
        let nick = self.users.nick(conn);
        let members: Vec<ConnId> = self.rooms.at(id).members().iter().map(|it| it.conn).collect();
        let is_member = members.contains(&conn);
        for member in members {
            self.put_out(member, id, out);
            self.tell_closed(member, &name, &nick, out);
        }
        if !is_member {
            self.tell_closed(conn, &name, &nick, out);
        }
        if self.rooms.find(id).is_some() {
            self.forget(id, out);
        }
        Ok(())
    }

    fn tell_closed(&self, conn: ConnId, room: &RoomName, nick: &Nick, out: &mut Outbox) {
        let current = self.users.at(conn).current_room();
        let current = current.map(|room| self.rooms.at(room).name.clone());
        out.tell(conn, Event::Closed { room: room.clone(), nick: nick.clone(), current });
    }

    /// Takes a member out of a room that is being closed; nobody is told that they left.
    pub(super) fn put_out(&mut self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let user = self.users.at_mut(conn);
        let Some(at) = user.rooms.iter().position(|membership| membership.room == id) else {
            return;
        };
        let membership = user.rooms.remove(at);
        self.keep_left(conn, id, out);
        self.dismiss(&membership, out);
    }

    /// An account is about to go: its rooms are nobody's then. A locked one stays as long as
    /// somebody is in it, as a guest's does.
    pub(super) fn disown_rooms(&mut self, account: u64, out: &mut Outbox) {
        self.forget_operator(account);
        let own = self.rooms.iter().filter(|(_, room)| room.owner == Some(account));
        let own: Vec<RoomId> = own.map(|(id, _)| id).collect();
        for id in own {
            self.rooms.set_owner(id, None);
            let room = self.rooms.at(id);
            if !room.is_locked() {
                continue;
            }
            out.keep(Change::Lock { room: room.serial, lock: KeptLock::Guest });
            if room.members().is_empty() {
                self.forget(id, out);
            }
        }
    }

    /// Makes a room that belongs to an account: one with a password when the hash has come.
    pub(super) fn make_hashed(
        &mut self,
        conn: ConnId,
        room: RoomName,
        answer: Answer,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let Answer::Hash(hash) = answer else { return Err(Refusal::Unavailable) };
        if self.rooms.named(room.key()).is_some() {
            return Err(Refusal::RoomLocked { room });
        }
        self.make_with(conn, room, hashed(&hash), now, out)
    }

    /// The owner of an account has entered a room: they are there again after the next login.
    pub(super) fn keep_entered(&mut self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let Some(serial) = self.users.at(conn).account() else { return };
        let room = self.rooms.at(id).serial;
        let Some(account) = self.accounts.find_mut(serial) else { return };
        if account.rooms.contains(&room) {
            return;
        }
        account.rooms.push(room);
        self.keep_room(id, out);
        out.keep(Change::Entered { account: serial, room });
    }

    /// A room that the owner of an account is in has become the current one: it is after the next
    /// login, too.
    pub(super) fn keep_current(&mut self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let room = self.rooms.at(id).serial;
        let serial = self.users.at(conn).account();
        let account = serial.and_then(|serial| self.accounts.find_mut(serial));
        let Some(account) = account.filter(|account| account.rooms.last() != Some(&room)) else {
            return;
        };
        account.rooms.retain(|it| *it != room);
        self.keep_entered(conn, id, out);
    }

    /// The owner of an account has left a room for good.
    pub(super) fn keep_left(&mut self, conn: ConnId, id: RoomId, out: &mut Outbox) {
        let Some(serial) = self.users.at(conn).account() else { return };
        let Some(room) = self.rooms.find(id).map(|room| room.serial) else { return };
        let Some(account) = self.accounts.find_mut(serial) else { return };
        account.rooms.retain(|it| *it != room);
        out.keep(Change::Left { account: serial, room });
    }

    /// Takes out an empty room, also from what is kept.
    pub(super) fn forget(&mut self, id: RoomId, out: &mut Outbox) {
        self.wholes.forget(id);
        forget_kept(&self.rooms.remove(id), out);
    }
}

/// Who may enter: who knows the password behind that hash.
fn hashed(hash: &str) -> Access {
    Access::Locked(Box::new(Locked { lock: Lock::Hash(hash.into()), tries: Tries::default() }))
}
