//! The transcript language: who does what, and who sees what, one thing a line.
//!
//! ```text
//! # a comment, at the start of a line and followed by a blank
//! flags: --pace 5 --lobby ''         the server's command line; optional, before anything happens
//! alice connects                     also: alice connects from 192.0.2.7
//! alice> text                        alice types the line and presses Enter
//! alice>| text                       … and does not press Enter
//! alice>\ \xff\xf4text\r\n           exactly these bytes
//! op opens the console               op connects to the operator's socket
//! alice< text                        alice sees this line
//! alice<| text                       … and not its end yet
//! alice disconnected                 alice sees that the server has closed
//! alice ends                         alice's input ends; she still reads
//! alice closes                       both ways; also: alice resets
//! alice stops reading                takes nothing until: alice reads on
//! wait 2s                            time passes (ms, s or m)
//! stop                               the server is told to stop
//! invite CODE                        an invitation with that code is open from now on
//! store fails                        it keeps nothing; also: store hangs, store works
//! restart                            … and another one goes on with what it kept
//! restart --operators alice          … with this command line
//! ```
//!
//! What is seen after a step, by everybody and to the line, follows that step; the order between
//! people does not matter there, the order of one person's lines does. Seen text is written with
//! the escapes of [`super::escape`]. Deliberately no way to say "something like": see
//! [`super::compare`] for the two things that are masked.

use std::net::IpAddr;
use std::time::Duration;

use super::escape;
use super::memory::Mood;

/// A whole transcript: a file, or a fenced block of one.
#[derive(Clone, Debug)]
pub struct Script {
    /// For reports: the file's name.
    pub name: String,
    /// The server's command line, without the program.
    pub flags: Vec<String>,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// The file's lines that it consists of, counted from 0: where bless may write.
    pub lines: std::ops::Range<usize>,
}

/// One thing that happens, and what is seen of it.
#[derive(Clone, Debug)]
pub struct Step {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// What happens.
    pub action: Action,
    /// What is seen then.
    pub expected: Vec<Expectation>,
}

/// One written line of what somebody sees.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// The line of the file, counted from 1.
    pub line: usize,
    /// Who sees it.
    pub who: String,
    /// What it is.
    pub seen: Seen,
}

/// One thing that somebody sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A line, escaped, without its line feed.
    Line(String),
    /// The beginning of a line that has not ended yet.
    Part(String),
    /// The server has closed the connection.
    Disconnected,
}

/// One thing that happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// A connection comes, from this machine unless an address says otherwise.
    Connect(String, Option<IpAddr>),
    /// The operator comes, at the console.
    OpenConsole(String),
    /// Bytes are sent.
    Send(String, Vec<u8>),
    /// Input ends.
    End(String),
    /// Both directions are closed.
    Close(String),
    /// The connection breaks.
    Reset(String),
    /// Nothing is taken from the connection.
    StopReading(String),
    /// Everything is taken again.
    ReadOn(String),
    /// Time passes.
    Wait(Duration),
    /// The server is told to stop.
    Stop,
    /// The server is told to stop, and another one goes on with what it kept; with the same command
    /// line, or with this one.
    Restart(Option<Vec<String>>),
    /// An invitation with that code is open from now on.
    Invite(String),
    /// From now on the store behaves so.
    Store(Mood),
}

impl Action {
    /// Who does it; nobody does `wait` and `stop`.
    pub fn who(&self) -> Option<&str> {
        match self {
            Action::Connect(who, _)
            | Action::OpenConsole(who)
            | Action::Send(who, _)
            | Action::End(who)
            | Action::Close(who)
            | Action::Reset(who)
            | Action::StopReading(who)
            | Action::ReadOn(who) => Some(who),
            Action::Wait(_)
            | Action::Stop
            | Action::Restart(_)
            | Action::Invite(_)
            | Action::Store(_) => None,
        }
    }
}

/// What one line of a transcript is.
#[derive(Debug)]
enum Part {
    Nothing,
    Flags(Vec<String>),
    Action(Action),
    Expected(String, Seen),
}

/// Reads the lines `range` of a file. The error is a sentence with the file and the line.
pub fn parse(name: &str, text: &str, range: std::ops::Range<usize>) -> Result<Script, String> {
    let mut script =
        Script { name: name.into(), flags: Vec::new(), steps: Vec::new(), lines: range.clone() };
    for (index, line) in text.lines().enumerate().take(range.end).skip(range.start) {
        let number = index + 1;
        let wrong = |what: &str| format!("{name}:{number}: {what}: {line}");
        match part_of(line).map_err(|what| wrong(&what))? {
            Part::Nothing => {}
            Part::Flags(flags) if script.steps.is_empty() && script.flags.is_empty() => {
                script.flags = flags;
            }
            Part::Flags(_) => return Err(wrong("flags come once and first")),
            Part::Action(action) => {
                script.steps.push(Step { line: number, action, expected: Vec::new() });
            }
            Part::Expected(who, seen) => {
                let step = script.steps.last_mut();
                let step = step.ok_or_else(|| wrong("nothing has happened yet"))?;
                step.expected.push(Expectation { line: number, who, seen });
            }
        }
    }
    Ok(script)
}

/// Reads every block of a Markdown text that is fenced as ```` ```transcript ````.
pub fn parse_fenced(name: &str, text: &str) -> Result<Vec<Script>, String> {
    let mut scripts = Vec::new();
    let mut opened = None;
    for (index, line) in text.lines().enumerate() {
        match opened {
            None if line == "```transcript" => opened = Some(index + 1),
            Some(start) if line == "```" => {
                scripts.push(parse(name, text, start..index)?);
                opened = None;
            }
            _ => {}
        }
    }
    match opened {
        None => Ok(scripts),
        Some(start) => Err(format!("{name}:{start}: this transcript does not end")),
    }
}

/// Whether a line says what is seen, and so belongs to bless.
pub fn is_expectation(line: &str) -> bool {
    matches!(part_of(line), Ok(Part::Expected(..)))
}

/// How a seen thing is written.
pub fn written(who: &str, seen: &Seen) -> String {
    match seen {
        Seen::Line(text) if text.is_empty() => format!("{who}<"),
        Seen::Line(text) => format!("{who}< {text}"),
        Seen::Part(text) => format!("{who}<| {text}"),
        Seen::Disconnected => format!("{who} disconnected"),
    }
}

fn part_of(line: &str) -> Result<Part, String> {
    if line.trim().is_empty() || line == "#" || line.starts_with("# ") {
        return Ok(Part::Nothing);
    }
    if line.ends_with(' ') {
        return Err("a blank at the end is written \\x20".into());
    }
    if let Some(flags) = line.strip_prefix("flags:") {
        return words(flags).map(Part::Flags);
    }
    if line == "stop" {
        return Ok(Part::Action(Action::Stop));
    }
    if let Some(code) = line.strip_prefix("invite ") {
        return Ok(Part::Action(Action::Invite(code.to_owned())));
    }
    if let Some(mood) = line.strip_prefix("store ") {
        return mood_of(mood).map(|mood| Part::Action(Action::Store(mood)));
    }
    if line == "restart" {
        return Ok(Part::Action(Action::Restart(None)));
    }
    if let Some(flags) = line.strip_prefix("restart ") {
        return words(flags).map(|flags| Part::Action(Action::Restart(Some(flags))));
    }
    if let Some(time) = line.strip_prefix("wait ") {
        return duration(time).map(|time| Part::Action(Action::Wait(time)));
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let end = line.find(|c| !is_name(c)).unwrap_or(line.len());
    let (who, rest) = line.split_at(end);
    if who.is_empty() {
        return Err("nobody does that".into());
    }
    let who = who.to_owned();
    if let Some(seen) = rest.strip_prefix('<') {
        return seen_of(seen).map(|seen| Part::Expected(who, seen));
    }
    if let Some(typed) = rest.strip_prefix('>') {
        return bytes_typed(typed).map(|bytes| Part::Action(Action::Send(who, bytes)));
    }
    match rest {
        " disconnected" => Ok(Part::Expected(who, Seen::Disconnected)),
        _ => deed(who, rest).map(Part::Action),
    }
}

fn mood_of(text: &str) -> Result<Mood, String> {
    match text {
        "works" => Ok(Mood::Works),
        "fails" => Ok(Mood::Fails),
        "hangs" => Ok(Mood::Hangs),
        _ => Err("a store works, fails or hangs".into()),
    }
}

fn seen_of(text: &str) -> Result<Seen, String> {
    if text.is_empty() {
        return Ok(Seen::Line(String::new()));
    }
    if let Some(part) = text.strip_prefix("| ") {
        return Ok(Seen::Part(part.into()));
    }
    match text.strip_prefix(' ') {
        Some(line) => Ok(Seen::Line(line.into())),
        None => Err("a blank belongs after <".into()),
    }
}

fn bytes_typed(text: &str) -> Result<Vec<u8>, String> {
    if let Some(part) = text.strip_prefix("| ") {
        return Ok(part.as_bytes().to_vec());
    }
    if let Some(raw) = text.strip_prefix("\\ ") {
        return escape::bytes_of(raw);
    }
    match text.strip_prefix(' ') {
        Some(line) => Ok(format!("{line}\n").into_bytes()),
        None if text.is_empty() => Ok(b"\n".to_vec()),
        None => Err("a blank belongs after >".into()),
    }
}

fn deed(who: String, rest: &str) -> Result<Action, String> {
    Ok(match rest {
        " connects" => Action::Connect(who, None),
        " opens the console" => Action::OpenConsole(who),
        " ends" => Action::End(who),
        " closes" => Action::Close(who),
        " resets" => Action::Reset(who),
        " stops reading" => Action::StopReading(who),
        " reads on" => Action::ReadOn(who),
        _ => {
            let address = rest.strip_prefix(" connects from ");
            let address = address.ok_or("nobody can do that")?;
            Action::Connect(who, Some(address.parse().map_err(|_| "that is no address")?))
        }
    })
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (count, unit) = text.split_at(digits);
    let count: u64 = count.parse().map_err(|_| "how long?")?;
    match unit {
        "ms" => Ok(Duration::from_millis(count)),
        "s" => Ok(Duration::from_secs(count)),
        "m" => Ok(Duration::from_secs(60 * count)),
        _ => Err("a time is in ms, s or m".into()),
    }
}

/// Splits at blanks; single quotes hold a word together, so that `''` is an empty one, and `\n` in
/// them ends a line.
fn words(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, after) = match rest.strip_prefix('\'') {
            Some(quoted) => quoted.split_once('\'').ok_or("a quote is not closed")?,
            None => rest.split_at(rest.find(' ').unwrap_or(rest.len())),
        };
        words.push(word.replace("\\n", "\n"));
        rest = after.trim_start();
    }
    Ok(words)
}
