//! What reaches into the group from outside, or out of it: integrations,
//! tokens, webhooks. Knows which integrations can change something; sees no
//! OAuth applications, which GitLab lists nowhere.

use serde::Deserialize;

use crate::facts::{
    AppInstallation, Fact, FactKey, OrganizationTokens, OrganizationWebhooks, Source,
};

use super::super::lookups::gone;
use super::super::wire::{Pages, Read, list};
use super::super::{Session, left_out, permissions};
use super::above::{self, not_told};
use super::machines::{self, TokenKind};

const NEEDS: &str = permissions::GROUP_OWNER;

/// Integrations that only send out what happens. Any other may change something.
const ONLY_SEND: &[&str] = &[
    "apple-app-store",
    "asana",
    "assembla",
    "bamboo",
    "bugzilla",
    "buildkite",
    "campfire",
    "clickup",
    "confluence",
    "custom-issue-tracker",
    "datadog",
    "discord",
    "drone-ci",
    "emails-on-push",
    "ewm",
    "external-wiki",
    "github",
    "google-play",
    "hangouts-chat",
    "harbor",
    "irker",
    "jenkins",
    "jira",
    "mattermost",
    "matrix",
    "microsoft-teams",
    "packagist",
    "phorge",
    "pipelines-email",
    "pivotaltracker",
    "pumble",
    "pushover",
    "redmine",
    "slack",
    "squash-tm",
    "teamcity",
    "telegram",
    "unify-circuit",
    "webex-teams",
    "youtrack",
    "zentao",
];

#[derive(Deserialize)]
struct Integration {
    title: Option<String>,
    slug: Option<String>,
    active: Option<bool>,
}

/// Group `organization.apps`.
pub(super) async fn apps(session: &Session) -> Fact<Vec<AppInstallation>> {
    let name = FactKey::OrganizationApps.name();
    match above::groups_of(session, name, permissions::GROUP_MAINTAINER) {
        Ok(paths) => {
            let (nearest, _) = above::nearest_and_top(&paths);
            let path = above::under(nearest, "/integrations");
            integrations(&session.settings.get_all(&path, None).await)
        }
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn integrations(pages: &Pages) -> Fact<Vec<AppInstallation>> {
    let name = FactKey::OrganizationApps.name();
    let read: Read<Vec<Integration>> = list(name, permissions::GROUP_MAINTAINER, pages);
    let (rows, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let mut found = Vec::new();
    for row in rows {
        if row.active == Some(false) {
            continue;
        }
        let Some(slug) = row.slug else {
            return Fact::Unknown(left_out(name, "slug", &sources));
        };
        let can_write = !ONLY_SEND.contains(&slug.as_str());
        let permissions = if can_write {
            "commands of people: as they may"
        } else {
            "events: read"
        };
        found.push(AppInstallation {
            name: row.title.unwrap_or(slug),
            permissions: vec![permissions.to_owned()],
            can_write,
            // A group's integration holds for all of its projects.
            all_repositories: true,
            suspended: false,
        });
    }
    found.sort();
    Fact::seen_in(found, sources)
}

/// Group `organization.tokens`.
pub(super) async fn tokens(session: &Session) -> Fact<OrganizationTokens> {
    let name = FactKey::OrganizationTokens.name();
    let paths = match above::groups_of(session, name, NEEDS) {
        Ok(paths) => paths,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let (nearest, _) = above::nearest_and_top(&paths);
    let (access, deploy) = (
        above::under(nearest, "/access_tokens"),
        above::under(nearest, "/deploy_tokens"),
    );
    let (access, deploy) = tokio::join!(
        session.settings.get_all(&access, None),
        session.settings.get_all(&deploy, None)
    );
    let tokens = machines::tokens(
        name,
        NEEDS,
        &[(TokenKind::Group, &access), (TokenKind::Deploy, &deploy)],
    );
    let sources = tokens.sources().to_vec();
    let found = OrganizationTokens {
        approval_required: not_told(
            name,
            "GitLab has no approval of tokens; those of a group are made by its owners",
        ),
        classic_blocked: not_told(
            name,
            "GitLab has no interface that tells whether personal access tokens are kept out of a group",
        ),
        tokens,
    };
    Fact::seen_in(found, sources)
}

/// Group `organization.webhooks`.
pub(super) async fn webhooks(session: &Session) -> Fact<OrganizationWebhooks> {
    let name = FactKey::OrganizationWebhooks.name();
    match above::groups_of(session, name, NEEDS) {
        Ok(paths) => {
            let (nearest, _) = above::nearest_and_top(&paths);
            let path = above::under(nearest, "/hooks");
            let (pages, free) = tokio::join!(
                session.settings.get_all(&path, None),
                above::free_tier(session)
            );
            hooks(&pages, free)
        }
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// A tier that does not sell webhooks of groups has none.
fn hooks(pages: &Pages, free: Option<Vec<Source>>) -> Fact<OrganizationWebhooks> {
    match (gone(pages), free) {
        (Some(source), Some(mut sources)) => {
            sources.push(source);
            Fact::seen_in(Vec::new(), sources)
        }
        (Some(_) | None, _) => machines::hooks(FactKey::OrganizationWebhooks.name(), NEEDS, pages),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::Why;
    use crate::platform::gitlab::settings::testing::{pages, refused};

    #[test]
    fn an_integration_that_is_not_known_to_send_only_counts_as_one_that_writes() {
        let found = integrations(&pages(json!([
            {"title": "Slack notifications", "slug": "slack", "active": true},
            {"title": "Commands", "slug": "mattermost-slash-commands", "active": true},
            {"slug": "newest"},
            {"title": "Off", "slug": "jira", "active": false}
        ])));
        let found = found.known().unwrap();
        let writes: Vec<(&str, bool)> = found
            .iter()
            .map(|app| (app.name.as_str(), app.can_write))
            .collect();
        assert_eq!(
            writes,
            [
                ("Commands", true),
                ("Slack notifications", false),
                ("newest", true)
            ]
        );
        assert!(found.iter().all(|app| app.all_repositories));
    }

    #[test]
    fn integrations_that_are_refused_or_nameless_are_unknown() {
        for odd in [refused(404), refused(403), pages(json!([{"active": true}]))] {
            assert!(!integrations(&odd).is_known());
        }
    }

    #[test]
    fn group_webhooks_are_none_only_where_the_free_tier_is_proven() {
        assert_eq!(
            hooks(&refused(404), Some(Vec::new())).known(),
            Ok(&Vec::new())
        );
        let hidden = hooks(&refused(404), None).known().unwrap_err();
        assert_eq!(hidden.why, Why::HiddenOrAbsent);
        let refused = hooks(&refused(403), Some(Vec::new())).known().unwrap_err();
        assert_eq!(refused.why, Why::NotPermitted);
    }
}
