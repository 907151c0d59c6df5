//! A service manager: it hands sockets over, is told how the server is, and finds one that hangs.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_setfd};
use tempfile::TempDir;

use crate::world::on_tcp::{Peer, ServerProcess};

/// The command of a server that finds these sockets from descriptor 3 on, under these names.
fn handed(sockets: &[&dyn AsFd], names: &str) -> Command {
    // Only descriptors of one digit may be copied in every shell; bash takes all.
    let mut script = String::new();
    for (index, socket) in sockets.iter().enumerate() {
        fcntl_setfd(socket, FdFlags::empty()).unwrap();
        script += &format!("exec {}<&{};", 100 + index, socket.as_fd().as_raw_fd());
    }
    for index in 0..sockets.len() {
        script += &format!("exec {}<&{};", 3 + index, 100 + index);
    }
    let count = sockets.len();
    script +=
        &format!("LISTEN_FDS={count} LISTEN_FDNAMES={names} LISTEN_PID=$$ exec \"$0\" \"$@\"");
    let server = ServerProcess::command();
    let mut command = Command::new("bash");
    command.arg("-c").arg(script).arg(server.get_program()).envs([("TZ", "UTC")]);
    command.env("CHATLINE_DATA", "none");
    command
}

fn listener() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

#[test]
fn sockets_that_are_handed_over_take_the_place_of_the_default() {
    let (lines, telnet) = (listener(), listener());
    let (mut alice, mut bob) =
        (Peer::connect(lines.local_addr().unwrap()), Peer::connect(telnet.local_addr().unwrap()));
    let mut server = ServerProcess::spawn(handed(&[&lines, &telnet], "lines:telnet"), 2);
    // They have waited since before there was a server.
    alice.line_that_starts("* chatline");
    // What is asked of a telnet client is no text.
    assert!(bob.line().unwrap().starts_with("\u{fffd}\u{fffd}"));
    assert_eq!(server.address(), lines.local_addr().unwrap());
    server.stop();
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn what_is_named_is_opened_beside_what_is_handed_over() {
    let lines = listener();
    let mut command = handed(&[&lines], "");
    command.args(["--listen", "127.0.0.1:0"]);
    let server = ServerProcess::spawn(command, 2);
    assert_eq!(server.address(), lines.local_addr().unwrap());
    server.person("alice");
}

#[test]
fn what_cannot_be_listened_on_is_said_at_the_start() {
    let ended = |mut command: Command| {
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let talking = TcpStream::connect(listener().local_addr().unwrap()).unwrap();
    let said = ended(handed(&[&talking], "lines"));
    assert!(said.contains("cannot take the sockets that were handed over: it does not"), "{said}");
    let mut many = Command::new("bash");
    let program = ServerProcess::command();
    many.args(["-c", "LISTEN_FDS=2000000000 LISTEN_PID=$$ exec \"$0\""]).arg(program.get_program());
    let said = ended(many);
    assert!(said.contains("LISTEN_FDS says more than 1000"), "{said}");
}

/// What the manager is told, one state each.
struct Manager {
    socket: UnixDatagram,
    folder: TempDir,
}

impl Manager {
    fn new() -> Manager {
        let folder = tempfile::tempdir().unwrap();
        let socket = UnixDatagram::bind(folder.path().join("notify")).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        Manager { socket, folder }
    }

    fn command(&self) -> Command {
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0"]);
        command.env("NOTIFY_SOCKET", self.folder.path().join("notify"));
        command
    }

    fn told(&self) -> String {
        let mut buffer = [0; 4096];
        let count = self.socket.recv(&mut buffer).expect("the manager is told something");
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    }

    /// Waits until it is told something that begins so.
    fn told_that_starts(&self, start: &str) -> String {
        loop {
            let told = self.told();
            if told.starts_with(start) {
                return told;
            }
        }
    }
}

#[test]
fn the_manager_is_told_of_the_start_and_of_the_stop() {
    let manager = Manager::new();
    let mut server = ServerProcess::spawn(manager.command(), 1);
    assert_eq!(manager.told(), "READY=1\n");
    server.stop();
    assert_eq!(manager.told(), "STOPPING=1\n");
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn the_watchdog_is_fed_also_when_nothing_happens() {
    let manager = Manager::new();
    let mut command = manager.command();
    command.env("WATCHDOG_USEC", "200000");
    let server = ServerProcess::spawn(command, 1);
    let _alice = server.person("alice");
    for _ in 0..5 {
        manager.told_that_starts("WATCHDOG=1\n");
    }
    let told = manager.told_that_starts("WATCHDOG=1\n");
    assert!(told.contains("STATUS=1 connections, 1 people, 1 rooms"), "{told}");
}

#[test]
fn a_manager_that_does_not_read_holds_up_nobody() {
    let manager = Manager::new();
    // What waits there is all that it can hold.
    let flood = UnixDatagram::unbound().unwrap();
    flood.set_nonblocking(true).unwrap();
    let path = manager.folder.path().join("notify");
    while flood.send_to(b"X=1\n", &path).is_ok() {}
    let mut command = manager.command();
    command.env("WATCHDOG_USEC", "20000");
    let server = ServerProcess::spawn(command, 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    for round in 0..20 {
        alice.send_line(&format!("hello {round}"));
        bob.line_that_starts(&format!("#lobby alice: hello {round}"));
    }
    let log = server.log();
    assert_eq!(log.matches("event=cannot_tell_manager").count(), 1, "{log}");
    // As soon as it reads, it is told.
    manager.told_that_starts("WATCHDOG=1\n");
}

#[cfg(target_os = "linux")]
#[test]
fn a_manager_may_listen_at_a_name_that_is_no_file() {
    use std::os::linux::net::SocketAddrExt;
    let name = format!("chatline-test-{}", std::process::id());
    let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0"]).env("NOTIFY_SOCKET", format!("@{name}"));
    let _server = ServerProcess::spawn(command, 1);
    let mut buffer = [0; 64];
    let count = socket.recv(&mut buffer).expect("the manager is told something");
    assert_eq!(&buffer[..count], b"READY=1\n");
}
