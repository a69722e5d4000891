//! What was asked for or approved in vain. Each run writes down what stands on the change,
//! so the same attempt is in many records; the newest says what became of it.

use serde::Serialize;
use serde_json::Value;

use crate::gate::record::CHANGE_RECORD_TYPE;

use super::landing::list;
use super::{Entry, people, word};
use crate::facts::AccountRef;

/// An override or an approval that opened nothing. Texts are from records: hostile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// `override` or `approval`.
    pub kind: &'static str,
    /// Id of the override that was asked for or named.
    pub id: String,
    /// The change.
    pub change: Option<u64>,
    /// The head that it was judged for.
    pub head: String,
    /// Id of the comment.
    pub comment: String,
    /// The control, as it was named; `None` for an approval.
    pub control: Option<String>,
    /// Who.
    #[serde(serialize_with = "people::login")]
    pub by: Option<AccountRef>,
    /// When.
    pub at: Option<String>,
    /// `requested`, `refused`, `void`, `expired` or `unmatched`.
    pub state: String,
    /// Whether somebody approved what they had asked for or were not shown to be independent of.
    pub self_approved: bool,
    /// Why.
    pub why: String,
}

/// Every attempt once. What was given in the end is none.
pub(super) fn attempts(statements: &[Value], entries: &[Entry]) -> Vec<Attempt> {
    let mut all: Vec<Attempt> = Vec::new();
    for statement in statements {
        if word(statement, "/predicateType") != Some(CHANGE_RECORD_TYPE) {
            continue;
        }
        let asked = list(statement, "/predicate/overrides")
            .filter(|one| word(one, "/state") != Some("accepted"))
            .map(|one| ("override", one));
        let approved = list(statement, "/predicate/approvals_refused").map(|one| ("approval", one));
        for (kind, one) in asked.chain(approved) {
            let attempt = attempt(kind, one, statement);
            match all.iter_mut().find(|known| {
                known.kind == kind
                    && known.change == attempt.change
                    && known.comment == attempt.comment
            }) {
                Some(known) => *known = attempt,
                None => all.push(attempt),
            }
        }
    }
    // What was merged is judged again under the commit that came of it, for which the same
    // comments are none: that does not undo what they gave before.
    all.retain(|attempt| {
        !entries.iter().any(|entry| {
            let comment = match attempt.kind {
                "override" => &entry.comment,
                _ => &entry.approval,
            };
            entry.change == attempt.change && comment.as_deref() == Some(attempt.comment.as_str())
        })
    });
    all
}

fn attempt(kind: &'static str, one: &Value, statement: &Value) -> Attempt {
    let text = |pointer: &str| word(one, pointer).map(str::to_owned);
    let id = text("/id").or_else(|| text("/override"));
    Attempt {
        kind,
        id: id.unwrap_or_default(),
        change: statement
            .pointer("/predicate/subject/change")
            .and_then(Value::as_u64),
        head: word(statement, "/predicate/subject/head")
            .unwrap_or_default()
            .to_owned(),
        comment: text("/comment").unwrap_or_default(),
        control: text("/control"),
        by: people::author(one),
        at: text("/at"),
        state: text("/state").unwrap_or_else(|| "refused".to_owned()),
        self_approved: one.get("self_approved").and_then(Value::as_bool) == Some(true),
        why: text("/why").unwrap_or_default(),
    }
}
