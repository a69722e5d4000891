//! One layer with everything that it demands, before the layers are laid on
//! top of each other.

use crate::facts::{
    BranchRules, BypassActor, Demand, Fact, Layer, LayerKind, RequiredCheck, Requirement, Source,
    Unknown,
};

/// One layer.
#[derive(Clone, Debug)]
pub(super) struct LayerRules {
    pub(super) id: String,
    pub(super) kind: LayerKind,
    pub(super) bypass: Fact<Vec<BypassActor>>,
    pub(super) protected: Fact<bool>,
    pub(super) pull_request_required: Fact<bool>,
    pub(super) approvals_required: Fact<u32>,
    pub(super) stale_approvals_dismissed: Fact<bool>,
    pub(super) required_checks: Fact<Vec<RequiredCheck>>,
    pub(super) skipped_checks_block: Fact<bool>,
    pub(super) force_push_blocked: Fact<bool>,
    pub(super) deletion_blocked: Fact<bool>,
}

impl LayerRules {
    /// A layer that may exist and of which nothing could be read.
    pub(super) fn hidden(id: &str, kind: LayerKind, why: &Unknown) -> Self {
        let mut bypass = why.clone();
        "branch.bypass".clone_into(&mut bypass.fact);
        Self {
            id: id.to_owned(),
            kind,
            bypass: Fact::Unknown(bypass),
            protected: Fact::Unknown(why.clone()),
            pull_request_required: Fact::Unknown(why.clone()),
            approvals_required: Fact::Unknown(why.clone()),
            stale_approvals_dismissed: Fact::Unknown(why.clone()),
            required_checks: Fact::Unknown(why.clone()),
            skipped_checks_block: Fact::Unknown(why.clone()),
            force_push_blocked: Fact::Unknown(why.clone()),
            deletion_blocked: Fact::Unknown(why.clone()),
        }
    }

    /// The required checks; a context that never reports blocks the merge, so
    /// a layer that demands any does not take absence for success.
    pub(super) fn set_checks(&mut self, checks: Vec<RequiredCheck>, source: &Source) {
        self.skipped_checks_block = Fact::seen(!checks.is_empty(), source.clone());
        self.required_checks = Fact::seen(checks, source.clone());
    }
}

/// All layers of a branch. On this platform they add up.
pub(super) fn stack(
    branch: &str,
    layers: &[LayerRules],
    not_in_plan: Vec<String>,
    with_bypass: bool,
) -> BranchRules {
    BranchRules {
        branch: branch.to_owned(),
        layers: layers
            .iter()
            .map(|layer| Layer {
                id: layer.id.clone(),
                kind: layer.kind.clone(),
                bypass: if with_bypass {
                    layer.bypass.clone()
                } else {
                    Fact::Unknown(Unknown::not_collected("branch.bypass"))
                },
            })
            .collect(),
        not_in_plan,
        protected: demand(layers, |layer| &layer.protected),
        pull_request_required: demand(layers, |layer| &layer.pull_request_required),
        approvals_required: demand(layers, |layer| &layer.approvals_required),
        stale_approvals_dismissed: demand(layers, |layer| &layer.stale_approvals_dismissed),
        required_checks: demand(layers, |layer| &layer.required_checks),
        skipped_checks_block: demand(layers, |layer| &layer.skipped_checks_block),
        force_push_blocked: demand(layers, |layer| &layer.force_push_blocked),
        deletion_blocked: demand(layers, |layer| &layer.deletion_blocked),
    }
}

fn demand<T: Clone>(
    layers: &[LayerRules],
    value: impl Fn(&LayerRules) -> &Fact<T>,
) -> Requirement<T> {
    Requirement::any_layer(
        layers
            .iter()
            .map(|layer| Demand {
                layer: layer.id.clone(),
                value: value(layer).clone(),
            })
            .collect(),
    )
}
