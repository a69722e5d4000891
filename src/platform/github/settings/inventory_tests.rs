//! Which branches are found, and when something is known to protect one.

use serde_json::{Value, json};

use super::super::super::graph::testing::answer;
use super::*;

#[expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]
fn list(items: &Value) -> Result<Listing, NoAnswer> {
    Ok(Listing {
        items: items.as_array().unwrap().clone(),
        sources: Vec::new(),
        endpoint: "GET /branches".to_owned(),
    })
}

fn seen(nodes: &Value) -> Result<(Vec<Ruleset>, Source), Unknown> {
    rulesets(&answer(
        &json!({"data": {"repository": {"rulesets": {"pageInfo": {"hasNextPage": false}, "nodes": nodes}}}}),
    ))
}

fn ruleset(include: &str, kind: &str) -> Value {
    json!({"databaseId": 1, "name": "all", "target": "BRANCH", "enforcement": "ACTIVE",
        "source": {"__typename": "Organization", "login": "acme"},
        "conditions": {"refName": {"include": [include], "exclude": []}},
        "rules": {"nodes": [{"type": kind}]}})
}

fn of(protected: &Value, nodes: &Value) -> Option<Vec<String>> {
    let branches = list(&json!([{"name": "rel/1", "protected": protected}]));
    let found = in_scope(&branches, &seen(nodes), &[], |name| {
        Ref::branch(name, Some("main"))
    });
    found.known().unwrap()[0].layers.known().ok().cloned()
}

#[test]
fn only_branches_in_scope_are_told_and_without_a_glob_all() {
    let branches = list(&json!([
        {"name": "release/2/x", "protected": true},
        {"name": "main", "protected": true},
        {"name": "feature", "protected": false}]));
    let names = |globs: &[&str]| -> Vec<String> {
        let globs: Vec<String> = globs.iter().map(|&glob| glob.to_owned()).collect();
        let found = in_scope(&branches, &seen(&json!([])), &globs, |name| {
            Ref::branch(name, None)
        });
        let found = found.known().unwrap();
        found.iter().map(|branch| branch.name.clone()).collect()
    };
    assert_eq!(names(&["main", "release/*"]), ["main", "release/2/x"]);
    assert_eq!(names(&[]).len(), 3);
}

#[test]
fn f14_a_ruleset_that_means_the_branch_protects_it() {
    let layers = of(
        &json!(false),
        &json!([ruleset("refs/heads/rel/*", "PULL_REQUEST")]),
    );
    assert_eq!(layers.unwrap(), ["ruleset \"all\" (organization acme)"]);
}

#[test]
fn a_branch_that_nothing_means_is_known_to_be_unprotected() {
    for nodes in [
        json!([]),
        json!([ruleset("refs/heads/main", "PULL_REQUEST")]),
        json!([ruleset("~ALL", "CREATION")]),
        json!([ruleset("~ALL", "TELEPATHY")]),
    ] {
        assert_eq!(of(&json!(false), &nodes), Some(vec![]), "{nodes}");
    }
}

#[test]
fn the_mark_of_protection_alone_is_classic_protection() {
    assert_eq!(of(&json!(true), &json!([])).unwrap(), [CLASSIC]);
}

#[test]
fn what_is_hidden_leaves_a_branch_unknown_that_nothing_else_protects() {
    let mut hidden = ruleset("~ALL", "PULL_REQUEST");
    hidden["conditions"] = json!({"refName": null});
    let mut no_rules = ruleset("~ALL", "PULL_REQUEST");
    no_rules["rules"] = Value::Null;
    for node in [
        hidden,
        no_rules,
        ruleset("refs/heads/{rel}/1", "PULL_REQUEST"),
    ] {
        let nodes = json!([node]);
        assert_eq!(of(&json!(false), &nodes), None, "{nodes}");
        assert!(of(&json!(true), &nodes).is_some_and(|layers| !layers.is_empty()));
        let beside = json!([node, ruleset("~ALL", "UPDATE")]);
        assert!(of(&json!(false), &beside).is_some_and(|layers| !layers.is_empty()));
    }
    assert_eq!(of(&Value::Null, &json!([])), None);
}

#[test]
fn a_list_of_rulesets_that_is_hidden_or_cut_off_is_no_list() {
    let told = |body: Value| rulesets(&answer(&body)).is_ok();
    let cut = |page: Value, nodes: Value| {
        told(json!({"data": {"repository": {"rulesets": {"pageInfo": page, "nodes": nodes}}}}))
    };
    assert!(cut(json!({"hasNextPage": false}), json!([])));
    assert!(!cut(json!({"hasNextPage": true}), json!([])));
    assert!(!cut(json!({}), json!([])));
    assert!(!cut(json!({"hasNextPage": false}), json!([null])));
    assert!(!cut(json!({"hasNextPage": false}), json!([{"name": "x"}])));
    assert!(!told(json!({"data": {"repository": {"rulesets": null}}})));
    assert!(!told(
        json!({"errors": [{"message": "Field 'rulesets' doesn't exist"}]})
    ));
}

#[test]
fn branches_that_are_refused_or_nameless_leave_the_list_unknown() {
    let rulesets = seen(&json!([]));
    let nameless = list(&json!([{"protected": true}]));
    let told = in_scope(&nameless, &rulesets, &[], |name| Ref::branch(name, None));
    assert!(!told.is_known());
}

#[test]
fn the_target_alone_is_told_by_its_own_rules() {
    use crate::facts::{Combine, Demand};
    let of = |demands: &[Option<bool>]| {
        let mut rules = BranchRules::without_demands("main", Vec::new(), Combine::AnyLayer);
        for (number, protected) in demands.iter().enumerate() {
            rules.protected.demands.push(Demand {
                layer: format!("layer {number}"),
                value: match protected {
                    Some(on) => Fact::known_without_source(*on),
                    None => Fact::Unknown(Unknown::not_collected("branch.rules")),
                },
            });
        }
        let found = of_target(&Fact::known_without_source(rules));
        found.known().unwrap()[0].layers.known().ok().cloned()
    };
    assert_eq!(of(&[]), Some(vec![]));
    assert_eq!(of(&[None]), None);
    assert_eq!(of(&[Some(true), None]), Some(vec!["layer 0".to_owned()]));
    let hidden = Fact::Unknown(Unknown::not_collected("branch.rules"));
    assert!(!of_target(&hidden).is_known());
}

#[test]
fn only_plain_names_of_the_target_mean_it_alone() {
    let alone = |target: &str, globs: &[&str]| {
        let needs: Needs = [FactKey::BranchRules].into_iter().collect();
        let globs = globs.iter().map(|&glob| glob.to_owned()).collect();
        is_target_alone(target, &needs.for_branches(globs))
    };
    assert!(alone("main", &["main"]) && alone("main", &["main", "main"]));
    assert!(!alone("main", &["main", "release/*"]));
    assert!(!alone("main", &[]) && !alone("m*", &["m*"]));
    let globs = vec!["main".to_owned()];
    assert!(!is_target_alone("main", &Needs::none().for_branches(globs)));
}
