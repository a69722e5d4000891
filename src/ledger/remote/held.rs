//! What was read of a ledger that lies somewhere else, kept until it is used up: its files at one
//! moment, and the newest checkpoint that was ever seen there.

use anyhow::{Context as _, ensure};

use super::super::checkpoint::Checkpoint;
use super::super::dir::CHECKPOINT;
use super::super::files::Files as _;
use super::overlay::{Base, Overlay, check_growth};
use super::{Remote, Sent};

/// What was read and is not used up.
pub(super) struct Held<R: Remote> {
    remote: Option<R>,
    /// The files when they were looked at; the inner one is `None` where nothing was.
    tip: Option<Option<Overlay<R::Base>>>,
    /// The newest checkpoint that was ever seen here.
    newest: Option<Checkpoint>,
}

impl<R: Remote> Held<R> {
    /// Nothing was read yet.
    pub(super) fn new() -> Self {
        Self {
            remote: None,
            tip: None,
            newest: None,
        }
    }

    /// The way to the other side, opened when it is wanted first.
    pub(super) fn remote(&mut self, place: &R::Place) -> anyhow::Result<&mut R> {
        if self.remote.is_none() {
            self.remote = Some(R::open(place)?);
        }
        self.remote
            .as_mut()
            .context("there is no way to the ledger")
    }

    /// The tip that is held, else the one that is there now.
    pub(super) fn tip(&mut self, place: &R::Place) -> anyhow::Result<Option<Overlay<R::Base>>> {
        if let Some(tip) = &self.tip {
            return Ok(tip.as_ref().map(Overlay::fresh));
        }
        let tip = self.remote(place)?.look()?;
        let checkpoint = match &tip {
            Some(files) => Some(checkpoint_of(files)?.with_context(|| {
                format!(
                    "{place} is there and holds no ledger (`{CHECKPOINT}` is missing); name another"
                )
            })?),
            None => None,
        };
        self.went_on(checkpoint)
            .with_context(|| format!("{place} was changed by somebody else than an append"))?;
        self.tip = Some(tip.clone());
        Ok(tip)
    }

    /// From now on the files are looked at anew.
    pub(super) fn forget(&mut self) {
        self.tip = None;
    }

    /// A log only grows while we look.
    fn went_on(&mut self, now: Option<Checkpoint>) -> anyhow::Result<()> {
        if let Some(before) = &self.newest {
            let now = now
                .as_ref()
                .context("it was deleted since it was last read")?;
            ensure!(
                now.size > before.size || (now.size, now.root) == (before.size, before.root),
                "it held {} records a moment ago, and now it holds {} or others",
                before.size,
                now.size
            );
        }
        self.newest = now.or(self.newest.take());
        Ok(())
    }

    /// Sends what was changed; `None`: nothing was.
    pub(super) fn send(
        &mut self,
        place: &R::Place,
        tip: Option<&Overlay<R::Base>>,
        files: &Overlay<R::Base>,
        message: &str,
    ) -> anyhow::Result<Option<Sent>> {
        let changes = files.changes()?;
        if changes.is_empty() {
            return Ok(None);
        }
        check_growth(files, &changes)?;
        // Used up, whatever comes of it.
        self.forget();
        self.remote(place)?.send(tip, &changes, message).map(Some)
    }
}

/// The checkpoint among these files, if there is one.
pub(in super::super) fn checkpoint_of<B: Base>(
    files: &Overlay<B>,
) -> anyhow::Result<Option<Checkpoint>> {
    let Some(bytes) = files.read(CHECKPOINT)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes)
        .ok()
        .context("the checkpoint is no text")?;
    Checkpoint::parse(&text).map(Some)
}
