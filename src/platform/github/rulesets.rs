//! Rulesets: the effective rules of a branch, grouped by the ruleset that makes
//! them, and who can go around each. The platform lists active rulesets only;
//! those that merely evaluate never reach this place.

use std::collections::BTreeMap;

use crate::facts::{Fact, FactKey, LayerKind, LayerOrigin, Server, Unknown};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::bypass::bypass;
use super::layer::LayerRules;
use super::permissions::METADATA;
use super::protection::is_plan;
use super::reach;
use super::rule_demands;
use super::server::{Feature, too_old};
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

/// The layers. Names come from the `heads` of the first round and from `details`; a
/// ruleset without a detail keeps `hidden` as the reason why its bypass list is unknown.
pub(super) fn rulesets(
    rules: &Result<Listing, NoAnswer>,
    server: &Fact<Server>,
    heads: &BTreeMap<u64, &wire::RulesetHead>,
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
        Err(refusal) => {
            let fact = FactKey::BranchRules.name();
            let why = too_old(server, Feature::Rulesets, refusal, fact)
                .unwrap_or_else(|| access::refused(fact, METADATA, refusal));
            return whole(&why);
        }
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
        let source = origin_of(rules.first());
        let name = id
            .and_then(|id| heads.get(&id)?.name.clone())
            .or_else(|| detail.and_then(name_in));
        let mut layer_id = match (name, id) {
            (Some(name), _) => format!("ruleset \"{name}\" ({origin})"),
            (None, Some(id)) => format!("ruleset #{id} ({origin})"),
            (None, None) => format!("ruleset without an id ({origin})"),
        };
        if layers.iter().any(|layer| layer.id == layer_id) {
            layer_id = format!("{layer_id} #{}", id.unwrap_or(0));
        }
        let mut layer = rule_demands::layer(layer_id, source, rules, &listing.sources);
        layer.bypass = bypass(detail, hidden);
        layer.all_repositories = match source {
            LayerOrigin::Repository => Fact::seen_in(false, listing.sources.clone()),
            LayerOrigin::Organization | LayerOrigin::Enterprise | LayerOrigin::Other => {
                let head = id.and_then(|id| heads.get(&id).copied());
                reach::all_repositories(source, detail, head)
            }
        };
        layers.push(layer);
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

/// Who made the ruleset that the rule belongs to.
fn origin_of(rule: Option<&wire::Rule>) -> LayerOrigin {
    layer_origin(rule.and_then(|rule| rule.ruleset_source_type.as_deref()))
}

/// The word of the platform as an origin.
pub(super) fn layer_origin(word: Option<&str>) -> LayerOrigin {
    match word {
        Some("Repository") => LayerOrigin::Repository,
        Some("Organization") => LayerOrigin::Organization,
        Some("Enterprise") => LayerOrigin::Enterprise,
        Some(_) | None => LayerOrigin::Other,
    }
}

fn origin(rule: &wire::Rule) -> String {
    origin_words(
        rule.ruleset_source_type.as_deref(),
        rule.ruleset_source.as_deref(),
    )
}

/// `repository`, `organization acme`, `enterprise x`.
pub(super) fn origin_words(kind: Option<&str>, source: Option<&str>) -> String {
    match kind {
        Some("Repository") => "repository".to_owned(),
        Some(other) => {
            let source = source.unwrap_or("unnamed");
            format!("{} {source}", other.to_ascii_lowercase())
        }
        None => "unknown source".to_owned(),
    }
}

#[cfg(test)]
#[path = "rulesets_tests.rs"]
mod tests;
