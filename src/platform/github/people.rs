//! What an override has to know about people: who is in a team, who moved the
//! head last and when. Whatever is not proven is unknown, which closes the door.

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{Account, Fact, Push, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::permissions::{CONTENTS, MEMBERS};
use super::wire;

/// Name of the fact.
pub(super) const PEOPLE: &str = "override.people";

/// The path of a team's members, from `@org/team`.
pub(super) fn members_path(team: &str) -> Option<String> {
    let (organization, slug) = team.strip_prefix('@').unwrap_or(team).split_once('/')?;
    let plain = !organization.is_empty() && !slug.is_empty() && !slug.contains('/');
    plain.then(|| {
        format!(
            "/orgs/{}/teams/{}/members",
            access::encode(organization),
            access::encode(slug)
        )
    })
}

/// The logins of a team's members.
pub(super) fn members(fact: &str, answer: &Result<Listing, NoAnswer>) -> Fact<Vec<String>> {
    let listing = match answer {
        Ok(listing) => listing,
        Err(refusal) => return Fact::Unknown(access::refused(fact, MEMBERS, refusal)),
    };
    let logins: Option<Vec<String>> = listing
        .items
        .iter()
        .map(|item| item.get("login")?.as_str().map(str::to_owned))
        .collect();
    match logins {
        Some(logins) => Fact::seen_in(logins, listing.sources.clone()),
        None => Fact::Unknown(access::malformed(
            fact,
            &listing.endpoint,
            200,
            "a member has no login",
        )),
    }
}

/// Who moved the head to where it is, and when: the newest entry of the head
/// branch's log if it led to `head`, else the newest force push that did. An
/// older entry proves nothing, since the head may have left and come back.
pub(super) fn last_push(
    log: Option<&Result<Answer, NoAnswer>>,
    pushes: &Fact<Vec<Push>>,
    branch: &str,
    head: &str,
) -> (Fact<Account>, Fact<Timestamp>) {
    let from_log = match log {
        None => Err(Unknown::new(
            PEOPLE,
            Why::HiddenOrAbsent,
            "the platform does not name the repository that the head lives in",
        )),
        Some(Err(refusal)) => Err(access::refused(PEOPLE, CONTENTS, refusal)),
        Some(Ok(answer)) => newest(answer, branch, head),
    };
    let forced = forced(pushes, head);
    match (from_log, forced) {
        (Ok(log), Some(forced)) if forced.at > log.at => forced.facts(),
        (Ok(log), _) => log.facts(),
        (Err(_), Some(forced)) => forced.facts(),
        (Err(why), None) => (Fact::Unknown(why.clone()), Fact::Unknown(why)),
    }
}

/// The head is where it is since then, and the change goes to where it goes: what was said of it
/// while it went to another branch was said of another change.
pub(super) fn at_this_target_since(
    head_since: Fact<Timestamp>,
    targets: &Fact<Vec<Timestamp>>,
) -> Fact<Timestamp> {
    match (head_since, targets) {
        (
            Fact::Known { value, sources },
            Fact::Known {
                value: moments,
                sources: more,
            },
        ) => {
            let newest = moments.iter().copied().max();
            let since = newest.map_or(value, |newest| newest.max(value));
            Fact::seen_in(since, [sources, more.clone()].concat())
        }
        (Fact::Known { .. }, Fact::Unknown(why)) => Fact::Unknown(why.clone()),
        (unknown @ Fact::Unknown(_), _) => unknown,
    }
}

struct LastPush {
    who: Option<Account>,
    at: Timestamp,
    sources: Vec<Source>,
}

impl LastPush {
    fn facts(self) -> (Fact<Account>, Fact<Timestamp>) {
        let who = match self.who {
            Some(account) => Fact::seen_in(account, self.sources.clone()),
            None => Fact::Unknown(Unknown::new(
                PEOPLE,
                Why::HiddenOrAbsent,
                "the platform does not name the account that pushed the head",
            )),
        };
        (who, Fact::seen_in(self.at, self.sources))
    }
}

fn newest(answer: &Answer, branch: &str, head: &str) -> Result<LastPush, Unknown> {
    let malformed =
        |detail: String| access::malformed(PEOPLE, &answer.endpoint, answer.status, &detail);
    let values: Vec<Value> = answer.json().map_err(malformed)?;
    let entries: Vec<wire::Activity> = values
        .iter()
        .map(serde::Deserialize::deserialize)
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|error| malformed(error.to_string()))?;
    let reference = format!("refs/heads/{branch}");
    let last = entries
        .into_iter()
        .filter(|entry| entry.reference.as_deref() == Some(&reference))
        .max_by_key(|entry| entry.timestamp);
    match last {
        Some(wire::Activity {
            after: Some(after),
            timestamp: Some(at),
            actor,
            ..
        }) if after == head => Ok(LastPush {
            who: actor.as_ref().and_then(wire::RestUser::account),
            at,
            sources: vec![answer.source.clone()],
        }),
        _ => Err(Unknown::new(
            PEOPLE,
            Why::HiddenOrAbsent,
            format!("the newest entry in the log of `{branch}` is not the push that made the head"),
        )
        .at(answer.endpoint.clone(), Some(answer.status))),
    }
}

fn forced(pushes: &Fact<Vec<Push>>, head: &str) -> Option<LastPush> {
    let Fact::Known { value, sources } = pushes else {
        return None;
    };
    let last = value.iter().max_by_key(|push| push.at)?;
    if last.after.as_deref() != Some(head) {
        return None;
    }
    let who = match &last.actor {
        Fact::Known { value, .. } => value.clone(),
        Fact::Unknown(_) => None,
    };
    Some(LastPush {
        who,
        at: last.at,
        sources: sources.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::PushKind;
    use serde_json::json;

    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    fn answer(body: &Value) -> Result<Answer, NoAnswer> {
        Ok(Answer {
            status: 200,
            headers: http::HeaderMap::new(),
            body: body.to_string().into(),
            endpoint: "GET /repos/acme/app/activity".to_owned(),
            source: Source {
                endpoint: "GET /repos/acme/app/activity".to_owned(),
                digest: String::new(),
            },
        })
    }

    #[test]
    fn the_newest_of_push_and_change_of_the_target_counts_and_neither_may_be_hidden() {
        let at = |text: &str| -> Timestamp { text.parse().unwrap() };
        let (early, late) = (at("2026-06-01T08:00:00Z"), at("2026-06-01T09:00:00Z"));
        let seen = |moments: &[Timestamp]| Fact::known_without_source(moments.to_vec());
        let since = |pushed: Timestamp, targets: &Fact<Vec<Timestamp>>| {
            let since = at_this_target_since(Fact::known_without_source(pushed), targets);
            since.known().ok().copied()
        };
        assert_eq!(since(early, &seen(&[])), Some(early));
        assert_eq!(since(early, &seen(&[late, early])), Some(late));
        assert_eq!(since(late, &seen(&[early])), Some(late));
        let hidden = || Unknown::not_collected(PEOPLE);
        assert_eq!(since(early, &Fact::Unknown(hidden())), None);
        assert!(!at_this_target_since(Fact::Unknown(hidden()), &seen(&[late])).is_known());
    }

    fn entry(after: &str, at: &str, who: &str) -> Value {
        json!({"after": after, "ref": "refs/heads/f", "timestamp": at, "activity_type": "push",
            "actor": {"login": who, "type": "User"}})
    }

    fn no_pushes() -> Fact<Vec<Push>> {
        Fact::known_without_source(Vec::new())
    }

    #[test]
    fn the_newest_entry_that_led_to_the_head_names_pusher_and_time() {
        let log = answer(&json!([
            entry("aa", "2026-05-02T00:00:00Z", "bob"),
            entry("00", "2026-05-01T00:00:00Z", "ana")
        ]));
        let (who, at) = last_push(Some(&log), &no_pushes(), "f", "aa");
        assert_eq!(who.known(), Ok(&Account::human("bob")));
        assert!(at.is_known());
    }

    #[test]
    fn an_older_visit_of_the_same_head_proves_nothing() {
        let log = answer(&json!([
            entry("bb", "2026-05-02T00:00:00Z", "bob"),
            entry("aa", "2026-05-01T00:00:00Z", "ana")
        ]));
        let (who, at) = last_push(Some(&log), &no_pushes(), "f", "aa");
        assert!(!who.is_known() && !at.is_known());
    }

    #[test]
    fn a_force_push_event_stands_in_for_a_silent_log() {
        let pushes = Fact::known_without_source(vec![Push {
            kind: PushKind::ForcePush,
            at: "2026-05-03T00:00:00Z".parse().unwrap(),
            actor: Fact::known_without_source(Some(Account::human("eve"))),
            before: None,
            after: Some("aa".to_owned()),
        }]);
        let (who, _) = last_push(Some(&answer(&json!([]))), &pushes, "f", "aa");
        assert_eq!(who.known(), Ok(&Account::human("eve")));
        let (who, _) = last_push(Some(&answer(&json!([]))), &pushes, "f", "bb");
        assert!(!who.is_known());
    }

    #[test]
    fn a_fork_that_is_gone_leaves_the_pusher_unknown() {
        let (who, at) = last_push(None, &no_pushes(), "f", "aa");
        assert!(!who.is_known() && !at.is_known());
    }

    #[test]
    fn a_team_name_becomes_a_path_and_odd_names_do_not() {
        assert_eq!(
            members_path("@acme/sec team").as_deref(),
            Some("/orgs/acme/teams/sec%20team/members")
        );
        assert_eq!(members_path("@ana"), None);
        assert_eq!(members_path("@acme/a/b"), None);
    }

    #[test]
    fn a_member_without_a_name_makes_the_list_unknown() {
        let listing = Ok(Listing {
            items: vec![json!({"login": "ana"}), json!({})],
            sources: Vec::new(),
            endpoint: String::new(),
        });
        assert!(!members(PEOPLE, &listing).is_known());
    }
}
