//! The checkpoint: origin, size and root as a C2SP signed note. Signature lines are
//! kept as text here; `sign` knows keys.

use anyhow::{Context as _, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;

/// What a ledger claims to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// `ccgate/PLATFORM/REPOSITORY`: whose ledger this is.
    pub origin: String,
    /// Number of records.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: Hash,
    /// Signature lines of the note: key name and the bytes after it (key hash, signature).
    pub signatures: Vec<(String, Vec<u8>)>,
}

impl Checkpoint {
    /// That of a ledger in which nothing was ever recorded.
    pub(crate) fn none() -> Self {
        Self {
            origin: String::new(),
            size: 0,
            root: super::merkle::empty_root(),
            signatures: Vec::new(),
        }
    }

    /// What the signature lines sign.
    pub fn body(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// The whole file.
    pub fn text(&self) -> String {
        let mut text = self.body();
        if !self.signatures.is_empty() {
            text.push('\n');
        }
        for (name, bytes) in &self.signatures {
            text.push_str(&format!("\u{2014} {name} {}\n", STANDARD.encode(bytes)));
        }
        text
    }

    /// Accepts only the exact text that [`Self::text`] writes: one checkpoint, one spelling.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut lines = text.split('\n');
        let origin = lines.next().unwrap_or_default().to_owned();
        check_origin(&origin)?;
        let size = lines.next().context("the checkpoint has no size")?;
        let size = size
            .parse()
            .ok()
            .context("the checkpoint's size is no number")?;
        let root = lines.next().context("the checkpoint has no root")?;
        let root = STANDARD
            .decode(root)
            .ok()
            .and_then(|root| root.try_into().ok());
        let root = root.context("the checkpoint's root is no SHA-256 in base64")?;
        let mut signatures = Vec::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, bytes) = line
                .strip_prefix("\u{2014} ")
                .and_then(|line| line.split_once(' '))
                .context("a line of the checkpoint is no signature line")?;
            let bytes = STANDARD.decode(bytes).ok().filter(|bytes| bytes.len() > 4);
            signatures.push((
                name.to_owned(),
                bytes.context("a signature line of the checkpoint is no base64")?,
            ));
        }
        let checkpoint = Self {
            origin,
            size,
            root,
            signatures,
        };
        ensure!(
            checkpoint.text() == text,
            "the checkpoint is not in its canonical form"
        );
        Ok(checkpoint)
    }
}

/// The origin is also a key name and a principal: plain characters only, so that it means
/// the same in a note, in `allowed_signers` and in a path.
pub(crate) fn check_origin(origin: &str) -> anyhow::Result<()> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "/._-~:".contains(character);
    ensure!(
        !origin.is_empty() && origin.len() <= 512 && origin.chars().all(plain),
        "the ledger's origin may only hold letters, digits and `/._-~:`; it comes from the platform's and the repository's name"
    );
    Ok(())
}
