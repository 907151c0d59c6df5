//! Limits that change while the server runs.
//!
//! Promises: nobody is cut off by a new limit. Does not test what a limit does: it is a flag, and
//! those are tested elsewhere.

#![allow(clippy::unwrap_used)]

mod world;

#[path = "configuration/limits.rs"]
mod limits;
