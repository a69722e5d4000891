//! What protects tags. GitLab refuses to move or delete a protected tag by a
//! push, whoever pushes; what can be set is only who may make one.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, TagProtection};

use super::super::branch::{actors, limited};
use super::super::wire::{AccessLevel, Read, list};
use super::super::{Session, left_out, permissions};

#[derive(Deserialize)]
struct ProtectedTag {
    name: Option<String>,
    create_access_levels: Option<Vec<AccessLevel>>,
}

/// The protected tags of the project.
pub(super) async fn protections(session: &Session) -> Fact<Vec<TagProtection>> {
    let path = session.path("/protected_tags");
    let pages = session.settings.get_all(&path, None).await;
    translated(&list(
        FactKey::RepositoryTags.name(),
        permissions::SETTINGS,
        &pages,
    ))
}

fn translated(read: &Read<Vec<ProtectedTag>>) -> Fact<Vec<TagProtection>> {
    let fact = FactKey::RepositoryTags.name();
    let (tags, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut found = Vec::new();
    for tag in tags {
        let Some(name) = &tag.name else {
            return Fact::Unknown(left_out(fact, "name", sources));
        };
        let hidden = || left_out(fact, "create_access_levels", sources);
        let (creation_limited, bypass) = match tag.create_access_levels.as_deref() {
            Some(levels) => (
                Fact::seen_in(limited(levels), sources.clone()),
                // Members' names are not looked up for tags.
                Fact::seen_in(
                    actors(levels, &std::collections::BTreeMap::new()),
                    sources.clone(),
                ),
            ),
            None => (Fact::Unknown(hidden()), Fact::Unknown(hidden())),
        };
        found.push(TagProtection {
            name: format!("protected tag \"{name}\""),
            include: vec![name.clone()],
            exclude: Vec::new(),
            creation_limited,
            update_blocked: Fact::seen_in(true, sources.clone()),
            deletion_blocked: Fact::seen_in(true, sources.clone()),
            bypass,
        });
    }
    Fact::seen_in(found, sources.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::facts::{BypassKind, Unknown, Why};

    fn tags(value: serde_json::Value) -> Fact<Vec<TagProtection>> {
        translated(&Ok((serde_json::from_value(value).unwrap(), Vec::new())))
    }

    #[test]
    fn a_protected_tag_cannot_be_moved_and_says_who_may_make_one() {
        let found = tags(json!([
            {"name": "v*", "create_access_levels": [{"access_level": 40}]},
            {"name": "nightly-*", "create_access_levels": [{"access_level": 30}]},
            {"name": "never", "create_access_levels": [{"access_level": 0}]}
        ]));
        let found = found.known().unwrap();
        let made = |i: usize| *found[i].creation_limited.known().unwrap();
        assert_eq!((made(0), made(1), made(2)), (true, false, true));
        assert_eq!(found[0].include, ["v*"]);
        assert_eq!(found[0].update_blocked.known(), Ok(&true));
        let who = found[0].bypass.known().unwrap();
        assert_eq!(who[0].kind, BypassKind::Administrators);
        assert!(found[2].bypass.known().unwrap().is_empty());
    }

    #[test]
    fn levels_that_are_left_out_are_unknown_and_no_entry_is_a_known_nothing() {
        let found = tags(json!([{"name": "v*", "create_access_levels": null}]));
        let found = found.known().unwrap();
        assert!(!found[0].creation_limited.is_known() && !found[0].bypass.is_known());
        assert_eq!(tags(json!([])).known(), Ok(&Vec::new()));
        assert!(!tags(json!([{"create_access_levels": []}])).is_known());
        let refused = Err(Unknown::new("x", Why::NotPermitted, "403"));
        assert!(!translated(&refused).is_known());
    }
}
