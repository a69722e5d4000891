//! EVD-03: every override and breach on record was reviewed in time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{extent, is_recent, some_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, RegisteredOverride, Snapshot, Unknown};

/// Parameters of EVD-03.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OverridesReviewedInTime {
    /// For how many days a review that came too late is held against the repository; 0 counts
    /// as 1. One that has not come is, however old.
    days: u32,
}

impl Default for OverridesReviewedInTime {
    fn default() -> Self {
        Self { days: 90 }
    }
}

impl Control for OverridesReviewedInTime {
    const META: Meta = Meta {
        code: "EVD-03",
        id: "overrides-reviewed-in-time",
        title: "every override and breach on record was reviewed in time",
        criteria: &[Criterion::Cc8_1, Criterion::Cc4_2],
        frameworks: &[
            (Framework::Iso27001, &["A.5.36", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CA-7", "CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::LedgerOverrides],
        rationale: "What went around the gate was decided in a hurry; somebody else has to look at it \
                    while it can still be taken back.",
        cheat: "Reviewing the own override, reviewing late and backdating it, or never looking. A \
                review is a comment with the platform's time, by somebody who neither asked for it nor \
                approved it; an override that nobody reviewed stays overdue however old it is, and so \
                does one for an outage until every control that it covered was answered for.",
        remedy_github: "see `ccgate override list --open`; somebody else writes `/ccgate review ID \
                        ratified|reverted|follow_up` on the change, and the check runs again",
        remedy_gitlab: "see `ccgate override list --open`; somebody else writes `/ccgate review ID \
                        ratified|reverted|follow_up` on the change, and the check runs again",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let register = facts.override_register.known()?;
        let now = facts.observed_at;
        let mut open = 0_usize;
        let mut wrong = Vec::new();
        for one in &register.overrides {
            match self.standing(one, now) {
                Standing::Done => {}
                Standing::Open => open += 1,
                Standing::Wrong(why) => wrong.push(format!("{}: {why}", one.id)),
            }
        }
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::LedgerOverrides,
                format!(
                    "{} overrides and breaches, {open} still open in time, {}",
                    register.overrides.len(),
                    extent(register)
                ),
                facts.override_register.sources(),
            )
        };
        if !wrong.is_empty() {
            return Ok(Verdict::fail(evidence(some_of(wrong))));
        }
        Ok(Verdict::Pass(evidence(if register.overrides.is_empty() {
            "the ledger tells of nothing that has to be reviewed".to_owned()
        } else {
            "nothing on record is overdue or was reviewed late".to_owned()
        })))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.days.max(1) < base.days.max(1))
            .then(|| "holds late reviews against it for fewer days".to_owned())
    }
}

enum Standing {
    Done,
    Open,
    Wrong(String),
}

impl OverridesReviewedInTime {
    fn standing(&self, one: &RegisteredOverride, now: jiff::Timestamp) -> Standing {
        let Some(due) = one.review_due else {
            // Nobody can say that it was in time.
            return if one.reviewer.is_some() && !is_recent(one.reviewed_at, now, self.days) {
                Standing::Done
            } else {
                Standing::Wrong(
                    "the record does not tell until when it has to be reviewed".to_owned(),
                )
            };
        };
        if one.evaluated_again == Some(false) {
            return if now <= due {
                Standing::Open
            } else {
                Standing::Wrong(format!(
                    "what the platform did not answer had to be evaluated again by {due}"
                ))
            };
        }
        match (&one.reviewer, one.reviewed_at) {
            (Some(_), Some(at)) if at <= due => Standing::Done,
            (Some(by), at) if is_recent(at, now, self.days) => {
                Standing::Wrong(format!("@{} reviewed it after {due}", by.login))
            }
            (Some(_), _) => Standing::Done,
            (None, _) if now <= due => Standing::Open,
            (None, _) => Standing::Wrong(format!("its review was due at {due}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{given, said, told};
    use super::*;
    use crate::controls::testing::{at, hidden};

    fn verdict(change: fn(&mut RegisteredOverride)) -> String {
        let mut one = given("ovr_1");
        change(&mut one);
        said(
            &OverridesReviewedInTime::default(),
            &told(vec![one], Vec::new()),
        )
    }

    fn unreviewed(one: &mut RegisteredOverride) {
        one.reviewer = None;
        one.reviewed_at = None;
    }

    #[test]
    fn a_review_in_time_or_one_that_still_has_time_passes() {
        assert!(verdict(|_| {}).starts_with("pass"));
        assert!(
            verdict(|one| {
                unreviewed(one);
                one.review_due = Some(at("2026-06-01T12:00:00Z"));
            })
            .starts_with("pass")
        );
        let nothing = told(Vec::new(), Vec::new());
        let of = OverridesReviewedInTime::default();
        assert!(said(&of, &nothing).starts_with("pass"));
    }

    #[test]
    fn overdue_late_and_undated_ones_fail_breaches_too() {
        assert!(verdict(unreviewed).contains("was due at"));
        assert!(
            verdict(|one| {
                unreviewed(one);
                one.breach = true;
            })
            .starts_with("fail")
        );
        // However old.
        assert!(
            verdict(|one| {
                unreviewed(one);
                one.given_at = Some(at("2020-01-01T00:00:00Z"));
                one.review_due = Some(at("2020-01-02T00:00:00Z"));
            })
            .starts_with("fail")
        );
        assert!(
            verdict(|one| one.reviewed_at = Some(at("2026-06-01T10:00:01Z"))).contains("after")
        );
        assert!(verdict(|one| one.reviewed_at = None).starts_with("fail"));
        assert!(verdict(|one| one.review_due = None).contains("does not tell"));
    }

    /// A review alone does not do: what nobody could see has to be seen.
    #[test]
    fn an_outage_is_over_only_when_the_change_was_evaluated_again() {
        assert!(verdict(|one| one.evaluated_again = Some(true)).starts_with("pass"));
        assert!(
            verdict(|one| one.evaluated_again = Some(false)).contains("had to be evaluated again")
        );
        assert!(
            verdict(|one| {
                one.evaluated_again = Some(false);
                one.review_due = Some(at("2026-06-01T12:00:00Z"));
            })
            .starts_with("pass"),
            "there is time"
        );
    }

    #[test]
    fn a_late_review_of_long_ago_is_over() {
        assert!(
            verdict(|one| {
                one.review_due = Some(at("2026-01-02T00:00:00Z"));
                one.reviewed_at = Some(at("2026-01-09T00:00:00Z"));
            })
            .starts_with("pass")
        );
    }

    #[test]
    fn a_ledger_that_was_not_read_is_unknown_and_fewer_days_are_weaker() {
        let mut facts = told(Vec::new(), Vec::new());
        facts.override_register = hidden();
        let of = OverridesReviewedInTime::default();
        assert!(said(&of, &facts).starts_with("unknown"));
        let fewer = OverridesReviewedInTime { days: 30 };
        assert!(fewer.weaker_than(&of).is_some());
        assert!(of.weaker_than(&fewer).is_none());
    }
}
