//! Alerts and analyses of code scanning as they are answered. Messages and snippets are
//! not read: they may hold what they warn of.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Alert, ChangeAnalysis, DismissedAlert, Severity};

/// An alert.
#[derive(Debug, Deserialize)]
pub(in super::super) struct CodeAlert {
    number: Option<u64>,
    created_at: Option<Timestamp>,
    rule: Option<Rule>,
    dismissed_at: Option<Timestamp>,
    dismissed_by: Option<Named>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    id: Option<String>,
    severity: Option<String>,
    security_severity_level: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    login: Option<String>,
}

impl CodeAlert {
    /// What it says; `None`: it has no number or no rule.
    pub(in super::super) fn alert(&self) -> Option<Alert> {
        let rule = self.rule.as_ref()?;
        let word = rule
            .security_severity_level
            .as_ref()
            .or(rule.severity.as_ref());
        Some(Alert {
            severity: severity(word.map(String::as_str)),
            name: format!("#{} {}", self.number?, rule.id.as_ref()?),
            opened_at: self.created_at,
        })
    }

    /// The same of one that somebody dismissed.
    pub(super) fn dismissed(&self) -> Option<DismissedAlert> {
        Some(DismissedAlert {
            alert: self.alert()?,
            by: self.dismissed_by.as_ref().and_then(|by| by.login.clone()),
            at: self.dismissed_at,
        })
    }
}

/// The words of all three services. A word that is not known counts as high.
pub(in super::super) fn severity(word: Option<&str>) -> Severity {
    match word {
        Some("critical") => Severity::Critical,
        Some("medium" | "moderate" | "warning") => Severity::Medium,
        Some("low" | "note") => Severity::Low,
        Some("none") => Severity::None,
        Some(_) | None => Severity::High,
    }
}

/// One look at one commit.
#[derive(Debug, Deserialize)]
pub(in super::super) struct Analysis {
    pub(in super::super) created_at: Option<Timestamp>,
    #[serde(rename = "ref")]
    pub(super) reference: Option<String>,
    commit_sha: Option<String>,
    analysis_key: Option<String>,
    category: Option<String>,
    error: Option<String>,
    tool: Option<Tool>,
}

#[derive(Debug, Deserialize)]
struct Tool {
    name: Option<String>,
}

impl Analysis {
    /// Whether it ended with an error; `None`: it does not say.
    pub(in super::super) fn failed(&self) -> Option<bool> {
        self.error.as_ref().map(|error| !error.is_empty())
    }

    /// Whether it looked at that commit.
    pub(super) fn is_of(&self, commit: &str) -> bool {
        let sha = self.commit_sha.as_deref();
        sha.is_some_and(|sha| sha.eq_ignore_ascii_case(commit))
    }

    /// What it says; `None`: something is missing by which it could look better.
    pub(super) fn of_change(&self) -> Option<ChangeAnalysis> {
        let part = self.category.as_ref().filter(|part| !part.is_empty());
        Some(ChangeAnalysis {
            tool: self.tool.as_ref()?.name.clone()?,
            part: part
                .or(self.analysis_key.as_ref())
                .cloned()
                .unwrap_or_default(),
            commit: self.commit_sha.clone().filter(|sha| !sha.is_empty())?,
            at: self.created_at?,
            failed: self.failed()?,
        })
    }
}
