//! BR-21: the rules bind administrators and owners too.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::requirement::unmet;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{BypassKind, FactKey, Platform, Snapshot, Unknown};

/// BR-21 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AdministratorsBound {}

impl Control for AdministratorsBound {
    const META: Meta = Meta {
        code: "BR-21",
        id: "administrators-bound",
        title: "the rules of the branch bind administrators too",
        criteria: &[Criterion::Cc8_1, Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.32"]),
            (Framework::PciDss, &["6.5.1", "7.2.1"]),
            (Framework::Nist80053, &["AC-6", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules, FactKey::BranchBypass],
        rationale: "Rules that the most powerful accounts may ignore protect from everybody but \
                    those who can do the most harm.",
        cheat: "Adding a clean second layer beside one that exempts administrators. Every layer \
                is judged, and a list that was left out of the answer is not an empty list.",
        remedy_github: "remove repository admins, organization admins and enterprise owners from the \
                        \"Bypass list\" of every ruleset; in classic protection turn on \"Do not allow \
                        bypassing the above settings\"",
        remedy_gitlab: "set \"Allowed to push and merge\" to \"No one\" in every protected-branch \
                        entry that matches the branch: maintainers and owners on that list may push \
                        around the rules",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.branch_rules;
        let rules = fact.known()?;
        if rules.layers.is_empty() {
            return Ok(unmet(fact, rules, "no rule binds administrators", None));
        }
        let mut hidden = None;
        let mut exempt = Vec::new();
        for layer in &rules.layers {
            match layer.bypass.known() {
                Ok(actors) => exempt.extend(
                    actors
                        .iter()
                        .filter(|actor| administers(&actor.kind))
                        .map(|actor| format!("{} through {}", actor.name, layer.id)),
                ),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !exempt.is_empty() {
            let who = exempt.join(", ");
            return Ok(Verdict::fail_because(
                FailReason::Bypassable,
                Evidence::new(
                    format!("{} can be changed around the rules by {who}", rules.branch),
                    FactKey::BranchBypass,
                    who,
                    fact.sources(),
                ),
            ));
        }
        if let Some(unknown) = hidden {
            return Err(unknown);
        }
        Ok(Verdict::Pass(Evidence::new(
            format!("every layer of {} binds administrators", rules.branch),
            FactKey::BranchBypass,
            format!("{} layers, none exempts administrators", rules.layers.len()),
            fact.sources(),
        )))
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

/// A kind we do not know may be an administrator: we err to the strict side.
fn administers(kind: &BypassKind) -> bool {
    match kind {
        BypassKind::Administrators
        | BypassKind::OrganizationOwners
        | BypassKind::EnterpriseOwners
        | BypassKind::Other(_) => true,
        BypassKind::Role
        | BypassKind::Team
        | BypassKind::App
        | BypassKind::User
        | BypassKind::DeployKey => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{branch, verdict_of};
    use crate::facts::{BypassActor, BypassMode, Fact};

    fn verdict(kind: Option<BypassKind>) -> String {
        let facts = branch(|rules| {
            rules.layers[0].bypass = Fact::known_without_source(
                kind.into_iter()
                    .map(|kind| BypassActor {
                        kind,
                        name: "x".to_owned(),
                        mode: BypassMode::Always,
                    })
                    .collect(),
            );
        });
        verdict_of(&AdministratorsBound {}, &facts)
    }

    #[test]
    fn nobody_exempt_passes() {
        assert_eq!(verdict(None), "pass");
    }

    #[test]
    fn an_exempt_owner_fails() {
        assert_eq!(
            verdict(Some(BypassKind::OrganizationOwners)),
            "fail bypassable"
        );
    }

    #[test]
    fn a_hidden_list_is_unknown() {
        assert_eq!(
            verdict_of(&AdministratorsBound {}, &branch(|_| {})),
            "unknown"
        );
    }

    #[test]
    fn f13_no_layer_fails() {
        let facts = branch(|rules| rules.layers.clear());
        assert_eq!(
            verdict_of(&AdministratorsBound {}, &facts),
            "fail unprotected"
        );
    }
}
