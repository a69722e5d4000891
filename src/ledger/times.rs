//! The times that records tell: the runner's beside the platform's, and both against the
//! time-stamps of checkpoints that hold the record. Where they stand is handed in.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::moment;
use super::timestamp::CLOCK_TOLERANCE;
use super::verify::{State, Verdict};

/// Where records tell times (RFC 3339), as JSON pointers.
#[derive(Debug, Clone, Copy)]
pub struct TimePointers<'a> {
    /// By the clock of the machine that made the record.
    pub runner: &'a str,
    /// By the platform's clock.
    pub platform: &'a str,
}

impl<'a> TimePointers<'a> {
    /// The names, if both stand in the predicate itself.
    pub(super) fn members(self) -> Option<[&'a str; 2]> {
        let member = |pointer: &'a str| {
            pointer
                .strip_prefix("/predicate/")
                .filter(|name| !name.contains(['/', '~']))
        };
        Some([member(self.runner)?, member(self.platform)?])
    }
}

/// What the records told until now.
#[derive(Debug, Default)]
pub(super) struct TimesSeen {
    /// Sizes and times of stamps, later sizes first; no time is later than one before it.
    stamps: Vec<(u64, Timestamp)>,
    problems: Vec<String>,
    /// Records of which whoever verifies knows that their machine's clock was wrong, as far as none
    /// of them was met yet.
    known_wrong: BTreeSet<u64>,
    /// What those that were met tell.
    excepted: Vec<String>,
    /// Records with both times.
    compared: u64,
    /// Records below a stamp.
    stamped: u64,
    /// The longest time between a record and the first stamp over it.
    longest: SignedDuration,
}

impl TimesSeen {
    /// Hands in the stamps that count, by size. A stamp over more records vouches for those
    /// before as well, so of several the earliest bounds a record.
    pub(super) fn stamps(&mut self, stamps: impl DoubleEndedIterator<Item = (u64, Timestamp)>) {
        let mut earliest: Option<Timestamp> = None;
        for (size, time) in stamps.rev() {
            let time = earliest.map_or(time, |earliest| earliest.min(time));
            earliest = Some(time);
            self.stamps.push((size, time));
        }
    }

    /// Names records whose machine's clock is known to have been wrong.
    pub(super) fn except(&mut self, numbers: &[u64]) {
        self.known_wrong.extend(numbers);
    }

    /// The time at which the record was there at the latest.
    fn bound(&self, number: u64) -> Option<Timestamp> {
        let above = self.stamps.partition_point(|(size, _)| *size > number);
        self.stamps
            .get(above.checked_sub(1)?)
            .map(|(_, time)| *time)
    }

    /// A record's statement, read whole.
    pub(super) fn look(&mut self, number: u64, statement: &Value, pointers: TimePointers<'_>) {
        let told = |pointer: &str| {
            let value = statement
                .pointer(pointer)
                .filter(|value| !value.is_null())?;
            Some(value.as_str().unwrap_or_default())
        };
        let (runner, platform) = (told(pointers.runner), told(pointers.platform));
        self.tell(number, runner, platform, pointers);
    }

    /// What a record tells: `None` where it tells no time, a text that is none where it
    /// tells something else.
    pub(super) fn tell(
        &mut self,
        number: u64,
        runner: Option<&str>,
        platform: Option<&str>,
        pointers: TimePointers<'_>,
    ) {
        let runner = self.time(number, runner, pointers.runner);
        let platform = self.time(number, platform, pointers.platform);
        if let (Some(runner), Some(platform)) = (runner, platform) {
            self.compared += 1;
            if runner.duration_since(platform).abs() > CLOCK_TOLERANCE {
                let told = format!(
                    "entry {number}: the machine that made it said {runner} and the platform {platform}"
                );
                if self.known_wrong.remove(&number) {
                    self.excepted.push(told);
                } else {
                    self.problems.push(told);
                }
            }
        }
        let (Some(bound), Some(latest)) = (self.bound(number), runner.max(platform)) else {
            return;
        };
        self.stamped += 1;
        let passed = bound.duration_since(latest);
        if passed < -CLOCK_TOLERANCE {
            self.problems.push(format!(
                "entry {number} is dated {latest}, but a checkpoint that holds it was stamped at {bound}"
            ));
        }
        self.longest = self.longest.max(passed);
    }

    /// A time that is there has to be one.
    fn time(&mut self, number: u64, text: Option<&str>, pointer: &str) -> Option<Timestamp> {
        let time = moment::read(text?);
        if time.is_none() {
            self.problems
                .push(format!("entry {number}: `{pointer}` is no time"));
        }
        time
    }

    pub(super) fn conclude(&self, entries: u64) -> Verdict {
        let mut problems = self.problems.clone();
        // An exception that is kept in store would cover what comes.
        problems.extend(self.known_wrong.iter().map(|number| {
            format!("entry {number} is excepted (`--wrong-clock`) and needs no exception")
        }));
        if let Some(first) = problems.first() {
            return Verdict {
                state: State::Failed,
                says: first.clone(),
                problems,
            };
        }
        let mut says = Vec::new();
        if !self.excepted.is_empty() {
            says.push(format!(
                "excepted by whoever verifies (`--wrong-clock`): {}",
                self.excepted.join("; ")
            ));
        }
        if self.compared > 0 {
            says.push(format!(
                "the machine's time and the platform's are within {} minutes of each other in {} of {entries} records",
                CLOCK_TOLERANCE.as_mins(),
                self.compared - self.excepted.len() as u64
            ));
        } else {
            says.push("no record tells the platform's time beside the machine's".to_owned());
        }
        if self.stamped > 0 {
            says.push(format!(
                "none of the {} that are under a time-stamp is later than it, and at most {} passed until one was stamped: it could have been dated back as far, unseen",
                self.stamped,
                words(self.longest)
            ));
        }
        Verdict {
            state: if self.compared > 0 && self.compared == entries {
                State::Ok
            } else {
                State::Unknown
            },
            says: says.join("; "),
            problems: Vec::new(),
        }
    }
}

/// Rounded up to what people reckon in.
fn words(duration: SignedDuration) -> String {
    let minutes = duration.as_secs().max(0).div_euclid(60) + 1;
    match minutes {
        ..=120 => format!("{minutes} minutes"),
        121..=2880 => format!("{} hours", minutes / 60 + 1),
        _ => format!("{} days", minutes / 1440 + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const POINTERS: TimePointers<'static> = TimePointers {
        runner: "/predicate/observed_at",
        platform: "/predicate/platform_time",
    };

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn seen(stamps: &[(u64, &str)], records: &[(&str, Option<&str>)]) -> Verdict {
        let mut seen = TimesSeen::default();
        seen.stamps(stamps.iter().map(|(size, time)| (*size, at(time))));
        for (number, (runner, platform)) in (0..).zip(records) {
            let statement =
                json!({"predicate": {"observed_at": runner, "platform_time": platform}});
            seen.look(number, &statement, POINTERS);
        }
        seen.conclude(records.len() as u64)
    }

    #[test]
    fn a_machine_whose_clock_is_another_than_the_platforms_is_told() {
        let eight = "2026-06-01T08:00:00Z";
        assert_eq!(
            seen(&[], &[(eight, Some("2026-06-01T08:15:00Z"))]).state,
            State::Ok
        );
        for other in ["2026-06-01T08:15:01Z", "2026-06-01T07:44:59Z", "yesterday"] {
            let verdict = seen(&[], &[(eight, Some(eight)), (eight, Some(other))]);
            assert_eq!(verdict.state, State::Failed, "{other}");
            assert!(verdict.says.contains("entry 1"), "{}", verdict.says);
        }
        assert_eq!(seen(&[], &[(eight, None)]).state, State::Unknown);
        let half = seen(&[], &[(eight, Some(eight)), (eight, None)]);
        assert_eq!(half.state, State::Unknown, "one was not compared");
    }

    #[test]
    fn a_wrong_clock_that_is_excepted_by_its_number_is_told_and_excuses_nothing_else() {
        let (eight, nine) = ("2026-06-01T08:00:00Z", "2026-06-01T09:00:00Z");
        let (right, wrong) = ((eight, Some(eight)), (nine, Some(eight)));
        let verdict = |except: &[u64], stamps: &[(u64, &str)], records: &[(&str, Option<&str>)]| {
            let mut seen = TimesSeen::default();
            seen.except(except);
            seen.stamps(stamps.iter().map(|(size, time)| (*size, at(time))));
            for (number, (runner, platform)) in (0..).zip(records) {
                let statement =
                    json!({"predicate": {"observed_at": runner, "platform_time": platform}});
                seen.look(number, &statement, POINTERS);
            }
            seen.conclude(records.len() as u64)
        };
        let excepted = verdict(&[1], &[], &[right, wrong]);
        assert_eq!(excepted.state, State::Ok);
        assert!(
            excepted.says.contains("excepted") && excepted.says.contains("entry 1"),
            "{}",
            excepted.says
        );
        assert!(
            excepted.says.contains("1 of 2 records"),
            "{}",
            excepted.says
        );
        // Another one, one that needs none, and one that is not there.
        assert_eq!(verdict(&[0], &[], &[right, wrong]).state, State::Failed);
        assert_eq!(verdict(&[0, 1], &[], &[right, wrong]).state, State::Failed);
        assert_eq!(verdict(&[1, 2], &[], &[right, wrong]).state, State::Failed);
        // It does not make a record older than its time-stamp.
        assert_eq!(
            verdict(&[1], &[(2, eight)], &[right, wrong]).state,
            State::Failed
        );
    }

    #[test]
    fn a_record_dated_later_than_a_stamp_over_it_is_told_and_one_behind_it_is_not() {
        let late = "2026-06-02T08:00:00Z";
        let stamp = "2026-06-01T08:00:00Z";
        let record = (late, Some(late));
        let early = (stamp, Some(stamp));
        assert_eq!(seen(&[(1, stamp)], &[early, record]).state, State::Ok);
        let verdict = seen(&[(2, stamp)], &[early, record]);
        assert_eq!(verdict.state, State::Failed);
        assert!(
            verdict.says.contains("entry 1 is dated"),
            "{}",
            verdict.says
        );
        // A later checkpoint was stamped earlier: it held the record as well.
        let verdict = seen(&[(2, "2026-06-03T08:00:00Z"), (3, stamp)], &[early, record]);
        assert_eq!(verdict.state, State::Failed);
        // The platform's time alone is enough.
        let verdict = seen(&[(1, stamp)], &[(stamp, Some(late))]);
        assert!(
            verdict
                .problems
                .iter()
                .any(|text| text.contains("is dated"))
        );
    }

    #[test]
    fn how_far_back_a_record_could_be_dated_is_said() {
        let record = ("2026-06-01T08:00:00Z", Some("2026-06-01T08:00:00Z"));
        for (stamp, words) in [
            ("2026-06-01T08:00:10Z", "1 minutes"),
            ("2026-06-01T20:00:00Z", "13 hours"),
            ("2026-07-01T08:00:00Z", "31 days"),
        ] {
            let says = seen(&[(1, stamp)], &[record]).says;
            assert!(says.contains(&format!("at most {words}")), "{says}");
        }
    }
}
