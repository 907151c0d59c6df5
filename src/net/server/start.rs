//! What happens before anybody is served: descriptors, signals, listeners, what was kept.
//!
//! Promises: what the machine refuses ends the start with one sentence that says what to do.
//! Deliberately lets nobody in: [`Server::run`] does.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;

use log::{info, warn};
use mio::{Poll, Registry, Token};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::clock::Clock;
use super::reload::warn_of_operators;
use super::{CONSOLES, ERRANDS, FIRST_LISTENER, METRICS, Phase, SIGNALS, Server};
use crate::chat::Chat;
use crate::chat::event::Parting;
use crate::chat::kept::{Kept, KeptLock};
use crate::chat::name::{RoomName, key_of};
use crate::config::{Config, Connections, Endpoint, Unread, unread};
use crate::net::console::Consoles;
use crate::net::errands::Opened;
use crate::net::figures::{Histogram, Kind};
use crate::net::hub::{self, Hub};
use crate::net::listen::{Listeners, Listening};
use crate::net::metrics::Metrics;
use crate::net::service::{self, Service};
use crate::net::signal::Signals;
use crate::net::tls::Keys;

/// Descriptors that connections leave to the poll, the listeners, the log, what is kept, consoles,
/// those who ask for metrics, and to peers that are being told that the server is full.
const DESCRIPTORS_KEPT: u64 = 64;
/// What macOS allows at most where it says that it allows everything (setrlimit(2), `OPEN_MAX`).
const DESCRIPTORS_SURE: u64 = 10_240;

impl Server {
    /// Raises the descriptor limit, takes over the signals and listens; nobody is let in before
    /// [`Server::run`].
    pub fn start(config: Config) -> Result<Server, StartError> {
        for Unread { name, meant } in unread() {
            warn!(name, meant; "variable_unread");
        }
        let poll = Poll::new().map_err(doing("wait for events"))?;
        let signals = Signals::register(poll.registry(), SIGNALS);
        let signals = signals.map_err(doing("take signals"))?;
        let (listeners, addresses) = listen(&config, poll.registry())?;
        let is_encrypting = addresses.iter().any(|(kind, _)| *kind == Kind::Tls);
        let keys = is_encrypting.then(|| Keys::load(&config.tls)).transpose();
        let mut keys = keys.map_err(StartError::Data)?;
        let consoles = Consoles::listen(config.admin.as_deref(), poll.registry(), CONSOLES);
        let consoles = consoles.map_err(StartError::Console)?;
        let mut secret = [0; 16];
        getrandom::fill(&mut secret)
            .map_err(io::Error::other)
            .map_err(doing("draw a random number"))?;
        let mut clock = Clock::start();
        let mut limits = config.hub;
        limits.connections_max = connections_max(config.connections, raise_descriptor_limit());
        let now = clock.now();
        if let Some(keys) = &mut keys {
            keys.log_loaded(now);
        }
        let metrics = config.metrics.as_ref().map(|asked| {
            let address = asked.resolve();
            let metrics = address
                .and_then(|address| Metrics::listen(address, poll.registry(), METRICS, now.unix));
            metrics.map_err(listening(asked, "--metrics"))
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
        warn_of_operators(chat.operators_unknown());
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
            service: Service::new(now.mono),
            clock,
            phase: Phase::Serving,
            countdown: None,
            stops_at: None,
            turns: Histogram::default(),
            log_lines_lost: Arc::default(),
            config,
        })
    }
}

/// Listens on all that was handed over, and on all that the configuration names. When something
/// was handed over, the default does not count as named.
fn listen(
    config: &Config,
    registry: &Registry,
) -> Result<(Listeners, Vec<(Kind, SocketAddr)>), StartError> {
    let handed =
        service::take_sockets().map_err(doing("take the sockets that were handed over"))?;
    let is_default_wanted = handed.is_empty();
    let mut listeners = Listeners::new(hub::refuse_line(Parting::ServerFull));
    let mut got = Vec::new();
    for handed in handed {
        let kind = spoken_at(&handed.name).map_err(StartError::Data)?;
        let token = Token(FIRST_LISTENER - got.len());
        let address = listeners.add(Listening::Already(handed.socket), registry, token, kind);
        let doing = doing("listen on a socket that was handed over");
        got.push((kind, address.map_err(doing)?));
    }
    for (flag, endpoint) in config.endpoints() {
        let kind = match flag {
            "--listen" if is_default_wanted || !config.has_default("listen") => Kind::Lines,
            "--telnet-listen" => Kind::Telnet,
            "--tls-listen" => Kind::Tls,
            _ => continue,
        };
        let token = Token(FIRST_LISTENER - got.len());
        let address = endpoint.resolve();
        let address = address
            .and_then(|address| listeners.add(Listening::At(address), registry, token, kind));
        got.push((kind, address.map_err(listening(endpoint, flag))?));
    }
    Ok((listeners, got))
}

/// What is spoken at a socket of that name. That of its unit, which is the default of systemd, and
/// what stands for none (sd_listen_fds_with_names(3)), say nothing; any other is a slip, of which
/// nobody would hear where passwords go in plain text.
fn spoken_at(name: &str) -> Result<Kind, String> {
    let is_default = ["", "unknown"].contains(&name) || name.ends_with(".socket");
    let named = Kind::ALL.iter().copied().find(|kind| kind.word() == name);
    named.or(is_default.then_some(Kind::Lines)).ok_or_else(|| {
        let words: Vec<&str> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        format!(
            "a socket that was handed over is called '{}', which does not say what is spoken \
             there: FileDescriptorName= is {}",
            name.escape_debug(),
            words.join(" or ")
        )
    })
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
pub(super) fn raise_descriptor_limit() -> Option<u64> {
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
pub(super) fn connections_max(asked: Connections, descriptors: Option<u64>) -> Option<usize> {
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
        /// The flag that says where to listen, if that was it.
        flag: Option<&'static str>,
    },
    /// What was kept, or a certificate, cannot be had, for this reason.
    Data(String),
    /// The console cannot be opened, for this reason.
    Console(String),
}

fn doing(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartError {
    let doing = what.into();
    move |cause| StartError::Machine { doing, cause, flag: None }
}

fn listening(at: &Endpoint, flag: &'static str) -> impl FnOnce(io::Error) -> StartError {
    let doing = format!("listen on {at}");
    move |cause| StartError::Machine { doing, cause, flag: Some(flag) }
}

/// One sentence without its end: what failed, why, and what to do where that is known.
impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (doing, cause, flag) = match self {
            StartError::Machine { doing, cause, flag } => (doing, cause, flag),
            StartError::Data(why) | StartError::Console(why) => return f.write_str(why),
        };
        write!(f, "cannot {doing}: ")?;
        match (cause.kind(), flag) {
            (ErrorKind::AddrInUse, Some(flag)) => write!(
                f,
                "address in use; stop what listens there, or choose another with {flag} PORT"
            ),
            (ErrorKind::PermissionDenied, Some(flag)) => write!(
                f,
                "not permitted; ports below 1024 take a privilege: choose another with {flag} PORT"
            ),
            (ErrorKind::AddrNotAvailable, Some(_)) => f.write_str(
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
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_descriptors_for_the_server() {
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, Some(1024)), Some(960));
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, Some(20)), Some(1));
        assert_eq!(connections_max(Connections::AsDescriptorsAllow, None), None);
        assert_eq!(connections_max(Connections::AtMost(10), Some(1024)), Some(10));
        assert_eq!(connections_max(Connections::AtMost(2000), Some(1024)), Some(960));
        assert_eq!(connections_max(Connections::AtMost(2000), None), Some(2000));
        assert_eq!(connections_max(Connections::Unlimited, Some(1024)), None);
    }

    #[test]
    fn a_name_of_a_socket_that_is_a_slip_is_refused() {
        for (name, kind) in [
            ("lines", Kind::Lines),
            ("telnet", Kind::Telnet),
            ("tls", Kind::Tls),
            ("", Kind::Lines),
            ("unknown", Kind::Lines),
            ("chatline.socket", Kind::Lines),
        ] {
            assert_eq!(spoken_at(name), Ok(kind), "{name}");
        }
        for name in ["TLS", "tsl", "tls ", "chatline"] {
            let why = spoken_at(name).unwrap_err();
            assert!(why.ends_with("FileDescriptorName= is lines or telnet or tls"), "{why}");
        }
    }

    #[test]
    fn a_start_that_fails_says_what_to_do() {
        let at = Endpoint::parse("127.0.0.1:9000").unwrap();
        let error = listening(&at, "--tls-listen")(ErrorKind::AddrInUse.into());
        assert_eq!(
            error.to_string(),
            "cannot listen on 127.0.0.1:9000: address in use; stop what listens there, or choose \
             another with --tls-listen PORT"
        );
        let at = Endpoint::parse("chat.invalid:9000").unwrap();
        let error = listening(&at, "--listen")(at.resolve().unwrap_err());
        assert_eq!(
            error.to_string(),
            "cannot listen on chat.invalid:9000: there is no host of that name"
        );
    }
}
