//! Requests to push a commit that push rules refuse, which somebody else allows or not
//! (delegated bypass). They are about commits, whatever branch those were pushed to.
//! <https://docs.github.com/rest/repos/bypass-requests>

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{AccountRef, FactKey, RuleBypass, Source, Unknown};
use crate::platform::access;
use crate::platform::transport::{Listing, NoAnswer};

use super::super::client::Client;
use super::super::{Session, wire};

/// Who may review such requests sees them, and that takes the right to push.
const NEEDS: &str = "Contents: write";

/// What was asked for in the last month.
pub(super) struct Requests {
    pub(super) found: Vec<RuleBypass>,
    /// Whether there is anything that could be asked for.
    pub(super) in_use: bool,
    pub(super) sources: Vec<Source>,
}

#[derive(Debug, Deserialize)]
struct Request {
    number: Option<u64>,
    requester: Option<Actor>,
    /// The commit.
    resource_identifier: Option<String>,
    status: Option<String>,
    requester_comment: Option<String>,
    created_at: Option<Timestamp>,
    responses: Option<Vec<Response>>,
}

#[derive(Debug, Deserialize)]
struct Actor {
    actor_id: Option<u64>,
    actor_name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Response {
    reviewer: Option<Actor>,
    status: Option<String>,
    created_at: Option<Timestamp>,
}

/// The list is asked for even where no push rules are left: they may have been taken away
/// after something went around them. Only then does it say nothing that it is refused.
pub(super) async fn ask(session: &Session, client: &Client) -> Result<Requests, Unknown> {
    let path = format!(
        "{}/bypass-requests/push-rules?time_period=month&request_status=all",
        session.repository_path(),
    );
    read(
        &client.get_all(&path, None).await,
        may_stand(session.heads.as_deref()),
    )
}

/// Whether push rules may be in force; so it is where the list of rulesets was not seen.
fn may_stand(heads: Option<&[wire::RulesetHead]>) -> bool {
    let is = |word: &Option<String>, all: &[&str]| {
        word.as_deref()
            .is_some_and(|word| all.iter().any(|one| word.eq_ignore_ascii_case(one)))
    };
    heads.is_none_or(|heads| {
        heads.iter().any(|head| {
            !is(&head.target, &["BRANCH", "TAG", "REPOSITORY"])
                && !is(&head.enforcement, &["DISABLED"])
        })
    })
}

fn read(list: &Result<Listing, NoAnswer>, may_stand: bool) -> Result<Requests, Unknown> {
    let fact = FactKey::BranchBypasses.name();
    let listing = match list {
        Ok(listing) => listing,
        // What is not sold, not used, or not shown is answered alike.
        Err(NoAnswer::Status(answer)) if !may_stand && matches!(answer.status, 403 | 404) => {
            return Ok(Requests {
                found: Vec::new(),
                in_use: false,
                sources: vec![answer.source.clone()],
            });
        }
        Err(refusal) => return Err(access::refused(fact, NEEDS, refusal)),
    };
    let malformed = |detail: &str| access::malformed(fact, &listing.endpoint, 200, detail);
    let mut found = Vec::new();
    for item in &listing.items {
        let request = Request::deserialize(item).map_err(|error| malformed(&error.to_string()))?;
        found.push(
            bypass(request)
                .ok_or_else(|| malformed("a request to go around push rules names no commit"))?,
        );
    }
    Ok(Requests {
        in_use: may_stand || !found.is_empty(),
        found,
        sources: listing.sources.clone(),
    })
}

/// Whatever became of the request: a commit that push rules refused once and that stands on
/// the branch went around them, or around the refusal.
fn bypass(request: Request) -> Option<RuleBypass> {
    let commit = request
        .resource_identifier
        .filter(|id| matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let answered = request.responses.is_some();
    let approvals: Vec<&Response> = request
        .responses
        .iter()
        .flatten()
        // A word that is not known may be one for yes.
        .filter(|one| !matches!(one.status.as_deref(), Some("denied" | "dismissed")))
        .collect();
    let allowed_by: Option<Vec<AccountRef>> = approvals
        .iter()
        .map(|one| one.reviewer.as_ref().and_then(account))
        .collect();
    let last = approvals.iter().filter_map(|one| one.created_at).max();
    let number = request
        .number
        .map_or_else(|| "without a number".to_owned(), |n| n.to_string());
    let status = request.status.as_deref().unwrap_or("without a status");
    Some(RuleBypass {
        after: None,
        commit: Some(commit),
        change: None,
        actor: request.requester.as_ref().and_then(account),
        // That nobody allowed it is believed only where it was not allowed.
        allowed_by: allowed_by.filter(|all| {
            let refused = matches!(status, "denied" | "cancelled" | "expired" | "open");
            !all.is_empty() || answered && refused
        }),
        reason: request.requester_comment,
        record: Some(format!("push rules, request {number}, {status}")),
        at: last.or(request.created_at),
    })
}

fn account(actor: &Actor) -> Option<AccountRef> {
    let login = actor.actor_name.clone().filter(|name| !name.is_empty())?;
    Some(AccountRef {
        login,
        id: actor.actor_id,
    })
}

#[cfg(test)]
#[path = "push_rules_tests.rs"]
mod tests;
