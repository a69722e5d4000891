//! Where git finds a repository of a platform, and as whom it asks there. Derived from the
//! API's address, so that a token of the platform goes to no other server.

use anyhow::{Context as _, ensure};
use url::Url;

use crate::facts::Platform;

use super::context::Place;

/// The server that holds the repositories of the platform.
///
/// # Errors
/// If the API's address does not tell.
pub fn git_server(place: &Place) -> anyhow::Result<Url> {
    let host = place.api.host_str().unwrap_or_default();
    let path = place.api.path().trim_end_matches('/');
    let mut url = place.api.clone();
    match place.platform {
        Platform::Github if host == "api.github.com" || host.ends_with(".ghe.com") => {
            let host = host.strip_prefix("api.").unwrap_or(host).to_owned();
            url.set_host(Some(&host))
                .context("the API's address has no host")?;
            url.set_path("");
        }
        Platform::Github | Platform::Gitlab => {
            let suffix = match place.platform {
                Platform::Github => "/api/v3",
                Platform::Gitlab => "/api/v4",
            };
            let base = path.strip_suffix(suffix).with_context(|| {
                format!("the address of the API does not end in `{suffix}`, so it does not tell where git finds the repository; name it: `git+https://HOST/PATH#BRANCH`")
            })?;
            url.set_path(base);
        }
    }
    Ok(url)
}

/// The address by which git reaches the repository.
///
/// # Errors
/// As [`git_server`], and if the repository is named by its number.
pub fn git_address(place: &Place) -> anyhow::Result<Url> {
    ensure!(
        place.repository.contains('/'),
        "the repository is known by its number only; name it with `--repo`, or the ledger with `git+https://HOST/PATH#BRANCH`"
    );
    let mut url = git_server(place)?;
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{}.git", place.repository));
    Ok(url)
}

/// The user that goes with a token.
pub fn git_user(platform: Platform, job_token: bool) -> &'static str {
    match platform {
        Platform::Github => "x-access-token",
        // https://docs.gitlab.com/ci/jobs/ci_job_token/
        Platform::Gitlab if job_token => "gitlab-ci-token",
        Platform::Gitlab => "oauth2",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::context::{Flags, find};
    use super::*;

    fn address(platform: Platform, variable: &str, api: &str) -> anyhow::Result<String> {
        let flags = Flags {
            platform: Some(platform),
            repository: Some("acme/app".to_owned()),
            repository_only: true,
            ..Flags::default()
        };
        let env = BTreeMap::from([(variable.to_owned(), api.to_owned())]);
        git_address(&find(&flags, &env, None)?).map(|url| url.to_string())
    }

    #[test]
    fn git_finds_the_repository_on_the_server_whose_api_is_asked() {
        let github = |api| address(Platform::Github, "GITHUB_API_URL", api).unwrap();
        let gitlab = |api| address(Platform::Gitlab, "CI_API_V4_URL", api).unwrap();
        assert_eq!(
            github("https://api.github.com"),
            "https://github.com/acme/app.git"
        );
        assert_eq!(
            github("https://api.acme.ghe.com"),
            "https://acme.ghe.com/acme/app.git"
        );
        assert_eq!(
            github("https://git.acme.example/api/v3"),
            "https://git.acme.example/acme/app.git"
        );
        assert_eq!(
            gitlab("https://gitlab.com/api/v4"),
            "https://gitlab.com/acme/app.git"
        );
        assert_eq!(
            gitlab("https://acme.example:8443/gitlab/api/v4"),
            "https://acme.example:8443/gitlab/acme/app.git"
        );
    }

    #[test]
    fn an_api_that_does_not_tell_its_server_is_not_guessed_from() {
        assert!(
            address(
                Platform::Github,
                "GITHUB_API_URL",
                "https://api.example.test"
            )
            .is_err()
        );
        assert!(address(Platform::Gitlab, "CI_API_V4_URL", "https://example.test/v4").is_err());
    }
}
