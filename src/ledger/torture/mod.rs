//! Tests that break ledgers: a crash at every file operation, a flip in every byte, cuts at
//! every length, writers at the same time. This file holds what they share.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use ssh_key::private::Ed25519Keypair;
use ssh_key::{LineEnding, PrivateKey};

use super::dir::DirStore;
use super::files::{Files, Folder, Lock};
use super::verify::{State, VerifyOptions, verify_files};
use super::{Leaf, Signer, Store as _};

mod bundles;
mod crash;
mod mutation;
mod stamps;
mod verdicts;

pub(super) const ORIGIN: &str = "ccgate/github/acme/payments";

/// A fixed key, made for these tests and used nowhere else.
pub(super) fn signer() -> Signer {
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&[7; 32]));
    Signer::from_openssh(&key.to_openssh(LineEnding::LF).unwrap()).unwrap()
}

pub(super) fn statement(number: u64) -> Value {
    json!({
        "_type": super::STATEMENT_TYPE,
        "subject": [{"name": format!("change-{number}"), "digest": {"gitCommit": format!("{number:040x}")}}],
        "predicateType": "https://ccgate.dev/change-record/v1",
        "predicate": {"observed_at": "2026-11-21T08:00:00Z", "decision": "allow"},
    })
}

pub(super) fn leaf(number: u64) -> Leaf {
    Leaf::new(&statement(number)).unwrap()
}

pub(super) fn leaves(range: std::ops::Range<u64>) -> Vec<Leaf> {
    range.map(leaf).collect()
}

/// A ledger of so many records, sealed in a few appends.
pub(super) fn ledger(folder: &Path, size: u64, signer: Option<Signer>) {
    let mut store = DirStore::new(folder, ORIGIN, signer);
    let cut = size / 2;
    store.append(&leaves(0..cut)).unwrap();
    store.append(&leaves(cut..size)).unwrap();
}

pub(super) fn snapshot(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = Folder::new(folder);
    files
        .list("")
        .unwrap()
        .into_iter()
        .map(|path| (path.clone(), files.read(&path).unwrap().unwrap()))
        .collect()
}

/// A folder in memory: for many small mutations in short time.
#[derive(Clone)]
pub(super) struct Memory(pub(super) BTreeMap<String, Vec<u8>>);

impl Files for Memory {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.0.get(path).cloned())
    }
    fn list(&self, folder: &str) -> io::Result<Vec<String>> {
        Ok(self
            .0
            .keys()
            .filter(|path| folder.is_empty() || path.starts_with(&format!("{folder}/")))
            .cloned()
            .collect())
    }
    fn make_folder(&self, _: &str) -> io::Result<()> {
        Err(io::Error::other("read-only"))
    }
    fn write(&self, _: &str, _: &[u8]) -> io::Result<()> {
        Err(io::Error::other("read-only"))
    }
    fn rename(&self, _: &str, _: &str) -> io::Result<()> {
        Err(io::Error::other("read-only"))
    }
    fn sync_folder(&self, _: &str) -> io::Result<()> {
        Err(io::Error::other("read-only"))
    }
    fn remove(&self, _: &str) -> io::Result<()> {
        Err(io::Error::other("read-only"))
    }
    fn lock(&self, _: Lock) -> io::Result<fs::File> {
        Err(io::Error::other("read-only"))
    }
}

/// What says to be a Sigstore bundle over these bytes, and shows nothing.
pub(super) fn unverified_bundle(over: &[u8]) -> Vec<u8> {
    let digest = STANDARD.encode(Sha256::digest(over));
    json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}},
    })
    .to_string()
    .into_bytes()
}

pub(super) fn intact(files: &Memory) -> bool {
    let verification = verify_files(files, &VerifyOptions::default());
    verification.integrity.state == State::Ok && verification.completeness.state != State::Failed
}
