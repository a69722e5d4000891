//! Owners, events, demands and imposed workflows, each by itself.

use super::super::testing::{checks, definition, file, job, pipeline_of};
use super::*;
use crate::controls::testing::{branch, demand, hidden, seen};
use crate::facts::{OwnerStatus, RequiredWorkflow};

fn owners(text: &str, status: Option<(Fact<bool>, Fact<bool>)>) -> CodeOwners {
    CodeOwners {
        file: Some(OwnersFile {
            path: "CODEOWNERS".to_owned(),
            digest: String::new(),
            size: 10,
            text: text.to_owned(),
            dialect: OwnersDialect::Github,
            platform_errors: hidden(),
        }),
        owners: status
            .into_iter()
            .map(|(exists, can_write)| OwnerStatus {
                name: "@Ana".to_owned(),
                exists,
                can_write,
            })
            .collect(),
    }
}

fn owned(text: &str, status: Option<(Fact<bool>, Fact<bool>)>) -> Option<bool> {
    Owning::of(&owners(text, status))
        .is_owned(POLICY)
        .known()
        .ok()
        .copied()
}

#[test]
fn a_path_is_owned_if_somebody_who_can_act_owns_it() {
    let able = || Some((seen(true), seen(true)));
    assert_eq!(owned("* @ana", able()), Some(true));
    assert_eq!(owned("/docs/ @ana", able()), Some(false));
    assert_eq!(owned("* @ana\n/.ccgate.yml", able()), Some(false));
    assert_eq!(
        owned("* @ana", Some((seen(true), seen(false)))),
        Some(false)
    );
    assert_eq!(owned("* @ana", Some((seen(true), hidden()))), None);
    assert_eq!(owned("* @ana", None), None);
    let mut large = owners("* @ana", able());
    large.file.iter_mut().for_each(|file| file.size = TOO_LARGE);
    assert_eq!(Owning::of(&large).is_owned(POLICY).known(), Ok(&false));
    large.file = None;
    assert_eq!(Owning::of(&large).is_owned(POLICY).known(), Ok(&false));
}

#[test]
fn only_a_workflow_that_bears_the_name_of_the_gate_is_taken_for_it() {
    let of = |path: &str, repository: &str, check: &str| {
        let facts = branch(|rules| {
            rules.required_workflows = Requirement::any_layer(vec![demand(
                "r",
                seen(vec![RequiredWorkflow {
                    path: path.to_owned(),
                    repository: repository.to_owned(),
                    reference: None,
                }]),
            )]);
        });
        let found = Demanded::of(&facts.branch_rules, check, "acme/app").imposed;
        found.known().ok().copied()
    };
    assert_eq!(of("ci/Ccgate.yml", "acme/ci", "ccgate"), Some(true));
    assert_eq!(of("ci/sast.yml", "acme/ci", "ccgate"), Some(false));
    assert_eq!(of("ci/ccgate.yml", "Acme/App", "ccgate"), Some(false));
    assert_eq!(of("ci/sast.yml", "acme/ci", ""), Some(false));
}

#[test]
fn a_definition_at_another_place_of_the_same_project_is_within_reach() {
    let at = |place: Option<&str>| {
        let mut definition = pipeline_of(Vec::new());
        definition.imposed_by = place.map(str::to_owned);
        lies_elsewhere(&definition, "acme/app")
    };
    assert!(at(Some("ci.yml@acme/ci:main")) && at(Some("https://ci.test/a.yml")));
    assert!(!at(None) && !at(Some("ci.yml@Acme/App")) && !at(Some("ci.yml@acme/app:x")));
}

#[test]
fn an_event_that_nobody_knows_counts_as_one_of_the_change() {
    let of = |words: &[&str]| {
        let triggers: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        (
            is_started_from_base(&triggers),
            is_never_started_from_change(&triggers),
        )
    };
    assert_eq!(
        of(&["pull_request_target", "workflow_dispatch"]),
        (true, true)
    );
    assert_eq!(of(&["pull_request_target", "pull_request"]), (true, false));
    assert_eq!(of(&["pull_request"]), (false, false));
    assert_eq!(of(&["some_new_event"]), (false, false));
    assert_eq!(of(&["push"]), (false, true));
}

#[test]
fn a_check_is_demanded_by_name_or_with_the_whole_pipeline() {
    let of = |names: &[&str], combine: Combine| {
        let facts = branch(|rules| {
            rules.required_checks = Requirement {
                combine,
                demands: vec![demand("merge checks", seen(checks(names, None)))],
            };
        });
        let demanded = Demanded::of(&facts.branch_rules, "ccgate", "acme/app");
        (
            demanded.by_name.known().ok().copied(),
            demanded.in_pipeline.known().ok().copied(),
        )
    };
    assert_eq!(
        of(&["ccgate"], Combine::AnyLayer),
        (Some(true), Some(false))
    );
    assert_eq!(
        of(&["pipeline"], Combine::EveryLayer),
        (Some(false), Some(true))
    );
    assert_eq!(of(&[], Combine::AnyLayer), (Some(false), Some(false)));
}

#[test]
fn what_runs_the_gate_is_known_only_where_every_file_was_read() {
    let whole = pipeline_of(vec![file("a.yml", definition(vec![job("ccgate")]))]);
    let runs = Runs::of(&whole, "ccgate");
    assert_eq!(runs.exist().known(), Ok(&true));
    assert_eq!(runs.none_is(|_| false).known(), Ok(&true));
    assert_eq!(runs.none_is(|_| true).known(), Ok(&false));
    let none = pipeline_of(Vec::new());
    assert_eq!(Runs::of(&none, "ccgate").exist().known(), Ok(&false));
    let half = pipeline_of(vec![super::super::testing::file_of("b.yml", hidden())]);
    assert!(!Runs::of(&half, "ccgate").exist().is_known());
}
