//! Verification of a ledger folder: integrity, completeness, anchors, time-stamps and times are
//! verdicts of their own, because each can be broken while the others look fine. Nothing here writes.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use ssh_key::HashAlg;

use super::checkpoint::Checkpoint;
use super::files::{Files, Folder, Lock};
use super::levels::{LedgerCopy, Levels};
use super::sign::AllowedSigners;
use super::sigstore::SigstoreTrust;
use super::times::TimePointers;
use super::timestamp::TsaRoots;
use super::walk::Walk;

/// What the verifier brings along.
#[derive(Debug, Clone, Copy, Default)]
pub struct VerifyOptions<'a> {
    /// Whose ledger it must be.
    pub origin: Option<&'a str>,
    /// Keys that may sign, from a place the ledger's administrators do not control.
    pub allowed_signers: Option<&'a AllowedSigners>,
    /// The changes which must each have exactly one record.
    pub population: Option<Population<'a>>,
    /// The text of an older checkpoint, kept elsewhere.
    pub trusted: Option<&'a str>,
    /// Roots of time-stamping authorities, from such a place as well.
    pub tsa_roots: Option<&'a TsaRoots>,
    /// Whose Sigstore bundles count.
    pub sigstore: Option<&'a SigstoreTrust>,
    /// A copy of the ledger that others keep.
    pub copy: Option<&'a LedgerCopy>,
    /// Where records tell times; without it they are not looked at.
    pub times: Option<TimePointers<'a>>,
    /// Numbers of records whose machine's clock is known to have been wrong: told, and no problem.
    pub wrong_clocks: &'a [u64],
    /// The copies below `records/` are left unread: what is sealed is judged, and nothing else. A
    /// record that was sealed twice shows by its copies, so that is not found either.
    pub log_only: bool,
    /// The moment of the verification: a time-stamp from later is a problem.
    pub now: Option<Timestamp>,
}

/// Names or digests of subjects, and which statements count for them.
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    pub members: &'a [String],
    /// The predicate type that counts; any, if none is given.
    pub predicate_type: Option<&'a str>,
    /// What a statement has to tell in order to count, as a JSON pointer.
    pub telling: Option<&'a str>,
    /// Of which branch it has to be. The same commits can come onto another one in another way.
    pub branch: Option<BranchOf<'a>>,
}

/// Where a statement names its branch, and which one counts.
#[derive(Debug, Clone, Copy)]
pub struct BranchOf<'a> {
    /// As a JSON pointer.
    pub pointer: &'a str,
    /// Without a name all have to be of one branch.
    pub name: Option<&'a str>,
}

impl<'a> BranchOf<'a> {
    fn told(self, statement: &serde_json::Value) -> Option<&str> {
        statement.pointer(self.pointer)?.as_str()
    }
}

impl Population<'_> {
    pub(super) fn counts(&self, statement: &serde_json::Value) -> bool {
        let kind = statement
            .get("predicateType")
            .and_then(serde_json::Value::as_str);
        let told = |pointer| {
            statement
                .pointer(pointer)
                .is_some_and(|value| !value.is_null())
        };
        let of_branch = self.branch.is_none_or(|branch| {
            branch
                .name
                .is_none_or(|name| branch.told(statement) == Some(name))
        });
        self.predicate_type
            .is_none_or(|wanted| Some(wanted) == kind)
            && self.telling.is_none_or(told)
            && of_branch
    }

    /// The branch that a statement tells; empty where it tells none.
    pub(super) fn branch_of(&self, statement: &serde_json::Value) -> Option<String> {
        let branch = self.branch?;
        Some(branch.told(statement).unwrap_or_default().to_owned())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    Failed,
    /// Not established: this is never a pass.
    Unknown,
}

/// One of the verdicts: its state, one sentence, and every problem found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    pub state: State,
    pub says: String,
    pub problems: Vec<String>,
}

/// The result of a verification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verification {
    pub origin: Option<String>,
    pub size: u64,
    pub root: Option<String>,
    pub integrity: Verdict,
    pub completeness: Verdict,
    pub anchored: Verdict,
    /// Records below this number are anchored.
    pub anchored_up_to: u64,
    /// Time-stamps.
    pub stamped: Verdict,
    /// Times that the records tell.
    pub times: Verdict,
    /// What all of that comes to.
    pub levels: Levels,
    /// Things worth knowing that break nothing.
    pub notes: Vec<String>,
    demanded: bool,
}

impl Verification {
    /// Every verdict with its name.
    pub fn verdicts(&self) -> [(&'static str, &Verdict); 5] {
        [
            ("integrity", &self.integrity),
            ("completeness", &self.completeness),
            ("anchored", &self.anchored),
            ("time-stamped", &self.stamped),
            ("times", &self.times),
        ]
    }

    /// The same verdicts where more was looked at than files: its problems break the integrity,
    /// and `sound` is told where there are none.
    pub(super) fn with(mut self, problems: Vec<String>, sound: String) -> Self {
        let mut all = std::mem::take(&mut self.integrity.problems);
        if problems.is_empty() {
            if self.integrity.state == State::Ok {
                self.notes.push(sound);
            }
            self.integrity.problems = all;
            return self;
        }
        all.extend(problems);
        self.integrity = Verdict::failed(all.first().cloned().unwrap_or_default(), all);
        self.levels = Levels::default();
        self
    }

    /// 0, or 5 when a verdict failed or one that was asked for could not be established.
    pub fn exit_code(&self) -> u8 {
        let failed = self
            .verdicts()
            .iter()
            .any(|(_, verdict)| verdict.state == State::Failed);
        let unproven = self.integrity.state != State::Ok
            || self.demanded && self.completeness.state != State::Ok;
        if failed || unproven { 5 } else { 0 }
    }
}

/// Verifies the ledger in a folder. Whatever lies there, the answer is a verification.
pub(super) fn verify(path: &Path, options: &VerifyOptions<'_>) -> Verification {
    verify_files(&Folder::new(path), options)
}

pub(crate) fn verify_files(files: &dyn Files, options: &VerifyOptions<'_>) -> Verification {
    // A ledger on a read-only medium has no lock to take, and no writer either.
    let _lock = files.lock(Lock::Shared);
    let mut walk = Walk::default();
    if let Err(error) = walk.run(files, options) {
        walk.problems.push(format!("{error:#}"));
    }
    walk.conclude(options)
}

impl Walk {
    fn conclude(self, options: &VerifyOptions<'_>) -> Verification {
        let size = self
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.size);
        let integrity = match (&self.checkpoint, self.problems.as_slice()) {
            (Some(_), []) if options.log_only => Verdict::ok(
                "every leaf, tile and signature fits; left out: the copies below `records/`, and whether a record is sealed twice".to_owned(),
            ),
            (Some(_), []) => Verdict::ok("every leaf, tile, copy and signature fits".to_owned()),
            (None, _) if self.empty => Verdict {
                state: State::Unknown,
                says: "there is nothing to verify".to_owned(),
                problems: self.problems.clone(),
            },
            (_, problems) => Verdict::failed(
                problems.first().cloned().unwrap_or_default(),
                problems.to_vec(),
            ),
        };
        let nothing = || Verdict::unknown("there is nothing to verify");
        let completeness = if self.empty {
            nothing()
        } else {
            self.completeness(size, options)
        };
        let expected = options.trusted.is_some()
            || options.allowed_signers.is_some()
            || options.copy.is_some()
            || options.sigstore.is_some();
        let (anchored, anchored_up_to) = if self.empty && !expected {
            (nothing(), 0)
        } else {
            self.anchoring(size, options)
        };
        let stamped = if self.empty && options.tsa_roots.is_none() {
            nothing()
        } else {
            self.stamped(size, options)
        };
        let times = match options.times {
            Some(_) if !self.empty => self.times.conclude(self.entries),
            Some(_) => nothing(),
            None => Verdict::unknown("the times that records tell were not looked at"),
        };
        let sound = integrity.state == State::Ok
            && [&anchored, &stamped, &times]
                .iter()
                .all(|verdict| verdict.state != State::Failed);
        let levels = if sound {
            self.levels(size, options)
        } else {
            Levels::default()
        };
        Verification {
            origin: self
                .checkpoint
                .as_ref()
                .map(|checkpoint| checkpoint.origin.clone()),
            size,
            root: self
                .checkpoint
                .as_ref()
                .map(|checkpoint| hex::encode(checkpoint.root)),
            integrity,
            completeness,
            anchored,
            anchored_up_to,
            stamped,
            times,
            levels,
            notes: self.notes,
            demanded: options.population.is_some(),
        }
    }

    fn completeness(&self, size: u64, options: &VerifyOptions<'_>) -> Verdict {
        let mut problems = self.twice.clone();
        if self.entries != size {
            problems.push(format!(
                "only {} of {size} entries could be read",
                self.entries
            ));
        }
        let unseen = if options.log_only {
            " (whether a record is sealed twice was left out)"
        } else {
            ""
        };
        let Some(population) = options.population else {
            return match problems.first().cloned() {
                Some(first) => Verdict::failed(first, problems),
                None => Verdict::unknown(&format!(
                    "the sequence has no gap{unseen}; to find changes without a record, hand in the branch's commits with `--population`",
                )),
            };
        };
        let branches: Vec<String> = self
            .branches
            .iter()
            .map(|name| format!("`{}`", plain(name)))
            .collect();
        if branches.len() > 1 {
            problems.push(format!(
                "records of several branches count ({}): name the one that the list is of with `--branch`",
                branches.join(", ")
            ));
        }
        let members: BTreeSet<&String> = population.members.iter().collect();
        for member in &members {
            match self.counted.get(*member).copied().unwrap_or(0) {
                1 => {}
                0 => problems.push(format!("`{}` has no record", plain(member))),
                count => problems.push(format!(
                    "`{}` has {count} records instead of one",
                    plain(member)
                )),
            }
        }
        match problems.first().cloned() {
            Some(first) => Verdict::failed(first, problems),
            None if members.is_empty() => {
                Verdict::unknown("the list of changes is empty, so nothing was compared")
            }
            None => Verdict::ok(format!(
                "the sequence has no gap{unseen}, and each of {} changes has exactly one record{}",
                members.len(),
                branches
                    .first()
                    .map_or_else(String::new, |name| format!(" of {name}"))
            )),
        }
    }

    fn anchoring(&self, size: u64, options: &VerifyOptions<'_>) -> (Verdict, u64) {
        let mut problems = Vec::new();
        let mut says = Vec::new();
        let mut up_to = 0;
        if let Some(text) = options.trusted {
            match self.extends_text(text) {
                Ok(trusted) => {
                    up_to = trusted;
                    says.push(format!(
                        "it extends the checkpoint of {trusted} records that was handed in"
                    ));
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        if let Some(copy) = options.copy {
            match self.extends(&copy.0, "copy") {
                Ok(copied) => {
                    up_to = up_to.max(copied);
                    says.push(format!("a copy of {copied} records agrees"));
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        if let Some((logged, said)) = self.logged(options, &mut problems) {
            up_to = up_to.max(logged);
            says.push(said);
        }
        let newest = self.signatures.last_key_value();
        if let Some(allowed) = options.allowed_signers {
            match self.signed(allowed) {
                None => problems.push("no checkpoint is signed by an allowed signer".to_owned()),
                Some((signed, principal)) => {
                    up_to = up_to.max(signed);
                    says.push(format!(
                        "{signed} records are signed by `{}`",
                        plain(principal)
                    ));
                    if signed < size {
                        problems.push(format!(
                            "the last {} records are under no allowed signature",
                            size - signed
                        ));
                    }
                }
            }
        } else if let Some((signed, key)) = newest {
            let print = key.fingerprint(HashAlg::Sha256);
            says.push(format!("{signed} of {size} records are signed by {print}, a key that only this ledger names: hand in your own list with `--allowed-signers`"));
        }
        if let Some(first) = problems.first().cloned() {
            return (Verdict::failed(first, problems), 0);
        }
        if up_to == 0 {
            says.insert(
                0,
                "nothing outside the ledger vouches for it, so its owner could rewrite it"
                    .to_owned(),
            );
            return (Verdict::unknown(&says.join("; ")), 0);
        }
        says.insert(0, format!("anchored up to {up_to} of {size}"));
        if up_to < size {
            says.push(format!(
                "the last {} records are not anchored",
                size - up_to
            ));
            return (Verdict::unknown(&says.join("; ")), up_to);
        }
        (Verdict::ok(says.join("; ")), up_to)
    }

    /// The largest size that an allowed signer vouches for, and who that is.
    fn signed<'a>(&self, allowed: &'a AllowedSigners) -> Option<(u64, &'a str)> {
        let origin = self
            .checkpoint
            .as_ref()
            .map_or("", |checkpoint| checkpoint.origin.as_str());
        self.signatures
            .iter()
            .rev()
            .find_map(|(size, key)| Some((*size, allowed.principal(key, origin)?)))
    }

    fn levels(&self, size: u64, options: &VerifyOptions<'_>) -> Levels {
        let trusted = options.trusted.map(|text| self.extends_text(text));
        let copied = options.copy.map(|copy| self.extends(&copy.0, "copy"));
        // Its time is an authority's, and a log under other hands holds it.
        let logged = self.logged.last_key_value().map(|(size, _)| *size);
        Levels::of([
            Some(size),
            options
                .allowed_signers
                .and_then(|allowed| self.signed(allowed))
                .map(|(size, _)| size),
            self.stamps
                .last_key_value()
                .map(|(size, _)| *size)
                .max(logged),
            copied.and_then(Result::ok),
            trusted.and_then(Result::ok).max(logged),
        ])
    }

    fn extends_text(&self, text: &str) -> anyhow::Result<u64> {
        let trusted = Checkpoint::parse(text).context(
            "what was handed in is no checkpoint as `ccgate ledger checkpoint` prints it",
        )?;
        self.extends(&trusted, "checkpoint")
    }

    /// The ledger still begins with what an older checkpoint vouched for.
    fn extends(&self, trusted: &Checkpoint, what: &str) -> anyhow::Result<u64> {
        let now = self.checkpoint.as_ref().with_context(|| {
            format!("there is no checkpoint to compare with the {what} that was handed in")
        })?;
        anyhow::ensure!(
            trusted.origin == now.origin,
            "the {what} that was handed in belongs to `{}`",
            trusted.origin
        );
        anyhow::ensure!(
            trusted.size <= now.size,
            "the ledger once held {} records and now holds {}: its tail was cut off or it was rolled back",
            trusted.size,
            now.size
        );
        anyhow::ensure!(
            self.roots.get(&trusted.size) == Some(&trusted.root),
            "the first {} records are not those of the {what} that was handed in: the history was rewritten",
            trusted.size
        );
        Ok(trusted.size)
    }
}

impl Verdict {
    pub(super) fn ok(says: String) -> Self {
        Self {
            state: State::Ok,
            says,
            problems: Vec::new(),
        }
    }

    pub(super) fn unknown(says: &str) -> Self {
        Self {
            state: State::Unknown,
            says: says.to_owned(),
            problems: Vec::new(),
        }
    }

    pub(super) fn failed(says: String, problems: Vec<String>) -> Self {
        Self {
            state: State::Failed,
            says,
            problems,
        }
    }
}

fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}
