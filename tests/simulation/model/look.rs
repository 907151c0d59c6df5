//! Looking around: the answers of `/who`, `/rooms`, `/topic` and `/help`.

use chatline::chat::command::{TABLE, Verb};
use chatline::chat::event::Event;
use chatline::wire::{Clock, help, text};

use super::super::ask::{Ask, Code, Span};
use super::super::told::What;
use super::networks::Network;
use super::ranks::Rank;
use super::{ConnNo, Kept, Model, RoomNo, time_of_day};

impl Model {
    pub(super) fn look(&mut self, no: ConnNo, asked: Ask<'_>) -> Result<(), Code> {
        match asked {
            Ask::Who(None) => {
                let people: Vec<ConnNo> = self.people().map(|(no, _)| no).collect();
                let here = match people.len() {
                    0 => "nobody has a name here yet".to_owned(),
                    1 => format!("1 person is here: {}", self.names_of(&people, " and ")),
                    many => format!("{many} people are here: {}", self.names_of(&people, " and ")),
                };
                self.wrapped(no, &here);
            }
            Ask::Who(Some(word)) => match (word.strip_prefix('#'), word.strip_prefix('@')) {
                (Some(room), _) => return self.who_in(no, room),
                (_, Some(nick)) => return self.who_is(no, nick),
                (None, None) => match (self.person_named(word), self.room_named(word)) {
                    (Err(_), Ok(_)) => return self.who_in(no, word),
                    _ => return self.who_is(no, word),
                },
            },
            Ask::WhoIs(nick) => return self.who_is(no, nick),
            Ask::WhoIn(room) => return self.who_in(no, room),
            Ask::Rooms => self.list_rooms(no),
            Ask::Topic(typed) => {
                let room = self.room_or_current(no, typed)?;
                self.may_look(no, room)?;
                let name = format!("#{}", self.rooms[room].name.shown);
                match self.rooms[room].topic.clone() {
                    Some(topic) => self.line(no, &format!("* {name} topic: {topic}")),
                    None => self.words(no, &[&name, "no topic"]),
                }
            }
            Ask::SetTopic(typed, topic) => {
                let room = self.room_or_current(no, typed)?;
                if !self.conns[no].is_in(room) {
                    return Err("not-a-member");
                }
                self.is_not_muted(no, room)?;
                self.take_turn(no, room)?;
                self.set_topic(no, room, topic);
            }
            Ask::Help => help::screen().lines().for_each(|line| self.line(no, line)),
            Ask::HelpOn(word) => {
                let verb = TABLE.iter().find(|row| row.names.contains(&word)).map(|row| row.verb);
                self.paragraph(no, verb.expect("the oracle knows the commands that there are"));
            }
            _ => unreachable!("{asked:?} is no question"),
        }
        Ok(())
    }

    /// What was said in a room, and kept: the last lines, those before one, or those after it.
    pub(super) fn history(
        &mut self,
        no: ConnNo,
        typed: Option<&str>,
        span: Span,
    ) -> Result<(), Code> {
        let room = self.room_or_current(no, typed)?;
        self.may_look(no, room)?;
        let name = self.rooms[room].name.shown.clone();
        let (conn, zone) = (&self.conns[no], self.conns[no].ahead());
        let (least, below, most) = match span {
            Span::Last(most) => (0, u64::MAX, most),
            Span::Before(id) => (0, id, 20),
            Span::After(id) => (id.saturating_add(1), u64::MAX, 100),
        };
        let is_asked = |line: &&Kept| (least..below).contains(&line.said_as);
        let mut page: Vec<&Kept> = self.rooms[room].lines.iter().filter(is_asked).collect();
        let has_more = page.len() > most;
        let from = if least > 0 { 0 } else { page.len().saturating_sub(most) };
        page = page.into_iter().skip(from).take(most).collect();
        let edge = match page[..] {
            [.., last] if least > 0 => format!("after {}", last.said_as),
            [first, ..] => format!("before {}", first.said_as),
            [] => String::new(),
        };
        let end = match has_more {
            true => format!("there are more; /history {name} {edge} shows them"),
            false => "end of these lines".to_owned(),
        };
        page.retain(|line| !conn.ignores.iter().any(|(_, name)| name.key == line.nick.key));
        let shown: Vec<String> = page
            .iter()
            .map(|line| {
                let (day, time) = (date(line.unix + zone), time_of_day(line.unix + zone));
                format!("* {} {day} {time} #{name} {}", line.said_as, line.said)
            })
            .collect();
        if shown.is_empty() && !has_more {
            self.line(no, &format!("* #{name}: no such lines"));
            return Ok(());
        }
        let s = if shown.len() == 1 { "" } else { "s" };
        self.line(no, &format!("* #{name}: {} line{s}", shown.len()));
        shown.iter().for_each(|line| self.line(no, line));
        self.line(no, &format!("* #{name}: {end}"));
        Ok(())
    }

    fn paragraph(&mut self, no: ConnNo, verb: Verb) {
        let clock = Clock { unix: self.unix, zone_secs: 0 };
        let paragraph = text::of(&Event::HelpOn(verb), clock);
        paragraph.lines().for_each(|line| self.line(no, line));
    }

    /// One line, whole.
    pub(super) fn show(&mut self, no: ConnNo, id: u64) -> Result<(), Code> {
        let (conn, zone) = (&self.conns[no], self.conns[no].ahead());
        let is_shown = |room: RoomNo, line: &Kept| {
            let is_ignored = match &line.whole {
                // The last of these are in memory, with who said them.
                Some(_) => conn.ignores(line.speaker, &line.nick),
                None => conn.ignores.iter().any(|(_, name)| name.key == line.nick.key),
            };
            self.rooms[room].is_there && self.may_look(no, room).is_ok() && !is_ignored
        };
        let mut rooms = (0..self.rooms.len())
            .flat_map(|room| self.rooms[room].lines.iter().map(move |line| (room, line)));
        let found = rooms.find(|(_, line)| line.said_as == id);
        let (room, line) =
            found.filter(|(room, line)| is_shown(*room, line)).ok_or("no-such-line")?;
        let name = &self.rooms[room].name.shown;
        let (day, time) = (date(line.unix + zone), time_of_day(line.unix + zone));
        let mut shown = Vec::new();
        match &line.whole {
            None => shown.push(format!("* {id} {day} {time} #{name} {}", line.said)),
            Some(lines) => {
                let (nick, count) = (&line.nick.shown, lines.len());
                shown.push(format!("* {id} {day} {time} #{name} {nick}, {count} lines:"));
                shown.extend(lines.iter().map(|line| format!("* | {line}")));
                shown.push(format!("* #{name}: end of these lines"));
            }
        }
        shown.iter().for_each(|line| self.line(no, line));
        Ok(())
    }

    pub(super) fn room_or_current(&self, no: ConnNo, typed: Option<&str>) -> Result<RoomNo, Code> {
        match typed {
            Some(typed) => self.room_named(typed),
            None => self.conns[no].current().ok_or("no-room"),
        }
    }

    /// A locked room shows nothing to outsiders, and none anything to who is banned from it.
    pub(super) fn may_look(&self, no: ConnNo, room: RoomNo) -> Result<(), Code> {
        self.may_be_in(no, room)?;
        let is_closed = self.rooms[room].password.is_some() && !self.conns[no].is_in(room);
        if is_closed { Err("room-locked") } else { Ok(()) }
    }

    fn set_topic(&mut self, no: ConnNo, room: RoomNo, topic: Option<&str>) {
        self.keep(room);
        let (nick, it) = (self.nick(no), &mut self.rooms[room]);
        it.topic = topic.map(str::to_owned);
        let line = match topic {
            Some(topic) => format!("* #{}: {} set the topic: {topic}", it.name.shown, nick.shown),
            None => format!("* #{}: {} removed the topic", it.name.shown, nick.shown),
        };
        for member in it.members.clone() {
            if member == no || !self.conns[member].ignores(no, &nick) {
                self.line(member, &line);
            }
        }
    }

    fn who_is(&mut self, no: ConnNo, nick: &str) -> Result<(), Code> {
        let person = self.person_named(nick)?;
        self.profile(no, person);
        Ok(())
    }

    fn who_in(&mut self, no: ConnNo, name: &str) -> Result<(), Code> {
        let room = self.room_named(name)?;
        self.may_look(no, room)?;
        let it = &self.rooms[room];
        let text = match it.members.len() {
            0 => format!("nobody is in #{}", it.name.shown),
            here => {
                let names = self.names_of(&it.members, " and ");
                format!("#{} ({here} here): {names}", it.name.shown)
            }
        };
        self.wrapped(no, &text);
        self.tell_slow(no, room);
        Ok(())
    }

    fn profile(&mut self, no: ConnNo, of: ConnNo) {
        let (asker, conn) = (&self.conns[no], &self.conns[of]);
        let rooms = conn.rooms.iter().map(|it| it.room);
        let seen = rooms.filter(|room| self.may_look(no, *room).is_ok());
        let rooms: Vec<String> =
            seen.map(|room| format!("#{}", self.rooms[room].name.shown)).collect();
        let rooms = match rooms.len() {
            0 => "in no open room".to_owned(),
            1..=10 => format!("in {}", rooms.join(", ")),
            many => format!("in {}, {} more", rooms[..10].join(", "), many - 10),
        };
        let since = time_of_day(conn.since + asker.ahead());
        let span = how_long((self.mono - conn.came_at).as_secs());
        let idle = how_long((self.mono - conn.typed_at).as_secs());
        let nick = self.nick(of).shown;
        let address = Network::of(conn.address).shown();
        let from = match self.rank(no, None) {
            Rank::ServerOperator => format!("from {address}, "),
            _ => String::new(),
        };
        self.wrapped(no, &format!("{nick}: {from}{rooms}"));
        let life = format!("here since {since} ({span}), idle for {idle}, id {{id}}");
        self.wrapped(no, &format!("{nick}: {life}"));
        self.away_line(no, of);
    }

    /// The rooms, those with most people first; locked ones, seen from outside, last.
    fn list_rooms(&mut self, no: ConnNo) {
        let mut rows = Vec::new();
        for (room, it) in self.rooms.iter().enumerate().filter(|(_, it)| it.is_there) {
            let name = &it.name;
            let is_closed = it.password.is_some() && !self.conns[no].is_in(room);
            let members = it.members.len();
            let row = match (is_closed, it.password.is_some()) {
                (true, _) => format!("* #{}  (locked)", name.shown),
                (false, true) => format!("* #{}  ({members} here, locked)", name.shown),
                (false, false) => format!("* #{}  ({members} here)", name.shown),
            };
            let topic = it.topic.as_ref().filter(|_| !is_closed);
            let row = topic.map_or(row.clone(), |topic| format!("{row}  {topic}"));
            let members = if is_closed { 0 } else { members };
            rows.push((is_closed, usize::MAX - members, name.key.clone(), row));
        }
        rows.sort();
        if rows.is_empty() {
            self.words(no, &["no room"]);
        }
        for (_, _, _, row) in rows {
            // A long topic is cut; where, depends on how wide its characters are.
            match row.char_indices().nth(60) {
                Some((end, _)) => self.words(no, &[&row[2..end]]),
                None => self.line(no, &row),
            }
        }
    }

    /// Names in their order, with who is away marked.
    pub(super) fn names_of(&self, people: &[ConnNo], last: &str) -> String {
        let mut names: Vec<(String, String)> = Vec::new();
        for no in people {
            let nick = self.nick(*no);
            let away = if self.conns[*no].away.is_some() { " (away)" } else { "" };
            names.push((nick.key, nick.shown + away));
        }
        names.sort();
        let names: Vec<String> = names.into_iter().map(|(_, shown)| shown).collect();
        match names.split_last() {
            Some((end, rest)) if !rest.is_empty() => format!("{}{last}{end}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    pub(super) fn wrapped(&mut self, no: ConnNo, text: &str) {
        self.tell(no, What::Wrapped(format!("* {text}")));
    }
}

/// A span in its largest sensible unit.
fn how_long(seconds: u64) -> String {
    let (number, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7_200 => (seconds / 60, "minute"),
        7_200..172_800 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if number == 1 { format!("1 {unit}") } else { format!("{number} {unit}s") }
}

/// What separates days, counted from 1970-01-01.
pub(super) fn day_line(day: i64) -> String {
    // 1970-01-01 was a Thursday.
    let weekdays = ["Thurs", "Fri", "Satur", "Sun", "Mon", "Tues", "Wednes"];
    format!("* {}day {}", weekdays[day.rem_euclid(7) as usize], date(day * 86_400))
}

/// `YYYY-MM-DD` of a moment, counted year by year and month by month.
pub(super) fn date(unix: i64) -> String {
    let (mut days, mut year) = (unix.div_euclid(86_400), 1970);
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year:04}-{month:02}-{:02}", days + 1)
}
