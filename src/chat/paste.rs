//! Blocks: many lines that are one message. `/paste` and what is typed after it, and blocks that
//! come at once.
//!
//! Promises: while somebody types a block each line belongs to it, whatever it begins with, up to a
//! dot alone; it is said whole or not at all, as one line of the room with one id. What is being
//! typed is bounded, for each and for all. Deliberately shows nothing folded: that is `wire`'s.

use super::command::Verb;
use super::event::{Event, PasteNews, Refusal};
use super::name::RoomName;
use super::outbox::Outbox;
use super::room::RoomId;
use super::talk::Speech;
use super::user::User;
use super::{Chat, ConnId, Now};

/// How many lines a block has at most, whatever their bytes.
pub const BLOCK_LINES_MAX: usize = 5_000;

/// How many bytes all blocks have together at most that are being typed.
pub const PASTING_BYTES_MAX: usize = 64 << 20;

/// The line that ends a block.
const END: &str = ".";

/// A block that is being typed.
#[derive(Debug)]
pub struct Paste {
    /// Where it is said, and what that was called when it began; `None` if it is refused, and what
    /// comes up to its end is left out.
    place: Option<(RoomId, RoomName)>,
    /// The lines so far, with LF between them.
    text: String,
    lines: usize,
}

/// How many bytes somebody has typed of a block.
pub(super) fn bytes_of(user: &User) -> usize {
    user.paste().map_or(0, |paste| paste.text.len())
}

impl Chat {
    /// `/paste`, with a room or for the current one: the next lines are taken for a block.
    pub(super) fn paste(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        let place = match self.room_to_speak_in(conn, typed) {
            Ok(room) => {
                let name = self.rooms.at(room).name.clone();
                out.tell(conn, Event::Paste(PasteNews::Begun { room: name.clone() }));
                Some((room, name))
            }
            Err(refusal) => {
                self.refuse_paste(conn, refusal, out);
                return Ok(());
            }
        };
        self.begin_paste(conn, place);
        Ok(())
    }

    /// A line was refused because it cannot be read as anything.
    pub(super) fn refuse_unread(&mut self, conn: ConnId, refusal: Refusal, out: &mut Outbox) {
        let is_paste = refusal == Refusal::Usage(Verb::Paste);
        self.refuse_line(conn, refusal, is_paste, out);
    }

    /// A line was refused; if it was a `/paste`, so is what follows.
    pub(super) fn refuse_line(
        &mut self,
        conn: ConnId,
        refusal: Refusal,
        is_paste: bool,
        out: &mut Outbox,
    ) {
        match is_paste {
            true => self.refuse_paste(conn, refusal, out),
            false => out.refuse(conn, refusal),
        }
    }

    /// `/paste` was refused: the next lines are left out up to a dot. Who sends a log that cannot
    /// be said should not have it obeyed.
    fn refuse_paste(&mut self, conn: ConnId, refusal: Refusal, out: &mut Outbox) {
        out.tell(conn, Event::Paste(PasteNews::LeftOut));
        out.refuse(conn, refusal);
        self.begin_paste(conn, None);
    }

    fn begin_paste(&mut self, conn: ConnId, place: Option<(RoomId, RoomName)>) {
        self.take_paste(conn);
        let paste = Paste { place, text: String::new(), lines: 0 };
        self.users.at_mut(conn).wishes_mut().paste = Some(Box::new(paste));
    }

    /// The room of that name, or the current one, if the user may say something there.
    fn room_to_speak_in(&self, conn: ConnId, typed: Option<&str>) -> Result<RoomId, Refusal> {
        let id = match typed {
            Some(typed) => self.room_named(typed)?,
            None => self.users.at(conn).current_room().ok_or(Refusal::NoRoom)?,
        };
        self.check_token_room(conn, self.rooms.at(id).name.as_str())?;
        self.check_may_speak(conn, id)?;
        Ok(id)
    }

    /// A line of somebody who types a block.
    pub(super) fn paste_line(&mut self, conn: ConnId, line: &str, now: Now, out: &mut Outbox) {
        if line == END {
            return self.end_paste(conn, now, out);
        }
        self.add_to_paste(conn, line.strip_prefix('.').unwrap_or(line), out);
    }

    /// Adds a line to the block that is being typed; if it is too long then, it is refused whole.
    fn add_to_paste(&mut self, conn: ConnId, line: &str, out: &mut Outbox) {
        let bytes_max = self.limits.paste_bytes_max;
        let Some(paste) = &mut self.users.at_mut(conn).wishes_mut().paste else { return };
        if paste.place.is_none() {
            return;
        }
        let is_first = paste.lines == 0;
        let bytes = line.len() + usize::from(!is_first);
        let is_too_long = paste.text.len() + bytes > bytes_max || paste.lines >= BLOCK_LINES_MAX;
        if is_too_long || self.pasting + bytes > PASTING_BYTES_MAX {
            self.pasting -= paste.text.len();
            (paste.text, paste.place) = (String::new(), None);
            let refusal = match is_too_long {
                true => too_long(bytes_max, true),
                false => Refusal::PastesFull,
            };
            return out.refuse(conn, refusal);
        }
        if !is_first {
            paste.text.push('\n');
        }
        paste.text.push_str(line);
        paste.lines += 1;
        self.pasting += bytes;
    }

    /// No block is being typed any longer; what there is of it goes to the caller.
    pub(super) fn take_paste(&mut self, conn: ConnId) -> Option<Box<Paste>> {
        let user = self.users.at_mut(conn);
        let paste = user.is_pasting().then(|| user.wishes_mut().paste.take()).flatten()?;
        self.pasting -= paste.text.len();
        Some(paste)
    }

    /// The block that is being typed, if there is any, is at its end, and is said.
    pub(super) fn end_paste(&mut self, conn: ConnId, now: Now, out: &mut Outbox) {
        let Some(paste) = self.take_paste(conn) else { return };
        let Some((room, name)) = paste.place else { return };
        let said = match self.rooms.find(room) {
            Some(_) => self.say_block(conn, room, &paste.text, now, out),
            None => Err(Refusal::NoSuchRoom { room: name, meant: None }),
        };
        if let Err(refusal) = said {
            out.refuse(conn, refusal);
        }
    }

    /// A block that came at once, with LF between its lines. It belongs to the one that is being
    /// typed, if there is one; a password that is awaited it cannot be.
    pub(super) fn block(
        &mut self,
        conn: ConnId,
        typed: Option<&str>,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) {
        let user = self.users.at_mut(conn);
        user.typed_at = now.mono.into();
        let awaited_login = user.awaited_login();
        if user.directs_shown() > 0 {
            self.note_directs_seen(conn, out);
        }
        self.note_seen(conn, out);
        if let Some(nick) = awaited_login.and_then(|serial| self.name_awaited(conn, serial)) {
            return out.refuse(conn, self.login_required(conn, nick));
        }
        if self.users.at(conn).is_pasting() {
            return text.split('\n').for_each(|line| self.add_to_paste(conn, line, out));
        }
        if self.is_outside(conn) {
            return out.refuse(conn, Refusal::MembersOnly { nick: None });
        }
        if self.users.at(conn).nick().is_none() {
            self.become_guest(conn, now, out);
        }
        let bytes_max = self.limits.paste_bytes_max;
        let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
        let is_too_long = text.len() > bytes_max || lines > BLOCK_LINES_MAX;
        let said = match is_too_long {
            true => Err(too_long(bytes_max, false)),
            false => self
                .room_to_speak_in(conn, typed)
                .and_then(|room| self.say_block(conn, room, text, now, out)),
        };
        if let Err(refusal) = said {
            out.refuse(conn, refusal);
        }
    }

    /// Says a block in a room that there is. One of a single line is a line.
    fn say_block(
        &mut self,
        conn: ConnId,
        room: RoomId,
        text: &str,
        now: Now,
        out: &mut Outbox,
    ) -> Result<(), Refusal> {
        self.check_may_speak(conn, room)?;
        let text = trimmed(text).ok_or(Refusal::NothingPasted)?;
        self.take_turn(conn, room, now)?;
        let speech = if text.contains('\n') { Speech::Block } else { Speech::Said };
        self.speak(conn, room, text, speech, now, out);
        Ok(())
    }
}

fn too_long(bytes_max: usize, is_typed: bool) -> Refusal {
    Refusal::PasteTooLong { bytes_max, lines_max: BLOCK_LINES_MAX, is_typed }
}

/// The lines without blank ones before the first and after the last that is not; `None` if all are.
fn trimmed(text: &str) -> Option<&str> {
    let first = text.find(|c: char| !c.is_whitespace())?;
    let last = text.rfind(|c: char| !c.is_whitespace())?;
    let start = text[..first].rfind('\n').map_or(0, |at| at + 1);
    let end = text[last..].find('\n').map_or(text.len(), |at| last + at);
    Some(&text[start..end])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::command::Command;
    use super::super::event::Parting;
    use super::super::outbox::Effect;
    use super::super::{Input, Limits, Origin};
    use super::*;

    const NOW: Now = Now { mono: Duration::ZERO, unix: 0, zone_secs: 0 };
    const BYTES_MAX: usize = 1 << 16;

    fn chat(people: u32) -> Chat {
        let limits = Limits {
            lobby: RoomName::parse("lobby", None).ok(),
            replay_lines: 0,
            paste_bytes_max: BYTES_MAX,
            ..Limits::loose()
        };
        let mut chat = Chat::new(limits, [0; 16], NOW);
        for number in 0..people {
            let conn = ConnId::new(number, 0);
            seen(&mut chat, Input::Open { conn, origin: Origin(0) });
            seen(&mut chat, Input::Line { conn, text: &format!("p{number}") });
        }
        chat
    }

    /// What follows from an input: what is said, whole, and codes.
    fn seen(chat: &mut Chat, input: Input<'_>) -> Vec<String> {
        let mut out = Outbox::new();
        chat.handle(input, NOW, &mut out);
        let seen = out.effects().iter().filter_map(|effect| match effect {
            Effect::Tell(_, Event::Block { room, text, .. }) => Some(format!("{room}: {text}")),
            Effect::Tell(_, Event::Said { room, text, .. }) => Some(format!("{room}, {text}")),
            Effect::Tell(_, Event::Refused(refusal)) => Some(refusal.code().word().to_owned()),
            _ => None,
        });
        seen.collect()
    }

    #[test]
    fn a_block_that_comes_at_once_is_said_at_once() {
        let mut chat = chat(1);
        let conn = ConnId::new(0, 0);
        let mut block = |room, text: &str| seen(&mut chat, Input::Block { conn, room, text });
        assert_eq!(block(None, "\none\n.\n/quit\n"), ["lobby: one\n.\n/quit"]);
        assert_eq!(block(Some("lobby"), "one"), ["lobby, one"]);
        assert_eq!(block(Some("ops"), "one\ntwo"), ["no-such-room"]);
        assert_eq!(block(None, " \n"), ["usage"]);
        assert_eq!(block(None, &"x".repeat(BYTES_MAX + 1)), ["paste-too-long"]);
        assert_eq!(block(None, &"\n".repeat(BLOCK_LINES_MAX)), ["paste-too-long"]);
        assert_eq!(block(None, &"x\n".repeat(BLOCK_LINES_MAX - 1)).len(), 1);
    }

    #[test]
    fn who_has_no_name_says_it_as_a_guest_and_who_types_one_adds_to_it() {
        let mut chat = chat(1);
        let (typist, nameless) = (ConnId::new(0, 0), ConnId::new(1, 0));
        seen(&mut chat, Input::Open { conn: nameless, origin: Origin(0) });
        let input = Input::Block { conn: nameless, room: None, text: "a\nb" };
        assert_eq!(seen(&mut chat, input), ["lobby: a\nb"]);
        assert_eq!(chat.people(), 2);
        seen(&mut chat, Input::Line { conn: typist, text: "/paste" });
        seen(&mut chat, Input::Line { conn: typist, text: "..one" });
        seen(&mut chat, Input::Block { conn: typist, room: None, text: "two\n.\n..three" });
        let end = Input::Command { conn: typist, command: Command::Quit };
        assert_eq!(seen(&mut chat, end), ["lobby: .one\ntwo\n.\n..three"]);
    }

    #[test]
    fn what_is_typed_is_bounded_for_each_and_for_all() {
        let people = u32::try_from(PASTING_BYTES_MAX / BYTES_MAX).expect("few") + 1;
        let mut chat = chat(people);
        let line = |chat: &mut Chat, number, text: &str| {
            seen(chat, Input::Line { conn: ConnId::new(number, 0), text })
        };
        let most = "x".repeat(BYTES_MAX);
        for number in 0..people {
            line(&mut chat, number, "/paste");
        }
        for number in 0..people - 1 {
            assert!(line(&mut chat, number, &most).is_empty());
        }
        assert_eq!(chat.pasting, PASTING_BYTES_MAX);
        assert_eq!(line(&mut chat, people - 1, "x"), ["paste-too-long"]);
        assert_eq!(line(&mut chat, people - 1, "x"), [""; 0], "it is said once");
        assert_eq!(line(&mut chat, people - 1, "."), [""; 0]);
        assert_eq!(line(&mut chat, 0, ""), ["paste-too-long"]);
        assert_eq!(chat.pasting, PASTING_BYTES_MAX - BYTES_MAX);
        seen(&mut chat, Input::Interrupt { conn: ConnId::new(1, 0) });
        for (number, parting) in [(2, Parting::Lost), (3, Parting::Shutdown)] {
            let conn = ConnId::new(number, 0);
            assert_eq!(seen(&mut chat, Input::Ended { conn, parting }), [""; 0]);
        }
        assert_eq!(chat.pasting, PASTING_BYTES_MAX - 4 * BYTES_MAX);
        let end = Input::Ended { conn: ConnId::new(4, 0), parting: Parting::EndOfInput };
        assert_eq!(seen(&mut chat, end).len(), 1);
        for number in 5..people - 1 {
            line(&mut chat, number, ".");
        }
        assert_eq!(chat.pasting, 0);
    }

    #[test]
    fn blank_lines_stay_only_between_others() {
        for (text, expected) in [
            ("", None),
            (" \n\n  ", None),
            ("one", Some("one")),
            ("\n \n  one\n\ntwo ß \n\n", Some("  one\n\ntwo ß ")),
            ("ß\n", Some("ß")),
        ] {
            assert_eq!(trimmed(text), expected, "{text:?}");
        }
    }
}
