//! Waivers and accepted findings, as the decisions on record name them. They come from the
//! policy with its own review, and a record of an override cannot make one.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::gate::kind::Kind;
use crate::gate::record::CHANGE_RECORD_TYPE;

use super::landing::list;
use super::{Term, word};

/// How many days before its last one an exemption counts as ending soon.
const SOON: i32 = 7;

/// A waiver or an accepted finding. Texts are from records: hostile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Exemption {
    /// `wvr_…` or `fnd_…`; renewed with another end or by another approver it is another one.
    pub id: String,
    /// `waiver` or `finding_accept`.
    pub kind: &'static str,
    /// The control, or the finding in words.
    pub what: String,
    /// Which repositories a waiver is for.
    pub scope: Option<String>,
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who approved it.
    pub approved_by: Option<String>,
    /// The ticket of an accepted finding.
    pub ticket: Option<String>,
    /// The last day on which it holds (UTC).
    pub expires: Option<String>,
    /// Whether it still holds; past its end it covers nothing until it is approved anew.
    pub term: Term,
    /// When it was first and last recorded.
    pub first: Option<String>,
    /// The same of the last time.
    pub last: Option<String>,
    /// How many changes it covered something on.
    pub changes: usize,
    /// What became of it in the newest decision, e.g. `applied` or `unmatched`.
    pub state: String,
}

/// Every exemption that a decision names, once.
pub(super) fn exemptions(statements: &[Value], now: Timestamp) -> Vec<Exemption> {
    let mut all: Vec<(Exemption, BTreeSet<u64>)> = Vec::new();
    for statement in statements {
        if word(statement, "/predicateType") != Some(CHANGE_RECORD_TYPE) {
            continue;
        }
        let at = word(statement, "/predicate/observed_at").map(str::to_owned);
        let change = statement
            .pointer("/predicate/subject/change")
            .and_then(Value::as_u64);
        let waivers = list(statement, "/predicate/waivers").map(|one| (Kind::Waiver, one));
        let findings =
            list(statement, "/predicate/accepted_findings").map(|one| (Kind::FindingAccept, one));
        for (kind, one) in waivers.chain(findings) {
            let seen = exemption(kind, one, now);
            let place = all.iter().position(|(known, _)| known.id == seen.id);
            let place = place.unwrap_or_else(|| {
                let first = at.clone();
                all.push((
                    Exemption {
                        first,
                        ..seen.clone()
                    },
                    BTreeSet::new(),
                ));
                all.len() - 1
            });
            if let Some((known, changes)) = all.get_mut(place) {
                known.last.clone_from(&at);
                known.state = seen.state;
                if matches!(known.state.as_str(), "applied" | "worse") {
                    changes.extend(change);
                }
                known.changes = changes.len();
            }
        }
    }
    all.into_iter().map(|(exemption, _)| exemption).collect()
}

fn exemption(kind: Kind, one: &Value, now: Timestamp) -> Exemption {
    let text = |pointer: &str| word(one, pointer).map(str::to_owned);
    let (what, prefix) = match kind {
        Kind::FindingAccept => ("/finding", "fnd_"),
        Kind::Waiver | Kind::BreakGlass | Kind::GateUnavailable | Kind::BypassDetected => {
            ("/control", "wvr_")
        }
    };
    let told = [
        "/scope",
        "/owner",
        "/approved_by",
        "/ticket",
        "/expires",
        what,
    ];
    let said: Vec<&str> = told
        .iter()
        .map(|pointer| word(one, pointer).unwrap_or_default())
        .collect();
    let digest = hex::encode(Sha256::digest(said.join("\n").as_bytes()));
    let expires = text("/expires");
    Exemption {
        id: format!("{prefix}{}", &digest[..26]),
        kind: kind.word(),
        what: text(what).unwrap_or_default(),
        scope: text("/scope"),
        owner: text("/owner"),
        approved_by: text("/approved_by"),
        ticket: text("/ticket"),
        term: term(expires.as_deref(), now),
        expires,
        first: None,
        last: None,
        changes: 0,
        state: text("/state").unwrap_or_default(),
    }
}

/// It holds to the end of its last day. Without a day nobody can say that it does.
fn term(expires: Option<&str>, now: Timestamp) -> Term {
    let today = now.to_zoned(TimeZone::UTC).date();
    let last: Option<Date> = expires.and_then(|text| text.parse().ok());
    match last {
        Some(last) if today > last => Term::Expired,
        Some(last) if (last - today).get_days() < SOON => Term::Expiring,
        Some(_) => Term::Running,
        None => Term::Expired,
    }
}
