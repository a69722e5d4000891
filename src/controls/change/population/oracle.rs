//! The naive judge of a random change, who sees everything that happened. Written from
//! the sentences of the requirements, not from the controls: the newest opinion of each
//! person counts and a comment is none; only people who may write count, and never who
//! opened the change; an approval covers the head if nothing but a merge of the target
//! or a rebase without a difference came after it; whoever wrote, committed, co-wrote or
//! pushed is not independent, and somebody without an account shuts the gate.

use super::world::{CAST, How, Kind, Opinion, Said, WEB, Who, World};

/// The approvals that stand: of each person who may write, the newest opinion, if it is one.
pub(in crate::controls::change) fn standing(world: &World) -> Vec<&Opinion> {
    let mut found = Vec::new();
    for (who, (_, kind, may_write)) in CAST.iter().enumerate() {
        if *kind != Kind::Person || !may_write || who == world.opener {
            continue;
        }
        let mut of_them = world.opinions.iter().filter(|one| one.who == who);
        // An approval is withdrawn on one platform; on the other it stays, dismissed.
        let newest = if world.gitlab {
            of_them.rfind(|one| one.said == Said::Yes && !one.dismissed)
        } else {
            of_them
                .rfind(|one| one.said != Said::Words)
                .filter(|one| one.said == Said::Yes && !one.dismissed)
        };
        found.extend(newest);
    }
    found
}

/// Whoever had a hand in what stands there now, as far as the platform can tell: GitHub
/// records who pushed by force, GitLab who made each new version.
fn hands(world: &World) -> Vec<Who> {
    let mut all = vec![world.opener];
    for commit in &world.commits {
        all.push(commit.author);
        all.extend(&commit.co_authors);
        if commit.committer != WEB {
            all.push(commit.committer);
        }
    }
    for moved in &world.moves {
        let by_force = matches!(moved.how, How::Replaced | How::Rebased | How::Returned);
        if by_force || world.gitlab {
            all.push(moved.who);
        }
    }
    all
}

/// Whether everybody who had a hand in it is an account.
pub(in crate::controls::change) fn everybody_is_known(world: &World) -> bool {
    hands(world)
        .iter()
        .all(|who| !matches!(CAST[*who].1, Kind::Gone | Kind::Nobody))
}

fn is_independent(world: &World, opinion: &Opinion) -> bool {
    !hands(world).contains(&opinion.who)
}

/// Whether nothing came after the approval that changed what was approved; `carried`
/// says whether anything at all may have come.
fn covers_head(world: &World, opinion: &Opinion, carried: bool) -> bool {
    let later = &world.moves[opinion.after_moves..];
    if world.gitlab {
        // Only the clock tells, and every version asks for a new approval.
        return later.is_empty()
            && world.moves.iter().all(|moved| moved.at < opinion.at)
            && opinion.at > world.opened_at;
    }
    if carried {
        opinion.on.difference == world.head().difference
    } else {
        later.is_empty()
    }
}

/// CHG-02.
pub(in crate::controls::change) fn enough_approved(world: &World, min: u32) -> bool {
    standing(world).len() >= min.max(1) as usize
}

/// CHG-04.
pub(in crate::controls::change) fn somebody_independent_approved(world: &World) -> bool {
    everybody_is_known(world) && !independent(world).is_empty()
}

/// The approvals by people without a hand in the change. The opener has one.
pub(in crate::controls::change) fn independent(world: &World) -> Vec<&Opinion> {
    let mut found = standing(world);
    found.retain(|opinion| is_independent(world, opinion));
    found
}

/// CHG-03. Where somebody independent approved, only such approvals are worth something.
pub(in crate::controls::change) fn head_is_covered(world: &World, min: u32, carried: bool) -> bool {
    covering(world, carried).len() >= min.max(1) as usize
}

/// The approvals that cover the head.
pub(in crate::controls::change) fn covering(world: &World, carried: bool) -> Vec<&Opinion> {
    let mut pool = standing(world);
    if pool.iter().any(|opinion| is_independent(world, opinion)) {
        pool.retain(|opinion| is_independent(world, opinion));
    }
    pool.retain(|opinion| covers_head(world, opinion, carried));
    pool
}

/// What the three are for.
pub(in crate::controls::change) fn seen_by_somebody_else(world: &World, carried: bool) -> bool {
    everybody_is_known(world)
        && standing(world)
            .iter()
            .any(|opinion| is_independent(world, opinion) && covers_head(world, opinion, carried))
}

/// Why a control may be stricter about freshness than the truth: GitHub does not say when
/// the target was merged in, two things in one second have no order, and a head that was
/// left and came back is another one to whoever looks at force pushes.
pub(in crate::controls::change) fn clock_cannot_tell(world: &World, carried: bool) -> bool {
    if world.gitlab {
        return false;
    }
    let returned = world.moves.iter().any(|moved| moved.how == How::Returned);
    let updated = world.commits.last().is_some_and(|commit| commit.merge);
    let at_once = world
        .moves
        .iter()
        .any(|moved| world.opinions.iter().any(|one| one.at == moved.at));
    returned || (!carried && (updated || at_once))
}
