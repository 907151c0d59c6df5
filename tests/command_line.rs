//! The command line: help, version, bad values, addresses that cannot be had, the environment, and
//! what is printed where; and that the scripts are what their first line says.
//!
//! Promises: exit code 0 for what was shown or stopped on demand, 1 when the machine refuses, 2 for
//! wrong flags, with one line on standard error each. Does not test what a flag does.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

#[cfg(feature = "tls")]
#[path = "command_line/certificates.rs"]
mod certificates;
mod world;

use std::fs;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use world::PATIENCE;
use world::on_tcp::{Peer, ServerProcess, wait_for};

/// No flag takes this.
const NONSENSE: &str = "no value\u{1b}[2J!";

/// Runs the binary to its end, which has to come.
fn run(args: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = ServerProcess::command();
    command.args(args).envs(variables.iter().copied());
    assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap()
}

fn shown(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// The one sentence of a run that failed with this code.
fn complaint(output: &Output, code: i32) -> String {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let sentence = text.strip_prefix("chatline: ").and_then(|text| text.strip_suffix('\n'));
    let sentence = sentence.unwrap_or_else(|| panic!("{text:?} is no complaint"));
    assert!(!sentence.contains(char::is_control), "{sentence:?}");
    sentence.to_owned()
}

/// Every flag that takes a value: its name with dashes, and its variable.
fn flags() -> Vec<(String, String)> {
    let command = chatline::config::command();
    let valued = command.get_arguments().filter(|arg| arg.get_action().takes_values());
    let flags = valued.map(|arg| {
        let variable = arg.get_env().expect("every value has a variable").to_string_lossy();
        (format!("--{}", arg.get_long().unwrap()), variable.into_owned())
    });
    flags.collect()
}

#[test]
fn help_mentions_every_flag_and_is_no_wider_than_a_terminal() {
    let help = shown(&run(&["--help"], &[("COLUMNS", "300")]));
    for line in help.lines() {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flags().len() > 15);
    for (flag, variable) in flags() {
        assert!(help.contains(&format!("{flag} <")), "{flag} is missing");
        assert!(help.contains(&format!("[env: {variable}]")), "{variable} is missing");
    }
    for flag in ["--verbose", "--quiet", "--version"] {
        assert!(help.contains(flag), "{flag} is missing");
    }
    assert!(shown(&run(&["-h"], &[])).contains("--listen"));
}

#[test]
fn the_version_is_the_crates() {
    let expected = format!("chatline {}\n", env!("CARGO_PKG_VERSION"));
    for flag in ["--version", "-V"] {
        assert_eq!(shown(&run(&[flag], &[])), expected);
    }
}

#[test]
fn a_bad_value_is_refused_in_one_sentence() {
    for (flag, variable) in flags() {
        let sentence = complaint(&run(&[&flag, NONSENSE], &[]), 2);
        assert!(sentence.starts_with(&format!("{flag} 'no value")), "{sentence}");
        let sentence = complaint(&run(&[], &[(&variable, NONSENSE)]), 2);
        let is_named = sentence.starts_with(&variable) || sentence.starts_with(&flag);
        assert!(is_named, "{sentence}");
        let sentence = complaint(&run(&[&flag], &[]), 2);
        assert!(sentence.contains(&flag), "{sentence}");
    }
}

#[test]
fn what_is_no_flag_is_refused_in_one_sentence() {
    for unknown in ["--frobnicate", "-z", "9000", "start", ""] {
        let sentence = complaint(&run(&[unknown], &[]), 2);
        assert!(sentence.contains(&format!("'{unknown}'")), "{sentence}");
        assert!(sentence.contains("chatline --help"), "{sentence}");
    }
    assert!(complaint(&run(&["--lisen", "9000"], &[]), 2).contains("--listen"));
    assert!(complaint(&run(&["-q", "-v"], &[]), 2).contains("--quiet"));
}

#[test]
fn an_address_in_use_is_told_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let sentence = complaint(&run(&["-q", "--listen", &address], &[]), 1);
    assert!(sentence.starts_with(&format!("cannot listen on {address}: ")), "{sentence}");
    assert!(sentence.contains("in use") && sentence.contains("--listen"), "{sentence}");
    // One that cannot be had spoils all: half a server would be a surprise.
    let sentence = complaint(&run(&["-q", "--listen", "0", "--listen", &address], &[]), 1);
    assert!(sentence.contains(&address), "{sentence}");
}

#[test]
fn an_address_of_another_machine_is_told_with_what_to_do() {
    // Of the block that is kept for documentation (RFC 5737).
    let sentence = complaint(&run(&["-q", "--listen", "192.0.2.1:9000"], &[]), 1);
    assert!(sentence.starts_with("cannot listen on 192.0.2.1:9000: "), "{sentence}");
    assert!(sentence.contains("listen on one that it has"), "{sentence}");
}

#[test]
fn a_port_that_takes_a_privilege_is_told_with_what_to_do() {
    let refused = TcpListener::bind("127.0.0.1:1")
        .is_err_and(|cause| cause.kind() == ErrorKind::PermissionDenied);
    if !refused {
        println!("skipped: whoever runs this may listen on every port");
        return;
    }
    let sentence = complaint(&run(&["-q", "--listen", "1"], &[]), 1);
    assert!(sentence.contains("not permitted") && sentence.contains("1024"), "{sentence}");
}

#[test]
fn the_environment_is_as_good_as_flags() {
    let mut command = ServerProcess::command();
    command.env("CHATLINE_LISTEN", "127.0.0.1:0,0").env("CHATLINE_CONNECTIONS", "1");
    command.env("CHATLINE_PACE", "off").env("CHATLINE_LOBBY", "foyer");
    let server = ServerProcess::spawn(command, 2);
    let mut peer = server.connect();
    peer.send_line("alice");
    assert!(peer.line_that_starts("* you are alice").contains("in #foyer"));
    let mut second = Peer::connect(server.addresses()[1]);
    assert!(second.line().unwrap().starts_with("! server-full "));
}

#[test]
fn a_flag_is_stronger_than_the_environment() {
    let mut command = ServerProcess::command();
    command.env("CHATLINE_LISTEN", "192.0.2.1:9000").env("CHATLINE_LOBBY", "foyer");
    command.args(["--listen", "127.0.0.1:0", "--lobby", "hall"]);
    let server = ServerProcess::spawn(command, 1);
    let mut peer = server.connect();
    peer.send_line("alice");
    assert!(peer.line_that_starts("* you are alice").contains("in #hall"));
}

/// What a server has written to standard output when it has listened and stopped.
fn said_by(listen: &[&str]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut command = ServerProcess::command();
    listen.iter().for_each(|address| {
        command.args(["--listen", address]);
    });
    let stdout = Stdio::from(file.reopen().unwrap());
    let mut server = ServerProcess::spawn_writing_to([stdout, Stdio::piped()], command, 0);
    wait_for(|| server.log().contains("event=started ").then_some(())).expect("it starts");
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    fs::read_to_string(file.path()).unwrap()
}

#[test]
fn the_first_words_are_where_it_listens() {
    for listen in [&["127.0.0.1:0"][..], &["0"], &["0", "127.0.0.1:0", "0"]] {
        let text = said_by(listen);
        let mut ports = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with(' ')) {
            let address = line.strip_prefix("listening on ").expect("nothing else is printed");
            let address: SocketAddr = address.parse().expect("the line ends with the address");
            assert!(address.ip().is_loopback() && address.port() != 0);
            ports.push(address.port());
        }
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), listen.len(), "one line and one port for each listener: {text}");
        assert!(text.starts_with("listening on "), "{text}");
        assert!(text.contains("open it:  --listen 0.0.0.0:"), "{text}");
    }
}

#[test]
fn a_configuration_is_checked_without_a_server() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().to_str().unwrap();
    fs::write(path, "pace = 50\n").unwrap();
    let text = shown(&run(&["check-config"], &[("CHATLINE_CONFIG", path)]));
    assert!(text.starts_with("the configuration is good\n"), "{text}");
    assert!(text.contains(&format!("  pace = 50   ({path}:1)\n")), "{text}");
    assert!(text.contains("  data = none   (CHATLINE_DATA)\n"), "{text}");
    fs::write(path, "pace = 'fast'\n").unwrap();
    for args in [&["check-config", "--config", path][..], &["--config", path]] {
        let sentence = complaint(&run(args, &[]), 2);
        assert!(sentence.starts_with(&format!("{path}:1: pace 'fast': wanted is ")), "{sentence}");
    }
}

#[test]
#[cfg(feature = "tls")]
fn a_certificate_is_checked_as_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let run = |args: &[&str]| {
        let mut command = ServerProcess::command();
        command.current_dir(folder.path()).args(args).output().unwrap()
    };
    let check = ["--tls-listen", "29443", "check-config"];
    let sentence = complaint(&run(&check), 2);
    assert!(sentence.starts_with("--tls-cert chatline.crt: there is no such file"), "{sentence}");
    shown(&run(&["cert", "localhost"]));
    assert!(shown(&run(&check)).starts_with("the configuration is good\n"));
    shown(&run(&["cert", "localhost", "--cert", "other.crt", "--key", "other.key"]));
    let other = [&["--tls-key", "other.key"][..], &check].concat();
    let sentence = complaint(&run(&other), 2);
    assert!(sentence.contains("it does not belong to the certificate"), "{sentence}");
}

#[test]
fn a_variable_that_nobody_reads_is_told() {
    let text = shown(&run(&["check-config"], &[("CHATLINE_PAEC", "7")]));
    assert!(
        text.ends_with("\n  nobody reads CHATLINE_PAEC; did you mean CHATLINE_PACE?\n"),
        "{text}"
    );
    let mut command = ServerProcess::command();
    command.args(["--listen", "0"]).env("CHATLINE_PAEC", "7");
    let server = ServerProcess::spawn(command, 1);
    let line = "WARN event=variable_unread name=CHATLINE_PAEC meant=CHATLINE_PACE\n";
    wait_for(|| server.log().contains(line).then_some(())).expect("the log has it");
}

#[test]
fn a_switch_says_what_its_variable_takes() {
    let sentence = complaint(&run(&[], &[("CHATLINE_PRIVATE", "maybe")]), 2);
    assert!(
        sentence.starts_with("CHATLINE_PRIVATE 'maybe': wanted is true or false"),
        "{sentence}"
    );
}

#[test]
fn man_pages_and_completions_are_written() {
    assert!(shown(&run(&["man"], &[])).contains(".TH chatline 1"));
    assert!(shown(&run(&["completions", "bash"], &[])).contains("--connections-per-address"));
}

/// Where a server listens that cannot say so on standard output.
fn logged_address(server: &ServerProcess) -> SocketAddr {
    let found = wait_for(|| {
        let log = server.log();
        let (_, rest) = log.split_once(" listen=")?;
        rest.split_once(' ')?.0.parse().ok()
    });
    found.unwrap_or_else(|| panic!("no address in the log: {}", server.log()))
}

#[test]
fn a_standard_output_that_is_no_good_ends_nothing() {
    let (reader, broken) = io::pipe().unwrap();
    drop(reader);
    let full = fs::OpenOptions::new().write(true).open("/dev/full");
    let mut outputs = vec![("broken", Stdio::from(broken))];
    outputs.extend(full.ok().map(|full| ("full", Stdio::from(full))));
    for (what, stdout) in outputs {
        let mut command = ServerProcess::command();
        command.args(["--listen", "0"]);
        let server = ServerProcess::spawn_writing_to([stdout, Stdio::piped()], command, 0);
        let mut peer = Peer::connect(logged_address(&server));
        assert!(peer.line().unwrap().starts_with("* chatline"), "{what}");
    }
}

#[test]
fn a_standard_output_that_is_closed_ends_nothing() {
    let mut command = ServerProcess::command_through("exec \"$0\" \"$@\" >&-");
    command.args(["--listen", "0"]);
    let mut server = ServerProcess::spawn(command, 0);
    let mut peer = Peer::connect(logged_address(&server));
    peer.send_line("quit");
    peer.line_that_starts("* bye");
    assert!(!String::from_utf8_lossy(&peer.rest()).contains("listening"));
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
}

fn scripts() -> Vec<PathBuf> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts");
    let scripts = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    // What is for another program has an ending, and is not run.
    scripts.filter(|script| script.extension().is_none()).collect()
}

#[test]
fn every_script_is_a_shell_script_without_fault() {
    assert!(scripts().len() >= 3);
    for script in scripts() {
        let text = fs::read_to_string(&script).unwrap();
        assert!(text.starts_with("#!/bin/sh\n# "), "{script:?} does not say what it is");
        let checked = Command::new("sh").arg("-n").arg(&script).output().unwrap();
        assert!(checked.status.success() && checked.stderr.is_empty(), "{checked:?}");
        let mode = fs::metadata(&script).unwrap().permissions().mode();
        assert_eq!(mode & 0o111, 0o111, "{script:?} cannot be run");
    }
}

#[test]
fn scripts_explain_themselves() {
    for (script, usage) in [
        ("say", "usage: say [--block] [--json] ROOM [TEXT...]"),
        ("listen", "usage: listen "),
        ("watch", "usage: watch "),
    ] {
        let path = format!("{}/scripts/{script}", env!("CARGO_MANIFEST_DIR"));
        for flag in ["--help", "-h"] {
            let text = shown(&Command::new(&path).arg(flag).output().unwrap());
            assert!(text.starts_with(usage), "{text}");
        }
    }
}
