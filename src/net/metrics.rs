//! The figures, for who asks for them over HTTP: `/metrics` in the text format of Prometheus, and
//! `/healthz`.
//!
//! Promises: at most [`SCRAPERS_MAX`] are served at a time, the others wait in the kernel; each has
//! five seconds in all, and costs the loop no more than a read and a write in a turn. One request,
//! one answer, one connection. Deliberately no encryption and no password: it listens where
//! whoever reaches it may know.

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
use super::listen;
use process::Process;
use scraper::{Progress, Scraper};

/// How many are served at a time.
pub const SCRAPERS_MAX: usize = 8;
/// How long one may take in all.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long nobody is taken in after the machine has refused.
const PAUSE: Duration = Duration::from_millis(100);

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
        let has_room = self.scrapers.iter().any(Option::is_none);
        let arrival = (self.is_waited_at && has_room).then_some(self.paused_until);
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
        for (place, scraper) in self.scrapers.iter_mut().enumerate() {
            if !self.is_waited_at || now < self.paused_until {
                return;
            }
            if scraper.is_some() {
                continue;
            }
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    let token = Token(self.token.0 - 1 - place);
                    let interest = Interest::READABLE | Interest::WRITABLE;
                    // One that cannot be watched is closed.
                    if registry.register(&mut stream, token, interest).is_ok() {
                        *scraper = Some(Scraper::new(stream, now + PATIENCE));
                    }
                }
                Err(cause) if cause.kind() == ErrorKind::WouldBlock => self.is_waited_at = false,
                Err(_) => self.paused_until = now + PAUSE,
            }
        }
    }
}
