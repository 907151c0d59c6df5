//! Sockets and their options: binding, accepting, and what each connection is given.
//!
//! Promises: a listener keeps what an edge has announced until it is taken; when the machine has
//! no more descriptors, who waits is told so and nothing spins. Deliberately decides about nobody
//! else: whom to refuse for another reason is the hub's business.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use log::{info, warn};
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Registry, Token};
use rustix::io::Errno;
use rustix::net::SendFlags;
use socket2::{Domain, Protocol, SockRef, TcpKeepalive, Type};

use super::figures::Kind;
use super::hub::Stream;

/// How many peers the kernel lets wait; it caps this at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
/// A silent peer is asked for a sign of life after this time, and then at this interval; see
/// tcp(7). With three unanswered it is dead: 85 seconds in all.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(40);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(15);
const KEEPALIVE_PROBES: u32 = 3;
/// How long what was sent may stay unacknowledged. It also counts for keepalive, where it takes the
/// place of the number of probes (tcp(7), `TCP_USER_TIMEOUT`), hence just below those 85 seconds.
const USER_TIMEOUT: Duration = Duration::from_secs(80);
/// How far it lies above the stall timeout for a peer that is alive and does not read.
const STALL_MARGIN: Duration = Duration::from_secs(30);
/// How long nothing is accepted after the machine has refused.
pub(super) const PAUSE: Duration = Duration::from_millis(100);

/// Where peers come in.
#[derive(Debug)]
pub struct Listeners {
    open: Vec<Listener>,
    /// Whose turn it is, so that a busy listener does not starve the others.
    next: usize,
    supply: Supply,
    /// A descriptor that can be given up to tell a peer that there are no more.
    spare: Option<File>,
    /// The line that such a peer is told.
    refusal: Vec<u8>,
}

/// What becomes a listener.
#[derive(Debug)]
pub enum Listening {
    /// A socket that is to be opened at that address.
    At(SocketAddr),
    /// One that listens already, and does not block.
    Already(std::net::TcpListener),
}

#[derive(Debug)]
struct Listener {
    socket: TcpListener,
    token: Token,
    kind: Kind,
    /// An edge has come since the last time that nobody waited.
    is_waited_at: bool,
}

/// Whether the machine lets peers in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Supply {
    Enough,
    /// The last peer had to be told to go.
    Short,
    /// Not even that was possible; to be tried again at this time since the start.
    None {
        until: Duration,
    },
}

/// What became of one peer that waited.
#[derive(Debug)]
pub enum Arrival {
    /// It is here, from that address, at a listener of that kind.
    Peer(TcpStream, SocketAddr, Kind),
    /// It has gone again, or was told to go.
    Gone,
}

impl Listeners {
    /// No listeners yet, and the line for peers that find no descriptor.
    pub fn new(refusal: Vec<u8>) -> Listeners {
        let (open, next, supply) = (Vec::new(), 0, Supply::Enough);
        Listeners { open, next, supply, spare: take_spare(), refusal }
    }

    /// Adds a listener of some kind, whose events come under `token`, and says which address it has
    /// got.
    pub fn add(
        &mut self,
        asked: Listening,
        registry: &Registry,
        token: Token,
        kind: Kind,
    ) -> io::Result<SocketAddr> {
        let mut socket = match asked {
            Listening::At(address) => bind(address)?,
            Listening::Already(socket) => TcpListener::from_std(socket),
        };
        registry.register(&mut socket, token, Interest::READABLE)?;
        let address = socket.local_addr()?;
        self.open.push(Listener { socket, token, kind, is_waited_at: false });
        Ok(address)
    }

    /// Closes all of them: the ports are free.
    pub fn close(&mut self) {
        self.open.clear();
    }

    /// An event has come under `token`; says whether it is that of a listener.
    pub fn ready(&mut self, token: Token) -> bool {
        let listener = self.open.iter_mut().find(|listener| listener.token == token);
        listener.map(|listener| listener.is_waited_at = true).is_some()
    }

    /// When to come back without an event, as a time since the start.
    pub fn deadline(&self) -> Option<Duration> {
        let is_waited_at = self.open.iter().any(|listener| listener.is_waited_at);
        is_waited_at.then_some(match self.supply {
            Supply::None { until } => until,
            Supply::Enough | Supply::Short => Duration::ZERO,
        })
    }

    /// Takes the next peer, of each listener in turn; `None` when nobody can be taken now. `now` is
    /// the time since the start.
    pub fn accept(&mut self, now: Duration) -> Option<Arrival> {
        if matches!(self.supply, Supply::None { until } if now < until) {
            return None;
        }
        while let Some(index) = self.next_waited_at() {
            match self.open[index].socket.accept() {
                Ok((stream, from)) => {
                    self.note(Supply::Enough, None);
                    return Some(Arrival::Peer(stream, from, self.open[index].kind));
                }
                Err(cause) => match cause.kind() {
                    ErrorKind::WouldBlock => self.open[index].is_waited_at = false,
                    ErrorKind::Interrupted | ErrorKind::ConnectionAborted => {
                        return Some(Arrival::Gone);
                    }
                    _ if is_lack_of_descriptors(&cause) => {
                        return self.turn_away(index, now, &cause);
                    }
                    _ => {
                        self.note(Supply::None { until: now + PAUSE }, Some(&cause));
                        return None;
                    }
                },
            }
        }
        None
    }

    fn next_waited_at(&mut self) -> Option<usize> {
        let mut order = (self.next..self.open.len()).chain(0..self.next.min(self.open.len()));
        let index = order.find(|&index| self.open[index].is_waited_at)?;
        self.next = index + 1;
        Some(index)
    }

    /// Gives up the spare descriptor for as long as it takes to tell one peer to go.
    fn turn_away(&mut self, index: usize, now: Duration, cause: &io::Error) -> Option<Arrival> {
        let paused = Supply::None { until: now + PAUSE };
        let Some(spare) = self.spare.take() else {
            self.spare = take_spare();
            self.note(paused, Some(cause));
            return None;
        };
        drop(spare);
        let accepted = self.open[index].socket.accept();
        let arrival = match accepted {
            Ok((stream, _)) => {
                // Who speaks TLS could not read it.
                let line = match self.open[index].kind {
                    Kind::Lines | Kind::Telnet => &self.refusal[..],
                    Kind::Tls => &[],
                };
                dismiss(&stream, line);
                self.note(Supply::Short, Some(cause));
                Some(Arrival::Gone)
            }
            // Linux lacks descriptors even when nobody waits, and then nobody misses them.
            Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
                self.open[index].is_waited_at = false;
                None
            }
            Err(cause) => {
                self.note(paused, Some(&cause));
                None
            }
        };
        self.spare = take_spare();
        arrival
    }

    /// Changes the state, and tells the operator when it becomes bad or good.
    fn note(&mut self, supply: Supply, cause: Option<&io::Error>) {
        match (self.supply, cause) {
            (Supply::Enough, Some(cause)) => {
                warn!(cause:% = cause; "letting_nobody_in");
            }
            (Supply::Short | Supply::None { .. }, None) => {
                info!("letting_in");
            }
            _ => {}
        }
        self.supply = supply;
    }
}

/// A listening socket. IPv6 is IPv6 alone, so that `[::]` and `0.0.0.0` stand side by side; a
/// restart does not wait for old connections to time out (socket(7), `SO_REUSEADDR`).
pub(super) fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let domain = Domain::for_address(address);
    let socket = socket2::Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(TcpListener::from_std(socket.into()))
}

fn is_lack_of_descriptors(cause: &io::Error) -> bool {
    matches!(Errno::from_io_error(cause), Some(Errno::MFILE | Errno::NFILE))
}

fn take_spare() -> Option<File> {
    File::open("/dev/null").ok()
}

/// Tells a peer one line, as far as it goes without waiting.
fn dismiss(mut stream: &TcpStream, line: &[u8]) {
    // A peer that cannot be told is closed all the same.
    let _ = stream.write(line);
    let _ = stream.shutdown(Shutdown::Write);
    // Closing with unread input would be a reset, which eats the line.
    let _ = stream.read(&mut [0; 4096]);
}

/// An accepted connection.
#[derive(Debug)]
pub struct Socket(TcpStream);

impl Socket {
    /// Gives the connection its options; one that is broken refuses them, as its first read tells.
    pub fn new(stream: TcpStream) -> Socket {
        let socket = SockRef::from(&stream);
        let keepalive = TcpKeepalive::new()
            .with_time(KEEPALIVE_IDLE)
            .with_interval(KEEPALIVE_INTERVAL)
            .with_retries(KEEPALIVE_PROBES);
        // The loop writes once a turn: there is nothing to wait for.
        let _ = socket.set_tcp_nodelay(true);
        let _ = socket.set_tcp_keepalive(&keepalive);
        // Telnet sends the data mark of its interrupt as urgent data (RFC 854, "synch"); taken out
        // of the stream it would leave an IAC without its command.
        let _ = socket.set_out_of_band_inline(true);
        set_user_timeout(&stream, Some(USER_TIMEOUT));
        Socket(stream)
    }

    /// Registers the connection for all its events; to be done once.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        let interest = interest | Interest::PRIORITY;
        registry.register(&mut self.0, token, interest)
    }

    /// Ends the connection both ways, so that whoever reads it finds its end.
    pub fn break_off(&mut self) {
        // It fails only for one that is broken already.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// Sets `TCP_USER_TIMEOUT` (tcp(7)) where there is one; `None` is the kernel's own patience.
fn set_user_timeout(stream: &TcpStream, timeout: Option<Duration>) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    let _ = SockRef::from(stream).set_tcp_user_timeout(timeout);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (stream, timeout);
}

impl Read for Socket {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.0.try_io(|| Ok(rustix::io::read(&self.0, bytes)?))
    }
}

impl Write for Socket {
    /// What is done for every delivery goes to the kernel without the C library's points of
    /// cancellation. A broken pipe is an error here, since programs in Rust ignore its signal.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_io(|| Ok(rustix::net::send(&self.0, bytes, SendFlags::empty())?))
    }

    fn write_vectored(&mut self, slices: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.0.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Stream for Socket {
    fn finish_writing(&mut self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }

    /// A peer that lives and does not read acknowledges nothing either; the stall timeout, which
    /// can say why, has to come before the kernel's.
    fn expect_stall(&mut self, stall_timeout: Option<Duration>) {
        let patience = |stall: Duration| stall.saturating_add(STALL_MARGIN).max(USER_TIMEOUT);
        set_user_timeout(&self.0, stall_timeout.map(patience));
    }

    fn expect_no_stall(&mut self) {
        set_user_timeout(&self.0, Some(USER_TIMEOUT));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use mio::{Events, Poll};

    const START: Duration = Duration::ZERO;
    fn listeners(poll: &Poll, count: usize) -> (Listeners, Vec<SocketAddr>) {
        let mut listeners = Listeners::new(b"full\n".to_vec());
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let addresses = (0..count)
            .map(|i| {
                listeners.add(Listening::At(any), poll.registry(), Token(i), Kind::Lines).unwrap()
            })
            .collect();
        (listeners, addresses)
    }

    fn wait(poll: &mut Poll, listeners: &mut Listeners) {
        let mut events = Events::with_capacity(16);
        poll.poll(&mut events, Some(Duration::from_secs(5))).unwrap();
        assert!(events.iter().all(|event| listeners.ready(event.token())));
    }

    fn one_waiting() -> (Listeners, std::net::TcpStream) {
        let mut poll = Poll::new().unwrap();
        let (mut listeners, addresses) = listeners(&poll, 1);
        let peer = std::net::TcpStream::connect(addresses[0]).unwrap();
        wait(&mut poll, &mut listeners);
        (listeners, peer)
    }

    #[test]
    fn peers_are_taken_from_each_listener_in_turn_until_none_waits() {
        let mut poll = Poll::new().unwrap();
        let (mut listeners, addresses) = listeners(&poll, 2);
        assert_eq!(listeners.deadline(), None);
        let order = [addresses[0], addresses[0], addresses[1]];
        let _peers = order.map(|address| std::net::TcpStream::connect(address).unwrap());
        wait(&mut poll, &mut listeners);
        assert_eq!(listeners.deadline(), Some(START));

        for expected in [addresses[0], addresses[1], addresses[0]] {
            let Some(Arrival::Peer(stream, ..)) = listeners.accept(START) else { panic!("nobody") };
            assert_eq!(stream.local_addr().unwrap(), expected);
        }
        assert!(listeners.accept(START).is_none());
        assert_eq!(listeners.deadline(), None);
    }

    #[test]
    fn after_a_refusal_of_the_machine_nothing_spins() {
        let (mut listeners, _peer) = one_waiting();
        listeners.spare = None;
        assert!(listeners.turn_away(0, START, &Errno::MFILE.into()).is_none());
        assert_eq!(listeners.deadline(), Some(PAUSE));
        assert!(listeners.accept(PAUSE / 2).is_none());
        assert!(matches!(listeners.accept(PAUSE), Some(Arrival::Peer(..))));
        assert_eq!(listeners.supply, Supply::Enough);
    }

    #[test]
    fn the_spare_descriptor_pays_for_telling_a_peer_to_go() {
        let (mut listeners, mut peer) = one_waiting();
        peer.write_all(b"unread\n").unwrap();
        assert!(matches!(listeners.turn_away(0, START, &Errno::MFILE.into()), Some(Arrival::Gone)));
        let mut told = String::new();
        peer.read_to_string(&mut told).unwrap();
        assert_eq!((told.as_str(), listeners.supply), ("full\n", Supply::Short));
        assert!(listeners.turn_away(0, START, &Errno::MFILE.into()).is_none());
        assert!(listeners.deadline().is_none() && listeners.spare.is_some());
    }

    #[test]
    fn a_closed_port_is_free_at_once() {
        let (mut first, addresses) = listeners(&Poll::new().unwrap(), 1);
        assert_eq!(bind(addresses[0]).unwrap_err().kind(), ErrorKind::AddrInUse);
        first.close();
        bind(addresses[0]).unwrap();
    }

    #[test]
    fn a_connection_has_its_options() {
        let (mut listeners, _peer) = one_waiting();
        let Some(Arrival::Peer(stream, ..)) = listeners.accept(START) else { panic!("nobody") };
        let mut socket = Socket::new(stream);
        socket.expect_stall(Some(Duration::from_secs(120)));
        let options = SockRef::from(&socket.0);
        assert!(options.tcp_nodelay().unwrap());
        assert!(options.keepalive().unwrap());
        assert!(options.out_of_band_inline().unwrap());
        #[cfg(target_os = "linux")]
        assert_eq!(options.tcp_user_timeout().unwrap(), Some(Duration::from_secs(150)));
    }
}
