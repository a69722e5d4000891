//! What the platform's own records tell of going around its rules: whom it let through, who
//! allowed that, for which reason, and which of it belongs to the move that is looked at.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::actor::AccountRef;
use super::arrivals::{Arrivals, ArrivedChange};
use super::fact::{Fact, Unknown};

/// A push is let through before the log of the branch has it: by how much at most.
const BEFORE: SignedDuration = SignedDuration::from_hours(1);
/// By how much two clocks of one platform may differ.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Something for which the platform let somebody go around the rules. What it was is said by
/// `after`, `commit` or `change`; with none of these it was a push to this branch. Facts have
/// to say each: one that is left out would make it something else.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBypass {
    /// The tip that a move of the branch left.
    #[serde(deserialize_with = "Option::deserialize")]
    pub after: Option<String>,
    /// A commit that was pushed to any branch.
    #[serde(deserialize_with = "Option::deserialize")]
    pub commit: Option<String>,
    /// The number of a change.
    #[serde(deserialize_with = "Option::deserialize")]
    pub change: Option<u64>,
    /// Who went around them, or asked to, if the platform says.
    pub actor: Option<AccountRef>,
    /// Who allowed it. `None`: somebody did or did not, and nobody says.
    #[serde(deserialize_with = "Option::deserialize")]
    pub allowed_by: Option<Vec<AccountRef>>,
    /// The reason that was given. Hostile text.
    #[serde(deserialize_with = "Option::deserialize")]
    pub reason: Option<String>,
    /// What was gone around, and where that is on record. Hostile text in part.
    #[serde(deserialize_with = "Option::deserialize")]
    pub record: Option<String>,
    /// When, by the platform's clock.
    pub at: Option<Timestamp>,
}

impl RuleBypass {
    /// A move of the branch, as logs of moves tell of it.
    pub fn of_move(after: impl Into<String>, actor: Option<AccountRef>) -> Self {
        Self {
            after: Some(after.into()),
            actor,
            ..Self::default()
        }
    }

    /// Everybody who had a hand in it; `None`: somebody is not named. Whoever moved the
    /// branch is named by the move itself.
    pub fn people(&self) -> Option<Vec<AccountRef>> {
        let moved = self.after.is_some();
        let mut people = match (&self.allowed_by, moved) {
            (Some(all), _) => all.clone(),
            (None, true) => Vec::new(),
            (None, false) => return None,
        };
        match &self.actor {
            Some(actor) => people.push(actor.clone()),
            None if moved => {}
            None => return None,
        }
        Some(people)
    }

    /// Whether who asked for it is among those who allowed it.
    pub fn allowed_by_asker(&self) -> bool {
        use super::actor::Identified as _;
        let Some(actor) = &self.actor else {
            return false;
        };
        self.allowed_by
            .iter()
            .flatten()
            .any(|one| one.may_be(actor))
    }
}

/// Group `branch.bypasses`: every such record since a moment. Facts have to say each part: what
/// is left out would make the records look whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleBypasses {
    /// How far back the platform tells.
    pub since: Timestamp,
    /// Where things are let through long before they reach the branch: how far back that is
    /// told. `None`: there is nothing of the kind.
    #[serde(deserialize_with = "Option::deserialize")]
    pub early_since: Option<Timestamp>,
    /// The records.
    pub found: Vec<RuleBypass>,
    /// Why there may be more.
    #[serde(deserialize_with = "Option::deserialize")]
    pub unseen: Option<Unknown>,
}

/// The records that are about the move.
#[derive(Clone, Debug)]
pub struct OfTheMove<'a> {
    /// Those that are.
    pub found: Vec<&'a RuleBypass>,
    /// Why it cannot be told whether another one is.
    pub doubt: Option<Unknown>,
}

impl RuleBypasses {
    /// Those that are about this move, or about what came by it.
    pub fn of_the_move<'a>(
        &'a self,
        arrivals: &Arrivals,
        changes: &Fact<Option<Vec<ArrivedChange>>>,
    ) -> OfTheMove<'a> {
        let mut of = OfTheMove {
            found: Vec::new(),
            doubt: None,
        };
        for bypass in &self.found {
            match is_about(bypass, arrivals, changes) {
                Ok(true) => of.found.push(bypass),
                Ok(false) => {}
                Err(unknown) => of.doubt = of.doubt.or(Some(unknown)),
            }
        }
        of
    }
}

fn is_about(
    bypass: &RuleBypass,
    arrivals: &Arrivals,
    changes: &Fact<Option<Vec<ArrivedChange>>>,
) -> Result<bool, Unknown> {
    if let Some(number) = bypass.change {
        // A change that was let through for another branch and came here is still one.
        if arrivals.changes().contains(&number) {
            return Ok(true);
        }
        for arrival in &arrivals.commits {
            arrival.way.known()?;
        }
        arrivals.count.known()?;
        return Ok(false);
    }
    if let Some(after) = &bypass.after {
        let moves = arrivals.moves.known()?;
        return Ok(moves.iter().any(|entry| entry.after == *after));
    }
    if let Some(commit) = &bypass.commit {
        return brought(commit, arrivals, changes);
    }
    let moves = arrivals.moves.known()?;
    let Some(at) = bypass.at else {
        return Ok(true);
    };
    let (mut first, mut last) = (None::<Timestamp>, None::<Timestamp>);
    for entry in moves {
        let Some(moved) = entry.at else {
            return Ok(true);
        };
        first = Some(first.map_or(moved, |first| first.min(moved)));
        last = Some(last.map_or(moved, |last| last.max(moved)));
    }
    Ok(match (first, last) {
        (Some(first), Some(last)) => {
            at >= first.saturating_sub(BEFORE).unwrap_or(Timestamp::MIN)
                && at <= last.saturating_add(AFTER).unwrap_or(Timestamp::MAX)
        }
        (Some(_), None) | (None, _) => false,
    })
}

/// Whether the commit came by the move: on the branch itself, or as a commit of a change of
/// which a squash left another one.
fn brought(
    commit: &str,
    arrivals: &Arrivals,
    changes: &Fact<Option<Vec<ArrivedChange>>>,
) -> Result<bool, Unknown> {
    let is = |sha: &str| sha.eq_ignore_ascii_case(commit);
    let mut doubt = None;
    match arrivals.reached.known() {
        Ok(all) if all.iter().any(|sha| is(sha)) => return Ok(true),
        Ok(_) => {}
        Err(unknown) => doubt = Some(unknown),
    }
    match arrivals.moves.known() {
        Ok(all) if all.iter().any(|entry| is(&entry.after)) => return Ok(true),
        Ok(_) => {}
        Err(unknown) => doubt = doubt.or(Some(unknown)),
    }
    if arrivals.commits.iter().any(|arrival| is(&arrival.sha)) {
        return Ok(true);
    }
    match changes.known() {
        Ok(changes) => {
            for change in changes.iter().flatten() {
                match (change.identity.known(), change.commits.known()) {
                    (Ok(identity), _) if is(&identity.head) => return Ok(true),
                    (_, Ok(commits)) if commits.iter().any(|one| is(&one.sha)) => return Ok(true),
                    (Ok(_), Ok(_)) => {}
                    (Err(unknown), _) | (_, Err(unknown)) => doubt = doubt.or(Some(unknown)),
                }
            }
        }
        Err(unknown) => doubt = doubt.or(Some(unknown)),
    }
    doubt.map_or(Ok(false), Err)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn facts_that_leave_out_any_part_of_the_records_are_not_read() {
        let whole = RuleBypasses {
            since: Timestamp::UNIX_EPOCH,
            early_since: None,
            found: vec![RuleBypass::of_move("a1", None)],
            unseen: None,
        };
        let written = serde_json::to_value(&whole).unwrap();
        let read = |written: Value| serde_json::from_value::<RuleBypasses>(written);
        assert_eq!(read(written.clone()).unwrap(), whole);
        for name in ["since", "early_since", "found", "unseen"] {
            let mut without = written.clone();
            without.as_object_mut().unwrap().remove(name);
            assert!(read(without).is_err(), "{name}");
        }
        let parts = written["found"][0].as_object().unwrap();
        for name in parts
            .keys()
            .filter(|name| *name != "actor" && *name != "at")
        {
            let mut without = written.clone();
            without["found"][0].as_object_mut().unwrap().remove(name);
            assert!(read(without).is_err(), "{name}");
        }
        // Who and when may be missing: then nobody can review it, and it is about any move.
        let mut bare = written;
        bare["found"][0]["actor"] = json!(null);
        bare["found"][0]["at"] = json!(null);
        assert!(read(bare).is_ok());
    }
}
