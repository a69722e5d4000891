//! Scans that GitHub runs whatever the workflows say: the default set-up of code
//! scanning, and the security configuration that is attached from above.

use serde::Deserialize;

use crate::facts::{Fact, FactKey, ImposedScan, ScanKind, ScanSetup, Unknown};
use crate::platform::access;
use crate::platform::transport::{Answer, NoAnswer};

use super::super::super::permissions;
use super::super::super::scanning::refusal::off;
use super::super::above::Named;
use super::super::owner_side::Asker;
use super::super::reading;

const KEY: FactKey = FactKey::ScanSetup;

#[derive(Debug, Deserialize)]
struct DefaultSetup {
    state: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Attached {
    status: Option<String>,
    configuration: Option<Configuration>,
}

#[derive(Debug, Deserialize)]
struct Configuration {
    id: Option<u64>,
    name: Option<String>,
    enforcement: Option<String>,
    code_scanning_default_setup: Option<String>,
    secret_scanning: Option<String>,
    dependabot_alerts: Option<String>,
}

/// A repository that a configuration is attached to.
#[derive(Debug, Deserialize)]
struct Holder {
    status: Option<String>,
    repository: Option<Named>,
}

/// Asks for both at once.
pub(in super::super) async fn ask(asker: &Asker<'_>) -> Fact<ScanSetup> {
    if asker.blind() {
        return Fact::Unknown(reading::not_asked(KEY, "how scans are set up"));
    }
    let (default_setup, scans_from_above) =
        tokio::join!(asker.shared.default_setup(), attached(asker));
    Fact::known_without_source(ScanSetup {
        // A plan is told nowhere that would settle it for public and private ones alike.
        not_in_plan: false,
        scans_of_repository: of_repository(default_setup),
        scans_from_above,
    })
}

/// Asks what is attached to the repository from above.
async fn attached(asker: &Asker<'_>) -> Fact<Vec<ImposedScan>> {
    if asker.shares()
        && let Ok(found) = shared(asker).await
    {
        return found;
    }
    let path = asker.path("code-security-configuration");
    from_above(&asker.client().get(&path).await)
}

/// The same from lists that serve every repository of a run: a repository has one
/// configuration at most. Whatever is not told whole is asked of the repository.
/// <https://docs.github.com/rest/code-security/configurations#get-repositories-associated-with-a-code-security-configuration>
async fn shared(asker: &Asker<'_>) -> Result<Fact<Vec<ImposedScan>>, Unknown> {
    let base = format!("{}/code-security/configurations", asker.organization_path());
    let list = asker.client().get_all_shared(&base, None).await;
    let read = reading::list::<Configuration>(KEY, &list)?;
    let mut sources = read.sources.clone();
    for configuration in &read.value {
        let id = configuration.id.ok_or_else(|| read.missing(KEY, "id"))?;
        let path = format!("{base}/{id}/repositories");
        let holders = asker.client().get_all_shared(&path, None).await;
        let holders = reading::list::<Holder>(KEY, &holders)?;
        sources.extend(holders.sources.iter().cloned());
        for holder in &holders.value {
            let repository = &asker.session.setup.place.repository;
            let named = holder
                .repository
                .as_ref()
                .and_then(|named| named.is(repository));
            if named.ok_or_else(|| holders.missing(KEY, "repository"))? {
                let scans = scans(holder.status.as_deref(), Some(configuration));
                return match scans {
                    Ok(scans) => Ok(Fact::seen_in(scans, sources)),
                    Err(detail) => Err(holders.malformed(KEY, &detail)),
                };
            }
        }
    }
    Ok(Fact::seen_in(Vec::new(), sources))
}

fn of_repository(answer: &Result<Answer, NoAnswer>) -> Fact<Vec<ImposedScan>> {
    if let Err(refusal) = answer
        && let Some(source) = off(refusal)
    {
        return Fact::seen(Vec::new(), source);
    }
    let read = match reading::one::<DefaultSetup>(KEY, answer) {
        Ok(read) => read,
        Err(unknown) => return Fact::Unknown(unknown),
    };
    let scans = read.value.state.as_deref().map(|state| {
        if state == "configured" {
            vec![ImposedScan {
                kind: ScanKind::Sast,
                by: "default set-up".to_owned(),
                enforced: false,
            }]
        } else {
            Vec::new()
        }
    });
    read.field(KEY, scans, "state")
}

/// Nothing attached has an answer without content.
fn from_above(answer: &Result<Answer, NoAnswer>) -> Fact<Vec<ImposedScan>> {
    match answer {
        Ok(answer) if answer.status == 204 => Fact::seen(Vec::new(), answer.source.clone()),
        Ok(_) => match reading::one::<Attached>(KEY, answer) {
            Ok(read) => read.translated(KEY, |it| {
                scans(it.status.as_deref(), it.configuration.as_ref())
            }),
            Err(unknown) => Fact::Unknown(unknown),
        },
        Err(refusal) => Fact::Unknown(access::refused(
            KEY.name(),
            permissions::needs(KEY),
            refusal,
        )),
    }
}

fn scans(
    status: Option<&str>,
    configuration: Option<&Configuration>,
) -> Result<Vec<ImposedScan>, String> {
    let status = status.ok_or("it has no status")?;
    // One that is being attached, failed or was removed holds nothing yet or any more.
    if !matches!(status, "attached" | "enforced" | "updating") {
        return Ok(Vec::new());
    }
    let configuration = configuration.ok_or("it does not say what is attached")?;
    let name = configuration.name.as_deref().ok_or("it has no name")?;
    let enforced = status == "enforced" || configuration.enforcement.as_deref() == Some("enforced");
    let kinds = [
        (ScanKind::Sast, &configuration.code_scanning_default_setup),
        (ScanKind::Secrets, &configuration.secret_scanning),
        (ScanKind::Dependencies, &configuration.dependabot_alerts),
    ];
    Ok(kinds
        .into_iter()
        .filter(|(_, word)| word.as_deref() == Some("enabled"))
        .map(|(kind, _)| ImposedScan {
            kind,
            by: format!("configuration \"{name}\""),
            enforced,
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::super::super::graph::testing::{refused, rest};
    use super::*;
    use crate::facts::Why;

    fn configuration(status: &str, more: &Value) -> Fact<Vec<ImposedScan>> {
        let mut body = json!({"status": status, "configuration": {"name": "baseline",
            "enforcement": "unenforced", "code_scanning_default_setup": "enabled",
            "secret_scanning": "enabled", "dependabot_alerts": "not_set"}});
        body["configuration"]
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        from_above(&rest(&body))
    }

    #[test]
    fn the_default_set_up_runs_only_where_it_is_configured() {
        let state = |word: &str| of_repository(&rest(&json!({"state": word})));
        assert_eq!(state("configured").known().unwrap()[0].kind, ScanKind::Sast);
        assert_eq!(state("not-configured").known(), Ok(&Vec::new()));
        assert_eq!(state("other").known(), Ok(&Vec::new()));
        assert!(!of_repository(&rest(&json!({}))).is_known());
        let off = "Code Security must be enabled for this repository to use code scanning.";
        assert_eq!(of_repository(&refused(403, off)).known(), Ok(&Vec::new()));
        let no = of_repository(&refused(403, "Resource not accessible by integration"));
        assert_eq!(no.known().unwrap_err().why, Why::NotPermitted);
    }

    #[test]
    fn a_configuration_imposes_what_it_enables() {
        let found = configuration("attached", &json!({}));
        let found = found.known().unwrap();
        let kinds: Vec<ScanKind> = found.iter().map(|scan| scan.kind).collect();
        assert_eq!(kinds, [ScanKind::Sast, ScanKind::Secrets]);
        assert!(!found[0].enforced);
        assert_eq!(found[0].by, "configuration \"baseline\"");
        for enforced in [
            configuration("enforced", &json!({})),
            configuration("attached", &json!({"enforcement": "enforced"})),
        ] {
            assert!(enforced.known().unwrap()[0].enforced);
        }
    }

    /// The cheat: a configuration that is there and does nothing.
    #[test]
    fn one_that_enables_nothing_or_holds_no_more_imposes_nothing() {
        let nothing =
            json!({"code_scanning_default_setup": "disabled", "secret_scanning": "not_set"});
        assert_eq!(configuration("attached", &nothing).known(), Ok(&Vec::new()));
        for status in ["attaching", "failed", "removed", "detached", "new"] {
            let found = configuration(status, &json!({}));
            assert_eq!(found.known(), Ok(&Vec::new()), "{status}");
        }
    }

    #[test]
    fn nothing_attached_is_told_from_what_is_hidden() {
        let mut none = rest(&json!(null)).unwrap();
        none.status = 204;
        assert_eq!(from_above(&Ok(none)).known(), Ok(&Vec::new()));
        let why = |answer: Result<Answer, NoAnswer>| from_above(&answer).known().unwrap_err().why;
        assert_eq!(why(refused(404, "Not Found")), Why::HiddenOrAbsent);
        assert_eq!(why(refused(403, "no")), Why::NotPermitted);
        assert_eq!(why(rest(&json!({}))), Why::Failed);
        assert_eq!(why(rest(&json!({"status": "attached"}))), Why::Failed);
    }
}
