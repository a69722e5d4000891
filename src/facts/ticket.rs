//! Tickets that a change names, as their tracker showed them. Only what can be
//! judged is kept: no title, no description, no comment. How names are found in
//! the texts of a change stands in `ticket_names`.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::fact::Fact;

/// Where tickets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tracker {
    /// The issues of the platform that the change is on.
    #[default]
    Issues,
    /// Jira, asked by its own interface.
    Jira,
    /// A file that the run was given: an export of any other tracker.
    File,
}

impl Tracker {
    /// The word that a policy writes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Issues => "issues",
            Self::Jira => "jira",
            Self::File => "file",
        }
    }
}

/// The group `change.tickets`: every ticket that the change names, and what its
/// tracker says of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tickets {
    /// The tracker that was asked.
    pub tracker: Tracker,
    /// Each name once, in the order in which the change names them.
    pub named: Vec<NamedTicket>,
}

/// One name, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedTicket {
    /// The name as the change writes it; an issue of the change's own repository as `#3`.
    pub name: String,
    /// What the tracker says. Its sources carry the digest of the answer.
    pub found: Fact<FoundTicket>,
}

/// What a tracker has under a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundTicket {
    /// A ticket.
    Ticket(Box<Ticket>),
    /// A change: numbers of changes and of tickets may come from one series.
    Change,
    /// Nothing: the tracker says so, and would say otherwise if it were only hidden.
    Nothing,
}

/// One ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ticket {
    /// The name under which the tracker keeps it now; another one if it was moved.
    pub key: String,
    /// Its type in the tracker's own word. Known `None`: it has none.
    pub ticket_type: Fact<Option<String>>,
    /// Its state in the tracker's own word.
    pub state: Fact<String>,
    /// Who asked for it. Known `None`: the account is gone, or nobody is named.
    pub requester: Fact<Option<Requester>>,
    /// When it was made, by the tracker's clock.
    pub created_at: Fact<Timestamp>,
    /// When it was closed last, by the tracker's clock. Known `None`: it is not closed.
    pub closed_at: Fact<Option<Timestamp>>,
    /// Where people read it, if the tracker says.
    pub url: Option<String>,
    /// When it was written into an export; `None`: it was asked for just now.
    pub exported_at: Option<Timestamp>,
}

/// Who asked for a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requester {
    /// Their name in the tracker.
    pub name: String,
    /// Whether that name is their login on the platform that the change is on.
    pub is_login: bool,
}
