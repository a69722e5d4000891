//! Variables of the project and of the groups above it: their names and who
//! gets them. GitLab sends their values along; the shape here has no place for
//! a value, so none is kept.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, Secret, SecretScope, Why};

use super::super::super::join;
use super::super::wire::{Pages, Read, list};
use super::super::{Session, left_out, permissions};
use super::above;

const NEEDS: &str = permissions::SETTINGS;
/// A variable that every environment gets.
const EVERYWHERE: &str = "*";

#[derive(Deserialize)]
struct Variable {
    key: Option<String>,
    protected: Option<bool>,
    masked: Option<bool>,
    hidden: Option<bool>,
    environment_scope: Option<String>,
}

/// Group `pipeline.secrets`.
pub(super) async fn secrets(session: &Session) -> Fact<Vec<Secret>> {
    let name = FactKey::PipelineSecrets.name();
    let (project, sources) = match above::project(session, name, NEEDS) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let above = match above::groups(project, name, sources) {
        Ok(paths) => paths,
        // A person's own project has only its own variables.
        Err(unknown) if unknown.why == Why::NotSupported => Vec::new(),
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let mut paths = vec![session.path("/variables")];
    paths.extend(above.iter().map(|group| above::under(group, "/variables")));
    let lists = join::all(
        paths
            .iter()
            .map(|path| session.settings.get_all(path, None)),
    )
    .await;
    match translated(&lists) {
        Ok((secrets, sources)) => Fact::seen_in(secrets, sources),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// The project's list comes first, those of the groups behind it.
fn translated(lists: &[Pages]) -> Read<Vec<Secret>> {
    let name = FactKey::PipelineSecrets.name();
    let mut found = Vec::new();
    let mut sources = Vec::new();
    let scopes = std::iter::once((SecretScope::Repository, NEEDS)).chain(std::iter::repeat((
        SecretScope::Organization,
        permissions::GROUP_OWNER,
    )));
    for (pages, (scope, needs)) in lists.iter().zip(scopes) {
        let (variables, at): (Vec<Variable>, _) = list(name, needs, pages)?;
        for variable in variables {
            found.push(secret(variable, &scope).map_err(|field| left_out(name, field, &at))?);
        }
        sources.extend(at);
    }
    found.sort();
    Ok((found, sources))
}

fn secret(variable: Variable, scope: &SecretScope) -> Result<Secret, &'static str> {
    let masked = match (variable.masked, variable.hidden) {
        (_, Some(true)) => true,
        (Some(masked), _) => masked,
        (None, Some(false) | None) => return Err("masked"),
    };
    Ok(Secret {
        name: variable.key.ok_or("key")?,
        scope: match variable.environment_scope {
            Some(pattern) if pattern != EVERYWHERE => SecretScope::Environment(pattern),
            Some(_) | None => scope.clone(),
        },
        protected: Some(variable.protected.ok_or("protected")?),
        masked,
        updated_at: None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::Unknown;
    use crate::platform::gitlab::settings::testing::{pages, refused};

    fn one(value: &Value) -> Read<Vec<Secret>> {
        translated(&[pages(json!([value]))])
    }

    #[test]
    fn variables_of_project_and_groups_are_listed_without_their_values() {
        let (found, _) = translated(&[
            pages(json!([
                {"key": "DEPLOY_KEY", "value": "hunter2", "protected": true, "masked": true,
                 "hidden": false, "environment_scope": "production"},
                {"key": "TOKEN", "value": "hunter2", "protected": false, "masked": false,
                 "hidden": true, "environment_scope": "*"}
            ])),
            pages(
                json!([{"key": "SHARED", "value": "hunter2", "protected": false, "masked": false}]),
            ),
        ])
        .unwrap();
        assert_eq!(
            found[0].scope,
            SecretScope::Environment("production".to_owned())
        );
        assert_eq!((found[0].protected, found[0].masked), (Some(true), true));
        assert_eq!(found[1].scope, SecretScope::Organization);
        assert_eq!(found[2].scope, SecretScope::Repository);
        assert!(found[2].masked && !found[1].masked);
        let kept = serde_json::to_string(&found).unwrap();
        assert!(!kept.contains("hunter2"), "{kept}");
    }

    #[test]
    fn a_flag_that_is_left_out_makes_the_list_unknown() {
        assert!(one(&json!({"key": "A", "masked": true})).is_err());
        assert!(one(&json!({"key": "A", "protected": true})).is_err());
        assert!(one(&json!({"masked": true, "protected": true})).is_err());
    }

    #[test]
    fn a_group_whose_variables_are_hidden_makes_the_list_unknown_and_says_who_may() {
        let hidden: Unknown = translated(&[pages(json!([])), refused(403)]).unwrap_err();
        assert_eq!(hidden.needs.as_deref(), Some(permissions::GROUP_OWNER));
        assert!(translated(&[refused(404)]).is_err());
    }
}
