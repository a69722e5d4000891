//! What a bundle says that it is over. Anybody can write that: it shows that a file lies in the
//! right place, and nothing else.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::LARGEST;

/// The spellings of version 0.3, the one with a single certificate and a proof of inclusion.
const MEDIA_TYPES: [&str; 2] = [
    "application/vnd.dev.sigstore.bundle.v0.3+json",
    "application/vnd.dev.sigstore.bundle+json;version=0.3",
];

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    /// The bytes themselves, as by `cosign sign-blob`.
    Blob,
    /// A statement about their digest, as by `actions/attest`.
    Attestation,
}

/// Looks whether a file is a bundle that says to be over these bytes.
///
/// # Errors
/// What is too large, no bundle of version 0.3, or over something else.
pub(in super::super) fn look(bundle: &[u8], signed: &[u8]) -> anyhow::Result<Kind> {
    ensure!(
        bundle.len() <= LARGEST,
        "it is larger than {} KiB, which no bundle over a checkpoint is",
        LARGEST >> 10
    );
    let bundle: Value = serde_json::from_slice(bundle).context("it is no Sigstore bundle")?;
    ensure!(
        bundle
            .get("mediaType")
            .and_then(Value::as_str)
            .is_some_and(|found| MEDIA_TYPES.contains(&found)),
        "it is no Sigstore bundle of version 0.3"
    );
    let digest = Sha256::digest(signed);
    let (kind, fits) = match (bundle.get("messageSignature"), bundle.get("dsseEnvelope")) {
        (Some(signature), None) => (Kind::Blob, names_digest(signature, &digest)),
        (None, Some(envelope)) => (Kind::Attestation, names_subject(envelope, &digest)),
        _ => bail!("it holds neither a signature nor an attestation, or both"),
    };
    ensure!(
        fits == Some(true),
        "it is over another note than the one of its size"
    );
    Ok(kind)
}

fn names_digest(signature: &Value, digest: &[u8]) -> Option<bool> {
    let told = signature.get("messageDigest")?;
    let algorithm = told.get("algorithm")?.as_str()?;
    let told = STANDARD.decode(told.get("digest")?.as_str()?).ok()?;
    Some(algorithm == "SHA2_256" && told == digest)
}

fn names_subject(envelope: &Value, digest: &[u8]) -> Option<bool> {
    let payload = STANDARD.decode(envelope.get("payload")?.as_str()?).ok()?;
    let statement: Value = serde_json::from_slice(&payload).ok()?;
    let digest = hex::encode(digest);
    let subjects = statement.get("subject")?.as_array()?;
    Some(subjects.iter().any(|subject| {
        subject.pointer("/digest/sha256").and_then(Value::as_str) == Some(digest.as_str())
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const NOTE: &[u8] = b"ccgate/github/acme/app\n3\nAAAA\n";

    fn blob(media_type: &str, algorithm: &str, over: &[u8]) -> Vec<u8> {
        let digest = STANDARD.encode(Sha256::digest(over));
        json!({
            "mediaType": media_type,
            "messageSignature": {"messageDigest": {"algorithm": algorithm, "digest": digest}},
        })
        .to_string()
        .into_bytes()
    }

    fn attestation(over: &[&[u8]]) -> Vec<u8> {
        let subjects: Vec<Value> = over
            .iter()
            .map(|over| json!({"digest": {"sha256": hex::encode(Sha256::digest(over))}}))
            .collect();
        let payload = STANDARD.encode(json!({"subject": subjects}).to_string());
        json!({"mediaType": MEDIA_TYPES[0], "dsseEnvelope": {"payload": payload}})
            .to_string()
            .into_bytes()
    }

    #[test]
    fn a_bundle_is_over_the_note_whose_digest_it_names() {
        for media_type in MEDIA_TYPES {
            let good = blob(media_type, "SHA2_256", NOTE);
            assert_eq!(look(&good, NOTE).unwrap(), Kind::Blob);
            assert!(look(&good, b"another note").is_err());
        }
        let good = attestation(&[b"something", NOTE]);
        assert_eq!(look(&good, NOTE).unwrap(), Kind::Attestation);
        assert!(look(&attestation(&[b"something"]), NOTE).is_err());
        assert!(look(&attestation(&[]), NOTE).is_err());
    }

    #[test]
    fn what_is_no_bundle_of_this_version_is_refused() {
        let old = "application/vnd.dev.sigstore.bundle+json;version=0.1";
        let both = {
            let mut both: Value =
                serde_json::from_slice(&blob(MEDIA_TYPES[0], "SHA2_256", NOTE)).unwrap();
            both["dsseEnvelope"] = json!({});
            both.to_string().into_bytes()
        };
        for wrong in [
            b"".to_vec(),
            b"\x00\xff garbage".to_vec(),
            b"{}".to_vec(),
            b"[[[[".repeat(100_000),
            json!({"mediaType": MEDIA_TYPES[0]})
                .to_string()
                .into_bytes(),
            json!({"mediaType": MEDIA_TYPES[0], "messageSignature": {}})
                .to_string()
                .into_bytes(),
            blob(old, "SHA2_256", NOTE),
            blob(MEDIA_TYPES[0], "SHA2_512", NOTE),
            both,
        ] {
            assert!(look(&wrong, NOTE).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_bundle_that_is_too_large_is_refused_whatever_it_says() {
        let mut padded = blob(MEDIA_TYPES[0], "SHA2_256", NOTE);
        padded.resize(LARGEST, b' ');
        look(&padded, NOTE).unwrap();
        padded.push(b' ');
        let refused = look(&padded, NOTE).unwrap_err().to_string();
        assert!(refused.contains("larger than 1024 KiB"), "{refused}");
    }
}
