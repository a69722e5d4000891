//! Policies with made-up controls, and a change about which everything that
//! overrides need has been seen. A case changes what it is about.

use jiff::{SignedDuration, Timestamp};
use regex::Regex;
use serde_json::{Value, json};

use crate::controls::{Awaiting, Bound, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::Criterion;
use crate::facts::{
    Account, ChangeState, Comment, Commit, Fact, FactKey, Identity, OverridePeople, Person,
    Platform, Snapshot, Source, Subject, Unknown, Why,
};
use crate::gate::{Decision, RecordContext, decide, evaluate};
use crate::policy::{
    BoundControl, Enforcement, Mode, OnUnknown, OverrideRules, Place, Policy, PolicySource, Waiver,
};

pub(crate) const REASON: &str = "the rollback of the outage cannot wait for a review";

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a literal timestamp")
}

const fn meta(code: &'static str, id: &'static str, title: &'static str) -> Meta {
    Meta {
        code,
        id,
        title,
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1],
        frameworks: &[],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeIdentity],
        rationale: "Nobody should have to guess why this matters.",
        cheat: "Looking away.",
        remedy_github: "mend it on GitHub",
        remedy_gitlab: "mend it on GitLab",
    }
}

pub(crate) static FIRST: Meta = meta("TST-01", "first-thing-done", "the first thing is done");
pub(crate) static SECOND: Meta = meta("TST-02", "second-thing-done", "the second thing is done");
pub(crate) static THIRD: Meta = meta("TST-03", "third-thing-done", "the third thing is done");
pub(crate) static ABOUT_THE_GATE: Meta = meta(
    "CHG-16",
    "gate-changes-approved",
    "changes of the gate are approved",
);
pub(crate) static GITLAB_ONLY: Meta = Meta {
    platforms: &[Platform::Gitlab],
    ..meta("TST-09", "gitlab-thing-done", "the thing of GitLab is done")
};

struct Fixed {
    meta: &'static Meta,
    outcome: Result<Verdict, Unknown>,
}

impl Bound for Fixed {
    fn meta(&self) -> &'static Meta {
        self.meta
    }
    fn judge(&self, _shown: &Snapshot) -> Result<Verdict, Unknown> {
        self.outcome.clone()
    }
    fn parameters(&self) -> Value {
        json!({"min": 1})
    }
    fn weaker_than(&self, _base: &Value) -> Option<String> {
        None
    }
}

pub(crate) fn evidence(summary: &str) -> Evidence {
    Evidence::new(
        summary,
        FactKey::ChangeIdentity,
        "as seen",
        &[Source {
            endpoint: "GET /repos/acme/app/pulls/7".to_owned(),
            digest: format!("sha256:{}", "ab".repeat(32)),
        }],
    )
}

pub(crate) fn pass() -> Result<Verdict, Unknown> {
    Ok(Verdict::Pass(evidence("it is done")))
}

pub(crate) fn fail() -> Result<Verdict, Unknown> {
    Ok(Verdict::fail_because(
        FailReason::NotIndependent,
        evidence("it is not done"),
    ))
}

pub(crate) fn awaiting(what: Awaiting) -> Result<Verdict, Unknown> {
    Ok(Verdict::fail(evidence("it is not done yet")).awaiting(what))
}

pub(crate) fn unknown() -> Result<Verdict, Unknown> {
    Err(
        Unknown::new("branch.bypass", Why::NotPermitted, "the answer lacks it")
            .needs("Administration: read")
            .at("GET /repos/acme/app/rulesets/1", Some(200)),
    )
}

pub(crate) fn control(meta: &'static Meta, outcome: Result<Verdict, Unknown>) -> BoundControl {
    BoundControl {
        control: Box::new(Fixed { meta, outcome }),
        enforcement: Enforcement::Block,
        on_unknown: OnUnknown::Block,
        compensated_by: None,
        concession: None,
        place: None,
    }
}

pub(crate) fn policy(controls: Vec<BoundControl>) -> Policy {
    Policy {
        source: PolicySource {
            origin: ".ccgate.yml@main".to_owned(),
            commit: Some("1c7b".repeat(10)),
            digest: format!("sha256:{}", "4c".repeat(32)),
            layers: vec!["preset soc2-baseline".to_owned()],
        },
        mode: Mode::Enforce,
        branches: None,
        settings_max_age: SignedDuration::from_hours(24),
        controls,
        scans: Vec::new(),
        accepted_findings: Vec::new(),
        known_exploited: Vec::new(),
        overrides: OverrideRules {
            allowed_by: vec!["@lead".to_owned(), "@acme/security".to_owned()],
            second_person: false,
            signed: false,
            signers: Vec::new(),
            published_keys: false,
            environments: Vec::new(),
            never: Vec::new(),
            max_uses: None,
            ticket: Some(Regex::new("INC-[0-9]+|INC").expect("a literal pattern")),
            min_reason: 20,
            max: SignedDuration::from_hours(4),
            review_within: "1 business day".to_owned(),
            time_zone: "UTC".to_owned(),
            holidays: Vec::new(),
        },
        waivers: Vec::new(),
        frameworks: Vec::new(),
        ledger: None,
        notes: Vec::new(),
    }
}

pub(crate) fn waiver(control: &str, scope: &str, expires: &str) -> Waiver {
    let expires: jiff::civil::Date = expires.parse().expect("a literal date");
    Waiver {
        control: control.to_owned(),
        scope: scope.to_owned(),
        reason: "the old system goes in spring".to_owned(),
        owner: "@ana".to_owned(),
        approved_by: "@li".to_owned(),
        begins: expires.saturating_sub(jiff::Span::new().days(crate::policy::LONGEST_EXEMPTION)),
        expires,
        place: Place {
            origin: ".ccgate.yml@main".to_owned(),
            line: 12,
            column: 5,
        },
    }
}

pub(crate) fn person(login: &str) -> Person {
    Person {
        name: login.to_owned(),
        email: format!("{login}@example.com"),
        account: Fact::known_without_source(Some(Account::human(login))),
    }
}

pub(crate) fn comment(id: &str, login: &str, when: &str, body: &str) -> Comment {
    Comment {
        id: id.to_owned(),
        author: Some(Account::human(login)),
        body: body.to_owned(),
        created_at: at(when),
        edited: Fact::known_without_source(false),
    }
}

/// `/ccgate override TST-01 …` by @lead, an hour after the last push and an hour ago.
pub(crate) fn command() -> Comment {
    comment(
        "901",
        "lead",
        "2026-06-01T11:00:00Z",
        &format!("/ccgate override TST-01 INC-482 {REASON}"),
    )
}

/// Change 7 of `acme/app` by @tom with one commit, pushed at ten, seen at twelve.
pub(crate) fn facts() -> Snapshot {
    let head = "f1".repeat(20);
    let mut facts = Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: head.clone(),
            target: "main".to_owned(),
        },
        at("2026-06-01T12:00:00Z"),
        "ccgate test".to_owned(),
    );
    facts.platform_time = Fact::known_without_source(at("2026-06-01T12:00:00Z"));
    facts.identity = Fact::known_without_source(Identity {
        number: 7,
        title: "Retry card capture".to_owned(),
        body: String::new(),
        author: Some(Account::human("tom")),
        source_branch: "retry".to_owned(),
        target_branch: "main".to_owned(),
        head: head.clone(),
        state: ChangeState::Open,
        draft: false,
        from_fork: false,
        labels: Vec::new(),
        linked_issues: Vec::new(),
        opened_at: None,
        merged_at: None,
        merged_by: None,
        merge_commit: None,
    });
    facts.commits = Fact::known_without_source(vec![Commit {
        sha: head,
        message: "Retry".to_owned(),
        author: person("tom"),
        committer: person("tom"),
        co_authors: Vec::new(),
        parents: Vec::new(),
    }]);
    facts.pushes = Fact::known_without_source(Vec::new());
    facts.comments = Fact::known_without_source(Vec::new());
    facts.override_people = Fact::known_without_source(OverridePeople {
        members: vec![(
            "@acme/security".to_owned(),
            Fact::known_without_source(vec!["Sec".to_owned()]),
        )],
        last_pusher: Fact::known_without_source(Account::human("tom")),
        head_since: Fact::known_without_source(at("2026-06-01T10:00:00Z")),
    });
    facts.requests.count = 4;
    facts.requests.waves = 2;
    facts
}

/// What a record knows beside the decision, where a case is about nothing of that.
pub(crate) fn record_context() -> RecordContext {
    RecordContext {
        tool: "ccgate".to_owned(),
        version: "0.1.0".to_owned(),
        snapshot_digest: None,
        platform_time: None,
        review_within: None,
        branch_move: None,
    }
}

pub(crate) fn decision(policy: &Policy, facts: &Snapshot) -> Decision {
    decide(policy, facts, &evaluate(policy, &mut facts.clone()))
}
