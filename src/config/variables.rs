//! Variables of the environment that were meant for the server, and are none of its own.
//!
//! Promises: what is only near the name of one is told, as a key of the file would be. Deliberately
//! refuses nothing: others put variables of that beginning into an environment, too.

use clap::Arg;

use super::command;
use crate::chat::name::nearest;

/// What the names of all variables begin with.
const START: &str = "CHATLINE_";
/// Those that are for `scripts/`.
const OF_SCRIPTS: [&str; 6] = ["HOST", "PORT", "NAME", "TOKEN", "PASSWORD", "ROOM"];

/// A variable that nobody reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its name.
    pub name: String,
    /// What may have been meant: another variable, or a flag that has none.
    pub meant: String,
}

/// Those of the environment.
pub fn unread() -> Vec<Unread> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut found: Vec<Unread> = names.filter_map(unread_of).collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn unread_of(name: String) -> Option<Unread> {
    let typed = name.strip_prefix(START).filter(|rest| !OF_SCRIPTS.contains(rest))?;
    let key = typed.to_lowercase().replace('_', "-");
    let command = command();
    let flags = || command.get_arguments().filter_map(|arg| Some((arg.get_long()?, arg)));
    let variable = |arg: &Arg| arg.get_env().and_then(|it| it.to_str()).map(str::to_owned);
    if flags().any(|(_, arg)| variable(arg).as_ref() == Some(&name)) {
        return None;
    }
    let meant = nearest(&key, flags().map(|(long, _)| long))?;
    let (_, arg) = flags().find(|(long, _)| *long == meant)?;
    let meant = variable(arg).unwrap_or_else(|| format!("--{meant}"));
    Some(Unread { name, meant })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_a_variable_was_meant_for_the_server() {
        let meant = |name: &str| unread_of(name.to_owned()).map(|it| it.meant);
        for (name, variable) in [
            ("CHATLINE_PAEC", "CHATLINE_PACE"),
            ("CHATLINE_LISTENS", "CHATLINE_LISTEN"),
            ("CHATLINE_pace", "CHATLINE_PACE"),
            ("CHATLINE_VERBOSE", "--verbose"),
        ] {
            assert_eq!(meant(name).as_deref(), Some(variable), "{name}");
        }
        for name in ["CHATLINE_PACE", "CHATLINE_ROOM", "CHATLINE_PORT_9000_TCP", "PAEC"] {
            assert_eq!(meant(name), None, "{name}");
        }
    }
}
