//! CHG-10: the change names a ticket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::text::visible;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, Unknown};
use regex::{Regex, RegexBuilder};

/// Parameters of CHG-10.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TicketLinked {
    /// Regular expression of a ticket, e.g. `(ENG|INC)-[0-9]+`.
    #[schemars(with = "String")]
    pattern: Pattern,
}

/// A pattern that has been compiled once, so that a broken one fails with the policy.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Pattern(Regex);

impl Default for Pattern {
    fn default() -> Self {
        Self(Regex::new("[A-Z][A-Z0-9]+-[0-9]+").expect("a literal pattern"))
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let regex = RegexBuilder::new(&text)
            .size_limit(1 << 20)
            .build()
            .map_err(|error| error.to_string())?;
        if regex.is_match("") {
            return Err("`pattern` matches the empty text, so every change would do".to_owned());
        }
        Ok(Self(regex))
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.0.as_str().to_owned()
    }
}

impl Control for TicketLinked {
    const META: Meta = Meta {
        code: "CHG-10",
        id: "ticket-linked",
        title: "the change names a ticket",
        criteria: &[Criterion::Cc8_1, Criterion::Cc2_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[FactKey::ChangeIdentity, FactKey::ChangeCommits],
        rationale: "A change without a ticket cannot be traced to the reason that it was made for.",
        cheat: "Hiding a number in an HTML comment, or a word such as `SHA-256` that only \
                        looks like a ticket. Comments do not count; set `pattern` to the keys of your \
                        own trackers.",
        remedy_github: "name the ticket in the title or description of the pull request, or link an \
                        issue under \"Development\"",
        remedy_gitlab: "name the ticket in the title or description of the merge request",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let identity = facts.identity.known();
        let commits = facts.commits.known();
        let pass = |place: &str, ticket: &str, key: FactKey, sources: &[crate::facts::Source]| {
            Ok(Verdict::Pass(Evidence::new(
                format!("{place} names `{ticket}`"),
                key,
                ticket,
                sources,
            )))
        };
        if let Ok(identity) = &identity {
            let sources = facts.identity.sources();
            if let Some(issue) = identity.linked_issues.first() {
                return pass(
                    "a link of the platform",
                    issue,
                    FactKey::ChangeIdentity,
                    sources,
                );
            }
            let body = visible(&identity.body);
            let title = visible(&identity.title);
            for (place, text) in [
                ("the title", &title),
                ("the description", &body),
                ("the branch", &identity.source_branch),
            ] {
                if let Some(ticket) = self.ticket(text) {
                    return pass(place, ticket, FactKey::ChangeIdentity, sources);
                }
            }
        }
        if let Ok(commits) = &commits {
            for commit in *commits {
                if let Some(ticket) = self.ticket(&commit.message) {
                    return pass(
                        "a commit message",
                        ticket,
                        FactKey::ChangeCommits,
                        facts.commits.sources(),
                    );
                }
            }
        }
        identity?;
        commits?;
        Ok(Verdict::fail(Evidence::new(
            format!(
                "neither title, description, branch, commits nor links name a ticket like `{}`",
                self.pattern.0.as_str()
            ),
            FactKey::ChangeIdentity,
            "no ticket",
            facts.identity.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.pattern.0.as_str() != base.pattern.0.as_str())
            .then(|| "the pattern differs and cannot be shown to be as strict".to_owned())
    }
}

impl TicketLinked {
    /// The first ticket that stands as a word of its own: `XENG-1` names no `ENG-1`.
    fn ticket<'t>(&self, text: &'t str) -> Option<&'t str> {
        self.pattern.0.find_iter(text).find_map(|hit| {
            let before = text[..hit.start()].chars().next_back();
            let after = text[hit.end()..].chars().next();
            let alone = ![before, after]
                .into_iter()
                .flatten()
                .any(char::is_alphanumeric);
            alone.then(|| hit.as_str())
        })
    }
}

#[cfg(test)]
mod tests;
