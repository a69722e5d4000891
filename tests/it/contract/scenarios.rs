//! Whole snapshots for the law: one where all is well and one where nothing is
//! on each platform, and the tricky ones in between. Literal facts, no adapter.

use std::collections::BTreeMap;

use ccgate::facts::{
    Account, AccountKind, AccountRef, Alert, ArrivedChange, Association, BranchRules, BypassActor,
    BypassKind, BypassMode, ChangeAnalyses, ChangeAnalysis, ChangeState, ChangedFile,
    CheckConclusion, CheckKind, CheckResult, CheckStatus, Combine, Comment, Commit,
    CommitSignature, Demand, DirectPush, Discussion, DismissedAlert, EnvironmentApproval,
    EnvironmentState, Fact, FileChange, FindingCount, FoundTicket, Identity, InactiveRules, Layer,
    LayerKind, LayerOrigin, Looked, Measured, MergeMethod, NamedTicket, Original,
    OriginalReference, OverridePeople, PathReviewers, Person, Platform, PolicyDocument,
    PublishedKey, PublishedKeys, Push, PushKind, QueueCommit, QueueEntry, QueueKind, QueueResult,
    Requester, RequiredCheck, RequiredWorkflow, Requirement, Review, ReviewState, RulesBefore,
    RunApprovals, ScanKind, ScanReport, ScanResults, ScanRun, Settings, Severity, SignatureState,
    Snapshot, Source, Subject, TeamMembers, Thread, Ticket, Tickets, Tracker,
};
use jiff::Timestamp;

use super::register::register;
use super::{moves, settings};

/// A scenario with its name.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) facts: Snapshot,
}

/// Everything that the law is tried on.
pub(crate) fn all() -> Vec<Scenario> {
    let named = |name, facts| Scenario { name, facts };
    vec![
        named("github, all is well", good(Platform::Github)),
        named("github, nothing is", bad(Platform::Github)),
        named("gitlab, all is well", good(Platform::Gitlab)),
        named("gitlab, nothing is", bad(Platform::Gitlab)),
        named("github, no protection at all", unprotected()),
        named(
            "github, stale and dependent approvals",
            stale_and_dependent(),
        ),
        named("gitlab, the gate inside the pipeline", gate_inside()),
        named("github, a squash commit after its merge", squashed()),
        named("github, a stale mixture of settings", mixed()),
        named(
            "github, merged by its only author",
            merged_alone(Platform::Github),
        ),
        named(
            "gitlab, merged by its only author",
            merged_alone(Platform::Gitlab),
        ),
        named(
            "github, merged by nobody who is told",
            merged_untold(Platform::Github),
        ),
        named(
            "gitlab, merged by nobody who is told",
            merged_untold(Platform::Gitlab),
        ),
        named(
            "github, approvals by several",
            habit(Platform::Github, SEVERAL),
        ),
        named(
            "gitlab, approvals by several",
            habit(Platform::Gitlab, SEVERAL),
        ),
        named(
            "github, approvals by one alone",
            habit(Platform::Github, ["bob"; 5]),
        ),
        named(
            "gitlab, approvals by one alone",
            habit(Platform::Gitlab, ["bob"; 5]),
        ),
        named("github, a bot in its lane", by_bot(Platform::Github, true)),
        named("gitlab, a bot in its lane", by_bot(Platform::Gitlab, true)),
        named("github, a bot elsewhere", by_bot(Platform::Github, false)),
        named("gitlab, a bot elsewhere", by_bot(Platform::Gitlab, false)),
        named("github, an emergency", emergency(Platform::Github, true)),
        named("gitlab, an emergency", emergency(Platform::Gitlab, true)),
        named(
            "github, an emergency nobody reviewed",
            emergency(Platform::Github, false),
        ),
        named(
            "gitlab, an emergency nobody reviewed",
            emergency(Platform::Gitlab, false),
        ),
        named(
            "github, analysed by the platform itself",
            analysed(looked("bob")),
        ),
        named(
            "github, alerts dismissed by the author",
            analysed(looked("ana")),
        ),
    ]
}

/// Nothing of the change, and settings of which some are well.
fn mixed() -> Snapshot {
    let mut facts = good(Platform::Github);
    let subject = facts.subject.clone();
    facts = Snapshot::all_unknown(subject, facts.observed_at, facts.collected_by);
    facts.settings = settings::mixed();
    facts
}

pub(crate) fn head() -> String {
    "f1".repeat(20)
}

fn older() -> String {
    "0d".repeat(20)
}

pub(crate) fn seen<T>(value: T) -> Fact<T> {
    Fact::seen(
        value,
        Source {
            endpoint: "GET /test".to_owned(),
            digest: format!("sha256:{}", "00".repeat(32)),
        },
    )
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a literal timestamp")
}

fn person(login: &str) -> Person {
    Person {
        name: login.to_owned(),
        email: format!("{login}@acme.test"),
        account: seen(Some(Account::human(login))),
    }
}

pub(crate) fn commit(sha: String, author: &str, co_author: &str) -> Commit {
    Commit {
        sha,
        message: "Do it".to_owned(),
        author: person(author),
        committer: Person {
            account: seen(Some(Account {
                login: "web-flow".to_owned(),
                kind: AccountKind::Platform,
                id: None,
            })),
            ..person("web")
        },
        co_authors: vec![person(co_author)],
        parents: Vec::new(),
    }
}

/// The same with a machine among its authors.
fn helped(mut commit: Commit) -> Commit {
    commit.co_authors.push(Person {
        account: seen(Some(Account::bot("coder[bot]"))),
        ..person("coder")
    });
    commit
}

/// An approval as the platform ties it: to a commit, or to the clock only.
pub(crate) fn approval(platform: Platform, login: &str, fresh: bool) -> Review {
    let tied = match (platform, fresh) {
        (Platform::Github, true) => Some(head()),
        (Platform::Github, false) => Some(older()),
        (Platform::Gitlab, _) => None,
    };
    Review {
        reviewer: Some(Account::human(login)),
        state: ReviewState::Approved,
        submitted_at: seen(at(if fresh {
            "2026-06-01T11:00:00Z"
        } else {
            "2026-06-01T09:00:00Z"
        })),
        commit: seen(tied),
        can_write: seen(true),
    }
}

pub(crate) fn push(platform: Platform, who: &str) -> Push {
    Push {
        kind: match platform {
            Platform::Github => PushKind::ForcePush,
            Platform::Gitlab => PushKind::Push,
        },
        at: at("2026-06-01T10:00:00Z"),
        actor: seen(Some(Account::human(who))),
        before: Some(older()),
        after: Some(head()),
    }
}

fn result(name: &str, kind: CheckKind, conclusion: Option<CheckConclusion>) -> CheckResult {
    CheckResult {
        name: name.to_owned(),
        app: (kind == CheckKind::CheckRun).then(|| "15368".to_owned()),
        kind,
        status: if conclusion.is_some() {
            CheckStatus::Completed
        } else {
            CheckStatus::Running
        },
        conclusion,
        head: head(),
        allow_failure: false,
        ended_at: Some(at("2026-06-01T10:00:00Z")),
    }
}

/// A run of each kind; with findings, a version is missing and a suppression has no reason.
fn scan(open: u64, revision: &str) -> ScanResults {
    let of_kind = |tool: &str, kind| ScanRun {
        version: (open == 0).then(|| "1.99".to_owned()),
        execution_successful: Some(true),
        revision: Some(revision.to_owned()),
        ended_at: Some(at("2026-06-01T11:00:00Z")),
        counts: vec![FindingCount {
            severity: Severity::High,
            open,
            new: Some(open),
            suppressed: 1,
        }],
        examples: vec!["rule-a at src/a.rs:1".to_owned()],
        kind,
        suppressed_without_reason: u64::from(open > 0),
        ..ScanRun::of(tool)
    };
    let measured = |tool: &str, kind, measured| ScanRun {
        counts: Vec::new(),
        suppressed_without_reason: 0,
        measured: Some(measured),
        ..of_kind(tool, Some(kind))
    };
    let components = Measured::Components {
        total: if open == 0 { 40 } else { 0 },
        unlicensed: 0,
        licences: BTreeMap::from([(
            if open == 0 { "MIT" } else { "AGPL-3.0-only" }.to_owned(),
            1,
        )]),
    };
    let lines = Measured::Lines {
        covered: if open == 0 { 90 } else { 10 },
        total: 100,
    };
    // A test that failed is a finding of its report.
    let tests = ScanRun {
        measured: Some(Measured::Tests {
            total: 5,
            skipped: 1,
        }),
        ..of_kind("JUnit", Some(ScanKind::Tests))
    };
    ScanResults::of(vec![ScanReport {
        pattern: "out/*.sarif".to_owned(),
        path: "out/semgrep.sarif".to_owned(),
        digest: format!("sha256:{}", "11".repeat(32)),
        format: "sarif-2.1.0".to_owned(),
        modified_at: None,
        runs: Ok(vec![
            of_kind("Semgrep", None),
            of_kind("grype", Some(ScanKind::Dependencies)),
            of_kind("gitleaks", Some(ScanKind::Secrets)),
            of_kind("trivy", Some(ScanKind::Container)),
            of_kind("checkov", Some(ScanKind::Iac)),
            of_kind("zap", Some(ScanKind::Dast)),
            measured("LCOV", ScanKind::Coverage, lines),
            measured("CycloneDX", ScanKind::Sbom, components),
            tests,
        ]),
    }])
}

/// What the platform's own scan says of the head, where this person dismissed an alert.
fn looked(dismissed_by: &str) -> Looked {
    let alert = |name: &str, severity| Alert {
        severity,
        name: name.to_owned(),
        opened_at: Some(at("2026-06-01T10:00:00Z")),
    };
    let of = |part: &str, commit: &str| ChangeAnalysis {
        tool: "CodeQL".to_owned(),
        part: part.to_owned(),
        commit: commit.to_owned(),
        at: at("2026-06-01T11:00:00Z"),
        failed: false,
    };
    let test_merge = "7e".repeat(20);
    Looked {
        analyses: vec![of("language:c", &test_merge), of("language:js", &head())],
        test_merge: Some(test_merge),
        open: vec![alert("#1 js/x", Severity::Medium)],
        dismissed: vec![DismissedAlert {
            alert: alert("#2 js/y", Severity::High),
            by: Some(dismissed_by.to_owned()),
            at: Some(at("2026-06-01T11:30:00Z")),
        }],
        on_target: seen(Some(Vec::new())),
    }
}

/// No report was handed in, and the platform's own scan looked.
fn analysed(looked: Looked) -> Snapshot {
    let mut facts = good(Platform::Github);
    moves::none(&mut facts);
    facts.scans = seen(ScanResults::of(Vec::new()));
    facts.change_analyses = seen(ChangeAnalyses::Looked(looked));
    facts
}

pub(crate) fn identity(platform: Platform) -> Identity {
    Identity {
        number: 7,
        title: "ENG-7 Do it".to_owned(),
        body: format!(
            "Retries once, as the bank asks.\n\n## Test plan\n\nTried it.\n\nBackport of {}3, see #3",
            match platform {
                Platform::Github => "#",
                Platform::Gitlab => "!",
            }
        ),
        author: Some(Account::human("ana")),
        source_branch: "feature".to_owned(),
        target_branch: "main".to_owned(),
        head: head(),
        state: ChangeState::Open,
        draft: false,
        from_fork: false,
        labels: vec!["x".to_owned()],
        linked_issues: match platform {
            Platform::Github => vec!["#3".to_owned()],
            Platform::Gitlab => Vec::new(),
        },
        opened_at: Some(at("2026-06-01T09:00:00Z")),
        merged_at: None,
        merged_by: None,
        merge_commit: None,
    }
}

/// One requirement with a demand of each layer.
fn over<T>(combine: Combine, layers: &[&str], values: Vec<T>) -> Requirement<T> {
    Requirement {
        combine,
        demands: layers
            .iter()
            .zip(values)
            .map(|(layer, value)| Demand {
                layer: (*layer).to_owned(),
                value: seen(value),
            })
            .collect(),
    }
}

/// Two layers. Where one is enough the first is strict; where every one counts both are.
fn rules(platform: Platform, well: bool) -> BranchRules {
    let (kinds, layers, strictest, check) = match platform {
        Platform::Github => (
            [LayerKind::ClassicProtection, LayerKind::Ruleset],
            ["classic protection", "ruleset \"main\""],
            Combine::AnyLayer,
            "test",
        ),
        Platform::Gitlab => (
            [LayerKind::ProtectedBranch, LayerKind::ProtectedBranch],
            ["protected branch \"main\"", "protected branch \"m*\""],
            Combine::EveryLayer,
            "pipeline",
        ),
    };
    let some = |on: bool| over(Combine::AnyLayer, &layers, vec![on && well, false]);
    let all = |on: bool| match strictest {
        Combine::AnyLayer => some(on),
        Combine::EveryLayer => over(Combine::EveryLayer, &layers, vec![on, on && well]),
    };
    let required: Vec<RequiredCheck> = match platform {
        Platform::Github => vec![check, "ccgate"],
        Platform::Gitlab => vec![check],
    }
    .into_iter()
    .map(|name| RequiredCheck {
        name: name.to_owned(),
        app: (platform == Platform::Github).then(|| "15368".to_owned()),
    })
    .collect();
    let bypass = |kind: BypassKind, name: &str, mode: BypassMode| BypassActor {
        kind,
        name: name.to_owned(),
        mode,
    };
    let actors = if well {
        [Vec::new(), Vec::new()]
    } else {
        [
            vec![bypass(
                BypassKind::OrganizationOwners,
                "organization owners",
                BypassMode::Exempt,
            )],
            vec![bypass(BypassKind::User, "@eve", BypassMode::Always)],
        ]
    };
    let layers_of_branch = kinds
        .into_iter()
        .zip(layers)
        .zip(actors)
        .map(|((kind, id), actors)| {
            let mut layer = Layer::of_repository(id, kind, seen(actors));
            if well {
                layer.origin = LayerOrigin::Organization;
            }
            layer.all_repositories = seen(well);
            layer
        })
        .collect();
    let mut rules = BranchRules::without_demands("main", layers_of_branch, Combine::AnyLayer);
    let list = |on: bool, names: &[&str]| -> Vec<String> {
        names
            .iter()
            .filter(|_| on)
            .map(|&name| name.to_owned())
            .collect()
    };
    rules.inactive = seen(if well {
        Vec::new()
    } else {
        vec![InactiveRules {
            name: "ruleset \"trial\"".to_owned(),
            enforcement: "evaluate".to_owned(),
        }]
    });
    rules.protected = over(Combine::AnyLayer, &layers, vec![true, true]);
    rules.pull_request_required = all(true);
    rules.approvals_required = over(
        Combine::AnyLayer,
        &layers,
        vec![if well { 2 } else { 0 }, 0],
    );
    rules.stale_approvals_dismissed = some(true);
    rules.last_push_approval_required = some(true);
    rules.author_approval_blocked = some(true);
    rules.committer_approval_blocked = some(true);
    rules.code_owner_review_required = some(true);
    rules.approval_rules_locked = some(true);
    rules.dismissal_restricted = some(true);
    rules.conversations_resolved = some(true);
    rules.required_checks = over(
        Combine::AnyLayer,
        &layers,
        vec![if well { required } else { Vec::new() }, Vec::new()],
    );
    rules.skipped_checks_block = some(true);
    rules.up_to_date_required = some(true);
    rules.force_push_blocked = all(true);
    rules.deletion_blocked = all(true);
    let push = |restricted: bool| DirectPush {
        restricted,
        actors: Vec::new(),
    };
    rules.direct_push = over(strictest, &layers, vec![push(well), push(well)]);
    rules.linear_history_required = some(true);
    let methods = if well {
        vec![MergeMethod::Squash]
    } else {
        vec![MergeMethod::Merge, MergeMethod::Squash]
    };
    rules.merge_methods = over(Combine::AnyLayer, &layers, vec![methods, Vec::new()]);
    rules.signatures_required = some(true);
    rules.removal_limited = all(true);
    rules.identity_rules = over(
        Combine::AnyLayer,
        &layers,
        vec![list(well, &["commit author email pattern"]), Vec::new()],
    );
    rules.path_reviewers = over(
        Combine::AnyLayer,
        &layers,
        vec![
            list(well, &["@acme/security"])
                .into_iter()
                .map(|name| PathReviewers {
                    paths: vec![
                        ".github/**".to_owned(),
                        ".gitlab-ci.yml".to_owned(),
                        ".ccgate.yml".to_owned(),
                    ],
                    reviewers: vec![name],
                    min: 1,
                })
                .collect(),
            Vec::new(),
        ],
    );
    rules.required_workflows = over(
        Combine::AnyLayer,
        &layers,
        vec![
            list(well, &["ci/security.yml"])
                .into_iter()
                .map(|path| RequiredWorkflow {
                    path,
                    repository: "acme/workflows".to_owned(),
                    reference: Some("a1".repeat(20)),
                })
                .collect(),
            Vec::new(),
        ],
    );
    rules
}

fn policy(origin: &str) -> PolicyDocument {
    PolicyDocument {
        origin: origin.to_owned(),
        commit: None,
        digest: String::new(),
        text: "version: 1".to_owned(),
    }
}

fn file(path: &str, before: Option<&str>) -> ChangedFile {
    ChangedFile {
        path: path.to_owned(),
        previous_path: seen(before.map(str::to_owned)),
        kind: match before {
            Some(_) => FileChange::Renamed,
            None => FileChange::Modified,
        },
        additions: Some(3),
        deletions: Some(1),
    }
}

fn thread(resolved: bool) -> Thread {
    Thread {
        resolved,
        author: seen(Some(Account::human("bob"))),
        resolved_by: seen(resolved.then(|| Account::human("dan"))),
        path: Some("src/lib.rs".to_owned()),
    }
}

fn signature(sha: String, state: SignatureState) -> CommitSignature {
    CommitSignature {
        sha,
        state,
        signer: seen(Some(Account::human("ana"))),
        by_platform: seen(false),
    }
}

/// No more than what has to be in force before a merge: every fact of it is tried
/// together with every other.
fn rules_before() -> BranchRules {
    const LAYER: &str = "ruleset \"main\"";
    let layer = Layer::of_repository(LAYER, LayerKind::Ruleset, seen(Vec::new()));
    let mut rules = BranchRules::without_demands("main", vec![layer], Combine::AnyLayer);
    for demands in [
        &mut rules.pull_request_required.demands,
        &mut rules.force_push_blocked.demands,
        &mut rules.deletion_blocked.demands,
    ] {
        demands.push(Demand {
            layer: LAYER.to_owned(),
            value: seen(true),
        });
    }
    rules.approvals_required.demands.push(Demand {
        layer: LAYER.to_owned(),
        value: seen(1),
    });
    rules
}

/// Change 3, which bob approved and merged a day before.
fn original(platform: Platform) -> Original {
    let three = Identity {
        number: 3,
        state: ChangeState::Merged,
        merged_at: Some(at("2026-06-01T11:00:00Z")),
        merged_by: Some(Account::human("bob")),
        ..identity(platform)
    };
    Original {
        reference: OriginalReference::Change(3),
        changes: seen(vec![ArrivedChange {
            number: 3,
            identity: seen(three),
            commits: seen(vec![commit(head(), "ana", "carol")]),
            reviews: seen(vec![approval(platform, "bob", true)]),
            pushes: seen(vec![push(platform, "ana")]),
            checks: seen(Vec::new()),
        }]),
    }
}

/// A merged change of which only what a merge is about was seen.
fn merged(platform: Platform, by: Option<&str>) -> Snapshot {
    let mut facts = good(platform);
    let rules = Snapshot::all_unknown(facts.subject.clone(), facts.observed_at, String::new());
    facts.branch_rules = rules.branch_rules;
    facts.scans = rules.scans;
    facts.settings = Settings::all_unknown();
    let mut merged = identity(platform);
    merged.state = ChangeState::Merged;
    merged.merged_at = Some(at("2026-06-01T11:30:00Z"));
    merged.merged_by = by.map(Account::human);
    facts.identity = seen(merged);
    facts
}

fn merged_alone(platform: Platform) -> Snapshot {
    let mut facts = merged(platform, Some("ana"));
    let alone = Commit {
        co_authors: Vec::new(),
        ..commit(head(), "ana", "ana")
    };
    facts.commits = seen(vec![alone]);
    facts
}

fn merged_untold(platform: Platform) -> Snapshot {
    merged(platform, None)
}

const SEVERAL: [&str; 5] = ["bob", "dan", "bob", "dan", "li"];

/// Nothing but a move of the branch that brought five changes, each approved by one person.
fn habit(platform: Platform, approvers: [&str; 5]) -> Snapshot {
    let all = good(platform);
    let mut facts = Snapshot::all_unknown(
        all.subject.clone(),
        all.observed_at,
        all.collected_by.clone(),
    );
    moves::many(&mut facts, &all, approvers);
    facts
}

/// Nothing but what decides about a change of a dependency bot.
fn by_bot(platform: Platform, in_lane: bool) -> Snapshot {
    let all = good(platform);
    let mut facts = Snapshot::all_unknown(all.subject, all.observed_at, all.collected_by);
    let bot = || Account::bot("renovate[bot]");
    let person = || Person {
        account: seen(Some(bot())),
        ..person("renovate")
    };
    facts.branch_rules = all.branch_rules;
    facts.identity = seen(Identity {
        author: Some(bot()),
        ..identity(platform)
    });
    facts.commits = seen(vec![Commit {
        author: person(),
        committer: person(),
        co_authors: Vec::new(),
        ..commit(head(), "ana", "ana")
    }]);
    facts.pushes = seen(match platform {
        Platform::Github => Vec::new(),
        Platform::Gitlab => vec![Push {
            actor: seen(Some(bot())),
            ..push(platform, "ana")
        }],
    });
    facts.reviews = seen(Vec::new());
    facts.association = all.association;
    facts.discussion = all.discussion;
    facts.teams = all.teams;
    facts.checks = all.checks;
    let path = if in_lane { "Cargo.lock" } else { "src/lib.rs" };
    facts.files = seen(vec![file(path, None)]);
    facts.signatures = seen(vec![CommitSignature {
        signer: seen(Some(bot())),
        ..signature(head(), SignatureState::Verified)
    }]);
    facts
}

/// A change that was merged as an emergency a week ago.
fn emergency(platform: Platform, reviewed: bool) -> Snapshot {
    let all = good(platform);
    let mut facts = Snapshot::all_unknown(all.subject, all.observed_at, all.collected_by);
    facts.identity = seen(Identity {
        body: "For INC-7.".to_owned(),
        labels: vec!["emergency".to_owned()],
        state: ChangeState::Merged,
        merged_at: Some(at("2026-05-25T11:00:00Z")),
        ..identity(platform)
    });
    let soon = Review {
        submitted_at: seen(at("2026-05-26T11:00:00Z")),
        ..approval(platform, "bob", true)
    };
    facts.reviews = seen(if reviewed { vec![soon] } else { Vec::new() });
    facts.commits = seen(vec![commit(head(), "ana", "carol")]);
    facts.pushes = seen(vec![Push {
        at: at("2026-05-25T10:00:00Z"),
        ..push(platform, "ana")
    }]);
    facts.checks = all.checks;
    facts.association = all.association;
    facts.signatures = all.signatures;
    facts.discussion = all.discussion;
    facts.teams = all.teams;
    moves::none(&mut facts);
    facts
}

/// Everything is known, and every control passes with its defaults.
fn good(platform: Platform) -> Snapshot {
    let mut facts = Snapshot::all_unknown(
        Subject {
            platform,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: head(),
            target: "main".to_owned(),
        },
        at("2026-06-01T12:00:00Z"),
        "ccgate test".to_owned(),
    );
    facts.platform_time = seen(facts.observed_at);
    facts.repository.default_branch = seen("main".to_owned());
    facts.policy.target = seen(Some(policy(".ccgate.yml@main")));
    facts.policy.floor = seen(None);
    facts.branch_rules = seen(rules(platform, true));
    facts.identity = seen(identity(platform));
    facts.association = seen(Association::NotMerged);
    facts.commits = seen(vec![
        commit(older(), "ana", "carol"),
        helped(commit(head(), "ana", "carol")),
    ]);
    facts.reviews = seen(vec![
        approval(platform, "bob", true),
        approval(platform, "dan", true),
    ]);
    facts.pushes = seen(vec![push(platform, "ana")]);
    let green = Some(CheckConclusion::Success);
    facts.checks = seen(match platform {
        Platform::Github => vec![
            result("test", CheckKind::CheckRun, green),
            result("ccgate", CheckKind::CheckRun, None),
        ],
        Platform::Gitlab => vec![
            result("pipeline", CheckKind::Pipeline, green.clone()),
            result("test", CheckKind::Job, green),
        ],
    });
    facts.comments = seen(vec![Comment {
        id: "1".to_owned(),
        author: Some(Account::human("bob")),
        body: "fine".to_owned(),
        created_at: at("2026-06-01T11:00:00Z"),
        edited: seen(false),
    }]);
    facts.files = seen(vec![
        file("src/lib.rs", None),
        file("db/migrations/1.sql", None),
        file(".github/workflows/new.yml", Some("old/new.yml")),
        file(".gitleaks.toml", None),
    ]);
    facts.discussion = seen(Discussion {
        threads: seen(vec![thread(true)]),
        held: seen(None),
        requesting_changes: seen(Vec::new()),
        approval_notes: seen(Vec::new()),
    });
    facts.signatures = seen(vec![
        signature(older(), SignatureState::Verified),
        signature(head(), SignatureState::Verified),
    ]);
    facts.tickets = seen(Tickets {
        tracker: Tracker::Issues,
        named: vec![NamedTicket {
            name: "#3".to_owned(),
            found: seen(FoundTicket::Ticket(Box::new(Ticket {
                key: "#3".to_owned(),
                ticket_type: seen(Some("bug".to_owned())),
                state: seen("open".to_owned()),
                requester: seen(Some(Requester {
                    name: "carol".to_owned(),
                    is_login: true,
                })),
                created_at: seen(at("2026-05-01T00:00:00Z")),
                closed_at: seen(Some(at("2026-06-01T09:30:00Z"))),
                url: None,
                exported_at: None,
            }))),
        }],
    });
    facts.queue = seen(Some(queued(
        platform,
        Some(QueueEntry {
            number: 7,
            head: head(),
        }),
    )));
    facts.teams = seen(vec![TeamMembers {
        team: "@acme/gate".to_owned(),
        members: seen(vec!["bob".to_owned(), "dan".to_owned()]),
    }]);
    facts.originals = seen(vec![original(platform)]);
    facts.rules_before = seen(RulesBefore {
        seen_at: at("2026-05-31T12:00:00Z"),
        digest: format!("sha256:{}", "22".repeat(32)),
        signed_by: None,
        rules: seen(rules_before()),
    });
    facts.override_register = seen(register(true));
    facts.override_people = seen(OverridePeople {
        members: vec![("@acme/ops".to_owned(), seen(vec!["olga".to_owned()]))],
        last_pusher: seen(Account::human("ana")),
        head_since: seen(at("2026-06-01T10:00:00Z")),
    });
    facts.run_approvals = seen(RunApprovals {
        run: 77,
        head: head(),
        jobs_may_give: platform == Platform::Gitlab,
        approvals: vec![EnvironmentApproval {
            state: EnvironmentState::Approved,
            comment: "/ccgate approve ovr_1".to_owned(),
            environments: vec!["change-override".to_owned()],
            by: Some(Account::human("olga")),
        }],
    });
    facts.published_keys = seen(vec![PublishedKeys {
        account: AccountRef {
            login: "olga".to_owned(),
            id: Some(9),
        },
        keys: seen(vec![PublishedKey {
            line:
                "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH"
                    .to_owned(),
            created_at: seen(at("2026-05-01T00:00:00Z")),
            expires_at: seen(None),
            signs: seen(true),
        }]),
    }]);
    facts.scans = seen(scan(0, &head()));
    facts.settings = settings::good(platform);
    moves::good(&mut facts);
    facts
}

/// What a queue or train made, one commit of that change.
fn queued(platform: Platform, entry: Option<QueueEntry>) -> QueueResult {
    let made = "5a".repeat(20);
    let base = "b0".repeat(20);
    QueueResult {
        kind: match platform {
            Platform::Github => QueueKind::Queue,
            Platform::Gitlab => QueueKind::Train,
        },
        target: "main".to_owned(),
        head: made.clone(),
        base: Some(base.clone()),
        commits: seen(vec![QueueCommit {
            sha: made,
            parents: vec![base, head()],
            entry: seen(entry),
        }]),
    }
}

/// Everything is known, and every control fails with its defaults.
fn bad(platform: Platform) -> Snapshot {
    let mut facts = good(platform);
    facts.branch_rules = seen(rules(platform, false));
    let mut plain = identity(platform);
    plain.title = "Do it".to_owned();
    plain.body.clear();
    plain.linked_issues.clear();
    plain.source_branch = "revert-7-feature".to_owned();
    plain.labels = vec!["emergency".to_owned()];
    facts.identity = seen(plain);
    facts.association = seen(Association::DirectPush {
        pusher: Some(Account::human("eve")),
        evidence: "the log of pushes says so".to_owned(),
    });
    // The opener's own, a reader's, a co-author's of an older commit: nothing that counts.
    let reader = Review {
        can_write: seen(false),
        ..approval(platform, "bob", true)
    };
    let withdrawn = Review {
        state: ReviewState::Dismissed,
        ..approval(platform, "dan", true)
    };
    facts.reviews = seen(vec![
        approval(platform, "ana", true),
        reader,
        approval(platform, "dan", true),
        withdrawn,
    ]);
    facts.queue = seen(Some(queued(platform, None)));
    facts.override_register = seen(register(false));
    facts.discussion = seen(Discussion {
        threads: seen(vec![thread(false)]),
        held: seen(Some(true)),
        requesting_changes: seen(vec![Account::human("li")]),
        approval_notes: seen(Vec::new()),
    });
    facts.signatures = seen(vec![
        signature(older(), SignatureState::Unsigned),
        signature(head(), SignatureState::Unverified("unknown_key".to_owned())),
    ]);
    // A co-author whom nobody can name.
    let mut unnamed = person("x");
    unnamed.account = seen(None);
    facts.commits = seen(vec![helped(Commit {
        co_authors: vec![unnamed],
        ..commit(head(), "ana", "ana")
    })]);
    if let Fact::Known { value: files, .. } = &mut facts.files {
        files.push(file("deploy/server.key", None));
    }
    let red = Some(CheckConclusion::Failure);
    facts.checks = seen(match platform {
        Platform::Github => vec![result("test", CheckKind::CheckRun, red)],
        Platform::Gitlab => vec![
            result("pipeline", CheckKind::Pipeline, red.clone()),
            result("test", CheckKind::Job, red),
        ],
    });
    facts.scans = seen(scan(3, &head()));
    facts.settings = settings::bad(platform);
    moves::bad(&mut facts);
    facts
}

fn unprotected() -> Snapshot {
    let mut facts = good(Platform::Github);
    let none = BranchRules::without_demands("main", Vec::new(), Combine::AnyLayer);
    facts.branch_rules = seen(none);
    facts
}

/// Bob's approval is independent and stale, carol's is fresh and she is a co-author.
fn stale_and_dependent() -> Snapshot {
    let mut facts = good(Platform::Github);
    moves::none(&mut facts);
    facts.reviews = seen(vec![
        approval(Platform::Github, "bob", false),
        approval(Platform::Github, "carol", true),
    ]);
    facts
}

/// The commit that a merge left on the branch; its change was all well.
fn squashed() -> Snapshot {
    let mut facts = good(Platform::Github);
    facts.subject.head = "5a".repeat(20);
    let mut merged = identity(Platform::Github);
    merged.state = ChangeState::Merged;
    merged.merged_at = Some(at("2026-06-01T11:30:00Z"));
    merged.merged_by = Some(Account::human("bob"));
    merged.merge_commit = Some(facts.subject.head.clone());
    facts.identity = seen(merged);
    facts.association = seen(Association::Change {
        number: 7,
        target_branch: "main".to_owned(),
    });
    facts
}

/// The pipeline cannot end before the gate does; a hand-started job is optional.
fn gate_inside() -> Snapshot {
    let mut facts = good(Platform::Gitlab);
    moves::none(&mut facts);
    let by_hand = CheckResult {
        allow_failure: true,
        ..result("deploy", CheckKind::Job, None)
    };
    facts.checks = seen(vec![
        result("pipeline", CheckKind::Pipeline, None),
        result("test", CheckKind::Job, Some(CheckConclusion::Success)),
        result("ccgate", CheckKind::Job, None),
        by_hand,
    ]);
    facts.reviews = seen(vec![
        approval(Platform::Gitlab, "bob", false),
        approval(Platform::Gitlab, "carol", true),
    ]);
    facts
}
