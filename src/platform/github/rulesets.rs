//! Rulesets: the effective rules of a branch, grouped by the ruleset that makes
//! them, and who can go around each. The platform lists active rulesets only;
//! those that merely evaluate never reach this place.

use std::collections::BTreeMap;

use crate::facts::{Fact, LayerKind, RequiredCheck, Source, Unknown, Why, any_of};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::bypass::bypass;
use super::layer::LayerRules;
use super::permissions::METADATA;
use super::protection::is_plan;
use super::wire;

/// The answers about single rulesets, by id.
pub(super) type Details = BTreeMap<u64, Result<Answer, NoAnswer>>;

/// What the rulesets come to.
#[derive(Debug)]
pub(super) enum Rulesets {
    /// The plan has none.
    NotInPlan,
    /// The layers that apply to the branch.
    Layers(Vec<LayerRules>),
}

/// Ids of the rulesets that the effective rules name.
pub(super) fn ids(rules: &Listing) -> Vec<u64> {
    let mut ids: Vec<u64> = rules
        .items
        .iter()
        .filter_map(|item| item.get("ruleset_id")?.as_u64())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// The layers. `names` come from the first round and from `details`; a ruleset
/// without a detail keeps `hidden` as the reason why its bypass list is unknown.
pub(super) fn rulesets(
    rules: &Result<Listing, NoAnswer>,
    names: &BTreeMap<u64, String>,
    details: &Details,
    hidden: &Unknown,
) -> Rulesets {
    let whole = |why: &Unknown| {
        Rulesets::Layers(vec![LayerRules::hidden(
            "rulesets",
            LayerKind::Ruleset,
            why,
        )])
    };
    let listing = match rules {
        Ok(listing) => listing,
        Err(NoAnswer::Status(answer)) if answer.status == 403 && is_plan(&answer.message()) => {
            return Rulesets::NotInPlan;
        }
        Err(refusal) => return whole(&access::refused("branch.rules", METADATA, refusal)),
    };
    let mut groups: BTreeMap<(Option<u64>, String), Vec<wire::Rule>> = BTreeMap::new();
    for item in &listing.items {
        match serde::Deserialize::deserialize(item) {
            Ok(rule) => {
                let rule: wire::Rule = rule;
                groups
                    .entry((rule.ruleset_id, origin(&rule)))
                    .or_default()
                    .push(rule);
            }
            Err(error) => {
                let error: serde_json::Error = error;
                return whole(&access::malformed(
                    "branch.rules",
                    &listing.endpoint,
                    200,
                    &error.to_string(),
                ));
            }
        }
    }
    let mut layers: Vec<LayerRules> = Vec::new();
    for ((id, origin), rules) in &groups {
        let detail = id.and_then(|id| details.get(&id));
        let name = id
            .and_then(|id| names.get(&id).cloned())
            .or_else(|| detail.and_then(name_in));
        let mut layer_id = match (name, id) {
            (Some(name), _) => format!("ruleset \"{name}\" ({origin})"),
            (None, Some(id)) => format!("ruleset #{id} ({origin})"),
            (None, None) => format!("ruleset without an id ({origin})"),
        };
        if layers.iter().any(|layer| layer.id == layer_id) {
            layer_id = format!("{layer_id} #{}", id.unwrap_or(0));
        }
        layers.push(one(layer_id, rules, detail, hidden, &listing.sources));
    }
    Rulesets::Layers(layers)
}

fn name_in(detail: &Result<Answer, NoAnswer>) -> Option<String> {
    detail
        .as_ref()
        .ok()?
        .json::<wire::Ruleset>()
        .ok()
        .and_then(|ruleset| ruleset.name)
}

/// `repository`, `organization acme`, `enterprise x`.
fn origin(rule: &wire::Rule) -> String {
    let source = rule.ruleset_source.as_deref().unwrap_or("unnamed");
    match rule.ruleset_source_type.as_deref() {
        Some("Repository") => "repository".to_owned(),
        Some(other) => format!("{} {source}", other.to_ascii_lowercase()),
        None => "unknown source".to_owned(),
    }
}

fn required_check(check: &wire::RuleCheck) -> Option<RequiredCheck> {
    Some(RequiredCheck {
        name: check.context.clone()?,
        app: check
            .integration_id
            .filter(|id| *id > 0)
            .map(|id| id.to_string()),
    })
}

fn one(
    id: String,
    rules: &[wire::Rule],
    detail: Option<&Result<Answer, NoAnswer>>,
    hidden: &Unknown,
    sources: &[Source],
) -> LayerRules {
    let seen = |value: bool| Fact::seen_in(value, sources.to_vec());
    let has = |kind: &str| rules.iter().any(|rule| rule.kind.as_deref() == Some(kind));
    let of_kind = |kind: &'static str| {
        rules
            .iter()
            .filter(move |rule| rule.kind.as_deref() == Some(kind))
    };
    let missing = |what: &str| {
        Unknown::new(
            "branch.rules",
            Why::Failed,
            format!("a rule of the ruleset leaves out `{what}`"),
        )
    };
    // A pull request rule demands something even where its numbers are missing.
    let approvals: Vec<Option<u32>> = of_kind("pull_request")
        .map(|rule| rule.parameters.as_ref()?.required_approving_review_count)
        .collect();
    // A list, or a name in it, that cannot be read is not one demand less.
    let checks: Option<Vec<RequiredCheck>> = of_kind("required_status_checks")
        .map(|rule| rule.parameters.as_ref()?.required_status_checks.as_ref())
        .flat_map(|checks| match checks {
            Some(checks) => checks.iter().map(required_check).collect(),
            None => vec![None],
        })
        .collect();
    let (required_checks, skipped_checks_block) = match checks {
        None => {
            let why = missing("required_status_checks");
            (Fact::Unknown(why.clone()), Fact::Unknown(why))
        }
        Some(mut list) => {
            list.sort();
            list.dedup();
            let any = !list.is_empty();
            (Fact::seen_in(list, sources.to_vec()), seen(any))
        }
    };
    let rest = LayerRules::hidden(
        &id,
        LayerKind::Ruleset,
        &Unknown::not_collected("branch.rules"),
    );
    LayerRules {
        id,
        bypass: bypass(detail, hidden),
        protected: seen(true),
        pull_request_required: seen(has("pull_request")),
        approvals_required: if approvals.iter().any(Option::is_none) {
            Fact::Unknown(missing("required_approving_review_count"))
        } else {
            Fact::seen_in(
                approvals.iter().flatten().copied().max().unwrap_or(0),
                sources.to_vec(),
            )
        },
        stale_approvals_dismissed: any_of(
            of_kind("pull_request")
                .map(|rule| {
                    match rule
                        .parameters
                        .as_ref()
                        .and_then(|parameters| parameters.dismiss_stale_reviews_on_push)
                    {
                        Some(value) => seen(value),
                        None => Fact::Unknown(missing("dismiss_stale_reviews_on_push")),
                    }
                })
                .chain([seen(false)]),
        ),
        required_checks,
        skipped_checks_block,
        force_push_blocked: seen(has("non_fast_forward")),
        deletion_blocked: seen(has("deletion")),
        ..rest
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::{refused, rest};
    use super::*;
    use serde_json::{Value, json};

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
        let names = BTreeMap::from([(1, "main".to_owned())]);
        match rulesets(&listing, &names, details, &hidden) {
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
}
