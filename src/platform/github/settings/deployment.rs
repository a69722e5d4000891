//! Environments: who has to approve a deployment, and which branches and tags
//! may be deployed. Apps that protect an environment in their own way are not read.

use serde::Deserialize;
use serde_json::Value;

use crate::facts::{DeployableRefs, Environment, Environments, Fact, FactKey, Unknown};
use crate::platform::access;
use crate::platform::transport::{Listing, NoAnswer};

use super::super::join::all;
use super::owner_side::Asker;
use super::plan;
use super::reading::{self, Read};

const KEY: FactKey = FactKey::DeploymentEnvironments;

#[derive(Debug, Deserialize)]
struct Wire {
    name: Option<String>,
    protection_rules: Option<Vec<Rule>>,
    can_admins_bypass: Option<bool>,
    /// Null means any branch; a key that is not there means nothing at all.
    #[serde(default, deserialize_with = "given")]
    deployment_branch_policy: Option<Option<BranchPolicy>>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    #[serde(rename = "type")]
    kind: Option<String>,
    reviewers: Option<Vec<Reviewer>>,
    prevent_self_review: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Reviewer {
    #[serde(rename = "type")]
    kind: Option<String>,
    reviewer: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct BranchPolicy {
    protected_branches: Option<bool>,
    custom_branch_policies: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Pattern {
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

fn given<'de, D: serde::Deserializer<'de>>(
    value: D,
) -> Result<Option<Option<BranchPolicy>>, D::Error> {
    Option::deserialize(value).map(Some)
}

/// A repository without environments.
pub(super) fn none() -> Environments {
    Environments {
        not_in_plan: Vec::new(),
        list: Vec::new(),
    }
}

/// Asks for all environments.
pub(super) async fn list(asker: &Asker<'_>) -> Result<Listing, NoAnswer> {
    let path = asker.path("environments");
    asker.client().get_all(&path, Some("environments")).await
}

/// The names of all environments, for a group that needs them.
pub(super) fn names(
    key: FactKey,
    list: &Result<Listing, NoAnswer>,
) -> Result<Vec<String>, Unknown> {
    let read = reading::list::<Wire>(key, list)?;
    read.value
        .iter()
        .map(|wire| {
            wire.name
                .clone()
                .ok_or_else(|| read.malformed(key, "an environment has no name"))
        })
        .collect()
}

/// The environments, with the patterns of those that have some.
pub(super) async fn ask(asker: &Asker<'_>, list: &Result<Listing, NoAnswer>) -> Fact<Environments> {
    let read = match reading::list::<Wire>(KEY, list) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let patterns = all(read.value.iter().map(|wire| async move {
        let name = wire.name.as_deref().filter(|_| wire.has_patterns())?;
        let path = asker.path(&format!(
            "environments/{}/deployment-branch-policies",
            access::encode(name)
        ));
        Some(
            asker
                .client()
                .get_all_behind(&path, Some("branch_policies"))
                .await,
        )
    }))
    .await;
    let not_in_plan = not_in_plan(asker, &read.value).await;
    environments(&read, &patterns, not_in_plan)
}

/// What the plan lacks, where that may explain what is missing.
async fn not_in_plan(asker: &Asker<'_>, list: &[Wire]) -> Vec<String> {
    let private = asker.session.about.public == Some(false);
    if !private || list.is_empty() || asker.no_organization(KEY, "").is_some() {
        return Vec::new();
    }
    plan::lacking_environments(asker.shared.organization().await)
}

impl Wire {
    fn has_patterns(&self) -> bool {
        self.deployment_branch_policy
            .as_ref()
            .and_then(Option::as_ref)
            .is_some_and(|policy| policy.custom_branch_policies == Some(true))
    }
}

/// `patterns` stands beside the environments, in their order.
fn environments(
    read: &Read<Vec<Wire>>,
    patterns: &[Option<Result<Listing, NoAnswer>>],
    not_in_plan: Vec<String>,
) -> Fact<Environments> {
    let mut list = Vec::new();
    for (wire, patterns) in read.value.iter().zip(patterns) {
        let Some(name) = wire.name.clone() else {
            return Fact::Unknown(read.malformed(KEY, "an environment has no name"));
        };
        list.push(environment(read, wire, name, patterns.as_ref()));
    }
    list.sort_by(|one, other| one.name.cmp(&other.name));
    read.fact(Environments { not_in_plan, list })
}

fn environment<T>(
    read: &Read<T>,
    wire: &Wire,
    name: String,
    patterns: Option<&Result<Listing, NoAnswer>>,
) -> Environment {
    let rule = wire.protection_rules.as_ref().map(|rules| {
        rules
            .iter()
            .find(|rule| rule.kind.as_deref() == Some("required_reviewers"))
    });
    let reviewers = rule.and_then(|rule| match rule {
        Some(rule) => rule.reviewers.as_ref()?.iter().map(reviewer).collect(),
        None => Some(Vec::new()),
    });
    // One approval is enough on GitHub, however many may give it.
    let approvals = reviewers
        .as_ref()
        .map(|names: &Vec<String>| u32::from(!names.is_empty()));
    let self_review = rule.and_then(|rule| match rule {
        Some(rule) => rule.prevent_self_review,
        None => Some(false),
    });
    Environment {
        name,
        tier: None,
        reviewers: read.field(KEY, reviewers, "reviewers"),
        approvals: read.field(KEY, approvals, "reviewers"),
        self_review_prevented: read.field(KEY, self_review, "prevent_self_review"),
        administrators_exempt: read.field(KEY, wire.can_admins_bypass, "can_admins_bypass"),
        refs: refs(read, wire, patterns),
    }
}

fn reviewer(reviewer: &Reviewer) -> Option<String> {
    let who = reviewer.reviewer.as_ref()?;
    let text = |key: &str| who.get(key)?.as_str().map(str::to_owned);
    Some(match reviewer.kind.as_deref()? {
        "User" => format!("@{}", text("login")?),
        "Team" => format!("team {}", text("slug")?),
        other => {
            let name = text("login")
                .or_else(|| text("slug"))
                .or_else(|| text("name"));
            format!("{other} {}", name.unwrap_or_default())
        }
    })
}

fn refs<T>(
    read: &Read<T>,
    wire: &Wire,
    patterns: Option<&Result<Listing, NoAnswer>>,
) -> Fact<DeployableRefs> {
    let name = "deployment_branch_policy";
    let policy = match &wire.deployment_branch_policy {
        Some(Some(policy)) => policy,
        Some(None) => return read.fact(DeployableRefs::Anything),
        None => return Fact::Unknown(read.missing(KEY, name)),
    };
    match (policy.protected_branches, policy.custom_branch_policies) {
        (Some(true), Some(false)) => read.fact(DeployableRefs::ProtectedOnly),
        (Some(false), Some(true)) => match patterns {
            Some(list) => reading::list_of(
                KEY,
                list,
                |pattern: &Pattern| {
                    let name = pattern.name.clone()?;
                    Some(match pattern.kind.as_deref() {
                        Some("tag") => format!("refs/tags/{name}"),
                        _ => name,
                    })
                },
                "a pattern of branches has no name",
            )
            .map(DeployableRefs::Patterns),
            None => Fact::Unknown(read.missing(KEY, "branch_policies")),
        },
        _ => Fact::Unknown(read.missing(KEY, name)),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;
    use crate::facts::Why;

    fn one(wire: &Value, patterns: Option<Result<Listing, NoAnswer>>) -> Environment {
        let read = reading::list::<Wire>(KEY, &listing(&json!([wire]))).unwrap();
        let fact = environments(&read, &[patterns], Vec::new());
        fact.known().unwrap().list[0].clone()
    }

    fn guarded() -> Value {
        json!({"name": "prod", "can_admins_bypass": false,
            "protection_rules": [{"type": "wait_timer", "wait_timer": 5}, {"type": "required_reviewers", "prevent_self_review": true,
                "reviewers": [{"type": "User", "reviewer": {"login": "ana"}}, {"type": "Team", "reviewer": {"slug": "ops"}}]}],
            "deployment_branch_policy": {"protected_branches": true, "custom_branch_policies": false}})
    }

    #[test]
    fn a_guarded_environment_is_read() {
        let seen = one(&guarded(), None);
        assert_eq!(
            seen.reviewers.known(),
            Ok(&vec!["@ana".to_owned(), "team ops".to_owned()])
        );
        assert_eq!(seen.approvals.known(), Ok(&1));
        assert_eq!(seen.self_review_prevented.known(), Ok(&true));
        assert_eq!(seen.administrators_exempt.known(), Ok(&false));
        assert_eq!(seen.refs.known(), Ok(&DeployableRefs::ProtectedOnly));
    }

    #[test]
    fn an_environment_without_rules_needs_nobody_and_takes_anything() {
        let seen = one(
            &json!({"name": "prod", "protection_rules": [], "deployment_branch_policy": null}),
            None,
        );
        assert_eq!(seen.approvals.known(), Ok(&0));
        assert_eq!(seen.self_review_prevented.known(), Ok(&false));
        assert_eq!(seen.refs.known(), Ok(&DeployableRefs::Anything));
        assert!(!seen.administrators_exempt.is_known());
    }

    #[test]
    fn keys_that_are_not_there_say_nothing() {
        let seen = one(&json!({"name": "prod"}), None);
        assert!(!seen.reviewers.is_known() && !seen.approvals.is_known());
        assert!(!seen.refs.is_known() && !seen.self_review_prevented.is_known());
        let mut silent = guarded();
        silent["protection_rules"][1] = json!({"type": "required_reviewers"});
        assert!(!one(&silent, None).approvals.is_known());
    }

    #[test]
    fn patterns_are_asked_for_and_a_refusal_of_them_stays_one() {
        let mut custom = guarded();
        custom["deployment_branch_policy"] =
            json!({"protected_branches": false, "custom_branch_policies": true});
        let patterns =
            listing(&json!([{"name": "v*", "type": "tag"}, {"name": "main", "type": "branch"}]));
        assert_eq!(
            one(&custom, Some(patterns)).refs.known(),
            Ok(&DeployableRefs::Patterns(vec![
                "main".to_owned(),
                "refs/tags/v*".to_owned()
            ]))
        );
        let hidden = one(&custom, Some(no_listing(403, "no"))).refs;
        assert_eq!(hidden.known().unwrap_err().why, Why::NotPermitted);
    }

    #[test]
    fn environments_that_are_not_shown_are_not_none() {
        let unknown = names(KEY, &no_listing(404, "Not Found")).unwrap_err();
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
        assert_eq!(
            names(KEY, &listing(&json!([]))).unwrap(),
            Vec::<String>::new()
        );
    }
}
