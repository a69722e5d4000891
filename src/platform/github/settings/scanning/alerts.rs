//! Open alerts of code scanning, Dependabot and secret scanning. Messages, snippets and
//! the secrets themselves are not read.

use jiff::Timestamp;
use serde::Deserialize;

use crate::facts::{Alert, Alerts, Fact, FactKey, Severity, Source, Unknown, Watch};
use crate::platform::access;
use crate::platform::join::when;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::owner_side::Asker;
use super::super::reading::{self, Read};
use super::off::{nothing_yet, off};

const KEY: FactKey = FactKey::ScanAlerts;

#[derive(Debug, Deserialize)]
struct CodeAlert {
    number: Option<u64>,
    created_at: Option<Timestamp>,
    rule: Option<Rule>,
}

#[derive(Debug, Deserialize)]
struct Rule {
    id: Option<String>,
    severity: Option<String>,
    security_severity_level: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Analysis {
    created_at: Option<Timestamp>,
    error: Option<String>,
}

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
    let client = asker.client();
    let reference = access::encode(&format!("refs/heads/{}", asker.target));
    let alerts = asker.path(&format!("code-scanning/alerts?state=open&ref={reference}"));
    // The newest alone; a branch that was never looked at has an empty list of alerts.
    let analyses = asker.path(&format!(
        "code-scanning/analyses?ref={reference}&per_page=1"
    ));
    let dependencies = asker.path("dependabot/alerts?state=open");
    let secrets = asker.path("secret-scanning/alerts?state=open&hide_secret=true");
    let (alerts, analyses, dependencies, secrets) = tokio::join!(
        client.get_all(&alerts, None),
        client.get(&analyses),
        client.get_all(&dependencies, None),
        when(!asker.blind(), || client.get_all(&secrets, None)),
    );
    Fact::known_without_source(Alerts {
        // A plan is told nowhere that would settle it for public and private ones alike.
        not_in_plan: false,
        code: if asker.target.is_empty() {
            Fact::Unknown(reading::not_told(KEY, "the branch to look at is not known"))
        } else {
            code(&alerts, &analyses)
        },
        dependencies: all_the_time(&dependencies, dependency),
        leaked_secrets: match secrets {
            Some(secrets) => all_the_time(&secrets, secret),
            None => Fact::Unknown(reading::not_asked(KEY, "alerts about secrets")),
        },
    })
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
        Some(analysis)
            if analysis
                .error
                .as_deref()
                .is_some_and(|error| !error.is_empty()) =>
        {
            let detail = "the newest analysis of the branch ended with an error";
            return Fact::Unknown(newest.malformed(KEY, detail));
        }
        Some(analysis) => match analysis.created_at {
            Some(looked_at) => looked_at,
            None => return Fact::Unknown(newest.missing(KEY, "created_at")),
        },
    };
    watch(
        alerts,
        Some(looked_at),
        newest.sources,
        |alert: &CodeAlert| {
            let rule = alert.rule.as_ref()?;
            let word = rule
                .security_severity_level
                .as_ref()
                .or(rule.severity.as_ref());
            Some(Alert {
                severity: severity(word.map(String::as_str)),
                name: format!("#{} {}", alert.number?, rule.id.as_ref()?),
                opened_at: alert.created_at,
            })
        },
    )
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

/// The words of all three. A word that is not known counts as high.
fn severity(word: Option<&str>) -> Severity {
    match word {
        Some("critical") => Severity::Critical,
        Some("medium" | "moderate" | "warning") => Severity::Medium,
        Some("low" | "note") => Severity::Low,
        Some("none") => Severity::None,
        Some(_) | None => Severity::High,
    }
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
mod tests {
    use serde_json::{Value, json};

    use super::super::super::super::graph::testing::{refused, rest};
    use super::super::super::reading::testing::{listing, no_listing};
    use super::*;
    use crate::facts::Why;

    const WHEN: &str = "2026-05-01T00:00:00Z";

    fn analysed() -> Result<Answer, NoAnswer> {
        rest(&json!([{"created_at": "2026-05-31T00:00:00Z", "error": ""}]))
    }

    fn code_alert(severity: &Value, level: &Value) -> Value {
        json!({"number": 12, "created_at": WHEN,
            "rule": {"id": "js/x", "severity": severity, "security_severity_level": level}})
    }

    fn open(fact: &Fact<Watch>) -> Vec<Alert> {
        match fact.known().unwrap() {
            Watch::On { open, .. } => open.clone(),
            other => panic!("{other:?}"),
        }
    }

    fn why(fact: &Fact<Watch>) -> Why {
        fact.known().unwrap_err().why
    }

    #[test]
    fn alerts_of_code_come_with_their_severity_and_the_time_of_the_last_look() {
        let list = listing(&json!([
            code_alert(&json!("note"), &json!(null)),
            code_alert(&json!("warning"), &json!("critical")),
        ]));
        let fact = code(&list, &analysed());
        let found = open(&fact);
        assert_eq!(found[0].severity, Severity::Critical);
        assert_eq!(found[0].name, "#12 js/x");
        assert!(found[0].opened_at.is_some());
        assert_eq!(found[1].severity, Severity::Low);
        let Ok(Watch::On { looked_at, .. }) = fact.known() else {
            panic!("{fact:?}");
        };
        assert!(looked_at.is_some());
    }

    /// The cheat: no alerts because nobody looked.
    #[test]
    fn an_empty_list_of_a_branch_that_was_never_looked_at_is_no_clean_one() {
        let none = || listing(&json!([]));
        assert_eq!(
            code(&none(), &rest(&json!([]))).known(),
            Ok(&Watch::NothingYet)
        );
        assert_eq!(open(&code(&none(), &analysed())), []);
        let broken = rest(&json!([{"created_at": WHEN, "error": "out of memory"}]));
        assert_eq!(why(&code(&none(), &broken)), Why::Failed);
        let undated = rest(&json!([{"error": ""}]));
        assert_eq!(why(&code(&none(), &undated)), Why::HiddenOrAbsent);
        let hidden = refused(403, "Resource not accessible by integration");
        assert_eq!(why(&code(&none(), &hidden)), Why::NotPermitted);
    }

    #[test]
    fn off_no_permission_and_no_analysis_are_three_answers() {
        let told =
            |status, message: &str| code(&no_listing(status, message), &refused(status, message));
        let off = "Code Security must be enabled for this repository to use code scanning.";
        assert_eq!(told(403, off).known(), Ok(&Watch::Off));
        assert_eq!(
            told(404, "no analysis found").known(),
            Ok(&Watch::NothingYet)
        );
        let no = told(403, "Resource not accessible by integration");
        assert_eq!(why(&no), Why::NotPermitted);
        assert!(no.known().unwrap_err().needs.is_some());
        assert_eq!(why(&told(404, "Not Found")), Why::HiddenOrAbsent);
        assert_eq!(why(&told(503, "")), Why::Failed);

        let dependencies =
            |status, message: &str| all_the_time(&no_listing(status, message), dependency);
        let off = "Dependabot alerts are disabled for this repository.";
        assert_eq!(dependencies(403, off).known(), Ok(&Watch::Off));
        assert_eq!(
            why(&dependencies(403, "Resource not accessible by integration")),
            Why::NotPermitted
        );
        let secrets = |message: &str| all_the_time(&no_listing(404, message), secret);
        let off = "Secret scanning is disabled on this repository.";
        assert_eq!(secrets(off).known(), Ok(&Watch::Off));
        assert_eq!(why(&secrets("Not Found")), Why::HiddenOrAbsent);
    }

    #[test]
    fn alerts_of_dependencies_and_secrets_are_read_and_a_secret_is_not() {
        let list = listing(&json!([{"number": 3, "created_at": WHEN,
            "dependency": {"package": {"name": "left-pad"}},
            "security_vulnerability": {"severity": "medium"}}]));
        let found = open(&all_the_time(&list, dependency));
        assert_eq!(found[0].severity, Severity::Medium);
        assert_eq!(found[0].name, "#3 left-pad");
        let list = listing(&json!([
            {"number": 1, "created_at": WHEN, "secret_type": "some_token", "secret": "hush",
                "validity": "unknown"},
            {"number": 2, "secret_type": "other_token", "secret": "hush", "validity": "active"},
        ]));
        let fact = all_the_time(&list, secret);
        let found = open(&fact);
        assert_eq!(found[0].name, "#2 other_token");
        assert_eq!(found[0].severity, Severity::Critical);
        assert_eq!(found[0].opened_at, None);
        assert_eq!(found[1].severity, Severity::High);
        assert!(!format!("{fact:?}").contains("hush"));
    }

    #[test]
    fn one_alert_that_cannot_be_read_spoils_the_list_and_an_odd_severity_is_high() {
        let list = listing(&json!([{"created_at": WHEN}]));
        assert_eq!(why(&all_the_time(&list, dependency)), Why::Failed);
        let list = listing(&json!([{"number": "x"}]));
        assert_eq!(why(&all_the_time(&list, secret)), Why::Failed);
        for word in [Some("severe"), Some("error"), Some("high"), None] {
            assert_eq!(severity(word), Severity::High);
        }
    }
}
