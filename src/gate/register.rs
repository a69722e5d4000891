//! The register of what went around the gate, derived from records alone: what was
//! recorded first counts, and nothing about a state is stored anywhere.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde_json::Value;

use crate::facts::{
    AccountRef, Identified as _, LandedChange, OverrideRegister, RegisteredOverride,
};

use super::kind::Kind;
use super::record::{OVERRIDE_RECORD_TYPE, REVIEW_RECORD_TYPE};

mod attempts;
mod exemptions;
mod landing;
mod people;
mod sums;

pub use attempts::Attempt;
pub use exemptions::Exemption;
pub use landing::Use;
pub use sums::{OfControl, OfPerson, Sums};

use landing::{Landing, Landings};

/// How long before its end an override counts as ending soon.
const SOON: SignedDuration = SignedDuration::from_hours(1);

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

    /// Where it stands while there is something to be done until then.
    fn of_nobody(due: Option<&str>, now: Timestamp) -> Self {
        let ends: Option<Timestamp> = due.and_then(|due| due.parse().ok());
        if ends.is_some_and(|ends| now <= ends) {
            Self::Open
        } else {
            Self::Overdue
        }
    }

    /// Whether nobody has looked yet.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Open | Self::Overdue)
    }
}

/// Whether an override still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Term {
    /// It does.
    Running,
    /// It does, for less than an hour.
    Expiring,
    /// It does not, or nobody knows until when it did.
    Expired,
}

impl Term {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
        }
    }
}

/// One override or breach. Texts are from records: hostile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// `ovr_…` or `byp_…`.
    pub id: String,
    /// `break_glass`, `gate_unavailable` or `bypass_detected`.
    pub kind: String,
    /// Codes of the controls.
    pub controls: Vec<String>,
    /// The change.
    pub change: Option<u64>,
    /// The commit.
    pub head: String,
    /// Id of the comment that asked for it.
    pub comment: Option<String>,
    /// Id of the comment by which somebody else approved it.
    pub approval: Option<String>,
    /// Who answers for it: who approved it, else who asked for it.
    #[serde(serialize_with = "people::login")]
    pub by: Option<AccountRef>,
    /// Everybody who gave it in any run, and who asked for it: an approval in an environment is one
    /// of its run, so another run may rest on another's.
    #[serde(skip)]
    pub givers: Vec<AccountRef>,
    /// Who asked for it.
    #[serde(serialize_with = "people::login")]
    pub requester: Option<AccountRef>,
    /// Whether somebody else approved it by its id.
    pub approved_apart: bool,
    /// Of a breach, who pushed or merged it, had a hand in its changes, or asked for or allowed a bypass; `None`: not all of them are known.
    #[serde(serialize_with = "people::logins")]
    pub involved: Option<Vec<AccountRef>>,
    /// When it was given or found.
    pub at: Option<String>,
    /// Until when it holds.
    pub expires: Option<String>,
    /// Whether it still holds; `None` for a breach.
    pub term: Option<Term>,
    /// What was made of it; `None` for a breach.
    #[serde(rename = "use")]
    pub used: Option<Use>,
    /// Of an override for what the platform did not answer: whether every control that it
    /// covered was answered for since.
    pub evaluated_again: Option<bool>,
    /// Fingerprint of the key with which who asked for it signed that; `None`: the record holds no
    /// such signature. It was verified when it was recorded, not here.
    pub request_signature: Option<String>,
    /// The same of who approved it.
    pub approval_signature: Option<String>,
    /// The ticket.
    pub ticket: Option<String>,
    /// Until when it has to be reviewed.
    pub due: Option<String>,
    /// What came out.
    pub outcome: Option<String>,
    /// Who reviewed it.
    #[serde(serialize_with = "people::login")]
    pub reviewer: Option<AccountRef>,
    /// When.
    pub reviewed_at: Option<String>,
    /// Whether somebody has looked at it.
    pub standing: Standing,
}

/// What the records of a ledger tell of overrides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Register {
    /// Every override and breach, in the order in which they were recorded.
    pub entries: Vec<Entry>,
    /// What was asked for or approved in vain, in the order in which it was recorded.
    pub attempts: Vec<Attempt>,
    /// Waivers and accepted findings that decisions name, in the order in which they were first
    /// recorded. They are of the policy and no overrides: nothing here counts as one.
    pub exemptions: Vec<Exemption>,
    /// The changes that came onto a branch.
    landed: Vec<Landing>,
    /// How many records were read.
    records: usize,
}

impl Register {
    /// Sums per person and per control.
    pub fn sums(&self) -> Sums {
        sums::sums(&self.entries, &self.attempts)
    }

    /// What controls get to see of it.
    pub fn as_facts(&self, origin: &str) -> OverrideRegister {
        let time = |text: &Option<String>| text.as_deref().and_then(|text| text.parse().ok());
        OverrideRegister {
            origin: origin.to_owned(),
            records: self.records,
            overrides: self
                .entries
                .iter()
                .map(|entry| RegisteredOverride {
                    id: entry.id.clone(),
                    breach: entry.is_breach(),
                    controls: entry.controls.clone(),
                    change: entry.change,
                    head: entry.head.clone(),
                    requester: entry.requester.clone(),
                    approver: entry.by.clone(),
                    givers: entry.givers.clone(),
                    approved_apart: entry.approved_apart,
                    involved: entry.involved.clone(),
                    evaluated_again: entry.evaluated_again,
                    request_signature: entry.request_signature.clone(),
                    approval_signature: entry.approval_signature.clone(),
                    given_at: time(&entry.at),
                    expires_at: time(&entry.expires),
                    review_due: time(&entry.due),
                    reviewer: entry.reviewer.clone(),
                    reviewed_at: time(&entry.reviewed_at),
                })
                .collect(),
            landed: self
                .landed
                .iter()
                .map(|landing| LandedChange {
                    number: landing.change,
                    at: landing.at,
                    overridden: landing.overridden,
                })
                .collect(),
        }
    }
}

impl Entry {
    /// Whether the gate itself opened it, for what went past it. A word that this version
    /// does not know is an override.
    pub fn is_breach(&self) -> bool {
        self.kind == Kind::BypassDetected.word()
    }

    /// Whether it covers what the platform did not answer, so that it has to be judged again.
    fn is_for_an_outage(&self) -> bool {
        self.kind == Kind::GateUnavailable.word()
    }
}

/// Everything that the statements tell, in order. `now` is compared with what is due.
pub fn register(statements: &[Value], now: Timestamp) -> Register {
    let mut reviews: BTreeMap<&str, Vec<&Value>> = BTreeMap::new();
    for review in of_type(statements, REVIEW_RECORD_TYPE) {
        if let Some(of) = word(review, "/override") {
            reviews.entry(of).or_default().push(review);
        }
    }
    let mut givers: BTreeMap<&str, Vec<AccountRef>> = BTreeMap::new();
    // A run whose token sees less of the platform's records names fewer people, so all of them count.
    let mut involved: BTreeMap<&str, Option<Vec<AccountRef>>> = BTreeMap::new();
    for given in of_type(statements, OVERRIDE_RECORD_TYPE) {
        let people = ["/approver", "/requester"].map(|role| people::person(given, role));
        if let Some(id) = word(given, "/id") {
            let of_it = givers.entry(id).or_default();
            of_it.extend(people.into_iter().flatten());
            let named = people::involved(given);
            involved
                .entry(id)
                .and_modify(|known| people::add(known, named.as_deref()))
                .or_insert(named);
        }
    }
    let landings = Landings::of(statements);
    let mut entries: Vec<Entry> = Vec::new();
    for given in of_type(statements, OVERRIDE_RECORD_TYPE) {
        let Some(id) = word(given, "/id") else {
            continue;
        };
        if let Some(known) = entries.iter_mut().find(|entry| entry.id == id) {
            // Of what the platform did not answer, each run may have met something else.
            for code in codes(given) {
                if known.is_for_an_outage() && !known.controls.contains(&code) {
                    known.controls.push(code);
                }
            }
        } else {
            let of_it = reviews.get(id).map_or(&[][..], Vec::as_slice);
            let hands = Hands {
                givers: givers.remove(id).unwrap_or_default(),
                involved: involved.remove(id).flatten(),
            };
            let mut entry = entry(id, given, of_it, hands, now);
            if !entry.is_breach() {
                let term = term(entry.expires.as_deref(), now);
                entry.term = Some(term);
                entry.used = Some(landings.made_of(&entry, term));
            }
            entries.push(entry);
        }
    }
    for entry in entries.iter_mut().filter(|entry| entry.is_for_an_outage()) {
        let again = landings.answered_since(entry);
        entry.evaluated_again = Some(again);
        if !again {
            entry.standing = Standing::of_nobody(entry.due.as_deref(), now);
        }
    }
    let attempts = attempts::attempts(statements, &entries);
    Register {
        entries,
        attempts,
        exemptions: exemptions::exemptions(statements, now),
        landed: landings.changes(),
        records: statements.len(),
    }
}

fn term(expires: Option<&str>, now: Timestamp) -> Term {
    let ends: Option<Timestamp> = expires.and_then(|text| text.parse().ok());
    match ends {
        Some(ends) if now > ends => Term::Expired,
        Some(ends) if ends.duration_since(now) < SOON => Term::Expiring,
        Some(_) => Term::Running,
        None => Term::Expired,
    }
}

fn of_type<'s>(statements: &'s [Value], wanted: &'s str) -> impl Iterator<Item = &'s Value> {
    statements
        .iter()
        .filter(move |one| one.get("predicateType").and_then(Value::as_str) == Some(wanted))
        .filter_map(|one| one.get("predicate"))
}

/// Codes of the controls that a record names.
fn codes(given: &Value) -> Vec<String> {
    let controls = given.get("controls").and_then(Value::as_array);
    let controls = controls.into_iter().flatten().filter_map(Value::as_str);
    controls.map(str::to_owned).collect()
}

/// Fingerprint of the key that signed in that role, as the record has it.
fn signed_by(given: &Value, role: &str) -> Option<String> {
    let signatures = given.get("signatures").and_then(Value::as_array)?;
    let mut of_role = signatures
        .iter()
        .filter(|one| word(one, "/role") == Some(role));
    of_role.find_map(|one| word(one, "/key").map(str::to_owned))
}

fn word<'v>(value: &'v Value, pointer: &str) -> Option<&'v str> {
    value.pointer(pointer).and_then(Value::as_str)
}

/// Who had a hand in it, by all records of it.
struct Hands {
    givers: Vec<AccountRef>,
    involved: Option<Vec<AccountRef>>,
}

fn entry(id: &str, given: &Value, reviews: &[&Value], hands: Hands, now: Timestamp) -> Entry {
    let Hands {
        mut givers,
        involved,
    } = hands;
    let text = |pointer: &str| word(given, pointer).map(str::to_owned);
    let by = people::person(given, "/approver");
    // Records of before somebody else could approve name one person, who asked and gave.
    let requester = people::person(given, "/requester").or_else(|| by.clone());
    let at = text("/approved_at/forge_time").or_else(|| text("/observed_at"));
    let given_at: Option<Timestamp> = at.as_deref().and_then(|at| at.parse().ok());
    // Whoever asked for it or gave it cannot have reviewed it, whatever a record says and
    // whatever they are called by now: the first review by somebody else counts. What was
    // written before it was given has seen nothing of what was done with it.
    let review = reviews.iter().copied().find(|review| {
        let written_at: Option<Timestamp> =
            word(review, "/observed_at").and_then(|at| at.parse().ok());
        let afterwards = given_at
            .zip(written_at)
            .is_some_and(|(given, written)| written > given);
        afterwards
            && people::person(review, "/reviewer").is_some_and(|reviewer| {
                let moved = involved.iter().flatten();
                !givers.iter().chain(moved).any(|one| reviewer.may_be(one))
            })
    });
    givers.sort_unstable();
    givers.dedup();
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
        None => Standing::of_nobody(due.as_deref(), now),
    };
    Entry {
        givers,
        id: id.to_owned(),
        kind: text("/kind").unwrap_or_default(),
        controls: codes(given),
        change: given.pointer("/scope/change").and_then(Value::as_u64),
        head: text("/scope/head").unwrap_or_default(),
        involved,
        comment: text("/comment"),
        approved_apart: word(given, "/approval").is_some(),
        approval: text("/approval"),
        expires: text("/expires_at"),
        evaluated_again: None,
        term: None,
        used: None,
        request_signature: signed_by(given, "requester"),
        approval_signature: signed_by(given, "approver"),
        at,
        by,
        requester,
        ticket: text("/ticket/key"),
        due,
        outcome: of_review("/outcome"),
        reviewer: review.and_then(|review| people::person(review, "/reviewer")),
        reviewed_at,
        standing,
    }
}

#[cfg(test)]
mod tests;
