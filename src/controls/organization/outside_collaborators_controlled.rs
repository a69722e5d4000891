//! ORG-09: people from outside are brought in by owners alone, and it is known who
//! they are. What each may do is judged where they reach a repository.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{AtMost, raised, together};
use super::parts::{Look, judge, part, setting};
use super::people::logins;
use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Account, FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-09.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutsideCollaboratorsControlled {
    /// Who may bring in people from outside at most: `nobody`, `owners` or
    /// `administrators` (maintainers on GitLab).
    invited_by: AtMost,
    /// Logins of the people from outside that may be there, e.g. `ana`; leave out
    /// to have them listed and not judged.
    allowed: Option<Vec<String>>,
}

const INVITATION: FactKey = FactKey::OrganizationSettings;
const PEOPLE: FactKey = FactKey::OrganizationOutside;

impl Control for OutsideCollaboratorsControlled {
    const META: Meta = Meta {
        code: "ORG-09",
        id: "outside-collaborators-controlled",
        title: "owners alone bring in people from outside, and those are known",
        criteria: &[Criterion::Cc6_2, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.16", "A.5.18"]),
            (Framework::PciDss, &["7.2.2", "8.2.1"]),
            (Framework::Nist80053, &["AC-2", "AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[INVITATION, PEOPLE],
        rationale: "Somebody from outside passed no onboarding and is on no list of people who \
                    leave; whoever lets them in has to be somebody who keeps such a list.",
        cheat: "Inviting through a repository that one administers, where nobody looks. Who may \
                invite is judged, and a list of people that cannot be seen is not taken for an \
                empty one.",
        remedy_github: "in the organisation's Settings, Member privileges, turn \"Allow repository \
                        administrators to invite outside collaborators\" off, and remove those under \
                        People, Outside collaborators, that the policy does not name",
        remedy_gitlab: "in the group's Settings, General, Permissions and group features, lock both \
                        adding users to projects and sharing projects with other groups, and remove \
                        members of the project that the policy does not name",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let invitation = facts
            .settings
            .organization
            .known()
            .and_then(|organization| {
                setting(
                    INVITATION,
                    &organization.outside_invitation,
                    (&organization.not_in_plan, "outside_invitation"),
                    |who| self.invited_by.look(who, "bring in people from outside"),
                )
            });
        let people = part(PEOPLE, &facts.settings.outside_collaborators, |people| {
            self.look(people)
        });
        judge(
            "people from outside are known and brought in by few",
            "people from outside are not under control",
            invitation,
            [people],
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let allowed = match (&self.allowed, &base.allowed) {
            (Some(own), Some(base)) => {
                more(own, base).map(|people| format!("allows {people} from outside"))
            }
            (None, Some(_)) => Some("allows anybody from outside".to_owned()),
            (Some(_) | None, None) => None,
        };
        together([
            raised("invited_by", self.invited_by, base.invited_by),
            allowed,
        ])
    }
}

impl OutsideCollaboratorsControlled {
    fn look(&self, people: &[Account]) -> Look {
        let unnamed = match &self.allowed {
            Some(allowed) => logins(
                people
                    .iter()
                    .filter(|account| !names(allowed, &account.login)),
            ),
            None => Vec::new(),
        };
        if !unnamed.is_empty() {
            Look::Wrong(format!(
                "from outside, and not named by the policy: {}",
                some(&unnamed)
            ))
        } else if people.is_empty() {
            Look::Fine("nobody is from outside".to_owned())
        } else {
            // The auditor reads the whole list, so it is not cut short.
            Look::Fine(format!("from outside: {}", logins(people).join(", ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{organization, people, words};
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{Fact, Who};

    fn facts(who: Fact<Who>, outside: Fact<Vec<Account>>) -> Snapshot {
        let mut facts = organization(|organization| organization.outside_invitation = who);
        facts.settings.outside_collaborators = outside;
        facts
    }

    fn verdict(allowed: Option<&[&str]>, who: Fact<Who>, outside: Fact<Vec<Account>>) -> String {
        let control = OutsideCollaboratorsControlled {
            allowed: allowed.map(words),
            ..OutsideCollaboratorsControlled::default()
        };
        verdict_of(&control, &facts(who, outside))
    }

    fn eve() -> Fact<Vec<Account>> {
        seen(people(&["Eve"]))
    }

    #[test]
    fn owners_alone_who_invite_pass_and_the_people_are_listed() {
        assert_eq!(verdict(None, seen(Who::Owners), eve()), "pass");
        let control = OutsideCollaboratorsControlled::default();
        match control.evaluate(&facts(seen(Who::Owners), eve())) {
            Ok(Verdict::Pass(evidence)) => {
                assert_eq!(evidence.observed()[1].value, "from outside: Eve");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn anybody_else_who_invites_fails_whatever_is_hidden() {
        assert_eq!(verdict(None, seen(Who::Administrators), hidden()), "fail");
        assert_eq!(verdict(None, seen(Who::Members), seen(Vec::new())), "fail");
        let later = seen(Who::Other("later".to_owned()));
        assert_eq!(verdict(None, later, seen(Vec::new())), "fail");
    }

    #[test]
    fn whom_the_policy_does_not_name_fails_where_it_names_people() {
        assert_eq!(verdict(Some(&["@eve"]), seen(Who::Owners), eve()), "pass");
        assert_eq!(verdict(Some(&["ev"]), seen(Who::Owners), eve()), "fail");
        assert_eq!(verdict(Some(&[]), hidden(), eve()), "fail");
        assert_eq!(verdict(Some(&[]), seen(Who::Owners), seen(vec![])), "pass");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(None, hidden(), seen(Vec::new())), "unknown");
        assert_eq!(verdict(None, seen(Who::Owners), hidden()), "unknown");
    }

    #[test]
    fn a_plan_that_does_not_sell_the_lock_is_the_reason() {
        let mut facts = facts(hidden(), seen(Vec::new()));
        if let Fact::Known { value, .. } = &mut facts.settings.organization {
            value.outside_invitation = seen(Who::Administrators);
            value.not_in_plan = words(&["outside_invitation"]);
        }
        let control = OutsideCollaboratorsControlled::default();
        assert_eq!(verdict_of(&control, &facts), "fail plan");
    }

    #[test]
    fn more_people_and_more_who_invite_are_weaker() {
        let with = |invited_by, allowed: Option<&[&str]>| OutsideCollaboratorsControlled {
            invited_by,
            allowed: allowed.map(words),
        };
        let base = with(AtMost::Owners, Some(&["eve"]));
        for looser in [
            with(AtMost::Administrators, Some(&["eve"])),
            with(AtMost::Owners, Some(&["eve", "mallory"])),
            with(AtMost::Owners, None),
        ] {
            assert!(looser.weaker_than(&base).is_some());
        }
        assert_eq!(base.weaker_than(&with(AtMost::Owners, None)), None);
        assert_eq!(with(AtMost::Nobody, Some(&[])).weaker_than(&base), None);
    }
}
