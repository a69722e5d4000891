//! Tests of the definition's reading: files as people write them, and as
//! somebody writes them who wants to hide something.

use serde_json::json;

use super::*;
use crate::facts::{Definition, ForeignPart, PartKind};

const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

fn known(text: &str) -> Fact<Option<PolicyDocument>> {
    Fact::known_without_source(Some(PolicyDocument {
        origin: ".gitlab-ci.yml@main".to_owned(),
        commit: None,
        digest: "sha256:00".to_owned(),
        text: text.to_owned(),
    }))
}

fn here() -> Place {
    Place::of(None)
}

fn refused<T>() -> Result<T, Unknown> {
    Err(Unknown::new(
        "pipeline.definition",
        Why::NotPermitted,
        "403",
    ))
}

fn defined(text: &str) -> PipelineDefinition {
    files(&here(), known(text), refused(), "acme/app")
        .known()
        .unwrap()
        .clone()
}

fn only(text: &str) -> Definition {
    let defined = defined(text);
    assert_eq!(defined.files.len(), 1, "{defined:?}");
    defined.files[0].content.known().unwrap().clone()
}

fn part(
    kind: PartKind,
    name: &str,
    reference: Option<&str>,
    pinned: bool,
    own: bool,
) -> ForeignPart {
    ForeignPart {
        kind,
        name: name.to_owned(),
        reference: reference.map(str::to_owned),
        pinned,
        own,
    }
}

#[test]
fn the_place_is_the_projects_word_for_it() {
    assert_eq!(Place::of(Some("")), Place::Here(USUAL_PATH.to_owned()));
    assert_eq!(
        Place::of(Some("ci/main.yml")),
        Place::Here("ci/main.yml".to_owned())
    );
    assert_eq!(
        Place::of(Some(".gitlab-ci.yml@acme/ci:v1")),
        Place::Elsewhere {
            path: ".gitlab-ci.yml".to_owned(),
            project: "acme/ci".to_owned(),
            reference: Some("v1".to_owned()),
        }
    );
    assert!(matches!(
        Place::of(Some("https://ci.example/x.yml")),
        Place::Web(_)
    ));
}

#[test]
fn a_definition_from_elsewhere_is_named_even_where_it_cannot_be_read() {
    let place = Place::of(Some(".gitlab-ci.yml@acme/ci"));
    let text = Fact::Unknown(Unknown::new("x", Why::HiddenOrAbsent, "404"));
    let found = files(&place, text, refused(), "acme/app");
    let found = found.known().unwrap();
    assert_eq!(found.imposed_by.as_deref(), Some(".gitlab-ci.yml@acme/ci"));
    assert!(!found.files[0].content.is_known());
}

#[test]
fn no_file_is_a_known_nothing_and_a_hidden_one_is_unknown() {
    let none = files(
        &here(),
        Fact::known_without_source(None),
        refused(),
        "acme/app",
    );
    assert!(none.known().unwrap().files.is_empty());
    let hidden = Fact::Unknown(Unknown::new("x", Why::HiddenOrAbsent, "404"));
    assert!(!files(&here(), hidden, refused(), "acme/app").is_known());
}

#[test]
fn jobs_say_what_they_do_and_where() {
    let definition = only(
        "stages: [test]\n\
         .hidden: {script: [x]}\n\
         test:\n  script:\n    - make test\n    - |\n      # note\n      make lint\n    - a\n    - b\n  secrets: {TOKEN: {vault: a}}\n\
         deploy:\n  script: ./deploy\n  environment: {name: production}\n  id_tokens: {T: {aud: x}}\n\
         stop:\n  script: ./stop\n  environment: {name: production, action: stop}\n",
    );
    let [test, deploy, stop] = definition.jobs.as_slice() else {
        panic!("{definition:?}")
    };
    assert_eq!(test.does, ["make test", "make lint", "a"]);
    assert_eq!(test.secrets, ["TOKEN"]);
    assert_eq!(deploy.environment.as_deref(), Some("production"));
    assert!(deploy.identity_token && !test.identity_token);
    assert_eq!(stop.environment, None);
    assert_eq!(test.reported_as, ["test"]);
}

#[test]
fn a_failure_that_does_not_count_is_found_in_every_form() {
    for (job, soft) in [
        ("{script: a}", None),
        ("{script: a, allow_failure: false}", None),
        (
            "{script: a, allow_failure: true}",
            Some("allow_failure: true"),
        ),
        (
            "{script: a, allow_failure: yes}",
            Some("allow_failure: yes"),
        ),
        (
            "{script: a, allow_failure: {exit_codes: 1}}",
            Some("allow_failure: exit_codes"),
        ),
        ("{script: a, when: manual}", Some("when: manual")),
        ("{script: a, when: manual, allow_failure: false}", None),
        ("{script: a, rules: [{when: manual}]}", None),
        (
            "{script: a, rules: [{if: $X, allow_failure: true}]}",
            Some("allow_failure: true in a rule"),
        ),
        ("{extends: .soft, script: a}", Some("allow_failure: true")),
        ("{extends: .soft, allow_failure: false}", None),
    ] {
        let definition = only(&format!(".soft: {{allow_failure: true}}\ntest: {job}\n"));
        assert_eq!(definition.jobs[0].soft_fail.as_deref(), soft, "{job}");
    }
}

#[test]
fn a_job_without_condition_is_one_that_some_rule_always_lets_in() {
    for (job, conditional) in [
        ("{script: a}", false),
        ("{script: a, rules: [{when: always}]}", false),
        ("{script: a, rules: [{if: $X}, {when: on_success}]}", false),
        ("{script: a, rules: [{if: $X}]}", true),
        ("{script: a, rules: []}", true),
        (
            "{script: a, rules: [{if: $X, when: never}, {when: on_success}]}",
            true,
        ),
        ("{script: a, rules: [{when: manual}]}", true),
        ("{script: a, rules: !reference [.x, rules]}", true),
        ("{script: a, only: [main]}", true),
        ("{script: a, except: [tags]}", true),
        ("{script: a, when: on_failure}", true),
        ("{script: a, when: never}", true),
    ] {
        let definition = only(&format!("test: {job}\n"));
        assert_eq!(definition.jobs[0].condition.is_some(), conditional, "{job}");
    }
}

#[test]
fn images_are_pinned_by_a_whole_digest_only() {
    let digest = format!("sha256:{}", "a".repeat(64));
    let definition = only(&format!(
        "image: registry.example:5000/base/ruby:3.2\n\
         default: {{services: [postgres, {{name: 'redis@sha256:abc'}}]}}\n\
         test: {{script: a, image: {{name: 'alpine:3@{digest}'}}}}\n\
         own: {{script: a, image: $CI_REGISTRY_IMAGE/ci:latest}}\n"
    ));
    let image = |name, reference, pinned, own| part(PartKind::Image, name, reference, pinned, own);
    for wanted in [
        image("registry.example:5000/base/ruby", Some("3.2"), false, false),
        image("postgres", None, false, false),
        image("redis", Some("sha256:abc"), false, false),
        image("alpine", Some(&digest), true, false),
        image("$CI_REGISTRY_IMAGE/ci", Some("latest"), false, true),
    ] {
        assert!(definition.parts.contains(&wanted), "{wanted:?}");
    }
}

#[test]
fn includes_are_parts_and_leave_the_rest_of_the_jobs_unknown() {
    let found = defined(&format!(
        "include:\n  - /ci/local.yml\n  - https://x.example/a.yml\n\
         \x20 - {{project: acme/ci, file: a.yml, ref: {SHA}}}\n\
         \x20 - {{project: acme/ci2, file: a.yml, ref: main}}\n\
         \x20 - {{remote: 'https://y.example/b.yml', integrity: 'sha256-abc'}}\n\
         \x20 - {{template: Security/SAST.gitlab-ci.yml}}\n\
         \x20 - {{component: 'gitlab.example/acme/comp/lint@1.0'}}\n\
         \x20 - {{artifact: x.yml, job: gen}}\n\
         test: {{script: a, extends: .from-include}}\n"
    ));
    assert_eq!(found.files.len(), 2);
    let content = found.files[0].content.known().unwrap();
    let include =
        |name, reference, pinned, own| part(PartKind::Include, name, reference, pinned, own);
    for wanted in [
        include("/ci/local.yml", None, false, true),
        include("https://x.example/a.yml", None, false, false),
        include("acme/ci", Some(SHA), true, false),
        include("acme/ci2", Some("main"), false, false),
        include("https://y.example/b.yml", None, true, false),
        include("Security/SAST.gitlab-ci.yml", None, false, true),
        include("gitlab.example/acme/comp/lint", Some("1.0"), false, false),
        include("artifact", None, false, false),
    ] {
        assert!(content.parts.contains(&wanted), "{wanted:?}");
    }
    assert_eq!(
        found.files[1].content.known().unwrap_err().why,
        Why::NotPermitted
    );
}

#[test]
fn gitlabs_own_reading_shows_included_jobs_and_nested_includes() {
    let lint = |value: serde_json::Value| Ok(serde_json::from_value::<Lint>(value).unwrap());
    let text = known("include: {project: acme/ci, file: a.yml, ref: main}\ntest: {script: a}\n");
    let whole = lint(json!({
        "valid": true,
        "merged_yaml": "---\ntest: {script: a}\nscan: {script: b, allow_failure: true}\n",
        "includes": [
            {"type": "file", "location": "a.yml", "extra": {"project": "acme/ci", "ref": "main"}},
            {"type": "file", "location": "b.yml", "extra": {"project": "evil/ci", "ref": "main"}},
            {"type": "local", "location": "c.yml", "extra": {}}
        ]
    }));
    let found = files(&here(), text.clone(), whole, "acme/app");
    let found = found.known().unwrap();
    assert_eq!(found.files.len(), 1);
    let content = found.files[0].content.known().unwrap();
    assert_eq!(content.jobs.len(), 2);
    assert!(content.jobs[1].soft_fail.is_some());
    let names: Vec<_> = content
        .parts
        .iter()
        .map(|part| part.name.as_str())
        .collect();
    assert_eq!(names, ["acme/ci", "evil/ci"]);
    for broken in [
        json!({"valid": false, "merged_yaml": null, "includes": []}),
        json!({"valid": true, "merged_yaml": "a: 1", "includes": []}),
        json!({"valid": true, "merged_yaml": "a: {script: x}"}),
        json!({}),
    ] {
        let found = files(&here(), text.clone(), lint(broken.clone()), "acme/app");
        let found = found.known().unwrap();
        assert_eq!(found.files.len(), 2, "{broken}");
        assert!(!found.files[1].content.is_known(), "{broken}");
    }
}

#[test]
fn a_header_of_inputs_is_no_second_definition() {
    let definition = only(
        "spec:\n  inputs:\n    target: {}\n    level: {options: [a, b]}\n---\n\
         variables: {WHO: {value: x, description: who}, PLAIN: y}\ntest: {script: a}\n",
    );
    let inputs: Vec<_> = definition
        .inputs
        .iter()
        .map(|input| (input.name.as_str(), input.free_text))
        .collect();
    assert_eq!(inputs, [("WHO", true), ("level", false), ("target", true)]);
    assert_eq!(definition.jobs.len(), 1);
}

#[test]
fn what_starts_it_stands_in_the_rules() {
    let definition = only("test: {script: a}\n");
    assert_eq!(definition.triggers, ["push"]);
    assert!(!definition.filtered);
    let definition = only(
        "workflow:\n  rules:\n\
         \x20   - if: $CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS\n      when: never\n\
         \x20   - if: $CI_PIPELINE_SOURCE == 'merge_request_event'\n\
         \x20   - if: $CI_COMMIT_BRANCH\n\
         test: {script: a}\n",
    );
    assert_eq!(definition.triggers, ["merge_request_event", "push"]);
    assert!(!definition.filtered);
    for rules in [
        "[{if: '$CI_COMMIT_MESSAGE =~ /skip/', when: never}, {when: always}]",
        "[{if: '$CI_PIPELINE_SOURCE == \"merge_request_event\"', changes: [src/*]}]",
        "[]",
        "!reference [.x, rules]",
    ] {
        let definition = only(&format!(
            "workflow: {{rules: {rules}}}\ntest: {{script: a}}\n"
        ));
        assert!(definition.filtered, "{rules}");
    }
}

#[test]
fn what_cannot_be_read_is_unknown() {
    let loops = ".a: {extends: .b}\n.b: {extends: .a}\ntest: {extends: .a}\n";
    for text in [
        "a: [",
        "- a\n- b\n",
        "test: just text\n",
        "test: {extends: .missing}\n",
        "a: {script: x}\n---\nb: {script: y}\n",
        loops,
    ] {
        let found = defined(text);
        assert_eq!(found.files.len(), 1, "{text}");
        let why = found.files[0].content.known().unwrap_err().why;
        assert_eq!(why, Why::Failed, "{text}");
    }
}

#[test]
fn templates_that_multiply_are_bounded() {
    let mut text = format!(".a0: {{script: {}}}\n", "x".repeat(100_000));
    for job in 0..2000 {
        text.push_str(&format!("j{job}: {{extends: .a0}}\n"));
    }
    assert!(!defined(&text).files[0].content.is_known());
}

#[test]
fn a_server_without_content_ref_is_not_believed_about_another_branch() {
    let subject = |target: &str| Subject {
        platform: crate::facts::Platform::Gitlab,
        repository: "acme/app".to_owned(),
        change: None,
        head: String::new(),
        target: target.to_owned(),
    };
    let project = Ok((
        serde_json::from_value(json!({"default_branch": "main"})).unwrap(),
        Vec::new(),
    ));
    let server = Fact::known_without_source(Server {
        product: "GitLab".to_owned(),
        version: Some("16.2.0".to_owned()),
        enterprise: None,
    });
    let source = crate::facts::Source {
        endpoint: "GET /x".to_owned(),
        digest: String::new(),
    };
    let reply: Reply = Ok(crate::platform::transport::Answer {
        status: 200,
        headers: http::HeaderMap::new(),
        body: bytes::Bytes::from_static(b"{}"),
        endpoint: "GET /x".to_owned(),
        source,
    });
    assert!(usable(&reply, &server, &project, &subject("main")).is_ok());
    let why = usable(&reply, &server, &project, &subject("release")).unwrap_err();
    assert_eq!(why.why, Why::NotSupported);
    let hidden = Fact::Unknown(Unknown::new("server", Why::NotPermitted, "401"));
    assert!(usable(&reply, &hidden, &project, &subject("release")).is_err());
}
