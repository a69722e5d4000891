//! ORG-02: nobody in the organisation is without a second factor. A demand that is
//! switched on says nothing about those that were there before; the list does.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::raised;
use super::parts::{Look, judge, part};
use super::people::{is_bot, logins};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{Account, FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-02.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct MembersHaveMfa {
    /// Whether an insecure second factor, such as text messages, is good enough.
    allow_insecure: bool,
}

const KEY: FactKey = FactKey::OrganizationTwoFactor;

impl Control for MembersHaveMfa {
    const META: Meta = Meta {
        code: "ORG-02",
        id: "members-have-mfa",
        title: "every member and outside collaborator has a second factor",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.17", "A.8.5"]),
            (Framework::PciDss, &["8.3.1", "8.4.2"]),
            (Framework::Nist80053, &["IA-2", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "One account without a second factor is the way in for whoever holds its \
                    password, however well all the others are kept.",
        cheat: "Demanding two factors and letting in a contractor from outside who has none, or a \
                number for text messages that can be taken over. Outside collaborators are listed \
                with the members, and an insecure factor counts as none unless the policy allows it.",
        remedy_github: "in the organisation's People, filter by \"Two-factor authentication\" and \
                        have those who are listed set up an app, a passkey or a security key, or \
                        remove them",
        remedy_gitlab: "in the group's Manage, Members, filter by \"2FA: Disabled\" and have those \
                        who are listed set it up, or remove them",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let without = facts.settings.without_two_factor.known()?;
        let none = part(KEY, &without.disabled, |accounts| {
            nobody(accounts, "without a second factor")
        });
        let insecure = (!self.allow_insecure).then(|| {
            part(KEY, &without.insecure, |accounts| {
                nobody(accounts, "with an insecure second factor only")
            })
        });
        judge(
            "everybody has a second factor",
            "not everybody has a second factor that is secure",
            none,
            insecure,
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        raised("allow_insecure", self.allow_insecure, base.allow_insecure)
    }
}

/// Looks at accounts of which there should be none. A bot signs in with no
/// password, so there is nothing that a second factor could be added to.
fn nobody(accounts: &[Account], how: &str) -> Look {
    let logins = logins(accounts.iter().filter(|account| !is_bot(account)));
    if logins.is_empty() {
        Look::Fine(format!("nobody {how}"))
    } else {
        Look::Wrong(format!("{how}: {}", some(&logins)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::people;
    use super::*;
    use crate::controls::testing::{hidden, seen, settings, verdict_of};
    use crate::facts::{AccountKind, Fact, WithoutTwoFactor};

    const STRICT: MembersHaveMfa = MembersHaveMfa {
        allow_insecure: false,
    };
    const LAX: MembersHaveMfa = MembersHaveMfa {
        allow_insecure: true,
    };

    fn verdict(
        control: &MembersHaveMfa,
        disabled: Fact<Vec<Account>>,
        insecure: Fact<Vec<Account>>,
    ) -> String {
        let without = WithoutTwoFactor { disabled, insecure };
        verdict_of(
            control,
            &settings(|all| all.without_two_factor = seen(without)),
        )
    }

    fn none() -> Fact<Vec<Account>> {
        seen(Vec::new())
    }

    #[test]
    fn two_lists_without_anybody_pass() {
        assert_eq!(verdict(&STRICT, none(), none()), "pass");
    }

    #[test]
    fn one_person_without_a_second_factor_fails_whatever_is_hidden() {
        let eve = || seen(people(&["eve"]));
        assert_eq!(verdict(&STRICT, eve(), none()), "fail");
        assert_eq!(verdict(&STRICT, eve(), hidden()), "fail");
        assert_eq!(verdict(&LAX, eve(), none()), "fail");
    }

    #[test]
    fn text_messages_fail_unless_the_policy_allows_them() {
        let dan = || seen(people(&["dan"]));
        assert_eq!(verdict(&STRICT, none(), dan()), "fail");
        assert_eq!(verdict(&STRICT, hidden(), dan()), "fail");
        assert_eq!(verdict(&LAX, none(), dan()), "pass");
        assert_eq!(verdict(&LAX, none(), hidden()), "pass");
    }

    #[test]
    fn a_list_that_is_hidden_leaves_it_unknown() {
        assert_eq!(verdict(&STRICT, hidden(), none()), "unknown");
        assert_eq!(verdict(&STRICT, none(), hidden()), "unknown");
        assert_eq!(verdict(&LAX, hidden(), none()), "unknown");
    }

    #[test]
    fn a_bot_has_no_password_and_an_account_of_a_kind_not_known_is_judged() {
        let kind = |kind| {
            seen(vec![Account {
                login: "robot".to_owned(),
                kind,
                id: None,
            }])
        };
        assert_eq!(verdict(&STRICT, kind(AccountKind::Bot), none()), "pass");
        let later = AccountKind::Other("agent".to_owned());
        assert_eq!(verdict(&STRICT, kind(later), none()), "fail");
    }

    #[test]
    fn allowing_insecure_factors_is_weaker() {
        assert!(LAX.weaker_than(&STRICT).is_some());
        assert_eq!(STRICT.weaker_than(&LAX), None);
    }
}
