//! How long it takes to read a file of code owners and to ask it about every path.

use std::hint::black_box;

use ccgate::facts::{OwnersDialect, OwnersRules};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const PATHS: usize = 100_000;
const PATTERNS: usize = 1_000;
const ENDINGS: [&str; 8] = ["rs", "go", "py", "ts", "tf", "md", "yaml", "java"];

/// A number that looks random and is the same every time.
fn pick(seed: usize, below: usize) -> usize {
    (seed.wrapping_mul(2_654_435_761) >> 7) % below
}

/// Paths two to six folders deep, of a repository with sixty services.
fn paths() -> Vec<String> {
    (0..PATHS)
        .map(|number| {
            let mut path = format!("svc{}", pick(number, 60));
            for depth in 0..=pick(number + 1, 5) {
                path.push_str(&format!("/pkg{}", pick(number * 7 + depth, 12)));
            }
            let ending = ENDINGS[pick(number + 3, ENDINGS.len())];
            format!("{path}/file{}.{ending}", pick(number + 2, 500))
        })
        .collect()
}

/// Eight of ten lines are folders; the others endings, names at any depth, anchored globs.
fn owners(paths: &[String]) -> String {
    (0..PATTERNS)
        .map(|number| {
            let ending = ENDINGS[pick(number, ENDINGS.len())];
            let service = pick(number, 60);
            let pattern = match number % 20 {
                0 | 1 => format!("*.{ending}"),
                2 => format!("/svc{service}/**/file{}.*", pick(number, 500)),
                3 => format!("/svc{service}/*.{ending}"),
                _ => {
                    let path = &paths[pick(number, paths.len())];
                    let parts: Vec<&str> = path.split('/').collect();
                    format!("/{}/", parts[..1 + pick(number, parts.len() - 1)].join("/"))
                }
            };
            format!("{pattern} @acme/team{}\n", number % 50)
        })
        .collect()
}

fn code_owners(criterion: &mut Criterion) {
    let paths = paths();
    let text = owners(&paths);
    let mut group = criterion.benchmark_group("code owners");
    group.sample_size(10);
    group.throughput(Throughput::Elements(PATHS as u64));
    group.bench_function("read 1,000 lines and ask about 100,000 paths", |bencher| {
        bencher.iter(|| {
            let rules = OwnersRules::parse(black_box(&text), OwnersDialect::Github);
            paths.iter().filter(|path| rules.is_owned(path)).count()
        });
    });
    group.finish();
}

criterion_group!(benches, code_owners);
criterion_main!(benches);
