//! What is measured: the kinds of servers, how each is started, and how it is spoken to.
//!
//! Promises: every limit that a workload would run into is lifted. Deliberately keeps no server:
//! each run gets a fresh one.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Command;

use clap::ValueEnum;
use tempfile::TempDir;

use super::dialect::{Chatline, Dialect, Floor};
use super::peers::{irc, nats, redis};
use super::server::{Server, tied};

/// A kind of server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Subject {
    /// The bare server of this benchmark.
    Floor,
    /// The same with lines as long as those of `chatline`, which begin with room and nick.
    LongFloor,
    /// `chatline` without a lobby; nothing is kept.
    Chatline,
    /// The same, and all lines are kept, each commit on the disk; they are not indexed for
    /// searching.
    Kept,
    /// `chatline` with everybody in the lobby too; in `burst` and `rooms` only.
    Lobby,
    /// InspIRCd, a server of IRC.
    Inspircd,
    /// Redis, with its publish and subscribe.
    Redis,
    /// NATS.
    Nats,
}

impl Subject {
    /// The servers of other people.
    pub fn peers() -> [Subject; 3] {
        [Subject::Inspircd, Subject::Redis, Subject::Nats]
    }

    /// Whether it can be started here.
    pub fn is_installed(self) -> bool {
        match self {
            Subject::Floor
            | Subject::LongFloor
            | Subject::Chatline
            | Subject::Kept
            | Subject::Lobby => true,
            Subject::Inspircd => irc::is_installed(),
            Subject::Redis => redis::is_installed(),
            Subject::Nats => nats::is_installed(),
        }
    }

    /// What it is called in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Subject::Floor => "floor",
            Subject::LongFloor => "floor, long lines",
            Subject::Chatline => "chatline",
            Subject::Kept => "chatline, kept",
            Subject::Lobby => "chatline, lobby",
            Subject::Inspircd => "inspircd",
            Subject::Redis => "redis",
            Subject::Nats => "nats",
        }
    }

    /// How it is spoken to.
    pub fn dialect(self) -> Box<dyn Dialect> {
        match self {
            Subject::Floor => Box::new(Floor { prefix: b"" }),
            Subject::LongFloor => Box::new(Floor { prefix: b"#r12 u123: " }),
            Subject::Chatline | Subject::Kept | Subject::Lobby => Box::new(Chatline),
            Subject::Inspircd => irc::dialect(),
            Subject::Redis => redis::dialect(),
            Subject::Nats => nats::dialect(),
        }
    }

    /// Starts one; `chatline` is the program of that name.
    pub fn start(self, chatline: &Path) -> io::Result<Server> {
        match self {
            Subject::Floor | Subject::LongFloor => {
                let mut command = tied(std::env::current_exe()?);
                command.args(["--floor", "0"]);
                Server::start_announced(command)
            }
            Subject::Chatline => start_chatline(chatline, &["--lobby", ""], None),
            Subject::Kept => {
                let flags = ["--lobby", "", "--search", "off"];
                start_chatline(chatline, &flags, Some(tempfile::tempdir()?))
            }
            Subject::Lobby => start_chatline(chatline, &[], None),
            Subject::Inspircd => start_peer(irc::start),
            Subject::Redis => start_peer(redis::start),
            Subject::Nats => start_peer(nats::start),
        }
    }
}

/// Starts `chatline`; what is said is kept in that folder, if there is one.
fn start_chatline(program: &Path, flags: &[&str], folder: Option<TempDir>) -> io::Result<Server> {
    let mut command = tied(program);
    command.args(["--listen", "127.0.0.1:0", "--pace", "off", "--rooms", "off"]);
    command.args(["--connections-per-address", "off"]).args(flags);
    let data = folder.as_ref().map(|folder| folder.path().join("chatline.db"));
    command.arg("--data").arg(data.unwrap_or_else(|| "none".into()));
    // What happens to be set here is no part of what is measured.
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"CHATLINE_") {
            command.env_remove(name);
        }
    }
    let mut server = Server::start_announced(command)?;
    server.hold(folder);
    Ok(server)
}

fn start_peer(start: fn(&Path, u16) -> Command) -> io::Result<Server> {
    let folder = tempfile::tempdir()?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let command = start(folder.path(), address.port());
    Server::start_listening(command, address, folder)
}
