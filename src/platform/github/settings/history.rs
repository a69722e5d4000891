//! What reported on the heads of the changes merged last. The platform orders
//! changes by their last update, not by their merge; the newest are among them
//! unless many older ones were touched since.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Fact, FactKey, MergedHead, ReportedCheck, Unknown, Why};
use crate::platform::transport::GraphqlAnswer;

use super::super::graph::{self, Place};
use super::super::permissions;
use super::super::wire;

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Change {
    number: Option<u64>,
    merged_at: Option<Timestamp>,
    head_ref_oid: Option<String>,
    commits: Option<wire::Nodes<Commit>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Commit {
    commit: Option<Reported>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reported {
    oid: Option<String>,
    /// Missing is hidden, null is a commit on which nothing reported.
    #[serde(deserialize_with = "present")]
    status_check_rollup: Option<Option<Rollup>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Rollup {
    contexts: Option<wire::Nodes<wire::CheckContext>>,
}

fn present<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<Rollup>>, D::Error> {
    Option::<Rollup>::deserialize(deserializer).map(Some)
}

const KEY: FactKey = FactKey::BranchCheckHistory;

/// The heads. A change that the answer does not show whole hides the list, what
/// reported on one head only that head.
pub(super) fn merged_heads(answer: &GraphqlAnswer) -> Fact<Vec<MergedHead>> {
    match heads(answer) {
        Ok(heads) => Fact::seen(heads, answer.source.clone()),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

fn heads(answer: &GraphqlAnswer) -> Result<Vec<MergedHead>, Unknown> {
    let path = ["repository", "pullRequests", "nodes"];
    let (fact, needs) = (KEY.name(), permissions::needs(KEY));
    let hidden = |what: &str| graph::empty(answer, fact, needs, what);
    let value = match graph::place(answer, &path, fact, needs) {
        Place::There(value) => value,
        Place::Empty => return Err(hidden("merged changes")),
        Place::Refused(unknown) => return Err(unknown),
    };
    // Errors on one change are looked at there; those without a place touch all.
    if let Some(unknown) = answer
        .errors
        .iter()
        .any(|error| error.path.len() <= path.len())
        .then(|| graph::errors_below(answer, &path, fact, needs))
        .flatten()
    {
        return Err(unknown);
    }
    let nodes: Vec<Option<Change>> = graph::read(&value, answer, fact)?;
    let mut heads = Vec::new();
    for (index, change) in nodes.into_iter().enumerate() {
        let index = index.to_string();
        let place = [path[0], path[1], path[2], index.as_str()];
        let error = graph::errors_below(answer, &place, fact, needs);
        let whole = change.and_then(|change| {
            let (number, head) = (change.number?, change.head_ref_oid.clone()?);
            Some((number, head, change))
        });
        let Some((number, head, change)) = whole else {
            return Err(error.unwrap_or_else(|| hidden("number or head of a merged change")));
        };
        heads.push(MergedHead {
            change: number,
            reported: match error {
                Some(unknown) => Fact::Unknown(unknown),
                None => match reported(&change, &head) {
                    Ok(list) => Fact::seen(list, answer.source.clone()),
                    Err(detail) => Fact::Unknown(
                        Unknown::new(fact, Why::Failed, detail)
                            .at(answer.endpoint.clone(), Some(answer.status)),
                    ),
                },
            },
            head,
            merged_at: change.merged_at,
        });
    }
    Ok(heads)
}

fn reported(change: &Change, head: &str) -> Result<Vec<ReportedCheck>, String> {
    let commit = change
        .commits
        .as_ref()
        .and_then(|commits| commits.present().next())
        .and_then(|commit| commit.commit.as_ref())
        .filter(|commit| commit.oid.as_deref() == Some(head))
        .ok_or("the answer does not show the head of a merged change")?;
    let Some(rollup) = &commit.status_check_rollup else {
        return Err("the answer leaves out what reported on a merged change".to_owned());
    };
    let Some(rollup) = rollup else {
        return Ok(Vec::new());
    };
    let contexts = rollup
        .contexts
        .as_ref()
        .filter(|contexts| {
            let page = contexts.page_info.as_ref();
            page.and_then(|page| page.has_next_page) == Some(false)
        })
        .and_then(|contexts| contexts.nodes.as_ref())
        .ok_or("more reported on a merged change than the answer shows")?;
    let checks: Option<Vec<ReportedCheck>> = contexts
        .iter()
        .map(|context| check(context.as_ref()?))
        .collect();
    let mut checks = checks.ok_or("the answer leaves out the name of a check")?;
    checks.sort();
    checks.dedup();
    Ok(checks)
}

fn check(context: &wire::CheckContext) -> Option<ReportedCheck> {
    match context.kind.as_deref()? {
        "CheckRun" => Some(ReportedCheck {
            name: context.name.clone()?,
            app: context
                .check_suite
                .as_ref()
                .and_then(|suite| suite.app.as_ref()?.database_id)
                .map(|id| id.to_string()),
        }),
        "StatusContext" => Some(ReportedCheck {
            name: context.context.clone()?,
            app: None,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::graph::testing::answer;
    use super::*;

    fn change(rollup: &Value) -> Value {
        json!({"number": 6, "mergedAt": "2026-11-20T10:00:00Z", "headRefOid": "aa",
            "commits": {"nodes": [{"commit": {"oid": "aa", "statusCheckRollup": rollup}}]}})
    }

    fn contexts(more: &Value, nodes: &Value) -> Value {
        json!({"contexts": {"pageInfo": {"hasNextPage": more}, "nodes": nodes}})
    }

    fn told(nodes: &Value, errors: &Value) -> Fact<Vec<MergedHead>> {
        merged_heads(&answer(
            &json!({"data": {"repository": {"pullRequests": {"nodes": nodes}}}, "errors": errors}),
        ))
    }

    fn of(rollup: &Value) -> Fact<Vec<ReportedCheck>> {
        told(&json!([change(rollup)]), &json!([])).known().unwrap()[0]
            .reported
            .clone()
    }

    #[test]
    fn f24_what_reported_is_told_by_name_and_app() {
        let nodes = json!([
            {"__typename": "CheckRun", "name": "test", "checkSuite": {"app": {"databaseId": 15368}}},
            {"__typename": "StatusContext", "context": "ci/lint"}]);
        let fact = of(&contexts(&json!(false), &nodes));
        let list = fact.known().unwrap();
        assert_eq!(list[0].name, "ci/lint");
        assert_eq!(list[0].app, None);
        assert_eq!(list[1].app.as_deref(), Some("15368"));
    }

    #[test]
    fn a_head_on_which_nothing_reported_is_known_to_have_no_report() {
        assert_eq!(of(&Value::Null).known(), Ok(&vec![]));
    }

    #[test]
    fn a_list_of_reports_that_is_cut_off_or_odd_is_unknown() {
        let none = json!([]);
        for rollup in [
            contexts(&json!(true), &none),
            contexts(&Value::Null, &none),
            contexts(&json!(false), &json!([null])),
            contexts(&json!(false), &json!([{"__typename": "Oracle"}])),
            json!({"contexts": null}),
        ] {
            assert!(!of(&rollup).is_known(), "{rollup}");
        }
        let mut left_out = change(&Value::Null);
        left_out["commits"]["nodes"][0]["commit"] = json!({"oid": "aa"});
        let mut moved = change(&Value::Null);
        moved["headRefOid"] = json!("bb");
        for change in [left_out, moved] {
            let fact = told(&json!([change]), &json!([]));
            assert!(!fact.known().unwrap()[0].reported.is_known(), "{change}");
        }
    }

    #[test]
    fn a_refusal_on_one_head_leaves_the_others() {
        let nodes = json!([change(&Value::Null), change(&Value::Null)]);
        let errors = json!([{"type": "FORBIDDEN", "message": "no",
            "path": ["repository", "pullRequests", "nodes", 0, "commits", "nodes", 0, "commit", "statusCheckRollup"]}]);
        let fact = told(&nodes, &errors);
        let heads = fact.known().unwrap();
        assert_eq!(
            heads[0].reported.known().unwrap_err().why,
            Why::NotPermitted
        );
        assert!(heads[1].reported.is_known());
    }

    #[test]
    fn an_error_without_a_place_or_a_change_that_is_hidden_hides_the_list() {
        let nodes = json!([change(&Value::Null)]);
        let limit = json!([{"type": "RESOURCE_LIMITS_EXCEEDED", "message": "no"}]);
        assert!(!told(&nodes, &limit).is_known());
        assert!(!told(&json!([null]), &json!([])).is_known());
        assert!(!told(&json!([{"number": 1}]), &json!([])).is_known());
        assert!(!told(&Value::Null, &json!([])).is_known());
        assert_eq!(told(&json!([]), &json!([])).known(), Ok(&vec![]));
    }
}
