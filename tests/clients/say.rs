//! `scripts/say`, through every netcat that is here.
//!
//! Promises: what it posts arrives as it was typed, whatever it begins with; its exit code tells
//! whether it was said. Does not test the server's reasons for refusing.

use std::path::Path;
use std::time::Duration;

use crate::program::{Ran, run};
use crate::scripts::{Script, closed_port, netcats, token};
use crate::stage::Server;

fn say(netcat: &Path, called: &str, port: u16, args: &[&str], input: &str) -> Ran {
    say_as(netcat, called, port, &[], args, input)
}

/// The same with these variables.
fn say_as(
    netcat: &Path,
    called: &str,
    port: u16,
    variables: &[(&str, &str)],
    args: &[&str],
    input: &str,
) -> Ran {
    let mut script = Script::of("say", netcat, called, port);
    script.command.args(args).envs(variables.iter().copied());
    run(script.command, input.as_bytes(), Duration::ZERO)
}

#[test]
fn what_is_said_arrives_as_it_was_typed() {
    let typed = ["quit", "/quit", "-n", "#other x", "@bystander x", "%s \\n", "  indented", "end"];
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut bystander = server.person("bystander");
        let ran = say(&netcat, called, server.port(), &["#lobby"], &typed.join("\n"));
        ran.ended().exited(0);
        for line in typed {
            let seen = bystander.sees("#lobby guest-");
            assert!(seen.ends_with(&format!(": {line}")), "{line:?} came as {seen:?}: {ran}");
        }
        say(&netcat, called, server.port(), &["lobby", "two", "words"], "").ended().exited(0);
        let seen = bystander.sees("#lobby guest-");
        assert!(seen.ends_with(": two words"), "{seen}");
    }
}

#[test]
fn what_is_refused_is_told() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let ran = say(&netcat, called, server.port(), &["nowhere", "hello"], "");
        ran.ended().exited(1).complained("! no-such-room ");
    }
}

#[test]
fn a_server_that_is_not_there_is_told() {
    let port = closed_port();
    for (netcat, called) in netcats() {
        let ran = say(&netcat, called, port, &["lobby", "hello"], "");
        ran.ended().exited(1).complained("nothing answered");
    }
}

#[test]
fn wrong_usage_is_told() {
    for args in [&[][..], &["two words"], &["-x", "hello"], &["#"], &["--json"]] {
        for (netcat, called) in netcats() {
            say(&netcat, called, 1, args, "").ended().exited(2).complained("usage:");
        }
    }
}

#[test]
#[cfg_attr(not(feature = "store"), ignore = "it needs the store")]
fn a_token_gives_its_name_and_a_wrong_one_says_nothing() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut owner = server.person("owner");
        owner.types("/join dev");
        let secret = token(&mut owner, "ci");
        let ci = |secret: &str, args: &[&str], input: &str| {
            let variables = [("CHATLINE_NAME", "ci"), ("CHATLINE_TOKEN", secret)];
            say_as(&netcat, called, server.port(), &variables, args, input)
        };
        for args in [&["dev"][..], &["--block", "dev"], &["--json", "dev"]] {
            ci("ct_0", args, "not\nsaid\n").ended().exited(1).complained("! wrong-password ");
        }
        for args in [&["dev"][..], &["--block", "dev"], &["--json", "dev"]] {
            ci(&secret, args, "one\ntwo\n").ended().exited(0);
            for line in ["one", "two"] {
                assert_eq!(owner.sees("#dev "), format!("#dev ci: {line}"));
            }
        }
    }
}

#[test]
fn many_lines_are_one_message_whatever_they_begin_with() {
    let typed = ["first", "", ".", "..", ".x", "quit", "/quit", "  \"\\n", "end"];
    for (netcat, called) in netcats() {
        for args in [&["--block", "lobby"][..], &["--json", "--block", "lobby"]] {
            let server = Server::start(&[]);
            let mut bystander = server.person("bystander");
            let ran = say(&netcat, called, server.port(), args, &typed.join("\n"));
            ran.ended().exited(0);
            bystander.types("/show 1");
            for line in typed {
                assert_eq!(bystander.sees("* |"), format!("* | {line}"), "{ran}");
            }
            say(&netcat, called, server.port(), args, "\n  \n").ended().exited(0);
            bystander.types("/show 2");
            bystander.sees("! no-such-line ");
        }
    }
}

#[test]
fn each_line_has_its_answer_of_json() {
    for (netcat, called) in netcats() {
        let server = Server::start(&[]);
        let mut bystander = server.person("bystander");
        let typed = "\"quoted\" \\ and\ttabbed\n\nquit\n";
        let ran = say(&netcat, called, server.port(), &["--json", "lobby"], typed);
        ran.ended().exited(0);
        assert_eq!(ran.output(), "{\"type\":\"ok\",\"re\":1}\n{\"type\":\"ok\",\"re\":2}\n");
        for line in ["\"quoted\" \\ and tabbed", "quit"] {
            let seen = bystander.sees("#lobby guest-");
            assert!(seen.ends_with(&format!(": {line}")), "{line:?} came as {seen:?}: {ran}");
        }
        for args in
            [&["--json", "nowhere", "hello"][..], &["--json", "--block", "nowhere", "hello"]]
        {
            let ran = say(&netcat, called, server.port(), args, "");
            ran.ended().exited(1).printed("{\"type\":\"refused\",\"re\":1,");
            ran.printed("\"code\":\"no-such-room\"");
        }
    }
}

#[test]
fn a_token_without_its_name_is_wrong_usage() {
    for (netcat, called) in netcats() {
        let ran = say_as(&netcat, called, 1, &[("CHATLINE_TOKEN", "ct_0")], &["lobby", "x"], "");
        ran.ended().exited(2).complained("CHATLINE_NAME");
    }
}
