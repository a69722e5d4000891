//! ORG-14: long-lived tokens into the organisation are approved, end, and none of
//! them reaches everything of its owner. Tokens of people outside are not seen.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::limits::{lowered, raised, together};
use super::parts::{Look, judge, part};
use crate::controls::age::{making_not_told, whole_life};
use crate::controls::control::{Control, Meta, Scope, Verdict};
use crate::controls::judging::some;
use crate::criteria::{Criterion, Framework};
use crate::facts::{AccessToken, Fact, FactKey, Platform, Snapshot, Unknown};

/// Parameters of ORG-14.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct TokensGoverned {
    /// Longest time that a token may hold, in days from 0, from when it was made. What is
    /// left of it can prove it too long where the making is not told, but never short.
    max_days: u32,
    /// Whether tokens have to be approved before they reach anything.
    require_approval: bool,
    /// Whether tokens that reach everything of their owner have to be kept out.
    block_classic: bool,
}

impl Default for TokensGoverned {
    fn default() -> Self {
        Self {
            max_days: 366,
            require_approval: true,
            block_classic: true,
        }
    }
}

const KEY: FactKey = FactKey::OrganizationTokens;

impl Control for TokensGoverned {
    const META: Meta = Meta {
        code: "ORG-14",
        id: "tokens-governed",
        title: "long-lived tokens are approved, limited and end",
        criteria: &[Criterion::Cc6_1],
        frameworks: &[
            (Framework::Iso27001, &["A.5.17", "A.8.2", "A.8.5"]),
            (Framework::PciDss, &["7.2.5", "8.3.1"]),
            (Framework::Nist80053, &["AC-6", "IA-5"]),
        ],
        scope: Scope::Repository,
        platforms: &[Platform::Github, Platform::Gitlab],
        needs: &[KEY],
        rationale: "A token is a password without a second factor, and one that never ends outlives \
                    its owner's job.",
        cheat: "Using a classic token, which stands on no list, or giving a token an end in a hundred \
                years, or waiting until little of it is left. What keeps classic tokens out is judged \
                by itself, unknown where no interface tells of it, and a token's whole time \
                counts, from the day it was made.",
        remedy_github: "in the organisation's Settings, Personal access tokens, require approval of \
                        fine-grained tokens, restrict classic ones and set a maximum lifetime; no \
                        public interface tells of the first two, so attest them or turn \
                        `require_approval` and `block_classic` off",
        remedy_gitlab: "in the group's Settings, Access tokens and Repository, Deploy tokens, replace \
                        tokens that do not end; GitLab has no approval of tokens, so attest how they \
                        are handed out or turn `require_approval` and `block_classic` off",
    };

    fn evaluate(&self, facts: &Snapshot) -> Result<Verdict, Unknown> {
        let governed = facts.settings.organization_tokens.known()?;
        let tokens = governed.tokens.known();
        let tokens = tokens.and_then(|tokens| {
            let look = self.look(tokens, facts)?;
            part(KEY, &governed.tokens, |_| look)
        });
        let switch = |fact: &Fact<bool>, on: &str, off: &str| {
            part(KEY, fact, |is_on| {
                if *is_on {
                    Look::Fine(on.to_owned())
                } else {
                    Look::Wrong(off.to_owned())
                }
            })
        };
        let approval = self.require_approval.then(|| {
            switch(
                &governed.approval_required,
                "tokens have to be approved",
                "tokens need no approval",
            )
        });
        let classic = self.block_classic.then(|| {
            switch(
                &governed.classic_blocked,
                "tokens that reach everything of their owner are kept out",
                "tokens that reach everything of their owner are let in",
            )
        });
        judge(
            "tokens are governed",
            "tokens are not governed",
            tokens,
            approval.into_iter().chain(classic),
        )
    }

    fn weaker_than(&self, base: &Self) -> Option<String> {
        together([
            raised("max_days", self.max_days, base.max_days),
            lowered(
                "require_approval",
                self.require_approval,
                base.require_approval,
            ),
            lowered("block_classic", self.block_classic, base.block_classic),
        ])
    }
}

impl TokensGoverned {
    fn look(&self, tokens: &[AccessToken], facts: &Snapshot) -> Result<Look, Unknown> {
        let wrong: Vec<String> = tokens
            .iter()
            .filter_map(|token| {
                let words = self.wrong(token, facts)?;
                let owner = token.owner.as_deref().unwrap_or("an owner not told");
                Some(format!(
                    "`{}` ({} of {owner}) {words}",
                    token.name, token.kind
                ))
            })
            .collect();
        if !wrong.is_empty() {
            return Ok(Look::Wrong(some(&wrong)));
        }
        let over = |token: &&AccessToken| token.expires_at.is_some_and(|at| at < facts.observed_at);
        match tokens
            .iter()
            .find(|token| token.created_at.is_none() && !over(token))
        {
            Some(token) => Err(making_not_told(KEY, token)),
            None => Ok(Look::Fine(format!(
                "{} tokens, all of them end in time",
                tokens.len()
            ))),
        }
    }

    fn wrong(&self, token: &AccessToken, facts: &Snapshot) -> Option<String> {
        let Some(expires_at) = token.expires_at else {
            return Some("never ends".to_owned());
        };
        if expires_at < facts.observed_at {
            return None;
        }
        let whole = whole_life(token.created_at, facts.observed_at, expires_at);
        (whole > i64::from(self.max_days)).then(|| format!("holds for {whole} days"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::controls::testing::{at, hidden, seen, settings, verdict_of};
    use crate::facts::OrganizationTokens;

    fn token(expires_at: Option<&str>) -> AccessToken {
        AccessToken {
            kind: "fine-grained token".to_owned(),
            name: "ci".to_owned(),
            owner: None,
            scopes: Vec::new(),
            role: None,
            created_at: Some(at("2026-06-01T12:00:00Z")),
            expires_at: expires_at.map(at),
            last_used: None,
        }
    }

    const SOON: Option<&str> = Some("2026-07-01T00:00:00Z");

    fn judged(
        control: &TokensGoverned,
        approval: Fact<bool>,
        classic: Fact<bool>,
        tokens: Fact<Vec<AccessToken>>,
    ) -> String {
        let facts = settings(|all| {
            all.organization_tokens = seen(OrganizationTokens {
                approval_required: approval,
                classic_blocked: classic,
                tokens,
            });
        });
        verdict_of(control, &facts)
    }

    fn verdict(expires_at: Option<&str>) -> String {
        judged(
            &TokensGoverned::default(),
            seen(true),
            seen(true),
            seen(vec![token(expires_at)]),
        )
    }

    #[test]
    fn approved_tokens_that_end_soon_pass_and_so_do_none() {
        assert_eq!(verdict(SOON), "pass");
        let strict = TokensGoverned::default();
        assert_eq!(
            judged(&strict, seen(true), seen(true), seen(Vec::new())),
            "pass"
        );
    }

    #[test]
    fn a_token_that_never_ends_or_ends_in_a_hundred_years_fails() {
        assert_eq!(verdict(None), "fail");
        assert_eq!(verdict(Some("2027-06-02T12:00:00Z")), "pass");
        assert_eq!(verdict(Some("2027-06-03T12:00:00Z")), "fail");
        assert_eq!(verdict(Some("9999-12-30T00:00:00Z")), "fail");
        assert_eq!(verdict(Some("2020-01-01T00:00:00Z")), "pass");
    }

    #[test]
    fn a_long_life_that_is_nearly_over_fails_and_one_that_is_over_does_not() {
        let made = |created_at: &str, expires_at: &str| {
            let token = AccessToken {
                created_at: Some(at(created_at)),
                ..token(Some(expires_at))
            };
            let strict = TokensGoverned::default();
            judged(&strict, seen(true), seen(true), seen(vec![token]))
        };
        assert_eq!(made("2016-06-02T12:00:00Z", "2026-06-02T12:00:00Z"), "fail");
        assert_eq!(made("2016-06-02T12:00:00Z", "2026-05-31T12:00:00Z"), "pass");
        assert_eq!(made("2025-07-01T00:00:00Z", "2026-07-02T00:00:00Z"), "pass");
        assert_eq!(made("2025-07-01T00:00:00Z", "2026-07-03T00:00:00Z"), "fail");
    }

    /// The trick: hiding when a token was made. What is left proves too long, never short.
    #[test]
    fn a_life_whose_beginning_is_not_told_never_passes() {
        let untold = |expires_at: &str| {
            let token = AccessToken {
                created_at: None,
                ..token(Some(expires_at))
            };
            let strict = TokensGoverned::default();
            judged(&strict, seen(true), seen(true), seen(vec![token]))
        };
        assert_eq!(untold("2026-07-01T00:00:00Z"), "unknown");
        assert_eq!(untold("2027-06-03T12:00:00Z"), "fail");
        assert_eq!(untold("2026-05-31T12:00:00Z"), "pass");
    }

    #[test]
    fn a_day_of_making_that_lies_ahead_shortens_nothing() {
        let token = AccessToken {
            created_at: Some(at("2030-01-01T00:00:00Z")),
            ..token(Some("2030-02-01T00:00:00Z"))
        };
        let strict = TokensGoverned::default();
        assert_eq!(
            judged(&strict, seen(true), seen(true), seen(vec![token])),
            "fail"
        );
    }

    #[test]
    fn each_switch_that_is_off_fails_whatever_is_hidden() {
        let strict = TokensGoverned::default();
        let off = || seen(false);
        assert_eq!(judged(&strict, off(), hidden(), hidden()), "fail");
        assert_eq!(judged(&strict, hidden(), off(), hidden()), "fail");
        let endless = seen(vec![token(None)]);
        assert_eq!(judged(&strict, hidden(), hidden(), endless), "fail");
    }

    #[test]
    fn what_no_interface_tells_is_unknown_until_the_policy_lets_it_go() {
        let strict = TokensGoverned::default();
        let tokens = || seen(vec![token(SOON)]);
        let on = || seen(true);
        assert_eq!(judged(&strict, hidden(), on(), tokens()), "unknown");
        assert_eq!(judged(&strict, on(), hidden(), tokens()), "unknown");
        assert_eq!(judged(&strict, on(), on(), hidden()), "unknown");
        let lax = TokensGoverned {
            require_approval: false,
            block_classic: false,
            ..TokensGoverned::default()
        };
        assert_eq!(judged(&lax, hidden(), hidden(), tokens()), "pass");
        assert_eq!(judged(&lax, seen(false), seen(false), tokens()), "pass");
        assert_eq!(judged(&lax, on(), on(), hidden()), "unknown");
    }

    #[test]
    fn longer_times_and_demands_let_go_are_weaker() {
        let base = TokensGoverned::default();
        let lax = TokensGoverned {
            max_days: 400,
            require_approval: false,
            block_classic: false,
        };
        assert_eq!(
            lax.weaker_than(&base).as_deref(),
            Some(
                "max_days 366 -> 400, require_approval true -> false, block_classic true -> false"
            )
        );
        assert_eq!(base.weaker_than(&lax), None);
    }
}
