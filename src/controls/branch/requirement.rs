//! Turns one requirement over all layers into a verdict. Who can go around the
//! layers is named here where that was seen, and judged by BR-21 and BR-22 alone.

use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::controls::judging::some;
use crate::facts::{BranchRules, Fact, FactKey, Requirement, Snapshot, Source, Unknown};

/// What a plan may lack so that nothing can protect the branch at all.
const PROTECTION: [&str; 2] = ["branch protection", "rulesets"];

/// Judges a requirement that each layer either demands or does not. See [`judge`].
pub(super) fn demanded(
    facts: &Snapshot,
    requirement: impl FnOnce(&BranchRules) -> &Requirement<bool>,
    good: &str,
    bad: &str,
    sold_as: Option<&str>,
) -> Result<Verdict, Unknown> {
    let fact = &facts.branch_rules;
    let requirement = requirement(fact.known()?);
    judge(
        fact,
        &requirement.holds(|on| *on),
        &requirement.layers_where(|on| *on),
        good,
        bad,
        sold_as,
    )
}

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
    if *met.known()? {
        let named = by.join(", ");
        return Ok(Verdict::Pass(met_by(
            rules,
            by,
            &format!("{}: {good}, by {named}", rules.branch),
            format!("demanded by {named}"),
            met.sources(),
        )));
    }
    Ok(unmet(fact, rules, bad, sold_as))
}

/// The evidence of a requirement that the layers `by` demand: with the names of
/// who can go around one of them, as far as that was seen.
pub(super) fn met_by(
    rules: &BranchRules,
    by: &[&str],
    summary: &str,
    seen: String,
    sources: &[Source],
) -> Evidence {
    let mut names = Vec::new();
    let mut read_from = Vec::new();
    for layer in &rules.layers {
        if let (true, Fact::Known { value, sources }) =
            (by.contains(&layer.id.as_str()), &layer.bypass)
        {
            names.extend(
                value
                    .iter()
                    .map(|actor| format!("{} through {}", actor.name, layer.id)),
            );
            read_from.extend(sources.iter().cloned());
        }
    }
    names.sort();
    names.dedup();
    if names.is_empty() {
        return Evidence::new(summary, FactKey::BranchRules, seen, sources);
    }
    let named = some(&names);
    Evidence::new(
        format!("{summary}; can be gone around by {named}"),
        FactKey::BranchRules,
        seen,
        sources,
    )
    .and(FactKey::BranchBypass, named, &read_from)
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::controls::testing::{branch, demand, hidden, seen};
    use crate::facts::{BypassActor, BypassKind, BypassMode, Combine, LayerKind, Needs};

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
            let layers = std::mem::take(&mut rules.layers);
            *rules = BranchRules::without_demands("main", layers, Combine::AnyLayer);
            rules.not_in_plan = lacks.iter().map(|&feature| feature.to_owned()).collect();
        })
    }

    /// The requirements, with what each is sold as beside protection itself.
    const REQUIREMENTS: &[(&str, Option<&str>)] = &[
        ("BR-02", None),
        ("BR-03", Some("approval rules")),
        ("BR-04", Some("approval settings")),
        ("BR-05", Some("approval settings")),
        ("BR-06", Some("approval settings")),
        ("BR-07", Some("approval settings")),
        ("BR-08", Some("code owners")),
        ("BR-10", Some("approval settings")),
        ("BR-11", None),
        ("BR-12", None),
        ("BR-13", None),
        ("BR-14", None),
        ("BR-15", None),
        ("BR-16", None),
        ("BR-17", None),
        ("BR-18", None),
        ("BR-19", None),
        ("BR-20", None),
        ("BR-25", Some("push rules")),
        ("BR-28", Some("unprotect rules")),
        ("BR-30", Some("push rules")),
    ];

    #[test]
    fn only_the_feature_that_a_requirement_is_sold_as_excuses_it() {
        let sold = [
            "approval settings",
            "approval rules",
            "code owners",
            "push rules",
            "unprotect rules",
        ];
        for (code, sold_as) in REQUIREMENTS {
            for feature in sold {
                let expected = (*sold_as == Some(feature)).then_some("plan");
                let facts = lax(true, &[feature]);
                assert_eq!(reason(code, &facts), expected, "{code} without {feature}");
            }
        }
    }

    #[test]
    fn a_plan_without_any_protection_is_the_reason_for_everything() {
        let facts = lax(false, &["branch protection", "rulesets"]);
        let codes = REQUIREMENTS.iter().map(|(code, _)| *code);
        for code in codes.chain(["BR-21", "BR-22", "BR-23"]) {
            assert_eq!(reason(code, &facts), Some("plan"), "{code}");
        }
    }

    /// F1, F10, F13: peers pass or shrug when nothing protects the branch.
    #[test]
    fn f1_f10_f13_a_branch_that_could_be_protected_cannot_blame_the_tier() {
        let facts = lax(false, &["merge trains"]);
        let codes = REQUIREMENTS.iter().map(|(code, _)| *code);
        for code in codes.chain(["BR-21", "BR-22", "BR-23"]) {
            assert_eq!(reason(code, &facts), Some("unprotected"), "{code}");
        }
    }

    /// What is said where a ruleset demands signatures that the actor can go around.
    fn summary(bypass: Fact<Vec<BypassActor>>, asked: bool) -> String {
        let facts = branch(|rules| {
            rules.layers[0].bypass = bypass;
            let id = rules.layers[0].id.clone();
            rules.signatures_required = Requirement::any_layer(vec![demand(&id, seen(true))]);
        });
        let mut collected = Needs::none();
        collected.add(FactKey::BranchRules);
        if asked {
            collected.add(FactKey::BranchBypass);
        }
        let control = crate::controls::find("BR-25")
            .unwrap()
            .bind(json!({}))
            .unwrap();
        match control.evaluate(&facts.restricted_to(&collected)) {
            Ok(Verdict::Pass(evidence)) => evidence.summary().to_owned(),
            other => panic!("BR-25 passes, but this is {other:?}"),
        }
    }

    /// F4: peers count a requirement that somebody can go around as if it bound everybody.
    #[test]
    fn f4_a_requirement_names_who_can_go_around_it_where_that_was_seen() {
        let eve = || {
            seen(vec![BypassActor {
                kind: BypassKind::User,
                name: "@eve".to_owned(),
                mode: BypassMode::Always,
            }])
        };
        let around = "can be gone around by @eve through ruleset \"main\"";
        assert!(summary(eve(), true).contains(around));
        assert!(!summary(eve(), false).contains("@eve"));
        for silent in [seen(Vec::new()), hidden()] {
            assert!(!summary(silent, true).contains("gone around"));
        }
    }
}
