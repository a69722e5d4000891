//! ACC-09: logs and artifacts of pipelines are no easier to read than the code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, Visibility};

/// ACC-09 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PipelinesAsPrivateAsCode {}

impl Control for PipelinesAsPrivateAsCode {
    const META: Meta = Meta {
        code: "ACC-09",
        id: "pipelines-as-private-as-code",
        title: "who cannot read the code cannot read logs and artifacts of its pipelines",
        criteria: &[Criterion::Cc6_1, Criterion::Cc6_7],
        frameworks: &[
            (Framework::Iso27001, &["A.8.3", "A.8.4"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositorySettings],
        rationale: "A build's log and artifacts tell most of what the code tells, and often a \
                    secret besides.",
        cheat: "Keeping the code private and the pipelines public, which shows only on another \
                page of the settings. Only code known to be public is left out.",
        remedy_github: "keep artifacts and logs out of public places such as a public Pages site or \
                        bucket; on GitHub itself they are as private as the repository",
        remedy_gitlab: "under Settings, CI/CD, General pipelines, turn \"Public pipelines\" off",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let repository = facts.settings.repository.known()?;
        let visibility = &repository.visibility;
        // A word that is not known is no licence to look away.
        match visibility.known()? {
            Visibility::Public => {
                return Ok(Verdict::NotApplicable(Evidence::new(
                    "the code is public, so its pipelines have nothing to hide",
                    FactKey::RepositorySettings,
                    "public",
                    visibility.sources(),
                )));
            }
            Visibility::Private | Visibility::Internal | Visibility::Other(_) => {}
        }
        let public = &repository.public_pipelines;
        let evidence = |summary, value| {
            Evidence::new(
                summary,
                FactKey::RepositorySettings,
                value,
                public.sources(),
            )
        };
        Ok(if *public.known()? {
            Verdict::fail(evidence(
                "logs and artifacts of pipelines can be read by people who cannot read the code",
                "public pipelines on",
            ))
        } else {
            Verdict::Pass(evidence(
                "logs and artifacts of pipelines are as private as the code",
                "public pipelines off",
            ))
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::repository;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(visibility: Fact<Visibility>, public: Fact<bool>) -> String {
        let facts = repository(|repository| {
            repository.visibility = visibility;
            repository.public_pipelines = public;
        });
        verdict_of(&PipelinesAsPrivateAsCode {}, &facts)
    }

    #[test]
    fn private_pipelines_pass_and_public_ones_of_closed_code_fail() {
        for closed in [Visibility::Private, Visibility::Internal] {
            assert_eq!(verdict(seen(closed.clone()), seen(false)), "pass");
            assert_eq!(verdict(seen(closed), seen(true)), "fail");
        }
    }

    #[test]
    fn public_code_has_nothing_to_hide_whatever_can_be_seen_of_its_pipelines() {
        let public = || seen(Visibility::Public);
        assert_eq!(verdict(public(), seen(true)), "not_applicable");
        assert_eq!(verdict(public(), hidden()), "not_applicable");
    }

    #[test]
    fn a_visibility_that_is_not_known_by_name_is_no_excuse() {
        let strange = || seen(Visibility::Other("cosmic".to_owned()));
        assert_eq!(verdict(strange(), seen(true)), "fail");
        assert_eq!(verdict(strange(), seen(false)), "pass");
    }

    #[test]
    fn what_cannot_be_seen_leaves_it_unknown() {
        assert_eq!(verdict(seen(Visibility::Private), hidden()), "unknown");
        assert_eq!(verdict(hidden(), seen(true)), "unknown");
        assert_eq!(verdict(hidden(), seen(false)), "unknown");
    }
}
