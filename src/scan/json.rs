//! Streaming over foreign JSON: objects are folded key by key, arrays element by
//! element, nothing is kept as a tree. Strict where two tools could read two
//! things out of one file (a key that stands twice), tolerant about the rest.
//!
//! Messages name what was expected, never what was found: that may be a secret.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Longest name, id or path that is taken out of a report, in bytes.
pub(super) const LONGEST_TEXT: usize = 1 << 20;

/// Something that is filled from the keys of an object.
pub(super) trait Fields {
    /// What it is, for messages: `a result`.
    const WHAT: &'static str;
    /// The keys that are read. All others are skipped.
    const KEYS: &'static [&'static str];
    /// Whether `null` may stand for an empty object.
    const MAY_BE_NULL: bool = true;

    /// Reads the value of one of [`Self::KEYS`].
    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error>;

    /// Has the last word, after all keys.
    fn complete(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// Fills `T` from an object.
pub(super) struct Object<'a, T>(pub(super) &'a mut T);

impl<'de, T: Fields> DeserializeSeed<'de> for Object<'_, T> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields> Visitor<'de> for Object<'_, T> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} as an object", T::WHAT)
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        if T::MAY_BE_NULL {
            return Ok(());
        }
        Err(E::custom(format!("{} is null", T::WHAT)))
    }

    /// Some languages write an empty object as an empty array.
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        if T::MAY_BE_NULL && seq.next_element::<IgnoredAny>()?.is_none() {
            return Ok(());
        }
        Err(de::Error::custom(format!("{} is an array", T::WHAT)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut seen = 0_u32;
        while let Some(known) = map.next_key_seed(KnownKey(T::KEYS))? {
            let Some((index, key)) = known else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            let bit = 1 << index;
            if seen & bit != 0 {
                let what = T::WHAT;
                return Err(de::Error::custom(format!(
                    "`{key}` stands twice in {what}, so that two tools could read two things"
                )));
            }
            seen |= bit;
            self.0.field(key, &mut map)?;
        }
        self.0.complete().map_err(de::Error::custom)
    }
}

/// Reads an array of objects and hands each over as it comes. `None`: the value is null.
pub(super) struct List<T, F> {
    what: &'static str,
    each: F,
    item: PhantomData<T>,
}

impl<T: Fields + Default, F: FnMut(T) -> Result<(), String>> List<T, F> {
    /// A list that messages call `what`.
    pub(super) fn new(what: &'static str, each: F) -> Self {
        Self {
            what,
            each,
            item: PhantomData,
        }
    }
}

impl<'de, T: Fields + Default, F: FnMut(T) -> Result<(), String>> DeserializeSeed<'de>
    for List<T, F>
{
    type Value = Option<u64>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<u64>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Fields + Default, F: FnMut(T) -> Result<(), String>> Visitor<'de> for List<T, F> {
    type Value = Option<u64>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{} as an array", self.what)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Option<u64>, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<Option<u64>, A::Error> {
        let mut length = 0;
        loop {
            let mut item = T::default();
            if seq.next_element_seed(Object(&mut item))?.is_none() {
                return Ok(Some(length));
            }
            (self.each)(item).map_err(de::Error::custom)?;
            length += 1;
        }
    }
}

/// Which of the known keys stands next; the position in the table and its name.
struct KnownKey(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for KnownKey {
    type Value = Option<(usize, &'static str)>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for KnownKey {
    type Value = Option<(usize, &'static str)>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<Self::Value, E> {
        self.visit_bytes(key.as_bytes())
    }

    fn visit_bytes<E: de::Error>(self, key: &[u8]) -> Result<Self::Value, E> {
        // Most keys of a report are none of these, and told by length and last byte.
        let position = self.0.iter().position(|known| {
            let known = known.as_bytes();
            known.len() == key.len() && known.last() == key.last() && known == key
        });
        Ok(position.and_then(|index| Some((index, *self.0.get(index)?))))
    }
}

/// A single value. Objects and arrays are read through and then forgotten; a text is
/// copied only where something in it is escaped.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Leaf<'de> {
    Null,
    Bool(bool),
    Number(f64),
    Text(Cow<'de, str>),
    /// An object or an array; whether something stands in it.
    Nested(bool),
}

impl<'de> Leaf<'de> {
    /// The text, if it is one.
    pub(super) fn text(self) -> Option<String> {
        self.word().map(Cow::into_owned)
    }

    /// The same, to be looked at.
    pub(super) fn word(self) -> Option<Cow<'de, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Nested(_) => None,
        }
    }

    /// The same value, held on its own.
    pub(super) fn into_owned(self) -> Leaf<'static> {
        match self {
            Self::Null => Leaf::Null,
            Self::Bool(value) => Leaf::Bool(value),
            Self::Number(number) => Leaf::Number(number),
            Self::Text(text) => Leaf::Text(Cow::Owned(text.into_owned())),
            Self::Nested(filled) => Leaf::Nested(filled),
        }
    }

    /// A whole number from 0 on.
    pub(super) fn index(&self) -> Option<usize> {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the range is checked before"
            )]
            Self::Number(number)
                if number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(number) =>
            {
                Some(*number as usize)
            }
            Self::Number(_) | Self::Null | Self::Bool(_) | Self::Text(_) | Self::Nested(_) => None,
        }
    }
}

impl<'de> de::Deserialize<'de> for Leaf<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(LeafVisitor)
    }
}

struct LeafVisitor;

impl<'de> Visitor<'de> for LeafVisitor {
    type Value = Leaf<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Leaf<'de>, E> {
        Ok(Leaf::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Leaf<'de>, E> {
        Ok(Leaf::Bool(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a number this large is no index"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Leaf<'de>, E> {
        Ok(Leaf::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "a number this low is no index")]
    fn visit_i64<E>(self, value: i64) -> Result<Leaf<'de>, E> {
        Ok(Leaf::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Leaf<'de>, E> {
        Ok(Leaf::Number(value))
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Leaf<'de>, E> {
        short(Cow::Borrowed(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Leaf<'de>, E> {
        short(Cow::Owned(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Leaf<'de>, A::Error> {
        let mut filled = false;
        while seq.next_element::<IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Leaf::Nested(filled))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Leaf<'de>, A::Error> {
        let mut filled = false;
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
            filled = true;
        }
        Ok(Leaf::Nested(filled))
    }
}

/// A text, if it is short enough to be taken out of a report.
fn short<E: de::Error>(text: Cow<'_, str>) -> Result<Leaf<'_>, E> {
    if text.len() > LONGEST_TEXT {
        return Err(E::custom("a name or path is longer than 1 MiB"));
    }
    Ok(Leaf::Text(text))
}

/// Of an object of texts the one under the first key in the order of the alphabet.
pub(super) struct FirstText(pub(super) Option<String>);

impl<'de> de::Deserialize<'de> for FirstText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstTextVisitor)
    }
}

struct FirstTextVisitor;

impl<'de> Visitor<'de> for FirstTextVisitor {
    type Value = FirstText;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("an object of texts")
    }

    fn visit_unit<E>(self) -> Result<FirstText, E> {
        Ok(FirstText(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<FirstText, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(FirstText(None))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstText, A::Error> {
        let mut first: Option<(Cow<'de, str>, Cow<'de, str>)> = None;
        while let Some(key) = map.next_key::<Leaf<'de>>()? {
            let value = map.next_value::<Leaf<'de>>()?;
            if let (Some(key), Some(value)) = (key.word(), value.word())
                && first.as_ref().is_none_or(|(known, _)| key < *known)
            {
                first = Some((key, value));
            }
        }
        Ok(FirstText(first.map(|(_, text)| text.into_owned())))
    }
}

/// What the parser has to say, without anything that stood in the file and without the place.
pub(super) fn complaint(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = match message.rsplit_once(" at line ") {
        Some((message, _)) if error.line() > 0 => message,
        _ => &message,
    };
    // `invalid type: string "…", expected …`: the first half quotes the file.
    match message.rsplit_once(", expected ") {
        Some((_, expected)) if error.is_data() => format!("expected {expected}"),
        _ => message.to_owned(),
    }
}
