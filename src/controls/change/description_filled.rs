//! CHG-15: the description says what the policy asks for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown, visible};

/// Words that stand where something should be filled in.
const PLACEHOLDERS: [&str; 6] = ["todo", "tbd", "tba", "wip", "fixme", "xxx"];

/// Parameters of CHG-15.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DescriptionFilled {
    /// Headings of the template, e.g. `Test plan` and `Rollback`: each has to be there
    /// with something under it. Upper and lower case are the same.
    headings: Vec<String>,
    /// Fewest letters and digits of the whole description that a reader sees; 0 counts as 1.
    min_characters: u32,
}

impl Default for DescriptionFilled {
    fn default() -> Self {
        Self {
            headings: Vec::new(),
            min_characters: 20,
        }
    }
}

impl Control for DescriptionFilled {
    const META: Meta = Meta {
        code: "CHG-15",
        id: "description-filled",
        title: "the description says what the policy asks for",
        criteria: &[Criterion::Cc8_1, Criterion::Cc2_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3", "CM-4"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeIdentity],
        rationale: "Nobody can judge a change, or take it back at night, who does not know what it is \
                    for and how it was tried.",
        cheat: "Leaving the template as it is, writing into an HTML comment, or `TODO` under each \
                heading. Comments, boxes that are not ticked and placeholders count as nothing; what the \
                words are worth only a reviewer can tell.",
        remedy_github: "fill in the description of the pull request, each heading of the template with \
                        at least a sentence",
        remedy_gitlab: "fill in the description of the merge request, each heading of the template with \
                        at least a sentence",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let fact = &facts.identity;
        let body = visible(&fact.known()?.body);
        let min = self.min_characters.max(1) as usize;
        let mut missing = Vec::new();
        let written = body.chars().filter(|one| one.is_alphanumeric()).count();
        if written < min {
            missing.push(format!(
                "the description has {written} letters and digits of {min}"
            ));
        }
        for heading in &self.headings {
            match section(&body, heading) {
                None => missing.push(format!("there is no `{heading}`")),
                Some(text) if !is_filled(&text) => {
                    missing.push(format!("nothing stands under `{heading}`"));
                }
                Some(_) => {}
            }
        }
        let evidence = |summary: String| {
            Evidence::new(
                summary,
                FactKey::ChangeIdentity,
                format!("{written} letters and digits"),
                fact.sources(),
            )
        };
        if !missing.is_empty() {
            return Ok(Verdict::fail(evidence(missing.join("; "))));
        }
        Ok(Verdict::Pass(evidence(if self.headings.is_empty() {
            "the description is filled in".to_owned()
        } else {
            format!("filled in: {}", self.headings.join(", "))
        })))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        let missing: Vec<&str> = base
            .headings
            .iter()
            .filter(|heading| !self.headings.iter().any(|own| same(own, heading)))
            .map(String::as_str)
            .collect();
        if !missing.is_empty() {
            return Some(format!("does not ask for {}", missing.join(", ")));
        }
        (self.min_characters.max(1) < base.min_characters.max(1)).then(|| {
            format!(
                "asks for {} characters instead of {}",
                self.min_characters, base.min_characters
            )
        })
    }
}

fn same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// What stands under a heading, up to the next one; `None` if it is not there.
fn section(body: &str, heading: &str) -> Option<String> {
    let mut lines = body.lines();
    lines.find(|line| title(line).is_some_and(|title| same(title, heading)))?;
    let under: Vec<&str> = lines.take_while(|line| title(line).is_none()).collect();
    Some(under.join("\n"))
}

/// The words of a heading: `## Words`, or a line that is bold as a whole.
fn title(line: &str) -> Option<&str> {
    let line = line.trim();
    let words = match line.trim_start_matches('#') {
        rest if rest.len() < line.len() => {
            let level = line.len() - rest.len();
            (level <= 6 && rest.starts_with(char::is_whitespace)).then_some(rest)?
        }
        _ => line
            .strip_prefix("**")?
            .strip_suffix("**")
            .or_else(|| line.strip_prefix("**")?.strip_suffix("**:"))?,
    };
    let mark = |one: char| one == '#' || one == ':' || one.is_whitespace();
    Some(words.trim_end_matches(mark).trim_start())
}

/// Whether something stands there but boxes that are not ticked and placeholders.
fn is_filled(text: &str) -> bool {
    text.lines()
        .map(str::trim)
        .filter(|line| !is_empty_box(line))
        .flat_map(|line| line.split(|one: char| !one.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .any(|word| !PLACEHOLDERS.contains(&word.to_lowercase().as_str()))
}

fn is_empty_box(line: &str) -> bool {
    let item = line.trim_start_matches(['-', '*', '+']).trim_start();
    item.strip_prefix('[')
        .and_then(|rest| rest.split_once(']'))
        .is_some_and(|(mark, _)| mark.trim().is_empty())
}

#[cfg(test)]
mod tests;
