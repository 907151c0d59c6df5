//! An in-memory connection: [`Pipe`] is the end that the hub holds, [`FarEnd`] the one that the
//! test holds.
//!
//! It promises what a non-blocking socket under an edge-triggered poll promises, and no more: a
//! readable edge when bytes, an end or a reset arrive; a writable edge after a write found no room
//! and room came; `WouldBlock` in between. With a generator it also does what a socket may do and
//! seldom does: reads and writes of part of what could be, `Interrupted`, `WouldBlock` out of the
//! blue (an edge follows). A pipe that is dropped with unread input resets, as `close(2)` does, and
//! what the far end had not taken by then is gone.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::rc::Rc;
use std::time::Duration;

use chatline::net::hub::{Readable, Stream};

use super::rng::Rng;
use super::secret::Client;

/// How far one direction of the connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Open,
    /// Ended in good order, after the bytes that are still under way.
    Finished,
    /// Broken, after what the other end's kernel holds already.
    Reset,
}

#[derive(Debug)]
struct Link {
    to_hub: VecDeque<u8>,
    to_hub_is: Direction,
    to_far: VecDeque<u8>,
    to_far_is: Direction,
    /// How many bytes may lie in `to_far`; `None` for any number.
    window: Option<usize>,
    /// Whether the far end takes no more notice of anything.
    far_is_closed: bool,
    hub_is_gone: bool,
    has_readable_edge: bool,
    has_writable_edge: bool,
    /// A write found no room, so that room is news.
    write_is_blocked: bool,
    stall_is_expected: bool,
    mischief: Option<Rng>,
}

impl Secret {
    fn read(&mut self, raw: &[u8]) {
        let read = self.client.decrypt(raw, &mut self.plain);
        read.expect("what the server sends is TLS");
    }
}

/// What a stream does next, when it may be awkward.
enum Mood {
    Plain,
    Interrupted,
    WouldBlock,
}

impl Link {
    fn mood(&mut self) -> Mood {
        match self.mischief.as_mut().map(|rng| rng.below(8)) {
            Some(0) => Mood::Interrupted,
            Some(1) => Mood::WouldBlock,
            _ => Mood::Plain,
        }
    }

    /// How many of `most` bytes go in this call; at least one.
    fn portion(&mut self, most: usize) -> usize {
        let Some(rng) = &mut self.mischief else { return most };
        let longest = if rng.one_in(2) { most.min(7) } else { most };
        1 + rng.below(longest)
    }

    fn room(&self) -> usize {
        self.window.map_or(usize::MAX, |window| window.saturating_sub(self.to_far.len()))
    }

    fn note_room(&mut self) {
        if self.write_is_blocked && self.room() > 0 {
            self.write_is_blocked = false;
            self.has_writable_edge = true;
        }
    }
}

/// The hub's end.
#[derive(Debug)]
pub struct Pipe(Rc<RefCell<Link>>);

/// The test's end. Dropping it leaves the connection as it is.
#[derive(Debug)]
pub struct FarEnd {
    link: Rc<RefCell<Link>>,
    secret: Option<RefCell<Secret>>,
}

/// What a far end that speaks TLS knows.
#[derive(Debug)]
struct Secret {
    client: Client,
    /// What was decrypted and not taken yet.
    plain: Vec<u8>,
    /// It ends without saying so in TLS.
    is_abrupt: bool,
}

/// A connection's two ends. With a generator the hub's end is awkward.
pub fn pipe(mischief: Option<Rng>) -> (Pipe, FarEnd) {
    let link = Rc::new(RefCell::new(Link {
        to_hub: VecDeque::new(),
        to_hub_is: Direction::Open,
        to_far: VecDeque::new(),
        to_far_is: Direction::Open,
        window: None,
        far_is_closed: false,
        hub_is_gone: false,
        has_readable_edge: false,
        // A poll reports a new socket as writable once.
        has_writable_edge: true,
        write_is_blocked: false,
        stall_is_expected: false,
        mischief,
    }));
    (Pipe(Rc::clone(&link)), FarEnd { link, secret: None })
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut link = self.0.borrow_mut();
        if buffer.is_empty() {
            return Ok(0);
        }
        if link.to_hub.is_empty() {
            return match link.to_hub_is {
                Direction::Open => Err(ErrorKind::WouldBlock.into()),
                Direction::Finished => Ok(0),
                Direction::Reset => Err(ErrorKind::ConnectionReset.into()),
            };
        }
        match link.mood() {
            Mood::Plain => {}
            Mood::Interrupted => return Err(ErrorKind::Interrupted.into()),
            Mood::WouldBlock => {
                link.has_readable_edge = true;
                return Err(ErrorKind::WouldBlock.into());
            }
        }
        let most = buffer.len().min(link.to_hub.len());
        let count = link.portion(most);
        for (to, from) in buffer.iter_mut().zip(link.to_hub.drain(..count)) {
            *to = from;
        }
        if count < buffer.len() && !link.to_hub.is_empty() {
            // A read that comes short has taken all there was: the rest arrives just now.
            link.has_readable_edge = true;
        }
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut link = self.0.borrow_mut();
        if link.to_hub_is == Direction::Reset {
            return Err(ErrorKind::BrokenPipe.into());
        }
        assert!(link.to_far_is == Direction::Open, "the hub writes after it has finished writing");
        if link.far_is_closed {
            // The first write to a closed peer is what makes it reset.
            link.to_hub_is = Direction::Reset;
            link.has_readable_edge = true;
            return Ok(bytes.len());
        }
        if bytes.is_empty() {
            return Ok(0);
        }
        let mood = link.mood();
        if matches!(mood, Mood::Interrupted) {
            return Err(ErrorKind::Interrupted.into());
        }
        if link.room() == 0 {
            link.write_is_blocked = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        if matches!(mood, Mood::WouldBlock) {
            link.has_writable_edge = true;
            return Err(ErrorKind::WouldBlock.into());
        }
        let most = bytes.len().min(link.room());
        let count = link.portion(most);
        link.to_far.extend(&bytes[..count]);
        Ok(count)
    }

    fn write_vectored(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let parts: Vec<&[u8]> = parts.iter().map(|part| &**part).collect();
        self.write(&parts.concat())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Stream for Pipe {
    fn finish_writing(&mut self) -> io::Result<()> {
        let mut link = self.0.borrow_mut();
        if link.to_hub_is == Direction::Reset {
            return Err(ErrorKind::NotConnected.into());
        }
        link.to_far_is = Direction::Finished;
        Ok(())
    }

    fn expect_stall(&mut self, _: Option<Duration>) {
        self.0.borrow_mut().stall_is_expected = true;
    }

    fn expect_no_stall(&mut self) {
        self.0.borrow_mut().stall_is_expected = false;
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        let mut link = self.0.borrow_mut();
        link.hub_is_gone = true;
        if link.to_hub.is_empty() {
            if link.to_far_is == Direction::Open {
                link.to_far_is = Direction::Finished;
            }
        } else {
            link.to_hub.clear();
            link.to_far.clear();
            link.to_far_is = Direction::Reset;
        }
    }
}

impl FarEnd {
    /// From now on it speaks TLS; an abrupt one ends without saying so there.
    pub fn speak_secretly(&mut self, client: Client, is_abrupt: bool) {
        self.secret = Some(RefCell::new(Secret { client, plain: Vec::new(), is_abrupt }));
        self.shake_hands();
    }

    /// Goes as far in its handshake as it can.
    pub fn shake_hands(&self) {
        let Some(secret) = &self.secret else { return };
        let mut secret = secret.borrow_mut();
        if secret.client.is_handshaking() && !self.link.borrow().far_is_closed {
            let raw = self.take_raw(usize::MAX);
            secret.read(&raw);
            let out = secret.client.output();
            if self.link.borrow().to_hub_is == Direction::Open {
                self.send_raw(&out);
            }
        }
    }

    /// Sends bytes; what the hub has let go of swallows them and resets.
    pub fn send(&self, bytes: &[u8]) {
        match &self.secret {
            None => self.send_raw(bytes),
            Some(secret) => self.send_raw(&secret.borrow_mut().client.encrypt(bytes)),
        }
    }

    fn send_raw(&self, bytes: &[u8]) {
        let mut link = self.link.borrow_mut();
        assert!(
            link.to_hub_is != Direction::Finished && !link.far_is_closed,
            "bytes after the end of input"
        );
        if bytes.is_empty() || link.to_hub_is == Direction::Reset {
            return;
        }
        if link.hub_is_gone {
            link.to_far_is = Direction::Reset;
            return;
        }
        link.to_hub.extend(bytes);
        link.has_readable_edge = true;
    }

    /// Ends this end's input (half-close); it still listens.
    pub fn end(&self) {
        if let Some(secret) = &self.secret
            && !secret.borrow().is_abrupt
            && self.link.borrow().to_hub_is == Direction::Open
        {
            self.send_raw(&secret.borrow_mut().client.end());
        }
        let mut link = self.link.borrow_mut();
        if link.to_hub_is == Direction::Open {
            link.to_hub_is = Direction::Finished;
            link.has_readable_edge = true;
        }
    }

    /// Closes both ways; the first write of the hub resets.
    pub fn close(&self) {
        self.end();
        let mut link = self.link.borrow_mut();
        link.far_is_closed = true;
        link.to_far.clear();
        link.window = None;
        link.note_room();
    }

    /// Breaks the connection. The hub may still read what was sent before, as on Linux.
    pub fn reset(&self) {
        let mut link = self.link.borrow_mut();
        link.to_far.clear();
        link.to_hub_is = Direction::Reset;
        link.far_is_closed = true;
        link.has_readable_edge = true;
        link.has_writable_edge = true;
    }

    /// How many bytes this end lets pile up before the hub's writes block; `None` for any number.
    pub fn set_window(&self, window: Option<usize>) {
        let mut link = self.link.borrow_mut();
        link.window = window;
        link.note_room();
    }

    /// Takes at most `most` of the bytes that have arrived; of a record of TLS all of it.
    pub fn take(&self, most: usize) -> Vec<u8> {
        let raw = self.take_raw(most);
        let Some(secret) = &self.secret else { return raw };
        let mut secret = secret.borrow_mut();
        secret.read(&raw);
        let link = self.link.borrow();
        let has_ended = link.to_far_is == Direction::Finished && link.to_far.is_empty();
        let is_cut_off = link.far_is_closed || secret.client.is_handshaking();
        if has_ended && !is_cut_off && !link.hub_is_gone {
            assert!(secret.client.has_read_end(), "the end is told in TLS before it comes");
        }
        std::mem::take(&mut secret.plain)
    }

    fn take_raw(&self, most: usize) -> Vec<u8> {
        let mut link = self.link.borrow_mut();
        let count = most.min(link.to_far.len());
        let taken = link.to_far.drain(..count).collect();
        link.note_room();
        taken
    }

    /// Whether nothing will arrive any more: the hub has finished writing, or let go, and all of
    /// it was taken.
    pub fn is_disconnected(&self) -> bool {
        let link = self.link.borrow();
        link.to_far_is != Direction::Open && link.to_far.is_empty()
    }

    /// Whether the hub has dropped its end.
    pub fn is_let_go(&self) -> bool {
        self.link.borrow().hub_is_gone
    }

    /// Whether the hub has said that it waits for this end to take something.
    pub fn is_stall_expected(&self) -> bool {
        self.link.borrow().stall_is_expected
    }

    /// Whether a poll would report something.
    pub fn has_edge(&self) -> bool {
        let link = self.link.borrow();
        link.has_readable_edge || link.has_writable_edge
    }

    /// The edges since the last call, as a poll would report them: how far to read, and whether
    /// there is room to write.
    pub fn edges(&self) -> (Readable, bool) {
        let mut link = self.link.borrow_mut();
        let readable = match (link.has_readable_edge, link.to_hub_is) {
            (false, _) => Readable::No,
            (true, Direction::Open) => Readable::UntilShort,
            (true, Direction::Finished | Direction::Reset) => Readable::UntilBlocked,
        };
        let is_writable = link.has_writable_edge;
        link.has_readable_edge = false;
        link.has_writable_edge = false;
        (readable, is_writable)
    }
}
