//! ORG-07: few may create repositories. What a new one then gets is judged by
//! `new-repositories-protected`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{AtMost, raised};
use super::parts::{judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-07.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RepositoryCreationRestricted {
    /// Who may create repositories at most: `nobody`, `owners` or `administrators`
    /// (maintainers on GitLab).
    by: AtMost,
}

const KEY: FactKey = FactKey::OrganizationSettings;

impl Control for RepositoryCreationRestricted {
    const META: Meta = Meta {
        code: "ORG-07",
        id: "repository-creation-restricted",
        title: "few may create repositories",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.4"]),
            (Framework::PciDss, &["7.2.2"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "A repository that somebody made for themselves is in nobody's inventory, and its \
                    maker administers it alone.",
        cheat: "Forbidding private repositories and leaving public ones free, or the other way \
                round. One kind that may be created is creation, and a word for who may that is not \
                known counts as everybody.",
        remedy_github: "in the organisation's Settings, Member privileges, clear every kind under \
                        \"Repository creation\"",
        remedy_gitlab: "in the group's Settings, General, Permissions and group features, set who \
                        may create projects to owners or stricter",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let organization = facts.settings.organization.known()?;
        let plan = (organization.not_in_plan.as_slice(), "repository_creation");
        let creation = setting(KEY, &organization.repository_creation, plan, |who| {
            self.by.look(who, "create repositories")
        });
        judge(
            "few may create repositories",
            "more may create repositories than allowed",
            creation,
            None,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised("by", self.by, base.by)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::organization;
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{Fact, Who};

    fn verdict(by: AtMost, who: Fact<Who>) -> String {
        let facts = organization(|organization| organization.repository_creation = who);
        verdict_of(&RepositoryCreationRestricted { by }, &facts)
    }

    #[test]
    fn owners_alone_pass_and_members_fail() {
        assert_eq!(verdict(AtMost::Owners, seen(Who::Owners)), "pass");
        assert_eq!(verdict(AtMost::Owners, seen(Who::Nobody)), "pass");
        assert_eq!(verdict(AtMost::Owners, seen(Who::Administrators)), "fail");
        assert_eq!(verdict(AtMost::Owners, seen(Who::Members)), "fail");
    }

    #[test]
    fn the_policy_may_set_another_limit_but_not_leave_it_to_members() {
        assert_eq!(verdict(AtMost::Nobody, seen(Who::Owners)), "fail");
        assert_eq!(
            verdict(AtMost::Administrators, seen(Who::Administrators)),
            "pass"
        );
        assert_eq!(verdict(AtMost::Administrators, seen(Who::Members)), "fail");
        let members = serde_json::json!({"by": "members"});
        assert!(serde_json::from_value::<RepositoryCreationRestricted>(members).is_err());
    }

    #[test]
    fn a_word_that_is_not_known_counts_as_everybody() {
        let later = || seen(Who::Other("later".to_owned()));
        assert_eq!(verdict(AtMost::Administrators, later()), "fail");
    }

    #[test]
    fn a_setting_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(AtMost::Owners, hidden()), "unknown");
    }

    #[test]
    fn a_plan_that_does_not_sell_it_is_the_reason() {
        let facts = organization(|organization| {
            organization.repository_creation = seen(Who::Members);
            organization.not_in_plan = vec!["repository_creation".to_owned()];
        });
        assert_eq!(
            verdict_of(&RepositoryCreationRestricted::default(), &facts),
            "fail plan"
        );
    }

    #[test]
    fn more_people_is_weaker() {
        let with = |by| RepositoryCreationRestricted { by };
        let (few, more) = (with(AtMost::Owners), with(AtMost::Administrators));
        assert_eq!(
            more.weaker_than(&few).as_deref(),
            Some("by owners -> administrators")
        );
        assert_eq!(few.weaker_than(&more), None);
    }
}
