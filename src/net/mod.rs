//! Connections and the loop that serves them.
//!
//! From the inside out: [`slots`] finds connections, [`queue`] holds what waits to be sent,
//! [`conn`] is one connection, [`door`] counts who is let in, [`hub`] is the turn of all of them.
//! Up to here nothing knows the operating system. [`listen`], [`signal`] and [`server`] do: they
//! ferry readiness, time and signals into the hub.

pub mod conn;
pub mod door;
pub mod hub;
pub mod listen;
pub mod queue;
pub mod server;
pub mod signal;
pub mod slots;
