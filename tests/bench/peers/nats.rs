//! NATS 2 as a server of subjects, and the part of its client protocol that the workloads need.
//!
//! Promises: what is not answered by itself is followed by a PING, whose answer says that it was
//! done. A line is not echoed to who said it: a room of ten has nine readers. Deliberately no
//! JetStream, no headers, and no answer to the server's own PING: it may miss them.

use std::path::Path;
use std::process::Command;

use super::{configuration, installed, program, quiet};
use crate::dialect::Dialect;

const NAME: &str = "nats-server";

/// Whether the server can be started here.
pub fn is_installed() -> bool {
    program(NAME).is_some()
}

/// How it is spoken to.
pub fn dialect() -> Box<dyn Dialect> {
    Box::new(Nats)
}

/// The server in the foreground on 127.0.0.1:`port`, with its configuration and its log in `dir`.
/// It raises its descriptor limit to the hard one by itself, and runs on as many threads as it may
/// use cores.
pub fn start(dir: &Path, port: u16) -> Command {
    let mut command = quiet(installed(NAME));
    command
        .arg("--config")
        .arg(configuration(dir, &settings(port)))
        .arg("--log")
        .arg(dir.join("log"));
    command
}

/// Sizes are in bytes.
fn settings(port: u16) -> String {
    format!(
        r#"listen: "127.0.0.1:{port}"
max_connections: 100000
max_pending: 1099511627776
write_deadline: "24h"
ping_interval: "24h"
ping_max: 100
"#
    )
}

struct Nats;

impl Dialect for Nats {
    fn log_in(&self, n: usize) -> Vec<u8> {
        let options = r#""verbose":false,"pedantic":false,"echo":false"#;
        format!("CONNECT {{{options},\"name\":\"u{n}\"}}\r\nPING\r\n").into_bytes()
    }

    fn logged_in(&self) -> Option<&'static [u8]> {
        Some(b"PONG\r\n")
    }

    fn join(&self, room: usize) -> Vec<u8> {
        format!("SUB r{room} {room}\r\nPING\r\n").into_bytes()
    }

    fn joined(&self) -> &'static [u8] {
        b"PONG\r\n"
    }

    fn leave(&self, room: usize) -> Vec<u8> {
        format!("UNSUB {room}\r\nPING\r\n").into_bytes()
    }

    fn left(&self) -> &'static [u8] {
        b"PONG\r\n"
    }

    fn say(&self, room: usize, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("PUB r{room} {}\r\n", payload.len()).as_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }
}
