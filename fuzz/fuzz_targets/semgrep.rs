#![no_main]

use ccgate_fuzz::check;
use ccgate_fuzz::facts::ScanFormat;

libfuzzer_sys::fuzz_target!(|data: &[u8]| check(data, Some(ScanFormat::Semgrep)));
