//! What stands above the project: the groups that it lies in, who is a member
//! of them, and which tier was bought. Knows how a person's own space is told
//! from a group; does not know what any group demands.

use crate::facts::{Fact, Source, Unknown, Why};

use super::super::super::access;
use super::super::super::join;
use super::super::collect::weaker_than_maintainer;
use super::super::lookups::gone;
use super::super::wire::{Pages, Project, Read, Reply};
use super::super::{Session, left_out};
use super::server;

/// The project as the first round saw it, or why a fact that hangs on more
/// than a job token may read cannot be asked for.
pub(super) fn project<'a>(
    session: &'a Session,
    fact: &str,
    needs: &str,
) -> Result<(&'a Project, &'a [Source]), Unknown> {
    match &session.opened.project {
        Ok((project, sources)) => Ok((project, sources)),
        Err(unknown) => Err(Unknown {
            fact: fact.to_owned(),
            needs: Some(needs.to_owned()),
            ..unknown.clone()
        }),
    }
}

/// Full paths of the groups that the project lies in, the nearest first and the
/// top one last. A person's own space has none.
pub(super) fn groups(
    project: &Project,
    fact: &str,
    sources: &[Source],
) -> Result<Vec<String>, Unknown> {
    let unknown = |field| Err(left_out(fact, field, sources));
    let Some(namespace) = &project.namespace else {
        return unknown("namespace");
    };
    match (namespace.kind.as_deref(), namespace.full_path.as_deref()) {
        _ if is_a_persons(project) => Err(Unknown::new(
            fact,
            Why::NotSupported,
            "the project belongs to a person, not to a group",
        )),
        (Some("group"), Some(path)) if !path.is_empty() => Ok(up_from(path)),
        (Some("group"), _) => unknown("namespace.full_path"),
        (Some(_) | None, _) => unknown("namespace.kind"),
    }
}

/// Whether the project is known to lie in a person's own space.
pub(super) fn is_a_persons(project: &Project) -> bool {
    let namespace = project.namespace.as_ref();
    namespace.and_then(|namespace| namespace.kind.as_deref()) == Some("user")
}

fn up_from(path: &str) -> Vec<String> {
    let mut above = vec![path.to_owned()];
    let mut rest = path;
    while let Some((parent, _)) = rest.rsplit_once('/') {
        above.push(parent.to_owned());
        rest = parent;
    }
    above
}

/// The groups of the project that was opened.
pub(super) fn groups_of(
    session: &Session,
    fact: &str,
    needs: &str,
) -> Result<Vec<String>, Unknown> {
    let (project, sources) = project(session, fact, needs)?;
    groups(project, fact, sources)
}

/// The group that the project lies in, and the top one above it.
pub(super) fn nearest_and_top(paths: &[String]) -> (&str, &str) {
    (
        paths.first().map_or("", String::as_str),
        paths.last().map_or("", String::as_str),
    )
}

/// Path of something under a group.
pub(super) fn under(group: &str, rest: &str) -> String {
    format!("/groups/{}{rest}", access::encode_path(group))
}

/// The groups themselves, in the order of `paths`. Projects of a group are not
/// wanted; they would make the answer long.
pub(super) async fn answers<'a>(session: &'a Session, paths: &[String]) -> &'a [Reply] {
    session
        .groups
        .get_or_init(async || {
            let rest = "?with_projects=false";
            let addresses: Vec<String> = paths.iter().map(|path| under(path, rest)).collect();
            join::all(addresses.iter().map(|path| session.settings.get(path))).await
        })
        .await
}

/// Members of the nearest group, over its parents too.
pub(super) async fn members<'a>(session: &'a Session, nearest: &str) -> &'a Pages {
    let path = under(nearest, "/members/all");
    session
        .group_members
        .get_or_init(|| session.settings.get_all(&path, None))
        .await
}

/// Where it was seen that nothing was bought; `None`: that was not seen. What a
/// tier does not sell is answered like what is hidden, so one 404 proves
/// nothing. Two do, of different features, for a maintainer of a project that
/// can be read: a hidden feature would have been refused instead.
pub(super) async fn free_tier(session: &Session) -> Option<Vec<Source>> {
    if session.opened.project.is_err() {
        return None;
    }
    let (server, rules, push_rule) = tokio::join!(
        server::server(session),
        session.approval_rules(),
        session.push_rule()
    );
    if let Fact::Known { value, sources } = server
        && value.enterprise == Some(false)
    {
        return Some(sources.clone());
    }
    let told = matches!(&session.opened.project, Ok((project, _)) if project.role().is_some());
    if !told || weaker_than_maintainer(&session.opened.project) {
        return None;
    }
    Some(vec![gone(rules)?, gone(push_rule)?])
}

/// Reads one field out of an answer: it may have failed, or lack the field.
pub(super) fn field<W, T>(
    read: &Read<W>,
    fact: &str,
    name: &str,
    needs: &str,
    of: impl FnOnce(&W) -> Option<T>,
) -> Fact<T> {
    match read {
        Ok((value, sources)) => match of(value) {
            Some(value) => Fact::seen_in(value, sources.clone()),
            None => Fact::Unknown(left_out(fact, name, sources).needs(needs)),
        },
        Err(unknown) => Fact::Unknown(unknown.clone()),
    }
}

/// What no interface of GitLab tells.
pub(super) fn not_told<T>(fact: &str, detail: &str) -> Fact<T> {
    Fact::Unknown(Unknown::new(fact, Why::NotSupported, detail))
}

/// The fact, or why there is none.
pub(super) fn fact<T>(read: Result<Fact<T>, Unknown>) -> Fact<T> {
    read.unwrap_or_else(Fact::Unknown)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(value: serde_json::Value) -> Result<Vec<String>, Unknown> {
        let project: Project = serde_json::from_value(value).unwrap();
        groups(&project, "organization.settings", &[])
    }

    #[test]
    fn a_project_lies_in_its_group_and_in_every_group_above() {
        let found = paths(json!({"namespace": {"kind": "group", "full_path": "acme/pay/core"}}));
        assert_eq!(found.unwrap(), ["acme/pay/core", "acme/pay", "acme"]);
    }

    #[test]
    fn a_persons_own_space_has_no_group_and_an_odd_one_is_unknown() {
        let own = paths(json!({"namespace": {"kind": "user", "full_path": "ana"}})).unwrap_err();
        assert_eq!(own.why, Why::NotSupported);
        assert!(own.detail.contains("belongs to a person"), "{own}");
        for odd in [
            json!({}),
            json!({"namespace": null}),
            json!({"namespace": {"kind": "group"}}),
            json!({"namespace": {"kind": "group", "full_path": ""}}),
            json!({"namespace": {"kind": "organization", "full_path": "acme"}}),
            json!({"namespace": {"full_path": "acme"}}),
        ] {
            assert_eq!(paths(odd).unwrap_err().why, Why::HiddenOrAbsent);
        }
    }
}
