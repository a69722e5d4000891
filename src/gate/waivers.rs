//! Standing exemptions of the policy: which of them cover something here, and
//! which have run out or cover nothing. Those two are findings, not silence.

use crate::facts::Snapshot;
use crate::policy::{Clocks, LONGEST_EXEMPTION, Note, Policy, Standing};

use super::decide::{WaiverReport, WaiverState};

/// Every waiver whose scope takes in this repository, with its state.
pub(super) fn reports(
    policy: &Policy,
    facts: &Snapshot,
    is_non_pass: impl Fn(&str) -> bool,
) -> Vec<WaiverReport> {
    policy
        .waivers
        .iter()
        .filter(|waiver| waiver.covers(&facts.subject.repository))
        .map(|waiver| WaiverReport {
            waiver: waiver.clone(),
            state: match waiver.standing(Clocks::of(facts)) {
                Standing::Expired => WaiverState::Expired,
                Standing::NotYet => WaiverState::NotYet,
                Standing::Stands if is_non_pass(&waiver.control) => WaiverState::Applied,
                Standing::Stands => WaiverState::Unmatched,
            },
        })
        .collect()
}

/// Whether one of them covers the control.
pub(super) fn cover(reports: &[WaiverReport], control: &str) -> bool {
    reports
        .iter()
        .any(|report| report.state == WaiverState::Applied && report.waiver.control == control)
}

/// What people have to see about them.
pub(super) fn notes(reports: &[WaiverReport]) -> Vec<Note> {
    reports
        .iter()
        .filter_map(|report| {
            let waiver = &report.waiver;
            let message = match report.state {
                WaiverState::Applied => return None,
                WaiverState::Expired => format!(
                    "the waiver of `{}` expired on {}: renew it with a new approval, or remove it",
                    waiver.control, waiver.expires
                ),
                WaiverState::NotYet => format!(
                    "the waiver of `{}` ends on {}, and one acts only in the last {LONGEST_EXEMPTION} days before its end: it does not count",
                    waiver.control, waiver.expires
                ),
                WaiverState::Unmatched => format!(
                    "the waiver of `{}` covers nothing here: remove it",
                    waiver.control
                ),
            };
            Some(Note {
                place: Some(waiver.place.clone()),
                message,
            })
        })
        .collect()
}
