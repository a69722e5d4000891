//! ACC-08: a repository in which nothing happens any more is archived. Whether
//! it is still deployed or depended on is not known here.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::age::days_since;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, any_of};

/// Parameters of ACC-08.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct RepositoryActiveOrArchived {
    /// Longest time without activity, in days, after which it has to be archived.
    max_days: u32,
}

impl Default for RepositoryActiveOrArchived {
    fn default() -> Self {
        Self { max_days: 365 }
    }
}

impl Control for RepositoryActiveOrArchived {
    const META: Meta = Meta {
        code: "ACC-08",
        id: "repository-active-or-archived",
        title: "a repository that nobody works on is archived",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.18", "A.8.4"]),
            (Framework::PciDss, &["7.2.1"]),
            (Framework::Nist80053, &["AC-2", "AC-3"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::RepositorySettings],
        rationale: "Rights, keys and hooks of a forgotten repository go on working, and nobody \
                    notices who uses them.",
        cheat: "Letting a robot push now and then, so that the repository looks alive. That cannot \
                be told from work here; the controls of access judge who can do so.",
        remedy_github: "archive the repository under Settings, General, Danger zone, or take it up \
                        again",
        remedy_gitlab: "archive the project under Settings, General, Advanced, or take it up again",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let repository = facts.settings.repository.known()?;
        let now = facts.latest_time();
        let days = repository
            .last_activity
            .map_ref(|last| last.map(|last| days_since(last, now)));
        let active = days.map_ref(|days| days.is_some_and(|days| days <= i64::from(self.max_days)));
        // Either is enough, whatever is hidden of the other.
        let well = any_of([repository.archived.clone(), active.clone()]);
        let holds = *well.known()?;
        let since = match days.known() {
            Ok(Some(days)) => format!("last active {days} days ago"),
            Ok(None) => "never active".to_owned(),
            Err(_) => "activity not seen".to_owned(),
        };
        let evidence = |summary: String, value: String| {
            Evidence::new(summary, FactKey::RepositorySettings, value, well.sources())
        };
        if !holds {
            return Ok(Verdict::fail(evidence(
                format!("the repository is not archived and was {since}"),
                format!("not archived, {since}"),
            )));
        }
        Ok(Verdict::Pass(if active.known() == Ok(&true) {
            evidence(format!("the repository was {since}"), since)
        } else {
            evidence(
                "the repository is archived, so it cannot change".to_owned(),
                format!("archived, {since}"),
            )
        }))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.max_days > base.max_days)
            .then(|| format!("max_days {} -> {}", base.max_days, self.max_days))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::access::testing::repository;
    use crate::controls::testing::{at, hidden, seen, verdict_of};
    use crate::facts::Fact;

    const LONG_AGO: &str = "2023-01-01T00:00:00Z";
    const LATELY: &str = "2026-05-01T00:00:00Z";

    fn verdict(archived: Fact<bool>, last: Fact<Option<&str>>) -> String {
        let facts = repository(|repository| {
            repository.archived = archived;
            repository.last_activity = last.map(|last| last.map(at));
        });
        verdict_of(&RepositoryActiveOrArchived::default(), &facts)
    }

    #[test]
    fn an_active_repository_and_an_archived_one_pass() {
        assert_eq!(verdict(seen(false), seen(Some(LATELY))), "pass");
        assert_eq!(verdict(seen(true), seen(Some(LONG_AGO))), "pass");
        assert_eq!(verdict(seen(true), seen(None)), "pass");
    }

    #[test]
    fn a_forgotten_repository_fails_from_the_day_after_the_last() {
        assert_eq!(verdict(seen(false), seen(Some(LONG_AGO))), "fail");
        assert_eq!(
            verdict(seen(false), seen(Some("2025-06-01T12:00:00Z"))),
            "pass"
        );
        assert_eq!(
            verdict(seen(false), seen(Some("2025-05-31T12:00:00Z"))),
            "fail"
        );
    }

    #[test]
    fn a_repository_in_which_nothing_ever_happened_fails() {
        assert_eq!(verdict(seen(false), seen(None)), "fail");
    }

    #[test]
    fn one_of_the_two_is_enough_and_without_either_the_hidden_one_decides() {
        assert_eq!(verdict(seen(true), hidden()), "pass");
        assert_eq!(verdict(hidden(), seen(Some(LATELY))), "pass");
        assert_eq!(verdict(seen(false), hidden()), "unknown");
        assert_eq!(verdict(hidden(), seen(Some(LONG_AGO))), "unknown");
        assert_eq!(verdict(hidden(), hidden()), "unknown");
    }

    #[test]
    fn a_longer_time_is_weaker() {
        let base = RepositoryActiveOrArchived::default();
        let longer = RepositoryActiveOrArchived { max_days: 400 };
        assert!(longer.weaker_than(&base).is_some());
        assert!(base.weaker_than(&longer).is_none());
    }
}
