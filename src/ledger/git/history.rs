//! Verification of a ledger's branch: its files at the tip like those of a folder, and beyond that
//! that the branch only ever grew, commit by commit.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::dir::CHECKPOINT;
use super::super::export::{Export, export_files};
use super::super::files::Files as _;
use super::super::place::GitPlace;
use super::super::remote::beginnings::{self, Claims};
use super::super::remote::overlay::{Overlay, belongs, may_be_removed, may_be_replaced};
use super::super::verify::{Verification, VerifyOptions, verify_files};
use super::command::Git;
use super::mirror::{Depth, Mirror, TIP};
use super::tree::Tree;

/// Problems that are told of a history; a wrong branch has thousands.
const MOST_PROBLEMS: usize = 100;

pub(super) fn verify(
    place: &GitPlace,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Verification> {
    let mirror = Mirror::new(place)?;
    match mirror.fetch(Depth::History)? {
        None => Ok(verify_files(&Overlay::over(Tree::default()), options)),
        Some(files) => {
            let mut verification = judged(&mirror, &files, verify_files(&files, options));
            let waiting = mirror.count_waiting()?;
            if waiting > 0 {
                verification.notes.push(format!(
                    "receipts below `ccgate/pending/`: {waiting}; their records are not sealed yet, or nobody took the receipts away; `ccgate ledger seal` does both"
                ));
            }
            Ok(verification)
        }
    }
}

/// The files at the tip, copied out once the whole history holds.
pub(super) fn export(
    place: &GitPlace,
    pack: &std::path::Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    let mirror = Mirror::new(place)?;
    let files = mirror
        .fetch(Depth::History)?
        .with_context(|| format!("there is no {place}"))?;
    let verification = judged(&mirror, &files, verify_files(&files, options));
    export_files(&files, verification, pack, options)
}

/// The same verdicts, with what is wrong in the history.
fn judged(mirror: &Mirror, files: &Overlay<Tree>, verification: Verification) -> Verification {
    let problems = match problems(mirror.git(), files) {
        Ok(problems) => problems,
        Err(error) => vec![format!("the branch's history cannot be read: {error:#}")],
    };
    let sound = format!("{}: every commit only added", mirror.place());
    verification.with(problems, sound)
}

/// A commit, and what it did to files.
struct Commit {
    id: String,
    changes: Vec<Change>,
}

/// One line of `git diff-tree`.
struct Change {
    /// `A`, `M`, `D` and others.
    status: String,
    mode: String,
    object: String,
    path: String,
}

fn problems(git: &Git, files: &Overlay<Tree>) -> anyhow::Result<Vec<String>> {
    let mut problems = Vec::new();
    for path in files.list("")?.iter().filter(|path| !belongs(path)) {
        problems.push(format!(
            "`{}` does not belong into a branch",
            path.escape_debug()
        ));
    }
    let order = line(git, &mut problems)?;
    // The size and root that each commit claimed.
    let mut claims = Claims::new();
    let mut newest: Option<Checkpoint> = None;
    for commit in changes(git, &order)? {
        if problems.len() >= MOST_PROBLEMS {
            break;
        }
        problems.extend(
            commit
                .changes
                .iter()
                .filter_map(|change| change.problem(&commit.id)),
        );
        let sealed = commit
            .changes
            .iter()
            .find(|change| change.path == CHECKPOINT && change.status != "D");
        let Some(sealed) = sealed else {
            let anchors = |change: &Change| change.path.starts_with("anchors/");
            if newest.is_none() || commit.changes.is_empty() || !commit.changes.iter().all(anchors)
            {
                problems.push(format!("commit {} seals nothing", commit.id));
            }
            continue;
        };
        let checkpoint = checkpoint(files, sealed)
            .with_context(|| format!("the checkpoint of commit {}", commit.id));
        match checkpoint {
            Err(error) => problems.push(format!("{error:#}")),
            Ok(now) => {
                if let Some(before) = &newest
                    && (now.size <= before.size || now.origin != before.origin)
                {
                    problems.push(format!(
                        "commit {} goes from {} records of `{}` to {} of `{}`",
                        commit.id, before.size, before.origin, now.size, now.origin
                    ));
                }
                claims.insert(now.size, (format!("commit {}", commit.id), now.clone()));
                newest = Some(now);
            }
        }
    }
    beginnings::check(files, &claims, &mut problems)?;
    Ok(problems)
}

/// The commits from the first to the newest: one line without merges.
fn line(git: &Git, problems: &mut Vec<String>) -> anyhow::Result<Vec<String>> {
    let listed = git.must(
        &["rev-list", "--reverse", "--topo-order", "--parents", TIP],
        Vec::new(),
    )?;
    let listed = String::from_utf8(listed)
        .ok()
        .context("git lists no text")?;
    let mut order: Vec<String> = Vec::new();
    for line in listed.lines() {
        let mut ids = line.split(' ');
        let id = ids.next().unwrap_or_default().to_owned();
        let parents: Vec<&str> = ids.collect();
        if parents
            != order
                .last()
                .map(String::as_str)
                .into_iter()
                .collect::<Vec<_>>()
        {
            problems.push(format!(
                "commit {id} does not stand on the one before it alone: somebody merged or joined histories"
            ));
        }
        order.push(id);
    }
    ensure!(!order.is_empty(), "the branch has no commit");
    Ok(order)
}

fn changes(git: &Git, order: &[String]) -> anyhow::Result<Vec<Commit>> {
    let mut input = order.join("\n");
    input.push('\n');
    let told = git.must(
        &[
            "diff-tree",
            "--stdin",
            "--root",
            "-r",
            "-m",
            "-z",
            "--raw",
            "--no-renames",
            "--no-abbrev",
        ],
        input.into_bytes(),
    )?;
    let told = String::from_utf8(told)
        .ok()
        .context("a file in the history has a name that is no UTF-8")?;
    let mut commits: Vec<Commit> = order
        .iter()
        .map(|id| Commit {
            id: id.clone(),
            changes: Vec::new(),
        })
        .collect();
    let places: BTreeMap<&str, usize> = order.iter().map(String::as_str).zip(0..).collect();
    let mut current = None;
    let mut parts = told.split('\0').filter(|part| !part.is_empty());
    while let Some(part) = parts.next() {
        if let Some(about) = part.strip_prefix(':') {
            let about: Vec<&str> = about.split(' ').collect();
            let [_, mode, _, object, status] = about.as_slice() else {
                anyhow::bail!("git tells of a change in a form that is not known");
            };
            let path = parts
                .next()
                .context("git tells of a change without a name")?;
            let commit = current.and_then(|place: usize| commits.get_mut(place));
            let commit = commit.context("git tells of a change without its commit")?;
            commit.changes.push(Change {
                status: (*status).to_owned(),
                mode: (*mode).to_owned(),
                object: (*object).to_owned(),
                path: path.to_owned(),
            });
        } else {
            current = Some(
                *places
                    .get(part.trim())
                    .context("git tells of a foreign commit")?,
            );
        }
    }
    Ok(commits)
}

impl Change {
    fn problem(&self, commit: &str) -> Option<String> {
        let path = self.path.escape_debug();
        let what = match self.status.as_str() {
            "A" | "M" if self.mode != "100644" => "writes what is no plain file",
            "A" if belongs(&self.path) => return None,
            "A" => "adds a file that belongs into no ledger",
            "M" if may_be_replaced(&self.path) => return None,
            "D" if may_be_removed(&self.path) => return None,
            "D" => "removes",
            _ => "changes",
        };
        Some(format!("commit {commit} {what}: `{path}`"))
    }
}

fn checkpoint(files: &Overlay<Tree>, sealed: &Change) -> anyhow::Result<Checkpoint> {
    let text = String::from_utf8(files.base().object(&sealed.object)?)
        .ok()
        .context("it is no text")?;
    Checkpoint::parse(&text)
}
