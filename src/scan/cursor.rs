//! A deserializer over bytes that may be cut: serde's fields are filled from the
//! values that stand there, and everything that no field asks for is passed over
//! by `pass`. Brackets and commas are followed here; what a number or an escaped
//! string means is serde_json's to say.
//!
//! The bytes are UTF-8, but for a character that is cut at their end: that is checked
//! where they come in. Knows JSON and deliberately nothing about reports. Enums are not filled; no
//! format that is read has use for them.

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Error;

use super::json::LONGEST_TEXT;
use super::pass::{self, Stop};

/// Deepest nesting of what is filled, which takes recursion.
const DEEPEST: usize = 128;

/// The place where the parsing stands.
pub(super) struct Cursor<'de> {
    bytes: &'de [u8],
    at: usize,
    depth: usize,
    ran_out: bool,
}

impl<'de> Cursor<'de> {
    /// Before the first value of the bytes.
    pub(super) fn new(bytes: &'de [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            depth: 0,
            ran_out: false,
        }
    }

    /// Behind what was parsed; after an error the byte where it stands.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Whether the error is that the bytes end before the value does.
    pub(super) fn ran_out(&self) -> bool {
        self.ran_out
    }

    /// Whether bytes follow; none at hand is like a value that is cut.
    pub(super) fn goes_on(&mut self) -> Result<(), Error> {
        if self.at < self.bytes.len() {
            return Ok(());
        }
        Err(self.stopped(Stop::RanOut))
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Result<u8, Error> {
        self.at = pass::white(self.bytes, self.at);
        match self.bytes.get(self.at) {
            Some(byte) => Ok(*byte),
            None => Err(self.stopped(Stop::RanOut)),
        }
    }

    #[cold]
    fn stopped(&mut self, stop: Stop) -> Error {
        match stop {
            Stop::RanOut => {
                self.ran_out = true;
                Error::custom("the report ends too early")
            }
            Stop::Wrong { at, reason } => {
                self.at = at;
                Error::custom(reason)
            }
        }
    }

    /// A number or a word, or a string in which something is escaped.
    #[inline]
    fn scalar<V: Visitor<'de>>(&mut self, end: usize, visitor: V) -> Result<V::Value, Error> {
        // What follows may belong to it.
        if end >= self.bytes.len() && self.depth > 0 {
            return Err(self.stopped(Stop::RanOut));
        }
        let bytes = self.bytes.get(self.at..end).unwrap_or_default();
        let value = serde_json::Deserializer::from_slice(bytes).deserialize_any(visitor)?;
        self.at = end;
        Ok(value)
    }

    /// The bytes of the string that stands here and its end; no bytes if something in it is escaped.
    #[inline]
    fn plain(&mut self) -> Result<(Option<&'de [u8]>, usize), Error> {
        let start = self.at + 1;
        let text = pass::string(self.bytes, start).map_err(|stop| self.stopped(stop))?;
        let plain = self.bytes.get(start..text.end - 1);
        Ok((plain.filter(|_| !text.escaped), text.end))
    }

    #[inline]
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, Error> {
        let (plain, end) = self.plain()?;
        if end - self.at > LONGEST_TEXT {
            return Err(Error::custom("a name or path is longer than 1 MiB"));
        }
        let Some(plain) = plain else {
            return self.scalar(end, visitor);
        };
        let Ok(plain) = std::str::from_utf8(plain) else {
            return Err(Error::custom("invalid unicode code point"));
        };
        self.at = end;
        visitor.visit_borrowed_str(plain)
    }

    /// Goes behind the bracket that opens here.
    #[inline]
    fn open(&mut self) -> Result<(), Error> {
        if self.depth >= DEEPEST {
            return Err(Error::custom("it nests deeper than 128 levels"));
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    #[inline]
    fn close(&mut self, bracket: u8) -> Result<(), Error> {
        if self.peek()? != bracket {
            return Err(Error::custom("expected a closing bracket"));
        }
        self.depth -= 1;
        self.at += 1;
        Ok(())
    }

    /// Whether one more stands before the bracket; goes behind the comma before it.
    #[inline]
    fn has_next(&mut self, first: &mut bool, bracket: u8) -> Result<bool, Error> {
        let next = self.peek()?;
        if next == bracket {
            return Ok(false);
        }
        if !std::mem::take(first) {
            if next != b',' {
                return Err(Error::custom("expected a comma or a closing bracket"));
            }
            self.at += 1;
        }
        Ok(true)
    }
}

impl<'de> Deserializer<'de> for &mut Cursor<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.peek()? {
            b'"' => self.string(visitor),
            b'{' => {
                self.open()?;
                let value = visitor.visit_map(Inside {
                    cursor: self,
                    first: true,
                })?;
                self.close(b'}')?;
                Ok(value)
            }
            b'[' => {
                self.open()?;
                let value = visitor.visit_seq(Inside {
                    cursor: self,
                    first: true,
                })?;
                self.close(b']')?;
                Ok(value)
            }
            _ => {
                let end = pass::word(self.bytes, self.at).map_err(|stop| self.stopped(stop))?;
                self.scalar(end, visitor)
            }
        }
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek()? != b'n' {
            return visitor.visit_some(self);
        }
        self.at = pass::word(self.bytes, self.at).map_err(|stop| self.stopped(stop))?;
        visitor.visit_none()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// A key. Its bytes will do to compare it.
    #[inline]
    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.peek()? != b'"' {
            return self.deserialize_any(visitor);
        }
        let (plain, end) = self.plain()?;
        let Some(plain) = plain else {
            return self.scalar(end, visitor);
        };
        self.at = end;
        visitor.visit_borrowed_bytes(plain)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let end = pass::value(self.bytes, self.at, self.depth);
        self.at = end.map_err(|stop| self.stopped(stop))?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct enum
    }
}

/// The inside of brackets.
struct Inside<'a, 'de> {
    cursor: &'a mut Cursor<'de>,
    first: bool,
}

impl<'de> MapAccess<'de> for Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        if !self.cursor.has_next(&mut self.first, b'}')? {
            return Ok(None);
        }
        if self.cursor.peek()? != b'"' {
            return Err(Error::custom("expected a key"));
        }
        seed.deserialize(&mut *self.cursor).map(Some)
    }

    #[inline]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        if self.cursor.peek()? != b':' {
            return Err(Error::custom("expected a colon"));
        }
        self.cursor.at += 1;
        seed.deserialize(&mut *self.cursor)
    }
}

impl<'de> SeqAccess<'de> for Inside<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        if !self.cursor.has_next(&mut self.first, b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.cursor).map(Some)
    }
}

#[cfg(test)]
mod tests;
