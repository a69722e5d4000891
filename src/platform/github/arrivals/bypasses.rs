//! Moves of the branch for which a ruleset let somebody through that did not meet
//! it, as far back as the platform tells. It says nothing of classic protection, and
//! nothing of actors that are exempt: for those no rule runs at all. Beside it, the
//! requests to go around push rules (`push_rules`).
//! <https://docs.github.com/rest/repos/rule-suites>

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::facts::{AccountRef, Fact, FactKey, RuleBypass, RuleBypasses, Unknown, Why};
use crate::platform::access;

use super::super::{Session, permissions};
use super::push_rules;

/// The longest period that can be asked for is called `month`; less than any month.
const REACH: SignedDuration = SignedDuration::from_hours(28 * 24);

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Suite {
    /// `refs/heads/…`.
    #[serde(rename = "ref")]
    reference: Option<String>,
    after_sha: Option<String>,
    actor_id: Option<u64>,
    actor_name: Option<String>,
    pushed_at: Option<Timestamp>,
    result: Option<String>,
}

pub(super) async fn ask(session: &Session, branch: &str) -> Fact<Option<RuleBypasses>> {
    let key = FactKey::BranchBypasses;
    let needs = permissions::needs(key);
    if session.workflow_token && session.settings.is_none() {
        return Fact::Unknown(
            Unknown::new(
                key.name(),
                Why::NotPermitted,
                "a workflow token cannot see who went around the rules, so it was not asked",
            )
            .needs(needs),
        );
    }
    let path = format!(
        "{}/rulesets/rule-suites?time_period=month&rule_suite_result=bypass",
        session.repository_path(),
    );
    let reference = format!("refs/heads/{branch}");
    let client = session.settings.as_ref().unwrap_or(&session.change);
    let (listing, requests) = tokio::join!(
        client.get_all(&path, None),
        push_rules::ask(session, client)
    );
    let mut listing = match listing {
        Ok(listing) => listing,
        Err(refusal) => return Fact::Unknown(access::refused(key.name(), needs, &refusal)),
    };
    let mut found = Vec::new();
    for item in &listing.items {
        let suite = match Suite::deserialize(item) {
            Ok(suite) => suite,
            Err(error) => {
                return Fact::Unknown(access::malformed(
                    key.name(),
                    &listing.endpoint,
                    200,
                    &error.to_string(),
                ));
            }
        };
        // Only what is known to have passed by the rules, or to be about another
        // branch, is left out.
        let elsewhere = suite.reference.is_some_and(|other| other != reference);
        if elsewhere || suite.result.as_deref() == Some("pass") {
            continue;
        }
        let Some(after) = suite.after_sha else {
            return Fact::Unknown(access::malformed(
                key.name(),
                &listing.endpoint,
                200,
                "a rule suite names no commit",
            ));
        };
        let id = suite.actor_id;
        let actor = suite.actor_name.map(|login| AccountRef { login, id });
        found.push(RuleBypass {
            at: suite.pushed_at,
            ..RuleBypass::of_move(after, actor)
        });
    }
    // The platform reckons the period by its own clock.
    let now = session
        .transport
        .platform_time()
        .unwrap_or(session.setup.now);
    let since = now.saturating_sub(REACH).unwrap_or(now);
    let (mut early_since, mut unseen) = (None, None);
    match requests {
        Ok(requests) => {
            // A commit may have been let through on another branch long before.
            early_since = requests.in_use.then_some(since);
            found.extend(requests.found);
            listing.sources.extend(requests.sources);
        }
        Err(unknown) => unseen = Some(unknown),
    }
    Fact::seen_in(
        Some(RuleBypasses {
            since,
            early_since,
            found,
            unseen,
        }),
        listing.sources,
    )
}
