use std::collections::BTreeMap;

use ssh_key::{Algorithm, LineEnding, PrivateKey};

use super::*;
use crate::facts::{Fact, FactKey, Requests, Settings, Subject};
use crate::platform::Wanted;

const NOW: &str = "2026-06-01T12:00:00Z";
const API: &str = "https://api.example.test/";

fn world(folder: &Path, env: &[(&str, &str)]) -> World {
    World {
        env: env
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        now: NOW.parse().unwrap(),
        folder: folder.to_owned(),
        stdout: Box::new(std::io::sink()),
        stderr: Box::new(std::io::sink()),
        stdin: std::sync::Mutex::new(Box::new(std::io::empty())),
        stdout_is_terminal: false,
        columns: None,
    }
}

fn settings(repository: &str, observed: &str) -> SettingsSnapshot {
    let mut settings = Settings::all_unknown();
    settings.deploy_keys = Fact::known_without_source(Vec::new());
    SettingsSnapshot {
        collected_by: "ccgate test".to_owned(),
        observed_at: observed.parse().unwrap(),
        platform_time: Fact::known_without_source(observed.parse().unwrap()),
        platform: Platform::Github,
        api: API.to_owned(),
        repository: repository.to_owned(),
        branches: Vec::new(),
        unread_branches: Vec::new(),
        settings,
        requests: Requests::default(),
    }
}

/// What the change lane makes of a file: the reason why deploy keys are unknown, or who signed.
fn used(file: &SettingsFile, repository: &str) -> Result<Option<String>, String> {
    let place = Place {
        platform: Platform::Github,
        api: API.parse().unwrap(),
        graphql: API.parse().unwrap(),
        repository: repository.to_owned(),
        wanted: Wanted::Repository { branch: None },
        train: None,
        run_url: None,
    };
    let mut snapshot = Snapshot::all_unknown(
        Subject {
            platform: Platform::Github,
            repository: repository.to_owned(),
            change: Some(7),
            head: "f1".repeat(20),
            target: "main".to_owned(),
        },
        NOW.parse().unwrap(),
        "ccgate test".to_owned(),
    );
    let needs = [FactKey::AccessDeployKeys].into_iter().collect();
    file.put_into(
        &mut snapshot,
        &place,
        &needs,
        SignedDuration::from_hours(24),
    );
    match snapshot.settings.unknown(FactKey::AccessDeployKeys) {
        Some(unknown) => {
            assert!(snapshot.settings_origin.is_none());
            assert_eq!(unknown.fact, "access.deploy_keys");
            Err(format!("{}: {}", unknown.why.code(), unknown.detail))
        }
        None => Ok(snapshot.settings_origin.unwrap().signed_by),
    }
}

fn written(folder: &Path, env: &[(&str, &str)], all: &[SettingsSnapshot]) -> Vec<u8> {
    let bytes = SettingsFile::write(all, &world(folder, env)).unwrap();
    std::fs::write(folder.join("settings.json"), &bytes).unwrap();
    bytes
}

fn read(folder: &Path, env: &[(&str, &str)]) -> anyhow::Result<SettingsFile> {
    SettingsFile::read(Path::new("settings.json"), &world(folder, env))
}

#[test]
fn what_was_written_for_a_repository_is_used_for_it_and_for_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = "2026-06-01T11:00:00Z";
    written(
        folder.path(),
        &[],
        &[settings("acme/web", fresh), settings("acme/app", fresh)],
    );
    let file = read(folder.path(), &[]).unwrap();
    assert_eq!(used(&file, "acme/app"), Ok(None));
    let other = used(&file, "acme/secret").unwrap_err();
    assert!(
        other.starts_with("failed: ") && other.contains("not of `acme/secret`"),
        "{other}"
    );
}

#[test]
fn an_old_file_is_stale_and_says_how_old_it_is() {
    let folder = tempfile::tempdir().unwrap();
    written(
        folder.path(),
        &[],
        &[settings("acme/app", "2026-05-31T05:00:00Z")],
    );
    let old = used(&read(folder.path(), &[]).unwrap(), "acme/app").unwrap_err();
    assert!(
        old.starts_with("stale: ") && old.contains("31 h old (limit 24 h)"),
        "{old}"
    );
}

#[test]
fn a_file_that_somebody_changed_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = written(
        folder.path(),
        &[],
        &[settings("acme/app", "2026-05-01T11:00:00Z")],
    );
    // Somebody makes it younger.
    let younger = String::from_utf8(bytes)
        .unwrap()
        .replace("2026-05-01", "2026-06-01");
    std::fs::write(folder.path().join("settings.json"), younger).unwrap();
    let why = used(&read(folder.path(), &[]).unwrap(), "acme/app").unwrap_err();
    assert!(why.contains("digest does not fit"), "{why}");
}

#[test]
fn where_signers_are_configured_only_their_signature_counts() {
    let folder = tempfile::tempdir().unwrap();
    let key = |seed: u8| {
        let pair = ssh_key::private::Ed25519Keypair::from_seed(&[seed; 32]);
        PrivateKey::from(pair)
    };
    let (ours, theirs) = (key(1), key(2));
    assert_eq!(ours.algorithm(), Algorithm::Ed25519);
    let public = ours.public_key().to_openssh().unwrap();
    std::fs::write(
        folder.path().join("signers"),
        format!("ccgate/github/acme/* namespaces=\"ccgate-settings\" {public}\n"),
    )
    .unwrap();
    let signers = [("CCGATE_SETTINGS_SIGNERS", "signers")];
    let fresh = [settings("acme/app", "2026-06-01T11:00:00Z")];
    written(folder.path(), &[], &fresh);
    let unsigned = used(&read(folder.path(), &signers).unwrap(), "acme/app").unwrap_err();
    assert!(unsigned.contains("is not signed"), "{unsigned}");
    for (pair, counts) in [(&ours, true), (&theirs, false)] {
        let pem = pair.to_openssh(LineEnding::LF).unwrap();
        written(folder.path(), &[("CCGATE_SETTINGS_KEY", &pem)], &fresh);
        let seen = used(&read(folder.path(), &signers).unwrap(), "acme/app");
        assert_eq!(seen.is_ok(), counts, "{seen:?}");
        if counts {
            assert!(seen.unwrap().unwrap().starts_with("SHA256:"));
        }
    }
    // The same key may not sign for another owner's repository.
    let pem = ours.to_openssh(LineEnding::LF).unwrap();
    let other = [settings("other/app", "2026-06-01T11:00:00Z")];
    written(folder.path(), &[("CCGATE_SETTINGS_KEY", &pem)], &other);
    let foreign = used(&read(folder.path(), &signers).unwrap(), "other/app").unwrap_err();
    assert!(foreign.contains("does not count"), "{foreign}");
}

#[test]
fn what_is_no_settings_file_is_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for text in [
        "",
        "{}",
        "[]",
        "{\"schema\": \"ccgate.settings/v9\"}",
        "{\"schema\": 1}",
    ] {
        std::fs::write(folder.path().join("settings.json"), text).unwrap();
        let error = read(folder.path(), &[]).err().expect("it is refused");
        assert!(
            format!("{error:#}").contains("settings.json"),
            "{text}: {error:#}"
        );
    }
    assert!(SettingsFile::read(Path::new("nowhere.json"), &world(folder.path(), &[])).is_err());
}
