//! PIPE-03: only chosen foreign parts may run in pipelines. Knows the setting;
//! what the definitions bring in today is not looked at.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{AllowedSources, FactKey, Platform, Snapshot, Unknown};

/// Parameters of PIPE-03.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ForeignPartsRestricted {
    /// Whether parts of every creator whom the platform has verified may run. It
    /// verifies who they are, not what they publish.
    verified: bool,
}

impl Control for ForeignPartsRestricted {
    const META: Meta = Meta {
        code: "PIPE-03",
        id: "foreign-parts-restricted",
        title: "only chosen foreign parts may run in pipelines",
        criteria: &[Criterion::Cc9_2, Criterion::Cc6_8],
        frameworks: &[
            (Framework::Iso27001, &["A.5.21", "A.8.25"]),
            (Framework::PciDss, &["6.3.2", "6.5.3"]),
            (Framework::Nist80053, &["SR-3", "CM-7"]),
        ],
        scope: Scope::Repository,
        // GitLab has no such setting; what its definitions include is PIPE-04's business.
        platforms: &[Platform::Github],
        needs: &[FactKey::PipelineSettings],
        rationale: "A foreign action runs with the token and the secrets of the job; anybody may \
                    publish one.",
        cheat: "Switching the list on and writing a pattern into it that means everything. A \
                pattern whose owner is not written out counts as no restriction, since anybody can \
                take a name that fits a star.",
        remedy_github: "under Settings, Actions, General choose \"Allow select actions and reusable \
                        workflows\" and list owners or actions by name, best for the whole \
                        organisation",
        remedy_gitlab: "include only from projects that you trust; there is no setting for it",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.pipeline.known()?.allowed_sources;
        let (wrong, summary) = match fact.known()? {
            AllowedSources::Anything => (true, "any foreign part may run".to_owned()),
            AllowedSources::Other(word) => (
                true,
                format!("the setting `{word}` is not known, so any foreign part may run"),
            ),
            AllowedSources::LocalOnly => (false, "no foreign part may run".to_owned()),
            AllowedSources::Disabled => (false, "pipelines are switched off".to_owned()),
            AllowedSources::Selected {
                platform_owned: _,
                verified,
                patterns,
            } => match patterns.iter().find(|pattern| is_catch_all(pattern)) {
                Some(pattern) => (
                    true,
                    format!("the pattern `{pattern}` lets anybody's parts run"),
                ),
                None if *verified && !self.verified => (
                    true,
                    "parts of every creator whom the platform has verified may run".to_owned(),
                ),
                None => (false, "only listed foreign parts may run".to_owned()),
            },
        };
        let evidence = Evidence::new(
            summary.clone(),
            FactKey::PipelineSettings,
            summary,
            fact.sources(),
        );
        Ok(if wrong {
            Verdict::fail(evidence)
        } else {
            Verdict::Pass(evidence)
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.verified && !base.verified).then(|| "lets parts of verified creators run".to_owned())
    }
}

/// Whether the owner is left open. A pattern that takes parts away is none.
fn is_catch_all(pattern: &str) -> bool {
    let pattern = pattern.trim();
    let owner = pattern.split(['/', '@']).next().unwrap_or_default();
    !pattern.starts_with('!') && (owner.is_empty() || owner.contains(['*', '?', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::pipeline::testing::pipeline;
    use crate::controls::testing::{hidden, nothing_seen, seen, verdict_of};
    use crate::facts::Fact;

    fn verdict(control: &ForeignPartsRestricted, sources: Fact<AllowedSources>) -> String {
        verdict_of(
            control,
            &pipeline(|settings| settings.allowed_sources = sources),
        )
    }

    fn of(sources: AllowedSources) -> String {
        verdict(&ForeignPartsRestricted::default(), seen(sources))
    }

    fn selected(verified: bool, patterns: &[&str]) -> AllowedSources {
        AllowedSources::Selected {
            platform_owned: true,
            verified,
            patterns: patterns.iter().map(|&text| text.to_owned()).collect(),
        }
    }

    #[test]
    fn own_parts_listed_parts_and_no_pipelines_pass() {
        assert_eq!(of(AllowedSources::LocalOnly), "pass");
        assert_eq!(of(AllowedSources::Disabled), "pass");
        assert_eq!(
            of(selected(false, &["acme/*", "docker/login-action@*"])),
            "pass"
        );
        assert_eq!(of(selected(false, &["!*/evil"])), "pass");
    }

    #[test]
    fn anything_fails_and_so_does_a_word_that_nobody_knows() {
        assert_eq!(of(AllowedSources::Anything), "fail");
        assert_eq!(of(AllowedSources::Other("local".to_owned())), "fail");
    }

    #[test]
    fn a_list_that_means_everything_is_no_list() {
        for pattern in ["*", "*/*", "**", "*@*", "*/checkout", " */* ", "a*/x", ""] {
            assert_eq!(
                of(selected(false, &["acme/*", pattern])),
                "fail",
                "{pattern}"
            );
        }
    }

    #[test]
    fn verified_creators_pass_only_where_the_policy_says_so() {
        assert_eq!(of(selected(true, &[])), "fail");
        let lax = ForeignPartsRestricted { verified: true };
        assert_eq!(verdict(&lax, seen(selected(true, &[]))), "pass");
        assert!(
            lax.weaker_than(&ForeignPartsRestricted::default())
                .is_some()
        );
        assert!(
            ForeignPartsRestricted::default()
                .weaker_than(&lax)
                .is_none()
        );
    }

    #[test]
    fn what_could_not_be_read_is_unknown() {
        let control = ForeignPartsRestricted::default();
        assert_eq!(verdict(&control, hidden()), "unknown");
        assert_eq!(verdict_of(&control, &nothing_seen()), "unknown");
    }
}
