//! Coming in: storms, limits, descriptors that run out, names that are never given, listeners.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::{flags, machine};

/// The first line of each peer, sorted into those who are in and those who were told to go.
fn sort_by_greeting(peers: Vec<Peer>) -> (Vec<Peer>, Vec<Peer>) {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for mut peer in peers {
        let line = peer.line().expect("everybody is told something");
        if line.starts_with("* chatline") {
            inside.push(peer);
            continue;
        }
        assert!(line.starts_with("! server-full "), "{line}");
        assert_eq!(peer.rest(), b"", "the refusal is the last line");
        outside.push(peer);
    }
    (inside, outside)
}

/// A server that may have only so many descriptors.
fn start_poor(descriptors: u32, more: &str) -> ServerProcess {
    let script = format!("ulimit -n {descriptors}; exec \"$0\" \"$@\"");
    let mut command = ServerProcess::command_through(&script);
    command.args(["--listen", "127.0.0.1:0"]).args(flags(more));
    ServerProcess::spawn(command, 1)
}

#[cfg(target_os = "linux")]
#[test]
fn a_thousand_who_come_at_once_are_all_greeted() {
    machine::allow_many_descriptors();
    let server = ServerProcess::start(&[]);
    let backlog = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let count = backlog.trim().parse::<usize>().unwrap().min(1000);
    machine::freeze(&server);
    let crowd: Vec<Peer> = (0..count).map(|_| server.connect()).collect();
    machine::thaw(&server);
    let (inside, _) = sort_by_greeting(crowd);
    assert_eq!(inside.len(), count);
}

#[test]
fn what_descriptors_allow_is_the_limit_unless_another_is_given() {
    let server = start_poor(96, "");
    let (inside, outside) = sort_by_greeting((0..60).map(|_| server.connect()).collect());
    assert_eq!((inside.len(), outside.len()), (32, 28));
}

#[cfg(target_os = "linux")]
#[test]
fn without_descriptors_peers_are_told_and_nothing_spins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console");
    let server = start_poor(64, &format!("--connections off --admin {}", path.display()));
    let (mut inside, outside) = sort_by_greeting((0..100).map(|_| server.connect()).collect());
    assert!(inside.len() > 32 && outside.len() > 36, "{} are in", inside.len());
    let busy = machine::busy_hundredths(&server);
    assert!(busy < 20, "it computed for {busy} hundredths of a second");
    let mut console = Peer::at_console(&path);
    let busy = machine::busy_hundredths(&server);
    assert!(busy < 20, "it computed for {busy} hundredths of a second for a console");

    inside.truncate(20);
    // Nobody else comes to the console, and it gets in all the same.
    console.line_that_starts("* chatline ");
    // Their ends are noticed by and by; whoever asks again gets in without further ado.
    let mut late = wait_for(|| {
        let mut peer = server.connect();
        let line = peer.line().expect("everybody is told something");
        line.starts_with("* chatline").then_some(peer)
    })
    .expect("there are descriptors again");
    late.send_line("late");
    late.line_that_starts("* you are late");
    inside[0].send_line("early");
    inside[0].line_that_starts("* you are early");
    let log = wait_for(|| Some(server.log()).filter(|log| log.contains("event=letting_in\n")));
    let log = log.expect("the operator is told that it is over");
    assert_eq!(log.matches("event=letting_nobody_in ").count(), 1, "{log}");
    assert!(machine::busy_hundredths(&server) < 20, "it spins after it has recovered");
}

#[test]
fn beyond_its_limit_a_server_is_full_until_somebody_leaves() {
    let server = ServerProcess::start(&flags("--connections 3"));
    let (mut inside, outside) = sort_by_greeting((0..40).map(|_| server.connect()).collect());
    assert_eq!((inside.len(), outside.len()), (3, 37));
    inside.pop();
    let admitted = wait_for(|| {
        let mut peer = server.connect();
        peer.line().is_some_and(|line| line.starts_with("* chatline")).then_some(())
    });
    admitted.expect("who leaves makes room");
}

/// A script sends its line without waiting for a greeting; what is unread must not turn the end
/// into a reset, which could eat the refusal.
#[cfg(target_os = "linux")]
#[test]
fn who_is_refused_is_told_so_whatever_they_have_sent() {
    for server in [
        ServerProcess::start(&flags("--connections 3 --accepts-per-turn 1")),
        start_poor(64, "--connections off"),
    ] {
        let _inside: Vec<Peer> = (0..70).map(|_| server.connect()).collect();
        machine::freeze(&server);
        let mut late: Vec<Peer> = (0..40).map(|_| server.connect()).collect();
        late.iter_mut().for_each(|peer| assert!(peer.send(b"#lobby build 512 is green\n")));
        machine::thaw(&server);
        for peer in &mut late {
            let seen = String::from_utf8(peer.rest()).unwrap();
            assert!(seen.starts_with("! server-full ") && seen.ends_with('\n'), "{seen}");
            assert!(!peer.was_reset(), "a refusal ends with an end of input");
        }
    }
}

#[test]
fn this_machine_is_exempt_from_the_limit_per_address() {
    let server = ServerProcess::start(&flags("--connections-per-address 1"));
    let (inside, _) = sort_by_greeting((0..5).map(|_| server.connect()).collect());
    assert_eq!(inside.len(), 5);
}

#[test]
fn who_gives_no_name_is_let_go() {
    let server = ServerProcess::start(&flags("--name-timeout 1s"));
    let started = Instant::now();
    let (mut silent, mut slow, mut named) =
        (server.connect(), server.connect(), server.person("alice"));
    slow.send(b"half a na");
    for peer in [&mut silent, &mut slow] {
        peer.line_that_starts("! no-name ");
        assert_eq!(peer.rest(), b"");
    }
    assert!(started.elapsed() >= Duration::from_millis(900), "{:?}", started.elapsed());
    named.send_line("/who alice");
    named.line_that_starts("* alice: in #lobby");
}

/// Counts what a member of a crowd is told about who comes and goes.
#[derive(Default)]
struct Movements {
    came: usize,
    left: usize,
    single: usize,
    tallies: usize,
}

impl Movements {
    /// `alice came`, `alice left`, `41 came, 3 left`.
    fn note(&mut self, text: &str) {
        for part in text.split(", ") {
            let (what, verb) = part.split_once(' ').expect("two words");
            let number = what.parse::<usize>();
            match number {
                Ok(_) => self.tallies += 1,
                Err(_) => self.single += 1,
            }
            match verb {
                "came" => self.came += number.unwrap_or(1),
                "left" => self.left += number.unwrap_or(1),
                _ => panic!("{text}"),
            }
        }
    }
}

#[test]
fn a_join_storm_is_summed_up() {
    const STORM: usize = 300;
    machine::allow_many_descriptors();
    let server = ServerProcess::start(&[]);
    let mut watcher = server.person("watcher");
    watcher.send(b"/leave\n/join dev\n");
    watcher.line_that_starts("* you made #dev");
    let mut crowd: Vec<Peer> = (0..STORM).map(|n| server.person(&format!("p{n}"))).collect();

    let started = Instant::now();
    for peer in &mut crowd {
        peer.send_line("/join dev");
        peer.line_that_starts("* you joined #dev");
    }
    let mut seen = Movements::default();
    while seen.came < STORM {
        seen.note(watcher.line().expect("the watcher stays").strip_prefix("* #dev: ").unwrap());
    }
    let most = started.elapsed().as_secs() as usize + 2;
    assert_eq!((seen.came, seen.left), (STORM, 0));
    assert_eq!(seen.single, 50, "up to a crowd everybody is named");
    assert!(seen.tallies <= most, "{} lines in {most} seconds", seen.tallies);

    let started = Instant::now();
    for peer in crowd.iter_mut().take(STORM / 2) {
        peer.send_line("/leave dev");
        peer.line_that_starts("* you left #dev");
    }
    drop(crowd);
    let mut seen = Movements::default();
    while seen.left < STORM {
        let line = watcher.line().expect("the watcher stays");
        let text = line.strip_prefix("* #dev: ").or(line.strip_prefix("* "));
        seen.note(text.expect("a notice"));
    }
    let most = started.elapsed().as_secs() as usize + 2;
    assert_eq!((seen.came, seen.left), (0, STORM));
    assert!(seen.single <= 50 && seen.tallies <= most, "{} and {}", seen.single, seen.tallies);
    watcher.send_line("/who #dev");
    assert_eq!(watcher.line().as_deref(), Some("* #dev (1 here): watcher"));
}

#[test]
fn every_listener_leads_to_the_same_people() {
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0", "--listen", "0", "--listen", "localhost:0"]);
    let server = ServerProcess::spawn(command, 3);
    let mut people = BTreeMap::new();
    for address in server.addresses() {
        let mut peer = Peer::connect(*address);
        peer.send_line(&format!("at-{}", address.port()));
        peer.line_that_starts("* you are at-");
        people.insert(address.port(), peer);
    }
    assert_eq!(people.len(), 3, "each has a port of its own");
    let speaker = server.address().port();
    people.get_mut(&speaker).unwrap().send_line("hello everywhere");
    for (_, peer) in people.iter_mut().filter(|(port, _)| **port != speaker) {
        peer.line_that_starts(&format!("#lobby at-{speaker}: hello everywhere"));
    }
}

/// A port that was free for both families a moment ago; `None` without IPv6.
fn port_free_for_both() -> Option<u16> {
    TcpListener::bind("[::1]:0").ok()?;
    wait_for(|| {
        let port = TcpListener::bind("0.0.0.0:0").ok()?.local_addr().ok()?.port();
        TcpListener::bind(("::", port)).ok().map(|_| port)
    })
}

#[test]
fn both_families_stand_side_by_side_on_one_port() {
    let Some(port) = port_free_for_both() else {
        println!("skipped: this machine has no IPv6");
        return;
    };
    for order in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
        let mut command = ServerProcess::command();
        command.args(["--listen", &format!("{}:{port},{}:{port}", order[0], order[1])]);
        let _server = ServerProcess::spawn(command, 2);
        let over = |address: &str, nick: &str| {
            let address: SocketAddr = format!("{address}:{port}").parse().unwrap();
            let mut peer = Peer::connect(address);
            peer.send_line(nick);
            peer.line_that_starts(&format!("* you are {nick}"));
            peer
        };
        let (mut four, mut six) = (over("127.0.0.1", "four"), over("[::1]", "six"));
        four.send_line("from the old world");
        six.line_that_starts("#lobby four: from the old world");
        six.send_line("from the new one");
        four.line_that_starts("#lobby six: from the new one");
    }
}
