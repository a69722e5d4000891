//! The register of what went around the gate, derived from records alone: what was
//! recorded first counts, and nothing about a state is stored anywhere.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::record::{OVERRIDE_RECORD_TYPE, REVIEW_RECORD_TYPE};

/// Whether somebody has looked at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Nobody yet, and there is time.
    Open,
    /// Nobody, and the time is over; or it cannot be told when it is.
    Overdue,
    /// Somebody did, in time.
    Reviewed,
    /// Somebody did, too late or nobody knows when.
    ReviewedLate,
}

impl Standing {
    /// The words for it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Overdue => "overdue",
            Self::Reviewed => "reviewed",
            Self::ReviewedLate => "reviewed late",
        }
    }

    /// Whether nobody has looked yet.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Overdue)
    }
}

/// One override or breach. Texts are from records: hostile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `ovr_…` or `byp_…`.
    pub id: String,
    /// `break_glass` or `bypass_detected`.
    pub kind: String,
    /// Codes of the controls.
    pub controls: Vec<String>,
    /// The change.
    pub change: Option<u64>,
    /// The commit.
    pub head: String,
    /// Who answers for it: who approved it, else who asked for it.
    pub by: Option<String>,
    /// Who asked for it.
    pub requester: Option<String>,
    /// When it was given or found.
    pub at: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// Until when it has to be reviewed.
    pub due: Option<String>,
    /// What came out.
    pub outcome: Option<String>,
    /// Who reviewed it.
    pub reviewer: Option<String>,
    /// When.
    pub reviewed_at: Option<String>,
    /// Whether somebody has looked at it.
    pub standing: Standing,
}

/// Every override and breach that the statements tell of, in the order in which they
/// were recorded. `now` is compared with what is due.
pub fn register(statements: &[Value], now: Timestamp) -> Vec<Entry> {
    let mut reviews: BTreeMap<&str, &Value> = BTreeMap::new();
    for review in of_type(statements, REVIEW_RECORD_TYPE) {
        if let Some(of) = word(review, "/override") {
            reviews.entry(of).or_insert(review);
        }
    }
    let mut entries: Vec<Entry> = Vec::new();
    for given in of_type(statements, OVERRIDE_RECORD_TYPE) {
        let Some(id) = word(given, "/id") else {
            continue;
        };
        if entries.iter().all(|entry| entry.id != id) {
            entries.push(entry(id, given, reviews.get(id).copied(), now));
        }
    }
    entries
}

fn of_type<'s>(statements: &'s [Value], wanted: &'s str) -> impl Iterator<Item = &'s Value> {
    statements
        .iter()
        .filter(move |one| one.get("predicateType").and_then(Value::as_str) == Some(wanted))
        .filter_map(|one| one.get("predicate"))
}

fn word<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

fn entry(id: &str, given: &Value, review: Option<&Value>, now: Timestamp) -> Entry {
    let text = |pointer: &str| word(given, pointer).map(str::to_owned);
    let by = text("/approver/login");
    // Records of before somebody else could approve name one person, who asked and gave.
    let requester = text("/requester/login").or_else(|| by.clone());
    // Whoever asked for it or gave it cannot have reviewed it, whatever a record says.
    let review = review.filter(|review| {
        let reviewer = word(review, "/reviewer/login");
        reviewer.is_some_and(|reviewer| {
            let mut involved = [&by, &requester].into_iter().flatten();
            !involved.any(|one| one.eq_ignore_ascii_case(reviewer))
        })
    });
    let of_review = |pointer: &str| review.and_then(|it| word(it, pointer)).map(str::to_owned);
    let due = text("/review/due_at");
    let reviewed_at = of_review("/observed_at");
    let ends: Option<Timestamp> = due.as_deref().and_then(|due| due.parse().ok());
    let in_time = |at: Timestamp| ends.is_some_and(|ends| at <= ends);
    let standing = match review {
        Some(_) => {
            let at = reviewed_at.as_deref().and_then(|at| at.parse().ok());
            if at.is_some_and(in_time) {
                Standing::Reviewed
            } else {
                Standing::ReviewedLate
            }
        }
        None if in_time(now) => Standing::Open,
        None => Standing::Overdue,
    };
    let controls = given.get("controls").and_then(Value::as_array);
    Entry {
        id: id.to_owned(),
        kind: text("/kind").unwrap_or_default(),
        controls: controls
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        change: given.pointer("/scope/change").and_then(Value::as_u64),
        head: text("/scope/head").unwrap_or_default(),
        at: text("/approved_at/forge_time").or_else(|| text("/observed_at")),
        by,
        requester,
        ticket: text("/ticket/key"),
        due,
        outcome: of_review("/outcome"),
        reviewer: of_review("/reviewer/login"),
        reviewed_at,
        standing,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::gate::testing::at;

    fn given(id: &str, due: Option<&str>) -> Value {
        json!({"predicateType": OVERRIDE_RECORD_TYPE, "predicate": {
            "id": id, "kind": "break_glass", "controls": ["CHG-04"],
            "scope": {"change": 7, "head": "f1"}, "approver": {"login": "lead"},
            "approved_at": {"forge_time": "2026-06-01T11:00:00Z"}, "review": {"due_at": due}}})
    }

    fn review(of: &str, by: &str, when: &str) -> Value {
        json!({"predicateType": REVIEW_RECORD_TYPE, "predicate": {
            "override": of, "outcome": "ratified", "observed_at": when, "reviewer": {"login": by}}})
    }

    const DUE: Option<&str> = Some("2026-06-02T11:00:00Z");

    fn standing(statements: &[Value], now: &str) -> Standing {
        register(statements, at(now))[0].standing
    }

    #[test]
    fn a_review_is_open_until_it_is_due_and_overdue_afterwards() {
        let all = [given("ovr_1", DUE)];
        assert_eq!(standing(&all, "2026-06-02T11:00:00Z"), Standing::Open);
        assert_eq!(standing(&all, "2026-06-02T11:00:01Z"), Standing::Overdue);
        let never = [given("ovr_1", None)];
        assert_eq!(standing(&never, "2026-06-01T11:00:00Z"), Standing::Overdue);
    }

    #[test]
    fn the_first_review_counts_and_says_whether_it_was_in_time() {
        let now = "2026-07-01T00:00:00Z";
        let of = |when: &str| [given("ovr_1", DUE), review("ovr_1", "sec", when)];
        assert_eq!(
            standing(&of("2026-06-02T11:00:00Z"), now),
            Standing::Reviewed
        );
        assert_eq!(
            standing(&of("2026-06-02T11:00:01Z"), now),
            Standing::ReviewedLate
        );
        let mut twice = of("2026-06-02T10:00:00Z").to_vec();
        twice.push(review("ovr_1", "other", "2026-06-05T10:00:00Z"));
        let entry = register(&twice, at(now)).remove(0);
        assert_eq!(entry.reviewer.as_deref(), Some("sec"));
        assert_eq!(entry.outcome.as_deref(), Some("ratified"));
    }

    #[test]
    fn whoever_gave_it_has_not_reviewed_it_and_a_review_of_another_is_none() {
        let now = "2026-06-01T12:00:00Z";
        for (of, by) in [("ovr_1", "LEAD"), ("ovr_2", "sec")] {
            let all = [given("ovr_1", DUE), review(of, by, now)];
            assert_eq!(standing(&all, now), Standing::Open, "{of} by {by}");
        }
    }

    #[test]
    fn the_same_override_in_several_records_is_one_entry() {
        let all = [
            given("ovr_1", DUE),
            given("ovr_1", None),
            given("ovr_2", DUE),
        ];
        let ids: Vec<_> = register(&all, at("2026-06-01T12:00:00Z"))
            .into_iter()
            .map(|entry| (entry.id, entry.due.is_some()))
            .collect();
        assert_eq!(
            ids,
            [("ovr_1".to_owned(), true), ("ovr_2".to_owned(), true)]
        );
    }
}
