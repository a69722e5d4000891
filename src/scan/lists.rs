//! Files that findings are held against: a baseline that was made here, and lists of
//! vulnerabilities that are known to be exploited. Whether it is the file that the
//! policy means is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::facts::{
    BaselineFile, ExploitedFile, Fingerprint, KnownFinding, ScanFailure, ScanResults, Severity,
};

/// Version string of a baseline.
const BASELINE_SCHEMA: &str = "ccgate.baseline/v1";
/// Largest file in bytes.
const LARGEST: u64 = 32 << 20;
/// Most entries in one.
const MOST_ENTRIES: usize = 200_000;
/// Names of the column or key that holds the id of a vulnerability, in small letters.
const ID_NAMES: &[&str] = &["cveid", "cve_id", "cve", "id"];

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Baseline {
    schema: String,
    findings: Vec<KnownFinding>,
}

/// The baseline that these results make, and how many open findings are not in it because
/// nothing but their number is known.
pub(super) fn baseline_of(results: &ScanResults) -> (String, u64) {
    let mut known: BTreeMap<(Fingerprint, Severity), u64> = BTreeMap::new();
    let mut left_out = 0;
    for run in results
        .reports
        .iter()
        .filter_map(|report| report.runs.as_ref().ok())
        .flatten()
    {
        let open = run
            .findings
            .iter()
            .filter(|finding| finding.state.is_open());
        let mut named = 0;
        for finding in open {
            named += 1;
            *known
                .entry((finding.fingerprint, finding.severity))
                .or_default() += 1;
        }
        let all: u64 = run.counts.iter().map(|count| count.open).sum();
        left_out += all.saturating_sub(named);
    }
    let findings = known
        .into_iter()
        .map(|((fingerprint, severity), count)| KnownFinding {
            fingerprint: fingerprint.to_string(),
            severity,
            count,
        });
    let baseline = Baseline {
        schema: BASELINE_SCHEMA.to_owned(),
        findings: findings.collect(),
    };
    let text = serde_json::to_string_pretty(&baseline).unwrap_or_default();
    (format!("{text}\n"), left_out)
}

/// Reads a baseline; what is wrong with it stands in its place.
pub(super) fn baseline(path: &str, root: &Path) -> BaselineFile {
    let (digest, findings) = read(path, root, |bytes| {
        let baseline: Baseline = serde_json::from_slice(bytes)
            .map_err(|error| format!("it is no baseline (line {})", error.line()))?;
        if baseline.schema != BASELINE_SCHEMA {
            return Err("it is no baseline of a version that is read".to_owned());
        }
        if baseline.findings.len() > MOST_ENTRIES {
            return Err(too_many());
        }
        Ok(baseline.findings)
    });
    BaselineFile {
        path: path.to_owned(),
        digest,
        findings,
    }
}

/// Reads a list of exploited vulnerabilities; what is wrong with it stands in its place.
pub(super) fn exploited(path: &str, root: &Path) -> ExploitedFile {
    let (digest, ids) = read(path, root, |bytes| {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let text = text.trim_start_matches('\u{feff}').trim_start();
        let ids = if text.starts_with(['{', '[']) {
            ids_of_json(text)?
        } else {
            ids_of_table(text)?
        };
        match ids.len() {
            0 => Err("it names no vulnerability".to_owned()),
            1..=MOST_ENTRIES => Ok(ids),
            _ => Err(too_many()),
        }
    });
    ExploitedFile {
        path: path.to_owned(),
        digest,
        ids,
    }
}

/// A list of ids or of objects, or an object that holds such a list under `vulnerabilities`.
fn ids_of_json(text: &str) -> Result<BTreeSet<String>, String> {
    let value: Value = serde_json::from_str(text)
        .map_err(|error| format!("it is no JSON (line {})", error.line()))?;
    let list = match &value {
        Value::Array(list) => list,
        Value::Object(object) => object
            .get("vulnerabilities")
            .and_then(Value::as_array)
            .ok_or("it has no list `vulnerabilities`")?,
        _ => return Err("it is no list".to_owned()),
    };
    let of_entry = |entry: &Value| match entry {
        Value::String(text) => id(text),
        Value::Object(object) => {
            let known = |name: &str| ID_NAMES.contains(&name.to_ascii_lowercase().as_str());
            let (_, value) = object.iter().find(|(name, _)| known(name))?;
            id(value.as_str()?)
        }
        _ => None,
    };
    let ids = list.iter().enumerate().map(|(number, entry)| {
        of_entry(entry).ok_or_else(|| format!("entry {} names no vulnerability", number + 1))
    });
    ids.collect()
}

/// CSV with a column for the id, or one id a line.
fn ids_of_table(text: &str) -> Result<BTreeSet<String>, String> {
    let mut table = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut column = None;
    let mut ids = BTreeSet::new();
    for (number, row) in table.records().enumerate() {
        let no_id = || format!("row {} names no vulnerability", number + 1);
        let row = row.map_err(|_| no_id())?;
        let Some(at) = column else {
            let named = |cell: &str| ID_NAMES.contains(&cell.trim().to_ascii_lowercase().as_str());
            let named = row.iter().position(named);
            column = Some(named.unwrap_or(0));
            if named.is_none() {
                ids.insert(row.get(0).and_then(id).ok_or_else(no_id)?);
            }
            continue;
        };
        ids.insert(row.get(at).and_then(id).ok_or_else(no_id)?);
    }
    Ok(ids)
}

/// An id such as `CVE-2021-44228`, in capitals.
fn id(text: &str) -> Option<String> {
    let text = text.trim();
    let spelt = |one: char| one.is_ascii_alphanumeric() || one == '-';
    let is_id = text.contains('-') && text.len() <= 64 && text.chars().all(spelt);
    is_id.then(|| text.to_ascii_uppercase())
}

fn too_many() -> String {
    format!("it has more than {MOST_ENTRIES} entries")
}

/// The digest of a file and what it holds.
fn read<T>(
    path: &str,
    root: &Path,
    parse: impl Fn(&[u8]) -> Result<T, String>,
) -> (String, Result<T, ScanFailure>) {
    let bytes = match bytes(&root.join(path)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return (String::new(), Err(ScanFailure::Missing));
        }
        Err(error) => {
            return (
                String::new(),
                Err(ScanFailure::Unreadable(error.to_string())),
            );
        }
    };
    let digest = format!("sha256:{}", hex::encode(Sha256::digest(&bytes)));
    (digest, parse(&bytes).map_err(ScanFailure::Unparsable))
}

fn bytes(path: &Path) -> io::Result<Vec<u8>> {
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    File::open(path)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("it is too large"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{Finding, FindingCount, FindingState, ScanReport, ScanRun, SeverityOrigin};

    fn ids(text: &str) -> Result<Vec<String>, ScanFailure> {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("list"), text).expect("a file");
        exploited("list", folder.path())
            .ids
            .map(|ids| ids.into_iter().collect())
    }

    #[test]
    fn a_list_is_read_in_each_of_its_shapes() {
        for text in [
            r#"{"title":"t","vulnerabilities":[{"cveID":"CVE-2021-1","vendor":"v"},{"cveID":"CVE-2020-2"}]}"#,
            r#"["cve-2021-1", "CVE-2020-2"]"#,
            "\u{feff}cveID,vendor,notes\nCVE-2021-1,v,\"a, b\"\nCVE-2020-2,w,\n",
            "vendor,cve_id\nv,CVE-2021-1\nw,CVE-2020-2\n",
            "CVE-2021-1\r\nCVE-2020-2\r\n",
        ] {
            assert_eq!(
                ids(text),
                Ok(vec!["CVE-2020-2".to_owned(), "CVE-2021-1".to_owned()]),
                "{text}"
            );
        }
    }

    /// The cheat: a list that loses its entries without anybody noticing.
    #[test]
    fn a_list_that_is_empty_or_broken_is_no_list() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"vulnerabilities":[]}"#,
            r#"{"vulnerabilities":[{"cveID":"CVE-2021-1"},{}]}"#,
            r#"["CVE-2021-1""#,
            "cveID,vendor\n",
            "cveID\nCVE-2021-1\nnothing here\n",
            "<html></html>",
        ] {
            assert!(
                matches!(ids(text), Err(ScanFailure::Unparsable(_))),
                "{text}"
            );
        }
        let none = exploited("none", Path::new("/nowhere"));
        assert_eq!(none.ids, Err(ScanFailure::Missing));
    }

    #[test]
    fn a_baseline_is_read_back_as_it_was_written() {
        let finding = |fingerprint: &str, state| Finding {
            rule: "r".into(),
            ids: Box::default(),
            severity: Severity::High,
            severity_from: SeverityOrigin::Finding,
            place: None,
            line: None,
            fingerprint: Fingerprint::read(&fingerprint.repeat(32)).expect("a fingerprint"),
            state,
            is_new: None,
            first_seen: None,
        };
        let open = FindingState::Open;
        let suppressed = FindingState::Suppressed { reason: None };
        let run = ScanRun {
            counts: vec![FindingCount {
                severity: Severity::High,
                open: 5,
                new: None,
                suppressed: 1,
            }],
            findings: vec![
                finding("b", open.clone()),
                finding("a", open.clone()),
                finding("a", open),
                finding("c", suppressed),
            ],
            ..ScanRun::of("probe")
        };
        let results = ScanResults::of(vec![ScanReport {
            pattern: "a".to_owned(),
            path: "a".to_owned(),
            digest: "sha256:aa".to_owned(),
            format: "probe".to_owned(),
            modified_at: None,
            runs: Ok(vec![run]),
        }]);
        let (text, left_out) = baseline_of(&results);
        assert_eq!(left_out, 2);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("known"), &text).expect("a file");
        let read = baseline("known", folder.path());
        let known = read.findings.expect("a readable baseline");
        let known: Vec<_> = known
            .iter()
            .map(|one| (&one.fingerprint[..1], one.count))
            .collect();
        assert_eq!(known, [("a", 2), ("b", 1)]);
        for broken in [
            text.replace("/v1", "/v2"),
            text.replace("count", "times"),
            text[..40].to_owned(),
        ] {
            std::fs::write(folder.path().join("known"), broken).expect("a file");
            let read = baseline("known", folder.path());
            assert!(matches!(read.findings, Err(ScanFailure::Unparsable(_))));
        }
    }
}
