//! PIPE-14: pipelines reach clouds with short-lived identity tokens, not with
//! stored keys. Knows names only; how the cloud trusts the token is not seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::{all_jobs, unread};
use super::names::Names;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, PipelineDefinition, Platform, Snapshot, Unknown};

/// Parameters of PIPE-14.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CloudAccessWithoutStoredKeys {
    /// Patterns of names that long-lived keys of clouds usually have.
    #[schemars(with = "Vec<String>")]
    patterns: Names,
    /// Whether the subject of identity tokens must have been set by hand, where a
    /// job asks for one. The platform's default names the repository already.
    restricted_subject: bool,
}

impl Default for CloudAccessWithoutStoredKeys {
    fn default() -> Self {
        Self {
            patterns: Names::literal(&[
                "*AWS_ACCESS_KEY*",
                "*AWS_SECRET*",
                "*ARM_CLIENT_SECRET*",
                "*AZURE_CLIENT_SECRET*",
                "*AZURE_CREDENTIALS*",
                "*AZURE_PASSWORD*",
                "*GOOGLE_CREDENTIALS*",
                "*GOOGLE_APPLICATION_CREDENTIALS*",
                "*GCLOUD_SERVICE_KEY*",
                "*GCP_CREDENTIALS*",
                "*GCP_SA_KEY*",
                "*GCP_SERVICE_ACCOUNT_KEY*",
                "*DIGITALOCEAN_ACCESS_TOKEN*",
                "*ALIBABA_CLOUD_ACCESS_KEY*",
                "*ALICLOUD_SECRET_KEY*",
                "*OCI_CLI_KEY_CONTENT*",
                "*IBMCLOUD_API_KEY*",
            ]),
            restricted_subject: false,
        }
    }
}

impl Control for CloudAccessWithoutStoredKeys {
    const META: Meta = Meta {
        code: "PIPE-14",
        id: "cloud-access-without-stored-keys",
        title: "pipelines reach clouds without stored keys",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.5", "A.8.31"]),
            (Framework::PciDss, &["8.6.3", "6.5.3"]),
            (Framework::Nist80053, &["IA-5", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::PipelineSecrets,
            FactKey::PipelineDefinition,
            FactKey::PipelineSettings,
        ],
        rationale: "A stored key of a cloud works from anywhere until somebody remembers to take it \
                    back; an identity token ends with the job.",
        cheat: "Keeping the key above the repository, or giving it a harmless name. Names that \
                definitions hand to jobs are looked at as well as those that are kept here; a name \
                that says nothing is not found out.",
        remedy_github: "let the cloud trust identity tokens of this repository and branch, ask for \
                        one with `id-token: write`, and delete the stored key",
        remedy_gitlab: "let the cloud trust identity tokens of this project and branch, ask for one \
                        with `id_tokens`, and delete the stored variable",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let secrets = &facts.settings.secrets;
        let definition = &facts.settings.definition;
        let mut wrong = Vec::new();
        let mut hidden = None;
        match secrets.known() {
            Ok(list) => wrong.extend(
                list.iter()
                    .filter(|secret| self.patterns.mean(&secret.name))
                    .map(|secret| format!("`{}` is stored", secret.name)),
            ),
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
        match definition.known() {
            Ok(known) => {
                wrong.extend(self.handed(known));
                hidden = hidden.or(unread(known));
                let asks = all_jobs(known).any(|at| at.job.identity_token);
                if self.restricted_subject && asks {
                    match has_own_subject(facts) {
                        Ok(true) => {}
                        Ok(false) => wrong
                            .push("identity tokens have the platform's default subject".to_owned()),
                        Err(unknown) => hidden = hidden.or(Some(unknown)),
                    }
                }
            }
            Err(unknown) => hidden = hidden.or(Some(unknown)),
        }
        let evidence = |summary: String, seen: &str| {
            Evidence::new(summary, FactKey::PipelineSecrets, seen, secrets.sources()).and(
                FactKey::PipelineDefinition,
                seen,
                definition.sources(),
            )
        };
        if !wrong.is_empty() {
            let named = some(&wrong);
            let summary = format!("pipelines hold long-lived access to clouds: {named}");
            return Ok(Verdict::fail(evidence(summary, &named)));
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(evidence(
                "no secret has the name of a cloud's long-lived key".to_owned(),
                "no such name",
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if base.restricted_subject && !self.restricted_subject {
            return Some("accepts the default subject of identity tokens".to_owned());
        }
        base.patterns
            .beyond(&self.patterns)
            .map(|less| format!("does not look for {less}"))
    }
}

impl CloudAccessWithoutStoredKeys {
    /// Names that definitions hand to jobs, wherever the secrets are kept.
    fn handed(&self, definition: &PipelineDefinition) -> Vec<String> {
        let mut names: Vec<&str> = all_jobs(definition)
            .flat_map(|at| &at.job.secrets)
            .map(String::as_str)
            .filter(|name| self.patterns.mean(name))
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .map(|name| format!("`{name}` is handed to a job"))
            .collect()
    }
}

fn has_own_subject(facts: &Snapshot) -> Result<bool, Unknown> {
    let subject = &facts.settings.pipeline.known()?.oidc_subject;
    Ok(!subject.known()?.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{definition, file, file_of, job, pipeline_of, strict};
    use crate::controls::testing::{hidden, nothing_seen, seen, settings, verdict_of};
    use crate::facts::{Fact, PipelineJob, Secret, SecretScope};

    /// A stored secret, and a job that is handed another one and asks for a token.
    fn with(stored: &str, handed: &str, subject: Fact<Vec<String>>) -> Snapshot {
        let deploy = PipelineJob {
            identity_token: true,
            secrets: vec![handed.to_owned()],
            ..job("deploy")
        };
        settings(|all| {
            all.secrets = seen(vec![Secret {
                name: stored.to_owned(),
                scope: SecretScope::Repository,
                protected: None,
                masked: true,
                updated_at: None,
            }]);
            all.definition = seen(pipeline_of(vec![file("ci.yml", definition(vec![deploy]))]));
            let mut pipeline = strict();
            pipeline.oidc_subject = subject;
            all.pipeline = seen(pipeline);
        })
    }

    fn verdict(facts: &Snapshot) -> String {
        verdict_of(&CloudAccessWithoutStoredKeys::default(), facts)
    }

    fn strict_subject() -> CloudAccessWithoutStoredKeys {
        CloudAccessWithoutStoredKeys {
            restricted_subject: true,
            ..CloudAccessWithoutStoredKeys::default()
        }
    }

    #[test]
    fn secrets_of_other_names_pass() {
        assert_eq!(verdict(&with("NPM_TOKEN", "SENTRY_DSN", hidden())), "pass");
    }

    #[test]
    fn the_key_of_a_cloud_fails_wherever_it_is_kept() {
        assert_eq!(
            verdict(&with("prod_aws_secret_access_key", "X", hidden())),
            "fail"
        );
        assert_eq!(verdict(&with("X", "GCP_SA_KEY", hidden())), "fail");
    }

    #[test]
    fn a_key_that_is_seen_fails_whatever_is_hidden() {
        let mut facts = with("AZURE_CLIENT_SECRET", "X", hidden());
        facts.settings.definition = hidden();
        assert_eq!(verdict(&facts), "fail");
        facts.settings.secrets = hidden();
        assert_eq!(verdict(&facts), "unknown");
    }

    #[test]
    fn a_file_that_cannot_be_read_may_hand_out_a_key() {
        let mut facts = with("X", "Y", hidden());
        facts.settings.definition = seen(pipeline_of(vec![file_of("b.yml", hidden())]));
        assert_eq!(verdict(&facts), "unknown");
        assert_eq!(verdict(&nothing_seen()), "unknown");
    }

    #[test]
    fn a_policy_may_want_a_subject_of_its_own() {
        let control = strict_subject();
        let of = |subject| verdict_of(&control, &with("X", "Y", subject));
        assert_eq!(of(seen(vec!["repo".to_owned()])), "pass");
        assert_eq!(of(seen(Vec::new())), "fail");
        assert_eq!(of(hidden()), "unknown");
        let mut quiet = with("X", "Y", hidden());
        quiet.settings.definition = seen(pipeline_of(Vec::new()));
        assert_eq!(verdict_of(&control, &quiet), "pass");
    }

    #[test]
    fn fewer_names_or_any_subject_are_weaker() {
        let base = CloudAccessWithoutStoredKeys::default();
        let fewer = CloudAccessWithoutStoredKeys {
            patterns: Names::literal(&["*AWS_SECRET*"]),
            ..CloudAccessWithoutStoredKeys::default()
        };
        assert!(fewer.weaker_than(&base).is_some() && base.weaker_than(&fewer).is_none());
        assert!(base.weaker_than(&strict_subject()).is_some());
        assert!(strict_subject().weaker_than(&base).is_none());
    }
}
