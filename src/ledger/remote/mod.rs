//! Ledgers that lie somewhere else and take an append as a whole, only on the state that it was made
//! for: what is the same for all of them. Here is what each has to answer.

use std::fmt::Display;

use super::Guarantees;

pub(super) mod beginnings;
pub(super) mod held;
pub(super) mod overlay;
mod patience;
pub(super) mod receipts;
mod store;

use overlay::{Base, Changes, Overlay};
pub(super) use patience::{Patience, Watch};
use receipts::Waiting;
pub(super) use store::{RemoteStore, open_any};

/// How the sending of an append ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// The other side has it.
    Done,
    /// The other side does not take it on what is there now, in whatever words.
    Refused(String),
    /// The other side does not take it, and will not however often it is asked.
    Denied(String),
    /// Whether the other side has it is not known.
    Unclear(String),
}

/// Where a ledger lies that is not in a folder.
pub(super) trait Remote: Send + Sized {
    /// Its address; shown in messages.
    type Place: Clone + Display + Send;
    /// Its files at one moment.
    type Base: Base + 'static;

    /// Makes ready to speak to it.
    fn open(place: &Self::Place) -> anyhow::Result<Self>;
    /// Its files as they are now; `None` where nothing is yet.
    fn look(&mut self) -> anyhow::Result<Option<Overlay<Self::Base>>>;
    /// The files of one that has yet to begin.
    fn nothing(&self) -> anyhow::Result<Overlay<Self::Base>>;
    /// Waits until it is this writer's turn to append, where the other side knows turns, and says
    /// whether it had to be asked. Whoever stops in his turn loses it, so a turn is no promise:
    /// what is sent is compared all the same.
    fn take_turn(&mut self) -> anyhow::Result<bool> {
        Ok(false)
    }
    /// Lets the next one in, whatever came of the turn.
    fn end_turn(&mut self) {}
    /// Sends changes that were made to `tip`, and to nothing else.
    fn send(
        &mut self,
        tip: Option<&Overlay<Self::Base>>,
        changes: &Changes,
        message: &str,
    ) -> anyhow::Result<Sent>;
    /// The ledger's name in receipts; `None` where the other side keeps none.
    fn named_in_receipts(_: &Self::Place) -> Option<String> {
        None
    }
    /// From now on what waits is read with the files.
    fn look_for_receipts(&mut self) {}
    /// The receipts that were read with these files, whoever left them.
    fn waiting(&self, _: &Overlay<Self::Base>) -> anyhow::Result<Vec<Waiting>> {
        Ok(Vec::new())
    }
    /// Leaves a receipt there. It need not be taken: then the record waits for its own turn.
    fn leave(&mut self, _: &receipts::Receipt) -> anyhow::Result<()> {
        Ok(())
    }
    /// Takes away receipts whose records are sealed, each only as it was found. What is not taken
    /// away does no harm: a record is sealed once.
    fn settle<'a>(&self, _: impl Iterator<Item = &'a Waiting>) {}
    /// How often and how long it is tried.
    fn patience() -> Patience;
    /// What the ledger at that place promises.
    fn guarantees(place: &Self::Place) -> Guarantees;
}
