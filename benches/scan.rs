//! How long it takes to read a report, beside hashing the same bytes: every byte is hashed, on a
//! thread of its own.

use std::fmt::Write as _;
use std::fs;
use std::hint::black_box;
use std::io;

use ccgate::scan::{self, ReportPattern};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use sha2::{Digest as _, Sha256};

const RESULTS: usize = 8_000;
const RULES: usize = 400;

/// Results of two kilobytes, half of them rated by their rule, which stands behind them.
fn sarif() -> String {
    let text = "a value that somebody sent reaches a place where it is run ".repeat(18);
    let mut report = String::from(r#"{"version":"2.1.0","runs":[{"results":["#);
    for result in 0..RESULTS {
        let rule = (result * 7919) % RULES;
        let level = if result % 2 == 0 {
            r#""level":"warning","#
        } else {
            ""
        };
        let comma = if result == 0 { "" } else { "," };
        let _ = write!(
            report,
            r#"{comma}{{"ruleId":"R{rule}","ruleIndex":{rule},{level}"message":{{"text":"{text}"}},"locations":[{{"physicalLocation":{{"artifactLocation":{{"uri":"src/module{rule}/file{result}.rs"}},"region":{{"startLine":{result}}}}}}}],"properties":{{"tags":["security","{text}"]}}}}"#
        );
    }
    report.push_str(r#"],"tool":{"driver":{"name":"probe","rules":["#);
    for rule in 0..RULES {
        let comma = if rule == 0 { "" } else { "," };
        let _ = write!(
            report,
            r#"{comma}{{"id":"R{rule}","defaultConfiguration":{{"level":"error"}}}}"#
        );
    }
    report.push_str("]}}}]}");
    report
}

/// As many findings in GitLab's format.
fn gitlab() -> String {
    let text = "a value that somebody sent reaches a place where it is run ".repeat(18);
    let mut report = String::from(r#"{"version":"15.0.4","vulnerabilities":["#);
    for result in 0..RESULTS {
        let comma = if result == 0 { "" } else { "," };
        let _ = write!(
            report,
            r#"{comma}{{"id":"{result}","description":"{text}","severity":"High","location":{{"file":"src/file{result}.rs","start_line":{result}}},"identifiers":[{{"type":"t","name":"n","value":"R1"}}]}}"#
        );
    }
    report.push_str(
        r#"],"scan":{"type":"sast","status":"success","scanner":{"id":"p","name":"probe"}}}"#,
    );
    report
}

fn reports(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [("sarif", sarif()), ("gitlab", gitlab())] {
        let file = format!("{name}.json");
        fs::write(folder.path().join(&file), &text).expect("a file");
        let mut group = criterion.benchmark_group(format!("scan report, {name}"));
        group.sample_size(10);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function("hash only", |bencher| {
            bencher.iter(|| Sha256::digest(black_box(text.as_bytes())));
        });
        let wanted = [ReportPattern::by_content(file)];
        group.bench_function("read, count and hash", |bencher| {
            bencher.iter(|| scan::read(black_box(&wanted), folder.path(), &mut io::empty()));
        });
        group.finish();
    }
}

criterion_group!(benches, reports);
criterion_main!(benches);
