//! The table of flags: name, environment variable, default, range, and what happens at the limit.
//!
//! Promises: one row is one flag whole; `--help` is made of nothing else. Deliberately checks each
//! value by itself: how they stand beside each other is checked in `config`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use super::amount::{Bound, count, duration, or_off, size, switch, truth};
use super::endpoint::Endpoint;
use super::{Connections, Sync};
use crate::chat::command::{REPLAY_LINES_MAX, Since};
use crate::chat::name::Nick;

/// No count is larger; far beyond what a machine can hold.
const MOST: usize = 1_000_000_000;
/// A reader who waits for nothing is always told the next thing, however long; below this, one who
/// is a little late would see more gaps than lines.
const QUEUE_BYTES_MIN: usize = 1 << 10;
const SHORT: Duration = Duration::from_millis(100);
const MINUTE: Duration = Duration::from_secs(60);
/// Where what is said is kept.
const DATA: &str = if cfg!(feature = "store") { "chatline.db" } else { "none" };
/// What `chatline cert` writes.
const CERT: &str = "chatline.crt";
const KEY: &str = "chatline.key";
const DAY: Duration = Duration::from_secs(86_400);

/// What was given, each value within its range.
#[derive(Parser)]
#[command(
    name = "chatline",
    version,
    about = "A chat server for people and scripts that have nothing but a TCP socket.",
    after_help = "Sizes take K, M and G (1K is 1024 bytes), durations ms, s, m, h and d. A flag is \
                  stronger than its environment variable, and that than the file of \
                  --config.\n\ntry it:  nc 127.0.0.1 9000",
    max_term_width = 100,
    next_line_help = true,
    subcommand_help_heading = "Instead of serving",
    subcommand_value_name = "COMMAND",
    disable_help_subcommand = true
)]
pub(super) struct Flags {
    /// A file in which any flag can stand, by its name without dashes: `pace = 50`. What is given
    /// otherwise is stronger. SIGHUP reads it again. scripts/chatline.toml has all of them.
    #[arg(long, env = "CHATLINE_CONFIG", value_name = "PATH", global = true)]
    #[arg(value_parser = path, value_hint = ValueHint::FilePath)]
    pub(super) config: Option<PathBuf>,

    /// Where to listen: a port of this machine alone (9000), an address and a port (0.0.0.0:9000,
    /// [::]:9000) or a host name and a port. Port 0 takes a free one. Can be repeated, or separated
    /// by commas. Everything is plain text there, and whoever reaches the port can come in, unless
    /// with --members-only. `off`: nowhere, where --tls-listen or --telnet-listen is enough.
    #[arg(long, env = "CHATLINE_LISTEN", value_name = "[ADDR:]PORT", value_delimiter = ',')]
    #[arg(default_value = "127.0.0.1:9000", value_parser = endpoint_or_off)]
    pub(super) listen: Vec<Bound<Endpoint>>,

    /// Where to listen for telnet clients, which are asked at once to send each key, so that lines
    /// are edited here: prompt, history, completion. Written as with --listen; none unless given.
    #[arg(long, env = "CHATLINE_TELNET_LISTEN", value_name = "[ADDR:]PORT", value_delimiter = ',')]
    #[arg(value_parser = Endpoint::parse)]
    pub(super) telnet_listen: Vec<Endpoint>,

    /// Where to listen for TLS: the same lines, encrypted. Written as with --listen; none unless
    /// given. `chatline cert HOST` makes a certificate.
    #[arg(long, env = "CHATLINE_TLS_LISTEN", value_name = "[ADDR:]PORT", value_delimiter = ',')]
    #[arg(help_heading = "Encryption", value_parser = Endpoint::parse)]
    pub(super) tls_listen: Vec<Endpoint>,

    /// The file with the certificate, and those between it and its root (PEM). It is read again at
    /// SIGHUP, and when it has changed.
    #[arg(long, env = "CHATLINE_TLS_CERT", value_name = "FILE", help_heading = "Encryption")]
    #[arg(default_value = CERT, value_parser = file, value_hint = ValueHint::FilePath)]
    pub(super) tls_cert: PathBuf,

    /// The file with the certificate's key (PEM), not encrypted. It is read again with the other.
    #[arg(long, env = "CHATLINE_TLS_KEY", value_name = "FILE", help_heading = "Encryption")]
    #[arg(default_value = KEY, value_parser = file, value_hint = ValueHint::FilePath)]
    pub(super) tls_key: PathBuf,

    /// How long a TLS handshake may take; then the connection is closed.
    #[arg(long, env = "CHATLINE_TLS_HANDSHAKE_TIMEOUT", value_name = "TIME")]
    #[arg(help_heading = "Encryption", default_value = "10s")]
    #[arg(value_parser = duration(SHORT..=MINUTE))]
    pub(super) tls_handshake_timeout: Duration,

    /// TLS handshakes at once, a quarter of them from one address. Beyond that one that
    /// goes no further makes room, or the connection is closed.
    #[arg(
        long,
        env = "CHATLINE_TLS_HANDSHAKES",
        value_name = "COUNT",
        help_heading = "Encryption"
    )]
    #[arg(default_value = "256", value_parser = count(1..=65_536_usize))]
    pub(super) tls_handshakes: usize,

    /// A Unix socket for the operator: `nc -U PATH` is the console, /help lists its orders. It has
    /// mode 0600; only the user who runs the server, and root, may connect. None unless given.
    #[arg(long, env = "CHATLINE_ADMIN", value_name = "PATH", value_parser = socket_path)]
    pub(super) admin: Option<PathBuf>,

    /// Connections at once; more are told `server-full` and closed. Lowered to what the descriptor
    /// limit allows, which is what `auto` means: that limit, raised as far as allowed, less 64.
    /// `off`: until descriptors run out, with the same answer.
    #[arg(long, env = "CHATLINE_CONNECTIONS", value_name = "COUNT", help_heading = "Who comes in")]
    #[arg(default_value = "auto", value_parser = connections)]
    pub(super) connections: Connections,

    /// Connections at once from one address (IPv6: from one /64); more are told
    /// `too-many-from-here` and closed. This machine itself is exempt.
    #[arg(long, env = "CHATLINE_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    #[arg(help_heading = "Who comes in", default_value = "64")]
    #[arg(value_parser = or_off(count(1..=MOST)))]
    pub(super) connections_per_address: Bound<usize>,

    /// New connections a minute from one address (IPv6: from one /64), and as many at once; more
    /// are told `too-often-from-here` and closed. This machine itself is exempt.
    #[arg(long, env = "CHATLINE_CONNECTS_PER_MINUTE", value_name = "COUNT")]
    #[arg(help_heading = "Who comes in", default_value = "60")]
    #[arg(value_parser = or_off(count(1..=1_000_000_u32)))]
    pub(super) connects_per_minute: Bound<u32>,

    /// How long a connection may go without a name; it is told `no-name` and closed.
    #[arg(long, env = "CHATLINE_NAME_TIMEOUT", value_name = "TIME")]
    #[arg(help_heading = "Who comes in", default_value = "120s")]
    #[arg(value_parser = or_off(duration(SHORT..=DAY)))]
    pub(super) name_timeout: Bound<Duration>,

    /// Nobody comes in without an account; who has none needs an invitation (`chatline invite`).
    #[arg(long, env = "CHATLINE_MEMBERS_ONLY", help_heading = "Who comes in")]
    #[arg(value_parser = truth)]
    pub(super) members_only: bool,

    /// The same, and nobody learns who or what is here before logging in.
    #[arg(long, env = "CHATLINE_PRIVATE", help_heading = "Who comes in")]
    #[arg(value_parser = truth)]
    pub(super) private: bool,

    /// The operators of the server: names, each of which may do everywhere what an owner may in a
    /// room, once logged in. Can be repeated, or separated by commas. Such a name must be
    /// somebody's before it is given here; after that nobody can register it.
    #[arg(long, env = "CHATLINE_OPERATORS", value_name = "NICK", value_delimiter = ',')]
    #[arg(help_heading = "Who comes in", value_parser = nick)]
    pub(super) operators: Vec<String>,

    /// What everybody is told after their welcome, but for guests and tokens: at most 20 lines.
    /// Nothing unless given.
    #[arg(long, env = "CHATLINE_MOTD", value_name = "TEXT", help_heading = "Who comes in")]
    #[arg(value_parser = motd)]
    pub(super) motd: Option<String>,

    /// Bytes of a line that comes in, its end not counted; a longer one is refused with
    /// `line-too-long` and skipped.
    #[arg(
        long,
        env = "CHATLINE_LINE_BYTES",
        value_name = "SIZE",
        help_heading = "Lines and names"
    )]
    #[arg(default_value = "4096", value_parser = size(64..=1 << 20))]
    pub(super) line_bytes: usize,

    /// Bytes of a message of many lines (`/paste`), of which there are at most 5000; a longer one
    /// is refused with `paste-too-long`, and nothing of it is said.
    #[arg(
        long,
        env = "CHATLINE_PASTE_BYTES",
        value_name = "SIZE",
        help_heading = "Lines and names"
    )]
    #[arg(default_value = "64KiB", value_parser = size(1 << 10..=1 << 20))]
    pub(super) paste_bytes: usize,

    /// Characters of a name; a longer one is refused with `name-invalid`.
    #[arg(long, env = "CHATLINE_NAME_CHARS", value_name = "COUNT")]
    #[arg(help_heading = "Lines and names", default_value = "24")]
    #[arg(value_parser = count(1..=64_usize))]
    pub(super) name_chars: usize,

    /// Lines a second that one connection may say for long; a faster one is read more slowly, and
    /// none of its lines is lost.
    #[arg(long, env = "CHATLINE_PACE", value_name = "COUNT", help_heading = "Lines and names")]
    #[arg(default_value = "100", value_parser = or_off(count(1..=1_000_000_u32)))]
    pub(super) pace: Bound<u32>,

    /// Lines that one connection may say at once before its pace counts.
    #[arg(long, env = "CHATLINE_BURST", value_name = "COUNT", help_heading = "Lines and names")]
    #[arg(default_value = "1000", value_parser = count(1..=1_000_000_u32))]
    pub(super) burst: u32,

    /// The room where everyone starts: permanent and never locked. '' for none.
    #[arg(long, env = "CHATLINE_LOBBY", value_name = "NAME", help_heading = "Rooms")]
    #[arg(default_value = "lobby")]
    pub(super) lobby: String,

    /// Rooms at once. A new one takes the place of the empty one that is longest silent; when none
    /// is empty, it is refused with `too-many-rooms`.
    #[arg(long, env = "CHATLINE_ROOMS", value_name = "COUNT", help_heading = "Rooms")]
    #[arg(default_value = "10000", value_parser = or_off(count(1..=MOST)))]
    pub(super) rooms: Bound<usize>,

    /// Rooms that one person may be in at once; more are refused with `too-many-rooms`.
    #[arg(long, env = "CHATLINE_ROOMS_PER_USER", value_name = "COUNT", help_heading = "Rooms")]
    #[arg(default_value = "50", value_parser = or_off(count(1..=MOST)))]
    pub(super) rooms_per_user: Bound<usize>,

    /// People in one room; more are refused with `room-full`. The lobby takes everybody.
    #[arg(long, env = "CHATLINE_ROOM_MEMBERS", value_name = "COUNT", help_heading = "Rooms")]
    #[arg(default_value = "off", value_parser = or_off(count(1..=MOST)))]
    pub(super) room_members: Bound<usize>,

    /// Bytes that may wait for one reader; what does not fit is dropped, and the reader is told how
    /// many lines that were.
    #[arg(long, env = "CHATLINE_QUEUE_BYTES", value_name = "SIZE", help_heading = "Slow readers")]
    #[arg(default_value = "1MiB", value_parser = or_off(size(QUEUE_BYTES_MIN..=1 << 30)))]
    pub(super) queue_bytes: Bound<usize>,

    /// Bytes that may wait for all readers together, all that is held for them counted; beyond that
    /// the fullest queue is dropped first.
    #[arg(long, env = "CHATLINE_QUEUE_TOTAL_BYTES", value_name = "SIZE")]
    #[arg(help_heading = "Slow readers", default_value = "256MiB")]
    #[arg(value_parser = or_off(size(QUEUE_BYTES_MIN..=1 << 40)))]
    pub(super) queue_total_bytes: Bound<usize>,

    /// How long a reader may take nothing while something waits; the connection is told `too-slow`,
    /// where that is possible, and closed.
    #[arg(long, env = "CHATLINE_STALL_TIMEOUT", value_name = "TIME")]
    #[arg(help_heading = "Slow readers", default_value = "120s")]
    #[arg(value_parser = or_off(duration(SHORT..=DAY)))]
    pub(super) stall_timeout: Bound<Duration>,

    /// How long a connection that ends may take nothing of its last lines, and may go on sending;
    /// how long a server that stops waits for everybody. Then it is closed.
    #[arg(long, env = "CHATLINE_DRAIN_TIMEOUT", value_name = "TIME")]
    #[arg(help_heading = "Slow readers", default_value = "2s")]
    #[arg(value_parser = duration(SHORT..=MINUTE))]
    pub(super) drain_timeout: Duration,

    /// New connections in one turn of the loop; the others are taken in the next turn.
    #[arg(
        long,
        env = "CHATLINE_ACCEPTS_PER_TURN",
        value_name = "COUNT",
        help_heading = "Fairness"
    )]
    #[arg(default_value = "256", value_parser = count(1..=65_536_usize))]
    pub(super) accepts_per_turn: usize,

    /// Bytes read from one connection in one turn of the loop; the rest is read in the next turn.
    #[arg(long, env = "CHATLINE_READ_BYTES_PER_TURN", value_name = "SIZE")]
    #[arg(help_heading = "Fairness", default_value = "64KiB", value_parser = size(512..=16 << 20))]
    pub(super) read_bytes_per_turn: usize,

    /// The file in which what was said is kept, with rooms and accounts: an SQLite database, of
    /// mode 0600, for one server at a time. `none`: the last lines of each room in memory, and
    /// nothing else.
    #[arg(long, env = "CHATLINE_DATA", value_name = "PATH", help_heading = "What is kept")]
    #[arg(global = true)]
    #[arg(default_value = DATA, value_parser = path, value_hint = ValueHint::AnyPath)]
    pub(super) data: PathBuf,

    /// What a line that somebody has seen survives: `disk`, a power cut; `process`, the death of
    /// the server; `later`, nothing for 100 ms: it is told at once.
    #[arg(long, env = "CHATLINE_SYNC", value_name = "WHAT", help_heading = "What is kept")]
    #[arg(default_value = "disk")]
    pub(super) sync: Sync,

    /// How long lines gather at most before they are written together; nobody is told of them
    /// before. When no more come for a quarter of it, it is not waited for.
    #[arg(long, env = "CHATLINE_COMMIT_WINDOW", value_name = "TIME")]
    #[arg(help_heading = "What is kept", default_value = "2ms")]
    #[arg(value_parser = duration(Duration::ZERO..=SHORT))]
    pub(super) commit_window: Duration,

    /// How long lines are kept.
    #[arg(long, env = "CHATLINE_KEEP", value_name = "TIME", help_heading = "What is kept")]
    #[arg(default_value = "30d", value_parser = or_off(duration(MINUTE..=DAY * 36_500)))]
    pub(super) keep: Bound<Duration>,

    /// How many lines of each room are kept.
    #[arg(long, env = "CHATLINE_KEEP_LINES", value_name = "COUNT", help_heading = "What is kept")]
    #[arg(default_value = "100000", value_parser = or_off(count(1..=MOST)))]
    pub(super) keep_lines: Bound<usize>,

    /// Earlier lines that joining a room shows, of the last day; `/replay N` changes it for one
    /// person. 0 for none.
    #[arg(long, env = "CHATLINE_REPLAY", value_name = "COUNT", help_heading = "What is kept")]
    #[arg(default_value = "20", value_parser = count(0..=REPLAY_LINES_MAX))]
    pub(super) replay: usize,

    /// Names that are somebody's, at most; more are refused with `too-many-accounts`.
    #[arg(long, env = "CHATLINE_ACCOUNTS", value_name = "COUNT", help_heading = "What is kept")]
    #[arg(default_value = "100000", value_parser = or_off(count(1..=MOST)))]
    pub(super) accounts: Bound<usize>,

    /// Lines that wait for the owner of a name who is away; more are refused with `mailbox-full`.
    #[arg(long, env = "CHATLINE_DIRECTS", value_name = "COUNT", help_heading = "What is kept")]
    #[arg(default_value = "100", value_parser = count(1..=10_000_usize))]
    pub(super) directs: usize,

    /// Whether what is kept is indexed for `/search`, which doubles the file.
    #[arg(long, env = "CHATLINE_SEARCH", value_name = "on|off", help_heading = "What is kept")]
    #[arg(default_value = "on", value_parser = switch, action = ArgAction::Set)]
    pub(super) search: bool,

    /// Where to answer HTTP requests for /metrics, the figures of the server in the text format of
    /// Prometheus, and for /healthz. Written as with --listen; nowhere unless given. Whoever
    /// reaches it can read them.
    #[arg(long, env = "CHATLINE_METRICS", value_name = "[ADDR:]PORT", help_heading = "Operation")]
    #[arg(value_parser = Endpoint::parse)]
    pub(super) metrics: Option<Endpoint>,

    /// Log more: debug, twice: trace. RUST_LOG is stronger. What people say is never logged.
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Log")]
    pub(super) verbose: u8,

    /// Log only what goes wrong, and who is refused or guesses passwords: not who came, nor what
    /// operators do.
    #[arg(short, long, help_heading = "Log")]
    pub(super) quiet: bool,

    /// What to do instead of serving.
    #[command(subcommand)]
    pub(super) instead: Option<Instead>,
}

/// What can be done instead of serving.
#[derive(Subcommand)]
pub(super) enum Instead {
    /// Something with what is kept.
    #[command(flatten)]
    Task(Task),
    /// Writes a certificate for TLS that is signed by itself, with its key, and says how to use it.
    #[command(next_line_help = true)]
    Cert(Cert),
    /// Checks the flags, the environment and the file of --config, and says what is otherwise than
    /// by default; starts nothing. Flags stand before it: chatline --pace 3 check-config.
    CheckConfig,
    /// Writes the man page to standard output, or that of one command.
    #[command(next_line_help = true)]
    Man {
        /// Which one: export, for example.
        #[arg(value_name = "COMMAND")]
        of: Option<String>,
    },
    /// Writes what completes flags and commands in a shell to standard output.
    #[command(next_line_help = true)]
    Completions {
        /// For which one.
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
}

/// A certificate that is to be made.
#[derive(Clone, Debug, PartialEq, Eq, Args)]
pub struct Cert {
    /// The names and addresses by which clients connect, the one that is used most first.
    #[arg(value_name = "HOST", required = true)]
    pub hosts: Vec<String>,
    /// Where the certificate is written.
    #[arg(long, value_name = "FILE", default_value = CERT, value_parser = file)]
    pub cert: PathBuf,
    /// Where its key is written, which is nobody else's to read.
    #[arg(long, value_name = "FILE", default_value = KEY, value_parser = file)]
    pub key: PathBuf,
}

/// What can be done with what is kept.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand)]
pub enum Task {
    /// Writes the lines of a room to standard output, oldest first; also while a server runs.
    #[command(next_line_help = true)]
    Export {
        /// Which room.
        #[arg(long, value_name = "NAME")]
        room: String,
        /// Only from then on: 2h, 3d, 12:30, 2026-11-21 or '2026-11-21 12:30'.
        #[arg(long, value_name = "TIME", value_parser = time)]
        since: Option<Since>,
        /// As text, or each line as a JSON object.
        #[arg(long, value_name = "text|json", default_value = "text")]
        format: Format,
    },
    /// Makes invitations, each of them for one account; also while a server runs.
    #[command(next_line_help = true)]
    Invite {
        /// How many days they can be used.
        #[arg(long, value_name = "N", default_value = "7", value_parser = count(1..=365_u32))]
        days: u32,
        /// How many to make, one on each line.
        #[arg(long, value_name = "N", default_value = "1", value_parser = count(1..=1_000_u32))]
        count: u32,
    },
    /// Copies all that is kept to a new file, as it is at one moment; also while a server runs.
    #[command(next_line_help = true)]
    Backup {
        /// The new file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// Deletes a name's account, lines and direct messages for good; the server must be stopped.
    #[command(next_line_help = true)]
    Forget {
        /// Whose.
        #[arg(value_name = "NICK")]
        nick: String,
    },
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// `ID YYYY-MM-DD HH:MM:SS NICK: TEXT`.
    Text,
    /// One JSON object a line.
    Json,
}

/// A path that can be shown.
fn path(text: &str) -> Result<PathBuf, String> {
    match text.is_empty() || text.contains(char::is_control) {
        true => Err("wanted is a path without control characters, or none".to_owned()),
        false => Ok(text.into()),
    }
}

/// A path that can be shown, of a file that there must be.
fn file(text: &str) -> Result<PathBuf, String> {
    match text.is_empty() || text.contains(char::is_control) {
        true => Err("wanted is a path without control characters".to_owned()),
        false => Ok(text.into()),
    }
}

/// A name that somebody may have.
fn nick(text: &str) -> Result<String, String> {
    let nick = Nick::parse(text, None).map_err(|_| "wanted is a name, as in alice")?;
    Ok(nick.as_str().to_owned())
}

/// How many connections there may be.
fn connections(text: &str) -> Result<Connections, String> {
    let parse = or_off(count(1..=MOST));
    match text {
        "auto" => Ok(Connections::AsDescriptorsAllow),
        _ => parse(text).map_err(|fault| format!("{fault}, or auto")).map(|bound| match bound {
            Bound::At(most) => Connections::AtMost(most),
            Bound::Off => Connections::Unlimited,
        }),
    }
}

/// A text of several lines.
fn motd(text: &str) -> Result<String, String> {
    match text.contains(|c: char| c.is_control() && !['\n', '\r', '\t'].contains(&c)) {
        true => Err("wanted is a text without control characters".to_owned()),
        false => Ok(text.to_owned()),
    }
}

/// The same, of which `none` is no exception.
fn socket_path(text: &str) -> Result<PathBuf, String> {
    path(text).map_err(|_| "wanted is a path without control characters".to_owned())
}

fn time(text: &str) -> Result<Since, String> {
    Since::parse(text).ok_or_else(|| "wanted is a time, as in 2h, 12:30 or 2026-11-21".to_owned())
}

/// Where to listen, or nowhere.
fn endpoint_or_off(text: &str) -> Result<Bound<Endpoint>, String> {
    match text {
        "off" => Ok(Bound::Off),
        _ => Endpoint::parse(text).map(Bound::At),
    }
}
