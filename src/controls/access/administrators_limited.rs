//! ACC-01: few people administer the repository, and at least one does. Whether
//! they are the right people is known only if the policy names them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of ACC-01.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdministratorsLimited {
    /// Most people who may administer the repository.
    max: u32,
    /// Fewest people who have to.
    min: u32,
    /// Logins of those who may, e.g. `ana`; leave out for anybody, up to `max`.
    named: Option<Vec<String>>,
}

impl Default for AdministratorsLimited {
    fn default() -> Self {
        Self {
            max: 5,
            min: 1,
            named: None,
        }
    }
}

impl Control for AdministratorsLimited {
    const META: Meta = Meta {
        code: "ACC-01",
        id: "administrators-limited",
        title: "few people administer the repository, and at least one does",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.18", "A.8.2"]),
            (Framework::PciDss, &["7.2.1", "7.2.2"]),
            (Framework::Nist80053, &["AC-2", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::AccessCollaborators],
        rationale: "Whoever administers a repository can switch its protections off; a right that \
                    many hold is watched by nobody.",
        cheat: "Handing out a role of the organisation's own that carries administration under \
                another name, or administering through a team. A role that is not known counts as \
                administrator, and every person counts however they came to the role.",
        remedy_github: "under Settings, Collaborators and teams, lower the role of people and teams \
                        that need no Admin; owners of the organisation count too",
        remedy_gitlab: "under Manage, Members, lower the role of people and groups that need not be \
                        Maintainer or Owner; inherited members count too",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let people = &facts.settings.collaborators.known()?.people;
        let logins: Vec<String> = people
            .known()?
            .iter()
            .filter(|person| person.role.is_admin())
            .map(|person| person.account.login.clone())
            .collect();
        let count = u32::try_from(logins.len()).unwrap_or(u32::MAX);
        let evidence = |summary: String| {
            let seen = match count {
                0 => "no administrator".to_owned(),
                _ => format!("{count}: {}", some(&logins)),
            };
            Evidence::new(
                summary,
                FactKey::AccessCollaborators,
                seen,
                people.sources(),
            )
        };
        let unnamed: Vec<String> = match &self.named {
            Some(named) => logins
                .iter()
                .filter(|login| !names(named, login))
                .cloned()
                .collect(),
            None => Vec::new(),
        };
        if !unnamed.is_empty() {
            return Ok(Verdict::fail(evidence(format!(
                "people administer the repository whom the policy does not name: {}",
                some(&unnamed)
            ))));
        }
        if count > self.max {
            return Ok(Verdict::fail(evidence(format!(
                "{count} people administer the repository, at most {} may",
                self.max
            ))));
        }
        if count < self.min {
            return Ok(Verdict::fail(evidence(format!(
                "{count} people administer the repository, at least {} have to",
                self.min
            ))));
        }
        Ok(Verdict::Pass(evidence(format!(
            "{count} people administer the repository, at most {} may",
            self.max
        ))))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let mut less = Vec::new();
        if self.max > base.max {
            less.push(format!("max {} -> {}", base.max, self.max));
        }
        if self.min < base.min {
            less.push(format!("min {} -> {}", base.min, self.min));
        }
        match (&self.named, &base.named) {
            (None, Some(_)) => less.push("no longer names the administrators".to_owned()),
            (Some(own), Some(base)) => {
                less.extend(more(own, base).map(|who| format!("lets {who} administer")));
            }
            (None | Some(_), None) => {}
        }
        (!less.is_empty()).then(|| less.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::{member, reached_by};
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{AccessRole, Collaborator};

    fn administrators(count: usize) -> Snapshot {
        let mut people: Vec<Collaborator> = (0..count)
            .map(|number| member(&format!("admin{number}"), AccessRole::Admin))
            .collect();
        people.push(member("bob", AccessRole::Maintain));
        reached_by(seen(people))
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&AdministratorsLimited::default(), facts)
    }

    fn naming(names: &[&str]) -> AdministratorsLimited {
        AdministratorsLimited {
            named: Some(names.iter().map(|&name| name.to_owned()).collect()),
            ..AdministratorsLimited::default()
        }
    }

    #[test]
    fn as_many_as_allowed_pass_and_one_more_fails() {
        assert_eq!(verdict(&administrators(1)), "pass");
        assert_eq!(verdict(&administrators(5)), "pass");
        assert_eq!(verdict(&administrators(6)), "fail");
    }

    #[test]
    fn a_repository_without_administrator_fails() {
        assert_eq!(verdict(&administrators(0)), "fail");
    }

    #[test]
    fn a_role_of_the_organisations_own_counts_as_administrator() {
        let own = |count: usize| {
            let people = (0..count)
                .map(|number| {
                    let role = AccessRole::Other("release captain".to_owned());
                    member(&format!("captain{number}"), role)
                })
                .collect();
            reached_by(seen(people))
        };
        assert_eq!(verdict(&own(6)), "fail");
        assert_eq!(verdict_of(&naming(&["ana"]), &own(1)), "fail");
    }

    #[test]
    fn an_administrator_whom_the_policy_does_not_name_fails() {
        let facts = administrators(2);
        assert_eq!(verdict_of(&naming(&["@Admin0", "admin1"]), &facts), "pass");
        assert_eq!(verdict_of(&naming(&["admin0"]), &facts), "fail");
        assert_eq!(verdict_of(&naming(&[]), &facts), "fail");
    }

    #[test]
    fn people_who_cannot_be_seen_leave_it_unknown() {
        assert_eq!(verdict(&reached_by(hidden())), "unknown");
        assert_eq!(verdict(&settings(|_| {})), "unknown");
    }

    #[test]
    fn more_people_fewer_needed_and_longer_lists_are_weaker() {
        let base = AdministratorsLimited::default();
        let weaker = |max, min, named: Option<Vec<String>>| {
            AdministratorsLimited { max, min, named }.weaker_than(&base)
        };
        assert!(weaker(6, 1, None).is_some());
        assert!(weaker(5, 0, None).is_some());
        assert!(weaker(4, 2, Some(Vec::new())).is_none());
        assert!(base.weaker_than(&naming(&["ana"])).is_some());
        assert!(
            naming(&["ana", "bob"])
                .weaker_than(&naming(&["ana"]))
                .is_some()
        );
        assert!(
            naming(&["ana"])
                .weaker_than(&naming(&["ana", "bob"]))
                .is_none()
        );
    }
}
