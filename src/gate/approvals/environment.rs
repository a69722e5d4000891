//! Approvals that were given where a run waits at the door of an environment, with the command as
//! their comment. They are judged like comments; what is different stands here.
//!
//! The platform tells no time of them. Their command names the override by an id that holds the
//! request's comment and the head, so it was written after both; it counts from the moment at which
//! the gate saw it, which is later than true and never earlier.
//!
//! GitLab lets the token of a job approve in the name of whoever started the job, and whose code runs
//! there is not asked. Such an approval shows no person, so that only one with a signature counts.

use crate::facts::{
    Account, Comment, EnvironmentApproval, EnvironmentState, Fact, RunApprovals, Snapshot,
};
use crate::gate::command::{Command, approval_comment, parse};
use crate::gate::signature::command_of;
use crate::policy::Policy;

use super::short::Short;

/// An approval in an environment, as the comment that it is like.
pub(super) struct AtTheDoor {
    pub(super) comment: Comment,
    /// Id of the override that it names.
    pub(super) of: String,
    /// Its signature, if it is in the short form.
    pub(super) short: Option<Short>,
    /// Whether a job may have given it, so that it takes a signature.
    pub(super) by_jobs: bool,
    /// Why it does not count, whoever wrote it.
    pub(super) objection: Option<String>,
}

/// Every approval with a command, of the run that judges. What was not seen is none.
pub(super) fn at_the_door(policy: &Policy, facts: &Snapshot) -> Vec<AtTheDoor> {
    let wanted = &policy.overrides.environments;
    let Fact::Known { value: run, .. } = &facts.run_approvals else {
        return Vec::new();
    };
    if wanted.is_empty() {
        return Vec::new();
    }
    let read = run.approvals.iter();
    read.filter_map(|one| {
        let Some(Command::Approve { of }) = parse(command_of(&one.comment)) else {
            return None;
        };
        let (short, other_form) = match Short::of(&one.comment) {
            Ok(short) => (short, None),
            Err(why) => (None, Some(why)),
        };
        Some(AtTheDoor {
            comment: Comment {
                id: name(run, one, &of),
                author: one.by.clone(),
                body: one.comment.clone(),
                created_at: facts.latest_time(),
                edited: Fact::known_without_source(false),
            },
            of,
            short,
            by_jobs: run.jobs_may_give,
            objection: objection(wanted, facts, run, one).or(other_form),
        })
    })
    .collect()
}

/// The same approval has the same name in every look at the run, wherever it stands in the list.
fn name(run: &RunApprovals, one: &EnvironmentApproval, of: &str) -> String {
    let by = match &one.by {
        Some(Account { id: Some(id), .. }) => id.to_string(),
        Some(Account { login, .. }) => login.clone(),
        None => "?".to_owned(),
    };
    let of = approval_comment(of).map_or("?", |_| of);
    format!("environment:{}:{by}:{of}", run.run)
}

/// The platform's word for a remark that decides nothing.
const PENDING: &str = "pending";

fn objection(
    wanted: &[String],
    facts: &Snapshot,
    run: &RunApprovals,
    one: &EnvironmentApproval,
) -> Option<String> {
    if run.head != facts.subject.head {
        return Some(format!(
            "it was given to a run for another head, {}: only one in a run for this head counts, and to run it again keeps its head",
            run.head
        ));
    }
    match &one.state {
        EnvironmentState::Approved => {}
        EnvironmentState::Rejected => {
            return Some("with it the environment was refused and not approved".to_owned());
        }
        EnvironmentState::Other(word) => {
            return Some(format!("it is no approval of the environment but `{word}`"));
        }
    }
    let counts = |names: &[String]| names.iter().any(|name| wanted.contains(name));
    if !counts(&one.environments) {
        return Some(format!(
            "it was given in `{}`, and the policy lets approvals count in {} (`overrides.environments`)",
            one.environments.join("`, `"),
            wanted.join(", ")
        ));
    }
    // Without times nobody can say which came last. A word that is not known may be one for no.
    let refused = run.approvals.iter().any(|other| {
        let against = match &other.state {
            EnvironmentState::Approved => false,
            EnvironmentState::Rejected => true,
            EnvironmentState::Other(word) => word != PENDING,
        };
        against && counts(&other.environments)
    });
    refused.then(|| {
        "somebody refused the environment in the same run, and it is not told what came last: only a \
         new run helps, and to run it again keeps the refusal"
            .to_owned()
    })
}

#[cfg(test)]
mod tests;
