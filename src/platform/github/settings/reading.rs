//! From one REST answer to what it carries: the value in it, a list whole, a
//! key that is there or is not. What is missing is unknown, with the permission
//! that would show it; nothing gets a default here.

use serde::de::DeserializeOwned;

use crate::facts::{Fact, FactKey, Source, Unknown, Why};
use crate::platform::access;
use crate::platform::transport::{Answer, Listing, NoAnswer};

use super::super::permissions;

/// What was read, and where.
#[derive(Clone, Debug)]
pub(in super::super) struct Read<T> {
    pub(in super::super) value: T,
    pub(in super::super) sources: Vec<Source>,
    pub(super) endpoint: String,
}

impl<T> Read<T> {
    /// A fact that this answer tells.
    pub(super) fn fact<U>(&self, value: U) -> Fact<U> {
        Fact::seen_in(value, self.sources.clone())
    }

    /// A fact that this answer tells if it carries the key at all.
    pub(super) fn field<U>(&self, key: FactKey, value: Option<U>, name: &str) -> Fact<U> {
        match value {
            Some(value) => self.fact(value),
            None => Fact::Unknown(self.missing(key, name)),
        }
    }

    /// Why a key that is not there is unknown.
    pub(super) fn missing(&self, key: FactKey, name: &str) -> Unknown {
        Unknown::new(
            key.name(),
            Why::HiddenOrAbsent,
            format!("the answer has no `{name}`: it is hidden from the token, or this server does not know it"),
        )
        .needs(permissions::needs(key))
        .at(self.endpoint.clone(), Some(200))
    }

    /// Why an answer that is not what the platform documents tells nothing.
    pub(in super::super) fn malformed(&self, key: FactKey, detail: &str) -> Unknown {
        access::malformed(key.name(), &self.endpoint, 200, detail)
    }

    /// The whole group from this answer; an error says what is wrong with it.
    pub(super) fn translated<U>(
        &self,
        key: FactKey,
        translate: impl FnOnce(&T) -> Result<U, String>,
    ) -> Fact<U> {
        match translate(&self.value) {
            Ok(value) => self.fact(value),
            Err(detail) => Fact::Unknown(self.malformed(key, &detail)),
        }
    }
}

/// The object of one answer.
pub(in super::super) fn one<T: DeserializeOwned>(
    key: FactKey,
    answer: &Result<Answer, NoAnswer>,
) -> Result<Read<T>, Unknown> {
    let answer = answer
        .as_ref()
        .map_err(|refusal| access::refused(key.name(), permissions::needs(key), refusal))?;
    let value = answer.json().map_err(|detail| {
        access::malformed(key.name(), &answer.endpoint, answer.status, &detail)
    })?;
    Ok(Read {
        value,
        sources: vec![answer.source.clone()],
        endpoint: answer.endpoint.clone(),
    })
}

/// The object of an answer that a workflow token was not even asked for (`None`).
pub(super) fn asked<T: DeserializeOwned>(
    key: FactKey,
    answer: Option<&Result<Answer, NoAnswer>>,
    what: &str,
) -> Result<Read<T>, Unknown> {
    match answer {
        Some(answer) => one(key, answer),
        None => Err(not_asked(key, what)),
    }
}

/// One value of an answer, if the answer came and carries it.
pub(super) fn field_of<T, U>(
    key: FactKey,
    read: &Result<Read<T>, Unknown>,
    name: &str,
    value: impl FnOnce(&T) -> Option<U>,
) -> Fact<U> {
    match read {
        Ok(read) => read.field(key, value(&read.value), name),
        Err(unknown) => Fact::Unknown(unknown.clone()),
    }
}

/// Every item of a list. One item of another shape spoils the list: left out, it
/// might be the one that counts.
pub(in super::super) fn list<T: DeserializeOwned>(
    key: FactKey,
    listing: &Result<Listing, NoAnswer>,
) -> Result<Read<Vec<T>>, Unknown> {
    let listing = listing
        .as_ref()
        .map_err(|refusal| access::refused(key.name(), permissions::needs(key), refusal))?;
    let value = listing
        .items
        .iter()
        .map(T::deserialize)
        .collect::<Result<Vec<T>, serde_json::Error>>()
        .map_err(|error| {
            access::malformed(key.name(), &listing.endpoint, 200, &error.to_string())
        })?;
    Ok(Read {
        value,
        sources: listing.sources.clone(),
        endpoint: listing.endpoint.clone(),
    })
}

/// Every item of a list, translated one by one.
pub(super) fn list_of<T: DeserializeOwned, U: Ord>(
    key: FactKey,
    listing: &Result<Listing, NoAnswer>,
    translate: impl Fn(&T) -> Option<U>,
    what: &str,
) -> Fact<Vec<U>> {
    match list::<T>(key, listing) {
        Ok(read) => read.translated(key, |items| {
            let mut all: Vec<U> = items
                .iter()
                .map(translate)
                .collect::<Option<_>>()
                .ok_or_else(|| what.to_owned())?;
            all.sort();
            Ok(all)
        }),
        Err(unknown) => Fact::Unknown(unknown),
    }
}

/// What a workflow token can never have is not asked for.
pub(super) fn not_asked(key: FactKey, what: &str) -> Unknown {
    Unknown::new(
        key.name(),
        Why::NotPermitted,
        format!("a workflow token cannot read {what}, so it was not asked"),
    )
    .needs(permissions::needs(key))
}

/// What no interface of the platform tells.
pub(super) fn not_told(key: FactKey, detail: &str) -> Unknown {
    Unknown::new(key.name(), Why::NotSupported, detail)
}

/// There is no organisation to ask about.
pub(super) fn of_a_person(key: FactKey) -> Unknown {
    not_told(
        key,
        "the repository belongs to a person, not to an organisation",
    )
}

#[cfg(test)]
pub(in super::super) mod testing {
    use serde_json::Value;

    use super::{Listing, NoAnswer};
    use crate::facts::Source;

    /// A list as the transport hands it over.
    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    pub(in super::super::super) fn listing(items: &Value) -> Result<Listing, NoAnswer> {
        Ok(Listing {
            items: items.as_array().cloned().unwrap_or_default(),
            sources: vec![Source {
                endpoint: "GET /list".to_owned(),
                digest: "sha256:00".to_owned(),
            }],
            endpoint: "GET /list".to_owned(),
        })
    }

    /// A list that was refused.
    #[expect(
        clippy::result_large_err,
        reason = "the shape that the transport hands over"
    )]
    pub(in super::super::super) fn no_listing(
        status: u16,
        message: &str,
    ) -> Result<Listing, NoAnswer> {
        match super::super::super::graph::testing::refused(status, message) {
            Err(refusal) => Err(refusal),
            Ok(_) => panic!("a refusal refuses"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::super::super::graph::testing::{refused, rest};
    use super::testing::listing;
    use super::*;

    #[derive(Deserialize)]
    struct Item {
        size: Option<u32>,
    }

    const KEY: FactKey = FactKey::PipelineSettings;

    #[test]
    fn a_key_that_is_not_there_is_unknown_with_the_permission() {
        let read = one::<Item>(KEY, &rest(&json!({}))).unwrap();
        let unknown = read
            .field(KEY, read.value.size, "size")
            .known()
            .unwrap_err();
        assert_eq!(unknown.why, Why::HiddenOrAbsent);
        assert_eq!(unknown.needs.as_deref(), Some(permissions::needs(KEY)));
    }

    #[test]
    fn each_refusal_keeps_its_reason() {
        let why = |status, message: &str| {
            one::<Item>(KEY, &refused(status, message))
                .err()
                .map(|unknown| unknown.why)
        };
        assert_eq!(
            why(403, "Resource not accessible by integration"),
            Some(Why::NotPermitted)
        );
        assert_eq!(why(404, "Not Found"), Some(Why::HiddenOrAbsent));
        assert_eq!(why(501, "not modelled"), Some(Why::NotSupported));
        assert_eq!(why(409, "Conflict"), Some(Why::Failed));
    }

    #[test]
    fn one_item_of_another_shape_spoils_the_list() {
        let fact = list_of(
            KEY,
            &listing(&json!([{"size": 1}, {"size": "large"}])),
            |item: &Item| item.size,
            "an item has no size",
        );
        assert!(!fact.is_known());
        let fact = list_of(
            KEY,
            &listing(&json!([{"size": 2}, {}])),
            |item: &Item| item.size,
            "an item has no size",
        );
        assert_eq!(fact.known().unwrap_err().detail, "an item has no size");
    }
}
