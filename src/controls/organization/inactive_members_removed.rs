//! ORG-11: no member has been away for long. A member of whom the platform does
//! not tell is neither active nor away.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{raised, together};
use super::parts::{Look, Part, judge, part};
use super::people::{is_bot, logins};
use crate::controls::age::days_since;
use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, MemberActivity, Platform, Snapshot, Unknown, Why};

/// Parameters of ORG-11.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct InactiveMembersRemoved {
    /// Longest time that a member may be away, in days, from 0.
    max_days: u32,
    /// Logins of those who may be away for longer, e.g. `ana`.
    exempt: Vec<String>,
}

impl Default for InactiveMembersRemoved {
    fn default() -> Self {
        Self {
            max_days: 90,
            exempt: Vec::new(),
        }
    }
}

const KEY: FactKey = FactKey::OrganizationActivity;

impl Control for InactiveMembersRemoved {
    const META: Meta = Meta {
        code: "ORG-11",
        id: "inactive-members-removed",
        title: "members who have been away for long are removed",
        criteria: &[Criterion::Cc6_2, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.16", "A.5.18"]),
            (Framework::PciDss, &["7.2.4", "8.2.6"]),
            (Framework::Nist80053, &["AC-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::OrganizationMembers, KEY],
        rationale: "An account that nobody uses is missed by nobody when somebody else does; it \
                    often belongs to a person who left.",
        cheat: "Being a member of a kind that the list of activity leaves out, or never signing in at \
                all, so that there is no date to compare. Never is a fail, and a member whom the list \
                leaves out keeps it unknown.",
        remedy_github: "remove members who are not active any more under the organisation's People, \
                        or name them under `exempt` with a reason",
        remedy_gitlab: "remove members who are not active any more under the group's Manage, \
                        Members, or name them under `exempt` with a reason",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let activity = &facts.settings.member_activity;
        let says = Says {
            key: KEY,
            good: "every member was active lately",
            bad: "members have been away for too long",
        };
        let judged = none_wrong(activity.known()?, &says, activity.sources(), |member| {
            self.wrong(member, facts)
        })?;
        match judged {
            Verdict::Pass(_) => judge(says.good, says.bad, self.complete(facts), None),
            Verdict::Fail(_) | Verdict::NotApplicable(_) => Ok(judged),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        together([
            raised("max_days", self.max_days, base.max_days),
            more(&self.exempt, &base.exempt).map(|people| format!("exempts {people}")),
        ])
    }
}

impl InactiveMembersRemoved {
    /// What is wrong with a member who is on the list.
    fn wrong(&self, member: &MemberActivity, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let login = &member.account.login;
        if names(&self.exempt, login) {
            return Ok(None);
        }
        let Some(last_active) = member.last_active.known()? else {
            return Ok(Some(format!("{login} (never active)")));
        };
        let days = days_since(*last_active, facts.latest_time());
        // A day ahead is another time zone; more is a date that means nothing.
        if days < -1 {
            return Err(Unknown::new(
                KEY.name(),
                Why::Failed,
                format!("the platform says that `{login}` was last active in the future"),
            ));
        }
        Ok((days > i64::from(self.max_days)).then(|| format!("{login} ({days} days)")))
    }

    /// That everybody is on the list whose activity counts. Bots are on none of the
    /// platforms' lists; their tokens are judged by `tokens-governed`.
    fn complete(&self, facts: &Snapshot) -> Result<Part, Unknown> {
        let activity = facts.settings.member_activity.known()?;
        let members = &facts.settings.organization_members;
        let listed = |login: &str| activity.iter().any(|member| member.account.is(login));
        let missing = logins(members.known()?.iter().filter(|member| {
            !is_bot(member) && !names(&self.exempt, &member.login) && !listed(&member.login)
        }));
        if !missing.is_empty() {
            return Err(Unknown::new(
                KEY.name(),
                Why::NotSupported,
                format!(
                    "the platform does not say when these members were last active: {}",
                    some(&missing)
                ),
            ));
        }
        if activity.is_empty() {
            return Err(Unknown::new(
                KEY.name(),
                Why::HiddenOrAbsent,
                "the list of active members is empty, which no organisation's can be",
            ));
        }
        part(KEY, &facts.settings.member_activity, |activity| {
            Look::Fine(format!(
                "{} members looked at, none away for more than {} days",
                activity.len(),
                self.max_days
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::super::testing::{people, words};
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};
    use crate::facts::{Account, Fact};

    fn member(login: &str, last_active: Fact<Option<Timestamp>>) -> MemberActivity {
        MemberActivity {
            account: Account::human(login),
            last_active,
        }
    }

    fn on(moment: &str) -> Fact<Option<Timestamp>> {
        seen(Some(at(moment)))
    }

    fn judged(
        exempt: &[&str],
        members: Fact<Vec<Account>>,
        activity: Fact<Vec<MemberActivity>>,
    ) -> String {
        let control = InactiveMembersRemoved {
            exempt: words(exempt),
            ..InactiveMembersRemoved::default()
        };
        let facts = settings(|all| {
            all.organization_members = members;
            all.member_activity = activity;
        });
        verdict_of(&control, &facts)
    }

    fn verdict(last_active: Fact<Option<Timestamp>>) -> String {
        judged(
            &[],
            seen(people(&["ana"])),
            seen(vec![member("ana", last_active)]),
        )
    }

    #[test]
    fn ninety_days_away_pass_and_ninety_one_fail() {
        assert_eq!(verdict(on("2026-06-01T11:00:00Z")), "pass");
        assert_eq!(verdict(on("2026-03-03T12:00:00Z")), "pass");
        assert_eq!(verdict(on("2026-03-02T12:00:00Z")), "fail");
    }

    #[test]
    fn somebody_who_was_never_active_fails() {
        assert_eq!(verdict(seen(None)), "fail");
    }

    #[test]
    fn a_date_that_is_hidden_or_far_ahead_leaves_it_unknown() {
        assert_eq!(verdict(hidden()), "unknown");
        assert_eq!(verdict(on("2026-06-02T11:00:00Z")), "pass");
        assert_eq!(verdict(on("2027-01-01T00:00:00Z")), "unknown");
    }

    #[test]
    fn one_who_is_away_fails_whatever_is_hidden() {
        let away = seen(vec![member("ana", hidden()), member("bob", seen(None))]);
        assert_eq!(judged(&[], hidden(), away), "fail");
    }

    #[test]
    fn a_member_whom_the_list_leaves_out_keeps_it_unknown_but_for_a_bot() {
        let ana = || seen(vec![member("Ana", on("2026-06-01T11:00:00Z"))]);
        assert_eq!(
            judged(&[], seen(people(&["ana", "guest"])), ana()),
            "unknown"
        );
        assert_eq!(
            judged(&["guest"], seen(people(&["ana", "guest"])), ana()),
            "pass"
        );
        let mut with_bot = people(&["ana"]);
        with_bot.push(Account::bot("robot"));
        assert_eq!(judged(&[], seen(with_bot), ana()), "pass");
        assert_eq!(judged(&[], hidden(), ana()), "unknown");
    }

    #[test]
    fn an_empty_list_is_no_proof() {
        assert_eq!(judged(&[], seen(Vec::new()), seen(Vec::new())), "unknown");
        assert_eq!(judged(&[], seen(people(&["ana"])), hidden()), "unknown");
    }

    #[test]
    fn whoever_is_exempt_may_be_away() {
        let away = || seen(vec![member("ana", seen(None)), member("bob", hidden())]);
        let both = || seen(people(&["ana", "bob"]));
        assert_eq!(judged(&["@ANA"], both(), away()), "unknown");
        assert_eq!(judged(&["ana", "bob"], both(), away()), "pass");
    }

    #[test]
    fn longer_times_and_more_exemptions_are_weaker() {
        let base = InactiveMembersRemoved::default();
        let looser = InactiveMembersRemoved {
            max_days: 120,
            exempt: words(&["ana"]),
        };
        assert_eq!(
            looser.weaker_than(&base).as_deref(),
            Some("max_days 90 -> 120, exempts ana")
        );
        assert_eq!(base.weaker_than(&looser), None);
    }
}
