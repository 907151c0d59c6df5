//! What takes the place of TLS in memory where TLS was not built: nobody speaks it.
//!
//! Deliberately the same names as with TLS, so that pipes and worlds need not know.

use chatline::net::tls::Session;

/// There are none.
pub enum Pair {}

/// There is none.
pub fn known() -> &'static Pair {
    panic!("this was built without the feature tls")
}

impl Pair {
    /// There is none to open it with.
    pub fn session(&self) -> Session {
        match *self {}
    }

    /// There is none to open it with.
    pub fn client(&self, _: bool) -> Client {
        match *self {}
    }
}

/// There are none.
#[derive(Debug)]
pub enum Client {}

impl Client {
    /// There is none that could.
    pub fn is_handshaking(&self) -> bool {
        match *self {}
    }

    /// There is none that could.
    pub fn has_read_end(&self) -> bool {
        match *self {}
    }

    /// There is none that could.
    pub fn encrypt(&mut self, _: &[u8]) -> Vec<u8> {
        match *self {}
    }

    /// There is none that could.
    pub fn end(&mut self) -> Vec<u8> {
        match *self {}
    }

    /// There is none that could.
    pub fn output(&mut self) -> Vec<u8> {
        match *self {}
    }

    /// There is none that could.
    ///
    /// # Errors
    /// None.
    pub fn decrypt(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<(), std::fmt::Error> {
        match *self {}
    }
}
