//! InspIRCd 3, and the part of IRC (RFC 2812) that the workloads need.
//!
//! Promises: no line is delayed, dropped or answered with a disconnection for its rate, and no
//! address is looked up. A line is not echoed to who said it: a room of ten has nine readers.
//! Deliberately no capabilities (IRCv3) and no modules beyond InspIRCd's core.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{configuration, installed, program, quiet};
use crate::dialect::Dialect;

const NAME: &str = "inspircd";

/// Whether the server can be started here.
pub fn is_installed() -> bool {
    program(NAME).is_some()
}

/// How it is spoken to.
pub fn dialect() -> Box<dyn Dialect> {
    Box::new(Irc)
}

/// The server in the foreground on 127.0.0.1:`port`, with its configuration in `dir`, which must
/// be fresh and on a file system that programs can be run from. It raises its descriptor limit to
/// the hard one by itself.
pub fn start(dir: &Path, port: u16) -> Command {
    // Debian's AppArmor profile confines the program at its own path to /etc/inspircd.
    let copy = dir.join(NAME);
    fs::copy(installed(NAME), &copy).expect("the server's folder is fresh and can be written to");
    let mut command = quiet(copy);
    command
        .args(["--nofork", "--nolog", "--nopid", "--runasroot", "--config"])
        .arg(configuration(dir, &settings(port)));
    command
}

/// See `inspircd.conf.example` of the package. The threshold counts commands, and what it is
/// compared with counts thousandths of them in 32 bits: four million is as far as it goes, and the
/// command rate takes all of them back each second. What one read leaves behind waits for the next
/// event on any connection, or for a second: the read buffer is as large as it may be.
fn settings(port: u16) -> String {
    format!(
        r#"<server name="irc.local" description="bench" network="bench">
<bind address="127.0.0.1" port="{port}" type="clients">
<connect name="everybody" allow="*"
    timeout="1h" pingfreq="1d"
    threshold="4000000" commandrate="4000000000" fakelag="no"
    recvq="1G" softsendq="1024G" hardsendq="1024G"
    limit="100000" localmax="100000" globalmax="100000" maxconnwarn="no" maxchans="100000"
    resolvehostnames="no" useident="no">
<performance somaxconn="4096" netbuffersize="65534" quietbursts="yes">
<whowas groupsize="0" maxgroups="0">
"#
    )
}

struct Irc;

impl Dialect for Irc {
    fn log_in(&self, n: usize) -> Vec<u8> {
        format!("NICK u{n}\r\nUSER u 0 * :u\r\n").into_bytes()
    }

    // The number of this answer, 422, may also be the number of users in one before it.
    fn logged_in(&self) -> Option<&'static [u8]> {
        Some(b" :Message of the day file is missing.")
    }

    fn join(&self, room: usize) -> Vec<u8> {
        format!("JOIN #r{room}\r\n").into_bytes()
    }

    fn joined(&self) -> &'static [u8] {
        b" 366 "
    }

    // Everybody in the room is told of a PART in the same words; the answer to PING is one's own.
    fn leave(&self, room: usize) -> Vec<u8> {
        format!("PART #r{room}\r\nPING left\r\n").into_bytes()
    }

    fn left(&self) -> &'static [u8] {
        b" PONG "
    }

    fn say(&self, room: usize, payload: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(format!("PRIVMSG #r{room} :").as_bytes());
        out.extend_from_slice(payload);
        out.extend_from_slice(b"\r\n");
    }
}
