//! Turns one requirement over all layers into a verdict. It knows nothing about
//! who can go around the layers: BR-21 and BR-22 judge that.

use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::facts::{BranchRules, Fact, FactKey, Requirement, Unknown};

/// What a plan may lack so that nothing can protect the branch at all.
const PROTECTION: [&str; 2] = ["branch protection", "rulesets"];

/// Judges `met` (the requirement by Kleene logic); `good` and `bad` are the
/// sentence and its opposite, without the name of the branch. See [`unmet`] for `sold_as`.
pub(super) fn judge(
    fact: &Fact<BranchRules>,
    met: &Fact<bool>,
    by: &[&str],
    good: &str,
    bad: &str,
    sold_as: Option<&str>,
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
    Ok(unmet(fact, rules, bad, sold_as))
}

/// The failure of a requirement that is known not to be met. The plan is the
/// reason only if it lacks the very feature that the requirement is sold as, or
/// all protection: who can switch something on cannot blame the plan.
pub(super) fn unmet(
    fact: &Fact<BranchRules>,
    rules: &BranchRules,
    bad: &str,
    sold_as: Option<&str>,
) -> Verdict {
    let layers: Vec<&str> = rules.layers.iter().map(|layer| layer.id.as_str()).collect();
    let seen = if layers.is_empty() {
        "no layer".to_owned()
    } else {
        format!("not demanded by {}", layers.join(", "))
    };
    let missing: Vec<&str> = rules
        .not_in_plan
        .iter()
        .map(String::as_str)
        .filter(|feature| {
            Some(*feature) == sold_as || (rules.layers.is_empty() && PROTECTION.contains(feature))
        })
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::controls::testing::branch;
    use crate::facts::{Fact, LayerKind, Requirement, Snapshot};

    /// The reason that the control gives where nothing is demanded.
    fn reason(code: &str, facts: &Snapshot) -> Option<&'static str> {
        let control = crate::controls::find(code)
            .unwrap()
            .bind(json!({}))
            .unwrap();
        match control.evaluate(facts) {
            Ok(crate::controls::Verdict::Fail(failure)) => failure.reason.map(|word| word.code()),
            other => panic!("{code} fails, but this is {other:?}"),
        }
    }

    /// A branch that nothing is demanded of; the plan lacks these features.
    fn lax(protected: bool, lacks: &[&str]) -> Snapshot {
        branch(|rules| {
            rules.layers[0].kind = LayerKind::ProtectedBranch;
            rules.layers[0].bypass = Fact::known_without_source(Vec::new());
            if !protected {
                rules.layers.clear();
            }
            rules.not_in_plan = lacks.iter().map(|&feature| feature.to_owned()).collect();
            let none = || Requirement::any_layer(Vec::new());
            rules.pull_request_required = none();
            rules.stale_approvals_dismissed = none();
            rules.skipped_checks_block = none();
            rules.force_push_blocked = none();
            rules.approvals_required = Requirement::any_layer(Vec::new());
            rules.required_checks = Requirement::any_layer(Vec::new());
        })
    }

    #[test]
    fn a_tier_without_approval_features_is_no_excuse_for_anything_else() {
        let facts = lax(true, &["approval settings", "approval rules"]);
        assert_eq!(reason("BR-03", &facts), Some("plan"));
        assert_eq!(reason("BR-04", &facts), Some("plan"));
        for code in ["BR-02", "BR-13", "BR-18"] {
            assert_eq!(reason(code, &facts), None, "{code}");
        }
    }

    #[test]
    fn a_plan_without_any_protection_is_the_reason_for_everything() {
        let facts = lax(false, &["branch protection", "rulesets"]);
        for code in [
            "BR-02", "BR-03", "BR-04", "BR-13", "BR-18", "BR-21", "BR-22",
        ] {
            assert_eq!(reason(code, &facts), Some("plan"), "{code}");
        }
    }

    #[test]
    fn a_branch_that_could_be_protected_cannot_blame_the_tier() {
        let facts = lax(false, &["approval settings"]);
        for code in ["BR-02", "BR-13", "BR-18", "BR-21", "BR-22"] {
            assert_eq!(reason(code, &facts), Some("unprotected"), "{code}");
        }
    }
}
