//! What the record of an override tells of its signatures: enough to verify them offline.

use serde_json::{Value, json};

use crate::facts::AccountRef;
use crate::gate::decide::OverrideReport;
use crate::gate::signature::{KeySource, OVERRIDE_NAMESPACE, Signed};

/// The signatures of an override: what was signed and by what, whole.
pub(super) fn signatures(report: &OverrideReport) -> Value {
    let asked = report.signature.as_ref();
    let asked = asked.map(|signed| ("requester", report.by.as_ref(), signed));
    let approved = report.approval.as_ref().and_then(|approval| {
        let signed = approval.signature.as_ref()?;
        Some(("approver", Some(&approval.by), signed))
    });
    let all = asked.into_iter().chain(approved);
    all.map(|(role, by, signed): (_, Option<&AccountRef>, &Signed)| {
        let published = match &signed.source {
            KeySource::Policy => None,
            KeySource::Platform(published) => Some(published),
        };
        json!({
            "role": role,
            "login": by.map(|by| &by.login),
            "namespace": OVERRIDE_NAMESPACE,
            "key": signed.key,
            "key_source": signed.source_word(),
            // What the platform publishes goes with the account; the policy's keys stay.
            "public_key": published.map(|key| &key.line),
            "published_at": published.map(|key| key.since.to_string()),
            "login_id": by.and_then(|by| by.id),
            "signed_at": signed.at.to_string(),
            "statement": signed.statement,
            "signature": signed.armour,
        })
    })
    .collect()
}
