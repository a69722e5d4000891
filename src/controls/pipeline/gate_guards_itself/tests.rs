//! Each way around the gate, alone, starting from a gate that guards itself.

use serde_json::json;

use super::*;
use crate::controls::pipeline::testing::{
    checks, definition, file, file_of, job, pipeline_of, requiring,
};
use crate::controls::testing::{demand, hidden, nothing_seen, seen, verdict_of};
use crate::facts::{
    DefinitionFile, LayerKind, OwnerStatus, OwnersDialect, OwnersFile, PipelineJob,
    RequiredWorkflow,
};

const WORKFLOW: &str = ".github/workflows/ccgate.yml";

/// A gate that guards itself.
fn guarded() -> Snapshot {
    let gate = file(WORKFLOW, definition(vec![job("ccgate")]));
    let mut facts = requiring(seen(checks(&["ccgate"], Some("99"))), vec![gate]);
    rules(&mut facts, |rules| {
        let on = || Requirement::any_layer(vec![demand("r", seen(true))]);
        rules.skipped_checks_block = on();
        rules.code_owner_review_required = on();
        rules.required_workflows = Requirement::any_layer(vec![demand("r", seen(Vec::new()))]);
    });
    owned_by(&mut facts, "* @ana");
    facts
}

fn rules(facts: &mut Snapshot, change: impl FnOnce(&mut BranchRules)) {
    if let Fact::Known { value, .. } = &mut facts.branch_rules {
        change(value);
    }
}

fn owned_by(facts: &mut Snapshot, text: &str) {
    facts.settings.code_owners = seen(CodeOwners {
        file: Some(OwnersFile {
            path: ".github/CODEOWNERS".to_owned(),
            digest: String::new(),
            size: 10,
            text: text.to_owned(),
            dialect: OwnersDialect::Github,
            platform_errors: hidden(),
        }),
        owners: vec![OwnerStatus {
            name: "@ana".to_owned(),
            exists: seen(true),
            can_write: seen(true),
        }],
    });
}

fn run_by(facts: &mut Snapshot, files: Vec<DefinitionFile>) {
    facts.settings.definition = seen(pipeline_of(files));
}

/// The same gate as a job of a pipeline that has to succeed.
fn in_pipeline() -> Snapshot {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.required_checks = Requirement::any_layer(vec![demand(
            "merge checks",
            seen(checks(&["pipeline"], None)),
        )]);
        rules.layers[0].kind = LayerKind::ProtectedBranch;
    });
    let mut content = definition(vec![job("ccgate")]);
    content.triggers = vec!["merge_request_event".to_owned()];
    run_by(&mut facts, vec![file(".gitlab-ci.yml", content)]);
    facts
}

fn verdict(facts: &Snapshot) -> String {
    verdict_of(&GateGuardsItself::default(), facts)
}

/// The verdict after one change to the definition that runs the gate.
fn edited(change: impl FnOnce(&mut crate::facts::Definition)) -> String {
    let mut content = definition(vec![job("ccgate")]);
    change(&mut content);
    let mut facts = guarded();
    run_by(&mut facts, vec![file(WORKFLOW, content)]);
    verdict(&facts)
}

#[test]
fn a_gate_that_is_required_pinned_owned_and_run_from_the_base_branch_passes() {
    assert_eq!(verdict(&guarded()), "pass");
}

#[test]
fn a_gate_in_a_pipeline_that_has_to_succeed_passes_if_its_definition_is_owned() {
    let mut facts = in_pipeline();
    assert_eq!(verdict(&facts), "pass");
    owned_by(&mut facts, "/.ccgate.yml @ana\n/.github/ @ana");
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_gate_that_nobody_requires_fails() {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.required_checks =
            Requirement::any_layer(vec![demand("r", seen(checks(&["test"], Some("99"))))]);
    });
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_check_that_anybody_may_report_fails() {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.required_checks =
            Requirement::any_layer(vec![demand("r", seen(checks(&["ccgate"], None)))]);
    });
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_skipped_result_that_counts_fails() {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.skipped_checks_block = Requirement::any_layer(vec![demand("r", seen(false))]);
    });
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn owners_whose_review_nobody_wants_fail() {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.code_owner_review_required = Requirement::any_layer(vec![demand("r", seen(false))]);
    });
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn each_of_the_three_paths_needs_an_owner() {
    for left_out in [".ccgate.yml", ".github/CODEOWNERS", WORKFLOW] {
        let mut facts = guarded();
        owned_by(&mut facts, &format!("* @ana\n/{left_out}"));
        assert_eq!(verdict(&facts), "fail", "{left_out}");
    }
    let mut facts = guarded();
    facts.settings.code_owners = seen(CodeOwners {
        file: None,
        owners: Vec::new(),
    });
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_gate_that_runs_what_the_change_says_fails() {
    let of = |words: &[&str]| {
        edited(|content| content.triggers = words.iter().map(|&word| word.to_owned()).collect())
    };
    assert_eq!(of(&["pull_request"]), "fail");
    assert_eq!(of(&["push"]), "fail");
    assert_eq!(of(&["an_event_of_tomorrow"]), "fail");
    assert_eq!(of(&["pull_request", "pull_request_target"]), "pass");
    assert_eq!(of(&["workflow_run"]), "pass");
}

#[test]
fn filters_conditions_and_soft_failures_make_it_skippable() {
    assert_eq!(edited(|content| content.filtered = true), "fail");
    let job_with = |change: fn(&mut PipelineJob)| edited(|content| change(&mut content.jobs[0]));
    let condition =
        |job: &mut PipelineJob| job.condition = Some("github.actor != 'eve'".to_owned());
    assert_eq!(job_with(condition), "fail");
    assert_eq!(
        job_with(|job| job.soft_fail = Some("continue-on-error: true".to_owned())),
        "fail"
    );
    assert_eq!(
        job_with(|job| job.condition = Some("always()".to_owned())),
        "pass"
    );
}

#[test]
fn a_second_job_of_the_name_that_may_fail_fails() {
    let mut facts = guarded();
    let soft = PipelineJob {
        soft_fail: Some("continue-on-error: true".to_owned()),
        ..job("ccgate")
    };
    run_by(
        &mut facts,
        vec![
            file(WORKFLOW, definition(vec![job("ccgate")])),
            file(".github/workflows/x.yml", definition(vec![soft])),
        ],
    );
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_check_that_no_job_reports_is_unknown_unless_the_policy_says_what_it_is() {
    let mut facts = guarded();
    run_by(
        &mut facts,
        vec![file("a.yml", definition(vec![job("test")]))],
    );
    assert_eq!(verdict(&facts), "unknown");
    let service: GateGuardsItself =
        serde_json::from_value(json!({"outside": true})).expect("they are valid");
    assert_eq!(verdict_of(&service, &facts), "pass");
    assert!(service.weaker_than(&GateGuardsItself::default()).is_some());
}

#[test]
fn a_pipeline_without_the_gate_fails() {
    let mut facts = in_pipeline();
    run_by(
        &mut facts,
        vec![file(".gitlab-ci.yml", definition(vec![job("test")]))],
    );
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn a_gate_that_is_imposed_from_outside_needs_no_check_of_its_own() {
    let mut facts = guarded();
    rules(&mut facts, |rules| {
        rules.required_checks = Requirement::any_layer(vec![demand("r", seen(Vec::new()))]);
        rules.required_workflows = Requirement::any_layer(vec![demand(
            "r",
            seen(vec![RequiredWorkflow {
                path: ".github/workflows/ccgate.yml".to_owned(),
                repository: "acme/compliance".to_owned(),
                reference: None,
            }]),
        )]);
    });
    run_by(&mut facts, Vec::new());
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn a_definition_of_another_project_needs_no_owner_here() {
    let mut facts = in_pipeline();
    owned_by(&mut facts, "/.ccgate.yml @ana\n/.github/ @ana");
    if let Fact::Known { value, .. } = &mut facts.settings.definition {
        value.imposed_by = Some(".gitlab-ci.yml@acme/ci".to_owned());
    }
    assert_eq!(verdict(&facts), "pass");
}

#[test]
fn what_could_not_be_read_is_unknown() {
    assert_eq!(verdict(&nothing_seen()), "unknown");
    let without = |hide: fn(&mut Snapshot)| {
        let mut facts = guarded();
        hide(&mut facts);
        verdict(&facts)
    };
    assert_eq!(without(|facts| facts.branch_rules = hidden()), "unknown");
    assert_eq!(
        without(|facts| facts.settings.code_owners = hidden()),
        "unknown"
    );
    assert_eq!(
        without(|facts| facts.settings.definition = hidden()),
        "unknown"
    );
    let unread = || {
        vec![
            file(WORKFLOW, definition(vec![job("ccgate")])),
            file_of("b.yml", hidden()),
        ]
    };
    let mut facts = guarded();
    run_by(&mut facts, unread());
    assert_eq!(verdict(&facts), "unknown");
    owned_by(&mut facts, "");
    assert_eq!(verdict(&facts), "fail");
}

#[test]
fn another_check_another_policy_or_filters_are_weaker() {
    let base = GateGuardsItself::default();
    for less in [
        json!({"check": "other"}),
        json!({"policy": "x.yml"}),
        json!({"allow_filters": true}),
        json!({"conditions": ["false"]}),
    ] {
        let less: GateGuardsItself = serde_json::from_value(less).expect("they are valid");
        assert!(less.weaker_than(&base).is_some());
    }
    assert!(base.weaker_than(&base).is_none());
}
