//! The table of controls. Each stands in its own file and knows only facts.
//!
//! To add one: write its file, add its `mod` line and its line in [`TABLE`],
//! regenerate the documents (see CONTRIBUTING.md).

mod access;
mod age;
mod allowances;
mod branch;
mod change;
mod control;
pub mod custom;
mod deployment;
mod evidence;
mod globs;
mod judging;
mod organization;
mod path_glob;
mod path_sieve;
mod pipeline;
mod scan;
#[cfg(test)]
pub(crate) mod testing;
mod tree;
mod webhooks;

use control::entry;
pub use control::{
    Awaiting, Bound, Control, Entry, Evidence, FailReason, Failure, Meta, Observation, Scope,
    Verdict,
};

pub use tree::{Against, Branch, Deed, Doer, Ruling, Tree, Worth};

pub(crate) use pipeline::guarding;
pub(crate) use scan::runs::is_tool;

/// Every control, sorted by code.
pub static TABLE: &[Entry] = &[
    // Access to the repository.
    entry::<access::administrators_limited::AdministratorsLimited>(), // ACC-01
    entry::<access::outside_collaborators_cannot_write::OutsideCollaboratorsCannotWrite>(), // ACC-02
    entry::<access::write_access_through_teams::WriteAccessThroughTeams>(), // ACC-03
    entry::<access::deploy_keys_limited::DeployKeysLimited>(),              // ACC-04
    entry::<access::access_tokens_limited::AccessTokensLimited>(),          // ACC-05
    entry::<access::webhooks_secured::WebhooksSecured>(),                   // ACC-06
    entry::<access::visibility_as_declared::VisibilityAsDeclared>(),        // ACC-07
    entry::<access::repository_active_or_archived::RepositoryActiveOrArchived>(), // ACC-08
    entry::<access::pipelines_as_private_as_code::PipelinesAsPrivateAsCode>(), // ACC-09
    // Branches.
    entry::<branch::branch_protected::BranchProtected>(), // BR-01
    entry::<branch::pull_request_required::PullRequestRequired>(), // BR-02
    entry::<branch::approvals_required::ApprovalsRequired>(), // BR-03
    entry::<branch::stale_approvals_dismissed::StaleApprovalsDismissed>(), // BR-04
    entry::<branch::last_push_approved_by_another::LastPushApprovedByAnother>(), // BR-05
    entry::<branch::author_cannot_approve::AuthorCannotApprove>(), // BR-06
    entry::<branch::committers_cannot_approve::CommittersCannotApprove>(), // BR-07
    entry::<branch::code_owner_review_required::CodeOwnerReviewRequired>(), // BR-08
    entry::<branch::code_owners_cover_sensitive_paths::CodeOwnersCoverSensitivePaths>(), // BR-09
    entry::<branch::approval_rules_locked::ApprovalRulesLocked>(), // BR-10
    entry::<branch::review_dismissal_restricted::ReviewDismissalRestricted>(), // BR-11
    entry::<branch::conversations_resolved::ConversationsResolved>(), // BR-12
    entry::<branch::checks_required::ChecksRequired>(),   // BR-13
    entry::<branch::named_checks_required::NamedChecksRequired>(), // BR-14
    entry::<branch::required_checks_pinned::RequiredChecksPinned>(), // BR-15
    entry::<branch::required_checks_report::RequiredChecksReport>(), // BR-16
    entry::<branch::branch_up_to_date::BranchUpToDate>(), // BR-17
    entry::<branch::force_push_blocked::ForcePushBlocked>(), // BR-18
    entry::<branch::deletion_blocked::DeletionBlocked>(), // BR-19
    entry::<branch::direct_push_restricted::DirectPushRestricted>(), // BR-20
    entry::<branch::administrators_bound::AdministratorsBound>(), // BR-21
    entry::<branch::bypass_limited::BypassLimited>(),     // BR-22
    entry::<branch::rules_in_force::RulesInForce>(),      // BR-23
    entry::<branch::merge_method_declared::MergeMethodDeclared>(), // BR-24
    entry::<branch::signed_commits_required::SignedCommitsRequired>(), // BR-25
    entry::<branch::release_tags_protected::ReleaseTagsProtected>(), // BR-26
    entry::<branch::releases_immutable::ReleasesImmutable>(), // BR-27
    entry::<branch::removal_of_rules_limited::RemovalOfRulesLimited>(), // BR-28
    entry::<branch::auto_merge_needs_approval::AutoMergeNeedsApproval>(), // BR-29
    entry::<branch::commit_identity_enforced::CommitIdentityEnforced>(), // BR-30
    entry::<branch::sensitive_paths_have_reviewers::SensitivePathsHaveReviewers>(), // BR-31
    // The change.
    entry::<change::change_through_pull_request::ChangeThroughPullRequest>(), // CHG-01
    entry::<change::approvals_sufficient::ApprovalsSufficient>(),             // CHG-02
    entry::<change::approval_covers_head::ApprovalCoversHead>(),              // CHG-03
    entry::<change::approver_is_independent::ApproverIsIndependent>(),        // CHG-04
    entry::<change::identities_resolved::IdentitiesResolved>(),               // CHG-05
    entry::<change::approver_may_write::ApproverMayWrite>(),                  // CHG-06
    entry::<change::review_settled::ReviewSettled>(),                         // CHG-07
    entry::<change::agent_changes_approved::AgentChangesApproved>(),          // CHG-08
    entry::<change::dependency_bot_stays_in_lane::DependencyBotStaysInLane>(), // CHG-09
    entry::<change::ticket_linked::TicketLinked>(),                           // CHG-10
    entry::<change::ticket_accountable::TicketAccountable>(),                 // CHG-11
    entry::<change::commits_signed::CommitsSigned>(),                         // CHG-12
    entry::<change::checks_succeeded::ChecksSucceeded>(),                     // CHG-13
    entry::<change::tests_ran::TestsRan>(),                                   // CHG-14
    entry::<change::description_filled::DescriptionFilled>(),                 // CHG-15
    entry::<change::gate_changes_approved::GateChangesApproved>(),            // CHG-16
    entry::<change::sensitive_paths_approved::SensitivePathsApproved>(),      // CHG-17
    entry::<change::merger_recorded::MergerRecorded>(),                       // CHG-18
    entry::<change::nothing_added_after_approval::NothingAddedAfterApproval>(), // CHG-19
    entry::<change::changes_met_requirements_at_merge::ChangesMetRequirementsAtMerge>(), // CHG-20
    entry::<change::branch_moves_through_changes::BranchMovesThroughChanges>(), // CHG-21
    entry::<change::history_only_grows::HistoryOnlyGrows>(),                  // CHG-22
    entry::<change::review_has_substance::ReviewHasSubstance>(),              // CHG-23
    entry::<change::approvers_vary::ApproversVary>(),                         // CHG-24
    entry::<change::emergency_reviewed_in_time::EmergencyReviewedInTime>(),   // CHG-25
    entry::<change::original_approved::OriginalApproved>(),                   // CHG-26
    entry::<change::queue_result_reviewed::QueueResultReviewed>(),            // CHG-27
    entry::<change::branch_protected_at_merge::BranchProtectedAtMerge>(),     // CHG-28
    // Deployment.
    entry::<deployment::production_deployment_approved::ProductionDeploymentApproved>(), // DEP-01
    entry::<deployment::deployer_cannot_approve::DeployerCannotApprove>(),               // DEP-02
    entry::<deployment::administrators_cannot_skip_approval::AdministratorsCannotSkipApproval>(), // DEP-03
    entry::<deployment::only_protected_refs_deployed::OnlyProtectedRefsDeployed>(), // DEP-04
    entry::<deployment::environments_separated::EnvironmentsSeparated>(),           // DEP-07
    // Evidence.
    entry::<evidence::overrides_valid::OverridesValid>(), // EVD-02
    entry::<evidence::overrides_reviewed_in_time::OverridesReviewedInTime>(), // EVD-03
    entry::<evidence::override_rate_limited::OverrideRateLimited>(), // EVD-04
    // Organisation.
    entry::<organization::mfa_enforced::MfaEnforced>(), // ORG-01
    entry::<organization::members_have_mfa::MembersHaveMfa>(), // ORG-02
    entry::<organization::sso_enforced::SsoEnforced>(), // ORG-03
    entry::<organization::ip_allow_list_on::IpAllowListOn>(), // ORG-04
    entry::<organization::base_permission_limited::BasePermissionLimited>(), // ORG-05
    entry::<organization::owners_within_bounds::OwnersWithinBounds>(), // ORG-06
    entry::<organization::repository_creation_restricted::RepositoryCreationRestricted>(), // ORG-07
    entry::<organization::repository_removal_restricted::RepositoryRemovalRestricted>(), // ORG-08
    entry::<organization::outside_collaborators_controlled::OutsideCollaboratorsControlled>(), // ORG-09
    entry::<organization::private_forking_off::PrivateForkingOff>(), // ORG-10
    entry::<organization::inactive_members_removed::InactiveMembersRemoved>(), // ORG-11
    entry::<organization::access_reviewed::AccessReviewed>(),        // ORG-12
    entry::<organization::apps_approved::AppsApproved>(),            // ORG-13
    entry::<organization::tokens_governed::TokensGoverned>(),        // ORG-14
    entry::<organization::organization_webhooks_secured::OrganizationWebhooksSecured>(), // ORG-15
    entry::<organization::domain_verified::DomainVerified>(),        // ORG-16
    entry::<organization::organization_rules_cover_repository::OrganizationRulesCoverRepository>(), // ORG-18
    entry::<organization::new_repositories_protected::NewRepositoriesProtected>(), // ORG-19
    // Pipeline.
    entry::<pipeline::job_token_read_only::JobTokenReadOnly>(), // PIPE-01
    entry::<pipeline::pipelines_cannot_approve::PipelinesCannotApprove>(), // PIPE-02
    entry::<pipeline::foreign_parts_restricted::ForeignPartsRestricted>(), // PIPE-03
    entry::<pipeline::foreign_parts_pinned::ForeignPartsPinned>(), // PIPE-04
    entry::<pipeline::job_rights_least::JobRightsLeast>(),      // PIPE-05
    entry::<pipeline::fork_runs_held::ForkRunsHeld>(),          // PIPE-07
    entry::<pipeline::runners_isolated::RunnersIsolated>(),     // PIPE-08
    entry::<pipeline::security_jobs_count::SecurityJobsCount>(), // PIPE-09
    entry::<pipeline::workflow_imposed_from_outside::WorkflowImposedFromOutside>(), // PIPE-10
    entry::<pipeline::required_jobs_do_something::RequiredJobsDoSomething>(), // PIPE-11
    entry::<pipeline::gate_guards_itself::GateGuardsItself>(),  // PIPE-12
    entry::<pipeline::secrets_scoped::SecretsScoped>(),         // PIPE-13
    entry::<pipeline::cloud_access_without_stored_keys::CloudAccessWithoutStoredKeys>(), // PIPE-14
    entry::<pipeline::run_variables_restricted::RunVariablesRestricted>(), // PIPE-16
    // Scan results.
    entry::<scan::sast_clean::SastClean>(), // SCAN-01
    entry::<scan::dependencies_clean::DependenciesClean>(), // SCAN-02
    entry::<scan::secrets_absent::SecretsAbsent>(), // SCAN-03
    entry::<scan::push_protection_on::PushProtectionOn>(), // SCAN-04
    entry::<scan::images_clean::ImagesClean>(), // SCAN-05
    entry::<scan::infrastructure_clean::InfrastructureClean>(), // SCAN-06
    entry::<scan::licences_allowed::LicencesAllowed>(), // SCAN-07
    entry::<scan::running_system_clean::RunningSystemClean>(), // SCAN-08
    entry::<scan::coverage_sufficient::CoverageSufficient>(), // SCAN-09
    entry::<scan::scan_results_bound::ScanResultsBound>(), // SCAN-10
    entry::<scan::scan_configuration_kept::ScanConfigurationKept>(), // SCAN-11
    entry::<scan::suppressions_explained::SuppressionsExplained>(), // SCAN-12
    entry::<scan::alerts_closed_in_time::AlertsClosedInTime>(), // SCAN-13
    entry::<scan::sbom_produced::SbomProduced>(), // SCAN-14
    entry::<scan::automatic_updates_configured::AutomaticUpdatesConfigured>(), // SCAN-15
    entry::<scan::platform_scans_on::PlatformScansOn>(), // SCAN-16
    entry::<scan::change_free_of_secrets_and_binaries::ChangeFreeOfSecretsAndBinaries>(), // SCAN-17
];

/// The control of that id (`force-push-blocked`) or code (`BR-18`).
pub fn find(id_or_code: &str) -> Option<&'static Entry> {
    TABLE.iter().find(|entry| {
        entry.meta.id == id_or_code || entry.meta.code.eq_ignore_ascii_case(id_or_code)
    })
}
