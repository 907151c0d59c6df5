//! Events as fields: what each is called, and what it says beside its sentence.
//!
//! Promises: each event has a type, a time and a text; who said or did it is `from`, anybody else
//! `nick`; what does not apply is left out. A new event is missed by the compiler in [`kind`].
//! Deliberately shows a moment in UTC, whatever the reader's zone.

mod moderation;

use crate::chat::event::{
    Event, Parting, Profile, Refusal, Remembered, Roll, RoomRow, TokenNews, Zone,
};
use crate::chat::event::{PasteNews, RankNews, Receipt, StopNews};
use crate::chat::kept::{KeptDirect, Secret, Span};
use crate::chat::name::{Nick, RoomName};
use crate::chat::network;
use crate::chat::settings::{Color, Face, Setting};
use crate::wire::{Clock, rfc3339, text};

use super::action::{ACTIONS, Action};
use super::object::Object;

/// Declares [`TYPES`] and [`kind`] from one list.
macro_rules! kinds {
    ($($event:pat => $word:literal,)*) => {
        /// Every type of event there is.
        pub const TYPES: &[&str] = &[$($word),*];

        /// The type of an event.
        pub(super) fn kind(event: &Event) -> &'static str {
            match event { $($event => $word),* }
        }
    };
}

kinds! {
    Event::Greeting { .. } => "greeting",
    Event::NameWanted => "name-wanted",
    Event::Welcome { .. } => "welcome",
    Event::Motd { .. } => "motd",
    Event::Said { .. } | Event::Acted { .. } | Event::Block { .. } => "message",
    Event::Whispered { .. } => "direct",
    Event::IsAway { .. } => "is-away",
    Event::Came { .. } => "came",
    Event::Left { .. } => "left",
    Event::Gone { .. } => "gone",
    Event::Tally { .. } => "tally",
    Event::Renamed { .. } => "renamed",
    Event::YouAre { .. } => "you-are",
    Event::Made { .. } => "made",
    Event::Joined { .. } => "joined",
    Event::Current { .. } => "current",
    Event::YouLeft { .. } => "you-left",
    Event::Topic { .. } => "topic",
    Event::TopicSet { .. } => "topic-set",
    Event::Everybody { .. } => "everybody",
    Event::Members { .. } => "members",
    Event::Profile(_) => "profile",
    Event::Rooms { .. } => "rooms",
    Event::Help => "help",
    Event::HelpOn(_) => "help-on",
    Event::Ignoring { .. } => "ignoring",
    Event::Ignored { .. } => "ignored",
    Event::Away { .. } => "away",
    Event::Quiet { .. } => "quiet",
    Event::Time { .. } => "time",
    Event::Set(_) => "set",
    Event::Face(_) => "face",
    Event::Receipt(Receipt::Delivered { .. }) => "delivered",
    Event::Receipt(Receipt::NotDelivered) => "not-delivered",
    Event::Receipt(Receipt::Seen { .. }) => "seen",
    Event::Typing { .. } => "typing",
    Event::NoTerminal => "no-terminal",
    Event::Taken { .. } => "ok",
    Event::ReplayLines { .. } => "replay-lines",
    Event::Replay { .. } => "replay",
    Event::History { .. } => "history",
    Event::Found { .. } => "found",
    Event::Whole { .. } => "whole",
    Event::Paste(PasteNews::Begun { .. }) => "paste-begun",
    Event::Paste(PasteNews::LeftOut) => "paste-left-out",
    Event::Paste(PasteNews::Dropped) => "paste-dropped",
    Event::Token(TokenNews::Made { .. }) => "token-made",
    Event::Token(TokenNews::Listed(_)) => "tokens",
    Event::Token(TokenNews::Dropped { .. }) => "token-dropped",
    Event::Back { .. } => "back",
    Event::StaysOut { .. } => "stays-out",
    Event::Directs { .. } => "directs",
    Event::DirectKept { .. } => "direct-kept",
    Event::Moderated(_) => "moderated",
    Event::PutOut { .. } => "put-out",
    Event::Listed { .. } => "listed",
    Event::Registered { .. } => "registered",
    Event::Unregistered { .. } => "unregistered",
    Event::PasswordChanged => "password-changed",
    Event::PasswordWanted { .. } => "password-wanted",
    Event::TypingShows => "typing-shows",
    Event::LoginDropped { .. } => "login-dropped",
    Event::LockSet { .. } => "lock-set",
    Event::CloseAsked { .. } => "close-asked",
    Event::Closed { .. } => "closed",
    Event::Rank(RankNews::Operators { .. }) => "operators",
    Event::Rank(RankNews::OperatorSet { .. }) => "operator-set",
    Event::Rank(RankNews::SlowSet { .. }) => "slow-set",
    Event::Rank(RankNews::IsSlow { .. }) => "is-slow",
    Event::Rank(RankNews::Announced { .. }) => "announcement",
    Event::Slowed { .. } => "slowed",
    Event::Dropped { .. } => "dropped",
    Event::Keeping { .. } => "keeping",
    Event::Stop(StopNews::In { .. }) => "stops-in",
    Event::Stop(StopNews::Off) => "stays-on",
    Event::Interrupted => "interrupted",
    Event::Here => "here",
    Event::Refused(_) => "refused",
    Event::Bye { .. } | Event::Expelled { .. } => "bye",
}

/// Writes all of an event but its type.
pub(super) fn write(event: &Event, clock: Clock, to: &mut Object<'_>) {
    if let Event::Said { id, .. } | Event::Acted { id, .. } | Event::Block { id, .. } = event {
        to.number("id", *id);
    }
    to.text("time", &rfc3339(clock.unix));
    match event {
        Event::Said { .. }
        | Event::Acted { .. }
        | Event::Block { .. }
        | Event::Whispered { .. } => return write_said(event, to),
        Event::Welcome { .. }
        | Event::Joined { .. }
        | Event::Everybody { .. }
        | Event::Members { .. }
        | Event::Profile(_)
        | Event::Rooms { .. }
        | Event::Ignoring { .. } => write_people(event, to),
        Event::Token(news) => write_token(news, to),
        Event::Rank(news) => write_rank(news, to),
        Event::Moderated(_)
        | Event::PutOut { .. }
        | Event::Expelled { .. }
        | Event::Listed { .. } => moderation::write(event, to),
        Event::Replay { .. }
        | Event::History { .. }
        | Event::Found { .. }
        | Event::Whole { .. }
        | Event::Back { .. }
        | Event::Directs { .. } => write_past(event, to),
        Event::Ignored { .. }
        | Event::Away { .. }
        | Event::Quiet { .. }
        | Event::Time { .. }
        | Event::Set(_)
        | Event::Face(_)
        | Event::ReplayLines { .. } => write_setting(event, to),
        Event::Came { .. }
        | Event::Left { .. }
        | Event::Typing { .. }
        | Event::Paste(PasteNews::Begun { .. })
        | Event::Tally { .. }
        | Event::Made { .. }
        | Event::Current { .. }
        | Event::YouLeft { .. }
        | Event::Topic { .. }
        | Event::TopicSet { .. }
        | Event::LockSet { .. }
        | Event::CloseAsked { .. }
        | Event::StaysOut { .. }
        | Event::Closed { .. } => write_of_room(event, to),
        _ => write_other(event, to),
    }
    to.text("text", &sentence(event, clock));
}

/// What somebody said: its text is theirs.
fn write_said(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Said { room, nick, text, .. }
        | Event::Acted { room, nick, text, .. }
        | Event::Block { room, nick, text, .. } => {
            to.text("room", room.as_str());
            to.text("from", nick.as_str());
            if let Event::Acted { .. } = event {
                to.switch("me", true);
            }
            to.text("text", text);
        }
        Event::Whispered { nick, text } => {
            to.text("from", nick.as_str());
            to.text("text", text);
        }
        other => unreachable!("{other:?} was not said by anybody"),
    }
}

/// What somebody without a program is told, without the marks before its lines.
fn sentence(event: &Event, clock: Clock) -> String {
    if let Event::Refused(Refusal::Usage(verb)) = event {
        let action = Action::of(*verb);
        return format!("{} takes {}", action.name, action.takes());
    }
    let text = text::of(event, clock);
    let unmarked = |line: &'_ str| -> String {
        let refused = || line.strip_prefix("! ")?.split_once(' ').map(|(_, text)| text);
        line.strip_prefix("* ").or_else(refused).unwrap_or(line).to_owned()
    };
    let lines: Vec<String> = text.lines().map(unmarked).collect();
    lines.join("\n")
}

/// Names, which of them are away, and how many there are with those not shown.
fn write_roll(key: &str, roll: &Roll, to: &mut Object<'_>) {
    to.texts(key, roll.shown.iter().map(|(nick, _)| nick.as_str()));
    let mut away = roll.shown.iter().filter(|(_, is_away)| *is_away).peekable();
    if away.peek().is_some() {
        to.texts("away", away.map(|(nick, _)| nick.as_str()));
    }
}

/// What is about who is where.
fn write_people(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Welcome { nick, is_guest, lobby } => {
            to.text_if("room", lobby.as_ref().map(|(room, _)| room.as_str()));
            to.text("nick", nick.as_str());
            to.switch("guest", *is_guest);
            if let Some((_, others)) = lobby {
                write_roll("others", others, to);
                to.number("count", others.total as u64 + 1);
            }
        }
        Event::Joined { room, others, topic } => {
            to.text("room", room.as_str());
            write_roll("others", others, to);
            to.number("count", others.total as u64 + 1);
            to.text_if("topic", topic.as_deref());
        }
        Event::Everybody { roll } => {
            write_roll("members", roll, to);
            to.number("count", roll.total as u64);
        }
        Event::Members { room, roll } => {
            to.text("room", room.as_str());
            write_roll("members", roll, to);
            to.number("count", roll.total as u64);
        }
        Event::Profile(profile) => write_profile(profile, to),
        Event::Rooms { rows, total } => {
            to.objects("rooms", rows, |to, row| match row {
                RoomRow::Open { room, members, topic, is_locked } => {
                    to.text("room", room.as_str());
                    to.switch("locked", *is_locked);
                    to.number("count", *members as u64);
                    to.text_if("topic", topic.as_deref());
                }
                RoomRow::Locked { room } => {
                    to.text("room", room.as_str());
                    to.switch("locked", true);
                }
            });
            to.number("count", *total as u64);
        }
        Event::Ignoring { nicks } => to.texts("nicks", nicks.iter().map(Nick::as_str)),
        other => unreachable!("{other:?} is not about who is where"),
    }
}

fn write_profile(profile: &Profile, to: &mut Object<'_>) {
    to.text("nick", profile.nick.as_str());
    to.texts("rooms", profile.rooms.iter().map(RoomName::as_str));
    to.number("more", profile.rooms_more as u64);
    to.text("since", &rfc3339(profile.since_unix));
    to.number("idle", profile.idle.as_secs());
    to.switch("away", profile.away.is_some());
    to.text_if("reason", profile.away.as_deref().filter(|reason| !reason.is_empty()));
    to.text("connection", &format!("{:016x}", profile.id));
    to.text_if("owner", profile.owner.as_ref().map(Nick::as_str));
    to.text_if("address", profile.address.map(network::shown).as_deref());
}

/// What is about names for bots.
fn write_token(news: &TokenNews, to: &mut Object<'_>) {
    match news {
        TokenNews::Made { nick, secret: Secret(secret), rooms, rate } => {
            to.text("nick", nick.as_str());
            to.text("secret", secret);
            to.texts("rooms", rooms.iter().map(String::as_str));
            if let Some(rate) = rate {
                to.number("rate", u64::from(*rate));
            }
        }
        TokenNews::Listed(rows) => to.objects("tokens", rows, |to, row| {
            to.text("nick", row.nick.as_str());
            to.texts("rooms", row.rooms.iter().map(String::as_str));
            if let Some(rate) = row.rate {
                to.number("rate", u64::from(rate));
            }
            to.number("count", row.connections as u64);
        }),
        TokenNews::Dropped { nick, connections } => {
            to.text("nick", nick.as_str());
            to.number("count", *connections as u64);
        }
    }
}

/// What is about operators, or by one.
fn write_rank(news: &RankNews, to: &mut Object<'_>) {
    match news {
        RankNews::Operators { room, owner, nicks } => {
            to.text("room", room.as_str());
            to.text_if("owner", owner.as_ref().map(Nick::as_str));
            to.texts("nicks", nicks.iter().map(Nick::as_str));
        }
        RankNews::OperatorSet { room, by, nick, is_operator } => {
            to.text("room", room.as_str());
            to.text("from", by.as_str());
            to.text("nick", nick.as_str());
            to.switch("on", *is_operator);
        }
        RankNews::SlowSet { room, nick, seconds } => {
            to.text("room", room.as_str());
            to.text("from", nick.as_str());
            to.number("seconds", u64::from(*seconds));
        }
        RankNews::IsSlow { room, seconds } => {
            to.text("room", room.as_str());
            to.number("seconds", u64::from(*seconds));
        }
        RankNews::Announced { nick, text } => {
            to.text_if("from", nick.as_ref().map(Nick::as_str));
            to.text("announcement", text);
        }
    }
}

/// A line that was said before; its room where that is not the same for all.
fn write_line(line: &Remembered, room: Option<&RoomName>, to: &mut Object<'_>) {
    to.number("id", line.id);
    to.text("time", &rfc3339(line.unix));
    to.text_if("room", room.map(RoomName::as_str));
    to.text("from", line.nick.as_str());
    if line.is_action {
        to.switch("me", true);
    }
    to.text("text", &line.text);
    if line.more > 0 {
        to.number("more", line.more as u64);
    }
}

/// What is about what was said before.
fn write_past(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Replay { room, lines } => {
            to.text("room", room.as_str());
            to.objects("lines", lines.iter(), |to, line| write_line(line, None, to));
        }
        Event::History { room, lines, edges, has_more, span } => {
            to.text("room", room.as_str());
            to.objects("lines", lines.iter(), |to, line| write_line(line, None, to));
            to.switch("more", *has_more);
            match edges.filter(|_| *has_more).map(|edges| (edges, *span)) {
                None => {}
                Some((edges, Span::Since(_))) => to.text("since", &rfc3339(edges.last_unix)),
                Some((edges, Span::After(_))) => to.number("after", edges.last),
                Some((edges, Span::Last | Span::Before(_))) => to.number("before", edges.first),
            }
        }
        Event::Found { words, lines, has_more, unsearched } => {
            to.text("words", words);
            to.objects("lines", lines.iter(), |to, (room, line)| {
                write_line(line, Some(room), to);
            });
            to.switch("more", *has_more);
            to.number("unsearched", *unsearched);
        }
        Event::Whole { room, line } => {
            to.text("room", room.as_str());
            to.objects("lines", std::iter::once(line), |to, line| write_line(line, None, to));
        }
        Event::Back { room, missed } => {
            to.text("room", room.as_str());
            to.number("missed", *missed);
        }
        Event::Directs { directs } => {
            to.objects("lines", directs.iter(), |to, KeptDirect { unix, nick, text }| {
                to.text("time", &rfc3339(*unix));
                to.text("from", nick);
                to.text("text", text);
            });
        }
        other => unreachable!("{other:?} is not of the past"),
    }
}

/// What is about how it is for somebody from now on, in the fields in which it was asked for.
fn write_setting(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Ignored { nick, is_ignored } => {
            to.text("nick", nick.as_str());
            to.switch("on", *is_ignored);
        }
        Event::Away { text } => {
            to.switch("on", text.is_some());
            to.text_if("reason", text.as_deref().filter(|reason| !reason.is_empty()));
        }
        Event::Quiet { is_on } => to.switch("on", *is_on),
        Event::Time { zone } => {
            to.switch("on", zone.is_some());
            if let Some(Zone::Offset(minutes)) = zone {
                let (sign, ahead) = (if *minutes < 0 { '-' } else { '+' }, minutes.unsigned_abs());
                to.text("zone", &format!("{sign}{:02}:{:02}", ahead / 60, ahead % 60));
            }
        }
        Event::Set(setting) => {
            let (name, is_on) = match *setting {
                Setting::Color(color) => ("color", color != Color::Off),
                Setting::Bell(is_on) => ("bell", is_on),
                Setting::Plain(is_on) => ("plain", is_on),
                Setting::Emoji(is_on) => ("emoji", is_on),
                Setting::Typing(is_on) => ("typing", is_on),
                Setting::Receipts(is_on) => ("receipts", is_on),
                Setting::Ack(is_on) => ("ack", is_on),
            };
            to.text("setting", name);
            to.switch("on", is_on);
            match setting {
                Setting::Color(Color::Dark) => to.text("scheme", "dark"),
                Setting::Color(Color::Light) => to.text("scheme", "light"),
                _ => {}
            }
        }
        Event::Face(face) => to.text(
            "face",
            match face {
                Face::Lines => "lines",
                Face::Terminal => "terminal",
                Face::Json => "json",
            },
        ),
        Event::ReplayLines { lines } => to.number("count", *lines as u64),
        other => unreachable!("{other:?} is no setting"),
    }
}

/// What is about one room.
fn write_of_room(event: &Event, to: &mut Object<'_>) {
    let mut begin = |room: &RoomName| to.text("room", room.as_str());
    match event {
        Event::Came { room, nick } | Event::Left { room, nick } | Event::Typing { room, nick } => {
            begin(room);
            to.text("from", nick.as_str());
        }
        Event::Tally { room, came, left } => {
            begin(room);
            to.number("came", u64::from(*came));
            to.number("left", u64::from(*left));
        }
        Event::Made { room, is_locked } => {
            begin(room);
            to.switch("locked", *is_locked);
        }
        Event::Current { room }
        | Event::CloseAsked { room }
        | Event::StaysOut { room }
        | Event::Paste(PasteNews::Begun { room }) => begin(room),
        Event::YouLeft { room, current } => {
            begin(room);
            to.text_if("current", current.as_ref().map(RoomName::as_str));
        }
        Event::Topic { room, topic } => {
            begin(room);
            to.text_if("topic", topic.as_deref());
        }
        Event::TopicSet { room, nick, topic } => {
            begin(room);
            to.text("from", nick.as_str());
            to.text_if("topic", topic.as_deref());
        }
        Event::LockSet { room, nick, is_locked } => {
            begin(room);
            to.text("from", nick.as_str());
            to.switch("locked", *is_locked);
        }
        Event::Closed { room, nick, current } => {
            begin(room);
            to.text("from", nick.as_str());
            to.text_if("current", current.as_ref().map(RoomName::as_str));
        }
        other => unreachable!("{other:?} is not about one room"),
    }
}

/// All the rest.
fn write_other(event: &Event, to: &mut Object<'_>) {
    match event {
        Event::Greeting { people: Some(people), .. } => to.number("count", *people as u64),
        Event::IsAway { nick, text } => {
            to.text("nick", nick.as_str());
            to.text_if("reason", Some(&**text).filter(|reason| !reason.is_empty()));
        }
        Event::Gone { nick }
        | Event::Receipt(Receipt::Delivered { nick })
        | Event::Receipt(Receipt::Seen { nick }) => {
            to.text("from", nick.as_str());
        }
        Event::Renamed { old, new } => {
            to.text("from", old.as_str());
            to.text("nick", new.as_str());
        }
        Event::YouAre { nick }
        | Event::DirectKept { nick }
        | Event::Registered { nick }
        | Event::Unregistered { nick }
        | Event::PasswordWanted { nick, .. } => to.text("nick", nick.as_str()),
        Event::LoginDropped { nick } => to.text_if("nick", nick.as_ref().map(Nick::as_str)),
        Event::Help => to.texts("actions", ACTIONS.iter().map(|action| action.name)),
        Event::HelpOn(verb) => {
            let action = Action::of(*verb);
            to.text("action", action.name);
            to.text("takes", &action.takes());
        }
        Event::Slowed { per_second } => to.number("rate", u64::from(*per_second)),
        Event::Dropped { lines } => to.number("count", *lines),
        Event::Keeping { is_kept } => to.switch("on", *is_kept),
        Event::Stop(StopNews::In { seconds, why }) => {
            to.number("count", *seconds);
            to.text_if("reason", Some(&**why).filter(|why| !why.is_empty()));
        }
        Event::Refused(refusal) => to.text("code", refusal.code().word()),
        Event::Bye { nick, parting } => {
            to.text_if("nick", nick.as_ref().map(Nick::as_str));
            to.text("reason", reason(*parting));
        }
        Event::Greeting { people: None, .. }
        | Event::NameWanted
        | Event::Motd { .. }
        | Event::NoTerminal
        | Event::Paste(PasteNews::LeftOut)
        | Event::Paste(PasteNews::Dropped)
        | Event::Receipt(Receipt::NotDelivered)
        | Event::Taken { .. }
        | Event::PasswordChanged
        | Event::TypingShows
        | Event::Stop(StopNews::Off)
        | Event::Interrupted
        | Event::Here => {}
        other => unreachable!("{other:?} has fields of another kind"),
    }
}

/// Why a connection ends, in one word; the code where there is one.
fn reason(parting: Parting) -> &'static str {
    match parting {
        Parting::Quit => "quit",
        Parting::EndOfInput => "end-of-input",
        Parting::Lost => "lost",
        Parting::TakenOver => "taken-over",
        Parting::TokenDropped => "token-dropped",
        Parting::Shutdown => "shutdown",
        Parting::ServerFull
        | Parting::TooManyFromHere
        | Parting::TooOftenFromHere
        | Parting::WrongProtocol(_)
        | Parting::NoName
        | Parting::Kicked
        | Parting::Banned
        | Parting::TooSlow => parting.code().map_or("", |code| code.word()),
    }
}
