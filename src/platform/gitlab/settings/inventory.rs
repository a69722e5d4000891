//! Which branches there are and what protects each, and every path on the
//! target branch. Does not know what the protection demands.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::facts::{Fact, FactKey, InScopeBranch, Source, Subject, Unknown, Why};

use super::super::super::access;
use super::super::branch::{HIDDEN_LAYER, applies, entry_name};
use super::super::collect::weaker_than_maintainer;
use super::super::open::target_tip;
use super::super::wire::{Branch, ProtectedBranch, Read, list};
use super::super::{Session, left_out, permissions};

/// A repository with more files is not read: at a hundred a page, that would
/// take longer than the rest of the run.
const MOST_PATHS: usize = 20_000;

/// The branches that match the globs, all of them if there is no glob.
pub(super) async fn branches(session: &Session, globs: &[String]) -> Fact<Vec<InScopeBranch>> {
    let fact = FactKey::BranchInventory.name();
    let path = session.path("/repository/branches");
    let (pages, entries) = tokio::join!(session.change.get_all(&path, None), async {
        if weaker_than_maintainer(&session.opened.project) {
            None
        } else {
            let pages = session.protected_branches().await;
            let read: Option<(Vec<ProtectedBranch>, Vec<Source>)> =
                list(fact, permissions::SETTINGS, pages).ok();
            // One without a name may cover any of them: then only the branches' own flags count.
            read.filter(|(entries, _)| entries.iter().all(|entry| entry.name.is_some()))
        }
    });
    in_scope(
        &list(fact, permissions::FILES, &pages),
        entries.as_ref(),
        globs,
    )
}

fn in_scope(
    branches: &Read<Vec<Branch>>,
    entries: Option<&(Vec<ProtectedBranch>, Vec<Source>)>,
    globs: &[String],
) -> Fact<Vec<InScopeBranch>> {
    let fact = FactKey::BranchInventory.name();
    let (branches, sources) = match branches {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let scope = match matcher(globs) {
        Ok(scope) => scope,
        Err(error) => {
            let detail = format!("a pattern of branches cannot be read: {error}");
            return Fact::Unknown(Unknown::new(fact, Why::Failed, detail));
        }
    };
    let mut found = Vec::new();
    for branch in branches {
        let Some(name) = &branch.name else {
            return Fact::Unknown(left_out(fact, "name", sources));
        };
        if !globs.is_empty() && !scope.is_match(name) {
            continue;
        }
        let layers = match (entries, branch.protected) {
            (Some((entries, sources)), _) => Fact::seen_in(
                entries
                    .iter()
                    .filter(|entry| {
                        let pattern = entry.name.as_deref();
                        pattern.is_some_and(|pattern| applies(pattern, name))
                    })
                    .map(entry_name)
                    .collect(),
                sources.clone(),
            ),
            (None, Some(true)) => Fact::seen_in(vec![HIDDEN_LAYER.to_owned()], sources.clone()),
            (None, Some(false)) => Fact::seen_in(Vec::new(), sources.clone()),
            (None, None) => Fact::Unknown(left_out(fact, "protected", sources)),
        };
        found.push(InScopeBranch {
            name: name.clone(),
            layers,
        });
    }
    Fact::seen_in(found, sources.clone())
}

fn matcher(globs: &[String]) -> Result<GlobSet, globset::Error> {
    let mut set = GlobSetBuilder::new();
    for glob in globs {
        set.add(GlobBuilder::new(glob).literal_separator(false).build()?);
    }
    set.build()
}

#[derive(Deserialize)]
struct TreeEntry {
    #[serde(rename = "type")]
    kind: Option<String>,
    path: Option<String>,
}

/// Every file on the target branch.
pub(super) async fn paths(session: &Session, subject: &Subject) -> Fact<Vec<String>> {
    let fact = FactKey::RepositoryPaths.name();
    let path = session.path(&format!(
        "/repository/tree?recursive=true&pagination=keyset&ref={}",
        access::encode(&target_tip(session, subject))
    ));
    let pages = session.settings.get_at_most(&path, MOST_PATHS).await;
    files(&list(fact, permissions::PROJECT, &pages))
}

fn files(tree: &Read<Vec<TreeEntry>>) -> Fact<Vec<String>> {
    let fact = FactKey::RepositoryPaths.name();
    let (entries, sources) = match tree {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut paths = Vec::new();
    for entry in entries {
        match (entry.kind.as_deref(), &entry.path) {
            (Some("tree"), _) => {}
            (Some(_), Some(path)) => paths.push(path.clone()),
            (None, _) | (_, None) => return Fact::Unknown(left_out(fact, "path", sources)),
        }
    }
    Fact::seen_in(paths, sources.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> (T, Vec<Source>) {
        (serde_json::from_value(value).unwrap(), Vec::new())
    }

    fn branches() -> Read<Vec<Branch>> {
        Ok(read(json!([
            {"name": "main", "protected": true},
            {"name": "release/1.0", "protected": false},
            {"name": "feature", "protected": false},
            {"name": "release/2.0"}
        ])))
    }

    fn globs() -> Vec<String> {
        vec!["main".to_owned(), "release/*".to_owned()]
    }

    #[test]
    fn the_branches_in_scope_are_listed_with_the_entries_that_cover_them() {
        let entries = read(json!([
            {"name": "main"}, {"name": "rel*", "inherited": true}, {"name": "*"}
        ]));
        let found = in_scope(&branches(), Some(&entries), &globs());
        let found = found.known().unwrap();
        assert_eq!(found.len(), 3);
        let layers = |i: usize| found[i].layers.known().unwrap().clone();
        assert_eq!(
            layers(0),
            ["protected branch \"main\"", "protected branch \"*\""]
        );
        assert_eq!(
            layers(1),
            [
                "protected branch \"rel*\" (inherited)",
                "protected branch \"*\""
            ]
        );
    }

    #[test]
    fn without_the_entries_only_the_flag_counts_and_a_missing_flag_is_unknown() {
        let found = in_scope(&branches(), None, &globs());
        let found = found.known().unwrap();
        assert_eq!(found[0].layers.known().unwrap(), &["protected branches"]);
        assert_eq!(found[1].layers.known().unwrap(), &Vec::<String>::new());
        assert!(!found[2].layers.is_known());
    }

    #[test]
    fn no_glob_means_every_branch() {
        assert_eq!(in_scope(&branches(), None, &[]).known().unwrap().len(), 4);
    }

    #[test]
    fn a_branch_without_a_name_or_a_list_that_was_refused_is_unknown() {
        let nameless = Ok(read(json!([{"protected": true}])));
        assert!(!in_scope(&nameless, None, &[]).is_known());
        let refused = Err(Unknown::new("x", Why::NotPermitted, "401"));
        assert!(!in_scope(&refused, None, &[]).is_known());
    }

    #[test]
    fn folders_are_no_paths_and_an_entry_without_a_path_makes_the_list_unknown() {
        let tree = Ok(read(json!([
            {"type": "tree", "path": "src"}, {"type": "blob", "path": "src/a.rs"},
            {"type": "commit", "path": "vendor/x"}
        ])));
        assert_eq!(
            files(&tree).known().unwrap(),
            &["src/a.rs".to_owned(), "vendor/x".to_owned()]
        );
        assert!(!files(&Ok(read(json!([{"type": "blob"}])))).is_known());
    }
}
