//! The units for systemd: that what they start is a server whose flags there are, and that each
//! name in them is one of systemd's.
//!
//! Promises: a slip in a unit, which systemd would only warn of, is found here. Does not test what
//! systemd makes of them.

use std::fs;

use chatline::config::{Config, Endpoint, Wanted};
use chatline::net::figures::Kind;

use crate::wanted;

/// Names of systemd.unit(5), systemd.service(5), systemd.socket(5) and systemd.exec(5).
const NAMES: &[&str] = &[
    "After",
    "AmbientCapabilities",
    "Backlog",
    "CapabilityBoundingSet",
    "Description",
    "Documentation",
    "ExecReload",
    "ExecStart",
    "FileDescriptorName",
    "Group",
    "KeepAlive",
    "KillSignal",
    "LimitNOFILE",
    "ListenStream",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoDelay",
    "NoNewPrivileges",
    "PrivateDevices",
    "PrivateTmp",
    "PrivateUsers",
    "ProcSubset",
    "ProtectClock",
    "ProtectControlGroups",
    "ProtectHome",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "ProtectProc",
    "ProtectSystem",
    "RemoveIPC",
    "Restart",
    "RestartSec",
    "RestrictAddressFamilies",
    "RestrictNamespaces",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "RuntimeDirectory",
    "RuntimeDirectoryMode",
    "Service",
    "StateDirectory",
    "StateDirectoryMode",
    "SystemCallArchitectures",
    "SystemCallErrorNumber",
    "SystemCallFilter",
    "TimeoutStopSec",
    "Type",
    "UMask",
    "User",
    "WantedBy",
    "Wants",
    "WatchdogSec",
    "WorkingDirectory",
];

/// The settings of a unit, each with its value on one line.
fn settings(unit: &str) -> Vec<(String, String)> {
    let path = format!("{}/scripts/{unit}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(path).unwrap().replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '[']));
    let settings = lines.map(|line| line.split_once('=').expect("it is a setting"));
    settings.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn value_of(unit: &str, name: &str) -> String {
    let settings = settings(unit);
    let found = settings.into_iter().find(|(it, _)| it == name);
    found.unwrap_or_else(|| panic!("{unit} has no {name}")).1
}

/// The configuration with which the unit starts the server, but for where the file is.
fn started() -> Config {
    let command = value_of("chatline.service", "ExecStart");
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/chatline.toml");
    let words = command.split_whitespace().skip(1);
    let words: Vec<&str> = words
        .map(|word| if word == "/etc/chatline/chatline.toml" { example } else { word })
        .collect();
    assert!(words.contains(&example), "it reads a file: {command}");
    match wanted(&words) {
        Ok(Wanted::Server(config)) => *config,
        other => panic!("it starts no server: {other:?}"),
    }
}

#[test]
fn each_name_is_one_of_systemd() {
    for unit in ["chatline.service", "chatline.socket"] {
        for (name, _) in settings(unit) {
            assert!(NAMES.contains(&name.as_str()), "{unit}: {name}");
        }
    }
}

#[test]
fn the_service_starts_a_server_that_may_write_where_it_writes() {
    let config = started();
    let service = |name| value_of("chatline.service", name);
    let console = config.admin.expect("it has a console");
    assert!(console.starts_with(format!("/run/{}", service("RuntimeDirectory"))));
    let kept = config.data.expect("it keeps what is said").path;
    assert!(kept.is_relative(), "it is where the unit works");
    assert_eq!(service("WorkingDirectory"), format!("/var/lib/{}", service("StateDirectory")));
    assert_eq!(service("Type"), "notify", "as the server tells when it listens");
    assert!(service("ExecReload").ends_with("-HUP $MAINPID"));
}

#[test]
fn the_socket_is_what_the_server_would_open() {
    let socket = |name| value_of("chatline.socket", name);
    assert_eq!(socket("Service"), "chatline.service");
    let name = socket("FileDescriptorName");
    assert!(Kind::ALL.iter().any(|kind| kind.word() == name), "{name}");
    assert_eq!(started().listen, [Endpoint::parse(&socket("ListenStream")).unwrap()]);
}
