//! ORG-08: few may make a repository disappear or show it to others: delete it,
//! transfer it, change its visibility.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{AtMost, raised};
use super::parts::{judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-08.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RepositoryRemovalRestricted {
    /// Who may do so at most: `nobody`, `owners` or `administrators` (maintainers
    /// on GitLab).
    by: AtMost,
}

const KEY: FactKey = FactKey::OrganizationSettings;

impl Control for RepositoryRemovalRestricted {
    const META: Meta = Meta {
        code: "ORG-08",
        id: "repository-removal-restricted",
        title: "few may delete, transfer or change the visibility of a repository",
        criteria: &[Criterion::Cc6_3, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.2", "A.8.4"]),
            (Framework::PciDss, &["7.2.1", "7.2.2"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "With a repository its history of changes and approvals goes, and with its \
                    visibility its secrets do; neither comes back.",
        cheat: "Transferring a repository out instead of deleting it, or making it public for a \
                minute to copy it. Removal and visibility are judged together, and one that is open \
                fails whatever is known of the other.",
        remedy_github: "in the organisation's Settings, Member privileges, turn \"Allow members to \
                        delete or transfer repositories\" and \"Allow members to change repository \
                        visibilities\" off",
        remedy_gitlab: "both take an owner, which no setting changes: lower the role of people who \
                        need not be owners of the group or the project",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let organization = facts.settings.organization.known()?;
        let not_in_plan = organization.not_in_plan.as_slice();
        let deletion = setting(
            KEY,
            &organization.repository_deletion,
            (not_in_plan, "repository_deletion"),
            |who| self.by.look(who, "delete or transfer repositories"),
        );
        let visibility = setting(
            KEY,
            &organization.visibility_change,
            (not_in_plan, "visibility_change"),
            |who| self.by.look(who, "change the visibility of repositories"),
        );
        judge(
            "few may remove a repository or show it to others",
            "more may remove a repository or show it to others than allowed",
            deletion,
            [visibility],
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised("by", self.by, base.by)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{organization, words};
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{Fact, Who};

    fn lacking(not_in_plan: &[&str], deletion: Fact<Who>, visibility: Fact<Who>) -> String {
        let facts = organization(|organization| {
            organization.repository_deletion = deletion;
            organization.visibility_change = visibility;
            organization.not_in_plan = words(not_in_plan);
        });
        verdict_of(&RepositoryRemovalRestricted::default(), &facts)
    }

    fn verdict(deletion: Fact<Who>, visibility: Fact<Who>) -> String {
        lacking(&[], deletion, visibility)
    }

    #[test]
    fn both_kept_to_owners_pass() {
        assert_eq!(verdict(seen(Who::Owners), seen(Who::Nobody)), "pass");
    }

    #[test]
    fn one_that_is_open_fails_whatever_is_known_of_the_other() {
        for other in [seen(Who::Owners), hidden()] {
            assert_eq!(verdict(seen(Who::Administrators), other.clone()), "fail");
            assert_eq!(verdict(other, seen(Who::Members)), "fail");
        }
        let later = seen(Who::Other("later".to_owned()));
        assert_eq!(verdict(later, seen(Who::Owners)), "fail");
    }

    #[test]
    fn one_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(seen(Who::Owners), hidden()), "unknown");
        assert_eq!(verdict(hidden(), seen(Who::Owners)), "unknown");
    }

    #[test]
    fn the_plan_is_the_reason_only_if_it_explains_both() {
        let open = || seen(Who::Members);
        let both = ["repository_deletion", "visibility_change"];
        assert_eq!(lacking(&both, open(), open()), "fail plan");
        assert_eq!(lacking(&both[..1], open(), open()), "fail");
    }

    #[test]
    fn more_people_is_weaker() {
        let base = RepositoryRemovalRestricted::default();
        let more = RepositoryRemovalRestricted {
            by: AtMost::Administrators,
        };
        assert!(more.weaker_than(&base).is_some());
        assert_eq!(base.weaker_than(&more), None);
    }
}
