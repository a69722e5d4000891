//! The JSON Schema of the policy file, for editors: built from the table of
//! controls and from the words that the reader of policies knows. It cannot say
//! everything (dates that exist, patterns that compile, concessions that have to
//! be answered for); `ccgate policy lint` can.

use serde_json::{Map, Value, json};

use crate::controls::{Entry, TABLE};
use crate::criteria::Criterion;
use crate::facts::ScanFormat;
use crate::policy::{FRAMEWORKS, MAX_CUSTOM, PRESETS, SCANS_CONTROL, SCANS_PARAMETER};

/// Address of the schema's language.
const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";

/// Most levels of references that are written out; parameters need two.
const MAX_INLINED: usize = 8;

/// The schema of `.ccgate.yml`.
pub fn policy_schema() -> Value {
    json!({
        "$schema": DRAFT,
        "title": "ccgate policy",
        "description": "Which controls an organisation wants, how strictly, and who may override them (`.ccgate.yml`)",
        "type": "object",
        "additionalProperties": false,
        "required": ["version"],
        "anyOf": [{"required": ["extends"]}, {"required": ["controls"]}, {"required": ["custom"]}],
        "properties": {
            "version": {"title": "Version of this format", "const": 1},
            "extends": {
                "title": "Presets", "description": "of several the strictest demand holds",
                "type": "array", "uniqueItems": true, "items": {"enum": PRESETS},
            },
            "branches": {
                "title": "Branches in scope", "description": "globs; leave out for every branch",
                "type": "array", "minItems": 1, "items": text("a glob, e.g. `release/*`"),
            },
            "mode": {
                "title": "Mode", "description": "`enforce` closes the gate, `advisory` only speaks",
                "enum": ["enforce", "advisory"], "default": "enforce",
            },
            "settings": object("How settings are read", json!({
                "max_age": duration("how old a snapshot of the settings may be", "24h"),
            }), &[]),
            "controls": object("Controls", controls(), &[]),
            "custom": {
                "title": "Own controls", "description": "in CEL, over the names of docs/expressions.md",
                "type": "array", "maxItems": MAX_CUSTOM, "items": own_control(),
            },
            "scans": {"title": "Scan results expected", "type": "array", "items": scan()},
            "accepted_findings": {
                "title": "Findings that are accepted", "type": "array",
                "items": accepted_finding(),
            },
            "known_exploited": known_exploited(),
            "overrides": overrides(),
            "waivers": {"title": "Standing exemptions", "type": "array", "items": waiver()},
            "frameworks": {
                "title": "Frameworks that decisions are mapped to",
                "type": "array", "items": {"enum": FRAMEWORKS},
            },
            "ledger": object("Where records go", json!({
                "url": {"type": "string", "pattern": "^(dir:.|git\\+branch:|git\\+https://.|git\\+file:///.|s3://.|postgres://.)", "description": "`git+branch:NAME` in the judged repository, `git+https://HOST/PATH#BRANCH`, `postgres://HOST/DATABASE#NAME` (a build with `--features postgres`), or `dir:PATH`"},
                "required": {
                    "type": "boolean", "default": true,
                    "description": "whether the gate stays closed when the record cannot be written",
                },
            }), &["url"]),
        },
    })
}

/// Each control under its id.
fn controls() -> Value {
    let entries = TABLE
        .iter()
        .map(|entry| (entry.meta.id.to_owned(), control(entry)));
    Value::Object(entries.collect())
}

fn control(entry: &Entry) -> Value {
    let mut properties = json!({
        "enforce": {
            "description": "what a fail does", "enum": ["block", "warn", "off"],
        },
        "on_unknown": {
            "description": "what it does when a fact cannot be seen", "enum": ["block", "warn"],
        },
        "compensated_by": text(
            "id or code of the control that makes up for this one where the plan does not sell it",
        ),
        "reason": text("why it is switched off, compensated or asks for less"),
        "owner": handle("who answers for that"),
        "expires": date("the last day on which that holds (UTC)"),
    });
    if let Value::Object(properties) = &mut properties {
        properties.extend(parameters(entry));
    }
    let mut schema = object(
        &format!("{} {}", entry.meta.code, entry.meta.title),
        properties,
        &[],
    );
    schema["description"] = json!(entry.meta.rationale);
    schema
}

/// An id of an own control, or its code.
const OWN_CONTROL: &str = "^(CUS-)?[a-z][a-z0-9]*(-[a-z0-9]+)*$";

fn own_control() -> Value {
    let criteria = Criterion::ALL.map(Criterion::id);
    object(
        "One own control",
        json!({
            "id": {
                "type": "string", "maxLength": 64, "pattern": "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
                "description": "what is true when all is well; its code is `CUS-` and this id",
            },
            "title": text("the same in words"),
            "criteria": {
                "type": "array", "minItems": 1, "uniqueItems": true, "items": {"enum": criteria},
                "description": "the criteria it serves, the primary one first",
            },
            "when": expression("where it has a meaning; leave out for everywhere"),
            "assert": expression("what has to be true"),
            "next": text("the next step where it is not"),
            "enforce": {
                "description": "what a fail does", "enum": ["block", "warn", "off"],
            },
            "on_unknown": {
                "description": "what it does when nobody can tell", "enum": ["block", "warn"],
            },
            "reason": text("why it is switched off"),
            "owner": handle("who answers for that"),
            "expires": date("the last day on which that holds (UTC)"),
        }),
        &["id", "criteria", "assert"],
    )
}

/// CEL; `true` and numbers are expressions too.
fn expression(description: &str) -> Value {
    json!({"type": ["string", "boolean", "number"], "description": description})
}

/// The parameters of a control that a policy may set, each with its schema.
pub(super) fn parameters(entry: &Entry) -> Map<String, Value> {
    let schema = entry.schema();
    let definitions = schema.get("$defs").cloned().unwrap_or_default();
    let Some(Value::Object(properties)) = schema.get("properties") else {
        return Map::new();
    };
    properties
        .iter()
        // The policy's section `scans` is handed to this control; it is not set beside it.
        .filter(|(name, _)| !(entry.meta.id == SCANS_CONTROL && *name == SCANS_PARAMETER))
        .map(|(name, property)| {
            let mut property = property.clone();
            inline(&mut property, &definitions, MAX_INLINED);
            (name.clone(), property)
        })
        .collect()
}

/// Writes out references to `#/$defs/…`, which mean nothing in another document.
fn inline(value: &mut Value, definitions: &Value, levels: usize) {
    if levels == 0 {
        return;
    }
    let referred = value
        .get("$ref")
        .and_then(Value::as_str)
        .and_then(|reference| reference.strip_prefix("#/$defs/"))
        .and_then(|name| definitions.get(name))
        .cloned();
    if let (Some(Value::Object(referred)), Value::Object(object)) = (referred, &mut *value) {
        object.remove("$ref");
        for (key, part) in referred {
            object.entry(key).or_insert(part);
        }
    }
    match value {
        Value::Object(object) => object
            .values_mut()
            .for_each(|part| inline(part, definitions, levels - 1)),
        Value::Array(items) => items
            .iter_mut()
            .for_each(|part| inline(part, definitions, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn scan() -> Value {
    let severities = |description: &str| {
        let most = json!({"type": "integer", "minimum": 0});
        let words = ["critical", "high", "medium", "low", "none"];
        let words: Map<_, _> = words
            .iter()
            .map(|word| ((*word).to_owned(), most.clone()))
            .collect();
        json!({
            "type": "object", "description": description,
            "additionalProperties": false, "properties": words,
        })
    };
    let mut schema = object(
        "One result",
        json!({
            "tool": text("name of the tool as its report gives it"),
            "path": text("glob of its report files; `-` is the standard input"),
            "format": {
                "description": "the format that they are read as; leave out to tell it by their content",
                "enum": ScanFormat::ALL.map(|(word, _)| word),
            },
            "required": {"type": "boolean", "default": true, "description": "whether it has to be there"},
            "max_age": duration("oldest age allowed", "24h"),
            "new": severities("most new findings allowed for each severity"),
            "total": severities("most findings allowed for each severity"),
            "severity_map": severity_map(),
            "baseline": object(
                "Findings that were there before, as `ccgate scan baseline` writes them",
                json!({
                    "path": text("path of the file"),
                    "digest": digest("of the file"),
                    "expires": date("the last day on which it holds (UTC); then every finding is new"),
                }),
                &["path", "digest", "expires"],
            ),
        }),
        &["tool", "path"],
    );
    schema["dependentRequired"] = json!({"baseline": ["new"]});
    schema
}

fn severity() -> Value {
    json!({"enum": ["critical", "high", "medium", "low", "none"]})
}

fn severity_map() -> Value {
    let mut words: Map<_, _> = Map::new();
    for word in ["critical", "high", "medium", "low", "none", "unrated"] {
        words.insert(word.to_owned(), severity());
    }
    object(
        "Severities that take the place of the report's own",
        json!({
            "rules": {
                "type": "object", "additionalProperties": severity(),
                "propertyNames": {"minLength": 1},
                "description": "by rule, as the report names it",
            },
            "words": {
                "type": "object", "additionalProperties": false, "properties": words,
                "description": "by the severity that the report gives, `unrated` if it gives none",
            },
        }),
        &[],
    )
}

fn known_exploited() -> Value {
    json!({
        "title": "Vulnerabilities that are known to be exploited: they count as critical",
        "anyOf": [
            text("path of a file, JSON or CSV"),
            object(
                "A file that has to be that one",
                json!({"path": text("path of a file, JSON or CSV"), "digest": digest("of the file")}),
                &["path"],
            ),
        ],
    })
}

fn accepted_finding() -> Value {
    let mut schema = object(
        "One finding",
        json!({
            "tool": text("name of the tool as its report gives it"),
            "fingerprint": {
                "type": "string", "pattern": "^[0-9a-fA-F]{32}$",
                "description": "what `ccgate scan findings` prints; or give `rule` and `place`",
            },
            "rule": text("id of the rule or vulnerability"),
            "place": text("path relative to the repository, or `package@version`"),
            "severity": severity(),
            "count": {
                "type": "integer", "minimum": 0, "default": 1,
                "description": "how many findings with this fingerprint it covers",
            },
            "status": {"enum": ["not_affected", "affected"], "description": "in the words of VEX"},
            "justification": {
                "enum": [
                    "component_not_present", "vulnerable_code_not_present",
                    "vulnerable_code_not_in_execute_path",
                    "vulnerable_code_cannot_be_controlled_by_adversary",
                    "inline_mitigations_already_exist",
                ],
                "description": "of what is `not_affected`, in the words of VEX",
            },
            "reason": text("why"),
            "owner": handle("who answers for it"),
            "approved_by": handle("who approved it; somebody else than the owner"),
            "ticket": text("where it was decided"),
            "expires": date("the last day on which it holds (UTC); it acts in the last 90 days before"),
        }),
        &[
            "tool",
            "severity",
            "status",
            "reason",
            "owner",
            "approved_by",
            "ticket",
            "expires",
        ],
    );
    schema["properties"]["severity"]["description"] =
        json!("the worst that it covers; if the finding becomes worse, it counts again");
    schema["oneOf"] = json!([
        {"required": ["fingerprint"], "not": {"anyOf": [{"required": ["rule"]}, {"required": ["place"]}]}},
        {"required": ["rule", "place"], "not": {"required": ["fingerprint"]}},
    ]);
    schema["if"] = json!({"properties": {"status": {"const": "not_affected"}}});
    schema["then"] = json!({"required": ["justification"]});
    schema["else"] = json!({"not": {"required": ["justification"]}});
    schema
}

fn digest(description: &str) -> Value {
    json!({"type": "string", "pattern": "^sha256:[0-9a-fA-F]{64}$", "description": description})
}

fn overrides() -> Value {
    let mut schema = object(
        "Who may override, and how",
        json!({
            "allowed_by": {
                "type": "array", "items": handle("who may"),
                "description": "users and teams; an empty list: nobody",
            },
            "second_person": {
                "type": "boolean", "default": false,
                "description": "whether somebody other than who asks has to approve it (`/ccgate approve ID`), even if who asks may override and had no hand in the change",
            },
            "signed": {
                "type": "boolean", "default": false,
                "description": "whether an approval, and a request that needs none, counts only with its author's SSH signature by a key of `signers` or one that `published_keys` lets count; takes one of the two",
            },
            "signers": {
                "type": "object", "minProperties": 1,
                "propertyNames": {"pattern": "^@[^@/\\s]+$"},
                "additionalProperties": {
                    "type": "array", "minItems": 1,
                    "items": {"type": "string", "pattern": "^ssh-ed25519 [A-Za-z0-9+/]{68}( .*)?$"},
                },
                "description": "whose SSH keys (Ed25519) sign override commands, e.g. `{\"@ana\": [\"ssh-ed25519 AAAA…\"]}`; no key is two people's",
            },
            "published_keys": {
                "type": "boolean", "default": false,
                "description": "whether the SSH signing keys (Ed25519) that the platform publishes for an account count too, for whom `signers` lists none",
            },
            "environments": {
                "type": "array", "minItems": 1, "items": {"type": "string", "minLength": 1},
                "description": "environments in which an approval of the run that judges counts as `/ccgate approve ID`, if that is its comment (on GitLab only signed); leave out: none",
            },
            "never": {
                "type": "array", "items": control_name(),
                "description": "controls that are never overridden; those about the gate itself never are (CHG-16, EVD-02 to EVD-04, PIPE-12)",
            },
            "max_uses": {
                "type": "integer", "minimum": 1,
                "description": "most overrides of one control on one change, over all its heads; counted in the ledger",
            },
            "ticket": text("regular expression that the ticket has to match as a whole"),
            "min_reason": {
                "type": "integer", "minimum": 0, "default": 30,
                "description": "least number of characters of the reason",
            },
            "max": duration("how long it holds at most; `72h` is the most that can be given", "24h"),
            "review_within": {
                "type": "string", "default": "1 business day",
                "description": "time in which it has to be reviewed afterwards",
                "pattern": "^([0-9]+[smhdw]|1 (day|business day|week|hour)|[0-9]+ (days|business days|weeks|hours))$",
            },
            "time_zone": {
                "type": "string", "default": "UTC",
                "description": "name of the time zone in which business days are counted, e.g. `Europe/Vienna`",
            },
            "holidays": {
                "type": "array",
                "items": {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
                "description": "days off beside Saturdays and Sundays",
            },
        }),
        &["allowed_by"],
    );
    schema["description"] = json!("leave out: nobody may override");
    schema["if"] = json!({"properties": {"signed": {"const": true}}, "required": ["signed"]});
    schema["then"] = json!({"anyOf": [
        {"required": ["signers"]},
        {"properties": {"published_keys": {"const": true}}, "required": ["published_keys"]},
    ]});
    schema
}

fn control_name() -> Value {
    let names: Vec<_> = TABLE
        .iter()
        .flat_map(|entry| [entry.meta.id, entry.meta.code])
        .collect();
    json!({
        "anyOf": [{"enum": names}, {"type": "string", "pattern": OWN_CONTROL}],
        "description": "id or code of the control",
    })
}

fn waiver() -> Value {
    object(
        "One exemption",
        json!({
            "control": control_name(),
            "scope": text("glob over repository paths; `*` stops at `/`, `*` alone is all"),
            "reason": text("why"),
            "owner": handle("who answers for it"),
            "approved_by": handle("who approved it; somebody else than the owner"),
            "expires": date("the last day on which it holds (UTC); it acts in the last 90 days before"),
        }),
        &[
            "control",
            "scope",
            "reason",
            "owner",
            "approved_by",
            "expires",
        ],
    )
}

#[expect(clippy::needless_pass_by_value, reason = "a literal at every call")]
fn object(title: &str, properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({
        "title": title, "type": "object",
        "additionalProperties": false, "properties": properties,
    });
    if !required.is_empty() {
        schema["required"] = json!(required);
    }
    schema
}

fn text(description: &str) -> Value {
    json!({"type": "string", "minLength": 1, "description": description})
}

fn handle(description: &str) -> Value {
    json!({"type": "string", "pattern": "^@[^@\\s]+$", "description": description})
}

fn date(description: &str) -> Value {
    json!({"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$", "description": description})
}

fn duration(description: &str, default: &str) -> Value {
    json!({
        "type": "string", "pattern": "^[0-9]+[smhdw]$",
        "description": description, "default": default,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn objects(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(object) => {
                if object.get("type") == Some(&json!("object")) {
                    found.push(value.clone());
                }
                object.values().for_each(|part| objects(part, found));
            }
            Value::Array(items) => items.iter().for_each(|part| objects(part, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    #[test]
    fn no_mapping_takes_unknown_keys() {
        let mut found = Vec::new();
        objects(&policy_schema(), &mut found);
        assert!(found.len() > TABLE.len());
        for object in found {
            assert_ne!(object.get("additionalProperties"), None, "{object}");
            assert_ne!(object["additionalProperties"], json!(true), "{object}");
        }
    }

    #[test]
    fn every_control_is_there_with_its_parameters_and_no_open_reference() {
        let schema = policy_schema();
        assert!(!schema.to_string().contains("$ref"));
        for entry in TABLE {
            let control = &schema["properties"]["controls"]["properties"][entry.meta.id];
            for name in parameters(entry).keys() {
                assert!(control["properties"].get(name).is_some(), "{name}");
            }
            assert!(control["properties"].get("enforce").is_some());
        }
    }
}
