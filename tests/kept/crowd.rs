//! People who talk as fast as the server takes it, and remember what they said and what they were
//! told, up to its end.
//!
//! Promises: everything typed is drawn from the seed (when the server ends, and so where it stops,
//! is not); no text is typed twice. Deliberately judges nothing: `crash` does.

use std::net::{SocketAddr, TcpStream};

use crate::heard::{Heard, Said};
use crate::world::on_tcp::{Peer, ServerProcess};
use crate::world::rng::Rng;

/// Where everybody is.
pub const ROOMS: [&str; 4] = ["lobby", "dev", "ops", "den"];

/// How many lines are typed at once, at most.
const LINES_AT_ONCE: usize = 8;

/// One who talks.
pub struct Person {
    pub nick: String,
    peer: Peer,
    /// What was told after the last line feed.
    rest: Vec<u8>,
    /// All that was told, line by line; the last one may not have come wholly, and is left out.
    pub told: Vec<String>,
    /// All that was said, in order.
    pub said: Vec<Said>,
    /// How much of it was said when the server was asked to say so.
    marks: Vec<usize>,
    /// How much of it the server has answered.
    pub answered: usize,
    /// What was left for an owner who is away, and how much of it the server has answered.
    pub directs: Vec<String>,
    pub directs_answered: usize,
    has_quit: bool,
}

impl Person {
    fn new(nick: String, peer: Peer) -> Person {
        Person {
            nick,
            peer,
            rest: Vec::new(),
            told: Vec::new(),
            said: Vec::new(),
            marks: Vec::new(),
            answered: 0,
            directs: Vec::new(),
            directs_answered: 0,
            has_quit: false,
        }
    }

    /// Types some lines, and remembers them.
    fn say(&mut self, rng: &mut Rng) -> String {
        let mut typed = String::new();
        for _ in 0..=rng.below(LINES_AT_ONCE) {
            let room = *rng.pick(&ROOMS);
            // Some take more than a page of the file.
            let more = if rng.one_in(60) { " and so on".repeat(rng.below(400)) } else { "".into() };
            let text = format!("{} says {}{more}", self.nick, self.said.len());
            let is_action = rng.one_in(8);
            typed += &match is_action {
                // That goes to the current room.
                true => format!("/join {room}\n/me {text}\n"),
                false => format!("#{room} {text}\n"),
            };
            let nick = self.nick.clone();
            self.said.push(Said { room: room.to_owned(), nick, is_action, text });
        }
        typed
    }

    /// Asks for a sign that all before was handled.
    fn mark(&mut self) -> String {
        self.marks.push(self.said.len());
        format!("@{} mark {}\n", self.nick, self.marks.len() - 1)
    }

    fn leave_word(&mut self, owner: &str) -> String {
        let text = format!("{} leaves word {}", self.nick, self.directs.len());
        let typed = format!("@{owner} {text}\n");
        self.directs.push(text);
        typed
    }

    /// Takes what was told.
    fn listen(&mut self) {
        self.rest.extend(self.peer.take());
        while let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8(line[..end].to_vec()).expect("the server speaks UTF-8");
            self.note(&line);
            self.told.push(line);
        }
    }

    fn note(&mut self, line: &str) {
        let mark = line.strip_prefix('@').and_then(|rest| rest.strip_prefix(self.nick.as_str()));
        if let Some(mark) = mark.and_then(|rest| rest.strip_prefix(": mark ")) {
            self.answered = self.marks[mark.parse::<usize>().unwrap()];
        } else if line.starts_with("* bye, ") && self.has_quit {
            self.answered = self.said.len();
        } else if line.ends_with(" is not here: your line is kept, and shown at the next login") {
            self.directs_answered += 1;
        }
    }

    /// Whether that was told.
    pub fn was_told(&self, start: &str) -> bool {
        self.told.iter().any(|line| line.starts_with(start))
    }
}

/// All who talk in one round.
pub struct Crowd {
    address: SocketAddr,
    round: usize,
    /// The first one never quits.
    pub people: Vec<Person>,
    /// Somebody who is away and has an account.
    away: Option<String>,
    topics: usize,
}

impl Crowd {
    /// Lets some people come in.
    pub fn new(
        server: &ServerProcess,
        round: usize,
        size: usize,
        away: Option<&str>,
        rng: &mut Rng,
    ) -> Crowd {
        let (people, away) = (Vec::new(), away.map(str::to_owned));
        let mut crowd = Crowd { address: server.address(), round, people, away, topics: 0 };
        for _ in 0..size {
            assert!(crowd.come(rng), "the server listens");
        }
        crowd
    }

    /// How the first one is called, in that round.
    pub fn first_nick(round: usize) -> String {
        format!("r{round}p0")
    }

    fn come(&mut self, rng: &mut Rng) -> bool {
        let nick = format!("r{}p{}", self.round, self.people.len());
        let Ok(stream) = TcpStream::connect(self.address) else { return false };
        let mut person = Person::new(nick, Peer::on(stream));
        let mut typed = format!("{}\n", person.nick);
        let mut rooms: Vec<&str> = ROOMS[1..].to_vec();
        while !rooms.is_empty() {
            typed += &format!("/join {}\n", rooms.swap_remove(rng.below(rooms.len())));
        }
        let is_sent = person.peer.send(typed.as_bytes());
        self.people.push(person);
        is_sent
    }

    /// Lets the first one make the name theirs.
    pub fn register(&mut self, password: &str) {
        self.people[0].peer.send_line(&format!("/register {password}"));
    }

    /// Lets somebody do something, and everybody listen; false when the server is gone.
    pub fn act(&mut self, rng: &mut Rng) -> bool {
        let here = (0..self.people.len()).filter(|at| !self.people[*at].has_quit);
        let at = *rng.pick(&here.collect::<Vec<_>>());
        let (person, is_first) = (&mut self.people[at], at == 0);
        let typed = match rng.below(30) {
            0 => {
                let room = rng.pick(&ROOMS[1..]);
                format!("/leave {room}\n/join {room}\n")
            }
            1 | 2 => person.mark(),
            3 => match &self.away {
                Some(owner) => person.leave_word(owner),
                None => person.mark(),
            },
            4 if is_first => {
                self.topics += 1;
                format!("/topic #dev {} {}\n", self.round, self.topics)
            }
            5 if !is_first => {
                person.has_quit = true;
                person.say(rng) + "quit\n"
            }
            _ => person.say(rng),
        };
        let mut is_there = person.peer.send(typed.as_bytes());
        if self.people[at].has_quit {
            is_there &= self.come(rng);
        }
        for person in &mut self.people {
            person.listen();
            is_there &= person.has_quit || !person.peer.is_disconnected();
        }
        is_there
    }

    /// Whether anybody has seen a line of another.
    pub fn has_seen_any(&self) -> bool {
        let mut told = self.people.iter().flat_map(|person| &person.told);
        told.any(|line| matches!(Heard::of(line), Some(Heard::Live(_))))
    }

    /// How many lines were typed.
    pub fn lines(&self) -> usize {
        self.people.iter().map(|person| person.said.len()).sum()
    }

    /// Takes what was told up to the end of every connection.
    pub fn listen_to_the_end(&mut self) {
        for person in &mut self.people {
            let rest = person.peer.rest();
            person.rest.extend(rest);
            person.listen();
        }
    }
}
