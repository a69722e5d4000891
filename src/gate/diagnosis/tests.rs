//! Literal snapshots for each state of each area.
