//! The log: nobody's words are in it, and nobody who does not read it can stop the server.

use std::io;
use std::process::Stdio;

use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::{flags, machine};

/// The command of a server that logs all there is.
fn talkative() -> std::process::Command {
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0"]).args(flags("--line-bytes 64 -vv"));
    command.env("RUST_LOG", "trace");
    command
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    machine::allow_many_descriptors();
    let (unread, log) = io::pipe().unwrap();
    let mut server = ServerProcess::spawn_writing_to([Stdio::piped(), log.into()], talkative(), 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    // Each leaves several lines in the log; a pipe holds about a thousand, the server's own queue
    // as many again.
    for round in 0..15 {
        let mut crowd: Vec<Peer> = (0..100).map(|_| server.connect()).collect();
        for peer in &mut crowd {
            assert!(peer.line().unwrap().starts_with("* chatline"));
        }
        alice.send_line(&format!("round {round}"));
        bob.line_that_starts(&format!("#lobby alice: round {round}"));
    }
    server.stop();
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
    drop(unread);
}

#[test]
fn the_log_never_holds_what_people_say() {
    const SECRET: &str = "xyzzy";
    let mut server = ServerProcess::spawn(talkative(), 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    let from = alice.address();
    let long = SECRET.repeat(20);
    for line in [
        "xyzzy",
        "/me xyzzy",
        "@bob xyzzy",
        "#lobby xyzzy",
        "/topic xyzzy",
        "/away xyzzy",
        "/join vault xyzzy",
        "/xyzzy",
        "/help xyzzy",
        "/who xyzzy",
        "/nick xyzzy!",
        "/time xyzzy",
        "#nowhere xyzzy",
        "@nobody xyzzy",
        "/topic #vault xyzzy",
        &long,
        " half xyzzy\u{7f}\u{1b}[2J",
    ] {
        alice.send_line(line);
    }
    bob.send_line("/join vault xyzzy-not");
    bob.line_that_starts("! wrong-password ");
    bob.send_line("/join vault xyzzy");
    bob.line_that_starts("* you joined #vault");
    for stranger in ["GET /xyzzy HTTP/1.1\r\n\r\n", "SSH-2.0-xyzzy\r\n", "\u{16}\u{3}\u{1}xyzzy"] {
        let mut peer = server.connect();
        peer.send(stranger.as_bytes());
        peer.rest();
    }
    alice.send(b"xyzzy, unfinished");
    alice.end();
    assert!(alice.line_that_starts("* bye").contains("alice"));
    bob.send_line("xyzzy");
    bob.reset();
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    let log = wait_for(|| Some(server.log()).filter(|log| log.ends_with("stopped\n")));
    let log = log.expect("the log is whole");
    assert!(log.contains(&format!("{from} connected")), "it is the log of all that happens: {log}");
    assert!(log.contains("TRACE") && log.contains("Http"), "{log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(told.is_empty(), "{told:?}");
}
