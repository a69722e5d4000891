//! SARIF, read in one pass and folded result by result. Knows the shape of the
//! document and of a run; what a single result means stands in `finding`, what
//! its rule adds in `tally`.
//!
//! Read: version 2.1.0 and its pre-releases, and 2.0.0 as far as it has the same
//! shape. Refused, because findings would vanish: results in other files, no
//! runs, an unknown version. A run without `results` did not come to its end.

mod finding;
mod invocation;
mod location;
mod tally;

use std::io::{BufReader, Read};
use std::path::Path;

use serde::de::{DeserializeSeed as _, Error as _, MapAccess};

use crate::facts::ScanRun;

use super::intake::Intake;
use super::json::{Fields, Leaf, List, Object, complaint};
use super::place;
use finding::Finding;
use invocation::{Invocation, Invocations};
use tally::{Rule, Rules, Tally};

/// Size of the window on the file.
const WINDOW: usize = 64 << 10;
/// Most runs in a file; platforms stop at 20.
const MOST_RUNS: usize = 1_000;
/// Most extensions of a tool.
const MOST_EXTENSIONS: usize = 1_000;

/// The name of the format and the runs, or why this is no report that we understand.
pub(super) fn read<R: Read>(
    intake: &mut Intake<R>,
    root: &Path,
) -> Result<(String, Vec<ScanRun>), String> {
    let mut document = Document {
        root,
        version: None,
        runs: Vec::new(),
        has_runs: false,
        needs_older_version: false,
    };
    let reader = BufReader::with_capacity(WINDOW, intake);
    let mut deserializer = serde_json::Deserializer::from_reader(reader);
    Object(&mut document)
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|error| complaint(&error))?;
    if !document.has_runs {
        return Err(not_sarif("`runs`"));
    }
    let version = document.version.ok_or_else(|| not_sarif("`version`"))?;
    if !is_known_version(&version) {
        return Err("not a version of SARIF that is read; hand in version 2.1.0".to_owned());
    }
    if document.runs.is_empty() {
        return Err("`runs` is empty: no tool reports here".to_owned());
    }
    if document.needs_older_version && !version.starts_with("2.0.0") {
        return Err(format!(
            "a result has a `level` that SARIF {version} does not know"
        ));
    }
    Ok((format!("sarif-{version}"), document.runs))
}

fn not_sarif(missing: &str) -> String {
    format!("not SARIF: it has no {missing}")
}

/// The versions that are read, as they are spelled in the wild.
fn is_known_version(version: &str) -> bool {
    let suffix = ["2.1.0", "2.0.0"]
        .iter()
        .find_map(|known| version.strip_prefix(known));
    suffix.is_some_and(|suffix| {
        suffix.is_empty()
            || (suffix.starts_with('-')
                && suffix.len() <= 40
                && suffix
                    .chars()
                    .all(|character| character.is_ascii_alphanumeric() || "-.".contains(character)))
    })
}

struct Document<'a> {
    root: &'a Path,
    version: Option<String>,
    runs: Vec<ScanRun>,
    has_runs: bool,
    needs_older_version: bool,
}

impl Fields for Document<'_> {
    const WHAT: &'static str = "a SARIF document";
    const KEYS: &'static [&'static str] = &["version", "runs", "inlineExternalProperties"];
    const MAY_BE_NULL: bool = false;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "version" => self.version = map.next_value::<Leaf>()?.text(),
            "runs" => {
                let root = self.root;
                let (runs, older) = (&mut self.runs, &mut self.needs_older_version);
                let each = |run: Run| {
                    if runs.len() >= MOST_RUNS {
                        return Err(format!("more than {MOST_RUNS} runs stand in one file"));
                    }
                    *older |= run.tally.has_older_levels();
                    runs.push(run.finish(root)?);
                    Ok(())
                };
                self.has_runs = map.next_value_seed(List::new("`runs`", each))?.is_some();
            }
            _ => refuse_elsewhere(map)?,
        }
        Ok(())
    }
}

/// One run, as far as it has been read.
#[derive(Default)]
struct Run {
    tool: Tool,
    tally: Tally,
    has_results: bool,
    invocations: Invocations,
    revision: Option<String>,
    has_older_rules: bool,
}

impl Run {
    fn finish(mut self, root: &Path) -> Result<ScanRun, String> {
        let Tool {
            mut driver,
            mut extensions,
            older_name,
            older_version,
        } = self.tool;
        let tool = driver.name.or(older_name).unwrap_or_default();
        let tool = place::shown(&tool);
        if tool.is_empty() {
            return Err("a run does not name its tool".to_owned());
        }
        if self.has_older_rules && self.tally.has_unrated() {
            return Err(
                "results take their level from `resources`, as SARIF did before 2.1.0, which is not read; convert it to 2.1.0"
                    .to_owned(),
            );
        }
        for change in std::mem::take(&mut self.invocations.changes) {
            tally::raise(&mut driver.rules, &mut extensions, change)?;
        }
        let version = driver.version.or(older_version);
        let (counts, examples) = self.tally.resolve(&driver.rules, &extensions, root);
        Ok(ScanRun {
            tool,
            version: version
                .map(|version| place::shown(&version))
                .filter(|version| !version.is_empty()),
            // `results` absent or null says that the tool produced none: it did not come to its end.
            execution_successful: if self.has_results {
                self.invocations.successful()
            } else {
                Some(false)
            },
            revision: self.revision.map(|revision| place::shown(&revision)),
            ended_at: self.invocations.ended_at,
            counts,
            examples,
        })
    }
}

impl Fields for Run {
    const WHAT: &'static str = "a run";
    const KEYS: &'static [&'static str] = &[
        "tool",
        "results",
        "invocations",
        "versionControlProvenance",
        "resources",
        "externalPropertyFileReferences",
        "externalPropertyFiles",
    ];
    const MAY_BE_NULL: bool = false;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "tool" => map.next_value_seed(Object(&mut self.tool))?,
            "results" => {
                let tally = &mut self.tally;
                let list = List::new("`results`", |finding: Finding| tally.add(finding));
                self.has_results = map.next_value_seed(list)?.is_some();
            }
            "invocations" => {
                let all = &mut self.invocations;
                let list = List::new("`invocations`", |each: Invocation| all.add(each));
                map.next_value_seed(list)?;
            }
            "versionControlProvenance" => {
                let mut first = None;
                let list = List::new("`versionControlProvenance`", |each: Provenance| {
                    first.get_or_insert(each.revision);
                    Ok(())
                });
                map.next_value_seed(list)?;
                self.revision = first.flatten().filter(|revision| !revision.is_empty());
            }
            "resources" => self.has_older_rules = map.next_value::<Leaf>()? == Leaf::Nested(true),
            _ => refuse_elsewhere(map)?,
        }
        Ok(())
    }
}

/// Results or rules that stand in another file or part would silently not count.
fn refuse_elsewhere<'de, A: MapAccess<'de>>(map: &mut A) -> Result<(), A::Error> {
    match map.next_value::<Leaf>()? {
        Leaf::Null | Leaf::Nested(false) => Ok(()),
        Leaf::Bool(_) | Leaf::Number(_) | Leaf::Text(_) | Leaf::Nested(true) => {
            Err(A::Error::custom(
                "parts of the report stand in external properties, which are not read; hand in one whole file",
            ))
        }
    }
}

#[derive(Default)]
struct Tool {
    driver: Component,
    extensions: Vec<Rules>,
    /// SARIF 2.0.0 names the tool here.
    older_name: Option<String>,
    older_version: Option<String>,
}

impl Fields for Tool {
    const WHAT: &'static str = "`tool`";
    const KEYS: &'static [&'static str] = &["driver", "extensions", "name", "version"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "driver" => map.next_value_seed(Object(&mut self.driver))?,
            "extensions" => {
                let extensions = &mut self.extensions;
                let mut rules = 0;
                let list = List::new("`extensions`", |extension: Component| {
                    rules += extension.rules.len();
                    if extensions.len() >= MOST_EXTENSIONS || rules > tally::MOST_RULES {
                        return Err("a tool has too many extensions".to_owned());
                    }
                    extensions.push(extension.rules);
                    Ok(())
                });
                map.next_value_seed(list)?;
            }
            "name" => self.older_name = map.next_value::<Leaf>()?.text(),
            _ => self.older_version = map.next_value::<Leaf>()?.text(),
        }
        Ok(())
    }
}

/// The driver or an extension of a tool.
#[derive(Default)]
struct Component {
    name: Option<String>,
    version: Option<String>,
    has_semantic_version: bool,
    rules: Rules,
}

impl Fields for Component {
    const WHAT: &'static str = "a tool component";
    const KEYS: &'static [&'static str] = &["name", "version", "semanticVersion", "rules"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "name" => self.name = map.next_value::<Leaf>()?.text(),
            "version" => {
                let version = map.next_value::<Leaf>()?.text();
                if !self.has_semantic_version {
                    self.version = version;
                }
            }
            "semanticVersion" => {
                if let Some(version) = map.next_value::<Leaf>()?.text() {
                    self.version = Some(version);
                    self.has_semantic_version = true;
                }
            }
            _ => {
                let rules = &mut self.rules;
                map.next_value_seed(List::new("`rules`", |rule: Rule| rules.add(rule)))?;
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Provenance {
    revision: Option<String>,
}

impl Fields for Provenance {
    const WHAT: &'static str = "a version control provenance";
    const KEYS: &'static [&'static str] = &["revisionId"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.revision = map.next_value::<Leaf>()?.text();
        Ok(())
    }
}

#[cfg(test)]
mod tests;
