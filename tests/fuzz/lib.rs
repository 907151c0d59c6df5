//! What the fuzz targets share, as a library of their own package.
//!
//! The targets are plain functions, and a test of the main crate runs them too; deliberately
//! nothing here knows of a fuzzer.

pub mod targets;
mod world;
