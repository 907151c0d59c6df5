//! `chatline check-config`: what the configuration is, where it is not the default.
//!
//! Promises: what is good here starts, as far as that is known without starting; each value is on
//! one line, with where it stands. Deliberately opens no file but those of the certificate, which
//! must fit together, and listens nowhere.

use std::path::Path;

use clap::ValueHint;

use super::given::{Origin, Value};
use super::reach::shown;
use super::{Config, command, unread};
use crate::net::tls::Keys;

/// The summary, for standard output.
///
/// # Errors
/// One sentence without its end.
pub(super) fn summary(config: &Config) -> Result<String, String> {
    let different = config.values.iter().filter(|value| value.origin != Origin::Default);
    different.clone().try_for_each(check_path)?;
    config.endpoints().try_for_each(|(flag, endpoint)| {
        let found = endpoint.resolve().map(drop);
        found.map_err(|why| format!("{flag} {endpoint}: {why}"))
    })?;
    if !config.tls_listen.is_empty() {
        Keys::load(&config.tls)?;
    }
    let lines = different.filter(|value| value.key != "config").map(|value| {
        let place = match &value.origin {
            Origin::Default => String::new(),
            Origin::Flag => format!("--{}", value.key),
            Origin::Variable(variable) => variable.clone(),
            // The key stands before it already.
            Origin::File(place) => {
                place.rsplit_once(": ").map_or(place.as_str(), |(place, _)| place).to_owned()
            }
        };
        format!("  {} = {}   ({place})\n", value.key, shown(&value.text))
    });
    let lines: String = lines.collect();
    let unread = unread().into_iter().map(|it| {
        format!("  nobody reads {}; did you mean {}?\n", it.name.escape_debug(), it.meant)
    });
    let unread: String = unread.collect();
    Ok(match lines.is_empty() {
        true => format!("the configuration is good: all is as by default\n{unread}"),
        false => {
            format!("the configuration is good\n{lines}  all else is as by default\n{unread}")
        }
    })
}

/// Whether what a flag names is there: a file that is read, the folder of one that is written.
fn check_path(value: &Value) -> Result<(), String> {
    let command = command();
    let arg = command.get_arguments().find(|arg| arg.get_long() == Some(&value.key));
    let (path, key) = (Path::new(&value.text), &value.key);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    match arg.map(|arg| arg.get_value_hint()) {
        Some(ValueHint::FilePath) if !value.text.is_empty() && !path.is_file() => {
            Err(format!("--{key}: there is no file {}", path.display()))
        }
        Some(ValueHint::AnyPath) if path.is_dir() => {
            Err(format!("--{key}: {} is a folder; wanted is a file in one", path.display()))
        }
        Some(ValueHint::AnyPath) => match folder.filter(|folder| !folder.is_dir()) {
            Some(folder) => Err(format!("--{key}: there is no folder {}", folder.display())),
            None => Ok(()),
        },
        _ => Ok(()),
    }
}
