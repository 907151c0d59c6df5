//! What takes the place of TLS where it was not built: there are no keys and no sessions.
//!
//! Promises: nothing of this exists at run time. Deliberately the same names as with TLS, so that
//! nobody else has to know.

use std::io::{self, Write};
use std::time::Duration;

use super::super::conn::Stream;
use super::Step;
use crate::chat::Now;
use crate::config::Tls;

/// There are none.
#[derive(Debug)]
pub enum Keys {}

impl Keys {
    /// Refuses.
    ///
    /// # Errors
    /// One sentence without its end.
    pub fn load(_: &Tls) -> Result<Keys, String> {
        Err("this chatline was built without the feature tls".to_owned())
    }

    /// There are none to open it with.
    ///
    /// # Errors
    /// None.
    pub fn open_session(&self) -> Result<Session, String> {
        match *self {}
    }

    /// There is none that could end.
    pub fn ends_at(&self) -> Option<i64> {
        match *self {}
    }

    /// There is none.
    pub fn log_loaded(&mut self, _: Now) {
        match *self {}
    }

    /// There is nothing to look at.
    pub fn deadline(&self) -> Duration {
        match *self {}
    }

    /// There is nothing to look at.
    pub fn look(&mut self, _: Now) {
        match *self {}
    }

    /// There is nothing to read again.
    ///
    /// # Errors
    /// None.
    pub fn reload(&mut self, _: Now) -> Result<(), String> {
        match *self {}
    }
}

/// There are none.
#[derive(Debug)]
pub enum Session {}

#[expect(missing_docs, clippy::missing_errors_doc, reason = "as with TLS")]
impl Session {
    pub fn step(&mut self, _: &mut impl Stream) -> io::Result<Step> {
        match *self {}
    }

    pub fn has_begun(&self) -> bool {
        match *self {}
    }

    pub fn read(&mut self, _: &mut impl Stream, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub fn take_read(&mut self) -> usize {
        match *self {}
    }

    pub fn take_has_taken(&mut self) -> bool {
        match *self {}
    }

    pub fn has_more_to_write(&self) -> bool {
        match *self {}
    }

    pub fn sealed(&self) -> usize {
        match *self {}
    }

    pub fn writer<'s, S: Stream>(&'s mut self, _: &'s mut S) -> impl Write + 's {
        io::empty()
    }

    pub fn write_out(&mut self, _: &mut impl Stream) -> io::Result<bool> {
        match *self {}
    }

    pub fn finish_writing(&mut self, _: &mut impl Stream) -> io::Result<bool> {
        match *self {}
    }
}
