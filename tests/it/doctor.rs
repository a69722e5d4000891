//! `ccgate doctor` from outside: what it finds at the small forge, which has no
//! settings to show, and what it says where nothing answers.

use serde_json::Value;

use crate::support::Bench;

const SECRET: &str = "test-token-that-nobody-may-print";

fn bench() -> Bench {
    Bench::new().env("CCGATE_TOKEN", SECRET)
}

fn doctor(bench: &Bench, more: &[&str]) -> crate::support::Ended {
    let mut arguments = vec!["doctor", "--repo", "acme/payments"];
    arguments.extend(more);
    bench.run(&arguments)
}

fn report(bench: &Bench, more: &[&str]) -> (u8, Value) {
    let mut arguments = vec!["--format", "json"];
    arguments.extend(more);
    let ended = doctor(bench, &arguments);
    let report = serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr));
    (ended.code, report)
}

/// The first finding about an area.
fn area<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["findings"]
        .as_array()
        .and_then(|findings| findings.iter().find(|finding| finding["area"] == name))
        .unwrap_or_else(|| panic!("{name} is not in the report: {report:#}"))
}

#[test]
fn every_area_is_named_and_weak_points_cost_no_exit_code() {
    let bench = bench();
    let ended = doctor(&bench, &[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    for area in [
        "server",
        "identity",
        "can read",
        "can't read",
        "policy",
        "required",
        "bypass",
        "triggers",
        "code owners",
        "integrity",
    ] {
        let found = ended.stdout.lines().any(|line| line.starts_with(area));
        assert!(found, "{area} in {}", ended.stdout);
    }
    assert!(ended.stdout.contains("@ccgate-demo"), "{}", ended.stdout);
}

#[test]
fn no_format_prints_a_token() {
    let bench = bench().env("CCGATE_SETTINGS_TOKEN", "another-secret");
    for format in ["human", "json"] {
        let ended = doctor(&bench, &["--format", format, "--change", "42"]);
        for secret in [SECRET, "another-secret"] {
            assert!(!ended.stdout.contains(secret), "{}", ended.stdout);
            assert!(!ended.stderr.contains(secret), "{}", ended.stderr);
        }
    }
}

#[test]
fn what_the_forge_does_not_answer_is_a_gap_with_its_price() {
    let bench = bench();
    let (code, report) = report(&bench, &["--policy", "soc2-all"]);
    assert_eq!(code, 0);
    assert_eq!(report["schema"], "ccgate.doctor/v1");
    let gaps = report["gaps"].as_array().expect("a list");
    let costs = |code: &str| {
        gaps.iter().any(|gap| {
            gap["controls"]
                .as_array()
                .is_some_and(|controls| controls.iter().any(|control| control["code"] == code))
        })
    };
    assert!(costs("PIPE-04"), "{report:#}");
    // Nothing about a change was asked for, so nothing about one is missing.
    assert!(!costs("CHG-04"), "{report:#}");
    assert_eq!(area(&report, "triggers")["state"], "unknown");
}

#[test]
fn a_change_can_be_looked_at_as_well() {
    let (code, report) = report(&bench(), &["--change", "42"]);
    assert_eq!(code, 0);
    assert_eq!(report["subject"]["change"], 42);
    let read = report["read"].as_array().expect("a list");
    assert!(read.iter().any(|name| name == "change.reviews"), "{read:?}");
}

#[test]
fn an_invalid_policy_is_wrong_usage_and_every_problem_has_its_place() {
    let bench = bench();
    std::fs::write(
        bench.path("p.yml"),
        "version: 1\nmode: sometimes\ncontrolz: {}\n",
    )
    .expect("a file in a folder of our own");
    let (code, report) = report(&bench, &["--policy", "p.yml"]);
    assert_eq!(code, 2, "{report:#}");
    let policy = area(&report, "policy");
    assert_eq!(policy["state"], "bad");
    let details = policy["details"].to_string();
    assert!(
        details.contains("p.yml:2:") && details.contains("p.yml:3:"),
        "{details}"
    );
    assert_eq!(report["exit_code"], 2);
}

#[test]
fn a_platform_that_does_not_answer_leaves_nothing_decided() {
    let bench = bench().env("GITHUB_API_URL", "http://127.0.0.1:9");
    for policy in [&[][..], &["--policy", "soc2-baseline"][..]] {
        let mut more = vec!["--timeout", "1"];
        more.extend(policy);
        let ended = doctor(&bench, &more);
        assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
        assert!(
            ended
                .stdout
                .contains("nothing of the repository could be read"),
            "{}",
            ended.stdout
        );
        assert!(
            ended.stdout.contains("required     unknown"),
            "{}",
            ended.stdout
        );
    }
}
