//! The records that stand in lists: for each its fields, and how they are read
//! off a fact. A new field is one line.

use crate::facts::{
    Account, AccountKind, ApprovalNote, BypassActor, BypassKind, BypassMode, ChangeState,
    ChangedFile, CheckConclusion, CheckKind, CheckResult, CheckStatus, Collaborator, Comment,
    Commit, Environment, FileChange, Layer, LayerKind, LayerOrigin, Person, Push, PushKind, Review,
    ReviewState, ScanFailure, ScanReport, ScanRun, Severity, Unknown, Why,
};

use super::shape::{Field, Shape};
use super::value::{IntoSlot as _, Slot, Value, fact};

/// Declares a record: its fields for documents and checks, and its reader.
macro_rules! record {
    ($fields:ident, $show:ident($it:ident: &$kind:ty) {
        $($name:ident: $shape:expr, $about:literal => $value:expr;)*
    }) => {
        pub(super) static $fields: &[Field] = &[$(Field {
            name: stringify!($name),
            shape: $shape,
            about: $about,
        }),*];

        pub(super) fn $show($it: &$kind) -> Value {
            Value::Record([$((stringify!($name), ($value).into_slot())),*].into())
        }
    };
}

record! { ACCOUNT, account(it: &Account) {
    login: Shape::Login, "name of the account" => Value::login(&it.login);
    kind: Shape::Text, "`human`, `bot`, `platform`, or another word" => Value::text(account_kind(&it.kind));
}}

record! { PERSON, person(it: &Person) {
    name: Shape::Text, "name as the commit gives it; a claim" => Value::text(&it.name);
    email: Shape::Text, "address as the commit gives it; a claim" => Value::text(&it.email);
    account: Shape::Maybe(&Shape::Record(ACCOUNT)), "the account that the platform found; null: none" => fact(&it.account, |found| Value::maybe(found.as_ref(), account));
}}

record! { COMMIT, commit(it: &Commit) {
    sha: Shape::Text, "full id" => Value::text(&it.sha);
    message: Shape::Text, "whole message" => Value::text(&it.message);
    author: Shape::Record(PERSON), "who wrote it" => person(&it.author);
    committer: Shape::Record(PERSON), "who committed it" => person(&it.committer);
    co_authors: Shape::List(&Shape::Record(PERSON)), "whom its trailers name" => Value::list(&it.co_authors, person);
    parents: Shape::List(&Shape::Text), "ids of its parents" => Value::texts(&it.parents);
}}

record! { REVIEW, review(it: &Review) {
    reviewer: Shape::Maybe(&Shape::Record(ACCOUNT)), "who; null: the account is gone" => Value::maybe(it.reviewer.as_ref(), account);
    state: Shape::Text, "`approved`, `changes_requested`, `commented`, `dismissed`, or another word" => Value::text(review_state(&it.state));
    submitted_at: Shape::Time, "when" => fact(&it.submitted_at, |at| Value::Time(*at));
    commit: Shape::Maybe(&Shape::Text), "the commit it is tied to; null: to none" => fact(&it.commit, |sha| Value::maybe(sha.as_ref(), |sha| Value::text(sha)));
    can_write: Shape::Bool, "whether the reviewer may write to the repository" => fact(&it.can_write, |can| Value::Bool(*can));
}}

record! { PUSH, push(it: &Push) {
    kind: Shape::Text, "`push` or `force_push`" => Value::text(match it.kind {
        PushKind::Push => "push",
        PushKind::ForcePush => "force_push",
    });
    at: Shape::Time, "when" => Value::Time(it.at);
    actor: Shape::Maybe(&Shape::Record(ACCOUNT)), "who; null: the account is gone" => fact(&it.actor, |who| Value::maybe(who.as_ref(), account));
    before: Shape::Text, "the head before" => told(it.before.as_ref(), "change.pushes.before", |sha| Value::text(sha));
    after: Shape::Text, "the head after" => told(it.after.as_ref(), "change.pushes.after", |sha| Value::text(sha));
}}

record! { CHECK, check(it: &CheckResult) {
    name: Shape::Text, "context or job; `pipeline` for GitLab's head pipeline" => Value::text(&it.name);
    kind: Shape::Text, "`check_run`, `commit_status`, `pipeline`, `job`" => Value::text(match it.kind {
        CheckKind::CheckRun => "check_run",
        CheckKind::CommitStatus => "commit_status",
        CheckKind::Pipeline => "pipeline",
        CheckKind::Job => "job",
    });
    app: Shape::Maybe(&Shape::Text), "id of the app that reported it; null: none did" => Value::maybe(it.app.as_ref(), |app| Value::text(app));
    status: Shape::Text, "`completed`, `running`, or another word" => Value::text(match &it.status {
        CheckStatus::Completed => "completed",
        CheckStatus::Running => "running",
        CheckStatus::Other(word) => word,
    });
    conclusion: Shape::Maybe(&Shape::Text), "`success`, `failure`, `skipped`, `neutral`, or another word; null while it runs" => Value::maybe(it.conclusion.as_ref(), |word| Value::text(conclusion(word)));
    head: Shape::Text, "the commit it was reported for" => Value::text(&it.head);
    allow_failure: Shape::Bool, "whether the pipeline lets it fail" => Value::Bool(it.allow_failure);
}}

record! { FILE, file(it: &ChangedFile) {
    path: Shape::Text, "its path in the change; of a removed file the path that it had" => Value::text(&it.path);
    previous_path: Shape::Maybe(&Shape::Text), "the path that it had before; null: the same, or none" => fact(&it.previous_path, |path| Value::maybe(path.as_ref(), |path| Value::text(path)));
    kind: Shape::Text, "`added`, `modified`, `removed`, `renamed`, `copied`, or another word" => Value::text(file_change(&it.kind));
    additions: Shape::Int, "lines added" => told(it.additions.as_ref(), "change.files.additions", |lines| Value::count(*lines));
    deletions: Shape::Int, "lines removed" => told(it.deletions.as_ref(), "change.files.deletions", |lines| Value::count(*lines));
}}

record! { COMMENT, comment(it: &Comment) {
    author: Shape::Maybe(&Shape::Record(ACCOUNT)), "who; null: the account is gone" => Value::maybe(it.author.as_ref(), account);
    body: Shape::Text, "what it says" => Value::text(&it.body);
    created_at: Shape::Time, "when" => Value::Time(it.created_at);
    edited: Shape::Bool, "whether it was ever edited" => fact(&it.edited, |edited| Value::Bool(*edited));
}}

record! { NOTE, note(it: &ApprovalNote) {
    author: Shape::Maybe(&Shape::Record(ACCOUNT)), "who; null: the account is gone" => Value::maybe(it.author.as_ref(), account);
    created_at: Shape::Time, "when" => Value::Time(it.created_at);
    pushed_since: Shape::Bool, "whether the platform noted a push after it" => Value::Bool(it.pushed_since);
}}

record! { BYPASS, bypass(it: &BypassActor) {
    kind: Shape::Text, "`user`, `team`, `app`, `role`, `administrators`, …" => Value::text(bypass_kind(&it.kind));
    name: Shape::Text, "a name that people know" => Value::text(&it.name);
    mode: Shape::Text, "`always`, `pull_request`, `exempt`, or another word" => Value::text(match &it.mode {
        BypassMode::Always => "always",
        BypassMode::PullRequest => "pull_request",
        BypassMode::Exempt => "exempt",
        BypassMode::Other(word) => word,
    });
}}

record! { LAYER, layer(it: &Layer) {
    id: Shape::Text, "name of the layer" => Value::text(&it.id);
    kind: Shape::Text, "`classic_protection`, `ruleset`, `protected_branch`, `project_setting`" => Value::text(match it.kind {
        LayerKind::ClassicProtection => "classic_protection",
        LayerKind::Ruleset => "ruleset",
        LayerKind::ProtectedBranch => "protected_branch",
        LayerKind::ProjectSetting => "project_setting",
    });
    origin: Shape::Text, "`repository`, `organization`, `enterprise`, `other`" => Value::text(match it.origin {
        LayerOrigin::Repository => "repository",
        LayerOrigin::Organization => "organization",
        LayerOrigin::Enterprise => "enterprise",
        LayerOrigin::Other => "other",
    });
    bypass: Shape::List(&Shape::Record(BYPASS)), "who can go around it" => fact(&it.bypass, |actors| Value::list(actors, bypass));
}}

record! { RUN, run(it: &ScanRun) {
    tool: Shape::Text, "name of the tool" => Value::text(&it.tool);
    version: Shape::Text, "its version" => told(it.version.as_ref(), "scan.reports.runs.version", |version| Value::text(version));
    successful: Shape::Bool, "whether the tool says that it ended well" => told(it.execution_successful.as_ref(), "scan.reports.runs.successful", |well| Value::Bool(*well));
    revision: Shape::Text, "the commit it looked at" => told(it.revision.as_ref(), "scan.reports.runs.revision", |sha| Value::text(sha));
    ended_at: Shape::Time, "when it ended, by the tool's clock" => told(it.ended_at.as_ref(), "scan.reports.runs.ended_at", |at| Value::Time(*at));
    critical: Shape::Int, "open findings" => open(it, Severity::Critical);
    high: Shape::Int, "open findings" => open(it, Severity::High);
    medium: Shape::Int, "open findings" => open(it, Severity::Medium);
    low: Shape::Int, "open findings" => open(it, Severity::Low);
    none: Shape::Int, "open findings of no severity" => open(it, Severity::None);
    suppressed: Shape::Int, "suppressed findings of every severity" => sum(it, it.counts.iter().map(|count| count.suppressed));
}}

record! { REPORT, report(it: &ScanReport) {
    pattern: Shape::Text, "the pattern by which it was found" => Value::text(&it.pattern);
    path: Shape::Text, "path of the file; empty if the pattern matched none" => Value::text(&it.path);
    format: Shape::Text, "e.g. `sarif-2.1.0`" => Value::text(&it.format);
    digest: Shape::Text, "`sha256:…` of the file" => Value::text(&it.digest);
    runs: Shape::List(&Shape::Record(RUN)), "its runs; unknown if the report is missing or cannot be read" => runs(it);
}}

record! { COLLABORATOR, collaborator(it: &Collaborator) {
    account: Shape::Record(ACCOUNT), "who" => account(&it.account);
    role: Shape::Text, "`read`, `triage`, `write`, `maintain`, `admin`, or another word" => Value::text(it.role.word());
    outside: Shape::Bool, "whether they are no member of the organisation" => Value::Bool(it.outside);
}}

record! { ENVIRONMENT, environment(it: &Environment) {
    name: Shape::Text, "its name" => Value::text(&it.name);
    tier: Shape::Maybe(&Shape::Text), "the tier that the platform gives it, if it has tiers" => Value::maybe(it.tier.as_ref(), |tier| Value::text(tier));
    reviewers: Shape::List(&Shape::Text), "who has to approve" => fact(&it.reviewers, |all| Value::texts(all));
    approvals: Shape::Int, "how many approvals are needed" => fact(&it.approvals, |count| Value::count(*count));
    self_review_prevented: Shape::Bool, "whether who started it cannot approve it" => fact(&it.self_review_prevented, |on| Value::Bool(*on));
    administrators_exempt: Shape::Bool, "whether administrators need no approval" => fact(&it.administrators_exempt, |on| Value::Bool(*on));
}}

/// What the platform or report may leave out. Left out is unknown, never absent.
fn told<T>(value: Option<&T>, name: &str, show: impl Fn(&T) -> Value) -> Slot {
    value
        .map(show)
        .ok_or_else(|| Unknown::new(name, Why::HiddenOrAbsent, "it was not told"))
}

fn runs(report: &ScanReport) -> Slot {
    let failed = |detail: String| Unknown::new("scan.reports.runs", Why::Failed, detail);
    match &report.runs {
        Ok(runs) => Ok(Value::list(runs, run)),
        Err(ScanFailure::Missing) => Err(failed(format!("no report matches `{}`", report.pattern))),
        Err(ScanFailure::Unreadable(why) | ScanFailure::Unparsable(why)) => {
            Err(failed(format!("`{}` cannot be used: {why}", report.path)))
        }
    }
}

fn open(run: &ScanRun, severity: Severity) -> Slot {
    let counts = run.counts.iter().filter(|count| count.severity == severity);
    sum(run, counts.map(|count| count.open))
}

/// What a run counted. One that failed, or left something out, did not count all.
fn sum(run: &ScanRun, counts: impl Iterator<Item = u64>) -> Slot {
    let why = match &run.left_out {
        Some(what) => format!("`{}` left out {what}", run.tool),
        None if run.execution_successful == Some(false) => format!("`{}` failed", run.tool),
        None => return Ok(Value::count(counts.fold(0_u64, u64::saturating_add))),
    };
    Err(Unknown::new("scan.reports.runs", Why::Failed, why))
}

fn file_change(kind: &FileChange) -> &str {
    match kind {
        FileChange::Added => "added",
        FileChange::Modified => "modified",
        FileChange::Removed => "removed",
        FileChange::Renamed => "renamed",
        FileChange::Copied => "copied",
        FileChange::Other(word) => word,
    }
}

fn account_kind(kind: &AccountKind) -> &str {
    match kind {
        AccountKind::Human => "human",
        AccountKind::Bot => "bot",
        AccountKind::Platform => "platform",
        AccountKind::Other(word) => word,
    }
}

fn review_state(state: &ReviewState) -> &str {
    match state {
        ReviewState::Approved => "approved",
        ReviewState::ChangesRequested => "changes_requested",
        ReviewState::Commented => "commented",
        ReviewState::Dismissed => "dismissed",
        ReviewState::Other(word) => word,
    }
}

fn conclusion(conclusion: &CheckConclusion) -> &str {
    match conclusion {
        CheckConclusion::Success => "success",
        CheckConclusion::Failure => "failure",
        CheckConclusion::Skipped => "skipped",
        CheckConclusion::Neutral => "neutral",
        CheckConclusion::Other(word) => word,
    }
}

pub(super) fn change_state(state: &ChangeState) -> &str {
    match state {
        ChangeState::Open => "open",
        ChangeState::Merged => "merged",
        ChangeState::Closed => "closed",
        ChangeState::Other(word) => word,
    }
}

fn bypass_kind(kind: &BypassKind) -> &str {
    match kind {
        BypassKind::Administrators => "administrators",
        BypassKind::OrganizationOwners => "organization_owners",
        BypassKind::EnterpriseOwners => "enterprise_owners",
        BypassKind::Role => "role",
        BypassKind::Team => "team",
        BypassKind::App => "app",
        BypassKind::User => "user",
        BypassKind::DeployKey => "deploy_key",
        BypassKind::Other(word) => word,
    }
}
