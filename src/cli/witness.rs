//! `ccgate ledger witness`: keeps a Sigstore bundle that was made elsewhere beside the checkpoint
//! that it is over. Whom to believe is said on the command line alone.

use std::path::Path;

use crate::ledger::{self, SignedNote, SigstoreTrust};
use crate::render::wrap;

use super::args::WitnessArgs;
use super::exit::{CommandError, ExitStatus};
use super::files::read_whole;
use super::ledger_place::existing;
use super::world::World;

/// Keeps the bundle if it holds.
pub(super) fn witness(
    arguments: &WitnessArgs,
    world: &World,
) -> Result<(String, ExitStatus), CommandError> {
    let place = existing(&arguments.url, world)?;
    let trust = trust(
        &arguments.certificate_identity,
        &arguments.certificate_oidc_issuer,
        arguments.trusted_root.as_deref(),
        world,
    )?;
    let read = |file: &Path| read_whole(&world.folder.join(file)).map_err(CommandError::usage);
    let bundle = read(&arguments.bundle)?;
    let note = match &arguments.checkpoint {
        Some(file) => SignedNote::parse(read(file)?).map_err(CommandError::usage)?,
        None => ledger::signed_note(&place).map_err(CommandError::ledger)?,
    };
    let time = trust
        .time_of(&bundle, &note.text, Some(world.now))
        .map_err(|error| {
            CommandError::ledger(error.context("the bundle does not hold and is not kept"))
        })?;
    ledger::keep_bundle(&place, &note, &bundle).map_err(CommandError::ledger)?;
    let says = format!(
        "{} records are in a transparency log since {time}",
        note.size
    );
    Ok((wrap("", &says, world.width()), ExitStatus::Allow))
}

/// Whose bundles count.
pub(super) fn trust(
    identities: &[String],
    issuer: &str,
    root: Option<&Path>,
    world: &World,
) -> Result<SigstoreTrust, CommandError> {
    let root = root
        .map(|file| read_whole(&world.folder.join(file)))
        .transpose()
        .map_err(CommandError::usage)?;
    SigstoreTrust::new(identities, issuer, root.as_deref()).map_err(CommandError::usage)
}

#[cfg(feature = "sigstore")]
#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Mutex;

    use super::super::run;
    use super::*;
    use crate::ledger::sigstore_testing::{IDENTITY, ISSUER, Sigstore, signed_ledger};

    /// The exit code of a command in this folder.
    fn ccgate(folder: &Path, arguments: &[&str]) -> u8 {
        let mut world = World {
            env: std::collections::BTreeMap::new(),
            now: "2026-11-30T08:00:00Z".parse().unwrap(),
            folder: folder.to_owned(),
            stdin: Mutex::new(Box::new(io::empty())),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            stdout_is_terminal: false,
            columns: None,
        };
        let arguments = ["ccgate", "ledger"].iter().chain(arguments);
        run(arguments.map(Into::into), &mut world)
    }

    #[test]
    fn a_bundle_is_kept_if_it_holds_and_verified_by_the_same_names_from_then_on() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let note = signed_ledger(&home.join("ledger"));
        let write = |name: &str, text: &str| std::fs::write(home.join(name), text).unwrap();
        let (ours, theirs) = (Sigstore::new(0), Sigstore::new(1));
        write("root.json", &ours.root());
        write("theirs.json", &theirs.root());
        write("good.json", &ours.bundle(&note).to_string());
        write("mallory.json", &theirs.bundle(&note).to_string());
        write("other.json", &ours.bundle(b"another note").to_string());
        let kept = home.join("ledger/anchors/3.sigstore.json");
        let with = |command: &str, identity: &str, root: &str, more: &[&str]| {
            let mut arguments = vec![command, "dir:ledger", "--certificate-identity", identity];
            arguments.extend(["--certificate-oidc-issuer", ISSUER, "--trusted-root", root]);
            arguments.extend(more);
            ccgate(home, &arguments)
        };
        let keep = |bundle: &str| with("witness", IDENTITY, "root.json", &["--bundle", bundle]);
        assert_eq!(keep("mallory.json"), 5);
        assert_eq!(keep("other.json"), 5);
        assert_eq!(keep("nowhere.json"), 2);
        let good = ["--bundle", "good.json"];
        assert_eq!(with("witness", "mallory", "root.json", &good), 5);
        assert_eq!(with("witness", IDENTITY, "theirs.json", &good), 5);
        assert_eq!(
            with("verify", IDENTITY, "root.json", &[]),
            5,
            "there is none"
        );
        assert!(!kept.exists(), "what does not hold is not kept");
        assert_eq!(keep("good.json"), 0);
        assert_eq!(keep("good.json"), 0, "to repeat it is safe");
        assert!(kept.is_file());
        assert_eq!(with("verify", IDENTITY, "root.json", &[]), 0);
        assert_eq!(with("verify", "mallory", "root.json", &[]), 5);
        assert_eq!(with("verify", IDENTITY, "theirs.json", &[]), 5);
        assert_eq!(with("verify", IDENTITY, "nowhere.json", &[]), 2);
        assert_eq!(ccgate(home, &["verify", "dir:ledger"]), 0);
        // A name without who vouches for it would be anybody's.
        let half = ["verify", "dir:ledger", "--certificate-identity", IDENTITY];
        assert_eq!(ccgate(home, &half), 2);
        assert_eq!(
            ccgate(
                home,
                &["verify", "dir:ledger", "--trusted-root", "root.json"]
            ),
            2
        );
    }

    #[test]
    fn a_bundle_over_a_checkpoint_that_the_ledger_outgrew_is_kept_at_its_size() {
        let home = tempfile::tempdir().unwrap();
        let home = home.path();
        let folder = home.join("ledger");
        let note = signed_ledger(&folder);
        let older = std::fs::read(folder.join("anchors/1.note")).unwrap();
        let ours = Sigstore::new(0);
        std::fs::write(home.join("root.json"), ours.root()).unwrap();
        std::fs::write(home.join("older"), &older).unwrap();
        std::fs::write(home.join("bundle.json"), ours.bundle(&older).to_string()).unwrap();
        let keep = |more: &[&str]| {
            let mut arguments = vec!["witness", "dir:ledger", "--bundle", "bundle.json"];
            arguments.extend([
                "--certificate-identity",
                IDENTITY,
                "--certificate-oidc-issuer",
            ]);
            arguments.extend([ISSUER, "--trusted-root", "root.json"]);
            arguments.extend(more);
            ccgate(home, &arguments)
        };
        assert_eq!(keep(&[]), 5, "it is not over the newest one");
        assert_eq!(keep(&["--checkpoint", "older"]), 0);
        assert!(folder.join("anchors/1.sigstore.json").is_file());
        assert_ne!(older, note);
    }
}
