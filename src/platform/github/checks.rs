//! Results reported for the head commit: the newest of each name, kind, app and
//! suite. Suites stay apart: a green job that another workflow adds under the
//! same name must not hide the red one.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{CheckConclusion, CheckKind, CheckResult, CheckStatus};

use super::wire;

/// The results for `head`. A kind of result that this version does not know is an error.
pub(super) fn checks(nodes: &[Value], head: &str) -> Result<Vec<CheckResult>, String> {
    let mut newest: BTreeMap<Key, (Age, CheckResult)> = BTreeMap::new();
    for node in nodes {
        let context: wire::CheckContext = serde::Deserialize::deserialize(node)
            .map_err(|error: serde_json::Error| error.to_string())?;
        let (age, result) = one(&context, head)?;
        let key = (
            result.name.clone(),
            result.kind == CheckKind::CheckRun,
            result.app.clone(),
            context
                .check_suite
                .as_ref()
                .and_then(|suite| suite.database_id),
        );
        let older = newest.get(&key).is_some_and(|(other, _)| *other > age);
        if !older {
            newest.insert(key, (age, result));
        }
    }
    Ok(newest.into_values().map(|(_, result)| result).collect())
}

/// Name, whether it is a check run, app and suite.
type Key = (String, bool, Option<String>, Option<u64>);

/// A result without a time has not begun, so it is the newest; then by start, then by id.
type Age = (bool, Option<Timestamp>, Option<u64>);

fn age(at: Option<Timestamp>, id: Option<u64>) -> Age {
    (at.is_none(), at, id)
}

fn one(context: &wire::CheckContext, head: &str) -> Result<(Age, CheckResult), String> {
    match context.kind.as_deref() {
        Some("CheckRun") => {
            let name = context.name.clone().ok_or("a check run has no name")?;
            let status = match context.status.as_deref() {
                Some("COMPLETED") => CheckStatus::Completed,
                Some("QUEUED" | "IN_PROGRESS" | "PENDING" | "WAITING" | "REQUESTED") => {
                    CheckStatus::Running
                }
                other => CheckStatus::Other(word(other)),
            };
            let conclusion = context
                .conclusion
                .as_deref()
                .map(|conclusion| match conclusion {
                    "SUCCESS" => CheckConclusion::Success,
                    "FAILURE" => CheckConclusion::Failure,
                    "SKIPPED" => CheckConclusion::Skipped,
                    "NEUTRAL" => CheckConclusion::Neutral,
                    other => CheckConclusion::Other(word(Some(other))),
                });
            Ok((
                age(
                    context.started_at.or(context.completed_at),
                    context.database_id,
                ),
                CheckResult {
                    name,
                    kind: CheckKind::CheckRun,
                    app: context
                        .check_suite
                        .as_ref()
                        .and_then(|suite| suite.app.as_ref()?.database_id)
                        .map(|id| id.to_string()),
                    status,
                    conclusion,
                    head: head.to_owned(),
                    allow_failure: false,
                    ended_at: context.completed_at,
                },
            ))
        }
        Some("StatusContext") => {
            let name = context
                .context
                .clone()
                .ok_or("a commit status has no name")?;
            let (status, conclusion) = match context.state.as_deref() {
                Some("SUCCESS") => (CheckStatus::Completed, Some(CheckConclusion::Success)),
                Some("FAILURE" | "ERROR") => {
                    (CheckStatus::Completed, Some(CheckConclusion::Failure))
                }
                Some("PENDING" | "EXPECTED") => (CheckStatus::Running, None),
                other => (CheckStatus::Other(word(other)), None),
            };
            Ok((
                age(context.created_at, None),
                CheckResult {
                    name,
                    kind: CheckKind::CommitStatus,
                    app: None,
                    status,
                    conclusion,
                    head: head.to_owned(),
                    allow_failure: false,
                    ended_at: context.created_at,
                },
            ))
        }
        other => Err(format!(
            "a result of the kind `{}` is not known to this version",
            other.unwrap_or("none")
        )),
    }
}

fn word(word: Option<&str>) -> String {
    word.unwrap_or("none").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn run(id: u64, started: &str, conclusion: &str, app: u64) -> Value {
        json!({"__typename": "CheckRun", "databaseId": id, "name": "test", "status": "COMPLETED", "conclusion": conclusion,
            "startedAt": started, "checkSuite": {"app": {"databaseId": app}}})
    }

    #[test]
    fn a_green_job_of_another_workflow_does_not_hide_a_red_one_of_the_same_name() {
        let run = |suite: u64, conclusion: &str, at: &str| {
            json!({"__typename": "CheckRun", "name": "test", "status": "COMPLETED",
                "conclusion": conclusion, "startedAt": at,
                "checkSuite": {"databaseId": suite, "app": {"databaseId": 15368}}})
        };
        let of = |nodes: &[Value]| {
            let found = checks(nodes, "head").unwrap();
            found
                .into_iter()
                .filter_map(|check| check.conclusion)
                .collect::<Vec<_>>()
        };
        let red = run(1, "FAILURE", "2026-06-01T08:00:00Z");
        let green = run(2, "SUCCESS", "2026-06-01T09:00:00Z");
        assert_eq!(
            of(&[red.clone(), green]),
            [CheckConclusion::Failure, CheckConclusion::Success]
        );
        let again = run(1, "SUCCESS", "2026-06-01T09:00:00Z");
        assert_eq!(of(&[red, again]), [CheckConclusion::Success], "a re-run");
    }

    #[test]
    fn the_newest_run_of_an_app_replaces_its_older_one() {
        let list = checks(
            &[
                run(2, "2026-05-02T00:00:00Z", "FAILURE", 9),
                run(1, "2026-05-01T00:00:00Z", "SUCCESS", 9),
            ],
            "aa",
        )
        .unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].conclusion, Some(CheckConclusion::Failure));
        assert_eq!(list[0].head, "aa");
    }

    #[test]
    fn a_rerun_that_has_not_begun_hides_the_older_success() {
        let mut queued = run(2, "2026-05-02T00:00:00Z", "SUCCESS", 9);
        queued["startedAt"] = Value::Null;
        queued["status"] = json!("QUEUED");
        queued["conclusion"] = Value::Null;
        let list = checks(
            &[queued, run(1, "2026-05-01T00:00:00Z", "SUCCESS", 9)],
            "aa",
        )
        .unwrap();
        assert_eq!(list.len(), 1);
        assert_eq!(list[0].status, CheckStatus::Running);
    }

    #[test]
    fn the_same_name_of_another_app_or_kind_stays_apart() {
        let list = checks(
            &[
                run(1, "2026-05-01T00:00:00Z", "SUCCESS", 9),
                run(2, "2026-05-02T00:00:00Z", "SUCCESS", 10),
                json!({"__typename": "StatusContext", "context": "test", "state": "SUCCESS", "createdAt": "2026-05-03T00:00:00Z"}),
            ],
            "aa",
        )
        .unwrap();
        assert_eq!(list.len(), 3);
        assert!(list.iter().any(|check| check.app.is_none()));
    }

    #[test]
    fn only_success_is_success() {
        for (word, expected) in [
            ("SKIPPED", CheckConclusion::Skipped),
            ("NEUTRAL", CheckConclusion::Neutral),
            ("TIMED_OUT", CheckConclusion::Other("timed_out".to_owned())),
            ("SPLENDID", CheckConclusion::Other("splendid".to_owned())),
        ] {
            let list = checks(&[run(1, "2026-05-01T00:00:00Z", word, 9)], "aa").unwrap();
            assert_eq!(list[0].conclusion, Some(expected));
        }
    }

    #[test]
    fn an_expected_status_still_runs_and_an_unknown_kind_is_an_error() {
        let list = checks(
            &[json!({"__typename": "StatusContext", "context": "a", "state": "EXPECTED"})],
            "aa",
        )
        .unwrap();
        assert_eq!(list[0].status, CheckStatus::Running);
        assert!(checks(&[json!({"__typename": "Oracle"})], "aa").is_err());
    }
}
