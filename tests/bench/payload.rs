//! What is said: 64 bytes that tell when they were due, so that whoever hears them knows how long
//! they took.
//!
//! A payload is [`MARK`], 16 hex digits of nanoseconds since the driver's epoch, a blank, and
//! letters (or a number and letters). Promises: the mark stands in it once, and in no dialect.

/// The byte that stands once in each payload and nowhere else.
pub const MARK: u8 = b'~';

/// How many bytes behind the mark tell the time.
pub const DIGITS: usize = 16;

const TEMPLATE: [u8; 64] = *b"~0000000000000000 abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrst";

/// A payload that is to be sent now and again.
pub struct Payload([u8; TEMPLATE.len()]);

impl Payload {
    /// One that is due at 0.
    pub fn new() -> Payload {
        Payload(TEMPLATE)
    }

    /// The bytes of the payload of a line that is due at `due`, in nanoseconds.
    pub fn due(&mut self, due: u64) -> &[u8] {
        for (index, place) in self.0[1..=DIGITS].iter_mut().enumerate() {
            let digit = (due >> (4 * (DIGITS - 1 - index))) & 15;
            *place = b"0123456789abcdef"[digit as usize];
        }
        &self.0
    }

    /// The same, with a number of eight digits in place of the first letters.
    pub fn numbered(&mut self, due: u64, number: usize) -> &[u8] {
        let mut rest = number;
        for place in self.0[DIGITS + 2..DIGITS + 10].iter_mut().rev() {
            *place = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        self.due(due)
    }
}

/// When the line was due whose digits these are.
pub fn due(digits: &[u8]) -> u64 {
    digits.iter().fold(0, |sum, &digit| {
        let value = if digit <= b'9' { digit - b'0' } else { digit - b'a' + 10 };
        sum << 4 | u64::from(value & 15)
    })
}

/// How many numbered payloads stand in these bytes before one is missing, damaged or out of order.
pub fn whole_and_in_order(bytes: &[u8]) -> usize {
    let mut wanted = Payload::new();
    let marks = memchr::memchr_iter(MARK, bytes).enumerate();
    let mut is_wanted = |number, at: usize| {
        let Some(payload) = bytes.get(at..at + TEMPLATE.len()) else { return false };
        let is_ended = matches!(bytes.get(at + TEMPLATE.len()), Some(b'\r' | b'\n'));
        payload == wanted.numbered(due(&payload[1..=DIGITS]), number) && is_ended
    };
    marks.take_while(|&(number, at)| is_wanted(number, at)).count()
}
