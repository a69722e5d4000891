//! The walk over a ledger folder that verification judges: it reads every file once, in
//! order, and keeps what it found. It holds one bundle of entries at a time.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context as _;
use jiff::Timestamp;
use ssh_key::PublicKey;

use super::accounts::{Keys, RECORDS, Sum};
use super::checkpoint::Checkpoint;
use super::dir::{self, CHECKPOINT, FORMAT, SIGNERS};
use super::files::Files;
use super::glance::glance;
use super::journal;
use super::leaf::{Leaf, blob_path};
use super::merkle::{self, Hash, TILE_WIDTH, Tree};
use super::sign;
use super::times::TimesSeen;
use super::verify::VerifyOptions;

#[derive(Default)]
pub(super) struct Walk {
    pub(super) checkpoint: Option<Checkpoint>,
    pub(super) empty: bool,
    pub(super) problems: Vec<String>,
    pub(super) notes: Vec<String>,
    /// The files below `records/`, and the copies of the entries.
    pub(super) keys: Keys,
    pub(super) listed: Sum,
    pub(super) sealed: Sum,
    pub(super) twice: Vec<String>,
    /// How many records each member of the population has.
    pub(super) counted: BTreeMap<String, u64>,
    /// The branches that the counted records name.
    pub(super) branches: BTreeSet<String>,
    pub(super) entries: u64,
    /// Roots at the sizes that somebody vouches for.
    pub(super) roots: BTreeMap<u64, Hash>,
    pub(super) signatures: BTreeMap<u64, PublicKey>,
    /// Time-stamps that fit their notes, whoever made them.
    pub(super) tokens: u64,
    /// Those by an authority whose root was handed in, by size.
    pub(super) stamps: BTreeMap<u64, Timestamp>,
    pub(super) stamp_problems: Vec<String>,
    /// Why those of other authorities do not count.
    pub(super) uncounted: Vec<String>,
    /// Times of the Sigstore bundles that hold, by size.
    pub(super) logged: BTreeMap<u64, Timestamp>,
    pub(super) bundle_problems: Vec<String>,
    pub(super) times: TimesSeen,
}

impl Walk {
    pub(super) fn run(
        &mut self,
        files: &dyn Files,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        self.times.except(options.wrong_clocks);
        let mut rest = BTreeSet::new();
        files
            .visit("", options.log_only.then_some(RECORDS), &mut |path| {
                self.list(path, &mut rest);
            })
            .context("the folder cannot be read")?;
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
            // Records without a checkpoint are not nothing, unless an append was under way.
            if options.log_only {
                files
                    .visit(RECORDS, None, &mut |path| self.list(path, &mut rest))
                    .context("the folder cannot be read")?;
            }
            self.compare(files, &Checkpoint::none(), &mut rest)?;
            rest.retain(|path| !in_flight.contains(path));
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
        sizes.extend(options.copy.map(|copy| copy.0.size));
        self.tokens(files, &checkpoint, &mut rest, &anchors, options)?;
        self.bundles(files, &checkpoint, &mut rest, &anchors, options)?;
        self.bound_times();
        self.entries(files, &checkpoint, &mut rest, &sizes, options)?;
        self.compare(files, &checkpoint, &mut rest)?;
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
        let mut payload = Vec::new();
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
            let hashes = tile.as_chunks::<32>().0;
            for ((number, entry), hash) in (first..).zip(entries).zip(hashes) {
                self.entry(files, number, entry, &mut payload, rest, options)
                    .with_context(|| format!("entry {number}"))?;
                for tile in tree.push(*hash).into_iter().skip(1) {
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
        payload: &mut Vec<u8>,
        rest: &mut BTreeSet<String>,
        options: &VerifyOptions<'_>,
    ) -> anyhow::Result<()> {
        let asked = match options.times {
            _ if options.population.is_some() => None,
            Some(pointers) => pointers.members(),
            None => Some([""; 2]),
        };
        if let Some(seen) = asked.and_then(|asked| glance(entry, payload, asked)) {
            if !options.log_only {
                self.copy(files, number, entry, &seen.path())?;
            }
            if let Some(pointers) = options.times {
                let [runner, platform] = seen.members.map(told);
                self.times.tell(number, runner, platform, pointers);
            }
            return Ok(());
        }
        let leaf = Leaf::parse(entry)?;
        if !options.log_only {
            self.copy(files, number, entry, &leaf.path)?;
        }
        let statement = leaf.told(|digest| {
            let path = blob_path(digest);
            // Two records may share a blob.
            rest.remove(&path);
            files
                .read(&path)?
                .with_context(|| format!("its blob `{path}` is missing"))
        })?;
        if let Some(pointers) = options.times {
            self.times.look(number, &statement, pointers);
        }
        if let Some(population) = options.population
            && population.counts(&statement)
        {
            self.branches.extend(population.branch_of(&statement));
            for name in subject_names(&statement) {
                *self.counted.entry(name).or_default() += 1;
            }
        }
        Ok(())
    }

    /// The entry's copy is there and is the same. Two entries with one copy are found by the sums.
    fn copy(
        &mut self,
        files: &dyn Files,
        number: u64,
        entry: &[u8],
        path: &str,
    ) -> anyhow::Result<()> {
        self.sealed.add(&self.keys, path);
        let wrong = match files
            .holds(path, entry)
            .with_context(|| format!("`{path}` cannot be read"))?
        {
            Some(true) => return Ok(()),
            Some(false) => "was altered",
            None => "is missing",
        };
        self.problems
            .push(format!("entry {number}: its copy `{path}` {wrong}"));
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
}

/// A member as it is written: a text without its quotes, nothing for null, and for anything else
/// what is no time either.
fn told(member: Option<&str>) -> Option<&str> {
    let written = member.filter(|written| *written != "null")?;
    let text = written
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    Some(text.unwrap_or_default())
}

/// Reads a file and crosses it off the list of files that nothing accounts for.
pub(super) fn take(
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
