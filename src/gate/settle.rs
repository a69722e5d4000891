//! Evaluations, waivers and overrides become one decision. Nothing is dropped:
//! a waived or overridden fail stays a fail, with what became of it beside it.

use crate::controls::{Awaiting, Verdict};
use crate::facts::{Fact, Snapshot, Unknown, Why};
use crate::policy::{BoundControl, Enforcement, Mode, Note, OnUnknown, Policy};

use super::decide::{
    ControlDecision, Decision, Disposition, Outcome, OverrideReport, OverrideState, VerdictWord,
    WaiverReport, title,
};
use super::evaluate::Evaluation;
use super::{holding, overrides, waivers};

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
    let overrides = overrides::reports(policy, facts, |code| {
        judged
            .iter()
            .find(|judged| judged.control.meta.code == code)
            .is_some_and(|judged| judged.is_non_pass() && !judged.waived)
    });
    let mut awaited = Vec::new();
    for judged in &mut judged {
        let disposition = judged.disposition(policy.mode, &overrides);
        if disposition == Some(Disposition::Pending) {
            awaited.extend(judged.awaiting);
        }
        judged.control.disposition = disposition;
    }

    let problem = not_judged(policy);
    let outcome = outcome(policy.mode, &judged, problem.is_some());
    Decision {
        outcome,
        held_by_platform: outcome == Outcome::Pending && holding::holds_all(&awaited, facts),
        subject: facts.subject.clone(),
        title: title(facts),
        observed_at: facts.observed_at,
        policy: Some(policy.source.clone()),
        mode: policy.mode,
        controls: judged.into_iter().map(|judged| judged.control).collect(),
        overrides,
        notes: notes(policy, facts, &waivers),
        waivers,
        problem,
        requests: facts.requests.clone(),
    }
}

/// A control on its way into the decision.
struct Judged<'p> {
    bound: &'p BoundControl,
    control: ControlDecision,
    awaiting: Option<Awaiting>,
    waived: bool,
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
            reason: None,
            observed: Vec::new(),
            unknown: Vec::new(),
            next: None,
        };
        let mut awaiting = None;
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
                    control.next = Some(mend(&unknown));
                    control.unknown = vec![unknown];
                }
            }
        }
        Self {
            bound,
            control,
            awaiting,
            waived: false,
        }
    }

    fn is_non_pass(&self) -> bool {
        match self.control.verdict {
            Some(VerdictWord::Fail | VerdictWord::Unknown) => true,
            Some(VerdictWord::Pass | VerdictWord::NotApplicable) | None => false,
        }
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
        let overridden = overrides.iter().any(|report| {
            report.state == OverrideState::Accepted && report.code == self.control.meta.code
        });
        Some(if mode == Mode::Advisory {
            Disposition::Advisory
        } else if self.waived {
            Disposition::Waived
        } else if overridden {
            Disposition::Overridden
        } else if only_shown {
            Disposition::Advisory
        } else if self.awaiting.is_some() {
            Disposition::Pending
        } else {
            Disposition::Open
        })
    }
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
fn not_judged(policy: &Policy) -> Option<String> {
    if policy.controls.is_empty() {
        return Some("the policy holds no control, so there is nothing to pass".to_owned());
    }
    if policy.custom.is_empty() {
        return None;
    }
    let ids: Vec<String> = policy
        .custom
        .iter()
        .map(|custom| format!("`{}`", custom.id))
        .collect();
    Some(format!(
        "this version does not judge custom controls: {}",
        ids.join(", ")
    ))
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

/// What would let us see the fact.
fn mend(unknown: &Unknown) -> String {
    if let Some(permission) = &unknown.needs {
        return format!("grant `{permission}` to the token");
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
        Why::NotCollected => format!(
            "{} was not collected: run the check again with access to it",
            unknown.fact
        ),
        Why::Stale => "take a new snapshot and run the check again".to_owned(),
        Why::Failed => "run the check again; if it stays, look at the platform's status".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::testing::*;
    use crate::gate::{WaiverState, evaluate};
    use crate::policy::CustomControl;
    use globset::{Glob, GlobSet};

    fn outcome_of(controls: Vec<BoundControl>) -> Outcome {
        decision(&policy(controls), &facts()).outcome
    }

    #[test]
    fn the_worst_open_verdict_decides() {
        let pass = || control(&FIRST, pass());
        let fail = || control(&SECOND, fail());
        let unknown = || control(&THIRD, unknown());
        let pending = || control(&GITLAB_ONLY, awaiting(Awaiting::Approval));
        assert_eq!(outcome_of(vec![pass()]), Outcome::Allow);
        assert_eq!(outcome_of(vec![pass(), unknown(), fail()]), Outcome::Block);
        assert_eq!(outcome_of(vec![pass(), unknown()]), Outcome::Undecided);
        // Not a thing of this platform, whatever it would say.
        assert_eq!(outcome_of(vec![pass(), pending()]), Outcome::Allow);
        let waiting = control(&SECOND, awaiting(Awaiting::Approval));
        assert_eq!(outcome_of(vec![waiting, unknown()]), Outcome::Undecided);
        let waiting = control(&SECOND, awaiting(Awaiting::Approval));
        assert_eq!(outcome_of(vec![pass(), waiting]), Outcome::Pending);
    }

    #[test]
    fn warnings_are_shown_and_never_close_the_gate() {
        let mut warned = control(&FIRST, fail());
        warned.enforcement = Enforcement::Warn;
        let mut unseen = control(&SECOND, unknown());
        unseen.on_unknown = OnUnknown::Warn;
        let decision = decision(&policy(vec![warned, unseen]), &facts());
        assert_eq!(decision.outcome, Outcome::Allow);
        for control in &decision.controls {
            assert_eq!(control.disposition, Some(Disposition::Advisory));
        }
    }

    #[test]
    fn an_unknown_that_may_be_warned_about_does_not_soften_a_fail() {
        let mut failed = control(&FIRST, fail());
        failed.on_unknown = OnUnknown::Warn;
        assert_eq!(outcome_of(vec![failed]), Outcome::Block);
    }

    #[test]
    fn advisory_mode_speaks_and_allows() {
        let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, unknown())]);
        policy.mode = Mode::Advisory;
        let decision = decision(&policy, &facts());
        assert_eq!(decision.outcome, Outcome::Allow);
        assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
        assert_eq!(
            decision.controls[0].disposition,
            Some(Disposition::Advisory)
        );
    }

    #[test]
    fn a_control_that_nobody_judged_is_unknown() {
        let policy = policy(vec![control(&FIRST, pass())]);
        assert_eq!(decide(&policy, &facts(), &[]).outcome, Outcome::Undecided);
    }

    #[test]
    fn a_policy_without_controls_lets_nothing_through() {
        let decision = decision(&policy(vec![]), &facts());
        assert_eq!(decision.outcome, Outcome::Undecided);
        assert!(decision.problem.is_some());
    }

    #[test]
    fn a_custom_control_that_cannot_be_judged_keeps_the_gate_closed() {
        let mut policy = policy(vec![control(&FIRST, pass())]);
        policy.custom.push(CustomControl {
            id: "own".to_owned(),
        });
        assert_eq!(decision(&policy, &facts()).outcome, Outcome::Undecided);
    }

    #[test]
    fn a_control_that_is_off_stays_in_the_decision() {
        let mut off = control(&FIRST, fail());
        off.enforcement = Enforcement::Off;
        let decision = decision(&policy(vec![off]), &facts());
        assert_eq!(decision.outcome, Outcome::Allow);
        assert_eq!(decision.controls[0].verdict, None);
        assert_eq!(
            decision.notes[0].message,
            "every control of the policy is switched off"
        );
    }

    #[test]
    fn a_branch_out_of_scope_is_recorded_as_such() {
        let mut policy = policy(vec![control(&FIRST, fail())]);
        policy.branches = Some(
            GlobSet::builder()
                .add(Glob::new("release/*").expect("a literal glob"))
                .build()
                .expect("a small set"),
        );
        let seen = decision(&policy, &facts());
        assert_eq!(seen.outcome, Outcome::Allow);
        assert_eq!(
            seen.controls[0].summary,
            "branch `main` is not in the policy's scope"
        );

        // The trick: a flag that names another branch than the platform does.
        let mut lied = facts();
        if let Fact::Known { value, .. } = &mut lied.identity {
            value.target_branch = "release/1".to_owned();
        }
        assert_eq!(decision(&policy, &lied).outcome, Outcome::Block);

        let mut nameless = facts();
        nameless.subject.target.clear();
        assert_eq!(decision(&policy, &nameless).outcome, Outcome::Undecided);
    }

    #[test]
    fn what_another_platform_has_is_not_applicable_here() {
        let policy = policy(vec![control(&FIRST, pass()), control(&GITLAB_ONLY, fail())]);
        let evaluations = evaluate(&policy, &facts());
        let decision = decide(&policy, &facts(), &evaluations);
        assert_eq!(
            decision.controls[1].verdict,
            Some(VerdictWord::NotApplicable)
        );
    }

    #[test]
    fn every_non_pass_has_a_next_step() {
        let decision = decision(
            &policy(vec![control(&FIRST, fail()), control(&SECOND, unknown())]),
            &facts(),
        );
        let next: Vec<_> = decision
            .controls
            .iter()
            .map(|c| c.next.as_deref())
            .collect();
        assert_eq!(
            next,
            [
                Some("mend it on GitHub"),
                Some("grant `Administration: read` to the token")
            ]
        );
        for why in [
            Why::NotPermitted,
            Why::HiddenOrAbsent,
            Why::NotSupported,
            Why::NotCollected,
            Why::Stale,
            Why::Failed,
        ] {
            assert!(!mend(&Unknown::new("x.y", why, "z")).is_empty());
        }
    }

    #[test]
    fn a_waiver_covers_a_non_pass_and_an_idle_or_expired_one_is_a_finding() {
        let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
        policy.waivers = vec![
            waiver("first-thing-done", "ACME/*", "2026-06-01"),
            waiver("second-thing-done", "*", "2026-06-30"),
            waiver("first-thing-done", "*", "2026-05-31"),
            waiver("first-thing-done", "acme/legacy-*", "2026-06-30"),
        ];
        let decision = decision(&policy, &facts());
        assert_eq!(decision.outcome, Outcome::Allow);
        assert_eq!(decision.controls[0].verdict, Some(VerdictWord::Fail));
        assert_eq!(decision.controls[0].disposition, Some(Disposition::Waived));
        let states: Vec<_> = decision.waivers.iter().map(|waiver| waiver.state).collect();
        assert_eq!(
            states,
            [
                WaiverState::Applied,
                WaiverState::Unmatched,
                WaiverState::Expired
            ]
        );
        assert_eq!(decision.notes.len(), 2);
    }

    #[test]
    fn an_expired_waiver_covers_nothing() {
        let mut policy = policy(vec![control(&FIRST, fail())]);
        policy.waivers = vec![waiver("first-thing-done", "*", "2026-05-31")];
        assert_eq!(decision(&policy, &facts()).outcome, Outcome::Block);
    }
}
