//! Time-stamps in a verification: every kept token has to fit the note of its size; which of
//! them count is said by the roots that the verifier brought.

use std::collections::BTreeSet;

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use super::checkpoint::Checkpoint;
use super::dir;
use super::files::Files;
use super::keep::{note_path, token_path};
use super::timestamp::{CLOCK_TOLERANCE, Token};
use super::verify::{Verdict, VerifyOptions};
use super::walk::{Walk, take};

impl Walk {
    /// Before the entries are walked, so that their times can be held against the stamps'.
    pub(super) fn tokens(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
        anchors: &BTreeSet<String>,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        let mut sizes: Vec<u64> = anchors
            .iter()
            .filter_map(|path| dir::anchor_size(path, "tsr"))
            .collect();
        sizes.sort_unstable();
        for size in sizes {
            let path = token_path(size);
            let file = take(files, rest, &path)?.unwrap_or_default();
            if size > checkpoint.size {
                self.problems.push(format!(
                    "`{path}` vouches for {size} records, but there are {}: the tail was cut off",
                    checkpoint.size
                ));
                continue;
            }
            let note = files.read(&note_path(size))?;
            match token(&file, note.as_deref()) {
                Ok(token) => self.judge_token(size, &token, options),
                Err(error) => self.problems.push(format!("`{path}`: {error:#}")),
            }
        }
        if let Some(first) = self.uncounted.first() {
            let others = match self.uncounted.len() {
                1 => String::new(),
                count => format!("; and {} more", count - 1),
            };
            self.notes.push(format!("{first}{others}"));
        }
        Ok(())
    }

    /// What the records' times are held against: every time that somebody outside vouches for.
    pub(super) fn bound_times(&mut self) {
        let mut times = self.stamps.clone();
        for (size, time) in &self.logged {
            let bound = times.entry(*size).or_insert(*time);
            *bound = (*bound).min(*time);
        }
        self.times.stamps(times.into_iter());
    }

    fn judge_token(&mut self, size: u64, token: &Token, options: &VerifyOptions<'_>) {
        self.tokens += 1;
        let Some(roots) = options.tsa_roots else {
            return;
        };
        let path = token_path(size);
        if let Err(error) = roots.vouch_for(token) {
            self.uncounted
                .push(format!("`{path}` counts for nothing: {error:#}"));
            return;
        }
        let time = token.time();
        if options
            .now
            .is_some_and(|now| time.duration_since(now) > CLOCK_TOLERANCE)
        {
            self.stamp_problems.push(format!(
                "`{path}` is dated {time}, which is still to come: its authority's clock is wrong, or this machine's"
            ));
            return;
        }
        self.stamps.insert(size, time);
    }

    /// How far the ledger is anchored in time.
    pub(super) fn stamped(&self, size: u64, options: &VerifyOptions<'_>) -> Verdict {
        if let Some(first) = self.stamp_problems.first() {
            return Verdict::failed(first.clone(), self.stamp_problems.clone());
        }
        // Who hands in roots wants tokens, whatever bundles say.
        let (newest, by) = match options.tsa_roots {
            Some(_) => (self.stamps.last_key_value(), ""),
            None => (self.logged.last_key_value(), ", as a Sigstore bundle shows"),
        };
        match (newest, options.tsa_roots, self.tokens) {
            (Some((up_to, time)), _, _) => {
                let says = format!("anchored in time up to {up_to} of {size} at {time}{by}");
                if *up_to < size {
                    let rest = size - up_to;
                    return Verdict::unknown(&format!(
                        "{says}; the last {rest} records are under no time-stamp"
                    ));
                }
                Verdict::ok(says)
            }
            (None, Some(_), 0) => {
                let says = "no checkpoint is time-stamped".to_owned();
                Verdict::failed(says.clone(), vec![says])
            }
            (None, Some(_), _) => {
                let says = "no checkpoint is time-stamped by an authority whose root was handed in"
                    .to_owned();
                Verdict::failed(says.clone(), vec![says])
            }
            (None, None, 0) => Verdict::unknown(
                "no checkpoint is time-stamped; `ccgate ledger anchor --tsa URL --tsa-roots PEM` has a signed one stamped",
            ),
            (None, None, tokens) => Verdict::unknown(&format!(
                "{tokens} time-stamps fit their notes, by authorities that only the tokens name: hand in their roots with `--tsa-roots`"
            )),
        }
    }
}

fn token(file: &[u8], note: Option<&[u8]>) -> anyhow::Result<Token> {
    let note = note.context("the note that it is over is missing")?;
    let token = Token::parse(file)?;
    anyhow::ensure!(
        token.imprint() == Sha256::digest(note).as_slice(),
        "it is over another note than the one of its size"
    );
    Ok(token)
}
