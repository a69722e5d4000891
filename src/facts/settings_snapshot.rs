//! The settings of one repository at one moment, as the scheduled run that may
//! read them writes them down for the runs that may not.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::branch::BranchRules;
use super::fact::{Fact, Unknown, Why};
use super::key::{FactKey, Needs};
use super::settings::Settings;
use super::snapshot::{Platform, Requests, Snapshot};

/// Version string of the format.
pub const SETTINGS_SCHEMA: &str = "ccgate.settings/v1";

/// How far ahead of our clock a moment may lie: clocks differ a little.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// The settings of one repository at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsSnapshot {
    /// Name and version of the program that collected it.
    pub collected_by: String,
    /// The moment, by the collecting machine's clock.
    pub observed_at: Timestamp,
    /// The platform's own clock at that moment.
    pub platform_time: Fact<Timestamp>,
    /// The platform.
    pub platform: Platform,
    /// Base address of its API, so that two servers with a repository of the same
    /// name are not mixed up.
    pub api: String,
    /// Full path of the repository.
    pub repository: String,
    /// The rules of each branch in scope, sorted by branch.
    pub branches: Vec<BranchRules>,
    /// Groups about branches that could not be read at all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread_branches: Vec<Unknown>,
    /// Everything else.
    pub settings: Settings,
    /// What it cost.
    pub requests: Requests,
}

/// Which settings snapshot a decision used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettingsOrigin {
    /// `sha256:<64 hex>` of the file's content, as the file itself says and as it was checked.
    pub digest: String,
    /// When the settings were seen.
    pub observed_at: Timestamp,
    /// Name and version of the program that collected them.
    pub collected_by: String,
    /// Fingerprint of the key that signed the file; `None`: no signature was asked for.
    pub signed_by: Option<String>,
}

impl SettingsSnapshot {
    /// The moment by which its age is reckoned: the earlier of the two clocks, so
    /// that a clock that runs ahead makes nothing younger than it is.
    pub fn seen_at(&self) -> Timestamp {
        match &self.platform_time {
            Fact::Known { value, .. } => self.observed_at.min(*value),
            Fact::Unknown(_) => self.observed_at,
        }
    }

    /// Why it cannot be used at that moment for that repository; `None` if it can.
    pub fn refusal(
        &self,
        platform: Platform,
        api: &str,
        repository: &str,
        now: Timestamp,
        max_age: SignedDuration,
    ) -> Option<Unknown> {
        let bad = |why: Why, detail: String| Some(Unknown::new("settings", why, detail));
        if self.platform != platform || !self.repository.eq_ignore_ascii_case(repository) {
            return bad(
                Why::Failed,
                format!(
                    "the settings snapshot is of `{}` on {}, not of `{repository}` on {}",
                    self.repository,
                    self.platform.word(),
                    platform.word()
                ),
            );
        }
        if self.api.trim_end_matches('/') != api.trim_end_matches('/') {
            return bad(
                Why::Failed,
                format!(
                    "the settings snapshot is of the server `{}`, not of `{api}`",
                    self.api
                ),
            );
        }
        let age = now.duration_since(self.seen_at());
        if age < -SKEW {
            return bad(
                Why::Failed,
                format!(
                    "the settings snapshot is of {}, which has not come yet",
                    self.seen_at()
                ),
            );
        }
        if age > max_age {
            return bad(
                Why::Stale,
                format!(
                    "the settings snapshot is {} h old (limit {} h): run the settings lane again",
                    age.as_hours(),
                    max_age.as_hours()
                ),
            );
        }
        None
    }
}

impl Snapshot {
    /// Takes the settings that are needed out of a settings snapshot. Rules of the
    /// branch that were seen just now stay; what was hidden then is filled in.
    pub fn take_settings(&mut self, from: &SettingsSnapshot, needs: &Needs) {
        let groups: Needs = Settings::KEYS
            .iter()
            .copied()
            .filter(|key| needs.has(*key))
            .collect();
        self.settings = from.settings.restricted_to(&groups);
        if !needs.any_of(&[FactKey::BranchRules, FactKey::BranchBypass]) {
            return;
        }
        let Some(then) = from
            .branches
            .iter()
            .find(|rules| rules.branch == self.subject.target)
        else {
            return;
        };
        match &mut self.branch_rules {
            Fact::Known { value, .. } => value.fill_from(then),
            Fact::Unknown(_) => self.branch_rules = Fact::known_without_source(then.clone()),
        }
    }

    /// Hides every group of settings that is needed, for one reason.
    pub fn refuse_settings(&mut self, why: &Unknown, needs: &Needs) {
        for key in Settings::KEYS {
            if needs.has(*key) {
                let mut unknown = why.clone();
                key.name().clone_into(&mut unknown.fact);
                self.settings.hide(*key, &unknown);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::branch::{Layer, LayerKind};
    use super::super::requirement::{Combine, Demand};
    use super::super::snapshot::Subject;
    use super::*;

    const API: &str = "https://api.example.test";

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a literal timestamp")
    }

    fn of(observed: &str) -> SettingsSnapshot {
        SettingsSnapshot {
            collected_by: "ccgate test".to_owned(),
            observed_at: at(observed),
            platform_time: Fact::Unknown(Unknown::not_collected("platform.time")),
            platform: Platform::Github,
            api: API.to_owned(),
            repository: "acme/app".to_owned(),
            branches: Vec::new(),
            unread_branches: Vec::new(),
            settings: Settings::all_unknown(),
            requests: Requests::default(),
        }
    }

    fn refusal(snapshot: &SettingsSnapshot, repository: &str) -> Option<Why> {
        snapshot
            .refusal(
                Platform::Github,
                API,
                repository,
                at("2026-06-01T12:00:00Z"),
                SignedDuration::from_hours(24),
            )
            .map(|unknown| unknown.why)
    }

    #[test]
    fn a_snapshot_counts_until_its_time_is_over_and_for_its_own_repository_only() {
        let fresh = of("2026-06-01T00:00:00Z");
        assert_eq!(refusal(&fresh, "Acme/App"), None);
        assert_eq!(refusal(&fresh, "acme/other"), Some(Why::Failed));
        assert_eq!(
            refusal(&of("2026-05-31T11:59:59Z"), "acme/app"),
            Some(Why::Stale)
        );
        assert_eq!(refusal(&of("2026-05-31T12:00:00Z"), "acme/app"), None);
        assert_eq!(
            refusal(&of("2026-06-01T12:10:00Z"), "acme/app"),
            Some(Why::Failed)
        );
        let mut elsewhere = fresh;
        elsewhere.api = "https://other.example.test".to_owned();
        assert_eq!(refusal(&elsewhere, "acme/app"), Some(Why::Failed));
    }

    #[test]
    fn a_machine_whose_clock_runs_ahead_makes_no_settings_younger() {
        let mut ahead = of("2026-06-01T11:00:00Z");
        ahead.platform_time = Fact::known_without_source(at("2026-05-30T11:00:00Z"));
        assert_eq!(refusal(&ahead, "acme/app"), Some(Why::Stale));
    }

    #[test]
    fn what_was_seen_just_now_stays_and_what_is_hidden_is_filled_in() {
        let hidden = Unknown::new("x", Why::NotPermitted, "hidden");
        let rules = |protected: Fact<bool>, bypass| {
            let layer = Layer::of_repository("classic", LayerKind::ClassicProtection, bypass);
            let mut rules = BranchRules::without_demands("main", vec![layer], Combine::AnyLayer);
            rules.protected.demands.push(Demand {
                layer: "classic".to_owned(),
                value: protected,
            });
            rules
        };
        let mut then = of("2026-06-01T00:00:00Z");
        then.branches = vec![rules(
            Fact::known_without_source(true),
            Fact::known_without_source(Vec::new()),
        )];
        then.settings.deploy_keys = Fact::known_without_source(Vec::new());
        let mut now = Snapshot::all_unknown(
            Subject {
                platform: Platform::Github,
                repository: "acme/app".to_owned(),
                change: Some(7),
                head: "f1".repeat(20),
                target: "main".to_owned(),
            },
            at("2026-06-01T12:00:00Z"),
            "ccgate test".to_owned(),
        );
        now.branch_rules = Fact::known_without_source(rules(
            Fact::known_without_source(false),
            Fact::Unknown(hidden),
        ));
        let needs = [FactKey::BranchRules, FactKey::BranchBypass]
            .into_iter()
            .collect();
        now.take_settings(&then, &needs);
        let seen = now.branch_rules.known().unwrap();
        assert_eq!(seen.protected.holds(|on| *on).known(), Ok(&false));
        assert!(seen.layers[0].bypass.is_known());
        // A group that nobody asked for is not taken.
        assert!(!now.settings.deploy_keys.is_known());
    }
}
