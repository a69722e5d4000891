//! The arithmetic that the verifier of bundles asks for, from what is linked already: ring, and
//! p256 for the one thing that ring does not offer, a signature over a digest. What neither can
//! do is refused, so no bundle holds by it.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use p256::ecdsa::{Signature, VerifyingKey};
use ring::digest::{self, Context};
use ring::signature::{self as rings, UnparsedPublicKey, VerificationAlgorithm};
use sigstore_verify::crypto::{
    CryptoProvider, Error, HashContext, Result, SigningScheme, install_default_provider,
};
use sigstore_verify::types::HashAlgorithm;

/// Makes this the verifier's arithmetic, once for the process.
pub(super) fn install() {
    // Refused where it was done before, and nothing else does it.
    let _ = install_default_provider(&Provider);
}

#[derive(Debug)]
struct Provider;

struct Hasher(Context);

impl HashContext for Hasher {
    fn update(&mut self, data: &[u8]) {
        self.0.update(data);
    }

    fn finalize(self: Box<Self>) -> Vec<u8> {
        self.0.finish().as_ref().to_vec()
    }
}

impl CryptoProvider for Provider {
    fn hash(&self, algorithm: HashAlgorithm) -> Result<Box<dyn HashContext>> {
        let algorithm = match algorithm {
            HashAlgorithm::Sha2256 => &digest::SHA256,
            HashAlgorithm::Sha2384 => &digest::SHA384,
            HashAlgorithm::Sha2512 => &digest::SHA512,
            other => {
                return Err(Error::UnsupportedAlgorithm(format!(
                    "digests of {other} are not computed here"
                )));
            }
        };
        Ok(Box::new(Hasher(Context::new(algorithm))))
    }

    fn verify_raw(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        data: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        UnparsedPublicKey::new(algorithm(scheme)?, key)
            .verify(data, signature)
            .map_err(|_| invalid(scheme))
    }

    fn verify_prehashed(
        &self,
        scheme: SigningScheme,
        key: &[u8],
        digest: &[u8],
        signature: &[u8],
    ) -> Result<()> {
        if scheme != SigningScheme::EcdsaP256Sha256 || digest.len() != 32 {
            return Err(unsupported(scheme));
        }
        let key = VerifyingKey::from_sec1_bytes(key).map_err(|_| invalid(scheme))?;
        let signature = Signature::from_der(signature).map_err(|_| invalid(scheme))?;
        key.verify_prehash(digest, &signature)
            .map_err(|_| invalid(scheme))
    }
}

fn algorithm(scheme: SigningScheme) -> Result<&'static dyn VerificationAlgorithm> {
    Ok(match scheme {
        SigningScheme::EcdsaP256Sha256 => &rings::ECDSA_P256_SHA256_ASN1,
        SigningScheme::EcdsaP256Sha384 => &rings::ECDSA_P256_SHA384_ASN1,
        SigningScheme::EcdsaP384Sha256 => &rings::ECDSA_P384_SHA256_ASN1,
        SigningScheme::EcdsaP384Sha384 => &rings::ECDSA_P384_SHA384_ASN1,
        SigningScheme::Ed25519 => &rings::ED25519,
        SigningScheme::RsaPkcs1Sha256 => &rings::RSA_PKCS1_2048_8192_SHA256,
        SigningScheme::RsaPkcs1Sha384 => &rings::RSA_PKCS1_2048_8192_SHA384,
        SigningScheme::RsaPkcs1Sha512 => &rings::RSA_PKCS1_2048_8192_SHA512,
        SigningScheme::RsaPssSha256 => &rings::RSA_PSS_2048_8192_SHA256,
        SigningScheme::RsaPssSha384 => &rings::RSA_PSS_2048_8192_SHA384,
        SigningScheme::RsaPssSha512 => &rings::RSA_PSS_2048_8192_SHA512,
        other => return Err(unsupported(other)),
    })
}

fn invalid(scheme: SigningScheme) -> Error {
    Error::Verification(format!(
        "a signature ({}) does not fit its key",
        scheme.name()
    ))
}

fn unsupported(scheme: SigningScheme) -> Error {
    Error::UnsupportedAlgorithm(format!(
        "signatures of this kind ({}) are not verified here",
        scheme.name()
    ))
}
