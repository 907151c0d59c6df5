//! The fuzz targets without a fuzzer: what the transcripts type, everything that a fuzzer has found
//! so far, and seeded mutations of both.
//!
//! Promises: the same runs each time; `SEED=7` draws other mutations and `ROUNDS=100` more of them;
//! a failure is written to a file and named, and `TARGET=lines REPLAY=FILE` runs that alone.
//! Deliberately no search for new paths: libFuzzer does that, from the same seeds, with the same
//! targets.

#![allow(clippy::unwrap_used)]

#[path = "fuzz/mutate.rs"]
mod mutate;
#[path = "fuzz/seeds.rs"]
mod seeds;
#[path = "fuzz/targets/mod.rs"]
mod targets;
mod world;

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};

use targets::{ALL, Target};
use world::rng::Rng;

/// How often each target is run with a mutation of its seeds.
const MUTATIONS: u64 = 1_500;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz")
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// What was found of a target, with the names of the files.
fn found(target: &str) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder().join("found").join(target)) else { return Vec::new() };
    let mut found: Vec<(String, Vec<u8>)> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

/// Runs a target; when it fails, its bytes are kept, and it is told where.
fn hold((name, run): Target, what: &str, data: &[u8]) {
    let ran = panic::catch_unwind(AssertUnwindSafe(|| run(data)));
    if ran.is_err() {
        let path = std::env::temp_dir().join(format!("chatline-{name}-{}", std::process::id()));
        fs::write(&path, data).unwrap();
        panic!("{name} fails with {what}; its {} bytes are in {}", data.len(), path.display());
    }
}

/// Runs a target with all that is known, then with mutations of it.
fn replay(name: &str) {
    let target = *ALL.iter().find(|(it, _)| *it == name).unwrap();
    let mut known = seeds::of(name);
    assert!(known.len() > 50, "the transcripts have seeds for {name}");
    for (index, seed) in known.iter().enumerate() {
        hold(target, &format!("seed {index}"), seed);
    }
    for (path, data) in found(name) {
        hold(target, &path, &data);
        known.push(data);
    }
    let seed = number("SEED", 0);
    for round in 0..MUTATIONS * number("ROUNDS", 1) {
        let mut rng = Rng::new(seed << 32 | round);
        let data = mutate::drawn(&mut rng, &known);
        hold(target, &format!("SEED={seed}, round {round}"), &data);
    }
}

#[test]
fn lines() {
    replay("lines");
}

#[test]
fn commands() {
    replay("commands");
}

#[test]
fn telnet() {
    replay("telnet");
}

#[test]
fn editor() {
    replay("editor");
}

#[test]
fn json() {
    replay("json");
}

#[test]
fn operations() {
    replay("operations");
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "it needs TLS")]
fn tls() {
    replay("tls");
}

/// `REPLAY=FILE` runs one input, as `cargo fuzz run TARGET FILE` does.
#[test]
fn replay_one() {
    let Some(path) = std::env::var_os("REPLAY") else { return };
    let name = std::env::var("TARGET").expect("TARGET=NAME says which target it is for");
    let (_, run) = ALL.iter().find(|(it, _)| *it == name).expect("there is a target of that name");
    run(&fs::read(path).unwrap());
}

/// The names of the entries of a folder, without what stands behind a dot.
fn names(path: &str) -> Vec<String> {
    let entries = fs::read_dir(folder().join(path)).unwrap();
    let stem = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let mut names: Vec<String> = entries.map(|entry| stem(entry.unwrap().path())).collect();
    names.sort();
    names
}

#[test]
#[cfg_attr(not(feature = "tls"), ignore = "it needs TLS")]
fn every_target_can_be_fuzzed() {
    let mut all: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
    all.sort_unstable();
    assert_eq!(names("fuzz_targets"), all);
    let manifest = fs::read_to_string(folder().join("Cargo.toml")).unwrap();
    for name in &all {
        assert!(manifest.contains(&format!("\nname = \"{name}\"\n")), "{name} is not built");
        let thin = fs::read_to_string(folder().join(format!("fuzz_targets/{name}.rs"))).unwrap();
        assert!(thin.contains(&format!("targets::{name}::run(data)")), "{name} runs another");
    }
    let strangers: Vec<String> =
        names("found").into_iter().filter(|name| !all.contains(&name.as_str())).collect();
    assert_eq!(strangers, [""; 0], "these are findings of no target");
}

/// Writes all seeds, and what was found, into folders that libFuzzer begins with.
#[test]
#[ignore = "writes tests/fuzz/corpus, for cargo fuzz"]
fn write_corpus() {
    for (name, _) in ALL {
        let corpus = folder().join("corpus").join(name);
        fs::create_dir_all(&corpus).unwrap();
        let found = found(name).into_iter().map(|(_, data)| data);
        for (index, seed) in seeds::of(name).into_iter().chain(found).enumerate() {
            fs::write(corpus.join(format!("seed-{index:04}")), seed).unwrap();
        }
    }
}
