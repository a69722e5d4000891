//! Whether pushes that carry a secret are refused, and which were let through. GitLab
//! writes the second into the log of the project and nowhere else, and keeps no review.

use jiff::SignedDuration;
use serde::Deserialize;

use crate::facts::{Fact, FactKey, PushBypass, PushProtection, Snapshot, Source, Unknown, Why};

use super::super::super::collect::weaker_than_maintainer;
use super::super::super::lookups::gone;
use super::super::super::wire::{Pages, Read, Reply, list, object, time};
use super::super::super::{Session, left_out, permissions};
use super::super::above;

const KEY: FactKey = FactKey::ScanPushProtection;
const NEEDS: &str = permissions::SETTINGS;
/// How far back the log is read.
const DAYS: i64 = 90;
/// Entries of that time; a longer log stays unknown.
const MOST: usize = 1000;
/// <https://docs.gitlab.com/user/compliance/audit_event_types/>
const SKIPPED: &str = "skip_secret_push_protection";

#[derive(Deserialize)]
struct SecuritySettings {
    secret_push_protection_enabled: Option<bool>,
    /// Its name before 17.9.
    pre_receive_secret_detection_enabled: Option<bool>,
}

#[derive(Deserialize)]
struct Entry {
    id: Option<u64>,
    event_name: Option<String>,
    created_at: Option<String>,
    details: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    event_name: Option<String>,
    author_name: Option<String>,
}

/// Asks for both at once, and beside that whether the tier sells it.
pub(in super::super) async fn protection(
    session: &Session,
    now: SnapshotTime,
) -> Fact<PushProtection> {
    if let Err(unknown) = above::project(session, KEY.name(), NEEDS) {
        return Fact::Unknown(unknown);
    }
    let settings = session.path("/security_settings");
    let log = session.path(&format!("/audit_events?created_after={}", now.since()));
    // Others see their own entries only, which looks like a short log.
    let may_read = !weaker_than_maintainer(&session.opened.project);
    let (settings, log, free) = tokio::join!(
        session.settings.get(&settings),
        async {
            if may_read {
                Some(session.settings.get_at_most(&log, MOST).await)
            } else {
                None
            }
        },
        above::free_tier(session)
    );
    translated(&settings, log.as_ref(), free)
}

/// When the facts are collected.
#[derive(Clone, Copy)]
pub(in super::super) struct SnapshotTime(jiff::Timestamp);

impl SnapshotTime {
    pub(in super::super) fn of(snapshot: &Snapshot) -> Self {
        Self(snapshot.observed_at)
    }

    /// The day from which on the log is read.
    fn since(self) -> String {
        let since = self
            .0
            .checked_sub(SignedDuration::from_hours(DAYS * 24))
            .unwrap_or(self.0);
        since.strftime("%Y-%m-%d").to_string()
    }
}

fn translated(
    settings: &Reply,
    log: Option<&Pages>,
    free: Option<Vec<Source>>,
) -> Fact<PushProtection> {
    // One 404 is what is hidden and what is not sold alike.
    if let (Some(mut free), Some(source)) = (free, gone(settings)) {
        free.push(source);
        let off = PushProtection {
            not_in_plan: true,
            secret_pushes_blocked: Fact::seen_in(false, free.clone()),
            push_bypasses: Fact::seen_in(Vec::new(), free.clone()),
        };
        return Fact::seen_in(off, free);
    }
    let read: Read<SecuritySettings> = object(KEY.name(), permissions::FINDINGS, settings);
    Fact::known_without_source(PushProtection {
        not_in_plan: false,
        secret_pushes_blocked: above::field(
            &read,
            KEY.name(),
            "secret_push_protection_enabled",
            permissions::FINDINGS,
            |settings| {
                settings
                    .secret_push_protection_enabled
                    .or(settings.pre_receive_secret_detection_enabled)
            },
        ),
        push_bypasses: match log {
            Some(log) => bypasses(log),
            None => Fact::Unknown(
                Unknown::new(
                    KEY.name(),
                    Why::NotPermitted,
                    "the log of the project is shown to maintainers; others see their own entries",
                )
                .needs(NEEDS),
            ),
        },
    })
}

fn bypasses(log: &Pages) -> Fact<Vec<PushBypass>> {
    let (entries, sources): (Vec<Entry>, _) = match list(KEY.name(), NEEDS, log) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let mut found = Vec::new();
    for entry in entries {
        let details = entry.details.as_ref();
        let name = entry
            .event_name
            .as_deref()
            .or_else(|| details.and_then(|details| details.event_name.as_deref()));
        if name != Some(SKIPPED) {
            continue;
        }
        let Some(id) = entry.id else {
            return Fact::Unknown(left_out(KEY.name(), "id", &sources));
        };
        found.push(PushBypass {
            name: format!("entry {id} of the audit log"),
            by: details.and_then(|details| details.author_name.clone()),
            at: time(entry.created_at.as_deref()),
            reviewed_by: above::not_told(
                KEY.name(),
                "GitLab does not keep who reviewed a push that was let through",
            ),
        });
    }
    Fact::seen_in(found, sources)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::testing::{one, pages, refused};
    use super::*;

    fn read(settings: &Value, log: Value) -> PushProtection {
        translated(&one(settings), Some(&pages(log)), None)
            .known()
            .unwrap()
            .clone()
    }

    #[test]
    fn the_setting_is_read_under_both_its_names_and_missing_it_is_unknown() {
        let on = |settings: Value| read(&settings, json!([])).secret_pushes_blocked;
        for name in [
            "secret_push_protection_enabled",
            "pre_receive_secret_detection_enabled",
        ] {
            assert_eq!(on(json!({name: true})).known(), Ok(&true));
            assert_eq!(on(json!({name: false})).known(), Ok(&false));
        }
        assert!(!on(json!({})).is_known());
    }

    #[test]
    fn a_push_that_was_let_through_is_found_in_the_log() {
        let log = json!([
            {"id": 1, "details": {"event_name": "project_archived"}},
            {"id": 2, "created_at": "2026-05-01T00:00:00Z",
                "details": {"event_name": SKIPPED, "author_name": "Ana"}},
            {"id": 3, "event_name": SKIPPED, "details": {}},
        ]);
        let found = read(&json!({}), log).push_bypasses;
        let found = found.known().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].by.as_deref(), Some("Ana"));
        assert!(found[0].at.is_some() && !found[0].reviewed_by.is_known());
        let odd = read(&json!({}), json!([{"event_name": SKIPPED}]));
        assert!(!odd.push_bypasses.is_known());
    }

    /// The cheat: a token that sees its own entries only.
    #[test]
    fn a_log_that_shows_a_part_is_unknown() {
        let partly = translated(&one(&json!({})), None, None);
        let unknown = partly.known().unwrap().push_bypasses.known().unwrap_err();
        assert_eq!(unknown.why, Why::NotPermitted);
        let refused = translated(&refused(403), Some(&refused(403)), None);
        let refused = refused.known().unwrap();
        assert!(!refused.push_bypasses.is_known() && !refused.secret_pushes_blocked.is_known());
    }

    #[test]
    fn one_404_is_hidden_and_with_a_tier_that_was_seen_it_is_not_sold() {
        let none = translated(&refused(404), Some(&pages(json!([]))), None);
        assert!(!none.known().unwrap().secret_pushes_blocked.is_known());
        let free = translated(&refused(404), None, Some(Vec::new()));
        let free = free.known().unwrap();
        assert!(free.not_in_plan);
        assert_eq!(free.secret_pushes_blocked.known(), Ok(&false));
    }

    #[test]
    fn the_log_is_read_some_months_back() {
        let now = SnapshotTime("2026-06-01T12:00:00Z".parse().unwrap());
        assert_eq!(now.since(), "2026-03-03");
    }
}
