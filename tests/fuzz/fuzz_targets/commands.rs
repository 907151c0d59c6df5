//! The fuzz target `commands` for libFuzzer; what it does stands in `targets`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chatline_fuzz::targets::commands::run(data));
