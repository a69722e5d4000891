//! Ledgers in git whose commits the server makes itself, on bare repositories of this machine: what it
//! makes has another committer and another time than a push would have.

use std::sync::{Arc, Mutex};

use super::super::torture::{ORIGIN, leaf, leaves, signer};
use super::super::{Credentials, Place, Store as _, guarantees};
use super::mirror::PENDING;
use super::testing::{BRANCH, Server, begun};
use super::tests::Remote;
use super::*;

fn honest() -> (Arc<Remote>, Arc<Server>) {
    begun(|_, server, commit| server.make(commit))
}

fn lost() -> Published {
    Published::Unclear("the connection ended before an answer came".to_owned())
}

#[test]
fn the_first_commit_is_pushed_and_every_later_one_made_by_the_server_once() {
    let remote = Arc::new(Remote::new());
    let server = Server::new(&remote, |_, server, commit| {
        assert!(
            commit.changes.values().any(Option::is_none),
            "a partial tile is removed"
        );
        server.make(commit)
    });
    assert_eq!(server.store().append(&leaves(0..2)).unwrap().size, 2);
    assert_eq!(server.asked(), 0);
    let mut store = server.store();
    let receipt = store.append(&[leaf(2)]).unwrap();
    assert_eq!((receipt.indexes, receipt.duplicates), (vec![2], vec![]));
    assert_eq!(store.append(&[leaf(3)]).unwrap().size, 4);
    assert_eq!(server.asked(), 2);
    // What is there already is asked for by nobody.
    assert_eq!(server.store().append(&[leaf(3)]).unwrap().indexes, [3]);
    assert_eq!(server.asked(), 2);
    remote.holds(4);
    let log = remote.ask(&["log", "--reverse", "--format=%cn %ct", BRANCH]);
    let log: Vec<&str> = log.lines().collect();
    assert_eq!(log.len(), 3);
    assert!(log[0].starts_with("ccgate "), "{log:?}");
    assert_eq!(log[1..], ["GitHub 1790000000", "GitHub 1790000000"]);
}

#[test]
fn a_tip_that_moved_costs_one_more_question_and_the_record_is_sealed_behind_it() {
    let (remote, server) = begun(|number, server, commit| {
        if number == 1 {
            server.remote.store().append(&[leaf(1)]).unwrap();
        }
        server.make(commit)
    });
    let receipt = server.store().append(&[leaf(2)]).unwrap();
    assert_eq!((receipt.indexes, receipt.size), (vec![2], 3));
    assert_eq!(server.asked(), 2);
    remote.holds(3);
}

#[test]
fn a_tip_that_moves_twenty_times_before_the_server_looks_costs_questions_and_nothing_else() {
    let remote = Arc::new(Remote::new());
    for number in 0..21 {
        remote.store().append(&[leaf(number)]).unwrap();
    }
    let chain = remote.ask(&["rev-list", "--reverse", BRANCH]);
    let chain: Vec<String> = chain.lines().map(str::to_owned).collect();
    remote.ask(&["update-ref", "refs/keep/all", &chain[20]]);
    remote.ask(&["update-ref", BRANCH, &chain[0]]);
    let server = Server::new(&remote, move |number, server, commit| {
        if let Some(next) = chain.get(number) {
            assert!(server.moves(&chain[number - 1], next));
        }
        server.make(commit)
    });
    let receipt = server.store().append(&[leaf(21)]).unwrap();
    assert_eq!((receipt.indexes, receipt.size), (vec![21], 22));
    assert_eq!(server.asked(), 21);
    remote.holds(22);
}

#[test]
fn an_answer_that_is_lost_after_the_commit_was_made_neither_loses_nor_doubles() {
    let (remote, server) = begun(|_, server, commit| {
        assert!(matches!(server.make(commit), Published::Made(_)));
        lost()
    });
    let receipt = server.store().append(&[leaf(1)]).unwrap();
    assert_eq!((receipt.indexes, receipt.duplicates), (vec![1], vec![]));
    assert_eq!(server.asked(), 1);
    // The same where it is the last try.
    let mut store = server.store();
    store.patience.unclear = 1;
    assert_eq!(store.append(&[leaf(2)]).unwrap().size, 3);
    assert_eq!(server.asked(), 2);
    remote.holds(3);
}

#[test]
fn a_question_that_is_lost_before_it_came_is_asked_once_more() {
    let (remote, server) = begun(|number, server, commit| match number {
        1 | 3.. => lost(),
        _ => server.make(commit),
    });
    assert_eq!(server.store().append(&[leaf(1)]).unwrap().size, 2);
    assert_eq!(server.asked(), 2);
    remote.holds(2);
    let error = format!("{:#}", server.store().append(&[leaf(2)]).unwrap_err());
    assert!(error.contains("does not hold it"), "{error}");
    assert_eq!(server.asked(), 4);
    remote.holds(2);
}

#[test]
fn a_question_that_comes_late_meets_its_repetition_and_one_record_is_kept() {
    let late = Mutex::new(None);
    let (remote, server) = begun(move |number, server, commit| {
        let mut late = late.lock().unwrap();
        if number == 1 {
            *late = Some(server.commit(commit.expected_head, commit.changes));
            return lost();
        }
        if let Some(late) = late.take() {
            assert!(server.moves(commit.expected_head, &late));
        }
        server.make(commit)
    });
    let receipt = server.store().append(&[leaf(1)]).unwrap();
    assert_eq!((receipt.indexes, receipt.duplicates), (vec![1], vec![]));
    assert_eq!(server.asked(), 2);
    remote.holds(2);
}

#[test]
fn a_record_on_which_somebody_built_at_once_is_found_where_it_was_made() {
    let (remote, server) = begun(|_, server, commit| {
        let made = server.make(commit);
        server.remote.store().append(&[leaf(2)]).unwrap();
        made
    });
    let receipt = server.store().append(&[leaf(1)]).unwrap();
    assert_eq!((receipt.indexes, receipt.size), (vec![1], 3));
    assert_eq!(server.asked(), 1);
    remote.holds(3);
}

/// The error of an append of which the server makes something else.
fn refused(
    does: impl Fn(&Server, &NewCommit<'_>) -> Published + Send + Sync + 'static,
) -> (Arc<Remote>, String) {
    let (remote, server) = begun(move |_, server, commit| does(server, commit));
    let error = format!("{:#}", server.store().append(&[leaf(1)]).unwrap_err());
    assert!(server.asked() <= 2, "{}", server.asked());
    (remote, error)
}

#[test]
fn a_server_that_makes_another_commit_than_that_is_not_believed() {
    let as_asked = "is not the one that it was asked for";
    // One file more, one changed, one left out, one that stays.
    let tampers: [fn(&mut Changes); 4] = [
        |changes| {
            changes.insert("blobs/more".to_owned(), Some(b"more".to_vec()));
        },
        |changes| {
            let checkpoint = changes.get_mut("log/checkpoint").unwrap();
            checkpoint.as_mut().unwrap().push(b'\n');
        },
        |changes| {
            changes.remove(&leaf(1).path).unwrap();
        },
        |changes| changes.retain(|_, bytes| bytes.is_some()),
    ];
    for tamper in tampers {
        let (_, error) = refused(move |server, commit| {
            let mut changes = commit.changes.clone();
            tamper(&mut changes);
            assert_ne!(&changes, commit.changes);
            server.make(&NewCommit {
                changes: &changes,
                ..*commit
            })
        });
        assert!(error.contains(as_asked), "{error}");
    }
    // The same files, on a commit in between or as a merge.
    let again = |server: &Server, parents: &[&str], of: &str| {
        let tree = format!("{of}^{{tree}}");
        let mut arguments = vec!["commit-tree", &tree, "-m", "x"];
        for parent in parents {
            arguments.extend(["-p", parent]);
        }
        let output = server.git(&arguments, b"");
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (remote, error) = refused(move |server, commit| {
        let head = commit.expected_head;
        let between = again(server, &[head], head);
        assert!(server.moves(head, &between));
        server.make(&NewCommit {
            expected_head: &between,
            ..*commit
        })
    });
    assert!(error.contains(as_asked), "{error}");
    assert_eq!(remote.verify().exit_code(), 5, "and it stays visible");
    let (_, error) = refused(move |server, commit| {
        let head = commit.expected_head;
        let other = again(server, &[], head);
        let files = server.commit(head, commit.changes);
        let merge = again(server, &[head, &other], &files);
        assert!(server.moves(head, &merge));
        Published::Made(merge)
    });
    assert!(error.contains(as_asked), "{error}");
    // The commit is right, and another one is named.
    let (_, error) = refused(|server, commit| {
        server.make(commit);
        Published::Made(commit.expected_head.to_owned())
    });
    assert!(error.contains(as_asked), "{error}");
}

#[test]
fn a_commit_that_is_on_no_branch_is_no_record() {
    let (remote, error) = refused(|server, commit| {
        Published::Made(server.commit(commit.expected_head, commit.changes))
    });
    assert!(
        error.contains("does not hold it") && error.contains("stands elsewhere"),
        "{error}"
    );
    remote.holds(1);
}

#[test]
fn a_commit_that_cannot_be_had_is_unknown_and_a_name_that_is_none_never_reaches_git() {
    let (_, error) = refused(|_, _| Published::Made("a".repeat(40)));
    assert!(
        error.contains("cannot be fetched") && error.contains("not known"),
        "{error}"
    );
    for name in [
        "",
        "HEAD",
        "--upload-pack=false",
        "refs/heads/ccgate/ledger",
    ] {
        let (remote, error) = refused(move |_, _| Published::Made(name.to_owned()));
        assert!(error.contains("and not which"), "{name}: {error}");
        remote.holds(1);
    }
    // It was made all the same.
    let (remote, server) = begun(|_, server, commit| {
        server.make(commit);
        Published::Made("abc".to_owned())
    });
    assert_eq!(server.store().append(&[leaf(1)]).unwrap().indexes, [1]);
    remote.holds(2);
}

#[test]
fn who_may_not_write_is_told_so_once_and_nothing_is_pushed_instead() {
    let (remote, server) = begun(|_, _, _| {
        Published::Denied(
            "the token may not write\n::error::not-a-token-at-all \u{1b}[2J".to_owned(),
        )
    });
    let mut place = server.place();
    place.credentials = Some(Credentials::new("u", "not-a-token-at-all").unwrap());
    let before = remote.tip();
    let error = GitStore::new(&place, Some(ORIGIN), None)
        .append(&[leaf(1)])
        .unwrap_err();
    let error = format!("{error:#}");
    assert!(
        error.contains("the token may not write") && error.contains("does not hold it"),
        "{error}"
    );
    assert!(
        !error.contains("not-a-token") && !error.contains(['\u{1b}', '\n']),
        "{error}"
    );
    assert_eq!((server.asked(), remote.tip()), (1, before));
    remote.holds(1);
}

#[test]
fn refusals_in_unknown_words_end_after_so_many_and_nothing_is_pushed_instead() {
    let (remote, server) = begun(|_, _, _| Published::Refused("Grund 4711".to_owned()));
    let mut store = server.store();
    store.patience.refusals = 3;
    let error = format!("{:#}", store.append(&[leaf(1)]).unwrap_err());
    assert!(
        error.contains("in 3 tries, and does not hold it: Grund 4711"),
        "{error}"
    );
    assert_eq!(server.asked(), 3);
    remote.holds(1);
}

#[test]
fn writers_by_api_and_writers_by_push_lose_nothing_and_double_nothing() {
    let (remote, server) = honest();
    std::thread::scope(|scope| {
        for writer in 0..6_u64 {
            let (remote, server) = (&remote, &server);
            scope.spawn(move || {
                let mut store = if writer % 2 == 0 {
                    server.store()
                } else {
                    remote.store()
                };
                store.patience.refusals = 1000;
                for number in 0..3 {
                    // Every record is written by two of them, one in each way.
                    let number = 1 + (writer / 2) * 3 + number;
                    store.append(&[leaf(number)]).unwrap();
                }
            });
        }
    });
    assert!(server.asked() > 0);
    remote.holds(10);
}

#[test]
fn a_receipt_is_pushed_and_whoever_has_a_commit_made_seals_it() {
    let (remote, server) = begun(|number, server, commit| match number {
        1..=3 => Published::Refused("somebody was faster".to_owned()),
        _ => server.make(commit),
    });
    let pending = || remote.ask(&["for-each-ref", "--format=%(refname)", PENDING]);
    let mut store = server.store();
    store.signer = Some(signer());
    store.patience.refusals = 3;
    store.append(&[leaf(1)]).unwrap_err();
    assert_eq!(pending(), format!("{PENDING}{}", leaf(1).id));
    let mut store = server.store();
    store.signer = Some(signer());
    store.look_for_receipts().unwrap();
    assert_eq!(store.append(&[leaf(2)]).unwrap().size, 3);
    assert_eq!((server.asked(), pending().as_str()), (4, ""));
    remote.holds(3);
}

#[test]
fn what_is_promised_says_who_makes_the_commits() {
    let (remote, server) = honest();
    let said = |place: GitPlace| guarantees(&Place::Git(place)).promises.join("; ");
    let (api, push) = (said(server.place()), said(remote.place()));
    assert!(
        api.contains("`git verify-commit`") && api.contains("the first commit"),
        "{api}"
    );
    assert!(push.contains("pushed, unsigned"), "{push}");
    assert_eq!(
        server.store().guarantees(),
        guarantees(&Place::Git(server.place()))
    );
}
