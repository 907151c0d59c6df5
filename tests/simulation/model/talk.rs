//! Lines: what each asks is done; saying, whispering, names, earlier lines, and how it is for you.

use std::time::Duration;

use super::super::ask::{Ask, Code, ask};
use super::super::names::{Name, key_of};
use super::super::told::What;
use super::{ConnNo, Kept, Model, RoomNo, Timer, time_of_day};

/// Earlier lines are shown after so long without input.
const PAUSE: Duration = Duration::from_millis(250);
/// A day, in seconds.
const DAY: i64 = 86_400;

impl Model {
    /// Does what a line asks.
    pub(super) fn obey(&mut self, no: ConnNo, line: &str) {
        if self.conns[no].is_json {
            return self.obey_json(no, line);
        }
        self.conns[no].typed_at = self.mono;
        self.note_directs_seen(no);
        self.note_seen(no);
        if let Some((_, lines)) = &mut self.conns[no].paste {
            return match line {
                "." => self.end_paste(no),
                _ => lines.push(line.strip_prefix('.').unwrap_or(line).to_owned()),
            };
        }
        let asked = ask(line);
        if self.conns[no].nick.is_none() {
            match asked {
                Ok(Ask::Nothing) => return self.words(no, &["name", "Enter"]),
                Ok(Ask::Bare(text)) => return self.answer(no, Ask::Nick(text.trim_end())),
                Ok(asked) if !asked.needs_no_name() => self.name_guest(no),
                _ => {}
            }
        }
        match asked {
            Ok(asked) => self.answer(no, asked),
            Err(code) => {
                if names_paste(line) {
                    self.leave_out(no);
                }
                self.tell(no, What::Refused(code));
            }
        }
    }

    /// Who has no name and needs one is a guest.
    pub(super) fn name_guest(&mut self, no: ConnNo) {
        if self.conns[no].nick.is_none() {
            self.guests += 1;
            self.welcome(no, Name::guest(self.guests));
        }
    }

    pub(super) fn answer(&mut self, no: ConnNo, asked: Ask<'_>) {
        if let Err(code) = self.try_to(no, asked) {
            if matches!(asked, Ask::Paste(_)) {
                self.leave_out(no);
            }
            self.tell(no, What::Refused(code));
        }
    }

    fn try_to(&mut self, no: ConnNo, asked: Ask<'_>) -> Result<(), Code> {
        match asked {
            Ask::Nothing => Ok(()),
            Ask::Bare(text) | Ask::Say(text) => {
                let room = self.conns[no].current().ok_or("no-room")?;
                self.say_here(no, room, text, false)
            }
            Ask::Me(text) => {
                let room = self.conns[no].current().ok_or("no-room")?;
                self.say_here(no, room, text, true)
            }
            Ask::Paste(room) => self.paste(no, room),
            Ask::Show(id) => self.show(no, id),
            Ask::SayIn(room, text) => self.say_in(no, room, text),
            Ask::Whisper(nick, text) => self.whisper(no, nick, text),
            Ask::Join(room, password) => self.join(no, room, password),
            Ask::Leave(room) => self.leave(no, room),
            Ask::Nick(name) => self.change_nick(no, name),
            Ask::Ignores | Ask::Ignore(_) | Ask::Unignore(_) => self.ignoring(no, asked),
            Ask::History(room, span) => self.history(no, room, span),
            Ask::Emoji(_) | Ask::Receipts(_) | Ask::Ack(_) | Ask::Json => {
                self.want(no, asked);
                Ok(())
            }
            Ask::Away(text) => {
                text.map_or(Ok(()), |_| self.may_be_heard(no))?;
                self.wish(no, asked);
                Ok(())
            }
            Ask::Quiet(_) | Ask::Time(_) | Ask::Replay(_) => {
                self.wish(no, asked);
                Ok(())
            }
            Ask::Quit => {
                self.part(no);
                Ok(())
            }
            Ask::Login(name, password) => self.login(no, name, password),
            Ask::Register(password) => self.register(no, password),
            Ask::Unregister(password) => self.unregister(no, password),
            Ask::Operators(room) => self.list_operators(no, room),
            Ask::SetOperator(room, nick, is_op) => self.set_operator(no, room, nick, is_op),
            Ask::Slow(room, seconds) => self.set_slow(no, room, seconds),
            Ask::Announce(text) => self.announce_to_all(no, text),
            Ask::Moderate(place, order) => self.moderate(no, place, order),
            _ => self.look(no, asked),
        }
    }

    fn say_in(&mut self, no: ConnNo, typed: &str, text: &str) -> Result<(), Code> {
        let room = self.room_named(typed)?;
        self.may_speak(no, room)?;
        self.take_turn(no, room)?;
        self.say(no, room, text, false);
        Ok(())
    }

    fn say_here(
        &mut self,
        no: ConnNo,
        room: RoomNo,
        text: &str,
        is_action: bool,
    ) -> Result<(), Code> {
        self.is_not_muted(no, room)?;
        self.take_turn(no, room)?;
        self.say(no, room, text, is_action);
        Ok(())
    }

    pub(super) fn may_speak(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        self.may_be_in(no, room)?;
        self.is_not_muted(no, room)?;
        let is_closed = self.rooms[room].password.is_some() && !self.conns[no].is_in(room);
        if is_closed { Err("not-a-member") } else { Ok(()) }
    }

    fn paste(&mut self, no: ConnNo, typed: Option<&str>) -> Result<(), Code> {
        let room = self.room_or_current(no, typed)?;
        self.may_speak(no, room)?;
        self.words(no, &[&format!("taken for #{} up to", self.rooms[room].name.shown)]);
        self.conns[no].paste = Some((Some(room), Vec::new()));
        Ok(())
    }

    /// What follows a `/paste` that was refused is not obeyed.
    fn leave_out(&mut self, no: ConnNo) {
        self.words(no, &["left out up to"]);
        self.conns[no].paste = Some((None, Vec::new()));
    }

    /// What was typed as one message is said, if anything was being typed.
    pub(super) fn end_paste(&mut self, no: ConnNo) {
        if let Some((Some(room), lines)) = self.conns[no].paste.take()
            && let Err(code) = self.say_lines(no, room, lines)
        {
            self.tell(no, What::Refused(code));
        }
    }

    pub(super) fn say_lines(
        &mut self,
        no: ConnNo,
        room: RoomNo,
        lines: Vec<String>,
    ) -> Result<(), Code> {
        if !self.rooms[room].is_there {
            return Err("no-such-room");
        }
        self.may_speak(no, room)?;
        let is_text = |line: &String| !line.trim().is_empty();
        let first = lines.iter().position(is_text).ok_or("usage")?;
        let last = lines.iter().rposition(is_text).ok_or("usage")?;
        self.take_turn(no, room)?;
        let lines: Vec<String> =
            lines[first..=last].iter().map(|line| self.as_said(no, line)).collect();
        if let [line] = &lines[..] {
            self.say(no, room, line, false);
            return Ok(());
        }
        self.show_those_who_wait(no, room);
        let (nick, id, count) = (self.nick(no), self.said + 1, lines.len());
        let (name, who) = (self.rooms[room].name.shown.clone(), nick.shown.clone());
        let shown = if count > 5 { 4 } else { count };
        let mut seen: Vec<String> =
            lines[..shown].iter().map(|line| format!("#{name} {who}: {line}")).collect();
        if shown < count {
            let more = count - shown;
            seen.push(format!("* #{name}: {more} more lines of {who}; /show {id} shows all"));
        }
        let whole = format!("{id} #{name} {who}: {}", lines.join("⏎"));
        self.tell_room(no, room, &seen, &whole);
        let said = format!("{who}, {count} lines (/show {id}): {}", lines[0]);
        self.remember(no, room, said, Some(lines));
        Ok(())
    }

    /// Who waits for the earlier lines of a room sees them before somebody else says more.
    fn show_those_who_wait(&mut self, no: ConnNo, room: RoomNo) {
        for waiting in self.rooms[room].waiting.clone() {
            if waiting != no {
                self.replay(waiting, room);
            }
        }
    }

    /// Tells those who listen; programs otherwise.
    fn tell_room(&mut self, no: ConnNo, room: RoomNo, lines: &[String], to_programs: &str) {
        let nick = self.nick(no);
        for member in self.rooms[room].members.clone() {
            if member == no || self.conns[member].ignores(no, &nick) {
                continue;
            }
            match self.conns[member].is_json {
                true => self.line(member, to_programs),
                false => lines.iter().for_each(|line| self.line(member, line)),
            }
        }
    }

    fn remember(&mut self, no: ConnNo, room: RoomNo, said: String, whole: Option<Vec<String>>) {
        self.keep(room);
        let (unix, mono, nick) = (self.unix, self.mono, self.nick(no));
        let room = &mut self.rooms[room];
        self.said += 1;
        room.lines.push(Kept { said_as: self.said, unix, speaker: no, nick, said, whole });
        room.spoken_at = mono;
    }

    fn say(&mut self, no: ConnNo, room: RoomNo, text: &str, is_action: bool) {
        self.show_those_who_wait(no, room);
        let (nick, text) = (self.nick(no), self.as_said(no, text));
        let said = match is_action {
            true => format!("* {} {text}", nick.shown),
            false => format!("{}: {text}", nick.shown),
        };
        let line = format!("#{} {said}", self.rooms[room].name.shown);
        let to_programs = format!("{} {line}", self.said + 1);
        self.tell_room(no, room, &[line], &to_programs);
        self.remember(no, room, said, None);
    }

    fn whisper(&mut self, no: ConnNo, typed: &str, text: &str) -> Result<(), Code> {
        let to = match self.person_named(typed) {
            Ok(to) => to,
            Err(code) => return self.leave_direct(no, typed, text).ok_or(code)?,
        };
        self.may_whisper(no, self.conns[to].account)?;
        let nick = self.nick(no);
        if !self.conns[to].ignores(no, &nick) {
            let text = self.as_said(no, text);
            self.line(to, &format!("@{}: {text}", nick.shown));
            self.await_receipt(no, to);
        }
        self.away_line(no, to);
        Ok(())
    }

    /// Somebody is told that somebody else is away, if so.
    pub(super) fn away_line(&mut self, no: ConnNo, of: ConnNo) {
        let nick = self.nick(of).shown;
        let is_muted = self.is_muted_everywhere(of);
        match self.conns[of].away.clone().map(|text| if is_muted { String::new() } else { text }) {
            None => {}
            Some(text) if text.is_empty() => self.line(no, &format!("* {nick} is away")),
            Some(text) => self.line(no, &format!("* {nick} is away: {text}")),
        }
    }

    /// The person whose name that is, or who owns it.
    pub(super) fn person_named(&self, typed: &str) -> Result<ConnNo, Code> {
        let owner = || self.accounts[self.account_named(typed)?].conn;
        self.person_called(typed).or_else(owner).ok_or("no-such-user")
    }

    /// The person who has that name now.
    pub(super) fn person_called(&self, typed: &str) -> Option<ConnNo> {
        let key = key_of(typed);
        let is_it = |nick: &Name| nick.key == key;
        let found = self.people().find(|(_, conn)| conn.nick.as_ref().is_some_and(is_it));
        found.map(|(no, _)| no)
    }

    /// Whether, and why, a name cannot be taken by that connection.
    fn objection(&self, no: ConnNo, name: &Name) -> Option<Code> {
        let others = self.people().filter(|(other, _)| *other != no);
        let mut others: Vec<&Name> = others.filter_map(|(_, conn)| conn.nick.as_ref()).collect();
        if others.iter().any(|other| other.key == name.key) {
            return Some("name-taken");
        }
        others.retain(|other| name.resembles(other));
        (!others.is_empty()).then_some("name-confusable")
    }

    fn change_nick(&mut self, no: ConnNo, typed: &str) -> Result<(), Code> {
        let base = typed.strip_suffix('*').unwrap_or(typed);
        let name = Name::parse(base, self.chars_max()).ok_or("name-invalid")?;
        self.is_name_welcome(&name)?;
        let owner = self.account_named(base);
        if owner.is_some() && self.conns[no].account != owner {
            // Their password is asked for, and what they draw next is read as one.
            self.is_lost = true;
            return Ok(());
        }
        let name = match self.objection(no, &name) {
            None => name,
            Some(code) if base == typed => return Err(code),
            Some(_) => {
                let mut names = (2..).filter_map(|number| self.numbered(&name, number));
                let free = names.find(|name| {
                    self.objection(no, name).is_none() && self.is_name_welcome(name).is_ok()
                });
                free.expect("numbers do not end")
            }
        };
        match self.conns[no].nick {
            None => self.welcome(no, name),
            Some(_) => {
                self.may_be_heard(no)?;
                let rooms = self.conns[no].rooms.clone();
                rooms.iter().try_for_each(|it| self.is_not_muted(no, it.room))?;
                if self.nick(no).shown != name.shown {
                    let told = || rooms.iter().filter(|it| it.is_announced);
                    told().try_for_each(|it| self.is_turn(no, it.room))?;
                    told().try_for_each(|it| self.take_turn(no, it.room))?;
                }
                self.rename(no, name, None);
                self.leave_banned_rooms(no);
            }
        }
        Ok(())
    }

    /// Gives somebody who has a name another one; those who know them are told, but for one.
    pub(super) fn rename(&mut self, no: ConnNo, name: Name, but: Option<ConnNo>) {
        let old = self.nick(no);
        self.conns[no].nick = Some(name.clone());
        self.words(no, &["you are", &name.shown]);
        if old.shown == name.shown {
            return;
        }
        let announced = self.conns[no].rooms.iter().filter(|it| it.is_announced);
        let rooms: Vec<RoomNo> = announced.map(|it| it.room).collect();
        for other in 0..self.conns.len() {
            let shares = rooms.iter().any(|room| self.rooms[*room].members.contains(&other));
            let is_told = other != no && Some(other) != but;
            if shares && is_told && !self.conns[other].ignores(no, &old) {
                self.line(other, &format!("* {} is now {}", old.shown, name.shown));
            }
        }
    }

    /// `name-2` and so on, the name cut so that its number fits.
    fn numbered(&self, name: &Name, number: usize) -> Option<Name> {
        let suffix = format!("-{number}");
        let kept = self.chars_max() - suffix.len();
        let text: String = name.shown.chars().take(kept).chain(suffix.chars()).collect();
        Name::parse(&text, self.chars_max())
    }

    pub(super) fn welcome(&mut self, no: ConnNo, name: Name) {
        self.conns[no].nick = Some(name.clone());
        let lobby = self.lobby().filter(|lobby| self.may_be_in(no, *lobby).is_ok());
        let Some(lobby) = lobby else {
            return self.words(no, &[&format!("you are {}. ", name.shown)]);
        };
        self.enter(no, lobby);
        let place = format!("you are {}, in #{}", name.shown, self.rooms[lobby].name.shown);
        match self.listed(lobby, no, " and ", 10) {
            Some(names) if names.is_empty() => self.words(no, &[&(place + ". Nobody")]),
            Some(names) => self.words(no, &[&format!("{place} with {names}. ")]),
            None => self.words(no, &[&(place + " with "), " more. "]),
        }
    }

    fn ignoring(&mut self, no: ConnNo, asked: Ask<'_>) -> Result<(), Code> {
        match asked {
            Ask::Ignore(typed) => {
                let other = self.person_named(typed)?;
                if other == no {
                    return Err("usage");
                }
                let nick = self.nick(other);
                if !self.conns[no].ignores(other, &nick) {
                    self.conns[no].ignores.push((other, nick.clone()));
                }
                self.words(no, &["hear nothing of", &nick.shown]);
            }
            Ask::Unignore(typed) => {
                let (key, other) = (key_of(typed), self.person_named(typed));
                let is_meant = |it: &(ConnNo, Name)| it.1.key == key || other == Ok(it.0);
                let found = self.conns[no].ignores.iter().find(|it| is_meant(it)).cloned();
                self.conns[no].ignores.retain(|it| !is_meant(it));
                let nick = match (found, other) {
                    (_, Ok(other)) => self.nick(other),
                    (Some((_, known_as)), Err(_)) => known_as,
                    (None, Err(code)) => return Err(code),
                };
                self.words(no, &["hear", &nick.shown, "again"]);
            }
            _ => {
                let names: Vec<&str> =
                    self.conns[no].ignores.iter().map(|(_, nick)| &*nick.shown).collect();
                let names = if names.is_empty() { "nobody".into() } else { names.join(", ") };
                self.line(no, &format!("* you ignore {names}"));
            }
        }
        Ok(())
    }

    fn wish(&mut self, no: ConnNo, asked: Ask<'_>) {
        let conn = &mut self.conns[no];
        match asked {
            Ask::Away(None) if conn.away.take().is_some() => self.words(no, &["no longer away"]),
            Ask::Away(text) => {
                conn.away = Some(text.unwrap_or_default().to_owned());
                self.words(no, &["you are away", text.unwrap_or_default()]);
            }
            Ask::Quiet(is_on) => {
                conn.is_quiet = is_on;
                self.note_habit(no, |habits| habits.is_quiet = Some(is_on));
                self.words(no, &[if is_on { "hidden" } else { "shown" }]);
            }
            Ask::Time(zone) => {
                conn.zone = zone;
                self.note_habit(no, |habits| habits.zone = Some(zone));
                self.words(no, &[if zone.is_some() { "each line" } else { "no time" }]);
            }
            Ask::Replay(lines) => {
                conn.replay_lines = lines;
                self.note_habit(no, |habits| habits.replay_lines = Some(lines));
                let lines = if lines == 0 { "no".to_owned() } else { lines.to_string() };
                self.words(no, &[&lines, "earlier line"]);
            }
            _ => unreachable!("{asked:?} is no wish"),
        }
    }

    /// Somebody who came waits for the earlier lines, if there are any.
    pub(super) fn await_replay(&mut self, no: ConnNo, room: RoomNo) {
        let lines = self.rooms[room].lines.len();
        if lines == 0 || self.conns[no].replay_lines == 0 {
            return;
        }
        self.rooms[room].waiting.push(no);
        let conn = &mut self.conns[no];
        let membership = conn.rooms.iter_mut().find(|it| it.room == room);
        membership.expect("who waits is a member").replay_before = Some(lines);
        if !std::mem::replace(&mut conn.replay_is_timed, true) {
            self.set_timer(PAUSE, Timer::Replay(no));
        }
    }

    /// If nothing was typed for long enough, the earlier lines of all rooms are shown.
    pub(super) fn replay_after_pause(&mut self, no: ConnNo) {
        let conn = &mut self.conns[no];
        conn.replay_is_timed = false;
        let waits = conn.rooms.iter().filter(|it| it.replay_before.is_some());
        let rooms: Vec<RoomNo> = waits.map(|it| it.room).collect();
        let until = conn.typed_at + PAUSE;
        if rooms.is_empty() {
            return;
        }
        if until > self.mono {
            conn.replay_is_timed = true;
            self.timers.push((until, Timer::Replay(no)));
            return;
        }
        for room in rooms {
            self.replay(no, room);
        }
    }

    fn replay(&mut self, no: ConnNo, room: RoomNo) {
        self.rooms[room].waiting.retain(|waiting| *waiting != no);
        let conn = &mut self.conns[no];
        let Some(membership) = conn.rooms.iter_mut().find(|it| it.room == room) else { return };
        let Some(before) = membership.replay_before.take() else { return };
        let most = self.conns[no].replay_lines;
        self.show_last(no, room, before, most, self.unix - DAY);
    }

    /// Shows the last lines of a room before that one, none older than that.
    pub(super) fn show_last(
        &mut self,
        no: ConnNo,
        room: RoomNo,
        before: usize,
        most: usize,
        since: i64,
    ) {
        let (conn, zone) = (&self.conns[no], self.conns[no].ahead());
        let name = self.rooms[room].name.shown.clone();
        let lines = &self.rooms[room].lines;
        // The last hundred are all that a room remembers.
        let remembered = &lines[lines.len().saturating_sub(100).min(before)..before];
        let recent = remembered.iter().rev().take_while(|line| line.unix >= since);
        let heard = recent.filter(|line| !conn.ignores(line.speaker, &line.nick));
        let shown =
            |line: &Kept| format!("* {} #{name} {}", time_of_day(line.unix + zone), line.said);
        let mut shown: Vec<String> = heard.take(most).map(shown).collect();
        shown.reverse();
        let number = match shown.len() {
            0 => return,
            1 => "1 earlier line".to_owned(),
            number => format!("{number} earlier lines"),
        };
        self.line(no, &format!("* #{name}: {number}"));
        shown.iter().for_each(|line| self.line(no, line));
        self.line(no, &format!("* #{name}: end of earlier lines"));
    }
}

/// Whether the line is a `/paste`, however it goes on.
fn names_paste(line: &str) -> bool {
    let word = line.split(' ').next().unwrap_or_default();
    word.eq_ignore_ascii_case("/paste")
}
