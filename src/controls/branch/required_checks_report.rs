//! BR-16: each required check really reports on changes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::listed;
use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    FactKey, MergedHead, Platform, ReportedCheck, RequiredCheck, Snapshot, Unknown, any_of,
};

/// Parameters of BR-16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RequiredChecksReport {
    /// How many of the changes merged last are looked at; 0 counts as 1.
    heads: u32,
}

impl Default for RequiredChecksReport {
    fn default() -> Self {
        Self { heads: 3 }
    }
}

impl Control for RequiredChecksReport {
    const META: Meta = Meta {
        code: "BR-16",
        id: "required-checks-report",
        title: "each required check reported on a change that was merged lately",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::BranchCheckHistory],
        rationale: "A required check that no workflow reports either stops every change or is \
                        gone around every time.",
        cheat: "Keeping the name of a workflow that was deleted on the list, and merging with the \
                        rights of an administrator. The check, of the app that it is tied to, has \
                        to have reported on one of the newest merged changes.",
        remedy_github: "remove the check from the list of required checks, or make a workflow \
                        report it on every pull request again",
        remedy_gitlab: "let every merge request run a pipeline, and remove required checks that \
                        nothing reports",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let listed = listed(rules);
        let mut checks: Vec<&RequiredCheck> =
            listed.known.iter().map(|(_, check)| *check).collect();
        checks.sort_unstable();
        checks.dedup();
        if checks.is_empty() && listed.hidden.is_none() {
            return Ok(unmet(fact, rules, "no check is required", None));
        }
        let history = &facts.settings.merged_heads;
        let newest = self.newest(history.known()?);
        let key = FactKey::BranchCheckHistory;
        if newest.is_empty() {
            return match listed.hidden {
                Some(unknown) => Err(unknown),
                None => Ok(Verdict::NotApplicable(Evidence::new(
                    "nothing was merged yet, so nothing can have reported",
                    key,
                    "no merged change",
                    history.sources(),
                ))),
            };
        }
        let says = Says {
            key,
            good: "every required check reports on changes",
            bad: "required, but nothing reported it on the changes merged last",
        };
        let verdict = none_wrong(checks, &says, history.sources(), |check| {
            let reported = any_of(newest.iter().map(|head| {
                head.reported
                    .map_ref(|list| list.iter().any(|report| is_of(report, check)))
            }));
            Ok((!reported.known()?).then(|| match &check.app {
                Some(app) => format!("`{}` of app {app}", check.name),
                None => format!("`{}`", check.name),
            }))
        })?;
        match (verdict, listed.hidden) {
            (Verdict::Pass(_), Some(unknown)) => Err(unknown),
            (verdict, _) => Ok(verdict),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.heads.max(1) > base.heads.max(1)).then(|| {
            format!(
                "looks back over {} changes instead of {}",
                self.heads, base.heads
            )
        })
    }
}

impl RequiredChecksReport {
    /// The changes merged last. One without a time of its merge counts as the oldest.
    fn newest<'h>(&self, heads: &'h [MergedHead]) -> Vec<&'h MergedHead> {
        let mut newest: Vec<&MergedHead> = heads.iter().collect();
        newest.sort_by(|one, other| {
            (other.merged_at, other.change).cmp(&(one.merged_at, one.change))
        });
        newest.truncate(usize::try_from(self.heads.max(1)).unwrap_or(usize::MAX));
        newest
    }
}

/// Whether the report is the one that the requirement waits for.
fn is_of(report: &ReportedCheck, check: &RequiredCheck) -> bool {
    report.name == check.name && (check.app.is_none() || check.app == report.app)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{at, branch, hidden, seen, verdict_of};

    fn check(name: &str, app: Option<&str>) -> RequiredCheck {
        RequiredCheck {
            name: name.to_owned(),
            app: app.map(str::to_owned),
        }
    }

    /// A change that was merged at that hour, and what app 15368 reported on it.
    fn merged(hour: u32, reported: Option<&[&str]>) -> MergedHead {
        MergedHead {
            change: u64::from(hour),
            head: "0d".repeat(20),
            merged_at: Some(at(&format!("2026-06-01T{hour:02}:00:00Z"))),
            reported: reported.map_or_else(hidden, |names| {
                seen(
                    names
                        .iter()
                        .map(|&name| ReportedCheck {
                            name: name.to_owned(),
                            app: Some("15368".to_owned()),
                        })
                        .collect(),
                )
            }),
        }
    }

    fn verdict(layers: &[Option<Vec<RequiredCheck>>], heads: Option<Vec<MergedHead>>) -> String {
        let mut facts = branch(|rules| rules.required_checks = any_layer(layers));
        facts.settings.merged_heads = heads.map_or_else(hidden, seen);
        verdict_of(&RequiredChecksReport::default(), &facts)
    }

    fn one(name: &str) -> Option<Vec<RequiredCheck>> {
        Some(vec![check(name, Some("15368"))])
    }

    #[test]
    fn a_check_that_reported_on_one_of_the_newest_changes_passes() {
        let heads = vec![merged(9, Some(&[])), merged(10, Some(&["test"]))];
        assert_eq!(verdict(&[one("test")], Some(heads)), "pass");
        let heads = vec![merged(9, None), merged(10, Some(&["test"]))];
        assert_eq!(verdict(&[one("test")], Some(heads)), "pass");
    }

    /// F24: peers pass a required context that no workflow reports.
    #[test]
    fn f24_a_phantom_check_fails() {
        let heads = || {
            Some(vec![
                merged(9, Some(&["test"])),
                merged(10, Some(&["test"])),
            ])
        };
        let both = vec![check("test", None), check("gone", None)];
        assert_eq!(verdict(&[Some(both)], heads()), "fail");
        assert_eq!(verdict(&[one("gone"), None], heads()), "fail");
    }

    #[test]
    fn f24_a_report_by_another_app_is_not_the_required_one() {
        let other = Some(vec![check("test", Some("7"))]);
        let heads = vec![merged(9, Some(&["test"]))];
        assert_eq!(verdict(&[other], Some(heads)), "fail");
    }

    #[test]
    fn f24_a_report_of_long_ago_does_not_count() {
        let mut heads = vec![merged(6, Some(&["test"]))];
        heads.extend((7..=9).map(|hour| merged(hour, Some(&[]))));
        assert_eq!(verdict(&[one("test")], Some(heads)), "fail");
    }

    #[test]
    fn f22_an_empty_list_fails_whatever_is_hidden() {
        assert_eq!(verdict(&[Some(Vec::new())], None), "fail");
    }

    #[test]
    fn only_a_history_that_is_known_to_be_empty_lets_it_off() {
        assert_eq!(verdict(&[one("test")], Some(Vec::new())), "not_applicable");
        assert_eq!(verdict(&[one("test")], None), "unknown");
        assert_eq!(verdict(&[one("test"), None], Some(Vec::new())), "unknown");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        let heads = vec![merged(9, None), merged(10, Some(&[]))];
        assert_eq!(verdict(&[one("test")], Some(heads)), "unknown");
        let heads = vec![merged(9, Some(&["test"]))];
        assert_eq!(verdict(&[one("test"), None], Some(heads)), "unknown");
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&RequiredChecksReport::default(), "branch protection"),
            "fail plan"
        );
    }

    #[test]
    fn looking_further_back_is_weaker() {
        let far = RequiredChecksReport { heads: 9 };
        assert!(far.weaker_than(&RequiredChecksReport::default()).is_some());
        assert_eq!(
            RequiredChecksReport { heads: 0 }.weaker_than(&RequiredChecksReport { heads: 1 }),
            None
        );
    }
}
