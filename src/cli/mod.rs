//! Arguments, wiring, clock, environment and exit codes. It holds no rule.

pub mod ledger;
