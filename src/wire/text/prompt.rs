//! The words before a line that is edited here.
//!
//! Promises: one row as long as names are short; no name stands at its beginning but the room's.
//! Deliberately counts nothing: the caller knows what is unread.

use crate::chat::Place;
use crate::chat::name::{Nick, RoomName};

/// How many rooms and people the prompt names of those who wait to be read.
const UNREAD_SHOWN: usize = 3;

/// A room or a person, in which or by whom something was said that was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    /// Said in a room that is not the current one.
    Room(RoomName),
    /// Said to the reader alone.
    Direct(Nick),
}

/// Where the line goes, how much is unread elsewhere, and who types there.
pub fn prompt<'a>(
    place: Place<'_>,
    unread: impl Iterator<Item = (&'a Unread, u64)>,
    typists: impl Iterator<Item = &'a Nick>,
) -> String {
    let place = match place {
        Place::Nameless => return "name> ".to_owned(),
        Place::Password => return "password> ".to_owned(),
        Place::Block => return "| ".to_owned(),
        Place::Nowhere => String::new(),
        Place::Room(room) => format!("#{room}"),
    };
    let (mut notes, mut more): (Vec<String>, u64) = (Vec::new(), 0);
    for (place, count) in unread {
        match place {
            _ if notes.len() == UNREAD_SHOWN => more += count,
            Unread::Room(room) => notes.push(format!("#{room} {count}")),
            Unread::Direct(nick) => notes.push(format!("@{nick} {count}")),
        }
    }
    if more > 0 {
        notes.push(format!("{more} more"));
    }
    notes.extend(typists.map(|nick| format!("{nick} types")));
    match notes.is_empty() {
        true => format!("{place}> "),
        false => format!("{place} ({})> ", notes.join(", ")),
    }
}
