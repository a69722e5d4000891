//! Every path at the tip of the target branch. A tree that the platform cut short
//! is not a list of paths.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::super::Session;
use super::super::permissions;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Tree {
    tree: Option<Vec<Entry>>,
    truncated: Option<bool>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    path: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

const KEY: FactKey = FactKey::RepositoryPaths;

/// The paths, by the commit that the first round saw: a name could mean a tag.
pub(super) async fn ask(session: &Session) -> Fact<Vec<String>> {
    let Some(tip) = &session.tip else {
        return Fact::Unknown(
            Unknown::new(
                KEY.name(),
                Why::HiddenOrAbsent,
                "the tip of the target branch is not known, so its paths cannot be asked for",
            )
            .needs(permissions::CONTENTS),
        );
    };
    let path = format!(
        "{}/git/trees/{}?recursive=1",
        session.repository_path(),
        access::encode(tip)
    );
    paths(&session.change.get(&path).await)
}

fn paths(answer: &Result<Answer, NoAnswer>) -> Fact<Vec<String>> {
    let answer = match answer {
        Ok(answer) => answer,
        Err(refusal) => {
            let needs = permissions::CONTENTS;
            return Fact::Unknown(access::refused(KEY.name(), needs, refusal));
        }
    };
    let unusable = |detail: &str| {
        Fact::Unknown(access::malformed(
            KEY.name(),
            &answer.endpoint,
            answer.status,
            detail,
        ))
    };
    let tree: Tree = match answer.json() {
        Ok(tree) => tree,
        Err(detail) => return unusable(&detail),
    };
    if tree.truncated != Some(false) {
        return unusable("the platform did not send the tree as a whole");
    }
    // Folders are told by what lies in them.
    let entries = tree.tree.map(|entries| {
        let files = entries
            .into_iter()
            .filter(|entry| entry.kind.as_deref() != Some("tree"));
        files.map(|entry| entry.path).collect::<Option<Vec<_>>>()
    });
    let Some(Some(mut paths)) = entries else {
        return unusable("the answer leaves out paths");
    };
    paths.sort();
    Fact::seen(paths, answer.source.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::graph::testing::{refused, rest};
    use super::*;

    #[test]
    fn files_links_and_modules_are_paths_and_folders_are_not() {
        let answer = rest(&json!({"truncated": false, "tree": [
            {"path": "src", "type": "tree"}, {"path": "src/main.rs", "type": "blob"},
            {"path": "lib", "type": "commit"}]}));
        assert_eq!(paths(&answer).known().unwrap(), &["lib", "src/main.rs"]);
    }

    #[test]
    fn a_tree_that_may_be_cut_short_is_unknown() {
        for body in [
            json!({"truncated": true, "tree": []}),
            json!({"tree": []}),
            json!({"truncated": false}),
            json!({"truncated": false, "tree": [{"type": "blob"}]}),
        ] {
            assert!(!paths(&rest(&body)).is_known(), "{body}");
        }
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let why = |status| paths(&refused(status, "")).known().unwrap_err().why;
        assert_eq!(why(404), Why::HiddenOrAbsent);
        assert_eq!(why(501), Why::NotSupported);
    }
}
