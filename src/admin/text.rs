//! The only English that a console sees: answers, and why an order is refused.
//!
//! Promises: whole lines, a notice with `* ` at its beginning, a refusal with `! ` and its code; a
//! list has a line that names its columns, then one line for each row, its columns a blank apart,
//! `-` where there is nothing; text that a user typed is the last column. What is longer than
//! [`ANSWER_BYTES_MAX`] is cut between two lines, and says so. Deliberately decides nothing.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Fault, Row, TABLE, Verb};

/// Bytes of an answer at most.
pub const ANSWER_BYTES_MAX: usize = 4 << 20;

/// How many characters of what somebody typed a refusal quotes.
const QUOTED_CHARS: usize = 40;

/// What a console is told at first.
pub fn greeting() -> String {
    format!(
        "* chatline {}, the operator's console: /help lists the orders, quit leaves\n",
        env!("CARGO_PKG_VERSION")
    )
}

/// The last line to a console.
pub fn bye() -> &'static str {
    "* bye\n"
}

/// The last line to a console when the server stops.
pub fn bye_at_stop() -> &'static str {
    "* bye: the server is stopping\n"
}

/// The list of orders.
pub fn help() -> String {
    let width = TABLE.iter().map(|row| typed(row).len()).max().unwrap_or_default();
    let line = |row: &Row| format!("* {:width$}  {}\n", typed(row), row.does);
    TABLE.iter().map(line).collect()
}

/// One order, and what its arguments are.
pub fn help_of(verb: Verb) -> String {
    let row = verb.row();
    format!("* {}: {}{}\n", typed(row), row.does, hint(verb))
}

/// An order with its arguments.
fn typed(row: &Row) -> String {
    format!("/{} {}", row.name, row.arguments).trim_end().to_owned()
}

/// Why an order is refused, and what to do instead.
pub fn refusal(fault: &Fault) -> String {
    let text = match fault {
        Fault::Usage(verb) => usage(*verb),
        Fault::Unknown { typed, meant: Some(meant @ (Verb::Ban | Verb::Mute)) } => {
            let (typed, name) = (quoted(typed), meant.row().name);
            format!("no /{typed}; did you mean /{name}? Alone it lists them")
        }
        Fault::Unknown { typed, meant: Some(meant) } => {
            format!("no /{}; did you mean /{}?", quoted(typed), meant.row().name)
        }
        Fault::Unknown { typed, meant: None } => {
            format!("no /{}; /help lists the orders", quoted(typed))
        }
        Fault::NoSlash => "an order begins with a slash: /help lists them".to_owned(),
        Fault::LineTooLong { bytes_max } => format!("a line has at most {bytes_max} bytes"),
        Fault::Nobody { typed } => format!(
            "nobody here is {}: /conns lists everybody, /conns NAME, ADDRESS or ADDRESS/BITS some",
            quoted(typed)
        ),
        Fault::NoRoom { typed } => format!("no #{}; /rooms lists the rooms", quoted(typed)),
        Fault::StopsNot => "the server is not about to stop: there is nothing to cancel".to_owned(),
        Fault::StopsAlready { seconds } => format!(
            "the server stops in {seconds} s already: /shutdown SECONDS changes that, /shutdown \
             cancel takes it back"
        ),
        Fault::ConsolesFull { most } => {
            format!("{most} consoles are open, as many as may be: end one of them first")
        }
        Fault::NotAllowed => {
            "this console is for the user who runs the server, and for root".to_owned()
        }
    };
    format!("! {} {text}\n", fault.code().word())
}

fn usage(verb: Verb) -> String {
    let row = verb.row();
    match row.arguments {
        "" => format!("/{} stands alone", row.name),
        _ => format!("type: {}{}", typed(row), hint(verb)),
    }
}

/// What the arguments are, behind what they are called.
fn hint(verb: Verb) -> &'static str {
    match verb {
        Verb::Conns => "; for example: /conns 10.0.0.0/8",
        Verb::Kick => "; WHO is a name, or an id that /conns shows",
        Verb::Ban => "; WHO is a name or an address; for example: /ban 10.0.0.7 2h a flood",
        Verb::Log => "; LEVEL is error, warn, info, debug or trace",
        Verb::Shutdown => {
            "; SECONDS are 0 to 86400, cancel stands alone; for example: /shutdown 60 a new disk"
        }
        _ => "",
    }
}

/// What somebody typed, cut to a length that a sentence bears.
fn quoted(typed: &str) -> String {
    match typed.char_indices().nth(QUOTED_CHARS) {
        None => typed.to_owned(),
        Some((end, _)) => format!("{}…", &typed[..end]),
    }
}

/// What is logged from now on; where `RUST_LOG` was set at the start, no more than it lets through.
pub fn logs(level: log::LevelFilter, has_bound: bool) -> String {
    let bound = match has_bound {
        true => ", but no more than RUST_LOG lets through, which was set at the start",
        false => "",
    };
    format!("* the log shows {} from now on{bound}\n", level.as_str().to_lowercase())
}

/// Everybody was told something.
pub fn announced() -> &'static str {
    "* everybody is told\n"
}

/// What came of reading the configuration again: sentences without their ends.
pub fn reloaded(told: &[String]) -> String {
    told.iter().map(|line| format!("* {line}\n")).collect()
}

/// The server stops in so many seconds.
pub fn stops(seconds: u64) -> String {
    match seconds {
        0 => "* the server stops now\n".to_owned(),
        _ => format!("* the server stops in {seconds} s; /shutdown cancel takes that back\n"),
    }
}

/// The server does not stop after all.
pub fn stays() -> &'static str {
    "* the server does not stop; everybody is told\n"
}

/// A connection without a name was ended.
pub fn kicked(id: u64) -> String {
    format!("* #{id:016x} was kicked\n")
}

/// What kind of peer a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Lines of text.
    Lines,
    /// A terminal whose lines are edited here.
    Terminal,
    /// A program that speaks JSON.
    Json,
    /// Not known before it is agreed on keys.
    Handshake,
}

impl Served {
    fn word(self) -> &'static str {
        match self {
            Served::Lines => "lines",
            Served::Terminal => "terminal",
            Served::Json => "json",
            Served::Handshake => "handshake",
        }
    }
}

/// One connection, as a console sees it.
#[derive(Clone, Debug)]
pub struct ConnRow {
    /// Its id, which `/who NICK` shows too; `None` while it is in its handshake.
    pub id: Option<u64>,
    /// The peer.
    pub address: SocketAddr,
    /// The name, once there is one.
    pub nick: Option<String>,
    /// The account that it is logged in to.
    pub account: Option<String>,
    /// In how many rooms.
    pub rooms: usize,
    /// How long it has been here.
    pub span: Duration,
    /// How long it has typed nothing.
    pub idle: Duration,
    /// How many bytes wait to be sent to it.
    pub queued: usize,
    /// Where it came in: a word.
    pub by: &'static str,
    /// What kind of peer it is for.
    pub kind: Served,
}

/// One room, as a console sees it.
#[derive(Clone, Debug)]
pub struct RoomRow {
    /// Its name.
    pub name: String,
    /// How many are in it.
    pub members: usize,
    /// The account that it belongs to.
    pub owner: Option<String>,
    /// Whether it has a password.
    pub is_locked: bool,
    /// How many lines of it are in memory.
    pub lines: usize,
    /// What it is about.
    pub topic: Option<String>,
}

/// So many connections.
pub fn conns(count: usize, rows: impl Iterator<Item = ConnRow>) -> String {
    let head =
        "id, address, name, account, rooms, here for, idle for, waiting bytes, came by, kind";
    let line = |row: ConnRow| {
        let (nick, account) = (or_none(row.nick.as_deref()), or_none(row.account.as_deref()));
        let id = row.id.map_or_else(|| "-".to_owned(), |id| format!("#{id:016x}"));
        format!(
            "{id} {} {nick} {account} {} {} {} {} {} {}",
            row.address,
            row.rooms,
            short(row.span),
            short(row.idle),
            row.queued,
            row.by,
            row.kind.word()
        )
    };
    list("connection", count, head, rows.map(line))
}

/// So many rooms.
pub fn rooms(count: usize, rows: impl Iterator<Item = RoomRow>) -> String {
    let head = "name, members, owner, lock, lines in memory, topic";
    let line = |row: RoomRow| {
        let lock = if row.is_locked { "locked" } else { "open" };
        let (owner, topic) = (or_none(row.owner.as_deref()), or_none(row.topic.as_deref()));
        format!("#{} {} {owner} {lock} {} {topic}", row.name, row.members, row.lines)
    };
    list("room", count, head, rows.map(line))
}

/// A line that names the columns, and the rows as far as an answer goes.
fn list(what: &str, count: usize, head: &str, rows: impl Iterator<Item = String>) -> String {
    let end = if count == 1 { "" } else { "s" };
    let mut text = match count {
        0 => format!("* 0 {what}s\n"),
        _ => format!("* {count} {what}{end}: {head}\n"),
    };
    for (index, row) in rows.enumerate() {
        if text.len() + row.len() > ANSWER_BYTES_MAX {
            text.push_str(&format!("* and {} more, for which there is no room\n", count - index));
            break;
        }
        text.push_str(&format!("* {row}\n"));
    }
    text
}

fn or_none(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

/// A span in its largest sensible unit, in one word.
fn short(span: Duration) -> String {
    match span.as_secs() {
        seconds @ 0..120 => format!("{seconds}s"),
        seconds @ 120..7_200 => format!("{}m", seconds / 60),
        seconds @ 7_200..172_800 => format!("{}h", seconds / 3_600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Figures: a name and what it is, one a line.
pub fn figures<'f>(figures: impl IntoIterator<Item = (&'f str, String)>) -> String {
    figures.into_iter().map(|(name, value)| format!("* {name}: {value}\n")).collect()
}

/// A sum, and in brackets what it consists of: what is none is left out.
pub fn sum<'w>(parts: impl IntoIterator<Item = (&'w str, u64)>) -> String {
    let there: Vec<_> = parts.into_iter().filter(|(_, count)| *count > 0).collect();
    let all: u64 = there.iter().map(|(_, count)| count).sum();
    let shown: Vec<String> = there.iter().map(|(word, count)| format!("{count} {word}")).collect();
    if shown.is_empty() { "0".to_owned() } else { format!("{all} ({})", shown.join(", ")) }
}

/// A short span, in the unit that leaves no fraction.
pub fn precise(span: Duration) -> String {
    match span.as_micros() {
        micros if micros % 1_000_000 == 0 => format!("{} s", micros / 1_000_000),
        micros if micros % 1_000 == 0 => format!("{} ms", micros / 1_000),
        micros => format!("{micros} µs"),
    }
}

/// A span as a figure: days, hours, minutes and seconds.
pub fn uptime(span: Duration) -> String {
    let seconds = span.as_secs();
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (hours, minutes, seconds) = (rest / 3_600, rest / 60 % 60, rest % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {seconds}s"),
        (0, ..) => format!("{hours}h {minutes}m {seconds}s"),
        _ => format!("{days}d {hours}h {minutes}m {seconds}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_cut_between_two_lines_and_says_so() {
        let topic = Some("x".repeat(1 << 20));
        let row = RoomRow {
            name: "ops".into(),
            members: 1,
            owner: None,
            is_locked: true,
            lines: 7,
            topic,
        };
        let text = rooms(9, vec![row; 9].into_iter());
        assert!(text.len() <= ANSWER_BYTES_MAX + 100, "{}", text.len());
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("* 9 rooms: name, "), "{}", lines[0]);
        assert!(lines[1].starts_with("* #ops 1 - locked 7 xxx"), "{}", &lines[1][..30]);
        assert_eq!(lines.last(), Some(&"* and 6 more, for which there is no room"));
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn spans_are_short() {
        let spans = [0, 119, 120, 7_199, 7_200, 172_799, 172_800];
        let shown = spans.map(|seconds| short(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "119s", "2m", "119m", "2h", "47h", "2d"]);
        let long = spans.map(|seconds| uptime(Duration::from_secs(seconds)));
        assert_eq!(long[1], "1m 59s");
        let short = [0, 25, 2_500, 5_000, 1_000_000].map(|it| precise(Duration::from_micros(it)));
        assert_eq!(short, ["0 s", "25 µs", "2500 µs", "5 ms", "1 s"]);
        assert_eq!((long[4].as_str(), long[6].as_str()), ("2h 0m 0s", "2d 0h 0m 0s"));
    }

    #[test]
    fn a_sum_leaves_out_what_is_none() {
        assert_eq!(sum([("usage", 3), ("no-room", 0), ("banned", 1)]), "4 (3 usage, 1 banned)");
        assert_eq!(sum([("usage", 0)]), "0");
    }

    #[test]
    fn help_names_each_order_once() {
        let help = help();
        for row in TABLE {
            let start = format!("* /{}", row.name);
            assert_eq!(help.lines().filter(|line| line.starts_with(&start)).count(), 1, "{help}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
    }
}
