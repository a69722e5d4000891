//! The fences between the rooms, read off the sources: which room may import
//! which, and which may touch files, environment, clock and standard streams.

use std::fs;
use std::path::{Path, PathBuf};

/// A room, and the rooms that it may import. Arrows only point down.
const ROOMS: &[(&str, &[&str])] = &[
    ("criteria", &[]),
    ("facts", &[]),
    ("sshsig", &[]),
    ("ledger", &["sshsig"]),
    ("controls", &["criteria", "facts"]),
    ("platform", &["facts"]),
    ("scan", &["facts"]),
    ("policy", &["controls", "criteria", "facts", "sshsig"]),
    (
        "gate",
        &["controls", "criteria", "facts", "policy", "sshsig"],
    ),
    (
        "render",
        &["controls", "criteria", "facts", "gate", "policy"],
    ),
    (
        "cli",
        &[
            "controls", "criteria", "facts", "gate", "ledger", "platform", "policy", "render",
            "scan",
        ],
    ),
    ("main", &["cli"]),
    (
        "lib",
        &[
            "cli", "controls", "criteria", "facts", "gate", "ledger", "platform", "policy",
            "render", "scan", "sshsig",
        ],
    ),
];

/// What only some rooms may name, and those rooms.
const REACHES: &[(&str, &[&str])] = &[
    ("std::fs", &["cli", "ledger", "scan"]),
    ("std::env", &["cli"]),
    ("std::net", &["platform"]),
    ("std::process::exit", &["main"]),
    ("tokio::", &["platform", "cli", "ledger"]),
    ("reqwest", &["platform", "ledger"]),
    ("octocrab", &["platform"]),
    ("gitlab::", &["platform"]),
    ("Timestamp::now", &["cli"]),
    ("SystemTime::now", &["cli"]),
];

/// What only single files may name: each with its reason.
const SINGLE: &[(&str, &[&str])] = &[
    // A ledger in a branch is read and written by the git that is on the machine, as a child
    // with a cleared environment. `main` has the exit code.
    ("std::process", &["ledger/git/command.rs", "main.rs"]),
    // How long writers go on when others are faster; no time goes into a record.
    ("std::time::Instant", &["ledger/remote/patience.rs"]),
    // A ledger in a database: one file opens the line, the others put questions to it.
    ("PgConnectOptions", &["ledger/database/line.rs"]),
    // A ledger in a bucket: its client, and what it asks.
    (
        "object_store",
        &["ledger/bucket/connect.rs", "ledger/bucket/remote.rs"],
    ),
];

/// What a room may name in single files only, each with its reason.
const SINGLE_IN_A_ROOM: &[(&str, &str, &[&str])] = &[
    // Waits for the answers of a server; the line to a database has a runtime of its own.
    (
        "ledger",
        "tokio::",
        &["ledger/waiting.rs", "ledger/database/line.rs"],
    ),
    // The client of a bucket.
    ("ledger", "reqwest", &["ledger/bucket/connect.rs"]),
    // Nothing there may fall back to the process's environment.
    ("ledger", "from_env", &[]),
];

/// What only one folder may name.
const FOLDERS: &[(&str, &str)] = &[
    ("sqlx", "ledger/database"),
    ("sigstore_verify", "ledger/sigstore"),
];

#[test]
fn only_one_file_starts_processes_and_only_one_looks_at_a_stop_watch() {
    let mut wrong = Vec::new();
    for (_, file, code) in sources() {
        for (word, allowed) in SINGLE {
            if code.contains(word) && !allowed.iter().any(|name| file.ends_with(name)) {
                wrong.push(format!("{} names `{word}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_ledger_reaches_outside_in_single_files_only() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        for (wanted, word, allowed) in SINGLE_IN_A_ROOM {
            if room == *wanted
                && code.contains(word)
                && !allowed.iter().any(|name| file.ends_with(name))
            {
                wrong.push(format!("{} names `{word}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arrows_between_rooms_only_point_down() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        let allowed = ROOMS
            .iter()
            .find(|(name, _)| *name == room)
            .unwrap_or_else(|| panic!("{room} is no room of the house; add it to the table"))
            .1;
        for target in imports(&code) {
            let is_room = ROOMS.iter().any(|(name, _)| *name == target);
            if is_room && target != room && !allowed.contains(&target.as_str()) {
                wrong.push(format!("{} imports {target}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn only_the_rim_reaches_outside() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        for (word, allowed) in REACHES {
            if code.contains(word) && !allowed.contains(&room.as_str()) {
                wrong.push(format!("{} names `{word}`", file.display()));
            }
        }
        for (word, folder) in FOLDERS {
            let inside = file.parent().is_some_and(|parent| parent.ends_with(folder));
            if code.contains(word) && !inside {
                wrong.push(format!("{} names `{word}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn controls_name_no_platform_in_their_logic() {
    let mut wrong = Vec::new();
    for (room, file, code) in sources() {
        if room != "controls" || file.ends_with("control.rs") {
            continue;
        }
        // The metadata may speak of platforms; what stands behind `fn evaluate` may not.
        let logic = code.split("fn evaluate").nth(1).unwrap_or_default();
        for word in ["Platform::Github", "Platform::Gitlab", "subject.platform"] {
            if logic.contains(word) {
                wrong.push(format!("{} judges by `{word}`", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_says_what_it_is_for() {
    for (_, file, _) in sources() {
        let text = fs::read_to_string(&file).expect("a source file is readable");
        assert!(
            text.starts_with("//!"),
            "{} starts without `//!`",
            file.display()
        );
    }
}

/// Every source file as (room, path, code without its tests and comments).
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    walk(&root, &mut found);
    assert!(found.len() > 20, "the sources were not found");
    found
        .into_iter()
        .map(|file| {
            let inside = file.strip_prefix(&root).expect("below the root");
            let room = inside
                .components()
                .next()
                .expect("a file has a name")
                .as_os_str()
                .to_string_lossy()
                .trim_end_matches(".rs")
                .to_owned();
            let text = fs::read_to_string(&file).expect("a source file is readable");
            (room, file, code_of(&text))
        })
        .collect()
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder is readable") {
        let path = entry.expect("an entry is readable").path();
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path
                .file_stem()
                .is_some_and(|stem| stem.to_string_lossy().ends_with("tests"))
            && !path.ends_with("testing.rs")
        {
            found.push(path);
        }
    }
}

/// The code up to the tests, which stand at the end, without comment lines.
fn code_of(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests")
        .next()
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The rooms that `crate::room` paths name, grouped imports included.
fn imports(code: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for part in code.split("crate::").skip(1) {
        if let Some(group) = part.strip_prefix('{') {
            let mut depth = 0_usize;
            let mut name = String::new();
            for letter in group.chars() {
                match letter {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => rooms.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(letter),
                    _ => {}
                }
            }
            rooms.push(name);
        } else {
            rooms.push(part.to_owned());
        }
    }
    rooms
        .into_iter()
        .map(|path| {
            path.trim()
                .chars()
                .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
                .collect()
        })
        .collect()
}
