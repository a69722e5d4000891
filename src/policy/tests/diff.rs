//! Two policies side by side: which way each part went, and that no part is forgotten.

use serde_json::{Map, Value, json};

use super::{at, given, over};
use crate::controls::{Entry, TABLE};
use crate::facts::{Direction, Fact, PolicyFacts};
use crate::policy::{DiffError, LoadError, PolicyDiff, PolicyPart, SCANS_PARAMETER, diff, merged};

const NOW: &str = "2026-06-01T12:00:00Z";
const ANSWERED: &str = "reason: r, owner: \"@me\", expires: 2027-01-31";

fn compared(before: &PolicyFacts, after: &PolicyFacts) -> PolicyDiff {
    match diff(before, after, at(NOW)) {
        Ok(diff) => diff,
        Err(error) => panic!("not comparable: {error}"),
    }
}

/// Each change as `direction part: what`.
fn changes(before: &str, after: &str) -> Vec<String> {
    let text = |rest: &str| format!("version: 1\n{}\n", rest.replace("ANSWERED", ANSWERED));
    compared(&given(&text(before)), &given(&text(after)))
        .changes
        .iter()
        .map(|change| format!("{} {change}", change.direction.word()))
        .collect()
}

#[test]
fn the_same_policy_changes_nothing() {
    for preset in crate::policy::PRESETS {
        let text = format!("extends: [{preset}]");
        assert_eq!(changes(&text, &text), Vec::<String>::new());
    }
    let reworded = changes(
        "controls: {force-push-blocked: {}, approvals-sufficient: {min: 2}}",
        "controls:\n  approvals-sufficient: {min: 2} # two\n  force-push-blocked: {}\n",
    );
    assert_eq!(reworded, Vec::<String>::new());
}

#[test]
fn a_parameter_is_weaker_stronger_or_just_another() {
    let min = |min: u32| format!("controls: {{approvals-sufficient: {{min: {min}}}}}");
    let weaker = changes(&min(2), &min(1));
    assert_eq!(weaker.len(), 1, "{weaker:#?}");
    assert!(
        weaker[0].starts_with("weaker CHG-02 approvals-sufficient: min 2 -> 1 ("),
        "{weaker:#?}"
    );
    assert_eq!(
        changes(&min(1), &min(2)),
        ["stronger CHG-02 approvals-sufficient: min 1 -> 2"]
    );
}

#[test]
fn a_control_that_goes_is_weaker_and_one_that_comes_is_stronger() {
    let (less, more) = (
        "controls: {force-push-blocked: {}}",
        "controls: {force-push-blocked: {}, deletion-blocked: {}}",
    );
    assert_eq!(
        changes(more, less),
        ["weaker BR-19 deletion-blocked: enforce block -> not judged"]
    );
    assert_eq!(
        changes(less, more),
        ["stronger BR-19 deletion-blocked: not judged -> enforce block"]
    );
}

#[test]
fn switching_off_is_weaker_and_names_the_end() {
    let off = "controls: {force-push-blocked: {enforce: off, ANSWERED}}";
    let on = "controls: {force-push-blocked: {}}";
    assert_eq!(
        changes(on, off),
        [
            "weaker BR-18 force-push-blocked: enforce block -> off",
            "changed BR-18 force-push-blocked: expires no concession -> 2027-01-31"
        ]
    );
}

#[test]
fn a_concession_that_lasts_longer_is_weaker() {
    let until = |day: &str| {
        format!(
            "controls: {{force-push-blocked: {{enforce: off, reason: r, owner: \"@me\", expires: {day}}}}}"
        )
    };
    assert_eq!(
        changes(&until("2026-12-31"), &until("2027-12-31")),
        ["weaker BR-18 force-push-blocked: expires 2026-12-31 -> 2027-12-31"]
    );
    assert_eq!(
        changes(&until("2027-12-31"), &until("2026-12-31")),
        ["stronger BR-18 force-push-blocked: expires 2027-12-31 -> 2026-12-31"]
    );
    // What has ended is renewed.
    assert_eq!(
        changes(&until("2026-01-31"), &until("2027-01-31"))[0],
        "weaker BR-18 force-push-blocked: enforce block -> off"
    );
}

#[test]
fn what_a_concession_hides_today_is_found_for_the_day_it_ends() {
    // Today both ask for one approval; the first asks for two again next year.
    let found = changes(
        "extends: [soc2-strict]\ncontrols: {approvals-sufficient: {min: 1, ANSWERED}}",
        "extends: [soc2-strict]\ncontrols: {approvals-sufficient: {min: 1, reason: r, owner: \"@me\", expires: 9999-12-31}}",
    );
    assert!(
        found
            .iter()
            .any(|one| one.starts_with("weaker CHG-02") && one.contains("expires")),
        "{found:#?}"
    );
    let hidden = changes(
        "extends: [soc2-strict]\ncontrols: {force-push-blocked: {enforce: off, ANSWERED}}",
        "extends: [soc2-all]\ncontrols: {force-push-blocked: {enforce: off, ANSWERED}}",
    );
    assert!(
        hidden.contains(
            &"weaker BR-18 force-push-blocked: enforce block -> warn, when every concession has \
              ended"
                .to_owned()
        ),
        "{hidden:#?}"
    );
}

#[test]
fn while_a_control_is_off_in_both_its_parameters_open_nothing() {
    let off = |min: u32| {
        format!("controls: {{approvals-sufficient: {{min: {min}, enforce: off, ANSWERED}}}}")
    };
    let found = changes(&off(2), &off(1));
    assert_eq!(
        found
            .iter()
            .filter(|one| one.starts_with("weaker"))
            .collect::<Vec<_>>()
            .len(),
        1,
        "{found:#?}"
    );
    assert!(found[0].ends_with("when every concession has ended"));
}

#[test]
fn a_control_added_so_that_it_makes_up_for_another_does_not_hide_what_it_opens() {
    let with = |more: &str| {
        format!(
            "controls: {{force-push-blocked: {{compensated_by: deletion-blocked, ANSWERED}}{more}}}"
        )
    };
    let found = changes(&with(""), &with(", deletion-blocked: {}"));
    assert!(
        found.contains(
            &"weaker BR-18 force-push-blocked: compensated_by BR-19, which is not enforced -> BR-19"
                .to_owned()
        ),
        "{found:#?}"
    );
}

#[test]
fn an_own_control_with_another_condition_is_weaker_and_one_with_another_title_is_not() {
    let own = |assert: &str, title: &str| {
        format!(
            "custom: [{{id: label-set, title: {title}, criteria: [CC8.1], assert: '{assert}'}}]"
        )
    };
    let found = changes(&own("size(change.labels) > 1", "a"), &own("true", "a"));
    assert!(
        found[0].starts_with("weaker CUS-label-set label-set: assert "),
        "{found:#?}"
    );
    let found = changes(&own("true", "a"), &own("true", "b"));
    assert_eq!(
        found,
        ["changed CUS-label-set label-set: title \"a\" -> \"b\""]
    );
}

#[test]
fn a_policy_that_is_removed_is_weaker_unless_the_default_branchs_takes_its_place() {
    let strict = "version: 1\nextends: [soc2-strict]\n";
    let before = over(strict, strict);
    let gone = compared(&before, &merged(&before, None, true));
    assert!(gone.weaker() && gone.after.is_none());
    assert_eq!(gone.changes[0].part, PolicyPart::Whole);
    let stays = compared(&before, &merged(&before, None, false));
    assert_eq!(stays.changes, []);
}

#[test]
fn on_another_branch_the_floor_still_holds_and_on_the_default_branch_it_changes_too() {
    let strict = "version: 1\nextends: [soc2-strict]\n";
    let lax = super::document("c", "version: 1\nextends: [soc2-baseline]\n");
    let before = over(strict, strict);
    let on_branch = compared(&before, &merged(&before, Some(lax.clone()), false));
    assert!(!on_branch.weaker(), "{:#?}", on_branch.changes);
    let on_default = compared(&before, &merged(&before, Some(lax), true));
    assert!(on_default.weaker());
}

#[test]
fn an_invalid_or_unreadable_side_is_named_and_not_compared() {
    let good = given("version: 1\nextends: [soc2-baseline]\n");
    let bad = given("version: 2\n");
    let hidden = PolicyFacts {
        target: Fact::Unknown(crate::facts::Unknown::not_collected("policy.target")),
        floor: Fact::known_without_source(None),
    };
    assert!(matches!(
        diff(&good, &bad, at(NOW)),
        Err(DiffError::After(LoadError::Invalid(_)))
    ));
    assert!(matches!(
        diff(&bad, &good, at(NOW)),
        Err(DiffError::Before(LoadError::Invalid(_)))
    ));
    assert!(matches!(
        diff(&good, &hidden, at(NOW)),
        Err(DiffError::After(LoadError::Unreadable(_)))
    ));
}

#[test]
fn a_waiver_that_acts_on_more_days_is_weaker_also_where_its_end_is_nearer() {
    let until = |day: &str| {
        format!(
            "controls: {{force-push-blocked: {{}}}}\nwaivers: [{{control: force-push-blocked, scope: '*', reason: r, owner: '@a', approved_by: '@b', expires: {day}}}]"
        )
    };
    for (before, after, word) in [
        ("2026-07-01", "2026-08-01", "weaker"),
        ("2026-08-01", "2026-07-01", "stronger"),
        // The first acts on no day before September, the second at once.
        ("2026-12-01", "2026-08-01", "weaker"),
        ("2026-08-01", "2026-12-01", "weaker"),
        ("2026-05-01", "2026-05-31", "changed"),
    ] {
        let found = changes(&until(before), &until(after));
        assert!(
            found.len() == 1 && found[0].starts_with(word),
            "{before} to {after}: {found:?}"
        );
    }
}

#[test]
fn hostile_words_stay_on_one_bounded_line() {
    let reason = "x\\n::error::".repeat(200);
    let found = changes(
        "controls: {force-push-blocked: {}}",
        &format!(
            "controls: {{force-push-blocked: {{}}}}\nwaivers: [{{control: force-push-blocked, scope: '*', reason: \"{reason}\", owner: '@a', approved_by: '@b', expires: 2027-01-31}}]"
        ),
    );
    assert_eq!(found.len(), 1);
    assert!(found[0].starts_with("weaker waivers: force-push-blocked for * no waiver -> until"));
    assert!(!found[0].contains(char::is_control) && found[0].len() < 700);
}

/// Other values of a parameter, most of which fit no given one.
fn others(value: &Value) -> Vec<Value> {
    let mut all = vec![
        json!(0),
        json!(1),
        json!(3),
        json!(40),
        json!(90),
        json!("24h"),
        json!("90d"),
        json!("zz"),
        json!("^zz$"),
        json!("read"),
        json!("private"),
        json!("internal"),
        json!("owners"),
        json!("jira"),
        json!("nobody"),
        json!("members"),
        json!("admin"),
        json!("write"),
        json!("merge"),
        json!("squash"),
        json!([]),
        json!(["zz"]),
        json!(["@zz/zz"]),
        json!(["https://zz.example/"]),
        json!(["squash"]),
        json!(["merge"]),
        json!([{"paths": ["zz/**"], "owners": ["@zz"], "min": 1}]),
        json!([{"name": "zz"}]),
        json!([{"path": "zz/**", "team": "@zz/zz"}]),
        json!({"critical": 1}),
        json!({"zz": "zz"}),
        json!({}),
        json!(null),
    ];
    if let Value::Bool(on) = value {
        all = vec![json!(!on)];
    }
    if let Value::Number(number) = value
        && let Some(number) = number.as_u64()
    {
        all.insert(0, json!(number + 1));
        all.insert(0, json!(number.saturating_sub(1)));
    }
    all
}

/// The direction from `before` to `after`, both of one control.
fn direction(entry: &Entry, before: &Value, after: &Value) -> Vec<Direction> {
    let facts = |parameters: &Value| {
        let text = json!({"version": 1, "controls": {entry.meta.id: parameters}});
        given(&text.to_string())
    };
    compared(&facts(before), &facts(after))
        .changes
        .iter()
        .map(|change| change.direction)
        .collect()
}

#[test]
fn every_parameter_of_every_control_is_compared() {
    let mut forgotten = Vec::new();
    for entry in TABLE {
        let default = entry.bind(json!({})).expect("defaults bind").parameters();
        let Value::Object(default) = default else {
            continue;
        };
        for (name, value) in default.iter().filter(|(name, _)| *name != SCANS_PARAMETER) {
            let with = |value: &Value| Map::from_iter([(name.clone(), value.clone())]);
            let mut tried = 0;
            for other in others(value).iter().filter(|other| *other != value) {
                if tried == 3 {
                    break;
                }
                let changed = Value::Object(with(other));
                let Ok(bound) = entry.bind(changed.clone()) else {
                    continue;
                };
                let unchanged = entry.bind(json!({})).expect("defaults bind").parameters();
                let text = json!({"version": 1, "controls": {entry.meta.id: &changed}});
                let valid = crate::policy::load(&given(&text.to_string()), at(NOW)).is_ok();
                if bound.parameters() == unchanged || !valid {
                    continue;
                }
                // None at all counts as one wherever approvals are counted.
                if name.starts_with("min") && other == 0 && *value == 1 {
                    continue;
                }
                tried += 1;
                let there = direction(entry, &json!({}), &changed);
                let back = direction(entry, &changed, &json!({}));
                // Who stands behind a name matters only where the requester may not approve.
                if name == "people" && there == back && there == [Direction::Changed] {
                    continue;
                }
                // Named, and never an improvement both ways.
                if there.len() != 1
                    || back.len() != 1
                    || (there == back && there[0] != Direction::Weaker)
                {
                    forgotten.push(format!(
                        "{} {name}: {value} -> {other}: {there:?}, back {back:?}",
                        entry.meta.code
                    ));
                }
            }
            if tried == 0 {
                forgotten.push(format!("{} {name}: no other value tried", entry.meta.code));
            }
        }
    }
    assert_eq!(forgotten, Vec::<String>::new(), "{forgotten:#?}");
}

/// For whom no key is listed any more the published ones count: fewer keys are not always stronger.
#[test]
fn a_signer_who_is_dropped_is_weaker_where_published_keys_count() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcH";
    let rules = |more: &str| {
        format!("extends: [soc2-baseline]\noverrides: {{allowed_by: [\"@li\"], {more}}}")
    };
    let listed = format!("signers: {{\"@li\": [{KEY}]}}");
    for (published, direction) in [(", published_keys: true", "weaker"), ("", "stronger")] {
        let before = rules(&format!("{listed}{published}"));
        let after = rules(&format!("max: 24h{published}"));
        let found = changes(&before, &after);
        assert_eq!(found.len(), 1, "{found:#?}");
        assert!(found[0].starts_with(direction), "{found:#?}");
        assert!(found[0].contains("signers"), "{found:#?}");
    }
}
