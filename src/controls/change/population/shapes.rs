//! What a platform tells of a random change, in its own shape; and the same with some of
//! it hidden. Judges nothing.

use fastrand::Rng;
use jiff::Timestamp;

use super::world::{CAST, How, Kind, Said, Who, World, Written};
use crate::controls::testing::{hidden, identity, nothing_seen, seen};
use crate::facts::{
    Account, AccountKind, Commit, Fact, Person, Platform, Push, PushKind, Review, ReviewState,
    Snapshot,
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).expect("a moment near June 2026")
}

/// The account as it is told there, in any case of letters.
fn account(who: Who, rng: &mut Rng) -> Option<Account> {
    let (name, kind, _) = CAST[who];
    let login = match rng.u32(0..4) {
        0 => name.to_uppercase(),
        _ => name.to_owned(),
    };
    let kind = match kind {
        Kind::Person => AccountKind::Human,
        Kind::Bot => AccountKind::Bot,
        Kind::Strange => AccountKind::Other("Mannequin".to_owned()),
        Kind::Platform => AccountKind::Platform,
        Kind::Gone | Kind::Nobody => return None,
    };
    Some(Account {
        login,
        kind,
        id: None,
    })
}

fn person(who: Who, rng: &mut Rng) -> Person {
    let (name, ..) = CAST[who];
    Person {
        // The name is a claim, and here often somebody else's.
        name: CAST[rng.usize(0..CAST.len())].0.to_owned(),
        email: format!("{name}@acme.test"),
        account: seen(account(who, rng)),
    }
}

fn commit(written: &Written, rng: &mut Rng) -> Commit {
    Commit {
        sha: written.sha.clone(),
        message: "Do it".to_owned(),
        author: person(written.author, rng),
        committer: person(written.committer, rng),
        co_authors: written
            .co_authors
            .iter()
            .map(|who| person(*who, rng))
            .collect(),
        parents: vec!["0a".repeat(20); 1 + usize::from(written.merge)],
    }
}

/// All that the platform tells when it hides nothing.
pub(super) fn told(world: &World, rng: &mut Rng) -> Snapshot {
    let mut facts = nothing_seen();
    facts.subject.head.clone_from(&world.head().sha);
    let mut who = identity("ana");
    who.author = account(world.opener, rng);
    who.head.clone_from(&world.head().sha);
    facts.identity = seen(who);
    facts.commits = seen(world.commits.iter().map(|one| commit(one, rng)).collect());
    if world.gitlab {
        facts.subject.platform = Platform::Gitlab;
        facts.reviews = seen(gitlab_reviews(world, rng));
        facts.pushes = seen(versions(world, rng));
    } else {
        facts.reviews = seen(github_reviews(world, rng));
        facts.pushes = seen(force_pushes(world, rng));
    }
    facts
}

/// GitHub keeps all reviews, turns dismissed ones into such in their place, and moves the
/// commit of an approval over pushes that leave the difference as it is.
fn github_reviews(world: &World, rng: &mut Rng) -> Vec<Review> {
    world
        .opinions
        .iter()
        .map(|opinion| {
            let mut commit = opinion.on.sha.clone();
            for moved in &world.moves[opinion.after_moves..] {
                if commit == moved.before.sha
                    && moved.before.difference == moved.after.difference
                    && opinion.said == Said::Yes
                {
                    commit.clone_from(&moved.after.sha);
                }
            }
            Review {
                reviewer: account(opinion.who, rng),
                state: match (opinion.dismissed, opinion.said) {
                    (true, _) => ReviewState::Dismissed,
                    (false, Said::Yes) => ReviewState::Approved,
                    (false, Said::No) => ReviewState::ChangesRequested,
                    (false, Said::Words) => ReviewState::Commented,
                    (false, Said::Odd) => ReviewState::Other("APPLAUDED".to_owned()),
                },
                submitted_at: seen(at(opinion.at)),
                commit: seen(Some(commit)),
                can_write: seen(CAST[opinion.who].2),
            }
        })
        .collect()
}

/// GitLab lists the approvals that stand, one for each person, tied to no commit.
fn gitlab_reviews(world: &World, rng: &mut Rng) -> Vec<Review> {
    let mut list: Vec<Review> = Vec::new();
    for (who, (_, _, may_write)) in CAST.iter().enumerate() {
        let newest = world
            .opinions
            .iter()
            .rfind(|one| one.who == who && one.said == Said::Yes && !one.dismissed);
        list.extend(newest.map(|opinion| Review {
            reviewer: account(who, rng),
            state: ReviewState::Approved,
            submitted_at: seen(at(opinion.at)),
            commit: seen(None),
            can_write: seen(*may_write),
        }));
    }
    list.sort_by_key(|review| review.submitted_at.known().copied().ok());
    list
}

/// GitHub tells of pushes by force only.
fn force_pushes(world: &World, rng: &mut Rng) -> Vec<Push> {
    world
        .moves
        .iter()
        .filter(|moved| matches!(moved.how, How::Replaced | How::Rebased | How::Returned))
        .map(|moved| Push {
            kind: PushKind::ForcePush,
            at: at(moved.at),
            actor: seen(account(moved.who, rng)),
            before: Some(moved.before.sha.clone()),
            after: Some(moved.after.sha.clone()),
        })
        .collect()
}

/// GitLab makes a version of every push, and tells by a note who made it; of what the
/// change was opened with there is no note.
fn versions(world: &World, rng: &mut Rng) -> Vec<Push> {
    let mut list = vec![Push {
        kind: PushKind::Push,
        at: at(world.opened_at),
        actor: hidden(),
        before: None,
        after: Some(world.first.sha.clone()),
    }];
    list.extend(world.moves.iter().map(|moved| Push {
        kind: PushKind::Push,
        at: at(moved.at),
        actor: seen(account(moved.who, rng)),
        before: Some(moved.before.sha.clone()),
        after: Some(moved.after.sha.clone()),
    }));
    list
}

/// Hides a part of what was told, or cuts the newest commits off.
pub(super) fn veiled(facts: &Snapshot, rng: &mut Rng) -> Snapshot {
    let mut facts = facts.clone();
    for _ in 0..rng.usize(1..4) {
        match rng.u32(0..10) {
            0 => facts.identity = hidden(),
            1 => facts.commits = hidden(),
            2 => facts.reviews = hidden(),
            3 => facts.pushes = hidden(),
            4 => {
                if let Fact::Known { value, .. } = &mut facts.commits {
                    value.pop();
                }
            }
            5 | 6 => veil_commit(&mut facts, rng),
            7 | 8 => veil_review(&mut facts, rng),
            _ => {
                if let Fact::Known { value, .. } = &mut facts.pushes
                    && let Some(push) = pick(value, rng)
                {
                    push.actor = hidden();
                }
            }
        }
    }
    facts
}

fn veil_commit(facts: &mut Snapshot, rng: &mut Rng) {
    let Fact::Known { value, .. } = &mut facts.commits else {
        return;
    };
    let Some(commit) = pick(value, rng) else {
        return;
    };
    match (rng.u32(0..3), commit.co_authors.first_mut()) {
        (0, Some(co_author)) => co_author.account = hidden(),
        (1, _) => commit.committer.account = hidden(),
        (_, _) => commit.author.account = hidden(),
    }
}

fn veil_review(facts: &mut Snapshot, rng: &mut Rng) {
    let Fact::Known { value, .. } = &mut facts.reviews else {
        return;
    };
    let Some(review) = pick(value, rng) else {
        return;
    };
    match rng.u32(0..3) {
        0 => review.can_write = hidden(),
        1 => review.submitted_at = hidden(),
        _ => review.commit = hidden(),
    }
}

fn pick<'l, T>(list: &'l mut [T], rng: &mut Rng) -> Option<&'l mut T> {
    let length = list.len();
    (length > 0).then(|| &mut list[rng.usize(0..length)])
}
