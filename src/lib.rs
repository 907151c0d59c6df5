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
//!   [`chat::outbox::Outbox`], time is an argument. No byte, no socket, no clock; no English
//!   but what the console is called, which is kept as a name is.
//! - [`wire`] is the words and bytes between: lines in, cleaned; events out, rendered. No socket.
//! - [`net::hub`] is everything where chat servers break (partial writes, slow readers,
//!   half-closes, closing and reaping), generic over the stream, so that it is simulated too.
//! - [`net::server`] is a ferryman: readiness becomes calls of the hub.
//! - `store` and `keyring` stand beside the rings, each on threads of its own: one keeps what was
//!   said, the other knows about passwords. [`net::errands`] goes between them and the hub. `tasks`
//!   is what the program does with what is kept when it does not serve.
//! - [`net::tls`] stands between a stream and its lines where TLS is spoken, inside the hub, and
//!   `cert` makes a certificate for it.
//! - [`admin`] is what the operator asks at the console, and the words of the answers;
//!   [`net::console`] is its socket. It is no part of the conversation.
//! - [`net::figures`] is what is counted, [`net::metrics`] shows it to a machine, and
//!   [`net::service`] speaks with the service manager that has started all of this.
//! - [`config`] and [`logger`] are the edges; `main.rs` is the only file that prints.
//!
//! # A turn
//!
//! ```text
//! poll → now (once) → what came back → accept → read → expired deadlines → settle → what goes out
//! ```
//!
//! Consoles, metrics and the service manager are served in the same turn, beside the hub.
//!
//! Each line goes through `chat` and is rendered at once into the one page of the turn; every
//! connection that hears it is given its slice. *Settle* then writes each touched connection once,
//! keeps what could not be sent (the page is frozen and shared), and frees who is doomed. Reading
//! and writing never interleave within a turn.
//!
//! # What is kept
//!
//! [`chat::kept`] is all that the conversation knows of it: a ledger of lines and changes goes
//! out, questions go out, answers come back as [`chat::Input`]. The hub holds back the page on
//! which something of a ledger stands until that is kept; meanwhile the next page gathers what
//! comes, so that a commit is for many lines, and nothing overtakes. There are never more than two:
//! when the second is full, less is read. Who has asked something is not read from until the answer
//! is there. Nothing here waits for a disk or a hash; where nothing can be written the page goes
//! all the same, and everybody is told. Without the feature `store`, or with `--data none`, nobody
//! is asked, and the rooms remember their last lines.
//!
//! # Who may what
//!
//! [`chat::ranks`] says what somebody is in a place: an operator of the server (an account that the
//! configuration names), the owner of a room, one of its operators, or nobody. [`chat::sanctions`]
//! is who is banned or muted there, [`chat::admission`] who comes in without an account, and
//! [`net::door`] how many may come, and how often. Who may do what everybody may is asked no more
//! than whether there is anything to ask.
//!
//! # What changes while it runs
//!
//! All limits, the operators and the certificate: [`config`] has one table of what a change of each
//! flag reaches, and [`net::server`] applies it between two turns. A configuration that is wrong
//! changes nothing.
//!
//! # What it costs
//!
//! An idle connection owns its slot and its user, and no other memory: what only the slow, the
//! slowed and the leaving need is there while they need it. A delivery is a slice of the page, not
//! a copy; a write is what costs, so everybody gets one in a turn. Nothing that is done for what
//! is said grows with how many there are who do not hear it. `tests/bench/` measures all of that.
//!
//! # Faces
//!
//! Most connections are served plainly: lines in, lines out. Who has asked for something else has a
//! [`net::view::View`], and only they pay for it: a terminal whose lines [`wire::editor`] edits, a
//! program that speaks [`wire::json`], or lines as [`wire::look`] shows them. `net::hub` looks
//! whether there is one at the one place where it delivers, and leaves the rest to its files
//! `special` (telling), `terminal` (keys), `requests` (answers to each line) and `receipts`.
//!
//! # How to read it
//!
//! [`chat`] from its `mod.rs` downward: [`chat::command`] is the one table of commands,
//! [`chat::event`] all that can be said. Then [`wire::text`] for the words, [`wire::look`] for how
//! they look to who wants that otherwise, [`wire::clean`] for what may reach a terminal,
//! [`net::hub`] for the turn, [`net::server`] for the loop. What is kept begins in [`chat::kept`]
//! and ends in `store`.
//!
//! # Where a command lives
//!
//! A row in [`chat::command`] (the compiler then says most of what is missing, and the tests the
//! rest), an arm in `chat`, an [`chat::event::Event`], its sentence in [`wire::text`], its
//! paragraph in [`wire::help`], its section in `protocol.md`, whose example is its first
//! transcript. No socket is touched.

pub mod admin;
#[cfg(feature = "tls")]
pub mod cert;
pub mod chat;
pub mod config;
#[cfg(feature = "store")]
pub mod keyring;
pub mod logger;
pub mod net;
#[cfg(feature = "store")]
pub mod store;
#[cfg(feature = "store")]
pub mod tasks;
pub mod wire;
