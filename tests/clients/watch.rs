//! `scripts/watch`, through every netcat that is here.
//!
//! Promises: the room is told how a command ended, its output is shown, and its exit code is kept,
//! whatever becomes of the telling. Does not look at how long a command is said to have taken.

use std::path::Path;
use std::time::Duration;

use crate::program::{Ran, run};
use crate::scripts::{Script, closed_port, netcats};
use crate::stage::Server;

fn watch(netcat: &Path, called: &str, port: u16, args: &[&str]) -> Ran {
    let mut script = Script::of("watch", netcat, called, port);
    script.command.args(args).env("CHATLINE_NAME", "build");
    let ran = run(script.command, b"what is typed\n", Duration::ZERO);
    let left = std::fs::read_dir(script.temporary.path()).expect("it is there").count();
    assert_eq!(left, 0, "files are left: {ran}");
    ran
}

#[test]
fn a_command_that_went_well_is_told_in_one_line() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut bystander = server.person("bystander");
        let ran = watch(&netcat, called, server.port(), &["sh", "-c", "cat; echo done"]);
        ran.ended().exited(0);
        assert_eq!(ran.output(), "what is typed\ndone\n");
        let seen = bystander.sees("#lobby build: ");
        let told = "#lobby build: 'sh -c cat; echo done' ended with 0 after ";
        assert!(seen.starts_with(told), "{seen}");
        bystander.types("/show 2");
        bystander.sees("! no-such-line ");
    }
}

#[test]
fn a_command_that_failed_is_told_with_its_last_lines() {
    let command = "for n in 1 2 3 4; do echo line $n; done; echo why >&2; exit 3";
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut bystander = server.person("bystander");
        bystander.types("/join dev");
        bystander.sees("* you made #dev");
        let args = ["--room", "#dev", "--lines", "3", "sh", "-c", command];
        let ran = watch(&netcat, called, server.port(), &args);
        ran.ended().exited(3).printed("line 1\nline 2\nline 3\nline 4\nwhy\n");
        assert!(bystander.sees("#dev build: ").contains(" ended with 3 after "));
        for line in ["line 3", "line 4", "why"] {
            assert_eq!(bystander.sees("#dev build: "), format!("#dev build: {line}"), "{ran}");
        }
    }
}

#[test]
fn a_command_ends_as_it_does_also_when_nobody_can_be_told() {
    for (netcat, called) in netcats() {
        let port = closed_port();
        for code in [0, 3] {
            let ran = watch(&netcat, called, port, &["sh", "-c", &format!("exit {code}")]);
            ran.ended().exited(code).complained("was not told");
        }
        watch(&netcat, called, port, &["no-such-command"]).ended().exited(127);
    }
}

#[test]
fn wrong_usage_is_told() {
    for args in [&[][..], &["--room"], &["--lines", "x", "true"], &["-x", "true"]] {
        for (netcat, called) in netcats() {
            watch(&netcat, called, 1, args).ended().exited(2).complained("usage:");
        }
    }
}
