//! Whether a bundle holds: who signed, under which authorities, and by when. All of it is what
//! the verifier brought; neither the ledger nor the bundle says whom to believe.

use std::fmt;

use anyhow::{Context as _, anyhow, ensure};
use jiff::Timestamp;
use sigstore_verify::trust_root::{SIGSTORE_PRODUCTION_TRUSTED_ROOT, TrustedRoot};
use sigstore_verify::types::Bundle;
use sigstore_verify::{VerificationPolicy, Verifier};

use super::super::timestamp::CLOCK_TOLERANCE;
use super::crypto;

/// Whose bundles count, and by which authorities.
pub struct SigstoreTrust {
    verifier: Verifier,
    /// One for each identity.
    policies: Vec<VerificationPolicy>,
    identities: String,
}

impl fmt::Debug for SigstoreTrust {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("SigstoreTrust")
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

impl SigstoreTrust {
    /// `identities` are the names of which one has to be in the signer's certificate (an address, or
    /// the URI of a workflow and its ref), `issuer` is the provider that vouched for it; all are
    /// compared whole. `root` is
    /// a `trusted_root.json`; without it, that of Sigstore's public instance as it was when this
    /// program was built.
    ///
    /// # Errors
    /// No name, an empty one, or a root that cannot be read.
    pub fn new(identities: &[String], issuer: &str, root: Option<&[u8]>) -> anyhow::Result<Self> {
        let named = !identities.is_empty() && identities.iter().all(|name| !name.is_empty());
        ensure!(
            named && !issuer.is_empty(),
            "neither the identity nor its issuer may be empty: a bundle by anybody would count"
        );
        crypto::install();
        let root = match root {
            Some(root) => {
                std::str::from_utf8(root).context("the trusted root is no `trusted_root.json`")?
            }
            None => SIGSTORE_PRODUCTION_TRUSTED_ROOT,
        };
        let root =
            TrustedRoot::from_json(root).context("the trusted root is no `trusted_root.json`")?;
        Ok(Self {
            verifier: Verifier::new(&root).context("the trusted root cannot be used")?,
            policies: identities
                .iter()
                .map(|identity| VerificationPolicy::new(identity, issuer))
                .collect(),
            identities: identities.join("` or `"),
        })
    }

    /// Who has to have signed, as sentences have it between back-quotes.
    pub fn identities(&self) -> &str {
        &self.identities
    }

    /// The time by which the note was signed: the latest that an authority of the root vouches
    /// for. It is told by the log itself or by a time-stamp, never by the signer.
    ///
    /// # Errors
    /// A bundle that does not hold in any part: signature, certificate, identity, issuer, proof
    /// of inclusion, time.
    pub fn time_of(
        &self,
        bundle: &[u8],
        note: &[u8],
        now: Option<Timestamp>,
    ) -> anyhow::Result<Timestamp> {
        super::look(bundle, note)?;
        let bundle = std::str::from_utf8(bundle).context("it is no Sigstore bundle")?;
        let bundle = Bundle::from_json(bundle).context("it is no Sigstore bundle")?;
        let entries = &bundle.verification_material.tlog_entries;
        // An entry that brings no proof would be passed over beside one that does.
        ensure!(
            !entries.is_empty() && entries.iter().all(|entry| entry.inclusion_proof.is_some()),
            "it does not prove that it stands in a transparency log"
        );
        let mut seen = Err(anyhow!("nobody may have signed it"));
        for policy in &self.policies {
            seen = self
                .verifier
                .verify(note, &bundle, policy)
                .map_err(Into::into);
            if seen.is_ok() {
                break;
            }
        }
        let seen = seen?;
        ensure!(
            seen.certificate_verified()
                && seen.sct_verified()
                && seen.tlog_verified()
                && seen.identity_policy_checked(),
            "not all of it was verified"
        );
        let time = seen.verified_timestamps().iter().max();
        let time = *time.context("no authority says when it was signed")?;
        ensure!(
            now.is_none_or(|now| time.duration_since(now) <= CLOCK_TOLERANCE),
            "it is dated {time}, which is still to come: its authority's clock is wrong, or this machine's"
        );
        Ok(time)
    }
}
