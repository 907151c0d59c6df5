//! What is made of the table of flags for others to read: man pages and shell completions.
//!
//! Promises: every flag is in it, and nothing that there is not; what a shell can complete is what
//! can be typed there. Deliberately writes no files: where they belong differs from system to
//! system.

use std::io;

use clap::builder::PossibleValuesParser;
use clap::{Arg, ArgAction, Command, ValueHint};
use clap_complete::Shell;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::command;

/// What ends the program, for people who write scripts.
const EXITS: [(&str, &str); 3] = [
    ("0", "It was stopped, or what was asked for is done."),
    ("1", "The machine refuses: a port is taken, a file cannot be opened."),
    ("2", "A flag, a variable or the file of --config is wrong."),
];

/// Which signals it takes.
const SIGNALS: [(&str, &str); 2] = [
    (
        "SIGTERM, SIGINT",
        "Everybody is told goodbye and gets their last lines; then it stops. Another one stops it \
         at once.",
    ),
    (
        "SIGHUP",
        "The file of --config and the certificate are read again, and what can be applied is. It \
         does not stop the server.",
    ),
];

/// What it reads and writes, where the flags say nothing else.
const FILES: [(&str, &str); 3] = [
    ("chatline.db", "What was said is kept there, with rooms and accounts (--data)."),
    (
        "chatline.crt, chatline.key",
        "The certificate for TLS and its key (--tls-cert, --tls-key); chatline cert makes them.",
    ),
    ("chatline.toml", "What --config could name: any flag, by its name without dashes."),
];

/// Variables that are no flag's.
const VARIABLES: [(&str, &str); 3] = [
    ("CHATLINE_*", "Each flag with a value has one, which is named beside it."),
    (
        "RUST_LOG",
        "What is logged, as in chatline=debug; it is stronger than --verbose and --quiet.",
    ),
    (
        "LISTEN_FDS, NOTIFY_SOCKET, WATCHDOG_USEC",
        "What a service manager says: sd_listen_fds(3), sd_notify(3).",
    ),
];

/// The commands, of which a shell can only be told what is known before the program runs.
const COMMANDS: [&str; 8] =
    ["export", "invite", "backup", "forget", "cert", "check-config", "man", "completions"];

/// What is typed most.
const EXAMPLES: [(&str, &str); 4] = [
    ("chatline", "Serves this machine; nc 127.0.0.1 9000 comes in."),
    ("chatline --listen 0.0.0.0:9000", "Serves the network, in plain text."),
    (
        "chatline --listen off --tls-listen 0.0.0.0:9443",
        "Serves the network within TLS alone, with what chatline cert HOST has made.",
    ),
    ("chatline check-config --config chatline.toml", "Says what is wrong in that file."),
];

/// The man page of the program, or of one of its commands, as roff.
///
/// # Errors
/// One sentence without its end, when there is no such command.
pub(super) fn man(of: Option<&str>) -> Result<String, String> {
    let command = without_unused(command());
    let Some(name) = of else {
        return written(|page| whole(command, page));
    };
    let mut command = command;
    command.build();
    let found = command.get_subcommands().find(|command| command.get_name() == name);
    let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
    let found = found.cloned().ok_or_else(|| {
        format!("there is no '{}'; there are {}", name.escape_debug(), names.join(", "))
    })?;
    let source = format!("chatline {}", env!("CARGO_PKG_VERSION"));
    // The page alone does not say by itself that there may be several.
    let found = found.mut_args(|arg| match arg.get_id().as_str() {
        "hosts" => arg.value_name("HOST..."),
        _ => arg,
    });
    written(|page| Man::new(found).source(source).render(page))
}

/// The page of the program: what is made of the table, and what stands in no table.
fn whole(command: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let commands: Vec<(String, String)> = command
        .get_subcommands()
        .map(|it| (usage(it), it.get_about().map(ToString::to_string).unwrap_or_default()))
        .collect();
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let amounts = after.lines().next().unwrap_or_default().to_owned();
    let man = Man::new(command);
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    text(&amounts, page)?;
    man.render_options_section(page)?;
    section("COMMANDS", commands.iter().map(|(usage, about)| (&**usage, &**about)), page)?;
    text("chatline man COMMAND writes the page of one of them.", page)?;
    section("EXIT STATUS", EXITS, page)?;
    section("SIGNALS", SIGNALS, page)?;
    section("ENVIRONMENT", VARIABLES, page)?;
    section("FILES", FILES, page)?;
    section("EXAMPLES", EXAMPLES, page)?;
    man.render_version_section(page)
}

/// How a command is typed: its name, and what must stand behind it.
fn usage(command: &Command) -> String {
    let is_shown = |arg: &&Arg| arg.is_positional() || arg.is_required_set();
    let wanted = command.get_arguments().filter(is_shown);
    let wanted = wanted.map(|arg| {
        let name = arg.get_value_names().and_then(|names| names.first());
        let name = name.map_or_else(|| arg.get_id().as_str(), |name| name.as_str());
        let is_list = arg.is_positional() && matches!(arg.get_action(), ArgAction::Append);
        let more = if is_list { "..." } else { "" };
        match (arg.get_long(), arg.is_required_set()) {
            (Some(long), _) => format!(" --{long} {name}"),
            (None, true) => format!(" {name}{more}"),
            (None, false) => format!(" [{name}]"),
        }
    });
    format!("chatline {}{}", command.get_name(), wanted.collect::<String>())
}

/// A section of terms, each with what it is.
fn section<'t>(
    name: &str,
    rows: impl IntoIterator<Item = (&'t str, &'t str)>,
    page: &mut Vec<u8>,
) -> io::Result<()> {
    let mut roff = Roff::new();
    roff.control("SH", [name]);
    for (term, what) in rows {
        roff.control("TP", []).text([bold(term)]).text([roman(what)]);
    }
    roff.to_writer(page)
}

/// A paragraph.
fn text(text: &str, page: &mut Vec<u8>) -> io::Result<()> {
    Roff::new().control("PP", []).text([roman(text)]).to_writer(page)
}

/// What completes flags and commands in that shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut command = without_unused(command());
    // What is no path is not completed with the names of files.
    let spare = |arg: Arg| match arg.get_value_hint() {
        ValueHint::Unknown if arg.get_action().takes_values() => arg.value_hint(ValueHint::Other),
        _ => arg,
    };
    command = command.mut_args(spare).mut_subcommands(|command| command.mut_args(spare));
    let among = |arg: Arg, values: &[&'static str]| {
        arg.value_parser(PossibleValuesParser::new(values.iter().copied()))
    };
    command = command.mut_arg("search", |arg| among(arg, &["on", "off"]));
    command = command.mut_subcommand("man", |it| it.mut_arg("of", |arg| among(arg, &COMMANDS)));
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, "chatline", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// The table without the flags that a command takes and has no use for.
fn without_unused(command: Command) -> Command {
    let shared: Vec<Arg> =
        command.get_arguments().filter(|it| it.is_global_set()).cloned().collect();
    let command = command.mut_args(|arg| arg.global(false));
    command.mut_subcommands(|command| match command.get_name() {
        "cert" | "man" | "completions" => command,
        _ => command.args(shared.iter().map(|arg| arg.clone().global(false))),
    })
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<String, String> {
    let mut page = Vec::new();
    write(&mut page).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_is_known() {
        let command = command();
        assert!(command.get_subcommands().map(Command::get_name).eq(COMMANDS));
    }
}
