//! SARIF 2.1.0 with the few members that are needed: one run, one rule for each
//! control, one result for each non-pass. An override or waiver does not remove
//! a result; it stands beside it as a suppression.

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::controls::custom::CODE_PREFIX;
use crate::gate::{ControlDecision, Decision, Disposition, WaiverState};

use super::escape::{LONGEST, finished_json, sarif as escape};
use super::format::Tool;
use super::wording::{self, Label};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const HOME: &str = "https://github.com/ccgate/ccgate";
const POLICY_FILE: &str = ".ccgate.yml";

/// The decision as SARIF.
pub fn sarif(decision: &Decision, tool: Tool<'_>, exit_code: u8) -> String {
    let log = Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [run(decision, tool, exit_code)],
    };
    let text =
        serde_json::to_string_pretty(&log).expect("strings, numbers and lists always serialise");
    format!("{}\n", finished_json(&text))
}

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Driver,
    automation_details: Id,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<Outcome>,
}

#[derive(Serialize)]
struct Driver {
    driver: Component,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: String,
    version: String,
    information_uri: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
struct Id {
    id: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    help_uri: String,
    help: Text,
    default_configuration: Level,
    properties: Tags,
}

#[derive(Serialize)]
struct Level {
    level: &'static str,
}

#[derive(Serialize)]
struct Tags {
    tags: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: Fingerprints,
    suppressions: Vec<Suppression>,
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "ccgate/v1")]
    ccgate: String,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
    properties: Covering,
}

#[derive(Serialize)]
struct Covering {
    /// `override` or `waiver`.
    by: &'static str,
    id: String,
}

#[derive(Serialize)]
struct Properties {
    verdict: &'static str,
    disposition: &'static str,
}

fn run(decision: &Decision, tool: Tool<'_>, exit_code: u8) -> Run {
    let results = decision
        .controls
        .iter()
        .enumerate()
        .filter(|(_, control)| Label::of(control).needs_words())
        .map(|(index, control)| result(decision, index, control))
        .collect();
    Run {
        tool: Driver {
            driver: Component {
                name: tool.name.to_owned(),
                version: tool.version.to_owned(),
                information_uri: HOME,
                rules: decision.controls.iter().map(rule).collect(),
            },
        },
        automation_details: Id { id: "ccgate/" },
        invocations: [Invocation {
            // A run that could not look is no clean run.
            execution_successful: decision.problem.is_none(),
            exit_code,
            tool_execution_notifications: decision
                .problem
                .iter()
                .map(|problem| Notification {
                    level: "error",
                    message: sentence(problem),
                })
                .collect(),
        }],
        column_kind: "unicodeCodePoints",
        results,
    }
}

fn rule(control: &ControlDecision) -> Rule {
    let meta = control.meta;
    let mut tags = vec!["soc2".to_owned()];
    tags.extend(wording::criteria(control).into_iter().map(str::to_owned));
    tags.truncate(20);
    Rule {
        id: meta.code,
        name: pascal_case(meta.id),
        short_description: own_sentence(meta.title),
        full_description: own_sentence(meta.rationale),
        help_uri: if meta.code.starts_with(CODE_PREFIX) {
            format!("{HOME}/blob/main/docs/expressions.md")
        } else {
            format!(
                "{HOME}/blob/main/docs/controls.md#{}",
                meta.code.to_ascii_lowercase()
            )
        },
        help: Text {
            text: format!(
                "{} On GitHub: {} On GitLab: {}",
                own_sentence(meta.rationale).text,
                own_sentence(meta.remedy_github).text,
                own_sentence(meta.remedy_gitlab).text
            ),
        },
        default_configuration: Level { level: "error" },
        properties: Tags { tags },
    }
}

fn result(decision: &Decision, rule_index: usize, control: &ControlDecision) -> Outcome {
    let mut message = sentence(&control.summary).text;
    if let Some(next) = &control.next {
        message.push_str(&format!(" Next: {}", sentence(next).text));
    }
    Outcome {
        rule_id: control.meta.code,
        rule_index,
        level: match Label::of(control) {
            Label::Failed | Label::Unknown => "error",
            Label::Pending | Label::Warned => "warning",
            Label::Overridden
            | Label::Waived
            | Label::Compensated
            | Label::Passed
            | Label::NotApplicable
            | Label::Off => "note",
        },
        message: Text { text: message },
        locations: [Location {
            physical_location: Physical {
                artifact_location: Artifact {
                    uri: policy_file(decision),
                },
                region: Region { start_line: 1 },
            },
        }],
        partial_fingerprints: Fingerprints {
            ccgate: fingerprint(decision, control),
        },
        suppressions: suppressions(decision, control),
        properties: Properties {
            verdict: control.verdict.map_or("off", |verdict| verdict.word()),
            disposition: control.disposition.map_or("none", Disposition::word),
        },
    }
}

/// The same for every change to the branch, so that a viewer keeps one alert.
fn fingerprint(decision: &Decision, control: &ControlDecision) -> String {
    hex::encode(Sha256::digest(
        format!(
            "{}\n{}\n{}",
            control.meta.code, decision.subject.repository, decision.subject.target
        )
        .as_bytes(),
    ))
}

fn suppressions(decision: &Decision, control: &ControlDecision) -> Vec<Suppression> {
    let overrides = decision
        .overrides
        .iter()
        .filter(|report| {
            control.disposition == Some(Disposition::Overridden) && report.covers(control.meta.code)
        })
        .map(|report| ("override", report.id.clone()));
    let waivers = decision
        .waivers
        .iter()
        .filter(|report| {
            control.disposition == Some(Disposition::Waived)
                && report.state == WaiverState::Applied
                && report.waiver.control == control.meta.id
        })
        .map(|report| ("waiver", report.waiver.place.to_string()));
    let compensation = control
        .compensation
        .iter()
        .map(|_| ("compensation", control.meta.code.to_owned()));
    let justification = wording::covered_by(decision, control).unwrap_or_default();
    overrides
        .chain(waivers)
        .chain(compensation)
        .map(|(by, id)| Suppression {
            kind: "external",
            status: "accepted",
            justification: escape(&justification, 2 * LONGEST),
            properties: Covering {
                by,
                id: escape(&id, LONGEST),
            },
        })
        .collect()
}

/// Viewers want a file of the repository: the policy's, if it is one.
fn policy_file(decision: &Decision) -> String {
    decision
        .policy
        .as_ref()
        .filter(|policy| policy.commit.is_some())
        .and_then(|policy| policy.origin.split('@').next())
        .filter(|path| {
            !path.is_empty()
                && !path.starts_with('/')
                && !path.split('/').any(|part| part == "..")
                && path
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/'))
        })
        .unwrap_or(POLICY_FILE)
        .to_owned()
}

/// Text of anybody's as SARIF wants it: escaped, with a period at the end. Its
/// first letter stays as it is, since a branch name may stand there.
fn sentence(text: &str) -> Text {
    let mut sentence = escape(text.trim(), 2 * LONGEST);
    if sentence.is_empty() {
        sentence.push_str("No text");
    }
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    Text { text: sentence }
}

/// Our own text, with a capital at the start.
fn own_sentence(text: &str) -> Text {
    let Text { text } = sentence(text);
    let mut chars = text.chars();
    Text {
        text: chars
            .next()
            .map(|first| first.to_uppercase().chain(chars).collect())
            .unwrap_or_default(),
    }
}

fn pascal_case(id: &str) -> String {
    id.split('-')
        .filter_map(|word| {
            let mut chars = word.chars();
            chars
                .next()
                .map(|first| first.to_ascii_uppercase().to_string() + chars.as_str())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::testing::{
        TOOL, blocked, compensated, covered, hostile, not_judged, pending,
    };
    use serde_json::Value;

    fn run_of(decision: &Decision) -> Value {
        let text = sarif(decision, TOOL, 1);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        let log: Value = serde_json::from_str(&text).expect("JSON");
        log["runs"][0].clone()
    }

    #[test]
    fn each_control_is_a_rule_and_each_non_pass_a_result() {
        let run = run_of(&blocked());
        assert_eq!(
            run["tool"]["driver"]["rules"].as_array().map(Vec::len),
            Some(4)
        );
        let results = run["results"].as_array().expect("a list");
        let levels: Vec<_> = results
            .iter()
            .map(|result| (result["ruleId"].as_str(), result["level"].as_str()))
            .collect();
        assert_eq!(
            levels,
            [
                (Some("TST-01"), Some("error")),
                (Some("TST-02"), Some("error"))
            ]
        );
        assert_eq!(run_of(&pending())["results"][0]["level"], "warning");
    }

    #[test]
    fn an_override_stands_beside_the_result_and_does_not_remove_it() {
        let run = run_of(&covered());
        let first = &run["results"][0]["suppressions"][0];
        assert_eq!(first["properties"]["by"], "override");
        assert_eq!(first["properties"]["id"], "901");
        let second = &run["results"][1]["suppressions"][0];
        assert_eq!(second["properties"]["by"], "waiver");
    }

    #[test]
    fn a_fingerprint_outlives_the_change() {
        let print = |decision: &Decision| {
            run_of(decision)["results"][0]["partialFingerprints"]["ccgate/v1"].clone()
        };
        let mut other = blocked();
        other.subject.head = "0".repeat(40);
        other.subject.change = Some(8);
        assert_eq!(print(&blocked()), print(&other));
        other.subject.target = "release/1".to_owned();
        assert_ne!(print(&blocked()), print(&other));
    }

    #[test]
    fn a_run_that_could_not_look_is_no_clean_run() {
        let run = run_of(&not_judged());
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
        assert_eq!(run["results"].as_array().map(Vec::len), Some(0));
    }

    #[test]
    fn a_message_ends_with_a_period_and_holds_no_link() {
        let run = run_of(&hostile());
        let text = run["results"][0]["message"]["text"]
            .as_str()
            .expect("a text");
        assert!(text.contains(r"\[y\](javascript"), "{text}");
        assert!(text.ends_with('.'));
    }

    #[test]
    fn a_compensated_fail_is_suppressed_by_the_control_that_makes_up_for_it() {
        let run = run_of(&compensated());
        let result = &run["results"][0];
        assert_eq!(result["properties"]["disposition"], "compensated");
        let suppression = &result["suppressions"][0];
        assert_eq!(suppression["properties"]["by"], "compensation");
        let why = suppression["justification"].as_str().unwrap();
        assert!(why.starts_with("compensated by TST-02"), "{why}");
    }
}
