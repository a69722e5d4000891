//! What a SARIF run says of its invocations: whether and when they ended, and
//! how they re-rated rules. Says nothing about whether that is good enough.

use jiff::Timestamp;
use serde::de::{Error as _, MapAccess};

use crate::scan::json::{Fields, Leaf, List, Object};

use super::finding::RuleReference;
use super::tally::Configuration;

/// Most re-rated rules of a run.
const MOST_CHANGES: usize = 5_000;

/// What all invocations of a run say together.
#[derive(Default)]
pub(super) struct Invocations {
    /// The end of the last one.
    pub(super) ended_at: Option<Timestamp>,
    /// Rules whose level an invocation changed.
    pub(super) changes: Vec<RuleChange>,
    failed: bool,
    silent: bool,
    succeeded: bool,
}

impl Invocations {
    pub(super) fn add(&mut self, invocation: Invocation) -> Result<(), String> {
        match invocation.successful {
            Some(true) => self.succeeded = true,
            Some(false) => self.failed = true,
            None => self.silent = true,
        }
        self.ended_at = self.ended_at.max(invocation.ended_at);
        self.changes.extend(invocation.changes);
        if self.changes.len() > MOST_CHANGES {
            return Err(format!(
                "more than {MOST_CHANGES} rules are configured anew"
            ));
        }
        Ok(())
    }

    /// One that failed outweighs all; one that says nothing leaves it open.
    pub(super) fn successful(&self) -> Option<bool> {
        if self.failed {
            return Some(false);
        }
        (self.succeeded && !self.silent).then_some(true)
    }
}

/// One invocation.
#[derive(Default)]
pub(super) struct Invocation {
    successful: Option<bool>,
    ended_at: Option<Timestamp>,
    changes: Vec<RuleChange>,
}

impl Fields for Invocation {
    const WHAT: &'static str = "an invocation";
    // `endTime` is the spelling of SARIF 2.0.0.
    const KEYS: &'static [&'static str] = &[
        "executionSuccessful",
        "endTimeUtc",
        "endTime",
        "ruleConfigurationOverrides",
    ];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "executionSuccessful" => match map.next_value::<Leaf>()? {
                Leaf::Null => {}
                Leaf::Bool(successful) => self.successful = Some(successful),
                Leaf::Number(_) | Leaf::Text(_) | Leaf::Nested(_) => {
                    return Err(A::Error::custom(
                        "`executionSuccessful` is neither true nor false",
                    ));
                }
            },
            "ruleConfigurationOverrides" => {
                let changes = &mut self.changes;
                let list = List::new("`ruleConfigurationOverrides`", |each: RuleChange| {
                    changes.push(each);
                    if changes.len() > MOST_CHANGES {
                        return Err(format!(
                            "more than {MOST_CHANGES} rules are configured anew"
                        ));
                    }
                    Ok(())
                });
                map.next_value_seed(list)?;
            }
            _ => {
                let text = map.next_value::<Leaf>()?.text();
                let time = text.and_then(|text| text.parse().ok());
                self.ended_at = self.ended_at.max(time);
            }
        }
        Ok(())
    }
}

/// A rule that an invocation configured anew.
#[derive(Default)]
pub(super) struct RuleChange {
    pub(super) rule: RuleReference,
    pub(super) configuration: Configuration,
}

impl Fields for RuleChange {
    const WHAT: &'static str = "a rule configuration override";
    const KEYS: &'static [&'static str] = &["descriptor", "configuration"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "descriptor" => map.next_value_seed(Object(&mut self.rule)),
            _ => map.next_value_seed(Object(&mut self.configuration)),
        }
    }
}
