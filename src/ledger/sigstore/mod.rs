//! Sigstore bundles over signed notes: made elsewhere (cosign, actions/attest), kept beside the
//! note, and judged without a network. Any build sees what a bundle is over; whether it holds is
//! for builds with the feature `sigstore`.

#[cfg(not(feature = "sigstore"))]
mod absent;
#[cfg(feature = "sigstore")]
mod crypto;
mod shape;
#[cfg(feature = "sigstore")]
#[cfg(test)]
pub(crate) mod testing;
#[cfg(feature = "sigstore")]
#[cfg(test)]
mod tests;
#[cfg(feature = "sigstore")]
mod trust;

#[cfg(not(feature = "sigstore"))]
pub use absent::SigstoreTrust;
#[cfg(feature = "sigstore")]
pub use trust::SigstoreTrust;

pub(super) use shape::{Kind, look};

/// Largest bundle that is read, in bytes. Those of cosign have some ten thousand; attestations
/// bring their statement along.
pub(super) const LARGEST: usize = 1 << 20;

/// What is said of bundles that nobody asked to have verified.
#[cfg(feature = "sigstore")]
pub(super) const NOT_VERIFIED: &str = "not verified: say who must have signed with `--certificate-identity` and `--certificate-oidc-issuer`";
/// What is said of bundles where nothing here can verify them.
#[cfg(not(feature = "sigstore"))]
pub(super) const NOT_VERIFIED: &str =
    "not verified by this build, which was made without the feature `sigstore`";
