//! Which change on which host: from flags and the CI's variables, handed in as
//! a map. Reads nothing by itself. What a flag says counts more than a variable.

mod event;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};

use url::Url;

use crate::facts::{Platform, PreviousTip, ToldBy};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    /// `--platform`.
    pub platform: Option<Platform>,
    /// `--repo`.
    pub repository: Option<String>,
    /// `--change`.
    pub change: Option<u64>,
    /// `--head`.
    pub head: Option<String>,
    /// `--ref`.
    pub reference: Option<String>,
    /// `--since`.
    pub since: Option<String>,
    /// Whether the repository as a whole is meant, no change and no commit.
    pub repository_only: bool,
}

impl Flags {
    /// What is looked at: a change, or without one the repository as a whole.
    #[must_use]
    pub fn of(
        platform: Option<Platform>,
        repository: Option<&str>,
        change: Option<u64>,
        reference: Option<&str>,
    ) -> Self {
        Self {
            platform,
            repository: repository.map(str::to_owned),
            change,
            reference: reference.map(str::to_owned),
            repository_only: change.is_none(),
            ..Self::default()
        }
    }
}

/// A group of a merge queue, before it is merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The commit that it stands on.
    pub base: String,
    /// The commit that the branch would stand at.
    pub head: String,
    /// The branch.
    pub branch: String,
}

/// What is to be judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Every change of a group in a merge queue.
    Group(Group),
    /// A change.
    Change {
        /// Its number.
        number: u64,
        /// The head that the CI runs for, if it says; a different head on the
        /// platform means that this run is out of date.
        head: Option<String>,
        /// Its target branch, if known without asking.
        target: Option<String>,
    },
    /// A commit that stands on a branch.
    Commit {
        /// The commit; `None`: the tip.
        sha: Option<String>,
        /// The branch; `None`: the default branch.
        branch: Option<String>,
        /// Where the branch stood before; `None`: nobody said.
        before: Option<PreviousTip>,
    },
    /// The repository and its settings, seen from one branch.
    Repository {
        /// The branch; `None`: the default branch.
        branch: Option<String>,
    },
}

/// Where the change is.
#[derive(Clone, Debug)]
pub struct Place {
    /// The platform.
    pub platform: Platform,
    /// Base address of the REST API, without trailing slash.
    pub api: Url,
    /// Address of the GraphQL API.
    pub graphql: Url,
    /// Full path of the repository.
    pub repository: String,
    /// What is to be judged.
    pub wanted: Wanted,
    /// The commit that a merge train made for this run, if it runs for one.
    pub train: Option<String>,
    /// Address of the CI run, for the record.
    pub run_url: Option<String>,
}

/// Finds the place. `event_file` is the content of `GITHUB_EVENT_PATH`, if that is set:
/// `Err` with the reason if it could not be read.
///
/// # Errors
/// What is missing or contradictory, and which flag or variable would settle it.
pub fn find(
    flags: &Flags,
    env: &BTreeMap<String, String>,
    event_file: Option<Result<Vec<u8>, String>>,
) -> anyhow::Result<Place> {
    let env = Variables(env);
    match which(flags, env)? {
        Platform::Github => github(flags, env, event_file),
        Platform::Gitlab => gitlab(flags, env),
    }
}

/// The CI's variables; an empty one counts as not set.
#[derive(Clone, Copy)]
struct Variables<'a>(&'a BTreeMap<String, String>);

impl<'a> Variables<'a> {
    fn get(self, name: &str) -> Option<&'a str> {
        let value = self.0.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }
}

fn which(flags: &Flags, env: Variables<'_>) -> anyhow::Result<Platform> {
    if let Some(platform) = flags.platform {
        return Ok(platform);
    }
    let any = |names: &[&str]| names.iter().any(|name| env.get(name).is_some());
    let github = any(&["GITHUB_ACTIONS", "GITHUB_REPOSITORY", "GITHUB_API_URL"]);
    let gitlab = any(&["GITLAB_CI", "CI_PROJECT_PATH", "CI_API_V4_URL"]);
    match (github, gitlab) {
        (true, false) => Ok(Platform::Github),
        (false, true) => Ok(Platform::Gitlab),
        (true, true) => bail!(
            "the variables of both GitHub and GitLab are set; say which one with \
             `--platform github` or `--platform gitlab`"
        ),
        (false, false) => bail!(
            "no CI variables are set, so it is not known where the change is; give \
             `--platform github` or `--platform gitlab`, `--repo` and `--change`"
        ),
    }
}

fn github(
    flags: &Flags,
    env: Variables<'_>,
    event_file: Option<Result<Vec<u8>, String>>,
) -> anyhow::Result<Place> {
    let api = match env.get("GITHUB_API_URL") {
        Some(text) => address("GITHUB_API_URL", text)?,
        None => address("the address of GitHub", "https://api.github.com")?,
    };
    let graphql = match env.get("GITHUB_GRAPHQL_URL") {
        Some(text) => address("GITHUB_GRAPHQL_URL", text)?,
        None => github_graphql(&api)?,
    };
    same_host(&api, "GITHUB_API_URL", &graphql, "GITHUB_GRAPHQL_URL")?;
    let from_env = env.get("GITHUB_REPOSITORY");
    let repository = repository(flags, from_env, "GITHUB_REPOSITORY")?;
    check_github_name(&repository)?;
    // The event belongs to the repository that the CI runs for, and to no other.
    let own = from_env.is_none_or(|name| name.eq_ignore_ascii_case(&repository));
    let wanted = wanted(flags, || {
        ensure!(
            own,
            "`--repo` names another repository than the CI runs for; say which change with \
             `--change`, or which branch with `--ref`"
        );
        event::wanted(env, event_file)
    })?;
    let run_url = || {
        let server = address("GITHUB_SERVER_URL", env.get("GITHUB_SERVER_URL")?).ok()?;
        let id = env.get("GITHUB_RUN_ID").filter(|id| all_digits(id))?;
        let server = server.as_str().trim_end_matches('/');
        Some(format!("{server}/{}/actions/runs/{id}", from_env?))
    };
    Ok(Place {
        platform: Platform::Github,
        api,
        graphql,
        repository,
        wanted,
        train: None,
        run_url: run_url(),
    })
}

fn gitlab(flags: &Flags, env: Variables<'_>) -> anyhow::Result<Place> {
    let api = match (env.get("CI_API_V4_URL"), env.get("CI_SERVER_URL")) {
        (Some(text), _) => address("CI_API_V4_URL", text)?,
        (None, Some(server)) => address(
            "CI_SERVER_URL",
            &format!("{}/api/v4", server.trim_end_matches('/')),
        )?,
        (None, None) => address("the address of GitLab", "https://gitlab.com/api/v4")?,
    };
    let graphql = match env.get("CI_API_GRAPHQL_URL") {
        Some(text) => address("CI_API_GRAPHQL_URL", text)?,
        None => beside(&api, "/api/v4", "/api/graphql")?,
    };
    same_host(&api, "CI_API_V4_URL", &graphql, "CI_API_GRAPHQL_URL")?;
    // A merge request from a fork runs in the fork, but its number counts in the target project.
    let by_path = env
        .get("CI_MERGE_REQUEST_IID")
        .and_then(|_| env.get("CI_MERGE_REQUEST_PROJECT_PATH"))
        .or_else(|| env.get("CI_PROJECT_PATH"));
    let from_env = by_path.or_else(|| env.get("CI_PROJECT_ID"));
    let repository = repository(flags, from_env, "CI_PROJECT_PATH")?;
    check_gitlab_name(&repository)?;
    let own = from_env.is_none_or(|name| name.eq_ignore_ascii_case(&repository))
        || env.get("CI_PROJECT_ID") == Some(repository.as_str());
    let wanted = wanted(flags, || {
        ensure!(
            own,
            "`--repo` names another project than the CI runs for; say which change with \
             `--change`, or which branch with `--ref`"
        );
        gitlab_wanted(env)
    })?;
    let train = train(env, &wanted)?;
    let run_url = env
        .get("CI_JOB_URL")
        .and_then(|text| address("CI_JOB_URL", text).ok())
        .map(|url| url.to_string());
    Ok(Place {
        platform: Platform::Gitlab,
        api,
        graphql,
        repository,
        wanted,
        train,
        run_url,
    })
}

/// The commit of a merge train's pipeline, where that is for the change that is judged.
fn train(env: Variables<'_>, wanted: &Wanted) -> anyhow::Result<Option<String>> {
    let of_train = env.get("CI_MERGE_REQUEST_EVENT_TYPE") == Some("merge_train");
    let same = match wanted {
        Wanted::Change { number, .. } => env
            .get("CI_MERGE_REQUEST_IID")
            .is_some_and(|iid| iid.parse() == Ok(*number)),
        Wanted::Group(_) | Wanted::Commit { .. } | Wanted::Repository { .. } => false,
    };
    if !of_train || !same {
        return Ok(None);
    }
    let sha = env.get("CI_COMMIT_SHA").context(
        "this pipeline runs for a merge train, and CI_COMMIT_SHA, the commit that the train made, \
         is not set",
    )?;
    commit("the commit of the merge train in CI_COMMIT_SHA", sha).map(Some)
}

fn gitlab_wanted(env: Variables<'_>) -> anyhow::Result<Wanted> {
    if let Some(number) = env.get("CI_MERGE_REQUEST_IID") {
        let number = number.parse().with_context(|| {
            format!("CI_MERGE_REQUEST_IID is `{number}`, which is no number; give `--change`")
        })?;
        // In a pipeline for merged results CI_COMMIT_SHA is a commit that GitLab made
        // for the run; the head of the change is the other one.
        let head = env
            .get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA")
            .or_else(|| env.get("CI_COMMIT_SHA"))
            .map(|head| commit("the head in CI_COMMIT_SHA", head))
            .transpose()?;
        return Ok(Wanted::Change {
            number,
            head,
            target: env
                .get("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
                .map(ToOwned::to_owned),
        });
    }
    if let Some(tag) = env.get("CI_COMMIT_TAG") {
        bail!(
            "this pipeline runs for the tag `{tag}`, and a tag is neither a change nor a branch; \
             say which change with `--change`, or which branch with `--ref`"
        );
    }
    let (Some(sha), Some(branch)) = (env.get("CI_COMMIT_SHA"), env.get("CI_COMMIT_BRANCH")) else {
        bail!(
            "neither CI_MERGE_REQUEST_IID nor CI_COMMIT_BRANCH is set; run the job in merge \
             request pipelines, or say which change with `--change`"
        );
    };
    // GitLab sets it in pipelines for pushes only; a pipeline that somebody or a
    // schedule started has zeros there, which say nothing about the branch.
    let pushed = env.get("CI_PIPELINE_SOURCE") == Some("push");
    let before = env
        .get("CI_COMMIT_BEFORE_SHA")
        .filter(|_| pushed)
        .map(|before| previous_tip("CI_COMMIT_BEFORE_SHA", before, ToldBy::Event))
        .transpose()?;
    Ok(Wanted::Commit {
        sha: Some(commit("CI_COMMIT_SHA", sha)?),
        branch: Some(branch.to_owned()),
        before,
    })
}

/// Flags first. A flag that names something else than the event takes nothing of the event.
fn wanted(
    flags: &Flags,
    from_ci: impl FnOnce() -> anyhow::Result<Wanted>,
) -> anyhow::Result<Wanted> {
    let head = flags
        .head
        .as_deref()
        .map(|head| commit("`--head`", head))
        .transpose()?;
    let reference = flags.reference.as_deref().map(branch_name).transpose()?;
    let since = flags
        .since
        .as_deref()
        .map(|since| previous_tip("`--since`", since, ToldBy::Argument))
        .transpose()?;
    if flags.repository_only {
        return Ok(Wanted::Repository { branch: reference });
    }
    let from_ci = from_ci();
    // What is green in a run for a group is merged with everything in it.
    if (flags.change.is_some() || reference.is_some())
        && let Ok(Wanted::Group(_)) = &from_ci
    {
        bail!(
            "this run is for a merge group, whose changes are all judged; leave `--change` and \
             `--ref` out"
        );
    }
    if let Some(number) = flags.change {
        ensure!(
            number > 0,
            "`--change 0` is no change; numbers begin with 1"
        );
        let same = match from_ci {
            Ok(Wanted::Change {
                number: other,
                head,
                target,
            }) if other == number => Some((head, target)),
            Ok(
                Wanted::Change { .. }
                | Wanted::Group(_)
                | Wanted::Commit { .. }
                | Wanted::Repository { .. },
            )
            | Err(_) => None,
        };
        let (event_head, event_target) = same.unwrap_or_default();
        return Ok(Wanted::Change {
            number,
            head: head.or(event_head),
            target: reference.or(event_target),
        });
    }
    if reference.is_some() {
        // Of a push to this very branch the event tells where the branch stood before.
        let before = since.or_else(|| match from_ci {
            Ok(Wanted::Commit { branch, before, .. }) if branch == reference => before,
            Ok(
                Wanted::Commit { .. }
                | Wanted::Group(_)
                | Wanted::Change { .. }
                | Wanted::Repository { .. },
            )
            | Err(_) => None,
        });
        return Ok(Wanted::Commit {
            sha: head,
            branch: reference,
            before,
        });
    }
    Ok(match from_ci? {
        Wanted::Group(group) => {
            ensure!(
                since.is_none() && head.is_none_or(|head| head == group.head),
                "this run is for a merge group at {}; leave `--head` and `--since` out",
                group.head
            );
            Wanted::Group(group)
        }
        Wanted::Change {
            number,
            target,
            head: told,
        } => {
            ensure!(
                since.is_none(),
                "`--since` goes with a branch, and this run is for change {number}; give `--ref` too"
            );
            Wanted::Change {
                number,
                head: head.or(told),
                target,
            }
        }
        Wanted::Commit {
            sha,
            branch,
            before,
        } => Wanted::Commit {
            sha: head.or(sha),
            branch,
            before: since.or(before),
        },
        Wanted::Repository { branch } => match head {
            None => Wanted::Repository { branch },
            sha @ Some(_) => Wanted::Commit {
                sha,
                branch,
                before: since,
            },
        },
    })
}

/// Where a branch stood before: a full commit id, or zeros where there was no such branch.
fn previous_tip(what: &str, text: &str, told_by: ToldBy) -> anyhow::Result<PreviousTip> {
    let id = commit(what, text)?;
    Ok(PreviousTip {
        commit: id.bytes().any(|byte| byte != b'0').then_some(id),
        told_by,
    })
}

fn repository(flags: &Flags, from_env: Option<&str>, variable: &str) -> anyhow::Result<String> {
    flags
        .repository
        .as_deref()
        .or(from_env)
        .map(ToOwned::to_owned)
        .with_context(|| {
            format!("it is not known which repository; give `--repo` or set {variable}")
        })
}

/// `owner/name` of the characters that GitHub allows.
fn check_github_name(name: &str) -> anyhow::Result<()> {
    let good = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    let parts: Vec<&str> = name.split('/').collect();
    ensure!(
        parts.len() == 2 && parts.iter().all(|part| good(part)),
        "`{}` is no repository on GitHub; write it as `owner/name`",
        printable(name)
    );
    Ok(())
}

/// A project's number, or its path with all groups.
fn check_gitlab_name(name: &str) -> anyhow::Result<()> {
    let good = |part: &str| {
        !part.is_empty()
            && !matches!(part, "." | "..")
            && !part
                .chars()
                .any(|c| c.is_control() || c.is_whitespace() || "\\?#%".contains(c))
    };
    let parts: Vec<&str> = name.split('/').collect();
    ensure!(
        (parts.len() > 1 || all_digits(name)) && parts.iter().all(|part| good(part)),
        "`{}` is no project on GitLab; write it as `group/project` with all sub-groups",
        printable(name)
    );
    Ok(())
}

/// A full commit id. A short one could come to mean another commit.
pub(crate) fn commit(what: &str, text: &str) -> anyhow::Result<String> {
    ensure!(
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{what} is `{}`, which is no full commit id; give all 40 (or 64) hexadecimal digits",
        printable(text)
    );
    Ok(text.to_ascii_lowercase())
}

/// A branch by its name or its full reference.
fn branch_name(text: &str) -> anyhow::Result<String> {
    let name = text.strip_prefix("refs/heads/").unwrap_or(text);
    ensure!(
        !name.starts_with("refs/") && !name.is_empty() && !name.chars().any(char::is_control),
        "`--ref {}` is no branch; give the name of a branch",
        printable(text)
    );
    Ok(name.to_owned())
}

/// An address that requests may be sent to. Plain http is allowed where the platform
/// or the caller says so: self-hosted platforms without TLS exist.
fn address(what: &str, text: &str) -> anyhow::Result<Url> {
    // The text itself is not repeated: it may hold a password.
    let mut url = Url::parse(text)
        .with_context(|| format!("{what} is no valid address; it must begin with `https://`"))?;
    ensure!(
        url.username().is_empty() && url.password().is_none(),
        "{what} holds a user name or a password; take it out, the token comes from its own variable"
    );
    ensure!(
        matches!(url.scheme(), "https" | "http") && url.host_str().is_some(),
        "{what} is no address of a web server; it must begin with `https://`"
    );
    ensure!(
        url.query().is_none() && url.fragment().is_none(),
        "{what} holds a `?` or a `#`; give the bare address"
    );
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// The token goes to both addresses, so they must be one host.
fn same_host(api: &Url, name: &str, graphql: &Url, other: &str) -> anyhow::Result<()> {
    ensure!(
        api.origin() == graphql.origin(),
        "{name} and {other} name different hosts; the token is sent to one host only, so set \
         both to the same one, or only {name}"
    );
    Ok(())
}

fn github_graphql(api: &Url) -> anyhow::Result<Url> {
    if api.path().ends_with("/api/v3") {
        return beside(api, "/api/v3", "/api/graphql");
    }
    beside(api, "", "/graphql")
}

/// The same address with `suffix` at its end replaced; added if it is not there.
fn beside(api: &Url, suffix: &str, replacement: &str) -> anyhow::Result<Url> {
    let path = api.path().trim_end_matches('/');
    let bare = path.strip_suffix(suffix).unwrap_or(path);
    let mut url = api.clone();
    url.set_path(&format!("{bare}{replacement}"));
    Ok(url)
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Untrusted text in an error: without control characters, and not endless.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .take(120)
        .collect()
}
