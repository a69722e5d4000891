//! Each way in which an approval in an environment could be made to count that should not.

use super::*;
use crate::facts::{AccountKind, RUN_APPROVALS, Unknown, Why};
use crate::gate::record::override_id;
use crate::gate::testing::{
    FIRST, REASON, SECOND, at, comment, control, decision, facts, fail, pass, policy,
    record_context,
};
use crate::gate::{Decision, Door, OVERRIDE_RECORD_TYPE, Outcome, records};

const WHERE: &str = "change-override";
const RUN: u64 = 77;

fn rules() -> Policy {
    let mut policy = policy(vec![control(&FIRST, fail()), control(&SECOND, pass())]);
    policy.overrides.environments = vec![WHERE.to_owned()];
    policy
}

fn id() -> String {
    let facts = facts();
    override_id(&facts.subject, "901", &facts.subject.head)
}

fn approval(login: &str) -> EnvironmentApproval {
    EnvironmentApproval {
        state: EnvironmentState::Approved,
        comment: format!("/ccgate approve {}", id()),
        environments: vec![WHERE.to_owned()],
        by: Some(Account::human(login)),
    }
}

/// @tom, who opened the change, asks; the run that judges has these.
fn with(approvals: Vec<EnvironmentApproval>) -> Snapshot {
    let mut facts = facts();
    let asked = format!("/ccgate override TST-01 INC-482 {REASON}");
    let asked = comment("901", "tom", "2026-06-01T11:00:00Z", &asked);
    facts.comments = Fact::known_without_source(vec![asked]);
    facts.run_approvals = Fact::known_without_source(RunApprovals {
        run: RUN,
        head: facts.subject.head.clone(),
        jobs_may_give: false,
        approvals,
    });
    facts
}

/// Changes the run.
fn in_run(facts: &mut Snapshot, change: impl FnOnce(&mut RunApprovals)) {
    if let Fact::Known { value, .. } = &mut facts.run_approvals {
        change(value);
    }
}

fn why(decision: &Decision) -> String {
    let first = decision.approvals.first();
    let why = first.and_then(|one| one.refused.clone());
    why.unwrap_or_default()
}

fn refused(facts: &Snapshot, expected: &str) {
    let decision = decision(&rules(), facts);
    assert_eq!(decision.outcome, Outcome::Block, "{expected}");
    assert!(
        why(&decision).contains(expected),
        "{expected}: {}",
        why(&decision)
    );
    assert_eq!(decision.overrides[0].approval, None);
}

/// One by @lead, changed.
fn changed(change: impl FnOnce(&mut EnvironmentApproval)) -> Snapshot {
    let mut one = approval("lead");
    change(&mut one);
    with(vec![one])
}

/// Nothing that was said there is an approval.
fn unheard(facts: &Snapshot) {
    let decision = decision(&rules(), facts);
    assert_eq!(decision.outcome, Outcome::Block);
    assert_eq!(decision.approvals.len(), 0);
}

#[test]
fn an_approval_in_the_environment_that_names_the_override_opens_the_gate_and_says_where_it_was_given()
 {
    let given = decision(&rules(), &with(vec![approval("lead")]));
    assert_eq!(given.outcome, Outcome::Allow, "{}", why(&given));
    let approval = given.overrides[0].approval.as_ref().unwrap();
    assert_eq!(approval.door, Door::Environment);
    assert_eq!(approval.id, format!("environment:77:lead:{}", id()));
    assert_eq!(approval.by.login, "lead");
    assert_eq!(approval.at, at("2026-06-01T12:00:00Z"), "when it was seen");
    let records = records(&given, &record_context());
    let record = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .unwrap();
    let record = &record["predicate"];
    assert_eq!(record["approval_door"], "environment");
    assert_eq!(record["approver"]["login"], "lead");
    assert!(
        record["approved_at"]["forge_time"].is_null(),
        "nobody told it"
    );
    assert_eq!(record["approved_at"]["runner_time"], "2026-06-01T12:00:00Z");
    // Said twice it is one approval.
    let twice = decision(
        &rules(),
        &with(vec![self::approval("lead"), self::approval("lead")]),
    );
    assert_eq!(twice.outcome, Outcome::Allow);
    let door = decision(&rules(), &with(vec![self::approval("lead")]));
    assert_eq!(door.approvals[0].door, Door::Environment);
}

#[test]
fn without_the_policys_word_or_the_facts_nothing_counts() {
    let mut policy = rules();
    policy.overrides.environments.clear();
    let decision_without = decision(&policy, &with(vec![approval("lead")]));
    assert_eq!(decision_without.outcome, Outcome::Block);
    assert_eq!(decision_without.approvals.len(), 0);
    let mut facts = with(vec![approval("lead")]);
    facts.run_approvals = Fact::Unknown(Unknown::new(RUN_APPROVALS, Why::Failed, "500"));
    unheard(&facts);
    facts.run_approvals = Fact::Unknown(Unknown::not_collected(RUN_APPROVALS));
    unheard(&facts);
}

#[test]
fn a_refusal_a_remark_and_another_environment_are_no_approval() {
    let word = |word: &str| EnvironmentState::Other(word.to_owned());
    refused(
        &changed(|one| one.state = EnvironmentState::Rejected),
        "refused and not approved",
    );
    refused(&changed(|one| one.state = word("pending")), "no approval");
    refused(&changed(|one| one.state = word("Approved")), "no approval");
    for names in [
        vec!["production"],
        vec!["Change-Override"],
        vec!["change-override "],
        vec![],
    ] {
        let names: Vec<String> = names.into_iter().map(str::to_owned).collect();
        refused(
            &changed(|one| one.environments = names),
            "overrides.environments",
        );
    }
    // With a refusal in the same run nobody knows what came last, whoever refused it.
    for by in [
        Some(Account::human("lead")),
        Some(Account::human("eve")),
        None,
    ] {
        let mut no = approval("eve");
        no.state = EnvironmentState::Rejected;
        no.comment = String::new();
        no.by = by;
        for approvals in [
            vec![approval("lead"), no.clone()],
            vec![no.clone(), approval("lead")],
        ] {
            refused(&with(approvals), "it is not told what came last");
        }
    }
    let mut elsewhere = approval("eve");
    elsewhere.state = EnvironmentState::Rejected;
    elsewhere.environments = vec!["production".to_owned()];
    elsewhere.comment = String::new();
    let decision = decision(&rules(), &with(vec![approval("lead"), elsewhere]));
    assert_eq!(decision.outcome, Outcome::Allow);
}

#[test]
fn an_approval_of_another_head_or_another_override_does_not_count() {
    let mut facts = with(vec![approval("lead")]);
    in_run(&mut facts, |run| run.head = "0d".repeat(20));
    refused(&facts, "another head");
    let other = override_id(&facts.subject, "900", &facts.subject.head);
    let of_other = changed(|one| one.comment = format!("/ccgate approve {other}"));
    refused(&of_other, "no override of that id");
    let older = override_id(&facts.subject, "901", &"0d".repeat(20));
    let of_older = changed(|one| one.comment = format!("/ccgate approve {older}"));
    refused(&of_older, "no override of that id");
    refused(
        &changed(|one| one.comment = "/ccgate approve".to_owned()),
        "no override",
    );
    for words in [
        String::new(),
        "looks good".to_owned(),
        id(),
        format!("> /ccgate approve {}", id()),
        format!("please\n/ccgate approve {}", id()),
        format!("/ccgate override TST-01 INC-482 {REASON}"),
        format!("/ccgate review {} ratified", id()),
    ] {
        unheard(&changed(|one| one.comment = words));
    }
}

#[test]
fn who_approves_in_an_environment_is_held_to_what_a_comments_author_is() {
    let by = |login: &str| with(vec![approval(login)]);
    refused(&by("tom"), "asked for the override");
    refused(&by("eve"), "not among those who may override");
    refused(&changed(|one| one.by = None), "is gone");
    let bot = |one: &mut EnvironmentApproval| {
        one.by.as_mut().unwrap().kind = AccountKind::Bot;
    };
    refused(&changed(bot), "not known to be a person");
    // Who may override and had a hand in the change, as opener, author or pusher.
    let mut facts = by("lead");
    if let Fact::Known { value, .. } = &mut facts.commits {
        value[0]
            .co_authors
            .push(crate::gate::testing::person("lead"));
    }
    refused(&facts, "is a co-author of");
    let mut facts = by("lead");
    if let Fact::Known { value, .. } = &mut facts.override_people {
        value.last_pusher = Fact::known_without_source(Account::human("LEAD"));
    }
    refused(&facts, "pushed last");
    // The same account under another name.
    let mut facts = changed(|one| one.by = Some(Account::human("lead").numbered(Some(7))));
    if let Fact::Known { value, .. } = &mut facts.identity {
        value.author = Some(Account::human("tom").numbered(Some(7)));
    }
    refused(&facts, "the same account under another name");
    let decision = decision(&rules(), &by("tom"));
    assert!(decision.approvals[0].self_approved);
}

#[test]
fn where_signatures_are_wanted_or_the_time_is_over_it_does_not_count_either() {
    let mut policy = rules();
    policy.overrides.signed = true;
    let unsigned = decision(&policy, &with(vec![approval("lead")]));
    assert!(
        why(&unsigned).contains("`overrides.signed`"),
        "{}",
        why(&unsigned)
    );
    assert_eq!(unsigned.outcome, Outcome::Block);
    let mut late = with(vec![approval("lead")]);
    late.observed_at = at("2026-06-01T15:00:01Z");
    let over = decision(&rules(), &late);
    assert_eq!(over.outcome, Outcome::Block);
    assert_eq!(over.overrides[0].approval, None);
}

/// Later runs do not see it any more: who approved is told by the ledger, or nobody reviews.
#[test]
fn who_approved_in_an_environment_does_not_review_it_in_a_later_run() {
    let reviewed = |login: &str, register: Fact<crate::facts::OverrideRegister>| {
        let mut facts = with(Vec::new());
        facts.run_approvals = Fact::Unknown(Unknown::not_collected(RUN_APPROVALS));
        facts.override_register = register;
        if let Fact::Known { value, .. } = &mut facts.comments {
            let body = format!("/ccgate review {} ratified", id());
            value.push(comment("903", login, "2026-06-01T11:50:00Z", &body));
        }
        assert!(crate::gate::wants_register(&rules(), &facts));
        decision(&rules(), &facts).reviews[0].refused.clone()
    };
    let register = || {
        let one = crate::facts::RegisteredOverride {
            id: id(),
            breach: false,
            controls: vec!["TST-01".to_owned()],
            change: Some(7),
            head: "f1".repeat(20),
            requester: Some(crate::facts::AccountRef::of_login("tom")),
            approver: Some(crate::facts::AccountRef::of_login("lead")),
            givers: vec![crate::facts::AccountRef::of_login("lead")],
            approved_apart: true,
            involved: None,
            evaluated_again: None,
            request_signature: None,
            approval_signature: None,
            given_at: None,
            expires_at: None,
            review_due: None,
            reviewer: None,
            reviewed_at: None,
        };
        Fact::known_without_source(crate::facts::OverrideRegister {
            origin: "ccgate/github/acme/app".to_owned(),
            records: 1,
            overrides: vec![one],
            landed: Vec::new(),
        })
    };
    let own = reviewed("lead", register()).unwrap_or_default();
    assert!(own.contains("gave the override"), "{own}");
    assert_eq!(reviewed("sec", register()), None);
    let unseen = Fact::Unknown(Unknown::not_collected("ledger.overrides"));
    let untold = reviewed("sec", unseen).unwrap_or_default();
    assert!(untold.contains("who approved it"), "{untold}");
}
