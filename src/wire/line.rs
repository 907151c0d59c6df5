//! Bytes in, lines out: the line buffer of one connection, with telnet's commands taken out.
//!
//! Promises: however the bytes are cut, the same items come out in the same order; a line that lies
//! whole in the input is borrowed, not copied; no more than the limit and one byte is kept; between
//! lines nothing is kept on the heap (but telnet's state, once there is any). Deliberately the
//! bytes of a line are not judged: `clean` makes text of them.
//!
//! A line ends with LF, CR LF or CR NUL (RFC 854). A lone CR or NUL ends nothing and stays in it.

use std::borrow::Cow;

use memchr::memchr3;

use super::telnet::{IAC, Step, Telnet};

const NUL: u8 = 0x00;
const BACKSPACE: u8 = 0x08;
/// What a terminal sends to erase all before the cursor (Ctrl-U).
const ERASE: u8 = 0x15;
const LF: u8 = b'\n';
const CR: u8 = b'\r';

/// What the bytes of a connection amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item<'i> {
    /// A line.
    Line {
        /// Its bytes, without its end: borrowed from the input where it lies whole in there.
        bytes: Cow<'i, [u8]>,
        /// Whether it ended with CR LF or CR NUL.
        crlf: bool,
    },
    /// A line is longer than the limit. Told once, as soon as it is known; the rest is skipped.
    TooLong,
    /// Send this: telnet's refusal of an option.
    Reply([u8; 3]),
    /// Telnet asks for a sign of life.
    AreYouThere,
    /// Telnet's Ctrl-C. The unfinished line is dropped already.
    Interrupt,
    /// Telnet says that no more will come. The unfinished line waits for [`LineBuffer::finish`].
    EndOfInput,
    /// What telnet tells of the peer's terminal.
    Terminal(Tells),
}

/// What telnet tells of the peer's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tells {
    /// It sends each key from now on, as it was asked to; or will not.
    SendsKeys(bool),
    /// It can be asked for its name.
    HasType,
    /// Whether it can do nothing but print.
    IsDumb(bool),
    /// It has that many columns and rows.
    Size(u16, u16),
}

/// What the bytes of a peer amount to that sends each key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys<'i> {
    /// Bytes that the terminal has sent.
    Bytes(&'i [u8]),
    /// The same, where telnet has doubled one.
    Byte(u8),
    /// Telnet's: never a line, nor too long.
    Item(Item<'i>),
}

/// The line that has not ended yet.
#[derive(Debug)]
enum Partial {
    /// At most the limit, or one byte more if the last one is a CR, which may belong to the end.
    Kept(Vec<u8>),
    /// It is too long; of its bytes only this is remembered.
    Skipped { after_cr: bool },
}

impl Partial {
    fn ends_with_cr(&self) -> bool {
        match self {
            Partial::Kept(bytes) => bytes.last() == Some(&CR),
            Partial::Skipped { after_cr } => *after_cr,
        }
    }
}

/// The line buffer of one connection. Every connection has one, so it is small between lines.
#[derive(Debug, Default)]
pub struct LineBuffer {
    /// There while a line is unfinished.
    partial: Option<Box<Partial>>,
    /// There from the first IAC on: most peers never send one.
    telnet: Option<Box<Telnet>>,
}

impl LineBuffer {
    /// Takes bytes from the front of `input` until they amount to an item. `None` when all are used
    /// up; what they began is kept. A line may have `bytes_max` bytes without its end; with `None`
    /// any number.
    pub fn next<'i>(&mut self, input: &mut &'i [u8], bytes_max: Option<usize>) -> Option<Item<'i>> {
        while let Some((&first, rest)) = input.split_first() {
            let is_plain = first != IAC && self.telnet.as_ref().is_none_or(|t| t.is_idle());
            let item = if is_plain {
                let (piece, rest, ends) = self.split(input);
                *input = rest;
                match ends {
                    true => self.finish_line(piece, bytes_max),
                    false => self.keep(piece, bytes_max),
                }
            } else {
                *input = rest;
                self.step(first, bytes_max)
            };
            if item.is_some() {
                return item;
            }
        }
        None
    }

    /// Drops from the front of `input` what belongs to a line that is too long already, its end
    /// included.
    pub fn skip(&mut self, input: &mut &[u8]) {
        while let Some(Partial::Skipped { .. }) = self.partial.as_deref()
            && input.first().is_some_and(|first| *first != IAC)
            && self.telnet.as_ref().is_none_or(|telnet| telnet.is_idle())
        {
            let (piece, rest, ends) = self.split(input);
            *input = rest;
            let item = match ends {
                true => self.finish_line(piece, None),
                false => self.keep(piece, None),
            };
            debug_assert!(item.is_none(), "it was refused when it became too long");
        }
    }

    /// The last line, if the input ended without a line end: not if it was too long or empty.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let Partial::Kept(mut bytes) = *self.partial.take()? else { return None };
        bytes.pop_if(|last| *last == CR);
        (!bytes.is_empty()).then_some(bytes)
    }

    /// What there is of the unfinished line; empty if it is too long.
    pub fn first_bytes(&self) -> &[u8] {
        match self.partial.as_deref() {
            Some(Partial::Kept(bytes)) => bytes,
            Some(Partial::Skipped { .. }) | None => &[],
        }
    }

    /// Whether the peer has ever sent an IAC.
    pub fn has_spoken_telnet(&self) -> bool {
        self.telnet.is_some()
    }

    /// The peer is asked not to show what is typed, and will answer.
    pub fn offer_echo(&mut self) {
        self.telnet.get_or_insert_default().offer_echo();
    }

    /// The peer is asked to send each key, and will answer.
    pub fn offer_terminal(&mut self) {
        self.telnet.get_or_insert_default().offer_terminal();
    }

    /// The peer is told to send lines again.
    pub fn take_back_terminal(&mut self) {
        if let Some(telnet) = &mut self.telnet {
            telnet.take_back_terminal();
        }
    }

    /// Takes bytes from the front of `input` without looking for lines, for a peer that sends each
    /// key: up to telnet's next command. `None` when all are used up.
    pub fn next_keys<'i>(&mut self, input: &mut &'i [u8]) -> Option<Keys<'i>> {
        while let Some((&first, rest)) = input.split_first() {
            if first != IAC && self.telnet.as_ref().is_none_or(|telnet| telnet.is_idle()) {
                let end = memchr::memchr(IAC, input).unwrap_or(input.len());
                let (bytes, rest) = input.split_at(end);
                *input = rest;
                return Some(Keys::Bytes(bytes));
            }
            *input = rest;
            match self.telnet.get_or_insert_default().step(first) {
                Step::Data(byte) => return Some(Keys::Byte(byte)),
                Step::EraseChar => return Some(Keys::Byte(BACKSPACE)),
                Step::EraseLine => return Some(Keys::Byte(ERASE)),
                step => {
                    if let Some(item) = item_of(step) {
                        return Some(Keys::Item(item));
                    }
                }
            }
        }
        None
    }

    /// Cuts plain data off `input`: up to a line end (the last byte of which is consumed too), an
    /// IAC, or the end of the input. And whether it was a line end.
    fn split<'i>(&self, input: &'i [u8]) -> (&'i [u8], &'i [u8], bool) {
        let mut from = 0;
        while let Some(found) = memchr3(LF, NUL, IAC, &input[from..]) {
            let at = from + found;
            let is_after_cr = match at {
                0 => self.partial.as_ref().is_some_and(|partial| partial.ends_with_cr()),
                _ => input[at - 1] == CR,
            };
            match input[at] {
                IAC => return (&input[..at], &input[at..], false),
                NUL if !is_after_cr => from = at + 1,
                _ => return (&input[..at], &input[at + 1..], true),
            }
        }
        (input, &[], false)
    }

    /// Adds `piece` to the unfinished line.
    fn keep<'i>(&mut self, piece: &[u8], bytes_max: Option<usize>) -> Option<Item<'i>> {
        let after_cr = piece.last() == Some(&CR);
        let partial = self.partial.get_or_insert_with(|| Box::new(Partial::Kept(Vec::new())));
        match &mut **partial {
            Partial::Skipped { after_cr: known } => {
                *known = after_cr;
                None
            }
            Partial::Kept(kept) if exceeds(bytes_max, kept, piece) => {
                **partial = Partial::Skipped { after_cr };
                Some(Item::TooLong)
            }
            Partial::Kept(kept) => {
                kept.extend_from_slice(piece);
                None
            }
        }
    }

    /// Ends the line with `piece`, which may end with the CR of its end.
    fn finish_line<'i>(&mut self, piece: &'i [u8], bytes_max: Option<usize>) -> Option<Item<'i>> {
        let mut kept = match self.partial.take().map(|partial| *partial) {
            Some(Partial::Skipped { .. }) => return None,
            Some(Partial::Kept(kept)) => kept,
            None => Vec::new(),
        };
        if exceeds(bytes_max, &kept, piece) {
            return Some(Item::TooLong);
        }
        if kept.is_empty() {
            let without_cr = piece.strip_suffix(&[CR]);
            let bytes = Cow::Borrowed(without_cr.unwrap_or(piece));
            return Some(Item::Line { bytes, crlf: without_cr.is_some() });
        }
        kept.extend_from_slice(piece);
        let crlf = kept.pop_if(|last| *last == CR).is_some();
        Some(Item::Line { bytes: Cow::Owned(kept), crlf })
    }

    /// Gives telnet a byte.
    fn step<'i>(&mut self, byte: u8, bytes_max: Option<usize>) -> Option<Item<'i>> {
        match self.telnet.get_or_insert_default().step(byte) {
            Step::Nothing => None,
            Step::Data(byte) => self.keep(&[byte], bytes_max),
            Step::EraseChar => self.keep(&[BACKSPACE], bytes_max),
            Step::EraseLine => {
                self.partial = None;
                None
            }
            step => {
                if step == Step::Interrupt {
                    self.partial = None;
                }
                item_of(step)
            }
        }
    }
}

/// What telnet says beside the text.
fn item_of<'i>(step: Step) -> Option<Item<'i>> {
    Some(match step {
        Step::Nothing | Step::Data(_) | Step::EraseChar | Step::EraseLine => return None,
        Step::Interrupt => Item::Interrupt,
        Step::Reply(bytes) => Item::Reply(bytes),
        Step::AreYouThere => Item::AreYouThere,
        Step::EndOfInput => Item::EndOfInput,
        Step::SendsKeys(is_so) => Item::Terminal(Tells::SendsKeys(is_so)),
        Step::HasType => Item::Terminal(Tells::HasType),
        Step::IsDumb(is_so) => Item::Terminal(Tells::IsDumb(is_so)),
        Step::Size(columns, rows) => Item::Terminal(Tells::Size(columns, rows)),
    })
}

/// Whether `kept` and `piece` are too long for one line. A CR at their end does not count: it may
/// belong to the line end.
fn exceeds(line_bytes_max: Option<usize>, kept: &[u8], piece: &[u8]) -> bool {
    let ends_with_cr = piece.last().or(kept.last()) == Some(&CR);
    let len = kept.len() + piece.len() - usize::from(ends_with_cr);
    line_bytes_max.is_some_and(|max| len > max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MAX: usize = 8;

    /// All items of the chunks, the last unfinished line included, in short: a line as a string,
    /// with `~` behind it after CR LF, the others by their names.
    fn items_of(chunks: &[&[u8]]) -> String {
        let mut buffer = LineBuffer::default();
        let mut items = Vec::new();
        for chunk in chunks {
            let mut input = *chunk;
            while let Some(item) = buffer.next(&mut input, Some(MAX)) {
                items.push(shown(&item));
            }
            assert!(input.is_empty());
            assert!(buffer.first_bytes().len() <= MAX + 1);
        }
        let last = buffer.finish();
        items.extend(last.map(|bytes| format!("'{}'", bytes.escape_ascii())));
        assert_eq!(heap_bytes(&buffer), 0);
        items.join(" ")
    }

    fn shown(item: &Item<'_>) -> String {
        match item {
            Item::Line { bytes, crlf } => {
                assert!(bytes.len() <= MAX && !bytes.contains(&LF));
                let end = if *crlf { "~" } else { "" };
                format!("'{}'{end}", bytes.escape_ascii())
            }
            Item::Reply([_, verb, option]) => format!("Reply({verb},{option})"),
            other => format!("{other:?}"),
        }
    }

    fn heap_bytes(buffer: &LineBuffer) -> usize {
        match buffer.partial.as_deref() {
            Some(Partial::Kept(bytes)) => size_of::<Partial>() + bytes.capacity(),
            Some(Partial::Skipped { .. }) => size_of::<Partial>(),
            None => 0,
        }
    }

    /// Whole, byte by byte, and cut in two at every place, it amounts to the same.
    fn assert_items(bytes: &[u8], expected: &str) {
        assert_eq!(items_of(&[bytes]), expected, "{bytes:?}");
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(items_of(&single), expected, "{bytes:?} byte by byte");
        for at in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(items_of(&[head, tail]), expected, "{head:?} {tail:?}");
        }
    }

    #[test]
    fn lines_end_with_lf_cr_lf_and_cr_nul() {
        assert_items(b"a\nb\r\nc\r\0d\n", "'a' 'b'~ 'c'~ 'd'");
        assert_items(b"\n\r\n\r\0", "'' ''~ ''~");
        assert_items(b"a\rb\0c\n", r"'a\rb\x00c'");
        assert_items(b"a\r\r\n\0\n", r"'a\r'~ '\x00'");
    }

    #[test]
    fn the_last_line_needs_no_end() {
        assert_items(b"a\nb", "'a' 'b'");
        assert_items(b"b\r", "'b'");
        assert_items(b"\r", "");
        assert_items(b"", "");
        assert_items(b"12345678\r", "'12345678'");
        assert_items(b"123456789", "TooLong");
    }

    #[test]
    fn a_longer_line_is_told_once_and_skipped() {
        assert_items(b"12345678\n", "'12345678'");
        assert_items(b"12345678\r\n", "'12345678'~");
        assert_items(b"12345678\r\0", "'12345678'~");
        assert_items(b"123456789\na\n", "TooLong 'a'");
        assert_items(b"123456789abcdefghijkl\r\na\n", "TooLong 'a'");
        assert_items(b"123456789\0abcd\r\0a\n", "TooLong 'a'");
        assert_items(b"12345678\rx\na\n", "TooLong 'a'");
        assert_items(b"12345678\r\r\na\n", "TooLong 'a'");
    }

    #[test]
    fn it_is_told_as_soon_as_it_is_known() {
        let mut buffer = LineBuffer::default();
        assert_eq!(buffer.next(&mut &b"12345678"[..], Some(MAX)), None);
        assert_eq!(buffer.next(&mut &b"9"[..], Some(MAX)), Some(Item::TooLong));
        assert_eq!(heap_bytes(&buffer), size_of::<Partial>());
    }

    #[test]
    fn without_a_limit_all_passes() {
        let long = [&vec![b'x'; 100_000][..], b"\n"].concat();
        let item = LineBuffer::default().next(&mut &long[..], None);
        assert!(matches!(item, Some(Item::Line { bytes, .. }) if bytes.len() == 100_000));
    }

    #[test]
    fn a_whole_line_is_borrowed_and_a_kept_one_given_away() {
        let is_borrowed = |item| match item {
            Some(Item::Line { bytes, .. }) => matches!(bytes, Cow::Borrowed(_)),
            other => panic!("{other:?}"),
        };
        let mut buffer = LineBuffer::default();
        let mut input = &b"a\r\nb\nc"[..];
        assert!(is_borrowed(buffer.next(&mut input, Some(MAX))));
        assert!(is_borrowed(buffer.next(&mut input, Some(MAX))));
        assert_eq!(buffer.next(&mut input, Some(MAX)), None);
        assert_eq!(buffer.first_bytes(), b"c");
        assert!(!is_borrowed(buffer.next(&mut &b"d\n"[..], Some(MAX))));
        assert_eq!(heap_bytes(&buffer), 0);
        assert!(!buffer.has_spoken_telnet());
        assert_eq!(buffer.next(&mut &[IAC][..], Some(MAX)), None);
        assert!(buffer.has_spoken_telnet());
    }

    #[test]
    fn commands_stand_between_the_bytes_of_a_line() {
        assert_items(b"a\xFF\xF1b\r\xFF\xF1\n", "'ab'~");
        assert_items(b"a\xFF\xFFb\n", r"'a\xffb'");
        assert_items(b"a\xFF\xFA\x18\0\n\xFF\xFF\r\n\xFF\xF0b\n", "'ab'");
        assert_items(b"ab\xFF\xF7c\n", r"'ab\x08c'");
        assert_items(b"ab\xFF\xF8c\n", "'c'");
        assert_items(b"a\xFF\xFD\x01b\n\xFF\xFD\x01", "Reply(252,1) 'ab'");
        assert_items(b"a\xFF\xF6b\n", "AreYouThere 'ab'");
        assert_items(b"a\n\xFF\xEC", "'a' EndOfInput");
        assert_items(b"ab\xFF\xEC", "EndOfInput 'ab'");
    }

    #[test]
    fn interrupt_and_erase_line_drop_the_half_line() {
        assert_items(b"ab\xFF\xF4\xFF\xFD\x06c\n", "Interrupt Reply(252,6) 'c'");
        assert_items(b"123456789\xFF\xF8c\n", "TooLong 'c'");
        assert_items(b"123456789\xFF\xF4c\n", "TooLong Interrupt 'c'");
        assert_items(b"ab\r\xFF\xF8\n", "''");
    }

    #[test]
    fn what_is_left_of_a_line_that_is_too_long_is_dropped_up_to_its_end() {
        let mut buffer = LineBuffer::default();
        let left = |buffer: &mut LineBuffer, mut input: &'static [u8]| {
            buffer.skip(&mut input);
            input
        };
        assert_eq!(left(&mut buffer, b"abc"), b"abc", "nothing is too long yet");
        assert_eq!(buffer.next(&mut &b"123456789"[..], Some(MAX)), Some(Item::TooLong));
        assert_eq!(left(&mut buffer, b"abc"), b"");
        assert_eq!(left(&mut buffer, b"d\xFF\xF6e"), b"\xFF\xF6e", "this is telnet's");
        assert_eq!(left(&mut buffer, b"e\r"), b"");
        assert_eq!(left(&mut buffer, b"\na\n"), b"a\n");
        assert_eq!(left(&mut buffer, b"a\n"), b"a\n");
    }

    #[test]
    fn commands_do_not_end_the_skipping() {
        let skipped = b"123456789\xFF\xF6more\xFF\xFF\r\xFF\xF1\0a\n";
        assert_items(skipped, "TooLong AreYouThere 'a'");
        assert_items(b"12345678\r\xFF\xF6\r\na", "AreYouThere TooLong 'a'");
    }

    /// Bytes among which line ends, commands and long runs of text are frequent.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let special = b"\n\r\0\xFF\xFF\xEC\xF0\xF4\xF6\xF7\xF8\xFA\xFB\xFD\x06";
        let piece = prop_oneof![
            3 => proptest::sample::select(special.to_vec()).prop_map(|byte| vec![byte]),
            2 => any::<u8>().prop_map(|byte| vec![byte]),
            1 => (b'a'..=b'z', 1..12usize).prop_map(|(byte, len)| vec![byte; len]),
        ];
        proptest::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1_000))]

        #[test]
        fn any_chunking_gives_the_same_items(bytes in bytes(), len in 1..20usize) {
            let whole = items_of(&[&bytes]);
            prop_assert_eq!(&items_of(&bytes.chunks(1).collect::<Vec<_>>()), &whole);
            prop_assert_eq!(&items_of(&bytes.chunks(len).collect::<Vec<_>>()), &whole);
        }

        #[test]
        fn short_lines_come_back_in_order(
            lines in proptest::collection::vec("[a-z]{0,8}", 0..20),
            (end, mark) in proptest::sample::select(vec![("\n", ""), ("\r\n", "~"), ("\r\0", "~")]),
        ) {
            let bytes: String = lines.iter().map(|line| format!("{line}{end}")).collect();
            let items: Vec<String> = lines.iter().map(|line| format!("'{line}'{mark}")).collect();
            prop_assert_eq!(items_of(&[bytes.as_bytes()]), items.join(" "));
        }
    }
}
