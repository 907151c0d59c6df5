//! Draws plans: who comes and goes, what they type, how the clocks go, how small the limits are.

mod lines;

use std::net::IpAddr;
use std::time::Duration;

use super::limits::{Traits, flags};
use super::plan::{Deed, Plan, Slot};
use super::requests::{Drawn, request};
use super::typing::{End, Piece, Telnet, nonsense};
use super::{noise, orders};
use crate::world::memory::Mood;
use crate::world::rng::Rng;

const NICKS: [&str; 12] = [
    "alice", "Bob", "carol", "dave", "erin", "ALICE", "cop", "сор", "José", "al-4", "frank", "gus",
];
const ROOMS: [&str; 9] =
    ["lobby", "dev", "ops", "Vault", "vault", "Straße", "STRASSE", "cop", "сор"];
/// Where there are operators, so few that they find whom they mean.
const FEW_NICKS: [&str; 4] = ["alice", "Bob", "carol", "ALICE"];
const FEW_ROOMS: [&str; 4] = ["lobby", "dev", "dev", "Vault"];
const NO_NAMES: [&str; 7] =
    ["two words", "help", "Nobody", "guest-3", "-x", "a:b", "amuchtoolongnameforany"];
const WORDS: [&str; 14] = [
    "hello", "over", "there", "green", "build", "lunch", "moon", "tea", "is", "the", "why", "not",
    "#dev", "//x",
];
const BARELY: [&str; 9] = ["", "  ", "#", "@", "#dev", "@bob ", "/", "/join", "/me  "];
const PASSWORDS: [&str; 3] = ["secret", "open sesame", "Secret"];
const ADDRESSES: [[u8; 4]; 4] = [[127, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2], [192, 0, 2, 7]];
/// Of these, the first two are taken for one.
const LONG_ADDRESSES: [[u16; 8]; 4] = [
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1],
    [0x2001, 0xdb8, 0, 0, 0, 0, 0, 2],
    [0x2001, 0xdb8, 0, 1, 0, 0, 0, 1],
    [0, 0, 0, 0, 0, 0xffff, 0xa00, 1],
];
const STRANGERS: [&[u8]; 3] =
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-OpenSSH_9.6\r\n"];

/// Which kind of run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everybody reads at once.
    Prompt,
    /// The same, and some names are somebody's, and some of those operators.
    Ranked,
    /// Some read slowly, and nobody minds.
    Slow,
    /// Some read slowly and are let go; nonsense of every kind comes in.
    Stalled,
}

impl Kind {
    /// Whether everybody reads at once, so that all that they see can be foretold.
    pub fn is_prompt(self) -> bool {
        matches!(self, Kind::Prompt | Kind::Ranked)
    }
}

/// What a person has at their end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum FarEnd {
    /// A terminal, or a script, that sends lines.
    Lines,
    /// A terminal that sends each key.
    Terminal,
    /// A program that speaks JSON.
    Program,
}

/// Draws one plan.
struct Draw {
    rng: Rng,
    kind: Kind,
    slots: usize,
    is_awkward: bool,
    is_paced: bool,
    is_store_slow: bool,
    /// Some want to know what becomes of what they say to one person, and it can be foretold.
    has_receipts: bool,
    /// Who has connected, and has not ended since.
    present: Vec<bool>,
    /// The passwords of those who have logged in, and may be operators.
    passwords: Vec<Option<String>>,
    /// What ends what an operator has done.
    undoing: Option<String>,
    /// What takes a name again that was given up, and who is to type it.
    again: Option<(Slot, String)>,
    /// Who types.
    typist: Slot,
    /// What each of them has.
    ends: Vec<FarEnd>,
    deeds: Vec<Deed>,
}

/// The plan of a seed.
pub fn plan(seed: u64, kind: Kind) -> Plan {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let is_crowd = kind.is_prompt() && rng.one_in(20);
    let has_members = kind == Kind::Ranked;
    let slots = match is_crowd {
        true => 53 + rng.below(4),
        false => 3 + rng.below(if has_members { 3 } else { 6 }),
    };
    let is_awkward = !is_crowd && rng.one_in(2);
    // Who logs in waits for an answer, and others overtake them if it takes time.
    let mut is_store_slow = rng.one_in(3) && !has_members;
    let is_paced = !is_crowd && rng.one_in(3) && !has_members;
    // A receipt comes at the end of a turn, so it must be known what a turn is.
    let is_sure = !is_paced && !is_awkward && !is_store_slow;
    let has_receipts = match kind {
        Kind::Prompt => is_sure && rng.one_in(2),
        Kind::Slow | Kind::Ranked => false,
        Kind::Stalled => true,
    };
    let traits = Traits { is_crowd, is_awkward, is_paced, has_receipts };
    let flags = flags(&mut rng, kind, traits);
    // A slow store lets nobody leave, and nobody in, at a time that could be foretold.
    is_store_slow &= kind != Kind::Slow && !(is_paced && is_awkward);
    is_store_slow &= !flags.iter().any(|flag| flag.starts_with("--connections"));
    let present = vec![false; slots];
    let deeds = Vec::new();
    let mut draw = Draw {
        rng,
        kind,
        slots,
        is_awkward,
        is_paced,
        is_store_slow,
        has_receipts,
        present,
        passwords: vec![None; slots],
        undoing: None,
        again: None,
        typist: 0,
        ends: vec![FarEnd::Lines; slots],
        deeds,
    };
    for slot in 0..slots {
        if is_crowd || has_members || draw.rng.one_in(2) {
            draw.come(slot);
        }
    }
    let least = if has_members { 90 } else { 40 };
    for _ in 0..least + draw.rng.below(60) {
        draw.step();
    }
    draw.depart();
    Plan { seed, flags, is_awkward, is_store_slow, has_members, slots, deeds: draw.deeds }
}

impl Draw {
    fn step(&mut self) {
        let slot = self.rng.below(self.slots);
        if !self.present[slot] {
            return self.come(slot);
        }
        match self.rng.below(100) {
            0..62 => self.send(slot),
            62..80 => {
                let time = self.time();
                self.deeds.push(Deed::Wait(time));
            }
            80..84 => self.go(slot),
            84..88 => self.leap(slot),
            88..91 => {
                let seconds = self.rng.below(200_000) as i64 - 100_000;
                self.deeds.push(Deed::Jump(seconds));
            }
            91..93 if self.kind.is_prompt() && !self.is_store_slow && !self.has_receipts => {
                self.restart();
            }
            93..95 if self.kind == Kind::Stalled => {
                let mood = *self.rng.pick(&[Mood::Works, Mood::Fails, Mood::Hangs]);
                self.deeds.push(Deed::Store(mood));
            }
            91..93 if self.kind == Kind::Stalled => {
                let noise = match self.rng.below(4) {
                    0 => noise::random(&mut self.rng),
                    1 => noise::terminal_begins(&mut self.rng),
                    2 => {
                        let text = self.text();
                        [b"/json\n".to_vec(), noise::sized(&mut self.rng, &text)].concat()
                    }
                    _ => self.keys(),
                };
                self.deeds.push(Deed::Noise(slot, noise));
            }
            _ if self.kind.is_prompt() => self.send(slot),
            _ => self.appetite(slot),
        }
    }

    fn time(&mut self) -> Duration {
        let most = *self.rng.pick(&[10, 300, 1_200, 4_000, 20_000]);
        Duration::from_millis(1 + self.rng.below(most) as u64)
    }

    fn come(&mut self, slot: Slot) {
        let address = match self.kind == Kind::Ranked && self.rng.one_in(4) {
            true => IpAddr::from(*self.rng.pick(&LONG_ADDRESSES)),
            false => IpAddr::from(*self.rng.pick(&ADDRESSES)),
        };
        self.deeds.push(Deed::Wait(Duration::from_millis(1)));
        if self.rng.one_in(60) {
            let bytes = *self.rng.pick(&STRANGERS);
            return self.deeds.push(Deed::Stranger(slot, address, bytes));
        }
        self.deeds.push(Deed::Connect(slot, address));
        self.present[slot] = true;
        if !self.kind.is_prompt() && self.rng.one_in(2) {
            self.appetite(slot);
        }
        if self.kind == Kind::Ranked {
            return self.come_among_operators(slot);
        }
        self.begin(slot);
        if !self.rng.one_in(4) {
            let crowd = format!("p{slot}");
            let nick = if self.slots > NICKS.len() { &crowd } else { *self.rng.pick(&NICKS) };
            let line = vec![Piece::text(nick), Piece::End(End::Lf)];
            self.deeds.push(Deed::Send(slot, line, None));
        }
    }

    /// Where there are operators, nearly everybody has a name, and many are in one room.
    fn come_among_operators(&mut self, slot: Slot) {
        let is_crowd = self.slots > NICKS.len();
        let may_order = slot == 0 || self.rng.one_in(if is_crowd { 12 } else { 3 });
        let login = orders::login(&mut self.rng);
        let password = login.split(' ').next_back().map(str::to_owned);
        self.passwords[slot] = password.filter(|_| may_order);
        let first = match self.rng.below(12) {
            0 => String::new(),
            _ if may_order => login,
            _ if is_crowd => format!("p{slot}"),
            1 => (*self.rng.pick(&FEW_NICKS)).to_owned(),
            _ => FEW_NICKS[slot % 3].to_owned(),
        };
        let mut lines = vec![first];
        if self.rng.one_in(2) {
            lines.push("/join dev".to_owned());
        }
        for line in lines {
            let line = vec![Piece::text(&line), Piece::End(End::Lf)];
            self.deeds.push(Deed::Send(slot, line, None));
        }
        self.begin(slot);
    }

    /// What somebody has at their end may say what it is.
    fn begin(&mut self, slot: Slot) {
        self.ends[slot] = match self.rng.below(4) {
            0 if !self.kind.is_prompt() => FarEnd::Terminal,
            1 => FarEnd::Program,
            _ => FarEnd::Lines,
        };
        match self.ends[slot] {
            FarEnd::Lines => {}
            FarEnd::Terminal => {
                let begin = noise::terminal_begins(&mut self.rng);
                self.deeds.push(Deed::Noise(slot, begin));
            }
            FarEnd::Program => {
                let json = vec![Piece::text("/json"), Piece::End(End::Lf)];
                self.deeds.push(Deed::Send(slot, json, None));
            }
        }
    }

    fn go(&mut self, slot: Slot) {
        self.present[slot] = false;
        let deed = match self.rng.below(4) {
            0 => Deed::Reset(slot),
            1 => Deed::Close(slot),
            _ => Deed::End(slot),
        };
        self.deeds.push(deed);
    }

    fn appetite(&mut self, slot: Slot) {
        let deed = match self.rng.below(6) {
            0 => Deed::Window(slot, None),
            1..4 => Deed::Window(slot, Some(*self.rng.pick(&[0, 0, 5, 40, 300, 2_000]))),
            _ => Deed::Read(slot, *self.rng.pick(&[1, 7, 30, 200, 3_000])),
        };
        self.deeds.push(deed);
    }

    /// The order in which several waiting connections are found after a leap is nobody's promise
    /// where a poll may also report them for nothing, or where one turn cannot say all of it.
    fn leap(&mut self, slot: Slot) {
        let time = self.time();
        // What is found in a leap must be found in one turn, so nothing may have to be asked for.
        let may_ask = self.may_ask();
        let is_uncertain = self.is_awkward || self.kind == Kind::Slow || may_ask;
        if self.is_paced && is_uncertain {
            return self.deeds.push(Deed::Wait(time));
        }
        let mut pieces = if self.is_awkward || may_ask { Vec::new() } else { self.line() };
        let printed = pieces.iter().map(|piece| match piece {
            Piece::Plain(_, text) => text.as_str(),
            _ => "",
        });
        let typed: String = printed.collect();
        if typed.contains("/history") || typed.contains("/show") {
            pieces.clear();
        }
        pieces.retain(|piece| !piece.bytes().is_empty());
        self.deeds.push(Deed::Leap(slot, pieces, time));
    }

    fn send(&mut self, slot: Slot) {
        self.typist = slot;
        self.deeds.push(Deed::Wait(Duration::from_millis(1 + self.rng.below(3) as u64)));
        if self.ends[slot] == FarEnd::Terminal {
            let keys = self.keys();
            return self.deeds.push(Deed::Noise(slot, keys));
        }
        let is_program = self.ends[slot] == FarEnd::Program && !self.kind.is_prompt();
        if is_program && self.rng.one_in(6) {
            let text = self.text();
            let block = noise::sized(&mut self.rng, &text);
            return self.deeds.push(Deed::Noise(slot, block));
        }
        let pieces = match self.ends[slot] {
            FarEnd::Program => self.requests(),
            FarEnd::Lines | FarEnd::Terminal => self.typed(),
        };
        let may_cut = !self.kind.is_prompt() || !self.has_receipts;
        let cut = (may_cut && self.rng.one_in(3)).then(|| self.rng.below(40));
        self.deeds.push(Deed::Send(slot, pieces, cut));
    }

    /// What a program sends: a request or a few, with telnet between them now and then.
    fn requests(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for _ in 0..*self.rng.pick(&[1, 1, 2, 12]) {
            let (nick, room, words) = (self.nick(), self.name(self.rooms()), self.words());
            let whom = if self.kind == Kind::Ranked { self.anybody() } else { nick.clone() };
            let orders_in = self.orders_in();
            let may_look_up = self.may_look_up();
            let may_want_receipts = self.has_receipts;
            let (nick, whom, words) = (&*nick, &*whom, &*words);
            let drawn =
                Drawn { nick, whom, room, words, may_look_up, may_want_receipts, orders_in };
            pieces.push(Piece::text(&request(&mut self.rng, &drawn)));
            if self.rng.one_in(30) {
                let telnet = [Telnet::AreYouThere, Telnet::Interrupt, Telnet::EraseLine];
                pieces.push(Piece::Telnet(*self.rng.pick(&telnet)));
            }
            pieces.push(Piece::End(if self.rng.one_in(40) { End::CrLf } else { End::Lf }));
        }
        pieces
    }

    /// Whether something may have to be asked for: the lines of a room when somebody enters it, or
    /// whether a password is right.
    fn may_ask(&self) -> bool {
        let is_restarted = self.deeds.iter().any(|deed| matches!(deed, Deed::Restart));
        is_restarted || self.kind == Kind::Ranked
    }

    /// Whether something may be asked for that a store looks up.
    fn may_look_up(&self) -> bool {
        let is_answered_at_once = self.kind.is_prompt() && !self.is_store_slow;
        // Who waits for an answer ends their turn, and receipts come at the end of a turn.
        is_answered_at_once && !self.is_paced && !self.has_receipts
    }

    fn keys(&mut self) -> Vec<u8> {
        let text = self.text();
        noise::of_terminal(&mut self.rng, &text)
    }

    /// One line or a few, with or without the end of the last one.
    fn typed(&mut self) -> Vec<Piece> {
        if self.rng.one_in(25) {
            return self.guesses();
        }
        if self.rng.one_in(25) {
            return self.many_as_one();
        }
        let bursts = if self.kind.is_prompt() { 25 } else { 4 };
        let lines = match self.rng.one_in(bursts) {
            true => 5 + self.rng.below(40),
            false => 1 + self.rng.below(2),
        };
        let mut pieces: Vec<Piece> = (0..lines).flat_map(|_| self.line()).collect();
        pieces.retain(|piece| !piece.bytes().is_empty());
        if self.rng.one_in(12) {
            pieces.pop();
        }
        pieces
    }

    /// Somebody tries to get into a locked room that is made if it is not there yet.
    fn guesses(&mut self) -> Vec<Piece> {
        let room = self.name(self.rooms());
        let tries = 3 + self.rng.below(6);
        let mut line = || {
            let password = *self.rng.pick(&["", "", "secret", "Secret", "sesame"]);
            [Piece::text(&format!("/join {room} {password}")), Piece::End(End::Lf)]
        };
        (0..tries).flat_map(|_| line()).collect()
    }

    /// Many lines that are to be one message; its end is always there, so that nothing depends on
    /// whether a connection that goes breaks or ends.
    fn many_as_one(&mut self) -> Vec<Piece> {
        let lines = *self.rng.pick(&[0, 1, 2, 4, 5, 6, 7, 40]);
        let room = self.name(self.rooms());
        let begin = *self.rng.pick(&["/paste", "/paste", "/paste #"]);
        let mut texts =
            vec![if begin.ends_with('#') { format!("{begin}{room}") } else { begin.into() }];
        for _ in 0..lines {
            texts.push(match self.rng.below(5) {
                0 => (*self.rng.pick(&["", " ", "..", ".x", "quit", "/quit"])).to_owned(),
                _ => self.text(),
            });
        }
        let mut pieces = Vec::new();
        for text in texts {
            pieces.push(Piece::text(&text));
            if self.rng.one_in(20) {
                pieces.push(self.rng.pick(&nonsense()).clone());
            }
            pieces.push(Piece::End(End::Lf));
        }
        pieces.extend([Piece::End(End::Lf), Piece::text("."), Piece::End(End::Lf)]);
        pieces.retain(|piece| !piece.bytes().is_empty());
        pieces
    }

    fn line(&mut self) -> Vec<Piece> {
        if self.rng.one_in(150) {
            return vec![Piece::Telnet(Telnet::EndOfInput)];
        }
        let text = self.text();
        let mut pieces = vec![Piece::text(&text)];
        if self.rng.one_in(6) {
            let chars: Vec<char> = text.chars().collect();
            let (before, after) = chars.split_at(self.rng.below(chars.len() + 1));
            let part = |chars: &[char]| Piece::text(&chars.iter().collect::<String>());
            let nonsense = self.rng.pick(&nonsense()).clone();
            pieces = vec![part(before), nonsense, part(after)];
        }
        pieces.push(Piece::End(match self.rng.below(60) {
            0 => End::CrLf,
            1 => End::CrNul,
            _ => End::Lf,
        }));
        pieces
    }

    fn name(&mut self, names: &[&'static str]) -> &'static str {
        let is_none = self.rng.one_in(if self.kind == Kind::Ranked { 60 } else { 12 });
        let names = if is_none { &NO_NAMES } else { names };
        names[self.rng.below(names.len())]
    }

    fn nick(&mut self) -> String {
        if self.slots > NICKS.len() && self.rng.one_in(2) {
            return format!("p{}", self.rng.below(self.slots));
        }
        self.name(self.nicks()).to_owned()
    }

    fn nicks(&self) -> &'static [&'static str] {
        if self.kind == Kind::Ranked { &FEW_NICKS } else { &NICKS }
    }

    fn rooms(&self) -> &'static [&'static str] {
        if self.kind == Kind::Ranked { &FEW_ROOMS } else { &ROOMS }
    }

    /// Whoever may be meant: who has a name from the start, too.
    fn anybody(&mut self) -> String {
        match self.kind == Kind::Ranked && self.rng.one_in(3) {
            true => orders::member(&mut self.rng).to_owned(),
            false => self.nick(),
        }
    }

    fn words(&mut self) -> String {
        let most = if self.rng.one_in(20) { 30 } else { 5 };
        let is_emoji = self.rng.one_in(10);
        let words = (0..1 + self.rng.below(most)).map(|_| match is_emoji && self.rng.one_in(3) {
            true => *self.rng.pick(&[":wave:", ":+1:", ":wave::+1:", "a:wave:", ":nosuch:"]),
            false => *self.rng.pick(&WORDS),
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// The server dies when it has kept everything that it was given; nobody is there afterwards.
    fn restart(&mut self) {
        self.deeds.push(Deed::Restart);
        self.present.fill(false);
    }

    /// Everybody leaves, one way or another.
    fn depart(&mut self) {
        // Of what waits for its turn, what was not read yet is not said when the server stops; and
        // in which order people go then depends on who still drains.
        // Who has asked for the lines of a room that nobody has entered since a restart goes last,
        // and says the rest when the others have gone.
        let may_ask = self.may_ask();
        let is_certain = match self.kind {
            Kind::Prompt | Kind::Ranked => !(self.is_paced && (self.is_awkward || may_ask)),
            Kind::Slow => false,
            Kind::Stalled => true,
        };
        if is_certain && self.rng.one_in(4) {
            return self.deeds.push(Deed::Stop);
        }
        for slot in 0..self.slots {
            if self.present[slot] {
                if self.rng.one_in(2) {
                    let quit = vec![Piece::End(End::Lf), Piece::text("quit"), Piece::End(End::Lf)];
                    self.deeds.push(Deed::Send(slot, quit, None));
                }
                self.go(slot);
            }
        }
    }
}
