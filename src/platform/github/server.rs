//! Which server answers, and what a server of that version does not have yet.
//! Knows no requests; a version that is not told is never guessed.

use url::Url;

use crate::facts::{Fact, Server, Unknown, Why};
use crate::platform::transport::{NoAnswer, Transport};

/// Names the version on every answer of an own server.
const VERSION_HEADER: &str = "x-github-enterprise-version";
const OWN: &str = "GitHub Enterprise Server";

/// Something that older servers do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    /// Rulesets of repositories.
    Rulesets,
    /// Releases that cannot be changed.
    ImmutableReleases,
}

impl Feature {
    /// First version of an own server that has it; everything before has not.
    fn since(self) -> (u32, u32) {
        match self {
            // <https://docs.github.com/enterprise-server@3.11/rest/repos/rules>
            Self::Rulesets => (3, 11),
            // No page about it up to and including 3.19.
            Self::ImmutableReleases => (3, 20),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Rulesets => "rulesets",
            Self::ImmutableReleases => "immutable releases",
        }
    }
}

/// The server, by the first answer that came.
pub(super) fn server(transport: &Transport, api: &Url) -> Fact<Server> {
    let unknown = |why, detail: &str| Fact::Unknown(Unknown::new("server", why, detail));
    let Some(headers) = transport.first_headers() else {
        return unknown(Why::Failed, "the server gave no answer");
    };
    let version = headers
        .get(VERSION_HEADER)
        .and_then(|version| version.to_str().ok());
    match version {
        Some(version) => Fact::known_without_source(Server {
            product: OWN.to_owned(),
            version: Some(version.to_owned()),
            enterprise: None,
        }),
        None if is_cloud(api) => Fact::known_without_source(Server {
            product: "GitHub".to_owned(),
            version: None,
            enterprise: None,
        }),
        None => unknown(
            Why::HiddenOrAbsent,
            "an own server names its version in a header, which the answer does not have",
        ),
    }
}

/// The vendor's own addresses.
fn is_cloud(api: &Url) -> bool {
    let host = api.host_str().unwrap_or_default();
    host == "api.github.com" || host.ends_with(".ghe.com")
}

/// Why an answer "not found" says nothing about the settings: the server is too
/// old to have the endpoint. `None` if it is new enough, or its version not known.
pub(super) fn too_old(
    server: &Fact<Server>,
    feature: Feature,
    refusal: &NoAnswer,
    fact: &str,
) -> Option<Unknown> {
    let NoAnswer::Status(answer) = refusal else {
        return None;
    };
    let Fact::Known { value, .. } = server else {
        return None;
    };
    if answer.status != 404 || value.product != OWN {
        return None;
    }
    let version = value.version.as_deref()?;
    (numbers(version)? < feature.since()).then(|| {
        Unknown::new(
            fact,
            Why::NotSupported,
            format!("{OWN} {version} does not have {} yet", feature.words()),
        )
        .at(answer.endpoint.clone(), Some(answer.status))
    })
}

fn numbers(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::graph::testing::refused;
    use super::*;

    fn of(version: &str) -> Fact<Server> {
        Fact::known_without_source(Server {
            product: OWN.to_owned(),
            version: Some(version.to_owned()),
            enterprise: None,
        })
    }

    fn told(server: &Fact<Server>, status: u16) -> Option<Why> {
        let Err(refusal) = refused(status, "Not Found") else {
            panic!("a refusal was built")
        };
        too_old(server, Feature::Rulesets, &refusal, "branch.rules").map(|unknown| unknown.why)
    }

    #[test]
    fn only_an_own_server_of_an_older_version_is_too_old() {
        assert_eq!(told(&of("3.10.4"), 404), Some(Why::NotSupported));
        assert_eq!(told(&of("2.22.0"), 404), Some(Why::NotSupported));
        assert_eq!(told(&of("3.11.0"), 404), None);
        assert_eq!(told(&of("3.9"), 403), None);
        assert_eq!(told(&of("nightly"), 404), None);
        let cloud = Fact::known_without_source(Server {
            product: "GitHub".to_owned(),
            version: None,
            enterprise: None,
        });
        assert_eq!(told(&cloud, 404), None);
        let hidden = Fact::Unknown(Unknown::not_collected("server"));
        assert_eq!(told(&hidden, 404), None);
    }

    #[test]
    fn the_vendors_own_addresses_are_told_from_others() {
        let cloud = |url: &str| is_cloud(&Url::parse(url).unwrap());
        assert!(cloud("https://api.github.com") && cloud("https://api.acme.ghe.com"));
        assert!(!cloud("https://api.github.com.evil.example"));
        assert!(!cloud("https://ghe.acme.example/api/v3"));
    }
}
