//! Signatures in the form of `ssh-keygen -Y sign` (SSHSIG), and the public keys that people list.
//! Keys and signatures are handed in as text; this file reads no file and trusts no key on its own.

use anyhow::{Context as _, ensure};
use ssh_key::{Algorithm, HashAlg, LineEnding, PublicKey, Signature, SshSig};

/// How a line with a key begins.
const KIND: &str = "ssh-ed25519";

/// A public Ed25519 key without its comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignerKey(PublicKey);

impl SignerKey {
    /// From a line `ssh-ed25519 AAAA… comment`. `None`: it is none, is another kind of key, or is
    /// spelt in another way than OpenSSH spells it.
    pub fn parse(line: &str) -> Option<Self> {
        if line.chars().any(char::is_control) {
            return None;
        }
        let mut words = line.split(' ').filter(|word| !word.is_empty());
        let (kind, base64) = (words.next()?, words.next()?);
        // Two keys on one line: the second would be taken for a comment.
        if kind != KIND || words.any(|word| word == KIND) {
            return None;
        }
        let bare = format!("{kind} {base64}");
        let key = PublicKey::from_openssh(&bare).ok()?;
        let one_spelling = key.to_openssh().is_ok_and(|text| text.trim_end() == bare);
        (key.algorithm() == Algorithm::Ed25519 && one_spelling).then_some(Self(key))
    }

    /// The key that made a signature. `None`: it is another kind of key.
    pub fn of(key: &PublicKey) -> Option<Self> {
        let bare = PublicKey::from(key.key_data().clone());
        (key.algorithm() == Algorithm::Ed25519).then_some(Self(bare))
    }

    /// The key as a line, without comment: `ssh-ed25519 AAAA…`.
    pub fn line(&self) -> String {
        // A key that was read has a spelling.
        let line = self.0.to_openssh().unwrap_or_default();
        line.trim_end().to_owned()
    }

    /// As `ssh-keygen -l` shows it: `SHA256:…`.
    pub fn fingerprint(&self) -> String {
        fingerprint(&self.0)
    }
}

/// As `ssh-keygen -l` shows a key: `SHA256:…`.
pub fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

/// The Ed25519 key that an SSHSIG names, before anything is checked. `None`: it is no signature, or
/// by another kind of key.
pub fn signer(armoured: &[u8]) -> Option<SignerKey> {
    let signature = SshSig::from_pem(armoured).ok()?;
    SignerKey::of(&PublicKey::from(signature.public_key().clone()))
}

/// The bytes that sign, without what names key and purpose. `None`: it is no signature.
pub fn bytes(armoured: &[u8]) -> Option<Vec<u8>> {
    let signature = SshSig::from_pem(armoured).ok()?;
    Some(signature.signature().as_bytes().to_vec())
}

/// The armour of what that key is said to have signed, as `ssh-keygen -Y sign` writes it. `signing`
/// are the 64 bytes of [`bytes`]. Nothing is checked. `None`: there are not 64.
pub fn armour(namespace: &str, key: &SignerKey, signing: &[u8]) -> Option<String> {
    let signature = Signature::new(Algorithm::Ed25519, signing).ok()?;
    let whole = SshSig::new(
        key.0.key_data().clone(),
        namespace,
        HashAlg::Sha512,
        signature,
    );
    whole.ok()?.to_pem(LineEnding::LF).ok()
}

/// Checks an SSHSIG over those bytes in its exact canonical form, armour included, and returns the
/// key that made it.
///
/// # Errors
/// It is no signature, has another spelling or namespace, or does not fit the bytes.
pub fn verify(namespace: &str, armoured: &[u8], content: &[u8]) -> anyhow::Result<PublicKey> {
    let signature = SshSig::from_pem(armoured)
        .ok()
        .context("it is no SSH signature by an Ed25519 key")?;
    ensure!(
        signature.algorithm() == Algorithm::Ed25519,
        "it is by a key of another kind than Ed25519; make one with `ssh-keygen -t ed25519`"
    );
    // Rebuilt from its parts: version, reserved field and armour have one spelling only.
    let rebuilt = SshSig::new(
        signature.public_key().clone(),
        namespace,
        signature.hash_alg(),
        signature.signature().clone(),
    );
    let canonical = rebuilt
        .and_then(|rebuilt| rebuilt.to_pem(LineEnding::LF))
        .ok();
    ensure!(
        canonical.as_deref().map(str::as_bytes) == Some(armoured),
        "the signature is not in its canonical form, or made for another purpose"
    );
    let key = PublicKey::from(signature.public_key().clone());
    key.verify(namespace, content, &signature)
        .ok()
        .context("the signature does not fit what it is said to sign")?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_spelling_and_is_ed25519() {
        let line = PublicKey::from(ssh_key::public::Ed25519PublicKey([7; 32]))
            .to_openssh()
            .unwrap();
        let line = line.trim_end();
        let key = SignerKey::parse(line).unwrap();
        assert_eq!(key.line(), line);
        assert_eq!(SignerKey::parse(&format!("{line} me at home")), Some(key));
        let base64 = line.split(' ').nth(1).unwrap();
        for wrong in [
            String::new(),
            base64.to_owned(),
            KIND.to_owned(),
            format!("{KIND} {}", &base64[..base64.len() - 4]),
            format!("{KIND} {base64}AAAA"),
            format!("ssh-rsa {base64}"),
            format!("no-touch-required {line}"),
            format!("{line}\n{line}"),
            format!("{line} {line}"),
        ] {
            assert_eq!(SignerKey::parse(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_signature_by_another_kind_of_key_is_told_as_that() {
        let many = |bytes: usize| ssh_key::Mpint::from_positive_bytes(&vec![0x7f; bytes]).unwrap();
        let key = ssh_key::public::RsaPublicKey {
            e: many(3),
            n: many(256),
        };
        let hash = Some(HashAlg::Sha512);
        let signature = Signature::new(Algorithm::Rsa { hash }, vec![7; 256]).unwrap();
        let armour = SshSig::new(key.into(), "ours", HashAlg::Sha512, signature)
            .and_then(|whole| whole.to_pem(LineEnding::LF))
            .unwrap();
        let why = verify("ours", armour.as_bytes(), b"text").unwrap_err();
        assert!(why.to_string().contains("ssh-keygen -t ed25519"), "{why}");
    }
}
