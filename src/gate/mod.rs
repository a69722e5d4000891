//! From policy and facts to a decision, and from a decision to its record.
//! Pure: no input or output, no clock. The moment is the snapshot's.

mod approvals;
mod breach;
mod clocks;
mod command;
mod deadline;
mod decide;
mod diagnosis;
mod evaluate;
mod holding;
mod independence;
mod integrity;
mod kind;
mod overrides;
mod proposal;
mod reading;
mod record;
mod register;
mod reviews;
mod settle;
mod signature;
#[cfg(test)]
pub(crate) mod testing;
mod triage;
mod waivers;

pub use approvals::{ApprovalReport, Door, short_approval};
pub use breach::has_breach;
pub use command::{approval_comment, override_comment};
pub use decide::{
    Approval, ControlDecision, Decision, Disposition, Outcome, OverrideReport, OverrideState,
    VerdictWord, WaiverReport, WaiverState, undecided,
};
pub use diagnosis::{
    Area, Cost, Diagnosis, Finding, Gap, OF_A_CHANGE, Patient, State, Unread, diagnose,
};
pub use evaluate::{Evaluation, as_seen_by, evaluate};
pub use integrity::{Integrity, IntegrityLevel, integrity};
pub use kind::Kind;
pub use overrides::{has_override_command, teams_to_look_up, wants_register, wants_run_approvals};
pub use proposal::{touches_policy, wants_proposed_policy};
pub use reading::still_needed;
pub use record::{
    BranchMove, CHANGE_RECORD_TYPE, LoggedMove, OVERRIDE_RECORD_TYPE, REVIEW_RECORD_TYPE,
    RecordContext, records,
};
pub use register::{
    Attempt, Entry, Exemption, OfControl, OfPerson, Register, Standing, Sums, Term, Use, register,
};
pub use reviews::{ReviewOutcome, ReviewReport};
pub use settle::decide;
pub use signature::{
    CommentPlace, KeySource, OVERRIDE_NAMESPACE, Published, Signed, SignedComment,
    override_statement, published_keys_wanted, signed_comment,
};
pub use triage::{AcceptanceReport, AcceptanceState};
