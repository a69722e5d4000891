//! Names, addresses and references that somebody made up.

use super::*;

#[test]
fn names_with_odd_characters_are_refused() {
    for (platform, names) in [
        (
            Platform::Github,
            &[
                "acme",
                "acme/app/x",
                "acme/../app",
                "acme/..",
                "/app",
                "acme/",
                "acme/a b",
                "acme/a#b",
                "acme/ä",
                "acme/a\u{1b}[2J",
                "acme/a%2fb",
                "acme/a?b",
            ][..],
        ),
        (
            Platform::Gitlab,
            &[
                "acme",
                "acme//app",
                "acme/../app",
                "acme/",
                "/app",
                "acme/a\nb",
                "acme/a?b",
                "acme/a%2fb",
                "acme/a\\b",
                "-5",
            ][..],
        ),
    ] {
        for name in names {
            let flags = Flags {
                platform: Some(platform),
                repository: Some((*name).to_owned()),
                change: Some(1),
                ..Flags::default()
            };
            let text = error(&flags, &env(&[]), None);
            assert!(text.contains("is no "), "{text}");
            assert!(!text.contains(['\u{1b}', '\n']), "{text:?}");
        }
    }
    let flags = |name: &str| Flags {
        platform: Some(Platform::Gitlab),
        repository: Some(name.to_owned()),
        change: Some(1),
        ..Flags::default()
    };
    for name in ["a/b", "a.b/c_d/e-f", "größe/app", "42"] {
        assert_eq!(
            find(&flags(name), &env(&[]), None).unwrap().repository,
            name
        );
    }
}

#[test]
fn addresses_with_a_password_or_another_scheme_are_refused_without_showing_them() {
    for (bad, words) in [
        ("https://user:hunter2@ghe.example/api/v3", "password"),
        ("https://hunter2@ghe.example/api/v3", "password"),
        ("file:///hunter2", "web server"),
        ("hunter2", "no valid address"),
        ("https://ghe.example/api/v3?token=hunter2", "bare address"),
    ] {
        let mut env = on_github("schedule");
        env.insert("GITHUB_API_URL".to_owned(), bad.to_owned());
        let text = error(&Flags::default(), &env, None);
        assert!(text.contains(words) && !text.contains("hunter2"), "{text}");
    }
    let mut env = on_github("schedule");
    env.insert(
        "GITHUB_GRAPHQL_URL".to_owned(),
        "https://evil.example/graphql".to_owned(),
    );
    assert!(error(&Flags::default(), &env, None).contains("different hosts"));
}

#[test]
fn short_commits_and_tags_in_flags_are_refused() {
    let flags = |head: Option<&str>, reference: Option<&str>| Flags {
        head: head.map(ToOwned::to_owned),
        reference: reference.map(ToOwned::to_owned),
        ..Flags::default()
    };
    let env = on_github("schedule");
    assert!(error(&flags(Some("abc123"), None), &env, None).contains("no full commit id"));
    assert!(error(&flags(None, Some("refs/tags/v1")), &env, None).contains("no branch"));
    let place = find(&flags(Some(HEAD), Some("refs/heads/rel")), &env, None).unwrap();
    assert_eq!(
        place.wanted,
        Wanted::Commit {
            sha: Some(HEAD.to_owned()),
            branch: Some("rel".to_owned()),
            before: None,
        }
    );
}
