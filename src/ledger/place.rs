//! Addresses of ledgers, read once and strictly. Knows the kinds of places and what a name of
//! a branch may be; knows no platform and holds a token only to hand it to git.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use url::{Host, Url};

#[cfg(feature = "s3")]
use super::bucket::BucketPlace;
use super::git::Publisher;
#[cfg(feature = "postgres")]
pub(super) mod database;

#[cfg(feature = "postgres")]
pub use database::DatabasePlace;

/// The branch where nobody names another.
pub const DEFAULT_BRANCH: &str = "ccgate/ledger";

/// Longest name of a branch.
const LONGEST_BRANCH: usize = 200;

/// Where a ledger lies.
#[derive(Clone, Debug)]
pub enum Place {
    /// `dir:`: a folder of this machine.
    Folder(PathBuf),
    /// `git+…`: a branch of a repository.
    Git(GitPlace),
    /// `postgres:`: a schema of a database.
    #[cfg(feature = "postgres")]
    Database(DatabasePlace),
    /// `s3://…`: a place in a bucket.
    #[cfg(feature = "s3")]
    Bucket(Box<BucketPlace>),
}

/// A branch of a repository, and what git needs to reach it.
#[derive(Clone, Debug)]
pub struct GitPlace {
    address: Url,
    branch: String,
    /// Who asks, if the repository wants to know.
    pub credentials: Option<Credentials>,
    /// A file of certificate authorities instead of git's own.
    pub authorities: Option<PathBuf>,
    /// The only variables of the environment that git gets besides our own, e.g. `PATH`
    /// and those that name a proxy.
    pub variables: Vec<(String, String)>,
    /// Who has the server make the commits of appends; `None`: they are pushed.
    pub publisher: Option<Arc<dyn Publisher>>,
}

/// A user and a token. The token has no readable `Debug`.
#[derive(Clone)]
pub struct Credentials {
    pub(super) user: String,
    pub(super) token: String,
}

impl Credentials {
    /// # Errors
    /// If either holds what no header can carry. The token is not repeated.
    pub fn new(user: &str, token: &str) -> anyhow::Result<Self> {
        let plain =
            |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        ensure!(
            plain(token),
            "the token for the ledger is empty, or holds a space or a line break; set it again without them"
        );
        ensure!(
            plain(user) && !user.contains(':'),
            "the user for the ledger is empty, or holds a space or a colon"
        );
        Ok(Self {
            user: user.to_owned(),
            token: token.to_owned(),
        })
    }
}

#[cfg(feature = "postgres")]
impl Credentials {
    /// Those of a user whom a database knows without a token, e.g. by a socket.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn without_token(user: &str) -> anyhow::Result<Self> {
        let mut credentials = Self::new(user, "none")?;
        credentials.token.clear();
        Ok(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(…)")
    }
}

impl Place {
    /// Reads an address. `own` gives the address of the judged repository and is asked for
    /// `git+branch:` only.
    ///
    /// # Errors
    /// What is wrong with it. What could be a password is not repeated.
    pub fn parse(url: &str, own: impl FnOnce() -> anyhow::Result<String>) -> anyhow::Result<Self> {
        if let Some(path) = url.strip_prefix("dir:") {
            ensure!(
                !path.is_empty(),
                "the ledger URL `dir:` names no folder; write `dir:PATH`"
            );
            return Ok(Self::Folder(Path::new(path).to_owned()));
        }
        if let Some(branch) = url.strip_prefix("git+branch:") {
            let own = own().context("`git+branch:` means the judged repository")?;
            return GitPlace::new(&own, branch).map(Self::Git);
        }
        if let Some(address) = url.strip_prefix("git+") {
            let (address, branch) = address.split_once('#').unwrap_or((address, ""));
            return GitPlace::new(address, branch).map(Self::Git);
        }
        #[cfg(feature = "postgres")]
        if url.starts_with("postgres:") {
            return DatabasePlace::parse(url).map(Self::Database);
        }
        #[cfg(not(feature = "postgres"))]
        if url.starts_with("postgres:") {
            bail!(
                "this build has no ledgers in databases (`postgres:`); build it with `cargo build --release --features postgres`, or use `dir:PATH` or `git+branch:NAME`"
            );
        }
        if url.starts_with("s3:") {
            #[cfg(feature = "s3")]
            return BucketPlace::parse(url).map(|place| Self::Bucket(Box::new(place)));
            #[cfg(not(feature = "s3"))]
            bail!(
                "this build of ccgate has no ledgers in buckets; build it with `cargo build --release --features s3`, or use `dir:PATH` or `git+branch:NAME`"
            );
        }
        bail!(
            "the ledger URL has an unknown scheme; use `dir:PATH`, `git+branch:NAME`, `git+https://HOST/PATH#BRANCH`, `s3://BUCKET/PREFIX` or `postgres://HOST/DATABASE#NAME`"
        )
    }
}

impl GitPlace {
    /// An empty `branch` means [`DEFAULT_BRANCH`].
    fn new(address: &str, branch: &str) -> anyhow::Result<Self> {
        let branch = if branch.is_empty() {
            DEFAULT_BRANCH
        } else {
            branch
        };
        check_branch(branch)?;
        Ok(Self {
            address: check_address(address)?,
            branch: branch.to_owned(),
            credentials: None,
            authorities: None,
            variables: Vec::new(),
            publisher: None,
        })
    }

    /// The repository: `https:`, `file:`, or `http:` of this machine; no user, no password.
    pub fn address(&self) -> &Url {
        &self.address
    }

    /// The branch's full name; git never gets a shorter one.
    pub(super) fn reference(&self) -> String {
        format!("refs/heads/{}", self.branch)
    }
}

impl fmt::Display for GitPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "branch `{}` of {}", self.branch, self.address)
    }
}

/// Stricter than git: a name that means the same to git, to a shell and to a platform's rules.
fn check_branch(name: &str) -> anyhow::Result<()> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._-/".contains(character);
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with(['.', '-'])
            && !part.ends_with('.')
            && !part.to_ascii_lowercase().ends_with(".lock")
    };
    ensure!(
        name.len() <= LONGEST_BRANCH
            && name.chars().all(plain)
            && !name.contains("..")
            && name.split('/').all(part)
            && !name.starts_with("refs/")
            && name != "HEAD",
        "the ledger's branch may hold letters, digits, `.`, `_`, `-` and `/` only, no part of it may be empty or begin with `.` or `-`, and `refs/` is left out; e.g. `{DEFAULT_BRANCH}`"
    );
    Ok(())
}

fn check_address(text: &str) -> anyhow::Result<Url> {
    // Before anything is parsed away: git gets the address as one word.
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "/._~-+%:[]@".contains(character);
    ensure!(
        text.chars().all(plain),
        "the address of the ledger's repository holds a character that none may hold; write `git+https://HOST/PATH#BRANCH`"
    );
    let url = Url::parse(text).ok().context(
        "the address of the ledger's repository is none; write `git+https://HOST/PATH#BRANCH`",
    )?;
    // Not repeated in a message: it could be a password.
    ensure!(
        url.username().is_empty() && url.password().is_none() && !text.contains('@'),
        "the address of the ledger's repository holds a user or a password; leave it out and set `CCGATE_LEDGER_TOKEN`"
    );
    match url.scheme() {
        "https" => {}
        "http" if is_this_machine(&url) => {}
        "file" if url.host().is_none() => {}
        "http" => bail!("the ledger's repository is reached by plain http; write `git+https://…`"),
        _ => bail!(
            "a ledger in git is reached by `git+https://HOST/PATH#BRANCH` or `git+file:///PATH#BRANCH` only"
        ),
    }
    ensure!(
        url.path().len() > 1,
        "the address of the ledger's repository lacks its path"
    );
    Ok(url)
}

fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> anyhow::Result<Place> {
        Place::parse(url, || Ok("https://forge.example/acme/app.git".to_owned()))
    }

    fn git(url: &str) -> GitPlace {
        match parse(url).unwrap() {
            Place::Git(place) => place,
            place => panic!("{place:?}"),
        }
    }

    #[test]
    fn a_branch_of_the_judged_repository_and_one_of_another_are_told_apart() {
        let own = git("git+branch:");
        assert_eq!(own.reference(), "refs/heads/ccgate/ledger");
        assert_eq!(own.address().as_str(), "https://forge.example/acme/app.git");
        let other = git("git+https://other.example/acme/ledger.git#app");
        assert_eq!(other.reference(), "refs/heads/app");
        assert_eq!(
            other.to_string(),
            "branch `app` of https://other.example/acme/ledger.git"
        );
    }

    #[test]
    fn a_name_that_git_could_take_for_something_else_is_refused() {
        for bad in [
            "-f",
            "a/-f",
            "--upload-pack=x",
            "+main",
            "a:b",
            "a..b",
            "/a",
            "a/",
            "a//b",
            ".a",
            "a/.b",
            "a.lock",
            "a.LOCK/b",
            "a b",
            "a\nb",
            "a~1",
            "a^",
            "a*",
            "a?",
            "a[b",
            "a\\b",
            "@{-1}",
            "HEAD",
            "refs/heads/main",
            "é",
        ] {
            assert!(parse(&format!("git+branch:{bad}")).is_err(), "{bad}");
            assert!(
                parse(&format!("git+https://forge.example/x.git#{bad}")).is_err(),
                "{bad}"
            );
        }
        assert!(parse(&format!("git+branch:{}", "a".repeat(201))).is_err());
    }

    #[test]
    fn an_address_that_runs_a_program_or_carries_a_password_is_refused() {
        for bad in [
            "git+ext::sh -c id",
            "git+ssh://forge.example/x",
            "git+git://forge.example/x",
            "git+http://forge.example/x",
            "git+--upload-pack=id",
            "git+file://host/x",
            "git+https://",
            "git+https://forge.example/",
            "git+https://forge.example/x?y",
            "git+/tmp/x",
            "git+https://forge.example/x y",
            "git+https://user@forge.example/x",
            "ext::sh",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let error = parse("git+https://u:hunter2@forge.example/x").unwrap_err();
        assert!(!format!("{error:#}").contains("hunter2"));
        assert!(parse("git+http://127.0.0.1:8080/x.git").is_ok());
        assert!(parse("git+file:///srv/ledger.git#main").is_ok());
    }

    #[test]
    fn a_bucket_is_known_by_its_address_in_every_build() {
        let parsed = parse("s3://acme-evidence/app");
        if cfg!(feature = "s3") {
            assert!(parsed.is_ok());
        } else {
            let error = parsed.unwrap_err().to_string();
            assert!(error.contains("--features s3"), "{error}");
        }
    }

    #[test]
    fn a_token_shows_nowhere_and_cannot_break_a_header() {
        let credentials = Credentials::new("x-access-token", "not-a-token-at-all").unwrap();
        assert_eq!(format!("{credentials:?}"), "Credentials(…)");
        for (user, token) in [
            ("u", "a b"),
            ("u", "a\r\nx: y"),
            ("u", ""),
            ("a:b", "t"),
            ("", "t"),
        ] {
            let error = Credentials::new(user, token).unwrap_err();
            assert!(!error.to_string().contains("x: y"));
        }
    }
}
