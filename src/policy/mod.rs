//! The organisation's choices, validated: which controls, how strict, who may
//! override, what is waived until when. This room fetches nothing and holds no
//! token; it is handed bytes and a date.

mod load;
mod model;
mod presets;
mod problem;

pub use load::{LoadError, load};
pub use model::{
    BoundControl, Concession, CustomControl, Enforcement, LedgerChoice, Mode, Note, OnUnknown,
    OverrideRules, Policy, PolicySource, ScanExpectation, Waiver,
};
pub use presets::{PRESETS, preset};
pub use problem::{Place, Problem, Problems};
