//! Rulesets: the effective rules of a branch, grouped by the ruleset that makes
//! them, and who can go around each. The platform lists active rulesets only;
//! those that merely evaluate never reach this place.

use std::collections::BTreeMap;

use crate::facts::{
    BypassActor, BypassKind, BypassMode, Fact, LayerKind, RequiredCheck, Source, Unknown, Why,
    any_of,
};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::layer::LayerRules;
use super::permissions::{self, METADATA};
use super::protection::is_plan;
use super::wire;
use crate::facts::FactKey;

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
            .or_else(|| detail.and_then(|detail| name_in(detail)));
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
    let checks: Vec<Option<&Vec<wire::RuleCheck>>> = of_kind("required_status_checks")
        .map(|rule| rule.parameters.as_ref()?.required_status_checks.as_ref())
        .collect();
    let (required_checks, skipped_checks_block) = if checks.iter().any(Option::is_none) {
        let why = missing("required_status_checks");
        (Fact::Unknown(why.clone()), Fact::Unknown(why))
    } else {
        let mut list: Vec<RequiredCheck> = checks
            .iter()
            .flatten()
            .flat_map(|checks| checks.iter())
            .filter_map(|check| {
                Some(RequiredCheck {
                    name: check.context.clone()?,
                    app: check
                        .integration_id
                        .filter(|id| *id > 0)
                        .map(|id| id.to_string()),
                })
            })
            .collect();
        list.sort();
        list.dedup();
        (
            Fact::seen_in(list.clone(), sources.to_vec()),
            seen(!list.is_empty()),
        )
    };
    LayerRules {
        id,
        kind: LayerKind::Ruleset,
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
    }
}

/// Who can go around a ruleset. A list that is absent or null is hidden, never empty.
pub(super) fn bypass(
    detail: Option<&Result<Answer, NoAnswer>>,
    hidden: &Unknown,
) -> Fact<Vec<BypassActor>> {
    let fact = FactKey::BranchBypass.name();
    let needs = permissions::needs(FactKey::BranchBypass);
    match detail {
        None => Fact::Unknown(hidden.clone()),
        Some(Err(refusal)) => Fact::Unknown(access::refused(fact, needs, refusal)),
        Some(Ok(answer)) => match answer.json::<wire::Ruleset>() {
            Err(detail) => Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                &detail,
            )),
            Ok(wire::Ruleset {
                bypass_actors: Some(actors),
                ..
            }) => Fact::seen(actors.iter().map(actor).collect(), answer.source.clone()),
            Ok(_) => Fact::Unknown(
                Unknown::new(
                    fact,
                    Why::NotPermitted,
                    "the answer leaves out the bypass list, which the platform does for callers who may not change the ruleset",
                )
                .needs(needs)
                .at(answer.endpoint.clone(), Some(answer.status)),
            ),
        },
    }
}

fn actor(actor: &wire::BypassActor) -> BypassActor {
    let id = actor
        .actor_id
        .map_or_else(|| "without id".to_owned(), |id| id.to_string());
    let (kind, name) = match actor.actor_type.as_deref() {
        Some("RepositoryRole") => match actor.actor_id {
            Some(5) => (BypassKind::Administrators, "role admin".to_owned()),
            Some(4) => (BypassKind::Role, "role write".to_owned()),
            Some(2) => (BypassKind::Role, "role maintain".to_owned()),
            _ => (BypassKind::Role, format!("role {id}")),
        },
        Some("Team") => (BypassKind::Team, format!("team {id}")),
        Some("Integration") => (BypassKind::App, format!("app {id}")),
        Some("OrganizationAdmin") => (
            BypassKind::OrganizationOwners,
            "organization owners".to_owned(),
        ),
        Some("EnterpriseOwner") => (BypassKind::EnterpriseOwners, "enterprise owners".to_owned()),
        Some("EnterpriseRole") => (
            BypassKind::EnterpriseOwners,
            format!("enterprise role {id}"),
        ),
        Some("DeployKey") => (BypassKind::DeployKey, "deploy keys".to_owned()),
        Some("User") => (BypassKind::User, format!("user {id}")),
        other => {
            let word = other.unwrap_or("actor of no kind");
            (BypassKind::Other(word.to_owned()), format!("{word} {id}"))
        }
    };
    let mode = match actor.bypass_mode.as_deref() {
        None | Some("always") => BypassMode::Always,
        Some("pull_request") => BypassMode::PullRequest,
        Some("exempt") => BypassMode::Exempt,
        Some(other) => BypassMode::Other(other.to_owned()),
    };
    BypassActor { kind, name, mode }
}
