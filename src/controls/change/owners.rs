//! Approvals by certain people: who a policy names as an owner, and how many of
//! those owners gave an approval that is worth something. It knows no paths.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::approvals::{Standing, rulings, standing};
use super::cover::{Cover, cover};
use super::hands::Hands;
use crate::controls::allowances;
use crate::controls::tree::{Against, Ruling, Worth};
use crate::facts::{Account, Fact, FactKey, Snapshot, Unknown, Why};

/// A user or team in the parameters of a control, such as `@ana` or `@acme/security`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Handle(String);

impl TryFrom<String> for Handle {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let name = text.strip_prefix('@').unwrap_or_default();
        let whole = !name.is_empty()
            && !name.contains(|c: char| c.is_whitespace() || c == '@')
            && name.split('/').all(|part| !part.is_empty());
        if whole {
            Ok(Self(text))
        } else {
            Err(format!(
                "`{text}` is no user or team: write it as \"@ana\" or \"@acme/security\""
            ))
        }
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0
    }
}

/// Users and teams.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(in crate::controls) struct Owners(#[schemars(with = "Vec<String>")] Vec<Handle>);

impl Owners {
    /// Whether nobody is named.
    pub(in crate::controls) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that are teams or groups: their members have to be seen.
    pub(in crate::controls) fn teams(&self) -> Vec<String> {
        let teams = self.0.iter().filter(|handle| handle.0.contains('/'));
        teams.map(|handle| handle.0.clone()).collect()
    }

    /// Their names, for a sentence.
    pub(in crate::controls) fn in_words(&self) -> String {
        self.list().join(", ")
    }

    /// Whether they include the account, by its name or as a member of a team now.
    ///
    /// # Errors
    /// Why that hangs on a team that could not be seen.
    pub(super) fn include(&self, account: &Account, facts: &Snapshot) -> Result<bool, Unknown> {
        let mut hidden = None;
        for Handle(name) in &self.0 {
            let named = if name.contains('/') {
                members(facts, name).map(|members| members.iter().any(|login| account.is(login)))
            } else {
                Ok(account.is(name))
            };
            match named {
                Ok(true) => return Ok(true),
                Ok(false) => {}
                Err(unknown) => hidden = hidden.or(Some(unknown)),
            }
        }
        hidden.map_or(Ok(false), Err)
    }

    /// Who is named here and not in `base`, in words. Whoever names nobody, where
    /// `base` does, lets everybody in.
    pub(super) fn more_than(&self, base: &Self) -> Option<String> {
        match (self.is_empty(), base.is_empty()) {
            (_, true) => None,
            (true, false) => Some("anybody".to_owned()),
            (false, false) => allowances::more(&self.list(), &base.list()),
        }
    }

    fn list(&self) -> Vec<String> {
        self.0.iter().map(|handle| handle.0.clone()).collect()
    }
}

fn members<'f>(facts: &'f Snapshot, team: &str) -> Result<&'f [String], Unknown> {
    let teams = facts.teams.known()?;
    let found = teams
        .iter()
        .find(|known| known.team.eq_ignore_ascii_case(team))
        .ok_or_else(|| {
            Unknown::new(
                FactKey::TeamMembers.name(),
                Why::NotCollected,
                format!("the members of {team} were not looked up"),
            )
        })?;
    match &found.members {
        Fact::Known { value, .. } => Ok(value),
        Fact::Unknown(unknown) => Err(unknown.clone()),
    }
}

/// The approvals of somebody that count, and those of which that cannot be told.
#[derive(Default)]
pub(super) struct Tally {
    /// Who.
    pub(super) sure: Vec<String>,
    /// Why others may count as well.
    pub(super) in_doubt: Vec<Unknown>,
}

impl Tally {
    /// What the rulings come to.
    pub(super) fn of(rulings: &[Ruling]) -> Self {
        let mut tally = Self::default();
        for ruling in rulings {
            match &ruling.worth {
                Worth::Counts(_) => tally.sure.push(ruling.who()),
                Worth::Never(_) => {}
                Worth::Unknown(unknown) => tally.in_doubt.push(unknown.clone()),
            }
        }
        tally
    }

    /// Whether there are at least `min`.
    ///
    /// # Errors
    /// Why it hangs on something hidden.
    pub(super) fn reaches(&self, min: usize) -> Result<bool, Unknown> {
        if self.sure.len() >= min {
            return Ok(true);
        }
        match self.in_doubt.first() {
            Some(unknown) if self.sure.len() + self.in_doubt.len() >= min => Err(unknown.clone()),
            Some(_) | None => Ok(false),
        }
    }
}

/// What each review is worth where approvals count by people who may write and had no
/// hand in the change, of the head that counts.
///
/// # Errors
/// Why the reviews could not be seen.
pub(super) fn worthy(facts: &Snapshot, hands: &Hands<'_>) -> Result<Vec<Ruling>, Unknown> {
    let identity = facts.identity.known();
    Ok(rulings(facts.reviews.known()?, |approval| {
        let counts = match standing(approval, &identity) {
            Standing::Counts => Ok(()),
            Standing::Never(against) => return Worth::Never(against),
            Standing::Hidden(unknown) => Err(unknown),
        };
        let hand = hands.hand_of(approval.reviewer);
        let cover = cover(approval, facts, true);
        // What is known to be worth nothing is, whatever else is hidden.
        match (counts, hand, cover) {
            (_, Ok(Some(how)), _) => Worth::Never(Against::Hand(how)),
            (_, _, Ok(Cover::Older(how))) => Worth::Never(Against::Stale(how)),
            (Err(unknown), _, _) | (_, Err(unknown), _) | (_, _, Err(unknown)) => {
                Worth::Unknown(unknown)
            }
            (Ok(()), Ok(None), Ok(Cover::Head(how))) => {
                Worth::Counts(format!("{how}, and had no hand in the change"))
            }
        }
    }))
}

/// The same where only reviewers count of whom `test` is true; `against` says of the
/// others why they do not.
pub(super) fn of_those(
    rulings: &[Ruling],
    test: impl Fn(&Account) -> Result<bool, Unknown>,
    against: &Against,
) -> Vec<Ruling> {
    let mut rulings = rulings.to_vec();
    for ruling in &mut rulings {
        if matches!(ruling.worth, Worth::Never(_)) {
            continue;
        }
        match ruling.reviewer.as_ref().map(&test) {
            Some(Ok(true)) => {}
            Some(Err(unknown)) => ruling.worth = Worth::Unknown(unknown),
            Some(Ok(false)) | None => ruling.worth = Worth::Never(against.clone()),
        }
    }
    rulings
}

#[cfg(test)]
mod tests;
