//! Files that the command line names: read whole, of bearable size, with an error
//! that says which. Knows the shape of a snapshot's first field, and no rule.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::facts::{Fact, PolicyDocument, PolicyFacts, SNAPSHOT_SCHEMA, Snapshot};

use super::world::World;

/// Largest file that is read whole (policy, snapshot, event): 64 MiB.
const LARGEST_FILE: u64 = 64 << 20;

/// Reads a file of bearable size.
pub(super) fn read_whole(path: &Path) -> anyhow::Result<Vec<u8>> {
    let name = path.strip_prefix(".").unwrap_or(path).display();
    let unreadable = |error: std::io::Error| {
        if error.kind() == ErrorKind::NotFound {
            anyhow!("there is no file `{name}`")
        } else {
            anyhow!(error).context(format!("could not read `{name}`"))
        }
    };
    let metadata = std::fs::metadata(path).map_err(unreadable)?;
    if metadata.is_dir() {
        bail!("`{name}` is a folder; name a file in it");
    }
    if metadata.len() > LARGEST_FILE {
        bail!("`{name}` is larger than {} MiB", LARGEST_FILE >> 20);
    }
    std::fs::read(path).map_err(unreadable)
}

/// A policy file on this machine.
pub(super) fn policy_file(path: &Path, name: &str) -> anyhow::Result<PolicyDocument> {
    let bytes = read_whole(path)?;
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    let text = String::from_utf8(bytes).map_err(|error| {
        anyhow!(
            "{name}: not UTF-8 at byte {}",
            error.utf8_error().valid_up_to()
        )
    })?;
    Ok(PolicyDocument {
        origin: name.to_owned(),
        commit: None,
        digest,
        text,
    })
}

/// The one field that every version of a snapshot has.
#[derive(Deserialize)]
struct SnapshotVersion {
    schema: Option<String>,
}

/// A snapshot written by `--save-snapshot`.
pub(super) fn saved_snapshot(
    file: &Path,
    given: Option<PolicyDocument>,
    world: &World,
) -> anyhow::Result<Snapshot> {
    let path = world.folder.join(file);
    let bytes = read_whole(&path)?;
    let name = file.display();
    let no_snapshot = || format!("`{name}` is no snapshot; `--save-snapshot` writes one");
    // Another version may lack fields, so its name is looked at before them.
    let version: SnapshotVersion = serde_json::from_slice(&bytes).with_context(no_snapshot)?;
    match version.schema.as_deref() {
        Some(SNAPSHOT_SCHEMA) => {}
        Some(other) => bail!(
            "`{name}` has the schema `{other}`, and this version reads `{SNAPSHOT_SCHEMA}`; \
             write it again with this version's `--save-snapshot`"
        ),
        None => return Err(anyhow!("it has no `schema`").context(no_snapshot())),
    }
    let mut snapshot: Snapshot = serde_json::from_slice(&bytes).with_context(no_snapshot)?;
    if let Some(document) = given {
        snapshot.policy = PolicyFacts {
            target: Fact::known_without_source(Some(document)),
            floor: Fact::known_without_source(None),
        };
    }
    Ok(snapshot)
}

/// What `--save-snapshot` writes.
pub(super) fn snapshot_bytes(snapshot: &Snapshot) -> anyhow::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec_pretty(snapshot)?;
    bytes.push(b'\n');
    Ok(bytes)
}
