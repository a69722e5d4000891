//! DEP-07: production has a guard of its own, and no secret that other
//! environments have too. Whether two secrets of different names hold the same
//! value, nobody can see.

use std::collections::BTreeSet;

use globset::GlobBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::production::{GUARDS, Production, Selected, sold};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::globs::Globs;
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    DeployableRefs, Environment, Fact, FactKey, Platform, Secret, SecretScope, Snapshot, Unknown,
    all_of, any_of,
};

/// Parameters of DEP-07.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct EnvironmentsSeparated {
    /// Globs of the environments that are production, beside those of that tier.
    #[schemars(with = "Vec<String>")]
    production: Production,
    /// Whether there has to be a production environment.
    required: bool,
    /// Globs of the secrets that may reach production and other environments alike,
    /// because they open nothing in production, e.g. `CODECOV_TOKEN`.
    #[schemars(with = "Vec<String>")]
    shared_secrets: Globs,
}

impl Control for EnvironmentsSeparated {
    const META: Meta = Meta {
        code: "DEP-07",
        id: "environments-separated",
        title: "production shares neither its guard nor a secret with other environments",
        criteria: &[Criterion::Cc6_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.31"]),
            (Framework::PciDss, &["6.5.3", "6.5.4"]),
            (Framework::Nist80053, &["AC-5", "CM-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::DeploymentEnvironments, FactKey::PipelineSecrets],
        rationale: "Environments are separate only if what opens one does not open the other. A \
                    secret of the whole repository reaches every job, so production has to keep its \
                    own; and whoever may deploy to a test system must not thereby be free to deploy \
                    to production, so its reviewers or the branches it takes have to be its own.",
        cheat: "Keeping the production credential as a secret of the repository, or under a pattern \
                that fits other environments, while an empty environment of that name looks well. \
                Every secret counts by what it reaches; an environment that nothing guards is \
                guarded like none.",
        remedy_github: "move secrets from the repository to their environment, and give production \
                        required reviewers or deployment branches of its own; name harmless secrets \
                        in the policy under `shared_secrets`",
        remedy_gitlab: "set the \"Environment scope\" of every variable, and protect the production \
                        environment with approvers of its own; name harmless variables in the \
                        policy under `shared_secrets`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let environments = &facts.settings.environments;
        let secrets = &facts.settings.secrets;
        let (production, others) = match self.production.among(environments, self.required)? {
            Selected::Nothing(verdict) => return Ok(verdict),
            Selected::These { production, others } => (production, others),
        };
        let mut wrong = Vec::new();
        let mut hidden = None;
        for one in &production {
            match guarded_apart(one, &others).known() {
                Ok(true) => {}
                Ok(false) if others.is_empty() => {
                    wrong.push(format!("nothing guards `{}`", one.name));
                }
                Ok(false) => wrong.push(format!(
                    "`{}` has no guard that every other environment lacks",
                    one.name
                )),
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        // What the plan lacks explains a missing guard. It explains no shared secret, and
        // no secrets that were not seen.
        let mut sold_as: &[&str] = &GUARDS;
        match secrets.known() {
            Ok(secrets) => {
                let shared = secrets
                    .iter()
                    .filter(|secret| !self.shared_secrets.matches(&secret.name))
                    .filter(|secret| reaches_both(secret, &production, &others));
                for secret in shared {
                    sold_as = &[];
                    let name = &secret.name;
                    wrong.push(format!("the secret `{name}` reaches production and more"));
                }
            }
            Err(unknown) => {
                sold_as = &[];
                hidden = hidden.or(Some(unknown));
            }
        }
        let evidence = |summary: String| {
            let names: Vec<String> = production.iter().map(|one| one.name.clone()).collect();
            let of = |count: Result<usize, Unknown>| {
                count.map_or_else(|_| "not seen".to_owned(), |count| count.to_string())
            };
            Evidence::new(
                summary,
                FactKey::DeploymentEnvironments,
                format!("production: {}; others: {}", some(&names), others.len()),
                environments.sources(),
            )
            .and(
                FactKey::PipelineSecrets,
                format!("secrets: {}", of(secrets.known().map(Vec::len))),
                secrets.sources(),
            )
        };
        if !wrong.is_empty() {
            let wrong = some(&wrong);
            let verdict = Verdict::fail(evidence(format!("production is not separated: {wrong}")));
            return sold(verdict, sold_as, environments);
        }
        match hidden {
            Some(unknown) => Err(unknown),
            None => Ok(Verdict::Pass(evidence(
                "production shares neither its guard nor a secret with other environments"
                    .to_owned(),
            ))),
        }
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let more = self
            .shared_secrets
            .beyond(&base.shared_secrets)
            .map(|names| format!("lets {names} be shared"));
        let less = self
            .production
            .weaker(self.required, &base.production, base.required);
        let all: Vec<String> = more.into_iter().chain(less).collect();
        (!all.is_empty()).then(|| all.join(", "))
    }
}

/// Whether production has reviewers or branches that guard it and that each of the
/// others lacks.
fn guarded_apart(production: &Environment, others: &[&Environment]) -> Fact<bool> {
    let reviewers = reviewers(production);
    let refs = refs(production);
    let guards = any_of([
        reviewers.map_ref(|named| !named.is_empty()),
        refs.map_ref(limits),
    ]);
    let apart = others.iter().map(|other| {
        any_of([
            own(
                &reviewers,
                |named| !named.is_empty(),
                &self::reviewers(other),
            ),
            own(&refs, limits, &self::refs(other)),
        ])
    });
    all_of(std::iter::once(guards).chain(apart))
}

/// Whether it guards, and is another one than `theirs`.
fn own<T: PartialEq>(mine: &Fact<T>, guards: impl Fn(&T) -> bool, theirs: &Fact<T>) -> Fact<bool> {
    let differs = match (mine, theirs) {
        (Fact::Known { value: mine, .. }, Fact::Known { value, sources }) => {
            Fact::seen_in(mine != value, sources.clone())
        }
        (Fact::Unknown(unknown), Fact::Known { .. } | Fact::Unknown(_))
        | (Fact::Known { .. }, Fact::Unknown(unknown)) => Fact::Unknown(unknown.clone()),
    };
    all_of([mine.map_ref(guards), differs])
}

/// Those who have to approve, in no order; nobody where no approval is needed.
fn reviewers(environment: &Environment) -> Fact<BTreeSet<String>> {
    match (&environment.approvals, &environment.reviewers) {
        (Fact::Known { value: 0, sources }, Fact::Known { .. } | Fact::Unknown(_)) => {
            Fact::seen_in(BTreeSet::new(), sources.clone())
        }
        (Fact::Known { .. }, named) => {
            named.map_ref(|named| named.iter().map(|name| name.to_lowercase()).collect())
        }
        (Fact::Unknown(unknown), Fact::Known { value, sources }) => {
            if value.is_empty() {
                Fact::seen_in(BTreeSet::new(), sources.clone())
            } else {
                Fact::Unknown(unknown.clone())
            }
        }
        (Fact::Unknown(unknown), Fact::Unknown(_)) => Fact::Unknown(unknown.clone()),
    }
}

/// What may be deployed, patterns in no order and each once.
fn refs(environment: &Environment) -> Fact<DeployableRefs> {
    environment.refs.map_ref(|refs| match refs {
        DeployableRefs::Anything => DeployableRefs::Anything,
        DeployableRefs::ProtectedOnly => DeployableRefs::ProtectedOnly,
        DeployableRefs::Patterns(patterns) => {
            let sorted: BTreeSet<&String> = patterns.iter().collect();
            DeployableRefs::Patterns(sorted.into_iter().cloned().collect())
        }
    })
}

/// Whether not just anything may be deployed.
fn limits(refs: &DeployableRefs) -> bool {
    match refs {
        DeployableRefs::Anything => false,
        DeployableRefs::ProtectedOnly => true,
        DeployableRefs::Patterns(patterns) => {
            !patterns.iter().any(|pattern| is_everything(pattern))
        }
    }
}

/// Whether a secret can be read in production and elsewhere.
fn reaches_both(secret: &Secret, production: &[&Environment], others: &[&Environment]) -> bool {
    match &secret.scope {
        SecretScope::Repository | SecretScope::Organization => true,
        SecretScope::Environment(scope) => {
            is_everything(scope) || (reaches_any(scope, production) && reaches_any(scope, others))
        }
    }
}

/// Whether a scope, a name or a pattern with `*`, covers one of these. What cannot be
/// read as a pattern counts as one that covers everything.
fn reaches_any(scope: &str, environments: &[&Environment]) -> bool {
    let parts: Vec<String> = scope.split('*').map(globset::escape).collect();
    let glob = GlobBuilder::new(&parts.join("*"))
        .case_insensitive(true)
        .literal_separator(false)
        .build();
    match glob {
        Ok(glob) => {
            let matcher = glob.compile_matcher();
            environments.iter().any(|one| matcher.is_match(&one.name))
        }
        Err(_) => !environments.is_empty(),
    }
}

/// Whether a pattern leaves nothing out.
fn is_everything(pattern: &str) -> bool {
    pattern.contains('*') && pattern.chars().all(|letter| matches!(letter, '*' | '/'))
}

#[cfg(test)]
mod tests;
