//! One record as it is sealed: a DSSE envelope around an in-toto statement in
//! canonical JSON. It does not know what the statement says.

use anyhow::{Context as _, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::tz::Offset;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::moment;

/// The type of every payload.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The type of every statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The predicate of a leaf whose statement is too large and lies in `blobs/`.
pub const BLOB_REFERENCE_TYPE: &str = "https://ccgate.dev/blob-reference/v1";

/// The length of an entry is written in two bytes.
const LARGEST_LEAF: usize = u16::MAX as usize;

/// A record ready to be appended, or read back and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// `rec_` and 32 hex digits of the payload's SHA-256: the same statement has the same id.
    pub id: String,
    /// The envelope: what the Merkle tree seals.
    pub bytes: Vec<u8>,
    /// Where the browsable copy lies in the ledger.
    pub path: String,
    /// The statement when it does not fit into the leaf: its SHA-256 and its bytes.
    pub blob: Option<(String, Vec<u8>)>,
    /// The statement in the leaf: the record's own, or the reference to its blob.
    pub statement: Value,
}

impl Leaf {
    /// Seals a statement. A statement which JSON cannot carry without loss is refused.
    pub fn new(statement: &Value) -> anyhow::Result<Self> {
        check_statement(statement)?;
        let payload = canonical(statement)?;
        let leaf = Self::of_payload(&payload, statement.clone())?;
        if leaf.bytes.len() <= LARGEST_LEAF {
            return Ok(leaf);
        }
        let digest = hex::encode(Sha256::digest(&payload));
        let mut predicate = json!({
            "predicateType": statement.get("predicateType"),
            "blob": {"digest": {"sha256": digest}, "size": payload.len(), "mediaType": PAYLOAD_TYPE},
        });
        if let Some(time) = statement.pointer("/predicate/observed_at") {
            predicate["observed_at"] = time.clone();
        }
        let reference = json!({
            "_type": STATEMENT_TYPE,
            "subject": statement.get("subject"),
            "predicateType": BLOB_REFERENCE_TYPE,
            "predicate": predicate,
        });
        let mut leaf = Self::of_payload(&canonical(&reference)?, reference)?;
        ensure!(
            leaf.bytes.len() <= LARGEST_LEAF,
            "the subject of the record is too large for a leaf; name fewer subjects"
        );
        leaf.blob = Some((digest, payload));
        Ok(leaf)
    }

    /// Reads a leaf back. Anything but the exact canonical form is refused, so that one
    /// record has one spelling and a copy can be compared byte by byte.
    pub fn parse(bytes: &[u8]) -> anyhow::Result<Self> {
        let envelope: Value = serde_json::from_slice(bytes).context("the envelope is no JSON")?;
        ensure!(
            envelope.get("payloadType").and_then(Value::as_str) == Some(PAYLOAD_TYPE),
            "the payload type is not `{PAYLOAD_TYPE}`"
        );
        let payload = envelope
            .get("payload")
            .and_then(Value::as_str)
            .context("the envelope has no payload")?;
        let payload = STANDARD
            .decode(payload)
            .context("the payload is no base64")?;
        let statement: Value =
            serde_json::from_slice(&payload).context("the payload is no JSON")?;
        check_statement(&statement)?;
        ensure!(
            canonical(&statement)? == payload,
            "the statement is not canonical JSON"
        );
        let leaf = Self::of_payload(&payload, statement)?;
        ensure!(
            leaf.bytes == bytes,
            "the envelope is not in its canonical form"
        );
        Ok(leaf)
    }

    /// The blob that the leaf refers to, by its SHA-256 and size.
    pub(crate) fn blob_reference(&self) -> Option<anyhow::Result<(String, u64)>> {
        if self.statement.get("predicateType").and_then(Value::as_str) != Some(BLOB_REFERENCE_TYPE)
        {
            return None;
        }
        let digest = self
            .statement
            .pointer("/predicate/blob/digest/sha256")
            .and_then(Value::as_str);
        let size = self
            .statement
            .pointer("/predicate/blob/size")
            .and_then(Value::as_u64);
        Some(match (digest, size) {
            (Some(digest), Some(size)) if is_sha256(digest) => Ok((digest.to_owned(), size)),
            _ => Err(anyhow::anyhow!(
                "the reference to the blob names no SHA-256 and size"
            )),
        })
    }

    /// The statement; where it is too large for a leaf, that of the blob, which has to fit.
    ///
    /// # Errors
    /// A blob that is not there, is another one, or is about something else.
    pub fn told(self, blob: impl FnOnce(&str) -> anyhow::Result<Vec<u8>>) -> anyhow::Result<Value> {
        let Some(reference) = self.blob_reference() else {
            return Ok(self.statement);
        };
        let (digest, size) = reference?;
        let path = blob_path(&digest);
        let bytes = blob(&digest)?;
        ensure!(
            bytes.len() as u64 == size && hex::encode(Sha256::digest(&bytes)) == digest,
            "its blob `{path}` was altered"
        );
        let statement: Value = serde_json::from_slice(&bytes)
            .with_context(|| format!("its blob `{path}` is no JSON"))?;
        ensure!(
            statement.get("subject") == self.statement.get("subject"),
            "its blob `{path}` is about another subject"
        );
        Ok(statement)
    }

    fn of_payload(payload: &[u8], statement: Value) -> anyhow::Result<Self> {
        let mut id = hex::encode(Sha256::digest(payload));
        id.truncate(32);
        let id = format!("rec_{id}");
        let envelope = json!({"payload": STANDARD.encode(payload), "payloadType": PAYLOAD_TYPE, "signatures": []});
        let observed_at = statement
            .pointer("/predicate/observed_at")
            .and_then(Value::as_str);
        let path = format!("records/{}/{id}.json", month(observed_at));
        Ok(Self {
            id,
            bytes: canonical(&envelope)?,
            path,
            blob: None,
            statement,
        })
    }
}

/// The bytes that a DSSE signature covers.
pub fn pre_authentication_encoding(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    )
    .into_bytes();
    bytes.extend_from_slice(payload);
    bytes
}

/// Where the blob of this digest lies.
pub(crate) fn blob_path(digest: &str) -> String {
    format!("blobs/{digest}")
}

pub(crate) fn is_sha256(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// `YYYY/MM` of the predicate's `observed_at` in UTC; a record that names no month lies in `0000/00`.
pub(super) fn month(observed_at: Option<&str>) -> String {
    let observed = observed_at
        .and_then(moment::read)
        .map(|time| Offset::UTC.to_datetime(time).date())
        .filter(|date| date.year() >= 0);
    let (year, month) = observed.map_or((0, 0), |date| (date.year(), date.month()));
    format!("{year:04}/{month:02}")
}

fn check_statement(statement: &Value) -> anyhow::Result<()> {
    ensure!(
        statement.get("_type").and_then(Value::as_str) == Some(STATEMENT_TYPE),
        "`_type` is not `{STATEMENT_TYPE}`"
    );
    ensure!(
        statement
            .get("subject")
            .and_then(Value::as_array)
            .is_some_and(|subjects| !subjects.is_empty()),
        "the statement names no subject"
    );
    ensure!(
        statement
            .get("predicateType")
            .and_then(Value::as_str)
            .is_some(),
        "the statement has no predicate type"
    );
    ensure!(
        statement.get("predicate").is_some_and(Value::is_object),
        "the predicate is no object"
    );
    check_numbers(statement)
}

/// Other programs read JSON numbers as doubles: only whole numbers they keep are allowed.
fn check_numbers(value: &Value) -> anyhow::Result<()> {
    const LIMIT: i64 = 1 << 53;
    match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) if (-LIMIT..=LIMIT).contains(&number) => Ok(()),
            _ => bail!("`{number}` is not a whole number within 2^53; write it as text"),
        },
        Value::Array(values) => values.iter().try_for_each(check_numbers),
        Value::Object(members) => members.values().try_for_each(check_numbers),
        Value::Null | Value::Bool(_) | Value::String(_) => Ok(()),
    }
}

fn canonical(value: &Value) -> anyhow::Result<Vec<u8>> {
    serde_json_canonicalizer::to_vec(value).context("the record has no canonical form")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_lies_in_the_month_that_its_record_tells_in_utc() {
        for (observed_at, expected) in [
            (Some("2026-11-21T08:00:00Z"), "2026/11"),
            (Some("2026-11-21T08:00:00.123456789Z"), "2026/11"),
            (Some("2026-12-31T23:00:00-05:00"), "2027/01"),
            (Some("0007-01-01T00:00:00Z"), "0007/01"),
            (Some("-000007-01-01T00:00:00Z"), "0000/00"),
            (Some("2026-02-30T08:00:00Z"), "0000/00"),
            (Some("November"), "0000/00"),
            (Some(""), "0000/00"),
            (None, "0000/00"),
        ] {
            assert_eq!(month(observed_at), expected, "{observed_at:?}");
        }
    }
}
