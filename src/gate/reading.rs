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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::{
        Fact, PolicyDocument, PolicyFacts, ScanFailure, ScanKind, ScanReport, ScanResults, ScanRun,
    };
    use crate::gate::testing::{at, facts};
    use crate::policy;

    const KEY: FactKey = FactKey::ScanChangeAnalyses;

    /// Whether the platform is asked under this policy with these runs handed in.
    fn is_asked(controls: &str, runs: Option<Result<Vec<ScanRun>, ScanFailure>>) -> bool {
        let document = PolicyDocument {
            origin: "p.yml".to_owned(),
            commit: None,
            digest: String::new(),
            text: format!("version: 1\ncontrols: {controls}\n"),
        };
        let documents = PolicyFacts {
            target: Fact::known_without_source(Some(document)),
            floor: Fact::known_without_source(None),
        };
        let policy = policy::load(&documents, at("2026-06-01T12:00:00Z")).expect("it is valid");
        let report = runs.map(|runs| ScanReport {
            pattern: "out/*".to_owned(),
            path: "out/a.json".to_owned(),
            digest: "sha256:aa".to_owned(),
            format: "probe".to_owned(),
            modified_at: None,
            runs,
        });
        let mut facts = facts();
        facts.scans = Fact::known_without_source(ScanResults::of(report.into_iter().collect()));
        still_needed(&policy, &facts, policy.needs()).has(KEY)
    }

    fn run(kind: ScanKind) -> Option<Result<Vec<ScanRun>, ScanFailure>> {
        Some(Ok(vec![ScanRun {
            kind: Some(kind),
            ..ScanRun::of("probe")
        }]))
    }

    #[test]
    fn the_platform_is_asked_about_the_change_only_where_no_report_decides() {
        let on = "{sast-clean: {}}";
        assert!(is_asked(on, None));
        assert!(is_asked(on, run(ScanKind::Coverage)));
        assert!(!is_asked(on, run(ScanKind::Sast)));
        assert!(!is_asked(on, Some(Err(ScanFailure::Missing))));
        assert!(!is_asked("{sast-clean: {platform_analyses: false}}", None));
        assert!(!is_asked("{force-push-blocked: {}}", None));
    }
}
