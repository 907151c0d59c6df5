//! One connection: its stream, what it has half sent, what waits to be sent to it, and how far its
//! life has come.
//!
//! Promises: an idle connection owns no heap but what `wire::line` keeps of an unfinished line.
//! Deliberately passive: the hub moves it through its stages.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::chat::event::Zone;
use crate::chat::pace::Pace;
use crate::wire::Ends;
use crate::wire::line::LineBuffer;

use super::queue::SendQueue;

/// What a connection's bytes come from and go to.
pub trait Stream: io::Read + io::Write {
    /// Ends the output; the peer reads the end of its input after what was written.
    ///
    /// # Errors
    /// As `shutdown(2)`.
    fn finish_writing(&mut self) -> io::Result<()>;

    /// Much waits to be sent because the peer does not read, or no longer: the stream need not
    /// give up on such a peer before the hub does.
    fn expect_stall(&mut self, is_stalled: bool);
}

/// How far the life of a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is part of the conversation.
    Talking,
    /// What waits is still sent; nothing is taken in any more.
    Closing,
    /// Everything was sent and the output ended. What still comes in is read and dropped: closing
    /// with unread input would send a reset, and that would destroy what the peer has not read.
    Draining,
    /// To be reaped at the end of the turn.
    Doomed,
}

/// What is known of the peer's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// More may come.
    Open,
    /// The peer has ended it.
    Ended,
    /// The connection broke.
    Lost,
}

/// What one read left, and how far it has been obeyed since.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Bytes before this one were obeyed.
    from: usize,
}

impl Inbox {
    /// What is to be obeyed later.
    pub fn new(bytes: &[u8]) -> Inbox {
        Inbox { bytes: bytes.to_vec(), from: 0 }
    }

    /// What is left.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// The same, when only so many bytes of it are left.
    pub fn with_left(self, left: usize) -> Inbox {
        Inbox { from: self.bytes.len() - left, ..self }
    }
}

/// One connection.
#[derive(Debug)]
pub struct Conn<S> {
    /// Its stream.
    pub stream: S,
    /// The peer's address.
    pub from: SocketAddr,
    /// How far its life has come.
    pub stage: Stage,
    /// What is known of the peer's output.
    pub intake: Intake,
    /// The line that is not finished.
    pub lines: LineBuffer,
    /// What one read left, because the pace or the turn's bound was reached. While there is any,
    /// nothing more is read.
    pub inbox: Inbox,
    /// How fast its lines are taken.
    pub pace: Pace,
    /// When the pace allows the next line, since start; in the past unless the inbox waits for it.
    pub paced_until: Duration,
    /// What waits to be sent.
    pub queue: SendQueue,
    /// When the peer last took something, or else when something began to wait, since start.
    pub taken_at: Duration,
    /// When something was last heard of a connection that drains, since start.
    pub heard_at: Duration,
    /// When a connection that ends is cut off, since start; it grows while the peer takes what
    /// waits.
    pub ends_at: Duration,
    /// Beyond this it does not grow.
    pub ends_at_most: Duration,
    /// The last event for several rooms that was queued: nobody gets it twice.
    pub mark: u64,
    /// Which times its lines begin with.
    pub time: Option<Zone>,
    /// How its lines end.
    pub ends: Ends,
    /// The stream may have something to read.
    pub is_readable: bool,
    /// The stream may take something.
    pub is_writable: bool,
    /// It stands in the list of those to be served.
    pub is_listed: bool,
    /// It stands in the list of those to be flushed.
    pub is_touched: bool,
    /// The door counts it, and the conversation knew it.
    pub is_admitted: bool,
    /// Its first line was seen, and is none of another protocol.
    pub is_known: bool,
    /// It was told that it is being slowed.
    pub was_slowed: bool,
    /// A timer watches whether the peer takes anything.
    pub is_watched: bool,
}

impl<S: Stream> Conn<S> {
    /// A new connection, at that stage of its life.
    pub fn new(stream: S, from: SocketAddr, stage: Stage, line_bytes_max: Option<usize>) -> Self {
        Conn {
            stream,
            from,
            stage,
            intake: Intake::Open,
            lines: LineBuffer::new(line_bytes_max),
            inbox: Inbox::default(),
            pace: Pace::new(),
            paced_until: Duration::ZERO,
            queue: SendQueue::default(),
            taken_at: Duration::ZERO,
            heard_at: Duration::ZERO,
            ends_at: Duration::ZERO,
            ends_at_most: Duration::ZERO,
            mark: 0,
            time: None,
            ends: Ends::Lf,
            is_readable: true,
            is_writable: true,
            is_listed: false,
            is_touched: false,
            is_admitted: stage == Stage::Talking,
            is_known: false,
            was_slowed: false,
            is_watched: false,
        }
    }

    /// Whether it is part of the conversation.
    pub fn is_talking(&self) -> bool {
        self.stage == Stage::Talking
    }
}
