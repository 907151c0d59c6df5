//! Bans and mutes in the file: what a killed server has kept of them, and who stays out after that.

use rustix::process::Signal;

use crate::database::{Database, Folder};
use crate::tools::printed;
use crate::world::on_tcp::{Peer, ServerProcess};

const PASSWORD: &str = "correct-horse";

fn logged_in(server: &ServerProcess, name: &str) -> Peer {
    let mut peer = server.connect();
    peer.send_line(&format!("/login {name} {PASSWORD}"));
    peer.line_that_starts(&format!("* you are {name}"));
    peer
}

/// A peer who comes from another address of this machine than the usual one. Elsewhere than on
/// Linux that is not this machine's.
#[cfg(target_os = "linux")]
fn connect_from_elsewhere(server: &ServerProcess) -> Peer {
    use socket2::{Domain, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 2], 0)).into()).unwrap();
    socket.connect(&server.address().into()).unwrap();
    Peer::on(socket.into())
}

/// A server whose operator alice is.
fn server_of_alice(folder: &Folder) -> (ServerProcess, Peer) {
    let mut server = folder.server("--sync process");
    let mut alice = server.person("alice");
    alice.send_line(&format!("/register {PASSWORD}"));
    alice.line_that_starts("* alice is yours now");
    server.stop();
    drop(alice);
    assert_eq!(server.wait().code(), Some(0));
    let server = folder.server("--sync process --operators alice");
    let alice = logged_in(&server, "alice");
    (server, alice)
}

#[test]
fn who_is_banned_or_muted_is_so_after_a_kill_until_that_ends() {
    let folder = Folder::new();
    let (mut server, mut alice) = server_of_alice(&folder);
    let mut bob = server.person("bob");
    bob.send_line("/register battery-staple\n/join dev");
    bob.line_that_starts("* you made #dev");
    let _carol = server.person("carol");
    alice.send_line("/ban #dev carol xyzzy\n/mute * bob 1h\n/ban #dev dave 1s\n/ban * erin 1h");
    alice.line_that_starts("* erin was banned by alice until ");
    alice.send_line("/announce plugh");
    alice.line_that_starts("* announcement by alice: plugh");
    server.signal(Signal::KILL);
    server.wait();
    let log = server.log();
    for deed in [
        " act=ban room=#dev target=carol by=alice end=never\n",
        " act=mute room=* target=bob by=alice end=2",
        " act=announce room=* target=- by=alice\n",
    ] {
        assert!(log.contains(deed), "{deed} {log}");
    }
    assert!(!log.contains("xyzzy"), "a reason is nobody's but theirs who are told: {log}");
    assert!(!log.contains("plugh"), "nor is what was announced: {log}");
    let file = Database::own(&folder.path());
    file.expect_sound();
    let rows = file.texts("SELECT kind || ' ' || nick FROM sanctions ORDER BY nick");
    assert_eq!(rows, ["mute bob", "ban carol", "ban dave", "ban erin"]);
    drop(file);
    std::thread::sleep(std::time::Duration::from_millis(1_100));

    let mut server = folder.server("--sync process --operators alice");
    let mut bob = server.connect();
    bob.send_line("/login bob battery-staple\n#dev hello");
    bob.line_that_starts("! muted you were muted by alice until ");
    let mut carol = server.person("carol");
    carol.send_line("/join dev\n/nick erin\n/nick dave\n/join dev");
    carol.line_that_starts("! banned you were banned from #dev by alice: xyzzy");
    carol.line_that_starts("! banned erin was banned from this server by alice until ");
    carol.line_that_starts("* you joined #dev");
    server.stop();
    drop((bob, carol));
    assert_eq!(server.wait().code(), Some(0));
    let file = Database::own(&folder.path());
    assert_eq!(file.number("SELECT count(*) FROM sanctions"), 3, "what has ended is gone");
    drop(file);
    printed(&folder.path(), &["forget", "carol"]);
    printed(&folder.path(), &["forget", "bob"]);
    for word in ["carol", "xyzzy"] {
        assert_eq!(folder.files_with(word), [""; 0], "{word}");
    }
    let file = Database::own(&folder.path());
    assert_eq!(file.texts("SELECT nick FROM sanctions"), ["erin"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_address_that_is_banned_is_let_in_no_longer() {
    let folder = Folder::new();
    let (server, mut alice) = server_of_alice(&folder);
    let mut inside = connect_from_elsewhere(&server);
    inside.send_line("bob");
    inside.line_that_starts("* you are bob");
    alice.send_line("/ban * 127.0.0.0/8\n/ban * 127.0.0.2 1h xyzzy");
    alice.line_that_starts("! not-allowed that is your own address");
    alice.line_that_starts("* bob's address was banned by alice until ");
    let last = "! banned you were banned from this server by alice until ";
    assert!(inside.line_that_starts(last).ends_with(": xyzzy"));
    assert_eq!(inside.rest(), b"", "nothing comes after it");
    for _ in 0..40 {
        let mut outside = connect_from_elsewhere(&server);
        let seen = String::from_utf8(outside.rest()).unwrap();
        assert!(seen.starts_with("! banned your address was banned from this server "), "{seen}");
        assert_eq!(seen.lines().count(), 1);
    }
    alice.send_line("/unban * 127.0.0.2");
    alice.line_that_starts("* alice lets 127.0.0.2 come back");
    let admitted = crate::world::on_tcp::wait_for(|| {
        let mut peer = connect_from_elsewhere(&server);
        peer.line().is_some_and(|line| line.starts_with("* chatline")).then_some(())
    });
    admitted.expect("who is banned no longer is let in");
}
