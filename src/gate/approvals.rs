//! Approvals of overrides by a second person. Read from comments as the overrides are, rule
//! by rule; one that does not count is reported with the rule that it broke.

use jiff::Timestamp;

use crate::facts::{AccountRef, Comment, Identified as _, Snapshot};
use crate::policy::Policy;

use super::command::Command;
use super::decide::{Approval, OverrideReport, OverrideState};
use super::independence::{apart, independent, may_override, person_behind};
use super::overrides::{CLOCK_TOLERANCE, commands};
use super::record::override_id;
use super::reviews::named;
use super::signature::{self, Says, Signed};

/// One approval command found on the change.
#[derive(Clone, Debug)]
pub struct ApprovalReport {
    /// Id of the comment.
    pub id: String,
    /// Id of the override that it names.
    pub of: String,
    /// Who wrote it.
    pub by: Option<AccountRef>,
    /// When, by the platform's clock.
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
    let mut approvals: Vec<ApprovalReport> = written(facts)
        .map(|(comment, of)| {
            let asked = find(facts, overrides, &of);
            let judged = outcome(policy, facts, comment, overrides, &of);
            let (signature, refused) = match judged {
                Ok(approval) => (approval.signature, None),
                Err(why) => (None, Some(why)),
            };
            ApprovalReport {
                id: comment.id.clone(),
                by: comment.author.as_ref().map(AccountRef::from),
                at: comment.created_at,
                signature,
                self_approved: refused.is_some()
                    && asked.is_some_and(|asked| own(facts, comment, asked)),
                refused,
                of,
            }
        })
        .collect();
    approvals.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    approvals
}

/// The first approval of the override that counts.
pub(super) fn of(policy: &Policy, facts: &Snapshot, asked: &OverrideReport) -> Option<Approval> {
    let id = override_id(&facts.subject, &asked.id, &asked.head);
    let valid = written(facts)
        .filter(|(_, of)| *of == id)
        .filter_map(|(comment, _)| judge(policy, facts, comment, asked).ok());
    valid.min_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)))
}

fn written(facts: &Snapshot) -> impl Iterator<Item = (&Comment, String)> {
    commands(facts).filter_map(|(comment, command)| match command {
        Command::Approve { of } => Some((comment, of)),
        Command::Override(_) | Command::Revoke { .. } | Command::Review { .. } => None,
    })
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

/// What becomes of an approval of the override of that id.
fn outcome(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    overrides: &[OverrideReport],
    id: &str,
) -> Result<Approval, String> {
    match find(facts, overrides, id) {
        Some(asked) if asked.state == OverrideState::Refused => {
            Err(format!("the override itself is refused: {}", asked.why))
        }
        Some(asked) => judge(policy, facts, comment, asked),
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
    comment: &Comment,
    asked: &OverrideReport,
) -> Result<Approval, String> {
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
    let now = facts.latest_time();
    if at
        > now
            .saturating_add(CLOCK_TOLERANCE)
            .unwrap_or(Timestamp::MAX)
    {
        return Err(format!("it was written at {at}, which is later than now"));
    }
    let id = override_id(&facts.subject, &asked.id, &asked.head);
    let says = Says::Approves {
        id: &id,
        words: &asked.words,
        reason: &asked.text,
    };
    let rules = &policy.overrides;
    let signature = signature::of(rules, facts, comment, author, &says)?;
    if rules.signed && signature.is_none() {
        return Err(
            "the policy wants it signed (`overrides.signed`): write a new one with a signature"
                .to_owned(),
        );
    }
    match asked.expires {
        Some(expires) if at <= expires => Ok(Approval {
            id: comment.id.clone(),
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
