//! What a single result of a SARIF run says of itself. Knows no rule: what the
//! result leaves open stays open until the run has been read.
//!
//! Of the kinds only `fail`, which is also meant by silence, is a finding:
//! `pass`, `notApplicable`, `informational`, `open` and `review` are not, as the
//! format wants it. A result of such a kind that carries a level nevertheless
//! contradicts itself and counts, as does an unknown kind.

use jiff::Timestamp;
use serde::de::{Error as _, MapAccess};

use crate::facts::Severity;

use crate::scan::json::{Fields, FirstText, Leaf, List, Object};
use crate::scan::rating;
use crate::scan::reduction::State;

use super::location::Location;

/// The level of a result or rule, mildest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Level {
    None,
    Note,
    Warning,
    Error,
}

impl Level {
    /// Reads the word; `Ok(None)`: none is given.
    pub(super) fn of(value: Leaf<'_>) -> Result<Option<Self>, String> {
        if value == Leaf::Null {
            return Ok(None);
        }
        const LEVELS: [(&str, Level); 4] = [
            ("error", Level::Error),
            ("warning", Level::Warning),
            ("note", Level::Note),
            ("none", Level::None),
        ];
        let word = value.word().unwrap_or_default();
        let known = LEVELS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known));
        match known {
            Some((_, level)) => Ok(Some(*level)),
            None => Err("a `level` is none of error, warning, note and none".to_owned()),
        }
    }

    pub(super) fn severity(self) -> Severity {
        match self {
            Self::None => Severity::None,
            Self::Note => Severity::Low,
            Self::Warning => Severity::Medium,
            Self::Error => Severity::High,
        }
    }
}

/// What the baseline says of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Baseline {
    /// Not there before. An unknown word counts as this.
    New,
    /// There before.
    Known,
    /// There before, and no more: not a finding of this run.
    Gone,
}

/// One result.
#[derive(Default)]
pub(super) struct Finding {
    pub(super) rule: RuleReference,
    pub(super) level: Option<Level>,
    pub(super) severity: Option<Severity>,
    pub(super) state: State,
    pub(super) baseline: Option<Baseline>,
    /// The URI of its first location, as it stands there.
    pub(super) uri: Option<String>,
    /// The line in it.
    pub(super) line: Option<usize>,
    /// The fingerprint that the tool gives it.
    pub(super) own_fingerprint: Option<String>,
    /// Why it is suppressed, in the words of the first who says so.
    pub(super) reason: Option<String>,
    /// When it was first seen, by the tool's clock.
    pub(super) first_seen: Option<Timestamp>,
    /// Whether it has a level that only SARIF 2.0.0 knows.
    pub(super) older_level: bool,
    other_kind: bool,
}

impl Finding {
    /// Whether it is a finding at all.
    pub(super) fn counts(&self) -> bool {
        if self.older_level || self.baseline == Some(Baseline::Gone) {
            return false;
        }
        !self.other_kind || self.level.is_some_and(|level| level > Level::None)
    }
}

impl Fields for Finding {
    const WHAT: &'static str = "a result";
    const KEYS: &'static [&'static str] = &[
        "ruleId",
        "ruleIndex",
        "rule",
        "level",
        "kind",
        "suppressions",
        "baselineState",
        "properties",
        "locations",
        "fingerprints",
        "partialFingerprints",
        "provenance",
    ];
    const MAY_BE_NULL: bool = false;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "ruleId" => self.rule.own_id = map.next_value::<Leaf>()?.text(),
            "ruleIndex" => self.rule.own_index = map.next_value::<Leaf>()?.index(),
            "rule" => map.next_value_seed(Object(&mut self.rule))?,
            "level" => {
                let value = map.next_value::<Leaf>()?;
                self.older_level = matches!(&value, Leaf::Text(word) if is_older_level(word));
                if !self.older_level {
                    self.level = Level::of(value).map_err(A::Error::custom)?;
                }
            }
            "kind" => {
                let kind = map.next_value::<Leaf>()?.word();
                self.other_kind = kind.is_some_and(|kind| is_no_finding(&kind));
            }
            "suppressions" => {
                let (mut in_force, mut explained, mut outside) = (true, true, true);
                let mut reason = None;
                let list = List::new("`suppressions`", |each: Suppression| {
                    in_force &= each.in_force;
                    outside &= each.outside;
                    explained &= each.reason.is_some();
                    reason = reason.take().or(each.reason);
                    Ok(())
                });
                let length = map.next_value_seed(list)?;
                self.reason = reason;
                if in_force && length.is_some_and(|length| length > 0) {
                    self.state = if outside {
                        State::Dismissed { explained }
                    } else {
                        State::Suppressed { explained }
                    };
                }
            }
            "baselineState" => {
                self.baseline = match map.next_value::<Leaf>()? {
                    Leaf::Null => None,
                    Leaf::Text(word) => Some(match &*word {
                        // The last is the spelling of SARIF 2.0.0.
                        "unchanged" | "updated" | "existing" => Baseline::Known,
                        "absent" => Baseline::Gone,
                        _ => Baseline::New,
                    }),
                    Leaf::Bool(_) | Leaf::Number(_) | Leaf::Nested(_) => Some(Baseline::New),
                };
            }
            "properties" => {
                let mut properties = Properties::default();
                map.next_value_seed(Object(&mut properties))?;
                self.severity = properties.severity;
            }
            "provenance" => {
                let mut provenance = Provenance::default();
                map.next_value_seed(Object(&mut provenance))?;
                self.first_seen = provenance.first_seen;
            }
            "fingerprints" | "partialFingerprints" => {
                let own = map.next_value::<FirstText>()?.0;
                // What the tool calls a fingerprint outweighs parts of one.
                if own.is_some() && (key == "fingerprints" || self.own_fingerprint.is_none()) {
                    self.own_fingerprint = own;
                }
            }
            _ => {
                let mut first = None;
                let list = List::new("`locations`", |each: Location| {
                    first.get_or_insert(each.physical);
                    Ok(())
                });
                map.next_value_seed(list)?;
                if let Some(place) = first {
                    self.uri = place.artifact.uri;
                    self.line = place.region.line;
                }
            }
        }
        Ok(())
    }
}

/// SARIF 2.0.0 had no kinds but these levels.
fn is_older_level(word: &str) -> bool {
    matches!(word, "pass" | "notApplicable" | "open")
}

fn is_no_finding(kind: &str) -> bool {
    matches!(
        kind,
        "pass" | "notApplicable" | "informational" | "open" | "review"
    )
}

/// How a result points at its rule.
#[derive(Default)]
pub(super) struct RuleReference {
    own_id: Option<String>,
    own_index: Option<usize>,
    id: Option<String>,
    index: Option<usize>,
    component: Option<Component>,
}

/// Where a rule stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct RulePlace {
    /// The extension; `None`: the driver.
    pub(super) extension: Option<usize>,
    /// The position in its rules, if it can be told.
    pub(super) index: Option<usize>,
    /// The rule's id as the result gives it.
    pub(super) id: Option<String>,
}

impl RuleReference {
    /// The place, or that the result contradicts itself.
    pub(super) fn place(self) -> Result<RulePlace, String> {
        let contradicts =
            |what: &str| Err(format!("a result gives two different {what} of its rule"));
        if matches!((self.own_index, self.index), (Some(own), Some(other)) if own != other) {
            return contradicts("positions");
        }
        if matches!((&self.own_id, &self.id), (Some(own), Some(other)) if own != other) {
            return contradicts("ids");
        }
        let index = self.own_index.or(self.index);
        let (extension, index) = match self.component {
            None => (None, index),
            // Named in another way than by position: the id has to do.
            Some(Component {
                named: true,
                index: None,
            }) => (None, None),
            Some(Component {
                index: extension, ..
            }) => (extension, index),
        };
        Ok(RulePlace {
            extension,
            index,
            id: self.own_id.or(self.id),
        })
    }
}

impl Fields for RuleReference {
    const WHAT: &'static str = "`rule`";
    const KEYS: &'static [&'static str] = &["id", "index", "toolComponent"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        match key {
            "id" => self.id = map.next_value::<Leaf>()?.text(),
            "index" => self.index = map.next_value::<Leaf>()?.index(),
            _ => {
                let mut component = Component::default();
                map.next_value_seed(Object(&mut component))?;
                self.component = Some(component);
            }
        }
        Ok(())
    }
}

#[derive(Default)]
struct Component {
    index: Option<usize>,
    named: bool,
}

impl Fields for Component {
    const WHAT: &'static str = "`toolComponent`";
    const KEYS: &'static [&'static str] = &["index", "name", "guid"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value = map.next_value::<Leaf>()?;
        match key {
            "index" => self.index = value.index(),
            _ => self.named |= value != Leaf::Null,
        }
        Ok(())
    }
}

/// Where a result comes from.
#[derive(Default)]
struct Provenance {
    first_seen: Option<Timestamp>,
}

impl Fields for Provenance {
    const WHAT: &'static str = "a provenance";
    const KEYS: &'static [&'static str] = &["firstDetectionTimeUtc"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let time = map.next_value::<Leaf>()?.text();
        self.first_seen = time.and_then(|time| time.parse().ok());
        Ok(())
    }
}

struct Suppression {
    in_force: bool,
    /// Whether it stands where findings are kept and not in the source.
    outside: bool,
    reason: Option<String>,
}

impl Default for Suppression {
    fn default() -> Self {
        Self {
            in_force: true,
            outside: false,
            reason: None,
        }
    }
}

impl Fields for Suppression {
    const WHAT: &'static str = "a suppression";
    // `state` is the spelling before 2.1.0.
    const KEYS: &'static [&'static str] = &["status", "state", "kind", "justification"];
    const MAY_BE_NULL: bool = false;

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let value = map.next_value::<Leaf>()?;
        if key == "justification" {
            self.reason = value.text().filter(|text| !text.trim().is_empty());
            return Ok(());
        }
        if key == "kind" {
            self.outside = value.word().is_some_and(|word| word == "external");
            return Ok(());
        }
        // Silence means accepted; under review, rejected and unknown words do not suppress.
        self.in_force &= match value {
            Leaf::Null => true,
            Leaf::Text(word) => word == "accepted",
            Leaf::Bool(_) | Leaf::Number(_) | Leaf::Nested(_) => false,
        };
        Ok(())
    }
}

/// The property bag of a result or rule.
#[derive(Default)]
pub(super) struct Properties {
    pub(super) severity: Option<Severity>,
}

impl Fields for Properties {
    const WHAT: &'static str = "`properties`";
    const KEYS: &'static [&'static str] = &["security-severity"];

    fn field<'de, A: MapAccess<'de>>(
        &mut self,
        _key: &'static str,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let score = match map.next_value::<Leaf>()? {
            Leaf::Number(score) => Some(score),
            Leaf::Text(text) => text.trim().parse().ok(),
            Leaf::Null | Leaf::Bool(_) | Leaf::Nested(_) => None,
        };
        self.severity = score.and_then(rating::of_score);
        Ok(())
    }
}
