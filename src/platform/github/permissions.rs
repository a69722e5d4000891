//! Which right of which token shows which group of facts. The texts stand in
//! unknowns and in the generated table; nothing is asked here.

use crate::facts::FactKey;

/// What a workflow token can never have.
pub(super) const NOT_POSSIBLE: &str = "not possible";

/// For each group: the workflow token's permission (or `not possible`), and the
/// permission of an app or fine-grained token.
pub fn permissions() -> &'static [(FactKey, &'static str, &'static str)] {
    &[
        (
            FactKey::BranchRules,
            "contents: read (rulesets and the names of required checks; the rest of classic protection: not possible)",
            "Contents: read and Administration: read",
        ),
        (
            FactKey::BranchBypass,
            NOT_POSSIBLE,
            "Administration: write (the platform hides the bypass list of a ruleset from readers)",
        ),
        (
            FactKey::BranchArrivals,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (
            FactKey::BranchArrivedChanges,
            "contents: read, pull-requests: read, checks: read and statuses: read",
            "Contents: read, Pull requests: read, Checks: read and Commit statuses: read",
        ),
        (
            FactKey::BranchBypasses,
            NOT_POSSIBLE,
            "Administration: read (rule suites of the last month); where push rules stand, Contents: write as well (requests to go around them)",
        ),
        (
            FactKey::ChangeIdentity,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangeAssociation,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (
            FactKey::ChangeCommits,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (
            FactKey::ChangeReviews,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangePushes,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangeChecks,
            "checks: read and statuses: read",
            "Checks: read and Commit statuses: read",
        ),
        (
            FactKey::ChangeComments,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangeFiles,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangeThreads,
            "pull-requests: read",
            "Pull requests: read",
        ),
        (
            FactKey::ChangeSignatures,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (FactKey::ChangeTickets, "issues: read", "Issues: read"),
        (
            FactKey::ChangeQueue,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (
            FactKey::TeamMembers,
            NOT_POSSIBLE,
            "organization Members: read",
        ),
        (
            FactKey::ChangeOriginals,
            "contents: read and pull-requests: read",
            "Contents: read and Pull requests: read",
        ),
        (FactKey::BranchRulesBefore, "none", "none"),
        (FactKey::LedgerOverrides, "none", "none"),
        (FactKey::ScanResults, "none", "none"),
        (
            FactKey::ScanChangeAnalyses,
            "security-events: read",
            "Code scanning alerts: read",
        ),
        (
            FactKey::OrganizationSettings,
            NOT_POSSIBLE,
            "organization Administration: read",
        ),
        (
            FactKey::OrganizationIdentity,
            NOT_POSSIBLE,
            "the token of an owner of the organization (scope admin:org), or organization Administration: read",
        ),
        (
            FactKey::OrganizationTwoFactor,
            NOT_POSSIBLE,
            "organization Members: read, for an owner of the organization",
        ),
        (
            FactKey::OrganizationOwners,
            NOT_POSSIBLE,
            "organization Members: read",
        ),
        (
            FactKey::OrganizationMembers,
            NOT_POSSIBLE,
            "organization Members: read",
        ),
        (
            FactKey::OrganizationOutside,
            NOT_POSSIBLE,
            "organization Members: read",
        ),
        (
            FactKey::OrganizationActivity,
            NOT_POSSIBLE,
            "not possible: no interface tells when a member was last active",
        ),
        (
            FactKey::OrganizationReview,
            "contents: read",
            "Contents: read",
        ),
        (
            FactKey::OrganizationApps,
            NOT_POSSIBLE,
            "organization Administration: read",
        ),
        (
            FactKey::OrganizationTokens,
            NOT_POSSIBLE,
            "organization Personal access tokens: read (an app only)",
        ),
        (
            FactKey::OrganizationWebhooks,
            NOT_POSSIBLE,
            "organization Webhooks: read",
        ),
        (
            FactKey::OrganizationDefaults,
            "none beyond Metadata (rules for every repository; the security configuration: not possible)",
            "Metadata: read and organization Administration: read",
        ),
        (
            FactKey::RepositorySettings,
            "none beyond Metadata",
            "Metadata: read",
        ),
        (
            FactKey::AccessCollaborators,
            "none beyond Metadata (people; teams: not possible)",
            "Metadata: read and Administration: read",
        ),
        (
            FactKey::AccessDeployKeys,
            NOT_POSSIBLE,
            "Administration: read",
        ),
        (
            FactKey::AccessTokens,
            NOT_POSSIBLE,
            "not possible: a repository has no access tokens of its own",
        ),
        (FactKey::AccessWebhooks, NOT_POSSIBLE, "Webhooks: read"),
        (
            FactKey::BranchInventory,
            "contents: read (rulesets; the rest of classic protection: not possible)",
            "Contents: read and Administration: read",
        ),
        (
            FactKey::RepositoryTags,
            "none beyond Metadata (rules; who can go around them: not possible)",
            "Metadata: read; Administration: write for the bypass lists",
        ),
        (
            FactKey::RepositoryReleases,
            "contents: read (whether there are any; whether they can be changed: not possible)",
            "Contents: read and Administration: read",
        ),
        (
            FactKey::RepositoryCodeOwners,
            "contents: read (the file; whether a team owns: not possible)",
            "Contents: read, Administration: read and organization Members: read",
        ),
        (FactKey::RepositoryPaths, "contents: read", "Contents: read"),
        (
            FactKey::BranchCheckHistory,
            "checks: read, statuses: read and pull-requests: read",
            "Checks: read, Commit statuses: read and Pull requests: read",
        ),
        (
            FactKey::PipelineSettings,
            "actions: read (the subject claim only; the rest: not possible)",
            "Administration: read and Actions: read",
        ),
        (
            FactKey::PipelineRunners,
            NOT_POSSIBLE,
            "Administration: read and organization Self-hosted runners: read",
        ),
        (
            FactKey::PipelineDefinition,
            "contents: read",
            "Contents: read",
        ),
        (
            FactKey::PipelineSecrets,
            NOT_POSSIBLE,
            "Secrets: read, Environments: read and Actions: read",
        ),
        (
            FactKey::DeploymentEnvironments,
            "actions: read",
            "Actions: read",
        ),
        (
            FactKey::ScanAlerts,
            "security-events: read and vulnerability-alerts: read (secrets: not possible)",
            "Code scanning alerts: read, Dependabot alerts: read and Secret scanning alerts: read",
        ),
        (
            FactKey::ScanPushProtection,
            NOT_POSSIBLE,
            "Administration: read and Secret scanning alerts: read",
        ),
        (FactKey::ScanSetup, NOT_POSSIBLE, "Administration: read"),
    ]
}

/// What an unknown of this group asks for, in one phrase.
pub(super) fn needs(key: FactKey) -> &'static str {
    permissions()
        .iter()
        .find(|(candidate, _, _)| *candidate == key)
        .map_or("", |(_, _, app)| *app)
}

/// What the policy file and the branches' tips need.
pub(super) const CONTENTS: &str = "Contents: read";
/// What runs of workflows need.
pub(super) const ACTIONS: &str = "Actions: read";
/// What classic protection needs.
pub(super) const ADMINISTRATION: &str =
    "Administration: read (an app or fine-grained token; a workflow token cannot have it)";
/// What a team's members need.
pub(super) const MEMBERS: &str =
    "Members: read of the organization (a workflow token cannot have it)";
/// What the effective rules need.
pub(super) const METADATA: &str = "Metadata: read";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_has_its_line() {
        for key in FactKey::ALL {
            assert_eq!(
                permissions().iter().filter(|line| line.0 == key).count(),
                1,
                "{key:?}"
            );
            assert!(!needs(key).is_empty());
        }
    }
}
