//! Real clients against the real binary: every way in which netcats and telnets end their input,
//! and what the server must make of it.
//!
//! Promises: one server per test; no assertion on time that is finer than seconds; a failure shows
//! which client it was and what it printed. A client that is missing is skipped aloud, or fails
//! the test where `CHATLINE_CLIENTS=required`. Does not test what is said, only that it arrives.

#![cfg(unix)]

#[path = "clients/listen.rs"]
mod listen;
#[path = "clients/program.rs"]
mod program;
#[path = "clients/say.rs"]
mod say;
#[path = "clients/scripts.rs"]
mod scripts;
#[path = "clients/stage.rs"]
mod stage;
#[cfg(feature = "tls")]
#[path = "clients/tls.rs"]
mod tls;
#[path = "clients/tmux.rs"]
mod tmux;
#[path = "clients/watch.rs"]
mod watch;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use program::{client, run};
use rexpect::process::WaitStatus;
use stage::{PATIENCE, Person, Server};

const AT_ONCE: Duration = Duration::ZERO;
const A_SECOND: Duration = Duration::from_secs(1);

/// Longer than the queue of a reader who is told something, and than what one read takes in.
const UNREAD_BYTES: usize = 250_000;
const GOODBYES: usize = 20;
const PIPED_LINES: usize = 10_000;

/// For clients that never end their sending: `quit` ends them.
fn ends_at_quit(words: &[&str]) {
    let server = Server::start(&[]);
    let mut bystander = server.person("bystander");
    let Some(command) = client(words, server.port()) else {
        return;
    };
    let ran = run(command, b"alice\nhello from a pipe\nquit\n", AT_ONCE);
    ran.ended().printed("* you are alice").printed("bye, alice").printed("Enter");
    bystander.sees("#lobby alice: hello from a pipe");
}

#[test]
fn openbsd_nc_ends_at_quit() {
    ends_at_quit(&["nc.openbsd", "HOST", "PORT"]);
}

#[test]
fn traditional_nc_ends_at_quit() {
    ends_at_quit(&["nc.traditional", "HOST", "PORT"]);
}

#[test]
fn curl_ends_at_quit() {
    ends_at_quit(&["curl", "-s", "telnet://HOST:PORT"]);
}

#[test]
fn unbuffered_curl_ends_at_quit() {
    ends_at_quit(&["curl", "-sN", "telnet://HOST:PORT"]);
}

/// For clients that end their sending and wait: the end of the input is as good as `quit`, and
/// the last line counts without its newline.
fn ends_at_end_of_input(words: &[&str]) {
    let server = Server::start(&[]);
    let mut bystander = server.person("bystander");
    let Some(command) = client(words, server.port()) else {
        return;
    };
    let ran = run(command, b"alice\nhello from a pipe", AT_ONCE);
    ran.ended().printed("* you are alice");
    bystander.sees("#lobby alice: hello from a pipe");
}

#[test]
fn openbsd_nc_that_half_closes_ends_by_itself() {
    ends_at_end_of_input(&["nc.openbsd", "-N", "HOST", "PORT"]);
}

#[test]
fn openbsd_nc_with_patience_zero_ends_by_itself() {
    ends_at_end_of_input(&["nc.openbsd", "-q0", "HOST", "PORT"]);
}

#[test]
fn ncat_ends_by_itself() {
    ends_at_end_of_input(&["ncat", "HOST", "PORT"]);
}

#[test]
fn busybox_nc_ends_by_itself() {
    ends_at_end_of_input(&["busybox", "nc", "HOST", "PORT"]);
}

#[test]
fn socat_ends_by_itself() {
    ends_at_end_of_input(&["socat", "-", "TCP:HOST:PORT"]);
}

#[test]
fn raw_plink_ends_by_itself() {
    ends_at_end_of_input(&["plink", "-batch", "-raw", "-P", "PORT", "HOST"]);
}

#[test]
fn telnet_plink_ends_by_itself() {
    ends_at_end_of_input(&["plink", "-batch", "-telnet", "-P", "PORT", "HOST"]);
}

/// For clients that are gone at the end of their input: all they sent is said all the same.
fn lines_arrive(words: &[&str], linger: Duration) {
    let server = Server::start(&[]);
    let mut bystander = server.person("bystander");
    let Some(command) = client(words, server.port()) else {
        return;
    };
    let said: Vec<String> = (1..=20).map(|n| format!("line {n} of a pipe")).collect();
    let input = format!("alice\n{}\n", said.join("\n"));
    let ran = run(command, input.as_bytes(), linger);
    ran.ended();
    for line in said {
        let seen = bystander.sees("#lobby alice: ");
        assert_eq!(seen, format!("#lobby alice: {line}"), "{ran}");
    }
}

#[test]
fn lines_of_an_ncat_that_only_sends_arrive() {
    lines_arrive(&["ncat", "--send-only", "HOST", "PORT"], AT_ONCE);
}

#[test]
fn lines_of_a_shell_redirection_arrive() {
    lines_arrive(&["bash", "-c", "cat > /dev/tcp/HOST/PORT"], AT_ONCE);
}

#[test]
fn lines_of_an_impatient_traditional_nc_arrive() {
    lines_arrive(&["nc.traditional", "-q0", "HOST", "PORT"], AT_ONCE);
}

#[test]
fn lines_of_a_piped_telnet_arrive() {
    lines_arrive(&["telnet", "HOST", "PORT"], A_SECOND);
}

#[test]
fn a_line_without_a_name_is_said_and_the_pipe_ends() {
    let server = Server::start(&[]);
    let mut bystander = server.person("bystander");
    let Some(command) = client(&["nc.openbsd", "-N", "HOST", "PORT"], server.port()) else {
        return;
    };
    let ran = run(command, b"#lobby build 512 is green\n", AT_ONCE);
    println!("posting one line took {:?}", ran.ended().took());
    let seen = bystander.sees("#lobby guest-");
    assert!(seen.ends_with(": build 512 is green"), "{seen}");
}

const TYPED_WITHIN_MS: Option<u64> = Some(PATIENCE.as_millis() as u64);

#[test]
fn interrupting_a_telnet_drops_the_half_line_and_nothing_else() {
    let server = Server::start(&[]);
    let mut bystander = server.person("bystander");
    let Some(command) = client(&["telnet", "HOST", "PORT"], server.port()) else {
        return;
    };
    let mut telnet = rexpect::session::spawn_command(command, TYPED_WITHIN_MS).expect("a pty");
    telnet.exp_string("* chatline").expect("a greeting");
    telnet.send_line("alice").expect("telnet takes a line");
    telnet.exp_string("* you are alice").expect("a name");
    telnet.send("half a li").expect("telnet takes half a line");
    telnet.flush().expect("telnet takes half a line");
    telnet.exp_string("half a li").expect("what is typed is shown");
    telnet.send_control('c').expect("telnet takes a key");
    telnet.exp_string("quit").expect("an answer that says how to leave");
    telnet.send_line("the next line").expect("telnet takes a line");
    assert_eq!(bystander.sees("#lobby alice"), "#lobby alice: the next line");
    bystander.types("I can read you");
    telnet.exp_string("#lobby bystander: I can read you").expect("telnet shows what comes");
    telnet.send_line("quit").expect("telnet takes a line");
    telnet.exp_string("bye, alice").expect("a goodbye");
    telnet.exp_eof().expect("telnet ends by itself");
}

#[test]
fn a_person_at_nc_is_told_to_press_enter() {
    let server = Server::start(&[]);
    let Some(command) = client(&["nc.openbsd", "HOST", "PORT"], server.port()) else {
        return;
    };
    let mut nc = rexpect::session::spawn_command(command, TYPED_WITHIN_MS).expect("a pty");
    nc.exp_string("* chatline").expect("a greeting");
    nc.send_line("alice").expect("nc takes a line");
    nc.exp_string("* you are alice").expect("a name");
    nc.send_line("quit").expect("nc takes a line");
    nc.exp_string("bye, alice").expect("a goodbye");
    nc.exp_string("Enter").expect("a word on the Enter that is still needed");
    let start = Instant::now();
    // An Enter that the server still reads and drops shows nc nothing: hence more than one.
    while nc.process().status() == Some(WaitStatus::StillAlive) {
        assert!(start.elapsed() < PATIENCE, "nc does not end, whatever is pressed");
        let _ = nc.send_line("");
        thread::sleep(Duration::from_millis(500));
    }
}

/// A name, a `quit`, and much that nobody will read behind it.
fn quit_and_rubbish() -> Vec<u8> {
    let rubbish = b"nobody reads this\n".iter().copied().cycle().take(UNREAD_BYTES);
    b"alice\nquit\n".iter().copied().chain(rubbish).collect()
}

#[test]
fn the_goodbye_survives_unread_input() {
    let server = Server::start(&[]);
    for round in 1..=GOODBYES {
        let mut stream = server.connect();
        stream.write_all(&quit_and_rubbish()).expect("the server takes what it will not read");
        let mut seen = Vec::new();
        let end = stream.read_to_end(&mut seen);
        let seen = String::from_utf8_lossy(&seen);
        assert!(end.is_ok(), "round {round} ended with {end:?} behind {seen:?}");
        assert!(seen.contains("bye, alice"), "round {round} had no goodbye: {seen:?}");
    }
}

#[test]
fn the_goodbye_survives_a_reader_who_is_late() {
    let server = Server::start(&[]);
    let mut stream = server.connect();
    stream.write_all(&quit_and_rubbish()).expect("the server takes what it will not read");
    stream.shutdown(Shutdown::Write).expect("sending can end");
    thread::sleep(A_SECOND);
    let mut seen = String::new();
    stream.read_to_string(&mut seen).expect("an end of file and no reset");
    assert!(seen.contains("bye, alice"), "{seen:?}");
}

#[test]
fn the_goodbye_survives_unread_input_through_nc() {
    for words in [&["nc.openbsd", "HOST", "PORT"][..], &["nc.openbsd", "-N", "HOST", "PORT"]] {
        let server = Server::start(&[]);
        for _ in 1..=GOODBYES {
            let Some(command) = client(words, server.port()) else {
                return;
            };
            run(command, &quit_and_rubbish(), AT_ONCE).ended().printed("bye, alice");
        }
    }
}

/// Pipes many lines through `nc -N` past a bystander, while two others talk; returns how long the
/// pipe took.
fn a_long_pipe(flags: &[&str]) -> Option<Duration> {
    let server = Server::start(flags);
    let mut bystander = server.person("bystander");
    let command = client(&["nc.openbsd", "-N", "HOST", "PORT"], server.port())?;
    let (bob, carol) = two_apart(&server);
    let over = AtomicBool::new(false);
    let ran = thread::scope(|scope| {
        let talk = scope.spawn(|| talk_until(&over, bob, carol));
        let reading = scope.spawn(move || {
            for n in 1..=PIPED_LINES {
                let seen = bystander.sees("#lobby alice: ");
                assert_eq!(seen, format!("#lobby alice: line {n}"));
            }
        });
        let lines: String = (1..=PIPED_LINES).map(|n| format!("line {n}\n")).collect();
        let ran = run(command, format!("alice\n{lines}").as_bytes(), AT_ONCE);
        let read = reading.join();
        over.store(true, Ordering::Relaxed);
        let (rounds, slowest) = talk.join().expect("two others can talk all the while");
        println!("{flags:?}: {:?}; {rounds} rounds of talk, slowest {slowest:?}", ran.took());
        assert!(read.is_ok(), "the lines did not arrive whole and in order: {ran}");
        assert!(slowest < Duration::from_secs(5), "a bystander waited {slowest:?}");
        ran
    });
    ran.ended().printed("* you are alice").printed_no_line("! ");
    Some(ran.took())
}

/// Two people in a room of their own.
fn two_apart(server: &Server) -> (Person, Person) {
    let (mut bob, mut carol) = (server.person("bob"), server.person("carol"));
    for person in [&mut bob, &mut carol] {
        person.types("/leave lobby");
        person.types("/join side");
    }
    // The answer to a whisper comes behind those to the commands: both have joined by then.
    carol.types("@bob ready");
    bob.sees("@carol: ready");
    bob.types("@carol ready");
    carol.sees("@bob: ready");
    (bob, carol)
}

/// Two people say something in turns: how often they did, and the longest wait for an answer.
fn talk_until(over: &AtomicBool, mut bob: Person, mut carol: Person) -> (usize, Duration) {
    let (mut rounds, mut slowest) = (0, Duration::ZERO);
    while !over.load(Ordering::Relaxed) {
        let start = Instant::now();
        bob.types(&format!("ping {rounds}"));
        carol.sees(&format!("#side bob: ping {rounds}"));
        carol.types(&format!("pong {rounds}"));
        bob.sees(&format!("#side carol: pong {rounds}"));
        slowest = slowest.max(start.elapsed());
        rounds += 1;
        thread::sleep(Duration::from_millis(2));
    }
    (rounds, slowest)
}

#[test]
fn a_long_pipe_arrives_whole_and_in_order() {
    a_long_pipe(&["--pace", "off"]);
}

#[test]
fn a_long_pipe_that_is_slowed_arrives_whole_and_in_order() {
    let Some(took) = a_long_pipe(&["--pace", "20000", "--burst", "100"]) else {
        return;
    };
    // All lines but the burst, at 20,000 a second, less what clocks may round off.
    assert!(took > Duration::from_millis(400), "the pace was not kept: {took:?}");
}
