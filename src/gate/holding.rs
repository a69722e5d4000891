//! Whether the platform itself holds a merge back until what is awaited has
//! come. Everything here errs to "no": then the gate stays closed by itself.
//!
//! The gate may not run again before the merge. So it is not enough that the
//! platform wants something more: what it wants has to bring what the control
//! wants, whoever gives it.

use std::collections::BTreeMap;

use crate::controls::Awaiting;
use crate::facts::{
    AccountKind, BranchRules, CheckKind, CheckStatus, Fact, Person, Platform, RequiredCheck,
    Review, ReviewState, Snapshot,
};

/// What one control waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Awaited {
    /// An approval or a check.
    pub(super) what: Awaiting,
    /// Fewest approvals with which the control would be content.
    pub(super) least: usize,
    /// Whether the approver must have had no hand in the change.
    pub(super) by_others: bool,
}

/// Whether all of it is held back. Nothing awaited: no.
pub(super) fn holds_all(awaited: &[Awaited], facts: &Snapshot) -> bool {
    let Fact::Known { value: rules, .. } = &facts.branch_rules else {
        return false;
    };
    !awaited.is_empty()
        && awaited.iter().all(|awaited| match awaited.what {
            Awaiting::Approval => holds_for_approval(rules, facts, *awaited),
            Awaiting::Check => holds_for_checks(rules, facts),
        })
}

/// The facts without the gate's own check: it runs while this is judged, and
/// whether the platform waits for it is another question.
pub(super) fn without_gate(facts: &Snapshot, gate: Option<&str>) -> Snapshot {
    let mut facts = facts.clone();
    if let Fact::Known { value, .. } = &mut facts.checks {
        value.retain(|check| Some(check.name.as_str()) != gate);
    }
    facts
}

/// When the platform has all the approvals that it wants, enough of them are
/// sure to count here as well.
fn holds_for_approval(rules: &BranchRules, facts: &Snapshot, awaited: Awaited) -> bool {
    match facts.subject.platform {
        Platform::Github => {}
        // A merge request may lower the number for itself, and its opener,
        // authors and reporters may count: none of that is known here.
        Platform::Gitlab => return false,
    }
    if awaited.by_others && !only_the_opener_wrote(facts) {
        return false;
    }
    let Some((counted, good)) = approvals_counted(facts) else {
        return false;
    };
    let doubtful = counted.saturating_sub(good);
    usize::try_from(required_for_sure(rules))
        .is_ok_and(|required| required > counted && required >= awaited.least + doubtful)
}

/// The greatest number that is surely required, whatever is hidden, by a layer
/// that is not known to let anybody through.
fn required_for_sure(rules: &BranchRules) -> u32 {
    let requirement = &rules.approvals_required;
    requirement
        .known()
        .filter(|(layer, _)| !lets_somebody_through(rules, layer))
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

fn lets_somebody_through(rules: &BranchRules, layer: &str) -> bool {
    rules
        .layers
        .iter()
        .filter(|known| known.id == layer)
        .any(|known| known.bypass.known().is_ok_and(|actors| !actors.is_empty()))
}

/// Whether everybody with a hand in the change is its opener, whom the platform
/// never counts. It does count the other authors.
fn only_the_opener_wrote(facts: &Snapshot) -> bool {
    let (Ok(identity), Ok(commits), Ok(pushes)) = (
        facts.identity.known(),
        facts.commits.known(),
        facts.pushes.known(),
    ) else {
        return false;
    };
    let Some(opener) = &identity.author else {
        return false;
    };
    let is_opener = |person: &Person| matches!(&person.account, Fact::Known { value: Some(account), .. } if opener.is(&account.login));
    let is_platform = |person: &Person| {
        matches!(&person.account, Fact::Known { value: Some(account), .. }
            if account.kind == AccountKind::Platform)
    };
    !commits.is_empty()
        && commits.iter().all(|commit| {
            is_opener(&commit.author)
                && (is_opener(&commit.committer) || is_platform(&commit.committer))
                && commit.co_authors.iter().all(is_opener)
        })
        && pushes.iter().all(|push| {
            matches!(&push.actor, Fact::Known { value: Some(actor), .. } if opener.is(&actor.login))
        })
}

/// How many approvals may count for the platform: everybody whose last opinion
/// is an approval, bots and old commits included. And how many of them are by
/// people who may write and looked at this head. An approval that the platform
/// dismissed shows as dismissed, so its state alone decides. The opener never counts.
fn approvals_counted(facts: &Snapshot) -> Option<(usize, usize)> {
    let reviews = facts.reviews.known().ok()?;
    let identity = facts.identity.known().ok()?;
    let mut without_account = 0;
    let mut last_opinion: BTreeMap<String, Option<&Review>> = BTreeMap::new();
    for review in reviews {
        let approves = match &review.state {
            ReviewState::Approved => true,
            ReviewState::ChangesRequested | ReviewState::Dismissed => false,
            ReviewState::Commented | ReviewState::Other(_) => continue,
        };
        match &review.reviewer {
            Some(account) => {
                last_opinion.insert(
                    account.login.to_ascii_lowercase(),
                    approves.then_some(review),
                );
            }
            None => without_account += usize::from(approves),
        }
    }
    let opener = identity.author.as_ref();
    let standing: Vec<&Review> = last_opinion
        .iter()
        .filter(|(login, _)| !opener.is_some_and(|opener| opener.is(login)))
        .filter_map(|(_, review)| *review)
        .collect();
    let good = standing
        .iter()
        .filter(|review| counts_here(review, &facts.subject.head))
        .count();
    Some((standing.len() + without_account, good))
}

fn counts_here(review: &Review, head: &str) -> bool {
    review
        .reviewer
        .as_ref()
        .is_some_and(crate::facts::Account::is_human)
        && review.can_write.known().is_ok_and(|can| *can)
        && review
            .commit
            .known()
            .is_ok_and(|commit| commit.as_deref() == Some(head))
}

/// Every check that still runs is one that the platform waits for, and no other
/// result of that name could already satisfy it.
fn holds_for_checks(rules: &BranchRules, facts: &Snapshot) -> bool {
    let Fact::Known { value: checks, .. } = &facts.checks else {
        return false;
    };
    let required = |name: &str| {
        let names = |list: &Vec<RequiredCheck>| list.iter().any(|check| check.name == name);
        let demand = &rules.required_checks;
        demand.holds(names).known().is_ok_and(|holds| *holds)
            && demand
                .known()
                .any(|(layer, list)| names(list) && !lets_somebody_through(rules, layer))
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
    use crate::facts::{
        Account, BypassActor, BypassKind, BypassMode, CheckConclusion, CheckResult, Layer,
        LayerKind, Requirement,
    };
    use crate::gate::testing::{facts, person};

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
            ended_at: None,
        }
    }

    /// One approval is wanted, by whomever.
    const APPROVAL: Awaited = Awaited {
        what: Awaiting::Approval,
        least: 1,
        by_others: false,
    };
    const CHECK: Awaited = Awaited {
        what: Awaiting::Check,
        ..APPROVAL
    };

    fn held_with(reviews: Vec<Review>) -> bool {
        let mut facts = ruled();
        facts.reviews = Fact::known_without_source(reviews);
        holds_all(&[APPROVAL], &facts)
    }

    fn running(checks: Vec<CheckResult>) -> bool {
        let mut facts = ruled();
        facts.checks = Fact::known_without_source(checks);
        holds_all(&[CHECK], &facts)
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
    fn on_gitlab_nothing_proves_that_the_approval_to_come_will_do() {
        let mut facts = ruled();
        facts.reviews = Fact::known_without_source(vec![]);
        assert!(holds_all(&[APPROVAL], &facts));
        facts.subject.platform = Platform::Gitlab;
        assert!(!holds_all(&[APPROVAL], &facts));
    }

    #[test]
    fn the_platform_has_to_want_as_many_good_approvals_as_the_control() {
        let held = |least: usize, reviews: Vec<Review>| {
            let mut facts = ruled();
            facts.reviews = Fact::known_without_source(reviews);
            holds_all(&[Awaited { least, ..APPROVAL }], &facts)
        };
        let old = || review(Some(Account::human("ana")), ReviewState::Approved);
        let good = || Review {
            commit: Fact::known_without_source(Some("f1".repeat(20))),
            can_write: Fact::known_without_source(true),
            ..old()
        };
        assert!(held(2, vec![]));
        assert!(!held(3, vec![]), "the platform is content with two");
        assert!(held(2, vec![good()]));
        assert!(!held(2, vec![old()]), "the old one counts there, not here");
        assert!(held(1, vec![old()]));
    }

    #[test]
    fn an_approval_by_somebody_else_is_held_for_only_if_nobody_but_the_opener_wrote() {
        let others = Awaited {
            by_others: true,
            ..APPROVAL
        };
        let held = |change: &dyn Fn(&mut Snapshot)| {
            let mut facts = ruled();
            facts.reviews = Fact::known_without_source(vec![]);
            change(&mut facts);
            holds_all(&[others], &facts)
        };
        let commit = |change: &dyn Fn(&mut crate::facts::Commit)| {
            held(&|facts| {
                let mut commits = facts.commits.known().unwrap().clone();
                change(&mut commits[0]);
                facts.commits = Fact::known_without_source(commits);
            })
        };
        assert!(held(&|_| {}));
        assert!(!commit(&|commit| commit.author = person("li")));
        assert!(!commit(&|commit| commit.committer = person("li")));
        assert!(!commit(&|commit| commit.co_authors.push(person("li"))));
        assert!(!commit(
            &|commit| commit.author.account = Fact::known_without_source(None)
        ));
        assert!(!held(&|facts| facts.commits = hidden()));
        assert!(!held(&|facts| facts.pushes = hidden()));
    }

    #[test]
    fn a_layer_that_somebody_can_go_around_holds_nobody() {
        let mut facts = ruled();
        facts.reviews = Fact::known_without_source(vec![]);
        facts.checks = Fact::known_without_source(vec![check("build", CheckStatus::Running)]);
        assert!(holds_all(&[APPROVAL, CHECK], &facts));
        let Fact::Known { value: rules, .. } = &mut facts.branch_rules else {
            panic!("the rules are known")
        };
        rules.layers.push(Layer::of_repository(
            "ruleset",
            LayerKind::Ruleset,
            Fact::known_without_source(vec![BypassActor {
                kind: BypassKind::Role,
                name: "role write".to_owned(),
                mode: BypassMode::PullRequest,
            }]),
        ));
        assert!(!holds_all(&[APPROVAL], &facts));
        assert!(!holds_all(&[CHECK], &facts));
    }

    #[test]
    fn whatever_is_hidden_holds_nothing() {
        let all = [APPROVAL];
        let mut facts = ruled();
        assert!(!holds_all(&all, &facts), "reviews are hidden");
        facts.reviews = Fact::known_without_source(vec![]);
        assert!(holds_all(&all, &facts));
        assert!(!holds_all(&[], &facts), "nothing is awaited");
        assert!(!holds_all(&[APPROVAL, CHECK], &facts), "checks are hidden");
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
