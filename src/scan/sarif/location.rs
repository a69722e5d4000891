//! Where a result stands: a URI and a line, as foreign text. Snippets and
//! messages beside them are not read, they may hold the secret.

use serde::de::MapAccess;

use crate::scan::json::{Fields, Leaf, Object};

/// A location; only its physical part is read.
#[derive(Default)]
pub(super) struct Location {
    pub(super) physical: Physical,
}

impl Fields for Location {
    const WHAT: &'static str = "a location";
    const KEYS: &'static [&'static str] = &["physicalLocation"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        map.next_value_seed(Object(&mut self.physical))
    }
}

/// A place in a file.
#[derive(Default)]
pub(super) struct Physical {
    pub(super) artifact: Artifact,
    pub(super) region: Region,
}

impl Fields for Physical {
    const WHAT: &'static str = "`physicalLocation`";
    // The second is the spelling of SARIF 2.0.0.
    const KEYS: &'static [&'static str] = &["artifactLocation", "fileLocation", "region"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "region" => map.next_value_seed(Object(&mut self.region)),
            _ => map.next_value_seed(Object(&mut self.artifact)),
        }
    }
}

/// The file.
#[derive(Default)]
pub(super) struct Artifact {
    /// As it stands in the report.
    pub(super) uri: Option<String>,
}

impl Fields for Artifact {
    const WHAT: &'static str = "`artifactLocation`";
    const KEYS: &'static [&'static str] = &["uri"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.uri = map.next_value::<Leaf>()?.text();
        Ok(())
    }
}

/// The place in it.
#[derive(Default)]
pub(super) struct Region {
    /// From 1 on; negative and other nonsense is no line.
    pub(super) line: Option<usize>,
}

impl Fields for Region {
    const WHAT: &'static str = "`region`";
    const KEYS: &'static [&'static str] = &["startLine"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.line = map.next_value::<Leaf>()?.index().filter(|line| *line > 0);
        Ok(())
    }
}
