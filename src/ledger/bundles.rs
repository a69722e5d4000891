//! Sigstore bundles in a verification: every kept bundle has to be over the note of its size;
//! which of them hold is said by the identity that the verifier demands.

use std::collections::BTreeSet;

use anyhow::Context as _;

use super::checkpoint::Checkpoint;
use super::dir;
use super::files::Files;
use super::keep::{BUNDLE, bundle_path, note_path};
use super::sigstore::{LARGEST, NOT_VERIFIED, look};
use super::verify::VerifyOptions;
use super::walk::Walk;

impl Walk {
    /// Before the entries are walked, so that their times can be held against the bundles'.
    pub(super) fn bundles(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
        anchors: &BTreeSet<String>,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        let mut unverified = Vec::new();
        for path in anchors {
            let Some(size) = dir::anchor_size(path, BUNDLE) else {
                continue;
            };
            rest.remove(path);
            if size > checkpoint.size {
                self.problems.push(format!(
                    "`{path}` vouches for {size} records, but there are {}: the tail was cut off",
                    checkpoint.size
                ));
                continue;
            }
            let file = files
                .read_at_most(path, LARGEST)
                .with_context(|| format!("`{path}` cannot be read"))?
                .unwrap_or_default();
            let Some(note) = files.read(&note_path(size))? else {
                self.problems
                    .push(format!("`{path}`: the note that it is over is missing"));
                continue;
            };
            if let Err(error) = look(&file, &note) {
                self.problems.push(format!("`{path}`: {error:#}"));
                continue;
            }
            let Some(trust) = options.sigstore else {
                unverified.push(size);
                continue;
            };
            match trust.time_of(&file, &note, options.now) {
                Ok(time) => {
                    self.logged.insert(size, time);
                }
                Err(error) => self
                    .bundle_problems
                    .push(format!("`{path}` does not hold: {error:#}")),
            }
        }
        if let Some(newest) = unverified.iter().max() {
            self.notes.push(match unverified.len() {
                1 => format!(
                    "there is a Sigstore bundle, `{}`, {NOT_VERIFIED}",
                    bundle_path(*newest)
                ),
                count => format!(
                    "there are {count} Sigstore bundles, the newest of them `{}`, {NOT_VERIFIED}",
                    bundle_path(*newest)
                ),
            });
        }
        Ok(())
    }

    /// What bundles add to the anchors: how far they reach, and what to say of it.
    pub(super) fn logged(
        &self,
        options: &VerifyOptions<'_>,
        problems: &mut Vec<String>,
    ) -> Option<(u64, String)> {
        let trust = options.sigstore?;
        problems.extend(self.bundle_problems.iter().cloned());
        let Some((size, time)) = self.logged.last_key_value() else {
            if self.bundle_problems.is_empty() {
                problems.push("no checkpoint is under a Sigstore bundle".to_owned());
            }
            return None;
        };
        let identities = trust.identities().escape_debug();
        Some((
            *size,
            format!(
                "{size} records are in a transparency log since {time}, signed by `{identities}`"
            ),
        ))
    }
}
