//! How it is for you: whom you ignore, being away, comings and goings, times, earlier lines.
//!
//! Promises: a wish changes what its user is shown, and nothing for anybody else (but that they
//! see who is away, and what `settings` says).

use std::rc::Rc;

use super::event::{Event, Refusal, Zone};
use super::outbox::Outbox;
use super::settings::{Face, Setting};
use super::user::{IGNORES_MAX, Ignored};
use super::{Chat, ConnId};

impl Chat {
    pub(super) fn list_ignores(&self, conn: ConnId, out: &mut Outbox) -> Result<(), Refusal> {
        let nicks = self.users.at(conn).ignored().iter().map(|ignored| ignored.nick.clone());
        out.tell(conn, Event::Ignoring { nicks: nicks.collect() });
        Ok(())
    }

    pub(super) fn ignore(
        &mut self,
        conn: ConnId,
        typed: &str,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let other = self.user_named(conn, typed)?;
        if other == conn {
            return Err(Refusal::IgnoresSelf);
        }
        let nick = self.users.nick(other);
        let user = self.users.at_mut(conn);
        if !user.ignores(other, &nick) {
            if user.ignored().len() >= IGNORES_MAX {
                return Err(Refusal::IgnoresFull { most: IGNORES_MAX });
            }
            user.wishes_mut().ignores.push(Ignored { conn: other, nick: nick.clone() });
        }
        self.note_in_rooms(conn);
        out.tell(conn, Event::Ignored { nick, is_ignored: true });
        Ok(())
    }

    pub(super) fn unignore(
        &mut self,
        conn: ConnId,
        typed: &str,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let key = super::name::key_of(typed);
        let other = self.user_named(conn, typed);
        let user = self.users.at_mut(conn);
        let is_meant = |ignored: &Ignored| {
            ignored.nick.key() == key || other.as_ref().is_ok_and(|other| ignored.conn == *other)
        };
        let Some(at) = user.ignored().iter().position(is_meant) else {
            // Not an ignored one: say so in terms of who is here, or that there is no such person.
            let nick = self.users.nick(other?);
            out.tell(conn, Event::Ignored { nick, is_ignored: false });
            return Ok(());
        };
        let known_as = user.ignored()[at].nick.clone();
        user.wishes_mut().ignores.retain(|ignored| !is_meant(ignored));
        let nick = other.map_or(known_as, |other| self.users.nick(other));
        self.note_in_rooms(conn);
        out.tell(conn, Event::Ignored { nick, is_ignored: false });
        Ok(())
    }

    pub(super) fn away(
        &mut self,
        conn: ConnId,
        text: Option<&str>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        // Nobody would be told what somebody says who is muted everywhere.
        if text.is_some() {
            self.check_may_be_heard(conn)?;
        }
        let wishes = self.users.at_mut(conn).wishes_mut();
        wishes.away = match (text, &wishes.away) {
            (Some(text), _) => Some(Rc::from(text)),
            (None, None) => Some(Rc::from("")),
            (None, Some(_)) => None,
        };
        out.tell(conn, Event::Away { text: wishes.away.clone() });
        Ok(())
    }

    pub(super) fn quiet(
        &mut self,
        conn: ConnId,
        is_on: bool,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.users.at_mut(conn).is_quiet = is_on;
        self.note_in_rooms(conn);
        self.remember(conn, |kept| kept.quiet = Some(is_on), out);
        out.tell(conn, Event::Quiet { is_on });
        Ok(())
    }

    pub(super) fn time(
        &mut self,
        conn: ConnId,
        zone: Option<Zone>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let settings = &mut self.users.at_mut(conn).wishes_mut().settings;
        settings.time = zone;
        out.serve(conn, *settings);
        self.remember(conn, |kept| kept.time = Some(zone), out);
        out.tell(conn, Event::Time { zone });
        Ok(())
    }

    /// Something is otherwise from now on.
    pub(super) fn set(
        &mut self,
        conn: ConnId,
        setting: Setting,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let settings = &mut self.users.at_mut(conn).wishes_mut().settings;
        settings.set(setting);
        out.serve(conn, *settings);
        self.remember(conn, |kept| kept.note(setting), out);
        out.tell(conn, Event::Set(setting));
        Ok(())
    }

    /// The peer agrees to have its lines edited here, or not.
    pub(super) fn note_terminal(&mut self, conn: ConnId, is_on: bool, out: &mut Outbox) {
        let face = self.users.at_mut(conn).wishes_mut().face;
        match (face, is_on) {
            (Face::Json, _) | (Face::Terminal, true) => {}
            (Face::Lines, false) => out.tell(conn, Event::NoTerminal),
            (Face::Lines, true) => self.become_face(conn, Face::Terminal, out),
            (Face::Terminal, false) => self.become_face(conn, Face::Lines, out),
        }
    }

    /// The connection is of that kind from now on.
    pub(super) fn become_face(&mut self, conn: ConnId, face: Face, out: &mut Outbox) {
        let before = std::mem::replace(&mut self.users.at_mut(conn).wishes_mut().face, face);
        if before != face {
            out.become_face(conn, face);
        }
        out.tell(conn, Event::Face(face));
    }

    pub(super) fn replay_lines(
        &mut self,
        conn: ConnId,
        lines: usize,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.users.at_mut(conn).wishes_mut().replay_lines = Some(lines);
        self.remember(conn, |kept| kept.replay = Some(lines), out);
        out.tell(conn, Event::ReplayLines { lines });
        Ok(())
    }

    /// Tells the user's rooms what decides which of their lines are delivered.
    pub(super) fn note_in_rooms(&mut self, conn: ConnId) {
        let user = self.users.at(conn);
        for membership in &user.rooms {
            let member = self.rooms.at_mut(membership.room).member_mut(membership.place);
            member.note_wishes(user.is_quiet, !user.ignored().is_empty());
        }
    }
}
