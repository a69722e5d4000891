//! CHG-10: the change names a ticket.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::criteria::{Criterion, Framework};
use crate::facts::{FactKey, Platform, Snapshot, TicketPattern, Unknown, visible};

/// Parameters of CHG-10.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TicketLinked {
    /// Regular expression of a ticket, e.g. `(ENG|INC)-[0-9]+`.
    #[schemars(with = "String")]
    pattern: TicketPattern,
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
                ("the branch", &visible(&identity.source_branch)),
            ] {
                if let Some(ticket) = self.pattern.names(text).next() {
                    return pass(place, ticket, FactKey::ChangeIdentity, sources);
                }
            }
        }
        if let Ok(commits) = &commits {
            for commit in *commits {
                let message = visible(&commit.message);
                if let Some(ticket) = self.pattern.names(&message).next() {
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
                self.pattern.as_str()
            ),
            FactKey::ChangeIdentity,
            "no ticket",
            facts.identity.sources(),
        )))
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        (self.pattern.as_str() != base.pattern.as_str())
            .then(|| "the pattern differs and cannot be shown to be as strict".to_owned())
    }
}

#[cfg(test)]
mod tests;
