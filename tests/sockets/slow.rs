//! Readers who are slow, or do not read at all: what they cost, and what they are told.

use std::io::Write;

use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::{flags, machine};

/// Lines that are said at once; fewer bytes than may wait for a reader, so that one who reads
/// between two rounds cannot miss any.
const LINES_PER_ROUND: usize = 50;
const LINE_BYTES: usize = 4000;

/// A room in which one speaks, one reads promptly, and one connection reads nothing.
struct Room {
    server: ServerProcess,
    speaker: Peer,
    prompt: Peer,
    slow: Peer,
    said: usize,
}

impl Room {
    fn open(more: &str) -> Room {
        let server =
            ServerProcess::start(&flags(&format!("--pace off --queue-bytes 256KiB {more}")));
        let (speaker, prompt) = (server.person("speaker"), server.person("prompt"));
        let mut slow = Peer::on(machine::connect_with_little_room(&server));
        slow.send_line("slow");
        slow.line_that_starts("* you are slow");
        Room { server, speaker, prompt, slow, said: 0 }
    }

    /// Says some rounds; the next one begins when the prompt reader has all of the last.
    fn say(&mut self, rounds: usize) {
        let text = "x".repeat(LINE_BYTES);
        for _ in 0..rounds {
            let numbers = self.said..self.said + LINES_PER_ROUND;
            self.speaker.send(&crate::lines(numbers.clone(), &text));
            for number in numbers.clone() {
                let seen = self.prompt.line_that_starts("#lobby speaker: ");
                assert_eq!(seen, format!("#lobby speaker: {number} {text}"));
            }
            self.said = numbers.end;
        }
    }
}

/// What a slow reader saw: each line that was said, or in its place that it was dropped.
#[derive(Debug, Default)]
struct Seen {
    whole: usize,
    dropped: usize,
    last: String,
}

impl Seen {
    fn note(&mut self, line: String) {
        if let Some(said) = line.strip_prefix("#lobby speaker: ") {
            let (number, text) = said.split_once(' ').expect("a number and a text");
            assert_eq!(text.len(), LINE_BYTES, "a line is whole");
            assert_eq!(number, self.accounted().to_string(), "nothing is missing unannounced");
            self.whole += 1;
        } else if line.contains(" dropped here") {
            let number = line.strip_prefix("* ").and_then(|text| text.split(' ').next());
            self.dropped += number.and_then(|number| number.parse::<usize>().ok()).unwrap();
        }
        self.last = line;
    }

    fn accounted(&self) -> usize {
        self.whole + self.dropped
    }

    /// Everything up to the end of the connection.
    fn all(slow: &mut Peer) -> Seen {
        let mut seen = Seen::default();
        while let Some(line) = slow.line() {
            seen.note(line);
        }
        seen
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_slow_reader_costs_little_and_is_told_exactly_what_is_missing() {
    let mut room = Room::open("");
    let before = machine::resident_bytes(&room.server);
    room.say(200);
    let grown = machine::resident_bytes(&room.server).saturating_sub(before);
    let said_bytes = room.said * LINE_BYTES;
    assert!(grown < said_bytes / 4, "{grown} bytes were kept of {said_bytes}");

    let mut seen = Seen::default();
    while seen.accounted() < room.said {
        seen.note(room.slow.line().expect("a slow reader is not let go"));
    }
    assert_eq!(seen.accounted(), room.said);
    assert!(seen.dropped > 0 && seen.whole > 0, "{seen:?}");
    room.speaker.send_line("is everybody here again?");
    assert_eq!(room.slow.line_that_starts("#"), "#lobby speaker: is everybody here again?");
}

/// Two who read nothing, from different places on: what is kept for them in all is bounded too.
#[cfg(target_os = "linux")]
#[test]
fn slow_readers_together_cost_little_and_are_told_exactly_what_is_missing() {
    let mut room = Room::open("--queue-total-bytes 256KiB");
    let mut slower = room.server.person("slower");
    // An arrival is told after two seconds; it is no line that may be missing.
    room.speaker.line_that_starts("* #lobby: slower came");
    let before = machine::resident_bytes(&room.server);
    room.say(200);
    let grown = machine::resident_bytes(&room.server).saturating_sub(before);
    let said_bytes = room.said * LINE_BYTES;
    assert!(grown < said_bytes / 4, "{grown} bytes were kept of {said_bytes}");
    room.server.stop();
    for (peer, nick) in [(&mut room.slow, "slow"), (&mut slower, "slower")] {
        let seen = Seen::all(peer);
        assert!(seen.last.starts_with(&format!("* bye, {nick}: ")), "{}", seen.last);
        assert_eq!(seen.accounted(), room.said, "{nick} took {} whole", seen.whole);
    }
    assert!(room.server.log().contains("event=dropping_lines "), "{}", room.server.log());
}

#[cfg(target_os = "linux")]
#[test]
fn whoever_asks_much_and_reads_nothing_costs_little() {
    let server = ServerProcess::start(&flags("--pace off --queue-bytes 64KiB"));
    let mut alice = server.person("alice");
    let before = machine::resident_bytes(&server);
    // What telnet must answer each time, and what everybody may ask; nobody reads the answers.
    let questions = [b"\xFF\xFD\x06".repeat(3 << 20), b"/help\n".repeat(10_000)];
    let peers = questions.map(|questions| {
        let mut peer = machine::connect_with_little_room(&server);
        peer.write_all(&questions).expect("the server takes all questions");
        peer.write_all(b"\n@alice that was all\n").expect("the server takes more");
        assert!(alice.line_that_starts("@").ends_with(": that was all"));
        peer
    });
    let grown = machine::resident_bytes(&server).saturating_sub(before);
    assert!(grown < 2 << 20, "it grew by {grown} bytes");
    drop(peers);
}

#[test]
fn who_takes_nothing_for_too_long_is_let_go_and_told_why() {
    let mut room = Room::open("--stall-timeout 1s --drain-timeout 30s");
    room.say(120);
    let is_gone = wait_for(|| {
        room.prompt.send_line("/who slow");
        loop {
            let line = room.prompt.line().expect("who reads stays");
            if line.starts_with("! no-such-user ") {
                return Some(());
            } else if line.starts_with("* slow: ") {
                return None;
            }
        }
    });
    is_gone.expect("who stalls is let go");
    let seen = Seen::all(&mut room.slow);
    assert!(seen.last.starts_with("! too-slow "), "{}", seen.last);
    // On a slow machine it is let go before the last line is said.
    assert!(seen.dropped > 0 && seen.accounted() <= room.said, "{seen:?}");
    assert!(!room.slow.was_reset(), "it ends as every connection does");
}

#[test]
fn a_stop_waits_for_a_slow_reader_who_reads() {
    let mut room = Room::open("--drain-timeout 30s");
    room.say(120);
    room.server.stop();
    let seen = Seen::all(&mut room.slow);
    assert!(seen.last.starts_with("* bye, slow: "), "{}", seen.last);
    assert_eq!(seen.accounted(), room.said);
    drop((room.speaker, room.prompt, room.slow));
    assert_eq!(room.server.wait().code(), Some(0));
}

#[test]
fn a_stop_does_not_wait_for_who_never_reads() {
    let mut room = Room::open("--drain-timeout 500ms");
    room.say(120);
    room.server.stop();
    assert_eq!(room.server.wait().code(), Some(0));
}

#[test]
fn whoever_asks_without_end_keeps_nobody_from_talking() {
    let server = ServerProcess::start(&flags("--pace off"));
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    let address = server.address();
    // Asks for the longest answer, and reads all of it, until the connection is cut.
    let flood = std::net::TcpStream::connect(address).unwrap();
    let (mut asks, mut reads) = (flood.try_clone().unwrap(), flood.try_clone().unwrap());
    let asking = std::thread::spawn(move || {
        let questions = "/help\n".repeat(1000);
        while asks.write_all(questions.as_bytes()).is_ok() {}
    });
    let reading = std::thread::spawn(move || std::io::copy(&mut reads, &mut std::io::sink()));
    for n in 0..20 {
        alice.send_line(&format!("@bob ping {n}"));
        assert_eq!(bob.line_that_starts("@"), format!("@alice: ping {n}"));
    }
    flood.shutdown(std::net::Shutdown::Both).unwrap();
    asking.join().unwrap();
    let _ = reading.join();
}
