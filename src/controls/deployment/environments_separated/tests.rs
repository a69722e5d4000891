//! When production stands apart from other environments, and when not.

use super::*;
use crate::controls::deployment::production::tests::{deployed_to, guarded, open};
use crate::controls::testing::{hidden, seen, verdict_of};

fn secret(name: &str, scope: SecretScope) -> Secret {
    Secret {
        name: name.to_owned(),
        scope,
        protected: None,
        masked: true,
        updated_at: None,
    }
}

fn of_environment(scope: &str) -> Secret {
    secret("DEPLOY_KEY", SecretScope::Environment(scope.to_owned()))
}

fn facts(list: Vec<Environment>, secrets: Fact<Vec<Secret>>) -> Snapshot {
    let mut facts = deployed_to(list, &[]);
    facts.settings.secrets = secrets;
    facts
}

fn guards(list: Vec<Environment>) -> String {
    let facts = facts(list, seen(vec![of_environment("production")]));
    verdict_of(&EnvironmentsSeparated::default(), &facts)
}

fn secrets(all: Vec<Secret>) -> String {
    let list = vec![guarded("production"), open("staging")];
    verdict_of(&EnvironmentsSeparated::default(), &facts(list, seen(all)))
}

#[test]
fn a_guarded_production_with_its_own_secrets_passes() {
    assert_eq!(guards(vec![guarded("production"), open("staging")]), "pass");
    assert_eq!(guards(vec![guarded("production")]), "pass");
}

#[test]
fn a_production_that_nothing_guards_fails_even_if_others_are_guarded() {
    assert_eq!(guards(vec![open("production")]), "fail");
    assert_eq!(guards(vec![open("production"), guarded("staging")]), "fail");
}

#[test]
fn the_same_guard_on_both_is_no_separation_in_whatever_order_it_stands() {
    let mut staging = guarded("staging");
    assert_eq!(guards(vec![guarded("production"), staging.clone()]), "fail");
    staging.reviewers = seen(vec!["@Bob".to_owned(), "@ana".to_owned()]);
    assert_eq!(guards(vec![guarded("production"), staging.clone()]), "fail");
    staging.reviewers = seen(vec!["@carl".to_owned()]);
    assert_eq!(guards(vec![guarded("production"), staging]), "pass");
}

#[test]
fn reviewers_who_need_not_approve_and_patterns_that_take_anything_guard_nothing() {
    let hollow = Environment {
        approvals: seen(0),
        refs: seen(DeployableRefs::Patterns(vec!["**/*".to_owned()])),
        ..guarded("production")
    };
    assert_eq!(guards(vec![hollow]), "fail");
}

#[test]
fn a_secret_that_reaches_everything_fails_and_one_of_production_does_not() {
    assert_eq!(secrets(vec![of_environment("production")]), "pass");
    assert_eq!(secrets(vec![of_environment("staging")]), "pass");
    assert_eq!(secrets(Vec::new()), "pass");
    for scope in [SecretScope::Repository, SecretScope::Organization] {
        assert_eq!(secrets(vec![secret("DEPLOY_KEY", scope)]), "fail");
    }
}

#[test]
fn a_pattern_that_fits_production_and_another_fails() {
    assert_eq!(secrets(vec![of_environment("*")]), "fail");
    assert_eq!(secrets(vec![of_environment("*g*")]), "pass");
    assert_eq!(secrets(vec![of_environment("*i*n*")]), "fail");
    assert_eq!(secrets(vec![of_environment("[prod*")]), "pass");
}

#[test]
fn a_secret_that_the_policy_lets_be_shared_is_left_out() {
    let control = EnvironmentsSeparated {
        shared_secrets: Globs::try_from(vec!["codecov_*".to_owned()]).unwrap(),
        ..EnvironmentsSeparated::default()
    };
    let list = || vec![guarded("production")];
    let shared = |name| facts(list(), seen(vec![secret(name, SecretScope::Repository)]));
    assert_eq!(verdict_of(&control, &shared("CODECOV_TOKEN")), "pass");
    assert_eq!(verdict_of(&control, &shared("DEPLOY_KEY")), "fail");
}

#[test]
fn what_is_proven_wrong_fails_whatever_is_hidden_and_else_it_is_unknown() {
    let control = EnvironmentsSeparated::default();
    let well = vec![guarded("production"), open("staging")];
    assert_eq!(verdict_of(&control, &facts(well, hidden())), "unknown");
    let bare = facts(vec![open("production")], hidden());
    assert_eq!(verdict_of(&control, &bare), "fail");
    let veiled = Environment {
        refs: hidden(),
        ..guarded("staging")
    };
    assert_eq!(
        guards(vec![guarded("production"), veiled.clone()]),
        "unknown"
    );
    let shared = vec![secret("DEPLOY_KEY", SecretScope::Repository)];
    let both = facts(vec![guarded("production"), veiled], seen(shared));
    assert_eq!(verdict_of(&control, &both), "fail");
}

#[test]
fn a_plan_without_guards_is_the_reason_unless_secrets_are_shared_or_hidden() {
    let control = EnvironmentsSeparated::default();
    let lacking = |secrets| {
        let mut facts = deployed_to(vec![open("production")], &["protected environments"]);
        facts.settings.secrets = secrets;
        verdict_of(&control, &facts)
    };
    let shared = vec![secret("DEPLOY_KEY", SecretScope::Repository)];
    assert_eq!(lacking(seen(Vec::new())), "fail plan");
    assert_eq!(lacking(seen(shared)), "fail");
    assert_eq!(lacking(hidden()), "fail");
}

#[test]
fn one_guard_that_differs_is_enough_whatever_is_hidden_of_the_other() {
    let other = Environment {
        reviewers: seen(vec!["@carl".to_owned()]),
        refs: hidden(),
        ..guarded("staging")
    };
    assert_eq!(guards(vec![guarded("production"), other]), "pass");
}

#[test]
fn without_production_it_has_no_meaning_whatever_is_hidden() {
    let control = EnvironmentsSeparated::default();
    let facts = facts(vec![open("dev")], hidden());
    assert_eq!(verdict_of(&control, &facts), "not_applicable");
}

#[test]
fn sharing_more_is_weaker() {
    let none = EnvironmentsSeparated::default();
    let some = EnvironmentsSeparated {
        shared_secrets: Globs::try_from(vec!["*".to_owned()]).unwrap(),
        ..EnvironmentsSeparated::default()
    };
    assert!(some.weaker_than(&none).is_some());
    assert!(none.weaker_than(&some).is_none());
}
