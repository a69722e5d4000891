//! A register for the tests of this area.

use crate::controls::control::{Control, Verdict};
use crate::controls::testing::{at, nothing_seen, seen};
use crate::facts::{AccountRef, LandedChange, OverrideRegister, RegisteredOverride, Snapshot};

/// An override of @tom, approved by @lead, on the last day of May, and reviewed in time.
pub(super) fn given(id: &str) -> RegisteredOverride {
    RegisteredOverride {
        id: id.to_owned(),
        breach: false,
        controls: vec!["CHG-04".to_owned()],
        change: Some(7),
        head: "f1".repeat(20),
        requester: Some(AccountRef::of_login("tom")),
        approver: Some(AccountRef::of_login("lead")),
        givers: vec![AccountRef::of_login("lead")],
        approved_apart: true,
        involved: None,
        given_at: Some(at("2026-05-31T10:00:00Z")),
        expires_at: Some(at("2026-05-31T14:00:00Z")),
        evaluated_again: None,
        request_signature: None,
        approval_signature: None,
        review_due: Some(at("2026-06-01T10:00:00Z")),
        reviewer: Some(AccountRef::of_login("sec")),
        reviewed_at: Some(at("2026-05-31T18:00:00Z")),
    }
}

/// What the ledger tells, seen at noon of the first of June.
pub(super) fn told(overrides: Vec<RegisteredOverride>, landed: Vec<LandedChange>) -> Snapshot {
    let mut facts = nothing_seen();
    facts.observed_at = at("2026-06-01T12:00:00Z");
    facts.override_register = seen(OverrideRegister {
        origin: "ccgate/github/acme/app".to_owned(),
        records: 40,
        overrides,
        landed,
    });
    facts
}

/// The verdict as a word, and what is said of it.
pub(super) fn said<C: Control>(control: &C, facts: &Snapshot) -> String {
    match control.evaluate(&facts.restricted_to(&C::META.visible())) {
        Ok(Verdict::Pass(evidence)) => format!("pass: {}", evidence.summary()),
        Ok(Verdict::Fail(failure)) => format!("fail: {}", failure.evidence.summary()),
        Ok(Verdict::NotApplicable(evidence)) => format!("not_applicable: {}", evidence.summary()),
        Err(unknown) => format!("unknown: {unknown}"),
    }
}
