//! The arguments of `/token`, `/show`, and of all that says how a connection is to be served.
//!
//! Promises: `None` for anything that the row in the table does not allow. Deliberately judges no
//! name.

use super::super::settings::{Color, Setting};
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
