//! CHG-13: what was reported for the head, and the gate that waits for itself.

use super::ChecksSucceeded;
use crate::controls::control::{Control as _, Verdict};
use crate::controls::testing::{branch, check, demand, hidden, identity, older, seen, verdict_of};
use crate::facts::{
    ChangeState, CheckConclusion, CheckKind, CheckResult, CheckStatus, RequiredCheck, Requirement,
    Snapshot,
};
use CheckConclusion::{Failure, Neutral, Skipped, Success};

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&ChecksSucceeded::default(), facts)
}

/// A branch that requires these checks, and what was reported.
fn case(required: &[&str], results: Vec<CheckResult>) -> Snapshot {
    let required = required
        .iter()
        .map(|name| RequiredCheck {
            name: (*name).to_owned(),
            app: None,
        })
        .collect();
    let mut facts = branch(|rules| {
        rules.required_checks = Requirement::any_layer(vec![demand("r", seen(required))]);
    });
    facts.identity = seen(identity("ana"));
    facts.checks = seen(results);
    facts
}

fn pipeline(conclusion: Option<CheckConclusion>) -> CheckResult {
    CheckResult {
        kind: CheckKind::Pipeline,
        app: None,
        ..check("pipeline", conclusion)
    }
}

fn job(name: &str, conclusion: Option<CheckConclusion>) -> CheckResult {
    CheckResult {
        kind: CheckKind::Job,
        app: None,
        ..check(name, conclusion)
    }
}

fn allowed_to_fail(job: CheckResult) -> CheckResult {
    CheckResult {
        allow_failure: true,
        ..job
    }
}

/// The pipeline is required and runs, and so does the gate's job in it.
fn gate_in_pipeline(jobs: Vec<CheckResult>) -> Snapshot {
    let mut results = vec![pipeline(None), job("ccgate", None)];
    results.extend(jobs);
    case(&["pipeline"], results)
}

fn summary(facts: &Snapshot) -> String {
    match ChecksSucceeded::default().evaluate(facts) {
        Ok(Verdict::Pass(evidence) | Verdict::NotApplicable(evidence)) => {
            evidence.summary().to_owned()
        }
        Ok(Verdict::Fail(failure)) => failure.evidence.summary().to_owned(),
        Err(unknown) => unknown.to_string(),
    }
}

#[test]
fn a_required_check_that_succeeded_on_the_head_passes() {
    assert_eq!(
        verdict(&case(&["test"], vec![check("test", Some(Success))])),
        "pass"
    );
}

#[test]
fn a_red_cancelled_or_unfamiliar_result_fails() {
    let strange = CheckResult {
        status: CheckStatus::Other("blocked".to_owned()),
        ..check("test", None)
    };
    let endless = CheckResult {
        status: CheckStatus::Completed,
        ..check("test", None)
    };
    let cancelled = check("test", Some(CheckConclusion::Other("cancelled".to_owned())));
    for result in [check("test", Some(Failure)), strange, endless, cancelled] {
        assert_eq!(verdict(&case(&["test"], vec![result])), "fail");
    }
}

#[test]
fn a_check_that_still_runs_fails_and_is_waited_for_unless_another_one_is_red() {
    let running = check("test", None);
    assert_eq!(
        verdict(&case(&["test"], vec![running.clone()])),
        "fail pending"
    );
    let both = vec![running, check("lint", Some(Failure))];
    assert_eq!(verdict(&case(&["test", "lint"], both)), "fail");
}

/// F24: a required name that no workflow reports.
#[test]
fn f24_a_required_check_that_nobody_reports_fails() {
    let facts = case(&["phantom"], vec![check("test", Some(Success))]);
    assert_eq!(verdict(&facts), "fail");
}

/// F23, F26: nothing is required, so nothing was shown, whatever the strict flag says.
#[test]
fn f23_f26_where_nothing_is_required_and_nothing_reported_it_fails() {
    assert_eq!(verdict(&case(&[], vec![])), "fail");
}

#[test]
fn f23_where_nothing_is_required_everything_reported_has_to_be_green() {
    let green = check("test", Some(Success));
    assert_eq!(verdict(&case(&[], vec![green.clone()])), "pass");
    let red = vec![green.clone(), check("lint", Some(Failure))];
    assert_eq!(verdict(&case(&[], red)), "fail");
    let tolerated = allowed_to_fail(check("lint", Some(Failure)));
    assert_eq!(verdict(&case(&[], vec![green, tolerated.clone()])), "pass");
    assert_eq!(verdict(&case(&[], vec![tolerated])), "fail");
}

/// F15: green on what was there before the last push.
#[test]
fn f15_a_result_of_an_older_commit_is_none() {
    let old = CheckResult {
        head: older(),
        ..check("test", Some(Success))
    };
    assert_eq!(verdict(&case(&["test"], vec![old])), "fail");
}

/// After the merge: the squash commit itself was never checked, its change was.
#[test]
fn what_a_merge_left_on_the_branch_is_judged_at_the_head_that_was_merged() {
    let mut facts = case(&["test"], vec![check("test", Some(Success))]);
    facts.subject.head = "5a".repeat(20);
    assert_eq!(verdict(&facts), "fail");
    let mut merged = identity("ana");
    merged.merge_commit = Some(facts.subject.head.clone());
    facts.identity = seen(merged.clone());
    assert_eq!(verdict(&facts), "fail", "it is not merged yet");
    merged.state = ChangeState::Merged;
    facts.identity = seen(merged);
    assert_eq!(verdict(&facts), "pass");
    facts.identity = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn skipped_and_neutral_fail_unless_the_policy_allows_them() {
    let lenient = ChecksSucceeded {
        allow_skipped: true,
        ..ChecksSucceeded::default()
    };
    for word in [Skipped, Neutral] {
        let facts = case(&["test"], vec![check("test", Some(word))]);
        assert_eq!(verdict(&facts), "fail");
        assert_eq!(verdict_of(&lenient, &facts), "pass");
    }
}

/// The cheat: a plain status of the same name beside the red check.
#[test]
fn a_green_status_of_the_same_name_does_not_cover_a_red_check() {
    let status = CheckResult {
        kind: CheckKind::CommitStatus,
        app: None,
        ..check("test", Some(Success))
    };
    let facts = case(&["test"], vec![check("test", Some(Failure)), status]);
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_check_that_is_pinned_to_an_app_is_not_met_by_another() {
    let mut facts = branch(|rules| {
        let pinned = RequiredCheck {
            name: "test".to_owned(),
            app: Some("999".to_owned()),
        };
        rules.required_checks = Requirement::any_layer(vec![demand("r", seen(vec![pinned]))]);
    });
    facts.identity = seen(identity("ana"));
    facts.checks = seen(vec![check("test", Some(Success))]);
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_hidden_layer_may_require_more_so_it_is_unknown_unless_something_is_red() {
    let mut facts = branch(|rules| {
        let test = RequiredCheck {
            name: "test".to_owned(),
            app: None,
        };
        rules.required_checks =
            Requirement::any_layer(vec![demand("r", seen(vec![test])), demand("c", hidden())]);
    });
    facts.identity = seen(identity("ana"));
    facts.checks = seen(vec![check("test", Some(Success))]);
    assert_eq!(verdict(&facts), "unknown");
    facts.checks = seen(vec![check("test", Some(Failure))]);
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn hidden_rules_and_hidden_results_are_unknown() {
    let mut facts = case(&["test"], vec![check("test", Some(Success))]);
    facts.checks = hidden();
    assert_eq!(verdict(&facts), "unknown");
    let mut facts = case(&["test"], vec![check("test", Some(Success))]);
    facts.branch_rules = hidden();
    assert_eq!(verdict(&facts), "unknown");
}

#[test]
fn the_gate_does_not_wait_for_itself_and_says_that_it_left_itself_out() {
    for gate in [check("ccgate", None), check("ccgate", Some(Failure))] {
        let facts = case(
            &["test", "ccgate"],
            vec![check("test", Some(Success)), gate],
        );
        assert_eq!(verdict(&facts), "pass");
        assert!(summary(&facts).contains("`ccgate` is left out"));
    }
}

#[test]
fn a_name_that_only_resembles_the_gates_is_judged() {
    for name in ["CCGATE", "ccgate ", "ccgate / build"] {
        let facts = case(
            &[],
            vec![check("test", Some(Success)), check(name, Some(Failure))],
        );
        assert_eq!(verdict(&facts), "fail", "{name}");
    }
}

#[test]
fn where_the_gate_is_the_only_check_nothing_was_shown() {
    let gate = check("ccgate", Some(Success));
    assert_eq!(verdict(&case(&["ccgate"], vec![gate.clone()])), "fail");
    assert_eq!(verdict(&case(&[], vec![gate])), "fail");
}

#[test]
fn the_gates_name_is_a_parameter_and_another_one_is_weaker() {
    let own = ChecksSucceeded {
        gate: "change control".to_owned(),
        ..ChecksSucceeded::default()
    };
    let results = vec![check("test", Some(Success)), check("change control", None)];
    assert_eq!(verdict_of(&own, &case(&[], results)), "pass");
    assert!(own.weaker_than(&ChecksSucceeded::default()).is_some());
    let none = ChecksSucceeded {
        gate: String::new(),
        ..ChecksSucceeded::default()
    };
    assert!(none.weaker_than(&own).is_none());
}

#[test]
fn a_pipeline_that_waits_only_for_the_gate_is_judged_by_its_other_jobs() {
    let facts = gate_in_pipeline(vec![
        job("test", Some(Success)),
        allowed_to_fail(job("lint", Some(Failure))),
        allowed_to_fail(job("deploy by hand", None)),
    ]);
    assert_eq!(verdict(&facts), "pass");
    assert!(summary(&facts).contains("waits for nothing but the gate"));
}

#[test]
fn a_failed_job_beside_the_gate_fails_at_once() {
    let facts = gate_in_pipeline(vec![job("test", Some(Failure)), job("build", None)]);
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_job_that_still_runs_beside_the_gate_is_waited_for() {
    let facts = gate_in_pipeline(vec![job("test", Some(Success)), job("build", None)]);
    assert_eq!(verdict(&facts), "fail pending");
}

#[test]
fn a_skipped_job_beside_the_gate_is_no_success() {
    assert_eq!(
        verdict(&gate_in_pipeline(vec![job("test", Some(Skipped))])),
        "fail"
    );
}

/// The cheat: delete the tests and leave the gate, or let them all fail.
#[test]
fn a_pipeline_with_no_other_job_that_succeeded_shows_nothing() {
    assert_eq!(verdict(&gate_in_pipeline(vec![])), "fail");
    let tolerated = allowed_to_fail(job("test", Some(Failure)));
    assert_eq!(verdict(&gate_in_pipeline(vec![tolerated])), "fail");
}

#[test]
fn a_pipeline_that_waits_for_something_else_is_waited_for() {
    let ended = job("ccgate", Some(Success));
    for results in [
        vec![pipeline(None), job("test", Some(Success))],
        vec![pipeline(None), job("test", Some(Success)), ended],
        vec![pipeline(None)],
    ] {
        assert_eq!(verdict(&case(&["pipeline"], results)), "fail pending");
    }
}

#[test]
fn a_pipeline_that_ended_counts_as_it_is() {
    let with = |conclusion| {
        case(
            &["pipeline"],
            vec![
                pipeline(Some(conclusion)),
                job("test", Some(Success)),
                job("ccgate", None),
            ],
        )
    };
    assert_eq!(verdict(&with(Success)), "pass");
    assert_eq!(verdict(&with(Failure)), "fail");
    assert_eq!(verdict(&with(Skipped)), "fail");
}

/// Jobs and a check run of that name are no pipeline.
#[test]
fn only_a_pipeline_is_judged_by_its_jobs() {
    let facts = case(
        &["pipeline"],
        vec![
            check("pipeline", None),
            job("ccgate", None),
            job("test", Some(Success)),
        ],
    );
    assert_eq!(verdict(&facts), "fail pending");
}

/// The cheat: a green job that calls itself `pipeline`.
#[test]
fn a_job_named_like_the_pipeline_does_not_stand_for_it() {
    let facts = case(
        &["pipeline"],
        vec![pipeline(Some(Failure)), job("pipeline", Some(Success))],
    );
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn jobs_of_an_older_commit_do_not_stand_for_the_pipeline() {
    let old = CheckResult {
        head: older(),
        ..job("test", Some(Success))
    };
    assert_eq!(verdict(&gate_in_pipeline(vec![old])), "fail");
}
