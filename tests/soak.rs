//! A loaded server that is looked at for long: clients of every bad kind come in their thousands,
//! leave all at once, and come again; then the server must be what it was.
//!
//! Promises: at each rest, when nobody is left but two who talk all the time, the server has the
//! descriptors that it had, its memory does not grow with how many have been there, it answers a
//! newcomer, also within TLS, and the two have missed nothing. Meanwhile its figures can be had,
//! over HTTP and at the console, and it reads its configuration again. `scripts/soak` runs it:
//! `SOAK_SECONDS` says for how long, `SOAK_SERVER` with which program, `SEED` what is drawn. Needs
//! Linux: it reads /proc.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "soak/chaos.rs"]
mod chaos;
#[path = "soak/figures.rs"]
mod figures;
#[path = "soak/growth.rs"]
mod growth;
#[path = "soak/oversee.rs"]
mod oversee;
#[path = "soak/pair.rs"]
mod pair;
#[cfg(feature = "tls")]
#[path = "soak/within_tls.rs"]
mod within_tls;
mod world;

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chaos::{Doors, KINDS, Kind, Visit};
use figures::{descriptors, resident};
use growth::{Rest, judge};
use pair::Pair;
use tempfile::TempDir;
use world::on_tcp::{ServerProcess, wait_for};
use world::rng::Rng;

/// How long they come in one round.
const ROUND: Duration = Duration::from_secs(2);
/// How long a newcomer may have to wait for the greeting.
const ANSWER: Duration = Duration::from_secs(5);

/// All small enough to be reached in a round.
const FLAGS: &str = "--quiet --rooms 40 --queue-bytes 256KiB --queue-total-bytes 8MiB \
    --stall-timeout 1s --drain-timeout 500ms --name-timeout 1s --tls-handshake-timeout 1s \
    --connects-per-minute off";

#[test]
#[ignore = "takes as long as it is told to: scripts/soak runs it"]
fn a_loaded_server_stays_what_it_was() {
    stays(Server::start(false), growth::SLACK_BYTES);
}

#[test]
#[ignore = "takes as long as it is told to: scripts/soak runs it"]
fn so_does_one_that_keeps_what_is_said() {
    if !cfg!(feature = "store") {
        println!("skipped: it needs the store");
        return;
    }
    stays(Server::start(true), growth::SLACK_BYTES + growth::CACHES_BYTES);
}

/// What was done.
#[derive(Default)]
struct Done {
    /// Connections of each kind.
    visits: Vec<AtomicU64>,
    scrapes: AtomicU64,
    questions: AtomicU64,
    reloads: u64,
}

/// Lets them come as long as it is wanted; memory may rise by `slack` bytes.
fn stays(mut server: Server, slack: u64) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let until = Instant::now() + Duration::from_secs(number("SOAK_SECONDS").unwrap_or(20));
    let mut rng = Rng::new(number("SEED").unwrap_or(0));
    let pair = Pair::start(server.doors);
    let mut done = Done::default();
    done.visits.extend(KINDS.iter().map(|_| AtomicU64::new(0)));
    storm(&KINDS[..chaos::FILLING], &server, &mut rng, &mut done, Instant::now() + 2 * ROUND);
    let mut rests: Vec<Rest> = Vec::new();
    while Instant::now() < until || rests.len() < growth::RESTS_MIN {
        storm(KINDS, &server, &mut rng, &mut done, Instant::now() + ROUND);
        oversee::assert_read(server.doors.lines, done.reloads);
        let visits = done.visits.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        rests.push(rest(&server.process, visits, &rests));
        assert!(pair.is_well(), "the two who talk have missed something");
    }
    let (said, slowest) = pair.stop().unwrap();
    tell(&done, &rests, said, slowest);
    let process = &mut server.process;
    process.stop();
    let outcome = process.wait();
    assert!(outcome.success(), "it ended with {outcome}: {}", process.log());
    assert!(!process.log().contains("panicked"), "{}", process.log());
    let never = done.visits.iter().position(|count| count.load(Ordering::Relaxed) == 0);
    assert_eq!(never.map(|kind| KINDS[kind].name), None, "this kind never came");
    judge(&rests, slack).unwrap_or_else(|why| panic!("{why}\n{rests:?}"));
}

/// The server, with every door it has.
struct Server {
    process: ServerProcess,
    doors: Doors,
    /// Its console, its configuration, its certificate, and what it keeps.
    folder: TempDir,
}

impl Server {
    /// One that gives back what it frees at once, so that what is resident is what it uses.
    fn start(is_keeping: bool) -> Server {
        let folder = tempfile::tempdir().unwrap();
        let mut command = ServerProcess::command_through("exec \"${SOAK_SERVER:-$0}\" \"$@\"");
        command.env("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0");
        command.args(["--listen", "127.0.0.1:0", "--telnet-listen", "127.0.0.1:0"]);
        command.args(["--metrics", "127.0.0.1:0", "--admin", "console"]);
        command.args(["--config", oversee::FILE]).current_dir(folder.path());
        command.args(FLAGS.split_whitespace());
        if is_keeping {
            command.args(["--data", "chatline.db", "--sync", "process"]);
        }
        #[cfg(feature = "tls")]
        {
            let pair = world::secret::known();
            std::fs::write(folder.path().join("chatline.crt"), &pair.cert).unwrap();
            std::fs::write(folder.path().join("chatline.key"), &pair.key).unwrap();
            command.args(["--tls-listen", "127.0.0.1:0"]);
        }
        oversee::write(folder.path(), 0);
        let doors = 3 + usize::from(cfg!(feature = "tls"));
        let process = ServerProcess::spawn(command, doors);
        let at = process.addresses();
        let doors = Doors {
            lines: at[0],
            telnet: at[1],
            #[cfg(feature = "tls")]
            tls: at[2],
            metrics: at[doors - 1],
        };
        Server { process, doors, folder }
    }

    fn console(&self) -> PathBuf {
        self.folder.path().join("console")
    }
}

/// Each kind comes again and again, until then; a newcomer is answered meanwhile, and so is who
/// looks after the server.
fn storm(kinds: &[Kind], server: &Server, rng: &mut Rng, done: &mut Done, until: Instant) {
    let doors = server.doors;
    done.reloads += 1;
    let done = &*done;
    thread::scope(|scope| {
        for (kind, count) in kinds.iter().zip(&done.visits) {
            let rng = rng.split();
            scope.spawn(move || {
                let mut visit = Visit { doors, rng, until, connections: 0 };
                while Instant::now() < until {
                    // That the server breaks off with who behaves badly is no failure.
                    let _ = (kind.come)(&mut visit);
                }
                count.fetch_add(visit.connections, Ordering::Relaxed);
            });
        }
        let mut rng = rng.split();
        scope.spawn(move || {
            let folder = server.folder.path();
            oversee::reload(&server.process, folder, done.reloads, &mut rng, until);
        });
        scope.spawn(move || {
            done.scrapes.fetch_add(oversee::scrape(doors.metrics, until), Ordering::Relaxed);
        });
        scope.spawn(move || {
            let asked = oversee::ask(&server.console(), until);
            done.questions.fetch_add(asked, Ordering::Relaxed);
        });
        scope.spawn(move || assert_answers(|| chaos::greeting(doors.lines, ANSWER)));
        #[cfg(feature = "tls")]
        scope.spawn(move || assert_answers(|| within_tls::greeting(doors.tls, ANSWER)));
    });
}

/// Panics unless somebody who comes now is greeted in time.
fn assert_answers(come: impl Fn() -> io::Result<String>) {
    let started = Instant::now();
    let line = come();
    let took = started.elapsed();
    let is_greeted = line.as_ref().is_ok_and(|line| line.starts_with("* chatline: "));
    assert!(is_greeted && took <= ANSWER, "a newcomer is told {line:?} after {took:?}");
}

/// What the server is when everybody has gone: when its descriptors are as few as they were, and
/// become no fewer.
fn rest(server: &ServerProcess, visits: u64, before: &[Rest]) -> Rest {
    let warm_up = before.get(..growth::DESCRIPTORS_AFTER).unwrap_or_default();
    let most = warm_up.iter().map(|rest| rest.descriptors).max();
    let most = most.unwrap_or(growth::DESCRIPTORS_MAX);
    let mut last = usize::MAX;
    let least = wait_for(|| {
        thread::sleep(figures::SETTLING);
        let now = descriptors(server.id());
        let was = std::mem::replace(&mut last, now);
        (now == was && now <= most).then_some(now)
    });
    let descriptors = least.unwrap_or_else(|| panic!("{last} descriptors are left of {most}"));
    Rest { visits, resident: resident(server.id()), descriptors }
}

/// What was done, on standard output.
fn tell(done: &Done, rests: &[Rest], said: u64, slowest: Duration) {
    // The name of the test stands before it.
    println!();
    for (kind, count) in KINDS.iter().zip(&done.visits) {
        println!("soak: {:>8} connections: {}", count.load(Ordering::Relaxed), kind.name);
    }
    let kib: Vec<u64> = rests.iter().map(|rest| rest.resident / 1024).collect();
    println!("soak: {} rests; KiB resident: {kib:?}", rests.len());
    let [scrapes, questions] =
        [&done.scrapes, &done.questions].map(|count| count.load(Ordering::Relaxed));
    let reloads = done.reloads;
    println!("soak: {scrapes} looks at the metrics, {questions} at the console, {reloads} reloads");
    println!("soak: two talked all the time: {said} lines, the slowest took {slowest:?}");
}
