#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ccgate_fuzz::check(data, None));
