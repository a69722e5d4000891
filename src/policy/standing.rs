//! From when to when an exemption of the policy acts: a waiver, or an accepted finding.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

use crate::facts::Snapshot;

/// Longest time in days that an exemption holds. It acts in the last days before its end
/// only, so that nobody is exempt for good by writing a far day.
pub const LONGEST_EXEMPTION: i16 = 90;

/// The moment of a check as two clocks tell it. Neither a slow one nor a fast one exempts anybody.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clocks {
    /// It decides whether something has begun.
    pub(crate) earliest: Timestamp,
    /// It decides whether something is over.
    pub(crate) latest: Timestamp,
}

impl Clocks {
    /// One clock is all there is.
    pub(crate) fn one(now: Timestamp) -> Self {
        Self {
            earliest: now,
            latest: now,
        }
    }

    /// Those of a check.
    pub(crate) fn of(facts: &Snapshot) -> Self {
        Self {
            earliest: facts.earliest_time(),
            latest: facts.latest_time(),
        }
    }
}

/// Whether an exemption acts on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Stands,
    Expired,
    /// Its end is further away than it may hold.
    NotYet,
}

impl Standing {
    /// Of one from its first day to its last, both included (UTC).
    pub(super) fn between(first: Date, last: Date, clocks: Clocks) -> Self {
        let day = |moment: Timestamp| moment.to_zoned(TimeZone::UTC).date();
        if day(clocks.latest) > last {
            Self::Expired
        } else if day(clocks.earliest) < first {
            Self::NotYet
        } else {
            Self::Stands
        }
    }
}

/// The first day of one that ends on that day.
pub(super) fn first_day(last: Date) -> Date {
    last.saturating_sub(Span::new().days(LONGEST_EXEMPTION))
}

/// The days of an exemption, its first and its last.
pub(super) type Days = (Date, Date);

/// Whether one of these acts on a day on which none of those does, from now on.
pub(super) fn reaches_further(own: &[Days], base: &[Days], now: Timestamp) -> bool {
    let today = now.to_zoned(TimeZone::UTC).date();
    own.iter().filter(|(_, last)| *last >= today).any(|own| {
        !base
            .iter()
            .any(|base| base.0 <= own.0.max(today) && base.1 >= own.1)
    })
}
