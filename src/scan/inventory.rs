//! Lists of components, and statements on whether vulnerabilities matter.

pub(super) mod cyclonedx;
pub(super) mod openvex;
pub(super) mod spdx;

use std::collections::BTreeMap;

use super::place;

/// Most different licences or statuses that are told apart; the rest is one.
const MOST_NAMES: usize = 1_000;
/// Under which the rest is counted.
const REST: &str = "others";

/// Counts a foreign name in a bounded table.
fn count(names: &mut BTreeMap<String, u64>, name: &str) {
    let name = place::shown(name);
    let name = if names.len() >= MOST_NAMES && !names.contains_key(&name) {
        REST.to_owned()
    } else {
        name
    };
    *names.entry(name).or_default() += 1;
}
