//! Draws plans: who comes and goes, what they type, how the clocks go, how small the limits are.

use std::net::IpAddr;
use std::time::Duration;

use super::noise;
use super::plan::{Deed, Plan, Slot};
use super::requests::{Drawn, request};
use super::typing::{End, Piece, Telnet, nonsense};
use crate::world::memory::Mood;
use crate::world::rng::Rng;

const NICKS: [&str; 12] = [
    "alice", "Bob", "carol", "dave", "erin", "ALICE", "cop", "сор", "José", "al-4", "frank", "gus",
];
const ROOMS: [&str; 9] =
    ["lobby", "dev", "ops", "Vault", "vault", "Straße", "STRASSE", "cop", "сор"];
const NO_NAMES: [&str; 7] =
    ["two words", "help", "Nobody", "guest-3", "-x", "a:b", "amuchtoolongnameforany"];
const WORDS: [&str; 14] = [
    "hello", "over", "there", "green", "build", "lunch", "moon", "tea", "is", "the", "why", "not",
    "#dev", "//x",
];
const BARELY: [&str; 9] = ["", "  ", "#", "@", "#dev", "@bob ", "/", "/join", "/me  "];
const PASSWORDS: [&str; 3] = ["secret", "open sesame", "Secret"];
const ADDRESSES: [[u8; 4]; 4] = [[127, 0, 0, 1], [10, 0, 0, 1], [10, 0, 0, 2], [192, 0, 2, 7]];
const STRANGERS: [&[u8]; 3] =
    [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"SSH-2.0-OpenSSH_9.6\r\n"];

/// Which kind of run it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Everybody reads at once.
    Prompt,
    /// Some read slowly, and nobody minds.
    Slow,
    /// Some read slowly and are let go; nonsense of every kind comes in.
    Stalled,
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

/// What a run is like.
#[derive(Clone, Copy)]
struct Traits {
    is_crowd: bool,
    is_awkward: bool,
    is_paced: bool,
    has_receipts: bool,
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
    /// What each of them has.
    ends: Vec<FarEnd>,
    deeds: Vec<Deed>,
}

/// The plan of a seed.
pub fn plan(seed: u64, kind: Kind) -> Plan {
    let mut rng = Rng::new(seed ^ 0x5eed);
    let is_crowd = kind == Kind::Prompt && rng.one_in(20);
    let slots = if is_crowd { 53 + rng.below(4) } else { 3 + rng.below(6) };
    let is_awkward = !is_crowd && rng.one_in(2);
    let mut is_store_slow = rng.one_in(3);
    let is_paced = !is_crowd && rng.one_in(3);
    // A receipt comes at the end of a turn, so it must be known what a turn is.
    let is_sure = !is_paced && !is_awkward && !is_store_slow;
    let has_receipts = match kind {
        Kind::Prompt => is_sure && rng.one_in(2),
        Kind::Slow => false,
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
        ends: vec![FarEnd::Lines; slots],
        deeds,
    };
    for slot in 0..slots {
        if is_crowd || draw.rng.one_in(2) {
            draw.come(slot);
        }
    }
    for _ in 0..40 + draw.rng.below(60) {
        draw.step();
    }
    draw.depart();
    Plan { seed, flags, is_awkward, is_store_slow, slots, deeds: draw.deeds }
}

/// Flags within what the program takes, so that a plan is a transcript.
fn flags(rng: &mut Rng, kind: Kind, traits: Traits) -> Vec<String> {
    let mut flags: Vec<String> = Vec::new();
    let mut flag = |name: &str, value: String| flags.extend([format!("--{name}"), value]);
    flag("connects-per-minute", "off".to_owned());
    match traits.is_paced {
        true => {
            flag("pace", rng.pick(&["3", "7"]).to_string());
            flag("burst", (1 + rng.below(12)).to_string());
        }
        false => flag("pace", "off".into()),
    }
    if kind != Kind::Prompt {
        flag("queue-bytes", rng.pick(&["1024", "2048", "6000"]).to_string());
        flag("queue-total-bytes", rng.pick(&["3000", "6000", "20000", "off"]).to_string());
        flag("line-bytes", (64 + rng.below(960)).to_string());
    } else if !traits.is_paced && rng.one_in(2) {
        flag("line-bytes", (64 + rng.below(100)).to_string());
    }
    let stall = 500 + rng.below(5_000);
    match kind {
        Kind::Stalled => flag("stall-timeout", format!("{stall}ms")),
        Kind::Slow => flag("stall-timeout", "off".into()),
        Kind::Prompt => {}
    }
    if rng.one_in(2) {
        flag("name-timeout", format!("{}ms", 100 + rng.below(5_000)));
    }
    flag("drain-timeout", format!("{}ms", 100 + rng.below(3_000)));
    // At a stop, what waits in one read is still said; so that this is all that waits, it is large.
    let is_large = traits.is_paced || traits.has_receipts;
    let read_bytes = if is_large { 65_536 } else { *rng.pick(&[512, 1_000, 65_536]) };
    flag("read-bytes-per-turn", read_bytes.to_string());
    if rng.one_in(6) {
        flag("lobby", String::new());
    }
    if traits.is_crowd {
        flag("connections-per-address", "off".into());
    } else {
        crowding(rng, kind, traits, &mut flag);
    }
    flags
}

/// How many rooms, members and connections there may be.
fn crowding(rng: &mut Rng, kind: Kind, traits: Traits, flag: &mut impl FnMut(&str, String)) {
    for (name, least, most) in [("rooms", 2, 5), ("rooms-per-user", 1, 4), ("room-members", 2, 4)] {
        if rng.one_in(2) {
            flag(name, (least + rng.below(most - least + 1)).to_string());
        }
    }
    if rng.one_in(3) {
        flag("name-chars", (8 + rng.below(8)).to_string());
    }
    // What a poll reports for nothing may end the patience with a connection that ends.
    if traits.is_awkward || kind != Kind::Prompt {
        return;
    }
    if rng.one_in(3) {
        flag("connections", (2 + rng.below(6)).to_string());
    }
    if rng.one_in(3) {
        flag("connections-per-address", (1 + rng.below(3)).to_string());
    }
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
            91..93 if self.kind == Kind::Prompt && !self.is_store_slow && !self.has_receipts => {
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
            _ if self.kind == Kind::Prompt => self.send(slot),
            _ => self.appetite(slot),
        }
    }

    fn time(&mut self) -> Duration {
        let most = *self.rng.pick(&[10, 300, 1_200, 4_000, 20_000]);
        Duration::from_millis(1 + self.rng.below(most) as u64)
    }

    fn come(&mut self, slot: Slot) {
        let address = IpAddr::from(*self.rng.pick(&ADDRESSES));
        self.deeds.push(Deed::Wait(Duration::from_millis(1)));
        if self.rng.one_in(60) {
            let bytes = *self.rng.pick(&STRANGERS);
            return self.deeds.push(Deed::Stranger(slot, address, bytes));
        }
        self.deeds.push(Deed::Connect(slot, address));
        self.present[slot] = true;
        if self.kind != Kind::Prompt && self.rng.one_in(2) {
            self.appetite(slot);
        }
        self.begin(slot);
        if !self.rng.one_in(4) {
            let crowd = format!("p{slot}");
            let nick = if self.slots > NICKS.len() { &crowd } else { *self.rng.pick(&NICKS) };
            let line = vec![Piece::text(nick), Piece::End(End::Lf)];
            self.deeds.push(Deed::Send(slot, line, None));
        }
    }

    /// What somebody has at their end may say what it is.
    fn begin(&mut self, slot: Slot) {
        self.ends[slot] = match self.rng.below(4) {
            0 if self.kind != Kind::Prompt => FarEnd::Terminal,
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
        self.deeds.push(Deed::Wait(Duration::from_millis(1 + self.rng.below(3) as u64)));
        if self.ends[slot] == FarEnd::Terminal {
            let keys = self.keys();
            return self.deeds.push(Deed::Noise(slot, keys));
        }
        let is_program = self.ends[slot] == FarEnd::Program && self.kind != Kind::Prompt;
        if is_program && self.rng.one_in(6) {
            let text = self.text();
            let block = noise::sized(&mut self.rng, &text);
            return self.deeds.push(Deed::Noise(slot, block));
        }
        let pieces = match self.ends[slot] {
            FarEnd::Program => self.requests(),
            FarEnd::Lines | FarEnd::Terminal => self.typed(),
        };
        let may_cut = self.kind != Kind::Prompt || !self.has_receipts;
        let cut = (may_cut && self.rng.one_in(3)).then(|| self.rng.below(40));
        self.deeds.push(Deed::Send(slot, pieces, cut));
    }

    /// What a program sends: a request or a few, with telnet between them now and then.
    fn requests(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for _ in 0..*self.rng.pick(&[1, 1, 2, 12]) {
            let (nick, room, words) = (self.nick(), self.name(&ROOMS), self.words());
            let may_look_up = self.may_look_up();
            let may_want_receipts = self.has_receipts;
            let drawn = Drawn { nick: &nick, room, words: &words, may_look_up, may_want_receipts };
            pieces.push(Piece::text(&request(&mut self.rng, &drawn)));
            if self.rng.one_in(30) {
                let telnet = [Telnet::AreYouThere, Telnet::Interrupt, Telnet::EraseLine];
                pieces.push(Piece::Telnet(*self.rng.pick(&telnet)));
            }
            pieces.push(Piece::End(if self.rng.one_in(40) { End::CrLf } else { End::Lf }));
        }
        pieces
    }

    /// Whether a room may have lines that have to be asked for when somebody enters it.
    fn may_ask(&self) -> bool {
        self.deeds.iter().any(|deed| matches!(deed, Deed::Restart))
    }

    /// Whether something may be asked for that a store looks up.
    fn may_look_up(&self) -> bool {
        let is_answered_at_once = self.kind == Kind::Prompt && !self.is_store_slow;
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
        let bursts = if self.kind == Kind::Prompt { 25 } else { 4 };
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
        let room = self.name(&ROOMS);
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
        let room = self.name(&ROOMS);
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
        let names = if self.rng.one_in(12) { &NO_NAMES } else { names };
        names[self.rng.below(names.len())]
    }

    fn nick(&mut self) -> String {
        if self.slots > NICKS.len() && self.rng.one_in(2) {
            return format!("p{}", self.rng.below(self.slots));
        }
        self.name(&NICKS).to_owned()
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

    fn text(&mut self) -> String {
        let (nick, room, words) = (self.nick(), self.name(&ROOMS), self.words());
        match self.rng.below(100) {
            0..26 => words,
            26..38 => format!("#{room} {words}"),
            38..40 => format!("#{room}: {words}"),
            40..46 => format!("@{nick} {words}"),
            46..48 => format!("/msg @{nick}: {words}"),
            48..58 => format!("/join {room}"),
            58..62 => format!("/JOIN #{room} {}", self.rng.pick(&PASSWORDS)),
            62 => "/leave".to_owned(),
            63..67 => format!("/leave #{room}"),
            67..71 => format!("/nick {nick}"),
            71 => format!("{nick}*"),
            72 => format!("/nick {nick}*"),
            73..76 => format!("/me {words}"),
            76..99 => self.rare(&nick, room, &words),
            _ => (*self.rng.pick(&["quit", "QUIT ", "/quit", "/exit now"])).to_owned(),
        }
    }

    /// Asks for what was said before. Who waits for the answer is overtaken by others, if it takes
    /// time.
    fn history(&mut self, room: &str) -> String {
        match self.rng.below(10) {
            8 => format!("/history after {}", self.rng.below(60)),
            9 => format!("/history {room} after {}", self.rng.below(60)),
            6 | 7 => format!("/show {}", self.rng.below(60)),
            0 => "/history".to_owned(),
            1 => format!("/history {}", self.rng.below(8)),
            2 => format!("/history before {}", self.rng.below(60)),
            3 => format!("/history #{room} before {}", self.rng.below(60)),
            4 => format!("/history {room} 3"),
            _ => format!("/history {room}"),
        }
    }

    fn rare(&mut self, nick: &str, room: &str, words: &str) -> String {
        if self.may_look_up() && self.rng.one_in(6) {
            return self.history(room);
        }
        let switch = *self.rng.pick(&["on", "on", "off", "ON", ""]);
        match self.rng.below(28) {
            0 => "/who".to_owned(),
            1 => format!("/who {nick}"),
            2 => format!("/who #{room}"),
            3 => "/rooms".to_owned(),
            4 => "/topic".to_owned(),
            5 => format!("/topic #{room}"),
            6 => format!("/topic {words}"),
            7 => format!("/topic #{room} {words}"),
            8 => format!("/topic #{room} -"),
            9 | 10 => format!("/ignore {nick}"),
            11 => format!("/unignore {nick}"),
            12 => "/ignore".to_owned(),
            13 => format!("/away {words}"),
            14 => "/away".to_owned(),
            15 => format!("/quiet {}", self.rng.pick(&["on", "off", "ON", "x"])),
            16 => {
                let times = ["on", "off", "+05:30", "-03:00", "+15:00", "5", "+xx:00"];
                format!("/time {}", self.rng.pick(&times))
            }
            17 => format!("/replay {}", self.rng.pick(&["0", "3", "100", "101", "x"])),
            18 => format!("/help {}", self.rng.pick(&["", "join", "/TIME", "#x", "@x", "jion"])),
            19 => format!("/{words}"),
            20 => format!("//{words}"),
            21 => format!(" {words}"),
            22 => (*self.rng.pick(&BARELY)).to_owned(),
            23 => format!("/emoji {switch}"),
            24 | 25 => format!("/ack {switch}"),
            26 if self.has_receipts => format!("/receipts {switch}"),
            _ => "x".repeat(60 + self.rng.below(120)),
        }
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
            Kind::Prompt => !(self.is_paced && (self.is_awkward || may_ask)),
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
