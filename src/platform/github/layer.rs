//! One layer with everything that it demands, before the layers are laid on
//! top of each other.

use crate::facts::{
    BranchRules, BypassActor, Combine, Demand, DirectPush, Fact, Layer, LayerKind, LayerOrigin,
    MergeMethod, PathReviewers, RequiredCheck, RequiredWorkflow, Source, Unknown,
    branch_requirements,
};

macro_rules! layer_rules {
    ($($(#[$doc:meta])* $name:ident: $kind:ty;)*) => {
        /// One layer.
        #[derive(Clone, Debug)]
        pub(super) struct LayerRules {
            pub(super) id: String,
            pub(super) kind: LayerKind,
            pub(super) origin: LayerOrigin,
            pub(super) all_repositories: Fact<bool>,
            pub(super) bypass: Fact<Vec<BypassActor>>,
            $($(#[$doc])* pub(super) $name: Fact<$kind>,)*
        }

        impl LayerRules {
            /// A layer of which nothing at all is known.
            fn unseen(id: &str, kind: LayerKind, origin: LayerOrigin, why: &Unknown) -> Self {
                let mut bypass = why.clone();
                "branch.bypass".clone_into(&mut bypass.fact);
                Self {
                    id: id.to_owned(),
                    kind,
                    origin,
                    all_repositories: Fact::Unknown(why.clone()),
                    bypass: Fact::Unknown(bypass),
                    $($name: Fact::Unknown(why.clone()),)*
                }
            }
        }

        /// All layers of a branch. On this platform they add up.
        pub(super) fn stack(
            branch: &str,
            layers: &[LayerRules],
            not_in_plan: Vec<String>,
            with_bypass: bool,
        ) -> BranchRules {
            let mut rules = BranchRules::without_demands(
                branch,
                layers.iter().map(|layer| layer.shown(with_bypass)).collect(),
                Combine::AnyLayer,
            );
            rules.not_in_plan = not_in_plan;
            for layer in layers {
                $(rules.$name.demands.push(Demand {
                    layer: layer.id.clone(),
                    value: layer.$name.clone(),
                });)*
            }
            rules
        }
    };
}
branch_requirements!(layer_rules);

impl LayerRules {
    /// A layer that may exist and of which nothing could be read, but for what no
    /// layer of its kind can do on this platform.
    pub(super) fn hidden(id: &str, kind: LayerKind, why: &Unknown) -> Self {
        let never = || Fact::known_without_source(false);
        let classic = kind == LayerKind::ClassicProtection;
        let origin = if classic {
            LayerOrigin::Repository
        } else {
            LayerOrigin::Other
        };
        let unseen = Self::unseen(id, kind, origin, why);
        let layer = Self {
            // Who committed may approve as long as somebody else pushed last.
            committer_approval_blocked: never(),
            approval_rules_locked: never(),
            ..unseen
        };
        if !classic {
            return layer;
        }
        Self {
            // It belongs to one repository, whose administrators can take it away.
            all_repositories: never(),
            removal_limited: never(),
            path_reviewers: Fact::known_without_source(Vec::new()),
            required_workflows: Fact::known_without_source(Vec::new()),
            identity_rules: Fact::known_without_source(Vec::new()),
            merge_methods: Fact::known_without_source(Vec::new()),
            ..layer
        }
    }

    /// The required checks; a context that never reports blocks the merge, so
    /// a layer that demands any does not take absence for success.
    pub(super) fn set_checks(&mut self, checks: Vec<RequiredCheck>, source: &Source) {
        self.skipped_checks_block = Fact::seen(!checks.is_empty(), source.clone());
        self.required_checks = Fact::seen(checks, source.clone());
    }

    fn shown(&self, with_bypass: bool) -> Layer {
        Layer {
            id: self.id.clone(),
            kind: self.kind.clone(),
            origin: self.origin,
            all_repositories: self.all_repositories.clone(),
            bypass: if with_bypass {
                self.bypass.clone()
            } else {
                Fact::Unknown(Unknown::not_collected("branch.bypass"))
            },
        }
    }
}
