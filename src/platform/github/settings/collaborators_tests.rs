//! What makes somebody a direct, an outside or a strong collaborator.

use serde_json::{Value, json};

use super::super::super::graph::testing::answer;
use super::super::reading::testing::{listing, no_listing};
use super::*;
use crate::facts::Why;

fn edge(login: &str, permission: &str, sources: &Value) -> Value {
    json!({"permission": permission, "permissionSources": sources, "node": {"__typename": "User", "login": login}})
}

fn body(in_organization: bool, edges: &Value) -> Value {
    json!({"data": {"repository": {"isInOrganization": in_organization, "everybody": {
        "totalCount": edges.as_array().unwrap().len(),
        "pageInfo": {"hasNextPage": false, "endCursor": null}, "edges": edges}}}})
}

fn read(body: &Value) -> Result<Everybody, Unknown> {
    let mut found = Everybody {
        in_organization: None,
        edges: Vec::new(),
        sources: Vec::new(),
    };
    page(&answer(body), Affiliation::All, &mut found).map(|_| found)
}

fn of_organization(edges: &Value, outside: &Value) -> Fact<Vec<Collaborator>> {
    people(
        read(&body(true, edges)),
        Some(read(&body(true, outside))),
        "acme",
    )
}

#[test]
fn what_was_given_by_name_is_told_from_what_came_through_a_team() {
    let team =
        json!([{"permission": "WRITE", "roleName": "write", "source": {"__typename": "Team"}}]);
    let named = json!([{"permission": "READ", "roleName": "read", "source": {"__typename": "Organization"}},
        {"permission": "WRITE", "roleName": "maintain", "source": {"__typename": "Repository"}}]);
    let edges = json!([edge("bob", "WRITE", &team), edge("ana", "MAINTAIN", &named)]);
    let seen = of_organization(&edges, &json!([edge("ana", "MAINTAIN", &named)]));
    let seen = seen.known().unwrap();
    assert_eq!(seen[0].account.login, "ana");
    assert_eq!(
        (seen[0].direct.clone(), seen[0].outside),
        (Some(AccessRole::Maintain), true)
    );
    assert_eq!((seen[1].direct.clone(), seen[1].outside), (None, false));
    assert_eq!(seen[1].role, AccessRole::Write);
}

#[test]
fn a_role_of_the_organisations_own_making_counts_as_more_than_its_base() {
    let own = json!([{"permission": "READ", "roleName": "release-captain", "source": {"__typename": "Repository"}}]);
    let seen = of_organization(&json!([edge("ana", "READ", &own)]), &json!([]));
    let person = &seen.known().unwrap()[0];
    assert!(person.role.is_admin());
    assert_eq!(
        person.direct,
        Some(AccessRole::Other("release-captain".to_owned()))
    );
}

#[test]
fn rights_without_their_origin_leave_the_list_unknown() {
    let seen = of_organization(&json!([edge("ana", "READ", &json!(null))]), &json!([]));
    assert!(!seen.is_known());
}

#[test]
fn nobody_is_called_an_insider_while_the_outsiders_are_hidden() {
    let edges = json!([edge("ana", "READ", &json!([]))]);
    let hidden =
        read(&json!({"data": {"repository": {"isInOrganization": true, "everybody": null}}}));
    assert!(hidden.is_err());
    assert!(!people(read(&body(true, &edges)), Some(hidden), "acme").is_known());
}

#[test]
fn in_a_persons_repository_everybody_but_the_owner_was_let_in_by_name() {
    let edges = json!([
        edge("ana", "ADMIN", &json!(null)),
        edge("bob", "WRITE", &json!(null))
    ]);
    let seen = people(read(&body(false, &edges)), None, "Ana");
    let seen = seen.known().unwrap();
    assert_eq!(seen[0].direct, None);
    assert_eq!(seen[1].direct, Some(AccessRole::Write));
}

#[test]
fn a_list_that_is_refused_cut_or_miscounted_is_no_list() {
    let refused = json!({"data": {"repository": {"isInOrganization": true, "everybody": null}},
        "errors": [{"type": "FORBIDDEN", "path": ["repository", "everybody"], "message": "Must have push access"}]});
    assert_eq!(read(&refused).err().unwrap().why, Why::NotPermitted);
    let mut cut = body(true, &json!([]));
    cut["data"]["repository"]["everybody"]["totalCount"] = json!(2);
    assert!(read(&cut).is_err());
    let mut silent = body(true, &json!([]));
    silent["data"]["repository"]["everybody"]["pageInfo"] = json!(null);
    assert!(read(&silent).is_err());
}

#[test]
fn teams_carry_their_organisation_and_keep_roles_that_are_not_known() {
    let seen = team_access(
        "acme",
        &listing(
            &json!([{"slug": "ops", "permission": "push"}, {"slug": "dev", "permission": "deployer"}]),
        ),
    );
    let seen = seen.known().unwrap();
    assert_eq!(seen[0].name, "@acme/dev");
    assert_eq!(seen[0].role, AccessRole::Other("deployer".to_owned()));
    assert_eq!(seen[1].role, AccessRole::Write);
    assert!(!team_access("acme", &no_listing(403, "no")).is_known());
}
