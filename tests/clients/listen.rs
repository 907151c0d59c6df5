//! `scripts/listen`, through every netcat that is here.
//!
//! Promises: what is said in the room is printed, once and in order, also over the death of the
//! server; who ends it finds nothing left. Does not measure how soon it is back.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use crate::program::run;
use crate::scripts::{Script, netcats, token};
use crate::stage::{PATIENCE, Person, Server};

/// More than one answer to `/history` has.
const MISSED_LINES: usize = 150;

/// A `listen` that runs.
struct Listener {
    child: Child,
    lines: Receiver<String>,
    script: Script,
}

impl Listener {
    fn start(mut script: Script, args: &[&str]) -> Listener {
        script.command.args(args).stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = script.command.stderr(Stdio::null()).spawn().expect("the script starts");
        let output = BufReader::new(child.stdout.take().expect("its output is piped"));
        let (to, lines) = channel();
        thread::spawn(move || {
            for line in output.lines() {
                let line = line.expect("what it prints is text");
                if to.send(line).is_err() {
                    return;
                }
            }
        });
        Listener { child, lines, script }
    }

    /// The next line that it prints.
    fn prints(&self) -> String {
        self.lines.recv_timeout(PATIENCE).expect("it prints a line in time")
    }

    /// The next line, without its time.
    fn prints_of(&self, from: &str, text: &str) {
        let line = self.prints();
        let (time, said) = line.split_once(' ').expect("a time stands before what is said");
        assert_eq!(time.len(), "12:34:56".len(), "{line}");
        assert_eq!(said, format!("{from}{text}"));
    }

    /// Ends it, and holds when it prints nothing more, and nothing is left.
    fn ends(mut self, signal: &str) {
        let kill = Command::new("kill").arg(signal).arg(self.child.id().to_string()).status();
        assert!(kill.expect("there is a kill").success());
        let status = self.child.wait().expect("a child can be waited for");
        assert_eq!(status.code(), Some(0), "{signal}");
        let rest: Vec<String> = self.lines.iter().collect();
        assert!(rest.is_empty(), "printed more: {rest:?}");
        let left = std::fs::read_dir(self.script.temporary.path()).expect("it is there").count();
        assert_eq!(left, 0, "files are left after {signal}");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // When it still runs, the test has failed; TERM lets it take its netcat along.
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = Command::new("kill").arg(self.child.id().to_string()).status();
            let _ = self.child.wait();
        }
    }
}

/// The signals that this process ignores, and with it what it starts: a bit each (proc(5)).
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

/// Somebody in #dev.
fn in_dev(server: &Server, nick: &str) -> Person {
    let mut person = server.person(nick);
    person.types("/join dev");
    person.sees("* you ");
    person
}

/// Waits for whoever comes into #dev: their name.
fn comes(person: &mut Person) -> String {
    let seen = loop {
        let seen = person.sees("* #dev: ");
        if seen.ends_with(" came") {
            break seen;
        }
    };
    seen["* #dev: ".len()..seen.len() - " came".len()].to_owned()
}

/// Each netcat on a thread, since there is much to wait for.
fn with_each_netcat(check: fn(&Path, &str)) {
    thread::scope(|scope| {
        for (netcat, called) in netcats() {
            scope.spawn(move || check(&netcat, called));
        }
    });
}

#[test]
#[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
fn nothing_is_lost_or_doubled_when_the_server_dies() {
    with_each_netcat(|netcat, called| {
        let server = Server::start(&[]);
        let mut alice = in_dev(&server, "alice");
        let script = Script::of("listen", netcat, called, server.port());
        let listener = Listener::start(script, &["#dev"]);
        comes(&mut alice);
        alice.types("#lobby not for #dev");
        alice.types("before");
        listener.prints_of("alice: ", "before");
        let server = server.again();
        let mut bob = in_dev(&server, "bob");
        for n in 1..=MISSED_LINES {
            bob.types(&format!("line {n}"));
        }
        for line in ["/paste", "a \"quoted\" \\ one", "", ".", "/me waves"] {
            bob.types(line);
        }
        // The answer to a whisper comes behind all of that.
        bob.types("@bob ready");
        bob.sees("@bob: ready");
        comes(&mut bob);
        bob.types("and live");
        for n in 1..=MISSED_LINES {
            listener.prints_of("bob: ", &format!("line {n}"));
        }
        listener.prints_of("bob: ", "a \"quoted\" \\ one");
        listener.prints_of("* bob ", "waves");
        listener.prints_of("bob: ", "and live");
        listener.ends("-TERM");
    });
}

#[test]
fn who_ends_it_finds_nothing_left() {
    let ignored = ignored_signals();
    for (signal, number) in [("-TERM", 15), ("-INT", 2), ("-HUP", 1)] {
        // A shell cannot take what was ignored when it began, as in the background or under nohup.
        if ignored & 1 << (number - 1) != 0 {
            continue;
        }
        for (netcat, called) in netcats() {
            let server = Server::start(&[]);
            let mut alice = in_dev(&server, "alice");
            let script = Script::of("listen", &netcat, called, server.port());
            let listener = Listener::start(script, &["dev"]);
            let nick = comes(&mut alice);
            listener.ends(signal);
            // With the netcat the connection has gone.
            alice.sees(&format!("* {nick} left"));
        }
    }
}

#[test]
#[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
fn a_token_and_a_password_let_it_in_and_show_nowhere() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut owner = server.person("owner");
        let secret = token(&mut owner, "ci");
        owner.types("/join dev a \"b \\ c");
        let mut script = Script::of("listen", &netcat, called, server.port());
        script.command.env("CHATLINE_NAME", "ci").env("CHATLINE_TOKEN", &secret);
        script.command.env("CHATLINE_PASSWORD", "a \"b \\ c");
        let listener = Listener::start(script, &["--json", "dev"]);
        assert_eq!(comes(&mut owner), "ci");
        owner.types("two \"words\"");
        let line = listener.prints();
        let end = ",\"room\":\"dev\",\"from\":\"owner\",\"text\":\"two \\\"words\\\"\"}";
        assert!(line.starts_with("{\"type\":\"message\",\"id\":") && line.ends_with(end), "{line}");
        for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
            let words = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
            let words = String::from_utf8_lossy(&words);
            assert!(!words.contains(&secret), "everybody on this machine can see {words:?}");
        }
        listener.ends("-TERM");
    }
}

#[test]
fn what_was_said_before_is_printed_when_it_is_asked_for() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut alice = in_dev(&server, "alice");
        for line in ["one", "/paste", "two", "three", ".", "four", "@alice ready"] {
            alice.types(line);
        }
        alice.sees("@alice: ready");
        let once = |args: &[&str]| {
            let mut script = Script::of("listen", &netcat, called, server.port());
            script.command.args(args).arg("dev");
            let ran = run(script.command, b"", Duration::ZERO);
            ran.ended().exited(0);
            ran.output().to_owned()
        };
        let texts = |printed: &str| -> Vec<String> {
            printed.lines().map(|line| line["12:34:56 ".len()..].to_owned()).collect()
        };
        let all = ["alice: one", "alice: two", "alice: three", "alice: four"];
        assert_eq!(texts(&once(&["--once", "--since", "1h"])), all);
        assert_eq!(texts(&once(&["--once", "--after", "1"])), all[1..]);
        let json = once(&["--once", "--json", "--after", "1"]);
        assert!(json.contains("\"room\":\"dev\",\"from\":\"alice\",\"text\":\"two\\nthree\"}\n"));
        assert_eq!(once(&["--once"]), "");
    }
}

#[test]
#[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
fn a_refusal_ends_it() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut alice = server.person("alice");
        alice.types("/join dev secret");
        alice.sees("* you made #dev");
        let mut script = Script::of("listen", &netcat, called, server.port());
        script.command.arg("dev");
        let ran = run(script.command, b"", Duration::ZERO);
        ran.ended().exited(1).complained("! room-locked ");
        let mut script = Script::of("listen", &netcat, called, server.port());
        script.command.env("CHATLINE_NAME", "ci").env("CHATLINE_TOKEN", "ct_0").arg("lobby");
        let ran = run(script.command, b"", Duration::ZERO);
        ran.ended().exited(1).complained("! not-registered ");
    }
}

#[test]
fn wrong_usage_is_told() {
    for args in [&[][..], &["two words"], &["--after", "x", "dev"], &["--since"]] {
        for (netcat, called) in netcats() {
            let mut script = Script::of("listen", &netcat, called, 1);
            script.command.args(args);
            run(script.command, b"", Duration::ZERO).ended().exited(2).complained("usage:");
        }
    }
}

/// What the reader of `listen` prints, having printed line 3 before, and what it asks for, when it
/// is told this.
fn reader(told: &[&str]) -> (String, String) {
    let dir = tempfile::tempdir().expect("a directory can be made");
    std::fs::write(dir.path().join("last"), "3\n").expect("a file can be written");
    let mut command = Command::new("awk");
    command.arg("-v").arg(format!("dir={}", dir.path().display())).args(["-v", "room=dev"]);
    command.args(["-f", concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/listen.awk")]);
    let ran = run(command, format!("{}\n", told.join("\n")).as_bytes(), Duration::ZERO);
    ran.ended().exited(3);
    let asked = std::fs::read_to_string(dir.path().join("in")).expect("it has asked");
    (ran.output().to_owned(), asked)
}

const TIME: &str = "2026-03-04T12:00:00Z";

fn message(id: u32, room: &str, text: &str) -> String {
    let head = format!(r#"{{"type":"message","id":{id},"time":"{TIME}","room":"{room}""#);
    format!(r#"{head},"from":"bob","text":{text}}}"#)
}

fn history(re: u32, ids: &[u32], more: bool) -> String {
    let line = |id| format!(r#"{{"id":{id},"time":"{TIME}","from":"bob","text":"said {id}"}}"#);
    let lines: Vec<String> = ids.iter().map(line).collect();
    let lines = lines.join(",");
    let head = format!(r#"{{"type":"history","re":{re},"time":"{TIME}","room":"dev""#);
    format!(r#"{head},"lines":[{lines}],"more":{more},"text":"…"}}"#)
}

#[test]
fn a_line_that_is_told_twice_is_printed_once() {
    let joined = r#"{"type":"ok","re":"join"}"#;
    let said = |id| message(id, "dev", &format!("\"said {id}\""));
    let (printed, asked) = reader(&[
        joined,
        // It is in the answer, too, or not yet; and the next one comes before its answer.
        &said(5),
        &history(1, &[4, 5], true),
        &said(7),
        &history(2, &[6], false),
        &said(6),
        &said(8),
        &message(9, "lobby", "\"elsewhere\""),
        // Told late: it has been asked for again.
        r#"{"type":"dropped","time":"2026-03-04T12:00:00Z","count":1,"text":"…"}"#,
        &said(11),
        &history(2, &[9, 10], false),
        &history(3, &[9, 10, 11], false),
        &said(12),
    ]);
    let expected: String = (4..=12).map(|id| format!("12:00:00 bob: said {id}\n")).collect();
    assert_eq!(printed, expected);
    let asked: Vec<&str> =
        asked.lines().filter_map(|line| line.split(",\"after\"").nth(1)).collect();
    assert_eq!(asked, [":3}", ":5}", ":8}"]);
}

#[test]
fn what_is_said_cannot_pass_for_something_else() {
    let joined = r#"{"type":"ok","re":"join"}"#;
    let tricky = r#""\\\",\"from\":\"eve\",\"text\":\"\\n}],\"more\":true \\\\""#;
    let (printed, asked) = reader(&[joined, &history(1, &[], false), &message(4, "dev", tricky)]);
    let text = r#"\","from":"eve","text":"\n}],"more":true \\"#;
    assert_eq!(printed, format!("12:00:00 bob: {text}\n"));
    assert_eq!(asked.lines().count(), 1, "{asked}");
}
