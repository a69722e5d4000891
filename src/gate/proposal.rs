//! What a change would make of the policy that judges it, for people to read. It
//! stands beside the verdicts and changes none: no policy is ever taken from a change.

use crate::controls::Observation;
use crate::facts::{ChangeState, ChangedFile, Direction, Fact, PROPOSED_POLICY, Snapshot, Why};
use crate::policy::{self, DiffError, Enforcement, LoadError, Note, POLICY_PATH, Policy};

/// The control that asks for approvals of such a change.
pub(super) const CONTROL: &str = "gate-changes-approved";

/// Most differences that are written down: the proposed text is a stranger's.
const MOST: usize = 100;

/// Most of them that are told in every format.
const MOST_TOLD: usize = 20;

/// Most problems of an invalid file that are repeated.
const MOST_PROBLEMS: usize = 3;

/// Whether the proposed policy is to be read: the policy asks for approvals of such
/// changes, and the change is not merged and touches the file that is in force.
pub fn wants_proposed_policy(policy: &Policy, facts: &Snapshot) -> bool {
    let judged = policy
        .controls
        .iter()
        .any(|bound| bound.control.meta().id == CONTROL && bound.enforcement != Enforcement::Off);
    judged && touches_policy(facts) && !is_merged(facts) && !is_given(facts)
}

/// What is said about the proposed policy.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Proposal {
    /// Each difference, what becomes weaker first.
    pub(super) observed: Vec<Observation>,
    /// What people have to see in every format.
    pub(super) notes: Vec<Note>,
}

impl Proposal {
    fn see(&mut self, facts: &Snapshot, value: String) {
        self.observed.push(Observation {
            fact: PROPOSED_POLICY.to_owned(),
            value,
            sources: facts.proposed_policy.sources().to_vec(),
        });
    }

    fn tell(&mut self, words: &str) {
        self.notes.push(Note {
            place: None,
            message: format!("`{CONTROL}`: {words}"),
        });
    }

    /// One sentence, told and written down.
    fn say(mut self, facts: &Snapshot, words: String) -> Self {
        self.tell(&words);
        self.see(facts, words);
        self
    }
}

/// Compares the proposed policy with the one in force, if the change touches it.
pub(super) fn proposal(facts: &Snapshot) -> Proposal {
    let said = Proposal::default();
    if !touches_policy(facts) {
        return said;
    }
    if is_merged(facts) {
        let words = "the change is merged, so the policy in force is what came of it";
        return said.say(facts, words.to_owned());
    }
    if is_given(facts) {
        let words = "the policy in force was given by hand, so the file that the change touches \
                     was not compared with it";
        return said.say(facts, words.to_owned());
    }
    let proposed = match &facts.proposed_policy {
        Fact::Known { value, .. } => value.clone(),
        Fact::Unknown(unknown) if unknown.why == Why::NotCollected => {
            let words = "what the change makes of the policy was not looked at";
            return said.say(facts, words.to_owned());
        }
        Fact::Unknown(unknown) => {
            let words = format!("what the change makes of the policy is not known: {unknown}");
            return said.say(facts, words);
        }
    };
    let target = &facts.subject.target;
    let default = facts.repository.default_branch.known();
    let target_is_default = default.is_ok_and(|default| default == target);
    let after = policy::merged(&facts.policy, proposed, target_is_default);
    match policy::diff(&facts.policy, &after, facts.latest_time()) {
        Ok(diff) => differences(said, facts, &diff),
        Err(error) => said.say(facts, incomparable(&error)),
    }
}

fn differences(mut said: Proposal, facts: &Snapshot, diff: &policy::PolicyDiff) -> Proposal {
    let weaker = diff
        .changes
        .iter()
        .filter(|change| change.direction == Direction::Weaker)
        .count();
    let others = diff.changes.len() - weaker;
    said = said.say(
        facts,
        match (weaker, others) {
            (0, 0) => {
                "the change touches the policy and changes nothing in what it demands".to_owned()
            }
            (0, others) => {
                format!("nothing in the policy would become weaker, {others} other differences")
            }
            (weaker, others) => format!(
                "{weaker} demands of the policy would become weaker, {others} other differences"
            ),
        },
    );
    for (index, change) in diff.changes.iter().enumerate().take(MOST) {
        let words = format!("would be {}: {change}", change.direction.word());
        if change.direction == Direction::Weaker && index < MOST_TOLD {
            said.tell(&words);
        }
        said.see(facts, words);
    }
    if diff.changes.len() > MOST {
        let more = diff.changes.len() - MOST;
        said = said.say(
            facts,
            format!("{more} more differences; `ccgate policy diff` lists them all"),
        );
    } else if weaker > MOST_TOLD {
        said.tell(&format!("{} more would become weaker", weaker - MOST_TOLD));
    }
    said
}

/// Why there is nothing to compare. The policy in force was loaded before, so it is
/// the proposed one.
fn incomparable(error: &DiffError) -> String {
    match error.load_error() {
        LoadError::Invalid(problems) => {
            let first: Vec<String> = problems
                .0
                .iter()
                .take(MOST_PROBLEMS)
                .map(ToString::to_string)
                .collect();
            let more = problems.0.len().saturating_sub(first.len());
            let more = if more == 0 {
                String::new()
            } else {
                format!(" and {more} more")
            };
            format!(
                "the policy that the change proposes is not valid, so every check after the merge \
                 would end with exit 2: {}{more}",
                first.join("; ")
            )
        }
        LoadError::Missing | LoadError::Unreadable(_) => {
            format!("what the change makes of the policy is not known: {error}")
        }
    }
}

/// Whether the change touches the policy file, or moves a file from nobody knows where.
pub fn touches_policy(facts: &Snapshot) -> bool {
    let touches = |file: &ChangedFile| {
        file.paths().any(|path| path == POLICY_PATH) || !file.previous_path.is_known()
    };
    facts
        .files
        .known()
        .is_ok_and(|files| files.iter().any(touches))
}

fn is_merged(facts: &Snapshot) -> bool {
    facts
        .identity
        .known()
        .is_ok_and(|identity| identity.state == ChangeState::Merged)
}

/// A preset or a local file comes from no commit.
fn is_given(facts: &Snapshot) -> bool {
    let target = facts.policy.target.known();
    target.is_ok_and(|document| {
        document
            .as_ref()
            .is_some_and(|document| document.commit.is_none())
    })
}

#[cfg(test)]
mod tests;
