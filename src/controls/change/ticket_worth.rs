//! What is wrong with one ticket. What is proven wrong settles it, whatever is
//! hidden beside; without that, anything hidden leaves it unknown. Only a ticket
//! that was seen in full, as far as the policy asks, has no fault.

use jiff::{SignedDuration, Timestamp};

use super::approvals::{Standing, may_write, rulings};
use super::ticket_accountable::TicketAccountable;
use crate::controls::allowances::names;
use crate::controls::tree::Worth;
use crate::facts::{
    FactKey, FoundTicket, NamedTicket, Requester, Snapshot, Ticket, Tracker, Unknown, Why,
};

/// How far the clock of an export may run ahead.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What is wrong with a ticket, in words behind its name; `None` if nothing is.
///
/// # Errors
/// Why it cannot be told.
pub(super) fn fault(
    policy: &TicketAccountable,
    facts: &Snapshot,
    named: &NamedTicket,
) -> Result<Option<String>, Unknown> {
    let ticket: &Ticket = match named.found.known()? {
        FoundTicket::Ticket(ticket) => ticket,
        FoundTicket::Change => return Ok(Some("is a change, not a ticket".to_owned())),
        FoundTicket::Nothing => return Ok(Some("does not exist".to_owned())),
    };
    if !ticket.key.eq_ignore_ascii_case(&named.name) {
        return Ok(Some(format!("was moved: it is `{}` now", ticket.key)));
    }
    // An old export proves nothing, neither that a ticket is good nor that it is bad.
    recent(policy, facts, ticket)?;
    let checks = [
        of_type(policy, ticket),
        in_state(policy, ticket),
        open_for_work(facts, ticket),
        made_before_merge(facts, ticket),
        requester_apart(policy, facts, ticket),
    ];
    let mut doubt = None;
    for check in checks {
        match check {
            Ok(None) => {}
            Ok(Some(words)) => return Ok(Some(words)),
            Err(unknown) => doubt = doubt.or(Some(unknown)),
        }
    }
    doubt.map_or(Ok(None), Err)
}

fn unknown(why: Why, detail: String) -> Unknown {
    Unknown::new(FactKey::ChangeTickets.name(), why, detail)
}

fn recent(policy: &TicketAccountable, facts: &Snapshot, ticket: &Ticket) -> Result<(), Unknown> {
    let written: Timestamp = match (policy.tracker, ticket.exported_at) {
        (Tracker::Issues | Tracker::Jira, None) => return Ok(()),
        (_, Some(written)) => written,
        (Tracker::File, None) => {
            return Err(unknown(
                Why::HiddenOrAbsent,
                format!("it is not told when `{}` was exported", ticket.key),
            ));
        }
    };
    let age = facts.latest_time().duration_since(written);
    if age < -SKEW {
        return Err(unknown(
            Why::Failed,
            format!(
                "the export of `{}` is of {written}, which has not come yet",
                ticket.key
            ),
        ));
    }
    if age > SignedDuration::from_hours(i64::from(policy.max_age_hours)) {
        return Err(unknown(
            Why::Stale,
            format!(
                "the export of `{}` is {} h old (limit {} h): export the tickets again",
                ticket.key,
                age.as_hours(),
                policy.max_age_hours
            ),
        ));
    }
    Ok(())
}

fn of_type(policy: &TicketAccountable, ticket: &Ticket) -> Result<Option<String>, Unknown> {
    if policy.types.is_empty() {
        return Ok(None);
    }
    Ok(match ticket.ticket_type.known()? {
        Some(kind) if names(&policy.types, kind) => None,
        Some(kind) => Some(format!("is of type `{kind}`")),
        None => Some("has no type".to_owned()),
    })
}

fn in_state(policy: &TicketAccountable, ticket: &Ticket) -> Result<Option<String>, Unknown> {
    if policy.states.is_empty() {
        return Ok(None);
    }
    let state = ticket.state.known()?;
    Ok((!names(&policy.states, state)).then(|| format!("is in state `{state}`")))
}

/// The work began when the change was opened, or before: the platform tells no
/// earlier moment that nobody can forge. So the beginning may be later than true,
/// never earlier, and a ticket that was closed in between does not count.
fn open_for_work(facts: &Snapshot, ticket: &Ticket) -> Result<Option<String>, Unknown> {
    let Some(closed) = ticket.closed_at.known()? else {
        return Ok(None);
    };
    let Some(began) = facts.identity.known()?.opened_at else {
        return Err(Unknown::new(
            FactKey::ChangeIdentity.name(),
            Why::HiddenOrAbsent,
            "it is not told when the change was opened",
        ));
    };
    Ok((*closed <= began)
        .then(|| format!("was closed at {closed}, before the work began ({began})")))
}

fn made_before_merge(facts: &Snapshot, ticket: &Ticket) -> Result<Option<String>, Unknown> {
    let Some(merged) = facts.identity.known()?.merged_at else {
        return Ok(None);
    };
    let made = ticket.created_at.known()?;
    Ok((*made > merged).then(|| format!("was made at {made}, after the merge ({merged})")))
}

/// A requester whose account is gone may be anybody, so nobody can be told apart.
fn requester_apart(
    policy: &TicketAccountable,
    facts: &Snapshot,
    ticket: &Ticket,
) -> Result<Option<String>, Unknown> {
    if policy.requester_may_approve {
        return Ok(None);
    }
    let Some(requester) = ticket.requester.known()? else {
        return Ok(Some(
            "has no requester who could be told apart from the approvers".to_owned(),
        ));
    };
    let login = login(policy, requester)?;
    let approvals = rulings(facts.reviews.known()?, |approval| {
        match may_write(approval) {
            Standing::Counts => Worth::Counts("the reviewer may write".to_owned()),
            Standing::Never(against) => Worth::Never(against),
            Standing::Hidden(unknown) => Worth::Unknown(unknown),
        }
    });
    let mut doubt = None;
    for approval in approvals {
        let Some(reviewer) = approval.reviewer.filter(|who| who.is(login)) else {
            continue;
        };
        match approval.worth {
            Worth::Counts(_) => {
                return Ok(Some(format!(
                    "was asked for by @{}, who approved",
                    reviewer.login
                )));
            }
            Worth::Never(_) => {}
            Worth::Unknown(unknown) => doubt = doubt.or(Some(unknown)),
        }
    }
    doubt.map_or(Ok(None), Err)
}

/// The requester's login on the platform.
fn login<'p>(policy: &'p TicketAccountable, requester: &'p Requester) -> Result<&'p str, Unknown> {
    if requester.is_login {
        return Ok(&requester.name);
    }
    policy.people.get(&requester.name).map_or_else(
        || {
            Err(unknown(
                Why::HiddenOrAbsent,
                format!(
                    "`people` names no login for the requester `{}`",
                    requester.name
                ),
            ))
        },
        |login| Ok(login.as_str()),
    )
}
