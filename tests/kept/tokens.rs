//! Tokens and settings in the file: what a killed server has kept of them, and what is not in it.

use rustix::process::Signal;

use crate::database::{Database, Folder};
use crate::tools::printed;
use crate::world::on_tcp::{Peer, ServerProcess};

const PASSWORD: &str = "correct-horse";

/// The token of that name that somebody has made.
fn secret_of(peer: &mut Peer, name: &str) -> String {
    let line = peer.line_that_starts(&format!("* the token of {name} is "));
    let word = line.split(' ').nth(6).expect("the secret is the seventh word");
    word.trim_end_matches(';').to_owned()
}

fn welcomed(server: &ServerProcess, name: &str, password: &str) -> Peer {
    let mut peer = server.connect();
    peer.send_line(&format!("/time off\n/login {name} {password}"));
    peer.line_that_starts("* your lines carry no time");
    peer
}

#[test]
fn a_token_and_settings_outlive_a_kill_and_the_secret_is_nowhere() {
    let folder = Folder::new();
    let mut server = folder.server("--sync process");
    let mut alice = server.person("alice");
    alice.send_line(&format!("/register {PASSWORD}"));
    alice.line_that_starts("* alice is yours now");
    alice.send_line("/join ops\n/quiet on\n/token new deploy ops 5\n/token new watch");
    let (deploy, watch) = (secret_of(&mut alice, "deploy"), secret_of(&mut alice, "watch"));
    assert_ne!(deploy, watch);
    alice.send_line("/token drop watch\n/replay 7\n@alice done");
    alice.line_that_starts("@alice: done");
    let mut ci = welcomed(&server, "deploy", &deploy);
    ci.line_that_starts("* you are deploy, in #ops with alice");
    let said = "it is live";
    ci.send_line(said);
    alice.line_that_starts(&format!("#ops deploy: {said}"));
    server.signal(Signal::KILL);
    server.wait();
    for secret in [&deploy, &watch, &deploy["ct_".len()..]] {
        assert_eq!(folder.files_with(secret), [""; 0], "{secret} is in the files");
    }
    let file = Database::own(&folder.path());
    file.expect_sound();
    assert_eq!(file.texts("SELECT nick FROM accounts ORDER BY id"), ["alice", "deploy"]);
    let settings = file.texts("SELECT settings FROM accounts WHERE nick = 'alice'");
    assert_eq!(settings, ["quiet=on replay=7"]);
    drop(file);

    let mut server = folder.server("--sync process");
    let mut ci = welcomed(&server, "deploy", &deploy);
    ci.line_that_starts("* you are deploy, in #ops");
    ci.send_line("/join lobby\n/join ops");
    ci.line_that_starts("! not-allowed your token is not for #lobby");
    let mut other = server.connect();
    other.send_line(&format!("/login watch {watch}"));
    other.line_that_starts("! not-registered watch is nobody's name");
    server.stop();
    drop((ci, other));
    assert_eq!(server.wait().code(), Some(0));
    let forgotten = printed(&folder.path(), &["forget", "alice"]);
    assert_eq!(forgotten, "forgot the account and its token, 0 lines and 0 direct messages\n");
    assert_eq!(folder.files_with("alice"), [""; 0]);
    let file = Database::own(&folder.path());
    assert_eq!(file.number("SELECT count(*) FROM accounts"), 0);
    assert_eq!(file.lines(0).len(), 1, "what a bot said was said under its own name");
}
