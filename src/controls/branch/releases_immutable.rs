//! BR-27: a published release cannot be changed any more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, switch};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-27 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ReleasesImmutable {}

impl Control for ReleasesImmutable {
    const META: Meta = Meta {
        code: "BR-27",
        id: "releases-immutable",
        title: "a published release cannot be changed any more",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-5", "SI-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github],
        needs: &[FactKey::RepositoryReleases],
        rationale: "Whoever can exchange the files of a release can hand out something that \
                        nobody reviewed.",
        cheat: "Publishing a clean release and exchanging its files after the download counters \
                        start. The setting is judged; that there is no release yet has to be known \
                        before it is let off.",
        remedy_github: "under Settings, General, Releases turn \"Enable release immutability\" \
                        on, or let the organisation enforce it",
        remedy_gitlab: "there is no such setting: protect the tags of releases, which \
                        `release-tags-protected` judges",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let releases = facts.settings.releases.known()?;
        if !*releases.exist.known()? {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "there is no release",
                FactKey::RepositoryReleases,
                "no release",
                releases.exist.sources(),
            )));
        }
        let says = Says {
            key: FactKey::RepositoryReleases,
            good: "published releases cannot be changed",
            bad: "published releases can be changed",
        };
        switch(&releases.immutable, &says, &[], "immutable releases")
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, Releases};

    fn verdict(exist: Fact<bool>, immutable: Fact<bool>) -> String {
        let facts = settings(|all| all.releases = seen(Releases { exist, immutable }));
        verdict_of(&ReleasesImmutable {}, &facts)
    }

    #[test]
    fn releases_that_cannot_be_changed_pass() {
        assert_eq!(verdict(seen(true), seen(true)), "pass");
    }

    #[test]
    fn releases_that_can_be_changed_fail() {
        assert_eq!(verdict(seen(true), seen(false)), "fail");
    }

    #[test]
    fn a_repository_that_is_known_to_have_none_is_let_off() {
        assert_eq!(verdict(seen(false), seen(false)), "not_applicable");
        assert_eq!(verdict(seen(false), hidden()), "not_applicable");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(seen(true), hidden()), "unknown");
        assert_eq!(verdict(hidden(), seen(false)), "unknown");
        assert_eq!(verdict(hidden(), seen(true)), "unknown");
    }
}
