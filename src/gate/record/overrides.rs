//! The record of an accepted override, and that of a review that counts.

use serde_json::{Value, json};

use crate::gate::approvals::Door;
use crate::gate::decide::{Decision, OverrideReport, VerdictWord};
use crate::gate::reviews::{ReviewOutcome, ReviewReport};

use super::signatures::signatures;
use super::{LONGEST_TEXT, RecordContext, cut, override_id, person, sha256, subject};

pub(super) fn override_record(
    decision: &Decision,
    report: &OverrideReport,
    context: &RecordContext,
) -> Value {
    let mut covered = decision
        .controls
        .iter()
        .filter(|control| report.covers(control.meta.code));
    let ids: Vec<&str> = covered.clone().map(|control| control.meta.id).collect();
    let approval = report.approval.as_ref();
    // Of an environment the platform tells no time: what is there is when it was seen.
    let approved_at = match approval {
        None => Some(report.at),
        Some(approval) => match approval.door {
            Door::Comment => Some(approval.at),
            Door::Environment => None,
        },
    };
    let mut approver = person(&decision.subject, report.given_by());
    approver["role_basis"] = json!("overrides.allowed_by of the policy");
    json!({
        "schema": "ccgate.override/v1",
        "observed_at": decision.observed_at.to_string(),
        "id": override_id(&decision.subject, &report.id, &report.head),
        "comment": report.id,
        "kind": report.kind.word(),
        "control_ids": ids,
        "controls": report.covers,
        "verdict": covered.next().and_then(|control| control.verdict)
            .map(VerdictWord::word),
        "scope": subject(&decision.subject),
        "requester": person(&decision.subject, report.by.as_ref()),
        "requested_at": {"forge_time": report.at.to_string()},
        "approver": approver,
        "approval": report.approval.as_ref().map(|approval| &approval.id),
        "approval_door": approval.map(|approval| approval.door.word()),
        "reason_text": cut(&report.text, LONGEST_TEXT),
        "reason_digest": sha256(&report.text),
        "signatures": signatures(report),
        "ticket": {"key": report.ticket.as_deref().map(|text| cut(text, 100))},
        "approved_at": {
            "forge_time": approved_at.map(|at| at.to_string()),
            "runner_time": decision.observed_at.to_string(),
        },
        "expires_at": report.expires.map(|time| time.to_string()),
        "policy_digest": decision.policy.as_ref().map(|policy| policy.digest.as_str()),
        "review": {
            "due": context.review_within,
            "due_at": report.review_due.map(|due| due.to_string()),
        },
        "tool": {"name": context.tool, "version": context.version},
        "snapshot_digest": context.snapshot_digest,
    })
}

/// Holds nothing that another look would change: a review that is recorded again is the
/// record that is there.
pub(super) fn review_record(decision: &Decision, review: &ReviewReport) -> Value {
    json!({
        "schema": "ccgate.override-review/v1",
        "observed_at": review.at.to_string(),
        "override": cut(&review.of, 100),
        "outcome": review.outcome.map(ReviewOutcome::word),
        "comment": review.id,
        "reviewer": person(&decision.subject, review.by.as_ref()),
        "notes": cut(&review.notes, LONGEST_TEXT),
        "notes_digest": sha256(&review.notes),
        "scope": subject(&decision.subject),
    })
}
