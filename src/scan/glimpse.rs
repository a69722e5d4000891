//! A look at the head of a JSON document, so that its format can be told. Knows no
//! format and refuses nothing: what is wrong with the document is for its reader to say.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserialize as _;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Levels of the document that are looked at.
const LEVELS: usize = 3;

/// The keys of the outer levels, as paths: `results[].check_id`, `scan{}`. Of a
/// list only the first element is looked into.
#[derive(Default)]
pub(super) struct Glimpse {
    pub(super) paths: BTreeSet<String>,
    /// The outermost ones.
    pub(super) top: BTreeSet<String>,
    pub(super) is_object: bool,
    /// Whether it is a list without an element.
    pub(super) is_empty: bool,
}

impl Glimpse {
    /// What the head of a document shows; it may be cut anywhere.
    pub(super) fn of(head: &[u8]) -> Self {
        let mut seen = Self::default();
        let mut deserializer = serde_json::Deserializer::from_slice(head);
        let look = Look {
            seen: &mut seen,
            path: String::new(),
            level: 0,
        };
        // What is wrong with the document is for its reader to say.
        let _ = look.deserialize(&mut deserializer);
        seen
    }
}

struct Look<'a> {
    seen: &'a mut Glimpse,
    path: String,
    level: usize,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        if self.level > LEVELS {
            return IgnoredAny::deserialize(deserializer).map(|_| ());
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.seen.paths.insert(self.path);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let path = format!("{}[]", self.path);
        self.seen.paths.insert(path.clone());
        let first = Look {
            seen: &mut *self.seen,
            path,
            level: self.level + 1,
        };
        if seq.next_element_seed(first)?.is_none() {
            self.seen.is_empty |= self.level == 0;
            return Ok(());
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        self.seen.paths.insert(format!("{}{{}}", self.path));
        self.seen.is_object |= self.level == 0;
        while let Some(key) = map.next_key::<String>()? {
            let path = match self.level {
                0 => key.clone(),
                _ => format!("{}.{key}", self.path),
            };
            if self.level == 0 {
                self.seen.top.insert(key);
            }
            map.next_value_seed(Look {
                seen: &mut *self.seen,
                path,
                level: self.level + 1,
            })?;
        }
        Ok(())
    }
}
