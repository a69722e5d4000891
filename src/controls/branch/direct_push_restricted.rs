//! BR-20: only named people can push to the branch without a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::lists::{beyond, names};
use super::requirement::judge;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{DirectPush, FactKey, Platform, Snapshot, Unknown, any_of};

/// Parameters of BR-20.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DirectPushRestricted {
    /// Names of the only actors that may push, e.g. `team ops`, `maintainers`; an
    /// empty list: nobody may. Without it whoever the rules name may push.
    allowed: Option<Vec<String>>,
}

impl Control for DirectPushRestricted {
    const META: Meta = Meta {
        code: "BR-20",
        id: "direct-push-restricted",
        title: "only named actors can push to the branch directly",
        criteria: &[Criterion::Cc6_3, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.4"]),
            (Framework::PciDss, &["7.2.1", "6.5.1"]),
            (Framework::Nist80053, &["AC-6", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::BranchRules],
        rationale: "Where everybody who may write may also push, the review is a matter of good \
                        manners.",
        cheat: "Handing the right to push to a deploy key or an app that people can use. \
                        Everybody that a layer names is seen; the policy can say who is expected.",
        remedy_github: "require a pull request in an active ruleset that targets the branch, turn \
                        on \"Restrict updates\" there, or \"Restrict who can push to matching \
                        branches\" in classic protection",
        remedy_gitlab: "set \"Allowed to push and merge\" to \"No one\", or to named roles or \
                        people, in every protected-branch entry that matches the branch",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rules = facts.branch_rules.known()?;
        let test = |push: &DirectPush| self.accepts(push);
        // Where everything comes through changes, nobody pushes directly.
        let met = any_of([
            rules.pull_request_required.holds(|on| *on),
            rules.direct_push.holds(test),
        ]);
        let mut by = rules.pull_request_required.layers_where(|on| *on);
        by.extend(rules.direct_push.layers_where(test));
        by.sort_unstable();
        by.dedup();
        let mut others: Vec<&str> = rules
            .direct_push
            .known()
            .filter(|(_, push)| push.restricted)
            .flat_map(|(_, push)| &push.actors)
            .filter(|actor| !self.expects(actor))
            .map(String::as_str)
            .collect();
        others.sort_unstable();
        others.dedup();
        let bad = if others.is_empty() {
            "everybody who may write can push directly".to_owned()
        } else {
            format!(
                "not only the allowed can push directly: {}",
                others.join(", ")
            )
        };
        judge(
            &facts.branch_rules,
            &met,
            &by,
            "direct pushes are limited",
            &bad,
            None,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let expected = base.allowed.as_ref()?;
        let Some(allowed) = &self.allowed else {
            return Some("does not say who may push".to_owned());
        };
        beyond(allowed, expected).map(|more| format!("lets {more} push"))
    }
}

impl DirectPushRestricted {
    /// Whether a layer limits direct pushes to those whom the policy expects.
    fn accepts(&self, push: &DirectPush) -> bool {
        push.restricted && push.actors.iter().all(|actor| self.expects(actor))
    }

    fn expects(&self, actor: &str) -> bool {
        self.allowed
            .as_ref()
            .is_none_or(|allowed| names(allowed, actor))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::branch::testing::{any_layer, plan};
    use crate::controls::testing::{branch, demand, hidden, seen, verdict_of};
    use crate::facts::Requirement;

    fn push(restricted: bool, actors: &[&str]) -> DirectPush {
        DirectPush {
            restricted,
            actors: actors.iter().map(|&actor| actor.to_owned()).collect(),
        }
    }

    fn only(allowed: &[&str]) -> DirectPushRestricted {
        DirectPushRestricted {
            allowed: Some(push(true, allowed).actors),
        }
    }

    fn verdict(
        control: &DirectPushRestricted,
        pushes: &[Option<DirectPush>],
        change: Option<bool>,
    ) -> String {
        let facts = branch(|rules| {
            rules.direct_push = any_layer(pushes);
            rules.pull_request_required = any_layer(&[change]);
        });
        verdict_of(control, &facts)
    }

    #[test]
    fn named_pushers_or_no_direct_pushes_at_all_pass() {
        let any = DirectPushRestricted::default();
        let named = push(true, &["team ops"]);
        assert_eq!(verdict(&any, &[Some(named)], Some(false)), "pass");
        assert_eq!(verdict(&any, &[None], Some(true)), "pass");
    }

    #[test]
    fn pushes_by_everybody_who_may_write_fail() {
        let open = Some(push(false, &[]));
        assert_eq!(
            verdict(&DirectPushRestricted::default(), &[open], Some(false)),
            "fail"
        );
    }

    #[test]
    fn a_key_that_the_policy_does_not_expect_fails() {
        let pushes = || [Some(push(true, &["Team Ops", "deploy key ci (7)"]))];
        let some = only(&["team ops"]);
        let both = only(&["team ops", "deploy key ci (7)"]);
        assert_eq!(verdict(&some, &pushes(), Some(false)), "fail");
        assert_eq!(verdict(&both, &pushes(), Some(false)), "pass");
        assert_eq!(verdict(&only(&[]), &pushes(), Some(false)), "fail");
    }

    #[test]
    fn one_entry_that_lets_everybody_push_fails_where_every_entry_counts() {
        let facts = branch(|rules| {
            rules.pull_request_required = any_layer(&[Some(false)]);
            rules.direct_push = Requirement::every_layer(vec![
                demand("a", seen(push(true, &[]))),
                demand("b", seen(push(false, &[]))),
                demand("c", hidden()),
            ]);
        });
        assert_eq!(verdict_of(&DirectPushRestricted::default(), &facts), "fail");
    }

    #[test]
    fn what_is_hidden_leaves_it_unknown() {
        let any = DirectPushRestricted::default();
        let open = || Some(push(false, &[]));
        assert_eq!(verdict(&any, &[open()], None), "unknown");
        assert_eq!(verdict(&any, &[open(), None], Some(false)), "unknown");
    }

    #[test]
    fn a_longer_list_is_weaker_and_no_list_is_weakest() {
        let any = DirectPushRestricted::default();
        assert!(any.weaker_than(&only(&[])).is_some());
        assert!(only(&["eve"]).weaker_than(&only(&["ana"])).is_some());
        assert_eq!(only(&["ANA"]).weaker_than(&only(&["ana"])), None);
        assert_eq!(only(&["ana"]).weaker_than(&any), None);
    }

    #[test]
    fn a_plan_without_the_feature_fails_with_that_reason() {
        assert_eq!(
            plan(&DirectPushRestricted::default(), "branch protection"),
            "fail plan"
        );
    }
}
