//! What is made of the table of flags for others to read: man pages and shell completions.
//!
//! Promises: every flag is in it, and nothing else is. Deliberately writes no files: where they
//! belong differs from system to system.

use std::io;

use clap::Command;
use clap_complete::Shell;
use clap_mangen::Man;

use super::command;

/// The man page of the program, or of one of its commands, as roff.
///
/// # Errors
/// One sentence without its end, when there is no such command.
pub(super) fn man(of: Option<&str>) -> Result<String, String> {
    let mut command = command();
    command.build();
    let wanted = match of {
        None => command,
        Some(name) => {
            let found = command.get_subcommands().find(|command| command.get_name() == name);
            let names: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
            found.cloned().ok_or_else(|| {
                format!("there is no '{}'; there are {}", name.escape_debug(), names.join(", "))
            })?
        }
    };
    written(|page| Man::new(wanted).render(page))
}

/// What completes flags and commands in that shell.
pub(super) fn completions(shell: Shell) -> String {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command(), "chatline", &mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn written(write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> Result<String, String> {
    let mut page = Vec::new();
    write(&mut page).map_err(|error| error.to_string())?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}
