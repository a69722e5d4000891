//! Ledgers as other programs see them: `ssh-keygen` and the Python verifier.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests; a skipped check is said aloud"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccgate::ledger::{Leaf, Place, STATEMENT_TYPE, Signer, open};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::support::{Ended, run_in};

const ORIGIN: &str = "ccgate/gitlab/acme/tools/payments";

fn append(folder: &Path, numbers: std::ops::Range<u32>, signer: Option<Signer>) {
    let leaves: Vec<Leaf> = numbers
        .map(|number| {
            let long = if number == 2 { 90_000 } else { 10 };
            let statement = json!({
                "_type": STATEMENT_TYPE,
                "subject": [{"name": format!("change-{number}"), "digest": {"gitCommit": format!("{number:040x}")}}],
                "predicateType": "https://ccgate.dev/change-record/v1",
                "predicate": {"observed_at": "2026-11-21T08:00:00Z", "summary": "é\u{1f600}x".repeat(long)},
            });
            Leaf::new(&statement).unwrap()
        })
        .collect();
    open(&Place::Folder(folder.to_owned()), ORIGIN, signer)
        .unwrap()
        .append(&leaves)
        .unwrap();
}

/// A fresh key, or `None` (said aloud) where `ssh-keygen` is not installed.
fn signer(folder: &Path) -> Option<Signer> {
    let path = folder.join("key");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(&path)
        .status();
    if !made.is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: ssh-keygen is not installed, no signature was checked");
        return None;
    }
    Some(Signer::from_openssh(&fs::read_to_string(path).unwrap()).unwrap())
}

fn ssh_keygen_verifies(ledger: &Path, size: u32, checkpoint: &Path, namespace: &str) -> bool {
    Command::new("ssh-keygen")
        .args(["-Y", "verify", "-I", ORIGIN, "-n", namespace, "-f"])
        .arg(ledger.join("keys/allowed_signers"))
        .arg("-s")
        .arg(ledger.join(format!("anchors/{size}.sig")))
        .stdin(fs::File::open(checkpoint).unwrap())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap()
        .success()
}

/// The Python verifier's answer; `None` (said aloud) without Python.
fn python(ledger: &Path, arguments: &[&str]) -> Option<i32> {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.py");
    let output = Command::new("python3")
        .arg(script)
        .arg(ledger)
        .args(arguments)
        .output();
    let Ok(output) = output else {
        eprintln!("SKIPPED: python3 is not installed, the foreign verifier was not run");
        return None;
    };
    eprintln!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    output.status.code()
}

#[test]
fn ssh_keygen_accepts_our_checkpoint_signature_and_no_other() {
    let home = tempfile::tempdir().unwrap();
    let Some(signer) = signer(home.path()) else {
        return;
    };
    let ledger = home.path().join("ledger");
    append(&ledger, 0..5, Some(signer));
    let checkpoint = ledger.join("log/checkpoint");
    assert!(ssh_keygen_verifies(
        &ledger,
        5,
        &checkpoint,
        "ccgate-ledger"
    ));
    assert!(!ssh_keygen_verifies(&ledger, 5, &checkpoint, "git"));
    let altered = home.path().join("altered");
    fs::write(
        &altered,
        fs::read_to_string(&checkpoint)
            .unwrap()
            .replacen("\n5\n", "\n4\n", 1),
    )
    .unwrap();
    assert!(!ssh_keygen_verifies(&ledger, 5, &altered, "ccgate-ledger"));
}

#[test]
fn the_python_verifier_accepts_what_we_write_at_sizes_around_a_tile() {
    for size in [2, 3, 255, 256, 257, 600] {
        let home = tempfile::tempdir().unwrap();
        append(home.path(), 0..size / 2, None);
        append(home.path(), size / 2..size, None);
        let Some(code) = python(home.path(), &[]) else {
            return;
        };
        assert_eq!(code, 0, "{size} records");
    }
}

#[test]
fn the_python_verifier_finds_a_flip_in_every_file_and_a_rolled_back_ledger() {
    let home = tempfile::tempdir().unwrap();
    let signer = signer(home.path());
    let ledger = home.path().join("ledger");
    append(&ledger, 0..3, signer.clone());
    let mut files = vec![
        "FORMAT".to_owned(),
        "log/checkpoint".to_owned(),
        "log/tile/0/000.p/3".to_owned(),
    ];
    files.push("log/tile/entries/000.p/3".to_owned());
    if signer.is_some() {
        files.extend(["anchors/3.note".to_owned(), "anchors/3.sig".to_owned()]);
    }
    let Some(code) = python(&ledger, &[]) else {
        return;
    };
    assert_eq!(code, 0);
    for file in files {
        let path = ledger.join(&file);
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[good.len() / 2] ^= 1;
        fs::write(&path, bad).unwrap();
        assert_eq!(python(&ledger, &[]), Some(5), "{file}");
        fs::write(&path, good).unwrap();
    }
    if signer.is_some() {
        // Its version is 0 then, with which ssh-keygen is content.
        let path = ledger.join("anchors/3.sig");
        let good = fs::read(&path).unwrap();
        let mut bad = good.clone();
        bad[43] ^= 0x10;
        fs::write(&path, bad).unwrap();
        assert_eq!(python(&ledger, &[]), Some(5), "the version of a signature");
        fs::write(&path, good).unwrap();
    }
    let old = home.path().join("old");
    append(&old, 0..2, None);
    let trusted = ledger.join("log/checkpoint");
    assert_eq!(
        python(&old, &["--trusted", trusted.to_str().unwrap()]),
        Some(5)
    );
    assert_eq!(
        python(
            &ledger,
            &["--trusted", old.join("log/checkpoint").to_str().unwrap()]
        ),
        Some(0)
    );
}

/// Puts a file that says to be a Sigstore bundle over these bytes beside the note of three records.
fn put_bundle(ledger: &Path, over: &[u8]) {
    let digest = STANDARD.encode(Sha256::digest(over));
    let bundle = json!({
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "messageSignature": {"messageDigest": {"algorithm": "SHA2_256", "digest": digest}},
    });
    fs::write(ledger.join("anchors/3.sigstore.json"), bundle.to_string()).unwrap();
}

#[test]
fn a_sigstore_bundle_has_to_be_over_its_note_for_us_and_for_the_python_verifier() {
    let home = tempfile::tempdir().unwrap();
    let Some(signer) = signer(home.path()) else {
        return;
    };
    let ledger = home.path().join("ledger");
    append(&ledger, 0..3, Some(signer));
    let note = fs::read(ledger.join("anchors/3.note")).unwrap();
    let run = |more: &[&str]| {
        let mut arguments = vec!["ledger", "verify", "dir:ledger"];
        arguments.extend(more);
        run_in(
            home.path(),
            BTreeMap::new(),
            "2026-12-01T00:00:00Z",
            &arguments,
        )
    };
    put_bundle(&ledger, &note);
    let ended = run(&[]);
    assert_eq!(ended.code, 0, "{}", ended.stdout);
    assert!(ended.stdout.contains("Sigstore bundle"), "{}", ended.stdout);
    assert!(ended.stdout.contains("level         L0"));
    // It is verified nowhere: a build that could finds no signature in it.
    let who = "--certificate-identity=a@acme.example";
    let demanded = run(&[who, "--certificate-oidc-issuer=https://acme.example"]);
    let code = if cfg!(feature = "sigstore") { 5 } else { 2 };
    assert_eq!(
        demanded.code, code,
        "{}{}",
        demanded.stdout, demanded.stderr
    );
    let Some(code) = python(&ledger, &[]) else {
        return;
    };
    assert_eq!(code, 0);
    put_bundle(&ledger, b"another note");
    assert_eq!(run(&[]).code, 5);
    assert_eq!(python(&ledger, &[]), Some(5));
    for garbage in ["", "{}", "null", "\u{0}"] {
        fs::write(ledger.join("anchors/3.sigstore.json"), garbage).unwrap();
        assert_eq!(run(&[]).code, 5, "{garbage}");
        assert_eq!(python(&ledger, &[]), Some(5), "{garbage}");
    }
}

/// An authority that answers one request with these bytes, and what it was asked.
fn authority(answer: &'static [u8]) -> (String, JoinHandle<Vec<u8>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tsr", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        // The request's body is 69 bytes, behind an empty line.
        let whole = |request: &[u8]| {
            let end = request.windows(4).position(|four| four == b"\r\n\r\n");
            end.is_some_and(|end| request.len() >= end + 4 + 69)
        };
        while !whole(&request) {
            let mut more = [0; 1024];
            let count = stream.read(&mut more).unwrap();
            assert!(count > 0, "the request ended early");
            request.extend_from_slice(&more[..count]);
        }
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
            answer.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(answer).unwrap();
        request
    });
    (url, asked)
}

fn anchor(home: &Path, url: &str) -> Ended {
    let roots = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tokens/rsa.pem");
    let env = BTreeMap::from([("GITHUB_TOKEN".to_owned(), "of-the-platform".to_owned())]);
    let arguments = [
        "ledger",
        "anchor",
        "dir:ledger",
        "--tsa",
        url,
        "--tsa-roots",
        roots,
    ];
    run_in(home, env, "2026-11-29T17:15:00Z", &arguments)
}

#[test]
fn an_old_answer_of_an_authority_is_refused_and_nothing_is_kept() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("ledger");
    append(&ledger, 0..2, None);
    // Nobody is asked about a checkpoint that nobody signed.
    let unsigned = anchor(home.path(), "http://127.0.0.1:9/");
    assert_eq!(unsigned.code, 5, "{}", unsigned.stderr);
    assert!(unsigned.stderr.contains("CCGATE_LEDGER_KEY"));
    let Some(signer) = signer(home.path()) else {
        return;
    };
    append(&ledger, 2..3, Some(signer));
    let (url, asked) = authority(include_bytes!("../tokens/rsa.tsr"));
    let ended = anchor(home.path(), &url);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains("is not kept"), "{}", ended.stderr);
    assert!(!ledger.join("anchors/3.tsr").exists());
    let request = String::from_utf8_lossy(&asked.join().unwrap()).to_lowercase();
    assert!(request.starts_with("post /tsr ") && request.contains("application/timestamp-query"));
    assert!(!request.contains("of-the-platform"), "no token goes there");
}

#[test]
fn the_checkpoint_is_printed_as_it_lies_there_and_the_level_stands_in_the_report() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("ledger");
    append(&ledger, 0..3, None);
    let run = |arguments: &[&str]| {
        run_in(
            home.path(),
            BTreeMap::new(),
            "2026-12-01T00:00:00Z",
            arguments,
        )
    };
    let printed = run(&["ledger", "checkpoint", "dir:ledger"]);
    let lies_there = fs::read_to_string(ledger.join("log/checkpoint")).unwrap();
    assert_eq!((printed.code, printed.stdout), (0, lies_there.clone()));
    fs::write(home.path().join("mailed"), lies_there).unwrap();
    let report = run(&[
        "ledger",
        "verify",
        "dir:ledger",
        "--trusted-checkpoint",
        "mailed",
    ]);
    assert_eq!(report.code, 0, "{}", report.stdout);
    assert!(report.stdout.contains("anchored      ok"));
    // A mailed checkpoint over records that nobody signed raises no level.
    assert!(
        report.stdout.contains("level         L0"),
        "{}",
        report.stdout
    );
    assert!(report.stdout.contains("for L1: "), "{}", report.stdout);
    let same = run(&["ledger", "verify", "dir:ledger", "--copy", "ledger"]);
    assert_eq!(same.code, 5);
    assert!(same.stderr.contains("the ledger itself"), "{}", same.stderr);
}

#[test]
fn a_look_at_the_log_alone_says_what_it_left_out_and_an_export_leaves_nothing_out() {
    let home = tempfile::tempdir().unwrap();
    let ledger = home.path().join("ledger");
    append(&ledger, 0..4, None);
    let month = ledger.join("records/2026/11");
    let copy = fs::read_dir(&month).unwrap().next().unwrap().unwrap();
    fs::write(copy.path(), "another text").unwrap();
    let run = |arguments: &[&str]| {
        let now = "2026-12-01T00:00:00Z";
        run_in(home.path(), BTreeMap::new(), now, arguments)
    };
    let verified = |more: &[&str]| run(&[&["ledger", "verify", "dir:ledger"], more].concat());
    let whole = verified(&[]);
    assert_eq!(whole.code, 5, "{}", whole.stdout);
    assert!(whole.stdout.contains("was altered"), "{}", whole.stdout);
    let log = verified(&["--log-only"]);
    assert_eq!(log.code, 0, "{}", log.stdout);
    assert!(log.stdout.contains("left out"), "{}", log.stdout);
    let arguments = ["ledger", "export", "dir:ledger", "--out", "pack"];
    let exported = run(&arguments);
    assert_eq!(exported.code, 5, "{}", exported.stdout);
    let refused = run(&[&arguments[..], &["--log-only"]].concat());
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    // What is sealed is looked at as closely.
    let bundle = ledger.join("log/tile/entries/000.p/4");
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[100] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert_eq!(verified(&["--log-only"]).code, 5);
}

/// What people try first, on a machine of their own.
#[test]
fn an_address_that_names_no_ledger_is_answered_with_one_that_does() {
    let home = tempfile::tempdir().unwrap();
    append(&home.path().join("ledger"), 0..4, None);
    let run = |arguments: &[&str]| {
        let now = "2026-12-01T00:00:00Z";
        run_in(home.path(), BTreeMap::new(), now, arguments)
    };
    let export = ["ledger", "export", "dir:ledger", "--out", "pack"];
    assert_eq!(run(&export).code, 0);
    let again = run(&export);
    assert_eq!(again.code, 5);
    assert!(again.stderr.contains("not there yet"), "{}", again.stderr);
    let pack = run(&["ledger", "verify", "dir:pack"]);
    assert_eq!(pack.code, 5, "{}", pack.stdout);
    assert!(pack.stderr.contains("dir:pack/ledger"), "{}", pack.stderr);
    assert_eq!(run(&["ledger", "verify", "dir:pack/ledger"]).code, 0);
    let branch = run(&["ledger", "verify", "git+branch:ccgate/ledger"]);
    assert_eq!(branch.code, 2, "{}", branch.stdout);
    assert!(branch.stderr.contains("git+file:///"), "{}", branch.stderr);
    assert!(!branch.stderr.contains("--platform"), "{}", branch.stderr);
}

/// Runs `ledger crashed` as a job of a merge request, or without the CI's variables.
fn crashed(home: &Path, in_ci: bool, code: &str) -> Ended {
    let mut env = BTreeMap::new();
    if in_ci {
        for (name, value) in [
            ("GITLAB_CI", "true"),
            ("CI_API_V4_URL", "https://forge.example/api/v4"),
            ("CI_PROJECT_PATH", "acme/tools/payments"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_PIPELINE_SOURCE", "merge_request_event"),
            ("CI_COMMIT_SHA", "00000000000000000000000000000000000000a7"),
            (
                "CI_JOB_URL",
                "https://forge.example/acme/tools/payments/-/jobs/5",
            ),
        ] {
            env.insert(name.to_owned(), value.to_owned());
        }
    }
    run_in(
        home,
        env,
        "2026-11-29T17:15:00Z",
        &["ledger", "crashed", "dir:ledger", "--exit-code", code],
    )
}

#[test]
fn a_run_that_crashed_leaves_a_record_that_decides_nothing() {
    let home = tempfile::tempdir().unwrap();
    append(&home.path().join("ledger"), 0..1, None);
    let ended = crashed(home.path(), true, "137");
    assert_eq!(
        (ended.code, ended.stdout.as_str()),
        (
            0,
            "a run that ended with 137 is recorded in dir:ledger as entry 1\n"
        ),
        "{}",
        ended.stderr
    );
    let store = open(&Place::Folder(home.path().join("ledger")), ORIGIN, None).unwrap();
    let record = Leaf::parse(&store.read(1..2).unwrap()[0])
        .unwrap()
        .statement;
    assert_eq!(
        record["subject"][0]["digest"]["gitCommit"],
        "00000000000000000000000000000000000000a7"
    );
    let predicate = &record["predicate"];
    assert!(predicate["decision"].is_null(), "{predicate}");
    assert_eq!(predicate["exit_code"], 137);
    assert_eq!(predicate["change"], 7);
    assert_eq!(
        predicate["run"],
        "https://forge.example/acme/tools/payments/-/jobs/5"
    );
    // It accounts for no commit.
    fs::write(
        home.path().join("commits"),
        "00000000000000000000000000000000000000a7\n",
    )
    .unwrap();
    let verified = run_in(
        home.path(),
        BTreeMap::new(),
        "2026-11-29T17:15:00Z",
        &["ledger", "verify", "dir:ledger", "--population", "commits"],
    );
    assert_eq!(verified.code, 5, "{}", verified.stdout);
    let shown = run_in(
        home.path(),
        BTreeMap::new(),
        "2026-11-29T17:15:00Z",
        &["ledger", "show", "dir:ledger"],
    );
    assert!(shown.stdout.contains("run-crashed"), "{}", shown.stdout);
}

#[test]
fn a_run_that_decided_is_no_crash_and_a_crash_of_nothing_is_not_recorded() {
    let home = tempfile::tempdir().unwrap();
    for code in ["0", "1", "3", "5"] {
        assert_eq!(crashed(home.path(), true, code).code, 2, "{code}");
    }
    assert_eq!(crashed(home.path(), false, "101").code, 2);
    assert!(!home.path().join("ledger").exists());
}
