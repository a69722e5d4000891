//! PIPE-05: each job has its rights written out, and no more than it needs. Which
//! it needs is not known here; blanket rights and the strong ones are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::jobs::{JobAt, all_jobs, unread};
use super::names::{beyond, is_among};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, TokenRights, Unknown};

/// Parameters of PIPE-05.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobRightsLeast {
    /// Scopes that a job may write to if its definition says so, e.g. `packages`.
    allowed: Vec<String>,
}

impl Default for JobRightsLeast {
    fn default() -> Self {
        let scopes = [
            "attestations",
            "id-token",
            "packages",
            "pages",
            "security-events",
        ];
        Self {
            allowed: scopes.map(str::to_owned).to_vec(),
        }
    }
}

impl Control for JobRightsLeast {
    const META: Meta = Meta {
        code: "PIPE-05",
        id: "job-rights-least",
        title: "each job has its rights written out and no more than it needs",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.25"]),
            (Framework::PciDss, &["6.5.3", "7.2.2"]),
            (Framework::Nist80053, &["AC-6", "CM-7"]),
        ],
        scope: Scope::Repository,
        // Definitions of GitLab do not say what a job's token may do.
        platforms: &[Platform::Github],
        needs: &[FactKey::PipelineDefinition],
        rationale: "What a job may do should be readable in the change that adds the job, and \
                    stolen tokens should be worth little.",
        cheat: "Writing `write-all`, or listing every scope with `write` so that it looks \
                deliberate. Only the scopes that the policy allows may be written to, and a level \
                that is not known counts as write.",
        remedy_github: "put `permissions: {}` on top of every workflow and give each job only the \
                        scopes that it uses; name scopes that may be written to in the policy under \
                        `allowed`",
        remedy_gitlab: "limit what job tokens may do under Settings, CI/CD, Job token permissions",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.definition;
        let definition = fact.known()?;
        let key = FactKey::PipelineDefinition;
        if definition.files.is_empty() {
            return Ok(Verdict::NotApplicable(Evidence::new(
                "there is no definition of a pipeline",
                key,
                "no file",
                fact.sources(),
            )));
        }
        let wrong: Vec<String> = all_jobs(definition)
            .filter_map(|at| self.too_much(&at))
            .collect();
        if !wrong.is_empty() {
            return Ok(Verdict::fail(Evidence::new(
                format!("jobs have more rights than they should: {}", some(&wrong)),
                key,
                some(&wrong),
                fact.sources(),
            )));
        }
        if let Some(unknown) = unread(definition) {
            return Err(unknown);
        }
        let count = all_jobs(definition).count();
        Ok(Verdict::Pass(Evidence::new(
            "each job has its rights written out, none of them blanket",
            key,
            format!("{count} jobs looked at"),
            fact.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        beyond(&self.allowed, &base.allowed).map(|more| format!("lets jobs write to {more}"))
    }
}

impl JobRightsLeast {
    /// What is too much about the rights of a job.
    fn too_much(&self, at: &JobAt<'_>) -> Option<String> {
        let name = at.named();
        let Some(token) = &at.job.token else {
            return Some(format!("{name} does not say which rights it needs"));
        };
        let strong: Vec<&str> = at
            .job
            .rights
            .iter()
            .map(String::as_str)
            .filter(|right| self.is_too_strong(right))
            .collect();
        if !strong.is_empty() {
            return Some(format!("{name} has {}", strong.join(", ")));
        }
        let blanket = at.job.rights.is_empty() && token.can_write();
        blanket.then(|| format!("{name} may {} everything", word(token)))
    }

    fn is_too_strong(&self, right: &str) -> bool {
        match right.split_once(':') {
            Some((scope, level)) => {
                !matches!(level.trim(), "read" | "none") && !is_among(&self.allowed, scope.trim())
            }
            None => right.trim() != "read-all",
        }
    }
}

fn word(token: &TokenRights) -> &str {
    match token {
        TokenRights::None | TokenRights::Read | TokenRights::Write => token.word(),
        TokenRights::Other(_) => "do",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::{defined, definition, file, file_of, job};
    use crate::controls::testing::{hidden, nothing_seen, verdict_of};

    fn with(token: Option<TokenRights>, rights: &[&str]) -> Snapshot {
        let mut one = job("build");
        one.token = token;
        one.rights = rights.iter().map(|&text| text.to_owned()).collect();
        defined(vec![file("ci.yml", definition(vec![job("ok"), one]))])
    }

    fn verdict(token: Option<TokenRights>, rights: &[&str]) -> String {
        verdict_of(&JobRightsLeast::default(), &with(token, rights))
    }

    #[test]
    fn written_rights_that_only_read_pass() {
        assert_eq!(verdict(Some(TokenRights::None), &[]), "pass");
        assert_eq!(verdict(Some(TokenRights::Read), &["read-all"]), "pass");
        let rights = ["contents: read", "actions: none", "id-token: write"];
        assert_eq!(verdict(Some(TokenRights::Write), &rights), "pass");
    }

    #[test]
    fn a_job_that_says_nothing_fails() {
        assert_eq!(verdict(None, &[]), "fail");
    }

    #[test]
    fn blanket_rights_fail_however_they_are_written() {
        assert_eq!(verdict(Some(TokenRights::Write), &[]), "fail");
        assert_eq!(verdict(Some(TokenRights::Write), &["write-all"]), "fail");
        assert_eq!(verdict(Some(TokenRights::Read), &["write-all"]), "fail");
        assert_eq!(
            verdict(Some(TokenRights::Other("all".to_owned())), &[]),
            "fail"
        );
    }

    #[test]
    fn a_scope_that_the_policy_does_not_allow_fails_in_any_word() {
        assert_eq!(
            verdict(Some(TokenRights::Write), &["contents: write"]),
            "fail"
        );
        assert_eq!(
            verdict(Some(TokenRights::Read), &["contents: admin"]),
            "fail"
        );
        let own = JobRightsLeast {
            allowed: vec!["contents".to_owned()],
        };
        let facts = with(Some(TokenRights::Write), &["contents: write"]);
        assert_eq!(verdict_of(&own, &facts), "pass");
        assert!(own.weaker_than(&JobRightsLeast::default()).is_some());
        let none = JobRightsLeast {
            allowed: Vec::new(),
        };
        assert!(none.weaker_than(&JobRightsLeast::default()).is_none());
    }

    #[test]
    fn a_file_that_cannot_be_read_leaves_it_unknown_unless_another_one_is_wrong() {
        let control = JobRightsLeast::default();
        let good = || file("ci.yml", definition(vec![job("ok")]));
        let facts = defined(vec![good(), file_of("b.yml", hidden())]);
        assert_eq!(verdict_of(&control, &facts), "unknown");
        let mut loud = job("loud");
        loud.token = None;
        let bad = file("c.yml", definition(vec![loud]));
        let facts = defined(vec![file_of("b.yml", hidden()), bad]);
        assert_eq!(verdict_of(&control, &facts), "fail");
        assert_eq!(verdict_of(&control, &nothing_seen()), "unknown");
        assert_eq!(verdict_of(&control, &defined(Vec::new())), "not_applicable");
    }
}
