//! Open vulnerabilities of the project, which GitLab keeps of its default branch, and
//! which scanners ran in the newest pipeline there. Descriptions and evidence are not
//! asked for: they may hold the secret.

use serde_json::Value;

use crate::facts::{Alert, Alerts, Fact, FactKey, Severity, Source, Unknown, Watch, Why};

use super::super::super::super::transport::{GraphqlAnswer, NoAnswer};
use super::super::super::wire::time;
use super::super::super::{Session, left_out};
use super::answered::{Stands, at, hidden};
use super::question;

const KEY: FactKey = FactKey::ScanAlerts;
/// Pages of a hundred findings that are read; more stay unknown.
const MOST_PAGES: usize = 10;

/// What is asked of the project.
pub(super) const FIELDS: &str = "    securityScanners { enabled pipelineRun }
    vulnerabilities(state: [DETECTED, CONFIRMED], first: 100, after: $after) {
      nodes { id title severity reportType detectedAt }
      pageInfo { hasNextPage endCursor }
    }
";

/// What a kind of findings is called here: the scanners that show that it is looked for,
/// and all whose findings belong to it.
struct Kind {
    shown_by: &'static [&'static str],
    holds: &'static [&'static str],
}

const DEPENDENCIES: Kind = Kind {
    shown_by: &["DEPENDENCY_SCANNING", "CONTAINER_SCANNING"],
    holds: &[
        "DEPENDENCY_SCANNING",
        "CONTAINER_SCANNING",
        "CLUSTER_IMAGE_SCANNING",
    ],
};
const SECRETS: Kind = Kind {
    shown_by: &["SECRET_DETECTION"],
    holds: &["SECRET_DETECTION"],
};
/// Whatever belongs to none of the others.
const CODE: Kind = Kind {
    shown_by: &["SAST"],
    holds: &[],
};

/// The findings, of which the first page was asked for already; the others are here.
pub(super) async fn alerts(
    session: &Session,
    first: &Result<GraphqlAnswer, NoAnswer>,
    free: Option<Vec<Source>>,
) -> Fact<Alerts> {
    let mut after = next(first);
    let mut others = Vec::new();
    while let Some(place) = &after {
        if others.len() + 1 == MOST_PAGES {
            return Fact::Unknown(Unknown::new(
                KEY.name(),
                Why::NotSupported,
                format!("more than {} findings are open", MOST_PAGES * 100),
            ));
        }
        let answer = question::ask(session, &[FIELDS], Some(place)).await;
        after = next(&answer);
        others.push(answer);
    }
    let pages: Vec<_> = std::iter::once(first).chain(&others).collect();
    translated(&pages, free)
}

/// Where the next page begins; what is wrong with a page is said when it is read.
fn next(answer: &Result<GraphqlAnswer, NoAnswer>) -> Option<String> {
    let info = answer
        .as_ref()
        .ok()?
        .data
        .as_ref()?
        .pointer("/project/vulnerabilities/pageInfo")?;
    if info.get("hasNextPage")?.as_bool()? {
        Some(info.get("endCursor")?.as_str()?.to_owned())
    } else {
        None
    }
}

fn translated(
    pages: &[&Result<GraphqlAnswer, NoAnswer>],
    free: Option<Vec<Source>>,
) -> Fact<Alerts> {
    let mut found = Vec::new();
    let mut sources = Vec::new();
    for (place, answer) in pages.iter().enumerate() {
        let last = place + 1 == pages.len();
        match page(answer, last) {
            Ok(Some((more, source))) => {
                found.extend(more);
                sources.push(source);
            }
            Ok(None) => {
                return match (free, answer) {
                    (Some(free), _) => not_sold(free),
                    (None, Ok(answer)) => Fact::Unknown(hidden(
                        KEY,
                        answer,
                        "GitLab shows this token no findings, or the tier does not include them",
                    )),
                    (None, Err(_)) => Fact::Unknown(Unknown::not_collected(KEY.name())),
                };
            }
            // The free edition does not know the field.
            Err(unknown) => {
                return match free {
                    Some(free) if unknown.why == Why::NotSupported => not_sold(free),
                    Some(_) | None => Fact::Unknown(unknown),
                };
            }
        }
    }
    let scanners = pages
        .first()
        .and_then(|answer| match at(KEY, answer, "/securityScanners") {
            Ok(Stands::Value(value)) => Some(value),
            Ok(Stands::Null) | Err(_) => None,
        });
    let watch = |kind: &Kind| kind.watch(scanners, &found, &sources);
    Fact::seen_in(
        Alerts {
            not_in_plan: false,
            code: watch(&CODE),
            dependencies: watch(&DEPENDENCIES),
            leaked_secrets: watch(&SECRETS),
        },
        sources.clone(),
    )
}

fn not_sold(free: Vec<Source>) -> Fact<Alerts> {
    let off = || Fact::seen_in(Watch::Off, free.clone());
    let alerts = Alerts {
        not_in_plan: true,
        code: off(),
        dependencies: off(),
        leaked_secrets: off(),
    };
    Fact::seen_in(alerts, free)
}

/// A finding and the type of the report that it came from.
type Finding = (String, Alert);

/// The findings of a page; `None`: no list is shown.
fn page(
    answer: &Result<GraphqlAnswer, NoAnswer>,
    last: bool,
) -> Result<Option<(Vec<Finding>, Source)>, Unknown> {
    let Stands::Value(connection) = at(KEY, answer, "/vulnerabilities")? else {
        return Ok(None);
    };
    let source = match answer {
        Ok(answer) => answer.source.clone(),
        Err(_) => return Ok(None),
    };
    let missing = |field: &str| left_out(KEY.name(), field, std::slice::from_ref(&source));
    let ends = connection
        .pointer("/pageInfo/hasNextPage")
        .and_then(Value::as_bool)
        .map(|more| !more);
    if ends != Some(last) {
        return Err(missing("pageInfo"));
    }
    let nodes = connection
        .get("nodes")
        .and_then(Value::as_array)
        .ok_or_else(|| missing("nodes"))?;
    let found: Option<Vec<Finding>> = nodes.iter().map(finding).collect();
    let found = found.ok_or_else(|| missing("reportType"))?;
    Ok(Some((found, source)))
}

fn finding(node: &Value) -> Option<Finding> {
    let word = |field: &str| node.get(field)?.as_str();
    let number = word("id")?.rsplit('/').next()?;
    let report = word("reportType")?.to_owned();
    let alert = Alert {
        severity: severity(word("severity")),
        name: format!("#{number} {}", word("title")?),
        opened_at: time(word("detectedAt")),
    };
    Some((report, alert))
}

/// A word that is not known counts as high.
fn severity(word: Option<&str>) -> Severity {
    match word {
        Some("CRITICAL") => Severity::Critical,
        Some("MEDIUM") => Severity::Medium,
        Some("LOW") => Severity::Low,
        Some("INFO") => Severity::None,
        Some(_) | None => Severity::High,
    }
}

impl Kind {
    fn is(&self, report: &str) -> bool {
        if self.holds.is_empty() {
            !DEPENDENCIES.holds.contains(&report) && !SECRETS.holds.contains(&report)
        } else {
            self.holds.contains(&report)
        }
    }

    /// A scanner that a policy runs on a schedule is not on the list of those that are
    /// enabled, so *off* may be too strict and is never too mild.
    /// <https://gitlab.com/gitlab-org/gitlab/-/issues/429476>
    fn watch(
        &self,
        scanners: Option<&Value>,
        found: &[Finding],
        sources: &[Source],
    ) -> Fact<Watch> {
        let mut open: Vec<Alert> = found
            .iter()
            .filter(|(report, _)| self.is(report))
            .map(|(_, alert)| alert.clone())
            .collect();
        open.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
        let told = |list: &str| {
            let names = scanners?.get(list)?.as_array()?;
            Some(names.iter().any(|name| {
                name.as_str()
                    .is_some_and(|name| self.shown_by.contains(&name))
            }))
        };
        // It looked in the newest pipeline, and may not be clean whoever ran it.
        let on = Watch::On {
            looked_at: None,
            open,
        };
        let watch = match (told("pipelineRun"), told("enabled")) {
            (Some(true), _) => on,
            (Some(false), Some(true)) => match on {
                Watch::On { open, .. } if open.is_empty() => Watch::NothingYet,
                on => on,
            },
            (Some(false), Some(false)) => match on {
                Watch::On { open, .. } if open.is_empty() => Watch::Off,
                on => on,
            },
            (None, _) | (_, None) => {
                return Fact::Unknown(left_out(KEY.name(), "securityScanners", sources));
            }
        };
        Fact::seen_in(watch, sources.to_vec())
    }
}

#[cfg(test)]
#[path = "findings_tests.rs"]
mod tests;
