//! Tests of what pipelines may do.

use serde_json::{Value, json};

use super::*;
use crate::facts::{Unknown, Why};

fn project(value: Value) -> Project {
    serde_json::from_value(value).unwrap()
}

fn read<T: serde::de::DeserializeOwned>(value: Value) -> Read<T> {
    Ok((serde_json::from_value(value).unwrap(), Vec::new()))
}

fn refused<T>() -> Read<T> {
    Err(Unknown::new("x", Why::NotPermitted, "403"))
}

#[test]
fn a_job_token_reads_only_where_a_list_limits_it_and_it_may_not_push() {
    let of = |project_json: Value, scope: Read<TokenScope>| {
        token_rights(&project(project_json), &[], &scope)
    };
    let limited = || read(json!({"inbound_enabled": true}));
    assert_eq!(of(json!({}), limited()).known(), Ok(&TokenRights::Read));
    let open = read(json!({"inbound_enabled": false}));
    assert_eq!(of(json!({}), open).known(), Ok(&TokenRights::Write));
    let push = json!({"ci_push_repository_for_job_token_allowed": true});
    assert_eq!(of(push.clone(), limited()).known(), Ok(&TokenRights::Write));
    assert_eq!(of(push, refused()).known(), Ok(&TokenRights::Write));
    assert!(!of(json!({}), refused()).is_known());
    assert!(!of(json!({}), read(json!({"inbound_enabled": null}))).is_known());
}

#[test]
fn a_bot_among_the_approvers_can_approve_and_hidden_approvers_are_unknown() {
    let of = |rules: Value| can_approve(&read(rules));
    let people = json!({"eligible_approvers": [{"username": "ana"}],
                        "contains_hidden_groups": false});
    assert_eq!(of(json!([])).known(), Ok(&false));
    assert_eq!(of(json!([people])).known(), Ok(&false));
    let hidden = json!({"eligible_approvers": [], "contains_hidden_groups": true});
    assert!(!of(json!([people, hidden])).is_known());
    assert!(!of(json!([{}])).is_known());
    let bot = json!({"eligible_approvers": [{"username": "project_7_bot_1f"}]});
    assert_eq!(of(json!([hidden, bot])).known(), Ok(&true));
    let flagged = json!({"eligible_approvers": [{"username": "robo", "bot": true}]});
    assert_eq!(of(json!([flagged])).known(), Ok(&true));
    assert!(!can_approve(&refused()).is_known());
}

#[test]
fn a_fork_gets_secrets_only_where_it_may_run_here() {
    const FIELD: &str = "ci_allow_fork_pipelines_to_run_in_parent_project";
    let of = |value: Value| fork_runs(&project(json!({ FIELD: value })), &[]);
    let here = of(json!(true));
    assert!(here.known().unwrap().secrets && here.known().unwrap().write_token);
    let there = of(json!(false));
    let there = there.known().unwrap();
    assert!(!there.secrets && !there.write_token && there.everybody_waits);
    assert!(!of(Value::Null).is_known());
}

#[test]
fn who_may_set_variables_is_the_weaker_of_role_and_switch() {
    let of = |role: Value, switch: Value| {
        variables_by(
            &project(json!({
                "ci_pipeline_variables_minimum_override_role": role,
                "restrict_user_defined_variables": switch
            })),
            &[],
        )
    };
    let known = |who| Ok(Some(who));
    let value = |fact: Fact<Option<Who>>| fact.known().cloned();
    assert_eq!(
        value(of(json!("no_one_allowed"), json!(true))),
        known(Who::Nobody)
    );
    assert_eq!(value(of(json!("owner"), Value::Null)), known(Who::Owners));
    assert_eq!(
        value(of(json!("maintainer"), json!(false))),
        known(Who::Members)
    );
    assert_eq!(
        value(of(json!("developer"), json!(true))),
        known(Who::Members)
    );
    assert_eq!(
        value(of(Value::Null, json!(true))),
        known(Who::Administrators)
    );
    let odd = Who::Other("all".to_owned());
    assert_eq!(value(of(json!("all"), json!(false))), known(odd));
    assert!(!of(Value::Null, Value::Null).is_known());
}

#[test]
fn the_usual_subject_is_none_set_by_hand() {
    let of = |value: Value| {
        subject(
            &project(json!({"ci_id_token_sub_claim_components": value})),
            &[],
        )
    };
    assert_eq!(
        of(json!(["project_path", "ref_type", "ref"])).known(),
        Ok(&Vec::new())
    );
    assert_eq!(
        of(json!(["project_path"])).known(),
        Ok(&vec!["project_path".to_owned()])
    );
    assert!(!of(Value::Null).is_known());
}
