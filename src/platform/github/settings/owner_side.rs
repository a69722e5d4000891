//! The groups around owners: organisation, access, pipelines, environments.
//! Knows which of them are wanted; asks nothing about branches.

use crate::facts::{
    Environments, Fact, FactKey, Needs, PipelineDefinition, PipelineSettings, Secret, Settings,
    Snapshot, Unknown,
};
use crate::platform::access;
use crate::platform::join::when;

use super::super::Session;
use super::super::client::Client;
use super::shared::Shared;
use super::{
    collaborators, defaults, definition, deployment, hooks, identity, keys, members, organization,
    pipeline, reach, reading, repository, review, runners, scanning, secrets,
};

/// What every question of this side depends on.
pub(super) struct Asker<'a> {
    pub(super) session: &'a Session,
    pub(super) shared: &'a Shared<'a>,
    /// The branch that the subject goes to; empty if it is not known.
    pub(super) target: &'a str,
}

impl Asker<'_> {
    /// The token that sees more.
    pub(super) fn client(&self) -> &Client {
        self.shared.client()
    }

    /// Whether there is nothing but a plain workflow token.
    pub(super) fn blind(&self) -> bool {
        self.shared.blind()
    }

    /// Whether the repository is known to belong to a person.
    pub(super) fn of_a_person(&self) -> bool {
        self.session.about.in_organization == Some(false)
    }

    /// Why there is no point in asking the organisation; `None`: there is.
    pub(super) fn no_organization(&self, key: FactKey, what: &str) -> Option<Unknown> {
        if self.of_a_person() {
            Some(reading::of_a_person(key))
        } else if self.blind() {
            Some(reading::not_asked(key, what))
        } else {
            None
        }
    }

    /// Where the organisation stands.
    pub(super) fn organization_path(&self) -> String {
        format!("/orgs/{}", access::encode(&self.session.owner))
    }

    /// A path below the repository.
    pub(super) fn path(&self, tail: &str) -> String {
        format!("{}/{tail}", self.session.repository_path())
    }
}

/// The groups of this side that are needed; all others are not collected.
pub(super) async fn owner_side(
    session: &Session,
    shared: &Shared<'_>,
    snapshot: &Snapshot,
    needs: &Needs,
) -> Settings {
    let asker = &Asker {
        session,
        shared,
        target: &snapshot.subject.target,
    };
    let mut settings = Settings::all_unknown();
    let (of_organization, of_repository, of_pipelines, of_scans) = tokio::join!(
        Box::pin(organization_groups(asker, needs)),
        Box::pin(repository_groups(asker, needs)),
        Box::pin(pipeline_groups(asker, needs)),
        Box::pin(scan_groups(asker, needs)),
    );
    settings.take_from(of_organization);
    settings.take_from(of_repository);
    settings.take_from(of_pipelines);
    settings.take_from(of_scans);
    settings
}

async fn organization_groups(asker: &Asker<'_>, needs: &Needs) -> Settings {
    let wanted = |key: FactKey| needs.has(key);
    let mut settings = Settings::all_unknown();
    let people = needs.any_of(&[
        FactKey::OrganizationTwoFactor,
        FactKey::OrganizationOwners,
        FactKey::OrganizationMembers,
        FactKey::OrganizationOutside,
    ]);
    let (organization, identity, people, review, apps, tokens, hooks, defaults) = tokio::join!(
        when(wanted(FactKey::OrganizationSettings), || organization::ask(
            asker
        )),
        when(wanted(FactKey::OrganizationIdentity), || identity::ask(
            asker
        )),
        when(people, || members::ask(asker, needs)),
        when(wanted(FactKey::OrganizationReview), || review::ask(asker)),
        when(wanted(FactKey::OrganizationApps), || reach::apps(asker)),
        when(wanted(FactKey::OrganizationTokens), || reach::tokens(asker)),
        when(wanted(FactKey::OrganizationWebhooks), || {
            hooks::of_organization(asker)
        }),
        when(wanted(FactKey::OrganizationDefaults), || defaults::ask(
            asker
        )),
    );
    put(&mut settings.organization, organization);
    put(&mut settings.organization_identity, identity);
    if let Some(people) = people {
        put(&mut settings.without_two_factor, people.without_two_factor);
        put(&mut settings.organization_owners, people.owners);
        put(&mut settings.organization_members, people.members);
        put(&mut settings.outside_collaborators, people.outside);
    }
    put(&mut settings.access_review, review);
    put(&mut settings.app_installations, apps);
    put(&mut settings.organization_tokens, tokens);
    put(&mut settings.organization_webhooks, hooks);
    put(&mut settings.new_repository_defaults, defaults);
    if wanted(FactKey::OrganizationActivity) {
        let key = FactKey::OrganizationActivity;
        settings.member_activity = Fact::Unknown(if asker.of_a_person() {
            reading::of_a_person(key)
        } else {
            reading::not_told(
                key,
                "no interface of the platform tells when a member was last active",
            )
        });
    }
    settings
}

async fn repository_groups(asker: &Asker<'_>, needs: &Needs) -> Settings {
    let wanted = |key: FactKey| needs.has(key);
    let mut settings = Settings::all_unknown();
    let (repository, collaborators, keys, hooks) = tokio::join!(
        when(wanted(FactKey::RepositorySettings), || repository::ask(
            asker
        )),
        when(wanted(FactKey::AccessCollaborators), || collaborators::ask(
            asker
        )),
        when(wanted(FactKey::AccessDeployKeys), || keys::ask(asker)),
        when(wanted(FactKey::AccessWebhooks), || hooks::of_repository(
            asker
        )),
    );
    put(&mut settings.repository, repository);
    put(&mut settings.collaborators, collaborators);
    put(&mut settings.deploy_keys, keys);
    put(&mut settings.webhooks, hooks);
    if wanted(FactKey::AccessTokens) {
        settings.access_tokens = Fact::Unknown(reading::not_told(
            FactKey::AccessTokens,
            "a repository here has no access tokens of its own, and those of people are on no list",
        ));
    }
    settings
}

async fn pipeline_groups(asker: &Asker<'_>, needs: &Needs) -> Settings {
    let wanted = |key: FactKey| needs.has(key);
    let mut settings = Settings::all_unknown();
    let with_secrets = wanted(FactKey::PipelineSecrets) && !asker.blind();
    let ((pipeline, definition), runners, secrets, (environments, of_environments)) = tokio::join!(
        settings_and_definition(asker, needs),
        when(wanted(FactKey::PipelineRunners), || runners::ask(asker)),
        when(wanted(FactKey::PipelineSecrets), || secrets::ask(asker)),
        Box::pin(environments(
            asker,
            wanted(FactKey::DeploymentEnvironments),
            with_secrets
        )),
    );
    put(&mut settings.pipeline, pipeline);
    put(&mut settings.runners, runners);
    put(&mut settings.definition, definition);
    put(
        &mut settings.secrets,
        secrets.map(|secrets| secrets::together(secrets, of_environments)),
    );
    put(&mut settings.environments, environments);
    settings
}

/// Where requests are saved, definitions come first: only some of them make the
/// subject of identity tokens matter.
async fn settings_and_definition(
    asker: &Asker<'_>,
    needs: &Needs,
) -> (
    Option<Fact<PipelineSettings>>,
    Option<Fact<PipelineDefinition>>,
) {
    let wanted = needs.has(FactKey::PipelineSettings);
    let definition = when(needs.has(FactKey::PipelineDefinition), || {
        definition::ask(asker)
    });
    if asker.saves_requests() {
        let definition = definition.await;
        let tokens = definition
            .as_ref()
            .is_none_or(definition::may_ask_for_tokens);
        let pipeline = when(wanted, || pipeline::ask(asker, tokens)).await;
        (pipeline, definition)
    } else {
        tokio::join!(when(wanted, || pipeline::ask(asker, true)), definition)
    }
}

async fn scan_groups(asker: &Asker<'_>, needs: &Needs) -> Settings {
    let wanted = |key: FactKey| needs.has(key);
    let mut settings = Settings::all_unknown();
    let (alerts, protection, setup) = tokio::join!(
        when(wanted(FactKey::ScanAlerts), || scanning::alerts::ask(asker)),
        when(wanted(FactKey::ScanPushProtection), || {
            scanning::push_protection::ask(asker)
        }),
        when(wanted(FactKey::ScanSetup), || scanning::setup::ask(asker)),
    );
    put(&mut settings.alerts, alerts);
    put(&mut settings.push_protection, protection);
    put(&mut settings.scan_setup, setup);
    settings
}

/// Environments and their secrets. With the names from the first round both are
/// asked at once, and nothing is where there is no environment.
async fn environments(
    asker: &Asker<'_>,
    wanted: bool,
    with_secrets: bool,
) -> (Option<Fact<Environments>>, Option<Fact<Vec<Secret>>>) {
    match &asker.session.about.environments {
        Some(names) if names.is_empty() => (
            wanted.then(|| Fact::known_without_source(deployment::none())),
            with_secrets.then(|| Fact::known_without_source(Vec::new())),
        ),
        Some(names) => tokio::join!(
            when(wanted, || async {
                deployment::ask(asker, &deployment::list(asker).await).await
            }),
            when(with_secrets, || secrets::of_named(asker, names)),
        ),
        None if wanted || with_secrets => {
            let list = deployment::list(asker).await;
            tokio::join!(
                when(wanted, || deployment::ask(asker, &list)),
                when(with_secrets, || secrets::of_environments(asker, &list)),
            )
        }
        None => (None, None),
    }
}

fn put<T>(place: &mut Fact<T>, found: Option<Fact<T>>) {
    if let Some(found) = found {
        *place = found;
    }
}

#[cfg(test)]
#[path = "owner_side_tests.rs"]
mod tests;
