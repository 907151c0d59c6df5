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
use chatline::chat::{Chat, ConnId, Input, Now, Origin};

use super::{Figures, Longest, Population, START, later, shuffled, timed};

/// How much later each input comes.
const STEP: Duration = Duration::from_micros(3);
/// How many questions of a kind are asked, and answered on average.
const QUESTIONS: usize = 20;

/// Everybody, and the conversation.
struct Alone {
    chat: Chat,
    out: Outbox,
    now: Now,
    /// How many come.
    count: usize,
    /// Counts deliveries.
    heard: usize,
    /// Where what is typed is written.
    typed: String,
}

/// Measures so many users, of whom at most `crowd` join the large room. `before` is what memory the
/// process held, if that is to be measured.
pub fn measure(users: usize, crowd: usize, before: Option<usize>) -> Figures {
    let mut figures = Figures::default();
    let mut all = Alone::new(users);
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
    let members = shuffled(users.min(crowd));
    all.talk_in_crowd(&members, &mut figures);
    let time = timed(|| all.types(members[0], "/nick w"));
    figures.once("/nick in the large room", time);
    all.leave_crowd(&members, &mut figures);
    figures.memory("memory for each after that", before, users);
    let order = shuffled(users);
    let (last, others) = order.split_first().expect("there is somebody");
    all.leave(others, &mut figures);
    let time = all.type_all(&[*last; QUESTIONS], "/who");
    figures.each("/who of the last one", time, QUESTIONS);
    figures
}

fn conn(n: usize) -> ConnId {
    ConnId::new(u32::try_from(n).expect("there are a million"), 0)
}

impl Alone {
    fn new(count: usize) -> Alone {
        let chat = Chat::new(super::limits(), *b"a million users.", START);
        Alone { chat, out: Outbox::new(), now: START, count, heard: 0, typed: String::new() }
    }

    /// One input, and all that is due by then.
    fn input(&mut self, input: Input<'_>) {
        self.pass(STEP);
        self.chat.handle(input, self.now, &mut self.out);
        self.hear();
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

    fn look_around(&mut self, figures: &mut Figures) {
        let order = shuffled(self.count);
        let few = &order[..QUESTIONS.min(self.count)];
        figures.each("/who", self.type_all(few, "/who"), few.len());
        figures.each("/rooms", self.type_all(few, "/rooms"), few.len());
        let time = self.type_all(few, "@nobody-here hello");
        figures.each("a whisper to nobody of that name", time, few.len());
        let time =
            timed(|| few.iter().for_each(|n| self.types_with(*n, format_args!("/nick v{n}"))));
        figures.each("/nick", time, few.len());
    }
}

impl Population for Alone {
    const LINES: usize = 20_000;
    const DELIVERIES: usize = 4_000_000;

    fn count(&self) -> usize {
        self.count
    }

    fn heard(&self) -> usize {
        self.heard
    }

    fn pass(&mut self, time: Duration) {
        self.now = later(self.now, time);
        while self.chat.deadline().is_some_and(|at| at <= self.now.mono) {
            self.chat.handle(Input::Time, self.now, &mut self.out);
            self.hear();
        }
    }

    fn types(&mut self, n: usize, text: &str) {
        self.input(Input::Line { conn: conn(n), text });
    }

    fn end(&mut self, n: usize) {
        self.input(Input::Ended { conn: conn(n), parting: Parting::EndOfInput });
    }
}
