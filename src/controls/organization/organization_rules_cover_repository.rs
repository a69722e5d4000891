//! ORG-18: rules from above the repository protect its branch, and every other
//! repository's. What those rules demand is judged by the branch controls.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    BranchRules, Fact, FactKey, Layer, LayerOrigin, Platform, Requirement, Snapshot, Unknown,
    all_of, any_of,
};

/// ORG-18 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OrganizationRulesCoverRepository {}

const KEY: FactKey = FactKey::BranchRules;

/// What a plan has to include so that rules from above can exist.
const SOLD_AS: &str = "rulesets";

impl Control for OrganizationRulesCoverRepository {
    const META: Meta = Meta {
        code: "ORG-18",
        id: "organization-rules-cover-repository",
        title: "rules of the organisation protect this repository like every other",
        criteria: &[Criterion::Cc8_1, Criterion::Cc5_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.4", "A.8.9"]),
            (Framework::PciDss, &["2.2.1", "6.5.1"]),
            (Framework::Nist80053, &["AC-3", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "Rules that stand in the repository itself can be taken away by whoever \
                    administers it; rules from above hold for those people too.",
        cheat: "Listing the repositories that a rule of the organisation is meant for and leaving one \
                out, or copying its name into the repository. Only a layer that is set up above the \
                repository and meant for every repository there counts, and a source that is not \
                known is not above.",
        remedy_github: "in the organisation's Settings, Repository, Rulesets, set up an active \
                        ruleset that targets all repositories and their default branches",
        remedy_gitlab: "in the group's Settings, Repository, Protected branches, protect the branch \
                        for all projects, or let a security policy of the group do so",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let covered = any_of(rules.layers.iter().map(|layer| covers(rules, layer)));
        if *covered.known()? {
            let by = ids(rules, |layer| covers(rules, layer).known() == Ok(&true));
            return Ok(Verdict::Pass(Evidence::new(
                format!(
                    "{} is protected from above the repository by {}",
                    rules.branch,
                    some(&by)
                ),
                KEY,
                format!("covered by {}", some(&by)),
                covered.sources(),
            )));
        }
        Ok(uncovered(rules, fact))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// Whether the layer comes from above, is meant for every repository there, and
/// protects this branch. As in BR-01, one that holds no change to a pull request,
/// an approval or a check protects nothing: GitHub calls every ruleset protection.
fn covers(rules: &BranchRules, layer: &Layer) -> Fact<bool> {
    let for_all = match layer.origin {
        LayerOrigin::Organization | LayerOrigin::Enterprise => layer.all_repositories.clone(),
        LayerOrigin::Repository | LayerOrigin::Other => Fact::known_without_source(false),
    };
    let holds_changes = any_of([
        demanded(&rules.pull_request_required, layer, |on| *on),
        demanded(&rules.approvals_required, layer, |count| *count >= 1),
        demanded(&rules.required_checks, layer, |checks| !checks.is_empty()),
    ]);
    let protects = demanded(&rules.protected, layer, |on| *on);
    all_of([for_all, protects, holds_changes])
}

/// Whether this very layer demands it.
fn demanded<T>(
    requirement: &Requirement<T>,
    layer: &Layer,
    enough: impl Fn(&T) -> bool,
) -> Fact<bool> {
    let demands = requirement.demands.iter();
    any_of(
        demands
            .filter(|demand| demand.layer == layer.id)
            .map(|demand| demand.value.map_ref(&enough)),
    )
}

fn ids(rules: &BranchRules, wanted: impl Fn(&Layer) -> bool) -> Vec<String> {
    rules
        .layers
        .iter()
        .filter(|layer| wanted(layer))
        .map(|layer| layer.id.clone())
        .collect()
}

fn uncovered(rules: &BranchRules, fact: &Fact<BranchRules>) -> Verdict {
    let bad = format!(
        "{} is not protected by rules of the organisation that are meant for every repository",
        rules.branch
    );
    let layers = ids(rules, |_| true);
    let unsold = rules.not_in_plan.iter().any(|feature| feature == SOLD_AS);
    let (reason, why) = match (unsold, layers.is_empty()) {
        (true, _) => (Some(FailReason::Plan), "the plan does not include them"),
        (false, true) => (Some(FailReason::Unprotected), "nothing protects it"),
        (false, false) => (None, "what protects it can be left out elsewhere"),
    };
    let seen = if layers.is_empty() {
        "no layer".to_owned()
    } else {
        format!("only {}", some(&layers))
    };
    let evidence = Evidence::new(format!("{bad}: {why}"), KEY, seen, fact.sources());
    match reason {
        Some(reason) => Verdict::fail_because(reason, evidence),
        None => Verdict::fail(evidence),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, demand, hidden, seen, verdict_of};
    use crate::facts::LayerKind;

    fn layer(origin: LayerOrigin, all_repositories: Fact<bool>) -> Layer {
        Layer {
            origin,
            all_repositories,
            ..Layer::of_repository(format!("from {origin:?}"), LayerKind::Ruleset, hidden())
        }
    }

    fn verdict(layers: Vec<Layer>) -> String {
        protecting(layers, &seen(true))
    }

    fn each(layers: &[Layer], value: &Fact<bool>) -> Requirement<bool> {
        Requirement::any_layer(
            layers
                .iter()
                .map(|layer| demand(&layer.id, value.clone()))
                .collect(),
        )
    }

    /// The verdict where each layer protects the branch, does not, or hides it.
    fn protecting(layers: Vec<Layer>, protects: &Fact<bool>) -> String {
        let facts = branch(|rules| {
            rules.protected = each(&layers, protects);
            rules.pull_request_required = each(&layers, protects);
            rules.layers = layers;
        });
        verdict_of(&OrganizationRulesCoverRepository {}, &facts)
    }

    fn own() -> Layer {
        layer(LayerOrigin::Repository, seen(false))
    }

    #[test]
    fn one_layer_from_above_that_is_meant_for_all_passes() {
        for origin in [LayerOrigin::Organization, LayerOrigin::Enterprise] {
            assert_eq!(verdict(vec![layer(origin, seen(true))]), "pass");
            assert_eq!(verdict(vec![own(), layer(origin, seen(true))]), "pass");
        }
    }

    #[test]
    fn a_layer_from_above_for_some_repositories_fails() {
        let some = layer(LayerOrigin::Organization, seen(false));
        assert_eq!(verdict(vec![some]), "fail");
    }

    #[test]
    fn a_layer_of_the_repository_or_of_a_source_not_known_does_not_count() {
        assert_eq!(verdict(vec![own()]), "fail");
        assert_eq!(
            verdict(vec![layer(LayerOrigin::Repository, seen(true))]),
            "fail"
        );
        assert_eq!(verdict(vec![layer(LayerOrigin::Other, seen(true))]), "fail");
        assert_eq!(verdict(vec![layer(LayerOrigin::Other, hidden())]), "fail");
    }

    #[test]
    fn a_reach_that_is_hidden_leaves_it_unknown_unless_another_layer_covers_all() {
        let unseen = || layer(LayerOrigin::Organization, hidden());
        assert_eq!(verdict(vec![unseen(), own()]), "unknown");
        let whole = layer(LayerOrigin::Enterprise, seen(true));
        assert_eq!(verdict(vec![unseen(), whole]), "pass");
    }

    /// The trick: rules of the organisation that stand there and protect nothing here.
    #[test]
    fn a_layer_from_above_that_does_not_protect_the_branch_does_not_count() {
        let whole = || vec![layer(LayerOrigin::Organization, seen(true))];
        assert_eq!(protecting(whole(), &seen(false)), "fail");
        assert_eq!(protecting(whole(), &hidden()), "unknown");
        let some = vec![layer(LayerOrigin::Organization, seen(false))];
        assert_eq!(protecting(some, &hidden()), "fail");
        let silent = branch(|rules| {
            rules.protected = Requirement::any_layer(Vec::new());
            rules.layers = whole();
        });
        let control = OrganizationRulesCoverRepository {};
        assert_eq!(verdict_of(&control, &silent), "fail");
    }

    /// The trick: a ruleset of the organisation that only forbids force pushes.
    #[test]
    fn a_layer_from_above_that_holds_no_change_does_not_count() {
        let holding = |changes: &Fact<bool>, approvals: u32| {
            let layers = vec![layer(LayerOrigin::Organization, seen(true))];
            let facts = branch(|rules| {
                rules.approvals_required =
                    Requirement::any_layer(vec![demand(&layers[0].id, seen(approvals))]);
                rules.required_checks =
                    Requirement::any_layer(vec![demand(&layers[0].id, seen(Vec::new()))]);
                rules.pull_request_required = each(&layers, changes);
                rules.protected = each(&layers, &seen(true));
                rules.layers = layers;
            });
            verdict_of(&OrganizationRulesCoverRepository {}, &facts)
        };
        assert_eq!(holding(&seen(false), 0), "fail");
        assert_eq!(holding(&hidden(), 0), "unknown");
        assert_eq!(holding(&hidden(), 1), "pass");
        assert_eq!(holding(&seen(true), 0), "pass");
    }

    #[test]
    fn f13_no_layer_at_all_fails_as_unprotected() {
        assert_eq!(verdict(Vec::new()), "fail unprotected");
    }

    #[test]
    fn a_plan_that_does_not_sell_such_rules_is_the_reason() {
        let facts = branch(|rules| {
            rules.layers = vec![own()];
            rules.not_in_plan = vec![SOLD_AS.to_owned()];
        });
        let control = OrganizationRulesCoverRepository {};
        assert_eq!(verdict_of(&control, &facts), "fail plan");
    }
}
