//! What is said about a proposed policy, and that it decides nothing.

use super::*;
use crate::facts::{PolicyDocument, PolicyFacts, Unknown};
use crate::gate::testing::facts;
use crate::gate::{Decision, decide, evaluate};

const STRICT: &str = "version: 1\nextends: [soc2-strict]\ncontrols: {gate-changes-approved: {}}\n";
const LAX: &str = "version: 1\nextends: [soc2-baseline]\ncontrols: {gate-changes-approved: {}}\n";

fn document(text: &str, commit: Option<&str>) -> PolicyDocument {
    PolicyDocument {
        origin: ".ccgate.yml@x".to_owned(),
        commit: commit.map(str::to_owned),
        digest: String::new(),
        text: text.to_owned(),
    }
}

fn seen<T>(value: T) -> Fact<T> {
    Fact::known_without_source(value)
}

fn changed(path: &str) -> ChangedFile {
    ChangedFile {
        path: path.to_owned(),
        previous_path: seen(None),
        kind: crate::facts::FileChange::Modified,
        additions: None,
        deletions: None,
    }
}

/// An open change of the policy, which is strict.
fn proposing(text: Option<&str>) -> Snapshot {
    let mut facts = facts();
    let target = facts.subject.target.clone();
    facts.repository.default_branch = seen(target);
    let in_force = seen(Some(document(STRICT, Some("aa"))));
    facts.policy = PolicyFacts {
        target: in_force.clone(),
        floor: in_force,
    };
    facts.files = seen(vec![changed("src/lib.rs"), changed(POLICY_PATH)]);
    facts.proposed_policy = seen(text.map(|text| document(text, Some("bb"))));
    facts
}

fn in_force(facts: &Snapshot) -> Policy {
    policy::load(&facts.policy, facts.latest_time()).expect("the policy in force is valid")
}

fn told(facts: &Snapshot) -> Vec<String> {
    let notes = proposal(facts).notes;
    notes.into_iter().map(|note| note.message).collect()
}

fn decided(facts: &Snapshot) -> Decision {
    let policy = in_force(facts);
    let evaluations = evaluate(&policy, &mut facts.clone());
    decide(&policy, facts, &evaluations)
}

/// Verdicts, dispositions and outcome: all that a gate is.
fn essence(decision: &Decision) -> Vec<String> {
    let controls = decision.controls.iter().map(|control| {
        format!(
            "{} {:?} {:?} {}",
            control.meta.code, control.verdict, control.disposition, control.summary
        )
    });
    std::iter::once(format!("{:?}", decision.outcome))
        .chain(controls)
        .collect()
}

#[test]
fn what_becomes_weaker_stands_in_evidence_and_notes_control_by_control() {
    let decision = decided(&proposing(Some(LAX)));
    let control = decision
        .controls
        .iter()
        .find(|control| control.meta.id == CONTROL)
        .expect("the control is judged");
    let line = "would be weaker: CHG-02 approvals-sufficient: min 2 -> 1 (";
    assert!(
        control
            .observed
            .iter()
            .any(|seen| seen.fact == "policy.proposed" && seen.value.starts_with(line)),
        "{:#?}",
        control.observed
    );
    assert!(
        decision
            .notes
            .iter()
            .any(|note| note.message.contains(line)),
        "{:#?}",
        decision.notes
    );
}

#[test]
fn no_proposed_policy_changes_a_verdict() {
    let nothing = essence(&decided(&proposing(Some(STRICT))));
    let hostile = format!(
        "version: 1\ncontrols: {{gate-changes-approved: {{enforce: off, reason: '{}', owner: '@a', expires: 2099-01-01}}}}\n",
        "::error::<b>|`@all".repeat(50)
    );
    let mut unreadable = proposing(None);
    unreadable.proposed_policy =
        Fact::Unknown(Unknown::new(PROPOSED_POLICY, Why::Failed, "no answer"));
    for facts in [
        proposing(Some(LAX)),
        proposing(Some(&hostile)),
        proposing(Some(
            "version: 1\nmode: advisory\nextends: [soc2-baseline]\n",
        )),
        proposing(Some("nonsense: [")),
        proposing(Some("")),
        proposing(None),
        unreadable,
    ] {
        assert_eq!(essence(&decided(&facts)), nothing);
    }
}

#[test]
fn one_that_is_invalid_unreadable_or_removed_is_said() {
    let said = told(&proposing(Some("version: 1\ncontrolls: {}\n")));
    assert_eq!(said.len(), 1, "{said:#?}");
    assert!(
        said[0].contains("is not valid") && said[0].contains("controlls"),
        "{said:#?}"
    );
    let mut facts = proposing(None);
    assert!(
        told(&facts)[1].contains("would be weaker: policy: .ccgate.yml@x -> no policy"),
        "{:#?}",
        told(&facts)
    );
    facts.proposed_policy = Fact::Unknown(Unknown::new(PROPOSED_POLICY, Why::Failed, "no answer"));
    assert!(
        told(&facts)[0].contains("is not known: could not read policy.proposed: no answer"),
        "{:#?}",
        told(&facts)
    );
    facts.proposed_policy = Fact::Unknown(Unknown::not_collected(PROPOSED_POLICY));
    assert!(told(&facts)[0].contains("was not looked at"));
}

#[test]
fn a_text_that_only_looks_different_or_only_tightens_is_said_to() {
    let reworded = format!("# looser!\n{STRICT}");
    assert_eq!(
        told(&proposing(Some(&reworded))),
        [
            "`gate-changes-approved`: the change touches the policy and changes nothing in what it demands"
        ]
    );
    let more = STRICT.replace(
        "{gate-changes-approved: {}}",
        "{gate-changes-approved: {min: 2}}",
    );
    assert_eq!(
        told(&proposing(Some(&more))),
        ["`gate-changes-approved`: nothing in the policy would become weaker, 1 other differences"]
    );
}

#[test]
fn it_is_read_only_for_an_open_change_that_touches_the_policy_in_force() {
    let wanted = |facts: &Snapshot| wants_proposed_policy(&in_force(facts), facts);
    assert!(wanted(&proposing(None)));
    let mut facts = proposing(None);
    facts.files = seen(vec![changed("src/.ccgate.yml"), changed(".CCGATE.yml")]);
    assert!(!wanted(&facts));
    assert_eq!(proposal(&facts), Proposal::default());
    // Moved away, and moved from nobody knows where.
    for before in [
        seen(Some(POLICY_PATH.to_owned())),
        Fact::Unknown(Unknown::not_collected("x")),
    ] {
        facts.files = seen(vec![ChangedFile {
            previous_path: before,
            ..changed("old.yml")
        }]);
        assert!(wanted(&facts));
    }
    let mut hidden = proposing(None);
    hidden.files = Fact::Unknown(Unknown::not_collected("change.files"));
    assert!(!wanted(&hidden));
    let mut merged = proposing(Some(LAX));
    if let Fact::Known { value, .. } = &mut merged.identity {
        value.state = ChangeState::Merged;
    }
    assert!(!wanted(&merged));
    assert!(told(&merged)[0].contains("is merged"));
    let mut given = proposing(Some(LAX));
    given.policy.target = seen(Some(document(STRICT, None)));
    assert!(!wanted(&given));
    assert!(told(&given)[0].contains("given by hand"));
    let mut without = proposing(None);
    let plain = seen(Some(document(
        "version: 1\ncontrols: {force-push-blocked: {}}\n",
        Some("aa"),
    )));
    without.policy = PolicyFacts {
        target: plain.clone(),
        floor: plain,
    };
    assert!(!wanted(&without));
}

#[test]
fn a_flood_of_differences_is_cut_and_counted() {
    let waivers: String = (0..300)
        .map(|number| {
            format!("  - {{control: force-push-blocked, scope: 'a/{number}', reason: r, owner: '@a', approved_by: '@b', expires: 2099-01-01}}\n")
        })
        .collect();
    let said = proposal(&proposing(Some(&format!("{STRICT}waivers:\n{waivers}"))));
    assert!(said.observed.len() <= MOST + 2);
    assert!(said.notes.len() <= MOST_TOLD + 2);
    let words: Vec<_> = said
        .notes
        .iter()
        .map(|note| note.message.as_str())
        .collect();
    assert!(words[0].contains("300 demands"), "{words:#?}");
    assert!(
        words[words.len() - 1].contains("200 more differences"),
        "{words:#?}"
    );
}
