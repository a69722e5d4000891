//! Evaluations, waivers and overrides become one decision. Nothing is dropped:
//! a waived or overridden fail stays a fail, with what became of it beside it.

use serde_json::Value;

use crate::controls::{Awaiting, FailReason, Meta, Verdict};
use crate::facts::{Fact, FactKey, Snapshot, Unknown, Why};
use crate::policy::{BoundControl, Enforcement, Mode, Note, OnUnknown, Policy};

use super::decide::{
    ControlDecision, Decision, Disposition, GATE_CHECK, Outcome, OverrideReport, VerdictWord,
    WaiverReport, title,
};
use super::evaluate::{Evaluation, is_out_of_scope};
use super::holding::Awaited;
use super::integrity::integrity;
use super::{approvals, breach, deadline, holding, overrides, proposal, reviews, triage, waivers};

/// Puts evaluations, waivers and overrides together.
pub fn decide(policy: &Policy, facts: &Snapshot, evaluations: &[Evaluation<'_>]) -> Decision {
    let mut judged: Vec<Judged<'_>> = policy
        .controls
        .iter()
        .map(|bound| Judged::new(bound, facts, evaluations))
        .collect();
    judged.sort_by_key(|judged| judged.control.meta.code);

    let waivers = waivers::reports(policy, facts, |id| {
        judged
            .iter()
            .any(|judged| judged.control.meta.id == id && judged.is_non_pass())
    });
    for judged in &mut judged {
        judged.waived = waivers::cover(&waivers, judged.control.meta.id);
    }
    compensate(&mut judged);
    let unanswered: Vec<&'static str> = judged
        .iter()
        .filter(|judged| judged.needs_cover() && judged.was_not_answered())
        .map(|judged| judged.control.meta.code)
        .collect();
    let needs_it = |code: &str| {
        judged
            .iter()
            .find(|judged| judged.control.meta.code == code)
            .is_some_and(Judged::needs_cover)
    };
    let overrides = overrides::reports(policy, facts, needs_it, &unanswered);
    let approvals = approvals::approvals(policy, facts, &overrides);
    let reviews = reviews::reviews(policy, facts, &overrides);
    let mut awaited = Vec::new();
    for judged in &mut judged {
        let disposition = judged.disposition(policy.mode, &overrides);
        if disposition == Some(Disposition::Pending) {
            awaited.extend(judged.awaited());
        }
        judged.control.disposition = disposition;
        judged.say_compensation();
    }

    let triaged = triage::triage(policy, facts);
    let mut notes = notes(policy, facts, &waivers);
    notes.extend(triaged.notes);
    notes.extend(triage::accepting::notes(&triaged.accepted));
    let of_the_gate = judged.iter_mut().find(|judged| {
        judged.control.meta.id == proposal::CONTROL && judged.control.verdict.is_some()
    });
    if let Some(judged) = of_the_gate {
        let proposal = proposal::proposal(facts);
        judged.control.observed.extend(proposal.observed);
        notes.extend(proposal.notes);
    }
    let problem = not_judged(policy, facts);
    let outcome = outcome(policy.mode, &judged, problem.is_some());
    Decision {
        outcome,
        held_by_platform: outcome == Outcome::Pending
            && !in_queue(facts)
            && holding::holds_all(&awaited, &holding::without_gate(facts, gate_check(&judged))),
        integrity: integrity(facts, guarded_check(&judged)),
        subject: facts.subject.clone(),
        title: title(facts),
        observed_at: facts.observed_at,
        policy: Some(policy.source.clone()),
        mode: policy.mode,
        controls: judged.into_iter().map(|judged| judged.control).collect(),
        overrides,
        approvals,
        reviews,
        breach_due: deadline::due(
            facts.latest_time(),
            deadline::BREACH_WITHIN,
            &policy.overrides,
        ),
        moved_by: breach::moved_by(facts),
        moves: breach::moves(facts),
        gone_around: breach::gone_around(facts),
        may_override: policy.overrides.allowed_by.clone(),
        never_overridden: overrides::never(policy),
        notes,
        waivers,
        accepted_findings: triaged.accepted,
        problem,
        settings: facts.settings_origin.clone(),
        requests: facts.requests.clone(),
    }
}

/// Finds for each control that fails because of the plan whether the one that the
/// policy names to make up for it does. That one has to close the gate by itself and to
/// pass as it was seen: a waiver or an override of it is no substitute.
fn compensate(judged: &mut [Judged<'_>]) {
    let passing: Vec<&'static Meta> = judged
        .iter()
        .filter(|judged| judged.bound.enforcement == Enforcement::Block)
        .filter(|judged| judged.control.verdict == Some(VerdictWord::Pass))
        .map(|judged| judged.control.meta)
        .collect();
    for judged in judged {
        if judged.lacks_plan {
            judged.compensated = judged
                .bound
                .compensated_by
                .and_then(|code| passing.iter().find(|meta| meta.code == code))
                .copied();
        }
    }
}

/// A control on its way into the decision.
struct Judged<'p> {
    bound: &'p BoundControl,
    control: ControlDecision,
    awaiting: Option<Awaiting>,
    /// Whether it failed because the plan does not sell what it needs.
    lacks_plan: bool,
    waived: bool,
    /// The passing control that makes up for it.
    compensated: Option<&'static Meta>,
}

impl<'p> Judged<'p> {
    fn new(bound: &'p BoundControl, facts: &Snapshot, evaluations: &[Evaluation<'_>]) -> Self {
        let meta = bound.control.meta();
        let mut control = ControlDecision {
            meta,
            parameters: bound.control.parameters(),
            enforcement: bound.enforcement,
            verdict: None,
            disposition: None,
            summary: String::new(),
            compensation: None,
            reason: None,
            observed: Vec::new(),
            unknown: Vec::new(),
            next: None,
        };
        let mut awaiting = None;
        let mut lacks_plan = false;
        if bound.enforcement == Enforcement::Off {
            control.summary = switched_off(bound);
        } else {
            let evaluation = evaluations
                .iter()
                .find(|evaluation| evaluation.bound.control.meta().code == meta.code)
                .and_then(|evaluation| evaluation.outcome.clone())
                // A control that the policy wants and nobody judged is not a pass.
                .unwrap_or_else(|| {
                    Err(Unknown::new(
                        meta.id,
                        Why::Failed,
                        "the control was not judged",
                    ))
                });
            match evaluation {
                Ok(Verdict::Pass(evidence)) => {
                    control.verdict = Some(VerdictWord::Pass);
                    evidence.summary().clone_into(&mut control.summary);
                    control.observed = evidence.observed().to_vec();
                }
                Ok(Verdict::NotApplicable(evidence)) => {
                    control.verdict = Some(VerdictWord::NotApplicable);
                    evidence.summary().clone_into(&mut control.summary);
                    control.observed = evidence.observed().to_vec();
                }
                Ok(Verdict::Fail(failure)) => {
                    awaiting = failure.awaiting;
                    lacks_plan = failure.reason == Some(FailReason::Plan);
                    control.verdict = Some(VerdictWord::Fail);
                    failure.evidence.summary().clone_into(&mut control.summary);
                    control.observed = failure.evidence.observed().to_vec();
                    control.reason = failure.reason.map(|reason| reason.code().to_owned());
                    control.next = Some(
                        failure
                            .next
                            .unwrap_or_else(|| meta.remedy(facts.subject.platform).to_owned()),
                    );
                }
                Err(unknown) => {
                    control.verdict = Some(VerdictWord::Unknown);
                    control.summary = unknown.to_string();
                    control.reason = Some(unknown.why.code().to_owned());
                    control.next = Some(if is_of_a_report(&unknown) {
                        meta.remedy(facts.subject.platform).to_owned()
                    } else {
                        mend(&unknown)
                    });
                    control.unknown = vec![unknown];
                }
            }
        }
        Self {
            bound,
            control,
            awaiting,
            lacks_plan,
            waived: false,
            compensated: None,
        }
    }

    /// What it waits for, and which approvals would do.
    fn awaited(&self) -> Option<Awaited> {
        let meta = self.control.meta;
        Some(Awaited {
            what: self.awaiting?,
            least: self
                .control
                .parameters
                .get("min")
                .and_then(Value::as_u64)
                .and_then(|least| usize::try_from(least).ok())
                .unwrap_or(1)
                .max(1),
            // Whoever looks at the commits minds who wrote them.
            by_others: meta.needs.contains(&FactKey::ChangeCommits),
        })
    }

    fn is_non_pass(&self) -> bool {
        match self.control.verdict {
            Some(VerdictWord::Fail | VerdictWord::Unknown) => true,
            Some(VerdictWord::Pass | VerdictWord::NotApplicable) | None => false,
        }
    }

    /// Whether it closes the gate unless an override covers it.
    fn needs_cover(&self) -> bool {
        self.is_non_pass() && !self.waived && self.compensated.is_none()
    }

    /// Whether it is unknown only because the platform did not answer.
    fn was_not_answered(&self) -> bool {
        self.control.verdict == Some(VerdictWord::Unknown)
            && !self.control.unknown.is_empty()
            && self.control.unknown.iter().all(overrides::was_not_answered)
    }

    /// Writes down what makes up for it.
    fn say_compensation(&mut self) {
        let (Some(Disposition::Compensated), Some(by)) =
            (self.control.disposition, self.compensated)
        else {
            return;
        };
        let by = format!("compensated by {} {}", by.code, by.id);
        self.control.summary = format!("{}; {by}, which passes", self.control.summary);
        self.control.compensation = Some(match &self.bound.concession {
            Some(concession) => format!(
                "{by} until {}, {}: {}",
                concession.expires, concession.owner, concession.reason
            ),
            None => by,
        });
    }

    fn disposition(&self, mode: Mode, overrides: &[OverrideReport]) -> Option<Disposition> {
        if !self.is_non_pass() {
            return None;
        }
        let only_shown = match (self.bound.enforcement, self.bound.on_unknown) {
            (Enforcement::Off | Enforcement::Warn, _) => true,
            (Enforcement::Block, OnUnknown::Warn) => {
                self.control.verdict == Some(VerdictWord::Unknown)
            }
            (Enforcement::Block, OnUnknown::Block) => false,
        };
        let overridden = overrides
            .iter()
            .any(|report| report.covers(self.control.meta.code));
        Some(if mode == Mode::Advisory {
            Disposition::Advisory
        } else if self.waived {
            Disposition::Waived
        } else if overridden {
            Disposition::Overridden
        } else if only_shown {
            Disposition::Advisory
        } else if self.compensated.is_some() {
            Disposition::Compensated
        } else if self.awaiting.is_some() {
            Disposition::Pending
        } else {
            Disposition::Open
        })
    }
}

/// Whether the platform merges when this run is green: what is missing then does not
/// hold anything back any more. A queue that cannot be seen is one.
fn in_queue(facts: &Snapshot) -> bool {
    match &facts.queue {
        Fact::Known { value, .. } => value.is_some(),
        Fact::Unknown(unknown) => unknown.why != Why::NotCollected,
    }
}

/// The name of the gate's own check, as the control about checks knows it.
fn gate_check<'a>(judged: &'a [Judged<'_>]) -> Option<&'a str> {
    judged
        .iter()
        .find_map(|judged| judged.control.parameters.get("gate")?.as_str())
}

/// The name of the gate's own check, as the control about the gate itself knows it.
fn guarded_check<'a>(judged: &'a [Judged<'_>]) -> &'a str {
    judged
        .iter()
        .filter(|judged| judged.control.meta.id == "gate-guards-itself")
        .find_map(|judged| judged.control.parameters.get("check")?.as_str())
        .unwrap_or(GATE_CHECK)
}

/// One open fail closes the gate; else one open unknown; else what is awaited.
fn outcome(mode: Mode, judged: &[Judged<'_>], something_not_judged: bool) -> Outcome {
    let any = |verdict: VerdictWord, disposition: Disposition| {
        judged.iter().any(|judged| {
            judged.control.verdict == Some(verdict)
                && judged.control.disposition == Some(disposition)
        })
    };
    if mode == Mode::Advisory {
        Outcome::Allow
    } else if any(VerdictWord::Fail, Disposition::Open) {
        Outcome::Block
    } else if something_not_judged || any(VerdictWord::Unknown, Disposition::Open) {
        Outcome::Undecided
    } else if any(VerdictWord::Fail, Disposition::Pending) {
        Outcome::Pending
    } else {
        Outcome::Allow
    }
}

/// What the policy asks for and this version cannot judge. It keeps the gate
/// closed: a demand that nobody looked at is not met.
fn not_judged(policy: &Policy, facts: &Snapshot) -> Option<String> {
    if is_out_of_scope(policy, facts) {
        // A green result sticks to the commit: the change could be pointed at
        // another branch afterwards, or a second one opened with the same head.
        return Some(format!(
            "the branch `{}` is not in the policy's scope, so nothing was judged: run the gate \
             for the policy's branches only",
            facts.subject.target
        ));
    }
    if policy.controls.is_empty() {
        return Some("the policy holds no control, so there is nothing to pass".to_owned());
    }
    None
}

fn notes(policy: &Policy, facts: &Snapshot, waivers: &[WaiverReport]) -> Vec<Note> {
    let mut notes = policy.notes.clone();
    notes.extend(waivers::notes(waivers));
    let all_off = policy
        .controls
        .iter()
        .all(|bound| bound.enforcement == Enforcement::Off);
    if all_off && !policy.controls.is_empty() {
        notes.push(Note {
            place: None,
            message: "every control of the policy is switched off".to_owned(),
        });
    }
    if let Fact::Unknown(unknown) = &facts.comments
        && unknown.why != Why::NotCollected
        && !policy.overrides.allowed_by.is_empty()
    {
        notes.push(Note {
            place: None,
            message: format!("no override can count: {unknown}"),
        });
    }
    notes
}

fn switched_off(bound: &BoundControl) -> String {
    bound.concession.as_ref().map_or_else(
        || "switched off by the policy".to_owned(),
        |concession| {
            format!(
                "switched off by {} until {}: {}",
                concession.owner, concession.expires, concession.reason
            )
        },
    )
}

/// Whether a scan report that was handed in does not tell: no token or platform
/// can help with that.
fn is_of_a_report(unknown: &Unknown) -> bool {
    unknown.fact == FactKey::ScanResults.name() && unknown.why != Why::NotCollected
}

/// What would let us see the fact.
fn mend(unknown: &Unknown) -> String {
    match &unknown.needs {
        // Variables, in words of their own.
        Some(needs) if needs.contains('`') => return format!("set {needs}"),
        Some(permission) => return format!("grant `{permission}` to the token"),
        None => {}
    }
    match unknown.why {
        Why::NotPermitted => {
            format!("give the token permission to read {}", unknown.fact)
        }
        Why::HiddenOrAbsent => format!(
            "use a token that may see {}, so that \"hidden\" and \"does not exist\" can be told apart",
            unknown.fact
        ),
        Why::NotSupported => {
            "this platform or server version does not tell; set `on_unknown: warn` for the \
             control, or switch it off with reason, owner and expiry"
                .to_owned()
        }
        Why::NotCollected if unknown.fact == FactKey::ScanResults.name() => {
            "hand in the report with `--scan`, or name it in the policy's section \
             `scans`"
                .to_owned()
        }
        Why::NotCollected => format!(
            "run the check again without `--snapshot`: {} is not in the facts that were judged",
            unknown.fact
        ),
        Why::Stale => "take a new snapshot and run the check again".to_owned(),
        Why::Failed => "run the check again; if it stays, look at the platform's status".to_owned(),
        Why::NotComputable => {
            "mend the expression in the policy, and try it with `ccgate policy test`".to_owned()
        }
    }
}

#[cfg(test)]
mod compensation_tests;
#[cfg(test)]
mod tests;
