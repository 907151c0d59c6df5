//! Certificates on the command line: those that cannot be used, and the one that is made.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::world::on_tcp::ServerProcess;
use crate::world::{PATIENCE, secret};
use crate::{complaint, shown};

/// Writes a certificate and its key, and one more key, into a folder.
fn keys() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, pair) in [("it", secret::known()), ("other", &secret::pair())] {
        fs::write(folder.path().join(format!("{name}.crt")), &pair.cert).unwrap();
        fs::write(folder.path().join(format!("{name}.key")), &pair.key).unwrap();
    }
    let encrypted = secret::known().key.replace("BEGIN ", "BEGIN ENCRYPTED ");
    fs::write(folder.path().join("encrypted.key"), encrypted).unwrap();
    folder
}

#[test]
fn a_certificate_that_cannot_be_used_is_told_with_what_to_do() {
    let folder = keys();
    for (cert, key, told) in [
        ("none.crt", "it.key", "there is no such file; `chatline cert HOST` makes a pair"),
        ("it.crt", "none.key", "there is no such file; `chatline cert HOST` makes a pair"),
        ("it.key", "it.key", "there is no certificate in it"),
        ("it.crt", "it.crt", "there is no key in it"),
        ("it.crt", "other.key", "it does not belong to the certificate in it.crt"),
        ("it.crt", "encrypted.key", "`openssl pkey -in encrypted.key -out plain.key` decrypts it"),
    ] {
        let mut command = ServerProcess::command();
        command.args(["-q", "--listen", "0", "--tls-listen", "0", "--tls-cert", cert]);
        command.args(["--tls-key", key]).current_dir(folder.path());
        let output = assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap();
        let sentence = complaint(&output, 1);
        assert!(sentence.contains(told) && sentence.starts_with("--tls-"), "{sentence}");
    }
}

#[test]
fn a_certificate_is_made_once_and_its_key_is_nobody_elses_to_read() {
    let folder = tempfile::tempdir().unwrap();
    let make = |args: &[&str]| {
        let mut command = ServerProcess::command();
        command.arg("cert").args(args).current_dir(folder.path());
        assert_cmd::Command::from_std(command).timeout(PATIENCE).output().unwrap()
    };
    assert!(complaint(&make(&["chat:9443"]), 1).contains("without a port"));
    assert!(complaint(&make(&[]), 2).contains("HOST"));
    let told = shown(&make(&["chat.example"]));
    assert!(told.contains("ncat --ssl-verify --ssl-trustfile chatline.crt chat.example"), "{told}");
    let mode = |name| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("chatline.key"), 0o600);
    let key = fs::read(folder.path().join("chatline.key")).unwrap();
    assert!(complaint(&make(&["chat.example"]), 1).contains("is there already"));
    let sentence = complaint(&make(&["chat.example", "--key", "new.key"]), 1);
    assert!(sentence.starts_with("chatline.crt is there already"), "{sentence}");
    assert!(!folder.path().join("new.key").exists());
    assert_eq!(fs::read(folder.path().join("chatline.key")).unwrap(), key);
    // It can be served with at once, where it was made.
    let mut command = ServerProcess::command();
    command.args(["--listen", "0", "--tls-listen", "0"]).current_dir(folder.path());
    ServerProcess::spawn(command, 2);
}
