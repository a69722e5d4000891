//! Ledgers in git, on bare repositories of this machine: growth, races, refusals, lost
//! connections, and branches that somebody tampered with. Each test brings its own home.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::super::files::Files as _;
use super::super::torture::{ORIGIN, leaf, leaves, ledger, signer, snapshot};
use super::super::verify::State;
use super::super::{Place, Population, Sealed as _, Store};
use super::*;

/// Where programs are on the machine that built this.
pub(super) const PATH: &str = match option_env!("PATH") {
    Some(path) => path,
    None => "/usr/bin:/bin",
};

/// A bare repository, and a home without anybody's configuration.
pub(super) struct Remote {
    pub(super) home: tempfile::TempDir,
}

impl Remote {
    pub(super) fn new() -> Self {
        let remote = Self {
            home: tempfile::tempdir().unwrap(),
        };
        remote.git(
            remote.home.path(),
            &["init", "--quiet", "--bare", "remote.git"],
        );
        remote
    }

    pub(super) fn path(&self) -> PathBuf {
        self.home.path().join("remote.git")
    }

    pub(super) fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args([
                "-c",
                "user.name=somebody",
                "-c",
                "user.email=somebody@example.test",
            ])
            .args([
                "-c",
                "init.defaultBranch=main",
                "-c",
                "commit.gpgSign=false",
            ])
            .args(arguments)
            .current_dir(folder)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(super) fn ask(&self, arguments: &[&str]) -> String {
        self.git(&self.path(), arguments)
    }

    pub(super) fn place(&self) -> GitPlace {
        let url = format!("git+file://{}#ccgate/ledger", self.path().display());
        match Place::parse(&url, || Ok(String::new())).unwrap() {
            Place::Git(mut place) => {
                place.variables = vec![("PATH".to_owned(), PATH.to_owned())];
                place
            }
            place => unreachable!("{place:?}"),
        }
    }

    pub(super) fn store(&self) -> GitStore {
        let mut store = GitStore::new(&self.place(), Some(ORIGIN), None);
        store.patience.pause = Duration::ZERO;
        store
    }

    pub(super) fn tip(&self) -> String {
        self.ask(&["rev-parse", "refs/heads/ccgate/ledger"])
    }

    pub(super) fn verify(&self) -> Verification {
        verify(&self.place(), &VerifyOptions::default()).unwrap()
    }

    /// Whether the ledger holds exactly the first `count` records, each once, and verifies.
    pub(super) fn holds(&self, count: u64) {
        let members: Vec<String> = (0..count)
            .map(|number| format!("change-{number}"))
            .collect();
        let options = VerifyOptions {
            population: Some(Population {
                members: &members,
                predicate_type: None,
                telling: None,
                branch: None,
            }),
            ..VerifyOptions::default()
        };
        let seen = verify(&self.place(), &options).unwrap();
        assert_eq!((seen.size, seen.exit_code()), (count, 0), "{seen:?}");
    }

    /// A script that the server runs at a push.
    pub(super) fn hook(&self, name: &str, script: &str) {
        let path = self.path().join("hooks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(
            &path,
            format!("#!/bin/sh\nunset GIT_QUARANTINE_PATH\n{script}\n"),
        )
        .unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    /// A copy with a work tree, to tamper in.
    pub(super) fn work_tree(&self) -> PathBuf {
        let work = self.home.path().join("work");
        let from = self.path().display().to_string();
        self.git(
            self.home.path(),
            &["clone", "--quiet", "-b", "ccgate/ledger", &from, "work"],
        );
        work
    }

    pub(super) fn commit_and_push(&self, work: &Path, more: &[&str]) {
        self.git(work, &["add", "-A"]);
        self.git(
            work,
            &["commit", "--quiet", "--allow-empty", "-m", "by hand"],
        );
        let mut arguments = vec!["push", "--quiet"];
        arguments.extend(more);
        arguments.extend(["origin", "HEAD:ccgate/ledger"]);
        self.git(work, &arguments);
    }
}

#[test]
fn a_branch_holds_the_same_bytes_as_a_folder_and_every_append_is_one_commit() {
    let remote = Remote::new();
    let mut store = GitStore::new(&remote.place(), Some(ORIGIN), Some(signer()));
    assert_eq!(store.checkpoint().unwrap(), None, "there is no branch yet");
    store.append(&leaves(0..150)).unwrap();
    let receipt = store.append(&leaves(150..300)).unwrap();
    assert_eq!((receipt.size, receipt.duplicates.len()), (300, 0));
    let folder = tempfile::tempdir().unwrap();
    ledger(folder.path(), 300, Some(signer()));
    let mut expected = snapshot(folder.path());
    expected.remove("lock");
    let mirror = Mirror::new(&remote.place()).unwrap();
    let files = mirror.fetch(Depth::Tip).unwrap().unwrap();
    let held: BTreeMap<String, Vec<u8>> = files
        .list("")
        .unwrap()
        .into_iter()
        .map(|path| (path.clone(), files.read(&path).unwrap().unwrap()))
        .collect();
    assert_eq!(
        held.keys().collect::<Vec<_>>(),
        expected.keys().collect::<Vec<_>>()
    );
    assert!(held == expected, "a file differs");
    let log = remote.ask(&[
        "log",
        "--format=%an <%ae> %s %P",
        "refs/heads/ccgate/ledger",
    ]);
    assert_eq!(log.lines().count(), 2);
    assert!(
        log.lines()
            .all(|line| line.starts_with("ccgate <noreply@ccgate.dev> Seal ")),
        "{log}"
    );
    let seen = remote.verify();
    assert_eq!(
        (seen.integrity.state, seen.size),
        (State::Ok, 300),
        "{seen:?}"
    );
    let store: Box<dyn Store> = Box::new(store);
    assert_eq!(store.size().unwrap(), 300);
    assert_eq!(store.leaves(299..300).unwrap(), vec![leaf(299).bytes]);
}

#[test]
fn nothing_is_left_in_the_temporary_folder_and_the_token_is_in_no_file() {
    let remote = Remote::new();
    let mut place = remote.place();
    place.credentials = Some(super::super::Credentials::new("u", "not-a-token-at-all").unwrap());
    let mirror = Mirror::new(&place).unwrap();
    assert!(mirror.fetch(Depth::Tip).unwrap().is_none());
    let repository = PathBuf::from(
        String::from_utf8(
            mirror
                .git()
                .must(&["rev-parse", "--absolute-git-dir"], Vec::new())
                .unwrap(),
        )
        .unwrap()
        .trim(),
    );
    for (path, bytes) in snapshot(&repository) {
        assert!(
            !String::from_utf8_lossy(&bytes).contains("not-a-token"),
            "{path}"
        );
    }
    assert!(
        !snapshot(&repository)
            .keys()
            .any(|path| path.starts_with("hooks/"))
    );
    drop(mirror);
    assert!(!repository.exists());
}

#[test]
fn a_tip_that_moves_twenty_times_between_fetch_and_push_costs_tries_and_nothing_else() {
    let remote = Remote::new();
    for number in 0..21 {
        remote.store().append(&[leaf(number)]).unwrap();
    }
    let chain = remote.ask(&["rev-list", "--reverse", "refs/heads/ccgate/ledger"]);
    let chain: Vec<&str> = chain.lines().collect();
    remote.ask(&["update-ref", "refs/keep/all", chain[20]]);
    remote.ask(&["update-ref", "refs/heads/ccgate/ledger", chain[0]]);
    fs::write(remote.path().join("chain"), chain[1..].join("\n") + "\n").unwrap();
    remote.hook(
        "pre-receive",
        "next=$(head -n 1 chain); [ -z \"$next\" ] && exit 0\n\
         sed 1d chain > rest; mv rest chain\n\
         git update-ref refs/heads/ccgate/ledger \"$next\"",
    );
    let receipt = remote.store().append(&[leaf(21)]).unwrap();
    assert_eq!(fs::read_to_string(remote.path().join("chain")).unwrap(), "");
    assert_eq!((receipt.indexes, receipt.size), (vec![21], 22));
    remote.holds(22);
}

#[test]
fn a_push_that_is_refused_in_unknown_words_is_tried_again() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    remote.hook(
        "update",
        "echo x >> tries; [ $(wc -l < tries) -gt 5 ] && exit 0\necho 'Ünbekannter Grund 4711' >&2; exit 1",
    );
    remote.store().append(&[leaf(1)]).unwrap();
    assert_eq!(
        fs::read_to_string(remote.path().join("tries"))
            .unwrap()
            .lines()
            .count(),
        6
    );
    remote.holds(2);
}

#[test]
fn a_server_that_never_takes_the_record_ends_in_an_error_with_its_harmless_words() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    remote.hook(
        "update",
        "printf 'no \\033[2J\\r\\n::set-output x\\n' >&2; exit 1",
    );
    let mut store = remote.store();
    store.patience.refusals = 3;
    let error = format!("{:#}", store.append(&[leaf(1)]).unwrap_err());
    assert!(
        error.contains("in 3 tries, and does not hold it"),
        "{error}"
    );
    assert!(
        error.contains("no ") && !error.contains(['\u{1b}', '\n', '\r']),
        "{error}"
    );
    remote.holds(1);
}

#[test]
fn a_connection_that_is_lost_after_the_server_took_the_push_neither_loses_nor_doubles() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    remote.hook("post-receive", "kill -9 $PPID");
    let receipt = remote.store().append(&[leaf(1)]).unwrap();
    assert_eq!((receipt.indexes, receipt.duplicates), (vec![1], vec![]));
    remote.holds(2);
    // The same where it is the last try.
    let mut store = remote.store();
    store.patience.unclear = 1;
    store.patience.refusals = 1;
    assert_eq!(store.append(&[leaf(2)]).unwrap().size, 3);
    remote.holds(3);
}

#[test]
fn a_connection_that_is_lost_before_the_server_took_the_push_is_tried_once_more() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    remote.hook(
        "pre-receive",
        "[ -e once ] && exit 0; touch once; kill -9 $PPID",
    );
    remote.store().append(&[leaf(1)]).unwrap();
    remote.holds(2);
    remote.hook("pre-receive", "kill -9 $PPID");
    let mut store = remote.store();
    store.patience.refusals = 2;
    let error = format!("{:#}", store.append(&[leaf(2)]).unwrap_err());
    assert!(error.contains("does not hold it"), "{error}");
    remote.holds(2);
}

#[test]
fn a_remote_that_dies_gives_an_error_and_never_a_success() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let mut store = remote.store();
    store.checkpoint().unwrap();
    fs::rename(remote.path(), remote.home.path().join("gone")).unwrap();
    let error = format!("{:#}", store.append(&[leaf(1)]).unwrap_err());
    assert!(error.contains("not known"), "{error}");
    assert!(remote.store().append(&[leaf(1)]).is_err());
    assert!(verify(&remote.place(), &VerifyOptions::default()).is_err());
    fs::rename(remote.home.path().join("gone"), remote.path()).unwrap();
    remote.holds(1);
}

#[test]
fn the_same_record_from_two_machines_is_stored_once_under_one_number() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let (mut one, mut other) = (remote.store(), remote.store());
    one.checkpoint().unwrap();
    other.checkpoint().unwrap();
    let first = one.append(&[leaf(1), leaf(2)]).unwrap();
    let second = other.append(&[leaf(2), leaf(1)]).unwrap();
    assert_eq!((first.indexes, second.indexes), (vec![1, 2], vec![2, 1]));
    remote.holds(3);
}

#[test]
fn writers_on_many_machines_lose_nothing_and_double_nothing() {
    let remote = Remote::new();
    std::thread::scope(|scope| {
        for writer in 0..6_u64 {
            let remote = &remote;
            scope.spawn(move || {
                let mut store = remote.store();
                store.patience.refusals = 1000;
                for number in 0..3 {
                    // Every record is written by two of them.
                    store.append(&[leaf((writer / 2) * 3 + number)]).unwrap();
                }
            });
        }
    });
    remote.holds(9);
}

#[test]
fn what_depends_on_the_log_is_made_anew_when_somebody_else_was_faster() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    let mut slow = remote.store();
    slow.checkpoint().unwrap();
    let mut seen = Vec::new();
    slow.append_after(&mut |sealed| {
        let size = sealed.size()?;
        seen.push(size);
        if size == 1 {
            remote.store().append(&[leaf(100)])?;
        }
        Ok(vec![leaf(size)])
    })
    .unwrap();
    assert_eq!(seen, [1, 2], "once before the other and once after");
    let sealed = slow.read(0..3).unwrap();
    assert_eq!(sealed, [leaf(0).bytes, leaf(100).bytes, leaf(2).bytes]);
}

#[test]
fn what_came_through_in_silence_is_not_made_anew() {
    let remote = Remote::new();
    remote.store().append(&[leaf(0)]).unwrap();
    remote.hook("post-receive", "kill -9 $PPID");
    let receipt = remote
        .store()
        .append_after(&mut |sealed| Ok(vec![leaf(sealed.size()?)]))
        .unwrap();
    assert_eq!((receipt.indexes, receipt.size), (vec![1], 2));
    remote.holds(2);
}
