//! The section `controls` as it is written: which controls, how strict, with
//! which parameters. Parameters are checked one by one against the control's
//! own schema, so that each wrong one is reported at its own place.

use jiff::civil::Date;
use serde_json::{Map, Value};

use crate::controls::custom::CustomControl;
use crate::controls::{Bound, Entry, Meta, TABLE, find};

use super::model::{Enforcement, OnUnknown};
use super::problem::{Report, Spot};
use super::read::{check_pattern, date, entries, found, handle, json, text, word};
use super::words::{did_you_mean, quote, visible};
use super::yaml::{Key, Node};

/// Keys that stand beside a control's parameters.
pub(super) const RESERVED: [&str; 6] = [
    "enforce",
    "on_unknown",
    "compensated_by",
    "reason",
    "owner",
    "expires",
];

/// Words of `enforce`.
const ENFORCE: [(&str, Enforcement); 3] = [
    ("block", Enforcement::Block),
    ("warn", Enforcement::Warn),
    ("off", Enforcement::Off),
];

/// Words of `on_unknown`.
const ON_UNKNOWN: [(&str, OnUnknown); 2] = [("block", OnUnknown::Block), ("warn", OnUnknown::Warn)];

/// Id of the control that judges scan results.
pub const SCANS_CONTROL: &str = "sast-clean";

/// Its parameter in which the policy's own section `scans` is handed to it.
pub const SCANS_PARAMETER: &str = "scans";

/// A control before its parameters: one of the table, or the policy's own.
pub(super) enum Definition {
    /// One of the table.
    Table(&'static Entry),
    /// The policy's own; its expressions are all its parameters.
    Own(CustomControl),
}

impl Definition {
    pub(super) fn meta(&self) -> &'static Meta {
        match self {
            Self::Table(entry) => entry.meta,
            Self::Own(control) => control.meta(),
        }
    }

    pub(super) fn bind(&self, parameters: Value) -> Result<Box<dyn Bound>, serde_json::Error> {
        match self {
            Self::Table(entry) => entry.bind(parameters),
            Self::Own(control) => Ok(Box::new(control.clone())),
        }
    }
}

/// What a file says about one control.
pub(super) struct ControlChoice {
    /// The control.
    pub(super) definition: Definition,
    /// Where it is named.
    pub(super) spot: Spot,
    /// `enforce`, if given.
    pub(super) enforcement: Option<Enforcement>,
    /// `on_unknown`, if given.
    pub(super) on_unknown: Option<OnUnknown>,
    /// The control that makes up for what the plan does not sell, if given.
    pub(super) compensated_by: Option<&'static Entry>,
    /// The parameters given, each valid by itself.
    pub(super) parameters: Map<String, Value>,
    /// Why it asks for less.
    pub(super) reason: Option<String>,
    /// Who answers for that.
    pub(super) owner: Option<String>,
    /// Until when.
    pub(super) expires: Option<Date>,
}

impl ControlChoice {
    /// The control as a file just lists it.
    pub(super) fn of(definition: Definition, spot: Spot) -> Self {
        Self {
            definition,
            spot,
            enforcement: None,
            on_unknown: None,
            compensated_by: None,
            parameters: Map::new(),
            reason: None,
            owner: None,
            expires: None,
        }
    }

    /// Takes a key that every control has; `false` if it is another one.
    pub(super) fn take(&mut self, name: &str, node: &Node, report: &mut Report) -> bool {
        match name {
            "enforce" => self.enforcement = word(node, "`enforce`", &ENFORCE, report),
            "on_unknown" => self.on_unknown = word(node, "`on_unknown`", &ON_UNKNOWN, report),
            "reason" => self.reason = text(node, "`reason`", report),
            "owner" => self.owner = handle(node, "`owner`", report),
            "expires" => self.expires = date(node, "`expires`", report),
            _ => return false,
        }
        true
    }
}

/// Reads the section `controls`.
pub(super) fn control_choices(node: &Node, report: &mut Report) -> Vec<ControlChoice> {
    let mut choices: Vec<ControlChoice> = Vec::new();
    for (key, value) in entries(node, "`controls`", report).unwrap_or_default() {
        // A control that does not exist has no parameters to check.
        let Some(entry) = find_control(&key.text, key.spot, report) else {
            continue;
        };
        if let Some(first) = choices
            .iter()
            .find(|choice| choice.definition.meta().code == entry.meta.code)
        {
            report.add_help(
                key.spot,
                format!("the control {} is given twice", quote(&key.text)),
                format!("first given in line {}", first.spot.line),
            );
            continue;
        }
        choices.push(control_choice(entry, key, value, report));
    }
    choices
}

/// The control of that id or code.
pub(super) fn find_control(name: &str, spot: Spot, report: &mut Report) -> Option<&'static Entry> {
    let entry = find(name);
    if entry.is_none() {
        let names = TABLE
            .iter()
            .flat_map(|entry| [entry.meta.id, entry.meta.code]);
        let help = did_you_mean(name, names).filter(|help| help.starts_with("did you mean"));
        report.put(
            spot,
            format!("there is no control {}", quote(name)),
            Some(help.unwrap_or_else(|| "docs/controls.md lists them all".to_owned())),
        );
    }
    entry
}

fn control_choice(
    entry: &'static Entry,
    key: &Key,
    value: &Node,
    report: &mut Report,
) -> ControlChoice {
    let id = entry.meta.id;
    let mut choice = ControlChoice::of(Definition::Table(entry), key.spot);
    for (key, node) in entries(value, &format!("`{id}`"), report).unwrap_or_default() {
        match key.text.as_str() {
            "compensated_by" => choice.compensated_by = compensating(entry, node, report),
            name if choice.take(name, node, report) => {}
            name => {
                if let Some(value) = parameter(entry, name, key.spot, node, report) {
                    choice.parameters.insert(name.to_owned(), value);
                }
            }
        }
    }
    // Each is valid alone; some may not go together.
    if let Err(error) = entry.bind(Value::Object(choice.parameters.clone())) {
        report.add(
            key.spot,
            format!(
                "the parameters of `{id}` do not go together: {}",
                visible(&error.to_string())
            ),
        );
        choice.parameters = Map::new();
    }
    choice
}

/// The control that is to make up for `entry`; another one.
fn compensating(entry: &Entry, node: &Node, report: &mut Report) -> Option<&'static Entry> {
    let name = text(node, "`compensated_by`", report)?;
    let other = find_control(&name, node.spot, report)?;
    if other.meta.code == entry.meta.code {
        report.add(
            node.spot,
            format!("`{}` cannot make up for itself", entry.meta.id),
        );
        return None;
    }
    Some(other)
}

/// One parameter, valid by itself.
fn parameter(
    entry: &Entry,
    name: &str,
    spot: Spot,
    node: &Node,
    report: &mut Report,
) -> Option<Value> {
    let id = entry.meta.id;
    if id == SCANS_CONTROL && name == SCANS_PARAMETER {
        report.add_help(
            spot,
            format!("`{id}` takes no `{SCANS_PARAMETER}` here"),
            "list the results in the section `scans` of the policy",
        );
        return None;
    }
    let schema = entry.schema();
    let none = Map::new();
    let properties = schema
        .get("properties")
        .and_then(Value::as_object)
        .unwrap_or(&none);
    let Some(property) = properties.get(name) else {
        let known = properties.keys().map(String::as_str).chain(RESERVED);
        let known: Vec<_> = known
            .filter(|known| id != SCANS_CONTROL || *known != SCANS_PARAMETER)
            .collect();
        report.put(
            spot,
            format!("`{id}` has no parameter {}", quote(name)),
            did_you_mean(name, known),
        );
        return None;
    };
    let value = json(node);
    if let Err(error) = entry.bind(Value::Object(Map::from_iter([(
        name.to_owned(),
        value.clone(),
    )]))) {
        let what = format!("`{id}.{name}`");
        let message = match expected(property, &value) {
            Some(wanted) => format!("{what} has to be {wanted}, found {}", found(node)),
            None => format!("{what} is not valid: {}", visible(&error.to_string())),
        };
        report.add(node.spot, message);
        return None;
    }
    // A pattern that no control can use is found here, not when the gate runs.
    if name == "pattern"
        && let Value::String(pattern) = &value
    {
        check_pattern(pattern, node.spot, &format!("`{id}.{name}`"), report)?;
    }
    Some(value)
}

/// What a parameter wants, in words; `None` if the value already has that type
/// and something else is wrong with it.
fn expected(property: &Value, value: &Value) -> Option<String> {
    let types: Vec<&str> = match property.get("type") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(many)) => many.iter().filter_map(Value::as_str).collect(),
        _ => return None,
    };
    let fits = types.iter().any(|wanted| match *wanted {
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        _ => true,
    });
    let least = property.get("minimum").and_then(Value::as_f64);
    let integer_out_of_bounds = types.contains(&"integer") && value.is_number();
    if fits && !integer_out_of_bounds {
        return None;
    }
    let words: Vec<String> = types
        .iter()
        .filter(|wanted| **wanted != "null")
        .map(|wanted| match *wanted {
            "integer" => least.map_or_else(
                || "a whole number".to_owned(),
                |least| format!("a whole number of at least {least}"),
            ),
            "number" => "a number".to_owned(),
            "boolean" => "`true` or `false`".to_owned(),
            "string" => "text".to_owned(),
            "array" => "a list".to_owned(),
            _ => "a mapping".to_owned(),
        })
        .collect();
    (!words.is_empty()).then(|| words.join(" or "))
}
