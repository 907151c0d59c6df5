//! The fuzz target `tls` for libFuzzer; what it does stands in `targets`.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| chatline_fuzz::targets::tls::run(data));
