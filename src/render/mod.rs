//! One format a file. None decides, none reads the network or the ledger.
//! All untrusted text is escaped for its medium.

mod annotations;
pub mod catalogue;
mod doctor;
pub mod effective;
pub mod escape;
mod explain;
mod format;
mod human;
mod json;
mod markdown;
mod notice;
mod own;
mod policy_diff;
mod policy_schema;
mod sarif;
#[cfg(test)]
mod testing;
mod tree;
mod wording;
mod wrap;

pub use annotations::annotations;
pub use doctor::{DOCTOR_SCHEMA, doctor, doctor_json};
pub use effective::{effective, outcome};
pub use explain::explain;
pub use format::{Format, Style, Tool, UnknownFormat, render};
pub use human::human;
pub use json::{DECISION_SCHEMA, json};
pub use markdown::markdown;
pub use notice::{OverrideNotice, notice_marker, notice_of_change, notice_of_repository};
pub use own::{explain_own, expressions_document};
pub use policy_diff::{POLICY_DIFF_SCHEMA, policy_diff, policy_diff_json};
pub use policy_schema::policy_schema;
pub use sarif::sarif;
pub use tree::tree;
pub use wrap::wrap;
