//! EVD: the evidence of the gate itself, as the ledger holds it.

use jiff::Timestamp;

use super::age::days_since;
use crate::facts::OverrideRegister;

pub(super) mod override_rate_limited;
pub(super) mod overrides_reviewed_in_time;
pub(super) mod overrides_valid;
#[cfg(test)]
mod testing;

/// Whether something is of the last `days` days. What has no time counts as recent: nobody
/// can say that it is not.
fn is_recent(moment: Option<Timestamp>, now: Timestamp, days: u32) -> bool {
    moment.is_none_or(|moment| days_since(moment, now) < i64::from(days.max(1)))
}

/// How much of the ledger was read, in words.
fn extent(register: &OverrideRegister) -> String {
    match register.records {
        1 => format!("1 record of {}", register.origin),
        count => format!("{count} records of {}", register.origin),
    }
}

/// As many of these words as a sentence holds, and how many are left.
fn some_of(mut words: Vec<String>) -> String {
    const MOST: usize = 5;
    let left = words.len().saturating_sub(MOST);
    words.truncate(MOST);
    if left > 0 {
        words.push(format!("and {left} more"));
    }
    words.join("; ")
}
