//! What was shown is kept: the real server is killed, gets no room on the disk, and is asked for
//! what it has.
//!
//! Promises: each test has a folder of its own, waits for a bounded time and kills by process id;
//! what is in the file is read by another SQLite, not by the server. `KILLS=1000` kills that often,
//! `SEED=7` in another order. Deliberately cuts no power: what the disk does with what it was told
//! to keep cannot be seen from here.

#![cfg(all(unix, feature = "store"))]
#![allow(clippy::unwrap_used)]

mod world;

#[path = "kept/crash.rs"]
mod crash;
#[path = "kept/crowd.rs"]
mod crowd;
#[path = "kept/database.rs"]
mod database;
#[path = "kept/file.rs"]
mod file;
#[path = "kept/forgotten.rs"]
mod forgotten;
#[path = "kept/full.rs"]
mod full;
#[path = "kept/heard.rs"]
mod heard;
#[path = "kept/invites.rs"]
mod invites;
#[path = "kept/sanctions.rs"]
mod sanctions;
#[path = "kept/tokens.rs"]
mod tokens;
#[path = "kept/tools.rs"]
mod tools;
