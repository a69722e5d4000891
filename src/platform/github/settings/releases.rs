//! Whether there are releases, which the first round counted, and whether they can
//! be changed once they are out. Knows nothing of single releases.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, Releases, Server, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::Session;
use super::super::permissions::ADMINISTRATION;
use super::super::server::{Feature, too_old};
use super::shared::Shared;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Immutable {
    enabled: Option<bool>,
}

/// Both facts. Where there is no release nothing is asked.
pub(super) async fn ask(session: &Session, shared: &Shared<'_>, server: &Fact<Server>) -> Releases {
    let exist = session.releases_exist.clone();
    let immutable = if exist.known() == Ok(&false) {
        Fact::Unknown(Unknown::new(
            FactKey::RepositoryReleases.name(),
            Why::NotCollected,
            "there is no release, so it was not asked",
        ))
    } else if shared.blind() {
        Fact::Unknown(
            Unknown::new(
                FactKey::RepositoryReleases.name(),
                Why::NotPermitted,
                "a workflow token cannot see whether releases can be changed, so it was not asked",
            )
            .needs(ADMINISTRATION),
        )
    } else {
        let path = format!("{}/immutable-releases", session.repository_path());
        // Readable with the same right: it tells "off" from "hidden".
        let (answer, control) = tokio::join!(shared.client().get(&path), shared.deploy_keys());
        immutable(&answer, control, server)
    };
    Releases { exist, immutable }
}

/// "Not found" is "off" only where another setting was readable with the same right.
fn immutable(
    answer: &Result<Answer, NoAnswer>,
    control: &Result<Listing, NoAnswer>,
    server: &Fact<Server>,
) -> Fact<bool> {
    let fact = FactKey::RepositoryReleases.name();
    match answer {
        Ok(answer) => match answer.json::<Immutable>() {
            Ok(Immutable {
                enabled: Some(enabled),
            }) => Fact::seen(enabled, answer.source.clone()),
            Ok(_) => Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                "the answer does not say whether releases can be changed",
            )),
            Err(detail) => Fact::Unknown(access::malformed(
                fact,
                &answer.endpoint,
                answer.status,
                &detail,
            )),
        },
        Err(refusal) => {
            if let Some(unknown) = too_old(server, Feature::ImmutableReleases, refusal, fact) {
                return Fact::Unknown(unknown);
            }
            match (refusal, control) {
                (NoAnswer::Status(answer), Ok(listing)) if answer.status == 404 => {
                    let mut sources = vec![answer.source.clone()];
                    sources.extend(listing.sources.iter().cloned());
                    Fact::seen_in(false, sources)
                }
                _ => Fact::Unknown(access::refused(fact, ADMINISTRATION, refusal)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::graph::testing::{refused, rest};
    use super::*;

    fn told(answer: &Result<Answer, NoAnswer>, keys: bool, version: Option<&str>) -> Fact<bool> {
        let control = if keys {
            Ok(Listing {
                items: Vec::new(),
                sources: Vec::new(),
                endpoint: String::new(),
            })
        } else {
            refused(403, "Resource not accessible by integration").map(|_| unreachable!())
        };
        let server = match version {
            Some(version) => Fact::known_without_source(Server {
                product: "GitHub Enterprise Server".to_owned(),
                version: Some(version.to_owned()),
                enterprise: None,
            }),
            None => Fact::Unknown(Unknown::not_collected("server")),
        };
        immutable(answer, &control, &server)
    }

    fn why(fact: &Fact<bool>) -> Why {
        fact.known().unwrap_err().why
    }

    #[test]
    fn the_setting_is_read_as_it_stands() {
        for enabled in [true, false] {
            let answer = rest(&json!({"enabled": enabled, "enforced_by_owner": false}));
            assert_eq!(told(&answer, false, None).known(), Ok(&enabled));
        }
        assert_eq!(why(&told(&rest(&json!({})), true, None)), Why::Failed);
    }

    #[test]
    fn not_found_is_off_only_where_another_setting_was_readable_with_the_same_right() {
        let answer = refused(404, "Not Found");
        assert_eq!(told(&answer, true, None).known(), Ok(&false));
        assert_eq!(why(&told(&answer, false, None)), Why::HiddenOrAbsent);
    }

    #[test]
    fn an_own_server_without_the_endpoint_does_not_say_that_it_is_off() {
        let answer = refused(404, "Not Found");
        assert_eq!(why(&told(&answer, true, Some("3.19.2"))), Why::NotSupported);
        assert_eq!(told(&answer, true, Some("3.20.0")).known(), Ok(&false));
    }

    #[test]
    fn a_refusal_keeps_its_reason() {
        let forbidden = refused(403, "Resource not accessible by integration");
        assert_eq!(why(&told(&forbidden, true, None)), Why::NotPermitted);
        assert_eq!(why(&told(&refused(501, ""), true, None)), Why::NotSupported);
        assert_eq!(why(&told(&refused(500, ""), true, None)), Why::Failed);
    }
}
