//! What was given, and where: a flag is stronger than its variable, that than the file, and that
//! than the default.
//!
//! Promises: a value of the file is checked by the same parser as the flag, and told by the line
//! that it stands in. Deliberately compares values as they were typed: `64KiB` is not `65536` here.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::parser::ValueSource;
use clap::{ArgMatches, Command, FromArgMatches};

use super::file::File;
use super::flags::Flags;
use super::sentence::sentence;
use super::{Declined, command};

/// What was given.
pub(super) struct Given {
    /// Each value within its range.
    pub(super) flags: Flags,
    /// Each value as it was typed.
    pub(super) values: Vec<Value>,
    file: Option<File>,
}

/// The value of one flag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Value {
    /// The flag's long name.
    pub(super) key: String,
    /// As it was typed, with commas between several; empty for none.
    pub(super) text: String,
    /// Where it stands.
    pub(super) origin: Origin,
}

/// Where a value stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// Nowhere.
    Default,
    /// On the command line.
    Flag,
    /// In that variable of the environment.
    Variable(String),
    /// In the file: its path, the line and the key.
    File(String),
}

impl Given {
    /// Reads the flags (the first argument is the program's name), the environment, and the file
    /// that one of them names.
    pub(super) fn read(args: &[OsString]) -> Result<Given, Declined> {
        let command = command();
        let first = command.clone().try_get_matches_from(args);
        let first = first.map_err(|error| declined(&error, args, None))?;
        // What is made of the table of flags has no use for values.
        let is_paper = matches!(first.subcommand_name(), Some("man" | "completions"));
        let Some(path) = first.get_one::<PathBuf>("config").filter(|_| !is_paper) else {
            return Given::from(&command, &first, args, None);
        };
        let file = File::read(path, &command).map_err(Declined::Refused)?;
        let mut all: Vec<OsString> = args.iter().take(1).cloned().collect();
        all.extend(file.arguments(&command, &first));
        all.extend(args.iter().skip(1).cloned());
        let second = command.clone().try_get_matches_from(&all);
        let second = second.map_err(|error| declined(&error, args, Some(&file)))?;
        Given::from(&command, &second, args, Some((file, &first)))
    }

    fn from(
        command: &Command,
        matches: &ArgMatches,
        args: &[OsString],
        file: Option<(File, &ArgMatches)>,
    ) -> Result<Given, Declined> {
        let (file, first) = file.map_or((None, matches), |(file, first)| (Some(file), first));
        let flags = Flags::from_arg_matches(matches);
        let flags = flags.map_err(|error| declined(&error, args, file.as_ref()))?;
        let named = command.get_arguments().filter_map(|arg| Some((arg, arg.get_long()?)));
        let values =
            named.filter(|(arg, _)| matches.try_contains_id(arg.get_id().as_str()).is_ok());
        let values = values.map(|(arg, long)| {
            let id = arg.get_id().as_str();
            let raw = matches.get_raw(id).into_iter().flatten();
            let raw: Vec<_> = raw.map(|value| value.to_string_lossy()).collect();
            let origin = match (first.value_source(id), matches.value_source(id), arg.get_env()) {
                (Some(ValueSource::CommandLine), ..) => Origin::Flag,
                (Some(ValueSource::EnvVariable), _, Some(variable)) => {
                    Origin::Variable(variable.to_string_lossy().into_owned())
                }
                (_, Some(ValueSource::CommandLine), _) => {
                    let place = file.as_ref().and_then(|file| file.place_of(long));
                    Origin::File(place.unwrap_or_else(|| long.to_owned()))
                }
                _ => Origin::Default,
            };
            Value { key: long.to_owned(), text: raw.join(","), origin }
        });
        let values = values.collect();
        Ok(Given { flags, values, file })
    }

    /// A sentence that begins with a flag, as one that begins with where its value stands.
    pub(super) fn located(values: &[Value], sentence: String) -> String {
        let flag = sentence.strip_prefix("--").unwrap_or_default();
        let end = flag.find([' ', ':']).unwrap_or(flag.len());
        let (key, rest) = flag.split_at(end);
        match values.iter().find(|value| value.key == key).map(|value| &value.origin) {
            Some(Origin::File(place)) => format!("{place}{rest}"),
            _ => sentence,
        }
    }

    /// Whether there was a file.
    pub(super) fn has_file(&self) -> bool {
        self.file.is_some()
    }
}

fn declined(error: &clap::Error, args: &[OsString], file: Option<&File>) -> Declined {
    match error.exit_code() {
        0 => Declined::Shown(error.to_string()),
        _ => Declined::Refused(sentence(error, args, file)),
    }
}
