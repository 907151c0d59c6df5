//! The test world: everything the tests share, and no test of its own.
//!
//! - [`pipe`]: an in-memory stream whose far end the test holds, as awkward as a seed wants it.
//! - [`on_hub`]: a whole server without sockets, on such pipes and on a clock that the test turns.
//! - [`secret`]: TLS between the far end of a pipe and who holds it.
//! - [`memory`]: a store that is played.
//! - [`on_tcp`]: the real binary as a child process, and peers on real sockets.
//! - [`script`]: the transcript language; [`escape`] shows bytes in it; [`compare`] says what
//!   differs; [`bless`] writes what was seen back into the file.
//! - [`drive_hub`], [`drive_tcp`]: play a script on either.
//!
//! Nothing here judges how long anything took. What waits for the real world waits with
//! [`PATIENCE`] and then fails with what it was waiting for.

#![allow(dead_code)] // Each test crate uses its own part of this world.

pub mod bless;
pub mod compare;
pub mod drive_hub;
pub mod drive_tcp;
pub mod escape;
pub mod memory;
pub mod on_hub;
pub mod on_tcp;
pub mod pipe;
pub mod rng;
pub mod script;
#[cfg_attr(not(feature = "tls"), path = "no_secret.rs")]
pub mod secret;

/// How long anything real may take before the test gives up on it.
pub const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
