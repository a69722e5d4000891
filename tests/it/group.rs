//! `ccgate check` on the event of a merge group, from outside.

use serde_json::{Value, json};

use crate::support::{Bench, Ended};

const QUEUED: &str = "version: 1
extends: [soc2-baseline]
controls: {queue-result-reviewed: {}}
";

/// Change 42 and change 43, both approved by somebody without a hand in them.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.policy = Some(QUEUED.to_owned());
        acme.approve(42, "li");
        acme.open(43, "lena", "Round up (PAY-319)", "round");
        acme.push(43, "lena", "Round up");
        acme.approve(43, "li");
    });
    bench
}

/// Runs for the group as GitHub would.
fn run(bench: Bench, event: &Value, more: &[&str]) -> (Bench, Ended) {
    std::fs::write(bench.path("event.json"), event.to_string()).expect("the event is written");
    let path = bench.path("event.json").display().to_string();
    let bench = bench
        .env("GITHUB_EVENT_NAME", "merge_group")
        .env("GITHUB_EVENT_PATH", &path)
        .env("GITHUB_REPOSITORY", "acme/payments");
    let mut arguments = vec!["check", "--format", "json", "--ledger", "dir:ledger"];
    arguments.extend(more);
    let ended = bench.run(&arguments);
    (bench, ended)
}

fn decision(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr))
}

fn queue_verdict(decision: &Value) -> &Value {
    &crate::support::control(decision, "CHG-27")["verdict"]
}

#[test]
fn every_change_of_a_group_is_judged_and_recorded() {
    let bench = bench();
    let event = bench.forge.with(|acme| acme.enqueue(&[Some(42), Some(43)]));
    let (bench, ended) = run(bench, &event, &[]);
    let decision = decision(&ended);
    assert_eq!(ended.code, 0, "{decision:#}");
    assert_eq!(queue_verdict(&decision), "pass");
    assert!(
        decision.to_string().contains("a merge group of 2 changes"),
        "{decision:#}"
    );
    let shown = bench.run(&["ledger", "show", "dir:ledger"]).stdout;
    assert!(shown.contains("42") && shown.contains("43"), "{shown}");
}

#[test]
fn the_worst_change_decides_wherever_it_stands() {
    for order in [[Some(42), Some(43)], [Some(43), Some(42)]] {
        let bench = bench();
        let event = bench.forge.with(|acme| {
            // By one of its own authors only.
            acme.change(42).reviews.clear();
            acme.approve(42, "tom");
            acme.enqueue(&order)
        });
        let (_, ended) = run(bench, &event, &[]);
        let decision = decision(&ended);
        assert_eq!(ended.code, 1, "{decision:#}");
        assert_eq!(decision["subject"]["change"], 42);
        assert!(
            decision.to_string().contains("change 43 at"),
            "{decision:#}"
        );
    }
}

#[test]
fn what_the_platform_would_hold_back_elsewhere_holds_nothing_back_in_a_queue() {
    let bench = bench();
    let event = bench.forge.with(|acme| {
        acme.change(43).reviews.clear();
        acme.enqueue(&[Some(43)])
    });
    let alone = bench.run(&["check", "--repo", "acme/payments", "--change", "43"]);
    assert_eq!(alone.code, 0, "{}", alone.stdout);
    let (_, ended) = run(bench, &event, &[]);
    assert_eq!(ended.code, 4, "{}", ended.stdout);
    assert_eq!(decision(&ended)["decision"], "pending");
}

#[test]
fn a_commit_that_no_queued_change_explains_leaves_the_group_undecided() {
    let bench = bench();
    let event = bench
        .forge
        .with(|acme| acme.enqueue(&[Some(42), None, Some(43)]));
    let (_, ended) = run(bench, &event, &[]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("no change in the queue explains"),
        "{}",
        ended.stdout
    );
}

#[test]
fn a_queue_that_names_nothing_leaves_the_group_undecided() {
    let bench = bench();
    let mut event = bench.forge.with(|acme| acme.enqueue(&[Some(42)]));
    bench.forge.with(|acme| {
        acme.enqueue(&[]);
    });
    let (bench, ended) = run(bench, &event, &[]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
    // The run is for another commit than the queue makes.
    bench.forge.with(|acme| {
        acme.enqueue(&[Some(42)]);
    });
    event["merge_group"]["head_sha"] = json!("e".repeat(40));
    let (_, ended) = run(bench, &event, &[]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
}

#[test]
fn a_push_after_the_approval_closes_the_gate_for_the_whole_group() {
    let bench = bench();
    let event = bench.forge.with(|acme| {
        let event = acme.enqueue(&[Some(42), Some(43)]);
        acme.push(43, "lena", "And one thing more");
        event
    });
    let (_, ended) = run(bench, &event, &[]);
    assert_ne!(ended.code, 0, "{}", ended.stdout);
    assert_eq!(decision(&ended)["subject"]["change"], 43);
}

#[test]
fn a_group_cannot_be_narrowed_to_its_good_change() {
    let bench = bench();
    let event = bench.forge.with(|acme| acme.enqueue(&[Some(42), Some(43)]));
    let (_, ended) = run(bench, &event, &["--change", "42"]);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("merge group"), "{}", ended.stderr);
}
