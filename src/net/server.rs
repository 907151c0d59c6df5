//! The ferryman between the operating system and the hub: poll, listeners, signals and the only
//! clock of the server.
//!
//! Promises: one turn is poll, clock, signals, errands, accept, consoles, read, settle, metrics;
//! time is read once in it; it sleeps when nothing is to be done and never otherwise. Deliberately
//! decides nothing about what is said: the hub does, and what the orders of a console mean is said
//! in `admin`.

mod clock;
mod countdown;
mod orders;
mod reload;
mod show;
mod start;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use log::{info, warn};
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Poll, Token};

use super::console::Consoles;
use super::errands::Runners;
use super::figures::{Figures, Histogram, Kind};
use super::hub::{Hub, Readable};
use super::listen::{Arrival, Listeners, Socket};
use super::metrics::Metrics;
use super::service::Service;
use super::signal::{Signal, Signals};
use super::tls::{Keys, Session};
use crate::chat::{ConnId, Now};
use crate::config::Config;
use clock::Clock;
use countdown::Countdown;
pub use reload::{Reconfigured, Reloaded};
pub use start::StartError;

/// A token is a whole [`ConnId`].
const _: () = assert!(usize::BITS == 64, "chatline needs a 64-bit machine");
/// The tokens that are not those of connections: these and, below them, the listeners'.
const SIGNALS: Token = Token(usize::MAX - 1);
const ERRANDS: Token = Token(usize::MAX - 2);
const FIRST_LISTENER: usize = usize::MAX - 3;
/// Far below them, that of the metrics, and those of who asks for some; and the consoles'. No
/// connection has any of them: its slot would have to be among the last that there are.
const METRICS: Token = Token(usize::MAX - (1 << 16));
const CONSOLES: Token = Token(usize::MAX - (2 << 16));

/// How many events one turn takes at most; the others come with the next.
const EVENTS_PER_TURN: usize = 1024;
/// How long a server that stops waits for what is to be kept, beyond what it waits for readers.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

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
    service: Service,
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
        let version = env!("CARGO_PKG_VERSION");
        let admin = self.config.admin.as_deref();
        let admin = admin.map_or_else(|| "-".to_owned(), |path| path.display().to_string());
        let metrics = self.metrics_address();
        let metrics = metrics.map_or_else(|| "-".to_owned(), |address| address.to_string());
        info!(version, listen = all.join(","), admin, metrics; "started");
        self.service.ready();
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
                keys.look(now);
            }
            self.runners.bring_back(&mut self.hub, now);
            self.accept(now);
            self.serve_consoles(now);
            self.count_down(now);
            self.hub.turn(now);
            self.runners.send_out(&mut self.hub);
            self.show_figures(now);
            self.turns.note(self.clock.since(now));
            self.service.feed(now.mono, || status(&self.hub));
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
            certificate_ends_at: self.keys.as_ref().and_then(Keys::ends_at),
            log_lines_lost: self.log_lines_lost.load(Ordering::Relaxed),
            turns: self.turns.clone(),
            ..self.hub.figures()
        }
    }

    fn timeout(&self, now: Now) -> Option<Duration> {
        let keys = self.keys.as_ref().map(Keys::deadline);
        let metrics = self.metrics.as_ref().and_then(Metrics::deadline);
        let countdown = self.countdown.as_ref().map(Countdown::deadline);
        let own = [self.stops_at, keys, metrics, countdown, self.service.deadline()];
        let of_peers = [self.hub.deadline(), self.listeners.deadline(), self.consoles.deadline()];
        let deadlines = of_peers.into_iter().chain(own);
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
            self.service.stopping();
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
        // On a socket for both, IPv4 comes mapped into IPv6.
        let from = SocketAddr::new(from.ip().to_canonical(), from.port());
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

/// How it is, for whoever asks the service manager.
fn status(hub: &Hub<Socket>) -> String {
    let chat = hub.conversation();
    let (people, rooms) = (chat.people(), chat.rooms().len());
    format!("{} connections, {people} people, {rooms} rooms", chat.connected())
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
