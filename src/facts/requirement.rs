//! One requirement over all layers: what each demands, and how the platform adds them up.

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

    /// Takes from `other`, seen with more rights, the demands that are unknown here.
    /// A demand of a name in `blind` stands for whatever there is: it gives way to
    /// what `other` saw there.
    pub(super) fn fill_from(&mut self, other: &Self, blind: &[String])
    where
        T: Clone,
    {
        // What such a demand did tell was seen just now, and stays.
        let gives_way =
            |demand: &Demand<T>| blind.contains(&demand.layer) && !demand.value.is_known();
        if self.demands.iter().any(gives_way) {
            self.demands.retain(|demand| !gives_way(demand));
            let told: Vec<Demand<T>> = other
                .demands
                .iter()
                .filter(|demand| !self.demands.iter().any(|known| known.layer == demand.layer))
                .cloned()
                .collect();
            self.demands.extend(told);
        }
        for demand in &mut self.demands {
            let mut same = other
                .demands
                .iter()
                .filter(|same| same.layer == demand.layer);
            // Two demands of one name cannot be told apart: neither is taken.
            if let (Some(only), None) = (same.next(), same.next()) {
                demand.value.fill_from(&only.value);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Unknown;

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
