//! PIPE-07: what runs for a change from a fork waits for somebody, and gets
//! neither secrets nor a token that writes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, ForkRuns, Platform, Snapshot, Unknown};

/// Parameters of PIPE-07.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForkRunsHeld {
    /// Whether the runs of every outsider have to wait; if not, it is enough that
    /// those of newcomers do.
    everybody: bool,
}

impl Default for ForkRunsHeld {
    fn default() -> Self {
        Self { everybody: true }
    }
}

impl Control for ForkRunsHeld {
    const META: Meta = Meta {
        code: "PIPE-07",
        id: "fork-runs-held",
        title: "pipelines for changes from forks are held back and get no secrets",
        criteria: &[Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.25", "A.8.31"]),
            (Framework::PciDss, &["6.4.3", "6.5.3"]),
            (Framework::Nist80053, &["SI-7", "CM-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineSettings],
        rationale: "A change from a fork is code of a stranger; running it at once, with secrets, \
                    hands them over.",
        cheat: "Holding back only the very first change of a new account: one mended typing error \
                later everything runs. Unless the policy says otherwise every outsider has to wait.",
        remedy_github: "under Settings, Actions, General choose \"Require approval for all external \
                        contributors\", and send neither write tokens nor secrets to workflows from \
                        forks",
        remedy_gitlab: "under Settings, CI/CD, General pipelines do not run pipelines for merge \
                        requests from forks in the parent project, and protect the variables",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.pipeline.known()?.fork_runs;
        let runs = fact.known()?;
        let wrong = self.wrong(runs);
        let evidence = |summary: String| {
            let seen = match (&runs.approval, runs.run) {
                (_, false) => "no runs".to_owned(),
                (Some(word), true) => format!("approval: {word}"),
                (None, true) => "approval: nobody's".to_owned(),
            };
            Evidence::new(summary, FactKey::PipelineSettings, seen, fact.sources())
        };
        if !wrong.is_empty() {
            let summary = format!("for changes from forks {}", wrong.join(" and "));
            return Ok(Verdict::fail(evidence(summary)));
        }
        let good = if runs.run {
            "what runs for changes from forks waits for approval and gets no secrets"
        } else {
            "nothing runs for changes from forks"
        };
        Ok(Verdict::Pass(evidence(good.to_owned())))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (base.everybody && !self.everybody)
            .then(|| "holds back the runs of newcomers only".to_owned())
    }
}

impl ForkRunsHeld {
    fn wrong(&self, runs: &ForkRuns) -> Vec<&'static str> {
        if !runs.run {
            return Vec::new();
        }
        let held = runs.everybody_waits || (!self.everybody && runs.approval.is_some());
        [
            (!held, "pipelines run without approval"),
            (runs.secrets, "secrets are handed out"),
            (runs.write_token, "the token may write"),
        ]
        .into_iter()
        .filter_map(|(is_so, words)| is_so.then_some(words))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::pipeline;
    use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};

    fn with(change: impl FnOnce(&mut ForkRuns)) -> Snapshot {
        let mut runs = ForkRuns {
            run: true,
            approval: Some("first_time_contributors".to_owned()),
            everybody_waits: true,
            secrets: false,
            write_token: false,
        };
        change(&mut runs);
        pipeline(|settings| settings.fork_runs = seen(runs))
    }

    fn verdict(change: impl FnOnce(&mut ForkRuns)) -> String {
        verdict_of(&ForkRunsHeld::default(), &with(change))
    }

    #[test]
    fn runs_that_wait_and_get_nothing_pass() {
        assert_eq!(verdict(|_| {}), "pass");
    }

    #[test]
    fn where_nothing_runs_nothing_has_to_wait() {
        let nothing = verdict(|runs| {
            runs.run = false;
            runs.everybody_waits = false;
            runs.secrets = true;
        });
        assert_eq!(nothing, "pass");
    }

    #[test]
    fn secrets_or_a_token_that_writes_fail_even_behind_an_approval() {
        assert_eq!(verdict(|runs| runs.secrets = true), "fail");
        assert_eq!(verdict(|runs| runs.write_token = true), "fail");
    }

    #[test]
    fn holding_back_newcomers_only_fails_unless_the_policy_is_content_with_it() {
        let newcomers = |runs: &mut ForkRuns| runs.everybody_waits = false;
        assert_eq!(verdict(newcomers), "fail");
        let lax = ForkRunsHeld { everybody: false };
        assert_eq!(verdict_of(&lax, &with(newcomers)), "pass");
        let nobody = with(|runs| {
            runs.everybody_waits = false;
            runs.approval = None;
        });
        assert_eq!(verdict_of(&lax, &nobody), "fail");
        assert!(lax.weaker_than(&ForkRunsHeld::default()).is_some());
        assert!(ForkRunsHeld::default().weaker_than(&lax).is_none());
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let control = ForkRunsHeld::default();
        let facts = pipeline(|settings| settings.fork_runs = hidden());
        assert_eq!(verdict_of(&control, &facts), "unknown");
        assert_eq!(verdict_of(&control, &nothing_seen()), "unknown");
    }
}
