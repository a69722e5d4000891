//! Asking for less than the preset: only with reason, owner and a last day.

use super::{given, loaded, loaded_at, notes, problem, problems};
use crate::policy::{Enforcement, OnUnknown, Policy};

const ANSWERED: &str = "reason: r, owner: \"@acme/security\", expires: 2026-06-01";

fn policy(control: &str) -> String {
    format!("version: 1\nextends: [soc2-strict]\ncontrols:\n  {control}\n")
}

fn enforcement(policy: &Policy, id: &str) -> Enforcement {
    bound(policy, id).enforcement
}

fn bound<'p>(policy: &'p Policy, id: &str) -> &'p crate::policy::BoundControl {
    let found = policy
        .controls
        .iter()
        .find(|one| one.control.meta().id == id);
    found.expect("the control is in the policy")
}

#[test]
fn switching_off_lowering_and_weakening_have_to_be_answered_for() {
    for (control, what) in [
        ("force-push-blocked: {enforce: off}", "enforce block -> off"),
        (
            "force-push-blocked: {enforce: warn}",
            "enforce block -> warn",
        ),
        (
            "force-push-blocked: {on_unknown: warn}",
            "on_unknown block -> warn",
        ),
        ("approvals-sufficient: {min: 1}", "asks for less ("),
    ] {
        let one = problem(&policy(control));
        assert!(one.starts_with("4:3: "), "{one}");
        assert!(one.contains(what), "{one}");
        assert!(one.contains("lacks `reason`, `owner`, `expires`"), "{one}");
    }
}

#[test]
fn each_missing_part_is_named() {
    let one = problem(&policy(
        "force-push-blocked: {enforce: off, reason: r, expires: 2027-01-31}",
    ));
    assert!(one.contains("lacks `owner` ("), "{one}");
}

#[test]
fn without_a_preset_only_switching_off_has_to_be_answered_for() {
    let alone =
        |control: &str| format!("version: 1\ncontrols:\n  deletion-blocked: {{}}\n  {control}\n");
    assert_eq!(
        problems(&alone("force-push-blocked: {enforce: warn}")),
        Vec::<String>::new()
    );
    assert_eq!(
        problems(&alone("approvals-sufficient: {min: 0}")),
        Vec::<String>::new()
    );
    assert!(problem(&alone("force-push-blocked: {enforce: off}")).contains("enforce block -> off"));
}

#[test]
fn asking_for_more_needs_no_answer() {
    let policy = loaded(&given(
        "version: 1\nextends: [soc2-baseline]\ncontrols:\n  approvals-sufficient: {min: 3}\n  ticket-linked: {enforce: block}\n",
    ));
    assert_eq!(
        bound(&policy, "approvals-sufficient").control.parameters()["min"],
        3
    );
    assert_eq!(enforcement(&policy, "ticket-linked"), Enforcement::Block);
    assert!(bound(&policy, "ticket-linked").concession.is_none());
}

#[test]
fn parameters_that_are_not_given_stay_those_of_the_preset() {
    let policy = loaded(&given(&policy("approvals-sufficient: {enforce: block}")));
    assert_eq!(
        bound(&policy, "approvals-sufficient").control.parameters()["min"],
        2
    );
}

#[test]
fn a_concession_holds_through_its_last_day_in_utc() {
    let text = policy(&format!("force-push-blocked: {{enforce: off, {ANSWERED}}}"));
    let held = loaded_at(&given(&text), "2026-06-01T23:59:59Z");
    assert_eq!(enforcement(&held, "force-push-blocked"), Enforcement::Off);
    let concession = bound(&held, "force-push-blocked").concession.as_ref();
    let concession = concession.expect("it was conceded");
    assert_eq!(concession.what, "enforce block -> off");
    assert_eq!(concession.owner, "@acme/security");
    assert_eq!(notes(&held), Vec::<String>::new());
}

#[test]
fn an_expired_concession_puts_the_full_demand_back_and_says_so() {
    let text = policy(&format!(
        "approvals-sufficient: {{enforce: warn, on_unknown: warn, min: 1, {ANSWERED}}}"
    ));
    let policy = loaded_at(&given(&text), "2026-06-02T00:00:00Z");
    let bound = bound(&policy, "approvals-sufficient");
    assert_eq!(bound.enforcement, Enforcement::Block);
    assert_eq!(bound.on_unknown, OnUnknown::Block);
    assert_eq!(bound.control.parameters()["min"], 2);
    assert!(bound.concession.is_none());
    let notes = notes(&policy);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(
        notes[0].starts_with("p.yml:4:3: `approvals-sufficient`"),
        "{notes:#?}"
    );
    assert!(notes[0].contains("expired on 2026-06-01"), "{notes:#?}");
}

/// The trick: switch off a control that no preset demands, and let the entry rot.
#[test]
fn an_expired_off_without_a_preset_blocks() {
    let text = format!(
        "version: 1\ncontrols:\n  deletion-blocked: {{}}\n  force-push-blocked: {{enforce: off, {ANSWERED}}}\n"
    );
    let policy = loaded_at(&given(&text), "2027-01-01T00:00:00Z");
    assert_eq!(
        enforcement(&policy, "force-push-blocked"),
        Enforcement::Block
    );
}

#[test]
fn advisory_mode_in_ones_own_file_is_no_problem() {
    let policy = loaded(&given(
        "version: 1\nextends: [soc2-strict]\nmode: advisory\n",
    ));
    assert_eq!(policy.mode, crate::policy::Mode::Advisory);
}

#[test]
fn of_several_presets_the_strictest_holds_in_either_order() {
    for order in [
        "soc2-all, soc2-strict, soc2-baseline",
        "soc2-baseline, soc2-strict, soc2-all",
    ] {
        let policy = loaded(&given(&format!("version: 1\nextends: [{order}]\n")));
        assert_eq!(
            bound(&policy, "approvals-sufficient").control.parameters()["min"],
            2
        );
        assert_eq!(enforcement(&policy, "ticket-linked"), Enforcement::Block);
        assert_eq!(notes(&policy), Vec::<String>::new());
    }
}

/// What a preset leaves at its default is the file's to choose: everybody's
/// tickets look different. What it writes down is a demand.
#[test]
fn only_what_a_preset_writes_down_has_to_be_answered_for() {
    let free = "ticket-linked: {pattern: \"(ENG|INC)-[0-9]+\"}";
    assert_eq!(problems(&policy(free)), Vec::<String>::new());
    assert!(problem(&policy("bypass-limited: {allowed: [\"@me\"]}")).contains("lacks"));
}

/// The trick: a second preset that writes less down does not free what the first demands.
#[test]
fn extending_a_weaker_preset_as_well_frees_nothing() {
    let text = "version: 1\nextends: [soc2-strict, soc2-all]\ncontrols: {approvals-sufficient: {min: 1}}\n";
    assert!(problem(text).contains("lacks `reason`"));
}

#[test]
fn an_expiry_that_concedes_nothing_is_a_finding() {
    let policy = loaded(&given(&policy(&format!(
        "force-push-blocked: {{{ANSWERED}}}"
    ))));
    let notes = notes(&policy);
    assert_eq!(notes.len(), 1, "{notes:#?}");
    assert!(
        notes[0].contains("nothing ends on 2026-06-01"),
        "{notes:#?}"
    );
}

#[test]
fn what_is_asked_for_beyond_the_demand_outlives_an_expired_concession() {
    let text = policy(&format!(
        "approvals-sufficient: {{enforce: warn, min: 3, {ANSWERED}}}"
    ));
    let policy = loaded_at(&given(&text), "2026-06-02T00:00:00Z");
    let bound = bound(&policy, "approvals-sufficient");
    assert_eq!(bound.enforcement, Enforcement::Block);
    assert_eq!(bound.control.parameters()["min"], 3);
}
