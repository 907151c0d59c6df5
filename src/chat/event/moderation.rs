//! What operators do to others, as it is told.
//!
//! Promises: plain data; a reason is as long as [`super::super::moderate::WHY_BYTES_MAX`] allows.
//! Deliberately no words for any of it.

use std::rc::Rc;

use super::super::name::RoomName;

/// What was done to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Put out; they may come back.
    Kicked,
    /// Put out, and kept out.
    Banned,
    /// Kept out no longer.
    Unbanned,
    /// Made a mere listener.
    Muted,
    /// A mere listener no longer.
    Unmuted,
}

/// Something that was done to somebody, and may still hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deed {
    /// What.
    pub act: Act,
    /// Where; `None` for everywhere.
    pub room: Option<RoomName>,
    /// To whom, as it is shown: a name or an address.
    pub who: Rc<str>,
    /// By whom, as it is shown.
    pub by: Rc<str>,
    /// When it ends, in seconds since 1970 UTC; `None` for never.
    pub end: Option<i64>,
    /// The reason that was given.
    pub why: Option<Rc<str>>,
}
