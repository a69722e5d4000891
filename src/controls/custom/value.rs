//! Values while an expression is worked out. A field of a record is a value or
//! the reason why it was not seen, so nothing unseen can be taken for a value.

use std::rc::Rc;

use jiff::{SignedDuration, Timestamp};

use crate::facts::{Fact, Unknown};

/// A value, or why nobody could see it.
pub(super) type Slot = Result<Value, Unknown>;

/// A value.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Text(Rc<str>),
    Login(Rc<str>),
    Time(Timestamp),
    Span(SignedDuration),
    List(Rc<[Self]>),
    Record(Rc<[(&'static str, Slot)]>),
}

impl Value {
    pub(super) fn text(text: &str) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn login(login: &str) -> Self {
        Self::Login(login.into())
    }

    pub(super) fn list<T>(items: &[T], show: impl Fn(&T) -> Self) -> Self {
        Self::List(items.iter().map(show).collect())
    }

    pub(super) fn texts(items: &[String]) -> Self {
        Self::list(items, |item| Self::text(item))
    }

    pub(super) fn maybe<T>(value: Option<&T>, show: impl Fn(&T) -> Self) -> Self {
        value.map_or(Self::Null, show)
    }

    /// A count. One that does not fit cannot come from a platform; the largest
    /// number then stands for it.
    pub(super) fn count(count: impl TryInto<i64>) -> Self {
        Self::Int(count.try_into().unwrap_or(i64::MAX))
    }

    /// What kind of value it is, in words.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a bool",
            Self::Int(_) => "a number",
            Self::Text(_) | Self::Login(_) => "text",
            Self::Time(_) => "a timestamp",
            Self::Span(_) => "a duration",
            Self::List(_) => "a list",
            Self::Record(_) => "a record",
        }
    }

    /// How much looking at it costs, in steps, beyond the first one.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Text(text) | Self::Login(text) => text.len() / 64,
            Self::List(items) => items.len(),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Time(_)
            | Self::Span(_)
            | Self::Record(_) => 0,
        }
    }

    /// The value for people, one line, bounded. Foreign text in it is escaped.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(value) => value.to_string(),
            Self::Int(value) => value.to_string(),
            Self::Text(text) | Self::Login(text) => trimmed(text),
            Self::Time(time) => time.to_string(),
            Self::Span(span) => span.to_string(),
            Self::List(items) => match items.len() {
                0 => "nothing".to_owned(),
                1 => "1 entry".to_owned(),
                many => format!("{many} entries"),
            },
            Self::Record(fields) => fields
                .iter()
                .find_map(|(_, slot)| slot.as_ref().ok())
                .map_or_else(|| "a record".to_owned(), Self::shown),
        }
    }
}

/// Longest piece of a text that stands in evidence, in characters.
const LONGEST: usize = 80;

/// Text on one line, bounded, nothing invisible.
pub(super) fn trimmed(text: &str) -> String {
    let mut shown = String::from("`");
    for (index, c) in text.chars().enumerate() {
        if index == LONGEST {
            shown.push('…');
            break;
        }
        if c.is_control() || c == '`' {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown.push('`');
    shown
}

/// What a record's field is made of: a value that is always there, or a fact.
pub(super) trait IntoSlot {
    fn into_slot(self) -> Slot;
}

impl IntoSlot for Value {
    fn into_slot(self) -> Slot {
        Ok(self)
    }
}

impl IntoSlot for Slot {
    fn into_slot(self) -> Slot {
        self
    }
}

/// The value of a fact, or why it was not seen.
pub(super) fn fact<T>(fact: &Fact<T>, show: impl FnOnce(&T) -> Value) -> Slot {
    fact.known().map(show)
}
