//! How well a ledger is anchored, L0 to L4, from what was verified and from nothing else. A
//! level reaches no further than those below it, and what was not seen raises none.

use anyhow::{Context as _, ensure};

use std::path::Path;

use super::checkpoint::Checkpoint;
use super::verify::{State, VerifyOptions, verify};

/// The levels of anchoring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The ledger fits; nothing outside vouches for it.
    L0,
    /// Checkpoints are signed by somebody whom the verifier allows.
    L1,
    /// And time-stamped by an authority that the verifier trusts.
    L2,
    /// And a copy under other hands agrees.
    L3,
    /// And so does a checkpoint that an outsider kept, or one in a transparency log.
    L4,
}

impl Level {
    /// All, lowest first.
    pub const ALL: [Self; 5] = [Self::L0, Self::L1, Self::L2, Self::L3, Self::L4];

    /// As it is written.
    pub fn word(self) -> &'static str {
        match self {
            Self::L0 => "L0",
            Self::L1 => "L1",
            Self::L2 => "L2",
            Self::L3 => "L3",
            Self::L4 => "L4",
        }
    }

    /// What holds.
    pub fn holds(self) -> &'static str {
        match self {
            Self::L0 => "every record fits the others",
            Self::L1 => "signed by an allowed signer",
            Self::L2 => "time-stamped by an authority that the verifier trusts",
            Self::L3 => "a copy under other hands agrees",
            Self::L4 => {
                "a checkpoint that was kept elsewhere, or stands in a transparency log, agrees"
            }
        }
    }

    /// Who could still cheat unseen.
    pub fn left(self) -> &'static str {
        match self {
            Self::L0 => "whoever can write to the ledger can write all of it anew, unseen",
            Self::L1 => {
                "whoever can write to it and use the signing key can write it anew under any date, unseen"
            }
            Self::L2 => {
                "nobody can date anything back behind its time-stamp; whoever can write to it and use the key can drop or replace what is newer than the last one, or have a new past stamped now"
            }
            Self::L3 => "those who keep the ledger and those who keep the copy can, together",
            Self::L4 => {
                "those who keep ledger and copy can, together with the outsider or whoever signed for the log; anybody of them for what is newer than the kept checkpoint"
            }
        }
    }

    /// What shows it.
    pub fn shown_by(self) -> &'static str {
        match self {
            Self::L0 => "a ledger that holds",
            Self::L1 => {
                "checkpoints that `CCGATE_LEDGER_KEY` signs, and the signers' keys with `--allowed-signers`"
            }
            Self::L2 => {
                "tokens of `ccgate ledger anchor`, and the authority's root with `--tsa-roots`"
            }
            Self::L3 => "a copy of the ledger that others keep, with `--copy`",
            Self::L4 => {
                "a checkpoint that an outsider kept, e.g. in an auditor's mailbox, with `--trusted-checkpoint`; or a Sigstore bundle, with `--certificate-identity`"
            }
        }
    }
}

/// How far each level reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Levels(Vec<u64>);

impl Levels {
    /// From how far each level's own evidence reaches, `None` where there is none. While
    /// anything that was looked at fails, there is no level.
    pub(super) fn of(own: [Option<u64>; 5]) -> Self {
        let mut reached = Vec::new();
        let mut below = u64::MAX;
        for up_to in own {
            let Some(up_to) = up_to.map(|up_to| up_to.min(below)) else {
                break;
            };
            // Nothing is vouched for by a checkpoint of no records.
            if up_to == 0 {
                break;
            }
            below = up_to;
            reached.push(up_to);
        }
        Self(reached)
    }

    /// The levels that are reached, lowest first, each with the number of records below which
    /// it holds.
    pub fn reached(&self) -> impl DoubleEndedIterator<Item = (Level, u64)> + '_ {
        Level::ALL.into_iter().zip(self.0.iter().copied())
    }

    /// The highest level.
    pub fn highest(&self) -> Option<(Level, u64)> {
        self.reached().next_back()
    }

    /// The highest level, who could still cheat, what holds below it, and what would show more.
    pub fn sentences(&self, size: u64) -> Vec<String> {
        let Some((highest, up_to)) = self.highest() else {
            return vec!["no level is reached while something does not hold".to_owned()];
        };
        let mut sentences = vec![
            format!("{}, up to {up_to} of {size} records", highest.holds()),
            format!("who could still cheat: {}", highest.left()),
        ];
        sentences.extend(self.reached().rev().skip(1).map(|(level, up_to)| {
            format!(
                "{}, {}, up to {up_to} of {size}",
                level.word(),
                level.holds()
            )
        }));
        sentences.extend(
            self.next()
                .map(|next| format!("for {}: {}", next.word(), next.shown_by())),
        );
        sentences
    }

    /// The level after the highest.
    pub fn next(&self) -> Option<Level> {
        Level::ALL.get(self.0.len()).copied()
    }
}

/// A copy of the ledger that others keep, verified whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerCopy(pub(super) Checkpoint);

impl LedgerCopy {
    /// Verifies the copy: a ledger's folder, or a pack that was exported. `ledger` is the
    /// folder of the ledger itself, if it lies in one.
    ///
    /// # Errors
    /// A copy that does not hold, or that is the ledger itself.
    pub fn read(path: &Path, ledger: Option<&Path>) -> anyhow::Result<Self> {
        let inner = path.join("ledger");
        let folder = if inner.join(super::dir::CHECKPOINT).is_file() {
            inner
        } else {
            path.to_owned()
        };
        let place = |path: &Path| {
            path.canonicalize()
                .with_context(|| format!("`{}` cannot be read", path.display()))
        };
        let (copied, own) = (place(&folder)?, ledger.map(place).transpose()?);
        ensure!(
            own != Some(copied),
            "the copy is the ledger itself; hand in one that others keep"
        );
        let seen = verify(&folder, &VerifyOptions::default());
        ensure!(
            seen.integrity.state == State::Ok,
            "the copy at `{}` does not hold: {}",
            folder.display(),
            seen.integrity.says
        );
        let text = super::dir::checkpoint_text(&folder)?.context("the copy has no checkpoint")?;
        Checkpoint::parse(&text).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_reaches_no_further_than_those_below_it() {
        let levels = Levels::of([Some(9), Some(7), Some(8), None, Some(9)]);
        let reached: Vec<_> = levels.reached().collect();
        assert_eq!(reached, [(Level::L0, 9), (Level::L1, 7), (Level::L2, 7)]);
        assert_eq!(levels.highest(), Some((Level::L2, 7)));
        assert_eq!(levels.next(), Some(Level::L3));
        // A checkpoint kept elsewhere does not stand in for a signature.
        let levels = Levels::of([Some(9), None, Some(9), Some(9), Some(9)]);
        assert_eq!(levels.highest(), Some((Level::L0, 9)));
        assert_eq!(Levels::of([None; 5]).highest(), None);
        let nothing = Levels::of([Some(9), Some(0), Some(9), None, None]);
        assert_eq!(nothing.highest(), Some((Level::L0, 9)));
        let all = Levels::of([Some(3); 5]);
        assert_eq!((all.highest(), all.next()), (Some((Level::L4, 3)), None));
    }
}
