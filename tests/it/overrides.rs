//! The life of an override from request to review, on both platforms: the author asks, who
//! may not approve; somebody else does; a third person reviews it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ccgate::gate::OVERRIDE_RECORD_TYPE;
use ccgate::ledger::{Place, statements_at};
use serde_json::{Value, json};
use ssh_key::private::{Ed25519Keypair, KeypairData};
use ssh_key::{HashAlg, LineEnding, PrivateKey};

use crate::support::{Bench, Ended, control};

const REQUEST: &str = "/ccgate override CHG-04 INC-482 expires:4h Card capture is down; the reviewer on call is unreachable";

/// What the demonstration's policy says of overrides, beside the controls that the small
/// forge can answer for in GitLab's words.
const ON_GITLAB: &str = r#"version: 1
controls: {approver-is-independent: {}, branch-moves-through-changes: {}}
overrides:
  allowed_by: ["@acme/security"]
  ticket: "INC-[0-9]+"
  min_reason: 30
  max: 24h
"#;

const IN_LEDGER: [&str; 2] = ["--ledger", "dir:ledger"];

#[test]
fn an_override_that_the_author_asks_for_lives_from_request_to_review() {
    let bench = Bench::new();
    let id = asked_and_approved(&bench);
    reviewed(&bench, &id);
    assert_eq!(entry(&bench)["use"], "waiting", "nothing was merged yet");
}

#[test]
fn on_gitlab_an_override_lives_from_request_over_the_merge_to_review() {
    let bench = Bench::on_gitlab(ON_GITLAB);
    let id = asked_and_approved(&bench);
    assert_eq!(entry(&bench)["use"], "waiting", "nothing was merged yet");
    let before = tip(&bench);
    let merge = bench.forge.with(|acme| acme.merge(42, "ana"));
    let moved = bench.run(&[
        "check",
        "--repo",
        "acme/payments",
        "--ref",
        "main",
        "--head",
        &merge,
        "--since",
        &before,
        "--ledger",
        "dir:ledger",
        "--format",
        "json",
    ]);
    let decision = decided(&moved);
    let moved = control(&decision, "CHG-21");
    assert_eq!(moved["verdict"], "pass", "{moved:#}");
    reviewed(&bench, &id);
    assert_eq!(entry(&bench)["use"], "used");
}

/// A merge request whose head moved after the approval: the approval is for the old head.
#[test]
fn on_gitlab_a_new_push_voids_an_override_and_its_approval() {
    let bench = Bench::on_gitlab(ON_GITLAB);
    let id = asked_and_approved(&bench);
    bench
        .forge
        .with(|acme| acme.push(42, "tom", "One more line"));
    say(&bench, "ana", &format!("/ccgate approve {id}"));
    let (code, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "void");
    let approvals = decision["approvals"].as_array().expect("a list");
    assert!(approvals.iter().all(|one| one["counts"] == false));
    assert!(
        approvals.last().is_some_and(|one| one["why"]
            .as_str()
            .is_some_and(|why| why.contains("an older head"))),
        "{approvals:#?}"
    );
}

/// Who approved takes the approval back, goes by another name and reviews what they gave; in
/// the meantime somebody else has the name.
#[test]
fn who_approved_and_goes_by_another_name_now_has_reviewed_nothing() {
    for bench in [Bench::new(), Bench::on_gitlab(ON_GITLAB)] {
        let id = asked_and_approved(&bench);
        bench.forge.with(|acme| {
            let comments = &mut acme.change(42).comments;
            comments.retain(|one| one["author"]["login"] != "ana");
            acme.rename("ana", "anna");
            acme.register("ana the second", "ana");
            acme.security_team.push("ana the second".to_owned());
        });
        for account in ["ana", "ana the second"] {
            say(&bench, account, &format!("/ccgate review {id} ratified"));
            bench.decision(&IN_LEDGER);
            let entry = entry(&bench);
            assert_eq!(entry["by"], "ana", "as it was when it was given");
            assert_eq!(entry["standing"], "open", "{account}: {entry:#}");
        }
        say(&bench, "li", &format!("/ccgate review {id} ratified"));
        bench.decision(&IN_LEDGER);
        assert_eq!(entry(&bench)["reviewer"], "li");
    }
}

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
        let alone = statement(&[]);
        assert_eq!(alone.code, 2, "{}", alone.stdout);
        assert!(alone.stderr.contains("`--asked`"), "{}", alone.stderr);
        let text = statement(&["--asked", REQUEST]).stdout;
        let signature = key
            .sign("ccgate-override", HashAlg::Sha512, text.as_bytes())
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .expect("a signature");
        let signed_at = text.lines().last().expect("its last line");
        let body = format!("{approve}\n```ccgate-signature\n{signed_at}\n{signature}```");
        say(&bench, "ana", &body);
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
        let armour = key(number)
            .0
            .sign(namespace, HashAlg::Sha512, ended.stdout.as_bytes())
            .and_then(|signature| signature.to_pem(LineEnding::LF))
            .expect("a signature");
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
    sign(REQUEST, "43", &[], "ccgate-override", 1);
    nothing("is for change 43", "statement.sig");
    sign(
        &REQUEST.replace("4h", "3h"),
        "42",
        &[],
        "ccgate-override",
        1,
    );
    nothing("something else", "statement.sig");
    sign(REQUEST, "42", &[], "ccgate-override", 1);
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
    sign(&comment, "42", &["--asked", REQUEST], "ccgate-override", 2);
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
    let signature = key
        .sign("ccgate-override", HashAlg::Sha512, text.as_bytes())
        .and_then(|signature| signature.to_pem(LineEnding::LF))
        .expect("a signature");
    let signed_at = text.lines().last().expect("its last line");
    let body = format!("{comment}\n```ccgate-signature\n{signed_at}\n{signature}```");
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

/// The gate's own run waits for an environment, and who lets it pass approves with the same words.
#[test]
fn an_approval_in_an_environment_opens_the_run_that_it_was_given_to_and_no_other() {
    let bench = Bench::new();
    also_of_overrides(&bench, "  environments: [change-override]\n");
    let (asked, id) = asked(&bench);
    // Time goes on: what was seen no later than the request was counts for nothing.
    say(&bench, "ana", "Let me look.");
    let comment = format!("/ccgate approve {id}");
    bench.forge.with(|acme| {
        acme.run_approvals = vec![
            (7, "tom".to_owned(), comment.clone()),
            (8, "ana".to_owned(), comment.clone()),
            (8, "ana".to_owned(), "fine".to_owned()),
        ];
    });
    let requests = |of: &Value| of["requests"]["count"].as_u64().expect("a number");
    // Outside of a run nothing is asked.
    let (code, without) = bench.decision(&IN_LEDGER);
    assert_eq!((code, requests(&without)), (1, requests(&asked)));
    let bench = bench.env("GITHUB_RUN_ID", "7");
    let (code, own) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 1, "{own:#}");
    assert_eq!(requests(&own), requests(&asked) + 2);
    assert_eq!(own["approvals"][0]["door"], "environment");
    assert_eq!(own["approvals"][0]["counts"], false);
    let bench = bench.env("GITHUB_RUN_ID", "8");
    let (code, given) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 0, "{given:#}");
    let given = &given["overrides"][0];
    assert_eq!(
        (&given["approved_by"], &given["approval_door"]),
        (&json!("ana"), &json!("environment"))
    );
    let entry = entry(&bench);
    assert_eq!(
        (&entry["by"], &entry["requester"], &entry["approved_apart"]),
        (&json!("ana"), &json!("tom"), &json!(true))
    );
    // Who approved there does not review, in whichever run.
    let bench = bench.env("GITHUB_RUN_ID", "9");
    say(&bench, "ana", &format!("/ccgate review {id} ratified"));
    let (_, later) = bench.decision(&IN_LEDGER);
    let why = later["reviews"][0]["why"].as_str().unwrap_or_default();
    assert_eq!(later["reviews"][0]["counts"], false, "{later:#}");
    assert!(!why.is_empty());
}

/// On GitLab a job can approve in the name of whoever started it: only who signs has approved.
#[test]
fn on_gitlab_an_approval_of_the_gates_own_deployment_counts_with_its_authors_signature() {
    let pair = Ed25519Keypair::from_seed(&[2; 32]);
    let key = PrivateKey::new(KeypairData::Ed25519(pair), "").expect("a key");
    let line = key.public_key().to_openssh().expect("its public half");
    let line = line.trim_end();
    let bench = Bench::on_gitlab(&format!(
        "{ON_GITLAB}  environments: [change-override]\n  signers: {{'@ana': ['{line}']}}\n"
    ));
    say(&bench, "tom", REQUEST);
    let (_, asked) = bench.decision(&IN_LEDGER);
    let id = asked["overrides"][0]["recorded_as"]
        .as_str()
        .expect("an id");
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
    let signature = key
        .sign("ccgate-override", HashAlg::Sha512, text.as_bytes())
        .expect("a signature");
    let armour = signature.to_pem(LineEnding::LF).expect("its armour");
    std::fs::write(bench.path("statement"), &text).expect("a folder");
    std::fs::write(bench.path("statement.sig"), armour).expect("a folder");
    let signature = STANDARD.encode(signature.signature().as_bytes());
    let signed_at = text.lines().last().expect("its last line");
    let signed_at = signed_at.trim_start_matches("signed-at ");
    let signed = format!("{comment} signed {signed_at} {signature}");
    let print = ["override", "approve", id, "--for-deployment"];
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

/// A waiver is no override: it is named as what it is, and counts nowhere as one.
#[test]
fn a_waiver_of_the_policy_stands_in_the_register_under_its_own_kind() {
    let waiver = "waivers:\n- {control: approver-is-independent, scope: 'acme/*', reason: the team is two people, \
                  owner: '@ana', approved_by: '@li', expires: 2026-06-20}\n";
    let bench = Bench::on_gitlab(&format!("{ON_GITLAB}{waiver}"));
    let (code, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 0, "{decision:#}");
    assert_eq!(control(&decision, "CHG-04")["disposition"], "waived");
    say(&bench, "ana", REQUEST);
    let (_, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(decision["overrides"][0]["state"], "unmatched");
    assert_eq!(decision["overrides"][0]["kind"], "break_glass");
    let list = register(&bench);
    assert_eq!(list["overrides"], json!([]));
    let waived = &list["exemptions"][0];
    assert_eq!(
        (&waived["kind"], &waived["what"], &waived["changes"]),
        (
            &json!("waiver"),
            &json!("approver-is-independent"),
            &json!(1)
        )
    );
    let text = bench.run(&["override", "list", "dir:ledger"]).stdout;
    assert!(text.contains("waiver wvr_"), "{text}");
    assert!(text.contains("0 in all"), "{text}");
}

/// What would be posted is shown and nothing is; no other command posts it.
#[test]
fn a_notice_tells_of_what_the_ledger_of_this_repository_holds_and_only_notify_posts_it() {
    for mut bench in [Bench::new(), Bench::on_gitlab(ON_GITLAB)] {
        let id = asked_and_approved(&bench);
        let said = bench.forge.with(|acme| acme.change(42).comments.len());
        assert_eq!(said, 5, "what people wrote, and nothing of the gate's");
        let notify = |bench: &Bench, more: &[&str]| {
            let mut arguments = vec!["override", "notify", "dir:ledger"];
            arguments.extend(more);
            bench.run(&arguments)
        };
        let here = ["--repo", "acme/payments"];
        let of_change = [&here[..], &["--change", "42"]].concat();
        let of_all = [&here[..], &["--issue"]].concat();

        // Whose the token is cannot be asked there: nothing is posted.
        let ended = notify(&bench, &of_change);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(
            ended.stderr.contains("nothing was posted"),
            "{}",
            ended.stderr
        );

        bench.env.remove("CCGATE_TOKEN");
        for place in [&of_change, &of_all] {
            let ended = notify(&bench, &[&place[..], &["--dry-run"]].concat());
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            assert!(
                ended
                    .stdout
                    .starts_with("<!-- ccgate:overrides:acme/payments")
            );
            let review = format!("`/ccgate review {id} ratified`");
            assert!(ended.stdout.contains(&review), "{}", ended.stdout);
            assert!(ended.stdout.contains("asked for by tom, approved by ana"));

            let ended = notify(&bench, place);
            assert_eq!(ended.code, 2, "no token: {}", ended.stderr);
            assert!(ended.stderr.contains("CCGATE_TOKEN"), "{}", ended.stderr);
        }
        let other = ["--repo", "acme/ledger", "--issue", "--dry-run"];
        let ended = notify(&bench, &other);
        assert_eq!(ended.code, 5, "{}", ended.stdout);
        assert!(ended.stdout.is_empty(), "{}", ended.stdout);
        for wrong in [&here[..], &[&of_change[..], &["--issue"]].concat()] {
            assert_eq!(notify(&bench, wrong).code, 2);
        }
        let now = bench.forge.with(|acme| acme.change(42).comments.len());
        assert_eq!(now, said);
    }
}

/// The author asks; who may not approve tries; somebody else approves. Gives the id.
fn asked_and_approved(bench: &Bench) -> String {
    let say = |login: &str, words: &str| say(bench, login, words);
    let check = || bench.decision(&IN_LEDGER);
    bench.forge.with(|acme| {
        acme.security_team.push("li".to_owned());
        acme.security_team.push("tom".to_owned());
    });
    say("tom", REQUEST);
    let (code, decision) = check();
    assert_eq!(code, 1, "asking opens nothing: {decision:#}");
    let request = &decision["overrides"][0];
    assert_eq!(request["state"], "requested", "{request:#}");
    let id = request["recorded_as"].as_str().expect("an id").to_owned();

    // Tom is of those who may override, and a co-author of the change, and he asked.
    say("tom", &format!("/ccgate approve {id}"));
    // A stranger, and an approval of something else.
    say("mallory", &format!("/ccgate approve {id}"));
    say("ana", "/ccgate approve ovr_00000000000000000000000000");
    let (code, decision) = check();
    assert_eq!(code, 1, "{decision:#}");
    let approvals = decision["approvals"].as_array().expect("a list");
    assert_eq!(approvals.len(), 3);
    assert!(approvals.iter().all(|one| one["counts"] == false));

    say("ana", &format!("/ccgate approve {id}"));
    let (code, decision) = check();
    assert_eq!(code, 0, "{decision:#}");
    let given = &decision["overrides"][0];
    assert_eq!(given["state"], "accepted");
    assert_eq!(
        (&given["by"], &given["approved_by"]),
        (&json!("tom"), &json!("ana"))
    );
    assert_eq!(
        control(&decision, "CHG-04")["verdict"],
        "fail",
        "the finding stays"
    );
    id
}

/// Who approved does not review; somebody else does, and the register tells the whole life.
fn reviewed(bench: &Bench, id: &str) {
    say(bench, "ana", &format!("/ccgate review {id} ratified"));
    say(bench, "li", &format!("/ccgate review {id} follow_up ENG-7"));
    let (_, decision) = bench.decision(&IN_LEDGER);
    let counts: Vec<_> = decision["reviews"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| &one["counts"])
        .collect();
    assert_eq!(counts, [false, true], "who approved does not review");
    let list = register(bench);
    let entry = &list["overrides"][0];
    assert_eq!(entry["id"], id);
    assert_eq!(entry["kind"], "break_glass");
    assert_eq!(
        (&entry["requester"], &entry["by"], &entry["term"]),
        (&json!("tom"), &json!("ana"), &json!("running"))
    );
    assert_eq!(
        (&entry["standing"], &entry["reviewer"], &entry["outcome"]),
        (&json!("reviewed"), &json!("li"), &json!("follow_up"))
    );
    let in_vain: Vec<_> = list["attempts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|one| {
            (
                one["by"].as_str().unwrap_or_default(),
                one["self_approved"] == true,
            )
        })
        .collect();
    assert_eq!(in_vain, [("tom", true), ("mallory", false), ("ana", false)]);
    let text = bench.run(&["override", "list", "dir:ledger"]).stdout;
    assert!(
        text.contains("3 attempts in vain, 1 of them self-approved"),
        "{text}"
    );
    assert!(text.contains("@ana: asked for 0, answers for 1"), "{text}");
    assert_eq!(bench.run(&["ledger", "verify", "dir:ledger"]).code, 0);
}

/// The policy says that too of overrides.
fn also_of_overrides(bench: &Bench, rules: &str) {
    bench.forge.with(|acme| {
        let policy = acme.policy.take().expect("a policy");
        let (above, below) = policy.split_once("overrides:\n").expect("the section");
        acme.policy = Some(format!("{above}overrides:\n{rules}{below}"));
    });
}

/// @tom asks. Gives what the gate made of it and the id of the override.
fn asked(bench: &Bench) -> (Value, String) {
    say(bench, "tom", REQUEST);
    let (_, decision) = bench.decision(&IN_LEDGER);
    let id = decision["overrides"][0]["recorded_as"].as_str();
    let id = id.expect("an id").to_owned();
    (decision, id)
}

/// A key of nobody, told apart by a number, and its public half as policies list it.
fn key(number: u8) -> (PrivateKey, String) {
    let pair = Ed25519Keypair::from_seed(&[number; 32]);
    let key = PrivateKey::new(KeypairData::Ed25519(pair), "").expect("a key");
    let line = key.public_key().to_openssh().expect("its public half");
    (key, line)
}

fn say(bench: &Bench, login: &str, words: &str) {
    bench.forge.with(|acme| acme.comment(42, login, words));
}

fn register(bench: &Bench) -> Value {
    decided(&bench.run(&["override", "list", "dir:ledger", "--format", "json"]))
}

fn entry(bench: &Bench) -> Value {
    register(bench)["overrides"][0].clone()
}

fn decided(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr))
}

fn tip(bench: &Bench) -> String {
    bench.forge.with(|acme| acme.main())
}
