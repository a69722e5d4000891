//! Overrides whose words are signed: with a key of the policy or one that the platform publishes,
//! in a comment or where a deployment is approved.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccgate::gate::OVERRIDE_RECORD_TYPE;
use ccgate::ledger::{Place, statements_at};
use serde_json::{Value, json};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey, SshSig};

use crate::overrides::{IN_LEDGER, ON_GITLAB, REQUEST, also_of_overrides, asked, entry, say};
use crate::support::Bench;

/// What signatures of statements are for.
const NAMESPACE: &str = "ccgate-override";

/// What is signed comes from the command line, and stands in the ledger for whoever verifies it.
#[test]
fn a_signed_approval_counts_on_both_platforms_and_stays_in_the_ledger() {
    let (key, line) = key(1);
    let signers = format!("  signed: true\n  signers: {{\"@ana\": [{line}]}}\n");
    for (bench, platform) in [
        (Bench::new(), "github"),
        (Bench::on_gitlab(ON_GITLAB), "gitlab"),
    ] {
        also_of_overrides(&bench, &signers);
        let (asked, id) = asked(&bench);
        let words = |name: &Value| name.as_str().expect("text").to_owned();
        let head = words(&asked["subject"]["head"]);
        let approve = format!("/ccgate approve {id}");
        say(&bench, "ana", &approve);
        let (code, unsigned) = bench.decision(&IN_LEDGER);
        assert_eq!(code, 1, "{unsigned:#}");
        let why = words(&unsigned["approvals"][0]["why"]);
        assert!(why.contains("`overrides.signed`"), "{why}");

        let statement = |more: &[&str]| {
            let on = [
                "--platform",
                platform,
                "--repo",
                "acme/payments",
                "--change",
                "42",
                "--target",
                "main",
                "--head",
                &head,
            ];
            bench.run(&[&["override", "statement", &approve][..], &on[..], more].concat())
        };
        // It would be signed, and refused when the gate writes the whole id.
        let short = [
            "--platform",
            platform,
            "--repo",
            "acme/payments",
            "--change",
            "42",
        ];
        let short = [&short[..], &["--target", "main", "--head", &head[..7]]].concat();
        let short = bench.run(&[&["override", "statement", REQUEST][..], &short].concat());
        assert_eq!((short.code, &*short.stdout), (2, ""), "{}", short.stderr);
        let alone = statement(&[]);
        assert_eq!(alone.code, 2, "{}", alone.stdout);
        assert!(alone.stderr.contains("`--asked`"), "{}", alone.stderr);
        let text = statement(&["--asked", REQUEST]).stdout;
        let signature = armoured(&key, NAMESPACE, &text);
        say(&bench, "ana", &carrying(&approve, &text, &signature));
        let (code, decision) = bench.decision(&IN_LEDGER);
        assert_eq!(code, 0, "{decision:#}");
        let (_, records) = statements_at(&Place::Folder(bench.path("ledger"))).expect("a ledger");
        let kept = records
            .iter()
            .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
            .expect("the override is on record");
        let kept = &kept["predicate"]["signatures"][0];
        assert_eq!(kept["statement"], text.as_str());
        assert_eq!(kept["signature"], signature.as_str());
        assert_eq!(
            (&kept["role"], &kept["login"]),
            (&json!("approver"), &json!("ana"))
        );
    }
}

/// Request and approval are signed with `--signature`: nobody pastes anything, and who signed with
/// which key is shown wherever the override is.
#[test]
fn a_signature_from_a_file_is_carried_in_what_is_posted_or_nothing_is_posted() {
    let bench = Bench::new();
    let (tom, ana) = (key(1).1, key(2).1);
    let signers = format!("  signed: true\n  signers: {{\"@tom\": [{tom}], \"@ana\": [{ana}]}}\n");
    also_of_overrides(&bench, &signers);
    let (_, before) = bench.decision(&[]);
    let head = before["subject"]["head"]
        .as_str()
        .expect("a head")
        .to_owned();
    let posted = || bench.forge.with(|acme| acme.change(42).comments.len());
    // As `ssh-keygen -Y sign -f KEY statement` does, with what the statement is for.
    let sign = |comment: &str, change: &str, more: &[&str], namespace: &str, number: u8| {
        let on = [
            "--platform",
            "github",
            "--repo",
            "acme/payments",
            "--target",
            "main",
        ];
        let of = ["--change", change, "--head", &head];
        let ended = bench.run(&[&["override", "statement", comment][..], &on, &of, more].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let armour = armoured(&key(number).0, namespace, &ended.stdout);
        std::fs::write(bench.path("statement"), ended.stdout).expect("a folder");
        std::fs::write(bench.path("statement.sig"), armour).expect("a folder");
    };
    let here = ["--repo", "acme/payments", "--change", "42", "--signature"];
    let reason = "Card capture is down; the reviewer on call is unreachable";
    let create = |file: &str| {
        let what = [
            "override",
            "create",
            "--control",
            "CHG-04",
            "--ticket",
            "INC-482",
        ];
        let more = ["--expires", "4h", "--reason", reason];
        bench.run(&[&what[..], &more, &here, &[file]].concat())
    };
    bench
        .forge
        .with(|acme| acme.writer = Some("tom".to_owned()));

    let said = posted();
    let nothing = |expected: &str, file: &str| {
        let ended = create(file);
        assert_eq!(ended.code, 2, "{}", ended.stdout);
        assert!(
            ended.stderr.contains(expected),
            "{expected}: {}",
            ended.stderr
        );
        assert_eq!(posted(), said, "{expected}");
    };
    nothing("there is no file", "statement.sig");
    sign(REQUEST, "42", &[], "git", 1);
    nothing("-n ccgate-override", "statement.sig");
    sign(REQUEST, "43", &[], NAMESPACE, 1);
    nothing("is for change 43", "statement.sig");
    sign(&REQUEST.replace("4h", "3h"), "42", &[], NAMESPACE, 1);
    nothing("something else", "statement.sig");
    sign(REQUEST, "42", &[], NAMESPACE, 1);
    nothing("beside the statement", "statement");

    let asked = create("statement.sig");
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert!(
        asked.stdout.contains("signed with SHA256:"),
        "{}",
        asked.stdout
    );
    let (_, decision) = bench.decision(&IN_LEDGER);
    let request = &decision["overrides"][0];
    let id = request["recorded_as"].as_str().expect("an id").to_owned();
    let fingerprint = |number: u8| key(number).0.fingerprint(HashAlg::Sha256).to_string();
    assert_eq!(request["signature"]["key"], fingerprint(1));
    assert_eq!(request["approval_signature"], Value::Null);

    bench
        .forge
        .with(|acme| acme.writer = Some("ana".to_owned()));
    let comment = format!("/ccgate approve {id}");
    sign(&comment, "42", &["--asked", REQUEST], NAMESPACE, 2);
    let approve = [&["override", "approve", &id][..], &here, &["statement.sig"]].concat();
    let approved = bench.run(&approve);
    assert_eq!(approved.code, 0, "{}", approved.stderr);
    let (code, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 0, "{decision:#}");
    let given = &decision["overrides"][0];
    assert_eq!(given["approval_signature"]["key"], fingerprint(2));
    assert_eq!(decision["approvals"][0]["signature"]["key"], fingerprint(2));
    let text = bench.check(&[]).stdout;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let signed = format!(
        "request signed with {}, approval signed with {}",
        fingerprint(1),
        fingerprint(2)
    );
    assert!(words.contains(&signed), "{text}");
    let entry = entry(&bench);
    assert_eq!(entry["request_signature"], fingerprint(1));
    assert_eq!(entry["approval_signature"], fingerprint(2));
    let list = bench.run(&["override", "list", "dir:ledger"]).stdout;
    let list = list.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(list.contains(&signed), "{list}");
}

/// The policy lists no key: what counts is what the platform published before, and it is asked only
/// where a signature is there.
#[test]
fn a_key_that_the_platform_publishes_counts_where_the_policy_lets_it() {
    let (key, line) = key(2);
    let bench = Bench::new();
    also_of_overrides(&bench, "  signed: true\n  published_keys: true\n");
    let (asked, id) = asked(&bench);
    let head = asked["subject"]["head"].as_str().expect("a head");
    let comment = format!("/ccgate approve {id}");
    let of = [
        "--platform",
        "github",
        "--repo",
        "acme/payments",
        "--target",
        "main",
    ];
    let more = ["--change", "42", "--head", head, "--asked", REQUEST];
    let text = bench
        .run(&[&["override", "statement", &comment][..], &of, &more].concat())
        .stdout;
    let body = carrying(&comment, &text, &armoured(&key, NAMESPACE, &text));
    say(&bench, "ana", &comment);
    let (_, unsigned) = bench.decision(&IN_LEDGER);
    bench.forge.with(|acme| acme.change(42).comments.pop());
    say(&bench, "ana", &body);
    for (of, since, counts) in [
        ("li", "2026-01-01T00:00:00Z", false),
        ("ana", "2027-01-01T00:00:00Z", false),
        ("ana", "2026-01-01T00:00:00Z", true),
    ] {
        bench.forge.with(|acme| {
            acme.signing_keys = vec![(of.to_owned(), line.clone(), since.to_owned())];
        });
        let (code, decision) = bench.decision(&IN_LEDGER);
        let requests = |of: &Value| of["requests"]["count"].as_u64().expect("a number");
        assert_eq!(requests(&decision), requests(&unsigned) + 2);
        assert_eq!(code == 0, counts, "{decision:#}");
        let given = &decision["approvals"][0];
        assert_eq!(given["counts"], counts, "{of} {since}: {given:#}");
        if counts {
            assert_eq!(given["signature"]["key_source"], "platform");
        }
    }
    let (_, records) = statements_at(&Place::Folder(bench.path("ledger"))).expect("a ledger");
    let kept = records
        .iter()
        .find(|record| record["predicateType"] == OVERRIDE_RECORD_TYPE)
        .expect("the override is on record");
    let kept = &kept["predicate"]["signatures"][0];
    assert_eq!(kept["public_key"], line.trim_end());
    assert_eq!(kept["published_at"], "2026-01-01T00:00:00Z");
}

/// On GitLab a job can approve in the name of whoever started it: only who signs has approved.
#[test]
fn on_gitlab_an_approval_of_the_gates_own_deployment_counts_with_its_authors_signature() {
    let (key, line) = key(2);
    let bench = Bench::on_gitlab(&format!(
        "{ON_GITLAB}  environments: [change-override]\n  signers: {{'@ana': ['{line}']}}\n"
    ));
    let (asked, id) = asked(&bench);
    let head = asked["subject"]["head"].as_str().expect("a head");
    say(&bench, "ana", "Let me look.");
    let comment = format!("/ccgate approve {id}");
    let of = ["--platform", "gitlab", "--repo", "acme/payments"];
    let more = ["--change", "42", "--target", "main", "--head", head];
    let text = bench
        .run(
            &[
                &["override", "statement", &comment, "--asked", REQUEST][..],
                &of,
                &more,
            ]
            .concat(),
        )
        .stdout;
    let armour = armoured(&key, NAMESPACE, &text);
    let signature = SshSig::from_pem(&armour).expect("a signature");
    std::fs::write(bench.path("statement"), &text).expect("a folder");
    std::fs::write(bench.path("statement.sig"), armour).expect("a folder");
    let signature = STANDARD.encode(signature.signature().as_bytes());
    let signed_at = text.lines().last().expect("its last line");
    let signed_at = signed_at.trim_start_matches("signed-at ");
    let signed = format!("{comment} signed {signed_at} {signature}");
    let print = ["override", "approve", &id, "--for-deployment"];
    let with = ["--signature", "statement.sig", "--change", "42"];
    let printed = bench.run(&[&print[..], &with, &of].concat());
    assert_eq!((printed.code, printed.stdout.trim_end()), (0, &*signed));
    // Nobody is told to write what would not be counted.
    std::fs::write(bench.path("statement"), text.replace("main", "dev")).expect("a folder");
    let altered = bench.run(&[&print[..], &with, &of].concat());
    assert_eq!((altered.code, &*altered.stdout), (2, ""));
    assert_eq!(bench.run(&[&print[..], &of].concat()).code, 2);
    bench.forge.with(|acme| {
        acme.run_approvals = vec![
            (7, "ana".to_owned(), comment.clone()),
            (8, "ana".to_owned(), signed.clone()),
            (9, "li".to_owned(), signed.clone()),
        ];
    });
    let requests = |of: &Value| of["requests"]["count"].as_u64().expect("a number");
    // A job that deploys nowhere asks nothing more.
    let bench = bench.env("CI_JOB_ID", "8");
    let (code, without) = bench.decision(&IN_LEDGER);
    assert_eq!((code, requests(&without)), (1, requests(&asked)));
    let mut bench = bench.env("CI_ENVIRONMENT_NAME", "change-override");
    for (job, said) in [
        ("7", "in the name of whoever started it"),
        ("9", "not among those who may override"),
        ("10", ""),
    ] {
        bench = bench.env("CI_JOB_ID", job);
        let (code, decision) = bench.decision(&IN_LEDGER);
        assert_eq!(code, 1, "{decision:#}");
        let why = decision["approvals"][0]["why"].as_str();
        assert!(why.unwrap_or_default().contains(said), "{decision:#}");
    }
    let bench = bench.env("CI_JOB_ID", "8");
    let (code, given) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 0, "{given:#}");
    assert_eq!(requests(&given), requests(&asked) + 2);
    let approval = &given["approvals"][0];
    assert_eq!(approval["door"], "environment");
    assert_eq!(approval["signature"]["key_source"], "policy");
    let entry = entry(&bench);
    assert_eq!(
        (&entry["by"], &entry["requester"]),
        (&json!("ana"), &json!("tom"))
    );
}

/// A key of nobody, told apart by a number, and its public half as policies list it.
fn key(number: u8) -> (PrivateKey, String) {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    let key = PrivateKey::new(KeypairData::Ed25519(pair), "").expect("a key");
    let line = key.public_key().to_openssh().expect("its public half");
    (key, line)
}

/// As `ssh-keygen -Y sign -f KEY -n NAMESPACE` signs what stands in a file.
fn armoured(key: &PrivateKey, namespace: &str, text: &str) -> String {
    key.sign(namespace, HashAlg::Sha512, text.as_bytes())
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .expect("a signature")
}

/// A comment that carries the signature of its statement.
fn carrying(comment: &str, statement: &str, signature: &str) -> String {
    let signed_at = statement.lines().last().expect("its last line");
    format!("{comment}\n```ccgate-signature\n{signed_at}\n{signature}```")
}
