//! Redis 7 as a server of channels, and the part of its protocol (RESP2) that the workloads need.
//!
//! Promises: nothing is written to a disk, and no client is closed for what it did not read. Who
//! is subscribed cannot publish, so speakers are connections of their own, each line of theirs is
//! answered with the number of its readers, and everybody in a room reads it. Deliberately no
//! RESP3, where one connection could do both: its clients publish and subscribe apart as well.

use std::path::Path;
use std::process::Command;

use super::{configuration, installed, program, quiet};
use crate::dialect::Dialect;

const NAME: &str = "redis-server";

/// Whether the server can be started here.
pub fn is_installed() -> bool {
    program(NAME).is_some()
}

/// How it is spoken to.
pub fn dialect() -> Box<dyn Dialect> {
    Box::new(Redis)
}

/// The server in the foreground on 127.0.0.1:`port`, with its configuration in `dir`. Where the
/// descriptor limit is lower than the clients it may have and 32, it takes as many as fit.
pub fn start(dir: &Path, port: u16) -> Command {
    let mut command = quiet(installed(NAME));
    command.arg(configuration(dir, &settings(port))).current_dir(dir);
    command
}

/// See `redis.conf` of the package.
fn settings(port: u16) -> String {
    format!(
        r#"bind 127.0.0.1
port {port}
daemonize no
loglevel warning
save ""
appendonly no
maxclients 101000
tcp-backlog 4096
timeout 0
tcp-keepalive 0
client-output-buffer-limit normal 0 0 0
client-output-buffer-limit pubsub 0 0 0
"#
    )
}

struct Redis;

impl Dialect for Redis {
    fn log_in(&self, _: usize) -> Vec<u8> {
        Vec::new()
    }

    fn logged_in(&self) -> Option<&'static [u8]> {
        None
    }

    fn join(&self, room: usize) -> Vec<u8> {
        command("SUBSCRIBE", room)
    }

    fn joined(&self) -> &'static [u8] {
        b"\r\nsubscribe\r\n"
    }

    fn leave(&self, room: usize) -> Vec<u8> {
        command("UNSUBSCRIBE", room)
    }

    fn left(&self) -> &'static [u8] {
        b"\r\nunsubscribe\r\n"
    }

    fn say(&self, room: usize, payload: &[u8], out: &mut Vec<u8>) {
        let channel = channel(room);
        let (name, length) = (channel.len(), payload.len());
        out.extend_from_slice(
            format!("*3\r\n$7\r\nPUBLISH\r\n${name}\r\n{channel}\r\n${length}\r\n").as_bytes(),
        );
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }

    fn speaks_apart(&self) -> bool {
        true
    }
}

fn channel(room: usize) -> String {
    format!("r{room}")
}

/// A command about one channel, as an array of two bulk strings.
fn command(verb: &str, room: usize) -> Vec<u8> {
    let channel = channel(room);
    format!("*2\r\n${}\r\n{verb}\r\n${}\r\n{channel}\r\n", verb.len(), channel.len()).into_bytes()
}
