//! A ledger in a branch of the judged repository on GitHub, over HTTP: the first record is pushed, the
//! next ones are commits that the server makes when its API is asked, and reading is git's as ever.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::ledger_git::{
    Asked, NOW, PATH, TOKEN, backend, empty, environment, git, git_answer, server,
};
use crate::support::{Ended, run_in};

const BRANCH: &str = "refs/heads/ccgate/ledger";

/// What the API does with a question.
#[derive(Clone, Copy)]
enum Does {
    Make,
    /// It makes the commit and closes the connection without an answer.
    MakeAndHangUp,
    /// Somebody else is faster.
    ComeLate,
    Forbid,
}

/// A forge with one repository, `acme/app`, whose API does what stands next on a list.
struct Forge {
    folder: tempfile::TempDir,
    address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Forge {
    /// `None`, said aloud, where git's server program is not installed.
    fn start(does: &[Does]) -> Option<Self> {
        let program = backend()?;
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().to_owned();
        let repository = root.join("acme/app.git");
        std::fs::create_dir_all(root.join("acme")).expect("a folder");
        git(&root, &["init", "--quiet", "--bare", "acme/app.git"]);
        git(&repository, &["config", "http.receivepack", "true"]);
        let does = does.to_vec();
        let next = Mutex::new(0);
        let basic = STANDARD.encode(format!("x-access-token:{TOKEN}"));
        let (address, asked) = server(move |(line, who), body, headers| {
            if line.starts_with("POST /api/graphql ") {
                assert_eq!(who.as_deref(), Some(format!("Bearer {TOKEN}").as_str()));
                let mut next = next.lock().expect("not poisoned");
                let now = does.get(*next).copied().unwrap_or(Does::Make);
                *next += 1;
                return graphql(&repository, body, now);
            }
            if who.as_ref() != Some(&format!("Basic {basic}")) {
                return empty(
                    "401 Unauthorized",
                    "WWW-Authenticate: Basic realm=\"x\"\r\n",
                );
            }
            git_answer(&program, &root, line, body, headers)
        });
        Some(Self {
            folder,
            address,
            asked,
        })
    }

    fn repository(&self) -> PathBuf {
        self.folder.path().join("acme/app.git")
    }

    /// Runs in a job for a pull request.
    fn run(&self, arguments: &[&str]) -> Ended {
        let event = json!({"pull_request": {
            "number": 7,
            "head": {"sha": "00000000000000000000000000000000000000a7"},
        }});
        std::fs::write(self.folder.path().join("event.json"), event.to_string())
            .expect("it is written");
        let ended = run_in(self.folder.path(), self.environment(), NOW, arguments);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!all.contains(TOKEN), "{all}");
        ended
    }

    fn environment(&self) -> BTreeMap<String, String> {
        environment(&[
            ("PATH", PATH),
            ("GITHUB_ACTIONS", "true"),
            ("GITHUB_API_URL", &format!("{}/api/v3", self.address)),
            ("GITHUB_REPOSITORY", "acme/app"),
            ("GITHUB_TOKEN", TOKEN),
            ("GITHUB_EVENT_NAME", "pull_request"),
            ("GITHUB_EVENT_PATH", "event.json"),
        ])
    }

    /// Appends a record; each exit code makes another one.
    fn append(&self, code: &str) -> Ended {
        self.run(&["ledger", "crashed", "git+branch:", "--exit-code", code])
    }

    fn count(&self, begin: &str) -> usize {
        let asked = self.asked.lock().expect("not poisoned");
        asked
            .iter()
            .filter(|(line, _)| line.starts_with(begin))
            .count()
    }

    /// The committers along the branch, from the first on.
    fn committers(&self) -> Vec<String> {
        let log = git(
            &self.repository(),
            &["log", "--reverse", "--format=%cn", BRANCH],
        );
        log.lines().map(str::to_owned).collect()
    }
}

/// The one mutation, over the repository: another committer and another time than the writer's.
fn graphql(repository: &Path, body: &[u8], does: Does) -> Vec<u8> {
    let refused = |kind: &str, message: &str| {
        json!({
            "data": {"createCommitOnBranch": null},
            "errors": [{"type": kind, "path": ["createCommitOnBranch"], "message": message}],
        })
    };
    let request: Value = serde_json::from_slice(body).expect("it is JSON");
    let input = &request["variables"]["input"];
    assert_eq!(input["branch"]["repositoryNameWithOwner"], "acme/app");
    assert_eq!(input["branch"]["branchName"], BRANCH);
    let answer = match does {
        Does::Forbid => refused("FORBIDDEN", "Resource not accessible by integration"),
        Does::ComeLate => refused(
            "STALE_DATA",
            "Expected branch to point to \"aa\" but it did not.  Pull and try again.",
        ),
        Does::Make | Does::MakeAndHangUp => match make(repository, input) {
            Some(id) => json!({"data": {"createCommitOnBranch": {"commit": {"oid": id}}}}),
            None => refused("STALE_DATA", "Expected branch to point elsewhere"),
        },
    };
    if matches!(does, Does::MakeAndHangUp) {
        return Vec::new();
    }
    let answer = answer.to_string();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    )
    .into_bytes()
}

fn make(repository: &Path, input: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let head = text(&input["expectedHeadOid"]);
    let mut stream = format!(
        "feature done\ncommit refs/made\ncommitter GitHub <noreply@example.test> 1790000000 +0000\ndata 4\nmade\nfrom {head}\n"
    )
    .into_bytes();
    let changes = &input["fileChanges"];
    for deletion in changes["deletions"].as_array().expect("a list") {
        stream.extend_from_slice(format!("D {}\n", text(&deletion["path"])).as_bytes());
    }
    for addition in changes["additions"].as_array().expect("a list") {
        let bytes = STANDARD
            .decode(text(&addition["contents"]))
            .expect("it is base64");
        let head = format!(
            "M 100644 inline {}\ndata {}\n",
            text(&addition["path"]),
            bytes.len()
        );
        stream.extend_from_slice(head.as_bytes());
        stream.extend_from_slice(&bytes);
        stream.push(b'\n');
    }
    stream.extend_from_slice(b"done\n");
    let mut import = Command::new("git")
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", repository)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(["fast-import", "--quiet", "--force"])
        .current_dir(repository)
        .stdin(Stdio::piped())
        .spawn()
        .expect("git is installed");
    let mut stdin = import.stdin.take().expect("a pipe");
    stdin.write_all(&stream).expect("it is read");
    drop(stdin);
    assert!(import.wait().expect("it ends").success());
    let id = git(repository, &["rev-parse", "refs/made"])
        .trim()
        .to_owned();
    let stands = git(repository, &["rev-parse", BRANCH]);
    (stands.trim() == head).then(|| {
        git(repository, &["update-ref", BRANCH, &id, &head]);
        id
    })
}

#[test]
fn after_the_first_record_a_job_on_github_has_its_commits_made_by_the_api() {
    let Some(forge) = Forge::start(&[Does::Make, Does::ComeLate, Does::Make]) else {
        return;
    };
    let push = "POST /acme/app.git/git-receive-pack";
    let mut requests = Vec::new();
    for (number, code) in ["101", "137", "139"].into_iter().enumerate() {
        let before = forge.count("");
        let ended = forge.append(code);
        requests.push(forge.count("") - before);
        assert_eq!(
            (ended.code, ended.stdout),
            (
                0,
                format!(
                    "a run that ended with {code} is recorded in git+branch: as entry {number}\n"
                )
            ),
            "{}",
            ended.stderr
        );
    }
    // What is there, the branch, the commit; the question; the same three for what was made.
    assert_eq!(requests[1], 7, "{requests:?}");
    // One question for the second record; two for the third, which came too late once.
    assert_eq!(
        (forge.count(push), forge.count("POST /api/graphql")),
        (1, 3)
    );
    assert_eq!(forge.committers(), ["ccgate", "GitHub", "GitHub"]);
    let verified = forge.run(&["ledger", "verify", "git+branch:"]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    for words in ["3 records", "every commit only added", "git verify-commit"] {
        assert!(
            verified.stdout.contains(words),
            "{words}: {}",
            verified.stdout
        );
    }
    // The same branch by its address is one that is pushed to, and is said to be.
    let address = format!("git+{}/acme/app.git", forge.address);
    let verified = forge.run(&["ledger", "verify", &address]);
    assert_eq!(verified.code, 0, "{}", verified.stderr);
    assert!(
        verified.stdout.contains("pushed, unsigned"),
        "{}",
        verified.stdout
    );
    let ended = forge.run(&["ledger", "crashed", &address, "--exit-code", "134"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(
        (forge.count(push), forge.count("POST /api/graphql")),
        (2, 3)
    );
    assert_eq!(forge.run(&["ledger", "verify", &address]).code, 0);
}

#[test]
fn an_answer_of_the_api_that_is_lost_doubles_no_record() {
    let Some(forge) = Forge::start(&[Does::MakeAndHangUp]) else {
        return;
    };
    assert_eq!(forge.append("101").code, 0);
    let ended = forge.append("137");
    assert!(
        ended.code == 0 && ended.stdout.contains("as entry 1"),
        "{}{}",
        ended.stdout,
        ended.stderr
    );
    assert_eq!(forge.count("POST /api/graphql"), 1);
    assert_eq!(forge.committers(), ["ccgate", "GitHub"]);
    assert_eq!(forge.run(&["ledger", "verify", "git+branch:"]).code, 0);
}

#[test]
fn a_token_that_may_not_write_closes_the_ledger_in_plain_words_and_pushes_nothing() {
    let Some(forge) = Forge::start(&[Does::Forbid]) else {
        return;
    };
    assert_eq!(forge.append("101").code, 0);
    let ended = forge.append("137");
    assert_eq!(ended.code, 5, "{}", ended.stdout);
    assert!(
        ended.stderr.contains("`contents: write`"),
        "{}",
        ended.stderr
    );
    assert_eq!(forge.count("POST /api/graphql"), 1);
    assert_eq!(forge.committers(), ["ccgate"]);
}
