//! How long an append and a verification take, and how they grow.

use std::hint::black_box;

use ccgate::ledger::{Leaf, Place, STATEMENT_TYPE, VerifyOptions, open, verify};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde_json::json;

const ORIGIN: &str = "ccgate/github/acme/payments";

fn leaf(number: usize) -> Leaf {
    let statement = json!({
        "_type": STATEMENT_TYPE,
        "subject": [{"name": format!("change-{number}"), "digest": {"gitCommit": format!("{number:040x}")}}],
        "predicateType": "https://ccgate.dev/change-record/v1",
        "predicate": {"observed_at": "2026-11-21T08:00:00Z", "decision": "allow", "summary": "x".repeat(600)},
    });
    Leaf::new(&statement).expect("the statement is valid")
}

fn ledger(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger");
    group.sample_size(10);
    for size in [100, 2_000] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = Place::Folder(folder.path().to_owned());
        let mut store = open(&place, ORIGIN, None).expect("the ledger opens");
        store
            .append(&(0..size).map(leaf).collect::<Vec<_>>())
            .expect("the records are sealed");
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(format!("verify {size} records"), |bencher| {
            bencher.iter(|| black_box(verify(&place, &VerifyOptions::default())));
        });
        let log_only = VerifyOptions {
            log_only: true,
            ..VerifyOptions::default()
        };
        group.bench_function(
            format!("verify the log alone of {size} records"),
            |bencher| {
                bencher.iter(|| black_box(verify(&place, &log_only)));
            },
        );
        let mut next = size;
        group.throughput(Throughput::Elements(1));
        group.bench_function(format!("append one to {size} records"), |bencher| {
            bencher.iter(|| {
                next += 1;
                store.append(&[leaf(next)]).expect("the record is sealed")
            });
        });
    }
    group.finish();
}

criterion_group!(benches, ledger);
criterion_main!(benches);
