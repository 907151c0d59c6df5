//! The fuzz targets: each takes any bytes, and panics when something does not hold that must.
//!
//! Promises: the same bytes give the same run; a run is short, and bounded by its bytes. A target
//! is a row of [`ALL`], a file here, and a thin one in `fuzz_targets/`. Deliberately without a
//! fuzzer: `tests/fuzz.rs` runs them with seeds from the transcripts, libFuzzer with whatever it
//! finds.

mod bytes;
pub mod commands;
pub mod editor;
mod end;
pub mod json;
pub mod lines;
pub mod operations;
pub mod telnet;
mod text;
#[cfg(feature = "tls")]
pub mod tls;

/// A target's name, which is that of its folder of findings, and what it does with its bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const ALL: &[Target] = &[
    ("lines", lines::run),
    ("commands", commands::run),
    ("telnet", telnet::run),
    ("editor", editor::run),
    ("json", json::run),
    ("operations", operations::run),
    #[cfg(feature = "tls")]
    ("tls", tls::run),
];
