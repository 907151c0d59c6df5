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
    /// A name, and its password; an empty one if it is to be asked for.
    Login(&'a str, &'a str),
    /// The password of the name that becomes somebody's.
    Register(&'a str),
    /// The password of the name that is given up.
    Unregister(&'a str),
    /// Who may do what in a room.
    Operators(Option<&'a str>),
    /// Whether somebody is an operator of a room.
    SetOperator(Option<&'a str>, &'a str, bool),
    /// A room, and seconds; 0 for as often as they like.
    Slow(&'a str, u32),
    Announce(&'a str),
    Moderate(Where<'a>, Order<'a>),
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

/// Where something is to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where<'a> {
    /// In the current room.
    Here,
    /// In that room.
    Room(&'a str),
    /// On the whole server.
    Everywhere,
}

/// What keeps somebody from what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// From being there.
    Ban,
    /// From speaking there.
    Mute,
}

/// What an operator wants to be done to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// Put out, and why.
    Kick(&'a str, Option<&'a str>),
    /// Kept from it, for so many seconds, and why.
    Forbid(Kind, &'a str, Option<i64>, Option<&'a str>),
    /// Kept from it no longer.
    Allow(Kind, &'a str),
    /// Nobody: it is asked who is kept from it.
    List(Kind),
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
                | Ask::Login(..)
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
        ("login", _) => {
            let (name, password) = split(all.ok_or(USAGE)?);
            Ask::Login(without_sigil(name), password.unwrap_or_default())
        }
        ("register", _) => Ask::Register(all.ok_or(USAGE)?),
        ("unregister", _) => Ask::Unregister(all.ok_or(USAGE)?),
        ("op" | "deop", _) => operator(all.unwrap_or_default(), word == "op").ok_or(USAGE)?,
        ("slow", _) => slow(all.ok_or(USAGE)?).ok_or(USAGE)?,
        ("announce", _) => Ask::Announce(all.ok_or(USAGE)?),
        ("kick" | "ban" | "unban" | "mute" | "unmute", _) => {
            moderate(word, all.unwrap_or_default()).ok_or(USAGE)?
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

/// The first word, and what comes after it.
fn two(text: &str) -> (&str, &str) {
    let (first, rest) = split(text);
    (first, rest.unwrap_or_default())
}

/// `[#ROOM] [NICK]`.
fn operator(all: &str, is_op: bool) -> Option<Ask<'_>> {
    let (room, nick) = match all.strip_prefix('#').map(two) {
        Some((room, nick)) => (Some(room), nick),
        None => (None, all),
    };
    let nick = without_sigil(nick);
    match room {
        Some("") => None,
        _ if nick.contains(' ') => None,
        _ if nick.is_empty() => is_op.then_some(Ask::Operators(room)),
        _ => Some(Ask::SetOperator(room, nick, is_op)),
    }
}

fn slow(all: &str) -> Option<Ask<'_>> {
    let (room, word) = two(all);
    let seconds = if word.eq_ignore_ascii_case("off") { 0 } else { word.parse().ok()? };
    let room = without_sigil(room);
    (!room.is_empty() && seconds <= 3_600).then_some(Ask::Slow(room, seconds))
}

/// `[#ROOM or *] WHO [TIME] [WHY]`.
fn moderate<'a>(word: &str, all: &'a str) -> Option<Ask<'a>> {
    let (place, rest) = match two(all) {
        ("*", rest) => (Where::Everywhere, rest),
        ("#", _) => return None,
        (room, rest) if room.starts_with('#') => (Where::Room(&room[1..]), rest),
        _ => (Where::Here, all),
    };
    let (who, rest) = two(rest);
    let has_who = !who.trim_start_matches('@').is_empty();
    let why = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let kind = if word.ends_with("ban") { Kind::Ban } else { Kind::Mute };
    let order = match word {
        "ban" | "mute" if who.is_empty() => Order::List(kind),
        _ if !has_who => return None,
        "kick" => Order::Kick(who, why(rest)),
        "unban" | "unmute" => rest.is_empty().then_some(Order::Allow(kind, who))?,
        _ => match two(rest) {
            (time, after) if seconds(time).is_some() => {
                Order::Forbid(kind, who, seconds(time), why(after))
            }
            (time, _) if is_nearly_time(time) => return None,
            _ => Order::Forbid(kind, who, None, why(rest)),
        },
    };
    Some(Ask::Moderate(place, order))
}

/// `90s`, `30m`, `2h`, `3d`; not none at all.
fn seconds(word: &str) -> Option<i64> {
    let unit = match word.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return None,
    };
    let number: i64 = word[..word.len() - 1].parse().ok()?;
    (number > 0).then_some(number * unit)
}

/// What is meant for a time and is none: a number, and a unit right behind it or at the end; no
/// ordinal number. It knows what is drawn.
fn is_nearly_time(word: &str) -> bool {
    let is_number = |char: char| char.is_ascii_digit();
    let behind = word.trim_start_matches(is_number);
    let unit = behind.trim_start_matches(|char| is_number(char) || char == '.');
    let is_ordinal = matches!(behind, "st" | "nd" | "rd" | "th");
    let is_plain = behind.chars().all(|char| char.is_ascii_alphanumeric() || char == '.');
    let has_unit =
        unit.starts_with(['s', 'm', 'h', 'd', 'w', 'y']) || behind.ends_with(['s', 'm', 'h', 'd']);
    behind != word && is_plain && !is_ordinal && has_unit
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
    const WORDS: [&str; 35] = [
        "join", "leave", "who", "rooms", "nick", "topic", "me", "whisper", "msg", "ignore",
        "unignore", "away", "quiet", "time", "replay", "help", "quit", "exit", "login", "op",
        "deop", "slow", "announce", "kick", "ban", "unban", "mute", "unmute", "ack", "emoji",
        "receipts", "paste", "show", "history", "json",
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
