//! ACC-04: deploy keys only read, and are renewed. Whose machine holds a key,
//! and where else it was copied to, nobody can see.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::age::days_since;
use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, Why};

/// Parameters of ACC-04.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DeployKeysLimited {
    /// Titles of the keys that may push.
    allowed_writers: Vec<String>,
    /// Oldest age of a key, in days.
    max_days: u32,
}

impl Default for DeployKeysLimited {
    fn default() -> Self {
        Self {
            allowed_writers: Vec::new(),
            max_days: 365,
        }
    }
}

const SAYS: Says<'static> = Says {
    key: FactKey::AccessDeployKeys,
    good: "no other deploy key can push, and none is too old",
    bad: "deploy keys reach too far or for too long",
};

impl Control for DeployKeysLimited {
    const META: Meta = Meta {
        code: "ACC-04",
        id: "deploy-keys-limited",
        title: "deploy keys cannot push and are renewed",
        criteria: &[Criterion::Cc6_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.17", "A.8.2", "A.8.5"]),
            (Framework::PciDss, &["7.2.2", "8.3.1"]),
            (Framework::Nist80053, &["AC-6", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::AccessDeployKeys],
        rationale: "A deploy key belongs to no person: it does not leave with anybody, asks for no \
                    second factor, and pushes in nobody's name.",
        cheat: "Giving a key that pushes the title of one that the policy allows. Whoever can do so \
                administers the repository already, but a second key of that title shows in its \
                settings; keep the list of titles short.",
        remedy_github: "under Settings, Deploy keys, delete keys that push or are old and add \
                        read-only ones, or name the key's title in the policy under \
                        `allowed_writers`",
        remedy_gitlab: "under Settings, Repository, Deploy keys, turn \"Grant write permissions\" \
                        off and replace old keys, or name the key's title in the policy under \
                        `allowed_writers`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let keys = &facts.settings.deploy_keys;
        none_wrong(keys.known()?, &SAYS, keys.sources(), |key| {
            let title = &key.title;
            if key.can_write && !names(&self.allowed_writers, title) {
                return Ok(Some(format!("`{title}` can push")));
            }
            let Some(created_at) = key.created_at else {
                return Err(Unknown::new(
                    FactKey::AccessDeployKeys.name(),
                    Why::NotSupported,
                    format!("the platform does not say when the key `{title}` was made"),
                ));
            };
            let days = days_since(created_at, facts.latest_time());
            let old = days > i64::from(self.max_days);
            Ok(old.then(|| format!("`{title}` is {days} days old")))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let mut less = Vec::new();
        less.extend(
            more(&self.allowed_writers, &base.allowed_writers)
                .map(|titles| format!("lets {titles} push")),
        );
        if self.max_days > base.max_days {
            less.push(format!("max_days {} -> {}", base.max_days, self.max_days));
        }
        (!less.is_empty()).then(|| less.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};
    use crate::facts::{DeployKey, Fact};

    /// A key made on the first of May, a month before the tests.
    fn key(title: &str, can_write: bool) -> DeployKey {
        DeployKey {
            title: title.to_owned(),
            can_write,
            created_at: Some(at("2026-05-01T12:00:00Z")),
            last_used: None,
            expires_at: None,
        }
    }

    fn made(when: Option<&str>) -> DeployKey {
        DeployKey {
            created_at: when.map(at),
            ..key("mirror", false)
        }
    }

    fn facts(keys: Fact<Vec<DeployKey>>) -> Snapshot {
        settings(|settings| settings.deploy_keys = keys)
    }

    fn verdict(keys: Vec<DeployKey>) -> String {
        verdict_of(&DeployKeysLimited::default(), &facts(seen(keys)))
    }

    fn allowing(title: &str) -> DeployKeysLimited {
        DeployKeysLimited {
            allowed_writers: vec![title.to_owned()],
            ..DeployKeysLimited::default()
        }
    }

    #[test]
    fn no_key_and_a_young_key_that_reads_pass() {
        assert_eq!(verdict(Vec::new()), "pass");
        assert_eq!(verdict(vec![key("mirror", false)]), "pass");
    }

    #[test]
    fn a_key_that_pushes_fails_unless_its_whole_title_is_named() {
        let facts = facts(seen(vec![key("release bot", true)]));
        assert_eq!(verdict(vec![key("release bot", true)]), "fail");
        assert_eq!(verdict_of(&allowing("release bot"), &facts), "pass");
        assert_eq!(verdict_of(&allowing("release"), &facts), "fail");
    }

    #[test]
    fn a_key_is_as_old_as_allowed_on_the_last_day_and_too_old_on_the_next() {
        assert_eq!(verdict(vec![made(Some("2025-06-01T12:00:00Z"))]), "pass");
        assert_eq!(verdict(vec![made(Some("2025-05-31T12:00:00Z"))]), "fail");
    }

    #[test]
    fn a_named_key_that_pushes_has_to_be_renewed_like_any_other() {
        let old = DeployKey {
            created_at: Some(at("2020-01-01T00:00:00Z")),
            ..key("release bot", true)
        };
        let facts = facts(seen(vec![old]));
        assert_eq!(verdict_of(&allowing("release bot"), &facts), "fail");
    }

    #[test]
    fn a_key_of_unknown_age_leaves_it_unknown_unless_it_or_another_is_proven_wrong() {
        assert_eq!(verdict(vec![made(None)]), "unknown");
        assert_eq!(verdict(vec![made(None), key("bot", true)]), "fail");
        let pushing = DeployKey {
            created_at: None,
            ..key("bot", true)
        };
        assert_eq!(verdict(vec![pushing]), "fail");
    }

    #[test]
    fn keys_that_cannot_be_seen_leave_it_unknown() {
        let control = DeployKeysLimited::default();
        assert_eq!(verdict_of(&control, &facts(hidden())), "unknown");
    }

    #[test]
    fn more_writers_and_older_keys_are_weaker() {
        let base = DeployKeysLimited::default();
        let older = DeployKeysLimited {
            max_days: 366,
            ..DeployKeysLimited::default()
        };
        assert!(allowing("bot").weaker_than(&base).is_some());
        assert!(older.weaker_than(&base).is_some());
        assert!(base.weaker_than(&older).is_none());
        assert!(base.weaker_than(&allowing("bot")).is_none());
    }
}
