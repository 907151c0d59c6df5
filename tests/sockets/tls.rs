//! TLS on real sockets: who talks, who does not speak it, who takes too long, and certificates that
//! change while people talk.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;

use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::process::Signal;
use rustls::{ClientConnection, StreamOwned};
use tempfile::TempDir;

use crate::admin::answers_at;
use crate::world::on_tcp::{Peer, ServerProcess, wait_for};
use crate::world::secret::{self, Pair};
use crate::world::{PATIENCE, secret::known};
use crate::{flags, lines};

/// A server that has a certificate, and where it is.
struct Secret {
    server: ServerProcess,
    folder: TempDir,
}

fn write(pair: &Pair, folder: &Path) {
    fs::write(folder.join("it.crt"), &pair.cert).unwrap();
    fs::write(folder.join("it.key"), &pair.key).unwrap();
}

impl Secret {
    fn start(more: &str) -> Secret {
        let folder = tempfile::tempdir().unwrap();
        write(known(), folder.path());
        let mut command = ServerProcess::command();
        command.args(["--listen", "127.0.0.1:0", "--tls-listen", "127.0.0.1:0"]);
        command.current_dir(folder.path()).args(["--tls-cert", "it.crt", "--tls-key", "it.key"]);
        command.args(["--admin", "console"]);
        command.args(flags(more));
        Secret { server: ServerProcess::spawn(command, 2), folder }
    }

    fn address(&self) -> SocketAddr {
        self.server.addresses()[1]
    }

    fn tcp(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address()).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    fn connect(&self, pair: &Pair, is_old: bool) -> Talker {
        let stream = StreamOwned::new(pair.connection(is_old), self.tcp());
        Talker(BufReader::new(stream))
    }

    fn person(&self, nick: &str) -> Talker {
        let mut talker = self.connect(known(), false);
        talker.says(nick);
        talker.sees(&format!("* you are {nick}"));
        talker
    }

    /// Waits for a line of its log.
    fn logs(&self, text: &str) {
        let seen = wait_for(|| self.server.log().contains(text).then_some(()));
        seen.unwrap_or_else(|| panic!("the log lacks {text:?}: {}", self.server.log()));
    }
}

/// Somebody within TLS.
struct Talker(BufReader<StreamOwned<ClientConnection, TcpStream>>);

impl Talker {
    fn says(&mut self, line: &str) {
        self.0.get_mut().write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    /// Skips lines up to the first that begins so.
    fn sees(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).unwrap();
            assert!(line.ends_with('\n'), "it ended before {start:?}");
            if line.starts_with(start) {
                return line.trim_end().to_owned();
            }
        }
    }

    /// All that comes up to an end that is told in TLS.
    fn rest(&mut self) -> String {
        let mut text = String::new();
        self.0.read_to_string(&mut text).unwrap();
        text
    }
}

#[test]
fn who_speaks_tls_and_who_does_not_talk_to_each_other() {
    let secret = Secret::start("");
    let mut plain = secret.server.person("plain");
    for (nick, is_old) in [("new", false), ("old", true)] {
        let mut talker = secret.connect(known(), is_old);
        talker.says(nick);
        talker.sees(&format!("* you are {nick}"));
        talker.says("nobody else reads this on the way");
        let seen = plain.line_that_starts("#lobby ");
        assert_eq!(seen, format!("#lobby {nick}: nobody else reads this on the way"));
        plain.send_line(&format!("hello {nick}"));
        talker.sees(&format!("#lobby plain: hello {nick}"));
        talker.says("quit");
        assert!(talker.rest().starts_with(&format!("* bye, {nick}.")));
    }
}

#[test]
fn the_goodbye_comes_through_unread_input_within_tls() {
    let secret = Secret::start("");
    let rubbish = "nobody reads this\n".repeat(250_000 / 18);
    for round in 0..10 {
        let mut talker = secret.connect(known(), round % 2 == 1);
        talker.says(&format!("alice\nquit\n{rubbish}"));
        let seen = talker.rest();
        assert!(seen.lines().last().unwrap().starts_with("* bye, alice"), "{round}: {seen}");
    }
}

#[test]
fn a_line_without_its_end_counts_when_tls_ends() {
    let secret = Secret::start("");
    let mut bystander = secret.server.person("bystander");
    let mut alice = secret.person("alice");
    alice.0.get_mut().write_all(b"last words").unwrap();
    alice.0.get_mut().conn.send_close_notify();
    alice.0.get_mut().flush().unwrap();
    assert_eq!(bystander.line_that_starts("#"), "#lobby alice: last words");
    assert_eq!(alice.rest(), "* bye, alice.\n");
    // Who only closes has ended, too.
    let mut bob = secret.person("bob");
    bob.0.get_mut().write_all(b"cut off").unwrap();
    bob.0.get_ref().sock.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(bystander.line_that_starts("#"), "#lobby bob: cut off");
    assert_eq!(bob.rest(), "* bye, bob.\n");
}

#[test]
fn a_slow_reader_within_tls_gets_all_that_fits_and_is_told_of_the_rest() {
    const LINES: usize = 30_000;
    let padding = "x".repeat(1000);
    let secret = Secret::start("--pace off --queue-bytes 1MiB --read-bytes-per-turn 4KiB");
    let mut slow = secret.person("slow");
    let mut fast = secret.server.person("fast");
    fast.send(&lines(0..LINES, &padding));
    fast.send(b"@fast done\n");
    fast.line_that_starts("@fast: done");
    let (mut next, mut gaps) = (0, 0);
    while next < LINES {
        let mut line = String::new();
        slow.0.read_line(&mut line).unwrap();
        if let Some(said) = line.strip_prefix("#lobby fast: ") {
            assert_eq!(said, format!("{next} {padding}\n"));
            next += 1;
        } else if line.contains(" lines were dropped here") {
            next += line["* ".len()..].split(' ').next().unwrap().parse::<usize>().unwrap();
            gaps += 1;
        }
    }
    assert_eq!((next, gaps > 0), (LINES, true));
    slow.says("quit");
    assert!(slow.rest().contains("* bye, slow"));
}

#[test]
fn who_speaks_plainly_is_told_in_one_line() {
    let secret = Secret::start("--tls-handshake-timeout 1s");
    for typed in [&b"alice\n"[..], b"GET / HTTP/1.1\r\n\r\n", b"\x80", b""] {
        let mut peer = Peer::connect(secret.address());
        peer.send(typed);
        let told = String::from_utf8(peer.rest()).unwrap();
        let text = "! wrong-protocol this port is for TLS: connect with ncat --ssl HOST PORT\n";
        assert_eq!(told, text, "{typed:?}");
        assert!(!peer.was_reset());
        let from = peer.address();
        match typed {
            // Who has said nothing has probed nothing.
            b"" => {
                secret.logs(&format!("event=tls_failed peer={from} cause=\"nothing came in time"))
            }
            _ => secret.logs(&format!("event=wrong_protocol peer={from} saw=plain")),
        }
    }
}

/// The first bytes of a handshake, and no more.
const HALF: &[u8] = b"\x16\x03\x01\x02\x00\x01";

#[test]
fn a_handshake_has_its_time_and_there_are_only_so_many() {
    let secret = Secret::start("--tls-handshake-timeout 2s --tls-handshakes 8");
    let mut pending = [secret.tcp(), secret.tcp()].map(Peer::on);
    pending.iter_mut().for_each(|peer| _ = peer.send(HALF));
    secret.has_handshakes(2);
    // Two are a quarter: what comes next from here finds no place, and nothing in plain text.
    let mut third = Peer::on(secret.tcp());
    assert_eq!(third.rest(), b"");
    let reason = "too-many-handshakes-from-here";
    secret.logs(&format!("event=refused peer={} reason={reason}", third.address()));
    for peer in &mut pending {
        assert_eq!(peer.rest(), b"", "an end, and nothing in plain text");
        secret.logs(&format!("event=tls_failed peer={} ", peer.address()));
    }
    secret.person("alice");
}

impl Secret {
    fn answers(&self, orders: &str) -> Vec<String> {
        answers_at(&self.folder.path().join("console"), orders)
    }

    /// Waits until so many connections are in their handshake, as the console sees it.
    fn has_handshakes(&self, count: usize) {
        let mut told = Vec::new();
        let seen = wait_for(|| {
            told = self.answers("/conns\n");
            let rows = told.iter().filter(|row| row.ends_with(" tls handshake"));
            (rows.count() == count).then_some(())
        });
        seen.unwrap_or_else(|| panic!("not {count} handshakes: {told:?}"));
    }
}

#[test]
fn who_sends_nothing_makes_room_for_who_comes() {
    let secret = Secret::start("--tls-handshake-timeout 60s --tls-handshakes 8");
    let mut begun = Peer::on(secret.tcp());
    begun.send(HALF);
    secret.has_handshakes(1);
    let mut idle = Peer::on(secret.tcp());
    secret.has_handshakes(2);
    // The console was answered in a turn of its own: what is there by now was looked at.
    let _alice = secret.person("alice");
    assert_eq!(idle.rest(), b"", "an end, and nothing in plain text");
    secret.logs(&format!(
        "event=refused peer={} reason=too-many-handshakes-from-here",
        idle.address()
    ));
    secret.has_handshakes(1);
    let log = secret.server.log();
    assert!(!log.contains(&format!("peer={} reason", begun.address())), "{log}");
}

#[test]
fn a_ban_of_an_address_ends_its_handshakes() {
    let secret = Secret::start("");
    let mut pending = Peer::on(secret.tcp());
    pending.send(HALF);
    secret.has_handshakes(1);
    secret.answers("/ban 127.0.0.2 1h\n");
    secret.has_handshakes(1);
    secret.answers("/ban 127.0.0.0/8 1h\n");
    secret.has_handshakes(0);
    assert_eq!(pending.rest(), b"", "an end, and nothing in plain text");
    secret.logs(&format!("event=refused peer={} reason=banned", pending.address()));
}

#[test]
fn who_comes_to_the_end_of_a_handshake_while_nobody_is_let_in_is_told_so() {
    let secret = Secret::start("");
    let (mut state, mut stream) = (known().connection(false), secret.tcp());
    state.write_tls(&mut stream).unwrap();
    secret.has_handshakes(1);
    let told = secret.answers("/shutdown 3600\n");
    assert!(told[0].starts_with("* the server stops in 3600 s"), "{told:?}");
    let mut late = Talker(BufReader::new(StreamOwned::new(state, stream)));
    late.says("alice");
    assert_eq!(
        late.rest(),
        "* bye: the server is stopping. If your prompt does not come back, press Enter.\n"
    );
}

#[test]
fn who_may_not_come_in_is_told_why_within_tls() {
    let secret = Secret::start("");
    secret.answers("/ban 127.0.0.0/8 1h flood\n");
    let mut banned = secret.connect(known(), false);
    banned.says("alice");
    let told = banned.rest();
    assert!(told.starts_with("! banned your address was banned from this server by "), "{told}");
    assert!(told.ends_with(": flood\n"), "{told}");
    let address = banned.0.get_ref().sock.local_addr().unwrap();
    secret.logs(&format!("event=refused peer={address} reason=banned"));
    secret.answers("/unban 127.0.0.0/8\n/shutdown 3600 a new disk\n");
    let mut late = secret.connect(known(), false);
    late.says("alice");
    assert!(late.rest().starts_with("* bye: the server is stopping."));
}

#[test]
fn nonsense_gets_an_alert_and_hurts_nobody() {
    let secret = Secret::start("");
    let mut alice = secret.person("alice");
    let mut peer = Peer::on(secret.tcp());
    peer.send(b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00");
    let seen = peer.rest();
    assert_eq!((seen.len(), &seen[..2], seen[5]), (7, &b"\x15\x03"[..], 2), "a fatal alert");
    let mut bob = secret.person("bob");
    bob.0.get_mut().sock.write_all(b"\x17\x03\x03\x00\x14not encrypted at all").unwrap();
    bob.0.read_to_end(&mut Vec::new()).expect_err("a fatal alert");
    alice.says("/who bob");
    alice.sees("! no-such-user ");
}

#[test]
fn a_server_may_speak_tls_alone() {
    let folder = tempfile::tempdir().unwrap();
    write(known(), folder.path());
    let mut command = ServerProcess::command();
    command.current_dir(folder.path()).args(["--listen", "off", "--tls-listen", "0"]);
    command.args(["--tls-cert", "it.crt", "--tls-key", "it.key"]);
    let server = ServerProcess::spawn(command, 1);
    let log = wait_for(|| Some(server.log()).filter(|log| log.contains("event=started"))).unwrap();
    let started = log.split_once(" listen=").unwrap().1.trim_end();
    let (listen, rest) = started.split_once(' ').unwrap();
    assert!(rest.starts_with("admin=") && rest.ends_with(" metrics=-"), "{log}");
    assert_eq!(listen, server.addresses()[0].to_string(), "it listens nowhere else: {log}");
    let stream = TcpStream::connect(server.addresses()[0]).unwrap();
    let stream = StreamOwned::new(known().connection(false), stream);
    Talker(BufReader::new(stream)).sees("* chatline: nobody is here yet.");
}

#[test]
fn a_full_server_says_nothing_in_plain_text() {
    let secret = Secret::start("--connections 1");
    let _alice = secret.person("alice");
    assert_eq!(Peer::on(secret.tcp()).rest(), b"");
}

#[test]
fn a_handshake_that_is_not_done_is_a_connection_that_has_ended() {
    let secret = Secret::start("");
    let peer = secret.tcp();
    let from = peer.local_addr().unwrap();
    drop(peer);
    secret.logs(&format!("event=connection peer={from} kind=tls nick=- account=- "));
    let told = secret.answers("/stats\n");
    assert!(told.iter().any(|line| line.starts_with("* partings: 1 (1 ")), "{told:?}");
}

#[test]
fn it_is_told_when_a_certificate_ends() {
    let secret = Secret::start("");
    secret.logs("INFO event=certificate_loaded file=it.crt not_after=4096-01-01T00:00:00Z");
    let in_a_week = jiff::Timestamp::now().as_second() + 7 * 86_400;
    let in_a_week = jiff::Timestamp::from_second(in_a_week).unwrap().to_string();
    let day: Vec<i32> = in_a_week[..10].split('-').map(|it| it.parse().unwrap()).collect();
    for (year, month, day, event) in
        [(day[0], day[1] as u8, day[2] as u8, "certificate_ends"), (2020, 1, 1, "certificate_over")]
    {
        let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(year, month, day);
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap().pem();
        fs::write(secret.folder.path().join("it.crt"), cert).unwrap();
        fs::write(secret.folder.path().join("it.key"), key.serialize_pem()).unwrap();
        secret.server.signal(Signal::HUP);
        let until = format!("{year:04}-{month:02}-{day:02}T00:00:00Z");
        secret.logs(&format!("WARN event={event} not_after={until}"));
    }
}

#[test]
fn certificates_change_and_nobody_is_dropped() {
    let secret = Secret::start("");
    let mut alice = secret.person("alice");
    let greets = |pair: &Pair| {
        let mut talker = secret.connect(pair, false);
        let mut line = String::new();
        talker.0.read_line(&mut line).is_ok_and(|_| line.starts_with("* chatline"))
    };

    let second = secret::pair();
    write(&second, secret.folder.path());
    secret.server.signal(Signal::HUP);
    let loaded = || secret.server.log().matches("event=certificate_loaded").count();
    wait_for(|| (loaded() == 2).then_some(())).expect("at the start, and again");
    assert!(greets(&second) && !greets(known()));

    fs::write(secret.folder.path().join("it.key"), &known().key).unwrap();
    secret.server.signal(Signal::HUP);
    secret.logs("event=certificate_kept cause=\"--tls-key it.key: it does not belong");
    assert!(greets(&second), "the old one is used");

    let third = secret::pair();
    write(&third, secret.folder.path());
    wait_for(|| greets(&third).then_some(())).expect("a file that has changed is noticed");
    alice.says("@alice still here");
    alice.sees("@alice: still here");
    let log = secret.server.log();
    assert_eq!(log.matches("event=certificate_kept").count(), 1, "{log}");

    let told = secret.answers("/reload\n");
    assert_eq!(told[0], "* the certificate was read again: it.crt");
    assert!(told[1].starts_with("* there is no --config "), "{told:?}");
    fs::write(secret.folder.path().join("it.key"), &known().key).unwrap();
    let told = secret.answers("/reload\n");
    let why = "* the certificate stays as it was: --tls-key it.key: it does not belong";
    assert!(told[0].starts_with(why), "{told:?}");
}

#[test]
fn what_is_no_file_holds_up_nobody() {
    let secret = Secret::start("");
    let mut alice = secret.person("alice");
    let cert = secret.folder.path().join("it.crt");
    fs::remove_file(&cert).unwrap();
    mkfifoat(CWD, &cert, Mode::RUSR | Mode::WUSR).unwrap();
    secret.server.signal(Signal::HUP);
    secret.logs("event=certificate_kept cause=\"--tls-cert it.crt: it is no regular file");
    fs::remove_file(&cert).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &cert).unwrap();
    secret.server.signal(Signal::HUP);
    let kept = || secret.server.log().matches("event=certificate_kept").count();
    wait_for(|| (kept() >= 2).then_some(())).expect("it is told again");
    alice.says("@alice still here");
    alice.sees("@alice: still here");
    secret.person("bob");
}
