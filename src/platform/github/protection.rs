//! Classic branch protection: who is told what, and what a refusal means.
//! Knows nothing of rulesets.

use crate::facts::{
    BypassActor, BypassKind, BypassMode, Fact, LayerKind, RequiredCheck, Source, Unknown, Why,
};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::layer::LayerRules;
use super::permissions::ADMINISTRATION;
use super::wire;

/// Name of the layer.
pub(super) const CLASSIC: &str = "classic protection";

/// What is known about classic protection of a branch.
#[derive(Debug)]
pub(super) enum Classic {
    /// The platform says that there is none.
    None,
    /// The plan has none.
    NotInPlan,
    /// There is some, or there may be some.
    Layer(Box<LayerRules>),
}

/// Both answers together: protection in full, and the branch's own summary.
/// `full` is `None` where asking was pointless (a workflow token).
pub(super) fn classic(
    full: Option<&Result<Answer, NoAnswer>>,
    branch: &Result<Answer, NoAnswer>,
) -> Classic {
    let hidden = match full {
        Some(Ok(answer)) => match answer.json::<wire::Protection>() {
            Ok(protection) => {
                return Classic::Layer(Box::new(in_full(&protection, &answer.source)));
            }
            Err(detail) => {
                access::malformed("branch.rules", &answer.endpoint, answer.status, &detail)
            }
        },
        Some(Err(refusal)) => match definitive(refusal) {
            Some(decided) => return decided,
            None => access::refused("branch.rules", ADMINISTRATION, refusal),
        },
        None => Unknown::new(
            "branch.rules",
            Why::NotPermitted,
            "a workflow token cannot see classic branch protection, so it was not asked",
        )
        .needs(ADMINISTRATION),
    };
    from_summary(branch, &hidden)
}

/// The answers whose text settles the matter.
fn definitive(refusal: &NoAnswer) -> Option<Classic> {
    let NoAnswer::Status(answer) = refusal else {
        return None;
    };
    let message = answer.message();
    match answer.status {
        404 if message.starts_with("Branch not protected") => Some(Classic::None),
        404 if message.starts_with("Branch protection has been disabled") => {
            Some(Classic::NotInPlan)
        }
        403 if is_plan(&message) => Some(Classic::NotInPlan),
        _ => None,
    }
}

/// Whether a refusal is about the plan, not about the token.
pub(super) fn is_plan(message: &str) -> bool {
    message.starts_with("Upgrade to GitHub")
}

/// A hidden rule, seen through the branch's summary: `protected: false` proves
/// that there is none; `true` shows the required checks and nothing else.
fn from_summary(branch: &Result<Answer, NoAnswer>, hidden: &Unknown) -> Classic {
    let mut rules = LayerRules::hidden(CLASSIC, LayerKind::ClassicProtection, hidden);
    let Ok(answer) = branch else {
        return Classic::Layer(Box::new(rules));
    };
    let Ok(summary) = answer.json::<wire::Branch>() else {
        return Classic::Layer(Box::new(rules));
    };
    match summary.protected {
        Some(false) => return Classic::None,
        None => return Classic::Layer(Box::new(rules)),
        Some(true) => {}
    }
    rules.protected = Fact::seen(true, answer.source.clone());
    let checks = summary
        .protection
        .and_then(|protection| protection.required_status_checks)
        .filter(|checks| {
            checks.enforcement_level.is_some()
                && (checks.checks.is_some() || checks.contexts.is_some())
        });
    if let Some(checks) = checks.and_then(|checks| required(&checks)) {
        rules.set_checks(checks, &answer.source);
    }
    Classic::Layer(Box::new(rules))
}

/// A key that the answer leaves out is a protection that is not set; where that
/// would be good news, it is not known.
fn in_full(protection: &wire::Protection, source: &Source) -> LayerRules {
    let seen = |value: bool| Fact::seen(value, source.clone());
    let reviews = protection.required_pull_request_reviews.as_ref();
    let missing = |what: &str| {
        Unknown::new(
            "branch.rules",
            Why::Failed,
            format!("the answer leaves out {what}"),
        )
        .at(source.endpoint.clone(), Some(200))
    };
    let mut rules = LayerRules {
        id: CLASSIC.to_owned(),
        kind: LayerKind::ClassicProtection,
        bypass: Fact::seen(bypass(protection), source.clone()),
        protected: seen(true),
        pull_request_required: seen(reviews.is_some()),
        approvals_required: Fact::seen(
            reviews
                .and_then(|reviews| reviews.required_approving_review_count)
                .unwrap_or(0),
            source.clone(),
        ),
        stale_approvals_dismissed: seen(
            reviews.and_then(|reviews| reviews.dismiss_stale_reviews) == Some(true),
        ),
        required_checks: Fact::seen(Vec::new(), source.clone()),
        skipped_checks_block: seen(false),
        force_push_blocked: blocked(
            protection.allow_force_pushes.as_ref(),
            "a force push",
            source,
        ),
        deletion_blocked: blocked(protection.allow_deletions.as_ref(), "deletion", source),
        ..LayerRules::hidden(
            CLASSIC,
            LayerKind::ClassicProtection,
            &Unknown::not_collected("branch.rules"),
        )
    };
    match protection.required_status_checks.as_ref().map(required) {
        None => rules.set_checks(Vec::new(), source),
        Some(Some(checks)) => rules.set_checks(checks, source),
        Some(None) => {
            let why = missing("which checks are required");
            rules.required_checks = Fact::Unknown(why.clone());
            rules.skipped_checks_block = Fact::Unknown(why);
        }
    }
    rules
}

/// Classic protection refuses force pushes and deletion unless a flag allows
/// them. The platform always tells the flag: an answer without it, or without
/// its value, says nothing.
fn blocked(allow: Option<&wire::Flag>, what: &str, source: &Source) -> Fact<bool> {
    match allow.and_then(|flag| flag.enabled) {
        Some(allowed) => Fact::seen(!allowed, source.clone()),
        None => Fact::Unknown(
            Unknown::new(
                "branch.rules",
                Why::Failed,
                format!("the answer does not say whether {what} is allowed"),
            )
            .at(source.endpoint.clone(), Some(200)),
        ),
    }
}

/// Administrators are bound only where the answer says so. Those who need no
/// pull request may push straight to the branch, at any time.
fn bypass(protection: &wire::Protection) -> Vec<BypassActor> {
    let mut actors = Vec::new();
    let bound = protection
        .enforce_admins
        .as_ref()
        .and_then(|flag| flag.enabled)
        == Some(true);
    if !bound {
        actors.push(BypassActor {
            kind: BypassKind::Administrators,
            name: "administrators".to_owned(),
            mode: BypassMode::Always,
        });
    }
    let Some(allowed) = protection
        .required_pull_request_reviews
        .as_ref()
        .and_then(|reviews| reviews.bypass_pull_request_allowances.as_ref())
    else {
        return actors;
    };
    let mut push = |kind: BypassKind, name: String| {
        actors.push(BypassActor {
            kind,
            name,
            mode: BypassMode::Always,
        });
    };
    for user in &allowed.users {
        let login = user.login.as_deref().unwrap_or("somebody");
        push(BypassKind::User, format!("@{login}"));
    }
    for team in &allowed.teams {
        let slug = team.slug.as_deref().unwrap_or("unnamed");
        push(BypassKind::Team, format!("team {slug}"));
    }
    for app in &allowed.apps {
        let slug = app.slug.as_deref().unwrap_or("unnamed");
        push(BypassKind::App, format!("app {slug}"));
    }
    actors
}

/// `checks`, and whatever only the older `contexts` names. App -1 means any app.
/// `None` if neither is there, or one is left without a name: a demand that
/// cannot be read is not one less.
fn required(checks: &wire::StatusChecks) -> Option<Vec<RequiredCheck>> {
    if checks.checks.is_none() && checks.contexts.is_none() {
        return None;
    }
    let mut list: Vec<RequiredCheck> = checks
        .checks
        .iter()
        .flatten()
        .map(|check| {
            Some(RequiredCheck {
                name: check.context.clone()?,
                app: check.app_id.filter(|id| *id > 0).map(|id| id.to_string()),
            })
        })
        .collect::<Option<_>>()?;
    for context in checks.contexts.iter().flatten() {
        if !list.iter().any(|check| check.name == *context) {
            list.push(RequiredCheck {
                name: context.clone(),
                app: None,
            });
        }
    }
    Some(list)
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::{refused, rest};
    use super::*;
    use serde_json::{Value, json};

    #[expect(
        clippy::needless_pass_by_value,
        reason = "the answers are written in place"
    )]
    fn layer(
        full: Option<Result<Answer, NoAnswer>>,
        branch: Result<Answer, NoAnswer>,
    ) -> Option<LayerRules> {
        match classic(full.as_ref(), &branch) {
            Classic::Layer(layer) => Some(*layer),
            Classic::None | Classic::NotInPlan => None,
        }
    }

    fn seen(protection: &Value) -> LayerRules {
        layer(Some(rest(protection)), refused(404, "Not Found")).unwrap()
    }

    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    fn summary(protected: bool) -> Result<Answer, NoAnswer> {
        rest(
            &json!({"protected": protected, "protection": {"required_status_checks":
            {"enforcement_level": "everyone", "contexts": ["test"], "checks": [{"context": "test", "app_id": 15368}]}}}),
        )
    }

    #[test]
    fn only_the_platforms_own_words_prove_that_nothing_is_set() {
        let asked =
            |status, message| classic(Some(&refused(status, message)), &refused(404, "Not Found"));
        assert!(matches!(asked(404, "Branch not protected"), Classic::None));
        assert!(matches!(
            asked(
                403,
                "Upgrade to GitHub Pro or make this repository public to enable this feature."
            ),
            Classic::NotInPlan
        ));
        assert!(matches!(
            asked(
                404,
                "Branch protection has been disabled on this repository."
            ),
            Classic::NotInPlan
        ));
        for (status, message) in [
            (404, "Not Found"),
            (404, "Branch not found"),
            (403, "Resource not accessible by integration"),
            (500, ""),
        ] {
            assert!(
                matches!(asked(status, message), Classic::Layer(_)),
                "{status} {message}"
            );
        }
    }

    #[test]
    fn f1_a_branch_that_reads_unprotected_has_no_classic_layer_even_for_a_weak_token() {
        assert!(layer(None, summary(false)).is_none());
        assert!(layer(Some(refused(403, "no")), summary(false)).is_none());
    }

    #[test]
    fn a_weak_token_sees_the_required_checks_and_nothing_else() {
        let layer = layer(None, summary(true)).unwrap();
        assert_eq!(layer.protected.known(), Ok(&true));
        assert_eq!(
            layer.required_checks.known().unwrap()[0].app.as_deref(),
            Some("15368")
        );
        let why = layer.approvals_required.known().unwrap_err();
        assert_eq!(why.why, Why::NotPermitted);
        assert!(why.needs.unwrap().starts_with("Administration: read"));
        assert!(!layer.bypass.is_known() && !layer.force_push_blocked.is_known());
    }

    #[test]
    fn a_summary_that_is_hidden_too_leaves_everything_unknown() {
        let layer = layer(None, refused(404, "Not Found")).unwrap();
        assert!(!layer.protected.is_known() && !layer.required_checks.is_known());
        let silent = super::tests::layer(None, rest(&json!({}))).unwrap();
        assert!(!silent.protected.is_known());
    }

    #[test]
    fn a_key_that_is_missing_from_protection_is_a_protection_that_is_not_set() {
        let layer = seen(&json!({"enforce_admins": {"enabled": true}}));
        assert_eq!(layer.pull_request_required.known(), Ok(&false));
        assert_eq!(layer.approvals_required.known(), Ok(&0));
        assert_eq!(layer.required_checks.known(), Ok(&vec![]));
        assert_eq!(layer.skipped_checks_block.known(), Ok(&false));
        assert_eq!(layer.bypass.known(), Ok(&vec![]));
    }

    #[test]
    fn f5_f6_force_pushes_are_blocked_unless_the_flag_allows_them() {
        let flag =
            |value: Value| seen(&json!({"allow_force_pushes": value, "allow_deletions": value}));
        assert_eq!(
            flag(json!({"enabled": false})).force_push_blocked.known(),
            Ok(&true)
        );
        assert_eq!(
            flag(json!({"enabled": true})).force_push_blocked.known(),
            Ok(&false)
        );
        assert_eq!(
            flag(json!({"enabled": true})).deletion_blocked.known(),
            Ok(&false)
        );
        assert!(!flag(json!({})).force_push_blocked.is_known());
    }

    #[test]
    fn an_answer_without_the_flags_does_not_prove_that_force_pushes_and_deletion_are_blocked() {
        for flags in [
            json!({}),
            json!({"allow_force_pushes": null, "allow_deletions": null}),
        ] {
            let layer = seen(&flags);
            assert!(!layer.force_push_blocked.is_known(), "{flags}");
            assert!(!layer.deletion_blocked.is_known(), "{flags}");
        }
    }

    #[test]
    fn a_required_check_that_cannot_be_read_is_not_one_less() {
        for checks in [
            json!({}),
            json!({"strict": true}),
            json!({"checks": [{"context": "a"}, {"app_id": 7}]}),
        ] {
            let layer = seen(&json!({"required_status_checks": checks}));
            assert!(!layer.required_checks.is_known(), "{checks}");
            assert!(!layer.skipped_checks_block.is_known(), "{checks}");
        }
    }

    #[test]
    fn administrators_are_bound_only_where_the_answer_says_so() {
        for protection in [
            json!({}),
            json!({"enforce_admins": {"enabled": false}}),
            json!({"enforce_admins": {}}),
        ] {
            let actors = seen(&protection).bypass.known().unwrap().clone();
            assert_eq!(actors[0].kind, BypassKind::Administrators, "{protection}");
        }
    }

    #[test]
    fn those_who_need_no_pull_request_are_named() {
        let layer = seen(
            &json!({"enforce_admins": {"enabled": true}, "required_pull_request_reviews":
            {"bypass_pull_request_allowances": {"users": [{"login": "eve"}], "teams": [{"slug": "ops"}], "apps": [{"slug": "bot"}]}}}),
        );
        let names: Vec<_> = layer
            .bypass
            .known()
            .unwrap()
            .iter()
            .map(|actor| actor.name.clone())
            .collect();
        assert_eq!(names, ["@eve", "team ops", "app bot"]);
    }

    #[test]
    fn older_contexts_count_and_any_app_pins_nothing() {
        let layer = seen(
            &json!({"required_status_checks": {"contexts": ["a", "old"], "checks": [{"context": "a", "app_id": -1}]}}),
        );
        let checks = layer.required_checks.known().unwrap().clone();
        assert_eq!(checks.len(), 2);
        assert!(checks.iter().all(|check| check.app.is_none()));
    }
}
