//! The service manager: the sockets that it hands over, and what it wants to be told.
//!
//! Promises: readiness is told when the server listens, a stop when it begins, and the watchdog is
//! fed from the turn of the loop, so that a loop that hangs is found; without a service manager
//! nothing of it happens. Sources: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3).
//! Deliberately restarts nothing and forks nothing: that is the manager's business.

use std::env;
use std::io;
use std::net::TcpListener;
use std::time::Duration;

use listenfd::ListenFd;
use log::warn;
use sd_notify::NotifyState;

/// A listening socket that was handed over.
#[derive(Debug)]
pub struct Handed {
    /// The socket.
    pub socket: TcpListener,
    /// What it is called in the manager's configuration (systemd.socket(5), `FileDescriptorName`);
    /// empty when there are no names.
    pub name: String,
}

/// The listening sockets that were handed over, in their order.
///
/// # Errors
/// One of them is no TCP socket.
pub fn take_sockets() -> io::Result<Vec<Handed>> {
    let mut handed = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        let socket = handed.take_tcp_listener(index)?.expect("each is taken once");
        socket.set_nonblocking(true)?;
        sockets.push(Handed { socket, name: names.next().unwrap_or_default() });
    }
    Ok(sockets)
}

/// What the service manager is told, and when.
#[derive(Debug)]
pub struct Service {
    /// How often the watchdog is fed; twice in the time that it waits.
    interval: Option<Duration>,
    /// When it is fed next, since start.
    feed_at: Duration,
}

impl Service {
    /// Asks what the manager expects; `now` is the time since the start.
    pub fn new(now: Duration) -> Service {
        let interval = sd_notify::watchdog_enabled().map(|patience| patience / 2);
        Service { interval: interval.filter(|interval| !interval.is_zero()), feed_at: now }
    }

    /// The server listens, or has read its configuration again.
    pub fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// The configuration is being read again; [`Service::ready`] follows.
    pub fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(_) => tell(&[NotifyState::Reloading]),
        }
    }

    /// The server stops.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// When [`Service::feed`] is due, since start.
    pub fn deadline(&self) -> Option<Duration> {
        self.interval.map(|_| self.feed_at)
    }

    /// Feeds the watchdog if that is due, and says how the server is.
    pub fn feed(&mut self, now: Duration, status: impl FnOnce() -> String) {
        if let Some(interval) = self.interval
            && self.feed_at <= now
        {
            self.feed_at = now + interval;
            tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
        }
    }
}

/// A manager that does not listen is no reason to stop; the operator reads of it.
fn tell(states: &[NotifyState<'_>]) {
    if let Err(cause) = sd_notify::notify(states) {
        warn!(cause:%; "cannot_tell_manager");
    }
}
