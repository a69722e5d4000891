//! EVD-02: every override on record was validly given.

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{extent, is_recent, some_of};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    AccountRef, FactKey, Identified as _, Platform, RegisteredOverride, Snapshot, Unknown,
};

/// Parameters of EVD-02.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OverridesValid {
    /// How many days are looked back; 0 counts as 1.
    days: u32,
    /// Longest time that an override may hold, in hours.
    max_hours: u32,
    /// Most overrides of one control on one change.
    max_per_change: u32,
    /// Most overrides that one person may answer for in that time.
    max_per_person: u32,
}

impl Default for OverridesValid {
    fn default() -> Self {
        Self {
            days: 90,
            max_hours: 72,
            max_per_change: 2,
            max_per_person: 10,
        }
    }
}

impl Control for OverridesValid {
    const META: Meta = Meta {
        code: "EVD-02",
        id: "overrides-valid",
        title: "every override on record was validly given, for a time, within the quota",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CA-2"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::LedgerOverrides],
        rationale: "An emergency path that somebody takes alone, without an end or again and again is \
                    no emergency path.",
        cheat: "Asking again under the same head when the time is over, spreading overrides over \
                people, or pointing the gate at another ledger. The register is derived from the \
                records: a second override of one person for the same control and head counts only if \
                somebody else approved it, every person has a quota, and another ledger than the \
                policy's is unknown. Records that were taken out are for `ccgate ledger verify` to find.",
        remedy_github: "look at `ccgate override list`; let the overrides be reviewed, and fix what \
                        makes people need them",
        remedy_gitlab: "look at `ccgate override list`; let the overrides be reviewed, and fix what \
                        makes people need them",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let register = facts.override_register.known()?;
        let now = facts.observed_at;
        let given: Vec<&RegisteredOverride> = register
            .overrides
            .iter()
            .filter(|one| !one.breach)
            .collect();
        let recent = |one: &RegisteredOverride| is_recent(one.given_at, now, self.days);
        let mut wrong = Vec::new();
        let mut found = 0_usize;
        for (place, one) in given.iter().enumerate() {
            if recent(one) {
                found += 1;
                let before = given.get(..place).unwrap_or_default();
                wrong.extend(
                    self.flaw(one, before)
                        .map(|flaw| format!("{}: {flaw}", one.id)),
                );
            }
        }
        wrong.extend(self.persons_over_quota(given.iter().copied().filter(|one| recent(one))));
        let signed = signed(given.iter().copied().filter(|one| recent(one)));
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::LedgerOverrides,
                format!(
                    "{found} overrides in the last {} days{signed}, {}",
                    self.days.max(1),
                    extent(register)
                ),
                facts.override_register.sources(),
            )
        };
        if !wrong.is_empty() {
            return Ok(Verdict::fail(evidence(some_of(wrong))));
        }
        Ok(Verdict::Pass(evidence(match found {
            0 => format!(
                "the ledger tells of no override in the last {} days",
                self.days.max(1)
            ),
            1 => "the one override on record was validly given".to_owned(),
            count => format!("each of {count} overrides on record was validly given"),
        })))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.days.max(1) < base.days.max(1) {
            return Some("looks back over fewer days".to_owned());
        }
        if self.max_hours > base.max_hours {
            return Some("lets overrides hold longer".to_owned());
        }
        if self.max_per_change > base.max_per_change {
            return Some("lets more overrides pass on one change".to_owned());
        }
        (self.max_per_person > base.max_per_person)
            .then(|| "lets one person answer for more overrides".to_owned())
    }
}

impl OverridesValid {
    /// What is wrong with an override, given those that were recorded before it.
    fn flaw(&self, one: &RegisteredOverride, before: &[&RegisteredOverride]) -> Option<String> {
        if one.approver.is_none() {
            return Some("the record names nobody who answers for it".to_owned());
        }
        let (Some(given), Some(expires)) = (one.given_at, one.expires_at) else {
            return Some("the record does not tell from when to when it held".to_owned());
        };
        let hours = i64::from(self.max_hours);
        if expires.duration_since(given) > SignedDuration::from_hours(hours) {
            return Some(format!("it held for more than {hours} hours"));
        }
        if one.approved_apart && same(one.requester.as_ref(), one.approver.as_ref()) {
            return Some("who asked for it is said to have approved it".to_owned());
        }
        let on_control = |other: &&&RegisteredOverride| {
            other.change == one.change
                && one.change.is_some()
                && other
                    .controls
                    .iter()
                    .any(|code| one.controls.contains(code))
        };
        let again = before.iter().filter(on_control).any(|other| {
            other.head == one.head && same(other.requester.as_ref(), one.requester.as_ref())
        });
        if again && !one.approved_apart {
            return Some(
                "the same person asked again on the same head, and nobody else approved it"
                    .to_owned(),
            );
        }
        let count = before.iter().filter(on_control).count() + 1;
        (count > self.max_per_change as usize).then(|| {
            format!(
                "it is number {count} of {} on the change, at most {} are meant",
                one.controls.join(", "),
                self.max_per_change
            )
        })
    }

    /// Who answers for more than the quota.
    fn persons_over_quota<'o>(
        &self,
        given: impl Iterator<Item = &'o RegisteredOverride>,
    ) -> Vec<String> {
        let answering: Vec<&AccountRef> = given.filter_map(|one| one.approver.as_ref()).collect();
        let mut seen: Vec<&AccountRef> = Vec::new();
        let mut over = Vec::new();
        for one in answering.iter().rev() {
            if seen.iter().any(|known| one.may_be(*known)) {
                continue;
            }
            seen.push(one);
            // By number under whatever name; a name that was taken over counts for both.
            let count = answering.iter().filter(|other| one.may_be(**other)).count();
            if count > self.max_per_person as usize {
                over.push(format!(
                    "@{} answers for {count} overrides, at most {} are meant",
                    one.login.to_lowercase(),
                    self.max_per_person
                ));
            }
        }
        over.sort();
        over
    }
}

/// Which of them people signed, and with which keys. The signatures were verified when they were
/// recorded; who wants to see it again asks `ssh-keygen`.
fn signed<'o>(given: impl Iterator<Item = &'o RegisteredOverride>) -> String {
    let words: Vec<String> = given
        .filter_map(|one| {
            let request = one.request_signature.as_ref();
            let approval = one.approval_signature.as_ref();
            let request = request.map(|key| format!("request by {key}"));
            let approval = approval.map(|key| format!("approval by {key}"));
            let keys: Vec<String> = request.into_iter().chain(approval).collect();
            (!keys.is_empty()).then(|| format!("{}: {}", one.id, keys.join(", ")))
        })
        .collect();
    match words.len() {
        0 => String::new(),
        count => format!(", {count} of them signed ({})", some_of(words)),
    }
}

/// Whether two may be one person; who is not named may be anybody.
fn same(one: Option<&AccountRef>, other: Option<&AccountRef>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => one.may_be(other),
        (None, _) | (_, None) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{given, said, told};
    use super::*;
    use crate::controls::testing::{at, hidden};

    fn verdict(overrides: Vec<RegisteredOverride>) -> String {
        said(&OverridesValid::default(), &told(overrides, Vec::new()))
    }

    fn fails(overrides: Vec<RegisteredOverride>, expected: &str) {
        let verdict = verdict(overrides);
        assert!(verdict.starts_with("fail"), "{verdict}");
        assert!(verdict.contains(expected), "{verdict}");
    }

    #[test]
    fn what_was_validly_given_passes_and_so_does_a_ledger_without_any() {
        assert!(verdict(vec![given("ovr_1")]).starts_with("pass"));
        assert!(verdict(Vec::new()).contains("no override"));
    }

    #[test]
    fn a_ledger_that_was_not_read_is_unknown_and_never_empty() {
        let mut facts = told(Vec::new(), Vec::new());
        facts.override_register = hidden();
        assert!(said(&OverridesValid::default(), &facts).starts_with("unknown"));
    }

    #[test]
    fn nobody_no_end_too_long_and_self_approved_fail() {
        let with = |change: fn(&mut RegisteredOverride)| {
            let mut one = given("ovr_1");
            change(&mut one);
            vec![one]
        };
        fails(with(|one| one.approver = None), "names nobody");
        fails(with(|one| one.expires_at = None), "from when to when");
        fails(with(|one| one.given_at = None), "from when to when");
        fails(
            with(|one| one.expires_at = Some(at("2026-06-03T10:00:01Z"))),
            "more than 72 hours",
        );
        fails(
            with(|one| one.requester = Some(AccountRef::of_login("LEAD"))),
            "is said to have approved it",
        );
        fails(with(|one| one.requester = None), "is said to have approved");
    }

    #[test]
    fn who_signed_with_which_key_stands_in_what_was_looked_at_and_changes_no_verdict() {
        let one = RegisteredOverride {
            request_signature: Some("SHA256:one".to_owned()),
            approval_signature: Some("SHA256:two".to_owned()),
            ..given("ovr_1")
        };
        let all = vec![one, given("ovr_2")];
        let facts = told(all.clone(), Vec::new());
        let Ok(Verdict::Pass(evidence)) = OverridesValid::default().evaluate(&facts) else {
            panic!("it passes");
        };
        let value = &evidence.observed()[0].value;
        assert!(
            value.starts_with(
                "2 overrides in the last 90 days, 1 of them signed (ovr_1: request by SHA256:one, \
                 approval by SHA256:two), "
            ),
            "{value}"
        );
        // A signature on record gives nobody what they lack.
        let alone = RegisteredOverride {
            approver: None,
            ..all[0].clone()
        };
        fails(vec![alone], "names nobody");
    }

    #[test]
    fn asking_again_on_the_same_head_wants_an_approval() {
        let alone = |id: &str| RegisteredOverride {
            requester: Some(AccountRef::of_login("lead")),
            approved_apart: false,
            ..given(id)
        };
        fails(
            vec![alone("ovr_1"), alone("ovr_2")],
            "ovr_2: the same person asked again",
        );
        let mut second = alone("ovr_2");
        second.approver = Some(AccountRef::of_login("sec"));
        second.approved_apart = true;
        assert!(verdict(vec![alone("ovr_1"), second]).starts_with("pass"));
        let mut elsewhere = alone("ovr_2");
        elsewhere.head = "0d".repeat(20);
        assert!(verdict(vec![alone("ovr_1"), elsewhere]).starts_with("pass"));
    }

    #[test]
    fn quotas_hold_per_change_and_per_person_in_the_time_that_is_looked_at() {
        let many = |count: usize, change: fn(usize) -> u64| -> Vec<RegisteredOverride> {
            (0..count)
                .map(|number| RegisteredOverride {
                    change: Some(change(number)),
                    head: format!("{number:040}"),
                    ..given(&format!("ovr_{number}"))
                })
                .collect()
        };
        fails(many(3, |_| 7), "number 3 of CHG-04 on the change");
        assert!(verdict(many(2, |_| 7)).starts_with("pass"));
        fails(
            many(11, |number| number as u64),
            "@lead answers for 11 overrides",
        );
        assert!(verdict(many(10, |number| number as u64)).starts_with("pass"));
        let mut old = many(11, |number| number as u64);
        for one in old.iter_mut().take(1) {
            one.given_at = Some(at("2026-01-01T10:00:00Z"));
            one.expires_at = Some(at("2026-01-01T11:00:00Z"));
        }
        assert!(verdict(old).starts_with("pass"));
    }

    /// Who renamed the account in between is one person, in quotas and where two are meant.
    #[test]
    fn a_rename_makes_no_second_person_and_no_new_quota() {
        let numbered = |login: &str, id: u64| {
            Some(AccountRef {
                login: login.to_owned(),
                id: Some(id),
            })
        };
        fails(
            vec![RegisteredOverride {
                requester: numbered("tom", 7),
                approver: numbered("tom-new", 7),
                ..given("ovr_1")
            }],
            "is said to have approved it",
        );
        let many: Vec<_> = (0..11)
            .map(|number| RegisteredOverride {
                change: Some(number),
                approver: numbered(&format!("lead{}", number % 3), 5),
                ..given(&format!("ovr_{number}"))
            })
            .collect();
        fails(many, "answers for 11 overrides");
        let two: Vec<_> = (0..12)
            .map(|number| RegisteredOverride {
                change: Some(number),
                approver: numbered(&format!("lead{}", number % 2), number % 2),
                ..given(&format!("ovr_{number}"))
            })
            .collect();
        assert!(verdict(two).starts_with("pass"), "six each");
    }

    #[test]
    fn what_asks_for_less_is_weaker() {
        let base = OverridesValid::default();
        for weaker in [
            OverridesValid {
                days: 30,
                ..base.clone()
            },
            OverridesValid {
                max_hours: 73,
                ..base.clone()
            },
            OverridesValid {
                max_per_change: 3,
                ..base.clone()
            },
            OverridesValid {
                max_per_person: 11,
                ..base.clone()
            },
        ] {
            assert!(weaker.weaker_than(&base).is_some(), "{weaker:?}");
            assert!(base.weaker_than(&weaker).is_none(), "{weaker:?}");
        }
    }
}
