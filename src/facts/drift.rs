//! What changed between two settings snapshots of one repository, and whether it
//! made the protection weaker or stronger. Compares what was written down, value
//! by value; which change matters is for the controls to say.
//!
//! Every value has a rule below that says which way is stronger. A change that
//! no rule explains is *changed*, never *stronger*.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::settings_snapshot::SettingsSnapshot;

/// Which way a setting went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// Less is protected, or less is seen.
    Weaker,
    /// Neither can be said.
    Changed,
    /// More is protected.
    Stronger,
}

impl Direction {
    /// The word, as it stands in outputs.
    pub fn word(self) -> &'static str {
        match self {
            Self::Weaker => "weaker",
            Self::Changed => "changed",
            Self::Stronger => "stronger",
        }
    }
}

/// One setting that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Where it stands, in words, e.g. `branch main: approvals_required, ruleset "main"`.
    pub setting: String,
    /// What it was.
    pub before: String,
    /// What it is.
    pub after: String,
    /// Which way it went.
    pub direction: Direction,
}

/// Which way of a value is the stronger one.
#[derive(Clone, Copy)]
enum Stronger {
    /// `true`.
    On,
    /// `false`.
    Off,
    /// The larger number.
    More,
    /// The smaller number.
    Less,
    /// The longer list.
    Longer,
    /// The shorter list.
    Shorter,
    /// The word that stands further left.
    Words(&'static [&'static str]),
}

const WHO: Stronger = Stronger::Words(&["nobody", "owners", "administrators", "members"]);
const ROLES: Stronger = Stronger::Words(&["none", "read", "triage", "write", "maintain", "admin"]);

/// The rule for each field, by its name; names mean the same wherever they stand.
const RULES: &[(&str, Stronger)] = &[
    // Requirements of a branch.
    ("protected", Stronger::On),
    ("pull_request_required", Stronger::On),
    ("approvals_required", Stronger::More),
    ("stale_approvals_dismissed", Stronger::On),
    ("last_push_approval_required", Stronger::On),
    ("author_approval_blocked", Stronger::On),
    ("committer_approval_blocked", Stronger::On),
    ("code_owner_review_required", Stronger::On),
    ("approval_rules_locked", Stronger::On),
    ("dismissal_restricted", Stronger::On),
    ("conversations_resolved", Stronger::On),
    ("required_checks", Stronger::Longer),
    ("skipped_checks_block", Stronger::On),
    ("up_to_date_required", Stronger::On),
    ("force_push_blocked", Stronger::On),
    ("deletion_blocked", Stronger::On),
    ("restricted", Stronger::On),
    ("actors", Stronger::Shorter),
    ("linear_history_required", Stronger::On),
    ("merge_methods", Stronger::Shorter),
    ("signatures_required", Stronger::On),
    ("removal_limited", Stronger::On),
    ("identity_rules", Stronger::Longer),
    ("path_reviewers", Stronger::Longer),
    ("required_workflows", Stronger::Longer),
    ("layers", Stronger::Longer),
    ("demands", Stronger::Longer),
    ("bypass", Stronger::Shorter),
    ("inactive", Stronger::Shorter),
    ("all_repositories", Stronger::On),
    ("branches", Stronger::Longer),
    ("not_in_plan", Stronger::Shorter),
    // Organisation.
    ("two_factor_required", Stronger::On),
    ("two_factor_grace_hours", Stronger::Less),
    ("base_permission", ROLES),
    ("repository_creation", WHO),
    ("repository_deletion", WHO),
    ("visibility_change", WHO),
    ("outside_invitation", WHO),
    ("private_forking", Stronger::Off),
    ("enforced", Stronger::On),
    ("ip_allow_list", Stronger::On),
    ("verified_domains", Stronger::Longer),
    ("notifications_restricted", Stronger::On),
    ("disabled", Stronger::Shorter),
    ("insecure", Stronger::Shorter),
    ("organization_owners", Stronger::Shorter),
    ("outside_collaborators", Stronger::Shorter),
    ("app_installations", Stronger::Shorter),
    ("suspended", Stronger::On),
    ("permissions", Stronger::Shorter),
    ("approval_required", Stronger::On),
    ("classic_blocked", Stronger::On),
    ("tokens", Stronger::Shorter),
    ("branch_rules", Stronger::Longer),
    // Access.
    (
        "visibility",
        Stronger::Words(&["private", "internal", "public"]),
    ),
    ("auto_merge", Stronger::Off),
    ("public_pipelines", Stronger::Off),
    ("people", Stronger::Shorter),
    ("teams", Stronger::Shorter),
    ("role", ROLES),
    ("direct", ROLES),
    ("outside", Stronger::Off),
    ("deploy_keys", Stronger::Shorter),
    ("can_write", Stronger::Off),
    ("access_tokens", Stronger::Shorter),
    ("scopes", Stronger::Shorter),
    ("webhooks", Stronger::Shorter),
    ("organization_webhooks", Stronger::Shorter),
    ("https", Stronger::On),
    ("verifies_tls", Stronger::On),
    ("has_secret", Stronger::On),
    // Tags and releases.
    ("tag_protections", Stronger::Longer),
    ("include", Stronger::Longer),
    ("exclude", Stronger::Shorter),
    ("creation_limited", Stronger::On),
    ("update_blocked", Stronger::On),
    ("immutable", Stronger::On),
    ("platform_errors", Stronger::Shorter),
    ("exists", Stronger::On),
    // Pipelines.
    ("default_token", Stronger::Words(&["none", "read", "write"])),
    ("can_approve", Stronger::Off),
    (
        "allowed_sources",
        Stronger::Words(&["disabled", "local_only", "selected", "anything"]),
    ),
    ("patterns", Stronger::Shorter),
    ("pinning_required", Stronger::On),
    ("run", Stronger::Off),
    ("everybody_waits", Stronger::On),
    ("secrets", Stronger::Shorter),
    ("write_token", Stronger::Off),
    ("variables_by", WHO),
    ("runners", Stronger::Shorter),
    ("self_hosted", Stronger::Off),
    ("shared", Stronger::Off),
    ("ephemeral", Stronger::On),
    ("protected_only", Stronger::On),
    ("masked", Stronger::On),
    ("pinned", Stronger::On),
    // Environments.
    ("reviewers", Stronger::Longer),
    ("approvals", Stronger::More),
    ("min", Stronger::More),
    ("self_review_prevented", Stronger::On),
    ("administrators_exempt", Stronger::Off),
    (
        "refs",
        Stronger::Words(&["protected_only", "patterns", "anything"]),
    ),
    // Scans of the platform.
    ("secret_pushes_blocked", Stronger::On),
    ("push_bypasses", Stronger::Shorter),
    ("scans_of_repository", Stronger::Longer),
    ("scans_from_above", Stronger::Longer),
];

/// Fields that tell where and when a value was seen, not what it is.
const ASIDE: [&str; 9] = [
    "sources",
    "digest",
    "merged_heads",
    "last_used",
    "last_activity",
    "last_active",
    "member_activity",
    "server",
    // What is open today is news of the scans, no setting.
    "alerts",
];

/// Everything that differs, weaker things first.
///
/// # Errors
/// A snapshot that cannot be written down, which does not happen.
pub fn drift(
    before: &SettingsSnapshot,
    after: &SettingsSnapshot,
) -> Result<Vec<Change>, serde_json::Error> {
    let mut changes = Vec::new();
    let mut walk = Walk {
        changes: &mut changes,
    };
    let settings = (
        serde_json::to_value(&before.settings)?,
        serde_json::to_value(&after.settings)?,
    );
    walk.value("", "settings", &settings.0, &settings.1);
    let branches = (
        serde_json::to_value(&before.branches)?,
        serde_json::to_value(&after.branches)?,
    );
    walk.value("", "branches", &branches.0, &branches.1);
    changes.sort_by(|a, b| (a.direction, &a.setting).cmp(&(b.direction, &b.setting)));
    Ok(changes)
}

struct Walk<'a> {
    changes: &'a mut Vec<Change>,
}

impl Walk<'_> {
    fn say(&mut self, path: &str, before: &Value, after: &Value, direction: Direction) {
        self.changes.push(Change {
            setting: path.to_owned(),
            before: words(before),
            after: words(after),
            direction,
        });
    }

    /// Compares two values under one field's name.
    fn value(&mut self, path: &str, field: &str, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        match (seen(before), seen(after)) {
            (Seen::Plain(before), Seen::Plain(after)) => self.plain(path, field, before, after),
            (Seen::Hidden, Seen::Hidden) => {}
            (Seen::Hidden, Seen::Plain(after)) => {
                // It may have been so all the time: seeing it is no change of it.
                self.say(path, &Value::from("not seen"), after, Direction::Changed);
            }
            (Seen::Plain(before), Seen::Hidden) => {
                self.say(path, before, &Value::from("not seen"), Direction::Weaker);
            }
        }
    }

    fn plain(&mut self, path: &str, field: &str, before: &Value, after: &Value) {
        if before == after {
            return;
        }
        match (before, after) {
            (Value::Object(old), Value::Object(new)) if is_record(old) && is_record(new) => {
                self.record(path, old, new);
            }
            (Value::Array(old), Value::Array(new)) => self.list(path, field, old, new),
            _ => {
                let direction = scalar(field, before, after);
                self.say(path, before, after, direction);
            }
        }
    }

    fn record(&mut self, path: &str, old: &Map<String, Value>, new: &Map<String, Value>) {
        let mut fields: Vec<&String> = old.keys().chain(new.keys()).collect();
        fields.sort();
        fields.dedup();
        for field in fields {
            if ASIDE.contains(&field.as_str()) {
                continue;
            }
            let (before, after) = (
                old.get(field).unwrap_or(&Value::Null),
                new.get(field).unwrap_or(&Value::Null),
            );
            let below = match field.as_str() {
                "demands" | "value" => path.to_owned(),
                _ => join(path, field),
            };
            // A demand's value follows the rule of the requirement that it is made for.
            let rule = match field.as_str() {
                "demands" | "value" => requirement(path),
                other => other,
            };
            self.value(&below, rule, before, after);
        }
    }

    fn list(&mut self, path: &str, field: &str, old: &[Value], new: &[Value]) {
        let (before, after) = (by_name(old), by_name(new));
        for (name, value) in &before {
            let place = join(path, name);
            match after.get(name) {
                Some(other) => self.value(&place, field, value, other),
                None => {
                    let direction = longer(field, false);
                    self.say(&place, value, &Value::from("gone"), direction);
                }
            }
        }
        for (name, value) in &after {
            if !before.contains_key(name) {
                let direction = longer(field, true);
                self.say(&join(path, name), &Value::from("absent"), value, direction);
            }
        }
    }
}

/// A fact, or a plain value.
enum Seen<'v> {
    Plain(&'v Value),
    Hidden,
}

fn seen(value: &Value) -> Seen<'_> {
    match value.get("state").and_then(Value::as_str) {
        Some("unknown") => Seen::Hidden,
        Some("known") => Seen::Plain(value.get("value").unwrap_or(&Value::Null)),
        _ => Seen::Plain(value),
    }
}

/// An object with named fields, not one word with a value (`{"environment": "x"}`).
fn is_record(object: &Map<String, Value>) -> bool {
    object.len() != 1 || object.contains_key("restricted")
}

fn rule(field: &str) -> Option<Stronger> {
    RULES
        .iter()
        .find(|(name, _)| *name == field)
        .map(|(_, rule)| *rule)
}

/// Which way a list went that grew or shrank.
fn longer(field: &str, grew: bool) -> Direction {
    match rule(field) {
        Some(Stronger::Longer) if grew => Direction::Stronger,
        Some(Stronger::Longer) => Direction::Weaker,
        Some(Stronger::Shorter) if grew => Direction::Weaker,
        Some(Stronger::Shorter) => Direction::Stronger,
        // A demand that stands or falls with its layer counts by what it demands.
        Some(Stronger::On | Stronger::More) if grew => Direction::Stronger,
        Some(Stronger::On | Stronger::More) => Direction::Weaker,
        Some(Stronger::Off | Stronger::Less | Stronger::Words(_)) | None => Direction::Changed,
    }
}

fn scalar(field: &str, before: &Value, after: &Value) -> Direction {
    let Some(rule) = rule(field) else {
        return Direction::Changed;
    };
    let order = match rule {
        Stronger::On => after
            .as_bool()
            .zip(before.as_bool())
            .map(|(a, b)| a.cmp(&b)),
        Stronger::Off => before
            .as_bool()
            .zip(after.as_bool())
            .map(|(b, a)| b.cmp(&a)),
        Stronger::More => after.as_u64().zip(before.as_u64()).map(|(a, b)| a.cmp(&b)),
        Stronger::Less => before.as_u64().zip(after.as_u64()).map(|(b, a)| b.cmp(&a)),
        Stronger::Words(order) => {
            let place = |value: &Value| {
                let word = word(value)?;
                // A word that nobody knows is the weakest.
                Some(
                    order
                        .iter()
                        .position(|known| *known == word)
                        .unwrap_or(order.len()),
                )
            };
            place(before).zip(place(after)).map(|(b, a)| b.cmp(&a))
        }
        Stronger::Longer | Stronger::Shorter => None,
    };
    match order {
        Some(std::cmp::Ordering::Greater) => Direction::Stronger,
        Some(std::cmp::Ordering::Less) => Direction::Weaker,
        Some(std::cmp::Ordering::Equal) | None => Direction::Changed,
    }
}

/// The word of an enum's value, with or without something in it.
fn word(value: &Value) -> Option<&str> {
    match value {
        Value::String(word) => Some(word),
        Value::Object(object) if object.len() == 1 => object.keys().next().map(String::as_str),
        Value::Object(_) | Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
            None
        }
    }
}

/// The list's entries under the names that people know them by.
fn by_name(list: &[Value]) -> BTreeMap<String, &Value> {
    let mut named = BTreeMap::new();
    for value in list {
        let name = name_of(value);
        let mut unique = name.clone();
        let mut number = 2;
        while named.contains_key(&unique) {
            unique = format!("{name} #{number}");
            number += 1;
        }
        named.insert(unique, value);
    }
    named
}

fn name_of(value: &Value) -> String {
    const NAMES: [&str; 9] = [
        "branch", "id", "layer", "name", "login", "title", "path", "target", "account",
    ];
    for field in NAMES {
        match value.get(field) {
            Some(Value::String(name)) => return name.clone(),
            Some(inner @ Value::Object(_)) => return name_of(inner),
            _ => {}
        }
    }
    words(value)
}

/// The requirement that the path ends in, e.g. `approvals_required`.
fn requirement(path: &str) -> &str {
    path.split(": ")
        .find(|part| rule(part).is_some())
        .unwrap_or("")
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() {
        field.to_owned()
    } else {
        format!("{path}: {field}")
    }
}

/// A value as people read it: no braces where one word says it.
fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(items) if items.is_empty() => "nothing".to_owned(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(object) => match seen(value) {
            Seen::Hidden => "not seen".to_owned(),
            Seen::Plain(inner) if !std::ptr::eq(inner, value) => words(inner),
            Seen::Plain(_) => object
                .iter()
                .filter(|(field, _)| !ASIDE.contains(&field.as_str()))
                .map(|(field, inner)| format!("{field} {}", words(inner)))
                .collect::<Vec<_>>()
                .join(", "),
        },
    }
}

#[cfg(test)]
#[path = "drift_tests.rs"]
mod tests;
