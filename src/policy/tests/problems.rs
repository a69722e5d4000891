//! Each kind of problem, with its line and column.

use super::{problem, problems};

/// The cheat: one review, and a waiver for every ninety days of the next years.
#[test]
fn a_control_is_waived_once_for_a_scope() {
    let waiver = |control: &str, day: &str| {
        format!(
            "\n  - {{control: {control}, scope: \"*\", reason: r, owner: \"@ana\", approved_by: \"@li\", expires: {day}}}"
        )
    };
    let found = after_head(&format!(
        "waivers:{}{}",
        waiver("BR-18", "2027-01-31"),
        waiver("force-push-blocked", "2027-05-01")
    ));
    assert!(
        found.contains("`force-push-blocked` is waived twice for `*`"),
        "{found}"
    );
}

/// Three lines of a sound policy; a case starts in line 4.
const HEAD: &str = "version: 1\nextends: [soc2-baseline]\nmode: enforce\n";

fn after_head(text: &str) -> String {
    problem(&format!("{HEAD}{text}\n"))
}

#[test]
fn all_problems_come_at_once_in_order_of_place() {
    let all = problems(
        "version: 2\nextends: [soc2-basline]\nmod: enforce\ncontrols:\n  approvals-suficient: {}\n  \
         approvals-sufficient: {mim: 1, min: lots}\nmode: maybe\nmode: enforce\n",
    );
    let places: Vec<_> = all
        .iter()
        .map(|one| one.splitn(3, ':').take(2).collect::<Vec<_>>().join(":"))
        .collect();
    assert_eq!(
        places,
        ["1:10", "2:11", "3:1", "5:3", "6:26", "6:39", "7:7", "8:1"],
        "{all:#?}"
    );
}

#[test]
fn the_version_has_to_be_there_and_known() {
    assert_eq!(
        problem("extends: [soc2-baseline]\n"),
        "1:1: the policy lacks `version` (add `version: 1` as its first line)"
    );
    for (version, found) in [
        ("2", "the number `2`"),
        ("\"1\"", "`1`"),
        ("", "nothing"),
        ("[1]", "a list"),
    ] {
        let text = format!("version: {version}\nextends: [soc2-baseline]\n");
        let one = problem(&text);
        assert!(one.contains(&format!("unknown version: {found}")), "{one}");
    }
}

#[test]
fn a_policy_without_any_control_is_a_problem() {
    assert!(problem("version: 1\n").contains("enables no control"));
    assert!(problem("version: 1\nextends: []\ncontrols: {}\n").contains("enables no control"));
}

#[test]
fn an_unknown_key_is_guessed() {
    assert_eq!(
        after_head("overides: {}"),
        "4:1: the policy has no key `overides` (did you mean `overrides`?)"
    );
    assert_eq!(
        after_head("settings: {maxage: 24h}"),
        "4:12: `settings` has no key `maxage` (did you mean `max_age`?)"
    );
}

#[test]
fn a_key_given_twice_is_a_problem_wherever_it_is() {
    assert_eq!(
        after_head("mode: advisory"),
        "4:1: the key `mode` is given twice (first given in line 3)"
    );
    assert_eq!(
        after_head("controls: {ticket-linked: {enforce: warn, enforce: block}}"),
        "4:43: the key `enforce` is given twice (first given in line 4)"
    );
}

#[test]
fn one_control_by_id_and_by_code_is_given_twice() {
    assert_eq!(
        after_head("controls:\n  force-push-blocked: {}\n  BR-18: {}"),
        "6:3: the control `BR-18` is given twice (first given in line 5)"
    );
}

#[test]
fn an_unknown_control_is_guessed_or_the_list_is_named() {
    assert_eq!(
        after_head("controls: {force-push-block: {}}"),
        "4:12: there is no control `force-push-block` (did you mean `force-push-blocked`?)"
    );
    assert_eq!(
        after_head("controls: {zebra: {}}"),
        "4:12: there is no control `zebra` (docs/controls.md lists them all)"
    );
}

#[test]
fn a_parameter_of_the_wrong_name_or_type_is_reported_at_its_place() {
    assert_eq!(
        after_head("controls:\n  approvals-sufficient: {mni: 2}"),
        "5:26: `approvals-sufficient` has no parameter `mni` (did you mean `min`?)"
    );
    assert_eq!(
        after_head("controls:\n  approvals-sufficient: {min: \"2\"}"),
        "5:31: `approvals-sufficient.min` has to be a whole number of at least 0, found `2`"
    );
    assert_eq!(
        after_head("controls:\n  approvals-sufficient: {min: -1}"),
        "5:31: `approvals-sufficient.min` has to be a whole number of at least 0, found the number `-1`"
    );
    assert!(after_head("controls:\n  approvals-sufficient: {min: }").contains("found nothing"));
}

#[test]
fn no_message_names_a_type_of_the_program() {
    for value in [
        "\"x\"",
        "[1]",
        "{a: 1}",
        "true",
        "1.5",
        "~",
        "99999999999999999999",
    ] {
        let one = after_head(&format!(
            "controls:\n  approvals-sufficient: {{min: {value}}}"
        ));
        for word in ["u32", "u64", "usize", "i64", "expected", "struct"] {
            assert!(!one.contains(word), "{one}");
        }
    }
}

#[test]
fn a_control_without_a_mapping_is_a_problem() {
    assert_eq!(
        after_head("controls:\n  force-push-blocked:"),
        "5:3: `force-push-blocked` has to be a mapping, e.g. `{}`, found nothing"
    );
    assert!(after_head("controls:\n  force-push-blocked: true").contains("found `true`"));
}

#[test]
fn unknown_words_are_guessed() {
    assert_eq!(
        after_head("controls: {force-push-blocked: {enforce: blocks}}"),
        "4:42: `enforce` knows no `blocks` (did you mean `block`?)"
    );
    assert!(
        after_head("controls: {force-push-blocked: {on_unknown: pass}}")
            .contains("known: `block`, `warn`")
    );
    assert!(after_head("frameworks: [soc3]").contains("did you mean `soc2`?"));
}

#[test]
fn a_pattern_that_is_none_is_reported() {
    let one = after_head("overrides: {allowed_by: [\"@a\"], ticket: \"INC-([0-9]+\"}");
    assert_eq!(
        one,
        "4:41: `ticket` is no regular expression: `INC-([0-9]+`: unclosed group"
    );
    let one = after_head("controls: {ticket-linked: {pattern: \"(\"}}");
    assert!(one.starts_with("4:37: `ticket-linked.pattern` is"), "{one}");
}

#[test]
fn a_glob_that_is_none_is_reported() {
    assert!(
        after_head("branches: [\"release/[\"]")
            .starts_with("4:12: an entry of `branches` is no glob")
    );
    assert!(after_head("branches: []").contains("no branch would be judged"));
}

#[test]
fn a_date_has_to_exist() {
    for day in [
        "2027-02-30",
        "2027-2-3",
        "tomorrow",
        "20270131",
        "2027-01-31T00:00:00Z",
    ] {
        let one = after_head(&format!(
            "controls: {{force-push-blocked: {{expires: {day}}}}}"
        ));
        assert!(one.starts_with("4:42: `expires` is no date"), "{one}");
    }
}

#[test]
fn a_time_span_needs_a_unit_and_a_bound() {
    for span in [
        "24",
        "0h",
        "-1h",
        "1y",
        "h",
        "1.5h",
        "99999999999999999999h",
        "[24h]",
        "~",
    ] {
        let one = after_head(&format!("settings: {{max_age: {span}}}"));
        assert!(one.starts_with("4:21: `max_age` is no time span"), "{one}");
    }
    let one = after_head("overrides: {allowed_by: [\"@a\"], max: 73h}");
    assert!(one.contains("longer than an override may hold"), "{one}");
    let one = after_head("overrides: {allowed_by: [\"@a\"], review_within: soon}");
    assert!(one.contains("`review_within` is no time span"), "{one}");
}

#[test]
fn a_handle_starts_with_an_at_sign() {
    let one = after_head("overrides: {allowed_by: [acme/security]}");
    assert!(
        one.starts_with("4:26: an entry of `allowed_by` has to be a user or team"),
        "{one}"
    );
    let one = after_head("overrides: {allowed_by: [@acme/security]}");
    assert!(one.contains("needs quotes"), "{one}");
}

#[test]
fn a_waiver_needs_all_its_parts() {
    let one = problems(&format!("{HEAD}waivers:\n  - {{control: BR-18}}\n"));
    assert_eq!(
        one,
        ["approved_by", "expires", "owner", "reason", "scope"]
            .map(|part| format!("5:5: a waiver lacks `{part}`"))
    );
}

#[test]
fn nobody_approves_their_own_waiver() {
    let one = after_head(
        "waivers:\n  - {control: BR-18, scope: \"*\", reason: r, owner: \"@ana\", approved_by: \"@Ana\", expires: 2027-01-31}",
    );
    assert!(
        one.contains("`@ana` cannot approve their own waiver"),
        "{one}"
    );
}

#[test]
fn what_is_not_built_is_said_and_never_skipped() {
    for (text, words) in [
        (
            "ledger: {url: \"git+https://u:hunter2@forge.example/x\"}",
            "no user and no password",
        ),
        (
            "ledger: {url: \"git+ssh://forge.example/x\"}",
            "unknown kind of ledger",
        ),
        (
            "ledger: {url: \"postgres://u:hunter2@db.example/audit\"}",
            "no user and no password",
        ),
        (
            "ledger: {url: \"postgresql://u:hunter2@db.example/audit\"}",
            "no user and no password",
        ),
        (
            "ledger: {url: \"s3://u:hunter2@bucket/x\"}",
            "no user and no password",
        ),
        ("ledger: {url: \"ftp://x\"}", "unknown kind of ledger"),
        ("ledger: {url: \"dir:\"}", "lacks the path"),
        ("ledger: {required: true}", "`ledger` lacks `url`"),
    ] {
        let one = after_head(text);
        assert!(one.contains(words), "{one}");
        assert!(!one.contains("hunter2"), "{one}");
    }
    let sha = "1c".repeat(20);
    let one = problem(&format!(
        "version: 1\nextends: [soc2-baseline, \"acme/policies//soc2.yml@{sha}\"]\n"
    ));
    assert!(
        one.starts_with("2:26: policies of other repositories are not supported"),
        "{one}"
    );
    assert_eq!(
        super::problems(&format!("{HEAD}custom: []\n")),
        Vec::<String>::new()
    );
}

#[test]
fn scans_are_read_strictly() {
    for (text, words) in [
        ("scans: [{path: x}]", "an entry of `scans` lacks `tool`"),
        ("scans: [{tool: x}]", "an entry of `scans` lacks `path`"),
        (
            "scans: [{tool: x, path: y, new: {hgih: 0}}]",
            "there is no severity `hgih` (did you mean `high`?)",
        ),
        (
            "scans: [{tool: x, path: y, new: {high: none}}]",
            "`new.high` has to be a whole number",
        ),
        (
            "scans: [{tool: x, path: y, required: yes}]",
            "`required` has to be `true` or `false`, found `yes`",
        ),
        (
            "scans: [{tool: x, path: y, format: serif}]",
            "`format` knows no `serif` (did you mean `sarif`?)",
        ),
        (
            "scans: [{tool: x, path: y, format: 1}]",
            "`format` has to be text",
        ),
        ("scans: {}", "`scans` has to be a list"),
        (
            "controls: {sast-clean: {scans: []}}",
            "list the results in the section `scans`",
        ),
    ] {
        let one = after_head(text);
        assert!(one.contains(words), "{one}");
    }
}

#[test]
fn scans_that_nothing_judges_are_a_problem() {
    let one = problem(
        "version: 1\ncontrols: {force-push-blocked: {}}\nscans: [{tool: semgrep, path: x.sarif}]\n",
    );
    assert!(
        one.starts_with("3:8: `scans` lists results, but `sast-clean`"),
        "{one}"
    );
}

#[test]
fn an_empty_value_is_never_taken_for_a_default() {
    for key in [
        "extends",
        "branches",
        "mode",
        "settings",
        "controls",
        "scans",
        "overrides",
        "waivers",
        "frameworks",
        "ledger",
        "custom",
    ] {
        let text = format!("version: 1\n{key}: ~\n");
        assert!(
            problems(&text)
                .iter()
                .any(|one| one.starts_with("2:")
                    && (one.contains("nothing") || one.contains("empty"))),
            "{key}: {:#?}",
            problems(&text)
        );
    }
}
