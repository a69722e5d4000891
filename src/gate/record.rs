//! What is written of a decision: in-toto statements with our own predicates.
//! Plain data, no floats; canonical form, sealing and storing are the ledger's.
//!
//! A record has to stay small enough for a leaf (64 KiB) whatever people write
//! into titles and comments, so long texts are cut and stand there by digest.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::facts::{AccountRef, Subject, ToldBy};

use super::breach::{breach_record, breaches};
use super::decide::{Decision, OverrideState};

mod change;
mod overrides;
mod signatures;

use change::change_record;
use overrides::{override_record, review_record};

/// Predicate type of the record of a decision.
pub const CHANGE_RECORD_TYPE: &str = "https://ccgate.dev/change-record/v1";
/// Predicate type of the record of a review that counts.
pub const REVIEW_RECORD_TYPE: &str = "https://ccgate.dev/override-review/v1";
/// Predicate type of the record of an accepted override, or of a breach.
pub const OVERRIDE_RECORD_TYPE: &str = "https://ccgate.dev/override/v1";

const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
const LONGEST_TEXT: usize = 2000;
const LONGEST_SENTENCE: usize = 400;

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

/// One move by the platform's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedMove {
    /// The tip before; `None`: there was no such branch.
    pub before: Option<String>,
    /// The tip after.
    pub after: String,
    /// When, by the platform's clock.
    pub at: Option<Timestamp>,
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
    /// The moves that the platform's log has of it, newest first, and whichever others of the log nobody
    /// had looked at; `None`: the log could not be read.
    pub moves: Option<Vec<LoggedMove>>,
    /// Who told the tip before; `None`: a saved snapshot says where it was.
    pub told_by: Option<ToldBy>,
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
mod tests;
