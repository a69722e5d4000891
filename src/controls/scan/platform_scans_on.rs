//! SCAN-16: the platform runs scans whatever the pipeline says.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::{Says, plan};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, ImposedScan, Platform, ScanKind, Snapshot, Unknown};

/// A kind of scan that the platform can run by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Kind {
    /// Static analysis.
    Sast,
    /// Secret detection.
    Secrets,
    /// Dependency scanning.
    Dependencies,
}

impl Kind {
    fn scan(self) -> ScanKind {
        match self {
            Self::Sast => ScanKind::Sast,
            Self::Secrets => ScanKind::Secrets,
            Self::Dependencies => ScanKind::Dependencies,
        }
    }
}

/// Parameters of SCAN-16.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct PlatformScansOn {
    /// Kinds of scans that have to run.
    kinds: Vec<Kind>,
    /// Whether the repository must not be able to switch them off.
    enforced: bool,
}

impl Default for PlatformScansOn {
    fn default() -> Self {
        Self {
            kinds: vec![Kind::Sast],
            enforced: false,
        }
    }
}

const SAYS: Says<'static> = Says {
    key: FactKey::ScanSetup,
    good: "the platform runs the scans whatever the pipeline says",
    bad: "scans run only if the pipeline says so",
};

impl Control for PlatformScansOn {
    const META: Meta = Meta {
        code: "SCAN-16",
        id: "platform-scans-on",
        title: "the platform runs scans whatever the pipeline says",
        criteria: &[Criterion::Cc7_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.8", "A.8.29"]),
            (Framework::PciDss, &["6.3.1"]),
            (Framework::Nist80053, &["RA-5", "SA-11"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ScanSetup],
        rationale: "Whoever can edit the pipeline can take a scan out of it; one that the platform or \
                    the organisation runs stays.",
        cheat: "Attaching a configuration that enables nothing, or one that failed to attach; \
                switching a policy off and leaving it there. Only what is in force and names the \
                kind of scan counts; with `enforced` only what the repository cannot switch off.",
        remedy_github: "switch the default set-up of code scanning on, or attach a security \
                        configuration that enables it under the organisation's settings, Advanced \
                        Security",
        remedy_gitlab: "add a scan execution policy for the project or a group above it under Secure, \
                        Policies (Ultimate)",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let setup = facts.settings.scan_setup.known()?;
        let lists = [&setup.scans_from_above, &setup.scans_of_repository];
        let mut found = Vec::new();
        let mut missing = Vec::new();
        for kind in &self.kinds {
            let counts =
                |scan: &&ImposedScan| scan.kind == kind.scan() && (scan.enforced || !self.enforced);
            let scan = lists
                .iter()
                .filter_map(|list| list.known().ok())
                .find_map(|list| list.iter().find(counts));
            let words = kind.scan().words();
            match scan {
                Some(scan) => found.push(format!("{words} by {}", scan.by)),
                None => missing.push(words),
            }
        }
        let sources: Vec<_> = lists
            .iter()
            .flat_map(|list| list.sources())
            .cloned()
            .collect();
        if missing.is_empty() {
            let seen = found.join(", ");
            let words = format!("{}: {seen}", SAYS.good);
            return Ok(Verdict::Pass(Evidence::new(
                words, SAYS.key, seen, &sources,
            )));
        }
        // What is not found may stand in what was not seen.
        for list in lists {
            list.known()?;
        }
        if setup.not_in_plan {
            return Ok(plan(&SAYS, &sources));
        }
        let seen = missing.join(", ");
        let words = format!("{}: {seen}", SAYS.bad);
        Ok(Verdict::fail(Evidence::new(
            words, SAYS.key, seen, &sources,
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let dropped = base.kinds.iter().find(|kind| !self.kinds.contains(kind));
        if let Some(kind) = dropped {
            return Some(format!("no longer asks for {}", kind.scan().words()));
        }
        (base.enforced && !self.enforced)
            .then(|| "takes scans that the repository can switch off".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{Fact, ScanSetup};

    fn control(parameters: Value) -> PlatformScansOn {
        serde_json::from_value(parameters).unwrap()
    }

    fn scan(kind: ScanKind, enforced: bool) -> ImposedScan {
        ImposedScan {
            kind,
            by: "policy \"all code\"".to_owned(),
            enforced,
        }
    }

    fn facts(own: Fact<Vec<ImposedScan>>, above: Fact<Vec<ImposedScan>>) -> Snapshot {
        settings(|settings| {
            settings.scan_setup = seen(ScanSetup {
                not_in_plan: false,
                scans_of_repository: own,
                scans_from_above: above,
            });
        })
    }

    fn verdict(own: Fact<Vec<ImposedScan>>, above: Fact<Vec<ImposedScan>>) -> String {
        verdict_of(&PlatformScansOn::default(), &facts(own, above))
    }

    fn sast() -> Fact<Vec<ImposedScan>> {
        seen(vec![scan(ScanKind::Sast, false)])
    }

    fn none() -> Fact<Vec<ImposedScan>> {
        seen(Vec::new())
    }

    #[test]
    fn either_place_is_enough_and_none_fails() {
        assert_eq!(verdict(sast(), none()), "pass");
        assert_eq!(verdict(none(), sast()), "pass");
        assert_eq!(verdict(none(), none()), "fail");
        let mut unsold = facts(none(), none());
        if let Fact::Known { value, .. } = &mut unsold.settings.scan_setup {
            value.not_in_plan = true;
        }
        assert_eq!(
            verdict_of(&PlatformScansOn::default(), &unsold),
            "fail plan"
        );
    }

    /// The cheat: something is attached, and it runs another scan or can be switched off.
    #[test]
    fn another_kind_counts_for_nothing_and_every_kind_is_asked_for() {
        let secrets = || seen(vec![scan(ScanKind::Secrets, true)]);
        assert_eq!(verdict(none(), secrets()), "fail");
        let both = control(json!({"kinds": ["sast", "secrets"]}));
        assert_eq!(verdict_of(&both, &facts(sast(), secrets())), "pass");
        assert_eq!(verdict_of(&both, &facts(sast(), none())), "fail");
        let enforced = control(json!({"enforced": true}));
        assert_eq!(verdict_of(&enforced, &facts(sast(), none())), "fail");
        let locked = seen(vec![scan(ScanKind::Sast, true)]);
        assert_eq!(verdict_of(&enforced, &facts(sast(), locked)), "pass");
    }

    #[test]
    fn what_is_hidden_may_hold_it() {
        assert_eq!(verdict(hidden(), sast()), "pass");
        assert_eq!(verdict(hidden(), none()), "unknown");
        assert_eq!(verdict(none(), hidden()), "unknown");
        let unseen = settings(|settings| settings.scan_setup = hidden());
        assert_eq!(verdict_of(&PlatformScansOn::default(), &unseen), "unknown");
    }

    #[test]
    fn fewer_kinds_and_what_can_be_switched_off_are_weaker() {
        let base = control(json!({"kinds": ["sast", "secrets"], "enforced": true}));
        assert!(
            control(json!({"kinds": ["sast"], "enforced": true}))
                .weaker_than(&base)
                .is_some()
        );
        assert!(
            control(json!({"kinds": ["sast", "secrets"]}))
                .weaker_than(&base)
                .is_some()
        );
        assert_eq!(base.weaker_than(&PlatformScansOn::default()), None);
    }
}
