//! How a kind of server is spoken to: what a client sends to be somebody, to be somewhere and to
//! say something, and how it knows the answer.
//!
//! Promises: the driver knows servers by this trait alone. Deliberately parses no answers: one
//! marker in each is enough to know that it came.

/// How a kind of server is spoken to, as bytes.
pub trait Dialect {
    /// What connection number `n` sends first, to have a name of its own; may be empty.
    fn log_in(&self, n: usize) -> Vec<u8>;
    /// What stands once in the answer to that, and nowhere before; `None` when nothing is answered.
    fn logged_in(&self) -> Option<&'static [u8]>;
    /// What a connection sends to enter room number `room`.
    fn join(&self, room: usize) -> Vec<u8>;
    /// What stands once in the answer to that.
    fn joined(&self) -> &'static [u8];
    /// What a connection sends to leave it.
    fn leave(&self, room: usize) -> Vec<u8>;
    /// What stands once in the answer to that.
    fn left(&self) -> &'static [u8];
    /// Appends what says `payload` in a room.
    fn say(&self, room: usize, payload: &[u8], out: &mut Vec<u8>);
    /// Whether who listens cannot also speak on the same connection, so that speakers are
    /// connections of their own (they only log in, and join nothing).
    fn speaks_apart(&self) -> bool {
        false
    }
}

/// The dialect of `chatline`.
pub struct Chatline;

impl Dialect for Chatline {
    fn log_in(&self, n: usize) -> Vec<u8> {
        format!("u{n}\n").into_bytes()
    }

    fn logged_in(&self) -> Option<&'static [u8]> {
        Some(b"* you are ")
    }

    fn join(&self, room: usize) -> Vec<u8> {
        format!("/join r{room}\n").into_bytes()
    }

    /// The answer is `* you made #ROOM` or `* you joined #ROOM: …`.
    fn joined(&self) -> &'static [u8] {
        b"* you "
    }

    fn leave(&self, room: usize) -> Vec<u8> {
        format!("/leave r{room}\n").into_bytes()
    }

    fn left(&self) -> &'static [u8] {
        b"* you left "
    }

    /// The room joined last is the current one, and no payload begins like a command.
    fn say(&self, _room: usize, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(payload);
        out.push(b'\n');
    }
}

/// The dialect of the bare server. Before each payload stands as much as `prefix`.
pub struct Floor {
    /// What makes its lines as long as those of another server; may be empty.
    pub prefix: &'static [u8],
}

impl Dialect for Floor {
    fn log_in(&self, _n: usize) -> Vec<u8> {
        b"\n".to_vec()
    }

    fn logged_in(&self) -> Option<&'static [u8]> {
        Some(b"ready\n")
    }

    fn join(&self, room: usize) -> Vec<u8> {
        format!("{room}\n").into_bytes()
    }

    fn joined(&self) -> &'static [u8] {
        b"joined\n"
    }

    fn leave(&self, _room: usize) -> Vec<u8> {
        b"/leave\n".to_vec()
    }

    fn left(&self) -> &'static [u8] {
        b"left\n"
    }

    fn say(&self, _room: usize, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(self.prefix);
        out.extend_from_slice(payload);
        out.push(b'\n');
    }
}
