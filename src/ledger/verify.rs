//! Verification of a ledger folder: integrity, completeness and anchors are three verdicts,
//! because each can be broken while the others look fine. Nothing here writes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use anyhow::Context as _;
use ssh_key::{HashAlg, PublicKey};

use super::checkpoint::Checkpoint;
use super::dir::{self, CHECKPOINT, FORMAT, SIGNERS};
use super::files::{Files, Folder, Lock};
use super::journal;
use super::leaf::Leaf;
use super::merkle::{self, Hash, TILE_WIDTH, Tree};
use super::sign::{self, AllowedSigners};

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
}

/// Names or digests of subjects, and the predicate type that counts (any, if none is given).
#[derive(Debug, Clone, Copy)]
pub struct Population<'a> {
    pub members: &'a [String],
    pub predicate_type: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ok,
    Failed,
    /// Not established: this is never a pass.
    Unknown,
}

/// One of the three verdicts: its state, one sentence, and every problem found.
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
    /// Things worth knowing that break nothing.
    pub notes: Vec<String>,
    demanded: bool,
}

impl Verification {
    /// 0, or 5 when a verdict failed or one that was asked for could not be established.
    pub fn exit_code(&self) -> u8 {
        let failed = [&self.integrity, &self.completeness, &self.anchored]
            .iter()
            .any(|verdict| verdict.state == State::Failed);
        let unproven = self.integrity.state != State::Ok
            || self.demanded && self.completeness.state != State::Ok;
        if failed || unproven { 5 } else { 0 }
    }
}

/// Verifies the ledger in a folder. Whatever lies there, the answer is a verification.
pub fn verify(path: &Path, options: &VerifyOptions<'_>) -> Verification {
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

#[derive(Default)]
struct Walk {
    checkpoint: Option<Checkpoint>,
    empty: bool,
    problems: Vec<String>,
    notes: Vec<String>,
    /// Id to entry, to find records which are sealed twice.
    ids: HashMap<String, u64>,
    twice: Vec<String>,
    /// How many records each member of the population has.
    counted: BTreeMap<String, u64>,
    entries: u64,
    /// Roots at the sizes that somebody vouches for.
    roots: BTreeMap<u64, Hash>,
    signatures: BTreeMap<u64, PublicKey>,
}

impl Walk {
    fn run(&mut self, files: &dyn Files, options: &VerifyOptions<'_>) -> anyhow::Result<()> {
        let mut rest: BTreeSet<String> = files
            .list("")
            .context("the folder cannot be read")?
            .into_iter()
            .collect();
        let in_flight = match take(files, &mut rest, journal::PATH)? {
            Some(bytes) => {
                self.notes
                    .push("an append was interrupted; the next one tidies up".to_owned());
                journal::parse(&bytes)?.paths
            }
            None => BTreeSet::new(),
        };
        let Some(checkpoint) = take(files, &mut rest, CHECKPOINT)? else {
            rest.retain(|path| {
                !in_flight.contains(path)
                    && !path.starts_with("tmp/")
                    && path != "lock"
                    && path != FORMAT
            });
            self.empty = rest.is_empty();
            anyhow::bail!(
                "there is no checkpoint (`{CHECKPOINT}`): nothing was ever recorded here, or it was deleted"
            );
        };
        let checkpoint = Checkpoint::parse(
            std::str::from_utf8(&checkpoint)
                .ok()
                .context("the checkpoint is no text")?,
        )?;
        let format =
            take(files, &mut rest, FORMAT)?.with_context(|| format!("`{FORMAT}` is missing"))?;
        if format != dir::format_text(&checkpoint.origin).as_bytes() {
            self.problems.push(format!(
                "`{FORMAT}` and the checkpoint name different ledgers"
            ));
        }
        if options
            .origin
            .is_some_and(|origin| origin != checkpoint.origin)
        {
            self.problems
                .push(format!("the ledger belongs to `{}`", checkpoint.origin));
        }
        if take(files, &mut rest, "lock")?.is_some_and(|lock| !lock.is_empty()) {
            self.problems
                .push("the file `lock` is not empty".to_owned());
        }
        self.checkpoint = Some(checkpoint.clone());
        let anchors: BTreeSet<String> = rest
            .iter()
            .filter(|path| path.starts_with("anchors/"))
            .cloned()
            .collect();
        let mut sizes: BTreeSet<u64> = anchors
            .iter()
            .filter_map(|path| dir::anchor_size(path, "note"))
            .collect();
        sizes.extend(
            options
                .trusted
                .and_then(|text| Checkpoint::parse(text).ok())
                .map(|trusted| trusted.size),
        );
        self.entries(files, &checkpoint, &mut rest, &sizes, options)?;
        self.anchors(files, &checkpoint, &mut rest, &anchors, &in_flight)?;
        self.signers(files, &checkpoint, &mut rest, !in_flight.is_empty())?;
        for path in rest {
            if path.starts_with("tmp/") || in_flight.contains(&path) {
                self.notes.push(format!(
                    "`{path}` is left from an interrupted append and counts for nothing"
                ));
            } else {
                self.problems.push(format!("`{path}` belongs to no record"));
            }
        }
        Ok(())
    }

    /// Every entry, its copy, its blob and every tile above it.
    fn entries(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
        sizes: &BTreeSet<u64>,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        let mut tree = Tree::default();
        self.vouch(&tree, sizes);
        for index in 0..checkpoint.size.div_ceil(TILE_WIDTH) {
            let first = index * TILE_WIDTH;
            let width = (checkpoint.size - first).min(TILE_WIDTH);
            let path = merkle::bundle_path(index, width);
            let bundle = take(files, rest, &path)?.with_context(|| {
                format!("entry {first} and those after it are missing (`{path}`)")
            })?;
            let tile_path = merkle::tile_path("0", index, width);
            let tile = take(files, rest, &tile_path)?
                .with_context(|| format!("`{tile_path}` is missing"))?;
            let entries = merkle::decode_entries(&bundle)
                .with_context(|| format!("`{path}`, after entry {first}"))?;
            for ((number, entry), hash) in (first..).zip(&entries).zip(tile.as_chunks::<32>().0) {
                anyhow::ensure!(
                    merkle::leaf_hash(entry) == *hash,
                    "entry {number} does not fit the tree: it, or `{tile_path}`, was altered"
                );
            }
            anyhow::ensure!(
                entries.len() as u64 == width && tile.len() as u64 == width * 32,
                "`{path}` or `{tile_path}` does not hold {width} entries from entry {first} on"
            );
            for (number, entry) in (first..).zip(entries) {
                self.entry(files, number, entry, rest, options)
                    .with_context(|| format!("entry {number}"))?;
                for tile in tree.push(merkle::leaf_hash(entry)).into_iter().skip(1) {
                    self.tile(files, &tile, rest)?;
                }
                self.vouch(&tree, sizes);
                self.entries += 1;
            }
        }
        for tile in tree.edge().into_iter().filter(|tile| tile.level > 0) {
            self.tile(files, &tile, rest)?;
        }
        if tree.root() != checkpoint.root {
            self.problems
                .push("the entries do not give the checkpoint's root".to_owned());
        }
        Ok(())
    }

    fn vouch(&mut self, tree: &Tree, sizes: &BTreeSet<u64>) {
        if sizes.contains(&tree.size()) {
            self.roots.insert(tree.size(), tree.root());
        }
    }

    fn tile(
        &mut self,
        files: &dyn Files,
        tile: &merkle::Tile,
        rest: &mut BTreeSet<String>,
    ) -> anyhow::Result<()> {
        if take(files, rest, &tile.path())? != Some(tile.bytes()) {
            self.problems.push(format!(
                "`{}` is missing or does not fit the tiles below it",
                tile.path()
            ));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        files: &dyn Files,
        number: u64,
        entry: &[u8],
        rest: &mut BTreeSet<String>,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        let leaf = Leaf::parse(entry)?;
        if let Some(earlier) = self.ids.insert(leaf.id.clone(), number) {
            self.twice.push(format!(
                "`{}` is sealed twice, as entries {earlier} and {number}",
                leaf.id
            ));
        } else {
            match take(files, rest, &leaf.path)? {
                None => self.problems.push(format!(
                    "entry {number}: its copy `{}` is missing",
                    leaf.path
                )),
                Some(copy) if copy != entry => self.problems.push(format!(
                    "entry {number}: its copy `{}` was altered",
                    leaf.path
                )),
                Some(_) => {}
            }
        }
        let mut statement = leaf.statement.clone();
        if let Some(reference) = leaf.blob_reference() {
            let (digest, size) = reference?;
            let path = format!("blobs/{digest}");
            // Two records may share a blob.
            rest.remove(&path);
            let blob = files
                .read(&path)?
                .with_context(|| format!("its blob `{path}` is missing"))?;
            let fits = blob.len() as u64 == size
                && hex::encode(<sha2::Sha256 as sha2::Digest>::digest(&blob)) == digest;
            anyhow::ensure!(fits, "its blob `{path}` was altered");
            statement = serde_json::from_slice(&blob)
                .with_context(|| format!("its blob `{path}` is no JSON"))?;
            anyhow::ensure!(
                statement.get("subject") == leaf.statement.get("subject"),
                "its blob `{path}` is about another subject"
            );
        }
        if let Some(population) = options.population {
            let kind = statement
                .get("predicateType")
                .and_then(serde_json::Value::as_str);
            if population
                .predicate_type
                .is_none_or(|wanted| Some(wanted) == kind)
            {
                for name in subject_names(&statement) {
                    *self.counted.entry(name).or_default() += 1;
                }
            }
        }
        Ok(())
    }

    /// Every kept checkpoint must be a prefix of this log, and its signature must fit.
    fn anchors(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
        anchors: &BTreeSet<String>,
        in_flight: &BTreeSet<String>,
    ) -> anyhow::Result<()> {
        for path in anchors {
            let Some(size) = dir::anchor_size(path, "note") else {
                continue;
            };
            if size > checkpoint.size {
                if !in_flight.contains(path) {
                    self.problems.push(format!("`{path}` vouches for {size} records, but there are {}: the tail was cut off", checkpoint.size));
                }
                continue;
            }
            let signature_path = format!("anchors/{size}.sig");
            let note = take(files, rest, path)?.unwrap_or_default();
            let Some(signature) = take(files, rest, &signature_path)? else {
                self.problems.push(format!("`{signature_path}` is missing"));
                continue;
            };
            match self.anchor(checkpoint, size, &note, &signature) {
                Ok(key) => {
                    self.signatures.insert(size, key);
                }
                Err(error) => self.problems.push(format!("`{signature_path}`: {error:#}")),
            }
        }
        if !checkpoint.signatures.is_empty() && !self.signatures.contains_key(&checkpoint.size) {
            self.problems.push(format!(
                "the checkpoint is signed, but `anchors/{}.sig` does not vouch for it",
                checkpoint.size
            ));
        }
        Ok(())
    }

    fn anchor(
        &self,
        checkpoint: &Checkpoint,
        size: u64,
        note: &[u8],
        signature: &[u8],
    ) -> anyhow::Result<PublicKey> {
        let key = sign::verify_file(signature, note)?;
        let anchored = Checkpoint::parse(
            std::str::from_utf8(note)
                .ok()
                .context("its note is no text")?,
        )?;
        anyhow::ensure!(
            anchored.origin == checkpoint.origin && anchored.size == size,
            "its note is about another ledger or size"
        );
        anyhow::ensure!(
            self.roots.get(&size) == Some(&anchored.root),
            "the first {size} entries are not those that were signed"
        );
        sign::verify_note(&anchored, &key)?;
        if size == checkpoint.size {
            anyhow::ensure!(
                anchored == *checkpoint,
                "the checkpoint differs from the signed note of the same size"
            );
        }
        Ok(key)
    }

    fn signers(
        &mut self,
        files: &dyn Files,
        checkpoint: &Checkpoint,
        rest: &mut BTreeSet<String>,
        in_flight: bool,
    ) -> anyhow::Result<()> {
        let found = take(files, rest, SIGNERS)?.unwrap_or_default();
        if self.problems.is_empty() {
            let expected = dir::signer_lines(files, &checkpoint.origin, checkpoint.size)?;
            let fits =
                found == expected.as_bytes() || in_flight && found.starts_with(expected.as_bytes());
            if !fits {
                self.problems.push(format!(
                    "`{SIGNERS}` does not list exactly the keys that signed"
                ));
            }
        }
        Ok(())
    }

    fn conclude(self, options: &VerifyOptions<'_>) -> Verification {
        let size = self
            .checkpoint
            .as_ref()
            .map_or(0, |checkpoint| checkpoint.size);
        let integrity = match (&self.checkpoint, self.problems.as_slice()) {
            (Some(_), []) => Verdict::ok(format!(
                "{size} records, every leaf, tile, copy and signature fits"
            )),
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
        let completeness = self.completeness(size, options);
        let (anchored, anchored_up_to) = self.anchoring(size, options);
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
        let Some(population) = options.population else {
            return match problems.first().cloned() {
                Some(first) => Verdict::failed(first, problems),
                None => Verdict::unknown(
                    "the sequence has no gap; not compared with the branch's history, hand in its changes to find missing records",
                ),
            };
        };
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
                "the sequence has no gap, and each of {} changes has exactly one record",
                members.len()
            )),
        }
    }

    fn anchoring(&self, size: u64, options: &VerifyOptions<'_>) -> (Verdict, u64) {
        let mut problems = Vec::new();
        let mut says = Vec::new();
        let mut up_to = 0;
        if let Some(text) = options.trusted {
            match self.extends(text) {
                Ok(trusted) => {
                    up_to = trusted;
                    says.push(format!(
                        "it extends the checkpoint of {trusted} records that was handed in"
                    ));
                }
                Err(error) => problems.push(format!("{error:#}")),
            }
        }
        let newest = self.signatures.last_key_value();
        if let Some(allowed) = options.allowed_signers {
            let signed = self
                .signatures
                .iter()
                .rev()
                .find_map(|(size, key)| Some((*size, allowed.principal(key)?)));
            match signed {
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
            says.push(format!("{signed} of {size} records are signed by {print}, a key that only this ledger names; hand in allowed signers to trust it"));
        }
        if let Some(first) = problems.first().cloned() {
            return (Verdict::failed(first, problems), 0);
        }
        if up_to == 0 {
            says.insert(
                0,
                "nothing outside anchors it: an administrator could rewrite it".to_owned(),
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

    /// The ledger still begins with what an older checkpoint vouched for.
    fn extends(&self, text: &str) -> anyhow::Result<u64> {
        let trusted = Checkpoint::parse(text).context("the checkpoint that was handed in")?;
        let now = self
            .checkpoint
            .as_ref()
            .context("there is no checkpoint to compare with the one that was handed in")?;
        anyhow::ensure!(
            trusted.origin == now.origin,
            "the checkpoint that was handed in belongs to `{}`",
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
            "the first {} records are not those of the checkpoint that was handed in: the history was rewritten",
            trusted.size
        );
        Ok(trusted.size)
    }
}

impl Verdict {
    fn ok(says: String) -> Self {
        Self {
            state: State::Ok,
            says,
            problems: Vec::new(),
        }
    }

    fn unknown(says: &str) -> Self {
        Self {
            state: State::Unknown,
            says: says.to_owned(),
            problems: Vec::new(),
        }
    }

    fn failed(says: String, problems: Vec<String>) -> Self {
        Self {
            state: State::Failed,
            says,
            problems,
        }
    }
}

/// Reads a file and crosses it off the list of files that nothing accounts for.
fn take(
    files: &dyn Files,
    rest: &mut BTreeSet<String>,
    path: &str,
) -> anyhow::Result<Option<Vec<u8>>> {
    rest.remove(path);
    files
        .read(path)
        .with_context(|| format!("`{path}` cannot be read"))
}

/// Every name and digest by which a statement's subjects can be called, each once.
fn subject_names(statement: &serde_json::Value) -> BTreeSet<String> {
    let subjects = statement
        .get("subject")
        .and_then(serde_json::Value::as_array);
    let mut names = BTreeSet::new();
    for subject in subjects.into_iter().flatten() {
        names.extend(
            subject
                .get("name")
                .and_then(serde_json::Value::as_str)
                .map(str::to_owned),
        );
        let digests = subject.get("digest").and_then(serde_json::Value::as_object);
        names.extend(
            digests
                .into_iter()
                .flat_map(|digests| digests.values())
                .filter_map(serde_json::Value::as_str)
                .map(str::to_owned),
        );
    }
    names
}

fn plain(text: &str) -> String {
    text.escape_debug().to_string()
}
