//! The lines of those who type, drawn: mostly speech, and every command now and then.
//!
//! Deliberately knows little of who is where: what is refused is played, too.

use super::{BARELY, Draw, Kind, PASSWORDS, orders};

impl Draw {
    pub(super) fn text(&mut self) -> String {
        let (nick, room, words) = (self.nick(), self.name(self.rooms()), self.words());
        let whom = if self.kind == Kind::Ranked { self.anybody() } else { nick.clone() };
        if let Some((_, line)) = self.again.take_if(|(slot, _)| *slot == self.typist) {
            return line;
        }
        let orders_in = self.orders_in();
        if orders_in > 0 && self.rng.one_in(orders_in) {
            return self.order(&whom, room, &words);
        }
        match self.rng.below(100) {
            0..26 => words,
            26..38 => format!("#{room} {words}"),
            38..40 => format!("#{room}: {words}"),
            40..46 => format!("@{whom} {words}"),
            46..48 => format!("/msg @{whom}: {words}"),
            48..58 => format!("/join {room}"),
            58..62 => format!("/JOIN #{room} {}", self.rng.pick(&PASSWORDS)),
            62 => "/leave".to_owned(),
            63..67 => format!("/leave #{room}"),
            67..71 => format!("/nick {nick}"),
            71 => format!("{nick}*"),
            72 => format!("/nick {nick}*"),
            73..76 => format!("/me {words}"),
            76..99 => self.rare(&whom, room, &words),
            _ => (*self.rng.pick(&["quit", "QUIT ", "/quit", "/exit now"])).to_owned(),
        }
    }

    /// Of how many lines of the typist one is an operator's.
    pub(super) fn orders_in(&self) -> usize {
        match self.kind {
            Kind::Ranked if self.passwords[self.typist].is_some() => 2,
            Kind::Ranked => 9,
            _ => 0,
        }
    }

    fn order(&mut self, whom: &str, room: &str, words: &str) -> String {
        if self.rng.one_in(4)
            && let Some(undoing) = self.undoing.take()
        {
            return undoing;
        }
        if let Some(password) = self.passwords[self.typist].clone()
            && self.rng.one_in(40)
        {
            let is_again = self.rng.one_in(2);
            self.again = is_again.then(|| (self.typist, format!("/register {password}")));
            return format!("/unregister {password}");
        }
        let order = orders::order(&mut self.rng, whom, room, words);
        self.undoing = orders::undoing(&order).or(self.undoing.take());
        order
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
}
