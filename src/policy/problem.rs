//! What is wrong with a policy file: every problem with its place.

use std::fmt;

/// A place in a policy file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The document, e.g. `.ccgate.yml@main`.
    pub origin: String,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1, in characters.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.origin, self.line, self.column)
    }
}

/// One problem.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where.
    pub place: Place,
    /// What is wrong: lower case, no final period, user's text in backticks.
    pub message: String,
    /// What to do, e.g. "did you mean `min`?".
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)?;
        if let Some(help) = &self.help {
            write!(f, " ({help})")?;
        }
        Ok(())
    }
}

/// Every problem of a file, in order of place. Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// A place inside the document at hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    /// Line, from 1.
    pub(super) line: usize,
    /// Column, from 1.
    pub(super) column: usize,
}

impl Spot {
    /// The first character, for what concerns the document as a whole.
    pub(super) const START: Self = Self { line: 1, column: 1 };

    /// The place in that document.
    pub(super) fn of(self, origin: &str) -> Place {
        Place {
            origin: origin.to_owned(),
            line: self.line,
            column: self.column,
        }
    }
}

/// Most problems that are kept of one document; a hostile file has no end of them.
const MAX_PROBLEMS: usize = 200;

/// Collects the problems of one document, so that none hides another.
#[derive(Debug)]
pub(super) struct Report {
    origin: String,
    problems: Vec<Problem>,
}

impl Report {
    /// Nothing is wrong yet.
    pub(super) fn new(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            problems: Vec::new(),
        }
    }

    /// Name of the document.
    pub(super) fn origin(&self) -> &str {
        &self.origin
    }

    /// Something is wrong there.
    pub(super) fn add(&mut self, spot: Spot, message: String) {
        self.put(spot, message, None);
    }

    /// Something is wrong there, and this would help.
    pub(super) fn add_help(&mut self, spot: Spot, message: String, help: impl Into<String>) {
        self.put(spot, message, Some(help.into()));
    }

    /// Something is wrong there, and this may help.
    pub(super) fn put(&mut self, spot: Spot, message: String, help: Option<String>) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                place: spot.of(&self.origin),
                message,
                help,
            });
        }
    }

    /// How many there are, to see whether a step added any.
    pub(super) fn count(&self) -> usize {
        self.problems.len()
    }

    /// What was found, in order of place.
    pub(super) fn into_problems(mut self) -> Vec<Problem> {
        self.problems.sort();
        self.problems.dedup();
        self.problems
    }
}
