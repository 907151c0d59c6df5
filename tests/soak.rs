//! A loaded server that is looked at for long: clients of every bad kind come in their thousands,
//! leave all at once, and come again; then the server must be what it was.
//!
//! Promises: at each rest, when nobody is left but two who talk all the time, the server has the
//! descriptors that it had, its memory does not grow with how many have been there, it answers a
//! newcomer, and the two have missed nothing. `scripts/soak` runs it: `SOAK_SECONDS` says for how
//! long, `SOAK_SERVER` with which program, `SEED` what is drawn. Needs Linux: it reads /proc.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

#[path = "soak/chaos.rs"]
mod chaos;
#[path = "soak/figures.rs"]
mod figures;
#[path = "soak/growth.rs"]
mod growth;
#[path = "soak/pair.rs"]
mod pair;
mod world;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use chaos::{Doors, KINDS, Kind, Visit};
use figures::{descriptors, resident};
use growth::{Rest, judge};
use pair::Pair;
use world::on_tcp::{ServerProcess, wait_for};
use world::rng::Rng;

/// How long they come in one round.
const ROUND: Duration = Duration::from_secs(2);
/// How long a newcomer may have to wait for the greeting.
const ANSWER: Duration = Duration::from_secs(5);

/// All small enough to be reached in a round.
const FLAGS: &str = "--quiet --sync process --rooms 40 --queue-bytes 256KiB \
    --queue-total-bytes 8MiB --stall-timeout 1s --drain-timeout 500ms --name-timeout 1s";

#[test]
#[ignore = "takes as long as it is told to: scripts/soak runs it"]
fn a_loaded_server_stays_what_it_was() {
    let server = start(Path::new("none"));
    stays(server, growth::SLACK_BYTES);
}

#[test]
#[ignore = "takes as long as it is told to: scripts/soak runs it"]
fn so_does_one_that_keeps_what_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let server = start(&folder.path().join("chatline.db"));
    stays(server, growth::SLACK_BYTES + growth::CACHES_BYTES);
}

/// Lets them come as long as it is wanted; memory may rise by `slack` bytes.
fn stays(mut server: ServerProcess, slack: u64) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let until = Instant::now() + Duration::from_secs(number("SOAK_SECONDS").unwrap_or(20));
    let mut rng = Rng::new(number("SEED").unwrap_or(0));
    let doors = doors(&server);
    let pair = Pair::start(doors.lines);
    let counts: Vec<AtomicU64> = KINDS.iter().map(|_| AtomicU64::new(0)).collect();
    storm(&KINDS[..chaos::FILLING], doors, &mut rng, &counts, Instant::now() + 2 * ROUND);
    let mut rests: Vec<Rest> = Vec::new();
    while Instant::now() < until || rests.len() < growth::RESTS_MIN {
        storm(KINDS, doors, &mut rng, &counts, Instant::now() + ROUND);
        let visits = counts.iter().map(|count| count.load(Ordering::Relaxed)).sum();
        rests.push(rest(&server, visits, &rests));
        assert!(pair.is_well(), "the two who talk have missed something");
    }
    let (said, slowest) = pair.stop().unwrap();
    tell(&counts, &rests, said, slowest);
    server.stop();
    let outcome = server.wait();
    assert!(outcome.success(), "it ended with {outcome}: {}", server.log());
    assert!(!server.log().contains("panicked"), "{}", server.log());
    let never = counts.iter().position(|count| count.load(Ordering::Relaxed) == 0);
    assert_eq!(never.map(|kind| KINDS[kind].name), None, "this kind never came");
    judge(&rests, slack).unwrap_or_else(|why| panic!("{why}\n{rests:?}"));
}

/// A server that gives back what it frees at once, so that what is resident is what it uses.
fn start(data: &Path) -> ServerProcess {
    let mut command = ServerProcess::command_through("exec \"${SOAK_SERVER:-$0}\" \"$@\"");
    command.env("_RJEM_MALLOC_CONF", "dirty_decay_ms:0,muzzy_decay_ms:0");
    command.args(["--listen", "127.0.0.1:0", "--telnet-listen", "127.0.0.1:0"]);
    command.args(FLAGS.split_whitespace()).arg("--data").arg(data);
    ServerProcess::spawn(command, 2)
}

fn doors(server: &ServerProcess) -> Doors {
    match *server.addresses() {
        [lines, telnet] => Doors { lines, telnet },
        ref others => panic!("it listens at {others:?}"),
    }
}

/// Each kind comes again and again, until then; a newcomer is answered meanwhile.
fn storm(kinds: &[Kind], doors: Doors, rng: &mut Rng, counts: &[AtomicU64], until: Instant) {
    thread::scope(|scope| {
        for (kind, count) in kinds.iter().zip(counts) {
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
        scope.spawn(move || assert_answers(doors.lines));
    });
}

/// Panics unless somebody who comes now is greeted in time.
fn assert_answers(lines: SocketAddr) {
    let started = Instant::now();
    let line = chaos::greeting(lines, ANSWER);
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
fn tell(counts: &[AtomicU64], rests: &[Rest], said: u64, slowest: Duration) {
    // The name of the test stands before it.
    println!();
    for (kind, count) in KINDS.iter().zip(counts) {
        println!("soak: {:>8} connections: {}", count.load(Ordering::Relaxed), kind.name);
    }
    let kib: Vec<u64> = rests.iter().map(|rest| rest.resident / 1024).collect();
    println!("soak: {} rests; KiB resident: {kib:?}", rests.len());
    println!("soak: two talked all the time: {said} lines, the slowest took {slowest:?}");
}
