//! Coverage totals of Cobertura and JaCoCo. Lines that stand in the report outweigh
//! what its head claims.

use std::path::Path;

use crate::facts::{Measured, ScanKind, ScanRun};
use crate::scan::xml::Tag;

use super::Reader;

/// The run of a coverage report, or that it holds no line.
pub(super) fn run(tool: &str, covered: u64, total: u64) -> Result<ScanRun, String> {
    if covered > total {
        return Err("more lines are covered than there are".to_owned());
    }
    Ok(ScanRun {
        kind: Some(ScanKind::Coverage),
        left_out: (total == 0).then(|| "no line stands in it".to_owned()),
        measured: Some(Measured::Lines { covered, total }),
        ..ScanRun::of(tool)
    })
}

/// Cobertura: lines of classes; those of methods stand there a second time.
#[derive(Default)]
pub(super) struct Cobertura {
    covered: u64,
    total: u64,
    claimed: Option<(u64, u64)>,
}

impl Reader for Cobertura {
    fn tag(&mut self, tag: Tag<'_>, _: &Path) -> Result<(), String> {
        let Tag::Open {
            around,
            name,
            attributes,
        } = tag
        else {
            return Ok(());
        };
        if around.is_empty() {
            self.claimed = attributes
                .number("lines-covered")
                .zip(attributes.number("lines-valid"));
        }
        let of_class = matches!(around, [.., class, lines] if class == "class" && lines == "lines");
        if name == "line" && of_class {
            let Some(hits) = attributes.number("hits") else {
                return Err("a line does not say how often it was run".to_owned());
            };
            self.total += 1;
            self.covered += u64::from(hits > 0);
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(String, Vec<ScanRun>), String> {
        let (covered, total) = match (self.total, self.claimed) {
            (0, Some(claimed)) => claimed,
            (0, None) => return Err("no line stands in it, and no sum of lines".to_owned()),
            _ => (self.covered, self.total),
        };
        Ok((
            "cobertura".to_owned(),
            vec![run("Cobertura", covered, total)?],
        ))
    }
}

/// JaCoCo: the counter of lines of the whole report.
#[derive(Default)]
pub(super) struct Jacoco {
    lines: Option<(u64, u64)>,
}

impl Reader for Jacoco {
    fn tag(&mut self, tag: Tag<'_>, _: &Path) -> Result<(), String> {
        let Tag::Open {
            around,
            name,
            attributes,
        } = tag
        else {
            return Ok(());
        };
        if name == "counter" && around.len() == 1 && attributes.get("type") == Some("LINE") {
            let numbers = attributes
                .number("covered")
                .zip(attributes.number("missed"));
            if numbers.is_none() || self.lines.is_some() {
                return Err("its counter of lines makes no sense".to_owned());
            }
            self.lines = numbers;
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(String, Vec<ScanRun>), String> {
        let Some((covered, missed)) = self.lines else {
            return Err("it has no counter of lines for the whole report".to_owned());
        };
        let total = covered.saturating_add(missed);
        Ok(("jacoco".to_owned(), vec![run("JaCoCo", covered, total)?]))
    }
}
