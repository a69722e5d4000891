//! `ccgate snapshot --settings` of many repositories, from outside.

use crate::support::{Bench, Ended};

fn of_owner(bench: &Bench, more: &[&str]) -> Ended {
    let mut arguments = vec!["snapshot", "--settings", "--policy", "soc2-baseline"];
    arguments.extend(["--out", "s.json", "--owner", "acme"]);
    arguments.extend(more);
    bench.run(&arguments)
}

/// The cheat: a repository that the token does not see is not looked at.
#[test]
fn nothing_is_written_where_it_is_not_certain_which_repositories_there_are() {
    let bench = Bench::new();
    let ended = of_owner(&bench, &["--platform", "github"]);
    assert_eq!(ended.code, 3, "{}{}", ended.stdout, ended.stderr);
    let said = "organization.repositories";
    assert!(ended.stderr.contains(said), "{}", ended.stderr);
    assert!(!bench.path("s.json").exists());
}

#[test]
fn an_owner_s_repositories_are_not_named_beside_it_nor_on_a_platform_that_does_not_count_them() {
    let bench = Bench::new();
    let gitlab = of_owner(&bench, &["--platform", "gitlab"]);
    assert_eq!(gitlab.code, 2, "{}", gitlab.stderr);
    assert!(gitlab.stderr.contains("--repo"), "{}", gitlab.stderr);
    let both = of_owner(&bench, &["--platform", "github", "--repo", "acme/a"]);
    assert_eq!(both.code, 2, "{}", both.stderr);
}

#[test]
fn several_repositories_come_into_one_file() {
    let bench = Bench::new();
    let ended = bench.run(&[
        "snapshot",
        "--settings",
        "--platform",
        "github",
        "--policy",
        "soc2-baseline",
        "--out",
        "s.json",
        "--repo",
        "acme/payments",
        "--repo",
        "acme/elsewhere",
    ]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    let file = std::fs::read_to_string(bench.path("s.json")).expect("the file");
    let file: serde_json::Value = serde_json::from_str(&file).expect("JSON");
    let names: Vec<_> = file["snapshots"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|snapshot| snapshot["repository"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(names, ["acme/payments", "acme/elsewhere"]);
}
