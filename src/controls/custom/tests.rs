//! Own controls over snapshots: what passes, what fails, what nobody can tell, and
//! what a hostile or careless expression comes to.

use proptest::prelude::*;

use crate::controls::control::{Bound as _, Verdict};
use crate::controls::testing::{
    NOW, approval, at, branch, check, commit, demand, head, hidden, nothing_open, nothing_seen,
    push, reviewed, seen,
};
use crate::criteria::Criterion;
use crate::facts::{
    AccessRole, Account, ApprovalNote, Association, BypassActor, BypassKind, BypassMode,
    ChangedFile, CheckConclusion, Collaborator, Collaborators, Comment, DeployableRefs, Discussion,
    Environment, Environments, Fact, FactKey, FileChange, FindingCount, MergeMethod, Needs,
    Organization, PushKind, RepositorySettings, Review, ReviewState, ScanFailure, ScanReport,
    ScanResults, ScanRun, Severity, Snapshot, Unknown, Visibility, Who, Why,
};

use super::evaluation::{Budget, Looked, Stop, answer};
use super::value::Value;
use super::{
    CustomControl, Declaration, Expression, Facts, Flaw, MAX_LENGTH, NAMES, Outcome, Shape,
};

fn control(when: Option<&str>, assert: &str) -> CustomControl {
    CustomControl::new(Declaration {
        id: "own-rule".to_owned(),
        title: "own rule".to_owned(),
        criteria: vec![Criterion::Cc8_1],
        when: when.map(expression),
        assert: expression(assert),
        next: Some("do it".to_owned()),
    })
}

fn expression(text: &str) -> Expression {
    Expression::parse(text).unwrap_or_else(|flaws| panic!("{text}: {flaws:?}"))
}

fn flaws(text: &str) -> Vec<Flaw> {
    Expression::parse(text).expect_err(text)
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Ok(Verdict::Pass(_)) => "pass",
        Ok(Verdict::Fail(_)) => "fail",
        Ok(Verdict::NotApplicable(_)) => "not_applicable",
        Err(_) => "unknown",
    }
}

fn comes_to(assert: &str, facts: &Snapshot) -> &'static str {
    word(&control(None, assert).evaluate(facts))
}

/// Change 7 by ana, approved by li, one commit.
fn change() -> Snapshot {
    reviewed(vec![approval("li")])
}

#[test]
fn an_expression_passes_fails_and_is_unknown() {
    let facts = change();
    assert_eq!(comes_to("change.commits.size() == 1", &facts), "pass");
    assert_eq!(comes_to("size(change.commits) > 1", &facts), "fail");
    assert_eq!(comes_to("size(change.checks) > 1", &facts), "unknown");
}

#[test]
fn where_it_does_not_apply_it_says_so_and_where_nobody_knows_it_is_unknown() {
    let facts = change();
    let of = |when: &str| word(&control(Some(when), "change.draft").evaluate(&facts));
    assert_eq!(of("branch.name == 'other'"), "not_applicable");
    assert_eq!(of("branch.name == 'main'"), "fail");
    assert_eq!(of("size(change.comments) > 0"), "unknown");
    // What does not apply is not asked: `assert` may touch what nobody saw.
    let control = control(Some("branch.name == 'other'"), "size(change.checks) > 0");
    assert_eq!(word(&control.evaluate(&facts)), "not_applicable");
}

#[test]
fn a_failure_says_what_was_asked_what_was_seen_and_what_to_do() {
    let outcome = control(None, "change.title == 'x\\u0007'").evaluate(&change());
    let Ok(Verdict::Fail(failure)) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.next.as_deref(), Some("do it"));
    let observed = failure.evidence.observed();
    assert_eq!(observed[0].fact, "change.title");
    assert!(observed[0].value.starts_with('`'), "{observed:?}");
    assert!(failure.evidence.summary().ends_with("is not so"));
}

#[test]
fn hostile_text_is_trimmed_and_escaped_in_evidence() {
    let mut facts = change();
    if let Fact::Known { value, .. } = &mut facts.identity {
        value.title = format!("a`\u{1b}[31m\n{}", "x".repeat(500));
    }
    let outcome = control(None, "change.title == ''").evaluate(&facts);
    let Ok(Verdict::Fail(failure)) = outcome else {
        panic!("{outcome:?}");
    };
    let value = &failure.evidence.observed()[0].value;
    assert!(value.chars().count() < 130, "{value}");
    assert!(
        !value.contains('\u{1b}') && !value.contains('\n'),
        "{value}"
    );
}

#[test]
fn a_review_whose_right_nobody_saw_counts_neither_way() {
    let mut facts = change();
    facts.reviews = seen(vec![Review {
        can_write: hidden(),
        ..approval("li")
    }]);
    for text in [
        "change.reviews.exists(r, r.can_write)",
        "change.reviews.exists(r, !r.can_write)",
        "change.reviews.all(r, r.can_write)",
        "change.reviews.exists_one(r, r.can_write)",
        "change.reviews.filter(r, r.can_write).size() == 0",
        "change.reviews.map(r, r.can_write).size() == 1",
        "has(change.reviews[0].can_write)",
        "!has(change.reviews[0].can_write)",
        "change.reviews[0].can_write != true",
        "change.reviews[0].can_write == change.reviews[0].can_write",
        "change.reviews[0].can_write ? true : true",
        "!(change.reviews[0].can_write in [true, false])",
    ] {
        assert_eq!(comes_to(text, &facts), "unknown", "{text}");
    }
    // What is not touched does not matter, and one side may settle it.
    for text in [
        "change.reviews.exists(r, r.state == 'approved')",
        "change.reviews[0].can_write || true",
        "true || change.reviews[0].can_write",
        "change.reviews.exists(r, r.can_write || r.state == 'approved')",
    ] {
        assert_eq!(comes_to(text, &facts), "pass", "{text}");
    }
    assert_eq!(
        comes_to("change.reviews[0].can_write && false", &facts),
        "fail"
    );
}

#[test]
fn one_entry_that_is_known_settles_what_another_hides() {
    let mut facts = change();
    facts.reviews = seen(vec![
        Review {
            can_write: hidden(),
            ..approval("bo")
        },
        approval("li"),
    ]);
    assert_eq!(
        comes_to("change.reviews.exists(r, r.can_write)", &facts),
        "pass"
    );
    assert_eq!(
        comes_to("change.reviews.all(r, r.can_write)", &facts),
        "unknown"
    );
    assert_eq!(
        comes_to("change.reviews.all(r, !r.can_write)", &facts),
        "fail"
    );
}

#[test]
fn errors_make_it_unknown_never_pass() {
    let facts = change();
    for text in [
        "change.commits[5].sha == ''",
        "change.commits[-1].sha != 'x'",
        "1 / (size(change.commits) - 1) == 0",
        "1 % (size(change.commits) - 1) == 0",
        "9223372036854775807 + size(change.commits) > 0",
        "-9223372036854775807 - size(change.commits) - size(change.commits) < 0",
        "9223372036854775807 * 2 * size(change.commits) != 3",
        "timestamp(change.title) < check.now",
        "duration(change.title) < duration('1h')",
        "check.now - duration('9000000h') - duration('900000000h') < check.now",
        "change.commits.map(c, [1, 'a'])[0][0] == 'a'",
        "!(change.commits.map(c, [1, 'a'])[0][0] == 'a')",
        "change.commits.map(c, [1, 'a'])[0][1] != 1",
        "change.merged_by.login != 'ana'",
    ] {
        let outcome = control(None, text).evaluate(&facts);
        assert_eq!(word(&outcome), "unknown", "{text}: {outcome:?}");
        assert_eq!(outcome.expect_err(text).why, Why::NotComputable, "{text}");
    }
}

#[test]
fn an_account_is_the_same_in_capitals() {
    let facts = change();
    assert_eq!(
        comes_to("change.reviews[0].reviewer.login == 'LI'", &facts),
        "pass"
    );
    assert_eq!(
        comes_to("change.reviews[0].reviewer.login != 'Li'", &facts),
        "fail"
    );
    assert_eq!(
        comes_to(
            "change.reviews.exists(r, r.reviewer.login in ['LI'])",
            &facts
        ),
        "pass"
    );
}

#[test]
fn a_missing_report_is_no_clean_one() {
    let mut facts = nothing_seen();
    facts.scans = seen(ScanResults::of(vec![ScanReport {
        pattern: "*.sarif".to_owned(),
        path: String::new(),
        digest: String::new(),
        format: String::new(),
        modified_at: None,
        runs: Err(ScanFailure::Missing),
    }]));
    let text = "scan.reports.all(r, r.runs.all(run, run.critical == 0))";
    assert_eq!(comes_to(text, &facts), "unknown");
    let mut with = |run: ScanRun| {
        let Fact::Known { value, .. } = &mut facts.scans else {
            panic!("they are known");
        };
        value.reports[0].runs = Ok(vec![run]);
        comes_to(text, &facts)
    };
    let clean = ScanRun::of("semgrep");
    assert_eq!(with(clean.clone()), "pass");
    let mut failed = clean.clone();
    failed.execution_successful = Some(false);
    assert_eq!(with(failed), "unknown");
    let mut partial = clean;
    partial.left_out = Some("2 files".to_owned());
    assert_eq!(with(partial), "unknown");
}

#[test]
fn its_names_decide_what_is_fetched() {
    let control = control(
        Some("change.target == 'main'"),
        "change.reviews.exists(r, r.state == 'approved') && branch.layers.size() > 0",
    );
    assert_eq!(
        control.meta().needs,
        [
            FactKey::BranchRules,
            FactKey::BranchBypass,
            FactKey::ChangeIdentity,
            FactKey::ChangeReviews,
        ]
    );
    // And what it did not declare it cannot see.
    assert!(!control.meta().needed().has(FactKey::ChangeCommits));
}

#[test]
fn the_same_declaration_is_kept_once() {
    let one = control(None, "change.draft").meta();
    let two = control(None, "change.draft").meta();
    assert!(std::ptr::eq(one, two));
    assert!(!std::ptr::eq(one, control(None, "!change.draft").meta()));
}

#[test]
fn wrong_names_fields_and_kinds_are_found_before_the_gate_runs() {
    for (text, says) in [
        ("chnage.title == ''", "there is no name `chnage`"),
        ("change.titel == ''", "there is no name `change.titel`"),
        ("change == null", "`change` alone is no value"),
        (
            "change.commits.all(c, c.autor.name != '')",
            "there is no field `autor`",
        ),
        ("change.title.sha == ''", "a text has no field `sha`"),
        (
            "change.title == 3",
            "a text is never compared with a number",
        ),
        (
            "change.title == null",
            "a text is never compared with a null",
        ),
        ("change.author == change.author", "never compared"),
        (
            "change.number.contains('x')",
            "a text is wanted where a number stands",
        ),
        ("change.title", "gives a text"),
        ("size(change.commits)", "gives a number"),
        (
            "change.commits.exists(c, c.sha)",
            "a bool is wanted where a text stands",
        ),
        ("change.draft.exists(c, true)", "a bool is no list"),
        (
            "change.commits.all(change, true)",
            "means something already",
        ),
        ("change.title.match('x')", "there is no function `match`"),
        (
            "matches(change.title, 'x')",
            "there is no function `matches`",
        ),
        ("change.title.matches(change.body)", "has to be written out"),
        ("change.title.matches('(')", "is no regular expression"),
        (
            "change.title.matches('(a{1000}){1000}')",
            "is no regular expression",
        ),
        ("change.title < change.number", "has no order"),
        ("change.author in ['ana']", "never in"),
        ("1.5 > 1.0", "numbers are whole"),
        ("{'a': 1} == {'a': 1}", "records cannot be written"),
        ("change.title ==", ""),
        ("", ""),
        ("@result", ""),
    ] {
        let found = flaws(text);
        assert!(
            found.iter().any(|flaw| flaw.message.contains(says)),
            "{text}: {found:?}"
        );
    }
    assert_eq!(
        flaws("change.titel == ''")[0].word.as_deref(),
        Some("titel")
    );
}

/// What an answer cost, as far as it went.
fn cost(text: &str, facts: &Snapshot) -> Result<bool, String> {
    answer(
        &expression(text),
        &Facts::Seen(facts),
        &mut Budget::new(),
        &mut Looked::new(),
    )
    .map_err(|stop| match stop {
        Stop::Unseen(unknown) => unknown.to_string(),
        Stop::Wrong(why) => why,
    })
}

#[test]
fn patience_has_an_end_that_no_other_side_hides() {
    let mut facts = change();
    facts.commits = seen(
        (0..1000)
            .map(|n| commit(format!("{n:040x}"), "ana"))
            .collect(),
    );
    let greedy = "change.commits.all(a, change.commits.all(b, a.sha != '' && b.sha != ''))";
    for text in [
        greedy.to_owned(),
        format!("({greedy}) || true"),
        format!("true && !({greedy} && false)"),
    ] {
        // `x || true` is settled by its right side, but the budget is gone before it is seen.
        let found = cost(&text, &facts);
        assert!(
            found.as_ref().is_err_and(|why| why.contains("steps")),
            "{text}: {found:?}"
        );
    }
    // What a large change asks of a plain control is far from the end.
    assert_eq!(
        cost(
            "change.commits.all(c, c.sha.size() == 40 && c.message != '')",
            &facts
        ),
        Ok(true)
    );
    assert_eq!(
        cost(
            "change.commits.filter(c, c.message == 'x').size() == 0",
            &facts
        ),
        Ok(true)
    );
}

#[test]
fn text_that_doubles_runs_out_of_steps_before_it_runs_out_of_memory() {
    let mut text = "['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']".to_owned();
    for _ in 0..60 {
        text.push_str(".map(a,a+a)");
    }
    text.push_str("[0].size() > 0");
    match Expression::parse(&text) {
        // Nested too deeply is as good.
        Err(_) => {}
        Ok(expression) => {
            let mut budget = Budget::new();
            let facts = nothing_seen();
            let found = answer(
                &expression,
                &Facts::Seen(&facts),
                &mut budget,
                &mut Looked::new(),
            );
            assert!(found.is_err());
        }
    }
    let mut shorter = "['xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx']".to_owned();
    for _ in 0..25 {
        shorter.push_str(".map(a,a+a)");
    }
    shorter.push_str("[0].size() > 0");
    assert!(cost(&shorter, &nothing_seen()).is_err_and(|why| why.contains("steps")));
}

#[test]
fn lists_that_hold_themselves_twice_are_not_compared_without_end() {
    let mut text = "[['x']]".to_owned();
    for _ in 0..18 {
        text.push_str(".map(a,[a,a])");
    }
    let found = cost(&format!("{text} == {text}"), &nothing_seen());
    assert!(
        found.as_ref().is_err_and(|why| why.contains("steps")),
        "{found:?}"
    );
    let found = cost(&format!("{text}[0] in {text}"), &nothing_seen());
    assert!(
        found.as_ref().is_err_and(|why| why.contains("steps")),
        "{found:?}"
    );
}

#[test]
fn a_pattern_is_paid_for_by_its_size_and_the_text() {
    let mut facts = change();
    if let Fact::Known { value, .. } = &mut facts.identity {
        value.body = "ab".repeat(300_000);
    }
    assert_eq!(cost("change.body.matches('^(ab)+$')", &facts), Ok(true));
    let found = cost("change.body.matches('(a|b|ab){400}$')", &facts);
    assert!(
        found.as_ref().is_err_and(|why| why.contains("steps")),
        "{found:?}"
    );
}

#[test]
fn approvals_that_count_are_those_of_the_built_in_controls() {
    let mut facts = reviewed(vec![
        approval("li"),
        approval("LI"),
        approval("ana"),
        Review {
            can_write: seen(false),
            ..approval("bo")
        },
        approval("eve"),
        Review {
            state: ReviewState::ChangesRequested,
            ..approval("eve")
        },
    ]);
    assert_eq!(comes_to("change.approvals.size() == 1", &facts), "pass");
    assert_eq!(comes_to("change.reviews.size() == 6", &facts), "pass");
    if let Fact::Known { value, .. } = &mut facts.reviews {
        value.push(Review {
            can_write: hidden(),
            ..approval("kim")
        });
    }
    assert_eq!(comes_to("change.approvals.size() >= 1", &facts), "unknown");
}

#[test]
fn size_and_nesting_have_an_end() {
    assert!(
        flaws(&format!("'{}' == ''", "x".repeat(MAX_LENGTH)))[0]
            .message
            .contains("longer")
    );
    for text in [
        "(".repeat(1000),
        "!".repeat(2000),
        "-".repeat(2000),
        format!("{}1{} == [1]", "[".repeat(500), "]".repeat(500)),
        format!("1{} == 1", "+1".repeat(1000)),
        format!("change{}", ".a".repeat(1000)),
        format!("true{}", " && true".repeat(250)),
        format!("true{}", "? true : true".repeat(120)),
        format!("{}true{}", "[1].all(a,".repeat(100), ")".repeat(100)),
    ] {
        assert!(!flaws(&text).is_empty());
    }
    let four = "[1].all(a, [1].all(b, [1].all(c, [1].all(d, true))))";
    assert!(flaws(four)[0].message.contains("inside of each other"));
}

#[test]
fn what_can_be_met_by_nobody_acting_is_remarked() {
    let remarks = |when: Option<&str>, assert: &str| control(when, assert).remarks().join("; ");
    for (when, assert, says) in [
        (Some("false"), "change.draft", "nothing is ever asked"),
        (Some("1 == 1"), "change.draft", "leave it out"),
        (None, "true", "asks for nothing"),
        (None, "1 > 2", "met by nobody"),
        (None, "1 / 0 == 1", "never be worked out"),
        (
            None,
            "change.reviews.all(r, r.state == 'approved')",
            "met by nobody acting",
        ),
        (None, "size(change.reviews) == 0", "met by nobody acting"),
        (None, "size(change.reviews) >= 0", "never below zero"),
        (
            None,
            "!change.labels.exists(l, l == 'hold')",
            "met by nobody acting",
        ),
    ] {
        let found = remarks(when, assert);
        assert!(found.contains(says), "{assert}: {found}");
    }
    for assert in [
        "change.reviews.exists(r, r.state == 'approved')",
        "size(change.reviews) > 0 && change.reviews.all(r, r.state == 'approved')",
        "!change.draft",
    ] {
        assert_eq!(
            remarks(Some("change.target == 'main'"), assert),
            "",
            "{assert}"
        );
    }
}

#[test]
fn the_names_are_sorted_and_each_once() {
    assert!(NAMES.windows(2).all(|pair| pair[0].path < pair[1].path));
    for name in NAMES {
        assert_eq!(name.path.split('.').count(), 2, "{}", name.path);
        assert!(!name.about.is_empty());
    }
}

#[test]
fn nothing_is_known_where_nothing_was_seen() {
    let facts = nothing_seen();
    for name in NAMES.iter().filter(|name| !name.keys.is_empty()) {
        assert!(!Facts::Seen(&facts).look(name).is_known(), "{}", name.path);
    }
}

/// A snapshot in which something stands behind every name.
fn everything() -> Snapshot {
    let mut facts = branch(|rules| {
        rules.layers[0].bypass = seen(vec![BypassActor {
            kind: BypassKind::Team,
            name: "@acme/ops".to_owned(),
            mode: BypassMode::Always,
        }]);
        for requirement in [
            &mut rules.code_owner_review_required,
            &mut rules.conversations_resolved,
            &mut rules.deletion_blocked,
            &mut rules.force_push_blocked,
            &mut rules.linear_history_required,
            &mut rules.protected,
            &mut rules.pull_request_required,
            &mut rules.signatures_required,
            &mut rules.stale_approvals_dismissed,
            &mut rules.up_to_date_required,
        ] {
            requirement.demands = vec![demand("one", seen(true)), demand("two", seen(false))];
        }
        rules.approvals_required.demands = vec![demand("one", seen(1)), demand("two", seen(2))];
    });
    let other = change();
    facts.identity = other.identity;
    if let Fact::Known { value, .. } = &mut facts.identity {
        value.labels = vec!["ok".to_owned()];
        value.linked_issues = vec!["#3".to_owned()];
        value.merged_at = Some(at(NOW));
        value.merged_by = value.author.clone();
    }
    facts.association = seen(Association::NotMerged);
    facts.commits = other.commits;
    facts.reviews = other.reviews;
    facts.pushes = seen(vec![push(PushKind::Push, NOW, "ana")]);
    facts.checks = seen(vec![check("build", Some(CheckConclusion::Success))]);
    facts.discussion = seen(Discussion {
        approval_notes: seen(vec![ApprovalNote {
            author: Some(Account::human("li")),
            created_at: at(NOW),
            pushed_since: false,
        }]),
        ..nothing_open()
    });
    facts.comments = seen(vec![Comment {
        id: "1".to_owned(),
        author: Some(Account::human("li")),
        body: "fine".to_owned(),
        created_at: at(NOW),
        edited: seen(false),
    }]);
    facts.scans = seen(ScanResults::of(vec![ScanReport {
        pattern: "*.sarif".to_owned(),
        path: "a.sarif".to_owned(),
        digest: "sha256:00".to_owned(),
        format: "sarif-2.1.0".to_owned(),
        modified_at: None,
        runs: Ok(vec![ScanRun {
            version: Some("1".to_owned()),
            execution_successful: Some(true),
            revision: Some(head()),
            ended_at: Some(at(NOW)),
            counts: vec![FindingCount {
                severity: Severity::High,
                open: 2,
                new: None,
                suppressed: 1,
            }],
            ..ScanRun::of("semgrep")
        }]),
    }]));
    facts.files = seen(vec![ChangedFile {
        path: "src/a.rs".to_owned(),
        previous_path: seen(Some("src/b.rs".to_owned())),
        kind: FileChange::Renamed,
        additions: Some(1),
        deletions: Some(0),
    }]);
    facts.repository.default_branch = seen("main".to_owned());
    let settings = &mut facts.settings;
    settings.paths = seen(vec!["README.md".to_owned()]);
    settings.repository = seen(RepositorySettings {
        visibility: seen(Visibility::Private),
        archived: seen(false),
        last_activity: seen(None),
        merge_methods: seen(vec![MergeMethod::Squash]),
        auto_merge: seen(false),
        public_pipelines: seen(false),
    });
    settings.organization = seen(Organization {
        name: "acme".to_owned(),
        not_in_plan: Vec::new(),
        two_factor_required: seen(true),
        two_factor_grace_hours: seen(0),
        base_permission: seen(AccessRole::Read),
        repository_creation: seen(Who::Owners),
        repository_deletion: seen(Who::Owners),
        visibility_change: seen(Who::Owners),
        outside_invitation: seen(Who::Owners),
        private_forking: seen(false),
    });
    settings.collaborators = seen(Collaborators {
        people: seen(vec![Collaborator {
            account: Account::human("ana"),
            role: AccessRole::Write,
            outside: false,
            direct: None,
        }]),
        teams: seen(Vec::new()),
        in_organization: seen(true),
    });
    settings.environments = seen(Environments {
        not_in_plan: Vec::new(),
        list: vec![Environment {
            name: "production".to_owned(),
            tier: None,
            reviewers: seen(vec!["@li".to_owned()]),
            approvals: seen(1),
            self_review_prevented: seen(true),
            administrators_exempt: seen(false),
            refs: seen(DeployableRefs::ProtectedOnly),
        }],
    });
    facts
}

/// Whether a value is what the table says about it, records and lists included.
fn fits(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (Shape::Maybe(_), Value::Null) => true,
        (Shape::Maybe(of), value) => fits(*of, value),
        (Shape::Bool, Value::Bool(_))
        | (Shape::Int, Value::Int(_))
        | (Shape::Text, Value::Text(_))
        | (Shape::Login, Value::Login(_))
        | (Shape::Time, Value::Time(_)) => true,
        (Shape::List(of), Value::List(items)) => {
            !items.is_empty() && items.iter().all(|item| fits(*of, item))
                || matches!(of, Shape::Record(_) | Shape::Text) && items.is_empty()
        }
        (Shape::Record(fields), Value::Record(slots)) => fields.iter().all(|field| {
            slots.iter().any(|(name, slot)| {
                *name == field.name && slot.as_ref().is_ok_and(|value| fits(field.shape, value))
            })
        }),
        _ => false,
    }
}

#[test]
fn behind_every_name_stands_a_value_of_its_kind() {
    let facts = everything();
    for name in NAMES {
        let found = Facts::Seen(&facts).look(name);
        let value = found
            .known()
            .unwrap_or_else(|why| panic!("{}: {why}", name.path));
        assert!(fits(name.shape, value), "{}: {value:?}", name.path);
        // Without the groups that it names nothing is seen of it.
        let blind = facts.restricted_to(&Needs::everything().without(name.keys));
        if let [first, ..] = name.keys {
            let hidden = Facts::Seen(&blind).look(name);
            let unseen = match first {
                // The layers are known; who can go around them is not.
                FactKey::BranchRules => true,
                _ => !hidden.is_known(),
            };
            assert!(unseen, "{}", name.path);
        }
        // What it declares is enough.
        let needed: Needs = name.keys.iter().copied().collect();
        let seen = facts.restricted_to(&needed);
        assert!(Facts::Seen(&seen).look(name).is_known(), "{}", name.path);
    }
}

#[test]
fn the_rules_of_a_branch_are_those_that_hold_for_it() {
    let facts = everything();
    assert_eq!(comes_to("branch.approvals_required == 2", &facts), "pass");
    assert_eq!(comes_to("branch.force_push_blocked", &facts), "pass");
    assert_eq!(
        comes_to("branch.layers.all(l, l.bypass.size() == 0)", &facts),
        "fail"
    );
    // Who can go around them is seen because the name declares it.
    let report = "scan.reports.all(r, r.runs.all(run, run.high == 2 && run.critical == 0))";
    assert_eq!(comes_to(report, &facts), "pass");
}

/// Expressions whose truth hangs on facts in every way that the language has.
const MANY: &[&str] = &[
    "change.reviews.exists(r, r.can_write && r.state == 'approved')",
    "change.reviews.all(r, r.can_write)",
    "!change.reviews.exists(r, !r.can_write)",
    "change.reviews.exists_one(r, r.can_write)",
    "change.reviews.filter(r, r.can_write).size() < 2",
    "change.reviews.map(r, r.submitted_at < check.now)[0]",
    "change.reviews.all(r, r.commit == null || r.commit == change.head)",
    "change.commits.all(c, c.author.account != null)",
    "change.commits.all(c, !has(c.author.account) || c.author.account.kind == 'human')",
    "change.reviews.all(r, change.commits.all(c, c.author.account.login != r.reviewer.login))",
    "change.draft ? change.reviews.size() > 5 : change.commits.size() == 2",
    "size(change.commits) == 2 && !change.draft || change.number > 100",
    "!(change.author.login in change.reviews.map(r, r.reviewer.login))",
];

proptest! {
    /// Whatever is hidden, no verdict turns into another one: it stays or becomes unknown.
    #[test]
    fn hiding_a_fact_opens_nothing(
        which in 0..MANY.len(),
        rights in proptest::collection::vec(any::<bool>(), 0..4),
        hide in any::<u16>(),
    ) {
        let mut facts = change();
        facts.commits = seen(vec![commit(head(), "ana"), commit(head(), "bo")]);
        facts.reviews = seen(rights.iter().enumerate().map(|(n, can)| Review {
            can_write: seen(*can),
            reviewer: Some(Account::human(format!("r{n}"))),
            state: if n == 2 { ReviewState::Commented } else { ReviewState::Approved },
            ..approval("li")
        }).collect());
        let control = control(None, MANY[which]);
        let before = word(&control.evaluate(&facts));
        let bit = |n: usize| hide & (1 << (n % 16)) != 0;
        if let Fact::Known { value, .. } = &mut facts.reviews {
            for (n, review) in value.iter_mut().enumerate() {
                if bit(3 * n) { review.can_write = hidden(); }
                if bit(3 * n + 1) { review.submitted_at = hidden(); }
                if bit(3 * n + 2) { review.commit = hidden(); }
            }
        }
        if let Fact::Known { value, .. } = &mut facts.commits {
            for (n, commit) in value.iter_mut().enumerate() {
                if bit(10 + n) { commit.author.account = hidden(); }
            }
        }
        if bit(13) { facts.commits = hidden(); }
        if bit(14) { facts.identity = hidden(); }
        if bit(15) { facts.reviews = hidden(); }
        let after = word(&control.evaluate(&facts));
        prop_assert!(after == before || after == "unknown", "{} -> {after}", before);
    }

    /// No text makes the reader or the evaluation fall over.
    #[test]
    fn no_text_is_too_odd(text in "\\PC{0,60}") {
        read_and_work_out(&text);
    }

    /// The same for texts made of the language's own parts.
    #[test]
    fn no_soup_of_words_is_too_odd(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            "change", ".", "title", "commits", "all", "exists", "(", ")", "[", "]", "{", "}",
            ",", "c", "x", "==", "!=", "&&", "||", "!", "?", ":", "+", "-", "*", "/", "%", "in",
            "1", "0", "-1", "'a'", "\"b\"", "r'", "b'", "'''", "\\", "null", "true", "has",
            "size", "map", "filter", "matches", "timestamp", " ", "\n", "//", "`", "1u", "1.5",
            "9223372036854775808", "0x", "u", "é", "\u{1f600}", "@result", ".x",
        ]), 0..24))
    {
        read_and_work_out(&parts.concat());
        read_and_work_out(&parts.join(" "));
    }
}

fn read_and_work_out(text: &str) {
    if let Ok(expression) = Expression::parse(text) {
        let _ = answer(
            &expression,
            &Facts::Seen(&change()),
            &mut Budget::new(),
            &mut Looked::new(),
        );
    }
}

#[test]
fn the_reason_why_a_fact_was_not_seen_reaches_the_verdict() {
    let mut facts = change();
    facts.checks = Fact::Unknown(
        Unknown::new("change.checks", Why::NotPermitted, "the token may not").needs("checks: read"),
    );
    let why = control(None, "change.checks.size() > 0")
        .evaluate(&facts)
        .expect_err("nobody saw it");
    assert_eq!(why.needs.as_deref(), Some("checks: read"));
    assert_eq!(facts.observed_at, at(NOW));
}
