//! The table of flags: name, environment variable, default, range, and what happens at the limit.
//!
//! Promises: one row is one flag whole; `--help` is made of nothing else. Deliberately checks each
//! value by itself: how they stand beside each other is checked in `config`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::time::Duration;

use clap::{ArgAction, Parser};

use super::amount::{Bound, count, duration, or_off, size};

/// No count is larger; far beyond what a machine can hold.
const MOST: usize = 1_000_000_000;
/// A reader who waits for nothing is always told the next thing, however long; below this, one who
/// is a little late would see more gaps than lines.
const QUEUE_BYTES_MIN: usize = 1 << 10;
const SHORT: Duration = Duration::from_millis(100);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What was given, each value within its range.
#[derive(Parser)]
#[command(
    name = "chatline",
    version,
    about = "A chat server for people and scripts that have nothing but a TCP socket.",
    after_help = "Sizes take K, M and G (1K is 1024 bytes), durations ms, s, m and h. A flag is \
                  stronger than its environment variable.\n\ntry it:  nc 127.0.0.1 9000",
    max_term_width = 100,
    next_line_help = true
)]
pub(super) struct Flags {
    /// Where to listen: a port of this machine alone (9000), an address and a port (0.0.0.0:9000,
    /// [::]:9000) or a host name and a port. Port 0 takes a free one. Can be repeated, or separated
    /// by commas. Everything is plain text: whoever reaches the port can come in.
    #[arg(long, env = "CHATLINE_LISTEN", value_name = "[ADDR:]PORT", value_delimiter = ',')]
    #[arg(default_value = "127.0.0.1:9000", value_parser = address)]
    pub(super) listen: Vec<SocketAddr>,

    /// Connections at once; more are told `server-full` and closed. Lowered to what the descriptor
    /// limit allows, which is also the default: that limit, raised as far as allowed, less 32.
    /// `off`: until descriptors run out, with the same answer.
    #[arg(long, env = "CHATLINE_CONNECTIONS", value_name = "COUNT", help_heading = "Who comes in")]
    #[arg(value_parser = or_off(count(1..=MOST)))]
    pub(super) connections: Option<Bound<usize>>,

    /// Connections at once from one address (IPv6: from one /64); more are told
    /// `too-many-from-here` and closed. This machine itself is exempt.
    #[arg(long, env = "CHATLINE_CONNECTIONS_PER_ADDRESS", value_name = "COUNT")]
    #[arg(help_heading = "Who comes in", default_value = "64")]
    #[arg(value_parser = or_off(count(1..=MOST)))]
    pub(super) connections_per_address: Bound<usize>,

    /// How long a connection may go without a name; it is told `no-name` and closed.
    #[arg(long, env = "CHATLINE_NAME_TIMEOUT", value_name = "TIME")]
    #[arg(help_heading = "Who comes in", default_value = "120s")]
    #[arg(value_parser = or_off(duration(SHORT..=DAY)))]
    pub(super) name_timeout: Bound<Duration>,

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

    /// Log more: debug, twice: trace. RUST_LOG is stronger. What people say is never logged.
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet", help_heading = "Log")]
    pub(super) verbose: u8,

    /// Log only what goes wrong.
    #[arg(short, long, help_heading = "Log")]
    pub(super) quiet: bool,
}

/// Where `[ADDR:]PORT` is. Of a host with several addresses it is the first of IPv4, or the first:
/// one flag is one listener.
pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    if let Ok(port) = text.parse() {
        return Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    }
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let unbracketed = text.trim_start_matches('[').trim_end_matches(']');
    if let Ok(alone) = unbracketed.parse::<IpAddr>() {
        return Err(format!("a port is missing, as in {}", SocketAddr::new(alone, 9000)));
    }
    let wanted =
        "wanted is a port, or an address and a port, as in 9000, 0.0.0.0:9000 or [::]:9000";
    let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
    let port: u16 = port.parse().map_err(|_| wanted)?;
    if host.is_empty() || host == "*" {
        return Err(format!("for every address of this machine say 0.0.0.0:{port}"));
    }
    let found = (host, port).to_socket_addrs().map_err(|_| "there is no host of that name")?;
    let found: Vec<SocketAddr> = found.collect();
    let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
    first.copied().ok_or_else(|| "that host has no address".to_owned())
}
