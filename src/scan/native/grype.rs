//! `grype -o json`. Ignored matches are findings that a rule suppressed.

use std::path::Path;

use serde::Deserialize;

use crate::facts::{ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::reduction::{Reduction, Seen, State};
use crate::scan::stream::Stream;
use crate::scan::{place, rating};

use super::one;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Match {
    vulnerability: Vulnerability,
    #[serde(default)]
    artifact: Artifact,
    #[serde(default)]
    related_vulnerabilities: Vec<Related>,
    #[serde(default)]
    applied_ignore_rules: Vec<IgnoreRule>,
}

impl Match {
    fn reason(&self) -> Option<&str> {
        let reasons = self.applied_ignore_rules.iter();
        let mut reasons = reasons.filter_map(|rule| rule.reason.as_deref());
        reasons.find(|reason| !reason.trim().is_empty())
    }
}

#[derive(Deserialize)]
struct Vulnerability {
    id: Option<String>,
    severity: Option<String>,
}

#[derive(Deserialize)]
struct Related {
    id: Option<String>,
}

#[derive(Default, Deserialize)]
struct Artifact {
    name: Option<String>,
    version: Option<String>,
}

#[derive(Deserialize)]
struct IgnoreRule {
    reason: Option<String>,
}

#[derive(Default, Deserialize)]
struct Descriptor {
    version: Option<String>,
    timestamp: Option<String>,
}

#[derive(Default, Deserialize)]
struct Source {
    #[serde(rename = "type")]
    kind: Option<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, root: &Path) -> Read {
    let mut findings = Reduction::default();
    let mut ended = false;
    let mut descriptor = Descriptor::default();
    let mut source = Source::default();
    const KEYS: &[&str] = &["matches", "ignoredMatches", "descriptor", "source"];
    stream.object("a grype report", KEYS, &mut |stream, key| {
        match key {
            "descriptor" => descriptor = stream.value()?,
            "source" => source = stream.value()?,
            "matches" => {
                ended = stream.values("`matches`", |each: Match| {
                    add(&mut findings, &each, State::Open, root);
                    Ok(())
                })?;
            }
            _ => {
                stream.values("`ignoredMatches`", |each: Match| {
                    let explained = each.reason().is_some();
                    add(&mut findings, &each, State::Suppressed { explained }, root);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    let run = ScanRun {
        version: descriptor.version.map(|version| place::shown(&version)),
        execution_successful: (!ended).then_some(false),
        ended_at: descriptor.timestamp.and_then(|time| time.parse().ok()),
        kind: Some(match source.kind.as_deref() {
            Some("image") => ScanKind::Container,
            _ => ScanKind::Dependencies,
        }),
        ..findings.into_run("grype")
    };
    one("grype-json", run)
}

fn add(findings: &mut Reduction, each: &Match, state: State, root: &Path) {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let place = format!(
        "{}@{}",
        text(&each.artifact.name),
        text(&each.artifact.version)
    );
    let seen = Seen {
        rule: each.vulnerability.id.as_deref(),
        rating: rating::of_word(each.vulnerability.severity.as_deref()),
        ids: each
            .related_vulnerabilities
            .iter()
            .filter_map(|related| related.id.as_deref())
            .collect(),
        path: Some(&place),
        state,
        reason: each.reason(),
        ..Seen::default()
    };
    findings.add(&seen, root);
}
