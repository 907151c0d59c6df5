//! What terminals and programs send, whole and in pieces: keys, pastes, telnet, requests, blocks.
//!
//! Nobody knows what all of it means; it must do no harm. Deliberately asks for nothing that a
//! store would have to look up.

use crate::world::rng::Rng;

/// What makes a connection one of another kind, or changes how it is served.
const WISHES: [&[u8]; 19] = [
    b"/tty\n",
    b"/tty\r",
    b"/tty off\r",
    b"/telnet\r\n",
    b"/plain on\n",
    b"/plain off\r",
    b"/color on\n",
    b"/color dark\r",
    b"/color light\n",
    b"/color off\r",
    b"/bell on\r",
    b"/typing on\r",
    b"/typing on\n",
    b"/typing off\n",
    b"/emoji off\r",
    b"/ack on\n",
    b"/ack off\r",
    b"/time +05:30\r",
    b"/paste\r",
];

/// Keys, and sequences that are none.
const KEYS: [&[u8]; 40] = [
    b"\x1b[A",
    b"\x1b[B",
    b"\x1b[C",
    b"\x1b[D",
    b"\x1bOH",
    b"\x1b[4~",
    b"\x1b[3~",
    b"\x1b[1;5C",
    b"\x1b[1;3D",
    b"\x1bb",
    b"\x1bf",
    b"\x1bd",
    b"\x1b\x7f",
    b"\x1b\r",
    b"\x01",
    b"\x05",
    b"\x15",
    b"\x0b",
    b"\x17",
    b"\x19",
    b"\x0c",
    b"\x12",
    b"\x07",
    b"\x03",
    b"\t",
    b"\t\t",
    b"\x7f",
    b"\x08\x08\x08",
    b"\r",
    b"\r\n",
    b"\n",
    b"\x1b",
    b"\x1b[",
    b"\x1b]0;title",
    b"\x1bP1$r",
    b"\x1b[<0;1;1M",
    b"\x1b[24;80R",
    b"\x1b[1;1R",
    b"\x1b[0;0R",
    b"\x1b[99999;65535R",
];

/// What a telnet client answers and tells.
const TELNET: [&[u8]; 14] = [
    b"\xff\xfd\x01",
    b"\xff\xfd\x03",
    b"\xff\xfe\x01",
    b"\xff\xfe\x03",
    b"\xff\xfb\x18",
    b"\xff\xfb\x1f",
    b"\xff\xfc\x1f",
    b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0",
    b"\xff\xfa\x1f\x00\x00\x00\x00\xff\xf0",
    b"\xff\xfa\x1f\xff\xff\xff\xff\xff\xff\x00\x01\xff\xf0",
    b"\xff\xfa\x18\x00xterm\xff\xf0",
    b"\xff\xfa\x18\x00dumb\xff\xf0",
    b"\xff\xf4",
    b"\xff\xf6",
];

/// Text of which a terminal must know how wide it is.
const WIDE: [&str; 7] =
    ["日本語", "e\u{301}\u{302}", "👩\u{200d}👩\u{200d}👧", "🇩🇪🇫🇷", "\u{202e}x", "ä", ":wave: "];

/// What a terminal sends; `text` is what somebody types there.
pub fn of_terminal(rng: &mut Rng, text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for _ in 0..1 + rng.below(6) {
        match rng.below(20) {
            0..6 => bytes.extend_from_slice(text.as_bytes()),
            6..8 => bytes.extend(text.bytes().take(rng.below(text.len() + 1))),
            8..14 => bytes.extend(*rng.pick(&KEYS)),
            14 => bytes.extend_from_slice(rng.pick(&WIDE).as_bytes()),
            15 => bytes.extend(*rng.pick(&TELNET)),
            16 => bytes.extend(*rng.pick(&WISHES)),
            17 | 18 => paste(rng, text, &mut bytes),
            _ => bytes.push(rng.next() as u8),
        }
    }
    if rng.one_in(2) {
        bytes.push(b'\r');
    }
    bytes
}

/// What begins a terminal.
pub fn terminal_begins(rng: &mut Rng) -> Vec<u8> {
    match rng.below(3) {
        // The client agrees before it can know what is asked.
        0 => b"/telnet\r\n\xff\xfd\x01\xff\xfd\x03\xff\xfb\x1f\xff\xfa\x1f\0\x28\0\x0a\xff\xf0"
            .to_vec(),
        1 => b"/typing on\n/tty\n\x1b[10;20R".to_vec(),
        _ => b"/tty\n".to_vec(),
    }
}

/// Lines that are pasted together, of which the end may lack.
fn paste(rng: &mut Rng, text: &str, bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(b"\x1b[200~");
    for _ in 0..*rng.pick(&[0, 1, 2, 5, 12]) {
        bytes.extend_from_slice(text.as_bytes());
        bytes.extend(*rng.pick(&[&b"\r"[..], b"\n", b"\r\n"]));
    }
    if !rng.one_in(5) {
        bytes.extend_from_slice(b"\x1b[201~");
        bytes.extend(*rng.pick(&[&b"\r"[..], b"y", b"n", b"\x03", b""]));
    }
}

/// Many lines as one request, of which the size is told before; it may be told wrong.
pub fn sized(rng: &mut Rng, text: &str) -> Vec<u8> {
    let lines = vec![text; *rng.pick(&[1, 2, 7, 300])].join(*rng.pick(&["\n", "\r\n", "\n\n"]));
    let length = match rng.below(8) {
        0 => lines.len() as u64 + 500,
        1 => lines.len() as u64 / 2 + 1,
        2 => *rng.pick(&[1 << 17, 1 << 40, u64::MAX]),
        _ => lines.len() as u64,
    };
    let room = *rng.pick(&["", r#","room":"lobby""#, r#","room":"nowhere""#, r#","room":7"#]);
    format!("{{\"id\":1,\"action\":\"paste\",\"bytes\":{length}{room}}}\n{lines}").into_bytes()
}

/// Bytes without any meaning.
pub fn random(rng: &mut Rng) -> Vec<u8> {
    (0..rng.below(300)).map(|_| rng.next() as u8).collect()
}
