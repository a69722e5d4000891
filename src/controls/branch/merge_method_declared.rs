//! BR-24: changes are merged only in the ways that the policy declares.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{BranchRules, Combine, Fact, FactKey, MergeMethod, Platform, Snapshot, Unknown};

/// A way to merge that a policy can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// A merge commit.
    Merge,
    /// One new commit with everything in it.
    Squash,
    /// The commits one after the other, anew.
    Rebase,
    /// The commits as they are.
    FastForward,
}

/// Parameters of BR-24.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MergeMethodDeclared {
    /// The only ways in which a change may be merged.
    methods: Vec<Method>,
}

/// What remains where no merge commit may come to the branch.
const LINEAR: [MergeMethod; 3] = [
    MergeMethod::Squash,
    MergeMethod::Rebase,
    MergeMethod::FastForward,
];

impl Default for MergeMethodDeclared {
    fn default() -> Self {
        Self {
            methods: vec![Method::Squash, Method::Rebase, Method::FastForward],
        }
    }
}

impl Control for MergeMethodDeclared {
    const META: Meta = Meta {
        code: "BR-24",
        id: "merge-method-declared",
        title: "changes are merged only in the ways that the policy declares",
        criteria: &[Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32", "A.8.9"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::RepositorySettings],
        rationale: "Each way to merge leaves other traces; an auditor can follow a branch only if \
                        its history is made in one known way.",
        cheat: "Adding a way to merge in the settings of the repository beside a strict rule of \
                        the branch. What remains over all of them is judged, and a way that is not \
                        known counts as undeclared.",
        remedy_github: "turn on \"Require linear history\", or choose the allowed merge methods \
                        under \"Require a pull request before merging\" in an active ruleset that \
                        targets the branch, or under Settings, General, Pull Requests",
        remedy_gitlab: "under Settings, Merge requests choose the merge method and the squash \
                        option that the policy declares",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        let mut lists = of_rules(rules);
        lists.push(match &facts.settings.repository {
            Fact::Known { value, .. } => value.merge_methods.clone(),
            Fact::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        });
        let mut hidden = None;
        let mut remaining: Option<Vec<MergeMethod>> = None;
        let mut sources = Vec::new();
        for list in &lists {
            match list {
                // An empty list says nothing; each other one narrows what remains.
                Fact::Known { value, .. } if value.is_empty() => {}
                Fact::Known {
                    value,
                    sources: read_from,
                } => {
                    remaining = Some(match remaining {
                        None => value.clone(),
                        Some(mut methods) => {
                            methods.retain(|method| value.contains(method));
                            methods
                        }
                    });
                    sources.extend(read_from.iter().cloned());
                }
                Fact::Unknown(unknown) => hidden = hidden.or_else(|| Some(unknown.clone())),
            }
        }
        let words = |methods: &[MergeMethod]| {
            let words: Vec<&str> = methods.iter().map(MergeMethod::word).collect();
            words.join(", ")
        };
        // What is hidden can only narrow further: what is fine already stays so.
        if let Some(methods) = &remaining
            && methods.iter().all(|method| self.declares(method))
        {
            return Ok(Verdict::Pass(Evidence::new(
                format!("{}: merged by {} only", rules.branch, words(methods)),
                FactKey::BranchRules,
                words(methods),
                &sources,
            )));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        let bad = match &remaining {
            None => "nothing limits how changes are merged".to_owned(),
            Some(methods) => format!("changes can be merged by {}", words(methods)),
        };
        Ok(unmet(fact, rules, &bad, None))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        self.methods
            .iter()
            .any(|method| !base.methods.contains(method))
            .then(|| "declares more ways to merge".to_owned())
    }
}

impl MergeMethodDeclared {
    fn declares(&self, method: &MergeMethod) -> bool {
        let method = match method {
            MergeMethod::Merge => Method::Merge,
            MergeMethod::Squash => Method::Squash,
            MergeMethod::Rebase => Method::Rebase,
            MergeMethod::FastForward => Method::FastForward,
            MergeMethod::Other(_) => return false,
        };
        self.methods.contains(&method)
    }
}

/// The lists of the rules, each of which binds; an empty one says nothing.
fn of_rules(rules: &BranchRules) -> Vec<Fact<Vec<MergeMethod>>> {
    let linear = rules.linear_history_required.holds(|on| *on);
    let linear = linear.map(|on| if on { LINEAR.to_vec() } else { Vec::new() });
    let demands = &rules.merge_methods.demands;
    let mut lists: Vec<Fact<Vec<MergeMethod>>> = match rules.merge_methods.combine {
        Combine::AnyLayer => demands.iter().map(|demand| demand.value.clone()).collect(),
        // The most permissive one counts: together they are one list.
        Combine::EveryLayer => vec![joined(demands.iter().map(|demand| &demand.value))],
    };
    lists.push(linear);
    lists
}

/// Everything that any of them allows; nothing said if one of them says nothing.
fn joined<'a>(lists: impl Iterator<Item = &'a Fact<Vec<MergeMethod>>>) -> Fact<Vec<MergeMethod>> {
    let mut all = Vec::new();
    let mut read_from = Vec::new();
    let mut silent = false;
    let mut hidden = None;
    for list in lists {
        match list {
            Fact::Known { value, sources } => {
                silent |= value.is_empty();
                all.extend(value.iter().cloned());
                read_from.extend(sources.iter().cloned());
            }
            Fact::Unknown(unknown) => hidden = hidden.or_else(|| Some(unknown.clone())),
        }
    }
    match hidden {
        _ if silent => Fact::seen_in(Vec::new(), read_from),
        Some(unknown) => Fact::Unknown(unknown),
        None => Fact::seen_in(all, read_from),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    use crate::controls::branch::testing::{self, any_layer};
    use crate::controls::testing::{branch, hidden, seen, verdict_of};

    use MergeMethod::{FastForward, Merge, Rebase, Squash};

    /// What layers and repository allow, and whether a layer wants linear history.
    fn verdict(
        layers: &[Option<Vec<MergeMethod>>],
        repository: Option<Vec<MergeMethod>>,
        linear: Option<bool>,
    ) -> String {
        let facts = facts(layers, repository, linear);
        verdict_of(&MergeMethodDeclared::default(), &facts)
    }

    fn facts(
        layers: &[Option<Vec<MergeMethod>>],
        repository: Option<Vec<MergeMethod>>,
        linear: Option<bool>,
    ) -> Snapshot {
        let mut facts = branch(|rules| {
            rules.merge_methods = any_layer(layers);
            rules.linear_history_required = any_layer(&[linear]);
        });
        let allowed = repository.map_or_else(hidden, seen);
        facts.settings.repository = seen(testing::repository(allowed, seen(false)));
        facts
    }

    #[test]
    fn what_remains_over_all_lists_is_what_counts() {
        let layers = [Some(vec![Merge, Squash]), Some(Vec::new())];
        let repository = Some(vec![Squash, Rebase, Merge]);
        assert_eq!(verdict(&layers, repository.clone(), Some(false)), "fail");
        let narrow = [Some(vec![Merge, Squash]), Some(vec![Squash, FastForward])];
        assert_eq!(verdict(&narrow, repository, Some(false)), "pass");
    }

    #[test]
    fn linear_history_leaves_no_merge_commit() {
        let layers = [Some(vec![Merge, Squash])];
        assert_eq!(verdict(&layers, None, Some(true)), "pass");
        let only_squash: MergeMethodDeclared =
            serde_json::from_value(json!({"methods": ["squash"]})).unwrap();
        let loose = facts(&[Some(Vec::new())], Some(Vec::new()), Some(true));
        assert_eq!(verdict_of(&only_squash, &loose), "fail");
    }

    #[test]
    fn where_nothing_says_anything_every_way_remains() {
        assert_eq!(
            verdict(&[Some(Vec::new())], Some(Vec::new()), Some(false)),
            "fail"
        );
        assert_eq!(verdict(&[], Some(Vec::new()), Some(false)), "fail");
    }

    #[test]
    fn a_way_that_is_not_known_is_not_declared() {
        let odd = Some(vec![Squash, MergeMethod::Other("octopus".to_owned())]);
        assert_eq!(verdict(&[odd], Some(Vec::new()), Some(false)), "fail");
    }

    #[test]
    fn what_is_hidden_can_only_narrow_further() {
        assert_eq!(verdict(&[Some(vec![Squash]), None], None, None), "pass");
        assert_eq!(verdict(&[Some(vec![Merge])], None, Some(false)), "unknown");
        assert_eq!(verdict(&[None], Some(vec![Merge]), Some(false)), "unknown");
        assert_eq!(verdict(&[], Some(vec![Merge]), None), "unknown");
    }

    #[test]
    fn where_the_most_permissive_layer_counts_the_lists_are_one() {
        let mut facts = facts(
            &[Some(vec![Squash]), Some(vec![Merge])],
            Some(Vec::new()),
            Some(false),
        );
        if let Fact::Known { value, .. } = &mut facts.branch_rules {
            value.merge_methods.combine = Combine::EveryLayer;
        }
        assert_eq!(verdict_of(&MergeMethodDeclared::default(), &facts), "fail");
    }

    #[test]
    fn f13_a_plan_without_protection_is_named() {
        let mut facts = facts(&[], Some(Vec::new()), Some(false));
        if let Fact::Known { value, .. } = &mut facts.branch_rules {
            value.layers.clear();
            value.not_in_plan = vec!["branch protection".to_owned()];
        }
        assert_eq!(
            verdict_of(&MergeMethodDeclared::default(), &facts),
            "fail plan"
        );
    }

    #[test]
    fn another_way_is_weaker() {
        let all: MergeMethodDeclared =
            serde_json::from_value(json!({"methods": ["merge", "squash"]})).unwrap();
        assert!(all.weaker_than(&MergeMethodDeclared::default()).is_some());
        assert!(
            serde_json::from_value::<MergeMethodDeclared>(json!({"methods": ["octopus"]})).is_err()
        );
    }
}
