//! The names of the groups of facts that can be collected.
//!
//! A control declares the groups it needs; the platform fetches those and no
//! others, and a control that looks at another group finds it *not collected*.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::ticket_names::TicketNaming;

/// One collectable group of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactKey {
    /// The rules in force on the target branch, over all layers.
    #[serde(rename = "branch.rules")]
    BranchRules,
    /// Who can go around those rules, over all layers.
    #[serde(rename = "branch.bypass")]
    BranchBypass,
    /// What came onto the branch since its previous tip, commit by commit.
    #[serde(rename = "branch.arrivals")]
    BranchArrivals,
    /// Reviews, commits, pushes and checks of each change that came onto the branch.
    #[serde(rename = "branch.arrived_changes")]
    BranchArrivedChanges,
    /// Moves of the branch for which the platform let somebody go around its rules.
    #[serde(rename = "branch.bypasses")]
    BranchBypasses,
    /// The rules of the branch before something was merged, from a file.
    #[serde(rename = "branch.rules_before")]
    BranchRulesBefore,
    /// Overrides and breaches that the ledger tells of.
    #[serde(rename = "ledger.overrides")]
    LedgerOverrides,
    /// Title, text, author, branches and state of the change.
    #[serde(rename = "change.identity")]
    ChangeIdentity,
    /// For a commit that is already on a branch: the change it came through.
    #[serde(rename = "change.association")]
    ChangeAssociation,
    /// The commits of the change with everyone who had a hand in them.
    #[serde(rename = "change.commits")]
    ChangeCommits,
    /// Reviews and approvals.
    #[serde(rename = "change.reviews")]
    ChangeReviews,
    /// Pushes and force pushes to the change, by the platform's clock.
    #[serde(rename = "change.pushes")]
    ChangePushes,
    /// Results reported for the head commit.
    #[serde(rename = "change.checks")]
    ChangeChecks,
    /// Comments on the change (override commands stand there).
    #[serde(rename = "change.comments")]
    ChangeComments,
    /// The files that the change touches.
    #[serde(rename = "change.files")]
    ChangeFiles,
    /// Threads of the review, and who asks for changes.
    #[serde(rename = "change.threads")]
    ChangeThreads,
    /// Signatures of the commits.
    #[serde(rename = "change.signatures")]
    ChangeSignatures,
    /// What the change says that it copies or takes back.
    #[serde(rename = "change.originals")]
    ChangeOriginals,
    /// The tickets that the change names, read back from their tracker.
    #[serde(rename = "change.tickets")]
    ChangeTickets,
    /// What a merge queue or train made of the change, and of those merged with it.
    #[serde(rename = "change.queue")]
    ChangeQueue,
    /// Members of the teams that the policy names.
    #[serde(rename = "team.members")]
    TeamMembers,
    /// Scan reports handed in as files.
    #[serde(rename = "scan.results")]
    ScanResults,
    /// What the platform's own code scanning says of the change.
    #[serde(rename = "scan.change_analyses")]
    ScanChangeAnalyses,
    /// What the organisation or group demands of its members and lets them do.
    #[serde(rename = "organization.settings")]
    OrganizationSettings,
    /// Single sign-on, address list, verified domains of the organisation or group.
    #[serde(rename = "organization.identity")]
    OrganizationIdentity,
    /// Members and outside collaborators without two factors.
    #[serde(rename = "organization.two_factor")]
    OrganizationTwoFactor,
    /// Owners of the organisation or group.
    #[serde(rename = "organization.owners")]
    OrganizationOwners,
    /// Members of the organisation or group.
    #[serde(rename = "organization.members")]
    OrganizationMembers,
    /// Outside collaborators.
    #[serde(rename = "organization.outside")]
    OrganizationOutside,
    /// When each member was last active.
    #[serde(rename = "organization.activity")]
    OrganizationActivity,
    /// The newest review of access, as a file on the default branch.
    #[serde(rename = "organization.review")]
    OrganizationReview,
    /// Apps and integrations of the organisation or group, and what they may do.
    #[serde(rename = "organization.apps")]
    OrganizationApps,
    /// Long-lived tokens that reach into the organisation or group.
    #[serde(rename = "organization.tokens")]
    OrganizationTokens,
    /// Webhooks of the organisation or group.
    #[serde(rename = "organization.webhooks")]
    OrganizationWebhooks,
    /// What a new repository gets from the start.
    #[serde(rename = "organization.defaults")]
    OrganizationDefaults,
    /// Visibility, activity and merge settings of the repository.
    #[serde(rename = "repository.settings")]
    RepositorySettings,
    /// People and teams that can reach the repository.
    #[serde(rename = "access.collaborators")]
    AccessCollaborators,
    /// Deploy keys of the repository.
    #[serde(rename = "access.deploy_keys")]
    AccessDeployKeys,
    /// Access tokens, deploy tokens and trigger tokens of the project.
    #[serde(rename = "access.tokens")]
    AccessTokens,
    /// Webhooks of the repository.
    #[serde(rename = "access.webhooks")]
    AccessWebhooks,
    /// The branches in the policy's scope, and what protects each.
    #[serde(rename = "branch.inventory")]
    BranchInventory,
    /// What protects tags.
    #[serde(rename = "repository.tags")]
    RepositoryTags,
    /// Whether there are releases, and whether they can be changed.
    #[serde(rename = "repository.releases")]
    RepositoryReleases,
    /// The file of code owners on the target branch, and whom it names.
    #[serde(rename = "repository.code_owners")]
    RepositoryCodeOwners,
    /// Every path on the target branch.
    #[serde(rename = "repository.paths")]
    RepositoryPaths,
    /// What reported on the heads of the changes merged last.
    #[serde(rename = "branch.check_history")]
    BranchCheckHistory,
    /// What pipelines may do, and which foreign parts may run.
    #[serde(rename = "pipeline.settings")]
    PipelineSettings,
    /// Machines that run jobs.
    #[serde(rename = "pipeline.runners")]
    PipelineRunners,
    /// Workflows or pipeline definitions on the target branch.
    #[serde(rename = "pipeline.definition")]
    PipelineDefinition,
    /// Names and scopes of secrets and variables, never their values.
    #[serde(rename = "pipeline.secrets")]
    PipelineSecrets,
    /// Environments, and who and what may deploy to them.
    #[serde(rename = "deployment.environments")]
    DeploymentEnvironments,
    /// What scans of the platform hold open.
    #[serde(rename = "scan.alerts")]
    ScanAlerts,
    /// Whether pushes that carry a secret are refused, and which were let through.
    #[serde(rename = "scan.push_protection")]
    ScanPushProtection,
    /// Scans that the platform runs itself, and what makes them run.
    #[serde(rename = "scan.setup")]
    ScanSetup,
}

impl FactKey {
    /// Every group.
    pub const ALL: [Self; 54] = [
        Self::BranchRules,
        Self::BranchBypass,
        Self::BranchArrivals,
        Self::BranchArrivedChanges,
        Self::BranchBypasses,
        Self::BranchRulesBefore,
        Self::LedgerOverrides,
        Self::ChangeIdentity,
        Self::ChangeAssociation,
        Self::ChangeCommits,
        Self::ChangeReviews,
        Self::ChangePushes,
        Self::ChangeChecks,
        Self::ChangeComments,
        Self::ChangeFiles,
        Self::ChangeThreads,
        Self::ChangeSignatures,
        Self::ChangeOriginals,
        Self::ChangeTickets,
        Self::ChangeQueue,
        Self::TeamMembers,
        Self::ScanResults,
        Self::ScanChangeAnalyses,
        Self::OrganizationSettings,
        Self::OrganizationIdentity,
        Self::OrganizationTwoFactor,
        Self::OrganizationOwners,
        Self::OrganizationMembers,
        Self::OrganizationOutside,
        Self::OrganizationActivity,
        Self::OrganizationReview,
        Self::OrganizationApps,
        Self::OrganizationTokens,
        Self::OrganizationWebhooks,
        Self::OrganizationDefaults,
        Self::RepositorySettings,
        Self::AccessCollaborators,
        Self::AccessDeployKeys,
        Self::AccessTokens,
        Self::AccessWebhooks,
        Self::BranchInventory,
        Self::RepositoryTags,
        Self::RepositoryReleases,
        Self::RepositoryCodeOwners,
        Self::RepositoryPaths,
        Self::BranchCheckHistory,
        Self::PipelineSettings,
        Self::PipelineRunners,
        Self::PipelineDefinition,
        Self::PipelineSecrets,
        Self::DeploymentEnvironments,
        Self::ScanAlerts,
        Self::ScanPushProtection,
        Self::ScanSetup,
    ];

    /// The dotted name, as it stands in decisions and documents.
    pub fn name(self) -> &'static str {
        match self {
            Self::BranchRules => "branch.rules",
            Self::BranchBypass => "branch.bypass",
            Self::BranchArrivals => "branch.arrivals",
            Self::BranchArrivedChanges => "branch.arrived_changes",
            Self::BranchBypasses => "branch.bypasses",
            Self::BranchRulesBefore => "branch.rules_before",
            Self::LedgerOverrides => "ledger.overrides",
            Self::ChangeIdentity => "change.identity",
            Self::ChangeAssociation => "change.association",
            Self::ChangeCommits => "change.commits",
            Self::ChangeReviews => "change.reviews",
            Self::ChangePushes => "change.pushes",
            Self::ChangeChecks => "change.checks",
            Self::ChangeComments => "change.comments",
            Self::ChangeFiles => "change.files",
            Self::ChangeThreads => "change.threads",
            Self::ChangeSignatures => "change.signatures",
            Self::ChangeOriginals => "change.originals",
            Self::ChangeTickets => "change.tickets",
            Self::ChangeQueue => "change.queue",
            Self::TeamMembers => "team.members",
            Self::ScanResults => "scan.results",
            Self::ScanChangeAnalyses => "scan.change_analyses",
            Self::OrganizationSettings => "organization.settings",
            Self::OrganizationIdentity => "organization.identity",
            Self::OrganizationTwoFactor => "organization.two_factor",
            Self::OrganizationOwners => "organization.owners",
            Self::OrganizationMembers => "organization.members",
            Self::OrganizationOutside => "organization.outside",
            Self::OrganizationActivity => "organization.activity",
            Self::OrganizationReview => "organization.review",
            Self::OrganizationApps => "organization.apps",
            Self::OrganizationTokens => "organization.tokens",
            Self::OrganizationWebhooks => "organization.webhooks",
            Self::OrganizationDefaults => "organization.defaults",
            Self::RepositorySettings => "repository.settings",
            Self::AccessCollaborators => "access.collaborators",
            Self::AccessDeployKeys => "access.deploy_keys",
            Self::AccessTokens => "access.tokens",
            Self::AccessWebhooks => "access.webhooks",
            Self::BranchInventory => "branch.inventory",
            Self::RepositoryTags => "repository.tags",
            Self::RepositoryReleases => "repository.releases",
            Self::RepositoryCodeOwners => "repository.code_owners",
            Self::RepositoryPaths => "repository.paths",
            Self::BranchCheckHistory => "branch.check_history",
            Self::PipelineSettings => "pipeline.settings",
            Self::PipelineRunners => "pipeline.runners",
            Self::PipelineDefinition => "pipeline.definition",
            Self::PipelineSecrets => "pipeline.secrets",
            Self::DeploymentEnvironments => "deployment.environments",
            Self::ScanAlerts => "scan.alerts",
            Self::ScanPushProtection => "scan.push_protection",
            Self::ScanSetup => "scan.setup",
        }
    }

    /// What is in the group, for the generated documents.
    pub fn description(self) -> &'static str {
        match self {
            Self::BranchRules => "the rules in force on the target branch, over all layers",
            Self::BranchBypass => "who can go around those rules, over all layers",
            Self::BranchArrivals => {
                "what came onto the branch since its previous tip, commit by commit"
            }
            Self::BranchArrivedChanges => {
                "reviews, commits, pushes and checks of each change that came onto the branch"
            }
            Self::BranchBypasses => {
                "what the platform has on record about letting somebody go around its rules"
            }
            Self::BranchRulesBefore => {
                "the rules of the branch before something was merged, handed in as a file"
            }
            Self::LedgerOverrides => {
                "overrides and breaches that the ledger tells of, with their reviews"
            }
            Self::ChangeIdentity => "title, text, author, branches and state of the change",
            Self::ChangeAssociation => "the change that a commit on the branch came through",
            Self::ChangeCommits => "the commits of the change and everyone who had a hand in them",
            Self::ChangeReviews => "reviews and approvals",
            Self::ChangePushes => "pushes and force pushes to the change, by the platform's clock",
            Self::ChangeChecks => "results reported for the head commit",
            Self::ChangeComments => "comments on the change",
            Self::ChangeFiles => "the files that the change touches",
            Self::ChangeThreads => "threads of the review, and who asks for changes",
            Self::ChangeSignatures => "signatures of the commits",
            Self::ChangeOriginals => {
                "changes that the change says it copies or takes back, with their reviews"
            }
            Self::ChangeTickets => {
                "the tickets that the change names, read back from their tracker"
            }
            Self::ChangeQueue => {
                "what a merge queue or train made of the change, and of those merged with it"
            }
            Self::TeamMembers => "members of the teams that the policy names",
            Self::ScanResults => "scan reports handed in as files",
            Self::ScanChangeAnalyses => "what the platform's own code scanning says of the change",
            Self::OrganizationSettings => {
                "what the organisation or group demands of its members and lets them do"
            }
            Self::OrganizationIdentity => {
                "single sign-on, address list, verified domains of the organisation or group"
            }
            Self::OrganizationTwoFactor => "members and outside collaborators without two factors",
            Self::OrganizationOwners => "owners of the organisation or group",
            Self::OrganizationMembers => "members of the organisation or group",
            Self::OrganizationOutside => "outside collaborators",
            Self::OrganizationActivity => "when each member was last active",
            Self::OrganizationReview => {
                "the newest review of access, as a file on the default branch"
            }
            Self::OrganizationApps => {
                "apps and integrations of the organisation or group, and what they may do"
            }
            Self::OrganizationTokens => {
                "long-lived tokens that reach into the organisation or group"
            }
            Self::OrganizationWebhooks => "webhooks of the organisation or group",
            Self::OrganizationDefaults => "what a new repository gets from the start",
            Self::RepositorySettings => "visibility, activity and merge settings of the repository",
            Self::AccessCollaborators => "people and teams that can reach the repository",
            Self::AccessDeployKeys => "deploy keys of the repository",
            Self::AccessTokens => "access tokens, deploy tokens and trigger tokens of the project",
            Self::AccessWebhooks => "webhooks of the repository",
            Self::BranchInventory => "the branches in the policy's scope, and what protects each",
            Self::RepositoryTags => "what protects tags",
            Self::RepositoryReleases => {
                "whether there are releases, and whether they can be changed"
            }
            Self::RepositoryCodeOwners => {
                "the file of code owners on the target branch, and whom it names"
            }
            Self::RepositoryPaths => "every path on the target branch",
            Self::BranchCheckHistory => "what reported on the heads of the changes merged last",
            Self::PipelineSettings => "what pipelines may do, and which foreign parts may run",
            Self::PipelineRunners => "machines that run jobs",
            Self::PipelineDefinition => "workflows or pipeline definitions on the target branch",
            Self::PipelineSecrets => {
                "names and scopes of secrets and variables, never their values"
            }
            Self::DeploymentEnvironments => "environments, and who and what may deploy to them",
            Self::ScanAlerts => "what the platform's own scans hold open, and whether they look",
            Self::ScanPushProtection => {
                "whether a push that carries a secret is refused, and which were let through"
            }
            Self::ScanSetup => "scans that the platform runs whatever the pipeline says",
        }
    }
}

/// A set of groups, and the branches, teams, tickets and alerts that are meant where a
/// group speaks of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    keys: BTreeSet<FactKey>,
    branches: Vec<String>,
    teams: Vec<String>,
    tickets: Option<TicketNaming>,
    target_alerts: bool,
}

impl Needs {
    /// Nothing.
    pub fn none() -> Self {
        Self::default()
    }

    /// Everything there is.
    pub fn everything() -> Self {
        FactKey::ALL.into_iter().collect()
    }

    /// Whether the group is in the set.
    pub fn has(&self, key: FactKey) -> bool {
        self.keys.contains(&key)
    }

    /// Puts a group into the set.
    pub fn add(&mut self, key: FactKey) {
        self.keys.insert(key);
    }

    /// The groups in order.
    pub fn iter(&self) -> impl Iterator<Item = FactKey> + '_ {
        self.keys.iter().copied()
    }

    /// The same set, speaking of the branches that match these globs.
    #[must_use]
    pub fn for_branches(mut self, globs: Vec<String>) -> Self {
        self.branches = globs;
        self
    }

    /// Globs of the branches in scope (globset syntax); empty: every branch.
    pub fn branches(&self) -> &[String] {
        &self.branches
    }

    /// The same set, speaking of the members of these teams (`@acme/security`).
    #[must_use]
    pub fn for_teams(mut self, teams: Vec<String>) -> Self {
        self.teams = teams;
        self
    }

    /// Teams whose members are wanted, as the policy writes them.
    pub fn teams(&self) -> &[String] {
        &self.teams
    }

    /// The same set, speaking of tickets that are kept and named like that.
    #[must_use]
    pub fn for_tickets(mut self, tickets: Option<TicketNaming>) -> Self {
        self.tickets = tickets;
        self
    }

    /// Where the tickets are kept that the policy speaks of, and how they are named.
    pub fn tickets(&self) -> Option<&TicketNaming> {
        self.tickets.as_ref()
    }

    /// The same set, in which alerts of the change are held against those of its target.
    #[must_use]
    pub fn with_target_alerts(mut self, wanted: bool) -> Self {
        self.target_alerts = wanted;
        self
    }

    /// Whether it matters which alerts the target of the change has.
    pub fn target_alerts(&self) -> bool {
        self.target_alerts
    }

    /// The same set without some groups.
    #[must_use]
    pub fn without(&self, keys: &[FactKey]) -> Self {
        let mut less = self.clone();
        less.keys.retain(|key| !keys.contains(key));
        less
    }

    /// Whether any group about the change is in the set.
    pub fn any_of(&self, keys: &[FactKey]) -> bool {
        keys.iter().any(|key| self.has(*key))
    }
}

impl FromIterator<FactKey> for Needs {
    fn from_iter<I: IntoIterator<Item = FactKey>>(keys: I) -> Self {
        Self {
            keys: keys.into_iter().collect(),
            branches: Vec::new(),
            teams: Vec::new(),
            tickets: None,
            target_alerts: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serialised_name_is_the_name() {
        for key in FactKey::ALL {
            let json = serde_json::to_string(&key).expect("an enum without data serialises");
            assert_eq!(json, format!("\"{}\"", key.name()));
        }
    }
}
