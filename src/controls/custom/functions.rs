//! The functions that an expression may call, declared once for the check, the
//! evaluation and the document.

use super::shape::Shape;

/// What a function does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// Number of entries, or of characters.
    Size,
    /// Whether a text holds another.
    Contains,
    /// Whether a text starts with another.
    StartsWith,
    /// Whether a text ends with another.
    EndsWith,
    /// Whether a regular expression, given as a literal, matches somewhere in a text.
    Matches,
    /// The text with the letters A to Z in lower case.
    LowerAscii,
    /// A moment from text.
    Timestamp,
    /// A length of time from text.
    Duration,
}

/// One function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub does: Does,
    /// How it is written.
    pub form: &'static str,
    /// What it gives, for people.
    pub about: &'static str,
    /// Kinds of its arguments, the one before the dot first.
    pub(super) takes: &'static [Shape],
    /// Kind of what it gives.
    pub(super) gives: Shape,
    /// Whether it can be written behind a dot, and without one.
    pub(super) member: bool,
    pub(super) global: bool,
}

/// Every function.
pub static FUNCTIONS: &[Function] = &[
    Function {
        name: "size",
        does: Does::Size,
        form: "size(x), x.size()",
        about: "number of entries of a list, of characters of a text",
        takes: &[Shape::Any],
        gives: Shape::Int,
        member: true,
        global: true,
    },
    Function {
        name: "contains",
        does: Does::Contains,
        form: "text.contains(\"part\")",
        about: "whether the text holds the part",
        takes: &[Shape::Text, Shape::Text],
        gives: Shape::Bool,
        member: true,
        global: false,
    },
    Function {
        name: "startsWith",
        does: Does::StartsWith,
        form: "text.startsWith(\"part\")",
        about: "whether the text starts with the part",
        takes: &[Shape::Text, Shape::Text],
        gives: Shape::Bool,
        member: true,
        global: false,
    },
    Function {
        name: "endsWith",
        does: Does::EndsWith,
        form: "text.endsWith(\"part\")",
        about: "whether the text ends with the part",
        takes: &[Shape::Text, Shape::Text],
        gives: Shape::Bool,
        member: true,
        global: false,
    },
    Function {
        name: "matches",
        does: Does::Matches,
        form: "text.matches(\"^pattern$\")",
        about: "whether the regular expression, written as a literal, matches somewhere in the text",
        takes: &[Shape::Text, Shape::Text],
        gives: Shape::Bool,
        member: true,
        global: false,
    },
    Function {
        name: "lowerAscii",
        does: Does::LowerAscii,
        form: "text.lowerAscii()",
        about: "the text with the letters A to Z in lower case",
        takes: &[Shape::Text],
        gives: Shape::Text,
        member: true,
        global: false,
    },
    Function {
        name: "timestamp",
        does: Does::Timestamp,
        form: "timestamp(\"2026-06-01T00:00:00Z\")",
        about: "a moment",
        takes: &[Shape::Text],
        gives: Shape::Time,
        member: false,
        global: true,
    },
    Function {
        name: "duration",
        does: Does::Duration,
        form: "duration(\"36h\")",
        about: "a length of time in hours, minutes and seconds",
        takes: &[Shape::Text],
        gives: Shape::Span,
        member: false,
        global: true,
    },
];

/// The function of that name.
pub(super) fn find(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}
