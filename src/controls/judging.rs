//! The few shapes that most judgements over settings have: one switch, and a
//! list in which nothing may be wrong. They keep the order that matters: what is
//! proven wrong fails whatever is hidden, and only what was seen in full passes.

use super::control::{Evidence, FailReason, Verdict};
use crate::facts::{Fact, FactKey, Source, Unknown};

/// Most names that stand in one sentence.
const SHOWN: usize = 5;

/// What is said about a setting.
pub(super) struct Says<'a> {
    /// The group of facts that it stands in.
    pub(super) key: FactKey,
    /// The sentence if all is well.
    pub(super) good: &'a str,
    /// The sentence if it is not.
    pub(super) bad: &'a str,
}

/// Judges one switch that has to be on. `not_in_plan` names what the plan does not
/// sell; where `sold_as` is among it, a switch that is off fails with that reason.
pub(super) fn switch(
    on: &Fact<bool>,
    says: &Says<'_>,
    not_in_plan: &[String],
    sold_as: &str,
) -> Result<Verdict, Unknown> {
    if *on.known()? {
        return Ok(Verdict::Pass(Evidence::new(
            says.good,
            says.key,
            "on",
            on.sources(),
        )));
    }
    Ok(if not_in_plan.iter().any(|feature| feature == sold_as) {
        plan(says, on.sources())
    } else {
        Verdict::fail(Evidence::new(says.bad, says.key, "off", on.sources()))
    })
}

/// A failure because the plan does not sell what would be needed.
pub(super) fn plan(says: &Says<'_>, sources: &[Source]) -> Verdict {
    Verdict::fail_because(
        FailReason::Plan,
        Evidence::new(
            format!("{}; the plan does not include it", says.bad),
            says.key,
            "not in the plan",
            sources,
        ),
    )
}

/// Judges a list in which nothing may be wrong: `wrong` gives, for an item, what is
/// wrong with it in words, or why that cannot be told. One that is proven wrong
/// settles it; one that cannot be told leaves it unknown.
pub(super) fn none_wrong<'i, T: 'i>(
    items: impl IntoIterator<Item = &'i T>,
    says: &Says<'_>,
    sources: &[Source],
    wrong: impl Fn(&T) -> Result<Option<String>, Unknown>,
) -> Result<Verdict, Unknown> {
    let mut offenders = Vec::new();
    let mut hidden = None;
    let mut count = 0_usize;
    for item in items {
        count += 1;
        match wrong(item) {
            Ok(Some(words)) => offenders.push(words),
            Ok(None) => {}
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
    }
    if !offenders.is_empty() {
        let named = some(&offenders);
        return Ok(Verdict::fail(Evidence::new(
            format!("{}: {named}", says.bad),
            says.key,
            named,
            sources,
        )));
    }
    match hidden {
        Some(unknown) => Err(unknown),
        None => Ok(Verdict::Pass(Evidence::new(
            says.good,
            says.key,
            format!("{count} looked at, none wrong"),
            sources,
        ))),
    }
}

/// The first names, and how many more there are.
pub(super) fn some(names: &[String]) -> String {
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{hidden, seen};

    const SAYS: Says<'static> = Says {
        key: FactKey::AccessDeployKeys,
        good: "all is well",
        bad: "it is not",
    };

    fn judged(items: &[Fact<bool>]) -> String {
        match none_wrong(items, &SAYS, &[], |item| {
            Ok((!item.known()?).then(|| "one".to_owned()))
        }) {
            Ok(Verdict::Pass(_)) => "pass",
            Ok(Verdict::Fail(_)) => "fail",
            Ok(Verdict::NotApplicable(_)) => "not_applicable",
            Err(_) => "unknown",
        }
        .to_owned()
    }

    #[test]
    fn what_is_proven_wrong_fails_whatever_is_hidden_and_only_whole_sight_passes() {
        assert_eq!(judged(&[]), "pass");
        assert_eq!(judged(&[seen(true), seen(true)]), "pass");
        assert_eq!(judged(&[hidden(), seen(true)]), "unknown");
        assert_eq!(judged(&[hidden(), seen(false)]), "fail");
    }

    #[test]
    fn a_switch_that_is_off_blames_the_plan_only_for_what_the_plan_does_not_sell() {
        let reason = |lacks: &[String]| match switch(&seen(false), &SAYS, lacks, "x") {
            Ok(Verdict::Fail(failure)) => failure.reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(reason(&[]), None);
        assert_eq!(reason(&["y".to_owned()]), None);
        assert_eq!(reason(&["x".to_owned()]), Some(FailReason::Plan));
        assert!(switch(&hidden(), &SAYS, &["x".to_owned()], "x").is_err());
    }

    #[test]
    fn a_long_list_is_cut_short() {
        let names: Vec<String> = (0..7).map(|number| number.to_string()).collect();
        assert_eq!(some(&names), "0, 1, 2, 3, 4 and 2 more");
    }
}
