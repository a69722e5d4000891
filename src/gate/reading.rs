//! What is still worth asking of the platform once the files that were handed in are
//! read. It knows no request.

use crate::facts::{FactKey, Needs, Snapshot};
use crate::policy::{Enforcement, Policy};

/// The groups without those that no control would look at: what the platform's own scan
/// says of the change decides only where no report does.
pub fn still_needed(policy: &Policy, facts: &Snapshot, needs: Needs) -> Needs {
    let key = FactKey::ScanChangeAnalyses;
    let missed = || {
        policy
            .controls
            .iter()
            .filter(|bound| bound.enforcement != Enforcement::Off)
            .filter(|bound| bound.control.meta().needs.contains(&key))
            .any(|bound| {
                let judged = bound.control.evaluate(facts);
                judged.is_err_and(|unknown| unknown.fact == key.name())
            })
    };
    if needs.has(key) && !facts.change_analyses.is_known() && !missed() {
        needs.without(&[key])
    } else {
        needs
    }
}
