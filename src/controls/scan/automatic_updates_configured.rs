//! SCAN-15: a bot is told to update the dependencies. What its configuration says,
//! and whether the bot runs, is not seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};

/// Parameters of SCAN-15.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AutomaticUpdatesConfigured {
    /// Paths of configurations; one of them has to stand on the target branch, letter
    /// for letter.
    files: Vec<String>,
}

/// Where the bots look, by their manuals:
/// <https://docs.github.com/code-security/dependabot/dependabot-version-updates/configuration-options-for-the-dependabot.yml-file>,
/// <https://docs.renovatebot.com/configuration-options/>.
const FILES: &[&str] = &[
    ".github/dependabot.yml",
    ".github/dependabot.yaml",
    ".gitlab/dependabot.yml",
    "renovate.json",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".gitlab/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.json5",
];

impl Default for AutomaticUpdatesConfigured {
    fn default() -> Self {
        Self {
            files: FILES.iter().map(|&path| path.to_owned()).collect(),
        }
    }
}

impl Control for AutomaticUpdatesConfigured {
    const META: Meta = Meta {
        code: "SCAN-15",
        id: "automatic-updates-configured",
        title: "automatic updates of the dependencies are configured",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8", "A.8.19"]),
            (Framework::PciDss, &["6.3.3"]),
            (Framework::Nist80053, &["SI-2"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositoryPaths],
        rationale: "A fix that waits for somebody to remember it comes late; a bot proposes it the \
                    day it is out.",
        cheat: "Committing an empty configuration, one for a bot that is not installed, or one in a \
                folder where no bot looks. Only the places where a bot looks on the target branch \
                count; what stands in the file is not read, so keep it among the sensitive paths.",
        remedy_github: "commit `.github/dependabot.yml` with one entry for each package ecosystem, or \
                        the configuration of another bot such as Renovate",
        remedy_gitlab: "commit `renovate.json` and let Renovate run on a schedule, or name the \
                        configuration of another bot in `files`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.settings.paths;
        let paths = fact.known()?;
        let found = self.files.iter().find(|file| paths.contains(file));
        let evidence = |summary: String, seen: String| {
            Evidence::new(summary, FactKey::RepositoryPaths, seen, fact.sources())
        };
        Ok(match found {
            Some(file) => {
                let words = format!("`{file}` configures automatic updates");
                Verdict::Pass(evidence(words, file.clone()))
            }
            None => Verdict::fail(evidence(
                "no configuration of automatic updates stands on the target branch".to_owned(),
                format!("{} paths, none of them one", paths.len()),
            )),
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let more = self.files.iter().find(|file| !base.files.contains(file))?;
        Some(format!("takes `{more}` for a configuration as well"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};

    fn verdict(paths: &[&str]) -> String {
        let facts = settings(|settings| {
            settings.paths = seen(paths.iter().map(|&path| path.to_owned()).collect());
        });
        verdict_of(&AutomaticUpdatesConfigured::default(), &facts)
    }

    #[test]
    fn each_configuration_that_a_bot_reads_passes() {
        for path in FILES {
            assert_eq!(verdict(&["src/lib.rs", path]), "pass", "{path}");
        }
    }

    /// The cheat: a file that looks like one and that no bot reads.
    #[test]
    fn nothing_and_a_file_that_no_bot_reads_fail() {
        assert_eq!(verdict(&[]), "fail");
        for path in [
            "dependabot.yml",
            "docs/.github/dependabot.yml",
            ".github/Dependabot.yml",
            ".github/dependabot.yml.bak",
            ".github/dependabot\u{200b}.yml",
            "web/renovate.json",
        ] {
            assert_eq!(verdict(&[path]), "fail", "{path}");
        }
    }

    #[test]
    fn hidden_paths_are_unknown() {
        let facts = settings(|settings| settings.paths = hidden());
        let control = AutomaticUpdatesConfigured::default();
        assert_eq!(verdict_of(&control, &facts), "unknown");
    }

    #[test]
    fn another_file_that_counts_is_weaker() {
        let base = AutomaticUpdatesConfigured::default();
        let own = AutomaticUpdatesConfigured {
            files: vec!["README.md".to_owned()],
        };
        let fewer = AutomaticUpdatesConfigured {
            files: vec![".renovaterc".to_owned()],
        };
        assert!(own.weaker_than(&base).is_some());
        assert!(fewer.weaker_than(&base).is_none());
    }
}
