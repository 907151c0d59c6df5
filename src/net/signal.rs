//! The signals that stop the server, as events of the loop.
//!
//! Promises: SIGTERM and SIGINT no longer end the process by themselves, and none is missed; two
//! of the same kind between two turns count as one. Deliberately nothing about other signals:
//! Rust ignores SIGPIPE already, and the rest keeps its default.

use std::ffi::c_int;
use std::io;

use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook_mio::v1_0::Signals;

/// The source of stop signals.
pub struct Stops(Signals);

impl Stops {
    /// Takes the signals over and registers them under `token`.
    pub fn register(registry: &Registry, token: Token) -> io::Result<Stops> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        registry.register(&mut signals, token, Interest::READABLE)?;
        Ok(Stops(signals))
    }

    /// The names of those that have come since the last call.
    pub fn take(&mut self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.pending().map(name)
    }
}

fn name(signal: c_int) -> &'static str {
    match signal {
        SIGTERM => "SIGTERM",
        SIGINT => "SIGINT",
        _ => "a signal",
    }
}
