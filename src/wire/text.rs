//! The only English that a client sees: the sentence of each event and of each refusal.
//!
//! Promises: a notice begins with `* `, a refusal with `! ` and its code, every line of it; text
//! that a user typed never stands at the beginning of a line. Answers that list much wrap at
//! [`COLUMNS`]. Deliberately no bytes and no line ends of the wire: [`super::render`] adds them.

pub mod block;
pub mod editing;
mod json;
mod kept;
mod moderation;
mod past;
pub mod prompt;
mod ranks;
mod refused;
mod set;

use std::time::Duration;

use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::chat::event::{Event, Parting, Profile, Roll, RoomRow};
use crate::chat::event::{Receipt, StopNews, Stranger, Zone};
use crate::chat::name::Nick;
use crate::chat::network;

use super::Clock;
use super::clean::clean;
use super::help;

/// How wide a line of `/who`, `/rooms` and `/help` may be, in columns of the terminal.
pub const COLUMNS: usize = 78;

/// How many bytes a line that is cut to columns has at most for each of them.
const BYTES_PER_COLUMN_MAX: usize = 16;

/// How many characters of what somebody typed a refusal quotes.
const QUOTED_CHARS: usize = 40;

/// The lines of an event, each ending with LF.
pub fn of(event: &Event, clock: Clock) -> String {
    match event {
        Event::Moderated(_) | Event::PutOut { .. } => moderation::of(event, clock),
        Event::Expelled { .. } | Event::Listed { .. } => moderation::of(event, clock),
        Event::Refused(refusal) => refused::of(refusal, clock),
        Event::Bye { nick, parting } => bye(nick.as_ref(), *parting),
        Event::Everybody { .. } | Event::Members { .. } | Event::Ignoring { .. } => people(event),
        Event::Profile(profile) => profile_text(profile, clock),
        Event::Rooms { rows, total } => rooms(rows, *total),
        Event::Taken { number } => format!("+ {number}\n"),
        Event::Help => help::screen(),
        Event::HelpOn(verb) => wrapped(&help::paragraph(*verb)),
        Event::Replay { room, lines } => past::replay(room.as_str(), lines, clock),
        Event::Paste(_) | Event::Whole { .. } => block::of(event, clock),
        Event::History { .. } | Event::Found { .. } | Event::Directs { .. } => {
            past::past(event, clock)
        }
        Event::PasswordWanted { .. } => wrapped(&kept::kept(event)),
        Event::Token(news) => kept::token(news),
        Event::Motd { text } => motd(text),
        Event::Joined { room, others, topic } => joined(room.as_str(), others, topic.as_deref()),
        Event::Said { .. }
        | Event::Acted { .. }
        | Event::Block { .. }
        | Event::Whispered { .. } => unreachable!("what people say has no words of ours"),
        Event::Greeting { .. }
        | Event::NameWanted
        | Event::Welcome { .. }
        | Event::IsAway { .. }
        | Event::Came { .. }
        | Event::Left { .. }
        | Event::Gone { .. }
        | Event::Tally { .. }
        | Event::Renamed { .. }
        | Event::YouAre { .. }
        | Event::Made { .. }
        | Event::Current { .. }
        | Event::YouLeft { .. }
        | Event::Topic { .. }
        | Event::TopicSet { .. }
        | Event::Slowed { .. }
        | Event::Dropped { .. }
        | Event::Stop(_)
        | Event::Interrupted
        | Event::Here => format!("* {}\n", notice(event)),
        Event::Ignored { .. }
        | Event::Away { .. }
        | Event::Quiet { .. }
        | Event::Time { .. }
        | Event::Receipt(_)
        | Event::Typing { .. }
        | Event::Set(_)
        | Event::Face(_)
        | Event::NoTerminal
        | Event::ReplayLines { .. } => format!("* {}\n", setting(event)),
        Event::Rank(news) => ranks::ranks(news),
        Event::Keeping { .. }
        | Event::LockSet { .. }
        | Event::CloseAsked { .. }
        | Event::Closed { .. }
        | Event::Back { .. }
        | Event::StaysOut { .. }
        | Event::DirectKept { .. }
        | Event::Registered { .. }
        | Event::Unregistered { .. }
        | Event::PasswordChanged
        | Event::TypingShows
        | Event::LoginDropped { .. } => format!("* {}\n", kept::kept(event)),
    }
}

/// As many notices as it has lines, each as clean as what people type.
fn motd(text: &str) -> String {
    text.lines().map(|line| format!("* {}\n", clean(line.as_bytes()))).collect()
}

/// The sentence of an event that is one short line.
fn notice(event: &Event) -> String {
    match event {
        Event::Greeting { people, is_for_members } => greeting(*people, *is_for_members),
        Event::NameWanted => "type a name and press Enter, for example: alice".to_owned(),
        Event::Welcome { nick, is_guest, lobby } => {
            let place = lobby.as_ref().map(|(room, others)| match others.total {
                0 => format!(", in #{room}. Nobody else is here yet"),
                _ => format!(", in #{room} with {}", list(others, " and ")),
            });
            let hint = match (is_guest, &place) {
                (true, _) => "/nick NAME renames you.",
                (false, None) => "/join ROOM enters a room, /rooms lists them.",
                (false, Some(_)) => "Type a line to say it to them.",
            };
            let hint = match lobby {
                Some((_, others)) if others.total == 0 && !is_guest => "Type a line for who comes.",
                _ => hint,
            };
            format!("you are {nick}{}. {hint}", place.unwrap_or_default())
        }
        Event::IsAway { nick, text } => away_text(nick, text),
        Event::Came { room, nick } => format!("#{room}: {nick} came"),
        Event::Left { room, nick } => format!("#{room}: {nick} left"),
        Event::Gone { nick } => format!("{nick} left"),
        Event::Tally { room, came, left } => match (came, left) {
            (came, 0) => format!("#{room}: {came} came"),
            (0, left) => format!("#{room}: {left} left"),
            (came, left) => format!("#{room}: {came} came, {left} left"),
        },
        Event::Renamed { old, new } => format!("{old} is now {new}"),
        Event::YouAre { nick } => format!("you are {nick} now"),
        Event::Made { room, is_locked: false } => format!("you made #{room}"),
        Event::Made { room, is_locked: true } => format!("you made #{room}, locked"),
        Event::Current { room } => format!("you are in #{room}; what you type is said there now"),
        Event::YouLeft { room, current: None } => {
            format!("you left #{room}; you are in no room now: /join ROOM enters one")
        }
        Event::YouLeft { room, current: Some(current) } => {
            format!("you left #{room}; what you type is said in #{current} now")
        }
        Event::Topic { room, topic: None } => {
            format!("#{room} has no topic: /topic #{room} TEXT sets one")
        }
        Event::Topic { room, topic: Some(topic) } => format!("#{room} topic: {topic}"),
        Event::TopicSet { room, nick, topic: None } => {
            format!("#{room}: {nick} removed the topic")
        }
        Event::TopicSet { room, nick, topic: Some(topic) } => {
            format!("#{room}: {nick} set the topic: {topic}")
        }
        Event::Slowed { per_second } => format!(
            "you send faster than {}: your lines wait their turn, none is lost",
            count(u64::from(*per_second), "line") + " a second"
        ),
        Event::Dropped { lines: 1 } => {
            "1 line was dropped here: you read too slowly; /history shows what was said".to_owned()
        }
        Event::Dropped { lines } => format!(
            "{lines} lines were dropped here: you read too slowly; /history shows what was said"
        ),
        Event::Stop(news) => stop_text(news),
        Event::Interrupted => "interrupted; to leave, type quit and press Enter".to_owned(),
        Event::Here => "yes, chatline is here".to_owned(),
        other => unreachable!("{other:?} is no notice"),
    }
}

fn stop_text(news: &StopNews) -> String {
    let StopNews::In { seconds, why } = news else {
        return "the server does not stop after all".to_owned();
    };
    let when = match seconds {
        0 => "now".to_owned(),
        seconds => format!("in {}", count(*seconds, "second")),
    };
    match &**why {
        "" => format!("the server stops {when}"),
        why => format!("the server stops {when}: {why}"),
    }
}

/// The sentence of how it is for somebody from now on.
fn setting(event: &Event) -> String {
    match event {
        Event::Ignored { nick, is_ignored: true } => {
            format!("you hear nothing of {nick} from now on; /unignore {nick} ends that")
        }
        Event::Ignored { nick, is_ignored: false } => format!("you hear {nick} again"),
        Event::Away { text: None } => "you are no longer away".to_owned(),
        Event::Away { text: Some(text) } if text.is_empty() => {
            "you are away; /away again when you are back".to_owned()
        }
        Event::Away { text: Some(text) } => {
            format!("you are away; /away again when you are back. Who whispers is told: {text}")
        }
        Event::Quiet { is_on: true } => "comings and goings are hidden from you".to_owned(),
        Event::Quiet { is_on: false } => "comings and goings are shown to you".to_owned(),
        Event::Time { zone } => time_text(*zone),
        Event::Receipt(Receipt::Delivered { nick }) => format!("{nick} has your line"),
        Event::Receipt(Receipt::NotDelivered) => {
            "your line did not arrive: its reader is gone".to_owned()
        }
        Event::Receipt(Receipt::Seen { nick }) => format!("{nick} has seen your line"),
        Event::Typing { room, nick } => format!("#{room}: {nick} is typing"),
        Event::Set(setting) => set::set(*setting).to_owned(),
        Event::Face(face) => set::face(*face).to_owned(),
        Event::NoTerminal => "your telnet goes on editing your lines itself".to_owned(),
        Event::ReplayLines { lines: 0 } => "joining a room shows you no earlier lines".to_owned(),
        Event::ReplayLines { lines } => {
            format!("joining a room shows you up to {}", count(*lines as u64, "earlier line"))
        }
        other => unreachable!("{other:?} is no setting"),
    }
}

/// Who is where, or ignored.
fn people(event: &Event) -> String {
    wrapped(&match event {
        Event::Everybody { roll } => everybody(roll),
        Event::Members { room, roll } => members(room.as_str(), roll),
        Event::Ignoring { nicks } => ignoring(nicks),
        other => unreachable!("{other:?} is not about people"),
    })
}

fn everybody(roll: &Roll) -> String {
    match roll.total {
        0 => "nobody has a name here yet".to_owned(),
        1 => format!("1 person is here: {}", list(roll, " and ")),
        total => format!("{total} people are here: {}", list(roll, " and ")),
    }
}

fn ignoring(nicks: &[Nick]) -> String {
    let nicks: Vec<_> = nicks.iter().map(Nick::as_str).collect();
    format!("you ignore {}", if nicks.is_empty() { "nobody".into() } else { nicks.join(", ") })
}

fn members(room: &str, roll: &Roll) -> String {
    match roll.total {
        0 => format!("nobody is in #{room}"),
        total => format!("#{room} ({total} here): {}", list(roll, " and ")),
    }
}

fn joined(room: &str, others: &Roll, topic: Option<&str>) -> String {
    let topic = topic.map(|topic| format!("* #{room} topic: {topic}\n")).unwrap_or_default();
    let who = match others.total {
        0 => "nobody else".to_owned(),
        _ => list(others, ", "),
    };
    let here = others.total + 1;
    format!("* you joined #{room}: {who} ({here} here)\n{topic}")
}

fn greeting(people: Option<usize>, is_for_members: bool) -> String {
    let begin = match (people, is_for_members) {
        (Some(people), false) => format!("{}. Type a", here(people)),
        (Some(people), true) => format!("{}. Members only: type your", here(people)),
        (None, _) => "members only: type your".to_owned(),
    };
    format!("chatline: {begin} name and press Enter (or /help, quit).")
}

fn here(people: usize) -> String {
    match people {
        0 => "nobody is here yet".to_owned(),
        1 => "1 person is here".to_owned(),
        people => format!("{people} people are here"),
    }
}

fn time_text(zone: Option<Zone>) -> String {
    match zone {
        None => "your lines carry no time".to_owned(),
        Some(Zone::Server) => "each line to you begins with the server's time".to_owned(),
        Some(Zone::Offset(minutes)) => {
            let sign = if minutes < 0 { '-' } else { '+' };
            let minutes = minutes.unsigned_abs();
            let (hours, minutes) = (minutes / 60, minutes % 60);
            format!("each line to you begins with the time at UTC{sign}{hours:02}:{minutes:02}")
        }
    }
}

fn profile_text(profile: &Profile, clock: Clock) -> String {
    let nick = &profile.nick;
    let mut rooms: Vec<_> = profile.rooms.iter().map(|room| format!("#{room}")).collect();
    if profile.rooms_more > 0 {
        rooms.push(format!("{} more", profile.rooms_more));
    }
    let rooms = match rooms.is_empty() {
        true => "in no open room".to_owned(),
        false => format!("in {}", rooms.join(", ")),
    };
    let owner = profile.owner.as_ref().map(|owner| format!("a bot of {owner}, "));
    let since = clock.show(profile.since_unix);
    let (span, idle) = (how_long(profile.span), how_long(profile.idle));
    let id = profile.id;
    let from = profile.address.map(|address| format!("from {}, ", network::shown(address)));
    let (owner, from) = (owner.unwrap_or_default(), from.unwrap_or_default());
    let place = wrapped(&format!("{nick}: {owner}{from}{rooms}"));
    let away = profile.away.as_ref().map(|text| format!("* {}\n", away_text(nick, text)));
    let away = away.unwrap_or_default();
    let times = format!("here since {since} ({span}), idle for {idle}");
    format!("{place}* {nick}: {times}, id {id:016x}\n{away}")
}

fn away_text(nick: &Nick, text: &str) -> String {
    match text {
        "" => format!("{nick} is away"),
        text => format!("{nick} is away: {text}"),
    }
}

/// A span in its largest sensible unit.
fn how_long(span: Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => count(seconds, "second"),
        120..7_200 => count(seconds / 60, "minute"),
        7_200..172_800 => count(seconds / 3_600, "hour"),
        _ => count(seconds / 86_400, "day"),
    }
}

fn count(number: u64, what: &str) -> String {
    match number {
        1 => format!("1 {what}"),
        number => format!("{number} {what}s"),
    }
}

/// The names of a roll, and how many more there are; `last` stands before the last of two or more.
fn list(roll: &Roll, last: &str) -> String {
    let name = |(nick, is_away): &(Nick, bool)| match is_away {
        true => format!("{nick} (away)"),
        false => nick.to_string(),
    };
    let names: Vec<_> = roll.shown.iter().map(name).collect();
    let more = roll.total.saturating_sub(names.len());
    if more > 0 {
        return format!("{} and {more} more", names.join(", "));
    }
    match names.split_last() {
        Some((end, names)) if !names.is_empty() => format!("{}{last}{end}", names.join(", ")),
        _ => names.join(""),
    }
}

fn rooms(rows: &[RoomRow], total: usize) -> String {
    if rows.is_empty() {
        return "* there is no room yet: /join NAME makes one\n".to_owned();
    }
    let mut lines = String::new();
    for row in rows {
        let line = match row {
            RoomRow::Locked { room } => format!("* #{room}  (locked)"),
            RoomRow::Open { room, members, topic, is_locked } => {
                let lock = if *is_locked { ", locked" } else { "" };
                let topic = topic.as_ref().map(|topic| format!("  {topic}"));
                format!("* #{room}  ({members} here{lock}){}", topic.unwrap_or_default())
            }
        };
        lines.push_str(&clipped(&line, COLUMNS));
        lines.push('\n');
    }
    if total > rows.len() {
        let more = count((total - rows.len()) as u64, "room");
        lines.push_str(&format!("* and {more} more; /who #ROOM looks into one\n"));
    }
    lines
}

fn bye(nick: Option<&Nick>, parting: Parting) -> String {
    let whom = nick.map(|nick| format!(", {nick}")).unwrap_or_default();
    let prompt = "If your prompt does not come back, press Enter.";
    let text = match parting {
        Parting::Quit => return format!("* bye{whom}. {prompt}\n"),
        Parting::EndOfInput | Parting::Lost => return format!("* bye{whom}.\n"),
        Parting::Shutdown => {
            return format!("* bye{whom}: the server is stopping. {prompt}\n");
        }
        Parting::TakenOver => {
            return format!("* bye{whom}: you logged in from elsewhere. {prompt}\n");
        }
        Parting::TokenDropped => {
            return format!("* bye{whom}: your token was taken back. {prompt}\n");
        }
        Parting::ServerFull => "as many people are here as fit in: try again later".to_owned(),
        Parting::TooManyFromHere => {
            "your address has as many connections as it may: end one of them first".to_owned()
        }
        Parting::TooOftenFromHere => {
            "connections come from your address too often: wait a minute, then connect again"
                .to_owned()
        }
        Parting::WrongProtocol(stranger) => {
            let not = |spoken| {
                format!("this is chatline, plain lines of text over TCP, and not {spoken}: use nc")
            };
            match stranger {
                Stranger::Http => not("HTTP"),
                Stranger::Tls => not("TLS"),
                Stranger::Ssh => not("SSH"),
                Stranger::Plain => {
                    "this port is for TLS: connect with ncat --ssl HOST PORT".to_owned()
                }
            }
        }
        Parting::NoName => "no name came in time: connect again and type one".to_owned(),
        Parting::Kicked => "an operator put you off the server".to_owned(),
        Parting::Banned => "an operator keeps you off the server".to_owned(),
        Parting::TooSlow => "you have read nothing for too long: connect again".to_owned(),
    };
    let code = parting.code().map_or("", |code| code.word());
    format!("! {code} {text}\n")
}

/// What somebody typed, cut to a length that a sentence bears.
fn quoted(typed: &str) -> String {
    match typed.char_indices().nth(QUOTED_CHARS) {
        None => typed.to_owned(),
        Some((end, _)) => format!("{}…", &typed[..end]),
    }
}

/// A line cut to so many columns, at a character as people see it; and to a bounded length, for
/// what takes no column.
fn clipped(line: &str, columns: usize) -> String {
    let (mut width, mut end) = (0, 0);
    for (at, grapheme) in line.grapheme_indices(true) {
        width += grapheme.width();
        if width > columns || at + grapheme.len() > columns * BYTES_PER_COLUMN_MAX {
            return format!("{}…", &line[..end]);
        }
        // The mark of the cut takes a column itself.
        if width < columns {
            end = at + grapheme.len();
        }
    }
    line.to_owned()
}

/// A notice of as many lines as it takes.
pub(super) fn wrapped(text: &str) -> String {
    let options = Options::new(COLUMNS)
        .initial_indent("* ")
        .subsequent_indent("* ")
        .word_separator(WordSeparator::AsciiSpace)
        // A name may have a hyphen in it.
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false);
    let mut lines = textwrap::fill(text, options);
    lines.push('\n');
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_by_columns_and_never_endless() {
        assert_eq!(clipped("abcd", 4), "abcd");
        assert_eq!(clipped("abcde", 4), "abc…");
        assert_eq!(clipped("日本語", 4), "日…");
        assert_eq!(clipped("日本", 4), "日本");
        for filler in ["\u{3164}", "\u{301}", "e\u{301}\u{302}\u{303}", "\u{1160}\u{11a8}"] {
            let cut = clipped(&format!("* {}", filler.repeat(2000)), COLUMNS);
            assert!(cut.width() <= COLUMNS && cut.len() <= COLUMNS * BYTES_PER_COLUMN_MAX + 3);
        }
    }
}
