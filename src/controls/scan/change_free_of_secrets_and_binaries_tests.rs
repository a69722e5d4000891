//! SCAN-17: which files may come in.

use serde_json::{Value, json};

use super::*;
use crate::controls::testing::{changed, hidden, moved, nothing_seen, seen, verdict_of};

fn control(parameters: Value) -> ChangeFreeOfSecretsAndBinaries {
    serde_json::from_value(parameters).unwrap()
}

fn verdict_with(parameters: Value, files: Vec<ChangedFile>) -> String {
    let mut facts = nothing_seen();
    facts.files = seen(files);
    verdict_of(&control(parameters), &facts)
}

fn verdict(files: Vec<ChangedFile>) -> String {
    verdict_with(json!({}), files)
}

#[test]
fn texts_pass_and_each_key_and_binary_fails() {
    assert_eq!(verdict(vec![]), "pass");
    for path in [
        "src/lib.rs",
        "docs/keys.md",
        "keys/server.pub",
        ".env.example",
        "a.environment",
        "Keyfile",
        "logo.png",
    ] {
        assert_eq!(verdict(vec![changed(path)]), "pass", "{path}");
    }
    for path in [
        "server.key",
        "deploy/tls/server.pem",
        "id_ed25519",
        "home/.ssh/id_rsa",
        ".env",
        "web/.env.production",
        "prod.env",
        "infra/terraform.tfstate",
        ".aws/credentials",
        "bin/tool.exe",
        "lib/libx.so.6",
        "gradle/wrapper/gradle-wrapper.jar",
        "dist.tar.gz",
    ] {
        let files = vec![changed("src/lib.rs"), changed(path)];
        assert_eq!(verdict(files), "fail findings", "{path}");
    }
}

/// The cheat: the same file under a name that a plain comparison does not know.
#[test]
fn capitals_and_characters_that_nobody_sees_hide_nothing() {
    for path in [
        "Server.PEM",
        "ID_RSA",
        "deploy/.ENV",
        "server.key\u{200b}",
        "server.k\u{ad}ey",
        "server.key ",
        "server.key.",
        "Tool.EXE",
    ] {
        assert_eq!(verdict(vec![changed(path)]), "fail findings", "{path:?}");
    }
    // What is allowed is allowed letter for letter.
    assert_eq!(verdict(vec![changed(".ENV.EXAMPLE")]), "fail findings");
}

/// The cheat: a key that is moved to a harmless name is still there.
#[test]
fn a_key_that_was_moved_counts_and_one_that_was_removed_does_not() {
    let from = |path: &str| seen(Some(path.to_owned()));
    assert_eq!(
        verdict(vec![moved(from("server.key"), "notes.txt")]),
        "fail findings"
    );
    assert_eq!(verdict(vec![moved(from("a.txt"), "b.txt")]), "pass");
    assert_eq!(verdict(vec![moved(hidden(), "b.txt")]), "unknown");
    assert_eq!(
        verdict(vec![moved(hidden(), "b.txt"), changed("server.key")]),
        "fail findings"
    );
    let removed = ChangedFile {
        kind: FileChange::Removed,
        ..changed("server.key")
    };
    assert_eq!(verdict(vec![removed]), "pass");
}

/// The cheat: a binary under the name of a text.
#[test]
fn a_file_without_counted_lines_is_unknown_unless_it_may_be_empty() {
    let blank = |path: &str, kind: FileChange| ChangedFile {
        kind,
        additions: Some(0),
        deletions: Some(0),
        ..changed(path)
    };
    for kind in [
        FileChange::Added,
        FileChange::Modified,
        FileChange::Other("x".to_owned()),
    ] {
        assert_eq!(verdict(vec![blank("notes.txt", kind)]), "unknown");
    }
    for path in ["pkg/__init__.py", "logs/.gitkeep", "logo.png"] {
        assert_eq!(verdict(vec![blank(path, FileChange::Added)]), "pass");
    }
    let moved = blank("notes.txt", FileChange::Renamed);
    assert_eq!(verdict(vec![moved]), "pass");
    let uncounted = ChangedFile {
        additions: None,
        deletions: None,
        ..changed("notes.txt")
    };
    assert_eq!(verdict(vec![uncounted]), "pass");
}

#[test]
fn hidden_files_are_unknown() {
    let mut facts = nothing_seen();
    facts.files = hidden();
    assert_eq!(verdict_of(&control(json!({})), &facts), "unknown");
}

#[test]
fn what_is_allowed_passes_and_allowing_more_or_looking_for_less_is_weaker() {
    let wrapper = "gradle/wrapper/gradle-wrapper.jar";
    let base = control(json!({}));
    let own = json!({"allowed": [wrapper]});
    assert_eq!(verdict_with(own.clone(), vec![changed(wrapper)]), "pass");
    assert_eq!(
        verdict_with(own.clone(), vec![changed("other/gradle-wrapper.jar")]),
        "fail findings"
    );
    assert!(control(own).weaker_than(&base).is_some());
    assert!(control(json!({"secrets": []})).weaker_than(&base).is_some());
    assert!(
        control(json!({"binaries": []}))
            .weaker_than(&base)
            .is_some()
    );
    assert!(control(json!({"allowed": []})).weaker_than(&base).is_none());
    assert!(base.weaker_than(&control(json!({"allowed": []}))).is_some());
}

#[test]
fn a_broken_pattern_is_refused() {
    let broken = json!({"allowed": ["a{"]});
    assert!(serde_json::from_value::<ChangeFreeOfSecretsAndBinaries>(broken).is_err());
}

/// Paths without anything odd are not copied; none of those with something may be among them.
#[test]
fn a_path_is_read_alike_however_plain_it_is() {
    let letters = (0..0x250).chain(0x2000..0x2070).chain(0xfe00..0xff80);
    let odd = letters
        .filter_map(char::from_u32)
        .map(|c| format!("a/{c}b.key"));
    let comments = ["a<!-- x -->.key", "<!--", "a.key<!-- ", "SERVER.KEY", ""];
    for path in odd.chain(comments.map(str::to_owned)) {
        assert_eq!(as_read(&path), visible(&path).to_lowercase(), "{path:?}");
    }
    assert!(matches!(as_read("src/a_b-1.rs"), Cow::Borrowed(_)));
}
