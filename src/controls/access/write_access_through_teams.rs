//! ACC-03: who can write can do so through a team or group, not by name. It does
//! not know who is in which team.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ACC-03.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct WriteAccessThroughTeams {
    /// Logins that may write by name all the same, e.g. a machine's account.
    allowed: Vec<String>,
}

const SAYS: Says<'static> = Says {
    key: FactKey::AccessCollaborators,
    good: "nobody else was given write access by name",
    bad: "write access was given by name, past teams and groups",
};

impl Control for WriteAccessThroughTeams {
    const META: Meta = Meta {
        code: "ACC-03",
        id: "write-access-through-teams",
        title: "write access is given to teams or groups, not to people by name",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.5.18"]),
            (Framework::PciDss, &["7.2.1", "7.2.2"]),
            (Framework::Nist80053, &["AC-2", "AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::AccessCollaborators],
        rationale: "A right given by name stays when its holder changes team; a right of a team \
                    ends with membership and is reviewed in one place.",
        cheat: "Being in a team and given the right by name besides, so that a list of effective \
                roles looks right. What was given by name is judged, whatever the team gives.",
        remedy_github: "under Settings, Collaborators and teams, give the team the role and remove \
                        the person, or name the account in the policy under `allowed`",
        remedy_gitlab: "under Manage, Members, invite the group and remove the direct member, or \
                        name the account in the policy under `allowed`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let collaborators = facts.settings.collaborators.known()?;
        let above = &collaborators.in_organization;
        // Without an organisation there are no teams, and nobody did anything wrong. So
        // a right given by name proves nothing before that is known.
        if !*above.known()? {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "there is no organisation or group above the repository, so there are no teams",
                FactKey::AccessCollaborators,
                "no organisation or group",
                above.sources(),
            )));
        }
        let people = &collaborators.people;
        none_wrong(people.known()?, &SAYS, people.sources(), |person| {
            let login = &person.account.login;
            let direct = person
                .direct
                .as_ref()
                .filter(|role| role.can_write() && !names(&self.allowed, login));
            Ok(direct.map(|role| format!("{login} ({})", role.word())))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        more(&self.allowed, &base.allowed).map(|who| format!("lets {who} write by name"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::{member, reached, reached_by};
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{AccessRole, Collaborator, Fact};

    fn by_name(role: AccessRole) -> Fact<Vec<Collaborator>> {
        seen(vec![
            member("ana", AccessRole::Admin),
            Collaborator {
                direct: Some(role),
                ..member("eve", AccessRole::Admin)
            },
        ])
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&WriteAccessThroughTeams::default(), facts)
    }

    fn allowing(login: &str) -> WriteAccessThroughTeams {
        WriteAccessThroughTeams {
            allowed: vec![login.to_owned()],
        }
    }

    #[test]
    fn rights_through_teams_pass_and_rights_by_name_fail() {
        let through_team = reached_by(seen(vec![member("ana", AccessRole::Admin)]));
        assert_eq!(verdict(&through_team), "pass");
        assert_eq!(verdict(&reached_by(by_name(AccessRole::Write))), "fail");
    }

    #[test]
    fn reading_may_be_given_by_name() {
        assert_eq!(verdict(&reached_by(by_name(AccessRole::Read))), "pass");
    }

    #[test]
    fn a_role_that_is_not_known_counts_as_one_that_can_write() {
        let role = AccessRole::Other("release captain".to_owned());
        assert_eq!(verdict(&reached_by(by_name(role))), "fail");
    }

    #[test]
    fn a_named_account_may() {
        let facts = reached_by(by_name(AccessRole::Write));
        assert_eq!(verdict_of(&allowing("eve"), &facts), "pass");
        assert_eq!(verdict_of(&allowing("ana"), &facts), "fail");
    }

    #[test]
    fn without_an_organisation_it_has_no_meaning_whoever_can_be_seen() {
        let lone = |people| verdict(&reached(people, seen(false)));
        assert_eq!(lone(by_name(AccessRole::Write)), "not_applicable");
        assert_eq!(lone(hidden()), "not_applicable");
    }

    #[test]
    fn what_cannot_be_seen_leaves_it_unknown() {
        assert_eq!(verdict(&reached_by(hidden())), "unknown");
        let unsure = reached(by_name(AccessRole::Write), hidden());
        assert_eq!(verdict(&unsure), "unknown");
    }

    #[test]
    fn a_longer_list_is_weaker() {
        let none = WriteAccessThroughTeams::default();
        assert!(allowing("eve").weaker_than(&none).is_some());
        assert!(none.weaker_than(&allowing("eve")).is_none());
    }
}
