//! Stopping: one whole line for everybody, then the end, exit code 0 and a free port.

use rustix::process::Signal;

use crate::flags;
use crate::world::on_tcp::{Peer, ServerProcess};

/// Everybody's last line; fails unless each has one line with `bye`, whole, and then a clean end.
fn goodbyes(peers: &mut [Peer]) {
    for peer in peers {
        let seen = String::from_utf8(peer.rest()).unwrap();
        assert!(!peer.was_reset(), "a goodbye ends with an end of input: {seen}");
        assert!(seen.ends_with('\n'), "{seen}");
        assert_eq!(seen.lines().filter(|line| line.contains("bye")).count(), 1, "{seen}");
        let last = seen.lines().last().unwrap();
        assert!(last.starts_with("* bye") && last.contains("stopping"), "{last}");
    }
}

/// Some who have a name, and some who do not.
fn people(server: &ServerProcess) -> Vec<Peer> {
    let mut people: Vec<Peer> = (0..20).map(|n| server.person(&format!("p{n}"))).collect();
    people.extend((0..5).map(|_| server.connect()));
    let half = people.last_mut().unwrap();
    half.send(b"half a na");
    half.line_that_starts("* chatline");
    people
}

fn everybody_is_told_and_the_port_is_free(signal: Signal) {
    let mut server = ServerProcess::start(&flags("--drain-timeout 30s"));
    let port = server.address().port();
    let mut people = people(&server);
    server.signal(signal);
    goodbyes(&mut people);
    // The first server still waits for everybody to hang up.
    let mut command = ServerProcess::command();
    command.args(["--listen", &port.to_string()]);
    let mut second = ServerProcess::spawn(command, 1);
    second.person("newcomer");
    drop(people);
    assert_eq!(server.wait().code(), Some(0));
    // Now the connections of the first are in TIME-WAIT, and those of the second too.
    second.stop();
    assert_eq!(second.wait().code(), Some(0));
    let mut command = ServerProcess::command();
    command.args(["--listen", &port.to_string()]);
    ServerProcess::spawn(command, 1).person("another");
}

#[test]
fn sigterm_says_goodbye_to_everybody() {
    everybody_is_told_and_the_port_is_free(Signal::TERM);
}

#[test]
fn sigint_says_goodbye_to_everybody() {
    everybody_is_told_and_the_port_is_free(Signal::INT);
}

#[test]
fn who_does_not_hang_up_delays_a_stop_for_a_bounded_time() {
    let mut server = ServerProcess::start(&flags("--drain-timeout 500ms"));
    let _people = people(&server);
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let mut server = ServerProcess::start(&flags("--drain-timeout 60s"));
    let mut people = people(&server);
    server.stop();
    goodbyes(&mut people);
    server.signal(Signal::INT);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn lines_that_wait_for_their_pace_are_said_at_a_stop() {
    // More than one turn says at once, where a turn says no more than a quarter of a queue.
    let text = "x".repeat(2000);
    let mut server = ServerProcess::start(&flags("--pace 1 --burst 1 --queue-bytes 16KiB"));
    let (mut bystander, mut alice) = (server.person("bystander"), server.person("alice"));
    alice.send(&crate::lines(0..5, &text));
    alice.line_that_starts("* you send faster than 1 line a second");
    server.stop();
    for n in 0..5 {
        assert_eq!(bystander.line_that_starts("#"), format!("#lobby alice: {n} {text}"));
    }
    let rest = [&mut bystander, &mut alice].map(|peer| String::from_utf8(peer.rest()).unwrap());
    for (seen, nick) in rest.iter().zip(["bystander", "alice"]) {
        assert_eq!(seen.lines().count(), 1, "{seen}");
        assert!(seen.starts_with(&format!("* bye, {nick}: ")), "{seen}");
    }
    drop((bystander, alice));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn a_pipe_that_waits_for_its_pace_is_said_at_a_stop() {
    const LINES: usize = 20_000;
    let mut server = ServerProcess::start(&flags("--pace 1 --burst 1"));
    let (mut bystander, mut alice) = (server.person("bystander"), server.person("alice"));
    alice.send(&crate::lines(0..LINES, "of a pipe, ended"));
    alice.end();
    alice.line_that_starts("* you send faster than 1 line a second");
    server.stop();
    for n in 0..LINES {
        let said = format!("#lobby alice: {n} of a pipe, ended");
        assert_eq!(bystander.line_that_starts("#"), said);
    }
    drop((bystander, alice));
    assert_eq!(server.wait().code(), Some(0));
}
