//! EVD-04: overrides stay rare.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{extent, is_recent};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, LandedChange, Platform, Snapshot, Unknown};

/// Fewest changes of which a share says anything.
const FEWEST: usize = 10;

/// Parameters of EVD-04.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OverrideRateLimited {
    /// How many days are looked back; 0 counts as 1.
    days: u32,
    /// Most overrides in that time.
    max: u32,
    /// Most of the changes that came onto branches in that time through an override, in
    /// percent from 0 to 100; asked of ten changes or more.
    max_percent: u32,
}

impl Default for OverrideRateLimited {
    fn default() -> Self {
        Self {
            days: 30,
            max: 5,
            max_percent: 20,
        }
    }
}

impl Control for OverrideRateLimited {
    const META: Meta = Meta {
        code: "EVD-04",
        id: "override-rate-limited",
        title: "overrides are rare, in number and as a share of the changes",
        criteria: &[Criterion::Cc4_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.36"]),
            (Framework::Nist80053, &["CA-7"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::LedgerOverrides],
        rationale: "Where overrides are frequent the control is not in operation, whatever each of \
                    them says.",
        cheat: "Filling the period with tiny changes so that the share falls: the number is limited \
                as well, and no change makes that smaller.",
        remedy_github: "fix what makes people need overrides, or say in the policy what is really \
                        meant; the rate falls as the days go by",
        remedy_gitlab: "fix what makes people need overrides, or say in the policy what is really \
                        meant; the rate falls as the days go by",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let register = facts.override_register.known()?;
        let now = facts.observed_at;
        let days = self.days.max(1);
        let given = register
            .overrides
            .iter()
            .filter(|one| !one.breach && is_recent(one.given_at, now, days))
            .count();
        // A change without a time makes the share smaller only if it went around the gate.
        let landed: Vec<&LandedChange> = register
            .landed
            .iter()
            .filter(|one| is_recent(one.at, now, days) && (one.at.is_some() || one.overridden))
            .collect();
        let overridden = landed.iter().filter(|one| one.overridden).count();
        let seen = format!(
            "{given} overrides and {overridden} of {} changes through one in the last {days} days",
            landed.len()
        );
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::LedgerOverrides,
                format!("{seen}, {}", extent(register)),
                facts.override_register.sources(),
            )
        };
        let mut wrong = Vec::new();
        if given > self.max as usize {
            wrong.push(format!("at most {} overrides are meant", self.max));
        }
        let share = overridden.saturating_mul(100);
        let most = landed
            .len()
            .saturating_mul(self.max_percent.min(100) as usize);
        if landed.len() >= FEWEST && share > most {
            wrong.push(format!(
                "at most {} % of the changes are meant",
                self.max_percent
            ));
        }
        Ok(if wrong.is_empty() {
            Verdict::Pass(evidence(seen.clone()))
        } else {
            Verdict::fail(evidence(format!("{seen}; {}", wrong.join("; "))))
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.days.max(1) < base.days.max(1) {
            return Some("looks back over fewer days".to_owned());
        }
        if self.max > base.max {
            return Some("lets more overrides pass".to_owned());
        }
        (self.max_percent.min(100) > base.max_percent.min(100))
            .then(|| "lets a larger share of the changes pass".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{given, said, told};
    use super::*;
    use crate::controls::testing::{at, hidden};
    use crate::facts::RegisteredOverride;

    fn verdict(overrides: Vec<RegisteredOverride>, landed: Vec<LandedChange>) -> String {
        said(&OverrideRateLimited::default(), &told(overrides, landed))
    }

    fn overrides(count: usize) -> Vec<RegisteredOverride> {
        (0..count).map(|one| given(&format!("ovr_{one}"))).collect()
    }

    /// So many changes, the first of them through an override.
    fn changes(count: u64, overridden: u64) -> Vec<LandedChange> {
        (0..count)
            .map(|number| LandedChange {
                number,
                at: Some(at("2026-05-30T10:00:00Z")),
                overridden: number < overridden,
            })
            .collect()
    }

    #[test]
    fn as_many_as_meant_pass_and_one_more_fails() {
        assert!(verdict(overrides(5), Vec::new()).starts_with("pass"));
        assert!(verdict(overrides(6), Vec::new()).starts_with("fail"));
        assert!(verdict(Vec::new(), Vec::new()).starts_with("pass"));
    }

    #[test]
    fn a_share_counts_from_ten_changes_on() {
        assert!(verdict(Vec::new(), changes(9, 9)).starts_with("pass"));
        assert!(verdict(Vec::new(), changes(10, 2)).starts_with("pass"));
        assert!(verdict(Vec::new(), changes(10, 3)).contains("20 % of the changes"));
        // Tiny changes make the share smaller, and the number no smaller.
        assert!(verdict(overrides(6), changes(1_000, 6)).starts_with("fail"));
    }

    #[test]
    fn what_is_old_is_over_and_what_has_no_time_counts() {
        let mut all = overrides(6);
        all[0].given_at = Some(at("2026-05-02T12:00:00Z"));
        assert!(verdict(all.clone(), Vec::new()).starts_with("pass"));
        all[0].given_at = None;
        assert!(verdict(all, Vec::new()).starts_with("fail"));
        let mut undated = changes(20, 3);
        for one in &mut undated {
            one.at = None;
        }
        undated.extend(changes(7, 0));
        assert!(verdict(Vec::new(), undated).starts_with("fail"), "3 of 10");
    }

    #[test]
    fn a_ledger_that_was_not_read_is_unknown_and_more_is_weaker() {
        let mut facts = told(Vec::new(), Vec::new());
        facts.override_register = hidden();
        let base = OverrideRateLimited::default();
        assert!(said(&base, &facts).starts_with("unknown"));
        for weaker in [
            OverrideRateLimited {
                days: 7,
                ..base.clone()
            },
            OverrideRateLimited {
                max: 6,
                ..base.clone()
            },
            OverrideRateLimited {
                max_percent: 21,
                ..base.clone()
            },
        ] {
            assert!(weaker.weaker_than(&base).is_some(), "{weaker:?}");
            assert!(base.weaker_than(&weaker).is_none(), "{weaker:?}");
        }
    }
}
