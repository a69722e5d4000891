//! Which layers the effective rules come to.

use super::super::graph::testing::{refused, rest};
use crate::facts::Why;

use super::*;
use serde_json::{Value, json};

fn unnamed() -> Fact<Server> {
    Fact::Unknown(Unknown::not_collected("server"))
}

fn rule(id: u64, kind: &str, parameters: &Value) -> Value {
    json!({"type": kind, "parameters": parameters, "ruleset_id": id,
        "ruleset_source_type": "Repository", "ruleset_source": "acme/app"})
}

fn layers(items: Vec<Value>, details: &Details) -> Vec<LayerRules> {
    let listing = Ok(Listing {
        items,
        sources: Vec::new(),
        endpoint: String::new(),
    });
    let hidden = Unknown::new("branch.bypass", Why::NotPermitted, "hidden");
    let head = wire::RulesetHead {
        name: Some("main".to_owned()),
        ..wire::RulesetHead::default()
    };
    let names = BTreeMap::from([(1, &head)]);
    match rulesets(&listing, &unnamed(), &names, details, &hidden) {
        Rulesets::Layers(layers) => layers,
        Rulesets::NotInPlan => panic!("the plan has rulesets"),
    }
}

#[test]
fn f14_a_ruleset_alone_protects_a_branch() {
    let found = layers(
        vec![
            rule(
                1,
                "pull_request",
                &json!({"required_approving_review_count": 2, "dismiss_stale_reviews_on_push": true}),
            ),
            rule(1, "non_fast_forward", &Value::Null),
            rule(1, "deletion", &Value::Null),
            rule(
                1,
                "required_status_checks",
                &json!({"required_status_checks": [{"context": "test", "integration_id": 9}]}),
            ),
        ],
        &Details::new(),
    );
    assert_eq!(found.len(), 1);
    let layer = &found[0];
    assert_eq!(layer.id, "ruleset \"main\" (repository)");
    assert_eq!(layer.approvals_required.known(), Ok(&2));
    assert_eq!(layer.stale_approvals_dismissed.known(), Ok(&true));
    assert_eq!(layer.force_push_blocked.known(), Ok(&true));
    assert_eq!(layer.deletion_blocked.known(), Ok(&true));
    assert_eq!(layer.skipped_checks_block.known(), Ok(&true));
    assert_eq!(
        layer.required_checks.known().unwrap()[0].app.as_deref(),
        Some("9")
    );
}

#[test]
fn f12_a_ruleset_against_force_pushes_demands_no_review() {
    let layer = layers(
        vec![rule(1, "non_fast_forward", &Value::Null)],
        &Details::new(),
    )
    .remove(0);
    assert_eq!(layer.pull_request_required.known(), Ok(&false));
    assert_eq!(layer.approvals_required.known(), Ok(&0));
    assert_eq!(layer.required_checks.known(), Ok(&vec![]));
}

#[test]
fn f2_f4_each_ruleset_keeps_its_own_bypass_list() {
    let details = Details::from([
        (1, rest(&json!({"bypass_actors": []}))),
        (
            2,
            rest(
                &json!({"name": "loose", "bypass_actors": [{"actor_id": 4, "actor_type": "RepositoryRole", "bypass_mode": "always"}]}),
            ),
        ),
    ]);
    let found = layers(
        vec![
            rule(1, "deletion", &Value::Null),
            rule(
                2,
                "pull_request",
                &json!({"required_approving_review_count": 2}),
            ),
        ],
        &details,
    );
    assert_eq!(found[0].bypass.known(), Ok(&vec![]));
    assert_eq!(found[1].id, "ruleset \"loose\" (repository)");
    assert_eq!(found[1].bypass.known().unwrap()[0].name, "role write");
}

#[test]
fn rules_that_cannot_be_read_leave_one_layer_of_unknowns() {
    let hidden = Unknown::new("branch.bypass", Why::NotPermitted, "hidden");
    let answer = rulesets(
        &Err(match refused(404, "Not Found") {
            Err(no) => no,
            Ok(_) => panic!(),
        }),
        &unnamed(),
        &BTreeMap::new(),
        &Details::new(),
        &hidden,
    );
    let Rulesets::Layers(found) = answer else {
        panic!("a hidden endpoint is not a plan")
    };
    assert!(!found[0].protected.is_known() && !found[0].bypass.is_known());
}

#[test]
fn several_rules_of_one_kind_add_up_to_the_strictest() {
    let layer = layers(
        vec![
            rule(1, "pull_request", &json!({"required_approving_review_count": 1, "dismiss_stale_reviews_on_push": true})),
            rule(1, "pull_request", &json!({"required_approving_review_count": 3, "dismiss_stale_reviews_on_push": false})),
        ],
        &Details::new(),
    )
    .remove(0);
    assert_eq!(layer.approvals_required.known(), Ok(&3));
    assert_eq!(layer.stale_approvals_dismissed.known(), Ok(&true));
}

#[test]
fn a_required_check_without_a_name_makes_the_list_unknown() {
    let rule = rule(
        1,
        "required_status_checks",
        &json!({"required_status_checks": [{"context": "test"}, {"integration_id": 9}]}),
    );
    let layer = layers(vec![rule], &Details::new()).remove(0);
    assert!(!layer.required_checks.is_known() && !layer.skipped_checks_block.is_known());
}

#[test]
fn a_rule_without_its_parameters_is_unknown_and_not_weak_or_strong() {
    let layer = layers(
        vec![
            rule(1, "pull_request", &Value::Null),
            rule(1, "required_status_checks", &Value::Null),
        ],
        &Details::new(),
    )
    .remove(0);
    assert_eq!(layer.pull_request_required.known(), Ok(&true));
    assert!(
        !layer.approvals_required.is_known()
            && !layer.stale_approvals_dismissed.is_known()
            && !layer.required_checks.is_known()
    );
}
