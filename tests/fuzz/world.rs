//! The part of the test world that needs no process and no socket: pipes, the clock, the store that
//! is played.

#![allow(dead_code)] // The targets use their own part of it.

#[path = "../world/memory.rs"]
pub mod memory;
#[path = "../world/on_hub.rs"]
pub mod on_hub;
#[path = "../world/pipe.rs"]
pub mod pipe;
#[path = "../world/rng.rs"]
pub mod rng;
#[path = "../world/secret.rs"]
pub mod secret;
