//! The operator's socket: who may connect, what is left of it, and what a console cannot do to the
//! server.

use std::collections::BTreeSet;
use std::env;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use socket2::{Domain, SockAddr, Socket, Type};

use crate::flags;
use crate::world::PATIENCE;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

/// A console that has been greeted.
fn console(server: &ServerProcess) -> Peer {
    console_at(&server.console_path())
}

fn console_at(path: &Path) -> Peer {
    let mut console = Peer::at_console(path);
    console.line_that_starts("* chatline ");
    console
}

fn answers(server: &ServerProcess, orders: &str) -> Vec<String> {
    answers_at(&server.console_path(), orders)
}

/// All that a console is told from one script, its greeting left out.
pub fn answers_at(path: &Path, orders: &str) -> Vec<String> {
    let mut console = console_at(path);
    console.send(orders.as_bytes());
    console.end();
    let text = String::from_utf8(console.rest()).unwrap();
    assert!(!console.was_reset() && text.ends_with("* bye\n"), "{text}");
    text.lines().map(str::to_owned).collect()
}

/// A server at this console, that ends by itself: what it complained of.
fn complaint(path: &Path) -> String {
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0", "--admin"]).arg(path);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let status = wait_for(|| child.try_wait().unwrap());
    let is_over = status.is_some();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(is_over && status.unwrap().code() == Some(1), "it runs: {text}");
    text
}

#[test]
fn the_socket_is_its_owners_alone_and_goes_with_the_server() {
    let mut server = ServerProcess::start(&[]);
    let path = server.console_path();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let mut console = console(&server);
    server.stop();
    console.line_that_starts("* bye: the server is stopping");
    assert_eq!(server.wait().code(), Some(0));
    assert!(!path.exists(), "the file goes with the server");
}

#[test]
fn what_a_dead_server_left_is_replaced_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console");
    let left = UnixListener::bind(&path).unwrap();
    assert!(complaint(&path).contains("a server listens there"), "it listens");
    drop(left);
    let start = || {
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0", "--admin"]).arg(&path);
        ServerProcess::spawn(command, 1)
    };
    let mut server = start();
    Peer::at_console(&path).line_that_starts("* chatline ");
    assert!(complaint(&path).contains("a server listens there"));
    Peer::at_console(&path).line_that_starts("* chatline ");

    // What somebody else has put in its place is not removed.
    fs::remove_file(&path).unwrap();
    fs::write(&path, "mine").unwrap();
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    assert!(complaint(&path).contains("no socket"));

    let long = folder.path().join("x".repeat(200));
    assert!(complaint(&long).contains("too long"));
    let nowhere = folder.path().join("no/console");
    assert!(complaint(&nowhere).contains("cannot open the console"));
}

#[test]
fn a_server_that_hangs_is_found_to_listen() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console");
    let address = SockAddr::unix(&path).unwrap();
    let unix = || Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    let hung = unix();
    hung.bind(&address).unwrap();
    hung.listen(1).unwrap();
    // Whoever comes next would wait, since it lets nobody in.
    let mut waiting = Vec::new();
    loop {
        let socket = unix();
        socket.set_nonblocking(true).unwrap();
        if socket.connect(&address).is_err() {
            break;
        }
        waiting.push(socket);
    }
    assert!(complaint(&path).contains("a server listens there"));
}

#[test]
fn a_script_is_answered_whole_and_said_goodbye() {
    let server = ServerProcess::start(&[]);
    let (mut alice, _bob) = (server.person("alice"), server.person("bob"));
    alice.send_line("/json");
    alice.line_that_starts("{");
    let told = answers(&server, "/conns\n\n/rooms\r\n/conns 127.0.0.0/8\n/conns ::1");
    let heads: Vec<&str> = told[..told.len() - 2]
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|it| it.0)
        .collect();
    assert_eq!(heads, ["* 2 connections", "* 1 room", "* 2 connections"], "{told:?}");
    assert!(told[1].ends_with(" json") && told[2].ends_with(" lines"), "{told:?}");
    assert!(told[1].contains(&alice.address().to_string()), "{told:?}");
    let [.., refused, bye] = &told[..] else { panic!("{told:?}") };
    assert!(refused.starts_with("! no-such-user nobody here is ::1:"), "{refused}");
    assert_eq!(bye, "* bye");
}

#[test]
fn the_figures_are_those_that_are_documented() {
    let server = ServerProcess::start(&[]);
    let _alice = server.person("alice");
    let told = answers(&server, "/stats\n");
    let figures = told.iter().filter_map(|line| line.strip_prefix("* ")?.split_once(": "));
    let shown: BTreeSet<String> = figures.map(|(name, _)| name.to_owned()).collect();
    let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/protocol.md")).unwrap();
    let table = page.split("| figure | is |\n").nth(1).expect("there is a table of figures");
    let rows = table.lines().skip(1).map_while(|row| row.strip_prefix("| `")?.split_once("` |"));
    let names = rows.flat_map(|(names, _)| names.split("`, `"));
    let listed: BTreeSet<String> = names.map(str::to_owned).collect();
    assert_eq!(shown, listed);
    for figure in ["people: 1", "connections: 1 (1 lines)", "lines in: 1", "refusals: 0"] {
        assert!(told.contains(&format!("* {figure}")), "{figure}: {told:?}");
    }
}

#[test]
fn garbage_and_long_lines_are_refused_and_the_console_goes_on() {
    let server = ServerProcess::start(&[]);
    let mut console = console(&server);
    console.send(&[&[b'x'; 1 << 20][..], b"\n"].concat());
    assert!(console.line().unwrap().starts_with("! line-too-long "));
    console.send(b"\x80\x81\x00\x1b[2J\n\xff\xf4\xff\xfd\x06/rooms \n");
    let refused = console.line().unwrap();
    assert!(refused.starts_with("! unknown-command ") && !refused.contains('\u{1b}'), "{refused}");
    console.line_that_starts("* 1 room");
    let long = "/".to_owned() + &"y".repeat(4000);
    console.send_line(&long);
    let refused = console.line_that_starts("! unknown-command no /yyy");
    assert!(refused.len() < 200, "{refused}");
    console.send(b"/rooms");
    console.end();
    console.line_that_starts("* #lobby ");
    assert_eq!(console.line().as_deref(), Some("* bye"));
}

#[test]
fn who_has_no_name_is_kicked_by_id() {
    let server = ServerProcess::start(&[]);
    let (mut alice, mut nameless) = (server.person("alice"), server.connect());
    nameless.line_that_starts("* chatline");
    let told = answers(&server, "/conns\n");
    let id_of = |address: String| {
        let row = told.iter().find(|row| row.contains(&address)).expect("it is listed");
        row.split_whitespace().nth(1).unwrap().to_owned()
    };
    let ids = [id_of(nameless.address().to_string()), id_of(alice.address().to_string())];
    let orders = format!("/kick {0} flood\n/kick {0}\n/kick {1} flood\n", ids[0], ids[1]);
    let told = answers(&server, &orders);
    assert_eq!(told[0], format!("* {} was kicked", ids[0]));
    assert!(told[1].starts_with("! no-such-user "), "{told:?}");
    assert!(told[2].contains("alice was kicked by the operator: flood"), "{told:?}");
    assert!(nameless.line().unwrap().starts_with("! kicked "));
    assert!(alice.line_that_starts("! kicked ").ends_with("by the operator: flood"));
    alice.rest();
}

#[test]
fn so_many_consoles_and_no_more() {
    let server = ServerProcess::start(&[]);
    let mut consoles: Vec<Peer> = (0..8).map(|_| console(&server)).collect();
    for _ in 0..12 {
        let mut ninth = Peer::at_console(&server.console_path());
        assert!(ninth.line().unwrap().starts_with("! server-full 8 consoles are open"));
        ninth.rest();
    }
    consoles.pop().unwrap().close();
    let again = wait_for(|| {
        let mut console = Peer::at_console(&server.console_path());
        console.line().filter(|line| line.starts_with("* chatline ")).map(|_| console)
    });
    again.expect("who ends makes room").send_line("quit");
    for console in &mut consoles {
        console.send_line("/rooms");
        console.line_that_starts("* #lobby ");
    }
}

#[test]
fn who_never_reads_holds_up_nobody() {
    let server = ServerProcess::start(&[]);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    let mut deaf = UnixStream::connect(server.console_path()).unwrap();
    deaf.set_nonblocking(true).unwrap();
    let orders = "/help\n".repeat(1000);
    let is_full = wait_for(|| match deaf.write(orders.as_bytes()) {
        Err(cause) if cause.kind() == ErrorKind::WouldBlock => {
            // Both buffers are full now, or will be after a turn or two.
            thread::sleep(std::time::Duration::from_millis(20));
            matches!(deaf.write(b"/"), Err(cause) if cause.kind() == ErrorKind::WouldBlock)
                .then_some(())
        }
        other => {
            other.unwrap();
            None
        }
    });
    is_full.expect("the server takes no more of who takes nothing");
    alice.send_line("hello");
    bob.line_that_starts("#lobby alice: hello");
    let told = answers(&server, "/rooms\n");
    assert_eq!(told.len(), 3, "{told:?}");
    deaf.set_nonblocking(false).unwrap();
    deaf.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut some = [0; 4096];
    deaf.read_exact(&mut some).unwrap();
    assert!(some.starts_with(b"* chatline "));
}

#[test]
fn a_shutdown_is_told_and_then_is_a_stop() {
    let mut server = ServerProcess::start(&[]);
    let mut alice = server.person("alice");
    let mut console = console(&server);
    console.send_line("/shutdown 2 a new disk");
    console.line_that_starts("* the server stops in 2 s");
    assert_eq!(alice.line().as_deref(), Some("* the server stops in 2 seconds: a new disk"));
    let mut late = server.connect();
    assert!(late.line().unwrap().starts_with("* bye: the server is stopping"));
    console.line_that_starts("* bye: the server is stopping");
    alice.line_that_starts("* bye, alice: the server is stopping");
    drop((alice, late));
    assert_eq!(server.wait().code(), Some(0));
    let log =
        wait_for(|| Some(server.log()).filter(|log| log.ends_with("event=stopped\n"))).unwrap();
    let uid = rustix::process::geteuid().as_raw();
    assert!(log.contains(&format!("event=admin uid={uid} order=shutdown")), "{log}");
    assert!(log.contains("event=stopping signal=/shutdown") && !log.contains("disk"), "{log}");
}

#[test]
fn a_signal_does_not_wait_for_a_shutdown() {
    let mut server = ServerProcess::start(&[]);
    let mut alice = server.person("alice");
    assert!(answers(&server, "/shutdown 3600")[0].starts_with("* the server stops in 3600 s"));
    server.stop();
    alice.line_that_starts("* bye, alice: the server is stopping");
    drop(alice);
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_log_can_be_louder_and_softer_again() {
    let server = ServerProcess::start(&flags("-q"));
    let connected = |server: &ServerProcess| {
        let peer = server.person("somebody");
        let from = peer.address();
        peer.close();
        format!("event=connected peer={from} ")
    };
    let first = connected(&server);
    assert_eq!(answers(&server, "/log debug\n")[0], "* the log shows debug from now on");
    let second = connected(&server);
    wait_for(|| server.log().contains(&second).then_some(())).expect("the log is louder");
    answers(&server, "/log warn\n");
    let third = connected(&server);
    answers(&server, "/log debug\n");
    let fourth = connected(&server);
    wait_for(|| server.log().contains(&fourth).then_some(())).expect("it is so again");
    let log = server.log();
    assert!(!log.contains(&first) && !log.contains(&third), "{log}");
}

#[test]
fn netcat_is_the_console() {
    let server = ServerProcess::start(&[]);
    let script = format!("echo /rooms | nc -NU '{}'", server.console_path().display());
    let usage = Command::new("nc").arg("-h").output();
    let usage = usage.map(|it| [it.stdout, it.stderr].concat()).unwrap_or_default();
    let usage = String::from_utf8_lossy(&usage).into_owned();
    let knows_both = usage.contains("-N") && usage.contains("-U");
    if !knows_both && !usage.contains("OpenBSD") {
        let is_required = env::var_os("CHATLINE_CLIENTS").is_some_and(|it| it == "required");
        assert!(!is_required, "no nc here knows -N and -U");
        return eprintln!("skipped: no nc here knows -N and -U");
    }
    let output = Command::new("sh").args(["-c", &script]).output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(told.contains("\n* #lobby 0 - open 0 -\n") && told.ends_with("* bye\n"), "{told}");
}
