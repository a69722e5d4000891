//! Threads of a merge request, from its notes, and who requests changes. GitLab
//! tells of every note whether it can be resolved and is; replies repeat it.

use crate::facts::{Account, ApprovalNote, Discussion, Fact, FactKey, Thread, Unknown};

use super::approvals;
use super::people::{account, tells_of_a_push};
use super::wire::{MergeRequest, Note, Read, Reviewer, time};

/// The group. `held` comes from the merge request: GitLab says that threads are open
/// only where the project demands that there be none, so the contrary proves nothing.
pub(super) fn discussion(
    notes: &Read<Vec<Note>>,
    reviewers: &Read<Vec<Reviewer>>,
    merge_request: &Read<MergeRequest>,
) -> Fact<Discussion> {
    let threads = threads(notes);
    let held = match merge_request {
        Ok((mr, sources)) => Fact::seen_in(
            (mr.blocking_discussions_resolved == Some(false)).then_some(true),
            sources.clone(),
        ),
        Err(unknown) => Fact::Unknown(renamed(unknown)),
    };
    let requesting_changes = requesting(reviewers, notes);
    let approval_notes = approval_notes(notes);
    match (&threads, &requesting_changes) {
        (Fact::Unknown(unknown), Fact::Unknown(_)) => Fact::Unknown(unknown.clone()),
        (Fact::Known { .. }, _) | (_, Fact::Known { .. }) => {
            Fact::known_without_source(Discussion {
                threads,
                held,
                requesting_changes,
                approval_notes,
            })
        }
    }
}

fn renamed(unknown: &Unknown) -> Unknown {
    Unknown {
        fact: FactKey::ChangeThreads.name().to_owned(),
        ..unknown.clone()
    }
}

/// The last word of each account in the platform's own notes, where that is an approval.
fn approval_notes(notes: &Read<Vec<Note>>) -> Fact<Vec<ApprovalNote>> {
    let fact = FactKey::ChangeThreads.name();
    let (notes, sources) = match notes {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(renamed(unknown)),
    };
    let mut said: Vec<(ApprovalNote, bool)> = Vec::new();
    let mut last_push = None;
    for note in notes {
        match note.system {
            Some(true) => {}
            Some(false) => continue,
            None => return Fact::Unknown(super::left_out(fact, "system", sources)),
        }
        let verdict = note.body.as_deref().and_then(approvals::verdict);
        let push = tells_of_a_push(note);
        if verdict.is_none() && !push {
            continue;
        }
        let Some(created_at) = time(note.created_at.as_deref()) else {
            return Fact::Unknown(super::left_out(fact, "created_at", sources));
        };
        if push {
            last_push = last_push.max(Some(created_at));
        }
        let Some(approves) = verdict else { continue };
        let noted = ApprovalNote {
            author: note.author.as_ref().and_then(account),
            created_at,
            pushed_since: false,
        };
        said.push((noted, approves));
    }
    said.sort_by_key(|(note, _)| note.created_at);
    let mut standing: Vec<ApprovalNote> = Vec::new();
    for (mut note, approves) in said {
        standing.retain(|earlier| earlier.author != note.author);
        // Of two at the same moment the push came later.
        note.pushed_since = last_push.is_some_and(|push| push >= note.created_at);
        if approves {
            standing.push(note);
        }
    }
    Fact::seen_in(standing, sources.clone())
}

fn threads(notes: &Read<Vec<Note>>) -> Fact<Vec<Thread>> {
    let fact = FactKey::ChangeThreads.name();
    let (notes, sources) = match notes {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(renamed(unknown)),
    };
    let mut threads = Vec::new();
    for note in notes {
        match note.resolvable {
            Some(true) => {}
            Some(false) => continue,
            None => return Fact::Unknown(super::left_out(fact, "resolvable", sources)),
        }
        let Some(resolved) = note.resolved else {
            return Fact::Unknown(super::left_out(fact, "resolved", sources));
        };
        threads.push(Thread {
            resolved,
            author: Fact::seen_in(note.author.as_ref().and_then(account), sources.clone()),
            resolved_by: match &note.resolved_by {
                Some(who) => Fact::seen_in(who.as_ref().and_then(account), sources.clone()),
                None => Fact::Unknown(super::left_out(fact, "resolved_by", sources)),
            },
            path: note
                .position
                .as_ref()
                .and_then(|position| position.new_path.clone()),
        });
    }
    Fact::seen_in(threads, sources.clone())
}

/// Whoever requests changes by the list of reviewers, or by the notes: asked for a new
/// review, or taken off the list, a reviewer's state is gone, and anybody may do that.
/// An account that is gone is left out: GitLab then asks nobody any more.
fn requesting(reviewers: &Read<Vec<Reviewer>>, notes: &Read<Vec<Note>>) -> Fact<Vec<Account>> {
    let fact = FactKey::ChangeThreads.name();
    let (reviewers, sources) = match reviewers {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(renamed(unknown)),
    };
    let mut who = Vec::new();
    for reviewer in reviewers {
        let (Some(state), Some(user)) = (&reviewer.state, &reviewer.user) else {
            return Fact::Unknown(super::left_out(fact, "state", sources));
        };
        if state == "requested_changes" {
            if user.username.is_none() {
                return Fact::Unknown(super::left_out(fact, "username", sources));
            }
            who.extend(account(user));
        }
    }
    match notes {
        Ok((notes, _)) => {
            let said = standing(notes);
            who.extend(
                said.into_iter()
                    .filter(|one| !who.iter().any(|known| known.is(&one.login)))
                    .collect::<Vec<_>>(),
            );
        }
        Err(unknown) if who.is_empty() => return Fact::Unknown(renamed(unknown)),
        Err(_) => {}
    }
    Fact::seen_in(who, sources.clone())
}

/// Whose request for changes stands by GitLab's own notes: only their own approval
/// afterwards ends it. The notes come oldest first.
fn standing(notes: &[Note]) -> Vec<Account> {
    let mut who: Vec<Account> = Vec::new();
    for note in notes.iter().filter(|note| note.system == Some(true)) {
        let body = note.body.as_deref().unwrap_or_default().trim();
        let Some(author) = note.author.as_ref().and_then(account) else {
            continue;
        };
        if body.starts_with("requested changes") {
            who.push(author);
        } else if body.starts_with("approved this merge request") {
            who.retain(|one| !one.is(&author.login));
        }
    }
    who
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read<T: serde::de::DeserializeOwned>(value: Value) -> Read<T> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    fn note(resolved: &Value) -> Value {
        json!({"resolvable": true, "resolved": resolved, "resolved_by": null,
            "author": {"username": "rita"}, "position": {"new_path": "a.rs"}})
    }

    fn of(notes: Value, reviewers: Value, mr: Value) -> Discussion {
        let fact = discussion(&read(notes), &read(reviewers), &read(mr));
        fact.known().unwrap().clone()
    }

    #[test]
    fn a_note_that_can_be_resolved_is_a_thread_and_others_are_none() {
        let notes = json!([note(&json!(false)), {"resolvable": false, "system": true}]);
        let threads = of(notes, json!([]), json!({})).threads;
        let threads = threads.known().unwrap();
        assert_eq!(threads.len(), 1);
        assert!(!threads[0].resolved);
        assert_eq!(threads[0].author.known(), Ok(&Some(Account::human("rita"))));
        assert_eq!(threads[0].resolved_by.known(), Ok(&None));
    }

    #[test]
    fn a_note_that_does_not_say_whether_it_is_resolved_hides_the_list() {
        for notes in [json!([note(&Value::Null)]), json!([{"system": false}])] {
            assert!(!of(notes, json!([]), json!({})).threads.is_known());
        }
    }

    /// The cheat: writing oneself what only the platform writes.
    #[test]
    fn an_approval_is_noted_by_the_platform_and_stands_until_it_is_taken_back() {
        let said = |who: &str, hour: u8, body: &str, system: bool| {
            json!({"system": system, "resolvable": false, "body": body,
                "author": {"username": who}, "created_at": format!("2026-05-31T{hour:02}:00:00Z")})
        };
        let noted = |notes: Value| {
            let notes = of(notes, json!([]), json!({})).approval_notes;
            let notes = notes.known().unwrap().clone();
            let names = notes
                .into_iter()
                .filter_map(|note| Some(note.author?.login));
            names.collect::<Vec<_>>()
        };
        let yes = "approved this merge request";
        let no = "unapproved this merge request";
        assert_eq!(noted(json!([said("rita", 8, yes, true)])), ["rita"]);
        assert!(noted(json!([said("rita", 8, yes, false)])).is_empty());
        let taken_back = json!([
            said("rita", 9, no, true),
            said("rita", 8, yes, true),
            said("olga", 7, yes, true)
        ]);
        assert_eq!(noted(taken_back), ["olga"]);
        let again = json!([
            said("rita", 8, no, true),
            said("rita", 9, yes, true),
            said("rita", 7, yes, true)
        ]);
        assert_eq!(noted(again), ["rita"]);
        let push = said("paul", 9, "added 1 commit", true);
        let since = |hour| {
            let notes = of(
                json!([push, said("rita", hour, yes, true)]),
                json!([]),
                json!({}),
            );
            notes.approval_notes.known().unwrap()[0].pushed_since
        };
        assert_eq!([since(8), since(9), since(10)], [true, true, false]);
        let untimed = json!([{"system": true, "resolvable": false, "body": yes, "author": {"username": "rita"}}]);
        assert!(!of(untimed, json!([]), json!({})).approval_notes.is_known());
    }

    #[test]
    fn only_whoever_requests_changes_now_does() {
        let reviewers = json!([
            {"user": {"username": "rita"}, "state": "requested_changes"},
            {"user": {"username": "rob"}, "state": "reviewed"},
        ]);
        let asking = of(json!([]), reviewers, json!({})).requesting_changes;
        assert_eq!(asking.known(), Ok(&vec![Account::human("rita")]));
        let untold = of(
            json!([]),
            json!([{"user": {"username": "rita"}}]),
            json!({}),
        );
        assert!(!untold.requesting_changes.is_known());
    }

    #[test]
    fn a_request_for_changes_ends_with_the_reviewer_s_own_approval_only() {
        let said = |who: &str, body: &str, system: bool| json!({"system": system, "resolvable": false, "body": body, "author": {"username": who}});
        let asked = said("rita", "requested changes", true);
        let asking = |notes: Value, reviewers: Value| {
            let found = of(notes, reviewers, json!({})).requesting_changes;
            found.known().unwrap().clone()
        };
        // Asked for a new review, or taken off the list.
        let unreviewed = json!([{"user": {"username": "rita"}, "state": "unreviewed"}]);
        for reviewers in [unreviewed, json!([])] {
            assert_eq!(asking(json!([asked]), reviewers), [Account::human("rita")]);
        }
        let other = said("olga", "approved this merge request", true);
        let forged = said("rita", "approved this merge request", false);
        assert_eq!(asking(json!([asked, other, forged]), json!([])).len(), 1);
        let approved = said("rita", "approved this merge request", true);
        assert!(asking(json!([asked, approved]), json!([])).is_empty());
        let again = json!([{"user": {"username": "rita"}, "state": "requested_changes"}]);
        assert_eq!(asking(json!([asked]), again).len(), 1);
    }

    #[test]
    fn that_nothing_is_held_proves_nothing() {
        let held = |mr: Value| of(json!([]), json!([]), mr).held;
        assert_eq!(
            held(json!({"blocking_discussions_resolved": false})).known(),
            Ok(&Some(true))
        );
        assert_eq!(
            held(json!({"blocking_discussions_resolved": true})).known(),
            Ok(&None)
        );
        assert_eq!(held(json!({})).known(), Ok(&None));
    }

    #[test]
    fn what_is_refused_is_unknown_under_its_own_name() {
        let refused = || Unknown::new("change.comments", crate::facts::Why::NotPermitted, "no");
        let fact = discussion(&Err(refused()), &Err(refused()), &read(json!({})));
        assert_eq!(fact.known().unwrap_err().fact, "change.threads");
        let half = discussion(&read(json!([])), &Err(refused()), &read(json!({})));
        assert!(!half.known().unwrap().requesting_changes.is_known());
    }
}
