//! Machines of one's own that run jobs: those of the repository, and those of
//! the groups above that it may use. The platform's own machines are on no list.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, Runner, Unknown};
use crate::platform::access;
use crate::platform::join::when;
use crate::platform::transport::{Listing, NoAnswer};

use super::super::join::all;
use super::above::Meant;
use super::owner_side::Asker;
use super::reading;

const KEY: FactKey = FactKey::PipelineRunners;

#[derive(Debug, Deserialize)]
struct Wire {
    name: Option<String>,
    ephemeral: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct Group {
    id: Option<u64>,
    inherited: Option<bool>,
    visibility: Option<String>,
    allows_public_repositories: Option<bool>,
}

/// Asks for the repository's machines and, where an organisation stands above,
/// for those of every group that the repository may use.
pub(super) async fn ask(asker: &Asker<'_>) -> Fact<Vec<Runner>> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "which machines run jobs"));
    }
    let path = asker.path("actions/runners");
    let (own, above) = tokio::join!(
        asker.client().get_all(&path, Some("runners")),
        when(!asker.of_a_person(), || from_above(asker)),
    );
    together(runners(&own, false), above.into_iter().flatten())
}

async fn from_above(asker: &Asker<'_>) -> Vec<Fact<Vec<Runner>>> {
    let base = format!("{}/actions/runner-groups", asker.organization_path());
    if asker.shares() {
        return shared(asker, &base).await;
    }
    let path = format!(
        "{base}?visible_to_repository={}",
        access::encode(&asker.session.name)
    );
    let list = asker.client().get_all(&path, Some("runner_groups")).await;
    let groups = match groups(&list) {
        Ok(groups) => groups,
        Err(unknown) => return vec![Fact::Unknown(unknown)],
    };
    all(groups.into_iter().map(|(id, group)| {
        let path = format!("{base}/{id}/runners");
        async move {
            let list = asker.client().get_all_behind(&path, Some("runners")).await;
            runners(&list, group.is_shared())
        }
    }))
    .await
}

/// The same from lists that serve every repository of a run.
async fn shared(asker: &Asker<'_>, base: &str) -> Vec<Fact<Vec<Runner>>> {
    let client = asker.client();
    let list = client.get_all_shared(base, Some("runner_groups")).await;
    let groups = match groups(&list) {
        Ok(groups) => groups,
        Err(unknown) => return vec![Fact::Unknown(unknown)],
    };
    all(groups.into_iter().map(|(id, group)| async move {
        let listed = format!("{base}/{id}/repositories");
        let public = asker.session.about.public == Some(true);
        if public && group.allows_public_repositories == Some(false) {
            return Fact::known_without_source(Vec::new());
        }
        let meant = Meant::of(group.visibility.as_deref());
        match asker.is_meant(KEY, meant, &listed).await {
            Ok((true, _)) => {
                let path = format!("{base}/{id}/runners");
                let list = client.get_all_shared(&path, Some("runners")).await;
                runners(&list, group.is_shared())
            }
            Ok((false, sources)) => Fact::seen_in(Vec::new(), sources),
            Err(unknown) => Fact::Unknown(unknown),
        }
    }))
    .await
}

impl Group {
    /// Whether it belongs to more than this organisation.
    fn is_shared(&self) -> bool {
        self.inherited != Some(false)
    }
}

/// Each group with its id.
fn groups(list: &Result<Listing, NoAnswer>) -> Result<Vec<(u64, Group)>, Unknown> {
    let read = reading::list::<Group>(KEY, list)?;
    if read.value.iter().any(|group| group.id.is_none()) {
        return Err(read.malformed(KEY, "a group of runners has no id"));
    }
    let groups = read.value.into_iter();
    Ok(groups
        .filter_map(|group| Some((group.id?, group)))
        .collect())
}

fn runners(list: &Result<Listing, NoAnswer>, shared: bool) -> Fact<Vec<Runner>> {
    reading::list_of(
        KEY,
        list,
        |wire: &Wire| {
            Some(Runner {
                name: wire.name.clone()?,
                self_hosted: true,
                shared,
                ephemeral: wire.ephemeral,
                protected_only: None,
            })
        },
        "a runner has no name",
    )
}

/// All machines, if every list of them was seen.
fn together(
    own: Fact<Vec<Runner>>,
    above: impl Iterator<Item = Fact<Vec<Runner>>>,
) -> Fact<Vec<Runner>> {
    let mut every = Vec::new();
    let mut seen = Vec::new();
    for list in std::iter::once(own).chain(above) {
        match list {
            Fact::Known { value, sources } => {
                every.extend(value);
                seen.extend(sources);
            }
            Fact::Unknown(unknown) => return Fact::Unknown(unknown),
        }
    }
    every.sort();
    every.dedup();
    Fact::seen_in(every, seen)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::reading::testing::{listing, no_listing};
    use super::*;

    #[test]
    fn a_machine_that_does_not_say_is_not_taken_for_a_fresh_one() {
        let seen = runners(
            &listing(&json!([{"name": "old"}, {"name": "fresh", "ephemeral": true}])),
            false,
        );
        let seen = seen.known().unwrap();
        assert_eq!(seen[0].ephemeral, Some(true));
        assert_eq!(seen[1].ephemeral, None);
    }

    #[test]
    fn no_machines_of_its_own_is_not_no_machines_while_those_above_are_hidden() {
        let own = runners(&listing(&json!([])), false);
        let hidden = runners(&no_listing(403, "no"), false);
        assert!(!together(own.clone(), std::iter::once(hidden)).is_known());
        let above = runners(&listing(&json!([{"name": "big"}])), true);
        let seen = together(own, std::iter::once(above));
        assert!(seen.known().unwrap()[0].shared);
    }

    #[test]
    fn a_group_that_does_not_say_whose_it_is_counts_as_shared() {
        let list = listing(&json!([{"id": 1, "inherited": false}, {"id": 2}]));
        let groups_seen = groups(&list).unwrap();
        let seen = groups_seen
            .iter()
            .map(|(id, group)| (*id, group.is_shared()));
        assert_eq!(seen.collect::<Vec<_>>(), [(1, false), (2, true)]);
        assert!(groups(&listing(&json!([{"inherited": false}]))).is_err());
    }
}
