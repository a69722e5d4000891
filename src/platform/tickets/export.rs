//! A file of tickets, CSV or JSON, that somebody exported from a tracker of any
//! other kind. It is told apart by its first character. Every row says when it was
//! written; how old it may be is judged elsewhere. Cells are text and stay text.

use std::collections::BTreeMap;

use anyhow::{Context as _, anyhow, bail, ensure};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::facts::{Fact, FactKey, FoundTicket, Requester, Source, Ticket, Unknown, Why};

/// Version string of the JSON form.
const SCHEMA: &str = "ccgate.tickets/v1";
/// Most rows of a file.
const MOST_ROWS: usize = 200_000;
/// What a row may say; other columns are left alone.
const COLUMNS: [&str; 8] = [
    "key",
    "type",
    "state",
    "requester",
    "created_at",
    "closed_at",
    "url",
    "exported_at",
];
/// What every row has to say.
const NEEDED: [&str; 3] = ["key", "state", "exported_at"];

/// One row: its cells by column, without space around them. A column that the file
/// does not have is not in it; an empty cell is empty text.
type Row = BTreeMap<&'static str, String>;

/// A file that was read.
pub struct TicketExport {
    source: Source,
    /// Rows by key in small letters: spelling must not hide that one stands twice.
    rows: BTreeMap<String, Vec<Row>>,
}

impl TicketExport {
    /// Takes a file apart; `name` is how the record calls it.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(name: &str, bytes: &[u8]) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(bytes)
            .map_err(|error| anyhow!("not UTF-8 at byte {}", error.valid_up_to()))?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let list = if text.trim_start().starts_with('{') {
            json(text)?
        } else {
            csv(text)?
        };
        let mut rows: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in list {
            let key = row.get("key").map_or("", String::as_str);
            rows.entry(key.to_ascii_lowercase()).or_default().push(row);
        }
        Ok(Self {
            source: Source {
                endpoint: format!("file {name}"),
                digest: format!("sha256:{}", hex::encode(Sha256::digest(bytes))),
            },
            rows,
        })
    }

    /// What the file says of each name.
    pub(in crate::platform) fn tickets(&self, names: &[String]) -> Vec<Fact<FoundTicket>> {
        names.iter().map(|name| self.ticket(name)).collect()
    }

    fn ticket(&self, name: &str) -> Fact<FoundTicket> {
        let seen = |found| Fact::seen(found, self.source.clone());
        match self.rows.get(&name.to_ascii_lowercase()).map(Vec::as_slice) {
            None | Some([]) => seen(FoundTicket::Nothing),
            Some([row]) => match self.read(row) {
                Ok(ticket) => seen(FoundTicket::Ticket(Box::new(ticket))),
                Err(unknown) => Fact::Unknown(unknown),
            },
            Some(rows) => Fact::Unknown(self.unknown(format!(
                "`{name}` stands {} times in the file, so it is not known which row holds",
                rows.len()
            ))),
        }
    }

    fn read(&self, row: &Row) -> Result<Ticket, Unknown> {
        let written = row.get("exported_at").map_or("", String::as_str);
        let exported_at: Timestamp = written.parse().map_err(|_| {
            self.unknown(format!(
                "`exported_at` is `{written}`, which is no moment like 2026-01-31T12:00:00Z"
            ))
        })?;
        let filled = |column: &str| row.get(column).filter(|text| !text.is_empty());
        let seen = |column: &str| match filled(column) {
            Some(text) => Fact::seen(text.clone(), self.source.clone()),
            None => Fact::Unknown(self.unknown(format!("the row has no `{column}`"))),
        };
        let time = |column: &str| match filled(column).map(|text| text.parse()) {
            Some(Ok(time)) => Fact::seen(time, self.source.clone()),
            Some(Err(_)) | None => {
                Fact::Unknown(self.unknown(format!("the row has no usable `{column}`")))
            }
        };
        let empty = |column: &str| row.get(column).is_some_and(String::is_empty);
        Ok(Ticket {
            key: row.get("key").cloned().unwrap_or_default(),
            ticket_type: if empty("type") {
                Fact::seen(None, self.source.clone())
            } else {
                seen("type").map(Some)
            },
            state: seen("state"),
            // An empty cell names nobody; it does not say that nobody asked.
            requester: seen("requester").map(|name| {
                Some(Requester {
                    name,
                    is_login: true,
                })
            }),
            created_at: time("created_at"),
            closed_at: if empty("closed_at") {
                Fact::seen(None, self.source.clone())
            } else {
                time("closed_at").map(Some)
            },
            url: filled("url").cloned(),
            exported_at: Some(exported_at),
        })
    }

    fn unknown(&self, detail: String) -> Unknown {
        Unknown::new(FactKey::ChangeTickets.name(), Why::Failed, detail)
            .at(self.source.endpoint.clone(), None)
    }
}

fn csv(text: &str) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::ReaderBuilder::new()
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let header = reader.headers().context("the first line")?.clone();
    let mut places = Vec::new();
    for column in COLUMNS {
        let mut found = header
            .iter()
            .enumerate()
            .filter(|(_, name)| *name == column);
        if let Some((place, _)) = found.next() {
            places.push((column, place));
        }
        ensure!(found.next().is_none(), "two columns are named `{column}`");
    }
    for needed in NEEDED {
        ensure!(
            places.iter().any(|(column, _)| *column == needed),
            "no column is named `{needed}`: the first line names the columns ({})",
            COLUMNS.join(", ")
        );
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        ensure!(rows.len() < MOST_ROWS, "more than {MOST_ROWS} rows");
        let record = record.context("a row cannot be read")?;
        rows.push(
            places
                .iter()
                .filter_map(|(column, place)| Some((*column, record.get(*place)?.to_owned())))
                .collect(),
        );
    }
    Ok(rows)
}

fn json(text: &str) -> anyhow::Result<Vec<Row>> {
    let document: Value = serde_json::from_str(text).context("no valid JSON")?;
    match document.get("schema").and_then(Value::as_str) {
        Some(SCHEMA) => {}
        Some(other) => bail!("its schema is `{other}`, and this version reads `{SCHEMA}`"),
        None => bail!("it has no `schema`; it has to be `{SCHEMA}`"),
    }
    let exported_at = document
        .get("exported_at")
        .and_then(Value::as_str)
        .context("it has no `exported_at`")?;
    let tickets = document
        .get("tickets")
        .and_then(Value::as_array)
        .context("it has no list `tickets`")?;
    ensure!(tickets.len() <= MOST_ROWS, "more than {MOST_ROWS} tickets");
    let mut rows = Vec::with_capacity(tickets.len());
    for (index, ticket) in tickets.iter().enumerate() {
        let mut row = Row::from([("exported_at", exported_at.to_owned())]);
        // The file as a whole says when it was written.
        for column in COLUMNS.into_iter().filter(|name| *name != "exported_at") {
            let cell = match ticket.get(column) {
                None => continue,
                Some(Value::Null) => "",
                Some(Value::String(text)) => text.trim(),
                Some(_) => bail!("`{column}` of ticket {} is no text", index + 1),
            };
            row.insert(column, cell.to_owned());
        }
        ensure!(
            row.contains_key("key") && row.contains_key("state"),
            "ticket {} has no `key` or no `state`",
            index + 1
        );
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests;
