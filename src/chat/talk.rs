//! Saying: in the current room, in another one, to one person; and the lines said before you came.
//!
//! Promises: who speaks is not told their own line; what was said before somebody came is shown to
//! them before the first line that is said after, and not at all to who leaves at once.

use std::borrow::Cow;
use std::num::NonZeroU64;
use std::rc::Rc;
use std::time::Duration;

use super::emoji::expand;
use super::event::{Event, Refusal};
use super::kept::Line;
use super::name::{RoomName, key_of, nearest};
use super::outbox::{Audience, Outbox, Source};
use super::room::{REPLAY_AGE_SECS_MAX, RoomId};
use super::timers::Timer;
use super::{Chat, ConnId, Now};

/// Earlier lines are shown when nothing was typed for this long: a script that posts and quits in
/// one breath is spared them.
const REPLAY_PAUSE: Duration = Duration::from_millis(250);

/// In which way something is said in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Speech {
    /// As a line.
    Said,
    /// As a `/me`.
    Acted,
    /// In many lines at once.
    Block,
}

/// How many names are looked at for a guess at what was meant, of those near and of all.
const GUESSES_MAX: usize = 100;

impl Chat {
    /// Says a text in the current room, or that somebody does what it says.
    pub(super) fn say(
        &mut self,
        conn: ConnId,
        text: &str,
        is_action: bool,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let room = self.users.at(conn).current_room().ok_or(Refusal::NoRoom)?;
        self.check_not_muted(conn, room)?;
        self.take_turn(conn, room, now)?;
        let speech = if is_action { Speech::Acted } else { Speech::Said };
        self.speak(conn, room, text, speech, now, out);
        Ok(())
    }

    pub(super) fn say_in(
        &mut self,
        conn: ConnId,
        room: &str,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let id = self.room_named(room)?;
        self.check_may_speak(conn, id)?;
        self.take_turn(conn, id, now)?;
        self.speak(conn, id, text, Speech::Said, now, out);
        Ok(())
    }

    /// In a locked room its members alone can say something; who is banned or muted cannot.
    pub(super) fn check_may_speak(&self, conn: ConnId, id: RoomId) -> Result<(), Refusal> {
        self.check_not_banned(conn, id)?;
        self.check_not_muted(conn, id)?;
        let room = self.rooms.at(id);
        match room.is_locked() && !self.users.at(conn).is_in(id) {
            true => Err(Refusal::NotAMember { room: room.name.clone(), is_locked: true }),
            false => Ok(()),
        }
    }

    pub(super) fn speak(
        &mut self,
        conn: ConnId,
        id: RoomId,
        text: &str,
        speech: Speech,
        now: Now,
        out: &mut Outbox,
    ) {
        self.replay_before_line(conn, id, now, out);
        let text = &*self.as_said(conn, text);
        let nick = self.users.nick(conn);
        let is_action = speech == Speech::Acted;
        let line_id = self.next_line;
        self.next_line += 1;
        let history = self.rooms.note_said(id, now.mono);
        match speech {
            Speech::Block => {
                history.remember_block(line_id, now.unix, conn, nick.clone(), text);
            }
            Speech::Said | Speech::Acted => {
                history.remember(line_id, now.unix, conn, nick.clone(), is_action, text);
            }
        }
        if self.limits.is_kept {
            self.keep_room(id, out);
            out.keep_line(Line {
                id: line_id,
                room: self.rooms.at(id).serial,
                unix: now.unix,
                nick: nick.as_str(),
                is_action,
                text,
            });
        }
        let room = self.rooms.at(id).name.clone();
        let text: Rc<str> = Rc::from(text);
        let speaker = Source { conn, nick: nick.clone() };
        let event = match speech {
            Speech::Said => Event::Said { id: line_id, room, nick, text },
            Speech::Acted => Event::Acted { id: line_id, room, nick, text },
            Speech::Block => {
                self.wholes.keep(line_id, id, now.unix, speaker.clone(), Rc::clone(&text));
                Event::Block { id: line_id, room, nick, text }
            }
        };
        out.publish(Audience::Listeners { room: id, speaker }, event);
    }

    /// A text as who typed it means it to be said.
    pub(super) fn as_said<'t>(&self, conn: ConnId, text: &'t str) -> Cow<'t, str> {
        match self.users.at(conn).says_emoji() {
            true => expand(text),
            false => Cow::Borrowed(text),
        }
    }

    pub(super) fn whisper(
        &mut self,
        conn: ConnId,
        to: &str,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let text = &*self.as_said(conn, text);
        let to = match self.user_named(conn, to) {
            Ok(to) => to,
            Err(refusal) => {
                return self.leave_direct(conn, to, text, now, out).unwrap_or(Err(refusal));
            }
        };
        self.check_may_whisper(conn, self.users.at(to).account())?;
        let nick = self.users.nick(conn);
        let user = self.users.at(to);
        let away = self.away_of(user);
        if !user.ignores(conn, &nick) {
            out.tell(to, Event::Whispered { nick, text: Rc::from(text) });
        }
        // That somebody is ignored is not theirs to know.
        self.await_receipt(conn, to, out);
        if let Some(text) = away {
            out.tell(conn, Event::IsAway { nick: self.users.nick(to), text });
        }
        Ok(())
    }

    /// The name of a room that there need not be, as typed.
    pub(super) fn room_name(&self, typed: &str) -> Result<RoomName, Refusal> {
        RoomName::parse(typed, self.limits.name_chars_max)
            .map_err(|fault| Refusal::NameInvalid { typed: typed.to_owned(), fault })
    }

    /// The room of that name, as typed.
    pub(super) fn room_named(&self, typed: &str) -> Result<RoomId, Refusal> {
        if let Some(id) = self.rooms.named(&key_of(typed)) {
            return Ok(id);
        }
        let room = self.room_name(typed)?;
        let keys = self.rooms.iter().take(GUESSES_MAX).map(|(_, room)| room.name.key());
        let meant = nearest(room.key(), keys).and_then(|key| self.rooms.named(key));
        let meant = meant.map(|id| self.rooms.at(id).name.clone());
        Err(Refusal::NoSuchRoom { room, meant })
    }

    /// The connection of the person of that name, as typed.
    pub(super) fn user_named(&self, asker: ConnId, typed: &str) -> Result<ConnId, Refusal> {
        let key = key_of(typed);
        let owner = || self.accounts.find(self.accounts.named(&key)?)?.conn;
        if let Some(conn) = self.users.named(&key).or_else(owner) {
            return Ok(conn);
        }
        let near = self.users.at(asker).current_room();
        let near = near.map_or(&[][..], |room| self.rooms.at(room).members());
        let near = near.iter().take(GUESSES_MAX).map(|member| self.users.at(member.conn));
        let all = near.chain(self.users.people_iter().take(GUESSES_MAX));
        let keys = all.filter_map(|user| Some(user.nick()?.key()));
        let meant = nearest(&key, keys).and_then(|key| self.users.named(key));
        let meant = meant.map(|conn| self.users.nick(conn));
        Err(Refusal::NoSuchUser { typed: typed.to_owned(), meant })
    }

    /// Lets a member wait for the lines that were said before.
    pub(super) fn await_replay(&mut self, conn: ConnId, id: RoomId, now: Now) {
        let room = self.rooms.at_mut(id);
        let user = self.users.at_mut(conn);
        let lines = user.replay_lines().unwrap_or(self.limits.replay_lines);
        if room.history().is_empty() || lines == 0 {
            return;
        }
        room.await_replay(conn);
        let membership = user.membership_mut(id).expect("who waits is a member");
        membership.replay_before = NonZeroU64::new(self.next_line);
        if !user.replay_is_timed {
            user.replay_is_timed = true;
            self.timers.set(now.mono + REPLAY_PAUSE, Timer::Replay(conn));
        }
    }

    /// A line is about to be said: who still waits for the earlier ones sees them first.
    fn replay_before_line(&mut self, speaker: ConnId, id: RoomId, now: Now, out: &mut Outbox) {
        let awaiting = self.rooms.at_mut(id).take_awaiting();
        for conn in awaiting {
            if conn != speaker {
                self.replay(conn, id, now, out);
            } else if self.awaits_replay(conn, id) {
                self.rooms.at_mut(id).await_replay(conn);
            }
        }
    }

    fn awaits_replay(&self, conn: ConnId, id: RoomId) -> bool {
        let membership = self.users.find(conn).and_then(|user| user.membership(id));
        membership.is_some_and(|membership| membership.replay_before.is_some())
    }

    /// The pause may be over: then the earlier lines of one room are shown, and those of the next
    /// with another timer, so that nobody is told more in one turn than they can take.
    pub(super) fn replay_after_pause(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        let Some(user) = self.users.find_mut(conn) else { return };
        user.replay_is_timed = false;
        let mut waiting = user.rooms.iter().filter(|membership| membership.replay_before.is_some());
        let Some(id) = waiting.next().map(|membership| membership.room) else { return };
        let over_at = user.typed_at.since_start() + REPLAY_PAUSE;
        let is_over = over_at <= now.mono;
        if !is_over || waiting.next().is_some() {
            user.replay_is_timed = true;
            self.timers.set(over_at, Timer::Replay(conn));
        }
        if is_over {
            self.replay(conn, id, now, out);
        }
    }

    /// Shows somebody who waits for it what was said in a room before they came.
    fn replay(&mut self, conn: ConnId, id: RoomId, now: Now, out: &mut Outbox) {
        let membership = self.users.find_mut(conn).and_then(|user| user.membership_mut(id));
        let before = membership.and_then(|membership| membership.replay_before.take());
        let Some(before) = before.map(NonZeroU64::get) else { return };
        let most = self.users.at(conn).replay_lines().unwrap_or(self.limits.replay_lines);
        self.show_last(conn, id, before, most, now.unix - REPLAY_AGE_SECS_MAX, out);
    }

    /// Shows somebody the last lines of a room before that id, at most so many and none from before
    /// that time.
    pub(super) fn show_last(
        &mut self,
        conn: ConnId,
        id: RoomId,
        before: u64,
        most: usize,
        unix_min: i64,
        out: &mut Outbox,
    ) {
        let (user, room) = (self.users.at(conn), self.rooms.at_mut(id));
        let lines = match user.ignored().is_empty() {
            true => room.replay_before(before, most, unix_min),
            false => room
                .history()
                .before(before, most, unix_min, |speaker, nick| user.ignores(speaker, nick))
                .into(),
        };
        if !lines.is_empty() {
            out.tell(conn, Event::Replay { room: room.name.clone(), lines });
        }
    }
}
