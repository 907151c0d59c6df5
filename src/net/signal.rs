//! The signals that stop the server, and the one that lets it read its configuration again, as
//! events of the loop.
//!
//! Promises: SIGTERM, SIGINT and SIGHUP no longer end the process by themselves, and none is
//! missed; two of the same kind between two turns count as one. Deliberately nothing about other
//! signals: Rust ignores SIGPIPE already, and the rest keeps its default.

use std::ffi::c_int;
use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals as Source;

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// To stop; with its name.
    Stop(&'static str),
    /// To read the configuration again.
    Reload,
}

/// The source of signals.
pub struct Signals(Source);

impl Signals {
    /// Takes the signals over and registers them under `token`.
    pub fn register(registry: &Registry, token: Token) -> io::Result<Signals> {
        let mut signals = Source::new([SIGTERM, SIGINT, SIGHUP])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Signals(signals))
    }

    /// What those ask for that have come since the last call.
    pub fn take(&mut self) -> Vec<Signal> {
        self.0.pending().map(asked).collect()
    }
}

fn asked(signal: c_int) -> Signal {
    match signal {
        SIGHUP => Signal::Reload,
        SIGTERM => Signal::Stop("SIGTERM"),
        SIGINT => Signal::Stop("SIGINT"),
        _ => Signal::Stop("a signal"),
    }
}
