//! The table of controls as documents: `docs/controls.md` and the table of token
//! rights. Everything comes from the controls' own metadata; the platforms' lists
//! of rights are handed in, because this room does not know the platforms.

use std::fmt::Write as _;

use serde_json::Value;

use crate::controls::{Entry, Scope, TABLE};
use crate::facts::{FactKey, Platform};
use crate::policy::SCANS_CONTROL;

use super::policy_schema::parameters;

/// What it takes to see a group of facts: the group, what a CI job's own token
/// needs for it or sees of it, and what another token needs.
pub type Right = (FactKey, &'static str, &'static str);

/// The rights of both platforms.
#[derive(Clone, Copy, Debug)]
pub struct Rights<'a> {
    /// GitHub's.
    pub github: &'a [Right],
    /// GitLab's.
    pub gitlab: &'a [Right],
}

impl Rights<'_> {
    pub(super) fn of(&self, platform: Platform, key: FactKey) -> (&'static str, &'static str) {
        let all = match platform {
            Platform::Github => self.github,
            Platform::Gitlab => self.gitlab,
        };
        all.iter()
            .find(|(group, _, _)| *group == key)
            // A gap in the list must not read as "no right needed".
            .map_or(("not documented", "not documented"), |(_, job, other)| {
                (job, other)
            })
    }
}

const GENERATED: &str = "<!-- Generated from the table of controls. Do not edit: run `CCGATE_UPDATE=1 cargo test --test it generated`. -->";

pub(super) const PLATFORMS: [Platform; 2] = [Platform::Github, Platform::Gitlab];

/// `docs/controls.md`.
pub fn controls_document() -> String {
    let mut page = format!(
        "{GENERATED}\n\n# Controls\n\n\
         A control is one sentence that is true when all is well. ccgate judges it from facts that \
         it has seen: *pass*, *fail*, *unknown* (something that decides could not be seen, which is \
         never a pass) or *not applicable*. Code and id of a control never change.\n\n\
         | code | id | the sentence | criteria | speaks about |\n|---|---|---|---|---|\n"
    );
    for entry in TABLE {
        let meta = entry.meta;
        line(
            &mut page,
            &format!(
                "| [{}](#{}) | `{}` | {} | {} | {} |",
                meta.code,
                anchor(entry),
                meta.id,
                cell(meta.title),
                criteria(entry, false),
                scope(meta.scope, false)
            ),
        );
    }
    page.push_str(
        "\nBeside its own parameters, every control takes `enforce` (`block`, `warn`, `off`) and \
         `on_unknown` (`block`, `warn`); one that is switched off or asks for less than its preset \
         needs `reason`, `owner` and `expires`. See [policies](../policies/README.md).\n",
    );
    for entry in TABLE {
        page.push('\n');
        page.push_str(&section(entry));
    }
    page
}

fn section(entry: &Entry) -> String {
    let meta = entry.meta;
    let mut text = format!("## {} {}\n\n", meta.code, meta.id);
    line(&mut text, &format!("**{}.**\n", upper_first(meta.title)));
    line(&mut text, &format!("- Criteria: {}", criteria(entry, true)));
    line(
        &mut text,
        &format!("- Speaks about: {}", scope(meta.scope, true)),
    );
    line(&mut text, &format!("- Looks at: {}", looks_at(entry)));
    line(&mut text, &format!("- Platforms: {}\n", platforms(entry)));
    line(&mut text, &format!("**Why.** {}\n", meta.rationale));
    line(
        &mut text,
        &format!("**How it could be cheated.** {}\n", meta.cheat),
    );
    let rows = parameter_rows(entry);
    if meta.id == SCANS_CONTROL {
        text.push_str(
            "**Expected results.** The policy's section `scans` says which results are expected, and \
             how many findings of which severity they may have.\n\n",
        );
    }
    if rows.is_empty() {
        text.push_str("**Parameters.** None.\n\n");
    } else {
        text.push_str(
            "**Parameters.**\n\n| name | kind | default | meaning |\n|---|---|---|---|\n",
        );
        for row in rows {
            line(
                &mut text,
                &format!(
                    "| `{}` | {} | `{}` | {} |",
                    row.name,
                    cell(&row.kind),
                    cell(&row.default),
                    cell(&row.meaning)
                ),
            );
        }
        text.push('\n');
    }
    text.push_str("**How to mend it.**\n\n");
    for platform in PLATFORMS {
        if meta.platforms.contains(&platform) {
            line(
                &mut text,
                &format!("- {}: {}", title(platform), meta.remedy(platform)),
            );
        }
    }
    text
}

/// `docs/token-permissions.md`.
pub fn token_permissions_document(rights: Rights<'_>) -> String {
    let mut page = format!(
        "{GENERATED}\n\n# What each token can see\n\n\
         ccgate needs no more rights than the enabled controls need facts. What a token cannot see \
         is reported as *unknown* with the right that is missing; it is never taken for a pass.\n\n\
         *Job token* is the one that the CI gives to every job (`GITHUB_TOKEN`, `CI_JOB_TOKEN`). \
         *Other token* is one that you create: for settings hand it in as `CCGATE_SETTINGS_TOKEN`, \
         best in a scheduled run that no change can influence.\n\n\
         `check` posts nothing. What `ccgate override create`, `approve` and `notify` post takes `CCGATE_TOKEN` with \
         `Pull requests: write` on GitHub (`notify --issue`: `Issues: write`), the scope `api` on GitLab.\n"
    );
    for platform in PLATFORMS {
        let _ = write!(page, "\n## {}: by group of facts\n\n", title(platform));
        page.push_str(
            "| group | what is in it | job token | other token needs |\n|---|---|---|---|\n",
        );
        for key in FactKey::ALL {
            let (job, other) = rights.of(platform, key);
            line(
                &mut page,
                &format!(
                    "| `{}` | {} | {} | {} |",
                    key.name(),
                    cell(key.description()),
                    cell(job),
                    cell(other)
                ),
            );
        }
        let _ = write!(page, "\n## {}: by control\n\n", title(platform));
        page.push_str("| control | job token | other token needs |\n|---|---|---|\n");
        for entry in TABLE {
            if !entry.meta.platforms.contains(&platform) {
                continue;
            }
            let (job, other) = needed(entry, platform, rights);
            line(
                &mut page,
                &format!(
                    "| {} `{}` | {} | {} |",
                    entry.meta.code,
                    entry.meta.id,
                    cell(&job),
                    cell(&other)
                ),
            );
        }
    }
    page
}

/// What a control needs of each kind of token, each thing once.
fn needed(entry: &Entry, platform: Platform, rights: Rights<'_>) -> (String, String) {
    let mut jobs: Vec<String> = Vec::new();
    let mut others: Vec<&str> = Vec::new();
    for key in entry.meta.needs {
        let (job, other) = rights.of(platform, *key);
        jobs.push(format!("`{}`: {job}", key.name()));
        if !others.contains(&other) {
            others.push(other);
        }
    }
    (jobs.join("; "), others.join("; "))
}

/// A parameter in words.
pub(super) struct ParameterRow {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) default: String,
    pub(super) meaning: String,
}

pub(super) fn parameter_rows(entry: &Entry) -> Vec<ParameterRow> {
    // What binding nothing gives is what holds, whatever the schema says.
    let defaults = entry
        .bind(Value::Object(serde_json::Map::new()))
        .map(|bound| bound.parameters())
        .unwrap_or_default();
    parameters(entry)
        .into_iter()
        .map(|(name, schema)| ParameterRow {
            kind: kind(&schema),
            default: defaults.get(&name).map(spelled).unwrap_or_default(),
            meaning: schema
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .replace('\n', " "),
            name,
        })
        .collect()
}

/// A value as JSON with room between its items, so that it can be wrapped.
fn spelled(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(spelled).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(object) => {
            let entries: Vec<String> = object
                .iter()
                .map(|(key, value)| format!("\"{key}\": {}", spelled(value)))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

/// The type of a parameter, as people say it.
fn kind(schema: &Value) -> String {
    let word = |name: &str| match name {
        "integer" => "whole number",
        "number" => "number",
        "boolean" => "`true` or `false`",
        "string" => "text",
        "array" => "list",
        "null" => "nothing",
        _ => "mapping",
    };
    match schema.get("type") {
        Some(Value::String(name)) => word(name).to_owned(),
        Some(Value::Array(names)) => {
            let names: Vec<_> = names.iter().filter_map(Value::as_str).map(word).collect();
            names.join(" or ")
        }
        _ => schema
            .get("enum")
            .map_or_else(|| "mapping".to_owned(), ToString::to_string),
    }
}

pub(super) fn criteria(entry: &Entry, with_titles: bool) -> String {
    let names: Vec<_> = entry
        .meta
        .criteria
        .iter()
        .map(|criterion| {
            if with_titles {
                format!("{} ({})", criterion.id(), criterion.title())
            } else {
                criterion.id().to_owned()
            }
        })
        .collect();
    names.join(", ")
}

pub(super) fn scope(scope: Scope, in_full: bool) -> &'static str {
    match (scope, in_full) {
        (Scope::Repository, false) => "repository",
        (Scope::Change, false) => "change",
        (Scope::Repository, true) => {
            "the repository and its settings (is the control designed well?)"
        }
        (Scope::Change, true) => "one change (did the control operate?)",
    }
}

fn looks_at(entry: &Entry) -> String {
    let groups: Vec<_> = entry
        .meta
        .needs
        .iter()
        .map(|key| format!("`{}` ({})", key.name(), key.description()))
        .collect();
    groups.join(", ")
}

pub(super) fn platforms(entry: &Entry) -> String {
    let names: Vec<_> = entry.meta.platforms.iter().map(|one| title(*one)).collect();
    names.join(", ")
}

pub(super) fn title(platform: Platform) -> &'static str {
    match platform {
        Platform::Github => "GitHub",
        Platform::Gitlab => "GitLab",
    }
}

/// The anchor that Markdown renderers give to a control's heading.
fn anchor(entry: &Entry) -> String {
    format!("{}-{}", entry.meta.code.to_lowercase(), entry.meta.id)
}

fn upper_first(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// Text that stays inside its table cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn line(text: &mut String, content: &str) {
    text.push_str(content);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Rights<'static> = Rights {
        github: &[],
        gitlab: &[],
    };

    #[test]
    fn a_right_that_is_not_listed_is_said_to_be_undocumented() {
        assert!(token_permissions_document(NONE).contains("not documented"));
    }

    #[test]
    fn a_pipe_stays_inside_its_cell() {
        assert_eq!(cell("a|b"), "a\\|b");
    }
}
