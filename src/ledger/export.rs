//! A ledger copied out for somebody who verifies it without us: its files as they are,
//! two verifiers that share no code with this program, what they have to print, and a
//! list of digests over all of it. Nothing of the ledger is rewritten.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};

use super::dir::{SIGNERS, anchor_size};
use super::files::{Files, Folder, Lock};
use super::journal;
use super::keep::{BUNDLE, bundle_path, note_path, token_path};
use super::sigstore::{Kind, look};
use super::timestamp::Token;
use super::verify::{State, Verdict, Verification, VerifyOptions, verify_files};

const MANIFEST: &str = "MANIFEST.sha256";
const VERIFY_PY: &str = include_str!("../../docs/verify.py");
const VERIFY_GO: &str = include_str!("../../docs/verify.go");
const FORMAT: &str = include_str!("../../docs/ledger-format.md");

/// What was copied out.
#[derive(Debug)]
pub struct Export {
    /// What our own verifier says of the ledger.
    pub verification: Verification,
    /// Files in the pack, the list of digests not counted.
    pub files: usize,
    /// SHA-256 of the list of digests, in hex: whoever has it can tell whether anything in
    /// the pack was changed.
    pub manifest: String,
}

/// Copies the ledger in `folder` into `pack`, which must not be there yet.
///
/// # Errors
/// If the ledger's integrity does not hold, if an append was interrupted, or if the pack
/// cannot be written. Then there is no pack.
pub(super) fn export(
    folder: &Path,
    pack: &Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    let files = Folder::new(folder);
    // No append between looking and copying. A read-only medium has no lock, and no writer.
    let _lock = files.lock(Lock::Shared);
    let verification = verify_files(&files, options);
    export_files(&files, verification, pack, options)
}

/// The same for files wherever they are, and what was found about them.
pub(super) fn export_files(
    files: &dyn Files,
    verification: Verification,
    pack: &Path,
    options: &VerifyOptions<'_>,
) -> anyhow::Result<Export> {
    ensure!(
        verification.integrity.state == State::Ok,
        "the ledger does not hold, so nothing is exported: {}",
        verification.integrity.says
    );
    let found = files.list("").context("the folder cannot be read")?;
    ensure!(
        !found.iter().any(|path| path == journal::PATH),
        "an append was interrupted; append once more, then export"
    );
    let copied = found
        .into_iter()
        .filter(|path| path != "lock" && !path.starts_with("tmp/"));
    let mut contents: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for path in copied {
        let bytes = files
            .read(&path)?
            .with_context(|| format!("`{path}` is gone"))?;
        contents.insert(format!("ledger/{path}"), bytes);
    }
    let signatures = contents
        .keys()
        .filter(|path| path.starts_with("ledger/anchors/") && path.ends_with(".sig"))
        .count();
    let stamps = Stamps::of(&contents)?;
    let bundles = Bundles::of(&contents)?;
    let members = options.population.map(|population| population.members);
    let texts = [
        ("verify.py", VERIFY_PY.to_owned()),
        ("verify.go", VERIFY_GO.to_owned()),
        ("ledger-format.md", FORMAT.to_owned()),
        (
            "expected.txt",
            printed(&verification, signatures, stamps.count, bundles.count),
        ),
        (
            "README.md",
            readme(
                &verification,
                signatures,
                &match bundles.readme() {
                    Some(logged) => stamps.readme("no time-stamping authority was asked") + &logged,
                    None => stamps.readme("nobody outside says when anything was there"),
                },
                members.is_some(),
            ),
        ),
    ];
    contents.extend(texts.map(|(path, text)| (path.to_owned(), text.into_bytes())));
    if let Some(members) = members {
        let list: String = members.iter().map(|member| format!("{member}\n")).collect();
        contents.insert("population.txt".to_owned(), list.into_bytes());
    }
    let manifest = manifest(&contents);
    fs::create_dir(pack).with_context(|| {
        format!(
            "`{}` cannot be made: name a folder that is not there yet",
            pack.display()
        )
    })?;
    let written = write(pack, &contents, &manifest);
    if written.is_err() {
        // It was made above, so nothing of anybody else's is in it.
        let _ = fs::remove_dir_all(pack);
    }
    written?;
    Ok(Export {
        verification,
        files: contents.len(),
        manifest: hex::encode(Sha256::digest(manifest.as_bytes())),
    })
}

fn write(pack: &Path, contents: &BTreeMap<String, Vec<u8>>, manifest: &str) -> anyhow::Result<()> {
    for (path, bytes) in contents {
        let place = pack.join(path);
        if let Some(folder) = place.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&place, bytes).with_context(|| format!("`{path}` cannot be written"))?;
    }
    fs::write(pack.join(MANIFEST), manifest).context("the list of digests cannot be written")
}

/// In the form of `sha256sum`.
fn manifest(contents: &BTreeMap<String, Vec<u8>>) -> String {
    let mut list = String::new();
    for (path, bytes) in contents {
        let _ = writeln!(list, "{}  {path}", hex::encode(Sha256::digest(bytes)));
    }
    list
}

/// What either verifier has to print, word for word.
fn printed(
    verification: &Verification,
    signatures: usize,
    stamps: usize,
    bundles: usize,
) -> String {
    let signed = if signatures == 0 {
        "none; nothing anchors this ledger but a checkpoint kept elsewhere".to_owned()
    } else {
        format!("{signatures} fit, by keys that only this ledger names")
    };
    let mut text = format!("{}\nsignatures: {signed}\n", first_line(verification));
    if stamps > 0 {
        let _ = writeln!(
            text,
            "time-stamps: {stamps} over their notes; NOT VERIFIED here, `openssl ts -verify` says whether they hold"
        );
    }
    if bundles > 0 {
        let _ = writeln!(
            text,
            "Sigstore bundles: {bundles} over their notes; NOT VERIFIED here, `cosign` says whether they hold"
        );
    }
    text
}

/// The time-stamps in a pack.
struct Stamps {
    count: usize,
    /// The one over most records: its size, and its time in seconds since 1970.
    newest: Option<(u64, i64)>,
}

impl Stamps {
    fn of(contents: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<Self> {
        let sizes: Vec<u64> = contents
            .keys()
            .filter_map(|path| anchor_size(path.strip_prefix("ledger/")?, "tsr"))
            .collect();
        let newest = sizes
            .iter()
            .max()
            .and_then(|size| {
                Some((
                    *size,
                    contents.get(&format!("ledger/{}", token_path(*size)))?,
                ))
            })
            .map(|(size, file)| anyhow::Ok((size, Token::parse(file)?.time().as_second())))
            .transpose()?;
        Ok(Self {
            count: sizes.len(),
            newest,
        })
    }

    /// How somebody verifies them without us; `none` is what it means if there are none.
    fn readme(&self, none: &str) -> String {
        let Some((size, time)) = self.newest else {
            return format!("4. No checkpoint is time-stamped: {none}.\n\n");
        };
        format!(
            "4. The first {size} records were there at the time that an authority signed. Ask the authority for its root \
             (`roots.pem`); `-attime` is the time in the token, because its certificate may have expired since. It has to print \
             `Verification: OK`, and the token's time is what `openssl ts -reply -text` shows:\n\n   \
             ```\n   openssl ts -verify -attime {time} -data ledger/{} -in ledger/{} -CAfile roots.pem\n   \
             openssl ts -reply -in ledger/{} -text\n   ```\n\n",
            note_path(size),
            token_path(size),
            token_path(size)
        )
    }
}

/// The Sigstore bundles in a pack.
struct Bundles {
    count: usize,
    /// The one over most records, and what it is.
    newest: Option<(u64, Kind)>,
}

impl Bundles {
    fn of(contents: &BTreeMap<String, Vec<u8>>) -> anyhow::Result<Self> {
        let sizes: Vec<u64> = contents
            .keys()
            .filter_map(|path| anchor_size(path.strip_prefix("ledger/")?, BUNDLE))
            .collect();
        let file = |path: String| contents.get(&format!("ledger/{path}"));
        let newest = sizes
            .iter()
            .max()
            .and_then(|size| Some((*size, file(bundle_path(*size))?, file(note_path(*size))?)))
            .map(|(size, bundle, note)| anyhow::Ok((size, look(bundle, note)?)))
            .transpose()?;
        Ok(Self {
            count: sizes.len(),
            newest,
        })
    }

    /// How somebody verifies them without us, if there are any.
    fn readme(&self) -> Option<String> {
        let (size, kind) = self.newest?;
        // The type is foreign text, and this is a line for a shell.
        let command = match kind {
            Kind::Blob => "verify-blob",
            Kind::Attestation => "verify-blob-attestation --type PREDICATE_TYPE",
        };
        Some(format!(
            "   The checkpoint of {size} records has a Sigstore bundle, which shows since when it stands in a transparency log. Ask on another way who signs \
             (`IDENTITY`) and who vouches for that name (`ISSUER`); it has to print `Verified OK`:\n\n   \
             ```\n   cosign {command} --bundle ledger/{} --certificate-identity IDENTITY --certificate-oidc-issuer ISSUER ledger/{}\n   ```\n\n",
            bundle_path(size),
            note_path(size)
        ))
    }
}

fn first_line(verification: &Verification) -> String {
    format!(
        "{}: {} records fit, root {}",
        verification.origin.as_deref().unwrap_or_default(),
        verification.size,
        verification.root.as_deref().unwrap_or_default()
    )
}

fn readme(
    verification: &Verification,
    signatures: usize,
    anchors: &str,
    population: bool,
) -> String {
    let origin = verification.origin.as_deref().unwrap_or_default();
    let size = verification.size;
    let mut text = format!(
        "# Ledger `{origin}`, {size} records\n\n\
         What was recorded of every change that the gate judged, to be verified without the program that wrote it. \
         How it is built stands in `ledger-format.md`.\n\n\
         1. Nothing in this folder was changed since it was written (compare the digest of `{MANIFEST}` itself with \
         the one that you were given on another way):\n\n   \
         ```\n   sha256sum {MANIFEST}\n   sha256sum -c {MANIFEST}\n   ```\n\n\
         2. Every record, every hash and the root fit. Either program is enough; neither shares code with the other, or with the gate. \
         What they have to print is in `expected.txt`:\n\n   \
         ```\n   python3 verify.py ledger\n   \
         go mod init verify && go get golang.org/x/mod && go run verify.go ledger\n   ```\n\n"
    );
    if signatures > 0 {
        let _ = write!(
            text,
            "3. The newest checkpoint was signed. `{SIGNERS}` is what the ledger says; ask for the key on another way:\n\n   \
             ```\n   ssh-keygen -Y verify -f ledger/{SIGNERS} -I {origin} -n ccgate-ledger -s ledger/anchors/{size}.sig < ledger/anchors/{size}.note\n   ```\n\n"
        );
    } else {
        text.push_str(
            "3. No checkpoint is signed: whoever could write the ledger could have written all of it anew.\n\n",
        );
    }
    text.push_str(anchors);
    let list = if population {
        "`population.txt` holds the commits that were handed in; make the list again yourself"
    } else {
        "No list of commits was handed in; make one yourself"
    };
    let _ = write!(
        text,
        "5. Nothing is missing: each commit of the protected branch has a record. {list}, in a clone of the repository, \
         and hand it to the gate's own verifier, or look for each commit among the subjects of `ledger/records` \
         (`jq -r .payload FILE | base64 -d`):\n\n   \
         ```\n   git rev-list --first-parent main > commits.txt\n   \
         ccgate ledger verify dir:ledger --population commits.txt --branch main\n   ```\n\n\
         What the gate's own verifier said when this was written:\n\n"
    );
    for (name, verdict) in verification.verdicts() {
        let _ = writeln!(text, "- {name}: {}, {}", word(verdict), verdict.says);
    }
    let level = verification.levels.highest();
    let level = level.map_or("none", |(level, _)| level.word());
    let sentences = verification.levels.sentences(size).join("; ");
    let _ = writeln!(text, "- level: {level}, {sentences}");
    text
}

fn word(verdict: &Verdict) -> &'static str {
    match verdict.state {
        State::Ok => "ok",
        State::Failed => "FAILED",
        State::Unknown => "unknown",
    }
}

#[cfg(test)]
mod tests {
    use super::super::Store as _;
    use super::super::dir::DirStore;
    use super::super::torture::{ORIGIN, ledger, signer};
    use super::super::verify::verify;
    use super::*;

    fn made() -> (tempfile::TempDir, Export) {
        let home = tempfile::tempdir().unwrap();
        ledger(&home.path().join("ledger"), 5, Some(signer()));
        let export = export(
            &home.path().join("ledger"),
            &home.path().join("pack"),
            &VerifyOptions::default(),
        )
        .unwrap();
        (home, export)
    }

    #[test]
    fn the_copy_is_a_ledger_that_verifies_and_every_file_has_its_digest() {
        let (home, export) = made();
        let pack = home.path().join("pack");
        let copy = verify(&pack.join("ledger"), &VerifyOptions::default());
        assert_eq!(copy.integrity.state, State::Ok, "{copy:?}");
        assert_eq!(copy.root, export.verification.root);
        let list = fs::read_to_string(pack.join(MANIFEST)).unwrap();
        assert_eq!(
            hex::encode(Sha256::digest(list.as_bytes())),
            export.manifest
        );
        let mut named: Vec<String> = Vec::new();
        for line in list.lines() {
            let (digest, path) = line.split_once("  ").unwrap();
            let bytes = fs::read(pack.join(path)).unwrap();
            assert_eq!(hex::encode(Sha256::digest(bytes)), digest, "{path}");
            named.push(path.to_owned());
        }
        named.push(MANIFEST.to_owned());
        named.sort();
        assert_eq!(Folder::new(&pack).list("").unwrap(), named);
        assert!(named.iter().any(|path| path == "expected.txt"));
    }

    #[test]
    fn a_ledger_that_does_not_hold_is_not_handed_on() {
        let home = tempfile::tempdir().unwrap();
        let (folder, pack) = (home.path().join("ledger"), home.path().join("pack"));
        ledger(&folder, 3, None);
        let checkpoint = folder.join("log/checkpoint");
        let text = fs::read_to_string(&checkpoint).unwrap();
        fs::write(&checkpoint, text.replace("\n3\n", "\n2\n")).unwrap();
        let refused = export(&folder, &pack, &VerifyOptions::default()).unwrap_err();
        assert!(refused.to_string().contains("does not hold"), "{refused}");
        assert!(!pack.exists());
    }

    #[test]
    fn an_interrupted_append_and_a_folder_that_is_there_are_refused() {
        let home = tempfile::tempdir().unwrap();
        let (folder, pack) = (home.path().join("ledger"), home.path().join("pack"));
        ledger(&folder, 3, None);
        fs::create_dir(&pack).unwrap();
        fs::write(pack.join("mine"), "mine").unwrap();
        assert!(export(&folder, &pack, &VerifyOptions::default()).is_err());
        assert!(pack.join("mine").exists(), "what is not ours stays");
        fs::write(folder.join("journal"), "4\n").unwrap();
        let other = home.path().join("other");
        let refused = export(&folder, &other, &VerifyOptions::default()).unwrap_err();
        assert!(refused.to_string().contains("interrupted"), "{refused}");
        let checkpoint = DirStore::new(&folder, ORIGIN, None).checkpoint().unwrap();
        assert_eq!(
            checkpoint.unwrap().size,
            3,
            "an export writes nothing there"
        );
    }
}
