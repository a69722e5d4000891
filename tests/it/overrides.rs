//! The life of an override from request to review, on both platforms: the author asks, who
//! may not approve; somebody else does; a third person reviews it.

use serde_json::{Value, json};

use crate::support::{Bench, Ended, control};

pub(crate) const REQUEST: &str = "/ccgate override CHG-04 INC-482 expires:4h Card capture is down; the reviewer on call is unreachable";

/// What the demonstration's policy says of overrides, beside the controls that the small
/// forge can answer for in GitLab's words.
pub(crate) const ON_GITLAB: &str = r#"version: 1
controls: {approver-is-independent: {}, branch-moves-through-changes: {}}
overrides:
  allowed_by: ["@acme/security"]
  ticket: "INC-[0-9]+"
  min_reason: 30
  max: 24h
"#;

pub(crate) const IN_LEDGER: [&str; 2] = ["--ledger", "dir:ledger"];

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

/// A guest of the organisation is an inherited member of each of its groups; the policy names one of
/// them for the people who were chosen for it.
#[test]
fn who_is_in_a_group_above_only_is_not_of_the_group_that_the_policy_names_on_gitlab() {
    let bench = Bench::on_gitlab(ON_GITLAB);
    for guest in ["li", "mallory"] {
        say(&bench, guest, REQUEST);
    }
    let standing = || {
        let (code, decision) = bench.decision(&IN_LEDGER);
        let overrides = decision["overrides"].as_array().cloned();
        let states = overrides.expect("a list").into_iter();
        let states: Vec<Value> = states.map(|one| one["state"].clone()).collect();
        (code, states)
    };
    assert_eq!(
        standing(),
        (1, vec![json!("requested"), json!("requested")])
    );
    // The same words of somebody who is taken into the group itself.
    bench
        .forge
        .with(|acme| acme.security_team.push("li".to_owned()));
    assert_eq!(standing(), (0, vec![json!("accepted"), json!("requested")]));
}

/// A service account may have any name, and nothing that GitLab shows with an approval or a comment
/// tells it from a person. Its token in a job could do both.
#[test]
fn a_service_account_with_a_persons_name_approves_nothing_on_gitlab() {
    let bench = Bench::on_gitlab(ON_GITLAB);
    bench.forge.with(|acme| {
        acme.security_team.push("li".to_owned());
        acme.approve(42, "li");
        acme.service_accounts.push("li".to_owned());
    });
    assert_eq!(bench.decision(&[]).0, 1, "the approval of a machine");
    bench.forge.with(|acme| acme.tells_of_bots = false);
    let (code, decision) = bench.decision(&[]);
    // Nobody's approval is left, so that one is waited for, with the gate closed.
    assert_eq!(code, 4, "of whom nothing is told: {decision:#}");
    bench.forge.with(|acme| {
        acme.tells_of_bots = true;
        acme.service_accounts.clear();
    });
    assert_eq!(bench.decision(&[]).0, 0, "a person's");
}

#[test]
fn a_service_account_asks_for_approves_and_reviews_no_override_on_gitlab() {
    let bench = Bench::on_gitlab(ON_GITLAB);
    let accounts = ["ana", "li"].map(str::to_owned);
    bench.forge.with(|acme| {
        acme.security_team = accounts.to_vec();
        acme.service_accounts = accounts.to_vec();
    });
    say(&bench, "li", REQUEST);
    let refused = |why: &str| {
        let (code, decision) = bench.decision(&IN_LEDGER);
        assert_ne!(code, 0, "{decision:#}");
        let one = &decision["overrides"][0];
        assert_eq!(one["state"], "refused", "{one:#}");
        assert!(one.to_string().contains(why), "{one:#}");
    };
    refused("@li is not known to be a person");
    bench.forge.with(|acme| acme.tells_of_bots = false);
    refused("since the platform did not tell");

    // Who opened the gate is a person; the one who approves what another asked for is a machine.
    bench.forge.with(|acme| {
        acme.tells_of_bots = true;
        acme.service_accounts = vec!["ana".to_owned()];
        acme.security_team.push("tom".to_owned());
        acme.change(42).comments.clear();
    });
    say(&bench, "tom", REQUEST);
    let (_, decision) = bench.decision(&IN_LEDGER);
    let id = decision["overrides"][0]["recorded_as"].clone();
    let id = id.as_str().expect("an id");
    say(&bench, "ana", &format!("/ccgate approve {id}"));
    let (code, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["approvals"][0]["counts"], false, "{decision:#}");
    say(&bench, "li", &format!("/ccgate approve {id}"));
    assert_eq!(bench.decision(&IN_LEDGER).0, 0);
    say(&bench, "ana", &format!("/ccgate review {id} ratified"));
    let (_, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(decision["reviews"][0]["counts"], false, "{decision:#}");
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

/// The head is the same: what was allowed for the branch that the change went to before is not
/// allowed for this one.
#[test]
fn on_github_another_target_voids_an_override_and_its_approval() {
    let bench = Bench::new();
    let id = asked_and_approved(&bench);
    bench.forge.with(|acme| acme.retarget(42));
    let (code, decision) = bench.decision(&IN_LEDGER);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "void");
    // An approval of it after that helps nothing; to ask again does.
    say(&bench, "ana", &format!("/ccgate approve {id}"));
    assert_eq!(bench.decision(&IN_LEDGER).0, 1);
    let (decision, _) = asked(&bench);
    let anew = &decision["overrides"][1];
    assert_eq!(anew["state"], "requested", "{decision:#}");
    assert_ne!(anew["recorded_as"], id);
    let id = anew["recorded_as"].as_str().expect("an id");
    say(&bench, "ana", &format!("/ccgate approve {id}"));
    assert_eq!(bench.decision(&IN_LEDGER).0, 0);
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
pub(crate) fn also_of_overrides(bench: &Bench, rules: &str) {
    bench.forge.with(|acme| {
        let policy = acme.policy.take().expect("a policy");
        let (above, below) = policy.split_once("overrides:\n").expect("the section");
        acme.policy = Some(format!("{above}overrides:\n{rules}{below}"));
    });
}

/// @tom asks. Gives what the gate made of it and the id of the override.
pub(crate) fn asked(bench: &Bench) -> (Value, String) {
    say(bench, "tom", REQUEST);
    let (_, decision) = bench.decision(&IN_LEDGER);
    let id = decision["overrides"][0]["recorded_as"].as_str();
    let id = id.expect("an id").to_owned();
    (decision, id)
}

pub(crate) fn say(bench: &Bench, login: &str, words: &str) {
    bench.forge.with(|acme| acme.comment(42, login, words));
}

fn register(bench: &Bench) -> Value {
    decided(&bench.run(&["override", "list", "dir:ledger", "--format", "json"]))
}

pub(crate) fn entry(bench: &Bench) -> Value {
    register(bench)["overrides"][0].clone()
}

fn decided(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout)
        .unwrap_or_else(|error| panic!("{error}\n{}\n{}", ended.stdout, ended.stderr))
}

fn tip(bench: &Bench) -> String {
    bench.forge.with(|acme| acme.main())
}
