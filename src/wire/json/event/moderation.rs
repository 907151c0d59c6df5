//! What operators do to others, as fields.
//!
//! Promises: who did it is `from`, to whom `nick` or `address`; what was done is `act`, in one
//! word.
//! Deliberately no sentence: `wire::text` has it.

use crate::chat::event::{Act, Deed, Event, Subject};
use crate::chat::name::{Nick, RoomName};
use crate::chat::sanctions::Kind;
use crate::wire::json::object::Object;
use crate::wire::rfc3339;

/// Writes the fields of one of these events.
pub(super) fn write(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Moderated(deed) => {
            to.text("act", word(deed.act));
            to.text_if("room", deed.room.as_ref().map(RoomName::as_str));
            write_who(&deed.who, to);
            write_rest(deed, to);
        }
        Event::PutOut { deed, current } => {
            to.text("act", word(deed.act));
            to.text_if("room", deed.room.as_ref().map(RoomName::as_str));
            write_rest(deed, to);
            to.text_if("current", current.as_ref().map(RoomName::as_str));
        }
        Event::Expelled { deed, nick } => {
            to.text_if("nick", nick.as_ref().map(Nick::as_str));
            to.text("reason", word(deed.act));
            write_rest(deed, to);
        }
        Event::Listed { kind, room, rows, total } => {
            to.text("act", if *kind == Kind::Ban { word(Act::Banned) } else { word(Act::Muted) });
            to.text_if("room", room.as_ref().map(RoomName::as_str));
            to.objects("list", rows, |to, deed| {
                write_who(&deed.who, to);
                write_rest(deed, to);
            });
            to.number("count", *total as u64);
        }
        other => unreachable!("{other:?} is not about what operators do"),
    }
}

/// To whom.
fn write_who(who: &Subject, to: &mut Object<'_>) {
    match who {
        Subject::Nick(nick) | Subject::AddressOf(nick) => to.text("nick", nick),
        Subject::Address(address) => to.text("address", address),
    }
}

/// Who did it, if that is told, until when, and why.
fn write_rest(deed: &Deed, to: &mut Object<'_>) {
    to.text_if("from", deed.by.as_deref());
    if let Some(end) = deed.end {
        to.text("until", &rfc3339(end));
    }
    to.text_if("why", deed.why.as_deref());
}

fn word(act: Act) -> &'static str {
    match act {
        Act::Kicked => "kicked",
        Act::Banned => "banned",
        Act::Unbanned => "unbanned",
        Act::Muted => "muted",
        Act::Unmuted => "unmuted",
    }
}
