//! ACC-02: nobody from outside the organisation can write, but those the policy
//! names. Who is outside is what the platform says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ACC-02.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OutsideCollaboratorsCannotWrite {
    /// Logins of people from outside who may write all the same, e.g. `ana`.
    allowed: Vec<String>,
}

const SAYS: Says<'static> = Says {
    key: FactKey::AccessCollaborators,
    good: "nobody else from outside the organisation can write",
    bad: "people from outside the organisation can write",
};

impl Control for OutsideCollaboratorsCannotWrite {
    const META: Meta = Meta {
        code: "ACC-02",
        id: "outside-collaborators-cannot-write",
        title: "nobody from outside the organisation can write",
        criteria: &[Criterion::Cc6_3, Criterion::Cc6_2],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.5.18", "A.8.4"]),
            (Framework::PciDss, &["7.2.2"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::AccessCollaborators],
        rationale: "Accounts from outside fall under none of the organisation's rules: nobody \
                    demands a second factor of them, and nobody notices when they change employer.",
        cheat: "Giving the outsider a role of the organisation's own instead of Write. A role that \
                is not known counts as one that can write.",
        remedy_github: "under Settings, Collaborators and teams, remove outside collaborators or \
                        lower them to Read, or name them in the policy under `allowed`",
        remedy_gitlab: "under Manage, Members, remove people from outside the group or lower them \
                        to Reporter, or name them in the policy under `allowed`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let people = &facts.settings.collaborators.known()?.people;
        none_wrong(people.known()?, &SAYS, people.sources(), |person| {
            let login = &person.account.login;
            let wrong = person.outside && person.role.can_write() && !names(&self.allowed, login);
            Ok(wrong.then(|| format!("{login} ({})", person.role.word())))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        more(&self.allowed, &base.allowed).map(|who| format!("lets {who} write from outside"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::{member, reached_by};
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::{AccessRole, Collaborator};

    fn outsider(role: AccessRole) -> Snapshot {
        reached_by(seen(vec![
            member("ana", AccessRole::Admin),
            Collaborator {
                outside: true,
                ..member("eve", role)
            },
        ]))
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&OutsideCollaboratorsCannotWrite::default(), facts)
    }

    fn allowing(login: &str) -> OutsideCollaboratorsCannotWrite {
        OutsideCollaboratorsCannotWrite {
            allowed: vec![login.to_owned()],
        }
    }

    #[test]
    fn an_outsider_who_reads_passes_and_one_who_writes_fails() {
        assert_eq!(verdict(&outsider(AccessRole::Read)), "pass");
        assert_eq!(verdict(&outsider(AccessRole::Triage)), "pass");
        for role in [AccessRole::Write, AccessRole::Maintain, AccessRole::Admin] {
            assert_eq!(verdict(&outsider(role)), "fail");
        }
    }

    #[test]
    fn a_role_that_is_not_known_counts_as_one_that_can_write() {
        let role = AccessRole::Other("guest plus".to_owned());
        assert_eq!(verdict(&outsider(role)), "fail");
    }

    #[test]
    fn only_the_named_outsider_may_write() {
        let facts = outsider(AccessRole::Write);
        assert_eq!(verdict_of(&allowing("@Eve"), &facts), "pass");
        assert_eq!(verdict_of(&allowing("ana"), &facts), "fail");
    }

    #[test]
    fn people_who_cannot_be_seen_leave_it_unknown() {
        assert_eq!(verdict(&reached_by(hidden())), "unknown");
    }

    #[test]
    fn a_longer_list_is_weaker() {
        let none = OutsideCollaboratorsCannotWrite::default();
        assert!(allowing("eve").weaker_than(&none).is_some());
        assert!(none.weaker_than(&allowing("eve")).is_none());
    }
}
