//! The checks that are required of a branch, over all layers: which are known,
//! whether there may be more, and which of them stand for a whole pipeline.

use crate::facts::{
    BranchRules, Combine, Fact, LayerKind, RequiredCheck, Requirement, Unknown, all_of, any_of,
};

/// The required checks, as far as they were seen.
pub(super) struct Listed<'a> {
    /// Each with the layer that demands it.
    pub(super) known: Vec<(&'a str, &'a RequiredCheck)>,
    /// Why there may be more.
    pub(super) hidden: Option<Unknown>,
}

/// What the layers list. A check that two layers demand stands there twice.
pub(super) fn listed(rules: &BranchRules) -> Listed<'_> {
    Listed {
        known: rules
            .required_checks
            .known()
            .flat_map(|(layer, list)| list.iter().map(move |check| (layer, check)))
            .collect(),
        hidden: rules
            .required_checks
            .demands
            .iter()
            .find_map(|demand| demand.value.known().err()),
    }
}

/// Whether the check is the platform's own sign for all jobs of a pipeline. Where
/// layers list contexts by name, `pipeline` is a context like any other.
pub(super) fn is_whole_pipeline(rules: &BranchRules, layer: &str, check: &RequiredCheck) -> bool {
    check.name == "pipeline"
        && rules
            .layers
            .iter()
            .filter(|known| known.id == layer)
            .all(|known| match known.kind {
                LayerKind::ClassicProtection | LayerKind::Ruleset => false,
                LayerKind::ProtectedBranch | LayerKind::ProjectSetting => true,
            })
}

/// Whether a check that satisfies `test` is required, by Kleene logic.
pub(super) fn requires(
    rules: &BranchRules,
    test: impl Fn(&str, &RequiredCheck) -> bool,
) -> Fact<bool> {
    let Requirement { combine, demands } = &rules.required_checks;
    let each = demands.iter().map(|demand| {
        demand
            .value
            .map_ref(|list| list.iter().any(|check| test(&demand.layer, check)))
    });
    match combine {
        Combine::EveryLayer if !demands.is_empty() => all_of(each),
        Combine::AnyLayer | Combine::EveryLayer => any_of(each),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::branch;

    #[test]
    fn a_context_that_is_called_pipeline_is_no_pipeline() {
        let check = RequiredCheck {
            name: "pipeline".to_owned(),
            app: None,
        };
        let whole = |kind: LayerKind, layer: &str| {
            let facts = branch(|rules| rules.layers[0].kind = kind);
            is_whole_pipeline(facts.branch_rules.known().unwrap(), layer, &check)
        };
        assert!(!whole(LayerKind::Ruleset, "ruleset \"main\""));
        assert!(!whole(LayerKind::ClassicProtection, "ruleset \"main\""));
        assert!(whole(LayerKind::ProjectSetting, "ruleset \"main\""));
        // A setting of the project is no layer of the branch.
        assert!(whole(LayerKind::ProtectedBranch, "project merge checks"));
    }
}
