//! What every fuzz target does with its bytes. Takes in the room of the readers by
//! its path: they know facts and nothing else, and a build of a minute is fuzzed more
//! often than one of the whole gate.

#[path = "../../src/facts"]
pub mod facts {
    mod finding;
    mod fingerprint;
    mod known_findings;
    mod scan;
    mod scan_format;
    mod shared_text;

    pub use finding::*;
    pub use fingerprint::Fingerprint;
    pub use known_findings::*;
    pub use scan::*;
    pub use scan_format::ScanFormat;
    pub use shared_text::SharedText;
}
#[path = "../../src/scan/tests/reports.rs"]
#[expect(dead_code, reason = "only names and texts are seeds")]
mod reports;
#[path = "../../src/scan/mod.rs"]
pub mod scan;

use std::io::{self, Read};
use std::path::Path;

use facts::{ScanFormat, ScanReport};
use scan::ReportPattern;

/// A sample of each format with the name of its target.
pub fn seeds() -> Vec<(&'static str, &'static str)> {
    let names = || ScanFormat::ALL.iter().map(|(word, _)| *word);
    let target = |format: &str| {
        names()
            .filter(|name| format.starts_with(name))
            .max_by_key(|name| name.len())
    };
    let all = reports::SAMPLES.iter();
    all.filter_map(|sample| Some((target(sample.format)?, sample.text)))
        .collect()
}

/// Reads the bytes as the format, or as what they show, at once and in drops: that has to
/// be the same, nothing may panic, and nothing that is cut off may pass for a report.
pub fn check(data: &[u8], format: Option<ScanFormat>) {
    let whole = read(&mut &data[..], format);
    let step = 1 + data.len() % 61;
    let drops = read(&mut Drops(data, step), format);
    assert_eq!(
        whole, drops,
        "the bytes arrive otherwise and say something else"
    );
    let lines = matches!(whole.format.as_str(), "lcov" | "trufflehog-json");
    if whole.runs.is_ok() && !lines {
        let text = data.trim_ascii_end();
        let cut = text.len().saturating_sub(1 + data.len() % 7);
        let cut = read(&mut &text[..cut], format);
        assert!(cut.runs.is_err(), "a report that is cut off is read");
    }
}

fn read(source: &mut (dyn Read + Send), format: Option<ScanFormat>) -> ScanReport {
    let stdin = ReportPattern {
        pattern: "-".to_owned(),
        format,
    };
    let mut results = scan::read(&[stdin], Path::new("/builds/acme"), source);
    results.reports.remove(0)
}

/// A pipe that gives a few bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.1.min(buffer.len());
        self.0.read(&mut buffer[..length])
    }
}
