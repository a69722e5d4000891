//! Which role and scope each group of facts needs. Knows no requests.

use crate::facts::FactKey;

/// Merge request, notes, versions, commits.
pub(super) const CHANGE: &str = "Reporter role, scope `read_api`";
/// Settings of the project that every member may read.
pub(super) const PROJECT: &str = "Reporter role, scope `read_api`";
/// Protected branches and effective approval settings.
pub(super) const SETTINGS: &str = "Maintainer role, scope `read_api`";
/// Approval rules.
pub(super) const APPROVAL_RULES: &str = "Developer role, scope `read_api`";
/// Approval policies, and the logs that tell who went around one.
pub(super) const POLICIES: &str =
    "Maintainer role, in the projects that hold approval policies too, scope `read_api`";
/// Findings and policies of scans.
pub(super) const FINDINGS: &str = "Developer role, scope `read_api`";
/// Who is a member with which role.
pub(super) const MEMBERS: &str = "Reporter role, scope `read_api`";
/// Issues as tickets; other trackers are asked with a token of their own.
pub(super) const ISSUES: &str = "Guest role (Reporter for confidential issues), scope `read_api`";
/// For whom the token acts.
pub(super) const ACCOUNT: &str = "scope `read_user` or `read_api` (a job token cannot ask)";
/// Deployments and who approved them.
pub(super) const DEPLOYMENTS: &str = "Reporter role, scope `read_api`; or the job token";
/// Files of the repository.
pub(super) const FILES: &str = "Reporter role, scope `read_api`; or the job token";
/// The group itself and its members.
pub(super) const GROUP_MEMBER: &str = "any role in the group, scope `read_api`";
/// Integrations of the group.
pub(super) const GROUP_MAINTAINER: &str = "Maintainer role in the group, scope `read_api`";
/// What a group shows to its owners only.
pub(super) const GROUP_OWNER: &str = "Owner role in the group, scope `read_api`";
/// Runners and variables, of the project and of the groups above it.
const PROJECT_AND_GROUP: &str =
    "Maintainer role, and Owner role in the group for what is the group's, scope `read_api`";
/// What no token can read, for lack of an interface.
const NO_INTERFACE: &str = "no interface tells it";

const NOT_BY_JOB_TOKEN: &str = "not readable";

/// For each group of facts: what a CI job token sees, and the role and scope
/// that an access token needs.
pub fn permissions() -> &'static [(FactKey, &'static str, &'static str)] {
    &[
        (
            FactKey::BranchRules,
            "only whether the branch is protected",
            SETTINGS,
        ),
        (FactKey::BranchBypass, NOT_BY_JOB_TOKEN, SETTINGS),
        (FactKey::BranchArrivals, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::BranchArrivedChanges, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::BranchBypasses, NOT_BY_JOB_TOKEN, POLICIES),
        (FactKey::ChangeIdentity, "readable", CHANGE),
        (
            FactKey::ChangeAssociation,
            "only changes, not direct pushes",
            CHANGE,
        ),
        (FactKey::ChangeCommits, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::ChangeReviews, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::ChangePushes, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::ChangeChecks, "the pipeline, not its jobs", CHANGE),
        (FactKey::ChangeComments, "readable", CHANGE),
        (FactKey::ChangeFiles, NOT_BY_JOB_TOKEN, CHANGE),
        (
            FactKey::ChangeThreads,
            "threads, not requests for changes",
            CHANGE,
        ),
        (FactKey::ChangeSignatures, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::ChangeTickets, NOT_BY_JOB_TOKEN, ISSUES),
        (FactKey::ChangeQueue, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::TeamMembers, NOT_BY_JOB_TOKEN, GROUP_MEMBER),
        (FactKey::ChangeOriginals, NOT_BY_JOB_TOKEN, CHANGE),
        (
            FactKey::BranchRulesBefore,
            "no token needed",
            "no token needed",
        ),
        (
            FactKey::LedgerOverrides,
            "no token needed",
            "no token needed",
        ),
        (FactKey::ScanResults, "no token needed", "no token needed"),
        (FactKey::ScanChangeAnalyses, NO_INTERFACE, NO_INTERFACE),
        (FactKey::OrganizationSettings, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (FactKey::OrganizationIdentity, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (
            FactKey::OrganizationTwoFactor,
            NOT_BY_JOB_TOKEN,
            GROUP_OWNER,
        ),
        (FactKey::OrganizationOwners, NOT_BY_JOB_TOKEN, GROUP_MEMBER),
        (FactKey::OrganizationMembers, NOT_BY_JOB_TOKEN, GROUP_MEMBER),
        (FactKey::OrganizationOutside, NOT_BY_JOB_TOKEN, GROUP_MEMBER),
        (FactKey::OrganizationActivity, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (FactKey::OrganizationReview, "readable", FILES),
        (
            FactKey::OrganizationApps,
            NOT_BY_JOB_TOKEN,
            GROUP_MAINTAINER,
        ),
        (FactKey::OrganizationTokens, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (FactKey::OrganizationWebhooks, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (FactKey::OrganizationDefaults, NOT_BY_JOB_TOKEN, GROUP_OWNER),
        (FactKey::RepositorySettings, NOT_BY_JOB_TOKEN, PROJECT),
        (FactKey::AccessCollaborators, NOT_BY_JOB_TOKEN, GROUP_MEMBER),
        (FactKey::AccessDeployKeys, NOT_BY_JOB_TOKEN, SETTINGS),
        (FactKey::AccessTokens, NOT_BY_JOB_TOKEN, SETTINGS),
        (FactKey::AccessWebhooks, NOT_BY_JOB_TOKEN, SETTINGS),
        (
            FactKey::BranchInventory,
            "only whether each branch is protected",
            SETTINGS,
        ),
        (FactKey::RepositoryTags, NOT_BY_JOB_TOKEN, SETTINGS),
        (FactKey::RepositoryReleases, NO_INTERFACE, NO_INTERFACE),
        (
            FactKey::RepositoryCodeOwners,
            "the file, not what its owners may do",
            MEMBERS,
        ),
        (FactKey::RepositoryPaths, NOT_BY_JOB_TOKEN, PROJECT),
        (FactKey::BranchCheckHistory, NOT_BY_JOB_TOKEN, CHANGE),
        (FactKey::PipelineSettings, NOT_BY_JOB_TOKEN, SETTINGS),
        (
            FactKey::PipelineRunners,
            NOT_BY_JOB_TOKEN,
            PROJECT_AND_GROUP,
        ),
        (
            FactKey::PipelineDefinition,
            NOT_BY_JOB_TOKEN,
            APPROVAL_RULES,
        ),
        (
            FactKey::PipelineSecrets,
            NOT_BY_JOB_TOKEN,
            PROJECT_AND_GROUP,
        ),
        (
            FactKey::DeploymentEnvironments,
            "which there are, not what guards them",
            SETTINGS,
        ),
        (FactKey::ScanAlerts, NOT_BY_JOB_TOKEN, FINDINGS),
        (FactKey::ScanPushProtection, NOT_BY_JOB_TOKEN, SETTINGS),
        (FactKey::ScanSetup, NOT_BY_JOB_TOKEN, FINDINGS),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_of_facts_says_what_it_needs() {
        for key in FactKey::ALL {
            assert!(
                permissions().iter().any(|(of, _, _)| *of == key),
                "{}",
                key.name()
            );
        }
    }
}
