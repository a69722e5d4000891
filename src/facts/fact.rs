//! `Fact<T>`: a value that was seen, or the reason why it was not.
//!
//! There is no way from a fact to a plain value but [`Fact::known`], whose
//! error is the reason. So a control that touches something unseen becomes
//! *unknown* by the `?` operator, and nothing can invent a default:
//!
//! ```compile_fail
//! use ccgate::facts::Fact;
//! let fact: Fact<bool> = Default::default(); // no default
//! ```
//! ```compile_fail
//! use ccgate::facts::Fact;
//! fn f(fact: Fact<bool>) -> bool { fact.unwrap_or(false) } // no default value
//! ```
//! ```compile_fail
//! use ccgate::facts::Fact;
//! fn f(fact: Fact<bool>) -> bool { fact.unwrap() } // no panic instead of a reason
//! ```
//! ```compile_fail
//! use ccgate::facts::Fact;
//! let fact: Fact<bool> = None.into(); // absence is not a fact
//! ```
//! The way that compiles:
//! ```
//! use ccgate::facts::{Fact, Unknown};
//! fn f(fact: &Fact<bool>) -> Result<bool, Unknown> { Ok(*fact.known()?) }
//! assert!(f(&Fact::known_without_source(true)).is_ok());
//! ```

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a known value was read: the request and the digest of the raw answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Source {
    /// Method and path template or operation, e.g. `GET /repos/acme/app/rules/branches/main`
    /// or `GraphQL repository.pullRequest.reviews`.
    pub endpoint: String,
    /// `sha256:<64 hex>` over the raw body as received (after content decoding);
    /// empty for values that came from no request (files, environment).
    pub digest: String,
}

/// Why a fact is not known. The codes are those of the verdict rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// The token lacks a permission; `needs` names it.
    NotPermitted,
    /// The platform gives the same answer for "hidden" and "does not exist".
    HiddenOrAbsent,
    /// The platform or this server version has no such thing.
    NotSupported,
    /// Nothing asked for it.
    NotCollected,
    /// Seen, but longer ago than allowed.
    Stale,
    /// Transport error or an answer that could not be understood.
    Failed,
    /// An expression of the policy cannot be worked out over what was seen.
    NotComputable,
}

impl Why {
    /// The code as written in the decision.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotPermitted => "not_permitted",
            Self::HiddenOrAbsent => "hidden_or_absent",
            Self::NotSupported => "not_supported",
            Self::NotCollected => "not_collected",
            Self::Stale => "stale",
            Self::Failed => "failed",
            Self::NotComputable => "not_computable",
        }
    }
}

/// A fact that is not known, with everything a person needs to mend that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unknown {
    /// Dotted name of the fact, e.g. `branch.bypass`.
    pub fact: String,
    /// The reason.
    pub why: Why,
    /// The one permission that would let us see it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<String>,
    /// The request that did not answer it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// HTTP status of that request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// One plain sentence: what happened.
    pub detail: String,
}

impl Unknown {
    /// A reason without a request behind it.
    pub fn new(fact: impl Into<String>, why: Why, detail: impl Into<String>) -> Self {
        Self {
            fact: fact.into(),
            why,
            needs: None,
            endpoint: None,
            status: None,
            detail: detail.into(),
        }
    }

    /// Nothing asked for this fact.
    pub fn not_collected(fact: impl Into<String>) -> Self {
        Self::new(fact, Why::NotCollected, "no enabled control asked for it")
    }

    /// Adds the permission that would mend it.
    #[must_use]
    pub fn needs(mut self, permission: impl Into<String>) -> Self {
        self.needs = Some(permission.into());
        self
    }

    /// Adds the request and the status that it was answered with.
    #[must_use]
    pub fn at(mut self, endpoint: impl Into<String>, status: Option<u16>) -> Self {
        self.endpoint = Some(endpoint.into());
        self.status = status;
        self
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "could not read {}: {}", self.fact, self.detail)?;
        if let Some(needs) = &self.needs {
            write!(f, " (needs {needs})")?;
        }
        Ok(())
    }
}

/// One observed value, or the reason why it was not observed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[must_use]
pub enum Fact<T> {
    /// The value, and where it was read.
    Known {
        /// What was seen. *Absent* is a value: `Option::None` inside a known fact. Facts have to
        /// say it: a value that is left out is not one of nothing.
        #[serde(
            deserialize_with = "T::deserialize",
            bound(deserialize = "T: Deserialize<'de>")
        )]
        value: T,
        /// The answers that it was read from, in the order they were asked.
        sources: Vec<Source>,
    },
    /// The reason why it was not seen.
    Unknown(Unknown),
}

impl<T> Fact<T> {
    /// A value read from one answer.
    pub fn seen(value: T, source: Source) -> Self {
        Self::Known {
            value,
            sources: vec![source],
        }
    }

    /// A value that came from several answers.
    pub fn seen_in(value: T, sources: Vec<Source>) -> Self {
        Self::Known { value, sources }
    }

    /// A value that came from no request: a file, the environment, a derivation.
    pub fn known_without_source(value: T) -> Self {
        Self::Known {
            value,
            sources: Vec::new(),
        }
    }

    /// The value, or the reason why there is none. The only way out.
    ///
    /// # Errors
    /// The [`Unknown`] that explains why the value was not seen.
    pub fn known(&self) -> Result<&T, Unknown> {
        match self {
            Self::Known { value, .. } => Ok(value),
            Self::Unknown(unknown) => Err(unknown.clone()),
        }
    }

    /// Where the value was read; empty if it is unknown.
    pub fn sources(&self) -> &[Source] {
        match self {
            Self::Known { sources, .. } => sources,
            Self::Unknown(_) => &[],
        }
    }

    /// Takes the value that `other` saw where this one is unknown. What was seen
    /// stays; nothing that was seen becomes unknown.
    pub(crate) fn fill_from(&mut self, other: &Self)
    where
        T: Clone,
    {
        if let (Self::Unknown(_), Self::Known { .. }) = (&*self, other) {
            *self = other.clone();
        }
    }

    /// Whether the value was seen.
    pub fn is_known(&self) -> bool {
        matches!(self, Self::Known { .. })
    }

    /// Whether nothing asked for the value.
    pub(crate) fn is_not_collected(&self) -> bool {
        matches!(self, Self::Unknown(unknown) if unknown.why == Why::NotCollected)
    }

    /// The same fact about a value derived from this one.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Fact<U> {
        match self {
            Self::Known { value, sources } => Fact::Known {
                value: f(value),
                sources,
            },
            Self::Unknown(unknown) => Fact::Unknown(unknown),
        }
    }

    /// A fact about a value derived from a look at this one.
    pub fn map_ref<U>(&self, f: impl FnOnce(&T) -> U) -> Fact<U> {
        match self {
            Self::Known { value, sources } => Fact::Known {
                value: f(value),
                sources: sources.clone(),
            },
            Self::Unknown(unknown) => Fact::Unknown(unknown.clone()),
        }
    }
}

/// Kleene "or" over many facts: one known `true` settles it, whatever is hidden
/// elsewhere; without one, anything hidden makes it unknown. Over nothing: `false`.
pub fn any_of(facts: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    combine(facts, true)
}

/// Kleene "and" over many facts: one known `false` settles it. Over nothing: `true`.
pub fn all_of(facts: impl IntoIterator<Item = Fact<bool>>) -> Fact<bool> {
    combine(facts, false)
}

/// `settling` is the value that decides alone: `true` for "or", `false` for "and".
fn combine(facts: impl IntoIterator<Item = Fact<bool>>, settling: bool) -> Fact<bool> {
    let mut seen = Vec::new();
    let mut decisive = Vec::new();
    let mut first_unknown = None;
    let mut settled = false;
    for fact in facts {
        match fact {
            Fact::Known { value, sources } if value == settling => {
                settled = true;
                decisive.extend(sources);
            }
            Fact::Known { sources, .. } => seen.extend(sources),
            Fact::Unknown(unknown) => {
                first_unknown.get_or_insert(unknown);
            }
        }
    }
    if settled {
        return Fact::seen_in(settling, decisive);
    }
    match first_unknown {
        Some(unknown) => Fact::Unknown(unknown),
        None => Fact::seen_in(!settling, seen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unknown() -> Fact<bool> {
        Fact::Unknown(Unknown::not_collected("test.fact"))
    }

    fn known(value: bool) -> Fact<bool> {
        Fact::known_without_source(value)
    }

    #[test]
    fn a_known_value_that_is_left_out_is_not_one_of_nothing() {
        let nothing: Fact<Option<bool>> = Fact::known_without_source(None);
        let written = serde_json::to_value(&nothing).unwrap();
        let read = |written| serde_json::from_value::<Fact<Option<bool>>>(written);
        assert_eq!(read(written.clone()).unwrap(), nothing);
        let mut without = written;
        without.as_object_mut().unwrap().remove("value");
        assert!(read(without).is_err());
    }

    /// The truth tables of Kleene's strong three-valued logic, whole.
    #[test]
    fn kleene_tables_hold_for_every_pair() {
        let values = [Some(false), Some(true), None];
        let fact = |value: Option<bool>| value.map_or_else(unknown, known);
        let plain = |fact: &Fact<bool>| fact.known().ok().copied();
        for left in values {
            for right in values {
                let or = match (left, right) {
                    (Some(true), _) | (_, Some(true)) => Some(true),
                    (Some(false), Some(false)) => Some(false),
                    (None, _) | (_, None) => None,
                };
                let and = match (left, right) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    (None, _) | (_, None) => None,
                };
                assert_eq!(plain(&any_of([fact(left), fact(right)])), or);
                assert_eq!(plain(&all_of([fact(left), fact(right)])), and);
            }
        }
        assert_eq!(plain(&any_of([])), Some(false));
        assert_eq!(plain(&all_of([])), Some(true));
    }

    #[test]
    fn a_known_fact_keeps_its_source_through_json() {
        let source = Source {
            endpoint: "GET /x".to_owned(),
            digest: "sha256:00".to_owned(),
        };
        let fact = Fact::seen(Some(3_u32), source);
        let json = serde_json::to_string(&fact).expect("facts serialise");
        assert!(json.starts_with(r#"{"state":"known""#), "{json}");
        let back: Fact<Option<u32>> = serde_json::from_str(&json).expect("facts read back");
        assert_eq!(back, fact);
    }

    #[test]
    fn an_unknown_fact_keeps_its_reason_through_json() {
        let fact: Fact<u32> = Fact::Unknown(
            Unknown::new(
                "branch.bypass",
                Why::NotPermitted,
                "the answer has no such key",
            )
            .needs("Administration: write")
            .at("GET /repos/o/r/rulesets/1", Some(200)),
        );
        let json = serde_json::to_string(&fact).expect("facts serialise");
        let back: Fact<u32> = serde_json::from_str(&json).expect("facts read back");
        assert_eq!(back, fact);
    }
}
