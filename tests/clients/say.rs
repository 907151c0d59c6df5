//! `scripts/say`, through every netcat that is here.
//!
//! Promises: what it posts arrives as it was typed, whatever it begins with; its exit code tells
//! whether it was said. Does not test the server's reasons for refusing.

use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::program::{Ran, find, installed, run};
use crate::stage::Server;

/// Runs the script with a search path that has this netcat, under this name, and no other.
fn say(netcat: &Path, called: &str, port: u16, args: &[&str], input: &str) -> Ran {
    let bin = tempfile::tempdir().expect("a directory can be made");
    for tool in ["cat", "grep", "tail", "tr"] {
        let program = find(tool).expect("every system has it");
        symlink(program, bin.path().join(tool)).expect("a link can be made");
    }
    symlink(netcat, bin.path().join(called)).expect("a link can be made");
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/say"));
    command.args(args).env("PATH", bin.path());
    command.env("CHATLINE_HOST", "127.0.0.1").env("CHATLINE_PORT", port.to_string());
    command.env_remove("CHATLINE_NAME");
    run(command, input.as_bytes(), Duration::ZERO)
}

/// The netcats that are here, each with the name that the script looks for.
fn netcats() -> Vec<(PathBuf, &'static str)> {
    let known =
        [("nc.openbsd", "nc"), ("nc.traditional", "nc"), ("ncat", "ncat"), ("busybox", "busybox")];
    known.into_iter().filter_map(|(name, called)| Some((installed(name)?, called))).collect()
}

#[test]
fn what_is_said_arrives_as_it_was_typed() {
    let typed = ["quit", "/quit", "-n", "#other x", "@bystander x", "%s \\n", "  indented", "end"];
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut bystander = server.person("bystander");
        let ran = say(&netcat, called, server.port(), &["#lobby"], &typed.join("\n"));
        ran.ended().exited(0);
        for line in typed {
            let seen = bystander.sees("#lobby guest-");
            assert!(seen.ends_with(&format!(": {line}")), "{line:?} came as {seen:?}: {ran}");
        }
        say(&netcat, called, server.port(), &["lobby", "two", "words"], "").ended().exited(0);
        let seen = bystander.sees("#lobby guest-");
        assert!(seen.ends_with(": two words"), "{seen}");
    }
}

#[test]
fn what_is_refused_is_told() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let ran = say(&netcat, called, server.port(), &["nowhere", "hello"], "");
        ran.ended().exited(1).complained("! no-such-room ");
    }
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("a listener has an address").port();
    drop(listener);
    for (netcat, called) in netcats() {
        let ran = say(&netcat, called, port, &["lobby", "hello"], "");
        ran.ended().exited(1).complained("nothing answered");
    }
}

#[test]
fn wrong_usage_is_told() {
    for args in [&[][..], &["two words"], &["-x", "hello"], &["#"]] {
        for (netcat, called) in netcats() {
            say(&netcat, called, 1, args, "").ended().exited(2).complained("usage:");
        }
    }
}
