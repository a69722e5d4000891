//! When a review is due. Business days are those of the policy's calendar: on a day off
//! the clock stands still.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan as _, Zoned};

use crate::policy::OverrideRules;

/// Time in which somebody has to look at what went past the gate, as a policy would write it.
pub(super) const BREACH_WITHIN: &str = "5 business days";
/// Days that are looked at before somebody's calendar counts as having no end.
const MOST_DAYS: u32 = 4000;

/// When what began at `from` has to be reviewed. `None`: it cannot be reckoned, and then it
/// is overdue at once for whoever counts.
pub(super) fn due(from: Timestamp, within: &str, rules: &OverrideRules) -> Option<Timestamp> {
    let zone = TimeZone::get(&rules.time_zone).ok()?;
    let from = from.to_zoned(zone);
    let business = ["business days", "business day"]
        .iter()
        .find_map(|unit| within.strip_suffix(unit));
    let due = match business {
        Some(number) => in_business_days(from, number.trim().parse().ok()?, &rules.holidays)?,
        None => from.checked_add(within.parse::<Span>().ok()?).ok()?,
    };
    Some(due.timestamp())
}

/// The same time of the day so many business days later. What begins on a day off counts
/// from the first moment of the next business day.
fn in_business_days(from: Zoned, number: u16, holidays: &[Date]) -> Option<Zoned> {
    let is_off = |day: Date| {
        matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) || holidays.contains(&day)
    };
    let mut at = from;
    let mut left = number;
    if is_off(at.date()) {
        at = at.start_of_day().ok()?;
    }
    for _ in 0..MOST_DAYS {
        if !is_off(at.date()) {
            if left == 0 {
                return Some(at);
            }
            left -= 1;
        }
        at = at.checked_add(1.day()).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::testing::{at, policy};

    fn due_at(from: &str, within: &str, zone: &str, holidays: &[&str]) -> Option<String> {
        let mut rules = policy(Vec::new()).overrides;
        zone.clone_into(&mut rules.time_zone);
        rules.holidays = holidays.iter().map(|day| day.parse().unwrap()).collect();
        due(at(from), within, &rules).map(|due| due.to_string())
    }

    fn utc(from: &str, within: &str) -> String {
        due_at(from, within, "UTC", &[]).unwrap()
    }

    #[test]
    fn hours_days_and_weeks_go_on_over_the_weekend() {
        // A Friday.
        let from = "2026-11-27T15:00:00Z";
        assert_eq!(utc(from, "24h"), "2026-11-28T15:00:00Z");
        assert_eq!(utc(from, "3 days"), "2026-11-30T15:00:00Z");
        assert_eq!(utc(from, "1 week"), "2026-12-04T15:00:00Z");
        assert_eq!(utc(from, "2 hours"), "2026-11-27T17:00:00Z");
        assert_eq!(utc(from, "2d"), "2026-11-29T15:00:00Z");
    }

    #[test]
    fn business_days_leave_out_weekends_and_holidays() {
        let friday = "2026-11-27T15:00:00Z";
        assert_eq!(utc(friday, "1 business day"), "2026-11-30T15:00:00Z");
        assert_eq!(utc(friday, "5 business days"), "2026-12-04T15:00:00Z");
        // It stands still until Monday begins.
        let saturday = "2026-11-28T15:00:00Z";
        assert_eq!(utc(saturday, "1 business day"), "2026-12-01T00:00:00Z");
        assert_eq!(
            due_at(
                friday,
                "1 business day",
                "UTC",
                &["2026-11-30", "2026-12-01"]
            )
            .unwrap(),
            "2026-12-02T15:00:00Z"
        );
    }

    #[test]
    fn whose_friday_it_is_and_summer_time_are_those_of_the_time_zone() {
        // Friday evening in New York is Saturday in Tokyo.
        let from = "2026-11-27T23:00:00Z";
        assert_eq!(
            due_at(from, "1 business day", "America/New_York", &[]).unwrap(),
            "2026-11-30T23:00:00Z"
        );
        assert_eq!(
            due_at(from, "1 business day", "Asia/Tokyo", &[]).unwrap(),
            "2026-11-30T15:00:00Z"
        );
        // The clocks go back in between: the same time of the day is an hour later.
        assert_eq!(
            due_at(
                "2026-10-23T10:00:00Z",
                "1 business day",
                "Europe/Vienna",
                &[]
            )
            .unwrap(),
            "2026-10-26T11:00:00Z"
        );
    }

    #[test]
    fn what_cannot_be_reckoned_has_no_due_time() {
        assert_eq!(due_at("2026-11-27T15:00:00Z", "soon", "UTC", &[]), None);
        assert_eq!(
            due_at(
                "2026-11-27T15:00:00Z",
                "1 business day",
                "Nowhere/Else",
                &[]
            ),
            None
        );
    }
}
