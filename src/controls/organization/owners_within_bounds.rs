//! ORG-06: the organisation has more than one owner and not many. Whether they are
//! the right ones is not known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{lowered, raised, together};
use super::parts::{Look, judge, part};
use super::people::logins;
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Account, FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-06.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct OwnersWithinBounds {
    /// Fewest people who have to be owners, from 0.
    min: u32,
    /// Most people who may be owners, from 0.
    max: u32,
}

impl Default for OwnersWithinBounds {
    fn default() -> Self {
        Self { min: 2, max: 5 }
    }
}

const KEY: FactKey = FactKey::OrganizationOwners;

impl Control for OwnersWithinBounds {
    const META: Meta = Meta {
        code: "ORG-06",
        id: "owners-within-bounds",
        title: "the organisation has enough owners and not too many",
        criteria: &[Criterion::Cc6_3],
        frameworks: &[
            (Framework::Iso27001, &["A.5.18", "A.8.2"]),
            (Framework::PciDss, &["7.2.1", "7.2.2"]),
            (Framework::Nist80053, &["AC-2", "AC-6"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "An owner can switch every other control off, so they should be few; and with \
                    one alone, nobody can act or object when that one is away.",
        cheat: "Making a bot the second owner, or hiding a further one behind a kind of account that \
                no tool knows. Only people fill the minimum, and every account counts against the \
                most.",
        remedy_github: "in the organisation's People, change the role of owners who need not be \
                        ones, or make a second person owner",
        remedy_gitlab: "in the group's Manage, Members, lower the role of owners who need not be \
                        ones, inherited ones included, or make a second person owner",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let owners = &facts.settings.organization_owners;
        let bounds = part(KEY, owners, |owners| self.look(owners));
        judge(
            "the number of owners is within bounds",
            "the number of owners is out of bounds",
            bounds,
            None,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        together([
            lowered("min", self.min, base.min),
            raised("max", self.max, base.max),
        ])
    }
}

impl OwnersWithinBounds {
    fn look(&self, owners: &[Account]) -> Look {
        let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let people = count(owners.iter().filter(|owner| owner.is_human()).count());
        let named = if owners.is_empty() {
            "nobody".to_owned()
        } else {
            some(&logins(owners))
        };
        let words = format!("{people} people are owners ({named})");
        if people < self.min {
            Look::Wrong(format!("{words}, at least {} have to be", self.min))
        } else if count(owners.len()) > self.max {
            // Whatever an account is, it is a way past every rule.
            Look::Wrong(format!(
                "{} accounts are owners ({named}), at most {} may be",
                owners.len(),
                self.max
            ))
        } else {
            Look::Fine(words)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::people;
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{AccountKind, Fact};

    fn judged(owners: Fact<Vec<Account>>) -> String {
        verdict_of(
            &OwnersWithinBounds::default(),
            &settings(|all| all.organization_owners = owners),
        )
    }

    fn verdict(owners: Vec<Account>) -> String {
        judged(seen(owners))
    }

    #[test]
    fn two_to_five_owners_pass() {
        assert_eq!(verdict(people(&["a", "b"])), "pass");
        assert_eq!(verdict(people(&["a", "b", "c", "d", "e"])), "pass");
    }

    #[test]
    fn nobody_one_alone_and_six_fail() {
        assert_eq!(verdict(people(&[])), "fail");
        assert_eq!(verdict(people(&["a"])), "fail");
        assert_eq!(verdict(people(&["a", "b", "c", "d", "e", "f"])), "fail");
    }

    #[test]
    fn a_bot_is_no_second_owner_and_one_too_many() {
        let mut owners = people(&["a"]);
        owners.push(Account::bot("robot"));
        assert_eq!(verdict(owners), "fail");
        let mut many = people(&["a", "b"]);
        many.extend((0..4).map(|number| Account::bot(format!("robot{number}"))));
        assert_eq!(verdict(many), "fail");
    }

    #[test]
    fn an_account_of_a_kind_not_known_fills_no_minimum_and_counts_against_the_most() {
        let later = || Account {
            login: "agent".to_owned(),
            kind: AccountKind::Other("agent".to_owned()),
            id: None,
        };
        let mut few = people(&["a"]);
        few.push(later());
        assert_eq!(verdict(few), "fail");
        let mut many = people(&["a", "b", "c", "d", "e"]);
        many.push(later());
        assert_eq!(verdict(many), "fail");
    }

    #[test]
    fn owners_that_are_hidden_leave_it_unknown() {
        assert_eq!(judged(hidden()), "unknown");
    }

    #[test]
    fn wider_bounds_are_weaker() {
        let base = OwnersWithinBounds::default();
        let wider = OwnersWithinBounds { min: 1, max: 6 };
        assert_eq!(
            wider.weaker_than(&base).as_deref(),
            Some("min 2 -> 1, max 5 -> 6")
        );
        assert_eq!(base.weaker_than(&wider), None);
    }
}
