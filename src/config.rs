//! Everything that can be tuned: each flag with its environment variable, its default, its range
//! and what happens at its limit; checked once, and plain data ever after.
//!
//! Promises: a [`Config`] that exists lets people in and out (no limit in it locks everyone out),
//! and a refusal is one sentence. Deliberately asks nothing of the machine but the file of
//! `--config` and whether sockets were handed over: where a host is and what the descriptor limit
//! allows is found out at start.

mod amount;
mod check;
mod endpoint;
mod file;
mod flags;
mod given;
mod paper;
mod reach;
mod sentence;
pub(crate) mod small;
mod variables;

use std::ffi::OsString;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use clap::{Command, CommandFactory, ValueEnum};
use log::LevelFilter;

use crate::chat;
use crate::chat::admission::Admission;
use crate::chat::name::RoomName;
use crate::chat::pace::Rate;
use crate::chat::ranks::Operators;
use crate::net::hub;
pub use endpoint::Endpoint;
pub use flags::{Cert, Format, Task};
use flags::{Flags, Instead};
use given::{Given, Value};
pub use reach::{Change, Reach, reach_of};
pub use variables::{Unread, unread};

/// What is told at once is given away to be kept so often; it is kept within twice that.
const LATER: Duration = Duration::from_millis(50);
const MINUTE: Duration = Duration::from_secs(60);

/// Lines of the message of the day; each is as long as a line may be that comes in.
const MOTD_LINES_MAX: usize = 20;

/// Characters of the lobby's name, whatever the limit on names that people choose.
const LOBBY_CHARS_MAX: usize = 64;

/// How many connections may be open at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connections {
    /// As many as the descriptor limit allows, with some kept for the server itself.
    AsDescriptorsAllow,
    /// This many, or as many as the descriptor limit allows.
    AtMost(usize),
    /// Until the machine has no more descriptors.
    Unlimited,
}

/// What a line that somebody has seen survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Sync {
    /// A power cut: it is on the disk before anybody is told.
    Disk,
    /// The death of the server: the kernel has it before anybody is told.
    Process,
    /// Nothing, for a moment: everybody is told at once.
    Later,
}

/// What is kept, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    /// The file.
    pub path: PathBuf,
    /// What a line survives.
    pub sync: Sync,
    /// How long lines are kept; `None` for as long as there is room.
    pub keep: Option<Duration>,
    /// How many lines of each room are kept; `None` for all.
    pub keep_lines: Option<usize>,
    /// Whether they are indexed.
    pub is_searchable: bool,
}

/// Where the certificate is that connections within TLS are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// The file with the certificate (PEM), and those between it and its root.
    pub cert: PathBuf,
    /// The file with its key (PEM).
    pub key: PathBuf,
}

/// All that the server is told at its start, and when its file is read again.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where to listen, in the order given; empty only where it is listened elsewhere.
    pub listen: Vec<Endpoint>,
    /// Where to listen for telnet clients, in the order given.
    pub telnet_listen: Vec<Endpoint>,
    /// Where to listen for TLS, in the order given.
    pub tls_listen: Vec<Endpoint>,
    /// The certificate for those.
    pub tls: Tls,
    /// Where to answer who asks for metrics; `None` for nowhere.
    pub metrics: Option<Endpoint>,
    /// The operator's socket, if there is to be one.
    pub admin: Option<PathBuf>,
    /// How many connections may be open; decides `hub.connections_max`, which is `None` here.
    pub connections: Connections,
    /// How many new connections are taken in one turn of the loop; at least 1.
    pub accepts_per_turn: usize,
    /// The limits of the conversation.
    pub chat: chat::Limits,
    /// The limits of the connections.
    pub hub: hub::Limits,
    /// What is kept; `None` for nothing.
    pub data: Option<Data>,
    /// What is logged, unless `RUST_LOG` says otherwise.
    pub log_level: LevelFilter,
    /// Each flag as it was typed.
    values: Vec<Value>,
    /// The command line, the program's name first.
    args: Vec<OsString>,
    has_file: bool,
}

/// Why there is no [`Config`].
#[derive(Debug, PartialEq, Eq)]
pub enum Declined {
    /// Help or the version was asked for: this is it, for standard output.
    Shown(String),
    /// A value is not acceptable: one sentence without its end, for standard error.
    Refused(String),
}

/// The table of all flags, for whoever compares it with something.
pub fn command() -> Command {
    Flags::command().mut_args(|arg| arg.hide_env_values(true))
}

/// What the program is to do.
#[derive(Debug)]
pub enum Wanted {
    /// Serve.
    Server(Box<Config>),
    /// Something with what is kept in that file.
    Task(Task, PathBuf),
    /// A certificate.
    Cert(Cert),
}

impl Wanted {
    /// Reads the flags (the first argument is the program's name), the environment, and the file
    /// that one of them names.
    pub fn parse_from(args: impl IntoIterator<Item = OsString>) -> Result<Wanted, Declined> {
        let args: Vec<OsString> = args.into_iter().collect();
        let mut given = Given::read(&args)?;
        match given.flags.instead.take() {
            None => Config::from_given(given, args).map(Box::new).map(Wanted::Server),
            Some(Instead::Task(task)) => Ok(Wanted::Task(task, given.flags.data)),
            Some(Instead::Cert(cert)) => Ok(Wanted::Cert(cert)),
            Some(Instead::CheckConfig) => {
                let config = Config::from_given(given, args)?;
                let summary = check::summary(&config);
                let summary = summary.map_err(|why| Given::located(&config.values, why));
                Err(summary.map_or_else(Declined::Refused, Declined::Shown))
            }
            Some(Instead::Man { of }) => {
                let page = paper::man(of.as_deref());
                Err(page.map_or_else(Declined::Refused, Declined::Shown))
            }
            Some(Instead::Completions { shell }) => Err(Declined::Shown(paper::completions(shell))),
        }
    }
}

impl Config {
    /// Reads the flags (the first argument is the program's name) and the environment; what is not
    /// for a server is refused.
    pub fn parse_from(args: impl IntoIterator<Item = OsString>) -> Result<Config, Declined> {
        match Wanted::parse_from(args)? {
            Wanted::Server(config) => Ok(*config),
            Wanted::Task(..) | Wanted::Cert(_) => {
                Err(Declined::Refused("wanted is a server".to_owned()))
            }
        }
    }

    /// Whether nobody has said what the flag of that long name is to be.
    pub fn has_default(&self, key: &str) -> bool {
        let value = self.values.iter().find(|value| value.key == key);
        value.is_none_or(|value| value.origin == given::Origin::Default)
    }

    /// Where it is listened, and by which flag, in the order of the flags.
    pub fn endpoints(&self) -> impl Iterator<Item = (&'static str, &Endpoint)> {
        let lists = [&self.listen[..], &self.telnet_listen, &self.tls_listen];
        let lists = lists.into_iter().chain([self.metrics.as_slice()]);
        let lists = endpoint::FLAGS.into_iter().zip(lists);
        lists.flat_map(|(flag, list)| list.iter().map(move |endpoint| (flag, endpoint)))
    }

    /// The same, without what was typed and where that stands.
    pub fn without_places(&self) -> Config {
        Config { values: Vec::new(), args: Vec::new(), has_file: false, ..self.clone() }
    }

    fn from_given(given: Given, args: Vec<OsString>) -> Result<Config, Declined> {
        let has_file = given.has_file();
        let Given { flags, values, .. } = given;
        match Config::from_flags(flags) {
            Ok(config) => Ok(Config { values, args, has_file, ..config }),
            Err(why) => Err(Declined::Refused(Given::located(&values, why))),
        }
    }

    /// Checks what one flag alone cannot: how the values stand beside each other.
    fn from_flags(flags: Flags) -> Result<Config, String> {
        let lines = endpoint::not_off(&flags.listen)?;
        let metrics = flags.metrics.as_slice();
        endpoint::check([&lines, &flags.telnet_listen, &flags.tls_listen, metrics])?;
        let is_encrypting = !flags.tls_listen.is_empty();
        if is_encrypting && !cfg!(feature = "tls") {
            return Err("--tls-listen: this chatline was built without the feature tls and \
                        encrypts nothing; leave it out"
                .to_owned());
        }
        let is_kept = flags.data.as_os_str() != "none";
        if is_kept && !cfg!(feature = "store") {
            return Err("--data: this chatline was built without the feature store and keeps \
                        nothing; wanted is none"
                .to_owned());
        }
        let admission = admission(&flags, is_kept)?;
        let data = is_kept.then(|| Data {
            path: flags.data.clone(),
            sync: flags.sync,
            keep: flags.keep.most(),
            keep_lines: flags.keep_lines.most(),
            is_searchable: flags.search,
        });
        Ok(Config {
            connections: flags.connections,
            accepts_per_turn: flags.accepts_per_turn,
            admin: flags.admin.clone(),
            chat: chat_limits(&flags, admission, data.as_ref())?,
            hub: hub_limits(&flags, data.as_ref()),
            log_level: match (flags.quiet, flags.verbose) {
                (true, _) => LevelFilter::Warn,
                (false, 0) => LevelFilter::Info,
                (false, 1) => LevelFilter::Debug,
                (false, _) => LevelFilter::Trace,
            },
            listen: lines,
            telnet_listen: flags.telnet_listen,
            tls_listen: flags.tls_listen,
            tls: Tls { cert: flags.tls_cert, key: flags.tls_key },
            metrics: flags.metrics,
            data,
            values: Vec::new(),
            args: Vec::new(),
            has_file: false,
        })
    }
}

fn chat_limits(
    flags: &Flags,
    admission: Admission,
    data: Option<&Data>,
) -> Result<chat::Limits, String> {
    Ok(chat::Limits {
        lobby: lobby(&flags.lobby)?,
        motd: motd(flags.motd.as_deref().unwrap_or_default(), flags.line_bytes)?,
        name_chars_max: Some(flags.name_chars),
        name_timeout: flags.name_timeout.most(),
        rooms_max: flags.rooms.most(),
        rooms_per_user_max: flags.rooms_per_user.most(),
        room_members_max: flags.room_members.most(),
        replay_lines: flags.replay,
        accounts_max: flags.accounts.most(),
        paste_bytes_max: flags.paste_bytes,
        directs_max: flags.directs,
        admission,
        operators: Operators::new(flags.operators.iter().map(String::as_str)),
        is_searchable: data.is_some_and(|data| data.is_searchable),
        is_kept: data.is_some(),
    })
}

fn hub_limits(flags: &Flags, data: Option<&Data>) -> hub::Limits {
    hub::Limits {
        connections_max: None,
        connections_per_address_max: flags.connections_per_address.most(),
        connects: flags.connects_per_minute.most().map(per_minute),
        line_bytes_max: Some(flags.line_bytes),
        pace: flags.pace.most().map(|lines| Rate::per_second(lines, flags.burst)),
        queue_bytes_max: flags.queue_bytes.most(),
        queue_total_bytes_max: flags.queue_total_bytes.most(),
        drain_timeout: flags.drain_timeout,
        stall_timeout: flags.stall_timeout.most(),
        handshakes_max: flags.tls_handshakes,
        handshake_timeout: flags.tls_handshake_timeout,
        read_bytes_per_turn: flags.read_bytes_per_turn,
        keep: data.map(|data| keep(data, flags.commit_window)),
    }
}

/// When what is to be kept is given away, and whether it is told before.
fn keep(data: &Data, commit_window: Duration) -> hub::Keep {
    match data.sync {
        Sync::Disk | Sync::Process => hub::Keep { is_told_at_once: false, window: commit_window },
        Sync::Later => hub::Keep { is_told_at_once: true, window: LATER.max(commit_window) },
    }
}

/// Who comes in; without accounts nobody could where members alone do.
fn admission(flags: &Flags, is_kept: bool) -> Result<Admission, String> {
    let admission = match (flags.private, flags.members_only) {
        (true, _) => Admission::Private,
        (false, true) => Admission::Members,
        (false, false) => Admission::Everybody,
    };
    match admission != Admission::Everybody && !is_kept {
        true => Err("--members-only and --private need accounts, and --data none keeps none; \
                     name a file with --data PATH"
            .to_owned()),
        false => Ok(admission),
    }
}

/// So many a minute, and as many at once.
fn per_minute(count: u32) -> Rate {
    Rate { every: MINUTE / count.max(1), burst: count }
}

/// The message of the day, without the ends of its last lines.
fn motd(text: &str, line_bytes: usize) -> Result<Option<Rc<str>>, String> {
    let text = text.trim_end();
    let lines = text.lines().count();
    if lines > MOTD_LINES_MAX {
        return Err(format!("--motd: it has {lines} lines; wanted are at most {MOTD_LINES_MAX}"));
    }
    match text.lines().find(|line| line.len() > line_bytes) {
        Some(line) => Err(format!(
            "--motd: a line of it has {} bytes; wanted are at most {line_bytes} (--line-bytes)",
            line.len()
        )),
        None => Ok((!text.is_empty()).then(|| Rc::from(text))),
    }
}

fn lobby(text: &str) -> Result<Option<RoomName>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let name = text.strip_prefix('#').unwrap_or(text);
    RoomName::parse(name, Some(LOBBY_CHARS_MAX)).map(Some).map_err(|_| {
        format!(
            "--lobby '{}' cannot be a room's name: wanted are 1 to {LOBBY_CHARS_MAX} letters, \
             digits and _ - . of one script, a letter or digit first, no word like \
             help (or '' for none)",
            name.escape_debug()
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Config, Declined> {
        Config::parse_from(["chatline"].iter().chain(args).map(OsString::from))
    }

    fn refusal(args: &[&str]) -> String {
        match parse(args) {
            Err(Declined::Refused(sentence)) => {
                assert!(!sentence.contains('\n'), "{sentence:?} is more than one line");
                assert!(!sentence.ends_with('.'), "{sentence:?} is not open for its end");
                sentence
            }
            other => panic!("{args:?} was not refused: {other:?}"),
        }
    }

    fn listen(args: &[&str]) -> Vec<String> {
        parse(args).unwrap().listen.iter().map(Endpoint::to_string).collect()
    }

    #[test]
    #[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
    fn the_defaults_are_those_that_are_promised() {
        let config = parse(&[]).unwrap();
        assert_eq!(config.listen, [Endpoint::parse("9000").unwrap()]);
        assert_eq!(config.connections, Connections::AsDescriptorsAllow);
        assert_eq!((config.metrics, config.accepts_per_turn), (None, 256));
        assert_eq!(config.log_level, LevelFilter::Info);
        let chat = config.chat;
        assert_eq!(chat.lobby.unwrap().as_str(), "lobby");
        assert_eq!(chat.name_chars_max, Some(24));
        assert_eq!(chat.name_timeout, Some(Duration::from_secs(120)));
        assert_eq!(chat.rooms_max, Some(10_000));
        assert_eq!(chat.rooms_per_user_max, Some(50));
        assert_eq!(chat.room_members_max, None);
        assert_eq!((chat.replay_lines, chat.is_kept), (20, true));
        assert_eq!(chat.paste_bytes_max, 64 << 10);
        let hub = config.hub;
        assert_eq!(hub.connections_per_address_max, Some(64));
        assert_eq!(hub.connects, Some(Rate { every: Duration::from_secs(1), burst: 60 }));
        assert_eq!(hub.line_bytes_max, Some(4096));
        assert_eq!(hub.pace, Some(Rate::per_second(100, 1000)));
        assert_eq!(hub.queue_bytes_max, Some(1 << 20));
        assert_eq!(hub.queue_total_bytes_max, Some(256 << 20));
        assert_eq!(hub.drain_timeout, Duration::from_secs(2));
        assert_eq!(hub.stall_timeout, Some(Duration::from_secs(120)));
        assert_eq!(hub.read_bytes_per_turn, 64 << 10);
        let keep = hub.keep.unwrap();
        assert!(!keep.is_told_at_once);
        assert_eq!(keep.window, Duration::from_millis(2));
        let data = config.data.unwrap();
        assert_eq!((data.path, data.sync), (PathBuf::from("chatline.db"), Sync::Disk));
        assert_eq!(data.keep, Some(Duration::from_secs(30 * 86_400)));
        assert_eq!((data.keep_lines, data.is_searchable), (Some(100_000), true));
    }

    #[test]
    fn listen_takes_ports_addresses_and_hosts() {
        assert_eq!(listen(&["--listen", "9001"]), ["127.0.0.1:9001"]);
        assert_eq!(listen(&["--listen", "[::1]:0"]), ["[::1]:0"]);
        assert_eq!(
            listen(&["--listen", "0.0.0.0:9,[::]:9", "--listen=7"]),
            ["0.0.0.0:9", "[::]:9", "127.0.0.1:7"]
        );
        assert_eq!(listen(&["--listen", "localhost:9000"]), ["localhost:9000"]);
        assert_eq!(listen(&["--listen", "0,0"]).len(), 2);
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_to_say() {
        assert_eq!(
            refusal(&["--listen", "::1"]).rsplit(": a ").next().unwrap(),
            "port is missing, as in [::1]:9000"
        );
        assert!(refusal(&["--listen", "0.0.0.0"]).ends_with("as in 0.0.0.0:9000"));
        assert!(refusal(&["--listen", ":9000"]).ends_with("say 0.0.0.0:9000"));
        assert!(refusal(&["--listen", "70000"]).contains("wanted is a port"));
        assert!(refusal(&["--listen", ""]).contains("wanted is a port"));
        assert!(refusal(&["--listen", "9,127.0.0.1:9"]).contains("given twice"));
        assert_eq!(parse(&["--metrics=7"]).unwrap().metrics, Endpoint::parse("127.0.0.1:7").ok());
        let config = parse(&["--telnet-listen", "23,[::]:23"]).unwrap();
        assert_eq!((config.listen.len(), config.telnet_listen.len()), (1, 2));
    }

    #[test]
    fn off_is_taken_where_it_makes_sense_and_only_there() {
        let config = parse(&[
            "--connections=off",
            "--connections-per-address=off",
            "--connects-per-minute=off",
            "--name-timeout=off",
            "--pace=off",
            "--rooms=off",
            "--rooms-per-user=off",
            "--room-members=off",
            "--queue-bytes=off",
            "--queue-total-bytes=off",
            "--stall-timeout=off",
        ]);
        let config = config.unwrap();
        assert_eq!(config.connections, Connections::Unlimited);
        assert_eq!((config.hub.pace, config.hub.stall_timeout), (None, None));
        assert_eq!(config.hub.connects, None);
        for flag in [
            "--line-bytes",
            "--paste-bytes",
            "--name-chars",
            "--burst",
            "--drain-timeout",
            "--accepts-per-turn",
            "--read-bytes-per-turn",
        ] {
            assert!(refusal(&[flag, "off"]).starts_with(flag));
        }
    }

    #[test]
    fn values_that_would_lock_everyone_out_are_refused() {
        for args in [
            ["--connections", "0"],
            ["--line-bytes", "63"],
            ["--line-bytes", "2MiB"],
            ["--name-chars", "0"],
            ["--name-chars", "65"],
            ["--queue-bytes", "1023"],
            ["--queue-total-bytes", "1023"],
            ["--pace", "0"],
            ["--burst", "0"],
            ["--name-timeout", "0"],
            ["--room-members", "0"],
            ["--accepts-per-turn", "0"],
            ["--lobby", "a b"],
            ["--lobby", "\u{1b}[2J"],
        ] {
            let sentence = refusal(&args);
            assert!(sentence.contains(args[0]), "{sentence}");
            assert!(!sentence.contains('\u{1b}'), "{sentence}");
        }
    }

    #[test]
    #[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
    fn members_alone_come_in_where_accounts_are_kept() {
        let admission = |args: &[&str]| parse(args).unwrap().chat.admission;
        assert_eq!(admission(&[]), Admission::Everybody);
        assert_eq!(admission(&["--members-only"]), Admission::Members);
        assert_eq!(admission(&["--private"]), Admission::Private);
        assert_eq!(admission(&["--private", "--members-only"]), Admission::Private);
        for flag in ["--members-only", "--private"] {
            assert!(refusal(&[flag, "--data", "none"]).contains("--data PATH"));
        }
    }

    #[test]
    fn a_lobby_is_named_or_absent() {
        assert_eq!(parse(&["--lobby", "#Foyer"]).unwrap().chat.lobby.unwrap().as_str(), "Foyer");
        assert_eq!(parse(&["--lobby", ""]).unwrap().chat.lobby, None);
        assert!(parse(&["--name-chars", "4"]).is_ok());
    }

    #[test]
    fn refusals_name_the_flag_and_what_is_wanted() {
        assert_eq!(
            refusal(&["--pace", "fast"]),
            "--pace 'fast': wanted is a whole number from 1 to 1000000, or off"
        );
        assert_eq!(refusal(&["--paec", "1"]), "there is no '--paec', but there is --pace");
        assert_eq!(refusal(&["9001"]), "there is no '9001', but there is --listen 9001");
        assert!(refusal(&["--pace"]).contains("--pace"));
        assert!(refusal(&["-q", "-v"]).contains("cannot be used with"));
        assert!(refusal(&["--pace=1", "--pace=2"]).contains("cannot be used multiple times"));
    }

    #[test]
    fn help_and_version_are_shown() {
        let Err(Declined::Shown(help)) = parse(&["--help"]) else { panic!("no help") };
        assert!(help.ends_with("try it:  nc 127.0.0.1 9000\n"), "{help}");
        assert!(matches!(parse(&["--version"]), Err(Declined::Shown(_))));
    }

    #[test]
    fn every_flag_with_a_value_has_a_variable_of_its_name() {
        for arg in command().get_arguments().filter(|arg| arg.get_action().takes_values()) {
            let long = arg.get_long().unwrap();
            let variable = format!("CHATLINE_{}", long.to_uppercase().replace('-', "_"));
            assert_eq!(arg.get_env().and_then(|name| name.to_str()), Some(variable.as_str()));
            assert!(arg.get_help().is_some());
        }
    }

    #[test]
    fn the_log_level_follows_the_flags() {
        let level = |args: &[&str]| parse(args).unwrap().log_level;
        assert_eq!(level(&["-q"]), LevelFilter::Warn);
        assert_eq!(level(&["-v"]), LevelFilter::Debug);
        assert_eq!(level(&["-vv"]), LevelFilter::Trace);
    }
}
