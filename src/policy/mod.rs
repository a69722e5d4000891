//! The organisation's choices, validated: which controls, how strict, who may
//! override, what is waived until when. This room fetches nothing and holds no
//! token; it is handed bytes and a date.

mod cases;
mod choice;
mod custom;
mod diff;
mod file;
mod findings;
mod floor;
mod load;
mod model;
mod presets;
mod problem;
mod read;
mod resolve;
mod sections;
mod signers;
mod standing;
#[cfg(test)]
mod tests;
mod words;
mod yaml;

pub use cases::{Case, CaseFacts, Cases, Expected, cases};
pub use choice::{SCANS_CONTROL, SCANS_PARAMETER};
pub use custom::MAX_CUSTOM;
pub use diff::{DiffError, PolicyChange, PolicyDiff, PolicyPart, diff, merged};
pub use file::FRAMEWORKS;
pub(crate) use findings::worst;
pub use findings::{
    AcceptedFinding, Binding, ExploitedList, RatedAs, SeverityMap, StoredBaseline,
    VexJustification, VexStatus,
};
pub use load::{LoadError, POLICY_PATH, lint, load};
pub use model::{
    BoundControl, BranchScope, Concession, Enforcement, LedgerChoice, Mode, Note, OnUnknown,
    OverrideRules, OverrideSigner, Policy, PolicySource, ScanExpectation, Waiver,
};
pub use presets::{PRESETS, preset};
pub use problem::{Place, Problem, Problems};
pub use read::parse_duration;
pub use sections::MAX_OVERRIDE;
pub use standing::LONGEST_EXEMPTION;
pub(crate) use standing::{Clocks, Standing};
pub(crate) use words::did_you_mean;
