//! Looking around: who is here, who somebody is, which rooms there are, what they are about.
//!
//! Promises: every answer is bounded however many are here, and says how many more there are; a
//! locked room tells outsiders nothing but that it is locked.

use std::cmp::Reverse;
use std::rc::Rc;

use super::event::{Event, Profile, Refusal, Roll, RoomRow};
use super::kept::Change;
use super::outbox::{Audience, Outbox, Source};
use super::ranks::{Place, Rank};
use super::room::{Room, RoomId};
use super::user::User;
use super::{Chat, ConnId, Now};

/// How many names `/who` shows.
const WHO_NAMES: usize = 100;
/// How many rooms `/rooms` shows.
const ROOMS_SHOWN: usize = 50;
/// How many rooms `/who nick` shows.
const PROFILE_ROOMS: usize = 10;

impl Chat {
    pub(super) fn who(&self, conn: ConnId, out: &mut Outbox) -> Result<(), Refusal> {
        let people = self.users.people_iter().take(WHO_NAMES);
        let roll = roll(people, self.users.people());
        out.tell(conn, Event::Everybody { roll });
        Ok(())
    }

    /// `/who` with a word: `#room`, `@nick`, or a nick or else a room.
    pub(super) fn who_is(
        &self,
        conn: ConnId,
        word: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        if let Some(room) = word.strip_prefix('#') {
            return self.who_is_in(conn, self.room_named(room)?, out);
        }
        let nick = word.strip_prefix('@').unwrap_or(word);
        match (self.user_named(conn, nick), self.room_named(nick)) {
            (Ok(user), _) => {
                let profile = self.profile(conn, self.users.at(user), now);
                out.tell(conn, Event::Profile(Box::new(profile)));
                Ok(())
            }
            (Err(_), Ok(room)) if nick == word => self.who_is_in(conn, room, out),
            (Err(refusal), _) => Err(refusal),
        }
    }

    fn who_is_in(&self, conn: ConnId, id: RoomId, out: &mut Outbox) -> Result<(), Refusal> {
        let room = self.rooms.at(id);
        self.check_may_look(conn, id, room)?;
        let members = room.members();
        let users = members.iter().take(WHO_NAMES).map(|member| self.users.at(member.conn));
        let roll = roll(users, members.len());
        out.tell(conn, Event::Members { room: room.name.clone(), roll });
        self.tell_slow(conn, id, out);
        Ok(())
    }

    /// A locked room is looked into by its members alone.
    pub(super) fn check_may_look(
        &self,
        conn: ConnId,
        id: RoomId,
        room: &Room,
    ) -> Result<(), Refusal> {
        self.check_token_room(conn, room.name.key())?;
        self.check_not_banned(conn, id)?;
        match room.is_locked() && !self.users.at(conn).is_in(id) {
            true => Err(Refusal::RoomLocked { room: room.name.clone() }),
            false => Ok(()),
        }
    }

    fn profile(&self, asker: ConnId, user: &User, now: Now) -> Profile {
        let ids = user.rooms.iter().map(|membership| membership.room);
        let mut rooms: Vec<_> = ids
            .filter(|id| self.check_may_look(asker, *id, self.rooms.at(*id)).is_ok())
            .map(|id| self.rooms.at(id).name.clone())
            .collect();
        let rooms_more = rooms.len().saturating_sub(PROFILE_ROOMS);
        rooms.truncate(PROFILE_ROOMS);
        let may_ban = self.rank_in(asker, Place::Everywhere) >= Rank::ServerOperator;
        Profile {
            nick: self.users.nick(user.conn),
            rooms,
            rooms_more,
            since_unix: user.since_unix,
            span: user.since.elapsed(now.mono),
            idle: user.typed_at.elapsed(now.mono),
            away: self.away_of(user),
            id: user.id,
            owner: self.owner_of(user),
            address: may_ban.then(|| user.origin.network()),
        }
    }

    /// The fullest first; locked ones, of which nothing may show, last.
    pub(super) fn list_rooms(&self, conn: ConnId, out: &mut Outbox) -> Result<(), Refusal> {
        let asker = self.users.at(conn);
        let own = asker.rooms.iter().map(|membership| membership.room);
        let own = own.filter(|id| self.rooms.at(*id).is_locked());
        let own = own.map(|id| (self.rooms.at(id).members().len(), id));
        let open = self.rooms.fullest().take(ROOMS_SHOWN).chain(own);
        let mut rooms: Vec<_> = open.map(|(members, id)| (false, Reverse(members), id)).collect();
        let closed = self.rooms.locked().filter(|id| !asker.is_in(*id));
        let closed = closed.take(ROOMS_SHOWN.saturating_sub(rooms.len()));
        rooms.extend(closed.map(|id| (true, Reverse(0), id)));
        rooms.sort_unstable();
        rooms.truncate(ROOMS_SHOWN);
        rooms.sort_by_cached_key(|(is_closed, members, id)| {
            (*is_closed, *members, self.rooms.at(*id).name.clone())
        });
        let total = self.rooms.len();
        let rows = rooms.into_iter().map(|(is_closed, Reverse(members), id)| {
            let it = self.rooms.at(id);
            let (room, topic, is_locked) = (it.name.clone(), it.topic.clone(), it.is_locked());
            match is_closed {
                true => RoomRow::Locked { room },
                false => RoomRow::Open { room, members, topic, is_locked },
            }
        });
        out.tell(conn, Event::Rooms { rows: rows.collect(), total });
        Ok(())
    }

    pub(super) fn topic(
        &self,
        conn: ConnId,
        typed: Option<&str>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = match typed {
            Some(typed) => self.room_named(typed)?,
            None => self.users.at(conn).current_room().ok_or(Refusal::NoRoom)?,
        };
        let room = self.rooms.at(id);
        self.check_may_look(conn, id, room)?;
        let (room, topic) = (room.name.clone(), room.topic.clone());
        out.tell(conn, Event::Topic { room, topic });
        Ok(())
    }

    pub(super) fn set_topic(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        text: Option<&str>,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let user = self.users.at(conn);
        let id = match typed {
            Some(typed) => self.room_named(typed)?,
            None => user.current_room().ok_or(Refusal::NoRoom)?,
        };
        let is_member = user.is_in(id);
        let room = self.rooms.at_mut(id);
        if !is_member {
            let is_locked = room.is_locked();
            return Err(Refusal::NotAMember { room: room.name.clone(), is_locked });
        }
        self.check_not_muted(conn, id)?;
        self.take_turn(conn, id, now)?;
        let room = self.rooms.at_mut(id);
        room.topic = text.map(Rc::from);
        let (name, serial, topic) = (room.name.clone(), room.serial, room.topic.clone());
        if self.limits.is_kept && self.is_keeping {
            self.keep_room(id, out);
            out.keep(Change::Topic { room: serial, topic: text.map(str::to_owned) });
        } else {
            self.rooms.at_mut(id).is_topic_due = true;
        }
        let nick = self.users.nick(conn);
        let source = Source { conn, nick: nick.clone() };
        let event = Event::TopicSet { room: name, nick, topic };
        out.tell(conn, event.clone());
        out.publish(Audience::Change { rooms: vec![id], source, heir: None }, event);
        Ok(())
    }

    /// Some of a room's other members, and how many others there are.
    pub(super) fn others_in(&self, id: RoomId, conn: ConnId, most: usize) -> Roll {
        let members = self.rooms.at(id).members();
        let others = members.iter().filter(|member| member.conn != conn).take(most);
        let users = others.map(|member| self.users.at(member.conn));
        roll(users, members.len() - 1)
    }
}

/// The names of those users, in order, out of so many.
fn roll<'a>(users: impl Iterator<Item = &'a User>, total: usize) -> Roll {
    let names = users.filter_map(|user| Some((user.nick()?.clone(), user.away().is_some())));
    let mut shown: Vec<_> = names.collect();
    shown.sort();
    Roll { shown, total }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::super::outbox::Effect;
    use super::super::{Input, Limits, Origin};
    use super::*;

    const NOW: Now = Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 };

    fn conn(number: u32) -> ConnId {
        ConnId::new(number, 0)
    }

    /// The rooms that a line is answered with, as `name members` or `name locked`, and how many
    /// there are in all.
    fn rooms(chat: &mut Chat, number: u32, text: &str) -> (Vec<String>, usize) {
        let mut out = Outbox::new();
        chat.handle(Input::Line { conn: conn(number), text }, NOW, &mut out);
        chat.assert_invariants();
        let shown = |row: &RoomRow| match row {
            RoomRow::Open { room, members, .. } => format!("{} {members}", room.as_str()),
            RoomRow::Locked { room } => format!("{} locked", room.as_str()),
        };
        let answers = out.effects().iter().filter_map(|effect| match effect {
            Effect::Tell(_, Event::Rooms { rows, total }) => {
                Some((rows.iter().map(shown).collect(), *total))
            }
            _ => None,
        });
        answers.collect::<Vec<_>>().pop().unwrap_or_default()
    }

    #[test]
    fn of_many_rooms_the_fullest_are_shown_and_a_locked_one_to_its_members_alone() {
        let limits = Limits::loose();
        let mut chat = Chat::new(limits, [0; 16], NOW);
        for (number, nick) in ["ann", "bob", "cat"].into_iter().enumerate() {
            let conn = conn(number as u32);
            let input = Input::Open { conn, origin: Origin(0) };
            chat.handle(input, NOW, &mut Outbox::new());
            rooms(&mut chat, conn.slot() as u32, nick);
        }
        rooms(&mut chat, 2, "/join vault secret");
        assert_eq!(rooms(&mut chat, 0, "/rooms"), (vec!["vault locked".to_owned()], 1));
        assert_eq!(rooms(&mut chat, 2, "/rooms"), (vec!["vault 1".to_owned()], 1));
        for number in 0..60 {
            rooms(&mut chat, 0, &format!("/join r{number:02}"));
        }
        rooms(&mut chat, 1, "/join r58");
        rooms(&mut chat, 1, "/join r57");
        let (shown, total) = rooms(&mut chat, 0, "/rooms");
        assert_eq!((shown.len(), total), (ROOMS_SHOWN, 61));
        assert_eq!(shown[..3], ["r57 2", "r58 2", "r00 1"]);
        assert!(!shown.iter().any(|row| row.starts_with("vault")), "{shown:?}");

        for number in [0, 1] {
            rooms(&mut chat, number, "/join vault secret");
        }
        rooms(&mut chat, 1, "/leave r58");
        let (shown, _) = rooms(&mut chat, 2, "/rooms");
        assert_eq!(
            (shown.len(), &shown[..2]),
            (ROOMS_SHOWN, &["vault 3".into(), "r57 2".into()][..])
        );
    }
}
