//! Signatures of checkpoints with OpenSSH keys: the SSHSIG file that `ssh-keygen -Y verify`
//! reads, the signature line of the note, and lists of allowed signers. Keys are handed in
//! as text; this file reads no file and trusts no key on its own.

use anyhow::{Context as _, bail, ensure};
use sha2::{Digest as _, Sha256};
use signature::{Signer as _, Verifier as _};
use ssh_key::{Algorithm, HashAlg, LineEnding, PrivateKey, PublicKey, Signature};

use crate::sshsig;

use super::checkpoint::Checkpoint;

/// The namespace of checkpoint signatures, so that no other signature of the key counts.
pub const NAMESPACE: &str = "ccgate-ledger";

/// The namespace of signatures over settings snapshots.
pub const SETTINGS_NAMESPACE: &str = "ccgate-settings";

/// The namespace of signatures over records that wait to be sealed.
const RECEIPT_NAMESPACE: &str = "ccgate-receipt";

/// A private key that signs checkpoints.
#[derive(Debug, Clone)]
pub struct Signer(PrivateKey);

impl Signer {
    /// Reads an unencrypted Ed25519 key in OpenSSH's format.
    pub fn from_openssh(text: &str) -> anyhow::Result<Self> {
        // The reason is not passed on: it could quote the key.
        let key = PrivateKey::from_openssh(text).ok().context(
            "the signing key is no OpenSSH private key; make one with `ssh-keygen -t ed25519`",
        )?;
        ensure!(
            !key.is_encrypted(),
            "the signing key has a passphrase; use a key without one, kept in the CI's secrets"
        );
        ensure!(
            key.algorithm() == Algorithm::Ed25519,
            "the signing key is not Ed25519; make one with `ssh-keygen -t ed25519`"
        );
        Ok(Self(key))
    }

    pub(crate) fn public(&self) -> &PublicKey {
        self.0.public_key()
    }

    /// Adds the note's signature line.
    pub(crate) fn sign_note(&self, checkpoint: &mut Checkpoint) -> anyhow::Result<()> {
        let signature: Signature = self
            .0
            .try_sign(checkpoint.body().as_bytes())
            .ok()
            .context("signing the checkpoint failed")?;
        let mut bytes = key_hash(&checkpoint.origin, self.public())?.to_vec();
        bytes.extend_from_slice(signature.as_bytes());
        checkpoint
            .signatures
            .push((checkpoint.origin.clone(), bytes));
        Ok(())
    }

    /// The SSHSIG over the whole checkpoint file.
    pub(crate) fn sign_file(&self, file: &[u8]) -> anyhow::Result<String> {
        self.sign_for(NAMESPACE, file)
    }

    /// The SSHSIG over the content of a settings file.
    ///
    /// # Errors
    /// A key that cannot sign.
    pub fn sign_settings(&self, content: &[u8]) -> anyhow::Result<String> {
        self.sign_for(SETTINGS_NAMESPACE, content)
    }

    /// The SSHSIG over the body of a receipt.
    pub(crate) fn sign_receipt(&self, body: &[u8]) -> anyhow::Result<String> {
        self.sign_for(RECEIPT_NAMESPACE, body)
    }

    fn sign_for(&self, namespace: &str, file: &[u8]) -> anyhow::Result<String> {
        let signature = self
            .0
            .sign(namespace, HashAlg::Sha512, file)
            .context("signing failed")?;
        signature
            .to_pem(LineEnding::LF)
            .context("the signature cannot be written")
    }
}

/// Checks an SSHSIG in its exact canonical form and returns the key that made it.
pub(crate) fn verify_file(armoured: &[u8], file: &[u8]) -> anyhow::Result<PublicKey> {
    sshsig::verify(NAMESPACE, armoured, file)
}

/// The same for the body of a receipt.
pub(crate) fn verify_receipt(armoured: &[u8], body: &[u8]) -> anyhow::Result<PublicKey> {
    sshsig::verify(RECEIPT_NAMESPACE, armoured, body)
}

/// Checks the one signature line that our notes carry against the key of the SSHSIG.
pub(crate) fn verify_note(checkpoint: &Checkpoint, key: &PublicKey) -> anyhow::Result<()> {
    let [(name, bytes)] = checkpoint.signatures.as_slice() else {
        bail!(
            "the note has {} signature lines instead of one",
            checkpoint.signatures.len()
        );
    };
    ensure!(
        *name == checkpoint.origin,
        "the note is signed under another name"
    );
    let (hash, signature) = bytes
        .split_first_chunk::<4>()
        .context("the note's signature is cut off")?;
    ensure!(
        *hash == key_hash(&checkpoint.origin, key)?,
        "the note's signature line names another key"
    );
    let signature = Signature::new(Algorithm::Ed25519, signature.to_vec())
        .ok()
        .context("the note's signature is no Ed25519 signature")?;
    key.key_data()
        .verify(checkpoint.body().as_bytes(), &signature)
        .ok()
        .context("the note's signature does not fit")
}

/// The line of `keys/allowed_signers` that lets `ssh-keygen -Y verify -I ORIGIN` accept the key.
pub(crate) fn allowed_signer_line(origin: &str, key: &PublicKey) -> anyhow::Result<String> {
    let bare = PublicKey::from(key.key_data().clone())
        .to_openssh()
        .context("the public key cannot be written")?;
    Ok(format!(
        "{origin} namespaces=\"{NAMESPACE}\" {}\n",
        bare.trim_end()
    ))
}

/// The keys of an `allowed_signers` file which may sign ledgers, with their principals.
#[derive(Debug, Clone, Default)]
pub struct AllowedSigners(Vec<(String, PublicKey)>);

impl AllowedSigners {
    /// Reads the file for ledgers. A line that this program cannot judge whole is refused, not skipped.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        Self::parse_for(NAMESPACE, text)
    }

    /// Reads the file for settings snapshots.
    ///
    /// # Errors
    /// A line that cannot be judged whole.
    pub fn parse_for_settings(text: &str) -> anyhow::Result<Self> {
        Self::parse_for(SETTINGS_NAMESPACE, text)
    }

    /// Fingerprint of the key that signed the content of a settings file, if it may
    /// sign for that repository (`ccgate/PLATFORM/REPOSITORY`).
    ///
    /// # Errors
    /// A signature that does not fit, or is by a key that is not listed for it.
    pub fn settings_signer(
        &self,
        armoured: &str,
        content: &[u8],
        origin: &str,
    ) -> anyhow::Result<String> {
        let key = sshsig::verify(SETTINGS_NAMESPACE, armoured.as_bytes(), content)?;
        self.principal(&key, origin)
            .with_context(|| format!("the key that signed is not listed for `{origin}`"))?;
        Ok(key.fingerprint(HashAlg::Sha256).to_string())
    }

    fn parse_for(wanted: &str, text: &str) -> anyhow::Result<Self> {
        let mut signers = Vec::new();
        for (number, line) in text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
        {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (principals, rest) = line
                .split_once(char::is_whitespace)
                .with_context(|| no_line(number))?;
            let key_at = [
                "ssh-ed25519 ",
                "ssh-rsa ",
                "ecdsa-sha2-",
                "sk-ssh-",
                "sk-ecdsa-",
            ]
            .iter()
            .filter_map(|kind| rest.find(kind))
            .min();
            let key_at = key_at.with_context(|| no_line(number))?;
            let (options, key) = rest.split_at(key_at);
            match options.trim() {
                "" => {}
                options => {
                    let namespaces = options
                        .strip_prefix("namespaces=\"")
                        .and_then(|rest| rest.strip_suffix('"'));
                    let Some(namespaces) = namespaces.filter(|list| !list.contains('"')) else {
                        bail!(
                            "line {number} of the allowed signers has an option that is not understood; only `namespaces=\"…\"` is, verify such a key with `ssh-keygen -Y verify`"
                        );
                    };
                    if !namespaces.split(',').any(|namespace| namespace == wanted) {
                        continue;
                    }
                }
            }
            if let Ok(key) = PublicKey::from_openssh(key) {
                signers.push((principals.to_owned(), key));
            } else if key.starts_with("ssh-ed25519 ") {
                bail!("line {number} of the allowed signers holds a broken key");
            }
        }
        Ok(Self(signers))
    }

    /// Who may sign this ledger with that key. A key that is listed for other
    /// ledgers only may not; one that is listed under a person's name may.
    pub(crate) fn principal(&self, key: &PublicKey, origin: &str) -> Option<&str> {
        self.0
            .iter()
            .filter(|(_, allowed)| allowed.key_data() == key.key_data())
            .map(|(principals, _)| principals.as_str())
            .find(|principals| {
                principals
                    .trim_matches('"')
                    .split(',')
                    .any(|name| !name.starts_with("ccgate/") || matches(name, origin))
            })
    }
}

/// OpenSSH's patterns: `*` stands for any text, `?` for one character.
fn matches(pattern: &str, text: &str) -> bool {
    match (pattern.chars().next(), text.chars().next()) {
        (None, None) => true,
        (Some('*'), _) => {
            let rest = &pattern[1..];
            matches(rest, text) || text.get(1..).is_some_and(|text| matches(pattern, text))
        }
        (Some(wanted), Some(found)) if wanted == '?' || wanted == found => {
            matches(&pattern[wanted.len_utf8()..], &text[found.len_utf8()..])
        }
        _ => false,
    }
}

/// The first four bytes of SHA-256 over name, newline, algorithm byte 1 and public key.
fn key_hash(name: &str, key: &PublicKey) -> anyhow::Result<[u8; 4]> {
    let mut hasher = Sha256::new();
    hasher.update(name.as_bytes());
    hasher.update([b'\n', 1]);
    hasher.update(
        key.key_data()
            .ed25519()
            .context("the key is not Ed25519")?
            .0,
    );
    let digest: [u8; 32] = hasher.finalize().into();
    Ok([digest[0], digest[1], digest[2], digest[3]])
}

fn no_line(number: usize) -> String {
    format!(
        "line {number} of the allowed signers does not say whose key it holds, or holds none: write `ORIGIN ssh-ed25519 BASE64`, e.g. `ccgate/github/acme/app ssh-ed25519 AAAA…`"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_is_listed_for_another_ledger_does_not_vouch_for_this_one() {
        let key = PublicKey::from(ssh_key::public::Ed25519PublicKey([7; 32]));
        let line = key.to_openssh().unwrap();
        let origin = "ccgate/github/acme/payments";
        let may = |principals: &str| {
            AllowedSigners::parse(&format!("{principals} {line}\n"))
                .unwrap()
                .principal(&key, origin)
                .is_some()
        };
        for principals in [
            origin,
            "ccgate/github/acme/*",
            "ccgate/github/acme/other,ccgate/github/acme/payment?",
            "auditor@acme.test",
        ] {
            assert!(may(principals), "{principals}");
        }
        for principals in [
            "ccgate/github/acme/other",
            "ccgate/github/acme/payments-old",
            "ccgate/gitlab/*,ccgate/github/acme/pay",
        ] {
            assert!(!may(principals), "{principals}");
        }
    }
}
