//! One document and the presets it extends become one set of demands. What is
//! switched off or lowered needs reason, owner and expiry, and when its last
//! day is over the demand it lowered is back. Which of two documents wins is
//! decided in `floor.rs`.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use crate::controls::{Bound, find};
use crate::facts::PolicyDocument;

use super::choice::{ControlChoice, Definition, SCANS_CONTROL};
use super::file::{File, read};
use super::findings::{AcceptedFinding, ExploitedList};
use super::floor::{Voice, tighten};
use super::model::{
    BoundControl, Concession, Enforcement, LedgerChoice, Mode, Note, OnUnknown, OverrideRules,
    ScanExpectation, Waiver,
};
use super::presets::preset;
use super::problem::{Report, Spot};
use super::sections::nobody;
use super::words::visible;

/// How old a settings snapshot may be where the policy does not say.
pub(super) const DEFAULT_SETTINGS_AGE: SignedDuration = SignedDuration::from_hours(24);

/// What one or more documents demand together.
pub(super) struct Demands {
    pub(super) mode: Mode,
    pub(super) branches: Option<Vec<String>>,
    pub(super) settings_max_age: SignedDuration,
    /// By code.
    pub(super) controls: BTreeMap<&'static str, BoundControl>,
    /// By code, the parameters that were written down. Of a preset only these are
    /// demands; what it leaves at the default (a ticket pattern, say) a file may choose.
    pub(super) written: BTreeMap<&'static str, BTreeSet<String>>,
    pub(super) scans: Vec<ScanExpectation>,
    pub(super) accepted_findings: Vec<AcceptedFinding>,
    pub(super) known_exploited: Vec<ExploitedList>,
    pub(super) overrides: OverrideRules,
    pub(super) waivers: Vec<Waiver>,
    pub(super) frameworks: Vec<String>,
    pub(super) ledger: Option<LedgerChoice>,
    pub(super) notes: Vec<Note>,
    /// Names of the presets.
    pub(super) layers: Vec<String>,
}

impl Demands {
    fn nothing() -> Self {
        Self {
            mode: Mode::Enforce,
            branches: None,
            settings_max_age: DEFAULT_SETTINGS_AGE,
            controls: BTreeMap::new(),
            written: BTreeMap::new(),
            scans: Vec::new(),
            accepted_findings: Vec::new(),
            known_exploited: Vec::new(),
            overrides: nobody(),
            waivers: Vec::new(),
            frameworks: Vec::new(),
            ledger: None,
            notes: Vec::new(),
            layers: Vec::new(),
        }
    }
}

/// What a document demands on that day. What is wrong is in the report.
pub(super) fn resolve(document: &PolicyDocument, now: Timestamp, report: &mut Report) -> Demands {
    let before = report.count();
    let file = read(document, report);
    let readable = report.count() == before;
    let today = now.to_zoned(TimeZone::UTC).date();
    let base = base(&file.extends, now, report);
    let demands = put_on(base, file, today, report);
    if readable && demands.controls.is_empty() {
        report.add_help(
            Spot::START,
            "the policy enables no control, so nothing would be judged".to_owned(),
            "add `extends: [soc2-baseline]` or list controls under `controls`",
        );
    }
    demands
}

/// The presets together: of each demand the strictest.
fn base(presets: &[&'static str], now: Timestamp, report: &mut Report) -> Demands {
    let mut base: Option<Demands> = None;
    for name in presets {
        let Some(document) = preset(name) else {
            report.add(Spot::START, format!("the preset `{name}` is not built in"));
            continue;
        };
        let mut own = Report::new(&document.origin);
        let mut demands = resolve(&document, now, &mut own);
        for problem in own.into_problems() {
            report.add(Spot::START, problem.to_string());
        }
        // Places inside a preset help nobody: the file at hand sets nothing there.
        for bound in demands.controls.values_mut() {
            bound.place = None;
        }
        demands.layers = vec![document.origin];
        base = Some(match base {
            Some(base) => tighten(base, demands, Voice::Silent),
            None => demands,
        });
    }
    base.unwrap_or_else(Demands::nothing)
}

/// The file's own choices on top of what it extends.
fn put_on(mut base: Demands, file: File, today: Date, report: &mut Report) -> Demands {
    for choice in file.controls.into_iter().chain(file.custom) {
        let code = choice.definition.meta().code;
        let under = Under {
            bound: base.controls.remove(code),
            written: base.written.remove(code).unwrap_or_default(),
        };
        let names = choice.parameters.keys().cloned();
        let written = under.written.iter().cloned().chain(names).collect();
        if let Some(bound) = put_control(under, choice, today, report, &mut base.notes) {
            base.controls.insert(code, bound);
            base.written.insert(code, written);
        }
    }
    if !file.scans.is_empty()
        && let Some(entry) = find(SCANS_CONTROL)
        && !base.controls.contains_key(entry.meta.code)
    {
        report.add_help(
            file.scans_spot.unwrap_or(Spot::START),
            format!(
                "`scans` lists results, but `{SCANS_CONTROL}`, which judges them, is not enabled"
            ),
            format!("add `{SCANS_CONTROL}: {{}}` under `controls`"),
        );
    }
    base.scans.extend(file.scans);
    base.accepted_findings.extend(file.accepted_findings);
    base.known_exploited.extend(file.known_exploited);
    if let Some(mode) = file.mode {
        base.mode = mode;
    }
    if file.branches.is_some() {
        base.branches = file.branches;
    }
    if let Some(age) = file.settings_max_age {
        base.settings_max_age = age;
    }
    if let Some(overrides) = file.overrides {
        base.overrides = overrides;
    }
    base.waivers.extend(file.waivers);
    if !file.frameworks.is_empty() {
        base.frameworks = file.frameworks;
    }
    if file.ledger.is_some() {
        base.ledger = file.ledger;
    }
    base
}

/// What the presets say about one control.
struct Under {
    /// The control; `None` if none names it.
    bound: Option<BoundControl>,
    /// The parameters that they write down.
    written: BTreeSet<String>,
}

/// One control: what the file says, over what the presets say.
fn put_control(
    under: Under,
    choice: ControlChoice,
    today: Date,
    report: &mut Report,
    notes: &mut Vec<Note>,
) -> Option<BoundControl> {
    let definition = choice.definition;
    let id = definition.meta().id;
    let place = choice.spot.of(report.origin());
    // What holds if nothing was conceded: the presets' demand, else the strict default.
    let demanded = under.bound.as_ref().map(|_| &under.written);
    let strict = match under.bound {
        Some(under) => under,
        None => listed(&definition, choice.parameters.clone())?,
    };
    let mut parameters = match strict.control.parameters() {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    parameters.extend(choice.parameters);
    let enforcement = choice.enforcement.unwrap_or(strict.enforcement);
    let on_unknown = choice.on_unknown.unwrap_or(strict.on_unknown);
    let control = match definition.bind(Value::Object(parameters)) {
        Ok(control) => control,
        Err(error) => {
            let error = visible(&error.to_string());
            let message = format!("the parameters of `{id}` do not go together: {error}");
            report.add(choice.spot, message);
            return Some(strict);
        }
    };
    let compensated_by = match choice.compensated_by {
        Some(other) => Some(other.meta.code),
        None => strict.compensated_by,
    };
    let asked = Asked {
        enforcement,
        on_unknown,
        compensated_by,
    };
    let what = conceded(&strict, demanded, &*control, &asked);
    let Some(what) = what else {
        if let (Some(_), Some(expires)) = (demanded, choice.expires) {
            notes.push(Note {
                place: Some(place.clone()),
                message: format!(
                    "`{id}` asks for no less than its preset, so nothing ends on {expires}: remove `expires`"
                ),
            });
        }
        return Some(BoundControl {
            control,
            enforcement,
            on_unknown,
            compensated_by,
            concession: None,
            place: Some(place),
        });
    };
    let missing: Vec<&str> = [
        ("`reason`", choice.reason.is_none()),
        ("`owner`", choice.owner.is_none()),
        ("`expires`", choice.expires.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect();
    let (Some(reason), Some(owner), Some(expires)) = (choice.reason, choice.owner, choice.expires)
    else {
        report.add_help(
            choice.spot,
            format!(
                "`{id}` asks for less ({what}) and lacks {}",
                missing.join(", ")
            ),
            "whatever is switched off, lowered or compensated needs a reason, an owner and a last day",
        );
        return Some(strict);
    };
    if today > expires {
        notes.push(Note {
            place: Some(place.clone()),
            message: format!(
                "`{id}`: what was conceded ({what}) expired on {expires}; the full demand holds again (ask {} whether to renew it)",
                visible(&owner)
            ),
        });
        // What was asked for beyond the demand stays.
        let weaker = demanded.and_then(|written| weaker(&*control, &strict, written));
        return Some(BoundControl {
            control: match weaker {
                Some(_) => strict.control,
                None => control,
            },
            enforcement: enforcement.max(strict.enforcement),
            on_unknown: on_unknown.max(strict.on_unknown),
            compensated_by: strict.compensated_by,
            concession: None,
            place: Some(place),
        });
    }
    Some(BoundControl {
        control,
        enforcement,
        on_unknown,
        compensated_by,
        concession: Some(Concession {
            reason,
            owner,
            expires,
            what,
        }),
        place: Some(place),
    })
}

/// What a choice asks for beside the parameters.
struct Asked {
    enforcement: Enforcement,
    on_unknown: OnUnknown,
    compensated_by: Option<&'static str>,
}

/// In which way a choice asks for less; `None` if it does not. Where no preset
/// demands the control, only switching it off and compensating it count: both
/// open the gate where a bare listing would keep it closed.
fn conceded(
    strict: &BoundControl,
    demanded: Option<&BTreeSet<String>>,
    control: &dyn Bound,
    asked: &Asked,
) -> Option<String> {
    let Asked {
        enforcement,
        on_unknown,
        compensated_by,
    } = *asked;
    let mut less = Vec::new();
    if enforcement < strict.enforcement && (demanded.is_some() || enforcement == Enforcement::Off) {
        let (from, to) = (strict.enforcement.word(), enforcement.word());
        less.push(format!("enforce {from} -> {to}"));
    }
    if let Some(other) = compensated_by
        && strict.compensated_by != Some(other)
    {
        less.push(format!("compensated_by {other}"));
    }
    if let Some(written) = demanded {
        if on_unknown < strict.on_unknown {
            let (from, to) = (strict.on_unknown.word(), on_unknown.word());
            less.push(format!("on_unknown {from} -> {to}"));
        }
        less.extend(weaker(control, strict, written));
    }
    (!less.is_empty()).then(|| less.join(", "))
}

/// In which way the parameters ask for less than those that were written down.
fn weaker(
    control: &dyn Bound,
    strict: &BoundControl,
    written: &BTreeSet<String>,
) -> Option<String> {
    let mut demands = control.parameters();
    let strict = strict.control.parameters();
    if let Value::Object(demands) = &mut demands {
        for name in written {
            if let Some(value) = strict.get(name) {
                demands.insert(name.clone(), value.clone());
            }
        }
    }
    control.weaker_than(&demands)
}

/// A control as it is when a file just lists it.
fn listed(definition: &Definition, parameters: Map<String, Value>) -> Option<BoundControl> {
    Some(BoundControl {
        control: definition.bind(Value::Object(parameters)).ok()?,
        enforcement: Enforcement::Block,
        on_unknown: OnUnknown::Block,
        compensated_by: None,
        concession: None,
        place: None,
    })
}
