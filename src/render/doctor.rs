//! What `ccgate doctor` found: each area on a line with its details below, or
//! `ccgate.doctor/v1`, whose types are its own. Decides nothing.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style as Paint};
use serde::Serialize;

use crate::facts::{Snapshot, Unknown};
use crate::gate::{Area, Diagnosis, Finding, State};

use super::escape::{LONGEST, finished_json, terminal};
use super::format::{Style, Tool};
use super::wrap::wrap;

/// Version string of the format.
pub const DOCTOR_SCHEMA: &str = "ccgate.doctor/v1";

/// Columns of the area: the longest word and two blanks.
const AREA: usize = 13;
/// Columns of the state: the longest word and two blanks.
const STATE: usize = 9;

/// The findings as text.
pub fn doctor(
    diagnosis: &Diagnosis,
    facts: &Snapshot,
    tool: Tool<'_>,
    exit_code: u8,
    style: Style,
) -> String {
    let mut text = wrap("", &terminal(&head(facts, tool), LONGEST), style.width);
    text.push('\n');
    let mut last = None;
    for finding in &diagnosis.findings {
        // One area may have many findings: its name stands before the first.
        let area = if last == Some(finding.area) {
            ""
        } else {
            finding.area.word()
        };
        last = Some(finding.area);
        line(&mut text, area, finding, style);
    }
    let count = |state: State| {
        let of_state = |finding: &&Finding| finding.state == state;
        diagnosis.findings.iter().filter(of_state).count()
    };
    let _ = write!(
        text,
        "\nresult       {} ok · {} weak · {} unknown · {} bad   exit {exit_code}\n",
        count(State::Ok),
        count(State::Weak),
        count(State::Unknown),
        count(State::Bad)
    );
    text
}

fn head(facts: &Snapshot, tool: Tool<'_>) -> String {
    let subject = &facts.subject;
    let mut head = format!("{} {} · {}", tool.name, tool.version, subject.repository);
    if let Some(change) = subject.change {
        let _ = write!(
            head,
            " {}{change}",
            match subject.platform {
                crate::facts::Platform::Github => '#',
                crate::facts::Platform::Gitlab => '!',
            }
        );
    }
    if !subject.target.is_empty() {
        let _ = write!(head, " · {}", subject.target);
    }
    head
}

fn line(text: &mut String, area: &str, finding: &Finding, style: Style) {
    // Escapes have no width, so what is painted is padded and wrapped before.
    let heading = format!("{area:<AREA$}{:<STATE$}", finding.state.word());
    let wrapped = wrap(
        &heading,
        &terminal(&finding.sentence, 4 * LONGEST),
        style.width,
    );
    match wrapped.split_once(finding.state.word()) {
        Some((before, after)) if style.color => {
            let paint = paint(finding.state);
            let _ = write!(
                text,
                "{before}{}{}{}{after}",
                paint.render(),
                finding.state.word(),
                paint.render_reset()
            );
        }
        _ => text.push_str(&wrapped),
    }
    let indent = " ".repeat(AREA + STATE);
    for detail in &finding.details {
        let heading = format!("{indent}- ");
        text.push_str(&wrap(&heading, &terminal(detail, 2 * LONGEST), style.width));
    }
    if let Some(next) = &finding.next {
        let heading = format!("{indent}next  ");
        text.push_str(&wrap(&heading, &terminal(next, 2 * LONGEST), style.width));
    }
}

fn paint(state: State) -> Paint {
    match state {
        State::Ok => AnsiColor::Green.on_default(),
        State::Weak => AnsiColor::Yellow.on_default(),
        State::Unknown => AnsiColor::Magenta.on_default().bold(),
        State::Bad => AnsiColor::Red.on_default().bold(),
    }
}

/// The findings as JSON, two spaces deep.
pub fn doctor_json(
    diagnosis: &Diagnosis,
    facts: &Snapshot,
    api: &str,
    tool: Tool<'_>,
    exit_code: u8,
) -> String {
    let document = Document {
        schema: DOCTOR_SCHEMA,
        exit_code,
        tool: ToolName {
            name: tool.name,
            version: tool.version,
        },
        subject: Subject {
            platform: facts.subject.platform.word(),
            api,
            repository: &facts.subject.repository,
            branch: &facts.subject.target,
            change: facts.subject.change,
        },
        observed_at: facts.observed_at.to_string(),
        check: &diagnosis.check,
        findings: diagnosis.findings.iter().map(Found::from).collect(),
        read: &diagnosis.read,
        read_in_part: &diagnosis.in_part,
        gaps: diagnosis.gaps.iter().map(Gap::from).collect(),
        integrity: Integrity {
            level: diagnosis.integrity.level.word(),
            next: diagnosis.integrity.next.as_deref(),
            unknown: diagnosis.integrity.unknown.iter().map(fact).collect(),
        },
        requests: Requests {
            count: facts.requests.count,
            waves: facts.requests.waves,
        },
    };
    let text = serde_json::to_string_pretty(&document)
        .expect("strings, numbers and lists always serialise");
    format!("{}\n", finished_json(&text))
}

#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    exit_code: u8,
    tool: ToolName<'a>,
    subject: Subject<'a>,
    observed_at: String,
    check: &'a str,
    findings: Vec<Found<'a>>,
    read: &'a [&'static str],
    read_in_part: &'a [&'static str],
    gaps: Vec<Gap<'a>>,
    integrity: Integrity<'a>,
    requests: Requests,
}

#[derive(Serialize)]
struct ToolName<'a> {
    name: &'a str,
    version: &'a str,
}

#[derive(Serialize)]
struct Subject<'a> {
    platform: &'static str,
    api: &'a str,
    repository: &'a str,
    branch: &'a str,
    change: Option<u64>,
}

#[derive(Serialize)]
struct Found<'a> {
    area: &'static str,
    state: &'static str,
    sentence: &'a str,
    details: &'a [String],
    next: Option<&'a str>,
}

impl<'a> From<&'a Finding> for Found<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self {
            area: key(finding.area),
            state: finding.state.word(),
            sentence: &finding.sentence,
            details: &finding.details,
            next: finding.next.as_deref(),
        }
    }
}

/// The area as a word that programs compare.
fn key(area: Area) -> &'static str {
    match area {
        Area::Server => "server",
        Area::Identity => "identity",
        Area::CanRead => "can_read",
        Area::CannotRead => "cannot_read",
        Area::Policy => "policy",
        Area::Required => "required",
        Area::Bypass => "bypass",
        Area::Triggers => "triggers",
        Area::CodeOwners => "code_owners",
        Area::Integrity => "integrity",
    }
}

#[derive(Serialize)]
struct Gap<'a> {
    needs: Option<&'a str>,
    facts: Vec<Fact<'a>>,
    controls: Vec<Control>,
}

impl<'a> From<&'a crate::gate::Gap> for Gap<'a> {
    fn from(gap: &'a crate::gate::Gap) -> Self {
        Self {
            needs: gap.needs.as_deref(),
            facts: gap
                .unread
                .iter()
                .map(|one| Fact {
                    fact: &one.name,
                    ..fact(&one.unknown)
                })
                .collect(),
            controls: gap
                .costs
                .iter()
                .map(|cost| Control {
                    code: cost.code,
                    id: cost.id,
                    enforce: cost.enforcement.map(crate::policy::Enforcement::word),
                })
                .collect(),
        }
    }
}

#[derive(Serialize)]
struct Fact<'a> {
    fact: &'a str,
    why: &'static str,
    detail: &'a str,
    needs: Option<&'a str>,
    endpoint: Option<&'a str>,
    status: Option<u16>,
}

fn fact(unknown: &Unknown) -> Fact<'_> {
    Fact {
        fact: &unknown.fact,
        why: unknown.why.code(),
        detail: &unknown.detail,
        needs: unknown.needs.as_deref(),
        endpoint: unknown.endpoint.as_deref(),
        status: unknown.status,
    }
}

#[derive(Serialize)]
struct Control {
    code: &'static str,
    id: &'static str,
    enforce: Option<&'static str>,
}

#[derive(Serialize)]
struct Integrity<'a> {
    level: &'static str,
    next: Option<&'a str>,
    unknown: Vec<Fact<'a>>,
}

#[derive(Serialize)]
struct Requests {
    count: u32,
    waves: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Account;
    use crate::gate::{Patient, diagnose};
    use crate::policy::LoadError;
    use crate::render::testing::TOOL;

    /// A diagnosis in which everything is hidden and names are hostile.
    fn hostile() -> (Diagnosis, Snapshot) {
        let mut facts = crate::controls::testing::nothing_seen();
        facts.subject.repository = "acme/\u{1b}[2J::error::x".to_owned();
        facts.subject.target = "main\n::warning::y\u{202e}".to_owned();
        facts.repository.default_branch = crate::facts::Fact::known_without_source(String::new());
        let reader = crate::facts::Fact::known_without_source(Account::human("eve\u{1b}[31m"));
        let diagnosis = diagnose(Patient {
            facts: &facts,
            policy: Err(&LoadError::Missing),
            api: "https://forge.test/",
            reader: &reader,
            settings_reader: None,
        });
        (diagnosis, facts)
    }

    #[test]
    fn hostile_names_reach_no_terminal() {
        let (diagnosis, facts) = hostile();
        let text = doctor(&diagnosis, &facts, TOOL, 2, Style::default());
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
        assert!(
            !text.split_whitespace().any(|word| word.starts_with("::")),
            "{text}"
        );
        let json = doctor_json(&diagnosis, &facts, "x", TOOL, 2);
        assert!(!json.contains(['\u{1b}', '\u{202e}']), "{json}");
    }

    #[test]
    fn every_line_keeps_to_the_width_and_every_area_begins_one() {
        let (diagnosis, facts) = hostile();
        for width in [80, 120] {
            let style = Style {
                color: false,
                width,
            };
            let text = doctor(&diagnosis, &facts, TOOL, 2, style);
            assert!(
                text.lines().all(|line| line.chars().count() <= width),
                "{text}"
            );
            for finding in &diagnosis.findings {
                assert!(
                    text.lines()
                        .any(|line| line.starts_with(finding.area.word()))
                );
            }
        }
    }

    #[test]
    fn colour_only_repeats_the_words() {
        let (diagnosis, facts) = hostile();
        let plain = doctor(&diagnosis, &facts, TOOL, 2, Style::default());
        let painted = doctor(
            &diagnosis,
            &facts,
            TOOL,
            2,
            Style {
                color: true,
                ..Style::default()
            },
        );
        assert!(painted.contains('\u{1b}'));
        assert_eq!(anstream::adapter::strip_str(&painted).to_string(), plain);
    }
}
