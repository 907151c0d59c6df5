//! What the operator of a server may ask at its console, and how: the table of orders, the parser,
//! and the words of the answers.
//!
//! Promises: a clean line becomes exactly one [`Order`] or one [`Fault`], without a look at who is
//! here; [`text`] words both. Deliberately knows no socket, no clock and nobody who is here: it
//! borrows the conversation's grammar and codes, and whoever obeys an order hands in what there is
//! to show.

pub mod text;

use ipnet::IpNet;
use log::LevelFilter;

use crate::chat::command::{Command, Moderation};
use crate::chat::event::Code;
use crate::chat::name::nearest;
use crate::chat::network::network;

/// How long it is until the server stops where `/shutdown` does not say, in seconds.
pub const SHUTDOWN_SECS: u64 = 10;
/// The longest that can be asked for, in seconds: a day.
pub const SHUTDOWN_SECS_MAX: u64 = 24 * 60 * 60;

/// What stands before the digits of a number that `/shutdown` does not take.
const SIGNS: [char; 5] = ['-', '\u{2212}', '+', '.', ','];

/// Hexadecimal digits of an id.
const ID_DIGITS: usize = 16;

/// The orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // Each is the order of its name; the table below has the arguments.
pub enum Verb {
    Stats,
    Conns,
    Rooms,
    Kick,
    Ban,
    Unban,
    Mute,
    Unmute,
    Log,
    Announce,
    Reload,
    Shutdown,
    Help,
    Quit,
}

/// One order: its word, its arguments, and what it does.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which.
    pub verb: Verb,
    /// What stands after the slash, in lower case.
    pub name: &'static str,
    /// The arguments as help shows them; square brackets mark what may be left out.
    pub arguments: &'static str,
    /// What it does, in a clause.
    pub does: &'static str,
}

/// Every order, as help lists them.
#[rustfmt::skip]
pub const TABLE: &[Row] = &[
    Row { verb: Verb::Stats, name: "stats", arguments: "", does: "figures of the server" },
    Row {
        verb: Verb::Conns, name: "conns", arguments: "[WHO]",
        does: "connections: all, or of a name or address",
    },
    Row { verb: Verb::Rooms, name: "rooms", arguments: "", does: "all rooms" },
    Row {
        verb: Verb::Kick, name: "kick", arguments: "[#ROOM] WHO [WHY]",
        does: "puts somebody off the server, or out",
    },
    Row {
        verb: Verb::Ban, name: "ban", arguments: "[#ROOM] [WHO] [TIME] [WHY]",
        does: "keeps somebody out; alone, lists them",
    },
    Row {
        verb: Verb::Unban, name: "unban", arguments: "[#ROOM] WHO",
        does: "lets somebody come back",
    },
    Row {
        verb: Verb::Mute, name: "mute", arguments: "[#ROOM] [WHO] [TIME] [WHY]",
        does: "silences somebody; alone, lists them",
    },
    Row {
        verb: Verb::Unmute, name: "unmute", arguments: "[#ROOM] WHO",
        does: "lets somebody speak again",
    },
    Row {
        verb: Verb::Log, name: "log", arguments: "LEVEL",
        does: "logs error, warn, info, debug or trace",
    },
    Row {
        verb: Verb::Announce, name: "announce", arguments: "TEXT",
        does: "tells everybody something",
    },
    Row {
        verb: Verb::Reload, name: "reload", arguments: "",
        does: "reads the configuration again",
    },
    Row {
        verb: Verb::Shutdown, name: "shutdown", arguments: "[SECONDS] [WHY] or cancel",
        does: "stops the server, or does not after all",
    },
    Row {
        verb: Verb::Help, name: "help", arguments: "[ORDER]",
        does: "this list, or more about one",
    },
    Row { verb: Verb::Quit, name: "quit", arguments: "", does: "leaves the console" },
];

impl Verb {
    /// Its row.
    pub fn row(self) -> &'static Row {
        TABLE.iter().find(|row| row.verb == self).expect("each order has a row")
    }
}

/// What a line asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// An empty line.
    Nothing,
    /// Show figures.
    Stats,
    /// List the connections of somebody, or all.
    Conns(Option<&'a str>),
    /// List the rooms.
    Rooms,
    /// Kick, ban or mute, or take that back; a place that is not named is everywhere.
    Moderate(Moderation<'a>),
    /// End the connection of that id, with a reason, which may be empty.
    Kick(u64, &'a str),
    /// Log so much.
    Log(LevelFilter),
    /// Tell everybody something.
    Announce(&'a str),
    /// Read the configuration again.
    Reload,
    /// Stop in so many seconds, where that is said, with a reason, which may be empty.
    Shutdown(Option<u64>, &'a str),
    /// Do not stop after all.
    ShutdownCancel,
    /// List the orders, or tell of one.
    Help(Option<Verb>),
    /// Leave the console.
    Quit,
}

impl Order<'_> {
    /// The word of it, for the log; `None` for an empty line.
    pub fn word(self) -> Option<&'static str> {
        let verb = match self {
            Order::Nothing => return None,
            Order::Stats => Verb::Stats,
            Order::Conns(_) => Verb::Conns,
            Order::Rooms => Verb::Rooms,
            Order::Moderate(moderation) => return Some(moderation.verb().name()),
            Order::Kick(..) => Verb::Kick,
            Order::Log(_) => Verb::Log,
            Order::Announce(_) => Verb::Announce,
            Order::Reload => Verb::Reload,
            Order::Shutdown(..) | Order::ShutdownCancel => Verb::Shutdown,
            Order::Help(_) => Verb::Help,
            Order::Quit => Verb::Quit,
        };
        Some(verb.row().name)
    }
}

/// Whose connections are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// The one with that id.
    Id(u64),
    /// Those from that address, or from that network.
    From(IpNet),
    /// That of who has this name, as typed.
    Named(String),
}

impl Who {
    /// `#0123456789abcdef`, `10.0.0.7`, `10.0.0.0/8`, `2001:db8::/32`, each as in `/ban`; anything
    /// else is a name, and after an `@` always.
    pub fn parse(text: &str) -> Who {
        if let Some(Ok(id)) = text.strip_prefix('#').map(|id| u64::from_str_radix(id, 16)) {
            return Who::Id(id);
        }
        match network(text) {
            Some(network) => Who::From(network),
            None => Who::Named(text.strip_prefix('@').unwrap_or(text).to_owned()),
        }
    }
}

/// Why an order is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It lacks something or has too much of it.
    Usage(Verb),
    /// There is no such order.
    Unknown {
        /// As typed, without the slash.
        typed: String,
        /// What may have been meant.
        meant: Option<Verb>,
    },
    /// An order begins with a slash.
    NoSlash,
    /// The line is longer than may be.
    LineTooLong {
        /// The bound, in bytes.
        bytes_max: usize,
    },
    /// Nobody of that name, address, network or id is here.
    Nobody {
        /// As typed.
        typed: String,
    },
    /// There is no such room.
    NoRoom {
        /// As typed, without its mark.
        typed: String,
    },
    /// The server is not about to stop.
    StopsNot,
    /// It is already, and the order does not say when it is to stop instead.
    StopsAlready {
        /// How many seconds are left.
        seconds: u64,
    },
    /// As many consoles are open as may be.
    ConsolesFull {
        /// The bound.
        most: usize,
    },
    /// Whoever has connected is another user of the machine.
    NotAllowed,
}

impl Fault {
    /// The stable word for it: those of the conversation, in the same sense.
    pub fn code(&self) -> Code {
        match self {
            Fault::Usage(_) | Fault::StopsNot | Fault::StopsAlready { .. } => Code::Usage,
            Fault::NoRoom { .. } => Code::NoSuchRoom,
            Fault::Unknown { .. } | Fault::NoSlash => Code::UnknownCommand,
            Fault::LineTooLong { .. } => Code::LineTooLong,
            Fault::Nobody { .. } => Code::NoSuchUser,
            Fault::ConsolesFull { .. } => Code::ServerFull,
            Fault::NotAllowed => Code::NotAllowed,
        }
    }
}

/// What a clean line asks.
///
/// # Errors
/// The [`Fault`] that the line alone has.
pub fn parse(line: &str) -> Result<Order<'_>, Fault> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(Order::Nothing);
    }
    let (word, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    let rest = rest.trim();
    let Some(word) = word.strip_prefix('/') else {
        let is_quit = word.eq_ignore_ascii_case("quit") && rest.is_empty();
        return if is_quit { Ok(Order::Quit) } else { Err(Fault::NoSlash) };
    };
    let row = verb_of(word)?.row();
    let is_alone = rest.is_empty();
    let order = match row.verb {
        Verb::Stats => is_alone.then_some(Order::Stats),
        Verb::Conns => one_word(rest).map(Order::Conns),
        Verb::Rooms => is_alone.then_some(Order::Rooms),
        Verb::Kick => kick(rest).or_else(|| moderation(line)),
        Verb::Ban | Verb::Unban | Verb::Mute | Verb::Unmute => moderation(line),
        Verb::Log => level(rest).map(Order::Log),
        Verb::Announce => (!is_alone).then_some(Order::Announce(rest)),
        Verb::Reload => is_alone.then_some(Order::Reload),
        Verb::Shutdown => shutdown(rest),
        Verb::Help if is_alone => Some(Order::Help(None)),
        Verb::Help => return verb_of(rest.trim_start_matches('/')).map(|it| Order::Help(Some(it))),
        Verb::Quit => is_alone.then_some(Order::Quit),
    };
    order.ok_or(Fault::Usage(row.verb))
}

/// The order of that name, without a slash.
fn verb_of(word: &str) -> Result<Verb, Fault> {
    if let Some(row) = TABLE.iter().find(|row| row.name.eq_ignore_ascii_case(word)) {
        return Ok(row.verb);
    }
    let near = nearest(&word.to_lowercase(), TABLE.iter().map(|row| row.name));
    let meant = TABLE.iter().find(|row| Some(row.name) == near).map(|row| row.verb);
    Err(Fault::Unknown { typed: word.to_owned(), meant })
}

/// At most one word.
fn one_word(rest: &str) -> Option<Option<&str>> {
    (!rest.contains(char::is_whitespace)).then_some((!rest.is_empty()).then_some(rest))
}

/// An id, as `/conns` shows it, and perhaps a reason.
fn kick(rest: &str) -> Option<Order<'_>> {
    let (word, why) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let digits = word.strip_prefix('#').filter(|digits| digits.len() == ID_DIGITS)?;
    let id = u64::from_str_radix(digits, 16).ok()?;
    Some(Order::Kick(id, why.trim()))
}

/// What is asked here as in the conversation.
fn moderation(line: &str) -> Option<Order<'_>> {
    match Command::parse(line) {
        Ok(Command::Moderate(moderation)) => Some(Order::Moderate(moderation)),
        _ => None,
    }
}

fn level(rest: &str) -> Option<LevelFilter> {
    rest.parse().ok().filter(|level| *level != LevelFilter::Off)
}

/// A number at the beginning is a time, and `cancel` stands alone; any other word begins the
/// reason, but one that was meant as a number is no reason to stop. Nor is a word alone, which may
/// be a slip of `cancel`.
fn shutdown(rest: &str) -> Option<Order<'_>> {
    let (word, why) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if word.eq_ignore_ascii_case("cancel") {
        return why.is_empty().then_some(Order::ShutdownCancel);
    }
    let is_number = word.trim_start_matches(SIGNS).starts_with(char::is_numeric);
    if !is_number {
        let is_slip = why.is_empty() && !word.is_empty();
        return (!is_slip).then_some(Order::Shutdown(None, rest));
    }
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = word.parse().ok().filter(|it| is_plain && *it <= SHUTDOWN_SECS_MAX)?;
    Some(Order::Shutdown(Some(seconds), why.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_order_is_read_and_its_faults_are_told() {
        for (line, order) in [
            ("", Order::Nothing),
            (" \t", Order::Nothing),
            ("/stats", Order::Stats),
            (" /STATS ", Order::Stats),
            ("/conns", Order::Conns(None)),
            ("/conns 10.0.0.0/8", Order::Conns(Some("10.0.0.0/8"))),
            ("/rooms", Order::Rooms),
            ("/log Debug", Order::Log(LevelFilter::Debug)),
            ("/announce  all is well ", Order::Announce("all is well")),
            ("/reload", Order::Reload),
            ("/shutdown", Order::Shutdown(None, "")),
            ("/shutdown 60", Order::Shutdown(Some(60), "")),
            ("/shutdown 0  a new  disk ", Order::Shutdown(Some(0), "a new  disk")),
            ("/shutdown a new disk", Order::Shutdown(None, "a new disk")),
            ("/shutdown cancel", Order::ShutdownCancel),
            ("/shutdown CANCEL ", Order::ShutdownCancel),
            ("/shutdown cancelled leases", Order::Shutdown(None, "cancelled leases")),
            ("/shutdown - a new disk", Order::Shutdown(None, "- a new disk")),
            ("/help", Order::Help(None)),
            ("/help kick", Order::Help(Some(Verb::Kick))),
            ("/help /KICK", Order::Help(Some(Verb::Kick))),
            ("/quit", Order::Quit),
            ("QUIT", Order::Quit),
        ] {
            assert_eq!(parse(line), Ok(order), "{line}");
        }
        for (line, verb) in [
            ("/stats all", Verb::Stats),
            ("/conns a b", Verb::Conns),
            ("/log", Verb::Log),
            ("/log off", Verb::Log),
            ("/log loud", Verb::Log),
            ("/announce ", Verb::Announce),
            ("/reload it", Verb::Reload),
            ("/shutdown 86401", Verb::Shutdown),
            ("/shutdown 99999999999999999999", Verb::Shutdown),
            ("/shutdown -1", Verb::Shutdown),
            ("/shutdown \u{2212}1 a new disk", Verb::Shutdown),
            ("/shutdown +60", Verb::Shutdown),
            ("/shutdown 60s", Verb::Shutdown),
            ("/shutdown 1.5 a new disk", Verb::Shutdown),
            ("/shutdown .5", Verb::Shutdown),
            ("/shutdown cancel now", Verb::Shutdown),
            ("/shutdown cancle", Verb::Shutdown),
            ("/shutdown now ", Verb::Shutdown),
            ("/shutdown -", Verb::Shutdown),
            ("/quit it", Verb::Quit),
        ] {
            assert_eq!(parse(line), Err(Fault::Usage(verb)), "{line}");
        }
    }

    #[test]
    fn moderation_is_read_as_in_the_conversation() {
        for line in ["/kick bob why not", "/BAN #dev bob 2h", "/ban", "/unmute bob"] {
            let Ok(Command::Moderate(moderation)) = Command::parse(line) else { panic!("{line}") };
            assert_eq!(parse(line), Ok(Order::Moderate(moderation)), "{line}");
        }
        let id = "/kick #00000000000000fF a  flood ";
        assert_eq!(parse(id), Ok(Order::Kick(255, "a  flood")));
        assert!(matches!(parse("/kick #ff bob"), Ok(Order::Moderate(_))), "that is a room");
        assert_eq!(parse("/kick"), Err(Fault::Usage(Verb::Kick)));
        assert_eq!(parse("/unban #dev"), Err(Fault::Usage(Verb::Unban)));
    }

    #[test]
    fn connections_are_meant_by_id_address_network_or_name() {
        let network = |text: &str| Who::From(text.parse().expect("a network"));
        assert_eq!(Who::parse("#00000000000000ff"), Who::Id(255));
        assert_eq!(Who::parse("10.0.0.7"), network("10.0.0.7/32"));
        assert_eq!(Who::parse("::ffff:10.0.0.7"), network("10.0.0.7/32"));
        assert_eq!(Who::parse("10.0.0.0/8"), network("10.0.0.0/8"));
        assert_eq!(Who::parse("2001:db8::/32"), network("2001:db8::/32"));
        assert_eq!(Who::parse("2001:db8::7"), network("2001:db8::/64"), "as it is banned");
        for name in ["bob", "@bob", "10.0.0"] {
            assert_eq!(Who::parse(name), Who::Named(name.trim_start_matches('@').to_owned()));
        }
        assert_eq!(Who::parse("@10.0.0.7"), Who::Named("10.0.0.7".to_owned()));
    }

    #[test]
    fn what_was_mistyped_is_guessed() {
        let unknown = |typed: &str, meant| Err(Fault::Unknown { typed: typed.to_owned(), meant });
        assert_eq!(parse("/stat"), unknown("stat", Some(Verb::Stats)));
        assert_eq!(parse("/shutdwon now"), unknown("shutdwon", Some(Verb::Shutdown)));
        assert_eq!(parse("/dance"), unknown("dance", None));
        assert_eq!(parse("/"), unknown("", None));
        assert_eq!(parse("/help stat"), unknown("stat", Some(Verb::Stats)));
        for line in ["stats", "quit it", "hello"] {
            assert_eq!(parse(line), Err(Fault::NoSlash), "{line}");
        }
    }
}
