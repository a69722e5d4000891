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

use std::path::Path;

use serde::de::MapAccess;

use crate::facts::ScanRun;

use super::json::{Fields, Leaf};
use super::known_tools;
use super::place;
use super::reduction;
use super::stream::{Step, Stream, Trouble};
use finding::Finding;
use invocation::{Invocation, Invocations};
use tally::{Rule, Rules, Tally};

/// Most runs in a file; platforms stop at 20.
const MOST_RUNS: usize = 1_000;
/// Most extensions of a tool.
const MOST_EXTENSIONS: usize = 1_000;

/// The name of the format and the runs, or why this is no report that we understand.
pub(super) fn read(
    stream: &mut Stream<'_>,
    root: &Path,
) -> Result<(String, Vec<ScanRun>), Trouble> {
    let mut version = None;
    let mut runs = Vec::new();
    let mut has_runs = false;
    let mut room = reduction::KEPT;
    let mut needs_older_version = false;
    const KEYS: &[&str] = &["version", "runs", "inlineExternalProperties"];
    stream.object("a SARIF document", KEYS, &mut |stream, key| {
        match key {
            "version" => version = stream.leaf()?.text(),
            "runs" => {
                has_runs = stream.array("`runs`", &mut |stream| {
                    if runs.len() >= MOST_RUNS {
                        let reason = format!("more than {MOST_RUNS} runs stand in one file");
                        return Err(stream.trouble(reason));
                    }
                    let run = Run::read(stream)?;
                    needs_older_version |= run.tally.has_older_levels();
                    let run = run.finish(root);
                    let mut run = [run.map_err(|reason| stream.trouble(reason))?];
                    reduction::keep_at_most(&mut run, &mut room);
                    runs.extend(run);
                    Ok(())
                })?;
            }
            _ => refuse_elsewhere(stream)?,
        }
        Ok(())
    })?;
    stream.end()?;
    let refused = |reason: String| Err(stream.trouble(reason));
    if !has_runs {
        return refused(not_sarif("`runs`"));
    }
    let Some(version) = version else {
        return refused(not_sarif("`version`"));
    };
    if !is_known_version(&version) {
        return refused("not a version of SARIF that is read; hand in version 2.1.0".to_owned());
    }
    if runs.is_empty() {
        return refused("`runs` is empty: no tool reports here".to_owned());
    }
    if needs_older_version && !version.starts_with("2.0.0") {
        return refused(format!(
            "a result has a `level` that SARIF {version} does not know"
        ));
    }
    Ok((format!("sarif-{version}"), runs))
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
    const KEYS: &'static [&'static str] = &[
        "tool",
        "results",
        "invocations",
        "versionControlProvenance",
        "resources",
        "externalPropertyFileReferences",
        "externalPropertyFiles",
    ];

    fn read(stream: &mut Stream<'_>) -> Result<Self, Trouble> {
        let mut run = Self::default();
        let is_object = stream.object("a run", Self::KEYS, &mut |stream, key| {
            match key {
                "tool" => run.tool.read(stream)?,
                "results" => {
                    let tally = &mut run.tally;
                    run.has_results =
                        stream.list("`results`", |finding: Finding| tally.add(finding))?;
                }
                "invocations" => {
                    let all = &mut run.invocations;
                    stream.list("`invocations`", |each: Invocation| all.add(each))?;
                }
                "versionControlProvenance" => {
                    let mut first = None;
                    stream.list("`versionControlProvenance`", |each: Provenance| {
                        first.get_or_insert(each.revision);
                        Ok(())
                    })?;
                    run.revision = first.flatten().filter(|revision| !revision.is_empty());
                }
                "resources" => {
                    run.has_older_rules = stream.leaf()? == Leaf::Nested(true);
                }
                _ => refuse_elsewhere(stream)?,
            }
            Ok(())
        })?;
        if !is_object {
            return Err(stream.trouble("a run is null"));
        }
        Ok(run)
    }

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
        let reduced = self.tally.resolve(&driver.rules, &extensions, root);
        Ok(ScanRun {
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
            kind: known_tools::kind_of(&tool),
            ..reduced.into_run(tool)
        })
    }
}

/// Results or rules that stand in another file or part would silently not count.
fn refuse_elsewhere(stream: &mut Stream<'_>) -> Step {
    match stream.leaf()? {
        Leaf::Null | Leaf::Nested(false) => Ok(()),
        Leaf::Bool(_) | Leaf::Number(_) | Leaf::Text(_) | Leaf::Nested(true) => Err(stream.trouble(
            "parts of the report stand in external properties, which are not read; hand in one whole file",
        )),
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

impl Tool {
    fn read(&mut self, stream: &mut Stream<'_>) -> Step {
        const KEYS: &[&str] = &["driver", "extensions", "name", "version"];
        stream.object("`tool`", KEYS, &mut |stream, key| {
            match key {
                "driver" => self.driver.read(stream)?,
                "extensions" => {
                    let mut rules = 0;
                    stream.array("`extensions`", &mut |stream| {
                        let mut extension = Component::default();
                        extension.read(stream)?;
                        rules += extension.rules.len();
                        if self.extensions.len() >= MOST_EXTENSIONS || rules > tally::MOST_RULES {
                            return Err(stream.trouble("a tool has too many extensions"));
                        }
                        self.extensions.push(extension.rules);
                        Ok(())
                    })?;
                }
                "name" => self.older_name = stream.leaf()?.text(),
                _ => self.older_version = stream.leaf()?.text(),
            }
            Ok(())
        })?;
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

impl Component {
    fn read(&mut self, stream: &mut Stream<'_>) -> Step {
        const KEYS: &[&str] = &["name", "version", "semanticVersion", "rules"];
        stream.object("a tool component", KEYS, &mut |stream, key| {
            match key {
                "name" => self.name = stream.leaf()?.text(),
                "version" => {
                    let version = stream.leaf()?.text();
                    if !self.has_semantic_version {
                        self.version = version;
                    }
                }
                "semanticVersion" => {
                    if let Some(version) = stream.leaf()?.text() {
                        self.version = Some(version);
                        self.has_semantic_version = true;
                    }
                }
                _ => {
                    let rules = &mut self.rules;
                    stream.list("`rules`", |rule: Rule| rules.add(rule))?;
                }
            }
            Ok(())
        })?;
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
