//! ORG-12: somebody who owns the organisation confirmed, not long ago, everybody
//! who has access today. Whether they looked closely is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::raised;
use super::parts::{Look, Part, judge, part};
use super::people::logins;
use crate::controls::age::days_since;
use crate::controls::allowances::names;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    AccessReview, Account, Fact, FactKey, Platform, Settings, Snapshot, Unknown, Why,
};

/// Parameters of ORG-12.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccessReviewed {
    /// Longest time since the last review, in days, from 0.
    max_days: u32,
}

impl Default for AccessReviewed {
    fn default() -> Self {
        Self { max_days: 92 }
    }
}

const REVIEW: FactKey = FactKey::OrganizationReview;
const OWNERS: FactKey = FactKey::OrganizationOwners;
const MEMBERS: FactKey = FactKey::OrganizationMembers;
const OUTSIDE: FactKey = FactKey::OrganizationOutside;

impl Control for AccessReviewed {
    const META: Meta = Meta {
        code: "ORG-12",
        id: "access-reviewed",
        title: "an owner has lately confirmed everybody who has access",
        criteria: &[Criterion::Cc6_2, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.18", "A.8.2"]),
            (Framework::PciDss, &["7.2.4"]),
            (Framework::Nist80053, &["AC-2", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[OWNERS, MEMBERS, OUTSIDE, REVIEW],
        rationale: "Access piles up: people change teams and leave, and nobody takes away what \
                    nobody looks at.",
        cheat: "Signing a list once and adding people after it, writing a date that lies ahead so \
                that it never grows old, or signing in the name of somebody who owns nothing. Who has \
                access today is compared with the list, a date ahead fails, and the signature has to \
                be an owner's.",
        remedy_github: "have an owner go through People and Outside collaborators and commit \
                        `.ccgate/access-review.json` with `reviewed_at`, `reviewed_by` and the \
                        confirmed `members` to the default branch",
        remedy_gitlab: "have an owner go through the members of group and project and commit \
                        `.ccgate/access-review.json` with `reviewed_at`, `reviewed_by` and the \
                        confirmed `members` to the default branch",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let settings = &facts.settings;
        let file = &settings.access_review;
        let Some(review) = file.known()? else {
            return Ok(Verdict::fail(Evidence::new(
                "access was never reviewed: there is no review on the default branch",
                REVIEW,
                "no review",
                file.sources(),
            )));
        };
        let age = part(REVIEW, file, |_| self.age(review, facts));
        let signed = part(OWNERS, &settings.organization_owners, |owners| {
            signed(review, owners)
        });
        let outside = confirmed(
            review,
            OUTSIDE,
            &settings.outside_collaborators,
            "people from outside",
        );
        judge(
            "an owner has lately confirmed everybody who has access",
            "access is not under review",
            age,
            [signed, members(review, settings), outside],
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised("max_days", self.max_days, base.max_days)
    }
}

impl AccessReviewed {
    fn age(&self, review: &AccessReview, facts: &Snapshot) -> Look {
        let days = days_since(review.reviewed_at, facts.latest_time());
        // A day ahead is another time zone.
        if days < -1 {
            Look::Wrong(format!("the review of {} lies ahead", review.reviewed_at))
        } else if days > i64::from(self.max_days) {
            Look::Wrong(format!(
                "the last review was {days} days ago, allowed are {}",
                self.max_days
            ))
        } else {
            Look::Fine(format!(
                "`{}` ({}) says it was reviewed at {}",
                review.path, review.digest, review.reviewed_at
            ))
        }
    }
}

fn signed(review: &AccessReview, owners: &[Account]) -> Look {
    let by = review.reviewed_by.as_str();
    match owners.iter().find(|owner| owner.is(by)) {
        Some(owner) if owner.is_human() => Look::Fine(format!("reviewed by the owner `{by}`")),
        Some(_) => Look::Wrong(format!("reviewed by `{by}`, who is no person")),
        None => Look::Wrong(format!("reviewed by `{by}`, who is no owner")),
    }
}

/// Looks at the members. A list without anybody is none: no organisation's can be empty.
fn members(review: &AccessReview, settings: &Settings) -> Result<Part, Unknown> {
    let members = &settings.organization_members;
    if members.known()?.is_empty() {
        return Err(Unknown::new(
            MEMBERS.name(),
            Why::HiddenOrAbsent,
            "the list of members is empty, which no organisation's can be",
        ));
    }
    confirmed(review, MEMBERS, members, "members")
}

/// Looks whether the review confirmed everybody who has access today.
fn confirmed(
    review: &AccessReview,
    key: FactKey,
    accounts: &Fact<Vec<Account>>,
    who: &str,
) -> Result<Part, Unknown> {
    part(key, accounts, |accounts| {
        let missing = logins(
            accounts
                .iter()
                .filter(|account| !names(&review.members, &account.login)),
        );
        if missing.is_empty() {
            Look::Fine(format!("{} {who}, all of them confirmed", accounts.len()))
        } else {
            Look::Wrong(format!("{who} whom nobody confirmed: {}", some(&missing)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{people, words};
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};

    fn review(reviewed_at: &str, reviewed_by: &str, members: &[&str]) -> AccessReview {
        AccessReview {
            path: ".ccgate/access-review.json".to_owned(),
            digest: "sha256:22".to_owned(),
            reviewed_at: at(reviewed_at),
            reviewed_by: reviewed_by.to_owned(),
            members: words(members),
        }
    }

    /// Olga confirmed ana, herself and eve from outside a month ago.
    fn good() -> AccessReview {
        review("2026-05-01T12:00:00Z", "@Olga", &["ANA", "olga", "@eve"])
    }

    /// Owner olga, members ana and olga, eve from outside.
    fn facts(review: Fact<Option<AccessReview>>) -> Snapshot {
        settings(|all| {
            all.access_review = review;
            all.organization_owners = seen(people(&["olga"]));
            all.organization_members = seen(people(&["ana", "olga"]));
            all.outside_collaborators = seen(people(&["eve"]));
        })
    }

    fn judged(facts: &Snapshot) -> String {
        verdict_of(&AccessReviewed::default(), facts)
    }

    fn verdict(review: AccessReview) -> String {
        judged(&facts(seen(Some(review))))
    }

    #[test]
    fn a_review_of_everybody_by_an_owner_passes() {
        assert_eq!(verdict(good()), "pass");
    }

    #[test]
    fn no_review_at_all_fails_and_one_that_is_hidden_is_unknown() {
        assert_eq!(judged(&facts(seen(None))), "fail");
        assert_eq!(judged(&facts(hidden())), "unknown");
    }

    #[test]
    fn a_review_fails_from_the_day_after_the_last_and_if_it_lies_ahead() {
        let on = |day: &str| verdict(review(day, "olga", &["ana", "olga", "eve"]));
        assert_eq!(on("2026-03-01T12:00:00Z"), "pass");
        assert_eq!(on("2026-02-28T12:00:00Z"), "fail");
        assert_eq!(on("2026-06-02T12:00:00Z"), "pass");
        assert_eq!(on("2026-06-02T12:00:01Z"), "fail");
        assert_eq!(on("9999-01-01T00:00:00Z"), "fail");
    }

    #[test]
    fn only_a_person_who_owns_the_organisation_may_sign() {
        let by = |who: &str| review("2026-05-01T12:00:00Z", who, &["ana", "olga", "eve"]);
        assert_eq!(verdict(by("ana")), "fail");
        assert_eq!(verdict(by("")), "fail");
        let mut owned_by_bot = facts(seen(Some(by("robot"))));
        owned_by_bot.settings.organization_owners = seen(vec![Account::bot("robot")]);
        assert_eq!(judged(&owned_by_bot), "fail");
    }

    #[test]
    fn somebody_added_after_the_review_fails_and_is_named() {
        let facts = facts(seen(Some(review(
            "2026-05-01T12:00:00Z",
            "olga",
            &["olga", "eve"],
        ))));
        match AccessReviewed::default().evaluate(&facts) {
            Ok(Verdict::Fail(failure)) => {
                assert!(failure.evidence.summary().contains("nobody confirmed: ana"));
            }
            other => panic!("{other:?}"),
        }
        let without_eve = review("2026-05-01T12:00:00Z", "olga", &["ana", "olga"]);
        assert_eq!(verdict(without_eve), "fail");
    }

    #[test]
    fn each_list_that_is_hidden_leaves_it_unknown_and_excuses_nothing() {
        let hide: [fn(&mut Snapshot); 3] = [
            |facts| facts.settings.organization_owners = hidden(),
            |facts| facts.settings.organization_members = hidden(),
            |facts| facts.settings.outside_collaborators = hidden(),
        ];
        for hide in hide {
            let mut well = facts(seen(Some(good())));
            hide(&mut well);
            assert_eq!(judged(&well), "unknown");
            let mut old = facts(seen(Some(review("2020-01-01T00:00:00Z", "olga", &[]))));
            hide(&mut old);
            assert_eq!(judged(&old), "fail");
        }
    }

    #[test]
    fn an_organisation_without_members_is_not_believed() {
        let mut facts = facts(seen(Some(good())));
        facts.settings.organization_members = seen(Vec::new());
        assert_eq!(judged(&facts), "unknown");
    }

    #[test]
    fn a_longer_time_is_weaker() {
        let base = AccessReviewed::default();
        let longer = AccessReviewed { max_days: 366 };
        assert_eq!(
            longer.weaker_than(&base).as_deref(),
            Some("max_days 92 -> 366")
        );
        assert_eq!(base.weaker_than(&longer), None);
    }
}
