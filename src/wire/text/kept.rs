//! The sentences of what is kept: names, rooms and tokens that are somebody's, being back, and
//! whether what is said is kept at all.
//!
//! Promises: one short line each, without the mark before it; for tokens, with it. Deliberately
//! decides nothing.

use crate::chat::event::{Event, TokenNews, TokenRow};
use crate::chat::kept::Secret;

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
        Event::PasswordWanted { nick, is_somebodys: false } => format!(
            "type the password of {nick} and press Enter (Enter alone: another name; with an \
             invitation: /register CODE PASSWORD)"
        ),
        Event::PasswordWanted { nick, is_somebodys: true } => format!(
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
        Event::StaysOut { room } => format!(
            "you are not back in #{room}: it is full, or you are in as many rooms as may be"
        ),
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

/// The lines of what an owner is told of tokens.
pub(super) fn token(news: &TokenNews) -> String {
    match news {
        TokenNews::Made { nick, secret: Secret(secret), rooms, rate } => format!(
            "* the token of {nick} is {secret}; it is shown this once, and is for {}. In a script: \
             /login {nick} {secret}\n",
            scope(rooms, *rate)
        ),
        TokenNews::Listed(rows) if rows.is_empty() => {
            "* you have no token: /token new NAME makes one\n".to_owned()
        }
        TokenNews::Listed(rows) => rows.iter().map(|row| format!("* {}\n", listed(row))).collect(),
        TokenNews::Dropped { nick, connections: 0 } => {
            format!("* the token of {nick} is taken back\n")
        }
        TokenNews::Dropped { nick, connections } => {
            let ended = count(*connections as u64, "connection");
            format!("* the token of {nick} is taken back; {ended} ended\n")
        }
    }
}

fn listed(row: &TokenRow) -> String {
    let state = match row.connections {
        0 => "not here".to_owned(),
        1 => "here".to_owned(),
        connections => format!("here with {connections} connections"),
    };
    format!("{}: {}; {state}", row.nick, scope(&row.rooms, row.rate))
}

/// What a token is for.
fn scope(rooms: &[String], rate: Option<u32>) -> String {
    let rooms: Vec<String> = rooms.iter().map(|room| format!("#{room}")).collect();
    let rooms = if rooms.is_empty() { "all rooms".to_owned() } else { rooms.join(", ") };
    let rate = rate.map(|rate| format!("; {} a second", count(rate.into(), "line")));
    format!("{rooms}{}", rate.unwrap_or_default())
}
