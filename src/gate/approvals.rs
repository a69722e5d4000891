//! Approvals of overrides by a second person. Read from comments as the overrides are, and from the
//! environments that the policy names, rule by rule; one that does not count is reported with the
//! rule that it broke.

use std::borrow::Cow;

use jiff::Timestamp;

use crate::facts::{AccountRef, Comment, Identified as _, Snapshot};
use crate::policy::Policy;

use super::clocks::is_later;
use super::command::Command;
use super::decide::{Approval, OverrideReport, OverrideState};
use super::independence::{apart, independent, may_override, person_behind};
use super::overrides::commands;
use super::record::override_id;
use super::reviews::named;
use super::signature::{self, KeySource, Says, Signed};

use short::Short;

pub use short::short_approval;

mod environment;
mod short;

/// Where an approval was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// In a comment on the change.
    Comment,
    /// Where the run that judges waited for an environment.
    Environment,
}

impl Door {
    /// The word, as it stands in decisions and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Comment => "comment",
            Self::Environment => "environment",
        }
    }
}

/// A command that approves, wherever it was written.
struct Written<'f> {
    comment: Cow<'f, Comment>,
    door: Door,
    /// Id of the override that it names.
    of: String,
    /// Its signature, if it is in the short form.
    short: Option<Short>,
    /// Whether a job may have given it in its author's name.
    by_jobs: bool,
    /// Why it does not count, whoever wrote it.
    objection: Option<String>,
}

/// One approval command found on the change.
#[derive(Clone, Debug)]
pub struct ApprovalReport {
    /// Id of the comment; `environment:RUN:ACCOUNT:ID` of an approval in an environment.
    pub id: String,
    /// Where it was given.
    pub door: Door,
    /// Id of the override that it names.
    pub of: String,
    /// Who wrote it.
    pub by: Option<AccountRef>,
    /// When, by the platform's clock; in an environment when it was seen.
    pub at: Timestamp,
    /// The signature of who wrote it; `None`: it has none, or it does not count.
    pub signature: Option<Signed>,
    /// Why it does not count; `None`: it does.
    pub refused: Option<String>,
    /// Whether it was refused because its author asked for the override, or is not shown to have
    /// had no hand in the change.
    pub self_approved: bool,
}

/// Every approval command, oldest first.
pub(super) fn approvals(
    policy: &Policy,
    facts: &Snapshot,
    overrides: &[OverrideReport],
) -> Vec<ApprovalReport> {
    let mut approvals: Vec<ApprovalReport> = written(policy, facts)
        .map(|written| {
            let asked = find(facts, overrides, &written.of);
            let (signature, refused) = match outcome(policy, facts, &written, overrides) {
                Ok(approval) => (approval.signature, None),
                Err(why) => (None, Some(why)),
            };
            let comment = &written.comment;
            ApprovalReport {
                id: comment.id.clone(),
                door: written.door,
                by: comment.author.as_ref().map(AccountRef::from),
                at: comment.created_at,
                signature,
                // A job could have said it in the name of somebody who did not.
                self_approved: refused.is_some()
                    && !written.by_jobs
                    && asked.is_some_and(|asked| own(facts, comment, asked)),
                refused,
                of: written.of,
            }
        })
        .collect();
    approvals.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    approvals
}

/// The first approval of the override that counts.
pub(super) fn of(policy: &Policy, facts: &Snapshot, asked: &OverrideReport) -> Option<Approval> {
    let id = override_id(&facts.subject, &asked.id, &asked.head);
    let valid = written(policy, facts)
        .filter(|written| written.of == id)
        .filter_map(|written| judge(policy, facts, &written, asked).ok());
    valid.min_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)))
}

fn written<'f>(policy: &Policy, facts: &'f Snapshot) -> impl Iterator<Item = Written<'f>> {
    let comments = commands(facts).filter_map(|(comment, command)| match command {
        Command::Approve { of } => Some(Written {
            comment: Cow::Borrowed(comment),
            door: Door::Comment,
            of,
            short: None,
            by_jobs: false,
            objection: match Short::of(&comment.body) {
                Ok(Some(_)) => Some(
                    "a signature in the short form counts at a deployment only: in a comment it takes the \
                     whole form, `ccgate override approve ID --signature FILE.sig`"
                        .to_owned(),
                ),
                // Other words behind the id are no claim to be signed.
                Ok(None) | Err(_) => None,
            },
        }),
        Command::Override(_) | Command::Revoke { .. } | Command::Review { .. } => None,
    });
    let at_the_door = environment::at_the_door(policy, facts).into_iter();
    comments.chain(at_the_door.map(|one| Written {
        comment: Cow::Owned(one.comment),
        door: Door::Environment,
        of: one.of,
        short: one.short,
        by_jobs: one.by_jobs,
        objection: one.objection,
    }))
}

/// The override for the head as it is that has this id.
fn find<'o>(
    facts: &Snapshot,
    overrides: &'o [OverrideReport],
    id: &str,
) -> Option<&'o OverrideReport> {
    overrides
        .iter()
        .find(|report| override_id(&facts.subject, &report.id, &report.head) == id)
}

/// Whether its author asked for the override, or may have had a hand in the change.
fn own(facts: &Snapshot, comment: &Comment, asked: &OverrideReport) -> bool {
    comment.author.as_ref().is_some_and(|author| {
        asked.by.as_ref().is_some_and(|by| author.may_be(by)) || independent(facts, author).is_err()
    })
}

/// What becomes of an approval.
fn outcome(
    policy: &Policy,
    facts: &Snapshot,
    written: &Written<'_>,
    overrides: &[OverrideReport],
) -> Result<Approval, String> {
    let id = written.of.as_str();
    match find(facts, overrides, id) {
        Some(asked) if asked.state == OverrideState::Refused => {
            Err(format!("the override itself is refused: {}", asked.why))
        }
        Some(asked) => judge(policy, facts, written, asked),
        None if named(facts, overrides, id).is_some() => {
            Err("it names an override for an older head; a new push needs a new one".to_owned())
        }
        None => Err("the change has no override of that id".to_owned()),
    }
}

/// The rules in the order in which people can mend them. The id that was named holds the head
/// as it is, so what is approved here is approved for that.
fn judge(
    policy: &Policy,
    facts: &Snapshot,
    written: &Written<'_>,
    asked: &OverrideReport,
) -> Result<Approval, String> {
    if let Some(objection) = &written.objection {
        return Err(objection.clone());
    }
    let comment = &*written.comment;
    let by_a_job = || {
        "here a job can approve in the name of whoever started it, so that it counts only with a \
         signature by a key of the policy: `/ccgate approve ID signed TIME SIGNATURE`, or approve by a \
         comment on the change"
            .to_owned()
    };
    // Before anything is said of a person who may know nothing of it.
    if written.by_jobs && written.short.is_none() && !signature::is_meant(&comment.body) {
        return Err(by_a_job());
    }
    let author = person_behind(comment)?;
    // Whoever asked and cannot be told may be the same person.
    let asker = asked
        .by
        .as_ref()
        .ok_or("the account that asked for the override is gone; ask for a new one")?;
    apart(author, asker, "asked for the override")
        .map_err(|why| format!("{why}; somebody else has to approve it"))?;
    may_override(&policy.overrides, facts, author).map_err(|(_, why)| why)?;
    independent(facts, author).map_err(|(_, why)| why)?;
    let at = comment.created_at;
    if at <= asked.at {
        return Err("it was written before the override was asked for".to_owned());
    }
    if is_later(at, facts.latest_time()) {
        return Err(format!("it was written at {at}, which is later than now"));
    }
    let id = override_id(&facts.subject, &asked.id, &asked.head);
    let says = Says::Approves {
        id: &id,
        words: &asked.words,
        reason: &asked.text,
    };
    let rules = &policy.overrides;
    let signature = match &written.short {
        Some(short) => Some(short.judge(rules, facts, comment, author, &says)?),
        None => signature::of(rules, facts, comment, author, &says)?,
    };
    let listed = |signed: &Signed| signed.source == KeySource::Policy;
    if written.by_jobs && !signature.as_ref().is_some_and(listed) {
        return Err(by_a_job());
    }
    if rules.signed && signature.is_none() {
        return Err(
            "the policy wants it signed (`overrides.signed`): write a new one with a signature"
                .to_owned(),
        );
    }
    match asked.expires {
        Some(expires) if at <= expires => Ok(Approval {
            id: comment.id.clone(),
            door: written.door,
            by: AccountRef::from(author),
            at,
            signature,
        }),
        Some(expires) => Err(format!(
            "it was written after the override had run out at {expires}; ask for a new one"
        )),
        None => Err("the end of the override cannot be reckoned".to_owned()),
    }
}

#[cfg(test)]
mod tests;
