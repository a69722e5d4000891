//! Reviews of overrides: what somebody else made of one afterwards. Read from comments as
//! the overrides are, rule by rule; a review that does not count is reported with the
//! rule that it broke.

use jiff::Timestamp;

use crate::facts::{Account, AccountRef, Comment, Snapshot};
use crate::policy::Policy;

use super::breach::BREACH_PREFIX;
use super::command::{Command, weight};
use super::decide::OverrideReport;
use super::independence::{apart, independent, may_override, person_behind};
use super::overrides::commands;
use super::record::override_id;
use super::signature::is_meant;

/// What came out of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReviewOutcome {
    /// It was right.
    Ratified,
    /// What it let through was taken back.
    Reverted,
    /// Something is left to be done, which the notes name.
    FollowUp,
}

impl ReviewOutcome {
    const ALL: [Self; 3] = [Self::Ratified, Self::Reverted, Self::FollowUp];

    /// The word, as it stands in commands and records.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ratified => "ratified",
            Self::Reverted => "reverted",
            Self::FollowUp => "follow_up",
        }
    }
}

/// One review command found on the change.
#[derive(Clone, Debug)]
pub struct ReviewReport {
    /// Id of the comment.
    pub id: String,
    /// Id of the override that it names.
    pub of: String,
    /// What came out; `None`: no such word.
    pub outcome: Option<ReviewOutcome>,
    /// Who wrote it.
    pub by: Option<AccountRef>,
    /// When, by the platform's clock.
    pub at: Timestamp,
    /// The notes, as written. Hostile text.
    pub notes: String,
    /// Why it does not count; `None`: it does.
    pub refused: Option<String>,
}

/// Every review command, oldest first.
pub(super) fn reviews(
    policy: &Policy,
    facts: &Snapshot,
    overrides: &[OverrideReport],
) -> Vec<ReviewReport> {
    let mut reviews: Vec<ReviewReport> = commands(facts)
        .filter_map(|(comment, command)| match command {
            Command::Review { of, outcome, notes } => Some((comment, of, outcome, notes)),
            Command::Override(_) | Command::Approve { .. } | Command::Revoke { .. } => None,
        })
        .map(|(comment, of, outcome, notes)| {
            let outcome = ReviewOutcome::ALL
                .into_iter()
                .find(|known| known.word() == outcome);
            let reviewed = named(facts, overrides, &of);
            let refused = match reviewed {
                None if of.starts_with(BREACH_PREFIX) => {
                    of_breach(policy, facts, comment, &of, outcome, &notes).err()
                }
                None => Some("the change has no override of that id".to_owned()),
                Some(reviewed) => judge(policy, facts, comment, reviewed, outcome, &notes).err(),
            };
            ReviewReport {
                id: comment.id.clone(),
                of,
                outcome,
                by: comment.author.as_ref().map(AccountRef::from),
                at: comment.created_at,
                notes,
                refused,
            }
        })
        .collect();
    reviews.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    reviews
}

/// The override of that id. The id holds the head that it was given for, which may be an
/// older one by now.
pub(super) fn named<'o>(
    facts: &Snapshot,
    overrides: &'o [OverrideReport],
    id: &str,
) -> Option<&'o OverrideReport> {
    overrides
        .iter()
        .find(|report| ids(facts, report).iter().any(|one| one == id))
}

/// The ids that an override has had: one at each head of its change.
fn ids(facts: &Snapshot, report: &OverrideReport) -> Vec<String> {
    let commits = facts.commits.known().map_or(&[][..], Vec::as_slice);
    let pushes = facts.pushes.known().map_or(&[][..], Vec::as_slice);
    std::iter::once(facts.subject.head.as_str())
        .chain(commits.iter().map(|commit| commit.sha.as_str()))
        .chain(
            pushes
                .iter()
                .flat_map(|push| push.before.iter().chain(&push.after))
                .map(String::as_str),
        )
        .map(|head| override_id(&facts.subject, &report.id, head))
        .collect()
}

/// What holds of every review, whatever is reviewed. Gives who wrote it.
fn in_order<'c>(
    policy: &Policy,
    facts: &Snapshot,
    comment: &'c Comment,
    outcome: Option<ReviewOutcome>,
    notes: &str,
) -> Result<&'c Account, String> {
    let Some(outcome) = outcome else {
        let words = ReviewOutcome::ALL.map(ReviewOutcome::word).join(", ");
        return Err(format!("the outcome is none of {words}"));
    };
    let author = person_behind(comment)?;
    if is_meant(&comment.body) {
        return Err("reviews are not signed: write a new one without a signature".to_owned());
    }
    may_override(&policy.overrides, facts, author).map_err(|(_, why)| why)?;
    let says_nothing = weight(notes) == 0;
    match outcome {
        ReviewOutcome::Ratified => Ok(author),
        ReviewOutcome::Reverted | ReviewOutcome::FollowUp if says_nothing => {
            Err(format!("`{}` wants to know by what", outcome.word()))
        }
        ReviewOutcome::Reverted | ReviewOutcome::FollowUp => Ok(author),
    }
}

/// The rules of a review of a breach, of which the ledger tells. It may stand on any change:
/// what counts is who moved the branch.
fn of_breach(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    id: &str,
    outcome: Option<ReviewOutcome>,
    notes: &str,
) -> Result<(), String> {
    let author = in_order(policy, facts, comment, outcome, notes)?;
    let register = facts
        .override_register
        .known()
        .map_err(|unknown| format!("it cannot be told what breach that is: {unknown}"))?;
    let breach = register
        .overrides
        .iter()
        .find(|one| one.breach && one.id == id)
        .ok_or_else(|| "the ledger tells of no breach of that id".to_owned())?;
    match &breach.involved {
        Some(people) => {
            for one in people {
                apart(
                    author,
                    one,
                    "pushed or merged it, had a hand in a change that came, or had or allowed a bypass",
                )?;
            }
        }
        None => {
            return Err(format!(
                "it cannot be shown that @{} neither pushed nor merged it, had no hand in it and neither had nor allowed a bypass: \
                 the record does not name everybody who did",
                author.login
            ));
        }
    }
    match breach.given_at {
        Some(found) if comment.created_at > found => Ok(()),
        Some(_) => Err("it was written before the breach was found".to_owned()),
        None => Err("the record does not tell when the breach was found".to_owned()),
    }
}

/// The rules in the order in which people can mend them.
fn judge(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    reviewed: &OverrideReport,
    outcome: Option<ReviewOutcome>,
    notes: &str,
) -> Result<(), String> {
    let author = in_order(policy, facts, comment, outcome, notes)?;
    not_given_by(reviewed, author)?;
    not_approved_in_a_comment(facts, reviewed, author)?;
    not_given_in_an_environment(policy, facts, reviewed, author)?;
    independent(facts, author).map_err(|(_, why)| why)?;
    // An approval can be gone by now, so it is the register that takes no review from before it.
    let given_at = reviewed.approval.as_ref().map(|approval| approval.at);
    if comment.created_at <= given_at.unwrap_or(reviewed.at).max(reviewed.at) {
        return Err("it was written before the override".to_owned());
    }
    // Whatever is made of the override today: what was recorded of it wants a review.
    Ok(())
}

/// Whether the person wrote no approval of it. Of an override that is over nothing tells which one
/// of them counted, so none of those who wrote one reviews it.
fn not_approved_in_a_comment(
    facts: &Snapshot,
    reviewed: &OverrideReport,
    author: &Account,
) -> Result<(), String> {
    let ids = ids(facts, reviewed);
    for (approval, command) in commands(facts) {
        if let (Command::Approve { of }, Some(giver)) = (command, &approval.author)
            && ids.contains(&of)
        {
            apart(author, giver, "approved the override")?;
        }
    }
    Ok(())
}

/// Whether the person did not approve it in an environment either, of which only the run told that
/// saw it: what it recorded does. Nothing to look up where the policy lets no environment count.
fn not_given_in_an_environment(
    policy: &Policy,
    facts: &Snapshot,
    reviewed: &OverrideReport,
    author: &Account,
) -> Result<(), String> {
    if policy.overrides.environments.is_empty() {
        return Ok(());
    }
    let register = facts.override_register.known().map_err(|unknown| {
        format!(
            "it cannot be told who approved it, which may have been in an environment: {unknown}"
        )
    })?;
    let ids = ids(facts, reviewed);
    for one in register
        .overrides
        .iter()
        .filter(|one| ids.contains(&one.id))
    {
        if one.approver.is_none() {
            return Err("its record names nobody who approved it".to_owned());
        }
        for giver in &one.givers {
            apart(author, giver, "gave the override")?;
        }
    }
    Ok(())
}

/// Whether the person is neither who asked for it nor who approved it. A giver whose account
/// is gone may be anybody.
fn not_given_by(reviewed: &OverrideReport, author: &Account) -> Result<(), String> {
    let approver = reviewed.approval.as_ref().map(|approval| &approval.by);
    let asker = reviewed.by.as_ref().ok_or_else(|| {
        format!(
            "it cannot be shown that @{} did not give the override: the account that asked for it \
             is gone",
            author.login
        )
    })?;
    for giver in [Some(asker), approver].into_iter().flatten() {
        apart(author, giver, "gave the override")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
