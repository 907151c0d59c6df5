//! The ferryman between the operating system and the hub: poll, listeners, signals and the only
//! clock of the server.
//!
//! Promises: one turn is poll, clock, errands, accept, read, settle; time is read once in it; it
//! sleeps when nothing is to be done and never otherwise. Deliberately knows neither lines nor
//! people.

mod countdown;
mod orders;
mod reload;
mod show;

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use log::{info, warn};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::console::Consoles;
use super::errands::{Opened, Runners};
use super::figures::Kind;
use super::figures::{Figures, Histogram};
use super::hub::{self, Hub, Readable};
use super::listen::{Arrival, Listeners, Socket};
use super::metrics::Metrics;
use super::signal::{Signal, Signals};
use super::tls::{Keys, Session};
use crate::chat::event::Parting;
use crate::chat::kept::{Kept, KeptLock};
use crate::chat::name::{RoomName, key_of};
use crate::chat::{Chat, ConnId, Now};
use crate::config::{Config, Connections};
use countdown::Countdown;
pub use reload::Reloaded;

/// A token is a whole [`ConnId`].
const _: () = assert!(usize::BITS == 64, "chatline needs a 64-bit machine");
/// The tokens that are not those of connections: these and, below them, the listeners'.
const SIGNALS: Token = Token(usize::MAX - 1);
const ERRANDS: Token = Token(usize::MAX - 2);
const FIRST_LISTENER: usize = usize::MAX - 3;
/// Far below them, that of the metrics, and those of who asks for some.
const METRICS: Token = Token(usize::MAX - (1 << 16));

/// How many events one turn takes at most; the others come with the next.
const EVENTS_PER_TURN: usize = 1024;
/// Descriptors that connections leave to the poll, the listeners, the log, and to peers that are
/// being told that the server is full.
const DESCRIPTORS_KEPT: u64 = 32;
/// What macOS allows at most where it says that it allows everything (setrlimit(2), `OPEN_MAX`).
const DESCRIPTORS_SURE: u64 = 10_240;
/// How long a server that stops waits for what is to be kept, beyond what it waits for readers.
const STOP_PATIENCE: Duration = Duration::from_secs(5);
/// How long the offset of the local zone is believed.
const ZONE_LIFETIME: Duration = Duration::from_secs(60);

/// A server that listens.
pub struct Server {
    poll: Poll,
    signals: Signals,
    listeners: Listeners,
    addresses: Vec<(Kind, SocketAddr)>,
    metrics: Option<Metrics>,
    consoles: Consoles,
    keys: Option<Keys>,
    hub: Hub<Socket>,
    runners: Runners,
    clock: Clock,
    phase: Phase,
    /// It will stop, as a console has ordered.
    countdown: Option<Countdown>,
    /// When a server that stops does not wait any longer, since start.
    stops_at: Option<Duration>,
    /// How long its turns took.
    turns: Histogram,
    /// How many lines of the log were lost.
    log_lines_lost: Arc<AtomicU64>,
    /// What it runs with: as it was at the start, but for what was read again and is applied.
    config: Config,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    /// Everyone has been told, and the last lines are being sent.
    Stopping,
    Stopped,
}

impl Server {
    /// Raises the descriptor limit, takes over the signals and listens; nobody is let in before
    /// [`Server::run`].
    pub fn start(config: Config) -> Result<Server, StartError> {
        let poll = Poll::new().map_err(doing("wait for events"))?;
        let signals = Signals::register(poll.registry(), SIGNALS);
        let signals = signals.map_err(doing("take signals"))?;
        let mut listeners = Listeners::new(hub::refuse_line(Parting::ServerFull));
        let mut addresses = Vec::new();
        let is_encrypting = !config.tls_listen.is_empty();
        let keys = is_encrypting.then(|| Keys::load(&config.tls)).transpose();
        let keys = keys.map_err(StartError::Data)?;
        let asked = [
            (Kind::Lines, &config.listen),
            (Kind::Telnet, &config.telnet_listen),
            (Kind::Tls, &config.tls_listen),
        ];
        let asked = asked.iter().flat_map(|(kind, asked)| asked.iter().map(|it| (*kind, *it)));
        for (index, (kind, asked)) in asked.enumerate() {
            let token = Token(FIRST_LISTENER - index);
            let got = listeners.add(asked, poll.registry(), token, kind);
            addresses.push((kind, got.map_err(doing(format!("listen on {asked}")))?));
        }
        let consoles = Consoles::listen(config.admin.as_deref(), poll.registry());
        let consoles = consoles.map_err(StartError::Console)?;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)
            .map_err(io::Error::other)
            .map_err(doing("draw a random number"))?;
        let mut clock = Clock::start();
        let mut limits = config.hub;
        limits.connections_max = connections_max(config.connections, raise_descriptor_limit());
        let now = clock.now();
        let metrics = config.metrics.map(|asked| {
            let metrics = Metrics::listen(asked, poll.registry(), METRICS, now.unix);
            metrics.map_err(doing(format!("listen on {asked}")))
        });
        let metrics = metrics.transpose()?;
        let opened = Opened::open(config.data.as_ref(), now);
        let (mut opened, kept) = opened.map_err(StartError::Data)?;
        check_lobby(config.chat.lobby.as_ref(), &kept).map_err(StartError::Data)?;
        if let Some(data) = &config.data {
            let (rooms, names) = (kept.rooms.len(), kept.accounts.len());
            info!(file:% = data.path.display(), rooms, names; "store_opened");
        }
        let mut chat = Chat::restore(config.chat.clone(), secret, &kept, now);
        if let Some(question) = chat.first_question() {
            chat.begin_with(&opened.answer(&question));
        }
        let runners = opened.start(poll.registry(), ERRANDS).map_err(doing("start a thread"))?;
        let hub = Hub::new(chat, limits);
        Ok(Server {
            poll,
            signals,
            listeners,
            consoles,
            addresses,
            metrics,
            keys,
            hub,
            runners,
            clock,
            phase: Phase::Serving,
            countdown: None,
            stops_at: None,
            turns: Histogram::default(),
            log_lines_lost: Arc::default(),
            config,
        })
    }

    /// Where it listens for peers of that kind, in the order of the configuration, with the ports
    /// that it has got.
    pub fn addresses(&self, kind: Kind) -> Vec<SocketAddr> {
        let of_kind = self.addresses.iter().filter(|(it, _)| *it == kind);
        of_kind.map(|(_, address)| *address).collect()
    }

    /// Where it answers who asks for metrics.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Metrics::address)
    }

    /// The log counts there how many of its lines were lost.
    pub fn watch_log(&mut self, lines_lost: Arc<AtomicU64>) {
        self.log_lines_lost = lines_lost;
    }

    /// Serves until SIGTERM or SIGINT, then says goodbye to everyone and returns; at once, when
    /// another signal comes meanwhile. Fails only when the poll does.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS_PER_TURN);
        let mut now = self.clock.now();
        let all = self.addresses.iter().map(|(_, address)| address.to_string());
        let all: Vec<String> = all.collect();
        info!(version = env!("CARGO_PKG_VERSION"), listen = all.join(","); "started");
        loop {
            match self.poll.poll(&mut events, self.timeout(now)) {
                Err(cause) if cause.kind() == ErrorKind::Interrupted => events.clear(),
                other => other?,
            }
            now = self.clock.now();
            for event in &events {
                self.note(event);
            }
            if events.iter().any(|event| event.token() == SIGNALS) {
                self.obey_signals(now);
            }
            if let Some(keys) = &mut self.keys {
                keys.look(now.mono);
            }
            self.runners.bring_back(&mut self.hub, now);
            self.accept(now);
            self.serve_consoles(now);
            self.count_down(now);
            self.hub.turn(now);
            self.runners.send_out(&mut self.hub);
            self.show_figures(now);
            self.turns.note(self.clock.since(now));
            let is_done = self.hub.is_empty() && self.hub.has_kept_all();
            let is_late = self.stops_at.is_some_and(|at| now.mono >= at);
            if self.phase == Phase::Stopping && (is_done || is_late) {
                self.phase = Phase::Stopped;
            }
            if self.phase == Phase::Stopped {
                self.runners.finish();
                self.hub.end_log();
                info!("stopped");
                return Ok(());
            }
        }
    }

    /// Answers who asks for metrics.
    fn show_figures(&mut self, now: Now) {
        let Some(mut metrics) = self.metrics.take() else { return };
        metrics.turn(now.mono, self.poll.registry(), || self.figures(now));
        self.metrics = Some(metrics);
    }

    /// What was counted, and how things stand.
    fn figures(&self, now: Now) -> Figures {
        Figures {
            uptime: now.mono,
            log_lines_lost: self.log_lines_lost.load(Ordering::Relaxed),
            turns: self.turns.clone(),
            ..self.hub.figures()
        }
    }

    fn timeout(&self, now: Now) -> Option<Duration> {
        let keys = self.keys.as_ref().map(Keys::deadline);
        let metrics = self.metrics.as_ref().and_then(Metrics::deadline);
        let countdown = self.countdown.as_ref().map(Countdown::deadline);
        let own = [self.stops_at, keys, metrics, countdown, self.consoles.deadline()];
        let deadlines = [self.hub.deadline(), self.listeners.deadline()].into_iter().chain(own);
        let first = deadlines.flatten().min();
        first.map(|deadline| deadline.saturating_sub(now.mono))
    }

    fn note(&mut self, event: &Event) {
        let token = event.token();
        let is_own = [SIGNALS, ERRANDS].contains(&token)
            || self.metrics.as_mut().is_some_and(|metrics| metrics.ready(token));
        if !is_own && !self.listeners.ready(token) && !self.consoles.ready(event) {
            let is_writable = event.is_writable() || event.is_write_closed() || event.is_error();
            self.hub.ready(ConnId::from_bits(token.0 as u64), readable(event), is_writable);
        }
    }

    fn obey_signals(&mut self, now: Now) {
        for signal in self.signals.take() {
            match signal {
                Signal::Stop(name) => self.stop(name, now),
                Signal::Reload => _ = self.reload(now),
            }
        }
    }

    /// Says goodbye to everybody; or, when that is under way, waits no longer.
    fn stop(&mut self, signal: &str, now: Now) {
        if self.phase == Phase::Serving {
            info!(signal; "stopping");
            self.countdown = None;
            self.listeners.close();
            self.hub.shut_down(now);
            self.consoles.close(now.mono);
            self.stops_at = Some(now.mono + self.config.hub.drain_timeout + STOP_PATIENCE);
            self.phase = Phase::Stopping;
        } else {
            info!(signal; "stopping_at_once");
            self.phase = Phase::Stopped;
        }
    }

    fn accept(&mut self, now: Now) {
        for _ in 0..self.config.accepts_per_turn {
            match self.listeners.accept(now.mono) {
                Some(Arrival::Peer(stream, from, kind)) => self.admit(stream, from, kind, now),
                Some(Arrival::Gone) => {}
                None => break,
            }
        }
    }

    fn open_session(&self) -> Option<Session> {
        let opened = self.keys.as_ref()?.open_session();
        opened.map_err(|why| warn!(cause = why; "cannot_open_tls")).ok()
    }

    fn admit(&mut self, stream: TcpStream, from: SocketAddr, kind: Kind, now: Now) {
        let socket = Socket::new(stream);
        let conn = match kind {
            Kind::Lines => self.hub.open(socket, from, now),
            Kind::Telnet => self.hub.open_telnet(socket, from, now),
            Kind::Tls => {
                self.open_session().and_then(|it| self.hub.open_tls(socket, from, it, now))
            }
        };
        let Some(conn) = conn else { return };
        let Some(socket) = self.hub.stream_mut(conn) else {
            return;
        };
        let token = Token(conn.to_bits() as usize);
        if let Err(cause) = socket.register(self.poll.registry(), token) {
            warn!(peer:% = from, cause:% = cause; "cannot_watch");
            socket.break_off();
            self.hub.ready(conn, Readable::UntilBlocked, true);
        }
    }
}

/// How far to read. A short read leaves an end or an error behind it, and what comes after urgent
/// data, at which reading stops (tcp(7)); not every poll tells of that.
fn readable(event: &Event) -> Readable {
    let tells_of_urgent_data = cfg!(any(target_os = "linux", target_os = "android"));
    let may_be_urgent = event.is_priority() || event.is_readable() && !tells_of_urgent_data;
    if event.is_read_closed() || event.is_error() || may_be_urgent {
        Readable::UntilBlocked
    } else if event.is_readable() {
        Readable::UntilShort
    } else {
        Readable::No
    }
}

/// The only clock: what happens in a turn happens at its one time.
#[derive(Debug)]
struct Clock {
    started: Instant,
    zone_secs: i32,
    /// When the zone is to be asked again, since the start.
    zone_until: Duration,
}

impl Clock {
    fn start() -> Clock {
        Clock { started: Instant::now(), zone_secs: 0, zone_until: Duration::ZERO }
    }

    fn now(&mut self) -> Now {
        let mono = self.started.elapsed();
        let wall = Timestamp::now();
        if mono >= self.zone_until {
            self.zone_secs = TimeZone::system().to_offset(wall).seconds();
            self.zone_until = mono + ZONE_LIFETIME;
        }
        Now { mono, unix: wall.as_second(), zone_secs: self.zone_secs }
    }

    /// How long that is ago: to measure a turn, and nothing that happens in it.
    fn since(&self, now: Now) -> Duration {
        self.started.elapsed().saturating_sub(now.mono)
    }
}

/// Whether the room where everybody starts is nobody's.
fn check_lobby(lobby: Option<&RoomName>, kept: &Kept) -> Result<(), String> {
    let Some(lobby) = lobby else { return Ok(()) };
    let room = kept.rooms.iter().find(|room| key_of(&room.name) == lobby.key());
    match room.is_some_and(|room| room.owner.is_some() || room.lock != KeptLock::Open) {
        true => Err(format!(
            "cannot let everybody into #{lobby}: it is somebody's room; choose another with \
             --lobby NAME"
        )),
        false => Ok(()),
    }
}

/// Raises the soft descriptor limit as far as the hard one allows; `None` for no limit.
fn raise_descriptor_limit() -> Option<u64> {
    let limit = getrlimit(Resource::Nofile);
    let sure = limit.maximum.map_or(DESCRIPTORS_SURE, |most| most.min(DESCRIPTORS_SURE));
    for current in [limit.maximum, Some(sure)] {
        let is_more = limit.current.is_some_and(|now| current.is_none_or(|then| then > now));
        if is_more && setrlimit(Resource::Nofile, Rlimit { current, ..limit }).is_ok() {
            return current;
        }
    }
    limit.current
}

/// How many connections the hub may hold where so many descriptors are allowed.
fn connections_max(asked: Connections, descriptors: Option<u64>) -> Option<usize> {
    let possible = descriptors.map(|most| {
        usize::try_from(most.saturating_sub(DESCRIPTORS_KEPT)).unwrap_or(usize::MAX).max(1)
    });
    match (asked, possible) {
        (Connections::Unlimited, _) => None,
        (Connections::AsDescriptorsAllow, possible) => possible,
        (Connections::AtMost(asked), Some(possible)) if asked > possible => {
            // The descriptor limit is too low.
            warn!(asked, possible; "connections_lowered");
            Some(possible)
        }
        (Connections::AtMost(asked), _) => Some(asked),
    }
}

/// Why the server could not start: what it was doing, and what the machine said.
#[derive(Debug)]
pub enum StartError {
    /// The machine refused something.
    Machine {
        /// What.
        doing: String,
        /// Why.
        cause: io::Error,
    },
    /// What was kept, or a certificate, cannot be had, for this reason.
    Data(String),
    /// The console cannot be opened, for this reason.
    Console(String),
}

fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartError {
    let doing = what.into();
    move |cause| StartError::Machine { doing, cause }
}

/// One sentence without its end: what failed, why, and what to do where that is known.
impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (doing, cause) = match self {
            StartError::Machine { doing, cause } => (doing, cause),
            StartError::Data(why) | StartError::Console(why) => return f.write_str(why),
        };
        write!(f, "cannot {doing}: ")?;
        match cause.kind() {
            ErrorKind::AddrInUse => f.write_str(
                "address in use; stop what listens there, or choose another with --listen PORT",
            ),
            ErrorKind::PermissionDenied => f.write_str(
                "not permitted; ports below 1024 take a privilege: choose another with --listen \
                 PORT",
            ),
            ErrorKind::AddrNotAvailable => f.write_str(
                "no such address on this machine; listen on one that it has, or on 0.0.0.0:PORT",
            ),
            _ => cause.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            StartError::Machine { cause, .. } => Some(cause),
            StartError::Data(_) | StartError::Console(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_server() {
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, Some(1024)), Some(992));
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, Some(20)), Some(1));
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, None), None);
        assert_eq!(connections_max(Connections::AtMost(10), Some(1024)), Some(10));
        assert_eq!(connections_max(Connections::AtMost(2000), Some(1024)), Some(992));
        assert_eq!(connections_max(Connections::AtMost(2000), None), Some(2000));
        assert_eq!(connections_max(Connections::Unlimited, Some(1024)), None);
    }

    #[test]
    fn the_clock_does_not_go_back() {
        let mut clock = Clock::start();
        let (first, second) = (clock.now(), clock.now());
        assert!(first.mono <= second.mono);
        assert_eq!(first.zone_secs, second.zone_secs);
        assert!(second.zone_secs.abs() <= 26 * 3600);
    }

    #[test]
    fn a_start_that_fails_says_what_to_do() {
        let error = doing("listen on 127.0.0.1:9000")(ErrorKind::AddrInUse.into());
        assert_eq!(
            error.to_string(),
            "cannot listen on 127.0.0.1:9000: address in use; stop what listens there, or choose \
             another with --listen PORT"
        );
    }
}
