//! The line buffer: however the bytes are cut, the same items; and those that a plain reading of
//! the bytes gives.

use chatline::wire::line::{Item, LineBuffer};
use chatline::wire::telnet::IAC;

use super::bytes::{Bytes, chunks};

const LIMITS: [Option<usize>; 4] = [Some(8), Some(1), Some(64), None];
/// So many lengths of chunks are drawn at most.
const LENGTHS_MAX: usize = 8;

/// A limit, the lengths of the chunks, and the stream.
pub fn run(data: &[u8]) {
    let mut data = Bytes::new(data);
    let bytes_max = LIMITS[data.below(LIMITS.len())];
    let count = data.below(LENGTHS_MAX + 1);
    let lengths = data.take(count);
    let stream = data.rest();
    let whole = items(std::iter::once(stream), bytes_max);
    assert_eq!(items(chunks(stream, lengths), bytes_max), whole, "cut as {lengths:?}");
    assert_eq!(items(stream.chunks(1), bytes_max), whole, "byte by byte");
    let mut doubled = Vec::new();
    for byte in stream {
        doubled.extend(std::iter::repeat_n(*byte, if *byte == IAC { 2 } else { 1 }));
    }
    let read = items(chunks(&doubled, lengths), bytes_max);
    assert_eq!(read, read_plainly(stream, bytes_max), "without telnet");
}

/// Each item as text, the last unfinished line included.
fn items<'d>(chunks: impl Iterator<Item = &'d [u8]>, bytes_max: Option<usize>) -> Vec<String> {
    let mut buffer = LineBuffer::default();
    let mut items = Vec::new();
    for mut input in chunks {
        while let Some(item) = buffer.next(&mut input, bytes_max) {
            if let Item::Line { bytes, .. } = &item {
                assert!(!bytes.contains(&b'\n'), "a line has no end in it");
                assert!(bytes_max.is_none_or(|most| bytes.len() <= most), "a line is too long");
            }
            items.push(format!("{item:?}"));
        }
        assert!(input.is_empty(), "all is used up");
        let kept = buffer.first_bytes().len();
        assert!(bytes_max.is_none_or(|most| kept <= most + 1), "{kept} bytes are kept");
    }
    items.extend(buffer.finish().map(|bytes| format!("last {bytes:?}")));
    items
}

/// The items of a stream that has no telnet in it.
fn read_plainly(stream: &[u8], bytes_max: Option<usize>) -> Vec<String> {
    let is_long = |line: &[u8]| bytes_max.is_some_and(|most| line.len() > most);
    let mut items = Vec::new();
    let mut line = Vec::new();
    for byte in stream {
        let is_end = *byte == b'\n' || *byte == 0 && line.last() == Some(&b'\r');
        if !is_end {
            line.push(*byte);
            continue;
        }
        let crlf = line.pop_if(|last| *last == b'\r').is_some();
        items.push(match is_long(&line) {
            true => format!("{:?}", Item::TooLong),
            false => format!("{:?}", Item::Line { bytes: line.as_slice().into(), crlf }),
        });
        line.clear();
    }
    line.pop_if(|last| *last == b'\r');
    match is_long(&line) {
        true => items.push(format!("{:?}", Item::TooLong)),
        false if line.is_empty() => {}
        false => items.push(format!("last {line:?}")),
    }
    items
}
