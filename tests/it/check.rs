//! `ccgate check` from outside: real requests over HTTP to the small forge.

use serde_json::{Value, json};

use crate::support::{Bench, control};

const OVERRIDE: &str =
    "/ccgate override CHG-04 INC-482 Card capture is down; the reviewer on call is unreachable";

#[test]
fn a_change_approved_only_by_one_of_its_authors_is_blocked() {
    let bench = Bench::new();
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["schema"], "ccgate.decision/v1");
    assert_eq!(decision["decision"], "block");
    assert_eq!(decision["exit_code"], 1);
    assert_eq!(decision["subject"]["change"], 42);
    assert_eq!(decision["policy"]["source"], ".ccgate.yml@main");
    let independence = control(&decision, "CHG-04");
    assert_eq!(independence["verdict"], "fail");
    assert_eq!(independence["disposition"], "open");
    assert_eq!(independence["reason"], "not_independent");
    assert!(
        independence["summary"]
            .as_str()
            .is_some_and(|summary| summary.contains("tom")),
        "{independence:#}"
    );
    assert!(independence["next"].is_string());
}

#[test]
fn a_review_by_somebody_else_opens_the_gate() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    let (code, decision) = bench.decision(&[]);
    assert_eq!(
        (code, &decision["decision"]),
        (0, &json!("allow")),
        "{decision:#}"
    );
    assert_eq!(control(&decision, "CHG-04")["verdict"], "pass");
}

#[test]
fn an_override_by_a_second_person_opens_it_and_stays_in_the_ledger() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.comment(42, "ana", OVERRIDE));
    let (code, decision) = bench.decision(&["--ledger", "dir:ledger"]);
    assert_eq!(
        (code, &decision["decision"]),
        (0, &json!("allow")),
        "{decision:#}"
    );
    let independence = control(&decision, "CHG-04");
    assert_eq!(independence["verdict"], "fail", "the finding stays");
    assert_eq!(independence["disposition"], "overridden");
    let accepted = &decision["overrides"][0];
    assert_eq!(accepted["by"], "ana");
    assert_eq!(accepted["ticket"], "INC-482");
    assert!(accepted["expires"].is_string());
    let shown = bench.run(&["ledger", "show", "dir:ledger"]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("INC-482"), "{}", shown.stdout);
    assert_eq!(bench.run(&["ledger", "verify", "dir:ledger"]).code, 0);
}

/// From the request to the review: the register is made of records alone.
#[test]
fn an_override_is_open_until_somebody_else_reviewed_it() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.security_team.push("li".to_owned());
        acme.comment(42, "ana", OVERRIDE);
    });
    let list = || {
        let ended = bench.run(&["override", "list", "dir:ledger", "--format", "json"]);
        let text: Value = serde_json::from_str(&ended.stdout).expect("JSON");
        (ended.code, text["overrides"].clone())
    };
    let check = || bench.decision(&["--ledger", "dir:ledger"]).1;
    let decision = check();
    let id = decision["overrides"][0]["recorded_as"]
        .as_str()
        .expect("an id")
        .to_owned();
    let (code, overrides) = list();
    assert_eq!((code, &overrides[0]["standing"]), (0, &json!("open")));
    assert_eq!(overrides[0]["id"], id.as_str());
    assert_eq!(overrides[0]["by"], "ana");
    assert!(overrides[0]["due"].is_string(), "{overrides:#}");

    // The one who gave it does not review it.
    bench
        .forge
        .with(|acme| acme.comment(42, "ana", &format!("/ccgate review {id} ratified")));
    let decision = check();
    assert_eq!(decision["reviews"][0]["counts"], false, "{decision:#}");
    assert_eq!(list().1[0]["standing"], "open");

    bench
        .forge
        .with(|acme| acme.comment(42, "li", &format!("/ccgate review {id} ratified")));
    let decision = check();
    assert_eq!(decision["reviews"][1]["counts"], true, "{decision:#}");
    check();
    let (code, overrides) = list();
    assert_eq!((code, &overrides[0]["standing"]), (0, &json!("reviewed")));
    assert_eq!(overrides[0]["reviewer"], "li");
    assert_eq!(overrides.as_array().map(Vec::len), Some(1));
    let open = bench.run(&["override", "list", "dir:ledger", "--open"]);
    assert!(!open.stdout.contains(&id), "{}", open.stdout);
    assert!(
        open.stdout.contains("1 reviewed in time"),
        "{}",
        open.stdout
    );
    assert_eq!(bench.run(&["ledger", "verify", "dir:ledger"]).code, 0);
}

/// Only a ledger that was read can be empty, and the job does not choose which.
#[test]
fn what_the_ledger_tells_of_overrides_is_judged_and_without_one_it_is_unknown() {
    let bench = Bench::new();
    let own = "version: 1\ncontrols: {overrides-valid: {}, overrides-reviewed-in-time: {}, approver-is-independent: {}}\n\
               overrides: {allowed_by: [\"@ana\"], review_within: 1h}\n";
    bench.forge.with(|acme| {
        acme.policy = Some(own.to_owned());
        acme.comment(42, "ana", OVERRIDE);
    });
    let verdicts = |more: &[&str]| {
        let (_, decision) = bench.decision(more);
        ["EVD-02", "EVD-03"].map(|code| {
            control(&decision, code)["verdict"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
    };
    let ledger = ["--ledger", "dir:ledger"];
    assert_eq!(
        verdicts(&ledger),
        ["unknown", "unknown"],
        "there is none yet"
    );
    assert_eq!(
        verdicts(&ledger),
        ["pass", "pass"],
        "one override, with time to review it"
    );
    bench.forge.with(|acme| acme.wait_hours(2));
    let (code, decision) = bench.decision(&ledger);
    let late = control(&decision, "EVD-03");
    assert_eq!((code, &late["verdict"]), (1, &json!("fail")), "{late:#}");

    // A record of it that was exchanged makes all of it unknown.
    let bundle = bench.path("ledger/log/tile/entries/000.p");
    let file = std::fs::read_dir(bundle)
        .expect("a bundle")
        .next()
        .expect("one")
        .expect("readable")
        .path();
    let text = std::fs::read(&file).expect("a bundle");
    std::fs::write(&file, &text[..text.len() / 2]).expect("written");
    assert_eq!(verdicts(&ledger)[0], "unknown");

    let named = format!("{own}ledger: {{url: \"dir:ledger\"}}\n");
    bench.forge.with(|acme| acme.policy = Some(named));
    let (_, decision) = bench.decision(&["--ledger", "dir:other"]);
    let other = control(&decision, "EVD-02");
    assert_eq!(other["verdict"], "unknown", "{other:#}");
    assert!(
        other["summary"]
            .as_str()
            .is_some_and(|said| said.contains("another ledger")),
        "{other:#}"
    );
}

/// The same by the command line: what is posted is the comment that counts.
#[test]
fn an_override_is_asked_for_and_approved_by_the_command_line() {
    let bench = Bench::new();
    let on = ["--repo", "acme/payments", "--change", "42"];
    let create = [
        "override",
        "create",
        "--control",
        "CHG-04",
        "--ticket",
        "INC-482",
        "--expires",
        "4h",
        "--reason",
        "Card capture is down; the reviewer on call is unreachable",
    ];
    let create = [&create[..], &on[..]].concat();
    let refused = bench.run(&create);
    assert_eq!(refused.code, 3, "{}", refused.stderr);
    assert!(
        refused
            .stderr
            .contains("a token that only reads cannot comment"),
        "{}",
        refused.stderr
    );

    bench
        .forge
        .with(|acme| acme.writer = Some("tom".to_owned()));
    let asked = bench.run(&create);
    assert_eq!(asked.code, 0, "{}", asked.stderr);
    assert!(
        asked.stdout.contains("posted by @tom: https://forge.test/"),
        "{}",
        asked.stdout
    );
    assert!(
        asked
            .stdout
            .contains("/ccgate override CHG-04 INC-482 expires:4h"),
        "{}",
        asked.stdout
    );
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1);
    let id = decision["overrides"][0]["recorded_as"]
        .as_str()
        .expect("an id")
        .to_owned();

    bench
        .forge
        .with(|acme| acme.writer = Some("ana".to_owned()));
    let approve = [&["override", "approve", &id][..], &on[..]].concat();
    assert_eq!(bench.run(&approve).code, 0);
    let (code, decision) = bench.decision(&["--ledger", "dir:ledger"]);
    assert_eq!(code, 0, "{decision:#}");
    assert_eq!(decision["overrides"][0]["approved_by"], "ana");

    let odd = [&["override", "approve", "ovr_1 x"][..], &on[..]].concat();
    assert_eq!(
        bench.run(&odd).code,
        2,
        "nothing is posted that would be read otherwise"
    );
    let mut bench = bench;
    bench.env.remove("CCGATE_TOKEN");
    bench
        .env
        .insert("GITHUB_TOKEN".to_owned(), "of the job".to_owned());
    let ended = bench.run(&approve);
    assert_eq!(ended.code, 2, "{}", ended.stderr);
    assert!(ended.stderr.contains("your own token"), "{}", ended.stderr);
}

#[test]
fn a_new_push_voids_an_override() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.comment(42, "ana", OVERRIDE);
        acme.push(42, "tom", "One more line");
        acme.approve(42, "tom");
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "void");
}

#[test]
fn an_override_by_the_last_pusher_opens_nothing() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.security_team.push("tom".to_owned());
        acme.comment(42, "tom", OVERRIDE);
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "requested");
}

#[test]
fn an_override_by_somebody_whom_the_policy_does_not_name_opens_nothing() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.comment(42, "li", OVERRIDE));
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "requested");
}

#[test]
fn an_edited_override_is_refused() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.comment(42, "ana", OVERRIDE);
        let comment = &mut acme.change(42).comments[0];
        comment["lastEditedAt"] = json!("2026-06-01T09:00:00Z");
        comment["includesCreatedEdit"] = json!(true);
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "refused");
}

#[test]
fn an_override_ends_with_its_time() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.comment(42, "ana", OVERRIDE);
        acme.wait_hours(25);
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 1, "{decision:#}");
    assert_eq!(decision["overrides"][0]["state"], "expired");
}

#[test]
fn a_change_without_approval_waits_while_the_platform_holds_it() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        let change = acme.change(42);
        change.reviews.clear();
        for commit in &mut change.commits {
            "lena".clone_into(&mut commit.author);
        }
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(
        (code, &decision["decision"]),
        (0, &json!("pending")),
        "{decision:#}"
    );
}

#[test]
fn a_change_by_several_people_waits_at_the_gate_since_the_platform_would_take_their_own_approval() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.change(42).reviews.clear());
    let (code, decision) = bench.decision(&[]);
    assert_eq!(
        (code, &decision["decision"]),
        (4, &json!("pending")),
        "{decision:#}"
    );
}

#[test]
fn a_change_without_approval_is_stopped_where_the_platform_would_let_it_through() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.change(42).reviews.clear();
        acme.rules.retain(|rule| rule["type"] != "pull_request");
        acme.policy = Some("version: 1\ncontrols:\n  approvals-sufficient: {min: 1}\n".to_owned());
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(
        (code, &decision["decision"]),
        (4, &json!("pending")),
        "{decision:#}"
    );
}

/// The trick: a pattern that matches nothing, so that no result can be bad.
#[test]
fn a_required_result_that_no_file_matches_leaves_the_gate_undecided() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.approve(42, "li");
        acme.policy = Some(
            "version: 1\ncontrols: {sast-clean: {}}\nscans: [{tool: probe, path: 'out/*.sarif'}]\n"
                .to_owned(),
        );
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 3, "{decision:#}");
    let control = control(&decision, "SCAN-01");
    assert_eq!(control["verdict"], "unknown");
    assert!(control.to_string().contains("out/*.sarif"), "{control:#}");
}

/// The trick: a result that is to come from a pipe into which nobody writes.
#[test]
fn an_empty_standard_input_is_no_report() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.policy = Some(
            "version: 1\ncontrols: {sast-clean: {}}\nscans: [{tool: probe, path: '-', format: sarif}]\n".to_owned(),
        );
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(code, 3, "nothing comes in: {decision:#}");
    let words = control(&decision, "SCAN-01").to_string();
    assert!(words.contains("the file is empty"), "{words}");
}

#[test]
fn a_missing_policy_is_never_a_pass() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.policy = None);
    let ended = bench.check(&[]);
    assert_eq!(ended.code, 2, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stderr.contains(".ccgate.yml"), "{}", ended.stderr);
}

#[test]
fn a_broken_policy_names_every_problem_with_its_place() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.policy = Some(
            "version: 1\nextends: [soc2-baseline]\ncontrols:\n  approvals-sufficient: {mim: 2}\n  tiket-linked: {}\n"
                .to_owned(),
        );
    });
    let ended = bench.check(&[]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.stderr.contains(".ccgate.yml@main:4:"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("did you mean `min`"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains(".ccgate.yml@main:5:"),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("did you mean `ticket-linked`"),
        "{}",
        ended.stderr
    );
}

#[test]
fn without_a_token_nothing_is_asked() {
    let mut bench = Bench::new();
    bench.env.remove("CCGATE_TOKEN");
    let ended = bench.check(&[]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("CCGATE_TOKEN"), "{}", ended.stderr);
}

#[test]
fn the_same_snapshot_gives_the_same_bytes_offline() {
    let bench = Bench::new();
    let live = bench.check(&[
        "--format",
        "json",
        "--save-snapshot",
        "facts.json",
        "--ledger",
        "dir:ledger",
    ]);
    let mut elsewhere = Bench::new();
    elsewhere.env.clear();
    std::fs::copy(bench.path("facts.json"), elsewhere.path("facts.json")).expect("a copy");
    let again = elsewhere.run(&["check", "--snapshot", "facts.json", "--format", "json"]);
    assert_eq!(live.stdout, again.stdout);
    assert_eq!(live.code, again.code);
}

#[test]
fn a_token_that_sees_less_never_gives_a_better_decision() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.bypass_actors = None);
    let (_, decision) = bench.decision(&["--policy", "soc2-strict"]);
    assert_eq!(control(&decision, "BR-22")["verdict"], "unknown", "F9");
    assert_ne!(decision["exit_code"], 0);
}

#[test]
fn a_check_costs_few_requests_in_two_waves() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    let (_, decision) = bench.decision(&["--policy", "soc2-baseline"]);
    let requests = &decision["requests"];
    assert!(
        requests["count"].as_u64().is_some_and(|count| count <= 20),
        "{requests}"
    );
    assert!(
        requests["waves"].as_u64().is_some_and(|waves| waves <= 2),
        "{requests}"
    );
}

#[test]
fn a_change_that_moves_while_it_is_read_is_read_again() {
    for times in [1, 2] {
        let bench = Bench::new();
        bench.forge.with(|acme| acme.restless = times);
        let (_, decision) = bench.decision(&[]);
        assert_eq!(decision["requests"]["read_again"], times, "{decision:#}");
        let head = bench.forge.with(|acme| acme.change(42).head().to_owned());
        assert_eq!(decision["subject"]["head"], head.as_str());
        assert_eq!(control(&decision, "CHG-04")["verdict"], "fail");
    }
    let (_, decision) = Bench::new().decision(&[]);
    assert!(decision["requests"]["read_again"].is_null());
}

#[test]
fn a_change_that_never_stands_still_is_unknown_and_says_so() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.approve(42, "li");
        acme.restless = 3;
    });
    let (code, decision) = bench.decision(&[]);
    assert_ne!(code, 0);
    assert_eq!(decision["requests"]["read_again"], 2);
    for code in ["CHG-02", "CHG-03", "CHG-04"] {
        let control = control(&decision, code);
        assert_eq!(control["verdict"], "unknown", "{control:#}");
        assert!(
            control
                .to_string()
                .contains("moved while it was read, 3 times")
        );
    }
}

#[test]
fn a_run_for_a_head_that_is_left_while_it_is_read_decides_nothing() {
    let bench = Bench::new();
    let head = bench.forge.with(|acme| {
        acme.approve(42, "li");
        acme.restless = 1;
        acme.change(42).head().to_owned()
    });
    let (code, decision) = bench.decision(&["--head", &head]);
    assert_ne!(code, 0);
    assert_eq!(decision["decision"], "undecided", "{decision:#}");
}

#[test]
fn hostile_text_is_harmless_in_every_format() {
    let bench = Bench::new().env("GITHUB_ACTIONS", "true");
    bench.forge.with(|acme| {
        acme.change(42).title =
            "\u{1b}[2J\u{202e}x\n::set-output name=result::allow\n|`@everyone`| <img src=x onerror=y>".to_owned();
    });
    for format in ["human", "json", "sarif", "markdown", "github"] {
        let ended = bench.check(&["--format", format]);
        assert_eq!(ended.code, 1, "{format}");
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains("\u{1b}[2J"), "{format}: {text}");
            assert!(!text.contains('\u{202e}'), "{format}: {text}");
            assert!(
                !text.lines().any(|line| line.starts_with("::set-output")),
                "{format}: {text}"
            );
        }
        if format == "markdown" {
            assert!(!ended.stdout.contains("<img"), "{}", ended.stdout);
            assert!(!ended.stdout.contains("@everyone"), "{}", ended.stdout);
        }
    }
}

#[test]
fn a_step_of_github_actions_gets_its_summary_and_outputs_before_the_exit() {
    let bench = Bench::new();
    let (summary, outputs) = (bench.path("summary.md"), bench.path("outputs"));
    let bench = bench
        .env("GITHUB_ACTIONS", "true")
        .env(
            "GITHUB_STEP_SUMMARY",
            summary.to_str().expect("a UTF-8 path"),
        )
        .env("GITHUB_OUTPUT", outputs.to_str().expect("a UTF-8 path"));
    assert_eq!(bench.check(&[]).code, 1);
    let outputs = std::fs::read_to_string(outputs).expect("outputs were written");
    assert!(outputs.contains("\nblock\n"), "{outputs}");
    assert!(outputs.contains("CHG-04"), "{outputs}");
    assert!(std::fs::read_to_string(summary).is_ok_and(|text| text.contains("ccgate")));
}

#[test]
fn a_step_whose_override_could_not_be_recorded_does_not_say_allow() {
    let bench = Bench::new();
    let outputs = bench.path("outputs");
    std::fs::write(bench.path("ledger"), "a file where a folder should be").expect("written");
    let bench = bench
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", outputs.to_str().expect("a UTF-8 path"));
    bench.forge.with(|acme| acme.comment(42, "ana", OVERRIDE));
    assert_eq!(bench.check(&["--ledger", "dir:ledger"]).code, 5);
    let outputs = std::fs::read_to_string(outputs).expect("outputs were written");
    assert!(!outputs.contains("\nallow\n"), "{outputs}");
    assert!(outputs.contains("\nblock\n"), "{outputs}");
}

#[test]
fn the_mode_flag_lowers_the_gate_visibly() {
    let bench = Bench::new();
    let (code, decision) = bench.decision(&["--mode", "advisory"]);
    assert_eq!(code, 0);
    assert_eq!(decision["policy"]["mode"], "advisory");
    assert_eq!(control(&decision, "CHG-04")["disposition"], "advisory");
    assert!(
        decision["notes"].to_string().contains("--mode advisory"),
        "{decision:#}"
    );
}

#[test]
fn a_run_for_another_head_does_not_speak_for_this_one() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    let ended = bench.check(&["--head", &"0".repeat(40), "--format", "json"]);
    assert_eq!(ended.code, 3, "{}", ended.stdout);
}

#[test]
fn f7_the_verdict_depends_on_the_repository() {
    let bench = Bench::new();
    let protected = |bench: &Bench| {
        let (_, decision) = bench.decision(&["--policy", "soc2-all"]);
        control(&decision, "BR-01")["verdict"].clone()
    };
    assert_eq!(protected(&bench), "pass");
    bench.forge.with(|acme| acme.rules.clear());
    assert_eq!(protected(&bench), "fail");
}

#[test]
fn a_required_check_that_runs_is_waited_for_beside_the_gates_own() {
    let bench = Bench::new();
    bench.forge.with(|acme| {
        acme.approve(42, "li");
        let change = acme.change(42);
        change.checks[0].status = "IN_PROGRESS".to_owned();
        change.checks[0].conclusion = None;
        let mut own = change.checks[0].clone();
        own.name = "ccgate".to_owned();
        change.checks.push(own);
    });
    let (code, decision) = bench.decision(&[]);
    assert_eq!(
        (code, &decision["decision"]),
        (0, &json!("pending")),
        "{decision:#}"
    );
    bench.forge.with(|acme| {
        let check = &mut acme.change(42).checks[0];
        check.status = "COMPLETED".to_owned();
        check.conclusion = Some("SUCCESS".to_owned());
    });
    assert_eq!(bench.decision(&[]).0, 0);
}

#[test]
fn explain_shows_who_had_a_hand_in_a_change_and_what_each_review_is_worth() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    let ended = bench.run(&[
        "explain",
        "CHG-04",
        "--repo",
        "acme/payments",
        "--platform",
        "github",
        "--change",
        "42",
    ]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in [
        "approver-is-independent: pass",
        "@lena opened it",
        "@tom wrote a commit",
        "@tom approved at ",
        "does not count: the reviewer had a hand in the change: wrote a commit",
        "@li approved at ",
        "counts: the reviewer may write and had no hand in the change",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}
