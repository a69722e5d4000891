//! ACC-07: the repository can be seen by those whom the policy declares, nobody
//! else. Which data stands in it only the policy's author knows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, Visibility};

/// Who may see the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Declared {
    /// Only who was let in.
    Private,
    /// Every member of the enterprise or instance.
    Internal,
    /// Everybody.
    Public,
}

impl Declared {
    fn word(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::Internal => "internal",
            Self::Public => "public",
        }
    }

    /// What the platform's word amounts to; one that is not known counts as public.
    fn of(visibility: &Visibility) -> Self {
        match visibility {
            Visibility::Private => Self::Private,
            Visibility::Internal => Self::Internal,
            Visibility::Public | Visibility::Other(_) => Self::Public,
        }
    }
}

/// Parameters of ACC-07.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct VisibilityAsDeclared {
    /// The visibilities that the repository may have: `private`, `internal`, `public`.
    allowed: Vec<Declared>,
}

impl Default for VisibilityAsDeclared {
    fn default() -> Self {
        Self {
            allowed: vec![Declared::Private],
        }
    }
}

impl Control for VisibilityAsDeclared {
    const META: Meta = Meta {
        code: "ACC-07",
        id: "visibility-as-declared",
        title: "the repository can be seen only by those whom the policy declares",
        criteria: &[Criterion::Cc6_1, Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.3", "A.8.4"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositorySettings],
        rationale: "Code, history and secrets once committed are read by everybody within minutes \
                    of a repository becoming public, and cannot be called back.",
        cheat: "Choosing `internal`, which sounds closed but shows the code to every account of the \
                enterprise or instance. It is a visibility of its own that the policy has to allow.",
        remedy_github: "under Settings, General, Danger zone, change the visibility, or declare the \
                        one it should have in the policy under `allowed`",
        remedy_gitlab: "under Settings, General, Visibility, change the visibility, or declare the \
                        one it should have in the policy under `allowed`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let visibility = &facts.settings.repository.known()?.visibility;
        let seen = visibility.known()?;
        let word = seen.word();
        let allowed: Vec<&str> = self
            .allowed
            .iter()
            .map(|declared| declared.word())
            .collect();
        let allowed = match allowed.as_slice() {
            [] => "none".to_owned(),
            words => words.join(", "),
        };
        let evidence = |summary| {
            Evidence::new(
                summary,
                FactKey::RepositorySettings,
                word,
                visibility.sources(),
            )
        };
        Ok(if self.allowed.contains(&Declared::of(seen)) {
            Verdict::Pass(evidence(format!(
                "the repository is `{word}`, as the policy declares ({allowed})"
            )))
        } else {
            Verdict::fail(evidence(format!(
                "the repository is `{word}`, the policy declares {allowed}"
            )))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let more: Vec<&str> = self
            .allowed
            .iter()
            .filter(|declared| !base.allowed.contains(declared))
            .map(|declared| declared.word())
            .collect();
        (!more.is_empty()).then(|| format!("lets the repository be {}", more.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::repository;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::Fact;

    fn with(visibility: Fact<Visibility>) -> Snapshot {
        repository(|repository| repository.visibility = visibility)
    }

    fn allowing(allowed: &[Declared]) -> VisibilityAsDeclared {
        VisibilityAsDeclared {
            allowed: allowed.to_vec(),
        }
    }

    fn verdict(visibility: Visibility) -> String {
        verdict_of(&VisibilityAsDeclared::default(), &with(seen(visibility)))
    }

    #[test]
    fn private_is_what_holds_where_the_policy_says_nothing() {
        assert_eq!(verdict(Visibility::Private), "pass");
        assert_eq!(verdict(Visibility::Internal), "fail");
        assert_eq!(verdict(Visibility::Public), "fail");
    }

    #[test]
    fn a_word_that_is_not_known_counts_as_public() {
        let strange = with(seen(Visibility::Other("cosmic".to_owned())));
        let internal = allowing(&[Declared::Private, Declared::Internal]);
        assert_eq!(verdict_of(&internal, &strange), "fail");
        assert_eq!(verdict_of(&allowing(&[Declared::Public]), &strange), "pass");
    }

    #[test]
    fn where_public_is_declared_a_private_repository_is_not_as_declared() {
        let facts = with(seen(Visibility::Private));
        assert_eq!(verdict_of(&allowing(&[Declared::Public]), &facts), "fail");
        assert_eq!(verdict_of(&allowing(&[]), &facts), "fail");
    }

    #[test]
    fn a_visibility_that_cannot_be_seen_leaves_it_unknown() {
        let control = VisibilityAsDeclared::default();
        assert_eq!(verdict_of(&control, &with(hidden())), "unknown");
        assert_eq!(verdict_of(&control, &settings(|_| {})), "unknown");
    }

    #[test]
    fn declaring_more_is_weaker() {
        let base = VisibilityAsDeclared::default();
        let both = allowing(&[Declared::Private, Declared::Public]);
        assert!(both.weaker_than(&base).is_some());
        assert!(base.weaker_than(&both).is_none());
    }
}
