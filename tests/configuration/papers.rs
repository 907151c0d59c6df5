//! Man pages and completions: that each has every flag.

use chatline::config::Declined;

use crate::wanted;

fn shown(args: &[&str]) -> String {
    match wanted(args) {
        Err(Declined::Shown(text)) => text,
        other => panic!("{args:?} shows nothing: {other:?}"),
    }
}

fn flags() -> Vec<String> {
    let command = chatline::config::command();
    command.get_arguments().filter_map(|arg| arg.get_long().map(str::to_owned)).collect()
}

#[test]
fn the_man_page_has_every_flag_and_every_command() {
    let page = shown(&["man"]);
    assert!(page.contains(".TH chatline 1"), "{page}");
    for flag in flags() {
        let flag = format!("\\-\\-{}", flag.replace('-', "\\-"));
        assert!(page.contains(&flag), "{flag} is missing");
    }
    for command in chatline::config::command().get_subcommands() {
        let name = command.get_name();
        assert!(page.contains(&format!("chatline {}", name.replace('-', "\\-"))), "{name}");
        let page = shown(&["man", name]);
        assert!(page.contains(&format!(".TH chatline-{name} 1")), "{page}");
    }
    assert!(page.contains("CHATLINE_PACE"), "{page}");
    for section in ["\"EXIT STATUS\"", "SIGNALS", "ENVIRONMENT", "FILES", "EXAMPLES"] {
        assert!(page.contains(&format!(".SH {section}\n")), "{section} is missing");
    }
    assert!(!page.contains("EXTRA") && !page.contains("(1)\n"), "no page that is not there");
    assert!(shown(&["man", "export"]).contains("\\-\\-since"));
    assert!(page.contains("chatline cert HOST..."), "{page}");
    let cert = shown(&["man", "cert"]);
    assert!(
        cert.contains("HOST...")
            && cert.contains(concat!("\"chatline ", env!("CARGO_PKG_VERSION")))
    );
    let Err(Declined::Refused(why)) = wanted(&["man", "dance"]) else { panic!("it can dance") };
    assert!(why.starts_with("there is no 'dance'; there are export, "), "{why}");
    assert_eq!(shown(&["--config", "/nowhere", "man"]), page, "no file is looked at");
}

#[test]
fn a_command_that_has_no_use_for_a_flag_does_not_offer_it() {
    for name in ["cert", "man", "completions"] {
        let page = shown(&["man", name]);
        assert!(!page.contains("\\-\\-data") && !page.contains("\\-\\-config"), "{page}");
    }
    assert!(shown(&["man", "export"]).contains("\\-\\-data"));
    assert!(shown(&["man", "check-config"]).contains("\\-\\-config"));
}

/// What bash is told to do with what stands behind that command, or that flag of it.
fn bash(of: &str) -> String {
    let text = shown(&["completions", "bash"]);
    let (_, rest) = text.split_once(&format!("\n{of})\n")).expect("it is there");
    rest.split_once(";;\n").unwrap().0.to_owned()
}

#[test]
fn a_shell_completes_what_can_be_typed_there() {
    let man = bash("        chatline__subcmd__man");
    assert!(man.contains(" export ") && !man.contains("--data"), "{man}");
    let shells = bash("        chatline__subcmd__completions");
    assert!(shells.contains(" fish ") && !shells.contains("--config"), "{shells}");
    let [motd, search] = ["motd", "search"].map(|flag| bash(&format!("                --{flag}")));
    assert!(motd.contains("COMPREPLY=(\"${cur}\")"), "no files: {motd}");
    assert!(search.contains("\"on off\""), "{search}");
}

#[test]
fn every_shell_is_helped() {
    for shell in ["bash", "zsh", "fish"] {
        let text = shown(&["completions", shell]);
        for flag in flags().iter().map(String::as_str).chain(["export", "check-config"]) {
            assert!(text.contains(flag), "{shell} is not told of {flag}");
        }
    }
    assert!(wanted(&["completions", "tcsh"]).is_err());
}
