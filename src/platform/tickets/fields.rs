//! Fields of a tracker's answer as facts: one that is left out, or has another
//! shape than it should, is unknown; one that is null is known to be empty.

use jiff::Timestamp;
use serde_json::Value;

use crate::facts::{Fact, FactKey, Source, Unknown, Why};

/// An answer and where it came from. Places are JSON pointers.
pub(in crate::platform) struct Fields<'a> {
    body: &'a Value,
    source: &'a Source,
}

impl<'a> Fields<'a> {
    pub(in crate::platform) fn new(body: &'a Value, source: &'a Source) -> Self {
        Self { body, source }
    }

    /// The value as a fact with this answer as its source.
    pub(in crate::platform) fn seen<T>(&self, value: T) -> Fact<T> {
        Fact::seen(value, self.source.clone())
    }

    /// Text that is there and not empty.
    pub(in crate::platform) fn get(&self, place: &str) -> Option<&'a str> {
        self.body
            .pointer(place)?
            .as_str()
            .filter(|text| !text.is_empty())
    }

    /// The same as a fact.
    pub(in crate::platform) fn text(&self, place: &str) -> Fact<String> {
        match self.get(place) {
            Some(text) => self.seen(text.to_owned()),
            None => self.left_out(place),
        }
    }

    /// Text inside something that may be null.
    pub(in crate::platform) fn optional_text(
        &self,
        outer: &str,
        place: &str,
    ) -> Fact<Option<String>> {
        if self.is_null(outer) {
            return self.seen(None);
        }
        self.text(place).map(Some)
    }

    /// A moment.
    pub(in crate::platform) fn time(&self, place: &str) -> Fact<Timestamp> {
        match self.get(place).and_then(|text| text.parse().ok()) {
            Some(time) => self.seen(time),
            None => self.left_out(place),
        }
    }

    /// A moment that may be null.
    pub(in crate::platform) fn optional_time(&self, place: &str) -> Fact<Option<Timestamp>> {
        if self.is_null(place) {
            return self.seen(None);
        }
        self.time(place).map(Some)
    }

    /// Whether the field is there and says nothing.
    pub(in crate::platform) fn is_null(&self, place: &str) -> bool {
        self.body.pointer(place).is_some_and(Value::is_null)
    }

    /// Why a field is not known.
    pub(in crate::platform) fn left_out<T>(&self, place: &str) -> Fact<T> {
        Fact::Unknown(
            Unknown::new(
                FactKey::ChangeTickets.name(),
                Why::HiddenOrAbsent,
                format!(
                    "the answer carries no usable `{}`",
                    place.trim_start_matches('/').replace('/', ".")
                ),
            )
            .at(self.source.endpoint.clone(), Some(200)),
        )
    }
}
