//! Override commands on the change: found, checked rule by rule, never taken on
//! trust. Every command is reported with the rule that it met or broke. Time is
//! the platform's; whatever could not be seen about a person speaks against them.

use jiff::{SignedDuration, Timestamp};
use regex::Regex;

use crate::controls::Meta;
use crate::facts::{Comment, Fact, Snapshot};
use crate::policy::Policy;

use super::command::{Command, parse, weight};
use super::deadline::due;
use super::decide::{OverrideReport, OverrideState};
use super::independence::{independent, may_override};

/// Controls that nobody may override on a change: those about the policy itself.
/// None of them is built yet.
const NOT_OVERRIDABLE: &[&str] = &[];

/// How far the clocks of runner and platform may differ.
const CLOCK_TOLERANCE: SignedDuration = SignedDuration::from_mins(15);

/// Whether anybody wrote a command about overrides, so that the facts about people are needed.
pub fn has_override_command(facts: &Snapshot) -> bool {
    commands(facts).any(|(_, command)| match command {
        Command::Override { .. } | Command::Review { .. } => true,
        Command::Revoke { .. } => false,
    })
}

/// The teams or groups of `allowed_by` whose members have to be looked up.
pub fn teams_to_look_up(policy: &Policy) -> Vec<String> {
    policy
        .overrides
        .allowed_by
        .iter()
        .filter(|entry| entry.contains('/'))
        .cloned()
        .collect()
}

/// Every override command, oldest first. `needs_it` tells whether the control of
/// that code has a non-pass that nothing else covers.
pub(super) fn reports(
    policy: &Policy,
    facts: &Snapshot,
    needs_it: impl Fn(&str) -> bool,
) -> Vec<OverrideReport> {
    let mut reports: Vec<OverrideReport> = commands(facts)
        .filter_map(|(comment, command)| match command {
            Command::Override {
                control,
                ticket,
                reason,
            } => Some((comment, control, ticket, reason)),
            Command::Revoke { .. } | Command::Review { .. } => None,
        })
        .map(|(comment, control, ticket, reason)| {
            let meta = control_named(policy, &control);
            let mut report = OverrideReport {
                id: comment.id.clone(),
                code: meta.map_or(control, |meta| meta.code.to_owned()),
                by: comment.author.as_ref().map(|author| author.login.clone()),
                at: comment.created_at,
                expires: comment.created_at.checked_add(policy.overrides.max).ok(),
                review_due: due(
                    comment.created_at,
                    &policy.overrides.review_within,
                    &policy.overrides,
                ),
                ticket: (!ticket.is_empty()).then_some(ticket),
                text: reason,
                head: facts.subject.head.clone(),
                state: OverrideState::Refused,
                why: String::new(),
            };
            (report.state, report.why) = match judge(policy, facts, comment, meta, &report) {
                Err((state, why)) => (state, why),
                Ok(code) if !needs_it(code) => (
                    OverrideState::Unmatched,
                    format!("{code} needs no override: it is not failing, or a waiver covers it"),
                ),
                Ok(code) => (
                    OverrideState::Accepted,
                    format!(
                        "{code} is accepted for this head by @{}, who had no hand in the change",
                        report.by.as_deref().unwrap_or_default()
                    ),
                ),
            };
            report
        })
        .collect();
    reports.sort_by(|a, b| a.at.cmp(&b.at).then_with(|| a.id.cmp(&b.id)));
    reports
}

type Refusal = (OverrideState, String);

fn refused<T>(why: impl Into<String>) -> Result<T, Refusal> {
    Err((OverrideState::Refused, why.into()))
}

/// The rules in the order in which people can mend them. Gives the control's code.
fn judge(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    meta: Option<&'static Meta>,
    report: &OverrideReport,
) -> Result<&'static str, Refusal> {
    let rules = &policy.overrides;
    let Some(meta) = meta else {
        return refused(format!("the policy has no control `{}`", report.code));
    };
    if NOT_OVERRIDABLE.contains(&meta.code) {
        return refused(format!("{} cannot be overridden", meta.code));
    }
    match &comment.edited {
        Fact::Known { value: false, .. } => {}
        Fact::Known { value: true, .. } => {
            return refused("the comment was edited: write a new one, edited ones do not count");
        }
        Fact::Unknown(unknown) => {
            return refused(format!(
                "it cannot be told whether the comment was edited: {unknown}"
            ));
        }
    }
    let Some(author) = &comment.author else {
        return refused("the account that wrote it is gone");
    };
    if !author.is_human() {
        return refused(format!("@{} is not known to be a person", author.login));
    }
    may_override(rules, facts, author)?;
    independent(facts, author)?;
    ticket(rules.ticket.as_ref(), report.ticket.as_deref())?;
    let given = weight(&report.text);
    if given == 0 || given < rules.min_reason {
        return refused(format!(
            "the reason has {given} characters, the policy wants at least {}",
            rules.min_reason.max(1)
        ));
    }
    if let Some(by) = revoked(policy, facts, comment, meta) {
        return refused(format!("revoked by @{by}"));
    }
    in_time(facts, report)?;
    Ok(meta.code)
}

fn ticket(pattern: Option<&Regex>, ticket: Option<&str>) -> Result<(), Refusal> {
    let Some(ticket) = ticket else {
        return refused("no ticket is named: `/ccgate override CODE TICKET reason`");
    };
    let Some(pattern) = pattern else {
        return Ok(());
    };
    // Anchored here, since `is_match` would be content with a part of the word.
    let whole = Regex::new(&format!(r"\A(?:{})\z", pattern.as_str()));
    if whole.is_ok_and(|whole| whole.is_match(ticket)) {
        Ok(())
    } else {
        refused(format!(
            "the ticket `{ticket}` does not match `{}`",
            pattern.as_str()
        ))
    }
}

/// Bound to the head as it is now, and not over yet.
fn in_time(facts: &Snapshot, report: &OverrideReport) -> Result<(), Refusal> {
    let now = facts.latest_time();
    if report.at
        > now
            .saturating_add(CLOCK_TOLERANCE)
            .unwrap_or(Timestamp::MAX)
    {
        return refused(format!(
            "it was written at {}, which is later than now",
            report.at
        ));
    }
    match facts
        .override_people
        .known()
        .and_then(|people| people.head_since.known())
    {
        Ok(since) if report.at > *since => {}
        Ok(since) => {
            return Err((
                OverrideState::Void,
                format!("it was given for an older head; the newest push was at {since}"),
            ));
        }
        Err(unknown) => {
            return refused(format!(
                "it cannot be told whether it was given for this head: {unknown}"
            ));
        }
    }
    match report.expires {
        Some(expires) if now <= expires => Ok(()),
        Some(expires) => Err((OverrideState::Expired, format!("it expired at {expires}"))),
        None => refused("its end cannot be reckoned: `overrides.max` is too long"),
    }
}

/// Who took it back, if anybody did: the one who gave it, or somebody who may
/// override. An edited revocation counts too, since an edit must not open the gate.
fn revoked(policy: &Policy, facts: &Snapshot, given: &Comment, meta: &Meta) -> Option<String> {
    commands(facts).find_map(|(comment, command)| {
        let Command::Revoke { control } = command else {
            return None;
        };
        let author = comment.author.as_ref()?;
        let by_giver = given
            .author
            .as_ref()
            .is_some_and(|giver| giver.is(&author.login));
        let concerns = control_named(policy, &control).is_some_and(|named| named.code == meta.code);
        let after = comment.created_at >= given.created_at && comment.id != given.id;
        (concerns
            && after
            && author.is_human()
            && (by_giver || may_override(&policy.overrides, facts, author).is_ok()))
        .then(|| author.login.clone())
    })
}

pub(super) fn commands(facts: &Snapshot) -> impl Iterator<Item = (&Comment, Command)> {
    let comments = match &facts.comments {
        Fact::Known { value, .. } => value.as_slice(),
        Fact::Unknown(_) => &[],
    };
    comments
        .iter()
        .filter_map(|comment| parse(&comment.body).map(|command| (comment, command)))
}

/// The control of the policy with that code or id. Controls that are off count
/// as unneeded later, not as unknown words.
fn control_named(policy: &Policy, name: &str) -> Option<&'static Meta> {
    policy
        .controls
        .iter()
        .map(|bound| bound.control.meta())
        .find(|meta| meta.code.eq_ignore_ascii_case(name) || meta.id == name)
}

#[cfg(test)]
mod tests;
