//! The sentences of what is kept: names and rooms that are somebody's, being back, and whether what
//! is said is kept at all.
//!
//! Promises: one short line each, without the mark before it. Deliberately decides nothing.

use crate::chat::event::Event;

use super::count;

/// The sentence of one of these events.
pub(super) fn kept(event: &Event) -> String {
    match event {
        Event::Back { room, missed: 0 } => format!("you are back in #{room}; you missed nothing"),
        Event::Back { room, missed } => {
            format!("you are back in #{room}; you missed {}", count(*missed, "line"))
        }
        Event::DirectKept { nick } => {
            format!("{nick} is not here: your line is kept, and shown at the next login")
        }
        Event::Registered { nick } => {
            format!("{nick} is yours now; from elsewhere: /login {nick} PASSWORD")
        }
        Event::Unregistered { nick } => {
            format!("{nick} is nobody's name now, and lines that waited for its owner are deleted")
        }
        Event::PasswordChanged => "your password is changed".to_owned(),
        Event::PasswordWanted { nick } => format!(
            "{nick} is somebody's name: type its password and press Enter (Enter alone: another \
             name)"
        ),
        Event::TypingShows => "careful: what you type shows on your screen".to_owned(),
        Event::LoginDropped { nick: None } => {
            "no password, no login: type another name and press Enter".to_owned()
        }
        Event::LoginDropped { nick: Some(nick) } => {
            format!("no password, no login: you are still {nick}")
        }
        Event::LockSet { room, nick, is_locked: true } => {
            format!("#{room}: {nick} locked the room; who wants to enter needs the password")
        }
        Event::LockSet { room, nick, is_locked: false } => {
            format!("#{room}: {nick} opened the room to everybody")
        }
        Event::CloseAsked { room } => format!(
            "this deletes #{room} and all lines of it, for everybody; if you mean it, type once \
             more: /close {room}"
        ),
        Event::Closed { room, nick, current: None } => format!(
            "#{room} was closed by {nick}, its lines are deleted; you are in no room now: /join \
             ROOM enters one"
        ),
        Event::Closed { room, nick, current: Some(current) } => format!(
            "#{room} was closed by {nick}, its lines are deleted; what you type is said in \
             #{current} now"
        ),
        Event::Keeping { is_kept: false } => {
            "what is said now is not kept: the server cannot write it down".to_owned()
        }
        Event::Keeping { is_kept: true } => "what is said is kept again".to_owned(),
        other => unreachable!("{other:?} is not about what is kept"),
    }
}
