//! `compensated_by`: another control makes up for what the plan does not sell,
//! if somebody answers for that and the default branch agrees.

use super::{at, document, given, loaded, loaded_at, notes, over, problem};
use crate::policy::{Policy, lint};

const ANSWERED: &str = "reason: r, owner: \"@acme/security\", expires: 2026-06-01";

/// A policy of two controls, the first with these words.
fn policy(words: &str) -> String {
    format!(
        "version: 1\ncontrols:\n  force-push-blocked: {{{words}}}\n  approvals-sufficient: {{}}\n"
    )
}

fn compensated(words: &str) -> String {
    policy(&format!("compensated_by: {words}, {ANSWERED}"))
}

fn compensation(policy: &Policy) -> Option<&'static str> {
    let found = policy
        .controls
        .iter()
        .find(|bound| bound.control.meta().id == "force-push-blocked");
    found.expect("the control is there").compensated_by
}

#[test]
fn a_control_is_named_by_id_or_code() {
    for name in ["approvals-sufficient", "CHG-02", "chg-02"] {
        let policy = loaded(&given(&compensated(name)));
        assert_eq!(compensation(&policy), Some("CHG-02"), "{name}");
    }
}

#[test]
fn it_has_to_be_answered_for_even_where_no_preset_demands_the_control() {
    let one = problem(&policy("compensated_by: CHG-02"));
    assert!(one.starts_with("3:3: "), "{one}");
    assert!(one.contains("compensated_by CHG-02"), "{one}");
    assert!(one.contains("lacks `reason`, `owner`, `expires`"), "{one}");
    let bound = loaded(&given(&compensated("CHG-02")));
    let concession = bound
        .controls
        .iter()
        .find_map(|bound| bound.concession.as_ref())
        .expect("it was conceded");
    assert_eq!(concession.what, "compensated_by CHG-02");
}

#[test]
fn a_control_that_does_not_exist_is_refused_at_its_place_with_the_likely_one() {
    let one = problem(&compensated("aprovals-sufficient"));
    assert!(one.starts_with("3:40: there is no control"), "{one}");
    assert!(
        one.contains("did you mean `approvals-sufficient`?"),
        "{one}"
    );
}

#[test]
fn a_control_cannot_make_up_for_itself_under_either_name() {
    for name in ["force-push-blocked", "BR-18"] {
        let one = problem(&compensated(name));
        assert!(one.starts_with("3:40: "), "{one}");
        assert!(one.contains("cannot make up for itself"), "{one}");
    }
}

#[test]
fn when_its_last_day_is_over_nothing_makes_up_for_anything() {
    let documents = given(&compensated("CHG-02"));
    let held = loaded_at(&documents, "2026-06-01T23:59:59Z");
    assert_eq!(compensation(&held), Some("CHG-02"));
    let over = loaded_at(&documents, "2026-06-02T00:00:00Z");
    assert_eq!(compensation(&over), None);
    assert!(notes(&over)[0].contains("expired on 2026-06-01"));
}

#[test]
fn a_branch_may_not_add_or_change_a_compensation() {
    for floor in [
        policy(""),
        format!(
            "version: 1\ncontrols:\n  force-push-blocked: {{compensated_by: BR-19, {ANSWERED}}}\n  \
             approvals-sufficient: {{}}\n  deletion-blocked: {{}}\n"
        ),
    ] {
        let held = loaded(&over(&compensated("CHG-02"), &floor));
        assert_eq!(compensation(&held), None);
        let notes = notes(&held);
        let told = "not compensated by CHG-02";
        assert!(notes.iter().any(|note| note.contains(told)), "{notes:#?}");
    }
}

#[test]
fn a_branch_may_keep_the_compensation_of_the_default_branch_or_do_without() {
    let floor = format!("{}# floor\n", compensated("CHG-02"));
    let same = loaded(&over(&compensated("CHG-02"), &floor));
    assert_eq!(compensation(&same), Some("CHG-02"));
    assert_eq!(notes(&same), Vec::<String>::new());
    let without = loaded(&over(&policy(""), &floor));
    assert_eq!(compensation(&without), None);
}

#[test]
fn a_branch_cannot_bring_the_control_that_the_default_branch_compensates_with_in_vain() {
    for weak in ["", "  approvals-sufficient: {enforce: warn}\n"] {
        let floor = format!(
            "version: 1\ncontrols:\n  \
             force-push-blocked: {{compensated_by: CHG-02, {ANSWERED}}}\n{weak}"
        );
        let held = loaded(&over(&compensated("CHG-02"), &floor));
        assert_eq!(compensation(&held), None, "{weak}");
        let bare = "version: 1\ncontrols:\n  approvals-sufficient: {}\n";
        assert_eq!(compensation(&loaded(&over(bare, &floor))), None, "{weak}");
    }
}

#[test]
fn lint_tells_of_a_compensation_by_what_is_not_enforced() {
    let noted = |text: &str| {
        let notes = lint(&document("p.yml", text), at("2026-06-01T12:00:00Z"));
        let notes = notes.expect("the policy is valid");
        notes
            .iter()
            .any(|note| note.message.contains("does not enforce"))
    };
    assert!(!noted(&compensated("CHG-02")));
    assert!(noted(&compensated("BR-19")));
}
