//! Severities as this organisation sees them. What a report rates may be lifted or
//! lowered, and lowering stands in the policy for everybody to see.

use std::collections::BTreeMap;

use crate::facts::{Severity, SeverityOrigin};

/// How a report rates a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RatedAs {
    /// With a severity.
    Severity(Severity),
    /// Not at all, or with a word that nobody knows.
    Unrated,
}

/// Severities that take the place of a report's own.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SeverityMap {
    /// By rule, as the report names it. These outweigh the words.
    pub rules: BTreeMap<String, Severity>,
    /// By what the report says of its severity.
    pub words: BTreeMap<RatedAs, Severity>,
}

impl SeverityMap {
    /// Whether it changes nothing.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.words.is_empty()
    }

    /// The severity of a finding of that rule.
    pub fn of(&self, rule: &str, severity: Severity, from: SeverityOrigin) -> Severity {
        match self.rules.get(rule) {
            Some(mapped) => *mapped,
            None => self.of_word(severity, from),
        }
    }

    /// The worst severity that a finding may have of which only the report's severity is known.
    pub fn at_worst(&self, severity: Severity) -> Severity {
        let words = [RatedAs::Severity(severity), RatedAs::Unrated];
        let words = words.iter().filter_map(|word| self.words.get(word));
        let all = self.rules.values().chain(words).copied();
        all.fold(severity, Severity::max)
    }

    /// What is not rated counts as `severity` by assumption: only its own word lowers it.
    fn of_word(&self, severity: Severity, from: SeverityOrigin) -> Severity {
        let rated = self.words.get(&RatedAs::Severity(severity)).copied();
        match from {
            SeverityOrigin::Assumed => match self.words.get(&RatedAs::Unrated) {
                Some(mapped) => *mapped,
                None => rated.unwrap_or(severity).max(severity),
            },
            SeverityOrigin::Score
            | SeverityOrigin::Finding
            | SeverityOrigin::Rule
            | SeverityOrigin::Policy => rated.unwrap_or(severity),
        }
    }
}

/// Whether some finding has a lower severity by `own` than by `base`. Both are lists of
/// maps of which the worst counts. Every rule that one of them names and one that none
/// does are tried with everything that a report may say.
pub(in crate::policy) fn lowers(own: &[SeverityMap], base: &[SeverityMap]) -> bool {
    let named = own.iter().chain(base).flat_map(|map| map.rules.keys());
    let rules = named.map(String::as_str).chain([UNNAMED]);
    rules.into_iter().any(|rule| {
        Severity::ALL.iter().any(|severity| {
            [SeverityOrigin::Finding, SeverityOrigin::Assumed]
                .into_iter()
                .any(|from| worst(own, rule, *severity, from) < worst(base, rule, *severity, from))
        })
    })
}

/// A rule that no map can name: a name in a policy is never empty.
const UNNAMED: &str = "";

/// The worst that any of the maps says; without any, what the report says.
pub(crate) fn worst(
    maps: &[SeverityMap],
    rule: &str,
    severity: Severity,
    from: SeverityOrigin,
) -> Severity {
    let mapped = maps.iter().map(|map| map.of(rule, severity, from));
    mapped.max().unwrap_or(severity)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(rules: &[(&str, Severity)], words: &[(RatedAs, Severity)]) -> SeverityMap {
        SeverityMap {
            rules: rules
                .iter()
                .map(|(rule, to)| ((*rule).to_owned(), *to))
                .collect(),
            words: words.iter().copied().collect(),
        }
    }

    #[test]
    fn a_rule_outweighs_a_word_and_what_is_not_named_stays() {
        let map = map(
            &[("a", Severity::Low)],
            &[(RatedAs::Severity(Severity::High), Severity::Medium)],
        );
        let of = |rule, severity| map.of(rule, severity, SeverityOrigin::Finding);
        assert_eq!(of("a", Severity::High), Severity::Low);
        assert_eq!(of("b", Severity::High), Severity::Medium);
        assert_eq!(of("b", Severity::Critical), Severity::Critical);
    }

    /// The cheat: a report that rates nothing, and a map that lowers what is rated high.
    #[test]
    fn what_is_not_rated_is_lowered_by_its_own_word_only() {
        let high = (RatedAs::Severity(Severity::High), Severity::Low);
        let assumed = |map: &SeverityMap| map.of("a", Severity::High, SeverityOrigin::Assumed);
        assert_eq!(assumed(&map(&[], &[high])), Severity::High);
        let lifted = (RatedAs::Severity(Severity::High), Severity::Critical);
        assert_eq!(assumed(&map(&[], &[lifted])), Severity::Critical);
        let named = (RatedAs::Unrated, Severity::Medium);
        assert_eq!(assumed(&map(&[], &[high, named])), Severity::Medium);
    }

    #[test]
    fn a_finding_of_which_nothing_is_known_may_be_the_worst_that_a_map_makes() {
        let map = map(
            &[("a", Severity::Critical), ("b", Severity::None)],
            &[(RatedAs::Severity(Severity::Low), Severity::High)],
        );
        assert_eq!(map.at_worst(Severity::None), Severity::Critical);
        let lowering = SeverityMap {
            rules: BTreeMap::from([("a".to_owned(), Severity::None)]),
            words: BTreeMap::from([(RatedAs::Severity(Severity::High), Severity::Low)]),
        };
        assert_eq!(lowering.at_worst(Severity::High), Severity::High);
    }

    #[test]
    fn lowering_is_noticed_wherever_it_is() {
        let none: &[SeverityMap] = &[];
        let lower = [
            map(&[("a", Severity::Low)], &[]),
            map(&[], &[(RatedAs::Unrated, Severity::Low)]),
            map(&[], &[(RatedAs::Severity(Severity::Low), Severity::None)]),
        ];
        for map in &lower {
            let own = std::slice::from_ref(map);
            assert!(lowers(own, none), "{map:?}");
            assert!(!lowers(own, own), "{map:?}");
            // Beside one that changes nothing it cannot lower.
            assert!(
                !lowers(&[map.clone(), SeverityMap::default()], none),
                "{map:?}"
            );
        }
        let higher = [map(&[("a", Severity::Critical)], &[])];
        assert!(!lowers(&higher, none));
        assert!(lowers(none, &higher));
    }
}
