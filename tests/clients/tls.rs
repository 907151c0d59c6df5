//! Real clients within TLS, each of which checks the certificate that `chatline cert` has made.
//!
//! Promises: what a client does at the end of its input is what the documents say, and none of them
//! talks to a server that it cannot check. Does not test what is said, only that it arrives.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::program::{Ran, client, installed, run};
use crate::stage::Server;
use crate::{A_SECOND, AT_ONCE};

/// A server with a certificate for this machine.
struct Secret {
    server: Server,
    port: u16,
    folder: TempDir,
}

fn make_cert(folder: &TempDir, name: &str) -> PathBuf {
    let path = |end: &str| folder.path().join(format!("{name}.{end}"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatline"));
    command.args(["cert", "localhost", "127.0.0.1", "--cert"]).arg(path("crt"));
    command.arg("--key").arg(path("key")).stdout(Stdio::null());
    assert!(command.status().expect("it starts").success());
    path("crt")
}

impl Secret {
    fn start() -> Secret {
        let folder = tempfile::tempdir().expect("there is a place for temporary files");
        make_cert(&folder, "other");
        let cert = make_cert(&folder, "it");
        let key = cert.with_extension("key");
        let [cert, key] = [&cert, &key].map(|path| path.to_str().expect("it is text"));
        let flags = ["--tls-listen", "127.0.0.1:0", "--tls-cert", cert, "--tls-key", key];
        let mut server = Server::start(&flags);
        let port = server.next_port();
        Secret { server, port, folder }
    }

    /// A client's command, with `CERT` filled in as well.
    fn client(&self, words: &[&str], cert: &str) -> Option<Command> {
        let cert = self.folder.path().join(format!("{cert}.crt"));
        let cert = cert.to_str().expect("it is text");
        let words: Vec<String> = words.iter().map(|word| word.replace("CERT", cert)).collect();
        client(&words.iter().map(String::as_str).collect::<Vec<_>>(), self.port)
    }
}

/// Runs a client that checks the certificate, and then one that expects another: that must not
/// show anything.
fn ran(words: &[&str], input: &[u8]) -> Option<(Ran, String)> {
    let secret = Secret::start();
    let mut bystander = secret.server.person("bystander");
    let command = secret.client(words, "it")?;
    let ran = run(command, input, AT_ONCE);
    let seen = bystander.sees("#lobby ");
    let wrong = run(secret.client(words, "other")?, input, A_SECOND);
    assert_eq!(wrong.ended().output(), "", "it talks to a server that it cannot check");
    Some((ran, seen))
}

/// It checks names, and no addresses.
const NCAT: &[&str] = &["ncat", "--ssl-verify", "--ssl-trustfile", "CERT", "localhost", "PORT"];
const SOCAT: &[&str] = &["socat", "-", "OPENSSL:HOST:PORT,cafile=CERT"];
const OPENSSL: &[&str] = &[
    "openssl",
    "s_client",
    "-quiet",
    "-verify_return_error",
    "-verify_ip",
    "HOST",
    "-CAfile",
    "CERT",
    "-connect",
    "HOST:PORT",
];

#[test]
fn ncat_within_tls_ends_by_itself() {
    let Some((ran, seen)) = ran(NCAT, b"alice\nhello from a pipe") else { return };
    ran.ended().printed("* you are alice").printed("* bye, alice.");
    assert_eq!(seen, "#lobby alice: hello from a pipe");
}

#[test]
fn socat_within_tls_ends_by_itself() {
    let Some((ran, seen)) = ran(SOCAT, b"alice\nhello from a pipe") else { return };
    ran.ended().printed("* you are alice").printed("* bye, alice.");
    assert_eq!(seen, "#lobby alice: hello from a pipe");
}

#[test]
fn openssl_ends_at_quit() {
    let Some((ran, seen)) = ran(OPENSSL, b"alice\nhello from a pipe\nquit\n") else { return };
    ran.ended().printed("* you are alice").printed("* bye, alice.");
    assert_eq!(seen, "#lobby alice: hello from a pipe");
}

#[test]
fn lines_of_an_ncat_within_tls_that_only_sends_arrive() {
    let words = [&["ncat", "--send-only"], &NCAT[1..]].concat();
    let Some((ran, seen)) = ran(&words, b"#lobby hello from a pipe\n") else { return };
    ran.ended();
    assert!(seen.ends_with(": hello from a pipe"), "{seen}");
}

#[test]
fn a_certificate_has_the_fingerprint_that_was_told() {
    let Some(openssl) = installed("openssl") else { return };
    let folder = tempfile::tempdir().expect("there is a place for temporary files");
    let mut command = Command::new(env!("CARGO_BIN_EXE_chatline"));
    command.args(["cert", "chat.example", "192.0.2.1", "2001:db8::1"]).current_dir(&folder);
    let told = command.output().expect("it starts");
    let told = String::from_utf8(told.stdout).expect("it is text");
    let mut look = Command::new(openssl);
    look.args(["x509", "-noout", "-sha256", "-fingerprint", "-in", "chatline.crt"]);
    look.args(["-ext", "subjectAltName"]).current_dir(&folder);
    let seen = String::from_utf8(look.output().expect("it starts").stdout).expect("it is text");
    let print = told.lines().last().expect("the fingerprint is the last line").trim();
    assert!(print.len() == 95 && seen.contains(print), "{told}\n{seen}");
    for name in ["DNS:chat.example", "IP Address:192.0.2.1", "IP Address:2001:DB8:0:0:0:0:0:1"] {
        assert!(seen.contains(name), "{name} is not in {seen}");
    }
}
