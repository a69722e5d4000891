//! Which change is found, and every way in which none is.

mod hostile;

use super::*;

const HEAD: &str = "1111111111111111111111111111111111111111";
const OTHER: &str = "2222222222222222222222222222222222222222";

fn env(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

fn on_github(event: &str) -> BTreeMap<String, String> {
    env(&[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_EVENT_NAME", event),
        ("GITHUB_API_URL", "https://api.github.com"),
        ("GITHUB_GRAPHQL_URL", "https://api.github.com/graphql"),
        ("GITHUB_SERVER_URL", "https://github.com"),
        ("GITHUB_RUN_ID", "77"),
    ])
}

fn on_gitlab(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut map = env(&[
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "https://gitlab.com/api/v4"),
        ("CI_PROJECT_PATH", "acme/sub/app"),
        ("CI_PROJECT_ID", "5"),
        ("CI_COMMIT_SHA", OTHER),
        ("CI_JOB_URL", "https://gitlab.com/acme/sub/app/-/jobs/9"),
    ]);
    map.extend(env(more));
    map
}

fn event(json: &serde_json::Value) -> Option<Result<Vec<u8>, String>> {
    Some(Ok(json.to_string().into_bytes()))
}

fn pull_request() -> Option<Result<Vec<u8>, String>> {
    event(&serde_json::json!({
        "pull_request": {"number": 7, "head": {"sha": HEAD}, "base": {"ref": "main"}}
    }))
}

fn error(
    flags: &Flags,
    env: &BTreeMap<String, String>,
    file: Option<Result<Vec<u8>, String>>,
) -> String {
    format!("{:#}", find(flags, env, file).unwrap_err())
}

fn seven() -> Wanted {
    Wanted::Change {
        number: 7,
        head: Some(HEAD.to_owned()),
        target: Some("main".to_owned()),
    }
}

#[test]
fn every_event_of_a_pull_request_names_number_head_and_target() {
    for name in [
        "pull_request",
        "pull_request_target",
        "pull_request_review",
        "pull_request_review_comment",
    ] {
        let place = find(&Flags::default(), &on_github(name), pull_request()).unwrap();
        assert_eq!(place.wanted, seven());
        assert_eq!(place.repository, "acme/app");
        assert_eq!(place.api.as_str(), "https://api.github.com/");
        assert_eq!(place.graphql.as_str(), "https://api.github.com/graphql");
        assert_eq!(
            place.run_url.as_deref(),
            Some("https://github.com/acme/app/actions/runs/77")
        );
    }
}

#[test]
fn a_comment_counts_on_a_pull_request_and_not_on_an_issue() {
    let env = on_github("issue_comment");
    let on_change =
        event(&serde_json::json!({"issue": {"number": 7, "pull_request": {"url": "x"}}}));
    let place = find(&Flags::default(), &env, on_change).unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Change {
            number: 7,
            head: None,
            target: None
        }
    );
    for issue in [
        serde_json::json!({"issue": {"number": 7}}),
        serde_json::json!({"issue": {"number": 7, "pull_request": null}}),
    ] {
        let text = error(&Flags::default(), &env, event(&issue));
        assert!(text.contains("no pull request"), "{text}");
    }
}

#[test]
fn a_push_to_a_branch_is_its_commit_and_other_pushes_are_errors() {
    let env = on_github("push");
    let push = |reference: &str, after: &str, deleted: bool| {
        event(&serde_json::json!({"ref": reference, "after": after, "deleted": deleted}))
    };
    let place = find(
        &Flags::default(),
        &env,
        push("refs/heads/feat/x", HEAD, false),
    )
    .unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Commit {
            sha: Some(HEAD.to_owned()),
            branch: Some("feat/x".to_owned()),
            before: None,
        }
    );
    let zeros = "0".repeat(40);
    for (file, words) in [
        (push("refs/heads/x", &zeros, false), "deleted the branch"),
        (push("refs/heads/x", HEAD, true), "deleted the branch"),
        (push("refs/tags/v1", HEAD, false), "no branch"),
        (push("refs/heads/x", "abc", false), "no full commit id"),
        (event(&serde_json::json!({})), "names no branch"),
    ] {
        let text = error(&Flags::default(), &env, file);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_workflow_run_counts_only_with_exactly_one_pull_request_of_this_repository() {
    let env = on_github("workflow_run");
    let change = serde_json::json!(
        {"number": 7, "head": {"sha": HEAD}, "base": {"ref": "main", "repo": {"id": 1}}}
    );
    let run = |changes: &[&serde_json::Value], id: u64| {
        event(&serde_json::json!(
            {"workflow_run": {"pull_requests": changes}, "repository": {"id": id}}
        ))
    };
    let place = find(&Flags::default(), &env, run(&[&change], 1)).unwrap();
    assert_eq!(place.wanted, seven());
    for file in [run(&[], 1), run(&[&change, &change], 1), run(&[&change], 2)] {
        let text = error(&Flags::default(), &env, file);
        assert!(text.contains("--change"), "{text}");
    }
}

/// A group of `main`; the case changes what it is about.
fn group(change: impl FnOnce(&mut serde_json::Value)) -> Option<Result<Vec<u8>, String>> {
    let mut file = serde_json::json!({
        "action": "checks_requested",
        "merge_group": {
            "head_sha": HEAD,
            "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-abc",
            "base_sha": "b".repeat(40),
            "base_ref": "refs/heads/main",
        },
    });
    change(&mut file);
    event(&file)
}

#[test]
fn a_merge_group_is_known_by_its_base_head_and_branch() {
    let env = on_github("merge_group");
    let place = find(&Flags::default(), &env, group(|_| {})).unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Group(Group {
            base: "b".repeat(40),
            head: HEAD.to_owned(),
            branch: "main".to_owned(),
        })
    );
}

#[test]
fn a_merge_group_that_does_not_say_everything_is_an_error_and_never_a_pass() {
    let env = on_github("merge_group");
    let with = |pointer: &str, value: serde_json::Value| {
        group(|file| *file.pointer_mut(pointer).unwrap() = value)
    };
    for (file, words) in [
        (event(&serde_json::json!({})), "not asked to be checked"),
        (
            with("/action", "destroyed".into()),
            "not asked to be checked",
        ),
        (
            with("/merge_group/base_ref", "refs/tags/v1".into()),
            "names no branch",
        ),
        (
            with("/merge_group/head_ref", "refs/heads/mine".into()),
            "no branch of the queue",
        ),
        (
            with(
                "/merge_group/head_ref",
                "refs/heads/gh-readonly-queue/dev/pr-7-abc".into(),
            ),
            "no branch of the queue",
        ),
        (
            with("/merge_group/head_sha", "abc".into()),
            "no full commit id",
        ),
        (
            with("/merge_group/base_sha", serde_json::Value::Null),
            "no full commit id",
        ),
    ] {
        let text = error(&Flags::default(), &env, file);
        assert!(text.contains(words), "{words}: {text}");
    }
    let text = error(&Flags::default(), &on_github("release"), None);
    assert!(text.contains("`release` names no change"), "{text}");
}

#[test]
fn a_run_for_a_merge_group_cannot_be_narrowed_to_a_change_or_a_branch() {
    let env = on_github("merge_group");
    for flags in [
        Flags {
            change: Some(7),
            ..Flags::default()
        },
        Flags {
            reference: Some("main".to_owned()),
            ..Flags::default()
        },
        Flags {
            head: Some("c".repeat(40)),
            ..Flags::default()
        },
        Flags {
            since: Some("c".repeat(40)),
            ..Flags::default()
        },
    ] {
        let text = error(&flags, &env, group(|_| {}));
        assert!(text.contains("merge group"), "{text}");
    }
}

#[test]
fn a_merge_trains_pipeline_is_for_its_change_and_for_the_commit_that_the_train_made() {
    let train = "d".repeat(40);
    let mut env = BTreeMap::from(
        [
            ("GITLAB_CI", "true"),
            ("CI_PROJECT_PATH", "acme/app"),
            ("CI_MERGE_REQUEST_IID", "7"),
            ("CI_MERGE_REQUEST_EVENT_TYPE", "merge_train"),
            ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD),
            ("CI_COMMIT_SHA", &train),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned())),
    );
    let place = find(&Flags::default(), &env, None).unwrap();
    assert_eq!(place.train.as_ref(), Some(&train));
    assert!(
        matches!(&place.wanted, Wanted::Change { number: 7, head: Some(head), .. } if head == HEAD)
    );
    // Another change is in another train, or in none.
    let other = Flags {
        change: Some(8),
        ..Flags::default()
    };
    assert_eq!(find(&other, &env, None).unwrap().train, None);
    env.insert(
        "CI_MERGE_REQUEST_EVENT_TYPE".to_owned(),
        "merged_result".to_owned(),
    );
    assert_eq!(find(&Flags::default(), &env, None).unwrap().train, None);
}

#[test]
fn a_scheduled_run_judges_the_tip_of_the_default_branch() {
    for name in ["schedule", "workflow_dispatch"] {
        let place = find(&Flags::default(), &on_github(name), None).unwrap();
        assert_eq!(
            place.wanted,
            Wanted::Commit {
                sha: None,
                branch: None,
                before: None,
            }
        );
    }
}

#[test]
fn an_event_file_that_is_missing_or_not_json_is_a_clear_error() {
    let env = on_github("pull_request");
    for (file, words) in [
        (None, "GITHUB_EVENT_PATH is not set"),
        (
            Some(Err("no such file".to_owned())),
            "cannot be read: no such file",
        ),
        (Some(Ok(b"{\"pull".to_vec())), "not valid JSON"),
        (Some(Ok(b"[]".to_vec())), "no JSON object"),
        (Some(Ok(b"{}".to_vec())), "no `pull_request`"),
        (
            event(&serde_json::json!({"pull_request": {"number": 0}})),
            "no number",
        ),
        (
            event(&serde_json::json!({"pull_request": {"number": 1, "head": {"sha": "main"}}})),
            "no full commit id",
        ),
    ] {
        let text = error(&Flags::default(), &env, file);
        assert!(text.contains(words), "{text}");
    }
}

#[test]
fn a_flag_for_another_change_takes_nothing_of_the_event() {
    let env = on_github("pull_request");
    let flags = |change| Flags {
        change: Some(change),
        ..Flags::default()
    };
    let same = find(&flags(7), &env, pull_request()).unwrap();
    assert_eq!(same.wanted, seven());
    let other = find(&flags(8), &env, pull_request()).unwrap();
    assert_eq!(
        other.wanted,
        Wanted::Change {
            number: 8,
            head: None,
            target: None
        }
    );
    let elsewhere = Flags {
        repository: Some("acme/other".to_owned()),
        ..flags(7)
    };
    let place = find(&elsewhere, &env, pull_request()).unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Change {
            number: 7,
            head: None,
            target: None
        }
    );
    let only_repository = Flags {
        change: None,
        ..elsewhere
    };
    assert!(error(&only_repository, &env, pull_request()).contains("another repository"));
    let head = Flags {
        head: Some(OTHER.to_owned()),
        ..Flags::default()
    };
    let place = find(&head, &env, pull_request()).unwrap();
    assert!(
        matches!(place.wanted, Wanted::Change { number: 7, head: Some(head), .. } if head == OTHER)
    );
}

#[test]
fn by_hand_the_public_hosts_are_asked() {
    let flags = |platform, name: &str| Flags {
        platform,
        repository: Some(name.to_owned()),
        change: Some(3),
        ..Flags::default()
    };
    let place = find(&flags(Some(Platform::Github), "acme/app"), &env(&[]), None).unwrap();
    assert_eq!(place.api.as_str(), "https://api.github.com/");
    assert_eq!(place.graphql.as_str(), "https://api.github.com/graphql");
    let place = find(&flags(Some(Platform::Gitlab), "a/b/c"), &env(&[]), None).unwrap();
    assert_eq!(place.api.as_str(), "https://gitlab.com/api/v4");
    assert_eq!(place.graphql.as_str(), "https://gitlab.com/api/graphql");
    let text = error(&flags(None, "acme/app"), &env(&[]), None);
    assert!(text.contains("--platform"), "{text}");
    let both = env(&[("GITHUB_ACTIONS", "true"), ("GITLAB_CI", "true")]);
    assert!(error(&flags(None, "acme/app"), &both, None).contains("--platform"));
}

#[test]
fn the_address_of_graphql_is_derived_from_that_of_rest() {
    for (api, graphql) in [
        (
            "https://ghe.example/api/v3",
            "https://ghe.example/api/graphql",
        ),
        (
            "https://ghe.example/api/v3/",
            "https://ghe.example/api/graphql",
        ),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/graphql"),
        (
            "http://ghe.internal/sub/api/v3",
            "http://ghe.internal/sub/api/graphql",
        ),
    ] {
        let mut env = on_github("schedule");
        env.insert("GITHUB_API_URL".to_owned(), api.to_owned());
        env.remove("GITHUB_GRAPHQL_URL");
        let place = find(&Flags::default(), &env, None).unwrap();
        assert_eq!(place.graphql.as_str(), graphql);
    }
}

#[test]
fn a_merge_request_is_found_with_its_own_head() {
    let env = on_gitlab(&[
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "main"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", HEAD),
    ]);
    let place = find(&Flags::default(), &env, None).unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Change {
            number: 12,
            head: Some(HEAD.to_owned()),
            target: Some("main".to_owned())
        }
    );
    assert_eq!(place.repository, "acme/sub/app");
    assert_eq!(
        place.run_url.as_deref(),
        Some("https://gitlab.com/acme/sub/app/-/jobs/9")
    );
    let env = on_gitlab(&[
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", ""),
    ]);
    let place = find(&Flags::default(), &env, None).unwrap();
    assert!(matches!(place.wanted, Wanted::Change { head: Some(head), .. } if head == OTHER));
}

#[test]
fn a_merge_request_from_a_fork_counts_in_the_target_project() {
    let env = on_gitlab(&[
        ("CI_MERGE_REQUEST_IID", "12"),
        ("CI_MERGE_REQUEST_PROJECT_PATH", "acme/real"),
    ]);
    let place = find(&Flags::default(), &env, None).unwrap();
    assert_eq!(place.repository, "acme/real");
}

#[test]
fn a_branch_pipeline_is_its_commit_and_a_tag_is_an_error() {
    let place = find(
        &Flags::default(),
        &on_gitlab(&[("CI_COMMIT_BRANCH", "main")]),
        None,
    )
    .unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Commit {
            sha: Some(OTHER.to_owned()),
            branch: Some("main".to_owned()),
            before: None,
        }
    );
    assert!(
        error(
            &Flags::default(),
            &on_gitlab(&[("CI_COMMIT_TAG", "v1")]),
            None
        )
        .contains("tag `v1`")
    );
    assert!(error(&Flags::default(), &on_gitlab(&[]), None).contains("CI_COMMIT_BRANCH"));
    let text = error(
        &Flags::default(),
        &on_gitlab(&[("CI_MERGE_REQUEST_IID", "x")]),
        None,
    );
    assert!(text.contains("no number"), "{text}");
}

#[test]
fn where_the_branch_stood_before_comes_from_the_argument_else_the_event() {
    let env = on_github("push");
    let push =
        || event(&serde_json::json!({"ref": "refs/heads/main", "before": OTHER, "after": HEAD}));
    let before = |flags: &Flags, file| match find(flags, &env, file).unwrap().wanted {
        Wanted::Commit { before, .. } => before,
        other => panic!("{other:?}"),
    };
    let told = |commit: Option<&str>, told_by| {
        Some(PreviousTip {
            commit: commit.map(str::to_owned),
            told_by,
        })
    };
    let flags = |reference: Option<&str>, since: Option<&str>| Flags {
        reference: reference.map(str::to_owned),
        since: since.map(str::to_owned),
        ..Flags::default()
    };
    let event_says = told(Some(OTHER), ToldBy::Event);
    assert_eq!(before(&flags(None, None), push()), event_says);
    assert_eq!(before(&flags(Some("main"), None), push()), event_says);
    assert_eq!(
        before(&flags(Some("main"), Some(HEAD)), push()),
        told(Some(HEAD), ToldBy::Argument)
    );
    // The event of one branch says nothing about another.
    assert_eq!(before(&flags(Some("dev"), None), push()), None);
    let made = event(
        &serde_json::json!({"ref": "refs/heads/main", "before": "0".repeat(40), "after": HEAD}),
    );
    assert_eq!(before(&flags(None, None), made), told(None, ToldBy::Event));
    let text = error(&flags(Some("main"), Some("abc")), &env, None);
    assert!(text.contains("`--since`"), "{text}");
}

#[test]
fn gitlab_tells_where_the_branch_stood_before_only_of_a_push() {
    let before = |source: &str| {
        let env = on_gitlab(&[
            ("CI_COMMIT_BRANCH", "main"),
            ("CI_COMMIT_SHA", OTHER),
            ("CI_COMMIT_BEFORE_SHA", HEAD),
            ("CI_PIPELINE_SOURCE", source),
        ]);
        match find(&Flags::default(), &env, None).unwrap().wanted {
            Wanted::Commit { before, .. } => before,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(before("push").unwrap().commit.as_deref(), Some(HEAD));
    assert_eq!(before("schedule"), None);
}
