//! One connection's side of TLS, by rustls.
//!
//! Promises: works on any [`Stream`], and does not wait; what is written counts as taken only when
//! all of its ciphertext is, so that whoever counts what waits counts it still; a session holds
//! about a record of each direction and no more. Deliberately knows neither files nor sockets.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::sync::Arc;

use rustls::{ServerConfig, ServerConnection};

use super::super::conn::Stream;
use super::Step;

/// How many bytes of ciphertext, or of lines before they are encrypted, a session holds at most,
/// about: those of one record (RFC 8446, section 5.1).
const RECORD_BYTES: usize = 16 << 10;

/// The first byte of every TLS connection: that of a handshake record (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// One connection's side of TLS.
pub struct Session {
    state: ServerConnection,
    /// How many bytes of the lines that wait are encrypted already. Their ciphertext is not out.
    sealed: usize,
    /// Bytes of ciphertext that were read since it was last asked.
    read: usize,
    /// The peer has taken some ciphertext since it was last asked.
    has_taken: bool,
    /// Something came.
    has_begun: bool,
    /// It was said that nothing more will be written.
    has_finished: bool,
}

impl Session {
    /// A session that has not begun.
    ///
    /// # Errors
    /// One sentence, where the configuration cannot be used.
    pub fn new(config: &Arc<ServerConfig>) -> Result<Session, String> {
        let state = ServerConnection::new(Arc::clone(config)).map_err(|error| error.to_string())?;
        let mut session = Session {
            state,
            sealed: 0,
            read: 0,
            has_taken: false,
            has_begun: false,
            has_finished: false,
        };
        session.state.set_buffer_limit(Some(RECORD_BYTES));
        Ok(session)
    }

    /// Reads once and goes as far in the handshake as that allows; one step may cost a signature.
    ///
    /// # Errors
    /// What the stream says, `WouldBlock` among it.
    pub fn step(&mut self, stream: &mut impl Stream) -> io::Result<Step> {
        let mut tap = Tap { stream, first: None };
        let read = self.state.read_tls(&mut tap)?;
        let first = tap.first;
        if read == 0 {
            return Ok(Step::Ended);
        }
        self.read += read;
        if !std::mem::replace(&mut self.has_begun, true) && first != Some(HANDSHAKE_RECORD) {
            return Ok(Step::Stranger);
        }
        Ok(match self.state.process_new_packets() {
            Err(error) => Step::Failed(error.to_string()),
            Ok(_) if self.state.is_handshaking() => Step::Further,
            Ok(_) => Step::Done,
        })
    }

    /// Whether the peer has sent anything.
    pub fn has_begun(&self) -> bool {
        self.has_begun
    }

    /// Reads what was encrypted. A peer that ends without saying so in TLS has ended all the same;
    /// `Interrupted` when something came that is no text, or not all of it. There may be more
    /// behind what was read until it would block. What comes once [`Session::finish_writing`] was
    /// called is read as it is: nobody may answer any more what is wrong with it.
    ///
    /// # Errors
    /// What the stream says; `InvalidData` where something is wrong with the encryption. The peer
    /// was sent an alert then, as far as it takes one at once.
    pub fn read(&mut self, stream: &mut impl Stream, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_finished {
            return stream.read(buffer);
        }
        match self.decrypted(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            decided => return decided,
        }
        self.read += self.state.read_tls(stream)?;
        if let Err(error) = self.state.process_new_packets() {
            // Nobody will hear of it, should this fail.
            let _ = self.write_out(stream);
            return Err(io::Error::new(ErrorKind::InvalidData, error));
        }
        match self.decrypted(buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                Err(ErrorKind::Interrupted.into())
            }
            decided => decided,
        }
    }

    fn decrypted(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.state.reader().read(buffer) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            decided => decided,
        }
    }

    /// How many bytes of ciphertext were read since the last call.
    pub fn take_read(&mut self) -> usize {
        std::mem::take(&mut self.read)
    }

    /// Whether the peer has taken some ciphertext since the last call.
    pub fn take_has_taken(&mut self) -> bool {
        std::mem::take(&mut self.has_taken)
    }

    /// Whether ciphertext waits that belongs to no lines.
    pub fn has_more_to_write(&self) -> bool {
        self.state.wants_write()
    }

    /// How many bytes of the lines that wait are encrypted already, and must be offered again as
    /// they are.
    pub fn sealed(&self) -> usize {
        self.sealed
    }

    /// Where lines are written to be encrypted.
    pub fn writer<'s, S: Stream>(&'s mut self, stream: &'s mut S) -> Sealer<'s, S> {
        Sealer { session: self, stream }
    }

    /// Writes the ciphertext that waits. `Ok(true)` when nothing does any more, `Ok(false)` when
    /// the stream would block.
    ///
    /// # Errors
    /// What the stream says, but for `WouldBlock` and `Interrupted`.
    pub fn write_out(&mut self, stream: &mut impl Stream) -> io::Result<bool> {
        while self.state.wants_write() {
            match self.state.write_tls(stream) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => self.has_taken = true,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Says that nothing more will be written (RFC 8446, section 6.1), as
    /// [`Session::write_out`].
    ///
    /// # Errors
    /// The same.
    pub fn finish_writing(&mut self, stream: &mut impl Stream) -> io::Result<bool> {
        self.has_finished = true;
        self.state.send_close_notify();
        self.write_out(stream)
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("sealed", &self.sealed).finish_non_exhaustive()
    }
}

/// Takes lines to be encrypted, one record at a time, and says of them that they are taken when
/// all of the record is. Until then it has to be offered the same lines again.
pub struct Sealer<'s, S> {
    session: &'s mut Session,
    stream: &'s mut S,
}

impl<S: Stream> Write for Sealer<'_, S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        if self.session.sealed == 0 {
            self.flush()?;
            self.session.sealed = self.session.state.writer().write_vectored(slices)?;
        }
        self.flush()?;
        Ok(std::mem::take(&mut self.session.sealed))
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.session.write_out(self.stream)? {
            true => Ok(()),
            false => Err(ErrorKind::WouldBlock.into()),
        }
    }
}

/// Reads from a stream and remembers the first byte.
struct Tap<'s, S> {
    stream: &'s mut S,
    first: Option<u8>,
}

impl<S: Stream> Read for Tap<'_, S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.stream.read(buffer)?;
        self.first = buffer[..read].first().copied();
        Ok(read)
    }
}
