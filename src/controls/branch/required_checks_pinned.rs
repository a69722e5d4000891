//! BR-15: each required check counts from one app only.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checks::{is_whole_pipeline, listed};
use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// BR-15 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RequiredChecksPinned {}

impl Control for RequiredChecksPinned {
    const META: Meta = Meta {
        code: "BR-15",
        id: "required-checks-pinned",
        title: "each required check counts only from the app that should report it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.29", "A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3(2)", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "A name alone proves nothing: whoever may write a status can report a green \
                        check of that name.",
        cheat: "Posting a plain status called like the required check with a personal token. \
                        Every required check has to be tied to an app in at least one layer.",
        remedy_github: "in the list of \"Require status checks to pass\" choose the expected \
                        source of every check instead of \"any source\"",
        remedy_gitlab: "rely on \"Pipelines must succeed\": only the platform itself reports the \
                        pipeline",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let listed = listed(rules);
        // A hidden layer may pin what the others leave open, and may list more.
        if let Some(unknown) = listed.hidden {
            return Err(unknown);
        }
        let pinned = |name: &str| {
            listed.known.iter().any(|(layer, check)| {
                check.name == name
                    && (check.app.is_some() || is_whole_pipeline(rules, layer, check))
            })
        };
        let mut names: Vec<&str> = listed
            .known
            .iter()
            .map(|(_, check)| check.name.as_str())
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return Ok(unmet(fact, rules, "no check is required", None));
        }
        let loose: Vec<String> = names
            .iter()
            .filter(|name| !pinned(name))
            .map(|name| format!("`{name}`"))
            .collect();
        let (summary, seen, passes) = if loose.is_empty() {
            let listed = names.join(", ");
            (
                "every required check is tied to the app that reports it".to_owned(),
                format!("{listed}, each of one app"),
                true,
            )
        } else {
            let loose = some(&loose);
            (
                format!("any app or person can report {loose}"),
                format!("{loose} of any app"),
                false,
            )
        };
        let evidence = Evidence::new(
            format!("{}: {summary}", rules.branch),
            FactKey::BranchRules,
            seen,
            fact.sources(),
        );
        Ok(if passes {
            Verdict::Pass(evidence)
        } else {
            Verdict::fail(evidence)
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{branch, verdict_of};
    use crate::facts::{LayerKind, RequiredCheck};

    fn check(name: &str, app: Option<&str>) -> RequiredCheck {
        RequiredCheck {
            name: name.to_owned(),
            app: app.map(str::to_owned),
        }
    }

    fn verdict(layers: &[Option<Vec<RequiredCheck>>]) -> String {
        let facts = branch(|rules| rules.required_checks = any_layer(layers));
        verdict_of(&RequiredChecksPinned {}, &facts)
    }

    #[test]
    fn a_check_that_one_layer_ties_to_an_app_passes() {
        let layers = [
            Some(vec![check("test", None)]),
            Some(vec![check("test", Some("15368"))]),
        ];
        assert_eq!(verdict(&layers), "pass");
    }

    #[test]
    fn a_check_that_anybody_can_report_fails_beside_pinned_ones() {
        let layers = [Some(vec![
            check("test", Some("15368")),
            check("lint", None),
        ])];
        assert_eq!(verdict(&layers), "fail");
    }

    #[test]
    fn f22_an_empty_list_fails() {
        assert_eq!(verdict(&[Some(Vec::new())]), "fail");
    }

    #[test]
    fn the_platforms_own_pipeline_is_pinned_and_a_context_of_that_name_is_not() {
        let pipeline = || any_layer(&[Some(vec![check("pipeline", None)])]);
        let own = branch(|rules| rules.required_checks = pipeline());
        assert_eq!(verdict_of(&RequiredChecksPinned {}, &own), "pass");
        let context = branch(|rules| {
            rules.required_checks = pipeline();
            rules.layers[0].id = "r".to_owned();
            rules.layers[0].kind = LayerKind::Ruleset;
        });
        assert_eq!(verdict_of(&RequiredChecksPinned {}, &context), "fail");
    }

    #[test]
    fn a_hidden_layer_leaves_it_unknown() {
        assert_eq!(verdict(&[Some(vec![check("test", None)]), None]), "unknown");
        assert_eq!(
            verdict(&[Some(vec![check("test", Some("1"))]), None]),
            "unknown"
        );
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&RequiredChecksPinned {}, "branch protection"),
            "fail plan"
        );
    }
}
