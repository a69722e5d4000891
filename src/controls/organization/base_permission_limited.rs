//! ORG-05: membership alone lets nobody change code. What somebody was given by
//! name or through a team is not seen here.

use std::fmt::{self, Display};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::raised;
use super::parts::{Look, judge, setting};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{AccessRole, FactKey, Platform, Snapshot, Unknown};

/// The strongest role that membership may bring. Administration is no limit.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
enum Strongest {
    /// Nothing.
    None,
    /// Read.
    #[default]
    Read,
    /// Read and sort issues.
    Triage,
    /// Push to branches that are not protected.
    Write,
    /// Write and some settings.
    Maintain,
}

impl Strongest {
    fn role(self) -> AccessRole {
        match self {
            Self::None => AccessRole::None,
            Self::Read => AccessRole::Read,
            Self::Triage => AccessRole::Triage,
            Self::Write => AccessRole::Write,
            Self::Maintain => AccessRole::Maintain,
        }
    }
}

impl Display for Strongest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.role().word())
    }
}

/// Parameters of ORG-05.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BasePermissionLimited {
    /// The strongest role that membership may bring: `none`, `read`, `triage`,
    /// `write` or `maintain`.
    max: Strongest,
}

const KEY: FactKey = FactKey::OrganizationSettings;

impl Control for BasePermissionLimited {
    const META: Meta = Meta {
        code: "ORG-05",
        id: "base-permission-limited",
        title: "membership alone gives no more than a limited role on every repository",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.4"]),
            (Framework::PciDss, &["7.2.1", "7.2.2"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "A role that everybody has on everything is given to the next newcomer too, \
                    without anybody having decided it.",
        cheat: "Keeping every team at read and raising the base permission, or on GitLab inviting a \
                whole group with a strong role. What membership brings is judged, and a role that is \
                not known counts as administration.",
        remedy_github: "in the organisation's Settings, Member privileges, lower \"Base \
                        permissions\" to \"Read\" or \"No permission\"",
        remedy_gitlab: "in Manage, Members, Groups of the group and those above it, lower the role \
                        of invited groups",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let organization = facts.settings.organization.known()?;
        let plan = (organization.not_in_plan.as_slice(), "base_permission");
        let role = setting(KEY, &organization.base_permission, plan, |role| {
            let words = format!("membership brings the role {}", role.word());
            if *role <= self.max.role() {
                Look::Fine(words)
            } else {
                Look::Wrong(format!("{words}, allowed is {}", self.max))
            }
        });
        judge(
            "membership alone brings no more than allowed",
            "membership alone brings more than allowed",
            role,
            None,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised("max", self.max, base.max)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::organization;
    use super::*;
    use crate::controls::testing::{hidden, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(max: Strongest, role: Fact<AccessRole>) -> String {
        let facts = organization(|organization| organization.base_permission = role);
        verdict_of(&BasePermissionLimited { max }, &facts)
    }

    #[test]
    fn a_role_up_to_the_limit_passes_and_one_above_it_fails() {
        assert_eq!(verdict(Strongest::Read, seen(AccessRole::None)), "pass");
        assert_eq!(verdict(Strongest::Read, seen(AccessRole::Read)), "pass");
        assert_eq!(verdict(Strongest::Read, seen(AccessRole::Triage)), "fail");
        assert_eq!(verdict(Strongest::None, seen(AccessRole::Read)), "fail");
        assert_eq!(verdict(Strongest::Write, seen(AccessRole::Write)), "pass");
    }

    #[test]
    fn a_role_that_is_not_known_counts_as_administration() {
        let later = || seen(AccessRole::Other("auditor".to_owned()));
        assert_eq!(verdict(Strongest::Read, later()), "fail");
        assert_eq!(verdict(Strongest::Maintain, later()), "fail");
        assert_eq!(
            verdict(Strongest::Maintain, seen(AccessRole::Admin)),
            "fail"
        );
    }

    #[test]
    fn a_role_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(Strongest::Maintain, hidden()), "unknown");
    }

    #[test]
    fn the_limit_is_a_word_and_administration_is_none() {
        let read = |word: &str| {
            serde_json::from_value::<BasePermissionLimited>(serde_json::json!({"max": word}))
        };
        assert_eq!(read("write").unwrap().max, Strongest::Write);
        assert!(read("admin").is_err());
    }

    #[test]
    fn a_stronger_role_is_weaker() {
        let (read, write) = (
            BasePermissionLimited::default(),
            BasePermissionLimited {
                max: Strongest::Write,
            },
        );
        assert_eq!(
            write.weaker_than(&read).as_deref(),
            Some("max read -> write")
        );
        assert_eq!(read.weaker_than(&write), None);
    }
}
