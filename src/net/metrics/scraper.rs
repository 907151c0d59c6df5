//! One connection that asks for figures: it asks, it is answered, it ends.
//!
//! Promises: never waits; holds no more than a head and an answer; what it sends after its request
//! is read and dropped, so that the answer is not lost in a reset. Deliberately does not know what
//! is asked nor what is answered.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use mio::net::TcpStream;

use super::request::{self, Asked};

/// How much is read of one connection in one turn, in bytes.
const READ_BYTES_PER_TURN: usize = 16 << 10;

/// How far a scraper has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It waits for its peer.
    Waits,
    /// It has more to do in the next turn.
    GoesOn,
    /// It is to be closed.
    Over,
}

/// One connection.
#[derive(Debug)]
pub struct Scraper {
    stream: TcpStream,
    stage: Stage,
    /// There may be something to do for it.
    pub is_ready: bool,
    /// When it is cut off, since start.
    pub until: Duration,
}

#[derive(Debug)]
enum Stage {
    /// So much of its request has come.
    Asking(Vec<u8>),
    /// What is left of its answer.
    Taking(Vec<u8>),
    /// All was sent, and the output ended.
    Draining,
}

impl Scraper {
    /// Somebody who has come, and has until then, since start.
    pub fn new(stream: TcpStream, until: Duration) -> Scraper {
        Scraper { stream, stage: Stage::Asking(Vec::new()), is_ready: true, until }
    }

    /// Whether something of its answer is left to be sent.
    pub fn is_taking(&self) -> bool {
        matches!(self.stage, Stage::Taking(_))
    }

    /// Goes on as far as the stream allows; `answer` makes the answer when all was asked.
    pub fn serve(&mut self, answer: impl FnOnce(&Asked) -> Vec<u8>) -> Progress {
        let progress = self.go_on(answer).unwrap_or(Progress::Over);
        self.is_ready = progress == Progress::GoesOn;
        progress
    }

    fn go_on(&mut self, answer: impl FnOnce(&Asked) -> Vec<u8>) -> io::Result<Progress> {
        if let Stage::Asking(head) = &mut self.stage {
            let Some(asked) = take_request(&mut self.stream, head)? else {
                return Ok(Progress::Waits);
            };
            self.stage = Stage::Taking(answer(&asked));
        }
        if let Stage::Taking(rest) = &mut self.stage {
            while !rest.is_empty() {
                match unless_blocked(self.stream.write(rest))? {
                    Some(0) => return Ok(Progress::Over),
                    Some(sent) => _ = rest.drain(..sent),
                    None => return Ok(Progress::Waits),
                }
            }
            self.stream.shutdown(Shutdown::Write)?;
            self.stage = Stage::Draining;
        }
        drain(&mut self.stream)
    }
}

/// Reads until a request is whole, or cannot become one; `None` when more is to come. Who ends
/// before has asked for nothing.
fn take_request(stream: &mut TcpStream, head: &mut Vec<u8>) -> io::Result<Option<Asked>> {
    let mut buffer = [0; 1024];
    loop {
        match unless_blocked(stream.read(&mut buffer))? {
            Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Some(read) => head.extend_from_slice(&buffer[..read]),
            None => return Ok(None),
        }
        // No further than a head may be long.
        if let Some(asked) = request::parse(head) {
            return Ok(Some(asked));
        }
    }
}

/// Reads and drops what still comes, but not all of it in one turn.
fn drain(stream: &mut TcpStream) -> io::Result<Progress> {
    let mut buffer = [0; 1024];
    for _ in 0..READ_BYTES_PER_TURN / buffer.len() {
        match unless_blocked(stream.read(&mut buffer))? {
            Some(0) => return Ok(Progress::Over),
            Some(_) => {}
            None => return Ok(Progress::Waits),
        }
    }
    Ok(Progress::GoesOn)
}

/// What was done; `None` when the stream would block.
fn unless_blocked(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(count) => Ok(Some(count)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}
