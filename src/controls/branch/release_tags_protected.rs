//! BR-26: the tags of releases can be neither made by anybody, nor moved, nor deleted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lists::{approves, at_least_one, beyond};
use super::patterns::{covers, may_meet};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Fact, FactKey, Platform, Snapshot, TagProtection, Unknown, all_of, any_of};

/// Parameters of BR-26.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReleaseTagsProtected {
    /// Patterns of the tags of releases, as the platform writes them; at least one.
    #[serde(deserialize_with = "at_least_one")]
    #[schemars(length(min = 1))]
    tags: Vec<String>,
    /// Names of the actors that may go around the protection, e.g. the app that
    /// makes releases.
    allowed: Vec<String>,
}

impl Default for ReleaseTagsProtected {
    fn default() -> Self {
        Self {
            tags: vec!["v*".to_owned()],
            allowed: Vec::new(),
        }
    }
}

/// What a protection may limit.
type Limit = fn(&TagProtection) -> &Fact<bool>;
const LIMITS: [(&str, Limit); 3] = [
    ("made by anybody", |it| &it.creation_limited),
    ("moved", |it| &it.update_blocked),
    ("deleted", |it| &it.deletion_blocked),
];

impl Control for ReleaseTagsProtected {
    const META: Meta = Meta {
        code: "BR-26",
        id: "release-tags-protected",
        title: "tags of releases are protected from being made by anybody, moved or deleted",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositoryTags],
        rationale: "A release is what its tag points at; whoever can move the tag decides what \
                        was released.",
        cheat: "Protecting a narrower pattern, or leaving the one tag out that matters. A \
                        protection counts only if it is sure to cover the whole pattern of the \
                        policy and leaves nothing of it out, and who can go around it has to be \
                        approved.",
        remedy_github: "add an active ruleset for tags that targets the pattern, with \"Restrict \
                        creations\", \"Restrict updates\" and \"Restrict deletions\", and name the \
                        app that makes releases in the policy under `allowed`",
        remedy_gitlab: "under Settings, Repository, Protected tags protect the pattern and limit \
                        \"Allowed to create\"",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.tag_protections;
        let protections = fact.known()?;
        let says = Says {
            key: FactKey::RepositoryTags,
            good: "tags of releases are protected",
            bad: "tags of releases are not protected",
        };
        none_wrong(&self.tags, &says, fact.sources(), |tag| {
            self.gap(tag, protections)
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if let Some(dropped) = beyond(&base.tags, &self.tags) {
            return Some(format!("leaves out the tags {dropped}"));
        }
        beyond(&self.allowed, &base.allowed)
            .map(|more| format!("allows {more} to go around the protection"))
    }
}

impl ReleaseTagsProtected {
    /// What can be done with tags of this pattern that should not; `None`: nothing.
    fn gap(&self, tag: &str, protections: &[TagProtection]) -> Result<Option<String>, Unknown> {
        let covering: Vec<&TagProtection> = protections
            .iter()
            .filter(|protection| covers_all(protection, tag))
            .collect();
        if covering.is_empty() {
            return Ok(Some(format!("nothing covers all of `{tag}`")));
        }
        let mut open = Vec::new();
        let mut hidden = None;
        for (word, limit) in LIMITS {
            // Whoever goes around one protection is still held by another.
            let held = any_of(covering.iter().map(|protection| {
                let nobody = protection
                    .bypass
                    .map_ref(|actors| actors.iter().all(|actor| approves(&self.allowed, actor)));
                all_of([limit(protection).clone(), nobody])
            }));
            match held.known() {
                Ok(true) => {}
                Ok(false) => open.push(word),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        match hidden {
            _ if !open.is_empty() => Ok(Some(format!(
                "`{tag}` can be {}{}",
                open.join(", "),
                self.around(&covering)
            ))),
            Some(unknown) => Err(unknown),
            None => Ok(None),
        }
    }

    /// Who can go around the protections and is not approved, in brackets.
    fn around(&self, covering: &[&TagProtection]) -> String {
        let free: Vec<String> = covering
            .iter()
            .flat_map(|protection| {
                protection
                    .bypass
                    .known()
                    .into_iter()
                    .flatten()
                    .filter(|actor| !approves(&self.allowed, actor))
                    .map(|actor| format!("{} goes around {}", actor.name, protection.name))
            })
            .collect();
        if free.is_empty() {
            String::new()
        } else {
            format!(" ({})", some(&free))
        }
    }
}

/// Whether the protection is sure to cover every tag of the pattern.
fn covers_all(protection: &TagProtection, tag: &str) -> bool {
    protection.include.iter().any(|wide| covers(wide, tag))
        && !protection.exclude.iter().any(|out| may_meet(out, tag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{BypassActor, BypassKind, BypassMode};

    fn protection(include: &[&str], exclude: &[&str]) -> TagProtection {
        let texts = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect();
        TagProtection {
            name: "ruleset \"tags\"".to_owned(),
            include: texts(include),
            exclude: texts(exclude),
            creation_limited: seen(true),
            update_blocked: seen(true),
            deletion_blocked: seen(true),
            bypass: seen(Vec::new()),
        }
    }

    fn around(name: &str) -> Fact<Vec<BypassActor>> {
        seen(vec![BypassActor {
            kind: BypassKind::App,
            name: name.to_owned(),
            mode: BypassMode::Always,
        }])
    }

    fn verdict(list: Vec<TagProtection>) -> String {
        let facts = settings(|all| all.tag_protections = seen(list));
        verdict_of(&ReleaseTagsProtected::default(), &facts)
    }

    #[test]
    fn a_pattern_that_covers_the_tags_passes() {
        for include in ["~ALL", "v*", "*"] {
            assert_eq!(verdict(vec![protection(&["x", include], &[])]), "pass");
        }
    }

    #[test]
    fn protections_add_up() {
        let stays = TagProtection {
            creation_limited: seen(false),
            ..protection(&["v*"], &[])
        };
        let named = TagProtection {
            update_blocked: seen(false),
            deletion_blocked: hidden(),
            ..protection(&["~ALL"], &[])
        };
        assert_eq!(verdict(vec![stays.clone()]), "fail");
        assert_eq!(verdict(vec![stays, named]), "pass");
    }

    #[test]
    fn no_protection_fails() {
        assert_eq!(verdict(Vec::new()), "fail");
    }

    #[test]
    fn a_narrower_pattern_or_an_exception_is_no_protection() {
        assert_eq!(verdict(vec![protection(&["v1*", "v[0-9]*"], &[])]), "fail");
        assert_eq!(verdict(vec![protection(&["~ALL"], &["v9*"])]), "fail");
        assert_eq!(verdict(vec![protection(&["~ALL"], &["nightly-*"])]), "pass");
    }

    #[test]
    fn who_goes_around_it_has_to_be_approved() {
        let loose = TagProtection {
            bypass: around("app releases"),
            ..protection(&["v*"], &[])
        };
        let facts = settings(|all| all.tag_protections = seen(vec![loose.clone()]));
        assert_eq!(verdict_of(&ReleaseTagsProtected::default(), &facts), "fail");
        let approving: ReleaseTagsProtected =
            serde_json::from_value(json!({"allowed": ["app releases"]})).unwrap();
        assert_eq!(verdict_of(&approving, &facts), "pass");
        assert!(
            approving
                .weaker_than(&ReleaseTagsProtected::default())
                .is_some()
        );
        assert_eq!(verdict(vec![loose, protection(&["~ALL"], &[])]), "pass");
    }

    #[test]
    fn f9_a_list_of_exceptions_that_is_hidden_is_not_an_empty_list() {
        let veiled = TagProtection {
            bypass: hidden(),
            ..protection(&["v*"], &[])
        };
        assert_eq!(verdict(vec![veiled.clone()]), "unknown");
        let open = TagProtection {
            update_blocked: seen(false),
            ..veiled
        };
        assert_eq!(verdict(vec![open]), "fail");
    }

    #[test]
    fn a_policy_without_tags_is_refused_and_one_with_fewer_is_weaker() {
        assert!(serde_json::from_value::<ReleaseTagsProtected>(json!({"tags": []})).is_err());
        let other: ReleaseTagsProtected =
            serde_json::from_value(json!({"tags": ["rel-*"]})).unwrap();
        assert!(
            other
                .weaker_than(&ReleaseTagsProtected::default())
                .is_some()
        );
    }
}
