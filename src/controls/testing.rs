//! Snapshot literals for the tests of controls: everything unknown, and only
//! what the case is about filled in.

use jiff::Timestamp;

use crate::controls::control::{Control, Verdict};
use crate::facts::{
    Account, BranchRules, ChangeState, ChangedFile, CheckConclusion, CheckKind, CheckResult,
    CheckStatus, Commit, Demand, Discussion, Fact, FileChange, Identity, Layer, LayerKind, Person,
    Platform, Push, PushKind, Review, ReviewState, Snapshot, Subject, Thread, Unknown,
};

/// The moment of every test.
pub(crate) const NOW: &str = "2026-06-01T12:00:00Z";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a literal timestamp")
}

/// Nothing has been seen of change 7 in `acme/app`.
pub(crate) fn nothing_seen() -> Snapshot {
    Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: "f1".repeat(20),
            target: "main".to_owned(),
        },
        at(NOW),
        "ccgate test".to_owned(),
    )
}

pub(crate) fn hidden<T>() -> Fact<T> {
    Fact::Unknown(Unknown::not_collected("test.hidden"))
}

pub(crate) fn demand<T>(layer: &str, value: Fact<T>) -> Demand<T> {
    Demand {
        layer: layer.to_owned(),
        value,
    }
}

/// Branch rules of which only one ruleset is known; the case fills in the rest.
pub(crate) fn branch(fill: impl FnOnce(&mut BranchRules)) -> Snapshot {
    let mut rules = BranchRules::unseen(
        "main",
        Layer::of_repository("ruleset \"main\"", LayerKind::Ruleset, hidden()),
        &Unknown::not_collected("test.hidden"),
    );
    fill(&mut rules);
    let mut facts = nothing_seen();
    facts.branch_rules = Fact::known_without_source(rules);
    facts
}

/// The head of change 7.
pub(crate) fn head() -> String {
    "f1".repeat(20)
}

/// A commit that is not the head any more.
pub(crate) fn older() -> String {
    "0d".repeat(20)
}

pub(crate) fn seen<T>(value: T) -> Fact<T> {
    Fact::known_without_source(value)
}

pub(crate) fn person(login: &str) -> Person {
    Person {
        name: login.to_owned(),
        email: format!("{login}@acme.test"),
        account: seen(Some(Account::human(login))),
    }
}

pub(crate) fn commit(sha: String, author: &str) -> Commit {
    Commit {
        sha,
        message: "Do it".to_owned(),
        author: person(author),
        committer: person(author),
        co_authors: Vec::new(),
        parents: Vec::new(),
    }
}

/// An approval of the head at 11:00 by somebody who may write.
pub(crate) fn approval(login: &str) -> Review {
    Review {
        reviewer: Some(Account::human(login)),
        state: ReviewState::Approved,
        submitted_at: seen(at("2026-06-01T11:00:00Z")),
        commit: seen(Some(head())),
        can_write: seen(true),
    }
}

/// The same of an older commit.
pub(crate) fn stale(login: &str) -> Review {
    Review {
        commit: seen(Some(older())),
        ..approval(login)
    }
}

/// The same on a platform that ties approvals to no commit.
pub(crate) fn untied(login: &str, when: &str) -> Review {
    Review {
        commit: seen(None),
        submitted_at: seen(at(when)),
        ..approval(login)
    }
}

pub(crate) fn push(kind: PushKind, when: &str, who: &str) -> Push {
    Push {
        kind,
        at: at(when),
        actor: seen(Some(Account::human(who))),
        before: Some(older()),
        after: Some(head()),
    }
}

pub(crate) fn identity(author: &str) -> Identity {
    Identity {
        number: 7,
        title: "Do it".to_owned(),
        body: String::new(),
        author: Some(Account::human(author)),
        source_branch: "feature".to_owned(),
        target_branch: "main".to_owned(),
        head: head(),
        state: ChangeState::Open,
        draft: false,
        from_fork: false,
        labels: Vec::new(),
        linked_issues: Vec::new(),
        opened_at: Some(at("2026-06-01T09:00:00Z")),
        merged_at: None,
        merged_by: None,
        merge_commit: None,
    }
}

/// Change 7 by ana, one commit, nobody force-pushed, with these reviews.
pub(crate) fn reviewed(reviews: Vec<Review>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.identity = seen(identity("ana"));
    facts.commits = seen(vec![commit(head(), "ana")]);
    facts.pushes = seen(Vec::new());
    facts.reviews = seen(reviews);
    facts
}

/// A file that was changed where it stands.
pub(crate) fn changed(path: &str) -> ChangedFile {
    ChangedFile {
        path: path.to_owned(),
        previous_path: seen(None),
        kind: FileChange::Modified,
        additions: Some(1),
        deletions: Some(0),
    }
}

/// A file that was moved to `path`.
pub(crate) fn moved(from: Fact<Option<String>>, path: &str) -> ChangedFile {
    ChangedFile {
        previous_path: from,
        kind: FileChange::Renamed,
        ..changed(path)
    }
}

/// A thread by bob about `src/lib.rs`; a resolved one was resolved by himself.
pub(crate) fn thread(resolved: bool) -> Thread {
    Thread {
        resolved,
        author: seen(Some(Account::human("bob"))),
        resolved_by: seen(resolved.then(|| Account::human("bob"))),
        path: Some("src/lib.rs".to_owned()),
    }
}

/// No thread, nobody who asks for changes.
pub(crate) fn nothing_open() -> Discussion {
    Discussion {
        threads: seen(Vec::new()),
        held: seen(None),
        requesting_changes: seen(Vec::new()),
        approval_notes: seen(Vec::new()),
    }
}

/// A check run on the head that ended like that; `None`: it still runs.
pub(crate) fn check(name: &str, conclusion: Option<CheckConclusion>) -> CheckResult {
    CheckResult {
        name: name.to_owned(),
        kind: CheckKind::CheckRun,
        app: Some("15368".to_owned()),
        status: if conclusion.is_some() {
            CheckStatus::Completed
        } else {
            CheckStatus::Running
        },
        ended_at: conclusion.is_some().then(|| at("2026-06-01T10:00:00Z")),
        conclusion,
        head: head(),
        allow_failure: false,
    }
}

/// The verdict as a short word: `pass`, `fail`, `fail <reason>`, `fail pending`, `not_applicable`, `unknown`.
pub(crate) fn verdict_of<C: Control>(control: &C, facts: &Snapshot) -> String {
    match control.evaluate(&facts.restricted_to(&C::META.visible())) {
        Ok(Verdict::Pass(_)) => "pass".to_owned(),
        Ok(Verdict::Fail(failure)) => {
            let mut word = "fail".to_owned();
            if let Some(reason) = failure.reason {
                word.push(' ');
                word.push_str(reason.code());
            }
            if failure.awaiting.is_some() {
                word.push_str(" pending");
            }
            word
        }
        Ok(Verdict::NotApplicable(_)) => "not_applicable".to_owned(),
        Err(_) => "unknown".to_owned(),
    }
}

/// Nothing has been seen but what `fill` puts into the settings.
pub(crate) fn settings(fill: impl FnOnce(&mut crate::facts::Settings)) -> Snapshot {
    let mut facts = nothing_seen();
    fill(&mut facts.settings);
    facts
}
