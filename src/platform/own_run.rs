//! The run that judges, as its CI names it: where people may have approved an override. Handed the
//! variables; reads none by itself.

use std::collections::BTreeMap;

use crate::facts::Platform;

/// The run that judges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnRun {
    /// A workflow run of GitHub's, by its number.
    Workflow(u64),
    /// A job of GitLab's that deploys.
    Job {
        /// Its number.
        id: u64,
        /// The environment that it deploys to.
        environment: String,
    },
}

impl OwnRun {
    /// From the CI's variables. `None`: it is no such run, or deploys nowhere. Who names another run
    /// there names another run's approvals, which count only with the id of the override and for its
    /// head.
    pub fn of(platform: Platform, env: &BTreeMap<String, String>) -> Option<Self> {
        let number = |name: &str| env.get(name)?.parse().ok();
        match platform {
            Platform::Github => number("GITHUB_RUN_ID").map(Self::Workflow),
            Platform::Gitlab => Some(Self::Job {
                id: number("CI_JOB_ID")?,
                environment: env
                    .get("CI_ENVIRONMENT_NAME")
                    .filter(|name| !name.is_empty())?
                    .clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(platform: Platform, variables: &[(&str, &str)]) -> Option<OwnRun> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        OwnRun::of(platform, &variables.iter().map(owned).collect())
    }

    #[test]
    fn a_run_is_named_by_its_own_platforms_variables_and_no_others() {
        let both = [
            ("GITHUB_RUN_ID", "7"),
            ("CI_JOB_ID", "9"),
            ("CI_ENVIRONMENT_NAME", "change-override"),
        ];
        assert_eq!(of(Platform::Github, &both), Some(OwnRun::Workflow(7)));
        let job = OwnRun::Job {
            id: 9,
            environment: "change-override".to_owned(),
        };
        assert_eq!(of(Platform::Gitlab, &both), Some(job));
        for variables in [
            &[][..],
            &both[..1],
            &both[..2],
            &both[2..],
            &[("CI_JOB_ID", "9"), ("CI_ENVIRONMENT_NAME", "")],
            &[("CI_JOB_ID", ""), ("CI_ENVIRONMENT_NAME", "x")],
            &[("CI_JOB_ID", "9/../8"), ("CI_ENVIRONMENT_NAME", "x")],
        ] {
            assert_eq!(of(Platform::Gitlab, variables), None, "{variables:?}");
        }
        assert_eq!(of(Platform::Github, &both[1..]), None);
    }
}
