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
        assert!(page.contains(&format!("chatline\\-{}", name.replace('-', "\\-"))), "{name}");
        let page = shown(&["man", name]);
        assert!(page.contains(&format!(".TH chatline-{name} 1")), "{page}");
    }
    assert!(page.contains("CHATLINE_PACE"), "{page}");
    assert!(shown(&["man", "export"]).contains("\\-\\-since"));
    let Err(Declined::Refused(why)) = wanted(&["man", "dance"]) else { panic!("it can dance") };
    assert!(why.starts_with("there is no 'dance'; there are export, "), "{why}");
    assert_eq!(shown(&["--config", "/nowhere", "man"]), page, "no file is looked at");
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
