//! What a change says that it copies or takes back: which merged changes brought it,
//! and how those were reviewed. Asked only where the change names something.

use crate::facts::{Fact, FactKey, Original, OriginalReference, Snapshot, Unknown, Why};

use super::super::{Session, permissions, wire};
use super::{changes, read};

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
    let shas: Vec<String> = named
        .iter()
        .filter_map(|reference| match reference {
            OriginalReference::Commit(sha) => Some(sha.clone()),
            OriginalReference::Change(_) => None,
        })
        .collect();
    let commits = if shas.is_empty() {
        Vec::new()
    } else {
        session.transport.begin_wave();
        read::commits(session, &shas).await
    };
    let branches = [
        Some(snapshot.subject.target.as_str()),
        session.default_branch.as_deref(),
    ];
    let numbers: Vec<(OriginalReference, Fact<Vec<u64>>)> = named
        .into_iter()
        .map(|reference| {
            let numbers = match &reference {
                OriginalReference::Change(number) => Fact::known_without_source(vec![*number]),
                OriginalReference::Commit(sha) => {
                    match commits.iter().find(|(other, _)| other == sha) {
                        Some((_, node)) => candidates(node, &branches),
                        None => Fact::Unknown(unseen(sha)),
                    }
                }
            };
            (reference, numbers)
        })
        .collect();
    let all = Original::numbers(&numbers);
    let brought = if all.is_empty() {
        Vec::new()
    } else {
        session.transport.begin_wave();
        changes::some(session, &all).await
    };
    Fact::known_without_source(Original::among(numbers, &brought, &branches))
}

/// The merged pull requests into one of these branches that the platform's index names.
fn candidates(node: &super::ways::Node, branches: &[Option<&str>; 2]) -> Fact<Vec<u64>> {
    let (pulls, whole) = match &node.candidates {
        Ok(candidates) => candidates,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let merged = |pull: &&wire::Pull| {
        pull.state.as_deref() == Some("MERGED")
            && pull.base_ref_name.is_some()
            && branches.contains(&pull.base_ref_name.as_deref())
    };
    let found: Vec<u64> = pulls
        .iter()
        .filter(merged)
        .filter_map(|pull| pull.number)
        .collect();
    if found.is_empty() && !whole {
        return Fact::Unknown(Unknown::new(
            KEY.name(),
            Why::NotSupported,
            "the platform names more pull requests of the commit than are looked at",
        ));
    }
    Fact::seen(found, node.source.clone())
}

fn unseen(sha: &str) -> Unknown {
    Unknown::new(
        KEY.name(),
        Why::HiddenOrAbsent,
        format!("the platform shows no commit {sha}"),
    )
    .needs(permissions::needs(KEY))
}
