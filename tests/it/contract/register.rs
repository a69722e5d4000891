//! The register of overrides for the scenarios.

use ccgate::facts::{AccountRef, LandedChange, OverrideRegister, RegisteredOverride};

use super::scenarios::{at, head};

/// One override that was given, and reviewed in time; or, where nothing is well, ten that
/// nobody answers for and nobody looked at.
pub(crate) fn register(well: bool) -> OverrideRegister {
    let one = |number: usize| RegisteredOverride {
        id: format!("ovr_{number}"),
        breach: false,
        controls: vec!["CHG-04".to_owned()],
        change: Some(5),
        head: head(),
        requester: Some(AccountRef::of_login("ana")),
        approver: well.then(|| AccountRef::of_login("olga")),
        givers: Vec::new(),
        approved_apart: well,
        involved: None,
        given_at: Some(at("2026-05-29T10:00:00Z")),
        expires_at: Some(at("2026-05-29T14:00:00Z")),
        evaluated_again: None,
        request_signature: None,
        approval_signature: None,
        review_due: Some(at("2026-05-30T10:00:00Z")),
        reviewer: well.then(|| AccountRef::of_login("bob")),
        reviewed_at: well.then(|| at("2026-05-29T18:00:00Z")),
    };
    OverrideRegister {
        origin: "ccgate/github/acme/app".to_owned(),
        records: 40,
        overrides: (0..if well { 1 } else { 10 }).map(one).collect(),
        landed: vec![LandedChange {
            number: 5,
            at: Some(at("2026-05-29T11:00:00Z")),
            overridden: true,
        }],
    }
}
