//! The figures, for who asks for them over HTTP: `/metrics` in the text format of Prometheus, and
//! `/healthz`.
//!
//! Promises: at most [`SCRAPERS_MAX`] are served at a time; for a further one who has not asked
//! soon, has been answered or is slow to take the answer makes room; each has five seconds in all,
//! and costs the loop no more than a read and a write in a turn. One request, one answer, one
//! connection. Deliberately no encryption and no password: it listens where whoever reaches it may
//! know.

mod process;
mod request;
mod scraper;
mod text;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::TcpListener;
use mio::{Interest, Registry, Token};

use super::figures::Figures;
use super::listen::{self, PAUSE};
use process::Process;
use scraper::{Progress, Scraper};

/// How many are served at a time.
pub const SCRAPERS_MAX: usize = 8;
/// How long one may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// After this time, who has not asked, or has been answered, makes room for the next one.
const GRACE: Duration = Duration::from_millis(100);
/// After this time, so does who has not taken the answer.
const TAKING: Duration = Duration::from_secs(1);

/// Where figures are asked for.
#[derive(Debug)]
pub struct Metrics {
    listener: TcpListener,
    address: SocketAddr,
    /// The listener's token; those of scrapers are below it, by their place.
    token: Token,
    /// An edge has come since the last time that nobody waited.
    is_waited_at: bool,
    /// When somebody may be taken in again, since start.
    paused_until: Duration,
    scrapers: [Option<Scraper>; SCRAPERS_MAX],
    /// When the process started, in seconds since 1970 UTC.
    started: i64,
}

impl Metrics {
    /// Listens. Events come under `token`, and under as many below it as are served at a time.
    /// The process started at `started`, in seconds since 1970 UTC.
    ///
    /// # Errors
    /// What the machine says when it cannot listen there.
    pub fn listen(
        address: SocketAddr,
        registry: &Registry,
        token: Token,
        started: i64,
    ) -> io::Result<Metrics> {
        let mut listener = listen::bind(address)?;
        registry.register(&mut listener, token, Interest::READABLE)?;
        let address = listener.local_addr()?;
        let (is_waited_at, paused_until) = (false, Duration::ZERO);
        let scrapers = Default::default();
        Ok(Metrics { listener, address, token, is_waited_at, paused_until, scrapers, started })
    }

    /// Where it listens, with the port that it has got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// An event has come under `token`; says whether it was for the metrics.
    pub fn ready(&mut self, token: Token) -> bool {
        let Some(below) = self.token.0.checked_sub(token.0).filter(|it| *it <= SCRAPERS_MAX) else {
            return false;
        };
        match below.checked_sub(1).map(|place| &mut self.scrapers[place]) {
            None => self.is_waited_at = true,
            Some(Some(scraper)) => scraper.is_ready = true,
            // Somebody who has gone meanwhile.
            Some(None) => {}
        }
        true
    }

    /// When to come back without an event, as a time since the start.
    pub fn deadline(&self) -> Option<Duration> {
        let room_at = match self.scrapers.iter().any(Option::is_none) {
            true => Some(Duration::ZERO),
            false => self.idle().map(|(at, _)| at).min(),
        };
        let arrival = room_at.filter(|_| self.is_waited_at).map(|at| at.max(self.paused_until));
        let of_scraper = |it: &Scraper| if it.is_ready { Duration::ZERO } else { it.until };
        self.scrapers.iter().flatten().map(of_scraper).chain(arrival).min()
    }

    /// Takes in who waits and serves who is ready; `figures` are drawn for each answer. `now` is
    /// the time since the start.
    pub fn turn(&mut self, now: Duration, registry: &Registry, figures: impl Fn() -> Figures) {
        self.accept(now, registry);
        for place in &mut self.scrapers {
            let Some(scraper) = place else { continue };
            if scraper.is_ready {
                let answer = |asked: &_| {
                    let process = Process::look(self.started);
                    request::answer(asked, &figures(), &process)
                };
                if scraper.serve(answer) == Progress::Over {
                    *place = None;
                    continue;
                }
            }
            place.take_if(|scraper| now >= scraper.until);
        }
    }

    fn accept(&mut self, now: Duration, registry: &Registry) {
        while self.is_waited_at && now >= self.paused_until {
            let Some(place) = self.place(now) else { return };
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    // Who makes room is gone before the next one is watched in its place.
                    self.scrapers[place] = None;
                    let token = Token(self.token.0 - 1 - place);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    // One that cannot be watched is closed.
                    if registry.register(&mut stream, token, interest).is_ok() {
                        self.scrapers[place] = Some(Scraper::new(stream, now + PATIENCE));
                    }
                }
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => self.is_waited_at = false,
                Err(_) => self.paused_until = now + PAUSE,
            }
        }
    }

    /// Where the next one is served: where nobody is, or else in the place of the first who makes
    /// room by now.
    fn place(&self, now: Duration) -> Option<usize> {
        let is_free = self.scrapers.iter().position(Option::is_none);
        is_free.or_else(|| {
            let first = self.idle().min()?;
            (first.0 <= now).then_some(first.1)
        })
    }

    /// Those for whom there is nothing to do: from when on they make room, since start, and their
    /// places.
    fn idle(&self) -> impl Iterator<Item = (Duration, usize)> {
        let all = self.scrapers.iter().enumerate();
        let all = all.filter_map(|(place, it)| Some((it.as_ref()?, place)));
        let idle = all.filter(|(it, _)| !it.is_ready);
        idle.map(|(it, place)| {
            let time = if it.is_taking() { TAKING } else { GRACE };
            (it.until.saturating_sub(PATIENCE - time), place)
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use mio::{Events, Poll};
    use std::io::{Read, Write};
    use std::net::TcpStream;

    /// Turns at that time until nothing more is to be done at it.
    fn turn(metrics: &mut Metrics, poll: &mut Poll, now: Duration) {
        let mut events = Events::with_capacity(64);
        loop {
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            events.iter().for_each(|event| _ = metrics.ready(event.token()));
            if events.is_empty() && metrics.deadline().is_none_or(|at| at > now) {
                return;
            }
            metrics.turn(now, poll.registry(), Figures::default);
        }
    }

    #[test]
    fn who_has_not_asked_makes_room_and_who_has_just_come_does_not() {
        let mut poll = Poll::new().unwrap();
        let (token, address) = (Token(100), SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut metrics = Metrics::listen(address, poll.registry(), token, 0).unwrap();
        let came_at = Duration::from_secs(7);
        let idle: Vec<_> =
            (0..SCRAPERS_MAX).map(|_| TcpStream::connect(metrics.address()).unwrap()).collect();
        turn(&mut metrics, &mut poll, came_at);
        assert!(metrics.scrapers.iter().all(Option::is_some));

        let mut asker = TcpStream::connect(metrics.address()).unwrap();
        asker.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
        turn(&mut metrics, &mut poll, came_at + GRACE - Duration::from_millis(1));
        assert_eq!(metrics.deadline(), Some(came_at + GRACE));
        turn(&mut metrics, &mut poll, came_at + GRACE);
        let mut answer = [0; 12];
        asker.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        let is_open = |it: &&TcpStream| {
            it.set_nonblocking(true).unwrap();
            (&mut &**it).read(&mut [0]).is_err_and(|it| it.kind() == ErrorKind::WouldBlock)
        };
        assert_eq!(idle.iter().filter(is_open).count(), SCRAPERS_MAX - 1);
    }

    #[test]
    fn who_has_been_answered_and_does_not_hang_up_makes_room() {
        let mut poll = Poll::new().unwrap();
        let (token, address) = (Token(100), SocketAddr::from(([127, 0, 0, 1], 0)));
        let mut metrics = Metrics::listen(address, poll.registry(), token, 0).unwrap();
        let came_at = Duration::from_secs(7);
        let address = metrics.address();
        let ask = || {
            let mut asker = TcpStream::connect(address).unwrap();
            asker.write_all(b"GET /healthz HTTP/1.1\r\n\r\n").unwrap();
            asker
        };
        let _answered: Vec<_> = (0..SCRAPERS_MAX).map(|_| ask()).collect();
        let mut next = ask();
        turn(&mut metrics, &mut poll, came_at);
        assert!(metrics.scrapers.iter().flatten().all(|it| !it.is_taking()));
        turn(&mut metrics, &mut poll, came_at + GRACE);
        let mut answer = [0; 12];
        next.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
    }
}
