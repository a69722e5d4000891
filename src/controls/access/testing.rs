//! Settings as literals for the tests of this folder: people with access, and a
//! repository of which only what the case is about is known.

use crate::controls::testing::{hidden, seen, settings};
use crate::facts::{
    AccessRole, Account, Collaborator, Collaborators, Fact, RepositorySettings, Snapshot,
};

/// Somebody of the organisation with that role, through a team.
pub(super) fn member(login: &str, role: AccessRole) -> Collaborator {
    Collaborator {
        account: Account::human(login),
        role,
        outside: false,
        direct: None,
    }
}

/// A repository of an organisation that these people can reach.
pub(super) fn reached_by(people: Fact<Vec<Collaborator>>) -> Snapshot {
    reached(people, seen(true))
}

/// The same with what is known about the organisation above.
pub(super) fn reached(people: Fact<Vec<Collaborator>>, in_organization: Fact<bool>) -> Snapshot {
    settings(|settings| {
        settings.collaborators = seen(Collaborators {
            people,
            teams: seen(Vec::new()),
            in_organization,
        });
    })
}

/// Settings of a repository; what `fill` leaves alone is hidden.
pub(super) fn repository(fill: impl FnOnce(&mut RepositorySettings)) -> Snapshot {
    let mut repository = RepositorySettings {
        visibility: hidden(),
        archived: hidden(),
        last_activity: hidden(),
        merge_methods: hidden(),
        auto_merge: hidden(),
        public_pipelines: hidden(),
    };
    fill(&mut repository);
    settings(|settings| settings.repository = seen(repository))
}
