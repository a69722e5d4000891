//! Settings that owners and maintainers keep: groups, access, pipelines,
//! runners, secrets, environments. Says which group of facts is asked; each
//! file beside it says how. Does not know what stands in the repository.

use crate::facts::{Fact, FactKey, Needs, Snapshot, Unknown};

use super::super::Session;
use super::{
    access, deployment, group, group_people, group_reach, pipeline, review, runners, scanning,
    secrets,
};

/// Fills in the needed groups of facts, all asked for at once.
pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, needs: &Needs) {
    let default_branch = snapshot.repository.default_branch.clone();
    let now = scanning::push_protection::SnapshotTime::of(snapshot);
    let into = &mut snapshot.settings;
    if needs.has(FactKey::RepositorySettings) {
        into.repository = access::repository(session);
    }
    tokio::join!(
        put(
            needs,
            FactKey::OrganizationSettings,
            &mut into.organization,
            group::organization(session)
        ),
        put(
            needs,
            FactKey::OrganizationIdentity,
            &mut into.organization_identity,
            group::identity(session)
        ),
        put(
            needs,
            FactKey::OrganizationDefaults,
            &mut into.new_repository_defaults,
            group::defaults(session)
        ),
        put(
            needs,
            FactKey::OrganizationTwoFactor,
            &mut into.without_two_factor,
            group_people::two_factor(session)
        ),
        put(
            needs,
            FactKey::OrganizationOwners,
            &mut into.organization_owners,
            group_people::owners(session)
        ),
        put(
            needs,
            FactKey::OrganizationMembers,
            &mut into.organization_members,
            group_people::members(session)
        ),
        put(
            needs,
            FactKey::OrganizationOutside,
            &mut into.outside_collaborators,
            group_people::outside(session)
        ),
        put(
            needs,
            FactKey::OrganizationActivity,
            &mut into.member_activity,
            group_people::activity(session)
        ),
        put(
            needs,
            FactKey::OrganizationReview,
            &mut into.access_review,
            review::review(session, &default_branch)
        ),
        put(
            needs,
            FactKey::OrganizationApps,
            &mut into.app_installations,
            group_reach::apps(session)
        ),
        put(
            needs,
            FactKey::OrganizationTokens,
            &mut into.organization_tokens,
            group_reach::tokens(session)
        ),
        put(
            needs,
            FactKey::OrganizationWebhooks,
            &mut into.organization_webhooks,
            group_reach::webhooks(session)
        ),
        put(
            needs,
            FactKey::AccessCollaborators,
            &mut into.collaborators,
            access::collaborators(session)
        ),
        put(
            needs,
            FactKey::AccessDeployKeys,
            &mut into.deploy_keys,
            access::deploy_keys(session)
        ),
        put(
            needs,
            FactKey::AccessTokens,
            &mut into.access_tokens,
            access::tokens(session)
        ),
        put(
            needs,
            FactKey::AccessWebhooks,
            &mut into.webhooks,
            access::webhooks(session)
        ),
        put(
            needs,
            FactKey::PipelineSettings,
            &mut into.pipeline,
            pipeline::settings(session)
        ),
        put(
            needs,
            FactKey::PipelineRunners,
            &mut into.runners,
            runners::runners(session)
        ),
        put(
            needs,
            FactKey::PipelineSecrets,
            &mut into.secrets,
            secrets::secrets(session)
        ),
        put(
            needs,
            FactKey::DeploymentEnvironments,
            &mut into.environments,
            deployment::environments(session)
        ),
        put(
            needs,
            FactKey::ScanPushProtection,
            &mut into.push_protection,
            scanning::push_protection::protection(session, now)
        ),
        async {
            let (alerts, setup) = scanning::question::both(session, needs).await;
            into.alerts = alerts.unwrap_or_else(|| not_collected(FactKey::ScanAlerts));
            into.scan_setup = setup.unwrap_or_else(|| not_collected(FactKey::ScanSetup));
        },
    );
}

fn not_collected<T>(key: FactKey) -> Fact<T> {
    Fact::Unknown(Unknown::not_collected(key.name()))
}

/// Asks if somebody needs it. What nobody needs is never polled, so never asked.
async fn put<T>(
    needs: &Needs,
    key: FactKey,
    place: &mut Fact<T>,
    ask: impl Future<Output = Fact<T>>,
) {
    if needs.has(key) {
        *place = ask.await;
    }
}

#[cfg(test)]
mod tests;
