//! The project's environments and what guards each. Knows that protection of
//! the project and of the groups above it both have to be satisfied, and that
//! it limits who deploys, never from which branch.

mod guards;

use serde::Deserialize;

use crate::facts::{Environments, Fact, FactKey, Unknown, Why};

use super::super::super::join;
use super::super::lookups::gone;
use super::super::wire::{Pages, Read, list};
use super::super::{Session, left_out, permissions};
use super::above;
use guards::{Guards, guarded};

const NEEDS: &str = permissions::SETTINGS;
/// Environments of one project; one per branch adds up. A longer list is not read.
const MOST: usize = 5_000;
const NOT_SOLD: &str = "protected environments";

#[derive(Deserialize)]
struct WireEnvironment {
    name: Option<String>,
    tier: Option<String>,
}

/// Group `deployment.environments`. A job token sees which there are, and not what
/// guards them.
pub(super) async fn environments(session: &Session) -> Fact<Environments> {
    let name = FactKey::DeploymentEnvironments.name();
    let path = session.path("/environments");
    let project = above::project(session, name, NEEDS);
    let client = match project {
        Ok(_) => &session.settings,
        Err(_) => &session.change,
    };
    let (pages, (not_in_plan, guards)) = tokio::join!(client.get_at_most(&path, MOST), async {
        match project {
            Ok((project, sources)) => {
                let starter = project.allow_pipeline_trigger_approve_deployment;
                let starter = match starter {
                    Some(may) => Fact::seen_in(may, sources.to_vec()),
                    None => Fact::Unknown(left_out(
                        name,
                        "allow_pipeline_trigger_approve_deployment",
                        sources,
                    )),
                };
                guards_of(session, above::groups(project, name, sources), starter).await
            }
            Err(unknown) => (
                Vec::new(),
                Guards {
                    project: Err(unknown.clone()),
                    groups: Vec::new(),
                    starter_approves: Fact::Unknown(unknown),
                },
            ),
        }
    });
    translated(&pages, not_in_plan, &guards)
}

async fn guards_of(
    session: &Session,
    above: Result<Vec<String>, Unknown>,
    starter_approves: Fact<bool>,
) -> (Vec<String>, Guards) {
    const REST: &str = "/protected_environments";
    let name = FactKey::DeploymentEnvironments.name();
    let (above, hidden) = match above {
        Ok(paths) => (paths, None),
        Err(unknown) if unknown.why == Why::NotSupported => (Vec::new(), None),
        Err(unknown) => (Vec::new(), Some(unknown)),
    };
    let mut paths = vec![session.path(REST)];
    paths.extend(above.iter().map(|group| above::under(group, REST)));
    let (lists, free) = tokio::join!(
        join::all(
            paths
                .iter()
                .map(|path| session.settings.get_all(path, None))
        ),
        above::free_tier(session)
    );
    let not_sold = match (lists.first().and_then(gone), free) {
        (Some(source), Some(mut free)) => {
            free.push(source);
            Some(free)
        }
        (Some(_) | None, _) => None,
    };
    if let Some(sources) = not_sold {
        let guards = Guards {
            project: Ok((Vec::new(), sources)),
            groups: Vec::new(),
            starter_approves,
        };
        return (vec![NOT_SOLD.to_owned()], guards);
    }
    let project = match lists.first() {
        Some(pages) => list(name, NEEDS, pages),
        None => Err(Unknown::not_collected(name)),
    };
    let of_groups = lists
        .iter()
        .skip(1)
        .map(|pages| list(name, permissions::GROUP_MAINTAINER, pages));
    let guards = Guards {
        project,
        groups: of_groups.chain(hidden.map(Err)).collect(),
        starter_approves,
    };
    (Vec::new(), guards)
}

fn translated(pages: &Pages, not_in_plan: Vec<String>, guards: &Guards) -> Fact<Environments> {
    let name = FactKey::DeploymentEnvironments.name();
    let read: Read<Vec<WireEnvironment>> = list(name, permissions::FILES, pages);
    let (rows, sources) = match read {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let mut found = Vec::new();
    for row in rows {
        let Some(environment) = row.name else {
            return Fact::Unknown(left_out(name, "name", &sources));
        };
        // Without it production under another name would look like any environment.
        let Some(tier) = row.tier else {
            return Fact::Unknown(left_out(name, "tier", &sources));
        };
        found.push(guarded(environment, Some(tier), guards));
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    let environments = Environments {
        not_in_plan,
        list: found,
    };
    Fact::seen_in(environments, sources)
}

#[cfg(test)]
mod tests;
