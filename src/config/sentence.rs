//! What is wrong with the flags, in one sentence.
//!
//! Promises: no newline, no control character, and the flag (or the environment variable, or the
//! line of the file) by the name that it was given. Deliberately no usage: `--help` has it.

use std::ffi::OsString;

use clap::Arg;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::command;
use super::endpoint::Endpoint;
use super::file::File;

/// What clap explains in several lines, as one sentence; with a file, what is wrong stands there.
pub(super) fn sentence(error: &clap::Error, args: &[OsString], file: Option<&File>) -> String {
    let told = |kind| error.get(kind).map(|value| value.to_string());
    let arg = told(ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand => {
            let arg = told(ContextKind::InvalidSubcommand).unwrap_or(arg);
            if let Some(sentence) = misplaced(&arg, args) {
                return sentence;
            }
            let meant = match told(ContextKind::SuggestedArg) {
                Some(flag) => format!(", but there is {flag}"),
                None if Endpoint::parse(&arg).is_ok() => format!(", but there is --listen {arg}"),
                None => String::new(),
            };
            format!("there is no '{}'{meant}", arg.escape_debug())
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let value = told(ContextKind::InvalidValue).unwrap_or_default();
            let origin = origin(&arg, args, file);
            match std::error::Error::source(error) {
                Some(fault) => format!("{origin} '{}': {fault}", value.escape_debug()),
                None if value.is_empty() => format!("{origin}: a value is missing"),
                None => format!("{origin} '{}': wanted is {}", value.escape_debug(), one_of(error)),
            }
        }
        ErrorKind::MissingRequiredArgument => {
            let wanted = match error.get(ContextKind::InvalidArg) {
                Some(ContextValue::Strings(wanted)) => wanted.join(" and "),
                _ => arg,
            };
            format!("{wanted} is missing")
        }
        _ => {
            let text = error.to_string();
            let first = text.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

/// A flag of the server that stands behind a command, where only the command's own do.
fn misplaced(flag: &str, args: &[OsString]) -> Option<String> {
    let command = command();
    let instead = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let instead = instead
        .take_while(|arg| arg.split('=').next() != Some(flag))
        .find_map(|arg| command.find_subcommand(arg))?;
    let is_it = |arg: &&Arg| {
        let short = arg.get_short().map(|short| format!("-{short}"));
        arg.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long))
            || short.as_deref() == Some(flag)
    };
    let arg = command.get_arguments().find(is_it)?;
    let value = arg.get_value_names().filter(|_| arg.get_action().takes_values());
    let value = value.and_then(|names| names.first()).map(|name| format!(" {name}"));
    let (value, name) = (value.unwrap_or_default(), instead.get_name());
    Some(format!("{flag} stands before the command: chatline {flag}{value} {name}"))
}

/// The values that are possible.
fn one_of(error: &clap::Error) -> String {
    match error.get(ContextKind::ValidValue) {
        Some(ContextValue::Strings(values)) => values.join(" or "),
        _ => "another value".to_owned(),
    }
}

/// The flag of `usage` (`--pace <COUNT>`) as it was given: itself, its environment variable, or the
/// line of the file.
fn origin(usage: &str, args: &[OsString], file: Option<&File>) -> String {
    let flag = usage.split(' ').next().unwrap_or(usage);
    let key = flag.trim_start_matches("--");
    if let Some(place) = file.and_then(|file| file.place_of(key)) {
        return place;
    }
    let is_given = |arg: &OsString| {
        let rest = arg.to_str().and_then(|arg| arg.strip_prefix(flag));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
    };
    let command = command();
    let variable = command
        .get_arguments()
        .find(|arg| arg.get_long().is_some_and(|long| flag.strip_prefix("--") == Some(long)))
        .and_then(|arg| arg.get_env());
    match variable {
        Some(variable) if !args.iter().any(is_given) => variable.to_string_lossy().into_owned(),
        _ => flag.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_behind_a_command_is_told_its_place() {
        let told = |args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let error = command().try_get_matches_from(&args).expect_err("it is refused");
            sentence(&error, &args, None)
        };
        for (args, expected) in [
            (
                &["chatline", "check-config", "--pace", "3"][..],
                "--pace stands before the command: chatline --pace COUNT check-config",
            ),
            (
                &["chatline", "check-config", "--pace=3"],
                "--pace stands before the command: chatline --pace COUNT check-config",
            ),
            (
                &["chatline", "export", "--room", "x", "-q"],
                "-q stands before the command: chatline -q export",
            ),
            (&["chatline", "check-config", "--paec"], "there is no '--paec'"),
        ] {
            assert_eq!(told(args), expected);
        }
    }

    #[test]
    fn a_value_is_traced_to_its_flag_or_its_variable() {
        assert_eq!(origin("--pace <COUNT>", &["--pace".into(), "x".into()], None), "--pace");
        assert_eq!(origin("--pace <COUNT>", &["--pace=x".into()], None), "--pace");
        assert_eq!(origin("--pace <COUNT>", &["--pacer".into()], None), "CHATLINE_PACE");
    }
}
