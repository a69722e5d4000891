//! The file of code owners that GitLab would use, and whom it names. Knows
//! where GitLab looks and who may write here, not which paths need an owner.

use crate::facts::{
    CodeOwners, Fact, FactKey, OwnerStatus, OwnersDialect, OwnersFile, OwnersRules, PolicyDocument,
    Subject, Unknown, Why,
};

use super::super::open::{document, file, target_tip};
use super::super::wire::{Member, Project, Read, list};
use super::super::{Session, permissions};

/// Where GitLab looks, in this order; the first file counts.
const PLACES: [&str; 3] = ["CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];
/// Level of developers, the lowest that may push.
const DEVELOPER: u32 = 30;

/// The file at the tip of the target branch and its owners.
pub(super) async fn code_owners(session: &Session, subject: &Subject) -> Fact<CodeOwners> {
    let fact = FactKey::RepositoryCodeOwners.name();
    let at = || Some(target_tip(session, subject));
    let (root, docs, hidden, members) = tokio::join!(
        file(session, Some(PLACES[0]), at()),
        file(session, Some(PLACES[1]), at()),
        file(session, Some(PLACES[2]), at()),
        session.all_members(),
    );
    let readable = session.opened.project.is_ok() || session.opened.merge_request.is_ok();
    let mut found = Vec::new();
    for (place, reply) in PLACES.into_iter().zip([root, docs, hidden]) {
        if let Some(reply) = reply {
            let document = document(fact, place, &subject.target, &reply, readable);
            found.push((place, document));
        }
    }
    let people = People {
        repository: &subject.repository,
        project: &session.opened.project,
        members: list(fact, permissions::MEMBERS, members),
    };
    translated(found, &people)
}

/// Who may write to the project.
struct People<'a> {
    repository: &'a str,
    project: &'a Read<Project>,
    members: Read<Vec<Member>>,
}

/// A place that could not be read hides which file counts, unless one before it does.
fn translated(
    found: Vec<(&str, Fact<Option<PolicyDocument>>)>,
    people: &People<'_>,
) -> Fact<CodeOwners> {
    let mut sources = Vec::new();
    for (place, document) in found {
        let (document, more) = match document {
            Fact::Known { value, sources } => (value, sources),
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        };
        sources.extend(more);
        let Some(document) = document else { continue };
        let rules = OwnersRules::parse(&document.text, OwnersDialect::Gitlab);
        let mut owners: Vec<OwnerStatus> = rules
            .owner_names()
            .into_iter()
            .map(|name| status(name, people))
            .collect();
        owners.sort_by(|a, b| a.name.cmp(&b.name));
        let file = OwnersFile {
            path: place.to_owned(),
            digest: document.digest,
            size: document.text.len() as u64,
            // GitLab has no interface that tells which lines it cannot use. The
            // file is read here by its documented grammar, and what that
            // grammar has no place for is what GitLab cannot use either.
            platform_errors: Fact::seen_in(rules.problems().to_vec(), sources.clone()),
            text: document.text,
            dialect: OwnersDialect::Gitlab,
        };
        return Fact::seen_in(
            CodeOwners {
                file: Some(file),
                owners,
            },
            sources,
        );
    }
    Fact::seen_in(
        CodeOwners {
            file: None,
            owners: Vec::new(),
        },
        sources,
    )
}

fn status(name: &str, people: &People<'_>) -> OwnerStatus {
    let (exists, can_write) = standing(name, people);
    OwnerStatus {
        name: name.to_owned(),
        exists,
        can_write,
    }
}

fn standing(name: &str, people: &People<'_>) -> (Fact<bool>, Fact<bool>) {
    let fact = FactKey::RepositoryCodeOwners.name();
    let both = |value: bool| {
        (
            Fact::known_without_source(value),
            Fact::known_without_source(value),
        )
    };
    let unknown = |why: Unknown| (Fact::Unknown(why.clone()), Fact::Unknown(why));
    if let Some(role) = name.strip_prefix("@@") {
        // Whoever has the role may write; there are only these.
        let known = ["developer", "maintainer", "owner"]
            .iter()
            .any(|word| role.trim_end_matches('s').eq_ignore_ascii_case(word));
        return both(known);
    }
    let Some(login) = name.strip_prefix('@') else {
        return unknown(Unknown::new(
            fact,
            Why::NotSupported,
            "GitLab does not tell whose e-mail address this is",
        ));
    };
    let of_member = |member: &Member| {
        member
            .username
            .as_deref()
            .is_some_and(|name| name.eq_ignore_ascii_case(login))
    };
    let members = match &people.members {
        Ok((members, sources)) => Some((members, sources)),
        Err(_) => None,
    };
    if let Some((member, sources)) = members.and_then(|(members, sources)| {
        let member = members.iter().find(|member| of_member(member))?;
        Some((member, sources))
    }) {
        let can_write = match member.access_level {
            Some(level) => Fact::seen_in(level >= DEVELOPER && member.active(), sources.clone()),
            None => Fact::Unknown(super::super::left_out(fact, "access_level", sources)),
        };
        return (Fact::seen_in(true, sources.clone()), can_write);
    }
    if is_above(login, people.repository) {
        return both(true);
    }
    match people.project {
        Ok((project, sources)) => {
            let shared = project.shared_with_groups.as_deref().unwrap_or_default();
            let group = shared.iter().find(|group| {
                group
                    .group_full_path
                    .as_deref()
                    .is_some_and(|path| path.eq_ignore_ascii_case(login))
            });
            if let Some(group) = group {
                let can_write = match group.group_access_level {
                    Some(level) => Fact::seen_in(level >= DEVELOPER, sources.clone()),
                    None => {
                        Fact::Unknown(super::super::left_out(fact, "group_access_level", sources))
                    }
                };
                return (Fact::seen_in(true, sources.clone()), can_write);
            }
        }
        Err(why) => {
            return unknown(Unknown {
                fact: fact.to_owned(),
                ..why.clone()
            });
        }
    }
    if let Err(why) = &people.members {
        return unknown(why.clone());
    }
    // A group may also have been invited to a group above, which is not told here.
    unknown(
        Unknown::new(
            fact,
            Why::HiddenOrAbsent,
            "neither a member nor a group that the project is shared with or lies in",
        )
        .needs(permissions::MEMBERS),
    )
}

/// Whether the project lies in that group.
fn is_above(group: &str, repository: &str) -> bool {
    let mut above = repository;
    while let Some((parent, _)) = above.rsplit_once('/') {
        if parent.eq_ignore_ascii_case(group) {
            return true;
        }
        above = parent;
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn text(text: &str) -> Fact<Option<PolicyDocument>> {
        Fact::known_without_source(Some(PolicyDocument {
            origin: "CODEOWNERS@main".to_owned(),
            commit: None,
            digest: "sha256:00".to_owned(),
            text: text.to_owned(),
        }))
    }

    fn absent() -> Fact<Option<PolicyDocument>> {
        Fact::known_without_source(None)
    }

    fn hidden<T>() -> Fact<T> {
        Fact::Unknown(Unknown::new("x", Why::HiddenOrAbsent, "404"))
    }

    fn judged(found: Vec<(&str, Fact<Option<PolicyDocument>>)>) -> Fact<CodeOwners> {
        let project = read(json!({"shared_with_groups": [
            {"group_full_path": "acme/ops", "group_access_level": 30},
            {"group_full_path": "guests", "group_access_level": 10}
        ]}));
        translated(
            found,
            &People {
                repository: "acme/backend/app",
                project: &project,
                members: read(json!([
                    {"username": "ana", "access_level": 40, "state": "active"},
                    {"username": "rita", "access_level": 20, "state": "active"},
                    {"username": "gone", "access_level": 40, "state": "blocked"}
                ])),
            },
        )
    }

    #[test]
    fn the_first_place_that_has_a_file_counts() {
        let both = judged(vec![
            ("CODEOWNERS", absent()),
            ("docs/CODEOWNERS", text("* @ana")),
            (".gitlab/CODEOWNERS", hidden()),
        ]);
        let file = both.known().unwrap().file.clone().unwrap();
        assert_eq!((file.path.as_str(), file.size), ("docs/CODEOWNERS", 6));
        assert!(file.platform_errors.is_known());
        let none = judged(vec![("CODEOWNERS", absent())]);
        assert!(none.known().unwrap().file.is_none());
    }

    #[test]
    fn a_hidden_place_before_the_file_hides_which_one_counts() {
        let found = judged(vec![
            ("CODEOWNERS", hidden()),
            ("docs/CODEOWNERS", text("* @ana")),
        ]);
        assert!(!found.is_known());
    }

    #[test]
    fn owners_are_people_groups_and_roles_that_may_write_or_are_unknown() {
        let found = judged(vec![(
            "CODEOWNERS",
            text(
                "* @Ana @rita @gone @acme @acme/backend @acme/ops @guests @@developers @@boss \
                 @nobody mail@acme.example",
            ),
        )]);
        let owners = found.known().unwrap().owners.clone();
        let of = |name: &str| {
            let owner = owners.iter().find(|owner| owner.name == name).unwrap();
            (
                owner.exists.known().ok().copied(),
                owner.can_write.known().ok().copied(),
            )
        };
        assert_eq!(of("@Ana"), (Some(true), Some(true)));
        assert_eq!(of("@rita"), (Some(true), Some(false)));
        assert_eq!(of("@gone"), (Some(true), Some(false)));
        assert_eq!(of("@acme"), (Some(true), Some(true)));
        assert_eq!(of("@acme/backend"), (Some(true), Some(true)));
        assert_eq!(of("@acme/ops"), (Some(true), Some(true)));
        assert_eq!(of("@guests"), (Some(true), Some(false)));
        assert_eq!(of("@@developers"), (Some(true), Some(true)));
        assert_eq!(of("@nobody"), (None, None));
        assert_eq!(of("mail@acme.example"), (None, None));
    }
}
