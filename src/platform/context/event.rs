//! What GitHub's event says about the change that a workflow runs for. An event
//! that names no single change is an error with a way out, never a guess.

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::{Group, Variables, Wanted, commit, previous_tip, printable};
use crate::facts::ToldBy;

/// Finds what is to be judged. `file` is the content of `GITHUB_EVENT_PATH`.
pub(super) fn wanted(
    env: Variables<'_>,
    file: Option<Result<Vec<u8>, String>>,
) -> anyhow::Result<Wanted> {
    let name = env.get("GITHUB_EVENT_NAME").context(
        "GITHUB_EVENT_NAME is not set, so it is not known which change; give `--change`",
    )?;
    match name {
        "pull_request"
        | "pull_request_target"
        | "pull_request_review"
        | "pull_request_review_comment" => pull_request(&read(name, file)?),
        "issue_comment" => issue_comment(&read(name, file)?),
        "push" => push(&read(name, file)?),
        "workflow_run" => workflow_run(&read(name, file)?),
        "merge_group" => merge_group(&read(name, file)?),
        // Runs that nobody's change caused: what stands on the default branch is judged.
        "schedule" | "workflow_dispatch" | "repository_dispatch" => Ok(Wanted::Commit {
            sha: None,
            branch: None,
            before: None,
        }),
        other => bail!(
            "the event `{}` names no change; run the check on `pull_request`, or say which \
             change with `--change`",
            printable(other)
        ),
    }
}

fn read(name: &str, file: Option<Result<Vec<u8>, String>>) -> anyhow::Result<Value> {
    let bytes = match file {
        Some(Ok(bytes)) => bytes,
        Some(Err(reason)) => bail!(
            "the event file in GITHUB_EVENT_PATH cannot be read: {reason}; say which change \
             with `--change`"
        ),
        None => bail!(
            "GITHUB_EVENT_PATH is not set, so the `{name}` event is not known; say which change \
             with `--change`"
        ),
    };
    let event: Value = serde_json::from_slice(&bytes).map_err(|error| {
        anyhow::anyhow!(
            "the event file in GITHUB_EVENT_PATH is not valid JSON: {error}; say which change \
             with `--change`"
        )
    })?;
    ensure!(
        event.is_object(),
        "the event file in GITHUB_EVENT_PATH is no JSON object; say which change with `--change`"
    );
    Ok(event)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value
        .pointer(pointer)?
        .as_str()
        .filter(|text| !text.is_empty())
}

fn pull_request(event: &Value) -> anyhow::Result<Wanted> {
    let change = event
        .get("pull_request")
        .context("the event file has no `pull_request`; say which change with `--change`")?;
    from_pull_request(change)
}

fn from_pull_request(change: &Value) -> anyhow::Result<Wanted> {
    let number = change
        .get("number")
        .and_then(Value::as_u64)
        .filter(|number| *number > 0)
        .context("the pull request in the event file has no number; give `--change`")?;
    let head = text(change, "/head/sha")
        .map(|head| commit("the head of the pull request in the event file", head))
        .transpose()?;
    Ok(Wanted::Change {
        number,
        head,
        target: text(change, "/base/ref").map(ToOwned::to_owned),
    })
}

fn issue_comment(event: &Value) -> anyhow::Result<Wanted> {
    let number = event
        .pointer("/issue/number")
        .and_then(Value::as_u64)
        .filter(|number| *number > 0)
        .context("the event file names no issue; say which change with `--change`")?;
    ensure!(
        event
            .pointer("/issue/pull_request")
            .is_some_and(Value::is_object),
        "the comment is on issue {number}, which is no pull request; run the check only for \
         comments with `github.event.issue.pull_request`"
    );
    // The event does not say which head it was written for; the platform is asked.
    Ok(Wanted::Change {
        number,
        head: None,
        target: None,
    })
}

fn push(event: &Value) -> anyhow::Result<Wanted> {
    let reference = text(event, "/ref")
        .context("the push in the event file names no branch; say which with `--ref`")?;
    let Some(branch) = reference.strip_prefix("refs/heads/") else {
        bail!(
            "the push is to `{}`, which is no branch; run the check on pushes to branches, or \
             say which branch with `--ref`",
            printable(reference)
        );
    };
    let after = text(event, "/after").unwrap_or_default();
    let gone = event.get("deleted").and_then(Value::as_bool) == Some(true)
        || (!after.is_empty() && after.bytes().all(|byte| byte == b'0'));
    ensure!(
        !gone,
        "the push deleted the branch `{}`, so there is no commit to judge",
        printable(branch)
    );
    let before = text(event, "/before")
        .map(|before| {
            previous_tip(
                "`before` of the push in the event file",
                before,
                ToldBy::Event,
            )
        })
        .transpose()?;
    Ok(Wanted::Commit {
        sha: Some(commit("`after` of the push in the event file", after)?),
        branch: Some(branch.to_owned()),
        before,
    })
}

/// A group of the merge queue. The queue's own branch names the branch that it is for;
/// both have to agree.
fn merge_group(event: &Value) -> anyhow::Result<Wanted> {
    ensure!(
        event.get("action").and_then(Value::as_str) == Some("checks_requested"),
        "the merge group in the event file is not asked to be checked; run the check on \
         `merge_group` with the type `checks_requested`"
    );
    let base = text(event, "/merge_group/base_ref")
        .and_then(|name| name.strip_prefix("refs/heads/"))
        .filter(|name| !name.is_empty())
        .context("the merge group in the event file names no branch that it is for")?;
    let queue = text(event, "/merge_group/head_ref").unwrap_or_default();
    ensure!(
        queue.starts_with(&format!("refs/heads/gh-readonly-queue/{base}/")),
        "the merge group in the event file stands on `{}`, which is no branch of the queue for \
         `{}`",
        printable(queue),
        printable(base)
    );
    let id = |what: &str, pointer: &str| {
        commit(
            &format!("the {what} of the merge group in the event file"),
            text(event, pointer).unwrap_or_default(),
        )
    };
    Ok(Wanted::Group(Group {
        base: id("base", "/merge_group/base_sha")?,
        head: id("head", "/merge_group/head_sha")?,
        branch: base.to_owned(),
    }))
}

fn workflow_run(event: &Value) -> anyhow::Result<Wanted> {
    let changes = event
        .pointer("/workflow_run/pull_requests")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    match changes {
        [change] => {
            let other = change.pointer("/base/repo/id").and_then(Value::as_u64);
            let own = event.pointer("/repository/id").and_then(Value::as_u64);
            ensure!(
                other.is_none() || other == own,
                "the pull request of the workflow run belongs to another repository; say which \
                 change with `--change`"
            );
            from_pull_request(change)
        }
        [] => bail!(
            "the workflow run names no pull request (it never does for forks); say which change \
             with `--change`"
        ),
        more => bail!(
            "the workflow run belongs to {} pull requests; say which change with `--change`",
            more.len()
        ),
    }
}
