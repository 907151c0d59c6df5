//! Mutations of known inputs, drawn from a seed: bytes flipped, removed, doubled, moved, replaced
//! by what often matters, and two inputs spliced.
//!
//! Promises: never longer than [`BYTES_MAX`]. Deliberately blind: nothing is measured.

use crate::world::rng::Rng;

/// No input is longer.
pub const BYTES_MAX: usize = 4096;

/// What often matters to a server of lines.
const PIECES: [&[u8]; 34] = [
    b"\n",
    b"\r\n",
    b"\r\0",
    b"\r",
    b"\0",
    b"\x1b",
    b"\x1b[",
    b"\x1b]0;x\x07",
    b"\x1b[200~",
    b"\x1b[201~",
    b"\x1b[A",
    b"\x1b[D",
    b"\xff",
    b"\xff\xff",
    b"\xff\xfd\x01",
    b"\xff\xfb\x1f",
    b"\xff\xfa\x1f\x00\x20\x00\x08\xff\xf0",
    b"\xff\xf4",
    b"\xff\xf6",
    b"\xff\xec",
    b"\x08",
    b"\x7f",
    b"\x15",
    b"\t",
    b"/",
    b"#",
    b"@",
    b"\"",
    b"\\u001b",
    "\u{202e}".as_bytes(),
    "\u{301}".as_bytes(),
    "漢".as_bytes(),
    "👨\u{200d}👩\u{200d}👧".as_bytes(),
    b"\xed\xa0\x80",
];

/// One input, a few steps away from a known one.
pub fn drawn(rng: &mut Rng, known: &[Vec<u8>]) -> Vec<u8> {
    let mut data = rng.pick(known).clone();
    for _ in 0..1 + rng.below(8) {
        step(rng, &mut data, known);
    }
    data.truncate(BYTES_MAX);
    data
}

fn step(rng: &mut Rng, data: &mut Vec<u8>, known: &[Vec<u8>]) {
    let at = rng.below(data.len() + 1);
    let end = (at + 1 + rng.below(16)).min(data.len());
    match rng.below(9) {
        0 | 1 => {
            let piece = *rng.pick(&PIECES);
            data.splice(at..at, piece.iter().copied());
        }
        2 => data.insert(at, rng.next() as u8),
        3 if at < data.len() => data[at] = rng.next() as u8,
        4 if at < data.len() => data[at] ^= 1 << rng.below(8),
        5 => {
            data.drain(at..end);
        }
        6 => {
            let piece = data[at..end].to_vec();
            let to = rng.below(data.len() + 1);
            data.splice(to..to, piece);
        }
        7 => data.truncate(at),
        _ => {
            let other = rng.pick(known);
            let from = rng.below(other.len() + 1);
            data.splice(at.., other[from..].iter().copied());
        }
    }
}
