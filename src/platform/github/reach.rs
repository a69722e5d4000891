//! How far a ruleset reaches: for which repositories it is meant, and which
//! rulesets would bind a branch if they were in force.

use crate::facts::{Fact, InactiveRules, LayerOrigin, Source, Unknown, Why};
use crate::platform::transport::{Answer, NoAnswer};

use super::conditions::{self, ALL, Ref};
use super::permissions::METADATA;
use super::wire;

/// Whether a ruleset from above is meant for every repository, those to come
/// included. Told by the ruleset itself or by its head in the first round; a
/// ruleset that tells neither is unknown.
pub(super) fn all_repositories(
    origin: LayerOrigin,
    detail: Option<&Result<Answer, NoAnswer>>,
    head: Option<&wire::RulesetHead>,
) -> Fact<bool> {
    if let Some(Ok(answer)) = detail
        && let Ok(ruleset) = answer.json::<wire::Ruleset>()
        && let Some(told) = ruleset
            .conditions
            .and_then(|conditions| in_full(origin, &conditions))
    {
        return Fact::seen(told, answer.source.clone());
    }
    // The first round shows no names of organisations, so it says nothing about
    // what an enterprise means.
    let in_head = head
        .filter(|_| origin == LayerOrigin::Organization)
        .and_then(|head| every(head.conditions.as_ref()?.repository_name.as_ref()?));
    match in_head {
        Some(told) => Fact::known_without_source(told),
        None => Fact::Unknown(
            Unknown::new(
                "branch.rules",
                Why::HiddenOrAbsent,
                "the platform does not show for which repositories the ruleset is meant",
            )
            .needs(METADATA),
        ),
    }
}

fn in_full(origin: LayerOrigin, conditions: &wire::Conditions) -> Option<bool> {
    let there = |value: &Option<serde_json::Value>| value.as_ref().is_some_and(|it| !it.is_null());
    // Chosen one by one, or by a property that a new repository need not have.
    if there(&conditions.repository_id)
        || there(&conditions.repository_property)
        || there(&conditions.organization_id)
        || there(&conditions.organization_property)
    {
        return Some(false);
    }
    let repositories = every(conditions.repository_name.as_ref()?)?;
    match origin {
        LayerOrigin::Organization => Some(repositories),
        LayerOrigin::Enterprise => {
            Some(repositories && every(conditions.organization_name.as_ref()?)?)
        }
        LayerOrigin::Repository => Some(false),
        LayerOrigin::Other => None,
    }
}

/// Whether the names leave nobody out.
fn every(names: &wire::NameCondition) -> Option<bool> {
    let all = names.include.as_ref()?.iter().any(|name| name == ALL);
    Some(all && names.exclude.as_ref()?.is_empty())
}

/// Rulesets that would bind the branch and are not in force. A ruleset of which
/// it cannot be told whether it means the branch leaves the list unknown, unless
/// another one is proven to stand there idle.
pub(super) fn inactive(
    heads: Option<&[wire::RulesetHead]>,
    branch: Ref<'_>,
) -> Fact<Vec<InactiveRules>> {
    let unknown = |detail: &str| {
        Fact::Unknown(Unknown::new("branch.rules", Why::HiddenOrAbsent, detail).needs(METADATA))
    };
    let Some(heads) = heads else {
        return unknown("the platform does not show the list of rulesets as a whole");
    };
    let mut proven = Vec::new();
    let mut undecided = false;
    for head in heads {
        let target = head.target.as_deref();
        let elsewhere = target.is_some_and(|target| target != "BRANCH");
        if elsewhere || head.enforcement.as_deref() == Some("ACTIVE") {
            continue;
        }
        let meant = match target {
            Some(_) => means(head, branch),
            None => None,
        };
        match (meant, head.enforcement.as_deref()) {
            (Some(false), _) => {}
            (Some(true), Some(word)) => proven.push(InactiveRules {
                name: format!("ruleset {}", label(head)),
                enforcement: word.to_ascii_lowercase(),
            }),
            (None, _) | (Some(true), None) => undecided = true,
        }
    }
    if proven.is_empty() && undecided {
        return unknown(
            "it cannot be told whether a ruleset that is not in force is meant for the branch",
        );
    }
    proven.sort();
    Fact::seen_in(proven, Vec::<Source>::new())
}

/// Whether the head's conditions mean the ref; `None` if they were not seen whole.
pub(super) fn means(head: &wire::RulesetHead, of: Ref<'_>) -> Option<bool> {
    let names = head.conditions.as_ref()?.ref_name.as_ref()?;
    conditions::mean(names.include.as_ref()?, names.exclude.as_ref()?, of)
}

/// `"main"`, or `#7` without a name.
pub(super) fn label(head: &wire::RulesetHead) -> String {
    match (&head.name, head.database_id) {
        (Some(name), _) => format!("\"{name}\""),
        (None, Some(id)) => format!("#{id}"),
        (None, None) => "without a name".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::graph::testing::{refused, rest};
    use super::*;

    const BRANCH: Ref<'static> = Ref {
        prefix: "refs/heads/",
        name: "main",
        default_branch: Some("main"),
    };

    fn head(value: &Value) -> wire::RulesetHead {
        serde_json::from_value(value.clone()).unwrap()
    }

    fn of_detail(origin: LayerOrigin, conditions: &Value) -> Option<bool> {
        let detail = rest(&json!({ "conditions": conditions }));
        let told = all_repositories(origin, Some(&detail), None);
        told.known().ok().copied()
    }

    #[test]
    fn only_all_names_without_an_exception_mean_every_repository() {
        let names = |include: Value, exclude: Value| {
            of_detail(
                LayerOrigin::Organization,
                &json!({"ref_name": {}, "repository_name": {"include": include, "exclude": exclude}}),
            )
        };
        assert_eq!(names(json!(["~ALL"]), json!([])), Some(true));
        assert_eq!(names(json!(["~ALL"]), json!(["x"])), Some(false));
        assert_eq!(names(json!(["app*"]), json!([])), Some(false));
        assert_eq!(names(json!(["~ALL"]), Value::Null), None);
    }

    #[test]
    fn repositories_chosen_by_id_or_property_are_not_all() {
        for kind in ["repository_id", "repository_property"] {
            let told = of_detail(LayerOrigin::Organization, &json!({ kind: {"x": []} }));
            assert_eq!(told, Some(false), "{kind}");
        }
    }

    #[test]
    fn an_enterprise_has_to_mean_every_organisation_too() {
        let all = json!({"include": ["~ALL"], "exclude": []});
        let told = |conditions: Value| of_detail(LayerOrigin::Enterprise, &conditions);
        assert_eq!(
            told(json!({"repository_name": all, "organization_name": all})),
            Some(true)
        );
        assert_eq!(told(json!({ "repository_name": all })), None);
        assert_eq!(
            told(json!({"repository_name": all, "organization_id": {"organization_ids": [1]}})),
            Some(false)
        );
    }

    #[test]
    fn conditions_that_were_not_seen_are_unknown_and_the_head_can_stand_in() {
        let head =
            head(&json!({"conditions": {"repositoryName": {"include": ["~ALL"], "exclude": []}}}));
        let told = |origin, detail, head| all_repositories(origin, detail, head);
        let hidden = refused(404, "Not Found");
        let organization = LayerOrigin::Organization;
        assert!(!told(organization, Some(&hidden), None).is_known());
        assert!(!told(organization, None, None).is_known());
        assert_eq!(
            told(organization, Some(&hidden), Some(&head)).known(),
            Ok(&true)
        );
        assert!(!told(LayerOrigin::Enterprise, None, Some(&head)).is_known());
    }

    fn idle(heads: &[Value]) -> Fact<Vec<InactiveRules>> {
        let heads: Vec<_> = heads.iter().map(head).collect();
        inactive(Some(&heads), BRANCH)
    }

    #[test]
    fn a_ruleset_on_trial_that_means_the_branch_is_named() {
        let of = |enforcement: &str, target: &str, include: &str| {
            json!({"name": "two", "target": target, "enforcement": enforcement,
                "conditions": {"refName": {"include": [include], "exclude": []}}})
        };
        let found = idle(&[
            of("EVALUATE", "BRANCH", "~ALL"),
            of("ACTIVE", "BRANCH", "~ALL"),
            of("DISABLED", "TAG", "~ALL"),
            of("DISABLED", "BRANCH", "refs/heads/dev"),
        ]);
        let found = found.known().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].name, "ruleset \"two\"");
        assert_eq!(found[0].enforcement, "evaluate");
    }

    #[test]
    fn a_ruleset_of_which_the_branch_or_the_state_is_hidden_leaves_the_list_unknown() {
        let all = json!({"refName": {"include": ["~ALL"], "exclude": []}});
        for hidden in [
            json!({"name": "x", "target": "BRANCH", "enforcement": "DISABLED"}),
            json!({"name": "x", "target": "BRANCH", "enforcement": "DISABLED", "conditions": {"refName": null}}),
            json!({"name": "x", "target": "BRANCH", "conditions": all}),
            json!({"name": "x", "enforcement": "DISABLED", "conditions": all}),
        ] {
            assert!(!idle(std::slice::from_ref(&hidden)).is_known(), "{hidden}");
            let proven =
                json!({"name": "y", "target": "BRANCH", "enforcement": "NEW", "conditions": all});
            assert_eq!(idle(&[hidden, proven]).known().unwrap().len(), 1);
        }
        assert!(!inactive(None, BRANCH).is_known());
    }
}
