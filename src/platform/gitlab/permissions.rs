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
/// Who is a member with which role.
pub(super) const MEMBERS: &str = "Reporter role, scope `read_api`";
/// Files of the repository.
pub(super) const FILES: &str = "Reporter role, scope `read_api`; or the job token";

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
        (FactKey::ScanResults, "no token needed", "no token needed"),
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
