//! How long it takes to judge the largest change that the platforms hand out whole, by
//! every control there is. The facts are those of the tests, many times over.

use std::hint::black_box;

use ccgate::facts::{Fact, PolicyFacts, Snapshot};
use ccgate::{gate, policy};
use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../tests/it/contract/moves.rs"]
mod moves;
#[path = "../tests/it/contract/register.rs"]
mod register;
#[path = "../tests/it/contract/scenarios.rs"]
mod scenarios;
#[path = "../tests/it/contract/settings.rs"]
mod settings;

const COMMITS: usize = 250;
const REVIEWS: usize = 100;
const FILES: usize = 3_000;
const CHECKS: usize = 300;

/// Copies of what stands there, each made different, before what stands there.
fn many<T: Clone>(fact: &mut Fact<Vec<T>>, count: usize, differ: impl Fn(&mut T, usize)) {
    let Fact::Known { value, .. } = fact else {
        panic!("the scenario knows it");
    };
    let own = value.clone();
    let first = value.first().expect("there is one").clone();
    *value = (0..count - own.len())
        .map(|number| {
            let mut copy = first.clone();
            differ(&mut copy, number);
            copy
        })
        .chain(own)
        .collect();
}

fn large(platform: &str) -> Snapshot {
    let name = format!("{platform}, all is well");
    let mut facts = scenarios::all()
        .into_iter()
        .find(|scenario| scenario.name == name)
        .expect("a scenario of that name")
        .facts;
    many(&mut facts.commits, COMMITS, |commit, number| {
        commit.sha = format!("{number:040x}");
        commit.message = format!("Do part {number}\n\n{}", "Why it is done so. ".repeat(30));
    });
    many(&mut facts.reviews, REVIEWS, |review, number| {
        if let Some(reviewer) = &mut review.reviewer {
            reviewer.login = format!("reviewer{number}");
        }
    });
    many(&mut facts.files, FILES, |file, number| {
        file.path = format!(
            "services/part{}/module{}/file{number}.rs",
            number % 40,
            number % 17
        );
    });
    many(&mut facts.checks, CHECKS, |check, number| {
        check.name = format!("check {number}");
    });
    facts
}

fn judgement(criterion: &mut Criterion) {
    let documents = PolicyFacts {
        target: Fact::known_without_source(policy::preset("soc2-all")),
        floor: Fact::known_without_source(None),
    };
    let mut group =
        criterion.benchmark_group("judgement of 250 commits, 100 reviews, 3,000 files, 300 checks");
    for platform in ["github", "gitlab"] {
        let mut facts = large(platform);
        let policy = policy::load(&documents, facts.observed_at).expect("the preset is valid");
        group.bench_function(format!("soc2-all, {platform}"), |bencher| {
            bencher.iter(|| {
                let facts = black_box(&mut facts);
                let evaluations = gate::evaluate(&policy, facts);
                gate::decide(&policy, facts, &evaluations)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, judgement);
criterion_main!(benches);
