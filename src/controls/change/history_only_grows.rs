//! CHG-22: the branch's history only grew.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::arrived::{arrivals, between};
use super::hands::short;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{Ancestry, Arrivals, FactKey, Move, MoveKind, Platform, Snapshot, Unknown};

/// CHG-22 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HistoryOnlyGrows {}

impl Control for HistoryOnlyGrows {
    const META: Meta = Meta {
        code: "CHG-22",
        id: "history-only-grows",
        title: "the branch's history only grew",
        criteria: &[Criterion::Cc8_1, Criterion::Cc7_2],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.15"]),
            (Framework::PciDss, &["10.3.2"]),
            (Framework::Nist80053, &["CM-3", "AU-9"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchArrivals],
        rationale: "Whoever rewrites a branch takes reviewed changes away, or the trace of others.",
        cheat: "Pushing something away and back again between two looks, or deleting the branch and \
                making it anew. The old tip has to be an ancestor of the new one, and so has every \
                tip that the platform's log names in between; a branch that the log knew before it \
                was made is no new one.",
        remedy_github: "push the old tip back, bring later changes through pull requests, and block \
                        force pushes (BR-18) and deletion (BR-19)",
        remedy_gitlab: "push the old tip back, bring later changes through merge requests, and block \
                        force pushes (BR-18) and deletion (BR-19)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let (arrivals, sources) = match arrivals(facts)? {
            Ok(found) => found,
            Err(verdict) => return Ok(verdict),
        };
        let evidence = |said: String, seen: String| {
            Evidence::new(said, FactKey::BranchArrivals, seen, sources)
        };
        let mut wrong = Vec::new();
        match arrivals.ancestry.known() {
            Ok(Ancestry::Rewritten) => wrong.push(format!(
                "the old tip is no ancestor of the new one, {}",
                between(arrivals)
            )),
            Ok(Ancestry::New) if arrivals.earlier_life.known() == Ok(&true) => wrong.push(
                "the branch was deleted and made again, so what stood on it is gone".to_owned(),
            ),
            Ok(Ancestry::Continues | Ancestry::New) | Err(_) => {}
        }
        if let Ok(moves) = arrivals.moves.known() {
            wrong.extend(moves.iter().filter_map(|entry| rewriting(entry, arrivals)));
        }
        if !wrong.is_empty() {
            let seen = wrong.join("; ");
            return Ok(Verdict::fail_because(
                FailReason::HistoryRewritten,
                evidence(seen.clone(), seen),
            ));
        }
        let ancestry = arrivals.ancestry.known()?;
        let moves = arrivals.moves.known()?;
        // Only a tip in between can have been pushed away again.
        if moves.iter().any(|entry| entry.after != arrivals.after) {
            arrivals.reached.known()?;
        }
        let said = match ancestry {
            Ancestry::New => {
                arrivals.earlier_life.known()?;
                format!("the branch is new, {}", between(arrivals))
            }
            Ancestry::Continues | Ancestry::Rewritten => {
                format!("the new tip continues the old one, {}", between(arrivals))
            }
        };
        let seen = match moves.len() {
            1 => "1 move".to_owned(),
            count => format!("{count} moves"),
        };
        Ok(Verdict::Pass(evidence(said, seen)))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// What is wrong with a move, as far as it can be told.
fn rewriting(entry: &Move, arrivals: &Arrivals) -> Option<String> {
    let who = entry
        .actor
        .as_ref()
        .map(|actor| format!(" by @{}", actor.login))
        .unwrap_or_default();
    if entry.kind == MoveKind::ForcePush {
        return Some(format!(
            "the platform's log has a force push{who} to {}",
            short(&entry.after)
        ));
    }
    if entry.before.is_none() && arrivals.before.commit.is_some() {
        return Some(format!(
            "the branch was made anew{who} at {}, so it was deleted before",
            short(&entry.after)
        ));
    }
    let gone = entry.after != arrivals.after
        && arrivals
            .reached
            .known()
            .is_ok_and(|reached| !reached.contains(&entry.after));
    gone.then(|| {
        format!(
            "the branch stood at {} in between{who}, which its history does not hold any more",
            short(&entry.after)
        )
    })
}

#[cfg(test)]
mod tests;
