//! A running server that reads its file again.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::file_of;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

/// A server with a file of that text, beside what its command line says.
fn start(text: &str, args: &[&str]) -> (ServerProcess, PathBuf, TempDir) {
    let (folder, path) = file_of(text);
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0", "--config"]).arg(&path).args(args);
    (ServerProcess::spawn(command, 1), path, folder)
}

/// Writes the file anew, and waits until the log has that.
fn reload(server: &ServerProcess, path: &Path, text: &str, logged: &str) -> String {
    let before = server.log().len();
    fs::write(path, text).unwrap();
    server.signal(Signal::HUP);
    let log = wait_for(|| Some(server.log()[before..].to_owned()).filter(|it| it.contains(logged)));
    log.unwrap_or_else(|| panic!("{logged} is not in the log: {}", server.log()))
}

/// Somebody who comes, and everything up to the answer to a line that always has one.
fn told(server: &ServerProcess, nick: &str) -> (Peer, String) {
    let mut peer = server.connect();
    peer.send_line(nick);
    peer.send_line(&format!("@{nick} that is all"));
    let mut told = String::new();
    loop {
        let line = peer.line().expect("the connection stays");
        if line.ends_with("that is all") {
            return (peer, told);
        }
        told += &format!("{line}\n");
    }
}

#[test]
fn what_is_live_is_applied_and_the_rest_is_told() {
    let (server, path, _folder) = start("name-chars = 9\nmotd = 'first'\n", &["--rooms", "7"]);
    let (mut alice, seen) = told(&server, "alice");
    assert!(seen.ends_with("\n* first\n"), "{seen}");
    let text = "name-chars = 5\nmotd = 'second'\nlobby = 'foyer'\nrooms = 9\npace = 'off'\n";
    let log = reload(&server, &path, text, "key=motd");
    for line in [
        "INFO event=config_read changes=4",
        "INFO event=config_needs_restart key=lobby old=lobby new=foyer",
        "INFO event=config_changed key=name-chars old=9 new=5",
        "INFO event=config_changed key=pace old=100 new=off",
        "INFO event=config_changed key=motd old=first new=second",
    ] {
        let log = wait_for(|| Some(server.log()).filter(|log| log.contains(line)));
        assert!(log.is_some(), "{line} is not in the log: {}", server.log());
    }
    // A flag is stronger than the file, and nobody has lost the connection.
    assert!(!log.contains("key=rooms "), "{log}");
    alice.send_line("/nick alicia");
    assert!(alice.line_that_starts("! name-invalid").contains('5'));
    let (_bob, seen) = told(&server, "bob");
    assert!(seen.contains("in #lobby with alice") && seen.ends_with("\n* second\n"), "{seen}");
}

#[test]
fn a_log_that_becomes_quiet_says_so_and_one_that_is_quiet_tells_who_is_refused() {
    let (server, path, _folder) = start("name-chars = 9\n", &[]);
    reload(&server, &path, "quiet = true\npace = 7\n", "event=config_changed key=quiet");
    assert!(server.log().contains("event=config_changed key=pace old=100 new=7"));
    let log = reload(&server, &path, "quiet = true\npaec = 7\n", "event=config_kept");
    assert!(!log.contains("INFO"), "{log}");
    let mut browser = server.connect();
    browser.send(b"GET / HTTP/1.1\r\n\r\n");
    browser.rest();
    let is_told = || server.log().contains("WARN event=wrong_protocol peer=").then_some(());
    assert!(wait_for(is_told).is_some(), "{}", server.log());
    let log = reload(&server, &path, "pace = 8\n", "event=config_changed key=quiet");
    assert!(log.contains("INFO event=config_changed key=pace old=7 new=8"), "{log}");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let (server, path, _folder) = start("name-chars = 9\n", &[]);
    let text = "name-chars = 5\npaec = 7\n";
    let log = reload(&server, &path, text, "event=config_kept");
    let expected = format!("{}:2: there is no 'paec', but there is pace", path.display());
    assert!(log.contains("WARN") && log.contains(&expected), "{log}");
    let (mut alice, _) = told(&server, "alicia");
    fs::remove_file(&path).unwrap();
    server.signal(Signal::HUP);
    let count = || server.log().matches("event=config_kept").count();
    assert!(wait_for(|| (count() == 2).then_some(())).is_some(), "{}", server.log());
    alice.send_line("/nick alexandra");
    alice.line_that_starts("* you are alexandra now");
    reload(&server, &path, "name-chars = 5\n", "event=config_changed key=name-chars old=9 new=5");
}

#[test]
fn the_log_level_is_applied() {
    let (server, path, _folder) = start("quiet = true\n", &[]);
    let greeted = || {
        let mut peer = server.connect();
        peer.line_that_starts("* chatline");
        peer
    };
    let first = greeted();
    reload(&server, &path, "verbose = 1\n", "key=verbose");
    let second = greeted();
    let line = |peer: &Peer| format!("event=connected peer={} ", peer.address());
    let is_logged = |peer: &Peer| server.log().contains(&line(peer));
    assert!(wait_for(|| is_logged(&second).then_some(())).is_some(), "{}", server.log());
    assert!(!is_logged(&first), "{}", server.log());
}

#[test]
fn what_the_console_has_said_of_the_log_holds_until_the_file_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let console = folder.path().join("console");
    let text = "quiet = true\n";
    let (server, path, _folder) = start(text, &["--admin", console.to_str().unwrap()]);
    let answer = |order: &str| {
        let mut console = Peer::at_console(&console);
        console.line_that_starts("* chatline ");
        console.send_line(order);
        console.line().unwrap()
    };
    // Whether a line of the grade that is off by default is logged.
    let shows_connections = || {
        let mut peer = server.connect();
        peer.line_that_starts("* chatline");
        // A warning comes behind it, if it comes.
        let from = format!("event=connected peer={} ", peer.address());
        fs::write(&path, "paec = 1\n").unwrap();
        let count = server.log().matches("event=config_kept").count();
        server.signal(Signal::HUP);
        let is_over = || server.log().matches("event=config_kept").count() > count;
        wait_for(|| is_over().then_some(())).expect("the file is wrong");
        fs::write(&path, text).unwrap();
        server.log().contains(&from)
    };
    assert!(!shows_connections());
    assert_eq!(answer("/log debug"), "* the log shows debug from now on");
    assert_eq!(answer("/reload"), "* the configuration is as it was");
    assert!(shows_connections(), "{}", server.log());
    fs::write(&path, "quiet = false\n").unwrap();
    assert_eq!(answer("/reload"), "* quiet is false now, and was true");
    assert!(!shows_connections(), "{}", server.log());
}

#[test]
fn the_console_says_where_the_environment_has_decided_what_is_logged() {
    let folder = tempfile::tempdir().unwrap();
    let console = folder.path().join("console");
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0", "--admin"]).arg(&console).env("RUST_LOG", "info");
    let _server = ServerProcess::spawn(command, 1);
    let mut console = Peer::at_console(&console);
    console.send_line("/log debug");
    let told = console.line_that_starts("* the log shows debug ");
    assert!(told.contains("no more than RUST_LOG lets through"), "{told}");
}

#[test]
fn without_a_file_there_is_nothing_to_read() {
    let mut server = ServerProcess::start(&[]);
    server.signal(Signal::HUP);
    let log = wait_for(|| Some(server.log()).filter(|it| it.contains("event=config_absent")));
    assert!(log.is_some(), "{}", server.log());
    server.person("alice");
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn an_operator_whom_nobody_can_be_is_told() {
    let place = tempfile::tempdir().unwrap();
    let console = place.path().join("console");
    let args = ["--admin", console.to_str().unwrap()];
    let (server, path, _folder) = start("operators = ['ann', 'Bob']\n", &args);
    let count = |log: &str| log.matches("event=operator_unknown").count();
    let log = wait_for(|| Some(server.log()).filter(|log| count(log) == 2));
    let log = log.unwrap_or_else(|| panic!("it is not in the log: {}", server.log()));
    for line in ["WARN event=operator_unknown name=ann", "WARN event=operator_unknown name=bob"] {
        assert!(log.contains(line), "{line} is not in the log: {log}");
    }
    let text = "operators = ['cat']\n";
    let log = reload(&server, &path, text, "event=config_changed key=operators");
    assert!(log.contains("WARN event=operator_unknown name=cat"), "{log}");
    let mut console = Peer::at_console(&console);
    console.send_line("/reload");
    console.line_that_starts("* cat is an operator whom nobody can be: no account has that name");
    assert_eq!(count(&log), 1, "{log}");
}
