//! Reports about tests: what failed, and how much of the code they ran through.

mod coverage;
mod junit;
mod lcov;

use std::path::Path;

use crate::facts::ScanRun;

use super::intake::Blocks;
use super::xml::{self, Tag};

pub(super) use lcov::{is_lcov, read as lcov};

/// Reads an XML report, whose outermost tag names its format.
pub(super) fn xml(blocks: &mut Blocks, root: &Path) -> Result<(String, Vec<ScanRun>), String> {
    let mut reader: Option<Box<dyn Reader>> = None;
    xml::walk(blocks, &mut |tag| {
        if let Some(reader) = &mut reader {
            return reader.tag(tag, root);
        }
        let Tag::Open { name, .. } = &tag else {
            return Ok(());
        };
        let mut first: Box<dyn Reader> = match *name {
            "testsuites" | "testsuite" => Box::<junit::Suites>::default(),
            "coverage" => Box::<coverage::Cobertura>::default(),
            "report" => Box::<coverage::Jacoco>::default(),
            _ => return Err("it is XML, but no report that is read, such as JUnit".to_owned()),
        };
        first.tag(tag, root)?;
        reader = Some(first);
        Ok(())
    })?;
    match reader {
        Some(reader) => reader.finish(),
        None => Err("it is XML without a report".to_owned()),
    }
}

/// What takes in a report tag by tag.
trait Reader {
    fn tag(&mut self, tag: Tag<'_>, root: &Path) -> Result<(), String>;
    fn finish(self: Box<Self>) -> Result<(String, Vec<ScanRun>), String>;
}
