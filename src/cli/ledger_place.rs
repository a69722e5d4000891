//! From the address of a ledger to the place that it means here: the judged repository, the
//! token for it, and what git may know of the environment. A token of the platform goes to the
//! platform's own server only.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use url::Url;

use crate::facts::{Platform, Subject};
#[cfg(feature = "s3")]
use crate::ledger::BucketPlace;
use crate::ledger::{Credentials, GitPlace, Place};
use crate::platform;

use super::exit::CommandError;
use super::ledger_api;
#[cfg(feature = "s3")]
use super::session::ca_bundle;
use super::world::World;

/// How an address begins that means a branch of the judged repository.
const OWN_BRANCH: &str = "git+branch:";

/// What git may see of the environment.
const VARIABLES: &[&str] = &[
    "PATH",
    "HTTPS_PROXY",
    "https_proxy",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
];

/// The place of a ledger; `judged` is what it is about, if that is known from elsewhere than
/// the environment.
pub(super) fn place(url: &str, world: &World, judged: Option<&Subject>) -> anyhow::Result<Place> {
    let here = here(world, judged);
    let own = || -> anyhow::Result<String> {
        let here = here.as_ref().map_err(|error| {
            if ["GITHUB_REPOSITORY", "CI_PROJECT_PATH"].iter().all(|name| world.var(name).is_none()) {
                return anyhow!(
                    "no CI variables are set, so `{OWN_BRANCH}` does not say in which repository; name it: `git+https://HOST/PATH#BRANCH`, or a clone: `git+file:///PATH#BRANCH`"
                );
            }
            anyhow!("{error:#}")
        })?;
        Ok(platform::git_address(here)?.to_string())
    };
    let mut place = Place::parse(&absolute(url, world), own)?;
    match &mut place {
        Place::Folder(_) => {}
        Place::Git(git) => {
            let here = here.ok();
            let found = token(git, here.as_ref(), world);
            git.credentials = found.as_ref().map(Found::credentials).transpose()?;
            // A branch of the judged repository, and somebody who may ask: GitHub makes the commit.
            // Where nobody asks, a push would fail as well, and reading needs no commits.
            if let (Some(here), Some(found)) = (&here, &found)
                && url.starts_with(OWN_BRANCH)
                && here.platform == Platform::Github
            {
                git.publisher = Some(ledger_api::publisher(here, found.token, world)?);
            }
            git.variables = VARIABLES
                .iter()
                .filter_map(|name| Some(((*name).to_owned(), world.var(name)?.to_owned())))
                .collect();
            git.authorities = authorities(world)?;
        }
        #[cfg(feature = "postgres")]
        Place::Database(database) => {
            database.credentials = login(world)?;
            database.authorities = authorities(world)?;
        }
        #[cfg(feature = "s3")]
        Place::Bucket(bucket) => equip(bucket, world)?,
    }
    Ok(place)
}

/// Certificate authorities instead of those that are built in or the machine's.
fn authorities(world: &World) -> anyhow::Result<Option<PathBuf>> {
    world
        .var("SSL_CERT_FILE")
        .map(|path| std::path::absolute(world.folder.join(path)))
        .transpose()
        .context("`SSL_CERT_FILE`")
}

/// As whom a database is asked: what was set for the ledger, and nothing that was set for a platform
/// or for other programs.
#[cfg(feature = "postgres")]
fn login(world: &World) -> anyhow::Result<Option<Credentials>> {
    world
        .var("CCGATE_LEDGER_USER")
        .map(|user| match world.var("CCGATE_LEDGER_TOKEN") {
            Some(token) => Credentials::new(user, token),
            None => Credentials::without_token(user),
        })
        .transpose()
        .context("`CCGATE_LEDGER_USER` and `CCGATE_LEDGER_TOKEN`")
}

/// What a bucket needs of the environment. A file that a variable names lies where the command started.
#[cfg(feature = "s3")]
fn equip(bucket: &mut BucketPlace, world: &World) -> anyhow::Result<()> {
    bucket.equip(&|name| {
        let value = world.var(name)?;
        Some(match name {
            "AWS_WEB_IDENTITY_TOKEN_FILE" => world.folder.join(value).display().to_string(),
            _ => value.to_owned(),
        })
    })?;
    bucket.tls = Some(platform::trust(ca_bundle(world)?.as_deref())?);
    Ok(())
}

/// The place of a ledger that is there already: an address that names none is wrong usage, an
/// empty folder is a ledger that refuses.
pub(super) fn existing(url: &str, world: &World) -> Result<Place, CommandError> {
    let place = place(url, world, None).map_err(CommandError::usage)?;
    match &place {
        Place::Folder(folder) if !folder.exists() => Err(CommandError::ledger(anyhow!(
            "there is no ledger at `{url}`; `ccgate check --ledger {url}` begins one"
        ))),
        Place::Folder(folder) if is_pack(folder) => Err(CommandError::ledger(anyhow!(
            "`{url}` is a pack that `ccgate ledger export` wrote; the ledger in it is `{url}/ledger`"
        ))),
        _ => Ok(place),
    }
}

/// Whether a folder holds a ledger below itself and none in itself.
fn is_pack(folder: &Path) -> bool {
    let checkpoint = |folder: &Path| folder.join("log").join("checkpoint").exists();
    !checkpoint(folder) && checkpoint(&folder.join("ledger"))
}

/// The address with a relative folder resolved against the working folder.
fn absolute(url: &str, world: &World) -> String {
    match url.strip_prefix("dir:") {
        Some(path) if !path.is_empty() => format!("dir:{}", world.folder.join(path).display()),
        Some(_) | None => url.to_owned(),
    }
}

/// The repository that this run is about.
fn here(world: &World, judged: Option<&Subject>) -> anyhow::Result<platform::Place> {
    let flags = platform::Flags {
        platform: judged.map(|subject| subject.platform),
        repository: judged.map(|subject| subject.repository.clone()),
        repository_only: true,
        ..platform::Flags::default()
    };
    platform::context::find(&flags, &world.env, None)
}

/// A token, and the user that goes with it.
struct Found<'a> {
    user: &'a str,
    token: &'a str,
    /// The variable that held it; `None`: one of the platform's.
    variable: Option<&'static str>,
}

impl Found<'_> {
    fn credentials(&self) -> anyhow::Result<Credentials> {
        let credentials = Credentials::new(self.user, self.token);
        match self.variable {
            Some(name) => credentials.with_context(|| format!("`{name}`")),
            None => credentials,
        }
    }
}

/// As whom the ledger's server is asked. `CCGATE_LEDGER_TOKEN` is for the ledger, wherever it is; a
/// token of the platform goes only where the platform itself is.
fn token<'a>(
    git: &GitPlace,
    here: Option<&platform::Place>,
    world: &'a World,
) -> Option<Found<'a>> {
    if git.address().scheme() == "file" {
        return None;
    }
    let at_home = here.filter(|place| {
        platform::git_server(place).is_ok_and(|server| is_below(&server, git.address()))
    });
    let user = |job| {
        at_home.map_or("x-access-token", |place| {
            platform::git_user(place.platform, job)
        })
    };
    if let Some(token) = world.var("CCGATE_LEDGER_TOKEN") {
        return Some(Found {
            user: world.var("CCGATE_LEDGER_USER").unwrap_or(user(false)),
            token,
            variable: Some("CCGATE_LEDGER_TOKEN"),
        });
    }
    let own = world.var("CCGATE_TOKEN").map(|token| (token, false));
    let (token, job) = own.or_else(|| match at_home?.platform {
        Platform::Github => world.var("GITHUB_TOKEN").map(|token| (token, false)),
        Platform::Gitlab => world.var("CI_JOB_TOKEN").map(|token| (token, true)),
    })?;
    at_home.map(|_| Found {
        user: user(job),
        token,
        variable: None,
    })
}

/// Whether the address is on the server: the same scheme, host and port, below its path.
fn is_below(server: &Url, address: &Url) -> bool {
    let base = server.path().trim_end_matches('/');
    server.origin() == address.origin()
        && address
            .path()
            .strip_prefix(base)
            .is_some_and(|rest| rest.starts_with('/'))
}

#[cfg(test)]
#[cfg(feature = "s3")]
mod tests {
    use std::io;
    use std::path::Path;
    use std::sync::Mutex;

    use super::*;
    use crate::ledger;

    fn world(env: &[(&str, &str)]) -> World {
        World {
            env: env
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            now: "2026-07-24T10:00:00Z".parse().unwrap(),
            folder: Path::new("/srv/job").to_owned(),
            stdin: Mutex::new(Box::new(io::empty())),
            stdout: Box::new(io::sink()),
            stderr: Box::new(io::sink()),
            stdout_is_terminal: false,
            columns: None,
        }
    }

    #[test]
    fn a_bucket_gets_its_keys_from_the_surroundings_that_were_handed_in() {
        let url = "s3://acme-evidence/app?endpoint=http://127.0.0.1:9";
        let origin = "ccgate/github/acme/app";
        let open = |env: &[(&str, &str)]| {
            let place = place(url, &world(env), None)?;
            let shown = format!("{place:?}");
            assert!(!shown.contains("hunter2"), "{shown}");
            ledger::open(&place, origin, None).map(|_| ())
        };
        let error = open(&[]).unwrap_err().to_string();
        assert!(error.contains("no credentials"), "{error}");
        let keys = [
            ("AWS_ACCESS_KEY_ID", "me"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
        ];
        open(&keys).unwrap();
        assert!(open(&keys[1..]).is_err());
        let role = [
            ("AWS_ROLE_ARN", "role"),
            ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ];
        open(&role).unwrap();
        let bundle = open(&[keys[0], keys[1], ("SSL_CERT_FILE", "nowhere.pem")]).unwrap_err();
        assert!(bundle.to_string().contains("SSL_CERT_FILE"), "{bundle:#}");
    }
}
