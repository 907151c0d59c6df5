//! Bytes of a terminal become keys.
//!
//! Promises: however the bytes are cut, the same keys come out; a sequence that nobody knows is
//! swallowed whole, one that never ends cannot swallow an Enter or a Ctrl-C; invalid UTF-8 becomes
//! U+FFFD as in `String::from_utf8_lossy`. Deliberately without a clock: an ESC waits for what
//! follows it.

const NUL: u8 = 0x00;
const BACKSPACE: u8 = 0x08;
const LF: u8 = b'\n';
const CR: u8 = b'\r';
const BEL: u8 = 0x07;
const ESC: u8 = 0x1B;
const DEL: u8 = 0x7F;

/// Of the parameters of a sequence so many bytes are looked at.
const PARAMETER_BYTES_MAX: usize = 16;
/// After so many bytes a control string (OSC and the like) is taken to have no end.
const STRING_BYTES_MAX: u16 = 1024;

/// What was pressed, or what the terminal reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A character; no control of ASCII.
    Char(char),
    /// CR, LF, CR LF or CR NUL.
    Enter,
    /// Enter behind an ESC.
    AltEnter,
    /// Ctrl-I.
    Tab,
    /// BS or DEL.
    Backspace,
    /// Removes what is under the cursor.
    Delete,
    /// Ctrl-B, too.
    Left,
    /// Ctrl-F, too.
    Right,
    /// To the beginning of a word.
    WordLeft,
    /// To the end of a word.
    WordRight,
    /// Home.
    Start,
    /// End.
    End,
    /// Ctrl-P, too.
    Up,
    /// Ctrl-N, too.
    Down,
    /// Ctrl-U.
    CutToStart,
    /// Ctrl-K.
    CutToEnd,
    /// Ctrl-W: up to the blank before.
    CutBlankLeft,
    /// Alt-Backspace.
    CutWordLeft,
    /// Alt-d.
    CutWordRight,
    /// Ctrl-Y.
    Yank,
    /// Ctrl-L.
    Clear,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfInput,
    /// Ctrl-R.
    Search,
    /// Ctrl-G.
    Abort,
    /// An ESC that belongs to nothing.
    Escape,
    /// A bracketed paste begins.
    PasteBegin,
    /// A bracketed paste ends.
    PasteEnd,
    /// Where the cursor is, counted from 1.
    Report {
        /// From the top.
        row: u16,
        /// From the left.
        column: u16,
    },
}

/// Where in a sequence the bytes are.
#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Ground,
    /// In a character of several bytes.
    Character {
        bytes: [u8; 4],
        len: u8,
    },
    Escape,
    /// Behind CSI.
    Control(Parameters),
    /// Behind SS3.
    Single,
    /// Behind `CSI [`, as the Linux console begins its function keys.
    Function,
    /// In a control string; so many bytes may still come.
    String {
        left: u16,
    },
}

/// What stands between CSI and the final byte.
#[derive(Clone, Copy, Debug, Default)]
struct Parameters {
    bytes: [u8; PARAMETER_BYTES_MAX],
    len: u8,
    /// There are intermediate bytes or too many parameters: it is none that is known.
    is_strange: bool,
}

impl Parameters {
    fn push(&mut self, byte: u8) {
        match self.bytes.get_mut(usize::from(self.len)) {
            Some(place) if !self.is_strange => {
                *place = byte;
                self.len += 1;
            }
            _ => self.is_strange = true,
        }
    }

    /// The first two numbers, if nothing else stands there than numbers.
    fn numbers(&self) -> Option<(Option<u16>, Option<u16>)> {
        let text = std::str::from_utf8(&self.bytes[..usize::from(self.len)]).ok()?;
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b';');
        if self.is_strange || !is_plain {
            return None;
        }
        let mut numbers = text.split(';').map(|number| number.parse().ok());
        Some((numbers.next().flatten(), numbers.next().flatten()))
    }
}

/// Finds keys in what arrives.
#[derive(Debug, Default)]
pub struct Keys {
    state: State,
    /// The last byte was a CR: an LF or NUL belongs to it.
    is_after_cr: bool,
}

impl Keys {
    /// Takes bytes from the front of `input` until they are a key. `None` when all are used up.
    pub fn next(&mut self, input: &mut &[u8]) -> Option<Key> {
        while let Some((&byte, rest)) = input.split_first() {
            let (is_taken, key) = self.step(byte);
            if is_taken {
                *input = rest;
            } else {
                // What began before is broken off, and the byte is looked at by itself.
                self.state = State::Ground;
            }
            if key.is_some() {
                return key;
            }
        }
        None
    }

    /// Whether the byte belongs to what began before it, and the key that it completes.
    fn step(&mut self, byte: u8) -> (bool, Option<Key>) {
        match self.state {
            State::Ground => (true, self.ground(byte)),
            State::Character { mut bytes, len } => {
                bytes[usize::from(len)] = byte;
                self.character(bytes, len + 1)
            }
            State::Escape => self.escape(byte),
            State::Control(parameters) => self.control(parameters, byte),
            State::Single => match byte {
                b'0'..=b';' => (true, None),
                0x40..=0x7E => self.end(single(byte)),
                _ => (false, None),
            },
            State::Function => match byte {
                0x20..=0x7E => self.end(None),
                _ => (false, None),
            },
            State::String { left } => match byte {
                BEL => self.end(None),
                ESC => self.begin(State::Escape),
                0x00..=0x1F | DEL => (false, None),
                _ if left == 0 => (false, None),
                _ => self.begin(State::String { left: left - 1 }),
            },
        }
    }

    fn begin(&mut self, state: State) -> (bool, Option<Key>) {
        self.state = state;
        (true, None)
    }

    fn end(&mut self, key: Option<Key>) -> (bool, Option<Key>) {
        self.state = State::Ground;
        (true, key)
    }

    fn ground(&mut self, byte: u8) -> Option<Key> {
        let is_after_cr = std::mem::replace(&mut self.is_after_cr, byte == CR);
        Some(match byte {
            0x20..=0x7E => Key::Char(char::from(byte)),
            0x80.. => return self.character([byte, 0, 0, 0], 1).1,
            LF | NUL if is_after_cr => return None,
            CR | LF => Key::Enter,
            ESC => {
                self.state = State::Escape;
                return None;
            }
            BACKSPACE | DEL => Key::Backspace,
            b'\t' => Key::Tab,
            0x01 => Key::Start,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::EndOfInput,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x07 => Key::Abort,
            0x0B => Key::CutToEnd,
            0x0C => Key::Clear,
            0x0E => Key::Down,
            0x10 => Key::Up,
            0x12 => Key::Search,
            0x15 => Key::CutToStart,
            0x17 => Key::CutBlankLeft,
            0x19 => Key::Yank,
            _ => return None,
        })
    }

    /// The first `len` of these bytes are a character, its beginning, or none.
    fn character(&mut self, bytes: [u8; 4], len: u8) -> (bool, Option<Key>) {
        match std::str::from_utf8(&bytes[..usize::from(len)]) {
            Ok(text) => {
                self.state = State::Ground;
                (true, text.chars().next().and_then(|character| self.decoded(character)))
            }
            Err(error) if error.error_len().is_none() => {
                self.begin(State::Character { bytes, len })
            }
            // Of a broken character, the byte that broke it may begin something else.
            Err(_) => {
                self.state = State::Ground;
                (len == 1, Some(Key::Char(char::REPLACEMENT_CHARACTER)))
            }
        }
    }

    /// The controls beyond ASCII begin what ESC and a letter do.
    fn decoded(&mut self, character: char) -> Option<Key> {
        self.state = match character {
            '\u{8F}' => State::Single,
            '\u{9B}' => State::Control(Parameters::default()),
            '\u{90}' | '\u{9D}'..='\u{9F}' => State::String { left: STRING_BYTES_MAX },
            _ => return Some(Key::Char(character)),
        };
        None
    }

    fn escape(&mut self, byte: u8) -> (bool, Option<Key>) {
        match byte {
            b'[' => self.begin(State::Control(Parameters::default())),
            b'O' => self.begin(State::Single),
            b']' | b'P' | b'^' | b'_' => self.begin(State::String { left: STRING_BYTES_MAX }),
            b'\\' => self.end(None),
            b'b' => self.end(Some(Key::WordLeft)),
            b'f' => self.end(Some(Key::WordRight)),
            b'd' => self.end(Some(Key::CutWordRight)),
            BACKSPACE | DEL => self.end(Some(Key::CutWordLeft)),
            CR | LF => {
                self.is_after_cr = byte == CR;
                self.end(Some(Key::AltEnter))
            }
            ESC => (true, Some(Key::Escape)),
            _ => (false, Some(Key::Escape)),
        }
    }

    fn control(&mut self, mut parameters: Parameters, byte: u8) -> (bool, Option<Key>) {
        match byte {
            0x30..=0x3F => parameters.push(byte),
            0x20..=0x2F => parameters.is_strange = true,
            b'[' if parameters.len == 0 => return self.begin(State::Function),
            0x40..=0x7E => return self.end(control(&parameters, byte)),
            _ => return (false, None),
        }
        self.begin(State::Control(parameters))
    }
}

/// The key whose sequence is SS3 and this byte.
fn single(last: u8) -> Option<Key> {
    Some(match last {
        b'A' => Key::Up,
        b'B' => Key::Down,
        b'C' => Key::Right,
        b'D' => Key::Left,
        b'H' => Key::Start,
        b'F' => Key::End,
        b'M' => Key::Enter,
        b'c' => Key::WordRight,
        b'd' => Key::WordLeft,
        _ => return None,
    })
}

/// The key whose sequence is CSI, these parameters and this byte.
fn control(parameters: &Parameters, last: u8) -> Option<Key> {
    let (first, second) = parameters.numbers()?;
    // One more than a sum of 1 for Shift, 2 for Alt, 4 for Ctrl.
    let is_modified = second.is_some_and(|modifiers| modifiers.saturating_sub(1) & 6 != 0);
    Some(match (last, first) {
        (b'A', _) => Key::Up,
        (b'B', _) => Key::Down,
        (b'C', _) if is_modified => Key::WordRight,
        (b'C', _) => Key::Right,
        (b'D', _) if is_modified => Key::WordLeft,
        (b'D', _) => Key::Left,
        (b'H', _) | (b'~', Some(1 | 7)) => Key::Start,
        (b'F', _) | (b'~', Some(4 | 8)) => Key::End,
        (b'~', Some(3)) if is_modified => Key::CutWordRight,
        (b'~', Some(3)) => Key::Delete,
        (b'~', Some(200)) => Key::PasteBegin,
        (b'~', Some(201)) => Key::PasteEnd,
        (b'R', Some(row)) => Key::Report { row, column: second? },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Key::Char;

    fn keys_of<'b>(chunks: impl IntoIterator<Item = &'b [u8]>) -> Vec<Key> {
        let mut keys = Keys::default();
        let mut found = Vec::new();
        for mut chunk in chunks {
            while let Some(key) = keys.next(&mut chunk) {
                found.push(key);
            }
            assert!(chunk.is_empty());
        }
        found
    }

    /// Whole, byte by byte, and cut in two at every place, it amounts to the same.
    fn assert_keys(bytes: &[u8], expected: &[Key]) {
        assert_eq!(keys_of([bytes]), expected, "{}", bytes.escape_ascii());
        assert_eq!(keys_of(bytes.chunks(1)), expected, "{}", bytes.escape_ascii());
        for at in 0..bytes.len() {
            let (head, tail) = bytes.split_at(at);
            assert_eq!(keys_of([head, tail]), expected, "{} at {at}", bytes.escape_ascii());
        }
    }

    #[test]
    fn each_enter_is_one() {
        assert_keys(b"\r\r", &[Key::Enter, Key::Enter]);
        assert_keys(b"\n\n", &[Key::Enter, Key::Enter]);
        assert_keys(b"\r\n\r\n", &[Key::Enter, Key::Enter]);
        assert_keys(b"\r\0\r\0", &[Key::Enter, Key::Enter]);
        assert_keys(b"\n\ra\n\0", &[Key::Enter, Key::Enter, Char('a'), Key::Enter]);
        assert_keys(b"\x1b\r\n\x1b\n\n", &[Key::AltEnter, Key::AltEnter, Key::Enter]);
    }

    #[test]
    fn keys_have_many_forms() {
        for (forms, key) in [
            (&[&b"\x1b[A"[..], b"\x1bOA", b"\x1b[1;2A", b"\x10", b"\xC2\x9BA"][..], Key::Up),
            (&[b"\x1b[B", b"\x1bOB", b"\x0E"], Key::Down),
            (&[b"\x1b[C", b"\x1bOC", b"\x06", b"\x1b[1;2C", b"\xC2\x8FC"], Key::Right),
            (&[b"\x1b[D", b"\x1bOD", b"\x02"], Key::Left),
            (&[b"\x1b[H", b"\x1bOH", b"\x1b[1~", b"\x1b[7~", b"\x01"], Key::Start),
            (&[b"\x1b[F", b"\x1bOF", b"\x1b[4~", b"\x1b[8~", b"\x05"], Key::End),
            (&[b"\x1b[1;5C", b"\x1b[1;3C", b"\x1bf", b"\x1bOc"], Key::WordRight),
            (&[b"\x1b[1;5D", b"\x1b[1;3D", b"\x1bb", b"\x1bOd"], Key::WordLeft),
            (&[b"\x7F", b"\x08"], Key::Backspace),
            (&[b"\x1b[3~"], Key::Delete),
            (&[b"\x1b\x7F", b"\x1b\x08"], Key::CutWordLeft),
            (&[b"\x1bd", b"\x1b[3;5~"], Key::CutWordRight),
            (&[b"\x1b[200~"], Key::PasteBegin),
            (&[b"\x1b[201~"], Key::PasteEnd),
            (&[b"\x1b[24;80R"], Key::Report { row: 24, column: 80 }),
        ] {
            for form in forms {
                assert_keys(form, &[key]);
            }
        }
    }

    #[test]
    fn unknown_sequences_are_swallowed_whole() {
        for sequence in [
            &b"\x1b[31m"[..],
            b"\x1b[?1;2c",
            b"\x1b[<0;10;20M",
            b"\x1b[15~",
            b"\x1b[1;5P",
            b"\x1b[Z",
            b"\x1b[ q",
            b"\x1b[[A",
            b"\x1b[1;2;3;4;5;6;7;8;9;10;11;12H",
            b"\x1bOP",
            b"\x1bO5P",
            b"\x1b]11;rgb:0000/0000/0000\x07",
            b"\x1b]11;rgb:0000/0000/0000\x1b\\",
            b"\x1bP>|term(1)\x1b\\",
            b"\x1b_G\x1b\\",
            b"\xC2\x9B31m",
            b"\xC2\x9D0;x\x07",
            b"\x00\x1C\x1F",
        ] {
            assert_keys(&[b"a", sequence, b"b"].concat(), &[Char('a'), Char('b')]);
        }
    }

    #[test]
    fn what_never_ends_swallows_no_enter_and_no_interrupt() {
        assert_keys(b"\x1b[12\r", &[Key::Enter]);
        assert_keys(b"\x1b]12\r", &[Key::Enter]);
        assert_keys(b"\x1bP12\x03", &[Key::Interrupt]);
        assert_keys(b"\x1bO\r", &[Key::Enter]);
        assert_keys(b"\x1b[12\xC3\xA9", &[Char('é')]);
        assert_keys(b"\x1b[\x1b[A", &[Key::Up]);
        let long = [&b"\x1b]"[..], &[b'x'; STRING_BYTES_MAX as usize], b"yz"].concat();
        assert_eq!(keys_of([&long[..]]), [Char('y'), Char('z')]);
    }

    #[test]
    fn an_escape_loses_nothing_that_follows() {
        assert_keys(b"\x1bx", &[Key::Escape, Char('x')]);
        assert_keys(b"\x1b\x1b[A", &[Key::Escape, Key::Up]);
        assert_keys(b"\x1b\x03", &[Key::Escape, Key::Interrupt]);
        assert_keys("\x1bé".as_bytes(), &[Key::Escape, Char('é')]);
        assert_keys(b"\x1b", &[]);
    }

    #[test]
    fn characters_are_put_together_as_the_standard_library_does() {
        for bytes in [
            "aé漢😀".as_bytes(),
            b"\xFF\xC3\xE6\xBC",
            b"\xF0\x9F\x98a\xC3\xC3\xA9\xED\xA0\x80\xF4\x90\x80\x80b",
            b"\xE6\xBC\xE6\xBC\xA2 ",
        ] {
            let bytes = [bytes, b"."].concat();
            let expected: Vec<Key> = String::from_utf8_lossy(&bytes).chars().map(Char).collect();
            assert_keys(&bytes, &expected);
        }
        assert_keys(b"\xC3\r", &[Char('\u{FFFD}'), Key::Enter]);
    }
}
