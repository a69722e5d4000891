//! `ccgate.decision/v1`. Its types are its own, so that a change inside never
//! changes what others rely on; keys stand in the order of the fields.

use serde::Serialize;
use serde_json::Value;

use crate::controls::Observation;
use crate::facts::Unknown;
use crate::gate::{
    AcceptanceReport, ApprovalReport, ControlDecision, Decision, OverrideReport, ReviewOutcome,
    ReviewReport, Signed, VerdictWord, WaiverReport,
};
use crate::policy::VexJustification;

use super::escape::finished_json;
use super::format::Tool;
use super::wording;

/// Version string of the format.
pub const DECISION_SCHEMA: &str = "ccgate.decision/v1";

/// The decision as JSON, two spaces deep.
pub fn json(decision: &Decision, tool: Tool<'_>, exit_code: u8) -> String {
    let document = Document::new(decision, tool, exit_code);
    let text = serde_json::to_string_pretty(&document)
        .expect("strings, numbers and lists always serialise");
    format!("{}\n", finished_json(&text))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    decision: &'static str,
    exit_code: u8,
    subject: Subject<'a>,
    title: Option<&'a str>,
    observed_at: String,
    policy: Option<Policy<'a>>,
    tool: ToolName<'a>,
    integrity_level: &'static str,
    held_by_platform: bool,
    problem: Option<&'a str>,
    controls: Vec<Control<'a>>,
    overrides: Vec<Override<'a>>,
    reviews: Vec<Review<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    approvals: Vec<Approval<'a>>,
    waivers: Vec<Waiver<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    accepted_findings: Vec<Acceptance<'a>>,
    notes: Vec<Note<'a>>,
    settings: Option<Settings<'a>>,
    requests: Requests,
}

#[derive(Serialize)]
struct Settings<'a> {
    digest: &'a str,
    observed_at: String,
    collected_by: &'a str,
    signed_by: Option<&'a str>,
}

#[derive(Serialize)]
struct Subject<'a> {
    platform: &'static str,
    repository: &'a str,
    change: Option<u64>,
    head: &'a str,
    target: &'a str,
}

#[derive(Serialize)]
struct Policy<'a> {
    source: &'a str,
    commit: Option<&'a str>,
    digest: &'a str,
    mode: &'static str,
    layers: &'a [String],
}

#[derive(Serialize)]
struct ToolName<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Control<'a> {
    code: &'static str,
    id: &'static str,
    title: &'static str,
    criteria: Vec<&'static str>,
    verdict: &'static str,
    disposition: Option<&'static str>,
    enforcement: &'static str,
    summary: &'a str,
    reason: Option<&'a str>,
    observed: Vec<Observed<'a>>,
    unknown: Vec<NotSeen<'a>>,
    next: Option<&'a str>,
    parameters: &'a Value,
}

#[derive(Serialize)]
struct Observed<'a> {
    fact: &'a str,
    value: &'a str,
    source: String,
}

#[derive(Serialize)]
struct NotSeen<'a> {
    fact: &'a str,
    why: &'static str,
    needs: Option<&'a str>,
    endpoint: Option<&'a str>,
    status: Option<u16>,
    detail: &'a str,
}

#[derive(Serialize)]
struct Override<'a> {
    id: &'a str,
    kind: &'static str,
    code: &'a str,
    covers: &'a [&'static str],
    state: &'static str,
    why: &'a str,
    by: Option<&'a str>,
    at: String,
    approved_by: Option<&'a str>,
    approved_at: Option<String>,
    expires: Option<String>,
    ticket: Option<&'a str>,
    reason: &'a str,
    head: &'a str,
    recorded_as: String,
    review_due: Option<String>,
    signature: Option<Signature<'a>>,
    approval_signature: Option<Signature<'a>>,
    approval_door: Option<&'static str>,
}

/// By which key a command is signed; `null` where no signature is there that counts.
#[derive(Serialize)]
struct Signature<'a> {
    key: &'a str,
    key_source: &'static str,
    signed_at: String,
}

#[derive(Serialize)]
struct Approval<'a> {
    id: &'a str,
    of: &'a str,
    by: Option<&'a str>,
    at: String,
    counts: bool,
    why: Option<&'a str>,
    signature: Option<Signature<'a>>,
    door: &'static str,
}

#[derive(Serialize)]
struct Review<'a> {
    id: &'a str,
    of: &'a str,
    outcome: Option<&'static str>,
    by: Option<&'a str>,
    at: String,
    notes: &'a str,
    counts: bool,
    why: Option<&'a str>,
}

#[derive(Serialize)]
struct Waiver<'a> {
    control: &'a str,
    state: &'static str,
    scope: &'a str,
    reason: &'a str,
    owner: &'a str,
    approved_by: &'a str,
    expires: String,
    place: String,
}

#[derive(Serialize)]
struct Acceptance<'a> {
    finding: String,
    state: &'static str,
    covered: u64,
    severity: &'static str,
    status: &'static str,
    justification: Option<&'static str>,
    reason: &'a str,
    owner: &'a str,
    approved_by: &'a str,
    ticket: &'a str,
    expires: String,
    place: String,
}

#[derive(Serialize)]
struct Note<'a> {
    place: Option<String>,
    message: &'a str,
}

#[derive(Serialize)]
struct Requests {
    count: u32,
    graphql_points: u32,
    waves: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    read_again: Option<u32>,
}

impl<'a> Document<'a> {
    fn new(decision: &'a Decision, tool: Tool<'a>, exit_code: u8) -> Self {
        let subject = &decision.subject;
        let mut controls: Vec<Control<'a>> = decision.controls.iter().map(Control::new).collect();
        controls.sort_by_key(|control| control.code);
        Self {
            schema: DECISION_SCHEMA,
            decision: decision.outcome.word(),
            exit_code,
            subject: Subject {
                platform: subject.platform.word(),
                repository: &subject.repository,
                change: subject.change,
                head: &subject.head,
                target: &subject.target,
            },
            title: decision.title.as_deref(),
            observed_at: decision.observed_at.to_string(),
            policy: decision.policy.as_ref().map(|policy| Policy {
                source: &policy.origin,
                commit: policy.commit.as_deref(),
                digest: &policy.digest,
                mode: wording::mode(decision.mode),
                layers: &policy.layers,
            }),
            tool: ToolName {
                name: tool.name,
                version: tool.version,
            },
            integrity_level: decision.integrity.level.word(),
            held_by_platform: decision.held_by_platform,
            problem: decision.problem.as_deref(),
            controls,
            overrides: decision
                .overrides
                .iter()
                .map(|report| Override::new(report, decision.recorded_as(report)))
                .collect(),
            reviews: decision.reviews.iter().map(Review::new).collect(),
            approvals: decision.approvals.iter().map(Approval::new).collect(),
            waivers: decision.waivers.iter().map(Waiver::new).collect(),
            accepted_findings: decision
                .accepted_findings
                .iter()
                .map(Acceptance::new)
                .collect(),
            notes: decision
                .notes
                .iter()
                .map(|note| Note {
                    place: note.place.as_ref().map(ToString::to_string),
                    message: &note.message,
                })
                .collect(),
            settings: decision.settings.as_ref().map(|origin| Settings {
                digest: &origin.digest,
                observed_at: origin.observed_at.to_string(),
                collected_by: &origin.collected_by,
                signed_by: origin.signed_by.as_deref(),
            }),
            requests: Requests {
                count: decision.requests.count,
                graphql_points: decision.requests.graphql_points,
                waves: decision.requests.waves,
                read_again: Some(decision.requests.read_again).filter(|times| *times > 0),
            },
        }
    }
}

impl<'a> Control<'a> {
    /// A control that is off stands there as not applicable, with that reason.
    fn new(control: &'a ControlDecision) -> Self {
        Self {
            code: control.meta.code,
            id: control.meta.id,
            title: control.meta.title,
            criteria: wording::criteria(control),
            verdict: control.verdict.unwrap_or(VerdictWord::NotApplicable).word(),
            disposition: control.disposition.map(crate::gate::Disposition::word),
            enforcement: wording::enforcement(control.enforcement),
            summary: &control.summary,
            reason: match control.verdict {
                Some(_) => control.reason.as_deref(),
                None => Some("off"),
            },
            observed: control.observed.iter().map(Observed::new).collect(),
            unknown: control.unknown.iter().map(NotSeen::new).collect(),
            next: control.next.as_deref(),
            parameters: &control.parameters,
        }
    }
}

impl<'a> Observed<'a> {
    fn new(observation: &'a Observation) -> Self {
        let mut endpoints: Vec<&str> = Vec::new();
        for source in &observation.sources {
            if !endpoints.contains(&source.endpoint.as_str()) {
                endpoints.push(&source.endpoint);
            }
        }
        Self {
            fact: &observation.fact,
            value: &observation.value,
            source: endpoints.join(", "),
        }
    }
}

impl<'a> NotSeen<'a> {
    fn new(unknown: &'a Unknown) -> Self {
        Self {
            fact: &unknown.fact,
            why: unknown.why.code(),
            needs: unknown.needs.as_deref(),
            endpoint: unknown.endpoint.as_deref(),
            status: unknown.status,
            detail: &unknown.detail,
        }
    }
}

impl<'a> Override<'a> {
    fn new(report: &'a OverrideReport, recorded_as: String) -> Self {
        Self {
            id: &report.id,
            kind: report.kind.word(),
            code: &report.code,
            covers: &report.covers,
            state: report.state.word(),
            why: &report.why,
            by: report.by.as_ref().map(|by| by.login.as_str()),
            at: report.at.to_string(),
            approved_by: report.approval.as_ref().map(|one| one.by.login.as_str()),
            approved_at: report.approval.as_ref().map(|one| one.at.to_string()),
            expires: report.expires.map(|end| end.to_string()),
            ticket: report.ticket.as_deref(),
            reason: &report.text,
            head: &report.head,
            recorded_as,
            review_due: report.review_due.map(|due| due.to_string()),
            signature: report.signature.as_ref().map(Signature::new),
            approval_signature: report
                .approval
                .as_ref()
                .and_then(|one| one.signature.as_ref().map(Signature::new)),
            approval_door: report.approval.as_ref().map(|one| one.door.word()),
        }
    }
}

impl<'a> Signature<'a> {
    fn new(signed: &'a Signed) -> Self {
        Self {
            key: &signed.key,
            key_source: signed.source_word(),
            signed_at: signed.at.to_string(),
        }
    }
}

impl<'a> Approval<'a> {
    fn new(report: &'a ApprovalReport) -> Self {
        Self {
            id: &report.id,
            of: &report.of,
            by: report.by.as_ref().map(|by| by.login.as_str()),
            at: report.at.to_string(),
            counts: report.refused.is_none(),
            why: report.refused.as_deref(),
            signature: report.signature.as_ref().map(Signature::new),
            door: report.door.word(),
        }
    }
}

impl<'a> Review<'a> {
    fn new(report: &'a ReviewReport) -> Self {
        Self {
            id: &report.id,
            of: &report.of,
            outcome: report.outcome.map(ReviewOutcome::word),
            by: report.by.as_ref().map(|by| by.login.as_str()),
            at: report.at.to_string(),
            notes: &report.notes,
            counts: report.refused.is_none(),
            why: report.refused.as_deref(),
        }
    }
}

impl<'a> Waiver<'a> {
    fn new(report: &'a WaiverReport) -> Self {
        let waiver = &report.waiver;
        Self {
            control: &waiver.control,
            state: report.state.word(),
            scope: &waiver.scope,
            reason: &waiver.reason,
            owner: &waiver.owner,
            approved_by: &waiver.approved_by,
            expires: waiver.expires.to_string(),
            place: waiver.place.to_string(),
        }
    }
}

impl<'a> Acceptance<'a> {
    fn new(report: &'a AcceptanceReport) -> Self {
        let accepted = &report.accepted;
        Self {
            finding: accepted.words(),
            state: report.state.word(),
            covered: report.covered,
            severity: accepted.severity.word(),
            status: accepted.status.word(),
            justification: accepted.justification.map(VexJustification::word),
            reason: &accepted.reason,
            owner: &accepted.owner,
            approved_by: &accepted.approved_by,
            ticket: &accepted.ticket,
            expires: accepted.expires.to_string(),
            place: accepted.at.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::testing::{FIRST, control, decision, facts, fail, policy};
    use crate::policy::Enforcement;
    use crate::render::testing::{HOSTILE, TOOL, blocked, hostile};

    #[test]
    fn keys_stand_in_the_agreed_order() {
        let text = json(&blocked(), TOOL, 1);
        let top: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("  \""))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        assert_eq!(
            top.join(" "),
            "schema decision exit_code subject title observed_at policy tool integrity_level \
             held_by_platform problem controls overrides reviews waivers notes settings requests"
        );
        let of_control: Vec<&str> = text
            .lines()
            .skip_while(|line| !line.starts_with("  \"controls\""))
            .take_while(|line| *line != "    },")
            .filter(|line| line.starts_with("      \""))
            .filter_map(|line| line.split('"').nth(1))
            .collect();
        assert_eq!(
            of_control.join(" "),
            "code id title criteria verdict disposition enforcement summary reason observed \
             unknown next parameters"
        );
    }

    #[test]
    fn an_unknown_names_fact_reason_permission_and_request() {
        let document: Value = serde_json::from_str(&json(&blocked(), TOOL, 1)).expect("JSON");
        let unknown = &document["controls"][1]["unknown"][0];
        assert_eq!(unknown["fact"], "branch.bypass");
        assert_eq!(unknown["why"], "not_permitted");
        assert_eq!(unknown["needs"], "Administration: read");
        assert_eq!(unknown["endpoint"], "GET /repos/acme/app/rulesets/1");
        assert_eq!(unknown["status"], 200);
    }

    #[test]
    fn the_integrity_level_is_a_word() {
        let document: Value = serde_json::from_str(&json(&blocked(), TOOL, 1)).expect("JSON");
        assert_eq!(document["integrity_level"], "G0");
    }

    #[test]
    fn a_control_that_is_off_is_listed() {
        let mut off = control(&FIRST, fail());
        off.enforcement = Enforcement::Off;
        let text = json(&decision(&policy(vec![off]), &facts()), TOOL, 0);
        let document: Value = serde_json::from_str(&text).expect("JSON");
        let control = &document["controls"][0];
        assert_eq!(control["verdict"], "not_applicable");
        assert_eq!(control["enforcement"], "off");
        assert_eq!(control["reason"], "off");
    }

    #[test]
    fn hostile_text_keeps_its_value_and_hides_nothing() {
        let text = json(&hostile(), TOOL, 1);
        assert!(!text.chars().any(|c| c.is_control() && c != '\n'));
        assert!(!text.contains('\u{202e}'));
        assert!(!text.contains("##["));
        let document: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(document["title"], HOSTILE.repeat(20));
    }
}
