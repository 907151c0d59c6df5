//! What a line may ask: the one table of commands, and the parser that follows from it.
//!
//! Promises: a line becomes exactly one [`Command`] or one [`Refusal`], without a look at who is
//! here. `/help` and `protocol.md` list [`TABLE`]; a row added there is missed by the compiler in
//! the parser, in the rules and in `wire::text`. Deliberately knows no user and no room: names are
//! handed on as typed.

mod asked;
mod moderate;
mod past;

pub use asked::RATE_MAX;
pub use moderate::{Measure, Moderation, Where, Who};
pub use past::{SPAN_SECS_MAX, Since};

use super::event::{Refusal, Zone};
use super::name::nearest;
use super::settings::Setting;

/// The commands that begin with a slash (and `quit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the command of its name; the table below has the arguments.
pub enum Verb {
    Join,
    Leave,
    Who,
    Rooms,
    Nick,
    Topic,
    Me,
    Whisper,
    Ignore,
    Unignore,
    Away,
    Quiet,
    Time,
    Replay,
    History,
    Search,
    Register,
    Login,
    Password,
    Unregister,
    Lock,
    Unlock,
    Close,
    Op,
    Deop,
    Slow,
    Announce,
    Kick,
    Ban,
    Unban,
    Mute,
    Unmute,
    Token,
    Paste,
    Show,
    Tty,
    Telnet,
    Color,
    Bell,
    Plain,
    Emoji,
    Typing,
    Receipts,
    Json,
    Ack,
    Help,
    Quit,
}

/// One command: its words and its arguments.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// What it is.
    pub verb: Verb,
    /// What may stand after the slash, in lower case; the first is the name, the rest are aliases.
    pub names: &'static [&'static str],
    /// The arguments as help shows them; square brackets mark what may be left out.
    pub arguments: &'static str,
}

/// Every command, in the order in which help lists them.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    Row { verb: Verb::Join, names: &["join"], arguments: "ROOM [PASSWORD]" },
    Row { verb: Verb::Leave, names: &["leave"], arguments: "[ROOM]" },
    Row { verb: Verb::Who, names: &["who"], arguments: "[#ROOM or NICK]" },
    Row { verb: Verb::Rooms, names: &["rooms"], arguments: "" },
    Row { verb: Verb::Nick, names: &["nick"], arguments: "NAME" },
    Row { verb: Verb::Topic, names: &["topic"], arguments: "[#ROOM] [TEXT]" },
    Row { verb: Verb::Me, names: &["me"], arguments: "TEXT" },
    Row { verb: Verb::Whisper, names: &["whisper", "msg"], arguments: "NICK TEXT" },
    Row { verb: Verb::Ignore, names: &["ignore"], arguments: "[NICK]" },
    Row { verb: Verb::Unignore, names: &["unignore"], arguments: "NICK" },
    Row { verb: Verb::Away, names: &["away"], arguments: "[TEXT]" },
    Row { verb: Verb::Quiet, names: &["quiet"], arguments: "on|off" },
    Row { verb: Verb::Time, names: &["time"], arguments: "on|off|±HH:MM" },
    Row { verb: Verb::Replay, names: &["replay"], arguments: "N" },
    Row {
        verb: Verb::History,
        names: &["history"],
        arguments: "[ROOM] [N, since TIME, before ID or after ID]",
    },
    Row { verb: Verb::Search, names: &["search"], arguments: "WORDS [in ROOM] [by NICK]" },
    Row { verb: Verb::Register, names: &["register"], arguments: "[CODE] PASSWORD" },
    Row { verb: Verb::Login, names: &["login"], arguments: "NICK [PASSWORD]" },
    Row { verb: Verb::Password, names: &["password"], arguments: "OLD NEW" },
    Row { verb: Verb::Unregister, names: &["unregister"], arguments: "PASSWORD" },
    Row { verb: Verb::Lock, names: &["lock"], arguments: "ROOM PASSWORD" },
    Row { verb: Verb::Unlock, names: &["unlock"], arguments: "ROOM" },
    Row { verb: Verb::Close, names: &["close"], arguments: "ROOM" },
    Row { verb: Verb::Op, names: &["op"], arguments: "[#ROOM] [NICK]" },
    Row { verb: Verb::Deop, names: &["deop"], arguments: "[#ROOM] NICK" },
    Row { verb: Verb::Slow, names: &["slow"], arguments: "ROOM SECONDS" },
    Row { verb: Verb::Announce, names: &["announce"], arguments: "TEXT" },
    Row { verb: Verb::Kick, names: &["kick"], arguments: "[#ROOM or *] NICK [WHY]" },
    Row {
        verb: Verb::Ban,
        names: &["ban"],
        arguments: "[#ROOM or *] [NICK or ADDRESS] [TIME] [WHY]",
    },
    Row { verb: Verb::Unban, names: &["unban"], arguments: "[#ROOM or *] NICK or ADDRESS" },
    Row { verb: Verb::Mute, names: &["mute"], arguments: "[#ROOM or *] [NICK] [TIME] [WHY]" },
    Row { verb: Verb::Unmute, names: &["unmute"], arguments: "[#ROOM or *] NICK" },
    Row {
        verb: Verb::Token,
        names: &["token"],
        arguments: "new NAME [ROOMS] [RATE], list, or drop NAME",
    },
    Row { verb: Verb::Paste, names: &["paste"], arguments: "[ROOM]" },
    Row { verb: Verb::Show, names: &["show"], arguments: "ID" },
    Row { verb: Verb::Tty, names: &["tty"], arguments: "[on|off]" },
    Row { verb: Verb::Telnet, names: &["telnet"], arguments: "" },
    Row { verb: Verb::Color, names: &["color", "colour"], arguments: "on|off|dark|light" },
    Row { verb: Verb::Bell, names: &["bell"], arguments: "on|off" },
    Row { verb: Verb::Plain, names: &["plain"], arguments: "[on|off]" },
    Row { verb: Verb::Emoji, names: &["emoji"], arguments: "on|off" },
    Row { verb: Verb::Typing, names: &["typing"], arguments: "on|off" },
    Row { verb: Verb::Receipts, names: &["receipts"], arguments: "on|off" },
    Row { verb: Verb::Json, names: &["json"], arguments: "" },
    Row { verb: Verb::Ack, names: &["ack"], arguments: "on|off" },
    Row { verb: Verb::Help, names: &["help"], arguments: "[COMMAND]" },
    Row { verb: Verb::Quit, names: &["quit", "exit"], arguments: "" },
];

/// The most lines that `/replay` may ask for: as many as a room remembers.
pub const REPLAY_LINES_MAX: usize = 100;

impl Verb {
    /// Its row of the table.
    pub fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.verb == self).expect("every verb has a row in the table")
    }

    /// Its name, without the slash.
    pub fn name(self) -> &'static str {
        self.row().names[0]
    }
}

/// What a line asks. Names are as typed, without a leading `#` or `@`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// An empty line, or one of nothing but blanks.
    Nothing,
    /// Say it in the current room.
    Say(&'a str),
    /// Say it in that room.
    SayIn(&'a str, &'a str),
    /// `/me` in the current room.
    Act(&'a str),
    /// Say it to that person alone.
    Whisper(&'a str, &'a str),
    /// Enter a room, with its password.
    Join(&'a str, Option<&'a str>),
    /// Leave that room, or the current one.
    Leave(Option<&'a str>),
    /// Who is here, or who is that; the argument keeps its `#` or `@`.
    Who(Option<&'a str>),
    /// List the rooms.
    Rooms,
    /// Change the name.
    Nick(&'a str),
    /// Show the topic of that room, or of the current one.
    Topic(Option<&'a str>),
    /// Set the topic of that room, or of the current one; `None` removes it.
    SetTopic(Option<&'a str>, Option<&'a str>),
    /// List whom I ignore.
    Ignores,
    /// Hear no more of somebody.
    Ignore(&'a str),
    /// Hear of somebody again.
    Unignore(&'a str),
    /// Be away with a text; without one, be away, or back.
    Away(Option<&'a str>),
    /// Hide comings and goings, or show them.
    Quiet(bool),
    /// Show times, or none.
    Time(Option<Zone>),
    /// How many earlier lines joining shows.
    Replay(usize),
    /// Show lines that were said in that room, or in the current one.
    History(Option<&'a str>, HistorySpan),
    /// Search for words, in that room, by that person.
    Search(&'a str, Option<&'a str>, Option<&'a str>),
    /// Own the name, with that password; with the code of an invitation, if there is one.
    Register(Option<&'a str>, &'a str),
    /// Be the owner of that name, with that password or one that is asked for.
    Login(&'a str, Option<&'a str>),
    /// Change the password, from the first to the second.
    Password(&'a str, &'a str),
    /// Own the name no longer, with its password.
    Unregister(&'a str),
    /// Lock that room with that password.
    Lock(&'a str, &'a str),
    /// Open that room to everybody.
    Unlock(&'a str),
    /// Close that room.
    Close(&'a str),
    /// List the operators of that room, or of the current one.
    Operators(Option<&'a str>),
    /// Make somebody an operator of that room, or of the current one.
    Op(Option<&'a str>, &'a str),
    /// Make somebody an operator of that room no longer, or of the current one.
    Deop(Option<&'a str>, &'a str),
    /// Let each say one line in so many seconds in that room; 0 for as many as they like.
    Slow(&'a str, u32),
    /// Tell everybody.
    Announce(&'a str),
    /// Put somebody out, keep them out or silent, end that, or list whom that holds for.
    Moderate(Moderation<'a>),
    /// Make a token of that name, for those rooms (none: all), for so many lines a second.
    TokenNew(&'a str, &'a str, Option<u32>),
    /// List the tokens.
    Tokens,
    /// Take back the token of that name.
    TokenDrop(&'a str),
    /// Begin a block for that room, or for the current one.
    Paste(Option<&'a str>),
    /// Show the whole block of that id.
    Show(u64),
    /// Edit lines on the server, or no longer.
    Tty(bool),
    /// Ask a telnet client to let the server edit lines.
    Telnet,
    /// Something is otherwise from now on.
    Set(Setting),
    /// Speak JSON.
    Json,
    /// List the commands.
    Help,
    /// One command in a paragraph.
    HelpOn(Verb),
    /// Leave the server.
    Quit,
}

/// Which lines `/history` shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistorySpan {
    /// The last ones, so many.
    Last(Option<usize>),
    /// The first ones from a time on.
    Since(Since),
    /// The last ones before that id.
    Before(u64),
    /// The first ones after that id.
    After(u64),
}

impl<'a> Command<'a> {
    /// What a clean line asks.
    pub fn parse(line: &'a str) -> Result<Command<'a>, Refusal> {
        if is_blank(line) {
            return Ok(Command::Nothing);
        }
        if let Some(text) = line.strip_prefix(' ') {
            return Ok(Command::Say(text));
        }
        if line.starts_with("//") {
            return Ok(Command::Say(&line[1..]));
        }
        if let Some(rest) = line.strip_prefix('#') {
            return addressed('#', rest).map(|(room, text)| Command::SayIn(room, text));
        }
        if let Some(rest) = line.strip_prefix('@') {
            return addressed('@', rest).map(|(nick, text)| Command::Whisper(nick, text));
        }
        if let Some(rest) = line.strip_prefix('/') {
            return slashed(rest);
        }
        match line.split_at_checked("quit".len()) {
            Some((word, rest)) if word.eq_ignore_ascii_case("quit") && is_blank(rest) => {
                Ok(Command::Quit)
            }
            _ => Ok(Command::Say(line)),
        }
    }
}

/// Whether there is nothing to be seen in it.
fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// `room text` or `nick text` after its sigil; a colon after the name is understood, so that what
/// was received can be pasted back.
fn addressed(sigil: char, rest: &str) -> Result<(&str, &str), Refusal> {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let name = name.strip_suffix(':').unwrap_or(name);
    if name.is_empty() {
        return Err(Refusal::NoAddress { sigil });
    }
    if is_blank(text) {
        return Err(match sigil {
            '#' => Refusal::NothingSaidInRoom { room: name.to_owned() },
            _ => Refusal::NothingSaidToUser { nick: name.to_owned() },
        });
    }
    Ok((name, text))
}

/// The verb of a word, whatever its case.
fn verb_of(word: &str) -> Option<Verb> {
    let is_it = |name: &&str| name.eq_ignore_ascii_case(word);
    TABLE.iter().find(|row| row.names.iter().any(is_it)).map(|row| row.verb)
}

/// How many words stand before the password in the command of that name, if it has one.
pub fn words_before_password(name: &str) -> Option<usize> {
    match verb_of(name)? {
        Verb::Register | Verb::Password | Verb::Unregister => Some(0),
        Verb::Login | Verb::Join | Verb::Lock => Some(1),
        _ => None,
    }
}

/// The refusal of a command that there is not, with a guess at what was meant.
fn unknown(word: &str) -> Refusal {
    let names = TABLE.iter().flat_map(|row| row.names.iter().copied());
    let meant = nearest(&word.to_lowercase(), names).and_then(verb_of);
    Refusal::UnknownCommand { typed: word.to_owned(), meant }
}

/// A name as an argument: one word, its leading `#` or `@` dropped.
fn name_of(word: &str) -> &str {
    word.strip_prefix(['#', '@']).unwrap_or(word)
}

fn slashed(rest: &str) -> Result<Command<'_>, Refusal> {
    let (word, arguments) = rest.split_once(' ').unwrap_or((rest, ""));
    let verb = verb_of(word).ok_or_else(|| unknown(word))?;
    let usage = Refusal::Usage(verb);
    // The text of a `/me` or a whisper stays as typed; every other argument is trimmed.
    let trimmed = arguments.trim();
    let given = (!trimmed.is_empty()).then_some(trimmed);
    let one_word = given.filter(|word| !word.contains(' ')).map(name_of);
    let one_word = one_word.filter(|word| !word.is_empty());
    Ok(match verb {
        Verb::Join => {
            let (room, password) = split_word(given.ok_or(usage)?);
            let password = Some(password).filter(|password| !password.is_empty());
            Command::Join(name_of(room), password)
        }
        Verb::Leave => Command::Leave(if_given(given, one_word).ok_or(usage)?),
        Verb::Who if given.is_none() => Command::Who(None),
        Verb::Who => Command::Who(Some(given.filter(|_| one_word.is_some()).ok_or(usage)?)),
        Verb::Rooms => Command::Rooms,
        Verb::Nick => Command::Nick(name_of(given.ok_or(usage)?)),
        Verb::Topic => asked::topic(given),
        Verb::Me => Command::Act(given.map(|_| arguments).ok_or(usage)?),
        Verb::Whisper => whisper(arguments).ok_or(usage)?,
        Verb::Ignore if given.is_none() => Command::Ignores,
        Verb::Ignore => Command::Ignore(one_word.ok_or(usage)?),
        Verb::Unignore => Command::Unignore(one_word.ok_or(usage)?),
        Verb::Away => Command::Away(given),
        Verb::Quiet => Command::Quiet(switch(trimmed).ok_or(usage)?),
        Verb::Time => Command::Time(match switch(trimmed) {
            Some(is_on) => is_on.then_some(Zone::Server),
            None => Some(offset(trimmed).ok_or(usage)?),
        }),
        Verb::Replay => {
            let lines = trimmed.parse().ok().filter(|lines| *lines <= REPLAY_LINES_MAX);
            Command::Replay(lines.ok_or(usage)?)
        }
        Verb::History => past::history(given).ok_or(usage)?,
        Verb::Search => past::search(given.ok_or(usage.clone())?).ok_or(usage)?,
        Verb::Register | Verb::Login | Verb::Password | Verb::Unregister => {
            asked::account(verb, given).ok_or(usage)?
        }
        Verb::Lock => asked::lock(given).ok_or(usage)?,
        Verb::Unlock => Command::Unlock(one_word.ok_or(usage)?),
        Verb::Close => Command::Close(one_word.ok_or(usage)?),
        Verb::Op | Verb::Deop => asked::operator(verb, given).ok_or(usage)?,
        Verb::Slow => asked::slow(given).ok_or(usage)?,
        Verb::Announce => Command::Announce(given.ok_or(usage)?),
        Verb::Kick | Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => {
            Command::Moderate(moderate::moderation(verb, given).ok_or(usage)?)
        }
        Verb::Token => asked::token(given).ok_or(usage)?,
        Verb::Paste => Command::Paste(if_given(given, one_word).ok_or(usage)?),
        Verb::Show => Command::Show(asked::id(given).ok_or(usage)?),
        Verb::Tty | Verb::Telnet | Verb::Json => asked::face(verb, trimmed).ok_or(usage)?,
        Verb::Color
        | Verb::Bell
        | Verb::Plain
        | Verb::Emoji
        | Verb::Typing
        | Verb::Receipts
        | Verb::Ack => Command::Set(asked::setting(verb, trimmed).ok_or(usage)?),
        Verb::Help => help(given)?,
        Verb::Quit => Command::Quit,
    })
}

/// `NICK TEXT`, the text as typed.
fn whisper(arguments: &str) -> Option<Command<'_>> {
    let (nick, text) = arguments.trim_start().split_once(' ')?;
    let nick = name_of(nick.strip_suffix(':').unwrap_or(nick));
    (!nick.is_empty() && !is_blank(text)).then_some(Command::Whisper(nick, text))
}

/// One word, or nothing; `None` for anything else.
fn if_given<'a>(given: Option<&str>, one_word: Option<&'a str>) -> Option<Option<&'a str>> {
    if given.is_none() { Some(None) } else { one_word.map(Some) }
}

/// The first word, and what comes after it without the blanks between.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(' ').unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// `on` or `off`.
fn switch(word: &str) -> Option<bool> {
    match word {
        _ if word.eq_ignore_ascii_case("on") => Some(true),
        _ if word.eq_ignore_ascii_case("off") => Some(false),
        _ => None,
    }
}

/// `+HH:MM` or `-HH:MM`, up to fourteen hours.
pub fn offset(word: &str) -> Option<Zone> {
    let sign = match word.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = word[1..].split_once(':')?;
    let two_digits = |text: &str| -> Option<i16> {
        let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_plain.then(|| text.parse().ok()).flatten()
    };
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    let in_minutes = hours * 60 + minutes;
    (minutes < 60 && in_minutes <= 14 * 60).then_some(Zone::Offset(sign * in_minutes))
}

/// `/help`, with what was given: a command with or without its slash.
fn help(given: Option<&str>) -> Result<Command<'_>, Refusal> {
    let Some((word, _)) = given.map(split_word) else { return Ok(Command::Help) };
    match word.as_bytes()[0] {
        b'#' => Ok(Command::Help),
        b'@' => Ok(Command::HelpOn(Verb::Whisper)),
        _ => {
            let word = word.strip_prefix('/').unwrap_or(word);
            verb_of(word).map(Command::HelpOn).ok_or_else(|| unknown(word))
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_grammar() {
        for (line, command) in [
            ("", Command::Nothing),
            ("   ", Command::Nothing),
            ("hello  world ", Command::Say("hello  world ")),
            (" /join dev", Command::Say("/join dev")),
            ("  two", Command::Say(" two")),
            ("//join", Command::Say("/join")),
            ("#dev hi", Command::SayIn("dev", "hi")),
            ("#dev:  hi ", Command::SayIn("dev", " hi ")),
            ("@bob: hi", Command::Whisper("bob", "hi")),
            ("/msg @bob hi you", Command::Whisper("bob", "hi you")),
            ("/WHISPER bob  hi", Command::Whisper("bob", " hi")),
            ("/join #dev", Command::Join("dev", None)),
            ("/join vault  a long one ", Command::Join("vault", Some("a long one"))),
            ("/leave", Command::Leave(None)),
            ("/who #dev", Command::Who(Some("#dev"))),
            ("/topic", Command::Topic(None)),
            ("/topic #dev", Command::Topic(Some("dev"))),
            ("/topic #dev on fire", Command::SetTopic(Some("dev"), Some("on fire"))),
            ("/topic on fire", Command::SetTopic(None, Some("on fire"))),
            ("/topic -", Command::SetTopic(None, None)),
            ("/me  waves", Command::Act(" waves")),
            ("/quiet ON", Command::Quiet(true)),
            ("/time off", Command::Time(None)),
            ("/time -03:30", Command::Time(Some(Zone::Offset(-210)))),
            ("/replay 0", Command::Replay(0)),
            ("/help /join", Command::HelpOn(Verb::Join)),
            ("/help join dev", Command::HelpOn(Verb::Join)),
            ("QUIT", Command::Quit),
            ("/exit", Command::Quit),
            ("quit it", Command::Say("quit it")),
        ] {
            assert_eq!(Command::parse(line), Ok(command), "{line:?}");
        }
    }

    #[test]
    fn what_lacks_something_is_refused_with_its_usage() {
        for (line, verb) in [
            ("/join", Verb::Join),
            ("/leave a b", Verb::Leave),
            ("/me ", Verb::Me),
            ("/msg bob", Verb::Whisper),
            ("/msg bob  ", Verb::Whisper),
            ("/quiet perhaps", Verb::Quiet),
            ("/time +3", Verb::Time),
            ("/time +14:01", Verb::Time),
            ("/time +1é:00", Verb::Time),
            ("/replay 101", Verb::Replay),
            ("/nick", Verb::Nick),
        ] {
            assert_eq!(Command::parse(line), Err(Refusal::Usage(verb)), "{line:?}");
        }
        assert_eq!(Command::parse("# text"), Err(Refusal::NoAddress { sigil: '#' }));
        let nothing = Refusal::NothingSaidInRoom { room: "dev".into() };
        assert_eq!(Command::parse("#dev"), Err(nothing));
    }

    #[test]
    fn a_near_miss_is_guessed() {
        let guess = |line: &str| match Command::parse(line).unwrap_err() {
            Refusal::UnknownCommand { meant, .. } => meant,
            other => panic!("{other:?}"),
        };
        assert_eq!(guess("/jion"), Some(Verb::Join));
        assert_eq!(guess("/help jion"), Some(Verb::Join));
        assert_eq!(guess("/frobnicate"), None);
        assert_eq!(guess("/"), None);
    }
}
