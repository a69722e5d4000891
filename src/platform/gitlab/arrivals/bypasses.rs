//! Who went around an approval policy: by a reason given on a merge request, by a push with
//! one, as an account or from a branch that the policy excepts, or because a policy let the
//! merge through unapproved. GitLab writes it into the audit logs of the projects that hold
//! the policies; its first versions wrote into the project's own.
//! <https://docs.gitlab.com/user/compliance/audit_event_types/>

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::facts::{AccountRef, Fact, FactKey, RuleBypass, RuleBypasses, Source, Unknown, Why};
use crate::platform::join;

use super::super::wire::{Pages, Read, User, list, object};
use super::super::{Session, permissions};
use super::policies::{self, Holder, Policies};

const KEY: FactKey = FactKey::BranchBypasses;
const NEEDS: &str = permissions::POLICIES;
/// How far back the logs are read.
const DAYS: i64 = 90;
/// Entries of that time in one log; a longer log stays unknown.
const MOST: usize = 1000;
/// People whose names are asked for; the rest stays unnamed.
const MOST_PEOPLE: usize = 20;
/// From now on another project holds the policies, or none does.
const RELINKED: &str = "policy_project_updated";

#[derive(Debug, Deserialize)]
struct Entry {
    id: Option<u64>,
    /// Negative for what is no account.
    author_id: Option<i64>,
    event_name: Option<String>,
    created_at: Option<Timestamp>,
    details: Option<Details>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    event_name: Option<String>,
    /// The project that the policy was for.
    project_id: Option<u64>,
    merge_request_iid: Option<u64>,
    branch_name: Option<String>,
    security_policy_name: Option<String>,
    reason: Option<String>,
    policy_approval_rules: Option<Vec<ApprovalRule>>,
}

#[derive(Debug, Deserialize)]
struct ApprovalRule {
    approvals_required: Option<usize>,
    approved: Option<bool>,
    approved_approvers: Option<Vec<String>>,
    invalid_rule: Option<bool>,
    fail_open: Option<bool>,
}

/// Whose log an entry stands in.
#[derive(Clone, Copy)]
struct Of<'a> {
    project: u64,
    branch: &'a str,
    log: &'a str,
}

/// What one log tells; who it was is a number until it is asked.
#[derive(Debug, Default)]
struct Told {
    found: Vec<(RuleBypass, Option<u64>)>,
    unseen: Option<Unknown>,
    /// Since when the projects are those that hold the policies now.
    since: Option<Timestamp>,
}

impl Of<'_> {
    fn nothing_said(self, entry: Option<u64>) -> Unknown {
        Unknown::new(
            KEY.name(),
            Why::HiddenOrAbsent,
            format!(
                "entry {} of the audit log of {} does not say what was let through, or when",
                in_words(entry),
                self.log
            ),
        )
    }
}

pub(super) async fn ask(session: &Session, branch: &str) -> Fact<Option<RuleBypasses>> {
    let (policies, mut sources) = policies::ask(session).await;
    let (project, holders) = match policies {
        Ok(Policies::NotSold) => return Fact::seen_in(None, sources),
        Ok(Policies::HeldBy { project, holders }) => (project, holders),
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let now = session
        .transport
        .platform_time()
        .unwrap_or(session.setup.now);
    let since = now
        .checked_sub(SignedDuration::from_hours(DAYS * 24))
        .unwrap_or(now);
    session.transport.begin_wave();
    let own = session.path("");
    let logs = holders
        .iter()
        .filter(|holder| holder.id != project)
        .map(|holder| (format!("/projects/{}", holder.id), Some(holder)))
        .chain(std::iter::once((own, None)));
    let logs: Vec<(String, Option<&Holder>)> = logs.collect();
    let answers = join::all(logs.iter().map(|(base, _)| async move {
        let path = format!("{base}/audit_events?created_after={}", first_day(since));
        session.settings.get_at_most(&path, MOST).await
    }))
    .await;
    let mut all = Told::default();
    for ((_, holder), pages) in logs.iter().zip(&answers) {
        let log = holder.map_or("the project", |holder| holder.path.as_str());
        let whole = match holder {
            Some(holder) => holder.whole_log,
            None => !super::super::collect::weaker_than_maintainer(&session.opened.project),
        };
        let of = Of {
            project,
            branch,
            log,
        };
        let told = told(pages, of, whole, &mut sources);
        all.found.extend(told.found);
        all.unseen = all.unseen.or(told.unseen);
        all.since = all.since.max(told.since);
    }
    let names = names(session, &all.found).await;
    let found: Vec<RuleBypass> = all
        .found
        .into_iter()
        .map(|(bypass, id)| RuleBypass {
            actor: id.and_then(|id| names.get(&id).cloned()),
            ..bypass
        })
        .collect();
    // What other projects held before is on record there, where nobody looks.
    let whole_since = all.since.map_or(since, |relinked| relinked.max(since));
    let in_use = !holders.is_empty() || !found.is_empty() || all.since.is_some();
    Fact::seen_in(
        Some(RuleBypasses {
            since: whole_since,
            // A merge request is let through when it is opened, or any time after.
            early_since: in_use.then_some(whole_since),
            found,
            unseen: all.unseen,
        }),
        sources,
    )
}

/// A day before, since nobody says in which time zone the server's days begin.
fn first_day(since: Timestamp) -> String {
    let day = since
        .checked_sub(SignedDuration::from_hours(24))
        .unwrap_or(since);
    day.strftime("%Y-%m-%d").to_string()
}

fn told(pages: &Pages, of: Of<'_>, whole: bool, sources: &mut Vec<Source>) -> Told {
    let read: Read<Vec<Entry>> = list(KEY.name(), NEEDS, pages);
    let (entries, seen) = match read {
        Ok(read) => read,
        Err(unknown) => {
            return Told {
                unseen: Some(unknown),
                ..Told::default()
            };
        }
    };
    sources.extend(seen);
    let mut told = Told {
        // Others see their own entries only, which looks like a short log.
        unseen: (!whole).then(|| {
            Unknown::new(
                KEY.name(),
                Why::NotPermitted,
                format!(
                    "the audit log of {} is shown to maintainers; others see their own entries",
                    of.log
                ),
            )
            .needs(NEEDS)
        }),
        ..Told::default()
    };
    for entry in entries {
        let details = entry.details.unwrap_or_default();
        let Some(name) = entry.event_name.or_else(|| details.event_name.clone()) else {
            // Entries of old kinds have no name; none of them is about policies.
            continue;
        };
        if name == RELINKED {
            // Whatever the message says, it has names in it that people chose.
            match entry.created_at {
                Some(at) => told.since = told.since.max(Some(at)),
                None => told.unseen = told.unseen.or_else(|| Some(of.nothing_said(entry.id))),
            }
        }
        let elsewhere = details.project_id.is_some_and(|id| id != of.project);
        if !goes_around(&name) || elsewhere || was_approved(&name, &details) {
            continue;
        }
        let by_push = name.contains("push");
        let change = details.merge_request_iid.filter(|_| !by_push);
        let other_branch = match (change, details.branch_name.as_deref()) {
            (Some(_), _) => false,
            (None, Some(name)) if by_push => name != of.branch,
            // One about a merge request names its target too, long before the branch moves.
            (None, Some(_) | None) => {
                told.unseen = told.unseen.or_else(|| Some(of.nothing_said(entry.id)));
                continue;
            }
        };
        if other_branch {
            continue;
        }
        let policy = details.security_policy_name;
        let policy = policy.map_or_else(String::new, |name| format!(" \"{name}\""));
        let bypass = RuleBypass {
            change,
            allowed_by: Some(Vec::new()),
            reason: details.reason.filter(|reason| !reason.trim().is_empty()),
            record: Some(format!(
                "approval policy{policy}, {name}, entry {} of the audit log of {}",
                in_words(entry.id),
                of.log
            )),
            at: entry.created_at,
            ..RuleBypass::default()
        };
        let author = entry.author_id.and_then(|id| u64::try_from(id).ok());
        told.found.push((bypass, author));
    }
    told
}

fn in_words(id: Option<u64>) -> String {
    id.map_or_else(|| "without a number".to_owned(), |id| id.to_string())
}

/// Whether events of that name tell of going around a policy. Only the name says so, which
/// is the platform's own; one that is new is taken for one where it reads like one.
fn goes_around(name: &str) -> bool {
    let has = |word| name.contains(word);
    has("polic") && (has("bypass") || has("merged_with"))
}

/// Findings that a policy stops and that its approvers then allowed are what the policy is
/// for. Who approved is judged elsewhere.
fn was_approved(name: &str, details: &Details) -> bool {
    if name.contains("bypass") {
        return false;
    }
    let rules = details.policy_approval_rules.as_deref();
    rules.is_some_and(|rules| {
        !rules.is_empty()
            && rules.iter().all(|rule| {
                let by = rule.approved_approvers.as_ref().map_or(0, Vec::len);
                rule.approved == Some(true)
                    && rule.fail_open == Some(false)
                    && rule.invalid_rule == Some(false)
                    && rule
                        .approvals_required
                        .is_some_and(|least| least > 0 && by >= least)
            })
    })
}

/// The accounts of these numbers, as far as they are told.
async fn names(
    session: &Session,
    found: &[(RuleBypass, Option<u64>)],
) -> BTreeMap<u64, AccountRef> {
    let mut ids: Vec<u64> = found.iter().filter_map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.truncate(MOST_PEOPLE);
    if ids.is_empty() {
        return BTreeMap::new();
    }
    session.transport.begin_wave();
    let told = join::all(ids.iter().map(|id| async move {
        let reply = session.settings.get(&format!("/users/{id}")).await;
        let read: Read<User> = object(KEY.name(), NEEDS, &reply);
        let user = read.ok()?.0;
        let login = user.username.filter(|name| !name.is_empty())?;
        // An answer about somebody else names nobody.
        (user.id == Some(*id)).then_some((
            *id,
            AccountRef {
                login,
                id: Some(*id),
            },
        ))
    }))
    .await;
    told.into_iter().flatten().collect()
}

#[cfg(test)]
#[path = "bypasses_tests.rs"]
mod tests;
