//! ORG-13: apps that can change something, or reach every repository, are approved
//! by name. What an app does with what it reads is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::allowances::{more, names};
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, none_wrong, some};
use crate::criteria::{Criterion, Framework};
use crate::facts::{AppInstallation, FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-13.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AppsApproved {
    /// Names of apps and integrations that may change something or reach every
    /// repository, as the platform shows them, e.g. `renovate`.
    approved: Vec<String>,
}

const KEY: FactKey = FactKey::OrganizationApps;

impl Control for AppsApproved {
    const META: Meta = Meta {
        code: "ORG-13",
        id: "apps-approved",
        title: "apps that can write or reach every repository are approved",
        criteria: &[Criterion::Cc6_3, Criterion::Cc9_2],
        frameworks: &[
            (Framework::Iso27001, &["A.5.15", "A.8.2"]),
            (Framework::PciDss, &["7.2.2", "7.2.5"]),
            (Framework::Nist80053, &["AC-3", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "An app acts with its maker's care, day and night; what it may write, whoever \
                    breaks into its maker may write too.",
        cheat: "Naming an app like one that is approved, or suspending it while somebody looks. \
                Names count whole, every app that is suspended is mentioned, and it is judged again \
                on the day it is let back in.",
        remedy_github: "in the organisation's Settings, GitHub Apps, limit the app to selected \
                        repositories and to reading, remove it, or name it under `approved`",
        remedy_gitlab: "in the group's Settings, Integrations, remove the integration or name it \
                        under `approved`",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let apps = &facts.settings.app_installations;
        let says = Says {
            key: KEY,
            good: "every app that can write or reaches every repository is approved",
            bad: "apps that nobody approved",
        };
        let all = apps.known()?;
        let judged = none_wrong(all, &says, apps.sources(), |app| Ok(self.wrong(app)))?;
        let suspended: Vec<String> = all
            .iter()
            .filter(|app| app.suspended)
            .map(|app| app.name.clone())
            .collect();
        Ok(match judged {
            Verdict::Pass(evidence) if !suspended.is_empty() => Verdict::Pass(Evidence::and(
                evidence,
                KEY,
                format!("suspended, not judged: {}", some(&suspended)),
                apps.sources(),
            )),
            other => other,
        })
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        more(&self.approved, &base.approved).map(|apps| format!("approves {apps}"))
    }
}

impl AppsApproved {
    fn wrong(&self, app: &AppInstallation) -> Option<String> {
        if app.suspended || names(&self.approved, &app.name) {
            return None;
        }
        let reach = match (app.can_write, app.all_repositories) {
            (false, false) => return None,
            (true, false) => "writes",
            (false, true) => "reaches every repository",
            (true, true) => "writes to every repository",
        };
        Some(format!(
            "`{}` {reach} ({})",
            app.name,
            some(&app.permissions)
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::words;
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::Fact;

    fn app(name: &str, can_write: bool, all_repositories: bool) -> AppInstallation {
        AppInstallation {
            name: name.to_owned(),
            permissions: words(&["contents: read"]),
            can_write,
            all_repositories,
            suspended: false,
        }
    }

    fn judged(approved: &[&str], apps: Fact<Vec<AppInstallation>>) -> String {
        let control = AppsApproved {
            approved: words(approved),
        };
        verdict_of(&control, &settings(|all| all.app_installations = apps))
    }

    fn verdict(approved: &[&str], app: AppInstallation) -> String {
        judged(approved, seen(vec![app]))
    }

    #[test]
    fn an_app_that_reads_selected_repositories_needs_no_approval_and_neither_does_none() {
        assert_eq!(verdict(&[], app("coverage", false, false)), "pass");
        assert_eq!(judged(&[], seen(Vec::new())), "pass");
    }

    #[test]
    fn an_app_that_writes_or_reaches_everything_fails_unless_it_is_approved() {
        for (can_write, all) in [(true, false), (false, true), (true, true)] {
            assert_eq!(verdict(&[], app("bot", can_write, all)), "fail");
            assert_eq!(verdict(&["Bot"], app("bot", can_write, all)), "pass");
        }
    }

    #[test]
    fn a_name_that_only_resembles_an_approved_one_fails() {
        for name in ["renovate-bot", "renovat", "renovate ", "renоvate"] {
            assert_eq!(verdict(&["renovate"], app(name, true, false)), "fail");
        }
    }

    #[test]
    fn a_suspended_app_is_not_judged_but_mentioned() {
        let suspended = AppInstallation {
            suspended: true,
            ..app("bot", true, true)
        };
        let facts = settings(|all| all.app_installations = seen(vec![suspended]));
        match AppsApproved::default().evaluate(&facts) {
            Ok(Verdict::Pass(evidence)) => {
                assert_eq!(evidence.observed()[1].value, "suspended, not judged: bot");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn apps_that_are_hidden_leave_it_unknown() {
        assert_eq!(judged(&["bot"], hidden()), "unknown");
    }

    #[test]
    fn more_approved_apps_are_weaker() {
        let few = AppsApproved {
            approved: words(&["renovate"]),
        };
        let more = AppsApproved {
            approved: words(&["renovate", "deployer"]),
        };
        assert_eq!(more.weaker_than(&few).as_deref(), Some("approves deployer"));
        assert_eq!(few.weaker_than(&more), None);
    }
}
