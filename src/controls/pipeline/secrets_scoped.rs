//! PIPE-13: secrets reach only what needs them, logs hide them, and they are young.
//! Their values are not known here.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::names::Names;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Secret, SecretScope, Snapshot, Unknown, Why};

/// Parameters of PIPE-13.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SecretsScoped {
    /// Days after which a secret has to be set anew; `null`: it may stay for ever.
    max_days: Option<u32>,
    /// Patterns of names of secrets that have to belong to an environment.
    #[schemars(with = "Vec<String>")]
    environment_only: Names,
}

impl Default for SecretsScoped {
    fn default() -> Self {
        Self {
            max_days: Some(365),
            environment_only: Names::literal(&["*DEPLOY*", "*PROD*"]),
        }
    }
}

impl Control for SecretsScoped {
    const META: Meta = Meta {
        code: "PIPE-13",
        id: "secrets-scoped",
        title: "secrets of pipelines are protected, masked, scoped and renewed",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.31"]),
            (Framework::PciDss, &["6.5.3", "8.6.3"]),
            (Framework::Nist80053, &["AC-6", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineSecrets],
        rationale: "A secret that every branch gets can be printed by everybody who can push one.",
        cheat: "Protecting one copy of a secret and leaving another of the same name open, or a \
                production key for the whole repository beside an environment that asks for \
                approval. Every secret is judged by itself, wherever it is kept.",
        remedy_github: "move deployment secrets into environments limited to protected branches, \
                        and set secrets anew at least as often as `max_days` says",
        remedy_gitlab: "tick \"Protect variable\" and \"Mask variable\" for every secret variable \
                        and give deployment variables an environment scope; since GitLab does not \
                        say when a variable was set, put `max_days: null` into the policy",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.secrets;
        let now = facts.latest_time();
        none_wrong(
            fact.known()?,
            &Says {
                key: FactKey::PipelineSecrets,
                good: "secrets are protected, masked, scoped and young enough",
                bad: "secrets are open to more than they should be",
            },
            fact.sources(),
            |secret| self.wrong(secret, now),
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let longer = match (self.max_days, base.max_days) {
            (_, None) => false,
            (None, Some(_)) => true,
            (Some(own), Some(base)) => own > base,
        };
        if longer {
            return Some("lets secrets grow older".to_owned());
        }
        base.environment_only
            .beyond(&self.environment_only)
            .map(|less| format!("does not ask for an environment for {less}"))
    }
}

impl SecretsScoped {
    fn wrong(&self, secret: &Secret, now: Timestamp) -> Result<Option<String>, Unknown> {
        let mut wrong = Vec::new();
        if secret.protected == Some(false) {
            wrong.push("every branch gets it".to_owned());
        }
        if !secret.masked {
            wrong.push("logs show it".to_owned());
        }
        if self.environment_only.mean(&secret.name) && !has_environment(secret) {
            wrong.push("it belongs to no environment".to_owned());
        }
        let mut untold = None;
        if let Some(days) = self.max_days {
            match secret.updated_at {
                Some(at) if now.duration_since(at) > span(days) => {
                    wrong.push(format!("older than {days} days"));
                }
                Some(_) => {}
                None => {
                    untold = Some(Unknown::new(
                        FactKey::PipelineSecrets.name(),
                        Why::NotSupported,
                        format!(
                            "when `{}` was last set is not told; `max_days: null` leaves age out",
                            secret.name
                        ),
                    ));
                }
            }
        }
        if !wrong.is_empty() {
            return Ok(Some(format!("`{}` ({})", secret.name, wrong.join(", "))));
        }
        untold.map_or(Ok(None), Err)
    }
}

/// An environment scope of `*` is every environment, and so none.
fn has_environment(secret: &Secret) -> bool {
    match &secret.scope {
        SecretScope::Repository | SecretScope::Organization => false,
        SecretScope::Environment(name) => !name.trim().trim_matches('*').is_empty(),
    }
}

fn span(days: u32) -> SignedDuration {
    SignedDuration::from_hours(i64::from(days) * 24)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{at, nothing_seen, seen, settings, verdict_of};

    fn secret(name: &str) -> Secret {
        Secret {
            name: name.to_owned(),
            scope: SecretScope::Repository,
            protected: Some(true),
            masked: true,
            updated_at: Some(at("2026-01-01T00:00:00Z")),
        }
    }

    fn judged(control: &SecretsScoped, secrets: Vec<Secret>) -> String {
        verdict_of(control, &settings(|all| all.secrets = seen(secrets)))
    }

    fn verdict(secret: Secret) -> String {
        judged(&SecretsScoped::default(), vec![secret])
    }

    #[test]
    fn a_young_protected_masked_secret_passes_and_so_does_having_none() {
        assert_eq!(verdict(secret("API_TOKEN")), "pass");
        assert_eq!(judged(&SecretsScoped::default(), Vec::new()), "pass");
        let unsettable = Secret {
            protected: None,
            ..secret("API_TOKEN")
        };
        assert_eq!(verdict(unsettable), "pass");
    }

    #[test]
    fn an_unprotected_an_unmasked_and_an_old_secret_fail() {
        let open = Secret {
            protected: Some(false),
            ..secret("A")
        };
        let shown = Secret {
            masked: false,
            ..secret("A")
        };
        let old = Secret {
            updated_at: Some(at("2025-05-31T00:00:00Z")),
            ..secret("A")
        };
        assert_eq!(verdict(open), "fail");
        assert_eq!(verdict(shown), "fail");
        assert_eq!(verdict(old), "fail");
    }

    #[test]
    fn a_secret_of_exactly_the_last_day_is_not_too_old() {
        let on_the_day = Secret {
            updated_at: Some(at("2025-06-01T12:00:00Z")),
            ..secret("A")
        };
        assert_eq!(verdict(on_the_day), "pass");
    }

    #[test]
    fn a_deployment_secret_has_to_belong_to_an_environment() {
        let scoped = |scope: SecretScope| Secret {
            scope,
            ..secret("prod_key")
        };
        assert_eq!(verdict(scoped(SecretScope::Repository)), "fail");
        assert_eq!(verdict(scoped(SecretScope::Organization)), "fail");
        assert_eq!(
            verdict(scoped(SecretScope::Environment("*".to_owned()))),
            "fail"
        );
        assert_eq!(
            verdict(scoped(SecretScope::Environment("prod*".to_owned()))),
            "pass"
        );
    }

    #[test]
    fn an_age_that_nobody_tells_is_unknown_unless_the_policy_leaves_it_out() {
        let ageless = || Secret {
            updated_at: None,
            ..secret("A")
        };
        assert_eq!(verdict(ageless()), "unknown");
        let open = Secret {
            masked: false,
            ..ageless()
        };
        assert_eq!(verdict(open), "fail");
        let lax = SecretsScoped {
            max_days: None,
            ..SecretsScoped::default()
        };
        assert_eq!(judged(&lax, vec![ageless()]), "pass");
        assert!(lax.weaker_than(&SecretsScoped::default()).is_some());
        assert!(SecretsScoped::default().weaker_than(&lax).is_none());
    }

    #[test]
    fn more_days_or_fewer_names_are_weaker() {
        let more = SecretsScoped {
            max_days: Some(u32::MAX),
            ..SecretsScoped::default()
        };
        let fewer = SecretsScoped {
            environment_only: Names::default(),
            ..SecretsScoped::default()
        };
        let base = SecretsScoped::default();
        assert!(more.weaker_than(&base).is_some() && fewer.weaker_than(&base).is_some());
        assert_eq!(judged(&more, vec![secret("A")]), "pass");
        assert!(base.weaker_than(&base).is_none());
    }

    #[test]
    fn secrets_that_could_not_be_listed_are_unknown() {
        let nothing = nothing_seen();
        assert_eq!(verdict_of(&SecretsScoped::default(), &nothing), "unknown");
    }
}
