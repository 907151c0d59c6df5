//! `chatline`: a chat server for people and scripts that have nothing but a TCP socket.
//!
//! # Three rings, arrows inward only
//!
//! ```text
//!  server   the operating system: poll, listeners, signals, the only clock
//!    hub      who is connected: slots, line buffers, send queues; render once, share many
//!      chat     the rules of the conversation: users, rooms, commands, limits
//! ```
//!
//! - [`chat`] is pure. [`chat::Input`] goes in, [`chat::event::Event`]s come out in an
//!   [`chat::outbox::Outbox`], time is an argument. No byte, no socket, no clock, no English.
//! - [`wire`] is the words and bytes between: lines in, cleaned; events out, rendered. No socket.
//! - [`net::hub`] is everything where chat servers break (partial writes, slow readers,
//!   half-closes, closing and reaping), generic over the stream, so that it is simulated too.
//! - [`net::server`] is a ferryman: readiness becomes calls of the hub.
//! - [`config`] and [`logger`] are the edges; `main.rs` is the only file that prints.
//!
//! # A turn
//!
//! ```text
//! poll → now (once) → accept → read → expired deadlines → settle → poll
//! ```
//!
//! Each line goes through `chat` and is rendered at once into the one page of the turn; every
//! connection that hears it is given its slice. *Settle* then writes each touched connection once,
//! keeps what could not be sent (the page is frozen and shared), and frees who is doomed. Reading
//! and writing never interleave within a turn.
//!
//! # What it costs
//!
//! An idle connection owns its slot and its user, and no other memory: what only the slow, the
//! slowed and the leaving need is there while they need it. A delivery is a slice of the page, not
//! a copy; a write is what costs, so everybody gets one in a turn. Nothing that is done for what
//! is said grows with how many there are who do not hear it. `tests/bench/` measures all of that.
//!
//! # How to read it
//!
//! [`chat`] from its `mod.rs` downward: [`chat::command`] is the one table of commands,
//! [`chat::event`] all that can be said. Then [`wire::text`] for the words, [`wire::clean`] for
//! what may reach a terminal, [`net::hub`] for the turn, [`net::server`] for the loop.
//!
//! # Where a command lives
//!
//! A row in [`chat::command`] (the compiler then says what is missing), an arm in `chat`, an
//! [`chat::event::Event`], its sentence in [`wire::text`], its paragraph in [`wire::help`], its
//! section in `protocol.md`, whose example is its first transcript. No socket is touched.

pub mod chat;
pub mod config;
pub mod logger;
pub mod net;
pub mod wire;
