//! All that can happen to the conversation, as data.
//!
//! Promises: every text in it is clean, and without a line end but where it says so. Deliberately
//! no bytes and no socket: what came of those is said here.

use ipnet::IpNet;

use super::command::Command;
use super::event::Parting;
use super::kept::Answer;
use super::{ConnId, Origin};

/// What can happen to the conversation.
#[derive(Clone, Debug)]
pub enum Input<'a> {
    /// A connection came. Its slot must be free.
    Open {
        /// Which.
        conn: ConnId,
        /// Where from; guessers at passwords are slowed by it.
        origin: Origin,
    },
    /// A connection sent a line, cleaned by `wire::clean`.
    Line {
        /// Which.
        conn: ConnId,
        /// What, without its end.
        text: &'a str,
    },
    /// A connection asked something that is not a line; its texts are clean.
    Command {
        /// Which.
        conn: ConnId,
        /// What.
        command: Command<'a>,
    },
    /// A connection sent many lines at once, to be one message.
    Block {
        /// Which.
        conn: ConnId,
        /// For which room; `None` for the current one.
        room: Option<&'a str>,
        /// The lines, each of them clean, with LF between them.
        text: &'a str,
    },
    /// A connection sent a line beyond the limit.
    TooLong {
        /// Which.
        conn: ConnId,
        /// The limit in bytes.
        bytes_max: usize,
    },
    /// Telnet's interrupt: the half-typed line is gone.
    Interrupt {
        /// Which.
        conn: ConnId,
    },
    /// Telnet's "are you there".
    AreYouThere {
        /// Which.
        conn: ConnId,
    },
    /// A connection sends faster than the pace, for the first time.
    Slowed {
        /// Which.
        conn: ConnId,
        /// The pace in lines a second.
        per_second: u32,
    },
    /// A connection ends, and not by its own `quit`.
    Ended {
        /// Which.
        conn: ConnId,
        /// Why.
        parting: Parting,
    },
    /// A connection comes from a network that is banned now.
    Barred {
        /// Which.
        conn: ConnId,
        /// Its address, as a network of one.
        address: IpNet,
    },
    /// The peer agrees to have its lines edited here, or not (any longer).
    Terminal {
        /// Which.
        conn: ConnId,
        /// Whether it agrees.
        is_on: bool,
    },
    /// Somebody types a line, and has not ended it yet.
    Typing {
        /// Who.
        conn: ConnId,
    },
    /// What [`super::outbox::Effect::AwaitReceipt`] asked for has happened.
    Receipt {
        /// Who wants to know.
        from: ConnId,
        /// Who was told something.
        to: ConnId,
        /// Whether they took it.
        is_taken: bool,
    },
    /// What was asked for a connection has come.
    Answer {
        /// Which.
        conn: ConnId,
        /// What.
        answer: Answer,
    },
    /// From now on what is given away to be kept is not kept, or is again.
    Keeping {
        /// Whether it is.
        is_kept: bool,
    },
    /// The server stops in so many seconds, for a reason that may be empty; or with `None` does not
    /// stop after all.
    Stopping(Option<(u64, &'a str)>),
    /// The deadline has come. One thing that is due is done; the deadline says whether there are
    /// more.
    Time,
}
