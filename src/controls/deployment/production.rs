//! Which environments are production, and the shape that the judgements over
//! each of them share. What holds a deployment back there it does not judge,
//! but for one thing that several need: whether anybody has to approve at all.

use serde::{Deserialize, Serialize};

use crate::controls::control::{Evidence, FailReason, Verdict};
use crate::controls::globs::Globs;
use crate::controls::judging::{Says, none_wrong};
use crate::facts::{Environment, Environments, Fact, FactKey, Unknown, all_of};

/// Environments that are production where the policy does not say.
const USUAL: [&str; 3] = ["prod*", "production", "live"];

/// The tier that is production whatever the environment is called.
const TIER: &str = "production";

/// What a plan may lack so that nobody can be made to approve a deployment.
pub(super) const APPROVALS: [&str; 3] = [
    "environments",
    "protected environments",
    "required reviewers",
];

/// What a plan may lack so that nothing can limit what is deployed.
pub(super) const REFS: [&str; 3] = [
    "environments",
    "protected environments",
    "deployment branches",
];

/// What a plan may lack so that nothing at all can guard an environment.
pub(super) const GUARDS: [&str; 2] = ["environments", "protected environments"];

/// Globs of the environments that are production.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Production(Globs);

impl Default for Production {
    fn default() -> Self {
        let usual: Vec<String> = USUAL.iter().map(|&glob| glob.to_owned()).collect();
        Self(Globs::try_from(usual).expect("literal globs"))
    }
}

/// The environments that are production.
pub(super) enum Selected<'f> {
    /// None is, and this is what that means.
    Nothing(Verdict),
    /// These, and the others.
    These {
        production: Vec<&'f Environment>,
        others: Vec<&'f Environment>,
    },
}

impl Production {
    /// Tells production from the other environments. Without any there is nothing to
    /// judge, unless the policy says that there has to be one.
    pub(super) fn among<'f>(
        &self,
        environments: &'f Fact<Environments>,
        required: bool,
    ) -> Result<Selected<'f>, Unknown> {
        let known = environments.known()?;
        let (production, others): (Vec<_>, Vec<_>) = known
            .list
            .iter()
            .partition(|environment| self.is(environment));
        if !production.is_empty() {
            return Ok(Selected::These { production, others });
        }
        let evidence = |summary: &str| {
            Evidence::new(
                summary,
                FactKey::DeploymentEnvironments,
                format!("{} environments, none is production", known.list.len()),
                environments.sources(),
            )
        };
        Ok(Selected::Nothing(if required {
            let bad = "no production environment is defined, so nothing holds a deployment back";
            sold(
                Verdict::fail(evidence(bad)),
                &["environments"],
                environments,
            )?
        } else {
            Verdict::NotApplicable(evidence(
                "no environment is production by its tier or by the names in the policy",
            ))
        }))
    }

    fn is(&self, environment: &Environment) -> bool {
        self.0.matches(&environment.name)
            || environment
                .tier
                .as_ref()
                .is_some_and(|tier| tier.eq_ignore_ascii_case(TIER))
    }

    /// Judges each of them: `wrong` gives what is wrong in words, or why that cannot be
    /// told. Where the plan lacks one of `sold_as`, that is the reason of a failure.
    pub(super) fn judge(
        &self,
        required: bool,
        environments: &Fact<Environments>,
        (good, bad): (&str, &str),
        sold_as: &[&str],
        wrong: impl Fn(&Environment) -> Result<Option<String>, Unknown>,
    ) -> Result<Verdict, Unknown> {
        let production = match self.among(environments, required)? {
            Selected::Nothing(verdict) => return Ok(verdict),
            Selected::These { production, .. } => production,
        };
        let says = Says {
            key: FactKey::DeploymentEnvironments,
            good,
            bad,
        };
        let verdict = none_wrong(production, &says, environments.sources(), |environment| {
            let words = wrong(environment)?;
            Ok(words.map(|words| format!("`{}`: {words}", environment.name)))
        })?;
        sold(verdict, sold_as, environments)
    }

    /// In which way less is production, or less is demanded, than in `base`.
    pub(super) fn weaker(&self, required: bool, base: &Self, demanded: bool) -> Option<String> {
        let mut less = Vec::new();
        if let Some(left_out) = base.0.beyond(&self.0) {
            less.push(format!("no longer counts {left_out} as production"));
        }
        if demanded && !required {
            less.push("no longer requires a production environment".to_owned());
        }
        (!less.is_empty()).then(|| less.join(", "))
    }
}

/// The same verdict, but a failure blames the plan if that lacks what it takes.
pub(super) fn sold(
    verdict: Verdict,
    sold_as: &[&str],
    environments: &Fact<Environments>,
) -> Result<Verdict, Unknown> {
    let missing: Vec<&str> = environments
        .known()?
        .not_in_plan
        .iter()
        .map(String::as_str)
        .filter(|feature| sold_as.contains(feature))
        .collect();
    Ok(match verdict {
        Verdict::Fail(mut failure) if !missing.is_empty() => {
            let old = &failure.evidence;
            let summary = format!(
                "{}; the plan does not include {}",
                old.summary(),
                missing.join(", ")
            );
            let seen: Vec<&str> = old
                .observed()
                .iter()
                .map(|observation| observation.value.as_str())
                .collect();
            let key = FactKey::DeploymentEnvironments;
            failure.evidence = Evidence::new(summary, key, seen.join("; "), environments.sources());
            failure.reason = Some(FailReason::Plan);
            Verdict::Fail(failure)
        }
        Verdict::Fail(_) | Verdict::Pass(_) | Verdict::NotApplicable(_) => verdict,
    })
}

/// Whether at least `least` people have to approve a deployment, and who is named.
/// Who asks for none is asked for one.
pub(super) fn approved_by(environment: &Environment, least: u32) -> Fact<bool> {
    let least = least.max(1);
    all_of([
        environment.reviewers.map_ref(|named| !named.is_empty()),
        environment.approvals.map_ref(|count| *count >= least),
    ])
}

/// What is wrong where nobody has to approve: then a rule about approvals binds nobody.
/// `wrong` is the rule's own breach.
pub(super) fn breached(
    environment: &Environment,
    breach: &Fact<bool>,
    words: &str,
) -> Result<Option<String>, Unknown> {
    let approved = approved_by(environment, 1);
    // Either of them settles it, whatever is hidden of the other.
    if breach.known() == Ok(&true) {
        return Ok(Some(words.to_owned()));
    }
    if !*approved.known()? {
        return Ok(Some("nobody has to approve".to_owned()));
    }
    breach.known()?;
    Ok(None)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::controls::testing::{seen, settings};
    use crate::facts::{DeployableRefs, Snapshot};

    /// An environment that two people guard.
    pub(in crate::controls::deployment) fn guarded(name: &str) -> Environment {
        Environment {
            name: name.to_owned(),
            tier: None,
            reviewers: seen(vec!["@ana".to_owned(), "@bob".to_owned()]),
            approvals: seen(1),
            self_review_prevented: seen(true),
            administrators_exempt: seen(false),
            refs: seen(DeployableRefs::ProtectedOnly),
        }
    }

    /// One that nothing guards.
    pub(in crate::controls::deployment) fn open(name: &str) -> Environment {
        Environment {
            name: name.to_owned(),
            tier: None,
            reviewers: seen(Vec::new()),
            approvals: seen(0),
            self_review_prevented: seen(false),
            administrators_exempt: seen(true),
            refs: seen(DeployableRefs::Anything),
        }
    }

    /// These environments, and features that the plan lacks.
    pub(in crate::controls::deployment) fn deployed_to(
        list: Vec<Environment>,
        lacks: &[&str],
    ) -> Snapshot {
        settings(|settings| {
            settings.environments = seen(Environments {
                not_in_plan: lacks.iter().map(|&feature| feature.to_owned()).collect(),
                list,
            });
        })
    }

    fn production(names: &[(&str, Option<&str>)]) -> Vec<String> {
        let list = names
            .iter()
            .map(|&(name, tier)| Environment {
                tier: tier.map(str::to_owned),
                ..open(name)
            })
            .collect();
        let facts = deployed_to(list, &[]);
        match Production::default().among(&facts.settings.environments, false) {
            Ok(Selected::These { production, .. }) => {
                production.iter().map(|one| one.name.clone()).collect()
            }
            Ok(Selected::Nothing(Verdict::NotApplicable(_))) => Vec::new(),
            Ok(Selected::Nothing(other)) => panic!("nothing is required, but {other:?}"),
            Err(unknown) => panic!("everything is seen, but {unknown}"),
        }
    }

    #[test]
    fn names_and_tiers_make_production() {
        let found = production(&[
            ("PROD-eu", None),
            ("live", None),
            ("main-cluster", Some("Production")),
            ("staging", Some("staging")),
            ("preprod", None),
        ]);
        assert_eq!(found, ["PROD-eu", "live", "main-cluster"]);
        assert_eq!(production(&[("staging", None)]), Vec::<String>::new());
    }

    #[test]
    fn counting_less_as_production_is_weaker() {
        let usual = Production::default();
        let fewer = Production(Globs::try_from(vec!["live".to_owned()]).unwrap());
        assert!(fewer.weaker(false, &usual, false).is_some());
        assert!(usual.weaker(false, &fewer, false).is_none());
        assert!(usual.weaker(false, &usual, true).is_some());
        assert!(usual.weaker(true, &usual, false).is_none());
    }
}
