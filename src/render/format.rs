//! The formats by name, and one door to all of them.

use std::fmt;
use std::str::FromStr;

use crate::gate::Decision;

use super::{annotations, human, json, markdown, sarif};

/// A format that a decision can be shown in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// For a terminal or a log.
    Human,
    /// `ccgate.decision/v1`.
    Json,
    /// SARIF 2.1.0.
    Sarif,
    /// A job summary.
    Markdown,
    /// GitHub's workflow commands (annotations).
    Github,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::Human,
        Self::Json,
        Self::Sarif,
        Self::Markdown,
        Self::Github,
    ];

    /// The word used in flags.
    pub fn word(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Github => "github",
        }
    }
}

/// A word that names no format of this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFormat(String);

impl fmt::Display for UnknownFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<&str> = Format::ALL.iter().map(|format| format.word()).collect();
        if matches!(self.0.as_str(), "junit" | "gitlab-codequality") {
            write!(f, "format `{}` is not built in this version", self.0)?;
        } else {
            write!(f, "`{}` is no format", self.0)?;
        }
        write!(f, " (use one of {})", all.join(", "))
    }
}

impl std::error::Error for UnknownFormat {}

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.word() == word)
            .ok_or_else(|| UnknownFormat(word.to_owned()))
    }
}

/// The program that decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tool<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its version.
    pub version: &'a str,
}

/// How text for people looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether words are coloured as well. Nothing is said by colour alone.
    pub color: bool,
    /// Columns to fill; long lines are wrapped there.
    pub width: usize,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            color: false,
            width: 100,
        }
    }
}

/// The decision in that format, with a newline at its end.
pub fn render(
    format: Format,
    decision: &Decision,
    tool: Tool<'_>,
    exit_code: u8,
    style: Style,
) -> String {
    match format {
        Format::Human => human::human(decision, tool, exit_code, style),
        Format::Json => json::json(decision, tool, exit_code),
        Format::Sarif => sarif::sarif(decision, tool, exit_code),
        Format::Markdown => markdown::markdown(decision, tool),
        Format::Github => annotations::annotations(decision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_names_its_format() {
        for format in Format::ALL {
            assert_eq!(format.word().parse(), Ok(format));
        }
    }

    #[test]
    fn a_format_that_comes_later_is_named_as_such() {
        let error = "junit".parse::<Format>().unwrap_err().to_string();
        assert!(
            error.contains("`junit` is not built in this version"),
            "{error}"
        );
        let error = "yaml".parse::<Format>().unwrap_err().to_string();
        assert!(
            error.contains("human, json, sarif, markdown, github"),
            "{error}"
        );
    }
}
