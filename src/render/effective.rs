//! What protects a branch as people read it: for each requirement that a control
//! judges, which layer demands it, how strongly, and who can go around that layer.
//! Decides nothing; what was not seen is said to be not seen.

use std::fmt::Write as _;

use crate::controls::{Meta, Verdict};
use crate::facts::{
    BranchRules, BypassActor, BypassMode, Combine, Fact, FactKey, Layer, LayerOrigin, Unknown,
};

use super::escape::terminal;
use super::wrap::wrap;

/// Longest text that others wrote and that is shown here.
const LONGEST: usize = 300;

/// The requirements that a control judges, by their names in [`BranchRules`]. A
/// control about who can go around the rules is about all of them.
const JUDGED: &[(&str, &[&str])] = &[
    ("BR-01", &["protected"]),
    ("BR-02", &["pull_request_required"]),
    ("BR-03", &["approvals_required"]),
    ("BR-04", &["stale_approvals_dismissed"]),
    (
        "BR-05",
        &["last_push_approval_required", "committer_approval_blocked"],
    ),
    ("BR-06", &["author_approval_blocked"]),
    (
        "BR-07",
        &["committer_approval_blocked", "last_push_approval_required"],
    ),
    ("BR-08", &["code_owner_review_required"]),
    ("BR-10", &["approval_rules_locked"]),
    ("BR-11", &["dismissal_restricted"]),
    ("BR-12", &["conversations_resolved"]),
    ("BR-13", &["required_checks", "skipped_checks_block"]),
    ("BR-14", &["required_checks", "skipped_checks_block"]),
    ("BR-15", &["required_checks"]),
    ("BR-16", &["required_checks"]),
    ("BR-17", &["up_to_date_required", "required_checks"]),
    ("BR-18", &["force_push_blocked"]),
    ("BR-19", &["deletion_blocked"]),
    ("BR-20", &["direct_push", "pull_request_required"]),
    ("BR-21", &["protected"]),
    ("BR-22", &["protected"]),
    ("BR-23", &["protected"]),
    ("BR-24", &["linear_history_required", "merge_methods"]),
    ("BR-25", &["signatures_required"]),
    ("BR-28", &["removal_limited"]),
    ("BR-29", &["approvals_required", "required_checks"]),
    ("BR-30", &["identity_rules"]),
    ("BR-31", &["path_reviewers", "code_owner_review_required"]),
    ("ORG-18", &["protected"]),
    ("PIPE-09", &["required_checks"]),
    ("PIPE-10", &["required_workflows"]),
    ("PIPE-11", &["required_checks"]),
    (
        "PIPE-12",
        &["required_checks", "code_owner_review_required"],
    ),
];

/// What came out for a control, in words, with what it rests on.
pub fn outcome(meta: &Meta, outcome: &Result<Verdict, Unknown>, width: usize) -> String {
    let (word, summary, observed) = match outcome {
        Ok(Verdict::Pass(evidence)) => ("pass", evidence.summary(), evidence.observed()),
        Ok(Verdict::Fail(failure)) => (
            "fail",
            failure.evidence.summary(),
            failure.evidence.observed(),
        ),
        Ok(Verdict::NotApplicable(evidence)) => {
            ("not applicable", evidence.summary(), evidence.observed())
        }
        Err(unknown) => {
            let mut text = format!("{}  {}: unknown\n", meta.code, meta.id);
            text.push_str(&wrap("  ", &terminal(&unknown.to_string(), LONGEST), width));
            return text;
        }
    };
    let mut text = format!("{}  {}: {word}\n", meta.code, meta.id);
    text.push_str(&wrap("  ", &terminal(summary, LONGEST), width));
    for observation in observed {
        let heading = format!("  seen  {}  ", observation.fact);
        text.push_str(&wrap(
            &heading,
            &terminal(&observation.value, LONGEST),
            width,
        ));
        for source in &observation.sources {
            text.push_str(&wrap(
                "        from  ",
                &terminal(&source.endpoint, LONGEST),
                width,
            ));
        }
    }
    if let Ok(Verdict::Fail(failure)) = outcome
        && let Some(next) = &failure.next
    {
        text.push_str(&wrap("  next  ", &terminal(next, LONGEST), width));
    }
    text
}

/// What protects the branch, as far as the control judges it; empty for a control
/// that judges no rules of a branch.
pub fn effective(meta: &Meta, rules: &Fact<BranchRules>, width: usize) -> String {
    if !meta.needs.contains(&FactKey::BranchRules) {
        return String::new();
    }
    let Some((_, judged)) = JUDGED.iter().find(|(code, _)| *code == meta.code) else {
        return String::new();
    };
    let rules = match rules {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => {
            return wrap("  ", &terminal(&unknown.to_string(), LONGEST), width);
        }
    };
    let mut text = String::new();
    for (name, combine, demands) in rules.in_words() {
        if !judged.contains(&name) {
            continue;
        }
        let _ = writeln!(
            text,
            "\n{name} on branch {}\n  {}",
            terminal(&rules.branch, LONGEST),
            match combine {
                Combine::AnyLayer => "the layers add up: one that demands it is enough",
                Combine::EveryLayer => "the most permissive layer counts: each has to demand it",
            }
        );
        if demands.is_empty() {
            text.push_str("  nothing demands it\n");
        }
        for (layer, value) in demands {
            let value = match &value {
                Fact::Known { value, .. } => value.clone(),
                Fact::Unknown(unknown) => format!("not seen ({})", unknown.detail),
            };
            let heading = format!("  {}  ", terminal(layer, LONGEST));
            text.push_str(&wrap(&heading, &terminal(&value, LONGEST), width));
            if let Some(layer) = rules.layers.iter().find(|known| known.id == layer) {
                text.push_str(&around(layer, width));
            }
        }
    }
    match &rules.inactive {
        Fact::Known { value, .. } => {
            for rule in value {
                let says = format!("{} is not in force ({})", rule.name, rule.enforcement);
                text.push_str(&wrap("  ", &terminal(&says, LONGEST), width));
            }
        }
        Fact::Unknown(unknown) => {
            let says = format!("rules that are not in force: {unknown}");
            text.push_str(&wrap("  ", &terminal(&says, LONGEST), width));
        }
    }
    text
}

/// Who set a layer up, and who can go around it.
fn around(layer: &Layer, width: usize) -> String {
    let origin = match layer.origin {
        LayerOrigin::Repository => "the repository",
        LayerOrigin::Organization => "the organisation or group",
        LayerOrigin::Enterprise => "the enterprise or instance",
        LayerOrigin::Other => "a source that is not known",
    };
    let mut text = wrap("      set up by  ", origin, width);
    let who = match &layer.bypass {
        Fact::Known { value, .. } if value.is_empty() => "nobody can".to_owned(),
        Fact::Known { value, .. } => value.iter().map(actor).collect::<Vec<_>>().join(", "),
        Fact::Unknown(unknown) => format!("not seen: {unknown}"),
    };
    text.push_str(&wrap("      around it  ", &terminal(&who, LONGEST), width));
    text
}

fn actor(actor: &BypassActor) -> String {
    let mode = match &actor.mode {
        BypassMode::Always => "always",
        BypassMode::PullRequest => "when merging",
        BypassMode::Exempt => "exempt, without a trace",
        BypassMode::Other(word) => word,
    };
    format!("{} ({mode})", actor.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::{TABLE, find};
    use crate::facts::{
        BypassKind, Demand, InactiveRules, LayerKind, Unknown as Hidden, Why as Reason,
    };

    fn rules() -> BranchRules {
        let free = BypassActor {
            kind: BypassKind::Team,
            name: "team 17".to_owned(),
            mode: BypassMode::Exempt,
        };
        let seen = Layer::of_repository(
            "ruleset \"main\"",
            LayerKind::Ruleset,
            Fact::known_without_source(vec![free]),
        );
        let hidden = Layer::of_repository(
            "classic protection",
            LayerKind::ClassicProtection,
            Fact::Unknown(
                Hidden::new("branch.bypass", Reason::NotPermitted, "hidden")
                    .needs("Administration: write"),
            ),
        );
        let mut rules = BranchRules::without_demands("main", vec![seen, hidden], Combine::AnyLayer);
        for (layer, value) in [("ruleset \"main\"", 2), ("classic protection", 1)] {
            rules.approvals_required.demands.push(Demand {
                layer: layer.to_owned(),
                value: Fact::known_without_source(value),
            });
        }
        rules.inactive = Fact::known_without_source(vec![InactiveRules {
            name: "ruleset \"trial\u{1b}[2J\"".to_owned(),
            enforcement: "evaluate".to_owned(),
        }]);
        rules
    }

    #[test]
    fn a_requirement_shows_layer_strength_and_who_can_go_around_it() {
        let meta = find("BR-03").unwrap().meta;
        let text = effective(meta, &Fact::known_without_source(rules()), 100);
        for part in [
            "approvals_required on branch main",
            "ruleset \"main\"  2",
            "team 17 (exempt, without a trace)",
            "classic protection  1",
            "Administration: write",
            "is not in force (evaluate)",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn rules_that_could_not_be_read_are_said_to_be_so() {
        let meta = find("BR-18").unwrap().meta;
        let hidden = Fact::Unknown(Hidden::new("branch.rules", Reason::Failed, "no answer"));
        assert!(effective(meta, &hidden, 100).contains("no answer"));
        let none = BranchRules::without_demands("main", Vec::new(), Combine::EveryLayer);
        let text = effective(meta, &Fact::known_without_source(none), 100);
        assert!(text.contains("nothing demands it"), "{text}");
    }

    #[test]
    fn every_name_in_the_list_is_a_requirement_and_every_branch_control_has_a_line() {
        let rules = rules();
        let names: Vec<&str> = rules.in_words().iter().map(|(name, _, _)| *name).collect();
        for (code, judged) in JUDGED {
            assert!(judged.iter().all(|name| names.contains(name)), "{code}");
        }
        for entry in TABLE {
            let meta = entry.meta;
            let listed = JUDGED.iter().any(|(code, _)| *code == meta.code);
            let about_rules =
                meta.code.starts_with("BR-") && meta.needs.contains(&FactKey::BranchRules);
            assert!(listed || !about_rules, "{} has no line", meta.code);
        }
    }
}
