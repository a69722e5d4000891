//! What stands in records, and that they stay small enough.

use super::*;
use crate::controls::Verdict;
use crate::facts::{Fact, ToldBy};
use crate::gate::testing::{
    FIRST, REASON, SECOND, THIRD, command, comment, control as bound, decision, evidence, facts,
    fail, pass, policy, record_context, waiver as standing,
};
use crate::gate::undecided;

fn context() -> RecordContext {
    RecordContext {
        snapshot_digest: Some("sha256:aa".to_owned()),
        platform_time: Some("2026-06-01T12:00:03Z".parse().expect("a literal timestamp")),
        review_within: Some("1 business day".to_owned()),
        ..record_context()
    }
}

/// Each commit of a push has its record, and looking twice makes no second one.
#[test]
fn every_commit_of_a_move_is_a_subject_once() {
    let decision = decision(&policy(vec![bound(&FIRST, pass())]), &facts());
    let head = decision.subject.head.clone();
    let mut context = context();
    context.branch_move = Some(BranchMove {
        before: Some("b0".to_owned()),
        after: head.clone(),
        commits: vec![head.clone(), "c2".to_owned(), "c1".to_owned()],
        changes: vec![7],
        moves: None,
        told_by: Some(ToldBy::Ledger),
    });
    let named = |context: &RecordContext| {
        let first = records(&decision, context).remove(0);
        let subjects = first["subject"].as_array().expect("a list").clone();
        let digests = subjects
            .iter()
            .map(|subject| subject["digest"]["gitCommit"].clone());
        (digests.collect::<Vec<_>>(), first["predicate"].clone())
    };
    let (digests, predicate) = named(&context);
    assert_eq!(digests, [json!(head), json!("c2"), json!("c1")]);
    assert_eq!(predicate["branch_move"]["commits"], 3);
    assert_eq!(predicate["branch_move"]["told_by"], "ledger");
    assert!(predicate["branch_move_again"].is_null());
    if let Some(moved) = &mut context.branch_move {
        moved.commits.clear();
    }
    let (digests, predicate) = named(&context);
    assert_eq!(digests, [json!(head)]);
    assert!(predicate["branch_move"].is_null());
    assert_eq!(predicate["branch_move_again"]["before"], "b0");
}

fn overridden() -> Decision {
    let mut policy = policy(vec![
        bound(&FIRST, fail()),
        bound(&SECOND, pass()),
        bound(&THIRD, fail()),
    ]);
    policy.waivers = vec![standing("third-thing-done", "*", "2026-06-30")];
    let mut facts = facts();
    facts.comments = Fact::known_without_source(vec![
        comment("900", "eve", "2026-06-01T10:30:00Z", &command().body),
        command(),
    ]);
    decision(&policy, &facts)
}

#[test]
fn a_record_is_about_the_commit_and_says_who_when_why_and_until_when() {
    let records = records(&overridden(), &context());
    assert_eq!(records.len(), 2);
    let head = "f1".repeat(20);
    for record in &records {
        assert_eq!(record["_type"], "https://in-toto.io/Statement/v1");
        assert_eq!(record["subject"][0]["digest"]["gitCommit"], head.as_str());
    }
    assert_eq!(records[0]["predicateType"], CHANGE_RECORD_TYPE);
    assert_eq!(records[1]["predicateType"], OVERRIDE_RECORD_TYPE);
    let given = &records[1]["predicate"];
    assert_eq!(given["approver"]["login"], "lead");
    assert_eq!(given["approved_at"]["forge_time"], "2026-06-01T11:00:00Z");
    assert_eq!(given["expires_at"], "2026-06-01T15:00:00Z");
    assert_eq!(given["ticket"]["key"], "INC-482");
    assert_eq!(given["reason_text"], REASON);
    assert_eq!(given["control_ids"][0], "first-thing-done");
    assert_eq!(given["scope"]["head"], head.as_str());
    assert_eq!(given["review"]["due"], "1 business day");
}

#[test]
fn nothing_is_filtered_out_of_the_record() {
    let records = records(&overridden(), &context());
    let change = &records[0]["predicate"];
    assert_eq!(change["decision"], "allow");
    let controls: Vec<_> = change["controls"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|control| (control["verdict"].as_str(), control["disposition"].as_str()))
        .collect();
    assert_eq!(
        controls,
        [
            (Some("fail"), Some("overridden")),
            (Some("pass"), None),
            (Some("fail"), Some("waived"))
        ]
    );
    assert_eq!(change["waivers"][0]["state"], "applied");
    let states: Vec<_> = change["overrides"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| entry["state"].as_str().expect("a word"))
        .collect();
    assert_eq!(states, ["requested", "accepted"]);
    assert_eq!(change["platform_time"], "2026-06-01T12:00:03Z");
    assert_eq!(change["integrity_level"], "G0");
}

#[test]
fn the_same_decision_gives_the_same_record() {
    assert_eq!(
        records(&overridden(), &context()),
        records(&overridden(), &context())
    );
}

#[test]
fn a_flood_of_text_does_not_keep_the_record_out_of_the_ledger() {
    let flood = "🦀".repeat(10_000);
    let mut controls = Vec::new();
    for meta in [&FIRST, &SECOND, &THIRD] {
        controls.push(bound(meta, Ok(Verdict::fail(evidence(&flood)))));
    }
    let mut facts = facts();
    if let Fact::Known { value, .. } = &mut facts.identity {
        value.title.clone_from(&flood);
    }
    let mut comments: Vec<_> = (0..500)
        .map(|n| {
            let body = format!("/ccgate override {flood} {flood} {flood}");
            comment(&n.to_string(), "eve", "2026-06-01T10:30:00Z", &body)
        })
        .collect();
    let mut accepted = command();
    accepted.body.push_str(&flood);
    comments.push(accepted);
    facts.comments = Fact::known_without_source(comments);
    let records = records(&decision(&policy(controls), &facts), &context());
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["predicate"]["overrides_left_out"], 480);
    for record in records {
        let size = record.to_string().len();
        assert!(size < 64 * 1024, "{size}");
    }
}

#[test]
fn a_decision_that_could_not_be_made_is_recorded_too() {
    let records = records(&undecided(&facts(), "no answer".to_owned()), &context());
    assert_eq!(records[0]["predicate"]["decision"], "undecided");
    assert_eq!(records[0]["predicate"]["problem"], "no answer");
    assert_eq!(records[0]["predicate"]["policy"], Value::Null);
}
