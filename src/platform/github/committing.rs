//! A commit on a branch that GitHub makes itself: one mutation, which compares where the branch
//! stands and signs with GitHub's key. Sent once. What is in the commit, and whether it is asked for again, is
//! the ledger's to say.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::Setup;
use super::super::transport::{
    Answer, GraphqlAnswer, GraphqlError, Limits, NoAnswer, Transport, TransportErrorKind,
};
use super::client::Client;

const OPERATION: &str = "CcgateAppend";
/// <https://docs.github.com/graphql/reference/mutations#createcommitonbranch>
pub(super) const MUTATION: &str = "mutation CcgateAppend($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";

/// Most bytes of names and files in one request, before they are encoded, which makes them a third more.
pub(super) const MOST_BYTES: usize = 24 << 20;
/// For one request with its answer. The transport ends a single try earlier.
const TOTAL: Duration = Duration::from_secs(60);
/// Longest message of an error that is repeated, in characters.
const LONGEST_MESSAGE: usize = 200;
/// Most errors of one answer that are repeated.
const MOST_ERRORS: usize = 3;

const LACKS_RIGHT: &str = "the token may not write to the repository: give the job `contents: write`, or set `CCGATE_LEDGER_TOKEN` to a token that has it";
const RULE: &str = "a rule of the branch forbids it: let the account of the token write there, and demand no reviews or checks of the ledger's branch";
const LIMIT: &str = "the platform's rate limit is used up; run it again later";
const TOO_OLD: &str = "this server's API cannot make commits; name the ledger with `git+https://HOST/PATH#BRANCH`, and it is pushed to";

/// A commit that is to be made.
#[derive(Clone, Copy, Debug)]
pub struct CommitWanted<'a> {
    /// The branch's full name, `refs/heads/…`.
    pub reference: &'a str,
    /// The commit that the branch has to stand at; it becomes the parent.
    pub expected_head: &'a str,
    /// The message, one line.
    pub headline: &'a str,
    /// Bytes for each file that is written, `None` for one that is removed.
    pub changes: &'a BTreeMap<String, Option<Vec<u8>>>,
}

/// What came of it. The texts repeat what the platform said, which is untrusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitAnswer {
    /// The platform names the commit that it made.
    Made(String),
    /// It made none; the branch stands elsewhere, or something else is in the way.
    Refused(String),
    /// It made none and will not, however often it is asked.
    Denied(String),
    /// Whether it made one is not known.
    Unclear(String),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Input<'a> {
    branch: Branch<'a>,
    expected_head_oid: &'a str,
    message: Message<'a>,
    file_changes: FileChanges<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Branch<'a> {
    repository_name_with_owner: &'a str,
    branch_name: &'a str,
}

#[derive(Serialize)]
struct Message<'a> {
    headline: &'a str,
}

#[derive(Serialize)]
struct FileChanges<'a> {
    additions: Vec<Addition<'a>>,
    deletions: Vec<Deletion<'a>>,
}

#[derive(Serialize)]
struct Addition<'a> {
    path: &'a str,
    /// In base64.
    contents: String,
}

#[derive(Serialize)]
struct Deletion<'a> {
    path: &'a str,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "createCommitOnBranch")]
    payload: Option<Payload>,
}

#[derive(Deserialize)]
struct Payload {
    commit: Option<Commit>,
}

#[derive(Deserialize)]
struct Commit {
    oid: Option<String>,
}

/// Has GitHub make the commit in the setup's repository, with the setup's token. One request, never
/// repeated: the answer to a first one that was lost would be a refusal of the second.
///
/// # Errors
/// If the client cannot be set up; then nothing was sent.
pub async fn commit_on_branch(
    setup: &Setup,
    wanted: &CommitWanted<'_>,
) -> anyhow::Result<CommitAnswer> {
    let size = size(wanted.changes);
    if size > MOST_BYTES {
        return Ok(CommitAnswer::Denied(format!(
            "the append is {size} bytes large, and at most {MOST_BYTES} are sent through the platform's API; name the ledger with `git+https://HOST/PATH#BRANCH`, and it is pushed"
        )));
    }
    let limits = Limits {
        in_flight: 1,
        total: TOTAL,
        attempts: 1,
    };
    let transport = Transport::new(
        setup.ca_bundle.as_deref(),
        limits,
        &setup.program,
        &setup.place.graphql,
    )?;
    let client = Client::new(&setup.place, &setup.token, &transport)?;
    let input = json!({"input": input(&setup.place.repository, wanted)});
    Ok(match client.graphql(OPERATION, MUTATION, input).await {
        Ok(answer) => judged(&answer),
        Err(NoAnswer::Status(answer)) => refused(&answer),
        Err(NoAnswer::Transport(error)) if error.kind == TransportErrorKind::RateLimited => {
            CommitAnswer::Denied(format!("{error}; {LIMIT}"))
        }
        Err(NoAnswer::Transport(error)) => CommitAnswer::Unclear(error.to_string()),
    })
}

fn size(changes: &BTreeMap<String, Option<Vec<u8>>>) -> usize {
    let one = |(path, bytes): (&String, &Option<Vec<u8>>)| {
        let bytes = bytes.as_ref().map_or(0, Vec::len);
        path.len().saturating_add(bytes)
    };
    changes.iter().map(one).fold(0, usize::saturating_add)
}

fn input<'a>(repository: &'a str, wanted: &CommitWanted<'a>) -> Input<'a> {
    let mut file_changes = FileChanges {
        additions: Vec::new(),
        deletions: Vec::new(),
    };
    for (path, bytes) in wanted.changes {
        match bytes {
            Some(bytes) => file_changes.additions.push(Addition {
                path,
                contents: STANDARD.encode(bytes),
            }),
            None => file_changes.deletions.push(Deletion { path }),
        }
    }
    Input {
        branch: Branch {
            repository_name_with_owner: repository,
            branch_name: wanted.reference,
        },
        expected_head_oid: wanted.expected_head,
        message: Message {
            headline: wanted.headline,
        },
        file_changes,
    }
}

/// An answer with data or errors. Both at once say two things, so neither counts.
fn judged(answer: &GraphqlAnswer) -> CommitAnswer {
    let made = answer.data.as_ref().and_then(|data| {
        let data = Data::deserialize(data).ok()?;
        data.payload?.commit?.oid
    });
    let said = words(&answer.errors);
    match (made, answer.errors.is_empty()) {
        (Some(id), true) => CommitAnswer::Made(id),
        (Some(_), false) => CommitAnswer::Unclear(format!(
            "the platform names a commit, and errors beside it: {said}"
        )),
        (None, true) => CommitAnswer::Unclear("the platform's answer names no commit".to_owned()),
        (None, false) => match answer.errors.iter().find_map(hopeless) {
            // What to do stands at the end, where messages are not cut.
            Some(why) => CommitAnswer::Denied(format!("{said}; {why}")),
            // A branch that moved on (`STALE_DATA`) among them. Whatever it is called, the next
            // look at the branch tells.
            None => CommitAnswer::Refused(said),
        },
    }
}

/// Why no other try would help, if the error says so. What is not known here is tried again.
fn hopeless(error: &GraphqlError) -> Option<&'static str> {
    let words = error.message.to_lowercase();
    match error.kind.as_deref() {
        Some("FORBIDDEN" | "INSUFFICIENT_SCOPES") => Some(LACKS_RIGHT),
        Some("BRANCH_PROTECTION_RULE_VIOLATION") => Some(RULE),
        Some("undefinedField" | "undefinedType") => Some(TOO_OLD),
        // Rulesets have no kind of error of their own.
        _ if words.contains("rule violation") || words.contains("protected branch") => Some(RULE),
        _ => None,
    }
}

fn words(errors: &[GraphqlError]) -> String {
    let one = |error: &GraphqlError| {
        let message: String = error.message.chars().take(LONGEST_MESSAGE).collect();
        match &error.kind {
            Some(kind) => format!("{message} [{kind}]"),
            None => message,
        }
    };
    let told: Vec<String> = errors.iter().take(MOST_ERRORS).map(one).collect();
    told.join("; ")
}

/// An answer without success. A server in trouble may have made the commit all the same.
fn refused(answer: &Answer) -> CommitAnswer {
    let message = answer.message();
    let said = format!("{} answered {} {message}", answer.endpoint, answer.status);
    match answer.status {
        401 | 403 => CommitAnswer::Denied(format!("{said}; {LACKS_RIGHT}")),
        404 | 413 => CommitAnswer::Denied(said),
        400..=499 => CommitAnswer::Refused(said),
        _ => CommitAnswer::Unclear(said),
    }
}
