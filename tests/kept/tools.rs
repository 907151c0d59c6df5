//! What an operator does with the file while a server has it: back it up, and get lines out of it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use serde_json::Value;

use crate::crowd::{Crowd, ROOMS};
use crate::database::{Database, Folder};
use crate::world::PATIENCE;
use crate::world::on_tcp::ServerProcess;
use crate::world::rng::Rng;

/// Runs the binary on that database to its end, which has to come.
pub fn run(path: &Path, args: &[&str]) -> Output {
    let mut command = ServerProcess::command();
    command.args(args).arg("--data").arg(path);
    assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap()
}

/// What it prints when all is well.
pub fn printed(path: &Path, args: &[&str]) -> String {
    let output = run(path, args);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The one sentence with which it refuses; the path of the database is `PATH` in it.
pub fn refusal(path: &Path, args: &[&str]) -> String {
    let output = run(path, args);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
    let text = String::from_utf8(output.stderr).unwrap();
    // A server logs as well; what it complains of has no time before it.
    let mut complaints = text.lines().filter(|line| line.starts_with("chatline: "));
    let sentence = complaints.next().unwrap_or_else(|| panic!("{text:?} is no complaint"));
    assert_eq!(complaints.next(), None, "{text}");
    sentence["chatline: ".len()..].replace(&path.display().to_string(), "PATH")
}

#[test]
fn a_backup_under_load_is_of_one_moment_and_a_server_goes_on_with_it() {
    let folder = Folder::new();
    let mut server = folder.server("--pace off --queue-bytes 64MiB");
    let mut rng = Rng::new(3);
    let mut crowd = Crowd::new(&server, 0, 6, None, &mut rng);
    while !crowd.has_seen_any() {
        assert!(crowd.act(&mut rng));
    }
    let backups: Vec<_> = (0..3).map(|n| folder.path_of(&format!("backup{n}"))).collect();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for to in &backups {
                assert_eq!(printed(&folder.path(), &["backup", to.to_str().unwrap()]), "");
            }
            is_over.store(true, Ordering::Relaxed);
        });
        while !is_over.load(Ordering::Relaxed) {
            assert!(crowd.act(&mut rng), "a backup disturbs nobody");
        }
    });
    server.stop();
    crowd.listen_to_the_end();
    drop(crowd);
    assert_eq!(server.wait().code(), Some(0));
    let all = Database::own(&folder.path()).lines(0);
    let mut before = 0;
    for path in &backups {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let backup = Database::own(path);
        backup.expect_sound();
        let lines = backup.lines(0);
        assert!(all.starts_with(&lines), "it is of one moment");
        assert!(lines.len() >= before && !lines.is_empty(), "{} after {before}", lines.len());
        before = lines.len();
        drop(backup);
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0", "--data"]).arg(path);
        let mut server = ServerProcess::spawn(command, 1);
        server.person("alice").send_line("from here on");
        server.stop();
        assert_eq!(server.wait().code(), Some(0));
        assert_eq!(Database::look(path).lines(0)[..before], lines);
    }
}

#[test]
fn a_backup_takes_no_other_files_place() {
    let folder = Folder::new();
    let server = folder.server("");
    let (path, taken) = (folder.path(), folder.path_of("taken"));
    fs::write(&taken, "something dear").unwrap();
    for to in [&taken, &path] {
        let sentence = refusal(&path, &["backup", to.to_str().unwrap()]);
        assert!(sentence.ends_with(": it exists already; name a file that does not"), "{sentence}");
    }
    assert_eq!(fs::read(&taken).unwrap(), b"something dear");
    let nowhere = folder.path_of("missing").join("backup");
    let sentence = refusal(&path, &["backup", nowhere.to_str().unwrap()]);
    assert!(sentence.starts_with("cannot write "), "{sentence}");
    // There is nothing to copy from; and nothing is made, neither here nor there.
    let (missing, to) = (folder.path_of("missing.db"), folder.path_of("backup"));
    let sentence = refusal(&missing, &["backup", to.to_str().unwrap()]);
    assert!(sentence.starts_with("cannot open PATH: "), "{sentence}");
    assert!(!missing.exists() && !to.exists());
    server.person("alice");
}

#[test]
fn lines_can_be_had_as_text_and_as_json_while_the_server_runs() {
    let folder = Folder::new();
    let server = folder.server("--pace off");
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    let mut rng = Rng::new(1);
    let mut said = Vec::new();
    for n in 0..300 {
        let room = *rng.pick(&ROOMS[..2]);
        let text = format!("{n} \"quoted\" and ünïcode \\ 🙂");
        let is_action = rng.one_in(5);
        alice.send_line(&format!("/join {room}\n{}{text}", if is_action { "/me " } else { "" }));
        said.push((room, is_action, text));
    }
    alice.send_line("@bob done");
    bob.line_that_starts("@alice: done");
    for room in &ROOMS[..2] {
        let text = printed(&folder.path(), &["export", "--room", room]);
        let json = printed(&folder.path(), &["export", "--room", room, "--format", "json"]);
        let said: Vec<_> = said.iter().filter(|(there, ..)| there == room).collect();
        assert_eq!([text.lines().count(), json.lines().count()], [said.len(); 2]);
        let mut last = 0;
        for ((text, json), (_, is_action, words)) in text.lines().zip(json.lines()).zip(said) {
            let json: Value = serde_json::from_str(json).unwrap();
            let id = json["id"].as_u64().unwrap();
            assert!(id > last);
            last = id;
            assert_eq!((&json["room"], &json["from"]), (&(*room).into(), &"alice".into()));
            assert_eq!((&json["text"], &json["action"]), (&(**words).into(), &(*is_action).into()));
            // As 2026-03-04T12:00:00Z there, and as 2026-03-04 12:00:00 here: the zone is UTC.
            let time = json["time"].as_str().unwrap().replace('T', " ").replace('Z', "");
            let nick = if *is_action { "* alice" } else { "alice:" };
            assert_eq!(text, format!("{id} {time} {nick} {words}"));
        }
        let since = |when| printed(&folder.path(), &["export", "--room", room, "--since", when]);
        assert_eq!((since("1d"), since("2000-01-01")), (text.clone(), text));
    }
    let sentence = refusal(&folder.path(), &["export", "--room", "nowhere"]);
    assert!(sentence.starts_with("there is no room nowhere in PATH"), "{sentence}");
    alice.send_line("#lobby still here");
    bob.line_that_starts("#lobby alice: still here");
}
