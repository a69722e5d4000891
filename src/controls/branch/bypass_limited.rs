//! BR-22: nobody but the approved actors can go around the rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lists::{approves, beyond};
use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{BypassMode, FactKey, Platform, Snapshot, Unknown};

/// Parameters of BR-22.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BypassLimited {
    /// Names of the actors that may go around the rules, e.g. `@acme/ops`.
    allowed: Vec<String>,
}

impl Control for BypassLimited {
    const META: Meta = Meta {
        code: "BR-22",
        id: "bypass-limited",
        title: "nobody but approved actors can go around the rules of the branch",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "7.2.1"]),
            (Framework::Nist80053, &["AC-6", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::BranchBypass],
        rationale: "A rule that somebody can go around is a custom, not a control.",
        cheat: "Adding a clean second ruleset, or the mode \"exempt\", which leaves no trace. \
                        The lists of all layers are taken together, that mode is never approved, and a \
                        list that was left out of the answer is not an empty list.",
        remedy_github: "empty the \"Bypass list\" of every ruleset and the allowances of classic \
                        protection, or name the approved actors in the policy under `allowed`",
        remedy_gitlab: "remove users, groups, roles and deploy keys from \"Allowed to push and \
                        merge\", or name the approved actors in the policy under `allowed`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        if rules.layers.is_empty() {
            return Ok(unmet(
                fact,
                rules,
                "everybody with write access is free of rules",
                None,
            ));
        }
        let mut hidden = None;
        let mut free = Vec::new();
        let mut approved = 0_usize;
        for layer in &rules.layers {
            match layer.bypass.known() {
                Ok(actors) => {
                    for actor in actors {
                        if approves(&self.allowed, actor) {
                            approved += 1;
                        } else {
                            free.push(format!(
                                "{} ({}) through {}",
                                actor.name,
                                mode(&actor.mode),
                                layer.id
                            ));
                        }
                    }
                }
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !free.is_empty() {
            let who = free.join(", ");
            return Ok(Verdict::fail_because(
                FailReason::Bypassable,
                Evidence::new(
                    format!(
                        "the rules of {} are required but bypassable by {who}",
                        rules.branch
                    ),
                    FactKey::BranchBypass,
                    who,
                    fact.sources(),
                ),
            ));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        let count = |number: usize, one: &str, many: &str| {
            format!("{number} {}", if number == 1 { one } else { many })
        };
        let seen = format!(
            "{}, {}, no other",
            count(rules.layers.len(), "layer", "layers"),
            count(approved, "approved entry", "approved entries")
        );
        Ok(Verdict::Pass(Evidence::new(
            format!(
                "nobody else can go around the rules of {}: {seen}",
                rules.branch
            ),
            FactKey::BranchBypass,
            seen,
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        beyond(&self.allowed, &base.allowed)
            .map(|more| format!("allows {more} to go around the rules"))
    }
}

fn mode(mode: &BypassMode) -> &str {
    match mode {
        BypassMode::Always => "always",
        BypassMode::PullRequest => "when merging",
        BypassMode::Exempt => "exempt",
        BypassMode::Other(word) => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, hidden, verdict_of};
    use crate::facts::{BypassActor, BypassKind, Fact, Layer, LayerKind, Snapshot};

    fn with(mode: Option<BypassMode>, second: Option<Fact<Vec<BypassActor>>>) -> Snapshot {
        branch(|rules| {
            rules.layers[0].bypass = Fact::known_without_source(
                mode.into_iter()
                    .map(|mode| BypassActor {
                        kind: BypassKind::User,
                        name: "@ana".to_owned(),
                        mode,
                    })
                    .collect(),
            );
            if let Some(bypass) = second {
                rules
                    .layers
                    .push(Layer::of_repository("second", LayerKind::Ruleset, bypass));
            }
        })
    }

    fn ana() -> BypassLimited {
        BypassLimited {
            allowed: vec!["@Ana".to_owned()],
        }
    }

    #[test]
    fn empty_lists_pass() {
        assert_eq!(
            verdict_of(&BypassLimited::default(), &with(None, None)),
            "pass"
        );
    }

    #[test]
    fn f2_f4_a_clean_second_ruleset_does_not_hide_the_first() {
        let facts = with(
            Some(BypassMode::Always),
            Some(Fact::known_without_source(vec![])),
        );
        assert_eq!(
            verdict_of(&BypassLimited::default(), &facts),
            "fail bypassable"
        );
    }

    /// F4: two approvals are demanded by a ruleset that everybody in a role may go around.
    #[test]
    fn f4_two_approvals_that_a_role_may_go_around_are_weaker_than_stated() {
        use crate::controls::branch::approvals_required::ApprovalsRequired;
        use crate::controls::testing::demand;
        use crate::facts::Requirement;

        let facts = branch(|rules| {
            rules.approvals_required = Requirement::any_layer(vec![demand(
                "ruleset \"main\"",
                Fact::known_without_source(2),
            )]);
            rules.layers[0].bypass = Fact::known_without_source(vec![BypassActor {
                kind: BypassKind::Role,
                name: "role maintain".to_owned(),
                mode: BypassMode::Always,
            }]);
        });
        assert_eq!(verdict_of(&ApprovalsRequired::default(), &facts), "pass");
        let Ok(Verdict::Fail(failure)) = BypassLimited::default().evaluate(&facts) else {
            panic!("the stated number alone must not open the gate");
        };
        assert_eq!(failure.reason, Some(FailReason::Bypassable));
        assert!(failure.evidence.summary().contains("role maintain"));
    }

    /// F3: a setting that reads null tells nothing, for better or worse.
    #[test]
    fn f3_f9_a_list_left_out_is_unknown() {
        assert_eq!(
            verdict_of(&BypassLimited::default(), &with(None, Some(hidden()))),
            "unknown"
        );
    }

    #[test]
    fn a_proven_bypass_fails_whatever_is_hidden() {
        let facts = with(Some(BypassMode::PullRequest), Some(hidden()));
        assert_eq!(
            verdict_of(&BypassLimited::default(), &facts),
            "fail bypassable"
        );
    }

    #[test]
    fn an_approved_name_passes_but_never_when_exempt_f27() {
        assert_eq!(
            verdict_of(&ana(), &with(Some(BypassMode::Always), None)),
            "pass"
        );
        assert_eq!(
            verdict_of(&ana(), &with(Some(BypassMode::Exempt), None)),
            "fail bypassable"
        );
        let strange = BypassMode::Other("new".to_owned());
        assert_eq!(
            verdict_of(&ana(), &with(Some(strange), None)),
            "fail bypassable"
        );
    }

    #[test]
    fn a_longer_list_is_weaker() {
        assert!(ana().weaker_than(&BypassLimited::default()).is_some());
        assert!(BypassLimited::default().weaker_than(&ana()).is_none());
    }
}
