//! The rules that protect one branch, layer by layer, and who can go around them.
//!
//! Several layers may protect a branch at once (classic protection and every
//! active ruleset; on GitLab every matching protected-branch entry). A
//! [`Requirement`] keeps what each layer demands and how the platform combines
//! them, so that a verdict can name the layer, and so that a hidden layer is
//! neither taken for weak nor for strong.

use serde::{Deserialize, Serialize};

use super::fact::{Fact, Unknown};
use super::in_words::InWords;
use super::requirement::{Combine, Demand, Requirement};

/// What kind of thing protects the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerKind {
    /// GitHub classic branch protection.
    ClassicProtection,
    /// A ruleset of a repository, an organisation or an enterprise.
    Ruleset,
    /// A protected-branch entry of a GitLab project or group.
    ProtectedBranch,
    /// A setting of the whole project or group (approval settings, merge checks).
    ProjectSetting,
}

/// A role, team, app, key or person that the rules of a layer do not bind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BypassKind {
    /// Administrators of the repository or project, owners of it.
    Administrators,
    /// Owners of the organisation or group.
    OrganizationOwners,
    /// Owners or roles of the enterprise, administrators of the instance.
    EnterpriseOwners,
    /// A repository role below administrator.
    Role,
    /// A team or group.
    Team,
    /// An app or integration.
    App,
    /// One person.
    User,
    /// A deploy key.
    DeployKey,
    /// A kind that this version does not know. Counts as a bypass.
    Other(String),
}

/// When the rules do not bind the actor.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BypassMode {
    /// At any time, by a direct push too. Also what an omitted mode means.
    Always,
    /// When merging a change, without the rules being met.
    PullRequest,
    /// The rules are not even run and no bypass is recorded.
    Exempt,
    /// A mode that this version does not know. Counts as `Always`.
    Other(String),
}

/// Somebody who can go around a layer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BypassActor {
    /// What kind of actor.
    pub kind: BypassKind,
    /// A name that people recognise: `@ana`, `@acme/ops`, `app ccgate`,
    /// `role maintain`, `organization owners`.
    pub name: String,
    /// When.
    pub mode: BypassMode,
}

/// Who set a layer up, and therefore who can take it away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LayerOrigin {
    /// The repository or project itself: its administrators can take it away.
    Repository,
    /// The organisation or a group above the project.
    Organization,
    /// The enterprise or the instance.
    Enterprise,
    /// A source that this version does not know.
    Other,
}

/// One thing that protects the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Names the layer in demands and in verdicts, unique within the branch:
    /// `classic protection`, `ruleset "main" (organization acme)`, `protected branch "rel*"`.
    pub id: String,
    /// What it is.
    pub kind: LayerKind,
    /// Who set it up.
    pub origin: LayerOrigin,
    /// For a layer from above the repository: whether it is meant for every
    /// repository there, those that do not exist yet included.
    pub all_repositories: Fact<bool>,
    /// Who can go around it. Known and empty: nobody.
    /// A list that the answer left out is unknown, never empty.
    pub bypass: Fact<Vec<BypassActor>>,
}

impl Layer {
    /// A layer that the repository itself set up.
    pub fn of_repository(
        id: impl Into<String>,
        kind: LayerKind,
        bypass: Fact<Vec<BypassActor>>,
    ) -> Self {
        Self {
            id: id.into(),
            kind,
            origin: LayerOrigin::Repository,
            all_repositories: Fact::known_without_source(false),
            bypass,
        }
    }
}

/// Rules that stand there and bind nobody: a ruleset that only evaluates or is
/// disabled, a policy in warn mode.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct InactiveRules {
    /// The name people know it by.
    pub name: String,
    /// The platform's word for its state, e.g. `evaluate`, `disabled`, `warn`.
    pub enforcement: String,
}

/// A check that has to succeed before a change may be merged.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequiredCheck {
    /// The context or job name. `pipeline` stands for GitLab's head pipeline.
    pub name: String,
    /// Id of the one app whose result counts, if it is pinned. Known only as
    /// text: the platforms' ids are numbers, their names are not unique.
    pub app: Option<String>,
}

/// A way in which a change may become part of the branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MergeMethod {
    /// A merge commit.
    Merge,
    /// One new commit with everything in it.
    Squash,
    /// The commits one after the other, anew.
    Rebase,
    /// The commits as they are (GitLab `ff`).
    FastForward,
    /// A word that this version does not know.
    Other(String),
}

impl MergeMethod {
    /// The word, as it stands in policies and decisions.
    pub fn word(&self) -> &str {
        match self {
            Self::Merge => "merge",
            Self::Squash => "squash",
            Self::Rebase => "rebase",
            Self::FastForward => "fast-forward",
            Self::Other(word) => word,
        }
    }
}

/// Who may push to the branch without a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirectPush {
    /// Whether the layer names who may; if not, everybody who may write may push.
    pub restricted: bool,
    /// Whom it names, e.g. `@ana`, `team ops`, `app ccgate`, `maintainers`.
    pub actors: Vec<String>,
}

/// Reviewers who are wanted for some paths.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PathReviewers {
    /// Patterns of the paths, as the platform writes them.
    pub paths: Vec<String>,
    /// Who, e.g. `team 17`, `@acme/security`.
    pub reviewers: Vec<String>,
    /// How many of them have to approve.
    pub min: u32,
}

/// A workflow or pipeline that is imposed from outside the repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RequiredWorkflow {
    /// Its path or the name of the policy that brings it.
    pub path: String,
    /// Where it lives, e.g. `acme/workflows` or `repository 17`.
    pub repository: String,
    /// The branch, tag or commit it is taken from, if told.
    pub reference: Option<String>,
}

/// The requirements of a branch, declared once. `$callback!` is given a list of
/// `docs, name: type;` and makes of it what it needs: the facts' struct here,
/// one layer of a platform there.
macro_rules! branch_requirements {
    ($callback:ident) => {
        $callback! {
            /// Whether anything protects the branch (per layer: it does).
            protected: bool;
            /// Changes come through a pull or merge request only.
            pull_request_required: bool;
            /// Number of approvals that the platform wants before a merge.
            approvals_required: u32;
            /// Approvals fall when something new is pushed.
            stale_approvals_dismissed: bool;
            /// The newest push has to be approved by somebody else than who pushed it.
            last_push_approval_required: bool;
            /// Whoever opened the change cannot approve it.
            author_approval_blocked: bool;
            /// Whoever committed to the change cannot approve it.
            committer_approval_blocked: bool;
            /// The code owners of the touched paths have to approve.
            code_owner_review_required: bool;
            /// The approval rules cannot be changed within a change.
            approval_rules_locked: bool;
            /// Only named people may dismiss a review.
            dismissal_restricted: bool;
            /// Every conversation has to be resolved.
            conversations_resolved: bool;
            /// The checks that must succeed. A layer that demands none: empty list.
            required_checks: Vec<RequiredCheck>;
            /// A skipped pipeline or an absent check does not count as success
            /// (GitLab: `allow_merge_on_skipped_pipeline`; GitHub: always `true`
            /// for the layer, since a required context that never reports blocks).
            skipped_checks_block: bool;
            /// The change has to contain the newest state of the branch, or its
            /// checks run on the merged result (queue, train).
            up_to_date_required: bool;
            /// Force pushes are refused.
            force_push_blocked: bool;
            /// The branch cannot be deleted.
            deletion_blocked: bool;
            /// Who may push directly.
            direct_push: DirectPush;
            /// No merge commits.
            linear_history_required: bool;
            /// The ways in which a change may be merged. Empty: the layer does not say.
            merge_methods: Vec<MergeMethod>;
            /// Every commit has to be signed.
            signatures_required: bool;
            /// Least power that can take the layer away, most people first:
            /// `true` where administrators of the repository cannot.
            removal_limited: bool;
            /// Rules about who a commit may name as author or committer, in words.
            identity_rules: Vec<String>;
            /// Reviewers wanted for some paths.
            path_reviewers: Vec<PathReviewers>;
            /// Workflows imposed from outside the repository.
            required_workflows: Vec<RequiredWorkflow>;
        }
    };
}
pub(crate) use branch_requirements;

macro_rules! branch_rules_struct {
    ($($(#[$doc:meta])* $name:ident: $kind:ty;)*) => {
        /// What protects one branch.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub struct BranchRules {
            /// Name of the branch.
            pub branch: String,
            /// The layers that apply to it, with who can go around each.
            /// A layer that may exist but could not be read stands here too, and
            /// its `bypass` is unknown.
            pub layers: Vec<Layer>,
            /// Features that the plan or tier does not sell for this repository
            /// (e.g. `branch protection`, `approval rules`). Empty if none is missing.
            pub not_in_plan: Vec<String>,
            /// Names in demands and layers that stand for whatever there is and could
            /// not be read: nobody knows how many layers they are, or which.
            #[serde(default, skip_serializing_if = "Vec::is_empty")]
            pub unseen: Vec<String>,
            /// Rules that would apply to the branch if they were in force.
            pub inactive: Fact<Vec<InactiveRules>>,
            $($(#[$doc])* pub $name: Requirement<$kind>,)*
        }

        impl BranchRules {
            /// A branch with these layers and no demand at all yet; layers add up by `combine`.
            pub fn without_demands(
                branch: impl Into<String>,
                layers: Vec<Layer>,
                combine: Combine,
            ) -> Self {
                Self {
                    branch: branch.into(),
                    layers,
                    not_in_plan: Vec::new(),
                    unseen: Vec::new(),
                    inactive: Fact::known_without_source(Vec::new()),
                    $($name: Requirement { combine, demands: Vec::new() },)*
                }
            }

            /// A branch of which one layer is known to exist, and none of its demands.
            pub fn unseen(branch: impl Into<String>, layer: Layer, why: &Unknown) -> Self {
                Self {
                    branch: branch.into(),
                    not_in_plan: Vec::new(),
                    unseen: Vec::new(),
                    inactive: Fact::Unknown(why.clone()),
                    $($name: Requirement::any_layer(vec![Demand {
                        layer: layer.id.clone(),
                        value: Fact::Unknown(why.clone()),
                    }]),)*
                    layers: vec![layer],
                }
            }

            /// Takes from `other`, seen with more rights, what is unknown here: bypass
            /// lists and demands of layers that stand in both, and all layers where
            /// nobody could see which there are. What was seen here stays, and so do
            /// layers that `other` does not know; a layer that is gone by now is not
            /// brought back.
            pub fn fill_from(&mut self, other: &Self) {
                let blind: Vec<String> = self
                    .unseen
                    .iter()
                    .filter(|name| !other.unseen.contains(name))
                    .cloned()
                    .collect();
                if self.layers.iter().any(|layer| blind.contains(&layer.id)) {
                    self.layers.retain(|layer| !blind.contains(&layer.id));
                    for layer in &other.layers {
                        if !self.layers.iter().any(|known| known.id == layer.id) {
                            self.layers.push(layer.clone());
                        }
                    }
                }
                if !blind.is_empty() {
                    self.not_in_plan.extend(other.not_in_plan.iter().cloned());
                    self.not_in_plan.sort();
                    self.not_in_plan.dedup();
                }
                self.unseen.retain(|name| !blind.contains(name));
                for layer in &mut self.layers {
                    let Some(same) = other.layers.iter().find(|same| same.id == layer.id) else {
                        continue;
                    };
                    layer.bypass.fill_from(&same.bypass);
                    layer.all_repositories.fill_from(&same.all_repositories);
                }
                self.inactive.fill_from(&other.inactive);
                $(self.$name.fill_from(&other.$name, &blind);)*
            }

            /// Every requirement by name, with what each layer demands in words.
            pub fn in_words(&self) -> Vec<(&'static str, Combine, Vec<(&str, Fact<String>)>)>
            {
                vec![$((
                    stringify!($name),
                    self.$name.combine,
                    self.$name
                        .demands
                        .iter()
                        .map(|demand| (
                            demand.layer.as_str(),
                            demand.value.map_ref(InWords::in_words),
                        ))
                        .collect(),
                ),)*]
            }
        }
    };
}
branch_requirements!(branch_rules_struct);

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(layer: &str, value: Fact<u32>) -> Demand<u32> {
        Demand {
            layer: layer.to_owned(),
            value,
        }
    }

    fn hidden() -> Fact<u32> {
        Fact::Unknown(Unknown::not_collected("branch.rules"))
    }

    fn of(layer: &str, approvals: Fact<u32>) -> BranchRules {
        let bypass = Fact::Unknown(Unknown::not_collected("branch.bypass"));
        let kept = Layer::of_repository(layer, LayerKind::Ruleset, bypass);
        let mut rules = BranchRules::without_demands("main", vec![kept], Combine::AnyLayer);
        rules.approvals_required.demands = vec![demand(layer, approvals)];
        rules
    }

    #[test]
    fn where_nobody_could_see_which_layers_there_are_those_seen_before_count() {
        let then = of("ruleset main", Fact::known_without_source(2));
        let mut now = of("rulesets", hidden());
        now.unseen = vec!["rulesets".to_owned()];
        now.fill_from(&then);
        assert_eq!(now.layers[0].id, "ruleset main");
        assert_eq!(now.approvals_required.holds(|n| *n == 2).known(), Ok(&true));
        assert!(now.unseen.is_empty());
    }

    #[test]
    fn a_layer_that_is_gone_is_not_brought_back_by_one_that_nobody_could_read() {
        let then = of("ruleset main", Fact::known_without_source(2));
        let mut now = of("ruleset other", hidden());
        now.fill_from(&then);
        assert_eq!(now.layers.len(), 1);
        assert!(!now.approvals_required.holds(|n| *n == 2).is_known());
        // Neither does it come back where the branch reads unprotected.
        let mut bare = BranchRules::without_demands("main", Vec::new(), Combine::AnyLayer);
        bare.fill_from(&then);
        assert_eq!(bare.approvals_required.holds(|_| true).known(), Ok(&false));
    }
}
