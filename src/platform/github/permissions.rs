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
        (FactKey::ScanResults, "none", "none"),
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
