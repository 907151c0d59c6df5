//! The configuration file: TOML whose keys are the long names of the flags.
//!
//! Promises: what stands in it goes through the same checks as a flag, and what is wrong is told
//! with the file and the line; it is of bounded size. Deliberately no sections, and no keys of its
//! own: what cannot be a flag cannot stand here.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::de::{DeTable, DeValue};

use super::small;
use crate::chat::name::nearest;

/// How often a flag can be given that is counted.
const COUNT_MAX: u8 = 9;

/// Flags that are for the command line alone.
const NO_KEYS: [&str; 3] = ["config", "help", "version"];

/// What a flag would be given for a key: each argument's value, if it takes one.
type Values = Vec<Option<String>>;

/// One key of the file.
#[derive(Debug)]
struct Row {
    key: String,
    /// Counted from 1.
    line: usize,
    values: Values,
}

/// A file that was read, each of whose keys is a flag's.
#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    rows: Vec<Row>,
}

impl File {
    /// Reads it. `command` has the flags.
    ///
    /// # Errors
    /// One sentence without its end.
    pub(super) fn read(path: &Path, command: &Command) -> Result<File, String> {
        let text = text_of(path).map_err(|why| format!("cannot read {}: {why}", path.display()))?;
        let at = |offset: usize| text[..offset].matches('\n').count() + 1;
        let wrong = |line: usize, why: &str| format!("{}:{line}: {why}", path.display());
        let table = DeTable::parse(&text).map_err(|error| {
            let line = at(error.span().map_or(0, |span| span.start.min(text.len())));
            wrong(line, &error.message().replace('\n', ", "))
        })?;
        let mut rows = Vec::new();
        for (key, value) in table.get_ref() {
            let (name, line) = (key.get_ref().as_ref(), at(key.span().start));
            let values = match arg_of(name, command) {
                Some(arg) => values_of(value.get_ref(), arg),
                None => Err(unknown(name, value.get_ref(), command)),
            };
            let values = values.map_err(|why| wrong(line, &why))?;
            rows.push(Row { key: name.to_owned(), line, values });
        }
        rows.sort_by_key(|row| row.line);
        Ok(File { path: path.to_owned(), rows })
    }

    /// The arguments that say what it says; less what `given` or the environment has said already.
    pub(super) fn arguments(&self, command: &Command, given: &ArgMatches) -> Vec<OsString> {
        let rows = self.rows.iter().filter(|row| !is_given(&row.key, command, given));
        let arguments = rows.flat_map(|row| {
            row.values.iter().map(|value| match value {
                Some(value) => format!("--{}={value}", row.key).into(),
                None => format!("--{}", row.key).into(),
            })
        });
        arguments.collect()
    }

    /// Where a key stands, and the key: `chatline.toml:12: pace`.
    pub(super) fn place_of(&self, key: &str) -> Option<String> {
        let row = self.rows.iter().find(|row| row.key == key)?;
        Some(format!("{}:{}: {key}", self.path.display(), row.line))
    }
}

/// Whether a flag, or another one that cannot stand beside it, was given otherwise.
fn is_given(key: &str, command: &Command, given: &ArgMatches) -> bool {
    let Some(arg) = arg_of(key, command) else { return false };
    let is_rival = |other: &&Arg| {
        let of_it = command.get_arg_conflicts_with(arg);
        let of_other = command.get_arg_conflicts_with(other);
        let has =
            |rivals: Vec<&Arg>, arg: &Arg| rivals.iter().any(|it| it.get_id() == arg.get_id());
        has(of_it, other) || has(of_other, arg)
    };
    let rivals = command.get_arguments().filter(is_rival);
    let has_said = |arg: &Arg| {
        let source = given.value_source(arg.get_id().as_str());
        matches!(source, Some(ValueSource::CommandLine | ValueSource::EnvVariable))
    };
    std::iter::once(arg).chain(rivals).any(has_said)
}

fn text_of(path: &Path) -> Result<String, String> {
    let bytes = small::read(path).map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

/// The flag that a key of the file is for.
fn arg_of<'c>(key: &str, command: &'c Command) -> Option<&'c Arg> {
    let can_stand = !NO_KEYS.contains(&key);
    command.get_arguments().find(|arg| can_stand && arg.get_long() == Some(key))
}

fn unknown(key: &str, value: &DeValue<'_>, command: &Command) -> String {
    let shown = key.escape_debug();
    if NO_KEYS.contains(&key) {
        return format!("'{shown}' cannot be set here; it is for the command line");
    }
    if value.is_table() {
        return format!("there are no sections, and no '{shown}': each line is KEY = VALUE");
    }
    let keys = command.get_arguments().filter_map(Arg::get_long);
    let keys = keys.filter(|key| arg_of(key, command).is_some());
    match nearest(&key.replace('_', "-"), keys) {
        Some(meant) => format!("there is no '{shown}', but there is {meant}"),
        None => format!("there is no '{shown}'; the keys are the flags without their dashes"),
    }
}

/// What a flag would be given for this value.
fn values_of(value: &DeValue<'_>, arg: &Arg) -> Result<Values, String> {
    let key = arg.get_long().unwrap_or_default();
    let wrong = |wanted: &str| Err(format!("{key}: wanted is {wanted}"));
    match (arg.get_action(), value) {
        (ArgAction::SetTrue, DeValue::Boolean(is_on)) => Ok(vec![None; usize::from(*is_on)]),
        (ArgAction::SetTrue, _) => wrong("true or false"),
        (ArgAction::Count, DeValue::Integer(count)) => match count.as_str().parse::<u8>() {
            Ok(count) if count <= COUNT_MAX => Ok(vec![None; count.into()]),
            _ => wrong(&format!("a number from 0 to {COUNT_MAX}")),
        },
        (ArgAction::Count, _) => wrong(&format!("a number from 0 to {COUNT_MAX}")),
        (ArgAction::Append, DeValue::Array(list)) => {
            let values: Result<Values, String> =
                list.iter().map(|value| value_of(value.get_ref(), arg).map(Some)).collect();
            match values {
                Ok(values) if values.is_empty() && has_default(arg) => wrong("at least one"),
                values => values,
            }
        }
        // How to say in a file that there is none.
        (_, DeValue::String(text)) if text.is_empty() && !has_default(arg) => Ok(Vec::new()),
        _ => Ok(vec![Some(value_of(value, arg)?)]),
    }
}

fn has_default(arg: &Arg) -> bool {
    !arg.get_default_values().is_empty()
}

fn value_of(value: &DeValue<'_>, arg: &Arg) -> Result<String, String> {
    let is_switch =
        arg.get_value_parser().type_id() == clap::builder::ValueParser::bool().type_id();
    let key = arg.get_long().unwrap_or_default();
    let is_list = matches!(arg.get_action(), ArgAction::Append);
    match value {
        DeValue::String(text) => Ok(text.clone().into_owned()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| format!("{key}: wanted is a smaller number")),
        DeValue::Boolean(is_on) if is_switch => Ok(if *is_on { "on" } else { "off" }.to_owned()),
        DeValue::Boolean(_) => Err(format!("{key}: wanted is a number or a text in quotes")),
        DeValue::Float(_) => Err(format!("{key}: wanted is a whole number or a text in quotes")),
        DeValue::Array(_) if !is_list => Err(format!("{key}: wanted is one value, not a list")),
        DeValue::Array(_) | DeValue::Datetime(_) | DeValue::Table(_) => {
            Err(format!("{key}: wanted is a number or a text in quotes"))
        }
    }
}
