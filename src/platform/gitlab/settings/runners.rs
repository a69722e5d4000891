//! The machines that run the project's jobs. Knows which are the platform's or
//! the instance's, and which other projects use them; GitLab does not say
//! whether a machine is made anew for each job.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, Runner, Source, Unknown, Why};

use super::super::super::join;
use super::super::wire::{Read, list, object};
use super::super::{Session, left_out, permissions};
use super::above;

const NEEDS: &str = permissions::SETTINGS;
/// Machines that are looked at one by one, where the list says too little.
const MOST_LOOKED_AT: usize = 50;
const INSTANCE: &str = "instance_type";

#[derive(Clone, Debug, Deserialize)]
struct WireRunner {
    id: Option<u64>,
    description: Option<String>,
    runner_type: Option<String>,
    is_shared: Option<bool>,
    access_level: Option<String>,
    projects: Option<Vec<UsedBy>>,
}

#[derive(Clone, Debug, Deserialize)]
struct UsedBy {
    path_with_namespace: Option<String>,
}

impl WireRunner {
    /// Whether it serves the whole instance; `None`: it does not say.
    fn of_the_instance(&self) -> Option<bool> {
        match (&self.runner_type, self.is_shared) {
            (Some(kind), _) => Some(kind == INSTANCE),
            (None, shared) => shared,
        }
    }

    /// Whether the list says too little about it. Machines of the instance have
    /// no settings that a project could change, so they are not looked at.
    fn says_too_little(&self) -> bool {
        self.of_the_instance() != Some(true)
            && (self.access_level.is_none() || self.projects.is_none())
    }
}

/// Group `pipeline.runners`.
pub(super) async fn runners(session: &Session) -> Fact<Vec<Runner>> {
    let name = FactKey::PipelineRunners.name();
    let top = match above::project(session, name, NEEDS) {
        // Above a person's own project, its own folder is the top.
        Ok((project, _)) => project
            .namespace
            .as_ref()
            .and_then(|namespace| namespace.full_path.as_deref())
            .and_then(|path| path.split('/').next())
            .map(str::to_owned),
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let path = session.path("/runners");
    let pages = session.settings.get_all(&path, None).await;
    let (rows, sources): (Vec<WireRunner>, _) = match list(name, NEEDS, &pages) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let vague: Vec<String> = rows
        .iter()
        .filter(|row| row.says_too_little())
        .filter_map(|row| Some(format!("/runners/{}", row.id?)))
        .collect();
    if vague.len() > MOST_LOOKED_AT {
        let detail =
            format!("there are more than {MOST_LOOKED_AT} runners; not each was looked at");
        return Fact::Unknown(Unknown::new(name, Why::Failed, detail));
    }
    let closer = join::all(vague.iter().map(|path| session.settings.get(path))).await;
    let closer = closer
        .iter()
        .map(|reply| object(name, NEEDS, reply))
        .collect();
    match translated(rows, sources, closer, top.as_deref()) {
        Ok((runners, sources)) => Fact::seen_in(runners, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn translated(
    rows: Vec<WireRunner>,
    mut sources: Vec<Source>,
    closer: Vec<Read<WireRunner>>,
    top: Option<&str>,
) -> Read<Vec<Runner>> {
    let name = FactKey::PipelineRunners.name();
    let mut looked_at = Vec::new();
    let mut refused = None;
    for read in closer {
        match read {
            Ok((row, more)) => {
                looked_at.push(row);
                sources.extend(more);
            }
            Err(unknown) => refused = refused.or(Some(unknown)),
        }
    }
    let mut found = Vec::new();
    for row in rows {
        let closer = looked_at.iter().find(|other| other.id == row.id);
        let missing = |field| left_out(name, field, &sources);
        let of_the_instance = row
            .of_the_instance()
            .ok_or_else(|| missing("runner_type"))?;
        let access = row
            .access_level
            .as_deref()
            .or_else(|| closer.and_then(|closer| closer.access_level.as_deref()));
        let protected_only = match access {
            Some(word) => Some(word == "ref_protected"),
            None if of_the_instance => None,
            None => return Err(refused.unwrap_or_else(|| missing("access_level"))),
        };
        let projects = row
            .projects
            .as_ref()
            .or_else(|| closer.and_then(|closer| closer.projects.as_ref()));
        let elsewhere = projects.into_iter().flatten().any(|project| {
            let path = project.path_with_namespace.as_deref();
            // A project whose place is not told counts as a stranger's.
            path.is_none_or(|path| path.split('/').next() != top)
        });
        let known_kind = matches!(
            row.runner_type.as_deref(),
            Some("group_type" | "project_type") | None
        );
        found.push(Runner {
            name: row.description.unwrap_or_default(),
            self_hosted: !of_the_instance,
            shared: of_the_instance || elsewhere || !known_kind,
            ephemeral: None,
            protected_only,
        });
    }
    found.sort();
    Ok((found, sources))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn of(rows: Value, closer: Vec<Read<WireRunner>>) -> Read<Vec<Runner>> {
        translated(
            serde_json::from_value(rows).unwrap(),
            Vec::new(),
            closer,
            Some("acme"),
        )
    }

    fn one(value: Value) -> Read<WireRunner> {
        Ok((serde_json::from_value(value).unwrap(), Vec::new()))
    }

    #[test]
    fn machines_of_the_instance_are_shared_and_not_the_owners() {
        let (found, _) = of(
            json!([
                {"id": 1, "description": "cloud", "runner_type": "instance_type"},
                {"id": 2, "description": "old", "is_shared": true}
            ]),
            Vec::new(),
        )
        .unwrap();
        assert!(
            found
                .iter()
                .all(|runner| runner.shared && !runner.self_hosted)
        );
        assert!(found.iter().all(|runner| runner.protected_only.is_none()));
    }

    #[test]
    fn an_own_machine_says_on_a_closer_look_which_jobs_it_takes_and_whose() {
        let (found, _) = of(
            json!([
                {"id": 3, "description": "a", "runner_type": "project_type"},
                {"id": 4, "description": "b", "runner_type": "project_type"},
                {"id": 5, "description": "c", "runner_type": "group_type"}
            ]),
            vec![
                one(json!({"id": 3, "access_level": "ref_protected",
                           "projects": [{"path_with_namespace": "acme/app"}]})),
                one(json!({"id": 4, "access_level": "not_protected",
                           "projects": [{"path_with_namespace": "other/app"}]})),
                one(json!({"id": 5, "access_level": "odd", "projects": []})),
            ],
        )
        .unwrap();
        assert_eq!(found[0].protected_only, Some(true));
        assert_eq!(found[1].protected_only, Some(false));
        assert_eq!(found[2].protected_only, Some(false));
        let shared: Vec<bool> = found.iter().map(|runner| runner.shared).collect();
        assert_eq!(shared, [false, true, false]);
        assert!(found.iter().all(|runner| runner.self_hosted));
    }

    #[test]
    fn a_machine_that_cannot_be_looked_at_makes_the_list_unknown() {
        let rows = json!([{"id": 3, "runner_type": "group_type"}]);
        let refused = Err(Unknown::new("x", Why::NotPermitted, "403"));
        assert_eq!(
            of(rows.clone(), vec![refused]).unwrap_err().why,
            Why::NotPermitted
        );
        assert!(of(rows, Vec::new()).is_err());
        assert!(
            of(
                json!([{"id": 3, "access_level": "ref_protected"}]),
                Vec::new()
            )
            .is_err()
        );
    }

    #[test]
    fn a_kind_that_is_not_known_counts_as_shared_and_the_owners() {
        let rows = json!([{"id": 3, "runner_type": "cell_type", "access_level": "ref_protected",
                           "projects": []}]);
        let (found, _) = of(rows, Vec::new()).unwrap();
        assert!(found[0].shared && found[0].self_hosted);
    }
}
