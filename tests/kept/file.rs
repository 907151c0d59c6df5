//! The file itself: whose it is, and which ones a server does not touch.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::process::Stdio;

use rustix::process::Signal;

use crate::database::{Database, Folder};
use crate::tools::refusal;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

/// Starts a server, which must refuse, and gives its one sentence.
fn refused_start(folder: &Folder) -> String {
    refusal(&folder.path(), &["--listen", "127.0.0.1:0"])
}

/// A server refuses that, with a sentence that has this in it, and changes nothing there.
fn is_left_alone(folder: &Folder, what: &str) {
    let before = folder.contents();
    let sentence = refused_start(folder);
    assert!(sentence.starts_with("cannot open PATH: "), "{sentence}");
    assert!(sentence.contains(what) && sentence.contains("--data PATH"), "{sentence}");
    let names = |contents: &[(String, Vec<u8>)]| {
        contents.iter().map(|(name, bytes)| (name.clone(), bytes.len())).collect::<Vec<_>>()
    };
    let after = folder.contents();
    assert!(before == after, "{:?} was {:?}", names(&after), names(&before));
}

/// A folder in which a server was killed after alice had said so much, or has stopped.
fn left_behind(lines: usize, is_killed: bool) -> Folder {
    let folder = Folder::new();
    let mut server = folder.server("--pace off");
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    for n in 0..lines {
        alice.send_line(&format!("{n} and some more words"));
    }
    bob.line_that_starts(&format!("#lobby alice: {} ", lines - 1));
    server.signal(if is_killed { Signal::KILL } else { Signal::TERM });
    drop((alice, bob));
    server.wait();
    folder
}

#[test]
fn nobody_else_may_read_it() {
    let folder = Folder::new();
    let mut command = ServerProcess::command_through("umask 000; exec \"$0\" \"$@\"");
    command.args(["--listen", "127.0.0.1:0"]).args(folder.flags(""));
    let server = ServerProcess::spawn(command, 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    alice.send_line("hello");
    bob.line_that_starts("#lobby alice: hello");
    for end in ["", "-wal", "-shm"] {
        let file = folder.path_of(&format!("chatline.db{end}"));
        let mode = fs::metadata(&file).expect("it is there while a server runs").permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{file:?}");
    }
}

#[test]
fn a_second_server_is_refused_and_disturbs_nobody() {
    let folder = Folder::new();
    let mut server = folder.server("");
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    for n in 0..3 {
        let sentence = refused_start(&folder);
        assert!(sentence.contains("another chatline has it open"), "{sentence}");
        // By another name it is the same file.
        let other = folder.path_of(&format!("other{n}"));
        symlink(folder.path(), &other).unwrap();
        let sentence = refusal(&other, &["--listen", "127.0.0.1:0"]);
        assert!(sentence.contains("another chatline has it open"), "{sentence}");
        alice.send_line(&format!("number {n}"));
        assert_eq!(bob.line_that_starts("#"), format!("#lobby alice: number {n}"));
        assert_eq!(Database::look(&folder.path()).count(), n + 1);
    }
    server.stop();
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
    Database::own(&folder.path()).expect_sound();
    folder.server("").person("alice");
}

#[test]
fn what_is_no_database_of_ours_is_left_alone() {
    let header = b"SQLite format 3\0".to_vec();
    let contents = [
        b"x".to_vec(),
        b"dear diary\n".repeat(1000),
        vec![0; 8192],
        header.clone(),
        header.repeat(300),
    ];
    for content in contents {
        let folder = Folder::new();
        fs::write(folder.path(), content).unwrap();
        is_left_alone(&folder, "it is not a database of chatline");
    }
    for mode in ["WAL", "DELETE"] {
        let folder = Folder::new();
        let other = Database::own(&folder.path());
        other.texts(&format!("PRAGMA journal_mode = {mode}"));
        other.run("CREATE TABLE lines (mine); INSERT INTO lines VALUES ('dear')");
        is_left_alone(&folder, "it is not a database of chatline");
        assert_eq!(other.texts("SELECT mine FROM lines"), ["dear"]);
    }
    let folder = Folder::new();
    fs::create_dir(folder.path()).unwrap();
    assert!(refused_start(&folder).starts_with("cannot open PATH: "));
}

#[test]
fn what_a_newer_chatline_has_written_is_left_alone() {
    let newer = "it was written by a newer chatline (schema 99, ";
    let folder = left_behind(10, false);
    Database::own(&folder.path()).run("PRAGMA user_version = 99; PRAGMA journal_mode = DELETE");
    is_left_alone(&folder, newer);
    // A killed one may have left the news of it in the log alone.
    let folder = left_behind(10, true);
    let newer_one = Database::own(&folder.path());
    newer_one.run("PRAGMA user_version = 99");
    let folder = folder.copy();
    drop(newer_one);
    let before = folder.contents();
    let sentence = refused_start(&folder);
    assert!(sentence.contains(newer), "{sentence}");
    // The index of the log is nobody's data.
    let is_data = |(name, _): &(String, Vec<u8>)| !name.ends_with("-shm");
    let after: Vec<_> = folder.contents().into_iter().filter(is_data).collect();
    assert!(before == after);
    let file = Database::own(&folder.path());
    file.expect_sound();
    assert_eq!((file.number("PRAGMA user_version"), file.count()), (99, 10));
}

#[test]
fn what_is_damaged_is_refused_and_left_alone_or_served() {
    let whole = left_behind(3000, false);
    let bytes = fs::read(whole.path()).unwrap();
    let pages = bytes.len() / 4096;
    assert!(pages > 40, "it has {pages} pages");
    let (mut refused, mut served) = (0, 0);
    let cuts = [1, 2, pages / 2, pages - 1].map(|page| (bytes[..page * 4096].to_vec(), page));
    let holes = (0..pages).step_by(3).map(|page| {
        let mut holed = bytes.clone();
        // Behind the header, which says whose file it is.
        holed[page * 4096 + 100..(page + 1) * 4096].fill(0x5a);
        (holed, page)
    });
    for (damaged, page) in cuts.into_iter().chain(holes) {
        let folder = Folder::new();
        fs::write(folder.path(), &damaged).unwrap();
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0"]).args(folder.flags(""));
        let piped = [Stdio::piped(), Stdio::piped()];
        let mut server = ServerProcess::spawn_writing_to(piped, command, 0);
        let is_decided = |log: &String| log.contains("cannot open ") || log.contains(" listen=");
        let log = wait_for(|| Some(server.log()).filter(is_decided)).expect("it starts or ends");
        if let Some((_, rest)) = log.split_once(" listen=") {
            let address = rest.split_whitespace().next().unwrap().parse().unwrap();
            let mut alice = Peer::connect(address);
            alice.send_line("alice\nis anybody here?\nquit");
            alice.line_that_starts("* bye");
            drop(alice);
            server.stop();
            assert_eq!(server.wait().code(), Some(0), "page {page}");
            served += 1;
        } else {
            assert_eq!(server.wait().code(), Some(1), "page {page}");
            assert!(fs::read(folder.path()).unwrap() == damaged, "page {page}");
            refused += 1;
        }
    }
    assert!(refused > 3 && served > 3, "{refused} were refused, {served} were served");
}
