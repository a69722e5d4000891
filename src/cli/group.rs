//! A run for a group of a merge queue: every change of the group is judged by itself,
//! bound to its head, and recorded. The worst of their decisions is the run's.

use crate::facts::{Fact, PolicyDocument, QueueEntry, Snapshot, Subject};
use crate::gate;
use crate::platform::{Group, Host, Setup, Wanted};
use crate::policy::Note;

use super::args::CheckArgs;
use super::check::{Judged, Written, flags, look, show, write_down};
use super::exit::{CommandError, CommandResult, ExitStatus};
use super::session;
use super::world::World;

/// Most changes of one group; the platform lets a group hold a hundred.
const MOST: usize = 100;

pub(super) fn run(
    group: &Group,
    setup: Setup,
    arguments: &CheckArgs,
    given: Option<&PolicyDocument>,
    world: &mut World,
) -> CommandResult {
    let runtime = session::runtime()?;
    let place = setup.place.clone();
    let unseen = Snapshot::all_unknown(
        Subject {
            platform: place.platform,
            repository: place.repository.clone(),
            change: None,
            head: group.head.clone(),
            target: group.branch.clone(),
        },
        setup.now,
        setup.program.clone(),
    );
    let mut host = Host::new(setup).map_err(CommandError::usage)?;
    let (queue, requests) = runtime.block_on(async {
        let queue = host.queue(group).await;
        (queue, host.requests())
    });
    let entries = match queue.known() {
        Ok(result) => result.entries(),
        Err(unknown) => Err(unknown.to_string()),
    };
    let queue = queue.map(Some);
    let entries = match entries {
        Ok(entries) if entries.len() <= MOST => entries,
        Ok(entries) => {
            let count = entries.len();
            let problem = format!("the group holds {count} changes, of which {MOST} are judged");
            return undecided(unseen, queue, requests, &problem, arguments, world);
        }
        Err(problem) => {
            let problem = format!("it is not known which changes the group holds: {problem}");
            return undecided(unseen, queue, requests, &problem, arguments, world);
        }
    };
    let mut all: Vec<(QueueEntry, Judged, Written)> = Vec::new();
    for entry in entries {
        let (snapshot, judged) = runtime.block_on(async {
            let mut setup = session::setup(&flags(arguments), arguments.timeout, world).await?;
            setup.place.wanted = Wanted::Change {
                number: entry.number,
                head: Some(entry.head.clone()),
                target: Some(group.branch.clone()),
            };
            let queue = Some(queue.clone());
            Box::pin(look(setup, arguments, given.cloned(), queue, world)).await
        })?;
        let judged = bound(judged, &snapshot, group, &entry);
        let written = write_down(arguments, world, &snapshot, &judged)?;
        all.push((entry, judged, written));
    }
    let told: Vec<String> = all
        .iter()
        .map(|(entry, judged, _)| {
            format!(
                "change {} at {}: {}",
                entry.number,
                entry.head.get(..7).unwrap_or(&entry.head),
                judged.decision.outcome.word()
            )
        })
        .collect();
    // Of several equally bad ones the first is shown.
    let worst = all
        .iter()
        .enumerate()
        .max_by_key(|(index, (_, _, written))| (gravity(written.status), std::cmp::Reverse(*index)))
        .map(|(index, _)| index);
    let Some((_, mut judged, written)) = worst.map(|index| all.swap_remove(index)) else {
        let problem = "the group holds no change, so nothing was judged";
        return undecided(unseen, queue, requests, problem, arguments, world);
    };
    judged.decision.notes.push(Note {
        place: None,
        message: format!(
            "this run is for a merge group of {} changes, of which the worst is shown: {}",
            told.len(),
            told.join("; ")
        ),
    });
    show(arguments, world, &judged, &written)
}

/// Which of two endings is worse. Only one that lets pass is harmless.
fn gravity(status: ExitStatus) -> u8 {
    match status {
        ExitStatus::Allow => 0,
        ExitStatus::Pending => 1,
        ExitStatus::Undecided => 2,
        ExitStatus::Ledger => 3,
        ExitStatus::Usage => 4,
        ExitStatus::Block => 5,
    }
}

/// A change that goes to another branch than the group is judged by another policy, and
/// one that moved meanwhile at another head: such a decision says nothing about this group.
fn bound(judged: Judged, snapshot: &Snapshot, group: &Group, entry: &QueueEntry) -> Judged {
    let subject = &snapshot.subject;
    let problem = if subject.target != group.branch {
        format!(
            "the change goes to `{}`, and the group to `{}`",
            subject.target, group.branch
        )
    } else if !subject.head.eq_ignore_ascii_case(&entry.head) {
        format!(
            "the group holds the change at {}, and it is at {} now",
            entry.head, subject.head
        )
    } else {
        return judged;
    };
    Judged::without_policy(gate::undecided(snapshot, problem))
}

/// Nothing can be judged, so nothing may pass.
fn undecided(
    mut unseen: Snapshot,
    queue: Fact<Option<crate::facts::QueueResult>>,
    requests: crate::facts::Requests,
    problem: &str,
    arguments: &CheckArgs,
    world: &mut World,
) -> CommandResult {
    unseen.queue = queue;
    unseen.requests = requests;
    let decision = gate::undecided(&unseen, problem.to_owned());
    let judged = Judged::without_policy(decision);
    let written = write_down(arguments, world, &unseen, &judged)?;
    show(arguments, world, &judged, &written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_milder_than_a_pass_and_nothing_worse_than_a_block() {
        let all = [
            ExitStatus::Allow,
            ExitStatus::Block,
            ExitStatus::Usage,
            ExitStatus::Undecided,
            ExitStatus::Pending,
            ExitStatus::Ledger,
        ];
        for status in all {
            let closed = status != ExitStatus::Allow;
            assert_eq!(gravity(status) > gravity(ExitStatus::Allow), closed);
            assert!(gravity(status) <= gravity(ExitStatus::Block));
        }
    }
}
