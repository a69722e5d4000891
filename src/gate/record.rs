//! What is written of a decision: in-toto statements with our own predicates.
//! Plain data, no floats; canonical form, sealing and storing are the ledger's.
//!
//! A record has to stay small enough for a leaf (64 KiB) whatever people write
//! into titles and comments, so long texts are cut and stand there by digest.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::facts::{AccountRef, Subject};
use crate::policy::{Enforcement, Mode};

use super::approvals::Door;
use super::breach::{breach_id, breach_record, breaches};
use super::decide::{ControlDecision, Decision, OverrideReport, OverrideState, WaiverReport};
use super::reviews::{ReviewOutcome, ReviewReport};
use super::triage::AcceptanceReport;

mod signatures;

use signatures::signatures;

/// Predicate type of the record of a decision.
pub const CHANGE_RECORD_TYPE: &str = "https://ccgate.dev/change-record/v1";
/// Predicate type of the record of a review that counts.
pub const REVIEW_RECORD_TYPE: &str = "https://ccgate.dev/override-review/v1";
/// Predicate type of the record of an accepted override, or of a breach.
pub const OVERRIDE_RECORD_TYPE: &str = "https://ccgate.dev/override/v1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const LONGEST_TEXT: usize = 2000;
const LONGEST_SENTENCE: usize = 400;
/// Most acceptances of findings in a record: the policy's digest says which others there were.
const MOST_ACCEPTED: usize = 30;
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
    /// The move of the branch, if every commit of it was accounted for. A later run
    /// goes on from there.
    pub branch_move: Option<BranchMove>,
}

/// From where to where a branch moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchMove {
    /// The tip before; `None`: there was no such branch.
    pub before: Option<String>,
    /// The tip after.
    pub after: String,
    /// The commits that came onto the first-parent line with it and that the ledger does not
    /// tell of yet, newest first. None: it is another look at what is told.
    pub commits: Vec<String>,
    /// Numbers of the changes that brought them.
    pub changes: Vec<u64>,
}

impl BranchMove {
    fn is_told(&self) -> bool {
        self.commits.is_empty()
    }
}

/// The in-toto statements of a decision: one change record, then one for each
/// accepted override, then one for each breach that was found. A decision about no commit leaves none: a statement has
/// to be about something.
pub fn records(decision: &Decision, context: &RecordContext) -> Vec<Value> {
    if decision.subject.head.is_empty() {
        return Vec::new();
    }
    let mut first = statement(
        &decision.subject,
        CHANGE_RECORD_TYPE,
        &change_record(decision, context),
    );
    if let Some(moved) = context
        .branch_move
        .as_ref()
        .filter(|moved| !moved.is_told())
    {
        first["subject"] = moved
            .commits
            .iter()
            .map(|sha| commit(&decision.subject, sha))
            .collect();
    }
    let mut records = vec![first];
    records.extend(
        decision
            .overrides
            .iter()
            .filter(|report| report.state == OverrideState::Accepted)
            .map(|report| {
                statement(
                    &decision.subject,
                    OVERRIDE_RECORD_TYPE,
                    &override_record(decision, report, context),
                )
            }),
    );
    records.extend(
        decision
            .reviews
            .iter()
            .filter(|review| review.refused.is_none())
            .map(|review| {
                let predicate = review_record(decision, review);
                statement(&decision.subject, REVIEW_RECORD_TYPE, &predicate)
            }),
    );
    records.extend(breaches(decision).map(|control| {
        statement(
            &decision.subject,
            OVERRIDE_RECORD_TYPE,
            &breach_record(decision, control, context),
        )
    }));
    records
}

fn statement(subject: &Subject, predicate_type: &str, predicate: &Value) -> Value {
    json!({
        "_type": STATEMENT_TYPE,
        "subject": [commit(subject, &subject.head)],
        "predicateType": predicate_type,
        "predicate": predicate,
    })
}

/// A subject. The others of a large move would not fit into a leaf with their names.
fn commit(subject: &Subject, sha: &str) -> Value {
    if sha == subject.head {
        json!({
            "name": format!("{}/{}@{sha}", subject.platform.word(), subject.repository),
            "digest": {"gitCommit": sha},
        })
    } else {
        json!({"digest": {"gitCommit": sha}})
    }
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
        "changes": moved.changes})
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

fn override_record(decision: &Decision, report: &OverrideReport, context: &RecordContext) -> Value {
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
            .map(super::decide::VerdictWord::word),
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
fn review_record(decision: &Decision, review: &ReviewReport) -> Value {
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

/// Who acted. The number is the platform's and outlives the login.
fn person(subject: &Subject, who: Option<&AccountRef>) -> Value {
    json!({
        "platform": subject.platform.word(),
        "login": who.map(|who| &who.login),
        "id": who.and_then(|who| who.id),
    })
}

/// The same override has the same id in every record about it.
pub(super) fn override_id(subject: &Subject, comment: &str, head: &str) -> String {
    let text = format!(
        "{}\n{}\n{}\n{}\n{}",
        subject.platform.word(),
        subject.repository,
        subject.change.unwrap_or_default(),
        comment,
        head
    );
    let digest = hex::encode(Sha256::digest(text.as_bytes()));
    format!("ovr_{}", &digest[..26])
}

pub(super) fn subject(subject: &Subject) -> Value {
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

pub(super) fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::Verdict;
    use crate::facts::Fact;
    use crate::gate::testing::{
        FIRST, REASON, SECOND, THIRD, command, comment, control as bound, decision, evidence,
        facts, fail, pass, policy, waiver as standing,
    };
    use crate::gate::undecided;

    fn context() -> RecordContext {
        RecordContext {
            tool: "ccgate".to_owned(),
            version: "0.1.0".to_owned(),
            snapshot_digest: Some("sha256:aa".to_owned()),
            platform_time: Some("2026-06-01T12:00:03Z".parse().expect("a literal timestamp")),
            review_within: Some("1 business day".to_owned()),
            branch_move: None,
        }
    }

    /// Each commit of a push has its record, and looking twice makes no second one.
    #[test]
    fn every_commit_of_a_move_is_a_subject_once() {
        let decision = decision(&policy(vec![bound(&FIRST, pass())]), &facts());
        let head = decision.subject.head.clone();
        let mut context = context();
        context.branch_move = Some(BranchMove {
            before: Some("b0".to_owned()),
            after: head.clone(),
            commits: vec![head.clone(), "c2".to_owned(), "c1".to_owned()],
            changes: vec![7],
        });
        let named = |context: &RecordContext| {
            let first = records(&decision, context).remove(0);
            let subjects = first["subject"].as_array().expect("a list").clone();
            let digests = subjects
                .iter()
                .map(|subject| subject["digest"]["gitCommit"].clone());
            (digests.collect::<Vec<_>>(), first["predicate"].clone())
        };
        let (digests, predicate) = named(&context);
        assert_eq!(digests, [json!(head), json!("c2"), json!("c1")]);
        assert_eq!(predicate["branch_move"]["commits"], 3);
        assert!(predicate["branch_move_again"].is_null());
        if let Some(moved) = &mut context.branch_move {
            moved.commits.clear();
        }
        let (digests, predicate) = named(&context);
        assert_eq!(digests, [json!(head)]);
        assert!(predicate["branch_move"].is_null());
        assert_eq!(predicate["branch_move_again"]["before"], "b0");
    }

    fn overridden() -> Decision {
        let mut policy = policy(vec![
            bound(&FIRST, fail()),
            bound(&SECOND, pass()),
            bound(&THIRD, fail()),
        ]);
        policy.waivers = vec![standing("third-thing-done", "*", "2026-06-30")];
        let mut facts = facts();
        facts.comments = Fact::known_without_source(vec![
            comment("900", "eve", "2026-06-01T10:30:00Z", &command().body),
            command(),
        ]);
        decision(&policy, &facts)
    }

    #[test]
    fn a_record_is_about_the_commit_and_says_who_when_why_and_until_when() {
        let records = records(&overridden(), &context());
        assert_eq!(records.len(), 2);
        let head = "f1".repeat(20);
        for record in &records {
            assert_eq!(record["_type"], "https://in-toto.io/Statement/v1");
            assert_eq!(record["subject"][0]["digest"]["gitCommit"], head.as_str());
        }
        assert_eq!(records[0]["predicateType"], CHANGE_RECORD_TYPE);
        assert_eq!(records[1]["predicateType"], OVERRIDE_RECORD_TYPE);
        let given = &records[1]["predicate"];
        assert_eq!(given["approver"]["login"], "lead");
        assert_eq!(given["approved_at"]["forge_time"], "2026-06-01T11:00:00Z");
        assert_eq!(given["expires_at"], "2026-06-01T15:00:00Z");
        assert_eq!(given["ticket"]["key"], "INC-482");
        assert_eq!(given["reason_text"], REASON);
        assert_eq!(given["control_ids"][0], "first-thing-done");
        assert_eq!(given["scope"]["head"], head.as_str());
        assert_eq!(given["review"]["due"], "1 business day");
    }

    #[test]
    fn nothing_is_filtered_out_of_the_record() {
        let records = records(&overridden(), &context());
        let change = &records[0]["predicate"];
        assert_eq!(change["decision"], "allow");
        let controls: Vec<_> = change["controls"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|control| (control["verdict"].as_str(), control["disposition"].as_str()))
            .collect();
        assert_eq!(
            controls,
            [
                (Some("fail"), Some("overridden")),
                (Some("pass"), None),
                (Some("fail"), Some("waived"))
            ]
        );
        assert_eq!(change["waivers"][0]["state"], "applied");
        let states: Vec<_> = change["overrides"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|entry| entry["state"].as_str().expect("a word"))
            .collect();
        assert_eq!(states, ["requested", "accepted"]);
        assert_eq!(change["platform_time"], "2026-06-01T12:00:03Z");
        assert_eq!(change["integrity_level"], "G0");
    }

    #[test]
    fn the_same_decision_gives_the_same_record() {
        assert_eq!(
            records(&overridden(), &context()),
            records(&overridden(), &context())
        );
    }

    #[test]
    fn a_flood_of_text_does_not_keep_the_record_out_of_the_ledger() {
        let flood = "🦀".repeat(10_000);
        let mut controls = Vec::new();
        for meta in [&FIRST, &SECOND, &THIRD] {
            controls.push(bound(meta, Ok(Verdict::fail(evidence(&flood)))));
        }
        let mut facts = facts();
        if let Fact::Known { value, .. } = &mut facts.identity {
            value.title.clone_from(&flood);
        }
        let mut comments: Vec<_> = (0..500)
            .map(|n| {
                let body = format!("/ccgate override {flood} {flood} {flood}");
                comment(&n.to_string(), "eve", "2026-06-01T10:30:00Z", &body)
            })
            .collect();
        let mut accepted = command();
        accepted.body.push_str(&flood);
        comments.push(accepted);
        facts.comments = Fact::known_without_source(comments);
        let records = records(&decision(&policy(controls), &facts), &context());
        assert_eq!(records.len(), 2);
        assert_eq!(records[0]["predicate"]["overrides_left_out"], 480);
        for record in records {
            let size = record.to_string().len();
            assert!(size < 64 * 1024, "{size}");
        }
    }

    #[test]
    fn a_decision_that_could_not_be_made_is_recorded_too() {
        let records = records(&undecided(&facts(), "no answer".to_owned()), &context());
        assert_eq!(records[0]["predicate"]["decision"], "undecided");
        assert_eq!(records[0]["predicate"]["problem"], "no answer");
        assert_eq!(records[0]["predicate"]["policy"], Value::Null);
    }
}
