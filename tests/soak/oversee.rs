//! Who looks after the server meanwhile: figures are asked for over HTTP and at the console, and
//! the configuration changes.
//!
//! Promises: each answer is whole, and comes in time; a configuration that is wrong changes
//! nothing. Deliberately no opinion on what the figures are.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::world::on_tcp::{Peer, ServerProcess};
use crate::world::rng::Rng;

/// Between two looks.
const PAUSE: Duration = Duration::from_millis(50);
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The name of the configuration file in its folder.
pub const FILE: &str = "chatline.toml";

/// Asks for the metrics again and again, until then; how often.
pub fn scrape(metrics: SocketAddr, until: Instant) -> u64 {
    let mut times = 0;
    while Instant::now() < until {
        let mut stream = TcpStream::connect_timeout(&metrics, PATIENCE).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a socket has timeouts");
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: it\r\n\r\n").expect("it takes that");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers in time");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert!(body.contains("\nchatline_") && body.ends_with('\n'), "{body}");
        times += 1;
        thread::sleep(PAUSE);
    }
    times
}

/// Asks at the console again and again, until then; how often.
pub fn ask(console: &Path, until: Instant) -> u64 {
    let mut times = 0;
    while Instant::now() < until {
        let mut peer = Peer::at_console(console);
        assert!(peer.send(b"/stats\n/conns\n"), "the console takes that");
        peer.end();
        let told = String::from_utf8(peer.rest()).expect("what is told is text");
        assert!(told.contains("\n* people: ") && told.ends_with("\n* bye\n"), "{told}");
        times += 1;
        thread::sleep(PAUSE);
    }
    times
}

/// The message of the day that stands in the file of that number.
pub fn motd(number: u64) -> String {
    format!("round {}", number % 10)
}

/// Writes a configuration of that number, which is another one than that before.
pub fn write(folder: &Path, number: u64) {
    let odd = number % 2;
    let text = format!(
        "motd = '{}'\nname-chars = {}\ndirects = {}\ntls-handshakes = {}\n",
        motd(number),
        20 + odd,
        100 + odd,
        200 + odd,
    );
    fs::write(folder.join(FILE), text).expect("there is room for it");
}

/// In the midst of what goes on until then, the server reads a configuration that is wrong, and
/// the one of that number; and its certificate.
pub fn reload(server: &ServerProcess, folder: &Path, number: u64, rng: &mut Rng, until: Instant) {
    let part = until.saturating_duration_since(Instant::now()) / 4;
    thread::sleep(part.mul_f64(rng.below(100) as f64 / 100.0));
    fs::write(folder.join(FILE), "motd = 'wrong'\nname-chars = 'many'\n").expect("there is room");
    server.signal(Signal::HUP);
    thread::sleep(part);
    write(folder, number);
    server.signal(Signal::HUP);
}

/// Panics unless a newcomer is told the message of the day of that number.
pub fn assert_read(lines: SocketAddr, number: u64) {
    let mut peer = Peer::connect(lines);
    peer.send_line("newcomer");
    peer.line_that_starts("* you are newcomer");
    assert_eq!(peer.line(), Some(format!("* {}", motd(number))), "the last configuration is read");
    peer.send_line("quit");
    peer.rest();
}
