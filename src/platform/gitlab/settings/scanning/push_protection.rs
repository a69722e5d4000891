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

/// The record of the project tells the setting to those who may know it; only where it
/// does not, the settings are asked for. The log is read where pushes are refused.
pub(in super::super) async fn protection(
    session: &Session,
    now: SnapshotTime,
) -> Fact<PushProtection> {
    let (project, sources) = match above::project(session, KEY.name(), NEEDS) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let told = project
        .secret_push_protection_enabled
        .or(project.pre_receive_secret_detection_enabled);
    let (blocked, not_in_plan) = match told {
        Some(blocked) => (Fact::seen_in(blocked, sources.to_vec()), false),
        None => {
            let path = session.path("/security_settings");
            let (settings, free) =
                tokio::join!(session.settings.get(&path), above::free_tier(session));
            setting(&settings, free)
        }
    };
    // Others see their own entries only, which looks like a short log.
    let whole = !weaker_than_maintainer(&session.opened.project);
    let log = if blocked.known() == Ok(&true) && whole {
        let path = session.path(&format!("/audit_events?created_after={}", now.since()));
        Some(session.settings.get_at_most(&path, MOST).await)
    } else {
        None
    };
    Fact::known_without_source(PushProtection {
        not_in_plan,
        push_bypasses: match (&log, blocked.known()) {
            (Some(log), _) => bypasses(log),
            (None, Ok(true)) => Fact::Unknown(own_entries_only()),
            (None, _) => Fact::Unknown(Unknown::not_collected(KEY.name())),
        },
        secret_pushes_blocked: blocked,
    })
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

/// The setting, and whether the tier is known not to sell it.
fn setting(settings: &Reply, free: Option<Vec<Source>>) -> (Fact<bool>, bool) {
    // One 404 is what is hidden and what is not sold alike.
    if let (Some(mut free), Some(source)) = (free, gone(settings)) {
        free.push(source);
        return (Fact::seen_in(false, free), true);
    }
    let read: Read<SecuritySettings> = object(KEY.name(), permissions::FINDINGS, settings);
    let blocked = above::field(
        &read,
        KEY.name(),
        "secret_push_protection_enabled",
        permissions::FINDINGS,
        |settings| {
            settings
                .secret_push_protection_enabled
                .or(settings.pre_receive_secret_detection_enabled)
        },
    );
    (blocked, false)
}

fn own_entries_only() -> Unknown {
    Unknown::new(
        KEY.name(),
        Why::NotPermitted,
        "the log of the project is shown to maintainers; others see their own entries",
    )
    .needs(NEEDS)
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

    fn read(log: Value) -> Fact<Vec<PushBypass>> {
        bypasses(&pages(log))
    }

    #[test]
    fn the_setting_is_read_under_both_its_names_and_missing_it_is_unknown() {
        let on = |settings: Value| setting(&one(&settings), None).0;
        for name in [
            "secret_push_protection_enabled",
            "pre_receive_secret_detection_enabled",
        ] {
            assert_eq!(on(json!({name: true})).known(), Ok(&true));
            assert_eq!(on(json!({name: false})).known(), Ok(&false));
        }
        assert!(!on(json!({})).is_known());
        let refused = setting(&refused(403), Some(Vec::new()));
        assert!(!refused.0.is_known() && !refused.1);
    }

    #[test]
    fn a_push_that_was_let_through_is_found_in_the_log() {
        let found = read(json!([
            {"id": 1, "details": {"event_name": "project_archived"}},
            {"id": 2, "created_at": "2026-05-01T00:00:00Z",
                "details": {"event_name": SKIPPED, "author_name": "Ana"}},
            {"id": 3, "event_name": SKIPPED, "details": {}},
        ]));
        let found = found.known().unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].by.as_deref(), Some("Ana"));
        assert!(found[0].at.is_some() && !found[0].reviewed_by.is_known());
        assert!(!read(json!([{"event_name": SKIPPED}])).is_known());
        assert!(!bypasses(&refused(403)).is_known());
        assert_eq!(own_entries_only().why, Why::NotPermitted);
    }

    #[test]
    fn one_404_is_hidden_and_with_a_tier_that_was_seen_it_is_not_sold() {
        assert!(!setting(&refused(404), None).0.is_known());
        let (off, not_in_plan) = setting(&refused(404), Some(Vec::new()));
        assert!(not_in_plan && off.known() == Ok(&false));
    }

    #[test]
    fn the_log_is_read_some_months_back() {
        let now = SnapshotTime("2026-06-01T12:00:00Z".parse().unwrap());
        assert_eq!(now.since(), "2026-03-03");
    }
}
