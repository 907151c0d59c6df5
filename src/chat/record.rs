//! What operators do, as whoever runs the server wants to read it later.
//!
//! Promises: there is nothing in it that anybody typed but names; neither a reason nor what was
//! announced. Deliberately no words: who writes it down has them.

use std::rc::Rc;

use super::ConnId;
use super::name::RoomName;

/// One thing that an operator did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who did it; `None` for whoever runs the server and is no connection.
    pub doer: Option<ConnId>,
    /// What.
    pub what: Recorded,
    /// Where; `None` for everywhere.
    pub room: Option<RoomName>,
    /// To whom, as it is shown, a name or an address; `None` where it is to nobody in particular.
    pub target: Option<Rc<str>>,
}

/// What operators do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Put somebody out.
    Kick,
    /// Put them out and keep them out.
    Ban {
        /// Until then, in seconds since 1970 UTC; `None` for good.
        end: Option<i64>,
    },
    /// Keep them out no longer.
    Unban,
    /// Keep them from speaking.
    Mute {
        /// Until then, in seconds since 1970 UTC; `None` for good.
        end: Option<i64>,
    },
    /// Let them speak again.
    Unmute,
    /// Make somebody an operator of the room.
    Op,
    /// Make them one no longer.
    Deop,
    /// Let everybody speak there so often.
    Slow {
        /// Seconds between two lines of one person; 0 for as often as they like.
        seconds: u32,
    },
    /// Give the room a password, or another one.
    Lock,
    /// Take it away.
    Unlock,
    /// Close the room.
    Close,
    /// Say something to everybody.
    Announce,
}
