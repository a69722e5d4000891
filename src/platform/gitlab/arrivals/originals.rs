//! What a change says that it copies or takes back: which merged changes brought it,
//! and how those were reviewed. Asked only where the change names something.

use crate::facts::{Fact, FactKey, Original, OriginalReference, Snapshot};
use crate::platform::{access, join};

use super::super::wire::{MergeRequest, Read, list};
use super::super::{Session, permissions};
use super::changes;

const KEY: FactKey = FactKey::ChangeOriginals;

/// Reads the change's own texts, which have to be known by now, and asks about what
/// they name: one round for commits, one for changes.
pub(in super::super) async fn collect(
    session: &Session,
    snapshot: &Snapshot,
) -> Fact<Vec<Original>> {
    let named = match snapshot.original_references() {
        Ok(named) => named,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    if named.is_empty() {
        return Fact::known_without_source(Vec::new());
    }
    session.transport.begin_wave();
    let branches = [
        Some(snapshot.subject.target.clone()),
        default_branch(session),
    ];
    let numbers = join::all(named.iter().map(|reference| async {
        match reference {
            OriginalReference::Change(number) => Fact::known_without_source(vec![*number]),
            OriginalReference::Commit(sha) => candidates(session, sha, &branches).await,
        }
    }))
    .await;
    let named: Vec<_> = named.into_iter().zip(numbers).collect();
    let all = Original::numbers(&named);
    let brought = if all.is_empty() {
        Vec::new()
    } else {
        session.transport.begin_wave();
        changes::some(session, &all).await
    };
    let branches = branches.each_ref().map(Option::as_deref);
    Fact::known_without_source(Original::among(named, &brought, &branches))
}

fn default_branch(session: &Session) -> Option<String> {
    let (project, _) = session.opened.project.as_ref().ok()?;
    project.default_branch.clone()
}

/// The merged changes into one of these branches that GitLab's index names.
async fn candidates(
    session: &Session,
    sha: &str,
    branches: &[Option<String>; 2],
) -> Fact<Vec<u64>> {
    let path = session.path(&format!(
        "/repository/commits/{}/merge_requests",
        access::encode(sha)
    ));
    let pages = session.settings.get_all(&path, None).await;
    let read: Read<Vec<MergeRequest>> = list(KEY.name(), permissions::CHANGE, &pages);
    match read {
        Ok((changes, sources)) => {
            let merged = |mr: &&MergeRequest| {
                mr.state.as_deref() == Some("merged")
                    && mr.target_branch.is_some()
                    && branches.contains(&mr.target_branch)
            };
            let numbers = changes.iter().filter(merged).filter_map(|mr| mr.iid);
            Fact::seen_in(numbers.collect(), sources)
        }
        Err(unknown) => Fact::Unknown(unknown),
    }
}
