//! The third round, only when an override command stands on the change: who
//! belongs to the groups that may override, who moved the head last, and which of those who wrote
//! are people.

use std::collections::BTreeSet;

use crate::facts::{Account, Comment, Fact, OverridePeople, Snapshot, Source, Unknown, Why};

use super::super::access;
use super::people::{Kinds, account, pusher_at, pushers};
use super::wire::{Event, Member, Note, Read, Version, list, time};
use super::{Session, lookups, permissions};

const FACT: &str = "override.people";

pub(super) async fn collect(session: &Session, snapshot: &mut Snapshot, teams: &[String]) {
    session.transport.begin_wave();
    let number = snapshot.subject.change.unwrap_or_default();
    let mr = |rest: &str| session.path(&format!("/merge_requests/{number}{rest}"));
    let (versions, notes, events) = (
        mr("/versions"),
        mr("/notes?sort=asc&order_by=created_at"),
        session.path("/events?action=pushed&per_page=100"),
    );
    let mut members = Vec::with_capacity(teams.len());
    let writers = writers(&snapshot.comments);
    let (versions, notes, events, told, ()) = tokio::join!(
        session.settings.get_all(&versions, None),
        session.change.get_all(&notes, None),
        session.settings.get(&events),
        lookups::kinds(session, &writers),
        async {
            for team in teams {
                members.push((team.clone(), group(FACT, session, team).await));
            }
        },
    );
    let versions: Read<Vec<Version>> = list(FACT, permissions::CHANGE, &versions);
    let notes: Read<Vec<Note>> = list(FACT, permissions::CHANGE, &notes);
    let events: Read<Vec<Event>> = super::wire::object(FACT, permissions::CHANGE, &events);
    let head = &snapshot.subject.head;
    let head_since = head_since(&versions, head);
    let last_pusher = last_pusher(&head_since, &notes, &events, head);
    tell_kinds(&mut snapshot.comments, told);
    snapshot.override_people = Fact::known_without_source(OverridePeople {
        members,
        last_pusher,
        head_since,
    });
}

/// The numbers of everybody who commented. Which comments hold commands is the gate's to say.
fn writers(comments: &Fact<Vec<Comment>>) -> BTreeSet<u64> {
    let authors = comments.known().into_iter().flatten();
    authors
        .filter_map(|comment| comment.author.as_ref()?.id)
        .collect()
}

/// A note says who wrote it, and not whether that is a person.
fn tell_kinds(comments: &mut Fact<Vec<Comment>>, (kinds, seen_in): (Kinds, Vec<Source>)) {
    if let Fact::Known { value, sources } = comments {
        for comment in value {
            comment.author = comment.author.take().map(|looks| kinds.of(looks));
        }
        sources.extend(seen_in);
    }
}

/// Active members of the group itself. Who is in a group above it, or in one that it is shared
/// with, was not chosen for this one: a guest of the organisation is of each of its groups then.
pub(super) async fn group(fact: &str, session: &Session, team: &str) -> Fact<Vec<String>> {
    let path = team.strip_prefix('@').unwrap_or(team);
    let path = format!("/groups/{}/members", access::encode_path(path));
    let pages = session.settings.get_all(&path, None).await;
    let read: Read<Vec<Member>> = list(fact, permissions::MEMBERS, &pages);
    match read {
        Ok((members, sources)) => Fact::seen_in(
            members
                .iter()
                .filter(|member| member.active())
                .filter_map(|member| member.username.clone())
                .collect(),
            sources,
        ),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// The newest version is the head's; another head means that something moved
/// while we were looking, and then nothing is certain.
fn head_since(versions: &Read<Vec<Version>>, head: &str) -> Fact<jiff::Timestamp> {
    let (versions, sources) = match versions {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut newest = None;
    for version in versions {
        let (Some(at), Some(sha)) = (
            time(version.created_at.as_deref()),
            version.head_commit_sha.as_deref(),
        ) else {
            return Fact::Unknown(super::left_out(FACT, "created_at", sources));
        };
        newest = newest.max(Some((at, version.id.unwrap_or_default(), sha)));
    }
    match newest {
        Some((at, _, sha)) if sha == head => Fact::seen_in(at, sources.clone()),
        Some(_) | None => Fact::Unknown(
            Unknown::new(
                FACT,
                Why::HiddenOrAbsent,
                "the newest version of the merge request is not the head that is judged",
            )
            .needs(permissions::CHANGE),
        ),
    }
}

/// By GitLab's note about the push, else by its log of pushes.
fn last_pusher(
    since: &Fact<jiff::Timestamp>,
    notes: &Read<Vec<Note>>,
    events: &Read<Vec<Event>>,
    head: &str,
) -> Fact<Account> {
    if let (Fact::Known { value, .. }, Ok((notes, sources))) = (since, notes)
        && let Some(Some(who)) = pusher_at(*value, &pushers(notes))
    {
        return Fact::seen_in(who, sources.clone());
    }
    let (events, sources) = match events {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let mut pushed = events
        .iter()
        .filter(|event| {
            event
                .push_data
                .as_ref()
                .is_some_and(|push| push.commit_to.as_deref() == Some(head))
        })
        .map(|event| event.author.as_ref().and_then(account));
    match pushed.next() {
        // Two people may have pushed the same commit to two branches.
        Some(Some(who)) if pushed.all(|other| other.as_ref() == Some(&who)) => {
            Fact::seen_in(who, sources.clone())
        }
        Some(_) | None => Fact::Unknown(Unknown::new(
            FACT,
            Why::HiddenOrAbsent,
            "neither a note nor GitLab's log of pushes tells who pushed the head",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn versions() -> Read<Vec<Version>> {
        read(json!([
            {"id": 2, "head_commit_sha": "new", "created_at": "2026-05-30T10:00:00Z"},
            {"id": 1, "head_commit_sha": "old", "created_at": "2026-05-30T09:00:00Z"}
        ]))
    }

    #[test]
    fn the_head_is_there_since_its_newest_version() {
        let since = head_since(&versions(), "new");
        assert_eq!(since.known(), Ok(&"2026-05-30T10:00:00Z".parse().unwrap()));
        assert!(!head_since(&versions(), "old").is_known());
        assert!(!head_since(&read(json!([])), "new").is_known());
    }

    #[test]
    fn the_note_about_the_push_tells_the_last_pusher() {
        let notes = read(json!([{"system": true, "body": "added 1 commit\n\n<ul>",
            "created_at": "2026-05-30T10:00:02Z", "author": {"username": "paul"}}]));
        let who = last_pusher(
            &head_since(&versions(), "new"),
            &notes,
            &read(json!([])),
            "new",
        );
        assert_eq!(who.known(), Ok(&Account::human("paul")));
    }

    #[test]
    fn without_a_note_the_log_of_pushes_tells_it_and_else_nobody_does() {
        let since = head_since(&versions(), "new");
        let event =
            |by: &str| json!({"author": {"username": by}, "push_data": {"commit_to": "new"}});
        let none = read(json!([]));
        let one = read(json!([event("paul")]));
        assert!(last_pusher(&since, &none, &one, "new").is_known());
        let two = read(json!([event("paul"), event("rita")]));
        assert!(!last_pusher(&since, &none, &two, "new").is_known());
        assert!(!last_pusher(&since, &none, &read(json!([])), "new").is_known());
    }
}
