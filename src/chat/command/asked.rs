//! The arguments of all that is about accounts, rooms, operators and tokens, and of what says how a
//! connection is to be served.
//!
//! Promises: `None` for anything that the row in the table does not allow. Deliberately judges no
//! name.

use super::super::settings::{Color, Setting};
use super::super::slow::SLOW_SECS_MAX;
use super::{Command, Verb, name_of, split_word, switch};

/// The most lines a second that a token may be made for.
pub const RATE_MAX: u32 = 1_000_000;

/// `new NAME [ROOMS] [RATE]`, `list`, `drop NAME`. Rooms are one word with commas; a rate is a
/// number of lines a second.
pub(super) fn token(given: Option<&str>) -> Option<Command<'_>> {
    let (order, rest) = split_word(given?);
    let mut words = rest.split_whitespace();
    let (first, second, third) = (words.next(), words.next(), words.next());
    if words.next().is_some() {
        return None;
    }
    match (order.to_ascii_lowercase().as_str(), first, second, third) {
        ("list", None, ..) => Some(Command::Tokens),
        ("drop", Some(name), None, _) => Some(Command::TokenDrop(name_of(name))),
        // A number is a rate; a room that is called so has its mark before it.
        ("new", Some(name), Some(word), None) if word.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(Command::TokenNew(name_of(name), "", Some(rate(word)?)))
        }
        ("new", Some(name), rooms, None) => {
            Some(Command::TokenNew(name_of(name), rooms.unwrap_or_default(), None))
        }
        ("new", Some(name), Some(rooms), Some(word)) => {
            Some(Command::TokenNew(name_of(name), rooms, Some(rate(word)?)))
        }
        _ => None,
    }
}

/// A number of lines a second.
fn rate(word: &str) -> Option<u32> {
    word.parse().ok().filter(|rate| (1..=RATE_MAX).contains(rate))
}

/// What is about a name that is somebody's, with what was given.
pub(super) fn account(verb: Verb, given: Option<&str>) -> Option<Command<'_>> {
    let given = given?;
    let (first, rest) = split_word(given);
    let second = Some(rest).filter(|rest| !rest.is_empty());
    match verb {
        Verb::Register => Some(match second {
            Some(password) => Command::Register(Some(first), password),
            None => Command::Register(None, first),
        }),
        Verb::Login => Some(Command::Login(name_of(first), second)),
        Verb::Password => Some(Command::Password(first, second?)),
        Verb::Unregister => Some(Command::Unregister(given)),
        _ => None,
    }
}

/// `/topic`, with what was given. A lone `-` removes the topic.
pub(super) fn topic(given: Option<&str>) -> Command<'_> {
    let Some(given) = given else {
        return Command::Topic(None);
    };
    let as_text = |text| Some(text).filter(|text| *text != "-");
    let Some(addressed) = given.strip_prefix('#') else {
        return Command::SetTopic(None, as_text(given));
    };
    match split_word(addressed) {
        (room, "") => Command::Topic(Some(room)),
        (room, text) => Command::SetTopic(Some(room), as_text(text)),
    }
}

/// A room and its password, which may have blanks in it.
pub(super) fn lock(given: Option<&str>) -> Option<Command<'_>> {
    let (room, password) = split_word(given?);
    (!password.is_empty()).then(|| Command::Lock(name_of(room), password))
}

/// A room with its mark, or none, and a nick; who lists operators needs no nick.
pub(super) fn operator(verb: Verb, given: Option<&str>) -> Option<Command<'_>> {
    let given = given.unwrap_or_default();
    let (room, nick) = match given.starts_with('#') {
        true => split_word(given),
        false => ("", given),
    };
    let room = (!room.is_empty()).then(|| name_of(room));
    let nick = name_of(nick);
    let is_plain = room != Some("") && !nick.contains(' ');
    match verb {
        _ if !is_plain => None,
        Verb::Op if nick.is_empty() => Some(Command::Operators(room)),
        Verb::Op => Some(Command::Op(room, nick)),
        _ if nick.is_empty() => None,
        _ => Some(Command::Deop(room, nick)),
    }
}

/// A room, and seconds or `off`.
pub(super) fn slow(given: Option<&str>) -> Option<Command<'_>> {
    let (room, word) = split_word(given?);
    let seconds = match switch(word) {
        Some(false) => 0,
        _ => word.parse().ok().filter(|seconds| *seconds <= SLOW_SECS_MAX)?,
    };
    Some(Command::Slow(name_of(room), seconds)).filter(|_| !name_of(room).is_empty())
}

/// The id of a line.
pub(super) fn id(given: Option<&str>) -> Option<u64> {
    let digits = given?.strip_prefix('#').or(given)?;
    digits.parse().ok().filter(|id| *id > 0)
}

/// What a connection wants to be.
pub(super) fn face(verb: Verb, trimmed: &str) -> Option<Command<'static>> {
    match verb {
        Verb::Tty => switch_or_on(trimmed).map(Command::Tty),
        Verb::Telnet if trimmed.is_empty() => Some(Command::Telnet),
        Verb::Json if trimmed.is_empty() => Some(Command::Json),
        _ => None,
    }
}

/// What is otherwise from now on.
pub(super) fn setting(verb: Verb, trimmed: &str) -> Option<Setting> {
    Some(match verb {
        Verb::Color => Setting::Color(color(trimmed)?),
        Verb::Bell => Setting::Bell(switch(trimmed)?),
        Verb::Plain => Setting::Plain(switch_or_on(trimmed)?),
        Verb::Emoji => Setting::Emoji(switch(trimmed)?),
        Verb::Typing => Setting::Typing(switch(trimmed)?),
        Verb::Receipts => Setting::Receipts(switch(trimmed)?),
        Verb::Ack => Setting::Ack(switch(trimmed)?),
        _ => return None,
    })
}

/// `on` or `off`; nothing is `on`.
fn switch_or_on(word: &str) -> Option<bool> {
    if word.is_empty() { Some(true) } else { switch(word) }
}

fn color(word: &str) -> Option<Color> {
    match switch(word) {
        Some(true) => Some(Color::On),
        Some(false) => Some(Color::Off),
        None if word.eq_ignore_ascii_case("dark") => Some(Color::Dark),
        None if word.eq_ignore_ascii_case("light") => Some(Color::Light),
        None => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::super::event::Refusal;
    use super::*;

    #[test]
    fn every_form_is_known() {
        for (line, command) in [
            ("/token list", Command::Tokens),
            ("/token drop @ci", Command::TokenDrop("ci")),
            ("/token new ci", Command::TokenNew("ci", "", None)),
            ("/token NEW ci ops,#dev", Command::TokenNew("ci", "ops,#dev", None)),
            ("/token new ci 5", Command::TokenNew("ci", "", Some(5))),
            ("/token new ci ops 5", Command::TokenNew("ci", "ops", Some(5))),
            ("/op", Command::Operators(None)),
            ("/op #dev", Command::Operators(Some("dev"))),
            ("/op @bob", Command::Op(None, "bob")),
            ("/op #dev bob", Command::Op(Some("dev"), "bob")),
            ("/deop #dev  @bob", Command::Deop(Some("dev"), "bob")),
            ("/slow dev 30", Command::Slow("dev", 30)),
            ("/slow #dev OFF", Command::Slow("dev", 0)),
            ("/announce  down at noon", Command::Announce("down at noon")),
            ("/paste", Command::Paste(None)),
            ("/paste #dev", Command::Paste(Some("dev"))),
            ("/show 12", Command::Show(12)),
            ("/tty", Command::Tty(true)),
            ("/tty off", Command::Tty(false)),
            ("/telnet", Command::Telnet),
            ("/json", Command::Json),
            ("/colour LIGHT", Command::Set(Setting::Color(Color::Light))),
            ("/color off", Command::Set(Setting::Color(Color::Off))),
            ("/plain", Command::Set(Setting::Plain(true))),
            ("/ack on", Command::Set(Setting::Ack(true))),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line:?}");
        }
        for (line, verb) in [
            ("/token", Verb::Token),
            ("/token new", Verb::Token),
            ("/token new ci ops often", Verb::Token),
            ("/token drop", Verb::Token),
            ("/token list all", Verb::Token),
            ("/op # bob", Verb::Op),
            ("/op bob carol", Verb::Op),
            ("/deop", Verb::Deop),
            ("/deop #dev", Verb::Deop),
            ("/slow dev", Verb::Slow),
            ("/slow dev 3601", Verb::Slow),
            ("/slow # 5", Verb::Slow),
            ("/announce", Verb::Announce),
            ("/paste two rooms", Verb::Paste),
            ("/show", Verb::Show),
            ("/show 0", Verb::Show),
            ("/tty perhaps", Verb::Tty),
            ("/color red", Verb::Color),
            ("/json off", Verb::Json),
            ("/telnet now", Verb::Telnet),
            ("/token new ci 0", Verb::Token),
            ("/token new ci 2000000", Verb::Token),
            ("/ack", Verb::Ack),
        ] {
            assert_eq!(Command::parse(line), Err(Refusal::Usage(verb)), "{line:?}");
        }
    }
}
