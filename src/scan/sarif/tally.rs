//! Counts the results of a run. Results may stand before the rules that rate
//! them, so they are counted per rule and rated when the run is complete. What
//! is kept grows with the number of different rules, not of results.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::Path;

use jiff::Timestamp;
use serde::de::{Error as _, MapAccess};
use sha2::{Digest as _, Sha256};

use crate::facts::{Severity, SeverityOrigin};
use crate::scan::json::{Fields, Leaf, Object};
use crate::scan::reduction::{EXAMPLES, KEPT, Numbers, Reduction, Seen, State};

use super::finding::{Baseline, Finding, Level, Properties, RulePlace};
use super::invocation::RuleChange;

/// Most rules, and most different rules that results point at.
pub(super) const MOST_RULES: usize = 100_000;
/// Most bytes of rule ids.
const MOST_ID_BYTES: usize = 16 << 20;
/// With more rules than this, only one finding of each is sure to be kept.
const FEW_RULES: usize = 1_000;
/// Examples that are allocated together, so that they can be dropped piece by piece.
const TOGETHER: usize = 256;
/// Longest part of a text that is kept for a finding, in characters.
const LONGEST_KEPT: usize = 400;

/// A rule, as far as it rates results.
#[derive(Default)]
pub(super) struct Rule {
    id: Option<String>,
    level: Option<Level>,
    severity: Option<Severity>,
}

impl Fields for Rule {
    const WHAT: &'static str = "a rule";
    const KEYS: &'static [&'static str] = &["id", "defaultConfiguration", "properties"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = map.next_value::<Leaf>()?.text(),
            "defaultConfiguration" => {
                let mut configuration = Configuration::default();
                map.next_value_seed(Object(&mut configuration))?;
                self.level = configuration.level;
            }
            _ => {
                let mut properties = Properties::default();
                map.next_value_seed(Object(&mut properties))?;
                self.severity = properties.severity;
            }
        }
        Ok(())
    }
}

/// How a rule rates its results.
#[derive(Default)]
pub(super) struct Configuration {
    level: Option<Level>,
}

impl Fields for Configuration {
    const WHAT: &'static str = "`defaultConfiguration`";
    const KEYS: &'static [&'static str] = &["level"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        self.level = Level::of(map.next_value()?).map_err(A::Error::custom)?;
        Ok(())
    }
}

/// The rules of the driver or of one extension.
#[derive(Default)]
pub(super) struct Rules {
    rules: Vec<Rule>,
    id_bytes: usize,
}

impl Rules {
    pub(super) fn add(&mut self, rule: Rule) -> Result<(), String> {
        self.id_bytes += rule.id.as_ref().map_or(0, String::len);
        if self.rules.len() >= MOST_RULES || self.id_bytes > MOST_ID_BYTES {
            return Err(format!(
                "a tool has more than {MOST_RULES} rules, or too long ids"
            ));
        }
        self.rules.push(rule);
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.rules.len()
    }
}

/// Applies a rule's level as an invocation changed it, but only upwards: which
/// of several invocations a result belongs to is not followed, so that a result
/// may be rated worse than it is, never better.
pub(super) fn raise(
    driver: &mut Rules,
    extensions: &mut [Rules],
    change: RuleChange,
) -> Result<(), String> {
    let Some(level) = change.configuration.level else {
        return Ok(());
    };
    let place = change.rule.place()?;
    let mut known = false;
    let mut lift = |rule: &mut Rule| {
        known = true;
        rule.level = Some(rule.level.unwrap_or(Level::Warning).max(level));
    };
    if let Some(index) = place.index {
        let rules = match place.extension {
            None => Some(&mut *driver),
            Some(extension) => extensions.get_mut(extension),
        };
        if let Some(rule) = rules.and_then(|rules| rules.rules.get_mut(index)) {
            lift(rule);
        }
    }
    let Some(id) = place.id else {
        return Ok(());
    };
    let all = std::iter::once(&mut *driver).chain(extensions);
    all.flat_map(|rules| &mut rules.rules)
        .filter(|rule| rule.id.as_deref() == Some(id.as_str()))
        .for_each(lift);
    if !known {
        driver.add(Rule {
            id: Some(id),
            level: Some(level),
            severity: None,
        })?;
    }
    Ok(())
}

/// Results that will be rated alike.
#[derive(PartialEq, Eq, Hash)]
struct Kind {
    rule: RulePlace,
    level: Option<Level>,
    severity: Option<Severity>,
}

#[derive(Default)]
struct Group {
    open: u64,
    new: u64,
    suppressed: u64,
    without_reason: u64,
    /// Its place among the groups, in the order of their first results.
    number: usize,
    /// How many of the open and of the suppressed ones are kept as examples.
    kept_open: usize,
    kept_suppressed: usize,
}

/// A finding whose details are kept, and the number of its group. There are thousands.
struct Example {
    group: usize,
    uri: Option<Box<str>>,
    line: Option<usize>,
    own_fingerprint: Option<Box<str>>,
    state: State,
    reason: Option<Box<str>>,
    is_new: Option<bool>,
    first_seen: Option<Timestamp>,
}

/// The results of a run so far.
#[derive(Default)]
pub(super) struct Tally {
    groups: HashMap<Kind, Group>,
    id_bytes: usize,
    /// In the order of the results.
    examples: Vec<Vec<Example>>,
    kept: usize,
    without_baseline: bool,
    older_levels: bool,
}

impl Tally {
    /// Counts a result.
    pub(super) fn add(&mut self, finding: Finding) -> Result<(), String> {
        self.older_levels |= finding.older_level;
        if !finding.counts() {
            return Ok(());
        }
        self.without_baseline |= finding.baseline.is_none();
        let kind = Kind {
            rule: finding.rule.place()?,
            level: finding.level,
            severity: finding.severity,
        };
        let groups = self.groups.len();
        let few = groups <= FEW_RULES;
        let group = match self.groups.entry(kind) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => {
                self.id_bytes += new.key().rule.id.as_ref().map_or(0, String::len);
                if groups >= MOST_RULES || self.id_bytes > MOST_ID_BYTES {
                    return Err(format!(
                        "results point at more than {MOST_RULES} different rules, or at too long ids"
                    ));
                }
                new.insert(Group {
                    number: groups,
                    ..Group::default()
                })
            }
        };
        let kept = match finding.state {
            State::Open => {
                group.open += 1;
                group.new += u64::from(finding.baseline == Some(Baseline::New));
                &mut group.kept_open
            }
            State::Suppressed { explained } | State::Dismissed { explained } => {
                group.suppressed += 1;
                group.without_reason += u64::from(!explained);
                &mut group.kept_suppressed
            }
        };
        // What is worst is known only at the end: the first ones, and some of each rule.
        if self.kept < KEPT || *kept < if few { EXAMPLES } else { 1 } {
            *kept += 1;
            self.kept += 1;
            let example = Example {
                group: group.number,
                uri: finding.uri.map(cut),
                line: finding.line,
                own_fingerprint: finding.own_fingerprint.map(cut),
                state: finding.state,
                reason: finding.reason.map(cut),
                is_new: finding.baseline.map(|baseline| baseline == Baseline::New),
                first_seen: finding.first_seen,
            };
            match self.examples.last_mut() {
                Some(last) if last.len() < TOGETHER => last.push(example),
                _ => {
                    let mut examples = Vec::with_capacity(TOGETHER);
                    examples.push(example);
                    self.examples.push(examples);
                }
            }
        }
        Ok(())
    }

    /// Whether a result had a level that only SARIF 2.0.0 knows.
    pub(super) fn has_older_levels(&self) -> bool {
        self.older_levels
    }

    /// Whether a result leaves its level to its rule.
    pub(super) fn has_unrated(&self) -> bool {
        self.groups.keys().any(|kind| kind.level.is_none())
    }

    /// Rates everything.
    pub(super) fn resolve(self, driver: &Rules, extensions: &[Rules], root: &Path) -> Reduction {
        let book = Book::new(driver, extensions);
        let with_baseline = !self.without_baseline;
        let mut reduction = Reduction::default();
        let mut kinds = Vec::new();
        kinds.resize_with(self.groups.len(), || None);
        for (kind, group) in self.groups {
            let rating = book.rating(&kind);
            let numbers = Numbers {
                open: group.open,
                new: with_baseline.then_some(group.new),
                suppressed: group.suppressed,
                without_reason: group.without_reason,
            };
            reduction.count(rating, numbers);
            if let Some(place) = kinds.get_mut(group.number) {
                *place = Some((kind, rating));
            }
        }
        // They are dropped as soon as their reductions stand: many of both would not be small.
        for example in self.examples.into_iter().flatten() {
            let Some(Some((kind, rating))) = kinds.get(example.group) else {
                continue;
            };
            let seen = Seen {
                rule: book.name(kind),
                rating: *rating,
                path: example.uri.as_deref(),
                line: example.line.map(|line| line as u64),
                own_fingerprint: example.own_fingerprint.as_deref(),
                state: example.state,
                reason: example.reason.as_deref(),
                is_new: example.is_new.filter(|_| with_baseline),
                first_seen: example.first_seen,
                ..Seen::default()
            };
            reduction.keep(&seen, root);
        }
        reduction
    }
}

/// A text of bounded length; what is cut off still tells it from others.
fn cut(text: String) -> Box<str> {
    if text.len() <= LONGEST_KEPT {
        return text.into();
    }
    let front: String = text.chars().take(LONGEST_KEPT).collect();
    format!("{front}{}", hex::encode(Sha256::digest(&text))).into()
}

/// All rules of a tool, to look up in.
struct Book<'a> {
    driver: &'a Rules,
    extensions: &'a [Rules],
    by_id: HashMap<&'a str, Vec<&'a Rule>>,
}

impl<'a> Book<'a> {
    fn new(driver: &'a Rules, extensions: &'a [Rules]) -> Self {
        let mut by_id: HashMap<&str, Vec<&Rule>> = HashMap::new();
        let all = std::iter::once(driver).chain(extensions);
        for rule in all.flat_map(|rules| &rules.rules) {
            if let Some(id) = &rule.id {
                by_id.entry(id).or_default().push(rule);
            }
        }
        Self {
            driver,
            extensions,
            by_id,
        }
    }

    /// The worst rating among the rules that may be meant: where position and id
    /// lead to different rules, the milder one is never taken on trust.
    fn rating(&self, kind: &Kind) -> (Severity, SeverityOrigin) {
        if let Some(own) = kind.severity {
            return (own, SeverityOrigin::Score);
        }
        let by_level = |level: Option<Level>| match (kind.level, level) {
            (Some(own), _) => (own.severity(), SeverityOrigin::Finding),
            (None, Some(level)) => (level.severity(), SeverityOrigin::Rule),
            // `warning` by the format's own default.
            (None, None) => (Level::Warning.severity(), SeverityOrigin::Assumed),
        };
        let meant = self.meant(&kind.rule);
        let rated = meant.iter().map(|rule| match rule.severity {
            Some(severity) => (severity, SeverityOrigin::Score),
            None => by_level(rule.level),
        });
        let worst = rated.max_by_key(|(severity, _)| *severity);
        worst.unwrap_or_else(|| by_level(None))
    }

    /// The rule at the place, alone if its id fits; else all that carry the id as well.
    fn meant(&self, place: &RulePlace) -> Vec<&'a Rule> {
        let at_place = self.at(place);
        let Some(id) = &place.id else {
            return at_place.into_iter().collect();
        };
        if let Some(rule) = at_place
            && rule.id.as_deref().is_some_and(|own| covers(own, id))
        {
            return vec![rule];
        }
        let mut meant: Vec<&Rule> = at_place.into_iter().collect();
        let mut name = id.as_str();
        loop {
            if let Some(rules) = self.by_id.get(name) {
                meant.extend(rules);
                return meant;
            }
            // `CA1000/1` is a finer id of the rule `CA1000`.
            let Some((shorter, _)) = name.rsplit_once('/') else {
                return meant;
            };
            name = shorter;
        }
    }

    fn at(&self, place: &RulePlace) -> Option<&'a Rule> {
        let rules = match place.extension {
            None => self.driver,
            Some(extension) => self.extensions.get(extension)?,
        };
        rules.rules.get(place.index?)
    }

    fn name<'b>(&'b self, kind: &'b Kind) -> Option<&'b str> {
        kind.rule
            .id
            .as_deref()
            .or_else(|| self.at(&kind.rule)?.id.as_deref())
    }
}

/// Whether the id of a rule is the given one or the front of it.
fn covers(rule: &str, id: &str) -> bool {
    id.strip_prefix(rule)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
