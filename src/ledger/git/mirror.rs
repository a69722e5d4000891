//! A bare copy of the ledger's branch in a temporary folder: what is fetched into it, the commit
//! that is made in it, and what is pushed from it. Never by force, and to one branch only.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::super::dir::{CHECKPOINT, FORMAT, SIGNERS};
use super::super::place::GitPlace;
use super::command::{Git, Ran};
use super::receipts::PENDING;
use super::tree::{Changes, TreeFiles};

/// The name, in the copy, of what was fetched.
pub(super) const TIP: &str = "refs/ccgate/tip";

/// Where, in the copy, the receipts are that were fetched.
pub(super) const WAITING: &str = "refs/ccgate/pending/";

/// `git ls-remote --exit-code` says so where there is no such branch.
const NO_SUCH_BRANCH: i32 = 2;

/// How much of the branch is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Depth {
    /// The newest commit with all its files.
    Tip,
    /// Every commit.
    History,
}

/// How a push ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Push {
    /// The server has it.
    Done,
    /// The server does not take it on what the branch is now, in whatever words.
    Refused(String),
    /// Whether the server has it is not known.
    Unclear(String),
}

pub(super) struct Mirror {
    git: Git,
    place: GitPlace,
    commits: u32,
    /// Whether what waits to be sealed is fetched too.
    pub(super) with_receipts: bool,
    // Removed with everything in it when this is dropped.
    folder: TempDir,
}

impl Mirror {
    pub(super) fn new(place: &GitPlace) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("ccgate-ledger-")
            .tempdir()
            .context("no temporary folder can be made for the ledger's branch")?;
        let repository = folder.path().join("repository");
        std::fs::create_dir(&repository).context("no temporary folder can be made")?;
        let git = Git::new(&repository, place);
        git.must(&["init", "--quiet", "--bare", "--template="], Vec::new())?;
        Ok(Self {
            git,
            place: place.clone(),
            commits: 0,
            with_receipts: false,
            folder,
        })
    }

    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    pub(super) fn place(&self) -> &GitPlace {
        &self.place
    }

    fn lock(&self) -> PathBuf {
        self.folder.path().join("lock")
    }

    /// The files at the tip of the branch; `None` where there is no such branch.
    ///
    /// # Errors
    /// If the remote cannot be reached or does not let us, or if the tip is no ledger's.
    pub(super) fn fetch(&self, depth: Depth) -> anyhow::Result<Option<TreeFiles>> {
        let fetched = self.fetch_tip(depth)?;
        if !fetched.succeeded() {
            if self.is_absent()? {
                return Ok(None);
            }
            // It could have been made since.
            let again = self.fetch_tip(depth)?;
            ensure!(
                again.succeeded(),
                "{} cannot be fetched: {}",
                self.place,
                again.said
            );
        }
        TreeFiles::of(&self.git, TIP, self.lock()).map(Some)
    }

    /// The files of a branch that has yet to be made.
    pub(super) fn nothing(&self) -> TreeFiles {
        TreeFiles::empty(self.lock())
    }

    fn fetch_tip(&self, depth: Depth) -> anyhow::Result<Ran> {
        // In this copy the old tip is overwritten; on the server nothing is.
        let tip = format!("+{}:{TIP}", self.place.reference());
        let mut arguments = vec!["fetch", "--quiet", "--no-tags", "--no-write-fetch-head"];
        if depth == Depth::Tip {
            arguments.push("--depth=1");
        }
        let receipts = format!("+{PENDING}*:{WAITING}*");
        if self.with_receipts {
            arguments.push("--prune");
        }
        arguments.extend(["--", self.place.address().as_str(), &tip]);
        if self.with_receipts {
            arguments.push(&receipts);
        }
        self.git.run(&arguments, Vec::new())
    }

    /// Whether the server answers and has no such branch. By git's exit code, not by its words.
    fn is_absent(&self) -> anyhow::Result<bool> {
        let reference = self.place.reference();
        let address = self.place.address().as_str();
        let listed = self.git.run(
            &[
                "ls-remote",
                "--exit-code",
                "--quiet",
                "--",
                address,
                &reference,
            ],
            Vec::new(),
        )?;
        let named = String::from_utf8_lossy(&listed.output)
            .lines()
            .any(|line| line.split('\t').nth(1) == Some(reference.as_str()));
        match listed.code {
            Some(NO_SUCH_BRANCH) => Ok(true),
            // Another name that ends like this one.
            Some(0) => Ok(!named),
            Some(_) | None => bail!("{} cannot be read: {}", self.place, listed.said),
        }
    }

    /// Makes a commit on the fetched tip (the first one if there is none), and gives its name
    /// in this copy. The time in it is the runner's and proves nothing.
    pub(super) fn commit(
        &mut self,
        onto_tip: bool,
        changes: &Changes,
        message: &str,
    ) -> anyhow::Result<String> {
        for path in changes.keys() {
            check_path(path)?;
        }
        self.import(onto_tip, changes, message)
    }

    /// Makes a commit with these files, whatever they are.
    pub(super) fn import(
        &mut self,
        onto_tip: bool,
        changes: &Changes,
        message: &str,
    ) -> anyhow::Result<String> {
        self.commits += 1;
        let name = format!("refs/ccgate/next-{}", self.commits);
        let mut stream = Vec::new();
        let mut line = |text: String| stream.extend_from_slice(text.as_bytes());
        line(format!(
            "feature done\ncommit {name}\ncommitter ccgate <noreply@ccgate.dev> now\ndata {}\n{message}\n",
            message.len()
        ));
        if onto_tip {
            line(format!("from {TIP}^0\n"));
        }
        for (path, bytes) in changes {
            match bytes {
                None => stream.extend_from_slice(format!("D {path}\n").as_bytes()),
                Some(bytes) => {
                    let head = format!("M 100644 inline {path}\ndata {}\n", bytes.len());
                    stream.extend_from_slice(head.as_bytes());
                    stream.extend_from_slice(bytes);
                    stream.push(b'\n');
                }
            }
        }
        stream.extend_from_slice(b"done\n");
        self.git
            .must(&["fast-import", "--quiet", "--date-format=now"], stream)?;
        Ok(name)
    }

    /// Offers the commit to the server. It takes it only if the branch still stands where the
    /// commit's parent is.
    pub(super) fn push(&self, commit: &str) -> Push {
        let reference = self.place.reference();
        let change = format!("{commit}:{reference}");
        let address = self.place.address().as_str();
        let pushed = self.git.run(
            &["push", "--porcelain", "--no-verify", "--", address, &change],
            Vec::new(),
        );
        let pushed = match pushed {
            Ok(pushed) => pushed,
            // It did not end in time; the server may have it all the same.
            Err(error) => return Push::Unclear(format!("{error:#}")),
        };
        let report = String::from_utf8_lossy(&pushed.output).into_owned();
        // A flag, the two names, a summary: git's words for machines.
        let about_us = report.lines().find_map(|line| {
            let mut parts = line.split('\t');
            let flag = parts.next()?;
            let names = parts.next()?;
            let ours = names
                .rsplit_once(':')
                .is_some_and(|(_, to)| to == reference);
            ours.then(|| (flag.to_owned(), parts.next().unwrap_or_default().to_owned()))
        });
        match about_us {
            Some((flag, _)) if pushed.succeeded() && matches!(flag.as_str(), " " | "*" | "=") => {
                Push::Done
            }
            Some((flag, summary)) if flag == "!" => {
                let summary = self.git.harmless(summary.as_bytes());
                Push::Refused(format!("{summary}; {}", pushed.said))
            }
            Some(_) | None => Push::Unclear(pushed.said),
        }
    }
}

/// An append only adds; what it may replace or take away is named in the format.
pub(super) fn may_be_replaced(path: &str) -> bool {
    path == CHECKPOINT || path == SIGNERS
}

/// Partial tiles and bundles are superseded by longer ones.
pub(super) fn may_be_removed(path: &str) -> bool {
    path.starts_with("log/tile/")
        && Path::new(path)
            .parent()
            .is_some_and(|folder| folder.extension().is_some_and(|end| end == "p"))
}

/// Files that belong into a ledger's branch at all.
pub(super) fn belongs(path: &str) -> bool {
    let folders = ["log/tile/", "records/", "blobs/", "anchors/"];
    matches!(path, FORMAT | CHECKPOINT | SIGNERS)
        || folders.iter().any(|folder| path.starts_with(folder))
}

/// Our own paths are plain; anything else would mean something to git.
fn check_path(path: &str) -> anyhow::Result<()> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-".contains(character);
    let parts = path
        .split('/')
        .all(|part| !part.is_empty() && part != "." && part != "..");
    ensure!(
        belongs(path) && parts && path.chars().all(plain),
        "an append would have written `{}`, which belongs into no ledger",
        path.escape_debug()
    );
    Ok(())
}

/// Whether a commit with these changes only adds to the tip.
pub(super) fn check_growth(tip: &TreeFiles, changes: &Changes) -> anyhow::Result<()> {
    for (path, bytes) in changes {
        let fine = match (tip.has(path), bytes) {
            (false, _) => true,
            (true, Some(_)) => may_be_replaced(path),
            (true, None) => may_be_removed(path),
        };
        ensure!(
            fine,
            "an append would have changed `{}`, which may only be added",
            path.escape_debug()
        );
    }
    Ok(())
}
