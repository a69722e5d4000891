//! Files of a merge request. A list that is cut off, or that does not have as many
//! entries as the merge request itself counts, is unknown. What a file's diff holds
//! is not looked at, so a collapsed or oversized diff hides nothing here.

use crate::facts::{ChangedFile, Fact, FactKey, FileChange, Source, Unknown, Why};
use crate::platform::transport::PER_PAGE;

use super::super::{access, join};
use super::permissions;
use super::wire::{Diff, MergeRequest, Read, Reply, object};
use super::{Session, left_out};

/// Most files that are read; a change with more has a count that ends in `+`
/// unless the server's limits were raised.
const MOST: usize = 3000;

/// The files of the change. All pages are asked for at once: the merge request
/// says how many there are.
pub(super) async fn collect(session: &Session, path: &str) -> Fact<Vec<ChangedFile>> {
    let count = match count(&session.opened.merge_request) {
        Ok(count) => count,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let pages = count.div_ceil(PER_PAGE).max(1);
    let replies = join::all((1..=pages).map(|page| async move {
        let path = format!("{path}?per_page={PER_PAGE}&page={page}");
        session.settings.get(&path).await
    }))
    .await;
    files(&replies, count)
}

/// How many files the merge request has by its own count.
fn count(read: &Read<MergeRequest>) -> Result<usize, Unknown> {
    let fact = FactKey::ChangeFiles.name();
    let (mr, sources) = read.as_ref().map_err(|unknown| Unknown {
        fact: fact.to_owned(),
        ..unknown.clone()
    })?;
    let told = mr
        .changes_count
        .as_deref()
        .ok_or_else(|| left_out(fact, "changes_count", sources))?;
    told.parse::<usize>()
        .ok()
        .filter(|count| *count <= MOST)
        .ok_or_else(|| {
            Unknown::new(
                fact,
                Why::NotSupported,
                format!("the change has `{told}` files; not all of them are handed out"),
            )
        })
}

fn files(replies: &[Reply], count: usize) -> Fact<Vec<ChangedFile>> {
    let fact = FactKey::ChangeFiles.name();
    let mut list = Vec::with_capacity(count);
    let mut sources = Vec::new();
    for reply in replies {
        let read: Read<Vec<Diff>> = object(fact, permissions::CHANGE, reply);
        match read.and_then(|(diffs, source)| {
            let files = diffs
                .into_iter()
                .map(|diff| file(diff, &source))
                .collect::<Result<Vec<_>, _>>()?;
            Ok((files, source))
        }) {
            Ok((files, source)) => {
                list.extend(files);
                sources.extend(source);
            }
            Err(unknown) => return Fact::Unknown(unknown),
        }
    }
    if list.len() == count {
        return Fact::seen_in(list, sources);
    }
    let told = list.len();
    Fact::Unknown(access::malformed(
        fact,
        sources
            .first()
            .map_or("", |source| source.endpoint.as_str()),
        200,
        &format!("GitLab lists {told} files and counts {count}"),
    ))
}

fn file(diff: Diff, sources: &[Source]) -> Result<ChangedFile, Unknown> {
    let fact = FactKey::ChangeFiles.name();
    let missing = |field: &str| left_out(fact, field, sources);
    let path = diff
        .new_path
        .filter(|path| !path.is_empty())
        .ok_or_else(|| missing("new_path"))?;
    let before = diff.old_path.ok_or_else(|| missing("old_path"))?;
    let kind = match (diff.new_file, diff.renamed_file, diff.deleted_file) {
        (Some(true), Some(false), Some(false)) => FileChange::Added,
        (Some(false), Some(true), Some(false)) => FileChange::Renamed,
        (Some(false), Some(false), Some(true)) => FileChange::Removed,
        (Some(false), Some(false), Some(false)) => FileChange::Modified,
        (Some(_), Some(_), Some(_)) => FileChange::Other("several at once".to_owned()),
        (None, _, _) | (_, None, _) | (_, _, None) => return Err(missing("new_file")),
    };
    // Whatever it is called: two paths are two paths.
    let previous_path = (before != path && !before.is_empty()).then_some(before);
    Ok(ChangedFile {
        path,
        previous_path: Fact::seen_in(previous_path, sources.to_vec()),
        kind,
        additions: None,
        deletions: None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::settings::testing::{one, refused};
    use super::*;
    use serde_json::{Value, json};

    fn counted(told: &Value) -> Result<usize, Unknown> {
        let mr: MergeRequest = serde_json::from_value(json!({"changes_count": told})).unwrap();
        count(&Ok((mr, Vec::new())))
    }

    fn diff(old: &str, new: &str, flags: [bool; 3]) -> Value {
        json!({"old_path": old, "new_path": new, "new_file": flags[0],
            "renamed_file": flags[1], "deleted_file": flags[2],
            "collapsed": true, "too_large": true, "diff": ""})
    }

    fn of(pages: &[Value], count: usize) -> Fact<Vec<ChangedFile>> {
        let replies: Vec<Reply> = pages.iter().map(one).collect();
        files(&replies, count)
    }

    #[test]
    fn a_count_that_ends_in_a_plus_is_not_the_number_of_files() {
        assert_eq!(counted(&json!("12")), Ok(12));
        assert_eq!(counted(&json!("0")), Ok(0));
        for told in [
            json!("1000+"),
            json!("3001"),
            json!(""),
            json!("-1"),
            Value::Null,
        ] {
            assert!(counted(&told).is_err(), "{told}");
        }
    }

    #[test]
    fn a_list_shorter_or_longer_than_the_count_is_unknown() {
        let page = json!([diff("a", "a", [false; 3])]);
        assert!(of(std::slice::from_ref(&page), 1).is_known());
        assert!(!of(std::slice::from_ref(&page), 2).is_known());
        assert!(!of(&[page.clone(), page.clone()], 1).is_known());
        assert!(of(&[page.clone(), page], 2).is_known());
    }

    #[test]
    fn a_moved_file_touches_both_paths_and_a_collapsed_diff_hides_none() {
        let list = json!([
            diff("auth/a.rs", "misc/a.rs", [false, true, false]),
            diff("b.rs", "b.rs", [true, false, false]),
            diff("c.rs", "c.rs", [false, false, true]),
        ]);
        let fact = of(&[list], 3);
        let list = fact.known().unwrap();
        assert_eq!(
            list[0].paths().collect::<Vec<_>>(),
            ["misc/a.rs", "auth/a.rs"]
        );
        let kinds: Vec<_> = list.iter().map(|file| file.kind.clone()).collect();
        assert_eq!(
            kinds,
            [FileChange::Renamed, FileChange::Added, FileChange::Removed]
        );
        assert_eq!(list[2].previous_path.known(), Ok(&None));
    }

    #[test]
    fn an_entry_without_its_paths_or_flags_and_a_refusal_are_unknown() {
        for key in [
            "old_path",
            "new_path",
            "new_file",
            "renamed_file",
            "deleted_file",
        ] {
            let mut entry = diff("a", "a", [false; 3]);
            entry[key] = Value::Null;
            assert!(!of(&[json!([entry])], 1).is_known(), "{key}");
        }
        assert!(!files(&[refused(403)], 1).is_known());
    }
}
