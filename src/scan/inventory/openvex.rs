//! OpenVEX: <https://github.com/openvex/spec>. Statements on whether vulnerabilities matter.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::facts::{Measured, ScanKind, ScanRun};
use crate::scan::format::Read;
use crate::scan::stream::Stream;

use super::count;

#[derive(Deserialize)]
struct Statement {
    status: Option<String>,
    justification: Option<String>,
    impact_statement: Option<String>,
}

pub(in crate::scan) fn read(stream: &mut Stream<'_>, _: &Path) -> Read {
    let mut context: Option<String> = None;
    let mut timestamp: Option<String> = None;
    let mut by_status = BTreeMap::new();
    let mut unjustified = 0;
    let mut ended = false;
    const KEYS: &[&str] = &["@context", "timestamp", "statements"];
    stream.object("an OpenVEX document", KEYS, &mut |stream, key| {
        match key {
            "@context" => context = stream.value()?,
            "timestamp" => timestamp = stream.value()?,
            _ => {
                ended = stream.values("`statements`", |statement: Statement| {
                    let status = statement.status.unwrap_or_default();
                    let reason = [&statement.justification, &statement.impact_statement];
                    let given = |text: &&Option<String>| {
                        text.as_ref().is_some_and(|text| !text.trim().is_empty())
                    };
                    let justified = reason.iter().any(given);
                    unjustified += u64::from(status == "not_affected" && !justified);
                    count(&mut by_status, &status);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })?;
    stream.end()?;
    if !context.is_some_and(|context| context.contains("openvex")) {
        return Err(stream.trouble("not OpenVEX: `@context` names another format"));
    }
    let run = ScanRun {
        execution_successful: (!ended).then_some(false),
        ended_at: timestamp.and_then(|time| time.parse().ok()),
        kind: Some(ScanKind::Vex),
        measured: Some(Measured::Statements {
            by_status,
            unjustified,
        }),
        ..ScanRun::of("OpenVEX")
    };
    Ok(("openvex".to_owned(), vec![run]))
}
