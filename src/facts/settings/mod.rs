//! Settings: everything about organisation, repository, pipelines and
//! environments that no single change brings with it. Each group is asked for
//! by itself, and each value in it may be unknown by itself.

mod access;
mod deployment;
mod organization;
mod pipeline;
mod repository;
mod scanning;

use serde::{Deserialize, Serialize};

use super::actor::Account;
use super::fact::{Fact, Unknown};
use super::key::{FactKey, Needs};

pub use access::{
    AccessToken, Collaborator, Collaborators, DeployKey, RepositorySettings, TeamAccess,
    Visibility, Webhook,
};
pub use deployment::{DeployableRefs, Environment, Environments};
pub use organization::{
    AccessReview, AccessRole, AppInstallation, MemberActivity, NewRepositoryDefaults, Organization,
    OrganizationIdentity, OrganizationTokens, OrganizationWebhooks, SingleSignOn, Who,
    WithoutTwoFactor,
};
pub use pipeline::{
    AllowedSources, Definition, DefinitionFile, ForeignPart, ForkRuns, PartKind,
    PipelineDefinition, PipelineJob, PipelineSettings, RunInput, Runner, Secret, SecretScope,
    TokenRights,
};
pub use repository::{
    CodeOwners, InScopeBranch, MergedHead, OwnerStatus, OwnersDialect, OwnersFile, Releases,
    ReportedCheck, TagProtection,
};
pub use scanning::{Alert, Alerts, ImposedScan, PushBypass, PushProtection, ScanSetup, Watch};

/// The server that answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `GitHub Enterprise Server`, `GitHub`, `GitLab`.
    pub product: String,
    /// Its version; `None` for the vendor's own cloud, which has none.
    pub version: Option<String>,
    /// Whether it is the paid edition, where the platform says.
    pub enterprise: Option<bool>,
}

/// The groups of settings, declared once: key, field, what is in it.
macro_rules! settings_groups {
    ($($key:ident $field:ident: $kind:ty;)*) => {
        /// Everything that was seen of the settings, group by group.
        ///
        /// What an older version wrote down lacks the newer groups: not collected.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default)]
        pub struct Settings {
            /// Which server answered, and its version. No group of its own: it is
            /// seen along the way, and says what an older server cannot answer.
            pub server: Fact<Server>,
            $(pub $field: Fact<$kind>,)*
        }

        impl Default for Settings {
            fn default() -> Self {
                Self::all_unknown()
            }
        }

        impl Settings {
            /// The keys of the groups of settings.
            pub const KEYS: &'static [FactKey] = &[$(FactKey::$key),*];

            /// Settings of which nothing has been seen.
            pub fn all_unknown() -> Self {
                Self {
                    server: Fact::Unknown(Unknown::not_collected("server")),
                    $($field: Fact::Unknown(Unknown::not_collected(FactKey::$key.name())),)*
                }
            }

            /// The same settings with every group hidden that is not in `needs`.
            #[must_use]
            pub fn restricted_to(&self, needs: &Needs) -> Self {
                let mut seen = Self::all_unknown();
                seen.server = self.server.clone();
                $(if needs.has(FactKey::$key) {
                    seen.$field = self.$field.clone();
                })*
                seen
            }

            /// Lets the groups change places with those of `other` of which `which` is true.
            pub(in crate::facts) fn exchange(
                &mut self,
                other: &mut Self,
                which: impl Fn(FactKey) -> bool,
            ) {
                $(if which(FactKey::$key) {
                    std::mem::swap(&mut self.$field, &mut other.$field);
                })*
            }

            /// Hides one group.
            pub fn hide(&mut self, key: FactKey, why: &Unknown) {
                $(if key == FactKey::$key {
                    self.$field = Fact::Unknown(why.clone());
                })*
            }

            /// Why a group is unknown; `None` if it is known or is no group of settings.
            pub fn unknown(&self, key: FactKey) -> Option<Unknown> {
                $(if key == FactKey::$key {
                    return self.$field.known().err();
                })*
                None
            }

            /// The key of the group that stands under that name in a snapshot.
            pub fn key_of(field: &str) -> Option<FactKey> {
                $(if field == stringify!($field) {
                    return Some(FactKey::$key);
                })*
                None
            }

            /// Takes over every group that `other` asked for, whatever came of it.
            pub(crate) fn take_from(&mut self, other: Self) {
                if !other.server.is_not_collected() {
                    self.server = other.server;
                }
                $(if !other.$field.is_not_collected() {
                    self.$field = other.$field;
                })*
            }

            /// Takes whole groups from `other` where they are unknown here.
            pub fn fill_from(&mut self, other: &Self) {
                self.server.fill_from(&other.server);
                $(self.$field.fill_from(&other.$field);)*
            }
        }
    };
}

settings_groups! {
    OrganizationSettings organization: Organization;
    OrganizationIdentity organization_identity: OrganizationIdentity;
    OrganizationTwoFactor without_two_factor: WithoutTwoFactor;
    OrganizationOwners organization_owners: Vec<Account>;
    OrganizationMembers organization_members: Vec<Account>;
    OrganizationOutside outside_collaborators: Vec<Account>;
    OrganizationActivity member_activity: Vec<MemberActivity>;
    OrganizationReview access_review: Option<AccessReview>;
    OrganizationApps app_installations: Vec<AppInstallation>;
    OrganizationTokens organization_tokens: OrganizationTokens;
    OrganizationWebhooks organization_webhooks: OrganizationWebhooks;
    OrganizationDefaults new_repository_defaults: NewRepositoryDefaults;
    RepositorySettings repository: RepositorySettings;
    AccessCollaborators collaborators: Collaborators;
    AccessDeployKeys deploy_keys: Vec<DeployKey>;
    AccessTokens access_tokens: Vec<AccessToken>;
    AccessWebhooks webhooks: Vec<Webhook>;
    BranchInventory in_scope_branches: Vec<InScopeBranch>;
    RepositoryTags tag_protections: Vec<TagProtection>;
    RepositoryReleases releases: Releases;
    RepositoryCodeOwners code_owners: CodeOwners;
    RepositoryPaths paths: Vec<String>;
    BranchCheckHistory merged_heads: Vec<MergedHead>;
    PipelineSettings pipeline: PipelineSettings;
    PipelineRunners runners: Vec<Runner>;
    PipelineDefinition definition: PipelineDefinition;
    PipelineSecrets secrets: Vec<Secret>;
    DeploymentEnvironments environments: Environments;
    ScanAlerts alerts: Alerts;
    ScanPushProtection push_protection: PushProtection;
    ScanSetup scan_setup: ScanSetup;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Why;

    #[test]
    fn a_group_that_an_older_version_did_not_know_was_not_collected() {
        let mut whole = serde_json::to_value(Settings::all_unknown()).unwrap();
        whole.as_object_mut().unwrap().remove("alerts");
        let read: Settings = serde_json::from_value(whole).unwrap();
        assert!(read.alerts.is_not_collected());
    }

    #[test]
    fn a_group_that_was_not_asked_for_is_not_shown() {
        let mut settings = Settings::all_unknown();
        settings.deploy_keys = Fact::known_without_source(Vec::new());
        settings.webhooks = Fact::known_without_source(Vec::new());
        let needs = [FactKey::AccessWebhooks].into_iter().collect();
        let seen = settings.restricted_to(&needs);
        assert!(seen.webhooks.is_known() && !seen.deploy_keys.is_known());
    }

    #[test]
    fn a_group_that_was_asked_for_is_taken_over_even_when_nothing_was_seen() {
        let hidden = Unknown::new("x", Why::NotPermitted, "hidden");
        let mut here = Settings::all_unknown();
        here.paths = Fact::known_without_source(Vec::new());
        let mut there = Settings::all_unknown();
        there.hide(FactKey::AccessDeployKeys, &hidden);
        here.take_from(there);
        assert_eq!(here.unknown(FactKey::AccessDeployKeys), Some(hidden));
        assert!(here.paths.is_known());
    }

    #[test]
    fn a_group_seen_elsewhere_fills_a_gap_and_replaces_nothing() {
        let hidden = Unknown::new("x", Why::NotPermitted, "hidden");
        let mut here = Settings::all_unknown();
        here.hide(FactKey::AccessDeployKeys, &hidden);
        here.paths = Fact::known_without_source(vec!["here".to_owned()]);
        let mut there = Settings::all_unknown();
        there.deploy_keys = Fact::known_without_source(Vec::new());
        there.paths = Fact::known_without_source(vec!["there".to_owned()]);
        here.fill_from(&there);
        assert_eq!(here.unknown(FactKey::AccessDeployKeys), None);
        assert_eq!(here.paths.known(), Ok(&vec!["here".to_owned()]));
        assert!(here.unknown(FactKey::AccessTokens).is_some());
    }
}
