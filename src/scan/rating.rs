//! Foreign ratings as ours. One table for all formats, so that the same run
//! counts the same in each shape that its tool can write.

use crate::facts::{Severity, SeverityOrigin};

/// The severity that a word means. A word that is unknown, empty or says "unknown"
/// counts as high: it may be anything.
pub(super) fn of_word(word: Option<&str>) -> (Severity, SeverityOrigin) {
    let word = word.unwrap_or_default().trim().to_ascii_lowercase();
    let severity = match word.as_str() {
        "critical" | "blocker" => Severity::Critical,
        "high" | "error" | "major" | "important" => Severity::High,
        "medium" | "moderate" | "warning" | "minor" => Severity::Medium,
        // A note of SARIF is low too; other formats call it so.
        "low" | "note" | "info" | "information" | "informational" | "negligible" => Severity::Low,
        "none" => Severity::None,
        _ => return (Severity::High, SeverityOrigin::Assumed),
    };
    (severity, SeverityOrigin::Finding)
}

/// The bands of CVSS. No band below and at 0: then other ratings speak.
pub(super) fn of_score(score: f64) -> Option<Severity> {
    match score {
        score if score >= 9.0 => Some(Severity::Critical),
        score if score >= 7.0 => Some(Severity::High),
        score if score >= 4.0 => Some(Severity::Medium),
        score if score > 0.0 => Some(Severity::Low),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_counts_as_high_and_says_so() {
        for word in [
            None,
            Some(""),
            Some("UNKNOWN"),
            Some("undefined"),
            Some("fine"),
        ] {
            assert_eq!(of_word(word), (Severity::High, SeverityOrigin::Assumed));
        }
        let said = (Severity::Medium, SeverityOrigin::Finding);
        assert_eq!(of_word(Some(" Moderate ")), said);
    }
}
