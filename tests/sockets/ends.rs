//! How a connection ends: half-closes, resets, closes with unread input; and telnet's interrupt,
//! which travels outside the band.

use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use rustix::process::Signal;

use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::{flags, lines};

/// Waits until nobody has that name any more.
fn wait_until_free(server: &ServerProcess, nick: &str) {
    let mut asker = server.connect();
    let is_free = wait_for(|| {
        asker.send_line(&format!("/who {nick}"));
        loop {
            let line = asker.line().expect("who asks stays");
            if line.starts_with("! no-such-user ") {
                return Some(());
            } else if line.starts_with(&format!("* {nick}: ")) {
                return None;
            }
        }
    });
    is_free.unwrap_or_else(|| panic!("{nick} is still here"));
}

#[test]
fn a_line_without_its_end_counts_at_a_half_close() {
    let server = ServerProcess::start(&[]);
    let mut bystander = server.person("bystander");
    let mut peer = server.connect();
    peer.send(b"alice\nfirst\nlast words");
    peer.end();
    assert_eq!(bystander.line_that_starts("#"), "#lobby alice: first");
    assert_eq!(bystander.line_that_starts("#"), "#lobby alice: last words");
    let seen = String::from_utf8(peer.rest()).unwrap();
    assert!(seen.lines().last().unwrap().starts_with("* bye, alice"), "{seen}");
}

#[test]
fn a_reset_frees_the_name_and_hurts_nobody() {
    let server = ServerProcess::start(&[]);
    let mut bystander = server.person("bystander");
    for _ in 0..5 {
        let mut rude = server.person("rude");
        rude.send_line("hello");
        bystander.line_that_starts("#lobby rude: hello");
        bystander.send_line("an answer that will never be read");
        rude.reset();
        wait_until_free(&server, "rude");
    }
    // Nor does a reset of somebody who was never read at all.
    for _ in 0..50 {
        server.connect().reset();
    }
    let mut other = server.person("other");
    other.send_line("still here?");
    bystander.line_that_starts("#lobby other: still here?");
}

/// What a peer has sent counts although its connection is broken when the server looks. The
/// process is stopped while the lines and the reset arrive; it then reads them in many turns, each
/// of which writes in vain, and keeps some of them waiting for their pace.
#[cfg(target_os = "linux")]
#[test]
fn a_failed_write_discards_no_line_that_was_received() {
    let server = ServerProcess::start(&flags("--read-bytes-per-turn 512 --pace 200 --burst 10"));
    let mut bystander = server.person("bystander");
    let mut named = server.person("named");
    crate::machine::freeze(&server);
    bystander.send_line("something that cannot be written to who is gone");
    named.send(&lines(0..100, "of one who had a name"));
    named.reset();
    let mut unnamed = server.connect();
    unnamed.send(b"unnamed\n");
    unnamed.send(&lines(0..100, "of one who was never greeted"));
    unnamed.reset();
    crate::machine::thaw(&server);
    let all_of = |nick: &str, end: &str| -> Vec<String> {
        (0..100).rev().map(|n| format!("#lobby {nick}: {n} of one who {end}")).collect()
    };
    let mut expected = [all_of("named", "had a name"), all_of("unnamed", "was never greeted")];
    while expected.iter().any(|lines| !lines.is_empty()) {
        let seen = bystander.line_that_starts("#lobby ");
        let from = expected.iter_mut().find(|lines| lines.last() == Some(&seen));
        from.unwrap_or_else(|| panic!("out of order: {seen}")).pop();
    }
}

#[test]
fn a_close_with_everything_unread_loses_nothing() {
    let server = ServerProcess::start(&[]);
    let mut bystander = server.person("bystander");
    let mut peer = server.connect();
    peer.send(b"alice\n");
    peer.send(&lines(0..100, "unheard answers"));
    // Closed with a greeting that nobody read, which is a reset.
    wait_for(|| peer.has_arrived().then_some(())).expect("a greeting");
    peer.close();
    for n in 0..100 {
        let seen = bystander.line_that_starts("#lobby ");
        assert_eq!(seen, format!("#lobby alice: {n} unheard answers"));
    }
}

#[test]
fn the_goodbye_comes_through_unread_input_every_time() {
    let server = ServerProcess::start(&[]);
    let rubbish = b"nobody reads this\n".repeat(250_000 / 18);
    for round in 0..20 {
        let mut peer = server.connect();
        peer.send(b"alice\nquit\n");
        peer.send(&rubbish);
        let seen = String::from_utf8(peer.rest()).unwrap();
        assert!(!peer.was_reset(), "round {round} ended with a reset behind {seen}");
        assert!(seen.lines().last().unwrap().starts_with("* bye, alice"), "{round}: {seen}");
    }
}

#[test]
fn who_does_not_hang_up_is_hung_up_on() {
    let server = ServerProcess::start(&flags("--drain-timeout 500ms"));
    let mut peer = server.person("alice");
    peer.send_line("quit");
    peer.line_that_starts("* bye, alice");
    // The server takes more for a while, and then no longer.
    let is_over = wait_for(|| (!peer.send_line("more")).then_some(()));
    is_over.expect("the connection is closed both ways");
}

const IAC: u8 = 255;

/// Sends what telnets send at an interrupt (RFC 854): IAC IP, then IAC with the data mark as urgent
/// data. `urgent` is the stream of `telnet`.
fn interrupt(telnet: &mut Peer, urgent: &TcpStream) {
    telnet.send(&[IAC, 244, IAC]);
    assert_eq!(socket2::SockRef::from(urgent).send_out_of_band(&[242]).unwrap(), 1);
}

#[test]
fn the_mark_of_a_telnet_interrupt_tears_no_hole() {
    let server = ServerProcess::start(&[]);
    let mut bystander = server.person("bystander");
    let stream = TcpStream::connect(server.address()).unwrap();
    let urgent = stream.try_clone().unwrap();
    let mut telnet = Peer::on(stream);
    telnet.send(b"alice\r\nhalf a li");
    telnet.line_that_starts("* you are alice");
    interrupt(&mut telnet, &urgent);
    // The pause lets the urgent byte be one of its own; then comes IAC DO TIMING-MARK (RFC 860).
    thread::sleep(Duration::from_millis(50));
    telnet.send(&[IAC, 253, 6]);
    let mut answer = Vec::new();
    let wont = [IAC, 252, 6];
    wait_for(|| {
        answer.extend(telnet.take());
        answer.windows(3).any(|bytes| bytes == wont).then_some(())
    })
    .unwrap_or_else(|| panic!("no answer to the timing mark in {answer:?}"));
    telnet.send(b"a whole line\r\n");
    assert_eq!(bystander.line_that_starts("#"), "#lobby alice: a whole line");
}

#[test]
fn what_comes_behind_urgent_data_is_read_at_once() {
    let server = ServerProcess::start(&[]);
    let mut bystander = server.person("bystander");
    let stream = TcpStream::connect(server.address()).unwrap();
    let urgent = stream.try_clone().unwrap();
    let mut telnet = Peer::on(stream);
    telnet.send(b"alice\r\n");
    telnet.line_that_starts("* you are alice");
    // Everything lies there before the server looks, and a read stops at the urgent byte.
    server.signal(Signal::STOP);
    telnet.send(b"h");
    interrupt(&mut telnet, &urgent);
    telnet.send(b"a whole line\r\n");
    server.signal(Signal::CONT);
    assert_eq!(bystander.line_that_starts("#"), "#lobby alice: a whole line");
}
