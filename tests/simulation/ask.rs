//! What a line asks, as the oracle reads it: the grammar once more, in its own words.

/// What a line asks; names are as typed, without their sigil.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the command of its name.
pub enum Ask<'a> {
    Nothing,
    /// Bare text: a name for who has none.
    Bare(&'a str),
    Say(&'a str),
    SayIn(&'a str, &'a str),
    Me(&'a str),
    Whisper(&'a str, &'a str),
    Join(&'a str, Option<&'a str>),
    Leave(Option<&'a str>),
    Who(Option<&'a str>),
    /// Of a person, and of a room; as a program asks.
    WhoIs(&'a str),
    WhoIn(&'a str),
    Rooms,
    Nick(&'a str),
    Topic(Option<&'a str>),
    SetTopic(Option<&'a str>, Option<&'a str>),
    Ignores,
    Ignore(&'a str),
    Unignore(&'a str),
    Away(Option<&'a str>),
    Quiet(bool),
    /// Seconds ahead of UTC; 0 is also the server's zone.
    Time(Option<i64>),
    Replay(usize),
    /// Which room's lines.
    History(Option<&'a str>, Span),
    /// Many lines as one, for which room.
    Paste(Option<&'a str>),
    /// All of the line of that id.
    Show(u64),
    /// Whether `:wave:` is said as the emoji.
    Emoji(bool),
    /// Whether one hears what becomes of what one says to one person.
    Receipts(bool),
    /// Whether each line is answered.
    Ack(bool),
    /// Objects instead of lines from now on.
    Json,
    Help,
    HelpOn(&'a str),
    Quit,
}

/// Which of a room's lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// The last ones, so many.
    Last(usize),
    /// The last twenty before that one.
    Before(u64),
    /// The first hundred after that one.
    After(u64),
}

/// The code of a refusal.
pub type Code = &'static str;

const USAGE: Code = "usage";

impl Ask<'_> {
    /// Whether it is done for somebody without a name as well.
    pub fn needs_no_name(&self) -> bool {
        matches!(
            self,
            Ask::Nothing
                | Ask::Who(_)
                | Ask::WhoIs(_)
                | Ask::WhoIn(_)
                | Ask::Rooms
                | Ask::Nick(_)
                | Ask::Topic(Some(_))
                | Ask::Ignores
                | Ask::Quiet(_)
                | Ask::Time(_)
                | Ask::Replay(_)
                | Ask::Emoji(_)
                | Ask::Receipts(_)
                | Ask::Ack(_)
                | Ask::Json
                | Ask::Help
                | Ask::HelpOn(_)
                | Ask::Quit
        )
    }
}

/// What a line asks, or with which code it is refused.
pub fn ask(line: &str) -> Result<Ask<'_>, Code> {
    if line.trim().is_empty() {
        return Ok(Ask::Nothing);
    }
    if line.trim_end().eq_ignore_ascii_case("quit") && !line.starts_with(' ') {
        return Ok(Ask::Quit);
    }
    match line.as_bytes()[0] {
        b' ' => Ok(Ask::Say(&line[1..])),
        b'#' => addressed(&line[1..]).map(|(room, text)| Ask::SayIn(room, text)),
        b'@' => addressed(&line[1..]).map(|(nick, text)| Ask::Whisper(nick, text)),
        b'/' if line.starts_with("//") => Ok(Ask::Say(&line[1..])),
        b'/' => {
            let (word, rest) = line[1..].split_once(' ').unwrap_or((&line[1..], ""));
            command(&word.to_ascii_lowercase(), rest)
        }
        _ => Ok(Ask::Bare(line)),
    }
}

fn addressed(rest: &str) -> Result<(&str, &str), Code> {
    let (name, text) = rest.split_once(' ').ok_or(USAGE)?;
    let name = name.strip_suffix(':').unwrap_or(name);
    let is_said = !name.is_empty() && !text.trim().is_empty();
    is_said.then_some((name, text)).ok_or(USAGE)
}

fn without_sigil(word: &str) -> &str {
    word.strip_prefix(['#', '@']).unwrap_or(word)
}

fn command<'a>(word: &str, rest: &'a str) -> Result<Ask<'a>, Code> {
    let all = Some(rest.trim()).filter(|all| !all.is_empty());
    let bare = all.filter(|all| !all.contains(' ')).map(without_sigil);
    let name = bare.filter(|name| !name.is_empty());
    Ok(match (word, all) {
        ("join", _) => {
            let (room, password) = split(all.ok_or(USAGE)?);
            Ask::Join(without_sigil(room), password)
        }
        ("leave", None) => Ask::Leave(None),
        ("leave", _) => Ask::Leave(Some(name.ok_or(USAGE)?)),
        ("who", None) => Ask::Who(None),
        ("who", _) => Ask::Who(Some(all.filter(|_| name.is_some()).ok_or(USAGE)?)),
        ("rooms", _) => Ask::Rooms,
        ("nick", _) => Ask::Nick(without_sigil(all.ok_or(USAGE)?)),
        ("topic", _) => topic(all),
        ("me", _) => Ask::Me(all.map(|_| rest).ok_or(USAGE)?),
        ("whisper" | "msg", _) => {
            let (nick, text) = rest.trim_start().split_once(' ').ok_or(USAGE)?;
            let nick = without_sigil(nick.strip_suffix(':').unwrap_or(nick));
            let is_said = !nick.is_empty() && !text.trim().is_empty();
            is_said.then_some(Ask::Whisper(nick, text)).ok_or(USAGE)?
        }
        ("ignore", None) => Ask::Ignores,
        ("ignore", _) => Ask::Ignore(name.ok_or(USAGE)?),
        ("unignore", _) => Ask::Unignore(name.ok_or(USAGE)?),
        ("away", _) => Ask::Away(all),
        ("quiet", _) => Ask::Quiet(switch(all).ok_or(USAGE)?),
        ("time", _) => Ask::Time(time(all).ok_or(USAGE)?),
        ("replay", _) => {
            let count = all.and_then(|all| all.parse().ok()).filter(|count| *count <= 100);
            Ask::Replay(count.ok_or(USAGE)?)
        }
        ("history", _) => history(all).ok_or(USAGE)?,
        ("emoji", _) => Ask::Emoji(switch(all).ok_or(USAGE)?),
        ("receipts", _) => Ask::Receipts(switch(all).ok_or(USAGE)?),
        ("ack", _) => Ask::Ack(switch(all).ok_or(USAGE)?),
        ("json", _) => Ask::Json,
        ("paste", None) => Ask::Paste(None),
        ("paste", _) => Ask::Paste(Some(name.ok_or(USAGE)?)),
        ("show", _) => {
            let id = bare.and_then(|id| id.parse().ok()).filter(|id| *id > 0);
            Ask::Show(id.ok_or(USAGE)?)
        }
        ("help", _) => help(all)?,
        ("quit" | "exit", _) => Ask::Quit,
        _ => return Err("unknown-command"),
    })
}

/// `[ROOM] [N | before ID | after ID]`; nobody here types a time.
fn history(all: Option<&str>) -> Option<Ask<'_>> {
    let words: Vec<&str> = all.into_iter().flat_map(str::split_whitespace).collect();
    if let Some(span) = span(&words) {
        return Some(Ask::History(None, span));
    }
    let (room, rest) = words.split_first()?;
    let is_number = room.bytes().all(|byte| byte.is_ascii_digit());
    let span = if rest.is_empty() { Some(Span::Last(20)) } else { span(rest) };
    span.filter(|_| !is_number).map(|span| Ask::History(Some(without_sigil(room)), span))
}

fn span(words: &[&str]) -> Option<Span> {
    let count = |word: &str| word.parse().ok().filter(|count| (1..=100).contains(count));
    match words {
        [] => Some(Span::Last(20)),
        ["before", id] => id.parse().ok().map(Span::Before),
        ["after", id] => id.parse().ok().map(Span::After),
        [number] => count(number).map(Span::Last),
        _ => None,
    }
}

fn split(text: &str) -> (&str, Option<&str>) {
    match text.split_once(' ') {
        Some((word, rest)) => (word, Some(rest.trim_start())),
        None => (text, None),
    }
}

fn switch(word: Option<&str>) -> Option<bool> {
    match word?.to_ascii_lowercase().as_str() {
        "on" => Some(true),
        "off" => Some(false),
        _ => None,
    }
}

fn time(word: Option<&str>) -> Option<Option<i64>> {
    let is_on = switch(word);
    if is_on.is_some() {
        return Some(is_on.filter(|on| *on).map(|_| 0));
    }
    let (sign, digits) = word?.split_at_checked(1)?;
    let sign = if sign == "+" { 1 } else { (sign == "-").then_some(-1)? };
    let (hours, minutes) = digits.split_once(':')?;
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let is_sane = digits.len() == 5 && minutes < 60 && hours * 60 + minutes <= 14 * 60;
    is_sane.then_some(Some(sign * (hours * 3_600 + minutes * 60)))
}

fn topic(all: Option<&str>) -> Ask<'_> {
    let Some(all) = all else { return Ask::Topic(None) };
    // A lone `-` removes the topic.
    let kept = |topic| Some(topic).filter(|topic| *topic != "-");
    match all.strip_prefix('#').map(split) {
        None => Ask::SetTopic(None, kept(all)),
        Some((room, None)) => Ask::Topic(Some(room)),
        Some((room, Some(topic))) => Ask::SetTopic(Some(room), kept(topic)),
    }
}

fn help(all: Option<&str>) -> Result<Ask<'_>, Code> {
    const WORDS: [&str; 18] = [
        "join", "leave", "who", "rooms", "nick", "topic", "me", "whisper", "msg", "ignore",
        "unignore", "away", "quiet", "time", "replay", "help", "quit", "exit",
    ];
    let Some(all) = all.and_then(|all| all.split(' ').next()) else { return Ok(Ask::Help) };
    match all.as_bytes()[0] {
        b'#' => Ok(Ask::Help),
        b'@' => Ok(Ask::HelpOn("whisper")),
        _ => {
            let word = all.strip_prefix('/').unwrap_or(all);
            let known = WORDS.iter().find(|known| known.eq_ignore_ascii_case(word));
            known.map(|known| Ask::HelpOn(known)).ok_or("unknown-command")
        }
    }
}
