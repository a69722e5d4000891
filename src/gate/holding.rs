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
