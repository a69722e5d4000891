//! Which projects hold the approval policies that are in force here: GitLab writes down in
//! their logs, not in the project's own, who went around one.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::facts::{FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{GraphqlAnswer, GraphqlError, NoAnswer};

use super::super::{Session, permissions};

const KEY: FactKey = FactKey::BranchBypasses;
/// The lowest role that sees policies where the tier has them.
const DEVELOPER: u32 = 30;

/// What is asked of a project that holds policies.
const HOLDER: &str = "securityPolicyProject { id fullPath userPermissions { adminProject } }";

/// The policies in force, and who could hold more: a policy that was taken back, or no
/// longer means this project, has its log where it was.
fn question(groups: &[&str]) -> (String, Value) {
    let mut variables = json!({});
    let (mut head, mut above) = (String::new(), String::new());
    for (place, group) in groups.iter().enumerate() {
        let _ = write!(head, ", $g{place}: ID!");
        let _ = writeln!(
            above,
            "  g{place}: group(fullPath: $g{place}) {{ {HOLDER} }}"
        );
        variables[format!("g{place}")] = json!(group);
    }
    let query = format!(
        "query approval_policies($project: ID!{head}) {{
  project(fullPath: $project) {{
    id
    {HOLDER}
    approvalPolicies(relationship: INHERITED, first: 100) {{
      pageInfo {{ hasNextPage }}
      nodes {{
        source {{
          ... on ProjectSecurityPolicySource {{ project {{ {HOLDER} }} }}
          ... on GroupSecurityPolicySource {{ namespace {{ {HOLDER} }} }}
        }}
      }}
    }}
  }}
{above}}}"
    );
    (query, variables)
}

/// Paths of the groups that the project lies in.
fn groups(repository: &str) -> Vec<&str> {
    repository
        .match_indices('/')
        .filter_map(|(end, _)| repository.get(..end))
        .collect()
}

/// A project that holds policies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Holder {
    pub(super) id: u64,
    pub(super) path: String,
    /// Whether this token sees all of its log, not only its own entries.
    pub(super) whole_log: bool,
}

/// What is in force.
#[derive(Debug)]
pub(super) enum Policies {
    /// The tier or the version has none.
    NotSold,
    /// These projects hold them, or could; none: no policy is in force.
    HeldBy {
        /// The number of the project that is looked at.
        project: u64,
        holders: Vec<Holder>,
    },
}

pub(super) async fn ask(session: &Session) -> (Result<Policies, Unknown>, Vec<Source>) {
    let repository = session.setup.place.repository.as_str();
    let (query, mut variables) = question(&groups(repository));
    variables["project"] = json!(repository);
    let answer = session
        .settings
        .graphql("approval_policies", &query, variables)
        .await;
    let sources = match &answer {
        Ok(answer) => vec![answer.source.clone()],
        Err(_) => Vec::new(),
    };
    let role = session.opened.project.as_ref().ok();
    let role = role.and_then(|(project, _)| project.role());
    (policies(&answer, role), sources)
}

/// What the answer tells a token of this role.
fn policies(
    answer: &Result<GraphqlAnswer, NoAnswer>,
    role: Option<u32>,
) -> Result<Policies, Unknown> {
    let answer = answer
        .as_ref()
        .map_err(|no_answer| access::refused(KEY.name(), permissions::POLICIES, no_answer))?;
    if !answer.errors.is_empty() {
        // Who does not know the field knows no such policies, and nothing that goes around them.
        let of_policies = |error: &GraphqlError| error.message.contains("'approvalPolicies'");
        if answer.errors.iter().all(is_no_field) && answer.errors.iter().any(of_policies) {
            return Ok(Policies::NotSold);
        }
        let message = answer.errors.first().map(|error| error.message.clone());
        return Err(unknown(
            answer,
            Why::Failed,
            message.unwrap_or_default().as_str(),
        ));
    }
    let project = answer.data.as_ref().and_then(|data| data.get("project"));
    let Some(project) = project.filter(|project| !project.is_null()) else {
        return Err(unknown(
            answer,
            Why::HiddenOrAbsent,
            "GitLab shows this token no project",
        ));
    };
    let missing = |field: &str| {
        let detail = format!("the answer carries no usable `{field}`");
        unknown(answer, Why::HiddenOrAbsent, &detail)
    };
    let mut holders = Vec::new();
    let others = answer.data.iter().filter_map(Value::as_object).flatten();
    for (_, place) in others {
        // Null: there is none, or it is hidden; where it holds a policy, a node says so.
        match place.get("securityPolicyProject") {
            None => return Err(missing("securityPolicyProject")),
            Some(Value::Null) => {}
            Some(holder) => {
                holders.push(read(holder).ok_or_else(|| missing("securityPolicyProject"))?);
            }
        }
    }
    let connection = project
        .get("approvalPolicies")
        .ok_or_else(|| missing("approvalPolicies"))?;
    if connection.is_null() {
        // What is not sold is null, as is what the role may not see. Where a project for
        // policies is named they are sold.
        return if holders.is_empty() && role.is_some_and(|role| role >= DEVELOPER) {
            Ok(Policies::NotSold)
        } else {
            Err(unknown(
                answer,
                Why::HiddenOrAbsent,
                "GitLab shows this token no approval policies, or the tier has none",
            ))
        };
    }
    if group_is_hidden(answer) {
        return Err(unknown(
            answer,
            Why::HiddenOrAbsent,
            "GitLab does not show this token each group above, which could hold policies",
        ));
    }
    let id = number(project).ok_or_else(|| missing("id"))?;
    let nodes = connection.get("nodes").and_then(Value::as_array);
    let nodes = nodes.ok_or_else(|| missing("approvalPolicies"))?;
    if connection.pointer("/pageInfo/hasNextPage") != Some(&Value::Bool(false)) {
        return Err(unknown(
            answer,
            Why::NotSupported,
            "more than 100 approval policies are in force, which is more than are looked at",
        ));
    }
    for node in nodes {
        let holder = ["project", "namespace"]
            .iter()
            .find_map(|side| node.get("source")?.get(side)?.get("securityPolicyProject"));
        holders.push(holder.and_then(read).ok_or_else(|| {
            unknown(
                answer,
                Why::HiddenOrAbsent,
                "GitLab does not show this token the project that holds an approval policy",
            )
        })?);
    }
    holders.sort();
    holders.dedup_by(|one, other| one.id == other.id);
    Ok(Policies::HeldBy {
        project: id,
        holders,
    })
}

/// Whether a group above is not shown. A single place above may be a person's own, which is no
/// group; everything above a project in a subgroup is one.
fn group_is_hidden(answer: &GraphqlAnswer) -> bool {
    let above = answer.data.iter().filter_map(Value::as_object).flatten();
    let above: Vec<&Value> = above
        .filter(|(name, _)| *name != "project")
        .map(|(_, group)| group)
        .collect();
    above.len() > 1 && above.iter().any(|group| group.is_null())
}

fn read(project: &Value) -> Option<Holder> {
    Some(Holder {
        id: number(project)?,
        path: project.get("fullPath")?.as_str()?.to_owned(),
        whole_log: project.pointer("/userPermissions/adminProject") == Some(&Value::Bool(true)),
    })
}

/// `gid://gitlab/Project/7`
fn number(project: &Value) -> Option<u64> {
    let id = project.get("id")?.as_str()?;
    id.strip_prefix("gid://gitlab/Project/")?.parse().ok()
}

fn is_no_field(error: &GraphqlError) -> bool {
    match error.kind.as_deref() {
        Some(kind) => kind == "undefinedField" || kind == "undefinedType",
        None => error.message.contains("doesn't exist on type"),
    }
}

fn unknown(answer: &GraphqlAnswer, why: Why, detail: &str) -> Unknown {
    Unknown::new(KEY.name(), why, detail)
        .needs(permissions::POLICIES)
        .at(answer.endpoint.clone(), Some(answer.status))
}

#[cfg(test)]
mod tests {
    use super::super::super::settings::testing::{one, refused};
    use super::*;

    fn of(body: &Value, role: Option<u32>) -> Result<Policies, Unknown> {
        let answer = one(body).map(|answer| GraphqlAnswer::read(&answer).unwrap());
        policies(&answer, role)
    }

    fn in_force(nodes: &Value) -> Value {
        json!({"data": {"project": {"id": "gid://gitlab/Project/24", "securityPolicyProject": null,
            "approvalPolicies": {"pageInfo": {"hasNextPage": false}, "nodes": nodes}}}})
    }

    fn holder(id: u64, admin: &Value) -> Value {
        json!({"securityPolicyProject": {"id": format!("gid://gitlab/Project/{id}"),
            "fullPath": "acme/policies", "userPermissions": {"adminProject": admin}}})
    }

    fn why(body: &Value, role: Option<u32>) -> Why {
        of(body, role).unwrap_err().why
    }

    #[test]
    fn each_project_that_holds_policies_is_named_once() {
        let nodes = json!([{"source": {"namespace": holder(9, &json!(true))}},
            {"source": {"project": holder(7, &json!(false))}},
            {"source": {"namespace": holder(9, &json!(true))}}]);
        let Ok(Policies::HeldBy { project, holders }) = of(&in_force(&nodes), None) else {
            panic!("policies are in force");
        };
        assert_eq!(project, 24);
        let seen: Vec<_> = holders.iter().map(|one| (one.id, one.whole_log)).collect();
        assert_eq!(seen, [(7, false), (9, true)]);
        let none = of(&in_force(&json!([])), None);
        assert!(
            matches!(none, Ok(Policies::HeldBy { holders, .. }) if holders.is_empty()),
            "no policy is in force"
        );
    }

    #[test]
    fn what_is_null_is_not_sold_only_for_who_would_see_it() {
        let null = json!({"data": {"project": {"id": "gid://gitlab/Project/24",
            "securityPolicyProject": null, "approvalPolicies": null}}});
        for name in ["securityPolicyProject", "approvalPolicies"] {
            let mut left_out = null.clone();
            left_out["data"]["project"]
                .as_object_mut()
                .unwrap()
                .remove(name);
            assert_eq!(why(&left_out, Some(30)), Why::HiddenOrAbsent, "{name}");
        }
        assert!(matches!(of(&null, Some(30)), Ok(Policies::NotSold)));
        assert_eq!(why(&null, Some(20)), Why::HiddenOrAbsent);
        assert_eq!(why(&null, None), Why::HiddenOrAbsent);
        let mut named = null.clone();
        named["data"]["g0"] = holder(9, &json!(true));
        assert_eq!(why(&named, Some(50)), Why::HiddenOrAbsent);
    }

    #[test]
    fn a_server_that_knows_no_such_policies_has_none() {
        for error in [
            json!({"message": "Field 'approvalPolicies' doesn't exist on type 'Project'",
                "extensions": {"code": "undefinedField"}}),
            json!({"message": "Field 'approvalPolicies' doesn't exist on type 'Project'"}),
        ] {
            let answer = json!({"errors": [error]});
            assert!(matches!(of(&answer, None), Ok(Policies::NotSold)));
            let more = json!({"errors": [answer["errors"][0], {"message": "Timeout"}]});
            assert_eq!(why(&more, Some(50)), Why::Failed);
        }
        let of_another = json!({"errors": [{"extensions": {"code": "undefinedField"},
            "message": "Field 'securityPolicyProject' doesn't exist on type 'Namespace'"}]});
        assert_eq!(why(&of_another, Some(50)), Why::Failed);
    }

    #[test]
    fn what_is_hidden_cut_off_or_refused_is_unknown() {
        assert!(policies(&refused(401), Some(40)).is_err());
        let hidden = json!({"data": {"project": null}});
        assert_eq!(why(&hidden, Some(50)), Why::HiddenOrAbsent);
        for node in [
            json!({"source": null}),
            json!({"source": {"project": {"securityPolicyProject": null}}}),
            json!({"source": {"namespace": {"securityPolicyProject": {"id": "7"}}}}),
        ] {
            let nodes = in_force(&json!([{"source": {"project": holder(7, &json!(true))}}, node]));
            assert_eq!(why(&nodes, Some(50)), Why::HiddenOrAbsent, "{node}");
        }
        let mut more = in_force(&json!([]));
        more["data"]["project"]["approvalPolicies"]["pageInfo"]["hasNextPage"] = json!(true);
        assert_eq!(why(&more, Some(50)), Why::NotSupported);
        more["data"]["project"]["approvalPolicies"]["pageInfo"] = json!(null);
        assert_eq!(
            why(&more, Some(50)),
            Why::NotSupported,
            "not told is not no"
        );
    }

    /// The cheat: take the policy back, or let it mean other projects, after going around it.
    #[test]
    fn projects_that_hold_no_policy_for_this_one_any_more_are_named_too() {
        let mut answer = in_force(&json!([]));
        let place = |id| json!({"securityPolicyProject": holder(id, &json!(true))["securityPolicyProject"]});
        answer["data"]["project"]["securityPolicyProject"] =
            place(3)["securityPolicyProject"].clone();
        answer["data"]["g0"] = place(5);
        answer["data"]["g1"] = json!({"securityPolicyProject": null});
        let Ok(Policies::HeldBy { holders, .. }) = of(&answer, Some(40)) else {
            panic!("they could hold policies");
        };
        let ids: Vec<u64> = holders.iter().map(|one| one.id).collect();
        assert_eq!(ids, [3, 5]);
        // A group that is not shown could hold some.
        answer["data"]["g1"] = json!(null);
        assert_eq!(why(&answer, Some(40)), Why::HiddenOrAbsent);
        answer["data"]["g1"] = json!({"securityPolicyProject": null});
        answer["data"]["g0"] = json!({"securityPolicyProject": {"id": 5}});
        assert_eq!(why(&answer, Some(40)), Why::HiddenOrAbsent);
    }

    #[test]
    fn every_group_above_is_asked_about_and_names_are_no_part_of_the_question() {
        assert_eq!(
            groups("acme/pay/core/app"),
            ["acme", "acme/pay", "acme/pay/core"]
        );
        assert!(groups("app").is_empty());
        let (query, variables) = question(&["acme", "acme/pay"]);
        assert!(
            query.contains("($project: ID!, $g0: ID!, $g1: ID!)"),
            "{query}"
        );
        assert!(query.contains("g1: group(fullPath: $g1) {"), "{query}");
        assert!(!query.contains("acme"));
        assert_eq!(variables, json!({"g0": "acme", "g1": "acme/pay"}));
        assert_eq!(query.matches('{').count(), query.matches('}').count());
    }
}
