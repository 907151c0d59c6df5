//! The sentences of what operators do to others: kicked, banned, muted.
//!
//! Promises: a reason comes last in its line, so that it is told from what the server says; a time
//! is one of the reader's zone. Deliberately decides nothing.

use crate::chat::command::Verb;
use crate::chat::event::{Act, Deed, Event, ModerationFault, Subject};
use crate::chat::name::RoomName;
use crate::chat::network;
use crate::chat::sanctions::Kind;

use super::super::Clock;
use super::quoted;

/// The lines of what somebody is told.
pub(super) fn of(event: &Event, clock: Clock) -> String {
    match event {
        Event::Moderated(deed) => format!("* {}\n", done(deed, clock)),
        Event::PutOut { deed, current } => {
            let what = match (&deed.room, deed.act) {
                (Some(room), Act::Banned) => format!("you were banned from #{room}"),
                (Some(room), _) => format!("you were kicked out of #{room}"),
                (None, _) => "you were kicked".to_owned(),
            };
            let now = match current {
                Some(room) => format!("you are in #{room}; what you type is said there now"),
                None => "you are in no room now: /join ROOM enters one".to_owned(),
            };
            format!("* {what}{}\n* {now}\n", by(deed, clock))
        }
        Event::Expelled { deed, nick } => {
            let (code, what) = match (deed.act, nick) {
                (Act::Banned, Some(_)) => ("banned", "you were banned from this server"),
                (Act::Banned, None) => ("banned", "your address was banned from this server"),
                _ => ("kicked", "you were kicked off this server"),
            };
            format!("! {code} {what}{}\n", by(deed, clock))
        }
        Event::Listed { kind, room, rows, total } => {
            listed(*kind, room.as_ref(), rows, *total, clock)
        }
        other => unreachable!("{other:?} is not about what operators do"),
    }
}

/// Who did it, if that is told, until when, and why.
fn by(deed: &Deed, clock: Clock) -> String {
    let by = deed.by.as_ref().map(|by| format!(" by {by}"));
    by.unwrap_or_default() + &until_and_why(deed, clock)
}

fn until_and_why(deed: &Deed, clock: Clock) -> String {
    let until = deed.end.map(|end| format!(" until {}", clock.show_with_day(end)));
    let why = deed.why.as_ref().map(|why| format!(": {why}"));
    until.unwrap_or_default() + &why.unwrap_or_default()
}

fn done(deed: &Deed, clock: Clock) -> String {
    let Deed { act, room, by: doer, .. } = deed;
    let who = shown(&deed.who);
    let doer = doer.as_deref().unwrap_or_default();
    let place = room.as_ref().map(|room| format!("#{room}: ")).unwrap_or_default();
    let rest = by(deed, clock);
    match act {
        Act::Kicked => format!("{place}{who} was kicked{rest}"),
        Act::Banned => format!("{place}{who} was banned{rest}"),
        Act::Muted => format!("{place}{who} was muted{rest}"),
        Act::Unbanned => format!("{place}{doer} lets {who} come back"),
        Act::Unmuted => format!("{place}{doer} lets {who} speak again"),
    }
}

/// Somebody, as they are written in a command: a name that could be an address has its `@`.
fn shown(who: &Subject) -> String {
    match who {
        Subject::AddressOf(nick) => format!("{}'s address", shown(&Subject::Nick(nick.clone()))),
        Subject::Nick(nick) if network::network(nick).is_some() => format!("@{nick}"),
        Subject::Nick(text) | Subject::Address(text) => text.to_string(),
    }
}

fn listed(
    kind: Kind,
    room: Option<&RoomName>,
    rows: &[Deed],
    total: usize,
    clock: Clock,
) -> String {
    let (state, end) = match kind {
        Kind::Ban => ("banned", "unban"),
        Kind::Mute => ("muted", "unmute"),
    };
    let place = room.map_or_else(|| "everywhere".to_owned(), |room| format!("in #{room}"));
    if rows.is_empty() {
        return match room {
            Some(room) if kind == Kind::Ban => format!("* nobody is banned from #{room}\n"),
            None if kind == Kind::Ban => "* nobody is banned from this server\n".to_owned(),
            None => "* nobody is muted on the whole server\n".to_owned(),
            _ => format!("* nobody is {state} {place}\n"),
        };
    }
    let from = match room {
        Some(room) if kind == Kind::Ban => format!("from #{room}"),
        _ => place,
    };
    let row = |deed: &Deed| format!("* {}: {state} {from}{}\n", shown(&deed.who), by(deed, clock));
    let mut lines: String = rows.iter().map(row).collect();
    if total > rows.len() {
        let more = total - rows.len();
        lines.push_str(&format!("* and {more} more, done earlier; /{end} ends any of them\n"));
    }
    lines
}

/// Why something was refused.
pub(super) fn fault(fault: &ModerationFault, clock: Clock) -> String {
    match fault {
        ModerationFault::Sanctioned(deed) => sanctioned(deed, clock),
        ModerationFault::NotSanctioned { kind: Kind::Ban, typed } => {
            format!("{} is not banned there; /ban lists who is", quoted(typed))
        }
        ModerationFault::NotSanctioned { kind: Kind::Mute, typed } => {
            format!("{} is not muted there; /mute lists who is", quoted(typed))
        }
        ModerationFault::Full { most } => {
            format!(
                "{most} are banned and muted there, as many as may be: /unban one of them first"
            )
        }
        ModerationFault::AddressInRoom => {
            "an address is banned everywhere or not at all: /ban * ADDRESS".to_owned()
        }
        ModerationFault::AllAddresses { typed } => format!(
            "{} is everybody, this machine too: ban a smaller network; --members-only keeps out \
             who has no account",
            quoted(typed)
        ),
        ModerationFault::NoAddress { typed } => {
            format!("{typed} is no address; 192.0.2.7, 10.0.0.0/8 and 2001:db8::/32 are some")
        }
        ModerationFault::IsRoom { verb: Verb::Ban, room } => format!(
            "{room} is a room: /ban #{room} NICK is for there, /ban @{room} for who is called so"
        ),
        ModerationFault::IsRoom { verb, room } => {
            format!("{room} is a room, and nobody's name: /{} #{room} NICK", verb.name())
        }
        ModerationFault::NotInRoom { nick, room } => {
            format!("{nick} is not in #{room}; /ban #{room} {nick} keeps them out")
        }
        ModerationFault::NoOperator { room: Some(room) } => {
            format!("only operators of #{room} can do that: /op #{room} says who they are")
        }
        ModerationFault::NoOperators { room } => {
            format!("#{room} is nobody's: only operators of the server can do that there")
        }
        ModerationFault::NoOperator { room: None } => {
            "only operators of the server can do that; whoever runs it names them".to_owned()
        }
        ModerationFault::Operator { who } => {
            format!("{who} is an operator of the server: talk to them instead")
        }
        ModerationFault::Owner { who } => format!("{who} owns the room: talk to them instead"),
        ModerationFault::Oneself => {
            "that cannot be done to yourself: name somebody else".to_owned()
        }
        ModerationFault::OwnAddress => {
            "that is your own address: you would shut yourself out; name another".to_owned()
        }
    }
}

/// Why somebody may not be somewhere, or not speak.
fn sanctioned(deed: &Deed, clock: Clock) -> String {
    let (who, rest) = (shown(&deed.who), by(deed, clock));
    match (deed.act, &deed.room) {
        (Act::Muted, Some(room)) => format!("you were muted in #{room}{rest}"),
        (Act::Muted, None) => format!("you were muted{rest}"),
        (_, Some(room)) => format!("you were banned from #{room}{rest}"),
        (_, None) => format!("{who} was banned from this server{rest}"),
    }
}
