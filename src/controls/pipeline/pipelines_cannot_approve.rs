//! PIPE-02: a pipeline cannot approve a change.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// PIPE-02 has no parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PipelinesCannotApprove {}

impl Control for PipelinesCannotApprove {
    const META: Meta = Meta {
        code: "PIPE-02",
        id: "pipelines-cannot-approve",
        title: "pipelines cannot approve changes",
        criteria: &[Criterion::Cc5_1, Criterion::Cc8_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.3", "A.8.32"]),
            (Framework::PciDss, &["6.2.3.1", "6.5.4"]),
            (Framework::Nist80053, &["AC-5", "CM-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::PipelineSettings],
        rationale: "Whoever can edit a pipeline could let it approve their own change, and the \
                    approval would look like a second person's.",
        cheat: "Allowing it for a bot that only merges updates: the same token is handed to every \
                other job too. The setting is judged, not what it is used for today.",
        remedy_github: "under Settings, Actions, General turn \"Allow GitHub Actions to create and \
                        approve pull requests\" off, best for the whole organisation",
        remedy_gitlab: "take users of bots and of access tokens out of the approval rules and give \
                        them a role that may not approve",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let can = &facts.settings.pipeline.known()?.can_approve;
        let evidence = |summary: &str, value: &str| {
            Evidence::new(summary, FactKey::PipelineSettings, value, can.sources())
        };
        Ok(if *can.known()? {
            Verdict::fail(evidence("a pipeline may approve changes", "allowed"))
        } else {
            Verdict::Pass(evidence("no pipeline can approve a change", "not allowed"))
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
    use crate::facts::Fact;

    fn verdict(can: Fact<bool>) -> String {
        let facts = pipeline(|settings| settings.can_approve = can);
        verdict_of(&PipelinesCannotApprove {}, &facts)
    }

    #[test]
    fn pipelines_that_cannot_approve_pass_and_others_fail() {
        assert_eq!(verdict(seen(false)), "pass");
        assert_eq!(verdict(seen(true)), "fail");
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        assert_eq!(verdict(hidden()), "unknown");
        let nothing = nothing_seen();
        assert_eq!(verdict_of(&PipelinesCannotApprove {}, &nothing), "unknown");
    }
}
