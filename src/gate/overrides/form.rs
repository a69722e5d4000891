//! The rules about what stands in an override command itself: ticket, reason, term.

use jiff::SignedDuration;
use regex::Regex;

use crate::controls::Meta;
use crate::gate::command::{Asked, weight};
use crate::policy::{OverrideRules, parse_duration};

use super::{NOT_OVERRIDABLE, Refusal, refused};

/// Whether overrides of that control are a thing at all.
pub(super) fn may_be_overridden(rules: &OverrideRules, meta: &Meta) -> Result<(), Refusal> {
    if NOT_OVERRIDABLE.contains(&meta.code) {
        return refused(format!(
            "{} is about the gate itself and cannot be overridden",
            meta.code
        ));
    }
    if rules.never.iter().any(|id| id == meta.id) {
        return refused(format!(
            "the policy says that {} is never overridden (`overrides.never`)",
            meta.code
        ));
    }
    Ok(())
}

/// What is in order as far as it stands in the command itself.
pub(super) fn in_form(rules: &OverrideRules, asked: &Asked) -> Result<(), Refusal> {
    ticket(
        rules.ticket.as_ref(),
        Some(asked.ticket.as_str()).filter(|ticket| !ticket.is_empty()),
    )?;
    let given = weight(&asked.reason);
    if given == 0 || given < rules.min_reason {
        return refused(format!(
            "the reason has {given} characters, the policy wants at least {}",
            rules.min_reason.max(1)
        ));
    }
    term(rules, &asked.terms).map(|_| ())
}

/// How long an override holds of which nothing else is said, where the policy lets it.
const USUAL: SignedDuration = SignedDuration::from_hours(4);

/// How long it is wanted for; where nothing is said, four hours, or `overrides.max` where that is
/// shorter. What is longer is refused and not cut: nobody approved the shorter one.
pub(super) fn term(rules: &OverrideRules, terms: &[String]) -> Result<SignedDuration, Refusal> {
    let [wanted] = terms else {
        return if terms.is_empty() {
            Ok(rules.max.min(USUAL))
        } else {
            refused("`expires:` stands there more than once")
        };
    };
    let Some(span) = parse_duration(wanted) else {
        return refused(format!(
            "`expires:{wanted}` is no time span: write a number and `m`, `h` or `d`, e.g. `expires:4h`"
        ));
    };
    if span > rules.max {
        return refused(format!(
            "`expires:{wanted}` is longer than the policy lets an override hold ({:#})",
            rules.max
        ));
    }
    Ok(span)
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
