//! From a merge request, its commits, versions and notes to facts about the
//! change. Pure; does not know who may approve or what counts as a test.

use crate::facts::{ChangeState, Comment, Commit, Fact, Identity, Push, PushKind, Unknown, Why};

use super::people::{Directory, account, co_authors, pusher_at, pushers};
use super::wire::{MergeRequest, Note, Read, Version, WireCommit, time};

/// What the merge request says about itself. Issues that it closes are not
/// asked for (one more request, refused to job tokens), so that list is empty:
/// a control that wants a ticket has to find it in the text.
pub(super) fn identity(read: &Read<MergeRequest>) -> Fact<Identity> {
    const FACT: &str = "change.identity";
    let (mr, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let missing = |field: &str| Fact::Unknown(super::left_out(FACT, field, sources));
    let Some(number) = mr.iid else {
        return missing("iid");
    };
    let Some(title) = mr.title.clone() else {
        return missing("title");
    };
    let Some(head) = mr.sha.clone() else {
        return missing("sha");
    };
    let Some(source_branch) = mr.source_branch.clone() else {
        return missing("source_branch");
    };
    let Some(target_branch) = mr.target_branch.clone() else {
        return missing("target_branch");
    };
    let Some(author) = mr.author.as_ref() else {
        return missing("author");
    };
    // An account that is gone has a name, `ghost`: without one it may be anybody.
    if author.username.as_deref().is_none_or(str::is_empty) {
        return missing("author.username");
    }
    let (Some(from), Some(to)) = (mr.source_project_id, mr.target_project_id) else {
        return missing("source_project_id");
    };
    let state = match mr.state.as_deref() {
        Some("opened" | "locked") => ChangeState::Open,
        Some("merged") => ChangeState::Merged,
        Some("closed") => ChangeState::Closed,
        Some(other) => ChangeState::Other(other.to_owned()),
        None => return missing("state"),
    };
    let Some(draft) = mr.draft else {
        return missing("draft");
    };
    let Some(labels) = mr.labels.clone() else {
        return missing("labels");
    };
    let merger = mr.merge_user.as_ref().or(mr.merged_by.as_ref());
    let identity = Identity {
        number,
        title,
        body: mr.description.clone().unwrap_or_default(),
        author: account(author),
        source_branch,
        target_branch,
        // A fast-forward merge leaves neither a merge nor a squash commit: its
        // newest commit is what stands on the branch.
        merge_commit: (state == ChangeState::Merged).then(|| {
            [&mr.merge_commit_sha, &mr.squash_commit_sha]
                .into_iter()
                .flatten()
                .next()
                .unwrap_or(&head)
                .clone()
        }),
        head,
        draft,
        from_fork: from != to,
        labels,
        linked_issues: Vec::new(),
        opened_at: time(mr.created_at.as_deref()),
        merged_at: time(mr.merged_at.as_deref()),
        merged_by: merger
            .filter(|_| state == ChangeState::Merged)
            .and_then(account),
        state,
    };
    Fact::seen_in(identity, sources.clone())
}

/// All commits, oldest first (GitLab lists the newest first).
pub(super) fn commits(read: &Read<Vec<WireCommit>>, directory: &Directory) -> Fact<Vec<Commit>> {
    let (commits, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut out = Vec::with_capacity(commits.len());
    for commit in commits.iter().rev() {
        let (Some(sha), Some(message), Some(author), Some(committer), Some(parents)) = (
            commit.id.clone(),
            commit.message.clone(),
            commit.author_email.as_deref(),
            commit.committer_email.as_deref(),
            commit.parent_ids.clone(),
        ) else {
            return Fact::Unknown(super::left_out("change.commits", "author_email", sources));
        };
        let name = |name: &Option<String>| name.clone().unwrap_or_default();
        out.push(Commit {
            author: directory.person(&name(&commit.author_name), author),
            committer: directory.person(&name(&commit.committer_name), committer),
            co_authors: co_authors(&message)
                .iter()
                .map(|(name, email)| directory.person(name, email))
                .collect(),
            sha,
            message,
            parents,
        });
    }
    let mut all = sources.clone();
    all.extend(directory.sources.clone());
    Fact::seen_in(out, all)
}

/// Every version of the change is one push by GitLab's clock. Whether history
/// was replaced is not told, so each is an ordinary push; the judgement about
/// stale approvals is the same for both. A rebase of the target alone makes a
/// version too, which errs towards asking for a new approval.
pub(super) fn pushes(versions: &Read<Vec<Version>>, notes: &Read<Vec<Note>>) -> Fact<Vec<Push>> {
    let (versions, sources) = match versions {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let told = notes.as_ref().map(|(notes, _)| pushers(notes));
    let mut out = Vec::with_capacity(versions.len());
    for version in versions {
        let (Some(at), Some(after)) = (
            time(version.created_at.as_deref()),
            version.head_commit_sha.clone(),
        ) else {
            return Fact::Unknown(super::left_out("change.pushes", "created_at", sources));
        };
        let actor = match &told {
            Ok(told) => match pusher_at(at, told) {
                Some(who) => Fact::seen_in(who, notes_sources(notes)),
                None => Fact::Unknown(Unknown::new(
                    "change.pushes",
                    Why::NotSupported,
                    "no note on the merge request tells who pushed this version",
                )),
            },
            Err(unknown) => Fact::Unknown((*unknown).clone()),
        };
        out.push(Push {
            kind: PushKind::Push,
            at,
            actor,
            before: None,
            after: Some(after),
        });
    }
    if out.is_empty() {
        // A merge request always has a version once GitLab has looked at it.
        return Fact::Unknown(Unknown::new(
            "change.pushes",
            Why::HiddenOrAbsent,
            "GitLab lists no version of this merge request (yet)",
        ));
    }
    out.sort_by_key(|push| push.at);
    for index in 1..out.len() {
        out[index].before = out[index - 1].after.clone();
    }
    Fact::seen_in(out, sources.clone())
}

/// What people wrote, oldest first. GitLab's own notes are left out: anybody's
/// words could read like them.
pub(super) fn comments(read: &Read<Vec<Note>>) -> Fact<Vec<Comment>> {
    let (notes, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut out = Vec::new();
    for note in notes {
        match note.system {
            Some(true) => continue,
            Some(false) => {}
            None => return Fact::Unknown(super::left_out("change.comments", "system", sources)),
        }
        let (Some(id), Some(body), Some(created_at)) =
            (note.id, note.body.clone(), time(note.created_at.as_deref()))
        else {
            return Fact::Unknown(super::left_out("change.comments", "created_at", sources));
        };
        out.push(Comment {
            id: id.to_string(),
            author: note.author.as_ref().and_then(account),
            body,
            created_at,
            edited: edited(note, sources),
        });
    }
    out.sort_by(|a, b| (a.created_at, &a.id).cmp(&(b.created_at, &b.id)));
    Fact::seen_in(out, sources.clone())
}

/// A note that was touched after it was written counts as edited, whatever
/// touched it.
fn edited(note: &Note, sources: &[crate::facts::Source]) -> Fact<bool> {
    if let Some(Some(_)) = &note.last_edited_at {
        return Fact::seen_in(true, sources.to_vec());
    }
    match (
        time(note.created_at.as_deref()),
        time(note.updated_at.as_deref()),
    ) {
        (Some(created), Some(updated)) => Fact::seen_in(created != updated, sources.to_vec()),
        _ => Fact::Unknown(super::left_out("change.comments", "updated_at", sources)),
    }
}

fn notes_sources(notes: &Read<Vec<Note>>) -> Vec<crate::facts::Source> {
    notes
        .as_ref()
        .map(|(_, sources)| sources.clone())
        .unwrap_or_default()
}

#[cfg(test)]
#[path = "change_tests.rs"]
mod tests;
