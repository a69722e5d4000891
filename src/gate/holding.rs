//! Whether the platform itself holds a merge back until what is awaited has
//! come. Everything here errs to "no": then the gate stays closed by itself.

use std::collections::BTreeMap;

use crate::controls::Awaiting;
use crate::facts::{
    BranchRules, CheckKind, CheckStatus, Fact, Platform, Requirement, ReviewState, Snapshot,
};

/// Whether all of it is held back. Nothing awaited: no.
pub(super) fn holds_all(awaited: &[Awaiting], facts: &Snapshot) -> bool {
    let Fact::Known { value: rules, .. } = &facts.branch_rules else {
        return false;
    };
    !awaited.is_empty()
        && awaited.iter().all(|awaiting| match awaiting {
            Awaiting::Approval => holds_for_approval(rules, facts),
            Awaiting::Check => holds_for_checks(rules, facts),
        })
}

/// The platform wants more approvals than it could possibly be counting now.
fn holds_for_approval(rules: &BranchRules, facts: &Snapshot) -> bool {
    let Some(counted) = most_approvals_counted(facts) else {
        return false;
    };
    usize::try_from(required_for_sure(&rules.approvals_required))
        .is_ok_and(|required| required > counted)
}

/// The greatest number that is surely required, whatever is hidden.
fn required_for_sure(requirement: &Requirement<u32>) -> u32 {
    requirement
        .known()
        .map(|(_, number)| *number)
        .filter(|number| {
            requirement
                .holds(|demanded| demanded >= number)
                .known()
                .is_ok_and(|holds| *holds)
        })
        .max()
        .unwrap_or(0)
}

/// At most so many approvals count for the platform: everybody whose last
/// opinion is an approval, bots and old commits included. An approval that the
/// platform dismissed shows as dismissed, so its state alone decides. GitHub
/// never counts the opener; GitLab may, so there the opener stays in.
fn most_approvals_counted(facts: &Snapshot) -> Option<usize> {
    let reviews = facts.reviews.known().ok()?;
    let identity = facts.identity.known().ok()?;
    let mut without_account = 0;
    let mut last_opinion = BTreeMap::new();
    for review in reviews {
        let approves = match &review.state {
            ReviewState::Approved => true,
            ReviewState::ChangesRequested | ReviewState::Dismissed => false,
            ReviewState::Commented | ReviewState::Other(_) => continue,
        };
        match &review.reviewer {
            Some(account) => {
                last_opinion.insert(account.login.to_ascii_lowercase(), approves);
            }
            None => without_account += usize::from(approves),
        }
    }
    let opener = match facts.subject.platform {
        Platform::Github => identity.author.as_ref(),
        Platform::Gitlab => None,
    };
    let with_account = last_opinion
        .iter()
        .filter(|(login, approves)| **approves && !opener.is_some_and(|opener| opener.is(login)))
        .count();
    Some(with_account + without_account)
}

/// Every check that still runs is one that the platform waits for, and no other
/// result of that name could already satisfy it.
fn holds_for_checks(rules: &BranchRules, facts: &Snapshot) -> bool {
    let Fact::Known { value: checks, .. } = &facts.checks else {
        return false;
    };
    let required = |name: &str| {
        rules
            .required_checks
            .holds(|list| list.iter().any(|check| check.name == name))
            .known()
            .is_ok_and(|holds| *holds)
    };
    // Jobs are part of GitLab's pipeline, and that is what GitLab waits for.
    let mut running = checks
        .iter()
        .filter(|check| check.kind != CheckKind::Job || required(&check.name))
        .filter(|check| check.status != CheckStatus::Completed)
        .peekable();
    running.peek().is_some()
        && running.all(|running| {
            required(&running.name)
                && checks
                    .iter()
                    .filter(|check| check.name == running.name)
                    .all(|check| check.status != CheckStatus::Completed)
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden};
    use crate::facts::{Account, CheckConclusion, CheckResult, RequiredCheck, Review};
    use crate::gate::testing::facts;

    /// Two approvals wanted by a ruleset; `build` required.
    fn ruled() -> Snapshot {
        let mut seen = facts();
        seen.branch_rules = branch(|rules| {
            rules.approvals_required = Requirement::any_layer(vec![
                demand("ruleset", Fact::known_without_source(2)),
                demand("classic protection", hidden()),
            ]);
            rules.required_checks = Requirement::any_layer(vec![demand(
                "ruleset",
                Fact::known_without_source(vec![RequiredCheck {
                    name: "build".to_owned(),
                    app: None,
                }]),
            )]);
        })
        .branch_rules;
        seen
    }

    fn review(account: Option<Account>, state: ReviewState) -> Review {
        Review {
            reviewer: account,
            state,
            submitted_at: hidden(),
            commit: Fact::known_without_source(Some("0".repeat(40))),
            can_write: Fact::known_without_source(false),
        }
    }

    fn check(name: &str, status: CheckStatus) -> CheckResult {
        CheckResult {
            name: name.to_owned(),
            kind: CheckKind::CheckRun,
            app: None,
            conclusion: (status == CheckStatus::Completed).then_some(CheckConclusion::Success),
            status,
            head: "f1".repeat(20),
            allow_failure: false,
        }
    }

    fn held_with(reviews: Vec<Review>) -> bool {
        let mut facts = ruled();
        facts.reviews = Fact::known_without_source(reviews);
        holds_all(&[Awaiting::Approval], &facts)
    }

    fn running(checks: Vec<CheckResult>) -> bool {
        let mut facts = ruled();
        facts.checks = Fact::known_without_source(checks);
        holds_all(&[Awaiting::Check], &facts)
    }

    #[test]
    fn more_approvals_wanted_than_could_count_hold_the_merge() {
        use ReviewState::{Approved, ChangesRequested, Commented, Dismissed};
        let ana = || Some(Account::human("ana"));
        let li = || Some(Account::human("li"));
        let opener = || Some(Account::human("Tom"));
        assert!(held_with(vec![]));
        assert!(held_with(vec![
            review(ana(), Approved),
            review(opener(), Approved)
        ]));
        assert!(held_with(vec![
            review(ana(), Approved),
            review(ana(), Approved)
        ]));
        assert!(held_with(vec![
            review(ana(), Approved),
            review(li(), Approved),
            review(li(), ChangesRequested),
        ]));
        assert!(held_with(vec![
            review(ana(), Approved),
            review(li(), Dismissed)
        ]));
        // A bot or a gone account may count for the platform, a comment takes nothing back.
        assert!(!held_with(vec![
            review(ana(), Approved),
            review(Some(Account::bot("renovate")), Approved),
            review(ana(), Commented),
        ]));
        assert!(!held_with(vec![
            review(None, Approved),
            review(None, Approved)
        ]));
    }

    #[test]
    fn on_gitlab_the_opener_may_count() {
        let mut facts = ruled();
        facts.subject.platform = Platform::Gitlab;
        facts.reviews = Fact::known_without_source(vec![
            review(Some(Account::human("tom")), ReviewState::Approved),
            review(Some(Account::human("ana")), ReviewState::Approved),
        ]);
        assert!(!holds_all(&[Awaiting::Approval], &facts));
    }

    #[test]
    fn whatever_is_hidden_holds_nothing() {
        let all = [Awaiting::Approval];
        let mut facts = ruled();
        assert!(!holds_all(&all, &facts), "reviews are hidden");
        facts.reviews = Fact::known_without_source(vec![]);
        assert!(holds_all(&all, &facts));
        assert!(!holds_all(&[], &facts), "nothing is awaited");
        assert!(
            !holds_all(&[Awaiting::Approval, Awaiting::Check], &facts),
            "checks are hidden"
        );
        facts.branch_rules = hidden();
        assert!(!holds_all(&all, &facts), "rules are hidden");
    }

    #[test]
    fn running_checks_hold_only_if_the_platform_waits_for_each() {
        use CheckStatus::{Completed, Other, Running};
        assert!(running(vec![
            check("build", Running),
            check("lint", Completed)
        ]));
        assert!(running(vec![check("build", Other("stuck".to_owned()))]));
        assert!(!running(vec![check("build", Completed)]));
        assert!(!running(vec![
            check("build", Running),
            check("scan", Running)
        ]));
        assert!(!running(vec![
            check("build", Running),
            check("build", Completed)
        ]));
        assert!(!running(vec![]));
    }
}
