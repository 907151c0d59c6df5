//! What a client types: pieces whose bytes and whose meaning are both known.
//!
//! Promises: pieces can stand in any order and be cut anywhere; a piece's meaning does not depend
//! on its neighbours. So a lone CR carries the letter after it, and an escape sequence is whole.

/// How a line ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// With LF.
    Lf,
    /// With CR LF.
    CrLf,
    /// With CR NUL.
    CrNul,
}

/// A command of telnet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Telnet {
    /// Asks nothing (GA, or a subnegotiation).
    Nothing(&'static [u8]),
    /// Wants an option on our side (DO) or on its own (WILL).
    Wants {
        /// The verb's byte: 253 or 251.
        verb: u8,
        /// Which.
        option: u8,
    },
    /// Asks for a sign of life.
    AreYouThere,
    /// Ctrl-C.
    Interrupt,
    /// Erases the line so far.
    EraseLine,
    /// No more will come.
    EndOfInput,
}

/// A piece of what is typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// These bytes print as that text.
    Plain(Vec<u8>, String),
    /// Erases the character before: BS, DEL or telnet's EC.
    Erase(&'static [u8]),
    /// Ends a line.
    End(End),
    /// A command of telnet.
    Telnet(Telnet),
}

impl Piece {
    /// Text that is what it looks like.
    pub fn text(text: &str) -> Piece {
        Piece::Plain(text.as_bytes().to_vec(), text.to_owned())
    }

    /// Bytes, and what they print.
    pub fn bytes_of(bytes: &[u8], printed: &str) -> Piece {
        Piece::Plain(bytes.to_vec(), printed.to_owned())
    }

    /// What is sent.
    pub fn bytes(&self) -> Vec<u8> {
        match self {
            Piece::Plain(bytes, _) => bytes.clone(),
            Piece::Erase(bytes) => bytes.to_vec(),
            Piece::End(End::Lf) => b"\n".to_vec(),
            Piece::End(End::CrLf) => b"\r\n".to_vec(),
            Piece::End(End::CrNul) => b"\r\0".to_vec(),
            Piece::Telnet(telnet) => match telnet {
                Telnet::Nothing(bytes) => bytes.to_vec(),
                Telnet::Wants { verb, option } => vec![0xFF, *verb, *option],
                Telnet::AreYouThere => vec![0xFF, 246],
                Telnet::Interrupt => vec![0xFF, 244],
                Telnet::EraseLine => vec![0xFF, 248],
                Telnet::EndOfInput => vec![0xFF, 236],
            },
        }
    }

    /// Whether telnet is spoken in it.
    pub fn is_telnet(&self) -> bool {
        self.bytes().contains(&0xFF)
    }

    /// Its bytes as the line buffer counts them: without telnet's escapes.
    pub fn counted(&self) -> Vec<u8> {
        match self {
            Piece::Erase(_) => vec![8],
            _ => {
                let mut bytes = self.bytes();
                bytes.dedup_by(|a, b| *a == 0xFF && *b == 0xFF);
                bytes
            }
        }
    }
}

/// All that is sent for some pieces.
pub fn bytes_of(pieces: &[Piece]) -> Vec<u8> {
    pieces.iter().flat_map(Piece::bytes).collect()
}

/// What may stand anywhere in a line and is not plain text.
pub fn nonsense() -> Vec<Piece> {
    vec![
        Piece::bytes_of(b"\x1b[31m", ""),
        Piece::bytes_of(b"\x1b]0;evil\x07", ""),
        Piece::bytes_of(b"\x07", ""),
        Piece::bytes_of(b"\t", " "),
        Piece::bytes_of(b"\rx", "x"),
        Piece::bytes_of(b"\0", ""),
        Piece::bytes_of(b"\x9bx", "\u{FFFD}x"),
        Piece::bytes_of(b"\xff\xff", "\u{FFFD}"),
        Piece::bytes_of(b"\xc3(", "\u{FFFD}("),
        Piece::bytes_of("\u{202E}".as_bytes(), ""),
        Piece::bytes_of("\u{FEFF}".as_bytes(), ""),
        Piece::bytes_of("\u{200B}".as_bytes(), ""),
        Piece::bytes_of("a\u{2028}b".as_bytes(), "a b"),
        Piece::text("é"),
        Piece::text("😀"),
        Piece::Erase(b"\x08"),
        Piece::Erase(b"\x7f"),
        Piece::Erase(b"\xff\xf7"),
        Piece::Telnet(Telnet::Nothing(b"\xff\xf9")),
        Piece::Telnet(Telnet::Nothing(b"\xff\xfa\x18x\xff\xf0")),
        Piece::Telnet(Telnet::Wants { verb: 253, option: 1 }),
        Piece::Telnet(Telnet::Wants { verb: 251, option: 31 }),
        Piece::Telnet(Telnet::Wants { verb: 253, option: 6 }),
        Piece::Telnet(Telnet::AreYouThere),
        Piece::Telnet(Telnet::Interrupt),
        Piece::Telnet(Telnet::EraseLine),
    ]
}
