//! The record of a decision: what was judged, with what verdicts, and everything that people
//! wanted it to pass with, refused attempts included.

use serde_json::{Value, json};

use crate::facts::Subject;
use crate::gate::breach::{breach_id, breaches};
use crate::gate::decide::{
    ControlDecision, Decision, Disposition, OverrideReport, OverrideState, VerdictWord,
    WaiverReport,
};
use crate::gate::triage::AcceptanceReport;
use crate::policy::{Enforcement, Mode};

use super::{
    BranchMove, LONGEST_SENTENCE, LONGEST_TEXT, LoggedMove, RecordContext, cut, override_id,
    sha256, subject,
};

/// Most acceptances of findings in a record: the policy's digest says which others there were.
const MOST_ACCEPTED: usize = 30;
/// Anybody may comment on a public change; a flood of refused commands must not
/// keep the record from being written.
const MOST_REFUSED: usize = 20;

pub(super) fn change_record(decision: &Decision, context: &RecordContext) -> Value {
    let mut refused = 0_usize;
    let shown: Vec<Value> = decision
        .overrides
        .iter()
        .filter(|report| {
            refused += usize::from(report.state != OverrideState::Accepted);
            report.state == OverrideState::Accepted || refused <= MOST_REFUSED
        })
        .map(|report| override_entry(&decision.subject, report))
        .collect();
    let accepted = acting(decision);
    json!({
        "schema": "ccgate.change-record/v1",
        "decision": decision.outcome.word(),
        "held_by_platform": decision.held_by_platform,
        "problem": decision.problem.as_deref().map(|text| cut(text, LONGEST_TEXT)),
        "subject": subject(&decision.subject),
        "title": decision.title.as_deref().map(|text| cut(text, LONGEST_SENTENCE)),
        // The runner's clock; the platform's stands beside it.
        "observed_at": decision.observed_at.to_string(),
        "platform_time": context.platform_time.map(|time| time.to_string()),
        "policy": decision.policy.as_ref().map(|policy| json!({
            "origin": policy.origin,
            "commit": policy.commit,
            "digest": policy.digest,
            "layers": policy.layers,
        })),
        "mode": mode(decision.mode),
        "integrity_level": decision.integrity.level.word(),
        "tool": {"name": context.tool, "version": context.version},
        "snapshot_digest": context.snapshot_digest,
        "settings": decision.settings.as_ref().map(|origin| json!({
            "digest": origin.digest,
            "observed_at": origin.observed_at.to_string(),
            "signed_by": origin.signed_by,
        })),
        "controls": decision.controls.iter().map(control).collect::<Vec<_>>(),
        "waivers": decision.waivers.iter().map(waiver).collect::<Vec<_>>(),
        "accepted_findings": accepted.iter().take(MOST_ACCEPTED)
            .map(|report| acceptance(report)).collect::<Vec<_>>(),
        "accepted_findings_left_out": accepted.len().saturating_sub(MOST_ACCEPTED),
        "bypasses_detected": breaches(decision)
            .map(|control| breach_id(decision, control)).collect::<Vec<_>>(),
        "branch_move": context.branch_move.as_ref().filter(|moved| !moved.is_told()).map(branch_move),
        "branch_move_again": context.branch_move.as_ref().filter(|moved| moved.is_told()).map(branch_move),
        "overrides_left_out": decision.overrides.len() - shown.len(),
        "overrides": shown,
        "approvals_refused": decision.approvals.iter()
            .filter_map(|approval| Some((approval, approval.refused.as_ref()?)))
            .take(MOST_REFUSED)
            .map(|(approval, why)| json!({
                "override": cut(&approval.of, 100),
                "comment": approval.id,
                "door": approval.door.word(),
                "by": approval.by.as_ref().map(|by| &by.login),
                "by_id": approval.by.as_ref().and_then(|by| by.id),
                "at": approval.at.to_string(),
                "self_approved": approval.self_approved,
                "why": cut(why, LONGEST_SENTENCE),
            }))
            .collect::<Vec<_>>(),
        "notes": decision.notes.iter()
            .map(|note| cut(&note.message, LONGEST_SENTENCE)).collect::<Vec<_>>(),
        "requests": {
            "count": decision.requests.count,
            "graphql_points": decision.requests.graphql_points,
            "waves": decision.requests.waves,
        },
    })
}

fn branch_move(moved: &BranchMove) -> Value {
    json!({"before": moved.before, "after": moved.after, "commits": moved.commits.len(),
        "changes": moved.changes, "told_by": moved.told_by,
        "moves": moved.moves.as_ref().map(|moves| moves.iter().map(logged).collect::<Vec<_>>())})
}

fn logged(moved: &LoggedMove) -> Value {
    json!({"before": moved.before, "after": moved.after, "at": moved.at.map(|at| at.to_string())})
}

fn control(control: &ControlDecision) -> Value {
    let mut digests: Vec<&str> = control
        .observed
        .iter()
        .flat_map(|observation| &observation.sources)
        .map(|source| source.digest.as_str())
        .filter(|digest| !digest.is_empty())
        .collect();
    digests.sort_unstable();
    digests.dedup();
    json!({
        "code": control.meta.code,
        "id": control.meta.id,
        "enforcement": enforcement(control.enforcement),
        "parameters": control.parameters,
        "verdict": control.verdict.map(VerdictWord::word),
        "disposition": control.disposition.map(Disposition::word),
        "summary": cut(&control.summary, LONGEST_SENTENCE),
        "reason": control.reason,
        "observed_digests": digests,
        "unknown": control.unknown.iter().map(|unknown| json!({
            "fact": unknown.fact,
            "why": unknown.why.code(),
            "needs": unknown.needs,
            "endpoint": unknown.endpoint,
            "status": unknown.status,
        })).collect::<Vec<_>>(),
    })
}

fn waiver(report: &WaiverReport) -> Value {
    let waiver = &report.waiver;
    json!({
        "control": waiver.control,
        "scope": waiver.scope,
        "state": report.state.word(),
        "reason": cut(&waiver.reason, LONGEST_SENTENCE),
        "owner": waiver.owner,
        "approved_by": waiver.approved_by,
        "expires": waiver.expires.to_string(),
    })
}

/// Those that acted; the notes say what is wrong with the others.
fn acting(decision: &Decision) -> Vec<&AcceptanceReport> {
    let all = decision.accepted_findings.iter();
    all.filter(|report| report.covered > 0).collect()
}

fn acceptance(report: &AcceptanceReport) -> Value {
    let accepted = &report.accepted;
    json!({
        "finding": cut(&accepted.words(), LONGEST_SENTENCE),
        "state": report.state.word(),
        "covered": report.covered,
        "status": accepted.status.word(),
        "ticket": cut(&accepted.ticket, 100),
        "owner": accepted.owner,
        "approved_by": accepted.approved_by,
        "expires": accepted.expires.to_string(),
    })
}

fn override_entry(subject: &Subject, report: &OverrideReport) -> Value {
    json!({
        "id": override_id(subject, &report.id, &report.head),
        "comment": report.id,
        "kind": report.kind.word(),
        "control": cut(&report.code, 100),
        "covers": report.covers,
        "by": report.by.as_ref().map(|by| &by.login),
        "by_id": report.by.as_ref().and_then(|by| by.id),
        "at": report.at.to_string(),
        "approved_by": report.approval.as_ref().map(|approval| &approval.by.login),
        "approved_by_id": report.approval.as_ref().and_then(|approval| approval.by.id),
        "expires_at": report.expires.map(|time| time.to_string()),
        "ticket": report.ticket.as_deref().map(|text| cut(text, 100)),
        "reason_digest": sha256(&report.text),
        "head": report.head,
        "state": report.state.word(),
        "why": cut(&report.why, LONGEST_SENTENCE),
    })
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Advisory => "advisory",
        Mode::Enforce => "enforce",
    }
}

fn enforcement(enforcement: Enforcement) -> &'static str {
    match enforcement {
        Enforcement::Off => "off",
        Enforcement::Warn => "warn",
        Enforcement::Block => "block",
    }
}
