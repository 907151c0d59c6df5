//! What only a real kernel can show: crowds at the door, descriptors that run out, resets,
//! half-closes, full buffers, urgent data and signals.
//!
//! Promises: each test has a server process of its own on a free port, waits for a bounded time and
//! kills by handle; where a test needs an instant that the kernel alone decides, it stops the
//! server's process instead of sleeping. Does not test what is said: the transcripts do.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod world;

#[path = "sockets/admin.rs"]
mod admin;
#[path = "sockets/door.rs"]
mod door;
#[path = "sockets/ends.rs"]
mod ends;
#[path = "sockets/log.rs"]
mod log;
#[path = "sockets/machine.rs"]
mod machine;
#[path = "sockets/metrics.rs"]
mod metrics;
#[path = "sockets/service.rs"]
mod service;
#[path = "sockets/slow.rs"]
mod slow;
#[path = "sockets/stop.rs"]
mod stop;
#[cfg(feature = "tls")]
#[path = "sockets/tls.rs"]
mod tls;

/// Flags as a server process takes them, from one string.
fn flags(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Lines that end where they should, as bytes.
fn lines(numbers: std::ops::Range<usize>, text: &str) -> Vec<u8> {
    numbers.flat_map(|number| format!("{number} {text}\n").into_bytes()).collect()
}
