//! Which GitLab answers, and from which version on it knows a field. An older
//! server leaves a field out for everybody, which no permission would mend.

use serde::Deserialize;

use crate::facts::{Fact, Server, Unknown, Why};

use super::super::wire::{Reply, object};
use super::super::{Session, permissions};

/// The vendor's own cloud, which is always the newest version.
const CLOUD: &str = "gitlab.com";

/// Fields of answers, and the version that brought them.
/// <https://docs.gitlab.com/api/projects/>, <https://docs.gitlab.com/api/protected_branches/>
const SINCE: &[(&str, (u32, u32))] = &[
    ("ci_pipeline_variables_minimum_override_role", (17, 1)),
    ("content_ref", (16, 10)),
];

/// The server that answers, asked once.
pub(in super::super) async fn server(session: &Session) -> &Fact<Server> {
    session
        .server
        .get_or_init(async || {
            let reply = session.settings.get("/metadata").await;
            translated(&reply, session.setup.place.api.host_str())
        })
        .await
}

/// Why a field that is not there cannot be there: the server is older than it.
/// `None` if the field is no matter of the version, or the version is not known.
pub(in super::super) fn too_old(server: &Fact<Server>, fact: &str, field: &str) -> Option<Unknown> {
    let (_, since) = SINCE.iter().find(|(name, _)| *name == field)?;
    let Fact::Known { value, sources } = server else {
        return None;
    };
    let seen = value.version.as_deref()?;
    if number(seen)? >= *since {
        return None;
    }
    let unknown = Unknown::new(
        fact,
        Why::NotSupported,
        format!(
            "`{field}` came with GitLab {}.{}; this server has version `{seen}`",
            since.0, since.1
        ),
    );
    Some(match sources.first() {
        Some(source) => unknown.at(source.endpoint.clone(), Some(200)),
        None => unknown,
    })
}

#[derive(Deserialize)]
struct Metadata {
    version: Option<String>,
    enterprise: Option<bool>,
}

fn translated(reply: &Reply, host: Option<&str>) -> Fact<Server> {
    const FACT: &str = "server";
    match object::<Metadata>(FACT, permissions::PROJECT, reply) {
        Ok((metadata, sources)) => match metadata.version {
            Some(version) => Fact::seen_in(
                Server {
                    product: "GitLab".to_owned(),
                    version: (host != Some(CLOUD)).then_some(version),
                    enterprise: metadata.enterprise,
                },
                sources,
            ),
            None => Fact::Unknown(super::super::left_out(FACT, "version", &sources)),
        },
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// Major and minor of `17.11.2-ee`.
fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(version: Option<&str>) -> Fact<Server> {
        Fact::known_without_source(Server {
            product: "GitLab".to_owned(),
            version: version.map(str::to_owned),
            enterprise: None,
        })
    }

    #[test]
    fn a_field_that_is_younger_than_the_server_is_not_supported_and_says_the_version() {
        let field = "ci_pipeline_variables_minimum_override_role";
        let why = too_old(&server(Some("16.11.4-ee")), "x", field).unwrap();
        assert_eq!(why.why, Why::NotSupported);
        assert!(why.detail.contains("16.11.4-ee"), "{why}");
        for newer in [Some("17.1.0"), Some("18.0.0-pre"), Some("odd"), None] {
            assert_eq!(too_old(&server(newer), "x", field), None, "{newer:?}");
        }
        assert_eq!(too_old(&server(Some("1.0")), "x", "merge_method"), None);
    }
}
