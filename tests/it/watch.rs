//! What reached the branch, looked at after the push: runs for pushes, and runs that nobody's
//! push caused.

use serde_json::{Value, json};

use crate::support::{Bench, Ended, control};

const WATCH: &str = "version: 1
controls: {nothing-added-after-approval: {}, branch-moves-through-changes: {}, history-only-grows: {}}
";

/// Changes 42 to 44, each approved by somebody without a hand in it.
fn bench() -> Bench {
    let bench = Bench::new().env("GITHUB_REPOSITORY", "acme/payments");
    bench.forge.with(|acme| {
        acme.policy = Some(WATCH.to_owned());
        acme.approve(42, "li");
        for (number, title) in [(43, "Round up"), (44, "Round down")] {
            acme.open(number, "lena", title, &format!("round-{number}"));
            acme.push(number, "lena", title);
            acme.approve(number, "li");
        }
    });
    bench
}

fn check(bench: &Bench) -> (Value, Ended) {
    let ended = bench.run(&["check", "--format", "json", "--ledger", "dir:ledger"]);
    let decision = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr));
    (decision, ended)
}

/// The run that GitHub starts for a push to `main`.
fn pushed(bench: &mut Bench, before: &str, after: &str) -> Value {
    let event = json!({"ref": "refs/heads/main", "before": before, "after": after});
    std::fs::write(bench.path("event.json"), event.to_string()).expect("the event is written");
    let path = bench.path("event.json").display().to_string();
    bench
        .env
        .insert("GITHUB_EVENT_NAME".to_owned(), "push".to_owned());
    bench.env.insert("GITHUB_EVENT_PATH".to_owned(), path);
    check(bench).0
}

fn scheduled(bench: &mut Bench) -> (Value, Ended) {
    bench.env.remove("GITHUB_EVENT_PATH");
    bench
        .env
        .insert("GITHUB_EVENT_NAME".to_owned(), "schedule".to_owned());
    check(bench)
}

/// Records of breaches in the ledger.
fn breaches(bench: &Bench) -> usize {
    let shown = bench.run(&["override", "list", "dir:ledger", "--format", "json"]);
    shown.stdout.matches("\"bypass_detected\"").count()
}

/// Whether each of the commits has one record of how it came.
fn told_once(bench: &Bench, commits: &[&str]) {
    std::fs::write(bench.path("commits"), commits.join("\n")).expect("the list is written");
    let ended = bench.run(&["ledger", "verify", "dir:ledger", "--population", "commits"]);
    let said = format!("each of {} changes has exactly one record", commits.len());
    assert!(
        ended.stdout.contains(&said),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
}

/// The attack: nothing runs for a push straight to the branch (`[skip ci]`), and before the next
/// scheduled run an approved change is merged on top, whose own run sees nothing but itself.
#[test]
fn a_push_that_skipped_its_run_is_judged_by_the_next_scheduled_one() {
    let mut bench = bench();
    let main = bench.forge.with(|acme| acme.main());
    let first = bench.forge.with(|acme| acme.merge(42, "ana"));
    let decision = pushed(&mut bench, &main, &first);
    assert_eq!(decision["decision"], "allow", "{decision:#}");
    let straight = bench.forge.with(|acme| acme.push_to_main("eve"));
    let second = bench.forge.with(|acme| acme.merge(43, "ana"));
    let decision = pushed(&mut bench, &straight, &second);
    assert_eq!(decision["decision"], "allow", "{decision:#}");
    assert_eq!(breaches(&bench), 0);
    // A merge later it is hidden no better.
    let third = bench.forge.with(|acme| acme.merge(44, "ana"));
    pushed(&mut bench, &second, &third);

    let (decision, ended) = scheduled(&mut bench);
    let found = control(&decision, "CHG-21");
    assert_eq!(found["verdict"], "fail", "{found:#}");
    assert_eq!(found["reason"], "direct_push", "{found:#}");
    assert!(
        found["summary"].to_string().contains(&straight[..7]),
        "{found:#}"
    );
    assert_eq!(ended.code, 1, "{}", ended.stderr);
    assert_eq!(breaches(&bench), 1);
    told_once(&bench, &[&first, &straight, &second, &third]);

    // It was looked at: the next one goes on from the tip, and tells nothing twice.
    let (decision, ended) = scheduled(&mut bench);
    let found = control(&decision, "CHG-21");
    assert_eq!(found["verdict"], "pass", "{found:#}");
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(breaches(&bench), 1);
    told_once(&bench, &[&first, &straight, &second, &third]);
}

/// The attack: something is pushed and taken back, both without a run. The branch stands where it
/// stood, or a change was merged on top of it whose run sees nothing but itself.
#[test]
fn a_push_that_was_taken_back_is_judged_by_the_next_scheduled_run() {
    for merged_on_top in [false, true] {
        let mut bench = bench();
        let main = bench.forge.with(|acme| acme.main());
        let first = bench.forge.with(|acme| acme.merge(42, "ana"));
        pushed(&mut bench, &main, &first);
        let gone = bench.forge.with(|acme| acme.push_and_take_back("eve"));
        if merged_on_top {
            let second = bench.forge.with(|acme| acme.merge(43, "ana"));
            let decision = pushed(&mut bench, &first, &second);
            assert_eq!(decision["decision"], "allow", "{decision:#}");
        }

        let (decision, ended) = scheduled(&mut bench);
        let found = control(&decision, "CHG-22");
        assert_eq!(found["verdict"], "fail", "{found:#}");
        assert_eq!(found["reason"], "history_rewritten", "{found:#}");
        let summary = found["summary"].to_string();
        assert!(summary.contains(&gone[..7]), "{summary}");
        assert_eq!(control(&decision, "CHG-21")["verdict"], "pass");
        assert_eq!(ended.code, 1, "{}", ended.stderr);
        assert_eq!(breaches(&bench), 1);

        // It was looked at, and has its record.
        let (decision, ended) = scheduled(&mut bench);
        let found = control(&decision, "CHG-22");
        assert_eq!(found["verdict"], "pass", "{found:#}");
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert_eq!(breaches(&bench), 1);
        // And the next time that somebody does it is another time.
        bench.forge.with(|acme| acme.push_and_take_back("eve"));
        let (decision, _) = scheduled(&mut bench);
        assert_eq!(control(&decision, "CHG-22")["verdict"], "fail");
        assert_eq!(breaches(&bench), 2, "a review of the first closes no other");
    }
}

#[test]
fn a_scheduled_run_looks_at_nothing_twice_where_every_push_had_its_run() {
    let mut bench = bench();
    let main = bench.forge.with(|acme| acme.main());
    let first = bench.forge.with(|acme| acme.merge(42, "ana"));
    pushed(&mut bench, &main, &first);
    let second = bench.forge.with(|acme| acme.merge(43, "ana"));
    pushed(&mut bench, &first, &second);
    let (decision, _) = scheduled(&mut bench);
    let summary = control(&decision, "CHG-21")["summary"].to_string();
    assert!(summary.contains("no new commit"), "{summary}");
    told_once(&bench, &[&first, &second]);
}

/// What nobody can read could hide a gap, so it is no ground to look at the last move only.
#[test]
fn a_scheduled_run_with_a_ledger_that_cannot_be_read_decides_nothing() {
    let mut bench = bench();
    let main = bench.forge.with(|acme| acme.main());
    let first = bench.forge.with(|acme| acme.merge(42, "ana"));
    pushed(&mut bench, &main, &first);
    let mut damaged = Vec::new();
    let mut folders = vec![bench.path("ledger/log/tile/entries")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                std::fs::write(&path, b"\0\x01{").expect("it is damaged");
                damaged.push(path);
            }
        }
    }
    assert!(!damaged.is_empty());
    bench.env.remove("GITHUB_EVENT_PATH");
    bench
        .env
        .insert("GITHUB_EVENT_NAME".to_owned(), "schedule".to_owned());
    let ended = bench.run(&["check", "--format", "json", "--ledger", "dir:ledger"]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("--since"), "{}", ended.stderr);
}
