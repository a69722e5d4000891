//! What protects tags: rulesets for tags that are in force, each read in full.
//! The older protection of tags is gone from the platform and not looked for.

use crate::facts::{BypassActor, Fact, FactKey, Source, TagProtection, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::super::Session;
use super::super::bypass::bypass;
use super::super::join::all;
use super::super::permissions::{self, METADATA};
use super::super::protection::is_plan;
use super::super::reach;
use super::super::rulesets::origin_words;
use super::super::wire;
use super::shared::Shared;

/// Every protection of tags. The first round listed the rulesets; only where it
/// could not, the list is asked for here, and the rulesets wait for it.
pub(super) async fn ask(session: &Session, shared: &Shared<'_>) -> Fact<Vec<TagProtection>> {
    let heads = match &session.heads {
        Some(heads) => of_tags(heads),
        None => match list(session, shared).await {
            Ok(heads) => {
                if !heads.is_empty() {
                    session.transport.begin_wave();
                }
                Ok(heads)
            }
            Err(decided) => return decided,
        },
    };
    let heads = match heads {
        Ok(heads) => heads,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let base = session.repository_path();
    let client = shared.client();
    let details = all(heads.iter().map(|(id, _)| {
        let path = format!("{base}/rulesets/{id}?includes_parents=true");
        async move { client.get(&path).await }
    }))
    .await;
    let found: Result<Vec<TagProtection>, Unknown> = heads
        .iter()
        .zip(&details)
        .map(|((_, head), detail)| protection(head, detail))
        .collect();
    let sources = details.iter().flatten();
    let sources = sources.map(|answer| answer.source.clone()).collect();
    match found {
        Ok(found) => Fact::seen_in(found, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

type Heads = Vec<(u64, wire::RulesetHead)>;

/// Rulesets for tags in force. One of which that cannot be told hides the list.
fn of_tags(heads: &[wire::RulesetHead]) -> Result<Heads, Unknown> {
    let mut found = Vec::new();
    for head in heads {
        match (head.target.as_deref(), head.enforcement.as_deref()) {
            (Some(target), Some(enforcement)) => {
                let counts = target.eq_ignore_ascii_case("tag")
                    && enforcement.eq_ignore_ascii_case("active");
                match head.database_id {
                    Some(id) if counts => found.push((id, head.clone())),
                    None if counts => return Err(hidden("the id of a ruleset")),
                    Some(_) | None => {}
                }
            }
            (None, _) | (_, None) => return Err(hidden("what a ruleset is for")),
        }
    }
    Ok(found)
}

/// The list in its other form, which says more clearly why there is none.
async fn list(session: &Session, shared: &Shared<'_>) -> Result<Heads, Fact<Vec<TagProtection>>> {
    let path = format!(
        "{}/rulesets?includes_parents=true&targets=tag",
        session.repository_path()
    );
    let listing = match shared.client().get_all(&path, None).await {
        Ok(listing) => listing,
        Err(NoAnswer::Status(answer)) if answer.status == 403 && is_plan(&answer.message()) => {
            // What the plan does not have protects nothing.
            return Err(Fact::seen(Vec::new(), answer.source));
        }
        Err(refusal) => {
            let key = FactKey::RepositoryTags;
            return Err(Fact::Unknown(access::refused(
                key.name(),
                METADATA,
                &refusal,
            )));
        }
    };
    let heads: Vec<wire::RulesetHead> = listing
        .items
        .iter()
        .map(|item| {
            let text = |key: &str| item.get(key)?.as_str().map(str::to_owned);
            wire::RulesetHead {
                database_id: item.get("id").and_then(serde_json::Value::as_u64),
                name: text("name"),
                target: text("target"),
                enforcement: text("enforcement"),
                ..wire::RulesetHead::default()
            }
        })
        .collect();
    let heads = of_tags(&heads).map_err(Fact::Unknown)?;
    if heads.is_empty() {
        return Err(Fact::seen_in(Vec::new(), listing.sources));
    }
    Ok(heads)
}

/// One ruleset. Its patterns have to be known, from itself or from its head; all
/// else may be unknown by itself.
fn protection(
    head: &wire::RulesetHead,
    detail: &Result<Answer, NoAnswer>,
) -> Result<TagProtection, Unknown> {
    let key = FactKey::RepositoryTags;
    let (ruleset, why) = match detail {
        Ok(answer) => match answer.json::<wire::Ruleset>() {
            Ok(ruleset) => (ruleset, missing("its rules")),
            Err(detail) => (
                wire::Ruleset::default(),
                access::malformed(key.name(), &answer.endpoint, answer.status, &detail),
            ),
        },
        Err(refusal) => (
            wire::Ruleset::default(),
            access::refused(key.name(), permissions::needs(key), refusal),
        ),
    };
    let in_full = ruleset
        .conditions
        .and_then(|conditions| conditions.ref_name);
    let in_head = || head.conditions.as_ref()?.ref_name.clone();
    let names = in_full.or_else(in_head);
    let (include, exclude) = match names.map(|names| (names.include, names.exclude)) {
        Some((Some(include), Some(exclude))) => (include, exclude),
        Some(_) | None => return Err(missing("which tags it means")),
    };
    let sources: Vec<Source> = detail.iter().map(|answer| answer.source.clone()).collect();
    let has = |kind: &str| match &ruleset.rules {
        None => Fact::Unknown(why.clone()),
        Some(rules) => {
            let mut kinds = rules.iter().map(|rule| rule.kind.as_deref());
            Fact::seen_in(kinds.any(|it| it == Some(kind)), sources.clone())
        }
    };
    let origin = origin_words(ruleset.source_type.as_deref(), ruleset.source.as_deref());
    Ok(TagProtection {
        name: format!("ruleset {} ({origin})", reach::label(head)),
        include: without_prefix(include),
        exclude: without_prefix(exclude),
        creation_limited: has("creation"),
        update_blocked: has("update"),
        deletion_blocked: has("deletion"),
        bypass: bypass_of(detail),
    })
}

fn bypass_of(detail: &Result<Answer, NoAnswer>) -> Fact<Vec<BypassActor>> {
    bypass(Some(detail), &Unknown::not_collected("branch.bypass"))
}

fn without_prefix(patterns: Vec<String>) -> Vec<String> {
    patterns
        .into_iter()
        .map(|pattern| match pattern.strip_prefix("refs/tags/") {
            Some(name) => name.to_owned(),
            None => pattern,
        })
        .collect()
}

fn missing(what: &str) -> Unknown {
    Unknown::new(
        FactKey::RepositoryTags.name(),
        Why::Failed,
        format!("the answer about a ruleset for tags leaves out {what}"),
    )
}

fn hidden(what: &str) -> Unknown {
    Unknown::new(
        FactKey::RepositoryTags.name(),
        Why::HiddenOrAbsent,
        format!("the list of rulesets does not show {what}"),
    )
    .needs(METADATA)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::{refused, rest};
    use super::*;

    fn head(value: Value) -> wire::RulesetHead {
        serde_json::from_value(value).unwrap()
    }

    fn plain() -> wire::RulesetHead {
        head(json!({"databaseId": 3, "name": "releases", "target": "TAG", "enforcement": "ACTIVE"}))
    }

    #[test]
    fn a_ruleset_for_tags_tells_its_patterns_rules_and_bypass() {
        let detail = rest(&json!({"source_type": "Repository", "source": "acme/app",
            "conditions": {"ref_name": {"include": ["refs/tags/v*"], "exclude": ["~ALL"]}},
            "rules": [{"type": "creation"}, {"type": "deletion"}, {"type": "non_fast_forward"}],
            "bypass_actors": []}));
        let found = protection(&plain(), &detail).unwrap();
        assert_eq!(found.name, "ruleset \"releases\" (repository)");
        assert_eq!(found.include, ["v*"]);
        assert_eq!(found.exclude, ["~ALL"]);
        assert_eq!(found.creation_limited.known(), Ok(&true));
        assert_eq!(found.deletion_blocked.known(), Ok(&true));
        // A tag can still be moved forwards.
        assert_eq!(found.update_blocked.known(), Ok(&false));
        assert_eq!(found.bypass.known(), Ok(&vec![]));
    }

    #[test]
    fn f9_a_bypass_list_or_rules_that_are_left_out_are_unknown() {
        let detail =
            rest(&json!({"conditions": {"ref_name": {"include": ["~ALL"], "exclude": []}}}));
        let found = protection(&plain(), &detail).unwrap();
        assert!(!found.bypass.is_known() && !found.update_blocked.is_known());
    }

    #[test]
    fn a_ruleset_that_is_refused_keeps_the_patterns_of_its_head() {
        let hidden = refused(404, "Not Found");
        assert!(protection(&plain(), &hidden).is_err());
        let mut seen = plain();
        seen.conditions = Some(wire::HeadConditions {
            ref_name: Some(wire::NameCondition {
                include: Some(vec!["refs/tags/v*".to_owned()]),
                exclude: Some(Vec::new()),
            }),
            repository_name: None,
        });
        let found = protection(&seen, &hidden).unwrap();
        assert_eq!(found.include, ["v*"]);
        let why = found.update_blocked.known().unwrap_err();
        assert_eq!(why.why, Why::HiddenOrAbsent);
        assert!(!found.bypass.is_known());
        let modelless = protection(&seen, &refused(501, "no")).unwrap();
        let why = modelless.creation_limited.known().unwrap_err();
        assert_eq!(why.why, Why::NotSupported);
    }

    #[test]
    fn only_rulesets_for_tags_in_force_count_and_one_that_is_hidden_hides_the_list() {
        let of = |target: &str, enforcement: &str| {
            head(json!({"databaseId": 1, "target": target, "enforcement": enforcement}))
        };
        let heads = [
            of("TAG", "ACTIVE"),
            of("TAG", "EVALUATE"),
            of("BRANCH", "ACTIVE"),
        ];
        assert_eq!(of_tags(&heads).unwrap().len(), 1);
        assert!(of_tags(&[head(json!({"databaseId": 1, "target": "TAG"}))]).is_err());
        assert!(of_tags(&[head(json!({"target": "TAG", "enforcement": "ACTIVE"}))]).is_err());
    }
}
