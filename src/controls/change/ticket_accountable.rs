//! CHG-11: a ticket that the change names accounts for it. What a ticket is worth
//! stands in `ticket_worth`; here one that is good is looked for among all.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ticket_worth::fault;
use crate::controls::allowances;
use crate::controls::control::{Control, Evidence, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{
    Fact, FactKey, FoundTicket, NamedTicket, Platform, Snapshot, TicketNaming, TicketPattern,
    Tickets, Tracker, Unknown, Why,
};

/// Parameters of CHG-11.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TicketAccountable {
    /// Where tickets are kept: `issues` of the platform, `jira`, or a `file` that
    /// `--tickets` names.
    pub(super) tracker: Tracker,
    /// Regular expression of a ticket in `jira` or a `file`, e.g. `(ENG|INC)-[0-9]+`.
    #[schemars(with = "String")]
    pub(super) pattern: TicketPattern,
    /// Full paths of repositories whose issues count beside the change's own.
    pub(super) repositories: Vec<String>,
    /// Types that a ticket may have, in the tracker's words; empty: any, or none.
    pub(super) types: Vec<String>,
    /// States that a ticket may be in, in the tracker's words; empty: any. Issues are
    /// `open` or `closed`; on GitHub a closed one is `completed`, `not_planned` or
    /// `duplicate` where it says why.
    pub(super) states: Vec<String>,
    /// Whether somebody may approve who asked for the ticket.
    pub(super) requester_may_approve: bool,
    /// Logins on the platform, by name in Jira (account id, or user name on Data
    /// Center): needed where a requester may not approve.
    pub(super) people: BTreeMap<String, String>,
    /// Most hours since an exported ticket was written down.
    pub(super) max_age_hours: u32,
}

impl Default for TicketAccountable {
    fn default() -> Self {
        Self {
            tracker: Tracker::default(),
            pattern: TicketPattern::default(),
            repositories: Vec::new(),
            types: Vec::new(),
            states: Vec::new(),
            requester_may_approve: true,
            people: BTreeMap::new(),
            max_age_hours: 24,
        }
    }
}

impl Control for TicketAccountable {
    const META: Meta = Meta {
        code: "CHG-11",
        id: "ticket-accountable",
        title: "a ticket that the change names accounts for it",
        criteria: &[Criterion::Cc8_1, Criterion::Cc2_1],
        frameworks: &[
            (Framework::Iso27001, &["A.8.32"]),
            (Framework::PciDss, &["6.5.1"]),
            (Framework::Nist80053, &["CM-3"]),
        ],
        scope: Scope::Change,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[
            FactKey::ChangeTickets,
            FactKey::ChangeIdentity,
            FactKey::ChangeCommits,
            FactKey::ChangeReviews,
        ],
        rationale: "A name that looks like a ticket explains nothing: the ticket has to exist, to be of \
                        the right kind, and to have been open for this work.",
        cheat: "Naming a ticket that does not exist, one that was closed long ago, one of another \
                        project, the number of a change, or a key in letters that only look alike; making \
                        the ticket after the merge. The tracker is asked, one ticket has to meet everything \
                        by itself, and what the tracker does not show is unknown. Somebody who reopens an \
                        old ticket, or opens a change early and fills it later, is not seen: name `states` \
                        and `types` narrowly.",
        remedy_github: "name a ticket in the title or description of the pull request that was open when \
                        the work began and is of an allowed type and state",
        remedy_gitlab: "name a ticket in the title or description of the merge request that was open when \
                        the work began and is of an allowed type and state",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let (identity, commits) = (facts.identity.known(), facts.commits.known());
        let naming = self.naming();
        let names = naming.names(
            &facts.subject.repository,
            identity.as_ref().ok().copied(),
            commits.as_ref().ok().map(|commits| commits.as_slice()),
        );
        let mut faults = Vec::new();
        let mut doubt = None;
        let mut good = None;
        for name in &names {
            if naming.is_elsewhere(name) {
                faults.push(format!("`{name}` is of another repository"));
                continue;
            }
            match self
                .found(facts, name)
                .and_then(|named| Ok((named, fault(self, facts, named)?)))
            {
                Ok((_, Some(words))) => faults.push(format!("`{name}` {words}")),
                Ok((named, None)) => good = good.or(Some(named)),
                Err(unknown) => doubt = doubt.or(Some(unknown)),
            }
        }
        if let Some(named) = good {
            let evidence = Evidence::new(
                format!("`{}` accounts for the change", named.name),
                FactKey::ChangeTickets,
                in_words(named),
                named.found.sources(),
            );
            return Ok(Verdict::Pass(if faults.is_empty() {
                evidence
            } else {
                evidence.and(FactKey::ChangeTickets, some(&faults), &[])
            }));
        }
        if let Some(unknown) = doubt {
            return Err(unknown);
        }
        // A text that was not seen may name a good one.
        identity?;
        commits?;
        let summary = if faults.is_empty() {
            "neither title, description, branch, commits nor links name a ticket".to_owned()
        } else {
            format!("no ticket accounts for the change: {}", some(&faults))
        };
        Ok(Verdict::fail(
            Evidence::new(
                summary,
                FactKey::ChangeIdentity,
                some(&names),
                facts.identity.sources(),
            )
            .and(
                FactKey::ChangeTickets,
                some(&faults),
                facts.tickets.sources(),
            ),
        ))
    }

    fn tickets(&self) -> Option<TicketNaming> {
        Some(self.naming())
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        if self.tracker != base.tracker {
            return Some(format!(
                "tickets are kept in `{}` instead of `{}`",
                self.tracker.word(),
                base.tracker.word()
            ));
        }
        if self.pattern != base.pattern {
            return Some("the pattern differs and cannot be shown to be as strict".to_owned());
        }
        if let Some(more) = allowances::more(&self.repositories, &base.repositories) {
            return Some(format!("issues of {more} count as well"));
        }
        for (what, own, base) in [
            ("types", &self.types, &base.types),
            ("states", &self.states, &base.states),
        ] {
            if own.is_empty() && !base.is_empty() {
                return Some(format!("any of the {what} is allowed"));
            }
            if !base.is_empty()
                && let Some(more) = allowances::more(own, base)
            {
                return Some(format!("{what} {more} are allowed as well"));
            }
        }
        if self.requester_may_approve && !base.requester_may_approve {
            return Some("the requester may approve".to_owned());
        }
        if !base.requester_may_approve && self.people != base.people {
            return Some("other people stand behind the names of the tracker".to_owned());
        }
        (self.max_age_hours > base.max_age_hours).then(|| {
            format!(
                "an export may be {} h old instead of {} h",
                self.max_age_hours, base.max_age_hours
            )
        })
    }
}

impl TicketAccountable {
    fn naming(&self) -> TicketNaming {
        TicketNaming {
            tracker: self.tracker,
            pattern: self.pattern.clone(),
            repositories: self.repositories.clone(),
        }
    }

    /// What the tracker was asked about a name.
    fn found<'f>(&self, facts: &'f Snapshot, name: &str) -> Result<&'f NamedTicket, Unknown> {
        let tickets: &Tickets = match &facts.tickets {
            Fact::Known { value, .. } => value,
            Fact::Unknown(unknown) => return Err(unknown.clone()),
        };
        let not_asked =
            |detail: String| Unknown::new(FactKey::ChangeTickets.name(), Why::NotCollected, detail);
        if tickets.tracker != self.tracker {
            return Err(not_asked(format!(
                "tickets were looked for in `{}`, and the policy keeps them in `{}`",
                tickets.tracker.word(),
                self.tracker.word()
            )));
        }
        tickets
            .named
            .iter()
            .find(|named| named.name.eq_ignore_ascii_case(name))
            .ok_or_else(|| not_asked(format!("the tracker was not asked about `{name}`")))
    }
}

/// A ticket that was found good, as it stood.
fn in_words(named: &NamedTicket) -> String {
    let Fact::Known { value, .. } = &named.found else {
        return named.name.clone();
    };
    match value {
        FoundTicket::Ticket(ticket) => {
            let state = ticket.state.known().ok().map_or("unknown", String::as_str);
            match ticket.ticket_type.known() {
                Ok(Some(kind)) => format!("{}, a {kind} in state {state}", ticket.key),
                Ok(None) | Err(_) => format!("{} in state {state}", ticket.key),
            }
        }
        FoundTicket::Change | FoundTicket::Nothing => named.name.clone(),
    }
}

#[cfg(test)]
mod tests;
