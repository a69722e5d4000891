//! A branch may only tighten what the default branch demands. This file
//! combines two sets of demands so that the stricter wins everywhere, and says
//! where the floor had to step in. It reads nothing and finds no problems: a
//! weaker branch policy is legal, it just does not hold.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use crate::facts::Severity;

use super::choice::SCANS_CONTROL;
use super::findings::AcceptedFinding;
use super::findings::floor::{hold_accepted, hold_baseline, hold_exploited, hold_maps};
use super::model::{
    BoundControl, Enforcement, LedgerChoice, Note, OverrideRules, ScanExpectation, Waiver,
};
use super::problem::Place;
use super::resolve::Demands;
use super::signers::{all_have_keys, listed_by_both};

/// Whether people have to be told where the floor won.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Voice {
    /// The default branch's policy against a branch's.
    Heard,
    /// Several presets of one file: the strictest is what was asked for.
    Silent,
}

/// Collects notes, if they are to be heard.
struct Notes {
    voice: Voice,
    notes: Vec<Note>,
}

impl Notes {
    fn say(&mut self, place: Option<&Place>, message: String) {
        if self.voice == Voice::Heard {
            self.notes.push(Note {
                place: place.cloned(),
                message,
            });
        }
    }
}

/// `target`, with the demands of `floor` wherever those are stricter or cannot be compared.
pub(super) fn tighten(target: Demands, floor: Demands, voice: Voice) -> Demands {
    let limits = limits(&floor);
    let mut notes = Notes {
        voice,
        notes: target.notes,
    };
    // The floor's own notes (an expired concession, say) hold for this branch too.
    for note in floor.notes {
        if !notes.notes.contains(&note) {
            notes.notes.push(note);
        }
    }
    if target.mode < floor.mode {
        let (own, wanted) = (target.mode.word(), floor.mode.word());
        let message = format!("`mode: {own}` does not hold: the default branch demands `{wanted}`");
        notes.say(None, message);
    }
    if target.settings_max_age > floor.settings_max_age {
        let message = "`settings.max_age` does not hold: the default branch demands newer settings";
        notes.say(None, message.to_owned());
    }
    let mut controls = target.controls;
    // What the default branch's policy compensates with a control that it does not itself
    // demand, it does not compensate; a branch that adds the control must not change that.
    let blocking: BTreeSet<&str> = floor
        .controls
        .iter()
        .filter(|(_, demand)| demand.enforcement == Enforcement::Block)
        .map(|(code, _)| *code)
        .collect();
    for (code, mut demand) in floor.controls {
        demand.compensated_by = demand
            .compensated_by
            .filter(|other| blocking.contains(other));
        let held = match controls.remove(code) {
            Some(own) => hold_control(own, demand, &mut notes),
            None if demand.enforcement == Enforcement::Off => demand,
            None => {
                let id = demand.control.meta().id;
                notes.say(
                    demand.place.as_ref(),
                    format!("`{id}` is judged although this branch's policy leaves it out: the default branch demands it"),
                );
                demand
            }
        };
        controls.insert(code, held);
    }
    let mut written = target.written;
    for (code, names) in floor.written {
        written.entry(code).or_default().extend(names);
    }
    let mut frameworks = target.frameworks;
    for name in floor.frameworks {
        if !frameworks.contains(&name) {
            frameworks.push(name);
        }
    }
    let mut layers = target.layers;
    for layer in floor.layers {
        if !layers.contains(&layer) {
            layers.push(layer);
        }
    }
    Demands {
        mode: target.mode.max(floor.mode),
        branches: either_scope(target.branches, floor.branches, &mut notes),
        settings_max_age: target.settings_max_age.min(floor.settings_max_age),
        controls,
        written,
        scans: hold_scans(target.scans, floor.scans, &limits, &mut notes),
        accepted_findings: match voice {
            Voice::Heard => {
                let (own, floor) = (target.accepted_findings, floor.accepted_findings);
                accepted_by_both(own, &floor, &mut notes)
            }
            Voice::Silent => target.accepted_findings,
        },
        known_exploited: hold_exploited(target.known_exploited, floor.known_exploited),
        overrides: match voice {
            Voice::Heard => hold_overrides(target.overrides, floor.overrides, &mut notes),
            Voice::Silent => target.overrides,
        },
        waivers: match voice {
            Voice::Heard => hold_waivers(target.waivers, &floor.waivers, &mut notes),
            Voice::Silent => target.waivers,
        },
        frameworks,
        ledger: hold_ledger(target.ledger, floor.ledger, &mut notes),
        notes: notes.notes,
        layers,
    }
}

/// One control that both name.
fn hold_control(own: BoundControl, demand: BoundControl, notes: &mut Notes) -> BoundControl {
    let id = own.control.meta().id;
    let mut won = Vec::new();
    if own.enforcement < demand.enforcement {
        let (less, more) = (own.enforcement.word(), demand.enforcement.word());
        won.push(format!("enforce {more}, here {less}"));
    }
    if own.on_unknown < demand.on_unknown {
        let (less, more) = (own.on_unknown.word(), demand.on_unknown.word());
        won.push(format!("on_unknown {more}, here {less}"));
    }
    let weaker = own.control.weaker_than(&demand.control.parameters());
    if let Some(weaker) = &weaker {
        won.push(format!("here weaker: {weaker}"));
    }
    // Which of two makes up for more is not known, so only the same one does.
    let compensated_by = own
        .compensated_by
        .filter(|other| demand.compensated_by == Some(*other));
    if let (Some(other), None) = (own.compensated_by, compensated_by) {
        won.push(format!("not compensated by {other}"));
    }
    if won.is_empty() {
        return own;
    }
    notes.say(
        own.place.as_ref(),
        format!(
            "`{id}` is held to what the default branch demands ({})",
            won.join("; ")
        ),
    );
    BoundControl {
        // Weaker in one way and stricter in another cannot be mixed: the floor's then.
        control: match weaker {
            Some(_) => demand.control,
            None => own.control,
        },
        enforcement: own.enforcement.max(demand.enforcement),
        on_unknown: own.on_unknown.max(demand.on_unknown),
        compensated_by,
        concession: demand.concession,
        place: own.place,
    }
}

/// A branch that either puts in scope is in scope.
fn either_scope(
    own: Option<Vec<String>>,
    floor: Option<Vec<String>>,
    notes: &mut Notes,
) -> Option<Vec<String>> {
    match (own, floor) {
        (None, _) => None,
        (Some(_), None) => {
            let message =
                "`branches` does not hold: the default branch's policy is for every branch";
            notes.say(None, message.to_owned());
            None
        }
        (Some(mut own), Some(floor)) => {
            let left_out: Vec<_> = floor
                .into_iter()
                .filter(|glob| !own.contains(glob))
                .collect();
            if !left_out.is_empty() {
                let message = format!(
                    "`branches` leaves out what the default branch's policy is for: {}",
                    super::words::quote(&left_out.join(", "))
                );
                notes.say(None, message);
            }
            own.extend(left_out);
            Some(own)
        }
    }
}

/// How many findings the floor lets pass in a result that it does not name.
fn limits(floor: &Demands) -> Vec<(Severity, u64)> {
    limits_of(floor.controls.values())
}

/// The same for any set of controls.
pub(super) fn limits_of<'b>(
    controls: impl IntoIterator<Item = &'b BoundControl>,
) -> Vec<(Severity, u64)> {
    let judge = controls.into_iter().find(|bound| {
        bound.control.meta().id == SCANS_CONTROL && bound.enforcement != Enforcement::Off
    });
    let parameters = judge.map(|bound| bound.control.parameters());
    let max = parameters.as_ref().and_then(|all| all.get("max"));
    [
        Severity::Critical,
        Severity::High,
        Severity::Medium,
        Severity::Low,
        Severity::None,
    ]
    .into_iter()
    .filter_map(|severity| Some((severity, max?.get(severity.word())?.as_u64()?)))
    .collect()
}

/// Each result that the floor expects is expected, at least as strictly. One that
/// only the branch names keeps to what the floor allows in any result: naming it
/// with a threshold of its own must not free it of that.
fn hold_scans(
    mut own: Vec<ScanExpectation>,
    floor: Vec<ScanExpectation>,
    limits: &[(Severity, u64)],
    notes: &mut Notes,
) -> Vec<ScanExpectation> {
    for scan in &mut own {
        let named = floor.iter().any(|demand| same_result(scan, demand));
        let has_thresholds = !scan.new.is_empty() || !scan.total.is_empty();
        let total = fewest(&scan.total, limits);
        if !named && has_thresholds && total != scan.total {
            let tool = super::words::quote(&scan.tool);
            let message =
                format!("the result of {tool} is held to what the default branch demands");
            notes.say(None, message);
            scan.total = total;
        }
        // Nor may it make the findings milder for whatever else judges them.
        let maps = hold_maps(&scan.severity_maps, &[]);
        if !named && maps != scan.severity_maps {
            let tool = super::words::quote(&scan.tool);
            let message = format!(
                "`severity_map` of {tool} lowers nothing: the default branch's policy does not name that result"
            );
            notes.say(None, message);
            scan.severity_maps = maps;
        }
        // Naming a result as one that may be missing must not excuse that it is.
        scan.required |= !named;
    }
    for demand in floor {
        let same = own.iter_mut().find(|scan| same_result(scan, &demand));
        let tool = super::words::quote(&demand.tool);
        let Some(scan) = same else {
            let message = format!(
                "the default branch expects a result of {tool}, so it is expected here too"
            );
            notes.say(None, message);
            own.push(demand);
            continue;
        };
        let held = ScanExpectation {
            tool: scan.tool.clone(),
            path: scan.path.clone(),
            // Read as something else a report may say less.
            format: demand.format,
            required: scan.required || demand.required,
            max_age: match (scan.max_age, demand.max_age) {
                (Some(one), Some(other)) => Some(one.min(other)),
                (one, other) => one.or(other),
            },
            new: fewest(&scan.new, &demand.new),
            total: fewest(&scan.total, &demand.total),
            severity_maps: hold_maps(&scan.severity_maps, &demand.severity_maps),
            baseline: hold_baseline(scan.baseline.as_ref(), demand.baseline.as_ref()),
        };
        if held != *scan {
            let message =
                format!("the result of {tool} is held to what the default branch demands");
            notes.say(None, message);
            *scan = held;
        }
    }
    own
}

pub(super) fn same_result(one: &ScanExpectation, other: &ScanExpectation) -> bool {
    one.tool.to_lowercase() == other.tool.to_lowercase() && one.path == other.path
}

/// For each severity the lower of both thresholds in force; one that only one side
/// has holds.
pub(super) fn fewest(own: &[(Severity, u64)], floor: &[(Severity, u64)]) -> Vec<(Severity, u64)> {
    let named = own.iter().chain(floor).map(|(severity, _)| *severity);
    let named: std::collections::BTreeSet<Severity> = named.collect();
    let mut all: Vec<(Severity, u64)> = named
        .into_iter()
        .filter_map(|severity| {
            let both = [in_force(own, severity), in_force(floor, severity)];
            Some((severity, both.into_iter().flatten().min()?))
        })
        .collect();
    all.sort_by_key(|(severity, _)| Reverse(*severity));
    all
}

/// The threshold of a severity: its own, else that of the worst milder one that has
/// any. What is too much of the milder is too much of the worse.
pub(super) fn in_force(thresholds: &[(Severity, u64)], severity: Severity) -> Option<u64> {
    thresholds
        .iter()
        .filter(|(milder, _)| *milder <= severity)
        .max_by_key(|(milder, _)| *milder)
        .map(|(_, most)| *most)
}

/// Who may override, at most those and at most that easily whom the floor lets.
fn hold_overrides(own: OverrideRules, floor: OverrideRules, notes: &mut Notes) -> OverrideRules {
    let mut won = Vec::new();
    let known = |handle: &String| {
        let handle = handle.to_lowercase();
        floor
            .allowed_by
            .iter()
            .any(|one| one.to_lowercase() == handle)
    };
    let subset = own.allowed_by.iter().all(known);
    if !subset {
        won.push("allowed_by");
    }
    if !own.second_person && floor.second_person {
        won.push("second_person");
    }
    if !own.signed && floor.signed {
        won.push("signed");
    }
    let listed = own.signers.len();
    let signers = listed_by_both(own.signers, &floor.signers);
    if signers.len() != listed {
        won.push("signers");
    }
    let published_keys =
        own.published_keys && floor.published_keys && all_have_keys(&signers, &floor.signers);
    if published_keys != own.published_keys {
        won.push("published_keys");
    }
    let named = own.environments.len();
    let mut environments = own.environments;
    environments.retain(|one| floor.environments.contains(one));
    if environments.len() != named {
        won.push("environments");
    }
    let never_too: Vec<String> = floor
        .never
        .into_iter()
        .filter(|id| !own.never.contains(id))
        .collect();
    if !never_too.is_empty() {
        won.push("never");
    }
    let max_uses = match (own.max_uses, floor.max_uses) {
        (Some(own), Some(floor)) => Some(own.min(floor)),
        (own, floor) => own.or(floor),
    };
    if max_uses != own.max_uses {
        won.push("max_uses");
    }
    // Two patterns cannot be compared, so a differing one gives way.
    let same_ticket = match (&own.ticket, &floor.ticket) {
        (Some(one), Some(other)) => one.as_str() == other.as_str(),
        (_, None) => true,
        (None, Some(_)) => false,
    };
    if !same_ticket {
        won.push("ticket");
    }
    if own.min_reason < floor.min_reason {
        won.push("min_reason");
    }
    if own.max > floor.max {
        won.push("max");
    }
    if own.review_within != floor.review_within {
        won.push("review_within");
    }
    if own.time_zone != floor.time_zone {
        won.push("time_zone");
    }
    if own.holidays != floor.holidays {
        won.push("holidays");
    }
    // Where nobody may override, nobody has to be told about the fine print.
    if !won.is_empty() && !own.allowed_by.is_empty() {
        notes.say(
            None,
            format!(
                "`overrides` is held to the default branch's rules ({})",
                won.join(", ")
            ),
        );
    }
    OverrideRules {
        second_person: own.second_person || floor.second_person,
        signed: own.signed || floor.signed,
        signers,
        published_keys,
        environments,
        max_uses,
        never: own.never.into_iter().chain(never_too).collect(),
        ticket: if same_ticket {
            own.ticket
        } else {
            floor.ticket
        },
        min_reason: own.min_reason.max(floor.min_reason),
        max: own.max.min(floor.max),
        review_within: floor.review_within,
        time_zone: floor.time_zone,
        holidays: floor.holidays,
        allowed_by: if subset {
            own.allowed_by
        } else {
            floor.allowed_by
        },
    }
}

/// Only exemptions that the floor grants too, and no longer than it does.
fn hold_waivers(own: Vec<Waiver>, floor: &[Waiver], notes: &mut Notes) -> Vec<Waiver> {
    let mut held = Vec::new();
    for waiver in own {
        let before = held.len();
        held.extend(
            floor
                .iter()
                .filter(|one| one.control == waiver.control && one.scope == waiver.scope)
                .map(|granted| Waiver {
                    // What does not act on the default branch yet acts nowhere.
                    begins: waiver.begins.max(granted.begins),
                    expires: waiver.expires.min(granted.expires),
                    ..granted.clone()
                }),
        );
        if held.len() == before {
            notes.say(
                Some(&waiver.place),
                format!(
                    "the waiver of `{}` does not hold: the default branch's policy does not grant it",
                    waiver.control
                ),
            );
        }
    }
    held
}

/// Only the acceptances that the floor grants too.
fn accepted_by_both(
    own: Vec<AcceptedFinding>,
    floor: &[AcceptedFinding],
    notes: &mut Notes,
) -> Vec<AcceptedFinding> {
    let (held, refused) = hold_accepted(own, floor);
    for accepted in refused {
        let what = super::words::quote(&accepted.words());
        let message = format!(
            "the acceptance of {what} does not hold: the default branch's policy does not grant it"
        );
        notes.say(Some(&accepted.at), message);
    }
    held
}

/// Records go where the floor says, and have to if it says so.
fn hold_ledger(
    own: Option<LedgerChoice>,
    floor: Option<LedgerChoice>,
    notes: &mut Notes,
) -> Option<LedgerChoice> {
    let Some(floor) = floor else { return own };
    let Some(own) = own else { return Some(floor) };
    if own.url != floor.url || (floor.required && !own.required) {
        let message = "`ledger` does not hold: records go where the default branch's policy says";
        notes.say(None, message.to_owned());
    }
    Some(LedgerChoice {
        url: floor.url,
        required: own.required || floor.required,
    })
}
