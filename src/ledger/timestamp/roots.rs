//! Authorities that a verifier trusts to tell the time. A token is judged at its own time:
//! a certificate that has expired since does not spoil it.

use std::time::Duration;

use anyhow::{Context as _, ensure};
use jiff::Timestamp;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, TrustAnchor, UnixTime};
use sha2::{Digest as _, Sha256};
use webpki::{EndEntityCert, KeyUsage, anchor_from_trusted_cert};

use super::token::Token;

/// id-kp-timeStamping, 1.3.6.1.5.5.7.3.8.
pub(super) const TIME_STAMPING: &[u8] = &[0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x08];

/// Root certificates of time-stamping authorities.
#[derive(Debug, Clone)]
pub struct TsaRoots(Vec<TrustAnchor<'static>>);

impl TsaRoots {
    /// Reads certificates in PEM.
    ///
    /// # Errors
    /// A file without a certificate, or with one that cannot be read.
    pub fn parse(pem: &[u8]) -> anyhow::Result<Self> {
        let mut anchors = Vec::new();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate
                .ok()
                .context("the roots of time-stamping authorities are not whole PEM")?;
            let anchor = anchor_from_trusted_cert(&certificate).map_err(|error| {
                anyhow::anyhow!(
                    "a root of the time-stamping authorities is no usable certificate: {error}"
                )
            })?;
            anchors.push(anchor.to_owned());
        }
        ensure!(
            !anchors.is_empty(),
            "the roots of time-stamping authorities hold no certificate in PEM"
        );
        Ok(Self(anchors))
    }

    /// The time of a token that is kept already, if it is over this note and counts.
    ///
    /// # Errors
    /// Whatever does not hold.
    pub fn time_of(&self, file: &[u8], note: &[u8]) -> anyhow::Result<Timestamp> {
        let token = Token::parse(file)?;
        ensure!(
            token.imprint() == Sha256::digest(note).as_slice(),
            "it is over another note"
        );
        self.vouch_for(&token)?;
        Ok(token.time())
    }

    /// The token's certificate leads to one of the roots, and all on the way were valid at the
    /// token's time. Revocation is not looked at.
    pub(crate) fn vouch_for(&self, token: &Token) -> anyhow::Result<()> {
        let seconds = u64::try_from(token.time().as_second())
            .ok()
            .context("the token is from before 1970")?;
        let (signer, others) = token.certificates();
        let certificate = EndEntityCert::try_from(signer)
            .map_err(|error| anyhow::anyhow!("the authority's certificate: {error}"))?;
        certificate
            .verify_for_usage(
                webpki::ALL_VERIFICATION_ALGS,
                &self.0,
                others,
                UnixTime::since_unix_epoch(Duration::from_secs(seconds)),
                // That the signer's own names time-stamping, and nothing else, was seen when
                // the token was read; authorities above it often name no purpose.
                KeyUsage::required_if_present(TIME_STAMPING),
                None,
                None,
            )
            .map_err(|error| {
                anyhow::anyhow!(
                    "its certificate does not lead to a root that was handed in, or was not valid at {}: {error}",
                    token.time()
                )
            })?;
        Ok(())
    }
}
