//! The configuration file: what stands in it, what is refused and how, what a running server takes
//! over from it, and that the example has every key.
//!
//! Promises: each refusal is one sentence that names the file and the line. Does not test what a
//! key does: it is a flag, and those are tested elsewhere.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod world;

// Without the feature some defaults are others.
#[cfg(feature = "store")]
#[path = "configuration/example.rs"]
mod example;
#[path = "configuration/file.rs"]
mod file;
#[path = "configuration/limits.rs"]
mod limits;
#[path = "configuration/papers.rs"]
mod papers;
#[path = "configuration/reload.rs"]
mod reload;
// What is in the units needs the features.
#[cfg(all(feature = "store", feature = "tls"))]
#[path = "configuration/units.rs"]
mod units;

use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;

use chatline::config::{Config, Declined, Wanted};
use tempfile::TempDir;

/// A file of that text, and the folder that it is in for as long as that lives.
fn file_of(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chatline.toml");
    fs::write(&path, text).unwrap();
    (folder, path)
}

fn wanted(args: &[&str]) -> Result<Wanted, Declined> {
    Wanted::parse_from(["chatline"].iter().chain(args).map(OsString::from))
}

/// The configuration that a file of that text makes, with these flags.
fn config(text: &str, args: &[&str]) -> Result<Config, Declined> {
    let (_folder, path) = file_of(text);
    let all = [&["--config", path.to_str().unwrap()], args].concat();
    Config::parse_from(["chatline"].iter().chain(&all).map(OsString::from))
}
