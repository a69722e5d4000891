//! The repository's own settings, over GraphQL: the same keys are missing in
//! REST for every token that cannot write.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use crate::facts::{Fact, FactKey, MergeMethod, RepositorySettings, Visibility};
use crate::platform::transport::GraphqlAnswer;

use super::super::graph::{self, Place};
use super::super::permissions;
use super::document::Part;
use super::owner_side::Asker;
use super::reading::Read;

const KEY: FactKey = FactKey::RepositorySettings;

/// What is asked of the repository.
pub(super) const FIELDS: &str = "    visibility isArchived pushedAt
    squashMergeAllowed mergeCommitAllowed rebaseMergeAllowed autoMergeAllowed
";

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wire {
    visibility: Option<String>,
    is_archived: Option<bool>,
    squash_merge_allowed: Option<bool>,
    merge_commit_allowed: Option<bool>,
    rebase_merge_allowed: Option<bool>,
    auto_merge_allowed: Option<bool>,
}

/// Asks for the repository.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<RepositorySettings> {
    match asker.shared.document.answer(Part::Repository).await {
        Ok(answer) => settings(answer),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn settings(answer: &GraphqlAnswer) -> Fact<RepositorySettings> {
    let needs = permissions::needs(KEY);
    let value = match graph::place(answer, &["repository"], KEY.name(), needs) {
        Place::There(value) => value,
        Place::Empty => {
            return Fact::Unknown(graph::empty(answer, KEY.name(), needs, "such repository"));
        }
        Place::Refused(unknown) => return Fact::Unknown(unknown),
    };
    let wire: Wire = match graph::read(&value, answer, KEY.name()) {
        Ok(wire) => wire,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let read = Read {
        value: wire,
        sources: vec![answer.source.clone()],
        endpoint: answer.endpoint.clone(),
    };
    let wire = &read.value;
    let visibility = wire.visibility.as_deref().map(visibility);
    // Logs and artifacts are as open as the code.
    let open = visibility
        .as_ref()
        .map(|seen| !matches!(seen, Visibility::Private | Visibility::Internal));
    read.fact(RepositorySettings {
        visibility: read.field(KEY, visibility, "visibility"),
        archived: read.field(KEY, wire.is_archived, "isArchived"),
        last_activity: read.field(KEY, pushed(&value), "pushedAt"),
        merge_methods: read.field(KEY, methods(wire), "squashMergeAllowed"),
        auto_merge: read.field(KEY, wire.auto_merge_allowed, "autoMergeAllowed"),
        public_pipelines: read.field(KEY, open, "visibility"),
    })
}

fn visibility(word: &str) -> Visibility {
    match word {
        "PRIVATE" => Visibility::Private,
        "INTERNAL" => Visibility::Internal,
        "PUBLIC" => Visibility::Public,
        other => Visibility::Other(other.to_owned()),
    }
}

/// Null where nothing was ever pushed; that is told, a missing key is not.
fn pushed(value: &Value) -> Option<Option<Timestamp>> {
    match value.get("pushedAt")? {
        Value::Null => Some(None),
        Value::String(text) => text.parse().ok().map(Some),
        _ => None,
    }
}

fn methods(wire: &Wire) -> Option<Vec<MergeMethod>> {
    let all = [
        (wire.merge_commit_allowed?, MergeMethod::Merge),
        (wire.squash_merge_allowed?, MergeMethod::Squash),
        (wire.rebase_merge_allowed?, MergeMethod::Rebase),
    ];
    let allowed = all.into_iter().filter(|(allowed, _)| *allowed);
    Some(allowed.map(|(_, method)| method).collect())
}

#[cfg(test)]
mod tests {
    use super::super::super::graph::testing::answer;
    use super::*;
    use crate::facts::Why;
    use serde_json::json;

    fn whole() -> Value {
        json!({"visibility": "PRIVATE", "isArchived": false, "pushedAt": "2026-04-01T00:00:00Z",
            "squashMergeAllowed": true, "mergeCommitAllowed": false, "rebaseMergeAllowed": true, "autoMergeAllowed": false})
    }

    fn read(repository: &Value) -> RepositorySettings {
        settings(&answer(&json!({"data": {"repository": repository}})))
            .known()
            .unwrap()
            .clone()
    }

    #[test]
    fn settings_are_read() {
        let seen = read(&whole());
        assert_eq!(seen.visibility.known(), Ok(&Visibility::Private));
        assert_eq!(seen.public_pipelines.known(), Ok(&false));
        assert_eq!(
            seen.merge_methods.known(),
            Ok(&vec![MergeMethod::Squash, MergeMethod::Rebase])
        );
        assert!(seen.last_activity.known().unwrap().is_some());
    }

    #[test]
    fn a_visibility_that_is_not_known_counts_as_open() {
        let mut repository = whole();
        repository["visibility"] = json!("PARTNERS");
        let seen = read(&repository);
        assert_eq!(seen.public_pipelines.known(), Ok(&true));
        repository["visibility"] = json!(null);
        assert!(!read(&repository).public_pipelines.is_known());
    }

    #[test]
    fn a_merge_method_that_is_not_told_leaves_the_list_unknown() {
        let mut repository = whole();
        repository["mergeCommitAllowed"] = json!(null);
        let seen = read(&repository);
        assert!(!seen.merge_methods.is_known() && seen.auto_merge.is_known());
    }

    #[test]
    fn a_repository_without_a_push_is_told_from_one_that_does_not_say() {
        let mut repository = whole();
        repository["pushedAt"] = json!(null);
        assert_eq!(read(&repository).last_activity.known(), Ok(&None));
        repository.as_object_mut().unwrap().remove("pushedAt");
        assert!(!read(&repository).last_activity.is_known());
        repository["pushedAt"] = json!("yesterday");
        assert!(!read(&repository).last_activity.is_known());
    }

    #[test]
    fn a_repository_that_is_not_shown_is_unknown() {
        let hidden = answer(&json!({"data": {"repository": null},
            "errors": [{"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}]}));
        assert_eq!(
            settings(&hidden).known().unwrap_err().why,
            Why::HiddenOrAbsent
        );
    }
}
