//! The log: nobody's words are in it, each line is one of pairs, a flood leaves few of them, and
//! nobody who does not read it can stop the server.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use regex::Regex;

#[cfg(feature = "store")]
use crate::admin::answers_at;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::{flags, machine};

/// What nobody may find in a log: all that is typed has it.
const SECRET: &str = "xyzzy";

/// The command of a server that logs all there is.
fn talkative(data: &Path) -> Command {
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0"]).args(flags("--line-bytes 64 -vv"));
    command.env("RUST_LOG", "trace");
    if cfg!(feature = "store") {
        command.arg("--data").arg(data);
    }
    command
}

/// The log of a server that has stopped, whole; each of its lines is one of pairs.
fn whole_log(server: &ServerProcess) -> String {
    let log = wait_for(|| Some(server.log()).filter(|log| log.ends_with(" event=stopped\n")));
    let log = log.expect("the log is whole");
    for line in log.lines() {
        assert!(line.is_ascii(), "{line}");
        pairs(line);
    }
    log
}

/// The pairs of a line, each value without its quotes; fails for a line that is none.
fn pairs(line: &str) -> Vec<(String, String)> {
    let time = Regex::new(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (ERROR|WARN|INFO|DEBUG|TRACE)");
    let pair = Regex::new(r#"^ ([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^ "=\\]+))"#).unwrap();
    let start = time.unwrap().find(line).unwrap_or_else(|| panic!("no time before: {line}"));
    let mut rest = &line[start.end()..];
    let mut pairs = Vec::new();
    while !rest.is_empty() {
        let found = pair.captures(rest).unwrap_or_else(|| panic!("no pair in {rest:?} of: {line}"));
        let value = found.get(2).or(found.get(3)).unwrap();
        pairs.push((found[1].to_owned(), value.as_str().to_owned()));
        rest = &rest[found[0].len()..];
    }
    assert_eq!(pairs[0].0, "event", "{line}");
    pairs
}

/// The only line of an event that is about a peer, as its pairs without these two.
fn about(log: &str, event: &str, peer: &str) -> Vec<(String, String)> {
    let start = [("event", event), ("peer", peer)];
    let start = start.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let mut found = log.lines().map(pairs).filter(|pairs| pairs.starts_with(&start));
    let pairs = found.next().unwrap_or_else(|| panic!("no {event} of {peer} in: {log}"));
    assert_eq!(found.next(), None, "{event} of {peer} is logged twice");
    pairs[2..].to_vec()
}

#[test]
fn a_log_that_nobody_reads_stops_nobody() {
    machine::allow_many_descriptors();
    let folder = tempfile::tempdir().unwrap();
    let command = talkative(&folder.path().join("kept.db"));
    let (unread, log) = io::pipe().unwrap();
    let mut server = ServerProcess::spawn_writing_to([Stdio::piped(), log.into()], command, 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    // Each leaves several lines in the log; a pipe holds about a thousand, the server's own queue
    // as many again.
    for round in 0..15 {
        let mut crowd: Vec<Peer> = (0..100).map(|_| server.connect()).collect();
        for peer in &mut crowd {
            assert!(peer.line().unwrap().starts_with("* chatline"));
        }
        alice.send_line(&format!("round {round}"));
        bob.line_that_starts(&format!("#lobby alice: round {round}"));
    }
    server.stop();
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
    drop(unread);
}

/// Says the secret in each way in which a line can hold one.
fn say_secrets(alice: &mut Peer) {
    let long = SECRET.repeat(20);
    for line in [
        "xyzzy",
        "/me xyzzy",
        "@bob xyzzy",
        "@dora xyzzy",
        "#lobby xyzzy",
        "/topic xyzzy",
        "/away xyzzy",
        "/join vault xyzzy",
        "/join vault",
        "/lock vault xyzzy",
        "/xyzzy",
        "/help xyzzy",
        "/who xyzzy",
        "/search xyzzy",
        "/nick xyzzy!",
        "/time xyzzy",
        "/token new xyzzy! xyzzy",
        "#nowhere xyzzy",
        "@nobody xyzzy",
        "/topic #vault xyzzy",
        &long,
        "/paste",
        "xyzzy, and",
        "xyzzy again",
        ".",
        "/paste",
        &long,
        "/abort",
        " half xyzzy\u{7f}\u{1b}[2J\u{202e}",
    ] {
        alice.send_line(line);
    }
}

/// Tries passwords that have the secret in them, right ones and wrong ones.
fn try_passwords(server: &ServerProcess) {
    let mut dora = server.person("dora");
    dora.send_line("/register xyzzy-1");
    dora.line_that_starts("* dora is yours now");
    dora.send_line("/password xyzzy-0 xyzzy-2");
    dora.line_that_starts("! wrong-password ");
    dora.send_line("/password xyzzy-1 xyzzy-2");
    dora.line_that_starts("* your password is changed");
    dora.send_line("quit");
    dora.line_that_starts("* bye");
    let mut mallory = server.person("mallory");
    mallory.send_line("/login dora xyzzy-3");
    mallory.line_that_starts("! wrong-password ");
    mallory.send_line("/login xyzzy-nobody xyzzy-4");
    mallory.line_that_starts("! ");
    mallory.send_line("/nick dora");
    mallory.line_that_starts("* dora is somebody's name");
    mallory.send_line("xyzzy-5");
    mallory.line_that_starts("! wrong-password ");
}

/// The same as JSON, and as keys.
fn say_otherwise(server: &ServerProcess) {
    let mut program = server.person("program");
    program.send_line("/json");
    for line in [
        r#"{"action":"message","text":"xyzzy"}"#,
        r#"{"action":"xyzzy"}"#,
        r#"{"xyzzy"#,
        r#"{"action":"login","nick":"dora","password":"xyzzy-6"}"#,
        r#"{"action":"paste","bytes":9}"#,
        "xyzzy\nand",
        r#"{"id":"xyzzy","action":"rooms"}"#,
    ] {
        program.send_line(line);
    }
    program.line_that_starts(r#"{"type":"ok","re":"xyzzy""#);
    let mut typist = server.person("typist");
    typist.send(b"/tty\nxyzzy\rxy\x1b[Dzzy\x15\x1b[200~xyzzy\nxyzzy\x1b[201~\rxyzzy");
    wait_for(|| String::from_utf8_lossy(&typist.take()).contains("zzy").then_some(()))
        .expect("what is typed shows");
    typist.reset();
}

#[test]
fn the_log_never_holds_what_people_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = ServerProcess::spawn(talkative(&folder.path().join("kept.db")), 1);
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    let (from, other) = (alice.address().to_string(), bob.address().to_string());
    if cfg!(feature = "store") {
        try_passwords(&server);
    }
    say_otherwise(&server);
    say_secrets(&mut alice);
    bob.send_line("/join vault xyzzy-not");
    bob.line_that_starts("! wrong-password ");
    bob.send_line("/join vault xyzzy");
    bob.line_that_starts("* you joined #vault");
    let mut saw = Vec::new();
    for (name, bytes) in [
        ("http", "GET /xyzzy HTTP/1.1\r\n\r\n"),
        ("ssh", "SSH-2.0-xyzzy\r\n"),
        ("tls", "\u{16}\u{3}\u{1}xyzzy"),
    ] {
        let mut peer = server.connect();
        saw.push((name, peer.address().to_string()));
        peer.send(bytes.as_bytes());
        peer.rest();
    }
    alice.send(b"xyzzy, unfinished");
    alice.end();
    assert!(alice.line_that_starts("* bye").contains("alice"));
    drop(alice);
    bob.send_line("xyzzy");
    bob.reset();
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    let log = whole_log(&server);
    assert!(log.contains(" TRACE event=library target=mio"), "it is the log of all: {log}");
    let told: Vec<&str> = log.lines().filter(|line| line.contains(SECRET)).collect();
    assert!(told.is_empty(), "{told:?}");
    assert_eq!(about(&log, "connected", &from), [("kind".to_owned(), "lines".to_owned())]);
    for (name, peer) in saw {
        assert_eq!(about(&log, "wrong_protocol", &peer), [("saw".to_owned(), name.to_owned())]);
    }
    let wrong = about(&log, "wrong_password", &other);
    assert_eq!(wrong.last(), Some(&("room".to_owned(), "vault".to_owned())));
    if cfg!(feature = "store") {
        assert_eq!(log.matches(" nick=dora name=dora\n").count(), 1, "{log}");
        assert_eq!(log.matches(" nick=mallory name=dora\n").count(), 2, "{log}");
        assert!(log.contains(" account=dora "), "{log}");
        assert!(log.contains(" event=password_changed peer="), "{log}");
    }
    let life = about(&log, "connection", &from);
    let value = |key: &str| life.iter().find(|(known, _)| known == key).unwrap().1.clone();
    let number = |key: &str| value(key).parse::<u64>().unwrap();
    assert_eq!([value("kind"), value("nick"), value("account")], ["lines", "alice", "-"]);
    assert_eq!(value("parting"), "end-of-input");
    // What she typed, her name before it and the half line behind it.
    assert_eq!(number("lines_in"), 31);
    assert!(number("bytes_in") > 400 && number("bytes_out") > 400, "{life:?}");
    assert!(number("seconds") < 100, "{life:?}");
}

#[test]
fn a_flood_leaves_few_lines_and_its_size() {
    let mut server = ServerProcess::start(&flags("--connections 1"));
    let alice = server.person("alice");
    let crowd = 300;
    for _ in 0..crowd {
        server.connect().rest();
    }
    let mut alice = alice;
    server.stop();
    alice.line_that_starts("* bye");
    drop(alice);
    assert_eq!(server.wait().code(), Some(0));
    let log = whole_log(&server);
    let lines = || log.lines().map(pairs);
    let is_of = |pairs: &&Vec<(String, String)>, event: &str| pairs[0].1 == event;
    let lines: Vec<_> = lines().collect();
    let refused = lines.iter().filter(|pairs| is_of(pairs, "refused"));
    let logged = refused.clone().count();
    assert!(
        refused.clone().all(|pairs| pairs[2] == ("reason".to_owned(), "server-full".to_owned()))
    );
    let suppressed = lines.iter().filter(|pairs| is_of(pairs, "suppressed"));
    let counted: usize = suppressed.map(|pairs| pairs[3].1.parse::<usize>().unwrap()).sum();
    assert_eq!(logged + counted, crowd, "{log}");
    // Ten a second of one address; the rest is told by number, if it came so fast.
    let seconds: std::collections::BTreeSet<&str> =
        log.lines().map(|line| line.split('.').next().unwrap()).collect();
    assert!(logged <= 10 * (seconds.len() + 1), "{logged} lines in {} seconds", seconds.len());
}

/// Only who has an account can own a room.
#[cfg(feature = "store")]
#[test]
fn whoever_owns_a_room_cannot_flood_the_log_and_what_the_console_does_is_all_there() {
    const NAMES: usize = 100;
    let mut server = ServerProcess::start(&flags("--pace off"));
    let mut mallory = server.person("mallory");
    mallory.send_line("/register xyzzy-1");
    mallory.line_that_starts("* mallory is yours now");
    mallory.send_line("/join den");
    mallory.line_that_starts("* you made #den");
    let bans = |start: &str| -> String {
        (0..NAMES).map(|number| format!("{start}{number:03} 1h\n")).collect()
    };
    mallory.send(bans("/ban #den guest").as_bytes());
    let last = format!("guest{:03}", NAMES - 1);
    mallory.line_that_starts(&format!("* #den: {last} was banned"));
    let told = answers_at(&server.console_path(), &bans("/ban #den other"));
    assert_eq!(told.iter().filter(|line| line.contains(" was banned ")).count(), NAMES, "{told:?}");
    server.stop();
    drop(mallory);
    assert_eq!(server.wait().code(), Some(0));
    let log = whole_log(&server);
    let of = |name: &str| log.matches(&format!(" target={name}")).count();
    assert_eq!(of("other"), NAMES, "{log}");
    let lines = log.lines().map(pairs).filter(|pairs| pairs[0].1 == "suppressed");
    let counted = lines.filter(|pairs| pairs[1].1 == "moderated");
    let counted: usize = counted.map(|pairs| pairs[3].1.parse::<usize>().unwrap()).sum();
    assert_eq!((of("guest") + counted, counted > 0), (NAMES, true), "{log}");
}

/// Only who has an account can own a room.
#[cfg(feature = "store")]
#[test]
fn what_operators_do_is_logged_with_where_they_come_from_and_without_their_words() {
    let mut server = ServerProcess::start(&flags("--pace off"));
    let mut alice = server.person("alice");
    let mut bob = server.person("bob");
    for (peer, nick) in [(&mut alice, "alice"), (&mut bob, "bob")] {
        peer.send_line("/register xyzzy-xyzzy");
        peer.line_that_starts(&format!("* {nick} is yours now"));
    }
    alice.send_line("/join den\n/op #den bob\n/deop #den bob\n/slow #den 5");
    alice.send_line("/lock #den xyzzy-1\n/unlock #den\n/mute #den bob 1h xyzzy");
    alice.send_line("/unmute #den bob\n/ban #den bob xyzzy\n/unban #den bob");
    // She is alice in the log, whatever she is called.
    alice.send_line("/nick zeus\n/close #den\n/close #den");
    alice.line_that_starts("* #den was closed by zeus");
    alice.send_line("/password xyzzy-xyzzy xyzzy-2");
    alice.line_that_starts("* your password is changed");
    alice.send_line("/unregister xyzzy-2");
    alice.line_that_starts("* alice is nobody's name now");
    answers_at(&server.console_path(), "/ban eve xyzzy\n/announce xyzzy\n");
    let peer = alice.address();
    server.stop();
    drop((alice, bob));
    assert_eq!(server.wait().code(), Some(0));
    let log = whole_log(&server);
    assert!(!log.contains(SECRET), "{log}");
    for event in ["password_changed", "unregistered"] {
        assert!(log.contains(&format!(" event={event} peer={peer} nick=alice\n")), "{log}");
    }
    let deeds: Vec<&str> = log
        .lines()
        .filter_map(|line| line.split_once(" event=moderated "))
        .map(|it| it.1)
        .collect();
    let by_alice = [
        "act=op room=#den target=bob by=alice",
        "act=deop room=#den target=bob by=alice",
        "act=slow room=#den target=- by=alice seconds=5",
        "act=lock room=#den target=- by=alice",
        "act=unlock room=#den target=- by=alice",
        "act=mute room=#den target=bob by=alice end=2",
        "act=unmute room=#den target=bob by=alice",
        "act=ban room=#den target=bob by=alice end=never",
        "act=unban room=#den target=bob by=alice",
        "act=close room=#den target=- by=alice",
    ];
    let by_alice = by_alice.map(|deed| format!("peer={peer} {deed}"));
    let by_console =
        ["act=ban room=* target=eve by=- end=never", "act=announce room=* target=- by=-"];
    let by_console = by_console.map(|deed| format!("peer=console {deed}"));
    let all: Vec<String> = by_alice.into_iter().chain(by_console).collect();
    assert_eq!(deeds.len(), all.len(), "{log}");
    for (deed, wanted) in deeds.into_iter().zip(all) {
        let is_it =
            if wanted.ends_with("end=2") { deed.starts_with(&wanted) } else { deed == wanted };
        assert!(is_it, "{deed:?} is not {wanted:?}");
    }
}

/// The rules of `scripts/fail2ban.conf`: what it replaces `<HOST>` with is simpler here.
fn fail2ban_rules() -> Vec<Regex> {
    let path = format!("{}/scripts/fail2ban.conf", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let (_, rules) = text.split_once("\nfailregex = ").expect("it has rules");
    let rules = rules.lines().map(str::trim).take_while(|line| line.starts_with('^'));
    let rules = rules.map(|rule| rule.replace("<HOST>", "(?P<host>[0-9A-Fa-f:.]+)"));
    rules.map(|rule| Regex::new(&rule).unwrap()).collect()
}

#[test]
fn fail2ban_finds_the_address_of_who_is_to_be_kept_out_and_of_nobody_else() {
    let mut server = ServerProcess::start(&flags("--listen [::1]:0"));
    let mut alice = server.person("alice");
    alice.send_line("/join vault open-sesame");
    alice.line_that_starts("* you made #vault");
    let v6 = wait_for(|| {
        let log = server.log();
        let (_, rest) = log.split_once(",[::1]:")?;
        rest.split_once(' ')?.0.parse::<u16>().ok()
    });
    let v6 = std::net::SocketAddr::from((std::net::Ipv6Addr::LOCALHOST, v6.expect("it listens")));
    let mut mallory = Peer::connect(v6);
    mallory.send_line("mallory\n/join vault guess");
    mallory.line_that_starts("! wrong-password ");
    let mut probe = server.connect();
    probe.send(b"GET / HTTP/1.1\r\n\r\n");
    probe.rest();
    // A name is no way to blame another one.
    alice.send_line("/nick peer-192.0.2.1");
    alice.send_line("quit");
    alice.rest();
    drop((alice, mallory, probe));
    server.stop();
    assert_eq!(server.wait().code(), Some(0));
    let log = whole_log(&server);
    let rules = fail2ban_rules();
    assert!(!rules.is_empty());
    // It takes the time out before it looks.
    let lines = log.lines().map(|line| line.split_once('Z').unwrap().1);
    let found: Vec<String> = lines
        .filter_map(|line| rules.iter().find_map(|rule| rule.captures(line)))
        .map(|found| found["host"].to_owned())
        .collect();
    assert_eq!(found, ["::1", "127.0.0.1"], "{log}");
    // The journal keeps the time apart, and the line has its own.
    let refused = "box chatline[7]: 2026-11-22T01:02:03.456Z WARN event=refused \
                   peer=[2001:db8::7]:4711 reason=";
    for reason in ["too-many-from-here", "too-often-from-here", "too-many-handshakes-from-here"] {
        let line = format!("{refused}{reason}");
        let found = rules.iter().find_map(|rule| rule.captures(&line));
        assert_eq!(&found.expect("it is one of them")["host"], "2001:db8::7");
    }
    // What others have brought about, and what is not over.
    for reason in ["too-many-handshakes", "server-full", "banned"] {
        let line = format!("{refused}{reason}");
        assert!(!rules.iter().any(|rule| rule.is_match(&line)), "{line}");
    }
    // Who does not trust the certificate has done nothing.
    let failed = "INFO event=tls_failed peer=[2001:db8::7]:4711 cause=\"received fatal alert: \
                  UnknownCA\"";
    assert!(!rules.iter().any(|rule| rule.is_match(failed)));
    let plain = "WARN event=wrong_protocol peer=[2001:db8::7]:4711 saw=plain";
    assert!(rules.iter().any(|rule| rule.is_match(plain)));
}
