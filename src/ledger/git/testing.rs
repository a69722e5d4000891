//! A server on this machine that makes a ledger's commits itself, over a bare repository. For tests only.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::Store as _;
use super::super::torture::{ORIGIN, leaf};
use super::tests::{PATH, Remote};
use super::*;

pub(super) const BRANCH: &str = "refs/heads/ccgate/ledger";

/// What the server does when it is asked: the number of the question, from 1, and the question.
type Does = Box<dyn Fn(usize, &Server, &NewCommit<'_>) -> Published + Send + Sync>;

/// Makes commits in a bare repository, under its own name and at its own time.
pub(super) struct Server {
    pub(super) remote: Arc<Remote>,
    asked: AtomicUsize,
    does: Does,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Server")
    }
}

impl Publisher for Server {
    fn publish(&self, commit: &NewCommit<'_>) -> Published {
        assert_eq!(commit.reference, BRANCH);
        let number = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        (self.does)(number, self, commit)
    }
}

impl Server {
    pub(super) fn new(
        remote: &Arc<Remote>,
        does: impl Fn(usize, &Self, &NewCommit<'_>) -> Published + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self {
            remote: Arc::clone(remote),
            asked: AtomicUsize::new(0),
            does: Box::new(does),
        })
    }

    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// A store whose appends are made here.
    pub(super) fn store(self: &Arc<Self>) -> GitStore {
        let mut store = GitStore::new(&self.place(), Some(ORIGIN), None);
        store.patience.pause = Duration::ZERO;
        // A slow machine is no reason to give up.
        store.patience.total = Duration::from_secs(3600);
        store
    }

    pub(super) fn place(self: &Arc<Self>) -> GitPlace {
        let mut place = self.remote.place();
        place.publisher = Some(Arc::clone(self) as Arc<dyn Publisher>);
        place
    }

    pub(super) fn git(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = Command::new("git")
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", self.remote.home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "gate[bot]")
            .env("GIT_AUTHOR_EMAIL", "gate@example.test")
            .env("GIT_COMMITTER_NAME", "GitHub")
            .env("GIT_COMMITTER_EMAIL", "noreply@example.test")
            .args(arguments)
            .current_dir(self.remote.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        child.wait_with_output().unwrap()
    }

    /// A commit with these changes, on no branch yet.
    pub(super) fn commit(
        &self,
        parent: &str,
        changes: &BTreeMap<String, Option<Vec<u8>>>,
    ) -> String {
        let name = format!("refs/made/{}", fastrand::u64(..));
        let mut stream = format!(
            "feature done\ncommit {name}\nauthor gate[bot] <gate@example.test> 1790000000 +0200\ncommitter GitHub <noreply@example.test> 1790000000 +0200\ndata 4\nmade\nfrom {parent}\n"
        )
        .into_bytes();
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
        let imported = self.git(&["fast-import", "--quiet"], &stream);
        assert!(
            imported.status.success(),
            "{}",
            String::from_utf8_lossy(&imported.stderr)
        );
        self.remote.ask(&["rev-parse", &name])
    }

    /// The branch goes there if it stands where it has to.
    pub(super) fn moves(&self, from: &str, to: &str) -> bool {
        self.git(&["update-ref", BRANCH, to, from], b"")
            .status
            .success()
    }

    /// What GitHub does.
    pub(super) fn make(&self, commit: &NewCommit<'_>) -> Published {
        let made = self.commit(commit.expected_head, commit.changes);
        if self.moves(commit.expected_head, &made) {
            Published::Made(made)
        } else {
            Published::Refused("Expected branch to point to something else".to_owned())
        }
    }
}

/// A ledger of one record, and a server for its branch.
pub(super) fn begun(
    does: impl Fn(usize, &Server, &NewCommit<'_>) -> Published + Send + Sync + 'static,
) -> (Arc<Remote>, Arc<Server>) {
    let remote = Arc::new(Remote::new());
    remote.store().append(&[leaf(0)]).unwrap();
    let server = Server::new(&remote, does);
    (remote, server)
}
