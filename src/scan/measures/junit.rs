//! JUnit's XML, as most tools write it. A failed test counts as high.

use std::path::Path;

use crate::facts::{Measured, ScanKind, ScanRun, Severity, SeverityOrigin};
use crate::scan::place;
use crate::scan::reduction::{Reduction, Seen};
use crate::scan::xml::{Attributes, Tag};

use super::Reader;

/// A document of test suites.
#[derive(Default)]
pub(super) struct Suites {
    name: Option<String>,
    /// What the outermost tag claims.
    declared_tests: u64,
    declared_failures: u64,
    case: Option<Attributes>,
    case_failed: bool,
    case_skipped: bool,
    total: u64,
    skipped: u64,
    findings: Reduction,
}

impl Reader for Suites {
    fn tag(&mut self, tag: Tag<'_>, root: &Path) -> Result<(), String> {
        match tag {
            Tag::Open {
                around,
                name,
                attributes,
            } => {
                if around.is_empty() {
                    let sum = |names: [&str; 2]| {
                        let each = names.map(|name| attributes.number(name).unwrap_or(0));
                        each.into_iter().fold(0_u64, u64::saturating_add)
                    };
                    self.declared_tests = attributes.number("tests").unwrap_or(0);
                    self.declared_failures = sum(["failures", "errors"]);
                }
                match name {
                    "testsuite" if self.name.is_none() => {
                        self.name = attributes.get("name").map(place::shown);
                    }
                    "testcase" => {
                        self.case = Some(attributes);
                        (self.case_failed, self.case_skipped) = (false, false);
                    }
                    "failure" | "error" => self.case_failed = true,
                    "skipped" => self.case_skipped = true,
                    _ => {}
                }
            }
            Tag::Close { name: "testcase" } => self.close(root),
            Tag::Close { .. } => {}
        }
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(String, Vec<ScanRun>), String> {
        let shown = self.findings.open();
        let left_out = if self.total == 0 {
            Some("no test stands in it".to_owned())
        } else if self.declared_tests > self.total || self.declared_failures > shown {
            Some("it claims more tests or failures than stand in it".to_owned())
        } else {
            None
        };
        let name = self.name.filter(|name| !name.is_empty());
        let run = ScanRun {
            kind: Some(ScanKind::Tests),
            left_out,
            measured: Some(Measured::Tests {
                total: self.total,
                skipped: self.skipped,
            }),
            ..self
                .findings
                .into_run(name.unwrap_or_else(|| "JUnit".to_owned()))
        };
        Ok(("junit".to_owned(), vec![run]))
    }
}

impl Suites {
    fn close(&mut self, root: &Path) {
        self.total += 1;
        self.skipped += u64::from(self.case_skipped);
        let case = self.case.take().unwrap_or_default();
        if self.case_failed {
            let seen = Seen {
                rule: case.get("name"),
                rating: (Severity::High, SeverityOrigin::Assumed),
                path: case.get("file").or(case.get("classname")),
                line: case.number("line"),
                ..Seen::default()
            };
            self.findings.add(&seen, root);
        }
    }
}
