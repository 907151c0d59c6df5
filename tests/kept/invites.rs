//! Invitations: made while a server runs, used once, kept over a restart.

use crate::database::Folder;
use crate::tools::{refusal, run};
use crate::world::on_tcp::ServerProcess;

/// Somebody who types a name and then what is on their invitation; the lines that they are answered
/// with.
fn register(server: &ServerProcess, nick: &str, code: &str) -> Vec<String> {
    let mut peer = server.connect();
    let mut told = vec![peer.line().unwrap()];
    peer.send_line(nick);
    told.push(peer.line().unwrap());
    peer.send_line(&format!("/register {code} correct-horse"));
    told.push(peer.line().unwrap());
    told
}

#[test]
fn an_invitation_that_is_made_while_a_server_runs_makes_one_account() {
    let folder = Folder::new();
    let mut server = folder.server("--members-only");
    let output = run(&folder.path(), &["invite", "--count", "2"]);
    let advice = String::from_utf8(output.stderr).unwrap();
    assert!(advice.ends_with(" types a name, and then /register CODE PASSWORD\n"), "{advice}");
    let codes = String::from_utf8(output.stdout).unwrap();
    let codes: Vec<&str> = codes.lines().collect();
    assert_eq!(codes.len(), 2, "{codes:?}");
    let told = register(&server, "alice", codes[0]);
    assert!(told[1].starts_with("! members-only alice is nobody's name"), "{told:?}");
    assert!(told[2].starts_with("* you are alice, in #lobby"), "{told:?}");
    let told = register(&server, "bob", codes[0]);
    assert!(told[2].starts_with("! wrong-password no invitation"), "{told:?}");
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    let server = folder.server("--private");
    let mut bob = server.connect();
    assert!(bob.line().unwrap().starts_with("* chatline: members only"));
    bob.send_line("alice");
    bob.line_that_starts("* type the password of alice");
    bob.send_line("/nick bob");
    bob.line_that_starts("* type the password of bob");
    bob.send_line(&format!("/register {} correct-horse", codes[0]));
    bob.line_that_starts("! wrong-password no invitation");
    let typed = codes[1].to_lowercase().replace('-', "");
    bob.send_line(&format!("/register {typed} correct-horse"));
    bob.line_that_starts("* you are bob");
}

#[test]
fn where_no_server_was_nobody_is_invited() {
    let folder = Folder::new();
    let refused = refusal(&folder.path(), &["invite"]);
    assert!(refused.starts_with("cannot open PATH: "), "{refused}");
}
