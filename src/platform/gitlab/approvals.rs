//! From GitLab's approvals to reviews. Pure; knows where the time of an
//! approval stands on old and new servers, not which approvals count.

use jiff::Timestamp;

use crate::facts::{Account, Fact, Review, ReviewState, Source, Unknown, Why};

use super::people::{Kinds, account};
use super::wire::{Approval, Approvals, Member, Note, Read, time};

/// Standing approvals, oldest first. Withdrawn ones are not in the answer.
///
/// The notes alone would not do: they miss what an administrator or the API
/// removed without a note, so a token that may not read approvals gets none.
pub(super) fn reviews(
    approvals: &Read<Approvals>,
    notes: &Read<Vec<Note>>,
    members: &Read<Vec<Member>>,
    kinds: &Kinds,
) -> Fact<Vec<Review>> {
    let (approvals, sources) = match approvals {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let Some(given) = &approvals.approved_by else {
        return Fact::Unknown(super::left_out("change.reviews", "approved_by", sources));
    };
    let mut out = Vec::with_capacity(given.len());
    for approval in given {
        let Some(user) = &approval.user else {
            return Fact::Unknown(super::left_out("change.reviews", "user", sources));
        };
        let reviewer = account(user).map(|looks| kinds.of(looks));
        out.push(Review {
            submitted_at: approved_at(approval, reviewer.as_ref(), notes, sources),
            can_write: can_write(reviewer.as_ref(), members),
            reviewer,
            state: ReviewState::Approved,
            commit: Fact::seen_in(None, sources.clone()),
        });
    }
    out.sort_by_key(|review| review.submitted_at.known().copied().ok());
    Fact::seen_in(out, sources.clone())
}

/// When the approval was given. Older servers tell it only in a note; of
/// several, the newest that was not withdrawn again is the standing one.
fn approved_at(
    approval: &Approval,
    reviewer: Option<&Account>,
    notes: &Read<Vec<Note>>,
    sources: &[Source],
) -> Fact<Timestamp> {
    if let Some(at) = time(approval.approved_at.as_deref()) {
        return Fact::seen_in(at, sources.to_vec());
    }
    let (notes, note_sources) = match notes {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let newest = notes
        .iter()
        .filter(|note| note.system == Some(true))
        .filter(|note| {
            let author = note.author.as_ref().and_then(account);
            matches!((&author, reviewer), (Some(a), Some(r)) if a.is(&r.login))
        })
        .filter_map(|note| {
            let approved = verdict(note.body.as_deref()?)?;
            Some((time(note.created_at.as_deref())?, approved))
        })
        .max();
    match newest {
        Some((at, true)) => Fact::seen_in(at, note_sources.clone()),
        Some((_, false)) | None => Fact::Unknown(Unknown::new(
            "change.reviews",
            Why::NotSupported,
            "this server does not tell when the approval was given, and no note does",
        )),
    }
}

/// `true` for an approval, `false` for its withdrawal.
pub(super) fn verdict(body: &str) -> Option<bool> {
    let body = body.trim();
    if body.starts_with("approved this merge request") {
        Some(true)
    } else if body.starts_with("unapproved this merge request") {
        Some(false)
    } else {
        None
    }
}

/// Developer and above may push to branches. GitLab lets eligible reporters
/// approve as well; those count for GitLab's own rules and not here.
fn can_write(reviewer: Option<&Account>, members: &Read<Vec<Member>>) -> Fact<bool> {
    const DEVELOPER: u32 = 30;
    let (members, sources) = match members {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown.clone()),
    };
    let Some(reviewer) = reviewer else {
        return Fact::seen_in(false, sources.clone());
    };
    let may = members.iter().any(|member| {
        member
            .username
            .as_deref()
            .is_some_and(|name| reviewer.is(name))
            && member.active()
            && member.access_level.is_some_and(|level| level >= DEVELOPER)
    });
    Fact::seen_in(may, sources.clone())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::wire::User;
    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn refused<T>() -> Read<T> {
        Err(Unknown::new("change.reviews", Why::NotPermitted, "401"))
    }

    fn members() -> Read<Vec<Member>> {
        read(json!([
            {"username": "rita", "access_level": 30, "state": "active"},
            {"username": "rob", "access_level": 20, "state": "active"},
            {"username": "bea", "access_level": 40, "state": "blocked"}
        ]))
    }

    fn approved(by: &str) -> Read<Approvals> {
        read(json!({"approved_by": [{"user": {"username": by}}]}))
    }

    fn reviewed(
        approvals: &Read<Approvals>,
        notes: &Read<Vec<Note>>,
        members: &Read<Vec<Member>>,
    ) -> Fact<Vec<Review>> {
        let mut kinds = Kinds::default();
        kinds.learn([User {
            id: Some(7),
            username: Some("rita".to_owned()),
            bot: Some(false),
        }]);
        reviews(approvals, notes, members, &kinds)
    }

    fn notes(bodies: &[(&str, &str)]) -> Read<Vec<Note>> {
        read(
            bodies
                .iter()
                .map(|(body, at)| {
                    json!({"system": true, "body": body, "created_at": at,
                        "author": {"username": "Rita"}})
                })
                .collect(),
        )
    }

    fn only(fact: &Fact<Vec<Review>>) -> Review {
        fact.known().unwrap()[0].clone()
    }

    #[test]
    fn the_time_of_an_approval_is_the_platforms_where_it_tells_one() {
        let given = read(json!({"approved_by": [
            {"user": {"username": "rita"}, "approved_at": "2026-05-31T08:00:00.000Z"}]}));
        let review = only(&reviewed(&given, &refused(), &members()));
        assert!(review.submitted_at.is_known());
        assert_eq!(review.can_write.known(), Ok(&true));
        assert_eq!(review.commit.known(), Ok(&None));
    }

    #[test]
    fn whose_kind_is_not_told_is_no_person_whatever_they_are_called() {
        let by = |id: u64| {
            let given = json!({"approved_by": [{"user": {"id": id, "username": "rita"}}]});
            let review = only(&reviewed(&read(given), &refused(), &members()));
            review.reviewer.unwrap()
        };
        assert!(by(7).is_human());
        assert!(by(8).is_untold());
    }

    #[test]
    fn an_older_server_tells_the_time_in_a_note() {
        let notes = notes(&[
            ("approved this merge request", "2026-05-01T00:00:00Z"),
            ("unapproved this merge request", "2026-05-02T00:00:00Z"),
            ("approved this merge request", "2026-05-03T00:00:00Z"),
        ]);
        let review = only(&reviewed(&approved("rita"), &notes, &members()));
        assert_eq!(
            review.submitted_at.known(),
            Ok(&"2026-05-03T00:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn an_approval_whose_note_was_withdrawn_has_no_time() {
        let notes = notes(&[
            ("approved this merge request", "2026-05-01T00:00:00Z"),
            ("unapproved this merge request", "2026-05-02T00:00:00Z"),
        ]);
        let review = only(&reviewed(&approved("rita"), &notes, &members()));
        assert!(!review.submitted_at.is_known());
    }

    #[test]
    fn a_comment_that_reads_like_an_approval_is_no_approval() {
        let typed = read(
            json!([{"system": false, "body": "approved this merge request",
            "created_at": "2026-05-03T00:00:00Z", "author": {"username": "rita"}}]),
        );
        let review = only(&reviewed(&approved("rita"), &typed, &members()));
        assert!(!review.submitted_at.is_known());
    }

    #[test]
    fn notes_never_stand_in_for_approvals_that_may_not_be_read() {
        let notes = notes(&[("approved this merge request", "2026-05-01T00:00:00Z")]);
        assert!(!reviewed(&refused(), &notes, &members()).is_known());
        assert!(!reviewed(&read(json!({})), &notes, &members()).is_known());
    }

    #[test]
    fn reporters_blocked_members_and_strangers_cannot_write_and_hidden_members_are_unknown() {
        for login in ["rob", "bea", "stranger", "ghost"] {
            let review = only(&reviewed(&approved(login), &refused(), &members()));
            assert_eq!(review.can_write.known(), Ok(&false), "{login}");
        }
        let review = only(&reviewed(&approved("rita"), &refused(), &refused()));
        assert!(!review.can_write.is_known());
    }
}
