//! Bound controls over a snapshot: total, one evaluation for each control.

use std::mem::replace;

use crate::controls::{Evidence, Meta, Verdict};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, Veil, Why};
use crate::policy::{BoundControl, Enforcement, Policy};

use super::triage::triage;

/// What came out for one control.
pub struct Evaluation<'p> {
    /// The control as the policy wants it.
    pub bound: &'p BoundControl,
    /// The verdict, or why there is none. For a control that is off: `None`.
    pub outcome: Option<Result<Verdict, Unknown>>,
}

/// Judges every control that is not off. The facts are borrowed to be shown in parts,
/// and are whole again afterwards.
pub fn evaluate<'p>(policy: &'p Policy, facts: &mut Snapshot) -> Vec<Evaluation<'p>> {
    let triaged = triage(policy, facts).scans;
    let read = triaged.map(|scans| replace(&mut facts.scans, scans));
    let evaluations = judge_all(policy, facts);
    if let Some(read) = read {
        facts.scans = read;
    }
    evaluations
}

fn judge_all<'p>(policy: &'p Policy, facts: &mut Snapshot) -> Vec<Evaluation<'p>> {
    let reach = reach(policy, facts);
    let platform = facts.subject.platform;
    let mut veil = Veil::over(facts);
    policy
        .controls
        .iter()
        .map(|bound| Evaluation {
            bound,
            outcome: match bound.enforcement {
                Enforcement::Off => None,
                Enforcement::Warn | Enforcement::Block => {
                    Some(judge(bound, platform, &mut veil, &reach))
                }
            },
        })
        .collect()
}

/// The facts with the policy's word on single findings put upon them, as controls see them.
pub fn as_seen_by(policy: &Policy, facts: Snapshot) -> Snapshot {
    match triage(policy, &facts).scans {
        Some(scans) => Snapshot { scans, ..facts },
        None => facts,
    }
}

/// Whether the target branch is known and the policy does not speak about it.
pub(super) fn is_out_of_scope(policy: &Policy, facts: &Snapshot) -> bool {
    matches!(reach(policy, facts), Reach::OutOfScope(_))
}

/// Whether the policy speaks about the branch at all.
enum Reach {
    Covered,
    OutOfScope(Evidence),
    Unknown(Unknown),
}

fn reach(policy: &Policy, facts: &Snapshot) -> Reach {
    let target = &facts.subject.target;
    if target.is_empty() {
        // A branch without a name matches no pattern; that must not look like
        // a branch that the policy leaves alone.
        return Reach::Unknown(no_target(facts));
    }
    // The name that the platform gives for the change counts as well: a wrong
    // flag must not move a change out of the policy's reach.
    let named_by_platform = facts
        .identity
        .known()
        .is_ok_and(|identity| policy.covers(&identity.target_branch));
    if policy.covers(target) || named_by_platform {
        return Reach::Covered;
    }
    Reach::OutOfScope(Evidence::new(
        format!("branch `{target}` is not in the policy's scope"),
        FactKey::ChangeIdentity,
        format!("target branch `{target}`"),
        facts.identity.sources(),
    ))
}

/// Why the target branch is not known: the platform's own answer, if there was one.
fn no_target(facts: &Snapshot) -> Unknown {
    let fact = "subject.target";
    let detail = "the target branch is not known, so nobody can say whether the policy covers it";
    [
        facts.identity.known().err(),
        facts.repository.default_branch.known().err(),
    ]
    .into_iter()
    .flatten()
    .find(|unknown| unknown.why != Why::NotCollected)
    .map_or_else(
        || Unknown::new(fact, Why::Failed, detail),
        |unknown| Unknown {
            fact: fact.to_owned(),
            detail: format!("{}; {detail}", unknown.detail),
            ..unknown
        },
    )
}

fn judge(
    bound: &BoundControl,
    platform: Platform,
    veil: &mut Veil<'_>,
    reach: &Reach,
) -> Result<Verdict, Unknown> {
    match reach {
        Reach::Unknown(unknown) => return Err(unknown.clone()),
        Reach::OutOfScope(evidence) => return Ok(Verdict::NotApplicable(evidence.clone())),
        Reach::Covered => {}
    }
    let meta = bound.control.meta();
    if !meta.platforms.contains(&platform) {
        return Ok(Verdict::NotApplicable(no_such_thing(meta, platform)));
    }
    bound.control.judge(veil.show(&meta.visible()))
}

fn no_such_thing(meta: &Meta, platform: Platform) -> Evidence {
    let platform = platform.word();
    Evidence::new(
        format!("{} has no meaning on {platform}", meta.id),
        meta.needs
            .first()
            .copied()
            .unwrap_or(FactKey::ChangeIdentity),
        format!("platform {platform}"),
        &[],
    )
}
