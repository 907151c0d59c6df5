//! The service manager: the sockets that it hands over, and what it wants to be told.
//!
//! Promises: readiness is told when the server listens, a stop when it begins, and the watchdog is
//! fed from the turn of the loop, so that a loop that hangs is found; nothing waits for a manager
//! that does not read; without a service manager nothing of it happens. Sources: sd_listen_fds(3),
//! sd_notify(3), sd_watchdog_enabled(3). Deliberately restarts nothing and forks nothing: that is
//! the manager's business.

use std::env;
use std::ffi::OsStr;
use std::io;
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use listenfd::ListenFd;
use log::warn;
use rustix::net::sockopt::socket_acceptconn;
use sd_notify::NotifyState;
use socket2::{Domain, SockAddr, Socket, Type};

/// A listening socket that was handed over.
#[derive(Debug)]
pub struct Handed {
    /// The socket.
    pub socket: TcpListener,
    /// What it is called in the manager's configuration (systemd.socket(5), `FileDescriptorName`);
    /// empty when there are no names.
    pub name: String,
}

/// The most sockets that can be handed over.
const HANDED_MAX: usize = 1_000;

/// The listening sockets that were handed over, in their order.
///
/// # Errors
/// One of them is no TCP socket that listens, or there are more than 1,000.
pub fn take_sockets() -> io::Result<Vec<Handed>> {
    let count = env::var("LISTEN_FDS").ok().and_then(|count| count.parse().ok());
    if count.is_some_and(|count: u64| count > HANDED_MAX as u64) {
        return Err(io::Error::other(format!("LISTEN_FDS says more than {HANDED_MAX}")));
    }
    let mut handed = ListenFd::from_env();
    let names = env::var("LISTEN_FDNAMES").unwrap_or_default();
    let mut names = names.split(':').map(str::to_owned);
    let mut sockets = Vec::new();
    for index in 0..handed.len() {
        let socket = handed.take_tcp_listener(index)?.expect("each is taken once");
        if !socket_acceptconn(&socket)? {
            return Err(io::Error::other("it does not listen"));
        }
        socket.set_nonblocking(true)?;
        sockets.push(Handed { socket, name: names.next().unwrap_or_default() });
    }
    Ok(sockets)
}

/// What the service manager is told, and when.
#[derive(Debug)]
pub struct Service {
    /// Where it is told; `None` without a manager.
    manager: Option<Manager>,
    /// How often the watchdog is fed; twice in the time that it waits.
    interval: Option<Duration>,
    /// When it is fed next, since start.
    feed_at: Duration,
}

impl Service {
    /// Asks what the manager expects; `now` is the time since the start.
    pub fn new(now: Duration) -> Service {
        let interval = sd_notify::watchdog_enabled().map(|patience| patience / 2);
        let interval = interval.filter(|interval| !interval.is_zero());
        let named = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let manager = named.and_then(|name| {
            let opened = Manager::open(&name);
            opened.map_err(|cause| warn!(cause:%; "cannot_tell_manager")).ok()
        });
        Service { manager, interval, feed_at: now }
    }

    /// The server listens, or has read its configuration again.
    pub fn ready(&mut self) {
        self.tell(&[NotifyState::Ready]);
    }

    /// The configuration is being read again; [`Service::ready`] follows.
    pub fn reloading(&mut self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.tell(&[NotifyState::Reloading, now]),
            Err(_) => self.tell(&[NotifyState::Reloading]),
        }
    }

    /// The server stops.
    pub fn stopping(&mut self) {
        self.tell(&[NotifyState::Stopping]);
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
            self.tell(&[NotifyState::Watchdog, NotifyState::Status(&status())]);
        }
    }

    fn tell(&mut self, states: &[NotifyState<'_>]) {
        if let Some(manager) = &mut self.manager {
            manager.tell(states);
        }
    }
}

/// The socket of the service manager.
#[derive(Debug)]
struct Manager {
    socket: Socket,
    address: SockAddr,
    /// What it was told last did not arrive.
    is_deaf: bool,
}

impl Manager {
    /// By its path, or by `@` and a name that stands in no file (unix(7), abstract sockets).
    fn open(name: &OsStr) -> io::Result<Manager> {
        let mut name = name.as_bytes().to_vec();
        if name[0] == b'@' {
            name[0] = 0;
        }
        let address = SockAddr::unix(OsStr::from_bytes(&name))?;
        let socket = Socket::new(Domain::UNIX, Type::DGRAM, None)?;
        // One that does not read must not hold up who is served.
        socket.set_nonblocking(true)?;
        Ok(Manager { socket, address, is_deaf: false })
    }

    /// A manager that does not listen is no reason to stop: what it cannot be told is dropped, and
    /// the operator reads of the first time.
    fn tell(&mut self, states: &[NotifyState<'_>]) {
        let text: String = states.iter().map(|state| format!("{state}\n")).collect();
        let told = self.socket.send_to(text.as_bytes(), &self.address);
        if let Err(cause) = &told
            && !self.is_deaf
        {
            warn!(cause:%; "cannot_tell_manager");
        }
        self.is_deaf = told.is_err();
    }
}
