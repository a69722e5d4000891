//! Judgements that rest on several settings at once. One part that is known to be
//! wrong settles it, whatever is hidden; only if every part was seen is all well.

use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::facts::{Fact, FactKey, Source, Unknown};

/// What a look at one part showed, in words.
pub(super) enum Look {
    /// Nothing is wrong.
    Fine(String),
    /// This is.
    Wrong(String),
}

/// One part of a judgement that was seen.
pub(super) struct Part {
    key: FactKey,
    look: Look,
    sold: bool,
    sources: Vec<Source>,
}

impl Part {
    /// Whether something is wrong with it.
    pub(super) fn is_wrong(&self) -> bool {
        match &self.look {
            Look::Fine(_) => false,
            Look::Wrong(_) => true,
        }
    }
}

/// Looks at one part.
pub(super) fn part<T>(
    key: FactKey,
    fact: &Fact<T>,
    look: impl FnOnce(&T) -> Look,
) -> Result<Part, Unknown> {
    Ok(Part {
        key,
        look: look(fact.known()?),
        sold: true,
        sources: fact.sources().to_vec(),
    })
}

/// Looks at one setting, which the plan may not sell: then `field` is among `not_in_plan`.
pub(super) fn setting<T>(
    key: FactKey,
    fact: &Fact<T>,
    (not_in_plan, field): (&[String], &str),
    look: impl FnOnce(&T) -> Look,
) -> Result<Part, Unknown> {
    part(key, fact, look).map(|part| Part {
        sold: !not_in_plan.iter().any(|lacking| lacking == field),
        ..part
    })
}

/// Judges parts of which none may be wrong; `good` and `bad` are the sentence and
/// its opposite. The plan is the reason only if it explains all that is wrong.
pub(super) fn judge(
    good: &str,
    bad: &str,
    first: Result<Part, Unknown>,
    others: impl IntoIterator<Item = Result<Part, Unknown>>,
) -> Result<Verdict, Unknown> {
    let (mut right, mut wrong, mut hidden) = (Vec::new(), Vec::new(), None);
    for part in std::iter::once(first).chain(others) {
        match part {
            Ok(part) => match &part.look {
                Look::Fine(words) => right.push((words.clone(), part)),
                Look::Wrong(words) => wrong.push((words.clone(), part)),
            },
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
    }
    let unsold = wrong.iter().all(|(_, part)| !part.sold);
    let words: Vec<&str> = wrong.iter().map(|(words, _)| words.as_str()).collect();
    let plan = if unsold {
        "; the plan does not include it"
    } else {
        ""
    };
    let summary = format!("{bad}: {}{plan}", words.join("; "));
    if let Some(evidence) = evidence(&summary, &wrong) {
        return Ok(if unsold {
            Verdict::fail_because(FailReason::Plan, evidence)
        } else {
            Verdict::fail(evidence)
        });
    }
    match (hidden, evidence(good, &right)) {
        (None, Some(evidence)) => Ok(Verdict::Pass(evidence)),
        (Some(unknown), _) => Err(unknown),
        // Not reached: the first part is right, wrong or hidden.
        (None, None) => Err(Unknown::not_collected("organization")),
    }
}

/// What was seen, part by part; `None` if nothing was.
fn evidence(summary: &str, parts: &[(String, Part)]) -> Option<Evidence> {
    let mut parts = parts.iter();
    let (words, part) = parts.next()?;
    let first = Evidence::new(summary, part.key, words.as_str(), &part.sources);
    Some(parts.fold(first, |evidence, (words, part)| {
        evidence.and(part.key, words.as_str(), &part.sources)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{hidden, seen};

    const KEY: FactKey = FactKey::OrganizationSettings;

    fn on(fact: &Fact<bool>, lacking: &[String]) -> Result<Part, Unknown> {
        setting(KEY, fact, (lacking, "x"), |on| {
            if *on {
                Look::Fine("on".to_owned())
            } else {
                Look::Wrong("off".to_owned())
            }
        })
    }

    fn judged(facts: [Fact<bool>; 2]) -> &'static str {
        let [first, second] = facts;
        match judge("well", "not well", on(&first, &[]), [on(&second, &[])]) {
            Ok(Verdict::Pass(_)) => "pass",
            Ok(Verdict::Fail(_)) => "fail",
            Ok(Verdict::NotApplicable(_)) => "not applicable",
            Err(_) => "unknown",
        }
    }

    #[test]
    fn one_wrong_part_settles_it_and_one_hidden_part_leaves_it_open() {
        assert_eq!(judged([seen(true), seen(true)]), "pass");
        assert_eq!(judged([seen(true), hidden()]), "unknown");
        assert_eq!(judged([hidden(), seen(true)]), "unknown");
        assert_eq!(judged([hidden(), seen(false)]), "fail");
        assert_eq!(judged([seen(false), hidden()]), "fail");
    }

    #[test]
    fn the_plan_is_blamed_only_if_it_explains_everything_that_is_wrong() {
        let lacking = ["x".to_owned()];
        let reason = |first, second| match judge("well", "not well", first, [second]) {
            Ok(Verdict::Fail(failure)) => failure.reason,
            other => panic!("{other:?}"),
        };
        let off = seen(false);
        assert_eq!(reason(on(&off, &[]), on(&off, &lacking)), None);
        assert_eq!(
            reason(on(&off, &lacking), on(&seen(true), &[])),
            Some(FailReason::Plan)
        );
        assert_eq!(
            reason(on(&off, &lacking), on(&hidden(), &[])),
            Some(FailReason::Plan)
        );
    }

    #[test]
    fn every_part_that_was_seen_stands_in_the_evidence() {
        match judge(
            "well",
            "not well",
            on(&seen(true), &[]),
            [on(&seen(true), &[])],
        ) {
            Ok(Verdict::Pass(evidence)) => assert_eq!(evidence.observed().len(), 2),
            other => panic!("{other:?}"),
        }
        match judge(
            "well",
            "not well",
            on(&seen(false), &[]),
            [on(&seen(false), &[])],
        ) {
            Ok(Verdict::Fail(failure)) => {
                assert_eq!(failure.evidence.summary(), "not well: off; off");
            }
            other => panic!("{other:?}"),
        }
    }
}
