//! The figures over HTTP: what is shown is what has happened and what `protocol.md` lists, and
//! nobody who asks for them hurts the conversation.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;

use crate::flags;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};

/// A server with metrics, and where those are.
fn server(further: &str) -> (ServerProcess, SocketAddr) {
    let mut command = ServerProcess::command();
    command.args(["--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0"]).args(flags(further));
    let server = ServerProcess::spawn(command, 2);
    let metrics = server.addresses()[1];
    (server, metrics)
}

/// All that a request is answered.
fn ask(metrics: SocketAddr, request: &str) -> String {
    let mut peer = Peer::connect(metrics);
    peer.send(request.as_bytes());
    let answer = String::from_utf8(peer.rest()).unwrap();
    assert!(!peer.was_reset(), "{request:?} ended with a reset behind {answer}");
    answer
}

/// The body of a page that is there.
fn page(metrics: SocketAddr, path: &str) -> String {
    let answer = ask(metrics, &format!("GET {path} HTTP/1.1\r\nHost: it\r\n\r\n"));
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())), "{head}");
    body.to_owned()
}

/// The value of one sample.
fn value(page: &str, sample: &str) -> f64 {
    let line = page.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {sample} in:\n{page}")).parse().unwrap()
}

#[test]
fn consoles_and_those_who_ask_for_metrics_do_not_mistake_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("console");
    let (_server, metrics) = server(&format!("--admin {}", path.display()));
    let mut consoles: Vec<Peer> = (0..3).map(|_| Peer::at_console(&path)).collect();
    for console in &mut consoles {
        console.line_that_starts("* chatline ");
        assert!(page(metrics, "/healthz").contains("ok"));
        console.send_line("/rooms");
        console.line_that_starts("* #lobby ");
    }
    assert!(page(metrics, "/healthz").contains("ok"));
}

#[test]
fn what_has_happened_is_shown() {
    let (server, metrics) = server("--connections-per-address 64");
    let (mut alice, mut bob) = (server.person("alice"), server.person("bob"));
    // Whether an arrival is told depends on the time.
    for peer in [&mut alice, &mut bob] {
        peer.send_line("/quiet on");
        peer.line_that_starts("* comings and goings");
    }
    let before = page(metrics, "/metrics");
    for line in ["one", "two", "/join", "/nonsense"] {
        alice.send_line(line);
    }
    alice.line_that_starts("! usage ");
    alice.line_that_starts("! unknown-command ");
    bob.line_that_starts("#lobby alice: two");
    alice.send_line("quit");
    alice.line_that_starts("* bye");
    alice.rest();
    drop(alice);
    let is_gone = || {
        let page = page(metrics, "/metrics");
        (value(&page, "chatline_connections{kind=\"lines\"}") == 1.0).then_some(page)
    };
    let after = wait_for(is_gone).expect("alice is gone");
    for (sample, more) in [
        ("chatline_lines_in_total", 5.0),
        ("chatline_bytes_in_total", (4 + 4 + 6 + 10 + 5) as f64),
        // Two lines to bob; two refusals and a goodbye to alice.
        ("chatline_lines_out_total", 5.0),
        ("chatline_refusals_total{code=\"usage\"}", 1.0),
        ("chatline_refusals_total{code=\"unknown-command\"}", 1.0),
        ("chatline_refusals_total{code=\"no-room\"}", 0.0),
        ("chatline_partings_total{reason=\"quit\"}", 1.0),
        ("chatline_partings_total{reason=\"lost\"}", 0.0),
        ("chatline_connections_total{kind=\"lines\"}", 0.0),
        ("chatline_people", -1.0),
        ("chatline_rooms", 0.0),
    ] {
        let (then, now) = (value(&before, sample), value(&after, sample));
        assert_eq!(now - then, more, "{sample}: {then}, and then {now}");
    }
    let sent =
        value(&after, "chatline_bytes_out_total") - value(&before, "chatline_bytes_out_total");
    assert!(sent > 100.0, "{sent}");
    let turns = value(&after, "chatline_turn_seconds_count");
    assert_eq!(value(&after, "chatline_turn_seconds_bucket{le=\"+Inf\"}"), turns);
    assert!(turns > value(&before, "chatline_turn_seconds_count"));
    assert_eq!(value(&after, "chatline_queue_bytes"), 0.0);
}

/// The rows of the table in `protocol.md`, each with its name and its type.
fn documented() -> BTreeSet<(String, String)> {
    let path = format!("{}/protocol.md", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let name = cells.next()?.strip_suffix('`')?;
        let kind = cells.next()?;
        let is_metric = ["counter", "gauge", "histogram"].contains(&kind);
        is_metric.then(|| (name.to_owned(), kind.to_owned()))
    });
    rows.collect()
}

/// With a store, and on a Linux that tells all, there is nothing else in the table; elsewhere some
/// of it is not there.
#[test]
fn the_protocol_lists_every_figure_and_its_labels() {
    let folder = tempfile::tempdir().unwrap();
    let kept = folder.path().join("kept.db");
    let data = if cfg!(feature = "store") { kept.to_str().unwrap() } else { "none" };
    let (server, metrics) = server(&format!("--data {data}"));
    server.person("alice");
    let page = page(metrics, "/metrics");
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let mut seen = BTreeSet::new();
    for (name, kind) in types {
        let sample = page.lines().find_map(|line| line.strip_prefix(&format!("{name}{{")));
        let label = sample.and_then(|rest| rest.split('=').next());
        let name = label.map_or(name.to_owned(), |label| format!("{name}{{{label}}}"));
        seen.insert((name, kind.to_owned()));
    }
    let listed = documented();
    let unlisted: Vec<_> = seen.difference(&listed).collect();
    assert!(unlisted.is_empty(), "protocol.md does not list {unlisted:?}");
    let missing: Vec<_> = listed.difference(&seen).map(|(name, _)| name.as_str()).collect();
    let may_lack = |name: &&str| {
        let is_of_machine = ["process_open_fds", "process_max_fds"].contains(name);
        let is_of_store = name.starts_with("chatline_store_") && !cfg!(feature = "store");
        let is_of_tls = name.starts_with("chatline_tls_");
        let is_elsewhere = !cfg!(target_os = "linux") && name.starts_with("process_");
        is_of_machine || is_of_store || is_of_tls || is_elsewhere
    };
    assert!(missing.iter().all(may_lack), "these are not shown: {missing:?}");
}

#[test]
fn health_is_told_by_a_number() {
    let (mut server, metrics) = server("--drain-timeout 20s");
    assert_eq!(page(metrics, "/healthz"), "ok\n");
    assert!(ask(metrics, "GET / HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(ask(metrics, "POST /metrics HTTP/1.1\r\n\r\n").starts_with("HTTP/1.1 405 "));
    // While somebody has not hung up, a server that stops says so.
    let mut alice = server.person("alice");
    server.stop();
    alice.line_that_starts("* bye");
    let answer = ask(metrics, "GET /healthz HTTP/1.0\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    alice.close();
    assert_eq!(server.wait().code(), Some(0));
}

#[test]
fn garbage_is_answered_and_hurts_nobody() {
    let (server, metrics) = server("");
    let mut alice = server.person("alice");
    let many = "a: b\r\n".repeat(1_000);
    let long = format!("GET /metrics HTTP/1.1\r\n{many}");
    for (garbage, status) in [
        ("alice\nhello\n", "400"),
        ("\u{16}\u{3}\u{1}\u{2}\0", "400"),
        (long.as_str(), "431"),
        (&"x".repeat(1 << 20), "431"),
    ] {
        let mut peer = Peer::connect(metrics);
        peer.send(garbage.as_bytes());
        peer.end();
        let answer = String::from_utf8(peer.rest()).unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {answer}");
    }
    // Who asks for nothing is told nothing.
    let mut silent = Peer::connect(metrics);
    silent.end();
    assert_eq!(silent.rest(), b"");
    Peer::connect(metrics).reset();
    alice.send_line("/rooms");
    alice.line_that_starts("* #lobby  (1 here)");
    assert_eq!(page(metrics, "/healthz"), "ok\n");
}

/// Those who do not ask hold every place until others come; then they are cut off.
#[test]
fn slow_scrapers_are_cut_off_and_twenty_get_their_turn() {
    let (server, metrics) = server("");
    let mut slow: Vec<Peer> = (0..8).map(|_| Peer::connect(metrics)).collect();
    slow.iter_mut().for_each(|peer| _ = peer.send(b"GET /metr"));
    let mut scrapers = Vec::new();
    for _ in 0..20 {
        let mut peer = Peer::connect(metrics);
        peer.send(b"GET /metrics HTTP/1.1\r\n\r\n");
        scrapers.push(peer);
    }
    // Meanwhile everybody else is served at once.
    let mut alice = server.person("alice");
    alice.send_line("/rooms");
    alice.line_that_starts("* #lobby  (1 here)");
    for (number, mut peer) in scrapers.into_iter().enumerate() {
        let answer = String::from_utf8(peer.rest()).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{number}: {answer}");
        assert!(answer.contains("chatline_people 1\n"), "{number}: {answer}");
    }
    for peer in &mut slow {
        assert_eq!(peer.rest(), b"");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn who_does_not_hang_up_keeps_nobody_awake() {
    let (server, metrics) = server("");
    let mut peers: Vec<Peer> = (0..3).map(|_| Peer::connect(metrics)).collect();
    for peer in &mut peers {
        peer.send(b"GET /metrics HTTP/1.1\r\n\r\n");
        let body = wait_for(|| peer.is_disconnected().then(|| peer.take())).expect("an answer");
        assert!(body.starts_with(b"HTTP/1.1 200 OK\r\n"));
    }
    // Nine more wait at the door, for the places that are left and for those that are not.
    let waiting: Vec<Peer> = (0..9).map(|_| Peer::connect(metrics)).collect();
    let busy = crate::machine::busy_hundredths(&server);
    assert!(busy < 20, "{busy} hundredths of a second");
    drop((peers, waiting));
}
