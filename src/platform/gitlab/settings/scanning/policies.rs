//! Scan execution policies: scans that run in the project whatever its pipeline says,
//! kept in a project of their own.

use serde_json::Value;

use crate::facts::{Fact, FactKey, ImposedScan, ScanKind, ScanSetup, Source, Unknown, Why};

use super::super::super::super::transport::{GraphqlAnswer, NoAnswer};
use super::super::super::left_out;
use super::answered::{Stands, at, hidden};

const KEY: FactKey = FactKey::ScanSetup;

/// Those of the project and of all groups above it, kind by kind.
pub(super) const FIELDS: &str = "    sast: scanExecutionPolicies(relationship: INHERITED, actionScanTypes: [SAST], first: 100) {
      nodes { name enabled }
    }
    secrets: scanExecutionPolicies(relationship: INHERITED, actionScanTypes: [SECRET_DETECTION], first: 100) {
      nodes { name enabled }
    }
    dependencies: scanExecutionPolicies(relationship: INHERITED, actionScanTypes: [DEPENDENCY_SCANNING], first: 100) {
      nodes { name enabled }
    }
";

const KINDS: [(&str, ScanKind); 3] = [
    ("/sast", ScanKind::Sast),
    ("/secrets", ScanKind::Secrets),
    ("/dependencies", ScanKind::Dependencies),
];

/// What the answer tells, and what it means where the tier was seen to sell nothing.
pub(super) fn setup(
    answer: &Result<GraphqlAnswer, NoAnswer>,
    free: Option<Vec<Source>>,
) -> Fact<ScanSetup> {
    let (scans_from_above, not_in_plan) = match (translated(answer), free) {
        // What is not sold is null, or a field that the free edition does not know.
        (Err(unknown), Some(free))
            if matches!(unknown.why, Why::HiddenOrAbsent | Why::NotSupported) =>
        {
            (Fact::seen_in(Vec::new(), free), true)
        }
        (Err(unknown), _) => (Fact::Unknown(unknown), false),
        (Ok((scans, source)), _) => (Fact::seen(scans, source), false),
    };
    Fact::known_without_source(ScanSetup {
        not_in_plan,
        // What the project sets up itself stands in its pipeline.
        scans_of_repository: Fact::known_without_source(Vec::new()),
        scans_from_above,
    })
}

fn translated(
    answer: &Result<GraphqlAnswer, NoAnswer>,
) -> Result<(Vec<ImposedScan>, Source), Unknown> {
    let mut scans = Vec::new();
    for (place, kind) in KINDS {
        let stands = at(KEY, answer, place)?;
        match (stands, answer) {
            (Stands::Value(connection), Ok(answer)) => {
                scans.extend(of_kind(connection, kind, &answer.source)?);
            }
            (Stands::Null | Stands::Value(_), answer) => {
                return Err(match answer {
                    Ok(answer) => hidden(
                        KEY,
                        answer,
                        "GitLab shows this token no scan policies, or the tier has none",
                    ),
                    Err(_) => Unknown::not_collected(KEY.name()),
                });
            }
        }
    }
    scans.sort();
    match answer {
        Ok(answer) => Ok((scans, answer.source.clone())),
        Err(_) => Err(Unknown::not_collected(KEY.name())),
    }
}

/// A policy that is switched off makes nothing run.
fn of_kind(
    connection: &Value,
    kind: ScanKind,
    source: &Source,
) -> Result<Vec<ImposedScan>, Unknown> {
    let missing = |field: &str| left_out(KEY.name(), field, std::slice::from_ref(source));
    let nodes = connection
        .get("nodes")
        .and_then(Value::as_array)
        .ok_or_else(|| missing("nodes"))?;
    let mut scans = Vec::new();
    for node in nodes {
        let name = node.get("name").and_then(Value::as_str);
        let enabled = node.get("enabled").and_then(Value::as_bool);
        let name = name.ok_or_else(|| missing("name"))?;
        if enabled.ok_or_else(|| missing("enabled"))? {
            scans.push(ImposedScan {
                kind,
                by: format!("policy \"{name}\""),
                enforced: true,
            });
        }
    }
    Ok(scans)
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::refused;
    use super::super::answered::testing::told;
    use super::*;
    use serde_json::json;

    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    fn policies(sast: &Value) -> Result<GraphqlAnswer, NoAnswer> {
        told(&json!({"data": {"project": {
            "sast": {"nodes": sast}, "secrets": {"nodes": []}, "dependencies": {"nodes": []},
        }}}))
    }

    #[test]
    fn a_policy_in_force_makes_its_scan_run_and_one_that_is_off_does_not() {
        let (scans, _) = translated(&policies(&json!([
            {"name": "all code", "enabled": true},
            {"name": "old", "enabled": false},
        ])))
        .unwrap();
        assert_eq!(scans.len(), 1);
        assert_eq!(scans[0].by, "policy \"all code\"");
        assert!(scans[0].enforced && scans[0].kind == ScanKind::Sast);
        let (none, _) = translated(&policies(&json!([]))).unwrap();
        assert_eq!(none, []);
    }

    #[test]
    fn only_a_tier_that_was_seen_makes_what_is_not_shown_none() {
        let null = told(&json!({"data": {"project": {"sast": null}}}));
        let above = |answer, free| {
            let fact = setup(answer, free);
            let setup = fact.known().unwrap();
            (setup.not_in_plan, setup.scans_from_above.is_known())
        };
        assert_eq!(above(&null, None), (false, false));
        assert_eq!(above(&null, Some(Vec::new())), (true, true));
        let refused = refused(401);
        assert_eq!(above(&refused, Some(Vec::new())), (false, false));
    }

    #[test]
    fn what_is_not_shown_or_odd_is_unknown() {
        let why = |answer: &Result<GraphqlAnswer, NoAnswer>| translated(answer).unwrap_err().why;
        assert_eq!(why(&refused(401)), Why::NotPermitted);
        let null = told(&json!({"data": {"project": {"sast": null}}}));
        assert_eq!(why(&null), Why::HiddenOrAbsent);
        let odd = policies(&json!([{"name": "x"}]));
        assert_eq!(why(&odd), Why::HiddenOrAbsent);
        let one_missing = told(&json!({"data": {"project": {"sast": {"nodes": []}}}}));
        assert_eq!(why(&one_missing), Why::HiddenOrAbsent);
    }
}
