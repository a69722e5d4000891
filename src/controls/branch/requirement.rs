//! Turns one requirement over all layers into a verdict. It knows nothing about
//! who can go around the layers: BR-21 and BR-22 judge that.

use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::facts::{BranchRules, Fact, FactKey, Requirement, Unknown};

/// Judges `met` (the requirement by Kleene logic); `good` and `bad` are the
/// sentence and its opposite, without the name of the branch.
pub(super) fn judge(
    fact: &Fact<BranchRules>,
    met: &Fact<bool>,
    by: &[&str],
    good: &str,
    bad: &str,
) -> Result<Verdict, Unknown> {
    let rules = fact.known()?;
    let by = by.join(", ");
    if *met.known()? {
        return Ok(Verdict::Pass(Evidence::new(
            format!("{}: {good}, by {by}", rules.branch),
            FactKey::BranchRules,
            format!("demanded by {by}"),
            met.sources(),
        )));
    }
    Ok(unmet(fact, rules, bad))
}

/// The failure of a requirement that is known not to be met.
pub(super) fn unmet(fact: &Fact<BranchRules>, rules: &BranchRules, bad: &str) -> Verdict {
    let layers: Vec<&str> = rules.layers.iter().map(|layer| layer.id.as_str()).collect();
    let seen = if layers.is_empty() {
        "no layer".to_owned()
    } else {
        format!("not demanded by {}", layers.join(", "))
    };
    if !rules.not_in_plan.is_empty() {
        let missing = rules.not_in_plan.join(", ");
        return Verdict::fail_because(
            FailReason::Plan,
            Evidence::new(
                format!(
                    "{}: {bad}; the plan does not include {missing}",
                    rules.branch
                ),
                FactKey::BranchRules,
                seen,
                fact.sources(),
            ),
        );
    }
    let evidence = Evidence::new(
        format!("{}: {bad} ({seen})", rules.branch),
        FactKey::BranchRules,
        seen,
        fact.sources(),
    );
    if rules.layers.is_empty() {
        Verdict::fail_because(FailReason::Unprotected, evidence)
    } else {
        Verdict::fail(evidence)
    }
}

/// The layers whose known demand satisfies `test`, for the summary.
pub(super) fn layers<T>(requirement: &Requirement<T>, test: impl Fn(&T) -> bool) -> Vec<&str> {
    requirement.layers_where(test)
}
