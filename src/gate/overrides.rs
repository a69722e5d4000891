//! Override commands on the change: found, checked rule by rule, never taken on
//! trust. Every command is reported with the rule that it met or broke. Time is
//! the platform's; whatever could not be seen about a person speaks against them.
//!
//! Anybody may ask. It opens the gate where the asker may override and had no hand in the
//! change, unless the policy wants a second person; else once somebody else approved it.

use crate::controls::Meta;
use crate::facts::{Account, AccountRef, Comment, Fact, Identified as _, Snapshot};
use crate::policy::{OverrideRules, Policy};

use super::approvals;
use super::breach::BREACH_PREFIX;
use super::clocks::is_later;
use super::command::{Asked, Command, parse};
use super::deadline::due;
use super::decide::{OverrideReport, OverrideState};
use super::independence::{independent, may_override, person};
use super::kind::Kind;
use super::record::override_id;
use super::signature::{self, Says, Signed, command_of};

mod form;
mod outage;

use form::{in_form, may_be_overridden, term};
use outage::About;
pub(super) use outage::was_not_answered;

/// Controls that nobody may override on a change: those about the gate itself, its policy and
/// its overrides. Whoever could go around them could go around everything from then on. What has
/// to pass anyway is a waiver, which goes through the policy and its review.
const NOT_OVERRIDABLE: &[&str] = &["CHG-16", "EVD-02", "EVD-03", "EVD-04", "PIPE-12"];

/// Codes of the policy's controls that nobody may override on a change.
pub(super) fn never(policy: &Policy) -> Vec<&'static str> {
    let metas = policy.controls.iter().map(|bound| bound.control.meta());
    metas
        .filter(|meta| {
            NOT_OVERRIDABLE.contains(&meta.code)
                || policy.overrides.never.iter().any(|id| id == meta.id)
        })
        .map(|meta| meta.code)
        .collect()
}

/// Whether anybody wrote a command about overrides, so that the facts about people are needed.
pub fn has_override_command(facts: &Snapshot) -> bool {
    commands(facts).any(|(_, command)| match command {
        Command::Override(_) | Command::Approve { .. } | Command::Review { .. } => true,
        Command::Revoke { .. } => false,
    })
}

/// Whether the register of the ledger is needed beside what the controls need: a limit on
/// uses that an override meets, or a review of a breach, of which only the ledger tells.
pub fn wants_register(policy: &Policy, facts: &Snapshot) -> bool {
    commands(facts).any(|(_, command)| match command {
        Command::Override(_) => policy.overrides.max_uses.is_some(),
        // Who approved in an environment is told by no later run.
        Command::Review { of, .. } => {
            of.starts_with(BREACH_PREFIX) || !policy.overrides.environments.is_empty()
        }
        Command::Approve { .. } | Command::Revoke { .. } => false,
    })
}

/// Whether approvals in environments of the run that judges are needed: the policy lets them count,
/// and there is something to approve.
pub fn wants_run_approvals(policy: &Policy, facts: &Snapshot) -> bool {
    !policy.overrides.environments.is_empty()
        && commands(facts).any(|(_, command)| matches!(command, Command::Override(_)))
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
/// that code has a non-pass that nothing else covers; `unanswered` are the codes of those of
/// them that are unknown because the platform did not answer.
pub(super) fn reports(
    policy: &Policy,
    facts: &Snapshot,
    needs_it: impl Fn(&str) -> bool,
    unanswered: &[&'static str],
) -> Vec<OverrideReport> {
    let never = never(policy);
    let mut reports: Vec<OverrideReport> = commands(facts)
        .filter_map(|(comment, command)| match command {
            Command::Override(asked) => Some((comment, asked)),
            Command::Approve { .. } | Command::Revoke { .. } | Command::Review { .. } => None,
        })
        .map(|(comment, asked)| {
            let about = About::read(policy, &asked.control);
            let term = term(&policy.overrides, &asked.terms);
            let longest = term.as_ref().copied().unwrap_or(policy.overrides.max);
            let mut report = OverrideReport {
                id: comment.id.clone(),
                kind: about.map_or(Kind::BreakGlass, About::kind),
                code: about.map_or(asked.control.clone(), |about| about.code().to_owned()),
                covers: Vec::new(),
                by: comment.author.as_ref().map(AccountRef::from),
                at: comment.created_at,
                approval: None,
                expires: signature::begins(comment).checked_add(longest).ok(),
                review_due: due(
                    comment.created_at,
                    &policy.overrides.review_within,
                    &policy.overrides,
                ),
                ticket: (!asked.ticket.is_empty()).then(|| asked.ticket.clone()),
                text: asked.reason.clone(),
                words: asked.words(),
                signature: None,
                head: facts.subject.head.clone(),
                state: OverrideState::Refused,
                why: String::new(),
            };
            let (about, author, signature) =
                match judge(policy, facts, comment, about, &asked, &report) {
                    Ok(in_order) => in_order,
                    Err((state, why)) => {
                        (report.state, report.why) = (state, why);
                        return report;
                    }
                };
            report.signature = signature;
            report.covers = match about {
                About::Control(meta) if needs_it(meta.code) => vec![meta.code],
                About::Control(_) => Vec::new(),
                About::Outage => unanswered
                    .iter()
                    .copied()
                    .filter(|code| !never.contains(code))
                    .collect(),
            };
            (report.state, report.why) = if report.covers.is_empty() {
                (OverrideState::Unmatched, about.not_needed())
            } else {
                report.approval = approvals::of(policy, facts, &report);
                given(policy, facts, comment, about, author, &report)
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

/// Whether what is in order is given too: by somebody's approval, or by the asker's own right.
fn given(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    about: About,
    author: &Account,
    report: &OverrideReport,
) -> (OverrideState, String) {
    let code = report.covers.join(", ");
    if let Some(approval) = &report.approval {
        return (
            OverrideState::Accepted,
            format!(
                "{code} is accepted for this head: @{} asked for it, and @{}, who had no hand in \
                 the change, approved it",
                author.login, approval.by.login
            ),
        );
    }
    // The command of an outage does not say what it is about; who approves it has to see that.
    let covers = match about {
        About::Control(_) => String::new(),
        About::Outage => format!("covers {code} and "),
    };
    let signed = report.signature.is_some();
    match by_own_right(policy, facts, comment, about, author, signed) {
        Ok(()) => (
            OverrideState::Accepted,
            format!(
                "{code} is accepted for this head by @{}, who had no hand in the change",
                author.login
            ),
        ),
        Err((_, why)) => (
            OverrideState::Requested,
            format!(
                "it {covers}waits until somebody else of those who may override, without a hand in the \
                 change, writes `/ccgate approve {}`: {why}",
                override_id(&facts.subject, &report.id, &report.head)
            ),
        ),
    }
}

/// Whether the one who asks can give it alone.
fn by_own_right(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    about: About,
    author: &Account,
    signed: bool,
) -> Result<(), Refusal> {
    let About::Control(meta) = about else {
        return refused("what covers all that could not be seen takes two people");
    };
    if policy.overrides.second_person {
        return refused("the policy wants a second person");
    }
    if policy.overrides.signed && !signed {
        return refused("the policy wants it signed, and it is not (`overrides.signed`)");
    }
    may_override(&policy.overrides, facts, author)?;
    independent(facts, author)?;
    if asked_before(policy, facts, comment, meta, author) {
        return refused(format!(
            "@{} asked for {} on this head before, and one override is not made longer by the next",
            author.login, meta.code
        ));
    }
    Ok(())
}

/// Whether the same person wrote an earlier override of the control for the head as it is.
/// One that breaks a rule of form was none, unless it may have been edited into that.
fn asked_before(
    policy: &Policy,
    facts: &Snapshot,
    comment: &Comment,
    meta: &Meta,
    author: &Account,
) -> bool {
    let since = facts
        .override_people
        .known()
        .and_then(|people| people.head_since.known())
        .ok();
    commands(facts).any(|(earlier, command)| {
        let Command::Override(asked) = command else {
            return false;
        };
        let same_person = earlier
            .author
            .as_ref()
            .is_some_and(|one| one.may_be(author));
        let same_control =
            control_named(policy, &asked.control).is_some_and(|named| named.code == meta.code);
        let before = (earlier.created_at, &earlier.id) < (comment.created_at, &comment.id);
        let this_head = since.is_none_or(|since| earlier.created_at > *since);
        let untouched = matches!(earlier.edited, Fact::Known { value: false, .. });
        same_person
            && same_control
            && before
            && this_head
            && (!untouched || in_form(&policy.overrides, &asked).is_ok())
    })
}

/// The rules in the order in which people can mend them. Gives the control, who asks, and with what
/// signature.
fn judge<'f>(
    policy: &Policy,
    facts: &'f Snapshot,
    comment: &'f Comment,
    about: Option<About>,
    asked: &Asked,
    report: &OverrideReport,
) -> Result<(About, &'f Account, Option<Signed>), Refusal> {
    let rules = &policy.overrides;
    let Some(about) = about else {
        return refused(format!("the policy has no control `{}`", report.code));
    };
    if let About::Control(meta) = about {
        may_be_overridden(rules, meta)?;
    }
    if rules.allowed_by.is_empty() {
        return refused("the policy allows nobody to override");
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
    person(author).or_else(refused)?;
    in_form(rules, asked)?;
    if let Some(by) = revoked(policy, facts, comment, about) {
        return refused(format!("revoked by @{by}"));
    }
    in_time(facts, report)?;
    within_uses(rules, facts, about, report)?;
    let says = Says::Asks {
        words: &report.words,
        reason: &report.text,
    };
    let signature = signature::of(rules, facts, comment, author, &says);
    Ok((about, author, signature.or_else(refused)?))
}

/// No more of them than the policy lets on one change, over all its heads. Comments can be
/// deleted, so the ledger is asked; what it cannot tell may be too many.
fn within_uses(
    rules: &OverrideRules,
    facts: &Snapshot,
    about: About,
    report: &OverrideReport,
) -> Result<(), Refusal> {
    let code = about.code();
    let Some(most) = rules.max_uses else {
        return Ok(());
    };
    let register = match facts.override_register.known() {
        Ok(register) => register,
        Err(unknown) => {
            return refused(format!(
                "it cannot be told how often {code} was overridden on the change (`overrides.max_uses`): {unknown}"
            ));
        }
    };
    let id = override_id(&facts.subject, &report.id, &report.head);
    let given = register.overrides.iter().filter(|one| {
        !one.breach
            && one.change == facts.subject.change
            && one.id != id
            && match about {
                About::Control(_) => one.controls.iter().any(|one| one == code),
                About::Outage => one.evaluated_again.is_some(),
            }
    });
    if given.count() >= most as usize {
        return refused(format!(
            "{code} was overridden on this change as often as the policy lets ({most}, `overrides.max_uses`)"
        ));
    }
    Ok(())
}

/// Bound to the head as it is now, and not over yet.
fn in_time(facts: &Snapshot, report: &OverrideReport) -> Result<(), Refusal> {
    let now = facts.latest_time();
    if is_later(report.at, now) {
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
                format!(
                    "it was given for an older head or another target; the newest push, or change of the target, was at {since}"
                ),
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
/// override. An edited revocation counts too, since an edit must not open the gate, and one of an
/// account of which the platform told nothing.
fn revoked(policy: &Policy, facts: &Snapshot, given: &Comment, about: About) -> Option<String> {
    commands(facts).find_map(|(comment, command)| {
        let Command::Revoke { control } = command else {
            return None;
        };
        let author = comment.author.as_ref()?;
        let by_giver = given
            .author
            .as_ref()
            .is_some_and(|giver| giver.may_be(author));
        let concerns =
            About::read(policy, &control).is_some_and(|named| named.code() == about.code());
        let after = comment.created_at >= given.created_at && comment.id != given.id;
        (concerns
            && after
            && (author.is_human() || author.is_untold())
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
        .filter_map(|comment| parse(command_of(&comment.body)).map(|command| (comment, command)))
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
