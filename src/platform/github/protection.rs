//! Classic branch protection: who is told what, and what a refusal means.
//! Knows nothing of rulesets.

use crate::facts::{
    BypassActor, BypassKind, BypassMode, DirectPush, Fact, LayerKind, RequiredCheck, Source,
    Unknown, Why, all_of,
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

/// Whether the answer leaves it open whether there is any protection.
pub(super) fn is_hidden(full: &Result<Answer, NoAnswer>) -> bool {
    match full {
        Ok(answer) => answer.json::<wire::Protection>().is_err(),
        Err(refusal) => definitive(refusal).is_none(),
    }
}

/// Both answers together: protection in full, and the branch's own summary.
/// `full` is `None` where asking was pointless (a workflow token), the summary
/// where protection in full told everything.
pub(super) fn classic(
    full: Option<&Result<Answer, NoAnswer>>,
    branch: Option<&Result<Answer, NoAnswer>>,
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
fn from_summary(branch: Option<&Result<Answer, NoAnswer>>, hidden: &Unknown) -> Classic {
    let mut rules = LayerRules::hidden(CLASSIC, LayerKind::ClassicProtection, hidden);
    let Some(Ok(answer)) = branch else {
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
        last_push_approval_required: seen(
            reviews.and_then(|reviews| reviews.require_last_push_approval) == Some(true),
        ),
        // The platform never counts the author's own approval.
        author_approval_blocked: seen(
            reviews
                .and_then(|reviews| reviews.required_approving_review_count)
                .is_some_and(|count| count >= 1),
        ),
        code_owner_review_required: seen(
            reviews.and_then(|reviews| reviews.require_code_owner_reviews) == Some(true),
        ),
        dismissal_restricted: seen(
            reviews.is_some_and(|reviews| reviews.dismissal_restrictions.is_some()),
        ),
        conversations_resolved: flag(
            protection.required_conversation_resolution.as_ref(),
            "conversations have to be resolved",
            source,
        ),
        up_to_date_required: up_to_date(protection.required_status_checks.as_ref(), source),
        direct_push: direct_push(protection, source),
        linear_history_required: flag(
            protection.required_linear_history.as_ref(),
            "a linear history is required",
            source,
        ),
        signatures_required: flag(
            protection.required_signatures.as_ref(),
            "commits have to be signed",
            source,
        ),
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
    flag(allow, &format!("{what} is allowed"), source).map(|allowed| !allowed)
}

/// A flag that the platform always tells.
fn flag(flag: Option<&wire::Flag>, what: &str, source: &Source) -> Fact<bool> {
    match flag.and_then(|flag| flag.enabled) {
        Some(enabled) => Fact::seen(enabled, source.clone()),
        None => Fact::Unknown(silent(what, source)),
    }
}

fn silent(what: &str, source: &Source) -> Unknown {
    Unknown::new(
        "branch.rules",
        Why::Failed,
        format!("the answer does not say whether {what}"),
    )
    .at(source.endpoint.clone(), Some(200))
}

/// The strict flag means something only where a check is required.
/// <https://github.com/ossf/scorecard/blob/main/clients/githubrepo/branches.go>
fn up_to_date(checks: Option<&wire::StatusChecks>, source: &Source) -> Fact<bool> {
    let seen = |value: bool| Fact::seen(value, source.clone());
    let Some(checks) = checks else {
        return seen(false);
    };
    let any = match required(checks) {
        Some(list) => seen(!list.is_empty()),
        None => Fact::Unknown(silent("any check is required", source)),
    };
    let strict = match checks.strict {
        Some(strict) => seen(strict),
        None => Fact::Unknown(silent("a change has to be up to date", source)),
    };
    all_of([any, strict])
}

/// Where changes are required or the branch is locked, nobody pushes directly;
/// else those whom the restriction names, or everybody.
fn direct_push(protection: &wire::Protection, source: &Source) -> Fact<DirectPush> {
    let locked = protection
        .lock_branch
        .as_ref()
        .and_then(|lock| lock.enabled)
        == Some(true);
    let nobody = locked || protection.required_pull_request_reviews.is_some();
    let mut actors: Vec<String> = match &protection.restrictions {
        Some(allowed) if !nobody => named(allowed).map(|(_, name)| name).collect(),
        Some(_) | None => Vec::new(),
    };
    actors.sort();
    let restricted = nobody || protection.restrictions.is_some();
    Fact::seen(DirectPush { restricted, actors }, source.clone())
}

/// Everybody in a list of people, teams and apps.
fn named(allowed: &wire::Allowances) -> impl Iterator<Item = (BypassKind, String)> + '_ {
    let slug = |slug: &wire::Slug| slug.slug.clone().unwrap_or_else(|| "unnamed".to_owned());
    let users = allowed.users.iter().map(|user| {
        let login = user.login.as_deref().unwrap_or("somebody");
        (BypassKind::User, format!("@{login}"))
    });
    let teams = allowed.teams.iter();
    let teams = teams.map(move |team| (BypassKind::Team, format!("team {}", slug(team))));
    let apps = allowed.apps.iter();
    let apps = apps.map(move |app| (BypassKind::App, format!("app {}", slug(app))));
    users.chain(teams).chain(apps)
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
    if let Some(allowed) = protection
        .required_pull_request_reviews
        .as_ref()
        .and_then(|reviews| reviews.bypass_pull_request_allowances.as_ref())
    {
        actors.extend(named(allowed).map(|(kind, name)| BypassActor {
            kind,
            name,
            mode: BypassMode::Always,
        }));
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
#[path = "protection_tests.rs"]
mod tests;
