//! An append as a commit that the server makes itself, if somebody is handed in who can ask it for
//! one. Knows no platform. What the server says that it made is fetched and compared with what was
//! meant before it counts.

use std::collections::BTreeMap;
use std::fmt;

use anyhow::{Context as _, ensure};

use super::super::remote::Sent;
use super::super::remote::overlay::Changes;
use super::mirror::{Mirror, TIP};

/// The name, in the copy, of the commit that the server made.
const MADE: &str = "refs/ccgate/made";
/// The name, in the copy, of where the branch stands when that is looked at. The tip that the next
/// append stands on is another name, which only the reading of its files may move.
const SEEN: &str = "refs/ccgate/seen";

/// A commit that the server is to make on a branch.
#[derive(Clone, Copy, Debug)]
pub struct NewCommit<'a> {
    /// The branch's full name, `refs/heads/…`.
    pub reference: &'a str,
    /// The commit that the branch has to stand at, in hex; it becomes the only parent.
    pub expected_head: &'a str,
    /// The message, one line.
    pub headline: &'a str,
    /// Bytes for each file that is written, `None` for one that is removed.
    pub changes: &'a BTreeMap<String, Option<Vec<u8>>>,
}

/// How it ended. The texts are for people and may repeat what the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Published {
    /// The server says that it made the commit with this name.
    Made(String),
    /// It made none, and may make one on the tip that is there now.
    Refused(String),
    /// It made none, and will make none however often it is asked.
    Denied(String),
    /// Whether it made one is not known.
    Unclear(String),
}

/// Makes commits another way than by a push.
pub trait Publisher: fmt::Debug + Send + Sync {
    /// Has one commit made, if the branch stands where it is expected, and asks once only:
    /// whether to ask again is for the ledger to say.
    fn publish(&self, commit: &NewCommit<'_>) -> Published;
}

/// What the server says that it made, and what was meant.
pub(super) struct Made {
    id: String,
    parent: String,
    tree: String,
}

impl Mirror {
    /// Has the server make the commit that stands under this name in the copy.
    ///
    /// # Errors
    /// If the server made another one than that.
    pub(super) fn publish(
        &mut self,
        publisher: &dyn Publisher,
        commit: &str,
        changes: &Changes,
        headline: &str,
    ) -> anyhow::Result<Sent> {
        let parent = self.id(&format!("{TIP}^0"))?;
        let tree = self.id(&format!("{commit}^{{tree}}"))?;
        let said = publisher.publish(&NewCommit {
            reference: &self.place().reference(),
            expected_head: &parent,
            headline,
            changes,
        });
        let harmless = |why: String| self.git().harmless(why.as_bytes());
        let id = match said {
            Published::Made(id) => id,
            Published::Refused(why) => return Ok(Sent::Refused(harmless(why))),
            Published::Denied(why) => return Ok(Sent::Denied(harmless(why))),
            Published::Unclear(why) => return Ok(Sent::Unclear(harmless(why))),
        };
        if !is_id(&id) {
            return Ok(Sent::Unclear(
                "the server says that it made a commit, and not which".to_owned(),
            ));
        }
        self.made = Some(Made { id, parent, tree });
        match self.check_made() {
            // It is looked for once more with the next tip.
            Err(error) if self.made.is_some() => Ok(Sent::Unclear(format!("{error:#}"))),
            outcome => outcome.map(|at_tip| {
                if at_tip {
                    Sent::Done
                } else {
                    // Others are on top of it, or somebody took it away: its records tell.
                    Sent::Unclear(
                        "the server made the commit, and the branch stands elsewhere by now"
                            .to_owned(),
                    )
                }
            }),
        }
    }

    /// Fetches what the server says that it made, if that was not seen yet, and says whether the branch
    /// stands there.
    ///
    /// # Errors
    /// If it cannot be had, which leaves it to be seen; or if it is not what was meant.
    pub(super) fn check_made(&mut self) -> anyhow::Result<bool> {
        let Some(made) = &self.made else {
            return Ok(true);
        };
        let tip = format!("+{}:{SEEN}", self.place().reference());
        let wanted = format!("+{}:{MADE}", made.id);
        let address = self.place().address().as_str();
        let fetched = self.git().run(
            &[
                "fetch",
                "--quiet",
                "--no-tags",
                "--no-write-fetch-head",
                "--depth=1",
                "--",
                address,
                &tip,
                &wanted,
            ],
            Vec::new(),
        )?;
        ensure!(
            fetched.succeeded(),
            "the server says that it made commit {}, which cannot be fetched: {}",
            made.id,
            fetched.said
        );
        let at_tip = self.id(SEEN)? == made.id;
        let (id, trees, parents) = self.read_commit()?;
        let as_meant =
            id == made.id && trees == [made.tree.as_str()] && parents == [made.parent.as_str()];
        let name = made.id.clone();
        // Seen, whatever it is.
        self.made = None;
        ensure!(
            as_meant,
            "commit {name}, which the server made on {}, is not the one that it was asked for: it has other files, or does not stand on the tip alone; the ledger is not as we meant it, so run `ccgate ledger verify`",
            self.place()
        );
        Ok(at_tip)
    }

    /// The name of the fetched commit, its tree and its parents, read from its own bytes: in a copy that holds the newest
    /// commits only, git would tell of no parents.
    fn read_commit(&self) -> anyhow::Result<(String, Vec<String>, Vec<String>)> {
        let id = self.id(MADE)?;
        let bytes = self.git().must(&["cat-file", "commit", &id], Vec::new())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let head: Vec<&str> = text.lines().take_while(|line| !line.is_empty()).collect();
        let all = |name: &str| {
            head.iter()
                .filter_map(|line| line.strip_prefix(name).map(str::to_owned))
                .collect()
        };
        Ok((id, all("tree "), all("parent ")))
    }

    /// The object's name in hex.
    fn id(&self, name: &str) -> anyhow::Result<String> {
        let told = self
            .git()
            .must(&["rev-parse", "--verify", "--quiet", name], Vec::new())?;
        let told = String::from_utf8(told)
            .ok()
            .context("git names no object")?;
        let id = told.trim().to_owned();
        ensure!(is_id(&id), "git names no object");
        Ok(id)
    }
}

/// Whether this is an object's whole name: anything else would mean something to git.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 40 | 64)
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
