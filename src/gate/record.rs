//! What is written of a decision: in-toto statements with our own predicates.
//! Plain data, no floats; canonical form, sealing and storing are the ledger's.
//!
//! A record has to stay small enough for a leaf (64 KiB) whatever people write
//! into titles and comments, so long texts are cut and stand there by digest.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::facts::Subject;
use crate::policy::{Enforcement, Mode};

use super::decide::{ControlDecision, Decision, OverrideReport, OverrideState, WaiverReport};

/// Predicate type of the record of a decision.
pub const CHANGE_RECORD_TYPE: &str = "https://ccgate.dev/change-record/v1";
/// Predicate type of the record of an accepted override.
pub const OVERRIDE_RECORD_TYPE: &str = "https://ccgate.dev/override/v1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const LONGEST_TEXT: usize = 2000;
const LONGEST_SENTENCE: usize = 400;
/// Anybody may comment on a public change; a flood of refused commands must not
/// keep the record from being written.
const MOST_REFUSED: usize = 20;

/// What a record needs to know beside the decision.
#[derive(Clone, Debug)]
pub struct RecordContext {
    /// Name of the program.
    pub tool: String,
    /// Its version.
    pub version: String,
    /// `sha256:<hex>` of the snapshot that was judged, if it was kept.
    pub snapshot_digest: Option<String>,
    /// The platform's clock at the moment of observation, if it was told.
    pub platform_time: Option<Timestamp>,
    /// Time in which overrides have to be reviewed, as the policy writes it.
    pub review_within: Option<String>,
}

/// The in-toto statements of a decision: one change record, then one for each
/// accepted override. A decision about no commit leaves none: a statement has
/// to be about something.
pub fn records(decision: &Decision, context: &RecordContext) -> Vec<Value> {
    if decision.subject.head.is_empty() {
        return Vec::new();
    }
    let mut records = vec![statement(
        &decision.subject,
        CHANGE_RECORD_TYPE,
        change_record(decision, context),
    )];
    records.extend(
        decision
            .overrides
            .iter()
            .filter(|report| report.state == OverrideState::Accepted)
            .map(|report| {
                statement(
                    &decision.subject,
                    OVERRIDE_RECORD_TYPE,
                    override_record(decision, report, context),
                )
            }),
    );
    records
}

fn statement(subject: &Subject, predicate_type: &str, predicate: Value) -> Value {
    json!({
        "_type": STATEMENT_TYPE,
        "subject": [{
            "name": format!(
                "{}/{}@{}",
                subject.platform.word(), subject.repository, subject.head
            ),
            "digest": {"gitCommit": subject.head},
        }],
        "predicateType": predicate_type,
        "predicate": predicate,
    })
}

fn change_record(decision: &Decision, context: &RecordContext) -> Value {
    let mut refused = 0_usize;
    let shown: Vec<Value> = decision
        .overrides
        .iter()
        .filter(|report| {
            refused += usize::from(report.state != OverrideState::Accepted);
            report.state == OverrideState::Accepted || refused <= MOST_REFUSED
        })
        .map(override_entry)
        .collect();
    json!({
        "schema": "ccgate.change-record/v1",
        "decision": decision.outcome.word(),
        "held_by_platform": decision.held_by_platform,
        "problem": decision.problem.as_deref().map(|text| cut(text, LONGEST_TEXT)),
        "subject": subject(&decision.subject),
        "title": decision.title.as_deref().map(|text| cut(text, LONGEST_SENTENCE)),
        "observed_at": {
            "runner_time": decision.observed_at.to_string(),
            "platform_time": context.platform_time.map(|time| time.to_string()),
        },
        "policy": decision.policy.as_ref().map(|policy| json!({
            "origin": policy.origin,
            "commit": policy.commit,
            "digest": policy.digest,
            "layers": policy.layers,
        })),
        "mode": mode(decision.mode),
        "tool": {"name": context.tool, "version": context.version},
        "snapshot_digest": context.snapshot_digest,
        "controls": decision.controls.iter().map(control).collect::<Vec<_>>(),
        "waivers": decision.waivers.iter().map(waiver).collect::<Vec<_>>(),
        "overrides_left_out": decision.overrides.len() - shown.len(),
        "overrides": shown,
        "notes": decision.notes.iter()
            .map(|note| cut(&note.message, LONGEST_SENTENCE)).collect::<Vec<_>>(),
        "requests": {
            "count": decision.requests.count,
            "graphql_points": decision.requests.graphql_points,
            "waves": decision.requests.waves,
        },
    })
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
        "verdict": control.verdict.map(super::decide::VerdictWord::word),
        "disposition": control.disposition.map(super::decide::Disposition::word),
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

fn override_entry(report: &OverrideReport) -> Value {
    json!({
        "comment": report.id,
        "control": cut(&report.code, 100),
        "by": report.by,
        "at": report.at.to_string(),
        "expires_at": report.expires.map(|time| time.to_string()),
        "ticket": report.ticket.as_deref().map(|text| cut(text, 100)),
        "reason_digest": sha256(&report.text),
        "head": report.head,
        "state": report.state.word(),
        "why": cut(&report.why, LONGEST_SENTENCE),
    })
}

fn override_record(decision: &Decision, report: &OverrideReport, context: &RecordContext) -> Value {
    let control = decision
        .controls
        .iter()
        .find(|control| control.meta.code == report.code);
    json!({
        "schema": "ccgate.override/v1",
        "id": override_id(&decision.subject, report),
        "comment": report.id,
        "kind": "break_glass",
        "control_ids": control.map(|control| vec![control.meta.id]).unwrap_or_default(),
        "controls": [report.code],
        "verdict": control.and_then(|control| control.verdict)
            .map(super::decide::VerdictWord::word),
        "scope": subject(&decision.subject),
        "approver": {
            "platform": decision.subject.platform.word(),
            "login": report.by,
            "role_basis": "overrides.allowed_by of the policy",
        },
        "reason_text": cut(&report.text, LONGEST_TEXT),
        "reason_digest": sha256(&report.text),
        "ticket": {"key": report.ticket.as_deref().map(|text| cut(text, 100))},
        "approved_at": {
            "forge_time": report.at.to_string(),
            "runner_time": decision.observed_at.to_string(),
        },
        "expires_at": report.expires.map(|time| time.to_string()),
        "policy_digest": decision.policy.as_ref().map(|policy| policy.digest.as_str()),
        "review": {"due": context.review_within},
        "tool": {"name": context.tool, "version": context.version},
        "snapshot_digest": context.snapshot_digest,
    })
}

/// The same override has the same id in every record about it.
fn override_id(subject: &Subject, report: &OverrideReport) -> String {
    let text = format!(
        "{}\n{}\n{}\n{}\n{}",
        subject.platform.word(),
        subject.repository,
        subject.change.unwrap_or_default(),
        report.id,
        report.head
    );
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    format!("ovr_{}", &digest[..26])
}

fn subject(subject: &Subject) -> Value {
    json!({
        "platform": subject.platform.word(),
        "repository": subject.repository,
        "change": subject.change,
        "head": subject.head,
        "target": subject.target,
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

fn sha256(text: &str) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(text.as_bytes())))
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
