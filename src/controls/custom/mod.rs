//! An organisation's own controls: a CEL expression over named facts.
//!
//! `cel` reads the expression; names, three-valued evaluation and the limit of
//! its cost are ours, because the crate's interpreter knows neither a value that
//! nobody could see nor an end of its patience.

mod calls;
mod check;
mod control;
mod evaluation;
mod expression;
mod functions;
mod given;
mod macros;
mod names;
mod operations;
mod records;
mod remarks;
mod shape;
mod value;

pub use control::{CODE_PREFIX, CustomControl, Declaration, Outcome};
pub use expression::{Expression, Flaw, MAX_LENGTH, MAX_LOOPS, MAX_NODES, MAX_STEPS};
pub use functions::FUNCTIONS;
pub use given::Given;
pub use names::{Facts, NAMES, Name};
pub use shape::{Field, Shape};

/// Version of the names and their shapes. Names are added; none changes its meaning.
pub const VIEW: &str = "ccgate.view/v1";

#[cfg(test)]
mod tests;
