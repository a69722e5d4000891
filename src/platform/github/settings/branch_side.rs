//! The groups around branches: inventory, tags, releases, code owners, paths and
//! what reported on merged heads. Knows which of them are wanted and what each
//! has to be asked; every question is part of the same round.

use crate::facts::{Fact, FactKey, Needs, Settings, Snapshot, Unknown, Why};

use crate::platform::join::when;

use super::super::Session;
use super::super::conditions::Ref;
use super::document::Part;
use super::shared::Shared;
use super::{history, inventory, owners, paths, releases, tags};

/// The groups of this side that are needed; all others are not collected.
pub(super) async fn branch_side(
    session: &Session,
    shared: &Shared<'_>,
    snapshot: &Snapshot,
    needs: &Needs,
) -> Settings {
    let mut settings = Settings::all_unknown();
    let wants = |key: FactKey| needs.has(key);
    let target = snapshot.subject.target.as_str();
    let listed = wants(FactKey::BranchInventory) && !inventory::is_target_alone(target, needs);
    let document = &shared.document;
    let listing_path = format!("{}/branches", session.repository_path());
    let (rulesets, history, branches, tags, releases, paths, owners) = tokio::join!(
        when(listed, || document.answer(Part::Rulesets)),
        when(document.has(Part::History), || document
            .answer(Part::History)),
        when(listed, || { session.change.get_all(&listing_path, None) }),
        when(wants(FactKey::RepositoryTags), || tags::ask(
            session, shared
        )),
        when(wants(FactKey::RepositoryReleases), || {
            releases::ask(session, shared, &snapshot.settings.server)
        }),
        when(wants(FactKey::RepositoryPaths), || paths::ask(session)),
        when(document.has(Part::CodeOwners), || owners::ask(
            session, shared
        )),
    );
    if let (Some(branches), Some(rulesets)) = (&branches, rulesets) {
        let default_branch = snapshot.repository.default_branch.known().ok();
        let default_branch = default_branch.map(String::as_str);
        let rulesets = rulesets.and_then(inventory::rulesets);
        settings.in_scope_branches =
            inventory::in_scope(branches, &rulesets, needs.branches(), |name| {
                Ref::branch(name, default_branch)
            });
    }
    if let Some(tags) = tags {
        settings.tag_protections = tags;
    }
    if let Some(releases) = releases {
        settings.releases = Fact::known_without_source(releases);
    }
    if let Some(paths) = paths {
        settings.paths = paths;
    }
    if wants(FactKey::RepositoryCodeOwners) {
        settings.code_owners = owners.unwrap_or_else(|| no_target(FactKey::RepositoryCodeOwners));
    }
    if wants(FactKey::BranchCheckHistory) {
        settings.merged_heads = match history {
            Some(Ok(answer)) => history::merged_heads(answer),
            Some(Err(unknown)) => Fact::Unknown(unknown),
            None => no_target(FactKey::BranchCheckHistory),
        };
    }
    settings
}

fn no_target<T>(key: FactKey) -> Fact<T> {
    Fact::Unknown(Unknown::new(
        key.name(),
        Why::Failed,
        "the target branch is not known, so nothing can be asked about it",
    ))
}
