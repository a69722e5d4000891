//! PIPE-01: the token of a job may only read unless its definition says more.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// PIPE-01 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JobTokenReadOnly {}

impl Control for JobTokenReadOnly {
    const META: Meta = Meta {
        code: "PIPE-01",
        id: "job-token-read-only",
        title: "the token of a job may only read by default",
        criteria: &[Criterion::Cc6_3, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.8.2", "A.8.25"]),
            (Framework::PciDss, &["6.5.3", "7.2.2"]),
            (Framework::Nist80053, &["AC-6", "CM-7"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineSettings],
        rationale: "Every step of every job holds the token; one bad dependency that can write \
                    with it can change the code and what is released.",
        cheat: "Leaving the default at write and pointing at the definitions that ask for less: \
                the next definition asks for nothing and gets everything. The default itself is \
                judged, and a word that is not known counts as write.",
        remedy_github: "under Settings, Actions, General set \"Workflow permissions\" to \"Read \
                        repository contents and packages permissions\", best for the whole \
                        organisation",
        remedy_gitlab: "under Settings, CI/CD, Job token permissions authorize only the groups and \
                        projects that need it instead of all of them",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let rights = &facts.settings.pipeline.known()?.default_token;
        let known = rights.known()?;
        let evidence = |summary: &str| {
            Evidence::new(
                summary,
                FactKey::PipelineSettings,
                known.word(),
                rights.sources(),
            )
        };
        Ok(if known.can_write() {
            Verdict::fail(evidence("the token of a job may write by default"))
        } else {
            Verdict::Pass(evidence("the token of a job may not write by default"))
        })
    }

    fn weaker_than(&self, _base: &Self) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::pipeline;
    use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
    use crate::facts::{Fact, TokenRights};

    fn verdict(rights: Fact<TokenRights>) -> String {
        let facts = pipeline(|settings| settings.default_token = rights);
        verdict_of(&JobTokenReadOnly {}, &facts)
    }

    #[test]
    fn a_token_that_reads_or_does_nothing_passes() {
        assert_eq!(verdict(seen(TokenRights::Read)), "pass");
        assert_eq!(verdict(seen(TokenRights::None)), "pass");
    }

    #[test]
    fn a_token_that_writes_fails_and_so_does_a_word_that_nobody_knows() {
        assert_eq!(verdict(seen(TokenRights::Write)), "fail");
        assert_eq!(
            verdict(seen(TokenRights::Other("none ".to_owned()))),
            "fail"
        );
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        assert_eq!(verdict(hidden()), "unknown");
        assert_eq!(verdict_of(&JobTokenReadOnly {}, &nothing_seen()), "unknown");
    }
}
