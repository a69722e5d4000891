//! The file that the settings lane hands to the change lane: settings snapshots,
//! the digest of their canonical form, and a signature over it if there is a key.
//! Says whose a file is and whether it holds; what stands in it is judged elsewhere.

use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::facts::{
    Fact, FactKey, Needs, Platform, RulesBefore, SETTINGS_SCHEMA, SettingsOrigin, SettingsSnapshot,
    Snapshot, Unknown, Why,
};
use crate::ledger::{AllowedSigners, Signer};
use crate::platform::Place;

use super::files::read_whole;
use super::world::World;

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Envelope {
    schema: String,
    /// `sha256:<64 hex>` over the canonical JSON (RFC 8785) of `snapshots`.
    digest: String,
    /// SSHSIG over the same bytes, namespace `ccgate-settings`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    snapshots: Value,
}

/// A file that was read. Whether it can be used is decided for each repository.
pub(super) struct SettingsFile {
    digest: String,
    signature: Option<String>,
    content: Vec<u8>,
    signers: Option<AllowedSigners>,
    snapshots: Vec<SettingsSnapshot>,
    /// Why nothing in it can be used.
    broken: Option<String>,
}

impl SettingsFile {
    /// The bytes of a file with these snapshots, signed with `CCGATE_SETTINGS_KEY` if
    /// that is set.
    pub(super) fn write(snapshots: &[SettingsSnapshot], world: &World) -> anyhow::Result<Vec<u8>> {
        let snapshots = serde_json::to_value(snapshots)?;
        let content = canonical(&snapshots)?;
        let signature = world
            .var("CCGATE_SETTINGS_KEY")
            .map(|pem| Signer::from_openssh(pem)?.sign_settings(&content))
            .transpose()
            .context("`CCGATE_SETTINGS_KEY` is not usable")?;
        let mut bytes = serde_json::to_vec_pretty(&Envelope {
            schema: SETTINGS_SCHEMA.to_owned(),
            digest: digest(&content),
            signature,
            snapshots,
        })?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads a file. One that is no settings file at all is an error; one whose
    /// digest does not fit is read, and nothing of it will be used.
    pub(super) fn read(file: &Path, world: &World) -> anyhow::Result<Self> {
        let name = file.display();
        let no_file =
            || format!("`{name}` is no settings snapshot; `ccgate snapshot --settings` writes one");
        let bytes = read_whole(&world.folder.join(file))?;
        let document: Value = serde_json::from_slice(&bytes).with_context(no_file)?;
        // Another version may lack fields, so its name is looked at before them.
        match document.get("schema").and_then(Value::as_str) {
            Some(SETTINGS_SCHEMA) => {}
            Some(other) => bail!(
                "`{name}` has the schema `{other}`, and this version reads `{SETTINGS_SCHEMA}`"
            ),
            None => return Err(anyhow!("it has no `schema`").context(no_file())),
        }
        let envelope: Envelope = serde_json::from_value(document).with_context(no_file)?;
        let content = canonical(&envelope.snapshots)?;
        let broken = (digest(&content) != envelope.digest)
            .then(|| "the settings snapshot was changed: its digest does not fit".to_owned());
        let snapshots = serde_json::from_value(envelope.snapshots).with_context(no_file)?;
        Ok(Self {
            digest: envelope.digest,
            signature: envelope.signature,
            content,
            signers: signers(world)?,
            snapshots,
            broken,
        })
    }

    /// Every snapshot in it.
    pub(super) fn snapshots(&self) -> &[SettingsSnapshot] {
        &self.snapshots
    }

    /// Why the file as a whole does not hold; `None` if it does.
    pub(super) fn broken(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    /// Puts the settings of the place's repository into a snapshot, or why they
    /// cannot be used: then every group that is needed is unknown for that reason.
    pub(super) fn put_into(
        &self,
        snapshot: &mut Snapshot,
        place: &Place,
        needs: &Needs,
        max_age: SignedDuration,
    ) {
        match self.usable(snapshot, place, max_age) {
            Ok((settings, signed_by)) => {
                snapshot.take_settings(settings, needs);
                snapshot.settings_origin = Some(SettingsOrigin {
                    digest: self.digest.clone(),
                    observed_at: settings.observed_at,
                    collected_by: settings.collected_by.clone(),
                    signed_by,
                });
            }
            Err(unknown) => snapshot.refuse_settings(&unknown, needs),
        }
    }

    /// The rules of the branch that is judged as this file has them, for what was
    /// merged since. Its age against the merge is judged elsewhere.
    pub(super) fn rules_before(&self, snapshot: &Snapshot, place: &Place) -> Fact<RulesBefore> {
        let key = FactKey::BranchRulesBefore.name();
        match self.usable(snapshot, place, SignedDuration::MAX) {
            Ok((settings, signed_by)) => {
                let branch = &snapshot.subject.target;
                let rules = settings
                    .branches
                    .iter()
                    .find(|rules| rules.branch == *branch);
                Fact::known_without_source(RulesBefore {
                    seen_at: settings.seen_at(),
                    digest: self.digest.clone(),
                    signed_by,
                    rules: rules.map_or_else(
                        || {
                            Fact::Unknown(Unknown::new(
                                key,
                                Why::NotCollected,
                                format!(
                                    "the settings snapshot does not hold the rules of `{branch}`"
                                ),
                            ))
                        },
                        |rules| Fact::known_without_source(rules.clone()),
                    ),
                })
            }
            Err(unknown) => Fact::Unknown(Unknown {
                fact: key.to_owned(),
                ..unknown
            }),
        }
    }

    fn usable(
        &self,
        snapshot: &Snapshot,
        place: &Place,
        max_age: SignedDuration,
    ) -> Result<(&SettingsSnapshot, Option<String>), Unknown> {
        let failed = |detail: String| Unknown::new("settings", Why::Failed, detail);
        if let Some(broken) = &self.broken {
            return Err(failed(broken.clone()));
        }
        let api = place.api.as_str();
        let mut first_refusal = None;
        for settings in &self.snapshots {
            match settings.refusal(
                place.platform,
                api,
                &place.repository,
                snapshot.latest_time(),
                max_age,
            ) {
                None => {
                    let signed_by = self
                        .signed_by(place.platform, &place.repository)
                        .map_err(|error| failed(format!("{error:#}")))?;
                    return Ok((settings, signed_by));
                }
                Some(refusal) => {
                    // One that is of this repository says more than one of another.
                    let own = settings.repository.eq_ignore_ascii_case(&place.repository);
                    if first_refusal.is_none() || own {
                        first_refusal = Some(refusal);
                    }
                }
            }
        }
        Err(first_refusal
            .unwrap_or_else(|| failed("the settings snapshot is of no repository".to_owned())))
    }

    /// Who signed, where signers are configured; then an unsigned file does not count.
    fn signed_by(&self, platform: Platform, repository: &str) -> anyhow::Result<Option<String>> {
        let Some(signers) = &self.signers else {
            return Ok(None);
        };
        let signature = self.signature.as_deref().context(
            "the settings snapshot is not signed, and `CCGATE_SETTINGS_SIGNERS` asks for it",
        )?;
        let origin = format!("ccgate/{}/{repository}", platform.word());
        signers
            .settings_signer(signature, &self.content, &origin)
            .map(Some)
            .context("the signature of the settings snapshot does not count")
    }
}

/// The keys that may sign settings, if the environment names a file of them.
fn signers(world: &World) -> anyhow::Result<Option<AllowedSigners>> {
    let Some(path) = world.var("CCGATE_SETTINGS_SIGNERS") else {
        return Ok(None);
    };
    let bytes = read_whole(&world.folder.join(path)).context("`CCGATE_SETTINGS_SIGNERS`")?;
    let text = String::from_utf8(bytes).ok();
    ensure!(text.is_some(), "`{path}` is not UTF-8 text");
    AllowedSigners::parse_for_settings(&text.unwrap_or_default())
        .map(Some)
        .context("`CCGATE_SETTINGS_SIGNERS`")
}

fn canonical(value: &Value) -> anyhow::Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).context("the settings cannot be written down")
}

fn digest(content: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(content)))
}

#[cfg(test)]
#[path = "settings_file_tests.rs"]
mod tests;
