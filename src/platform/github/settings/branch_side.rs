//! The groups around branches: inventory, tags, releases, code owners, paths and
//! what reported on merged heads. Knows which of them are wanted and what each
//! has to be asked; every question is part of the same round.

use std::future::Future;

use serde_json::json;

use crate::facts::{Fact, FactKey, Needs, Settings, Snapshot, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, NoAnswer};

use super::super::Session;
use super::super::conditions::Ref;
use super::super::permissions;
use super::query::{self, Parts};
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
    let on_target = !target.is_empty();
    let listed = wants(FactKey::BranchInventory) && !inventory::is_target_alone(target, needs);
    let parts = Parts {
        rulesets: listed,
        owners: wants(FactKey::RepositoryCodeOwners) && on_target,
        history: wants(FactKey::BranchCheckHistory) && on_target,
    };
    let listing_path = format!("{}/branches", session.repository_path());
    let (answer, branches, tags, releases, paths, people) = tokio::join!(
        when(parts.any(), || ask(session, target, parts)),
        when(listed, || { session.change.get_all(&listing_path, None) }),
        when(wants(FactKey::RepositoryTags), || tags::ask(
            session, shared
        )),
        when(wants(FactKey::RepositoryReleases), || {
            releases::ask(session, shared, &snapshot.settings.server)
        }),
        when(wants(FactKey::RepositoryPaths), || paths::ask(session)),
        when(parts.owners, || owners::People::ask(shared)),
    );
    if let Some(branches) = &branches {
        let default_branch = snapshot.repository.default_branch.known().ok();
        let default_branch = default_branch.map(String::as_str);
        let rulesets = read(
            answer.as_ref(),
            FactKey::BranchInventory,
            inventory::rulesets,
        );
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
        settings.code_owners = match &people {
            Some(people) => flat(read(
                answer.as_ref(),
                FactKey::RepositoryCodeOwners,
                |answer| Ok(owners::code_owners(answer, people, &session.owner)),
            )),
            None => no_target(FactKey::RepositoryCodeOwners),
        };
    }
    if wants(FactKey::BranchCheckHistory) {
        settings.merged_heads = if parts.history {
            flat(read(
                answer.as_ref(),
                FactKey::BranchCheckHistory,
                |answer| Ok(history::merged_heads(answer)),
            ))
        } else {
            no_target(FactKey::BranchCheckHistory)
        };
    }
    settings
}

/// Asks only if it is wanted. On the heap: many questions side by side, each with
/// room for its answers, are too much for one stack.
async fn when<F: Future>(wanted: bool, question: impl FnOnce() -> F) -> Option<F::Output> {
    if wanted {
        Some(Box::pin(question()).await)
    } else {
        None
    }
}

async fn ask(session: &Session, target: &str, parts: Parts) -> Result<GraphqlAnswer, NoAnswer> {
    let mut variables = json!({"owner": session.owner, "name": session.name});
    if parts.owners || parts.history {
        variables["branch"] = json!(target);
    }
    if parts.owners {
        variables["ref"] = json!(format!("refs/heads/{target}"));
    }
    session
        .change
        .graphql(query::OPERATION, &query::query(parts), variables)
        .await
}

/// What `translate` makes of the answer, or why there is none.
fn read<T>(
    answer: Option<&Result<GraphqlAnswer, NoAnswer>>,
    key: FactKey,
    translate: impl FnOnce(&GraphqlAnswer) -> Result<T, Unknown>,
) -> Result<T, Unknown> {
    match answer {
        Some(Ok(answer)) => translate(answer),
        Some(Err(refusal)) => Err(access::refused(
            key.name(),
            permissions::needs(key),
            refusal,
        )),
        None => Err(Unknown::not_collected(key.name())),
    }
}

fn flat<T>(read: Result<Fact<T>, Unknown>) -> Fact<T> {
    read.unwrap_or_else(Fact::Unknown)
}

fn no_target<T>(key: FactKey) -> Fact<T> {
    Fact::Unknown(Unknown::new(
        key.name(),
        Why::Failed,
        "the target branch is not known, so nothing can be asked about it",
    ))
}
