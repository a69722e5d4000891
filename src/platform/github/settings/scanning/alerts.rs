//! Open alerts of code scanning, Dependabot and secret scanning. Messages, snippets and
//! the secrets themselves are not read.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Alert, Alerts, Fact, FactKey, Severity, Source, Unknown, Watch};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::super::scanning::code::{Analysis, CodeAlert, severity};
use super::super::super::scanning::refusal::{nothing_yet, off};
use super::super::owner_side::Asker;
use super::super::reading::{self, Read};
use super::off::{code_off, dependencies_off, secrets_off};

const KEY: FactKey = FactKey::ScanAlerts;

#[derive(Debug, Deserialize)]
struct DependencyAlert {
    number: Option<u64>,
    created_at: Option<Timestamp>,
    dependency: Option<Dependency>,
    security_vulnerability: Option<Vulnerability>,
}

#[derive(Debug, Deserialize)]
struct Dependency {
    package: Option<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Vulnerability {
    severity: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SecretAlert {
    number: Option<u64>,
    created_at: Option<Timestamp>,
    secret_type: Option<String>,
    validity: Option<String>,
}

/// Asks for all of them at once.
pub(in super::super) async fn ask(asker: &Asker<'_>) -> Fact<Alerts> {
    let (code, dependencies, leaked_secrets) = tokio::join!(
        code_alerts(asker),
        dependency_alerts(asker),
        secret_alerts(asker),
    );
    Fact::known_without_source(Alerts {
        // A plan is told nowhere that would settle it for public and private ones alike.
        not_in_plan: false,
        code,
        dependencies,
        leaked_secrets,
    })
}

async fn code_alerts(asker: &Asker<'_>) -> Fact<Watch> {
    if asker.target.is_empty() {
        return Fact::Unknown(reading::not_told(KEY, "the branch to look at is not known"));
    }
    if let Some(source) = code_off(asker).await {
        return Fact::seen(Watch::Off, source);
    }
    let client = asker.client();
    let reference = access::encode(&format!("refs/heads/{}", asker.target));
    let alerts = asker.path(&format!("code-scanning/alerts?state=open&ref={reference}"));
    // The newest alone; a branch that was never looked at has an empty list of alerts.
    let analyses = asker.path(&format!(
        "code-scanning/analyses?ref={reference}&per_page=1"
    ));
    let (alerts, analyses) = tokio::join!(client.get_all(&alerts, None), client.get(&analyses));
    code(&alerts, &analyses)
}

async fn dependency_alerts(asker: &Asker<'_>) -> Fact<Watch> {
    if let Some(source) = dependencies_off(asker).await {
        return Fact::seen(Watch::Off, source);
    }
    let path = asker.path("dependabot/alerts?state=open");
    all_the_time(&asker.client().get_all(&path, None).await, dependency)
}

async fn secret_alerts(asker: &Asker<'_>) -> Fact<Watch> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "alerts about secrets"));
    }
    if let Some(source) = secrets_off(asker).await {
        return Fact::seen(Watch::Off, source);
    }
    let path = asker.path("secret-scanning/alerts?state=open&hide_secret=true");
    all_the_time(&asker.client().get_all(&path, None).await, secret)
}

fn code(alerts: &Result<Listing, NoAnswer>, analyses: &Result<Answer, NoAnswer>) -> Fact<Watch> {
    for refusal in [alerts.as_ref().err(), analyses.as_ref().err()] {
        let Some(refusal) = refusal else { continue };
        if let Some(source) = off(refusal) {
            return Fact::seen(Watch::Off, source);
        }
        if let Some(source) = nothing_yet(refusal) {
            return Fact::seen(Watch::NothingYet, source);
        }
    }
    let newest = match reading::one::<Vec<Analysis>>(KEY, analyses) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let looked_at = match newest.value.first() {
        None => return newest.fact(Watch::NothingYet),
        Some(analysis) if analysis.failed() == Some(true) => {
            let detail = "the newest analysis of the branch ended with an error";
            return Fact::Unknown(newest.malformed(KEY, detail));
        }
        Some(analysis) => match analysis.created_at {
            Some(looked_at) => looked_at,
            None => return Fact::Unknown(newest.missing(KEY, "created_at")),
        },
    };
    watch(alerts, Some(looked_at), newest.sources, CodeAlert::alert)
}

fn dependency(alert: &DependencyAlert) -> Option<Alert> {
    let package = alert.dependency.as_ref()?.package.as_ref()?;
    let word = alert.security_vulnerability.as_ref()?.severity.as_deref();
    Some(Alert {
        severity: severity(word),
        name: format!("#{} {}", alert.number?, package.name.as_ref()?),
        opened_at: alert.created_at,
    })
}

/// The platform does not rate secrets; one that still opens something is the worst.
fn secret(alert: &SecretAlert) -> Option<Alert> {
    Some(Alert {
        severity: match alert.validity.as_deref() {
            Some("active") => Severity::Critical,
            Some(_) | None => Severity::High,
        },
        name: format!("#{} {}", alert.number?, alert.secret_type.as_ref()?),
        opened_at: alert.created_at,
    })
}

/// A service that looks again whenever something changes.
fn all_the_time<T: serde::de::DeserializeOwned>(
    list: &Result<Listing, NoAnswer>,
    alert: impl Fn(&T) -> Option<Alert>,
) -> Fact<Watch> {
    if let Err(refusal) = list
        && let Some(source) = off(refusal)
    {
        return Fact::seen(Watch::Off, source);
    }
    watch(list, None, Vec::new(), alert)
}

fn watch<T: serde::de::DeserializeOwned>(
    list: &Result<Listing, NoAnswer>,
    looked_at: Option<Timestamp>,
    mut sources: Vec<Source>,
    alert: impl Fn(&T) -> Option<Alert>,
) -> Fact<Watch> {
    let read: Read<Vec<T>> = match reading::list(KEY, list) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let open: Option<Vec<Alert>> = read.value.iter().map(alert).collect();
    let Some(mut open) = open else {
        let unknown: Unknown = read.malformed(KEY, "an alert has no number or no rule");
        return Fact::Unknown(unknown);
    };
    open.sort_by(|a, b| b.severity.cmp(&a.severity).then_with(|| a.cmp(b)));
    sources.extend(read.sources);
    Fact::seen_in(Watch::On { looked_at, open }, sources)
}

#[cfg(test)]
#[path = "alerts_tests.rs"]
mod tests;
