//! Telnet's commands among the bytes: it answers only what it was asked, each option once, never
//! for ever; whatever it is offered, keys come through however the bytes are cut.

use chatline::wire::line::{Keys, LineBuffer};
use chatline::wire::telnet::{IAC, Step, Telnet};

use super::bytes::{Bytes, chunks};

const DONT: u8 = 254;
const DO: u8 = 253;
const WONT: u8 = 252;
const WILL: u8 = 251;
const TIMING_MARK: u8 = 6;

/// What is offered when, and the stream.
pub fn run(data: &[u8]) {
    let mut data = Bytes::new(data);
    let offers = [data.next(), data.next(), data.next()];
    let stream = data.rest();
    one_end(stream, offers);
    two_ends(stream);
    let whole = keys(std::iter::once(stream), offers);
    let lengths = &offers[..];
    assert_eq!(keys(chunks(stream, lengths), offers), whole, "cut as {lengths:?}");
    assert_eq!(keys(stream.chunks(1), offers), whole, "byte by byte");
}

/// One end: each reply answers the two bytes before it, and none twice.
fn one_end(stream: &[u8], offers: [u8; 3]) {
    let mut telnet = Telnet::default();
    let mut replies = Vec::new();
    for (at, byte) in stream.iter().enumerate() {
        match offers.iter().position(|offer| usize::from(*offer) == at) {
            Some(0) => telnet.offer_echo(),
            Some(1) => telnet.offer_terminal(),
            Some(_) => telnet.take_back_terminal(),
            None => {}
        }
        let was_idle = telnet.is_idle();
        match telnet.step(*byte) {
            Step::Data(data) => {
                // Doubled in an unfinished subnegotiation it is data of that, and no text.
                assert!(data == *byte && (was_idle && data != IAC || !was_idle && data == IAC));
            }
            Step::Reply([iac, verb, option]) => {
                let asked = [stream[at - 1], *byte];
                assert_eq!(iac, IAC);
                assert!(
                    [[DO, option], [WILL, option]].contains(&asked),
                    "{asked:?} is no question"
                );
                assert_eq!(verb, if asked[0] == DO { WONT } else { DONT });
                let is_first = !replies.contains(&(verb, option));
                assert!(is_first || verb == WONT && option == TIMING_MARK, "{option} again");
                replies.push((verb, option));
            }
            _ => {}
        }
    }
}

/// Two ends that answer each other fall silent at once.
fn two_ends(stream: &[u8]) {
    let mut ends = [Telnet::default(), Telnet::default()];
    let mut under_way = stream.to_vec();
    for turn in 0..3 {
        let mut answers = Vec::new();
        for byte in under_way {
            if let Step::Reply(reply) = ends[turn % 2].step(byte) {
                answers.extend(reply);
            }
        }
        under_way = answers;
    }
    assert_eq!(under_way, [0; 0], "they go on and on");
}

/// What comes through of a peer that sends each key: the bytes between two items put together.
fn keys<'d>(chunks: impl Iterator<Item = &'d [u8]>, offers: [u8; 3]) -> Vec<String> {
    let mut buffer = LineBuffer::default();
    if offers[0].is_multiple_of(2) {
        buffer.offer_terminal();
    }
    let mut seen = Vec::new();
    let mut typed = Vec::new();
    for mut input in chunks {
        while let Some(keys) = buffer.next_keys(&mut input) {
            match keys {
                Keys::Bytes(bytes) => typed.extend_from_slice(bytes),
                Keys::Byte(byte) => typed.push(byte),
                Keys::Item(item) => {
                    seen.push(format!("{:?} {item:?}", std::mem::take(&mut typed)));
                }
            }
        }
        assert!(input.is_empty(), "all is used up");
    }
    seen.push(format!("{typed:?}"));
    seen
}
