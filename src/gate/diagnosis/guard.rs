//! What holds the gate in its place: who waits for its check, who goes around the
//! rules, and what starts it.

use crate::controls::guarding::{
    Conditions, Demanded, PIPELINES, Runs, is_started_from_base, lies_elsewhere, requires,
};
use crate::facts::{BranchRules, Fact, Platform, RequiredCheck, Snapshot, Unknown};

use super::{Area, Finding, State, reason};

/// Most names in one sentence.
const MOST: usize = 6;

/// Whether a merge waits for the gate, and for whose word.
pub(super) fn required(facts: &Snapshot, check: &str) -> Finding {
    const AREA: Area = Area::Required;
    let rules = match &facts.branch_rules {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => {
            return Finding::unseen(AREA, "whether a merge waits for the gate", unknown);
        }
    };
    let demanded = Demanded::of(&facts.branch_rules, check, &facts.subject.repository);
    match demanded.at_all() {
        Fact::Unknown(unknown) => {
            return Finding::unseen(AREA, &format!("whether `{check}` is required"), &unknown);
        }
        Fact::Known { value: false, .. } => {
            return Finding::new(
                AREA,
                State::Bad,
                format!(
                    "a merge into `{}` does not wait for `{check}`",
                    rules.branch
                ),
            )
            .next(match facts.subject.platform {
                Platform::Github => format!("require the status check `{check}` in a ruleset"),
                Platform::Gitlab => {
                    "turn \"Pipelines must succeed\" on, with the gate as a job".to_owned()
                }
            });
        }
        Fact::Known { value: true, .. } => {}
    }
    if demanded.imposed.known() == Ok(&true) {
        let sentence = format!("a workflow named after `{check}` is imposed from outside");
        return Finding::new(AREA, State::Ok, sentence);
    }
    if demanded.by_name.known() == Ok(&true) {
        return by_name(facts, rules, check);
    }
    let skipped = rules.skipped_checks_block.holds(|on| *on);
    let sentence = "a merge waits for a pipeline that succeeded";
    match skipped {
        Fact::Known { value: true, .. } => Finding::new(AREA, State::Ok, sentence),
        Fact::Known { value: false, .. } => Finding::new(
            AREA,
            State::Weak,
            format!("{sentence}, and a skipped one counts as success"),
        )
        .next("turn \"Skipped pipelines are considered successful\" off"),
        Fact::Unknown(unknown) => Finding::unseen(
            AREA,
            &format!("{sentence}; whether a skipped one counts is not known"),
            &unknown,
        ),
    }
}

/// The check is required by its name: who demands it, and whose result counts.
fn by_name(facts: &Snapshot, rules: &BranchRules, check: &str) -> Finding {
    let named = |required: &RequiredCheck| required.name == check;
    let layers = rules
        .required_checks
        .layers_where(|list| list.iter().any(named));
    let by = if layers.is_empty() {
        String::new()
    } else {
        format!("{} requires ", some(&layers))
    };
    let pinned = requires(rules, |_, required| {
        named(required) && required.app.is_some()
    });
    let apps: Vec<&str> = rules
        .required_checks
        .known()
        .flat_map(|(_, list)| list)
        .filter(|required| named(required))
        .filter_map(|required| required.app.as_deref())
        .collect();
    // Only on the vendor's cloud is the id of the app of all workflows known.
    let of_workflows = apps.contains(&PIPELINES)
        && facts
            .settings
            .server
            .known()
            .is_ok_and(|server| server.version.is_none());
    match pinned {
        Fact::Unknown(unknown) => Finding::unseen(
            Area::Required,
            &format!("{by}`{check}`; whether it is pinned to an app is not known"),
            &unknown,
        ),
        Fact::Known { value: false, .. } => Finding::new(
            Area::Required,
            State::Weak,
            format!("{by}`{check}` from any source"),
        )
        .next("pin the check to the app that reports it (integrity G3 asks for one of its own)"),
        Fact::Known { value: true, .. } if of_workflows => Finding::new(
            Area::Required,
            State::Weak,
            format!(
                "{by}`{check}` from the app of all workflows, so any workflow here can report it"
            ),
        )
        .next("let an app of its own report the check, and pin the check to it (integrity G3)"),
        Fact::Known { value: true, .. } => Finding::new(
            Area::Required,
            State::Ok,
            format!("{by}`{check}` from app {} only", some(&apps)),
        ),
    }
}

/// Who can go around the rules of the branch.
pub(super) fn bypass(facts: &Snapshot) -> Finding {
    let rules = match &facts.branch_rules {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => {
            return Finding::unseen(Area::Bypass, "who can go around the rules", unknown);
        }
    };
    if rules.layers.is_empty() {
        return Finding::new(
            Area::Bypass,
            State::Bad,
            format!(
                "nothing protects `{}`, so there is nothing to go around",
                rules.branch
            ),
        )
        .next("protect the branch");
    }
    let mut somebody = Vec::new();
    let mut hidden: Vec<(&str, &Unknown)> = Vec::new();
    for layer in &rules.layers {
        match &layer.bypass {
            Fact::Known { value, .. } if value.is_empty() => {}
            Fact::Known { value, .. } => {
                let names: Vec<&str> = value.iter().map(|actor| actor.name.as_str()).collect();
                somebody.push(format!("{}: {}", layer.id, some(&names)));
            }
            Fact::Unknown(unknown) => hidden.push((&layer.id, unknown)),
        }
    }
    let unseen = |layer: &str, unknown: &Unknown| format!("{layer}: not seen: {}", reason(unknown));
    let mut finding = match (somebody.as_slice(), hidden.as_slice()) {
        ([], []) => Finding::new(
            Area::Bypass,
            State::Ok,
            "nobody can go around the rules of the branch",
        ),
        ([], [(_, first), ..]) => Finding::new(
            Area::Bypass,
            State::Unknown,
            "who can go around the rules is not seen",
        )
        .next_if(first.needs.as_ref().map(|needs| format!("grant {needs}"))),
        ([..], _) => Finding::new(
            Area::Bypass,
            State::Weak,
            "somebody can go around the rules of the branch",
        )
        .next("empty these lists; `ccgate` has an override that leaves a record"),
    };
    finding.details = somebody;
    for (layer, unknown) in hidden {
        finding.details.push(unseen(layer, unknown));
    }
    finding
}

/// Events after which a review is judged.
const AFTER_REVIEW: [&str; 3] = ["pull_request_review", "schedule", "workflow_run"];

/// What starts the gate, and what may keep it from starting or from counting.
pub(super) fn triggers(facts: &Snapshot, check: &str) -> Finding {
    const AREA: Area = Area::Triggers;
    let definition = match &facts.settings.definition {
        Fact::Known { value, .. } => value,
        Fact::Unknown(unknown) => {
            return Finding::unseen(AREA, "what starts the gate is not seen", unknown);
        }
    };
    let runs = Runs::of(definition, check);
    if runs.jobs.is_empty() {
        let sentence = format!("no definition that could be read has a job that reports `{check}`");
        return match &runs.hidden {
            Some(unknown) => Finding::unseen(AREA, &sentence, unknown),
            None => Finding::new(AREA, State::Unknown, sentence).next(
                "if a service of its own reports the check, all is well: say so with `outside: \
                 true` of gate-guards-itself; else add the job",
            ),
        };
    }
    let mut started: Vec<&str> = Vec::new();
    let mut weak = Vec::new();
    let accepted = Conditions::default();
    for at in &runs.jobs {
        for trigger in &at.definition.triggers {
            if !started.contains(&trigger.as_str()) {
                started.push(trigger);
            }
        }
        if at.definition.filtered {
            weak.push(format!("a filter in {} may keep it from starting", at.path));
        }
        weak.extend(at.gives_way(&accepted));
    }
    let mut paths: Vec<&str> = runs.jobs.iter().map(|at| at.path).collect();
    paths.dedup();
    let on = if started.is_empty() {
        "without an event that could be read".to_owned()
    } else {
        format!("on {}", some(&started))
    };
    let mut details = Vec::new();
    if facts.subject.platform == Platform::Github {
        if !started.iter().any(|event| AFTER_REVIEW.contains(event)) {
            weak.push(
                "no event after a review: its result is stale until the next push".to_owned(),
            );
        }
        if !started.contains(&"merge_group") {
            details.push("no `merge_group`: a merge queue would wait for it in vain".to_owned());
        }
        let from_base = runs
            .jobs
            .iter()
            .any(|at| is_started_from_base(&at.definition.triggers));
        if !from_base && !lies_elsewhere(definition, &facts.subject.repository) {
            weak.push("what runs is what the change itself says (integrity G2)".to_owned());
        }
    }
    let state = if weak.is_empty() {
        State::Ok
    } else {
        State::Weak
    };
    let mut finding = Finding::new(AREA, state, format!("{} {on}", some(&paths)));
    finding.details = weak;
    finding.details.extend(details);
    if let Some(unknown) = &runs.hidden {
        finding = finding.detail(format!("there may be more: {}", reason(unknown)));
    }
    finding
}

/// The first few names, and how many more there are.
pub(super) fn some(names: &[&str]) -> String {
    match names.len().checked_sub(MOST) {
        None | Some(0) => names.join(", "),
        Some(more) => {
            let first: Vec<&str> = names.iter().take(MOST).copied().collect();
            format!("{} and {more} more", first.join(", "))
        }
    }
}
