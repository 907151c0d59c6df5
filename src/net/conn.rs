//! One connection: its stream, what it has half sent, what waits to be sent to it, and how far its
//! life has come.
//!
//! Promises: an idle connection owns no heap but what `wire::line` keeps of an unfinished line.
//! Deliberately passive: the hub moves it through its stages.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use crate::chat::event::Zone;
use crate::chat::outbox::Who;
use crate::chat::pace::{Pace, Rate};
use crate::wire::Ends;
use crate::wire::line::LineBuffer;

use super::door::Address;
use super::figures::Kind;
use super::queue::SendQueue;
use super::tls::Session;
use super::view::View;

/// What a connection's bytes come from and go to. A read that comes short has taken all there was:
/// whatever comes after it is announced anew.
pub trait Stream: io::Read + io::Write {
    /// Ends the output; the peer reads the end of its input after what was written.
    ///
    /// # Errors
    /// As `shutdown(2)`.
    fn finish_writing(&mut self) -> io::Result<()>;

    /// Much waits to be sent because the peer does not read: the stream need not give up on such a
    /// peer before the hub does, after so long (`None`: never).
    fn expect_stall(&mut self, stall_timeout: Option<Duration>);

    /// Nothing waits any more: the stream may give up on the peer as on any other.
    fn expect_no_stall(&mut self);
}

/// How far the life of a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is being agreed on keys; the conversation does not know it yet.
    Handshaking,
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
#[derive(Debug)]
pub struct Inbox {
    bytes: Vec<u8>,
    /// Bytes before this one were obeyed.
    from: usize,
    /// When the pace allows the next line, since start.
    not_before: Duration,
}

impl Inbox {
    /// What is to be obeyed later, and not before that time since start.
    pub fn new(bytes: &[u8], not_before: Duration) -> Inbox {
        Inbox { bytes: bytes.to_vec(), from: 0, not_before }
    }

    /// What is left.
    pub fn rest(&self) -> &[u8] {
        &self.bytes[self.from..]
    }

    /// When it may be obeyed, since start.
    pub fn not_before(&self) -> Duration {
        self.not_before
    }

    /// Only so many bytes of it are left, and not to be obeyed before that time since start.
    pub fn keep(&mut self, left: usize, not_before: Duration) {
        self.from = self.bytes.len() - left;
        self.not_before = not_before;
    }
}

/// What is counted of one connection, in twenty bytes: every connection has one.
#[derive(Clone, Copy, Debug, Default)]
pub struct Life {
    /// When it was opened, in seconds since start.
    pub opened_at: u32,
    /// Lines that were taken of it.
    pub lines_in: u32,
    /// Bytes that were read from it.
    pub bytes_in: ByteCount,
    /// Bytes that it took.
    pub bytes_out: ByteCount,
}

/// Bytes, up to 2^48 - 1, which are 281 terabytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct ByteCount([u8; 6]);

impl ByteCount {
    /// So many more; at its bound it stays there.
    pub fn add(&mut self, bytes: u64) {
        let sum = self.bytes().saturating_add(bytes).min((1 << 48) - 1);
        self.0.copy_from_slice(&sum.to_le_bytes()[..6]);
    }

    /// How many.
    pub fn bytes(self) -> u64 {
        let [a, b, c, d, e, f] = self.0;
        u64::from_le_bytes([a, b, c, d, e, f, 0, 0])
    }
}

/// How a connection ends. Times are since start.
#[derive(Clone, Debug)]
pub struct Ending {
    /// Why, by its word.
    pub parting: &'static str,
    /// Who it was.
    pub who: Who,
    /// When something was last heard of it.
    pub heard_at: Duration,
    /// When it is cut off; that grows while the peer takes what waits.
    pub ends_at: Duration,
    /// Beyond this it does not grow.
    pub ends_at_most: Duration,
}

impl Ending {
    /// It has until then, if that is not beyond what it may have.
    pub fn extend(&mut self, ends_at: Duration) {
        self.ends_at = ends_at.min(self.ends_at_most);
    }
}

/// How far to read; the farther the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readable {
    /// There is nothing to read until the poll says so.
    No,
    /// Until a read comes short: it has taken all there was.
    UntilShort,
    /// Until the stream would block or ends: there may be more behind what a read takes.
    UntilBlocked,
}

/// One connection. There are as many of these as connections, so what few have is kept apart; and
/// what every delivery looks at stands first, so that it lies close together.
#[derive(Debug)]
#[repr(C)]
pub struct Conn<S> {
    /// What waits to be sent.
    pub queue: SendQueue,
    /// How it is served, if not plainly.
    pub view: Option<Box<View>>,
    /// How its lines end.
    pub ends: Ends,
    /// How far its life has come.
    pub stage: Stage,
    /// It stands in the list of those to be flushed.
    pub is_touched: bool,
    /// The stream may take something.
    pub is_writable: bool,
    /// It stands in the list of those to be served.
    pub is_listed: bool,
    /// Whether the stream may have something to read.
    pub readable: Readable,
    /// What is known of the peer's output.
    pub intake: Intake,
    /// Its first line was seen, and is none of another protocol.
    pub is_known: bool,
    /// Its stream.
    pub stream: S,
    /// What is between its stream and its lines, if it is TLS.
    pub tls: Option<Box<Session>>,
    /// What is counted of it.
    pub life: Life,
    /// The line that is not finished.
    pub lines: LineBuffer,
    /// What one read left, because the pace or the turn's bound was reached. While there is any,
    /// nothing more is read.
    pub inbox: Option<Box<Inbox>>,
    /// How fast its lines are taken.
    pub pace: Pace,
    /// Its times from [`Stage::Closing`] on.
    pub ending: Option<Box<Ending>>,
    /// The peer's address.
    pub from: Address,
    /// How it came in: the door counts it, and the conversation knew it; `None` when it was
    /// refused.
    pub kind: Option<Kind>,
    /// It waits for an answer: no further line of it is taken until that has come.
    pub is_awaiting: bool,
    /// Its input has ended, and so does it once the answer has come.
    pub is_finishing: bool,
    /// Something that it was told is held back, apart from its queue.
    pub is_held: bool,
    /// It was told that it is being slowed.
    pub was_slowed: bool,
    /// A timer watches whether the peer takes anything.
    pub is_watched: bool,
}

impl<S> Conn<S> {
    /// A new connection that was opened at that time since start and came in so; `None` when it is
    /// refused.
    pub fn new(stream: S, from: SocketAddr, kind: Option<Kind>, opened_at: Duration) -> Conn<S> {
        let stage = if kind.is_some() { Stage::Talking } else { Stage::Closing };
        let opened_at = opened_at.as_secs().try_into().unwrap_or(u32::MAX);
        Conn {
            queue: SendQueue::default(),
            view: None,
            ends: Ends::Lf,
            stage,
            is_touched: false,
            is_writable: true,
            is_listed: false,
            readable: Readable::No,
            intake: Intake::Open,
            is_known: false,
            stream,
            tls: None,
            life: Life { opened_at, ..Life::default() },
            lines: LineBuffer::default(),
            inbox: None,
            pace: Pace::new(),
            ending: None,
            from: from.into(),
            kind,
            is_awaiting: false,
            is_finishing: false,
            is_held: false,
            was_slowed: false,
            is_watched: false,
        }
    }

    /// Whether what it is told is queued as it is: it takes something, has taken all that earlier
    /// turns said, and wants no times.
    #[inline]
    pub fn takes_plainly(&self) -> bool {
        self.stage != Stage::Doomed && !self.queue.is_behind() && self.view.is_none()
    }

    /// A line that was taken at that pace was none.
    pub fn give_back(&mut self, rate: Option<Rate>) {
        if let Some(rate) = rate {
            self.pace.give_back(rate);
        }
    }

    /// Which times its lines begin with.
    pub fn time(&self) -> Option<Zone> {
        self.view.as_ref()?.settings.time
    }

    /// Whether it is part of the conversation.
    pub fn is_talking(&self) -> bool {
        self.stage == Stage::Talking
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_as_small_as_it_was() {
        // What few have is kept apart; there are as many of these as connections.
        assert!(size_of::<Conn<u32>>() <= 160, "{}", size_of::<Conn<u32>>());
    }

    #[test]
    fn bytes_are_counted_up_to_a_bound_that_nobody_reaches() {
        let mut count = ByteCount::default();
        [1, 0x0102_0304, 0xffff_ffff].iter().for_each(|bytes| count.add(*bytes));
        assert_eq!(count.bytes(), 1 + 0x0102_0304 + 0xffff_ffff);
        count.add(u64::MAX);
        assert_eq!(count.bytes(), (1 << 48) - 1);
    }
}
