//! Ledgers in git as a user meets them: recorded by `check`, read by every command, with a
//! token that reaches the ledger's repository and nothing else.

#![expect(clippy::print_stderr, reason = "a skipped check is said aloud")]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::support::{Bench, run_in};

pub(crate) const TOKEN: &str = "not-a-token-at-all";
/// Where programs are on the machine that built this.
pub(crate) const PATH: &str = match option_env!("PATH") {
    Some(path) => path,
    None => "/usr/bin:/bin",
};
pub(crate) const NOW: &str = "2026-06-01T08:00:00Z";

/// A bare repository beside the bench's files, and its address.
fn bare(folder: &Path) -> String {
    git(folder, &["init", "--quiet", "--bare", "remote.git"]);
    format!("git+file://{}/remote.git", folder.display())
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .env_clear()
        .env("PATH", PATH)
        .env("HOME", folder)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("git is installed");
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_decision_is_recorded_in_a_branch_and_every_command_reads_it_there() {
    let bench = Bench::new();
    let url = bare(bench.folder.path());
    let words =
        "/ccgate override CHG-04 INC-482 Card capture is down; the reviewer on call is unreachable";
    bench.forge.with(|acme| acme.comment(42, "ana", words));
    let (code, decision) = bench.decision(&["--ledger", &url]);
    assert_eq!(
        (code, &decision["decision"]),
        (0, &json!("allow")),
        "{decision:#}"
    );
    let shown = bench.run(&["ledger", "show", &url]);
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains("INC-482"), "{}", shown.stdout);
    let listed = bench.run(&["override", "list", &url, "--format", "json"]);
    assert!(
        listed.stdout.contains("INC-482"),
        "{}{}",
        listed.stdout,
        listed.stderr
    );
    let verified = bench.run(&["ledger", "verify", &url]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    for words in [
        "every commit only added",
        "promised: ",
        "administrators could: ",
        "force-push",
    ] {
        assert!(
            verified.stdout.contains(words),
            "{words}: {}",
            verified.stdout
        );
    }
    let exported = bench.run(&["ledger", "export", &url, "--out", "pack"]);
    assert_eq!(exported.code, 0, "{}", exported.stderr);
    assert_eq!(bench.run(&["ledger", "verify", "dir:pack/ledger"]).code, 0);
    // The same decision again is the same record.
    bench.check(&["--ledger", &url]);
    let again = bench.run(&["ledger", "show", &url]).stdout;
    assert_eq!(again, shown.stdout);
}

#[test]
fn a_ledger_that_a_policy_demands_and_that_is_not_reached_closes_the_gate() {
    let bench = Bench::new();
    bench.forge.with(|acme| acme.approve(42, "li"));
    let gone = format!("git+file://{}/gone.git", bench.folder.path().display());
    let policy = format!("version: 1\nextends: [soc2-baseline]\nledger: {{url: \"{gone}\"}}\n");
    bench.forge.with(|acme| acme.policy = Some(policy));
    let ended = bench.check(&[]);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    assert!(
        ended.stderr.contains("no record was written"),
        "{}",
        ended.stderr
    );
    for command in ["verify", "show"] {
        assert_eq!(bench.run(&["ledger", command, &gone]).code, 5, "{command}");
    }
    assert_eq!(
        bench.run(&["ledger", "verify", "git+branch:--force"]).code,
        2
    );
    assert_eq!(
        bench.run(&["ledger", "verify", "git+ext::sh -c id"]).code,
        2
    );
    git(
        bench.folder.path(),
        &["init", "--quiet", "--bare", "gone.git"],
    );
    let ended = bench.check(&[]);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert_eq!(bench.run(&["ledger", "verify", &gone]).code, 0);
}

/// What a request asked for: its first line, and who asked.
pub(crate) type Asked = (String, Option<String>);

/// A web server of this machine that answers every request with what `answer` gives, and the
/// requests it got.
pub(crate) fn server(
    answer: impl Fn(&Asked, &[u8], &BTreeMap<String, String>) -> Vec<u8> + Send + 'static,
) -> (String, Arc<Mutex<Vec<Asked>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let asked = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&asked);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { break };
            // A client that goes away in the middle is none to answer.
            let Some((line, headers, body)) = request(&mut stream) else {
                continue;
            };
            let asked = (line, headers.get("authorization").cloned());
            let answer = answer(&asked, &body, &headers);
            kept.lock().expect("not poisoned").push(asked);
            let _ = stream.write_all(&answer);
        }
    });
    (address, asked)
}

fn request(stream: &mut TcpStream) -> Option<(String, BTreeMap<String, String>, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((name, value)) = header.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let mut body = Vec::new();
    if let Some(length) = headers.get("content-length") {
        body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut body).ok()?;
    } else if headers.contains_key("transfer-encoding") {
        loop {
            let mut size = String::new();
            reader.read_line(&mut size).ok()?;
            let size = usize::from_str_radix(size.trim(), 16).ok()?;
            let mut chunk = vec![0; size + 2];
            reader.read_exact(&mut chunk).ok()?;
            if size == 0 {
                break;
            }
            body.extend_from_slice(&chunk[..size]);
        }
    }
    Some((line.trim_end().to_owned(), headers, body))
}

pub(crate) fn empty(status: &str, more: &str) -> Vec<u8> {
    format!("HTTP/1.1 {status}\r\n{more}Content-Length: 0\r\nConnection: close\r\n\r\n")
        .into_bytes()
}

pub(crate) fn environment(more: &[(&str, &str)]) -> BTreeMap<String, String> {
    more.iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn a_redirect_does_not_take_the_token_elsewhere() {
    let (elsewhere, stolen) = server(|_, _, _| empty("404 Not Found", ""));
    let to = format!("Location: {elsewhere}/x.git/info/refs?service=git-upload-pack\r\n");
    let (home, asked) = server(move |_, _, _| empty("302 Found", &to));
    let folder = tempfile::tempdir().expect("a folder");
    let env = environment(&[("CCGATE_LEDGER_TOKEN", TOKEN)]);
    let ended = run_in(
        folder.path(),
        env,
        NOW,
        &["ledger", "verify", &format!("git+{home}/x.git")],
    );
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(!asked.lock().expect("not poisoned").is_empty());
    assert!(stolen.lock().expect("not poisoned").is_empty());
}

#[test]
fn the_token_goes_to_the_ledgers_server_in_a_header_and_shows_nowhere() {
    let basic = |user: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{TOKEN}")));
    let run = |env: &[(&str, &str)], url: &str| {
        let (address, asked) = server(|asked, _, _| {
            // A server that repeats what it was sent, in words for people.
            let said = format!("go away {}", asked.1.clone().unwrap_or_default());
            format!(
                "HTTP/1.1 403 {said}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{said}",
                said.len()
            )
            .into_bytes()
        });
        let folder = tempfile::tempdir().expect("a folder");
        let env: Vec<(&str, String)> = env
            .iter()
            .map(|(name, value)| (*name, value.replace("HOME", &address)))
            .collect();
        let env: Vec<(&str, &str)> = env
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let url = url.replace("HOME", &address);
        let ended = run_in(
            folder.path(),
            environment(&env),
            NOW,
            &["ledger", "show", &url],
        );
        assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
        let all = format!("{}{}", ended.stdout, ended.stderr);
        assert!(
            !all.contains(TOKEN)
                && !all.contains(&basic("x-access-token")[6..])
                && !all.contains(&basic("me")[6..]),
            "{all}"
        );
        let asked = asked.lock().expect("not poisoned").clone();
        assert!(asked.iter().all(|(line, _)| !line.contains(TOKEN)));
        asked.first().expect("it was asked").clone()
    };
    let github = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_API_URL", "HOME/api/v3"),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_TOKEN", TOKEN),
    ];
    let (line, who) = run(&github, "git+branch:");
    assert_eq!(
        line,
        "GET /acme/app.git/info/refs?service=git-upload-pack HTTP/1.1"
    );
    assert_eq!(who, Some(basic("x-access-token")));
    let gitlab = [
        ("GITLAB_CI", "true"),
        ("CI_API_V4_URL", "HOME/api/v4"),
        ("CI_PROJECT_PATH", "acme/tools/app"),
        ("CI_JOB_TOKEN", TOKEN),
    ];
    let (line, who) = run(&gitlab, "git+branch:ledger");
    assert!(
        line.starts_with("GET /acme/tools/app.git/info/refs"),
        "{line}"
    );
    assert_eq!(who, Some(basic("gitlab-ci-token")));
    let own = [("CCGATE_LEDGER_TOKEN", TOKEN), ("CCGATE_LEDGER_USER", "me")];
    assert_eq!(run(&own, "git+HOME/x.git#b").1, Some(basic("me")));
    // The platform's token stays with the platform.
    let elsewhere = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_TOKEN", TOKEN),
        ("CCGATE_TOKEN", TOKEN),
    ];
    assert_eq!(run(&elsewhere, "git+HOME/x.git").1, None);
}

/// Git's own server program as the web server's inside; `None`, said aloud, without it.
pub(crate) fn backend() -> Option<std::path::PathBuf> {
    let path = git(Path::new("/"), &["--exec-path"]);
    let program = Path::new(path.trim()).join("git-http-backend");
    if program.exists() {
        return Some(program);
    }
    eprintln!("SKIPPED: git-http-backend is not installed, nothing was pushed over http");
    None
}

/// What git's own server program answers for the repositories below the folder.
pub(crate) fn git_answer(
    program: &Path,
    root: &Path,
    line: &str,
    body: &[u8],
    headers: &BTreeMap<String, String>,
) -> Vec<u8> {
    let mut words = line.split(' ');
    let (method, target) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut child = Command::new(program)
        .env_clear()
        .env("PATH", PATH)
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", root)
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env(
            "GIT_PROTOCOL",
            headers.get("git-protocol").map_or("", String::as_str),
        )
        .env(
            "HTTP_CONTENT_ENCODING",
            headers.get("content-encoding").map_or("", String::as_str),
        )
        .env(
            "CONTENT_TYPE",
            headers.get("content-type").map_or("", String::as_str),
        )
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("REQUEST_METHOD", method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let body = body.to_vec();
    thread::spawn(move || stdin.write_all(&body));
    let mut output = child.wait_with_output().expect("it ends").stdout;
    let status = if output.starts_with(b"Status: ") {
        "500 Problem"
    } else {
        "200 OK"
    };
    let mut answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n").into_bytes();
    answer.append(&mut output);
    answer
}

#[test]
fn a_record_is_pushed_over_http_by_who_has_the_token_and_by_nobody_else() {
    let Some(program) = backend() else { return };
    let bench = Bench::new();
    bare(bench.folder.path());
    let remote = bench.path("remote.git");
    git(&remote, &["config", "http.receivepack", "true"]);
    let root = bench.folder.path().to_owned();
    let expected = format!(
        "Basic {}",
        STANDARD.encode(format!("x-access-token:{TOKEN}"))
    );
    let (address, asked) = server(move |(line, who), body, headers| {
        if who.as_ref() != Some(&expected) {
            return empty(
                "401 Unauthorized",
                "WWW-Authenticate: Basic realm=\"x\"\r\n",
            );
        }
        git_answer(&program, &root, line, body, headers)
    });
    let url = format!("git+{address}/remote.git#ccgate/ledger");
    let without = bench.check(&["--ledger", &url]);
    assert!(
        without.stderr.contains("no record was written"),
        "{}",
        without.stderr
    );
    assert_eq!(bench.run(&["ledger", "show", &url]).code, 5);
    let bench = bench.env("CCGATE_LEDGER_TOKEN", TOKEN);
    let before = asked.lock().expect("not poisoned").len();
    let with = bench.check(&["--ledger", &url]);
    assert!(
        !with.stderr.contains("no record was written"),
        "{}",
        with.stderr
    );
    let requests = asked.lock().expect("not poisoned").len() - before;
    // The first record of all asks once more whether there is no branch yet.
    assert!(requests <= 8, "{requests} requests: {:?}", asked.lock());
    assert_eq!(bench.run(&["ledger", "verify", &url]).code, 0);
    let before = asked.lock().expect("not poisoned").len();
    bench.forge.with(|acme| acme.approve(42, "li"));
    bench.check(&["--ledger", &url]);
    let requests: Vec<Asked> = asked.lock().expect("not poisoned")[before..].to_vec();
    // What is there, the branch, the commit; what is there, the push.
    assert_eq!(requests.len(), 5, "{requests:?}");
    assert_eq!(bench.run(&["ledger", "verify", &url]).code, 0);
}

/// The program itself, several times at once, some of them killed on the way: whoever is told
/// that the record is there finds it, and who is run again doubles nothing.
#[test]
fn processes_that_are_killed_while_they_record_lose_and_double_nothing() {
    let bench = Bench::new();
    let saved: Vec<String> = (0..6)
        .map(|number| {
            let name = format!("facts-{number}.json");
            bench
                .forge
                .with(|acme| acme.comment(42, "li", &format!("remark {number}")));
            bench.check(&["--save-snapshot", &name]);
            name
        })
        .collect();
    for url in ["dir:killed".to_owned(), bare(bench.folder.path())] {
        let start = |facts: &String| {
            Command::new(env!("CARGO_BIN_EXE_ccgate"))
                .args(["check", "--snapshot", facts, "--ledger", &url])
                .env_clear()
                .env("PATH", PATH)
                .env("TMPDIR", bench.folder.path())
                .current_dir(bench.folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("it starts")
        };
        let mut running: Vec<_> = saved.iter().map(start).collect();
        for (number, process) in running.iter_mut().enumerate() {
            if number % 3 == 1 {
                process.kill().expect("it is ours");
            }
            process.wait().expect("it ends");
        }
        let held = || {
            let verified = bench.run(&["ledger", "verify", &url]);
            assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
            let shown = bench.run(&["ledger", "show", &url]).stdout;
            shown
                .lines()
                .filter(|line| line.contains("change-record"))
                .count()
        };
        let before = held();
        assert!(
            (4..=6).contains(&before),
            "{before} of 6, of which 2 were killed"
        );
        for facts in &saved {
            assert!(start(facts).wait().expect("it ends").code() != Some(5));
        }
        assert_eq!(held(), 6);
    }
}
