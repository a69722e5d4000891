//! The presets are policies like any other, and what they promise is true.

use super::{NOW, at, given, loaded, notes};
use crate::controls::TABLE;
use crate::policy::{Enforcement, PRESETS, Policy, lint, preset};

fn extended(name: &str) -> Policy {
    loaded(&given(&format!("version: 1\nextends: [{name}]\n")))
}

fn codes(policy: &Policy, enforcement: Enforcement) -> Vec<&'static str> {
    let those = policy
        .controls
        .iter()
        .filter(|one| one.enforcement == enforcement);
    those.map(|one| one.control.meta().code).collect()
}

#[test]
fn each_preset_loads_without_notes() {
    for name in PRESETS {
        let document = preset(name).expect("it is compiled in");
        assert_eq!(lint(&document, at(NOW)), Ok(Vec::new()), "{name}");
        let policy = extended(name);
        assert_eq!(notes(&policy), Vec::<String>::new());
        assert_eq!(policy.source.layers, [format!("preset {name}")]);
    }
    assert!(preset("soc2").is_none());
}

#[test]
fn the_baseline_is_what_every_team_can_meet() {
    let policy = extended("soc2-baseline");
    assert_eq!(
        codes(&policy, Enforcement::Block),
        [
            "BR-01", "BR-02", "BR-03", "BR-04", "BR-13", "BR-18", "BR-19", "CHG-01", "CHG-02",
            "CHG-03", "CHG-04", "CHG-13"
        ]
    );
    assert_eq!(
        codes(&policy, Enforcement::Warn),
        [
            "ACC-01", "ACC-04", "BR-15", "BR-16", "BR-17", "BR-21", "BR-22", "CHG-10", "ORG-01",
            "PIPE-01", "PIPE-02", "PIPE-12", "SCAN-01"
        ]
    );
}

#[test]
fn strict_blocks_on_everything_that_the_baseline_has_and_wants_two() {
    let strict = extended("soc2-strict");
    assert_eq!(codes(&strict, Enforcement::Warn), Vec::<&str>::new());
    for bound in &strict.controls {
        let id = bound.control.meta().id;
        if id.starts_with("approvals-") && id != "approvals-dismissed" {
            assert_eq!(bound.control.parameters()["min"], 2, "{id}");
        }
    }
    for bound in extended("soc2-baseline").controls {
        let same = strict
            .controls
            .iter()
            .find(|one| one.control.meta().id == bound.control.meta().id);
        let same = same.expect("strict has all of the baseline");
        assert_eq!(same.control.weaker_than(&bound.control.parameters()), None);
    }
}

#[test]
fn soc2_all_lists_exactly_the_table_at_warn_with_defaults() {
    let policy = extended("soc2-all");
    let table: Vec<_> = TABLE.iter().map(|entry| entry.meta.code).collect();
    assert_eq!(codes(&policy, Enforcement::Warn), table);
    for (bound, entry) in policy.controls.iter().zip(TABLE) {
        let defaults = entry
            .bind(serde_json::json!({}))
            .expect("every parameter has a default");
        assert_eq!(bound.control.parameters(), defaults.parameters());
    }
}
