//! Receipts: a record that lost its races waits beside the ledger, where the other side lets it,
//! and whoever seals next seals it too. A receipt counts only with a signature of the sealer's own key over the ledger it
//! is for: who may put
//! one there cannot have a record of theirs sealed, and one for another ledger
//! stays there.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::super::leaf::Leaf;
use super::super::sign::{Signer, verify_receipt};

/// A larger body is no receipt of ours.
pub(in super::super) const LARGEST: u64 = 1 << 20;
/// Most receipts that one append looks at.
pub(in super::super) const MOST: usize = 64;

const FORMAT: &str = "ccgate.receipt/v1";

/// What is signed.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    format: String,
    /// Whose ledger.
    origin: String,
    /// Its name where it lies: in git the branch, in full.
    ledger: String,
    /// The bytes of each record, in base64.
    leaves: Vec<String>,
}

/// A receipt that can be offered.
pub(in super::super) struct Receipt {
    /// The id of its first record, which is its name.
    pub(in super::super) id: String,
    pub(in super::super) body: Vec<u8>,
    pub(in super::super) signature: String,
}

/// A receipt as it was found; nothing about it is checked yet.
pub(in super::super) struct Waiting {
    /// The name under which it waits.
    pub(in super::super) id: String,
    /// What was found under it, so that nothing else is taken away.
    pub(in super::super) version: String,
    pub(in super::super) body: Vec<u8>,
    pub(in super::super) signature: Vec<u8>,
}

/// Makes and reads the receipts of one ledger with one key.
pub(in super::super) struct Receipts<'a> {
    pub(in super::super) signer: &'a Signer,
    pub(in super::super) origin: &'a str,
    pub(in super::super) ledger: &'a str,
}

impl Receipts<'_> {
    /// `None` where a record lies in a blob: it goes on by itself.
    pub(in super::super) fn make(&self, leaves: &[Leaf]) -> anyhow::Result<Option<Receipt>> {
        let Some(first) = leaves.first() else {
            return Ok(None);
        };
        if leaves.iter().any(|leaf| leaf.blob.is_some()) {
            return Ok(None);
        }
        let body = serde_json::to_vec(&Body {
            format: FORMAT.to_owned(),
            origin: self.origin.to_owned(),
            ledger: self.ledger.to_owned(),
            leaves: leaves
                .iter()
                .map(|leaf| STANDARD.encode(&leaf.bytes))
                .collect(),
        })?;
        if body.len() as u64 > LARGEST {
            return Ok(None);
        }
        let signature = self.signer.sign_receipt(&body)?;
        Ok(Some(Receipt {
            id: first.id.clone(),
            body,
            signature,
        }))
    }

    /// The records of a receipt.
    ///
    /// # Errors
    /// If it is not ours: then it counts for nothing.
    pub(in super::super) fn read(&self, waiting: &Waiting) -> anyhow::Result<Vec<Leaf>> {
        let key = verify_receipt(&waiting.signature, &waiting.body)?;
        ensure!(
            key.key_data() == self.signer.public().key_data(),
            "it is signed by another key"
        );
        let body: Body = serde_json::from_slice(&waiting.body).context("it is none")?;
        ensure!(
            body.format == FORMAT && body.origin == self.origin && body.ledger == self.ledger,
            "it is for another ledger"
        );
        let leaves: Vec<Leaf> = body
            .leaves
            .iter()
            .map(|leaf| Leaf::parse(&STANDARD.decode(leaf)?))
            .collect::<anyhow::Result<_>>()?;
        let first = leaves.first().context("it holds no record")?;
        ensure!(waiting.id == first.id, "it waits under another name");
        ensure!(
            leaves.iter().all(|leaf| leaf.blob_reference().is_none()),
            "it refers to a blob"
        );
        Ok(leaves)
    }
}

#[cfg(test)]
mod tests {
    use ssh_key::private::Ed25519Keypair;
    use ssh_key::{LineEnding, PrivateKey};

    use super::super::super::torture::{ORIGIN, leaf, leaves, signer};
    use super::*;

    const LEDGER: &str = "refs/heads/ccgate/ledger";

    fn receipts<'a>(signer: &'a Signer, origin: &'a str, ledger: &'a str) -> Receipts<'a> {
        Receipts {
            signer,
            origin,
            ledger,
        }
    }

    #[test]
    fn a_receipt_counts_for_its_own_ledger_key_and_name_only() {
        let signer = signer();
        let ours = receipts(&signer, ORIGIN, LEDGER);
        let made = ours.make(&leaves(0..2)).unwrap().unwrap();
        let found = |id: &str, body: &[u8], signature: &str| Waiting {
            id: id.to_owned(),
            version: String::new(),
            body: body.to_vec(),
            signature: signature.as_bytes().to_vec(),
        };
        let whole = found(&made.id, &made.body, &made.signature);
        assert_eq!(ours.read(&whole).unwrap(), leaves(0..2));
        let other = PrivateKey::from(Ed25519Keypair::from_seed(&[8; 32]));
        let other = Signer::from_openssh(&other.to_openssh(LineEnding::LF).unwrap()).unwrap();
        for (receipts, why) in [
            (receipts(&other, ORIGIN, LEDGER), "another key"),
            (
                receipts(&signer, "ccgate/github/acme/other", LEDGER),
                "another ledger",
            ),
            (
                receipts(&signer, ORIGIN, "refs/heads/other"),
                "another ledger",
            ),
        ] {
            let error = receipts.read(&whole).unwrap_err();
            assert!(error.to_string().contains(why), "{error}");
        }
        let elsewhere = found(&leaf(7).id, &made.body, &made.signature);
        assert!(ours.read(&elsewhere).is_err());
        for at in 0..made.body.len() {
            let mut body = made.body.clone();
            body[at] ^= 1;
            let read = ours.read(&found(&made.id, &body, &made.signature));
            assert!(read.is_err(), "byte {at}");
        }
        // A checkpoint's signature by the same key is no receipt's.
        let note = signer.sign_file(&made.body).unwrap();
        assert!(ours.read(&found(&made.id, &made.body, &note)).is_err());
    }

    #[test]
    fn a_record_in_a_blob_gets_no_receipt() {
        let signer = signer();
        let ours = receipts(&signer, ORIGIN, LEDGER);
        let mut large = leaf(1);
        large.blob = Some((String::new(), Vec::new()));
        assert!(ours.make(&[leaf(0), large]).unwrap().is_none());
        assert!(ours.make(&[]).unwrap().is_none());
    }
}
