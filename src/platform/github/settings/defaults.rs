//! What a repository gets on the day it is made: rules from above that hold for
//! every repository, and the security configuration of new ones.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, NewRepositoryDefaults, Source, Unknown, Why};
use crate::platform::join::when;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::join::all;
use super::super::wire;
use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::OrganizationDefaults;

#[derive(Debug, Deserialize)]
struct Head {
    id: Option<u64>,
    source_type: Option<String>,
    enforcement: Option<String>,
    target: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Ruleset {
    name: Option<String>,
    conditions: Option<Conditions>,
    rules: Option<Vec<serde_json::Value>>,
}

#[derive(Debug, Deserialize)]
struct Conditions {
    ref_name: Option<Patterns>,
    repository_name: Option<Patterns>,
}

#[derive(Debug, Deserialize)]
struct Patterns {
    include: Option<Vec<String>>,
    exclude: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
struct Attached {
    default_for_new_repos: Option<String>,
    configuration: Option<Configuration>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    name: Option<String>,
}

/// Asks for the rules that this repository inherits, and for the configuration.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<NewRepositoryDefaults> {
    if asker.of_a_person() {
        return Fact::Unknown(reading::of_a_person(KEY));
    }
    let (branch_rules, configuration) = tokio::join!(
        inherited_rules(asker),
        when(!asker.blind(), || async {
            let path = format!(
                "{}/code-security/configurations/defaults",
                asker.organization_path()
            );
            configuration(&asker.client().get(&path).await)
        }),
    );
    Fact::known_without_source(NewRepositoryDefaults {
        branch_rules,
        security_configuration: configuration.unwrap_or_else(|| {
            Fact::Unknown(reading::not_asked(
                KEY,
                "the security configuration of an organisation",
            ))
        }),
    })
}

/// The first round listed the rulesets; only where it could not, the list is
/// asked for here, and the details wait for it.
async fn inherited_rules(asker: &Asker<'_>) -> Fact<Vec<String>> {
    let path = |id: &u64| asker.path(&format!("rulesets/{id}?includes_parents=true"));
    if let Some(found) = asker.session.heads.as_deref().map(for_all) {
        let ids = match found {
            Ok(ids) => ids,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        let details = all(ids.iter().map(|id| {
            let path = path(id);
            async move { asker.client().get(&path).await }
        }))
        .await;
        return rules(Vec::new(), &details);
    }
    let list = asker
        .client()
        .get_all(
            &asker.path("rulesets?includes_parents=true&targets=branch"),
            None,
        )
        .await;
    let ids = match ids(&list) {
        Ok(ids) => ids,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let details = all(ids.iter().map(|id| {
        let path = path(id);
        async move { asker.client().get_behind(&path).await }
    }))
    .await;
    rules(list.map(|list| list.sources).unwrap_or_default(), &details)
}

/// Rulesets in force that are for every repository, as far as the first round
/// tells. Where it hides the conditions, the details decide.
fn for_all(heads: &[wire::RulesetHead]) -> Result<Vec<u64>, Unknown> {
    let is = |word: Option<&str>, wanted: &str| {
        word.is_none_or(|word| word.eq_ignore_ascii_case(wanted))
    };
    let may_cover = |head: &&wire::RulesetHead| {
        let whole = head.conditions.as_ref().is_none_or(|conditions| {
            conditions
                .repository_name
                .as_ref()
                .is_some_and(|names| names.include.iter().flatten().any(|name| name == "~ALL"))
        });
        whole && is(head.enforcement.as_deref(), "active") && is(head.target.as_deref(), "branch")
    };
    heads
        .iter()
        .filter(may_cover)
        .map(|head| {
            head.database_id.ok_or_else(|| {
                Unknown::new(
                    KEY.name(),
                    Why::HiddenOrAbsent,
                    "a ruleset from above has no id in the first round",
                )
            })
        })
        .collect()
}

/// The rulesets from above that are in force.
fn ids(list: &Result<Listing, NoAnswer>) -> Result<Vec<u64>, Unknown> {
    let heads = reading::list::<Head>(KEY, list)?;
    let from_above = |head: &&Head| {
        head.source_type.as_deref() != Some("Repository")
            && head.enforcement.as_deref() == Some("active")
            && head
                .target
                .as_deref()
                .is_none_or(|target| target == "branch")
    };
    heads
        .value
        .iter()
        .filter(from_above)
        .map(|head| {
            head.id
                .ok_or_else(|| heads.malformed(KEY, "a ruleset has no id"))
        })
        .collect()
}

fn rules(mut sources: Vec<Source>, details: &[Result<Answer, NoAnswer>]) -> Fact<Vec<String>> {
    let mut names = Vec::new();
    for detail in details {
        let read = match reading::one::<Ruleset>(KEY, detail) {
            Ok(read) => read,
            Err(unknown) => return Fact::Unknown(unknown),
        };
        let Some(conditions) = &read.value.conditions else {
            return Fact::Unknown(read.missing(KEY, "conditions"));
        };
        let covers = everything(conditions.repository_name.as_ref(), &["~ALL"])
            && everything(conditions.ref_name.as_ref(), &["~ALL", "~DEFAULT_BRANCH"]);
        let rules = read
            .value
            .rules
            .as_ref()
            .is_some_and(|rules| !rules.is_empty());
        if covers && rules {
            let Some(name) = read.value.name.clone() else {
                return Fact::Unknown(read.missing(KEY, "name"));
            };
            names.push(name);
        }
        sources.extend(read.sources);
    }
    names.sort();
    Fact::seen_in(names, sources)
}

/// Whether patterns take in all that the words stand for, and leave nothing out.
fn everything(patterns: Option<&Patterns>, words: &[&str]) -> bool {
    patterns.is_some_and(|patterns| {
        let includes = patterns
            .include
            .iter()
            .flatten()
            .any(|pattern| words.contains(&pattern.as_str()));
        includes && patterns.exclude.as_ref().is_some_and(Vec::is_empty)
    })
}

fn configuration(answer: &Result<Answer, NoAnswer>) -> Fact<Option<String>> {
    match reading::one::<Vec<Attached>>(KEY, answer) {
        Ok(read) => read.translated(KEY, |attached| attached_to_all(attached)),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// The configuration that every new repository gets, whoever can see it.
fn attached_to_all(attached: &[Attached]) -> Result<Option<String>, String> {
    let of = |word: &str| -> Result<Option<String>, String> {
        let Some(found) = attached
            .iter()
            .find(|one| one.default_for_new_repos.as_deref() == Some(word))
        else {
            return Ok(None);
        };
        found
            .configuration
            .as_ref()
            .and_then(|configuration| configuration.name.clone())
            .map(Some)
            .ok_or_else(|| "a security configuration has no name".to_owned())
    };
    if let Some(name) = of("all")? {
        return Ok(Some(name));
    }
    Ok(match (of("public")?, of("private_and_internal")?) {
        (Some(public), Some(closed)) if public == closed => Some(public),
        (Some(public), Some(closed)) => Some(format!("{public}, {closed}")),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::{refused, rest};
    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    fn detail(conditions: &Value) -> Value {
        json!({"id": 1, "name": "all repositories", "conditions": conditions, "rules": [{"type": "deletion"}]})
    }

    fn names(detail: &Value) -> Vec<String> {
        rules(Vec::new(), &[rest(detail)]).known().unwrap().clone()
    }

    fn for_every_repository() -> Value {
        json!({"repository_name": {"include": ["~ALL"], "exclude": []}, "ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}})
    }

    #[test]
    fn only_active_rulesets_from_above_are_looked_into() {
        let list = listing(&json!([
            {"id": 1, "source_type": "Organization", "enforcement": "active", "target": "branch"},
            {"id": 2, "source_type": "Repository", "enforcement": "active", "target": "branch"},
            {"id": 3, "source_type": "Organization", "enforcement": "evaluate", "target": "branch"},
            {"id": 4, "source_type": "Organization", "enforcement": "active", "target": "tag"},
        ]));
        assert_eq!(ids(&list).unwrap(), [1]);
        assert!(ids(&no_listing(404, "Not Found")).is_err());
    }

    #[test]
    fn of_the_rulesets_of_the_first_round_those_that_may_cover_all_are_looked_into() {
        let heads: Vec<wire::RulesetHead> = serde_json::from_value(json!([
            {"databaseId": 1, "enforcement": "ACTIVE", "target": "BRANCH", "conditions": {"repositoryName": {"include": ["~ALL"], "exclude": []}}},
            {"databaseId": 2, "enforcement": "ACTIVE", "target": "BRANCH", "conditions": {"repositoryName": null}},
            {"databaseId": 3, "enforcement": "EVALUATE", "target": "BRANCH", "conditions": {"repositoryName": {"include": ["~ALL"]}}},
            {"databaseId": 4, "enforcement": "ACTIVE", "target": "TAG", "conditions": {"repositoryName": {"include": ["~ALL"]}}},
            {"databaseId": 5, "enforcement": "ACTIVE", "target": "BRANCH", "conditions": null},
            {"databaseId": 6, "enforcement": "ACTIVE", "target": "BRANCH", "conditions": {"repositoryName": {"include": ["app-*"]}}},
        ]))
        .unwrap();
        assert_eq!(for_all(&heads).unwrap(), [1, 5]);
        let nameless = wire::RulesetHead::default();
        assert!(for_all(&[nameless]).is_err());
    }

    #[test]
    fn rules_for_every_repository_and_its_default_branch_count() {
        assert_eq!(
            names(&detail(&for_every_repository())),
            ["all repositories"]
        );
    }

    #[test]
    fn rules_for_some_repositories_or_some_branches_do_not() {
        for (place, patterns) in [
            (
                "repository_name",
                json!({"include": ["app-*"], "exclude": []}),
            ),
            (
                "repository_name",
                json!({"include": ["~ALL"], "exclude": ["new-*"]}),
            ),
            ("repository_name", json!({"include": ["~ALL"]})),
            ("repository_name", json!(null)),
            (
                "ref_name",
                json!({"include": ["refs/heads/release"], "exclude": []}),
            ),
        ] {
            let mut conditions = for_every_repository();
            conditions[place] = patterns;
            assert!(names(&detail(&conditions)).is_empty(), "{conditions}");
        }
        let mut empty = detail(&for_every_repository());
        empty["rules"] = json!([]);
        assert!(names(&empty).is_empty());
    }

    #[test]
    fn a_ruleset_whose_details_are_hidden_leaves_the_list_unknown() {
        let details = [
            rest(&detail(&for_every_repository())),
            refused(404, "Not Found"),
        ];
        assert!(!rules(Vec::new(), &details).is_known());
        assert!(!rules(Vec::new(), &[rest(&json!({"name": "x"}))]).is_known());
    }

    #[test]
    fn a_configuration_counts_if_every_new_repository_gets_it() {
        let name = |body: &Value| configuration(&rest(body)).known().unwrap().clone();
        let one = |word: &str| json!({"default_for_new_repos": word, "configuration": {"name": "strict"}});
        assert_eq!(name(&json!([one("all")])).as_deref(), Some("strict"));
        assert_eq!(name(&json!([one("public")])), None);
        assert_eq!(
            name(&json!([one("public"), one("private_and_internal")])).as_deref(),
            Some("strict")
        );
        assert_eq!(name(&json!([])), None);
        assert!(!configuration(&refused(403, "no")).is_known());
    }
}
