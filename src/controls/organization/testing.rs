//! Organisations as literals for the tests of this folder: everything is hidden
//! but what the case is about.

use crate::controls::testing::{hidden, seen, settings};
use crate::facts::{Account, Organization, OrganizationIdentity, Snapshot};

/// An organisation of whose settings only these are known.
pub(super) fn organization(fill: impl FnOnce(&mut Organization)) -> Snapshot {
    let mut organization = Organization {
        name: "acme".to_owned(),
        not_in_plan: Vec::new(),
        two_factor_required: hidden(),
        two_factor_grace_hours: hidden(),
        base_permission: hidden(),
        repository_creation: hidden(),
        repository_deletion: hidden(),
        visibility_change: hidden(),
        outside_invitation: hidden(),
        private_forking: hidden(),
    };
    fill(&mut organization);
    settings(|all| all.organization = seen(organization))
}

/// An organisation of which only this is known about how it proves identities.
pub(super) fn identity(fill: impl FnOnce(&mut OrganizationIdentity)) -> Snapshot {
    let mut identity = OrganizationIdentity {
        not_in_plan: Vec::new(),
        single_sign_on: hidden(),
        ip_allow_list: hidden(),
        verified_domains: hidden(),
        notifications_restricted: hidden(),
    };
    fill(&mut identity);
    settings(|all| all.organization_identity = seen(identity))
}

/// People of these names.
pub(super) fn people(logins: &[&str]) -> Vec<Account> {
    logins.iter().map(|&login| Account::human(login)).collect()
}

/// Words as a policy or the platform lists them.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}
