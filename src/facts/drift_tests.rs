use jiff::Timestamp;

use super::super::branch::{BranchRules, BypassActor, BypassKind, BypassMode, Layer, LayerKind};
use super::super::fact::{Fact, Unknown};
use super::super::requirement::{Combine, Demand};
use super::super::settings::{DeployKey, Organization, Settings, Who};
use super::super::snapshot::{Platform, Requests};
use super::*;
use crate::facts::AccessRole;

fn seen<T>(value: T) -> Fact<T> {
    Fact::known_without_source(value)
}

fn empty() -> SettingsSnapshot {
    SettingsSnapshot {
        collected_by: "ccgate test".to_owned(),
        observed_at: Timestamp::UNIX_EPOCH,
        platform_time: seen(Timestamp::UNIX_EPOCH),
        platform: Platform::Github,
        api: "https://api.example.test".to_owned(),
        repository: "acme/app".to_owned(),
        branches: Vec::new(),
        unread_branches: Vec::new(),
        settings: Settings::all_unknown(),
        requests: Requests::default(),
    }
}

fn branch(approvals: u32, bypass: Vec<BypassActor>) -> SettingsSnapshot {
    let layer = Layer::of_repository("ruleset \"main\"", LayerKind::Ruleset, seen(bypass));
    let mut rules = BranchRules::without_demands("main", vec![layer], Combine::AnyLayer);
    rules.approvals_required.demands.push(Demand {
        layer: "ruleset \"main\"".to_owned(),
        value: seen(approvals),
    });
    let mut snapshot = empty();
    snapshot.branches.push(rules);
    snapshot
}

fn organization(creation: Who, permission: AccessRole, required: Fact<bool>) -> SettingsSnapshot {
    let mut snapshot = empty();
    snapshot.settings.organization = seen(Organization {
        name: "acme".to_owned(),
        not_in_plan: Vec::new(),
        two_factor_required: required,
        two_factor_grace_hours: seen(0),
        base_permission: seen(permission),
        repository_creation: seen(creation),
        repository_deletion: seen(Who::Owners),
        visibility_change: seen(Who::Owners),
        outside_invitation: seen(Who::Owners),
        private_forking: seen(false),
    });
    snapshot
}

fn told(before: &SettingsSnapshot, after: &SettingsSnapshot) -> Vec<String> {
    drift(before, after)
        .unwrap()
        .iter()
        .map(|change| {
            format!(
                "{} {}: {} -> {}",
                change.direction.word(),
                change.setting,
                change.before,
                change.after
            )
        })
        .collect()
}

#[test]
fn a_branch_that_lost_an_approval_and_gained_a_way_around_is_weaker_twice() {
    let eve = BypassActor {
        kind: BypassKind::User,
        name: "@eve".to_owned(),
        mode: BypassMode::Exempt,
    };
    let found = told(&branch(2, Vec::new()), &branch(1, vec![eve]));
    assert_eq!(
        found,
        [
            "weaker main: approvals_required: ruleset \"main\": 2 -> 1",
            "weaker main: layers: ruleset \"main\": bypass: @eve: absent -> kind user, mode exempt, name @eve",
        ]
    );
    assert_eq!(
        told(&branch(1, Vec::new()), &branch(2, Vec::new())),
        ["stronger main: approvals_required: ruleset \"main\": 1 -> 2"]
    );
}

#[test]
fn words_have_an_order_and_one_that_nobody_knows_is_the_weakest() {
    let before = organization(Who::Owners, AccessRole::Read, seen(true));
    let after = organization(
        Who::Other("anyone_at_all".to_owned()),
        AccessRole::None,
        seen(true),
    );
    let found = told(&before, &after);
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("weaker organization: repository_creation"));
    assert!(found[1].starts_with("stronger organization: base_permission: read -> none"));
}

#[test]
fn what_is_no_longer_seen_is_weaker_and_what_is_seen_now_is_no_improvement() {
    let hidden = Fact::Unknown(Unknown::not_collected("x"));
    let seen_once = organization(Who::Owners, AccessRole::Read, seen(true));
    let blind = organization(Who::Owners, AccessRole::Read, hidden);
    assert_eq!(
        told(&seen_once, &blind),
        ["weaker organization: two_factor_required: on -> not seen"]
    );
    assert_eq!(
        told(&blind, &seen_once),
        ["changed organization: two_factor_required: not seen -> on"]
    );
}

#[test]
fn a_key_that_was_added_is_weaker_and_one_that_was_only_used_is_nothing() {
    let key = |last_used: &str| DeployKey {
        title: "mirror".to_owned(),
        can_write: true,
        created_at: None,
        last_used: Some(last_used.parse().unwrap()),
        expires_at: None,
    };
    let mut before = empty();
    before.settings.deploy_keys = seen(vec![key("2026-01-01T00:00:00Z")]);
    let mut used = before.clone();
    used.settings.deploy_keys = seen(vec![key("2026-02-01T00:00:00Z")]);
    assert!(told(&before, &used).is_empty());
    let mut none = empty();
    none.settings.deploy_keys = seen(Vec::new());
    let found = told(&none, &before);
    assert!(
        found[0].starts_with("weaker deploy_keys: mirror: absent -> can_write on"),
        "{found:?}"
    );
    assert!(told(&before, &none)[0].starts_with("stronger deploy_keys: mirror"));
}

#[test]
fn each_rule_stands_there_once() {
    let mut names: Vec<&str> = RULES.iter().map(|(name, _)| *name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}
