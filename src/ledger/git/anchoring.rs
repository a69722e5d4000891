//! Time-stamps beside a ledger in git: a commit that adds a token and nothing else, pushed as
//! an append is.

use anyhow::{Context as _, bail, ensure};

use super::super::keep::SignedNote;
use super::super::place::GitPlace;
use super::mirror::{self, Push};
use super::patience::Watch;
use super::{GitStore, Held};

/// The newest note of the ledger.
///
/// # Errors
/// As for a ledger in a folder, and if the branch cannot be fetched.
pub(in super::super) fn signed_note(place: &GitPlace) -> anyhow::Result<SignedNote> {
    GitStore::new(place, None, None).signed_note()
}

/// Keeps the token beside its note. To repeat it is safe.
///
/// # Errors
/// As for a ledger in a folder, and if the server does not take it.
pub(in super::super) fn keep_token(
    place: &GitPlace,
    note: &SignedNote,
    token: &[u8],
) -> anyhow::Result<()> {
    GitStore::new(place, None, None).keep_token(note, token)
}

impl GitStore {
    fn signed_note(&self) -> anyhow::Result<SignedNote> {
        let tip = self.held().tip(&self.place)?;
        let store = tip.as_ref().map(|files| self.over(files)).transpose()?;
        store
            .flatten()
            .with_context(|| format!("there is no ledger in {}", self.place))?
            .signed_note()
    }

    pub(super) fn keep_token(&self, note: &SignedNote, token: &[u8]) -> anyhow::Result<()> {
        let watch = Watch::start();
        let mut tries = 0;
        loop {
            let why = match self.try_to_keep(&mut self.held(), note, token)? {
                None | Some(Push::Done) => return Ok(()),
                // What came through nevertheless is found by the next try.
                Some(Push::Refused(why) | Push::Unclear(why)) => why,
            };
            tries += 1;
            if tries >= self.patience.refusals || watch.is_over(&self.patience) {
                bail!(
                    "{} did not take the time-stamp in {tries} tries, so run it again: {why}",
                    self.place
                );
            }
            self.patience.wait(tries);
        }
    }

    /// `None`: it is there already.
    fn try_to_keep(
        &self,
        held: &mut Held,
        note: &SignedNote,
        token: &[u8],
    ) -> anyhow::Result<Option<Push>> {
        let tip = held.tip(&self.place)?;
        ensure!(tip.is_some(), "there is no ledger in {}", self.place);
        let (mirror, files) = held.working(tip.as_ref())?;
        self.over(&files)?
            .context("it is not known whose ledger this is")?
            .keep_token(note, token)?;
        let changes = files.changes()?;
        if changes.is_empty() {
            return Ok(None);
        }
        mirror::check_growth(&files, &changes)?;
        let message = format!("Keep a time-stamp over {} records", note.size);
        let commit = mirror.commit(true, &changes, &message)?;
        let pushed = mirror.push(&commit);
        // Used up, whatever came of it.
        held.tip = None;
        Ok(Some(pushed))
    }
}
