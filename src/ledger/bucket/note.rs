//! The object of a checkpoint: the note, and right behind it the SSH signature over it where it is signed.
//! One object, so that two writers with two keys who finish the same append cannot leave a mixture.

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::sign::{self, Signer};

/// With this line a signature begins.
const ARMOUR: &str = "-----BEGIN SSH SIGNATURE-----";

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) checkpoint: Checkpoint,
    /// In the form of `ssh-keygen -Y sign`.
    pub(super) signature: Option<String>,
}

impl Note {
    pub(super) fn sign(
        mut checkpoint: Checkpoint,
        signer: Option<&Signer>,
    ) -> anyhow::Result<Self> {
        let mut signature = None;
        if let Some(signer) = signer {
            signer.sign_note(&mut checkpoint)?;
            signature = Some(signer.sign_file(checkpoint.text().as_bytes())?);
        }
        Ok(Self {
            checkpoint,
            signature,
        })
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.checkpoint.text().into_bytes();
        bytes.extend(self.signature.iter().flat_map(|text| text.bytes()));
        bytes
    }

    /// Accepts only what [`Self::bytes`] writes. A signature has to fit; whose it is, a verification judges.
    pub(super) fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .context("the checkpoint is no text")?;
        let (note, signature) = match text.find(ARMOUR) {
            Some(place) => {
                let (note, signature) = text.split_at(place);
                (note, Some(signature.to_owned()))
            }
            None => (text, None),
        };
        let checkpoint = Checkpoint::parse(note)?;
        ensure!(
            checkpoint.signatures.is_empty() == signature.is_none(),
            "the checkpoint has one signature of two: the note's own or the one behind it is missing"
        );
        if let Some(signature) = &signature {
            let key = sign::verify_file(signature.as_bytes(), note.as_bytes())?;
            sign::verify_note(&checkpoint, &key)?;
        }
        Ok(Self {
            checkpoint,
            signature,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::torture::{ORIGIN, signer};
    use super::*;

    fn note(signer: Option<&Signer>) -> Note {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: 3,
            root: [9; 32],
            signatures: Vec::new(),
        };
        Note::sign(checkpoint, signer).unwrap()
    }

    #[test]
    fn it_comes_back_signed_and_unsigned_and_no_byte_of_it_can_change() {
        for made in [note(None), note(Some(&signer()))] {
            let bytes = made.bytes();
            assert_eq!(Note::parse(&bytes).unwrap(), made);
            for place in 0..bytes.len() {
                let mut broken = bytes.clone();
                if let Some(byte) = broken.get_mut(place) {
                    *byte ^= 1;
                }
                assert_ne!(Note::parse(&broken).ok().as_ref(), Some(&made), "{place}");
                assert_ne!(
                    Note::parse(&bytes[..place]).ok().as_ref(),
                    Some(&made),
                    "{place}"
                );
            }
        }
    }

    #[test]
    fn half_a_pair_of_signatures_is_none() {
        let mut made = note(Some(&signer()));
        made.signature = None;
        assert!(Note::parse(&made.bytes()).is_err());
        let mut made = note(Some(&signer()));
        made.checkpoint.signatures.clear();
        assert!(Note::parse(&made.bytes()).is_err());
    }
}
