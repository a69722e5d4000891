//! A bounded number of findings, the worst of those that came by.

use std::collections::BTreeMap;

use crate::facts::Severity;

/// Kept findings, each at a place that a worse one may take over.
pub(super) struct Shelf<T> {
    kept: Vec<T>,
    /// The places by severity, each in the order in which its findings came.
    by_severity: BTreeMap<Severity, Vec<usize>>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            by_severity: BTreeMap::new(),
        }
    }
}

impl<T> Shelf<T> {
    /// Whether one more of that severity has its place.
    pub(super) fn has_room(&self, severity: Severity, most: usize) -> bool {
        self.kept.len() < most
            || self
                .by_severity
                .first_key_value()
                .is_some_and(|(mildest, _)| *mildest < severity)
    }

    /// Keeps one more, instead of the last of the mildest where there are too many.
    pub(super) fn put(&mut self, severity: Severity, kept: T, most: usize) {
        let freed = if self.kept.len() < most {
            None
        } else {
            self.free_mildest()
        };
        let place = freed.unwrap_or(self.kept.len());
        match self.kept.get_mut(place) {
            Some(old) => *old = kept,
            None => self.kept.push(kept),
        }
        self.by_severity.entry(severity).or_default().push(place);
    }

    fn free_mildest(&mut self) -> Option<usize> {
        let mut mildest = self.by_severity.first_entry()?;
        let place = mildest.get_mut().pop();
        if mildest.get().is_empty() {
            mildest.remove();
        }
        place
    }

    /// All of them, sorted in their own memory: there are thousands.
    pub(super) fn into_worst_first(self) -> Vec<T> {
        let Self {
            mut kept,
            by_severity,
        } = self;
        let order: Vec<usize> = by_severity.into_values().rev().flatten().collect();
        for (place, from) in order.iter().enumerate() {
            let mut from = *from;
            // What stood at an earlier place was swapped to where that one's came from.
            while from < place {
                let Some(swapped) = order.get(from) else {
                    break;
                };
                from = *swapped;
            }
            kept.swap(place, from);
        }
        kept
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use super::*;

    /// Every order in which six findings of three severities may come.
    #[test]
    fn the_worst_stay_and_of_those_alike_the_first() {
        let severities = [Severity::Low, Severity::High, Severity::Critical];
        for (most, order) in (1..5).flat_map(|most| (0..729_usize).map(move |order| (most, order)))
        {
            let mut shelf = Shelf::default();
            let mut all = Vec::new();
            for came in 0..6 {
                let severity = severities[order / 3_usize.pow(came) % 3];
                all.push((severity, came));
                if shelf.has_room(severity, most) {
                    shelf.put(severity, (severity, came), most);
                }
            }
            all.sort_by_key(|(severity, came)| (Reverse(*severity), *came));
            all.truncate(most);
            assert_eq!(shelf.into_worst_first(), all, "{most} of {order}");
        }
    }
}
