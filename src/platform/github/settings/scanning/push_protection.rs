//! Whether pushes that carry a secret are refused, and which were let through. The
//! secrets themselves are not asked for.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Fact, FactKey, PushBypass, PushProtection};
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::super::scanning::refusal::off;
use super::super::owner_side::Asker;
use super::super::reading;
use super::off::secrets_off;

const KEY: FactKey = FactKey::ScanPushProtection;

#[derive(Debug, Deserialize)]
struct Repository {
    /// Shown to those only who may read the administration.
    security_and_analysis: Option<Features>,
}

#[derive(Debug, Deserialize)]
struct Features {
    secret_scanning_push_protection: Option<Feature>,
}

#[derive(Debug, Deserialize)]
struct Feature {
    status: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Bypassed {
    number: Option<u64>,
    secret_type: Option<String>,
    push_protection_bypassed: Option<bool>,
    push_protection_bypassed_by: Option<User>,
    push_protection_bypassed_at: Option<Timestamp>,
    push_protection_bypass_request_reviewer: Option<User>,
    resolved_by: Option<User>,
}

#[derive(Debug, Deserialize)]
struct User {
    login: Option<String>,
}

/// Asks for both at once.
pub(in super::super) async fn ask(asker: &Asker<'_>) -> Fact<PushProtection> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "the protection of pushes"));
    }
    let (repository, push_bypasses) = tokio::join!(asker.shared.repository(), let_through(asker));
    Fact::known_without_source(PushProtection {
        // A plan is told nowhere that would settle it for public and private ones alike.
        not_in_plan: false,
        secret_pushes_blocked: blocked(repository),
        push_bypasses,
    })
}

async fn let_through(asker: &Asker<'_>) -> Fact<Vec<PushBypass>> {
    // Where no secret is looked for none was let through.
    if let Some(source) = secrets_off(asker).await {
        return Fact::seen(Vec::new(), source);
    }
    let path = asker.path("secret-scanning/alerts?is_bypassed=true&hide_secret=true");
    bypasses(&asker.client().get_all(&path, None).await)
}

fn blocked(repository: &Result<Answer, NoAnswer>) -> Fact<bool> {
    let read = match reading::one::<Repository>(KEY, repository) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let feature = read
        .value
        .security_and_analysis
        .as_ref()
        .and_then(|features| features.secret_scanning_push_protection.as_ref());
    let on = feature
        .and_then(|feature| feature.status.as_deref())
        // A word that is not known is not on.
        .map(|status| status == "enabled");
    read.field(KEY, on, "security_and_analysis")
}

fn bypasses(list: &Result<Listing, NoAnswer>) -> Fact<Vec<PushBypass>> {
    // Where no secret is looked for none was let through.
    if let Err(refusal) = list
        && let Some(source) = off(refusal)
    {
        return Fact::seen(Vec::new(), source);
    }
    let read = match reading::list::<Bypassed>(KEY, list) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    read.translated(KEY, |all| {
        all.iter()
            // A server that does not know the filter sends all alerts.
            .filter(|alert| alert.push_protection_bypassed != Some(false))
            .map(|alert| {
                let login = |user: &Option<User>| user.as_ref()?.login.clone();
                let reviewer = login(&alert.push_protection_bypass_request_reviewer)
                    .or_else(|| login(&alert.resolved_by));
                Some(PushBypass {
                    name: format!("#{} {}", alert.number?, alert.secret_type.as_ref()?),
                    by: login(&alert.push_protection_bypassed_by),
                    at: alert.push_protection_bypassed_at,
                    reviewed_by: read.fact(reviewer),
                })
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| "an alert has no number or no type".to_owned())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::super::graph::testing::{refused, rest};
    use super::super::super::reading::testing::{listing, no_listing};
    use super::*;
    use crate::facts::Why;

    fn status(word: &str) -> Fact<bool> {
        blocked(&rest(&json!({"security_and_analysis":
            {"secret_scanning_push_protection": {"status": word}}})))
    }

    fn bypass(more: &Value) -> Value {
        let mut alert = json!({"number": 4, "secret_type": "some_token", "secret": "hush",
            "push_protection_bypassed": true, "push_protection_bypassed_by": {"login": "ana"},
            "push_protection_bypassed_at": "2026-05-01T00:00:00Z"});
        let all = alert.as_object_mut().unwrap();
        all.extend(more.as_object().unwrap().clone());
        alert
    }

    fn read(items: &Value) -> Vec<PushBypass> {
        bypasses(&listing(items)).known().unwrap().clone()
    }

    #[test]
    fn only_enabled_is_on_and_a_record_without_it_is_unknown() {
        assert_eq!(status("enabled").known(), Ok(&true));
        assert_eq!(status("disabled").known(), Ok(&false));
        assert_eq!(status("partly").known(), Ok(&false));
        for record in [
            json!({}),
            json!({"security_and_analysis": null}),
            json!({"security_and_analysis": {}}),
        ] {
            let unknown = blocked(&rest(&record)).known().unwrap_err();
            assert_eq!(unknown.why, Why::HiddenOrAbsent, "{record}");
        }
        assert!(!blocked(&refused(403, "no")).is_known());
    }

    #[test]
    fn a_bypass_tells_who_and_when_and_who_reviewed_it() {
        let found = read(&json!([bypass(&json!({}))]));
        assert_eq!(found[0].name, "#4 some_token");
        assert_eq!(found[0].by.as_deref(), Some("ana"));
        assert!(found[0].at.is_some());
        assert_eq!(found[0].reviewed_by.known(), Ok(&None));
        assert!(!format!("{found:?}").contains("hush"));
        let by = |more: &Value| read(&json!([bypass(more)]))[0].reviewed_by.clone();
        let bob = Some("bob".to_owned());
        assert_eq!(
            by(&json!({"push_protection_bypass_request_reviewer": {"login": "bob"}})).known(),
            Ok(&bob)
        );
        assert_eq!(
            by(&json!({"resolved_by": {"login": "bob"}})).known(),
            Ok(&bob)
        );
    }

    #[test]
    fn what_was_not_let_through_is_left_out_and_what_is_not_told_is_not() {
        let no = bypass(&json!({"push_protection_bypassed": false}));
        let untold = bypass(&json!({"push_protection_bypassed": null}));
        assert_eq!(read(&json!([no, untold])).len(), 1);
        assert!(!bypasses(&listing(&json!([{"number": 1}]))).is_known());
    }

    #[test]
    fn off_has_no_bypasses_and_hidden_is_unknown() {
        let told = |message: &str| bypasses(&no_listing(404, message));
        let off = "Secret scanning is disabled on this repository.";
        assert_eq!(told(off).known(), Ok(&Vec::new()));
        assert_eq!(
            told("Not Found").known().unwrap_err().why,
            Why::HiddenOrAbsent
        );
    }
}
