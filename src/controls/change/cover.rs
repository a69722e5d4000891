//! Whether an approval covers the head. The platform's commit tie and clock
//! decide, never dates inside commits. It does not know whose approval it is.

use super::approvals::Approval;
use super::hands::short;
use super::head::head;
use crate::facts::{Commit, FactKey, Push, PushKind, Snapshot, Unknown, Why};

/// What an approval covers, in words.
pub(super) enum Cover {
    /// The head.
    Head(String),
    /// Something older.
    Older(String),
}

/// What the approval covers. `carried` says whether one counts that the platform
/// moved forward over a later push.
///
/// # Errors
/// Why it cannot be told.
pub(super) fn cover(
    approval: &Approval<'_>,
    facts: &Snapshot,
    carried: bool,
) -> Result<Cover, Unknown> {
    let head = head(facts)?;
    let who = &approval.reviewer.login;
    let pushes = facts.pushes.known();
    let Some(commit) = approval.review.commit.known()? else {
        // No commit tie: only the platform's clock can tell, and it speaks
        // about where the change stands, not about a head it has left.
        let now = &facts.identity.known()?.head;
        if now != head {
            return Ok(Cover::Older(format!(
                "@{who} approved, but the head is {} by now and not {}",
                short(now),
                short(head)
            )));
        }
        let at = *approval.review.submitted_at.known()?;
        let newest = pushes?.iter().map(|push| push.at).max().ok_or_else(|| {
            Unknown::new(
                FactKey::ChangePushes.name(),
                Why::Failed,
                "the platform lists no push of this change",
            )
        })?;
        // In the same moment either may have come first: then it does not cover.
        return Ok(if at > newest {
            Cover::Head(format!(
                "@{who} approved {at}, after the last push {newest}"
            ))
        } else {
            Cover::Older(format!(
                "@{who} approved {at}, not after the last push {newest}"
            ))
        });
    };
    if commit != head {
        return Ok(Cover::Older(format!(
            "@{who} approved {} but the head is {}",
            short(commit),
            short(head)
        )));
    }
    let seen = approval.review.submitted_at.known().and_then(|at| {
        pushes.map(|pushes| {
            pushes
                .iter()
                .filter(|push| push.at >= *at)
                .collect::<Vec<&Push>>()
        })
    });
    let later = match seen {
        Ok(later) => later,
        // Carried forward or not, it covers the head.
        Err(_) if carried => Vec::new(),
        Err(unknown) => return Err(unknown),
    };
    let Some(first) = later.iter().min_by_key(|push| push.at) else {
        if !carried {
            head_was_there(approval, facts, head)?;
        }
        return Ok(Cover::Head(format!(
            "@{who} approved the head {}",
            short(head)
        )));
    };
    let before = first.before.as_deref().map_or("an older head", short);
    let how = format!(
        "@{who} approved {before}, carried forward to {}",
        short(head)
    );
    Ok(if carried {
        Cover::Head(how)
    } else {
        Cover::Older(how)
    })
}

/// That the head is no merge over which the platform may have moved the approval. When
/// a merge of the target came is told by no platform that ties approvals to commits,
/// unless it was pushed by force.
///
/// # Errors
/// Why that cannot be told.
fn head_was_there(approval: &Approval<'_>, facts: &Snapshot, head: &str) -> Result<(), Unknown> {
    let submitted = *approval.review.submitted_at.known()?;
    let pushed_before = facts.pushes.known()?.iter().any(|push| {
        push.kind == PushKind::ForcePush
            && push.after.as_deref() == Some(head)
            && push.at < submitted
    });
    let merges = |commit: &Commit| commit.sha == head && commit.parents.len() > 1;
    if pushed_before {
        return Ok(());
    }
    let commits = facts.commits.known()?;
    let unknown =
        |detail: String| Unknown::new(FactKey::ChangeCommits.name(), Why::NotSupported, detail);
    if !commits.iter().any(|commit| commit.sha == head) {
        return Err(unknown(format!(
            "the list of commits does not reach the head {}",
            short(head)
        )));
    }
    if commits.iter().any(merges) {
        return Err(unknown(format!(
            "the head {} is a merge, and whether @{} approved it or what stood there before is not \
             told; rebase onto the target instead, and ask for the approval again",
            short(head),
            approval.reviewer.login
        )));
    }
    Ok(())
}
