//! In the place of `trust.rs` where the program was built without the feature: nobody can be
//! trusted, so no bundle is ever verified.

use std::convert::Infallible;

use anyhow::bail;
use jiff::Timestamp;

/// Whose bundles count: nobody's, in this build.
#[derive(Debug)]
pub struct SigstoreTrust(Infallible);

impl SigstoreTrust {
    /// Always refuses.
    ///
    /// # Errors
    /// In this build there is nothing that could verify a bundle.
    pub fn new(
        _identities: &[String],
        _issuer: &str,
        _root: Option<&[u8]>,
    ) -> anyhow::Result<Self> {
        bail!(
            "this program was built without the feature `sigstore` and cannot verify bundles; use one that was built with `--features sigstore`, or `cosign verify-blob`"
        )
    }

    /// Never called.
    ///
    /// # Errors
    /// None.
    pub fn time_of(
        &self,
        _bundle: &[u8],
        _note: &[u8],
        _now: Option<Timestamp>,
    ) -> anyhow::Result<Timestamp> {
        match self.0 {}
    }

    /// Never called.
    pub fn identities(&self) -> &str {
        match self.0 {}
    }
}
