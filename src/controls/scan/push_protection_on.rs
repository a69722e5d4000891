//! SCAN-04: a push that carries a secret is refused, and what was let through was
//! reviewed by somebody else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::age::days_since;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::{Says, plan, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, PushBypass, Snapshot, Unknown, Why};

/// Parameters of SCAN-04.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PushProtectionOn {
    /// Days in which somebody else has to review a push that was let through.
    review_within_days: u32,
}

impl Default for PushProtectionOn {
    fn default() -> Self {
        Self {
            review_within_days: 7,
        }
    }
}

const SAYS: Says<'static> = Says {
    key: FactKey::ScanPushProtection,
    good: "a push that carries a secret is refused, and what was let through was reviewed",
    bad: "a push that carries a secret is not refused",
};

impl Control for PushProtectionOn {
    const META: Meta = Meta {
        code: "SCAN-04",
        id: "push-protection-on",
        title: "pushes that carry a secret are refused, and bypasses are reviewed",
        criteria: &[Criterion::Cc6_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.12", "A.8.4"]),
            (Framework::PciDss, &["8.6.2"]),
            (Framework::Nist80053, &["IA-5", "SI-4"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanPushProtection],
        rationale: "A secret that never comes in need not be revoked; one that was let through is \
                    known to everybody who can read the repository.",
        cheat: "Letting the push through as a test or a false alarm and closing the alert oneself. \
                Only the review of another person counts. GitLab keeps no reviews, so a push that \
                was let through there stays unknown until it is older than its log is read.",
        remedy_github: "switch push protection on under Settings, Advanced Security, let bypasses be \
                        requested (delegated bypass), and close the alerts of those that were let \
                        through",
        remedy_gitlab: "switch secret push protection on under Secure, Security configuration \
                        (Ultimate), and look at what was let through in the audit events",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.push_protection;
        let protection = fact.known()?;
        let blocked = &protection.secret_pushes_blocked;
        if blocked.known() == Ok(&false) {
            return Ok(if protection.not_in_plan {
                plan(&SAYS, blocked.sources())
            } else {
                Verdict::fail(Evidence::new(SAYS.bad, SAYS.key, "off", blocked.sources()))
            });
        }
        let bypasses = &protection.push_bypasses;
        let mut open = Vec::new();
        let mut hidden = None;
        for bypass in bypasses.known().into_iter().flatten() {
            match self.overdue(bypass, facts) {
                Ok(true) => open.push(in_words(bypass)),
                Ok(false) => {}
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !open.is_empty() {
            let words = format!("let through and not reviewed: {}", some(&open));
            return Ok(Verdict::fail_because(
                FailReason::Findings,
                Evidence::new(words.clone(), SAYS.key, words, bypasses.sources()),
            ));
        }
        blocked.known()?;
        let count = bypasses.known()?.len();
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(
                Evidence::new(SAYS.good, SAYS.key, "on", blocked.sources()).and(
                    SAYS.key,
                    format!("{count} pushes let through"),
                    bypasses.sources(),
                ),
            )),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.review_within_days > base.review_within_days)
            .then(|| "gives more days for the review of what was let through".to_owned())
    }
}

impl PushProtectionOn {
    /// Whether it should have been reviewed by now and was not. One without a time is old.
    fn overdue(&self, bypass: &PushBypass, facts: &Snapshot) -> Result<bool, Unknown> {
        let young = bypass.at.is_some_and(|at| {
            days_since(at, facts.latest_time()) < i64::from(self.review_within_days)
        });
        if young {
            return Ok(false);
        }
        let Some(reviewer) = bypass.reviewed_by.known()? else {
            return Ok(true);
        };
        match &bypass.by {
            Some(by) => Ok(by.eq_ignore_ascii_case(reviewer)),
            None => Err(Unknown::new(
                SAYS.key.name(),
                Why::HiddenOrAbsent,
                format!("it is not told who let `{}` through", bypass.name),
            )),
        }
    }
}

fn in_words(bypass: &PushBypass) -> String {
    match &bypass.by {
        Some(by) => format!("`{}` by `{by}`", bypass.name),
        None => format!("`{}`", bypass.name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, PushProtection};

    const LATELY: &str = "2026-05-30T12:00:00Z";
    const LONG_AGO: &str = "2026-03-01T12:00:00Z";

    fn bypass(when: Option<&str>, by: Option<&str>, reviewed_by: Fact<Option<&str>>) -> PushBypass {
        PushBypass {
            name: "#4 some_token".to_owned(),
            by: by.map(str::to_owned),
            at: when.map(at),
            reviewed_by: reviewed_by.map(|login| login.map(str::to_owned)),
        }
    }

    fn facts(blocked: Fact<bool>, bypasses: Fact<Vec<PushBypass>>) -> Snapshot {
        settings(|settings| {
            settings.push_protection = seen(PushProtection {
                not_in_plan: false,
                secret_pushes_blocked: blocked,
                push_bypasses: bypasses,
            });
        })
    }

    fn verdict(blocked: Fact<bool>, bypasses: Fact<Vec<PushBypass>>) -> String {
        verdict_of(&PushProtectionOn::default(), &facts(blocked, bypasses))
    }

    fn of(bypass: PushBypass) -> String {
        verdict(seen(true), seen(vec![bypass]))
    }

    #[test]
    fn on_passes_and_off_fails_and_the_plan_is_named_where_it_lacks_it() {
        assert_eq!(verdict(seen(true), seen(vec![])), "pass");
        assert_eq!(verdict(seen(false), seen(vec![])), "fail");
        let mut unsold = facts(seen(false), seen(vec![]));
        if let Fact::Known { value, .. } = &mut unsold.settings.push_protection {
            value.not_in_plan = true;
        }
        assert_eq!(
            verdict_of(&PushProtectionOn::default(), &unsold),
            "fail plan"
        );
    }

    #[test]
    fn what_was_let_through_has_to_be_reviewed_in_time() {
        let ana = Some("ana");
        assert_eq!(of(bypass(Some(LONG_AGO), ana, seen(Some("bob")))), "pass");
        assert_eq!(of(bypass(Some(LONG_AGO), ana, seen(None))), "fail findings");
        assert_eq!(of(bypass(Some(LATELY), ana, seen(None))), "pass");
        assert_eq!(of(bypass(None, ana, seen(None))), "fail findings");
        let due = Some("2026-05-25T12:00:00Z");
        assert_eq!(of(bypass(due, ana, seen(None))), "fail findings");
    }

    /// The cheat: whoever let it through closes the alert.
    #[test]
    fn ones_own_review_counts_for_nothing() {
        let own = bypass(Some(LONG_AGO), Some("ana"), seen(Some("Ana")));
        assert_eq!(of(own), "fail findings");
        let unnamed = bypass(Some(LONG_AGO), None, seen(Some("bob")));
        assert_eq!(of(unnamed), "unknown");
    }

    #[test]
    fn what_is_hidden_is_unknown_and_what_is_proven_fails_all_the_same() {
        assert_eq!(verdict(hidden(), seen(vec![])), "unknown");
        assert_eq!(verdict(seen(true), hidden()), "unknown");
        assert_eq!(verdict(seen(false), hidden()), "fail");
        let open = || bypass(Some(LONG_AGO), Some("ana"), seen(None));
        assert_eq!(verdict(hidden(), seen(vec![open()])), "fail findings");
        let untold = || bypass(Some(LONG_AGO), Some("ana"), hidden());
        assert_eq!(of(untold()), "unknown");
        assert_eq!(
            verdict(seen(true), seen(vec![untold(), open()])),
            "fail findings"
        );
        let none = settings(|settings| settings.push_protection = hidden());
        assert_eq!(verdict_of(&PushProtectionOn::default(), &none), "unknown");
    }

    #[test]
    fn more_days_are_weaker() {
        let base = PushProtectionOn::default();
        let more = PushProtectionOn {
            review_within_days: 8,
        };
        assert!(more.weaker_than(&base).is_some());
        assert!(base.weaker_than(&more).is_none());
    }
}
