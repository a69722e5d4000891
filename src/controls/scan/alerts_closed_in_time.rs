//! SCAN-13: what the platform's own scans find is closed in time, and they look.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::runs::{Limits, limit, limits_schema, looser};
use crate::controls::age::days_since;
use crate::controls::control::{Control, Evidence, FailReason, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Alert, Alerts, Fact, FactKey, Platform, Severity, Snapshot, Unknown, Watch, Why,
};

/// A service whose alerts are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Service {
    /// Weaknesses in the code.
    Code,
    /// Known vulnerabilities of dependencies and images.
    Dependencies,
    /// Secrets.
    Secrets,
}

impl Service {
    fn words(self) -> &'static str {
        match self {
            Self::Code => "scanning of the code",
            Self::Dependencies => "alerts about dependencies",
            Self::Secrets => "scanning for secrets",
        }
    }

    fn of(self, alerts: &Alerts) -> &Fact<Watch> {
        match self {
            Self::Code => &alerts.code,
            Self::Dependencies => &alerts.dependencies,
            Self::Secrets => &alerts.leaked_secrets,
        }
    }
}

/// Parameters of SCAN-13.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AlertsClosedInTime {
    /// Days in which an alert has to be closed, by severity; a number also holds for
    /// worse severities that have none of their own.
    #[schemars(schema_with = "limits_schema")]
    max_days: Limits,
    /// Services that have to look.
    services: Vec<Service>,
    /// Days after which a service that has not looked again is no proof any more.
    max_silence_days: u32,
}

impl Default for AlertsClosedInTime {
    fn default() -> Self {
        Self {
            max_days: BTreeMap::from([
                (Severity::Critical, 7),
                (Severity::High, 30),
                (Severity::Medium, 90),
            ]),
            services: vec![Service::Code, Service::Dependencies, Service::Secrets],
            max_silence_days: 30,
        }
    }
}

impl Control for AlertsClosedInTime {
    const META: Meta = Meta {
        code: "SCAN-13",
        id: "alerts-closed-in-time",
        title: "alerts of the platform's own scans are closed in time",
        criteria: &[Criterion::Cc7_1, Criterion::Cc7_4],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8"]),
            (Framework::PciDss, &["6.3.1", "6.3.3"]),
            (Framework::Nist80053, &["RA-5", "SI-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanAlerts],
        rationale: "A weakness that is known and left open is found by others as well; how long it \
                    may stay open was promised.",
        cheat: "Switching the service off, letting it run no more, or running it on no branch that \
                counts: then the list is empty. Off fails, and a service that never looked at the \
                branch, or not lately, is unknown. Who dismisses an alert closes it; that is not \
                seen here.",
        remedy_github: "mend or dismiss with a reason what is overdue; switch on what is off under \
                        Settings, Advanced Security; a workflow needs `security-events: read` and \
                        `vulnerability-alerts: read`, and secrets a GitHub App",
        remedy_gitlab: "mend or dismiss with a reason what is overdue in the vulnerability report \
                        (Ultimate), and let the scanners run in the pipeline of the default branch",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.alerts;
        let alerts = fact.known()?;
        let key = FactKey::ScanAlerts;
        let mut off = Vec::new();
        let mut overdue = Vec::new();
        let mut hidden = None;
        let mut sources = Vec::new();
        let mut open = 0_usize;
        for service in &self.services {
            let watch = service.of(alerts);
            sources.extend(watch.sources().iter().cloned());
            match watch.known() {
                Ok(Watch::Off) => off.push(format!("{} is off", service.words())),
                Ok(Watch::NothingYet) => {
                    hidden = hidden.or(Some(Unknown::new(
                        key.name(),
                        Why::NotCollected,
                        format!("{} has not looked yet", service.words()),
                    )));
                }
                Ok(Watch::On {
                    looked_at,
                    open: all,
                }) => {
                    open = open.saturating_add(all.len());
                    let silent = looked_at.is_some_and(|at| {
                        days_since(at, facts.latest_time()) > i64::from(self.max_silence_days)
                    });
                    if silent {
                        hidden = hidden.or(Some(Unknown::new(
                            key.name(),
                            Why::Stale,
                            format!(
                                "{} has not looked for more than {} days",
                                service.words(),
                                self.max_silence_days
                            ),
                        )));
                    }
                    for alert in all {
                        match self.late(alert, facts) {
                            Ok(Some(words)) => overdue.push(words),
                            Ok(None) => {}
                            Err(unknown) => hidden = hidden.or(Some(unknown)),
                        }
                    }
                }
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        if !overdue.is_empty() || !off.is_empty() {
            let reason = match (overdue.is_empty(), alerts.not_in_plan) {
                (false, _) => Some(FailReason::Findings),
                (true, true) => Some(FailReason::Plan),
                (true, false) => None,
            };
            let words = [some(&overdue), off.join(", ")]
                .into_iter()
                .filter(|words| !words.is_empty())
                .collect::<Vec<_>>()
                .join("; ");
            let evidence = Evidence::new(words.clone(), key, words, &sources);
            return Ok(match reason {
                Some(reason) => Verdict::fail_because(reason, evidence),
                None => Verdict::fail(evidence),
            });
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(Evidence::new(
                "no alert is open for longer than it may be",
                key,
                format!("{open} alerts are open"),
                &sources,
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let dropped = base
            .services
            .iter()
            .find(|service| !self.services.contains(service));
        if let Some(service) = dropped {
            return Some(format!("no longer asks for {}", service.words()));
        }
        if self.max_silence_days > base.max_silence_days {
            return Some("lets services be silent for longer".to_owned());
        }
        looser(&self.max_days, &base.max_days).then(|| "lets alerts stay open longer".to_owned())
    }
}

impl AlertsClosedInTime {
    /// How late an alert is, in words; `None`: it is in time.
    fn late(&self, alert: &Alert, facts: &Snapshot) -> Result<Option<String>, Unknown> {
        let Some(most) = limit(&self.max_days, alert.severity) else {
            return Ok(None);
        };
        let opened_at = alert.opened_at.ok_or_else(|| {
            Unknown::new(
                FactKey::ScanAlerts.name(),
                Why::HiddenOrAbsent,
                format!("it is not told when `{}` was opened", alert.name),
            )
        })?;
        let days = days_since(opened_at, facts.latest_time());
        let late = days > i64::try_from(most).unwrap_or(i64::MAX);
        Ok(late.then(|| {
            format!(
                "`{}` ({}) is open for {days} days",
                alert.name,
                alert.severity.word()
            )
        }))
    }
}

#[cfg(test)]
#[path = "alerts_closed_in_time_tests.rs"]
mod tests;
