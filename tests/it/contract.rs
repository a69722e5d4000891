//! What every control of the table promises, in a loop over the table.

use ccgate::controls::{Scope, TABLE};
use ccgate::facts::{Platform, Snapshot, Subject};
use serde_json::json;

fn nothing_seen(platform: Platform) -> Snapshot {
    Snapshot::all_unknown(
        Subject {
            platform,
            repository: "acme/app".to_owned(),
            change: Some(7),
            head: "f1".repeat(20),
            target: "main".to_owned(),
        },
        "2026-06-01T12:00:00Z".parse().unwrap(),
        "ccgate test".to_owned(),
    )
}

#[test]
fn codes_are_sorted_and_unique() {
    assert!(
        TABLE
            .windows(2)
            .all(|pair| pair[0].meta.code < pair[1].meta.code)
    );
}

#[test]
fn each_control_stands_in_the_file_of_its_name() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/controls");
    for entry in TABLE {
        let file = format!("{}.rs", entry.meta.id.replace('-', "_"));
        let found = ["branch", "change", "scan"]
            .iter()
            .any(|area| root.join(area).join(&file).is_file());
        assert!(found, "{} has no {file}", entry.meta.code);
    }
}

#[test]
fn everything_that_has_to_be_said_is_said() {
    for entry in TABLE {
        let meta = entry.meta;
        assert!(
            !meta.criteria.is_empty() && !meta.needs.is_empty(),
            "{}",
            meta.code
        );
        assert!(
            !meta.rationale.is_empty() && !meta.cheat.is_empty(),
            "{}",
            meta.code
        );
        assert!(matches!(meta.scope, Scope::Repository | Scope::Change));
        for platform in meta.platforms {
            assert!(!meta.remedy(*platform).is_empty(), "{}", meta.code);
        }
    }
}

#[test]
fn where_nothing_was_seen_every_control_is_unknown() {
    for entry in TABLE {
        for platform in entry.meta.platforms {
            let bound = entry.bind(json!({})).unwrap();
            assert!(
                bound.evaluate(&nothing_seen(*platform)).is_err(),
                "{}",
                entry.meta.code
            );
        }
    }
}

#[test]
fn a_misspelt_parameter_is_refused() {
    for entry in TABLE {
        assert!(
            entry.bind(json!({"mnn": 1})).is_err(),
            "{}",
            entry.meta.code
        );
    }
}

#[test]
fn a_broken_or_empty_ticket_pattern_is_refused() {
    let entry = ccgate::controls::find("CHG-10").unwrap();
    for pattern in ["(", ".*", ""] {
        assert!(
            entry.bind(json!({ "pattern": pattern })).is_err(),
            "{pattern}"
        );
    }
}
