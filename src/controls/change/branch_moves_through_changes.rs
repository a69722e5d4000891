//! CHG-21: every commit came onto the branch through a change that the platform merged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrived::{arrivals, between};
use super::hands::short;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Account, AccountKind, Ancestry, Arrival, ArrivalMethod, Arrivals, FactKey, Platform, Snapshot,
    Unknown, Way,
};

/// Commits that a summary names one by one.
const MOST_NAMED: usize = 5;

/// CHG-21 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BranchMovesThroughChanges {}

impl Control for BranchMovesThroughChanges {
    const META: Meta = Meta {
        code: "CHG-21",
        id: "branch-moves-through-changes",
        title: "every commit came onto the branch through a change that the platform merged",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.15"]),
            (Framework::PciDss, &["6.5.1", "10.2.1.2"]),
            (Framework::Nist80053, &["CM-3", "CM-5(1)"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchArrivals],
        rationale: "A push straight to the branch passes by review, checks and record; each one has \
                    to be found when it happens.",
        cheat: "Pushing several commits of which only the last belongs to a change; merging a change \
                by hand with something else in it and pushing that, so that the platform calls it \
                merged; pushing right after a merge, while the index is behind. Every commit of the \
                new first-parent line is looked at, the log of moves decides whether the platform \
                merged, and what nothing tells is unknown. GitLab's log does not tell a merge in its \
                pages from one pushed by hand: there BR-20 has to keep such pushes out.",
        remedy_github: "bring the commits back through a pull request, or revert them through one; \
                        BR-02 and BR-20 keep it from happening again",
        remedy_gitlab: "bring the commits back through a merge request, or revert them through one; \
                        BR-02 and BR-20 keep it from happening again",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let (arrivals, sources) = match arrivals(facts)? {
            Ok(found) => found,
            Err(verdict) => return Ok(verdict),
        };
        let mut ways: Vec<String> = Vec::new();
        let mut wrong: Vec<String> = Vec::new();
        let mut doubt: Option<Unknown> = None;
        for arrival in &arrivals.commits {
            match way(arrival, arrivals) {
                Ok(Ok(way)) => ways.push(way),
                Ok(Err(problem)) => wrong.push(problem),
                Err(unknown) => doubt = doubt.or(Some(unknown)),
            }
        }
        let evidence = |said: String, seen: &[String]| {
            let first = seen
                .first()
                .cloned()
                .unwrap_or_else(|| "no new commit".to_owned());
            let evidence = Evidence::new(said, FactKey::BranchArrivals, first, sources);
            seen.iter().skip(1).fold(evidence, |evidence, one| {
                evidence.and(FactKey::BranchArrivals, one.clone(), sources)
            })
        };
        if !wrong.is_empty() {
            let count = arrivals.commits.len();
            let said = format!(
                "{} of {count} new commits came through no merge of the platform: {}",
                wrong.len(),
                named(&wrong)
            );
            return Ok(Verdict::fail_because(
                FailReason::DirectPush,
                evidence(said, &wrong),
            ));
        }
        if let Some(unknown) = doubt {
            return Err(unknown);
        }
        let count = *arrivals.count.known()?;
        let said = match count {
            0 => format!("no new commit {}", between(arrivals)),
            1 => format!("1 new commit {}: {}", between(arrivals), named(&ways)),
            _ => format!(
                "{count} new commits {}: {}",
                between(arrivals),
                named(&ways)
            ),
        };
        Ok(Verdict::Pass(evidence(said, &ways)))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// How the commit came, or what is wrong with it.
///
/// # Errors
/// Why it is not known.
fn way(arrival: &Arrival, arrivals: &Arrivals) -> Result<Result<String, String>, Unknown> {
    let sha = short(&arrival.sha);
    let reverted = reverts(&arrival.message)
        .map(|original| format!(", it reverts {}", short(original)))
        .unwrap_or_default();
    Ok(match arrival.way.known()? {
        Way::Change { number, method } => match method.known()? {
            ArrivalMethod::Pushed => Err(format!(
                "{sha} was pushed{}; the platform only noticed that it holds change {number}",
                by(pusher(arrivals))
            )),
            method @ (ArrivalMethod::Merge
            | ArrivalMethod::Squash
            | ArrivalMethod::Rebase
            | ArrivalMethod::FastForward
            | ArrivalMethod::Queue) => Ok(format!(
                "{sha} through change {number} ({}){reverted}",
                method.word()
            )),
        },
        Way::DirectPush { pusher, evidence } => {
            let first = arrivals.ancestry.known() == Ok(&Ancestry::New);
            let what = match (first, arrival.parents.is_empty()) {
                (true, true) => "is the initial import",
                _ => "was pushed",
            };
            Err(format!(
                "{sha} {what}{} ({evidence}){reverted}",
                by(pusher.as_ref())
            ))
        }
    })
}

/// Who pushed, where one move is judged.
fn pusher(arrivals: &Arrivals) -> Option<&Account> {
    match arrivals.moves.known().ok()?.as_slice() {
        [one] => one.actor.as_ref(),
        _ => None,
    }
}

fn by(pusher: Option<&Account>) -> String {
    match pusher {
        Some(account) if account.kind == AccountKind::Bot => {
            format!(" by the bot @{}", account.login)
        }
        Some(account) => format!(" by @{}", account.login),
        None => String::new(),
    }
}

fn named(list: &[String]) -> String {
    let mut text = list
        .iter()
        .take(MOST_NAMED)
        .cloned()
        .collect::<Vec<_>>()
        .join("; ");
    if let Some(more) = list.len().checked_sub(MOST_NAMED).filter(|more| *more > 0) {
        text.push_str(&format!("; and {more} more"));
    }
    text
}

/// The commit that a message says it reverts, in git's own words. A claim only: it is
/// told and decides nothing.
fn reverts(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("This reverts commit ")?;
    let end = rest
        .find(|c: char| !c.is_ascii_hexdigit())
        .unwrap_or(rest.len());
    rest.get(..end).filter(|id| id.len() >= 7)
}

#[cfg(test)]
mod tests;
