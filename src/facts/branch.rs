//! The rules that protect one branch, layer by layer, and who can go around them.
//!
//! Several layers may protect a branch at once (classic protection and every
//! active ruleset; on GitLab every matching protected-branch entry). A
//! [`Requirement`] keeps what each layer demands and how the platform combines
//! them, so that a verdict can name the layer, and so that a hidden layer is
//! neither taken for weak nor for strong.

use serde::{Deserialize, Serialize};

use super::fact::{Fact, all_of, any_of};

/// How the platform combines the layers of one requirement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Combine {
    /// The strictest layer wins: one layer that demands it is enough
    /// (GitHub: classic protection and rulesets add up).
    AnyLayer,
    /// The most permissive layer wins: every layer has to demand it, and no
    /// layer at all means that nothing demands it (GitLab: push, merge and
    /// force push over all matching protected-branch entries).
    EveryLayer,
}

/// What one layer demands for one requirement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand<T> {
    /// Which layer; the `id` of a [`Layer`], or the name of a setting.
    pub layer: String,
    /// What it demands.
    pub value: Fact<T>,
}

/// One requirement over all layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requirement<T> {
    /// How the layers add up.
    pub combine: Combine,
    /// What each layer demands. A layer that could not be read stands here
    /// with an unknown value.
    pub demands: Vec<Demand<T>>,
}

impl<T> Requirement<T> {
    /// A requirement where one demanding layer is enough.
    pub fn any_layer(demands: Vec<Demand<T>>) -> Self {
        Self {
            combine: Combine::AnyLayer,
            demands,
        }
    }

    /// A requirement that every layer has to demand.
    pub fn every_layer(demands: Vec<Demand<T>>) -> Self {
        Self {
            combine: Combine::EveryLayer,
            demands,
        }
    }

    /// Whether the branch as a whole satisfies `test`, by Kleene logic.
    /// No layer at all: known `false`, since absence is never compliance.
    pub fn holds(&self, test: impl Fn(&T) -> bool) -> Fact<bool> {
        let mut each = self
            .demands
            .iter()
            .map(|demand| demand.value.map_ref(&test))
            .peekable();
        if each.peek().is_none() {
            return Fact::known_without_source(false);
        }
        match self.combine {
            Combine::AnyLayer => any_of(each),
            Combine::EveryLayer => all_of(each),
        }
    }

    /// The layers whose known demand satisfies `test`.
    pub fn layers_where(&self, test: impl Fn(&T) -> bool) -> Vec<&str> {
        self.demands
            .iter()
            .filter(|demand| demand.value.known().is_ok_and(&test))
            .map(|demand| demand.layer.as_str())
            .collect()
    }

    /// The known demands with the layer that makes them.
    pub fn known(&self) -> impl Iterator<Item = (&str, &T)> {
        self.demands
            .iter()
            .filter_map(|demand| match &demand.value {
                Fact::Known { value, .. } => Some((demand.layer.as_str(), value)),
                Fact::Unknown(_) => None,
            })
    }
}

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

/// One thing that protects the branch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Names the layer in demands and in verdicts, unique within the branch:
    /// `classic protection`, `ruleset "main" (organization acme)`, `protected branch "rel*"`.
    pub id: String,
    /// What it is.
    pub kind: LayerKind,
    /// Who can go around it. Known and empty: nobody.
    /// A list that the answer left out is unknown, never empty.
    pub bypass: Fact<Vec<BypassActor>>,
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
    /// Whether anything protects the branch (per layer: it does).
    pub protected: Requirement<bool>,
    /// Changes come through a pull or merge request only.
    pub pull_request_required: Requirement<bool>,
    /// Number of approvals that the platform wants before a merge.
    pub approvals_required: Requirement<u32>,
    /// Approvals fall when something new is pushed.
    pub stale_approvals_dismissed: Requirement<bool>,
    /// The checks that must succeed. A layer that demands none: empty list.
    pub required_checks: Requirement<Vec<RequiredCheck>>,
    /// A skipped pipeline or an absent check does not count as success
    /// (GitLab: `allow_merge_on_skipped_pipeline`; GitHub: always `true`
    /// for the layer, since a required context that never reports blocks).
    pub skipped_checks_block: Requirement<bool>,
    /// Force pushes are refused.
    pub force_push_blocked: Requirement<bool>,
    /// The branch cannot be deleted.
    pub deletion_blocked: Requirement<bool>,
}

#[cfg(test)]
mod tests {
    use super::super::fact::Unknown;
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

    #[test]
    fn one_strict_layer_settles_an_additive_requirement_whatever_is_hidden() {
        let requirement = Requirement::any_layer(vec![
            demand("classic protection", hidden()),
            demand("ruleset main", Fact::known_without_source(2)),
        ]);
        assert_eq!(requirement.holds(|n| *n >= 1).known(), Ok(&true));
        assert!(!requirement.holds(|n| *n >= 3).is_known());
        assert_eq!(requirement.layers_where(|n| *n >= 1), ["ruleset main"]);
    }

    #[test]
    fn one_permissive_entry_breaks_a_requirement_that_every_layer_must_demand() {
        let requirement = Requirement::every_layer(vec![
            demand("protected branch \"main\"", Fact::known_without_source(2)),
            demand("protected branch \"m*\"", Fact::known_without_source(0)),
            demand("group entry", hidden()),
        ]);
        assert_eq!(requirement.holds(|n| *n >= 1).known(), Ok(&false));
    }

    #[test]
    fn no_layer_at_all_demands_nothing() {
        assert_eq!(
            Requirement::<u32>::any_layer(vec![])
                .holds(|_| true)
                .known(),
            Ok(&false)
        );
        assert_eq!(
            Requirement::<u32>::every_layer(vec![])
                .holds(|_| true)
                .known(),
            Ok(&false)
        );
    }
}
