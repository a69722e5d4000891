//! Trackers that are not the platform itself, and what all trackers share: which
//! names of a change are asked about, and how an answer becomes a ticket. Issues of
//! a platform are asked in that platform's own room. Judges nothing.

mod asked;
mod export;
mod fields;
mod jira;

pub(super) use asked::{Asked, put_into};
pub use export::TicketExport;
pub(super) use fields::Fields;
pub use jira::JiraAccess;
pub(super) use jira::NEEDS as JIRA_NEEDS;

/// What a run was given to read tickets with, beside the tokens of the platform.
#[derive(Default)]
pub struct TicketSources {
    /// Jira, if its address and token are set.
    pub jira: Option<JiraAccess>,
    /// A file of tickets, if one was handed in.
    pub export: Option<TicketExport>,
}
