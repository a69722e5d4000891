//! Which repositories an organisation has. A list is taken only if it is as long as
//! the organisation says: a token that sees some of them is sent a whole list of those.

use serde::Deserialize;

use crate::facts::{Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer, Transport};

use super::super::Setup;
use super::client::Client;

const FACT: &str = "organization.repositories";
const NEEDS: &str = "organization Administration: read, and Metadata: read on every repository";

#[derive(Debug, Deserialize)]
struct Organization {
    public_repos: Option<u64>,
    /// Shown to those only who may read the organisation's administration.
    total_private_repos: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Repository {
    full_name: Option<String>,
}

/// Every repository of the organisation, archived ones among them, sorted.
/// <https://docs.github.com/rest/repos/repos#list-organization-repositories>
///
/// # Errors
/// Why it is not certain that these are all.
pub async fn population(setup: &Setup, organization: &str) -> Result<Vec<String>, Unknown> {
    let failed = |error: anyhow::Error| Unknown::new(FACT, Why::Failed, format!("{error:#}"));
    let transport = Transport::new(
        setup.ca_bundle.as_deref(),
        setup.limits,
        &setup.program,
        &setup.place.api,
    )
    .map_err(failed)?;
    let token = setup.settings_token.as_ref().unwrap_or(&setup.token);
    let client = Client::new(&setup.place, token, &transport).map_err(failed)?;
    let path = format!("/orgs/{}", access::encode(organization));
    let list = format!("{path}/repos?type=all");
    let (record, list) = tokio::join!(client.get(&path), client.get_all(&list, None));
    whole(&record, &list, organization)
}

fn whole(
    record: &Result<Answer, NoAnswer>,
    list: &Result<Listing, NoAnswer>,
    organization: &str,
) -> Result<Vec<String>, Unknown> {
    let refused = |refusal: &NoAnswer| access::refused(FACT, NEEDS, refusal);
    let record = record.as_ref().map_err(refused)?;
    let list = list.as_ref().map_err(refused)?;
    let odd = |detail: &str| access::malformed(FACT, &record.endpoint, record.status, detail);
    let told: Organization = record.json().map_err(|detail| odd(&detail))?;
    let counts = told.public_repos.zip(told.total_private_repos);
    let (public, private) = counts.ok_or_else(|| {
        let detail = "the platform does not show this token how many repositories there are";
        Unknown::new(FACT, Why::HiddenOrAbsent, detail)
            .needs(NEEDS)
            .at(record.endpoint.clone(), Some(record.status))
    })?;
    let mut names = Vec::new();
    for item in &list.items {
        let repository = Repository::deserialize(item).ok();
        let name = repository.and_then(|repository| repository.full_name);
        let own = name.filter(|name| {
            let owner = name.split_once('/').map(|(owner, _)| owner);
            owner.is_some_and(|owner| owner.eq_ignore_ascii_case(organization))
        });
        names.push(own.ok_or_else(|| odd("a repository has no name, or another owner"))?);
    }
    names.sort();
    names.dedup();
    let there = public.saturating_add(private);
    let seen = u64::try_from(names.len()).unwrap_or(u64::MAX);
    if seen != there {
        let detail = format!("the organisation has {there} repositories, and {seen} are shown");
        return Err(Unknown::new(FACT, Why::HiddenOrAbsent, detail).needs(NEEDS));
    }
    Ok(names)
}

#[cfg(test)]
#[expect(
    clippy::result_large_err,
    reason = "the shape that the transport hands over"
)]
mod tests {
    use serde_json::{Value, json};

    use super::super::graph::testing::{refused, rest};
    use super::*;

    fn list(names: &[&str]) -> Result<Listing, NoAnswer> {
        Ok(Listing {
            items: names
                .iter()
                .map(|name| json!({"full_name": name}))
                .collect(),
            sources: Vec::new(),
            endpoint: "GET /list".to_owned(),
        })
    }

    fn seen(record: &Value, names: &[&str]) -> Result<Vec<String>, Why> {
        whole(&rest(record), &list(names), "acme").map_err(|unknown| unknown.why)
    }

    #[test]
    fn a_list_as_long_as_the_organisation_says_is_whole() {
        let record = json!({"public_repos": 1, "total_private_repos": 1});
        let names = seen(&record, &["Acme/b", "acme/a"]).unwrap();
        assert_eq!(names, ["Acme/b", "acme/a"]);
        let none = json!({"public_repos": 0, "total_private_repos": 0});
        assert_eq!(seen(&none, &[]), Ok(Vec::new()));
    }

    /// The cheat: keeping a repository from the token that looks.
    #[test]
    fn a_shorter_list_or_an_untold_count_is_unknown() {
        let two = json!({"public_repos": 1, "total_private_repos": 1});
        for names in [
            &["acme/a"][..],
            &["acme/a", "acme/a"],
            &["acme/a", "acme/b", "acme/c"],
        ] {
            assert_eq!(seen(&two, names), Err(Why::HiddenOrAbsent), "{names:?}");
        }
        for record in [
            json!({"public_repos": 1}),
            json!({"public_repos": 1, "total_private_repos": null}),
            json!({}),
        ] {
            assert_eq!(
                seen(&record, &["acme/a"]),
                Err(Why::HiddenOrAbsent),
                "{record}"
            );
        }
    }

    #[test]
    fn what_is_refused_or_of_another_owner_is_unknown() {
        let record = json!({"public_repos": 1, "total_private_repos": 0});
        assert_eq!(seen(&record, &["other/a"]), Err(Why::Failed));
        assert_eq!(seen(&record, &["a"]), Err(Why::Failed));
        let no = whole(&refused(404, "Not Found"), &list(&[]), "acme");
        assert_eq!(no.unwrap_err().why, Why::HiddenOrAbsent);
        let hidden = Err(refused(403, "no").unwrap_err());
        let no = whole(&rest(&record), &hidden, "acme");
        assert_eq!(no.unwrap_err().why, Why::NotPermitted);
    }
}
