//! A bare copy of the ledger's branch in a temporary folder: what is fetched into it, the commit
//! that is made in it, and what is pushed from it. Never by force, and to one branch only.

use anyhow::{Context as _, bail, ensure};
use tempfile::TempDir;

use super::super::place::GitPlace;
use super::super::remote::Sent;
use super::super::remote::overlay::{Changes, Overlay, is_plain};
use super::command::{Git, Ran};
use super::publish::Made;
use super::tree::Tree;

/// The name, in the copy, of what was fetched.
pub(super) const TIP: &str = "refs/ccgate/tip";

/// Where receipts wait on the server, one branch each; the rest of the name is the id of the first
/// record.
pub(super) const PENDING: &str = "refs/heads/ccgate/pending/";
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

pub(crate) struct Mirror {
    git: Git,
    place: GitPlace,
    commits: u32,
    /// Whether what waits to be sealed is fetched too.
    pub(super) with_receipts: bool,
    /// What the server says that it made, and nobody has seen yet.
    pub(super) made: Option<Made>,
    // Removed with everything in it when this is dropped.
    _folder: TempDir,
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
            made: None,
            _folder: folder,
        })
    }

    pub(super) fn git(&self) -> &Git {
        &self.git
    }

    pub(super) fn place(&self) -> &GitPlace {
        &self.place
    }

    /// The files at the tip of the branch; `None` where there is no such branch.
    ///
    /// # Errors
    /// If the remote cannot be reached or does not let us, or if the tip is no ledger's.
    pub(super) fn fetch(&self, depth: Depth) -> anyhow::Result<Option<Overlay<Tree>>> {
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
        Ok(Some(Overlay::over(Tree::of(&self.git, TIP)?)))
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
            // Anything else would mean something to git.
            ensure!(
                is_plain(path),
                "an append would have written `{}`, which belongs into no ledger",
                path.escape_debug()
            );
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
    pub(super) fn push(&self, commit: &str) -> Sent {
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
            Err(error) => return Sent::Unclear(format!("{error:#}")),
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
                Sent::Done
            }
            Some((flag, summary)) if flag == "!" => {
                let summary = self.git.harmless(summary.as_bytes());
                Sent::Refused(format!("{summary}; {}", pushed.said))
            }
            Some(_) | None => Sent::Unclear(pushed.said),
        }
    }
}
