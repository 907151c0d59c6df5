//! The conversation alone: everybody comes, takes a name, joins a room of ten and speaks there; as
//! many as may join the large room; all leave.
//!
//! Promises: each effect's audience is resolved, as the hub does, and time goes on by microseconds,
//! so that timers run as they would. Deliberately renders and sends nothing.

use std::fmt::{Arguments, Write};
use std::hint::black_box;
use std::time::Duration;

use chatline::chat::event::Parting;
use chatline::chat::outbox::{Effect, Outbox};
use chatline::chat::{Chat, ConnId, Input, Limits, Now, Origin};

use super::{Figures, Lines, Longest, ROOM, TEXT, median, shuffled, timed};

/// How much later each input comes.
const STEP: Duration = Duration::from_micros(3);
/// Longer than anything that the conversation has put off.
const REST: Duration = Duration::from_secs(3);
/// How many lines are timed, if there are no more rooms than this.
const LINES: usize = 20_000;
/// How many deliveries are timed in the large room, about.
const DELIVERIES: usize = 4_000_000;
/// How many questions of a kind are asked, and answered on average.
const QUESTIONS: usize = 20;

/// Everybody.
struct Crowd {
    chat: Chat,
    out: Outbox,
    now: Now,
    users: usize,
    /// Counts deliveries.
    heard: usize,
    /// Where what is typed is written.
    typed: String,
}

/// Measures so many users, of whom at most `crowd` join the large room. `before` is what memory the
/// process held, if that is to be measured.
pub fn measure(users: usize, crowd: usize, before: Option<usize>) -> Figures {
    let mut figures = Figures::default();
    let mut all = Crowd::new(users);
    let mut longest = Longest::new();
    let time = timed(|| (0..users).for_each(|n| all.come(n, &mut longest)));
    figures.each("to come and take a name", time, users);
    let time = timed(|| (0..users).for_each(|n| all.join(n, &mut longest)));
    figures.each("to join a room of ten", time, users);
    figures.once("    the longest of all these steps", longest.time);
    assert_eq!(all.chat.people(), users, "everybody has a name");
    figures.memory("memory for each", before, users);
    all.talk_in_rooms(&mut figures);
    all.look_around(&mut figures);
    all.talk_in_crowd(users.min(crowd), &mut figures);
    figures.memory("memory for each after that", before, users);
    all.leave(&mut figures);
    figures.memory("memory for each when all but one have left", before, users);
    figures
}

fn conn(n: usize) -> ConnId {
    ConnId::new(u32::try_from(n).expect("there are a million"), 0)
}

impl Crowd {
    fn new(users: usize) -> Crowd {
        let limits = Limits {
            lobby: None,
            name_chars_max: Some(24),
            name_timeout: None,
            rooms_max: None,
            rooms_per_user_max: None,
            room_members_max: None,
        };
        let now = Now { mono: Duration::ZERO, unix: 1_772_625_600, zone_secs: 0 };
        let chat = Chat::new(limits, *b"a million users.", now);
        Crowd { chat, out: Outbox::new(), now, users, heard: 0, typed: String::new() }
    }

    fn rooms(&self) -> usize {
        self.users / ROOM
    }

    /// A member of a room of ten: they came long after each other.
    fn member(&self, room: usize, place: usize) -> usize {
        room + place % ROOM * self.rooms()
    }

    /// One input, and all that is due by then.
    fn input(&mut self, input: Input<'_>) {
        self.pass(STEP);
        self.chat.handle(input, self.now, &mut self.out);
        self.hear();
    }

    fn pass(&mut self, time: Duration) {
        let seconds = self.now.mono.as_secs();
        self.now.mono += time;
        self.now.unix += (self.now.mono.as_secs() - seconds) as i64;
        while self.chat.deadline().is_some_and(|at| at <= self.now.mono) {
            self.chat.handle(Input::Time, self.now, &mut self.out);
            self.hear();
        }
    }

    fn hear(&mut self) {
        let mut heard = 0;
        for effect in self.out.effects() {
            if let Effect::Tell(audience, event) = effect {
                self.chat.resolve(audience, |conn| {
                    black_box(conn);
                    heard += 1;
                });
                black_box(event);
            }
        }
        self.out.clear();
        self.heard += heard;
    }

    fn types(&mut self, n: usize, text: &str) {
        self.input(Input::Line { conn: conn(n), text });
    }

    fn types_with(&mut self, n: usize, text: Arguments<'_>) {
        let mut typed = std::mem::take(&mut self.typed);
        typed.clear();
        typed.write_fmt(text).expect("a string takes everything");
        self.types(n, &typed);
        self.typed = typed;
    }

    fn come(&mut self, n: usize, longest: &mut Longest) {
        self.input(Input::Open { conn: conn(n), origin: Origin(n as u64) });
        longest.step();
        self.types_with(n, format_args!("u{n}"));
        longest.step();
    }

    fn join(&mut self, n: usize, longest: &mut Longest) {
        self.types_with(n, format_args!("/join r{}", n % self.rooms()));
        longest.step();
    }

    /// Everybody of these types the same.
    fn type_all(&mut self, who: &[usize], text: &str) -> Duration {
        timed(|| who.iter().for_each(|n| self.types(*n, text)))
    }

    /// Everybody of these says a line.
    fn say(&mut self, speakers: &[usize]) -> Lines {
        let heard = self.heard;
        let time = self.type_all(speakers, TEXT);
        Lines { count: speakers.len(), deliveries: self.heard - heard, time }
    }

    fn talk_in_rooms(&mut self, figures: &mut Figures) {
        self.pass(REST);
        let rooms = self.rooms();
        // From then on each room keeps lines.
        self.say(&(0..rooms).collect::<Vec<_>>());
        let order = shuffled(rooms);
        let speakers = (0..LINES.max(rooms)).map(|n| self.member(order[n % rooms], 1 + n / rooms));
        let cold = self.say(&speakers.collect::<Vec<_>>());
        let speakers: Vec<usize> = (0..LINES).map(|n| self.member(0, n)).collect();
        assert_eq!(cold.deliveries, cold.count * (ROOM - 1), "the others hear each line");
        let warm = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line, always in the same room", median(warm));
        figures.lines("a line, in another room each time", cold);
    }

    fn look_around(&mut self, figures: &mut Figures) {
        let order = shuffled(self.users);
        let few = &order[..QUESTIONS.min(self.users)];
        figures.each("/who", self.type_all(few, "/who"), few.len());
        figures.each("/rooms", self.type_all(few, "/rooms"), few.len());
        let time = self.type_all(few, "@nobody-here hello");
        figures.each("a whisper to nobody of that name", time, few.len());
        let time =
            timed(|| few.iter().for_each(|n| self.types_with(*n, format_args!("/nick v{n}"))));
        figures.each("/nick", time, few.len());
    }

    fn talk_in_crowd(&mut self, members: usize, figures: &mut Figures) {
        let order = shuffled(members);
        let time = self.type_all(&order, "/join crowd");
        figures.each("to join the large room", time, members);
        self.pass(REST);
        let count = (DELIVERIES / members).clamp(1, LINES);
        let speakers: Vec<usize> = (0..count).map(|line| order[line % members]).collect();
        let lines = (0..9).map(|_| self.say(&speakers)).collect();
        figures.lines("a line in the large room", median(lines));
        figures.once("/nick in the large room", timed(|| self.types(order[0], "/nick w")));
        self.pass(REST);
        figures.each("to leave the large room", self.type_all(&order, "/leave"), members);
        self.type_all(&order, "/join crowd");
        let time = timed(|| self.types(order[0], TEXT));
        figures.once("the first line after all came back", time);
        self.pass(REST);
    }

    /// All but one leave, one by one.
    fn leave(&mut self, figures: &mut Figures) {
        let order = shuffled(self.users);
        let Some((last, others)) = order.split_first() else { return };
        let mut longest = Longest::new();
        let time = timed(|| {
            for n in others {
                self.input(Input::Ended { conn: conn(*n), parting: Parting::EndOfInput });
                longest.step();
            }
        });
        figures.each("to leave altogether", time, others.len());
        figures.once("    the longest of these", longest.time);
        figures.each("/who of the last one", self.type_all(&[*last; QUESTIONS], "/who"), QUESTIONS);
    }
}
