//! What was observed, in words that belong to no platform.
//!
//! This room knows values and what could not be seen. It does not know GitHub
//! or GitLab, it does not judge, and it does no input or output. Everything a
//! control may look at hangs under [`Snapshot`].

mod actor;
mod branch;
mod change;
mod fact;
mod key;
mod policy_document;
mod scan;
mod snapshot;

pub use actor::{Account, AccountKind, Person};
pub use branch::{
    BranchRules, BypassActor, BypassKind, BypassMode, Combine, Demand, Layer, LayerKind,
    RequiredCheck, Requirement,
};
pub use change::{
    Association, ChangeState, CheckConclusion, CheckKind, CheckResult, CheckStatus, Comment,
    Commit, Identity, OverridePeople, Push, PushKind, Review, ReviewState,
};
pub use fact::{Fact, Source, Unknown, Why, all_of, any_of};
pub use key::{FactKey, Needs};
pub use policy_document::PolicyDocument;
pub use scan::{FindingCount, ScanFailure, ScanReport, ScanResults, ScanRun, Severity};
pub use snapshot::{
    Platform, PolicyFacts, Recorded, RepositoryFacts, Requests, SNAPSHOT_SCHEMA, Snapshot, Subject,
};
